//! The clipboard: every rule about who owns what, who answers what, and what crossing grabs come to.

use bytes::Bytes;
use proptest::prelude::*;
use spice_agent_proto::client::Event as ClientEvent;
use spice_agent_proto::clipboard::{
    Clipboard, ClipboardGrab, ClipboardRelease, ClipboardRequest, DataType, Event, Failure, FileAction,
    FileList, LineEnds, Selection, convert_line_ends,
};
use spice_agent_proto::guest::Event as GuestEvent;
use spice_agent_proto::msg::{MaxClipboard, Message};
use spice_agent_proto::{AgentCaps, AgentError, ClientConfig, LimitExceeded, Unavailable};

use crate::peers::{LoneClient, LoneGuest, Pair};

const SELECTION: Selection = Selection::Clipboard;
const TEXT: DataType = DataType::UTF8_TEXT;
const PNG: DataType = DataType::IMAGE_PNG;

fn grab(serial: u32, types: &[DataType]) -> Message {
    Message::ClipboardGrab(ClipboardGrab { selection: SELECTION, serial, types: types.into() })
}

fn request(kind: DataType) -> Message {
    Message::ClipboardRequest(ClipboardRequest { selection: SELECTION, kind })
}

fn content(kind: DataType, data: &'static [u8]) -> Message {
    Message::Clipboard(Clipboard { selection: SELECTION, kind, data: Bytes::from_static(data) })
}

fn release() -> Message {
    Message::ClipboardRelease(ClipboardRelease { selection: SELECTION })
}

fn grabbed(types: &[DataType]) -> Event {
    Event::Grabbed { selection: SELECTION, types: types.to_vec() }
}

fn requested(kind: DataType) -> Event {
    Event::Requested { selection: SELECTION, kind }
}

fn got(kind: DataType, data: &'static [u8]) -> Event {
    Event::Content { selection: SELECTION, kind, data: Bytes::from_static(data) }
}

fn failed(kind: DataType, why: Failure) -> Event {
    Event::Failed { selection: SELECTION, kind, why }
}

fn released() -> Event {
    Event::Released { selection: SELECTION, regrab_likely: false }
}

impl LoneClient {
    fn clipboard_events(&mut self) -> Vec<Event> {
        let clipboard = |event| match event {
            ClientEvent::Clipboard(event) => event,
            other => panic!("{other:?}"),
        };
        self.events().into_iter().map(clipboard).collect()
    }

    /// A client whose agent offers text.
    fn offered_text() -> Self {
        let mut this = Self::ready(AgentCaps::AGENT);
        this.says(&grab(0, &[TEXT]));
        assert_eq!(this.clipboard_events(), [grabbed(&[TEXT])]);
        this
    }

    /// A client whose agent owes it text.
    fn asked_text() -> Self {
        let mut this = Self::offered_text();
        this.client.clipboard_request(SELECTION, TEXT).unwrap();
        assert_eq!(this.said(), [request(TEXT)]);
        this
    }

    /// A client that offers text.
    fn offering_text() -> Self {
        let mut this = Self::ready(AgentCaps::AGENT);
        this.client.clipboard_grab(SELECTION, &[TEXT]).unwrap();
        assert_eq!(this.said(), [grab(0, &[TEXT])]);
        this
    }
}

impl LoneGuest {
    fn clipboard_events(&mut self) -> Vec<Event> {
        let clipboard = |event| match event {
            GuestEvent::Clipboard(event) => event,
            other => panic!("{other:?}"),
        };
        self.events().into_iter().map(clipboard).collect()
    }
}

// Life cycle

