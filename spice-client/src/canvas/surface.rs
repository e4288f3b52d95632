//! Memory of a surface, and views of pixels.

use spice_codecs::{CodecError, PixelFormat, PixelsMut};
use spice_proto::types::Rect;

use crate::canvas::format::{bytes_per_pixel, get, to_argb};
use crate::canvas::rop::Rop;

/// Rows of pixels that drawing commands change.
#[derive(Debug, Default)]
pub(super) struct Surface {
    data: Vec<u8>,
    width: u32,
    height: u32,
    stride: usize,
    format: Option<PixelFormat>,
}

impl Surface {
    /// A surface whose pixels are all 0. The caller has checked the size.
    pub(super) fn new(width: u32, height: u32, format: PixelFormat) -> Self {
        let stride = (width as usize * bytes_per_pixel(format)).next_multiple_of(4);
        Self { data: vec![0; stride * height as usize], width, height, stride, format: Some(format) }
    }

    pub(super) fn width(&self) -> u32 {
        self.width
    }

    pub(super) fn height(&self) -> u32 {
        self.height
    }

    pub(super) fn format(&self) -> PixelFormat {
        self.format.unwrap_or(PixelFormat::Bgrx)
    }

    pub(super) fn bytes_per_pixel(&self) -> usize {
        bytes_per_pixel(self.format())
    }

    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> u64 {
        self.data.len() as u64
    }

    /// The whole surface as a rectangle.
    pub(super) fn rect(&self) -> Rect {
        Rect::at(0, 0, to_i32(self.width), to_i32(self.height))
    }

    pub(super) fn data_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// Puts one raw pixel everywhere in `area`, which must lie on the surface.
    pub(super) fn fill_rect(&mut self, area: Rect, pixel: u32) {
        let (stride, bytes) = (self.stride, self.bytes_per_pixel());
        let Some((data, len)) = self.area_mut(area) else { return };
        let [first, ..] = pixel.to_le_bytes();
        if pixel.to_le_bytes()[..bytes].iter().all(|byte| *byte == first) {
            match len == stride {
                true => data.fill(first),
                false => data.chunks_mut(stride).for_each(|row| row[..len].fill(first)),
            }
            return;
        }
        // What was just written is the fastest source of the rest.
        let rows = if len == stride { (HOT_BYTES / stride).max(1) } else { 1 };
        let (len, step) = ((stride * (rows - 1) + len).min(data.len()), stride * rows);
        Rop::COPY.fill(&mut data[..len], bytes, pixel);
        for at in (step..data.len()).step_by(step) {
            data.copy_within(..len.min(data.len() - at), at);
        }
    }

    /// Puts `rows`, which begin every `row_stride` bytes, into `area`, which must lie on the surface.
    pub(super) fn copy_rect(&mut self, area: Rect, rows: &[u8], row_stride: usize) {
        let stride = self.stride;
        let Some((data, len)) = self.area_mut(area) else { return };
        if (len, len) == (stride, row_stride) && data.len() == rows.len() {
            return data.copy_from_slice(rows);
        }
        let (mut to, mut from) = (0, 0);
        // Not by chunks: most rows are short, and finding them would take as long as copying them.
        while let (Some(dst), Some(src)) = (data.get_mut(to..to + len), rows.get(from..from + len)) {
            dst.copy_from_slice(src);
            (to, from) = (to + stride, from + row_stride.max(1));
        }
    }

    /// The bytes from the first pixel of `area` to its last, and how many a row of it has.
    fn area_mut(&mut self, area: Rect) -> Option<(&mut [u8], usize)> {
        if area.is_empty() || area.intersect(&self.rect()) != area {
            return None;
        }
        let (bytes, stride) = (self.bytes_per_pixel(), self.stride);
        let start = area.top as usize * stride + area.left as usize * bytes;
        let end = (area.bottom as usize - 1) * stride + area.right as usize * bytes;
        Some((self.data.get_mut(start..end)?, area.width() as usize * bytes))
    }

    /// Columns `left..right` of row `y`; empty if they do not lie on the surface.
    pub(super) fn span_mut(&mut self, y: i32, left: i32, right: i32) -> &mut [u8] {
        let bytes = self.bytes_per_pixel();
        let (Ok(y), Ok(left), Ok(right)) =
            (usize::try_from(y), usize::try_from(left), usize::try_from(right))
        else {
            return &mut [];
        };
        let start = y * self.stride;
        self.data.get_mut(start + left * bytes..start + right * bytes).unwrap_or(&mut [])
    }

