//! Which channels a session opens, and what becomes of them.

use spice_proto::ProtocolError;
use spice_proto::channel::inputs::Scancode;
use spice_proto::msg::base::{self, Disconnecting, Notify, Severity, Visibility};
use spice_proto::msg::inputs::MouseButton;
use spice_proto::msg::main::{self, MouseModes};
use spice_proto::msg::{display, inputs};
use spice_proto::session::{Event, LeftClosed, SessionEnd};
use spice_proto::testing::pair::Pair;
use spice_proto::testing::server::{Received, ServerEvent};
use spice_proto::types::{ChannelId, ChannelType, LinkCode};
use spice_proto::wire::{Blob, Rest};

use super::{CURSOR, DISPLAY, DISPLAY_1, INPUTS, client, opened, received, server};

#[test]
fn the_order_of_a_start() {
    let mut pair = Pair::new(client(), server().channels(&[DISPLAY, INPUTS, CURSOR]));
    pair.drive();
    let events = pair.events();
    assert_eq!(events[0], Event::ChannelOpened(ChannelId::MAIN));
    let Event::Main(main::ServerMessage::Init(init)) = &events[1] else { panic!("{:?}", events[1]) };
    assert_eq!(Some(init.session_id), pair.server.session());
    assert_ne!(init.session_id, 0);
    let Event::Main(main::ServerMessage::Name(name)) = &events[2] else { panic!("{:?}", events[2]) };
    assert_eq!(name.text(), Some("reference server"));
    for channel in [DISPLAY, INPUTS, CURSOR] {
        assert!(events.contains(&Event::ChannelOpened(channel)), "{channel}");
    }
    // The mouse mode that is wanted was offered, asked for, and came into force.
    let mode = main::MouseMode {
        supported_modes: MouseModes::SERVER | MouseModes::CLIENT,
        current_mode: MouseModes::CLIENT,
    };
    assert!(events.contains(&Event::Main(main::ServerMessage::MouseMode(mode))));
    assert_eq!(pair.session.main().unwrap().logic().mouse(), mode);
}

#[test]
fn displays_are_let_in_before_the_others() {
    let mut pair = Pair::new(client(), server().channels(&[INPUTS, DISPLAY, CURSOR, DISPLAY_1]));
    pair.drive();
    let opened = |event| match event {
        Event::ChannelOpened(channel) => Some(channel.kind),
        _ => None,
    };
    let opened: Vec<_> = pair.events().into_iter().filter_map(opened).collect();
    let (display, inputs, cursor) = (ChannelType::DISPLAY, ChannelType::INPUTS, ChannelType::CURSOR);
    assert_eq!(opened, [ChannelType::MAIN, display, display, inputs, cursor]);
}

#[test]
fn headers_of_both_kinds() {
    for mini_headers in [true, false] {
        let mut config = server();
        config.mini_headers = mini_headers;
        let mut pair = opened(config, &[DISPLAY, INPUTS, CURSOR]);
        let now = pair.now();
        pair.session.inputs().unwrap().key_down(now, Scancode::plain(0x1e)).unwrap();
        pair.drive();
        let down = inputs::ClientMessage::KeyDown(inputs::KeyCode { code: 0x1e });
        assert_eq!(received(&mut pair, INPUTS), [Received::Inputs(down)]);
    }
}

#[test]
fn channels_that_are_not_opened_are_named() {
    let playback = ChannelId::new(ChannelType::PLAYBACK, 0);
    let strange = ChannelId::new(ChannelType(77), 3);
    let tunnel = ChannelId::new(ChannelType::TUNNEL, 0);
    let mut pair = Pair::new(client(), server().channels(&[playback, strange, DISPLAY, tunnel]));
    pair.drive();
    let left = pair.events().into_iter().find_map(|event| match event {
        Event::ChannelsLeftClosed(left) => Some(left),
        _ => None,
    });
    let expected =
        [(playback, LeftClosed::NotWanted), (strange, LeftClosed::Unknown), (tunnel, LeftClosed::Unknown)];
    assert_eq!(left.unwrap(), expected);
    assert_eq!(pair.session.open_channels().collect::<Vec<_>>(), [ChannelId::MAIN, DISPLAY]);
}

