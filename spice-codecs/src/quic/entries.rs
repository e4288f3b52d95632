//! What the tables of codes hold, and what indexes them.

/// Bits that one table look-up resolves. Three of them must fit the 33 bits of a look ahead.
pub(super) const LOOKUP_BITS: u32 = 10;

/// The length of codes that a look-up does not resolve.
///
/// Out of the way of shifts, which take the lowest six bits, and three of them fit a byte.
const LONG: u32 = 0x40;

/// What a look-up yields: the code length in the low byte ([`LONG`]: longer than the look-up), and above it the
/// difference that the code stands for, where its channel lies in a pixel.
///
/// The sum of the symbols of a pixel's channels is the symbol of the pixel.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Symbol(u32);

impl Symbol {
    /// A code that a look-up does not resolve.
    pub(super) const LONG: Self = Symbol(LONG);

    pub(super) const fn new(len: u32, difference: u32, shift: u32) -> Self {
        Symbol(len | difference << 8 << shift)
    }

    /// Code length. The lengths of three channels fit the byte, long or not.
    #[inline(always)]
    pub(super) const fn len(self) -> u8 {
        self.0 as u8
    }

    /// Whether the code, or one of those that were added, is longer than the look-up.
    #[inline(always)]
    pub(super) const fn is_long(self) -> bool {
        self.0 & (LONG | LONG << 1) != 0
    }

    /// Removes the code from the front of `bits`.
    #[inline(always)]
    pub(super) const fn shift(self, bits: u64) -> u64 {
        bits.wrapping_shl(self.0)
    }

    /// The symbol of two channels.
    #[inline(always)]
    pub(super) const fn plus(self, other: Self) -> Self {
        Symbol(self.0.wrapping_add(other.0))
    }

    /// The difference of the pixel to its prediction, channel by channel.
    #[inline(always)]
    pub(super) const fn difference(self) -> u32 {
        self.0 >> 8
    }
}

/// A code word: its length in the low byte, and above it the bits behind the zeros that it begins with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word(u16);

impl Word {
    pub(super) const fn new(bits: u32, len: u32) -> Self {
        assert!(bits <= 0xff && 3 * len <= 0xff);
        Word((bits << 8 | len) as u16)
    }

    /// Length. Those of three words fit the byte.
    #[inline(always)]
    pub(super) const fn len(self) -> u8 {
        self.0 as u8
    }

    /// The bits, of which the first ones may be missing zeros.
    #[inline(always)]
    pub(super) const fn bits(self) -> u32 {
        self.0 as u32 >> 8
    }

    /// Appends the word to bits.
    #[inline(always)]
    pub(super) const fn append_to(self, bits: u64) -> u64 {
        bits.wrapping_shl(self.0 as u32) | self.bits() as u64
    }
}

/// A code, by where its part of a look-up table begins. The compiler knows that a table ends behind the last part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Base {
    /// No bits behind the prefix.
    Rice0 = 0,
    /// One bit behind it, and so on.
    Rice1 = 1 << LOOKUP_BITS,
    Rice2 = 2 << LOOKUP_BITS,
    Rice3 = 3 << LOOKUP_BITS,
    Rice4 = 4 << LOOKUP_BITS,
    Rice5 = 5 << LOOKUP_BITS,
    Rice6 = 6 << LOOKUP_BITS,
    Rice7 = 7 << LOOKUP_BITS,
}

impl Base {
    /// The code with 7 bits behind the prefix less the number in the lowest three bits of `back`.
    #[inline(always)]
    pub(super) const fn from_last(back: u32) -> Self {
        FROM_LAST[(back & 7) as usize]
    }

    /// How many bits are behind the prefix.
    #[inline(always)]
    pub(super) const fn code(self) -> u32 {
        self as u32 >> LOOKUP_BITS
    }
}

/// All codes, the last one first.
static FROM_LAST: [Base; 8] = {
    use Base::{Rice0, Rice1, Rice2, Rice3, Rice4, Rice5, Rice6, Rice7};
    [Rice7, Rice6, Rice5, Rice4, Rice3, Rice2, Rice1, Rice0]
};

/// What a bit counts in [`Charges`]; what is below is for other uses.
pub(super) const CHARGE: i16 = 8;

/// A number per code, in the shape that the counters of buckets have.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub(super) struct Charges(pub(super) [i16; 8]);

/// A class of differences: those that the same code follows best, as far as a channel has learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Bucket {
    /// No difference.
    B0,
    /// Differences of which one bit counts, and so on.
    B1,
    B2,
    B3,
    B4,
    B5,
    B6,
    B7,
}

/// All buckets.
pub(super) const BUCKETS: [Bucket; 8] = {
    use Bucket::{B0, B1, B2, B3, B4, B5, B6, B7};
    [B0, B1, B2, B3, B4, B5, B6, B7]
};