#[test]
fn content_of_all_types_goes_both_ways_through_all_selections() {
    let list = FileList { action: FileAction::Cut, paths: vec!["/.spice-clipboard/1/a b".into()] };
    let samples = [
        (TEXT, Bytes::from_static("gr\u{fc}n\n".as_bytes())),
        (PNG, Bytes::from(vec![1; 1_000_000])),
        (DataType::IMAGE_BMP, Bytes::from_static(b"BM")),
        (DataType::IMAGE_TIFF, Bytes::from_static(b"II*")),
        (DataType::IMAGE_JPG, Bytes::from_static(b"\xff\xd8")),
        (DataType::FILE_LIST, list.to_bytes()),
    ];
    let types: Vec<DataType> = samples.iter().map(|(kind, _)| *kind).collect();
    let mut pair = Pair::ready();
    for selection in Selection::ALL {
        pair.client.clipboard_grab(selection, &types).unwrap();
        pair.run();
        let offered = Event::Grabbed { selection, types: types.clone() };
        assert_eq!(pair.guest_events.pop_front(), Some(GuestEvent::Clipboard(offered.clone())));
        assert_eq!(pair.guest.clipboard_offered(selection), Some(&types[..]));
        for (kind, data) in &samples {
            let (kind, data) = (*kind, data.clone());
            pair.guest.clipboard_request(selection, kind).unwrap();
            pair.run();
            let asked = Event::Requested { selection, kind };
            assert_eq!(pair.client_events.pop_front(), Some(ClientEvent::Clipboard(asked)));
            pair.client.clipboard_answer(selection, kind, data.clone()).unwrap();
            pair.run();
            let answer = Event::Content { selection, kind, data };
            assert_eq!(pair.guest_events.pop_front(), Some(GuestEvent::Clipboard(answer)));
        }
        pair.guest.clipboard_grab(selection, &types).unwrap();
        pair.run();
        assert_eq!(pair.client_events.pop_front(), Some(ClientEvent::Clipboard(offered)));
        assert!(!pair.client.clipboard_owns(selection) && pair.guest.clipboard_owns(selection));
        for (kind, data) in &samples {
            let (kind, data) = (*kind, data.clone());
            pair.client.clipboard_request(selection, kind).unwrap();
            pair.run();
            let asked = Event::Requested { selection, kind };
            assert_eq!(pair.guest_events.pop_front(), Some(GuestEvent::Clipboard(asked)));
            pair.guest.clipboard_answer(selection, kind, data.clone()).unwrap();
            pair.run();
            let answer = Event::Content { selection, kind, data };
            assert_eq!(pair.client_events.pop_front(), Some(ClientEvent::Clipboard(answer)));
        }
    }
    assert_eq!(FileList::parse(&samples[5].1), Some(list));
}

#[test]
fn selections_do_not_touch_each_other() {
    let mut pair = Pair::ready();
    pair.client.clipboard_grab(Selection::Clipboard, &[TEXT]).unwrap();
    pair.guest.clipboard_grab(Selection::Primary, &[PNG]).unwrap();
    pair.run();
    assert!(
        pair.client.clipboard_owns(Selection::Clipboard) && pair.guest.clipboard_owns(Selection::Primary)
    );
    assert_eq!(pair.client.clipboard_offered(Selection::Primary), Some(&[PNG][..]));
    assert_eq!(pair.client.clipboard_offered(Selection::Secondary), None);
}

#[test]
fn a_grab_ends_the_receivers_own() {
    let mut lone = LoneClient::offering_text();
    lone.says(&grab(1, &[PNG]));
    assert_eq!(lone.clipboard_events(), [grabbed(&[PNG])]);
    assert!(!lone.client.clipboard_owns(SELECTION));
    // What is over is not released.
    lone.client.clipboard_release(SELECTION).unwrap();
    assert_eq!(lone.said(), []);
}

#[test]
fn a_request_gets_exactly_one_answer() {
    let mut lone = LoneClient::offering_text();
    lone.says(&request(TEXT));
    assert_eq!(lone.clipboard_events(), [requested(TEXT)]);
    lone.client.clipboard_answer(SELECTION, TEXT, Bytes::from_static(b"hi")).unwrap();
    let again = lone.client.clipboard_answer(SELECTION, TEXT, Bytes::from_static(b"hi"));
    assert_eq!(again, Err(Unavailable::NotRequested.into()));
    assert_eq!(lone.said(), [content(TEXT, b"hi")]);
}

#[test]
fn nothing_is_answered_unasked() {
    let mut lone = LoneClient::offering_text();
    let answer = lone.client.clipboard_answer(SELECTION, TEXT, Bytes::from_static(b"hi"));
    assert_eq!(answer, Err(Unavailable::NotRequested.into()));
}

