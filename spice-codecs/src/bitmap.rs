//! BITMAP: uncompressed rows of 1 to 32 bits per pixel.

use alloc::vec::Vec;

use crate::convert::{self, Converter};
use crate::error::{Codec, CodecError, ErrorKind};
use crate::palette::{self, Lookup, Packing};
use crate::pixels::{Header, PixelFormat, PixelsMut, RowOrder};

/// Bitmap format numbers of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// 1: one bit, leftmost pixel in bit 0; palette or mask.
    Bit1Le = 1,
    /// 2: one bit, leftmost pixel in bit 7; palette or mask.
    Bit1Be = 2,
    /// 3: a nibble, leftmost pixel in bits 3..0; palette.
    Bit4Le = 3,
    /// 4: a nibble, leftmost pixel in bits 7..4; palette.
    Bit4Be = 4,
    /// 5: a byte; palette.
    Bit8 = 5,
    /// 6: two bytes, `0rrrrrgggggbbbbb`.
    Bit16 = 6,
    /// 7: bytes b, g, r.
    Bit24 = 7,
    /// 8: bytes b, g, r, x.
    Bit32 = 8,
    /// 9: bytes b, g, r, a, premultiplied.
    Rgba = 9,
    /// 10: one alpha byte.
    Bit8A = 10,
}

impl Format {
    /// The format of a wire number.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ImageType`] for numbers that do not exist.
    pub fn from_wire(number: u8) -> Result<Self, CodecError> {
        Ok(match number {
            1 => Format::Bit1Le,
            2 => Format::Bit1Be,
            3 => Format::Bit4Le,
            4 => Format::Bit4Be,
            5 => Format::Bit8,
            6 => Format::Bit16,
            7 => Format::Bit24,
            8 => Format::Bit32,
            9 => Format::Rgba,
            10 => Format::Bit8A,
            other => return Err(CodecError::new(Codec::Bitmap, 0, ErrorKind::ImageType(other.into()))),
        })
    }

    /// Bytes of a row of `width` pixels without padding.
    pub const fn row_bytes(self, width: u32) -> u64 {
        let bits = match self {
            Format::Bit1Le | Format::Bit1Be => 1,
            Format::Bit4Le | Format::Bit4Be => 4,
            Format::Bit8 | Format::Bit8A => 8,
            Format::Bit16 => 16,
            Format::Bit24 => 24,
            Format::Bit32 | Format::Rgba => 32,
        };
        (width as u64 * bits).div_ceil(8)
    }

    /// How indices are packed, if pixels are indices.
    fn packing(self) -> Option<Packing> {
        match self {
            Format::Bit1Le => Some(Packing::Bit1Le),
            Format::Bit1Be => Some(Packing::Bit1Be),
            Format::Bit4Le => Some(Packing::Bit4Le),
            Format::Bit4Be => Some(Packing::Bit4Be),
            Format::Bit8 => Some(Packing::Bit8),
            _ => None,
        }
    }
}

/// What a BITMAP descriptor says about the rows that follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    /// Format of one pixel.
    pub format: Format,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes from one row to the next.
    pub stride: u32,
    /// Which row comes first.
    pub rows: RowOrder,
}

/// Checks a layout against the data and says what it decodes to.
///
/// The native format is `Rgb555` for 16 bits, `Bgrx` for 24 and 32, `Bgra` for RGBA, `A8` for 8-bit alpha.
/// Formats of 1, 4 and 8 bits are [`indexed`](Header::indexed).
///
/// # Errors
///
/// Empty dimensions, a stride shorter than a row, or fewer than `stride * height` bytes.
pub fn header(layout: &Layout, data: &[u8]) -> Result<Header, CodecError> {
    let &Layout { format, width, height, stride, rows } = layout;
    let fail = |kind| Err(CodecError::new(Codec::Bitmap, 0, kind));
    if width == 0 || height == 0 {
        return fail(ErrorKind::Dimensions { width, height });
    }
    let (stride, needed) = (u64::from(stride), format.row_bytes(width));
    if stride < needed {
        return fail(ErrorKind::Stride { stride, needed });
    }
    if (data.len() as u64) < stride * u64::from(height) {
        return Err(CodecError::new(Codec::Bitmap, data.len(), ErrorKind::Truncated));
    }
    let indexed = format.packing().is_some();
    let format = match format {
        Format::Bit16 => PixelFormat::Rgb555,
        Format::Rgba => PixelFormat::Bgra,
        Format::Bit8A => PixelFormat::A8,
        _ => PixelFormat::Bgrx,
    };
    Ok(Header { width, height, format, rows, indexed })
}

