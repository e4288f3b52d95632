//! Why a task failed, in a sentence.

use std::io;
use std::path::{Path, PathBuf};

use spice_client::agent;
use spice_client::canvas::{CanvasError, DisplayError};
use spice_client::record::{RecordingError, ReplayError};
use spice_client::{AddressError, ClientError};
use spice_codecs::CodecError;
use spice_proto::link::PasswordError;
use spice_proto::msg::display::ImageType;
use spice_proto::session::SessionEnd;
use spice_proto::wire::TooMany;
use spice_proto::{DecodeError, ProtocolError};
use thiserror::Error;

use crate::seconds::Seconds;

/// Why a task failed.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("{}{}", .0, advice(.0))]
    Client(#[from] ClientError),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error("the password file {} cannot be read: {source}, check the path and its rights", .path.display())]
    PasswordFile { path: PathBuf, source: io::Error },
    #[error("the server broke the rules of drawing: {0}")]
    Canvas(#[from] CanvasError),
    #[error("the server closed the display before the picture was complete")]
    DisplayClosed,
    #[error("the display failed before the picture was complete: {0}")]
    DisplayFailed(ProtocolError),
    #[error("the server offers no display: the machine has no graphics card that speaks SPICE")]
    NoDisplay,
    #[error("no complete picture came within {timeout} s: {what}")]
    Timeout { timeout: Seconds, what: &'static str },
    #[error("the picture is incomplete: {0}")]
    Incomplete(String),
    #[error("{} cannot be written: {source}, check the path and its rights", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} cannot be read: {source}, check the path and its rights", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is no file that can be sent: folders, pipes and devices have no length", .0.display())]
    NoFile(PathBuf),
    #[error(
        "{} is not a PNG file that can be read: {}. Give a PNG file, complete and undamaged",
        .path.display(), .source.to_string().trim_end_matches('.')
    )]
    NoPng { path: PathBuf, source: png::DecodingError },
    #[error(
        "the picture does not go through this codec: {0}. Take another one: quic, lz and glz take any picture"
    )]
    Encode(#[from] CodecError),
    #[error(
        "{path} is a PNG file, not an encoded image: encode it first (headless encode --codec quic {path} FILE)",
        path = .0.display()
    )]
    StillPng(PathBuf),
    #[error(
        "{} is not an image as `headless encode` writes it, or was cut short: {source}. Copy it completely, or encode \
         the picture again", .path.display()
    )]
    NoImage { path: PathBuf, source: DecodeError },
    #[error(
        "{} goes on for {excess} bytes behind its image, so it was damaged or holds more than that: copy it completely, or \
         encode the picture again", .path.display()
    )]
    BehindImage { path: PathBuf, excess: usize },
    #[error("{} holds a {found} image, not {asked}: say --codec {found}, or leave --codec out", .path.display())]
    OtherCodec { path: PathBuf, found: &'static str, asked: &'static str },
    #[error(
        "{} holds an image of type {found:?}, which cannot be decoded alone: give a file that `headless encode` wrote, \
         or replay a recording of its session (headless replay)", .path.display()
    )]
    NotAlone { path: PathBuf, found: ImageType },
    #[error(
        "{} refers to image {id} of its session: record the session (headless record) and replay it (headless replay)",
        .path.display()
    )]
    MissingImage { path: PathBuf, id: u64 },
    #[error("{} is damaged or was cut short: {source}. Copy it completely, or encode the picture again", .path.display())]
    Damaged { path: PathBuf, source: CodecError },
    #[error("the encoded picture is too large for a message: {0}")]
    TooLarge(#[from] TooMany),
    #[error(transparent)]
    Display(#[from] DisplayError),
    #[error(transparent)]
    Recording(#[from] RecordingError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error("{}: {source}{}", .path.display(), remedy(.source))]
    Recorded { path: PathBuf, source: ReplayError },
    #[error("{path} is a recording, not an encoded image: draw it with headless replay {path}", path = .0.display())]
    StillRecording(PathBuf),
    #[error("{} holds no display: record while a machine shows something", .0.display())]
    NothingRecorded(PathBuf),
    #[error("threads for decoding cannot be started: {0}; ask for fewer with --threads")]
    Threads(io::Error),
    #[error("the recording ends without a picture on display {display}; {there}")]
    NoPicture { display: u8, there: String },
    #[error("{address} cannot be served: {source}")]
    Serve { address: String, source: io::Error },
    #[error("the demo server failed: {0}")]
    Demo(io::Error),
    #[error(transparent)]
    Agent(#[from] agent::Error),
    #[error("{what} did not come within {timeout} s: {advice}, or wait longer with --timeout")]
    Late { what: &'static str, timeout: Seconds, advice: &'static str },
    #[error("the session ended before this was done: {0}")]
    Ended(SessionEnd),
    #[error(
        "the machine places the pointer itself: it needs spice-vdagent in the guest, or a USB tablet, for clicks at a place"
    )]
    NoPlace,
    #[error("standard input cannot be read: {0}")]
    Input(io::Error),
    #[error("the output cannot be written: {0}")]
    Output(io::Error),
    #[error("'{}' has no file name that can be sent: it must be UTF-8", .0.display())]
    NoName(PathBuf),
    #[error("the guest offers nothing of that kind but only this: {0}; choose with --kind")]
    NotOffered(String),
    #[error(
        "nobody has pasted the content in the guest within {0} s: paste it there, or hold it longer with --hold"
    )]
    NotTaken(Seconds),
    #[error("somebody has copied something else in the guest before anybody pasted this: set it again")]
    Replaced,
    #[error("done in part: {0}")]
    InPart(String),
}

impl Error {
    /// Names the recording that a fault was found in.
    pub(crate) fn of(self, path: &Path) -> Self {
        match self {
            Self::Recording(source) => Self::Recorded { path: path.into(), source: source.into() },
            Self::Replay(source) => Self::Recorded { path: path.into(), source },
            other => other,
        }
    }

    /// The program's exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::InPart(_) => 3,
            _ => 1,
        }
    }

    /// Whether whoever reads standard output has gone, as `head` does when it has enough.
    pub(crate) fn is_nobody_listening(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// What can be done about a recording that does not replay.
fn remedy(error: &ReplayError) -> &'static str {
    match error {
        ReplayError::Recording(RecordingError::NotARecording) => {
            ". Give a file that `headless record` has written"
        }
        ReplayError::Recording(RecordingError::Truncated { .. }) => {
            ". What comes before is good: --output writes the last picture of it"
        }
        ReplayError::Recording(RecordingError::Version(_)) => {
            ". Replay it with the version of this program that recorded it"
        }
        ReplayError::Recording(RecordingError::Io(_)) => ", check the path and its rights",
        _ => ". Copy the file again, or record the session anew",
    }
}

/// What this program can do about an error of the client.
fn advice(error: &ClientError) -> &'static str {
    match error {
        ClientError::PasswordMissing => ", with --password-file FILE or the variable SPICE_PASSWORD",
        ClientError::PasswordWrong => ", check it and ask the machine's administrator for the present one",
        _ => "",
    }
}