#[test]
fn content_that_nobody_asked_for_is_dropped() {
    let mut lone = LoneClient::offered_text();
    lone.says(&content(TEXT, b"pushed"));
    assert_eq!(lone.clipboard_events(), []);
    let mut lone = LoneClient::ready(AgentCaps::AGENT);
    lone.says(&content(TEXT, b"pushed"));
    assert_eq!(lone.clipboard_events(), []);
}

#[test]
fn only_what_is_offered_can_be_asked_for() {
    let mut lone = LoneClient::ready(AgentCaps::AGENT);
    assert_eq!(lone.client.clipboard_request(SELECTION, TEXT), Err(Unavailable::NotOwner.into()));
    lone.says(&grab(0, &[TEXT]));
    assert_eq!(lone.client.clipboard_request(SELECTION, PNG), Err(Unavailable::NotOffered.into()));
}

#[test]
fn one_request_at_a_time_is_made() {
    let mut lone = LoneClient::asked_text();
    assert_eq!(lone.client.clipboard_request(SELECTION, TEXT), Err(Unavailable::Busy.into()));
    lone.says(&content(TEXT, b"one"));
    assert_eq!(lone.clipboard_events(), [got(TEXT, b"one")]);
    lone.client.clipboard_request(SELECTION, TEXT).unwrap();
}

#[test]
fn an_answer_of_another_type_or_empty_is_a_failure() {
    for answer in [content(DataType::NONE, b""), content(TEXT, b""), content(PNG, b"png")] {
        let mut lone = LoneClient::asked_text();
        lone.says(&answer);
        assert_eq!(lone.clipboard_events(), [failed(TEXT, Failure::Refused)], "{answer:?}");
    }
}

#[test]
fn a_client_refuses_with_the_requested_type_and_no_data() {
    // Nothing owned, a type that is not offered, a type that does not exist.
    let mut lone = LoneClient::ready(AgentCaps::AGENT);
    lone.says(&request(TEXT));
    assert_eq!(lone.said(), [content(TEXT, b"")]);
    let mut lone = LoneClient::offering_text();
    lone.says(&request(PNG));
    lone.says(&request(DataType(77)));
    assert_eq!(lone.said(), [content(PNG, b""), content(DataType(77), b"")]);
    // The application cannot supply it.
    lone.says(&request(TEXT));
    lone.client.clipboard_answer(SELECTION, TEXT, Bytes::new()).unwrap();
    assert_eq!(lone.said(), [content(TEXT, b"")]);
}

#[test]
fn an_agent_refuses_with_the_type_for_none() {
    let mut lone = LoneGuest::ready(AgentCaps::CLIENT);
    lone.says(&request(TEXT));
    assert_eq!(lone.said(), [content(DataType::NONE, b"")]);
}

#[test]
fn a_request_that_is_forgotten_gives_no_event() {
    let mut lone = LoneClient::asked_text();
    lone.client.clipboard_forget_request(SELECTION);
    lone.says(&content(TEXT, b"late"));
    assert_eq!(lone.clipboard_events(), []);
    lone.client.clipboard_request(SELECTION, TEXT).unwrap();
}

#[test]
fn a_release_withdraws_the_offer_and_fails_the_request() {
    let mut lone = LoneClient::asked_text();
    lone.says(&release());
    assert_eq!(lone.clipboard_events(), [failed(TEXT, Failure::Released), released()]);
    assert_eq!(lone.client.clipboard_offered(SELECTION), None);
    // A late answer and a second release mean nothing.
    lone.says(&content(DataType::NONE, b""));
    lone.says(&release());
    assert_eq!(lone.clipboard_events(), []);
}

#[test]
fn a_release_of_what_this_side_owns_means_nothing() {
    let mut lone = LoneClient::offering_text();
    lone.says(&release());
    assert_eq!(lone.clipboard_events(), []);
    assert!(lone.client.clipboard_owns(SELECTION));
}

#[test]
fn no_release_between_two_grabs_when_both_sides_say_so() {
    let mut lone = LoneClient::offering_text();
    lone.client.clipboard_grab(SELECTION, &[PNG]).unwrap();
    assert_eq!(lone.said(), [grab(1, &[PNG])]);
    lone.client.clipboard_release(SELECTION).unwrap();
    assert_eq!(lone.said(), [release()]);
}

