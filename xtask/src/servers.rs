//! The suite against real servers and clients.

use std::time::Duration;

use crate::command::{Cmd, Result};
use crate::debian;

/// Installs what is needed, builds the programs under test once, and runs the suite.
///
/// `kills` is how often a server is killed in mid-picture; the suite has its own small number.
pub(crate) fn run(kills: Option<u32>, limit: Duration) -> Result<()> {
    debian::ensure_servers()?;
    Cmd::cargo(&["build", "--release", "-p", "headless", "-p", "reference-server"]).run()?;
    let mut suite = Cmd::cargo(&[
        "test",
        "-p",
        "testsuite",
        "--features",
        "servers",
        "--",
        "--nocapture",
        "--test-threads=2",
    ])
    .limit(limit);
    if let Some(kills) = kills {
        suite = suite.env("TESTSUITE_KILLS", kills.to_string());
    }
    suite.run()
}
