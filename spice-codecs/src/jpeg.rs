//! JPEG images and the frames of MJPEG streams.

use alloc::vec::Vec;

use jpeg_encoder::{ColorType, SamplingFactor};
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::bitmap::{Bitmap, Format};
use crate::convert::{self, Converter};
use crate::error::{Codec, CodecError, ErrorKind};
use crate::pixels::{Header, PixelFormat, PixelsMut, RowOrder};

/// Reads size and kind of a JPEG file from its markers. The native format is `Bgrx`.
///
/// # Errors
///
/// What is no JPEG file, lacks a frame header before the scan, or has other than one or three components of
/// eight bits.
pub fn header(data: &[u8]) -> Result<Header, CodecError> {
    markers(data).map(|markers| markers.header)
}

/// What the markers before the first scan say.
struct Markers {
    header: Header,
    gray: bool,
    /// Whether there are Huffman tables.
    huffman: bool,
    /// Where the scan begins.
    scan: usize,
}

fn markers(data: &[u8]) -> Result<Markers, CodecError> {
    let fail = |at, kind| Err(CodecError::new(Codec::Jpeg, at, kind));
    let word = |at: usize| -> Result<u16, CodecError> {
        let bytes = data.get(at..).and_then(|rest| rest.first_chunk());
        let bytes = bytes.ok_or(CodecError::new(Codec::Jpeg, data.len(), ErrorKind::Truncated))?;
        Ok(u16::from_be_bytes(*bytes))
    };
    if word(0)? != SOI {
        return fail(0, ErrorKind::Magic(word(0)?.into()));
    }
    let (mut at, mut frame, mut huffman) = (2, None, false);
    loop {
        let marker = word(at)?;
        if marker == FILL {
            at += 1;
            continue;
        }
        if marker == SOS {
            let Some((header, gray)) = frame else {
                return fail(at, ErrorKind::Damaged);
            };
            return Ok(Markers { header, gray, huffman, scan: at });
        }
        let len = usize::from(word(at + 2)?);
        if marker >> 8 != 0xff || len < 2 {
            return fail(at, ErrorKind::Damaged);
        }
        match marker {
            DHT => huffman = true,
            SOF_FIRST..=SOF_LAST if marker != JPG && marker != DAC => {
                let start = at + 4;
                let Some(&[depth, _, _, _, _, components]) = data.get(start..).and_then(|d| d.first_chunk())
                else {
                    return fail(data.len(), ErrorKind::Truncated);
                };
                if depth != 8 || !matches!(components, 1 | 3) {
                    return fail(start, ErrorKind::ImageType(components.into()));
                }
                let (height, width) = (u32::from(word(start + 1)?), u32::from(word(start + 3)?));
                if width == 0 || height == 0 {
                    return fail(start + 1, ErrorKind::Dimensions { width, height });
                }
                let format = PixelFormat::Bgrx;
                let header = Header { width, height, format, rows: RowOrder::TopDown, indexed: false };
                frame = Some((header, components == 1));
            }
            _ => {}
        }
        at += 2 + len;
    }
}

/// Start of image.
const SOI: u16 = 0xffd8;
/// Start of scan.
const SOS: u16 = 0xffda;
/// A byte that may stand before any marker.
const FILL: u16 = 0xffff;
/// Huffman tables.
const DHT: u16 = 0xffc4;
/// Start of frame, the first and the last kind; two codes between are something else.
const SOF_FIRST: u16 = 0xffc0;
const SOF_LAST: u16 = 0xffcf;
const JPG: u16 = 0xffc8;
const DAC: u16 = 0xffcc;

/// Decoder with reusable memory: a copy of the frame, where it lacks tables, and pixels, where the destination
/// has another format or padded rows. The JPEG library allocates on its own while it decodes: rows of a baseline file, all
/// coefficients of a progressive one, up to 10 bytes for each pixel with the picture itself.
#[derive(Debug, Default)]
pub struct Decoder {
    file: Vec<u8>,
    pixels: Vec<u8>,
}

impl Decoder {
    /// A decoder that has not reserved anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of memory kept from picture to picture.
    pub fn scratch_bytes(&self) -> usize {
        self.file.capacity() + self.pixels.capacity()
    }

