//! File transfer: both machines, every way a transfer can go.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use spice_agent_proto::client::Event as ClientEvent;
use spice_agent_proto::file_xfer::{
    Abort, FileXferData, FileXferResult, FileXferStart, FileXferStatus, Metadata, MetadataError, NameError,
    Outcome, ReceiveEvent, SendEvent, StatusDetail, check_name, check_path,
};
use spice_agent_proto::guest::Event as GuestEvent;
use spice_agent_proto::msg::Message;
use spice_agent_proto::{AgentCaps, AgentError, ClientConfig, LimitExceeded, Unavailable, testing};
use spice_proto::wire::Rest;

use crate::peers::{LoneClient, LoneGuest, Pair};

fn status(id: u32, result: FileXferResult) -> Message {
    Message::FileXferStatus(FileXferStatus::new(id, result))
}

fn detailed(id: u32, result: FileXferResult, detail: StatusDetail) -> Message {
    Message::FileXferStatus(FileXferStatus::with_detail(id, result, detail))
}

fn start(id: u32, name: &str, size: u64) -> Message {
    Message::FileXferStart(FileXferStart::new(id, &Metadata { name: name.into(), size }))
}

fn data(id: u32, data: impl Into<Bytes>) -> Message {
    Message::FileXferData(FileXferData::new(id, data.into()))
}

fn wanted(id: u32, offset: u64, len: usize) -> SendEvent {
    SendEvent::Wanted { id, offset, len }
}

fn progress(id: u32, sent: u64, size: u64) -> SendEvent {
    SendEvent::Progress { id, sent, size }
}

fn ended(id: u32, outcome: Outcome) -> SendEvent {
    SendEvent::Ended { id, outcome }
}

fn aborted(id: u32, why: Abort) -> ReceiveEvent {
    ReceiveEvent::Aborted { id, why }
}

impl LoneClient {
    fn file_events(&mut self) -> Vec<SendEvent> {
        let file = |event| match event {
            ClientEvent::File(event) => event,
            other => panic!("{other:?}"),
        };
        self.events().into_iter().map(file).collect()
    }

    /// A client that has announced a file of `size` bytes as number 1.
    fn announced(size: u64) -> Self {
        let mut this = Self::ready(AgentCaps::AGENT);
        assert_eq!(this.client.file_send("a.bin", size), Ok(1));
        assert_eq!(this.said(), [start(1, "a.bin", size)]);
        this
    }

    /// The same, and the agent takes it.
    fn sending(size: u64) -> Self {
        let mut this = Self::announced(size);
        this.says(&status(1, FileXferResult::CAN_SEND_DATA));
        this
    }
}

impl LoneGuest {
    fn file_events(&mut self) -> Vec<ReceiveEvent> {
        let file = |event| match event {
            GuestEvent::File(event) => event,
            other => panic!("{other:?}"),
        };
        self.events().into_iter().map(file).collect()
    }

    /// An agent that takes a file of `size` bytes as number 1.
    fn accepted(size: u64) -> Self {
        let mut this = Self::ready(AgentCaps::CLIENT);
        this.says(&start(1, "a.bin", size));
        assert_eq!(this.file_events(), [ReceiveEvent::Offered { id: 1, path: "a.bin".into(), size }]);
        this.guest.file_accept(1).unwrap();
        assert_eq!(this.said(), [status(1, FileXferResult::CAN_SEND_DATA)]);
        this
    }
}

