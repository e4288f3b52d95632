//! What a server can make a session hold.

use bytes::Bytes;
use spice_proto::msg::{base, display, main};
use spice_proto::session::{Event, LeftClosed};
use spice_proto::types::{ChannelId, ChannelType};
use spice_proto::wire::Rest;
use spice_proto::{Instant, ProtocolError};

use super::{DISPLAY, World, config, is_mark};

#[test]
fn limit_queued_output() {
    let mut config = config();
    config.limits.queued_output = 1000;
    let mut world = World::with_displays(config, &[DISPLAY]);
    let transport = world.opened[&ChannelId::MAIN];
    // The server asks and never takes an answer.
    let mut asked = 0;
    while world.session.wants_input(transport) {
        world.ping(ChannelId::MAIN);
        asked += 1;
        assert!(asked < 100, "the answers pile up");
    }
    let misuse = world.session.main().expect("open").grant_agent_tokens(Instant::ZERO, 1);
    assert!(matches!(misuse, Err(ProtocolError::Misuse(_))));
    // What the driver has taken and not written counts as well.
    world.io();
    assert!(world.session.wants_input(transport));
    world.session.set_backlog(transport, 1001);
    assert!(!world.session.wants_input(transport));
    world.session.set_backlog(transport, 0);
    assert!(world.session.wants_input(transport));
}

#[test]
fn limit_queued_bytes() {
    let mut config = config();
    config.limits.queued_bytes = 10_000;
    let mut world = World::with_displays(config, &[DISPLAY]);
    let transport = world.opened[&DISPLAY];
    let long = display::ServerMessage::Unknown { kind: 999, body: Bytes::from(vec![0; 6000]) };
    world.give(DISPLAY, &long);
    assert!(world.session.wants_input(transport));
    world.give(DISPLAY, &long);
    assert!(!world.session.wants_input(transport));
    world.give(DISPLAY, &long);
    assert!(world.session.poll_event().is_some());
    assert_eq!(world.session.event_len(), 6000);
    assert_eq!(world.events().len(), 2, "what was read is not lost");
    assert!(world.session.wants_input(transport));
}

#[test]
fn limit_queued_events() {
    let mut config = config();
    config.limits.queued_events = 2;
    let mut world = World::with_displays(config, &[DISPLAY]);
    for _ in 0..5 {
        world.mark(DISPLAY);
    }
    assert!(!world.session.wants_input(world.opened[&DISPLAY]));
    assert_eq!(world.events().iter().filter(|event| is_mark(event)).count(), 5);
    assert!(world.session.wants_input(world.opened[&DISPLAY]));
}

#[test]
fn a_list_of_channels_that_repeats_itself_is_not_reported_for_ever() {
    let mut world = World::with_displays(config(), &[]);
    let strange = ChannelId::new(ChannelType(77), 0);
    world.list(&vec![strange; 1 << 20]);
    let events = world.events();
    let left = events.iter().find_map(|event| match event {
        Event::ChannelsLeftClosed(left) => Some(left),
        _ => None,
    });
    let left = left.expect("the channel is reported");
    assert!(left.len() <= 1 << 16);
    assert_eq!(left[0], (strange, LeftClosed::Unknown));
}

#[test]
fn messages_that_end_the_servers_process_are_not_sent() {
    let mut world = World::with_displays(config(), &[DISPLAY]);
    world.io();
    world.written.clear();
    let init = display::ClientMessage::Init(Default::default());
    let main = main::ClientMessage::MigrateDstDoSeamless(main::MigrateDstDoSeamless { src_version: 1 });
    let mark = base::ClientMessage::MigrateFlushMark;
    let now = Instant::ZERO;
    let channel = world.session.display(0).expect("open");
    assert!(matches!(channel.command(now, |_, cx| cx.send(&init)), Err(ProtocolError::Misuse(_))));
    assert!(matches!(channel.command(now, |_, cx| cx.send(&mark)), Err(ProtocolError::Misuse(_))));
    assert_eq!(channel.command(now, |_, _| ()), Ok(()));
    let channel = world.session.main().expect("open");
    assert!(matches!(channel.command(now, |_, cx| cx.send(&main)), Err(ProtocolError::Misuse(_))));
    world.io();
    assert!(world.written.is_empty());
}

#[test]
fn debug_output_shows_no_contents() {
    let mut world = World::with_displays(config(), &[]);
    let secret = Rest(Bytes::from_static(b"clipboard"));
    world.main(&main::ServerMessage::AgentConnectedTokens(main::AgentTokens { num_tokens: 9 }));
    world.main(&main::ServerMessage::AgentData(secret.clone()));
    let main = world.session.main().expect("open");
    assert_eq!(main.send_agent_data(Instant::ZERO, secret.0), Ok(()));
    let channel = format!("{:?}", world.session.main());
    let text = format!("{channel} {:?}", world.session);
    assert!(!text.contains("clipboard"), "{text}");
}
