//! Random commands against a plain model: one formula per pixel, one bit at a time.

use spice_codecs::PixelFormat;

use super::*;
use crate::canvas::format;

const SIDE: i32 = 24;

/// A picture as raw pixels of the destination's size; `None` outside.
struct Plane {
    width: i32,
    pixels: Vec<u32>,
}

impl Plane {
    fn at(&self, x: i64, y: i64) -> Option<u32> {
        let (w, h) = (i64::from(self.width), self.pixels.len() as i64 / i64::from(self.width));
        ((0..w).contains(&x) && (0..h).contains(&y)).then(|| self.pixels[(y * w + x) as usize])
    }

    fn tiled(&self, x: i64, y: i64) -> u32 {
        let (w, h) = (i64::from(self.width), self.pixels.len() as i64 / i64::from(self.width));
        self.at(x.rem_euclid(w), y.rem_euclid(h)).expect("inside")
    }
}

/// What a descriptor does with two bits.
fn descriptor(bits: u16, s: bool, d: bool, invert_s: u16, invert_d: u16) -> bool {
    let (si, di) = (s ^ (bits & invert_s != 0), d ^ (bits & invert_d != 0));
    let res = bits & 0x400 != 0;
    match () {
        _ if bits & 0x08 != 0 => si ^ res,
        _ if bits & 0x10 != 0 => (si | di) ^ res,
        _ if bits & 0x20 != 0 => (si & di) ^ res,
        _ if bits & 0x40 != 0 => (si ^ di) ^ res,
        _ if bits & 0x80 != 0 => false,
        _ if bits & 0x100 != 0 => true,
        _ if bits & 0x200 != 0 => !d,
        _ => s,
    }
}

fn by_bit(bits: u32, f: impl Fn(u32) -> bool) -> u32 {
    (0..bits).fold(0, |v, bit| v | u32::from(f(bit)) << bit)
}

struct World {
    numbers: Numbers,
    canvas: Canvas,
    model: Plane,
    format: PixelFormat,
    /// Bits of a pixel.
    depth: u32,
}

impl World {
    fn new(wire: SurfaceFormat, seed: u64) -> Self {
        let canvas = canvas(SIDE as u32, SIDE as u32, wire);
        let format = canvas.primary().unwrap().format();
        let model = Plane { width: SIDE, pixels: vec![0; (SIDE * SIDE) as usize] };
        Self { numbers: Numbers(seed), canvas, model, format, depth: wire.depth() }
    }

    /// A picture and what it is on this surface.
    fn picture(&mut self) -> (Image, Plane) {
        let n = &mut self.numbers;
        let (w, h) = (n.between(1, 30), n.between(1, 30));
        let formats = [
            BitmapFormat::BIT32,
            BitmapFormat::RGBA,
            BitmapFormat::BIT24,
            BitmapFormat::BIT16,
            BitmapFormat::BIT8_A,
        ];
        let format = formats[n.below(5) as usize];
        let (bytes, native) = match format {
            BitmapFormat::BIT16 => (2, PixelFormat::Rgb555),
            BitmapFormat::BIT24 => (3, PixelFormat::Bgrx),
            BitmapFormat::RGBA => (4, PixelFormat::Bgra),
            BitmapFormat::BIT8_A => (1, PixelFormat::A8),
            _ => (4, PixelFormat::Bgrx),
        };
        let stride = w * bytes + n.between(0, 5);
        let data: Vec<u8> = (0..stride * h).map(|_| n.next() as u8).collect();
        let top_down = n.chance(50);
        let mut pixels = Vec::new();
        for y in 0..h {
            let row = if top_down { y } else { h - 1 - y } * stride;
            for x in 0..w {
                let px = &data[(row + x * bytes) as usize..][..bytes as usize];
                let px = px.iter().rev().fold(0, |v, b| v << 8 | u32::from(*b));
                pixels.push(format::localise(native, self.format, px));
            }
        }
        let flags = if top_down { BitmapFlags::TOP_DOWN } else { BitmapFlags::empty() };
        (bitmap(format, w as u32, stride as u32, flags, data), Plane { width: w, pixels })
    }

