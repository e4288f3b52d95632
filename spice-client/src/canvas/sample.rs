//! Which source pixel a destination pixel takes: offsets, and scaling in 16.16 fixed point.

use spice_codecs::PixelFormat;
use spice_proto::types::Rect;

use crate::canvas::format::{
    bytes_per_pixel, from_argb, get, is_same_layout, localise, localise_row, localised, to_argb,
};
use crate::canvas::surface::View;

/// How coordinates of the destination become coordinates of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mapping {
    /// Pixel for pixel: the source's coordinate is the destination's plus these.
    Offset { dx: i64, dy: i64 },
    /// Another size.
    Scaled { x: Axis, y: Axis, filter: Filter },
}

/// How a scaled value is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// The nearest pixel.
    Nearest,
    /// Four pixels with weights of seven bits.
    Bilinear,
}

/// One direction of a scaling: positions are in 65536ths of a source pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    first: i64,
    step: i64,
    anchor: i64,
}

impl Axis {
    /// `extent` source pixels from `start` on `size` destination pixels from `anchor` on. Neither may be 0.
    pub(super) fn new(start: i32, extent: u32, anchor: i32, size: u32) -> Self {
        let step = (i64::from(extent) << 16) / i64::from(size.max(1));
        Self { first: (i64::from(start) << 16) + half(step), step, anchor: i64::from(anchor) }
    }

    /// The same by the rule of ternary operations, which round the start to whole destination pixels.
    pub(super) fn rop3(start: i32, extent: u32, anchor: i32, size: u32) -> Self {
        let ratio = f64::from(extent) / f64::from(size.max(1));
        let step = (ratio * 65536.0) as i64;
        let offset = (f64::from(start) / ratio + 0.5).floor() as i64;
        Self {
            first: step.saturating_mul(offset).saturating_add(half(step)),
            step,
            anchor: i64::from(anchor),
        }
    }

    /// The source position of destination coordinate `at`.
    #[inline]
    fn at(&self, at: i32) -> i64 {
        self.step.saturating_mul(i64::from(at) - self.anchor).saturating_add(self.first)
    }
}

/// Half a step, rounded up.
fn half(step: i64) -> i64 {
    (step + 1) >> 1
}

impl Mapping {
    /// The mapping of a picture's part `src` to the rectangle `dst`, neither of them empty.
    pub(super) fn new(src: &Rect, dst: &Rect, filter: Filter) -> Self {
        if (src.width(), src.height()) == (dst.width(), dst.height()) {
            return Self::offset(src, dst);
        }
        let x = Axis::new(src.left, src.width(), dst.left, dst.width());
        let y = Axis::new(src.top, src.height(), dst.top, dst.height());
        Self::Scaled { x, y, filter }
    }

    /// The upper left corner of `src` comes to that of `dst`.
    pub(super) fn offset(src: &Rect, dst: &Rect) -> Self {
        Self::Offset {
            dx: i64::from(src.left) - i64::from(dst.left),
            dy: i64::from(src.top) - i64::from(dst.top),
        }
    }

    /// Where the source may lie that `dst` takes: columns and rows, not cut to the picture.
    pub(super) fn rows_read(&self, dst: &Rect) -> (i64, i64) {
        match self {
            Mapping::Offset { dy, .. } => (i64::from(dst.top) + dy, i64::from(dst.bottom) + dy),
            Mapping::Scaled { y, .. } => ((y.at(dst.top) >> 16) - 1, (y.at(dst.bottom - 1) >> 16) + 2),
        }
    }
}

/// A picture as the source of one command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) view: View<'a>,
    pub(super) mapping: Mapping,
    /// Format of the surface that is drawn to.
    pub(super) to: PixelFormat,
    /// Scaled pixels of pictures without alpha become opaque.
    pub(super) opaque: bool,
}

impl<'a> Source<'a> {
    /// The part of the destination that the picture covers. Scaled pictures cover everything, with 0 outside.
    pub(super) fn cover(&self) -> Option<Rect> {
        let Mapping::Offset { dx, dy } = self.mapping else { return None };
        Some(shifted(&self.view.rect(), -dx, -dy))
    }

    /// Whether pixels are copied as they lie in memory, one row below the other.
    pub(super) fn is_raw(&self) -> bool {
        let (from, to) = (self.view.format, self.to);
        matches!(self.mapping, Mapping::Offset { .. }) && is_same_layout(from, to) && !self.view.bottom_up
    }

    /// The pixels of a rectangle inside [`cover`](Self::cover) of a picture that [is raw](Self::is_raw), from its first
    /// to its last, and the bytes between the beginnings of two rows.
    pub(super) fn raw_rows(&self, rect: &Rect) -> Option<(&'a [u8], usize)> {
        let Mapping::Offset { dx, dy } = self.mapping else { return None };
        self.view.span(shifted(rect, dx, dy))
    }

