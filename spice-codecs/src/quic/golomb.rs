//! Golomb-Rice code families: how a residual is written with each of the codes of a channel.

use core::ops::Range;

use super::entries::{BUCKETS, Base, Bucket, CHARGE, Charges, LOOKUP_BITS, Symbol, Word};

/// Entries of a look-up table: one part per code.
const LOOKUP_LEN: usize = 8 << LOOKUP_BITS;

/// Everything about the codes of a channel of `bpc` bits.
#[derive(Debug)]
pub(super) struct Family {
    bpc: u32,
    /// Look-up tables of the channels, the lowest one in a pixel first.
    symbols: [[Symbol; LOOKUP_LEN]; 3],
    /// What each difference charges each code: its length times [`CHARGE`]. Codes that do not exist are charged more
    /// than the last one that does.
    charges: [Charges; 256],
    /// The bucket that a difference is the context for.
    buckets: [Bucket; 256],
    /// Code words: eight for each difference, one for each code.
    words: [Word; 8 << 8],
    codes: [Code; 8],
}

/// One code: Golomb-Rice up to a limit, escapes above it.
#[derive(Clone, Copy, Debug)]
struct Code {
    /// Longest unary prefix; that many zeros announce an escape.
    prefix: u32,
    /// Residuals below have a Golomb-Rice code word.
    limit: u32,
    /// Bits of an escape after its prefix.
    suffix: u32,
}

/// Codes of 8-bit channels.
pub(super) static BPC8: Family = Family::new(8);
/// Codes of 5-bit channels.
pub(super) static BPC5: Family = Family::new(5);

impl Family {
    const fn new(bpc: u32) -> Self {
        let mut codes = [Code { prefix: 0, limit: 0, suffix: 0 }; 8];
        let mut charges = [Charges([0; 8]); 256];
        let mut symbols = [[Symbol::LONG; LOOKUP_LEN]; 3];
        let mut words = [Word::new(0, 0); 8 << 8];
        let mut buckets = [Bucket::B0; 256];
        let mut l = 0;
        while l < bpc {
            let code = Code::new(l, bpc);
            codes[l as usize] = code;
            let mut n = 0;
            while n < 1 << bpc {
                let (word, len) = code.word(n, l);
                let difference = unfold(n, bpc) as usize;
                let mut code = l as usize;
                charges[difference].0[code] = len as i16 * CHARGE;
                // The last code's turn is the last.
                while code < 7 {
                    code += 1;
                    charges[difference].0[code] = (len as i16 + 1) * CHARGE;
                }
                buckets[difference] = BUCKETS[bucket(n, bpc) as usize];
                words[difference << 3 | l as usize] = Word::new(word, len);
                if len <= LOOKUP_BITS {
                    let first = (l << LOOKUP_BITS | word << (LOOKUP_BITS - len)) as usize;
                    let mut i = 0;
                    while i < 1 << (LOOKUP_BITS - len) {
                        let mut channel = 0;
                        while channel < symbols.len() {
                            let shift = channel as u32 * bpc;
                            symbols[channel][first + i] = Symbol::new(len, difference as u32, shift);
                            channel += 1;
                        }
                        i += 1;
                    }
                }
                n += 1;
            }
            l += 1;
        }
        Self { bpc, symbols, charges, buckets, words, codes }
    }

    /// The symbol at the front of `bits` (top-aligned) under the code of `base`, for the channel that lies `shift`
    /// bits up in a pixel.
    #[inline(always)]
    pub(super) fn lookup(&self, base: Base, bits: u64, shift: u32) -> Symbol {
        // The code is the upper part of the index, the bits are the lower one.
        let index = base as u64 | bits >> (64 - LOOKUP_BITS);
        self.symbols[(shift / self.bpc) as usize][index as usize]
    }