    /// A rectangle as a decoder's destination. `rect` must lie on the surface, `format` must have the surface's
    /// pixel size.
    pub(super) fn target(&mut self, rect: Rect, format: PixelFormat) -> Result<PixelsMut<'_>, CodecError> {
        let start =
            rect.top.max(0) as usize * self.stride + rect.left.max(0) as usize * self.bytes_per_pixel();
        let data = self.data.get_mut(start..).unwrap_or(&mut []);
        PixelsMut::new(data, rect.width(), rect.height(), self.stride, format)
    }

    pub(super) fn fill_zero(&mut self) {
        self.data.fill(0);
    }

    pub(super) fn view(&self) -> View<'_> {
        View {
            data: &self.data,
            width: self.width,
            height: self.height,
            stride: self.stride,
            format: self.format(),
            bottom_up: false,
            first_row: 0,
        }
    }
}

/// Bytes that stay in a processor's first cache while others are written.
const HOT_BYTES: usize = 16 << 10;

/// Pixels borrowed from the canvas, in the format in which they are kept.
///
/// Rows run from top to bottom. One-bit surfaces are kept as one byte per pixel, 0 or 255.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub(super) data: &'a [u8],
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) stride: usize,
    pub(super) format: PixelFormat,
    /// The first row in memory is the lowest.
    pub(super) bottom_up: bool,
    /// Row of the picture that the first row in memory is.
    pub(super) first_row: u32,
}

impl<'a> View<'a> {
    /// Rows without padding, top row first.
    pub(super) fn packed(data: &'a [u8], width: u32, height: u32, format: PixelFormat) -> Self {
        let stride = width as usize * bytes_per_pixel(format);
        Self { data, width, height, stride, format, bottom_up: false, first_row: 0 }
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Format of the pixels. The top byte of `Bgrx` has no meaning and may hold anything.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// Bytes of one pixel in [`row`](Self::row).
    pub fn bytes_per_pixel(&self) -> usize {
        bytes_per_pixel(self.format)
    }

    /// The bytes of row `y`, without padding; empty if there is no such row.
    pub fn row(&self, y: u32) -> &'a [u8] {
        let row = self.width as usize * self.bytes_per_pixel();
        let Some(mut y) = y.checked_sub(self.first_row).filter(|_| y < self.height) else { return &[] };
        if self.bottom_up {
            y = self.height - 1 - y;
        }
        let start = (y as usize).saturating_mul(self.stride);
        self.data.get(start..start.saturating_add(row)).unwrap_or(&[])
    }

    /// The bytes from the first pixel of `area` to its last, with what lies between its rows, and the bytes from one
    /// row's beginning to the next one's: for renderers that take pixels out of such memory without a copy.
    ///
    /// `None` when `area` is empty or leaves the view, or the rows do not run from top to bottom.
    pub fn span(&self, area: Rect) -> Option<(&'a [u8], usize)> {
        if self.bottom_up || area.is_empty() || area.intersect(&self.rect()) != area {
            return None;
        }
        let bytes = self.bytes_per_pixel();
        let top = u32::try_from(area.top).ok()?.checked_sub(self.first_row)? as usize;
        let last = u32::try_from(area.bottom).ok()?.checked_sub(self.first_row + 1)? as usize;
        let start = top.checked_mul(self.stride)? + area.left as usize * bytes;
        let end = last.checked_mul(self.stride)? + area.right as usize * bytes;
        Some((self.data.get(start..end)?, self.stride))
    }

    /// Writes `area` as rows of bytes b, g, r, 255 without padding and returns the bytes written.
    ///
    /// `area` is in pixels of the surface and is cut to it; `out` is filled as far as it reaches, in whole rows.
    pub fn write_bgrx(&self, area: Rect, out: &mut [u8]) -> usize {
        self.write(area, out, |argb| argb | 0xff00_0000)
    }

    /// Writes `area` as rows of bytes r, g, b, 255 without padding and returns the bytes written.
    ///
    /// `area` is in pixels of the surface and is cut to it; `out` is filled as far as it reaches, in whole rows.
    pub fn write_rgba(&self, area: Rect, out: &mut [u8]) -> usize {
        self.write(area, out, |argb| argb & 0xff00 | (argb & 0xff) << 16 | argb >> 16 & 0xff | 0xff00_0000)
    }

    /// The whole view as a rectangle.
    pub fn rect(&self) -> Rect {
        Rect::at(0, 0, to_i32(self.width), to_i32(self.height))
    }

