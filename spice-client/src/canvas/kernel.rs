//! Porter-Duff operators over rows of 32-bit pixels.
//!
//! Rows are worked off in vectors of four pixels. Their products are made in lanes of 16 bits, of which each holds two
//! channels, so that nothing has to be widened.

use wide::{u8x16, u16x8, u32x4};

/// Combines a row of premultiplied pixels with a row of the destination by operator `op`, 0 to 12 of X Render.
///
/// An `opaque` destination has no alpha: it counts as 255, and the byte becomes 0.
pub(super) fn porter_duff(op: u8, dst: &mut [u8], src: &[u8], opaque: bool) {
    match op {
        0 => row::<0>(dst, src, opaque),
        1 => row::<1>(dst, src, opaque),
        2 => row::<2>(dst, src, opaque),
        3 => row::<3>(dst, src, opaque),
        4 => row::<4>(dst, src, opaque),
        5 => row::<5>(dst, src, opaque),
        6 => row::<6>(dst, src, opaque),
        7 => row::<7>(dst, src, opaque),
        8 => row::<8>(dst, src, opaque),
        9 => row::<9>(dst, src, opaque),
        10 => row::<10>(dst, src, opaque),
        11 => row::<11>(dst, src, opaque),
        _ => row::<12>(dst, src, opaque),
    }
}

/// Lays a row of premultiplied pixels over a row of the destination, all source channels multiplied by `alpha`.
///
/// The alpha of an `opaque` destination becomes 0.
pub(super) fn over_scaled(dst: &mut [u8], src: &[u8], alpha: u8, opaque: bool) {
    let alpha = u16x8::splat(alpha.into());
    let keep = if opaque { COLORS } else { EVERYTHING };
    // Source and destination stay in lanes, one channel in each, until they have been added.
    each(dst, src, |d, s| {
        let s = halves(s).map(|half| product(half, alpha));
        let rest = FULL - spread_alpha_half(s);
        let [d_low, d_high] = halves(d).map(|half| product(half, rest));
        joined([added(s[0], d_low), added(s[1], d_high)]) & keep
    });
}

/// Multiplies all channels of each pixel by the alpha of the same pixel in another row.
pub(super) fn scale_by_alpha(row: &mut [u8], alphas: &[u8]) {
    each(row, alphas, |v, a| times(v, spread_alpha(a)));
}

fn row<const OP: u8>(dst: &mut [u8], src: &[u8], opaque: bool) {
    // One loop for both kinds of destination: what browsers download has two of each otherwise.
    let (force, keep) = if opaque { (!COLORS, COLORS) } else { (NOTHING, EVERYTHING) };
    each(dst, src, |d, s| combined::<OP>(d | force, s) & keep);
}

/// Puts `f` of destination and source in the destination's place, four pixels at a time.
#[inline]
fn each(dst: &mut [u8], src: &[u8], f: impl Fn(u8x16, u8x16) -> u8x16) {
    let len = dst.len().min(src.len());
    let (dst, dst_rest) = dst[..len].as_chunks_mut::<16>();
    let (src, src_rest) = src[..len].as_chunks::<16>();
    each_whole(dst, src, &f);
    let rest = dst_rest.len();
    if rest != 0 {
        let (mut d, mut s) = ([[0; 16]], [[0; 16]]);
        d[0][..rest].copy_from_slice(dst_rest);
        s[0][..rest].copy_from_slice(src_rest);
        each_whole(&mut d, &s, &f);
        dst_rest.copy_from_slice(&d[0][..rest]);
    }
}

/// The loop itself: out of line, so that it is compiled once, and `f` becomes a part of it.
#[inline(never)]
fn each_whole(dst: &mut [[u8; 16]], src: &[[u8; 16]], f: &impl Fn(u8x16, u8x16) -> u8x16) {
    for (d, s) in dst.iter_mut().zip(src) {
        *d = f(u8x16::new(*d), u8x16::new(*s)).to_array();
    }
}

#[inline(always)]
fn combined<const OP: u8>(d: u8x16, s: u8x16) -> u8x16 {
    let (a, b) = (|| spread_alpha(s), || spread_alpha(d));
    let not = |alphas: u16x8| FULL - alphas;
    // Both terms fit a byte, and vector units add bytes with saturation.
    match OP {
        0 => u8x16::splat(0),
        1 => s,
        2 => d,
        3 => s.saturating_add(times(d, not(a()))),
        4 => times(s, not(b())).saturating_add(d),
        5 => times(s, b()),
        6 => times(d, a()),
        7 => times(s, not(b())),
        8 => times(d, not(a())),
        9 => times(s, b()).saturating_add(times(d, not(a()))),
        10 => times(s, not(b())).saturating_add(times(d, a())),
        11 => times(s, not(b())).saturating_add(times(d, not(a()))),
        _ => s.saturating_add(d),
    }
}

/// Each pixel's alpha, in the lanes of both of its pairs of channels.
#[inline(always)]
fn spread_alpha(pixels: u8x16) -> u16x8 {
    let pixels = u32x4::from_ne_bytes(pixels.to_array());
    let alpha = if cfg!(target_endian = "little") {
        pixels.unbounded_shr_scalar(24)
    } else {
        pixels & u32x4::splat(255)
    };
    let both: u32x4 = alpha | alpha.unbounded_shl_scalar(16);
    u16x8::from_ne_bytes(both.to_ne_bytes())
}

