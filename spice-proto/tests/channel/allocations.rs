//! Receiving allocates nothing per message.

use std::hint::black_box;

use bytes::BytesMut;
use spice_proto::Instant;
use spice_proto::caps::DisplayCaps;
use spice_proto::channel::display::{Display, DisplayConfig};
use spice_proto::link::HeaderKind;
use spice_proto::testing::scene::Scene;
use spice_proto::types::ChannelType;

use super::{Fed, body};

/// A display channel, and the frames of a scene.
fn fed(header: HeaderKind) -> (Fed<Display>, BytesMut) {
    use spice_proto::msg::Message;
    let logic = Display::new(DisplayConfig::default());
    let mut fed = Fed::linked(ChannelType::DISPLAY, logic, header, DisplayCaps::empty());
    // Acknowledgements are part of the steady state.
    fed.frame(3, &[1, 0, 0, 0, 20, 0, 0, 0], 0);
    fed.handle().unwrap();
    for message in Scene::new(64, 64).messages(0) {
        fed.frame(message.kind(), &body(&message), 0);
    }
    let frames = fed.input.split();
    (fed, frames)
}

/// Takes all that can be had.
fn drain(fed: &mut Fed<Display>) -> usize {
    let mut count = 0;
    loop {
        fed.channel.handle_input(Instant::ZERO, &mut fed.input).unwrap();
        let Some(event) = fed.channel.poll_event() else { return count };
        black_box(event);
        count += 1;
    }
}

#[test]
fn a_received_block_costs_one_allocation_whatever_is_in_it() {
    for header in [HeaderKind::Mini, HeaderKind::Full] {
        let (mut fed, frames) = fed(header);
        // The queues take their size.
        fed.input.extend_from_slice(&frames);
        assert!(drain(&mut fed) > 50);
        while fed.channel.poll_transmit().is_some() {}
        fed.input = BytesMut::from(&frames[..]);
        let info = allocation_counter::measure(|| {
            drain(&mut fed);
        });
        // One to share the block, one to hold the acknowledgements.
        assert!(info.count_total <= 2, "{info:?}");
    }
}

#[test]
fn reading_into_a_buffer_that_is_used_again_costs_nothing() {
    let (mut fed, frames) = fed(HeaderKind::Mini);
    let round = |fed: &mut Fed<Display>| {
        for piece in frames.chunks(1000) {
            fed.input.extend_from_slice(piece);
            drain(fed);
        }
        while fed.channel.poll_transmit().is_some() {}
    };
    (0..3).for_each(|_| round(&mut fed));
    let rounds: u64 = 10;
    let info = allocation_counter::measure(|| (0..rounds).for_each(|_| round(&mut fed)));
    // Less than one in a round of some ninety messages: what there is moves the buffer, now and then.
    assert!(info.count_total < rounds, "{info:?}");
}
