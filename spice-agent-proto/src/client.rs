//! The client's side of the dialogue.

use alloc::collections::VecDeque;

use bytes::Bytes;

use crate::caps::{AgentCaps, AnnounceCapabilities};
use crate::clipboard::{self, DataType, LineEnds, Selection, Selections, Side};
use crate::error::{AgentError, LimitExceeded, Unavailable};
use crate::file_xfer::{Outcome, SendEvent, Sender};
use crate::frame::{Incoming, Reassembler};
use crate::limits::Limits;
use crate::link::Link;
use crate::monitors::MonitorsConfig;
use crate::msg::{AudioVolumeSync, DisplayConfig, MaxClipboard, Message, MessageType, Reply};
use crate::tokens::{ReceiveCredit, SendCredit};

/// What a client can do, and how it wants things.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientConfig {
    /// What is announced to the agent. [`AgentCaps::CLIENT`] by default.
    pub caps: AgentCaps,
    /// How lines of text end on the client's side; text from and for the guest is converted.
    pub line_ends: LineEnds,
    /// How long clipboard content may be that the agent sends. [`Limits::clipboard_len`] by default.
    pub max_clipboard: Option<MaxClipboard>,
    /// Every bound on what the agent may make this side hold.
    pub limits: Limits,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            caps: AgentCaps::CLIENT,
            line_ends: LineEnds::default(),
            max_clipboard: None,
            limits: Limits::default(),
        }
    }
}

/// What is to be sent on the main channel, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Client message 106, `AgentStart`.
    Start {
        /// How many chunks the agent may send.
        tokens: u32,
    },
    /// Client message 107, `AgentData`.
    Data(Bytes),
    /// Client message 108, `AgentToken`.
    Token {
        /// How many more chunks the agent may send.
        tokens: u32,
    },
}

/// What happens between a client and the agent.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The agent has said what it can do; from now on it can be talked to. Comes again when it says otherwise.
    Ready(AgentCaps),
    /// The agent has gone. What failed or was withdrawn by that has its own events before this one; what this side
    /// had grabbed must be grabbed again once the next agent is ready.
    Gone,
    /// Something about a selection.
    Clipboard(clipboard::Event),
    /// Something about a file that is sent.
    File(SendEvent),
    /// How a message fared.
    Reply(Reply),
    /// A message of the agent was left out, because it is malformed or too long.
    Skipped(AgentError),
    /// The agent's stream makes no sense any more. Nothing of what follows is read until the next agent comes.
    Broken(AgentError),
}

impl From<clipboard::Event> for Event {
    fn from(event: clipboard::Event) -> Self {
        Self::Clipboard(event)
    }
}

impl From<SendEvent> for Event {
    fn from(event: SendEvent) -> Self {
        Self::File(event)
    }
}

/// The client's side of the dialogue with a guest's agent.
///
/// - *Inputs* come from the main channel: [`connected`](Self::connected), [`disconnected`](Self::disconnected),
///   [`set_tokens`](Self::set_tokens), [`add_tokens`](Self::add_tokens),
///   [`handle_data`](Self::handle_data).
/// - *Outputs* go there: [`poll_output`](Self::poll_output). It may give something after any other call.
/// - *Events* are for the application: [`poll_event`](Self::poll_event). While too many of them wait, the agent gets
///   no tokens.
/// - *Commands* are all other methods; they say why something is not to be had at present.
///
/// What is said about monitors, display settings and volumes is kept, and said again to every agent that comes.
///
/// Nothing here waits: an agent that never answers makes no event. Requests for content and first answers to files
/// want a time limit of the caller's.
#[derive(Debug)]
pub struct Client {
    link: Link,
    max_clipboard: MaxClipboard,
    /// Whether an agent is there.
    present: bool,
    /// Whether `AgentStart` is to be sent before anything else.
    starting: bool,
    send_credit: SendCredit,
    receive_credit: ReceiveCredit,
    /// Chunks that have arrived but not been read, because events or output pile up. Bounded by the tokens.
    arrived: VecDeque<Bytes>,
    reassembler: Reassembler,
    broken: bool,
    clipboard: Selections,
    files: Sender,
    events: VecDeque<Event>,
    wishes: Wishes,
}

/// What every agent is told.
#[derive(Debug, Default)]
struct Wishes {
    monitors: Option<MonitorsConfig>,
    display: DisplayConfig,
    playback: Option<AudioVolumeSync>,
    record: Option<AudioVolumeSync>,
}

