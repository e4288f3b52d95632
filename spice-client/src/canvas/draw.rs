//! From a drawing message to a [`Job`], and what each message does with it.

use spice_codecs::PixelFormat;
use spice_proto::msg::display::{
    AlphaFlags, Brush as WireBrush, Clip, CompositeFlags, CopyBits, DisplayBase, DrawAlphaBlend,
    DrawBlackness, DrawBlend, DrawComposite, DrawCopy, DrawFill, DrawInvers, DrawOpaque, DrawRop3,
    DrawStroke, DrawText, DrawTransparent, DrawWhiteness, Image, ImageData, LineFlags, QMask, RopDescriptor,
    ScaleMode,
};
use spice_proto::types::{Rect, SurfaceId};
use spice_proto::wire::Ptr;

use crate::canvas::brush::Brush;
use crate::canvas::dash::Style;
use crate::canvas::images::{Direct, Images, Purpose, SLOTS, SOURCE, is_indexed};
use crate::canvas::job::{Job, filter, mask};
use crate::canvas::mask::Mask;
use crate::canvas::outcome::{Applied, CanvasError, Operation, Reason};
use crate::canvas::rop::{Rop, ropd};
use crate::canvas::sample::{Filter, Mapping};
use crate::canvas::surface::{Surface, View};
use crate::canvas::waiting::fingerprint;
use crate::canvas::{Canvas, blend, composite, copy, fill, rop3, stroke, text};

/// What a command reads besides its destination.
#[derive(Default)]
struct Reads<'m> {
    source: Option<&'m Image>,
    /// The part of the source, where it is copied by plain rules.
    src_area: Option<&'m Rect>,
    brush: Option<&'m WireBrush>,
    /// A picture in the place of the brush's pattern.
    second: Option<&'m Image>,
    mask: Option<&'m QMask>,
}

impl<'m> Reads<'m> {
    fn masked(mask: &'m QMask) -> Self {
        Self { mask: Some(mask), ..Self::default() }
    }

    /// The images by slot, in the order in which they are to be resolved.
    fn images(&self) -> [Option<(&'m Image, Purpose)>; SLOTS] {
        let second = self.second.or(self.brush.and_then(pattern));
        let mask = self.mask.and_then(|mask| image(&mask.bitmap));
        [
            self.source.map(|image| (image, Purpose::Color)),
            second.map(|image| (image, Purpose::Color)),
            mask.map(|image| (image, Purpose::Mask)),
        ]
    }
}

const BRUSH: usize = 1;
const MASK: usize = 2;

impl Canvas {
    pub(super) fn draw_fill(&mut self, m: &DrawFill) -> Result<Applied, CanvasError> {
        let reads = Reads { brush: Some(&m.brush), ..Reads::masked(&m.mask) };
        let rop = Rop::from_descriptor(m.rop.bits(), ropd::INVERS_BRUSH, ropd::INVERS_DEST);
        self.draw(Operation::Fill, &m.base, &reads, |job| {
            let brush = job.brush(&m.brush, BRUSH)?;
            fill::fill(job, &brush, rop);
            Ok(())
        })
    }

    pub(super) fn draw_copy(&mut self, m: &DrawCopy) -> Result<Applied, CanvasError> {
        if let Some(applied) = self.copy_direct(m)? {
            return Ok(applied);
        }
        self.copy_image(Operation::Copy, &m.base, &m.src_bitmap, &m.src_area, m.rop, m.scale_mode, &m.mask)
    }

    pub(super) fn draw_blend(&mut self, m: &DrawBlend) -> Result<Applied, CanvasError> {
        self.copy_image(Operation::Blend, &m.base, &m.src_bitmap, &m.src_area, m.rop, m.scale_mode, &m.mask)
    }

