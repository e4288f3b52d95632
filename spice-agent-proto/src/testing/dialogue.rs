//! Both machines against peers that say and do anything.

use alloc::collections::BTreeSet;

use bytes::{BufMut, Bytes, BytesMut};
use spice_proto::testing::Source;

use super::{LAYOUTS, chunks, message};
use crate::caps::{AgentCaps, AnnounceCapabilities};
use crate::client::{self, Client, ClientConfig, Output};
use crate::clipboard::{DataType, LineEnds, Selection};
use crate::file_xfer::{FileXferResult, FileXferStatus, ReceiveEvent, SendEvent, StatusDetail, check_path};
use crate::frame::{CHUNK_LEN, ChunkHeader, MessageHeader, PROTOCOL, Port};
use crate::guest::{self, Guest, GuestConfig};
use crate::monitors::{Monitor, MonitorsConfig};
use crate::msg::{Message, MessageType};

/// What servers check of the chunks that they get, across all agents that come and go.
#[derive(Clone, Debug, Default)]
pub struct Framing {
    left: usize,
}

impl Framing {
    /// Checks the next chunk.
    ///
    /// # Panics
    /// When a server would close the channel over it.
    pub fn check(&mut self, chunk: &[u8]) {
        assert!((1..=CHUNK_LEN).contains(&chunk.len()), "a chunk of {} bytes", chunk.len());
        if self.left == 0 {
            let header =
                chunk.first_chunk::<{ MessageHeader::LEN }>().expect("the first chunk has the header");
            assert_eq!(header[..4], PROTOCOL.to_le_bytes());
            let size = u32::from_le_bytes([header[16], header[17], header[18], header[19]]);
            self.left = MessageHeader::LEN + size as usize;
        }
        assert!(chunk.len() <= self.left, "two messages in one chunk");
        assert!(chunk.len() == self.left || chunk.len() == CHUNK_LEN, "a short chunk inside a message");
        self.left -= chunk.len();
    }

    /// Whether a message has begun but not ended.
    pub fn is_inside(&self) -> bool {
        self.left > 0
    }
}

