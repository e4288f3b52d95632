//! The operators that divide or take roots, on fractions: saturation, disjoint and conjoint ones, colour dodge and
//! burn, soft light, hue, saturation, colour and luminosity.
//!
//! The numbers follow pixman 0.42, with which servers draw: 32-bit floats, the same order of operations, results cut
//! to 8 bits rather than rounded. Nothing is rounded in between: neither filtered pixels nor those under a mask.

use spice_codecs::PixelFormat;

/// Alpha, red, green and blue, from 0 to 1, colours premultiplied.
pub(super) type Fractions = [f32; 4];

/// A pixel's channels as fractions of their largest value.
pub(super) fn from_pixel(format: PixelFormat, px: u32) -> Fractions {
    let part = |shift: u32, bits: u32| {
        let most = (1_u32 << bits) - 1;
        (px >> shift & most) as f32 * (1.0 / most as f32)
    };
    match format {
        PixelFormat::Rgb555 => [1.0, part(10, 5), part(5, 5), part(0, 5)],
        PixelFormat::Rgb565 => [1.0, part(11, 5), part(5, 6), part(0, 5)],
        PixelFormat::Bgrx => [1.0, part(16, 8), part(8, 8), part(0, 8)],
        PixelFormat::Bgra => [part(24, 8), part(16, 8), part(8, 8), part(0, 8)],
        _ => [part(0, 8), 0.0, 0.0, 0.0],
    }
}

/// The ARGB value: each channel in 256 steps, of which the last is cut off.
pub(super) fn to_argb(value: Fractions) -> u32 {
    value.into_iter().fold(0, |argb, channel| {
        let scaled = (channel.clamp(0.0, 1.0) * 256.0) as u32;
        (argb << 8) | (scaled - (scaled >> 8))
    })
}

/// Weighs four pixels; `x` and `y` are the position between them in 65536ths.
pub(super) fn blend([tl, tr, bl, br]: [Fractions; 4], x: u32, y: u32) -> Fractions {
    let (x, y) = (x as f32 / 65536.0, y as f32 / 65536.0);
    let (right_low, right_high, left_low, left_high) =
        (x * y, x * (1.0 - y), (1.0 - x) * y, (1.0 - x) * (1.0 - y));
    core::array::from_fn(|c| tl[c] * left_high + tr[c] * right_high + bl[c] * left_low + br[c] * right_low)
}

/// Combines a source through a mask with a destination.
///
/// Without `component` the mask's alpha counts for all channels, otherwise each channel has its own.
pub(super) fn combine(
    op: u8,
    source: Fractions,
    mask: Option<Fractions>,
    component: bool,
    d: Fractions,
) -> Fractions {
    if op >= HUE {
        return hsl(op, source, mask, component, d);
    }
    let [sa, ..] = source;
    let (s, alphas) = match mask {
        None => (source, [sa; 4]),
        Some(m) if component => {
            let alphas = m.map(|m| m * sa);
            ([alphas[0], source[1] * m[1], source[2] * m[2], source[3] * m[3]], alphas)
        }
        Some([m, ..]) => (source.map(|s| s * m), [sa * m; 4]),
    };
    core::array::from_fn(|c| match op {
        DODGE..=SOFT_LIGHT if c == 0 => d[0] + alphas[0] - d[0] * alphas[0],
        DODGE..=SOFT_LIGHT => {
            let (a, s, b, d) = (alphas[c], s[c], d[0], d[c]);
            (1.0 - a) * d + (1.0 - b) * s + separable(op, a, s, b, d)
        }
        _ => {
            let (fs, fd) = factors(op, alphas[c], d[0]);
            (s[c] * fs + d[c] * fd).min(1.0)
        }
    })
}

/// Numbers of operators.
const DODGE: u8 = 0x35;
const BURN: u8 = 0x36;
const SOFT_LIGHT: u8 = 0x38;
const HUE: u8 = 0x3b;
const SATURATION: u8 = 0x3c;
const COLOR: u8 = 0x3d;

/// Whether a number is as good as 0.
fn is_zero(v: f32) -> bool {
    v.abs() < f32::MIN_POSITIVE
}

