//! Recordings: a session's bytes in a file, to look at, to time and to test with later.
//!
//! A [`Recorder`] given to [`ClientConfig::record`](crate::ClientConfig::record) writes what the driver sends and
//! receives on every channel. A [`Recording`] reads it back record by record; a [`Replay`] feeds it to a session as if
//! the server were there, and yields the same events.
//!
//! # What is left out
//!
//! Unless [`Recorder::with_secrets`] asks for everything, a recording holds
//!
//! | channel | from the server | to the server |
//! |---|---|---|
//! | every | the link stage | the link stage, with zeros instead of the ticket |
//! | main | all but agent data (clipboard, files) and migration data | the same |
//! | inputs | all: lock states, acknowledgements | all but keys and lock states |
//! | display, cursor, playback | all | all |
//! | record, smartcard, usbredir, port, webdav, others | nothing behind the link | nothing behind the link |
//!
//! What is left out is left out by whole messages, so what remains is a stream of whole messages too. A link that
//! authenticates by SASL is recorded up to the choice of SASL and no further. Pictures are part of a recording: a
//! password that can be read on the screen can be read in it.
//!
//! # Format, version 1
//!
//! Numbers are little-endian. A file is a header and any number of records, to its end.
//!
//! | header field | bytes | content |
//! |---|---|---|
//! | magic | 8 | `SPICEREC` |
//! | version | 2 | 1; readers refuse others |
//! | flags | 2 | bit 0: recorded with secrets |
//! | reserved | 4 | 0 |
//!
//! | record field | bytes | content |
//! |---|---|---|
//! | kind | 1 | 1 opened, 2 received from the server, 3 sent to the server, 4 closed |
//! | channel | 2 | type, then id, as in the link message |
//! | reserved | 1 | 0 |
//! | transport | 4 | one number for each byte stream |
//! | time | 8 | microseconds since the first record |
//! | length | 4 | bytes that follow, at most [`MAX_PAYLOAD`]; 0 for opened and closed |
//! | payload | length | the next bytes of the stream in that direction, cut anywhere |
//!
//! Within TLS the payload is what was protected. Records stand in the order in which things happened.

mod filter;
mod format;
mod reader;
mod replay;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use spice_proto::Instant;
use spice_proto::session::TransportId;
use spice_proto::types::ChannelId;

use filter::Filter;
pub use format::MAX_PAYLOAD;
use format::{Kind, RecordHeader};
pub use reader::{Record, Recording, RecordingError, What};
pub use replay::{Replay, ReplayError};

/// Writes one session into a sink. Clones write into the same one.
///
/// Writing happens within the driver, so give a buffered sink, or a fast one. A sink that fails is written to no more,
/// and the session goes on; [`finish`](Self::finish) tells.
#[derive(Clone)]
pub struct Recorder {
    writing: Arc<Mutex<Writing>>,
}

struct Writing {
    sink: Box<dyn Write + Send>,
    secrets: bool,
    /// The time of the first record, once there is one.
    start: Option<Instant>,
    links: BTreeMap<u32, (ChannelId, Filter)>,
    bytes: u64,
    error: Option<io::Error>,
}

/// Which way bytes went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the server.
    Received,
    /// To the server.
    Sent,
}

impl Recorder {
    /// A recording into `sink` that leaves out what must stay secret.
    pub fn new(sink: impl Write + Send + 'static) -> Self {
        let writing = Writing {
            sink: Box::new(sink),
            secrets: false,
            start: None,
            links: BTreeMap::new(),
            bytes: 0,
            error: None,
        };
        Self { writing: Arc::new(Mutex::new(writing)) }
    }

    /// Records everything, also sealed passwords, keys, clipboards and files.
    #[must_use]
    pub fn with_secrets(self) -> Self {
        self.lock().secrets = true;
        self
    }

    /// Writes out what the sink keeps back. The number of bytes that were recorded.
    ///
    /// # Errors
    /// The first error of the sink: what came later is missing.
    pub fn finish(&self) -> io::Result<u64> {
        let mut writing = self.lock();
        if let Some(error) = writing.error.take() {
            return Err(error);
        }
        writing.sink.flush()?;
        Ok(writing.bytes)
    }

    pub(crate) fn opened(&self, transport: TransportId, channel: ChannelId, now: Instant) {
        let mut writing = self.lock();
        let filter = Filter::new(channel.kind, writing.secrets);
        writing.links.insert(transport.0, (channel, filter));
        writing.record(Kind::Opened, channel, transport.0, now, &[]);
    }

    pub(crate) fn passed(&self, transport: TransportId, direction: Direction, bytes: &[u8], now: Instant) {
        let mut writing = self.lock();
        let Some((channel, mut filter)) = writing.links.remove(&transport.0) else { return };
        let kind = match direction {
            Direction::Received => Kind::Received,
            Direction::Sent => Kind::Sent,
        };
        filter.pass(direction, bytes, &mut |part| {
            for payload in part.chunks(MAX_PAYLOAD) {
                writing.record(kind, channel, transport.0, now, payload);
            }
        });
        writing.links.insert(transport.0, (channel, filter));
    }

    pub(crate) fn closed(&self, transport: TransportId, now: Instant) {
        let mut writing = self.lock();
        if let Some((channel, _)) = writing.links.remove(&transport.0) {
            writing.record(Kind::Closed, channel, transport.0, now, &[]);
        }
    }

    /// A poisoned lock only means that the sink panicked.
    fn lock(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let writing = self.lock();
        f.debug_struct("Recorder")
            .field("secrets", &writing.secrets)
            .field("bytes", &writing.bytes)
            .field("error", &writing.error)
            .finish_non_exhaustive()
    }
}

impl Writing {
    fn record(&mut self, kind: Kind, channel: ChannelId, transport: u32, now: Instant, payload: &[u8]) {
        if self.error.is_none()
            && let Err(error) = self.try_record(kind, channel, transport, now, payload)
        {
            self.error = Some(error);
        }
    }

    fn try_record(
        &mut self,
        kind: Kind,
        channel: ChannelId,
        transport: u32,
        now: Instant,
        payload: &[u8],
    ) -> io::Result<()> {
        let start = match self.start {
            Some(start) => start,
            None => {
                let header = format::file_header(self.secrets);
                self.sink.write_all(&header)?;
                self.bytes += header.len() as u64;
                self.start = Some(now);
                now
            }
        };
        let micros = u64::try_from(now.saturating_since(start).as_micros()).unwrap_or(u64::MAX);
        let header = RecordHeader { kind, channel, transport, micros, len: payload.len() }.encode();
        self.sink.write_all(&header)?;
        self.sink.write_all(payload)?;
        self.bytes += (header.len() + payload.len()) as u64;
        Ok(())
    }
}
