//! QUIC: prediction from the left and upper neighbour, adaptive Golomb-Rice codes, runs.
//!
//! SPICE's lossless codec for pictures with gradual colours. Rows are always top row first.

use alloc::vec::Vec;

use crate::bits::BitReader;
use crate::convert::{self, Converter};
use crate::error::{Codec, CodecError, ErrorKind};
use crate::pixels::{Header, PixelFormat, PixelsMut, RowOrder};

use self::decode::PassDecoder;
use self::pixel::{Alpha, Colour, Colour555, Gray, Opaque, Pass};

mod decode;
mod encode;
mod entries;
mod golomb;
mod model;
mod pixel;

pub use self::encode::Encoder;

/// Reads the header of a QUIC stream: five words of 32 bits.
///
/// The native format is `A8` for GRAY, `Rgb555` for RGB16, `Bgrx` for RGB24 and RGB32, `Bgra` for RGBA.
///
/// # Errors
///
/// A short, foreign or unknown header, and empty or absurd dimensions.
pub fn header(data: &[u8]) -> Result<Header, CodecError> {
    parse(data).map(|(_, header)| header)
}

/// Image types of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ImageType {
    Gray = 1,
    Rgb16 = 2,
    Rgb24 = 3,
    Rgb32 = 4,
    Rgba = 5,
}

fn parse(data: &[u8]) -> Result<(ImageType, Header), CodecError> {
    let fail = |at, kind| Err(CodecError::new(Codec::Quic, at, kind));
    let Some((words, _)) = data.split_first_chunk::<HEADER_LEN>() else {
        return fail(data.len(), ErrorKind::Truncated);
    };
    let word = |i: usize| {
        let (words, _) = words.as_chunks();
        u32::from_le_bytes(words[i])
    };
    if word(0) != MAGIC {
        return fail(0, ErrorKind::Magic(word(0)));
    }
    if word(1) != 0 {
        return fail(4, ErrorKind::Version(word(1)));
    }
    let (image_type, format) = match word(2) {
        1 => (ImageType::Gray, PixelFormat::A8),
        2 => (ImageType::Rgb16, PixelFormat::Rgb555),
        3 => (ImageType::Rgb24, PixelFormat::Bgrx),
        4 => (ImageType::Rgb32, PixelFormat::Bgrx),
        5 => (ImageType::Rgba, PixelFormat::Bgra),
        other => return fail(8, ErrorKind::ImageType(other)),
    };
    let (width, height) = (word(3), word(4));
    let header = Header { width, height, format, rows: RowOrder::TopDown, indexed: false };
    if width == 0 || height == 0 || header.pixels() > MAX_PIXELS {
        return fail(12, ErrorKind::Dimensions { width, height });
    }
    Ok((image_type, header))
}

/// Bytes before the first code.
const HEADER_LEN: usize = 20;
/// "QUIC" as a little-endian word.
const MAGIC: u32 = 0x4349_5551;
/// No known decoder takes larger pictures.
const MAX_PIXELS: u64 = 512 * 1024 * 1024 - 1;

/// The difference between pixel and prediction that was coded last in a column, channel by channel.
type Context = u32;

/// Decoder with reusable memory: a few bytes per column of the widest picture so far.
#[derive(Debug, Default)]
pub struct Decoder {
    colour_contexts: Vec<Context>,
    alpha_contexts: Vec<Context>,
    /// Two rows in the picture's own format, where the destination has another one.
    rows: Vec<u8>,
}

impl Decoder {
    /// A decoder that has not reserved anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes a whole stream into `dst`, whose size must be the stream's.
    ///
    /// Colour pictures go into all colour formats: in `Bgrx` the fourth byte is 0 (alpha for RGBA), in `Bgra` it
    /// is 255 for pictures without alpha; 16-bit formats lose low bits and alpha. GRAY goes into `A8` only.
    ///
    /// # Errors
    ///
    /// Damaged data, a destination of another size or of a format that the picture cannot be turned into.
    pub fn decode(&mut self, data: &[u8], mut dst: PixelsMut<'_>) -> Result<(), CodecError> {
        let (image_type, header) = parse(data)?;
        header.expect(Codec::Quic, dst.width(), dst.height())?;
        let mut bits = BitReader::new(data, HEADER_LEN);
        let result = self.dispatch(image_type, &mut bits, &mut dst);
        result.map_err(|kind| CodecError::new(Codec::Quic, bits.byte(), kind))
    }

