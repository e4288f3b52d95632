//! Pixel formats as numbers: widening, narrowing, and the conversion of pictures to a surface's format.
//!
//! Inside the canvas a pixel of any format is a `u32`. One-bit pictures and surfaces take a byte per pixel, 0 or
//! 255, so that every bitwise operation on bytes is the operation on their bits.

use spice_codecs::PixelFormat;

/// Bytes that one pixel takes in the canvas.
#[inline]
pub(super) const fn bytes_per_pixel(format: PixelFormat) -> usize {
    match format {
        PixelFormat::Rgb555 | PixelFormat::Rgb565 => 2,
        PixelFormat::Bgrx | PixelFormat::Bgra => 4,
        _ => 1,
    }
}

/// The pixel at column `x` of a row; 0 behind its end.
#[inline]
pub(super) fn get(row: &[u8], bytes: usize, x: usize) -> u32 {
    let Some(px) = row.get(x * bytes..(x + 1) * bytes) else { return 0 };
    match *px {
        [a] => u32::from(a),
        [a, b] => u32::from(u16::from_le_bytes([a, b])),
        [a, b, c, d] => u32::from_le_bytes([a, b, c, d]),
        _ => 0,
    }
}

/// Writes the pixel at column `x` of a row; a column behind its end is ignored.
#[inline]
pub(super) fn put(row: &mut [u8], bytes: usize, x: usize, value: u32) {
    if let Some(px) = row.get_mut(x * bytes..(x + 1) * bytes) {
        px.copy_from_slice(&value.to_le_bytes()[..bytes]);
    }
}

/// The premultiplied ARGB value of a pixel; formats without alpha are opaque.
#[inline]
pub(super) fn to_argb(format: PixelFormat, px: u32) -> u32 {
    match format {
        PixelFormat::Rgb555 => 0xff00_0000 | widen5(px >> 10) << 16 | widen5(px >> 5) << 8 | widen5(px),
        PixelFormat::Rgb565 => 0xff00_0000 | widen5(px >> 11) << 16 | widen6(px >> 5) << 8 | widen5(px),
        PixelFormat::Bgrx => 0xff00_0000 | px,
        PixelFormat::Bgra => px,
        _ => px << 24,
    }
}

/// The pixel that stands for a premultiplied ARGB value; channels are cut, not rounded. Only `Bgra` keeps the
/// top byte; `Bgrx` keeps it too, which the callers that must not overwrite.
#[inline]
pub(super) fn from_argb(format: PixelFormat, v: u32) -> u32 {
    match format {
        PixelFormat::Rgb555 => (v >> 9) & 0x7c00 | (v >> 6) & 0x3e0 | (v >> 3) & 0x1f,
        PixelFormat::Rgb565 => (v >> 8) & 0xf800 | (v >> 5) & 0x7e0 | (v >> 3) & 0x1f,
        PixelFormat::Bgrx | PixelFormat::Bgra => v,
        PixelFormat::A1 => {
            if v >> 31 != 0 {
                0xff
            } else {
                0
            }
        }
        _ => v >> 24,
    }
}

/// The format in which a picture of format `from` is drawn to a surface of format `to` by raw operations.
///
/// 32-bit pictures go to 32-bit surfaces as they are, alpha or not.
pub(super) fn localised(from: PixelFormat, to: PixelFormat) -> PixelFormat {
    use PixelFormat::{A1, A8, Bgra, Bgrx};
    match (from, to) {
        (Bgrx | Bgra, Bgrx | Bgra) => from,
        (A1 | A8, Bgra) => Bgra,
        (_, Bgrx | Bgra) => Bgrx,
        _ => to,
    }
}

/// The raw pixel of a surface of format `to` for a picture's pixel.
#[inline]
pub(super) fn localise(from: PixelFormat, to: PixelFormat, px: u32) -> u32 {
    use PixelFormat::{Bgra, Bgrx};
    match (from, to) {
        _ if from == to => px,
        (Bgrx | Bgra, Bgrx | Bgra) => px,
        (_, Bgrx) => 0xff00_0000 | to_argb(from, px),
        _ => from_argb(to, to_argb(from, px)),
    }
}

/// Whether [`localise`] changes nothing.
pub(super) fn is_same_layout(from: PixelFormat, to: PixelFormat) -> bool {
    from == to || (bytes_per_pixel(from), bytes_per_pixel(to)) == (4, 4)
}

