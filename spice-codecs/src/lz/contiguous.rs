//! Planes in one piece: rows without padding, in coded order.

use super::cells::AlphaCells;
use super::copies;
use super::plane::{Literals, Plane, WindowPlane, copy_alpha, pixels, put_alpha, repeat_alpha};
use super::usual::{Above, Distance, usual_tokens};
use crate::error::ErrorKind;

/// Units of `D` bytes.
pub(crate) struct Contiguous<L, const D: usize> {
    literals: L,
    /// Units that are there at the beginning.
    done: usize,
}

impl<L, const D: usize> Contiguous<L, D> {
    /// A plane of which `done` units are there.
    pub(crate) fn new(literals: L, done: usize) -> Self {
        Self { literals, done }
    }
}

impl<L: Literals<D>, const D: usize> Plane for Contiguous<L, D> {
    const UNIT: usize = L::UNIT;
    const USUAL: bool = true;
    /// In bytes.
    type Spot = usize;

    fn start(&self) -> usize {
        self.done * D
    }

    #[inline(always)]
    fn check(&self, units: &[u8]) -> Result<(), ErrorKind> {
        self.literals.check(units)
    }

    #[inline(always)]
    fn literals(&self, memory: &mut [u8], at: usize, from: &[u8], count: usize) -> usize {
        if let Some(to) = memory.get_mut(at..) {
            copies::put(&self.literals, from, to, count);
        }
        at + count * D
    }

    #[inline(always)]
    fn repeat(&self, memory: &mut [u8], at: usize, _: usize, distance: usize, count: usize) -> usize {
        let (back, len) = (distance * D, count * D);
        if let Some(window) = memory.get_mut(at.wrapping_sub(back)..) {
            copies::repeat::<D>(window, back, len);
        }
        at + len
    }

    #[inline(always)]
    fn passed(&self, at: usize) -> usize {
        at / D
    }

    #[inline(always)]
    fn usual_tokens(
        &self,
        input: &mut &[u8],
        memory: &mut [u8],
        at: usize,
        distance: impl Distance,
    ) -> usize {
        usual_tokens(&self.literals, input, &Above::NONE, memory.as_chunks_mut::<D>().0, at / D, distance) * D
    }
}

impl<L: Literals<D>, const D: usize> WindowPlane for Contiguous<L, D> {
    const STORED: usize = D;

    #[inline(always)]
    fn copy(&self, memory: &mut [u8], at: usize, from: &[u8], count: usize) -> usize {
        let len = count * D;
        let Some(to) = memory.get_mut(at..) else { return at };
        copies::copy(from, to, len);
        at + len
    }
}

/// The fourth bytes of pixels of four.
pub(crate) struct ContiguousAlpha {
    /// Units that are there at the beginning.
    done: usize,
}

impl ContiguousAlpha {
    /// A plane of which `done` units are there.
    pub(crate) fn new(done: usize) -> Self {
        Self { done }
    }
}

impl Plane for ContiguousAlpha {
    const UNIT: usize = 1;
    const USUAL: bool = true;
    /// In bytes.
    type Spot = usize;

    fn start(&self) -> usize {
        self.done * 4
    }

    #[inline(always)]
    fn literals(&self, memory: &mut [u8], at: usize, from: &[u8], count: usize) -> usize {
        put_alpha(from, pixels(memory, at, count).as_flattened_mut());
        at + count * 4
    }

    #[inline(always)]
    fn repeat(&self, memory: &mut [u8], at: usize, _: usize, distance: usize, count: usize) -> usize {
        let from = at.wrapping_sub(distance * 4);
        if count <= SHORT_ALPHA {
            let pixels = pixels(memory, from, distance + count);
            for i in 0..count {
                let Some(&[.., alpha]) = pixels.get(i) else { break };
                let Some(to) = pixels.get_mut(distance + i) else { break };
                to[3] = alpha;
            }
        } else {
            repeat_alpha(memory, from, at, count);
        }
        at + count * 4
    }

    #[inline(always)]
    fn passed(&self, at: usize) -> usize {
        at / 4
    }

    #[inline(always)]
    fn usual_tokens(
        &self,
        input: &mut &[u8],
        memory: &mut [u8],
        at: usize,
        distance: impl Distance,
    ) -> usize {
        usual_tokens(&AlphaCells, input, &Above::NONE, memory.as_chunks_mut().0, at / 4, distance) * 4
    }
}

/// Longest match of alpha bytes that are copied one by one.
const SHORT_ALPHA: usize = 12;

impl WindowPlane for ContiguousAlpha {
    const STORED: usize = 4;

    #[inline(always)]
    fn copy(&self, memory: &mut [u8], at: usize, from: &[u8], count: usize) -> usize {
        copy_alpha(pixels(memory, at, count), from.as_chunks().0);
        at + count * 4
    }
}
