//! Copies of units within rows, wide where there is room: what they write too much will be overwritten.

use super::plane::Literals;

/// Converts `count` literal units from the front of `from` to the front of `to`.
#[inline(always)]
pub(super) fn put<L: Literals<D>, const D: usize>(literals: &L, from: &[u8], to: &mut [u8], count: usize) {
    if count <= L::GROUP
        && let (Some(from), Some(to)) = (from.get(..L::GROUP * L::UNIT), to.get_mut(..L::GROUP * D))
    {
        return literals.put(from, to);
    }
    let whole = count.next_multiple_of(L::GROUP);
    if let (Some(from), Some(to)) = (from.get(..whole * L::UNIT), to.get_mut(..whole * D)) {
        literals.put(from, to);
    } else if let (Some(from), Some(to)) = (from.get(..count * L::UNIT), to.get_mut(..count * D)) {
        literals.put(from, to);
    }
}

/// Repeats the first `back` bytes of `window`, whole units of `D`, behind them.
#[inline(always)]
pub(super) fn repeat<const D: usize>(window: &mut [u8], back: usize, len: usize) {
    if back == D {
        if let Some((&mut unit, to)) = window.split_first_chunk_mut::<D>() {
            fill(unit, to, len);
        }
        return;
    }
    if back >= CHUNK
        && let Some((from, to)) = window.split_at_mut_checked(back)
        && copy(from, to, len)
    {
        return;
    }
    let mut ready = back;
    while ready < back + len {
        // Every copy doubles what may be copied next.
        let copied = match ready {
            1..=16 => double::<16>(window, ready),
            17..=32 => double::<32>(window, ready),
            33..=SHORT => double::<SHORT>(window, ready),
            _ => false,
        };
        if !copied {
            return copy_doubling(window, 0, ready, back + len - ready);
        }
        ready *= 2;
    }
}

/// Copies the first `N` bytes to `at`, of which as many are wanted as lie before `at`. False if there is no room.
#[inline(always)]
fn double<const N: usize>(window: &mut [u8], at: usize) -> bool {
    let Some(&bytes) = window.first_chunk::<N>() else { return false };
    let Some(to) = window.get_mut(at..).and_then(|to| to.first_chunk_mut()) else { return false };
    *to = bytes;
    true
}

/// Writes `len` bytes of equal units.
#[inline(always)]
fn fill<const D: usize>(unit: [u8; D], to: &mut [u8], len: usize) {
    // A chunk is a whole number of units.
    let chunk: [u8; CHUNK] = core::array::from_fn(|i| unit[i % D]);
    if len <= CHUNK
        && let Some(to) = to.first_chunk_mut()
    {
        *to = chunk;
    } else if let Some(to) = to.get_mut(..whole_chunks(len)) {
        let (blocks, rest) = to.as_chunks_mut().0.as_chunks_mut::<4>();
        blocks.fill([chunk; 4]);
        rest.fill(chunk);
    } else if let Some(to) = to.get_mut(..len) {
        to.as_chunks_mut().0.fill(unit);
    }
}

/// Copies `len` bytes between places that do not overlap. False if there are fewer on either side.
#[inline(always)]
pub(super) fn copy(from: &[u8], to: &mut [u8], len: usize) -> bool {
    if copy_chunks(from, to, len) {
        return true;
    }
    let (Some(from), Some(to)) = (from.get(..len), to.get_mut(..len)) else { return false };
    to.copy_from_slice(from);
    true
}

/// Copies up to 64 bytes, wide. False if they are more or there is no room.
#[inline(always)]
fn copy_chunks(from: &[u8], to: &mut [u8], len: usize) -> bool {
    match len {
        0..=16 => copy_array::<16>(from, to),
        17..=32 => copy_array::<32>(from, to),
        33..=SHORT => copy_array::<SHORT>(from, to),
        _ => false,
    }
}

/// Copies `N` bytes. False if there are fewer on either side.
#[inline(always)]
pub(crate) fn copy_array<const N: usize>(from: &[u8], to: &mut [u8]) -> bool {
    let (Some(from), Some(to)) = (from.first_chunk::<N>(), to.first_chunk_mut()) else { return false };
    *to = *from;
    true
}

/// Repeats the bytes between `from` and `at`: every copy doubles what may be copied next.
#[inline(never)]
pub(super) fn copy_doubling(memory: &mut [u8], from: usize, at: usize, len: usize) {
    let mut done = 0;
    // Nothing is there to repeat if both are the same.
    while done < len && from < at {
        let part = (at + done - from).min(len - done);
        memory.copy_within(from..from + part, at + done);
        done += part;
    }
}

/// `len` rounded up.
#[inline(always)]
fn whole_chunks(len: usize) -> usize {
    (len + (CHUNK - 1)) & !(CHUNK - 1)
}

/// Bytes that short matches are copied in: a whole number of units of any size.
const CHUNK: usize = 16;
/// Longest match, in bytes, that is copied without a call.
const SHORT: usize = 64;
