//! Fuzz target: `spice_fuzz::uri::uri`.
#![cfg_attr(fuzzing, no_main)]

spice_fuzz::target!(spice_fuzz::uri::uri);
