//! Channels take turns, and barriers wait for the right things.

use core::time::Duration;

use spice_proto::msg::main;
use spice_proto::session::Event;
use spice_proto::types::ChannelId;

use super::{DISPLAY, DISPLAY_1, World, config, is_mark};

#[test]
fn no_channel_starves_another() {
    let mut world = World::with_displays(config(), &[DISPLAY]);
    for _ in 0..100 {
        world.mark(DISPLAY);
    }
    assert!(is_mark(&world.session.poll_event().expect("an event")));
    world.main(&main::ServerMessage::MultiMediaTime(main::MultiMediaTime { time: 5 }));
    let events = world.events();
    let main = events.iter().position(|event| matches!(event, Event::Main(_)));
    assert!(main.is_some_and(|at| at < 2), "main's turn came at {main:?}");
}

#[test]
fn a_barrier_waits_for_a_channel_whose_link_is_under_way() {
    let mut world = World::with_displays(config(), &[DISPLAY]);
    world.list(&[DISPLAY_1]);
    world.events();
    world.io();
    world.session.connected(world.opened[&DISPLAY_1], [3; 32], world.now);
    // The server has linked display 1 and drawn on it; that has not been read yet.
    world.wait_for(DISPLAY, DISPLAY_1, 1);
    world.mark(DISPLAY);
    assert_eq!(world.events(), []);
    world.link(DISPLAY_1);
    world.mark(DISPLAY_1);
    let order: Vec<_> = world.events().iter().filter_map(display).collect();
    assert_eq!(order, [1, 0]);
}

#[test]
fn a_barrier_waits_for_the_events_of_a_channel_that_has_ended() {
    let mut world = World::with_displays(config(), &[DISPLAY, DISPLAY_1]);
    world.mark(DISPLAY_1);
    world.mark(DISPLAY_1);
    world.close(DISPLAY_1);
    world.wait_for(DISPLAY, DISPLAY_1, 2);
    world.mark(DISPLAY);
    let order: Vec<_> = world.events().iter().filter_map(display).collect();
    assert_eq!(order, [1, 1, 0]);
}

#[test]
fn an_application_that_takes_its_time_does_not_break_a_barrier() {
    let mut world = World::with_displays(config(), &[DISPLAY, DISPLAY_1]);
    world.mark(DISPLAY_1);
    world.wait_for(DISPLAY, DISPLAY_1, 1);
    world.mark(DISPLAY);
    for _ in 0..5 {
        let deadline = world.session.poll_timeout().expect("a barrier has a deadline");
        world.now = deadline + Duration::from_secs(1);
        world.session.handle_timeout(world.now);
    }
    let order: Vec<_> = world.events().iter().filter_map(display).collect();
    assert_eq!(order, [1, 0]);
}

#[test]
fn barriers_against_each_other_end_in_an_error_and_nothing_else() {
    let mut world = World::with_displays(config(), &[DISPLAY, DISPLAY_1]);
    world.wait_for(DISPLAY, DISPLAY_1, 9);
    world.wait_for(DISPLAY_1, DISPLAY, 9);
    world.now = world.session.poll_timeout().expect("a barrier has a deadline");
    world.session.handle_timeout(world.now);
    let events = world.events();
    assert!(events.iter().all(|event| matches!(event, Event::ChannelClosed { error: Some(_), .. })));
    assert!(!events.is_empty());
    world.main(&main::ServerMessage::MultiMediaTime(main::MultiMediaTime { time: 5 }));
    assert!(world.events().iter().any(|event| matches!(event, Event::Main(_))));
    assert!(world.session.open_channels().any(|id| id == ChannelId::MAIN));
}

fn display(event: &Event) -> Option<u8> {
    match event {
        Event::Display(id, _) => Some(*id),
        _ => None,
    }
}
