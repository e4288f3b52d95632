//! Where bytes, time and randomness come from.

pub mod memory;
#[cfg(any(test, all(feature = "websocket", target_arch = "wasm32")))]
mod pace;
#[cfg(feature = "tokio")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub mod tokio;
#[cfg(all(feature = "websocket", target_arch = "wasm32"))]
#[cfg_attr(docsrs, doc(cfg(feature = "websocket")))]
pub mod websocket;

use std::future::Future;
use std::io;
use std::time::Duration;

use futures::io::{AsyncRead, AsyncWrite};
use spice_proto::Instant;
use spice_proto::session::Endpoint;
use spice_proto::types::ChannelId;

/// What a [`Driver`](crate::Driver) needs from its surroundings.
pub trait Platform: Unpin {
    /// A byte stream to a server.
    type Stream: AsyncRead + AsyncWrite + Unpin;
    /// A stream that is coming up.
    type Connect: Future<Output = io::Result<Self::Stream>> + Unpin;
    /// A wait.
    type Sleep: Future<Output = ()> + Unpin;

    /// Opens a byte stream to `endpoint` for `channel`. Waits may be as long as they like: the driver gives up
    /// after [`ClientConfig::connect_timeout`](crate::ClientConfig::connect_timeout).
    fn connect(&mut self, endpoint: &Endpoint, channel: ChannelId) -> Self::Connect;

    /// Waits for so long.
    fn sleep(&mut self, duration: Duration) -> Self::Sleep;

    /// The monotonic time since an epoch of the platform's choice.
    fn now(&self) -> Instant;

    /// 32 bytes from a cryptographic random source.
    ///
    /// # Errors
    /// When the source fails.
    fn entropy(&mut self) -> io::Result<[u8; 32]>;
}
