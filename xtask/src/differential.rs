//! The canvas against the renderer of libspice-server.

use std::time::Duration;

use clap::Args;

use crate::command::{Cmd, Result};
use crate::debian;

/// Options of `cargo xtask differential`.
#[derive(Args)]
pub(crate) struct Options {
    /// Drawing commands, over all compressions.
    #[arg(long, default_value_t = COMMANDS)]
    pub(crate) commands: u64,
    /// Where the random choices begin.
    #[arg(long, default_value_t = SEED)]
    pub(crate) seed: u64,
    /// The compressions to use; all of them when none is named.
    #[arg(long, num_args = 1..)]
    pub(crate) modes: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { commands: COMMANDS, seed: SEED, modes: Vec::new() }
    }
}

/// Installs what is needed, builds the program, and runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    debian::ensure_servers()?;
    let package = ["--release", "-p", "differential", "--features", "servers"];
    Cmd::cargo(&[&["test", "--quiet"], &package[..]].concat()).run()?;
    let (commands, seed) = (options.commands.to_string(), options.seed.to_string());
    let mut args = [&["run", "--quiet"], &package[..]].concat();
    args.extend(["--", "run", "--commands", &commands, "--seed", &seed]);
    if !options.modes.is_empty() {
        args.push("--modes");
        args.extend(options.modes.iter().map(String::as_str));
    }
    // 100,000 commands take half a minute on two cores; a slow, busy machine may need ten times as long.
    let limit = Duration::from_secs(300 + options.commands / 100_000 * 300);
    Cmd::cargo(&args).limit(limit).run()
}

/// Commands of the bounded suite.
const COMMANDS: u64 = 100_000;
const SEED: u64 = 1;
