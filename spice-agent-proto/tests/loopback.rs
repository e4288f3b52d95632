//! A client and an agent that talk to each other over streams that are cut anywhere.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use spice_agent_proto::clipboard::{DataType, Event as ClipboardEvent, Selection};
use spice_agent_proto::file_xfer::{FileXferResult, ReceiveEvent, SendEvent, StatusDetail};
use spice_agent_proto::frame::{DeviceReader, Port};
use spice_agent_proto::monitors::{Monitor, MonitorsConfig};
use spice_agent_proto::msg::MessageType;
use spice_agent_proto::{Client, ClientConfig, Guest, GuestConfig, client, guest};

use crate::peers::put_chunk;

/// Everything that one says and the other must hear.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    /// The file and how it ended.
    file: Vec<u8>,
    outcome: Option<String>,
    /// What was pasted on the one side and on the other.
    in_guest: Option<Bytes>,
    at_client: Option<Bytes>,
    monitors: Option<Vec<Monitor>>,
    replies: usize,
}

/// The dialogue, with the stream to the agent and the chunks to the client cut into pieces of these lengths.
fn dialogue(to_guest: &[u16], to_client: &[u16]) -> Heard {
    let (mut client, mut guest) = (Client::new(ClientConfig::default()), Guest::new(GuestConfig::default()));
    let (mut cuts, mut chunk_cuts) = (to_guest.iter().cycle(), to_client.iter().cycle());
    // What the server holds for the agent, the agent's device, and what the server holds for the client.
    let (mut stream, mut input) = (BytesMut::new(), BytesMut::new());
    let (mut device, mut output) = (DeviceReader::new(), VecDeque::new());
    let (mut from_guest, mut tokens) = (BytesMut::new(), 0u32);
    let file = Bytes::from((0..200_000u32).map(|n| (n * 7) as u8).collect::<Vec<_>>());
    let mut heard = Heard::default();
    client.connected(Some(10));
    loop {
        let mut busy = false;
        while let Some(said) = client.poll_output() {
            busy = true;
            match said {
                client::Output::Start { tokens: granted } => tokens = granted,
                client::Output::Token { tokens: granted } => tokens += granted,
                client::Output::Data(chunk) => put_chunk(&mut stream, Port::CLIENT, &chunk),
            }
        }
        if !stream.is_empty() {
            busy = true;
            let cut = cuts.next().map_or(stream.len(), |cut| usize::from(*cut) + 1);
            input.extend_from_slice(&stream.split_to(cut.min(stream.len())));
            // Servers return tokens when the guest takes something.
            client.add_tokens(1);
        }
        guest.handle_input(&mut input).unwrap();
        while let Some(bytes) = guest.poll_transmit() {
            busy = true;
            from_guest.extend_from_slice(&bytes);
        }
        while let Some(chunk) = device.split(&mut from_guest) {
            output.push_back(chunk.data);
        }
        while tokens > 0
            && let Some(mut chunk) = output.pop_front()
        {
            busy = true;
            tokens -= 1;
            let cut = chunk_cuts.next().map_or(chunk.len(), |cut| usize::from(*cut) + 1);
            client.handle_data(chunk.split_to(cut.min(chunk.len())));
            if !chunk.is_empty() {
                output.push_front(chunk);
            }
        }
        while let Some(event) = client.poll_event() {
            busy = true;
            match event {
                client::Event::Ready(_) => {
                    client.file_send("file", file.len() as u64).unwrap();
                    client.clipboard_grab(Selection::Clipboard, &[DataType::UTF8_TEXT]).unwrap();
                    let monitors = [Monitor::new(1280, 720), Monitor::new(800, 600).at(1280, 0)];
                    client.set_monitors(MonitorsConfig::new(&monitors, true).unwrap()).unwrap();
                }
                client::Event::File(SendEvent::Wanted { id, offset, len }) => {
                    client.file_data(id, file.slice(offset as usize..offset as usize + len)).unwrap();
                }
                client::Event::File(SendEvent::Ended { outcome, .. }) => {
                    heard.outcome = Some(format!("{outcome:?}"));
                }
                client::Event::Clipboard(ClipboardEvent::Requested { selection, kind }) => {
                    client.clipboard_answer(selection, kind, "from the client".into()).unwrap();
                }
                client::Event::Clipboard(ClipboardEvent::Grabbed { selection, types }) => {
                    client.clipboard_request(selection, types[0]).unwrap();
                }
                client::Event::Clipboard(ClipboardEvent::Content { data, .. }) => {
                    heard.at_client = Some(data)
                }
                client::Event::Reply(_) => heard.replies += 1,
                client::Event::File(_) | client::Event::Clipboard(ClipboardEvent::Released { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
        while let Some(event) = guest.poll_event() {
            busy = true;
            match event {
                guest::Event::File(ReceiveEvent::Offered { id, .. }) => guest.file_accept(id).unwrap(),
                guest::Event::File(ReceiveEvent::Data { data, .. }) => heard.file.extend_from_slice(&data),
                guest::Event::File(ReceiveEvent::Complete { id }) => {
                    guest.file_finish(id, FileXferResult::SUCCESS, StatusDetail::None).unwrap();
                }
                guest::Event::Clipboard(ClipboardEvent::Grabbed { selection, types }) => {
                    guest.clipboard_request(selection, types[0]).unwrap();
                }
                guest::Event::Clipboard(ClipboardEvent::Content { selection, data, .. }) => {
                    heard.in_guest = Some(data);
                    // An application in the guest copies something of its own, longer than a chunk.
                    guest.clipboard_grab(selection, &[DataType::IMAGE_PNG]).unwrap();
                }
                guest::Event::Clipboard(ClipboardEvent::Requested { selection, kind }) => {
                    guest.clipboard_answer(selection, kind, file.slice(..70_000)).unwrap();
                }
                guest::Event::Monitors(monitors) => {
                    heard.monitors = Some(monitors.monitors().iter().collect());
                    guest.reply(MessageType::MONITORS_CONFIG, true).unwrap();
                }
                _ => {}
            }
        }
        if !busy {
            return heard;
        }
    }
}

#[test]
fn all_is_heard_whole() {
    let heard = dialogue(&[u16::MAX], &[u16::MAX]);
    assert_eq!(heard.file, (0..200_000u32).map(|n| (n * 7) as u8).collect::<Vec<_>>());
    assert_eq!(heard.outcome.as_deref(), Some("Success"));
    assert_eq!(heard.in_guest.as_deref(), Some(&b"from the client"[..]));
    assert_eq!(heard.at_client.as_deref(), Some(&heard.file[..70_000]));
    let monitors = [Monitor::new(1280, 720), Monitor::new(800, 600).at(1280, 0)];
    assert_eq!(heard.monitors.as_deref(), Some(&monitors[..]));
    assert_eq!(heard.replies, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_split_is_heard_the_same(
        to_guest in prop::collection::vec(prop_oneof![Just(0), 0..40u16, any::<u16>()], 1..20),
        to_client in prop::collection::vec(prop_oneof![Just(0), 0..40u16, any::<u16>()], 1..20),
    ) {
        // Every cut costs a turn: mostly single bytes would take long.
        let to_guest: Vec<u16> = to_guest.into_iter().chain([5000]).collect();
        let to_client: Vec<u16> = to_client.into_iter().chain([2000]).collect();
        prop_assert_eq!(dialogue(&to_guest, &to_client), dialogue(&[u16::MAX], &[u16::MAX]));
    }
}
