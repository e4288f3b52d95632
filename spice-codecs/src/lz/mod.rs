//! LZ: matches and literals in units of pixels, with references inside the image.

use alloc::vec::Vec;

use crate::convert::{self, Converter};
use crate::error::{Codec, CodecError, ErrorKind};
use crate::palette::{Lookup, Packing};
use crate::pixels::{Header, PixelFormat, PixelsMut, RowOrder};

use self::contiguous::{Contiguous, ContiguousAlpha};
use self::plane::{Discard, Fixed, Literals};
use self::rows::{Alpha, Packed};
use self::tokens::Input;

mod cells;
pub(crate) mod contiguous;
pub(crate) mod copies;
pub(crate) mod encode;
pub(crate) mod plane;
mod rows;
pub(crate) mod tokens;
pub(crate) mod units;
pub(crate) mod usual;

pub use self::encode::Encoder;

/// Image types of LZ and GLZ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImageType {
    /// 1: palette, one bit per pixel, leftmost in bit 0.
    Plt1Le = 1,
    /// 2: palette, one bit per pixel, leftmost in bit 7.
    Plt1Be = 2,
    /// 3: palette, four bits per pixel, leftmost in the low nibble.
    Plt4Le = 3,
    /// 4: palette, four bits per pixel, leftmost in the high nibble.
    Plt4Be = 4,
    /// 5: palette, one byte per pixel.
    Plt8 = 5,
    /// 6: five bits per channel.
    Rgb16 = 6,
    /// 7: from a bitmap of three bytes per pixel.
    Rgb24 = 7,
    /// 8: from a bitmap of four bytes per pixel.
    Rgb32 = 8,
    /// 9: with an alpha plane.
    Rgba = 9,
    /// 10: only the alpha plane of a picture; the second part of a JPEG_ALPHA image.
    Xxxa = 10,
    /// 11: alpha values.
    A8 = 11,
}

impl ImageType {
    /// The type of a number in a header.
    pub(crate) fn from_wire(number: u32) -> Option<Self> {
        Some(match number {
            1 => ImageType::Plt1Le,
            2 => ImageType::Plt1Be,
            3 => ImageType::Plt4Le,
            4 => ImageType::Plt4Be,
            5 => ImageType::Plt8,
            6 => ImageType::Rgb16,
            7 => ImageType::Rgb24,
            8 => ImageType::Rgb32,
            9 => ImageType::Rgba,
            10 => ImageType::Xxxa,
            11 => ImageType::A8,
            _ => return None,
        })
    }

    /// What the header must name as bytes per row.
    pub(crate) fn stride(self, width: u32) -> u64 {
        let width = u64::from(width);
        match self {
            ImageType::Plt1Le | ImageType::Plt1Be => width.div_ceil(8),
            ImageType::Plt4Le | ImageType::Plt4Be => width.div_ceil(2),
            ImageType::Plt8 | ImageType::A8 => width,
            ImageType::Rgb16 => 2 * width,
            ImageType::Rgb24 => 3 * width,
            ImageType::Rgb32 | ImageType::Rgba | ImageType::Xxxa => 4 * width,
        }
    }

    /// The format that loses nothing; palette types have none.
    pub(crate) fn format(self) -> PixelFormat {
        match self {
            ImageType::Rgb16 => PixelFormat::Rgb555,
            ImageType::Rgba => PixelFormat::Bgra,
            ImageType::A8 | ImageType::Xxxa => PixelFormat::A8,
            _ => PixelFormat::Bgrx,
        }
    }

    fn packing(self) -> Option<Packing> {
        match self {
            ImageType::Plt1Le => Some(Packing::Bit1Le),
            ImageType::Plt1Be => Some(Packing::Bit1Be),
            ImageType::Plt4Le => Some(Packing::Bit4Le),
            ImageType::Plt4Be => Some(Packing::Bit4Be),
            ImageType::Plt8 => Some(Packing::Bit8),
            _ => None,
        }
    }
}

/// Reads the header of an LZ stream (28 bytes).
///
/// The native format is `Rgb555` for RGB16, `Bgrx` for RGB24 and RGB32, `Bgra` for RGBA, `A8` for A8 and
/// XXXA. Palette types are [`indexed`](Header::indexed).
///
/// # Errors
///
/// A short, foreign or unknown header, empty or absurd dimensions, a stride that does not belong to them.
pub fn header(data: &[u8]) -> Result<Header, CodecError> {
    parse(data).map(|(_, header)| header)
}

/// Reads the image type of an LZ stream.
///
/// An image message of kind LZ_RGB allows types 6 to 9 and 11, LZ_PLT 1 to 5, JPEG_ALPHA 10.
///
/// # Errors
///
/// As [`header`].
pub fn image_type(data: &[u8]) -> Result<ImageType, CodecError> {
    parse(data).map(|(image_type, _)| image_type)
}

