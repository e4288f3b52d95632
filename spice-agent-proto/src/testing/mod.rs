//! Generators and oracles, for tests and fuzzing. Feature `testing`; no part of the stable interface.

mod dialogue;

use bytes::{Bytes, BytesMut};
use spice_proto::testing::{Sample, Source};

use crate::caps::Layout;
use crate::clipboard::{Clipboard, ClipboardGrab, ClipboardRelease, ClipboardRequest, Selection};
use crate::frame::{Incoming, Lane, Outbox, Reassembler};
use crate::limits::Limits;
use crate::msg::{Message, MessageType};

pub use dialogue::{Framing, client_dialogue, guest_dialogue};

/// The layouts that two sides can agree on.
pub const LAYOUTS: [Layout; 4] = [
    Layout { selection: false, grab_serial: false },
    Layout { selection: false, grab_serial: true },
    Layout { selection: true, grab_serial: false },
    Layout { selection: true, grab_serial: true },
];

/// Any message that can be said with the layout.
pub fn message(s: &mut Source<'_>, layout: Layout) -> Message {
    let selection = if layout.selection { Selection::ALL[s.below(3)] } else { Selection::Clipboard };
    match s.below(17) {
        0 => Message::MouseState(Sample::sample(s)),
        1 => Message::MonitorsConfig(Sample::sample(s)),
        2 => Message::Reply(Sample::sample(s)),
        3 => Message::Clipboard(Clipboard { selection, kind: Sample::sample(s), data: s.payload() }),
        4 => Message::DisplayConfig(Sample::sample(s)),
        5 => Message::AnnounceCapabilities(Sample::sample(s)),
        6 => Message::ClipboardGrab(ClipboardGrab {
            selection,
            serial: if layout.grab_serial { Sample::sample(s) } else { 0 },
            types: Sample::sample(s),
        }),
        7 => Message::ClipboardRequest(ClipboardRequest { selection, kind: Sample::sample(s) }),
        8 => Message::ClipboardRelease(ClipboardRelease { selection }),
        9 => Message::FileXferStart(Sample::sample(s)),
        10 => Message::FileXferStatus(Sample::sample(s)),
        11 => Message::FileXferData(Sample::sample(s)),
        12 => Message::ClientDisconnected,
        13 => Message::MaxClipboard(Sample::sample(s)),
        14 => Message::AudioVolumeSync(Sample::sample(s)),
        15 => Message::GraphicsDeviceInfo(Sample::sample(s)),
        _ => Message::Unknown { kind: MessageType(1000 + u32::from(s.byte())), body: s.payload() },
    }
}

/// The data of a message as they stand behind its header.
///
/// # Panics
/// When the message cannot be said with the layout.
pub fn body(message: &Message, layout: Layout) -> Bytes {
    let mut head = BytesMut::new();
    let tail = message.encode(layout, &mut head).expect("the layout has the selection");
    head.extend_from_slice(&tail);
    head.freeze()
}

/// The chunks that a message is sent in.
///
/// # Panics
/// When the message cannot be said with the layout.
pub fn chunks(message: &Message, layout: Layout) -> impl Iterator<Item = Bytes> + use<> {
    let mut outbox = Outbox::new();
    outbox.push(Lane::Control, 0, message, layout).expect("the layout has the selection");
    core::iter::from_fn(move || outbox.next_chunk().map(|chunk| chunk.data))
}

/// Messages made from `bytes` survive encoding and decoding; cut anywhere they give a value or an error.
///
/// # Panics
/// When that does not hold for some message.
pub fn round_trips(bytes: &[u8]) {
    for layout in LAYOUTS {
        let s = &mut Source::new(bytes);
        while !s.is_empty() {
            let message = message(s, layout);
            let body = body(&message, layout);
            assert_eq!(Message::decode(message.kind(), &body, layout).as_ref(), Ok(&message));
            for len in 0..body.len() {
                // Either answer is right: where the length is free, a shorter one is another message.
                let _ = Message::decode(message.kind(), &body.slice(..len), layout);
            }
        }
    }
}

/// `bytes` as the data of any message give a value or an error, and a value survives encoding and decoding.
///
/// # Panics
/// When that does not hold for some message.
pub fn any_body(bytes: &[u8]) {
    let data = Bytes::copy_from_slice(bytes);
    for layout in LAYOUTS {
        for kind in (0..18).map(MessageType) {
            if let Ok(message) = Message::decode(kind, &data, layout) {
                let again = body(&message, layout);
                assert_eq!(Message::decode(kind, &again, layout).as_ref(), Ok(&message));
            }
        }
    }
}

/// `bytes` as a stream of messages, cut into chunks of the lengths in `cuts`, give the same as in one piece, and hold
/// no more memory than has arrived or the limits allow.
///
/// # Panics
/// When that does not hold.
pub fn any_split(bytes: &[u8], cuts: &[u8]) {
    let mut limits = Limits::default();
    (limits.message_len, limits.clipboard_len, limits.file_data_len) = (64, 128, 256);
    let run = |cuts: &[u8]| {
        let mut reassembler = Reassembler::new();
        let mut stream = Bytes::copy_from_slice(bytes);
        let mut seen = alloc::vec::Vec::new();
        let mut cuts = cuts.iter().cycle();
        while !stream.is_empty() {
            let len = cuts.next().map_or(stream.len(), |cut| usize::from(*cut) + 1).min(stream.len());
            let mut chunk = stream.split_to(len);
            loop {
                match reassembler.next(&mut chunk, &limits) {
                    Ok(Some(Incoming::Message { kind, body })) => {
                        assert_eq!(limits.check_message(kind, body.len() as u32), Ok(()));
                        seen.push(Ok(Incoming::Message { kind, body }));
                    }
                    Ok(Some(other)) => seen.push(Ok(other)),
                    Ok(None) => break,
                    Err(error) => {
                        seen.push(Err(error));
                        return seen;
                    }
                }
            }
            assert!(chunk.is_empty());
            assert!(reassembler.held() <= 300);
        }
        seen
    };
    assert_eq!(run(&[]), run(cuts));
}
