//! Tokens that stay within one row, or within a plane in one piece: nearly all of them, and where the time goes.

use super::cells::{Cells, WIDE};
use super::plane::bias;

/// Reads how far back a match refers, if that is usual too.
pub(crate) trait Distance: Copy {
    /// Gets the front of the input, which begins with the token, and how many bytes of length are behind its first byte.
    /// Returns one less than the distance in units, and where it ends.
    fn read(self, front: &[u8; SHORT], more: usize) -> Option<(usize, usize)>;

    /// For a match with another picture that is at hand: what it begins with, to the end of that picture, and where the
    /// distance ends.
    fn elsewhere(&self, front: &[u8; SHORT], more: usize) -> Option<(&[u8], usize)> {
        let _ = (front, more);
        None
    }
}

impl<F: Fn(&[u8; SHORT], usize) -> Option<(usize, usize)> + Copy> Distance for F {
    #[inline(always)]
    fn read(self, front: &[u8; SHORT], more: usize) -> Option<(usize, usize)> {
        self(front, more)
    }
}

/// What comes before a row.
pub(crate) struct Above<'a, const D: usize> {
    /// The row before in coded order; none for the first.
    pub(crate) row: &'a [[u8; D]],
    /// All rows that come before, with what lies between their beginnings.
    pub(crate) rows: &'a [[u8; D]],
    /// From the beginning of one row to the next, in units.
    pub(crate) stride: usize,
    /// Whether the row before is the first one of `rows`, not the last.
    pub(crate) bottom_up: bool,
}

impl<const D: usize> Above<'_, D> {
    /// Nothing, as before a plane in one piece.
    pub(crate) const NONE: Self = Self { row: &[], rows: &[], stride: 0, bottom_up: false };

    /// What begins `beyond` units before the row, not 0, and ends within the same earlier row.
    #[inline(always)]
    fn units(&self, beyond: usize, len: usize, width: usize) -> Option<&[[u8; D]]> {
        // Division of 32 bits is faster, and no plane has more units.
        let back = ((beyond as u32).wrapping_sub(1)).checked_div(width as u32)? as usize;
        let x = (back + 1) * width - beyond;
        if len > width - x {
            return None;
        }
        let start = if self.bottom_up {
            back * self.stride
        } else {
            self.rows.len().checked_sub(back.checked_mul(self.stride)?.checked_add(self.stride)?)?
        };
        self.rows.get(start + x..)?.get(..len)
    }
}

/// Decodes the tokens at the front of `input` into `row` from unit `x` on, until one does not fit the row or is not usual.
/// Matches may refer to what is before `x`, and before that to what is `above`. Returns where the next unit goes.
#[inline(always)]
pub(crate) fn usual_tokens<C: Cells<D>, const D: usize>(
    cells: &C,
    input: &mut &[u8],
    above: &Above<'_, D>,
    row: &mut [[u8; D]],
    mut x: usize,
    distance: impl Distance,
) -> usize {
    if input.len() >= FRONT {
        x = run::<C, D, FRONT>(cells, input, above, row, x, distance);
    }
    // The end of the input, which is much of it in small pictures.
    if (SHORT..FRONT).contains(&input.len()) {
        x = run::<C, D, SHORT>(cells, input, above, row, x, distance);
    }
    x
}

/// As [`usual_tokens`], as long as there are `F` bytes of input.
#[inline(never)]
fn run<C: Cells<D>, const D: usize, const F: usize>(
    cells: &C,
    input: &mut &[u8],
    above: &Above<'_, D>,
    row: &mut [[u8; D]],
    mut x: usize,
    distance: impl Distance,
) -> usize {
    let data = *input;
    let mut at = 0;
    let (Some(last), Some(limit)) = (data.len().checked_sub(F), row.len().checked_sub(WIDE)) else {
        return x;
    };
    while at <= last && x <= limit {
        let Some(front) = data.get(at..).and_then(|rest| rest.first_chunk::<F>()) else { break };
        let Some((used, next)) = usual_token(cells, front, above, row, x, distance) else { break };
        at += used;
        x = next;
    }
    *input = data.get(at..).unwrap_or_default();
    x
}

