//! Data headers and sub-message lists.

use bytes::{Bytes, BytesMut};
use spice_proto::LimitExceeded;
use spice_proto::frame::{Frame, FrameWriter, Splitter, SubMessages};
use spice_proto::link::HeaderKind;
use spice_proto::msg::{Message, NoMessage};

use crate::chunks::Chunks;
use crate::memory::bounded;

/// Frames do not depend on how the stream was cut, keep to the limit, and their sub-messages stay inside them.
///
/// Input: one byte for the kind of header and the limit, cuts as in `Chunks`, the stream.
pub fn frames(data: &[u8]) {
    let Some((&options, rest)) = data.split_first() else { return };
    let header = if options & 1 == 0 { HeaderKind::Mini } else { HeaderKind::Full };
    let max_len = if options & 2 == 0 { 64 } else { 160 << 20 };
    let splitter = Splitter::new(header, "message_len", max_len);
    let chunks = Chunks::new(rest);
    let stream = chunks.stream();
    let whole = Split::of(&splitter, [stream].into_iter());
    // A header that announces a long body must not make anything reserve room for it. Frames of 6 bytes make the
    // list of frames here much longer than the stream.
    let bound = 4096 + 64 * stream.len();
    let cut = bounded("splitting", bound, || Split::of(&splitter, chunks));
    assert_eq!(whole, cut);
    let mut writer = FrameWriter::new(header);
    for frame in &whole.frames {
        assert!(frame.body.len() <= max_len as usize);
        written_again(&splitter, &mut writer, frame);
        sub_messages(frame);
    }
}

/// What a stream was split into.
#[derive(Debug, PartialEq)]
struct Split {
    frames: Vec<Frame>,
    end: Result<Bytes, LimitExceeded>,
}

impl Split {
    fn of<'a>(splitter: &Splitter, chunks: impl Iterator<Item = &'a [u8]>) -> Self {
        let (mut input, mut frames) = (BytesMut::new(), Vec::new());
        for chunk in chunks {
            input.extend_from_slice(chunk);
            loop {
                match splitter.split(&mut input) {
                    Ok(Some(frame)) => frames.push(frame),
                    Ok(None) => break,
                    Err(error) => return Self { frames, end: Err(error) },
                }
            }
        }
        Self { frames, end: Ok(input.freeze()) }
    }
}

/// A frame written anew is the same frame.
fn written_again(splitter: &Splitter, writer: &mut FrameWriter, frame: &Frame) {
    let Ok(message) = NoMessage::decode(frame.kind, &frame.body, 0) else {
        panic!("a table without messages takes any number");
    };
    let mut out = BytesMut::new();
    writer.write(&message, &mut out);
    let again = splitter.split(&mut out).ok().flatten();
    let again = again.expect("a frame that was written can be split");
    assert!(out.is_empty());
    assert_eq!((again.kind, &again.body), (frame.kind, &frame.body));
    assert_eq!(again.serial, frame.serial.map(|_| writer.serial()));
}

fn sub_messages(frame: &Frame) {
    const BOUND: u16 = 16;
    let Ok(mut subs) = SubMessages::new(frame.body.clone(), frame.sub_list, BOUND) else { return };
    let mut count = 0;
    while let Ok(Some(sub)) = subs.next_sub() {
        count += 1;
        assert!(count <= BOUND);
        let (carrier, inner) = (frame.body.as_ptr_range(), sub.body.as_ptr_range());
        assert!(sub.body.is_empty() || (carrier.start < inner.start && inner.end <= carrier.end));
    }
}