    pub(super) fn draw_opaque(&mut self, m: &DrawOpaque) -> Result<Applied, CanvasError> {
        let reads = Reads {
            source: image(&m.src_bitmap),
            src_area: Some(&m.src_area),
            brush: Some(&m.brush),
            ..Reads::masked(&m.mask)
        };
        let rop = Rop::from_descriptor(m.rop.bits(), ropd::INVERS_BRUSH, ropd::INVERS_SRC);
        self.draw(Operation::Opaque, &m.base, &reads, |job| {
            let source = job.source(&m.src_area, filter(m.scale_mode))?;
            let brush = job.brush(&m.brush, BRUSH)?;
            copy::copy(job, &source, Rop::COPY);
            fill::fill(job, &brush, rop);
            Ok(())
        })
    }

    pub(super) fn draw_blackness(&mut self, m: &DrawBlackness) -> Result<Applied, CanvasError> {
        self.constant(Operation::Blackness, &m.base, &m.mask, Rop::CLEAR)
    }

    pub(super) fn draw_whiteness(&mut self, m: &DrawWhiteness) -> Result<Applied, CanvasError> {
        self.constant(Operation::Whiteness, &m.base, &m.mask, Rop::SET)
    }

    pub(super) fn draw_invers(&mut self, m: &DrawInvers) -> Result<Applied, CanvasError> {
        self.constant(Operation::Invers, &m.base, &m.mask, Rop::INVERT)
    }

    pub(super) fn draw_rop3(&mut self, m: &DrawRop3) -> Result<Applied, CanvasError> {
        let reads = Reads { source: image(&m.src_bitmap), brush: Some(&m.brush), ..Reads::masked(&m.mask) };
        self.draw(Operation::Rop3, &m.base, &reads, |job| {
            let brush = job.brush(&m.brush, BRUSH)?;
            rop3::rop3(job, &m.src_area, filter(m.scale_mode), &brush, m.rop3)
        })
    }

    pub(super) fn draw_transparent(&mut self, m: &DrawTransparent) -> Result<Applied, CanvasError> {
        let reads = Reads { source: image(&m.src_bitmap), src_area: Some(&m.src_area), ..Reads::default() };
        self.draw(Operation::Transparent, &m.base, &reads, |job| {
            let source = job.source(&m.src_area, Filter::Nearest)?;
            copy::transparent(job, &source, m.true_color);
            Ok(())
        })
    }

    pub(super) fn draw_alpha_blend(&mut self, m: &DrawAlphaBlend) -> Result<Applied, CanvasError> {
        let reads = Reads { source: image(&m.src_bitmap), src_area: Some(&m.src_area), ..Reads::default() };
        let surface_alpha = m.alpha_flags.contains(AlphaFlags::SRC_SURFACE_HAS_ALPHA)
            && matches!(reads.source.map(|image| &image.data), Some(ImageData::Surface(_)));
        let indexed = reads.source.is_some_and(is_indexed);
        self.draw(Operation::AlphaBlend, &m.base, &reads, |job| {
            let mut source = job.source(&m.src_area, Filter::Nearest)?;
            // This command alone takes the top byte of palette entries for alpha.
            let entries_alpha = indexed && job.surface.format() == PixelFormat::Bgra;
            if (surface_alpha || entries_alpha) && source.view.format == PixelFormat::Bgrx {
                source.view.format = PixelFormat::Bgra;
            }
            blend::alpha_blend(job, &source, m.alpha, m.alpha_flags.contains(AlphaFlags::DEST_HAS_ALPHA));
            Ok(())
        })
    }

    pub(super) fn copy_bits(&mut self, m: &CopyBits) -> Result<Applied, CanvasError> {
        self.draw(Operation::CopyBits, &m.base, &Reads::default(), |job| {
            copy::copy_bits(job, &m.src_pos);
            Ok(())
        })
    }

