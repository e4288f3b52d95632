//! What a client tells its application.

use spice_proto::ProtocolError;
use spice_proto::msg::base::{Migrate, Notify};
use spice_proto::msg::{audio, cursor, display, inputs, main, port, smartcard, vmc};
use spice_proto::session::{Event as SessionEvent, LeftClosed, SessionEnd};
use spice_proto::types::ChannelId;

use crate::agent;

/// What a client tells its application. Messages of a channel come as they are, in the order of arrival, but for frames
/// of videos with [`ClientConfig::schedule`](crate::ClientConfig::schedule), which come when they are due.
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
    /// A message of the main channel, but for what the agent says, which comes as [`Agent`](Self::Agent) unless
    /// [`ClientConfig::agent`](crate::ClientConfig::agent) is `None`.
    Main(main::ServerMessage),
    /// Something about the agent inside the guest: clipboard, files, monitors.
    Agent(agent::Event),
    /// A message of a display channel.
    Display(u8, display::ServerMessage),
    /// A frame of a video that came too late to be shown, but on which later ones build: decode it, as
    /// `canvas::Canvas::skip_frame` does. Never for MJPEG.
    LateFrame(u8, display::ServerMessage),
    /// So many more frames of a display's videos came too late or were too many, and will not come here.
    FramesDropped {
        /// The display channel.
        display: u8,
        /// Their number, since this came last.
        frames: u64,
    },
    /// A message of the inputs channel: the lock lights.
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

impl TryFrom<SessionEvent> for Event {
    type Error = SessionEvent;

    /// The client's event for one of the session's, which comes back when this crate does not know it.
    fn try_from(event: SessionEvent) -> Result<Self, SessionEvent> {
        Ok(match event {
            SessionEvent::ChannelOpened(id) => Self::ChannelOpened(id),
            SessionEvent::ChannelClosed { channel, error } => Self::ChannelClosed { channel, error },
            SessionEvent::ChannelsLeftClosed(left) => Self::ChannelsLeftClosed(left),
            SessionEvent::Notice(id, notify) => Self::Notice(id, notify),
            SessionEvent::Migrate(id, migrate) => Self::Migrate(id, migrate),
            SessionEvent::Main(message) => Self::Main(message),
            SessionEvent::Display(id, message) => Self::Display(id, message),
            SessionEvent::Inputs(message) => Self::Inputs(message),
            SessionEvent::Cursor(id, message) => Self::Cursor(id, message),
            SessionEvent::Playback(id, message) => Self::Playback(id, message),
            SessionEvent::Record(id, message) => Self::Record(id, message),
            SessionEvent::Smartcard(id, message) => Self::Smartcard(id, message),
            SessionEvent::Usbredir(id, message) => Self::Usbredir(id, message),
            SessionEvent::Port(id, message) => Self::Port(id, message),
            SessionEvent::Webdav(id, message) => Self::Webdav(id, message),
            SessionEvent::Ended(end) => Self::Ended(end),
            other => return Err(other),
        })
    }
}
