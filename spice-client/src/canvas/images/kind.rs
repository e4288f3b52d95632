//! What can be told of an image without decoding it.

use spice_codecs::PixelFormat;
use spice_proto::msg::display::{BitmapFlags, Image, ImageData, ImageFlags, PaletteSource};

/// Whether the pixels of an image depend on nothing but the image: no cache, no surface, no palette.
#[cfg(all(feature = "parallel", not(target_arch = "wasm32")))]
pub(in crate::canvas) fn is_independent(image: &Image) -> bool {
    use ImageData::{Jpeg, JpegAlpha, Lz4, LzRgb, Quic};
    matches!(image.data, Quic(_) | LzRgb(_) | Lz4(_) | Jpeg(_) | JpegAlpha(_))
}

/// Whether the decoded image goes into the pixmap cache.
pub(super) fn is_cached(image: &Image) -> bool {
    image.flags.intersects(ImageFlags::CACHE_ME | ImageFlags::CACHE_REPLACE_ME)
}

pub(super) fn needs_high_bits(image: &Image, native: PixelFormat) -> bool {
    image.flags.contains(ImageFlags::HIGH_BITS_SET) && native == PixelFormat::Bgrx
}

/// Whether the pixels of an image are palette entries.
pub(in crate::canvas) fn is_indexed(image: &Image) -> bool {
    palette_of(image).is_some()
}

pub(super) fn palette_of(image: &Image) -> Option<(BitmapFlags, &PaletteSource)> {
    match &image.data {
        ImageData::Bitmap(bitmap) => Some((bitmap.flags, bitmap.palette.as_ref()?)),
        ImageData::LzPlt(plt) => Some((plt.flags, &plt.palette)),
        _ => None,
    }
}
