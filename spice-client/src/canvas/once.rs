//! Pixels that are to be drawn once, however many lines cross them.

use spice_proto::types::Rect;

/// Collects runs of pixels within bounds, and hands out every pixel of them once.
///
/// Few runs are sorted at the end. Many are marked in a bitmap of the bounds, so that the memory depends on the surface
/// and not on the path.
#[derive(Debug)]
pub(super) struct Once {
    bounds: Rect,
    most: usize,
    runs: Vec<(i32, i32, i32)>,
    marks: Option<Vec<u64>>,
}

impl Once {
    /// Nothing yet; at most `most` runs are kept.
    pub(super) fn new(bounds: Rect, most: usize) -> Self {
        Self { bounds, most, runs: Vec::new(), marks: None }
    }

    /// Adds the pixels from `left` to before `right` in row `y`.
    pub(super) fn add(&mut self, run: (i32, i32, i32), mut plot: impl FnMut(i32, i32)) {
        if let Some(marks) = &mut self.marks {
            return mark(marks, &self.bounds, run, &mut plot);
        }
        self.runs.push(run);
        if self.runs.len() > self.most {
            let pixels = u64::from(self.bounds.width()) * u64::from(self.bounds.height());
            let mut marks = vec![0; usize::try_from(pixels.div_ceil(64)).unwrap_or(0)];
            for run in self.runs.drain(..) {
                mark(&mut marks, &self.bounds, run, &mut plot);
            }
            self.marks = Some(marks);
        }
    }

    /// Hands out what is left, and begins anew.
    pub(super) fn finish(&mut self, mut plot: impl FnMut(i32, i32)) {
        self.marks = None;
        self.runs.sort_unstable();
        let mut done = (i32::MIN, i32::MIN);
        for (y, left, right) in self.runs.drain(..) {
            let from = if done.0 == y { left.max(done.1) } else { left };
            (from..right).for_each(|x| plot(x, y));
            done = (y, right.max(from));
        }
    }
}

fn mark(
    marks: &mut [u64],
    bounds: &Rect,
    (y, left, right): (i32, i32, i32),
    plot: &mut impl FnMut(i32, i32),
) {
    if !(bounds.top..bounds.bottom).contains(&y) {
        return;
    }
    let row = u64::from(y.abs_diff(bounds.top)) * u64::from(bounds.width());
    for x in left.max(bounds.left)..right.min(bounds.right) {
        let at = row + u64::from(x.abs_diff(bounds.left));
        let Some(word) = marks.get_mut((at / 64) as usize) else { return };
        let bit = 1 << (at % 64);
        if *word & bit == 0 {
            *word |= bit;
            plot(x, y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(most: usize, runs: &[(i32, i32, i32)]) -> Vec<(i32, i32)> {
        let mut once = Once::new(Rect::at(-3, 2, 70, 9), most);
        let mut out = Vec::new();
        for _ in 0..2 {
            out.clear();
            for run in runs {
                once.add(*run, |x, y| out.push((y, x)));
                assert!(once.runs.len() <= most);
            }
            once.finish(|x, y| out.push((y, x)));
        }
        out.sort_unstable();
        out
    }

    #[test]
    fn many_runs_are_drawn_as_few_are_and_in_bounded_memory() {
        let mut seed = 7_i32;
        let mut number = |below: i32| {
            seed = seed.wrapping_mul(1_103_515_245).wrapping_add(12345);
            (seed >> 16).rem_euclid(below)
        };
        let runs: Vec<_> = (0..500)
            .map(|_| {
                let (y, left) = (2 + number(9), number(70) - 3);
                (y, left, left + number(67 - left))
            })
            .collect();
        let few = drawn(1000, &runs);
        assert!(few.windows(2).all(|pair| pair[0] < pair[1]), "every pixel once");
        assert!(few.len() > 400);
        for most in [0, 1, 100] {
            assert_eq!(drawn(most, &runs), few);
        }
    }
}
