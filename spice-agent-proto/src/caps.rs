//! What each side can do, and what that changes in the layouts.

use spice_proto::wire::{Array, Rest};
use spice_proto::{flags, wire};

flags! {
    /// What a client or an agent can do. Wire: word 0 of `AnnounceCapabilities`; all defined bits are there.
    pub struct AgentCaps: u32 {
        /// The pointer can be placed through the agent.
        MOUSE_STATE = 1 << 0,
        /// `MonitorsConfig`.
        MONITORS_CONFIG = 1 << 1,
        /// `Reply` is understood.
        REPLY = 1 << 2,
        /// Clipboard content is pushed without being asked for. Obsolete: never announce.
        CLIPBOARD = 1 << 3,
        /// `DisplayConfig`.
        DISPLAY_CONFIG = 1 << 4,
        /// The clipboard works by grab and request.
        CLIPBOARD_BY_DEMAND = 1 << 5,
        /// Clipboard messages name their selection. Changes layouts. Always goes with `CLIPBOARD_BY_DEMAND`, because
        /// the Linux agent fails over the lack of it.
        CLIPBOARD_SELECTION = 1 << 6,
        /// Monitors of no size in `MonitorsConfig` are disabled ones. Agents announce it.
        SPARSE_MONITORS_CONFIG = 1 << 7,
        /// Lines of text end in LF in the guest. Agents announce it.
        GUEST_LINEEND_LF = 1 << 8,
        /// Lines of text end in CR LF in the guest. Agents announce it.
        GUEST_LINEEND_CRLF = 1 << 9,
        /// `MaxClipboard` is understood. Agents announce it.
        MAX_CLIPBOARD = 1 << 10,
        /// `AudioVolumeSync` is understood. Agents announce it.
        AUDIO_VOLUME_SYNC = 1 << 11,
        /// Positions in `MonitorsConfig` are honoured. The Linux agent honours them without announcing it.
        MONITORS_CONFIG_POSITION = 1 << 12,
        /// Files are not taken. Announced by agents, or set by the server on their behalf.
        FILE_XFER_DISABLED = 1 << 13,
        /// Results of file transfers beyond `Success`, and their details, are understood. Clients announce it.
        FILE_XFER_DETAILED_ERRORS = 1 << 14,
        /// `GraphicsDeviceInfo` is understood. Agents announce it.
        GRAPHICS_DEVICE_INFO = 1 << 15,
        /// No `ClipboardRelease` is sent between two grabs of the same side.
        CLIPBOARD_NO_RELEASE_ON_REGRAB = 1 << 16,
        /// `ClipboardGrab` carries a serial. Changes layouts.
        CLIPBOARD_GRAB_SERIAL = 1 << 17,
    }
}

impl AgentCaps {
    /// What [`Client`](crate::Client) can do and announces by default.
    pub const CLIENT: Self = Self::MONITORS_CONFIG
        .union(Self::MOUSE_STATE)
        .union(Self::REPLY)
        .union(Self::DISPLAY_CONFIG)
        .union(Self::CLIPBOARD_BY_DEMAND)
        .union(Self::CLIPBOARD_SELECTION)
        .union(Self::MONITORS_CONFIG_POSITION)
        .union(Self::FILE_XFER_DETAILED_ERRORS)
        .union(Self::CLIPBOARD_NO_RELEASE_ON_REGRAB)
        .union(Self::CLIPBOARD_GRAB_SERIAL);

    /// What [`Guest`](crate::Guest) announces by default: what the Linux agent does, and positions of monitors.
    pub const AGENT: Self = Self::MOUSE_STATE
        .union(Self::MONITORS_CONFIG)
        .union(Self::REPLY)
        .union(Self::CLIPBOARD_BY_DEMAND)
        .union(Self::CLIPBOARD_SELECTION)
        .union(Self::SPARSE_MONITORS_CONFIG)
        .union(Self::GUEST_LINEEND_LF)
        .union(Self::MAX_CLIPBOARD)
        .union(Self::AUDIO_VOLUME_SYNC)
        .union(Self::MONITORS_CONFIG_POSITION)
        .union(Self::GRAPHICS_DEVICE_INFO)
        .union(Self::CLIPBOARD_NO_RELEASE_ON_REGRAB)
        .union(Self::CLIPBOARD_GRAB_SERIAL);
}

wire! {
    /// Says what the sender can do. Wire: agent message 6, both directions.
    ///
    /// The Linux agent takes every one with `request` set for the coming of a new client: it forgets the clipboard
    /// and cancels file transfers.
    pub struct AnnounceCapabilities {
        /// Whether the receiver is asked to announce its own; 0 for no.
        pub request: u32,
        /// The capability words, word 0 first; absent words count as 0. A rest of fewer than 4 bytes has no meaning.
        pub words: Rest,
    }
}

impl AnnounceCapabilities {
    /// The announcement of `caps`.
    pub fn new(request: bool, caps: AgentCaps) -> Self {
        let words: Array<u32> = [caps.bits()].into_iter().collect();
        Self { request: request.into(), words: Rest(words.as_bytes().clone()) }
    }

    /// The defined capabilities: word 0.
    pub fn caps(&self) -> AgentCaps {
        AgentCaps::from_bits_retain(Array::<u32>::from_bytes(self.words.0.clone()).get(0).unwrap_or(0))
    }
}

/// What the capabilities of the two sides change in the layouts of messages.
///
/// ```
/// use spice_agent_proto::caps::{AgentCaps, Layout};
/// let gtk = AgentCaps::from_bits_retain(0x0003_5077);
/// assert!(Layout::between(gtk, AgentCaps::AGENT).selection);
/// assert!(!Layout::between(gtk, AgentCaps::CLIPBOARD_BY_DEMAND).selection);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Layout {
    /// Clipboard messages name their selection.
    pub selection: bool,
    /// Grabs carry a serial.
    pub grab_serial: bool,
}

impl Layout {
    /// The layouts in force between two sides: what both have announced.
    pub const fn between(one: AgentCaps, other: AgentCaps) -> Self {
        let both = one.intersection(other);
        Self {
            selection: both.contains(AgentCaps::CLIPBOARD_SELECTION),
            grab_serial: both.contains(AgentCaps::CLIPBOARD_GRAB_SERIAL),
        }
    }
}
