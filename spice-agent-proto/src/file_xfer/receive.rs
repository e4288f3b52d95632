//! The guest's side: files that a client sends.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;

use bytes::Bytes;
use thiserror::Error;

use super::{FileXferData, FileXferResult, FileXferStart, FileXferStatus, StatusDetail, check_path};
use crate::caps::AgentCaps;
use crate::error::{AgentError, Unavailable};
use crate::link::Link;
use crate::msg::Message;

/// What happens to a file that is received.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiveEvent {
    /// A client wants to send a file. Must be accepted or refused.
    Offered {
        /// The transfer.
        id: u32,
        /// Where the client wants it, below the folder for received files. Checked by
        /// [`check_path`]: it does not lead elsewhere. What lies there already, such as links, is the caller's to check.
        path: String,
        /// Its length in bytes.
        size: u64,
    },
    /// The next piece of the file.
    Data {
        /// The transfer.
        id: u32,
        /// The piece, never empty.
        data: Bytes,
    },
    /// All pieces have come. The caller finishes or fails the transfer.
    Complete {
        /// The transfer.
        id: u32,
    },
    /// The transfer is over before its end; what has been written is to be removed.
    Aborted {
        /// The transfer.
        id: u32,
        /// Why.
        why: Abort,
    },
}

/// Why a transfer is over before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Abort {
    /// The client called it off.
    #[error("the client has cancelled")]
    Cancelled,
    /// The client could not go on.
    #[error("the client has failed")]
    ClientFailed,
    /// The client sent what it had not announced, or before it might.
    #[error("the client broke a rule: {0}")]
    Broken(&'static str),
    /// The client has gone.
    #[error("the client has gone")]
    Disconnected,
}

/// The files that are coming.
#[derive(Debug)]
pub(crate) struct Receiver {
    live: BTreeMap<u32, Transfer>,
}

#[derive(Debug)]
struct Transfer {
    size: u64,
    received: u64,
    stage: Stage,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    Offered,
    Accepted,
    Complete,
}

impl Receiver {
    pub(crate) fn new() -> Self {
        Self { live: BTreeMap::new() }
    }

    /// Lets the client send a file that it has offered.
    pub(crate) fn accept(&mut self, link: &mut Link, id: u32) -> Result<(), AgentError> {
        let transfer = self.live.get_mut(&id).ok_or(Unavailable::NoSuchTransfer)?;
        if transfer.stage != Stage::Offered {
            return Err(AgentError::Misuse("a file is accepted once"));
        }
        transfer.stage = Stage::Accepted;
        say(link, id, FileXferResult::CAN_SEND_DATA, StatusDetail::None)
    }

    /// Ends a transfer from this side: with `SUCCESS` when it is complete, with a failure at any time.
    pub(crate) fn finish(
        &mut self,
        link: &mut Link,
        id: u32,
        result: FileXferResult,
        detail: StatusDetail,
    ) -> Result<(), AgentError> {
        let transfer = self.live.get(&id).ok_or(Unavailable::NoSuchTransfer)?;
        match result {
            FileXferResult::CAN_SEND_DATA => {
                return Err(AgentError::Misuse("this result does not end a transfer"));
            }
            FileXferResult::SUCCESS if transfer.stage != Stage::Complete => {
                return Err(AgentError::Misuse("a transfer succeeds when it is complete"));
            }
            _ => {}
        }
        self.live.remove(&id);
        say(link, id, result, detail)
    }

    pub(crate) fn on_start<E: From<ReceiveEvent>>(
        &mut self,
        link: &mut Link,
        events: &mut VecDeque<E>,
        start: &FileXferStart,
    ) -> Result<(), AgentError> {
        let id = start.id;
        if self.live.contains_key(&id) {
            // The transfer that has the number goes on.
            return say(link, id, FileXferResult::ERROR, StatusDetail::None);
        }
        if self.live.len() >= link.limits.transfers {
            return say(link, id, FileXferResult::ERROR, StatusDetail::Io { code: TOO_MANY_OPEN_FILES });
        }
        let metadata = start.parse().ok().filter(|metadata| {
            metadata.name.len() <= link.limits.file_name_len && check_path(&metadata.name).is_ok()
        });
        let Some(metadata) = metadata else {
            return say(link, id, FileXferResult::ERROR, StatusDetail::None);
        };
        self.live.insert(id, Transfer { size: metadata.size, received: 0, stage: Stage::Offered });
        events.push_back(ReceiveEvent::Offered { id, path: metadata.name, size: metadata.size }.into());
        Ok(())
    }

