//! Tools beside the compiler: installed at pinned versions when absent, reused otherwise.

use std::time::Duration;

use crate::command::{Cmd, Result};

/// A cargo subcommand from the registry.
pub(crate) struct Tool {
    /// Package and program name.
    name: &'static str,
    /// The version this workspace was checked with.
    version: &'static str,
}

/// Checks every combination of features.
pub(crate) const HACK: Tool = Tool { name: "cargo-hack", version: "0.6.46" };
/// Checks licences, sources, bans and advisories of the dependencies.
pub(crate) const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };
/// Builds and runs the libFuzzer targets.
pub(crate) const FUZZ: Tool = Tool { name: "cargo-fuzz", version: "0.13.2" };

/// The nightly compiler that is installed for fuzzing when there is none.
const NIGHTLY: &str = "nightly-2026-05-20";

/// Building a tool from source takes minutes on a small machine.
const INSTALL_LIMIT: Duration = Duration::from_secs(25 * 60);

impl Tool {
    /// Makes sure that the pinned version is installed.
    pub(crate) fn ensure(&self) -> Result<()> {
        let installed = Cmd::cargo(&["install", "--list"]).output()?;
        let wanted = format!("{} v{}", self.name, self.version);
        if installed.lines().any(|line| line.trim_end_matches(':') == wanted) {
            return Ok(());
        }
        println!("  installing {} {}", self.name, self.version);
        let package = format!("{}@{}", self.name, self.version);
        Cmd::cargo(&["install", "--locked", &package]).limit(INSTALL_LIMIT).run()
    }
}

/// Makes sure that the standard library parts of a target are there for the active compiler.
pub(crate) fn ensure_target(target: &str) -> Result<()> {
    let installed = Cmd::new("rustc", &["--print", "target-libdir", "--target", target]).output()?;
    if std::fs::read_dir(installed.trim()).is_ok_and(|mut files| files.next().is_some()) {
        return Ok(());
    }
    Cmd::new("rustup", &["target", "add", target]).limit(Duration::from_secs(300)).run().map_err(|reason| {
        format!("the libraries of target {target} are missing and rustup could not fetch them ({reason})")
    })
}

/// The name of a nightly compiler, installed when there is none.
pub(crate) fn nightly() -> Result<&'static str> {
    for name in [NIGHTLY, "nightly"] {
        // `rustup run` would install what it misses, so ask the list first.
        let installed = Cmd::new("rustup", &["toolchain", "list"]).output().map_err(|reason| {
            format!("fuzzing needs a nightly compiler, and rustup cannot be asked for one ({reason})")
        })?;
        if installed.lines().any(|line| is_toolchain(line, name)) {
            return Ok(name);
        }
    }
    Cmd::new("rustup", &["toolchain", "install", NIGHTLY, "--profile", "minimal"])
        .limit(Duration::from_secs(900))
        .run()
        .map_err(|reason| {
            format!("fuzzing needs the compiler {NIGHTLY}, and rustup could not fetch it ({reason})")
        })?;
    Ok(NIGHTLY)
}

/// Whether a line of `rustup toolchain list` names this toolchain: `nightly-x86_64-…`, but not `nightly-2026-…`.
fn is_toolchain(line: &str, name: &str) -> bool {
    let Some(rest) = line.strip_prefix(name) else { return false };
    rest.is_empty()
        || rest.strip_prefix('-').is_some_and(|host| !host.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::{NIGHTLY, is_toolchain};

    #[test]
    fn a_dated_nightly_is_not_the_plain_one() {
        assert!(is_toolchain("nightly-x86_64-unknown-linux-gnu", "nightly"));
        assert!(is_toolchain(&format!("{NIGHTLY}-x86_64-unknown-linux-gnu (override)"), NIGHTLY));
        assert!(!is_toolchain("nightly-2025-01-01-x86_64-unknown-linux-gnu", "nightly"));
        assert!(!is_toolchain("stable-x86_64-unknown-linux-gnu (active, default)", "nightly"));
    }
}
