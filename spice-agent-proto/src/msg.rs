//! The table of all agent messages, and the small ones of them.
//!
//! | type | message | direction |
//! |---|---|---|
//! | 1 | [`MouseState`] | server → agent |
//! | 2 | [`MonitorsConfig`] | client → agent |
//! | 3 | [`Reply`] | agent → client |
//! | 4 | [`Clipboard`] | both |
//! | 5 | [`DisplayConfig`] | client → agent |
//! | 6 | [`AnnounceCapabilities`] | both |
//! | 7 | [`ClipboardGrab`] | both |
//! | 8 | [`ClipboardRequest`] | both |
//! | 9 | [`ClipboardRelease`] | both |
//! | 10 | [`FileXferStart`] | client → agent |
//! | 11 | [`FileXferStatus`] | both |
//! | 12 | [`FileXferData`] | client → agent |
//! | 13 | client disconnected, without data | server → agent |
//! | 14 | [`MaxClipboard`] | client → agent |
//! | 15 | [`AudioVolumeSync`] | client → agent |
//! | 16 | [`GraphicsDeviceInfo`] | server → agent |

use bytes::{Bytes, BytesMut};
use spice_proto::wire::{Counted, Wire};
use spice_proto::{DecodeError, DecodeErrorKind, codes, flags, pod, wire};

use crate::caps::Layout;
use crate::error::AgentError;

pub use crate::caps::AnnounceCapabilities;
pub use crate::clipboard::{Clipboard, ClipboardGrab, ClipboardRelease, ClipboardRequest};
pub use crate::file_xfer::{FileXferData, FileXferStart, FileXferStatus};
pub use crate::monitors::MonitorsConfig;
pub use crate::server::{GraphicsDeviceInfo, MouseState};

codes! {
    /// What a message is. Wire: `type`, u32.
    pub struct MessageType: u32 {
        /// [`MouseState`].
        MOUSE_STATE = 1,
        /// [`MonitorsConfig`].
        MONITORS_CONFIG = 2,
        /// [`Reply`].
        REPLY = 3,
        /// [`Clipboard`].
        CLIPBOARD = 4,
        /// [`DisplayConfig`].
        DISPLAY_CONFIG = 5,
        /// [`AnnounceCapabilities`].
        ANNOUNCE_CAPABILITIES = 6,
        /// [`ClipboardGrab`].
        CLIPBOARD_GRAB = 7,
        /// [`ClipboardRequest`].
        CLIPBOARD_REQUEST = 8,
        /// [`ClipboardRelease`].
        CLIPBOARD_RELEASE = 9,
        /// [`FileXferStart`].
        FILE_XFER_START = 10,
        /// [`FileXferStatus`].
        FILE_XFER_STATUS = 11,
        /// [`FileXferData`].
        FILE_XFER_DATA = 12,
        /// The client has gone.
        CLIENT_DISCONNECTED = 13,
        /// [`MaxClipboard`].
        MAX_CLIPBOARD = 14,
        /// [`AudioVolumeSync`].
        AUDIO_VOLUME_SYNC = 15,
        /// [`GraphicsDeviceInfo`].
        GRAPHICS_DEVICE_INFO = 16,
    }
}

/// Any message of client, agent or server.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Where the pointer is.
    MouseState(MouseState),
    /// The monitors that the guest should have.
    MonitorsConfig(MonitorsConfig),
    /// How a message fared.
    Reply(Reply),
    /// The content that was asked for.
    Clipboard(Clipboard),
    /// What the guest should do without.
    DisplayConfig(DisplayConfig),
    /// What the sender can do.
    AnnounceCapabilities(AnnounceCapabilities),
    /// The sender owns a selection from now on.
    ClipboardGrab(ClipboardGrab),
    /// Asks for the content of a selection.
    ClipboardRequest(ClipboardRequest),
    /// The sender has nothing to offer any more.
    ClipboardRelease(ClipboardRelease),
    /// A file is to come.
    FileXferStart(FileXferStart),
    /// How a file transfer fares.
    FileXferStatus(FileXferStatus),
    /// A piece of a file.
    FileXferData(FileXferData),
    /// The client has gone.
    ClientDisconnected,
    /// How long the content of a selection may be.
    MaxClipboard(MaxClipboard),
    /// How loud the client is.
    AudioVolumeSync(AudioVolumeSync),
    /// Which devices show the monitors.
    GraphicsDeviceInfo(GraphicsDeviceInfo),
    /// A message of a type that is not listed here; to be ignored.
    Unknown {
        /// The type on the wire.
        kind: MessageType,
        /// The data as received.
        body: Bytes,
    },
}

