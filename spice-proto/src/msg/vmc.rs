//! The usbredir channel, and what it shares with ports: a byte stream to a device, perhaps compressed.
//!
//! Borders between messages mean nothing in that stream.

use bytes::Bytes;

use crate::error::DecodeError;
use crate::msg::Protocol;
use crate::types::ChannelType;
use crate::wire::{Reader, Rest, Wire, Writer};

/// The usbredir channel: one slot for a USB device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsbRedir;

impl Protocol for UsbRedir {
    const CHANNEL: ChannelType = ChannelType::USBREDIR;
    type Server = ServerMessage;
    type Client = ClientMessage;
}

crate::messages! {
    /// What a server sends on the usbredir channel.
    pub enum ServerMessage {
        /// A piece of the stream.
        101 => Data(Rest),
        /// A compressed piece of the stream.
        102 => CompressedData(CompressedData),
    }
}

crate::messages! {
    /// What a client sends on the usbredir channel.
    pub enum ClientMessage {
        /// A piece of the stream.
        101 => Data(Rest),
        /// A compressed piece of the stream.
        102 => CompressedData(CompressedData),
    }
}

crate::codes! {
    /// How a piece of the stream is compressed. Wire: `data_compression_type`, u8.
    pub struct CompressionType: u8 {
        /// Not at all.
        NONE = 0,
        /// One LZ4 block.
        LZ4 = 1,
    }
}

/// A piece of the stream, compressed.
///
/// Needs the receiver's capability for it. Wire: both directions 102, `SpicevmcChannel.compressed_data`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompressedData {
    kind: CompressionType,
    // INVARIANT: bytes.len() when the kind is NONE, which does not stand on the wire then.
    uncompressed_size: u32,
    data: Bytes,
}

impl CompressedData {
    /// A compressed piece and its length in bytes after decompression. With [`CompressionType::NONE`] the length
    /// given does not count.
    pub fn new(kind: CompressionType, uncompressed_size: u32, data: Bytes) -> Self {
        let plain = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let uncompressed_size = if kind == CompressionType::NONE { plain } else { uncompressed_size };
        Self { kind, uncompressed_size, data }
    }

    /// How it is compressed.
    pub const fn kind(&self) -> CompressionType {
        self.kind
    }

    /// Bytes after decompression, as the sender says; bound it before allocating.
    pub const fn uncompressed_size(&self) -> u32 {
        self.uncompressed_size
    }

    /// The bytes as they came.
    pub const fn data(&self) -> &Bytes {
        &self.data
    }
}

impl Wire for CompressedData {
    const MIN_LEN: usize = 1;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.field("type");
        let kind = r.pod()?;
        r.field("uncompressed_size");
        let size = if kind == CompressionType::NONE { 0 } else { r.pod()? };
        let Rest(data) = Wire::decode(r)?;
        Ok(Self::new(kind, size, data))
    }

    fn inline_len(&self) -> usize {
        Self::MIN_LEN + if self.kind == CompressionType::NONE { 0 } else { 4 } + self.data.len()
    }

    fn encode(&self, w: &mut Writer<'_>) {
        self.kind.encode(w);
        if self.kind != CompressionType::NONE {
            self.uncompressed_size.encode(w);
        }
        w.put(&self.data);
    }
}

crate::__when_testing! {
    use crate::testing::{Sample, Source};

    impl Sample for CompressedData {
        fn sample(s: &mut Source<'_>) -> Self {
            Self::new(Sample::sample(s), Sample::sample(s), s.payload())
        }
    }
}
