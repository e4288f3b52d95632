//! Every message of every channel, declared once.
//!
//! A channel has two tables, one per direction, named `ServerMessage` and `ClientMessage` in the channel's
//! module. Numbers that a table does not list decode as `Unknown` and pass through unchanged.

pub mod audio;
pub mod base;
pub mod cursor;
pub mod display;
pub mod inputs;
pub mod main;
pub mod port;
pub mod smartcard;
pub mod vmc;

use core::fmt::Debug;

pub use bytes::{Bytes, BytesMut};

use crate::error::DecodeError;
use crate::types::ChannelType;

/// One direction of a channel: a table of message numbers and what they carry.
pub trait Message: Sized + Clone + PartialEq + Debug {
    /// The message's number on the wire.
    fn kind(&self) -> u16;

    /// The message's name, such as `DrawCopy`.
    fn name(&self) -> &'static str;

    /// Reads the body of the message numbered `kind`; an unlisted number gives `Unknown`.
    ///
    /// `pointers` bounds how many pointers the body may make the decoder follow.
    ///
    /// # Errors
    /// [`DecodeError`] when a listed message's body has not its layout.
    fn decode(kind: u16, body: &Bytes, pointers: u32) -> Result<Self, DecodeError>;

    /// Appends the body to `out`.
    fn encode_body(&self, out: &mut BytesMut);

    crate::__when_testing! {
        /// Shows every row of the table to `visitor`.
        fn visit<V: crate::testing::MessageVisitor>(visitor: &mut V);
    }
}

/// A channel kind with its two tables.
pub trait Protocol {
    /// The channel's kind.
    const CHANNEL: ChannelType;
    /// What servers send.
    type Server: Message;
    /// What clients send.
    type Client: Message;
}

crate::messages! {
    /// What is sent where only the shared messages are: any number is unknown.
    pub enum NoMessage {}
}

/// The text of a field whose NUL is counted: what stands before the first NUL, `None` when it is not UTF-8.
fn text(bytes: &[u8]) -> Option<&str> {
    core::str::from_utf8(bytes.split(|b| *b == 0).next()?).ok()
}

/// Walks over the tables of all channels, see [`for_each_table`].
pub trait TableVisitor {
    /// A table: whose it is and what it lists. `channel` is empty for the messages that all channels share.
    fn table<M: Message>(&mut self, channel: &'static str, direction: Direction);
}

/// Who sends the messages of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The server sends, the client receives.
    ServerToClient,
    /// The client sends, the server receives.
    ClientToServer,
}

/// Shows every table of the protocol to `visitor`: both directions of the shared messages and of each channel.
pub fn for_each_table<V: TableVisitor>(visitor: &mut V) {
    visitor.table::<base::ServerMessage>("", Direction::ServerToClient);
    visitor.table::<base::ClientMessage>("", Direction::ClientToServer);
    protocol::<main::Main, V>(visitor);
    protocol::<display::Display, V>(visitor);
    protocol::<inputs::Inputs, V>(visitor);
    protocol::<cursor::Cursor, V>(visitor);
    protocol::<audio::playback::Playback, V>(visitor);
    protocol::<audio::record::Record, V>(visitor);
    protocol::<smartcard::Smartcard, V>(visitor);
    protocol::<vmc::UsbRedir, V>(visitor);
    protocol::<port::Port, V>(visitor);
    protocol::<port::Webdav, V>(visitor);
}

fn protocol<P: Protocol, V: TableVisitor>(visitor: &mut V) {
    let name = P::CHANNEL.name().unwrap_or_default();
    visitor.table::<P::Server>(name, Direction::ServerToClient);
    visitor.table::<P::Client>(name, Direction::ClientToServer);
}
