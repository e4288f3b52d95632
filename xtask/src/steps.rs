//! The steps of the bounded suite, in the order in which they run.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::command::{Cmd, Result, root};
use crate::{differential, edges, fuzz, servers, tools};

/// A named part of the suite.
pub(crate) struct Step {
    /// What `--only` takes.
    pub(crate) name: &'static str,
    /// One line for people.
    pub(crate) about: &'static str,
    run: fn() -> Result<()>,
}

/// Name of the step that runs real servers.
const SERVERS: &str = "servers";
/// Name of the step that draws with a real server's library.
const DIFFERENTIAL: &str = "differential";
/// Names of the steps that need Debian packages of servers.
pub(crate) const NEED_SERVERS: [&str; 2] = [SERVERS, DIFFERENTIAL];

/// Crates that are `no_std` and know no runtime.
const CORE: [&str; 3] = ["spice-proto", "spice-codecs", "spice-agent-proto"];

/// Crates that are published, in the order of their dependencies.
const PUBLISHED: [&str; 4] = ["spice-proto", "spice-codecs", "spice-agent-proto", "spice-client-async"];

/// Seconds for each fuzz target in the bounded suite.
const FUZZ_SECONDS: u32 = 10;

/// All steps: cheap ones first, so that a slip shows early.
pub(crate) const BOUNDED: &[Step] = &[
    Step { name: "fmt", about: "formatting", run: fmt },
    Step {
        name: "clippy",
        about: "lints, all targets and all features",
        run: || clippy(&["--all-features"]),
    },
    Step {
        name: "clippy-bare",
        about: "lints, all targets, no default features",
        run: || clippy(&["--no-default-features"]),
    },
    Step { name: "edges", about: "dependency edges that must not exist", run: edges::check },
    Step {
        name: "test",
        about: "unit, doc and integration tests, as anybody runs them",
        run: || test(&["--workspace"]),
    },
    Step {
        name: "test-features",
        about: "unit, doc and integration tests with every feature",
        run: || {
            test(&["--workspace", "--exclude", "testsuite", "--exclude", "differential", "--all-features"])
        },
    },
    Step { name: "docs", about: "documentation without a warning", run: docs },
    Step { name: "features", about: "every combination of features (cargo-hack)", run: features },
    Step { name: "no-std", about: "core crates for a target without std", run: no_std },
    Step { name: "wasm", about: "core crates and the client for wasm32", run: wasm },
    Step { name: "deny", about: "licences, sources and bans of dependencies (cargo-deny)", run: deny },
    Step { name: "package", about: "the published crates as the registry would get them", run: package },
    Step { name: "fuzz-replay", about: "stored fuzz inputs on the stable compiler", run: fuzz::replay },
    Step {
        name: "fuzz",
        about: "10 s for each fuzz target (cargo-fuzz)",
        run: || fuzz::run(FUZZ_SECONDS, &[]),
    },
    Step {
        name: SERVERS,
        about: "QEMU, Xspice and a foreign client (Debian packages)",
        run: || servers::run(None, Duration::from_secs(20 * 60)),
    },
    Step {
        name: DIFFERENTIAL,
        about: "100,000 drawing commands, libspice-server's own renderer against the canvas",
        run: || differential::run(&differential::Options::default()),
    },
];

/// Runs the steps, all of them unless told to stop at a failure, and closes with a table and one line.
pub(crate) fn run_all(title: &str, steps: &[&Step], fail_fast: bool) -> Result<()> {
    let started = Instant::now();
    let mut report = Vec::new();
    let mut failed = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        println!("\n==> [{}/{}] {}: {}", index + 1, steps.len(), step.name, step.about);
        let begun = Instant::now();
        let outcome = (step.run)();
        let seconds = begun.elapsed().as_secs_f32();
        if let Err(reason) = &outcome {
            eprintln!("==> {} failed: {reason}", step.name);
            failed.push(step.name);
        }
        report.push(format!(
            "{:14} {seconds:7.1} s  {}",
            step.name,
            if outcome.is_ok() { "ok" } else { "FAILED" }
        ));
        if outcome.is_err() && fail_fast {
            break;
        }
    }
    println!("\n{}", report.join("\n"));
    let minutes = started.elapsed().as_secs_f32() / 60.0;
    if failed.is_empty() {
        println!("{title}: all {} steps passed in {minutes:.1} min", steps.len());
        Ok(())
    } else {
        Err(format!(
            "{title}: {} of {} steps failed in {minutes:.1} min: {}",
            failed.len(),
            steps.len(),
            failed.join(", ")
        ))
    }
}

