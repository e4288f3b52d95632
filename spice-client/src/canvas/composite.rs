//! COMPOSITE: source, mask and destination by the operators of X Render.

use spice_codecs::PixelFormat;
use spice_proto::msg::display::{Composite, CompositeFilter, CompositeFlags};

use crate::canvas::format::{bytes_per_pixel, from_argb, get, localised, put, to_argb};
use crate::canvas::job::Job;
use crate::canvas::kernel::{porter_duff, scale_by_alpha};
use crate::canvas::mapping::Filter;
use crate::canvas::operators::{Operator, combine};
use crate::canvas::outcome::Reason;
use crate::canvas::sample::resize;
use crate::canvas::sampler::Sampler;
use crate::canvas::surface::View;
use crate::canvas::wide;

/// Draws a composition; `opaque_source` says that the source's alpha is to be taken as 1. One that takes more than
/// `most` pixels from its pictures is refused.
pub(super) fn composite(
    job: &mut Job<'_>,
    fields: &Composite,
    opaque_source: bool,
    mask: Option<View<'_>>,
    kinds: Kinds,
    most: u64,
) -> Result<(), Reason> {
    let flags = fields.flags;
    let mut operator = Operator::from_wire(flags.operator()).ok_or(Reason::Unsupported("operator"))?;
    let to = job.surface.format();
    let source = Sampler {
        view: job.source_view()?,
        origin: fields.src_origin,
        transform: fields.src_transform,
        filter: filter(flags.source_filter())?,
        repeat: flags.source_repeat(),
        anchor: job.area,
        opaque: opaque_source,
        local: local(job.source_view()?.format, to, kinds.source),
    };
    let mask = match mask {
        None => None,
        Some(view) => Some(Sampler {
            view,
            local: local(view.format, to, kinds.mask),
            origin: fields.mask_origin,
            transform: fields.mask_transform,
            filter: filter(flags.mask_filter())?,
            repeat: flags.mask_repeat(),
            opaque: false,
            ..source
        }),
    };
    let component = flags.contains(CompositeFlags::COMPONENT_ALPHA) && mask.is_some();
    let extents = job.region.extents();
    // A mask for each channel weakens colours even where its alpha is 1.
    let whole = |mask: &Sampler<'_>| !component && mask.is_opaque(&extents);
    if source.is_opaque(&extents) && mask.as_ref().is_none_or(whole) {
        operator = operator.with_opaque_source();
    }
    let fractions = if operator.wide().is_some() { FRACTION_SAMPLES } else { 0 };
    let each = source.samples() + mask.as_ref().map_or(0, Sampler::samples) + fractions;
    let value = job.region.pixels().saturating_mul(each);
    if value > most {
        return Err(Reason::Limit { limit: "composite_samples", value, bound: most });
    }
    if let Some(number) = operator.wide() {
        composite_wide(job, number, &source, mask.as_ref(), component);
        return Ok(());
    }
    let porter = operator.porter_duff().filter(|_| !component && bytes_per_pixel(to) == 4);
    job.for_each_run(None, |surface, rows, y, left, right| {
        let width = right.abs_diff(left) as usize;
        let dst = surface.span_mut(y, left, right);
        let opaque = to == PixelFormat::Bgrx;
        if let (Some(number), None, Some(row)) = (porter, &mask, source.in_place(y, left, width)) {
            return porter_duff(number, dst, row, opaque);
        }
        for row in [&mut rows.argb, &mut rows.mask] {
            resize(row, width * 4);
        }
        source.row(y, left, &mut rows.argb);
        if let Some(mask) = &mask {
            mask.row(y, left, &mut rows.mask);
        }
        if let Some(number) = porter {
            if mask.is_some() {
                scale_by_alpha(&mut rows.argb, &rows.mask);
            }
            return porter_duff(number, dst, &rows.argb, opaque);
        }
        let masks = mask.is_some().then_some(&rows.mask[..]);
        combine_row(dst, to, operator, &rows.argb, masks, component);
    });
    Ok(())
}

/// Draws by an operator on fractions.
fn composite_wide(
    job: &mut Job<'_>,
    op: u8,
    source: &Sampler<'_>,
    mask: Option<&Sampler<'_>>,
    component: bool,
) {
    let format = job.surface.format();
    let bytes = bytes_per_pixel(format);
    let keep = if format == PixelFormat::Bgrx { 0x00ff_ffff } else { u32::MAX };
    job.for_each_run(None, |surface, _, y, left, right| {
        let dst = surface.span_mut(y, left, right);
        for (i, x) in (left..right).enumerate() {
            let mask = mask.map(|mask| mask.fractions(x, y));
            let d = wide::from_pixel(format, get(dst, bytes, i));
            let out = wide::combine(op, source.fractions(x, y), mask, component, d);
            put(dst, bytes, i, from_argb(format, wide::to_argb(out)) & keep);
        }
    });
}

fn combine_row(
    dst: &mut [u8],
    format: PixelFormat,
    operator: Operator,
    source: &[u8],
    masks: Option<&[u8]>,
    component: bool,
) {
    let bytes = bytes_per_pixel(format);
    let keep = if format == PixelFormat::Bgrx { 0x00ff_ffff } else { u32::MAX };
    for (x, s) in source.as_chunks::<4>().0.iter().enumerate() {
        let mask = masks.map_or(u32::MAX, |row| get(row, 4, x));
        let d = to_argb(format, get(dst, bytes, x));
        let out = combine(operator, u32::from_le_bytes(*s), mask, component, d);
        put(dst, bytes, x, from_argb(format, out) & keep);
    }
}

/// What pictures of a composition are. Surfaces are drawn as they are, bitmaps are converted to the destination.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kinds {
    /// The source is a surface.
    pub(super) source: bool,
    /// The mask is a surface.
    pub(super) mask: bool,
}

fn filter(filter: CompositeFilter) -> Result<Filter, Reason> {
    match filter {
        CompositeFilter::FAST | CompositeFilter::NEAREST => Ok(Filter::Nearest),
        CompositeFilter::GOOD | CompositeFilter::BEST | CompositeFilter::BILINEAR => Ok(Filter::Bilinear),
        _ => Err(Reason::Unsupported("filter")),
    }
}

/// The format in which a picture takes part.
fn local(from: PixelFormat, to: PixelFormat, is_surface: bool) -> PixelFormat {
    if is_surface { from } else { localised(from, to) }
}

/// What working on fractions costs for each pixel, in pixels taken from pictures.
const FRACTION_SAMPLES: u64 = 2;
