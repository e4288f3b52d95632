//! What a channel's logic may do while it handles a message or a command.

use crate::caps::Caps;
use crate::channel::ChannelEvent;
use crate::channel::base::BaseChannel;
use crate::channel::queue::EventQueue;
use crate::error::ProtocolError;
use crate::limits::Limits;
use crate::msg::Message;
use crate::time::Instant;

/// The means of a [`Logic`](super::Logic): send messages, emit events, look at the time and the peer.
#[derive(Debug)]
pub struct Context<'a, E> {
    now: Instant,
    base: &'a mut BaseChannel,
    events: &'a mut EventQueue<E>,
}

impl<'a, E> Context<'a, E> {
    pub(super) fn new(now: Instant, base: &'a mut BaseChannel, events: &'a mut EventQueue<E>) -> Self {
        Self { now, base, events }
    }

    /// Queues a message to the server.
    ///
    /// Not sent, and reported by [`Channel::command`](super::Channel::command), are messages that end the process of
    /// server 0.15.1 and with it the machine: a second INIT of a display channel, and outside of a migration
    /// FLUSH_MARK and DST_DO_SEAMLESS.
    pub fn send<M: Message>(&mut self, message: &M) {
        self.base.send(message);
    }

    /// Queues an event for the caller.
    pub fn emit(&mut self, event: E) {
        self.event(ChannelEvent::Own(event));
    }

    pub(super) fn event(&mut self, event: ChannelEvent<E>) {
        self.events.push(self.base.serial(), self.base.message_len(), event);
    }

    /// The error for a well-formed message that breaks `rule`.
    pub fn broken(&self, rule: &'static str) -> ProtocolError {
        ProtocolError::Broken { channel: self.base.id(), rule }
    }

    /// The time that the caller passed.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The bounds of the session.
    pub fn limits(&self) -> &Limits {
        self.base.limits()
    }

    /// The capabilities of this channel that the server advertised.
    pub fn server_caps(&self) -> &Caps {
        self.base.server_caps()
    }

    /// Whether more output waits than [`Limits::queued_output`](crate::Limits::queued_output): the server does not
    /// take what it is sent.
    pub fn is_congested(&self) -> bool {
        self.base.is_congested()
    }
}
