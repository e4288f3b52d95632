//! LZ4: SPICE's framing around dependent LZ4 blocks, a row order and a bitmap format in front.

use alloc::vec::Vec;
use core::fmt;

use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};

use crate::bitmap::{self, Bitmap, Format, Layout};
use crate::error::{Codec, CodecError, ErrorKind};
use crate::pixels::{PixelFormat, PixelsMut, RowOrder};

mod block;

/// Reads the two bytes before the first block: the row order, and the format of the pixels, one of
/// [`Bit16`](Format::Bit16), [`Bit24`](Format::Bit24), [`Bit32`](Format::Bit32), [`Rgba`](Format::Rgba) and
/// [`Bit8A`](Format::Bit8A), which libspice-server 0.15.1 sends as well.
///
/// The payload does not say how large the picture is.
///
/// # Errors
///
/// A short header, another format.
pub fn header(data: &[u8]) -> Result<(RowOrder, Format), CodecError> {
    let fail = |at, kind| Err(CodecError::new(Codec::Lz4, at, kind));
    let Some(&[direction, number]) = data.first_chunk::<HEADER_LEN>() else {
        return fail(data.len(), ErrorKind::Truncated);
    };
    let format = match number {
        6 => Format::Bit16,
        7 => Format::Bit24,
        8 => Format::Bit32,
        9 => Format::Rgba,
        10 => Format::Bit8A,
        other => return fail(1, ErrorKind::ImageType(other.into())),
    };
    Ok((RowOrder::from_top_down(direction != 0), format))
}

/// Bytes before the first block.
const HEADER_LEN: usize = 2;

/// Decoder with reusable memory: the rows of the largest picture so far that did not lie in its payload as in
/// its destination.
#[derive(Debug, Default)]
pub struct Decoder {
    rows: Vec<u8>,
}

impl Decoder {
    /// A decoder that has not reserved anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of memory kept from picture to picture.
    pub fn scratch_bytes(&self) -> usize {
        self.rows.capacity()
    }

    /// Gives that memory back if it is more than `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        if self.rows.capacity() > bytes {
            self.rows = Vec::new();
        }
    }

    /// Decodes a whole payload into `dst`, whose size is the image descriptor's.
    ///
    /// Converts as [`bitmap::decode`] does. Blocks go straight into the destination if rows come top first and
    /// without padding, and the format is the picture's own.
    ///
    /// # Errors
    ///
    /// Damaged blocks, blocks that yield more or less than the picture, a destination of a format that the
    /// picture cannot be turned into.
    pub fn decode(&mut self, data: &[u8], mut dst: PixelsMut<'_>) -> Result<(), CodecError> {
        let (rows, format) = header(data)?;
        let fail = |kind| CodecError::new(Codec::Lz4, 0, kind);
        let (width, height) = (dst.width(), dst.height());
        let stride = format.row_bytes(width);
        let total = stride * u64::from(height);
        let native = match format {
            Format::Bit16 => dst.format() == PixelFormat::Rgb555,
            Format::Bit32 => dst.format() == PixelFormat::Bgrx,
            Format::Rgba => dst.format().bits() == 32,
            Format::Bit8A => dst.format() == PixelFormat::A8,
            _ => false,
        };
        if native && rows == RowOrder::TopDown && dst.stride() as u64 == stride {
            let len = total as usize;
            return blocks(data, dst.bytes_mut().get_mut(..len).unwrap_or_default());
        }
        // The destination has fewer bytes at worst by the factor of the formats' sizes, so this is bounded by
        // what the caller allocated.
        let total = usize::try_from(total).map_err(|_| fail(ErrorKind::Dimensions { width, height }))?;
        let stride = u32::try_from(stride).map_err(|_| fail(ErrorKind::Dimensions { width, height }))?;
        self.rows.resize(total, 0);
        blocks(data, &mut self.rows)?;
        let layout = Layout { format, width, height, stride, rows };
        bitmap::decode(&layout, &self.rows, &[], dst).map_err(|error| fail(error.kind))
    }
}

/// Encoder with reusable memory: a hash table, and the rows of the largest padded picture so far.
#[derive(Default)]
pub struct Encoder {
    table: CompressTable,
    rows: Vec<u8>,
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

impl Encoder {
    /// An encoder that has not reserved much yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the payload of a bitmap to `out`, in a single block. Rows keep their order.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ImageType`] for palette formats, and [`ErrorKind::Dimensions`] for pictures whose size a block cannot state.
    pub fn encode(&mut self, bitmap: &Bitmap<'_>, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let layout = bitmap.layout();
        let fail = |kind| CodecError::new(Codec::Lz4, 0, kind);
        use Format::{Bit8A, Bit16, Bit24, Bit32, Rgba};
        if !matches!(layout.format, Bit16 | Bit24 | Bit32 | Rgba | Bit8A) {
            return Err(fail(ErrorKind::ImageType(layout.format as u32)));
        }
        let rows = bitmap.packed(&mut self.rows);
        let too_large = fail(ErrorKind::Dimensions { width: layout.width, height: layout.height });
        let worst = get_maximum_output_size(rows.len());
        if u32::try_from(worst).is_err() {
            return Err(too_large);
        }
        let start = out.len();
        out.extend_from_slice(&[u8::from(layout.rows == RowOrder::TopDown), layout.format as u8]);
        let (size, block) = (out.len(), out.len() + 4);
        out.resize(block + worst, 0);
        match compress_into_with_table(rows, &mut out[block..], &mut self.table) {
            Ok(len) => {
                out[size..block].copy_from_slice(&(len as u32).to_be_bytes());
                out.truncate(block + len);
                Ok(())
            }
            Err(_) => {
                out.truncate(start);
                Err(too_large)
            }
        }
    }
}

/// Decodes all blocks, which must fill `out`.
fn blocks(data: &[u8], out: &mut [u8]) -> Result<(), CodecError> {
    let fail = |at, kind| Err(CodecError::new(Codec::Lz4, at, kind));
    let (mut at, mut done) = (HEADER_LEN, 0);
    while let Some(rest) = data.get(at..).filter(|rest| !rest.is_empty()) {
        let Some((size, rest)) = rest.split_first_chunk() else {
            return fail(at, ErrorKind::Truncated);
        };
        let size = u32::from_be_bytes(*size);
        at += 4;
        let Some(block) = usize::try_from(size).ok().and_then(|size| rest.get(..size)) else {
            return fail(at, ErrorKind::BlockSize { size: size.into(), left: rest.len() as u64 });
        };
        let before = done;
        done = match block::decode(block, out, done) {
            Ok(done) if done > before => done,
            Ok(_) => return fail(at, ErrorKind::Damaged),
            Err((position, kind)) => return fail(at + position, kind),
        };
        at += block.len();
    }
    if done < out.len() { fail(data.len(), ErrorKind::Truncated) } else { Ok(()) }
}
