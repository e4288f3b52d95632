//! What each drawing message does with its [`Job`](crate::canvas::job::Job).

use spice_codecs::PixelFormat;
use spice_proto::msg::display::{
    AlphaFlags, Brush as WireBrush, CompositeFlags, CopyBits, DisplayBase, DrawAlphaBlend, DrawBlackness,
    DrawBlend, DrawComposite, DrawCopy, DrawFill, DrawInvers, DrawOpaque, DrawRop3, DrawStroke, DrawText,
    DrawTransparent, DrawWhiteness, Image, ImageData, LineFlags, QMask, RopDescriptor, ScaleMode,
};
use spice_proto::types::Rect;
use spice_proto::wire::Ptr;

use crate::canvas::brush::Brush;
use crate::canvas::command::{BRUSH, Reads, image, pattern};
use crate::canvas::dash::Style;
use crate::canvas::images::{SOURCE, is_indexed};
use crate::canvas::job::filter;
use crate::canvas::mapping::Filter;
use crate::canvas::outcome::{Applied, CanvasError, Operation, Reason};
use crate::canvas::rop::{Rop, ropd};
use crate::canvas::{Canvas, blend, composite, copy, fill, rop3, stroke, text};

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
        let most = self.config.limits.composite_samples;
        self.draw(Operation::Composite, &m.base, &reads, |job| {
            let mask = job.views[BRUSH];
            composite::composite(job, fields, opaque, mask, kinds, most)
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
}
