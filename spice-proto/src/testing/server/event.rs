//! What a server asks of its driver and tells its application.

use bytes::Bytes;

use crate::error::ProtocolError;
use crate::testing::server::Received;
use crate::types::ChannelId;

/// One accepted byte stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// What the driver has to do, in order.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant)]
pub enum ServerOutput {
    /// Write all of these bytes.
    Transmit {
        /// The connection to write to.
        connection: ConnectionId,
        /// The bytes.
        data: Bytes,
    },
    /// Close the connection once everything before has been written. It is forgotten.
    Close {
        /// The connection to close.
        connection: ConnectionId,
    },
    /// Something for the application.
    Event(ServerEvent),
}

/// What a server tells the application.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant)]
#[non_exhaustive]
pub enum ServerEvent {
    /// A client wants to link to a channel and waits for a key: call [`Server::key`](super::Server::key).
    KeyWanted(ConnectionId),
    /// A session has begun; one before it has ended.
    SessionStarted {
        /// Its id.
        session: u32,
    },
    /// A channel's link has succeeded.
    Opened {
        /// Its connection.
        connection: ConnectionId,
        /// The channel.
        channel: ChannelId,
    },
    /// A client sent a message, and it has been answered as far as the server knows an answer.
    Received {
        /// The channel.
        channel: ChannelId,
        /// The message.
        message: Received,
    },
    /// A connection has ended.
    Closed {
        /// The connection.
        connection: ConnectionId,
        /// The channel, if its link had succeeded.
        channel: Option<ChannelId>,
        /// What was wrong with it; `None` when the client just closed it, or its session ended.
        error: Option<ProtocolError>,
    },
    /// The session has ended.
    SessionEnded {
        /// Its id.
        session: u32,
    },
}