/// Converts a row of pixels for raw operations; `dst` decides how many.
pub(super) fn localise_row(from: PixelFormat, to: PixelFormat, src: &[u8], dst: &mut [u8]) {
    let (have, want) = (bytes_per_pixel(from), bytes_per_pixel(to));
    if is_same_layout(from, to) {
        let len = src.len().min(dst.len());
        dst[..len].copy_from_slice(&src[..len]);
        return;
    }
    for (x, px) in dst.chunks_exact_mut(want).enumerate() {
        px.copy_from_slice(&localise(from, to, get(src, have, x)).to_le_bytes()[..want]);
    }
}

/// `round(a * b / 255)` for values up to 255.
#[inline]
pub(super) const fn mul(a: u32, b: u32) -> u32 {
    let t = a * b + 128;
    (t + (t >> 8)) >> 8
}

/// [`mul`] on all four channels of a pixel.
#[inline]
pub(super) const fn mul_pixel(px: u32, by: u32) -> u32 {
    // Two channels at a time, each in 16 bits: 255 * 255 + 128 + 254 still fits.
    let even = (px & 0x00ff_00ff) * by + 0x0080_0080;
    let odd = ((px >> 8) & 0x00ff_00ff) * by + 0x0080_0080;
    let even = (even + ((even >> 8) & 0x00ff_00ff)) >> 8 & 0x00ff_00ff;
    let odd = (odd + ((odd >> 8) & 0x00ff_00ff)) & 0xff00_ff00;
    even | odd
}

/// Adds all four channels, each up to 255.
#[inline]
pub(super) const fn add_saturating(a: u32, b: u32) -> u32 {
    let even = (a & 0x00ff_00ff) + (b & 0x00ff_00ff);
    let odd = ((a >> 8) & 0x00ff_00ff) + ((b >> 8) & 0x00ff_00ff);
    let even = (even | (0x0100_0100 - ((even >> 8) & 0x0001_0001))) & 0x00ff_00ff;
    let odd = (odd | (0x0100_0100 - ((odd >> 8) & 0x0001_0001))) & 0x00ff_00ff;
    even | odd << 8
}

/// Premultiplied source over destination.
#[inline]
pub(super) const fn over(s: u32, d: u32) -> u32 {
    add_saturating(s, mul_pixel(d, 255 - (s >> 24)))
}

#[inline]
const fn widen5(v: u32) -> u32 {
    let v = v & 31;
    v << 3 | v >> 2
}

#[inline]
const fn widen6(v: u32) -> u32 {
    let v = v & 63;
    v << 2 | v >> 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_bytes_are_rounded() {
        for a in 0..=255 {
            for b in 0..=255 {
                let exact = (f64::from(a * b) / 255.0).round() as u32;
                assert_eq!(mul(a, b), exact, "{a} * {b}");
                let px = a << 24 | b << 16 | a << 8 | b;
                let each = [24, 16, 8, 0].map(|s| mul(px >> s & 255, b));
                assert_eq!(mul_pixel(px, b), u32::from_be_bytes(each.map(|c| c as u8)));
            }
        }
    }

    #[test]
    fn sums_of_channels_saturate_on_their_own() {
        assert_eq!(add_saturating(0xff80_0102, 0x0180_ff01), 0xffff_ff03);
        assert_eq!(add_saturating(0x0102_0304, 0x1020_3040), 0x1122_3344);
    }

    #[test]
    fn sixteen_bit_pixels_survive_the_way_there_and_back() {
        for format in [PixelFormat::Rgb555, PixelFormat::Rgb565] {
            for px in 0..=0xffff {
                let kept = if format == PixelFormat::Rgb555 { px & 0x7fff } else { px };
                assert_eq!(from_argb(format, to_argb(format, px)), kept);
            }
        }
        assert_eq!(to_argb(PixelFormat::Rgb555, 0x7fff), 0xffff_ffff);
        assert_eq!(localise(PixelFormat::Bgra, PixelFormat::A8, 0x4012_3456), 0x40);
        assert_eq!(localise(PixelFormat::Bgrx, PixelFormat::A8, 0x0012_3456), 0xff);
        assert_eq!(localise(PixelFormat::Bgrx, PixelFormat::Bgra, 0x0012_3456), 0x0012_3456);
    }
}