impl Client {
    /// A client whose server has not said yet whether there is an agent.
    pub fn new(config: ClientConfig) -> Self {
        let max_clipboard = config
            .max_clipboard
            .unwrap_or(MaxClipboard { max: i32::try_from(config.limits.clipboard_len).unwrap_or(i32::MAX) });
        Self {
            max_clipboard,
            present: false,
            starting: false,
            send_credit: SendCredit::default(),
            receive_credit: ReceiveCredit::new(config.limits.receive_tokens),
            arrived: VecDeque::new(),
            reassembler: Reassembler::new(),
            broken: false,
            clipboard: Selections::new(Side::Client, config.line_ends),
            files: Sender::new(),
            events: VecDeque::new(),
            wishes: Wishes::default(),
            link: Link::new(config.caps, config.limits),
        }
    }

    /// An agent is there: `Init` of the main channel says so, or `AgentConnected`, or `AgentConnectedTokens`.
    /// `tokens` is what the message says about them, `None` for `AgentConnected`.
    pub fn connected(&mut self, tokens: Option<u32>) {
        self.disconnected();
        if let Some(tokens) = tokens {
            self.send_credit.replace(tokens);
        }
        self.present = true;
        self.starting = true;
        // The announcement has neither selection nor much length, so that it can be said.
        if let Err(error) = self.link.announce(true) {
            self.events.push_back(Event::Skipped(error));
        }
    }

    /// The agent has gone: `AgentDisconnected` of the main channel. Nothing happens when there was none.
    ///
    /// A message of which a part has been sent stays, because the server waits for the rest whatever happens. It goes
    /// out once the next agent is there.
    pub fn disconnected(&mut self) {
        if !core::mem::take(&mut self.present) {
            return;
        }
        self.starting = false;
        self.link.outbox.retain(|_, _| false);
        self.link.theirs = None;
        self.arrived.clear();
        self.reassembler = Reassembler::new();
        self.broken = false;
        self.clipboard.reset(&mut self.events);
        self.files.reset(&mut self.events);
        self.events.push_back(Event::Gone);
    }

    /// How many chunks the server takes from now on: `Init` of the main channel when no agent is there yet.
    pub fn set_tokens(&mut self, tokens: u32) {
        self.send_credit.replace(tokens);
    }

    /// The server takes more chunks: `AgentToken` of the main channel.
    pub fn add_tokens(&mut self, tokens: u32) {
        self.send_credit.add(tokens);
    }

    /// A chunk has come: `AgentData` of the main channel.
    pub fn handle_data(&mut self, chunk: Bytes) {
        if !self.present || self.broken {
            return;
        }
        let allowed = LimitExceeded::check("chunk_len", chunk.len(), self.link.limits.chunk_len)
            .map_err(AgentError::from)
            .and_then(|()| self.receive_credit.receive());
        match allowed {
            Ok(()) => self.arrived.push_back(chunk),
            Err(error) => self.break_off(error),
        }
        self.read();
    }

    /// What is to be sent next.
    pub fn poll_output(&mut self) -> Option<Output> {
        if !self.present {
            return None;
        }
        if core::mem::take(&mut self.starting) {
            return Some(Output::Start { tokens: self.receive_credit.start(self.arrived.len()) });
        }
        self.read();
        if let Some(tokens) = self.receive_credit.grant() {
            return Some(Output::Token { tokens });
        }
        if self.link.outbox.is_empty() || !self.send_credit.spend() {
            return None;
        }
        let chunk = self.link.outbox.next_chunk()?;
        if let Some((kind, tag)) = chunk.done {
            self.files.on_sent(&self.link, &mut self.events, kind, tag);
        }
        Some(Output::Data(chunk.data))
    }

