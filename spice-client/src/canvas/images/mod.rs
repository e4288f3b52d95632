//! From image messages to pixels, through decoders and caches.

mod decode;
mod kind;
mod plan;

use spice_codecs::{Codec, CodecError, PixelFormat, glz, jpeg, jpeg_alpha, lz, lz4, quic, zlib_glz};
use spice_proto::msg::display::{Image, ImageData, ImageFlags, ImageType};
use spice_proto::types::{ImageId, SurfaceId};

pub(super) use self::decode::Direct;
use self::decode::with_high_bits;
use self::kind::{is_cached, needs_high_bits};
use self::plan::{Plan, message_view};
use crate::canvas::cache::{Lookup, Palettes, Picture, SharedCaches};
use crate::canvas::config::CanvasLimits;
use crate::canvas::outcome::{Blocked, CanvasError, Reason};
use crate::canvas::surface::View;
use crate::canvas::surfaces::Surfaces;

#[cfg(all(feature = "parallel", not(target_arch = "wasm32")))]
pub(super) use self::kind::is_independent;
pub(super) use self::kind::is_indexed;

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
}
