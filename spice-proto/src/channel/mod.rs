//! One channel as a machine over one byte stream, client side; and its server-side mirror, [`Peer`].
//!
//! A [`Channel`] answers the link stage, acknowledgements, pings and barriers by itself and hands everything else
//! to its [`Logic`], which knows one kind of channel. The caller owns the receive buffer and the socket:
//!
//! 1. read bytes into a [`BytesMut`], call [`Channel::handle_input`];
//! 2. write what [`Channel::poll_transmit`] gives, until it gives nothing;
//! 3. take events from [`Channel::poll_event`];
//! 4. call [`Channel::handle_timeout`] when [`Channel::poll_timeout`] says so.
//!
//! Calls only append to queues, so they may be drained late or often. After an error a channel returns that error
//! for ever; events that were received before it can still be taken.

mod ack;
mod base;
mod context;
pub mod cursor;
pub mod display;
mod fatal;
pub mod inputs;
pub mod main;
pub mod peer;
mod queue;
pub mod relay;

use bytes::{Bytes, BytesMut};

use crate::caps::Caps;
use crate::error::ProtocolError;
use crate::limits::Limits;
use crate::link::{LinkClient, LinkError, LinkRequest};
use crate::msg::Message;
use crate::msg::base::{Migrate, Notify, WaitForChannel};
use crate::time::Instant;
use crate::types::ChannelId;
use crate::wire::Array;

use base::{BaseChannel, Step};
pub use context::Context;
pub use peer::Peer;
use queue::EventQueue;

/// What is a channel kind's own: its messages, its state and its events.
pub trait Logic {
    /// What the server sends.
    type In: Message;
    /// What the caller gets.
    type Event;

