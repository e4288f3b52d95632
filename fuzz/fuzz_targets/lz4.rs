//! Fuzz target: `spice_fuzz::codecs::lz4`.
#![cfg_attr(fuzzing, no_main)]

spice_fuzz::target!(spice_fuzz::codecs::lz4);
