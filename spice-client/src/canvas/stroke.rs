//! STROKE: lines one pixel wide along a path.

use spice_proto::msg::display::Path;
use spice_proto::types::Rect;

use crate::canvas::brush::Brush;
use crate::canvas::dash::{Style, dashes};
use crate::canvas::format::{bytes_per_pixel, get, put};
use crate::canvas::job::{Job, Rows};
use crate::canvas::once::Once;
use crate::canvas::outcome::Reason;
use crate::canvas::path::{Pixel, Step, trace};
use crate::canvas::region::Region;
use crate::canvas::rop::Rop;
use crate::canvas::surface::Surface;

/// Draws unbroken lines, `D' = f(P, D)`; a pixel on several lines several times, of `most` pixels altogether.
pub(super) fn solid(
    job: &mut Job<'_>,
    path: &Path,
    brush: &Brush<'_>,
    rop: Rop,
    most: u64,
) -> Result<(), Reason> {
    if rop == Rop::NOOP {
        return Ok(());
    }
    let bounds = job.region.extents();
    let (surface, rows, region) = (&mut *job.surface, &mut *job.rows, &*job.region);
    let mut pen = Pen { surface, rows, region, brush, rop };
    let mut left = Some(most);
    let (mut first, mut last): (Option<Pixel>, Option<Pixel>) = (None, None);
    trace(path, |step| match step {
        Step::Point(p) => {
            match last {
                Some(from) => spend(&mut left, |most| line(from, p, &bounds, most, |x, y| pen.dot(x, y))),
                None => first = Some(p),
            }
            last = Some(p);
        }
        Step::End { closed } => {
            if let (true, Some(from), Some(to)) = (closed, last, first) {
                spend(&mut left, |most| line(from, to, &bounds, most, |x, y| pen.dot(x, y)));
            }
            (first, last) = (None, None);
        }
    });
    let (value, bound) = (most.saturating_add(1), most);
    left.map(drop).ok_or(Reason::Limit { limit: "stroke_pixels", value, bound })
}

/// Takes what a line costs from what is left; nothing is left when it cost more.
fn spend(left: &mut Option<u64>, draw: impl FnOnce(u64) -> Option<u64>) {
    if let Some(most) = *left {
        *left = draw(most);
    }
}

/// Draws dashed lines of at most `most` dashes and `pixels` pixels; the gaps stay as they are.
///
/// With a function that must not be applied twice, every pixel of a poly-line of several pieces is drawn once.
pub(super) fn dashed(
    job: &mut Job<'_>,
    path: &Path,
    style: &Style,
    brush: &Brush<'_>,
    rop: Rop,
    most: u32,
    pixels: u64,
) -> Result<(), Reason> {
    let bounds = job.region.extents();
    let (surface, rows, region) = (&mut *job.surface, &mut *job.rows, &*job.region);
    let mut pen = Pen { surface, rows, region, brush, rop };
    let mut points: Vec<Pixel> = Vec::new();
    let mut runs = Once::new(bounds, MAX_RUNS);
    let (mut budget, mut result) = (most, Ok(()));
    let mut left_pixels = Some(pixels);
    trace(path, |step| {
        let closed = match step {
            Step::Point(p) => return points.push(p),
            Step::End { closed } => closed,
        };
        if let Some(first) = points.first().copied().filter(|_| closed) {
            points.push(first);
        }
        if result.is_ok() && left_pixels.is_some() {
            let repeatable = rop.is_idempotent();
            let once = !repeatable && points.len() >= 3;
            result = dashes(&points, style, repeatable, &bounds, &mut budget, |y, left, right| {
                let run = u64::from(right.max(left).abs_diff(left));
                left_pixels = left_pixels.and_then(|pixels| pixels.checked_sub(run));
                if left_pixels.is_none() {
                    return;
                }
                if once {
                    runs.add((y, left, right), |x, y| pen.dot(x, y));
                } else {
                    (left..right).for_each(|x| pen.dot(x, y));
                }
            });
            runs.finish(|x, y| pen.dot(x, y));
        }
        points.clear();
    });
    let (value, bound) = (u64::from(most) + 1, u64::from(most));
    result.map_err(|_| Reason::Limit { limit: "dashes", value, bound })?;
    let (value, bound) = (pixels.saturating_add(1), pixels);
    left_pixels.map(drop).ok_or(Reason::Limit { limit: "stroke_pixels", value, bound })
}

/// Runs of dashes kept before they are marked in a bitmap. 65536: 768 KiB.
const MAX_RUNS: usize = 1 << 16;

/// Draws single pixels.
struct Pen<'a> {
    surface: &'a mut Surface,
    rows: &'a mut Rows,
    region: &'a Region,
    brush: &'a Brush<'a>,
    rop: Rop,
}

impl Pen<'_> {
    fn dot(&mut self, x: i32, y: i32) {
        if !self.region.contains(x, y) {
            return;
        }
        let format = self.surface.format();
        let bytes = bytes_per_pixel(format);
        let pattern = match self.brush {
            Brush::Solid(color) => *color,
            Brush::Pattern { .. } => get(self.brush.row(format, y, x, x + 1, &mut self.rows.brush), bytes, 0),
        };
        let px = self.surface.span_mut(y, x, x + 1);
        let new = self.rop.pixel(pattern, get(px, bytes, 0));
        put(px, bytes, 0, new);
    }
}

