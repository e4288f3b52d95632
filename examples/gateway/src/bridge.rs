//! Moves bytes between a WebSocket and a SPICE server.
//!
//! There is no queue: a side is read only after the other one has taken what was read before. That is the bound on memory
//! and the backpressure in both directions. A connection that is idle holds no read buffer towards its server: bytes are
//! read onto the stack and copied into a message of just their size. Small messages that come in bursts are gathered for
//! some milliseconds.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::ready;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf, ReadHalf, WriteHalf};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;
use tungstenite::error::ProtocolError;

use crate::close::End;
use crate::limits::Place;
use crate::metrics::Metrics;
use crate::upstream::Io;

/// What a bridge shares with the rest of the gateway.
pub(crate) struct Bridge<'a> {
    pub(crate) place: &'a Place,
    pub(crate) metrics: &'a Metrics,
    /// For how long a session may be silent; zero is for ever.
    pub(crate) idle: Duration,
    pub(crate) stop: &'a CancellationToken,
}

impl Bridge<'_> {
    /// Runs until one side ends; tells the browser why.
    pub(crate) async fn run(&self, socket: WebSocket, upstream: Box<dyn Io>) -> End {
        let (mut sink, mut stream) = socket.split();
        let (mut reader, mut writer) = tokio::io::split(upstream);
        let epoch = Instant::now();
        let heard = AtomicU64::new(0);
        let end = tokio::select! {
            end = self.down(&mut reader, &mut sink) => end,
            end = self.up(&mut stream, &mut writer, epoch, &heard) => end,
            end = self.watch(epoch, &heard) => end,
            () = self.stop.cancelled() => End::Shutdown,
        };
        let browser = async {
            if let Ok(socket) = sink.reunite(stream) {
                farewell(socket, &end).await;
            }
        };
        let server = leave(reader, writer);
        if let End::Client = end {
            // Its answer tells the browser that the server has let go of this channel: a client closes its main channel
            // when the others are closed, and libspice-server 0.15.1 may die of a display that outlives it.
            server.await;
            browser.await;
        } else {
            tokio::join!(server, browser);
        }
        end
    }

    /// From the server to the browser; asks the browser now and then whether it is there.
    async fn down(
        &self,
        reader: &mut ReadHalf<Box<dyn Io>>,
        sink: &mut SplitSink<WebSocket, Message>,
    ) -> End {
        let mut ping = interval_at(Instant::now() + PING, PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pace = Pace::new();
        loop {
            if let Some(pause) = pace.pause() {
                // What comes meanwhile is read at once, into one message.
                tokio::time::sleep(pause).await;
            }
            let message = tokio::select! {
                read = read(reader) => match read {
                    Ok(bytes) if bytes.is_empty() => return End::Server,
                    Ok(bytes) => {
                        self.place.touch();
                        self.metrics.to_client.inc_by(bytes.len() as u64);
                        pace.read(bytes.len());
                        Message::Binary(bytes)
                    }
                    Err(_) => return End::Server,
                },
                _ = ping.tick() => Message::Ping(Bytes::new()),
            };
            if sink.send(message).await.is_err() {
                // The client may have said something before it left: `up` reads that to its end first.
                tokio::time::sleep(FAREWELL).await;
                return End::Client;
            }
        }
    }

    /// From the browser to the server.
    async fn up(
        &self,
        stream: &mut SplitStream<WebSocket>,
        writer: &mut WriteHalf<Box<dyn Io>>,
        epoch: Instant,
        heard: &AtomicU64,
    ) -> End {
        while let Some(message) = stream.next().await {
            // As long as the server takes its time with this message, nobody listens to the client.
            heard.store(u64::MAX, Ordering::Relaxed);
            match message {
                Ok(Message::Binary(bytes)) => {
                    self.place.touch();
                    self.metrics.to_server.inc_by(bytes.len() as u64);
                    if writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err() {
                        // The server may have said why before it left: `down` reads that to its end first.
                        tokio::time::sleep(FAREWELL).await;
                        return End::Server;
                    }
                }
                Ok(Message::Text(_)) => return End::NotBinary,
                Ok(Message::Close(_)) => return End::Client,
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Err(error) => return broken(error),
            }
            heard.store(epoch.elapsed().as_secs(), Ordering::Relaxed);
        }
        End::Client
    }

    /// Notices when nobody is there, or nobody does anything.
    async fn watch(&self, epoch: Instant, heard: &AtomicU64) -> End {
        let period = if self.idle.is_zero() { PING } else { PING.min(self.idle / 4) };
        let mut tick = interval_at(Instant::now() + period, period);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if !self.idle.is_zero() && self.place.idle() >= self.idle {
                return End::Idle;
            }
            if epoch.elapsed().as_secs().saturating_sub(heard.load(Ordering::Relaxed)) > GONE.as_secs() {
                return End::ClientGone;
            }
        }
    }
}

/// Ends the direction to the server and reads, for nobody, until the server ends the other. A connection that is closed
/// with unread bytes is reset, the server's writes fail, and it may not see what the client sent last; libspice-server
/// 0.15.1 dies of a display channel that is reset while it is taken in.
async fn leave(mut reader: ReadHalf<Box<dyn Io>>, mut writer: WriteHalf<Box<dyn Io>>) {
    let _ = timeout(FAREWELL, async {
        if writer.shutdown().await.is_ok() {
            while read(&mut reader).await.is_ok_and(|bytes| !bytes.is_empty()) {}
        }
    })
    .await;
}