impl Message {
    /// Reads the data of the message of type `kind`, with the layouts in force.
    ///
    /// # Errors
    /// [`DecodeError`] when the data have not the layout. Where the protocol fixes the length, bytes beyond it are an
    /// error too.
    pub fn decode(kind: MessageType, body: &Bytes, layout: Layout) -> Result<Self, DecodeError> {
        Ok(match kind {
            MessageType::MOUSE_STATE => Self::MouseState(exact("MouseState", body)?),
            MessageType::MONITORS_CONFIG => Self::MonitorsConfig(wire::decode("MonitorsConfig", body, 0)?),
            MessageType::REPLY => Self::Reply(exact("Reply", body)?),
            MessageType::CLIPBOARD => Self::Clipboard(Clipboard::decode(body, layout)?),
            MessageType::DISPLAY_CONFIG => Self::DisplayConfig(exact("DisplayConfig", body)?),
            MessageType::ANNOUNCE_CAPABILITIES => {
                Self::AnnounceCapabilities(wire::decode("AnnounceCapabilities", body, 0)?)
            }
            MessageType::CLIPBOARD_GRAB => Self::ClipboardGrab(ClipboardGrab::decode(body, layout)?),
            MessageType::CLIPBOARD_REQUEST => Self::ClipboardRequest(ClipboardRequest::decode(body, layout)?),
            MessageType::CLIPBOARD_RELEASE => Self::ClipboardRelease(ClipboardRelease::decode(body, layout)?),
            MessageType::FILE_XFER_START => Self::FileXferStart(wire::decode("FileXferStart", body, 0)?),
            MessageType::FILE_XFER_STATUS => Self::FileXferStatus(wire::decode("FileXferStatus", body, 0)?),
            MessageType::FILE_XFER_DATA => Self::FileXferData(wire::decode("FileXferData", body, 0)?),
            MessageType::CLIENT_DISCONNECTED => {
                fixed_len("ClientDisconnected", body, 0)?;
                Self::ClientDisconnected
            }
            MessageType::MAX_CLIPBOARD => Self::MaxClipboard(exact("MaxClipboard", body)?),
            MessageType::AUDIO_VOLUME_SYNC => {
                Self::AudioVolumeSync(wire::decode("AudioVolumeSync", body, 0)?)
            }
            MessageType::GRAPHICS_DEVICE_INFO => {
                Self::GraphicsDeviceInfo(wire::decode("GraphicsDeviceInfo", body, 0)?)
            }
            _ => Self::Unknown { kind, body: body.clone() },
        })
    }

    /// Appends the data to `head`, except what is given back: content that need not be copied, to be sent behind it.
    ///
    /// # Errors
    /// [`AgentError::Misuse`] when the layouts in force cannot say which selection is meant.
    pub fn encode(&self, layout: Layout, head: &mut BytesMut) -> Result<Bytes, AgentError> {
        match self {
            Self::MouseState(value) => wire::encode(value, head),
            Self::MonitorsConfig(value) => wire::encode(value, head),
            Self::Reply(value) => wire::encode(value, head),
            Self::Clipboard(value) => return value.encode(layout, head),
            Self::DisplayConfig(value) => wire::encode(value, head),
            Self::AnnounceCapabilities(value) => wire::encode(value, head),
            Self::ClipboardGrab(value) => value.encode(layout, head)?,
            Self::ClipboardRequest(value) => value.encode(layout, head)?,
            Self::ClipboardRelease(value) => value.encode(layout, head)?,
            Self::FileXferStart(value) => wire::encode(value, head),
            Self::FileXferStatus(value) => wire::encode(value, head),
            Self::FileXferData(value) => {
                wire::encode(&value.id, head);
                wire::encode(&value.size, head);
                return Ok(value.data.0.clone());
            }
            Self::ClientDisconnected => {}
            Self::MaxClipboard(value) => wire::encode(value, head),
            Self::AudioVolumeSync(value) => wire::encode(value, head),
            Self::GraphicsDeviceInfo(value) => wire::encode(value, head),
            Self::Unknown { body, .. } => return Ok(body.clone()),
        }
        Ok(Bytes::new())
    }

