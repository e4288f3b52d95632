//! Planes in one piece: rows without padding, in coded order.

use super::plane::{
    CHUNK, Literals, Plane, SHORT, WindowPlane, copy_alpha, copy_doubling, pixels, repeat_alpha, whole_chunks,
};
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
        let Some(to) = memory.get_mut(at..) else { return at };
        // The surplus of a whole group will be overwritten.
        if count <= L::GROUP
            && let (Some(from), Some(to)) = (from.get(..L::GROUP * L::UNIT), to.get_mut(..L::GROUP * D))
        {
            self.literals.put(from, to);
            return at + count * D;
        }
        let whole = count.next_multiple_of(L::GROUP);
        if let (Some(from), Some(to)) = (from.get(..whole * L::UNIT), to.get_mut(..whole * D)) {
            self.literals.put(from, to);
        } else if let (Some(from), Some(to)) = (from.get(..count * L::UNIT), to.get_mut(..count * D)) {
            self.literals.put(from, to);
        }
        at + count * D
    }

    #[inline(always)]
    fn repeat(&self, memory: &mut [u8], at: usize, _: usize, distance: usize, count: usize) -> usize {
        let (back, len) = (distance * D, count * D);
        let Some(window) = memory.get_mut(at.wrapping_sub(back)..) else { return at };
        if distance == 1 {
            fill::<D>(window, len);
        } else {
            repeat::<D>(window, back, len);
        }
        at + len
    }
}

/// Repeats the unit at the front of `window` behind it.
#[inline(always)]
fn fill<const D: usize>(window: &mut [u8], len: usize) {
    let Some((&mut unit, to)) = window.split_first_chunk_mut::<D>() else { return };
    // A chunk is a whole number of units, and its surplus will be overwritten.
    let chunk: [u8; CHUNK] = core::array::from_fn(|i| unit[i % D]);
    if len <= CHUNK
        && let Some(to) = to.first_chunk_mut()
    {
        *to = chunk;
    } else if let Some(to) = to.get_mut(..whole_chunks(len)) {
        to.as_chunks_mut().0.fill(chunk);
    } else if let Some(to) = to.get_mut(..len) {
        to.as_chunks_mut().0.fill(unit);
    }
}

/// Repeats the first `back` bytes of `window` behind them.
#[inline(always)]
fn repeat<const D: usize>(window: &mut [u8], back: usize, len: usize) {
    if back >= CHUNK {
        if let Some((from, to)) = window.split_at_mut_checked(back)
            && (len <= CHUNK || len <= SHORT && whole_chunks(len) <= back)
            && copy_chunks(from, to, len)
        {
            return;
        }
    } else if len <= 8 * D
        && let Some(window) = window.get_mut(..back + len)
    {
        for at in (0..len).step_by(D) {
            window.copy_within(at..at + D, back + at);
        }
        return;
    }
    copy_doubling(window, 0, back, len);
}

/// Copies in whole chunks, whose surplus will be overwritten. False if there is no room for that.
#[inline(always)]
fn copy_chunks(from: &[u8], to: &mut [u8], len: usize) -> bool {
    if len <= CHUNK {
        let (Some(from), Some(to)) = (from.first_chunk::<CHUNK>(), to.first_chunk_mut()) else {
            return false;
        };
        *to = *from;
        return true;
    }
    let whole = whole_chunks(len);
    let (Some(from), Some(to)) = (from.get(..whole), to.get_mut(..whole)) else { return false };
    let (from, to) = (from.as_chunks::<CHUNK>().0, to.as_chunks_mut::<CHUNK>().0);
    for (to, from) in to.iter_mut().zip(from).take(SHORT / CHUNK) {
        *to = *from;
    }
    true
}

impl<L: Literals<D>, const D: usize> WindowPlane for Contiguous<L, D> {
    const STORED: usize = D;

    #[inline(always)]
    fn copy(&self, memory: &mut [u8], at: usize, from: &[u8], count: usize) -> usize {
        let len = count * D;
        let Some(to) = memory.get_mut(at..) else { return at };
        if (len > SHORT || !copy_chunks(from, to, len))
            && let (Some(from), Some(to)) = (from.get(..len), to.get_mut(..len))
        {
            to.copy_from_slice(from);
        }
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
    /// In bytes.
    type Spot = usize;

    fn start(&self) -> usize {
        self.done * 4
    }

    #[inline(always)]
    fn literals(&self, memory: &mut [u8], at: usize, from: &[u8], count: usize) -> usize {
        for (pixel, alpha) in pixels(memory, at, count).iter_mut().zip(from) {
            pixel[3] = *alpha;
        }
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
