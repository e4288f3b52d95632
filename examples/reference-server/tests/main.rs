//! The server over pipes inside this process.

use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use reference_server::{Host, Scene, Security, ServerConfig, Show};
use spice_client::transport::memory::{Pipe, pipe};
use spice_client::transport::tokio::Tokio;
use spice_client::transport::{self, Platform};
use spice_client::{Client, ClientConfig, ClientError, Event};
use spice_proto::Instant;
use spice_proto::msg::display::ServerMessage;
use spice_proto::session::{Address, Endpoint};
use spice_proto::types::ChannelId;

/// A platform whose streams end in a host.
struct InProcess {
    tokio: Tokio,
    host: Host,
    /// Bytes that wait in each direction at most.
    capacity: usize,
}

impl Platform for InProcess {
    type Stream = Pipe;
    type Connect = std::future::Ready<std::io::Result<Pipe>>;
    type Sleep = <Tokio as transport::Platform>::Sleep;

    fn connect(&mut self, _: &Endpoint, _: ChannelId) -> Self::Connect {
        std::future::ready(Ok(stream(&self.host, self.capacity)))
    }

    fn sleep(&mut self, duration: Duration) -> Self::Sleep {
        self.tokio.sleep(duration)
    }

    fn now(&self) -> Instant {
        self.tokio.now()
    }

    fn entropy(&mut self) -> std::io::Result<[u8; 32]> {
        self.tokio.entropy()
    }
}

/// A stream that a host serves.
fn stream(host: &Host, capacity: usize) -> Pipe {
    let (ours, theirs) = pipe(capacity);
    tokio::spawn(host.serve(theirs, Security::Plain).expect("room"));
    ours
}

fn scene() -> Scene {
    Scene::new(200, 150)
}

fn host(config: ServerConfig) -> Host {
    Host::new(config.show(Show::Scene(scene()))).expect("a host")
}

fn connect(host: &Host, capacity: usize, password: &str) -> Client {
    let config = ClientConfig::new(Address::Other("pipe".into())).password(password).expect("a password");
    let platform = InProcess { tokio: Tokio::new(), host: host.clone(), capacity };
    let (client, driver) = spice_client::connect(platform, config);
    tokio::spawn(driver);
    client
}

/// The messages of display 0 up to its mark.
async fn drawing(client: &mut Client) -> Vec<ServerMessage> {
    let mut seen = Vec::new();
    while seen.last() != Some(&ServerMessage::Mark) {
        let event = client.next().await.expect("the session goes on").expect("nothing fails");
        if let Event::Display(0, message) = event {
            seen.push(message);
        }
    }
    seen
}

#[tokio::test]
async fn a_client_sees_the_scene_through_pipes_of_any_capacity() {
    for capacity in [1 << 20, 1000, 7] {
        let mut client = connect(&host(ServerConfig::default()), capacity, "");
        assert_eq!(drawing(&mut client).await, scene().messages(0), "{capacity}");
    }
}

#[tokio::test]
async fn a_password_is_asked_for() {
    let host = host(ServerConfig::default().password("open sesame").unwrap());
    let mut client = connect(&host, 1 << 16, "open sesame");
    assert_eq!(drawing(&mut client).await.len(), scene().messages(0).len());
    let mut stranger = connect(&host, 1 << 16, "closed");
    assert!(matches!(stranger.next().await, Some(Err(ClientError::PasswordWrong))));
}

#[tokio::test]
async fn the_last_client_wins() {
    let host = host(ServerConfig::default());
    let mut first = connect(&host, 1 << 16, "");
    drawing(&mut first).await;
    let mut second = connect(&host, 1 << 16, "");
    drawing(&mut second).await;
    while let Some(event) = first.next().await {
        if let Err(error) = event {
            assert!(matches!(error, ClientError::ServerClosed), "{error}");
        }
    }
}

#[tokio::test]
async fn a_stranger_gets_an_answer_and_then_the_end() {
    let host = host(ServerConfig::default());
    let mut stream = stream(&host, 64);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: example\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!((answer.len(), &answer[..4], answer[16]), (16 + 178, &b"REDQ"[..], 2));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_says_nothing_ends_in_time() {
    let host = host(ServerConfig::default());
    let mut stream = stream(&host, 64);
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(3600), stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, []);
}

#[tokio::test]
async fn streams_are_bounded_and_a_dropped_one_makes_room() {
    let mut config = ServerConfig::default();
    config.half_open = 2;
    let host = host(config);
    let accept = || host.serve(pipe(64).1, Security::Plain);
    let (first, _second) = (accept().unwrap(), accept().unwrap());
    assert_eq!(accept().unwrap_err().limit, "half_open");
    drop(first);
    assert!(accept().is_ok());
}