/// What source and destination are multiplied by, from their alphas.
fn factors(op: u8, a: f32, b: f32) -> (f32, f32) {
    // A factor whose divisor is 0 has a value of its own.
    let ratio = |n: f32, z: f32| if is_zero(z) { 1.0 } else { (n / z).clamp(0.0, 1.0) };
    let rest = |n: f32, z: f32| if is_zero(z) { 0.0 } else { (1.0 - n / z).clamp(0.0, 1.0) };
    match op {
        13 | 0x14 => (ratio(1.0 - b, a), 1.0),
        0x13 => (1.0, ratio(1.0 - a, b)),
        0x15 => (rest(1.0 - b, a), 0.0),
        0x16 => (0.0, rest(1.0 - a, b)),
        0x17 => (ratio(1.0 - b, a), 0.0),
        0x18 => (0.0, ratio(1.0 - a, b)),
        0x19 => (rest(1.0 - b, a), ratio(1.0 - a, b)),
        0x1a => (ratio(1.0 - b, a), rest(1.0 - a, b)),
        0x1b => (ratio(1.0 - b, a), ratio(1.0 - a, b)),
        0x23 => (1.0, rest(a, b)),
        0x24 => (rest(b, a), 1.0),
        0x25 => (ratio(b, a), 0.0),
        0x26 => (0.0, ratio(a, b)),
        0x27 => (rest(b, a), 0.0),
        0x28 => (0.0, rest(a, b)),
        0x29 => (ratio(b, a), rest(a, b)),
        0x2a => (rest(b, a), ratio(a, b)),
        _ => (rest(b, a), rest(a, b)),
    }
}

/// The blend functions that treat each colour on its own: of source alpha and colour, destination alpha and colour.
fn separable(op: u8, a: f32, s: f32, b: f32, d: f32) -> f32 {
    match op {
        DODGE if is_zero(d) => 0.0,
        DODGE if d * a >= a * b - s * b || is_zero(a - s) => a * b,
        DODGE => a * a * d / (a - s),
        BURN if d >= b => a * b,
        BURN if a * (b - d) >= s * b || is_zero(s) => 0.0,
        BURN => a * (b - a * (b - d) / s),
        _ if is_zero(b) => d * a,
        _ if 2.0 * s <= a => d * a - d * (b - d) * (a - 2.0 * s) / b,
        _ if 4.0 * d <= b => d * a + (2.0 * s - a) * d * ((16.0 * d / b - 12.0) * d / b + 3.0),
        _ => d * a + ((d * b).sqrt() - d) * (2.0 * s - a),
    }
}

/// Red, green and blue.
type Rgb = [f32; 3];

/// The operators that exchange hue, saturation or luminosity. With a mask for each channel they do nothing.
fn hsl(op: u8, source: Fractions, mask: Option<Fractions>, component: bool, dest: Fractions) -> Fractions {
    let [mut a, mut r, mut g, blue] = source;
    if let Some([m, ..]) = mask {
        if component {
            return dest;
        }
        // Green goes through the mask twice and blue not at all, as on the server.
        (a, r, g) = (a * m, r * m, g * m);
        g *= m;
    }
    let s: Rgb = [r, g, blue];
    let [b, d @ ..] = dest;
    let mixed = match op {
        HUE => {
            with_luminosity(with_saturation(s.map(|v| v * b), saturation(d) * a), a * b, luminosity(d) * a)
        }
        SATURATION => {
            with_luminosity(with_saturation(d.map(|v| v * a), saturation(s) * b), a * b, luminosity(d) * a)
        }
        COLOR => with_luminosity(s.map(|v| v * b), a * b, luminosity(d) * a),
        _ => with_luminosity(d.map(|v| v * a), a * b, luminosity(s) * b),
    };
    let color = |c: usize| (1.0 - a) * d[c] + (1.0 - b) * s[c] + mixed[c];
    [a + b - a * b, color(0), color(1), color(2)]
}

fn luminosity([r, g, b]: Rgb) -> f32 {
    r * 0.3 + g * 0.59 + b * 0.11
}

