//! COPY, BLEND, OPAQUE, COPY_BITS, TRANSPARENT: pixels of a picture or of the surface itself.

use spice_codecs::PixelFormat;
use spice_proto::types::{Point, Rect};

use crate::canvas::format::{bytes_per_pixel, from_argb, get, localised};
use crate::canvas::job::Job;
use crate::canvas::mapping::shifted;
use crate::canvas::rop::Rop;
use crate::canvas::sample::Source;
use crate::canvas::surface::Surface;

/// `D' = f(S, D)`; pixels outside an unscaled picture stay as they are.
pub(super) fn copy(job: &mut Job<'_>, source: &Source<'_>, rop: Rop) {
    if rop == Rop::NOOP {
        return;
    }
    let mut source = *source;
    // A scaled copy is a composition of its own, in which pictures without alpha are opaque.
    source.opaque = rop == Rop::COPY
        && job.surface.format() == PixelFormat::Bgra
        && localised(source.view.format, PixelFormat::Bgra) == PixelFormat::Bgrx;
    if rop == Rop::COPY && job.mask.is_none() && source.is_raw() {
        let cover = source.cover().unwrap_or_default();
        for rect in job.region.rects().iter().map(|rect| rect.intersect(&cover)) {
            if let Some((rows, stride)) = source.raw_rows(&rect) {
                job.surface.copy_rect(rect, rows, stride);
            }
        }
        return;
    }
    job.for_each_run(source.cover(), |surface, rows, y, left, right| {
        let row = source.row(y, left, right, &mut rows.source);
        rop.apply(surface.span_mut(y, left, right), row);
    });
}

/// `D' = S` except where the picture has the colour `key`, 0x00RRGGBB.
pub(super) fn transparent(job: &mut Job<'_>, source: &Source<'_>, key: u32) {
    let format = job.surface.format();
    let bytes = bytes_per_pixel(format);
    let (key, bits) = match format {
        PixelFormat::Bgrx | PixelFormat::Bgra => (key & 0x00ff_ffff, 0x00ff_ffff),
        PixelFormat::Rgb555 | PixelFormat::Rgb565 => (from_argb(format, key), 0xffff),
        _ => (0, 0xff),
    };
    job.for_each_run(source.cover(), |surface, rows, y, left, right| {
        let row = source.row(y, left, right, &mut rows.source);
        let dst = surface.span_mut(y, left, right);
        for (d, s) in dst.chunks_exact_mut(bytes).zip(row.chunks_exact(bytes)) {
            if get(s, bytes, 0) & bits != key {
                d.copy_from_slice(s);
            }
        }
    });
}

/// Moves what lies at `src` to the box; all reads see the surface as it was.
pub(super) fn copy_bits(job: &mut Job<'_>, src: &Point) {
    let dx = i64::from(job.area.left) - i64::from(src.x);
    let dy = i64::from(job.area.top) - i64::from(src.y);
    job.region.clip_to(shifted(&job.surface.rect(), dx, dy));
    if (dx, dy) == (0, 0) {
        return;
    }
    // Against the direction of the move no rectangle overwrites what another has yet to read: from band to band,
    // and from column to column within a band.
    let rects = job.region.rects();
    let band = |r: &Rect| r.top;
    let mut at = 0;
    while at < rects.len() {
        // With dy > 0 bands are taken from the end of the list.
        let bands = if dy > 0 { &rects[..rects.len() - at] } else { &rects[at..] };
        let this = if dy > 0 { bands.last() } else { bands.first() }.map(band);
        let same = |r: &Rect| Some(band(r)) == this;
        let band = if dy > 0 {
            &bands[bands.len() - bands.iter().rev().take_while(|r| same(r)).count()..]
        } else {
            &bands[..bands.iter().take_while(|r| same(r)).count()]
        };
        if dx > 0 {
            band.iter().rev().for_each(|r| move_rect(job.surface, r, dx, dy));
        } else {
            band.iter().for_each(|r| move_rect(job.surface, r, dx, dy));
        }
        at += band.len();
    }
}

/// Moves one rectangle, rows against the direction of the move. Source and destination lie on the surface.
fn move_rect(surface: &mut Surface, to: &Rect, dx: i64, dy: i64) {
    let (stride, bytes) = (surface.stride(), surface.bytes_per_pixel());
    let from = shifted(to, -dx, -dy);
    let start = |left: i32, y: i32| y as usize * stride + left as usize * bytes;
    let len = to.width() as usize * bytes;
    let data = surface.data_mut();
    let mut row = |y: i32| {
        let src = start(from.left, from.top + (y - to.top));
        data.copy_within(src..src + len, start(to.left, y));
    };
    if dy > 0 {
        (to.top..to.bottom).rev().for_each(&mut row);
    } else {
        (to.top..to.bottom).for_each(&mut row);
    }
}
