//! Chunks: cutting, putting together, the device's stream.

use bytes::{BufMut, Bytes, BytesMut};
use proptest::prelude::*;
use spice_agent_proto::caps::Layout;
use spice_agent_proto::file_xfer::FileXferData;
use spice_agent_proto::frame::{
    CHUNK_LEN, DeviceReader, Incoming, Lane, MessageHeader, Outbox, Port, Reassembler,
};
use spice_agent_proto::msg::{MaxClipboard, Message, MessageType};
use spice_agent_proto::{AgentError, LimitExceeded, Limits, testing};
use spice_proto::testing::Source;

use crate::hex;

const PLAIN: Layout = Layout { selection: false, grab_serial: false };

fn header(protocol: u32, kind: MessageType, size: u32) -> BytesMut {
    let mut out = BytesMut::new();
    out.put_u32_le(protocol);
    out.put_u32_le(kind.0);
    out.put_u64_le(0);
    out.put_u32_le(size);
    out
}

fn incoming(message: &Message) -> Incoming {
    Incoming::Message { kind: message.kind(), body: testing::body(message, PLAIN) }
}

#[test]
fn a_short_message_is_one_chunk() {
    let message = Message::MaxClipboard(MaxClipboard::UNLIMITED);
    let chunks: Vec<Bytes> = testing::chunks(&message, PLAIN).collect();
    assert_eq!(chunks, [hex("01000000 0E000000 0000000000000000 04000000 FFFFFFFF")]);
}

#[test]
fn chunks_are_full_but_the_last() {
    for len in [2015, 2016, 2017, 4064, 65536, 100_000] {
        let message = Message::FileXferData(FileXferData::new(1, vec![7; len].into()));
        let chunks: Vec<Bytes> = testing::chunks(&message, PLAIN).collect();
        let (last, full) = chunks.split_last().unwrap();
        assert!(full.iter().all(|chunk| chunk.len() == CHUNK_LEN), "{len}");
        assert!((1..=CHUNK_LEN).contains(&last.len()), "{len}");
        assert_eq!(chunks.concat().len(), MessageHeader::LEN + 12 + len);
    }
    let message = Message::FileXferData(FileXferData::new(1, vec![7; 65536].into()));
    assert_eq!(testing::chunks(&message, PLAIN).count(), 33);
}

#[test]
fn messages_do_not_share_chunks_and_are_not_interleaved() {
    let mut outbox = Outbox::new();
    let file = Message::FileXferData(FileXferData::new(1, vec![7; 5000].into()));
    let short = Message::ClientDisconnected;
    outbox.push(Lane::Files, 1, &file, PLAIN).unwrap();
    outbox.push(Lane::Files, 2, &file, PLAIN).unwrap();
    assert_eq!(outbox.next_chunk().unwrap().done, None);
    assert!(outbox.has_begun());
    outbox.push(Lane::Control, 3, &short, PLAIN).unwrap();
    let order: Vec<u32> =
        std::iter::from_fn(|| outbox.next_chunk()).filter_map(|c| c.done).map(|d| d.1).collect();
    // What has begun is finished, then what a person waits for overtakes the next piece of a file.
    assert_eq!(order, [1, 3, 2]);
    assert!(outbox.is_empty() && outbox.queued(Lane::Files) == 0);
}

#[test]
fn messages_that_have_begun_are_not_dropped() {
    let mut outbox = Outbox::new();
    let file = Message::FileXferData(FileXferData::new(1, vec![7; 5000].into()));
    outbox.push(Lane::Files, 1, &file, PLAIN).unwrap();
    outbox.push(Lane::Control, 0, &Message::ClientDisconnected, PLAIN).unwrap();
    outbox.retain(|_, tag| tag == 1);
    outbox.next_chunk();
    outbox.retain(|_, _| false);
    assert_eq!(outbox.queued(Lane::Files), 20 + 12 + 5000 - CHUNK_LEN);
    assert_eq!(std::iter::from_fn(|| outbox.next_chunk()).count(), 2);
    assert_eq!(outbox.queued(Lane::Files), 0);
}

