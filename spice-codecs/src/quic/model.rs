//! What coder and decoder learn from the pixels: buckets per channel, and when they learn.

use super::entries::{Base, Bucket, Charges};
use super::golomb::Family;

/// The buckets of one colour channel.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    /// Per bucket and code, what [`Counter`] says.
    counters: [Charges; 8],
    /// Per bucket: the best code. Kept up to date while the channel is young.
    best: [Base; 8],
    /// Per difference: the best code of the bucket that it is the context for. In use when the channel is grown.
    bases: [Base; 256],
}

/// How a channel keeps what it has learned.
///
/// At first nearly every pixel changes something: the best codes are kept per bucket. Later next to none does, and
/// keeping them per difference saves a look-up per pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// As long as a picture of a small tile's size has pixels.
    Young,
    /// From then on.
    Grown,
}

impl Channel {
    pub(super) fn new(bpc: u32) -> Self {
        let first = Base::from_last(8 - bpc);
        Self { counters: [Charges(counter::NONE); 8], best: [first; 8], bases: [first; 256] }
    }

    /// The code that follows a difference.
    #[inline(always)]
    pub(super) fn base(&self, age: Age, family: &Family, context: u32) -> Base {
        match age {
            Age::Young => self.best[family.bucket(context) as usize],
            Age::Grown => self.bases[(context & 0xff) as usize],
        }
    }

    /// Learns that `difference` came after the difference `context`.
    #[inline(always)]
    pub(super) fn update(&mut self, age: Age, family: &Family, context: u32, difference: u32, trigger: i16) {
        let bucket = family.bucket(context);
        let Charges(counters) = &mut self.counters[bucket as usize];
        let Charges(charges) = family.charges(difference);
        *counters = core::array::from_fn(|l| counters[l].wrapping_add(charges[l]));
        let least = counters.iter().fold(i16::MAX, |least, counter| least.min(*counter));
        let base = Base::from_last(least as u32);
        if least > trigger {
            counter::halve(counters);
        }
        match age {
            Age::Young => self.best[bucket as usize] = base,
            Age::Grown if self.bases[(context & 0xff) as usize] != base => self.change(family, bucket, base),
            Age::Grown => {}
        }
    }

    /// Makes a young channel a grown one.
    #[cold]
    pub(super) fn grow(&mut self, family: &Family) {
        for bucket in family.buckets() {
            self.change(family, bucket, self.best[bucket as usize]);
        }
    }

    /// Sets the best code of a bucket.
    #[cold]
    #[inline(never)]
    fn change(&mut self, family: &Family, bucket: Bucket, base: Base) {
        for range in family.differences(bucket) {
            self.bases.get_mut(range).unwrap_or_default().fill(base);
        }
    }
}

/// Counters of buckets: bits that a code would have taken, halved from time to time.
///
/// A counter has its code below the bits, so that the least counter names the best code; the later a code, the less it
/// adds, since on a tie the last one wins. The whole is moved down to where the range of its type begins.
///
/// The range suffices: the least counter never exceeds the threshold (900) by more than a code word (26), and none exceeds
/// eight times the least by more than 8, which halving may add. Codes that the channel does not have are charged more
/// than another one, so they are never best.
mod counter {
    use super::super::entries::CHARGE;

    /// No bits, of all codes.
    pub(super) const NONE: [i16; 8] = {
        let mut counters = [i16::MIN; 8];
        let mut code = 0;
        while code < counters.len() {
            counters[code] += 7 - code as i16;
            code += 1;
        }
        counters
    };

    /// What counters of more than `bits` bits exceed.
    pub(super) const fn above(bits: i16) -> i16 {
        i16::MIN + bits * CHARGE + (CHARGE - 1)
    }

    #[cold]
    #[inline(never)]
    pub(super) fn halve(counters: &mut [i16; 8]) {
        for counter in counters {
            let sum = counter.wrapping_sub(i16::MIN) as u16;
            let (bits, code) = (sum / CHARGE as u16 / 2, sum % CHARGE as u16);
            *counter = ((bits * CHARGE as u16) | code) as i16 ^ i16::MIN;
        }
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
    /// The counters above which they are halved.
    trigger: i16,
    /// Pixels until `mask` grows.
    left: usize,
    /// Index into [`RUN_BITS`].
    run: usize,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            wait: 0,
            random: 255,
            mask: 0,
            mask_bits: 0,
            trigger: counter::above(TRIGGERS[0]),
            left: GROWTH,
            run: 0,
        }
    }

    /// Where the segment that begins at `pos` ends in a row of `width` pixels.
    pub(super) fn segment_end(&self, pos: usize, width: usize) -> usize {
        if self.mask_bits == TRIGGERS.len() - 1 { width } else { width.min(pos.saturating_add(self.left)) }
    }

    /// Accounts for a segment of `len` pixels. Says whether channels are to grow.
    #[must_use]
    pub(super) fn end_segment(&mut self, len: usize) -> bool {
        if self.mask_bits == TRIGGERS.len() - 1 {
            return false;
        }
        self.left -= len;
        if self.left > 0 {
            return false;
        }
        let before = self.age();
        self.mask_bits += 1;
        self.mask = self.mask << 1 | 1;
        self.trigger = counter::above(TRIGGERS[self.mask_bits]);
        self.left = GROWTH;
        self.age() != before
    }

    /// How old the channels are.
    pub(super) fn age(&self) -> Age {
        if self.mask_bits < YOUTH { Age::Young } else { Age::Grown }
    }

    /// Draws the next waiting time.
    #[inline]
    pub(super) fn draw(&mut self) -> usize {
        self.random = self.random.wrapping_add(1);
        usize::from(RANDOM[usize::from(self.random)] & self.mask)
    }

    /// The counter above which counters are halved.
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

/// How often the waiting times grow until channels do: after the 4096 pixels of a tile of 64x64.
const YOUTH: usize = 2;

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
