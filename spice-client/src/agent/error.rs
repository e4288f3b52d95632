//! Why something with the guest's agent failed.

use std::io;

use spice_agent_proto::clipboard::Failure;
use spice_agent_proto::file_xfer::Outcome;
use spice_agent_proto::{AgentError, Unavailable};
use thiserror::Error;

/// Why a command that concerns the guest's agent, or typing, failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// No agent runs in the guest.
    #[error("no agent runs in the guest: install and start spice-vdagent there")]
    NoAgent,
    /// The agent has been found but has not said yet what it can do.
    #[error("the guest's agent has not said yet what it can do: wait for it and try again")]
    NotReady,
    /// File transfer is switched off.
    #[error("file transfer is disabled: the administrator of the server or the guest must allow it")]
    FilesDisabled,
    /// The agent, or this side, refuses for another reason.
    #[error("not possible: {0}")]
    Refused(AgentError),
    /// The content of a clipboard is not to be had.
    #[error("the clipboard's content is not to be had: {0}")]
    Clipboard(Failure),
    /// A file did not arrive.
    #[error("the file was not sent: {0}")]
    File(Outcome),
    /// A file could not be read here; the transfer has been called off.
    #[error("the file could not be read: {0}")]
    Read(io::Error),
    /// A file ended before its announced size; the transfer has been called off.
    #[error("the file ended after {read} of {size} bytes: it changed while it was sent")]
    TooShort {
        /// Bytes that there were.
        read: u64,
        /// Bytes that were announced.
        size: u64,
    },
    /// The guest's agent is silent.
    #[error("the guest's agent has said nothing for {seconds} s: check that it runs in the guest's session")]
    NoAnswer {
        /// How long it was waited for, in seconds.
        seconds: u64,
    },
    /// The guest's screen did not become as it was asked for.
    #[error(
        "the guest did not change its screen within {seconds} s: its graphics driver or its agent may be missing"
    )]
    NotFollowed {
        /// How long it was waited for, in seconds.
        seconds: u64,
    },
    /// A later command of the same kind has replaced this one.
    #[error("replaced by a later command")]
    Superseded,
    /// The session has ended, and with it the command.
    #[error("the session is over")]
    SessionOver,
}

impl From<AgentError> for Error {
    fn from(error: AgentError) -> Self {
        match error {
            AgentError::Unavailable(Unavailable::NoAgent) => Self::NoAgent,
            AgentError::Unavailable(Unavailable::NotReady) => Self::NotReady,
            AgentError::Unavailable(Unavailable::FileXferDisabled) => Self::FilesDisabled,
            error => Self::Refused(error),
        }
    }
}
