//! One picture of a composition: where it lies, how it is transformed, filtered and repeated.

use spice_codecs::PixelFormat;
use spice_proto::msg::display::CompositeRepeat;
use spice_proto::types::{Point16, Rect, Transform};

use crate::canvas::bilinear::{blend, tap};
use crate::canvas::format::{bytes_per_pixel, get, localise, to_argb};
use crate::canvas::mapping::Filter;
use crate::canvas::sample::argb_bytes;
use crate::canvas::surface::View;
use crate::canvas::wide::{self, Fractions};

const BGRA: PixelFormat = PixelFormat::Bgra;

/// One picture of a composition.
#[derive(Clone, Copy)]
pub(super) struct Sampler<'a> {
    pub(super) view: View<'a>,
    pub(super) origin: Point16,
    pub(super) transform: Option<Transform>,
    pub(super) filter: Filter,
    pub(super) repeat: CompositeRepeat,
    /// The command's box.
    pub(super) anchor: Rect,
    pub(super) opaque: bool,
    /// The format that a bitmap is converted to first.
    pub(super) local: PixelFormat,
}

impl<'a> Sampler<'a> {
    /// The row of ARGB values where the picture itself has it, `width` pixels from column `left` on.
    pub(super) fn in_place(&self, y: i32, left: i32, width: usize) -> Option<&'a [u8]> {
        if self.transform.is_some() || self.opaque || (self.view.format, self.local) != (BGRA, BGRA) {
            return None;
        }
        let x = i64::from(self.origin.x) + i64::from(left) - i64::from(self.anchor.left);
        let y = i64::from(self.origin.y) + i64::from(y) - i64::from(self.anchor.top);
        let (x, y) = (usize::try_from(x).ok()?, u32::try_from(y).ok()?);
        self.view.row(y).get(x.checked_mul(4)?..x.checked_add(width)?.checked_mul(4)?)
    }

    /// How many pixels of the picture are taken for one that is drawn.
    pub(super) fn samples(&self) -> u64 {
        if self.transform.is_some() && self.filter == Filter::Bilinear { 4 } else { 1 }
    }

    /// ARGB values, as bytes, for the pixels from column `left` on.
    pub(super) fn row(&self, y: i32, left: i32, out: &mut [u8]) {
        let (out, _) = out.as_chunks_mut::<4>();
        if self.view.width == 1 && self.view.height == 1 && self.repeat != CompositeRepeat::NONE {
            out.fill(self.pixel(self.view.row(0), 0).to_le_bytes());
            return;
        }
        let i = i64::from(left) - i64::from(self.anchor.left);
        let j = i64::from(y) - i64::from(self.anchor.top);
        let Some(transform) = self.transform else {
            self.untransformed(i64::from(self.origin.x) + i, i64::from(self.origin.y) + j, out);
            return;
        };
        let (mut x, mut y) = start(&transform, &self.origin, i, j);
        for v in out {
            let argb = match self.filter {
                Filter::Nearest => self.one((x - 1) >> 16, (y - 1) >> 16, 0, |row, x| self.pixel(row, x)),
                Filter::Bilinear => {
                    let ((column, wx), (row, wy)) = (tap(x), tap(y));
                    blend(self.four(column, row, 0, |row, x| self.pixel(row, x)), wx, wy)
                }
            };
            *v = argb.to_le_bytes();
            x = x.saturating_add(transform.t00.into());
            y = y.saturating_add(transform.t10.into());
        }
    }

    /// The picture's row `y` from column `x` on, in runs of neighbouring pixels.
    fn untransformed(&self, mut x: i64, y: i64, mut out: &mut [[u8; 4]]) {
        let row = self.index(y, self.view.height).map_or(&[][..], |y| self.view.row(y));
        let bytes = bytes_per_pixel(self.view.format);
        while !out.is_empty() {
            let column = self.index(x, self.view.width).map(|x| x as usize);
            // Runs to the right end of the picture; mirrored and padded parts go pixel by pixel.
            let forward = self.index(x.saturating_add(1), self.view.width).map(|x| x as usize);
            let run = match (column, forward) {
                (Some(column), Some(next)) if next == column + 1 => self.view.width as usize - column,
                _ => 1,
            };
            let run = run.min(out.len());
            let (now, later) = out.split_at_mut(run);
            let pixels = column.and_then(|x| row.get(x * bytes..(x + run) * bytes));
            match pixels {
                None => now.fill([0; 4]),
                Some(row) => self.convert(row, now),
            }
            (out, x) = (later, x.saturating_add(run as i64));
        }
    }

    /// ARGB values of neighbouring pixels.
    fn convert(&self, row: &[u8], out: &mut [[u8; 4]]) {
        let format = self.view.format;
        if format != self.local {
            for (x, v) in out.iter_mut().enumerate() {
                *v = self.pixel(row, x as u32).to_le_bytes();
            }
            return;
        }
        argb_bytes(format, row, out.as_flattened_mut());
        if self.opaque {
            out.iter_mut().for_each(|v| v[3] = 255);
        }
    }

    /// The value for a pixel of the destination as fractions.
    pub(super) fn fractions(&self, x: i32, y: i32) -> Fractions {
        let i = i64::from(x) - i64::from(self.anchor.left);
        let j = i64::from(y) - i64::from(self.anchor.top);
        let value = |row: &[u8], x: u32| {
            let [a, r, g, b] = wide::from_pixel(self.local, self.raw(row, x));
            if self.opaque { [1.0, r, g, b] } else { [a, r, g, b] }
        };
        let at = |x, y| self.one(x, y, [0.0; 4], value);
        let Some(transform) = self.transform else {
            return at(i64::from(self.origin.x) + i, i64::from(self.origin.y) + j);
        };
        let (x, y) = start(&transform, &self.origin, i, j);
        match self.filter {
            Filter::Nearest => at((x - 1) >> 16, (y - 1) >> 16),
            Filter::Bilinear => {
                let (x, y) = (x - 0x8000, y - 0x8000);
                let four = self.four(x >> 16, y >> 16, [0.0; 4], value);
                wide::blend(four, x as u32 & 0xffff, y as u32 & 0xffff)
            }
        }
    }

    /// Whether all values for a part of the destination have an alpha of 1, as far as that is clear beforehand.
    pub(super) fn is_opaque(&self, part: &Rect) -> bool {
        let without_alpha = !matches!(self.local, PixelFormat::Bgra | PixelFormat::A8 | PixelFormat::A1);
        without_alpha && (self.repeat != CompositeRepeat::NONE || self.covers(part))
    }

    /// Whether no value for a part of the destination comes from outside the picture: by its corners, with a little
    /// room for rounding.
    fn covers(&self, part: &Rect) -> bool {
        let (columns, rows) = ([part.left, part.right - 1], [part.top, part.bottom - 1]);
        let reach = match (self.transform, self.filter) {
            (None, _) => 0,
            (Some(_), Filter::Nearest) => 9,
            (Some(_), Filter::Bilinear) => 0x8008,
        };
        let inside = |at: i64, size: u32| at - reach >= 0 && at + reach < i64::from(size) << 16;
        rows.iter().flat_map(|y| columns.map(|x| (x, *y))).all(|(x, y)| {
            let i = i64::from(x) - i64::from(self.anchor.left);
            let j = i64::from(y) - i64::from(self.anchor.top);
            let (x, y) = match &self.transform {
                None => ((i64::from(self.origin.x) + i) << 16, (i64::from(self.origin.y) + j) << 16),
                Some(transform) => start(transform, &self.origin, i, j),
            };
            inside(x, self.view.width) && inside(y, self.view.height)
        })
    }

    /// What `value` makes of the pixel at a coordinate, from its row and its place in it; `none` outside the picture.
    fn one<T>(&self, x: i64, y: i64, none: T, value: impl Fn(&[u8], u32) -> T) -> T {
        match (self.index(x, self.view.width), self.index(y, self.view.height)) {
            (Some(x), Some(y)) => value(self.view.row(y), x),
            _ => none,
        }
    }

    /// The same of four neighbours, of which `(x, y)` is the upper left one.
    fn four<T: Copy>(&self, x: i64, y: i64, none: T, value: impl Fn(&[u8], u32) -> T) -> [T; 4] {
        let columns = [x, x + 1].map(|x| self.index(x, self.view.width));
        let rows = [y, y + 1].map(|y| self.index(y, self.view.height).map(|y| self.view.row(y)));
        [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(column, row)| match (columns[column], rows[row]) {
            (Some(x), Some(row)) => value(row, x),
            _ => none,
        })
    }

    fn pixel(&self, row: &[u8], x: u32) -> u32 {
        let px = to_argb(self.local, self.raw(row, x));
        if self.opaque { px | 0xff00_0000 } else { px }
    }

    /// A pixel in the format in which it takes part.
    fn raw(&self, row: &[u8], x: u32) -> u32 {
        let format = self.view.format;
        let px = get(row, bytes_per_pixel(format), x as usize);
        if format == self.local { px } else { localise(format, self.local, px) }
    }

    /// The coordinate of the picture that stands for any coordinate.
    fn index(&self, n: i64, size: u32) -> Option<u32> {
        let size = i64::from(size.max(1));
        if (0..size).contains(&n) {
            return Some(n as u32);
        }
        let n = match self.repeat {
            CompositeRepeat::NORMAL => remainder(n, size),
            CompositeRepeat::PAD => n.clamp(0, size - 1),
            CompositeRepeat::REFLECT => {
                let m = remainder(n, 2 * size);
                if m >= size { 2 * size - 1 - m } else { m }
            }
            _ => n,
        };
        u32::try_from(n).ok().filter(|n| i64::from(*n) < size)
    }
}

/// Source position of the pixel `(i, j)` of the box, in 65536ths: rounded once for the row, then stepped.
fn start(t: &Transform, origin: &Point16, i: i64, j: i64) -> (i64, i64) {
    let vx = (i128::from(origin.x) << 16) + 0x8000;
    let vy = ((i128::from(origin.y) + i128::from(j)) << 16) + 0x8000;
    let at = |a: i32, b: i32, c: i32| {
        let row = (i128::from(a) * vx + i128::from(b) * vy + 0x8000) >> 16;
        let at = row + i128::from(c) + i128::from(a) * i128::from(i);
        // Far outside of every picture is as good as infinitely far.
        at.clamp(i128::from(i64::MIN / 4), i128::from(i64::MAX / 4)) as i64
    };
    (at(t.t00, t.t01, t.t02), at(t.t10, t.t11, t.t12))
}

/// `n` modulo `size`. Most numbers are short, and then cost a fraction.
fn remainder(n: i64, size: i64) -> i64 {
    match (i32::try_from(n), i32::try_from(size)) {
        (Ok(n), Ok(size)) => n.rem_euclid(size).into(),
        _ => n.rem_euclid(size),
    }
}
