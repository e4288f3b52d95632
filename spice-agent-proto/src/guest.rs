//! The agent's side of the dialogue, inside the guest.

use alloc::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};

use crate::caps::{AgentCaps, AnnounceCapabilities};
use crate::clipboard::{self, DataType, LineEnds, Selection, Selections, Side};
use crate::error::AgentError;
use crate::file_xfer::{FileXferResult, ReceiveEvent, Receiver, StatusDetail};
use crate::frame::{CHUNK_LEN, ChunkHeader, DeviceChunk, DeviceReader, Incoming, Port, Reassembler};
use crate::limits::Limits;
use crate::link::Link;
use crate::monitors::MonitorsConfig;
use crate::msg::{AudioVolumeSync, DisplayConfig, Message, MessageType, Reply, ReplyCode};
use crate::server::{GraphicsDeviceInfo, MouseState};

/// What an agent can do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GuestConfig {
    /// What is announced to the client. [`AgentCaps::AGENT`] by default.
    pub caps: AgentCaps,
    /// Every bound on what the client may make this side hold.
    pub limits: Limits,
}

impl Default for GuestConfig {
    fn default() -> Self {
        Self { caps: AgentCaps::AGENT, limits: Limits::default() }
    }
}

/// What happens between an agent and the client or the server.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A client has come and said what it can do; or the same client has said otherwise.
    Ready(AgentCaps),
    /// The client has gone, or another one has come in its place. What was withdrawn by that has its own events before
    /// this one; what this side had grabbed must be grabbed again once a client is ready.
    Gone,
    /// Something about a selection.
    Clipboard(clipboard::Event),
    /// Something about a file that is received.
    File(ReceiveEvent),
    /// The monitors that the guest should have. Wants a [`Guest::reply`].
    Monitors(MonitorsConfig),
    /// What the guest should do without. Wants a [`Guest::reply`].
    Display(DisplayConfig),
    /// How loud the client is.
    Volume(AudioVolumeSync),
    /// The pointer has moved, or buttons have changed.
    Mouse(MouseState),
    /// Which devices show the monitors.
    GraphicsDevices(GraphicsDeviceInfo),
    /// A message was left out, because it is malformed or too long.
    Skipped(AgentError),
}

impl From<clipboard::Event> for Event {
    fn from(event: clipboard::Event) -> Self {
        Self::Clipboard(event)
    }
}

impl From<ReceiveEvent> for Event {
    fn from(event: ReceiveEvent) -> Self {
        Self::File(event)
    }
}

/// The agent's side of the dialogue, over the byte stream of the guest's device.
///
/// - *Input* is what has been read from the device: [`handle_input`](Self::handle_input).
/// - *Output* is to be written there: [`poll_transmit`](Self::poll_transmit). It may give something after any other
///   call.
/// - *Events* are for the application: [`poll_event`](Self::poll_event). While too many of them wait, no input is
///   taken.
/// - *Commands* are all other methods; they say why something is not to be had at present.
#[derive(Debug)]
pub struct Guest {
    link: Link,
    device: DeviceReader,
    /// What has been cut off the input but not been read, because events or output pile up.
    arrived: Option<DeviceChunk>,
    from_client: Reassembler,
    from_server: Reassembler,
    broken: Option<AgentError>,
    clipboard: Selections,
    files: Receiver,
    events: VecDeque<Event>,
    /// Where chunks are written behind their headers; sent ones free their room.
    scratch: BytesMut,
}

impl Guest {
    /// An agent that has just started. It announces itself and asks the client to do so.
    pub fn new(config: GuestConfig) -> Self {
        let mut guest = Self {
            link: Link::new(config.caps, config.limits),
            device: DeviceReader::new(),
            arrived: None,
            from_client: Reassembler::new(),
            from_server: Reassembler::new(),
            broken: None,
            clipboard: Selections::new(Side::Agent, LineEnds::Lf),
            files: Receiver::new(),
            events: VecDeque::new(),
            scratch: BytesMut::new(),
        };
        if let Err(error) = guest.link.announce(true) {
            guest.events.push_back(Event::Skipped(error));
        }
        guest
    }