    fn brush(&mut self) -> (Brush, Box<dyn Fn(i32, i32) -> u32>) {
        match self.numbers.below(3) {
            0 => (Brush::None, Box::new(|_, _| 0)),
            1 => {
                let color = self.numbers.color();
                let raw = if self.format == PixelFormat::A1 { (color & 1) * 255 } else { color };
                (Brush::Solid(color), Box::new(move |_, _| raw))
            }
            _ => {
                let (image, plane) = self.picture();
                let pos = Point { x: self.numbers.between(-50, 50), y: self.numbers.between(-50, 50) };
                let at = move |x: i32, y: i32| plane.tiled(i64::from(x - pos.x), i64::from(y - pos.y));
                (Brush::Pattern(Pattern { image: Ptr(image), pos }), Box::new(at))
            }
        }
    }

    /// A mask and whether it lets a pixel of the box through.
    fn mask(&mut self) -> (QMask, Box<dyn Fn(i32, i32) -> bool>) {
        let n = &mut self.numbers;
        if n.chance(50) {
            return (QMask { flags: MaskFlags::INVERS, ..QMask::default() }, Box::new(|_, _| true));
        }
        let (w, h) = (n.between(1, 40), n.between(1, 40));
        let stride = (w + 7) / 8 + n.between(0, 3);
        let data: Vec<u8> = (0..stride * h).map(|_| n.next() as u8).collect();
        let (big, top_down, inverted) = (n.chance(50), n.chance(50), n.chance(50));
        let pos = Point { x: n.between(-4, 8), y: n.between(-4, 8) };
        let flags = if top_down { BitmapFlags::TOP_DOWN } else { BitmapFlags::empty() };
        let format = if big { BitmapFormat::BIT1_BE } else { BitmapFormat::BIT1_LE };
        let image = bitmap(format, w as u32, stride as u32, flags, data.clone());
        let through = move |i: i32, j: i32| {
            let (x, y) = (i + pos.x, j + pos.y);
            if !(0..w).contains(&x) || !(0..h).contains(&y) {
                return false;
            }
            let row = if top_down { y } else { h - 1 - y };
            let byte = data[(row * stride + x / 8) as usize];
            let bit = if big { byte >> (7 - x % 8) } else { byte >> (x % 8) } & 1;
            (bit == 1) != inverted
        };
        (masked(image, pos, inverted), Box::new(through))
    }

    fn base(&mut self) -> DisplayBase {
        let n = &mut self.numbers;
        let area = n.rect(SIDE + 4);
        if n.chance(50) {
            return on(0, area);
        }
        let rects: Vec<Rect> = (0..n.below(6)).map(|_| n.rect(SIDE)).collect();
        clipped(0, area, &rects)
    }

    /// Draws with the canvas and with a formula for each pixel `(x, y, old) -> new`, and compares.
    fn check(
        &mut self,
        base: &DisplayBase,
        message: ServerMessage,
        f: impl Fn(i32, i32, u32) -> Option<u32>,
    ) {
        let covers =
            |r: &Rect, x: i32, y: i32| (r.left..r.right).contains(&x) && (r.top..r.bottom).contains(&y);
        let ones = if self.depth == 1 { 255 } else { by_bit(self.depth, |_| true) };
        for y in 0..SIDE {
            for x in 0..SIDE {
                let inside = covers(&base.area, x, y)
                    && match &base.clip {
                        Clip::None => true,
                        Clip::Rects(rects) => rects.iter().any(|r| covers(&r, x, y)),
                    };
                let px = &mut self.model.pixels[(y * SIDE + x) as usize];
                if inside && let Some(new) = f(x, y, *px) {
                    *px = new & ones;
                }
            }
        }
        self.canvas.drain_damage().for_each(drop);
        let before = pixels(&self.canvas, 0);
        done(&mut self.canvas, message.clone());
        let after = pixels(&self.canvas, 0);
        assert_eq!(undrawn(&mut self.canvas), None, "{message:?}");
        let damage: Vec<Rect> = self.canvas.drain_damage().collect();
        for (at, (now, expected)) in (0..).zip(after.iter().zip(&self.model.pixels)) {
            let (x, y) = (at % SIDE, at / SIDE);
            assert_eq!(now, expected, "at {x}, {y}: {:#x} instead of {:#x} after {message:?}", now, expected);
            let changed = before[at as usize] != *now;
            assert!(!changed || damage.iter().any(|r| covers(r, x, y)), "damage of {message:?}");
        }
    }
}

const FORMATS: [SurfaceFormat; 6] = [
    SurfaceFormat::XRGB,
    SurfaceFormat::ARGB,
    SurfaceFormat::X555,
    SurfaceFormat::R565,
    SurfaceFormat::A8,
    SurfaceFormat::A1,
];

