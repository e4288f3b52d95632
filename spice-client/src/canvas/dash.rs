//! Dashed lines: every dash is a thin rectangle, and a pixel is drawn if its corner lies inside.

use spice_proto::types::{Fixed28_4, Rect};

use crate::canvas::path::{Pixel, whole};

/// Lengths of dashes and gaps in turn, and where in them a line begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Style {
    /// INVARIANT: the sum is at least 1. Entries with an even index are drawn.
    lengths: Vec<u32>,
    start: At,
}

/// A place in the style: an entry, and how much of it is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct At {
    index: usize,
    offset: u32,
}

impl Style {
    /// The style of a message; `None` if it stands for an unbroken line.
    pub(super) fn new(entries: impl Iterator<Item = Fixed28_4>, start_with_gap: bool) -> Option<Self> {
        let mut lengths: Vec<u32> = entries.map(|v| whole(v).rem_euclid(256) as u32).collect();
        let total: u32 = lengths.iter().sum();
        if total == 0 {
            return None;
        }
        let mut style = Self { start: At { index: 0, offset: 0 }, lengths: Vec::new() };
        let mut advance = 0;
        if start_with_gap {
            lengths.rotate_left(1);
            advance = lengths.first().copied().unwrap_or(0);
        }
        style.lengths = lengths;
        // Entries of no length at the start are passed over as well. At most one turn, because the advance is no longer
        // than the first entry.
        while advance >= style.length(style.start.index) {
            advance -= style.length(style.start.index);
            style.start.index = style.next(style.start.index);
        }
        style.start.offset = advance;
        Some(style)
    }

    fn length(&self, index: usize) -> u32 {
        self.lengths.get(index).copied().unwrap_or(0)
    }

    fn next(&self, index: usize) -> usize {
        if index + 1 < self.lengths.len() { index + 1 } else { 0 }
    }
}

/// More dashes than any visible line has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooManyDashes;

/// Calls `fill(y, left, right)` for the runs of pixels inside `bounds` that a dashed poly-line covers.
///
/// Runs may overlap. Joints are filled up; with `repeatable`, for functions that may be applied to a pixel twice,
/// only those that the reference fills up then. `budget` counts down the dashes.
pub(super) fn dashes(
    points: &[Pixel],
    style: &Style,
    repeatable: bool,
    bounds: &Rect,
    budget: &mut u32,
    mut fill: impl FnMut(i32, i32, i32),
) -> Result<(), TooManyDashes> {
    let repeatable = repeatable || points.len() < 3;
    let mut at = style.start;
    // The face in which the previous segment ended, and whether a dash ended there.
    let mut first: Option<(Face, bool)> = None;
    let mut previous: Option<(Face, bool)> = None;
    for pair in points.windows(2) {
        let &[from, to] = pair else { continue };
        if from == to {
            continue;
        }
        let visible = at.index.is_multiple_of(2);
        let segment = Segment::new(from, to);
        let start = Face { d: segment.d, corner: segment.side, k: segment.k };
        if let Some((end, true)) = previous
            && visible
        {
            join(from, start, end, repeatable, bounds, &mut fill);
        }
        first.get_or_insert((start, visible));
        segment.draw(style, &mut at, bounds, budget, &mut fill)?;
        let end = Face { d: minus(segment.d), corner: minus(segment.side), k: segment.k };
        previous = Some((end, (at.index % 2 == 1) != (at.offset != 0)));
    }
    if let (Some((start, true)), Some((end, true)), Some(&joint)) = (first, previous, points.first())
        && points.last() == Some(&joint)
    {
        join(joint, start, end, repeatable, bounds, &mut fill);
    }
    Ok(())
}

type Vector = (f64, f64);

fn minus(v: Vector) -> Vector {
    (-v.0, -v.1)
}

fn plus(a: Vector, b: Vector) -> Vector {
    (a.0 + b.0, a.1 + b.1)
}

fn dot(a: Vector, b: Vector) -> f64 {
    a.0 * b.0 + a.1 * b.1
}

/// The end of a thin rectangle, seen from the point it ends at.
#[derive(Clone, Copy, Debug)]
struct Face {
    /// Direction away from the point.
    d: Vector,
    /// One of the two corners.
    corner: Vector,
    k: f64,
}

