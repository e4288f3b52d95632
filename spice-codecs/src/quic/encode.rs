//! Bits from rows.

use alloc::vec::Vec;

use crate::bitmap::{Bitmap, Format};
use crate::bits::BitWriter;
use crate::error::{Codec, CodecError, ErrorKind};

use super::entries::Word;
use super::model::{Age, Channel, State};
use super::pixel::{Alpha, Colour, Colour24, Colour555, Gray, Pass, Pixel};
use super::{Context, ImageType, MAGIC, MAX_PIXELS};

/// Encoder with reusable memory: a few bytes per column of the widest picture so far.
#[derive(Debug, Default)]
pub struct Encoder {
    colour_contexts: Vec<Context>,
    alpha_contexts: Vec<Context>,
}

impl Encoder {
    /// An encoder that has not reserved anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the QUIC stream of a bitmap to `out`.
    ///
    /// 16, 24 and 32 bits per pixel become RGB16, RGB24 and RGB32, bitmaps with alpha RGBA, 8-bit alpha GRAY
    /// (which the established clients do not take). For a given bitmap there is exactly one stream.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ImageType`] for palette formats, [`ErrorKind::Dimensions`] for pictures that no decoder takes.
    pub fn encode(&mut self, bitmap: &Bitmap<'_>, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let layout = bitmap.layout();
        let (width, height) = (layout.width, layout.height);
        let fail = |kind| Err(CodecError::new(Codec::Quic, 0, kind));
        let image_type = match layout.format {
            Format::Bit8A => ImageType::Gray,
            Format::Bit16 => ImageType::Rgb16,
            Format::Bit24 => ImageType::Rgb24,
            Format::Bit32 => ImageType::Rgb32,
            Format::Rgba => ImageType::Rgba,
            other => return fail(ErrorKind::ImageType(other as u32)),
        };
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return fail(ErrorKind::Dimensions { width, height });
        }
        for word in [MAGIC, 0, image_type as u32, width, height] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        self.colour_contexts.clear();
        self.colour_contexts.resize(width as usize, 0);
        let mut bits = BitWriter::new(out);
        match image_type {
            ImageType::Gray => self.plain::<Gray, 1>(bitmap, &mut bits),
            ImageType::Rgb16 => self.plain::<Colour555, 3>(bitmap, &mut bits),
            ImageType::Rgb24 => self.plain::<Colour24, 3>(bitmap, &mut bits),
            ImageType::Rgb32 => self.plain::<Colour, 3>(bitmap, &mut bits),
            ImageType::Rgba => self.with_alpha(bitmap, &mut bits),
        }
        bits.finish();
        // Existing decoders read one word ahead.
        out.extend_from_slice(&[0; 4]);
        Ok(())
    }

    fn plain<P: Pass, const CHANNELS: usize>(&mut self, bitmap: &Bitmap<'_>, bits: &mut BitWriter<'_>) {
        let mut pass = PassEncoder::<CHANNELS>::new(P::BPC as u32);
        let mut above: &[u8] = &[];
        for y in 0..bitmap.layout().height {
            let row = bitmap.row(y);
            pass.row::<P>(bits, above, row, &mut self.colour_contexts);
            above = row;
        }
    }

    fn with_alpha(&mut self, bitmap: &Bitmap<'_>, bits: &mut BitWriter<'_>) {
        self.alpha_contexts.clear();
        self.alpha_contexts.resize(bitmap.layout().width as usize, 0);
        let (mut colour, mut alpha) = (PassEncoder::<3>::new(8), PassEncoder::<1>::new(8));
        let mut above: &[u8] = &[];
        for y in 0..bitmap.layout().height {
            let row = bitmap.row(y);
            colour.row::<Colour>(bits, above, row, &mut self.colour_contexts);
            alpha.row::<Alpha>(bits, above, row, &mut self.alpha_contexts);
            above = row;
        }
    }
}

/// Encoder of one pass over the rows of an image.
#[derive(Debug)]
struct PassEncoder<const CHANNELS: usize> {
    channels: [Channel; CHANNELS],
    state: State,
}

impl<const CHANNELS: usize> PassEncoder<CHANNELS> {
    fn new(bpc: u32) -> Self {
        Self { channels: core::array::from_fn(|_| Channel::new(bpc)), state: State::new() }
    }

    /// Encodes a row; `above` is empty for the first one.
    fn row<P: Pass>(&mut self, bits: &mut BitWriter<'_>, above: &[u8], row: &[u8], contexts: &mut [Context]) {
        let (above, row) = (P::Pixel::split(above), P::Pixel::split(row));
        let width = row.len();
        let mut pos = 0;
        while pos < width {
            let end = self.state.segment_end(pos, width);
            if let (Some(row), Some(contexts)) = (row.get(..end), contexts.get_mut(..end)) {
                match (above.get(..end), self.state.age()) {
                    (None, _) => self.first_row_segment::<P>(bits, row, contexts, pos),
                    (Some(above), Age::Young) => self.segment::<P, true>(bits, above, row, contexts, pos),
                    (Some(above), Age::Grown) => self.segment::<P, false>(bits, above, row, contexts, pos),
                }
            }
            if self.state.end_segment(end - pos) {
                self.channels.iter_mut().for_each(|channel| channel.grow(P::family()));
            }
            pos = end;
        }
    }

