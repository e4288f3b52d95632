//! COMPOSITE: source, mask and destination by the operators of X Render.

use spice_codecs::PixelFormat;
use spice_proto::msg::display::{Composite, CompositeFilter, CompositeFlags, CompositeRepeat};
use spice_proto::types::{Point16, Rect, Transform};

use crate::canvas::bilinear::{blend, tap};
use crate::canvas::format::{bytes_per_pixel, from_argb, get, localise, localised, put, to_argb};
use crate::canvas::job::Job;
use crate::canvas::kernel::{porter_duff, scale_by_alpha};
use crate::canvas::mapping::Filter;
use crate::canvas::operators::{Operator, combine};
use crate::canvas::outcome::Reason;
use crate::canvas::sample::{argb_bytes, resize};
use crate::canvas::surface::View;
use crate::canvas::wide::{self, Fractions};

/// Draws a composition; `opaque_source` says that the source's alpha is to be taken as 1.
pub(super) fn composite(
    job: &mut Job<'_>,
    fields: &Composite,
    opaque_source: bool,
    mask: Option<View<'_>>,
    kinds: Kinds,
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

fn filter(filter: CompositeFilter) -> Result<Filter, Reason> {
    match filter {
        CompositeFilter::FAST | CompositeFilter::NEAREST => Ok(Filter::Nearest),
        CompositeFilter::GOOD | CompositeFilter::BEST | CompositeFilter::BILINEAR => Ok(Filter::Bilinear),
        _ => Err(Reason::Unsupported("filter")),
    }
}

const BGRA: PixelFormat = PixelFormat::Bgra;

/// One picture of a composition.
#[derive(Clone, Copy)]
struct Sampler<'a> {
    view: View<'a>,
    origin: Point16,
    transform: Option<Transform>,
    filter: Filter,
    repeat: CompositeRepeat,
    /// The command's box.
    anchor: Rect,
    opaque: bool,
    /// The format that a bitmap is converted to first.
    local: PixelFormat,
}

/// What pictures of a composition are. Surfaces are drawn as they are, bitmaps are converted to the destination.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kinds {
    /// The source is a surface.
    pub(super) source: bool,
    /// The mask is a surface.
    pub(super) mask: bool,
}

/// The format in which a picture takes part.
fn local(from: PixelFormat, to: PixelFormat, is_surface: bool) -> PixelFormat {
    if is_surface { from } else { localised(from, to) }
}

impl<'a> Sampler<'a> {
    /// The row of ARGB values where the picture itself has it, `width` pixels from column `left` on.
    fn in_place(&self, y: i32, left: i32, width: usize) -> Option<&'a [u8]> {
        if self.transform.is_some() || self.opaque || (self.view.format, self.local) != (BGRA, BGRA) {
            return None;
        }
        let x = i64::from(self.origin.x) + i64::from(left) - i64::from(self.anchor.left);
        let y = i64::from(self.origin.y) + i64::from(y) - i64::from(self.anchor.top);
        let (x, y) = (usize::try_from(x).ok()?, u32::try_from(y).ok()?);
        self.view.row(y).get(x.checked_mul(4)?..x.checked_add(width)?.checked_mul(4)?)
    }

    /// ARGB values, as bytes, for the pixels from column `left` on.
    fn row(&self, y: i32, left: i32, out: &mut [u8]) {
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
                Filter::Nearest => self.at((x - 1) >> 16, (y - 1) >> 16),
                Filter::Bilinear => {
                    let ((column, wx), (row, wy)) = (tap(x), tap(y));
                    let four =
                        [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| self.at(column + dx, row + dy));
                    blend(four, wx, wy)
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
    fn fractions(&self, x: i32, y: i32) -> Fractions {
        let i = i64::from(x) - i64::from(self.anchor.left);
        let j = i64::from(y) - i64::from(self.anchor.top);
        let at = |x: i64, y: i64| match (self.index(x, self.view.width), self.index(y, self.view.height)) {
            (Some(x), Some(y)) => {
                let [a, r, g, b] = wide::from_pixel(self.local, self.raw(self.view.row(y), x));
                if self.opaque { [1.0, r, g, b] } else { [a, r, g, b] }
            }
            _ => [0.0; 4],
        };
        let Some(transform) = self.transform else {
            return at(i64::from(self.origin.x) + i, i64::from(self.origin.y) + j);
        };
        let (x, y) = start(&transform, &self.origin, i, j);
        match self.filter {
            Filter::Nearest => at((x - 1) >> 16, (y - 1) >> 16),
            Filter::Bilinear => {
                let (x, y) = (x - 0x8000, y - 0x8000);
                let (column, row) = (x >> 16, y >> 16);
                let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| at(column + dx, row + dy));
                wide::blend(four, x as u32 & 0xffff, y as u32 & 0xffff)
            }
        }
    }

    /// Whether all values for a part of the destination have an alpha of 1, as far as that is clear beforehand.
    fn is_opaque(&self, part: &Rect) -> bool {
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

    fn at(&self, x: i64, y: i64) -> u32 {
        match (self.index(x, self.view.width), self.index(y, self.view.height)) {
            (Some(x), Some(y)) => self.pixel(self.view.row(y), x),
            _ => 0,
        }
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
        let n = match self.repeat {
            CompositeRepeat::NORMAL => n.rem_euclid(size),
            CompositeRepeat::PAD => n.clamp(0, size - 1),
            CompositeRepeat::REFLECT => {
                let m = n.rem_euclid(2 * size);
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