    /// The link has succeeded; the channel's first messages can be sent.
    fn on_open(&mut self, _cx: &mut Context<'_, Self::Event>) {}

    /// A message arrived.
    ///
    /// # Errors
    /// [`ProtocolError`] ends the channel.
    fn on_message(&mut self, msg: Self::In, cx: &mut Context<'_, Self::Event>) -> Result<(), ProtocolError>;

    /// Channels whose progress `msg` has to wait for before it may be processed.
    fn waits_for(_msg: &Self::In) -> Option<&Array<WaitForChannel>> {
        None
    }

    /// The time of [`deadline`](Self::deadline) has come.
    fn on_timeout(&mut self, _cx: &mut Context<'_, Self::Event>) {}

    /// When [`on_timeout`](Self::on_timeout) wants to be called.
    fn deadline(&self) -> Option<Instant> {
        None
    }
}

/// What a channel tells its caller.
#[derive(Clone, Debug, PartialEq)]
pub enum ChannelEvent<E> {
    /// The link has succeeded; messages flow.
    Opened,
    /// The server has a text for the user.
    Notify(Notify),
    /// The channel moves to another host now.
    Migrate(Migrate),
    /// State of this channel to carry to the other host.
    MigrateData(Bytes),
    /// An event of the channel's own kind.
    Own(E),
}

/// One channel of a client: link stage, base duties, and the logic of its kind.
#[derive(Debug)]
pub struct Channel<L: Logic> {
    base: BaseChannel,
    logic: L,
    events: EventQueue<L::Event>,
    /// A message of the channel's own that waits for other channels.
    held: Option<L::In>,
}

impl<L: Logic> Channel<L> {
    /// Starts the link stage of the channel that `request` names, over a transport that has just been connected.
    pub fn connect(request: LinkRequest, logic: L, limits: &Limits, now: Instant) -> Self {
        let id = request.channel;
        let link = LinkClient::new(request, limits, now);
        Self { base: BaseChannel::new(id, link, limits), logic, events: EventQueue::new(), held: None }
    }

    /// Takes in what has been received. Whole frames are cut off the front of `input`; the rest stays there.
    ///
    /// Stops early, leaving bytes in `input`, while [`wants_input`](Self::wants_input) is false.
    ///
    /// # Errors
    /// The first [`ProtocolError`] of the channel, now and on every later call.
    pub fn handle_input(&mut self, now: Instant, input: &mut BytesMut) -> Result<(), ProtocolError> {
        self.base.check()?;
        let result = self.advance(now, input);
        result.inspect_err(|error| self.base.fail(*error))
    }

    fn advance(&mut self, now: Instant, input: &mut BytesMut) -> Result<(), ProtocolError> {
        if self.base.link(now, input)? {
            let mut cx = Context::new(now, &mut self.base, &mut self.events);
            cx.event(ChannelEvent::Opened);
            self.logic.on_open(&mut cx);
        }
        while self.has_room() {
            if let Some(msg) = self.held.take() {
                self.own(now, msg)?;
                continue;
            }
            match self.base.step(now, input)? {
                Step::Idle => break,
                Step::Done => {}
                Step::Event(event) => {
                    self.events.push(self.base.serial(), self.base.message_len(), event.into());
                }
                Step::Own(kind, body) => {
                    let msg = L::In::decode(kind, &body, self.base.limits().pointers)?;
                    match L::waits_for(&msg) {
                        Some(list) if self.base.wait_for(now, list) => self.held = Some(msg),
                        _ => self.own(now, msg)?,
                    }
                }
            }
        }
        Ok(())
    }

    fn own(&mut self, now: Instant, msg: L::In) -> Result<(), ProtocolError> {
        self.logic.on_message(msg, &mut Context::new(now, &mut self.base, &mut self.events))
    }

    /// The transport has been closed by the peer or has failed.
    ///
    /// # Errors
    /// [`LinkError`] naming the stage when the link was not finished; otherwise the channel just ends.
    pub fn handle_close(&mut self) -> Result<(), LinkError> {
        self.base.close()
    }

    /// Lets time pass. Call it at [`poll_timeout`](Self::poll_timeout) or at any time.
    ///
    /// # Errors
    /// As [`handle_input`](Self::handle_input): a deadline that passed ends the channel.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), ProtocolError> {
        self.base.check()?;
        self.base.timeout(now).inspect_err(|error| self.base.fail(*error))?;
        if self.base.is_open() && self.logic.deadline().is_some_and(|deadline| deadline <= now) {
            self.logic.on_timeout(&mut Context::new(now, &mut self.base, &mut self.events));
        }
        Ok(())
    }

    /// Everything that is to be written to the transport, in order; `None` when there is nothing.
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        self.base.poll_transmit()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<ChannelEvent<L::Event>> {
        self.poll_sized().map(|(event, _)| event)
    }

    /// The next event, and the length in bytes of the message that it keeps in memory.
    pub(crate) fn poll_sized(&mut self) -> Option<(ChannelEvent<L::Event>, usize)> {
        self.events.pop()
    }

    /// The server's messages up to this serial have been processed: all their events have been taken.
    ///
    /// Other channels' barriers compare with it. A caller that works on events in the order it takes them has
    /// finished with the one before when it comes back for more.
    pub fn processed(&self) -> u64 {
        match self.events.serial() {
            Some(serial) => serial.saturating_sub(1),
            None if self.held.is_some() => self.base.serial().saturating_sub(1),
            None => self.base.idle_serial(),
        }
    }

    /// Whether the server has sent any message.
    pub(crate) fn has_received(&self) -> bool {
        self.base.serial() > 0
    }

    /// Whether a message waits that has left the input already.
    pub(crate) fn is_behind(&self) -> bool {
        self.held.is_some() || self.base.is_behind()
    }

    /// The barrier that the channel is waiting at, if it is.
    pub fn barrier(&self) -> Option<&Array<WaitForChannel>> {
        self.base.barrier()
    }

    /// Lets the channel go on behind its barrier. Call [`handle_input`](Self::handle_input) afterwards.
    pub fn release(&mut self) {
        self.base.release();
    }

    /// Runs a command of the logic with the means to send.
    ///
    /// # Errors
    /// The channel's error when it has failed. [`ProtocolError::Misuse`] before it is open, for a message that
    /// [`Context::send`] refuses, and while the server does not take what it is sent: then nothing is run.
    pub fn command<R>(
        &mut self,
        now: Instant,
        run: impl FnOnce(&mut L, &mut Context<'_, L::Event>) -> R,
    ) -> Result<R, ProtocolError> {
        self.base.check()?;
        if !self.base.is_open() {
            return Err(ProtocolError::Misuse("the channel is not open"));
        }
        if self.base.is_congested() {
            return Err(ProtocolError::Misuse("too much waits to be sent, the server takes nothing"));
        }
        let result = run(&mut self.logic, &mut Context::new(now, &mut self.base, &mut self.events));
        self.base.take_refusal().map(|()| result)
    }

    /// Whether more input should be read: false while a barrier or a full queue of events holds the channel, and
    /// while the server does not take the answers to what it has sent.
    pub fn wants_input(&self) -> bool {
        self.has_room() && !self.base.is_congested()
    }

    /// Whether what has been read can be worked on.
    fn has_room(&self) -> bool {
        !self.base.is_held() && self.events.has_room(self.base.limits())
    }

    /// Says how many bytes of [`poll_transmit`](Self::poll_transmit) the caller could not write yet. They count for
    /// [`Limits::queued_output`].
    pub fn set_backlog(&mut self, bytes: usize) {
        self.base.set_backlog(bytes);
    }

    /// Starts the deadline of the barrier anew, because it is not the server who keeps the channel waiting.
    pub(crate) fn postpone(&mut self, now: Instant) {
        self.base.postpone(now);
    }

    /// Whether the link stage is under way.
    pub(crate) fn is_linking(&self) -> bool {
        self.base.is_linking()
    }

    /// Whether events wait to be taken.
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let logic = if self.base.is_open() { self.logic.deadline() } else { None };
        self.base.deadline().into_iter().chain(logic).min()
    }

    /// Which channel this is.
    pub fn id(&self) -> ChannelId {
        self.base.id()
    }

    /// Whether the link has succeeded and the channel has not ended.
    pub fn is_open(&self) -> bool {
        self.base.is_open()
    }

    /// What the server announced for this channel. Empty before the link has succeeded.
    pub fn server_caps(&self) -> &Caps {
        self.base.server_caps()
    }

    /// The logic's state.
    pub fn logic(&self) -> &L {
        &self.logic
    }
}
