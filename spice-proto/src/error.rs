//! Every way in which a peer, or a caller, can be wrong.
//!
//! All of these are `Copy` and allocation-free, so a sticky error costs nothing to keep and to hand out again.

use thiserror::Error;

use crate::link::LinkError;
use crate::types::ChannelId;

/// A message body, header or handshake structure that does not have the layout it must have.
///
/// The fields say what was being read (`message`, `field`), where (`at`, in bytes from the start of the body)
/// and what was wrong (`kind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{message}: field {field} at byte {at}: {kind}")]
pub struct DecodeError {
    /// Name of the message or structure, such as `DrawCopy`.
    pub message: &'static str,
    /// Name of the innermost field that was being read, such as `src_bitmap`.
    pub field: &'static str,
    /// Offset in bytes from the start of the message body.
    pub at: usize,
    /// What was wrong there.
    pub kind: DecodeErrorKind,
}

/// The reasons of a [`DecodeError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The field reaches beyond the end of the body.
    #[error("needs {needed} bytes, {available} are left")]
    Truncated {
        /// Bytes that the field needs. Saturates when a count times an element size overflows.
        needed: usize,
        /// Bytes left in the body.
        available: usize,
    },
    /// A pointer that must not be null is null.
    #[error("pointer is null but the field is required")]
    NullPointer,
    /// A pointer leads outside the body.
    #[error("pointer {offset} leads outside the body of {len} bytes")]
    PointerOutside {
        /// The offset on the wire.
        offset: u32,
        /// Length of the body in bytes.
        len: usize,
    },
    /// The message follows more pointers than [`Limits::pointers`](crate::Limits::pointers) allows.
    #[error("more pointers than the limit of {bound}")]
    TooManyPointers {
        /// The limit.
        bound: u32,
    },
    /// A tag that decides the layout of what follows has no known meaning.
    #[error("unknown tag {tag}")]
    UnknownTag {
        /// The tag on the wire.
        tag: u32,
    },
    /// A number breaks a rule of the field.
    #[error("value {value} breaks the rule: {rule}")]
    BadValue {
        /// The value on the wire.
        value: u64,
        /// The rule in words.
        rule: &'static str,
    },
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

/// Why a channel, and with it perhaps the session, ended.
///
/// The variants say who is at fault. After one of these a channel returns the same error for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The peer sent bytes that are not what they should be.
    #[error("malformed message from the peer: {0}")]
    Malformed(#[from] DecodeError),
    /// The peer sent a well-formed message that the protocol forbids at this point.
    #[error("the peer broke a rule on channel {channel}: {rule}")]
    Broken {
        /// The channel it happened on.
        channel: ChannelId,
        /// The rule in words.
        rule: &'static str,
    },
    /// The link stage failed: refused by the peer, or not a SPICE peer at all.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The peer asked for more than a limit allows.
    #[error("the peer asks for too much: {0}")]
    Limit(#[from] LimitExceeded),
    /// The caller used the machine in a way its documentation forbids.
    #[error("misuse by the caller: {0}")]
    Misuse(&'static str),
}