pub(crate) fn parse(data: &[u8]) -> Result<(ImageType, Header), CodecError> {
    let fail = |at, kind| Err(CodecError::new(Codec::Lz, at, kind));
    let Some(words) = data.first_chunk::<HEADER_LEN>() else {
        return fail(data.len(), ErrorKind::Truncated);
    };
    let (words, _) = words.as_chunks();
    let [magic, version, number, width, height, stride, top_down] =
        core::array::from_fn(|i| u32::from_be_bytes(words[i]));
    if magic != MAGIC {
        return fail(0, ErrorKind::Magic(magic));
    }
    if version != VERSION {
        return fail(4, ErrorKind::Version(version));
    }
    let Some(image_type) = ImageType::from_wire(number) else {
        return fail(8, ErrorKind::ImageType(number));
    };
    if let Err(kind) = check_size(image_type, width, height, stride) {
        return fail(12, kind);
    }
    let header = Header {
        width,
        height,
        format: image_type.format(),
        rows: RowOrder::from_top_down(top_down != 0),
        indexed: image_type.packing().is_some(),
    };
    Ok((image_type, header))
}

/// Checks the size fields that LZ and GLZ headers share.
pub(crate) fn check_size(
    image_type: ImageType,
    width: u32,
    height: u32,
    stride: u32,
) -> Result<(), ErrorKind> {
    let needed = image_type.stride(width);
    if width == 0 || height == 0 || needed.saturating_mul(height.into()) > MAX_BYTES {
        return Err(ErrorKind::Dimensions { width, height });
    }
    if u64::from(stride) != needed {
        return Err(ErrorKind::Stride { stride: stride.into(), needed });
    }
    Ok(())
}

/// Bytes of an LZ header.
pub(crate) const HEADER_LEN: usize = 28;
/// "  ZL" as a big-endian word.
pub(crate) const MAGIC: u32 = 0x2020_5a4c;
/// 1.1.
pub(crate) const VERSION: u32 = 0x0001_0001;
/// No known decoder takes more bytes of source rows.
const MAX_BYTES: u64 = (1 << 30) - 1;

/// Decoder with reusable memory: packed indices of the largest picture of 1 or 4 bits so far.
#[derive(Debug, Default)]
pub struct Decoder {
    indices: Vec<u8>,
}

impl Decoder {
    /// A decoder that has not reserved anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of memory kept from picture to picture.
    pub fn scratch_bytes(&self) -> usize {
        self.indices.capacity()
    }

    /// Gives that memory back if it is more than `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        if self.indices.capacity() > bytes {
            self.indices = Vec::new();
        }
    }

    /// Decodes a whole stream into `dst`, whose size must be the stream's.
    ///
    /// Colour pictures go into all colour formats: in `Bgrx` the fourth byte is 0 (alpha for RGBA), in `Bgra` it
    /// is 255 for pictures without alpha; 16-bit formats lose low bits and alpha. A8 and XXXA go into `A8` only.
    ///
    /// `palette` is used by the palette types only; its entries are copied raw (see [`Header::indexed`]).
    ///
    /// # Errors
    ///
    /// Damaged data, an index without palette entry, a destination of another size or of a format that the
    /// picture cannot be turned into.
    pub fn decode(&mut self, data: &[u8], palette: &[u32], mut dst: PixelsMut<'_>) -> Result<(), CodecError> {
        let (image_type, header) = parse(data)?;
        header.expect(Codec::Lz, dst.width(), dst.height())?;
        let mut input = Input { data, at: HEADER_LEN };
        let mut result = match image_type.packing() {
            Some(packing) => self.indexed(packing, header.rows, palette, &mut input, &mut dst),
            None => direct(image_type, header.rows, &mut input, &mut dst),
        };
        if result.is_ok() && input.at != data.len() {
            result = Err(ErrorKind::Excess);
        }
        result.map_err(|kind| CodecError::new(Codec::Lz, input.at, kind))
    }

    fn indexed(
        &mut self,
        packing: Packing,
        order: RowOrder,
        palette: &[u32],
        input: &mut Input<'_>,
        dst: &mut PixelsMut<'_>,
    ) -> Result<(), ErrorKind> {
        Lookup::fits(dst.format())?;
        let lookup = &Lookup::new(palette)?;
        let wide = dst.format().bits() == 32;
        if packing == Packing::Bit8 {
            return if wide {
                rows::<_, 4>(order, lookup, input, dst)
            } else {
                rows::<_, 2>(order, lookup, input, dst)
            };
        }
        // Matches count in bytes of several pixels, and the spare bits of a row's last byte count too, so
        // these indices need a place of their own.
        let stride = packing.row_bytes(dst.width());
        let total = stride * dst.height() as usize;
        self.indices.resize(total, 0);
        let plane = Contiguous::<_, 1>::new(Fixed::<convert::Bytes>::new(), 0);
        tokens::plane(input, &plane, &mut self.indices, total)?;
        for (y, row) in (0..).zip(self.indices.chunks_exact(stride)) {
            let y = match order {
                RowOrder::TopDown => y,
                RowOrder::BottomUp => dst.height() - 1 - y,
            };
            if wide {
                lookup.row::<4>(packing, row, dst.row_mut(y))?;
            } else {
                lookup.row::<2>(packing, row, dst.row_mut(y))?;
            }
        }
        Ok(())
    }
}

