//! One open transport of a driver: what waits to be written, and reading into the session's buffer.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::io::{AsyncRead, AsyncWrite};
use spice_proto::session::{Session, TransportId};

use crate::record::{Direction, Recorder};
use crate::transport::Platform;

/// A stream with what is still to be written to it.
pub(crate) struct Open<S> {
    stream: S,
    out: VecDeque<Bytes>,
    /// Bytes of all blocks in `out`.
    backlog: usize,
    /// Bytes of the first block in `out` that have been written.
    written: usize,
    flushed: bool,
    /// How much to read at once: grows while reads come back full.
    chunk: usize,
    /// The session wants the stream closed once everything is written.
    closing: bool,
    /// Our half of the stream is closed.
    shut: bool,
    /// Writing has failed. The stream is read to its end all the same: servers say why they close, then reset.
    broken: Option<io::Error>,
}

/// How far writing has come.
pub(crate) enum Wrote {
    /// There is nothing left to write.
    All,
    /// The peer takes no more at present.
    Part,
    /// The stream is closed, as the session wanted.
    Closed,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Open<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            out: VecDeque::new(),
            backlog: 0,
            written: 0,
            flushed: true,
            chunk: FIRST_READ,
            closing: false,
            shut: false,
            broken: None,
        }
    }

    /// Queues bytes to be written.
    pub(crate) fn push(&mut self, data: Bytes) {
        if self.broken.is_none() {
            self.backlog += data.len();
            self.out.push_back(data);
            self.flushed = false;
        }
    }

    /// Lets the stream be closed once everything is written: first our half, then, when the peer has closed too, all.
    pub(crate) fn close(&mut self) {
        self.closing = true;
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Bytes that wait to be written.
    pub(crate) fn backlog(&self) -> usize {
        self.backlog.saturating_sub(self.written)
    }

    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>) -> Wrote {
        match self.try_write(cx) {
            Poll::Pending => Wrote::Part,
            Poll::Ready(Ok(wrote)) => wrote,
            // A stream that is being given up may break while its last bytes go out.
            Poll::Ready(Err(_)) if self.closing => Wrote::Closed,
            Poll::Ready(Err(error)) => {
                self.out.clear();
                (self.backlog, self.written, self.flushed) = (0, 0, true);
                self.broken = Some(error);
                Wrote::All
            }
        }
    }

    fn try_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Wrote>> {
        if self.broken.is_some() {
            return Poll::Ready(Ok(if self.closing { Wrote::Closed } else { Wrote::All }));
        }
        while let Some(block) = self.out.front() {
            let rest = block.get(self.written..).unwrap_or_default();
            if rest.is_empty() {
                self.backlog -= block.len();
                self.out.pop_front();
                self.written = 0;
                continue;
            }
            match ready!(Pin::new(&mut self.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        if !self.flushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.flushed = true;
        }
        if self.closing {
            if !self.shut {
                ready!(Pin::new(&mut self.stream).poll_close(cx))?;
                self.shut = true;
            }
            ready!(self.poll_drain(cx))?;
            return Poll::Ready(Ok(Wrote::Closed));
        }
        Poll::Ready(Ok(Wrote::All))
    }

    /// Reads what still comes, for nobody, until the peer has closed too.
    ///
    /// A TCP stream that is closed with unread bytes is reset: the server's writes fail, and it may not see what we wrote
    /// last. libspice-server 0.15.1, and QEMU 7.2 with it, dies of a display channel that is reset while it is taken in.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut unwanted = [0; FIRST_READ];
        for _ in 0..DRAINED_READS {
            if ready!(Pin::new(&mut self.stream).poll_read(cx, &mut unwanted))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        // There is more; others want their turn too.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Reads what is there, as long as the session takes it; true when anything came.
    pub(crate) fn poll_read<P: Platform>(
        &mut self,
        cx: &mut Context<'_>,
        id: TransportId,
        session: &mut Session,
        platform: &P,
        recorder: Option<&Recorder>,
    ) -> io::Result<bool> {
        if self.closing || !session.wants_input(id) {
            return Ok(false);
        }
        let chunk = self.chunk;
        let Some(buf) = session.recv_buf(id) else { return Ok(false) };
        let present = buf.len();
        // A long message makes the buffer grow by doubling, so by what has really arrived, never by what the
        // peer announced.
        buf.reserve(chunk.max(present.min(LARGEST_GROWTH)));
        buf.resize(present + chunk, 0);
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut buf[present..]);
        match read {
            Poll::Ready(Ok(count)) => {
                buf.truncate(present + count);
                if count == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                if let Some(recorder) = recorder {
                    recorder.passed(id, Direction::Received, &buf[present..], platform.now());
                }
                self.chunk = match count {
                    full if full == chunk => (chunk * 2).min(LARGEST_READ),
                    small if small < chunk / 4 => (chunk / 2).max(FIRST_READ),
                    _ => chunk,
                };
                session.handle_input(id, platform.now());
                Ok(true)
            }
            Poll::Ready(Err(error)) => {
                buf.truncate(present);
                Err(error)
            }
            Poll::Pending => {
                buf.truncate(present);
                // Nothing more comes of a stream that cannot be written to.
                self.broken.take().map_or(Ok(false), Err)
            }
        }
    }
}

/// Bytes of a stream's first read.
const FIRST_READ: usize = 4 << 10;
/// Bytes of a read at most.
const LARGEST_READ: usize = 256 << 10;
/// Reads of a stream that is being closed before the driver lets others run.
const DRAINED_READS: usize = 64;
/// Bytes by which a receive buffer grows at once at most.
const LARGEST_GROWTH: usize = 16 << 20;
