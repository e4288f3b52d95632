//! The way of events from the driver to the application, bounded in events and in bytes.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use futures::Stream;
use futures::channel::mpsc;
use futures::task::AtomicWaker;

use crate::error::ClientError;
use crate::event::Event;

type Item = Result<Event, ClientError>;

/// A queue in which about `count` events wait at most, and no more once their messages have `bytes` bytes.
pub(crate) fn channel(count: usize, bytes: usize) -> (EventSender, EventReceiver) {
    let (sender, receiver) = mpsc::channel(count.min(LARGEST_COUNT));
    let budget = Arc::new(Budget { waiting: AtomicUsize::new(0), sender: AtomicWaker::new() });
    let receiver = EventReceiver { items: receiver, budget: Arc::clone(&budget) };
    (EventSender { items: sender, budget, bytes: bytes.max(1) }, receiver)
}

/// The driver's end.
pub(crate) struct EventSender {
    items: mpsc::Sender<(Item, usize)>,
    budget: Arc<Budget>,
    bytes: usize,
}

/// The application's end.
#[derive(Debug)]
pub(crate) struct EventReceiver {
    items: mpsc::Receiver<(Item, usize)>,
    budget: Arc<Budget>,
}

#[derive(Debug)]
struct Budget {
    /// Bytes of the messages whose events wait.
    waiting: AtomicUsize,
    sender: AtomicWaker,
}

/// The application has dropped its end.
pub(crate) struct Gone;

impl EventSender {
    /// Whether there is room for an event.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        if ready!(self.items.poll_ready(cx)).is_err() {
            return Poll::Ready(Err(Gone));
        }
        if self.is_full() {
            self.budget.sender.register(cx.waker());
            // What has been taken in between has woken nobody.
            if self.items.is_closed() {
                return Poll::Ready(Err(Gone));
            }
            if self.is_full() {
                return Poll::Pending;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Sends an event whose message has `len` bytes; [`poll_ready`](Self::poll_ready) has just made sure of room.
    pub(crate) fn send(&mut self, item: Item, len: usize) {
        self.budget.waiting.fetch_add(len, Ordering::AcqRel);
        drop(self.items.start_send((item, len)));
    }

    /// Ends the queue behind what is in it.
    pub(crate) fn close(&mut self) {
        self.items.close_channel();
    }

    fn is_full(&self) -> bool {
        self.budget.waiting.load(Ordering::Acquire) >= self.bytes
    }
}

impl Stream for EventReceiver {
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        let Some((item, len)) = ready!(Pin::new(&mut self.items).poll_next(cx)) else {
            return Poll::Ready(None);
        };
        if len > 0 {
            self.budget.waiting.fetch_sub(len, Ordering::AcqRel);
            self.budget.sender.wake();
        }
        Poll::Ready(Some(item))
    }
}

impl Drop for EventReceiver {
    fn drop(&mut self) {
        // In this order, or the driver looks before there is something to see, and waits for ever.
        self.items.close();
        self.budget.sender.wake();
    }
}

/// More than anybody waits for; the queue's own bound lies higher.
const LARGEST_COUNT: usize = 1 << 16;
