//! Data headers: how messages stand one behind the other once the link stage is over.
//!
//! | header | layout | when |
//! |---|---|---|
//! | mini, 6 bytes | `u16 type, u32 size` | both sides advertised MINI_HEADER |
//! | full, 18 bytes | `u64 serial, u16 type, u32 size, u32 sub_list` | otherwise |
//!
//! Serials count messages of one direction from 1; with mini headers they are not sent but still counted.

mod split;
mod sub;

use bytes::BytesMut;

use crate::link::HeaderKind;
use crate::msg::Message;

pub use split::{Frame, Splitter};
pub use sub::{SubMessage, SubMessages};

/// Writes messages with their headers, and counts their serials.
#[derive(Clone, Debug)]
pub struct FrameWriter {
    header: HeaderKind,
    serial: u64,
}

impl FrameWriter {
    /// A writer whose first message has serial 1.
    pub const fn new(header: HeaderKind) -> Self {
        Self { header, serial: 0 }
    }

    /// Appends `message` with its header to `out`.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use spice_proto::{frame::FrameWriter, link::HeaderKind, msg::base::ClientMessage};
    /// let mut out = BytesMut::new();
    /// FrameWriter::new(HeaderKind::Mini).write(&ClientMessage::Ack, &mut out);
    /// assert_eq!(out[..], [2, 0, 0, 0, 0, 0]);
    /// ```
    pub fn write<M: Message>(&mut self, message: &M, out: &mut BytesMut) {
        self.serial = self.serial.wrapping_add(1);
        if let HeaderKind::Full = self.header {
            out.extend_from_slice(&self.serial.to_le_bytes());
        }
        out.extend_from_slice(&message.kind().to_le_bytes());
        let size_at = out.len();
        out.extend_from_slice(&[0; 4]);
        if let HeaderKind::Full = self.header {
            out.extend_from_slice(&[0; 4]);
        }
        let body_at = out.len();
        message.encode_body(out);
        // INVARIANT: bodies stay below 4 GiB; everything that makes one is bounded far below.
        let size = (out.len() - body_at) as u32;
        out[size_at..size_at + 4].copy_from_slice(&size.to_le_bytes());
    }

    /// The serial of the last message written; 0 before the first.
    pub const fn serial(&self) -> u64 {
        self.serial
    }
}
