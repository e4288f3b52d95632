//! Rows from bits.

use core::hint::cold_path;

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
            self.segment(bits, &mut span, pos, end)?;
            self.state.end_segment(end - pos);
            pos = end;
        }
        if bits.overrun() { Err(ErrorKind::Truncated) } else { Ok(()) }
    }

    /// Decodes the columns from `pos` to `end`.
    #[inline(never)]
    fn segment<P: Pass>(
        &mut self,
        bits: &mut BitReader<'_>,
        span: &mut Span<'_, P>,
        pos: usize,
        end: usize,
    ) -> Result<(), ErrorKind> {
        let mut i = pos;
        // The columns before the third one never begin a run, neither do those of the first row.
        let alone = if span.above.is_empty() { end } else { end.min(3) };
        while i < alone {
            self.pixel_alone(bits, span, i)?;
            i += 1;
        }
        let (Some(row), Some(contexts), Some(above)) =
            (span.row.get_mut(..end), span.contexts.get_mut(..end), span.above.get(..end))
        else {
            return Ok(());
        };
        let before = i - 1;
        let (Some(&pixel), Some(&(mut context)), Some(&pixel_above)) =
            (row.get(before), contexts.get(before), above.get(before))
        else {
            return Ok(());
        };
        let (mut left, mut above_left) = (P::load(pixel), P::load(pixel_above));
        let mut cursor = bits.reservoir();
        while i < end {
            let up = P::load(above[i]);
            if up == above_left
                && let Some(pixel) = row.get(i.wrapping_sub(2))
                && P::load(*pixel) == left
            {
                cold_path();
                let len = self.run(&mut cursor, end - i)?;
                if len > 0
                    && let Some(pixels) = row[i..].get_mut(..len)
                {
                    fill::<P>(pixels, left);
                    i += len;
                    context = contexts[i - 1];
                    above_left = P::load(above[i - 1]);
                    continue;
                }
                // A run of no pixels: this one is coded, without another look for a run.
            }
            above_left = up;
            context = self.difference::<P>(bits, &mut cursor, context)?;
            left = P::add(P::average(left, up), context);
            P::store(&mut row[i], left);
            contexts[i] = context;
            i += 1;
            let (wait, over) = self.state.wait.overflowing_sub(1);
            self.state.wait = wait;
            if over && let Some(&before) = contexts.get(i.wrapping_sub(2)) {
                cold_path();
                self.learn::<P>(before, context);
            }
        }
        bits.seek(cursor.pos());
        Ok(())
    }

    /// Decodes the pixel of a column, without a look for a run.
    #[inline(never)]
    fn pixel_alone<P: Pass>(
        &mut self,
        bits: &mut BitReader<'_>,
        span: &mut Span<'_, P>,
        column: usize,
    ) -> Result<(), ErrorKind> {
        let before = column.saturating_sub(1);
        let (Some(context), Some(left)) = (span.contexts.get(before).copied(), span.row.get(before).copied())
        else {
            return Ok(());
        };
        let left = if column > 0 { Some(P::load(left)) } else { None };
        let up = span.above.get(column).map(|pixel| P::load(*pixel));
        let mut cursor = bits.reservoir();
        let difference = self.difference::<P>(bits, &mut cursor, context)?;
        bits.seek(cursor.pos());
        let (left, up) = (left.or(up).unwrap_or(0), up.or(left).unwrap_or(0));
        if let (Some(slot), Some(pixel)) = (span.contexts.get_mut(column), span.row.get_mut(column)) {
            *slot = difference;
            P::store(pixel, P::add(P::average(left, up), difference));
        }
        match self.state.wait.checked_sub(1) {
            Some(wait) => self.state.wait = wait,
            None => self.learn::<P>(context, difference),
        }
        Ok(())
    }

    /// Decodes the difference of a pixel to its prediction.
    #[inline(always)]
    fn difference<'a, P: Pass>(
        &self,
        bits: &BitReader<'a>,
        cursor: &mut Reservoir<'a>,
        context: Context,
    ) -> Result<u32, ErrorKind> {
        let family = P::family();
        let mut sum = Symbol::default();
        let mut ahead = cursor.peek();
        for (c, channel) in self.channels.iter().enumerate() {
            let symbol = family.lookup(channel.base(P::channel(context, c)), ahead, P::SHIFTS[c]);
            ahead = symbol.shift(ahead);
            sum = sum.plus(symbol);
        }
        if cursor.try_consume(ahead, sum.len()) {
            // Long codes count as more bits than the reservoir ever has.
            if sum.is_long() {
                // Of a copy, so that the original stays in registers.
                let mut copy = *cursor;
                sum = self.long::<P>(bits, &mut copy, sum.len(), context)?;
                *cursor = copy;
            } else {
                cursor.refill();
            }
        }
        Ok(sum.difference())
    }

    /// Decodes the channels of a pixel of which some code is long, after `len` bits too many were consumed.
    #[cold]
    #[inline(never)]
    fn long<'a, P: Pass>(
        &self,
        bits: &BitReader<'a>,
        cursor: &mut Reservoir<'a>,
        len: u8,
        context: Context,
    ) -> Result<Symbol, ErrorKind> {
        let mut bits = *bits;
        bits.seek(cursor.restore(len));
        let mut sum = Symbol::default();
        for (c, channel) in self.channels.iter().enumerate() {
            let base = channel.base(P::channel(context, c));
            let symbol = P::family().long(base, bits.peek(), P::SHIFTS[c]).map_err(ErrorKind::Residual)?;
            bits.skip(symbol.len().into());
            sum = sum.plus(symbol);
        }
        *cursor = bits.reservoir();
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

    /// Decodes the length of a run, at most `left`.
    #[inline(always)]
    fn run(&mut self, bits: &mut Reservoir<'_>, left: usize) -> Result<usize, ErrorKind> {
        let mut len = 0;
        while bits.peek() >> 63 != 0 {
            len += 1 << self.state.run_bits();
            self.state.lengthen_runs();
            if len > left {
                return Err(ErrorKind::Length { len: len as u64, left: left as u64 });
            }
            bits.consume(bits.peek() << 1, 1);
        }
        // At most 15 bits behind the 0; the double shift keeps none legal.
        let step = self.state.run_bits();
        let behind = bits.peek() << 1;
        len += (behind >> 1 >> (63 - step)) as usize;
        bits.consume(behind << step, 1 + step as u8);
        self.state.shorten_runs();
        if len > left {
            return Err(ErrorKind::Length { len: len as u64, left: left as u64 });
        }
        Ok(len)
    }
}

/// Fills a run. Not where it is called, so that the loop over pixels keeps its registers.
#[inline(never)]
fn fill<P: Pass>(pixels: &mut [P::Pixel], value: u32) {
    P::fill(pixels, value);
}

struct Span<'a, P: Pass> {
    above: &'a [P::Pixel],
    row: &'a mut [P::Pixel],
    contexts: &'a mut [Context],
}