fn least([r, g, b]: Rgb) -> f32 {
    r.min(g).min(b)
}

fn most([r, g, b]: Rgb) -> f32 {
    r.max(g).max(b)
}

fn saturation(color: Rgb) -> f32 {
    most(color) - least(color)
}

/// Moves a colour to a luminosity, and towards grey as far as it leaves the range from 0 to `alpha`.
fn with_luminosity(color: Rgb, alpha: f32, target: f32) -> Rgb {
    let shift = target - luminosity(color);
    let mut color = color.map(|v| v + shift);
    let (grey, low, high) = (luminosity(color), least(color), most(color));
    if low < 0.0 {
        let reach = grey - low;
        color = if is_zero(reach) { [0.0; 3] } else { color.map(|v| grey + (v - grey) * grey / reach) };
    }
    if high > alpha {
        let reach = high - grey;
        color = if is_zero(reach) {
            [alpha; 3]
        } else {
            color.map(|v| grey + (v - grey) * (alpha - grey) / reach)
        };
    }
    color
}

/// Stretches a colour to a saturation, its smallest channel becoming 0.
fn with_saturation(color: Rgb, target: f32) -> Rgb {
    let mut order = [0, 1, 2];
    order.sort_by(|x, y| color[*x].total_cmp(&color[*y]));
    let [min, mid, max] = order;
    let range = color[max] - color[min];
    let mut out = [0.0; 3];
    if !is_zero(range) {
        out[mid] = (color[mid] - color[min]) * target / range;
        out[max] = target;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Operators of this kind.
    fn all() -> impl Iterator<Item = u8> {
        [13].into_iter().chain(0x10..=0x1b).chain(0x20..=0x2b).chain([0x35, 0x36, 0x38]).chain(0x3b..=0x3e)
    }

    #[test]
    fn pixels_survive_the_way_there_and_back() {
        for v in 0..=255 {
            let px = v << 24 | (255 - v) << 16 | v << 8 | v ^ 0x55;
            assert_eq!(to_argb(from_pixel(PixelFormat::Bgra, px)), px);
        }
        assert_eq!(to_argb(from_pixel(PixelFormat::Rgb555, 0x7fff)), 0xffff_ffff);
        assert_eq!(to_argb(from_pixel(PixelFormat::A8, 0x80)), 0x8000_0000);
    }

    #[test]
    fn results_are_numbers() {
        let values = [0, u32::MAX, 0x0012_80ff, 0x8080_8080, 0x7f01_ff00, 0x00ff_0180];
        let pixel = |v: u32| from_pixel(PixelFormat::Bgra, v);
        for op in all() {
            for (s, d) in values.iter().flat_map(|s| values.map(|d| (*s, d))) {
                for mask in [None, Some(pixel(0)), Some(pixel(u32::MAX)), Some(pixel(0x80ff_0040))] {
                    for component in [false, true] {
                        let out = combine(op, pixel(s), mask, component, pixel(d));
                        assert!(out.iter().all(|v| v.is_finite()), "{op:#x} {s:x} {d:x} {mask:?}: {out:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn blend_modes_of_opaque_colours() {
        let pixel = |v: u32| from_pixel(PixelFormat::Bgra, v);
        let of = |op, s, d| to_argb(combine(op, pixel(s), None, false, pixel(d)));
        let (white, black, grey) = (0xffff_ffff, 0xff00_0000, 0xff80_8080);
        assert_eq!(of(DODGE, white, grey), white);
        assert_eq!(of(DODGE, black, grey), grey);
        assert_eq!(of(BURN, white, grey), grey);
        assert_eq!(of(BURN, black, grey), black);
        // A grey has no hue: what takes the source's hue, saturation or colour becomes grey.
        for op in [HUE, SATURATION, COLOR] {
            let [_, r, g, b] = of(op, grey, 0xff40_c020).to_be_bytes();
            assert!(r.abs_diff(g) <= 1 && g.abs_diff(b) <= 1, "{op:#x}: {r} {g} {b}");
        }
        assert_eq!(of(0x3e, white, 0xff40_c020), white);
    }
}
