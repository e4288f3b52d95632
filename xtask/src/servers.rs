//! The suite against real servers and clients.

use std::time::Duration;

use crate::command::{Cmd, Result, root};
use crate::{debian, web};

/// Installs what the suite needs, and builds the programs under test.
pub(crate) fn prepare() -> Result<()> {
    debian::ensure_servers()?;
    Cmd::cargo(&["build", "--release", "-p", "gateway", "-p", "headless", "-p", "reference-server"]).run()?;
    web::build()?;
    browser_drivers()
}

/// Prepares and runs the suite.
///
/// `kills` is how often a server is killed in mid-picture; the suite has its own small number.
pub(crate) fn run(kills: Option<u32>, limit: Duration) -> Result<()> {
    prepare()?;
    let mut suite = Cmd::cargo(&[
        "test",
        "-p",
        "testsuite",
        "--features",
        "servers",
        "--no-fail-fast",
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

/// Installs the libraries that drive browsers, unless those of the lock file are there.
fn browser_drivers() -> Result<()> {
    let folder = root().join("testsuite/browser");
    let changed = |file: &str| folder.join(file).metadata().and_then(|file| file.modified()).ok();
    // npm writes this file when it has installed everything.
    if changed("node_modules/.package-lock.json") > changed("package-lock.json") {
        return Ok(());
    }
    let arguments = ["ci", "--prefix", "testsuite/browser", "--ignore-scripts", "--no-audit", "--no-fund"];
    Cmd::new("npm", &arguments).run()
}