/// A server writes each of its small messages by itself, sometimes thousands in a second. Each would be an event of its own
/// in the browser, which costs it more than the message: in a burst they are gathered for a moment.
struct Pace {
    /// When the present window began, and how many small reads it has seen.
    began: Instant,
    small: u32,
    gathers: bool,
    /// Whether the last read was of many bytes: who sends a lot at once waits for nothing.
    large: bool,
}

impl Pace {
    fn new() -> Self {
        Self { began: Instant::now(), small: 0, gathers: false, large: false }
    }

    /// Takes in how much was read.
    fn read(&mut self, bytes: usize) {
        let age = self.began.elapsed();
        let window = if self.gathers { GATHERED } else { BURST };
        if age > window {
            self.gathers &= age < 2 * window && self.small >= GATHERED_READS;
            (self.began, self.small) = (Instant::now(), 0);
        }
        self.large = bytes >= READ / 2;
        self.small += u32::from(!self.large);
        self.gathers |= self.small > BURST_MESSAGES;
    }

    /// How long to leave what comes where it is.
    fn pause(&self) -> Option<Duration> {
        (self.gathers && !self.large).then_some(GATHER)
    }
}

/// Tells the browser why, and lets it read that before the connection is cut.
pub(crate) async fn farewell(mut socket: WebSocket, end: &End) {
    let _ = timeout(FAREWELL, async {
        // A browser that has begun to close takes no other message; reading sends it the answer that it waits for.
        let _ = socket.send(end.message()).await;
        while let Some(Ok(message)) = socket.recv().await {
            if let Message::Close(_) = message {
                break;
            }
        }
    })
    .await;
}

/// Reads what there is; empty at the end. Nothing is lost when the future is dropped.
async fn read(reader: &mut ReadHalf<Box<dyn Io>>) -> io::Result<Bytes> {
    poll_fn(|cx| {
        let mut scratch = [MaybeUninit::uninit(); READ];
        let mut buf = ReadBuf::uninit(&mut scratch);
        ready!(Pin::new(&mut *reader).poll_read(cx, &mut buf))?;
        Ok(Bytes::copy_from_slice(buf.filled())).into()
    })
    .await
}

/// Whether the client broke the rules or just went away.
fn broken(error: axum::Error) -> End {
    match error.into_inner().downcast_ref() {
        Some(tungstenite::Error::Capacity(_)) => End::TooLong,
        Some(tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => End::Client,
        Some(tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_)) => End::Protocol,
        _ => End::Client,
    }
}

/// More small messages than this within [`BURST`] are a burst: answers to keys and the steps of a handshake are not.
const BURST_MESSAGES: u32 = 6;
const BURST: Duration = Duration::from_millis(20);
/// How long the messages of a burst are gathered: some times in each frame that a browser shows.
const GATHER: Duration = Duration::from_millis(8);
/// A burst goes on as long as there is something to read so often in such a time.
const GATHERED_READS: u32 = 4;
const GATHERED: Duration = Duration::from_millis(40);
/// Bytes from a server in one message at most.
const READ: usize = 32 << 10;
/// How often a browser is asked whether it is there. Proxies cut connections that are silent for a minute.
const PING: Duration = Duration::from_secs(25);
/// After how long a silent browser counts as gone.
const GONE: Duration = Duration::from_secs(90);
/// How long the last words may take in each direction.
const FAREWELL: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `count` messages of `bytes`, one every `step` milliseconds, and returns for how many it paused.
    async fn pauses(pace: &mut Pace, count: u32, bytes: usize, step: u64) -> u32 {
        let mut paused = 0;
        for _ in 0..count {
            tokio::time::advance(Duration::from_millis(step)).await;
            if let Some(pause) = pace.pause() {
                tokio::time::advance(pause).await;
                paused += 1;
            }
            pace.read(bytes);
        }
        paused
    }

    #[tokio::test(start_paused = true)]
    async fn only_bursts_of_small_messages_are_gathered() {
        let mut pace = Pace::new();
        assert_eq!(pauses(&mut pace, 100, 200, 5).await, 0, "answers, one at a time");
        assert_eq!(pauses(&mut pace, 100, READ, 0).await, 0, "a large picture");
        assert_eq!(pauses(&mut pace, 6, 200, 0).await, 0, "a handshake");
        let paused = pauses(&mut pace, 200, 200, 1).await;
        assert!(paused > 190, "a burst: {paused}");
        let paused = pauses(&mut pace, 20, 200, 15).await;
        assert!(paused < 5, "calm again: {paused}");
        assert_eq!(pauses(&mut pace, 10, 200, 15).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_film_among_small_messages_interrupts_no_burst() {
        let mut pace = Pace::new();
        pauses(&mut pace, 20, 200, 1).await;
        assert!(pace.pause().is_some());
        pace.read(READ);
        assert_eq!(pace.pause(), None, "the picture itself waits for nothing");
        pace.read(200);
        assert!(pace.pause().is_some());
    }
}
