//! Pictures decoded ahead, on other threads, while the messages before theirs are still being drawn.
//!
//! [`Decoders`] are given messages as they arrive, in any number; each comes back at once as a [`Prepared`] message, to
//! be applied in the order of arrival like any other. By then its picture may have been decoded; a canvas that has to
//! wait for it decodes those after it meanwhile. Nothing else changes: the same pixels, the same caches, the same
//! events, the same errors.
//!
//! Only pictures that depend on nothing but their own bytes are decoded ahead: QUIC, LZ of true colours, LZ4, JPEG.
//! Pictures of the GLZ window refer to those before them, and remain the canvas's.
//!
//! ```
//! use std::sync::mpsc::sync_channel;
//! use std::thread;
//!
//! use spice_client::canvas::{AheadLimits, Canvas, CanvasConfig, Decoders, SharedCaches};
//! use spice_proto::msg::display::ServerMessage;
//!
//! # fn draw(arriving: impl Iterator<Item = ServerMessage>) -> Result<(), Box<dyn std::error::Error>> {
//! let config = CanvasConfig::default();
//! let decoders = Decoders::new(2, &config.limits, AheadLimits::default())?;
//! // As many messages as lie in this queue have their pictures decoded while others are drawn.
//! let (queue, drawn) = sync_channel(64);
//! let painter = thread::spawn(move || {
//!     let mut canvas = Canvas::new(config, SharedCaches::default());
//!     for prepared in drawn {
//!         canvas.apply_prepared(&prepared)?;
//!     }
//!     Ok::<_, spice_client::canvas::CanvasError>(canvas)
//! });
//! for message in arriving {
//!     queue.send(decoders.prepare(message))?;
//! }
//! drop(queue);
//! let canvas = painter.join().expect("no panic")?;
//! # Ok(()) }
//! # draw(std::iter::empty()).unwrap();
//! ```

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use spice_proto::msg::display::{Image, ServerMessage};
use spice_proto::wire::Ptr;

use crate::canvas::cache::Picture;
use crate::canvas::config::CanvasLimits;
use crate::canvas::images::{Images, is_independent};
use crate::canvas::outcome::Reason;

/// Threads that decode pictures ahead, for any number of canvases. Dropping it ends them; what they have not begun the
/// canvases decode themselves.
#[derive(Debug)]
pub struct Decoders {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    limits: AheadLimits,
}

/// What may be decoded and not yet drawn. Beyond it messages go to the canvas as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AheadLimits {
    /// Most bytes of decoded pictures, from [`Decoders::prepare`] until the [`Prepared`] message is dropped.
    /// 64 MiB: two screens of 4096 × 2048 pixels. A picture that goes into the pixmap cache counts there as well.
    pub bytes: u64,
    /// Fewest pixels worth a hand-over between threads. 1024: the smallest pictures are decoded in microseconds.
    pub least_pixels: u64,
}

impl AheadLimits {
    /// Other bounds than the [default](Self::default).
    pub const fn new(bytes: u64, least_pixels: u64) -> Self {
        Self { bytes, least_pixels }
    }
}

impl Default for AheadLimits {
    fn default() -> Self {
        Self::new(64 << 20, 1024)
    }
}

/// A message on its way to a canvas, whose picture is, may be or was decoded ahead; from [`Decoders::prepare`].
///
/// It keeps the decoded picture until it is dropped.
#[derive(Debug)]
pub struct Prepared {
    message: ServerMessage,
    ahead: Option<Ahead>,
}

/// The picture of a [`Prepared`] message, and those that come after it.
#[derive(Debug)]
struct Ahead {
    work: Arc<Work>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    more: Condvar,
    /// Bytes that all pictures together take or will take.
    bytes: Arc<AtomicU64>,
    canvas: CanvasLimits,
}

#[derive(Debug, Default)]
struct Queue {
    works: VecDeque<Arc<Work>>,
    over: bool,
}

