//! Laws that hold for every message of every table.

use proptest::prelude::*;
use spice_proto::testing::check;

proptest! {
    #[test]
    fn every_message_round_trips(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        check::round_trips(&bytes);
    }

    #[test]
    fn any_body_gives_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check::any_body(&bytes);
    }

    /// Small numbers make counts and offsets that are right more often.
    #[test]
    fn any_body_of_small_numbers_gives_a_value_or_an_error(bytes in prop::collection::vec(0u8..70, 0..300)) {
        check::any_body(&bytes);
    }

    #[test]
    fn any_body_of_mostly_zeros_gives_a_value_or_an_error(
        bytes in prop::collection::vec(prop_oneof![5 => Just(0u8), 1 => 0u8..140], 0..300),
    ) {
        check::any_body(&bytes);
    }
}
