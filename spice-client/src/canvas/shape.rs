//! Pointer shapes of all kinds as premultiplied RGBA.

use spice_codecs::PixelFormat;
use spice_proto::msg::cursor::{CursorHeader, CursorType};

use crate::canvas::cursor::{CursorError, CursorPicture};
use crate::canvas::format::{mul, to_argb};

/// Turns a shape into pixels; `None` for one without any.
pub(super) fn decode(header: &CursorHeader, data: &[u8]) -> Result<Option<CursorPicture>, CursorError> {
    let &CursorHeader { kind, width, height, .. } = header;
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(CursorError::Size { width, height, bound: MAX_SIDE });
    }
    if width == 0 || height == 0 {
        return Ok(None);
    }
    let (w, h) = (usize::from(width), usize::from(height));
    let needed = length(kind, w, h)?;
    if data.len() < needed {
        return Err(CursorError::Length { len: data.len(), needed });
    }
    let pixels = match kind {
        CursorType::ALPHA => alpha(data, w * h),
        CursorType::MONO => mono(data, w, h),
        _ => colors(kind, data, w, h),
    };
    let inverts = pixels.iter().any(|p| p.inverts).then(|| pixels.iter().map(|p| p.inverts).collect());
    Ok(Some(CursorPicture {
        width: width.into(),
        height: height.into(),
        hot_spot: (header.hot_x.min(width).into(), header.hot_y.min(height).into()),
        rgba: pixels.iter().flat_map(|p| p.premultiplied()).collect(),
        inverts,
    }))
}

/// A pixel with straight alpha, 0xAARRGGBB.
#[derive(Clone, Copy, Debug, Default)]
struct Pixel {
    argb: u32,
    inverts: bool,
}

const BLACK: Pixel = Pixel { argb: 0xff00_0000, inverts: false };
const WHITE: Pixel = Pixel { argb: 0xffff_ffff, inverts: false };

impl Pixel {
    fn premultiplied(&self) -> [u8; 4] {
        let [b, g, r, a] = self.argb.to_le_bytes().map(u32::from);
        [mul(r, a), mul(g, a), mul(b, a), a].map(|v| v as u8)
    }
}

/// Bytes that a shape takes at least.
fn length(kind: CursorType, w: usize, h: usize) -> Result<usize, CursorError> {
    let mask = (w * h).div_ceil(8);
    Ok(match kind {
        CursorType::ALPHA => 4 * w * h,
        CursorType::MONO => 2 * w.div_ceil(8) * h,
        CursorType::COLOR4 => w.div_ceil(2) * h + 64 + mask,
        CursorType::COLOR8 => w * h + 1024 + mask,
        CursorType::COLOR16 => 2 * w * h + mask,
        CursorType::COLOR24 => 3 * w * h + mask,
        CursorType::COLOR32 => 4 * w * h + mask,
        CursorType(other) => return Err(CursorError::Kind(other)),
    })
}

/// Pixels with alpha. Guests send them premultiplied or straight, and do not say which: a colour above its alpha
/// can only be straight.
fn alpha(data: &[u8], pixels: usize) -> Vec<Pixel> {
    let (data, _) = data.as_chunks::<4>();
    let data = &data[..pixels.min(data.len())];
    let straight = data.iter().any(|&[b, g, r, a]| b.max(g).max(r) > a);
    let straighten = |v: u8, a: u8| {
        // The exact inverse of premultiplying where there is one.
        if straight || a == 0 {
            v
        } else {
            ((u32::from(v) * 255 + u32::from(a) / 2) / u32::from(a)).min(255) as u8
        }
    };
    data.iter()
        .map(|&[b, g, r, a]| {
            let [b, g, r] = [b, g, r].map(|v| straighten(v, a));
            Pixel { argb: u32::from_le_bytes([b, g, r, a]), inverts: false }
        })
        .collect()
}

