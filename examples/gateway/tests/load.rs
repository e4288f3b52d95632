//! Many clients at once, each with a desktop of its own on which something moves.
//!
//! `cargo xtask load --clients 200 --seconds 30` runs the long form.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures::future::BoxFuture;
use futures::io::{AsyncRead, AsyncWrite};
use futures::{FutureExt, Sink, Stream, StreamExt};
use reference_server::{Host, Scene, Security, ServerConfig, Show};
use spice_client::transport::Platform;
use spice_client::transport::tokio::Tokio;
use spice_client::{ClientConfig, Event};
use spice_proto::Instant;
use spice_proto::msg::display::ServerMessage;
use spice_proto::session::{Address, Endpoint};
use spice_proto::types::ChannelId;
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::compat::TokioAsyncReadCompatExt;

use crate::harness::{Gateway, Socket, listen, request, until_in};

/// A client's way through the gateway.
struct ThroughGateway {
    tokio: Tokio,
    url: String,
    gateway: std::net::SocketAddr,
}

impl Platform for ThroughGateway {
    type Stream = Bytewise;
    type Connect = BoxFuture<'static, io::Result<Bytewise>>;
    type Sleep = <Tokio as Platform>::Sleep;

    fn connect(&mut self, _: &Endpoint, _: ChannelId) -> Self::Connect {
        let (request, gateway) = (request(&self.url, &[]), self.gateway);
        async move {
            let stream = tokio::net::TcpStream::connect(gateway).await?;
            stream.set_nodelay(true)?;
            let socket = tokio_tungstenite::client_async(request, stream).await.map_err(io::Error::other)?.0;
            Ok(Bytewise { socket, rest: Bytes::new() })
        }
        .boxed()
    }

    fn sleep(&mut self, duration: Duration) -> Self::Sleep {
        self.tokio.sleep(duration)
    }

    fn now(&self) -> Instant {
        self.tokio.now()
    }

    fn entropy(&mut self) -> io::Result<[u8; 32]> {
        self.tokio.entropy()
    }
}

/// A WebSocket as a byte stream.
struct Bytewise {
    socket: Socket,
    rest: Bytes,
}

impl AsyncRead for Bytewise {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        while self.rest.is_empty() {
            match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
                Some(Ok(Message::Binary(bytes))) => self.rest = bytes,
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(Ok(0)),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
            }
        }
        let count = buf.len().min(self.rest.len());
        buf[..count].copy_from_slice(&self.rest[..count]);
        self.rest.advance(count);
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for Bytewise {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.socket).poll_ready(cx)).map_err(io::Error::other)?;
        let message = Message::Binary(Bytes::copy_from_slice(buf));
        Pin::new(&mut self.socket).start_send(message).map_err(io::Error::other)?;
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx).map_err(io::Error::other)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(cx).map_err(io::Error::other)
    }
}

/// What one client has seen.
#[derive(Default)]
struct Seen {
    messages: AtomicU64,
    failures: AtomicU64,
    marks: AtomicU64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_dropped() {
    let number = |name: &str, default: u64| {
        std::env::var(name).ok().map_or(default, |value| value.parse().expect("a number"))
    };
    let clients = number("GATEWAY_LOAD_CLIENTS", 12);
    let seconds = number("GATEWAY_LOAD_SECONDS", 2);
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let gateway = Gateway::start(&["--allow", "127.0.0.1:1-65535", "--max-per-client", "100000"]);
    let empty = gateway.metric("process_resident_memory_bytes");
    let seen: Vec<Arc<Seen>> = (0..clients).map(|_| Arc::default()).collect();
    // Handshakes cost the servers a key each; a crowd at the door would only measure that.
    let door = Arc::new(Semaphore::new(4));
    let mut tasks = tokio::task::JoinSet::new();
    for seen in &seen {
        tasks.spawn(client(gateway.address, Arc::clone(seen), Arc::clone(&door)));
    }
    let patience = Duration::from_secs(60 + clients);
    until_in("every client's first picture", patience, || {
        assert_eq!(failures(&seen), 0, "a client was dropped");
        seen.iter().all(|seen| seen.marks.load(Ordering::Relaxed) > 0)
    })
    .await;
    let sockets = gateway.metric("gateway_connections");
    let before = messages(&seen);
    let (cpu, bytes) =
        (gateway.cpu_ticks(), gateway.metric("gateway_transferred_bytes_total{to=\"client\"}"));
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    // Slow machines get the time they need to show that every desktop moves.
    until_in("news for every client", patience, || {
        let now = messages(&seen);
        before.iter().zip(&now).all(|(before, now)| now >= &(before + seconds))
    })
    .await;
    let memory = gateway.metric("process_resident_memory_bytes");
    let updates: u64 = messages(&seen).iter().sum::<u64>() - before.iter().sum::<u64>();
    let bytes = gateway.metric("gateway_transferred_bytes_total{to=\"client\"}") - bytes;
    println!(
        "{clients} clients, {sockets} WebSockets, {seconds} s: {updates} display messages, {bytes} bytes; \
         memory {} KiB empty, {} KiB with all: {} KiB per client, {} KiB per WebSocket; {} ticks of CPU",
        empty >> 10,
        memory >> 10,
        (memory.saturating_sub(empty) / clients) >> 10,
        (memory.saturating_sub(empty) / sockets.max(1)) >> 10,
        gateway.cpu_ticks() - cpu,
    );
    assert_eq!(failures(&seen), 0, "a client was dropped");
    assert_eq!(gateway.metric("gateway_connections"), sockets, "a channel was dropped");
    assert_eq!(gateway.metric("gateway_opened_total"), sockets, "a channel was opened twice");
    // Generous: a WebSocket takes about a third of this.
    assert!(memory.saturating_sub(empty) / sockets.max(1) < 64 << 10, "{memory} bytes for {sockets}");
    // They go before their gateway, else each would say that it was dropped.
    tasks.shutdown().await;
}

/// One server, and one client of it; neither ends by itself.
async fn client(gateway: std::net::SocketAddr, seen: Arc<Seen>, door: Arc<Semaphore>) {
    let mut config = ServerConfig::default().show(Show::Scene(Scene::new(320, 200)));
    config.animation = Some(Duration::from_millis(250));
    let host = Host::new(config).expect("a host");
    let (listener, port) = listen().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(serving) = host.serve(stream.compat(), Security::Plain) {
                tokio::spawn(serving);
            }
        }
    });
    let permit = door.acquire().await.expect("a door");
    let url = format!("ws://{gateway}/spice?host=127.0.0.1&port={port}");
    let platform = ThroughGateway { tokio: Tokio::new(), url, gateway };
    let config = ClientConfig::new(Address::Other("gateway".into()));
    let (mut client, driver) = spice_client::connect(platform, config);
    tokio::spawn(driver);
    let mut permit = Some(permit);
    while let Some(event) = client.next().await {
        match event {
            Ok(Event::Display(_, message)) => {
                seen.messages.fetch_add(1, Ordering::Relaxed);
                if message == ServerMessage::Mark {
                    seen.marks.fetch_add(1, Ordering::Relaxed);
                    permit.take();
                }
            }
            Ok(_) => {}
            Err(error) => {
                eprintln!("{error}");
                break;
            }
        }
    }
    seen.failures.fetch_add(1, Ordering::Relaxed);
}

fn messages(seen: &[Arc<Seen>]) -> Vec<u64> {
    seen.iter().map(|seen| seen.messages.load(Ordering::Relaxed)).collect()
}

fn failures(seen: &[Arc<Seen>]) -> u64 {
    seen.iter().map(|seen| seen.failures.load(Ordering::Relaxed)).sum()
}
