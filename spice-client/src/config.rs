//! What a client is told before it connects.

use std::str::FromStr;
use std::time::Duration;

#[cfg(feature = "canvas")]
use spice_proto::caps::DisplayCaps;
#[cfg(feature = "canvas")]
use spice_proto::channel::display::DisplayConfig;
use spice_proto::link::PasswordError;
use spice_proto::session::{Address, SessionConfig};

#[cfg(feature = "canvas")]
use crate::canvas::{CacheConfig, SharedCaches};
use crate::error::AddressError;
use crate::record::Recorder;
use crate::uri;
use crate::video::ScheduleLimits;

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
    /// How many frames of videos may wait for their time, on all displays together; see [`Schedule`](crate::video::Schedule).
    /// With [`ScheduleLimits::NOTHING`] they come as they arrive, and so they do with `None`, the default, but in a
    /// `console::Console`.
    pub schedule: Option<ScheduleLimits>,
    /// Where the session's bytes are written to, if anywhere; see [`record`](crate::record).
    pub recorder: Option<Recorder>,
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

    /// Announces image caches of these sizes to the server.
    ///
    /// The canvases of the session must draw with caches of the same sizes: [`shared_caches`](Self::shared_caches).
    #[cfg(feature = "canvas")]
    #[must_use]
    pub fn caches(mut self, caches: CacheConfig) -> Self {
        self.session.display.pixmap_cache = i64::try_from(caches.pixmap_pixels).unwrap_or(i64::MAX);
        self.session.display.glz_window = i32::try_from(caches.glz_pixels).unwrap_or(i32::MAX);
        self
    }

    /// Empty caches of the sizes that this client announces, for all canvases of one session.
    #[cfg(feature = "canvas")]
    pub fn shared_caches(&self) -> SharedCaches {
        let display = &self.session.display;
        let pixmap_pixels = u64::try_from(display.pixmap_cache).unwrap_or(0);
        let glz_pixels = u64::try_from(display.glz_window).unwrap_or(0);
        SharedCaches::new(CacheConfig::new(pixmap_pixels, glz_pixels))
    }

    /// Writes everything that the session sends and receives to `recorder`, without what must stay secret.
    #[must_use]
    pub fn record(mut self, recorder: Recorder) -> Self {
        self.recorder = Some(recorder);
        self
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
        let config = Self {
            session,
            connect_timeout: Duration::from_secs(10),
            queued_events: 64,
            queued_bytes: 64 << 20,
            schedule: None,
            recorder: None,
            agent: Some(spice_agent_proto::ClientConfig::default()),
        };
        #[cfg(feature = "canvas")]
        let config = config.caches(CacheConfig::default());
        config
    }
}

impl FromStr for ClientConfig {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        uri::parse(text).map(Self::from)
    }
}

/// What the canvas can draw and decode. The server chooses the compression.
#[cfg(feature = "canvas")]
fn drawable() -> DisplayConfig {
    let mut config = DisplayConfig::default();
    config.caps = DisplayCaps::SIZED_STREAM
        | DisplayCaps::MONITORS_CONFIG
        | DisplayCaps::COMPOSITE
        | DisplayCaps::A8_SURFACE
        | DisplayCaps::STREAM_REPORT
        | DisplayCaps::LZ4_COMPRESSION
        | DisplayCaps::MULTI_CODEC
        | DisplayCaps::CODEC_MJPEG;
    config.compression = None;
    config
}

#[cfg(all(test, feature = "canvas"))]
mod tests {
    use spice_proto::session::Address;

    use super::*;

    #[test]
    fn the_sizes_of_caches_are_announced_and_used() {
        let config = ClientConfig::new(Address::tcp("localhost", 1)).caches(CacheConfig::new(1000, 2000));
        assert_eq!((config.session.display.pixmap_cache, config.session.display.glz_window), (1000, 2000));
        assert_eq!(config.shared_caches().config(), CacheConfig::new(1000, 2000));
        let most =
            ClientConfig::new(Address::tcp("localhost", 1)).caches(CacheConfig::new(u64::MAX, u64::MAX));
        assert_eq!(most.session.display.glz_window, i32::MAX);
    }
}
