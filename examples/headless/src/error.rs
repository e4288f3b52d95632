//! Why a task failed, in a sentence.

use std::io;
use std::path::PathBuf;

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

/// Why a task failed.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error("the password file {} cannot be read: {source}", .path.display())]
    PasswordFile { path: PathBuf, source: io::Error },
    #[error("the server broke the rules of drawing: {0}")]
    Canvas(#[from] CanvasError),
    #[error("the server closed the display before the picture was complete")]
    DisplayClosed,
    #[error("the display failed before the picture was complete: {0}")]
    DisplayFailed(ProtocolError),
    #[error("the server offers no display: the machine has no graphics card that speaks SPICE")]
    NoDisplay,
    #[error("no complete picture came within {seconds} s: {what}")]
    Timeout { seconds: f32, what: &'static str },
    #[error("the picture is incomplete: {0}")]
    Incomplete(String),
    #[error("{} cannot be written: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} cannot be read: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "{} is not a PNG file that can be read: {source}. Give a PNG file, complete and undamaged", .path.display()
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
    #[error("{} holds no display: record while a machine shows something", .0.display())]
    NothingRecorded(PathBuf),
    #[error("the recording ends without a picture on that display")]
    NoPicture,
    #[error("{address} cannot be served: {source}")]
    Serve { address: String, source: io::Error },
    #[error("the demo server failed: {0}")]
    Demo(io::Error),
    #[error(transparent)]
    Agent(#[from] agent::Error),
    #[error("{what} did not come within {seconds} s")]
    Late { what: &'static str, seconds: f32 },
    #[error("the session ended before this was done: {0}")]
    Ended(SessionEnd),
    #[error("the machine places the pointer itself: it needs an agent or a tablet for clicks at a place")]
    NoPlace,
    #[error("standard input cannot be read: {0}")]
    Input(io::Error),
    #[error("the output cannot be written: {0}")]
    Output(io::Error),
    #[error("'{0}' has no file name")]
    NoName(PathBuf),
    #[error("the guest offers nothing there of that type; it offers: {0}")]
    NotOffered(String),
    #[error("the guest has not taken the content within {0} s; nobody has pasted it")]
    NotTaken(f32),
    #[error("done in part: {0}")]
    InPart(String),
}

impl Error {
    /// The program's exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::InPart(_) => 3,
            _ => 1,
        }
    }
}
