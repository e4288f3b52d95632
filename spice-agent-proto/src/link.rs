//! What client and guest have in common: the way to the other side, and what was agreed with it.

use crate::caps::{AgentCaps, AnnounceCapabilities, Layout};
use crate::error::{AgentError, LimitExceeded, Unavailable};
use crate::frame::{Lane, Outbox};
use crate::limits::Limits;
use crate::msg::Message;

/// The way to the other side.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) outbox: Outbox,
    pub(crate) limits: Limits,
    pub(crate) ours: AgentCaps,
    /// What the other side announced; `None` before.
    pub(crate) theirs: Option<AgentCaps>,
}

impl Link {
    pub(crate) fn new(ours: AgentCaps, limits: Limits) -> Self {
        Self { outbox: Outbox::new(), limits, ours, theirs: None }
    }

    /// What both sides announced.
    pub(crate) fn both(&self) -> AgentCaps {
        self.theirs.unwrap_or_default() & self.ours
    }

    /// What the other side announced.
    pub(crate) fn theirs(&self) -> AgentCaps {
        self.theirs.unwrap_or_default()
    }

    pub(crate) fn layout(&self) -> Layout {
        Layout::between(self.ours, self.theirs())
    }

    /// Checks that the other side has announced `theirs`, and both sides `both`.
    pub(crate) fn require(&self, both: AgentCaps, theirs: AgentCaps) -> Result<(), AgentError> {
        let announced = self.theirs.ok_or(Unavailable::NotReady)?;
        let missing = (both - (announced & self.ours)) | (theirs - announced);
        if missing.is_empty() { Ok(()) } else { Err(Unavailable::Missing(missing).into()) }
    }

    /// Checks that there is room for a command's message.
    pub(crate) fn room(&self) -> Result<(), AgentError> {
        Ok(LimitExceeded::check(
            "queued_output",
            self.outbox.queued(Lane::Control),
            self.limits.queued_output,
        )?)
    }

    /// Whether there is room for answers to what the other side says.
    pub(crate) fn can_answer(&self) -> bool {
        self.outbox.waiting(Lane::Control) < self.limits.queued_answers
    }

    pub(crate) fn send(&mut self, message: &Message) -> Result<(), AgentError> {
        self.outbox.push(Lane::Control, 0, message, self.layout())
    }

    pub(crate) fn send_file(&mut self, id: u32, message: &Message) -> Result<(), AgentError> {
        self.outbox.push(Lane::Files, id, message, self.layout())
    }

    /// Says what this side can do.
    pub(crate) fn announce(&mut self, request: bool) -> Result<(), AgentError> {
        self.send(&Message::AnnounceCapabilities(AnnounceCapabilities::new(request, self.ours)))
    }
}
