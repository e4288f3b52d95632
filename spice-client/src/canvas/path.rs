//! Paths as sequences of whole pixels: rounding, and curves cut into pieces.

use spice_proto::msg::display::{Path, PathFlags};
use spice_proto::types::{Fixed28_4, PointFix};

/// A pixel.
pub(super) type Pixel = (i32, i32);

/// What follows from a path, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The next point of the poly-line, or the first of a new one.
    Point(Pixel),
    /// The poly-line ends, and begins where it ended if `closed`.
    End { closed: bool },
}

/// Gives the points of all poly-lines of a path.
pub(super) fn trace(path: &Path, mut f: impl FnMut(Step)) {
    let mut budget = MAX_PIECES;
    let mut last: Option<Pixel> = None;
    for segment in path.segments() {
        let mut points = segment.points.iter();
        if segment.flags.contains(PathFlags::BEGIN) {
            if last.is_some() {
                f(Step::End { closed: false });
            }
            last = points.next().map(|p| round(&p));
            last.into_iter().for_each(|p| f(Step::Point(p)));
        }
        if segment.flags.contains(PathFlags::BEZIER) {
            while let (Some(c1), Some(c2), Some(end)) = (points.next(), points.next(), points.next()) {
                // A curve needs a point to start from.
                let Some(start) = last else { continue };
                let curve = [shifted(start), wide(&c1), wide(&c2), wide(&end)];
                flatten(&curve, 0, &mut budget, &mut |p| f(Step::Point(p)));
                last = Some(round(&end));
            }
        } else {
            for p in points {
                last = Some(round(&p));
                f(Step::Point(round(&p)));
            }
        }
        if segment.flags.contains(PathFlags::END) && last.is_some() {
            f(Step::End { closed: segment.flags.contains(PathFlags::CLOSE) });
            last = None;
        }
    }
    if last.is_some() {
        f(Step::End { closed: false });
    }
}

/// Sixteenths to whole pixels: to the nearest, exact halves down.
pub(super) fn whole(v: Fixed28_4) -> i32 {
    (v.raw >> 4) + i32::from(v.raw & 15 > 8)
}

fn round(p: &PointFix) -> Pixel {
    (whole(p.x), whole(p.y))
}

/// A point in sixteenths.
type Fine = (i64, i64);

fn wide(p: &PointFix) -> Fine {
    (i64::from(p.x.raw), i64::from(p.y.raw))
}

fn shifted((x, y): Pixel) -> Fine {
    (i64::from(x) << 4, i64::from(y) << 4)
}

/// Cuts a curve until its pieces are straight enough, and gives the end of each.
fn flatten(&[p0, p1, p2, p3]: &[Fine; 4], depth: u32, budget: &mut u32, f: &mut impl FnMut(Pixel)) {
    let minus = |a: Fine, b: Fine| (i128::from(a.0 - b.0), i128::from(a.1 - b.1));
    let dot = |u: (i128, i128), v: (i128, i128)| (u.0 * v.0 + u.1 * v.1) >> 4;
    let (chord, back) = (minus(p3, p0), minus(p0, p3));
    let (first, second) = (minus(p1, p0), minus(p2, p3));
    let b2 = dot(chord, chord);
    let h1 = (dot(first, first) * b2 - dot(first, chord).pow(2)) >> 3;
    let h2 = (dot(second, second) * b2 - dot(second, back).pow(2)) >> 3;
    if (h1 < b2 && h2 < b2) || depth >= MAX_DEPTH || *budget == 0 {
        *budget = budget.saturating_sub(1);
        let end = |v: i64| {
            let v = i32::try_from(v).unwrap_or(if v < 0 { i32::MIN } else { i32::MAX });
            whole(Fixed28_4 { raw: v })
        };
        f((end(p3.0), end(p3.1)));
        return;
    }
    // Towards zero, as the reference divides.
    let middle = |a: Fine, b: Fine| ((a.0 + b.0) / 2, (a.1 + b.1) / 2);
    let (a, b, c) = (middle(p0, p1), middle(p1, p2), middle(p2, p3));
    let (ab, bc) = (middle(a, b), middle(b, c));
    let m = middle(ab, bc);
    flatten(&[p0, a, ab, m], depth + 1, budget, f);
    flatten(&[m, bc, c, p3], depth + 1, budget, f);
}

/// Deepest cut of a curve; one whose ends coincide would be cut for ever.
const MAX_DEPTH: u32 = 20;

/// Most pieces of all curves of a path; the rest is drawn as straight lines.
const MAX_PIECES: u32 = 1 << 20;

#[cfg(test)]
mod tests {
    use spice_proto::msg::display::PathSegment;
    use spice_proto::wire::Counted;

    use super::*;

    fn segment(flags: PathFlags, points: &[(i32, i32)]) -> PathSegment {
        let raw = |raw| Fixed28_4 { raw };
        let points = points.iter().map(|&(x, y)| PointFix { x: raw(x), y: raw(y) }).collect();
        PathSegment { flags, points: Counted::new(points).expect("fits") }
    }

    fn steps(segments: impl IntoIterator<Item = PathSegment>) -> Vec<Step> {
        let mut steps = Vec::new();
        trace(&segments.into_iter().collect(), |step| steps.push(step));
        steps
    }

    #[test]
    fn halves_are_rounded_down() {
        let at = |raw| whole(Fixed28_4 { raw });
        assert_eq!([at(0), at(8), at(9), at(16), at(-8), at(-7), at(-9)], [0, 0, 1, 1, -1, 0, -1]);
        assert_eq!(at(i32::MAX), 1 << 27);
    }

    #[test]
    fn segments_begin_end_and_close() {
        let (begin, end, close) = (PathFlags::BEGIN, PathFlags::END, PathFlags::CLOSE);
        use Step::{End, Point};
        let open = End { closed: false };
        assert_eq!(
            steps([
                segment(begin, &[(0, 0), (16, 0)]),
                segment(PathFlags::empty(), &[(32, 0)]),
                segment(begin | end | close, &[(48, 48)]),
                segment(close, &[(0, 0)]),
            ]),
            [
                Point((0, 0)),
                Point((1, 0)),
                Point((2, 0)),
                open,
                Point((3, 3)),
                End { closed: true },
                Point((0, 0)),
                open
            ]
        );
    }

    #[test]
    fn curves_end_where_they_should() {
        let bezier = PathFlags::BEGIN | PathFlags::BEZIER;
        let points = [(0, 0), (0, 1600), (1600, 1600), (1600, 0)];
        let all = steps([segment(bezier, &points)]);
        assert_eq!(all.first(), Some(&Step::Point((0, 0))));
        assert_eq!(all[all.len() - 2], Step::Point((100, 0)));
        assert!((8..200).contains(&all.len()), "{}", all.len());
        let straight = steps([segment(bezier, &[(0, 0), (160, 0), (320, 0), (480, 0)])]);
        assert_eq!(straight.len(), 3);
    }

    #[test]
    fn hostile_curves_end() {
        // A curve before any point, one that is no curve, and points at the end of the range.
        let bezier = PathFlags::BEZIER;
        assert_eq!(steps([segment(bezier, &[(0, 0), (1, 1), (2, 2), (3, 3)])]), []);
        let same = steps([segment(bezier | PathFlags::BEGIN, &[(16, 16); 4000])]);
        assert!(same.len() <= MAX_PIECES as usize + 1400);
        let (low, high) = (i32::MIN, i32::MAX);
        let far = [(low, low), (high, low), (low, high), (high, high)];
        assert!(steps([segment(bezier | PathFlags::BEGIN, &far)]).len() > 2);
    }
}
