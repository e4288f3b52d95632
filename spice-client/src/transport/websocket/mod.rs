//! WebSockets, timers and randomness of a browser, in a page or in a worker (wasm32 alone).
//!
//! Every channel opens a WebSocket of its own to the same URL, subprotocol `binary`. The binary messages are one byte
//! stream in each direction; where one message ends and the next begins means nothing. At the other end may be the
//! server itself (libspice-server 0.14.3 and later answers a WebSocket upgrade on its own port), websockify, or a
//! gateway.
//!
//! A browser gives no way to slow a WebSocket down. What has arrived and is not yet read is therefore bounded by
//! [`RECEIVE_QUEUE`]; the windows of acknowledged messages keep an honest server far below it.

mod closed;
mod platform;
mod stream;

use std::cell::Cell;
use std::rc::Rc;

pub use closed::Closed;
pub use platform::{Browser, Sleep};
pub use stream::{Connect, WebSocketStream};

/// Most bytes of all streams of a platform that have arrived and wait to be read: 64 MiB. A server that sends on
/// regardless loses the connection.
pub const RECEIVE_QUEUE: usize = 64 << 20;
/// Bytes that a message takes beside its own: its buffer, what wraps that, its place in the queue. A browser was measured to
/// take 330; a server that sends byte by byte must not take more than it may.
const MESSAGE_COST: usize = 512;

/// Bytes that a platform's streams have moved, of all its channels together. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    received: Rc<Cell<u64>>,
    sent: Rc<Cell<u64>>,
    /// Bytes that have arrived and are not read yet, with [`MESSAGE_COST`] for each message.
    waiting: Rc<Cell<usize>>,
}

impl Traffic {
    /// Bytes that arrived in binary messages.
    pub fn received(&self) -> u64 {
        self.received.get()
    }

    /// Bytes that were handed to the browser to be sent.
    pub fn sent(&self) -> u64 {
        self.sent.get()
    }

    /// Bytes that have arrived and wait to be read, with what the browser itself takes for each message.
    pub fn waiting(&self) -> usize {
        self.waiting.get()
    }

    /// A message has arrived; true when it may be kept.
    fn arrived(&self, bytes: usize) -> bool {
        self.received.set(self.received.get().saturating_add(bytes as u64));
        let waiting = self.waiting.get().saturating_add(bytes).saturating_add(MESSAGE_COST);
        let fits = waiting <= RECEIVE_QUEUE;
        if fits {
            self.waiting.set(waiting);
        }
        fits
    }

    /// What had arrived has been read, or nobody wants it any more.
    fn taken(&self, bytes: usize) {
        self.waiting.set(self.waiting.get().saturating_sub(bytes));
    }

    fn add_sent(&self, bytes: usize) {
        self.sent.set(self.sent.get().saturating_add(bytes as u64));
    }
}