fn for_all_formats(rounds: u32, mut f: impl FnMut(&mut World)) {
    for (seed, format) in (1..).zip(FORMATS) {
        let mut world = World::new(format, seed);
        for _ in 0..rounds {
            f(&mut world);
        }
    }
}

#[test]
fn fills() {
    for_all_formats(150, |w| {
        let (base, (brush, p), (mask, m)) = (w.base(), w.brush(), w.mask());
        let rop = w.numbers.next() as u16 & 0x7ff;
        let (left, top, depth) = (base.area.left, base.area.top, w.depth.max(8));
        let message = ServerMessage::DrawFill(DrawFill {
            base: base.clone(),
            brush,
            rop: RopDescriptor::from_bits_retain(rop),
            mask,
        });
        w.check(&base, message, |x, y, d| {
            let s = p(x, y);
            m(x - left, y - top)
                .then(|| by_bit(depth, |b| descriptor(rop, s >> b & 1 != 0, d >> b & 1 != 0, 2, 4)))
        });
    });
}

#[test]
fn constants() {
    for_all_formats(60, |w| {
        let (base, (mask, m)) = (w.base(), w.mask());
        let (left, top) = (base.area.left, base.area.top);
        let (black, white, invers) = (base.clone(), base.clone(), base.clone());
        let (kind, message) = match w.numbers.below(3) {
            0 => (0, ServerMessage::DrawBlackness(DrawBlackness { base: black, mask })),
            1 => (1, ServerMessage::DrawWhiteness(DrawWhiteness { base: white, mask })),
            _ => (2, ServerMessage::DrawInvers(DrawInvers { base: invers, mask })),
        };
        w.check(&base, message, |x, y, d| m(x - left, y - top).then(|| [0, !0, !d][kind]));
    });
}

#[test]
fn copies() {
    for_all_formats(200, |w| {
        let (base, (image, s), (mask, m)) = (w.base(), w.picture(), w.mask());
        let rop = w.numbers.next() as u16 & 0x7ff;
        let (sx, sy) = (w.numbers.between(-6, 12), w.numbers.between(-6, 12));
        let (left, top, depth) = (base.area.left, base.area.top, w.depth.max(8));
        if base.area.is_empty() {
            return;
        }
        let src_area = Rect::at(sx, sy, base.area.width() as i32, base.area.height() as i32);
        let rop_bits = RopDescriptor::from_bits_retain(rop);
        let message = ServerMessage::DrawBlend(DrawBlend {
            base: base.clone(),
            src_bitmap: Some(Ptr(image)),
            src_area,
            rop: rop_bits,
            scale_mode: ScaleMode::INTERPOLATE,
            mask,
        });
        w.check(&base, message, |x, y, d| {
            let s = s.at(i64::from(x - left + sx), i64::from(y - top + sy))?;
            m(x - left, y - top)
                .then(|| by_bit(depth, |b| descriptor(rop, s >> b & 1 != 0, d >> b & 1 != 0, 1, 4)))
        });
    });
}

#[test]
fn opaques() {
    for_all_formats(120, |w| {
        let (base, (image, s), (brush, p), (mask, m)) = (w.base(), w.picture(), w.brush(), w.mask());
        let rop = w.numbers.next() as u16 & 0x7ff;
        let (sx, sy) = (w.numbers.between(-2, 5), w.numbers.between(-2, 5));
        let (left, top, depth) = (base.area.left, base.area.top, w.depth.max(8));
        if base.area.is_empty() {
            return;
        }
        let message = ServerMessage::DrawOpaque(DrawOpaque {
            base: base.clone(),
            src_bitmap: Some(Ptr(image)),
            src_area: Rect::at(sx, sy, base.area.width() as i32, base.area.height() as i32),
            brush,
            rop: RopDescriptor::from_bits_retain(rop),
            scale_mode: ScaleMode::NEAREST,
            mask,
        });
        w.check(&base, message, |x, y, old| {
            if !m(x - left, y - top) {
                return None;
            }
            let d = s.at(i64::from(x - left + sx), i64::from(y - top + sy)).unwrap_or(old);
            let s = p(x, y);
            Some(by_bit(depth, |b| descriptor(rop, s >> b & 1 != 0, d >> b & 1 != 0, 2, 1)))
        });
    });
}

