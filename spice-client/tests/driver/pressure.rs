//! Slow applications, and servers that send and never read.

use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use spice_client::spice_proto::msg::{base, display};
use spice_client::spice_proto::wire::Rest;
use spice_client::{Event, connect};

use super::platform::{Memory, config};
use super::server::Peer;

/// Longer than anything takes on a paused clock, unless it waits for ever.
const LONG: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn a_server_that_never_takes_answers_is_not_listened_to() {
    let (platform, mut accepted) = Memory::new(100);
    let mut config = config();
    config.session.limits.queued_output = 10_000;
    let (mut client, driver) = connect(platform, config);
    tokio::spawn(driver);
    tokio::spawn(async move { while client.next().await.is_some() {} });
    let (_main, mut display) = Peer::session(&mut accepted).await;
    let ping = base::ServerMessage::Ping(base::Ping { id: 1, timestamp: 2, filler: Rest::default() });
    let mut taken = 0;
    while tokio::time::timeout(LONG, display.send(&ping)).await.is_ok() {
        taken += 1;
        assert!(taken < 10_000, "the client takes any number of pings");
    }
    assert!(taken > 100);
}

#[tokio::test(start_paused = true)]
async fn a_slow_application_slows_the_server_and_loses_nothing() {
    let (platform, mut accepted) = Memory::new(1000);
    let (mut client, driver) = connect(platform, config());
    tokio::spawn(driver);
    let linking = tokio::spawn(async move { (Peer::session(&mut accepted).await, accepted) });
    // The display opens once the application has seen the list.
    while !linking.is_finished() {
        drop(tokio::time::timeout(Duration::from_secs(1), client.next()).await);
    }
    let ((_main, mut display), _accepted) = linking.await.expect("linked");
    let set_ack = base::ServerMessage::SetAck(base::SetAck { generation: 1, window: 1 });
    display.send(&set_ack).await;
    let (mut sent, mut answers) = (0u32, 0);
    // Answers go on coming while events are not taken, until the client reads no more.
    while let Ok(()) = tokio::time::timeout(LONG, display.send(&numbered(sent))).await {
        sent += 1;
        let mut buf = [0; 1000];
        while let Ok(read) = tokio::time::timeout(Duration::from_millis(1), display.pipe.read(&mut buf)).await
        {
            answers += read.expect("open");
        }
        assert!(sent < 10_000, "the client takes any number of messages");
    }
    assert!(sent > 256);
    assert!(answers > 256 * 6, "acknowledgements were written");
    let mut next = 0;
    while next < sent {
        match tokio::time::timeout(LONG, client.next()).await.expect("an event") {
            Some(Ok(Event::Display(0, message))) => {
                assert_eq!(message, numbered(next));
                next += 1;
            }
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

fn numbered(number: u32) -> display::ServerMessage {
    display::ServerMessage::Unknown { kind: 999, body: number.to_le_bytes().to_vec().into() }
}

#[tokio::test(start_paused = true)]
async fn long_messages_wait_in_bounded_numbers() {
    let (platform, mut accepted) = Memory::new(1 << 16);
    let mut config = config();
    config.queued_bytes = 100_000;
    config.session.limits.queued_bytes = 100_000;
    let (mut client, driver) = connect(platform, config);
    tokio::spawn(driver);
    let linking = tokio::spawn(async move { (Peer::session(&mut accepted).await, accepted) });
    while !linking.is_finished() {
        drop(tokio::time::timeout(Duration::from_secs(1), client.next()).await);
    }
    let ((_main, mut display), _accepted) = linking.await.expect("linked");
    let mut sent = 0u8;
    while tokio::time::timeout(LONG, display.send_long(sent, 10_000)).await.is_ok() {
        sent += 1;
        assert!(sent < 60, "the client takes any number of messages");
    }
    assert!(sent >= 20);
    // The message on which the server waited is whole only if the rest is written; the others are all there.
    let mut next = 0;
    while next < sent {
        match tokio::time::timeout(LONG, client.next()).await.expect("an event") {
            Some(Ok(Event::Display(0, display::ServerMessage::Unknown { body, .. }))) => {
                assert_eq!(body[0], next);
                next += 1;
            }
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_dropped_while_much_waits_for_it_ends_the_driver() {
    let (platform, mut accepted) = Memory::new(1 << 16);
    let mut config = config();
    config.queued_bytes = 1;
    let (mut client, driver) = connect(platform, config);
    let driver = tokio::spawn(driver);
    let linking = tokio::spawn(async move { Peer::session(&mut accepted).await });
    while !linking.is_finished() {
        drop(tokio::time::timeout(Duration::from_secs(1), client.next()).await);
    }
    let (_main, mut display) = linking.await.expect("linked");
    for number in 0..5 {
        display.send_long(number, 100).await;
    }
    tokio::time::sleep(LONG).await;
    assert!(!driver.is_finished());
    drop(client);
    driver.await.expect("the driver ends");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_reads_nothing_does_not_hold_up_the_end() {
    let (platform, mut accepted) = Memory::new(200);
    let (mut client, driver) = connect(platform, config());
    let driver = tokio::spawn(driver);
    let linking = tokio::spawn(async move { Peer::session(&mut accepted).await });
    while !linking.is_finished() {
        drop(tokio::time::timeout(Duration::from_secs(1), client.next()).await);
    }
    let (_main, mut display) = linking.await.expect("linked");
    let ping = base::ServerMessage::Ping(base::Ping { id: 1, timestamp: 2, filler: Rest::default() });
    for _ in 0..100 {
        display.send(&ping).await;
    }
    client.handle().disconnect().expect("the driver is there");
    while client.next().await.is_some() {}
    driver.await.expect("the driver ends");
    assert!(display.pipe.close().await.is_ok());
}
