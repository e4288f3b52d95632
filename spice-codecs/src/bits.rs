//! Bits in words of 32: QUIC's container.
//!
//! Words are little-endian, bits inside a word run from the most to the least significant one.

use alloc::vec::Vec;

/// Reads bits at a position counted from the start of a buffer.
///
/// Looking ahead past the end yields zeros; whoever consumes asks [`overrun`](Self::overrun) from time to time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BitReader<'a> {
    words: &'a [[u8; 4]],
    /// In bits. 64 wide on every target, so that no row can make it wrap before the overrun is noticed.
    pos: u64,
}

impl<'a> BitReader<'a> {
    /// A reader that begins at byte `start`, a multiple of 4. Bytes that do not fill a word are ignored.
    pub(crate) fn new(data: &'a [u8], start: usize) -> Self {
        Self { words: data.as_chunks().0, pos: start as u64 * 8 }
    }

    /// At least the next 33 bits, in the top of the result.
    #[inline(always)]
    pub(crate) fn peek(&self) -> u64 {
        let at = (self.pos >> 5) as usize;
        let words = self.words.get(at..at.wrapping_add(2)).map(<[[u8; 4]]>::as_flattened);
        let two_words = match words.and_then(|bytes| bytes.first_chunk()) {
            Some(bytes) => u64::from_le_bytes(*bytes).rotate_left(32),
            None => self.tail(at),
        };
        two_words << (self.pos & 31)
    }

    #[inline(always)]
    pub(crate) fn skip(&mut self, bits: u32) {
        self.pos += u64::from(bits);
    }

    /// Goes on where another reader of the same buffer stopped.
    #[inline(always)]
    pub(crate) fn seek(&mut self, pos: u64) {
        self.pos = pos;
    }

    /// Whether more bits were consumed than there are.
    #[inline]
    pub(crate) fn overrun(&self) -> bool {
        self.pos > self.words.len() as u64 * 32
    }

    /// The byte that the position is in, at most the length.
    pub(crate) fn byte(&self) -> usize {
        usize::try_from(self.pos >> 3).unwrap_or(usize::MAX).min(self.words.len() * 4)
    }

    /// A reservoir filled from the position.
    #[inline(always)]
    pub(crate) fn reservoir(&self) -> Reservoir<'a> {
        let next = (self.pos >> 5) + 2;
        let total = self.words.len() as u64;
        Reservoir {
            bits: self.peek(),
            used: FRESH + (self.pos & 31) as u8,
            words: usize::try_from(next).ok().and_then(|next| self.words.get(next..)).unwrap_or_default(),
            end: total.max(next),
        }
    }

    #[cold]
    #[inline(never)]
    fn tail(&self, at: usize) -> u64 {
        self.words.get(at).map_or(0, |word| u64::from(u32::from_le_bytes(*word)) << 32)
    }
}

/// The next bits of a [`BitReader`] in a register, for loops that do nothing but read codes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reservoir<'a> {
    /// Unread bits, in the top; at least 33 between calls.
    bits: u64,
    /// [`FRESH`] and how many of 64 bits are read: overflows when a word is to be taken.
    used: u8,
    /// The words to refill from.
    words: &'a [[u8; 4]],
    /// How many words there are in all, with zeros that were taken where there were none.
    end: u64,
}

/// Taken off 256, the bits that may be read before a word is taken.
const FRESH: u8 = 224;

impl Reservoir<'_> {
    /// At least the next 33 bits, in the top of the result.
    #[inline(always)]
    pub(crate) fn peek(&self) -> u64 {
        self.bits
    }

    /// Replaces the unread bits after `len` of them were read, at most 32, and refills.
    #[inline(always)]
    pub(crate) fn consume(&mut self, rest: u64, len: u8) {
        if self.try_consume(rest, len) {
            self.refill();
        }
    }

    /// As [`consume`](Self::consume), but leaves it to the caller to [`refill`](Self::refill) or, where `len` was no
    /// length, to [`restore`](Self::restore), if the result says so.
    #[inline(always)]
    #[must_use]
    pub(crate) fn try_consume(&mut self, rest: u64, len: u8) -> bool {
        let (used, spent) = self.used.overflowing_add(len);
        self.bits = rest;
        self.used = used;
        spent
    }

    /// Takes a word.
    #[inline(always)]
    pub(crate) fn refill(&mut self) {
        let word = match self.words.split_first() {
            Some((word, rest)) => {
                self.words = rest;
                u32::from_le_bytes(*word)
            }
            None => {
                self.end += 1;
                0
            }
        };
        self.bits |= u64::from(word).wrapping_shl(self.used.into());
        self.used = self.used.wrapping_add(FRESH);
    }

    /// The position in bits before a consumption of `len`, with which everything else in here is void.
    pub(crate) fn restore(&mut self, len: u8) -> u64 {
        self.used = self.used.wrapping_sub(len);
        self.pos()
    }

    /// The position in bits.
    #[inline(always)]
    pub(crate) fn pos(&self) -> u64 {
        (self.end - self.words.len() as u64) * 32 + u64::from(self.used - FRESH) - 64
    }
}

/// Appends bits to bytes, a word at a time.
#[derive(Debug)]
pub(crate) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    /// The last `filled` bits are still to be written; what is above them is stale.
    pending: u64,
    /// INVARIANT: below 32 between calls.
    filled: u32,
}

impl<'a> BitWriter<'a> {
    /// A writer that appends to `out`.
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, pending: 0, filled: 0 }
    }

    /// Appends the last `len` bits of `bits`, at most 32; the others must be 0.
    #[inline(always)]
    pub(crate) fn put(&mut self, bits: u32, len: u32) {
        self.pending = self.pending << len | u64::from(bits);
        self.filled += len;
        if self.filled >= 32 {
            self.filled -= 32;
            let word = (self.pending >> self.filled) as u32;
            self.out.extend_from_slice(&word.to_le_bytes());
        }
    }

    /// Fills the last word with zeros.
    pub(crate) fn finish(mut self) {
        if self.filled > 0 {
            self.put(0, 32 - self.filled);
        }
    }
}
