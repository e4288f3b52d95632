//! Files.

use std::time::Duration;

use futures::io::{AsyncRead, Cursor};
use futures::{FutureExt, StreamExt};
use spice_agent_proto::file_xfer::ReceiveEvent;
use spice_agent_proto::guest;
use spice_client::agent::{self, DataType, Error, Outcome, Selection};
use spice_client::spice_proto::msg::display::ServerMessage;
use spice_client::{Client, Event, connect};

use super::host::Host;
use crate::driver::platform::{Memory, config};
use crate::driver::server::{DISPLAY, Peer};

/// A client whose events are taken, and a server with an agent.
pub(super) async fn session() -> (spice_client::Handle, Host) {
    let (platform, mut accepted) = Memory::new(1 << 20);
    let (mut client, driver) = connect(platform, config());
    tokio::spawn(driver);
    let handle = client.handle().clone();
    tokio::spawn(async move { while client.next().await.is_some() {} });
    let host = Host::accept(&mut accepted, &[], true).await;
    (handle, host)
}

fn content(seed: u8, len: usize) -> Vec<u8> {
    (0..len).map(|n| (n as u8).wrapping_mul(31).wrapping_add(seed)).collect()
}

/// A reader that gives a byte at a time and makes its reader wait before each.
struct Slow(Cursor<Vec<u8>>, bool);

impl AsyncRead for Slow {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut [u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        self.1 = !self.1;
        if self.1 {
            cx.waker().wake_by_ref();
            return std::task::Poll::Pending;
        }
        let len = buf.len().min(1);
        std::pin::Pin::new(&mut self.0).poll_read(cx, &mut buf[..len])
    }
}

#[tokio::test(start_paused = true)]
async fn files_arrive_whole_and_side_by_side() {
    let (handle, mut host) = session().await;
    host.serve(handle.wait_for_agent()).await.expect("an agent");
    let sizes = [0, 1, 2000, 65_536, 65_537, 1_000_000];
    let sending = sizes.iter().enumerate().map(|(n, size)| {
        handle.send_file(&format!("{n}"), *size as u64, Cursor::new(content(n as u8, *size)))
    });
    let all = futures::future::join_all(sending.collect::<Vec<_>>());
    let slow = handle.send_file("slow", 3000, Slow(Cursor::new(content(9, 3000)), false));
    let (results, slow) = host.serve(futures::future::join(all, slow)).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    slow.expect("the slow one too");
    for (n, size) in sizes.iter().enumerate() {
        assert!(host.files[&format!("{n}")] == content(n as u8, *size), "file {n}");
    }
    assert!(host.files["slow"] == content(9, 3000));
}

#[tokio::test(start_paused = true)]
async fn the_clipboard_overtakes_files_that_wait_for_tokens() {
    let (handle, mut host) = session().await;
    host.serve(handle.wait_for_agent()).await.expect("an agent");
    host.withhold = true;
    let file = tokio::spawn(handle.send_file("large", 1 << 20, Cursor::new(content(1, 1 << 20))));
    host.until(|host| host.tokens == 0).await;
    drop(handle.set_clipboard(Selection::Clipboard, [(DataType::UTF8_TEXT, "text".into())]));
    let before = host.kinds.len();
    host.serve(tokio::time::sleep(Duration::from_secs(1))).await;
    assert_eq!(host.kinds.len(), before, "nothing goes without tokens");
    // The piece that has begun has 33 bodies; the grab comes right behind it.
    host.withhold = false;
    host.grant(1);
    host.until(|host| host.kinds.len() >= before + 2).await;
    assert!(host.kinds[before..before + 2].contains(&7), "{:?}", &host.kinds[before..]);
    host.serve(file).await.expect("no panic").expect("the file arrives");
}