fn fmt() -> Result<()> {
    Cmd::cargo(&["fmt", "--all", "--", "--check"]).run()?;
    if root().join("fuzz/Cargo.toml").is_file() {
        Cmd::cargo(&["fmt", "--all", "--manifest-path", "fuzz/Cargo.toml", "--", "--check"]).run()?;
    }
    Ok(())
}

fn clippy(features: &[&str]) -> Result<()> {
    let mut args = vec!["clippy", "--quiet", "--workspace", "--all-targets"];
    args.extend(features);
    args.extend(["--", "-D", "warnings"]);
    Cmd::cargo(&args).run()?;
    if !root().join("fuzz/Cargo.toml").is_file() {
        return Ok(());
    }
    let mut args = vec!["clippy", "--quiet", "--manifest-path", "fuzz/Cargo.toml", "--all-targets"];
    args.extend(features);
    args.extend(["--", "-D", "warnings"]);
    Cmd::cargo(&args).run()
}

fn test(which: &[&str]) -> Result<()> {
    let mut args = vec!["test", "--quiet"];
    args.extend(which);
    Cmd::cargo(&args).limit(Duration::from_secs(20 * 60)).run()
}

fn docs() -> Result<()> {
    Cmd::cargo(&["doc", "--quiet", "--workspace", "--no-deps", "--all-features"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
}

fn features() -> Result<()> {
    tools::HACK.ensure()?;
    let mut args = vec!["hack", "clippy", "--quiet", "--feature-powerset", "--lib"];
    args.extend(PUBLISHED.iter().flat_map(|name| ["--package", name]));
    args.extend(["--", "-D", "warnings"]);
    Cmd::cargo(&args).run()
}

fn no_std() -> Result<()> {
    let target = "x86_64-unknown-none";
    tools::ensure_target(target)?;
    build_for(target, &CORE, &[])?;
    // Feature `simd` of the codecs looks for instructions at run time, which needs std: it alone is left out.
    build_for(target, &CORE, &["--features", "spice-proto/testing,spice-agent-proto/testing"])
}

fn wasm() -> Result<()> {
    let target = "wasm32-unknown-unknown";
    tools::ensure_target(target)?;
    build_for(target, &CORE, &[])?;
    build_for(target, &["spice-client-async"], &["--no-default-features"])?;
    build_for(target, &["spice-client-async"], &["--no-default-features", "--features", "canvas"])?;
    build_for(target, &["spice-client-async"], &["--no-default-features", "--features", "websocket"])?;
    // Most of this crate, and the client's WebSockets, exist on this target alone.
    let lints =
        ["clippy", "--quiet", "--package", "web-client", "--lib", "--target", target, "--", "-D", "warnings"];
    Cmd::cargo(&lints).run()
}

fn build_for(target: &str, packages: &[&str], features: &[&str]) -> Result<()> {
    let mut args = vec!["build", "--quiet", "--lib", "--target", target];
    args.extend(packages.iter().flat_map(|name| ["--package", name]));
    args.extend(features);
    Cmd::cargo(&args).run()
}

fn deny() -> Result<()> {
    tools::DENY.ensure()?;
    // Advisories come from the network; the workflow checks them.
    Cmd::cargo(&["deny", "--all-features", "check", "bans", "licenses", "sources"]).run()
}

fn package() -> Result<()> {
    // While it packages, cargo serves these crates to each other from a registry made for the moment. Like those of any
    // registry, it takes sources and builds of one version for unchanging and would test old ones: so forget them.
    let target = root().join("target/package-check");
    remove(&target)?;
    for sources in temporary_registries() {
        for name in PUBLISHED {
            for version in subfolders(&sources, &format!("{name}-")) {
                remove(&version)?;
            }
        }
    }
    let mut args = vec!["package", "--quiet", "--target-dir", "target/package-check"];
    args.extend(PUBLISHED.iter().flat_map(|name| ["--package", name]));
    // What CI packages is a commit; a developer may look at work in progress.
    if std::env::var_os("CI").is_none() {
        args.push("--allow-dirty");
    }
    Cmd::cargo(&args).run()?;
    remove(&target)
}

/// Folders in which cargo unpacks crates of registries that have no host name, such as the one of `cargo package`.
fn temporary_registries() -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    home.map(|home| subfolders(&home.join("registry/src"), "-")).unwrap_or_default()
}

/// Folders below `parent` whose names begin with `prefix`.
fn subfolders(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let named = |path: &PathBuf| {
        path.is_dir()
            && path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(prefix))
    };
    entries.flatten().map(|entry| entry.path()).filter(named).collect()
}

/// Removes a folder if it is there.
fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(format!("{}: {error}", folder.display())),
        _ => Ok(()),
    }
}
