//! A canvas and the messages that wait for it.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use spice_proto::msg::Message;
use spice_proto::msg::display::ServerMessage;

use crate::canvas::{Applied, Blocked, Canvas, CanvasError, DisplayError, SharedCaches, WaitLimits};

/// One display channel of [`Displays`](crate::canvas::Displays), which counts the bytes of what waits on all of them:
/// `bytes` of the methods here.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) canvas: Canvas,
    /// What waits, encoded so that it keeps nothing else in memory.
    held: VecDeque<(u16, Bytes)>,
    /// What the first of them waits for.
    blocked: Option<Blocked>,
    /// The number of [arrivals](SharedCaches::arrivals) before it was tried last.
    tried: u64,
    /// How often anything that waited was tried again.
    #[cfg(test)]
    attempts: u64,
}

impl Lane {
    pub(super) fn new(canvas: Canvas) -> Self {
        Self {
            canvas,
            held: VecDeque::new(),
            blocked: None,
            tried: 0,
            #[cfg(test)]
            attempts: 0,
        }
    }

    /// Whether nothing waits.
    pub(super) fn is_free(&self) -> bool {
        self.held.is_empty()
    }

    /// Messages that wait.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// What the first of them waits for.
    pub(super) fn blocked(&self) -> Option<Blocked> {
        self.blocked
    }

    #[cfg(test)]
    pub(super) fn attempts(&self) -> u64 {
        self.attempts
    }

    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        self.held.iter().map(|(_, body)| body.len()).sum()
    }

    /// The message that comes next was tried when there had been so many `arrivals`, and has to wait.
    pub(super) fn block(&mut self, what: Blocked, arrivals: u64) {
        (self.blocked, self.tried) = (Some(what), arrivals);
    }

    /// Whether something waits, and what it waits for has come since it was tried: to try it may cost as much as the
    /// message is long, and many pictures may come that are not this one.
    pub(super) fn may_go_on(&self, caches: &SharedCaches) -> bool {
        self.tried != caches.arrivals() && self.blocked.is_some_and(|what| caches.has(what))
    }

    /// Keeps a message if the limits admit it. How long it is shows only when it is encoded; everything else is checked
    /// before that.
    pub(super) fn hold(
        &mut self,
        display: u8,
        message: &ServerMessage,
        limits: &WaitLimits,
        bytes: &mut usize,
    ) -> Result<(), DisplayError> {
        let (held, messages) = (*bytes, self.held.len() + 1);
        let refused = |bytes| Err(DisplayError::Waiting { display, messages, bytes });
        if messages > limits.messages || held > limits.bytes {
            return refused(held);
        }
        let body = encode(message);
        if held > 0 && held + body.len() > limits.bytes {
            return refused(held + body.len());
        }
        self.keep(message.kind(), body, bytes);
        Ok(())
    }

    /// Keeps a message, whatever the limits say.
    pub(super) fn push(&mut self, message: &ServerMessage, bytes: &mut usize) {
        self.keep(message.kind(), encode(message), bytes);
    }

    fn keep(&mut self, kind: u16, body: Bytes, bytes: &mut usize) {
        *bytes += body.len();
        self.held.push_back((kind, body));
    }

    /// Carries out what waited, as far as nothing is missing. A canvas that cannot go on needs none of the rest.
    pub(super) fn advance(&mut self, caches: &SharedCaches, bytes: &mut usize) -> Result<(), CanvasError> {
        let advanced = self.carry_out(caches, bytes);
        if advanced.is_err() {
            self.forget(bytes);
        }
        advanced
    }

    fn carry_out(&mut self, caches: &SharedCaches, bytes: &mut usize) -> Result<(), CanvasError> {
        self.blocked = None;
        while let Some((kind, body)) = self.held.front() {
            // What was decoded once has few pointers.
            let message = ServerMessage::decode(*kind, body, u32::MAX);
            self.tried = caches.arrivals();
            #[cfg(test)]
            (self.attempts += 1);
            if let Ok(message) = message
                && let Applied::Blocked(what) = self.canvas.apply(&message)?
            {
                self.blocked = Some(what);
                break;
            }
            self.drop_first(bytes);
        }
        Ok(())
    }

    /// Leaves out messages that wait for pictures until the limits admit the rest.
    pub(super) fn give_up_late(
        &mut self,
        caches: &SharedCaches,
        limits: &WaitLimits,
        bytes: &mut usize,
    ) -> Result<(), CanvasError> {
        while let Some((_, first)) = self.held.front() {
            // A single message may be longer.
            let is_alone = *bytes == first.len();
            if self.held.len() <= limits.messages && (*bytes <= limits.bytes || is_alone) {
                break;
            }
            self.canvas.give_up();
            self.drop_first(bytes);
            self.advance(caches, bytes)?;
        }
        Ok(())
    }

    /// The channel is gone; its picture stays.
    pub(super) fn disconnect(&mut self, bytes: &mut usize) {
        self.canvas.disconnect();
        self.forget(bytes);
    }

    /// Forgets all that waits.
    pub(super) fn forget(&mut self, bytes: &mut usize) {
        while self.drop_first(bytes) {}
        self.blocked = None;
    }

    fn drop_first(&mut self, bytes: &mut usize) -> bool {
        let Some((_, body)) = self.held.pop_front() else { return false };
        *bytes -= body.len();
        true
    }
}

fn encode(message: &ServerMessage) -> Bytes {
    let mut body = BytesMut::new();
    message.encode_body(&mut body);
    body.freeze()
}
