//! Memory of released pictures, for the next ones.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use super::picture::Picture;

/// Pictures that nobody looks at any more: some, since a sender lets go of about as many pixels as it sends. New memory
/// would have to be cleared first.
#[derive(Debug, Default)]
pub(super) struct Spare {
    /// By their bytes, and by when they came.
    pictures: BTreeMap<(usize, u64), Arc<Picture>>,
    /// Bytes of each, by when it came. INVARIANT: the same as in `pictures`.
    ages: BTreeMap<u64, usize>,
    /// INVARIANT: the bytes of all of them.
    bytes: usize,
    added: u64,
}

impl Spare {
    /// Keeps a picture, in the place of older ones if need be.
    pub(super) fn add(&mut self, mut picture: Arc<Picture>) {
        let bytes = picture.pixels.capacity();
        // Whoever holds a weak reference may look at it again, too.
        if bytes > MAX_BYTES || Arc::get_mut(&mut picture).is_none() {
            return;
        }
        self.bytes += bytes;
        self.added += 1;
        self.ages.insert(self.added, bytes);
        self.pictures.insert((bytes, self.added), picture);
        self.shrink_to(MAX_BYTES);
    }

    /// Lets go of the oldest until there are no more than `bytes`, or very few.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        while self.pictures.len() > MAX_PICTURES || self.bytes > bytes.clamp(FEW_BYTES, MAX_BYTES) {
            let Some((age, bytes)) = self.ages.pop_first() else { break };
            self.pictures.remove(&(bytes, age));
            self.bytes -= bytes;
        }
    }

    /// Takes the smallest picture with room for `bytes`, but not so much that small images would sit in large memory.
    pub(super) fn take(&mut self, bytes: usize) -> Option<Arc<Picture>> {
        let room = room(bytes);
        let most = room.saturating_add(room / 4);
        let key = *self.pictures.range((bytes, 0)..=(most, u64::MAX)).next()?.0;
        self.ages.remove(&key.1);
        self.bytes -= key.0;
        self.pictures.remove(&key)
    }
}

/// Bytes to reserve for a picture of `bytes`: up to an eighth more, so that those of about the same size can take over
/// each other's memory.
pub(super) fn room(bytes: usize) -> usize {
    let step = (bytes >> 3).next_power_of_two() >> 1;
    bytes.checked_next_multiple_of(step.max(1)).unwrap_or(bytes)
}

/// Most pictures kept, and most bytes of their pixels: what is on a full-HD screen.
const MAX_PICTURES: usize = 256;
const MAX_BYTES: usize = 8 << 20;
/// So many bytes may be kept at any time.
const FEW_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::lz::ImageType;
    use crate::pixels::{Header, PixelFormat, RowOrder};

    fn picture(bytes: usize) -> Arc<Picture> {
        let (format, rows) = (PixelFormat::Bgrx, RowOrder::TopDown);
        let header = Header { width: 1, height: 1, format, rows, indexed: false };
        let pixels = Vec::with_capacity(bytes);
        Arc::new(Picture { id: 0, oldest: 0, image_type: ImageType::Rgb32, header, pixels, alpha: None })
    }

    #[test]
    fn room_is_at_most_an_eighth_more() {
        for bytes in (0..5000).chain([1 << 20, (1 << 20) + 1, usize::MAX]) {
            let room = room(bytes);
            assert!(room >= bytes && room - bytes <= bytes / 8, "{bytes}: {room}");
        }
    }

    #[test]
    fn memory_goes_to_a_picture_of_about_its_size() {
        let mut spare = Spare::default();
        spare.add(picture(4096));
        spare.add(picture(6000));
        assert!(spare.take(6001).is_none() && spare.take(3000).is_none());
        assert_eq!(spare.take(4000).unwrap().pixels.capacity(), 4096, "the smallest that is large enough");
        assert_eq!(spare.take(5000).unwrap().pixels.capacity(), 6000);
        let shared = picture(4096);
        spare.add(shared.clone());
        assert!(spare.take(4096).is_none(), "somebody still looks at it");
        let observed = picture(4096);
        let observer = Arc::downgrade(&observed);
        spare.add(observed);
        assert!(spare.take(4096).is_none() && observer.upgrade().is_none(), "somebody may look at it again");
        assert_eq!(spare.bytes, 0);
    }

    #[test]
    fn little_is_kept() {
        let mut spare = Spare::default();
        (0..1000).for_each(|_| spare.add(picture(64)));
        assert_eq!(spare.pictures.len(), MAX_PICTURES);
        (0..10).for_each(|_| spare.add(picture(MAX_BYTES / 3)));
        assert_eq!((spare.pictures.len(), spare.bytes), (3, MAX_BYTES / 3 * 3));
        spare.add(picture(MAX_BYTES + 1));
        assert_eq!((spare.pictures.len(), spare.ages.len()), (3, 3));
        spare.add(picture(64));
        spare.shrink_to(MAX_BYTES / 2);
        assert_eq!(spare.bytes, MAX_BYTES / 3 + 64, "the oldest go");
        spare.shrink_to(0);
        assert_eq!(spare.bytes, 64);
    }
}
