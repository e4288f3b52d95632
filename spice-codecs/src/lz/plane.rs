//! Where decoded units go: rows of a destination, alpha bytes, nothing.

use crate::convert::Converter;
use crate::error::ErrorKind;
use crate::palette::Lookup;

use super::usual::Distance;

/// How units of a sequence are put where they belong, by literals and matches.
///
/// The token loop promises that no call exceeds the units of the plane and that distances reach at most back to
/// its first unit. It owns the place, so that it can stay in registers.
pub(crate) trait Plane {
    /// Bytes of a literal unit.
    const UNIT: usize;
    /// What matches are longer than they say, in units.
    const BIAS: usize = bias(Self::UNIT);
    /// Whether there are `usual_tokens`, so that all others are rare.
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

    /// How many units are before a place. Only asked where there are `usual_tokens`.
    #[inline(always)]
    fn passed(&self, spot: Self::Spot) -> usize {
        let _ = spot;
        0
    }

    /// Decodes tokens at the front of `input` as long as they are usual for the plane. Takes and returns where the next
    /// unit goes.
    #[inline(always)]
    fn usual_tokens(
        &self,
        input: &mut &[u8],
        memory: &mut [u8],
        spot: Self::Spot,
        distance: impl Distance,
    ) -> Self::Spot {
        let _ = (input, memory, distance);
        spot
    }
}

/// What matches of units of so many bytes are longer than they say.
pub(crate) const fn bias(unit: usize) -> usize {
    3 - unit
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
        return fill_alpha(memory.get_mut(at..).unwrap_or_default(), count, alpha);
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

/// Gives the first `count` pixels of four bytes the same alpha.
#[inline(always)]
pub(crate) fn fill_alpha(memory: &mut [u8], count: usize, alpha: u8) {
    if alpha == u8::MAX {
        // One operation less, and the usual value.
        for pixel in pixels(memory, 0, count) {
            *pixel = (u32::from_le_bytes(*pixel) | 0xff00_0000).to_le_bytes();
        }
        return;
    }
    for pixel in pixels(memory, 0, count) {
        *pixel = (u32::from_le_bytes(*pixel) & 0x00ff_ffff | u32::from(alpha) << 24).to_le_bytes();
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
