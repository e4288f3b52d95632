//! Fuzz target: `spice_fuzz::codecs::jpeg_alpha_round_trip`.
#![cfg_attr(fuzzing, no_main)]

spice_fuzz::target!(spice_fuzz::codecs::jpeg_alpha_round_trip);
