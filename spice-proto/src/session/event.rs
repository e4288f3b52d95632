//! What a session asks of its driver and tells its application.

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use thiserror::Error;

use crate::error::ProtocolError;
use crate::msg::base::{Migrate, Notify};
use crate::msg::{audio, cursor, display, inputs, main, port, smartcard, vmc};
use crate::session::Endpoint;
use crate::types::ChannelId;

/// One byte stream of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransportId(pub u32);

/// What the driver has to do, in order.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant)]
pub enum Output {
    /// Open a byte stream, then call [`Session::connected`](super::Session::connected), or
    /// [`Session::closed`](super::Session::closed) when that fails.
    Connect {
        /// What to call the stream.
        transport: TransportId,
        /// The channel it is for.
        channel: ChannelId,
        /// Where and how to open it.
        endpoint: Endpoint,
    },
    /// Write all of these bytes.
    Transmit {
        /// The stream to write to.
        transport: TransportId,
        /// The bytes.
        data: Bytes,
    },
    /// Close the stream.
    Close {
        /// The stream to close.
        transport: TransportId,
    },
    /// Something for the application.
    Event(Event),
}

/// What a session tells the application. Messages of a channel come as they are, in the order of arrival.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant)]
#[non_exhaustive]
pub enum Event {
    /// A channel's link has succeeded.
    ChannelOpened(ChannelId),
    /// A channel has ended, and the session goes on.
    ChannelClosed {
        /// The channel.
        channel: ChannelId,
        /// Why; `None` when the server just closed it.
        error: Option<ProtocolError>,
    },
    /// Channels that the server offers and the session does not open.
    ChannelsLeftClosed(Vec<(ChannelId, LeftClosed)>),
    /// The server has a text for the user.
    Notice(ChannelId, Notify),
    /// A channel moves to another host.
    Migrate(ChannelId, Migrate),
    /// A message of the main channel.
    Main(main::ServerMessage),
    /// A message of a display channel.
    Display(u8, display::ServerMessage),
    /// A message of the inputs channel.
    Inputs(inputs::ServerMessage),
    /// A message of a cursor channel.
    Cursor(u8, cursor::ServerMessage),
    /// A message of a playback channel.
    Playback(u8, audio::playback::ServerMessage),
    /// A message of a record channel.
    Record(u8, audio::record::ServerMessage),
    /// A message of a smartcard channel.
    Smartcard(u8, smartcard::ServerMessage),
    /// A message of a USB redirection channel.
    Usbredir(u8, vmc::ServerMessage),
    /// A message of a port channel.
    Port(u8, port::ServerMessage),
    /// A message of the shared folder's channel.
    Webdav(u8, port::ServerMessage),
    /// The session is over; the last event.
    Ended(SessionEnd),
}

/// Why a channel that the server offers was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeftClosed {
    /// The kind is not one that this crate knows.
    Unknown,
    /// The kind is not among [`SessionConfig::channels`](super::SessionConfig::channels).
    NotWanted,
    /// [`Limits::channels`](crate::Limits::channels) are open.
    TooMany,
}

impl fmt::Display for LeftClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown kind of channel",
            Self::NotWanted => "not asked for",
            Self::TooMany => "too many channels",
        })
    }
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SessionEnd {
    /// The application asked for it.
    #[error("disconnected")]
    Asked,
    /// The server closed the main channel; also what happens to a client when another one takes over.
    #[error("the server closed the session")]
    ClosedByServer,
    /// The main channel failed.
    #[error(transparent)]
    Failed(ProtocolError),
}
