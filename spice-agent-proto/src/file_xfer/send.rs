//! The client's side: files on their way into the guest.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use core::fmt;

use bytes::Bytes;
use thiserror::Error;

use super::{
    FileXferData, FileXferResult, FileXferStart, FileXferStatus, Metadata, StatusDetail, check_name,
};
use crate::caps::AgentCaps;
use crate::error::{AgentError, LimitExceeded, Unavailable};
use crate::link::Link;
use crate::msg::{Message, MessageType};

/// What happens to a file that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendEvent {
    /// The next piece is wanted, and everything before it is on its way. Comes once for each piece.
    Wanted {
        /// The transfer.
        id: u32,
        /// Where the piece starts in the file, in bytes.
        offset: u64,
        /// Longest piece in bytes that is taken; never 0.
        len: usize,
    },
    /// The transfer has come so far.
    Progress {
        /// The transfer.
        id: u32,
        /// Bytes that are on their way or have arrived.
        sent: u64,
        /// Length of the file in bytes.
        size: u64,
    },
    /// The transfer is over.
    Ended {
        /// The transfer.
        id: u32,
        /// How it ended.
        outcome: Outcome,
    },
}

/// How a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Outcome {
    /// The guest has the whole file.
    #[error("the guest has the whole file")]
    Success,
    /// This side called it off.
    #[error("cancelled here")]
    CancelledHere,
    /// This side could not read the file.
    #[error("the file could not be read here")]
    FailedHere,
    /// The guest called it off.
    #[error("cancelled by the guest")]
    CancelledByGuest,
    /// The guest failed.
    #[error("{}", Refusal(*.result, *.detail))]
    Failed {
        /// What the guest said.
        result: FileXferResult,
        /// What it said besides.
        detail: StatusDetail,
    },
    /// The guest said that it had everything before everything was sent.
    #[error("the guest ended the transfer before the end of the file")]
    EarlySuccess,
    /// The agent has gone.
    #[error("the agent has gone")]
    Disconnected,
}

/// What a guest's failure means for whoever sends the file.
struct Refusal(FileXferResult, StatusDetail);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(result, detail) = self;
        match (*result, detail) {
            (FileXferResult::NOT_ENOUGH_SPACE, StatusDetail::FreeSpace(bytes)) => {
                write!(f, "the guest's disk has only {bytes} bytes left: make room there")
            }
            (FileXferResult::NOT_ENOUGH_SPACE, _) => {
                f.write_str("the guest's disk has no room for it: make some")
            }
            (FileXferResult::SESSION_LOCKED, _) => {
                f.write_str("the guest's session is locked: unlock it first")
            }
            (FileXferResult::VDAGENT_NOT_CONNECTED, _) => {
                f.write_str("nobody is logged in to the guest, or no agent runs in the session: log in first")
            }
            (FileXferResult::DISABLED, _) => {
                f.write_str("the guest takes no files: allow it in the agent there")
            }
            (FileXferResult::ERROR, StatusDetail::Io { code }) => {
                write!(
                    f,
                    "the guest could not write it (GIOErrorEnum {code}): check its folder for downloads"
                )
            }
            (FileXferResult::ERROR, _) => {
                f.write_str("the guest could not write it: check its folder for downloads")
            }
            (result, _) => write!(f, "the guest answered {result:?}"),
        }
    }
}

/// The files that are on their way.
#[derive(Debug)]
pub(crate) struct Sender {
    live: BTreeMap<u32, Transfer>,
    next: u32,
}

#[derive(Debug)]
struct Transfer {
    size: u64,
    /// Bytes that have been given away as chunks.
    sent: u64,
    stage: Stage,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// The agent has not said yet that it takes the file.
    Announced,
    /// The caller has been asked for a piece.
    Wanted,
    /// A piece of this length waits to be sent.
    Queued(u64),
    /// Everything is sent; the agent has not said yet that it has it.
    Complete,
}

impl Sender {
    pub(crate) fn new() -> Self {
        Self { live: BTreeMap::new(), next: 1 }
    }

    /// Announces a file.
    pub(crate) fn start(&mut self, link: &mut Link, name: &str, size: u64) -> Result<u32, AgentError> {
        link.require(AgentCaps::empty(), AgentCaps::empty())?;
        if link.theirs().contains(AgentCaps::FILE_XFER_DISABLED) {
            return Err(Unavailable::FileXferDisabled.into());
        }
        LimitExceeded::check("transfers", self.live.len().saturating_add(1), link.limits.transfers)?;
        LimitExceeded::check("file_name_len", name.len(), link.limits.file_name_len)?;
        check_name(name).map_err(|_| AgentError::Misuse("the name of a file to send is a plain one"))?;
        let id = self.free_id();
        let metadata = Metadata { name: String::from(name), size };
        link.send_file(id, &Message::FileXferStart(FileXferStart::new(id, &metadata)))?;
        self.live.insert(id, Transfer { size, sent: 0, stage: Stage::Announced });
        Ok(id)
    }

