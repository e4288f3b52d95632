//! Random bitmaps: noise, gradients, flat areas, repeated tiles, in every format that devices send.

use std::sync::Arc;

use spice_codecs::{RowOrder, bitmap, quic};

use crate::choice::Choice;
use crate::scene::{Bitmap, Format};

/// Formats of bitmaps on the wire.
pub(crate) mod format {
    pub(crate) const BIT_LE: u8 = 1;
    pub(crate) const BIT_BE: u8 = 2;
    pub(crate) const NIBBLE_BE: u8 = 4;
    pub(crate) const INDEX: u8 = 5;
    pub(crate) const RGB16: u8 = 6;
    pub(crate) const RGB24: u8 = 7;
    pub(crate) const RGB32: u8 = 8;
    pub(crate) const RGBA: u8 = 9;
    pub(crate) const ALPHA: u8 = 10;
}

/// Makes bitmaps of one scene.
#[derive(Debug)]
pub(crate) struct Pictures {
    next: u32,
    /// Bitmaps that may be used again, with the surface format that they were made for.
    kept: Vec<(Format, Arc<Bitmap>)>,
    palettes: Vec<(Format, u64, Vec<u32>)>,
    masks: Vec<Arc<Bitmap>>,
}

impl Pictures {
    /// Every scene of a session has its own number.
    pub(crate) fn new(scene: u32) -> Self {
        let next = scene << 12 | 1;
        Self { next, kept: Vec::new(), palettes: Vec::new(), masks: Vec::new() }
    }