/// A straight piece between two points.
struct Segment {
    from: Pixel,
    to: Pixel,
    d: Vector,
    length: f64,
    /// From the line to the corner beside it.
    side: Vector,
    k: f64,
}

impl Segment {
    fn new(from: Pixel, to: Pixel) -> Self {
        let d = (f64::from(to.0) - f64::from(from.0), f64::from(to.1) - f64::from(from.1));
        // The way to half a unit along the line; along the axes it is exact.
        let (length, half) = if d.0 == 0.0 || d.1 == 0.0 {
            (d.0.abs() + d.1.abs(), (d.0.clamp(-0.5, 0.5), d.1.clamp(-0.5, 0.5)))
        } else {
            let length = d.0.hypot(d.1);
            let part = 0.5 / length;
            (length, (part * d.0, part * d.1))
        };
        let side = (half.1, -half.0);
        Self { from, to, d, length, side, k: 0.5 * length }
    }

    /// Draws the dashes and moves on in the style.
    fn draw(
        &self,
        style: &Style,
        at: &mut At,
        bounds: &Rect,
        budget: &mut u32,
        fill: &mut impl FnMut(i32, i32, i32),
    ) -> Result<(), TooManyDashes> {
        let d = self.d;
        let mut index = at.index;
        let mut left = self.length;
        let mut dash = f64::from(style.length(index) - at.offset.min(style.length(index)));
        let mut start_k = 0.0;
        let (mut a, mut b) = (self.side, minus(self.side));
        let along = [Side::new(d, self.k), Side::new(minus(d), self.k)];
        while left > dash {
            *budget = budget.checked_sub(1).ok_or(TooManyDashes)?;
            let step = (dash * d.0 / self.length, dash * d.1 / self.length);
            let (a_end, b_end) = (plus(a, step), plus(b, step));
            let end_k = dot(a_end, d);
            if index.is_multiple_of(2) {
                let edges =
                    [along[0], Side::new((-d.1, d.0), end_k), along[1], Side::new((d.1, -d.0), start_k)];
                polygon(self.from, &[a, a_end, b_end, b], &edges, bounds, fill);
            }
            left -= dash;
            index = style.next(index);
            dash = f64::from(style.length(index));
            (a, b, start_k) = (a_end, b_end, -end_k);
        }
        if index.is_multiple_of(2) {
            let back = minus(d);
            let corners = [plus(a, back), self.side, minus(self.side), plus(b, back)];
            let edges = [
                along[0],
                Side::new((-d.1, d.0), 0.0),
                along[1],
                Side::new((d.1, -d.0), start_k + dot(d, d)),
            ];
            polygon(self.to, &corners, &edges, bounds, fill);
        }
        let mut rest = (dash - left) as u32;
        if rest == 0 {
            index = style.next(index);
            rest = style.length(index);
        }
        *at = At { index, offset: style.length(index).saturating_sub(rest) };
        Ok(())
    }
}

/// Fills the gap on the outer side of a joint, to a point if that is not too far out.
fn join(
    joint: Pixel,
    mut l: Face,
    mut r: Face,
    repeatable: bool,
    bounds: &Rect,
    fill: &mut impl FnMut(i32, i32, i32),
) {
    let forward = |d: Vector| d.0 > 0.0 || d.0 == 0.0 && d.1 > 0.0;
    if repeatable && (forward(l.d) || forward(r.d)) {
        return;
    }
    let denominator = -l.d.0 * r.d.1 + r.d.0 * l.d.1;
    if denominator == 0.0 {
        return;
    }
    let g = if denominator > 0.0 {
        (l.corner, l.d) = (minus(l.corner), minus(l.d));
        1.0
    } else {
        (r.corner, r.d) = (minus(r.corner), minus(r.d));
        -1.0
    };
    let cross = |f: &Face| f.corner.0 * f.d.1 - f.corner.1 * f.d.0;
    let y = (l.d.1 * cross(&r) - r.d.1 * cross(&l)) / denominator;
    let on = |f: &Face| f.corner.0 + (y - f.corner.1) * f.d.0 / f.d.1;
    let tip = (if l.d.1 != 0.0 { on(&l) } else { on(&r) }, y);
    let near = [Side::new((-r.d.1, r.d.0), 0.0), Side::new((l.d.1, -l.d.0), 0.0)];
    if 4.0 * dot(tip, tip) <= MITER_LIMIT {
        let scaled = |f: &Face| Side::new((g * f.d.0, g * f.d.1), g * f.k);
        let edges = [near[0], near[1], scaled(&l), scaled(&r)];
        polygon(joint, &[r.corner, (0.0, 0.0), l.corner, tip], &edges, bounds, fill);
        return;
    }
    let across = plus(r.corner, minus(l.corner));
    let scale = 65536.0 / across.0.abs().max(across.1.abs());
    let d = ((across.0 * scale).trunc(), (across.1 * scale).trunc());
    let at = |c: Vector| c.0 * d.1 - c.1 * d.0;
    let edges = [near[0], near[1], Side::new(d, (at(l.corner) + at(r.corner)) / 2.0)];
    polygon(joint, &[r.corner, (0.0, 0.0), l.corner], &edges, bounds, fill);
}