/// Sends files through a pair and gives what arrived; `at_event` sees the client's events first.
fn transfer(pair: &mut Pair, files: &BTreeMap<u32, Bytes>) -> BTreeMap<u32, (Vec<u8>, Option<Outcome>)> {
    let mut got: BTreeMap<u32, (Vec<u8>, Option<Outcome>)> = BTreeMap::new();
    loop {
        let busy = pair.step();
        while let Some(event) = pair.client_events.pop_front() {
            match event {
                ClientEvent::File(SendEvent::Wanted { id, offset, len }) => {
                    let piece = files[&id].slice(offset as usize..offset as usize + len);
                    pair.client.file_data(id, piece).unwrap();
                }
                ClientEvent::File(SendEvent::Ended { id, outcome }) => {
                    got.get_mut(&id).unwrap().1 = Some(outcome)
                }
                ClientEvent::File(SendEvent::Progress { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
        while let Some(event) = pair.guest_events.pop_front() {
            match event {
                GuestEvent::File(ReceiveEvent::Offered { id, .. }) => {
                    pair.guest.file_accept(id).unwrap();
                    got.insert(id, (Vec::new(), None));
                }
                GuestEvent::File(ReceiveEvent::Data { id, data }) => {
                    got.get_mut(&id).unwrap().0.extend(&data)
                }
                GuestEvent::File(ReceiveEvent::Complete { id }) => {
                    pair.guest.file_finish(id, FileXferResult::SUCCESS, StatusDetail::None).unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
        if !busy {
            return got;
        }
    }
}

#[test]
fn several_files_at_once_arrive_whole() {
    let mut pair = Pair::ready();
    let mut files = BTreeMap::new();
    for (index, size) in [0, 1, 65535, 65536, 65537, 300_000, 3, 0].into_iter().enumerate() {
        let content: Bytes = (0..size).map(|at| (at * 7 + index) as u8).collect();
        let id = pair.client.file_send(&format!("{index}.bin"), size as u64).unwrap();
        files.insert(id, content);
    }
    let got = transfer(&mut pair, &files);
    for (id, content) in files {
        assert_eq!(got[&id].0, content, "{id}");
        assert_eq!(got[&id].1, Some(Outcome::Success), "{id}");
    }
    // No more than the tokens allowed was ever under way.
    assert!(pair.largest_backlog <= 10);
}

#[test]
fn a_piece_is_wanted_when_the_one_before_is_on_its_way() {
    let mut lone = LoneClient::sending(100_000);
    assert_eq!(lone.file_events(), [wanted(1, 0, 65536)]);
    lone.client.file_data(1, vec![1; 65536].into()).unwrap();
    assert_eq!(lone.file_events(), []);
    assert_eq!(lone.said(), [data(1, vec![1; 65536])]);
    assert_eq!(lone.file_events(), [progress(1, 65536, 100_000), wanted(1, 65536, 34464)]);
    // Pieces may be shorter than wanted.
    lone.client.file_data(1, vec![1; 464].into()).unwrap();
    lone.said();
    assert_eq!(lone.file_events(), [progress(1, 66000, 100_000), wanted(1, 66000, 34000)]);
    lone.client.file_data(1, vec![1; 34000].into()).unwrap();
    assert_eq!(lone.said(), [data(1, vec![1; 34000])]);
    // Nothing follows the last piece.
    assert_eq!(lone.file_events(), [progress(1, 100_000, 100_000)]);
    lone.says(&status(1, FileXferResult::SUCCESS));
    assert_eq!(lone.file_events(), [ended(1, Outcome::Success)]);
    assert!(lone.said().is_empty());
}

#[test]
fn an_empty_file_is_one_empty_piece() {
    let mut lone = LoneClient::sending(0);
    assert_eq!(lone.said(), [data(1, vec![])]);
    assert_eq!(lone.file_events(), [progress(1, 0, 0)]);
    lone.says(&status(1, FileXferResult::SUCCESS));
    assert_eq!(lone.file_events(), [ended(1, Outcome::Success)]);

    let mut lone = LoneGuest::accepted(0);
    assert_eq!(lone.file_events(), []);
    lone.says(&data(1, vec![]));
    assert_eq!(lone.file_events(), [ReceiveEvent::Complete { id: 1 }]);
}

#[test]
fn files_above_4_gib_are_sent_whole() {
    let size = (4u64 << 30) + 70_000;
    let mut config = ClientConfig::default();
    // Pieces larger than real ones, to get there sooner.
    config.limits.file_block = 1 << 30;
    let mut lone = LoneClient::ready_with(AgentCaps::AGENT, config);
    lone.client.file_send("large.iso", size).unwrap();
    assert_eq!(lone.said(), [start(1, "large.iso", size)]);
    lone.says(&status(1, FileXferResult::CAN_SEND_DATA));
    let block = Bytes::from(vec![0; 1 << 30]);
    let (mut sent, mut bodies) = (0, 0);
    while sent < size {
        let [.., SendEvent::Wanted { offset, len, .. }] = lone.file_events()[..] else { panic!() };
        assert_eq!(offset, sent);
        lone.client.file_data(1, block.slice(..len)).unwrap();
        while let Some(output) = lone.client.poll_output() {
            bodies += usize::from(matches!(output, spice_agent_proto::client::Output::Data(_)));
        }
        sent += len as u64;
    }
    assert!(bodies > (size / 2048) as usize);
    assert_eq!(lone.file_events(), [progress(1, size, size)]);
    lone.says(&status(1, FileXferResult::SUCCESS));
    assert_eq!(lone.file_events(), [ended(1, Outcome::Success)]);
}

#[test]
fn numbers_count_up_from_1_and_are_not_used_again() {
    let mut lone = LoneClient::announced(5);
    lone.client.file_cancel(1).unwrap();
    assert_eq!(lone.client.file_send("b", 5), Ok(2));
    assert_eq!(lone.client.file_send("c", 5), Ok(3));
}

// Ends

#[test]
fn every_failure_of_the_guest_ends_the_transfer_with_its_detail() {
    for (result, detail, sentence) in [
        (FileXferResult::ERROR, StatusDetail::None, "could not write it: check"),
        (FileXferResult::ERROR, StatusDetail::Io { code: 31 }, "(GIOErrorEnum 31)"),
        (FileXferResult::NOT_ENOUGH_SPACE, StatusDetail::None, "has no room for it"),
        (FileXferResult::NOT_ENOUGH_SPACE, StatusDetail::FreeSpace(12345), "only 12345 bytes left"),
        (FileXferResult::SESSION_LOCKED, StatusDetail::None, "unlock it"),
        (FileXferResult::VDAGENT_NOT_CONNECTED, StatusDetail::None, "log in"),
        (FileXferResult::DISABLED, StatusDetail::None, "takes no files"),
        (FileXferResult(99), StatusDetail::None, "answered FileXferResult(99)"),
    ] {
        for mut lone in [LoneClient::announced(5), LoneClient::sending(5)] {
            lone.events();
            lone.says(&detailed(1, result, detail));
            let outcome = Outcome::Failed { result, detail };
            assert!(outcome.to_string().contains(sentence), "{outcome}");
            assert_eq!(lone.file_events(), [ended(1, outcome)]);
            // The agent knows; it is not told.
            assert_eq!(lone.said(), []);
        }
    }
}

#[test]
fn the_guest_may_cancel() {
    let mut lone = LoneClient::sending(5);
    lone.events();
    lone.says(&status(1, FileXferResult::CANCELLED));
    assert_eq!(lone.file_events(), [ended(1, Outcome::CancelledByGuest)]);
    assert_eq!(lone.client.file_data(1, Bytes::from_static(b"x")), Err(Unavailable::NoSuchTransfer.into()));
    assert_eq!(lone.said(), []);
}

#[test]
fn a_success_before_the_end_is_a_failure() {
    let mut lone = LoneClient::sending(5);
    lone.events();
    lone.says(&status(1, FileXferResult::SUCCESS));
    assert_eq!(lone.file_events(), [ended(1, Outcome::EarlySuccess)]);
}

#[test]
fn a_second_permission_means_nothing() {
    let mut lone = LoneClient::sending(5);
    assert_eq!(lone.file_events(), [wanted(1, 0, 5)]);
    lone.says(&status(1, FileXferResult::CAN_SEND_DATA));
    assert_eq!(lone.file_events(), []);
}

#[test]
fn a_status_for_an_unknown_transfer_is_ignored() {
    let mut lone = LoneClient::ready(AgentCaps::AGENT);
    lone.says(&status(7, FileXferResult::CAN_SEND_DATA));
    lone.says(&status(7, FileXferResult::ERROR));
    assert!(lone.events().is_empty() && lone.said().is_empty());
}

#[test]
fn cancelling_tells_the_guest_without_detail() {
    let mut lone = LoneClient::sending(100_000);
    lone.events();
    lone.client.file_cancel(1).unwrap();
    assert_eq!(lone.file_events(), [ended(1, Outcome::CancelledHere)]);
    let said = lone.said();
    assert_eq!(said, [status(1, FileXferResult::CANCELLED)]);
    // The Linux agent wants exactly 8 bytes.
    assert_eq!(testing::body(&said[0], lone.layout).len(), 8);
    assert_eq!(lone.client.file_cancel(1), Err(Unavailable::NoSuchTransfer.into()));
}

#[test]
fn a_read_error_tells_the_guest() {
    let mut lone = LoneClient::sending(100_000);
    lone.events();
    lone.client.file_fail(1).unwrap();
    assert_eq!(lone.file_events(), [ended(1, Outcome::FailedHere)]);
    assert_eq!(lone.said(), [status(1, FileXferResult::ERROR)]);
}

#[test]
fn cancelling_drops_what_has_not_begun() {
    let mut lone = LoneClient::sending(100_000);
    lone.client.file_data(1, vec![1; 65536].into()).unwrap();
    lone.client.file_cancel(1).unwrap();
    assert_eq!(lone.said(), [status(1, FileXferResult::CANCELLED)]);
    // A file that was never announced needs no end.
    let id = lone.client.file_send("b", 5).unwrap();
    lone.client.file_cancel(id).unwrap();
    assert_eq!(lone.said(), []);
}

#[test]
fn cancelling_finishes_what_has_begun() {
    let mut lone = LoneClient::sending(100_000);
    lone.client.set_tokens(1);
    lone.client.file_data(1, vec![1; 65536].into()).unwrap();
    let first = lone.client.poll_output().unwrap();
    assert_eq!(lone.client.poll_output(), None);
    lone.client.file_cancel(1).unwrap();
    lone.client.set_tokens(u32::MAX);
    let mut bodies = vec![first];
    bodies.extend(std::iter::from_fn(|| lone.client.poll_output()));
    // The piece in 33 bodies, and the status in one.
    assert_eq!(bodies.len(), 34);
}

#[test]
fn the_clipboard_overtakes_files() {
    use spice_agent_proto::clipboard::{ClipboardGrab, DataType, Selection};
    let mut lone = LoneClient::ready(AgentCaps::AGENT);
    for id in 1..=3 {
        lone.client.file_send(&id.to_string(), 65536).unwrap();
        lone.said();
        lone.says(&status(id, FileXferResult::CAN_SEND_DATA));
    }
    for id in 1..=3 {
        lone.client.file_data(id, vec![1; 65536].into()).unwrap();
    }
    lone.client.clipboard_grab(Selection::Clipboard, &[DataType::UTF8_TEXT]).unwrap();
    let types = [DataType::UTF8_TEXT].into_iter().collect();
    let grab = ClipboardGrab { selection: Selection::Clipboard, serial: 0, types };
    assert_eq!(lone.said()[0], Message::ClipboardGrab(grab));
}

#[test]
fn an_agent_that_goes_fails_all_transfers() {
    let mut lone = LoneClient::sending(5);
    lone.client.file_send("b", 5).unwrap();
    lone.events();
    lone.client.disconnected();
    let gone = [1, 2].map(|id| ClientEvent::File(ended(id, Outcome::Disconnected)));
    assert_eq!(lone.events(), [gone.to_vec(), vec![ClientEvent::Gone]].concat());
    assert_eq!(lone.client.file_send("c", 5), Err(Unavailable::NoAgent.into()));
    assert_eq!(lone.client.file_cancel(1), Err(Unavailable::NoSuchTransfer.into()));
}

#[test]
fn no_file_is_sent_where_none_is_taken() {
    let mut lone = LoneClient::ready(AgentCaps::AGENT | AgentCaps::FILE_XFER_DISABLED);
    assert_eq!(lone.client.file_send("a", 5), Err(Unavailable::FileXferDisabled.into()));
    assert_eq!(lone.said(), []);
}

#[test]
fn pieces_are_taken_only_as_wanted() {
    let mut lone = LoneClient::announced(5);
    let misuse = |result| assert!(matches!(result, Err(AgentError::Misuse(_))), "{result:?}");
    misuse(lone.client.file_data(1, Bytes::from_static(b"x")));
    lone.says(&status(1, FileXferResult::CAN_SEND_DATA));
    misuse(lone.client.file_data(1, Bytes::new()));
    misuse(lone.client.file_data(1, Bytes::from_static(b"123456")));
    lone.client.file_data(1, Bytes::from_static(b"12345")).unwrap();
    misuse(lone.client.file_data(1, Bytes::from_static(b"x")));
}

// The guest's side

#[test]
fn a_received_file_ends_with_success() {
    let mut lone = LoneGuest::accepted(5);
    lone.says(&data(1, &b"12"[..]));
    lone.says(&data(1, &b""[..]));
    lone.says(&data(1, &b"345"[..]));
    let piece = |data: &'static [u8]| ReceiveEvent::Data { id: 1, data: Bytes::from_static(data) };
    assert_eq!(lone.file_events(), [piece(b"12"), piece(b"345"), ReceiveEvent::Complete { id: 1 }]);
    // An empty piece behind the last one, as some clients send it.
    lone.says(&data(1, &b""[..]));
    lone.guest.file_finish(1, FileXferResult::SUCCESS, StatusDetail::None).unwrap();
    lone.says(&data(1, &b""[..]));
    assert_eq!(lone.said(), [status(1, FileXferResult::SUCCESS)]);
    assert_eq!(lone.file_events(), []);
}

#[test]
fn a_transfer_does_not_succeed_before_its_end() {
    let mut lone = LoneGuest::accepted(5);
    let early = lone.guest.file_finish(1, FileXferResult::SUCCESS, StatusDetail::None);
    assert!(matches!(early, Err(AgentError::Misuse(_))));
    let again = lone.guest.file_accept(1);
    assert!(matches!(again, Err(AgentError::Misuse(_))));
}

#[test]
fn an_offer_can_be_refused_with_detail() {
    for (caps, expected) in [
        (AgentCaps::CLIENT, detailed(1, FileXferResult::NOT_ENOUGH_SPACE, StatusDetail::FreeSpace(9))),
        (AgentCaps::CLIENT - AgentCaps::FILE_XFER_DETAILED_ERRORS, status(1, FileXferResult::ERROR)),
    ] {
        let mut lone = LoneGuest::ready(caps);
        lone.says(&start(1, "a", 10));
        let (result, detail) = (FileXferResult::NOT_ENOUGH_SPACE, StatusDetail::FreeSpace(9));
        lone.guest.file_finish(1, result, detail).unwrap();
        assert_eq!(lone.said(), [expected]);
    }
}

#[test]
fn more_than_announced_or_another_length_ends_the_transfer() {
    let wrong_size = FileXferData { id: 1, size: 9, data: Rest(Bytes::from_static(b"12")) };
    let huge_size = FileXferData { id: 1, size: u64::MAX, data: Rest(Bytes::from_static(b"12")) };
    for message in
        [data(1, &b"123456"[..]), Message::FileXferData(wrong_size), Message::FileXferData(huge_size)]
    {
        let mut lone = LoneGuest::accepted(5);
        lone.says(&message);
        assert!(matches!(lone.file_events()[..], [ReceiveEvent::Aborted { id: 1, why: Abort::Broken(_) }]));
        assert_eq!(lone.said(), [status(1, FileXferResult::ERROR)]);
        lone.says(&data(1, &b"1"[..]));
        assert!(lone.events().is_empty() && lone.said().is_empty());
    }
}

#[test]
fn nothing_is_taken_before_the_file_is_accepted() {
    let mut lone = LoneGuest::ready(AgentCaps::CLIENT);
    lone.says(&start(1, "a", 5));
    lone.events();
    lone.says(&data(1, &b"12345"[..]));
    assert!(matches!(lone.file_events()[..], [ReceiveEvent::Aborted { .. }]));
    assert_eq!(lone.said(), [status(1, FileXferResult::ERROR)]);
    assert_eq!(lone.guest.file_accept(1), Err(Unavailable::NoSuchTransfer.into()));
}

#[test]
fn a_number_in_use_is_refused_while_its_transfer_goes_on() {
    let mut lone = LoneGuest::accepted(1);
    lone.says(&start(1, "b", 5));
    assert_eq!(lone.said(), [status(1, FileXferResult::ERROR)]);
    lone.says(&data(1, &b"x"[..]));
    assert_eq!(lone.file_events().last(), Some(&ReceiveEvent::Complete { id: 1 }));
}

#[test]
fn the_client_may_cancel_or_fail() {
    for (result, why) in
        [(FileXferResult::CANCELLED, Abort::Cancelled), (FileXferResult::ERROR, Abort::ClientFailed)]
    {
        let mut lone = LoneGuest::accepted(5);
        lone.says(&status(1, result));
        assert_eq!(lone.file_events(), [aborted(1, why)]);
        assert_eq!(lone.said(), []);
    }
}

#[test]
fn both_sides_may_cancel_at_once() {
    let mut pair = Pair::ready();
    let id = pair.client.file_send("name", 1_000_000).unwrap();
    pair.run();
    pair.guest.file_accept(id).unwrap();
    pair.run();
    pair.client_events.clear();
    pair.guest_events.clear();
    // Neither has heard of the other's when it says so; each has its own end, once, and what crosses is ignored.
    pair.client.file_cancel(id).unwrap();
    pair.guest.file_finish(id, FileXferResult::CANCELLED, StatusDetail::None).unwrap();
    pair.run();
    assert_eq!(std::mem::take(&mut pair.client_events), [ended(id, Outcome::CancelledHere).into()]);
    assert_eq!(pair.guest_events, []);
    // The next file has nothing to do with it.
    let files = BTreeMap::from([(id + 1, Bytes::from_static(b"content"))]);
    assert_eq!(pair.client.file_send("name", 7), Ok(id + 1));
    assert_eq!(transfer(&mut pair, &files)[&(id + 1)], (b"content".to_vec(), Some(Outcome::Success)));
}

#[test]
fn a_client_that_goes_ends_all_transfers() {
    let mut lone = LoneGuest::accepted(5);
    lone.says(&Message::ClientDisconnected);
    assert_eq!(lone.events(), [GuestEvent::File(aborted(1, Abort::Disconnected)), GuestEvent::Gone]);
}

#[test]
fn messages_for_unknown_transfers_are_ignored() {
    let mut lone = LoneGuest::ready(AgentCaps::CLIENT);
    lone.says(&data(9, &b"x"[..]));
    lone.says(&status(9, FileXferResult::CANCELLED));
    assert!(lone.events().is_empty() && lone.said().is_empty());
}

// Names

const ESCAPES: [(&str, NameError); 16] = [
    ("", NameError::Empty),
    ("a//b", NameError::Empty),
    ("a/", NameError::Empty),
    (" ", NameError::Empty),
    ("/etc/passwd", NameError::Absolute),
    ("//host/share", NameError::Absolute),
    ("C:/a", NameError::Absolute),
    ("c:a", NameError::Absolute),
    (".", NameError::Dots),
    ("..", NameError::Dots),
    ("../a", NameError::Dots),
    ("a/../../b", NameError::Dots),
    ("a/.. /b", NameError::Dots),
    ("...", NameError::Dots),
    ("..\\a", NameError::BadCharacter),
    ("a\nb", NameError::BadCharacter),
];

#[test]
fn names_that_try_to_escape_are_refused() {
    for (name, error) in ESCAPES {
        assert_eq!(check_path(name), Err(error), "{name:?}");
        let mut lone = LoneGuest::ready(AgentCaps::CLIENT);
        lone.says(&start(1, name, 5));
        assert_eq!(lone.file_events(), [], "{name:?}");
        assert_eq!(lone.said(), [status(1, FileXferResult::ERROR)], "{name:?}");
        let mut lone = LoneClient::ready(AgentCaps::AGENT);
        assert!(matches!(lone.client.file_send(name, 5), Err(AgentError::Misuse(_))), "{name:?}");
    }
}

#[test]
fn names_with_folders_are_received_but_not_sent() {
    let name = "photos/2026/..hidden/a..b/c.png";
    assert_eq!((check_path(name), check_name(name)), (Ok(()), Err(NameError::Folders)));
    let mut lone = LoneGuest::ready(AgentCaps::CLIENT);
    lone.says(&start(1, name, 5));
    assert_eq!(lone.file_events(), [ReceiveEvent::Offered { id: 1, path: name.into(), size: 5 }]);
}

#[test]
fn announcements_that_cannot_be_read_are_refused() {
    let head = "[vdagent-file-xfer]\n";
    for (text, error) in [
        (format!("{head}name=a\nsize=5\n"), MetadataError::NoNul),
        (format!("{head}name=a\\q\nsize=5\n\0"), MetadataError::BadEscape),
        (format!("{head}name=a\\\nsize=5\n\0"), MetadataError::BadEscape),
        (format!("{head}size=5\n\0"), MetadataError::NoName),
        (format!("{head}name=a\n\0"), MetadataError::NoSize),
        (format!("{head}name=a\nsize=-5\n\0"), MetadataError::NoSize),
        (format!("{head}name=a\nsize=18446744073709551616\n\0"), MetadataError::NoSize),
        (format!("{head}name\n\0"), MetadataError::BadLine),
        ("[other]\nname=a\nsize=5\n\0".into(), MetadataError::NoName),
        ("\0".into(), MetadataError::NoName),
    ] {
        assert_eq!(Metadata::from_key_file(text.as_bytes()), Err(error), "{text:?}");
        let mut lone = LoneGuest::ready(AgentCaps::CLIENT);
        let metadata = Rest(Bytes::from(text.into_bytes()));
        lone.says(&Message::FileXferStart(FileXferStart { id: 1, metadata }));
        assert_eq!(lone.said(), [status(1, FileXferResult::ERROR)]);
    }
    assert_eq!(Metadata::from_key_file(b"\xff\0"), Err(MetadataError::NotUtf8));
}

#[test]
fn announcements_may_say_more() {
    let text = "# by somebody\n\n[other]\nname=no\n[vdagent-file-xfer]\n mode = 755\nname = a\\sb \nsize= 7 \n\0rest";
    let metadata = Metadata { name: "a b ".into(), size: 7 };
    assert_eq!(Metadata::from_key_file(text.as_bytes()), Ok(metadata));
}

// Limits

#[test]
fn limit_transfers() {
    let mut config = ClientConfig::default();
    config.limits.transfers = 2;
    let mut lone = LoneClient::ready_with(AgentCaps::AGENT, config);
    lone.client.file_send("a", 1).unwrap();
    lone.client.file_send("b", 1).unwrap();
    let exceeded = LimitExceeded { limit: "transfers", value: 3, bound: 2 };
    assert_eq!(lone.client.file_send("c", 1), Err(exceeded.into()));

    let mut lone = LoneGuest::ready(AgentCaps::CLIENT);
    (0..128).for_each(|id| lone.says(&start(id, "a", 1)));
    assert_eq!(lone.file_events().len(), 128);
    lone.says(&start(128, "a", 1));
    // As the Linux agent says it: GLib's error 31, too many open files.
    assert_eq!(lone.said(), [detailed(128, FileXferResult::ERROR, StatusDetail::Io { code: 31 })]);
}

#[test]
fn limit_file_name_len() {
    let long = "a".repeat(4097);
    let mut lone = LoneClient::ready(AgentCaps::AGENT);
    let exceeded = LimitExceeded { limit: "file_name_len", value: 4097, bound: 4096 };
    assert_eq!(lone.client.file_send(&long, 1), Err(exceeded.into()));
    assert!(lone.client.file_send(&long[1..], 1).is_ok());
    let mut lone = LoneGuest::ready(AgentCaps::CLIENT);
    lone.says(&start(1, &long, 1));
    assert_eq!(lone.said(), [status(1, FileXferResult::ERROR)]);
}

#[test]
fn limit_file_data_len() {
    let mut lone = LoneGuest::accepted(3 << 20);
    lone.says(&data(1, vec![0; (1 << 20) + 1]));
    let exceeded = LimitExceeded { limit: "file_data_len", value: (1 << 20) + 1, bound: 1 << 20 };
    let events = lone.events();
    assert!(matches!(events[0], GuestEvent::File(ReceiveEvent::Aborted { id: 1, why: Abort::Broken(_) })));
    assert_eq!(events[1], GuestEvent::Skipped(exceeded.into()));
    assert_eq!(lone.said(), [status(1, FileXferResult::ERROR)]);
}

#[test]
fn limit_file_block() {
    let mut config = ClientConfig::default();
    config.limits.file_block = 10;
    let mut lone = LoneClient::ready_with(AgentCaps::AGENT, config);
    lone.client.file_send("a", 25).unwrap();
    lone.says(&status(1, FileXferResult::CAN_SEND_DATA));
    assert_eq!(lone.file_events(), [wanted(1, 0, 10)]);
    assert!(lone.client.file_data(1, vec![0; 11].into()).is_err());
}

proptest! {
    #[test]
    fn any_name_and_size_survive_the_key_file(name in any::<String>(), size in any::<u64>()) {
        let metadata = Metadata { name, size };
        prop_assume!(!metadata.name.contains('\0'));
        prop_assert_eq!(Metadata::from_key_file(metadata.to_key_file().as_bytes()), Ok(metadata));
    }

    #[test]
    fn any_key_file_gives_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = Metadata::from_key_file(&bytes);
    }

    #[test]
    fn no_name_that_is_accepted_leaves_the_folder(name in "[a./\\\\ :C]{0,12}") {
        if check_path(&name).is_ok() {
            let mut depth = 0;
            for part in std::path::Path::new(&name).components() {
                prop_assert!(matches!(part, std::path::Component::Normal(_)), "{}", name);
                depth += 1;
            }
            prop_assert!(depth > 0);
        }
    }
}
