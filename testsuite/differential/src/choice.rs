//! Random choices.

use spice_proto::types::{Point, Rect};
use testsuite::random::Random;

/// A seeded source of choices.
#[derive(Debug)]
pub(crate) struct Choice(Random);

impl Choice {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31) ^ seed);
        // Neighbouring seeds begin alike; some steps apart they have nothing in common.
        (0..8).for_each(|_| _ = random.below(2));
        Self(random)
    }

    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        // The lowest bits of a xorshift generator are its weakest.
        ((self.0.below(u64::MAX) >> 11) % u64::from(bound.max(1))) as u32
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i32, high: i32) -> i32 {
        low + self.below(high.abs_diff(low) + 1) as i32
    }

    /// True in so many cases of a hundred.
    pub(crate) fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn bits(&mut self) -> u32 {
        (self.0.below(u64::MAX) >> 20) as u32
    }

    pub(crate) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u32) as usize]
    }

    pub(crate) fn point(&mut self, low: i32, high: i32) -> Point {
        Point { x: self.between(low, high), y: self.between(low, high) }
    }

    /// A part of `0..size`, not empty.
    fn extent(&mut self, size: u32) -> (i32, i32) {
        let most = match self.below(10) {
            0..4 => size.min(24),
            4..8 => size.min(80),
            _ => size,
        };
        let len = 1 + self.below(most);
        let start = self.below(size - len + 1);
        (start as i32, (start + len) as i32)
    }

    /// A rectangle inside a size, not empty.
    pub(crate) fn rect(&mut self, width: u32, height: u32) -> Rect {
        let ((left, right), (top, bottom)) = (self.extent(width), self.extent(height));
        Rect { top, left, bottom, right }
    }

    /// A rectangle of this size inside another, or as much of it as fits.
    pub(crate) fn rect_of(&mut self, w: u32, h: u32, width: u32, height: u32) -> Rect {
        let (w, h) = (w.min(width), h.min(height));
        Rect::at(self.below(width - w + 1) as i32, self.below(height - h + 1) as i32, w as i32, h as i32)
    }
}
