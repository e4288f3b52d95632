//! What changed on the visible surface since somebody last asked.

use spice_proto::types::Rect;

/// A short list of rectangles that cover everything that was drawn.
///
/// Rectangles are merged when that costs nothing, and when the list is full, where it costs least; so the list
/// is always an upper bound of the damage and never long.
#[derive(Debug)]
pub(super) struct Damage {
    rects: Vec<Rect>,
    most: usize,
}

impl Damage {
    /// Damage in at most `most` rectangles, at least one.
    pub(super) fn new(most: usize) -> Self {
        Self { rects: Vec::new(), most: most.max(1) }
    }

    /// Adds a rectangle; an empty one adds nothing.
    pub(super) fn add(&mut self, rect: Rect) {
        if rect.is_empty() {
            return;
        }
        let mut rect = rect;
        // Each turn removes one from the list, so this ends.
        while let Some(at) = self.rects.iter().position(|r| area(&r.union(&rect)) <= area(r) + area(&rect)) {
            let union = self.rects[at].union(&rect);
            if union == self.rects[at] {
                return;
            }
            self.rects.swap_remove(at);
            rect = union;
        }
        if self.rects.len() >= self.most {
            let waste = |r: &Rect| area(&r.union(&rect)) - area(r);
            if let Some(least) = self.rects.iter_mut().min_by_key(|r| waste(r)) {
                let union = least.union(&rect);
                *least = union;
                return;
            }
        }
        self.rects.push(rect);
    }

    pub(super) fn clear(&mut self) {
        self.rects.clear();
    }

    pub(super) fn rects(&self) -> &[Rect] {
        &self.rects
    }

    pub(super) fn drain(&mut self) -> std::vec::Drain<'_, Rect> {
        self.rects.drain(..)
    }
}

fn area(r: &Rect) -> u64 {
    u64::from(r.width()) * u64::from(r.height())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_merge_where_it_costs_nothing() {
        let mut damage = Damage::new(4);
        damage.add(Rect::at(0, 0, 10, 10));
        damage.add(Rect::at(2, 2, 3, 3));
        damage.add(Rect::default());
        assert_eq!(damage.rects(), [Rect::at(0, 0, 10, 10)]);
        damage.add(Rect::at(10, 0, 5, 10));
        assert_eq!(damage.rects(), [Rect::at(0, 0, 15, 10)]);
        damage.add(Rect::at(100, 100, 5, 5));
        assert_eq!(damage.rects().len(), 2);
    }

    #[test]
    fn the_list_stays_short_and_covers_everything() {
        let mut damage = Damage::new(3);
        let all: Vec<Rect> = (0..50).map(|i| Rect::at(i * 37 % 500, i * 91 % 400, 3, 4)).collect();
        for r in &all {
            damage.add(*r);
            assert!(damage.rects().len() <= 3);
        }
        for r in &all {
            assert!(damage.rects().iter().any(|d| d.intersect(r) == *r));
        }
        assert!(damage.drain().count() <= 3);
        assert!(damage.rects().is_empty());
    }
}
