//! Fuzz target: `spice_fuzz::messages::bodies`.
#![cfg_attr(fuzzing, no_main)]

spice_fuzz::target!(spice_fuzz::messages::bodies);
