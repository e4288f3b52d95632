//! Every bound on what a peer may make this side hold.

use crate::error::LimitExceeded;
use crate::msg::MessageType;

/// The bounds of one agent connection; each default says why it is what it is.
///
/// A message above its bound is skipped as it arrives, without being kept, and reported; the stream goes on behind
/// it.
///
/// ```
/// use spice_agent_proto::Limits;
/// let mut limits = Limits::default();
/// limits.clipboard_len = 1 << 20;
/// assert!(limits.clipboard_len < Limits::default().clipboard_len);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Longest clipboard content in bytes, in either direction. 100 MiB, the default of the C client.
    pub clipboard_len: u32,
    /// Longest piece of a file in bytes that is taken. 1 MiB: senders use 64 KiB.
    pub file_data_len: u32,
    /// Longest data of any other message in bytes. 128 KiB: the longest, a list of 256 graphics devices with their
    /// addresses, has 70 KB.
    pub message_len: u32,
    /// Piece of a file in bytes that is sent as one message. 64 KiB, as the C client does: large enough to make
    /// headers cheap, small enough to let other messages pass between.
    pub file_block: u32,
    /// File transfers at the same time. 128, the bound of the Linux agent.
    pub transfers: usize,
    /// Longest file name in bytes, folders included. 4096, the longest path of common systems.
    pub file_name_len: usize,
    /// Types offered by one grab; further ones are dropped. 32: six types are defined.
    pub grab_types: usize,
    /// Unanswered requests of the peer for one selection; further ones are answered as failed. 8: one per type and
    /// some to spare.
    pub clipboard_requests: usize,
    /// Events that wait for the caller before the peer is made to wait. 256.
    pub queued_events: usize,
    /// Bytes that wait to be sent before commands are refused, and text whose line ends are converted with them, pieces
    /// of files not counted. 8 MiB. One message may go beyond, so that clipboard content of any allowed length can be
    /// sent.
    pub queued_output: usize,
    /// Messages that wait to be sent before the peer is made to wait, pieces of files not counted. 1024: answers are
    /// short, and a peer that asks without reading is in no hurry.
    pub queued_answers: usize,
    /// Longest chunk in bytes that a server may send. 64 KiB: servers send 2048.
    pub chunk_len: usize,
    /// Chunks that the agent may send before it has to wait for this side. 512, or 1 MiB: enough to fill a line of
    /// 80 Mbit/s at 100 ms.
    pub receive_tokens: u32,
}

impl Limits {
    /// Checks the length of the data of a message of this type, as its header announces it.
    ///
    /// # Errors
    /// [`LimitExceeded`]; its value does not count what stands in front of content.
    pub fn check_message(&self, kind: MessageType, len: u32) -> Result<(), LimitExceeded> {
        let (limit, bound, front) = match kind {
            // The selection and the type stand in front.
            MessageType::CLIPBOARD => ("clipboard_len", self.clipboard_len, 8),
            // The transfer and the length stand in front.
            MessageType::FILE_XFER_DATA => ("file_data_len", self.file_data_len, 12),
            _ => ("message_len", self.message_len, 0),
        };
        let content = len.saturating_sub(front);
        if content > bound {
            return Err(LimitExceeded { limit, value: content.into(), bound: bound.into() });
        }
        Ok(())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            clipboard_len: 100 << 20,
            file_data_len: 1 << 20,
            message_len: 128 << 10,
            file_block: 64 << 10,
            transfers: 128,
            file_name_len: 4096,
            grab_types: 32,
            clipboard_requests: 8,
            queued_events: 256,
            queued_output: 8 << 20,
            queued_answers: 1024,
            chunk_len: 64 << 10,
            receive_tokens: 512,
        }
    }
}
