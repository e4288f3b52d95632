//! Fuzz target: `spice_fuzz::session::session`.
#![cfg_attr(fuzzing, no_main)]

spice_fuzz::target!(spice_fuzz::session::session);
