//! What every channel does alike: link, framing, acknowledgement, pings, barriers, the sticky error.

use alloc::boxed::Box;
use core::fmt;
use core::mem;

use bytes::{Bytes, BytesMut};

use crate::caps::Caps;
use crate::channel::ChannelEvent;
use crate::channel::ack::AckWindow;
use crate::channel::fatal::Fatal;
use crate::error::{LimitExceeded, ProtocolError};
use crate::frame::{Frame, FrameWriter, Splitter, SubMessages};
use crate::limits::Limits;
use crate::link::sasl::Layer;
use crate::link::{LinkClient, LinkError, LinkOutcome};
use crate::msg::Message;
use crate::msg::base::{AckSync, ClientMessage, Migrate, Notify, Pong, ServerMessage, WaitForChannel};
use crate::time::Instant;
use crate::types::ChannelId;
use crate::wire::Array;

/// The part of a channel that does not depend on its kind.
pub(super) struct BaseChannel {
    id: ChannelId,
    limits: Limits,
    phase: Phase,
    out: BytesMut,
    /// Bytes that the driver has taken and not yet written.
    backlog: usize,
    ack: AckWindow,
    /// The frame in work, with the sub-messages that are still to come before it.
    current: Option<(Frame, Option<SubMessages>)>,
    barrier: Option<Barrier>,
    /// Serial of the last message received.
    serial: u64,
    /// Length of the message or sub-message in work.
    message_len: usize,
    wrapping: Option<Wrapping>,
    fatal: Fatal,
}

#[derive(Debug)]
enum Phase {
    Linking(Box<LinkClient>),
    Open(Box<Open>),
    Closed,
    Failed(ProtocolError),
}

#[derive(Debug)]
struct Open {
    server_caps: Caps,
    splitter: Splitter,
    writer: FrameWriter,
}

/// A SASL security layer around every byte of the data stage.
struct Wrapping {
    layer: Box<dyn Layer>,
    /// What has been unwrapped and not yet been split.
    plain: BytesMut,
}

impl fmt::Debug for Wrapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wrapping").field("plain", &self.plain.len()).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Barrier {
    list: Array<WaitForChannel>,
    deadline: Instant,
}

/// What one step over the input gave.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing more to do with what has been received.
    Idle,
    /// Something was done that concerns nobody else.
    Done,
    /// The caller wants to know.
    Event(BaseEvent),
    /// A message of the channel's own kind.
    Own(u16, Bytes),
}

/// Events that do not depend on the channel's kind.
#[derive(Debug)]
pub(super) enum BaseEvent {
    Notify(Notify),
    Migrate(Migrate),
    MigrateData(Bytes),
}

impl<E> From<BaseEvent> for ChannelEvent<E> {
    fn from(event: BaseEvent) -> Self {
        match event {
            BaseEvent::Notify(notify) => Self::Notify(notify),
            BaseEvent::Migrate(migrate) => Self::Migrate(migrate),
            BaseEvent::MigrateData(data) => Self::MigrateData(data),
        }
    }
}

impl fmt::Debug for BaseChannel {
    /// Without contents: keys and clipboards pass through here.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BaseChannel")
            .field("id", &self.id)
            .field("phase", &self.phase)
            .field("out", &self.out.len())
            .field("backlog", &self.backlog)
            .field("ack", &self.ack)
            .field("serial", &self.serial)
            .field("barrier", &self.barrier)
            .finish_non_exhaustive()
    }
}

impl BaseChannel {
    pub(super) fn new(id: ChannelId, link: LinkClient, limits: &Limits) -> Self {
        Self {
            id,
            limits: limits.clone(),
            phase: Phase::Linking(Box::new(link)),
            out: BytesMut::new(),
            backlog: 0,
            ack: AckWindow::default(),
            current: None,
            barrier: None,
            serial: 0,
            message_len: 0,
            wrapping: None,
            fatal: Fatal::default(),
        }
    }

    /// Goes on with the link stage; true when it has just succeeded.
    pub(super) fn link(&mut self, now: Instant, input: &mut BytesMut) -> Result<bool, ProtocolError> {
        let Phase::Linking(link) = &mut self.phase else { return Ok(false) };
        link.handle_input(now, input)?;
        let Some(outcome) = link.poll_outcome() else { return Ok(false) };
        // What the link still has to say goes out before the first message.
        while let Some(bytes) = link.poll_transmit() {
            self.out.extend_from_slice(&bytes);
        }
        let LinkOutcome { header, channel_caps, layer, plain, .. } = outcome;
        self.phase = Phase::Open(Box::new(Open {
            server_caps: channel_caps,
            splitter: Splitter::new(header, "message_len", self.limits.message_len),
            writer: FrameWriter::new(header),
        }));
        self.wrapping = layer.map(|layer| Wrapping { layer, plain });
        Ok(true)
    }