    fn first_row_segment<P: Pass>(
        &mut self,
        bits: &mut BitWriter<'_>,
        row: &[P::Pixel],
        contexts: &mut [Context],
        pos: usize,
    ) {
        let age = self.state.age();
        let (mut left, mut context) = match pos.checked_sub(1) {
            None => (0, 0),
            Some(before) => (P::load(row[before]), contexts[before]),
        };
        for (pixel, slot) in row.iter().zip(contexts).skip(pos) {
            let value = P::load(*pixel);
            self.pixel::<P>(age, bits, value, left, &mut context);
            *slot = context;
            left = value;
        }
    }

    #[inline(never)]
    fn segment<P: Pass, const YOUNG: bool>(
        &mut self,
        bits: &mut BitWriter<'_>,
        above: &[P::Pixel],
        row: &[P::Pixel],
        contexts: &mut [Context],
        pos: usize,
    ) {
        let age = const { if YOUNG { Age::Young } else { Age::Grown } };
        let end = row.len();
        let (above, contexts) = (&above[..end], &mut contexts[..end]);
        let before = pos.saturating_sub(1);
        // The first column is predicted from above alone.
        let mut left = P::load(if pos == 0 { above[before] } else { row[before] });
        let mut context = contexts[before];
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
                let len = run_len::<P>(&row[i..], left);
                self.run(bits, len);
                if len > 0 {
                    i += len;
                    context = contexts[i - 1];
                    continue;
                }
                // A run of no pixels: this one is coded, without another look for a run.
            }
            let value = P::load(row[i]);
            self.pixel::<P>(age, bits, value, P::average(left, up), &mut context);
            contexts[i] = context;
            left = value;
            i += 1;
        }
    }

    /// Encodes one pixel, given its prediction and the contexts of its channels, which it replaces.
    #[inline(always)]
    fn pixel<P: Pass>(
        &mut self,
        age: Age,
        bits: &mut BitWriter<'_>,
        value: u32,
        prediction: u32,
        context: &mut Context,
    ) {
        let family = P::family();
        let difference = P::sub(value, prediction);
        let before = *context;
        let words: [Word; CHANNELS] = core::array::from_fn(|c| {
            let base = self.channels[c].base(age, family, P::channel(before, c));
            family.word(base, P::channel(difference, c))
        });
        let total = words.iter().fold(0, |sum, word| sum + word.len());
        if total <= 32 {
            let together = words.iter().fold(0, |bits, word| word.append_to(bits));
            bits.put(together as u32, total.into());
        } else {
            words.iter().for_each(|word| bits.put(word.bits(), word.len().into()));
        }
        *context = difference;
        let (wait, over) = self.state.wait.overflowing_sub(1);
        self.state.wait = wait;
        if over {
            match age {
                Age::Young => self.learn::<P>(age, before, difference),
                Age::Grown => self.learn_apart::<P>(before, difference),
            }
        }
    }

    #[inline(always)]
    fn learn<P: Pass>(&mut self, age: Age, context: Context, difference: u32) {
        self.state.wait = self.state.draw();
        let trigger = self.state.trigger();
        for (c, channel) in self.channels.iter_mut().enumerate() {
            channel.update(age, P::family(), P::channel(context, c), P::channel(difference, c), trigger);
        }
    }

    #[inline(never)]
    fn learn_apart<P: Pass>(&mut self, context: Context, difference: u32) {
        self.learn::<P>(Age::Grown, context, difference);
    }

    fn run(&mut self, bits: &mut BitWriter<'_>, mut len: usize) {
        while len >= 1 << self.state.run_bits() {
            bits.put(1, 1);
            len -= 1 << self.state.run_bits();
            self.state.lengthen_runs();
        }
        // The bit 0 that ends the ones, and the rest.
        bits.put(len as u32, 1 + self.state.run_bits());
        self.state.shorten_runs();
    }
}

/// How many pixels at the front have this value.
#[inline(never)]
fn run_len<P: Pass>(pixels: &[P::Pixel], value: u32) -> usize {
    let same = |pixel: &P::Pixel| P::load(*pixel) == value;
    if !pixels.first().is_some_and(same) {
        return 0;
    }
    let (chunks, _) = pixels.as_chunks::<8>();
    let equal =
        |chunk: &&[P::Pixel; 8]| chunk.iter().fold(0, |bits, pixel| bits | (P::load(*pixel) ^ value)) == 0;
    let len = 8 * chunks.iter().take_while(equal).count();
    len + pixels.iter().skip(len).take_while(|pixel| same(pixel)).count()
}