#[test]
fn ternary_operations() {
    for_all_formats(120, |w| {
        let (mut base, (image, s), (brush, p), (mask, m)) = (w.base(), w.picture(), w.brush(), w.mask());
        let code = w.numbers.next() as u8;
        let (width, height) = (w.numbers.between(0, image.width as i32) + 1, image.height as i32);
        (base.area.right, base.area.bottom) = (base.area.left + width, base.area.top + height);
        let sx = w.numbers.between(0, image.width as i32 - width + 1);
        let (left, top, depth) = (base.area.left, base.area.top, w.depth.max(8));
        let message = ServerMessage::DrawRop3(DrawRop3 {
            base: base.clone(),
            src_bitmap: Some(Ptr(image)),
            src_area: Rect::at(sx, 0, width, height),
            brush,
            rop3: code,
            scale_mode: ScaleMode::NEAREST,
            mask,
        });
        w.check(&base, message, |x, y, d| {
            let s = s.at(i64::from(x - left + sx), i64::from(y - top))?;
            let p = p(x, y);
            m(x - left, y - top).then(|| {
                by_bit(depth, |b| code >> ((p >> b & 1) << 2 | (s >> b & 1) << 1 | (d >> b & 1)) & 1 != 0)
            })
        });
    });
}

#[test]
fn transparent_copies() {
    for_all_formats(60, |w| {
        let (base, (image, s)) = (w.base(), w.picture());
        if base.area.is_empty() {
            return;
        }
        let (key, bits) = {
            let some = s.pixels[w.numbers.below(s.pixels.len() as u32) as usize];
            match w.depth {
                32 => (some & 0x00ff_ffff, 0x00ff_ffff),
                16 => (format::to_argb(w.format, some), 0xffff),
                _ => (5, 0xff),
            }
        };
        let compare = match w.depth {
            32 => key,
            16 => format::from_argb(w.format, key),
            _ => 0,
        };
        let (left, top) = (base.area.left, base.area.top);
        let message = ServerMessage::DrawTransparent(DrawTransparent {
            base: base.clone(),
            src_bitmap: Some(Ptr(image)),
            src_area: Rect::at(0, 0, base.area.width() as i32, base.area.height() as i32),
            src_color: 77,
            true_color: key,
        });
        w.check(&base, message, |x, y, _| {
            s.at(i64::from(x - left), i64::from(y - top)).filter(|s| s & bits != compare)
        });
    });
}

#[test]
fn moves_in_all_directions() {
    for_all_formats(200, |w| {
        // Something to move.
        let color = w.numbers.color();
        let message = fill(on(0, w.numbers.rect(SIDE)), color, RopDescriptor::OP_XOR);
        done(&mut w.canvas, message);
        w.model.pixels = pixels(&w.canvas, 0);
        let base = w.base();
        let (dx, dy) = (w.numbers.between(-9, 10), w.numbers.between(-9, 10));
        let src_pos = Point { x: base.area.left - dx, y: base.area.top - dy };
        let old = Plane { width: SIDE, pixels: w.model.pixels.clone() };
        let message = ServerMessage::CopyBits(CopyBits { base: base.clone(), src_pos });
        w.check(&base, message, |x, y, _| old.at(i64::from(x - dx), i64::from(y - dy)));
    });
}

#[test]
fn blends() {
    for_all_formats(60, |w| {
        let base = w.base();
        if base.area.is_empty() || w.depth == 1 {
            return;
        }
        let (alpha, top_is_alpha) = (w.numbers.next() as u8, w.numbers.chance(50));
        let width = w.numbers.between(1, 30);
        let source: Vec<u32> = (0..width * 20).map(|_| w.numbers.color()).collect();
        let data = source.iter().flat_map(|p| p.to_le_bytes()).collect();
        let image = bitmap(BitmapFormat::RGBA, width as u32, width as u32 * 4, BitmapFlags::TOP_DOWN, data);
        let s = Plane { width, pixels: source };
        let (left, top, format) = (base.area.left, base.area.top, w.format);
        let message = ServerMessage::DrawAlphaBlend(DrawAlphaBlend {
            base: base.clone(),
            alpha_flags: if top_is_alpha { AlphaFlags::DEST_HAS_ALPHA } else { AlphaFlags::empty() },
            alpha,
            src_bitmap: Some(Ptr(image)),
            src_area: Rect::at(0, 0, base.area.width() as i32, base.area.height() as i32),
        });
        w.check(&base, message, |x, y, d| {
            let s = s.at(i64::from(x - left), i64::from(y - top)).filter(|_| alpha != 0)?;
            let s: Vec<u32> = (0..4).map(|c| format::mul(s >> (8 * c) & 255, alpha.into())).collect();
            let raw = format == PixelFormat::Bgrx && top_is_alpha;
            let d = if raw { d } else { format::to_argb(format, d) };
            let out = (0..4).fold(0, |v, c| {
                let d = format::mul(d >> (8 * c) & 255, 255 - s[3]);
                v | (s[c as usize] + d).min(255) << (8 * c)
            });
            let out = format::from_argb(format, out);
            Some(if format == PixelFormat::Bgrx && !top_is_alpha { out & 0x00ff_ffff } else { out })
        });
    });
}