/// One picture to be decoded.
#[derive(Debug)]
struct Work {
    image: Image,
    state: Mutex<State>,
    changed: Condvar,
    size: u64,
    /// Everybody's sum, in which `size` counts as long as this exists.
    bytes: Arc<AtomicU64>,
}

#[derive(Debug)]
enum State {
    Queued,
    Running,
    Done(Result<Picture, Reason>),
    /// The canvas has come first, or nobody needs it any more.
    Left,
}

impl Decoders {
    /// Starts `threads` threads, at least one, for canvases with these limits.
    ///
    /// # Errors
    /// When the operating system has no more threads.
    pub fn new(threads: usize, canvas: &CanvasLimits, limits: AheadLimits) -> io::Result<Self> {
        let mut decoders = Self { shared: Arc::new(Shared::new(canvas)), threads: Vec::new(), limits };
        for _ in 0..threads.max(1) {
            let shared = decoders.shared.clone();
            let thread = thread::Builder::new().name("spice-decoder".into());
            decoders.threads.push(thread.spawn(move || shared.work())?);
        }
        Ok(decoders)
    }

    /// Takes a message that a canvas is going to draw, and has its picture decoded if that can be done ahead. Returns
    /// at once.
    pub fn prepare(&self, message: ServerMessage) -> Prepared {
        let work = source(&message).and_then(|image| self.submit(image));
        let ahead = work.map(|work| Ahead { work, shared: self.shared.clone() });
        Prepared { message, ahead }
    }

    /// Bytes of pictures that are decoded ahead or about to be.
    pub fn bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::Relaxed)
    }

    fn submit(&self, image: &Image) -> Option<Arc<Work>> {
        let pixels = u64::from(image.width) * u64::from(image.height);
        if !is_independent(image) || pixels < self.limits.least_pixels {
            return None;
        }
        let (bytes, size) = (&self.shared.bytes, pixels.saturating_mul(4));
        let room = |sum: u64| sum.checked_add(size).filter(|sum| *sum <= self.limits.bytes);
        bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).ok()?;
        let (state, changed) = (Mutex::new(State::Queued), Condvar::new());
        let work = Arc::new(Work { image: image.clone(), state, changed, size, bytes: bytes.clone() });
        lock(&self.shared.queue).works.push_back(work.clone());
        self.shared.more.notify_one();
        Some(work)
    }
}

impl Drop for Decoders {
    fn drop(&mut self) {
        let left = {
            let mut queue = lock(&self.shared.queue);
            queue.over = true;
            std::mem::take(&mut queue.works)
        };
        self.shared.more.notify_all();
        drop(left);
        for thread in self.threads.drain(..) {
            // A thread that panicked has let go of its picture, which the canvas decodes.
            let _ = thread.join();
        }
    }
}

impl Prepared {
    /// The message.
    pub fn message(&self) -> &ServerMessage {
        &self.message
    }

    /// What was decoded ahead. `None`: the canvas is to do it. Until a picture that is just being decoded is there,
    /// the caller's thread decodes those that come after it.
    pub(super) fn picture(&self, images: &mut Images) -> Option<Result<Picture, Reason>> {
        let Ahead { work, shared } = self.ahead.as_ref()?;
        while work.is_running() {
            let Some(later) = lock(&shared.queue).works.pop_front() else { break };
            later.run(images, &shared.canvas);
        }
        work.take()
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if let Some(ahead) = &self.ahead {
            ahead.work.leave();
        }
    }
}

impl Shared {
    fn new(canvas: &CanvasLimits) -> Self {
        let (queue, more, bytes) = (Mutex::default(), Condvar::new(), Arc::default());
        Self { queue, more, bytes, canvas: canvas.clone() }
    }

    /// A thread's life.
    fn work(&self) {
        let mut images = Images::default();
        while let Some(work) = self.next() {
            work.run(&mut images, &self.canvas);
        }
    }

