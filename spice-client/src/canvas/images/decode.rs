//! From the bytes of an image to pixels: decoders, palettes, and where the pixels go.

use std::sync::Arc;

use spice_codecs::{CodecError, Header, PixelFormat, PixelsMut, bitmap, glz};
use spice_proto::msg::display::{BitmapFlags, Image, ImageData, PaletteSource};
use spice_proto::types::{PaletteId, Rect};

use super::kind::{is_cached, needs_high_bits, palette_of};
use super::plan::{Payload, Plan, stands_in_memory};
use super::{Images, Purpose};
use crate::canvas::cache::{Picture, Pixels};
use crate::canvas::config::CanvasLimits;
use crate::canvas::format::{bytes_per_pixel, is_same_layout};
use crate::canvas::outcome::{CanvasError, Reason};
use crate::canvas::sample::resize;
use crate::canvas::surface::Surface;

/// What came of a picture that was to be decoded straight into a surface.
pub(in crate::canvas) enum Direct {
    Drawn,
    /// Not possible after all; the surface is untouched.
    Elsewhere,
    /// The picture cannot be had; the surface is untouched.
    Refused(Reason),
    /// The picture is damaged; its area holds anything.
    Damaged(Reason),
}

impl Images {
    /// Whether the image can be decoded straight into a surface of format `to`.
    pub(in crate::canvas) fn is_direct(image: &Image, to: PixelFormat) -> bool {
        let raw = match &image.data {
            ImageData::Quic(_)
            | ImageData::LzRgb(_)
            | ImageData::LzPlt(_)
            | ImageData::Lz4(_)
            | ImageData::Jpeg(_)
            | ImageData::JpegAlpha(_) => true,
            ImageData::Bitmap(bitmap) => !stands_in_memory(bitmap.format),
            _ => false,
        };
        raw && to != PixelFormat::A1 && !is_cached(image)
    }

    /// Decodes an image straight into `area` of a surface, which has the image's size and lies on it.
    pub(in crate::canvas) fn decode_direct(
        &mut self,
        image: &Image,
        limits: &CanvasLimits,
        surface: &mut Surface,
        area: Rect,
    ) -> Direct {
        self.try_direct(image, limits, surface, area).unwrap_or_else(Direct::Refused)
    }

    fn try_direct(
        &mut self,
        image: &Image,
        limits: &CanvasLimits,
        surface: &mut Surface,
        area: Rect,
    ) -> Result<Direct, Reason> {
        let to = surface.format();
        let plan = Plan::new(image, Purpose::Color, to, limits)?;
        if !is_same_layout(plan.native, to) {
            return Ok(Direct::Elsewhere);
        }
        if let Some(ahead) = self.ahead.take() {
            // Its header is good, as the plan says.
            let picture = match ahead {
                Ok(picture) => picture,
                Err(reason) => return Ok(Direct::Damaged(reason)),
            };
            let view = picture.view();
            let (rows, stride) = view.span(view.rect()).ok_or(Reason::NoImage)?;
            surface.copy_rect(area, rows, stride);
            return Ok(Direct::Drawn);
        }
        self.load_palette(image, to)?;
        let decoded = self.decode(&plan, surface.target(area, plan.target)?);
        Ok(decoded.map_or_else(|error| Direct::Damaged(error.into()), |()| Direct::Drawn))
    }

    /// Puts a palette into the cache that is to be kept, whatever becomes of its image.
    pub(in crate::canvas) fn keep_palette(
        &mut self,
        image: &Image,
        limits: &CanvasLimits,
    ) -> Result<(), CanvasError> {
        let Some((flags, PaletteSource::Inline(palette))) = palette_of(image) else { return Ok(()) };
        if !flags.contains(BitmapFlags::PAL_CACHE_ME) || palette.unique == PaletteId(0) {
            return Ok(());
        }
        self.colors.clear();
        self.colors.extend(palette.entries.iter().take(MAX_COLORS));
        self.palettes.add(palette.unique, &self.colors, limits.palettes)
    }

    /// An image on its own, which is [independent](is_independent).
    #[cfg(all(feature = "parallel", not(target_arch = "wasm32")))]
    pub(in crate::canvas) fn picture(
        &mut self,
        image: &Image,
        limits: &CanvasLimits,
    ) -> Result<Picture, Reason> {
        self.made(image, Purpose::Color, PixelFormat::Bgrx, limits)
    }

    pub(super) fn made(
        &mut self,
        image: &Image,
        purpose: Purpose,
        to: PixelFormat,
        limits: &CanvasLimits,
    ) -> Result<Picture, Reason> {
        let plan = Plan::new(image, purpose, to, limits)?;
        self.load_palette(image, to)?;
        let mut data = Vec::new();
        self.decode_packed(&plan, &mut data)?;
        let (width, height, format) = (image.width, image.height, plan.native);
        Ok(Picture::Own(Arc::new(Pixels { data, width, height, format })))
    }

    /// Loads the palette of an indexed image, filled up with zeros, so that an index beyond its end is 0.
    pub(super) fn load_palette(&mut self, image: &Image, to: PixelFormat) -> Result<(), Reason> {
        self.colors.clear();
        match palette_of(image) {
            None => return Ok(()),
            Some((_, PaletteSource::Inline(palette))) => {
                self.colors.extend(palette.entries.iter().take(MAX_COLORS));
            }
            Some((_, PaletteSource::Cached(id))) => {
                let colors = self.palettes.get(*id).ok_or(Reason::NoPalette(*id))?;
                self.colors.extend_from_slice(colors);
            }
        }
        if !self.colors.is_empty() {
            self.colors.resize(MAX_COLORS, 0);
        }
        if needs_high_bits(image, to) {
            self.colors.iter_mut().for_each(|color| *color |= 0xff00_0000);
        }
        if to == PixelFormat::Rgb555 && matches!(image.data, ImageData::LzPlt(_)) {
            self.colors.iter_mut().for_each(|color| *color &= 0x7fff);
        }
        Ok(())
    }

    pub(super) fn decode_packed(&mut self, plan: &Plan<'_>, buffer: &mut Vec<u8>) -> Result<(), Reason> {
        let Header { width, height, .. } = plan.header;
        resize(buffer, width as usize * height as usize * bytes_per_pixel(plan.target));
        self.decode(plan, PixelsMut::packed(buffer, width, height, plan.target)?)?;
        Ok(())
    }

    fn decode(&mut self, plan: &Plan<'_>, dst: PixelsMut<'_>) -> Result<(), CodecError> {
        match plan.payload {
            Payload::Bitmap(layout, data) => bitmap::decode(&layout, data, &self.colors, dst),
            Payload::Quic(data) => self.quic.decode(data, dst),
            Payload::Lz(data) => self.lz.decode(data, &self.colors, dst),
            Payload::Lz4(data) => self.lz4.decode(data, dst),
            Payload::Jpeg(data) => self.jpeg.decode(data, dst),
            Payload::JpegAlpha(ref layout, ref data) => self.jpeg_alpha.decode(layout, data, dst),
        }
    }
}

/// A copy of a picture without alpha that has 255 in every fourth byte.
pub(super) fn with_high_bits(picture: &glz::Picture) -> Result<Picture, Reason> {
    let Header { width, height, .. } = *picture.header();
    let mut data = vec![0; picture.bytes().len()];
    picture.copy_to(PixelsMut::packed(&mut data, width, height, PixelFormat::Bgra)?)?;
    Ok(Picture::Own(Arc::new(Pixels { data, width, height, format: PixelFormat::Bgrx })))
}

/// Entries of a palette that an index can reach.
const MAX_COLORS: usize = 256;
