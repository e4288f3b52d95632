//! Pictures and palettes that the server refers to again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use spice_codecs::{PixelFormat, RowOrder, glz};
use spice_proto::types::{ImageId, PaletteId};

use crate::canvas::config::CacheConfig;
use crate::canvas::outcome::{Blocked, CanvasError};
use crate::canvas::share::Share;
use crate::canvas::surface::View;

/// The pixmap cache and the GLZ window of one session.
///
/// All canvases of a session get clones of one value, so that one display channel can use what another brought.
/// They may live on different threads. A new session, also one after a migration that is not seamless, gets a
/// new value, or calls [`clear`](Self::clear).
#[derive(Clone, Debug)]
pub struct SharedCaches {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pixmaps: Mutex<Pixmaps>,
    window: Mutex<glz::Window>,
    /// Bytes of the surfaces of all canvases.
    surfaces: Arc<AtomicU64>,
    /// Pictures that have come, in both caches.
    arrivals: AtomicU64,
}

impl Default for SharedCaches {
    /// Of the sizes that are announced by default.
    fn default() -> Self {
        Self::new(CacheConfig::default())
    }
}

impl SharedCaches {
    /// Empty caches of the announced sizes.
    pub fn new(config: CacheConfig) -> Self {
        let window = glz::Window::new(glz::WindowLimits::for_window(config.glz_pixels));
        let pixmaps = Pixmaps { config, ..Pixmaps::default() };
        let (pixmaps, window) = (Mutex::new(pixmaps), Mutex::new(window));
        Self {
            shared: Arc::new(Shared {
                pixmaps,
                window,
                surfaces: Arc::default(),
                arrivals: AtomicU64::new(0),
            }),
        }
    }

    /// The sizes that were announced.
    pub fn config(&self) -> CacheConfig {
        self.pixmaps().config
    }

    /// Forgets everything, as after a disconnection.
    pub fn clear(&self) {
        self.pixmaps().clear();
        lock(&self.shared.window).reset();
    }

    /// Number of pictures in the pixmap cache.
    pub fn pictures(&self) -> usize {
        self.pixmaps().entries.len()
    }

    /// Bytes that the pixmap cache takes, bookkeeping included.
    pub fn picture_bytes(&self) -> u64 {
        self.pixmaps().bytes
    }

    /// Another number whenever there is something that somebody may have waited for.
    pub(super) fn arrivals(&self) -> u64 {
        self.shared.arrivals.load(Ordering::Acquire)
    }

    /// Whether a message that waits for this would go on, if only to learn that it waits in vain.
    pub(super) fn has(&self, what: Blocked) -> bool {
        let is_there =
            |id, lossless| matches!(self.pixmaps().get(id, lossless), Lookup::Found(_) | Lookup::Failed);
        match what {
            Blocked::Picture(id) => is_there(id, false),
            Blocked::LosslessPicture(id) => is_there(id, true),
            Blocked::GlzImage(id) => !matches!(lock(&self.shared.window).get(id), Ok(None)),
        }
    }

    /// Says that a picture has come.
    pub(super) fn arrived(&self) {
        self.shared.arrivals.fetch_add(1, Ordering::Release);
    }

    /// What a canvas's surfaces may take of the memory that all have together.
    pub(super) fn surface_share(&self) -> Share {
        Share::new(self.shared.surfaces.clone())
    }

    pub(super) fn pixmaps(&self) -> MutexGuard<'_, Pixmaps> {
        lock(&self.shared.pixmaps)
    }

    /// The GLZ window, to be taken for short moments by the decoder.
    pub(super) fn window(&self) -> SharedWindow<'_> {
        SharedWindow(&self.shared.window)
    }
}

/// The GLZ window behind its lock.
pub(super) struct SharedWindow<'a>(&'a Mutex<glz::Window>);

impl glz::Access for SharedWindow<'_> {
    fn with<R>(&mut self, f: impl FnOnce(&mut glz::Window) -> R) -> R {
        f(&mut lock(self.0))
    }
}

/// A poisoned lock only means that another canvas panicked; the maps are consistent between calls.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A decoded picture that may be shared.
#[derive(Clone, Debug)]
pub(super) enum Picture {
    /// Pixels of its own, top row first.
    Own(Arc<Pixels>),
    /// Pixels that the GLZ window holds too.
    Glz(Arc<glz::Picture>),
}