/// Square of the longest miter, in units of the line's width.
const MITER_LIMIT: f64 = 108.856_472_512_142;

/// The line `x * dy - y * dx = k` through a side of a polygon, in the direction from one corner to the next.
#[derive(Clone, Copy, Debug)]
struct Side {
    dx: i64,
    dy: i64,
    k: f64,
}

impl Side {
    fn new(d: Vector, k: f64) -> Self {
        Self { dx: d.0 as i64, dy: d.1 as i64, k }
    }

    /// The first column that is not left of the line in row `y`. The line is not level.
    fn column(&self, y: i64) -> i64 {
        let (dx, dy, k) =
            if self.dy < 0 { (-self.dx, -self.dy, -self.k) } else { (self.dx, self.dy, self.k) };
        let n = i128::from(k.ceil() as i64) + i128::from(y) * i128::from(dx);
        let d = i128::from(dy);
        let column = n.div_euclid(d) + i128::from(n.rem_euclid(d) != 0);
        column.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }
}

/// The sides on one flank of a polygon, from the top down: first row, number of the side.
#[derive(Default)]
struct Flank {
    sides: [(i64, usize); 4],
    len: usize,
}

impl Flank {
    /// Follows the corners from `top` to `bottom`, in their order or against it. Level sides add nothing.
    fn new(corners: &[Vector], sides: &[Side], top: usize, bottom: usize, forward: bool) -> Self {
        let mut flank = Self::default();
        let count = corners.len();
        let step = |at: usize| if forward { (at + 1) % count } else { (at + count - 1) % count };
        let (mut corner, mut side) = (top, if forward { top } else { step(top) });
        while corner != bottom {
            if sides[side].dy != 0
                && let Some(entry) = flank.sides.get_mut(flank.len)
            {
                *entry = (first_row(&corners[corner]), side);
                flank.len += 1;
            }
            (corner, side) = (step(corner), step(side));
        }
        flank
    }

    fn top(&self) -> Option<i64> {
        self.sides[..self.len].first().map(|(row, _)| *row)
    }

    /// The side at a row that is not above the top.
    fn at(&self, y: i64) -> Option<usize> {
        self.sides[..self.len].iter().rev().find(|(row, _)| *row <= y).map(|(_, side)| *side)
    }
}

/// The first row at or below a corner.
fn first_row(corner: &Vector) -> i64 {
    corner.1.ceil() as i64
}