#[test]
fn a_release_between_two_grabs_when_one_side_does_not_say_so() {
    let mut lone = LoneClient::ready(AgentCaps::AGENT - AgentCaps::CLIPBOARD_NO_RELEASE_ON_REGRAB);
    lone.client.clipboard_grab(SELECTION, &[TEXT]).unwrap();
    lone.client.clipboard_grab(SELECTION, &[PNG]).unwrap();
    assert_eq!(lone.said(), [grab(0, &[TEXT]), release(), grab(1, &[PNG])]);
    lone.says(&grab(2, &[TEXT]));
    lone.says(&release());
    let released = Event::Released { selection: SELECTION, regrab_likely: true };
    assert_eq!(lone.clipboard_events(), [grabbed(&[TEXT]), released]);
}

#[test]
fn requests_are_refused_when_the_offer_ends() {
    for end in 0..3 {
        let mut lone = LoneClient::offering_text();
        lone.says(&request(TEXT));
        lone.events();
        let rest = match end {
            0 => {
                lone.client.clipboard_release(SELECTION).unwrap();
                vec![release()]
            }
            1 => {
                lone.client.clipboard_grab(SELECTION, &[PNG]).unwrap();
                vec![grab(1, &[PNG])]
            }
            _ => {
                lone.says(&grab(1, &[PNG]));
                vec![]
            }
        };
        assert_eq!(lone.said(), [vec![content(TEXT, b"")], rest].concat(), "{end}");
        let late = lone.client.clipboard_answer(SELECTION, TEXT, Bytes::from_static(b"late"));
        assert_eq!(late, Err(Unavailable::NotRequested.into()));
    }
}

#[test]
fn the_own_grab_fails_the_own_request() {
    let mut lone = LoneClient::asked_text();
    lone.client.clipboard_grab(SELECTION, &[PNG]).unwrap();
    assert_eq!(lone.clipboard_events(), [failed(TEXT, Failure::Superseded)]);
}

#[test]
fn a_request_outlives_another_grab_of_the_owner() {
    let mut lone = LoneClient::asked_text();
    lone.says(&grab(1, &[TEXT, PNG]));
    lone.says(&content(TEXT, b"new"));
    assert_eq!(lone.clipboard_events(), [grabbed(&[TEXT, PNG]), got(TEXT, b"new")]);
}

#[test]
fn disconnection_is_an_implicit_release() {
    let mut lone = LoneClient::asked_text();
    lone.client.disconnected();
    let gone = [failed(TEXT, Failure::Disconnected), released()].map(ClientEvent::Clipboard);
    assert_eq!(lone.events(), [gone.to_vec(), vec![ClientEvent::Gone]].concat());

    let mut lone = LoneGuest::ready(AgentCaps::CLIENT);
    lone.says(&grab(0, &[TEXT]));
    lone.events();
    lone.says(&Message::ClientDisconnected);
    assert_eq!(lone.events(), [GuestEvent::Clipboard(released()), GuestEvent::Gone]);
}

// Serials and races

#[test]
fn grabs_count_up_from_0_for_each_selection() {
    let mut lone = LoneClient::ready(AgentCaps::AGENT);
    let mut serials = Vec::new();
    for selection in [Selection::Clipboard, Selection::Primary, Selection::Clipboard, Selection::Clipboard] {
        lone.client.clipboard_grab(selection, &[TEXT]).unwrap();
        serials.extend(lone.said().into_iter().map(|message| match message {
            Message::ClipboardGrab(grab) => grab.serial,
            other => panic!("{other:?}"),
        }));
    }
    assert_eq!(serials, [0, 0, 1, 2]);
}

#[test]
fn grabs_of_both_sides_share_one_count() {
    let mut lone = LoneClient::offering_text();
    lone.says(&grab(1, &[PNG]));
    lone.client.clipboard_grab(SELECTION, &[TEXT]).unwrap();
    assert_eq!(lone.said(), [grab(2, &[TEXT])]);
}

#[test]
fn crossing_grabs_the_client_discards_the_agents() {
    let mut lone = LoneClient::offering_text();
    // The agent sent this before it saw the client's grab of the same serial.
    lone.says(&grab(0, &[PNG]));
    assert_eq!(lone.clipboard_events(), []);
    assert!(lone.client.clipboard_owns(SELECTION));
    // Both counts are 1 now.
    lone.says(&grab(1, &[PNG]));
    assert_eq!(lone.clipboard_events(), [grabbed(&[PNG])]);
}

