//! Cutting messages into chunks.

use alloc::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use spice_proto::wire;

use super::{CHUNK_LEN, MessageHeader, PROTOCOL};
use crate::caps::Layout;
use crate::error::{AgentError, LimitExceeded};
use crate::msg::{Message, MessageType};

/// Which messages may overtake which. A message that has begun is always finished first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Everything that a person waits for.
    Control,
    /// File transfer; waits for the other lane at every message.
    Files,
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The bytes, at most [`CHUNK_LEN`].
    pub data: Bytes,
    /// The message that ends with this chunk: what it is, and the tag that it was given.
    pub done: Option<(MessageType, u32)>,
}

/// Messages that wait to be sent, cut into chunks as they go.
///
/// Content is not copied but for the part that shares the first chunk with the header, and chunks cost no allocation
/// of their own.
#[derive(Debug, Default)]
pub struct Outbox {
    control: VecDeque<Item>,
    files: VecDeque<Item>,
    // INVARIANT: the message of which a part, but not all, has been given out.
    begun: Option<Item>,
    /// Where headers and first chunks are written; sent ones free their room.
    // INVARIANT: empty between calls.
    scratch: BytesMut,
    /// Bytes that wait in each lane; a message that has begun counts in the one it came from.
    queued: [usize; 2],
}

#[derive(Debug)]
struct Item {
    lane: Lane,
    kind: MessageType,
    tag: u32,
    // INVARIANT: not both empty.
    head: Bytes,
    tail: Bytes,
}

impl Outbox {
    /// Nothing to send.
    pub fn new() -> Self {
        Self::default()
    }

    /// Queues a message. `tag` comes back with the message's last chunk.
    ///
    /// # Errors
    /// As [`Message::encode`]; [`AgentError::Limit`] when the data do not fit the length on the wire.
    pub fn push(
        &mut self,
        lane: Lane,
        tag: u32,
        message: &Message,
        layout: Layout,
    ) -> Result<(), AgentError> {
        self.reserve_scratch();
        let kind = message.kind();
        wire::encode(&MessageHeader { protocol: PROTOCOL, kind, opaque: 0, size: 0 }, &mut self.scratch);
        let encoded = message.encode(layout, &mut self.scratch).and_then(|tail| {
            let len = (self.scratch.len() - MessageHeader::LEN).saturating_add(tail.len());
            let size = u32::try_from(len).map_err(|_| {
                let (value, bound) = (len as u64, u32::MAX.into());
                LimitExceeded { limit: "size", value, bound }
            })?;
            Ok((tail, size))
        });
        let (tail, size) = match encoded {
            Ok(done) => done,
            Err(error) => {
                self.scratch.clear();
                return Err(error);
            }
        };
        if let Some(field) = self.scratch.get_mut(MessageHeader::LEN - 4..MessageHeader::LEN) {
            field.copy_from_slice(&size.to_le_bytes());
        }
        let head = self.scratch.split().freeze();
        let item = Item { lane, kind, tag, head, tail };
        let queued = &mut self.queued[lane as usize];
        *queued = queued.saturating_add(item.head.len()).saturating_add(item.tail.len());
        match lane {
            Lane::Control => self.control.push_back(item),
            Lane::Files => self.files.push_back(item),
        }
        Ok(())
    }

    /// The next chunk to be sent.
    pub fn next_chunk(&mut self) -> Option<Chunk> {
        let mut item = match self.begun.take() {
            Some(item) => item,
            None => self.control.pop_front().or_else(|| self.files.pop_front())?,
        };
        let data = if item.head.is_empty() {
            item.tail.split_to(item.tail.len().min(CHUNK_LEN))
        } else if item.tail.is_empty() || item.head.len() >= CHUNK_LEN {
            item.head.split_to(item.head.len().min(CHUNK_LEN))
        } else {
            let room = (CHUNK_LEN - item.head.len()).min(item.tail.len());
            self.reserve_scratch();
            self.scratch.extend_from_slice(&core::mem::take(&mut item.head));
            self.scratch.extend_from_slice(&item.tail.split_to(room));
            self.scratch.split().freeze()
        };
        let queued = &mut self.queued[item.lane as usize];
        *queued = queued.saturating_sub(data.len());
        if item.head.is_empty() && item.tail.is_empty() {
            return Some(Chunk { data, done: Some((item.kind, item.tag)) });
        }
        self.begun = Some(item);
        Some(Chunk { data, done: None })
    }

    /// Drops the messages that have not begun and for which `keep` says no.
    pub fn retain(&mut self, mut keep: impl FnMut(MessageType, u32) -> bool) {
        for lane in [&mut self.control, &mut self.files] {
            lane.retain(|item| {
                let kept = keep(item.kind, item.tag);
                if !kept {
                    let queued = &mut self.queued[item.lane as usize];
                    *queued = queued.saturating_sub(item.head.len() + item.tail.len());
                }
                kept
            });
        }
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.begun.is_none() && self.control.is_empty() && self.files.is_empty()
    }

    /// Whether a message has begun but not ended.
    pub fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// Bytes that wait in one lane, headers included.
    pub fn queued(&self, lane: Lane) -> usize {
        self.queued[lane as usize]
    }

    /// Messages that wait in one lane and have not begun.
    pub fn waiting(&self, lane: Lane) -> usize {
        match lane {
            Lane::Control => self.control.len(),
            Lane::Files => self.files.len(),
        }
    }

    fn reserve_scratch(&mut self) {
        if self.scratch.capacity() < CHUNK_LEN {
            self.scratch.reserve(SCRATCH);
        }
    }
}

/// Room in bytes for headers and first chunks; 8 chunks, so that what is in flight seldom holds on to two of them.
const SCRATCH: usize = 8 * CHUNK_LEN;