    /// Takes what has been read off the front of `input`. What stays is to be given again, with what is read after it,
    /// once events and output have been taken.
    ///
    /// # Errors
    /// [`AgentError::Broken`] when the stream makes no sense; then for ever, and the device is to be opened anew.
    pub fn handle_input(&mut self, input: &mut BytesMut) -> Result<(), AgentError> {
        while self.wants_input() {
            let Some(mut chunk) = self.arrived.take().or_else(|| self.device.split(input)) else {
                break;
            };
            if let Some(error) = self.broken {
                return Err(error);
            }
            let reassembler = match chunk.port {
                Port::CLIENT => &mut self.from_client,
                Port::SERVER => &mut self.from_server,
                _ => {
                    return self
                        .break_off(AgentError::Broken { rule: "chunks are from the client or the server" });
                }
            };
            match reassembler.next(&mut chunk.data, &self.link.limits) {
                Ok(Some(incoming)) => {
                    self.arrived = Some(chunk);
                    let handled = self.handle(incoming);
                    if let Err(error) = handled {
                        self.events.push_back(Event::Skipped(error));
                    }
                }
                Ok(None) => {}
                Err(error) => return self.break_off(error),
            }
        }
        self.broken.map_or(Ok(()), Err)
    }

    /// Whether input is taken at present.
    pub fn wants_input(&self) -> bool {
        self.events.len() < self.link.limits.queued_events && self.link.can_answer()
    }

