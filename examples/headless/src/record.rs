//! A session into a file, without a word of its own.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use futures::StreamExt;
use serde_json::json;
use spice_client::record::Recorder;
use spice_client::{Client, Event};
use spice_proto::types::ChannelType;

use crate::address::Target;
use crate::compression::Compression;
use crate::disk::Disk;
use crate::error::Error;
use crate::report::Report;
use crate::seconds::Seconds;
use crate::{demo, screenshot, session};

/// Records a session: what the server sends on all channels, with times, until it ends, or Ctrl-C or
/// SIGTERM comes. The file is written each second; it is created once the server has answered.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,

    /// The file to write.
    #[arg(short, long)]
    output: PathBuf,

    /// Stop after so many seconds.
    #[arg(long)]
    seconds: Option<Seconds>,

    /// How the server should compress images.
    #[arg(long, value_enum)]
    compression: Option<Compression>,

    /// Record keys, clipboard and sealed passwords too; without it, they are left out.
    #[arg(long)]
    secrets: bool,
}

pub(crate) async fn run(args: Args, report: Report) -> Result<(), Error> {
    let fail = |source| Error::Write { path: args.output.clone(), source };
    let mut recorder = Recorder::new(Disk::new(args.output.clone()));
    if args.secrets {
        recorder = recorder.with_secrets();
    }
    let prepare = |config: spice_client::ClientConfig| {
        let mut config = config.record(recorder.clone());
        config.session = config.session.channels(CHANNELS);
        if let Some(compression) = args.compression {
            config.session.display.compression = compression.wish();
        }
        config
    };
    let mut client = match args.target.config()? {
        Some(config) => screenshot::connect(prepare(config)),
        None => demo::connect(prepare)?,
    };
    let limit = args.seconds.map_or(LONGEST, Seconds::duration);
    let result = tokio::select! {
        result = listen(&mut client) => result,
        error = keep_written(&recorder) => Err(fail(error)),
        () = tokio::time::sleep(limit) => Ok(()),
        told = stopped() => told.map_err(Error::Input),
    };
    session::farewell(client).await;
    let bytes = recorder.finish().map_err(fail)?;
    if bytes == 0 {
        // Nothing was connected, and no file was touched.
        return result;
    }
    let told = json!({ "file": args.output, "bytes": bytes });
    report.tell(&format!("{}: {bytes} bytes", args.output.display()), &told)?;
    result
}

/// Takes events, which is all a server wants to see of a client.
async fn listen(client: &mut Client) -> Result<(), Error> {
    while let Some(event) = client.next().await {
        if let Event::Ended(_) = event? {
            break;
        }
    }
    Ok(())
}

/// Brings to the disk what was recorded, each second; the error that ends it.
async fn keep_written(recorder: &Recorder) -> io::Error {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if let Err(error) = recorder.finish() {
            return error;
        }
    }
}

/// Waits for a signal to stop: SIGTERM or SIGINT, or Ctrl-C where there are no signals.
async fn stopped() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            told = tokio::signal::ctrl_c() => told,
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// What is worth recording and needs no device on this side.
const CHANNELS: &[ChannelType] =
    &[ChannelType::DISPLAY, ChannelType::CURSOR, ChannelType::INPUTS, ChannelType::PLAYBACK];

/// A sleep longer than this is more than the timer takes.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
