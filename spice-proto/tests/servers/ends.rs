//! Nothing that was received before an end is lost.

use std::time::Duration;

use spice_proto::msg::display;
use spice_proto::session::{Event, SessionEnd};
use spice_proto::types::ChannelId;
use spice_proto::{LinkError, ProtocolError};

use super::{DISPLAY, DISPLAY_1, World, config, is_mark};

#[test]
fn the_end_of_main_comes_behind_what_other_channels_have_received() {
    let mut world = World::with_displays(config(), &[DISPLAY]);
    for _ in 0..1000 {
        world.mark(DISPLAY);
    }
    world.close(ChannelId::MAIN);
    assert!(!world.session.wants_input(world.opened[&DISPLAY]), "the session is leaving");
    let events = world.events();
    assert_eq!(events.iter().filter(|event| is_mark(event)).count(), 1000);
    assert_eq!(events.last(), Some(&Event::Ended(SessionEnd::ClosedByServer)));
}

#[test]
fn what_stands_behind_a_barrier_comes_before_the_end_of_its_channel() {
    let mut world = World::with_displays(config(), &[DISPLAY, DISPLAY_1]);
    world.wait_for(DISPLAY, DISPLAY_1, 1);
    world.mark(DISPLAY);
    world.close(DISPLAY);
    assert_eq!(world.events(), []);
    world.mark(DISPLAY_1);
    let events = world.events();
    let closed = Event::ChannelClosed { channel: DISPLAY, error: None };
    let mark = |id| Event::Display(id, display::ServerMessage::Mark);
    assert_eq!(events, [mark(1), mark(0), closed]);
}

#[test]
fn a_channel_that_floods_does_not_hide_the_end_of_another() {
    let mut world = World::with_displays(config(), &[DISPLAY, DISPLAY_1]);
    for _ in 0..10 {
        world.mark(DISPLAY);
    }
    world.close(DISPLAY_1);
    let closed = Event::ChannelClosed { channel: DISPLAY_1, error: None };
    assert_eq!(world.events().first(), Some(&closed));
}

#[test]
fn a_display_that_is_being_taken_in_is_closed_behind_its_first_message() {
    let mut world = World::with_displays(config(), &[]);
    world.list(&[DISPLAY]);
    world.events();
    world.io();
    world.session.connected(world.opened[&DISPLAY], [3; 32], world.now);
    world.session.disconnect(world.now);
    world.io();
    assert_eq!(world.closed, [], "the link has not been answered");
    world.link(DISPLAY);
    world.io();
    let written = &world.written[&world.opened[&DISPLAY]];
    let init = [101, 0, 14, 0, 0, 0];
    assert!(written.windows(init.len()).any(|bytes| bytes == init), "INIT goes out");
    assert_eq!(world.closed, [], "the server has not said anything");
    world.mark(DISPLAY);
    world.io();
    let main = world.opened[&ChannelId::MAIN];
    assert!(world.closed.contains(&world.opened[&DISPLAY]) && world.closed.contains(&main));
    assert_eq!(world.events(), [Event::Ended(SessionEnd::Asked)]);
}

#[test]
fn a_display_that_never_says_anything_does_not_keep_the_session() {
    let mut world = World::with_displays(config(), &[DISPLAY]);
    // Nothing has happened for a while; the time to leave counts from now.
    world.now = world.now + Duration::from_secs(3);
    world.session.disconnect(world.now);
    world.io();
    assert_eq!(world.closed, []);
    world.now = world.session.poll_timeout().expect("a moment to leave");
    assert_eq!(world.now.since_epoch(), Duration::from_secs(5));
    world.session.handle_timeout(world.now);
    world.io();
    assert_eq!(world.events(), [Event::Ended(SessionEnd::Asked)]);
}

#[test]
fn an_end_in_the_link_names_the_stage() {
    let mut world = World::new(config());
    world.session.connected(world.opened[&ChannelId::MAIN], [3; 32], world.now);
    world.close(ChannelId::MAIN);
    let events = world.events();
    let [Event::Ended(SessionEnd::Failed(ProtocolError::Link(LinkError::Closed { .. })))] = events[..] else {
        panic!("{events:?}")
    };
}