/// Gives the rows of a convex polygon whose corners and sides, in the same order, are seen from `origin`.
///
/// Which flank is the left one follows from the directions of the two sides at the top. A polygon so thin that
/// rounding turns it over is empty.
fn polygon(
    origin: Pixel,
    corners: &[Vector],
    sides: &[Side],
    bounds: &Rect,
    fill: &mut impl FnMut(i32, i32, i32),
) {
    let (ox, oy) = (i64::from(origin.0), i64::from(origin.1));
    let (mut top, mut bottom) = (0, 0);
    for (i, corner) in corners.iter().enumerate() {
        if corner.1 < corners[top].1 {
            top = i;
        }
        if corner.1 >= corners[bottom].1 {
            bottom = i;
        }
    }
    let (last, next) = (&sides[(top + corners.len() - 1) % corners.len()], &sides[top]);
    let forward = i128::from(last.dy) * i128::from(next.dx) <= i128::from(next.dy) * i128::from(last.dx);
    let right = Flank::new(corners, sides, top, bottom, forward);
    let left = Flank::new(corners, sides, top, bottom, !forward);
    let (Some(first), Some(_)) = (right.top(), left.top()) else { return };
    let first = first.max(i64::from(bounds.top) - oy);
    let end = first_row(&corners[bottom]).min(i64::from(bounds.bottom) - oy);
    for y in first..end {
        let (Some(l), Some(r)) = (left.at(y), right.at(y)) else { continue };
        let left = sides[l].column(y).saturating_add(ox).max(i64::from(bounds.left));
        let right = sides[r].column(y).saturating_add(ox).min(i64::from(bounds.right));
        if left < right {
            // Both lie inside the bounds.
            fill((y + oy) as i32, left as i32, right as i32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(lengths: &[i32], gap: bool) -> Option<Style> {
        Style::new(lengths.iter().map(|v| Fixed28_4 { raw: v * 16 }), gap)
    }

    /// How often each pixel of a small field is covered, rows as text.
    fn drawn(points: &[Pixel], lengths: &[i32], gap: bool, repeatable: bool) -> Vec<String> {
        let (mut field, bounds) = ([[0; 12]; 8], Rect::at(0, 0, 12, 8));
        let style = style(lengths, gap).expect("a style");
        dashes(points, &style, repeatable, &bounds, &mut 1000, |y, left, right| {
            (left..right).for_each(|x| field[y as usize][x as usize] += 1);
        })
        .expect("few dashes");
        let text = |n: &i32| char::from_digit(*n as u32, 10).map_or('#', |c| if c == '0' { '.' } else { c });
        field.iter().map(|row| row.iter().map(text).collect()).collect()
    }

    #[test]
    fn lines_along_the_axes() {
        assert_eq!(drawn(&[(0, 1), (11, 1)], &[3, 2], false, true)[1], "111..111..1.");
        assert_eq!(drawn(&[(0, 1), (11, 1)], &[3, 2], true, true)[1], "...11...11..");
        // Going left the first pixel is left out and the last is drawn.
        assert_eq!(drawn(&[(11, 1), (0, 1)], &[3, 2], false, true)[1], "1..111..111.");
        let down = drawn(&[(2, 0), (2, 7)], &[2, 1], false, true);
        assert_eq!(down.iter().map(|row| &row[2..3]).collect::<String>(), "11.11.1.");
        // An odd number of entries: the first follows the last, both drawn.
        assert_eq!(drawn(&[(0, 0), (12, 0)], &[2, 1, 3], false, true)[0], "11.11111.111");
    }

    #[test]
    fn the_style_goes_on_around_corners() {
        let rows = drawn(&[(1, 1), (6, 1), (6, 6)], &[4, 3], false, true);
        assert_eq!(rows[1], ".1111.......");
        assert_eq!(rows.iter().map(|row| &row[6..7]).collect::<String>(), "...111..");
    }

    #[test]
    fn slanted_lines_are_thin() {
        let rows = drawn(&[(0, 0), (7, 7)], &[200, 1], false, true);
        for (y, row) in rows.iter().enumerate().take(7) {
            let covered = row.matches('1').count();
            assert!((1..=2).contains(&covered), "row {y}: {row}");
            assert_eq!(&row[y..=y], "1");
        }
    }

    #[test]
    fn styles_without_length_are_none() {
        assert_eq!(style(&[], false), None);
        assert_eq!(style(&[0, 256, 0], true), None);
        let negative = style(&[-1, 0], true).expect("255 after all");
        assert_eq!(negative.lengths, [0, 255]);
        assert_eq!(negative.start, At { index: 1, offset: 0 });
    }

    #[test]
    fn endless_lines_run_out_of_budget() {
        let far = 1 << 27;
        let style = style(&[1, 1], false).expect("a style");
        let all = Rect::at(0, 0, 10, 10);
        let result = dashes(&[(-far, 5), (far, 5)], &style, true, &all, &mut 1000, |_, _, _| ());
        assert_eq!(result, Err(TooManyDashes));
        let far = 1 << 20;
        let joints = [(-far, -far), (far, far), (-far, far), (far, -far), (-far, -far)];
        let long =
            Style::new([255, 254].map(|v| Fixed28_4 { raw: v * 16 }).into_iter(), false).expect("a style");
        let mut runs = 0;
        dashes(&joints, &long, false, &all, &mut 100_000, |_, _, _| runs += 1).expect("few enough");
        assert!(runs < 100);
    }
}
