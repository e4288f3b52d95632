//! The demo desktop, carried over in whatever pieces.

use core::time::Duration;

use spice_proto::msg::{cursor, display};
use spice_proto::session::Event;
use spice_proto::testing::pair::{Chunks, Pair};
use spice_proto::testing::scene::Scene;
use spice_proto::testing::server::{ServerConfig, Show};

use super::client;

fn small() -> Scene {
    Scene::new(64, 64)
}

fn pair(chunks: Chunks) -> Pair {
    Pair::new(client(), ServerConfig::default().show(Show::Scene(small()))).chunks(chunks)
}

fn displayed(events: &[Event]) -> Vec<&display::ServerMessage> {
    let messages = events.iter().filter_map(|event| match event {
        Event::Display(0, message) => Some(message),
        _ => None,
    });
    messages.collect()
}

#[test]
fn what_the_server_draws_is_what_arrives() {
    let mut pair = pair(Chunks::Whole);
    pair.drive();
    let (events, scene) = (pair.events(), small().messages(0));
    assert_eq!(displayed(&events), scene.iter().collect::<Vec<_>>());
    let pointer = cursor::ServerMessage::Init(small().cursor());
    assert!(events.contains(&Event::Cursor(0, pointer)));
}

/// Which channel comes first depends on the pieces; what each one says does not.
#[test]
fn every_split_gives_the_same_events() {
    let by_channel = |chunks| {
        let mut pair = pair(chunks);
        pair.drive();
        let events = pair.events();
        [0, 1, 2, 3].map(|channel| {
            let of_channel = events.iter().filter(|event| match event {
                Event::Display(..) => channel == 0,
                Event::Inputs(_) => channel == 1,
                Event::Cursor(..) => channel == 2,
                _ => channel == 3,
            });
            // Channels open in an order of their own.
            of_channel.filter(|event| !matches!(event, Event::ChannelOpened(_))).cloned().collect::<Vec<_>>()
        })
    };
    let whole = by_channel(Chunks::Whole);
    assert!(whole.iter().all(|events| !events.is_empty()));
    for chunks in [1, 2, 3, 17, 1000].map(Chunks::Of).into_iter().chain((1..6).map(Chunks::Random)) {
        assert!(by_channel(chunks) == whole, "{chunks:?}");
    }
}

#[test]
fn steps_arrive_while_time_passes() {
    let mut config = ServerConfig::default().show(Show::Scene(small()));
    config.animation = Some(Duration::from_millis(100));
    let mut pair = Pair::new(client(), config);
    pair.drive();
    pair.events();
    for frame in 1..50 {
        pair.pass(Duration::from_millis(100));
        assert_eq!(displayed(&pair.events()), small().step(frame).iter().collect::<Vec<_>>());
    }
    // Who comes later sees the scene as it is now.
    assert_eq!(pair.server.frame(), 49);
}

#[test]
fn steps_wait_for_nobody() {
    let mut config = ServerConfig::default().show(Show::Scene(small()));
    config.animation = Some(Duration::from_millis(100));
    let mut client = client();
    client.limits.queued_events = 4;
    let mut pair = Pair::new(client, config);
    pair.drive();
    pair.events();
    pair.is_busy = true;
    for _ in 0..500 {
        pair.pass(Duration::from_millis(100));
    }
    assert!(pair.server.frame() < 100, "{} steps for a client that takes none", pair.server.frame());
    let sent = pair.server.peer::<display::Display>(0).unwrap().queued_output();
    assert!(sent < 1 << 16, "{sent} bytes wait");
}
