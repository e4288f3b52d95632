//! ZLIB_GLZ_RGB: a GLZ stream in a zlib stream.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use miniz_oxide::DataFormat;
use miniz_oxide::deflate::core::{CompressionStrategy, CompressorOxide, TDEFLFlush, TDEFLStatus, compress};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::DecompressorOxide;
use miniz_oxide::inflate::core::decompress;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};

use crate::error::{Codec, CodecError, ErrorKind};
use crate::fingerprint::fingerprint;
use crate::glz::{self, Access, Progress};
use crate::pixels::PixelsMut;

/// Decoder of the images of one display channel, with reusable memory: the longest GLZ stream so far.
#[derive(Default)]
pub struct Decoder {
    inflate: Option<Box<DecompressorOxide>>,
    stream: Vec<u8>,
    /// Fingerprint of the zlib stream in `stream`, if its image waits for another one.
    waiting: Option<u64>,
    glz: glz::Decoder,
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("waiting", &self.waiting)
            .field("glz", &self.glz)
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// A decoder that has not reserved anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes a picture of the descriptor's size and puts it into the window.
    ///
    /// `glz_size` is the field `glz_data_size`: bytes of the GLZ stream. As with [`glz::Decoder::decode`], call
    /// again with the same data after [`Progress::Waiting`].
    ///
    /// # Errors
    ///
    /// A picture larger than the window, a damaged zlib stream or one that does not yield exactly `glz_size` bytes, a
    /// `glz_size` that no picture of this size needs, and those of [`glz::Decoder::decode`]. All mean that later images cannot be relied
    /// on.
    pub fn decode(
        &mut self,
        data: &[u8],
        glz_size: u32,
        (width, height): (u32, u32),
        window: &mut impl Access,
    ) -> Result<Progress, CodecError> {
        if self.waiting.take().is_none_or(|waiting| waiting != fingerprint(data)) {
            let (pixels, bound) =
                (u64::from(width) * u64::from(height), window.with(|w| w.limits().image_pixels));
            if pixels > bound {
                let kind = ErrorKind::Limit { limit: "image_pixels", value: pixels, bound };
                return Err(CodecError::new(Codec::ZlibGlz, 0, kind));
            }
            self.inflate(data, glz_size, (width, height))?;
        }
        let progress = self.glz.decode(&self.stream, window)?;
        if matches!(progress, Progress::Waiting(_)) {
            self.waiting = Some(fingerprint(data));
        }
        Ok(progress)
    }

    /// Bytes of memory kept from picture to picture, the state of the decompressor apart.
    pub fn scratch_bytes(&self) -> usize {
        self.stream.capacity()
    }

    /// Gives that memory back if it is more than `bytes`, unless an image waits in it.
    pub fn shrink_to(&mut self, bytes: usize) {
        if self.stream.capacity() > bytes && self.waiting.is_none() {
            self.stream = Vec::new();
        }
    }

    /// Forgets an image that waits, as after a disconnect.
    pub fn reset(&mut self) {
        self.waiting = None;
        self.glz.reset();
    }

    /// As [`decode`](Self::decode), and copies the finished picture into `dst`.
    ///
    /// # Errors
    ///
    /// Those of [`decode`](Self::decode) and [`glz::Picture::copy_to`].
    pub fn decode_into(
        &mut self,
        data: &[u8],
        glz_size: u32,
        window: &mut impl Access,
        dst: PixelsMut<'_>,
    ) -> Result<Progress, CodecError> {
        let progress = self.decode(data, glz_size, (dst.width(), dst.height()), window)?;
        if let Progress::Done(picture) = &progress {
            picture.copy_to(dst)?;
        }
        Ok(progress)
    }

    /// Inflates the stream of a picture: its header first, and the rest if that is the picture's.
    fn inflate(&mut self, data: &[u8], size: u32, (width, height): (u32, u32)) -> Result<(), CodecError> {
        let fail = |at, kind| Err(CodecError::new(Codec::ZlibGlz, at, kind));
        let (value, bound) = (u64::from(size), longest_stream(width, height));
        if value > bound {
            return fail(0, ErrorKind::Limit { limit: "glz_data_size", value, bound });
        }
        // The bound is about the picture's, which the caller has checked; the data bounds it too.
        if value > (data.len() as u64).saturating_mul(MAX_EXPANSION).saturating_add(64) {
            return fail(data.len(), ErrorKind::Truncated);
        }
        let size = size as usize;
        self.stream.clear();
        self.stream.resize(size.min(glz::HEADER_LEN), 0);
        let state = self.inflate.get_or_insert_with(|| Box::new(DecompressorOxide::new()));
        state.init();
        let flags = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let (mut status, mut used, mut made) = decompress(state, data, &mut self.stream, 0, flags);
        if status == TINFLStatus::HasMoreOutput && made < size {
            glz::header(&self.stream)?.expect(Codec::ZlibGlz, width, height)?;
            self.stream.resize(size, 0);
            let rest = data.get(used..).unwrap_or_default();
            let (end, more_used, more_made) = decompress(state, rest, &mut self.stream, made, flags);
            (status, used, made) = (end, used + more_used, made + more_made);
        }
        match status {
            TINFLStatus::Done if used < data.len() => fail(used, ErrorKind::Excess),
            TINFLStatus::Done if made < size => fail(used, ErrorKind::Truncated),
            TINFLStatus::Done => Ok(()),
            TINFLStatus::HasMoreOutput => fail(used, ErrorKind::Excess),
            TINFLStatus::NeedsMoreInput | TINFLStatus::FailedCannotMakeProgress => {
                fail(used, ErrorKind::Truncated)
            }
            _ => fail(used, ErrorKind::Damaged),
        }
    }
}

/// Encoder with reusable memory: the state of the compressor, about 300 KiB.
pub struct Encoder {
    deflate: CompressorOxide,
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

impl Encoder {
    /// An encoder of a level that is worth its time.
    pub fn new() -> Self {
        let deflate =
            CompressorOxide::with_params(DataFormat::Zlib, LEVEL, CompressionStrategy::Default, WINDOW_BITS);
        Self { deflate }
    }

    /// Appends the zlib stream of a GLZ stream to `out`. `glz_data_size` is the length of that stream.
    pub fn encode(&mut self, glz: &[u8], out: &mut Vec<u8>) {
        self.deflate.reset();
        let start = out.len();
        let (mut rest, mut len) = (glz, start);
        out.resize(start + glz.len() / 2 + 64, 0);
        loop {
            let free = out.get_mut(len..).unwrap_or_default();
            let (status, used, made) = compress(&mut self.deflate, rest, free, TDEFLFlush::Finish);
            rest = rest.get(used..).unwrap_or_default();
            len += made;
            if status != TDEFLStatus::Okay {
                break;
            }
            out.resize(out.len() + glz.len() / 4 + 64, 0);
        }
        out.truncate(len);
    }
}

/// The level of the established server.
const LEVEL: u8 = 3;
/// The window of the established server.
const WINDOW_BITS: u8 = 15;

/// How much deflate can expand at most.
const MAX_EXPANSION: u64 = 1032;

/// Longest GLZ stream accepted for a picture: twice what a sane encoder needs at worst.
fn longest_stream(width: u32, height: u32) -> u64 {
    let pixels = u64::from(width) * u64::from(height);
    let sane =
        pixels.saturating_mul(4).saturating_add(pixels / 16).saturating_add(2 * u64::from(height) + 33);
    sane.saturating_mul(2)
}
