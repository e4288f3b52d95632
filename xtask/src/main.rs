//! The developer's commands: `cargo xtask test | fuzz | differential | soak | demo | web | compare-web | load`.
//!
//! Everything that a contributor or a CI machine runs lives here, so that the README needs no shell recipes and both
//! run exactly the same commands. Each command is printed before it runs and is bounded in time.

mod command;
mod debian;
mod differential;
mod edges;
mod fuzz;
mod servers;
mod steps;
mod tools;
mod web;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use command::{Cmd, Result};

/// The command line of `cargo xtask`.
#[derive(Parser)]
#[command(name = "cargo xtask", about = "The developer's commands of this workspace")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

/// One developer's command.
#[derive(Subcommand)]
enum Task {
    /// Run the bounded test suite: everything that has to pass before a change is merged.
    Test(TestArgs),
    /// Fuzz all targets, or the named ones, for some seconds each.
    Fuzz {
        /// Seconds for each target.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// Targets to run; all of them when none is named.
        targets: Vec<String>,
    },
    /// Draw random commands on libspice-server and on the canvas, and compare every pixel.
    Differential(differential::Options),
    /// Run the long forms of the tests: many server kills, many generated cases, fuzzing by the minute.
    Soak(SoakArgs),
    /// Take a screenshot, of the embedded demo server unless an address is given, or run the demo server.
    Demo {
        /// Address of a SPICE server, such as spice://127.0.0.1:5931.
        address: Option<String>,
        /// Where the picture is written.
        #[arg(short, long, default_value = "screen.png")]
        output: PathBuf,
        /// Run the reference server on this address instead, such as 127.0.0.1:5950, until interrupted.
        #[arg(long, value_name = "ADDR:PORT", conflicts_with_all = ["address", "output"])]
        serve: Option<String>,
    },
    /// Build the web client and serve it with the gateway.
    Web {
        /// Stop when the page is in target/web.
        #[arg(long)]
        build_only: bool,
        /// Where to listen.
        #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
        listen: String,
        /// Options for the gateway, such as --allow 10.0.0.0/24:5900-5999; without any it leads to ports 5900-5999 of
        /// this machine.
        #[arg(last = true)]
        options: Vec<String>,
    },
    /// Measure the web client beside Debian's spice-html5, on the same moving desktop in Chromium.
    CompareWeb(web::Comparison),
    /// Connect many clients through one gateway, each to a server of its own, and state its memory.
    Load {
        /// How many clients.
        #[arg(long, default_value_t = 200)]
        clients: u32,
        /// Seconds for which all are connected.
        #[arg(long, default_value_t = 30)]
        seconds: u32,
    },
}

/// Options of `cargo xtask test`.
#[derive(Args)]
struct TestArgs {
    /// Go without the tests against real servers, which need QEMU, Xspice and other Debian packages.
    #[arg(long)]
    no_servers: bool,
    /// Run these steps alone.
    #[arg(long, value_name = "STEP", num_args = 1..)]
    only: Vec<String>,
    /// Stop at the first step that fails.
    #[arg(long)]
    fail_fast: bool,
    /// Print the names of the steps and what they do, and run nothing.
    #[arg(long)]
    list: bool,
}