/// Calls `plot` for the pixels of a line that lie inside `bounds`, at most `most` of them; gives what is left of `most`,
/// `None` if there were more. The end point is not part of the line.
///
/// Where the line enters the bounds follows from a division, so that its length does not matter.
fn line(from: Pixel, to: Pixel, bounds: &Rect, mut most: u64, mut plot: impl FnMut(i32, i32)) -> Option<u64> {
    let steep = to.0.abs_diff(from.0) <= to.1.abs_diff(from.1);
    // From here on the line is described along its longer direction.
    let swap =
        |(x, y): Pixel| if steep { (i64::from(y), i64::from(x)) } else { (i64::from(x), i64::from(y)) };
    let ((major, minor), (major_end, minor_end)) = (swap(from), swap(to));
    let (low, high) = (swap((bounds.left, bounds.top)), swap((bounds.right, bounds.bottom)));
    let (length, height) = ((major_end - major).abs(), (minor_end - minor).abs());
    let (step, side) = (sign(major_end - major), sign(minor_end - minor));
    let bias = i64::from(step < 0);
    if length == 0 || bounds.is_empty() {
        return Some(most);
    }
    // How often the minor coordinate has changed before pixel `k`: the error term in closed form.
    let changes = |k: i64| (2 * height * k - length - bias).div_euclid(2 * length) + 1;
    let major_at = |k: i64| major + step * k;
    let minor_at = |k: i64| minor + side * changes(k);
    // Both coordinates run in one direction, so the part inside is one piece.
    let before_major = |k: i64| if step > 0 { major_at(k) < low.0 } else { major_at(k) >= high.0 };
    let before_minor = |k: i64| if side > 0 { minor_at(k) < low.1 } else { minor_at(k) >= high.1 };
    let start = first_not(length, |k| before_major(k) || before_minor(k));
    for k in start..length {
        let (a, b) = (major_at(k), minor_at(k));
        if !(low.0..high.0).contains(&a) || !(low.1..high.1).contains(&b) {
            break;
        }
        most = most.checked_sub(1)?;
        // Inside the bounds both fit.
        let (x, y) = if steep { (b, a) } else { (a, b) };
        plot(x as i32, y as i32);
    }
    Some(most)
}

fn sign(v: i64) -> i64 {
    if v < 0 { -1 } else { 1 }
}

/// The first of `0..end` for which a condition that holds up to somewhere does not hold.
fn first_not(end: i64, holds: impl Fn(i64) -> bool) -> i64 {
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line as it is defined: step by step.
    fn stepped((mut x, mut y): Pixel, to: Pixel) -> Vec<Pixel> {
        let (adx, ady) = ((to.0 - x).abs(), (to.1 - y).abs());
        let sign = |v: i32| if v < 0 { -1 } else { 1 };
        let (sx, sy) = (sign(to.0 - x), sign(to.1 - y));
        let mut out = Vec::new();
        if adx > ady {
            let mut e = 2 * ady - adx - i32::from(sx < 0);
            for _ in 0..adx {
                out.push((x, y));
                if e >= 0 {
                    y += sy;
                    e += 2 * ady - 2 * adx;
                } else {
                    e += 2 * ady;
                }
                x += sx;
            }
        } else {
            let mut e = 2 * adx - ady - i32::from(sy < 0);
            for _ in 0..ady {
                out.push((x, y));
                if e >= 0 {
                    x += sx;
                    e += 2 * adx - 2 * ady;
                } else {
                    e += 2 * adx;
                }
                y += sy;
            }
        }
        out
    }

    fn drawn(from: Pixel, to: Pixel, bounds: Rect) -> Vec<Pixel> {
        let mut out = Vec::new();
        let left = line(from, to, &bounds, 1000, |x, y| out.push((x, y)));
        assert_eq!(left, Some(1000 - out.len() as u64));
        out
    }

    #[test]
    fn lines_in_all_directions_follow_the_steps() {
        let all = Rect::at(-50, -50, 100, 100);
        for x in -9..=9 {
            for y in -9..=9 {
                for from in [(0, 0), (3, -2)] {
                    let to = (from.0 + x, from.1 + y);
                    assert_eq!(drawn(from, to, all), stepped(from, to), "{from:?} {to:?}");
                    // Clipping takes pixels away and moves none.
                    for bounds in [Rect::at(-3, -2, 6, 5), Rect::at(2, 2, 4, 9), Rect::at(-20, 1, 40, 1)] {
                        let inside = |p: &Pixel| {
                            (bounds.left..bounds.right).contains(&p.0)
                                && (bounds.top..bounds.bottom).contains(&p.1)
                        };
                        let expected: Vec<Pixel> = stepped(from, to).into_iter().filter(inside).collect();
                        assert_eq!(drawn(from, to, bounds), expected);
                    }
                }
            }
        }
    }

    #[test]
    fn endless_lines_cost_what_is_seen_of_them() {
        let far = 1 << 27;
        let seen = drawn((-far, -far), (far, far), Rect::at(0, 0, 10, 10));
        assert_eq!(seen, (0..10).map(|i| (i, i)).collect::<Vec<_>>());
        assert!(drawn((-far, far), (far, far - 1), Rect::at(0, 0, 10, 10)).is_empty());
        assert_eq!(drawn((far, 3), (-far, 3), Rect::at(0, 0, 10, 10)).len(), 10);
    }
}