    fn write(&self, area: Rect, out: &mut [u8], f: impl Fn(u32) -> u32) -> usize {
        let area = area.intersect(&self.rect());
        if area.is_empty() {
            return 0;
        }
        let (left, width, bytes) = (area.left as usize, area.width() as usize, self.bytes_per_pixel());
        let mut written = 0;
        for (line, y) in out.chunks_exact_mut(width * 4).zip(area.top..area.bottom) {
            let Some(row) = self.row(y as u32).get(left * bytes..(left + width) * bytes) else { break };
            let (pixels, _) = line.as_chunks_mut();
            if bytes == 4 {
                for (dst, src) in pixels.iter_mut().zip(row.as_chunks().0) {
                    *dst = f(u32::from_le_bytes(*src)).to_le_bytes();
                }
            } else {
                for (x, dst) in pixels.iter_mut().enumerate() {
                    *dst = f(to_argb(self.format, get(row, bytes, x))).to_le_bytes();
                }
            }
            written += line.len();
        }
        written
    }
}

/// A size in pixels as a coordinate; sizes of surfaces and pictures are far below the limit.
pub(super) fn to_i32(v: u32) -> i32 {
    i32::try_from(v).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_convert_on_request() {
        let mut surface = Surface::new(3, 2, PixelFormat::Rgb565);
        surface.span_mut(1, 1, 3).copy_from_slice(&[0x00, 0xf8, 0x1f, 0x00]);
        let view = surface.view();
        assert_eq!((view.width(), view.height(), view.bytes_per_pixel()), (3, 2, 2));
        assert_eq!(view.row(1), [0, 0, 0x00, 0xf8, 0x1f, 0x00]);
        assert!(view.row(2).is_empty());
        let mut out = [1; 8];
        assert_eq!(view.write_rgba(Rect::at(1, 1, 9, 9), &mut out), 8);
        assert_eq!(out, [255, 0, 0, 255, 0, 0, 255, 255]);
        assert_eq!(view.write_bgrx(Rect::at(1, 1, 2, 1), &mut out), 8);
        assert_eq!(out, [0, 0, 255, 255, 255, 0, 0, 255]);
        assert_eq!(view.write_bgrx(Rect::at(5, 1, 2, 1), &mut out), 0);
        assert_eq!(view.write_bgrx(Rect::at(0, 0, 3, 2), &mut out), 0, "no whole row fits");
    }

    #[test]
    fn spans_of_a_view_reach_from_first_to_last_pixel() {
        let mut surface = Surface::new(3, 3, PixelFormat::Bgrx);
        surface.span_mut(1, 1, 2).copy_from_slice(&[1, 2, 3, 4]);
        surface.span_mut(2, 2, 3).copy_from_slice(&[5, 6, 7, 8]);
        let view = surface.view();
        let (bytes, stride) = view.span(Rect::at(1, 1, 2, 2)).unwrap();
        assert_eq!((stride, bytes.len()), (12, 20));
        assert_eq!((&bytes[..4], &bytes[16..]), (&[1, 2, 3, 4][..], &[5, 6, 7, 8][..]));
        for outside in [Rect::at(-1, 0, 2, 2), Rect::at(2, 2, 2, 1), Rect::at(0, 0, 0, 1)] {
            assert!(view.span(outside).is_none(), "{outside:?}");
        }
    }

    #[test]
    fn rectangles_are_filled_and_copied_row_by_row() {
        let mut surface = Surface::new(3, 3, PixelFormat::Rgb565);
        surface.fill_rect(Rect::at(1, 0, 2, 2), 0x0102);
        surface.fill_rect(Rect::at(0, 2, 3, 1), 0x0505);
        surface.fill_rect(Rect::at(2, 2, 2, 1), 0x0909);
        surface.copy_rect(Rect::at(0, 1, 1, 2), &[7, 8, 0, 0, 9, 10], 4);
        surface.copy_rect(Rect::at(0, 0, 1, 4), &[1; 8], 2);
        let rows: Vec<&[u8]> = (0..3).map(|y| surface.view().row(y)).collect();
        assert_eq!(rows, [[0, 0, 2, 1, 2, 1], [7, 8, 2, 1, 2, 1], [9, 10, 5, 5, 5, 5]]);
    }

    #[test]
    fn spans_outside_the_surface_are_empty() {
        let mut surface = Surface::new(3, 2, PixelFormat::Bgrx);
        assert_eq!(surface.span_mut(1, 0, 3).len(), 12);
        assert!(surface.span_mut(2, 0, 3).is_empty());
        assert!(surface.span_mut(-1, 0, 3).is_empty());
        assert!(surface.span_mut(0, 2, 1).is_empty());
    }
}
