//! Rows of a picture as the source of a command.

use spice_codecs::PixelFormat;
use spice_proto::types::Rect;

use crate::canvas::format::{
    bytes_per_pixel, get, is_same_layout, localise, localise_row, localised, to_argb,
};
use crate::canvas::mapping::{Axis, Filter, Mapping, shifted};
use crate::canvas::surface::View;

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

    /// A pixel as four channels to be blended: the raw bits of 32-bit pictures, widened otherwise.
    pub(super) fn value(&self, row: &[u8], column: i64) -> u32 {
        let have = self.view.bytes_per_pixel();
        let at = index(column) as usize;
        let Some(px) = row.get(at * have..(at + 1) * have) else { return 0 };
        let px = localise(self.view.format, self.to, get(px, have, 0));
        match localised(self.view.format, self.to) {
            PixelFormat::Bgrx | PixelFormat::Bgra => px | self.opaque_bits(),
            other => to_argb(other, px),
        }
    }

    pub(super) fn opaque_bits(&self) -> u32 {
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

/// A coordinate as an index that lies outside every picture if it is negative or too large.
pub(super) fn index(at: i64) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
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
    }
}
