//! The dictionary: decoded images that later ones may refer to.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;

use super::picture::Picture;
use super::spare::Spare;
use crate::error::{Codec, CodecError, ErrorKind};

/// Bounds of a [`Window`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WindowLimits {
    /// Most pixels of a single image: the window size that the client announced, since the sender has to fit
    /// every image into it.
    pub image_pixels: u64,
    /// Most pixels of all images held. An honest sender needs the window size, and more only while images of
    /// different display channels overtake each other; the default is four times the window size.
    pub held_pixels: u64,
    /// Most bytes of all images held, about 256 bytes of bookkeeping for each included; the default is four
    /// bytes for each of `held_pixels`, and 16 MiB.
    pub held_bytes: u64,
}

impl WindowLimits {
    /// The bounds for a window of `pixels`, the size announced in `DisplayChannel.init`.
    pub const fn for_window(pixels: u64) -> Self {
        let held_pixels = pixels.saturating_mul(4);
        let held_bytes = held_pixels.saturating_mul(4).saturating_add(16 << 20);
        Self { image_pixels: pixels, held_pixels, held_bytes }
    }
}

impl Default for WindowLimits {
    /// A window of 16 Mi pixels, 64 MiB.
    fn default() -> Self {
        Self::for_window(1 << 24)
    }
}

/// The decoded images of one client connection, shared by all its display channels.
///
/// Images may arrive in any order. One is kept until the newest image below which none is missing says that
/// the sender has let go of it, which counts from when that image begins to be decoded.
#[derive(Debug, Default)]
pub struct Window {
    limits: WindowLimits,
    /// Those that came in turn, without a gap up to `next`.
    held: VecDeque<Arc<Picture>>,
    /// Those that came before an older one. INVARIANT: none is `next` or below.
    ahead: BTreeMap<u64, Arc<Picture>>,
    /// The smallest id not yet received.
    next: u64,
    /// INVARIANT: sums over `held` and `ahead`.
    pixels: u64,
    bytes: u64,
    /// The most that `bytes` has been.
    most: u64,
    /// Why nothing can be relied on any more. INVARIANT: then nothing is held.
    lost: Option<CodecError>,
    spare: Spare,
}