#[test]
fn a_message_in_one_chunk_is_not_copied() {
    let message = Message::FileXferData(FileXferData::new(1, Bytes::from_static(&[7; 100])));
    let mut chunk = testing::chunks(&message, PLAIN).next().unwrap();
    let data = chunk.slice(20..);
    match Reassembler::new().next(&mut chunk, &Limits::default()).unwrap().unwrap() {
        Incoming::Message { body, .. } => assert_eq!(body.as_ptr(), data.as_ptr()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn several_messages_in_one_chunk_and_split_headers_are_taken() {
    let message = Message::MaxClipboard(MaxClipboard { max: 5 });
    let one = testing::chunks(&message, PLAIN).next().unwrap();
    let three = [&one[..], &one[..], &one[..]].concat();
    for cut in 0..three.len() {
        let mut reassembler = Reassembler::new();
        let mut seen = Vec::new();
        for part in [&three[..cut], &three[cut..]] {
            let mut chunk = Bytes::copy_from_slice(part);
            while let Some(message) = reassembler.next(&mut chunk, &Limits::default()).unwrap() {
                seen.push(message);
            }
        }
        assert_eq!(seen, vec![incoming(&message); 3], "cut at {cut}");
    }
}

#[test]
fn another_protocol_ends_the_stream() {
    let mut reassembler = Reassembler::new();
    let mut chunk = header(2, MessageType::REPLY, 0).freeze();
    let error = reassembler.next(&mut chunk, &Limits::default()).unwrap_err();
    assert!(matches!(error, AgentError::Broken { .. }));
    let mut good = header(1, MessageType::REPLY, 0).freeze();
    assert_eq!(reassembler.next(&mut good, &Limits::default()), Err(error));
}

/// A message of the announced length goes by without being held, and the next one is understood.
fn skipped(limits: &Limits, kind: MessageType, size: u32) -> LimitExceeded {
    let mut reassembler = Reassembler::new();
    let mut chunk = header(1, kind, size).freeze();
    assert_eq!(reassembler.next(&mut chunk, limits), Ok(None));
    let zeros = Bytes::from_static(&[9; 2048]);
    let mut left = size as usize;
    while left > zeros.len() {
        assert_eq!(reassembler.next(&mut zeros.clone(), limits), Ok(None));
        assert!(reassembler.held() <= Reassembler::KEPT);
        left -= zeros.len();
    }
    let next = header(1, MessageType::CLIENT_DISCONNECTED, 0);
    let mut chunk = Bytes::from([&zeros[..left], &next[..]].concat());
    let skipped = reassembler.next(&mut chunk, limits).unwrap().unwrap();
    assert_eq!(reassembler.next(&mut chunk, limits), Ok(Some(incoming(&Message::ClientDisconnected))));
    match skipped {
        Incoming::TooLong { kind: found, limit, head } => {
            assert_eq!((found, &head[..]), (kind, &[9; Reassembler::KEPT][..]));
            limit
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn limit_message_len() {
    let mut limits = Limits::default();
    limits.message_len = 100;
    let exceeded = LimitExceeded { limit: "message_len", value: 101, bound: 100 };
    assert_eq!(skipped(&limits, MessageType(99), 101), exceeded);
}

#[test]
fn limit_clipboard_len() {
    let mut limits = Limits::default();
    limits.clipboard_len = 4000;
    let exceeded = LimitExceeded { limit: "clipboard_len", value: 9992, bound: 4000 };
    assert_eq!(skipped(&limits, MessageType::CLIPBOARD, 10_000), exceeded);
}

#[test]
fn limit_file_data_len() {
    let mut limits = Limits::default();
    limits.file_data_len = 4000;
    let exceeded = LimitExceeded { limit: "file_data_len", value: 4001, bound: 4000 };
    assert_eq!(skipped(&limits, MessageType::FILE_XFER_DATA, 4013), exceeded);
}

#[test]
fn an_announced_length_reserves_no_memory() {
    let mut limits = Limits::default();
    limits.clipboard_len = u32::MAX;
    let mut chunk = header(1, MessageType::CLIPBOARD, u32::MAX);
    chunk.put_slice(&[0; 100]);
    let mut chunk = chunk.freeze();
    let info = allocation_counter::measure(|| {
        let mut reassembler = Reassembler::new();
        assert_eq!(reassembler.next(&mut chunk, &limits), Ok(None));
        assert_eq!(reassembler.held(), 100);
    });
    assert!(info.bytes_max < 100 << 10, "{info:?}");
}

#[test]
fn no_allocation_per_chunk() {
    // What a program does that reads a file into one buffer, and one that writes what it gets.
    let mut outbox = Outbox::new();
    let mut reassembler = Reassembler::new();
    let limits = Limits::default();
    let mut buffer = BytesMut::new();
    let mut pass = |blocks: usize| {
        let mut chunks = 0;
        for _ in 0..blocks {
            buffer.reserve(65536);
            buffer.resize(65536, 1);
            let message = Message::FileXferData(FileXferData::new(1, buffer.split().freeze()));
            outbox.push(Lane::Files, 1, &message, PLAIN).unwrap();
            drop(message);
            while let Some(chunk) = outbox.next_chunk() {
                chunks += 1;
                let mut data = chunk.data;
                while let Some(message) = reassembler.next(&mut data, &limits).unwrap() {
                    assert!(matches!(message, Incoming::Message { body, .. } if body.len() == 65548));
                }
            }
        }
        chunks
    };
    pass(2);
    let info = allocation_counter::measure(|| assert_eq!(pass(100), 3300));
    assert_eq!(info.count_total, 0, "{info:?}");
}

#[test]
fn a_device_stream_gives_its_chunks() {
    let mut input =
        BytesMut::from(&hex("01000000 02000000 AABB  02000000 00000000  02000000 01000000 CC")[..]);
    let mut reader = DeviceReader::new();
    let chunk = reader.split(&mut input).unwrap();
    assert_eq!((chunk.port, &chunk.data[..]), (Port::CLIENT, &[0xAA, 0xBB][..]));
    let chunk = reader.split(&mut input).unwrap();
    assert_eq!((chunk.port, &chunk.data[..]), (Port::SERVER, &[0xCC][..]));
    assert_eq!(reader.split(&mut input), None);
}

#[test]
fn a_chunk_of_any_announced_length_holds_nothing() {
    let mut reader = DeviceReader::new();
    let mut input = BytesMut::from(&hex("01000000 FFFFFFFF AA")[..]);
    assert_eq!(reader.split(&mut input).unwrap().data[..], [0xAA]);
    input.extend_from_slice(&[1, 2, 3]);
    assert_eq!(reader.split(&mut input).unwrap().data[..], [1, 2, 3]);
    assert!(input.is_empty());
}

proptest! {
    #[test]
    fn any_split_of_any_stream_gives_the_same(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        cuts in prop::collection::vec(any::<u8>(), 1..8),
        sane in any::<bool>(),
    ) {
        let mut stream = Vec::new();
        if sane {
            let s = &mut Source::new(&bytes);
            while !s.is_empty() {
                stream.extend(testing::chunks(&testing::message(s, PLAIN), PLAIN).flatten());
            }
            // And one that is above a limit.
            stream.extend_from_slice(&header(1, MessageType(77), 70));
        }
        stream.extend(bytes);
        testing::any_split(&stream, &cuts);
    }

    #[test]
    fn any_split_of_a_device_stream_gives_the_same(
        chunks in prop::collection::vec((0u32..4, prop::collection::vec(any::<u8>(), 0..40)), 0..20),
        cuts in prop::collection::vec(1usize..50, 1..8),
    ) {
        let mut stream = BytesMut::new();
        let mut expected: Vec<(u32, u8)> = Vec::new();
        for (port, data) in &chunks {
            stream.put_u32_le(*port);
            stream.put_u32_le(data.len() as u32);
            stream.put_slice(data);
            expected.extend(data.iter().map(|b| (*port, *b)));
        }
        let (mut reader, mut input, mut seen) = (DeviceReader::new(), BytesMut::new(), Vec::new());
        for cut in cuts.iter().cycle() {
            if stream.is_empty() {
                break;
            }
            let len = (*cut).min(stream.len());
            input.unsplit(stream.split_to(len));
            while let Some(chunk) = reader.split(&mut input) {
                seen.extend(chunk.data.iter().map(|b| (chunk.port.0, *b)));
            }
        }
        prop_assert_eq!(seen, expected);
    }
}
