//! Pixel formats, picture headers and the caller's destination.

use crate::error::{Codec, CodecError, ErrorKind};

/// Layout of pixels in a destination.
///
/// Multi-byte pixels are little-endian, so `Bgrx` read as a `u32` is `0xXXRRGGBB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PixelFormat {
    /// One bit, leftmost pixel in bit 0; rows begin on a byte. Only masks have it.
    A1,
    /// One byte, an alpha value (or a gray one).
    A8,
    /// Two bytes, `0rrrrrgggggbbbbb`.
    Rgb555,
    /// Two bytes, `rrrrrggggggbbbbb`.
    Rgb565,
    /// Bytes b, g, r, x.
    Bgrx,
    /// Bytes b, g, r, a; colour is premultiplied.
    Bgra,
}

impl PixelFormat {
    /// Bits of one pixel.
    pub const fn bits(self) -> u32 {
        match self {
            PixelFormat::A1 => 1,
            PixelFormat::A8 => 8,
            PixelFormat::Rgb555 | PixelFormat::Rgb565 => 16,
            PixelFormat::Bgrx | PixelFormat::Bgra => 32,
        }
    }

    /// Bytes of a row of `width` pixels without padding.
    pub const fn row_bytes(self, width: u32) -> u64 {
        (width as u64 * self.bits() as u64).div_ceil(8)
    }
}

/// Which row of a payload comes first.
///
/// Destinations are always top row first; decoders resolve the order while they decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowOrder {
    /// The first row is the top one.
    TopDown,
    /// The first row is the bottom one.
    BottomUp,
}

impl RowOrder {
    /// The order that a `top_down` flag stands for.
    pub const fn from_top_down(top_down: bool) -> Self {
        if top_down { RowOrder::TopDown } else { RowOrder::BottomUp }
    }
}

/// What a payload says about itself before anything is decoded.
///
/// Reading it costs a few bytes and no memory. Sides are at least 1. Nothing else is promised about the size:
/// a few bytes can describe a huge picture, so compare with the image descriptor ([`Header::expect`]) and
/// with bounds ([`Header::check`]) before allocating.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The picture's own format: decoding into it loses nothing and converts nothing. For
    /// [`indexed`](Self::indexed) pictures there is none, and this says `Bgrx`.
    pub format: PixelFormat,
    /// Row order in the payload; for information, since destinations are always top-down.
    pub rows: RowOrder,
    /// Pixels select palette entries. An entry is copied raw, cut to the destination's pixel size, so that
    /// its meaning (and that of its top byte) is the surface's.
    pub indexed: bool,
}

impl Header {
    /// Compares with the size in the image descriptor.
    pub fn expect(&self, codec: Codec, width: u32, height: u32) -> Result<(), CodecError> {
        if (self.width, self.height) == (width, height) {
            return Ok(());
        }
        let kind = ErrorKind::SizeMismatch {
            width: self.width,
            height: self.height,
            expected_width: width,
            expected_height: height,
        };
        Err(CodecError::new(codec, 0, kind))
    }

    /// Compares with bounds.
    pub fn check(&self, codec: Codec, limits: &Limits) -> Result<(), CodecError> {
        let bound = |limit, value: u64, bound: u64| {
            if value <= bound {
                return Ok(());
            }
            Err(CodecError::new(codec, 0, ErrorKind::Limit { limit, value, bound }))
        };
        bound("max_side", u64::from(self.width.max(self.height)), u64::from(limits.max_side))?;
        bound("max_pixels", self.pixels(), limits.max_pixels)
    }

    /// Width times height.
    pub const fn pixels(&self) -> u64 {
        self.width as u64 * self.height as u64
    }
}

/// Bounds on a picture's size, for [`Header::check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Longest side in pixels. Default 32767, the largest coordinate of the usual drawing libraries.
    pub max_side: u32,
    /// Most pixels. Default 2^26, which is 256 MiB of 32-bit pixels and eight full 4K screens.
    pub max_pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_side: 32767, max_pixels: 1 << 26 }
    }
}

/// A checked view of the caller's buffer: where a picture is to be decoded.
///
/// Rows are top-down, `stride` bytes apart; the bytes between the end of a row and the next are never
/// touched, so the view may be a rectangle of a larger surface. Old content never influences the result.
#[derive(Debug)]
pub struct PixelsMut<'a> {
    data: &'a mut [u8],
    width: u32,
    height: u32,
    stride: usize,
    format: PixelFormat,
}

impl<'a> PixelsMut<'a> {
    /// A view of `height` rows of `width` pixels, the first beginning at `data[0]`, each `stride` bytes
    /// after the one above. The last row may end without padding.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Dimensions`] for an empty picture, [`ErrorKind::Stride`] for rows that overlap,
    /// [`ErrorKind::Destination`] if `data` is too short.
    pub fn new(
        data: &'a mut [u8],
        width: u32,
        height: u32,
        stride: usize,
        format: PixelFormat,
    ) -> Result<Self, CodecError> {
        let fail = |kind| Err(CodecError::new(Codec::Pixels, 0, kind));
        if width == 0 || height == 0 {
            return fail(ErrorKind::Dimensions { width, height });
        }
        let row = format.row_bytes(width);
        if (stride as u64) < row {
            return fail(ErrorKind::Stride { stride: stride as u64, needed: row });
        }
        let needed = (stride as u64).saturating_mul(u64::from(height) - 1).saturating_add(row);
        if (data.len() as u64) < needed {
            return fail(ErrorKind::Destination { len: data.len(), needed });
        }
        Ok(Self { data, width, height, stride, format })
    }

    /// A view of rows without padding.
    ///
    /// # Errors
    ///
    /// As [`PixelsMut::new`].
    pub fn packed(
        data: &'a mut [u8],
        width: u32,
        height: u32,
        format: PixelFormat,
    ) -> Result<Self, CodecError> {
        let stride = usize::try_from(format.row_bytes(width)).unwrap_or(usize::MAX);
        Self::new(data, width, height, stride, format)
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Bytes from one row to the next.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// The format to decode into.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// Row `y` without padding; empty below the last one.
    #[inline]
    pub(crate) fn row_mut(&mut self, y: u32) -> &mut [u8] {
        let row = self.row_bytes();
        let start = y as usize * self.stride;
        self.data.get_mut(start..).and_then(|rest| rest.get_mut(..row)).unwrap_or_default()
    }

    /// Row `y` and the one above it, which is empty for the first.
    #[inline]
    pub(crate) fn row_and_above(&mut self, y: u32) -> (&[u8], &mut [u8]) {
        let row = self.row_bytes();
        let start = y as usize * self.stride;
        let (before, rest) = self.data.split_at_mut(start.min(self.data.len()));
        let above = match y {
            0 => &[],
            _ => before
                .get(before.len() - self.stride..)
                .and_then(|above| above.get(..row))
                .unwrap_or_default(),
        };
        (above, rest.get_mut(..row).unwrap_or_default())
    }

    /// Bytes of a row without padding.
    pub(crate) fn row_bytes(&self) -> usize {
        self.format.row_bytes(self.width) as usize
    }

    /// The whole buffer, padding included.
    #[inline]
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        self.data
    }
}
