//! Where decoded units go: rows of a destination, alpha bytes, nothing.

use crate::convert::Converter;
use crate::error::ErrorKind;
use crate::palette::Lookup;
use crate::pixels::{PixelsMut, RowOrder};

/// How units of a sequence are put where they belong, by literals and matches.
///
/// The token loop promises that no call exceeds the units of the plane and that distances reach at most back to
/// its first unit. It owns the [`Spot`], so that it can stay in registers.
pub(crate) trait Plane {
    /// Bytes of a literal unit.
    const UNIT: usize;

    /// Where the next unit goes.
    fn start(&self) -> Spot;

    /// Whether literal units are what they should be.
    #[inline(always)]
    fn check(&self, units: &[u8]) -> Result<(), ErrorKind> {
        let _ = units;
        Ok(())
    }

    /// Appends `count` literal units from the front of `from`, which holds at least these.
    fn literals(&self, memory: &mut [u8], spot: Spot, from: &[u8], count: usize) -> Spot;

    /// Appends `count` units to the `done` that are there, each a copy of the one `distance` units back.
    fn repeat(&self, memory: &mut [u8], spot: Spot, done: usize, distance: usize, count: usize) -> Spot;
}

/// A plane that also takes units of other images.
///
/// Only contiguous planes are used so.
pub(crate) trait WindowPlane: Plane {
    /// Bytes of a unit in the memory of a picture.
    const STORED: usize;

    /// Appends `count` units from the front of `from`, memory of another picture.
    fn copy(&self, memory: &mut [u8], spot: Spot, from: &[u8], count: usize) -> Spot;
}

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
    /// Units that are there at the beginning.
    done: usize,
}

impl Layout {
    /// The rows of a destination in coded order. Rows without padding that come top first are one long row.
    fn of(dst: &PixelsMut<'_>, order: RowOrder, unit: usize) -> Self {
        let (width, height, stride) = (dst.width() as usize, dst.height() as usize, dst.stride());
        let (start, step, width) = match order {
            RowOrder::TopDown if stride == width * unit => (0, 0, width * height),
            RowOrder::TopDown => (0, stride, width),
            RowOrder::BottomUp => ((height - 1) * stride, stride.wrapping_neg(), width),
        };
        Self { start, step, width, unit, done: 0 }
    }

    /// One row of `bytes`, of which `done` units are there.
    fn contiguous(bytes: usize, unit: usize, done: usize) -> Self {
        Self { start: 0, step: 0, width: bytes / unit, unit, done }
    }