/// Rows without padding, top row first.
#[derive(Debug)]
pub(super) struct Pixels {
    pub(super) data: Vec<u8>,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) format: PixelFormat,
}

impl Picture {
    pub(super) fn view(&self) -> View<'_> {
        match self {
            Picture::Own(pixels) => View::packed(&pixels.data, pixels.width, pixels.height, pixels.format),
            Picture::Glz(picture) => {
                let header = picture.header();
                let view = View::packed(picture.bytes(), header.width, header.height, header.format);
                View { bottom_up: header.rows == RowOrder::BottomUp, ..view }
            }
        }
    }
}

/// The pixmap cache: what the server says is in it.
#[derive(Debug, Default)]
pub(super) struct Pixmaps {
    config: CacheConfig,
    entries: HashMap<ImageId, Entry>,
    /// INVARIANT: the sum of the costs of all entries.
    bytes: u64,
}

#[derive(Debug)]
struct Entry {
    /// `None` stands for a picture that could not be decoded, so that nobody waits for it.
    picture: Option<Picture>,
    lossy: bool,
    /// How many invalidations it takes to remove it: channels may add it again before they hear of the first.
    references: u32,
}

/// What the pixmap cache says about an id.
#[derive(Debug)]
pub(super) enum Lookup {
    Found(Picture),
    /// It came, and could not be decoded.
    Failed,
    /// It is there, but lossy.
    Lossy,
    Missing,
}

/// Bytes of bookkeeping counted for each entry.
const ENTRY_BYTES: u64 = 128;

impl Pixmaps {
    /// An image with CACHE_ME: a new entry, or another picture and one more reference.
    pub(super) fn add(
        &mut self,
        id: ImageId,
        picture: Option<Picture>,
        lossy: bool,
    ) -> Result<(), CanvasError> {
        let references = self.entries.get(&id).map_or(0, |entry| entry.references);
        self.store(id, Entry { picture, lossy, references: references.saturating_add(1) })
    }

    /// An image with CACHE_REPLACE_ME: a lossless picture instead of a lossy one, references as before.
    pub(super) fn replace(&mut self, id: ImageId, picture: Option<Picture>) -> Result<(), CanvasError> {
        let references = self.entries.get(&id).map_or(1, |entry| entry.references);
        self.store(id, Entry { picture, lossy: false, references })
    }

    pub(super) fn get(&self, id: ImageId, lossless: bool) -> Lookup {
        match self.entries.get(&id) {
            None => Lookup::Missing,
            Some(Entry { picture: None, .. }) => Lookup::Failed,
            Some(Entry { lossy: true, .. }) if lossless => Lookup::Lossy,
            Some(Entry { picture: Some(picture), .. }) => Lookup::Found(picture.clone()),
        }
    }

    /// INVAL_LIST of one picture. An unknown id is ignored.
    pub(super) fn release(&mut self, id: ImageId) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.references = entry.references.saturating_sub(1);
        if entry.references == 0 {
            self.bytes -= cost(entry);
            self.entries.remove(&id);
        }
    }

    /// INVAL_ALL_PIXMAPS.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }

    fn store(&mut self, id: ImageId, entry: Entry) -> Result<(), CanvasError> {
        let old = self.entries.get(&id).map_or(0, cost);
        let (value, bound) = (self.bytes - old + cost(&entry), self.config.pixmap_bytes());
        if value > bound {
            return Err(CanvasError::Limit { limit: "pixmap_pixels", value, bound });
        }
        self.entries.insert(id, entry);
        self.bytes = value;
        Ok(())
    }
}

fn cost(entry: &Entry) -> u64 {
    let pixels = match &entry.picture {
        None => 0,
        Some(Picture::Own(pixels)) => pixels.data.capacity(),
        Some(Picture::Glz(picture)) => picture.bytes().len(),
    };
    pixels as u64 + ENTRY_BYTES
}

/// The palettes of one display channel, as the server sent them.
#[derive(Debug, Default)]
pub(super) struct Palettes {
    entries: HashMap<PaletteId, Box<[u32]>>,
}