    /// Raw pixels for columns `left..right` of the destination's row `y`, in the surface's pixel size; in place
    /// where the picture has them so, otherwise made in `buffer`. Unscaled rows must lie inside
    /// [`cover`](Self::cover).
    pub(super) fn row<'b>(&self, y: i32, left: i32, right: i32, buffer: &'b mut Vec<u8>) -> &'b [u8]
    where
        'a: 'b,
    {
        let width = usize::try_from(i64::from(right) - i64::from(left)).unwrap_or(0);
        let bytes = bytes_per_pixel(self.to);
        match &self.mapping {
            Mapping::Offset { dx, dy } => {
                let row = self.view.row(index(i64::from(y) + dy));
                let have = self.view.bytes_per_pixel();
                let start = index(i64::from(left) + dx) as usize;
                let row = row.get(start * have..(start + width) * have).unwrap_or(&[]);
                let from = self.view.format;
                if is_same_layout(from, self.to) {
                    return row;
                }
                resize(buffer, width * bytes);
                localise_row(from, self.to, row, buffer);
            }
            Mapping::Scaled { x, y: rows, filter: Filter::Nearest } => {
                resize(buffer, width * bytes);
                self.nearest(x, rows.at(y), left, buffer);
            }
            Mapping::Scaled { x, y: rows, filter: Filter::Bilinear } => {
                resize(buffer, width * bytes);
                self.bilinear(x, rows.at(y), left, buffer);
            }
        }
        buffer
    }

    /// Premultiplied ARGB values as bytes b, g, r, a for columns `left..right` of row `y`; 0 outside the picture.
    /// Pictures without alpha are opaque. Scaling takes the nearest pixel.
    pub(super) fn argb_row<'b>(&self, y: i32, left: i32, right: i32, buffer: &'b mut Vec<u8>) -> &'b [u8]
    where
        'a: 'b,
    {
        let width = usize::try_from(i64::from(right) - i64::from(left)).unwrap_or(0);
        let (format, bytes) = (self.view.format, self.view.bytes_per_pixel());
        match &self.mapping {
            Mapping::Offset { dx, dy } => {
                let row = self.view.row(index(i64::from(y) + dy));
                let start = index(i64::from(left) + dx) as usize;
                let row = row.get(start * bytes..(start + width) * bytes).unwrap_or(&[]);
                if format == PixelFormat::Bgra {
                    return row;
                }
                resize(buffer, width * 4);
                argb_bytes(format, row, buffer);
            }
            Mapping::Scaled { x, y: rows, .. } => {
                resize(buffer, width * 4);
                let row = self.view.row(index((rows.at(y) - 1) >> 16));
                for (i, v) in (left..).zip(buffer.as_chunks_mut::<4>().0) {
                    let at = index((x.at(i) - 1) >> 16) as usize;
                    let argb = match row.get(at * bytes..(at + 1) * bytes) {
                        Some(px) => to_argb(format, get(px, bytes, 0)),
                        None => 0,
                    };
                    *v = argb.to_le_bytes();
                }
            }
        }
        buffer
    }

    fn nearest(&self, x: &Axis, y: i64, left: i32, out: &mut [u8]) {
        let (from, have) = (self.view.format, self.view.bytes_per_pixel());
        let want = bytes_per_pixel(self.to);
        let row = self.view.row(index((y - 1) >> 16));
        let top = self.opaque_bits();
        let mut position = x.at(left) - 1;
        if (have, want) == (4, 4) {
            let (row, _) = row.as_chunks::<4>();
            for px in out.as_chunks_mut::<4>().0 {
                let value = usize::try_from(position >> 16).ok().and_then(|at| row.get(at));
                *px = value.map_or([0; 4], |px| (u32::from_le_bytes(*px) | top).to_le_bytes());
                position = position.saturating_add(x.step);
            }
            return;
        }
        // On the way through 32 bits the one without a meaning gets lost.
        let kept = if self.to == PixelFormat::Rgb555 { 0x7fff } else { u32::MAX };
        for px in out.chunks_exact_mut(want) {
            let at = index(position >> 16) as usize;
            let value = match row.get(at * have..(at + 1) * have) {
                Some(px) => localise(from, self.to, get(px, have, 0)) & kept | top,
                None => 0,
            };
            px.copy_from_slice(&value.to_le_bytes()[..want]);
            position = position.saturating_add(x.step);
        }
    }

    fn bilinear(&self, x: &Axis, y: i64, left: i32, out: &mut [u8]) {
        let (want, local) = (bytes_per_pixel(self.to), localised(self.view.format, self.to));
        let top = self.opaque_bits();
        if (self.view.bytes_per_pixel(), want) == (4, 4) {
            let value = |row: &[u8], column: i64| {
                let px = usize::try_from(column).ok().and_then(|at| row.as_chunks::<4>().0.get(at));
                px.map_or(0, |px| u32::from_le_bytes(*px) | top)
            };
            let (out, _) = out.as_chunks_mut::<4>();
            self.between(x, y, left, value, out.iter_mut(), |px, v| *px = v.to_le_bytes());
            return;
        }
        let value = |row: &[u8], column: i64| self.value(row, column);
        self.between(x, y, left, value, out.chunks_exact_mut(want), |px, v| {
            let raw = if local == PixelFormat::Bgrx { v } else { from_argb(local, v) };
            px.copy_from_slice(&raw.to_le_bytes()[..want]);
        });
    }

    /// Blends four neighbours for each pixel of a row; `value` gives a source pixel, 0 outside.
    #[inline]
    fn between<P>(
        &self,
        x: &Axis,
        y: i64,
        left: i32,
        value: impl Fn(&[u8], i64) -> u32,
        out: impl Iterator<Item = P>,
        store: impl Fn(P, u32),
    ) {
        let (row, wy) = tap(y);
        let rows = [self.view.row(index(row)), self.view.row(index(row + 1))];
        let mut position = x.at(left);
        // Neighbouring pixels often lie between the same two columns, or one further.
        let mut column = i64::MIN;
        let (mut lefts, mut rights) = ([0; 2], [0; 2]);
        for px in out {
            let (at, wx) = tap(position);
            if at != column {
                lefts = if at == column.wrapping_add(1) { rights } else { rows.map(|row| value(row, at)) };
                rights = rows.map(|row| value(row, at.saturating_add(1)));
                column = at;
            }
            store(px, blend([lefts[0], rights[0], lefts[1], rights[1]], wx, wy));
            position = position.saturating_add(x.step);
        }
    }

    /// A pixel as four channels to be blended: the raw bits of 32-bit pictures, widened otherwise.
    fn value(&self, row: &[u8], column: i64) -> u32 {
        let have = self.view.bytes_per_pixel();
        let at = index(column) as usize;
        let Some(px) = row.get(at * have..(at + 1) * have) else { return 0 };
        let px = localise(self.view.format, self.to, get(px, have, 0));
        match localised(self.view.format, self.to) {
            PixelFormat::Bgrx | PixelFormat::Bgra => px | self.opaque_bits(),
            other => to_argb(other, px),
        }
    }

    fn opaque_bits(&self) -> u32 {
        let opaque = self.opaque && localised(self.view.format, self.to) == PixelFormat::Bgrx;
        if opaque { 0xff00_0000 } else { 0 }
    }
}