    /// Queues the piece that was asked for.
    pub(crate) fn data(&mut self, link: &mut Link, id: u32, data: Bytes) -> Result<(), AgentError> {
        let transfer = self.live.get_mut(&id).ok_or(Unavailable::NoSuchTransfer)?;
        if transfer.stage != Stage::Wanted {
            return Err(AgentError::Misuse("pieces of a file are given one by one, as they are wanted"));
        }
        if data.is_empty() || data.len() > transfer.next_len(link.limits.file_block) {
            return Err(AgentError::Misuse("a piece of a file is neither empty nor longer than wanted"));
        }
        let len = data.len() as u64;
        link.send_file(id, &Message::FileXferData(FileXferData::new(id, data)))?;
        transfer.stage = Stage::Queued(len);
        Ok(())
    }

    /// Ends a transfer from this side.
    pub(crate) fn stop<E: From<SendEvent>>(
        &mut self,
        link: &mut Link,
        events: &mut VecDeque<E>,
        id: u32,
        outcome: Outcome,
    ) -> Result<(), AgentError> {
        self.live.remove(&id).ok_or(Unavailable::NoSuchTransfer)?;
        events.push_back(SendEvent::Ended { id, outcome }.into());
        // An agent that has not heard of the file need not hear of its end.
        if !drop_queued(link, id) {
            let result = match outcome {
                Outcome::FailedHere => FileXferResult::ERROR,
                _ => FileXferResult::CANCELLED,
            };
            link.send_file(id, &Message::FileXferStatus(FileXferStatus::new(id, result)))?;
        }
        Ok(())
    }

    /// The last chunk of a message has been given away.
    pub(crate) fn on_sent<E: From<SendEvent>>(
        &mut self,
        link: &Link,
        events: &mut VecDeque<E>,
        kind: MessageType,
        id: u32,
    ) {
        if kind == MessageType::FILE_XFER_DATA
            && let Some(transfer) = self.live.get_mut(&id)
            && let Stage::Queued(len) = transfer.stage
        {
            transfer.sent = transfer.sent.saturating_add(len);
            events.push_back(SendEvent::Progress { id, sent: transfer.sent, size: transfer.size }.into());
            transfer.go_on(link, events, id);
        }
    }

    pub(crate) fn on_status<E: From<SendEvent>>(
        &mut self,
        link: &mut Link,
        events: &mut VecDeque<E>,
        status: &FileXferStatus,
    ) -> Result<(), AgentError> {
        let id = status.id;
        let Some(transfer) = self.live.get_mut(&id) else {
            // The agent may not know yet that this side has ended it.
            return Ok(());
        };
        let outcome = match status.result {
            FileXferResult::CAN_SEND_DATA => {
                if transfer.stage == Stage::Announced {
                    if transfer.size == 0 {
                        link.send_file(id, &Message::FileXferData(FileXferData::new(id, Bytes::new())))?;
                        transfer.stage = Stage::Queued(0);
                    } else {
                        transfer.go_on(link, events, id);
                    }
                }
                return Ok(());
            }
            FileXferResult::SUCCESS if transfer.stage == Stage::Complete => Outcome::Success,
            FileXferResult::SUCCESS => Outcome::EarlySuccess,
            FileXferResult::CANCELLED => Outcome::CancelledByGuest,
            result => Outcome::Failed { result, detail: status.detail() },
        };
        self.live.remove(&id);
        drop_queued(link, id);
        events.push_back(SendEvent::Ended { id, outcome }.into());
        Ok(())
    }

    /// The agent has gone.
    pub(crate) fn reset<E: From<SendEvent>>(&mut self, events: &mut VecDeque<E>) {
        for (id, _) in core::mem::take(&mut self.live) {
            events.push_back(SendEvent::Ended { id, outcome: Outcome::Disconnected }.into());
        }
    }

    /// The next number, which no live transfer has.
    fn free_id(&mut self) -> u32 {
        loop {
            let id = self.next;
            self.next = self.next.wrapping_add(1).max(1);
            if !self.live.contains_key(&id) {
                return id;
            }
        }
    }
}

impl Transfer {
    /// Length of the next piece in bytes.
    fn next_len(&self, block: u32) -> usize {
        let left = self.size.saturating_sub(self.sent);
        usize::try_from(left.min(block.max(1).into())).unwrap_or(usize::MAX)
    }

    /// Asks for the next piece, if there is one.
    fn go_on<E: From<SendEvent>>(&mut self, link: &Link, events: &mut VecDeque<E>, id: u32) {
        let len = self.next_len(link.limits.file_block);
        if len == 0 {
            self.stage = Stage::Complete;
        } else {
            self.stage = Stage::Wanted;
            events.push_back(SendEvent::Wanted { id, offset: self.sent, len }.into());
        }
    }
}

/// Drops the messages of a transfer that have not begun. Whether its announcement was among them.
fn drop_queued(link: &mut Link, id: u32) -> bool {
    let mut unannounced = false;
    link.outbox.retain(|kind, tag| {
        let file = matches!(kind, MessageType::FILE_XFER_START | MessageType::FILE_XFER_DATA);
        let dropped = file && tag == id;
        unannounced |= dropped && kind == MessageType::FILE_XFER_START;
        !dropped
    });
    unannounced
}
