//! ROP3: pattern, source and destination through a ternary code.

use spice_proto::types::Rect;

use crate::canvas::brush::Brush;
use crate::canvas::job::Job;
use crate::canvas::mapping::{Axis, Filter, Mapping};
use crate::canvas::outcome::Reason;
use crate::canvas::rop::apply3;
use crate::canvas::sample::Source;

/// `D' = f(P, S, D)`.
///
/// An unscaled picture must cover all that the command reads; a scaled one begins at a whole destination pixel.
pub(super) fn rop3(
    job: &mut Job<'_>,
    src_area: &Rect,
    filter: Filter,
    brush: &Brush<'_>,
    code: u8,
) -> Result<(), Reason> {
    let source = source(job, src_area, filter)?;
    let to = job.surface.format();
    job.for_each_run(None, |surface, rows, y, left, right| {
        let pattern = brush.row(to, y, left, right, &mut rows.brush);
        let row = source.row(y, left, right, &mut rows.source);
        apply3(code, surface.span_mut(y, left, right), row, pattern);
    });
    Ok(())
}

fn source<'a>(job: &Job<'a>, src: &Rect, filter: Filter) -> Result<Source<'a>, Reason> {
    let source = job.source(src, filter)?;
    let area = &job.area;
    if matches!(source.mapping, Mapping::Offset { .. }) {
        let inside = src.intersect(&source.view.rect()) == *src;
        return if inside { Ok(source) } else { Err(Reason::SourceRange) };
    }
    let x = Axis::rop3(src.left, src.width(), area.left, area.width());
    let y = Axis::rop3(src.top, src.height(), area.top, area.height());
    Ok(Source { mapping: Mapping::Scaled { x, y, filter }, ..source })
}