    /// What has happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        self.read();
        event.or_else(|| self.events.pop_front())
    }

    /// Whether an agent is there.
    pub fn is_connected(&self) -> bool {
        self.present
    }

    /// What the agent can do; `None` before it is [ready](Event::Ready).
    pub fn caps(&self) -> Option<AgentCaps> {
        self.link.theirs
    }

    /// Chunks that may be sent before the server must grant more.
    pub fn tokens(&self) -> u32 {
        self.send_credit.left()
    }

    /// Offers the content of a selection in these types, from now on until the next
    /// [`Grabbed`](clipboard::Event::Grabbed), [`clipboard_release`](Self::clipboard_release) or [`Event::Gone`].
    ///
    /// What the agent offers is over by that, and what it was asked for fails.
    ///
    /// # Errors
    /// [`AgentError::Unavailable`] when the agent cannot do it; [`AgentError::Limit`] with more types than
    /// [`Limits::grab_types`] or too much waiting to be sent.
    pub fn clipboard_grab(&mut self, selection: Selection, types: &[DataType]) -> Result<(), AgentError> {
        self.agent()?;
        self.clipboard.grab(&mut self.link, &mut self.events, selection, types)
    }

    /// Withdraws what this side offers; nothing happens when it offers nothing.
    ///
    /// # Errors
    /// As [`clipboard_grab`](Self::clipboard_grab).
    pub fn clipboard_release(&mut self, selection: Selection) -> Result<(), AgentError> {
        self.agent()?;
        self.clipboard.release(&mut self.link, selection)
    }

    /// Asks for content that the agent offers. [`Content`](clipboard::Event::Content) or
    /// [`Failed`](clipboard::Event::Failed) follows, unless the agent is silent.
    ///
    /// # Errors
    /// [`AgentError::Unavailable`] when the agent does not offer it, or still owes an answer for this selection.
    pub fn clipboard_request(&mut self, selection: Selection, kind: DataType) -> Result<(), AgentError> {
        self.agent()?;
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
    /// [`AgentError::Unavailable`] when nobody waits for it any more; [`AgentError::Limit`] when the content is too
    /// long, which the agent is told too.
    pub fn clipboard_answer(
        &mut self,
        selection: Selection,
        kind: DataType,
        data: Bytes,
    ) -> Result<(), AgentError> {
        self.agent()?;
        self.clipboard.answer(&mut self.link, selection, kind, data)
    }

    /// The types in which the agent offers a selection; `None` when it does not own it.
    pub fn clipboard_offered(&self, selection: Selection) -> Option<&[DataType]> {
        self.clipboard.offered(selection)
    }

    /// Whether this side owns a selection.
    pub fn clipboard_owns(&self, selection: Selection) -> bool {
        self.clipboard.owns(selection)
    }

    /// Begins to send a file of `size` bytes; gives the number of the transfer.
    /// [`Wanted`](SendEvent::Wanted) asks for its pieces one by one, and [`Ended`](SendEvent::Ended) comes once.
    ///
    /// # Errors
    /// [`AgentError::Unavailable`] when the guest takes no files; [`AgentError::Limit`] with too many at once or too long
    /// a name; [`AgentError::Misuse`] when [`check_name`](crate::file_xfer::check_name) objects to the name.
    pub fn file_send(&mut self, name: &str, size: u64) -> Result<u32, AgentError> {
        self.agent()?;
        self.files.start(&mut self.link, name, size)
    }

    /// Gives the piece of a file that was [wanted](SendEvent::Wanted): at least one byte, at most so many.
    ///
    /// # Errors
    /// [`AgentError::Unavailable`] when the transfer is over; [`AgentError::Misuse`] when the piece is not wanted.
    pub fn file_data(&mut self, id: u32, data: Bytes) -> Result<(), AgentError> {
        self.files.data(&mut self.link, id, data)
    }

    /// Calls a transfer off. Pieces that have not begun to be sent are dropped.
    ///
    /// # Errors
    /// [`AgentError::Unavailable`] when it is over already.
    pub fn file_cancel(&mut self, id: u32) -> Result<(), AgentError> {
        self.files.stop(&mut self.link, &mut self.events, id, Outcome::CancelledHere)
    }

    /// Gives a transfer up because the file cannot be read, or is shorter than announced.
    ///
    /// # Errors
    /// [`AgentError::Unavailable`] when it is over already.
    pub fn file_fail(&mut self, id: u32) -> Result<(), AgentError> {
        self.files.stop(&mut self.link, &mut self.events, id, Outcome::FailedHere)
    }

    /// Says which monitors the guest should have, to this agent and to those that come later. Replaces what was said
    /// before, also when it has not been sent yet. Disabled monitors are left out for agents that do not know them.
    ///
    /// # Errors
    /// [`AgentError::Unavailable`] when the agent cannot do it; a later one will be told all the same.
    pub fn set_monitors(&mut self, monitors: MonitorsConfig) -> Result<(), AgentError> {
        self.wishes.monitors = Some(monitors);
        self.if_ready(|client| {
            client.link.require(AgentCaps::MONITORS_CONFIG, AgentCaps::empty())?;
            client.send_monitors()
        })
    }

    /// Says what the guest should do without, to this agent and to those that come later.
    ///
    /// # Errors
    /// [`AgentError::Unavailable`] when the agent cannot do it; a later one will be told all the same.
    pub fn set_display(&mut self, display: DisplayConfig) -> Result<(), AgentError> {
        self.wishes.display = display;
        self.if_ready(|client| {
            client.link.require(AgentCaps::DISPLAY_CONFIG, AgentCaps::empty())?;
            client.replace(&Message::DisplayConfig(display))
        })
    }

    /// Says how loud the client is, for playback or recording, to this agent and to those that come later.
    ///
    /// # Errors
    /// [`AgentError::Unavailable`] when the agent cannot do it; a later one will be told all the same.
    pub fn set_volume(&mut self, volume: AudioVolumeSync) -> Result<(), AgentError> {
        let wish = match volume.is_playback {
            0 => &mut self.wishes.record,
            _ => &mut self.wishes.playback,
        };
        *wish = Some(volume.clone());
        self.if_ready(|client| {
            client.link.require(AgentCaps::empty(), AgentCaps::AUDIO_VOLUME_SYNC)?;
            client.link.room()?;
            client.link.send(&Message::AudioVolumeSync(volume))
        })
    }

    fn agent(&self) -> Result<(), AgentError> {
        if self.present { Ok(()) } else { Err(Unavailable::NoAgent.into()) }
    }

    /// Tells the agent at once, if there is one that can be talked to.
    fn if_ready(&mut self, tell: impl FnOnce(&mut Self) -> Result<(), AgentError>) -> Result<(), AgentError> {
        if self.link.theirs.is_some() { tell(self) } else { Ok(()) }
    }

    /// Sends a message in place of those of its type that wait to be sent.
    fn replace(&mut self, message: &Message) -> Result<(), AgentError> {
        let replaced = message.kind();
        self.link.outbox.retain(|kind, _| kind != replaced);
        self.link.send(message)
    }

    fn send_monitors(&mut self) -> Result<(), AgentError> {
        match &self.wishes.monitors {
            Some(monitors) => {
                let message = Message::MonitorsConfig(monitors.for_agent(self.link.theirs()));
                self.replace(&message)
            }
            None => Ok(()),
        }
    }

    /// Reads what has arrived, as long as there is room for what comes of it.
    fn read(&mut self) {
        while let Some(chunk) = self.arrived.front_mut() {
            if self.events.len() >= self.link.limits.queued_events || !self.link.can_answer() {
                return;
            }
            match self.reassembler.next(chunk, &self.link.limits) {
                Ok(Some(incoming)) => {
                    if let Err(error) = self.handle(incoming) {
                        self.events.push_back(Event::Skipped(error));
                    }
                }
                Ok(None) => {
                    self.arrived.pop_front();
                    self.receive_credit.done();
                }
                Err(error) => self.break_off(error),
            }
        }
    }

    fn break_off(&mut self, error: AgentError) {
        self.broken = true;
        self.arrived.clear();
        self.events.push_back(Event::Broken(error));
    }

    fn handle(&mut self, incoming: Incoming) -> Result<(), AgentError> {
        let (kind, body) = match incoming {
            Incoming::Message { kind, body } => (kind, body),
            Incoming::TooLong { kind, limit, head } => {
                if kind == MessageType::CLIPBOARD {
                    self.clipboard.on_too_long(&self.link, &mut self.events, limit, &head);
                }
                return Err(limit.into());
            }
        };
        let message = Message::decode(kind, &body, self.link.layout())?;
        let (link, events) = (&mut self.link, &mut self.events);
        if let Message::AnnounceCapabilities(announce) = message {
            return self.on_announce(&announce);
        }
        if link.theirs.is_none() {
            // Nothing can be understood before what was agreed is known.
            return Ok(());
        }
        match message {
            Message::Reply(reply) => events.push_back(Event::Reply(reply)),
            Message::FileXferStatus(status) => return self.files.on_status(link, events, &status),
            _ if !link.both().contains(AgentCaps::CLIPBOARD_BY_DEMAND) => {}
            Message::ClipboardGrab(grab) => return self.clipboard.on_grab(link, events, &grab),
            Message::ClipboardRelease(release) => self.clipboard.on_release(link, events, release.selection),
            Message::ClipboardRequest(request) => return self.clipboard.on_request(link, events, request),
            Message::Clipboard(content) => self.clipboard.on_content(link, events, content),
            // What only clients or servers send, and what nobody knows.
            _ => {}
        }
        Ok(())
    }

    fn on_announce(&mut self, announce: &AnnounceCapabilities) -> Result<(), AgentError> {
        let known = self.link.theirs.replace(announce.caps());
        if announce.request != 0 {
            // Asking back would make the agent take this for the coming of another client.
            self.link.announce(false)?;
        }
        if known != self.link.theirs {
            self.events.push_back(Event::Ready(announce.caps()));
        }
        if known.is_some() {
            return Ok(());
        }
        let both = self.link.both();
        if both.contains(AgentCaps::MONITORS_CONFIG) {
            self.send_monitors()?;
        }
        if both.contains(AgentCaps::DISPLAY_CONFIG) {
            self.link.send(&Message::DisplayConfig(self.wishes.display))?;
        }
        if announce.caps().contains(AgentCaps::AUDIO_VOLUME_SYNC) {
            for volume in [&self.wishes.playback, &self.wishes.record].into_iter().flatten() {
                self.link.send(&Message::AudioVolumeSync(volume.clone()))?;
            }
        }
        if announce.caps().contains(AgentCaps::MAX_CLIPBOARD) {
            // The agent may still have another client's bound.
            self.link.send(&Message::MaxClipboard(self.max_clipboard))?;
        }
        Ok(())
    }
}
