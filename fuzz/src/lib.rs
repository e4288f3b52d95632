//! Oracles: what must hold for any bytes that a peer may send.
//!
//! Each oracle is a plain function over bytes that panics when something does not hold. The programs in
//! `fuzz_targets/` hand them to libFuzzer, `tests/replay.rs` runs them over `seeds/` and `regressions/` on a stable
//! compiler. Without libFuzzer a target is a program that runs its oracle over the files named as arguments:
//!
//! ```text
//! cargo run --manifest-path fuzz/Cargo.toml --bin quic -- fuzz/artifacts/quic/crash-…
//! ```
//!
//! Besides "no panic", oracles check that a result depends neither on how a stream was cut into chunks nor on what a
//! buffer held before, that nothing reserves memory out of proportion to the input, and that what was decoded encodes
//! to something that decodes to the same.
#![forbid(unsafe_code)]

mod chunks;
mod memory;
mod script;

pub mod agent;
pub mod canvas;
pub mod channel;
pub mod client;
pub mod codecs;
pub mod frames;
pub mod link;
pub mod messages;
pub mod recording;
pub mod server;
pub mod session;
pub mod uri;

/// An oracle.
pub type Oracle = fn(&[u8]);

/// Every target: its name and its oracle.
pub const TARGETS: &[(&str, Oracle)] = &[
    ("bodies", messages::bodies),
    ("sample_round_trip", messages::sample_round_trip),
    ("frames", frames::frames),
    ("link_client", link::client),
    ("link_server", link::server),
    ("channel", channel::channel),
    ("peer", channel::peer),
    ("session", session::session),
    ("server", server::server),
    ("agent_bodies", agent::bodies),
    ("agent_round_trip", agent::round_trip),
    ("agent_stream", agent::stream),
    ("agent_client", agent::client),
    ("agent_guest", agent::guest),
    ("client", client::client),
    ("canvas", canvas::canvas),
    ("bitmap", codecs::bitmap),
    ("quic", codecs::quic),
    ("lz", codecs::lz),
    ("glz", codecs::glz),
    ("zlib_glz", codecs::zlib_glz),
    ("lz4", codecs::lz4),
    ("jpeg", codecs::jpeg),
    ("jpeg_alpha", codecs::jpeg_alpha),
    ("recording", recording::recording),
    ("uri", uri::uri),
    ("quic_round_trip", codecs::quic_round_trip),
    ("lz_round_trip", codecs::lz_round_trip),
    ("lz4_round_trip", codecs::lz4_round_trip),
    ("jpeg_round_trip", codecs::jpeg_round_trip),
    ("jpeg_alpha_round_trip", codecs::jpeg_alpha_round_trip),
    ("glz_round_trip", codecs::glz_round_trip),
    ("zlib_glz_round_trip", codecs::zlib_glz_round_trip),
];

/// Makes a program of an oracle: a libFuzzer target under cargo-fuzz, otherwise one that takes files.
#[macro_export]
macro_rules! target {
    ($oracle:path) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $oracle(data));

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            $crate::run_files($oracle)
        }
    };
}

/// Runs `oracle` over the files that the program's arguments name.
///
/// # Errors
/// A file that cannot be read.
pub fn run_files(oracle: Oracle) -> std::io::Result<()> {
    for path in std::env::args_os().skip(1) {
        oracle(&std::fs::read(&path)?);
        println!("{}: holds", path.display());
    }
    Ok(())
}
