//! Fuzz target: `spice_fuzz::channel::channel`.
#![cfg_attr(fuzzing, no_main)]

spice_fuzz::target!(spice_fuzz::channel::channel);
