//! Rows from bits.

use super::Context;
use super::golomb::Symbol;
use super::model::{Channel, State};
use super::pixel::{Pass, Pixel};
use crate::bits::{BitReader, Reservoir};
use crate::error::ErrorKind;

/// Decoder of one pass over the rows of an image.
#[derive(Debug)]
pub(super) struct PassDecoder<const CHANNELS: usize> {
    channels: [Channel; CHANNELS],
    state: State,
}

impl<const CHANNELS: usize> PassDecoder<CHANNELS> {
    pub(super) fn new(bpc: u32) -> Self {
        Self { channels: core::array::from_fn(|_| Channel::new(bpc)), state: State::new() }
    }

    /// Decodes a row into `row`; `above` is empty for the first one.
    ///
    /// `contexts` holds, per column, the differences coded last in that column.
    pub(super) fn row<P: Pass>(
        &mut self,
        bits: &mut BitReader<'_>,
        above: &[u8],
        row: &mut [u8],
        contexts: &mut [Context],
    ) -> Result<(), ErrorKind> {
        let width = contexts.len();
        let mut span = Span::<P> { above: P::Pixel::split(above), row: P::Pixel::split_mut(row), contexts };
        let mut pos = 0;
        while pos < width {
            let end = self.state.segment_end(pos, width);
            if span.above.is_empty() {
                self.first_row_segment(bits, &mut span, pos, end)?;
            } else {
                self.segment(bits, &mut span, pos, end)?;
            }
            self.state.end_segment(end - pos);
            pos = end;
        }
        if bits.overrun() { Err(ErrorKind::Truncated) } else { Ok(()) }
    }

    fn first_row_segment<P: Pass>(
        &mut self,
        bits: &mut BitReader<'_>,
        span: &mut Span<'_, P>,
        pos: usize,
        end: usize,
    ) -> Result<(), ErrorKind> {
        let Some(row) = span.row.get_mut(..end) else { return Ok(()) };
        let Some(contexts) = span.contexts.get_mut(..end) else { return Ok(()) };
        let (mut left, context) = match pos.checked_sub(1) {
            None => (0, 0),
            Some(before) => (P::load(row[before]), contexts[before]),
        };
        let mut cursor = Cursor::new(bits.reservoir(), context);
        for i in pos..end {
            left = self.pixel::<P>(*bits, &mut cursor, left)?;
            P::store(&mut row[i], left);
            contexts[i] = cursor.context;
        }
        bits.seek(cursor.bits.pos());
        Ok(())
    }

    #[inline(never)]
    fn segment<P: Pass>(
        &mut self,
        bits: &mut BitReader<'_>,
        span: &mut Span<'_, P>,
        pos: usize,
        end: usize,
    ) -> Result<(), ErrorKind> {
        let (Some(row), Some(contexts), Some(above)) =
            (span.row.get_mut(..end), span.contexts.get_mut(..end), span.above.get(..end))
        else {
            return Ok(());
        };
        let mut i = pos;
        let mut cursor = Cursor::new(bits.reservoir(), contexts[i.saturating_sub(1)]);
        let mut left;
        if i == 0 {
            left = self.pixel::<P>(*bits, &mut cursor, P::load(above[0]))?;
            P::store(&mut row[0], left);
            contexts[0] = cursor.context;
            i = 1;
        } else {
            left = P::load(row[i - 1]);
        }
        // Columns 1 and 2 never begin a run.
        while i < end && i < 3 {
            left = self.pixel::<P>(*bits, &mut cursor, P::average(left, P::load(above[i])))?;
            P::store(&mut row[i], left);
            contexts[i] = cursor.context;
            i += 1;
        }
        let mut above_left = if i < end { P::load(above[i - 1]) } else { 0 };
        while i < end {
            let up = P::load(above[i]);
            if up == above_left && left == P::load(row[i - 2]) {
                let len = self.run::<P>(&mut cursor.bits, &mut row[i..], left)?;
                if len > 0 {
                    i += len;
                    cursor.context = contexts[i - 1];
                    above_left = P::load(above[i - 1]);
                    continue;
                }
                // A run of no pixels: this one is coded, without another look for a run.
            }
            above_left = up;
            left = self.pixel::<P>(*bits, &mut cursor, P::average(left, up))?;
            P::store(&mut row[i], left);
            contexts[i] = cursor.context;
            i += 1;
        }
        bits.seek(cursor.bits.pos());
        Ok(())
    }