    fn next(&self) -> Option<Arc<Work>> {
        let mut queue = lock(&self.queue);
        loop {
            if queue.over {
                return None;
            }
            if let Some(work) = queue.works.pop_front() {
                return Some(work);
            }
            queue = self.more.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Work {
    /// Decodes the picture, unless somebody else has begun or nobody needs it any more.
    fn run(&self, images: &mut Images, limits: &CanvasLimits) {
        if self.begin() {
            let unfinished = Unfinished(self);
            let picture = images.picture(&self.image, limits);
            images.shrink_to(limits.scratch_bytes);
            drop(unfinished.0.finish(State::Done(picture)));
        }
    }

    fn is_running(&self) -> bool {
        matches!(*lock(&self.state), State::Running)
    }

    fn begin(&self) -> bool {
        let mut state = lock(&self.state);
        let queued = matches!(*state, State::Queued);
        if queued {
            *state = State::Running;
        }
        queued
    }

    /// Ends what is running; gives back what is there instead.
    fn finish(&self, outcome: State) -> Option<State> {
        let mut state = lock(&self.state);
        let before = matches!(*state, State::Running).then(|| std::mem::replace(&mut *state, outcome));
        self.changed.notify_all();
        before
    }

    fn take(&self) -> Option<Result<Picture, Reason>> {
        let mut state = lock(&self.state);
        loop {
            match &*state {
                State::Done(picture) => return Some(picture.clone()),
                State::Left => return None,
                State::Queued => {
                    *state = State::Left;
                    return None;
                }
                State::Running => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn leave(&self) {
        let before = std::mem::replace(&mut *lock(&self.state), State::Left);
        drop(before);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.bytes.fetch_sub(self.size, Ordering::Relaxed);
    }
}

/// Lets go of a picture when its decoder panics.
struct Unfinished<'a>(&'a Work);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.finish(State::Left);
    }
}

/// What is behind these locks is whole between any two steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The picture that a message draws.
fn source(message: &ServerMessage) -> Option<&Image> {
    let pointer: &Option<Ptr<Image>> = match message {
        ServerMessage::DrawCopy(m) => &m.src_bitmap,
        ServerMessage::DrawBlend(m) => &m.src_bitmap,
        ServerMessage::DrawOpaque(m) => &m.src_bitmap,
        ServerMessage::DrawRop3(m) => &m.src_bitmap,
        ServerMessage::DrawTransparent(m) => &m.src_bitmap,
        ServerMessage::DrawAlphaBlend(m) => &m.src_bitmap,
        ServerMessage::DrawComposite(m) => &m.composite.src_bitmap,
        _ => return None,
    };
    pointer.as_deref()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::canvas::tests::parallel::pictures;

    #[test]
    fn who_waits_for_a_picture_decodes_those_after_it() {
        // Nobody else is there to do it.
        let shared = Arc::new(Shared::new(&CanvasLimits::default()));
        let decoders = Decoders { shared, threads: Vec::new(), limits: AheadLimits::new(1 << 20, 0) };
        let all: Vec<_> = pictures(4).map(|message| decoders.prepare(message)).collect();
        let works: Vec<_> =
            all.iter().map(|prepared| prepared.ahead.as_ref().unwrap().work.clone()).collect();
        assert!(works[0].begin() && works[2].begin());
        // Another thread takes so long for the first that there is time for all others.
        let other = thread::spawn({
            let works = works.clone();
            move || {
                let begun = Instant::now();
                let is_done = |work: &Work| matches!(*lock(&work.state), State::Done(_));
                while !(is_done(&works[1]) && is_done(&works[3])) && begun.elapsed() < Duration::from_secs(60)
                {
                    thread::yield_now();
                }
                works[0].finish(State::Done(Err(Reason::NoImage)));
            }
        });
        let mut images = Images::default();
        assert!(matches!(all[0].picture(&mut images), Some(Err(Reason::NoImage))));
        other.join().unwrap();
        assert!(works[2].is_running(), "what others have begun is theirs");
        for index in [1, 3] {
            assert!(matches!(all[index].picture(&mut images), Some(Ok(_))), "picture {index}");
        }
    }
}
