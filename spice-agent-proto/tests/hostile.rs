//! Peers that say and do anything.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use spice_agent_proto::caps::AnnounceCapabilities;
use spice_agent_proto::frame::Port;
use spice_agent_proto::msg::Message;
use spice_agent_proto::{AgentCaps, Guest, GuestConfig, testing};

use crate::peers::{FULL, LoneClient, put_chunk};

/// Lengths from a little above what messages have to the largest that can be said.
const ANNOUNCED: [u32; 6] = [1 << 16, 1 << 20, (1 << 20) + 13, 100 << 20, 1 << 31, u32::MAX];
/// Bytes that come after the announcement, in full chunks.
const COMES: usize = 400 * 2048;
/// What may be held of that: a buffer that has just grown is twice as large, and copied from a smaller one.
const HELD: u64 = 3 * COMES as u64 + (256 << 10);

/// The header of a message of any type and length.
fn header(kind: u32, size: u32) -> Bytes {
    [1, kind, 0, 0, size].iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
}

#[test]
fn a_client_holds_no_more_than_comes_whatever_an_agent_announces() {
    for (kind, size) in (0..18).flat_map(|kind| ANNOUNCED.map(|size| (kind, size))) {
        let mut lone = LoneClient::ready(AgentCaps::AGENT);
        let chunk = Bytes::from(vec![0; 2048]);
        let info = allocation_counter::measure(|| {
            lone.client.handle_data(header(kind, size));
            for _ in 0..COMES / chunk.len() {
                lone.client.handle_data(chunk.clone());
                // Tokens are granted, events are taken.
                lone.said();
                lone.events();
            }
        });
        assert!(info.bytes_max < HELD, "type {kind} of {size} bytes: {info:?}");
    }
}

#[test]
fn an_agent_holds_no_more_than_comes_whatever_a_client_announces() {
    for (kind, size) in (0..18).flat_map(|kind| ANNOUNCED.map(|size| (kind, size))) {
        let mut guest = Guest::new(GuestConfig::default());
        let mut input = BytesMut::new();
        let announce = AnnounceCapabilities::new(true, AgentCaps::CLIENT);
        let hello = testing::body(&Message::AnnounceCapabilities(announce), FULL);
        for part in [&header(6, hello.len() as u32), &hello] {
            put_chunk(&mut input, Port::CLIENT, part);
        }
        guest.handle_input(&mut input).unwrap();
        let info = allocation_counter::measure(|| {
            put_chunk(&mut input, Port::CLIENT, &header(kind, size));
            for _ in 0..COMES / 2048 {
                put_chunk(&mut input, Port::CLIENT, &[0; 2048]);
                // What is wrong with the stream is said, now or later.
                let _ = guest.handle_input(&mut input);
                input.clear();
                while guest.poll_event().is_some() || guest.poll_transmit().is_some() {}
            }
        });
        assert!(info.bytes_max < HELD, "type {kind} of {size} bytes: {info:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_dialogue_of_a_client(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        testing::client_dialogue(&bytes);
    }

    #[test]
    fn any_dialogue_of_a_client_in_small_steps(bytes in prop::collection::vec(0u8..16, 0..600)) {
        testing::client_dialogue(&bytes);
    }

    #[test]
    fn any_dialogue_of_an_agent(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        testing::guest_dialogue(&bytes);
    }

    #[test]
    fn any_dialogue_of_an_agent_in_small_steps(bytes in prop::collection::vec(0u8..16, 0..600)) {
        testing::guest_dialogue(&bytes);
    }
}