/// Decodes one token, with room to write more than it says. Returns its length and where the next unit goes.
#[inline(always)]
fn usual_token<C: Cells<D>, const D: usize, const F: usize>(
    cells: &C,
    front: &[u8; F],
    above: &Above<'_, D>,
    row: &mut [[u8; D]],
    x: usize,
    distance: impl Distance,
) -> Option<(usize, usize)> {
    let short = front.first_chunk::<SHORT>()?;
    let control = usize::from(short[0]);
    let width = row.len();
    let (before, to) = row.split_at_mut_checked(x)?;
    let wide = to.first_chunk_mut::<WIDE>()?;
    if control < 32 {
        let count = control + 1;
        let from = &front[1..];
        if !cells.fits(from.get(..count * C::UNIT)?) {
            return None;
        }
        if count <= GROUP {
            cells.put(&short[1..1 + GROUP * C::UNIT], &mut wide[..GROUP]);
        } else {
            literals(cells, from, to, count)?;
        }
        return Some((1 + count * C::UNIT, x + count));
    }
    let (len, more, read) = match control >> 5 {
        7 if short[1] == 255 => return None,
        7 => (7 + usize::from(short[1]), 1, distance.read(short, 1)),
        len => (len, 0, distance.read(short, 0)),
    };
    let len = len + bias(C::UNIT);
    let Some((near, used)) = read else { return elsewhere::<C, D>(short, more, len, row, x, distance) };
    if len <= WIDE {
        if let Some(start) = x.checked_sub(near + 1) {
            let from = before.get(start..)?;
            if let Some(from) = from.first_chunk::<WIDE>() {
                C::copy(from, wide, len);
                return Some((used, x + len));
            }
            if let [unit] = from {
                C::fill(*unit, wide);
                return Some((used, x + len));
            }
            if len <= 4
                && let (Some(from), Some(to)) = (from.first_chunk::<4>(), wide.first_chunk_mut())
            {
                C::copy_four(from, to);
                return Some((used, x + len));
            }
        } else if let Some(start) = (x + above.row.len()).checked_sub(near + 1) {
            if let Some(from) = above.row.get(start..).and_then(|row| row.first_chunk::<WIDE>()) {
                C::copy(from, wide, len);
                return Some((used, x + len));
            }
        } else if let Some(from) = above.units(near + 1 - x, WIDE, width)
            && let Some(from) = from.first_chunk()
        {
            C::copy(from, wide, len);
            return Some((used, x + len));
        }
    }
    repeat::<C, D>(above, row, x, near + 1, len).then_some((used, x + len))
}

/// Copies a match with another picture.
#[inline(never)]
fn elsewhere<C: Cells<D>, const D: usize>(
    front: &[u8; SHORT],
    more: usize,
    len: usize,
    row: &mut [[u8; D]],
    x: usize,
    distance: impl Distance,
) -> Option<(usize, usize)> {
    let (from, used) = distance.elsewhere(front, more)?;
    let (from, to) = (from.as_chunks().0, row.get_mut(x..)?);
    match (from.first_chunk(), to.first_chunk_mut()) {
        (Some(from), Some(to)) if len <= WIDE => C::copy(from, to, len),
        _ => C::copy_all(from.get(..len)?, to.get_mut(..len)?),
    }
    Some((used, x + len))
}

/// Converts more than a group of literal units.
#[inline(always)]
fn literals<C: Cells<D>, const D: usize>(
    cells: &C,
    from: &[u8],
    to: &mut [[u8; D]],
    count: usize,
) -> Option<()> {
    let groups = count.div_ceil(GROUP);
    let (to_groups, _) = to.as_chunks_mut::<GROUP>();
    if groups * GROUP * C::UNIT > from.len() {
        return None;
    }
    if groups <= to_groups.len() {
        for (to, from) in to_groups.iter_mut().zip(from.chunks_exact(GROUP * C::UNIT)).take(groups) {
            cells.put(from, to);
        }
        return Some(());
    }
    last_literals(cells, from.get(..count * C::UNIT)?, to.get_mut(..count)?);
    Some(())
}

/// Converts literal units at the end of a row.
#[inline(never)]
fn last_literals<C: Cells<D>, const D: usize>(cells: &C, from: &[u8], to: &mut [[u8; D]]) {
    cells.put(from, to);
}

/// Copies a match of any length within the row. False if it is longer, or if what it refers to is in several rows or
/// before the first one.
#[inline(never)]
fn repeat<C: Cells<D>, const D: usize>(
    above: &Above<'_, D>,
    row: &mut [[u8; D]],
    x: usize,
    distance: usize,
    len: usize,
) -> bool {
    let width = row.len();
    if let Some(start) = x.checked_sub(distance) {
        let window = row.get_mut(start..).filter(|window| window.len() - distance >= len);
        return window.map(|window| C::repeat(window, distance, len)).is_some();
    }
    let to = row.get_mut(x..).and_then(|row| row.get_mut(..len));
    let (Some(from), Some(to)) = (above.units(distance - x, len, width), to) else { return false };
    C::copy_all(from, to);
    true
}

/// Bytes of input that are there for usual tokens: more than the longest run of literals.
const FRONT: usize = 104;
/// As many as a match or a group of literal units has, and more.
pub(crate) const SHORT: usize = 16;
/// Literal units that are converted at once, needed or not.
const GROUP: usize = 4;
