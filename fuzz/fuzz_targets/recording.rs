//! Fuzz target: `spice_fuzz::recording::recording`.
#![cfg_attr(fuzzing, no_main)]

spice_fuzz::target!(spice_fuzz::recording::recording);
