//! Planes of rows that may lie apart or bottom first.

use super::cells::{AlphaCells, Cells};
use super::copies;
use super::plane::{Literals, Plane, pixels, put_alpha, repeat_alpha};
use super::usual::{Above, Distance, usual_tokens};
use crate::error::ErrorKind;
use crate::pixels::{PixelsMut, RowOrder};

/// A place in the memory of a plane, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    /// The current row.
    row: usize,
    /// The next unit.
    at: usize,
    /// What the rows before hold.
    before: usize,
}

impl Spot {
    #[inline(always)]
    fn advance(self, bytes: usize) -> Self {
        Self { at: self.at + bytes, ..self }
    }
}

/// Where rows lie, in bytes.
#[derive(Clone, Copy, Debug)]
struct Layout {
    /// The first coded row.
    start: usize,
    /// From one coded row to the next, modulo the address space.
    step: usize,
    /// A row.
    width: usize,
    /// What the rows before the last one hold.
    last: usize,
    /// A unit.
    unit: usize,
}

impl Layout {
    /// The rows of a destination in coded order.
    fn of(dst: &PixelsMut<'_>, order: RowOrder, unit: usize) -> Self {
        let (width, height, stride) = (dst.row_bytes(), dst.height() as usize, dst.stride());
        let (start, step) = match order {
            RowOrder::TopDown => (0, stride),
            RowOrder::BottomUp => ((height - 1) * stride, stride.wrapping_neg()),
        };
        Self { start, step, width, last: width * (height - 1), unit }
    }

    fn spot(&self) -> Spot {
        Spot { row: self.start, at: self.start, before: 0 }
    }

    /// Bytes that fit the current row.
    #[inline(always)]
    fn room(&self, spot: Spot) -> usize {
        self.width - (spot.at - spot.row)
    }

    /// The rest of the current row.
    #[inline(always)]
    fn rest<'a>(&self, memory: &'a mut [u8], spot: Spot) -> Option<&'a mut [u8]> {
        memory.get_mut(spot.at..spot.row.wrapping_add(self.width))
    }

    /// Goes to the next row, if there is one, when the current one is full.
    #[inline(always)]
    fn wrap(&self, spot: Spot) -> Spot {
        if self.room(spot) > 0 || spot.before == self.last {
            return spot;
        }
        let row = spot.row.wrapping_add(self.step);
        Spot { row, at: row, before: spot.before + self.width }
    }

    /// Where in an earlier row the bytes lie that come `back` before `spot`, and how many until the end of that row.
    /// None if they come before the first row or are in the row of `spot`.
    #[inline(always)]
    fn earlier(&self, spot: Spot, back: usize) -> Option<(usize, usize)> {
        let beyond =
            back.checked_sub(spot.at - spot.row).filter(|beyond| (1..=spot.before).contains(beyond))?;
        // Mostly it is the row before.
        let rows = if beyond <= self.width { 1 } else { beyond.div_ceil(self.width) };
        let gaps = rows.wrapping_mul(self.step.wrapping_sub(self.width));
        Some((spot.at.wrapping_sub(back).wrapping_sub(gaps), beyond - (rows - 1) * self.width))
    }

    /// What comes before the row of `spot`, and the row itself. None if rows do not begin at whole units.
    #[inline(always)]
    fn stretch<'a, const D: usize>(
        &self,
        memory: &'a mut [u8],
        spot: Spot,
    ) -> Option<(Above<'a, D>, &'a mut [[u8; D]])> {
        let bottom_up = self.start > 0;
        let stride = if bottom_up { self.step.wrapping_neg() } else { self.step };
        if !stride.is_multiple_of(D) {
            return None;
        }
        let (low, rest) = memory.split_at_mut_checked(spot.row)?;
        let (row, high) = rest.split_at_mut_checked(self.width)?;
        let (rows, above): (&[u8], _) = match (spot.before, bottom_up) {
            (0, _) => (&[], &[][..]),
            (_, false) => (low, low.get(low.len().checked_sub(stride)?..)?.get(..self.width)?),
            (_, true) => {
                // Not what may lie behind the first coded row.
                let rows = high.get(stride - self.width..self.start - spot.row)?;
                (rows, rows.get(..self.width)?)
            }
        };
        let (row, stride) = (row.as_chunks_mut().0, stride / D);
        let above = Above { row: above.as_chunks().0, rows: rows.as_chunks().0, stride, bottom_up };
        Some((above, row))
    }

    /// Decodes usual tokens from `spot` on, row by row.
    #[inline(always)]
    fn usual_tokens<C: Cells<D>, const D: usize>(
        &self,
        cells: &C,
        input: &mut &[u8],
        memory: &mut [u8],
        spot: Spot,
        distance: impl Distance,
    ) -> Spot {
        let spot = self.wrap(spot);
        let Some((above, row)) = self.stretch::<D>(memory, spot) else { return spot };
        let x = usual_tokens(cells, input, &above, row, (spot.at - spot.row) / D, distance);
        Spot { at: spot.row + x * D, ..spot }
    }

    /// Cuts `count` units that begin at `spot` at the ends of rows. `put` gets each part's place and length, and how
    /// many units lie before it.
    #[inline(always)]
    fn literals(&self, mut spot: Spot, count: usize, mut put: impl FnMut(Spot, usize, usize)) -> Spot {
        let mut done = 0;
        while done < count {
            spot = self.wrap(spot);
            let part = (count - done).min(self.room(spot) / self.unit);
            put(spot, part, done);
            spot = spot.advance(part * self.unit);
            done += part;
        }
        spot
    }

    /// Cuts a match at the ends of its rows and of those it refers to. `copy` gets each part's place, that of its
    /// source, and its length; a source in the same row may overlap its copy.
    #[inline(always)]
    fn repeat(
        &self,
        mut spot: Spot,
        distance: usize,
        mut count: usize,
        mut copy: impl FnMut(Spot, usize, usize),
    ) -> Spot {
        let back = distance * self.unit;
        while count > 0 {
            spot = self.wrap(spot);
            let (from, room) = match self.earlier(spot, back) {
                Some((from, room)) => (from, room / self.unit),
                None => (spot.at.wrapping_sub(back), count),
            };
            let part = count.min(self.room(spot) / self.unit).min(room);
            copy(spot, from, part);
            spot = spot.advance(part * self.unit);
            count -= part;
        }
        spot
    }
}