    pub(crate) fn on_data<E: From<ReceiveEvent>>(
        &mut self,
        link: &mut Link,
        events: &mut VecDeque<E>,
        piece: FileXferData,
    ) -> Result<(), AgentError> {
        let id = piece.id;
        let Some(transfer) = self.live.get_mut(&id) else {
            return Ok(());
        };
        let data = piece.data.0;
        let received = transfer.received.saturating_add(data.len() as u64);
        let broken = if transfer.stage == Stage::Offered {
            Some("nothing is sent before the file is accepted")
        } else if piece.size != data.len() as u64 {
            Some("the length of a piece is as its message says")
        } else if received > transfer.size {
            Some("a file is not longer than announced")
        } else {
            None
        };
        if let Some(rule) = broken {
            return self.abort(link, events, id, rule);
        }
        if transfer.stage == Stage::Complete {
            // Some clients say by an empty piece that it was the last.
            return Ok(());
        }
        transfer.received = received;
        if !data.is_empty() {
            events.push_back(ReceiveEvent::Data { id, data }.into());
        }
        if received == transfer.size {
            transfer.stage = Stage::Complete;
            events.push_back(ReceiveEvent::Complete { id }.into());
        }
        Ok(())
    }

    /// A piece that was longer than the limit has gone by; `head` is how its message began.
    pub(crate) fn on_too_long<E: From<ReceiveEvent>>(
        &mut self,
        link: &mut Link,
        events: &mut VecDeque<E>,
        head: &[u8],
    ) -> Result<(), AgentError> {
        match head.first_chunk().map(|id| u32::from_le_bytes(*id)) {
            Some(id) if self.live.contains_key(&id) => {
                self.abort(link, events, id, "a piece is not longer than the limit")
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn on_status<E: From<ReceiveEvent>>(
        &mut self,
        events: &mut VecDeque<E>,
        status: &FileXferStatus,
    ) {
        let why = match status.result {
            FileXferResult::CAN_SEND_DATA | FileXferResult::SUCCESS => return,
            FileXferResult::CANCELLED => Abort::Cancelled,
            _ => Abort::ClientFailed,
        };
        if self.live.remove(&status.id).is_some() {
            events.push_back(ReceiveEvent::Aborted { id: status.id, why }.into());
        }
    }

    /// The client has gone.
    pub(crate) fn reset<E: From<ReceiveEvent>>(&mut self, events: &mut VecDeque<E>) {
        for (id, _) in core::mem::take(&mut self.live) {
            events.push_back(ReceiveEvent::Aborted { id, why: Abort::Disconnected }.into());
        }
    }

    fn abort<E: From<ReceiveEvent>>(
        &mut self,
        link: &mut Link,
        events: &mut VecDeque<E>,
        id: u32,
        rule: &'static str,
    ) -> Result<(), AgentError> {
        self.live.remove(&id);
        events.push_back(ReceiveEvent::Aborted { id, why: Abort::Broken(rule) }.into());
        say(link, id, FileXferResult::ERROR, StatusDetail::None)
    }
}

/// Tells the client how a transfer fares, in the words that it has announced to understand.
fn say(link: &mut Link, id: u32, result: FileXferResult, detail: StatusDetail) -> Result<(), AgentError> {
    let status = if link.theirs().contains(AgentCaps::FILE_XFER_DETAILED_ERRORS) {
        FileXferStatus::with_detail(id, result, detail)
    } else if result > FileXferResult::SUCCESS {
        FileXferStatus::new(id, FileXferResult::ERROR)
    } else {
        FileXferStatus::new(id, result)
    };
    link.send(&Message::FileXferStatus(status))
}

/// `G_IO_ERROR_TOO_MANY_OPEN_FILES` of GLib's `GIOErrorEnum`.
const TOO_MANY_OPEN_FILES: u32 = 31;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn files_above_4_gib_are_counted_right() {
        let mut link = Link::new(AgentCaps::AGENT, Limits::default());
        let mut events: VecDeque<ReceiveEvent> = VecDeque::new();
        let size = (4 << 30) + 5;
        let transfer = Transfer { size, received: (4 << 30) - 10, stage: Stage::Accepted };
        let mut receiver = Receiver { live: [(1, transfer)].into() };
        for _ in 0..2 {
            let piece = FileXferData::new(1, Bytes::from_static(b"12345"));
            receiver.on_data(&mut link, &mut events, piece).unwrap();
        }
        assert!(events.iter().all(|event| matches!(event, ReceiveEvent::Data { .. })));
        let piece = FileXferData::new(1, Bytes::from_static(b"12345"));
        receiver.on_data(&mut link, &mut events, piece).unwrap();
        assert_eq!(events.back(), Some(&ReceiveEvent::Complete { id: 1 }));
    }
}
