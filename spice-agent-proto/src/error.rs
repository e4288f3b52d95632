//! Every way in which the agent's peer, or a caller, can be wrong.

use thiserror::Error;

use spice_proto::DecodeError;

use crate::caps::AgentCaps;

/// Why a command was refused, or why the stream from the peer cannot go on.
///
/// `Copy` and allocation-free, so that a sticky error costs nothing to keep and to hand out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AgentError {
    /// The peer sent a message that has not its layout.
    #[error("malformed message from the peer: {0}")]
    Malformed(#[from] DecodeError),
    /// The peer broke a rule of the stream, after which nothing that follows can be understood.
    #[error("the peer broke a rule of the agent stream: {rule}")]
    Broken {
        /// The rule in words.
        rule: &'static str,
    },
    /// A bound of [`Limits`](crate::Limits) was exceeded, by the peer or by the caller.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// What was asked for is not to be had at present.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The caller used the machine in a way its documentation forbids.
    #[error("misuse by the caller: {0}")]
    Misuse(&'static str),
}

/// A bound of [`Limits`](crate::Limits) was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{limit} is {value}, above the limit of {bound}")]
pub struct LimitExceeded {
    /// The limit's name: the field of [`Limits`](crate::Limits).
    pub limit: &'static str,
    /// The value that was asked for.
    pub value: u64,
    /// The bound in force.
    pub bound: u64,
}

impl LimitExceeded {
    /// Checks `value` against `bound`.
    pub(crate) fn check(limit: &'static str, value: usize, bound: usize) -> Result<(), Self> {
        if value > bound {
            return Err(Self { limit, value: value as u64, bound: bound as u64 });
        }
        Ok(())
    }
}

/// Why something is not to be had at present; none of these is anybody's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// No agent runs in the guest.
    #[error("no agent runs in the guest")]
    NoAgent,
    /// The peer has not said yet what it can do.
    #[error("the peer has not announced its capabilities yet")]
    NotReady,
    /// One of the two sides cannot do this: the capabilities that are not announced by both.
    #[error("not announced by both sides: {0:?}")]
    Missing(AgentCaps),
    /// The server or the guest does not allow file transfer.
    #[error("file transfer is disabled")]
    FileXferDisabled,
    /// The peer does not own the selection, so there is nothing to ask it for.
    #[error("the peer does not own the selection")]
    NotOwner,
    /// The owner of the selection does not offer this type.
    #[error("the type is not offered")]
    NotOffered,
    /// A request for the selection is still unanswered, and answers do not say which request they are for.
    #[error("a request for the selection is still unanswered")]
    Busy,
    /// Nobody waits for this answer: it was given already, or the request is over.
    #[error("nobody waits for this answer")]
    NotRequested,
    /// No file transfer has this id: it has ended, or never was.
    #[error("no such file transfer")]
    NoSuchTransfer,
}