    pub(super) fn draw_stroke(&mut self, m: &DrawStroke) -> Result<Applied, CanvasError> {
        let reads = Reads { brush: Some(&m.brush), ..Reads::default() };
        let rop = Rop::from_descriptor(m.fore_mode.bits(), ropd::INVERS_BRUSH, ropd::INVERS_DEST);
        let (most, pixels) = (self.config.limits.dashes, self.config.limits.stroke_pixels);
        self.draw(Operation::Stroke, &m.base, &reads, |job| {
            let brush = job.brush(&m.brush, BRUSH)?;
            let gap = m.attr.flags.contains(LineFlags::START_WITH_GAP);
            match m.attr.style.as_ref().and_then(|style| Style::new(style.iter(), gap)) {
                Some(style) => stroke::dashed(job, &m.path, &style, &brush, rop, most, pixels),
                None => stroke::solid(job, &m.path, &brush, rop, pixels),
            }
        })
    }

    pub(super) fn draw_text(&mut self, m: &DrawText) -> Result<Applied, CanvasError> {
        // The fore brush takes the source's place.
        let reads = Reads { source: pattern(&m.fore_brush), brush: Some(&m.back_brush), ..Reads::default() };
        self.draw(Operation::Text, &m.base, &reads, |job| {
            if !m.back_area.is_empty() {
                if m.fore_mode != RopDescriptor::OP_PUT {
                    return Err(Reason::Unsupported("text with a background in another mode"));
                }
                let brush = job.brush(&m.back_brush, BRUSH)?;
                text::background(job, m.back_area, &brush);
            }
            if !matches!(m.fore_brush, WireBrush::None) {
                let brush = job.brush(&m.fore_brush, SOURCE)?;
                text::glyphs(job, &m.string, &m.fore_brush, &brush);
            }
            Ok(())
        })
    }

    pub(super) fn draw_composite(&mut self, m: &DrawComposite) -> Result<Applied, CanvasError> {
        let fields = &m.composite;
        let source = image(&fields.src_bitmap);
        let reads = Reads { source, second: image(&fields.mask_bitmap), ..Reads::default() };
        let is_surface =
            |image: Option<&Image>| matches!(image.map(|image| &image.data), Some(ImageData::Surface(_)));
        let kinds = composite::Kinds { source: is_surface(reads.source), mask: is_surface(reads.second) };
        let opaque = kinds.source && fields.flags.contains(CompositeFlags::SOURCE_OPAQUE);
        self.draw(Operation::Composite, &m.base, &reads, |job| {
            let mask = job.views[BRUSH];
            composite::composite(job, fields, opaque, mask, kinds)
        })
    }

    #[allow(clippy::too_many_arguments)]
    fn copy_image(
        &mut self,
        what: Operation,
        base: &DisplayBase,
        src_bitmap: &Option<Ptr<Image>>,
        src_area: &Rect,
        rop: RopDescriptor,
        scale_mode: ScaleMode,
        mask: &QMask,
    ) -> Result<Applied, CanvasError> {
        let reads = Reads { source: image(src_bitmap), src_area: Some(src_area), ..Reads::masked(mask) };
        let rop = Rop::from_descriptor(rop.bits(), ropd::INVERS_SRC, ropd::INVERS_DEST);
        self.draw(what, base, &reads, |job| {
            let source = job.source(src_area, filter(scale_mode))?;
            copy::copy(job, &source, rop);
            Ok(())
        })
    }

    fn constant(
        &mut self,
        what: Operation,
        base: &DisplayBase,
        mask: &QMask,
        rop: Rop,
    ) -> Result<Applied, CanvasError> {
        self.draw(what, base, &Reads::masked(mask), |job| {
            fill::fill(job, &Brush::Solid(0), rop);
            Ok(())
        })
    }