#[test]
fn every_kind_of_channel_can_be_opened() {
    let kinds = [
        ChannelType::PLAYBACK,
        ChannelType::RECORD,
        ChannelType::SMARTCARD,
        ChannelType::USBREDIR,
        ChannelType::PORT,
        ChannelType::WEBDAV,
    ];
    let channels = kinds.map(|kind| ChannelId::new(kind, 0));
    let mut pair = Pair::new(client().channels(&kinds), server().channels(&channels));
    pair.drive();
    assert_eq!(pair.session.open_channels().count(), 7);
}

#[test]
fn a_channel_that_is_plugged_in_later_is_opened_and_the_others_stay() {
    let mut pair = opened(server(), &[DISPLAY]);
    pair.server.plug(DISPLAY_1);
    pair.drive();
    assert!(pair.events().contains(&Event::ChannelOpened(DISPLAY_1)));
    // The same once more changes nothing.
    let streams = pair.streams();
    pair.server.plug(DISPLAY_1);
    pair.drive();
    assert_eq!(pair.streams(), streams);
    assert_eq!(pair.session.open_channels().count(), 3);
}

#[test]
fn a_lost_channel_is_reported_and_the_session_goes_on() {
    let mut pair = opened(server(), &[DISPLAY, INPUTS]);
    pair.cut_after(Some(DISPLAY), 0);
    pair.drive();
    assert_eq!(pair.events(), [Event::ChannelClosed { channel: DISPLAY, error: None }]);
    assert!(!pair.session.is_over());
    assert_eq!(pair.session.open_channels().count(), 2);
}

#[test]
fn the_end_of_main_ends_everything_on_both_sides() {
    let mut pair = opened(server(), &[DISPLAY, INPUTS]);
    let session = pair.server.session().unwrap();
    pair.cut_after(Some(ChannelId::MAIN), 0);
    pair.drive();
    assert_eq!(pair.events().last(), Some(&Event::Ended(SessionEnd::ClosedByServer)));
    assert_eq!((pair.streams(), pair.server.connections()), (0, 0));
    assert!(pair.server_events().contains(&ServerEvent::SessionEnded { session }));
}

#[test]
fn a_client_that_leaves_ends_the_session_on_the_server() {
    let mut pair = opened(server(), &[DISPLAY, INPUTS]);
    pair.session.disconnect(spice_proto::Instant::ZERO);
    pair.drive();
    assert_eq!(pair.events(), [Event::Ended(SessionEnd::Asked)]);
    assert_eq!((pair.streams(), pair.server.connections(), pair.server.session()), (0, 0, None));
}

#[test]
fn pings_are_answered_on_every_channel() {
    let mut pair = opened(server(), &[DISPLAY, INPUTS, CURSOR]);
    let ping = |id| {
        let filler = Rest(vec![0; 256_000].into());
        base::ServerMessage::Ping(base::Ping { id, timestamp: 1 << 40, filler })
    };
    pair.server.peer::<main::Main>(0).unwrap().send_base(&ping(3));
    pair.server.peer::<display::Display>(0).unwrap().send_base(&ping(3));
    pair.server.peer::<inputs::Inputs>(0).unwrap().send_base(&ping(3));
    pair.drive();
    let pong = Received::Base(base::ClientMessage::Pong(base::Pong { id: 3, timestamp: 1 << 40 }));
    let pongs = pair
        .server_events()
        .into_iter()
        .filter(|event| matches!(event, ServerEvent::Received { message, .. } if *message == pong));
    assert_eq!(pongs.count(), 3);
    assert_eq!(pair.events(), []);
}

