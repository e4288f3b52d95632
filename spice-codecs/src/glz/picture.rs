//! A decoded GLZ image as the window keeps it.

use alloc::vec::Vec;

use crate::convert::{self, Converter};
use crate::error::{Codec, CodecError, ErrorKind};
use crate::lz::ImageType;
use crate::pixels::{Header, PixelFormat, PixelsMut, RowOrder};

/// A decoded image of the GLZ window: its pixels in coded order, as later images refer to them.
///
/// It never changes once it is in a window; whoever wants to draw into it copies it first.
#[derive(Debug)]
pub struct Picture {
    pub(super) id: u64,
    /// Id of the oldest image that the sender's window held.
    pub(super) oldest: u64,
    pub(super) image_type: ImageType,
    pub(super) header: Header,
    /// Rows without padding, first coded row first: two bytes per pixel for RGB16, four otherwise.
    pub(super) pixels: Vec<u8>,
    /// The alpha of all pixels, if they have one and it is known to be the same.
    pub(super) alpha: Option<u8>,
}

impl Picture {
    /// The number that the sender gave this image; later ones refer to it.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Size, native format, and the row order in which [`bytes`](Self::bytes) lie.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The pixels in the native format, rows without padding, in coded order.
    ///
    /// The fourth byte of pixels without alpha is 0.
    pub fn bytes(&self) -> &[u8] {
        &self.pixels
    }

    /// Row `y` from the top, in the native format; empty below the last one.
    pub fn row(&self, y: u32) -> &[u8] {
        let y = match self.header.rows {
            RowOrder::TopDown => Some(y),
            RowOrder::BottomUp => (self.header.height - 1).checked_sub(y),
        };
        let len = self.header.format.row_bytes(self.header.width) as usize;
        let start = y.and_then(|y| (y as usize).checked_mul(len));
        start.and_then(|start| self.pixels.get(start..)).and_then(|rest| rest.get(..len)).unwrap_or_default()
    }

    /// Copies the picture, converted and top-down.
    ///
    /// In `Bgrx` the fourth byte is 0 (alpha for RGBA), in `Bgra` it is 255 for pictures without alpha; 16-bit
    /// formats lose low bits and alpha.
    ///
    /// # Errors
    ///
    /// A destination of another size or of a format that the picture cannot be turned into.
    pub fn copy_to(&self, mut dst: PixelsMut<'_>) -> Result<(), CodecError> {
        use PixelFormat::{Bgra, Bgrx, Rgb555, Rgb565};
        self.header.expect(Codec::Glz, dst.width(), dst.height())?;
        let dst = &mut dst;
        match (self.header.format, dst.format()) {
            (Rgb555, Rgb555) => self.convert::<convert::Rgb555>(dst),
            (Rgb555, Rgb565) => self.convert::<convert::Rgb555ToRgb565>(dst),
            (Rgb555, Bgrx) => self.convert::<convert::Rgb555ToBgrx<0>>(dst),
            (Rgb555, Bgra) => self.convert::<convert::Rgb555ToBgrx<255>>(dst),
            (Bgrx, Bgra) => self.convert::<convert::BgrxTop<255>>(dst),
            (_, Bgrx | Bgra) => self.convert::<convert::Bgrx>(dst),
            (_, Rgb555) => self.convert::<convert::BgrxToRgb555>(dst),
            (_, Rgb565) => self.convert::<convert::BgrxToRgb565>(dst),
            _ => return Err(CodecError::new(Codec::Glz, 0, ErrorKind::Format)),
        }
        Ok(())
    }

    fn convert<C: Converter>(&self, dst: &mut PixelsMut<'_>) {
        for y in 0..self.header.height {
            C::row(self.row(y), dst.row_mut(y));
        }
    }

    /// What the picture counts against the window's bound in bytes.
    pub(super) fn cost(&self) -> u64 {
        self.pixels.capacity() as u64 + OVERHEAD
    }
}

/// Bytes that a picture takes besides its pixels, rounded up: the picture itself, its place in the window.
const OVERHEAD: u64 = 256;
