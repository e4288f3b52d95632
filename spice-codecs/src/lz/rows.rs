//! Planes whose rows lie apart or bottom first.

use super::plane::{CHUNK, Literals, Plane, SHORT, copy_doubling, pixels, repeat_alpha, whole_chunks};
use crate::error::ErrorKind;
use crate::pixels::{PixelsMut, RowOrder};

/// A place in the memory of a plane, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    /// The current row.
    row: usize,
    /// Behind the current row.
    end: usize,
    /// The next unit.
    at: usize,
}

impl Spot {
    /// Bytes that fit the current row.
    #[inline(always)]
    fn room(self) -> usize {
        self.end - self.at
    }

    #[inline(always)]
    fn advance(self, bytes: usize) -> Self {
        Self { at: self.at + bytes, ..self }
    }
}

/// Where rows lie.
#[derive(Clone, Copy, Debug)]
struct Layout {
    /// Byte position of the first coded row.
    start: usize,
    /// Bytes from one coded row to the next, modulo the address space.
    step: usize,
    /// Units per row.
    width: usize,
    /// Bytes per unit.
    unit: usize,
}

impl Layout {
    /// The rows of a destination in coded order.
    fn of(dst: &PixelsMut<'_>, order: RowOrder, unit: usize) -> Self {
        let (width, height, stride) = (dst.width() as usize, dst.height() as usize, dst.stride());
        let (start, step) = match order {
            RowOrder::TopDown => (0, stride),
            RowOrder::BottomUp => ((height - 1) * stride, stride.wrapping_neg()),
        };
        Self { start, step, width, unit }
    }

    fn spot(&self) -> Spot {
        Spot { row: self.start, end: self.start + self.width * self.unit, at: self.start }
    }

    /// Goes to the next row if the current one is full.
    #[inline(always)]
    fn wrap(&self, spot: Spot) -> Spot {
        if spot.at != spot.end {
            return spot;
        }
        let row = spot.row.wrapping_add(self.step);
        Spot { row, end: row.wrapping_add(self.width * self.unit), at: row }
    }

