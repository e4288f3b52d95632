//! Where decoded units go: rows of a destination, alpha bytes, nothing.

use crate::convert::Converter;
use crate::error::ErrorKind;
use crate::palette::Lookup;

/// How units of a sequence are put where they belong, by literals and matches.
///
/// The token loop promises that no call exceeds the units of the plane and that distances reach at most back to
/// its first unit. It owns the place, so that it can stay in registers.
pub(crate) trait Plane {
    /// Bytes of a literal unit.
    const UNIT: usize;
    /// Whether there are `usual_literals` and a `usual_match`: for planes on which everything else is slow.
    const USUAL: bool = false;
    /// A place in the plane.
    type Spot: Copy;

    /// Where the next unit goes.
    fn start(&self) -> Self::Spot;

    /// Whether literal units are what they should be.
    #[inline(always)]
    fn check(&self, units: &[u8]) -> Result<(), ErrorKind> {
        let _ = units;
        Ok(())
    }

    /// Appends `count` literal units from the front of `from`, which holds at least these.
    fn literals(&self, memory: &mut [u8], spot: Self::Spot, from: &[u8], count: usize) -> Self::Spot;

    /// Appends `count` units to the `done` that are there, each a copy of the one `distance` units back.
    fn repeat(
        &self,
        memory: &mut [u8],
        spot: Self::Spot,
        done: usize,
        distance: usize,
        count: usize,
    ) -> Self::Spot;

    /// How many units are before a place. Only asked where there are `usual_literals`.
    #[inline(always)]
    fn passed(&self, spot: Self::Spot) -> usize {
        let _ = spot;
        0
    }

    /// As [`check`](Self::check) and [`literals`](Self::literals) for units that fit the current row, or the memory of a
    /// plane in one piece, with room to spare. `None` if they do not, or if they are not what they should be.
    #[inline(always)]
    fn usual_literals(
        &self,
        memory: &mut [u8],
        spot: Self::Spot,
        from: &[u8],
        count: usize,
    ) -> Option<Self::Spot> {
        let _ = (memory, spot, from, count);
        None
    }

    /// As [`repeat`](Self::repeat) for a match within the current row whose source is in one row, or in the memory of a
    /// plane in one piece. `None` for others,
    /// also for those that begin before the first unit.
    #[inline(always)]
    fn usual_match(
        &self,
        memory: &mut [u8],
        spot: Self::Spot,
        distance: usize,
        count: usize,
    ) -> Option<Self::Spot> {
        let _ = (memory, spot, distance, count);
        None
    }
}

/// A plane that also takes units of other images.
pub(crate) trait WindowPlane: Plane {
    /// Bytes of a unit in the memory of a picture.
    const STORED: usize;

    /// Appends `count` units from the front of `from`, memory of another picture.
    fn copy(&self, memory: &mut [u8], spot: Self::Spot, from: &[u8], count: usize) -> Self::Spot;
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

/// A plane that is checked and thrown away.
pub(crate) struct Discard;

impl Plane for Discard {
    const UNIT: usize = 1;
    type Spot = ();

    fn start(&self) {}

    fn literals(&self, _: &mut [u8], (): (), _: &[u8], _: usize) {}

    fn repeat(&self, _: &mut [u8], (): (), _: usize, _: usize, _: usize) {}
}

/// `count` pixels from byte `at` on.
#[inline(always)]
pub(super) fn pixels(memory: &mut [u8], at: usize, count: usize) -> &mut [[u8; 4]] {
    let pixels = memory.get_mut(at..).and_then(|rest| rest.get_mut(..count * 4));
    pixels.unwrap_or_default().as_chunks_mut().0
}

/// Puts alpha bytes into as many pixels as `to` holds.
#[inline(always)]
pub(super) fn put_alpha(from: &[u8], to: &mut [u8]) {
    for (pixel, alpha) in to.as_chunks_mut::<4>().0.iter_mut().zip(from) {
        pixel[3] = *alpha;
    }
}

/// Copies `count` alpha bytes to `at` from another place, which may overlap if it lies before.
#[inline(always)]
pub(super) fn repeat_alpha(memory: &mut [u8], from: usize, mut at: usize, count: usize) {
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
pub(super) fn copy_alpha(to: &mut [[u8; 4]], from: &[[u8; 4]]) {
    for (to, from) in to.iter_mut().zip(from) {
        let colour = u32::from_le_bytes(*to) & 0x00ff_ffff;
        *to = (colour | u32::from_le_bytes(*from) & 0xff00_0000).to_le_bytes();
    }
}

/// Copies alpha bytes of `len` bytes of pixels, and some more where that is faster, which will be overwritten: `from`
/// ends where `to` begins, or they lie apart. False if there is no room.
#[inline(always)]
pub(super) fn repeat_alpha_usual(from: &[u8], to: &mut [u8], len: usize) -> bool {
    match len {
        0..=16 => alpha_array::<16>(from, to),
        17..=32 => alpha_array::<32>(from, to),
        33..=64 => alpha_array::<64>(from, to),
        _ => {
            let whole = len.next_multiple_of(16);
            let (Some(from), Some(to)) = (from.get(..whole), to.get_mut(..whole)) else { return false };
            copy_alpha(to.as_chunks_mut().0, from.as_chunks().0);
            true
        }
    }
}

/// Copies the alpha bytes of `N` bytes of pixels. False if there are fewer on either side.
#[inline(always)]
fn alpha_array<const N: usize>(from: &[u8], to: &mut [u8]) -> bool {
    let (Some(&from), Some(to)) = (from.first_chunk::<N>(), to.first_chunk_mut::<N>()) else { return false };
    copy_alpha(to.as_chunks_mut().0, from.as_chunks().0);
    true
}