/// Two planes of bits: what is kept of the ground, and what is inverted of it.
fn mono(data: &[u8], w: usize, h: usize) -> Vec<Pixel> {
    let stride = w.div_ceil(8);
    let (and, xor) = data.split_at(stride * h);
    let bit = |plane: &[u8], x: usize, y: usize| plane[y * stride + x / 8] & 0x80 >> (x % 8) != 0;
    // A shape of nothing but inverting pixels gets an outline, or it would be lost on white.
    let outlined = and.iter().all(|byte| *byte == 0xff);
    let touches = |x: usize, y: usize| {
        let inner = x > 0 && y > 0 && x + 1 < w && y + 1 < h;
        inner && (y - 1..=y + 1).any(|ny| (x - 1..=x + 1).any(|nx| bit(xor, nx, ny)))
    };
    let pixel = |x: usize, y: usize| match (bit(and, x, y), bit(xor, x, y)) {
        (false, false) => BLACK,
        (false, true) => WHITE,
        (true, true) => Pixel { inverts: true, ..WHITE },
        (true, false) if outlined && touches(x, y) => BLACK,
        (true, false) => Pixel::default(),
    };
    (0..h).flat_map(|y| (0..w).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect()
}

/// Colours, and a mask of bits for the pixels that let the ground through.
fn colors(kind: CursorType, data: &[u8], w: usize, h: usize) -> Vec<Pixel> {
    let pixels = w * h;
    let (body, palette) = match kind {
        CursorType::COLOR4 => (w.div_ceil(2) * h, 64),
        CursorType::COLOR8 => (pixels, 1024),
        CursorType::COLOR16 => (2 * pixels, 0),
        CursorType::COLOR24 => (3 * pixels, 0),
        _ => (4 * pixels, 0),
    };
    let (body, rest) = data.split_at(body);
    let (palette, mask) = rest.split_at(palette);
    let (palette, _) = palette.as_chunks::<4>();
    let entry = |index: u8| palette.get(usize::from(index)).map_or(0, |e| u32::from_le_bytes(*e));
    // Rows of the mask follow each other without a gap, unless there are bytes enough for whole rows.
    let padded = mask.len() >= w.div_ceil(8) * h;
    let masked = |i: usize| {
        let at = if padded { i / w * w.div_ceil(8) * 8 + i % w } else { i };
        mask[at / 8] & 0x80 >> (at % 8) != 0
    };
    (0..pixels)
        .map(|i| {
            let (color, white) = match kind {
                CursorType::COLOR4 => (entry(body[i / 2] >> (4 - i % 2 * 4) & 15), 0x00ff_ffff),
                CursorType::COLOR8 => (entry(body[i]), 0x00ff_ffff),
                CursorType::COLOR16 => {
                    let px = u32::from(u16::from_le_bytes([body[2 * i], body[2 * i + 1]]));
                    // White is compared before widening: all fifteen bits, the sixteenth clear.
                    let argb = to_argb(PixelFormat::Rgb555, px) & 0x00ff_ffff;
                    (argb | (px >> 15) << 31, 0x00ff_ffff)
                }
                CursorType::COLOR24 => {
                    (u32::from_le_bytes([body[3 * i], body[3 * i + 1], body[3 * i + 2], 0]), 0x00ff_ffff)
                }
                _ => {
                    let px = [body[4 * i], body[4 * i + 1], body[4 * i + 2], body[4 * i + 3]];
                    (u32::from_le_bytes(px), 0x00ff_ffff)
                }
            };
            match (masked(i), color == white) {
                (false, _) => Pixel { argb: color | 0xff00_0000, inverts: false },
                (true, true) => Pixel { argb: checkered(i % w, i / w), inverts: true },
                // Only 32-bit shapes have something there, normally 0.
                (true, false) if kind == CursorType::COLOR32 => Pixel { argb: color, inverts: false },
                (true, false) => Pixel::default(),
            }
        })
        .collect()
}

/// What stands for an inverting pixel of a coloured shape: two translucent greys in turn.
fn checkered(x: usize, y: usize) -> u32 {
    if (x ^ y) & 1 == 1 { 0xc030_3030 } else { 0x3050_5050 }
}

/// Longest side of a shape. Typical ones have 32 to 64 pixels, 256 at most.
const MAX_SIDE: u16 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(kind: CursorType, width: u16, height: u16, data: &[u8]) -> CursorPicture {
        let header = CursorHeader { kind, width, height, ..CursorHeader::default() };
        decode(&header, data).expect("decodes").expect("a shape")
    }

    fn pixels(picture: &CursorPicture) -> Vec<u32> {
        picture.rgba().as_chunks::<4>().0.iter().map(|px| u32::from_be_bytes(*px)).collect()
    }

    #[test]
    fn alpha_is_premultiplied_whatever_was_sent() {
        let sent = [0x10, 0x20, 0x30, 0x40, 0, 0, 0, 0, 1, 2, 3, 255];
        assert_eq!(pixels(&shape(CursorType::ALPHA, 3, 1, &sent)), [0x3020_1040, 0, 0x0302_01ff]);
        let straight = [0xff, 0x80, 0, 0x80];
        assert_eq!(pixels(&shape(CursorType::ALPHA, 1, 1, &straight)), [0x0040_8080]);
    }

    #[test]
    fn mono_shapes_have_four_kinds_of_pixels() {
        let picture = shape(CursorType::MONO, 4, 1, &[0b0011_0000, 0b0101_0000]);
        assert_eq!(pixels(&picture), [0xff, 0xffff_ffff, 0, 0xffff_ffff]);
        assert_eq!(picture.inverts(), Some(&[false, false, false, true][..]));
        // Nothing but inverting pixels: outlined, but not on the border of the picture.
        let beam = shape(CursorType::MONO, 5, 3, &[0xff, 0xff, 0xff, 0, 0b0010_0000, 0]);
        let (w, b) = (0xffff_ffff, 0xff);
        assert_eq!(pixels(&beam), [0, 0, 0, 0, 0, 0, b, w, b, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn coloured_shapes() {
        // Colour, transparent black, inverting white.
        let mut four = vec![0x12, 0x30];
        let mut palette = [[0; 4]; 16];
        (palette[1], palette[3]) = ([1, 2, 3, 0], [0xff, 0xff, 0xff, 0]);
        four.extend(palette.as_flattened());
        let mask = 0b0110_0000;
        four.push(mask);
        let mut eight = vec![1, 2, 3];
        let mut palette = [[0; 4]; 256];
        (palette[1], palette[3]) = ([1, 2, 3, 0], [0xff, 0xff, 0xff, 0]);
        eight.extend(palette.as_flattened());
        eight.push(mask);
        let twentyfour = [1, 2, 3, 0, 0, 0, 255, 255, 255, mask];
        let thirtytwo = [1, 2, 3, 9, 0, 0, 0, 0, 255, 255, 255, 0, mask];
        for (kind, data) in [
            (CursorType::COLOR4, &four[..]),
            (CursorType::COLOR8, &eight),
            (CursorType::COLOR24, &twentyfour),
            (CursorType::COLOR32, &thirtytwo),
        ] {
            let picture = shape(kind, 3, 1, data);
            assert_eq!(pixels(&picture)[..2], [0x0302_01ff, 0], "{kind:?}");
            assert_eq!(picture.inverts(), Some(&[false, false, true][..]), "{kind:?}");
            assert_eq!(pixels(&picture)[2], 0x0f0f_0f30, "{kind:?}");
        }
        let sixteen = [0x1f, 0, 0, 0, 0xff, 0x7f, 0xff, 0xff, 0b0111_0000];
        let picture = shape(CursorType::COLOR16, 4, 1, &sixteen);
        assert_eq!(pixels(&picture), [0x0000_ffff, 0, 0x0f0f_0f30, 0]);
    }

    #[test]
    fn masks_have_padded_rows_if_there_are_bytes_for_them() {
        let colors = [7; 4 * 4];
        let of = |mask: &[u8]| {
            let data: Vec<u8> = colors.iter().chain(mask).copied().collect();
            pixels(&shape(CursorType::COLOR32, 2, 2, &data)).iter().map(|p| *p & 255).collect::<Vec<_>>()
        };
        assert_eq!(of(&[0b0110_0000]), [255, 7, 7, 255]);
        assert_eq!(of(&[0b0100_0000, 0b1000_0000]), [255, 7, 7, 255]);
    }

    #[test]
    fn limits_and_lengths_are_checked() {
        for (kind, needed) in [(0, 36), (1, 6), (2, 72), (3, 1035), (4, 20), (5, 29), (6, 38)] {
            let header =
                CursorHeader { kind: CursorType(kind), width: 3, height: 3, ..CursorHeader::default() };
            let data = vec![0xff; needed];
            assert!(decode(&header, &data).is_ok());
            let error = CursorError::Length { len: needed - 1, needed };
            assert_eq!(decode(&header, &data[1..]), Err(error));
        }
        let header = CursorHeader { kind: CursorType(9), width: 3, height: 3, ..CursorHeader::default() };
        assert_eq!(decode(&header, &[]), Err(CursorError::Kind(9)));
        for (width, height) in [(1025, 1), (1, 1025)] {
            let header = CursorHeader { width, height, ..header };
            assert_eq!(decode(&header, &[]), Err(CursorError::Size { width, height, bound: 1024 }));
        }
        assert_eq!(decode(&CursorHeader { width: 0, ..header }, &[]), Ok(None));
    }
}
