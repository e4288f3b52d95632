//! How two premultiplied pixels combine: Porter-Duff and blend modes in whole numbers.

use spice_proto::msg::display::CompositeOp;

use crate::canvas::format::mul;

/// An operator that exists, in the numbers of X Render.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operator(u8);

impl Operator {
    /// The number, if the operator is one of those that only weigh source and destination.
    pub(super) const fn porter_duff(self) -> Option<u8> {
        if self.0 <= 12 { Some(self.0) } else { None }
    }

    /// The number, if the operator works on fractions.
    pub(super) const fn wide(self) -> Option<u8> {
        match self.0 {
            13 | 0x13..=0x1b | 0x23..=0x2b | 0x35 | 0x36 | 0x38 | 0x3b.. => Some(self.0),
            _ => None,
        }
    }

    /// The operator that comes to the same where the source has no alpha, but for rounding.
    pub(super) const fn with_opaque_source(self) -> Self {
        if self.0 == 13 { Self(4) } else { self }
    }

    /// The operator of a wire number.
    pub(super) const fn from_wire(op: CompositeOp) -> Option<Self> {
        match op.0 {
            // Disjoint and conjoint forms of CLEAR, SRC and DST are the plain ones.
            0x10..=0x12 | 0x20..=0x22 => Some(Self(op.0 & 3)),
            0..=13 | 0x13..=0x1b | 0x23..=0x2b | 0x30..=0x3e => Some(Self(op.0)),
            _ => None,
        }
    }
}

/// Combines a source through a mask with a destination.
///
/// Without `component` the mask's alpha counts for all channels, otherwise each channel has its own. Operators on
/// fractions are [`wide`](crate::canvas::wide)'s.
pub(super) fn combine(op: Operator, source: u32, mask: u32, component: bool, dst: u32) -> u32 {
    let (b, source_alpha) = (dst >> 24, source >> 24);
    let mut out = 0;
    for shift in [0, 8, 16, 24] {
        let m = if component { mask >> shift & 255 } else { mask >> 24 };
        let s = mul(source >> shift & 255, m);
        let a = mul(source_alpha, m);
        let d = dst >> shift & 255;
        let value = match op.0 {
            0x30 => (mul(d, s) + (mul(s, 255 - b) + mul(d, 255 - a)).min(255)).min(255),
            0x31..=0x3a => blended(op.0, (s, a), (d, b), shift == 24),
            _ => porter_duff(op.0, s, a, d, b),
        };
        out |= value << shift;
    }
    out
}

fn porter_duff(op: u8, s: u32, a: u32, d: u32, b: u32) -> u32 {
    let (fs, fd) = match op {
        0 => (0, 0),
        1 => (255, 0),
        2 => (0, 255),
        3 => (255, 255 - a),
        4 => (255 - b, 255),
        5 => (b, 0),
        6 => (0, a),
        7 => (255 - b, 0),
        8 => (0, 255 - a),
        9 => (b, 255 - a),
        10 => (255 - b, a),
        11 => (255 - b, 255 - a),
        _ => (255, 255),
    };
    (mul(s, fs) + mul(d, fd)).min(255)
}

/// The blend modes in whole numbers.
fn blended(op: u8, (s, a): (u32, u32), (d, b): (u32, u32), is_alpha: bool) -> u32 {
    let [s, a, d, b] = [s, a, d, b].map(|v| v as i32);
    let value = if is_alpha {
        b * 255 + a * 255 - a * b
    } else {
        let mixed = match op {
            0x31 => s * b + d * a - s * d,
            0x32 if 2 * d < b => 2 * s * d,
            0x37 if 2 * s < a => 2 * s * d,
            0x32 | 0x37 => a * b - 2 * (b - d) * (a - s),
            0x33 => (b * s).min(a * d),
            0x34 => (b * s).max(a * d),
            0x39 => (d * a - s * b).abs(),
            _ => s * b + d * a - 2 * s * d,
        };
        (255 - a) * d + (255 - b) * s + mixed
    };
    // A negative sum counts as a very large one.
    let value = (value as u32).min(65025) + 128;
    (value + (value >> 8)) >> 8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(number: u8) -> Operator {
        Operator::from_wire(CompositeOp(number)).expect("exists")
    }

    #[test]
    fn porter_duff_on_opaque_and_transparent_pixels() {
        let (opaque, half, clear) = (0xff10_2030, 0x8010_2030, 0);
        let d = 0xff80_9070;
        for (number, s, expected) in [
            (0, opaque, 0),
            (1, half, half),
            (2, half, d),
            (3, opaque, opaque),
            (3, clear, d),
            (4, opaque, d),
            (5, half, half),
            (6, half, 0x8040_4838),
            (7, half, 0),
            (8, opaque, 0),
            (9, opaque, opaque),
            (10, opaque, d),
            (11, opaque, 0),
            (12, opaque, 0xff90_b0a0),
        ] {
            assert_eq!(combine(op(number), s, u32::MAX, false, d), expected, "operator {number}");
        }
    }

    #[test]
    fn masks_scale_the_source() {
        let (s, d) = (0xffff_ffff, 0xff00_0000);
        assert_eq!(combine(op(3), s, 0x8000_0000, false, d), 0xff80_8080);
        assert_eq!(combine(op(3), s, 0xff00_80ff, true, d), 0xff00_80ff);
        assert_eq!(combine(op(1), s, 0x4000_0000, false, d), 0x4040_4040);
    }

    #[test]
    fn every_operator_stays_in_range() {
        let whole = |n: &u8| Operator::from_wire(CompositeOp(*n)).is_some_and(|op| op.wide().is_none());
        for number in (0..=255).filter(whole) {
            for s in [0, 0xffff_ffff, 0x0012_80ff, 0x8080_8080, 0x7f01_ff00] {
                for d in [0, 0xffff_ffff, 0x00ff_0180, 0x4040_4040] {
                    for mask in [0, u32::MAX, 0x80ff_0040] {
                        let _ = combine(op(number), s, mask, true, d);
                        let _ = combine(op(number), s, mask, false, d);
                    }
                }
            }
        }
        assert_eq!(combine(op(0x31), 0xff80_8080, u32::MAX, false, 0xff80_8080), 0xffc0_c0c0);
    }
}
