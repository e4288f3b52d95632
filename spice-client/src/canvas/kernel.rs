//! Porter-Duff operators over rows of 32-bit pixels.
//!
//! Rows are worked off in strips: each pixel's alpha is written out beside its four bytes, so that what remains are
//! plain loops over bytes, which compilers turn into vector code.

/// Bytes of a strip, a multiple of a pixel's.
const STRIP: usize = 512;

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

/// Multiplies all channels by a number up to 255.
pub(super) fn scale(row: &mut [u8], by: u8) {
    for v in row {
        *v = mul((*v).into(), by.into()) as u8;
    }
}

/// Multiplies all channels of each pixel by the alpha of the same pixel in another row.
pub(super) fn scale_by_alpha(row: &mut [u8], alphas: &[u8]) {
    let mut strip = [0; STRIP];
    for (row, alphas) in row.chunks_mut(STRIP).zip(alphas.chunks(STRIP)) {
        spread_alpha(alphas, &mut strip);
        for (v, &alpha) in row.iter_mut().zip(&strip) {
            *v = mul((*v).into(), alpha.into()) as u8;
        }
    }
}

fn row<const OP: u8>(dst: &mut [u8], src: &[u8], opaque: bool) {
    let (mut a, mut b) = ([0; STRIP], [0; STRIP]);
    for (d, s) in dst.chunks_mut(STRIP).zip(src.chunks(STRIP)) {
        if USES_SOURCE_ALPHA.contains(&OP) {
            spread_alpha(s, &mut a);
        }
        if USES_DESTINATION_ALPHA.contains(&OP) {
            if opaque {
                each_pixel(d, |px| px | 0xff00_0000);
            }
            spread_alpha(d, &mut b);
        }
        for (((d, &s), &a), &b) in d.iter_mut().zip(s).zip(&a).zip(&b) {
            *d = channel::<OP>(s.into(), (*d).into(), a.into(), b.into());
        }
        if opaque {
            each_pixel(d, |px| px & 0x00ff_ffff);
        }
    }
}

/// Operators that weigh the destination by the source's alpha.
const USES_SOURCE_ALPHA: [u8; 6] = [3, 6, 8, 9, 10, 11];
/// Operators that weigh the source by the destination's alpha.
const USES_DESTINATION_ALPHA: [u8; 6] = [4, 5, 7, 9, 10, 11];

#[inline(always)]
fn channel<const OP: u8>(s: u16, d: u16, a: u16, b: u16) -> u8 {
    // Both terms fit a byte, and vector units add bytes with saturation.
    let (source, destination) = match OP {
        0 => (0, 0),
        1 => (s, 0),
        2 => (0, d),
        3 => (s, mul(d, 255 - a)),
        4 => (mul(s, 255 - b), d),
        5 => (mul(s, b), 0),
        6 => (0, mul(d, a)),
        7 => (mul(s, 255 - b), 0),
        8 => (0, mul(d, 255 - a)),
        9 => (mul(s, b), mul(d, 255 - a)),
        10 => (mul(s, 255 - b), mul(d, a)),
        11 => (mul(s, 255 - b), mul(d, 255 - a)),
        _ => (s, d),
    };
    (source as u8).saturating_add(destination as u8)
}

/// Writes each pixel's alpha into all four of its bytes.
#[inline(always)]
fn spread_alpha(row: &[u8], out: &mut [u8; STRIP]) {
    for (out, px) in out.as_chunks_mut::<4>().0.iter_mut().zip(row.as_chunks::<4>().0) {
        let v = u32::from_le_bytes(*px) >> 24;
        let v = v | v << 8;
        *out = (v | v << 16).to_le_bytes();
    }
}

#[inline(always)]
fn each_pixel(row: &mut [u8], f: impl Fn(u32) -> u32) {
    for px in row.as_chunks_mut::<4>().0 {
        *px = f(u32::from_le_bytes(*px)).to_le_bytes();
    }
}

/// `round(a * b / 255)` for values up to 255.
#[inline(always)]
const fn mul(a: u16, b: u16) -> u16 {
    let t = a * b + 128;
    (t + (t >> 8)) >> 8
}

#[cfg(test)]
mod tests {
    use spice_proto::msg::display::CompositeOp;

    use super::*;
    use crate::canvas::operators::{Operator, combine};

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
