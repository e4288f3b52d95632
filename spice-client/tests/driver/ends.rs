//! How sessions end, and that nothing received before is lost.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::{AsyncReadExt, FutureExt, StreamExt};
use spice_client::spice_proto::msg::base;
use spice_client::spice_proto::msg::display::ServerMessage;
use spice_client::spice_proto::session::SessionEnd;
use spice_client::spice_proto::wire::Rest;
use spice_client::{Client, ClientError, Event, connect};
use tokio::time::timeout;

use super::platform::{Memory, config};
use super::server::Peer;

/// Everything up to the end: the marks among it, and the last item.
async fn rest(client: &mut Client) -> (usize, Option<Result<Event, ClientError>>) {
    let (mut marks, mut last) = (0, None);
    while let Some(item) = client.next().await {
        marks += usize::from(matches!(item, Ok(Event::Display(0, ServerMessage::Mark))));
        last = Some(item);
    }
    (marks, last)
}

#[tokio::test(start_paused = true)]
async fn what_a_server_says_before_it_closes_everything_arrives() {
    let (platform, mut accepted) = Memory::new(1 << 20);
    let (mut client, driver) = connect(platform, config());
    tokio::spawn(driver);
    let (main, mut display) = Peer::session(&mut accepted).await;
    for _ in 0..1000 {
        display.send(&ServerMessage::Mark).await;
    }
    drop((main, display));
    let (marks, last) = rest(&mut client).await;
    assert_eq!(marks, 1000);
    assert!(matches!(last, Some(Err(ClientError::ServerClosed))));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_takes_nothing_any_more_is_read_to_its_end() {
    let (platform, mut accepted) = Memory::new(1 << 20);
    let deaf = platform.deaf.clone();
    let (mut client, driver) = connect(platform, config());
    tokio::spawn(driver);
    let (main, mut display) = Peer::session(&mut accepted).await;
    for _ in 0..1000 {
        display.send(&ServerMessage::Mark).await;
    }
    deaf.store(true, Ordering::SeqCst);
    // An answer is due now.
    let ping = base::Ping { id: 1, timestamp: 2, filler: Rest::default() };
    display.send(&base::ServerMessage::Ping(ping)).await;
    for _ in 0..1000 {
        display.send(&ServerMessage::Mark).await;
    }
    drop((main, display));
    let (marks, last) = rest(&mut client).await;
    assert_eq!(marks, 2000);
    assert!(matches!(last, Some(Err(ClientError::ServerClosed))));
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_is_dropped_ends_the_events_and_the_handles() {
    let (platform, mut accepted) = Memory::new(1 << 20);
    let (mut client, driver) = connect(platform, config());
    let driver = tokio::spawn(driver);
    let (mut main, _display) = Peer::session(&mut accepted).await;
    driver.abort();
    assert!(driver.await.is_err());
    while client.next().await.is_some() {}
    assert!(matches!(client.handle().disconnect(), Err(ClientError::DriverGone)));
    assert!(main.pipe.read_to_end(&mut Vec::new()).await.is_ok(), "the transports are closed");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_dropped_ends_the_driver() {
    let (platform, mut accepted) = Memory::new(1 << 20);
    let (client, driver) = connect(platform, config());
    let driver = tokio::spawn(driver);
    let (mut main, mut display) = Peer::session(&mut accepted).await;
    drop(client);
    driver.await.expect("the driver ends");
    assert!(main.pipe.read_to_end(&mut Vec::new()).await.is_ok());
    assert!(display.pipe.read_to_end(&mut Vec::new()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_handle_keeps_a_session_alive_whose_client_is_dropped() {
    let (platform, mut accepted) = Memory::new(1 << 20);
    let (client, driver) = connect(platform, config());
    let driver = tokio::spawn(driver);
    let (_main, mut display) = Peer::session(&mut accepted).await;
    let handle = client.handle().clone();
    drop(client);
    for _ in 0..10_000 {
        display.send(&ServerMessage::Mark).await;
    }
    assert!(!driver.is_finished());
    handle.disconnect().expect("the driver is there");
    driver.await.expect("the driver ends");
}

#[tokio::test(start_paused = true)]
async fn an_application_can_give_up_waiting_at_any_event() {
    let (platform, mut accepted) = Memory::new(7);
    let (mut client, driver) = connect(platform, config());
    tokio::spawn(driver);
    let server = tokio::spawn(async move {
        let (_main, mut display) = Peer::session(&mut accepted).await;
        for _ in 0..100 {
            display.send(&ServerMessage::Mark).await;
        }
    });
    let (mut marks, mut turn) = (0, 0);
    loop {
        turn += 1;
        // Every second wait is cancelled at once.
        let item = if turn % 2 == 0 { Some(client.next().await) } else { client.next().now_or_never() };
        match item {
            Some(Some(Ok(Event::Display(..)))) => marks += 1,
            Some(Some(_)) => {}
            Some(None) => break,
            None => tokio::task::yield_now().await,
        }
    }
    server.await.expect("the server is done");
    assert_eq!(marks, 100);
}

#[tokio::test(start_paused = true)]
async fn many_sessions_at_once() {
    let sessions = (0..100).map(|number| async move {
        // Pipes from one byte upwards.
        let (platform, mut accepted) = Memory::new(1 + number * number);
        let (mut client, driver) = connect(platform, config());
        tokio::spawn(driver);
        tokio::spawn(async move {
            let (main, mut display) = Peer::session(&mut accepted).await;
            for _ in 0..200 {
                display.send(&ServerMessage::Mark).await;
            }
            // What is still in the pipes when they close counts as sent.
            drop((main, display));
        });
        rest(&mut client).await
    });
    for (marks, last) in futures::future::join_all(sessions).await {
        assert_eq!(marks, 200);
        assert!(matches!(last, Some(Err(ClientError::ServerClosed))));
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_that_was_asked_for_is_no_error() {
    let (platform, mut accepted) = Memory::new(1 << 20);
    let (mut client, driver) = connect(platform, config());
    tokio::spawn(driver);
    let _peers = Peer::session(&mut accepted).await;
    client.handle().disconnect().expect("the driver is there");
    let (_, last) = rest(&mut client).await;
    assert!(matches!(last, Some(Ok(Event::Ended(SessionEnd::Asked)))));
}

#[tokio::test(start_paused = true)]
async fn streams_are_read_to_their_ends_and_the_main_channel_is_closed_last() {
    let (platform, mut accepted) = Memory::new(1 << 10);
    let (mut client, driver) = connect(platform, config());
    tokio::spawn(driver);
    let (mut main, mut display) = Peer::session(&mut accepted).await;
    display.send(&ServerMessage::Mark).await;
    while !matches!(client.next().await, Some(Ok(Event::Display(..)))) {}
    client.handle().disconnect().expect("the driver is there");
    let mut heard = Vec::new();
    display.pipe.read_to_end(&mut heard).await.expect("the client's direction ends in order");
    // A server that goes on talking does not fail, whatever the pipe holds.
    for _ in 0..1000 {
        display.send(&ServerMessage::Mark).await;
    }
    let early = timeout(Duration::from_secs(1), main.pipe.read_to_end(&mut heard)).await;
    assert!(early.is_err(), "main is closed while the display is open");
    drop(display);
    main.pipe.read_to_end(&mut heard).await.expect("the client's direction ends in order");
    drop(main);
    let (_, last) = rest(&mut client).await;
    assert!(matches!(last, Some(Ok(Event::Ended(SessionEnd::Asked)))));
}
