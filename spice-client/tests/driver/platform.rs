//! Pipes in memory instead of sockets, with the faults that sockets have.

use std::future::{Future, Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::channel::mpsc;
use futures::io::{AsyncRead, AsyncWrite};
use spice_client::ClientConfig;
use spice_client::spice_proto::Instant;
use spice_client::spice_proto::session::{Address, Endpoint, SessionConfig};
use spice_client::spice_proto::types::ChannelId;
use spice_client::transport::Platform;
use spice_client::transport::memory::{Pipe, pipe};

/// A platform whose servers are tasks of the test: each connection is handed over as the other end of a pipe.
pub(crate) struct Memory {
    accept: mpsc::UnboundedSender<(ChannelId, Pipe)>,
    capacity: usize,
    /// Once set, the client's writes fail.
    pub(crate) deaf: Arc<AtomicBool>,
    epoch: tokio::time::Instant,
}

impl Memory {
    pub(crate) fn new(capacity: usize) -> (Self, mpsc::UnboundedReceiver<(ChannelId, Pipe)>) {
        let (accept, accepted) = mpsc::unbounded();
        let (deaf, epoch) = (Arc::default(), tokio::time::Instant::now());
        (Self { accept, capacity, deaf, epoch }, accepted)
    }
}

impl Platform for Memory {
    type Stream = Stream;
    type Connect = Ready<io::Result<Stream>>;
    type Sleep = Pin<Box<tokio::time::Sleep>>;

    fn connect(&mut self, _: &Endpoint, channel: ChannelId) -> Self::Connect {
        let (ours, theirs) = pipe(self.capacity);
        ready(match self.accept.unbounded_send((channel, theirs)) {
            Ok(()) => Ok(Stream { pipe: ours, deaf: Arc::clone(&self.deaf) }),
            Err(_) => Err(io::ErrorKind::ConnectionRefused.into()),
        })
    }

    fn sleep(&mut self, duration: Duration) -> Self::Sleep {
        Box::pin(tokio::time::sleep(duration))
    }

    fn now(&self) -> Instant {
        Instant::new(self.epoch.elapsed())
    }

    fn entropy(&mut self) -> io::Result<[u8; 32]> {
        Ok([3; 32])
    }
}

/// The client's end of a pipe.
pub(crate) struct Stream {
    pipe: Pipe,
    deaf: Arc<AtomicBool>,
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.pipe).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.deaf.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.pipe).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_close(cx)
    }
}

/// A platform whose connections never come up.
pub(crate) struct Nowhere;

impl Platform for Nowhere {
    type Stream = Pipe;
    type Connect = futures::future::Pending<io::Result<Pipe>>;
    type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn connect(&mut self, _: &Endpoint, _: ChannelId) -> Self::Connect {
        futures::future::pending()
    }

    fn sleep(&mut self, duration: Duration) -> Self::Sleep {
        Box::pin(tokio::time::sleep(duration))
    }

    fn now(&self) -> Instant {
        Instant::ZERO
    }

    fn entropy(&mut self) -> io::Result<[u8; 32]> {
        Ok([3; 32])
    }
}

pub(crate) fn config() -> ClientConfig {
    SessionConfig::new(Address::tcp("localhost", 5930)).into()
}
