//! One WebSocket as a byte stream.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use futures::io::{AsyncRead, AsyncWrite};
use js_sys::{Array, ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use crate::transport::pace::Pace;
use crate::transport::websocket::platform::{Begun, clear_timeout, performance_now, set_timeout};
use crate::transport::websocket::{Closed, MESSAGE_COST, RECEIVE_QUEUE, Sleep, Traffic};

/// A WebSocket that is coming up.
#[derive(Debug)]
pub struct Connect(Option<io::Result<WebSocketStream>>);

impl Connect {
    /// Opens a WebSocket, or goes on with one that is there.
    pub(super) fn new(url: &str, traffic: &Traffic, begun: Option<Begun>) -> Self {
        Self(Some(match begun.and_then(Begun::take) {
            Some((socket, sent, received)) => Ok(WebSocketStream::resume(socket, sent, received, traffic)),
            None => WebSocketStream::new(url, traffic),
        }))
    }
}

impl Future for Connect {
    type Output = io::Result<WebSocketStream>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(Ok(stream)) = &self.0 {
            ready!(stream.poll_open(cx))?;
        }
        let finished = || io::Error::other("a finished connection attempt was polled again");
        Poll::Ready(self.0.take().unwrap_or_else(|| Err(finished())))
    }
}

/// The binary messages of a WebSocket as a byte stream. Dropping it closes the WebSocket.
pub struct WebSocketStream {
    socket: WebSocket,
    shared: Rc<RefCell<Shared>>,
    traffic: Traffic,
    /// What was sent before this stream began: its first bytes, which are not sent again.
    sent: Bytes,
    /// Until the browser has sent more of what it holds; it tells nobody when that is.
    drain: Option<Sleep>,
    _handlers: Handlers,
}

#[derive(Default)]
struct Shared {
    traffic: Traffic,
    /// Messages not yet read, and how many bytes of the first one have been.
    queue: VecDeque<Uint8Array>,
    read: usize,
    /// INVARIANT: bytes in `queue` that have not been read; counted in `traffic` too.
    waiting: usize,
    open: bool,
    end: Option<End>,
    reader: Option<Waker>,
    pace: Pace,
    /// While small messages come in a burst: the timer after which they are read.
    gathering: Option<JsValue>,
}

enum End {
    Closed(Closed),
    Failed(String),
}

impl End {
    /// As the error of a stream that is not up yet.
    fn refusal(&self) -> io::Error {
        match self {
            Self::Closed(closed) if closed.reason.is_empty() && closed.is_end() => {
                io::ErrorKind::ConnectionRefused.into()
            }
            Self::Closed(closed) => io::Error::other(closed.clone()),
            Self::Failed(why) => io::Error::other(why.clone()),
        }
    }

    /// As what a read gives once everything has been read.
    fn last_read(&self) -> io::Result<usize> {
        match self {
            Self::Closed(closed) if closed.is_end() => Ok(0),
            other => Err(other.refusal()),
        }
    }
}

/// What the browser calls; kept for as long as it may.
struct Handlers {
    _open: Closure<dyn FnMut()>,
    _gathered: Rc<Closure<dyn FnMut()>>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _close: Closure<dyn FnMut(CloseEvent)>,
}

impl Shared {
    fn wake(&mut self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }

    /// Takes a message in; `gathered` is called when those of a burst are to be read.
    fn take_in(&mut self, event: &MessageEvent, gathered: &Closure<dyn FnMut()>) {
        if self.end.is_some() {
            return;
        }
        if let Some(len) = self.keep(event.data()) {
            if self.gathering.is_some() {
                return self.pace.more(len);
            }
            if let Some(ms) = self.pace.arrived(len, performance_now()) {
                self.gathering = Some(set_timeout(gathered.as_ref().unchecked_ref(), ms));
                return;
            }
        } else if self.end.is_none() {
            return;
        }
        self.wake();
    }

    /// Keeps a message until it is read; how long it is, if it is one to be read.
    fn keep(&mut self, message: JsValue) -> Option<usize> {
        let Ok(buffer) = message.dyn_into::<ArrayBuffer>() else {
            self.fail("a text message came where bytes belong".into());
            return None;
        };
        let bytes = Uint8Array::new(&buffer);
        let len = bytes.length() as usize;
        if len == 0 {
            return None;
        }
        if !self.traffic.arrived(len) {
            self.fail(format!("more than {RECEIVE_QUEUE} bytes arrived before they could be read"));
            return None;
        }
        self.waiting += len + MESSAGE_COST;
        self.queue.push_back(bytes);
        Some(len)
    }

    /// Nobody waits for the rest of a burst any more.
    fn stop_gathering(&mut self) {
        if let Some(timer) = self.gathering.take() {
            clear_timeout(&timer);
        }
    }

    fn fail(&mut self, why: String) {
        self.forget();
        self.end = Some(End::Failed(why));
    }

    fn forget(&mut self) {
        self.traffic.taken(self.waiting);
        self.queue.clear();
        (self.read, self.waiting) = (0, 0);
    }

    /// Copies what is there.
    fn read(&mut self, buf: &mut [u8]) -> usize {
        let (mut done, mut freed) = (0, 0);
        while let (Some(first), Some(free)) = (self.queue.front(), buf.get_mut(done..)) {
            let rest = first.length() as usize - self.read;
            let count = rest.min(free.len());
            if count == 0 {
                break;
            }
            if count == first.length() as usize {
                first.copy_to(&mut free[..count]);
            } else {
                let part = first.subarray(self.read as u32, (self.read + count) as u32);
                part.copy_to(&mut free[..count]);
            }
            done += count;
            self.read += count;
            if count == rest {
                self.queue.pop_front();
                self.read = 0;
                freed += MESSAGE_COST;
            }
        }
        freed += done;
        self.waiting -= freed;
        self.traffic.taken(freed);
        done
    }
}