#[test]
fn crossing_grabs_the_agent_accepts_the_clients_without_counting() {
    let mut lone = LoneGuest::ready(AgentCaps::CLIENT);
    lone.guest.clipboard_grab(SELECTION, &[PNG]).unwrap();
    assert_eq!(lone.said(), [grab(0, &[PNG])]);
    lone.says(&grab(0, &[TEXT]));
    assert_eq!(lone.clipboard_events(), [grabbed(&[TEXT])]);
    lone.guest.clipboard_grab(SELECTION, &[PNG]).unwrap();
    assert_eq!(lone.said(), [grab(1, &[PNG])]);
}

#[test]
fn the_agent_accepts_the_present_serial_and_counts() {
    let mut lone = LoneGuest::ready(AgentCaps::CLIENT);
    lone.says(&grab(0, &[TEXT]));
    lone.says(&grab(1, &[PNG]));
    assert_eq!(lone.clipboard_events(), [grabbed(&[TEXT]), grabbed(&[PNG])]);
}

#[test]
fn the_agent_discards_older_and_future_serials() {
    let mut lone = LoneGuest::ready(AgentCaps::CLIENT);
    for serial in 0..3 {
        lone.says(&grab(serial, &[TEXT]));
    }
    lone.events();
    lone.guest.clipboard_grab(SELECTION, &[PNG]).unwrap();
    for serial in [0, 1, 2, 5, u32::MAX] {
        lone.says(&grab(serial, &[TEXT]));
        assert_eq!(lone.clipboard_events(), [], "{serial}");
        assert!(lone.guest.clipboard_owns(SELECTION));
    }
}

#[test]
fn the_client_discards_every_serial_but_the_present() {
    for serial in [0, 2, u32::MAX] {
        let mut lone = LoneClient::offering_text();
        lone.says(&grab(serial, &[PNG]));
        assert_eq!(lone.clipboard_events(), [], "{serial}");
    }
}

#[test]
fn serials_start_anew_with_each_agent() {
    let mut lone = LoneClient::offering_text();
    lone.client.disconnected();
    let mut again = LoneClient::ready(AgentCaps::AGENT);
    std::mem::swap(&mut lone.client, &mut again.client);
    lone.client.clipboard_grab(SELECTION, &[TEXT]).unwrap();
    assert_eq!(lone.said(), [grab(0, &[TEXT])]);
}

#[test]
fn serials_start_anew_with_each_announcement_that_asks_for_an_answer() {
    use spice_agent_proto::caps::AnnounceCapabilities;
    let mut lone = LoneGuest::ready(AgentCaps::CLIENT);
    lone.says(&grab(0, &[TEXT]));
    // Without a request it has no such effect.
    lone.says(&Message::AnnounceCapabilities(AnnounceCapabilities::new(false, AgentCaps::CLIENT)));
    assert_eq!(lone.clipboard_events(), [grabbed(&[TEXT])]);
    assert!(lone.guest.clipboard_offered(SELECTION).is_some());
    lone.says(&Message::AnnounceCapabilities(AnnounceCapabilities::new(true, AgentCaps::CLIENT)));
    let ready = GuestEvent::Ready(AgentCaps::CLIENT);
    assert_eq!(lone.events(), [GuestEvent::Clipboard(released()), GuestEvent::Gone, ready]);
    lone.says(&grab(0, &[PNG]));
    assert_eq!(lone.clipboard_events(), [grabbed(&[PNG])]);
}

#[test]
fn without_serials_the_last_grab_wins() {
    let caps = AgentCaps::AGENT - AgentCaps::CLIPBOARD_GRAB_SERIAL;
    let mut lone = LoneClient::ready(caps);
    lone.client.clipboard_grab(SELECTION, &[TEXT]).unwrap();
    assert_eq!(lone.said(), [grab(0, &[TEXT])]);
    lone.says(&grab(0, &[PNG]));
    assert_eq!(lone.clipboard_events(), [grabbed(&[PNG])]);
}