    /// Decodes a picture that replaces a rectangle of the surface straight into it. `None` if that cannot be.
    fn copy_direct(&mut self, m: &DrawCopy) -> Result<Option<Applied>, CanvasError> {
        let (Some(source), None) = (image(&m.src_bitmap), &m.mask.bitmap) else { return Ok(None) };
        let rop = Rop::from_descriptor(m.rop.bits(), ropd::INVERS_SRC, ropd::INVERS_DEST);
        let area = m.base.area;
        let Some(surface) = self.surfaces.get_mut(m.base.surface_id) else { return Ok(None) };
        let to = surface.format();
        let whole_picture = (m.src_area.left, m.src_area.top) == (0, 0)
            && (m.src_area.width(), m.src_area.height()) == (source.width, source.height);
        let fits = (area.width(), area.height()) == (source.width, source.height)
            && area.intersect(&surface.rect()) == area;
        let clipped = match &m.base.clip {
            Clip::None => false,
            Clip::Rects(rects) => !rects.iter().any(|r| r.intersect(&area) == area),
        };
        if rop != Rop::COPY || !whole_picture || !fits || clipped || !Images::is_direct(source, to) {
            return Ok(None);
        }
        let limits = &self.config.limits;
        self.images.keep_palette(source, limits)?;
        let decoded = self.images.decode_direct(source, limits, surface, area);
        self.images.shrink_to(limits.scratch_bytes);
        match decoded {
            Direct::Elsewhere => return Ok(None),
            Direct::Drawn => {}
            Direct::Refused(reason) => {
                self.undrawable(Operation::Copy, reason);
                return Ok(Some(Applied::Done));
            }
            Direct::Damaged(reason) => {
                // Whatever half of a damaged picture is there must not be seen.
                for y in area.top..area.bottom {
                    surface.span_mut(y, area.left, area.right).fill(0);
                }
                self.undrawable(Operation::Copy, reason);
            }
        }
        if self.surfaces.primary() == Some(m.base.surface_id) {
            self.damage.add(area);
        }
        Ok(Some(Applied::Done))
    }

