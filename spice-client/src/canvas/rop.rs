//! Raster operations as functions over rows of bytes.
//!
//! They act on plain bits, so that one set of functions serves every pixel size.

/// Bits of a raster operation descriptor. Wire: `ropd`.
pub(super) mod ropd {
    pub(in crate::canvas) const INVERS_SRC: u16 = 0x001;
    pub(in crate::canvas) const INVERS_BRUSH: u16 = 0x002;
    pub(in crate::canvas) const INVERS_DEST: u16 = 0x004;
    pub(in crate::canvas) const OP_PUT: u16 = 0x008;
    pub(in crate::canvas) const OP_OR: u16 = 0x010;
    pub(in crate::canvas) const OP_AND: u16 = 0x020;
    pub(in crate::canvas) const OP_XOR: u16 = 0x040;
    pub(in crate::canvas) const OP_BLACKNESS: u16 = 0x080;
    pub(in crate::canvas) const OP_WHITENESS: u16 = 0x100;
    pub(in crate::canvas) const OP_INVERS: u16 = 0x200;
    pub(in crate::canvas) const INVERS_RES: u16 = 0x400;
}

/// One of the sixteen functions of a source bit and a destination bit.
///
/// Bit `s << 1 | d` of the table is the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rop(u8);

impl Rop {
    pub(super) const CLEAR: Self = Self(0b0000);
    pub(super) const COPY: Self = Self(0b1100);
    pub(super) const NOOP: Self = Self(0b1010);
    pub(super) const INVERT: Self = Self(0b0101);
    pub(super) const SET: Self = Self(0b1111);

    /// The function a descriptor stands for.
    ///
    /// `invert_s` and `invert_d` are the descriptor's bits that invert the operands of the command at hand; the
    /// other inversion bits have no meaning for it.
    pub(super) const fn from_descriptor(bits: u16, invert_s: u16, invert_d: u16) -> Self {
        const S: u8 = 0b1100;
        const D: u8 = 0b1010;
        let s = if bits & invert_s != 0 { !S } else { S };
        let d = if bits & invert_d != 0 { !D } else { D };
        let res = if bits & ropd::INVERS_RES != 0 { 0xff } else { 0 };
        let table = if bits & ropd::OP_PUT != 0 {
            s ^ res
        } else if bits & ropd::OP_OR != 0 {
            (s | d) ^ res
        } else if bits & ropd::OP_AND != 0 {
            (s & d) ^ res
        } else if bits & ropd::OP_XOR != 0 {
            (s ^ d) ^ res
        } else if bits & ropd::OP_BLACKNESS != 0 {
            0
        } else if bits & ropd::OP_WHITENESS != 0 {
            0xff
        } else if bits & ropd::OP_INVERS != 0 {
            !D
        } else {
            S
        };
        Self(table & 15)
    }

    /// Whether doing it twice with the same source is the same as doing it once.
    pub(super) const fn is_idempotent(self) -> bool {
        let mut s = 0;
        while s < 2 {
            let mut d = 0;
            while d < 2 {
                let once = self.0 >> (s << 1 | d) & 1;
                if self.0 >> (s << 1 | once) & 1 != once {
                    return false;
                }
                d += 1;
            }
            s += 1;
        }
        true
    }

    /// What comes of source pixel `s` whatever was there before, if that is so.
    pub(super) const fn constant(self, s: u32) -> Option<u32> {
        match self.0 {
            0b0000 => Some(0),
            0b0011 => Some(!s),
            0b1100 => Some(s),
            0b1111 => Some(u32::MAX),
            _ => None,
        }
    }

    /// `dst = f(src, dst)` for each byte of the shorter row.
    pub(super) fn apply(self, dst: &mut [u8], src: &[u8]) {
        match self.0 {
            0b0000 => dst.fill(0),
            0b0001 => each(dst, src, |s, d| !(s | d)),
            0b0010 => each(dst, src, |s, d| !s & d),
            0b0011 => each(dst, src, |s, _| !s),
            0b0100 => each(dst, src, |s, d| s & !d),
            0b0101 => invert(dst),
            0b0110 => each(dst, src, |s, d| s ^ d),
            0b0111 => each(dst, src, |s, d| !(s & d)),
            0b1000 => each(dst, src, |s, d| s & d),
            0b1001 => each(dst, src, |s, d| !(s ^ d)),
            0b1010 => {}
            0b1011 => each(dst, src, |s, d| !s | d),
            0b1100 => {
                let len = dst.len().min(src.len());
                dst[..len].copy_from_slice(&src[..len]);
            }
            0b1101 => each(dst, src, |s, d| s | !d),
            0b1110 => each(dst, src, |s, d| s | d),
            _ => dst.fill(0xff),
        }
    }