    /// As [`lookup`](Self::lookup) for any length; fails with a residual that the channel does not have.
    pub(super) fn long(&self, base: Base, bits: u64, shift: u32) -> Result<Symbol, u32> {
        let l = base.code();
        let code = self.codes[l as usize];
        let zeros = bits.leading_zeros();
        let (residual, len) = if zeros < code.prefix {
            let len = zeros + 1 + l;
            (zeros << l | (bits >> (64 - len)) as u32 & ((1 << l) - 1), len)
        } else {
            let len = code.prefix + code.suffix;
            (code.limit + ((bits >> (64 - len)) as u32 & ((1 << code.suffix) - 1)), len)
        };
        if residual >> self.bpc != 0 {
            return Err(residual);
        }
        Ok(Symbol::new(len, unfold(residual, self.bpc), shift))
    }

    /// The code word of a difference under the code of `base`.
    #[inline(always)]
    pub(super) fn word(&self, base: Base, difference: u32) -> Word {
        self.words[((difference & 0xff) << 3 | base.code()) as usize]
    }

    /// The bucket that a difference is the context for.
    #[inline(always)]
    pub(super) fn bucket(&self, difference: u32) -> Bucket {
        self.buckets[(difference & 0xff) as usize]
    }

    /// The buckets that differences are in.
    pub(super) fn buckets(&self) -> impl Iterator<Item = Bucket> + use<> {
        BUCKETS.into_iter().take(self.bpc as usize)
    }

    /// The differences that are the context for a bucket: two ranges, of rises and of falls.
    #[inline]
    pub(super) fn differences(&self, bucket: Bucket) -> [Range<usize>; 2] {
        let bucket = bucket as u32;
        let (all, low, high) = (1 << self.bpc, 1 << bucket >> 1, 1 << bucket);
        let falls = match bucket {
            0 => 0..0,
            // The largest fall has no rise for a counterpart.
            _ if bucket == self.bpc - 1 => all / 2..all + 1 - low,
            _ => all + 1 - high..all + 1 - low,
        };
        [low..high, falls]
    }

    /// What `difference` charges every code.
    #[inline(always)]
    pub(super) fn charges(&self, difference: u32) -> &Charges {
        &self.charges[(difference & 0xff) as usize]
    }
}

impl Code {
    const fn new(l: u32, bpc: u32) -> Self {
        let longest = (1 << (bpc - l)) - 1;
        let prefix = if 26 - bpc < longest { 26 - bpc } else { longest };
        let limit = prefix << l;
        // Bits that hold every residual from `limit` on: the rounded-up binary logarithm of their number.
        let escapes: u32 = (1 << bpc) - limit;
        let suffix = escapes.next_power_of_two().trailing_zeros();
        Self { prefix, limit, suffix }
    }

    /// The code word of `n` and its length.
    const fn word(self, n: u32, l: u32) -> (u32, u32) {
        if n < self.limit {
            (1 << l | n & ((1 << l) - 1), (n >> l) + 1 + l)
        } else {
            (n - self.limit, self.prefix + self.suffix)
        }
    }
}

/// The difference, modulo the channel, that a residual stands for.
const fn unfold(residual: u32, bpc: u32) -> u32 {
    if residual & 1 == 0 { residual >> 1 } else { ((1 << bpc) - 1) - (residual >> 1) }
}

/// The bucket whose code follows a residual.
const fn bucket(residual: u32, bpc: u32) -> u32 {
    let log = (residual + 1).ilog2();
    if log < bpc { log } else { bpc - 1 }
}

#[cfg(test)]
mod tests {
    use super::{BPC5, BPC8};

    #[test]
    fn every_difference_is_in_its_bucket() {
        for family in [&BPC5, &BPC8] {
            let mut differences = 0;
            for bucket in family.buckets() {
                for difference in family.differences(bucket).into_iter().flatten() {
                    assert_eq!(family.bucket(difference as u32), bucket);
                    differences += 1;
                }
            }
            assert_eq!(differences, 1 << family.bpc);
        }
    }

    /// What the bound of the counters of buckets is made of.
    #[test]
    fn no_code_is_charged_more_than_eight_times_as_much_as_another() {
        for family in [&BPC5, &BPC8] {
            for charges in family.charges.iter().take(1 << family.bpc) {
                let (least, most) = (charges.0.iter().min().unwrap(), charges.0.iter().max().unwrap());
                assert!(*least > 0 && *most <= 8 * least);
            }
        }
    }
}
