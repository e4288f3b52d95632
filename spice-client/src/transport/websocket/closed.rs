//! Why the other end closed a WebSocket.

use std::error::Error;
use std::fmt;

/// The other end, or something on the way, has closed the WebSocket and says why. Inside the [`std::io::Error`] of the
/// stream; ends that just are ends (codes 1000, 1001, 1005 and 1006) come as the end of the stream instead, except while
/// it is coming up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The WebSocket protocol's code: 1000 to 2999 are its own, 4000 to 4999 the gateway's.
    pub code: u16,
    /// The reason as it was given, up to 123 bytes. Perhaps empty, and as trustworthy as the peer.
    pub reason: String,
}

impl Closed {
    /// Whether this is just the end of the stream.
    pub(super) fn is_end(&self) -> bool {
        matches!(self.code, 1000 | 1001 | 1005 | 1006)
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason.as_str() {
            "" => write!(f, "the WebSocket was closed with code {}", self.code),
            reason => f.write_str(reason),
        }
    }
}

impl Error for Closed {}
