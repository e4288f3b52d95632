//! Cutting chunks off the byte stream of the guest's device.

use bytes::{Buf, Bytes, BytesMut};
use nom::number::streaming::le_u32;
use nom::{IResult, Parser};

use super::{ChunkHeader, Port};

/// A chunk, or the part of one that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceChunk {
    /// From or for whom it is.
    pub port: Port,
    /// The bytes.
    pub data: Bytes,
}

/// Cuts chunks off a receive buffer.
///
/// Holds no data: a chunk that is not all there is given out in parts, because borders of chunks mean nothing to a
/// [`Reassembler`](super::Reassembler). So no length of a chunk needs a bound.
#[derive(Clone, Debug, Default)]
pub struct DeviceReader {
    port: Port,
    left: usize,
}

impl DeviceReader {
    /// A reader at the start of the stream.
    pub const fn new() -> Self {
        Self { port: Port(0), left: 0 }
    }

    /// Cuts the first chunk, or what has arrived of it, off the front of `input`; `None` when more must arrive first.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use spice_agent_proto::frame::{DeviceReader, Port};
    /// let mut reader = DeviceReader::new();
    /// let mut input = BytesMut::from(&[1, 0, 0, 0, 3, 0, 0, 0, 7, 8][..]);
    /// let chunk = reader.split(&mut input).unwrap();
    /// assert_eq!((chunk.port, &chunk.data[..]), (Port::CLIENT, &[7, 8][..]));
    /// assert_eq!(reader.split(&mut input), None);
    /// ```
    pub fn split(&mut self, input: &mut BytesMut) -> Option<DeviceChunk> {
        while self.left == 0 {
            // Only "more input is needed" can go wrong: every header of full length is well-formed.
            let (_, header) = chunk_header(input).ok()?;
            input.advance(ChunkHeader::LEN);
            self.port = header.port;
            self.left = usize::try_from(header.size).unwrap_or(usize::MAX);
        }
        let len = self.left.min(input.len());
        if len == 0 {
            return None;
        }
        self.left -= len;
        Some(DeviceChunk { port: self.port, data: input.split_to(len).freeze() })
    }
}

fn chunk_header(input: &[u8]) -> IResult<&[u8], ChunkHeader> {
    (le_u32, le_u32).map(|(port, size)| ChunkHeader { port: Port(port), size }).parse(input)
}