    /// Gives that memory back if it is more than `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        if self.scratch_bytes() > bytes {
            (self.file, self.pixels) = (Vec::new(), Vec::new());
        }
    }

    /// Decodes a whole file into `dst`, whose size must be the file's.
    ///
    /// Goes into all colour formats: in `Bgrx` the fourth byte is 0, in `Bgra` it is 255. Files without Huffman
    /// tables, as MJPEG streams have them, are read with the standard tables of the JPEG specification.
    ///
    /// # Errors
    ///
    /// Damaged or truncated files, kinds of JPEG that cannot be turned into colours, a destination of another
    /// size or format.
    pub fn decode(&mut self, data: &[u8], dst: PixelsMut<'_>) -> Result<(), CodecError> {
        self.decode_frame(data, RowOrder::TopDown, dst)
    }

    /// As [`decode`](Self::decode), for the frames of a stream whose rows come in `rows` order.
    ///
    /// # Errors
    ///
    /// Those of [`decode`](Self::decode).
    pub fn decode_frame(
        &mut self,
        data: &[u8],
        rows: RowOrder,
        mut dst: PixelsMut<'_>,
    ) -> Result<(), CodecError> {
        self.decode_opaque(data, rows, &mut dst)?;
        if dst.format() == PixelFormat::Bgrx {
            for y in 0..dst.height() {
                for pixel in dst.row_mut(y).as_chunks_mut::<4>().0 {
                    *pixel = (u32::from_le_bytes(*pixel) & 0x00ff_ffff).to_le_bytes();
                }
            }
        }
        Ok(())
    }

    /// Decodes with a fourth byte of 255, whatever the 32-bit format.
    pub(crate) fn decode_opaque(
        &mut self,
        data: &[u8],
        rows: RowOrder,
        dst: &mut PixelsMut<'_>,
    ) -> Result<(), CodecError> {
        use PixelFormat::{Bgra, Bgrx, Rgb555, Rgb565};
        let markers = markers(data)?;
        let (width, height) = (dst.width(), dst.height());
        markers.header.expect(Codec::Jpeg, width, height)?;
        if !matches!(dst.format(), Bgra | Bgrx | Rgb555 | Rgb565) {
            return Err(CodecError::new(Codec::Jpeg, 0, ErrorKind::Format));
        }
        let file = if markers.huffman {
            data
        } else {
            let (before, scan) = data.split_at(markers.scan);
            self.file.clear();
            for part in [before, &STANDARD_TABLES, scan] {
                self.file.extend_from_slice(part);
            }
            &self.file
        };
        // The library does not say where it failed.
        let fail = |kind| CodecError::new(Codec::Jpeg, markers.scan, kind);
        let row = width as usize * 4;
        let len = row * height as usize;
        let straight = rows == RowOrder::TopDown && dst.stride() == row && dst.format().bits() == 32;
        if straight {
            let pixels = dst.bytes_mut().get_mut(..len).unwrap_or_default();
            return decode_bgra(file, markers.gray, (width, height), pixels).map_err(fail);
        }
        self.pixels.resize(len, 0);
        decode_bgra(file, markers.gray, (width, height), &mut self.pixels).map_err(fail)?;
        for (y, from) in (0..).zip(self.pixels.chunks_exact(row)) {
            let format = dst.format();
            let to = match rows {
                RowOrder::TopDown => dst.row_mut(y),
                RowOrder::BottomUp => dst.row_mut(height - 1 - y),
            };
            match format {
                Rgb555 => convert::BgrxToRgb555::row(from, to),
                Rgb565 => convert::BgrxToRgb565::row(from, to),
                _ => convert::Bgrx::row(from, to),
            }
        }
        Ok(())
    }
}

/// Encoder with reusable memory: the pixels of the largest picture so far. The JPEG library allocates on its own.
#[derive(Debug, Default)]
pub struct Encoder {
    pixels: Vec<u8>,
}

