//! How literals and matches write the units of a row.

use super::copies;
use super::plane::{Literals, copy_alpha, put_alpha, repeat_alpha};

/// Units of a plane: how literals and matches write them.
pub(crate) trait Cells<const D: usize> {
    /// Bytes of a literal unit.
    const UNIT: usize;

    /// Whether literal units are what they should be.
    fn fits(&self, units: &[u8]) -> bool;

    /// Converts literal units, as many in `to`.
    fn put(&self, from: &[u8], to: &mut [[u8; D]]);

    /// Copies at least `len` units.
    fn copy(from: &[[u8; D]; WIDE], to: &mut [[u8; D]; WIDE], len: usize);

    /// Copies units.
    fn copy_four(from: &[[u8; D]; 4], to: &mut [[u8; D]; 4]);

    /// Writes equal units.
    fn fill(unit: [u8; D], to: &mut [[u8; D]; WIDE]);

    /// Copies as many units as `to` holds.
    fn copy_all(from: &[[u8; D]], to: &mut [[u8; D]]);

    /// Repeats the first `distance` units of `window` behind them, at least `len` units.
    fn repeat(window: &mut [[u8; D]], distance: usize, len: usize);
}

/// Units of which all bytes are written.
impl<L: Literals<D>, const D: usize> Cells<D> for L {
    const UNIT: usize = L::UNIT;

    #[inline(always)]
    fn fits(&self, units: &[u8]) -> bool {
        self.check(units).is_ok()
    }

    #[inline(always)]
    fn put(&self, from: &[u8], to: &mut [[u8; D]]) {
        Literals::put(self, from, to.as_flattened_mut());
    }

    #[inline(always)]
    fn copy(from: &[[u8; D]; WIDE], to: &mut [[u8; D]; WIDE], _: usize) {
        *to = *from;
    }

    #[inline(always)]
    fn copy_four(from: &[[u8; D]; 4], to: &mut [[u8; D]; 4]) {
        *to = *from;
    }

    #[inline(always)]
    fn fill(unit: [u8; D], to: &mut [[u8; D]; WIDE]) {
        *to = [unit; WIDE];
    }

    #[inline(always)]
    fn copy_all(from: &[[u8; D]], to: &mut [[u8; D]]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = *from;
        }
    }

    #[inline(always)]
    fn repeat(window: &mut [[u8; D]], distance: usize, len: usize) {
        copies::repeat::<D>(window.as_flattened_mut(), distance * D, len * D);
    }
}

/// The fourth bytes of pixels.
pub(crate) struct AlphaCells;

impl Cells<4> for AlphaCells {
    const UNIT: usize = 1;

    #[inline(always)]
    fn fits(&self, _: &[u8]) -> bool {
        true
    }

    #[inline(always)]
    fn put(&self, from: &[u8], to: &mut [[u8; 4]]) {
        put_alpha(from, to.as_flattened_mut());
    }

    #[inline(always)]
    fn copy(from: &[[u8; 4]; WIDE], to: &mut [[u8; 4]; WIDE], len: usize) {
        if len <= WIDE / 2 {
            copy_alpha(&mut to[..WIDE / 2], &from[..WIDE / 2]);
        } else {
            copy_alpha(to, from);
        }
    }

    #[inline(always)]
    fn copy_four(from: &[[u8; 4]; 4], to: &mut [[u8; 4]; 4]) {
        copy_alpha(to, from);
    }

    #[inline(always)]
    fn fill(unit: [u8; 4], to: &mut [[u8; 4]; WIDE]) {
        copy_alpha(to, &[unit; WIDE]);
    }

    #[inline(always)]
    fn copy_all(from: &[[u8; 4]], to: &mut [[u8; 4]]) {
        copy_alpha(to, from);
    }

    #[inline(always)]
    fn repeat(window: &mut [[u8; 4]], distance: usize, len: usize) {
        repeat_alpha(window.as_flattened_mut(), 0, distance * 4, len);
    }
}

/// Units that short matches write, needed or not.
pub(super) const WIDE: usize = 16;
