//! What is recorded, what is not, and what is made of files that nobody recorded.

use std::io;
use std::sync::{Arc, Mutex};

use spice_proto::caps::{Caps, CommonCaps};
use spice_proto::link::{LinkMess, LinkReply, TICKET_LEN};
use spice_proto::types::{ChannelType, LinkCode};

use super::*;

/// A sink whose content can be looked at.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The two directions of a link whose data stage is `sent` and `received`.
fn dialogue(channel: ChannelType, common: CommonCaps, sent: &[u8], received: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut up = bytes::BytesMut::new();
    let id = ChannelId::new(channel, 0);
    let caps = Caps::from_words([7]);
    LinkMess { connection_id: 5, channel: id, common_caps: common.into(), channel_caps: caps.clone() }
        .encode(&mut up);
    if common.contains(CommonCaps::AUTH_SELECTION) {
        up.extend_from_slice(&1u32.to_le_bytes());
    }
    up.extend_from_slice(&[0xaa; TICKET_LEN]);
    up.extend_from_slice(sent);
    let mut down = bytes::BytesMut::new();
    LinkReply { error: LinkCode::OK, pub_key: [3; 162], common_caps: common.into(), channel_caps: caps }
        .encode(&mut down);
    down.extend_from_slice(&[0; 4]);
    down.extend_from_slice(received);
    (up.to_vec(), down.to_vec())
}

fn mini(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(body.len() as u32).to_le_bytes(), body].concat()
}

fn full(kind: u16, sub_list: u32, body: &[u8]) -> Vec<u8> {
    let len = body.len() as u32;
    [&9u64.to_le_bytes()[..], &kind.to_le_bytes(), &len.to_le_bytes(), &sub_list.to_le_bytes(), body].concat()
}

/// Records both directions in pieces of `piece` bytes; what each direction's payloads add up to.
fn record(channel: ChannelType, up: &[u8], down: &[u8], piece: usize, secrets: bool) -> [Vec<u8>; 2] {
    let sink = Shared::default();
    let mut recorder = Recorder::new(sink.clone());
    if secrets {
        recorder = recorder.with_secrets();
    }
    let id = TransportId(4);
    let now = Instant::from_millis(77);
    recorder.opened(id, ChannelId::new(channel, 0), now);
    // As it really goes: the link message, the reply, the rest.
    let link_len = |bytes: &[u8]| 16 + u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    let (first, link) = (link_len(up), link_len(down));
    for part in up[..first].chunks(piece) {
        recorder.passed(id, Direction::Sent, part, now);
    }
    for part in down[..link].chunks(piece) {
        recorder.passed(id, Direction::Received, part, now);
    }
    for part in up[first..].chunks(piece) {
        recorder.passed(id, Direction::Sent, part, now);
    }
    for part in down[link..].chunks(piece) {
        recorder.passed(id, Direction::Received, part, now);
    }
    recorder.closed(id, now);
    recorder.passed(id, Direction::Sent, b"too late", now);
    let file = sink.0.lock().unwrap().clone();
    assert_eq!(recorder.finish().unwrap(), file.len() as u64);
    let mut recording = Recording::new(&file[..]).unwrap();
    assert_eq!(recording.has_secrets(), secrets);
    let mut directions = [Vec::new(), Vec::new()];
    while let Some(record) = recording.next_record().unwrap() {
        assert_eq!((record.transport, record.channel.kind, record.at), (4, channel, Default::default()));
        match record.what {
            What::Sent(bytes) => directions[0].extend_from_slice(bytes),
            What::Received(bytes) => directions[1].extend_from_slice(bytes),
            What::Opened | What::Closed => {}
        }
    }
    directions
}

const MINI: CommonCaps = CommonCaps::AUTH_SELECTION.union(CommonCaps::MINI_HEADER);

