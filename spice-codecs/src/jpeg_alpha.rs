//! JPEG_ALPHA: colour as a JPEG file, alpha as an LZ plane.

use alloc::vec::Vec;

use crate::bitmap::{Bitmap, Format};
use crate::error::{Codec, CodecError, ErrorKind};
use crate::jpeg;
use crate::lz;
use crate::pixels::{Header, PixelFormat, PixelsMut, RowOrder};

/// The fields of a JPEG_ALPHA image besides its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Bytes of the JPEG file; the LZ stream follows it.
    pub jpeg_size: u32,
    /// Row order of the alpha plane (flag TOP_DOWN). The JPEG file is always top row first.
    pub alpha_rows: RowOrder,
}

/// Reads size and format, after checking that both parts agree.
///
/// The native format is `Bgra`; `rows` is the order of the colour rows.
///
/// # Errors
///
/// A `jpeg_size` beyond the data, headers that are damaged, or that disagree with each other or the layout.
pub fn header(layout: &Layout, data: &[u8]) -> Result<Header, CodecError> {
    let (jpeg, alpha) = split(layout, data)?;
    let mut header = jpeg::header(jpeg)?;
    header.format = PixelFormat::Bgra;
    let behind = |error: CodecError| behind(jpeg.len(), error);
    let (image_type, alpha_header) = lz::parse(alpha).map_err(behind)?;
    if image_type != lz::ImageType::Xxxa {
        let kind = ErrorKind::ImageType(image_type as u32);
        return Err(CodecError::new(Codec::JpegAlpha, jpeg.len() + 8, kind));
    }
    alpha_header.expect(Codec::JpegAlpha, header.width, header.height)?;
    if alpha_header.rows != layout.alpha_rows {
        return Err(CodecError::new(Codec::JpegAlpha, jpeg.len() + 24, ErrorKind::RowOrder));
    }
    Ok(header)
}

fn split<'a>(layout: &Layout, data: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), CodecError> {
    let size = usize::try_from(layout.jpeg_size).unwrap_or(usize::MAX);
    data.split_at_checked(size).ok_or_else(|| {
        let kind = ErrorKind::BlockSize { size: layout.jpeg_size.into(), left: data.len() as u64 };
        CodecError::new(Codec::JpegAlpha, 0, kind)
    })
}

/// Counts positions from the start of the data.
fn behind(jpeg_len: usize, mut error: CodecError) -> CodecError {
    error.at += jpeg_len;
    error
}

/// Decoder with reusable memory.
#[derive(Debug, Default)]
pub struct Decoder {
    jpeg: jpeg::Decoder,
}

impl Decoder {
    /// A decoder that has not reserved anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of memory kept from picture to picture.
    pub fn scratch_bytes(&self) -> usize {
        self.jpeg.scratch_bytes()
    }

    /// Gives that memory back if it is more than `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        self.jpeg.shrink_to(bytes);
    }

    /// Decodes both parts into `dst`, whose size must be theirs.
    ///
    /// Goes into all colour formats: alpha is the fourth byte of `Bgra` and `Bgrx`, 16-bit formats lose it. Colour
    /// is premultiplied, but since it is lossy it may exceed its alpha a little.
    ///
    /// # Errors
    ///
    /// Those of [`header`], damaged parts, a destination of another size or format.
    pub fn decode(&mut self, layout: &Layout, data: &[u8], mut dst: PixelsMut<'_>) -> Result<(), CodecError> {
        header(layout, data)?.expect(Codec::JpegAlpha, dst.width(), dst.height())?;
        let (jpeg, alpha) = split(layout, data)?;
        self.jpeg.decode_opaque(jpeg, RowOrder::TopDown, &mut dst)?;
        lz::decode_alpha(alpha, &mut dst).map_err(|error| behind(jpeg.len(), error))
    }
}

/// Encoder with reusable memory.
#[derive(Debug, Default)]
pub struct Encoder {
    jpeg: jpeg::Encoder,
    lz: lz::Encoder,
}

impl Encoder {
    /// An encoder that has not reserved anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the data of a bitmap with alpha to `out` and returns its other fields.
    ///
    /// `quality` goes from 1 to 100; servers use 85.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ImageType`] for formats without alpha, and those of [`jpeg::Encoder::encode`].
    pub fn encode(
        &mut self,
        bitmap: &Bitmap<'_>,
        quality: u8,
        out: &mut Vec<u8>,
    ) -> Result<Layout, CodecError> {
        let format = bitmap.layout().format;
        if format != Format::Rgba {
            return Err(CodecError::new(Codec::JpegAlpha, 0, ErrorKind::ImageType(format as u32)));
        }
        let start = out.len();
        self.jpeg.encode(bitmap, quality, out)?;
        let jpeg_size = (out.len() - start) as u32;
        if let Err(error) = self.lz.encode_alpha(bitmap, out) {
            out.truncate(start);
            return Err(error);
        }
        Ok(Layout { jpeg_size, alpha_rows: bitmap.layout().rows })
    }
}
