//! Sets of pixels as lists of rectangles: where a command draws.

use spice_proto::types::Rect;

/// Most rectangles that a region is cut into. 65536: as many as the longest clip list that is accepted.
pub(super) const MAX_FRAGMENTS: usize = 1 << 16;

/// Most steps taken to bring overlapping rectangles into order. A list of 65536 hostile rectangles could cost
/// billions; real ones have a few hundred and cost thousands.
const MAX_WORK: usize = 1 << 22;

/// A clip list that overlaps in too many ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooComplex;

/// Disjoint rectangles in bands from top to bottom, each band from left to right.
///
/// INVARIANT: rectangles of one band agree in top and bottom; bands do not overlap. Nothing is empty.
#[derive(Debug, Default)]
pub(super) struct Region {
    rects: Vec<Rect>,
    input: Vec<Rect>,
    edges: Vec<i32>,
    active: Vec<Rect>,
}

impl Region {
    /// The region of one rectangle.
    pub(super) fn set_rect(&mut self, bounds: Rect) {
        self.rects.clear();
        if !bounds.is_empty() {
            self.rects.push(bounds);
        }
    }

    /// The union of `rects` inside `bounds`. Empty and inverted rectangles add nothing.
    pub(super) fn set_union(
        &mut self,
        bounds: Rect,
        rects: impl Iterator<Item = Rect>,
    ) -> Result<(), TooComplex> {
        self.input.clear();
        self.input.extend(rects.map(|r| r.intersect(&bounds)).filter(|r| !r.is_empty()));
        if in_bands(&self.input) {
            core::mem::swap(&mut self.rects, &mut self.input);
            return Ok(());
        }
        self.cut_into_bands()
    }

    /// Keeps what lies inside `bounds`.
    pub(super) fn clip_to(&mut self, bounds: Rect) {
        self.rects.retain_mut(|r| {
            *r = r.intersect(&bounds);
            !r.is_empty()
        });
    }

    /// The rectangles, in bands.
    pub(super) fn rects(&self) -> &[Rect] {
        &self.rects
    }

    /// Whether there is no pixel.
    pub(super) fn is_empty(&self) -> bool {
        self.rects.is_empty()
    }

    /// Whether the region has this pixel.
    pub(super) fn contains(&self, x: i32, y: i32) -> bool {
        let at = self.rects.partition_point(|r| r.bottom <= y || r.top <= y && r.right <= x);
        self.rects.get(at).is_some_and(|r| r.top <= y && r.left <= x && x < r.right)
    }

    /// How many pixels there are.
    pub(super) fn pixels(&self) -> u64 {
        self.rects.iter().map(|r| u64::from(r.width()) * u64::from(r.height())).sum()
    }

    /// The smallest rectangle around all of them.
    pub(super) fn extents(&self) -> Rect {
        self.rects.iter().fold(Rect::default(), |all, r| all.union(r))
    }

    /// Sweeps over the input from top to bottom, and cuts it wherever a rectangle begins or ends.
    fn cut_into_bands(&mut self) -> Result<(), TooComplex> {
        let Self { rects, input, edges, active } = self;
        rects.clear();
        edges.clear();
        active.clear();
        edges.extend(input.iter().flat_map(|r| [r.top, r.bottom]));
        edges.sort_unstable();
        edges.dedup();
        input.sort_unstable_by_key(|r| r.top);
        let (mut next, mut work, mut last_band) = (0, 0, 0..0);
        for pair in edges.windows(2) {
            let &[top, bottom] = pair else { continue };
            active.retain(|r| r.bottom > top);
            while let Some(r) = input.get(next).filter(|r| r.top <= top) {
                let at = active.partition_point(|a| a.left <= r.left);
                work += active.len() - at;
                active.insert(at, *r);
                next += 1;
            }
            work += active.len() + 1;
            if work > MAX_WORK {
                rects.clear();
                return Err(TooComplex);
            }
            let start = rects.len();
            for r in active.iter() {
                match rects[start..].last_mut() {
                    Some(last) if r.left <= last.right => last.right = last.right.max(r.right),
                    _ => rects.push(Rect { top, left: r.left, bottom, right: r.right }),
                }
            }
            if continues(rects, &last_band, start) {
                rects.truncate(start);
                for r in &mut rects[last_band.clone()] {
                    r.bottom = bottom;
                }
            } else {
                last_band = start..rects.len();
            }
            if rects.len() > MAX_FRAGMENTS {
                rects.clear();
                return Err(TooComplex);
            }
        }
        Ok(())
    }
}