#[test]
fn secrets_are_left_out_wherever_the_stream_is_cut() {
    let main_up = [mini(104, &[]), mini(107, b"clipboard"), mini(106, &[1, 0, 0, 0])].concat();
    let main_down =
        [mini(103, &[1; 32]), mini(109, b"clipboard"), mini(2, b"state"), mini(110, &[2; 4])].concat();
    let keys =
        [mini(101, b"KEY"), mini(112, &[4; 11]), mini(103, b"KE"), mini(104, b"KEYS"), mini(6, &[8; 12])];
    for piece in [1, 3, 50, 10_000] {
        let (up, down) = dialogue(ChannelType::MAIN, MINI, &main_up, &main_down);
        let [sent, received] = record(ChannelType::MAIN, &up, &down, piece, false);
        let link = up.len() - main_up.len();
        assert_eq!(sent[..link - TICKET_LEN], up[..link - TICKET_LEN]);
        assert_eq!(sent[link - TICKET_LEN..link], [0; TICKET_LEN]);
        assert_eq!(sent[link..], [mini(104, &[]), mini(106, &[1, 0, 0, 0])].concat());
        let link = down.len() - main_down.len();
        assert_eq!(received, [&down[..link], &mini(103, &[1; 32]), &mini(110, &[2; 4])].concat());

        let (up, down) = dialogue(ChannelType::INPUTS, MINI, &keys.concat(), &mini(101, &[1, 0]));
        let [sent, received] = record(ChannelType::INPUTS, &up, &down, piece, false);
        assert_eq!(received, down);
        let kept = [mini(112, &[4; 11]), mini(6, &[8; 12])].concat();
        assert_eq!(sent[sent.len() - kept.len()..], kept);
        assert_eq!(sent.len(), up.len() - keys.concat().len() + kept.len());
        for word in [b"KEY", b"KE\x68"] {
            assert!(!sent.windows(3).any(|w| w == word));
        }

        let (up, down) = dialogue(ChannelType::DISPLAY, MINI, b"anything", b"anything at all");
        let [sent, received] = record(ChannelType::DISPLAY, &up, &down, piece, false);
        assert_eq!((sent.len(), &received), (up.len(), &down));

        let (up, down) = dialogue(ChannelType::SMARTCARD, MINI, b"PIN", b"card");
        let [sent, received] = record(ChannelType::SMARTCARD, &up, &down, piece, false);
        assert_eq!((sent.len(), received.len()), (up.len() - 3, down.len() - 4));
    }
}

#[test]
fn other_forms_of_links_are_followed_too() {
    // Full headers; a client that does not choose a mechanism.
    let common = CommonCaps::AUTH_SPICE;
    let sent = [full(107, 0, b"clip"), full(104, 0, b""), full(104, 1, b"sub-messages")].concat();
    let (up, down) = dialogue(ChannelType::MAIN, common, &sent, &full(109, 0, b"clip"));
    for piece in [1, 7, 1000] {
        let [sent, received] = record(ChannelType::MAIN, &up, &down, piece, false);
        assert_eq!(sent[sent.len() - 18..], full(104, 0, b""));
        assert_eq!(sent[sent.len() - 18 - TICKET_LEN..sent.len() - 18], [0; TICKET_LEN]);
        assert_eq!(received, down[..down.len() - 22]);
    }
    // SASL is recorded up to its choice.
    let (mut up, down) = dialogue(ChannelType::MAIN, MINI, b"", b"more");
    let choice = up.len() - TICKET_LEN - 4;
    up[choice] = 2;
    let [sent, received] = record(ChannelType::MAIN, &up, &down, 5, false);
    assert_eq!((&sent[..], &received[..]), (&up[..choice + 4], &down[..down.len() - 8]));
}

#[test]
fn secrets_go_in_when_asked_for() {
    let (up, down) = dialogue(ChannelType::SMARTCARD, MINI, b"PIN", b"card");
    assert_eq!(record(ChannelType::SMARTCARD, &up, &down, 9, true), [up, down]);
}

#[test]
fn a_sink_that_fails_is_reported_and_left_alone() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            assert!(self.0 < 3, "written to again");
            self.0 += 1;
            if self.0 == 3 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(bytes.len()) }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let recorder = Recorder::new(Full(0));
    for id in 0..9 {
        recorder.opened(TransportId(id), ChannelId::MAIN, Instant::ZERO);
    }
    assert_eq!(recorder.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
}

#[test]
fn files_that_nobody_recorded_are_refused() {
    let open = |bytes: &[u8]| Recording::new(bytes).map(drop);
    assert!(matches!(open(b""), Err(RecordingError::NotARecording)));
    assert!(matches!(open(b"SPICEREX\x01\0\0\0\0\0\0\0"), Err(RecordingError::NotARecording)));
    assert!(matches!(open(b"SPICEREC\x02\0\0\0\0\0\0\0"), Err(RecordingError::Version(2))));
    let with = |record: &[u8]| {
        let file = [&format::file_header(false)[..], record].concat();
        let mut recording = Recording::new(&file[..]).unwrap();
        recording.next_record().map(|record| record.map(|record| matches!(record.what, What::Opened)))
    };
    let (channel, transport, micros) = (ChannelId::MAIN, 1, 2);
    let header = |kind, len| RecordHeader { kind, channel, transport, micros, len }.encode();
    assert!(matches!(with(&[]), Ok(None)));
    assert!(matches!(with(&header(Kind::Opened, 0)), Ok(Some(true))));
    assert!(matches!(with(&header(Kind::Opened, 0)[..19]), Err(RecordingError::Truncated { at: 16 })));
    assert!(matches!(with(&header(Kind::Sent, 1)), Err(RecordingError::Truncated { at: 16 })));
    let long = with(&header(Kind::Sent, MAX_PAYLOAD + 1));
    assert!(matches!(long, Err(RecordingError::Length { at: 16, bound: MAX_PAYLOAD, .. })));
    let mut unknown = header(Kind::Closed, 0);
    unknown[0] = 9;
    assert!(matches!(with(&unknown), Err(RecordingError::Kind { at: 16, kind: 9 })));
}
