//! Bytes in both directions, and the ends of connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::harness::{Folder, Gateway, closed, drain, listen, noise, send, until};

/// How a browser closes.
fn leaving() -> CloseFrame {
    CloseFrame { code: CloseCode::Normal, reason: "".into() }
}

/// Bytes that the kernel's buffers and ours may hold on the way when the receiver does not read.
const UNDER_WAY: usize = 24 << 20;

#[tokio::test]
async fn bytes_arrive_as_they_were_sent() {
    let (gateway, (listener, port)) = (Gateway::open(), listen().await);
    let echo = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        tokio::io::copy(&mut reader, &mut writer).await.unwrap()
    });
    let (mut sink, mut stream) = gateway.connect_to(port).await.split();
    let data = noise(8 << 20);
    let sent = data.clone();
    let sender = tokio::spawn(async move {
        // Lengths around the borders of WebSocket's length fields and of the gateway's buffers.
        let mut rest = &sent[..];
        for length in [1, 125, 126, 8191, 8192, 8193, 65_535, 65_536, 1 << 20].into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (part, others) = rest.split_at(length.min(rest.len()));
            sink.send(Message::Binary(part.to_vec().into())).await.unwrap();
            rest = others;
        }
        sink
    });
    let mut got = Vec::new();
    while got.len() < data.len() {
        if let Message::Binary(part) = stream.next().await.unwrap().unwrap() {
            got.extend_from_slice(&part);
        }
    }
    assert!(got == data);
    drop((sender.await.unwrap(), stream));
    assert_eq!(echo.await.unwrap(), data.len() as u64);
    until("the end in the metrics", || gateway.metric("gateway_ended_total{reason=\"client\"}") == 1).await;
    assert_eq!(gateway.metric("gateway_transferred_bytes_total{to=\"server\"}"), data.len() as u64);
    assert_eq!(gateway.metric("gateway_transferred_bytes_total{to=\"client\"}"), data.len() as u64);
    assert_eq!(gateway.metric("gateway_connections"), 0);
}

#[tokio::test]
async fn the_last_words_of_a_server_arrive_before_the_end() {
    let (gateway, (listener, port)) = (Gateway::open(), listen().await);
    let words = noise(300_000);
    let said = words.clone();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(&said).await.unwrap();
    });
    let (bytes, code, reason) = drain(&mut gateway.connect_to(port).await).await;
    assert!(bytes == words);
    assert_eq!((code, reason.as_str()), (1000, "The machine closed the connection."));
}

#[tokio::test]
async fn the_last_words_of_a_client_arrive_before_the_end() {
    let (gateway, (listener, port)) = (Gateway::open(), listen().await);
    let mut socket = gateway.connect_to(port).await;
    send(&mut socket, b"good").await;
    send(&mut socket, b"bye").await;
    socket.close(None).await.unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"goodbye");
}

#[tokio::test]
async fn the_last_words_of_a_client_arrive_at_a_server_that_is_talking() {
    let (gateway, (listener, port)) = (Gateway::open(), listen().await);
    let mut socket = gateway.connect_to(port).await;
    let (mut stream, _) = listener.accept().await.unwrap();
    // More than can be under way: a connection closed with unread bytes is reset, and neither writing nor reading works.
    let talk = vec![7; UNDER_WAY];
    let (mut reader, mut writer) = stream.split();
    send(&mut socket, b"goodbye").await;
    let (talked, ()) = tokio::join!(writer.write_all(&talk), async { drop(socket) });
    talked.unwrap();
    let mut heard = Vec::new();
    reader.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"goodbye");
}

#[tokio::test]
async fn a_browser_that_closes_hears_when_the_server_has_closed() {
    let (gateway, (listener, port)) = (Gateway::open(), listen().await);
    let mut socket = gateway.connect_to(port).await;
    let (mut stream, _) = listener.accept().await.unwrap();
    let server_closed = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&server_closed);
    let server = tokio::spawn(async move {
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
        // An answer that did not wait for this would have long arrived.
        tokio::time::sleep(Duration::from_millis(300)).await;
        flag.store(true, Ordering::SeqCst);
    });
    socket.close(Some(leaving())).await.unwrap();
    let (_, code, _) = drain(&mut socket).await;
    assert!(server_closed.load(Ordering::SeqCst), "the browser heard first");
    assert_eq!(code, 1000);
    server.await.unwrap();
}

#[tokio::test]
async fn a_browser_that_closes_does_not_wait_for_ever() {
    let (gateway, (listener, port)) = (Gateway::open(), listen().await);
    let mut socket = gateway.connect_to(port).await;
    let (stream, _) = listener.accept().await.unwrap();
    socket.close(Some(leaving())).await.unwrap();
    // The server keeps its side open.
    let (_, code, _) = drain(&mut socket).await;
    assert_eq!(code, 1000);
    drop(stream);
}