/// Whether the band that begins at `start` goes on below the last one with the same columns.
fn continues(rects: &[Rect], last: &core::ops::Range<usize>, start: usize) -> bool {
    let (above, below) = (&rects[last.clone()], &rects[start..]);
    above.len() == below.len()
        && !below.is_empty()
        && above.iter().zip(below).all(|(a, b)| a.bottom == b.top && (a.left, a.right) == (b.left, b.right))
}

/// Whether the rectangles already have the order of a region, as honest servers send them.
fn in_bands(rects: &[Rect]) -> bool {
    rects.len() <= MAX_FRAGMENTS
        && rects.windows(2).all(|pair| {
            let (Some(a), Some(b)) = (pair.first(), pair.get(1)) else { return true };
            let same_band = (a.top, a.bottom) == (b.top, b.bottom) && a.right <= b.left;
            same_band || a.bottom <= b.top
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(left: i32, top: i32, right: i32, bottom: i32) -> Rect {
        Rect { top, left, bottom, right }
    }

    /// Counts how often each pixel of a 64 × 64 field is covered.
    fn coverage(rects: &[Rect]) -> Vec<u32> {
        let mut field = vec![0; 64 * 64];
        for r in rects {
            for y in r.top.max(0)..r.bottom.min(64) {
                for x in r.left.max(0)..r.right.min(64) {
                    field[(y * 64 + x) as usize] += 1;
                }
            }
        }
        field
    }

    #[test]
    fn a_union_covers_each_pixel_once() {
        let mut seed = 1u32;
        let mut next = |below: i32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as i32 % below
        };
        let mut region = Region::default();
        for count in 0..40 {
            let input: Vec<Rect> = (0..count)
                .map(|_| {
                    let (l, t) = (next(70) - 5, next(70) - 5);
                    rect(l, t, l + next(20) - 2, t + next(20) - 2)
                })
                .collect();
            let bounds = rect(3, 5, 60, 50);
            region.set_union(bounds, input.iter().copied()).unwrap();
            let inside: Vec<Rect> = input.iter().map(|r| r.intersect(&bounds)).collect();
            let expected: Vec<u32> = coverage(&inside).iter().map(|&n| n.min(1)).collect();
            assert_eq!(coverage(region.rects()), expected);
            assert_eq!(region.pixels(), expected.iter().map(|covered| u64::from(*covered)).sum::<u64>());
            for (at, covered) in (0..).zip(&expected) {
                assert_eq!(region.contains(at % 64, at / 64), *covered == 1);
            }
            assert!(in_bands(region.rects()), "{:?}", region.rects());
        }
    }

    #[test]
    fn neighbouring_bands_with_the_same_columns_become_one() {
        let mut region = Region::default();
        region.set_union(rect(0, 0, 64, 64), [rect(0, 0, 9, 5), rect(0, 2, 9, 9)].into_iter()).unwrap();
        assert_eq!(region.rects(), [rect(0, 0, 9, 9)]);
        region.clip_to(rect(2, 3, 4, 50));
        assert_eq!(region.extents(), rect(2, 3, 4, 9));
        region.clip_to(rect(20, 3, 24, 50));
        assert!(region.is_empty());
    }

    #[test]
    fn a_hostile_list_is_refused_instead_of_worked_off() {
        let stairs = (0..30_000).map(|i| rect(i % 16_000, i / 2, 16_384, 16_384));
        let mut region = Region::default();
        assert_eq!(region.set_union(rect(0, 0, 16_384, 16_384), stairs), Err(TooComplex));
        assert!(region.is_empty());
        let grid = (0..400).flat_map(|i| [rect(i * 2, 0, i * 2 + 1, 800), rect(0, i * 2, 800, i * 2 + 1)]);
        assert_eq!(region.set_union(rect(0, 0, 800, 800), grid), Err(TooComplex));
    }
}
