//! The port channel, a named character device of the guest, and the webdav channel, a port with a fixed name.

use crate::msg::vmc::CompressedData;
use crate::msg::{Protocol, text};
use crate::types::ChannelType;
use crate::wire::{PtrBlob, Rest};

/// The port channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Port;

impl Protocol for Port {
    const CHANNEL: ChannelType = ChannelType::PORT;
    type Server = ServerMessage;
    type Client = ClientMessage;
}

/// The webdav channel: the port named [`WEBDAV_NAME`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Webdav;

impl Protocol for Webdav {
    const CHANNEL: ChannelType = ChannelType::WEBDAV;
    type Server = ServerMessage;
    type Client = ClientMessage;
}

/// The port name of every webdav channel.
pub const WEBDAV_NAME: &str = "org.spice-space.webdav.0";

crate::messages! {
    /// What a server sends on a port or webdav channel.
    pub enum ServerMessage {
        /// A piece of the stream.
        101 => Data(Rest),
        /// A compressed piece of the stream.
        102 => CompressedData(CompressedData),
        /// The port's name and state; first message.
        201 => Init(Init),
        /// The guest opens or closes the port.
        202 => Event(Event),
    }
}

crate::messages! {
    /// What a client sends on a port or webdav channel.
    pub enum ClientMessage {
        /// A piece of the stream.
        101 => Data(Rest),
        /// A compressed piece of the stream.
        102 => CompressedData(CompressedData),
        /// The client opens or closes its side, or sends a break.
        201 => Event(Event),
    }
}

crate::wire! {
    /// The port's name and state; repeated after a seamless migration. Wire: server → client 201,
    /// `PortChannel.init`.
    pub struct Init {
        /// The name, with a NUL at the end that is counted.
        pub name: PtrBlob<u32>,
        /// Whether the guest has opened the port: 0 for no.
        pub opened: u8,
    }
}

impl Init {
    /// The name without its NUL; `None` when it is not UTF-8.
    pub fn name_text(&self) -> Option<&str> {
        text(&self.name)
    }
}

crate::codes! {
    /// What happens to a port. Wire: `port_event`, u8.
    pub struct PortEvent: u8 {
        /// It is opened.
        OPENED = 0,
        /// It is closed.
        CLOSED = 1,
        /// A break is sent through it.
        BREAK = 2,
    }
}

crate::pod! {
    /// Something happens to a port.
    ///
    /// Wire: server → client 202, `PortChannel.event`; client → server 201, `PortChannel.event`.
    pub struct Event {
        /// What.
        pub event: PortEvent,
    }
}