    /// `dst = f(pixel, dst)` for each pixel of `bytes` bytes.
    pub(super) fn fill(self, dst: &mut [u8], bytes: usize, pixel: u32) {
        match self.0 {
            0b0000 => dst.fill(0),
            0b0001 => each_solid(dst, bytes, pixel, |s, d| !(s | d)),
            0b0010 => each_solid(dst, bytes, pixel, |s, d| !s & d),
            0b0011 => each_solid(dst, bytes, !pixel, |s, _| s),
            0b0100 => each_solid(dst, bytes, pixel, |s, d| s & !d),
            0b0101 => invert(dst),
            0b0110 => each_solid(dst, bytes, pixel, |s, d| s ^ d),
            0b0111 => each_solid(dst, bytes, pixel, |s, d| !(s & d)),
            0b1000 => each_solid(dst, bytes, pixel, |s, d| s & d),
            0b1001 => each_solid(dst, bytes, pixel, |s, d| !(s ^ d)),
            0b1010 => {}
            0b1011 => each_solid(dst, bytes, pixel, |s, d| !s | d),
            0b1100 => each_solid(dst, bytes, pixel, |s, _| s),
            0b1101 => each_solid(dst, bytes, pixel, |s, d| s | !d),
            0b1110 => each_solid(dst, bytes, pixel, |s, d| s | d),
            _ => dst.fill(0xff),
        }
    }

    /// `f(s, d)` of one pixel as bits.
    pub(super) const fn pixel(self, s: u32, d: u32) -> u32 {
        let mut out = 0;
        if self.0 & 1 != 0 {
            out |= !s & !d;
        }
        if self.0 & 2 != 0 {
            out |= !s & d;
        }
        if self.0 & 4 != 0 {
            out |= s & !d;
        }
        if self.0 & 8 != 0 {
            out |= s & d;
        }
        out
    }
}

/// `dst = f(pattern, src, dst)` by a ternary code whose bit `p << 2 | s << 1 | d` is the result.
pub(super) fn apply3(code: u8, dst: &mut [u8], src: &[u8], pattern: &[u8]) {
    // One mask per minterm keeps the loop free of branches.
    let m: [u8; 8] = core::array::from_fn(|bit| if code >> bit & 1 != 0 { 0xff } else { 0 });
    for ((d, &s), &p) in dst.iter_mut().zip(src).zip(pattern) {
        let v = *d;
        let low = (!s & !v & m[0]) | (!s & v & m[1]) | (s & !v & m[2]) | (s & v & m[3]);
        let high = (!s & !v & m[4]) | (!s & v & m[5]) | (s & !v & m[6]) | (s & v & m[7]);
        *d = (!p & low) | (p & high);
    }
}

#[inline]
fn each(dst: &mut [u8], src: &[u8], f: impl Fn(u8, u8) -> u8) {
    for (d, &s) in dst.iter_mut().zip(src) {
        *d = f(s, *d);
    }
}

#[inline]
fn invert(dst: &mut [u8]) {
    for d in dst {
        *d = !*d;
    }
}

