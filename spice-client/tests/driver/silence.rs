//! Servers that say nothing, and addresses where nobody is.

use futures::{AsyncWriteExt, StreamExt};
use spice_client::spice_proto::types::ChannelId;
use spice_client::{Client, ClientError, connect};

use super::platform::{Memory, Nowhere, config};
use super::server::Peer;

async fn failure(client: &mut Client) -> ClientError {
    loop {
        match client.next().await {
            Some(Err(error)) => return error,
            Some(Ok(_)) => {}
            None => panic!("the session ends without an error"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_never_comes_up() {
    let (mut client, driver) = connect(Nowhere, config());
    tokio::spawn(driver);
    let error = failure(&mut client).await;
    assert!(matches!(error, ClientError::ConnectTimeout { seconds: 10, .. }), "{error:?}");
    assert!(client.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn nobody_listens() {
    let (platform, accepted) = Memory::new(100);
    drop(accepted);
    let (mut client, driver) = connect(platform, config());
    tokio::spawn(driver);
    assert!(matches!(failure(&mut client).await, ClientError::Refused { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing() {
    let (platform, mut accepted) = Memory::new(100);
    let (mut client, driver) = connect(platform, config());
    tokio::spawn(driver);
    let _silent = accepted.next().await;
    let error = failure(&mut client).await.to_string();
    assert!(error.contains("did not answer in time"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_speaks_something_else() {
    for (first, word) in [(&b"HTTP/1.1 400 Bad Request\r\n"[..], "web server"), (b"RFB 003.008\n", "VNC")] {
        let (platform, mut accepted) = Memory::new(100);
        let (mut client, driver) = connect(platform, config());
        tokio::spawn(driver);
        let (_, mut pipe) = accepted.next().await.expect("the client connects");
        pipe.write_all(first).await.expect("room");
        drop(pipe);
        let error = failure(&mut client).await;
        assert!(matches!(error, ClientError::NotSpice(_)), "{error:?}");
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_after_the_link() {
    let (platform, mut accepted) = Memory::new(100);
    let (mut client, driver) = connect(platform, config());
    tokio::spawn(driver);
    drop(Peer::accept(&mut accepted, ChannelId::MAIN).await);
    assert!(matches!(failure(&mut client).await, ClientError::ServerClosed));
}