    /// Decodes one pixel, given its prediction.
    #[inline(always)]
    fn pixel<'a, P: Pass>(
        &mut self,
        bits: BitReader<'a>,
        cursor: &mut Cursor<'a>,
        prediction: u32,
    ) -> Result<u32, ErrorKind> {
        let family = P::family();
        let before = cursor.context;
        let mut sum = Symbol::default();
        let mut ahead = cursor.bits.peek();
        for (c, channel) in self.channels.iter().enumerate() {
            let symbol = family.lookup(channel.base(P::channel(before, c)), ahead, P::SHIFTS[c]);
            ahead = symbol.shift(ahead);
            sum = sum.plus(symbol);
        }
        if !sum.is_long() {
            cursor.bits.consumed(ahead, sum.len());
        } else {
            let mut bits = bits;
            bits.seek(cursor.bits.pos());
            sum = self.long::<P>(&mut bits, before)?;
            cursor.bits = bits.reservoir();
        }
        let difference = sum.difference();
        cursor.context = difference;
        let (wait, over) = self.state.wait.overflowing_sub(1);
        self.state.wait = wait;
        if over {
            self.learn::<P>(before, difference);
        }
        Ok(P::add(prediction, difference))
    }

    /// Decodes the channels of a pixel of which some code is long.
    #[cold]
    #[inline(never)]
    fn long<P: Pass>(&self, bits: &mut BitReader<'_>, context: Context) -> Result<Symbol, ErrorKind> {
        let mut sum = Symbol::default();
        for (c, channel) in self.channels.iter().enumerate() {
            let base = channel.base(P::channel(context, c));
            let symbol = P::family().long(base, bits.peek(), P::SHIFTS[c]).map_err(ErrorKind::Residual)?;
            bits.skip(symbol.len());
            sum = sum.plus(symbol);
        }
        Ok(sum)
    }

    /// Updates the buckets that a pixel's channels belong to.
    #[inline(never)]
    fn learn<P: Pass>(&mut self, context: Context, difference: u32) {
        self.state.wait = self.state.draw();
        let trigger = self.state.trigger();
        for (c, channel) in self.channels.iter_mut().enumerate() {
            channel.update(P::family(), P::channel(context, c), P::channel(difference, c), trigger);
        }
    }

    /// Decodes a run at the front of `rest` and returns its length.
    #[inline(always)]
    fn run<P: Pass>(
        &mut self,
        bits: &mut Reservoir<'_>,
        rest: &mut [P::Pixel],
        value: u32,
    ) -> Result<usize, ErrorKind> {
        let left = rest.len();
        let mut len = 0;
        let mut ahead = bits.peek();
        while ahead >> 63 != 0 {
            len += 1 << self.state.run_bits();
            self.state.lengthen_runs();
            if len > left {
                return Err(ErrorKind::Length { len: len as u64, left: left as u64 });
            }
            bits.consumed(ahead << 1, 1);
            ahead = bits.peek();
        }
        // At most 15 bits behind the 0; the double shift keeps none legal.
        let step = self.state.run_bits();
        len += (ahead << 1 >> 1 >> (63 - step)) as usize;
        bits.consumed(ahead << 1 << step, 1 + step);
        self.state.shorten_runs();
        match rest.get_mut(..len) {
            Some(pixels) => P::fill(pixels, value),
            None => return Err(ErrorKind::Length { len: len as u64, left: left as u64 }),
        }
        Ok(len)
    }
}

/// What changes from pixel to pixel.
struct Cursor<'a> {
    bits: Reservoir<'a>,
    /// The difference before the pixel to come.
    context: Context,
}

impl<'a> Cursor<'a> {
    fn new(bits: Reservoir<'a>, context: Context) -> Self {
        Self { bits, context }
    }
}

struct Span<'a, P: Pass> {
    above: &'a [P::Pixel],
    row: &'a mut [P::Pixel],
    contexts: &'a mut [Context],
}