#[tokio::test(start_paused = true)]
async fn a_transfer_that_is_dropped_or_cancelled_is_called_off() {
    let (handle, mut host) = session().await;
    host.serve(handle.wait_for_agent()).await.expect("an agent");
    for dropped in [true, false] {
        host.events.clear();
        host.withhold = true;
        host.serve(async {}).await;
        let file = handle.send_file("half", 1 << 20, futures::io::repeat(1));
        let transfer = file.transfer();
        let file = tokio::spawn(file);
        host.until(|host| host.tokens == 0).await;
        if dropped {
            file.abort();
            assert!(file.await.is_err());
        } else {
            handle.cancel_file(transfer).await.expect("it is there");
            let outcome = file.await.expect("no panic");
            assert!(matches!(outcome, Err(Error::File(Outcome::CancelledHere))), "{outcome:?}");
            assert!(matches!(handle.cancel_file(transfer).await, Err(Error::Refused(_))));
        }
        host.withhold = false;
        host.grant(10);
        host.until(|host| {
            host.events.iter().any(|event| matches!(event, guest::Event::File(ReceiveEvent::Aborted { .. })))
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn files_that_cannot_be_read_say_so() {
    let (handle, mut host) = session().await;
    assert!(matches!(
        handle.send_file("early", 0, Cursor::new("")).await,
        Err(Error::NoAgent | Error::NotReady)
    ));
    host.serve(handle.wait_for_agent()).await.expect("an agent");
    let short = host.serve(handle.send_file("short", 100_000, Cursor::new(content(1, 70_000)))).await;
    assert!(matches!(short, Err(Error::TooShort { read: 70_000, size: 100_000 })), "{short:?}");
    struct Broken;
    impl AsyncRead for Broken {
        fn poll_read(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            _: &mut [u8],
        ) -> std::task::Poll<std::io::Result<usize>> {
            std::task::Poll::Ready(Err(std::io::ErrorKind::PermissionDenied.into()))
        }
    }
    let broken = host.serve(handle.send_file("broken", 1, Broken)).await;
    assert!(matches!(broken, Err(Error::Read(_))), "{broken:?}");
    let name = host.serve(handle.send_file("a/b", 1, Cursor::new("x"))).await;
    assert!(matches!(name, Err(Error::Refused(_))), "{name:?}");
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_goes_in_the_middle_of_a_message_and_comes_back() {
    let (handle, mut host) = session().await;
    for round in 0..5 {
        host.serve(handle.wait_for_agent()).await.expect("an agent");
        host.withhold = true;
        let file = tokio::spawn(handle.send_file("half", 1 << 20, futures::io::repeat(1)));
        host.until(|host| host.tokens == 0).await;
        host.kill();
        let outcome = host.serve(file).await.expect("no panic");
        assert!(matches!(outcome, Err(Error::File(Outcome::Disconnected))), "round {round}: {outcome:?}");
        host.withhold = false;
        // The rest of the piece goes first, or the host minds.
        host.revive();
    }
    host.serve(handle.wait_for_agent()).await.expect("an agent");
    let file = handle.send_file("whole", 100_000, Cursor::new(content(3, 100_000)));
    host.serve(file).await.expect("the file arrives");
    assert!(host.files["whole"] == content(3, 100_000));
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_does_not_answer_is_given_up() {
    let (handle, mut host) = session().await;
    host.serve(handle.wait_for_agent()).await.expect("an agent");
    // Its server goes on, without a word to it.
    host.guest = None;
    let file = host.serve(handle.send_file("nothing", 1, Cursor::new("x"))).await;
    assert!(matches!(file, Err(Error::NoAnswer { .. })), "{file:?}");
}

#[tokio::test(start_paused = true)]
async fn files_go_on_while_the_application_takes_no_events() {
    let (platform, mut accepted) = Memory::new(1 << 20);
    let (client, driver) = connect(platform, config());
    let driver = tokio::spawn(driver);
    let handle = client.handle().clone();
    let mut host = Host::accept(&mut accepted, &[DISPLAY], true).await;
    let mut display = Peer::accept(&mut accepted, DISPLAY).await;
    for _ in 0..5000 {
        display.send(&ServerMessage::Mark).await;
    }
    host.serve(handle.wait_for_agent()).await.expect("an agent");
    let file = handle.send_file("large", 20 << 20, futures::io::repeat(1));
    host.serve(file).await.expect("the file arrives");
    // And so does word of the server's end.
    let file = handle.send_file("half", 20 << 20, futures::io::repeat(1));
    let waiting = handle.clipboard_request(Selection::Clipboard, DataType::UTF8_TEXT);
    let file = tokio::spawn(file);
    host.until(|host| host.files.contains_key("half")).await;
    drop((host, display));
    let outcome = file.await.expect("no panic");
    assert!(matches!(outcome, Err(Error::SessionOver)), "{outcome:?}");
    assert!(waiting.await.is_err());
    assert!(!driver.is_finished(), "the application has not taken its events");
    let rest: Vec<_> = client.collect().await;
    assert!(rest.len() > 5000 && rest.last().is_some_and(Result::is_err));
    driver.await.expect("the driver ends");
    assert!(matches!(handle.send_file("late", 0, Cursor::new("")).await, Err(Error::SessionOver)));
    assert!(matches!(handle.wait_for_agent().await, Err(Error::SessionOver)));
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_once_however_late_it_is_taken() {
    let (platform, mut accepted) = Memory::new(1 << 20);
    let (client, driver) = connect(platform, config());
    tokio::spawn(driver);
    let handle = client.handle().clone();
    let mut host = Host::accept(&mut accepted, &[DISPLAY], true).await;
    let mut display = Peer::accept(&mut accepted, DISPLAY).await;
    // The application's queue is full.
    for _ in 0..200 {
        display.send(&ServerMessage::Mark).await;
    }
    host.serve(handle.wait_for_agent()).await.expect("an agent");
    host.serve(handle.send_file("large", 50 << 20, futures::io::repeat(1))).await.expect("the file arrives");
    handle.disconnect().expect("the driver is there");
    let events: Vec<_> = client.collect().await;
    let of_files = events.iter().filter(|event| {
        matches!(event, Ok(Event::Agent(agent::Event::FileProgress { .. } | agent::Event::FileEnded { .. })))
    });
    assert!((1..80).contains(&of_files.count()), "{} events", events.len());
}

#[tokio::test(start_paused = true)]
async fn many_sessions_with_agents_at_once() {
    let sessions = (0..50_u8).map(|number| async move {
        let (handle, mut host) = session().await;
        host.serve(handle.wait_for_agent()).await.expect("an agent");
        let bytes = content(number, 10_000 + usize::from(number));
        let file = handle.send_file("same name", bytes.len() as u64, Cursor::new(bytes.clone()));
        host.serve(file).await.expect("the file arrives");
        assert!(host.files["same name"] == bytes);
        assert_eq!(host.files.len(), 1);
    });
    futures::future::join_all(sessions).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_configuration_the_agent_is_left_alone() {
    let (platform, mut accepted) = Memory::new(1 << 20);
    let mut config = config();
    config.agent = None;
    let (mut client, driver): (Client, _) = connect(platform, config);
    tokio::spawn(driver);
    let mut host = Host::accept(&mut accepted, &[], true).await;
    host.serve(async {
        while client.next().now_or_never().is_none() {
            tokio::task::yield_now().await
        }
    })
    .await;
    let outcome = host.serve(client.handle().send_file("a", 0, Cursor::new(""))).await;
    assert!(matches!(outcome, Err(Error::NoAgent)), "{outcome:?}");
    assert!(host.kinds.is_empty());
}
