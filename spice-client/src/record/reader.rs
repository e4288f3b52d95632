//! Reading a recording.

use std::io::{self, Read};
use std::time::Duration;

use spice_proto::types::ChannelId;
use thiserror::Error;

use super::format::{self, FILE_HEADER, HeaderFault, Kind, MAX_PAYLOAD, RECORD_HEADER, RecordHeader};

/// A recording, read from front to back. Holds one record at a time, of at most [`MAX_PAYLOAD`] bytes.
#[derive(Debug)]
pub struct Recording<R> {
    source: R,
    secrets: bool,
    /// Bytes of the file that have been read.
    at: u64,
    payload: Vec<u8>,
}

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// When, since the first record.
    pub at: Duration,
    /// The channel.
    pub channel: ChannelId,
    /// Which byte stream of the channel: migration gives a channel a second one.
    pub transport: u32,
    /// What happened.
    pub what: What<'a>,
}

/// What happened to a byte stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// It was connected.
    Opened,
    /// The server sent this.
    Received(&'a [u8]),
    /// The client sent this.
    Sent(&'a [u8]),
    /// It ended.
    Closed,
}

/// Why a file cannot be read as a recording.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The file begins with something else.
    #[error("not a recording: the file does not begin with SPICEREC")]
    NotARecording,
    /// The file's format is not known here.
    #[error("a recording of version {0}: only version 1 is known here")]
    Version(u16),
    /// The file ends within a record, as when the recorder was killed. Everything before it has been read.
    #[error("the recording is cut off at byte {at}")]
    Truncated {
        /// Where the incomplete record begins.
        at: u64,
    },
    /// A record of a kind that does not exist.
    #[error("the recording is damaged at byte {at}: no record is of kind {kind}")]
    Kind {
        /// Where the record begins.
        at: u64,
        /// The number found.
        kind: u8,
    },
    /// A record is longer than any writer makes it.
    #[error("the recording is damaged at byte {at}: a record of {len} bytes, at most {bound} are allowed")]
    Length {
        /// Where the record begins.
        at: u64,
        /// The length found, in bytes.
        len: usize,
        /// The bound.
        bound: usize,
    },
    /// The source failed.
    #[error("the recording cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl<R: Read> Recording<R> {
    /// Reads the header. Give a buffered source: records are read in small pieces.
    ///
    /// # Errors
    /// [`RecordingError`]
    pub fn new(mut source: R) -> Result<Self, RecordingError> {
        let mut header = [0; FILE_HEADER];
        if fill(&mut source, &mut header)? < FILE_HEADER {
            return Err(RecordingError::NotARecording);
        }
        let secrets = format::parse_file_header(&header).map_err(|fault| match fault {
            HeaderFault::Magic => RecordingError::NotARecording,
            HeaderFault::Version(version) => RecordingError::Version(version),
        })?;
        Ok(Self { source, secrets, at: FILE_HEADER as u64, payload: Vec::new() })
    }

    /// Whether keys, clipboards and the like have been recorded too.
    pub fn has_secrets(&self) -> bool {
        self.secrets
    }

    /// The next record; `None` at the end of the file.
    ///
    /// # Errors
    /// [`RecordingError`]; there is nothing more to read then.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, RecordingError> {
        let at = self.at;
        let mut header = [0; RECORD_HEADER];
        match fill(&mut self.source, &mut header)? {
            0 => return Ok(None),
            RECORD_HEADER => {}
            _ => return Err(RecordingError::Truncated { at }),
        }
        let RecordHeader { kind, channel, transport, micros, len } =
            RecordHeader::parse(&header).map_err(|kind| RecordingError::Kind { at, kind })?;
        if len > MAX_PAYLOAD {
            return Err(RecordingError::Length { at, len, bound: MAX_PAYLOAD });
        }
        self.payload.clear();
        // Reserves by what is there, not by what the header promises.
        let read = self.source.by_ref().take(len as u64).read_to_end(&mut self.payload)?;
        if read < len {
            return Err(RecordingError::Truncated { at });
        }
        self.at += (RECORD_HEADER + len) as u64;
        let what = match kind {
            Kind::Opened => What::Opened,
            Kind::Received => What::Received(&self.payload),
            Kind::Sent => What::Sent(&self.payload),
            Kind::Closed => What::Closed,
        };
        Ok(Some(Record { at: Duration::from_micros(micros), channel, transport, what }))
    }
}

/// Reads until `buf` is full or the source ends; the number of bytes read.
fn fill(source: &mut impl Read, buf: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buf.len() {
        match source.read(&mut buf[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
