//! The guest's clipboards.

use std::fs;
use std::io::Read;
use std::path::PathBuf;

use bytes::Bytes;
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
use spice_client::Event;
use spice_client::agent::{self, ClipboardEvent, DataType, Selection};
use tokio::time::timeout;

use crate::error::Error;
use crate::report::Report;
use crate::seconds::Seconds;
use crate::session::{Awaited, Options, Session};

/// Reads or fills the guest's clipboard.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Writes what the guest's clipboard holds to standard output or a file. The guest offers what is copied while we
    /// are connected, and some agents also what was copied before.
    Get {
        #[command(flatten)]
        common: Common,

        /// The file to write.
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
    /// Offers content to the guest, and stays until somebody there has pasted it.
    Set {
        #[command(flatten)]
        common: Common,

        /// The text; `-` takes the content from standard input.
        #[arg(required_unless_present = "file", allow_hyphen_values = true)]
        content: Option<String>,

        /// A file with the content.
        #[arg(long, conflicts_with = "content")]
        file: Option<PathBuf>,

        /// Seconds to stay; without it, until the first paste.
        #[arg(long, value_name = "SECONDS")]
        hold: Option<Seconds>,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    #[command(flatten)]
    options: Options,

    /// What is marked with the mouse, in place of what is copied by command.
    #[arg(long)]
    primary: bool,

    /// The kind of content.
    #[arg(long, value_enum, default_value = "text")]
    kind: Kind,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Text,
    Png,
    Bmp,
    Tiff,
    Jpeg,
}

impl Kind {
    fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::UTF8_TEXT,
            Self::Png => DataType::IMAGE_PNG,
            Self::Bmp => DataType::IMAGE_BMP,
            Self::Tiff => DataType::IMAGE_TIFF,
            Self::Jpeg => DataType::IMAGE_JPG,
        }
    }

    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

impl Common {
    fn selection(&self) -> Selection {
        if self.primary { Selection::Primary } else { Selection::Clipboard }
    }
}

pub(crate) async fn run(task: Task, report: Report) -> Result<(), Error> {
    match task {
        Task::Get { common, output } => get(&common, output, report).await,
        Task::Set { common, content, file, hold } => set(&common, content, file, hold, report).await,
    }
}

async fn get(common: &Common, output: Option<PathBuf>, report: Report) -> Result<(), Error> {
    let mut session = Session::connect(&common.options, &[])?;
    session.agent().await?;
    let (selection, kind) = (common.selection(), common.kind.data_type());
    let types = session.find(COPIED, |event| match event {
        Event::Agent(agent::Event::Clipboard(ClipboardEvent::Grabbed { selection: of, types }))
            if *of == selection =>
        {
            Some(types.clone())
        }
        _ => None,
    });
    let types = types.await?;
    if !types.contains(&kind) {
        let kinds = Kind::value_variants().iter().filter(|known| types.contains(&known.data_type()));
        let names: Vec<_> = kinds.map(|known| known.name()).collect();
        return Err(Error::NotOffered(names.join(", ")));
    }
    let answer = session.handle().clipboard_request(selection, kind);
    let data = session.run(answer).await?;
    session.leave().await;
    if let Some(path) = output {
        fs::write(&path, &data).map_err(|source| Error::Write { path: path.clone(), source })?;
        return report.tell("", &json!({ "file": path, "bytes": data.len() }));
    }
    let text = std::str::from_utf8(&data).ok();
    match text.filter(|_| report.is_json()) {
        Some(text) => report.tell("", &json!({ "text": text })),
        None => report.raw(&data),
    }
}

async fn set(
    common: &Common,
    content: Option<String>,
    file: Option<PathBuf>,
    hold: Option<Seconds>,
    report: Report,
) -> Result<(), Error> {
    let data: Bytes = match (content, file) {
        (_, Some(path)) => fs::read(&path).map_err(|source| Error::Read { path, source })?.into(),
        (Some(content), None) if content != "-" => content.into(),
        _ => {
            let mut data = Vec::new();
            std::io::stdin().read_to_end(&mut data).map_err(Error::Input)?;
            data.into()
        }
    };
    let len = data.len();
    let mut session = Session::connect(&common.options, &[])?;
    session.agent().await?;
    let (selection, kind) = (common.selection(), common.kind.data_type());
    let answer = session.handle().set_clipboard(selection, [(kind, data)]);
    session.run(answer).await?;
    let (mut taken, mut replaced) = (false, false);
    let until_taken = async {
        while !replaced && (hold.is_some() || !taken) {
            match session.next().await? {
                Event::Agent(agent::Event::ClipboardTaken { selection: of, .. }) if of == selection => {
                    taken = true;
                }
                Event::Agent(agent::Event::Clipboard(ClipboardEvent::Grabbed { selection: of, .. }))
                    if of == selection =>
                {
                    replaced = true;
                }
                _ => {}
            }
        }
        Ok::<(), Error>(())
    };
    match hold {
        // Being done with holding is no error.
        Some(hold) => timeout(hold.duration(), until_taken).await.unwrap_or(Ok(())),
        None => until_taken.await,
    }?;
    session.leave().await;
    let told: Value = json!({ "bytes": len, "pasted": taken, "replaced": replaced });
    report.tell("", &told)?;
    match hold {
        _ if taken => Ok(()),
        Some(hold) if !replaced => Err(Error::NotTaken(hold)),
        _ => Err(Error::Replaced),
    }
}

const COPIED: Awaited =
    Awaited { what: "something in the guest's clipboard", advice: "copy something there while this waits" };
