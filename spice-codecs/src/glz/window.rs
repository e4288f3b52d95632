//! The dictionary: decoded images that later ones may refer to.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::picture::Picture;
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
/// the sender has let go of it.
#[derive(Debug, Default)]
pub struct Window {
    limits: WindowLimits,
    pictures: BTreeMap<u64, Arc<Picture>>,
    /// The smallest id not yet received.
    next: u64,
    /// Everything below has been released.
    oldest: u64,
    /// INVARIANT: sums over `pictures`.
    pixels: u64,
    bytes: u64,
    /// Why nothing can be relied on any more. INVARIANT: then nothing is held.
    lost: Option<CodecError>,
    /// Released pictures, for their memory.
    spare: Vec<Arc<Picture>>,
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
        match self.pictures.get(&id) {
            Some(picture) => Ok(Some(picture.clone())),
            None if id < self.oldest.max(self.next) => Err(error(ErrorKind::MissingImage(id))),
            None => Ok(None),
        }
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
        if id < self.next || id < self.oldest || self.pictures.contains_key(&id) {
            return Err(error(ErrorKind::DuplicateImage(id)));
        }
        let pixels = self.pixels.saturating_add(picture.header.pixels());
        let bytes = self.bytes.saturating_add(picture.cost());
        self.pictures.insert(id, picture);
        (self.pixels, self.bytes) = (pixels, bytes);
        self.release();
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
        self.pictures.len()
    }

    /// Whether no image is held.
    pub fn is_empty(&self) -> bool {
        self.pictures.is_empty()
    }

    /// Pixels of all images held.
    pub fn pixels(&self) -> u64 {
        self.pixels
    }

    /// Bytes of all images held, bookkeeping included.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A released picture that nobody looks at any more, to be overwritten: one with room for `bytes`, but not
    /// so much that small images would sit in large memory.
    pub(super) fn take_spare(&mut self, bytes: usize) -> Option<Arc<Picture>> {
        let fits = |picture: &Arc<Picture>| {
            let room = picture.pixels.capacity();
            bytes <= room
                && room <= bytes.saturating_mul(2).saturating_add(256)
                && Arc::strong_count(picture) == 1
        };
        let at = self.spare.iter().position(fits)?;
        Some(self.spare.swap_remove(at))
    }

    fn release(&mut self) {
        let mut newest = None;
        while let Some(picture) = self.pictures.get(&self.next) {
            newest = Some(picture.oldest);
            // An id of `u64::MAX` is the last one possible and needs no successor.
            self.next = self.next.saturating_add(1);
            if self.next == u64::MAX {
                break;
            }
        }
        let Some(oldest) = newest else { return };
        self.oldest = self.oldest.max(oldest);
        while let Some(first) = self.pictures.first_entry() {
            if *first.key() >= self.oldest {
                break;
            }
            let picture = first.remove();
            self.pixels -= picture.header.pixels();
            self.bytes -= picture.cost();
            if picture.pixels.capacity() > MAX_SPARE_BYTES {
                continue;
            }
            if self.spare.len() == MAX_SPARE {
                self.spare.swap_remove(0);
            }
            self.spare.push(picture);
        }
    }
}

/// Released pictures kept for their memory. Few: a sender lets go of about one per image sent.
const MAX_SPARE: usize = 4;
/// Largest released picture kept for its memory: a full-HD one.
const MAX_SPARE_BYTES: usize = 8 << 20;

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
