//! Bounds of a session and of a server, by name.

use bytes::BytesMut;
use spice_proto::channel::Peer;
use spice_proto::link::{HeaderKind, LinkStage};
use spice_proto::msg::display::{self, Brush, DrawFill, QMask, RopDescriptor};
use spice_proto::msg::main::Main;
use spice_proto::session::{Event, LeftClosed, Output, Security, Session, SessionEnd};
use spice_proto::testing::pair::Pair;
use spice_proto::testing::server::Server;
use spice_proto::types::ChannelId;
use spice_proto::wire::Ptr;
use spice_proto::{
    DecodeErrorKind, Instant, LimitExceeded, Limits, LinkError, ProtocolError, msg::inputs::Inputs,
};

use super::{DISPLAY, DISPLAY_1, INPUTS, client, draw, server};

/// A pair whose client has small limits, with one display open.
fn bounded(change: impl FnOnce(&mut Limits)) -> Pair {
    let mut config = client();
    change(&mut config.limits);
    let mut pair = Pair::new(config, server().channels(&[DISPLAY]));
    pair.drive();
    pair.events();
    pair
}

/// Why the display was closed.
fn verdict(pair: &mut Pair) -> Option<ProtocolError> {
    pair.drive();
    pair.events().into_iter().find_map(|event| match event {
        Event::ChannelClosed { channel: DISPLAY, error } => error,
        _ => None,
    })
}

#[test]
fn message_len() {
    let mut pair = bounded(|limits| limits.message_len = 1000);
    let long = |len| display::ServerMessage::Unknown { kind: 999, body: vec![0; len].into() };
    draw(&mut pair, 0, &long(1000));
    assert_eq!(verdict(&mut pair), None);
    draw(&mut pair, 0, &long(1001));
    let exceeded = LimitExceeded { limit: "message_len", value: 1001, bound: 1000 };
    assert_eq!(verdict(&mut pair), Some(ProtocolError::Limit(exceeded)));
}

#[test]
fn pointers() {
    let mask = |image| QMask { bitmap: Some(Ptr(image)), ..QMask::default() };
    let image = || display::Image {
        id: spice_proto::types::ImageId(1),
        flags: display::ImageFlags::empty(),
        width: 1,
        height: 1,
        data: display::ImageData::FromCache,
    };
    let pattern = display::Pattern { image: Ptr(image()), pos: Default::default() };
    let fill = display::ServerMessage::DrawFill(DrawFill {
        base: display::DisplayBase {
            surface_id: Default::default(),
            area: Default::default(),
            clip: Default::default(),
        },
        brush: Brush::Pattern(pattern),
        rop: RopDescriptor::OP_PUT,
        mask: mask(image()),
    });
    let mut pair = bounded(|limits| limits.pointers = 2);
    draw(&mut pair, 0, &fill);
    assert_eq!(verdict(&mut pair), None);
    let mut pair = bounded(|limits| limits.pointers = 1);
    draw(&mut pair, 0, &fill);
    let Some(ProtocolError::Malformed(error)) = verdict(&mut pair) else { panic!("it passed") };
    assert_eq!(error.kind, DecodeErrorKind::TooManyPointers { bound: 1 });
}

#[test]
fn channels() {
    let mut config = client();
    config.limits.channels = 2;
    let mut pair = Pair::new(config, server().channels(&[DISPLAY, DISPLAY_1, INPUTS]));
    pair.drive();
    let left = [(DISPLAY_1, LeftClosed::TooMany), (INPUTS, LeftClosed::TooMany)];
    assert!(pair.events().contains(&Event::ChannelsLeftClosed(left.to_vec())));
    assert_eq!(pair.session.open_channels().collect::<Vec<_>>(), [ChannelId::MAIN, DISPLAY]);
}

#[test]
fn handshake() {
    let mut session = Session::new(client());
    let Some(Output::Connect { transport, .. }) = session.poll_output() else { panic!("it connects first") };
    let start = Instant::from_millis(500);
    session.connected(transport, [1; 32], start);
    while session.poll_io().is_some() {}
    let deadline = session.poll_timeout().expect("a deadline");
    assert_eq!(deadline, start + Limits::default().handshake);
    session.handle_timeout(deadline);
    let timeout = LinkError::Timeout { stage: LinkStage::Reply };
    let outputs: Vec<_> = std::iter::from_fn(|| session.poll_output()).collect();
    let ended = Output::Event(Event::Ended(SessionEnd::Failed(ProtocolError::Link(timeout))));
    assert_eq!(outputs, [Output::Close { transport }, ended]);
    assert_eq!(session.poll_timeout(), None);
}

