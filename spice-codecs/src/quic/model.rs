//! What coder and decoder learn from the pixels: buckets per channel, and when they learn.

use super::golomb::{Base, Family};

/// The buckets of one colour channel.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    /// Per difference: the best code of the bucket that it is the context for.
    bases: [Base; 256],
    /// Per bucket and code: bits that this code would have taken, halved from time to time.
    ///
    /// Codes that the channel does not have are charged more than any code word takes, so they are never best.
    /// The least counter never exceeds the threshold (900) by more than a code word, and no counter grows faster
    /// than 27 times as fast as the least one.
    counters: [[i16; 8]; 8],
}

impl Channel {
    pub(super) fn new(bpc: u32) -> Self {
        Self { bases: [Base::of(bpc - 1); 256], counters: [[0; 8]; 8] }
    }

    /// The code that follows a difference.
    #[inline(always)]
    pub(super) fn base(&self, context: u32) -> Base {
        self.bases[(context & 0xff) as usize]
    }

    /// Learns that `difference` came after the difference `context`.
    #[inline(always)]
    pub(super) fn update(&mut self, family: &Family, context: u32, difference: u32, trigger: i16) {
        let number = family.bucket(context);
        let counters = &mut self.counters[(number & 7) as usize];
        let lengths = family.lengths(difference);
        *counters = core::array::from_fn(|l| counters[l] + lengths[l]);
        // The least counter names its code: on a tie, the largest one.
        let named: [i16; 8] = core::array::from_fn(|l| counters[l].min(i16::MAX >> 4) << 4 | (8 - l as i16));
        let least = named.iter().fold(i16::MAX, |least, counter| least.min(*counter));
        let base = Base::of(8 - (least & 15) as u32);
        if least >> 4 > trigger {
            halve(counters);
        }
        if self.bases[(context & 0xff) as usize] != base {
            self.change(family, number, base);
        }
    }

    /// Sets the best code of a bucket.
    #[cold]
    #[inline(never)]
    fn change(&mut self, family: &Family, bucket: u32, base: Base) {
        for range in family.differences(bucket) {
            self.bases.get_mut(range).unwrap_or_default().fill(base);
        }
    }
}

#[cold]
#[inline(never)]
fn halve(counters: &mut [i16; 8]) {
    for counter in counters {
        *counter >>= 1;
    }
}

/// When buckets are updated, and how long runs are expected to be.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// Coded pixels to go until the next update.
    pub(super) wait: usize,
    /// Last draw from [`RANDOM`].
    random: u8,
    /// The low bits of a draw that count.
    mask: u8,
    /// How many these are, which is also the index into [`TRIGGERS`].
    mask_bits: usize,
    /// The counter value at which counters are halved.
    trigger: i16,
    /// Pixels until `mask` grows.
    left: usize,
    /// Index into [`RUN_BITS`].
    run: usize,
}

impl State {
    pub(super) fn new() -> Self {
        Self { wait: 0, random: 255, mask: 0, mask_bits: 0, trigger: TRIGGERS[0], left: GROWTH, run: 0 }
    }

    /// Where the segment that begins at `pos` ends in a row of `width` pixels.
    pub(super) fn segment_end(&self, pos: usize, width: usize) -> usize {
        if self.mask_bits == TRIGGERS.len() - 1 { width } else { width.min(pos.saturating_add(self.left)) }
    }

    /// Accounts for a segment of `len` pixels.
    pub(super) fn end_segment(&mut self, len: usize) {
        if self.mask_bits == TRIGGERS.len() - 1 {
            return;
        }
        self.left -= len;
        if self.left == 0 {
            self.mask_bits += 1;
            self.mask = self.mask << 1 | 1;
            self.trigger = TRIGGERS[self.mask_bits];
            self.left = GROWTH;
        }
    }

    /// Draws the next waiting time.
    #[inline]
    pub(super) fn draw(&mut self) -> usize {
        self.random = self.random.wrapping_add(1);
        usize::from(RANDOM[usize::from(self.random)] & self.mask)
    }

    /// The counter value at which counters are halved.
    #[inline]
    pub(super) fn trigger(&self) -> i16 {
        self.trigger
    }

    /// Binary logarithm of the run length that one more bit stands for.
    #[inline]
    pub(super) fn run_bits(&self) -> u32 {
        u32::from(RUN_BITS[self.run & 31])
    }