/// Premultiplied ARGB values as bytes of as many pixels as both rows hold.
pub(super) fn argb_bytes(format: PixelFormat, row: &[u8], out: &mut [u8]) {
    let (out, _) = out.as_chunks_mut::<4>();
    match format {
        PixelFormat::Bgra => {
            let (out, len) = (out.as_flattened_mut(), row.len());
            let len = len.min(out.len());
            out[..len].copy_from_slice(&row[..len]);
        }
        PixelFormat::Bgrx => {
            for (v, &[b, g, r, _]) in out.iter_mut().zip(row.as_chunks::<4>().0) {
                *v = [b, g, r, 255];
            }
        }
        _ => {
            let bytes = bytes_per_pixel(format);
            for (v, px) in out.iter_mut().zip(row.chunks_exact(bytes)) {
                *v = to_argb(format, get(px, bytes, 0)).to_le_bytes();
            }
        }
    }
}

/// Left or upper pixel and the weight of its neighbour out of 256.
pub(super) fn tap(at: i64) -> (i64, u32) {
    let at = at - 0x8000;
    (at >> 16, ((at >> 9) as u32 & 127) << 1)
}

/// Weighs four pixels, channel by channel.
#[inline]
pub(super) fn blend([tl, tr, bl, br]: [u32; 4], wx: u32, wy: u32) -> u32 {
    // Two channels at once: 16 bits each after the first sum, 32 bits each after the second.
    let pair = |a: u32, b: u32, shift: u32| {
        let mixed = (a >> shift & 0x00ff_00ff) * (256 - wx) + (b >> shift & 0x00ff_00ff) * wx;
        u64::from(mixed & 0xffff) | u64::from(mixed >> 16) << 32
    };
    let column = |shift: u32| {
        let sum = pair(tl, tr, shift) * u64::from(256 - wy) + pair(bl, br, shift) * u64::from(wy);
        ((sum >> 16 & 0xff) | (sum >> 32 & 0xff_0000)) as u32
    };
    column(0) | column(8) << 8
}