/// Rows of units of `D` bytes.
pub(crate) struct Packed<L, const D: usize> {
    layout: Layout,
    literals: L,
}

impl<L: Literals<D>, const D: usize> Packed<L, D> {
    /// The rows of a picture, in coded order.
    pub(crate) fn rows(dst: &PixelsMut<'_>, order: RowOrder, literals: L) -> Self {
        Self { layout: Layout::of(dst, order, D), literals }
    }

    /// Copies from an earlier row into the rest of the current one.
    #[inline(always)]
    fn copy_row(&self, memory: &mut [u8], spot: Spot, from: usize, len: usize) {
        let room = self.layout.room(spot);
        let parts = if from < spot.at {
            memory.split_at_mut_checked(spot.at).map(|(before, to)| (before.get(from..), to.get_mut(..room)))
        } else {
            memory
                .split_at_mut_checked(from)
                .map(|(to, rest)| (Some(&*rest), to.get_mut(spot.at..).and_then(|to| to.get_mut(..room))))
        };
        let Some((Some(from), Some(to))) = parts else { return };
        copies::copy(from, to, len);
    }

    /// Repeats what lies `back` bytes before `spot` in the same row.
    #[inline(always)]
    fn repeat_row(&self, memory: &mut [u8], spot: Spot, back: usize, len: usize) {
        let start = Spot { at: spot.at.wrapping_sub(back), ..spot };
        if let Some(window) = self.layout.rest(memory, start) {
            copies::repeat::<D>(window, back, len);
        }
    }
}

impl<L: Literals<D>, const D: usize> Plane for Packed<L, D> {
    const UNIT: usize = L::UNIT;
    const USUAL: bool = true;
    type Spot = Spot;

    fn start(&self) -> Spot {
        self.layout.spot()
    }

    #[inline(always)]
    fn check(&self, units: &[u8]) -> Result<(), ErrorKind> {
        self.literals.check(units)
    }

    #[inline(always)]
    fn literals(&self, memory: &mut [u8], spot: Spot, from: &[u8], count: usize) -> Spot {
        self.layout.literals(spot, count, |spot, part, done| {
            if let (Some(from), Some(to)) = (from.get(done * L::UNIT..), self.layout.rest(memory, spot)) {
                copies::put(&self.literals, from, to, part);
            }
        })
    }

    #[inline(always)]
    fn repeat(&self, memory: &mut [u8], spot: Spot, _: usize, distance: usize, count: usize) -> Spot {
        self.layout.repeat(spot, distance, count, |spot, from, part| {
            let back = spot.at.wrapping_sub(from);
            if from >= spot.row && from < spot.at {
                self.repeat_row(memory, spot, back, part * D);
            } else {
                self.copy_row(memory, spot, from, part * D);
            }
        })
    }

    #[inline(always)]
    fn passed(&self, spot: Spot) -> usize {
        (spot.before + (spot.at - spot.row)) / D
    }

    #[inline(always)]
    fn usual_tokens(
        &self,
        input: &mut &[u8],
        memory: &mut [u8],
        spot: Spot,
        distance: impl Distance,
    ) -> Spot {
        self.layout.usual_tokens(&self.literals, input, memory, spot, distance)
    }
}

/// The fourth bytes of rows of four-byte pixels.
pub(crate) struct Alpha {
    layout: Layout,
}

impl Alpha {
    /// The rows of a picture, in coded order.
    pub(crate) fn rows(dst: &PixelsMut<'_>, order: RowOrder) -> Self {
        Self { layout: Layout::of(dst, order, 4) }
    }
}

impl Plane for Alpha {
    const UNIT: usize = 1;
    const USUAL: bool = true;
    type Spot = Spot;

    fn start(&self) -> Spot {
        self.layout.spot()
    }

    #[inline(always)]
    fn literals(&self, memory: &mut [u8], spot: Spot, from: &[u8], count: usize) -> Spot {
        self.layout.literals(spot, count, |spot, part, done| {
            let from = from.get(done..).unwrap_or_default();
            put_alpha(from, pixels(memory, spot.at, part).as_flattened_mut());
        })
    }

    #[inline(always)]
    fn repeat(&self, memory: &mut [u8], spot: Spot, _: usize, distance: usize, count: usize) -> Spot {
        self.layout.repeat(spot, distance, count, |spot, from, part| {
            repeat_alpha(memory, from, spot.at, part);
        })
    }

    #[inline(always)]
    fn passed(&self, spot: Spot) -> usize {
        (spot.before + (spot.at - spot.row)) / 4
    }

    #[inline(always)]
    fn usual_tokens(
        &self,
        input: &mut &[u8],
        memory: &mut [u8],
        spot: Spot,
        distance: impl Distance,
    ) -> Spot {
        self.layout.usual_tokens::<_, 4>(&AlphaCells, input, memory, spot, distance)
    }
}
