//! Rows from bits.

use core::hint::cold_path;

use super::Context;
use super::entries::Symbol;
use super::model::{Age, Channel, State};
use super::pixel::{Pass, Pixel};
use crate::bits::{BitReader, Reservoir};
use crate::error::ErrorKind;

/// Decoder of one pass over the rows of an image.
#[derive(Debug)]
pub(super) struct PassDecoder<const CHANNELS: usize> {
    channels: [Channel; CHANNELS],
    state: State,
    /// The prediction of the first pixel.
    first: u32,
}

impl<const CHANNELS: usize> PassDecoder<CHANNELS> {
    pub(super) fn new(bpc: u32, first: u32) -> Self {
        Self { channels: core::array::from_fn(|_| Channel::new(bpc)), state: State::new(), first }
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
                self.first_row(bits, &mut span, pos, end)?;
            } else {
                match self.state.age() {
                    Age::Young => self.segment::<P, true>(bits, &mut span, pos, end)?,
                    Age::Grown => self.segment::<P, false>(bits, &mut span, pos, end)?,
                }
            }
            if self.state.end_segment(end - pos) {
                self.channels.iter_mut().for_each(|channel| channel.grow(P::family()));
            }
            pos = end;
        }
        if bits.overrun() { Err(ErrorKind::Truncated) } else { Ok(()) }
    }

    /// Decodes the columns from `pos` to `end`.
    #[inline(never)]
    fn segment<P: Pass, const YOUNG: bool>(
        &mut self,
        bits: &mut BitReader<'_>,
        span: &mut Span<'_, P>,
        pos: usize,
        end: usize,
    ) -> Result<(), ErrorKind> {
        let age = const { if YOUNG { Age::Young } else { Age::Grown } };
        let (Some(row), Some(contexts), Some(above)) =
            (span.row.get_mut(..end), span.contexts.get_mut(..end), span.above.get(..end))
        else {
            return Ok(());
        };
        let before = pos.saturating_sub(1);
        let (Some(&left), Some(&(mut context)), Some(&up)) =
            (row.get(before), contexts.get(before), above.get(before))
        else {
            return Ok(());
        };
        // The first column is predicted from above alone.
        let mut left = P::load(if pos == 0 { up } else { left });
        let mut cursor = bits.reservoir();
        let mut i = pos;
        while i < end {
            let up = P::load(above[i]);
            // The columns before the third one never begin a run.
            let three = i.wrapping_sub(3)..i;
            if let (Some([_, _, above_left]), Some([_, left_left, _])) =
                (above.get(three.clone()), row.get(three))
                && P::load(*above_left) == up
                && P::load(*left_left) == left
            {
                cold_path();
                let len = self.run(&mut cursor, end - i)?;
                if len > 0
                    && let Some(pixels) = row[i..].get_mut(..len)
                {
                    fill::<P>(pixels, left);
                    i += len;
                    context = contexts[i - 1];
                    continue;
                }
                // A run of no pixels: this one is coded, without another look for a run.
            }
            let difference = self.difference::<P>(age, bits, &mut cursor, context)?;
            left = P::add(P::average(left, up), difference);
            P::store(&mut row[i], left);
            contexts[i] = difference;
            i += 1;
            let (wait, over) = self.state.wait.overflowing_sub(1);
            self.state.wait = wait;
            if over {
                if YOUNG {
                    self.learn::<P>(age, context, difference);
                } else {
                    cold_path();
                    self.learn_apart::<P>(context, difference);
                }
            }
            context = difference;
        }
        bits.seek(cursor.pos());
        Ok(())
    }

    /// Decodes the columns from `pos` to `end` of the first row, which has no runs.
    #[inline(never)]
    fn first_row<P: Pass>(
        &mut self,
        bits: &mut BitReader<'_>,
        span: &mut Span<'_, P>,
        pos: usize,
        end: usize,
    ) -> Result<(), ErrorKind> {
        let age = self.state.age();
        let (Some(row), Some(contexts)) = (span.row.get_mut(..end), span.contexts.get_mut(..end)) else {
            return Ok(());
        };
        let (mut left, mut context) = match pos.checked_sub(1) {
            None => (self.first, 0),
            Some(before) => (P::load(row[before]), contexts[before]),
        };
        let mut cursor = bits.reservoir();
        for (pixel, slot) in row.iter_mut().zip(contexts).skip(pos) {
            let difference = self.difference::<P>(age, bits, &mut cursor, context)?;
            left = P::add(left, difference);
            P::store(pixel, left);
            *slot = difference;
            match self.state.wait.checked_sub(1) {
                Some(wait) => self.state.wait = wait,
                None => self.learn::<P>(age, context, difference),
            }
            context = difference;
        }
        bits.seek(cursor.pos());
        Ok(())
    }

    /// Decodes the difference of a pixel to its prediction.
    #[inline(always)]
    fn difference<'a, P: Pass>(
        &self,
        age: Age,
        bits: &BitReader<'a>,
        cursor: &mut Reservoir<'a>,
        context: Context,
    ) -> Result<u32, ErrorKind> {
        let family = P::family();
        let mut sum = Symbol::default();
        let mut ahead = cursor.peek();
        for (c, channel) in self.channels.iter().enumerate() {
            let symbol =
                family.lookup(channel.base(age, family, P::channel(context, c)), ahead, P::SHIFTS[c]);
            ahead = symbol.shift(ahead);
            sum = sum.plus(symbol);
        }
        if cursor.try_consume(ahead, sum.len()) {
            // Long codes count as more bits than the reservoir ever has.
            if sum.is_long() {
                // Of a copy, so that the original stays in registers.
                let mut copy = *cursor;
                sum = self.long::<P>(age, bits, &mut copy, sum.len(), context)?;
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
        age: Age,
        bits: &BitReader<'a>,
        cursor: &mut Reservoir<'a>,
        len: u8,
        context: Context,
    ) -> Result<Symbol, ErrorKind> {
        let mut bits = *bits;
        bits.seek(cursor.restore(len));
        let mut sum = Symbol::default();
        for (c, channel) in self.channels.iter().enumerate() {
            let base = channel.base(age, P::family(), P::channel(context, c));
            let symbol = P::family().long(base, bits.peek(), P::SHIFTS[c]).map_err(ErrorKind::Residual)?;
            bits.skip(symbol.len().into());
            sum = sum.plus(symbol);
        }
        *cursor = bits.reservoir();
        Ok(sum)
    }

    /// Updates the buckets that a pixel's channels belong to.
    #[inline(always)]
    fn learn<P: Pass>(&mut self, age: Age, context: Context, difference: u32) {
        self.state.wait = self.state.draw();
        let trigger = self.state.trigger();
        for (c, channel) in self.channels.iter_mut().enumerate() {
            channel.update(age, P::family(), P::channel(context, c), P::channel(difference, c), trigger);
        }
    }

    /// As [`learn`](Self::learn), of grown channels, where it is not called often.
    #[inline(never)]
    fn learn_apart<P: Pass>(&mut self, context: Context, difference: u32) {
        self.learn::<P>(Age::Grown, context, difference);
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