impl Encoder {
    /// An encoder that has not reserved anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the JPEG file of a bitmap to `out`: baseline, all tables, colour at half the resolution.
    ///
    /// `quality` goes from 1 to 100; servers use 85.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ImageType`] for palette formats and 8-bit alpha, [`ErrorKind::Dimensions`] for sides of more
    /// than 65535 pixels.
    pub fn encode(&mut self, bitmap: &Bitmap<'_>, quality: u8, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let layout = bitmap.layout();
        let (width, height) = (layout.width, layout.height);
        let fail = |kind| CodecError::new(Codec::Jpeg, 0, kind);
        if !matches!(layout.format, Format::Bit16 | Format::Bit24 | Format::Bit32 | Format::Rgba) {
            return Err(fail(ErrorKind::ImageType(layout.format as u32)));
        }
        let too_large = fail(ErrorKind::Dimensions { width, height });
        let (Ok(file_width), Ok(file_height)) = (u16::try_from(width), u16::try_from(height)) else {
            return Err(too_large);
        };
        self.pixels.resize(width as usize * height as usize * 4, 0);
        let dst = PixelsMut::packed(&mut self.pixels, width, height, PixelFormat::Bgrx)?;
        bitmap.decode(&[], dst)?;
        let start = out.len();
        let mut encoder = jpeg_encoder::Encoder::new(&mut *out, quality.clamp(1, 100));
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        encoder.encode(&self.pixels, file_width, file_height, ColorType::Bgra).map_err(|_| {
            out.truncate(start);
            too_large
        })
    }
}

/// The seam to the JPEG library: decodes a complete file into packed pixels b, g, r, 255.
fn decode_bgra(file: &[u8], gray: bool, size: (u32, u32), pixels: &mut [u8]) -> Result<(), ErrorKind> {
    // Equal channels have no order; the library knows gray only as RGBA.
    let colours = if gray { ColorSpace::RGBA } else { ColorSpace::BGRA };
    let (width, height) = (size.0 as usize, size.1 as usize);
    // Strict: a damaged file is an error and no half-grey picture.
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(colours)
        .jpeg_set_max_scans(MAX_SCANS)
        .set_strict_mode(true)
        .set_max_width(width)
        .set_max_height(height);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    let result = decoder.decode_headers().and_then(|()| {
        if decoder.dimensions() != Some((width, height)) {
            return Err(DecodeErrors::FormatStatic("another frame header"));
        }
        // Whatever the library leaves out must not show what was there before.
        pixels.fill(0);
        decoder.decode_into(pixels)
    });
    result.map_err(|error| match error {
        DecodeErrors::ExhaustedData | DecodeErrors::FormatStatic("Premature end of buffer") => {
            ErrorKind::Truncated
        }
        _ => ErrorKind::Damaged,
    })
}

/// Most scans of a progressive file; each costs a pass over the whole picture. Common encoders make about ten.
const MAX_SCANS: usize = 64;

/// A DHT segment with the tables of the JPEG specification, annex K.3.
const STANDARD_TABLES: [u8; 420] = standard_tables();

const fn standard_tables() -> [u8; 420] {
    let mut segment = [0; 420];
    segment[0] = 0xff;
    segment[1] = 0xc4;
    // Length without the marker: 418.
    segment[2] = 1;
    segment[3] = 162;
    let mut at = 4;
    let mut table = 0;
    while table < TABLES.len() {
        let (class, counts, values) = TABLES[table];
        segment[at] = class;
        at += 1;
        let mut i = 0;
        while i < counts.len() {
            segment[at] = counts[i];
            at += 1;
            i += 1;
        }
        i = 0;
        while i < values.len() {
            segment[at] = values[i];
            at += 1;
            i += 1;
        }
        table += 1;
    }
    assert!(at == segment.len());
    segment
}

/// Class and number, codes per length, values.
const TABLES: [(u8, [u8; 16], &[u8]); 4] = [
    (0x00, [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], &DC_VALUES),
    (0x10, [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d], &AC_LUMA),
    (0x01, [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], &DC_VALUES),
    (0x11, [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77], &AC_CHROMA),
];

const DC_VALUES: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

#[rustfmt::skip]
const AC_LUMA: [u8; 162] = [
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71,
    0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72,
    0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x34, 0x35, 0x36, 0x37,
    0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59,
    0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83,
    0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3,
    0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3,
    0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2,
    0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
];

#[rustfmt::skip]
const AC_CHROMA: [u8; 162] = [
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13, 0x22,
    0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0, 0x15, 0x62, 0x72, 0xd1,
    0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x35, 0x36,
    0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58,
    0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a,
    0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a,
    0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba,
    0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda,
    0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
];