/// Options of `cargo xtask soak`.
#[derive(Args)]
struct SoakArgs {
    /// How often a server is killed in the middle of a session.
    #[arg(long, default_value_t = 300)]
    kills: u32,
    /// Drawing commands to compare with the server's own renderer.
    #[arg(long, default_value_t = 1_000_000)]
    commands: u64,
    /// Cases for each property test.
    #[arg(long, default_value_t = 20_000)]
    cases: u32,
    /// Seconds of fuzzing for each target.
    #[arg(long, default_value_t = 300)]
    fuzz_seconds: u32,
    /// Minutes of a moving desktop in the web client.
    #[arg(long, default_value_t = 30)]
    web_minutes: u32,
    /// Run the web client's part alone.
    #[arg(long)]
    web_only: bool,
    /// Go without the tests against real servers.
    #[arg(long)]
    no_servers: bool,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Test(args) => test(&args),
        Task::Fuzz { seconds, targets } => fuzz::run(seconds, &targets),
        Task::Differential(options) => {
            command::no_overall_deadline();
            differential::run(&options)
        }
        Task::Soak(args) => soak(&args),
        Task::Demo { address, output, serve } => demo(address, output, serve),
        Task::Web { build_only, listen, options } => web::run(build_only, &listen, &options),
        Task::CompareWeb(options) => web::compare(&options),
        Task::Load { clients, seconds } => web::load(clients, seconds),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the bounded suite, or the chosen part of it.
fn test(args: &TestArgs) -> Result<()> {
    if args.list {
        for step in steps::BOUNDED {
            println!("{:14} {}", step.name, step.about);
        }
        return Ok(());
    }
    for name in &args.only {
        if !steps::BOUNDED.iter().any(|step| step.name == name) {
            return Err(format!("there is no step {name:?}; see `cargo xtask test --list`"));
        }
    }
    let mut chosen: Vec<_> = steps::BOUNDED
        .iter()
        .filter(|step| args.only.is_empty() || args.only.iter().any(|name| name == step.name))
        .collect();
    if args.no_servers {
        chosen.retain(|step| !steps::NEED_SERVERS.contains(&step.name));
    }
    steps::run_all("xtask test", &chosen, args.fail_fast)?;
    if args.no_servers {
        println!("note: the tests against real servers were left out (--no-servers)");
    }
    Ok(())
}

/// Runs the long forms one after the other.
fn soak(args: &SoakArgs) -> Result<()> {
    command::no_overall_deadline();
    if args.web_only {
        return web::soak(args.web_minutes);
    }
    let cases = args.cases.to_string();
    Cmd::cargo(&[
        "test",
        "--release",
        "--workspace",
        "--exclude",
        "testsuite",
        "--exclude",
        "differential",
        "--all-features",
    ])
    .env("PROPTEST_CASES", &cases)
    .limit(Duration::from_secs(4 * 3600))
    .run()?;
    if args.no_servers {
        println!("note: the tests against real servers are left out (--no-servers)");
    } else {
        servers::run(Some(args.kills), Duration::from_secs(4 * 3600))?;
        differential::run(&differential::Options { commands: args.commands, ..Default::default() })?;
        web::soak(args.web_minutes)?;
    }
    fuzz::run(args.fuzz_seconds, &[])?;
    println!(
        "xtask soak: passed with {} cases per property, {} kills, {} drawing commands, {} s per fuzz target",
        args.cases,
        if args.no_servers { 0 } else { args.kills },
        if args.no_servers { 0 } else { args.commands },
        args.fuzz_seconds
    );
    Ok(())
}

/// Shows something: a picture of a machine, or a server to connect to.
fn demo(address: Option<String>, output: PathBuf, serve: Option<String>) -> Result<()> {
    command::no_overall_deadline();
    if let Some(listen) = serve {
        return Cmd::cargo(&["run", "--release", "-p", "reference-server", "--", "--listen", &listen])
            .limit(Duration::from_secs(u64::from(u32::MAX)))
            .run();
    }
    // The program runs in the root of the workspace; the path is the caller's.
    let output = std::path::absolute(output).map_err(|error| format!("the output path: {error}"))?;
    let output = output.to_str().ok_or("the output path is not valid UTF-8")?.to_owned();
    let mut args = vec!["run", "--release", "-p", "headless", "--", "screenshot"];
    args.extend(address.as_deref());
    args.extend(["-o", &output]);
    Cmd::cargo(&args).limit(Duration::from_secs(1800)).run()?;
    println!("xtask demo: the picture is in {output}");
    Ok(())
}
