//! The inputs channel: keys, lock lights, pointer.

use crate::msg::Protocol;
use crate::types::ChannelType;
use crate::wire::Rest;

/// The inputs channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inputs;

impl Protocol for Inputs {
    const CHANNEL: ChannelType = ChannelType::INPUTS;
    type Server = ServerMessage;
    type Client = ClientMessage;
}

crate::messages! {
    /// What a server sends on the inputs channel.
    pub enum ServerMessage {
        /// The lock lights; first message.
        101 => Init(KeyModifiers),
        /// The lock lights have changed, or are confirmed.
        102 => KeyModifiers(KeyModifiers),
        /// Four more motions or positions have been taken.
        111 => MouseMotionAck,
    }
}

crate::messages! {
    /// What a client sends on the inputs channel.
    pub enum ClientMessage {
        /// A key goes down, or repeats.
        101 => KeyDown(KeyCode),
        /// A key goes up.
        102 => KeyUp(KeyCode),
        /// How the guest's lock lights should be.
        103 => KeyModifiers(KeyModifiers),
        /// Scan codes as a keyboard would send them. Needs the server's capability for it.
        104 => KeyScancode(Rest),
        /// The pointer moves by so much.
        111 => MouseMotion(MouseMotion),
        /// The pointer is at a place.
        112 => MousePosition(MousePosition),
        /// A button goes down.
        113 => MousePress(MouseClick),
        /// A button goes up.
        114 => MouseRelease(MouseClick),
    }
}

crate::pod! {
    /// One key as a PC-XT set 1 keyboard would send it.
    ///
    /// Up to four scan code bytes, the first in the lowest byte; a zero byte ends them. The release bit, 0x80 in
    /// the key's byte, is the sender's to set. Wire: client → server 101, `InputsChannel.key_down`; client →
    /// server 102, `InputsChannel.key_up`.
    pub struct KeyCode {
        /// The scan code bytes.
        pub code: u32,
    }
}

crate::flags! {
    /// Lock keys. Wire: `keyboard_modifier_flags`, u16.
    pub struct KeyboardModifiers: u16 {
        /// Scroll lock.
        SCROLL_LOCK = 1,
        /// Num lock.
        NUM_LOCK = 2,
        /// Caps lock.
        CAPS_LOCK = 4,
    }
}

crate::pod! {
    /// Which lock lights are on, or should be.
    ///
    /// Wire: server → client 101, `InputsChannel.init`; server → client 102 and client → server 103,
    /// `InputsChannel.key_modifiers`.
    pub struct KeyModifiers {
        /// The locks.
        pub modifiers: KeyboardModifiers,
    }
}

crate::codes! {
    /// A pointer button. Wire: `mouse_button`, u8.
    pub struct MouseButton: u8 {
        /// The left button.
        LEFT = 1,
        /// The middle button.
        MIDDLE = 2,
        /// The right button.
        RIGHT = 3,
        /// One notch of the wheel away from the user.
        UP = 4,
        /// One notch of the wheel towards the user.
        DOWN = 5,
        /// The first side button.
        SIDE = 6,
        /// The second side button.
        EXTRA = 7,
    }
}

crate::flags! {
    /// Which pointer buttons are down. Wire: `mouse_button_mask`, u16.
    pub struct MouseButtons: u16 {
        /// The left button.
        LEFT = 1,
        /// The middle button.
        MIDDLE = 2,
        /// The right button.
        RIGHT = 4,
        /// The wheel away from the user.
        UP = 8,
        /// The wheel towards the user.
        DOWN = 0x10,
        /// The first side button.
        SIDE = 0x20,
        /// The second side button.
        EXTRA = 0x40,
    }
}

crate::pod! {
    /// The pointer moves by so much; has effect in server mouse mode.
    ///
    /// Wire: client → server 111, `InputsChannel.mouse_motion`.
    pub struct MouseMotion {
        /// Columns to the right.
        pub dx: i32,
        /// Rows downwards.
        pub dy: i32,
        /// Which buttons are down; the server acts on it.
        pub buttons_state: MouseButtons,
    }
}

crate::pod! {
    /// The pointer is at a place; has effect in client mouse mode.
    ///
    /// Wire: client → server 112, `InputsChannel.mouse_position`.
    pub struct MousePosition {
        /// Column on the monitor in pixels.
        pub x: u32,
        /// Row on the monitor in pixels.
        pub y: u32,
        /// Which buttons are down; the server acts on it.
        pub buttons_state: MouseButtons,
        /// The monitor: the display channel's number, or with several monitors on channel 0, the monitor's.
        pub display_id: u8,
    }
}

crate::pod! {
    /// A button goes down or up.
    ///
    /// Wire: client → server 113, `InputsChannel.mouse_press`; client → server 114,
    /// `InputsChannel.mouse_release`.
    pub struct MouseClick {
        /// The button; matters to servers for the wheel alone.
        pub button: MouseButton,
        /// Which buttons are down afterwards; the server acts on it.
        pub buttons_state: MouseButtons,
    }
}
