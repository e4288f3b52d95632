//! Channels that wait for each other's progress.

use spice_proto::msg::base::{self, WaitForChannel, WaitForChannels};
use spice_proto::msg::display::{Display, ServerMessage};
use spice_proto::session::Event;
use spice_proto::testing::pair::Pair;
use spice_proto::types::{ChannelId, ChannelType};
use spice_proto::wire::Counted;
use spice_proto::{LimitExceeded, ProtocolError};

use super::{DISPLAY, DISPLAY_1, draw, opened, server, stroke, strokes};

fn displays(mini_headers: bool) -> Pair {
    let mut config = server();
    config.mini_headers = mini_headers;
    config.ack_window = 0;
    opened(config, &[DISPLAY, DISPLAY_1])
}

fn list(waits: &[(ChannelId, u64)]) -> WaitForChannels {
    let waits =
        waits.iter().map(|&(channel, message_serial)| WaitForChannel { channel, message_serial }).collect();
    WaitForChannels { wait_list: Counted::new(waits).unwrap() }
}

fn wait(pair: &mut Pair, id: u8, waits: &[(ChannelId, u64)]) {
    let message = base::ServerMessage::WaitForChannels(list(waits));
    pair.server.peer::<Display>(id).unwrap().send_base(&message);
}

#[test]
fn a_channel_waits_until_the_other_has_come_so_far() {
    for mini_headers in [true, false] {
        let mut pair = displays(mini_headers);
        draw(&mut pair, 0, &stroke(1));
        wait(&mut pair, 0, &[(DISPLAY_1, 3)]);
        draw(&mut pair, 0, &stroke(2));
        pair.drive();
        assert_eq!(strokes(&mut pair), [(0, 1)]);
        draw(&mut pair, 1, &stroke(10));
        draw(&mut pair, 1, &stroke(11));
        pair.drive();
        assert_eq!(strokes(&mut pair), [(1, 10), (1, 11)]);
        draw(&mut pair, 1, &stroke(12));
        pair.drive();
        assert_eq!(strokes(&mut pair), [(1, 12), (0, 2)]);
    }
}

#[test]
fn all_channels_of_a_list_are_waited_for() {
    let mut pair = displays(true);
    wait(&mut pair, 0, &[(DISPLAY_1, 2), (DISPLAY, 0), (DISPLAY_1, 1)]);
    draw(&mut pair, 0, &stroke(1));
    draw(&mut pair, 1, &stroke(10));
    pair.drive();
    assert_eq!(strokes(&mut pair), [(1, 10)]);
    draw(&mut pair, 1, &stroke(11));
    pair.drive();
    assert_eq!(strokes(&mut pair), [(1, 11), (0, 1)]);
}

#[test]
fn an_emptied_image_cache_waits_like_a_barrier() {
    let mut pair = displays(true);
    let inval = ServerMessage::InvalAllPixmaps(list(&[(DISPLAY_1, 1)]));
    draw(&mut pair, 0, &inval);
    draw(&mut pair, 0, &stroke(1));
    pair.drive();
    assert_eq!(pair.events(), []);
    draw(&mut pair, 1, &stroke(10));
    pair.drive();
    let expected = [Event::Display(1, stroke(10)), Event::Display(0, inval), Event::Display(0, stroke(1))];
    assert_eq!(pair.events(), expected);
}

#[test]
fn a_channel_that_is_not_there_is_not_waited_for() {
    let mut pair = displays(true);
    let absent = ChannelId::new(ChannelType::DISPLAY, 9);
    wait(&mut pair, 0, &[(absent, 1000)]);
    wait(&mut pair, 0, &[]);
    draw(&mut pair, 0, &stroke(1));
    pair.drive();
    assert_eq!(strokes(&mut pair), [(0, 1)]);
}

#[test]
fn a_channel_that_is_lost_is_not_waited_for_any_more() {
    let mut pair = displays(true);
    wait(&mut pair, 0, &[(DISPLAY_1, 1000)]);
    draw(&mut pair, 0, &stroke(1));
    pair.drive();
    assert_eq!(strokes(&mut pair), []);
    pair.cut_after(Some(DISPLAY_1), 0);
    pair.drive();
    assert_eq!(strokes(&mut pair), [(0, 1)]);
}

/// A message that waits is not done itself: whoever waits for it waits on.
#[test]
fn a_barrier_counts_once_it_has_been_passed() {
    let mut pair = displays(true);
    draw(&mut pair, 0, &stroke(1));
    wait(&mut pair, 0, &[(DISPLAY_1, 2)]);
    wait(&mut pair, 1, &[(DISPLAY, 2)]);
    draw(&mut pair, 1, &stroke(10));
    pair.drive();
    assert_eq!(strokes(&mut pair), [(0, 1)], "both wait for each other");
}

#[test]
fn limit_wait_for_channels() {
    let mut pair = displays(true);
    wait(&mut pair, 0, &[(DISPLAY_1, 1000)]);
    pair.drive();
    assert!(pair.pass_to_deadline());
    let closed = pair.events().into_iter().find_map(|event| match event {
        Event::ChannelClosed { channel, error } => Some((channel, error)),
        _ => None,
    });
    let exceeded = LimitExceeded { limit: "wait_for_channels", value: 10_000, bound: 10_000 };
    assert_eq!(closed, Some((DISPLAY, Some(ProtocolError::Limit(exceeded)))));
    assert!(!pair.session.is_over());
}
