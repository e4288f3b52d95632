//! Memory of released pictures, for the next ones.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::picture::Picture;

/// Pictures that nobody looks at any more: some, since a sender lets go of about as many pixels as it sends. New memory
/// would have to be cleared first.
#[derive(Debug, Default)]
pub(super) struct Spare {
    /// By [`class`] of their memory, each with its turn, the oldest first.
    classes: Vec<VecDeque<(u64, Arc<Picture>)>>,
    /// Class of each, by its turn, the oldest first. Some may have been taken.
    turns: VecDeque<(u64, usize)>,
    /// INVARIANT: how many there are in `classes`, and their bytes.
    len: usize,
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
        let class = class(bytes);
        if self.classes.len() <= class {
            self.classes.resize_with(class + 1, VecDeque::new);
        }
        let Some(alike) = self.classes.get_mut(class) else { return };
        alike.push_back((self.added, picture));
        if self.turns.is_empty() {
            self.turns.reserve(2 * MAX_PICTURES + 1);
        }
        self.turns.push_back((self.added, class));
        self.added += 1;
        self.len += 1;
        self.bytes += bytes;
        self.shrink_to(MAX_BYTES);
        if self.turns.len() > 2 * MAX_PICTURES {
            let oldest = |class: &usize| self.classes.get(*class)?.front().map(|(turn, _)| *turn);
            self.turns.retain(|(turn, class)| oldest(class).is_some_and(|oldest| oldest <= *turn));
        }
    }

    /// Lets go of the oldest until there are no more than `bytes`, or very few.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        while self.len > MAX_PICTURES || self.bytes > bytes.clamp(FEW_BYTES, MAX_BYTES) {
            let Some((turn, class)) = self.turns.pop_front() else { break };
            // Those before the first of a class have been taken.
            self.remove(class, |oldest, _| oldest == turn);
        }
    }

    /// Takes a picture with room for `bytes`, but not so much that small images would sit in large memory.
    pub(super) fn take(&mut self, bytes: usize) -> Option<Arc<Picture>> {
        let class = class(room(bytes));
        (class..class + NEAR).find_map(|class| self.remove(class, |_, capacity| capacity >= bytes))
    }

    /// Removes the oldest picture of a class if its turn and its bytes are as they should be.
    fn remove(&mut self, class: usize, is_it: impl Fn(u64, usize) -> bool) -> Option<Arc<Picture>> {
        let alike = self.classes.get_mut(class)?;
        let (_, picture) = alike.pop_front_if(|(turn, picture)| is_it(*turn, picture.pixels.capacity()))?;
        self.len -= 1;
        self.bytes -= picture.pixels.capacity();
        Some(picture)
    }
}

/// The class of memory of so many bytes. There are eight for each power of two, about as many as [`room`] has sizes.
fn class(bytes: usize) -> usize {
    let power = (bytes | 8).ilog2() - 3;
    8 * power as usize + (bytes >> power)
}

/// Classes in which memory is looked for: what is up to a quarter larger than need be.
const NEAR: usize = 3;

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
        assert_eq!(spare.len, MAX_PICTURES);
        (0..10).for_each(|_| spare.add(picture(MAX_BYTES / 3)));
        assert_eq!((spare.len, spare.bytes), (3, MAX_BYTES / 3 * 3));
        spare.add(picture(MAX_BYTES + 1));
        assert_eq!((spare.len, spare.turns.len()), (3, 3));
        spare.add(picture(64));
        spare.shrink_to(MAX_BYTES / 2);
        assert_eq!(spare.bytes, MAX_BYTES / 3 + 64, "the oldest go");
        spare.shrink_to(0);
        assert_eq!(spare.bytes, 64);
    }

    #[test]
    fn turns_of_what_has_been_taken_are_forgotten() {
        let mut spare = Spare::default();
        // The oldest one stays, so that nothing else removes turns.
        spare.add(picture(64));
        for round in 0..10 * MAX_PICTURES {
            spare.add(picture(4096));
            assert!(spare.take(4096).is_some());
            assert!(spare.turns.len() <= 2 * MAX_PICTURES, "round {round}");
        }
        assert_eq!((spare.len, spare.bytes), (1, 64));
        assert_eq!(spare.take(64).unwrap().pixels.capacity(), 64);
    }

    #[test]
    fn counts_stay_true() {
        let (mut spare, mut state) = (Spare::default(), 1_u64);
        let mut below = |bound: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % bound
        };
        for _ in 0..20_000 {
            let bits = 1 + below(22);
            let bytes = below(1 << bits);
            match below(64) {
                0 => spare.shrink_to(bytes),
                1..=24 => {
                    if let Some(taken) = spare.take(bytes) {
                        let capacity = taken.pixels.capacity();
                        assert!(
                            capacity >= bytes && capacity <= bytes + bytes / 2 + 2,
                            "{bytes}: {capacity}"
                        );
                    }
                }
                _ => spare.add(picture(room(bytes))),
            }
            let kept = || spare.classes.iter().flatten();
            assert_eq!(spare.len, kept().count());
            assert_eq!(spare.bytes, kept().map(|(_, picture)| picture.pixels.capacity()).sum::<usize>());
            assert!(spare.len <= MAX_PICTURES && spare.bytes <= MAX_BYTES);
            assert!(spare.turns.len() <= 2 * MAX_PICTURES);
        }
        spare.shrink_to(0);
        assert!(spare.bytes <= FEW_BYTES);
    }
}
