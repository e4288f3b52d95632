//! TEXT: a background, and a brush through the coverage of glyphs.

use spice_codecs::PixelFormat;
use spice_proto::msg::display::{Brush as WireBrush, Glyph, GlyphString};
use spice_proto::types::Rect;

use crate::canvas::blend::over_row;
use crate::canvas::brush::Brush;
use crate::canvas::format::{bytes_per_pixel, mul_pixel, to_argb};
use crate::canvas::job::{Job, Rows};
use crate::canvas::rop::Rop;
use crate::canvas::sample::resize;
use crate::canvas::surface::Surface;

/// Fills the part of the region that lies in `area`, without regard to what was there.
pub(super) fn background(job: &mut Job<'_>, area: Rect, brush: &Brush<'_>) {
    let format = job.surface.format();
    let bytes = bytes_per_pixel(format);
    job.for_each_run(Some(area), |surface, rows, y, left, right| match brush {
        Brush::Solid(color) => Rop::COPY.fill(surface.span_mut(y, left, right), bytes, *color),
        Brush::Pattern { .. } => {
            let row = brush.row(format, y, left, right, &mut rows.brush);
            Rop::COPY.apply(surface.span_mut(y, left, right), row);
        }
    });
}

/// Paints the glyphs, where they lie in the region.
pub(super) fn glyphs(job: &mut Job<'_>, string: &GlyphString, wire: &WireBrush, brush: &Brush<'_>) {
    let Some(bounds) = bounds(string) else { return };
    let visible = bounds.cut(&job.region.extents());
    if visible.is_empty() {
        return;
    }
    let width = visible.width() as usize;
    let mut coverage = std::mem::take(&mut job.rows.coverage);
    coverage.clear();
    resize(&mut coverage, width * visible.height() as usize);
    for glyph in string.glyphs() {
        cover(&glyph, string.bits_per_pixel(), &visible, &mut coverage);
    }
    let format = job.surface.format();
    let solid = match wire {
        WireBrush::Solid(color) => Some(solid(format, *color)),
        _ => None,
    };
    let paint = |surface: &mut Surface, rows: &mut Rows, y: i32, left: i32, right: i32| {
        let start = (y - visible.top) as usize * width + (left - visible.left) as usize;
        let coverage = &coverage[start..start + right.abs_diff(left) as usize];
        let mut at = 0;
        // Pixels without coverage keep even the byte that has no meaning.
        while let Some(skip) = coverage[at..].iter().position(|&m| m != 0) {
            let from = at + skip;
            let len = coverage[from..].iter().position(|&m| m == 0).unwrap_or(coverage.len() - from);
            rows.argb.clear();
            for (x, &m) in (from..).zip(&coverage[from..from + len]) {
                let color = solid.unwrap_or_else(|| {
                    let (x, y) = (i64::from(left) + x as i64, i64::from(y));
                    brush.pattern_argb(format, x - bounds.left, y - bounds.top)
                });
                rows.argb.extend(mul_pixel(color, m.into()).to_le_bytes());
            }
            let (l, r) = (left + from as i32, left + (from + len) as i32);
            over_row(surface.span_mut(y, l, r), format, &rows.argb, 255, false);
            at = from + len;
        }
    };
    job.for_each_run(Some(visible), paint);
    job.rows.coverage = coverage;
}

/// The colour number of a text brush as a value. On both 16-bit formats it is read as 555.
fn solid(format: PixelFormat, color: u32) -> u32 {
    match format {
        PixelFormat::Rgb555 | PixelFormat::Rgb565 => to_argb(PixelFormat::Rgb555, color),
        _ => 0xff00_0000 | color,
    }
}

/// A rectangle that may reach beyond the coordinates of the wire.
#[derive(Clone, Copy)]
struct Wide {
    left: i64,
    top: i64,
    right: i64,
    bottom: i64,
}

impl Wide {
    fn of(glyph: &Glyph) -> Self {
        let header = &glyph.header;
        let left = i64::from(header.render_pos.x) + i64::from(header.glyph_origin.x);
        let top = i64::from(header.render_pos.y) + i64::from(header.glyph_origin.y);
        Self { left, top, right: left + i64::from(header.width), bottom: top + i64::from(header.height) }
    }

    /// The part inside a rectangle of the surface.
    fn cut(&self, within: &Rect) -> Rect {
        let x = |v: i64| v.clamp(i64::from(within.left), i64::from(within.right)) as i32;
        let y = |v: i64| v.clamp(i64::from(within.top), i64::from(within.bottom)) as i32;
        Rect { top: y(self.top), left: x(self.left), bottom: y(self.bottom), right: x(self.right) }
    }
}

/// The box of the whole string, wherever it lies.
fn bounds(string: &GlyphString) -> Option<Wide> {
    string.glyphs().map(|glyph| Wide::of(&glyph)).reduce(|a, b| Wide {
        left: a.left.min(b.left),
        top: a.top.min(b.top),
        right: a.right.max(b.right),
        bottom: a.bottom.max(b.bottom),
    })
}

/// Adds a glyph to the coverage of `visible`: the larger value stays.
fn cover(glyph: &Glyph, bits: u8, visible: &Rect, coverage: &mut [u8]) {
    let place = Wide::of(glyph);
    let part = place.cut(visible);
    let (width, height) = (usize::from(glyph.header.width), i64::from(glyph.header.height));
    let stride = (width * usize::from(bits)).div_ceil(8);
    if part.is_empty() || stride == 0 {
        return;
    }
    for y in part.top..part.bottom {
        // The lowest row comes first.
        let k = place.top + height - 1 - i64::from(y);
        let row = usize::try_from(k).ok().and_then(|k| glyph.data.get(k * stride..(k + 1) * stride));
        let Some(row) = row else { continue };
        let first = (i64::from(part.left) - place.left) as usize;
        let start =
            (y - visible.top) as usize * visible.width() as usize + (part.left - visible.left) as usize;
        let line = coverage.get_mut(start..start + part.width() as usize).unwrap_or(&mut []);
        for (x, m) in (first..).zip(line) {
            let value = match bits {
                1 => row[x / 8] << (x % 8) >> 7 & 1,
                4 => row[x / 2] << (x % 2 * 4) & 0xf0,
                _ => row[x],
            };
            *m = (*m).max(if bits == 1 { value * 255 } else { value });
        }
    }
}
