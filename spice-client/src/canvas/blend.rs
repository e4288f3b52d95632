//! ALPHA_BLEND: a premultiplied picture over the surface.

use spice_codecs::PixelFormat;

use crate::canvas::format::{bytes_per_pixel, from_argb, get, mul_pixel, over, put, to_argb};
use crate::canvas::job::Job;
use crate::canvas::kernel::{over_scaled, porter_duff};
use crate::canvas::sample::Source;

/// `D' = S · alpha + D · (1 − S.a · alpha)` on ARGB values.
///
/// `top_is_alpha` makes the top byte of an xRGB surface an alpha channel.
pub(super) fn alpha_blend(job: &mut Job<'_>, source: &Source<'_>, alpha: u8, top_is_alpha: bool) {
    if alpha == 0 {
        return;
    }
    let format = job.surface.format();
    job.for_each_run(source.cover(), |surface, rows, y, left, right| {
        let row = source.argb_row(y, left, right, &mut rows.source);
        over_row(surface.span_mut(y, left, right), format, row, alpha, top_is_alpha);
    });
}

/// Lays ARGB values, as bytes, over a row of a surface, all their channels multiplied by `alpha`.
///
/// The top byte of an xRGB surface becomes 0 unless it is an alpha channel.
pub(super) fn over_row(dst: &mut [u8], format: PixelFormat, argb: &[u8], alpha: u8, top_is_alpha: bool) {
    let bytes = bytes_per_pixel(format);
    if bytes == 4 {
        let opaque = format != PixelFormat::Bgra && !top_is_alpha;
        return match alpha {
            255 => porter_duff(OVER, dst, argb, opaque),
            _ => over_scaled(dst, argb, alpha, opaque),
        };
    }
    for (x, s) in argb.as_chunks::<4>().0.iter().enumerate() {
        let d = to_argb(format, get(dst, bytes, x));
        let s = mul_pixel(u32::from_le_bytes(*s), alpha.into());
        put(dst, bytes, x, from_argb(format, over(s, d)));
    }
}

/// The operator's number.
const OVER: u8 = 3;