    /// Resolves everything that a command reads, and calls `paint` if there is anything to draw.
    fn draw(
        &mut self,
        what: Operation,
        base: &DisplayBase,
        reads: &Reads<'_>,
        paint: impl FnOnce(&mut Job<'_>) -> Result<(), Reason>,
    ) -> Result<Applied, CanvasError> {
        let mut problem = self.find_region(base).err();
        let to = self.surfaces.get(base.surface_id).map_or(PixelFormat::Bgrx, Surface::format);
        let needed = problem.is_none() && !self.region.is_empty();
        let images = reads.images();
        if self.waiting.is_some_and(|waiting| waiting != fingerprint(what, to, needed, &images)) {
            // Another message than the one that waited: it was given up.
            self.give_up();
        }
        for (slot, (image, purpose)) in images.iter().enumerate().filter_map(|(n, i)| Some((n, (*i)?))) {
            let limits = &self.config.limits;
            if let Some(blocked) = self.images.resolve(slot, image, purpose, to, needed, limits)? {
                self.waiting.get_or_insert_with(|| fingerprint(what, to, needed, &images));
                return Ok(Applied::Blocked(blocked));
            }
        }
        if needed {
            problem = self.paint(base, reads, &images, paint).err();
        }
        self.finish();
        if let Some(reason) = problem {
            self.undrawable(what, reason);
        }
        Ok(Applied::Done)
    }

    /// Sets the region to box, surface and clip.
    pub(super) fn find_region(&mut self, base: &DisplayBase) -> Result<(), Reason> {
        self.region.set_rect(Rect::default());
        let surface = self.surfaces.get(base.surface_id).ok_or(Reason::NoSurface(base.surface_id))?;
        let bounds = base.area.intersect(&surface.rect());
        match &base.clip {
            Clip::None => self.region.set_rect(bounds),
            Clip::Rects(rects) => {
                let (value, bound) = (rects.len() as u64, self.config.limits.clip_rects as u64);
                if value > bound {
                    return Err(Reason::Limit { limit: "clip_rects", value, bound });
                }
                self.region.set_union(bounds, rects.iter()).map_err(|_| Reason::Clip)?;
            }
        }
        Ok(())
    }

    fn paint(
        &mut self,
        base: &DisplayBase,
        reads: &Reads<'_>,
        images: &[Option<(&Image, Purpose)>; SLOTS],
        paint: impl FnOnce(&mut Job<'_>) -> Result<(), Reason>,
    ) -> Result<(), Reason> {
        let id = base.surface_id;
        let mut own = [None; SLOTS];
        for (slot, (image, _)) in images.iter().enumerate().filter_map(|(n, i)| Some((n, (*i)?))) {
            let ImageData::Surface(from) = image.data else { continue };
            if from == id {
                own[slot] = self.snapshot(slot, base, reads.src_area.filter(|_| slot == 0));
            }
        }
        let Some(mut surface) = self.surfaces.take(id) else { return Err(Reason::NoSurface(id)) };
        let mut began = false;
        let result = (|| {
            let mut views: [Option<View<'_>>; SLOTS] = [None; SLOTS];
            for (slot, (image, _)) in images.iter().enumerate().filter_map(|(n, i)| Some((n, (*i)?))) {
                views[slot] = Some(match own[slot] {
                    Some((first_row, rows)) => {
                        View { data: &self.snapshots[slot][..rows], first_row, ..surface_shape(&surface) }
                    }
                    None => self.images.view(slot, image, &self.surfaces)?,
                });
            }
            let mask: Option<Mask<'_>> = match (reads.mask, views[MASK]) {
                (Some(fields), Some(view)) if view.format == PixelFormat::A1 => {
                    Some(mask(view, &fields.pos, &base.area, fields.flags))
                }
                (Some(_), Some(_)) => return Err(Reason::MaskFormat),
                _ => None,
            };
            if let Some(mask) = &mask {
                self.region.clip_to(mask.cover());
            }
            let (region, rows) = (&mut self.region, &mut self.rows);
            began = true;
            paint(&mut Job { surface: &mut surface, region, area: base.area, mask, rows, views })
        })();
        self.surfaces.put_back(id, surface);
        // A bound may end a command half-way, and what was drawn up to there is seen.
        if began {
            self.add_damage(id);
        }
        result
    }

    /// Counts the region as damage if it lies on the visible surface.
    pub(super) fn add_damage(&mut self, id: SurfaceId) {
        if self.surfaces.primary() != Some(id) {
            return;
        }
        match self.region.rects() {
            few if few.len() <= 4 => few.iter().for_each(|r| self.damage.add(*r)),
            _ => self.damage.add(self.region.extents()),
        }
    }

    /// Copies the rows of the destination that a command also reads. Gives the first row and the bytes copied.
    fn snapshot(&mut self, slot: usize, base: &DisplayBase, src_area: Option<&Rect>) -> Option<(u32, usize)> {
        let surface = self.surfaces.get(base.surface_id)?;
        let height = i64::from(surface.height());
        let (first, end) = match src_area.filter(|src| !src.is_empty()) {
            // Filters are alike in how far they reach.
            Some(src) => Mapping::new(src, &base.area, Filter::Bilinear).rows_read(&self.region.extents()),
            None => (0, height),
        };
        let (first, end) = (first.clamp(0, height) as usize, end.clamp(0, height) as usize);
        let stride = surface.stride();
        let rows = surface.view().data.get(first * stride..end.max(first) * stride)?;
        let snapshot = &mut self.snapshots[slot];
        snapshot.clear();
        snapshot.extend_from_slice(rows);
        Some((u32::try_from(first).ok()?, rows.len()))
    }
}

/// A view of the surface's size and format without its pixels.
fn surface_shape(surface: &Surface) -> View<'static> {
    let view = View::packed(&[], surface.width(), surface.height(), surface.format());
    View { stride: surface.stride(), ..view }
}

fn image(pointer: &Option<Ptr<Image>>) -> Option<&Image> {
    pointer.as_deref()
}

fn pattern(brush: &WireBrush) -> Option<&Image> {
    match brush {
        WireBrush::Pattern(pattern) => Some(&pattern.image),
        _ => None,
    }
}
