//! What both ends of a link share: input, output, deadline, outcome and the error that stays.

use alloc::boxed::Box;

use bytes::{Bytes, BytesMut};

use crate::caps::Caps;
use crate::limits::Limits;
use crate::link::sasl::Layer;
use crate::link::{HeaderKind, LinkError, LinkOutcome, LinkStage};
use crate::time::Instant;

/// The states of one end.
pub(super) trait Steps: Sized {
    /// What is being waited for.
    fn stage(&self) -> LinkStage;

    /// Takes at most one structure off the front of `input` and gives the state behind it.
    fn step(self, input: &mut BytesMut, out: &mut BytesMut, limits: &Limits)
    -> Result<Next<Self>, LinkError>;
}

/// Where a step leaves a machine.
pub(super) enum Next<S> {
    /// In a state that may have more to do with the bytes at hand.
    Go(S),
    /// In a state that waits for more bytes or for an answer.
    Wait(S),
    /// At the end.
    Linked(LinkOutcome),
}

/// One end of a link with the states `S`.
pub(super) struct Machine<S> {
    phase: Phase<S>,
    /// Bytes to be sent.
    pub(super) out: BytesMut,
    deadline: Instant,
    limits: Limits,
}

enum Phase<S> {
    UnderWay(S),
    Linked(Box<LinkOutcome>),
    /// The outcome was handed out.
    Taken,
    Failed(LinkError),
}

impl<S: Steps> Machine<S> {
    pub(super) fn new(state: S, out: BytesMut, limits: &Limits, now: Instant) -> Self {
        let deadline = now + limits.handshake;
        Self { phase: Phase::UnderWay(state), out, deadline, limits: limits.clone() }
    }

    pub(super) fn handle_input(&mut self, now: Instant, input: &mut BytesMut) -> Result<(), LinkError> {
        self.handle_timeout(now)?;
        while let Some(state) = self.take() {
            match state.step(input, &mut self.out, &self.limits) {
                Ok(Next::Go(state)) => self.set(state),
                Ok(Next::Wait(state)) => {
                    self.set(state);
                    break;
                }
                Ok(Next::Linked(outcome)) => self.finish(outcome),
                Err(error) => return Err(self.fail(error)),
            }
        }
        Ok(())
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Result<(), LinkError> {
        match self.stage() {
            Some(stage) if now >= self.deadline => Err(self.fail(LinkError::Timeout { stage })),
            _ => self.check(),
        }
    }

    /// Fails with what `meaning` says of a close at the present stage, if the link is under way.
    pub(super) fn handle_close(&mut self, meaning: fn(LinkStage) -> LinkError) -> Result<(), LinkError> {
        match self.stage() {
            Some(stage) => Err(self.fail(meaning(stage))),
            None => self.check(),
        }
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Bytes> {
        (!self.out.is_empty()).then(|| self.out.split().freeze())
    }

    pub(super) fn poll_outcome(&mut self) -> Option<LinkOutcome> {
        match core::mem::replace(&mut self.phase, Phase::Taken) {
            Phase::Linked(outcome) => Some(*outcome),
            other => {
                self.phase = other;
                None
            }
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.stage().map(|_| self.deadline)
    }

    pub(super) fn stage(&self) -> Option<LinkStage> {
        match &self.phase {
            Phase::UnderWay(state) => Some(state.stage()),
            Phase::Linked(_) | Phase::Taken | Phase::Failed(_) => None,
        }
    }

    /// The state, while the link is under way.
    pub(super) fn state(&mut self) -> Option<&mut S> {
        match &mut self.phase {
            Phase::UnderWay(state) => Some(state),
            Phase::Linked(_) | Phase::Taken | Phase::Failed(_) => None,
        }
    }

    /// Takes the state out, while the link is under way; one of `set`, `finish` and `fail` follows.
    pub(super) fn take(&mut self) -> Option<S> {
        match core::mem::replace(&mut self.phase, Phase::Taken) {
            Phase::UnderWay(state) => Some(state),
            other => {
                self.phase = other;
                None
            }
        }
    }

    pub(super) fn set(&mut self, state: S) {
        self.phase = Phase::UnderWay(state);
    }

    pub(super) fn finish(&mut self, outcome: LinkOutcome) {
        self.phase = Phase::Linked(Box::new(outcome));
    }

    pub(super) fn fail(&mut self, error: LinkError) -> LinkError {
        self.phase = Phase::Failed(error);
        error
    }

    fn check(&self) -> Result<(), LinkError> {
        match self.phase {
            Phase::Failed(error) => Err(error),
            _ => Ok(()),
        }
    }
}

/// What the link messages of both sides have settled.
pub(super) struct Agreed {
    pub(super) header: HeaderKind,
    /// The peer's.
    pub(super) common_caps: Caps,
    /// The peer's.
    pub(super) channel_caps: Caps,
}

impl Agreed {
    pub(super) fn outcome(self, layer: Option<Box<dyn Layer>>, plain: BytesMut) -> LinkOutcome {
        let Self { header, common_caps, channel_caps } = self;
        LinkOutcome { header, common_caps, channel_caps, layer, plain }
    }
}
