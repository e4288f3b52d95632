//! Clients and operators who do not do their part: connections that ask nothing, answers that nobody takes, logs that nobody reads.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::harness::{Folder, Gateway, closed, until_in};

#[tokio::test]
async fn a_log_that_nobody_reads_holds_nobody_up() {
    for is_open in [true, false] {
        let gateway = Gateway::start_unread(&["--max-per-client", "100000"], is_open);
        // More than any pipe holds.
        let query = format!("host={}&port=1", "a".repeat(200));
        for _ in 0..if is_open { 1500 } else { 3 } {
            let (code, _) = closed(gateway.connect(&query).await).await;
            assert_eq!(code, 4403);
        }
        let (head, _) = gateway.get("/health", "");
        assert!(head.starts_with("http/1.1 200"), "{head}");
    }
}

#[tokio::test]
async fn connections_of_one_address_leave_room_for_others() {
    let gateway = Gateway::start(&[]);
    let mut held = Vec::new();
    for _ in 0..1030 {
        held.push(tokio::net::TcpStream::connect(gateway.address).await.unwrap());
    }
    // Somebody else; all of 127.0.0.0/8 is this machine.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut stream = socket.connect(gateway.address).await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(Duration::from_secs(8), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // The one with all of them may still ask how the gateway is, and nothing else.
    let (head, _) = gateway.get("/health", "");
    assert!(head.starts_with("http/1.1 200") && head.contains("connection: close"), "{head}");
    let (head, _) = gateway.get("/", "");
    assert!(head.starts_with("http/1.1 503") && head.contains("content-security-policy"), "{head}");
    // The operator's own address takes part in no limit.
    assert_eq!(gateway.metric("gateway_connections"), 0);
    drop(held);
}

#[tokio::test]
async fn a_flood_from_everywhere_leaves_the_state_of_health() {
    let gateway = Gateway::start(&[]);
    let connect = async |client| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 1, client], 0).into()).unwrap();
        socket.connect(gateway.address).await.unwrap()
    };
    let mut held = Vec::new();
    for client in 1..=5 {
        for _ in 0..256 {
            held.push(connect(client).await);
        }
    }
    let (head, _) = gateway.get("/health", "");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    // One more client connects again and again, faster than somebody far away can ask.
    let mut far = connect(7).await;
    for _ in 0..200 {
        held.push(connect(6).await);
    }
    far.write_all(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    far.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
    // Everything else waits until there is a place.
    let page = async || {
        let mut stream = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let (answer, ()) = tokio::join!(page(), async { drop(held) });
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_given_up() {
    let folder = Folder::new("unread");
    folder.file("index.html", vec![b' '; 16 << 20]);
    let gateway = Gateway::start(&["--web", folder.0.to_str().unwrap()]);
    let mut stream = TcpStream::connect(gateway.address).unwrap();
    stream.write_all(b"GET /index.html HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    until_in("the end of the connection", Duration::from_secs(60), || !is_served(&gateway, &stream)).await;
    // What had been sent can still be read; the rest never comes.
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    assert!(bytes.len() < 16 << 20, "{}", bytes.len());
}

/// Whether the gateway still holds its end of a connection, where the system tells it as Linux does.
fn is_served(gateway: &Gateway, client: &TcpStream) -> bool {
    let port = |address: std::net::SocketAddr| format!(":{:04X}", address.port());
    let (own, other) = (port(gateway.address), port(client.local_addr().unwrap()));
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().any(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        // 01: established.
        fields.len() > 3 && fields[1].ends_with(&own) && fields[2].ends_with(&other) && fields[3] == "01"
    })
}
