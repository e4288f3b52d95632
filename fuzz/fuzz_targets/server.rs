//! Fuzz target: `spice_fuzz::server::server`.
#![cfg_attr(fuzzing, no_main)]

spice_fuzz::target!(spice_fuzz::server::server);
