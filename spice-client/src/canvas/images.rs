//! From image messages to pixels, through decoders and caches.

use std::sync::Arc;

use spice_codecs::{
    Codec, CodecError, Header, PixelFormat, PixelsMut, RowOrder, bitmap, glz, jpeg, jpeg_alpha, lz, lz4,
    quic, zlib_glz,
};
use spice_proto::msg::display::{
    BitmapFlags, BitmapFormat, Image, ImageData, ImageFlags, ImageType, JpegAlphaFlags, PaletteSource,
};
use spice_proto::types::{ImageId, PaletteId, Rect, SurfaceId};

use crate::canvas::cache::{Lookup, Palettes, Picture, Pixels, SharedCaches};
use crate::canvas::config::CanvasLimits;
use crate::canvas::format::{bytes_per_pixel, is_same_layout};
use crate::canvas::outcome::{Blocked, CanvasError, Reason};
use crate::canvas::sample::resize;
use crate::canvas::surface::{Surface, View};
use crate::canvas::surfaces::Surfaces;

/// Images of one message: source, brush, mask.
pub(super) const SLOTS: usize = 3;
/// The place of the source.
pub(super) const SOURCE: usize = 0;

/// What an image is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Something to draw.
    Color,
    /// One bit per pixel, no palette.
    Mask,
}

/// Decoders, caches and working memory of one canvas.
#[derive(Debug, Default)]
pub(super) struct Images {
    pub(super) caches: SharedCaches,
    pub(super) palettes: Palettes,
    quic: quic::Decoder,
    lz: lz::Decoder,
    lz4: lz4::Decoder,
    jpeg: jpeg::Decoder,
    jpeg_alpha: jpeg_alpha::Decoder,
    glz: glz::Decoder,
    zlib_glz: zlib_glz::Decoder,
    /// The palette at hand, filled up with zeros to as many entries as an index can reach.
    colors: Vec<u32>,
    slots: [Slot; SLOTS],
    /// What was decoded ahead for the source of the message at hand.
    pub(super) ahead: Option<Result<Picture, Reason>>,
}

/// One image of the message at hand.
#[derive(Debug, Default)]
struct Slot {
    buffer: Vec<u8>,
    /// What came of which image; survives a message that has to wait.
    resolved: Option<(ImageId, ImageType, Resolved)>,
}

/// Where the pixels of an image are.
#[derive(Clone, Debug)]
enum Resolved {
    /// In the message itself.
    Message,
    /// In the slot's buffer, without padding, top row first.
    Buffer {
        format: PixelFormat,
    },
    Shared(Picture),
    Surface(SurfaceId),
    /// Nowhere, and nobody asked for them.
    NotNeeded,
    Failed(Reason),
}

/// What came of a picture that was to be decoded straight into a surface.
pub(super) enum Direct {
    Drawn,
    /// Not possible after all; the surface is untouched.
    Elsewhere,
    /// The picture cannot be had; the surface is untouched.
    Refused(Reason),
    /// The picture is damaged; its area holds anything.
    Damaged(Reason),
}

impl Images {
    pub(super) fn new(caches: SharedCaches) -> Self {
        Self { caches, ..Self::default() }
    }

