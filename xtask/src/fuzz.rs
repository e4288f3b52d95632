//! The libFuzzer targets in `fuzz/`, which is a workspace of its own because it needs a nightly compiler.

use std::time::Duration;

use crate::command::{Cmd, Result, root};
use crate::tools;

/// Compiling all targets with the sanitizer, on a small machine.
const BUILD_LIMIT: Duration = Duration::from_secs(20 * 60);

/// One input may take this long, in seconds, before libFuzzer reports it: decoders here need microseconds.
const INPUT_SECONDS: u32 = 10;

/// What one target may use, in MiB: the library's limits stay far below it.
const MEMORY_MIB: u32 = 2048;

/// Runs all targets, or the named ones, for some seconds each.
pub(crate) fn run(seconds: u32, wanted: &[String]) -> Result<()> {
    ensure_package()?;
    tools::FUZZ.ensure()?;
    let nightly = tools::nightly()?;
    let listed = Cmd::new("rustup", &["run", nightly, "cargo", "fuzz", "list"]).output()?;
    let mut targets: Vec<&str> = listed.lines().map(str::trim).filter(|name| !name.is_empty()).collect();
    if let Some(unknown) = wanted.iter().find(|name| !targets.contains(&name.as_str())) {
        return Err(format!("there is no fuzz target {unknown:?}; there are: {}", targets.join(", ")));
    }
    if !wanted.is_empty() {
        targets.retain(|name| wanted.iter().any(|other| other == name));
    }
    if targets.is_empty() {
        return Err("fuzz/ has no targets".into());
    }
    Cmd::new("rustup", &["run", nightly, "cargo", "fuzz", "build"]).limit(BUILD_LIMIT).run()?;
    let options = [
        format!("-max_total_time={seconds}"),
        format!("-timeout={INPUT_SECONDS}"),
        format!("-rss_limit_mb={MEMORY_MIB}"),
        "-print_final_stats=1".into(),
        "-verbosity=0".into(),
    ];
    let mut failed = Vec::new();
    for target in &targets {
        let corpora = corpora(target)?;
        let mut args = vec!["run", nightly, "cargo", "fuzz", "run", target];
        args.extend(corpora.iter().map(String::as_str));
        args.push("--");
        args.extend(options.iter().map(String::as_str));
        // Beyond its own time a target gets room to start and to read its corpus.
        let limit = Duration::from_secs(u64::from(seconds) + 180);
        if let Err(reason) = Cmd::new("rustup", &args).limit(limit).run() {
            eprintln!("  {reason}");
            failed.push(*target);
        }
    }
    if !failed.is_empty() {
        return Err(format!("failed: {}; inputs that show it are in fuzz/artifacts/", failed.join(", ")));
    }
    println!("  {} fuzz targets ran for {seconds} s each: {}", targets.len(), targets.join(", "));
    Ok(())
}

/// The folders that a target starts from. New inputs go to the first, which stays out of the repository.
fn corpora(target: &str) -> Result<Vec<String>> {
    let own = format!("fuzz/corpus/{target}");
    std::fs::create_dir_all(root().join(&own)).map_err(|error| format!("{own}: {error}"))?;
    let mut folders = vec![own];
    folders.extend(["seeds", "regressions"].map(|kind| format!("fuzz/{kind}/{target}")));
    folders.retain(|folder| root().join(folder).is_dir());
    Ok(folders)
}

/// Runs the seeds and the stored crash files on the stable compiler.
pub(crate) fn replay() -> Result<()> {
    ensure_package()?;
    Cmd::cargo(&["test", "--quiet", "--manifest-path", "fuzz/Cargo.toml"]).run()
}

fn ensure_package() -> Result<()> {
    if root().join("fuzz/Cargo.toml").is_file() {
        Ok(())
    } else {
        Err("fuzz/Cargo.toml is missing: there are no fuzz targets to run".into())
    }
}
