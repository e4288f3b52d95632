//! Files into the guest.

use std::fs::{self, File};
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use futures::future::join_all;
use futures::io::{AllowStdIo, BufReader};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::json;
use spice_client::agent::{self, SendFile};
use spice_client::{Event, Handle};

use crate::error::Error;
use crate::report::Report;
use crate::session::{Options, Session};

/// Sends files into the guest; its agent puts them where it puts downloads.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,

    /// The files. Several go at the same time.
    #[arg(required = true)]
    files: Vec<PathBuf>,

    /// Shows no progress.
    #[arg(short, long)]
    quiet: bool,
}

/// A file on its way.
struct Upload {
    path: PathBuf,
    size: u64,
    sending: SendFile<BufReader<AllowStdIo<File>>>,
    bar: ProgressBar,
}

pub(crate) async fn run(args: Args, report: Report) -> Result<(), Error> {
    let files: Vec<_> = args.files.iter().map(|path| open(path)).collect::<Result<_, _>>()?;
    let mut session = Session::connect(&args.options, &[])?;
    session.agent().await?;
    let bars = MultiProgress::new();
    // Whoever looks at the terminal wants to see it; a file or a program that the output goes to does not.
    if args.quiet || report.is_json() || !io::stdout().is_terminal() {
        bars.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    // No more at once than agents take.
    let (mut sent, mut failed) = (0, Vec::new());
    let mut files = files.into_iter().peekable();
    while files.peek().is_some() {
        let handle = session.handle();
        let lot: Vec<_> = files.by_ref().take(AT_ONCE).map(|file| upload(&handle, file, &bars)).collect();
        for (path, size, result) in send(&mut session, lot).await? {
            match result {
                Ok(()) => {
                    sent += 1;
                    report.tell("", &json!({ "file": path, "bytes": size, "sent": true }))?;
                }
                Err(error) => {
                    let told =
                        json!({ "file": path, "bytes": size, "sent": false, "error": error.to_string() });
                    report.tell("", &told)?;
                    failed.push(format!("{}: {error}", path.display()));
                }
            }
        }
    }
    session.leave().await;
    if failed.is_empty() {
        return report.tell(&format!("{sent} sent"), &json!({ "sent": sent }));
    }
    Err(Error::InPart(format!("{sent} files were sent, {} were not: {}", failed.len(), failed.join("; "))))
}

type Sent = (PathBuf, u64, Result<(), agent::Error>);

/// Sends some files at the same time.
async fn send(session: &mut Session, lot: Vec<Upload>) -> Result<Vec<Sent>, Error> {
    let bars: Vec<_> = lot.iter().map(|upload| (upload.sending.transfer(), upload.bar.clone())).collect();
    let all = join_all(lot.into_iter().map(|upload| async move {
        let result = upload.sending.await;
        match &result {
            Ok(()) => upload.bar.finish(),
            Err(error) => upload.bar.abandon_with_message(format!("{}: {error}", upload.path.display())),
        }
        (upload.path, upload.size, result)
    }));
    session
        .watch(async { Ok(all.await) }, |event| {
            if let Event::Agent(agent::Event::FileProgress { transfer, sent, .. }) = event
                && let Some((_, bar)) = bars.iter().find(|(of, _)| of == transfer)
            {
                bar.set_position(*sent);
            }
        })
        .await
}

fn upload(handle: &Handle, (path, name, size, file): Opened, bars: &MultiProgress) -> Upload {
    let style =
        ProgressStyle::with_template("{msg:24!} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    let bar = bars.add(ProgressBar::new(size).with_message(name.clone()));
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let reader = BufReader::with_capacity(READ, AllowStdIo::new(file));
    Upload { path, size, sending: handle.send_file(&name, size, reader), bar }
}

/// Path, name, size and content of a file.
type Opened = (PathBuf, String, u64, File);

fn open(path: &Path) -> Result<Opened, Error> {
    let fail = |source: io::Error| Error::Read { path: path.into(), source };
    // Looked at before it is opened, since opening a pipe waits for its writer.
    let metadata = fs::metadata(path).map_err(fail)?;
    if !metadata.is_file() {
        return Err(Error::NoFile(path.into()));
    }
    let file = File::open(path).map_err(fail)?;
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| Error::NoName(path.into()))?;
    Ok((path.into(), name.to_owned(), metadata.len(), file))
}

/// Files on their way at the same time.
const AT_ONCE: usize = 32;
/// Bytes that are read at once.
const READ: usize = 256 << 10;