    fn unique(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// A bitmap to draw to a surface of format `to`; new, or one that was drawn before.
    pub(crate) fn picture(&mut self, c: &mut Choice, to: Format) -> Arc<Bitmap> {
        let fitting: Vec<_> = self.kept.iter().filter(|(format, _)| *format == to).collect();
        if !fitting.is_empty() && c.percent(30) {
            return Arc::clone(&fitting[c.below(fitting.len() as u32) as usize].1);
        }
        let format = match (to, c.below(10)) {
            (Format::Xrgb | Format::Argb, 0..3) | (_, 0..1) => format::RGB32,
            (Format::Xrgb | Format::Argb, 3..5) | (_, 1..3) => format::RGBA,
            (Format::X555 | Format::Xrgb | Format::Argb, 5..8) => {
                c.of(&[format::BIT_BE, format::NIBBLE_BE, format::INDEX, format::INDEX])
            }
            (_, 8) => format::RGB24,
            (Format::A8, _) => c.of(&[format::RGB16, format::RGBA, format::ALPHA]),
            _ => format::RGB16,
        };
        let bitmap = Arc::new(self.bitmap(c, format, to));
        if bitmap.cacheable || c.percent(20) {
            self.kept.push((to, Arc::clone(&bitmap)));
        }
        bitmap
    }

    /// A mask of one bit per pixel.
    pub(crate) fn mask(&mut self, c: &mut Choice) -> Arc<Bitmap> {
        if !self.masks.is_empty() && c.percent(30) {
            return Arc::clone(&self.masks[c.below(self.masks.len() as u32) as usize]);
        }
        let format = c.of(&[format::BIT_LE, format::BIT_BE]);
        let (width, height) = size(c);
        let stride = width.div_ceil(8).next_multiple_of(4);
        let mut data = vec![0; (stride * height) as usize];
        let style = c.below(3);
        for (y, row) in data.chunks_exact_mut(stride as usize).enumerate() {
            let run = c.bits() as u8;
            for byte in row {
                *byte = match style {
                    0 => c.bits() as u8,
                    1 => run,
                    _ => {
                        if y / 5 % 2 == 0 {
                            0xff
                        } else {
                            0
                        }
                    }
                };
            }
        }
        let mask = Arc::new(Bitmap {
            unique: self.unique(),
            format,
            width,
            height,
            stride,
            top_down: c.percent(70),
            palette: None,
            data,
            rows_per_chunk: chunk(c, height),
            cacheable: c.percent(20),
            high_bits: false,
            quic: None,
            padding_set: false,
        });
        self.masks.push(Arc::clone(&mask));
        mask
    }

    /// A bitmap with alpha, for compositions that need one whatever the surface.
    pub(crate) fn with_alpha(&mut self, c: &mut Choice) -> Arc<Bitmap> {
        Arc::new(self.bitmap(c, format::RGBA, Format::Argb))
    }

    fn bitmap(&mut self, c: &mut Choice, format: u8, to: Format) -> Bitmap {
        let (width, height) = size(c);
        let bits = match format {
            format::BIT_BE => 1,
            format::NIBBLE_BE => 4,
            format::INDEX | format::ALPHA => 8,
            format::RGB16 => 16,
            format::RGB24 => 24,
            _ => 32,
        };
        let row = (width * bits).div_ceil(8);
        let stride = row.next_multiple_of(4);
        let palette = (bits <= 8 && format != format::ALPHA).then(|| self.palette(c, to, 1 << bits));
        let colors = palette.as_ref().map_or(0, |(_, entries)| entries.len() as u32);
        let padding_set = matches!(format, format::RGB32 | format::RGB16) && c.percent(15);
        let mut data = vec![0; (stride * height) as usize];
        let paint = Paint::new(c, width);
        for y in 0..height {
            let line = &mut data[(y * stride) as usize..(y * stride + row) as usize];
            match bits {
                1 | 4 => {
                    let per_byte = 8 / bits;
                    for (x, byte) in line.iter_mut().enumerate() {
                        for n in 0..per_byte {
                            let index = paint.index(c, x as u32 * per_byte + n, y, colors.min(1 << bits));
                            *byte = ((u32::from(*byte) << bits) | index) as u8;
                        }
                    }
                }
                8 => {
                    for (x, byte) in line.iter_mut().enumerate() {
                        *byte = paint.index(c, x as u32, y, colors.max(1)) as u8;
                    }
                }
                _ => {
                    let bytes = bits as usize / 8;
                    for (x, px) in line.chunks_exact_mut(bytes).enumerate() {
                        let mut v = paint.color(c, x as u32, y);
                        match format {
                            format::RGBA => v = premultiply(v),
                            format::RGB32 if !padding_set => v &= 0x00ff_ffff,
                            format::RGB16 => {
                                v = v >> 9 & 0x7c00 | v >> 6 & 0x3e0 | v >> 3 & 0x1f | v >> 31 << 15;
                                if !padding_set {
                                    v &= 0x7fff;
                                }
                            }
                            _ => {}
                        }
                        px.copy_from_slice(&v.to_le_bytes()[..bytes]);
                    }
                }
            }
        }
        let top_down = c.percent(70);
        let wire = bitmap::Format::from_wire(format).ok();
        // 16-bit pictures that the device has as QUIC get a top byte of 0 on 32-bit surfaces, and those that the server
        // compresses itself have one of 255 in its own picture: a client cannot tell them apart.
        let tells = bits > 16 || to.bytes() < 4;
        let quic = wire.filter(|_| bits >= 16 && tells && !padding_set && c.percent(8)).and_then(|format| {
            let rows = RowOrder::from_top_down(top_down);
            let layout = bitmap::Layout { format, width, height, stride, rows };
            let mut out = Vec::new();
            quic::Encoder::new().encode(&bitmap::Bitmap::new(layout, &data).ok()?, &mut out).ok()?;
            Some(out)
        });
        Bitmap {
            unique: self.unique(),
            format,
            width,
            height,
            stride,
            top_down,
            palette,
            data,
            rows_per_chunk: chunk(c, height),
            cacheable: c.percent(40),
            high_bits: format == format::RGB32 && c.percent(10),
            quic,
            padding_set,
        }
    }

    /// Entries are raw pixels of the surface.
    fn palette(&mut self, c: &mut Choice, to: Format, most: u32) -> (u64, Vec<u32>) {
        let known: Vec<_> =
            self.palettes.iter().filter(|(f, _, e)| *f == to && e.len() <= most as usize).collect();
        if !known.is_empty() && c.percent(50) {
            let (_, unique, entries) = known[c.below(known.len() as u32) as usize];
            return (*unique, entries.clone());
        }
        let len = if most == 256 { c.of(&[256, 256, 16, 2]) } else { most };
        let entry = |c: &mut Choice| match to {
            Format::X555 => c.bits() & 0x7fff,
            Format::Xrgb => c.bits() & 0x00ff_ffff,
            _ => premultiply(c.bits()),
        };
        let entries: Vec<u32> = (0..len).map(|_| entry(c)).collect();
        let unique = u64::from(self.unique());
        self.palettes.push((to, unique, entries.clone()));
        (unique, entries)
    }
}

fn size(c: &mut Choice) -> (u32, u32) {
    let side = |c: &mut Choice| match c.below(20) {
        0..10 => 1 + c.below(32),
        10..16 => 4 * (1 + c.below(16)),
        16..19 => 8 * (8 + c.below(12)),
        _ => 160 + c.below(100),
    };
    (side(c), side(c))
}

fn chunk(c: &mut Choice, height: u32) -> u32 {
    if c.percent(70) { 0 } else { 1 + c.below(height) }
}

/// Colours no larger than their alpha.
pub(crate) fn premultiply(v: u32) -> u32 {
    let a = v >> 24;
    let channel = |shift: u32| ((v >> shift & 255) * a / 255) << shift;
    a << 24 | channel(16) | channel(8) | channel(0)
}

/// What a picture looks like.
struct Paint {
    style: u32,
    colors: [u32; 4],
    period: u32,
    width: u32,
    tile: Vec<u32>,
}

impl Paint {
    fn new(c: &mut Choice, width: u32) -> Self {
        let colors = [(); 4].map(|()| match c.below(6) {
            0 => 0xff00_0000,
            1 => 0xffff_ffff,
            2 => 0,
            _ => c.bits(),
        });
        let period = 1 + c.below(16);
        let tile = (0..period * period).map(|_| c.bits()).collect();
        Self { style: c.below(6), colors, period, width, tile }
    }

    fn color(&self, c: &mut Choice, x: u32, y: u32) -> u32 {
        match self.style {
            0 => c.bits(),
            1 => self.colors[0],
            2 => self.colors[((x / self.period + y / self.period) % 4) as usize],
            3 => {
                let t = (x * 255 / self.width.max(1)).min(255);
                (255 - t / 2) << 24 | t << 16 | ((y * 3) & 255) << 8 | (255 - t)
            }
            4 => self.tile[(y % self.period * self.period + x % self.period) as usize],
            _ => self.colors[if c.percent(90) { 0 } else { c.below(4) as usize }],
        }
    }

    fn index(&self, c: &mut Choice, x: u32, y: u32, count: u32) -> u32 {
        let v = self.color(c, x, y);
        (v ^ v >> 8 ^ v >> 16) % count.max(1)
    }
}
