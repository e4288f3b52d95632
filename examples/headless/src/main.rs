//! A SPICE client without a window, for scripts.
//!
//! Exit codes: 0 done, 1 the task failed (one sentence on standard error says why), 2 wrong usage, 3 done in part (the
//! sentence says what is missing: characters that a layout cannot make, files that did not go, a size that the guest has
//! rounded). A reader of standard output that goes away, such as `head`, ends the program without a word, with 0.
//!
//! With `--json` results are one JSON value a line on standard output, and errors, those of usage too,
//! `{"error": "sentence"}` on standard error.

mod address;
mod click;
mod clipboard;
mod codec;
mod compression;
mod demo;
mod disk;
mod error;
mod info;
mod keys;
mod picture;
mod record;
mod replay;
mod report;
mod resize;
mod screenshot;
mod seconds;
mod send;
mod session;
mod watch;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use report::Report;

/// A SPICE client without a window: pictures of real machines, keys, clicks, clipboard and files for them, and the
/// protocol's image codecs on files.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Exit codes: 0 done, 1 failed (one sentence on standard error says why), 2 wrong usage, \
        3 done in part (the sentence says what is missing)."
)]
struct Args {
    /// Tells results as JSON, a value a line, and errors as {"error": "sentence"}.
    #[arg(long, global = true)]
    json: bool,

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
    /// Types a text.
    Type(keys::TypeArgs),
    /// Presses keys and combinations.
    Key(keys::KeyArgs),
    /// Clicks at a place of the screen.
    Click(click::Args),
    /// Reads or fills the guest's clipboard.
    #[command(subcommand)]
    Clipboard(clipboard::Task),
    /// Sends files into the guest.
    Send(send::Args),
    /// Gives the guest's screen another size.
    Resize(resize::Args),
    /// Shows what happens, a line for each event.
    Watch(watch::Args),
    /// Tells name, id, channels, capabilities and agent of a machine.
    Info(info::Args),
    /// Turns a PNG into an image of a drawing message: descriptor and payload in one file.
    Encode(codec::EncodeArgs),
    /// Turns such a file into a PNG.
    Decode(codec::DecodeArgs),
    /// Writes completions for a shell to standard output.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    let report = Report::new(args.json);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            report.fail(&error);
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(async {
        match args.task {
            Task::Screenshot(args) => screenshot::run(args, report).await,
            Task::Record(args) => record::run(args, report).await,
            Task::Replay(args) => replay::run(&args, report),
            Task::Type(args) => keys::type_text(args, report).await,
            Task::Key(args) => keys::key(args, report).await,
            Task::Click(args) => click::run(args, report).await,
            Task::Clipboard(task) => clipboard::run(task, report).await,
            Task::Send(args) => send::run(args, report).await,
            Task::Resize(args) => resize::run(args, report).await,
            Task::Watch(args) => watch::run(args, report).await,
            Task::Info(args) => info::run(args, report).await,
            Task::Encode(args) => codec::encode(&args, report),
            Task::Decode(args) => codec::decode(&args, report),
            Task::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut Args::command(), "headless", &mut script);
                report.raw(&script)
            }
        }
    });
    // Nobody waits for a name that is still being looked up.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_nobody_listening() => ExitCode::SUCCESS,
        Err(error) => {
            report.fail(&error);
            ExitCode::from(error.code())
        }
    }
}

/// Tells what is wrong with the arguments, or shows the help that they ask for.
fn usage(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|arg| arg.to_str().is_some_and(|arg| arg.starts_with("--json")));
    if json && error.use_stderr() {
        Report::new(json).say(&sentence(&error.render().to_string()));
        return ExitCode::from(2);
    }
    let _ = error.print();
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// The first paragraph of what the argument parser says, without its heading, as one line.
fn sentence(text: &str) -> String {
    let paragraph = text.trim_start_matches("error: ").lines().take_while(|line| !line.trim().is_empty());
    paragraph.map(str::trim).collect::<Vec<_>>().join(" ")
}