    /// What the message is.
    pub fn kind(&self) -> MessageType {
        match self {
            Self::MouseState(_) => MessageType::MOUSE_STATE,
            Self::MonitorsConfig(_) => MessageType::MONITORS_CONFIG,
            Self::Reply(_) => MessageType::REPLY,
            Self::Clipboard(_) => MessageType::CLIPBOARD,
            Self::DisplayConfig(_) => MessageType::DISPLAY_CONFIG,
            Self::AnnounceCapabilities(_) => MessageType::ANNOUNCE_CAPABILITIES,
            Self::ClipboardGrab(_) => MessageType::CLIPBOARD_GRAB,
            Self::ClipboardRequest(_) => MessageType::CLIPBOARD_REQUEST,
            Self::ClipboardRelease(_) => MessageType::CLIPBOARD_RELEASE,
            Self::FileXferStart(_) => MessageType::FILE_XFER_START,
            Self::FileXferStatus(_) => MessageType::FILE_XFER_STATUS,
            Self::FileXferData(_) => MessageType::FILE_XFER_DATA,
            Self::ClientDisconnected => MessageType::CLIENT_DISCONNECTED,
            Self::MaxClipboard(_) => MessageType::MAX_CLIPBOARD,
            Self::AudioVolumeSync(_) => MessageType::AUDIO_VOLUME_SYNC,
            Self::GraphicsDeviceInfo(_) => MessageType::GRAPHICS_DEVICE_INFO,
            Self::Unknown { kind, .. } => *kind,
        }
    }
}

/// Reads a value whose length the protocol fixes.
fn exact<T: Wire>(message: &'static str, body: &Bytes) -> Result<T, DecodeError> {
    fixed_len(message, body, T::MIN_LEN)?;
    wire::decode(message, body, 0)
}

/// Checks that nothing stands behind the `len` bytes that the protocol fixes; too few show on reading.
pub(crate) fn fixed_len(message: &'static str, body: &Bytes, len: usize) -> Result<(), DecodeError> {
    if body.len() > len {
        let kind =
            DecodeErrorKind::BadValue { value: body.len() as u64, rule: "the message has a fixed length" };
        return Err(DecodeError { message, field: "size", at: len, kind });
    }
    Ok(())
}

codes! {
    /// How a message fared. Wire: `error`, u32.
    pub struct ReplyCode: u32 {
        /// It was taken.
        SUCCESS = 1,
        /// It was not.
        ERROR = 2,
    }
}

pod! {
    /// Answers `MonitorsConfig` and `DisplayConfig`; the Linux agent answers before anything has changed.
    ///
    /// Wire: agent message 3, agent → client.
    pub struct Reply {
        /// What is answered.
        pub kind: MessageType,
        /// How it fared.
        pub error: ReplyCode,
    }
}

flags! {
    /// What the guest should do without. Wire: `flags`, u32.
    pub struct DisplayFlags: u32 {
        /// No picture on the desktop.
        DISABLE_WALLPAPER = 1,
        /// No smoothed type.
        DISABLE_FONT_SMOOTH = 2,
        /// No moving windows and menus.
        DISABLE_ANIMATION = 4,
        /// The depth has a meaning.
        SET_COLOR_DEPTH = 8,
    }
}

pod! {
    /// What the guest should do without, to be lighter on the line; Windows guests heed it.
    ///
    /// Wire: agent message 5, client → agent.
    pub struct DisplayConfig {
        /// What to do without.
        pub flags: DisplayFlags,
        /// Bits per pixel, with [`DisplayFlags::SET_COLOR_DEPTH`]; otherwise 0.
        pub depth: u32,
    }
}

pod! {
    /// How long clipboard content may be that the client takes. An agent keeps it until another one arrives, across
    /// clients. Wire: agent message 14, client → agent.
    pub struct MaxClipboard {
        /// Bytes; -1 for any length.
        pub max: i32,
    }
}

impl MaxClipboard {
    /// No bound.
    pub const UNLIMITED: Self = Self { max: -1 };

    /// The bound in bytes; `None` when there is none.
    pub fn bound(self) -> Option<usize> {
        usize::try_from(self.max).ok()
    }
}

wire! {
    /// How loud the client is, so that the guest's mixer can start like that. Wire: agent message 15,
    /// client → agent.
    pub struct AudioVolumeSync {
        /// Whether this is what is heard; 0 for what is recorded.
        pub is_playback: u8,
        /// Whether it is silenced; 0 for no.
        pub mute: u8,
        /// The volume of each channel, 0 to 65535.
        pub volume: Counted<u8, u16>,
    }
}
