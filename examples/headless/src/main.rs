//! A SPICE client without a window, for scripts.
//!
//! Exit codes: 0 done, 1 the task failed (one sentence on standard error says why), 2 wrong usage.

mod address;
mod codec;
mod compression;
mod demo;
mod error;
mod picture;
mod record;
mod replay;
mod screenshot;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A SPICE client without a window: pictures of real machines, and the protocol's image codecs on files.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Takes a picture of a machine's screen.
    Screenshot(screenshot::Args),
    /// Records a session into a file.
    Record(record::Args),
    /// Draws a recorded session again, checks it and times it.
    Replay(replay::Args),
    /// Turns a PNG into an image of a drawing message: descriptor and payload in one file.
    Encode(codec::EncodeArgs),
    /// Turns such a file into a PNG.
    Decode(codec::DecodeArgs),
}

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let result = runtime.block_on(async {
        match args.task {
            Task::Screenshot(args) => screenshot::run(args).await,
            Task::Record(args) => record::run(args).await,
            Task::Replay(args) => replay::run(&args),
            Task::Encode(args) => codec::encode(&args),
            Task::Decode(args) => codec::decode(&args),
        }
    });
    // Nobody waits for a name that is still being looked up.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}
