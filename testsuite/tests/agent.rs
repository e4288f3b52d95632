//! Clipboard and monitors through the real guest agent.

use std::fs;
use std::time::Duration;

use bytes::Bytes;
use spice_client::Event;
use spice_client::agent::{self, ClipboardEvent, DataType, Selection, Size};
use testsuite::console::{Console, LIMIT};
use testsuite::guest::Guest;
use testsuite::process::{Program, args};
use testsuite::{ASK_LIMIT, wait_for};

const SELECTIONS: [(Selection, &str); 2] =
    [(Selection::Clipboard, "clipboard"), (Selection::Primary, "primary")];

/// Waits until the guest offers a selection in a type.
fn offered(console: &Console, selection: Selection, kind: DataType) {
    console
        .event("the guest's offer", |event| match event {
            Event::Agent(agent::Event::Clipboard(ClipboardEvent::Grabbed { selection: of, types }))
                if *of == selection && types.contains(&kind) =>
            {
                Some(())
            }
            _ => None,
        })
        .unwrap();
}

/// Puts a file's content into a selection of the guest. The program stays in the background to supply it.
fn copy_in_guest(guest: &mut Guest, selection: &str, target: &str, path: &std::path::Path) {
    let mut arguments = args(&["-quiet", "-selection", selection, "-t", target, "-i"]);
    arguments.push(path.into());
    guest.xspice.launch("xclip", &arguments).unwrap();
}

/// What the guest pastes from a selection, in bytes.
fn paste_in_guest(guest: &Guest, selection: &str, target: &str) -> Vec<u8> {
    let file = guest.download(&format!("pasted-{selection}"));
    let script = format!("exec xclip -o -selection {selection} -t {target} > '{}'", file.display());
    guest.xspice.program("sh").args(["-c", &script]).read(LIMIT).unwrap();
    fs::read(file).unwrap()
}

/// A picture of noise, so that no two are the same.
fn picture(guest: &Guest, seed: &str) -> Vec<u8> {
    let file = guest.download(&format!("noise-{seed}.png"));
    Program::new("convert")
        .args(["-size", "200x150", "-seed", seed, "plasma:", "-define", "png:exclude-chunks=date"])
        .args([&file])
        .read(LIMIT)
        .unwrap();
    fs::read(file).unwrap()
}

#[test]
fn text_and_pictures_go_both_ways() {
    let mut guest = Guest::start().unwrap();
    let console = Console::with_agent(guest.port()).unwrap();
    for (selection, name) in SELECTIONS {
        let text = format!("{name}: grüße, 語\nsecond line\n");
        let png = picture(&guest, &format!("{}", selection as u8 + 1));
        let content = [
            (DataType::UTF8_TEXT, Bytes::from(text.clone())),
            (DataType::IMAGE_PNG, Bytes::from(png.clone())),
        ];
        console.wait("an offer to the guest", console.handle().set_clipboard(selection, content)).unwrap();
        guest
            .xspice
            .wait_until_said("the types", "xclip", &["-o", "-selection", name, "-t", "TARGETS"], "image/png")
            .unwrap();
        assert_eq!(String::from_utf8(paste_in_guest(&guest, name, "UTF8_STRING")).unwrap(), text);
        assert!(paste_in_guest(&guest, name, "image/png") == png, "{name}: the picture has changed");
        console
            .event("word that the guest has pasted", |event| match event {
                Event::Agent(agent::Event::ClipboardTaken { selection: of, kind: DataType::IMAGE_PNG })
                    if *of == selection =>
                {
                    Some(())
                }
                _ => None,
            })
            .unwrap();
    }
    for (selection, name) in SELECTIONS {
        let text = format!("{name} of the guest: älter, 本\n");
        let file = guest.download("copied.txt");
        fs::write(&file, &text).unwrap();
        console.clear();
        copy_in_guest(&mut guest, name, "UTF8_STRING", &file);
        offered(&console, selection, DataType::UTF8_TEXT);
        let request = console.handle().clipboard_request(selection, DataType::UTF8_TEXT);
        assert_eq!(console.wait("the guest's text", request).unwrap(), text);

        let png = picture(&guest, &format!("{}", selection as u8 + 11));
        let file = guest.download("copied.png");
        fs::write(&file, &png).unwrap();
        console.clear();
        copy_in_guest(&mut guest, name, "image/png", &file);
        offered(&console, selection, DataType::IMAGE_PNG);
        let request = console.handle().clipboard_request(selection, DataType::IMAGE_PNG);
        assert!(
            console.wait("the guest's picture", request).unwrap() == png,
            "{name}: the picture has changed"
        );
        let request = console.handle().clipboard_request(selection, DataType::UTF8_TEXT);
        let refused = console.outcome("an answer", request).unwrap().unwrap_err();
        assert!(matches!(refused, agent::Error::Refused(_)), "{refused}");
    }
}

