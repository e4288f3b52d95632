//! Channels without state of their own: every message is an event, every command a message.

use core::marker::PhantomData;

use crate::channel::{Channel, Context, Logic};
use crate::error::ProtocolError;
use crate::msg::{Message, Protocol};
use crate::time::Instant;

/// The logic of a channel that hands on what the server sends and sends what the caller gives.
///
/// Cursor, playback, record, smartcard, usbredir, port and webdav are of this kind: their state is the caller's.
#[derive(Debug)]
pub struct Relay<P>(PhantomData<fn() -> P>);

impl<P> Default for Relay<P> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<P: Protocol> Logic for Relay<P> {
    type In = P::Server;
    type Event = P::Server;

    fn on_message(&mut self, msg: P::Server, cx: &mut Context<'_, P::Server>) -> Result<(), ProtocolError> {
        cx.emit(msg);
        Ok(())
    }
}

impl<P: Protocol> Channel<Relay<P>>
where
    P::Client: Message,
{
    /// Sends a message of the channel's own kind.
    ///
    /// # Errors
    /// As [`Channel::command`].
    pub fn send(&mut self, now: Instant, message: &P::Client) -> Result<(), ProtocolError> {
        self.command(now, |_, cx| cx.send(message))
    }
}