    fn spot(&self) -> Spot {
        let at = self.start + self.done * self.unit;
        Spot { row: self.start, end: self.start + self.width * self.unit, at }
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

/// Turns literal units into destination units of `D` bytes.
pub(crate) trait Literals<const D: usize> {
    /// Bytes of a literal unit.
    const UNIT: usize;
    /// A run of literals may be converted up to a multiple of this, where there is room.
    const GROUP: usize;

    /// Whether units can be converted.
    #[inline(always)]
    fn check(&self, units: &[u8]) -> Result<(), ErrorKind> {
        let _ = units;
        Ok(())
    }

    /// Converts as many units as `to` holds.
    fn put(&self, from: &[u8], to: &mut [u8]);
}

/// Literals that a fixed rule converts.
pub(crate) struct Fixed<C>(pub(crate) core::marker::PhantomData<C>);

impl<C> Fixed<C> {
    pub(crate) fn new() -> Self {
        Self(core::marker::PhantomData)
    }
}

impl<C: Converter, const D: usize> Literals<D> for Fixed<C> {
    const UNIT: usize = C::FROM;
    const GROUP: usize = C::GROUP;

    #[inline(always)]
    fn put(&self, from: &[u8], to: &mut [u8]) {
        const { assert!(C::TO == D) };
        C::row(from, to);
    }
}

/// Literals that are palette indices of a byte.
impl<const D: usize> Literals<D> for &Lookup {
    const UNIT: usize = 1;
    const GROUP: usize = 1;

    #[inline(always)]
    fn check(&self, units: &[u8]) -> Result<(), ErrorKind> {
        Lookup::check(self, units)
    }

    #[inline(always)]
    fn put(&self, from: &[u8], to: &mut [u8]) {
        let (to, _) = to.as_chunks_mut::<D>();
        for (to, index) in to.iter_mut().zip(from) {
            *to = self.pixel(*index);
        }
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

    /// One long row, of which `done` units are there.
    pub(crate) fn contiguous(memory: &[u8], literals: L, done: usize) -> Self {
        Self { layout: Layout::contiguous(memory.len(), D, done), literals }
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

/// `len` rounded up.
#[inline(always)]
fn whole_chunks(len: usize) -> usize {
    (len + (CHUNK - 1)) & !(CHUNK - 1)
}

/// Repeats the bytes between `from` and `at`: every copy doubles what may be copied next.
#[inline(never)]
fn copy_doubling(memory: &mut [u8], from: usize, at: usize, len: usize) {
    let mut done = 0;
    while done < len {
        let part = (at + done - from).min(len - done);
        memory.copy_within(from..from + part, at + done);
        done += part;
    }
}

/// Copies from another row.
#[inline(always)]
fn copy_from_row(memory: &mut [u8], spot: Spot, from: usize, len: usize) {
    if len > SHORT || !copy_chunks(memory, spot, from, len) {
        memory.copy_within(from..from + len, spot.at);
    }
}

/// Bytes that short matches are copied in: a whole number of units of any size.
const CHUNK: usize = 16;
/// Longest match, in bytes, that is copied in chunks.
const SHORT: usize = 64;

impl<L: Literals<D>, const D: usize> Plane for Packed<L, D> {
    const UNIT: usize = L::UNIT;

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

impl<L: Literals<D>, const D: usize> WindowPlane for Packed<L, D> {
    const STORED: usize = D;

    #[inline(always)]
    fn copy(&self, memory: &mut [u8], spot: Spot, from: &[u8], count: usize) -> Spot {
        let len = count * D;
        if let Some(to) = memory.get_mut(spot.at..) {
            let whole = whole_chunks(len);
            if len <= SHORT
                && let (Some(from), Some(to)) = (from.get(..whole), to.get_mut(..whole))
            {
                let (from, to) = (from.as_chunks::<CHUNK>().0, to.as_chunks_mut::<CHUNK>().0);
                for (to, from) in to.iter_mut().zip(from).take(SHORT / CHUNK) {
                    *to = *from;
                }
            } else if let (Some(from), Some(to)) = (from.get(..len), to.get_mut(..len)) {
                to.copy_from_slice(from);
            }
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

    /// One long row, of which `done` units are there.
    pub(crate) fn contiguous(memory: &[u8], done: usize) -> Self {
        Self { layout: Layout::contiguous(memory.len(), 4, done) }
    }
}

/// `count` pixels from byte `at` on.
#[inline(always)]
fn pixels(memory: &mut [u8], at: usize, count: usize) -> &mut [[u8; 4]] {
    let pixels = memory.get_mut(at..).and_then(|rest| rest.get_mut(..count * 4));
    pixels.unwrap_or_default().as_chunks_mut().0
}

/// Copies `count` alpha bytes to `at` from another place, which may overlap if it lies before.
#[inline(always)]
fn repeat_alpha(memory: &mut [u8], from: usize, mut at: usize, count: usize) {
    let end = at + count * 4;
    if from + 4 == at {
        let alpha = memory.get(from + 3).copied().unwrap_or(0);
        for pixel in pixels(memory, at, count) {
            *pixel = (u32::from_le_bytes(*pixel) & 0x00ff_ffff | u32::from(alpha) << 24).to_le_bytes();
        }
        return;
    }
    while at < end {
        // Every copy doubles what may be copied next.
        let len = if from < at { (at - from).min(end - at) } else { end - at };
        let (low, high) = if from < at { (from, at) } else { (at, from) };
        let Some((before, rest)) = memory.split_at_mut_checked(high) else { return };
        let low = before.get_mut(low..).and_then(|low| low.get_mut(..len));
        let (Some(low), Some(high)) = (low, rest.get_mut(..len)) else { return };
        let (to, from) = if from < at { (high, low) } else { (low, high) };
        copy_alpha(to.as_chunks_mut().0, from.as_chunks().0);
        at += len;
    }
}

/// Words instead of bytes, so that many go at once.
#[inline(always)]
fn copy_alpha(to: &mut [[u8; 4]], from: &[[u8; 4]]) {
    for (to, from) in to.iter_mut().zip(from) {
        let colour = u32::from_le_bytes(*to) & 0x00ff_ffff;
        *to = (colour | u32::from_le_bytes(*from) & 0xff00_0000).to_le_bytes();
    }
}

impl Plane for Alpha {
    const UNIT: usize = 1;

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

impl WindowPlane for Alpha {
    const STORED: usize = 4;

    #[inline(always)]
    fn copy(&self, memory: &mut [u8], spot: Spot, from: &[u8], count: usize) -> Spot {
        copy_alpha(pixels(memory, spot.at, count), from.as_chunks().0);
        spot.advance(count * 4)
    }
}

/// A plane that is checked and thrown away.
pub(crate) struct Discard;

impl Plane for Discard {
    const UNIT: usize = 1;

    fn start(&self) -> Spot {
        Spot { row: 0, end: 0, at: 0 }
    }

    fn literals(&self, _: &mut [u8], spot: Spot, _: &[u8], _: usize) -> Spot {
        spot
    }

    fn repeat(&self, _: &mut [u8], spot: Spot, _: usize, _: usize, _: usize) -> Spot {
        spot
    }
}