/// A client does not fail, breaks no rule of the server's and loses no transfer, whatever agent, server and
/// application do; `bytes` choose it.
///
/// # Panics
/// When that does not hold.
pub fn client_dialogue(bytes: &[u8]) {
    let s = &mut Source::new(bytes);
    let line_ends = if s.byte() & 1 == 0 { LineEnds::Lf } else { LineEnds::CrLf };
    let mut config = ClientConfig { line_ends, ..ClientConfig::default() };
    config.limits.receive_tokens = 1 + u32::from(s.byte() % 8);
    config.limits.queued_events = 4;
    config.limits.queued_answers = 4;
    config.limits.clipboard_len = 64;
    config.limits.message_len = 300;
    let limits = config.limits.clone();
    let mut client = Client::new(config);
    let (mut framing, mut started, mut tokens, mut granted) = (Framing::default(), false, 0u32, 0u32);
    let mut live = BTreeSet::new();
    while !s.is_empty() {
        match s.below(15) {
            0 | 1 => {
                let count = (s.byte() & 3 != 0).then(|| u32::from(s.byte()));
                client.connected(count);
                tokens = count.unwrap_or(tokens);
                started = false;
            }
            2 => client.disconnected(),
            3 => {
                let count = u32::from(s.byte());
                client.add_tokens(count);
                tokens += count;
            }
            4 => {
                let caps = AgentCaps::from_bits_retain(u32::from_le_bytes([s.byte(), s.byte(), s.byte(), 0]));
                let caps = if s.byte() & 1 == 0 { AgentCaps::AGENT } else { caps };
                let announce = AnnounceCapabilities::new(s.byte() & 1 == 0, caps);
                granted = said(&mut client, granted, &Message::AnnounceCapabilities(announce));
            }
            5 | 6 => {
                let layout = LAYOUTS[s.below(4)];
                granted = said(&mut client, granted, &message(s, layout));
            }
            7 if granted > 0 => {
                granted -= 1;
                client.handle_data(s.payload());
            }
            13 if granted > 0 => {
                granted -= 1;
                client.handle_data(announced(s));
            }
            8 => {
                let status =
                    FileXferStatus::new(u32::from(s.byte() % 4), FileXferResult(u32::from(s.byte() % 9)));
                granted = said(&mut client, granted, &Message::FileXferStatus(status));
            }
            9 => {
                let (selection, kind) = (Selection::ALL[s.below(3)], DataType(u32::from(s.byte() % 8)));
                let _ = match s.below(5) {
                    0 => client.clipboard_grab(selection, &[kind, DataType::UTF8_TEXT]),
                    1 => client.clipboard_release(selection),
                    2 => client.clipboard_request(selection, kind),
                    3 => client.clipboard_answer(selection, kind, s.payload()),
                    _ => {
                        client.clipboard_forget_request(selection);
                        Ok(())
                    }
                };
            }
            10 => {
                if let Ok(id) = client.file_send("name", u64::from(s.byte()) * 50) {
                    assert!(live.insert(id), "a number is used again");
                }
            }
            11 => {
                let id = u32::from(s.byte() % 8);
                let _ = match s.below(3) {
                    0 => client.file_cancel(id),
                    1 => client.file_fail(id),
                    _ => client.file_data(id, Bytes::from_static(&[7; 5000]).slice(..s.below(5001))),
                };
            }
            12 => {
                let monitors = [Monitor::new(u32::from(s.byte()), 4), Monitor::DISABLED];
                let _ =
                    MonitorsConfig::new(&monitors, true).and_then(|monitors| client.set_monitors(monitors));
            }
            _ => {}
        }
        for _ in 0..s.byte() % 8 {
            match client.poll_output() {
                Some(Output::Start { tokens }) => {
                    started = true;
                    granted = tokens;
                }
                Some(Output::Token { tokens }) => {
                    assert!(started, "tokens before the start");
                    granted += tokens;
                    assert!(granted <= limits.receive_tokens);
                }
                Some(Output::Data(chunk)) => {
                    assert!(started, "data before the start");
                    tokens = tokens.checked_sub(1).expect("every chunk has a token");
                    framing.check(&chunk);
                }
                None => break,
            }
        }
        for _ in 0..s.byte() % 4 {
            match client.poll_event() {
                Some(client::Event::File(SendEvent::Wanted { id, len, .. })) => {
                    let _ = client.file_data(id, Bytes::from_static(&[7; 5000]).slice(..len.min(5000)));
                }
                Some(client::Event::File(SendEvent::Ended { id, .. })) => {
                    assert!(live.remove(&id), "a transfer ends once");
                }
                Some(client::Event::Broken(_)) => granted = 0,
                Some(_) => {}
                None => break,
            }
        }
    }
    client.disconnected();
    while let Some(event) = client.poll_event() {
        if let client::Event::File(SendEvent::Ended { id, .. }) = event {
            assert!(live.remove(&id), "a transfer ends once");
        }
    }
    assert!(live.is_empty(), "every transfer ends");
}

/// The agent says something, as far as the client has granted tokens for it.
fn said(client: &mut Client, granted: u32, message: &Message) -> u32 {
    let layout = LAYOUTS
        [if client.caps().is_some_and(|caps| caps.contains(AgentCaps::CLIPBOARD_SELECTION)) { 3 } else { 0 }];
    let mut left = granted;
    if let Message::ClipboardGrab(_) | Message::Clipboard(_) | Message::ClipboardRequest(_) = message
        && message.encode(layout, &mut BytesMut::new()).is_err()
    {
        return left;
    }
    if let Message::ClipboardRelease(_) = message {
        return left;
    }
    for chunk in chunks(message, layout) {
        if left == 0 {
            break;
        }
        left -= 1;
        client.handle_data(chunk);
    }
    left
}

