//! Fuzz target: `spice_fuzz::codecs::glz`.
#![cfg_attr(fuzzing, no_main)]

spice_fuzz::target!(spice_fuzz::codecs::glz);
