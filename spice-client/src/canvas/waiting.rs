//! What makes a message that waited the same one when it comes again.

use std::hash::{DefaultHasher, Hash, Hasher};

use spice_codecs::PixelFormat;
use spice_proto::msg::display::{BitmapFlags, Image, ImageData, PaletteSource};

use crate::canvas::images::{Purpose, SLOTS};
use crate::canvas::outcome::Operation;

/// A number for all that the pictures of a message depend on. Worked out for messages that wait, and when they come
/// again.
pub(super) fn fingerprint(
    what: Operation,
    to: PixelFormat,
    needed: bool,
    images: &[Option<(&Image, Purpose)>; SLOTS],
) -> u64 {
    let mut hasher = DefaultHasher::new();
    (what, std::mem::discriminant(&to), needed).hash(&mut hasher);
    for image in images {
        match image {
            Some((image, purpose)) => add(&mut hasher, image, *purpose),
            None => u8::MAX.hash(&mut hasher),
        }
    }
    hasher.finish()
}

fn add(hasher: &mut DefaultHasher, image: &Image, purpose: Purpose) {
    let size = (image.width, image.height);
    (purpose == Purpose::Mask, image.id.0, image.flags.bits(), size, image.data.kind().0).hash(hasher);
    match &image.data {
        ImageData::Bitmap(bitmap) => {
            (bitmap.format.0, bitmap.flags.bits(), bitmap.width).hash(hasher);
            (bitmap.rows.stride(), bitmap.rows.bytes()).hash(hasher);
            bitmap.palette.iter().for_each(|palette| add_palette(hasher, bitmap.flags, palette));
        }
        ImageData::LzPlt(plt) => {
            plt.data.hash(hasher);
            add_palette(hasher, plt.flags, &plt.palette);
        }
        ImageData::Quic(data)
        | ImageData::LzRgb(data)
        | ImageData::GlzRgb(data)
        | ImageData::Lz4(data)
        | ImageData::Jpeg(data) => data.hash(hasher),
        ImageData::ZlibGlzRgb(glz) => (glz.glz_data_size, &glz.data[..]).hash(hasher),
        ImageData::JpegAlpha(parts) => {
            (parts.flags.bits(), &parts.jpeg[..], &parts.alpha[..]).hash(hasher);
        }
        ImageData::Surface(id) => id.0.hash(hasher),
        // The id says all.
        _ => {}
    }
}

fn add_palette(hasher: &mut DefaultHasher, flags: BitmapFlags, palette: &PaletteSource) {
    flags.bits().hash(hasher);
    match palette {
        PaletteSource::Inline(palette) => {
            palette.unique.0.hash(hasher);
            palette.entries.iter().for_each(|entry| entry.hash(hasher));
        }
        PaletteSource::Cached(id) => id.0.hash(hasher),
    }
}
