//! Fuzz target: `spice_fuzz::canvas::canvas`.
#![cfg_attr(fuzzing, no_main)]

spice_fuzz::target!(spice_fuzz::canvas::canvas);