/// What two sides come to that grab at any moments.
fn race(moves: &[(u8, u8)]) {
    let mut pair = Pair::ready();
    for (who, steps) in moves {
        match who % 2 {
            0 => pair.client.clipboard_grab(SELECTION, &[TEXT]).unwrap(),
            _ => pair.guest.clipboard_grab(SELECTION, &[PNG]).unwrap(),
        }
        for _ in 0..steps % 3 {
            pair.step();
        }
    }
    pair.run();
    let (client, guest) = (&pair.client, &pair.guest);
    assert_ne!(client.clipboard_owns(SELECTION), guest.clipboard_owns(SELECTION), "{moves:?}");
    if client.clipboard_owns(SELECTION) {
        assert_eq!(guest.clipboard_offered(SELECTION), Some(&[TEXT][..]));
    } else {
        assert_eq!(client.clipboard_offered(SELECTION), Some(&[PNG][..]));
    }
    // And the next grab is understood.
    pair.guest.clipboard_grab(SELECTION, &[PNG]).unwrap();
    pair.run();
    assert_eq!(pair.client.clipboard_offered(SELECTION), Some(&[PNG][..]), "{moves:?}");
}

#[test]
fn simultaneous_grabs_leave_the_client_as_the_owner() {
    let mut pair = Pair::ready();
    pair.guest.clipboard_grab(SELECTION, &[PNG]).unwrap();
    pair.client.clipboard_grab(SELECTION, &[TEXT]).unwrap();
    pair.run();
    assert!(pair.client.clipboard_owns(SELECTION) && !pair.guest.clipboard_owns(SELECTION));
}

// Capabilities

#[test]
fn no_clipboard_unless_both_sides_can() {
    let mut lone = LoneClient::ready(AgentCaps::AGENT - AgentCaps::CLIPBOARD_BY_DEMAND);
    let missing = AgentError::from(Unavailable::Missing(AgentCaps::CLIPBOARD_BY_DEMAND));
    assert_eq!(lone.client.clipboard_grab(SELECTION, &[TEXT]), Err(missing));
    lone.says(&grab(0, &[TEXT]));
    lone.says(&request(TEXT));
    assert!(lone.events().is_empty() && lone.said().is_empty());
}

#[test]
fn only_one_selection_without_the_capability() {
    let mut lone = LoneClient::ready(AgentCaps::AGENT - AgentCaps::CLIPBOARD_SELECTION);
    lone.client.clipboard_grab(SELECTION, &[TEXT]).unwrap();
    assert_eq!(lone.said(), [grab(0, &[TEXT])]);
    let missing = AgentError::from(Unavailable::Missing(AgentCaps::CLIPBOARD_SELECTION));
    assert_eq!(lone.client.clipboard_grab(Selection::Primary, &[TEXT]), Err(missing));
}

// Text

fn text_client(guest: AgentCaps, line_ends: LineEnds) -> LoneClient {
    let mut config = ClientConfig::default();
    config.line_ends = line_ends;
    let caps = AgentCaps::AGENT - AgentCaps::GUEST_LINEEND_LF - AgentCaps::GUEST_LINEEND_CRLF;
    LoneClient::ready_with(caps | guest, config)
}

#[test]
fn the_client_converts_line_ends_both_ways() {
    let (lf, crlf) = (AgentCaps::GUEST_LINEEND_LF, AgentCaps::GUEST_LINEEND_CRLF);
    let none = AgentCaps::empty();
    for (guest, own, inside, outside, sent) in [
        (crlf, LineEnds::Lf, &b"a\r\nb"[..], &b"a\nb"[..], &b"a\r\nb"[..]),
        (lf, LineEnds::CrLf, b"a\nb", b"a\r\nb", b"a\nb"),
        (crlf, LineEnds::CrLf, b"a\r\nb", b"a\r\nb", b"a\r\nb"),
        (lf, LineEnds::Lf, b"a\r\nb", b"a\r\nb", b"a\nb"),
        (none, LineEnds::CrLf, b"a\nb", b"a\nb", b"a\nb"),
    ] {
        let mut lone = text_client(guest, own);
        lone.says(&grab(0, &[TEXT]));
        lone.client.clipboard_request(SELECTION, TEXT).unwrap();
        lone.says(&content(TEXT, inside));
        assert_eq!(lone.clipboard_events()[1..], [got(TEXT, outside)], "{guest:?} {own:?}");
        lone.client.clipboard_grab(SELECTION, &[TEXT]).unwrap();
        lone.says(&request(TEXT));
        lone.said();
        lone.client.clipboard_answer(SELECTION, TEXT, Bytes::from_static(outside)).unwrap();
        assert_eq!(lone.said(), [content(TEXT, sent)], "{guest:?} {own:?}");
    }
}