/// An agent does not fail, and keeps its folder to itself, whatever client, server and
/// application do; `bytes` choose it.
///
/// # Panics
/// When that does not hold.
pub fn guest_dialogue(bytes: &[u8]) {
    let s = &mut Source::new(bytes);
    let mut config = GuestConfig::default();
    config.limits.queued_events = 4;
    config.limits.queued_answers = 4;
    config.limits.transfers = 3;
    config.limits.file_data_len = 16;
    config.limits.message_len = 300;
    let mut guest = Guest::new(config);
    let mut input = BytesMut::new();
    let mut framing = Framing::default();
    while !s.is_empty() {
        match s.below(9) {
            0 => {
                let caps = if s.byte() & 1 == 0 { AgentCaps::CLIENT } else { AgentCaps::empty() };
                let announce = AnnounceCapabilities::new(s.byte() & 1 == 0, caps);
                put(&mut input, Port::CLIENT, &Message::AnnounceCapabilities(announce));
            }
            1 | 2 => {
                let port = if s.byte() & 3 == 0 { Port::SERVER } else { Port::CLIENT };
                let message = message(s, LAYOUTS[3]);
                put(&mut input, port, &message);
            }
            3 => {
                let metadata =
                    crate::file_xfer::Metadata { name: "a/b".into(), size: (s.byte() % 32).into() };
                let start = crate::file_xfer::FileXferStart::new(u32::from(s.byte() % 5), &metadata);
                put(&mut input, Port::CLIENT, &Message::FileXferStart(start));
            }
            4 => {
                let data = crate::file_xfer::FileXferData::new(u32::from(s.byte() % 5), s.payload());
                put(&mut input, Port::CLIENT, &Message::FileXferData(data));
            }
            5 => {
                let (selection, kind) = (Selection::ALL[s.below(3)], DataType(u32::from(s.byte() % 8)));
                let _ = match s.below(4) {
                    0 => guest.clipboard_grab(selection, &[kind]),
                    1 => guest.clipboard_release(selection),
                    2 => guest.clipboard_request(selection, kind),
                    _ => guest.clipboard_answer(selection, kind, s.payload()),
                };
            }
            6 if s.byte() == 0 => input.extend_from_slice(&s.payload()),
            7 => put_chunk(&mut input, Port::CLIENT, &announced(s)),
            _ => {
                let id = u32::from(s.byte() % 5);
                let result = FileXferResult(u32::from(s.byte() % 8));
                let _ = match s.byte() & 1 {
                    0 => guest.file_accept(id),
                    _ => guest.file_finish(id, result, StatusDetail::Io { code: 1 }),
                };
                let _ = guest.reply(MessageType::MONITORS_CONFIG, true);
            }
        }
        let fine = guest.handle_input(&mut input).is_ok();
        for _ in 0..s.byte() % 8 {
            let Some(bytes) = guest.poll_transmit() else { break };
            let (header, chunk) = bytes.split_at(ChunkHeader::LEN);
            assert_eq!(header[..4], Port::CLIENT.0.to_le_bytes());
            assert_eq!(header[4..], (chunk.len() as u32).to_le_bytes());
            framing.check(chunk);
        }
        for _ in 0..s.byte() % 8 {
            match guest.poll_event() {
                Some(guest::Event::File(ReceiveEvent::Offered { path, .. })) => {
                    assert_eq!(check_path(&path), Ok(()));
                }
                Some(_) => {}
                None => break,
            }
        }
        if !fine {
            return;
        }
    }
}

fn put(input: &mut BytesMut, port: Port, message: &Message) {
    for chunk in chunks(message, LAYOUTS[3]) {
        put_chunk(input, port, &chunk);
    }
}

fn put_chunk(input: &mut BytesMut, port: Port, chunk: &[u8]) {
    input.put_u32_le(port.0);
    input.put_u32_le(chunk.len() as u32);
    input.extend_from_slice(chunk);
}

/// The beginning of a message that announces any length, whatever follows.
fn announced(s: &mut Source<'_>) -> Bytes {
    let kind = u32::from(s.byte() % 18);
    // Every order of magnitude, and the bounds themselves.
    let size = u32::MAX.checked_shr(s.byte().into()).unwrap_or(0).wrapping_sub((s.byte() & 1).into());
    let mut chunk = BytesMut::new();
    [PROTOCOL, kind, 0, 0, size].into_iter().for_each(|word| chunk.put_u32_le(word));
    chunk.extend_from_slice(&s.payload());
    chunk.freeze()
}