/// A scaled pixel by the rule, one channel at a time. `at` gives raw pixels of the surface's format, `None` outside.
fn scaled(
    format: PixelFormat,
    opaque: bool,
    at: impl Fn(i64, i64) -> Option<u32>,
    [(left, sw, i, dw), (top, sh, j, dh)]: [(i64, i64, i64, i64); 2],
    nearest: bool,
) -> u32 {
    let position = |start: i64, extent: i64, n: i64, size: i64| {
        let step = extent * 65536 / size;
        (start << 16) + step * n + ((step + 1) >> 1)
    };
    let (x, y) = (position(left, sw, i, dw), position(top, sh, j, dh));
    let narrow = format::bytes_per_pixel(format) < 4;
    let top_bits = if opaque { 0xff00_0000 } else { 0 };
    if nearest {
        // The bit of 555 that has no meaning gets lost.
        let kept = if format == PixelFormat::Rgb555 { 0x7fff } else { u32::MAX };
        let raw = |p: u32| if narrow { p & kept } else { p | top_bits };
        return at((x - 1) >> 16, (y - 1) >> 16).map_or(0, raw);
    }
    let tap = |x: i64, y: i64| {
        at(x, y).map_or(0, |p| if narrow { format::to_argb(format, p) } else { p | top_bits })
    };
    let (gx, gy) = (x - 0x8000, y - 0x8000);
    let (wx, wy) = (((gx >> 9) & 127) << 1, ((gy >> 9) & 127) << 1);
    let (nx, ny) = (gx >> 16, gy >> 16);
    let four = [
        (tap(nx, ny), (256 - wx) * (256 - wy)),
        (tap(nx + 1, ny), wx * (256 - wy)),
        (tap(nx, ny + 1), (256 - wx) * wy),
        (tap(nx + 1, ny + 1), wx * wy),
    ];
    let out = (0..4).fold(0, |v, c| {
        let sum: i64 = four.iter().map(|(p, w)| i64::from(p >> (8 * c) & 255) * w).sum();
        v | ((sum >> 16) as u32) << (8 * c)
    });
    if narrow { format::from_argb(format, out) } else { out }
}

#[test]
fn scaled_copies() {
    for_all_formats(150, |w| {
        let (base, (image, s), (mask, m)) = (w.base(), w.picture(), w.mask());
        if base.area.is_empty() {
            return;
        }
        let n = &mut w.numbers;
        let src_area = Rect::at(n.between(-3, 10), n.between(-3, 10), n.between(1, 40), n.between(1, 40));
        let same = (src_area.width(), src_area.height()) == (base.area.width(), base.area.height());
        let (nearest, plain) = (n.chance(50), n.chance(60));
        let (left, top, format) = (base.area.left, base.area.top, w.format);
        let source_alpha = matches!(&image.data, ImageData::Bitmap(b)
            if b.format == BitmapFormat::RGBA || b.format == BitmapFormat::BIT8_A);
        let opaque = plain && format == PixelFormat::Bgra && !source_alpha;
        if same {
            return;
        }
        let message = ServerMessage::DrawCopy(DrawCopy {
            base: base.clone(),
            src_bitmap: Some(Ptr(image)),
            src_area,
            rop: if plain { RopDescriptor::OP_PUT } else { RopDescriptor::OP_XOR },
            scale_mode: if nearest { ScaleMode::NEAREST } else { ScaleMode::INTERPOLATE },
            mask,
        });
        let wide = |v: i32| i64::from(v);
        let (sw, sh) = (i64::from(src_area.width()), i64::from(src_area.height()));
        let (dw, dh) = (i64::from(base.area.width()), i64::from(base.area.height()));
        w.check(&base, message, |x, y, d| {
            let across = (wide(src_area.left), sw, wide(x - left), dw);
            let down = (wide(src_area.top), sh, wide(y - top), dh);
            let v = scaled(format, opaque, |x, y| s.at(x, y), [across, down], nearest);
            m(x - left, y - top).then_some(if plain { v } else { v ^ d })
        });
    });
}