    fn dispatch(
        &mut self,
        image_type: ImageType,
        bits: &mut BitReader<'_>,
        dst: &mut PixelsMut<'_>,
    ) -> Result<(), ErrorKind> {
        use PixelFormat::{A8, Bgra, Bgrx, Rgb555, Rgb565};
        let width = dst.width() as usize;
        for contexts in [&mut self.colour_contexts, &mut self.alpha_contexts] {
            contexts.clear();
        }
        self.colour_contexts.resize(width, 0);
        if image_type == ImageType::Rgba {
            self.alpha_contexts.resize(width, 0);
        }
        match (image_type, dst.format()) {
            (ImageType::Gray, A8) => self.plain::<Gray, 1>(bits, dst, 0),
            (ImageType::Rgb16, Rgb555) => self.plain::<Colour555, 3>(bits, dst, 0),
            (ImageType::Rgb16, Rgb565) => self.converted::<Colour555, convert::Rgb555ToRgb565>(bits, dst),
            (ImageType::Rgb16, Bgrx) => self.converted::<Colour555, convert::Rgb555ToBgrx<0>>(bits, dst),
            (ImageType::Rgb16, Bgra) => self.converted::<Colour555, convert::Rgb555ToBgrx<255>>(bits, dst),
            (ImageType::Rgb24 | ImageType::Rgb32, Bgrx) => self.plain::<Opaque, 3>(bits, dst, 0),
            (ImageType::Rgb24 | ImageType::Rgb32, Bgra) => self.plain::<Opaque, 3>(bits, dst, 0xff00_0000),
            (ImageType::Rgb24 | ImageType::Rgb32, Rgb555) => {
                self.converted::<Opaque, convert::BgrxToRgb555>(bits, dst)
            }
            (ImageType::Rgb24 | ImageType::Rgb32, Rgb565) => {
                self.converted::<Opaque, convert::BgrxToRgb565>(bits, dst)
            }
            (ImageType::Rgba, Bgrx | Bgra) => self.with_alpha(bits, dst),
            (ImageType::Rgba, Rgb555) => self.with_alpha_converted::<convert::BgrxToRgb555>(bits, dst),
            (ImageType::Rgba, Rgb565) => self.with_alpha_converted::<convert::BgrxToRgb565>(bits, dst),
            _ => Err(ErrorKind::Format),
        }
    }

    /// One pass per row, straight into the destination; `first` predicts the first pixel.
    fn plain<P: Pass, const CHANNELS: usize>(
        &mut self,
        bits: &mut BitReader<'_>,
        dst: &mut PixelsMut<'_>,
        first: u32,
    ) -> Result<(), ErrorKind> {
        let mut pass = PassDecoder::<CHANNELS>::new(P::BPC as u32, first);
        for y in 0..dst.height() {
            let (above, row) = dst.row_and_above(y);
            pass.row::<P>(bits, above, row, &mut self.colour_contexts)?;
        }
        Ok(())
    }

    /// One pass per row, in rows of our own.
    fn converted<P: Pass, C: Converter>(
        &mut self,
        bits: &mut BitReader<'_>,
        dst: &mut PixelsMut<'_>,
    ) -> Result<(), ErrorKind> {
        let mut pass = PassDecoder::<3>::new(P::BPC as u32, 0);
        let mut rows = TwoRows::new(&mut self.rows, dst.width() as usize * size_of::<P::Pixel>());
        for y in 0..dst.height() {
            let (above, row) = rows.next();
            pass.row::<P>(bits, above, row, &mut self.colour_contexts)?;
            C::row(row, dst.row_mut(y));
        }
        Ok(())
    }

    /// A colour and an alpha pass per row, straight into the destination.
    fn with_alpha(&mut self, bits: &mut BitReader<'_>, dst: &mut PixelsMut<'_>) -> Result<(), ErrorKind> {
        let (mut colour, mut alpha) = (PassDecoder::<3>::new(8, 0), PassDecoder::<1>::new(8, 0));
        for y in 0..dst.height() {
            let (above, row) = dst.row_and_above(y);
            colour.row::<Colour>(bits, above, row, &mut self.colour_contexts)?;
            alpha.row::<Alpha>(bits, above, row, &mut self.alpha_contexts)?;
        }
        Ok(())
    }

    /// A colour and an alpha pass per row, in rows of our own.
    fn with_alpha_converted<C: Converter>(
        &mut self,
        bits: &mut BitReader<'_>,
        dst: &mut PixelsMut<'_>,
    ) -> Result<(), ErrorKind> {
        let (mut colour, mut alpha) = (PassDecoder::<3>::new(8, 0), PassDecoder::<1>::new(8, 0));
        let mut rows = TwoRows::new(&mut self.rows, dst.width() as usize * 4);
        for y in 0..dst.height() {
            let (above, row) = rows.next();
            colour.row::<Colour>(bits, above, row, &mut self.colour_contexts)?;
            alpha.row::<Alpha>(bits, above, row, &mut self.alpha_contexts)?;
            C::row(row, dst.row_mut(y));
        }
        Ok(())
    }
}

/// Two rows that take turns.
struct TwoRows<'a> {
    above: &'a mut [u8],
    row: &'a mut [u8],
    first: bool,
}

impl<'a> TwoRows<'a> {
    fn new(memory: &'a mut Vec<u8>, len: usize) -> Self {
        memory.resize(2 * len, 0);
        let (above, row) = memory.split_at_mut(len);
        // Swapped before the first use.
        Self { above: row, row: above, first: true }
    }

    /// The row above (empty for the first) and the row to write.
    fn next(&mut self) -> (&[u8], &mut [u8]) {
        core::mem::swap(&mut self.above, &mut self.row);
        let above: &[u8] = if self.first { &[] } else { self.above };
        self.first = false;
        (above, self.row)
    }
}
