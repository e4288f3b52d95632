//! The web client: building it, serving it, many clients at once.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::command::{Cmd, Result, no_overall_deadline, root};
use crate::{debian, servers, tools};

const TARGET: &str = "wasm32-unknown-unknown";

/// Where the page is put together, below the workspace's root.
const OUT: &str = "target/web";

/// Bytes that the wasm file may have at most after gzip.
const BUDGET: &str = "600000";

/// Compiling the library with its profile takes minutes on a small machine.
const BUILD_LIMIT: Duration = Duration::from_secs(25 * 60);

/// Builds of the library: a name, arguments for cargo, the folder of its output below `target`.
const BUILDS: [(&str, &[&str], &str); 2] = [
    ("base", &["--target-dir", "target"], ""),
    (
        "simd",
        &[
            "--target-dir",
            "target/simd",
            "--config",
            "target.wasm32-unknown-unknown.rustflags=[\"-Ctarget-feature=+simd128\"]",
        ],
        "simd/",
    ),
];

/// Builds library and page into `target/web`. An error when the library is too large.
pub(crate) fn build() -> Result<()> {
    tools::ensure_target(TARGET)?;
    let mut builds = Vec::new();
    for (name, arguments, folder) in BUILDS {
        let mut all =
            vec!["build", "--quiet", "--profile", "browser", "--target", TARGET, "-p", "web-client"];
        all.extend(arguments);
        Cmd::cargo(&all).limit(BUILD_LIMIT).run()?;
        builds.push(format!("{name}=target/{folder}{TARGET}/browser/web_client.wasm"));
    }
    let mut all = vec!["run", "--quiet", "-p", "web-bundle", "--", "--www", "examples/web-client/www"];
    all.extend(["--out", OUT, "--budget", BUDGET]);
    all.extend(builds.iter().map(String::as_str));
    Cmd::cargo(&all).limit(BUILD_LIMIT).run()
}

/// Builds the page and, unless told not to, serves it until interrupted. `options` go to the gateway.
pub(crate) fn run(build_only: bool, listen: &str, options: &[String]) -> Result<()> {
    no_overall_deadline();
    build()?;
    if build_only {
        println!("xtask web: the page is in {}", Path::new(OUT).display());
        return Ok(());
    }
    Cmd::cargo(&["build", "--quiet", "--release", "-p", "gateway"]).limit(BUILD_LIMIT).run()?;
    let page = root().join(OUT);
    let page = page.to_str().ok_or("the path of the workspace is not valid UTF-8")?;
    let mut all = vec!["serve", "--web", page, "--listen", listen];
    if options.is_empty() {
        // The usual ports of machines on this one; others are a matter of options.
        let usual = ["127.0.0.1:5900-5999", "localhost:5900-5999", "[::1]:5900-5999"];
        all.extend(usual.iter().flat_map(|rule| ["--allow", rule]));
    }
    all.extend(options.iter().map(String::as_str));
    println!("xtask web: open http://{listen}/ for the demo desktop,");
    println!("  http://{listen}/?host=127.0.0.1&port=5900 for a machine, interrupt to end");
    let program = root().join("target/release").join(format!("gateway{}", std::env::consts::EXE_SUFFIX));
    let program = program.to_str().ok_or("the path of the workspace is not valid UTF-8")?;
    Cmd::new(program, &all).limit(Duration::from_secs(u64::from(u32::MAX))).run()
}

/// Many clients through one gateway, with servers of our own.
pub(crate) fn load(clients: u32, seconds: u32) -> Result<()> {
    no_overall_deadline();
    let mut all = vec!["test", "--release", "-p", "gateway", "--test", "main"];
    all.extend(["load::nobody_is_dropped", "--", "--exact", "--nocapture"]);
    Cmd::cargo(&all)
        .env("GATEWAY_LOAD_CLIENTS", clients.to_string())
        .env("GATEWAY_LOAD_SECONDS", seconds.to_string())
        .limit(Duration::from_secs(3600 + u64::from(clients) + u64::from(seconds)))
        .run()
}

/// Options of `cargo xtask compare-web`, handed on as they are.
#[derive(clap::Args)]
pub(crate) struct Comparison {
    /// How often each client is measured.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Seconds of the moving desktop in each round.
    #[arg(long, default_value_t = 30)]
    seconds: u32,
    /// How the server compresses pictures: lz, quic, auto_lz or off.
    #[arg(long, default_value = "auto_lz")]
    compression: String,
    /// Let the server make a video of the film when it takes it for one, which it does not always.
    #[arg(long)]
    video: bool,
    /// A folder for pictures of what the pages show.
    #[arg(long)]
    pictures: Option<PathBuf>,
}

/// The web client beside Debian's spice-html5, on the same desktop.
pub(crate) fn compare(options: &Comparison) -> Result<()> {
    no_overall_deadline();
    debian::ensure_yardstick()?;
    let (rounds, seconds) = (options.rounds.to_string(), options.seconds.to_string());
    let mut all = vec!["compare", "--rounds", &rounds, "--seconds", &seconds];
    all.extend(["--compression", &options.compression]);
    all.extend(options.video.then_some("--video"));
    let pictures = options.pictures.as_ref().map(std::path::absolute).transpose();
    let pictures = pictures.map_err(|error| format!("the folder for pictures: {error}"))?;
    if let Some(folder) = &pictures {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        all.extend(["--pictures", folder.to_str().ok_or("the folder for pictures is not valid UTF-8")?]);
    }
    figures(
        &all,
        Duration::from_secs(600 + u64::from(options.rounds) * (u64::from(options.seconds) + 60) * 2),
    )
}

/// A moving desktop for some minutes, in which the memory has to stand still.
pub(crate) fn soak(minutes: u32) -> Result<()> {
    figures(&["soak", "--minutes", &minutes.to_string()], Duration::from_secs(900 + u64::from(minutes) * 60))
}

/// Runs the program that measures the page in a browser.
fn figures(arguments: &[&str], limit: Duration) -> Result<()> {
    servers::prepare()?;
    let mut all =
        vec!["run", "--quiet", "-p", "testsuite", "--features", "servers", "--bin", "web-figures", "--"];
    all.extend(arguments);
    Cmd::cargo(&all).limit(limit).run()
}
