//! Random drawing commands, drawn by libspice-server's own renderer and by the canvas, compared pixel by pixel.
//!
//! `run` starts processes of this same program that each are a server with a fake graphics device, and a client of it
//! over a loopback socket. A mismatch is reduced to the smallest sequence of commands that shows it.

mod admit;
mod arena;
mod channels;
mod child;
mod choice;
mod clock;
mod core;
mod costs;
mod device;
mod encode;
mod ffi;
mod generate;
mod lossy;
mod parent;
mod pictures;
mod pointer;
mod receiver;
mod scene;
mod server;
mod shrink;
mod viewer;
mod watcher;

use std::process::ExitCode;
use std::thread;

use clap::{Parser, Subcommand};

use child::{Failure, Task};
use device::Handle;
use scene::SurfaceSpec;
use server::Mode;

/// The command line.
#[derive(Parser)]
#[command(about = "Compares the canvas with the server's own renderer")]
struct Cli {
    #[command(subcommand)]
    command: Sub,
}

#[derive(Subcommand)]
enum Sub {
    /// Draw random commands in every compression, and compare.
    Run {
        /// Commands, over all compressions.
        #[arg(long, default_value_t = 100_000)]
        commands: u64,
        /// Where the choices begin.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The compressions to use; all of them when none is named.
        #[arg(long, num_args = 1..)]
        modes: Vec<Mode>,
        /// Processes at the same time.
        #[arg(long, default_value_t = 2)]
        jobs: usize,
    },
    /// Pointers of every type, and several display channels, in this process.
    Channels {
        /// Where the choices begin.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Pictures and films that lose detail on their way, in this process.
    Lossy {
        /// Where the choices begin.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// A film instead of pictures.
        #[arg(long)]
        video: bool,
    },
    /// What the server's QUIC and LZ encoders cost beside ours, on the pictures of the folder that `SPICE_PICTURES` names.
    Encoders {
        /// Begin with the names of the pictures to take; all of them when none is named.
        pictures: Vec<String>,
        /// Count instructions by callgrind instead of taking times.
        #[arg(long)]
        instructions: bool,
        /// How often each picture is encoded.
        #[arg(long, default_value_t = 15)]
        rounds: u32,
    },
    /// One server and one client in this process; started by `run`.
    Child {
        #[arg(long)]
        mode: Mode,
        #[arg(long)]
        seed: u64,
        #[arg(long, default_value_t = 0)]
        first: u32,
        #[arg(long, default_value_t = 1)]
        scenes: u32,
        #[arg(long, default_value_t = child::STEP)]
        step: usize,
        /// Draw these commands of each scene alone.
        #[arg(long, value_delimiter = ',')]
        keep: Option<Vec<usize>>,
        #[arg(long)]
        verbose: bool,
    },
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Sub::Run { commands, seed, modes, jobs } => {
            let modes = if modes.is_empty() { Mode::ALL.to_vec() } else { modes };
            match parent::run(commands, seed, &modes, jobs) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("error: {error}");
                    ExitCode::FAILURE
                }
            }
        }
        Sub::Channels { seed } => channels::serve(seed),
        Sub::Lossy { seed, video } => lossy::serve(seed, video),
        Sub::Encoders { pictures, instructions: true, .. } => costs::count(&pictures),
        Sub::Encoders { pictures, rounds, .. } => costs::serve(pictures, rounds),
        Sub::Child { mode, seed, first, scenes, step, keep, verbose } => {
            let keep = keep.map(|list| list.into_iter().collect());
            serve(Task { mode, seed, first, scenes, step, keep, verbose })
        }
    }
}

/// Runs the server's loop, and the comparison beside it.
fn serve(task: Task) -> ExitCode {
    serve_with(task.mode, &[child::FIRST_PRIMARY], move |devices, port| {
        match child::run(&task, devices[0], port) {
            Ok(summary) => {
                parent::print_summary(&summary);
                0
            }
            Err(Failure::Mismatch(mismatch)) => {
                parent::print_mismatch(&mismatch);
                parent::MISMATCH
            }
            Err(Failure::Error(error)) => {
                eprintln!("error: {error}");
                1
            }
        }
    })
}

/// Runs the server's loop, and beside it what gives the process its exit code.
fn serve_with(
    mode: Mode,
    primaries: &[SurfaceSpec],
    work: impl FnOnce(Vec<Handle>, u16) -> i32 + Send + 'static,
) -> ExitCode {
    let (devices, port) = match server::start(mode, primaries) {
        Ok(started) => started,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    thread::spawn(move || {
        let code = work(devices, port);
        // The server's threads have no part in what was found, and nothing to save.
        std::process::exit(code);
    });
    core::run(|| false);
    ExitCode::SUCCESS
}
