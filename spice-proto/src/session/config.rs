//! What a session is told before it starts.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use crate::caps::{Caps, CommonCaps, MainCaps, PlaybackCaps, RecordCaps};
use crate::channel::display::DisplayConfig;
use crate::limits::Limits;
use crate::link::{Password, PasswordError};
use crate::msg::main::MouseModes;
use crate::types::ChannelType;

/// Where to connect, as whom, and which channels to open.
///
/// ```
/// use spice_proto::session::{Address, SessionConfig};
/// let config = SessionConfig::new(Address::tcp("127.0.0.1", 5930)).password("sesame")?;
/// # Ok::<(), spice_proto::link::PasswordError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionConfig {
    /// Where the server takes plain connections.
    pub plain: Option<Address>,
    /// Where the server takes TLS connections.
    pub tls: Option<Address>,
    /// As whom to connect.
    pub credentials: Credentials,
    /// Kinds of channels to open besides main; the default is display, inputs and cursor. Others that the server lists
    /// are reported as [`Event::ChannelsLeftClosed`](super::Event::ChannelsLeftClosed).
    pub channels: Vec<ChannelType>,
    /// Whether displays are opened first, the other channels when those have been let in, or after a second. Yes by
    /// default: libspice-server 0.15.1 makes a key for each link, one after the other, and what the user waits for is
    /// the picture.
    pub displays_first: bool,
    /// What to tell display channels.
    pub display: DisplayConfig,
    /// The mouse mode, one bit, to ask for whenever the server offers it.
    pub mouse_mode: MouseModes,
    /// Every bound on what the server may make the session hold or do.
    pub limits: Limits,
}

impl SessionConfig {
    /// A session with the server at `plain`, without a password.
    pub fn new(plain: Address) -> Self {
        Self { plain: Some(plain), ..Self::nowhere() }
    }

    /// A session with the server at `tls`, over TLS only, without a password.
    pub fn new_tls(tls: Address) -> Self {
        Self { tls: Some(tls), ..Self::nowhere() }
    }

    fn nowhere() -> Self {
        Self {
            plain: None,
            tls: None,
            credentials: Credentials::default(),
            channels: vec![ChannelType::DISPLAY, ChannelType::INPUTS, ChannelType::CURSOR],
            displays_first: true,
            display: DisplayConfig::default(),
            mouse_mode: MouseModes::CLIENT,
            limits: Limits::default(),
        }
    }

    /// Connects with a password.
    ///
    /// # Errors
    /// [`PasswordError`] when no server could take it.
    pub fn password(mut self, password: &str) -> Result<Self, PasswordError> {
        self.credentials.password = Password::new(password.as_bytes())?;
        Ok(self)
    }

    /// Opens these kinds of channels besides main.
    #[must_use]
    pub fn channels(mut self, kinds: &[ChannelType]) -> Self {
        self.channels = kinds.to_vec();
        self
    }

    /// Tells display channels this.
    #[must_use]
    pub fn display(mut self, display: DisplayConfig) -> Self {
        self.display = display;
        self
    }

    /// TLS wherever the server has a port for it.
    pub(super) fn preferred_security(&self) -> Security {
        if self.tls.is_some() { Security::Tls } else { Security::Plain }
    }

    pub(super) fn endpoint(&self, security: Security) -> Option<Endpoint> {
        let address = match security {
            Security::Plain => &self.plain,
            Security::Tls => &self.tls,
        };
        address.clone().map(|address| Endpoint { address, security })
    }

    pub(super) fn channel_caps(&self, kind: ChannelType) -> Caps {
        match kind {
            ChannelType::MAIN => (MainCaps::NAME_AND_UUID | MainCaps::AGENT_CONNECTED_TOKENS).into(),
            ChannelType::DISPLAY => self.display.caps.into(),
            ChannelType::PLAYBACK => (PlaybackCaps::VOLUME | PlaybackCaps::LATENCY).into(),
            ChannelType::RECORD => RecordCaps::VOLUME.into(),
            _ => Caps::new(),
        }
    }
}

/// What every channel advertises: mechanism selection, the ticket, and mini headers.
pub(super) fn common_caps() -> CommonCaps {
    CommonCaps::AUTH_SELECTION | CommonCaps::AUTH_SPICE | CommonCaps::MINI_HEADER
}

/// As whom to connect. Never shown by `Debug`.
#[derive(Clone)]
#[non_exhaustive]
pub struct Credentials {
    /// The ticket, at most 60 bytes; empty for a server without one.
    pub password: Password,
}

impl Default for Credentials {
    fn default() -> Self {
        Self { password: Password::empty() }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = if self.password.is_empty() { "none" } else { "set" };
        f.debug_struct("Credentials").field("password", &password).finish()
    }
}

/// Where a server listens; the driver knows how to get there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// A TCP port.
    Tcp {
        /// Host name or literal address.
        host: String,
        /// Port number.
        port: u16,
    },
    /// A unix socket.
    Unix {
        /// Path; a leading `@` means the abstract name space of Linux.
        path: String,
    },
    /// Something only the driver understands, such as the URL of a WebSocket.
    Other(String),
}

impl Address {
    /// A TCP port.
    pub fn tcp(host: &str, port: u16) -> Self {
        Self::Tcp { host: host.into(), port }
    }

    /// A unix socket.
    pub fn unix(path: &str) -> Self {
        Self::Unix { path: path.into() }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix { path } => f.write_str(path),
            Self::Other(what) => f.write_str(what),
        }
    }
}

/// Whether a transport is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Security {
    /// Bytes as they are.
    Plain,
    /// TLS from the first byte.
    Tls,
}

/// Where and how to open a transport.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Where.
    pub address: Address,
    /// Whether TLS is spoken there.
    pub security: Security,
}
