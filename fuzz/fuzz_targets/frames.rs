//! Fuzz target: `spice_fuzz::frames::frames`.
#![cfg_attr(fuzzing, no_main)]

spice_fuzz::target!(spice_fuzz::frames::frames);