/// Decodes a stream of one-byte units into the fourth bytes of a picture of its size, or, where the format has
/// none, into nothing.
pub(crate) fn decode_alpha(data: &[u8], dst: &mut PixelsMut<'_>) -> Result<(), CodecError> {
    let (_, header) = parse(data)?;
    header.expect(Codec::Lz, dst.width(), dst.height())?;
    let mut input = Input { data, at: HEADER_LEN };
    let mut result = alpha_plane(header.rows, &mut input, dst);
    if result.is_ok() && input.at != data.len() {
        result = Err(ErrorKind::Excess);
    }
    result.map_err(|kind| CodecError::new(Codec::Lz, input.at, kind))
}

fn alpha_plane(order: RowOrder, input: &mut Input<'_>, dst: &mut PixelsMut<'_>) -> Result<(), ErrorKind> {
    let total = dst.width() as usize * dst.height() as usize;
    match dst.format() {
        PixelFormat::Bgrx | PixelFormat::Bgra if is_contiguous(order, dst) => {
            let memory = dst.bytes_mut().get_mut(..total * 4).unwrap_or_default();
            tokens::plane(input, &ContiguousAlpha::new(0), memory, total)
        }
        PixelFormat::Bgrx | PixelFormat::Bgra => {
            tokens::plane(input, &Alpha::rows(dst, order), dst.bytes_mut(), total)
        }
        _ => tokens::plane(input, &Discard, &mut [], total),
    }
}

/// Pictures whose pixels carry their colour.
fn direct(
    image_type: ImageType,
    order: RowOrder,
    input: &mut Input<'_>,
    dst: &mut PixelsMut<'_>,
) -> Result<(), ErrorKind> {
    use PixelFormat::{A8, Bgra, Bgrx, Rgb555, Rgb565};
    match (image_type, dst.format()) {
        (ImageType::A8 | ImageType::Xxxa, A8) => fixed::<convert::Bytes, 1>(order, input, dst),
        (ImageType::Rgb16, Rgb555) => fixed::<convert::SwappedRgb555, 2>(order, input, dst),
        (ImageType::Rgb16, Rgb565) => fixed::<convert::SwappedRgb555ToRgb565, 2>(order, input, dst),
        (ImageType::Rgb16, Bgrx) => fixed::<convert::SwappedRgb555ToBgrx<0>, 4>(order, input, dst),
        (ImageType::Rgb16, Bgra) => fixed::<convert::SwappedRgb555ToBgrx<255>, 4>(order, input, dst),
        (ImageType::Rgb24 | ImageType::Rgb32, Bgra) => fixed::<convert::BgrToBgrx<255>, 4>(order, input, dst),
        (ImageType::Rgb24 | ImageType::Rgb32 | ImageType::Rgba, Bgrx | Bgra) => {
            fixed::<convert::BgrToBgrx<0>, 4>(order, input, dst)
        }
        (ImageType::Rgb24 | ImageType::Rgb32 | ImageType::Rgba, Rgb555) => {
            fixed::<convert::BgrToRgb555, 2>(order, input, dst)
        }
        (ImageType::Rgb24 | ImageType::Rgb32 | ImageType::Rgba, Rgb565) => {
            fixed::<convert::BgrToRgb565, 2>(order, input, dst)
        }
        _ => Err(ErrorKind::Format),
    }?;
    if image_type == ImageType::Rgba {
        alpha_plane(order, input, dst)?;
    }
    Ok(())
}

fn fixed<C: Converter, const D: usize>(
    order: RowOrder,
    input: &mut Input<'_>,
    dst: &mut PixelsMut<'_>,
) -> Result<(), ErrorKind> {
    rows::<_, D>(order, Fixed::<C>::new(), input, dst)
}

fn rows<L: Literals<D>, const D: usize>(
    order: RowOrder,
    literals: L,
    input: &mut Input<'_>,
    dst: &mut PixelsMut<'_>,
) -> Result<(), ErrorKind> {
    let total = dst.width() as usize * dst.height() as usize;
    if is_contiguous(order, dst) {
        // Not what may lie behind the last row.
        let memory = dst.bytes_mut().get_mut(..total * D).unwrap_or_default();
        return tokens::plane(input, &Contiguous::<_, D>::new(literals, 0), memory, total);
    }
    let plane = Packed::<_, D>::rows(dst, order, literals);
    tokens::plane(input, &plane, dst.bytes_mut(), total)
}

/// Whether the rows of a destination are one piece of memory in coded order.
fn is_contiguous(order: RowOrder, dst: &PixelsMut<'_>) -> bool {
    order == RowOrder::TopDown && dst.stride() as u64 == dst.format().row_bytes(dst.width())
}
