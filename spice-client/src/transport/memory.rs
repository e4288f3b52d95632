//! Pipes inside one process, of limited capacity: for tests, and for servers that live beside their client.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use futures::io::{AsyncRead, AsyncWrite};

/// Makes a pipe: what is written to one end is read from the other. At most `capacity` bytes wait in each
/// direction; a writer waits for room.
///
/// ```
/// use futures::{AsyncReadExt, AsyncWriteExt, executor::block_on};
/// let (mut a, mut b) = spice_client::transport::memory::pipe(16);
/// block_on(async {
///     a.write_all(b"hello").await.unwrap();
///     drop(a);
///     let mut text = String::new();
///     b.read_to_string(&mut text).await.unwrap();
///     assert_eq!(text, "hello");
/// });
/// ```
pub fn pipe(capacity: usize) -> (Pipe, Pipe) {
    let (there, back) = (Half::new(capacity), Half::new(capacity));
    (Pipe { read: Arc::clone(&back), write: Arc::clone(&there) }, Pipe { read: there, write: back })
}

/// One end of a pipe. Dropping it ends both directions.
#[derive(Debug)]
pub struct Pipe {
    read: Arc<Mutex<Half>>,
    write: Arc<Mutex<Half>>,
}

/// One direction.
#[derive(Debug)]
struct Half {
    bytes: VecDeque<u8>,
    capacity: usize,
    /// The writer is gone, or has said that nothing follows.
    ended: bool,
    /// The reader is gone.
    deaf: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Half {
    fn new(capacity: usize) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            bytes: VecDeque::new(),
            capacity: capacity.max(1),
            ended: false,
            deaf: false,
            reader: None,
            writer: None,
        }))
    }

    fn end(&mut self) {
        self.ended = true;
        wake(&mut self.reader);
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut half = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if half.bytes.is_empty() && !half.ended {
            half.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = io::Read::read(&mut half.bytes, buf);
        wake(&mut half.writer);
        Poll::Ready(count)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut half = self.write.lock().unwrap_or_else(PoisonError::into_inner);
        if half.deaf || half.ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = half.capacity.saturating_sub(half.bytes.len());
        if room == 0 {
            half.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = room.min(buf.len());
        half.bytes.extend(&buf[..count]);
        wake(&mut half.reader);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write.lock().unwrap_or_else(PoisonError::into_inner).end();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.write.lock().unwrap_or_else(PoisonError::into_inner).end();
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.deaf = true;
        wake(&mut read.writer);
    }
}
