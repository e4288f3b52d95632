//! One byte stream of a server.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::channel::oneshot;
use futures::io::{AsyncRead, AsyncWrite};
use spice_proto::Instant;
use spice_proto::link::{Entropy, TicketKey};
use spice_proto::testing::server::{ConnectionId, ServerOutput};

use crate::host::{Shared, Sleep};
use crate::keys;

/// Moves bytes between a stream and the server until the connection ends.
#[must_use = "a stream is served only while its future is polled"]
pub struct Serving<S> {
    shared: Arc<Shared>,
    id: ConnectionId,
    stream: S,
    out: Vec<u8>,
    written: usize,
    flushed: bool,
    phase: Phase,
    key: Option<oneshot::Receiver<TicketKey>>,
    timer: Option<(Instant, Sleep)>,
    scratch: Box<[u8]>,
}

enum Phase {
    Open,
    /// The server has nothing more to say; what is queued goes out, and then the end of the stream.
    Closing(Sleep),
    /// Everything is said. Bytes that the client still sends are read for a while and dropped: closing over them
    /// would take the last words away from the client.
    Lingering(Sleep),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Serving<S> {
    pub(crate) fn new(shared: Arc<Shared>, id: ConnectionId, stream: S) -> Self {
        Self {
            shared,
            id,
            stream,
            out: Vec::new(),
            written: 0,
            flushed: true,
            phase: Phase::Open,
            key: None,
            timer: None,
            scratch: vec![0; READ].into(),
        }
    }

    /// The number that events name the connection by.
    pub fn connection(&self) -> ConnectionId {
        self.id
    }

    fn poll_key(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        if self.key.is_none() && self.shared.lock().key_wanted.remove(&self.id) {
            self.key = Some(self.shared.keys.order());
        }
        let Some(order) = &mut self.key else { return Ok(false) };
        let Poll::Ready(key) = Pin::new(order).poll(cx) else { return Ok(false) };
        self.key = None;
        let key = key.map_err(|_| io::Error::other("no ticket key could be made"))?;
        let entropy = Entropy::new(keys::entropy()?);
        let id = self.id;
        self.shared.with(|server, now| server.key(id, key, entropy, now));
        Ok(true)
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.shared.lock().server.poll_timeout() else {
            self.timer = None;
            return false;
        };
        if self.timer.as_ref().is_none_or(|(at, _)| *at != deadline) {
            let wait = deadline.saturating_since(self.shared.now());
            self.timer = Some((deadline, (self.shared.sleep)(wait)));
        }
        let Some((_, sleep)) = &mut self.timer else { return false };
        let due = sleep.as_mut().poll(cx).is_ready();
        if due {
            self.timer = None;
            self.shared.with(|server, now| server.handle_timeout(now.max(deadline)));
        }
        due
    }

    /// Writes what there is; ready when the stream is closed or given up.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
                match ready!(Pin::new(&mut self.stream).poll_write(cx, rest))? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    count => self.written += count,
                }
                self.flushed = false;
            }
            self.out.clear();
            self.written = 0;
            if let Phase::Open = self.phase {
                let (next, is_known) = {
                    let server = &mut self.shared.lock().server;
                    (server.poll_io(self.id), server.knows(self.id))
                };
                match next {
                    Some(ServerOutput::Transmit { data, .. }) => {
                        self.out.extend_from_slice(&data);
                        continue;
                    }
                    None if is_known => {}
                    _ => self.phase = Phase::Closing((self.shared.sleep)(LINGER)),
                }
            }
            if !self.flushed {
                ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
                self.flushed = true;
            }
            if let Phase::Closing(_) = self.phase {
                ready!(Pin::new(&mut self.stream).poll_close(cx))?;
                self.phase = Phase::Lingering((self.shared.sleep)(LINGER));
            }
            return Poll::Pending;
        }
    }

    /// Reads what there is, as long as the server takes it; true when anything came, an error at the end.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let is_open = matches!(self.phase, Phase::Open);
        if is_open && !self.shared.lock().server.wants_input(self.id) {
            return Ok(false);
        }
        let count = match Pin::new(&mut self.stream).poll_read(cx, &mut self.scratch) {
            Poll::Pending => return Ok(false),
            Poll::Ready(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Poll::Ready(count) => count?,
        };
        if is_open {
            let (id, bytes) = (self.id, self.scratch.get(..count).unwrap_or_default());
            self.shared.with(|server, now| {
                if let Some(buf) = server.recv_buf(id) {
                    buf.extend_from_slice(bytes);
                }
                server.handle_input(id, now);
            });
        }
        Ok(true)
    }

    fn poll_all(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.lock().wakers.insert(self.id, cx.waker().clone());
        for _ in 0..ROUNDS {
            if let Phase::Closing(sleep) | Phase::Lingering(sleep) = &mut self.phase
                && sleep.as_mut().poll(cx).is_ready()
            {
                return Poll::Ready(Ok(()));
            }
            let mut progress = self.poll_key(cx)?;
            progress |= self.poll_timer(cx);
            if let Poll::Ready(end) = self.poll_write(cx) {
                return Poll::Ready(end);
            }
            progress |= self.poll_read(cx)?;
            if !progress {
                // Its own actions may have woken and so forgotten this very task.
                self.shared.lock().wakers.insert(self.id, cx.waker().clone());
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Serving<S> {
    /// An error of the stream. Its end on the client's side is none, in whatever way clients leave.
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(self.get_mut().poll_all(cx)) {
            Err(error) if is_end(&error) => Poll::Ready(Ok(())),
            end => Poll::Ready(end),
        }
    }
}

fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}

impl<S> Drop for Serving<S> {
    fn drop(&mut self) {
        let id = self.id;
        self.shared.with(|server, now| server.closed(id, now));
        let mut state = self.shared.lock();
        state.streams = state.streams.saturating_sub(1);
        state.wakers.remove(&id);
        state.key_wanted.remove(&id);
    }
}

impl<S> fmt::Debug for Serving<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving").field("connection", &self.id).finish_non_exhaustive()
    }
}

/// Bytes read at once.
const READ: usize = 16 << 10;
/// Turns before other tasks get theirs.
const ROUNDS: usize = 32;
/// How long a client may take to read the last words.
const LINGER: Duration = Duration::from_secs(2);
