//! Machines as objects with notifications, several in one process.

use std::time::Duration;

use futures::StreamExt;
use spice_client::agent::DataType;
use spice_client::console::{Console, Notification};
use spice_client::mouse::MouseButtons;
use spice_client::transport::tokio::Tokio;
use testsuite::guest::Guest;
use testsuite::picture::Picture;
use testsuite::process::args;

const LIMIT: Duration = Duration::from_secs(60);

/// Waits for a notification.
async fn find<T>(console: &mut Console, what: &str, mut look: impl FnMut(&Notification) -> Option<T>) -> T {
    let found = async {
        loop {
            let notification = console.next().await.expect("the session goes on").expect("no error");
            if let Some(found) = look(&notification) {
                return found;
            }
        }
    };
    tokio::time::timeout(LIMIT, found).await.unwrap_or_else(|_| panic!("{what} did not come"))
}

fn shown(console: &Console) -> Option<Picture> {
    let view = console.canvas(0)?.primary()?;
    let mut bytes = vec![0; view.width() as usize * view.height() as usize * 4];
    view.write_rgba(view.rect(), &mut bytes);
    Some(Picture::from_rgba(view.width(), view.height(), &bytes))
}

/// What a person does on one machine.
async fn use_machine(guest: &mut Guest, number: u32) {
    let (connecting, driver) = Console::connect(Tokio::new(), "127.0.0.1", guest.port());
    let driver = tokio::spawn(driver);
    let mut console = tokio::time::timeout(LIMIT, connecting).await.unwrap().unwrap();
    assert!(console.canvas(0).is_some_and(|canvas| canvas.is_marked()), "the first picture is complete");
    console.handle().wait_for_agent().await.unwrap();

    // Pictures: every pixel of a new background.
    let colour = format!("#{:02x}4080", 40 + number * 100);
    guest.xspice.program("xsetroot").args(["-solid", &colour]).read(LIMIT).unwrap();
    loop {
        find(&mut console, "a frame", |seen| {
            matches!(seen, Notification::FrameReceived { .. }).then_some(())
        })
        .await;
        if shown(&console).as_ref() == Some(&guest.xspice.own_picture().unwrap()) {
            break;
        }
    }

    console.handle().send_pointer_event(100 + number, 50, MouseButtons::empty()).unwrap();
    let place = format!("x:{} y:50 ", 100 + number);
    guest.xspice.wait_until_said("the pointer", "xdotool", &["getmouselocation"], &place).unwrap();

    let text = format!("for machine {number}");
    console.send_clipboard_data(DataType::UTF8_TEXT, text.clone()).await.unwrap();
    let targets = ["-o", "-selection", "clipboard", "-t", "TARGETS"];
    guest.xspice.wait_until_said("the offer", "xclip", &targets, "UTF8_STRING").unwrap();
    let paste = ["-o", "-selection", "clipboard"];
    assert_eq!(guest.xspice.program("xclip").args(paste).read(LIMIT).unwrap(), text);

    let text = format!("from machine {number}");
    let file = guest.download("copied");
    std::fs::write(&file, &text).unwrap();
    let mut copy = args(&["-quiet", "-selection", "clipboard", "-t", "UTF8_STRING", "-i"]);
    copy.push(file.into());
    guest.xspice.launch("xclip", &copy).unwrap();
    let got = find(&mut console, "what the guest has copied", |seen| match seen {
        Notification::ClipboardDataReceived { data, .. } => Some(data.clone()),
        _ => None,
    });
    assert_eq!(got.await, text);

    let resolution = console.handle().set_resolution(800, 600);
    let taking = async { while console.next().await.is_some_and(|seen| seen.is_ok()) {} };
    let size = tokio::select! {
        size = resolution => size.unwrap(),
        () = taking => panic!("the session ended"),
    };
    assert_eq!((size.width, size.height), (800, 600));
    console.handle().disconnect().unwrap();
    while console.next().await.is_some() {}
    driver.await.unwrap();
}

#[test]
fn two_machines_at_once() {
    let mut guests = [Guest::start().unwrap(), Guest::start().unwrap()];
    let [one, two] = &mut guests;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::join!(use_machine(one, 0), use_machine(two, 1));
    });
}
