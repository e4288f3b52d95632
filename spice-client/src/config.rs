//! What a client is told before it connects.

use std::str::FromStr;
use std::time::Duration;

use spice_proto::link::PasswordError;
use spice_proto::session::{Address, SessionConfig};

use crate::error::AddressError;
use crate::uri;

/// Where and how to connect. Parses from a `spice://` address.
///
/// ```
/// use spice_client::ClientConfig;
/// let config: ClientConfig = "spice://127.0.0.1:5930".parse().unwrap();
/// let config = config.password("sesame").unwrap();
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientConfig {
    /// Everything that concerns the protocol.
    pub session: SessionConfig,
    /// Longest time for one transport to come up. 10 s by default.
    pub connect_timeout: Duration,
    /// Events that wait for the application before the server is slowed down. 64 by default.
    pub queued_events: usize,
    /// Bytes of messages whose events wait for the application before the server is slowed down. 64 MiB by default;
    /// one message may be longer.
    pub queued_bytes: usize,
    /// What the agent inside the guest is told, and every bound on what it may make this client hold. With `None` the
    /// client does not talk to the agent, whose messages then come as they are, in [`Event::Main`](crate::Event::Main).
    /// An agent takes every client that talks to it for a new one and forgets the clipboard of the last.
    pub agent: Option<spice_agent_proto::ClientConfig>,
}

impl ClientConfig {
    /// A client of the server at `address`, without a password.
    pub fn new(address: Address) -> Self {
        SessionConfig::new(address).into()
    }

    /// Connects with a password.
    ///
    /// # Errors
    /// [`PasswordError`] when no server could take it.
    pub fn password(mut self, password: &str) -> Result<Self, PasswordError> {
        self.session = self.session.password(password)?;
        Ok(self)
    }
}

impl From<SessionConfig> for ClientConfig {
    /// A client whose display channels announce what the canvas can draw, if it is built in; otherwise what the
    /// session's own configuration says.
    fn from(session: SessionConfig) -> Self {
        #[cfg(feature = "canvas")]
        let session = session.display(drawable());
        Self {
            session,
            connect_timeout: Duration::from_secs(10),
            queued_events: 64,
            queued_bytes: 64 << 20,
            agent: Some(spice_agent_proto::ClientConfig::default()),
        }
    }
}

impl FromStr for ClientConfig {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        uri::parse(text).map(Self::from)
    }
}

/// What the canvas can draw and decode, with the sizes of its caches. The server chooses the compression.
#[cfg(feature = "canvas")]
fn drawable() -> spice_proto::channel::display::DisplayConfig {
    use spice_proto::caps::DisplayCaps;

    let caches = crate::canvas::CacheConfig::default();
    let mut config = spice_proto::channel::display::DisplayConfig::default();
    config.caps = DisplayCaps::MONITORS_CONFIG
        | DisplayCaps::COMPOSITE
        | DisplayCaps::A8_SURFACE
        | DisplayCaps::LZ4_COMPRESSION;
    config.pixmap_cache = i64::try_from(caches.pixmap_pixels).unwrap_or(i64::MAX);
    config.glz_window = i32::try_from(caches.glz_pixels).unwrap_or(i32::MAX);
    config.compression = None;
    config
}
