//! What becomes of a command that has an answer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures::channel::oneshot;

use crate::agent::Error;

/// How a command fared, as a future. The command is on its way whether or not this is awaited, and goes on when it is
/// dropped.
#[derive(Debug)]
pub struct Answer<T> {
    receiver: oneshot::Receiver<Result<T, Error>>,
    dropped: Arc<AtomicBool>,
}

/// The driver's end of an [`Answer`]. Dropping it says that the session is over.
pub(crate) struct Waiting<T> {
    answer: Box<dyn FnOnce(Result<T, Error>) + Send>,
    dropped: Arc<AtomicBool>,
}

impl<T: Send + 'static> Answer<T> {
    pub(crate) fn new() -> (Waiting<T>, Self) {
        let (sender, receiver) = oneshot::channel();
        // Nobody need be listening.
        let answer = move |result| drop(sender.send(result));
        let dropped = Arc::new(AtomicBool::new(false));
        (Waiting { answer: Box::new(answer), dropped: Arc::clone(&dropped) }, Self { receiver, dropped })
    }
}

impl<T: Send + 'static> Waiting<T> {
    pub(crate) fn answer(self, result: Result<T, Error>) {
        (self.answer)(result);
    }

    /// Whether nobody waits any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.dropped.load(Ordering::Acquire)
    }

    /// Somebody who waits for something else, made of this by `outcome`.
    pub(crate) fn of<U>(self, outcome: impl FnOnce(U) -> T + Send + 'static) -> Waiting<U> {
        let dropped = Arc::clone(&self.dropped);
        let answer = move |result: Result<U, Error>| self.answer(result.map(outcome));
        Waiting { answer: Box::new(answer), dropped }
    }
}

impl<T> fmt::Debug for Waiting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waiting")
    }
}

impl<T> Future for Answer<T> {
    /// [`Error::SessionOver`] when the session ended first.
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.receiver).poll(cx).map(|result| result.unwrap_or(Err(Error::SessionOver)))
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::Release);
    }
}
