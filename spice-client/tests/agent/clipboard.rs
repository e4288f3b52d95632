//! Clipboards.

use bytes::Bytes;
use spice_agent_proto::clipboard::Event as ClipboardEvent;
use spice_agent_proto::guest;
use spice_client::agent::{DataType, Error, Selection};

use super::files::session;
use super::host::Host;

const TEXT: DataType = DataType::UTF8_TEXT;

fn grabbed(host: &Host) -> usize {
    let of = |event: &&guest::Event| matches!(event, guest::Event::Clipboard(ClipboardEvent::Grabbed { .. }));
    host.events.iter().filter(of).count()
}

#[tokio::test(start_paused = true)]
async fn content_is_supplied_by_itself_and_offered_to_every_agent() {
    let (handle, mut host) = session().await;
    // Before there is anybody to offer it to.
    let told = handle.set_clipboard(Selection::Primary, [(TEXT, Bytes::from("kept"))]);
    host.serve(told).await.expect("it is told");
    for round in 1..4 {
        host.until(|host| grabbed(host) == round).await;
        let guest = host.guest.as_mut().expect("an agent");
        guest.clipboard_request(Selection::Primary, TEXT).expect("it is offered");
        host.until(|host| {
            host.events.iter().any(|event| {
                matches!(event, guest::Event::Clipboard(ClipboardEvent::Content { data, .. }) if data == "kept")
            })
        })
        .await;
        host.events.retain(|event| !matches!(event, guest::Event::Clipboard(ClipboardEvent::Content { .. })));
        host.kill();
        host.revive();
    }
    host.until(|host| grabbed(host) == 4).await;
    // What the guest copies itself puts an end to it.
    host.serve(async {}).await;
    host.guest.as_mut().expect("an agent").clipboard_grab(Selection::Primary, &[TEXT]).expect("a client");
    host.until(|host| host.kinds.len() >= 4).await;
    let request = host.serve(async {
        loop {
            match handle.clipboard_request(Selection::Primary, TEXT).await {
                Err(Error::Refused(_)) => tokio::task::yield_now().await,
                other => return other,
            }
        }
    });
    // Nobody answers: it is given up in time.
    assert!(matches!(request.await, Err(Error::NoAnswer { .. })));
    host.kill();
    host.revive();
    host.serve(handle.wait_for_agent()).await.expect("an agent");
    host.serve(tokio::time::sleep(std::time::Duration::from_secs(1))).await;
    assert_eq!(grabbed(&host), 4, "content that is over has been offered again");
}

#[tokio::test(start_paused = true)]
async fn an_offer_can_be_replaced_and_withdrawn_before_it_is_told() {
    let (handle, mut host) = session().await;
    host.kill();
    let first = handle.set_clipboard(Selection::Clipboard, [(TEXT, Bytes::from("one"))]);
    let second = handle.set_clipboard(Selection::Clipboard, [(TEXT, Bytes::from("two"))]);
    assert!(matches!(host.serve(first).await, Err(Error::Superseded)));
    host.serve(handle.clipboard_release(Selection::Clipboard)).await.expect("there was something");
    assert!(matches!(host.serve(second).await, Err(Error::Superseded)));
    let nothing = host.serve(handle.clipboard_release(Selection::Clipboard)).await;
    assert!(matches!(nothing, Err(Error::NoAgent)), "{nothing:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_ends_with_the_agent() {
    let (handle, mut host) = session().await;
    host.serve(handle.wait_for_agent()).await.expect("an agent");
    host.until(|host| host.events.iter().any(|event| matches!(event, guest::Event::Ready(_)))).await;
    host.guest.as_mut().expect("an agent").clipboard_grab(Selection::Clipboard, &[TEXT]).expect("a client");
    let request = tokio::spawn(async move {
        loop {
            match handle.clipboard_request(Selection::Clipboard, TEXT).await {
                Err(Error::Refused(_)) => tokio::task::yield_now().await,
                other => return other,
            }
        }
    });
    host.until(|host| host.kinds.contains(&8)).await;
    host.kill();
    let outcome = host.serve(request).await.expect("no panic");
    assert!(matches!(outcome, Err(Error::Clipboard(_))), "{outcome:?}");
}