impl WebSocketStream {
    fn new(url: &str, traffic: &Traffic) -> io::Result<Self> {
        let socket = WebSocket::new_with_str(url, SUBPROTOCOL).map_err(|error| refused(&error))?;
        Ok(Self::over(socket, traffic))
    }

    fn resume(socket: WebSocket, sent: Bytes, received: Array, traffic: &Traffic) -> Self {
        let mut this = Self::over(socket, traffic);
        let mut shared = this.shared.borrow_mut();
        shared.open = this.socket.ready_state() == WebSocket::OPEN;
        for message in received {
            if shared.end.is_none() {
                shared.keep(message);
            }
        }
        drop(shared);
        this.traffic.add_sent(sent.len());
        this.sent = sent;
        this
    }

    fn over(socket: WebSocket, traffic: &Traffic) -> Self {
        socket.set_binary_type(BinaryType::Arraybuffer);
        let shared = Rc::new(RefCell::new(Shared { traffic: traffic.clone(), ..Shared::default() }));
        let handlers = Handlers::new(&socket, &shared);
        let sent = Bytes::new();
        Self { socket, shared, traffic: traffic.clone(), sent, drain: None, _handlers: handlers }
    }

    fn poll_open(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut shared = self.shared.borrow_mut();
        if shared.open {
            return Poll::Ready(Ok(()));
        }
        if let Some(end) = &shared.end {
            return Poll::Ready(Err(end.refusal()));
        }
        shared.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Handlers {
    fn new(socket: &WebSocket, shared: &Rc<RefCell<Shared>>) -> Self {
        let state = Rc::clone(shared);
        let open = Closure::<dyn FnMut()>::new(move || {
            let mut shared = state.borrow_mut();
            shared.open = true;
            shared.wake();
        });
        let state = Rc::clone(shared);
        let gathered = Rc::new(Closure::<dyn FnMut()>::new(move || {
            let mut shared = state.borrow_mut();
            shared.gathering = None;
            shared.wake();
        }));
        let (state, this, timer) = (Rc::clone(shared), socket.clone(), Rc::clone(&gathered));
        let message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let mut shared = state.borrow_mut();
            shared.take_in(&event, &timer);
            if shared.end.is_some() {
                // It may be closed already, which is as good.
                drop(this.close());
            }
        });
        let state = Rc::clone(shared);
        let close = Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| {
            let mut shared = state.borrow_mut();
            let closed = Closed { code: event.code(), reason: event.reason() };
            shared.stop_gathering();
            shared.end.get_or_insert(End::Closed(closed));
            shared.wake();
        });
        socket.set_onopen(Some(open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(close.as_ref().unchecked_ref()));
        Self { _open: open, _gathered: gathered, _message: message, _close: close }
    }
}

impl AsyncRead for WebSocketStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut shared = self.shared.borrow_mut();
        let count = shared.read(buf);
        if count > 0 || buf.is_empty() {
            return Poll::Ready(Ok(count));
        }
        if let Some(end) = &shared.end {
            return Poll::Ready(end.last_read());
        }
        shared.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl AsyncWrite for WebSocketStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.socket.ready_state() != WebSocket::OPEN {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let before = self.sent.len().min(buf.len());
        if before > 0 {
            if buf[..before] != self.sent.split_to(before) {
                return Poll::Ready(Err(io::Error::other(
                    "this session does not begin with what was sent before it",
                )));
            }
            return Poll::Ready(Ok(before));
        }
        while self.socket.buffered_amount() > SEND_QUEUE {
            let drain = self.drain.get_or_insert_with(|| Sleep::new(DRAIN));
            ready!(Pin::new(drain).poll(cx));
            self.drain = None;
        }
        let part = buf.get(..LARGEST_MESSAGE).unwrap_or(buf);
        self.socket.send_with_u8_array(part).map_err(|error| refused(&error))?;
        self.traffic.add_sent(part.len());
        Poll::Ready(Ok(part.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// What has been written is still sent.
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.close().map_err(|error| refused(&error))?;
        Poll::Ready(Ok(()))
    }
}

impl Drop for WebSocketStream {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        let mut shared = self.shared.borrow_mut();
        shared.stop_gathering();
        shared.forget();
        // It may be closed already.
        drop(self.socket.close());
    }
}

impl fmt::Debug for WebSocketStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketStream")
            .field("state", &self.socket.ready_state())
            .field("waiting", &self.shared.borrow().waiting)
            .finish_non_exhaustive()
    }
}

/// An exception of the browser as an error: its message, which names the cause.
fn refused(error: &JsValue) -> io::Error {
    let text = error.dyn_ref::<js_sys::Error>().and_then(|error| error.message().as_string());
    io::Error::new(
        io::ErrorKind::InvalidInput,
        text.unwrap_or_else(|| "the browser refuses this WebSocket".into()),
    )
}

/// What the WebSocket is to carry.
const SUBPROTOCOL: &str = "binary";
/// Bytes that wait inside the browser before this side waits.
const SEND_QUEUE: u32 = 1 << 20;
/// Most bytes of one message.
const LARGEST_MESSAGE: usize = 64 << 10;
/// How often to look whether the browser has sent them.
const DRAIN: Duration = Duration::from_millis(4);
