//! Fuzz target: `spice_fuzz::client::client`.
#![cfg_attr(fuzzing, no_main)]

spice_fuzz::target!(spice_fuzz::client::client);
