//! Random pointer shapes of all seven types, made from what they are to look like.

use crate::arena::Block;
use crate::choice::Choice;
use crate::encode::chunk_header;
use crate::pictures::premultiply;

/// The types of shapes: ALPHA, MONO, COLOR4, COLOR8, COLOR16, COLOR24, COLOR32.
pub(crate) const KINDS: u16 = 7;

/// A shape as devices have it, and what is to be seen.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Distinguishes it from all others of the session.
    pub(crate) unique: u64,
    pub(crate) kind: u16,
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) hot: (u16, u16),
    pub(crate) data: Vec<u8>,
    pub(crate) dots: Vec<Dot>,
}

/// What a pixel of a pointer shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Dot {
    /// Premultiplied r, g, b, a.
    Shows([u8; 4]),
    /// What is below, inverted.
    Inverts,
}

const CLEAR: Dot = Dot::Shows([0; 4]);

impl Shape {
    pub(crate) fn new(c: &mut Choice, unique: u64, kind: u16) -> Self {
        let side = |c: &mut Choice| if c.percent(60) { 8 * (1 + c.below(8)) } else { 2 + c.below(63) };
        let (width, height) = (side(c), side(c));
        let hot = (c.below(width) as u16, c.below(height) as u16);
        let mut shape = Self {
            unique,
            kind,
            width: width as u16,
            height: height as u16,
            hot,
            data: Vec::new(),
            dots: Vec::new(),
        };
        match kind {
            0 => shape.alpha(c),
            1 => shape.mono(c),
            _ => shape.colors(c),
        }
        shape
    }

    fn pixels(&self) -> usize {
        usize::from(self.width) * usize::from(self.height)
    }

    fn alpha(&mut self, c: &mut Choice) {
        for _ in 0..self.pixels() {
            let [b, g, r, a] = premultiply(c.bits()).to_le_bytes();
            self.data.extend([b, g, r, a]);
            self.dots.push(Dot::Shows([r, g, b, a]));
        }
    }

    fn mono(&mut self, c: &mut Choice) {
        // In a shape of nothing but inverting and clear pixels more would be seen than is there.
        let opaque = |i: usize| i == 0;
        let kinds: Vec<u32> = (0..self.pixels()).map(|i| if opaque(i) { 0 } else { c.below(4) }).collect();
        self.dots = kinds
            .iter()
            .map(|kind| {
                [Dot::Shows([0, 0, 0, 255]), Dot::Shows([255; 4]), CLEAR, Dot::Inverts][*kind as usize]
            })
            .collect();
        for plane in [2, 1] {
            for row in kinds.chunks(self.width.into()) {
                let bits: Vec<bool> = row.iter().map(|kind| kind & plane != 0).collect();
                self.data.extend(packed(&bits));
            }
        }
    }

    /// Colours, and a mask of what is not opaque.
    fn colors(&mut self, c: &mut Choice) {
        let palette: Vec<u32> = match self.kind {
            2 => table(c, 16),
            3 => table(c, 256),
            _ => Vec::new(),
        };
        let white = if self.kind == 4 { 0x7fff } else { 0x00ff_ffff };
        let mut masked = Vec::new();
        let mut values = Vec::new();
        for _ in 0..self.pixels() {
            // The first entry is black, the last one white.
            let any = match self.kind {
                2 | 3 => c.below(palette.len() as u32),
                4 => c.bits() & 0x7fff,
                _ => c.bits() & 0x00ff_ffff,
            };
            let (value, dot) = match c.below(4) {
                0 => (0, CLEAR),
                1 if palette.is_empty() => (white, Dot::Inverts),
                1 => (palette.len() as u32 - 1, Dot::Inverts),
                _ => (any, self.shown(&palette, any)),
            };
            masked.push(matches!(dot, Dot::Inverts) || dot == CLEAR);
            values.push(value);
            self.dots.push(dot);
        }
        match self.kind {
            2 => {
                let whole = usize::from(self.width).div_ceil(2) * usize::from(self.height);
                let mut nibbles: Vec<u8> =
                    values.chunks(2).map(|two| (two[0] << 4 | two.get(1).unwrap_or(&0)) as u8).collect();
                nibbles.resize(whole, 0);
                self.data.extend(nibbles);
            }
            kind => {
                let bytes = [1, 2, 3, 4][usize::from(kind) - 3];
                self.data.extend(values.iter().flat_map(|v| v.to_le_bytes()[..bytes].to_vec()));
            }
        }
        self.data.extend(palette.iter().flat_map(|v| v.to_le_bytes()));
        // Without gaps, unless that takes as many bytes as whole rows.
        let rows = usize::from(self.width).div_ceil(8) * usize::from(self.height);
        if self.pixels().div_ceil(8) < rows {
            self.data.extend(packed(&masked));
        } else {
            masked.chunks(self.width.into()).for_each(|row| self.data.extend(packed(row)));
        }
    }

    /// What an opaque pixel of this value looks like.
    fn shown(&self, palette: &[u32], value: u32) -> Dot {
        let wide = |v: u32| (v & 31) << 3 | (v & 31) >> 2;
        let rgb = match self.kind {
            2 | 3 => palette[value as usize],
            4 => wide(value >> 10) << 16 | wide(value >> 5) << 8 | wide(value),
            _ => value,
        };
        let [b, g, r, _] = rgb.to_le_bytes();
        Dot::Shows([r, g, b, 255])
    }

    /// The command that sets the shape.
    pub(crate) fn command(&self, x: i16, y: i16) -> Block {
        let mut block = Block::default();
        block.put(&[0; COMMAND]);
        block.set(9, &x.to_le_bytes());
        block.set(11, &y.to_le_bytes());
        block.set(13, &[1]);
        let mut shape = self.unique.to_le_bytes().to_vec();
        for field in [self.kind, self.width, self.height, self.hot.0, self.hot.1] {
            shape.extend(field.to_le_bytes());
        }
        shape.extend((self.data.len() as u32).to_le_bytes());
        shape.extend(chunk_header(self.data.len()));
        shape.extend(&self.data);
        let at = block.put(&shape);
        block.point(14, at);
        block
    }
}

/// The command that moves the pointer.
pub(crate) fn moved(x: i16, y: i16) -> Block {
    let mut block = Block::default();
    block.put(&[0; COMMAND]);
    block.set(8, &[1]);
    block.set(9, &x.to_le_bytes());
    block.set(11, &y.to_le_bytes());
    block
}

/// The command that hides the pointer.
pub(crate) fn hidden() -> Block {
    let mut block = Block::default();
    block.put(&[0; COMMAND]);
    block.set(8, &[2]);
    block
}

/// Bytes of a command.
const COMMAND: usize = 150;

/// Colours, black first and white last and nowhere else.
fn table(c: &mut Choice, len: usize) -> Vec<u32> {
    let mut colors: Vec<u32> = (0..len).map(|_| c.bits() & 0x00ff_fffe).collect();
    (colors[0], colors[len - 1]) = (0, 0x00ff_ffff);
    colors
}

/// Bits, the first in the topmost place.
fn packed(bits: &[bool]) -> Vec<u8> {
    let byte = |eight: &[bool]| eight.iter().zip(0..).fold(0, |v, (bit, n)| v | u8::from(*bit) << (7 - n));
    bits.chunks(8).map(byte).collect()
}