#[test]
fn client_message_len() {
    let mut limits = Limits::default();
    limits.client_message_len = 8;
    let mut peer = Peer::<Inputs>::new(HeaderKind::Mini, &limits);
    let mut input = BytesMut::from(&[104, 0, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 104, 0, 9, 0, 0, 0][..]);
    assert!(peer.next_message(&mut input).is_ok_and(|message| message.is_some()));
    // The header alone decides.
    let exceeded = LimitExceeded { limit: "client_message_len", value: 9, bound: 8 };
    assert_eq!(peer.next_message(&mut input).unwrap_err(), ProtocolError::Limit(exceeded));
}

/// CVE-2016-9577: a client's message on the main channel says that it is longer than the server's buffer.
#[test]
fn cve_2016_9577_sizes_on_the_main_channel() {
    let bound = Limits::default().client_message_len;
    let frame = |kind: u16, len: u32| [&kind.to_le_bytes()[..], &len.to_le_bytes(), &[0; 64]].concat();
    // Agent data, attachment, mouse mode, and types that do not exist.
    for kind in [107, 104, 105, 101, 0, 100, u16::MAX] {
        for len in [bound + 1, 1 << 31, u32::MAX - 5, u32::MAX] {
            let mut peer = Peer::<Main>::new(HeaderKind::Mini, &Limits::default());
            let mut input = BytesMut::from(&frame(kind, len)[..]);
            let exceeded =
                LimitExceeded { limit: "client_message_len", value: len.into(), bound: bound.into() };
            assert_eq!(
                peer.next_message(&mut input).unwrap_err(),
                ProtocolError::Limit(exceeded),
                "{kind} {len}"
            );
            // The channel is over, whatever comes.
            assert!(peer.next_message(&mut BytesMut::from(&frame(101, 0)[..])).is_err());
        }
        // What is within the bound is waited for; nothing is read that has not come.
        let mut peer = Peer::<Main>::new(HeaderKind::Mini, &Limits::default());
        let mut input = BytesMut::from(&frame(kind, 65)[..]);
        assert_eq!(peer.next_message(&mut input), Ok(None));
    }
}

/// CVE-2013-4130: a client acknowledges what it was not sent, and an assertion of the server about its window fails.
#[test]
fn cve_2013_4130_acknowledgements_that_nobody_asked_for() {
    let ack = [2, 0, 0, 0, 0, 0];
    let sync = |generation: u32| [&[1, 0, 4, 0, 0, 0][..], &generation.to_le_bytes()].concat();
    let mut peer = Peer::<Inputs>::new(HeaderKind::Mini, &Limits::default());
    let give = |peer: &mut Peer<Inputs>, bytes: &[u8]| {
        assert!(peer.next_message(&mut BytesMut::from(bytes)).is_ok_and(|message| message.is_some()));
    };
    // Before any window, then for windows of other generations, then more often than there were messages.
    give(&mut peer, &ack);
    give(&mut peer, &sync(7));
    assert!(peer.may_send());
    peer.set_ack(2);
    for bytes in [&ack[..], &ack, &sync(u32::MAX), &ack] {
        give(&mut peer, bytes);
    }
    for _ in 0..9 {
        peer.send(&spice_proto::msg::inputs::ServerMessage::MouseMotionAck);
    }
    assert!(!peer.may_send());
    give(&mut peer, &sync(1));
    for _ in 0..99 {
        give(&mut peer, &ack);
    }
    assert!(peer.may_send());
}

#[test]
fn half_open() {
    let mut config = server();
    config.half_open = 3;
    let mut server = Server::new(config, [1; 32]);
    let now = Instant::ZERO;
    let accepted: Vec<_> = (0..3).map(|_| server.accept(Security::Plain, now).unwrap()).collect();
    let exceeded = LimitExceeded { limit: "half_open", value: 4, bound: 3 };
    assert_eq!(server.accept(Security::Plain, now), Err(exceeded));
    server.closed(accepted[1], now);
    assert!(server.accept(Security::Plain, now).is_ok());
    // Those that say nothing make room in time.
    server.handle_timeout(server.poll_timeout().unwrap());
    while server.poll_output().is_some() {}
    assert!(server.accept(Security::Plain, now).is_ok());
    assert_eq!(server.connections(), 1);
}

#[test]
fn connections() {
    let mut config = server();
    config.connections = 2;
    let mut pair = Pair::new(client(), config);
    pair.drive();
    // Main and one more; the others were turned away.
    assert_eq!(pair.server.connections(), 2);
    let refused = pair.events().into_iter().filter(|event| {
        let not_connected = Some(ProtocolError::Link(LinkError::NotConnected));
        matches!(event, Event::ChannelClosed { error, .. } if *error == not_connected)
    });
    assert_eq!(refused.count(), 2);
}