impl Window {
    /// An empty window.
    pub fn new(limits: WindowLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Forgets everything, as after a disconnect or a migration that is not seamless. Ids begin at 0 again.
    pub fn reset(&mut self) {
        *self = Self::new(self.limits);
    }

    /// The image `id`, or `None` if it has not arrived.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MissingImage`] if it cannot arrive any more, and the error of a window that is lost.
    pub fn get(&self, id: u64) -> Result<Option<Arc<Picture>>, CodecError> {
        if let Some(lost) = self.lost {
            return Err(lost);
        }
        if id >= self.next {
            return Ok(self.ahead.get(&id).cloned());
        }
        // Counted from the end, since those before the first have been released.
        let back = usize::try_from(self.next - id).unwrap_or(usize::MAX);
        let picture = self.held.len().checked_sub(back).and_then(|at| self.held.get(at));
        picture.cloned().map(Some).ok_or(error(ErrorKind::MissingImage(id)))
    }

    /// Adds a complete image and releases those that nothing can refer to any more.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::DuplicateImage`], and [`ErrorKind::Limit`] if the window would hold too much: it is lost then, lets
    /// go of everything, and gives that error until it is [reset](Self::reset).
    pub fn insert(&mut self, picture: Arc<Picture>) -> Result<(), CodecError> {
        if let Some(lost) = self.lost {
            return Err(lost);
        }
        let id = picture.id;
        // No connection lives to see the last id.
        if id < self.next || id == u64::MAX || self.ahead.contains_key(&id) {
            return Err(error(ErrorKind::DuplicateImage(id)));
        }
        self.pixels = self.pixels.saturating_add(picture.header.pixels());
        self.bytes = self.bytes.saturating_add(picture.cost());
        self.most = self.most.max(self.bytes);
        if id == self.next {
            self.held.push_back(picture);
            self.next += 1;
            self.catch_up();
            self.release();
        } else {
            self.ahead.insert(id, picture);
        }
        let fits = limit("held_pixels", self.pixels, self.limits.held_pixels)
            .and_then(|()| limit("held_bytes", self.bytes, self.limits.held_bytes));
        if let Err(lost) = fits {
            *self = Self { lost: Some(lost), ..Self::new(self.limits) };
        }
        fits
    }

    /// The bounds.
    pub fn limits(&self) -> &WindowLimits {
        &self.limits
    }

    /// Number of images held.
    pub fn len(&self) -> usize {
        self.held.len() + self.ahead.len()
    }

    /// Whether no image is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pixels of all images held.
    pub fn pixels(&self) -> u64 {
        self.pixels
    }

    /// Bytes of all images held, bookkeeping included.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What an image that is about to be decoded lets go of. Then it can have their memory.
    pub(super) fn make_way(&mut self, id: u64, oldest: u64) {
        // Only when none is missing before it: one of those may need what this one does not.
        if id == self.next {
            self.release_before(oldest);
        }
    }

    /// A released picture with room for `bytes`, to be overwritten. If there is none, others make room for a new one.
    pub(super) fn take_spare(&mut self, bytes: usize) -> Option<Arc<Picture>> {
        let taken = self.spare.take(bytes);
        if taken.is_none() {
            self.shrink_spare(bytes as u64);
        }
        taken
    }

    /// Keeps so little for later that it takes, with a picture of `bytes`, no more than it has taken already.
    fn shrink_spare(&mut self, bytes: u64) {
        let free = self.most.saturating_sub(self.bytes.saturating_add(bytes));
        self.spare.shrink_to(usize::try_from(free).unwrap_or(usize::MAX));
    }

    /// Takes over those that had come too early and whose turn it is now.
    fn catch_up(&mut self) {
        while let Some(first) = self.ahead.first_entry().filter(|first| *first.key() == self.next) {
            self.held.push_back(first.remove());
            self.next += 1;
        }
    }

    /// Lets go of what the sender has let go of.
    fn release(&mut self) {
        if let Some(oldest) = self.held.back().map(|newest| newest.oldest) {
            self.release_before(oldest);
        }
    }

    fn release_before(&mut self, oldest: u64) {
        while let Some(picture) = self.held.pop_front_if(|first| first.id < oldest) {
            self.pixels -= picture.header.pixels();
            self.bytes -= picture.cost();
            self.spare.add(picture);
        }
        self.shrink_spare(0);
    }
}

/// Brief access to a window that others use too.
///
/// A decoder takes the window for look-ups and insertions only, never while it decodes. A [`Window`] of one's own
/// lends itself; one that several threads share goes behind a lock, in a type whose `with` takes it:
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use spice_codecs::glz::{Access, Window};
///
/// struct Shared(Arc<Mutex<Window>>);
///
/// impl Access for Shared {
///     fn with<R>(&mut self, f: impl FnOnce(&mut Window) -> R) -> R {
///         f(&mut self.0.lock().unwrap())
///     }
/// }
/// ```
pub trait Access {
    /// Calls `f` with the window.
    fn with<R>(&mut self, f: impl FnOnce(&mut Window) -> R) -> R;
}

impl Access for Window {
    fn with<R>(&mut self, f: impl FnOnce(&mut Window) -> R) -> R {
        f(self)
    }
}

impl<A: Access> Access for &mut A {
    fn with<R>(&mut self, f: impl FnOnce(&mut Window) -> R) -> R {
        (**self).with(f)
    }
}

impl Access for &core::cell::RefCell<Window> {
    fn with<R>(&mut self, f: impl FnOnce(&mut Window) -> R) -> R {
        f(&mut self.borrow_mut())
    }
}

pub(super) fn limit(limit: &'static str, value: u64, bound: u64) -> Result<(), CodecError> {
    if value <= bound { Ok(()) } else { Err(error(ErrorKind::Limit { limit, value, bound })) }
}

fn error(kind: ErrorKind) -> CodecError {
    CodecError::new(Codec::Glz, 0, kind)
}
