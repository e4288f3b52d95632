//! Tools for tests, fuzzing and benches: generators, an in-memory server, a client and server on a virtual clock.
//!
//! Feature `testing`. Nothing here is part of the stable interface.

pub mod check;
mod keys;
pub mod pair;
mod sample;
pub mod scene;
pub mod server;

pub use keys::ticket_key;
pub use sample::{MessageVisitor, Sample, Source};