    /// Byte position of a unit, and the units from there to the end of its row.
    #[inline]
    fn find(&self, index: usize) -> (usize, usize) {
        // Pictures have less than 2^32 pixels; the narrow division is the fast one.
        let (y, x) = match (u32::try_from(index), u32::try_from(self.width)) {
            (Ok(index), Ok(width)) => ((index / width) as usize, (index % width) as usize),
            _ => (index / self.width, index % self.width),
        };
        let row = self.start.wrapping_add(y.wrapping_mul(self.step));
        (row.wrapping_add(x * self.unit), self.width - x)
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

    #[cold]
    #[inline(never)]
    fn literals_across(&self, memory: &mut [u8], mut spot: Spot, mut from: &[u8], mut count: usize) -> Spot {
        while count > 0 {
            spot = self.layout.wrap(spot);
            let part = count.min(spot.room() / D);
            let Some((front, rest)) = from.split_at_checked(part * L::UNIT) else { break };
            if let Some(to) = memory.get_mut(spot.at..).and_then(|to| to.get_mut(..part * D)) {
                self.literals.put(front, to);
            }
            spot = spot.advance(part * D);
            from = rest;
            count -= part;
        }
        spot
    }

    #[inline(never)]
    fn repeat_across(
        &self,
        memory: &mut [u8],
        mut spot: Spot,
        mut done: usize,
        distance: usize,
        mut count: usize,
    ) -> Spot {
        while count > 0 {
            spot = self.layout.wrap(spot);
            let mut part = count.min(spot.room() / D);
            if distance * D <= spot.at - spot.row {
                repeat_in_row::<D>(memory, spot, distance * D, part * D);
            } else {
                let (from, room) = self.layout.find(done - distance);
                part = part.min(room);
                copy_from_row(memory, spot, from, part * D);
            }
            spot = spot.advance(part * D);
            done += part;
            count -= part;
        }
        spot
    }
}

/// Repeats what is `back` bytes back in the same row, which has room.
#[inline(always)]
fn repeat_in_row<const D: usize>(memory: &mut [u8], spot: Spot, back: usize, len: usize) {
    if back == D {
        fill::<D>(memory, spot, len);
    } else if back < CHUNK || len > SHORT || !copy_chunks(memory, spot, spot.at - back, len) {
        copy_doubling(memory, spot.at - back, spot.at, len);
    }
}

/// Repeats the last unit.
#[inline(always)]
fn fill<const D: usize>(memory: &mut [u8], spot: Spot, len: usize) {
    let Some((before, rest)) = memory.split_at_mut_checked(spot.at) else { return };
    let Some(&unit) = before.last_chunk::<D>() else { return };
    // A chunk is a whole number of units, and its surplus will be overwritten.
    let whole = whole_chunks(len);
    if whole <= spot.room()
        && let Some(to) = rest.get_mut(..whole)
    {
        let chunk: [u8; CHUNK] = core::array::from_fn(|i| unit[i % D]);
        for to in to.as_chunks_mut().0 {
            *to = chunk;
        }
    } else if let Some(to) = rest.get_mut(..len) {
        for to in to.as_chunks_mut().0 {
            *to = unit;
        }
    }
}

/// Copies in whole chunks, whose surplus the following units will overwrite. False if a row is too short for
/// that.
#[inline(always)]
fn copy_chunks(memory: &mut [u8], spot: Spot, from: usize, len: usize) -> bool {
    let whole = whole_chunks(len);
    if spot.room() < whole || memory.len() - from < whole {
        return false;
    }
    let mut done = 0;
    while done < len {
        memory.copy_within(from + done..from + done + CHUNK, spot.at + done);
        done += CHUNK;
    }
    true
}

/// Copies from another row.
#[inline(always)]
fn copy_from_row(memory: &mut [u8], spot: Spot, from: usize, len: usize) {
    if len > SHORT || !copy_chunks(memory, spot, from, len) {
        memory.copy_within(from..from + len, spot.at);
    }
}

impl<L: Literals<D>, const D: usize> Plane for Packed<L, D> {
    const UNIT: usize = L::UNIT;
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
        let len = count * D;
        if spot.room() < len {
            return self.literals_across(memory, spot, from, count);
        }
        let Some(to) = memory.get_mut(spot.at..) else { return spot };
        // The surplus of the last group will be overwritten.
        let whole = count.div_ceil(L::GROUP) * L::GROUP;
        if whole * D <= spot.room()
            && let (Some(from), Some(to)) = (from.get(..whole * L::UNIT), to.get_mut(..whole * D))
        {
            self.literals.put(from, to);
        } else if let (Some(from), Some(to)) = (from.get(..count * L::UNIT), to.get_mut(..len)) {
            self.literals.put(from, to);
        }
        spot.advance(len)
    }

    #[inline(always)]
    fn repeat(&self, memory: &mut [u8], spot: Spot, done: usize, distance: usize, count: usize) -> Spot {
        let (back, len) = (distance * D, count * D);
        if spot.room() < len {
            return self.repeat_across(memory, spot, done, distance, count);
        }
        if back <= spot.at - spot.row {
            repeat_in_row::<D>(memory, spot, back, len);
        } else {
            let (from, room) = self.layout.find(done - distance);
            if room < count {
                return self.repeat_across(memory, spot, done, distance, count);
            }
            copy_from_row(memory, spot, from, len);
        }
        spot.advance(len)
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
    type Spot = Spot;

    fn start(&self) -> Spot {
        self.layout.spot()
    }

    #[inline(always)]
    fn literals(&self, memory: &mut [u8], mut spot: Spot, mut from: &[u8], mut count: usize) -> Spot {
        while count > 0 {
            spot = self.layout.wrap(spot);
            let part = count.min(spot.room() / 4);
            let Some((front, rest)) = from.split_at_checked(part) else { break };
            for (pixel, alpha) in pixels(memory, spot.at, part).iter_mut().zip(front) {
                pixel[3] = *alpha;
            }
            spot = spot.advance(part * 4);
            from = rest;
            count -= part;
        }
        spot
    }

    #[inline(always)]
    fn repeat(
        &self,
        memory: &mut [u8],
        mut spot: Spot,
        mut done: usize,
        distance: usize,
        mut count: usize,
    ) -> Spot {
        while count > 0 {
            spot = self.layout.wrap(spot);
            let mut part = count.min(spot.room() / 4);
            let from = if distance * 4 <= spot.at - spot.row {
                spot.at - distance * 4
            } else {
                let (from, room) = self.layout.find(done - distance);
                part = part.min(room);
                from
            };
            repeat_alpha(memory, from, spot.at, part);
            spot = spot.advance(part * 4);
            done += part;
            count -= part;
        }
        spot
    }
}
