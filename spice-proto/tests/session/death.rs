//! Streams that break, anywhere.

use spice_proto::msg::display::ServerMessage;
use spice_proto::session::{Event, SessionEnd};
use spice_proto::testing::pair::Pair;
use spice_proto::testing::server::Show;
use spice_proto::types::ChannelId;
use spice_proto::{LinkError, ProtocolError};

use super::{DISPLAY, client, server, stroke};

fn script() -> Vec<ServerMessage> {
    vec![stroke(1), ServerMessage::Mark, stroke(2), ServerMessage::Reset]
}

fn pair() -> Pair {
    Pair::new(client(), server().channels(&[DISPLAY]).show(Show::Script(script())))
}

/// How many bytes a whole start takes.
fn whole() -> u64 {
    let mut pair = pair();
    pair.drive();
    assert!(pair.events().contains(&Event::Display(0, ServerMessage::Reset)));
    pair.moved()
}

#[test]
fn everything_may_break_behind_every_byte() {
    for bytes in 0..=whole() {
        let mut pair = pair();
        pair.cut_after(None, bytes);
        pair.drive();
        let events = pair.events();
        let Some(Event::Ended(end)) = events.last() else { panic!("cut after {bytes}: {events:?}") };
        let is_link = matches!(
            end,
            SessionEnd::Failed(ProtocolError::Link(LinkError::Closed { .. } | LinkError::NotConnected))
        );
        assert!(is_link || *end == SessionEnd::ClosedByServer, "cut after {bytes}: {end:?}");
        let ended = events.iter().filter(|event| matches!(event, Event::Ended(_))).count();
        assert_eq!(ended, 1, "cut after {bytes}");
        assert_eq!((pair.streams(), pair.server.connections()), (0, 0), "cut after {bytes}");
        assert_eq!((pair.session.poll_timeout(), pair.server.poll_timeout()), (None, None));
    }
}

#[test]
fn a_display_may_break_behind_every_byte_of_its_own() {
    let all = script();
    let mut complete = 0;
    for bytes in 0.. {
        let mut pair = pair();
        pair.cut_after(Some(DISPLAY), bytes);
        pair.drive();
        let events = pair.events();
        let drawn: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Event::Display(0, message) => Some(message.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(drawn, all[..drawn.len()], "cut after {bytes}");
        assert_eq!(pair.session.open_channels().next(), Some(ChannelId::MAIN), "cut after {bytes}");
        let closed = events.iter().filter(|event| matches!(event, Event::ChannelClosed { .. })).count();
        if closed == 0 {
            // The cut lies behind the last byte.
            break;
        }
        assert_eq!(closed, 1, "cut after {bytes}");
        assert_eq!(pair.server.connections(), 1, "cut after {bytes}");
        complete += usize::from(drawn.len() == all.len());
    }
    assert!(complete > 0);
}
