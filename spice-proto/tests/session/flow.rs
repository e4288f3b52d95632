//! Acknowledgements and back-pressure.

use bytes::BytesMut;
use spice_proto::Limits;
use spice_proto::channel::Peer;
use spice_proto::frame::FrameWriter;
use spice_proto::link::HeaderKind;
use spice_proto::msg::base::{AckSync, ClientMessage};
use spice_proto::msg::display::{self, Display};
use spice_proto::testing::server::Received;

use super::{DISPLAY, client, draw, opened, received, server, stroke, strokes};
use spice_proto::testing::pair::Pair;

#[test]
fn one_ack_for_each_window_of_messages() {
    for (window, messages, acks) in [(1, 7, 7), (4, 100, 25), (20, 19, 0), (20, 20, 1), (0, 100, 0)] {
        let mut config = server();
        config.ack_window = 0;
        let mut pair = opened(config, &[DISPLAY]);
        pair.server.peer::<Display>(0).unwrap().set_ack(window);
        for name in 0..messages {
            draw(&mut pair, 0, &stroke(name));
        }
        pair.drive();
        let received = received(&mut pair, DISPLAY);
        let sync = Received::Base(ClientMessage::AckSync(AckSync { generation: 1 }));
        assert_eq!(received.first(), Some(&sync));
        let count = received.iter().filter(|message| **message == Received::Base(ClientMessage::Ack)).count();
        assert_eq!(count, acks, "window {window}");
        assert_eq!(strokes(&mut pair).len(), messages as usize);
    }
}

#[test]
fn a_new_window_starts_the_count_anew() {
    let mut config = server();
    config.ack_window = 0;
    let mut pair = opened(config, &[DISPLAY]);
    for window in [10, 10, 3] {
        pair.server.peer::<Display>(0).unwrap().set_ack(window);
        for name in 0..8 {
            draw(&mut pair, 0, &stroke(name));
        }
    }
    pair.drive();
    let acks = received(&mut pair, DISPLAY);
    assert_eq!(acks.iter().filter(|message| **message == Received::Base(ClientMessage::Ack)).count(), 2);
}

/// What server 0.15.1 was seen to do.
#[test]
fn a_client_that_never_acknowledges_is_stopped_after_41_messages() {
    let mut peer = Peer::<Display>::new(HeaderKind::Mini, &Limits::default());
    let mut writer = FrameWriter::new(HeaderKind::Mini);
    let mut say = |peer: &mut Peer<Display>, message: &ClientMessage| {
        let mut bytes = BytesMut::new();
        writer.write(message, &mut bytes);
        peer.next_message(&mut bytes).unwrap().unwrap();
        fill(peer)
    };
    peer.set_ack(20);
    assert_eq!(1 + fill(&mut peer), 41);
    // What comes before the right generation counts for nothing.
    assert_eq!(say(&mut peer, &ClientMessage::Ack), 0);
    assert_eq!(say(&mut peer, &ClientMessage::AckSync(AckSync { generation: 7 })), 0);
    assert_eq!(say(&mut peer, &ClientMessage::Ack), 0);
    assert_eq!(say(&mut peer, &ClientMessage::AckSync(AckSync { generation: 1 })), 0);
    assert_eq!(say(&mut peer, &ClientMessage::Ack), 20);
    assert_eq!(say(&mut peer, &ClientMessage::Ack), 20);
}

/// Sends while the peer may; how many messages that were.
fn fill(peer: &mut Peer<Display>) -> usize {
    let mut count = 0;
    while peer.may_send() {
        peer.send(&display::ServerMessage::Mark);
        count += 1;
        assert!(count < 1000);
    }
    count
}

#[test]
fn a_slow_application_slows_the_server_and_misses_nothing() {
    let mut config = client();
    config.limits.queued_events = 8;
    let script: Vec<_> = (0..500).map(stroke).collect();
    let server = server().channels(&[DISPLAY]).show(spice_proto::testing::server::Show::Script(script));
    let mut pair = Pair::new(config, server);
    pair.is_busy = true;
    pair.drive();
    // The session opens channels when the application takes the events that name them.
    while pair.server.peer::<Display>(0).is_none() {
        pair.session.poll_event().expect("there is more to come");
        pair.drive();
    }
    let serial = pair.server.peer::<Display>(0).unwrap().serial();
    assert!(serial <= 8 + 60, "{serial} messages were sent to a client that takes 8");
    pair.is_busy = false;
    pair.drive();
    let names: Vec<_> = strokes(&mut pair).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, (0..500).collect::<Vec<_>>());
}