    #[inline]
    pub(super) fn lengthen_runs(&mut self) {
        self.run = (self.run + 1).min(31);
    }

    #[inline]
    pub(super) fn shorten_runs(&mut self) {
        self.run = self.run.saturating_sub(1);
    }
}

/// Pixels after which the waiting times grow.
const GROWTH: usize = 2048;

/// Thresholds for halving, by size of the waiting times.
const TRIGGERS: [i16; 7] = [110, 550, 900, 800, 550, 400, 350];

/// Bits of run length per state of the run coder.
const RUN_BITS: [u8; 32] =
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// The waiting times, to be masked.
#[rustfmt::skip]
const RANDOM: [u8; 256] = [
    0x02, 0x17, 0x13, 0x15, 0x07, 0x12, 0x28, 0x0e, 0x0c, 0x20, 0x2f, 0x2c, 0x24, 0x06, 0x12, 0x0b,
    0x04, 0x13, 0x2a, 0x1d, 0x10, 0x3f, 0x39, 0x33, 0x10, 0x03, 0x05, 0x0e, 0x0f, 0x1e, 0x14, 0x09,
    0x24, 0x2d, 0x03, 0x39, 0x3d, 0x00, 0x08, 0x05, 0x29, 0x0e, 0x2b, 0x1b, 0x2b, 0x3b, 0x1f, 0x23,
    0x27, 0x3c, 0x2a, 0x26, 0x0d, 0x36, 0x3e, 0x01, 0x1a, 0x03, 0x0b, 0x3d, 0x34, 0x22, 0x07, 0x30,
    0x04, 0x3b, 0x16, 0x0c, 0x16, 0x08, 0x32, 0x04, 0x0a, 0x06, 0x2c, 0x08, 0x0b, 0x2e, 0x1f, 0x33,
    0x35, 0x11, 0x01, 0x2b, 0x2e, 0x3c, 0x24, 0x36, 0x0a, 0x1b, 0x27, 0x2c, 0x16, 0x29, 0x17, 0x02,
    0x2c, 0x00, 0x28, 0x35, 0x28, 0x30, 0x10, 0x2b, 0x20, 0x1c, 0x21, 0x0c, 0x14, 0x02, 0x38, 0x3e,
    0x37, 0x3a, 0x12, 0x14, 0x0d, 0x37, 0x26, 0x1d, 0x39, 0x13, 0x31, 0x21, 0x2f, 0x3f, 0x3b, 0x00,
    0x23, 0x3d, 0x13, 0x19, 0x2e, 0x26, 0x3c, 0x04, 0x23, 0x01, 0x1a, 0x28, 0x1c, 0x0a, 0x05, 0x0e,
    0x19, 0x12, 0x30, 0x31, 0x14, 0x3b, 0x3e, 0x22, 0x2e, 0x07, 0x21, 0x34, 0x22, 0x3a, 0x09, 0x1d,
    0x08, 0x37, 0x3e, 0x3c, 0x25, 0x24, 0x25, 0x32, 0x06, 0x03, 0x0a, 0x1c, 0x30, 0x18, 0x1a, 0x3d,
    0x39, 0x1e, 0x0b, 0x36, 0x02, 0x06, 0x32, 0x2f, 0x07, 0x11, 0x23, 0x35, 0x20, 0x0c, 0x17, 0x11,
    0x05, 0x15, 0x31, 0x37, 0x33, 0x2d, 0x34, 0x1b, 0x27, 0x19, 0x27, 0x3f, 0x16, 0x18, 0x2a, 0x34,
    0x38, 0x26, 0x29, 0x29, 0x38, 0x20, 0x0d, 0x18, 0x1a, 0x33, 0x1b, 0x38, 0x3a, 0x25, 0x18, 0x2a,
    0x0f, 0x1c, 0x11, 0x1e, 0x1f, 0x0f, 0x10, 0x17, 0x19, 0x36, 0x21, 0x22, 0x01, 0x1d, 0x1f, 0x32,
    0x35, 0x15, 0x31, 0x0f, 0x2f, 0x09, 0x00, 0x3a, 0x25, 0x2d, 0x1e, 0x0d, 0x09, 0x2d, 0x3f, 0x15,
];