    /// Takes the next sub-message or message out of the input.
    pub(super) fn step(&mut self, now: Instant, input: &mut BytesMut) -> Result<Step, ProtocolError> {
        let (kind, body) = match self.next_message(input)? {
            Some(message) => message,
            None => return Ok(Step::Idle),
        };
        if kind >= FIRST_OWN {
            return Ok(Step::Own(kind, body));
        }
        Ok(match ServerMessage::decode(kind, &body, self.limits.pointers)? {
            ServerMessage::SetAck(set) => {
                self.ack.set(set);
                self.send(&ClientMessage::AckSync(AckSync { generation: set.generation }));
                Step::Done
            }
            ServerMessage::Ping(ping) => {
                self.send(&ClientMessage::Pong(Pong { id: ping.id, timestamp: ping.timestamp }));
                Step::Done
            }
            ServerMessage::WaitForChannels(wait) => {
                self.wait_for(now, &wait.wait_list);
                Step::Done
            }
            ServerMessage::Notify(notify) => Step::Event(BaseEvent::Notify(notify)),
            ServerMessage::Migrate(migrate) => Step::Event(BaseEvent::Migrate(migrate)),
            ServerMessage::MigrateData(data) => Step::Event(BaseEvent::MigrateData(data.0)),
            // A list carries nothing but its sub-messages, which came before it; the rest needs no answer.
            ServerMessage::List(_) | ServerMessage::Disconnecting(_) | ServerMessage::Unknown { .. } => {
                Step::Done
            }
        })
    }

    fn next_message(&mut self, input: &mut BytesMut) -> Result<Option<(u16, Bytes)>, ProtocolError> {
        if self.current.is_none() {
            let Phase::Open(open) = &mut self.phase else { return Ok(None) };
            let source = match &mut self.wrapping {
                None => input,
                Some(Wrapping { layer, plain }) => {
                    layer.unwrap(input, plain).map_err(LinkError::from)?;
                    plain
                }
            };
            let Some(frame) = open.splitter.split(source)? else { return Ok(None) };
            self.current = Some(self.begin(frame)?);
        }
        let Some((frame, subs)) = &mut self.current else { return Ok(None) };
        if let Some(list) = subs
            && let Some(sub) = list.next_sub()?
        {
            self.message_len = sub.body.len();
            return Ok(Some((sub.kind, sub.body)));
        }
        let message = (frame.kind, mem::take(&mut frame.body));
        self.message_len = message.1.len();
        self.current = None;
        Ok(Some(message))
    }

    fn begin(&mut self, frame: Frame) -> Result<(Frame, Option<SubMessages>), ProtocolError> {
        self.serial = frame.serial.unwrap_or(self.serial.wrapping_add(1));
        if self.ack.count() {
            self.send(&ClientMessage::Ack);
        }
        let at = match (frame.kind, frame.sub_list) {
            (LIST, _) => Some(0),
            (_, 0) => None,
            (_, at) => Some(at),
        };
        let subs = match at {
            Some(at) => Some(SubMessages::new(frame.body.clone(), at, self.limits.sub_messages)?),
            None => None,
        };
        Ok((frame, subs))
    }

    /// Raises a barrier; false when the list is empty and there is nothing to wait for.
    pub(super) fn wait_for(&mut self, now: Instant, list: &Array<WaitForChannel>) -> bool {
        if list.is_empty() {
            return false;
        }
        self.barrier = Some(Barrier { list: list.clone(), deadline: now + self.limits.wait_for_channels });
        true
    }

    /// Queues a message, unless it is one that kills servers.
    pub(super) fn send<M: Message>(&mut self, message: &M) {
        if let Phase::Open(open) = &mut self.phase
            && self.fatal.allows(self.id.kind, message.kind())
        {
            open.writer.write(message, &mut self.out);
        }
    }