#[tokio::test]
async fn a_browser_that_does_not_read_stops_its_server() {
    let (gateway, (listener, port)) = (Gateway::open(), listen().await);
    let socket = gateway.connect_to(port).await;
    let (mut stream, _) = listener.accept().await.unwrap();
    let before = gateway.metric("process_resident_memory_bytes");
    let block = vec![7; 64 << 10];
    let mut sent = 0;
    while let Ok(written) = tokio::time::timeout(Duration::from_secs(1), stream.write(&block)).await {
        sent += written.unwrap();
        assert!(sent < UNDER_WAY, "{sent} bytes are under way");
    }
    let grown = gateway.metric("process_resident_memory_bytes").saturating_sub(before);
    println!("{sent} bytes are under way, the gateway grew by {grown}");
    assert!(grown < 2 << 20, "the gateway grew by {grown} bytes");
    drop(socket);
}

#[tokio::test]
async fn a_server_that_does_not_read_stops_its_browser() {
    let (gateway, (listener, port)) = (Gateway::open(), listen().await);
    let mut socket = gateway.connect_to(port).await;
    let (stream, _) = listener.accept().await.unwrap();
    let before = gateway.metric("process_resident_memory_bytes");
    let block = Message::Binary(vec![7; 64 << 10].into());
    let mut sent = 0;
    while tokio::time::timeout(Duration::from_secs(1), socket.send(block.clone())).await.is_ok() {
        sent += 64 << 10;
        assert!(sent < UNDER_WAY, "{sent} bytes are under way");
    }
    let grown = gateway.metric("process_resident_memory_bytes").saturating_sub(before);
    println!("{sent} bytes are under way, the gateway grew by {grown}");
    assert!(grown < 2 << 20, "the gateway grew by {grown} bytes");
    drop(stream);
}

#[tokio::test]
async fn what_is_no_binary_message_ends_the_connection() {
    let (gateway, (listener, port)) = (Gateway::open(), listen().await);
    let mut socket = gateway.connect_to(port).await;
    socket.send(Message::Text("REDQ".into())).await.unwrap();
    let (code, reason) = closed(socket).await;
    assert_eq!(code, 1003, "{reason}");
    let mut socket = gateway.connect_to(port).await;
    let _ = socket.send(Message::Binary(vec![0; (1 << 20) + 1].into())).await;
    let (code, reason) = closed(socket).await;
    assert_eq!(code, 1009, "{reason}");
    drop(listener);
}

#[tokio::test]
async fn a_session_on_which_nothing_happens_ends() {
    let gateway = Gateway::start(&["--allow", "127.0.0.1:1-65535", "--idle-timeout", "1"]);
    let (listener, port) = listen().await;
    let (quiet, mut busy) = (gateway.connect_to(port).await, gateway.connect_to(port).await);
    // The other channel of the session keeps both alive.
    for _ in 0..20 {
        send(&mut busy, b"x").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(gateway.metric("gateway_connections"), 2);
    let ((code, reason), _) = tokio::join!(closed(quiet), closed(busy));
    assert_eq!(code, 4408, "{reason}");
    drop(listener);
}

#[cfg(unix)]
#[tokio::test]
async fn a_stop_is_announced_and_told() {
    let mut gateway = Gateway::start(&["--allow", "127.0.0.1:1-65535", "--drain", "60"]);
    let (listener, port) = listen().await;
    let mut socket = gateway.connect_to(port).await;
    let (mut server, _) = listener.accept().await.unwrap();
    assert!(gateway.get("/health", "").0.starts_with("http/1.1 200"));
    gateway.terminate();
    until("draining", || gateway.get("/health", "").0.starts_with("http/1.1 503")).await;
    // Everything goes on meanwhile.
    send(&mut socket, b"still here").await;
    let mut heard = [0; 10];
    server.read_exact(&mut heard).await.unwrap();
    gateway.terminate();
    let (code, reason) = closed(socket).await;
    assert_eq!(code, 1001, "{reason}");
    assert!(gateway.wait().success());
    assert!(gateway.log().contains("stopped"));
}

#[cfg(unix)]
#[tokio::test]
async fn unix_sockets_are_reached_by_name() {
    let folder = Folder::new("unix");
    let path = folder.0.join("spice.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let gateway = Gateway::start(&["--target", &format!("desk=spice+unix://{}", path.display())]);
    let mut socket = gateway.connect("host=desk").await;
    send(&mut socket, b"hello").await;
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut heard = [0; 5];
    stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"hello");
}