/// Writes the rows into `dst`.
///
/// Formats of 1, 4 and 8 bits look their pixels up in `palette`, whose entries are copied raw. A 1-bit bitmap
/// with an empty palette is a mask and goes into `A1` or `A8` (0 or 255). The fourth byte of 32-bit pixels is
/// copied into `Bgrx` as it is; in `Bgra` it is 255 for formats without alpha.
///
/// # Errors
///
/// Those of [`header`], an index without palette entry, a destination of another size or of a format that the
/// picture cannot be turned into.
pub fn decode(
    layout: &Layout,
    data: &[u8],
    palette: &[u32],
    mut dst: PixelsMut<'_>,
) -> Result<(), CodecError> {
    use PixelFormat::{A1, A8, Bgra, Bgrx, Rgb555, Rgb565};
    header(layout, data)?.expect(Codec::Bitmap, dst.width(), dst.height())?;
    let rows = Bitmap { layout: *layout, data };
    let dst = &mut dst;
    let result = match (layout.format, dst.format()) {
        (Format::Bit8A, A8) => rows.convert::<convert::Bytes>(dst),
        (Format::Bit16, Rgb555) => rows.convert::<convert::Rgb555>(dst),
        (Format::Bit16, Rgb565) => rows.convert::<convert::Rgb555ToRgb565>(dst),
        (Format::Bit16, Bgrx) => rows.convert::<convert::Rgb555ToBgrx<0>>(dst),
        (Format::Bit16, Bgra) => rows.convert::<convert::Rgb555ToBgrx<255>>(dst),
        (Format::Bit24, Bgrx) => rows.convert::<convert::BgrToBgrx<0>>(dst),
        (Format::Bit24, Bgra) => rows.convert::<convert::BgrToBgrx<255>>(dst),
        (Format::Bit24, Rgb555) => rows.convert::<convert::BgrToRgb555>(dst),
        (Format::Bit24, Rgb565) => rows.convert::<convert::BgrToRgb565>(dst),
        (Format::Bit32, Bgrx) | (Format::Rgba, Bgrx | Bgra) => rows.convert::<convert::Bgrx>(dst),
        (Format::Bit32, Bgra) => rows.convert::<convert::BgrxTop<255>>(dst),
        (Format::Bit32 | Format::Rgba, Rgb555) => rows.convert::<convert::BgrxToRgb555>(dst),
        (Format::Bit32 | Format::Rgba, Rgb565) => rows.convert::<convert::BgrxToRgb565>(dst),
        (Format::Bit1Le | Format::Bit1Be, A1 | A8) if palette.is_empty() => rows.mask(dst),
        _ => rows.indices(palette, dst),
    };
    result.map_err(|(at, kind)| CodecError::new(Codec::Bitmap, at, kind))
}

/// A bitmap with its rows: what encoders take.
#[derive(Clone, Copy, Debug)]
pub struct Bitmap<'a> {
    layout: Layout,
    data: &'a [u8],
}

impl<'a> Bitmap<'a> {
    /// A checked view of rows.
    ///
    /// # Errors
    ///
    /// As [`header`].
    pub fn new(layout: Layout, data: &'a [u8]) -> Result<Self, CodecError> {
        header(&layout, data)?;
        Ok(Self { layout, data })
    }

    /// Format, size and row order.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Writes the rows into `dst`, as [`decode`] does.
    ///
    /// # Errors
    ///
    /// Those of [`decode`].
    pub fn decode(&self, palette: &[u32], dst: PixelsMut<'_>) -> Result<(), CodecError> {
        decode(&self.layout, self.data, palette, dst)
    }

    /// Row `y` from the top, without padding; empty below the last one.
    pub fn row(&self, y: u32) -> &'a [u8] {
        let len = self.layout.format.row_bytes(self.layout.width) as usize;
        let Some(start) = self.start(y) else { return &[] };
        self.data.get(start..).and_then(|rest| rest.get(..len)).unwrap_or_default()
    }

    /// The rows in their own order, without padding.
    pub fn rows(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let len = self.layout.format.row_bytes(self.layout.width) as usize;
        let rows = self.data.chunks(self.layout.stride as usize).take(self.layout.height as usize);
        rows.map(move |row| row.get(..len).unwrap_or_default())
    }

    /// The rows in their own order without padding, in one piece; `memory` is for those that have padding.
    pub(crate) fn packed<'b>(&self, memory: &'b mut Vec<u8>) -> &'b [u8]
    where
        'a: 'b,
    {
        let row = self.layout.format.row_bytes(self.layout.width);
        let len = (row * u64::from(self.layout.height)) as usize;
        if u64::from(self.layout.stride) == row {
            return self.data.get(..len).unwrap_or_default();
        }
        memory.clear();
        self.rows().for_each(|row| memory.extend_from_slice(row));
        memory
    }

    /// Byte position of row `y` from the top.
    fn start(&self, y: u32) -> Option<usize> {
        let y = match self.layout.rows {
            RowOrder::TopDown => Some(y),
            RowOrder::BottomUp => (self.layout.height - 1).checked_sub(y),
        };
        (y? as usize).checked_mul(self.layout.stride as usize)
    }

    fn convert<C: Converter>(&self, dst: &mut PixelsMut<'_>) -> Result<(), (usize, ErrorKind)> {
        for y in 0..self.layout.height {
            C::row(self.row(y), dst.row_mut(y));
        }
        Ok(())
    }

    fn mask(&self, dst: &mut PixelsMut<'_>) -> Result<(), (usize, ErrorKind)> {
        let packing = self.layout.format.packing().ok_or((0, ErrorKind::Format))?;
        for y in 0..self.layout.height {
            match dst.format() {
                PixelFormat::A1 => {
                    palette::mask_to_a1(packing, self.row(y), dst.row_mut(y), self.layout.width);
                }
                _ => palette::mask_to_a8(packing, self.row(y), dst.row_mut(y)),
            }
        }
        Ok(())
    }

    fn indices(&self, palette: &[u32], dst: &mut PixelsMut<'_>) -> Result<(), (usize, ErrorKind)> {
        let packing = self.layout.format.packing().ok_or((0, ErrorKind::Format))?;
        Lookup::fits(dst.format()).map_err(|kind| (0, kind))?;
        let lookup = Lookup::new(palette).map_err(|kind| (0, kind))?;
        let bits = dst.format().bits();
        for y in 0..self.layout.height {
            let (from, to) = (self.row(y), dst.row_mut(y));
            let result = match bits {
                16 => lookup.row::<2>(packing, from, to),
                _ => lookup.row::<4>(packing, from, to),
            };
            result.map_err(|kind| (self.start(y).unwrap_or(0), kind))?;
        }
        Ok(())
    }
}