/// Combines a row with one pixel, four bytes at a time.
#[inline]
fn each_solid(dst: &mut [u8], bytes: usize, pixel: u32, f: impl Fn(u32, u32) -> u32) {
    let le = pixel.to_le_bytes();
    let four: [u8; 4] = core::array::from_fn(|i| le[i % bytes.clamp(1, 4)]);
    let solid = u32::from_le_bytes(four);
    let (whole, rest) = dst.as_chunks_mut::<4>();
    for d in whole {
        *d = f(solid, u32::from_le_bytes(*d)).to_le_bytes();
    }
    for (d, &s) in rest.iter_mut().zip(&four) {
        *d = f(s.into(), (*d).into()) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Rop; 16] = {
        let mut all = [Rop(0); 16];
        let mut i = 0;
        while i < 16 {
            all[i] = Rop(i as u8);
            i += 1;
        }
        all
    };

    fn by_bits(table: u8, s: u8, d: u8) -> u8 {
        (0..8).fold(0, |out, bit| {
            let index = (s >> bit & 1) << 1 | (d >> bit & 1);
            out | (table >> index & 1) << bit
        })
    }

    #[test]
    fn each_function_follows_its_table() {
        let src: Vec<u8> = (0..=255).flat_map(|_| 0..=255).collect();
        let dst: Vec<u8> = (0..=255).flat_map(|d| [d; 256]).collect();
        for rop in ALL {
            let mut out = dst.clone();
            rop.apply(&mut out, &src);
            for ((&o, &s), &d) in out.iter().zip(&src).zip(&dst) {
                assert_eq!(o, by_bits(rop.0, s, d), "{rop:?} of {s:#x}, {d:#x}");
                assert_eq!(rop.pixel(s.into(), d.into()) as u8, o);
            }
        }
    }

    #[test]
    fn filling_equals_copying_a_solid_row() {
        for rop in ALL {
            for bytes in [1, 2, 4] {
                for pixels in [0, 1, 7, 8, 9, 33, 100] {
                    let pixel = 0x8123_45e7_u32;
                    let src: Vec<u8> = pixel.to_le_bytes()[..bytes].repeat(pixels);
                    let old: Vec<u8> = (0..src.len()).map(|i| (i * 37) as u8).collect();
                    let (mut a, mut b) = (old.clone(), old);
                    rop.fill(&mut a, bytes, pixel);
                    rop.apply(&mut b, &src);
                    assert_eq!(a, b, "{rop:?} {bytes} {pixels}");
                }
            }
        }
    }

    #[test]
    fn all_256_ternary_codes_follow_their_formula() {
        let (p, s, d): (Vec<u8>, Vec<u8>, Vec<u8>) = (0..4096u32)
            .map(|i| ((i * 7919) as u8, ((i * 104_729) >> 3) as u8, ((i * 299_709) >> 7) as u8))
            .fold(Default::default(), |mut all: (Vec<u8>, Vec<u8>, Vec<u8>), (p, s, d)| {
                all.0.push(p);
                all.1.push(s);
                all.2.push(d);
                all
            });
        for code in 0..=255u8 {
            let mut out = d.clone();
            apply3(code, &mut out, &s, &p);
            for i in 0..out.len() {
                let expected = (0..8).fold(0u8, |v, bit| {
                    let index = (p[i] >> bit & 1) << 2 | (s[i] >> bit & 1) << 1 | (d[i] >> bit & 1);
                    v | (code >> index & 1) << bit
                });
                assert_eq!(out[i], expected, "{code:#04x}");
            }
        }
        // The names of the operands: pattern, source and destination alone.
        for (code, expected) in [(0xf0, &p), (0xcc, &s), (0xaa, &d)] {
            let mut out = d.clone();
            apply3(code, &mut out, &s, &p);
            assert_eq!(&out, expected);
        }
    }

    #[test]
    fn descriptors_reduce_to_one_function() {
        use ropd::*;
        let copy = |bits| Rop::from_descriptor(bits, INVERS_SRC, INVERS_DEST);
        assert_eq!(copy(OP_PUT), Rop::COPY);
        assert_eq!(copy(OP_PUT | INVERS_SRC), Rop(0b0011));
        assert_eq!(copy(OP_PUT | INVERS_RES | INVERS_SRC), Rop::COPY);
        assert_eq!(copy(OP_PUT | OP_OR | OP_INVERS), Rop::COPY, "the first operation wins");
        assert_eq!(copy(OP_OR | INVERS_DEST), Rop(0b1101));
        assert_eq!(copy(OP_AND | INVERS_RES), Rop(0b0111));
        assert_eq!(copy(OP_XOR), Rop(0b0110));
        assert_eq!(copy(OP_BLACKNESS | INVERS_RES), Rop::CLEAR);
        assert_eq!(copy(OP_WHITENESS | INVERS_RES), Rop::SET);
        assert_eq!(copy(OP_INVERS | INVERS_DEST), Rop::INVERT, "of the destination as it is");
        assert_eq!(copy(INVERS_SRC | INVERS_RES), Rop::COPY, "without operation nothing is inverted");
        assert_eq!(copy(INVERS_BRUSH | OP_PUT), Rop::COPY, "a bit of another command");
        let opaque = |bits| Rop::from_descriptor(bits, INVERS_BRUSH, INVERS_SRC);
        assert_eq!(opaque(OP_AND | INVERS_SRC), Rop(0b0100));
    }

    #[test]
    fn idempotent_functions_are_known() {
        let idempotent: Vec<u8> = ALL.iter().filter(|rop| rop.is_idempotent()).map(|rop| rop.0).collect();
        assert_eq!(idempotent, [0, 2, 3, 8, 10, 11, 12, 14, 15]);
    }
}
