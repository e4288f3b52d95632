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
    let budget = Arc::new(Budget::default());
    let receiver = EventReceiver { items: receiver, budget: Arc::clone(&budget) };
    (EventSender { items: sender, budget, bytes: bytes.max(1) }, receiver)
}

/// The driver's end.
pub(crate) struct EventSender {
    items: mpsc::Sender<Parcel>,
    budget: Arc<Budget>,
    bytes: usize,
}

/// The application's end.
#[derive(Debug)]
pub(crate) struct EventReceiver {
    items: mpsc::Receiver<Parcel>,
    budget: Arc<Budget>,
}

/// An item on its way.
#[derive(Debug)]
struct Parcel {
    item: Item,
    /// Bytes of its message.
    len: usize,
    /// Whether it is a frame that was due when it was sent.
    is_frame: bool,
}

#[derive(Debug, Default)]
struct Budget {
    /// Bytes of the messages whose events wait.
    waiting: AtomicUsize,
    /// Frames that wait.
    frames: AtomicUsize,
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
        self.send_parcel(Parcel { item, len, is_frame: false });
    }

    /// The same for a frame that is due.
    pub(crate) fn send_frame(&mut self, item: Item, len: usize) {
        self.budget.frames.fetch_add(1, Ordering::AcqRel);
        self.send_parcel(Parcel { item, len, is_frame: true });
    }

    /// Whether the application has taken every frame that was sent; otherwise wakes when it has taken one.
    pub(crate) fn poll_frames_taken(&self, cx: &Context<'_>) -> bool {
        let taken = || self.budget.frames.load(Ordering::Acquire) == 0;
        if !taken() {
            self.budget.sender.register(cx.waker());
        }
        taken()
    }

    fn send_parcel(&mut self, parcel: Parcel) {
        self.budget.waiting.fetch_add(parcel.len, Ordering::AcqRel);
        drop(self.items.start_send(parcel));
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
        let Some(parcel) = ready!(Pin::new(&mut self.items).poll_next(cx)) else {
            return Poll::Ready(None);
        };
        if parcel.is_frame {
            self.budget.frames.fetch_sub(1, Ordering::AcqRel);
        }
        if parcel.len > 0 || parcel.is_frame {
            self.budget.waiting.fetch_sub(parcel.len, Ordering::AcqRel);
            self.budget.sender.wake();
        }
        Poll::Ready(Some(parcel.item))
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