#[test]
fn content_that_is_supplied_on_demand() {
    let guest = Guest::start().unwrap();
    let console = Console::with_agent(guest.port()).unwrap();
    let grab = console.handle().clipboard_grab(Selection::Clipboard, &[DataType::UTF8_TEXT]);
    console.wait("an offer to the guest", grab).unwrap();
    let targets = ["-o", "-selection", "clipboard", "-t", "TARGETS"];
    guest.xspice.wait_until_said("the offer", "xclip", &targets, "UTF8_STRING").unwrap();
    let handle = console.handle().clone();
    let answer = std::thread::scope(|scope| {
        let pasted = scope.spawn(|| paste_in_guest(&guest, "clipboard", "UTF8_STRING"));
        let (selection, kind) = console
            .event("the guest's request", |event| match event {
                Event::Agent(agent::Event::Clipboard(ClipboardEvent::Requested { selection, kind })) => {
                    Some((*selection, *kind))
                }
                _ => None,
            })
            .unwrap();
        console.wait("the answer", handle.clipboard_answer(selection, kind, "later".into())).unwrap();
        pasted.join().unwrap()
    });
    assert_eq!(answer, b"later");
    console.wait("the release", console.handle().clipboard_release(Selection::Clipboard)).unwrap();
    wait_for("an empty clipboard", LIMIT, || {
        let said = guest.xspice.program("xclip").args(["-o", "-selection", "clipboard"]).run(ASK_LIMIT);
        Ok(said.is_ok_and(|said| !said.status.success()).then_some(()))
    })
    .unwrap();
}

#[test]
fn an_agent_that_comes_back_is_offered_the_clipboard_again() {
    let mut guest = Guest::start().unwrap();
    let console = Console::with_agent(guest.port()).unwrap();
    let content = [(DataType::UTF8_TEXT, Bytes::from("kept"))];
    console.wait("an offer", console.handle().set_clipboard(Selection::Clipboard, content)).unwrap();
    for round in 0..4 {
        console.clear();
        if round % 2 == 0 {
            guest.kill_session_agent()
        } else {
            guest.kill_agent()
        }
        console
            .event("word of the agent's end", |event| {
                matches!(event, Event::Agent(agent::Event::Gone)).then_some(())
            })
            .unwrap();
        let alone = console.handle().send_file("a.txt", 1, &b"a"[..]);
        assert!(matches!(console.outcome("an answer", alone).unwrap(), Err(agent::Error::NoAgent)));
        guest.start_agent().unwrap();
        console.agent().unwrap();
        let targets = ["-o", "-selection", "clipboard", "-t", "TARGETS"];
        guest.xspice.wait_until_said("the offer", "xclip", &targets, "UTF8_STRING").unwrap();
        assert_eq!(paste_in_guest(&guest, "clipboard", "UTF8_STRING"), b"kept");
    }
    guest.check_running().unwrap();
}

#[test]
fn the_resolution_follows() {
    let guest = Guest::start().unwrap();
    // Said before there can be an agent: it waits.
    let console = Console::connect(guest.port()).unwrap();
    for (width, height) in [(1000, 700), (800, 600), (1280, 800)] {
        let answer = console.handle().set_resolution(width, height);
        let size = console.wait("the new resolution", answer).unwrap();
        assert_eq!(size, Size { width, height });
        let said = guest.xspice.program("xrandr").read(LIMIT).unwrap();
        assert!(said.contains(&format!("current {width} x {height}")), "{said}");
    }
    // This guest's driver wants widths in eights, and what it makes of others is told.
    let size = console.wait("a rounded resolution", console.handle().set_resolution(1003, 604)).unwrap();
    assert_eq!(size, Size { width: 1000, height: 604 });
    // The last of several wishes wins, and the others hear so.
    let wishes: Vec<_> = (0..5).map(|n| console.handle().set_resolution(896 + 16 * n, 640)).collect();
    for (index, wish) in wishes.into_iter().enumerate() {
        let outcome = console.outcome("an answer", wish).unwrap();
        match outcome {
            Ok(size) => assert_eq!((index, size), (4, Size { width: 960, height: 640 })),
            Err(error) => assert!(index < 4 && matches!(error, agent::Error::Superseded), "{index}: {error}"),
        }
    }
    let said = guest.xspice.program("xrandr").read(Duration::from_secs(10)).unwrap();
    assert!(said.contains("current 960 x 640"), "{said}");
}
