//! A server inside the worker, for those who have no machine yet: spice-proto's in-memory server behind in-process
//! pipes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::{Future, Ready, ready};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::io::{AsyncRead, AsyncWrite};
use spice_client::transport::Platform;
use spice_client::transport::memory::{Pipe, pipe};
use spice_client::transport::websocket::{Browser, Sleep};
use spice_proto::Instant;
use spice_proto::link::Entropy;
use spice_proto::session::{Endpoint, Security};
use spice_proto::testing::server::{ConnectionId, Server, ServerConfig, ServerEvent, ServerOutput};
use spice_proto::testing::ticket_key;
use spice_proto::types::ChannelId;

/// A platform whose byte streams end in a server of its own.
pub(crate) struct Demo {
    browser: Browser,
    host: Rc<Host>,
}

struct Host {
    server: RefCell<Server>,
    wakers: RefCell<HashMap<ConnectionId, Waker>>,
    browser: RefCell<Browser>,
}

impl Demo {
    pub(crate) fn new() -> io::Result<Self> {
        let mut browser = Browser::new("");
        let mut config = ServerConfig::default();
        config.name = "demo".into();
        config.animation = Some(STEP);
        let server = Server::new(config, browser.entropy()?);
        let host = Host {
            server: RefCell::new(server),
            wakers: RefCell::default(),
            browser: RefCell::new(browser.clone()),
        };
        Ok(Self { browser, host: Rc::new(host) })
    }
}

impl Platform for Demo {
    type Stream = Pipe;
    type Connect = Ready<io::Result<Pipe>>;
    type Sleep = Sleep;

    fn connect(&mut self, _: &Endpoint, _: ChannelId) -> Self::Connect {
        let (ours, theirs) = pipe(PIPE);
        let now = self.now();
        let accepted = self.host.server.borrow_mut().accept(Security::Plain, now);
        ready(accepted.map_err(io::Error::other).map(|id| {
            let host = Rc::clone(&self.host);
            let serving = Serving { host, id, stream: theirs, out: Vec::new(), written: 0, timer: None };
            wasm_bindgen_futures::spawn_local(serving);
            ours
        }))
    }

    fn sleep(&mut self, duration: Duration) -> Sleep {
        self.browser.sleep(duration)
    }

    fn now(&self) -> Instant {
        self.browser.now()
    }

    fn entropy(&mut self) -> io::Result<[u8; 32]> {
        self.browser.entropy()
    }
}

impl Host {
    /// Does something to the server, answers its wishes, and lets the other connections see what follows for them.
    fn with(&self, act: impl FnOnce(&mut Server, Instant)) {
        let now = self.browser.borrow().now();
        let mut server = self.server.borrow_mut();
        act(&mut server, now);
        while let Some(event) = server.poll_event() {
            // The key is known to everybody, and nobody can listen inside a worker.
            if let ServerEvent::KeyWanted(id) = event
                && let Ok(entropy) = self.browser.borrow_mut().entropy()
            {
                server.key(id, ticket_key(), Entropy::new(entropy), now);
            }
        }
        self.wakers.borrow_mut().drain().for_each(|(_, waker)| waker.wake());
    }
}

/// Moves bytes between a pipe and the server until the connection ends.
struct Serving {
    host: Rc<Host>,
    id: ConnectionId,
    stream: Pipe,
    out: Vec<u8>,
    written: usize,
    timer: Option<(Instant, Sleep)>,
}

impl Serving {
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
                match Pin::new(&mut self.stream).poll_write(cx, rest) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(count)) if count > 0 => self.written += count,
                    Poll::Ready(_) => return Poll::Ready(()),
                }
            }
            self.out.clear();
            self.written = 0;
            let mut server = self.host.server.borrow_mut();
            match server.poll_io(self.id) {
                Some(ServerOutput::Transmit { data, .. }) => self.out.extend_from_slice(&data),
                None if server.knows(self.id) => return Poll::Pending,
                _ => return Poll::Ready(()),
            }
        }
    }

    /// True when anything came, `None` at the end.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Option<bool> {
        if !self.host.server.borrow().wants_input(self.id) {
            return Some(false);
        }
        let mut bytes = [0; 4096];
        match Pin::new(&mut self.stream).poll_read(cx, &mut bytes) {
            Poll::Pending => Some(false),
            Poll::Ready(Ok(count)) if count > 0 => {
                let id = self.id;
                self.host.with(|server, now| {
                    if let Some(buf) = server.recv_buf(id) {
                        buf.extend_from_slice(bytes.get(..count).unwrap_or_default());
                    }
                    server.handle_input(id, now);
                });
                Some(true)
            }
            Poll::Ready(_) => None,
        }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.host.server.borrow().poll_timeout() else {
            self.timer = None;
            return false;
        };
        if self.timer.as_ref().is_none_or(|(at, _)| *at != deadline) {
            let wait = deadline.saturating_since(self.host.browser.borrow().now());
            self.timer = Some((deadline, Sleep::new(wait)));
        }
        let due = self.timer.as_mut().is_some_and(|(_, sleep)| Pin::new(sleep).poll(cx).is_ready());
        if due {
            self.timer = None;
            self.host.with(|server, now| server.handle_timeout(now.max(deadline)));
        }
        due
    }
}

impl Future for Serving {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        loop {
            let mut progress = this.poll_timer(cx);
            if this.poll_write(cx).is_ready() {
                return Poll::Ready(());
            }
            match this.poll_read(cx) {
                Some(came) => progress |= came,
                None => return Poll::Ready(()),
            }
            if !progress {
                this.host.wakers.borrow_mut().insert(this.id, cx.waker().clone());
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let id = self.id;
        self.host.wakers.borrow_mut().remove(&id);
        self.host.with(|server, now| server.closed(id, now));
    }
}

/// Bytes that wait in each direction of a pipe at most.
const PIPE: usize = 256 << 10;
/// Time from one step of the animation to the next.
const STEP: Duration = Duration::from_millis(250);
