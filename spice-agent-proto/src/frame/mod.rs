//! How messages stand in chunks, and chunks in the stream of the guest's device.
//!
//! A message is a header of 20 bytes and its data. It is cut into chunks of at most [`CHUNK_LEN`] bytes, of which the
//! first starts with the header. Between server and client a chunk is the body of one `AgentData` of the main channel.
//! Between server and agent, chunks follow each other on a byte stream, each behind a header of 8 bytes:
//!
//! | structure | layout |
//! |---|---|
//! | [`ChunkHeader`] | `u32 port, u32 size` |
//! | [`MessageHeader`] | `u32 protocol, u32 type, u64 opaque, u32 size` |
//!
//! Senders start every message with a new chunk, fill all chunks but the last, and finish a message before the next;
//! servers close the main channel on anything else. [`Outbox`] keeps to that. Receivers take any split:
//! [`Reassembler`] and [`DeviceReader`].

mod device;
mod incoming;
mod outbox;

use spice_proto::{codes, pod};

use crate::msg::MessageType;

pub use device::{DeviceChunk, DeviceReader};
pub use incoming::{Incoming, Reassembler};
pub use outbox::{Chunk, Lane, Outbox};

/// Longest chunk in bytes, the message's header included.
pub const CHUNK_LEN: usize = 2048;

/// The version of the protocol, in every message's header.
pub const PROTOCOL: u32 = 1;

codes! {
    /// Who talks to the agent. Wire: `port`, u32.
    pub struct Port: u32 {
        /// The client.
        CLIENT = 1,
        /// The server itself. What agents send there is dropped.
        SERVER = 2,
    }
}

pod! {
    /// Stands before every chunk on the guest's device.
    pub struct ChunkHeader {
        /// From or for whom the chunk is.
        pub port: Port,
        /// Length of the chunk in bytes.
        pub size: u32,
    }
}

impl ChunkHeader {
    /// Length of the header in bytes.
    pub const LEN: usize = 8;
}

pod! {
    /// Stands before the data of every message.
    pub struct MessageHeader {
        /// [`PROTOCOL`].
        pub protocol: u32,
        /// What the message is.
        pub kind: MessageType,
        /// Without a meaning, 0.
        pub opaque: u64,
        /// Length of the data in bytes.
        pub size: u32,
    }
}

impl MessageHeader {
    /// Length of the header in bytes.
    pub const LEN: usize = 20;
}
