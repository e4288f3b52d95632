//! Events of a channel that wait for the caller, counted in events and in bytes.

use alloc::collections::VecDeque;
use core::fmt;

use crate::channel::ChannelEvent;
use crate::limits::Limits;

/// Events in order, each with the serial and the length of the message it came from.
pub(super) struct EventQueue<E> {
    events: VecDeque<Queued<E>>,
    /// Bytes of messages that the events keep in memory.
    bytes: usize,
}

struct Queued<E> {
    serial: u64,
    len: usize,
    event: ChannelEvent<E>,
}

impl<E> fmt::Debug for EventQueue<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventQueue").field("events", &self.events.len()).field("bytes", &self.bytes).finish()
    }
}

impl<E> EventQueue<E> {
    pub(super) const fn new() -> Self {
        Self { events: VecDeque::new(), bytes: 0 }
    }

    pub(super) fn push(&mut self, serial: u64, len: usize, event: ChannelEvent<E>) {
        self.bytes = self.bytes.saturating_add(len);
        self.events.push_back(Queued { serial, len, event });
    }

    /// The first event, and the length of its message.
    pub(super) fn pop(&mut self) -> Option<(ChannelEvent<E>, usize)> {
        let Queued { len, event, .. } = self.events.pop_front()?;
        self.bytes = self.bytes.saturating_sub(len);
        Some((event, len))
    }

    /// Serial of the message that the first event came from.
    pub(super) fn serial(&self) -> Option<u64> {
        self.events.front().map(|queued| queued.serial)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Whether there is room for the events of one more message, whatever its length. An empty queue has room
    /// always, else nothing would ever happen.
    pub(super) fn has_room(&self, limits: &Limits) -> bool {
        self.is_empty() || self.events.len() < limits.queued_events && self.bytes < limits.queued_bytes
    }
}