#[test]
fn pictures_are_not_converted() {
    let mut lone = text_client(AgentCaps::GUEST_LINEEND_CRLF, LineEnds::Lf);
    lone.says(&grab(0, &[PNG]));
    lone.client.clipboard_request(SELECTION, PNG).unwrap();
    lone.says(&content(PNG, b"\x89PNG\r\n\x1a\n\0"));
    assert_eq!(lone.clipboard_events()[1..], [got(PNG, b"\x89PNG\r\n\x1a\n\0")]);
}

#[test]
fn a_nul_at_the_end_of_text_is_dropped() {
    let mut lone = LoneClient::asked_text();
    lone.says(&content(TEXT, b"hi\0"));
    assert_eq!(lone.clipboard_events(), [got(TEXT, b"hi")]);
}

#[test]
fn text_that_is_not_utf_8_is_a_failure() {
    let mut lone = LoneClient::asked_text();
    lone.says(&content(TEXT, b"\xff\xfe"));
    assert_eq!(lone.clipboard_events(), [failed(TEXT, Failure::NotUtf8)]);
}

#[test]
fn file_lists_say_what_to_do_with_which_paths() {
    assert_eq!(FileList::parse(b"copy"), Some(FileList { action: FileAction::Copy, paths: vec![] }));
    for bad in [&b""[..], b"move\0/a", b"copy\0a", b"copy\0/a/../../b", b"copy\0/\xff", b"copy\0\0/a"] {
        assert_eq!(FileList::parse(bad), None, "{bad:?}");
    }
}

// Limits

fn small_client() -> LoneClient {
    let mut config = ClientConfig::default();
    config.limits.clipboard_len = 10;
    config.limits.grab_types = 2;
    config.limits.clipboard_requests = 2;
    let caps = (AgentCaps::AGENT - AgentCaps::GUEST_LINEEND_LF) | AgentCaps::GUEST_LINEEND_CRLF;
    LoneClient::ready_with(caps, config)
}

#[test]
fn limit_clipboard_len_of_what_comes() {
    for (data, why) in [(&b"0123456789"[..], None), (b"0123456789a", Some(11)), (&[7; 3000], Some(3000))] {
        let mut lone = small_client();
        lone.says(&grab(0, &[PNG]));
        lone.client.clipboard_request(SELECTION, PNG).unwrap();
        lone.events();
        lone.says(&content(PNG, data));
        let events = lone.events();
        match (why, &events[0]) {
            (None, ClientEvent::Clipboard(Event::Content { .. })) => {}
            (Some(value), ClientEvent::Clipboard(Event::Failed { why: Failure::TooLong(limit), .. })) => {
                assert_eq!((limit.limit, limit.value), ("clipboard_len", value));
            }
            (_, other) => panic!("{other:?}"),
        }
        // The next answer is understood.
        lone.client.clipboard_request(SELECTION, PNG).unwrap();
        lone.says(&content(PNG, b"ok"));
        assert_eq!(lone.clipboard_events(), [got(PNG, b"ok")]);
    }
}

#[test]
fn limit_clipboard_len_of_what_goes() {
    let mut lone = small_client();
    lone.client.clipboard_grab(SELECTION, &[TEXT]).unwrap();
    // Too long at once, and too long once its line ends are converted.
    for (text, value) in [(&b"0123456789a"[..], 11), (b"\n\n\n\n\n\n", 12)] {
        lone.says(&request(TEXT));
        lone.said();
        let answer = lone.client.clipboard_answer(SELECTION, TEXT, Bytes::from_static(text));
        assert_eq!(answer, Err(LimitExceeded { limit: "clipboard_len", value, bound: 10 }.into()));
        assert_eq!(lone.said(), [content(TEXT, b"")]);
    }
}

