//! What all streams of a server share.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use futures::io::{AsyncRead, AsyncWrite};
use spice_proto::session::Security;
use spice_proto::testing::server::{ConnectionId, Server, ServerConfig, ServerEvent};
use spice_proto::{Instant, LimitExceeded};

use crate::keys::{self, KeyMaker};
use crate::serving::Serving;

/// A wait.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A server whose byte streams are served by futures. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Host {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    state: Mutex<State>,
    pub(crate) keys: KeyMaker,
    pub(crate) sleep: Box<dyn Fn(Duration) -> Sleep + Send + Sync>,
    watch: Box<dyn Fn(&ServerEvent) + Send + Sync>,
    epoch: std::time::Instant,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) server: Server,
    pub(crate) wakers: HashMap<ConnectionId, Waker>,
    /// Streams that are served, those included whose connections the server has done with.
    pub(crate) streams: usize,
    /// Connections whose clients wait for a key.
    pub(crate) key_wanted: HashSet<ConnectionId>,
}

impl Host {
    /// A server that runs on tokio and tells nobody what happens.
    ///
    /// # Errors
    /// When the system gives no randomness or no thread for making keys.
    pub fn new(config: ServerConfig) -> io::Result<Self> {
        Self::with(config, |duration| Box::pin(tokio::time::sleep(duration)), |_| {})
    }

    /// A server on any runtime: `sleep` waits, and `watch` is told what happens.
    ///
    /// # Errors
    /// As [`Host::new`].
    pub fn with(
        config: ServerConfig,
        sleep: impl Fn(Duration) -> Sleep + Send + Sync + 'static,
        watch: impl Fn(&ServerEvent) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let server = Server::new(config, keys::entropy()?);
        Ok(Self {
            shared: Arc::new(Shared {
                state: Mutex::new(State {
                    server,
                    wakers: HashMap::new(),
                    streams: 0,
                    key_wanted: HashSet::new(),
                }),
                keys: KeyMaker::start()?,
                sleep: Box::new(sleep),
                watch: Box::new(watch),
                epoch: std::time::Instant::now(),
            }),
        })
    }

    /// Takes in a byte stream; `security` says whether it runs inside TLS. The future ends with the connection, and
    /// dropping it ends the connection.
    ///
    /// # Errors
    /// [`LimitExceeded`] when there are too many connections; the stream is dropped.
    pub fn serve<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        security: Security,
    ) -> Result<Serving<S>, LimitExceeded> {
        let id = {
            let mut state = self.shared.lock();
            if state.streams >= STREAMS {
                let (value, bound) = (STREAMS as u64 + 1, STREAMS as u64);
                return Err(LimitExceeded { limit: "streams", value, bound });
            }
            let id = state.server.accept(security, self.shared.now())?;
            state.streams += 1;
            id
        };
        Ok(Serving::new(Arc::clone(&self.shared), id, stream))
    }
}

impl Shared {
    pub(crate) fn now(&self) -> Instant {
        Instant::new(self.epoch.elapsed())
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to the server, then passes on what follows from it for others.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut Server, Instant) -> R) -> R {
        let (now, mut events) = (self.now(), Vec::new());
        let result = {
            let mut state = self.lock();
            let result = act(&mut state.server, now);
            while let Some(event) = state.server.poll_event() {
                match event {
                    ServerEvent::KeyWanted(connection) => drop(state.key_wanted.insert(connection)),
                    event => events.push(event),
                }
            }
            // One channel's message may make others speak or end.
            state.wakers.drain().for_each(|(_, waker)| waker.wake());
            result
        };
        events.iter().for_each(|event| (self.watch)(event));
        result
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("state", &self.state).finish_non_exhaustive()
    }
}

/// Streams at most: those that linger have no place in the server's own count any more.
const STREAMS: usize = 512;
