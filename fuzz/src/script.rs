//! What a peer sends, from any bytes: well-formed messages, malformed ones, and noise between them.

use bytes::{Bytes, BytesMut};
use spice_proto::frame::FrameWriter;
use spice_proto::msg::{Message, NoMessage};
use spice_proto::testing::Source;

use crate::messages::sampled;

/// The records of an input: two bytes of flags and length, then content. A length beyond the end means all that is
/// left.
pub(crate) fn records(mut data: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (&[flags, len], rest) = data.split_first_chunk()?;
        let (content, rest) = rest.split_at(rest.len().min(len.into()));
        data = rest;
        Some((flags, content))
    })
}

/// Appends what a record stands for. Two bits of `flags` choose: a message of the channel's table `M`, one of the base
/// table `B`, one of any number with any body, or bytes without a header.
pub(crate) fn write<M: Message, B: Message>(
    flags: u8,
    content: &[u8],
    writer: &mut FrameWriter,
    out: &mut BytesMut,
) {
    let mut source = Source::new(content);
    let message = match flags & 3 {
        0 => sampled::<M>(&mut source),
        1 => sampled::<B>(&mut source),
        2 => content
            .split_first_chunk()
            .map(|(kind, body)| (u16::from_le_bytes(*kind), Bytes::copy_from_slice(body))),
        _ => {
            out.extend_from_slice(content);
            None
        }
    };
    if let Some((kind, body)) = message {
        let message = NoMessage::decode(kind, &body, 0).expect("a table without messages takes anything");
        writer.write(&message, out);
    }
}
