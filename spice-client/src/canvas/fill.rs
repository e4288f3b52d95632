//! FILL, BLACKNESS, WHITENESS, INVERS: a brush or a constant over a region.

use crate::canvas::brush::Brush;
use crate::canvas::format::bytes_per_pixel;
use crate::canvas::job::Job;
use crate::canvas::rop::Rop;

/// `D' = f(P, D)`.
pub(super) fn fill(job: &mut Job<'_>, brush: &Brush<'_>, rop: Rop) {
    if rop == Rop::NOOP {
        return;
    }
    let format = job.surface.format();
    let bytes = bytes_per_pixel(format);
    match brush {
        Brush::Solid(color) if let (Some(pixel), None) = (rop.constant(*color), &job.mask) => {
            job.region.rects().iter().for_each(|r| job.surface.fill_rect(*r, pixel));
        }
        Brush::Solid(color) => {
            job.for_each_run(None, |surface, _, y, left, right| {
                rop.fill(surface.span_mut(y, left, right), bytes, *color);
            });
        }
        Brush::Pattern { .. } => job.for_each_run(None, |surface, rows, y, left, right| {
            let row = brush.row(format, y, left, right, &mut rows.brush);
            rop.apply(surface.span_mut(y, left, right), row);
        }),
    }
}