#[test]
fn an_agent_sends_empty_content_above_the_clients_bound() {
    let mut lone = LoneGuest::ready(AgentCaps::CLIENT);
    lone.says(&Message::MaxClipboard(MaxClipboard { max: 3 }));
    lone.guest.clipboard_grab(SELECTION, &[TEXT]).unwrap();
    lone.says(&request(TEXT));
    lone.said();
    let answer = lone.guest.clipboard_answer(SELECTION, TEXT, Bytes::from_static(b"four"));
    assert_eq!(answer, Err(LimitExceeded { limit: "clipboard_len", value: 4, bound: 3 }.into()));
    assert_eq!(lone.said(), [content(TEXT, b"")]);
    lone.says(&Message::MaxClipboard(MaxClipboard::UNLIMITED));
    lone.says(&request(TEXT));
    lone.guest.clipboard_answer(SELECTION, TEXT, Bytes::from_static(b"four")).unwrap();
    assert_eq!(lone.said(), [content(TEXT, b"four")]);
}

#[test]
fn limit_grab_types() {
    let mut lone = small_client();
    lone.says(&grab(0, &[DataType::NONE, TEXT, TEXT, PNG, DataType::IMAGE_BMP]));
    assert_eq!(lone.clipboard_events(), [grabbed(&[TEXT, PNG])]);
    let too_many = lone.client.clipboard_grab(SELECTION, &[TEXT, PNG, DataType::IMAGE_BMP]);
    assert_eq!(too_many, Err(LimitExceeded { limit: "grab_types", value: 3, bound: 2 }.into()));
}

/// A guest that asks again and again without taking the answers gets no more copies than the limit allows.
#[test]
fn limit_queued_output_of_converted_text() {
    let mut config = ClientConfig::default();
    config.limits.queued_output = 100_000;
    let caps = (AgentCaps::AGENT - AgentCaps::GUEST_LINEEND_LF) | AgentCaps::GUEST_LINEEND_CRLF;
    let mut lone = LoneClient::ready_with(caps, config);
    lone.client.clipboard_grab(SELECTION, &[TEXT, PNG]).unwrap();
    lone.said();
    let text = Bytes::from(vec![b'\n'; 60_000]);
    let mut refused = 0;
    let info = allocation_counter::measure(|| {
        for _ in 0..500 {
            lone.says(&request(TEXT));
            assert_eq!(lone.events().len(), 1);
            refused += usize::from(lone.client.clipboard_answer(SELECTION, TEXT, text.clone()).is_err());
        }
    });
    assert_eq!(refused, 499);
    assert!(info.bytes_max < 1_000_000, "{info:?}");
    let said = lone.said();
    assert_eq!(said.len(), 500, "every request has its answer");
    assert!(said[1..].iter().all(|message| *message == content(TEXT, b"")));
    // What is not converted is shared, and what has been taken makes room.
    for _ in 0..3 {
        lone.says(&request(PNG));
        lone.client.clipboard_answer(SELECTION, PNG, text.clone()).unwrap();
    }
    lone.said();
    lone.says(&request(TEXT));
    lone.client.clipboard_answer(SELECTION, TEXT, text).unwrap();
}

#[test]
fn limit_clipboard_requests() {
    let mut lone = small_client();
    lone.client.clipboard_grab(SELECTION, &[TEXT]).unwrap();
    lone.said();
    (0..3).for_each(|_| lone.says(&request(TEXT)));
    assert_eq!(lone.clipboard_events(), [requested(TEXT), requested(TEXT)]);
    assert_eq!(lone.said(), [content(TEXT, b"")]);
}

proptest! {
    #[test]
    fn any_race_leaves_one_owner(moves in prop::collection::vec(any::<(u8, u8)>(), 1..12)) {
        race(&moves);
    }

    #[test]
    fn line_ends_go_there_and_back(text in "(a|\n|\r\n|\r[ab]){0,40}") {
        let lf = convert_line_ends(text.into(), LineEnds::Lf);
        prop_assert!(!lf.windows(2).any(|pair| pair == b"\r\n"));
        let crlf = convert_line_ends(lf.clone(), LineEnds::CrLf);
        prop_assert_eq!(convert_line_ends(crlf.clone(), LineEnds::CrLf), &crlf);
        let ends = crlf.iter().enumerate().filter(|(_, b)| **b == b'\n').all(|(at, _)| crlf[at - 1] == b'\r');
        prop_assert!(ends);
        prop_assert_eq!(convert_line_ends(crlf, LineEnds::Lf), lf);
    }
}