    /// Why a message was not sent since this was asked last.
    pub(super) fn take_refusal(&mut self) -> Result<(), ProtocolError> {
        self.fatal.refused.take().map_or(Ok(()), |why| Err(ProtocolError::Misuse(why)))
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Bytes> {
        if let Phase::Linking(link) = &mut self.phase {
            return link.poll_transmit();
        }
        if self.out.is_empty() {
            return None;
        }
        // Also when the channel has ended: what is still to be said was meant to be protected.
        if let Some(Wrapping { layer, .. }) = &mut self.wrapping {
            let mut wrapped = BytesMut::new();
            if let Err(error) = layer.wrap(&self.out, &mut wrapped) {
                self.out.clear();
                self.fail(LinkError::from(error).into());
                return None;
            }
            self.out = wrapped;
        }
        Some(self.out.split().freeze())
    }

    pub(super) fn timeout(&mut self, now: Instant) -> Result<(), ProtocolError> {
        if let Phase::Linking(link) = &mut self.phase {
            link.handle_timeout(now)?;
        }
        match &self.barrier {
            Some(barrier) if barrier.deadline <= now => {
                let bound = u64::try_from(self.limits.wait_for_channels.as_millis()).unwrap_or(u64::MAX);
                let over = now.saturating_since(barrier.deadline).as_millis();
                let value = bound.saturating_add(u64::try_from(over).unwrap_or(u64::MAX));
                Err(LimitExceeded { limit: "wait_for_channels", value, bound }.into())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn close(&mut self) -> Result<(), LinkError> {
        match mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Linking(mut link) => {
                let result = link.handle_close();
                if let Err(error) = result {
                    self.phase = Phase::Failed(error.into());
                }
                result
            }
            Phase::Failed(error) => {
                self.phase = Phase::Failed(error);
                Ok(())
            }
            Phase::Open(_) | Phase::Closed => Ok(()),
        }
    }

    pub(super) fn fail(&mut self, error: ProtocolError) {
        self.phase = Phase::Failed(error);
        self.current = None;
        self.barrier = None;
    }

    pub(super) fn check(&self) -> Result<(), ProtocolError> {
        match &self.phase {
            Phase::Failed(error) => Err(*error),
            _ => Ok(()),
        }
    }

    pub(super) fn release(&mut self) {
        self.barrier = None;
    }

    /// Starts the barrier's deadline anew.
    pub(super) fn postpone(&mut self, now: Instant) {
        if let Some(barrier) = &mut self.barrier {
            barrier.deadline = now + self.limits.wait_for_channels;
        }
    }

    pub(super) fn barrier(&self) -> Option<&Array<WaitForChannel>> {
        self.barrier.as_ref().map(|barrier| &barrier.list)
    }

    /// Whether there is more to take out of what has left the input already.
    pub(super) fn is_behind(&self) -> bool {
        self.current.is_some() || self.wrapping.as_ref().is_some_and(|wrapping| !wrapping.plain.is_empty())
    }

    pub(super) fn is_held(&self) -> bool {
        self.barrier.is_some()
    }

    /// Serial of the last message that is done when no event waits. A message that waits for others is not done.
    pub(super) fn idle_serial(&self) -> u64 {
        let is_under_way = self.current.is_some() || self.barrier.is_some();
        if is_under_way { self.serial.saturating_sub(1) } else { self.serial }
    }

    pub(super) fn serial(&self) -> u64 {
        self.serial
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_))
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Linking(link) => link.poll_timeout(),
            _ => self.barrier.as_ref().map(|barrier| barrier.deadline),
        }
    }

    pub(super) fn server_caps(&self) -> &Caps {
        static NONE: Caps = Caps::new();
        match &self.phase {
            Phase::Open(open) => &open.server_caps,
            _ => &NONE,
        }
    }

    pub(super) fn id(&self) -> ChannelId {
        self.id
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn set_backlog(&mut self, bytes: usize) {
        self.backlog = bytes;
    }

    pub(super) fn is_congested(&self) -> bool {
        self.out.len().saturating_add(self.backlog) > self.limits.queued_output
    }

    pub(super) fn is_linking(&self) -> bool {
        matches!(self.phase, Phase::Linking(_))
    }

    /// Length in bytes of the message that is in work.
    pub(super) fn message_len(&self) -> usize {
        self.message_len
    }
}

/// Number of the message that carries nothing but sub-messages.
const LIST: u16 = 8;

/// The first number that belongs to a channel's own tables; below it every channel has the base messages.
const FIRST_OWN: u16 = 101;