/// Both channels of each lane times its factor, which is up to 255.
#[inline(always)]
fn times(pixels: u8x16, factors: u16x8) -> u8x16 {
    joined(halves(pixels).map(|half| product(half, factors)))
}

/// The lower and the upper channel of each lane, in lanes of their own.
#[inline(always)]
fn halves(pixels: u8x16) -> [u16x8; 2] {
    let lanes = u16x8::from_ne_bytes(pixels.to_array());
    [lanes & FULL, lanes.unbounded_shr_scalar(8)]
}

/// Four pixels from their [`halves`].
#[inline(always)]
fn joined([low, high]: [u16x8; 2]) -> u8x16 {
    u8x16::new((low | high.unbounded_shl_scalar(8)).to_ne_bytes())
}

/// The alpha of pixels in [`halves`], in the lanes of both of its pairs of channels.
#[inline(always)]
fn spread_alpha_half([low, high]: [u16x8; 2]) -> u16x8 {
    // It stands in every other lane of one half.
    let [_, a, _, b, _, c, _, d] = if cfg!(target_endian = "little") { high } else { low }.to_array();
    u16x8::new([a, a, b, b, c, c, d, d])
}

/// The sum of channels in lanes of their own, 255 if it is more.
#[inline(always)]
fn added(a: u16x8, b: u16x8) -> u16x8 {
    let [a, b] = [a, b].map(|lanes| u8x16::new(lanes.to_ne_bytes()));
    u16x8::from_ne_bytes(a.saturating_add(b).to_array())
}

/// `round(a * b / 255)` for values up to 255.
#[inline(always)]
fn product(a: u16x8, b: u16x8) -> u16x8 {
    let t = a * b + u16x8::splat(128);
    // The upper half of 257 t is (t + t / 256) / 256.
    t.mul_keep_high(u16x8::splat(257))
}

/// The largest value of a channel in each lane.
const FULL: u16x8 = u16x8::splat(255);
/// The bytes of four pixels that are not alpha.
const COLORS: u8x16 = u8x16::new([255, 255, 255, 0, 255, 255, 255, 0, 255, 255, 255, 0, 255, 255, 255, 0]);
const NOTHING: u8x16 = u8x16::splat(0);
const EVERYTHING: u8x16 = u8x16::splat(255);

#[cfg(test)]
mod tests {
    use spice_proto::msg::display::CompositeOp;

    use super::*;
    use crate::canvas::format::{mul_pixel, over};
    use crate::canvas::operators::{Operator, combine};

    #[test]
    fn scaled_rows_equal_single_pixels() {
        let mut seed = 7u32;
        let mut byte = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        for alpha in 0..=255 {
            for (pixels, opaque) in [(7, false), (8, true), (33, false), (2, true)] {
                let src: Vec<[u8; 4]> = (0..pixels).map(|_| [byte(), byte(), byte(), byte()]).collect();
                let old: Vec<[u8; 4]> = (0..pixels).map(|_| [byte(), byte(), byte(), byte()]).collect();
                let mut dst = old.clone();
                over_scaled(dst.as_flattened_mut(), src.as_flattened(), alpha, opaque);
                for ((new, s), d) in dst.iter().zip(&src).zip(&old) {
                    let s = mul_pixel(u32::from_le_bytes(*s), alpha.into());
                    let keep = if opaque { 0x00ff_ffff } else { u32::MAX };
                    let expected = over(s, u32::from_le_bytes(*d)) & keep;
                    assert_eq!(u32::from_le_bytes(*new), expected, "{s:x} over {d:?} at {alpha}");
                }
            }
        }
    }

    #[test]
    fn rows_equal_single_pixels() {
        let mut seed = 1u32;
        let mut byte = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            [0, 255, (seed >> 24) as u8, (seed >> 16) as u8][(seed >> 13) as usize % 4]
        };
        for op in 0..=12 {
            let operator = Operator::from_wire(CompositeOp(op)).expect("exists");
            for pixels in [0, 1, 3, 4, 5, 64, 67] {
                for opaque in [false, true] {
                    let src: Vec<u8> = (0..pixels * 4).map(|_| byte()).collect();
                    let old: Vec<u8> = (0..pixels * 4).map(|_| byte()).collect();
                    let mut dst = old.clone();
                    porter_duff(op, &mut dst, &src, opaque);
                    let px = |row: &[u8], i: usize| {
                        u32::from_le_bytes([row[i], row[i + 1], row[i + 2], row[i + 3]])
                    };
                    for i in (0..pixels * 4).step_by(4) {
                        let (force, keep) = if opaque { (0xff00_0000, 0x00ff_ffff) } else { (0, u32::MAX) };
                        let d = px(&old, i) | force;
                        let expected = combine(operator, px(&src, i), u32::MAX, false, d) & keep;
                        assert_eq!(px(&dst, i), expected, "operator {op}");
                    }
                }
            }
        }
    }
}
