//! Which pixels of a region are drawn: one-bit masks, and the walk over rows.

use spice_proto::types::{Point, Rect};

use crate::canvas::mapping::shifted;
use crate::canvas::surface::View;

/// A picture of bytes 0 and 255 that lets pixels through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mask<'a> {
    view: View<'a>,
    dx: i64,
    dy: i64,
    /// Byte of the pixels that are drawn.
    drawn: u8,
}

impl<'a> Mask<'a> {
    /// A mask whose pixel `pos` belongs to the corner of the command's `area`.
    pub(super) fn new(view: View<'a>, pos: &Point, area: &Rect, inverted: bool) -> Self {
        Self {
            view,
            dx: i64::from(pos.x) - i64::from(area.left),
            dy: i64::from(pos.y) - i64::from(area.top),
            drawn: if inverted { 0 } else { 255 },
        }
    }

    /// The part of the destination that the mask lies on; nothing is drawn outside.
    pub(super) fn cover(&self) -> Rect {
        shifted(&self.view.rect(), -self.dx, -self.dy)
    }

    /// Calls `f` for each run of drawn pixels in columns `left..right`, which must lie inside the cover.
    fn runs(&self, y: i32, left: i32, right: i32, f: &mut impl FnMut(i32, i32, i32)) {
        let index = |at: i64| usize::try_from(at).unwrap_or(usize::MAX);
        let row = self.view.row(u32::try_from(i64::from(y) + self.dy).unwrap_or(u32::MAX));
        let (from, to) = (index(i64::from(left) + self.dx), index(i64::from(right) + self.dx));
        let Some(mut rest) = row.get(from..to) else { return };
        let mut x = left;
        while let Some(skip) = rest.iter().position(|&bit| bit == self.drawn) {
            rest = &rest[skip..];
            let run = rest.iter().position(|&bit| bit != self.drawn).unwrap_or(rest.len());
            x += skip as i32;
            f(y, x, x + run as i32);
            rest = &rest[run..];
            x += run as i32;
        }
    }
}

/// Calls `f(y, left, right)` for every run of pixels that is drawn, rows from top to bottom in each rectangle.
pub(super) fn for_each_run(rects: &[Rect], mask: Option<&Mask<'_>>, mut f: impl FnMut(i32, i32, i32)) {
    // The common part of two rectangles that lie apart is inverted.
    for r in rects.iter().filter(|r| !r.is_empty()) {
        for y in r.top..r.bottom {
            match mask {
                None => f(y, r.left, r.right),
                Some(mask) => mask.runs(y, r.left, r.right, &mut f),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use spice_codecs::PixelFormat;

    use super::*;

    #[test]
    fn runs_follow_the_mask() {
        let bits = [0, 255, 255, 0, 255, 0, 0, 0, 0, 255];
        let view = View::packed(&bits, 5, 2, PixelFormat::A1);
        let area = Rect::at(10, 20, 3, 2);
        let mask = |inverted| Mask::new(view, &Point { x: 1, y: 0 }, &area, inverted);
        assert_eq!(mask(false).cover(), Rect::at(9, 20, 5, 2));
        let runs = |mask: Mask<'_>| {
            let mut all = Vec::new();
            for_each_run(&[mask.cover()], Some(&mask), |y, l, r| all.push((y, l, r)));
            all
        };
        assert_eq!(runs(mask(false)), [(20, 10, 12), (20, 13, 14), (21, 13, 14)]);
        assert_eq!(runs(mask(true)), [(20, 9, 10), (20, 12, 13), (21, 9, 13)]);
    }

    /// A text whose glyphs lie outside its box has such a common part.
    #[test]
    fn rectangles_that_lie_apart_have_no_runs_in_common() {
        let inverted = [
            Rect { top: 0, left: 9, bottom: 4, right: 3 },
            Rect { top: 4, left: 3, bottom: 0, right: 9 },
            Rect { top: 4, left: 9, bottom: 0, right: 3 },
        ];
        for_each_run(&inverted, None, |y, l, r| panic!("row {y} from {l} to {r}"));
        let mut runs = Vec::new();
        for_each_run(&[inverted[0], Rect::at(3, 1, 6, 2)], None, |y, l, r| runs.push((y, l, r)));
        assert_eq!(runs, [(1, 3, 9), (2, 3, 9)]);
    }
}