    /// What is to be written to the device next.
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        let chunk = self.link.outbox.next_chunk()?;
        if self.scratch.capacity() < ChunkHeader::LEN + chunk.data.len() {
            self.scratch.reserve(SCRATCH);
        }
        self.scratch.put_u32_le(Port::CLIENT.0);
        self.scratch.put_u32_le(chunk.data.len() as u32);
        self.scratch.put_slice(&chunk.data);
        Some(self.scratch.split().freeze())
    }

    /// What has happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// What the client can do; `None` before it is [ready](Event::Ready).
    pub fn caps(&self) -> Option<AgentCaps> {
        self.link.theirs
    }

    /// Offers the content of a selection in these types, from now on until the next
    /// [`Grabbed`](clipboard::Event::Grabbed), [`clipboard_release`](Self::clipboard_release) or [`Event::Gone`].
    ///
    /// When the client grabs at the same time, the client wins.
    ///
    /// # Errors
    /// [`AgentError::Unavailable`] when the client cannot do it; [`AgentError::Limit`] with more types than
    /// [`Limits::grab_types`] or too much waiting to be sent.
    pub fn clipboard_grab(&mut self, selection: Selection, types: &[DataType]) -> Result<(), AgentError> {
        self.clipboard.grab(&mut self.link, &mut self.events, selection, types)
    }

    /// Withdraws what this side offers; nothing happens when it offers nothing.
    ///
    /// # Errors
    /// As [`clipboard_grab`](Self::clipboard_grab).
    pub fn clipboard_release(&mut self, selection: Selection) -> Result<(), AgentError> {
        self.clipboard.release(&mut self.link, selection)
    }

    /// Asks for content that the client offers. [`Content`](clipboard::Event::Content) or
    /// [`Failed`](clipboard::Event::Failed) follows, unless the client is silent: wants a time limit of the caller's.
    ///
    /// # Errors
    /// [`AgentError::Unavailable`] when the client does not offer it, or still owes an answer for this selection.
    pub fn clipboard_request(&mut self, selection: Selection, kind: DataType) -> Result<(), AgentError> {
        self.clipboard.request(&mut self.link, selection, kind)
    }

    /// Stops waiting for the content that was asked for. An answer that comes all the same is dropped, unless the
    /// selection has been asked for again.
    pub fn clipboard_forget_request(&mut self, selection: Selection) {
        self.clipboard.forget_request(selection);
    }

    /// Answers a [request](clipboard::Event::Requested). Empty content says that there is none.
    ///
    /// # Errors
    /// [`AgentError::Unavailable`] when nobody waits for it any more; [`AgentError::Limit`] when the content is longer
    /// than the client takes, which it is told too.
    pub fn clipboard_answer(
        &mut self,
        selection: Selection,
        kind: DataType,
        data: Bytes,
    ) -> Result<(), AgentError> {
        self.clipboard.answer(&mut self.link, selection, kind, data)
    }

    /// The types in which the client offers a selection; `None` when it does not own it.
    pub fn clipboard_offered(&self, selection: Selection) -> Option<&[DataType]> {
        self.clipboard.offered(selection)
    }

    /// Whether this side owns a selection.
    pub fn clipboard_owns(&self, selection: Selection) -> bool {
        self.clipboard.owns(selection)
    }

    /// Takes a file that was [offered](ReceiveEvent::Offered): its pieces may come.
    ///
    /// # Errors
    /// [`AgentError::Unavailable`] when the transfer is over already.
    pub fn file_accept(&mut self, id: u32) -> Result<(), AgentError> {
        self.files.accept(&mut self.link, id)
    }

    /// Ends a transfer from this side: with `SUCCESS` once it is [complete](ReceiveEvent::Complete), or with a failure at
    /// any time, also in answer to the offer. A client that does not know the result is told `ERROR`.
    ///
    /// # Errors
    /// [`AgentError::Unavailable`] when the transfer is over already; [`AgentError::Misuse`] when it cannot end like
    /// that.
    pub fn file_finish(
        &mut self,
        id: u32,
        result: FileXferResult,
        detail: StatusDetail,
    ) -> Result<(), AgentError> {
        self.files.finish(&mut self.link, id, result, detail)
    }

    /// Says how the monitors or the display settings fared; nothing is said to clients that do not want to know.
    ///
    /// # Errors
    /// [`AgentError::Limit`] with too much waiting to be sent.
    pub fn reply(&mut self, to: MessageType, success: bool) -> Result<(), AgentError> {
        if !self.link.both().contains(AgentCaps::REPLY) {
            return Ok(());
        }
        self.link.room()?;
        let error = if success { ReplyCode::SUCCESS } else { ReplyCode::ERROR };
        self.link.send(&Message::Reply(Reply { kind: to, error }))
    }

    fn break_off(&mut self, error: AgentError) -> Result<(), AgentError> {
        self.broken = Some(error);
        Err(error)
    }

    fn handle(&mut self, incoming: Incoming) -> Result<(), AgentError> {
        let (link, events) = (&mut self.link, &mut self.events);
        let (kind, body) = match incoming {
            Incoming::Message { kind, body } => (kind, body),
            Incoming::TooLong { kind, limit, head } => {
                match kind {
                    MessageType::CLIPBOARD => self.clipboard.on_too_long(link, events, limit, &head),
                    MessageType::FILE_XFER_DATA => self.files.on_too_long(link, events, &head)?,
                    _ => {}
                }
                return Err(limit.into());
            }
        };
        match Message::decode(kind, &body, link.layout())? {
            Message::AnnounceCapabilities(announce) => return self.on_announce(&announce),
            Message::ClientDisconnected => self.on_gone(),
            Message::MouseState(mouse) => events.push_back(Event::Mouse(mouse)),
            Message::GraphicsDeviceInfo(devices) => events.push_back(Event::GraphicsDevices(devices)),
            Message::MonitorsConfig(monitors) => events.push_back(Event::Monitors(monitors)),
            Message::DisplayConfig(display) => events.push_back(Event::Display(display)),
            Message::AudioVolumeSync(volume) => events.push_back(Event::Volume(volume)),
            Message::MaxClipboard(max) => self.clipboard.set_max(max),
            Message::FileXferStart(start) => return self.files.on_start(link, events, &start),
            Message::FileXferData(data) => return self.files.on_data(link, events, data),
            Message::FileXferStatus(status) => self.files.on_status(events, &status),
            _ if !link.both().contains(AgentCaps::CLIPBOARD_BY_DEMAND) => {}
            Message::ClipboardGrab(grab) => return self.clipboard.on_grab(link, events, &grab),
            Message::ClipboardRelease(release) => self.clipboard.on_release(link, events, release.selection),
            Message::ClipboardRequest(request) => return self.clipboard.on_request(link, events, request),
            Message::Clipboard(content) => self.clipboard.on_content(link, events, content),
            // What only agents send, and what nobody knows.
            _ => {}
        }
        Ok(())
    }

    fn on_announce(&mut self, announce: &AnnounceCapabilities) -> Result<(), AgentError> {
        if announce.request != 0 {
            // A new client has come.
            self.on_gone();
        }
        let known = self.link.theirs.replace(announce.caps());
        if announce.request != 0 {
            self.link.announce(false)?;
        }
        if known != self.link.theirs {
            self.events.push_back(Event::Ready(announce.caps()));
        }
        Ok(())
    }

    fn on_gone(&mut self) {
        // What waits is for the client that has gone.
        self.link.outbox.retain(|_, _| false);
        self.clipboard.reset(&mut self.events);
        self.files.reset(&mut self.events);
        if self.link.theirs.take().is_some() {
            self.events.push_back(Event::Gone);
        }
    }
}

/// Room in bytes for chunks: 8 of them, so that what is being written seldom holds on to two blocks.
const SCRATCH: usize = 8 * (CHUNK_LEN + ChunkHeader::LEN);