#[test]
fn a_notice_reaches_the_application() {
    let mut pair = opened(server(), &[INPUTS]);
    let notify = Notify {
        time_stamp: 5,
        severity: Severity::WARN,
        visibility: Visibility::HIGH,
        what: 0,
        message: Blob::new("keyboard channel is insecure".into()).unwrap(),
    };
    pair.server.peer::<main::Main>(0).unwrap().send_base(&base::ServerMessage::Notify(notify.clone()));
    pair.drive();
    assert_eq!(pair.events(), [Event::Notice(ChannelId::MAIN, notify)]);
}

#[test]
fn an_announced_end_is_an_ordinary_end() {
    let mut pair = opened(server(), &[DISPLAY]);
    let goodbye = Disconnecting { time_stamp: 9, reason: LinkCode::OK };
    let peer = pair.server.peer::<display::Display>(0).unwrap();
    peer.send_base(&base::ServerMessage::Disconnecting(goodbye));
    pair.drive();
    assert_eq!(pair.events(), []);
    pair.cut_after(Some(DISPLAY), 0);
    pair.drive();
    assert_eq!(pair.events(), [Event::ChannelClosed { channel: DISPLAY, error: None }]);
}

#[test]
fn unknown_messages_pass_and_nothing_else_happens() {
    let mut pair = opened(server(), &[DISPLAY]);
    let strange = |kind| display::ServerMessage::Unknown { kind, body: vec![1, 2, 3].into() };
    for kind in [50, 99, 100, 300, 999, u16::MAX] {
        super::draw(&mut pair, 0, &strange(kind));
    }
    super::draw(&mut pair, 0, &display::ServerMessage::Mark);
    pair.drive();
    let seen = [300, 999, u16::MAX].map(|kind| Event::Display(0, strange(kind)));
    // Numbers below those of the channel's own are the base's, which skips what it does not know.
    let mut expected = seen.to_vec();
    expected.push(Event::Display(0, display::ServerMessage::Mark));
    assert_eq!(pair.events(), expected);
}

#[test]
fn a_malformed_message_ends_its_channel_alone() {
    let mut pair = opened(server(), &[DISPLAY, INPUTS]);
    super::draw(&mut pair, 0, &display::ServerMessage::Unknown { kind: 304, body: vec![1, 2, 3].into() });
    pair.drive();
    let events = pair.events();
    let [Event::ChannelClosed { channel: DISPLAY, error: Some(ProtocolError::Malformed(error)) }] =
        events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(error.message, "DrawCopy");
    assert_eq!(pair.session.open_channels().collect::<Vec<_>>(), [ChannelId::MAIN, INPUTS]);
    assert_eq!(pair.server.connections(), 2);
}

#[test]
fn a_second_init_or_a_session_without_id_is_refused() {
    let mut pair = opened(server(), &[]);
    let init = main::Init { session_id: 5, ..Default::default() };
    pair.server.peer::<main::Main>(0).unwrap().send(&main::ServerMessage::Init(init));
    pair.drive();
    let events = pair.events();
    assert!(
        matches!(events[..], [Event::Ended(SessionEnd::Failed(ProtocolError::Broken { .. }))]),
        "{events:?}"
    );
}

#[test]
fn pointer_movements_keep_pace_with_the_server() {
    let mut pair = opened(server(), &[INPUTS]);
    let now = pair.now();
    for _ in 0..100 {
        pair.session.inputs().unwrap().motion(now, 1, 2).unwrap();
    }
    pair.session.inputs().unwrap().button_down(now, MouseButton::LEFT).unwrap();
    pair.drive();
    let messages = received(&mut pair, INPUTS);
    let moved = messages.iter().filter_map(|message| match message {
        Received::Inputs(inputs::ClientMessage::MouseMotion(motion)) => Some((motion.dx, motion.dy)),
        _ => None,
    });
    let moved: Vec<_> = moved.collect();
    assert!(moved.len() < 12, "{} messages", moved.len());
    let sum = moved.iter().fold((0, 0), |sum, by| (sum.0 + by.0, sum.1 + by.1));
    assert_eq!(sum, (100, 200));
    let press = messages.last().unwrap();
    assert!(matches!(press, Received::Inputs(inputs::ClientMessage::MousePress(_))), "{press:?}");
}
