//! Peers that say and do anything.

use proptest::prelude::*;
use spice_agent_proto::testing;

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
