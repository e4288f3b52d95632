//! A recording in the place of a server.

use std::collections::BTreeMap;
use std::io::Read;

use spice_proto::Instant;
use spice_proto::session::{Address, Event, Output, Session, SessionConfig, TransportId};
use spice_proto::types::{ChannelId, ChannelType};
use thiserror::Error;

use super::reader::{Recording, RecordingError, What};

/// Feeds what a server once sent to a session, as fast as events are taken, and yields the session's events, each
/// with the time at which its bytes were received.
///
/// Time is the recording's, so that the same recording gives the same events always and everywhere. What the session
/// wants to send goes nowhere.
///
/// A damaged or hostile recording can make a replay hold no more than a server could make the session hold, and one
/// record.
#[derive(Debug)]
pub struct Replay<R> {
    recording: Recording<R>,
    session: Session,
    /// Transports of the recording and of the session.
    links: BTreeMap<u32, TransportId>,
    /// What the session wants to connect, while the recording has not come so far.
    wanted: Vec<(ChannelId, TransportId)>,
    longest: usize,
    now: Instant,
    over: bool,
}

/// Why a replay stops early.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The file cannot be read on.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// A channel waits for what does not come, while more and more arrives for it.
    #[error("the recording does not fit together: {channel:?} waits for others, with {bytes} bytes behind")]
    Stuck {
        /// The channel.
        channel: ChannelId,
        /// Bytes that have come for it and cannot be worked on.
        bytes: usize,
    },
}

impl<R: Read> Replay<R> {
    /// A replay of all channels.
    pub fn new(recording: Recording<R>) -> Self {
        let config = SessionConfig::new(Address::Other("a recording".into())).channels(&[
            ChannelType::DISPLAY,
            ChannelType::INPUTS,
            ChannelType::CURSOR,
            ChannelType::PLAYBACK,
            ChannelType::RECORD,
            ChannelType::SMARTCARD,
            ChannelType::USBREDIR,
            ChannelType::PORT,
            ChannelType::WEBDAV,
        ]);
        Self::with_config(recording, config)
    }

    /// A replay to a session of the given configuration; its addresses mean nothing, and channels open in the
    /// recording's order.
    pub fn with_config(recording: Recording<R>, mut config: SessionConfig) -> Self {
        config.displays_first = false;
        let longest = usize::try_from(config.limits.message_len).unwrap_or(usize::MAX);
        Self {
            recording,
            session: Session::new(config),
            links: BTreeMap::new(),
            wanted: Vec::new(),
            longest: longest.saturating_add(super::MAX_PAYLOAD),
            now: Instant::ZERO,
            over: false,
        }
    }

    /// The next event, and when what caused it was received; `None` at the recording's end or the session's.
    ///
    /// # Errors
    /// [`ReplayError`]; nothing more comes then.
    pub fn next_event(&mut self) -> Result<Option<(Instant, Event)>, ReplayError> {
        while !self.over {
            while let Some(output) = self.session.poll_io() {
                if let Output::Connect { transport, channel, .. } = output {
                    self.wanted.push((channel, transport));
                }
            }
            // Straight on to the caller: an event has some hundred bytes, and there are many.
            if let Some(event) = self.session.poll_event() {
                self.over = matches!(event, Event::Ended(_));
                return Ok(Some((self.now, event)));
            }
            let more = self.feed().inspect_err(|_| self.over = true)?;
            self.over |= !more;
        }
        Ok(None)
    }

    /// The session.
    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Hands one record to the session; false at the end.
    fn feed(&mut self) -> Result<bool, ReplayError> {
        let Some(record) = self.recording.next_record()? else { return Ok(false) };
        // Time never runs backwards, whatever the file says.
        self.now = self.now.max(Instant::new(record.at));
        let link = self.links.get(&record.transport).copied();
        match (record.what, link) {
            (What::Opened, _) => {
                let asked = self.wanted.iter().position(|(channel, _)| *channel == record.channel);
                if let Some(index) = asked {
                    let (_, transport) = self.wanted.remove(index);
                    self.links.insert(record.transport, transport);
                    // The ticket is sealed for nobody.
                    self.session.connected(transport, [0; 32], self.now);
                }
            }
            (What::Received(bytes), Some(transport)) => {
                if let Some(buf) = self.session.recv_buf(transport) {
                    if buf.len() > self.longest {
                        let (channel, bytes) = (record.channel, buf.len());
                        return Err(ReplayError::Stuck { channel, bytes });
                    }
                    buf.extend_from_slice(bytes);
                    self.session.handle_input(transport, self.now);
                }
            }
            (What::Closed, Some(transport)) => {
                self.links.remove(&record.transport);
                self.session.closed(transport, self.now);
            }
            // Channels that this session does not want, and what the client said.
            (What::Sent(_) | What::Received(_) | What::Closed, _) => {}
        }
        if self.session.poll_timeout().is_some_and(|due| due <= self.now) {
            self.session.handle_timeout(self.now);
        }
        Ok(true)
    }
}

impl<R: Read> Iterator for Replay<R> {
    type Item = Result<(Instant, Event), ReplayError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_event().transpose()
    }
}