impl Palettes {
    /// Keeps a palette. `most` bounds their number.
    pub(super) fn add(&mut self, unique: PaletteId, colors: &[u32], most: usize) -> Result<(), CanvasError> {
        if !self.entries.contains_key(&unique) && self.entries.len() >= most {
            let value = self.entries.len() as u64 + 1;
            return Err(CanvasError::Limit { limit: "palettes", value, bound: most as u64 });
        }
        self.entries.insert(unique, colors.into());
        Ok(())
    }

    pub(super) fn get(&self, unique: PaletteId) -> Option<&[u32]> {
        self.entries.get(&unique).map(|colors| &**colors)
    }

    pub(super) fn remove(&mut self, unique: PaletteId) {
        self.entries.remove(&unique);
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(side: u32) -> Option<Picture> {
        let data = vec![0; (side * side * 4) as usize];
        Some(Picture::Own(Arc::new(Pixels { data, width: side, height: side, format: PixelFormat::Bgrx })))
    }

    #[test]
    fn an_entry_lives_as_long_as_its_references() {
        let mut cache = Pixmaps::default();
        cache.add(ImageId(1), picture(2), false).unwrap();
        cache.add(ImageId(1), picture(3), false).unwrap();
        cache.release(ImageId(1));
        let Lookup::Found(found) = cache.get(ImageId(1), true) else { panic!("one reference is left") };
        assert_eq!(found.view().width(), 3, "the newer picture");
        cache.release(ImageId(1));
        assert!(matches!(cache.get(ImageId(1), false), Lookup::Missing));
        cache.release(ImageId(1));
        assert_eq!(cache.bytes, 0);
    }

    #[test]
    fn a_lossless_picture_replaces_a_lossy_one() {
        let mut cache = Pixmaps::default();
        cache.add(ImageId(1), picture(2), true).unwrap();
        cache.add(ImageId(1), picture(2), true).unwrap();
        assert!(matches!(cache.get(ImageId(1), false), Lookup::Found(_)));
        assert!(matches!(cache.get(ImageId(1), true), Lookup::Lossy));
        cache.replace(ImageId(1), picture(2)).unwrap();
        assert!(matches!(cache.get(ImageId(1), true), Lookup::Found(_)));
        cache.release(ImageId(1));
        assert!(matches!(cache.get(ImageId(1), true), Lookup::Found(_)), "replacing keeps the count");
    }

    #[test]
    fn a_hole_is_not_waited_for() {
        let mut cache = Pixmaps::default();
        cache.add(ImageId(7), None, false).unwrap();
        assert!(matches!(cache.get(ImageId(7), false), Lookup::Failed));
        cache.clear();
        assert!(matches!(cache.get(ImageId(7), false), Lookup::Missing));
    }

    #[test]
    fn limit_pixmap_pixels() {
        let mut cache = Pixmaps { config: CacheConfig::new(0, 0), ..Pixmaps::default() };
        let bound = cache.config.pixmap_bytes();
        let most = bound / (512 * 512 * 4 + ENTRY_BYTES);
        for id in 0..most {
            cache.add(ImageId(id), picture(512), false).unwrap();
        }
        for id in most..most + 100 {
            let error = cache.add(ImageId(id), picture(512), false);
            assert!(matches!(error, Err(CanvasError::Limit { limit: "pixmap_pixels", .. })));
        }
        assert!(cache.bytes <= bound && cache.entries.len() as u64 == most, "checked before it is kept");
        let mut tiny = Pixmaps { config: CacheConfig::new(0, 0), ..Pixmaps::default() };
        assert!((0..200_000).any(|id| tiny.add(ImageId(id), None, false).is_err()), "holes count too");
    }

    #[test]
    fn limit_palettes() {
        let mut palettes = Palettes::default();
        palettes.add(PaletteId(1), &[0], 2).unwrap();
        palettes.add(PaletteId(2), &[0], 2).unwrap();
        palettes.add(PaletteId(2), &[5], 2).unwrap();
        assert_eq!(palettes.get(PaletteId(2)), Some(&[5][..]));
        assert!(matches!(
            palettes.add(PaletteId(3), &[0], 2),
            Err(CanvasError::Limit { limit: "palettes", .. })
        ));
        palettes.remove(PaletteId(2));
        palettes.add(PaletteId(3), &[0], 2).unwrap();
        palettes.clear();
        assert_eq!(palettes.get(PaletteId(3)), None);
    }
}