/// A coordinate as an index that lies outside every picture if it is negative or too large.
fn index(at: i64) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// A rectangle moved, cut at the ends of the coordinate range.
pub(super) fn shifted(rect: &Rect, dx: i64, dy: i64) -> Rect {
    let cut = |v: i32, d: i64| {
        let v = i64::from(v).saturating_add(d).clamp(i64::from(i32::MIN), i64::from(i32::MAX));
        v as i32
    };
    Rect {
        top: cut(rect.top, dy),
        left: cut(rect.left, dx),
        bottom: cut(rect.bottom, dy),
        right: cut(rect.right, dx),
    }
}

/// Gives a buffer a length; what it holds is overwritten by the caller.
pub(super) fn resize(buffer: &mut Vec<u8>, len: usize) {
    if buffer.len() < len {
        buffer.resize(len, 0);
    } else {
        buffer.truncate(len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(src: Rect, dst: Rect, filter: Filter, pixels: &[u32], width: u32) -> Vec<u32> {
        let data: Vec<u8> = pixels.iter().flat_map(|p| p.to_le_bytes()).collect();
        let view = View::packed(&data, width, pixels.len() as u32 / width, PixelFormat::Bgrx);
        let mapping = Mapping::new(&src, &dst, filter);
        let source = Source { view, mapping, to: PixelFormat::Bgrx, opaque: false };
        let mut buffer = Vec::new();
        (dst.top..dst.bottom)
            .flat_map(|y| {
                let row = source.row(y, dst.left, dst.right, &mut buffer);
                row.as_chunks::<4>().0.iter().map(|px| u32::from_le_bytes(*px)).collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn nearest_gives_borders_to_the_left_pixel() {
        let row = [10, 20, 30, 40];
        let twice = scaled(Rect::at(0, 0, 4, 1), Rect::at(-3, 7, 8, 1), Filter::Nearest, &row, 4);
        assert_eq!(twice, [10, 10, 20, 20, 30, 30, 40, 40]);
        // Centres fall on borders between pixels: the left one is taken.
        let half = scaled(Rect::at(0, 0, 4, 1), Rect::at(0, 0, 2, 1), Filter::Nearest, &row, 4);
        assert_eq!(half, [10, 30]);
        let outside = scaled(Rect::at(2, 0, 4, 1), Rect::at(0, 0, 8, 1), Filter::Nearest, &row, 4);
        assert_eq!(outside, [30, 30, 40, 40, 0, 0, 0, 0]);
    }

    #[test]
    fn bilinear_fades_to_nothing_at_the_border_of_the_picture() {
        let out = scaled(Rect::at(0, 0, 2, 1), Rect::at(0, 0, 4, 1), Filter::Bilinear, &[0xff, 0xff], 2);
        // Vertically the tap lies on the row itself, horizontally a quarter pixel outside.
        assert_eq!(out, [0xbf, 0xff, 0xff, 0xbf]);
        let out =
            scaled(Rect::at(1, 0, 2, 1), Rect::at(0, 0, 4, 1), Filter::Bilinear, &[0, 0x80, 0x80, 0], 4);
        assert_eq!(out, [0x60, 0x80, 0x80, 0x60], "neighbours of the area bleed in");
    }

    #[test]
    fn extreme_areas_do_not_overflow() {
        let all = Rect { top: i32::MIN, left: i32::MIN, bottom: i32::MAX, right: i32::MAX };
        for (src, dst) in [(all, Rect::at(0, 0, 3, 3)), (Rect::at(0, 0, 1, 1), all), (all, all)] {
            for filter in [Filter::Nearest, Filter::Bilinear] {
                let mapping = Mapping::new(&src, &dst, filter);
                let view = View::packed(&[1, 2, 3, 4], 1, 1, PixelFormat::Bgrx);
                let source = Source { view, mapping, to: PixelFormat::Bgrx, opaque: true };
                let _ = source.row(1, 0, 3, &mut Vec::new());
                let _ = source.argb_row(2, 0, 3, &mut Vec::new());
                let _ = (source.cover(), mapping.rows_read(&dst));
            }
        }
        let _ = Axis::rop3(i32::MIN, u32::MAX, i32::MAX, 1).at(i32::MIN);
        let _ = Axis::rop3(i32::MAX, 1, 0, u32::MAX).at(5);
    }

    #[test]
    fn snapshots_cover_what_is_read() {
        let mapping = Mapping::new(&Rect::at(5, 10, 8, 8), &Rect::at(0, 0, 4, 16), Filter::Bilinear);
        let (first, end) = mapping.rows_read(&Rect::at(0, 0, 4, 16));
        assert!(first <= 9 && end >= 19, "{first}..{end}");
        assert_eq!(shifted(&Rect::at(1, 2, 3, 4), i64::MAX, i64::MIN).left, i32::MAX);
    }
}
