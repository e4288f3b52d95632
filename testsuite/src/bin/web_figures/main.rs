//! Figures of the web client in a real browser: beside another client, and over a long time; and a picture of it.
//!
//! `cargo xtask compare-web` and `cargo xtask soak` call it; it is no test, because it measures times. The README's picture is
//! `cargo run -p testsuite --features servers --bin web-figures -- picture doc/web-desktop.png`.

mod compare;
mod desktop;
mod picture;
mod soak;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The command line.
#[derive(Parser)]
#[command(about = "Measures the web client in Chromium")]
struct Cli {
    #[command(subcommand)]
    command: Sub,
}

#[derive(Subcommand)]
enum Sub {
    /// The same moving desktop in the web client and in Debian's spice-html5.
    Compare(compare::Options),
    /// A moving desktop for a long time, and the memory at every minute.
    Soak(soak::Options),
    /// The README's picture.
    Picture(picture::Options),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Sub::Compare(options) => compare::run(&options),
        Sub::Soak(options) => soak::run(&options),
        Sub::Picture(options) => picture::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("web-figures: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Bytes in megabytes, for people.
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
