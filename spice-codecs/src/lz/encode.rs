//! LZ streams from bitmaps.

use alloc::vec::Vec;

use crate::bitmap::{Bitmap, Format};
use crate::error::{Codec, CodecError, ErrorKind};
use crate::pixels::RowOrder;

use super::units::{Alpha, Bytes, Rgb16, Rgb24, Rgb32, Units};
use super::{ImageType, MAGIC, MAX_BYTES, VERSION};

/// Encoder with reusable memory: a hash table, and the rows of the largest padded picture so far.
#[derive(Debug, Default)]
pub struct Encoder {
    table: Vec<u32>,
    rows: Vec<u8>,
}

impl Encoder {
    /// An encoder that has not reserved anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the LZ stream of a bitmap to `out`.
    ///
    /// The type follows the format; rows keep their order. What a stream looks like is not determined: the format
    /// leaves the choice of matches to the encoder.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Dimensions`] for pictures that no decoder takes.
    pub fn encode(&mut self, bitmap: &Bitmap<'_>, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let image_type = match bitmap.layout().format {
            Format::Bit1Le => ImageType::Plt1Le,
            Format::Bit1Be => ImageType::Plt1Be,
            Format::Bit4Le => ImageType::Plt4Le,
            Format::Bit4Be => ImageType::Plt4Be,
            Format::Bit8 => ImageType::Plt8,
            Format::Bit16 => ImageType::Rgb16,
            Format::Bit24 => ImageType::Rgb24,
            Format::Bit32 => ImageType::Rgb32,
            Format::Rgba => ImageType::Rgba,
            Format::Bit8A => ImageType::A8,
        };
        self.encode_as(image_type, bitmap, out)
    }

    /// Appends the alpha of a bitmap with alpha, as JPEG_ALPHA images want it.
    pub(crate) fn encode_alpha(&mut self, bitmap: &Bitmap<'_>, out: &mut Vec<u8>) -> Result<(), CodecError> {
        self.encode_as(ImageType::Xxxa, bitmap, out)
    }

    fn encode_as(
        &mut self,
        image_type: ImageType,
        bitmap: &Bitmap<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        let layout = bitmap.layout();
        let (width, height) = (layout.width, layout.height);
        let stride = image_type.stride(width);
        if stride * u64::from(height) > MAX_BYTES {
            return Err(CodecError::new(Codec::Lz, 0, ErrorKind::Dimensions { width, height }));
        }
        let top_down = u32::from(layout.rows == RowOrder::TopDown);
        for word in [MAGIC, VERSION, image_type as u32, width, height, stride as u32, top_down] {
            out.extend_from_slice(&word.to_be_bytes());
        }
        let plane = bitmap.packed(&mut self.rows);
        let table = &mut self.table;
        match image_type {
            ImageType::Rgb16 => encode_plane::<Rgb16>(plane, table, out),
            ImageType::Rgb24 => encode_plane::<Rgb24>(plane, table, out),
            ImageType::Rgb32 => encode_plane::<Rgb32>(plane, table, out),
            ImageType::Rgba => {
                encode_plane::<Rgb32>(plane, table, out);
                encode_plane::<Alpha>(plane, table, out);
            }
            ImageType::Xxxa => encode_plane::<Alpha>(plane, table, out),
            _ => encode_plane::<Bytes>(plane, table, out),
        }
        Ok(())
    }
}

/// Binary logarithm of the entries of the hash table.
const HASH_BITS: u32 = 13;
/// Longest distance. The format could name three more.
const MAX_DISTANCE: usize = 73724;
/// First distance that needs two more bytes.
const FAR: usize = 8192;

#[inline(never)]
fn encode_plane<U: Units>(plane: &[u8], table: &mut Vec<u32>, out: &mut Vec<u8>) {
    let units = U::units(plane);
    // A zero is a candidate like any other: the first unit.
    table.clear();
    table.resize(1 << HASH_BITS, 0);
    let Ok(table) = <&mut [u32; 1 << HASH_BITS]>::try_from(&mut table[..]) else { return };
    let mut literals = 0;
    let mut at = 1;
    while let Some(&[before, a, b, c]) = units.get(at - 1..).and_then(|rest| rest.first_chunk()) {
        let (value, second, third) = (U::value(a), U::value(b), U::value(c));
        let (distance, len);
        if value == U::value(before) && value == second && value == third {
            distance = 1;
            len = run_len::<U>(&units[at - 1..]);
        } else {
            let slot = &mut table[(hash(value, second, third) >> (32 - HASH_BITS)) as usize];
            let candidate = *slot as usize;
            *slot = at as u32;
            distance = at - candidate;
            if distance > MAX_DISTANCE {
                at += 1;
                continue;
            }
            let Some(from) = units.get(candidate..candidate + (units.len() - at)) else { break };
            len = U::common(from, &units[at..]);
            let worth = if distance < FAR { U::MIN_NEAR } else { U::MIN_FAR };
            if len < worth {
                at += 1;
                continue;
            }
        }
        put_literals::<U>(&units[literals..at], out);
        put_match(len - U::BIAS, distance, out);
        at += len;
        literals = at;
        // The border of a match is a likely start of the next one.
        if let Some(&[a, b, c]) = units.get(at - 1..).and_then(|rest| rest.first_chunk()) {
            let slot = hash(U::value(a), U::value(b), U::value(c)) >> (32 - HASH_BITS);
            table[slot as usize] = (at - 1) as u32;
        }
    }
    put_literals::<U>(&units[literals..], out);
}

/// How many units after the first equal it.
#[inline(always)]
pub(crate) fn run_len<U: Units>(units: &[U::Unit]) -> usize {
    U::common(&units[..units.len() - 1], &units[1..])
}

/// Mixes three units; the upper bits are the good ones.
#[inline(always)]
pub(crate) fn hash(a: u32, b: u32, c: u32) -> u32 {
    a.wrapping_mul(0x9e37_79b1) ^ b.wrapping_mul(0x85eb_ca77) ^ c.wrapping_mul(0xc2b2_ae3d)
}

/// Appends literal tokens.
#[inline(always)]
pub(crate) fn put_literals<U: Units>(units: &[U::Unit], out: &mut Vec<u8>) {
    for run in units.chunks(32) {
        out.push(run.len() as u8 - 1);
        U::literals(run, out);
    }
}

/// Appends a match token; `len` is without the bias.
#[inline(always)]
fn put_match(len: usize, distance: usize, out: &mut Vec<u8>) {
    let far = distance.checked_sub(FAR);
    let near = if far.is_some() { FAR - 1 } else { distance - 1 };
    put_len(len, (near >> 8) as u8, out);
    out.push(near as u8);
    if let Some(far) = far {
        out.extend_from_slice(&(far as u16).to_be_bytes());
    }
}

/// Appends a control byte with a length and five other bits, and the extension of the length.
#[inline(always)]
pub(crate) fn put_len(len: usize, low: u8, out: &mut Vec<u8>) {
    let Some(mut more) = len.checked_sub(7) else {
        out.push((len as u8) << 5 | low);
        return;
    };
    out.push(7 << 5 | low);
    while more >= 255 {
        out.push(255);
        more -= 255;
    }
    out.push(more as u8);
}