    /// Deals with the image in place `slot` of a message: decodes it if it is `needed`, or if caches or later
    /// images depend on it.
    ///
    /// What the picture looks like, or why there is none, [`view`](Self::view) says afterwards.
    pub(super) fn resolve(
        &mut self,
        slot: usize,
        image: &Image,
        purpose: Purpose,
        to: PixelFormat,
        needed: bool,
        limits: &CanvasLimits,
    ) -> Result<Option<Blocked>, CanvasError> {
        let key = (image.id, image.data.kind());
        if let Some(Some((id, kind, _))) = self.slots.get(slot).map(|slot| &slot.resolved)
            && (*id, *kind) == key
        {
            return Ok(None);
        }
        self.keep_palette(image, limits)?;
        let resolved = match self.pixels(slot, image, purpose, to, needed, limits)? {
            Ok(resolved) => resolved,
            Err(blocked) => return Ok(Some(blocked)),
        };
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.resolved = Some((key.0, key.1, resolved));
        }
        Ok(None)
    }

    /// The pixels of an image that was resolved before.
    pub(super) fn view<'a>(
        &'a self,
        slot: usize,
        image: &'a Image,
        surfaces: &'a Surfaces,
    ) -> Result<View<'a>, Reason> {
        let Some(Slot { buffer, resolved: Some((_, _, resolved)) }) = self.slots.get(slot) else {
            return Err(Reason::NoImage);
        };
        match resolved {
            Resolved::Message => message_view(image).ok_or(Reason::NoImage),
            Resolved::Buffer { format } => Ok(View::packed(buffer, image.width, image.height, *format)),
            Resolved::Shared(picture) => Ok(picture.view()),
            Resolved::Surface(id) => surfaces.get(*id).map(|s| s.view()).ok_or(Reason::NoSourceSurface(*id)),
            Resolved::NotNeeded => Err(Reason::NoImage),
            Resolved::Failed(reason) => Err(*reason),
        }
    }

    /// Ends a message: forgets its images, and gives back working memory of unusual size.
    pub(super) fn finish(&mut self, limits: &CanvasLimits) {
        for slot in &mut self.slots {
            slot.resolved = None;
            if slot.buffer.capacity() > limits.scratch_bytes {
                slot.buffer = Vec::new();
            }
        }
        self.shrink_to(limits.scratch_bytes);
    }

    /// Lets no decoder keep more than `bytes`. QUIC keeps two rows at most, GLZ nothing.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        self.lz.shrink_to(bytes);
        self.lz4.shrink_to(bytes);
        self.jpeg.shrink_to(bytes);
        self.jpeg_alpha.shrink_to(bytes);
        self.zlib_glz.shrink_to(bytes);
    }

    /// Drops what the decoders keep of images that wait for others.
    pub(super) fn forget_waiting(&mut self) {
        self.glz.reset();
        self.zlib_glz.reset();
    }

    /// Working memory kept for the next message.
    #[cfg(test)]
    pub(super) fn scratch_bytes(&self) -> usize {
        let decoders = self.lz.scratch_bytes() + self.lz4.scratch_bytes() + self.jpeg.scratch_bytes();
        let wrapped = self.jpeg_alpha.scratch_bytes() + self.zlib_glz.scratch_bytes();
        self.slots.iter().map(|slot| slot.buffer.capacity()).sum::<usize>() + decoders + wrapped
    }

    /// Whether the image can be decoded straight into a surface of format `to`.
    pub(super) fn is_direct(image: &Image, to: PixelFormat) -> bool {
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
    pub(super) fn decode_direct(
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
    pub(super) fn keep_palette(&mut self, image: &Image, limits: &CanvasLimits) -> Result<(), CanvasError> {
        let Some((flags, PaletteSource::Inline(palette))) = palette_of(image) else { return Ok(()) };
        if !flags.contains(BitmapFlags::PAL_CACHE_ME) || palette.unique == PaletteId(0) {
            return Ok(());
        }
        self.colors.clear();
        self.colors.extend(palette.entries.iter().take(MAX_COLORS));
        self.palettes.add(palette.unique, &self.colors, limits.palettes)
    }

    /// Finds or makes the pixels; the inner error is a wait.
    fn pixels(
        &mut self,
        slot: usize,
        image: &Image,
        purpose: Purpose,
        to: PixelFormat,
        needed: bool,
        limits: &CanvasLimits,
    ) -> Result<Result<Resolved, Blocked>, CanvasError> {
        match &image.data {
            ImageData::FromCache | ImageData::FromCacheLossless if !needed => Ok(Ok(Resolved::NotNeeded)),
            ImageData::FromCache => Ok(self.look_up(image.id, false)),
            ImageData::FromCacheLossless => Ok(self.look_up(image.id, true)),
            ImageData::Surface(id) => Ok(Ok(Resolved::Surface(*id))),
            ImageData::GlzRgb(data) => {
                let header = glz::header(data).map_err(CanvasError::Glz)?;
                header.expect(Codec::Glz, image.width, image.height).map_err(CanvasError::Glz)?;
                let progress = self.glz.decode(data, &mut self.caches.window());
                self.glz_picture(image, progress, needed)
            }
            ImageData::ZlibGlzRgb(glz) => {
                let (size, mut window) = ((image.width, image.height), self.caches.window());
                let progress = self.zlib_glz.decode(&glz.data, glz.glz_data_size, size, &mut window);
                self.glz_picture(image, progress, needed)
            }
            _ if !needed && !is_cached(image) => Ok(Ok(Resolved::NotNeeded)),
            _ if is_cached(image) => self.cached(slot, image, purpose, to, limits).map(Ok),
            _ => Ok(Ok(self.decoded(slot, image, purpose, to, limits).unwrap_or_else(Resolved::Failed))),
        }
    }

    fn look_up(&self, id: ImageId, lossless: bool) -> Result<Resolved, Blocked> {
        match self.caches.pixmaps().get(id, lossless) {
            Lookup::Found(picture) => Ok(Resolved::Shared(picture)),
            Lookup::Failed => Ok(Resolved::Failed(Reason::CachedFailure(id))),
            Lookup::Lossy => Err(Blocked::LosslessPicture(id)),
            Lookup::Missing => Err(Blocked::Picture(id)),
        }
    }

    /// An image for this message alone.
    fn decoded(
        &mut self,
        slot: usize,
        image: &Image,
        purpose: Purpose,
        to: PixelFormat,
        limits: &CanvasLimits,
    ) -> Result<Resolved, Reason> {
        if let Some(ahead) = self.ahead.take_if(|_| slot == SOURCE) {
            return ahead.map(Resolved::Shared);
        }
        let plan = Plan::new(image, purpose, to, limits)?;
        if plan.is_raw() && message_view(image).is_some() {
            return Ok(Resolved::Message);
        }
        self.load_palette(image, to)?;
        let mut buffer = self.slots.get_mut(slot).map(|s| std::mem::take(&mut s.buffer)).unwrap_or_default();
        let decoded = self.decode_packed(&plan, &mut buffer);
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.buffer = buffer;
        }
        decoded.map(|()| Resolved::Buffer { format: plan.native })
    }

    /// An image that is to be put into the pixmap cache.
    fn cached(
        &mut self,
        slot: usize,
        image: &Image,
        purpose: Purpose,
        to: PixelFormat,
        limits: &CanvasLimits,
    ) -> Result<Resolved, CanvasError> {
        let ahead = self.ahead.take_if(|_| slot == SOURCE);
        let made = ahead.unwrap_or_else(|| self.made(image, purpose, to, limits));
        self.keep(image, made)
    }

    /// An image on its own, which is [independent](is_independent).
    #[cfg(all(feature = "parallel", not(target_arch = "wasm32")))]
    pub(super) fn picture(&mut self, image: &Image, limits: &CanvasLimits) -> Result<Picture, Reason> {
        self.made(image, Purpose::Color, PixelFormat::Bgrx, limits)
    }

    fn made(
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

    /// Puts a picture, or the fact that it could not be made, into the pixmap cache if it belongs there.
    fn keep(&self, image: &Image, made: Result<Picture, Reason>) -> Result<Resolved, CanvasError> {
        let lossy = matches!(image.data, ImageData::Jpeg(_) | ImageData::JpegAlpha(_));
        let entry = made.as_ref().ok().cloned();
        if image.flags.contains(ImageFlags::CACHE_REPLACE_ME) {
            if lossy {
                return Ok(Resolved::Failed(Reason::LossyReplacement));
            }
            self.caches.pixmaps().replace(image.id, entry)?;
            self.caches.arrived();
        } else if image.flags.contains(ImageFlags::CACHE_ME) {
            self.caches.pixmaps().add(image.id, entry, lossy)?;
            self.caches.arrived();
        }
        Ok(made.map_or_else(Resolved::Failed, Resolved::Shared))
    }

    /// An image that may refer to others, and others to it: always decoded, and fatal if that fails.
    fn glz_picture(
        &self,
        image: &Image,
        progress: Result<glz::Progress, CodecError>,
        needed: bool,
    ) -> Result<Result<Resolved, Blocked>, CanvasError> {
        let picture = match progress.map_err(CanvasError::Glz)? {
            glz::Progress::Done(picture) => picture,
            glz::Progress::Waiting(id) => return Ok(Err(Blocked::GlzImage(id))),
        };
        self.caches.arrived();
        if !is_cached(image) && !needed {
            return Ok(Ok(Resolved::NotNeeded));
        }
        let set = needs_high_bits(image, picture.header().format);
        let picture = if set { with_high_bits(&picture) } else { Ok(Picture::Glz(picture)) };
        self.keep(image, picture).map(Ok)
    }

    /// Loads the palette of an indexed image, filled up with zeros, so that an index beyond its end is 0.
    fn load_palette(&mut self, image: &Image, to: PixelFormat) -> Result<(), Reason> {
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

    fn decode_packed(&mut self, plan: &Plan<'_>, buffer: &mut Vec<u8>) -> Result<(), Reason> {
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

/// How an image is going to be decoded; everything checked that can be before spending memory.
struct Plan<'a> {
    payload: Payload<'a>,
    header: Header,
    /// The format that the picture has, in the canvas's sense.
    native: PixelFormat,
    /// The format to ask of the decoder.
    target: PixelFormat,
}

enum Payload<'a> {
    Bitmap(bitmap::Layout, &'a [u8]),
    Quic(&'a [u8]),
    Lz(&'a [u8]),
    Lz4(&'a [u8]),
    Jpeg(&'a [u8]),
    /// Both parts in one buffer, as the decoder wants them.
    JpegAlpha(jpeg_alpha::Layout, Vec<u8>),
}

impl<'a> Plan<'a> {
    fn new(
        image: &'a Image,
        purpose: Purpose,
        to: PixelFormat,
        limits: &CanvasLimits,
    ) -> Result<Self, Reason> {
        let (payload, codec, header) = match &image.data {
            ImageData::Bitmap(bitmap) => {
                let layout = bitmap::Layout {
                    format: bitmap::Format::from_wire(bitmap.format.0)?,
                    width: bitmap.width,
                    height: bitmap.rows.count(),
                    stride: bitmap.rows.stride(),
                    rows: RowOrder::from_top_down(bitmap.flags.contains(BitmapFlags::TOP_DOWN)),
                };
                let data = bitmap.rows.bytes();
                (Payload::Bitmap(layout, data), Codec::Bitmap, bitmap::header(&layout, data)?)
            }
            ImageData::Quic(data) => (Payload::Quic(data), Codec::Quic, quic::header(data)?),
            ImageData::LzRgb(data) => (Payload::Lz(data), Codec::Lz, lz::header(data)?),
            ImageData::LzPlt(plt) => (Payload::Lz(&plt.data), Codec::Lz, lz::header(&plt.data)?),
            ImageData::Lz4(data) => {
                let (rows, format) = lz4::header(data)?;
                let native = match format {
                    bitmap::Format::Bit16 => PixelFormat::Rgb555,
                    bitmap::Format::Rgba => PixelFormat::Bgra,
                    bitmap::Format::Bit8A => PixelFormat::A8,
                    _ => PixelFormat::Bgrx,
                };
                let (width, height) = (image.width, image.height);
                let header = Header { width, height, format: native, rows, indexed: false };
                (Payload::Lz4(data), Codec::Lz4, header)
            }
            ImageData::Jpeg(data) => (Payload::Jpeg(data), Codec::Jpeg, jpeg::header(data)?),
            ImageData::JpegAlpha(parts) => {
                let top_down = parts.flags.contains(JpegAlphaFlags::TOP_DOWN);
                let layout = jpeg_alpha::Layout {
                    jpeg_size: u32::try_from(parts.jpeg.len()).unwrap_or(u32::MAX),
                    alpha_rows: RowOrder::from_top_down(top_down),
                };
                let data = [&parts.jpeg[..], &parts.alpha[..]].concat();
                let header = jpeg_alpha::header(&layout, &data)?;
                (Payload::JpegAlpha(layout, data), Codec::JpegAlpha, header)
            }
            other => return Err(Reason::ImageType(other.kind())),
        };
        header.expect(codec, image.width, image.height)?;
        header.check(codec, &codec_limits(limits))?;
        if matches!(payload, Payload::Lz(_)) && header.indexed != matches!(image.data, ImageData::LzPlt(_)) {
            return Err(Reason::Unsupported("LZ image type in this kind of image"));
        }
        if purpose == Purpose::Mask {
            let one_bit = matches!(&image.data, ImageData::Bitmap(b) if b.palette.is_none()
                && matches!(b.format, BitmapFormat::BIT1_LE | BitmapFormat::BIT1_BE));
            let (native, target) = (PixelFormat::A1, PixelFormat::A8);
            return if one_bit {
                Ok(Self { payload, header, native, target })
            } else {
                Err(Reason::MaskFormat)
            };
        }
        if header.indexed && to == PixelFormat::A1 {
            return Err(Reason::Unsupported("palette picture on a surface of 1 bit"));
        }
        let (native, target) = match (header.indexed, to) {
            // The entries are whole pixels. Only of pictures to be cached do all commands take the top byte for
            // alpha; such is the server's way.
            (true, PixelFormat::Bgra) if !is_cached(image) => (PixelFormat::Bgrx, PixelFormat::Bgra),
            (true, _) => (to, to),
            // Decoders fill the byte that a picture without alpha lacks, if it is asked for.
            _ if needs_high_bits(image, header.format) => (header.format, PixelFormat::Bgra),
            _ => (header.format, header.format),
        };
        Ok(Self { payload, header, native, target })
    }

    /// Whether the pixels stand in the message as they are needed.
    fn is_raw(&self) -> bool {
        self.native == self.target && matches!(self.payload, Payload::Bitmap(..))
    }
}

/// The pixels of a bitmap that needs no decoding.
fn message_view(image: &Image) -> Option<View<'_>> {
    let ImageData::Bitmap(bitmap) = &image.data else { return None };
    let format = match bitmap.format {
        BitmapFormat::BIT16 => PixelFormat::Rgb555,
        BitmapFormat::BIT32 => PixelFormat::Bgrx,
        BitmapFormat::RGBA => PixelFormat::Bgra,
        BitmapFormat::BIT8_A => PixelFormat::A8,
        _ => return None,
    };
    let view = View::packed(bitmap.rows.bytes(), bitmap.width, bitmap.rows.count(), format);
    let stride = usize::try_from(bitmap.rows.stride()).ok()?;
    Some(View { stride, bottom_up: !bitmap.flags.contains(BitmapFlags::TOP_DOWN), ..view })
}

fn stands_in_memory(format: BitmapFormat) -> bool {
    matches!(format, BitmapFormat::BIT16 | BitmapFormat::BIT32 | BitmapFormat::RGBA | BitmapFormat::BIT8_A)
}

/// Whether the pixels of an image depend on nothing but the image: no cache, no surface, no palette.
#[cfg(all(feature = "parallel", not(target_arch = "wasm32")))]
pub(super) fn is_independent(image: &Image) -> bool {
    use ImageData::{Jpeg, JpegAlpha, Lz4, LzRgb, Quic};
    matches!(image.data, Quic(_) | LzRgb(_) | Lz4(_) | Jpeg(_) | JpegAlpha(_))
}

/// Whether the decoded image goes into the pixmap cache.
fn is_cached(image: &Image) -> bool {
    image.flags.intersects(ImageFlags::CACHE_ME | ImageFlags::CACHE_REPLACE_ME)
}

fn needs_high_bits(image: &Image, native: PixelFormat) -> bool {
    image.flags.contains(ImageFlags::HIGH_BITS_SET) && native == PixelFormat::Bgrx
}

/// A copy of a picture without alpha that has 255 in every fourth byte.
fn with_high_bits(picture: &glz::Picture) -> Result<Picture, Reason> {
    let Header { width, height, .. } = *picture.header();
    let mut data = vec![0; picture.bytes().len()];
    picture.copy_to(PixelsMut::packed(&mut data, width, height, PixelFormat::Bgra)?)?;
    Ok(Picture::Own(Arc::new(Pixels { data, width, height, format: PixelFormat::Bgrx })))
}

/// Whether the pixels of an image are palette entries.
pub(super) fn is_indexed(image: &Image) -> bool {
    palette_of(image).is_some()
}

fn palette_of(image: &Image) -> Option<(BitmapFlags, &PaletteSource)> {
    match &image.data {
        ImageData::Bitmap(bitmap) => Some((bitmap.flags, bitmap.palette.as_ref()?)),
        ImageData::LzPlt(plt) => Some((plt.flags, &plt.palette)),
        _ => None,
    }
}

fn codec_limits(limits: &CanvasLimits) -> spice_codecs::Limits {
    let mut bounds = spice_codecs::Limits::default();
    (bounds.max_side, bounds.max_pixels) = (limits.image_side, limits.image_pixels);
    bounds
}

/// Entries of a palette that an index can reach.
const MAX_COLORS: usize = 256;
