//! Images as they travel with drawing commands: descriptor, uncompressed bitmaps, palettes, compressed payloads.

use bytes::Bytes;
use thiserror::Error;

use crate::error::{DecodeError, DecodeErrorKind};
use crate::types::{ImageId, PaletteId, SurfaceId};
use crate::wire::{Blob, Counted, Ptr, Reader, Wire, Writer};

/// An image: what it is called, how it is cached, how large it is, and its pixels in one of many forms.
///
/// Wire: `Image`, 18 bytes descriptor and a body by type.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Key in the session's image cache.
    pub id: ImageId,
    /// What to do with the cache.
    pub flags: ImageFlags,
    /// Columns in pixels. Equals the width in the payload's own header, which the codec has to check.
    pub width: u32,
    /// Rows in pixels. Equals the height in the payload's own header, which the codec has to check.
    pub height: u32,
    /// The pixels, or where to take them from.
    pub data: ImageData,
}

/// The body of an image, by the type in its descriptor.
///
/// The compressed forms carry the codec's own header in front of its data.
#[derive(Clone, Debug, PartialEq)]
pub enum ImageData {
    /// Uncompressed pixels. Type 0.
    Bitmap(Bitmap),
    /// SPICE's own lossless predictive format. Type 1.
    Quic(Blob<u32>),
    /// Indexed pixels in LZ with their palette. Type 100.
    LzPlt(LzPlt),
    /// Pixels in LZ. Type 101.
    LzRgb(Blob<u32>),
    /// Pixels in LZ that refer to earlier images of the session. Type 102.
    GlzRgb(Blob<u32>),
    /// The cached image of this id. Type 103.
    FromCache,
    /// The present content of a surface. Type 104.
    Surface(SurfaceId),
    /// A JPEG file. Type 105.
    Jpeg(Blob<u32>),
    /// The cached image of this id, in its lossless form. Type 106.
    FromCacheLossless,
    /// A GLZ image inside a zlib stream. Type 107.
    ZlibGlzRgb(ZlibGlz),
    /// A JPEG file for the colours and an LZ image for alpha. Type 108.
    JpegAlpha(JpegAlpha),
    /// LZ4 blocks. Type 109.
    Lz4(Blob<u32>),
}

crate::codes! {
    /// The form of an image's body. Wire: `image_type`, u8.
    pub struct ImageType: u8 {
        /// [`ImageData::Bitmap`].
        BITMAP = 0,
        /// [`ImageData::Quic`].
        QUIC = 1,
        /// [`ImageData::LzPlt`].
        LZ_PLT = 100,
        /// [`ImageData::LzRgb`].
        LZ_RGB = 101,
        /// [`ImageData::GlzRgb`].
        GLZ_RGB = 102,
        /// [`ImageData::FromCache`].
        FROM_CACHE = 103,
        /// [`ImageData::Surface`].
        SURFACE = 104,
        /// [`ImageData::Jpeg`].
        JPEG = 105,
        /// [`ImageData::FromCacheLossless`].
        FROM_CACHE_LOSSLESS = 106,
        /// [`ImageData::ZlibGlzRgb`].
        ZLIB_GLZ_RGB = 107,
        /// [`ImageData::JpegAlpha`].
        JPEG_ALPHA = 108,
        /// [`ImageData::Lz4`].
        LZ4 = 109,
    }
}

crate::flags! {
    /// What to do with an image besides drawing it. Wire: `image_flags`, u8.
    pub struct ImageFlags: u8 {
        /// Keep the decoded image under its id.
        CACHE_ME = 1,
        /// Set the top byte of every decoded xRGB pixel to 0xff.
        HIGH_BITS_SET = 2,
        /// Put this lossless image in the place of the lossy one of the same id.
        CACHE_REPLACE_ME = 4,
    }
}

crate::codes! {
    /// How the pixels of an uncompressed bitmap stand in memory. Wire: `bitmap_fmt`, u8.
    pub struct BitmapFormat: u8 {
        /// 1 bit per pixel, lowest bit first, indexed.
        BIT1_LE = 1,
        /// 1 bit per pixel, highest bit first, indexed.
        BIT1_BE = 2,
        /// 4 bits per pixel, low half first, indexed.
        BIT4_LE = 3,
        /// 4 bits per pixel, high half first, indexed.
        BIT4_BE = 4,
        /// 1 byte per pixel, indexed.
        BIT8 = 5,
        /// 2 bytes per pixel, xRRRRRGGGGGBBBBB.
        BIT16 = 6,
        /// 3 bytes per pixel: blue, green, red.
        BIT24 = 7,
        /// 4 bytes per pixel: blue, green, red, unused.
        BIT32 = 8,
        /// 4 bytes per pixel: blue, green, red, alpha; premultiplied.
        RGBA = 9,
        /// 1 byte per pixel, alpha alone.
        BIT8_A = 10,
    }
}

crate::flags! {
    /// Row order and palette caching of a bitmap. Wire: `bitmap_flags`, u8.
    ///
    /// Bit 2, "palette from cache", is not among them: [`PaletteSource`] says it.
    pub struct BitmapFlags: u8 {
        /// Keep the palette under its id.
        PAL_CACHE_ME = 1,
        /// The first row in memory is the top one; without it, the bottom one.
        TOP_DOWN = 4,
    }
}

/// Says that the palette is given by id. Lives in the wire's flags, and in [`PaletteSource`] outside of them.
const PAL_FROM_CACHE: BitmapFlags = BitmapFlags::from_bits_retain(2);

/// Where the palette of an indexed image comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum PaletteSource {
    /// From the channel's palette cache. Wire: bitmap flag 2 and a u64 id.
    Cached(PaletteId),
    /// With the image. Wire: a `u32` offset.
    Inline(Ptr<Palette>),
}

crate::wire! {
    /// The colours of an indexed image. Wire: `Palette`, 10 bytes and 4 per entry.
    pub struct Palette {
        /// Key in the channel's palette cache.
        pub unique: PaletteId,
        /// One pixel of the destination surface per index: 0x00RRGGBB, or 555 in the low half.
        pub entries: Counted<u16, u32>,
    }
}

/// Uncompressed pixels. Wire: `BitmapData`.
#[derive(Clone, Debug, PartialEq)]
pub struct Bitmap {
    /// How the pixels stand in memory.
    pub format: BitmapFormat,
    /// Row order and palette caching. Bit 2 is ignored here, see [`PaletteSource`].
    pub flags: BitmapFlags,
    /// Columns in pixels. Not checked against the rows' length: that takes knowledge of the format.
    pub width: u32,
    /// The colours of the indexed formats.
    pub palette: Option<PaletteSource>,
    /// The rows in memory order.
    pub rows: Rows,
}

/// Rows of equal length, one behind the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    // INVARIANT: bytes.len() == count * stride
    count: u32,
    stride: u32,
    bytes: Bytes,
}

/// Pixels that are not as many bytes as their rows need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{count} rows of {stride} bytes do not make {len} bytes")]
pub struct WrongLength {
    /// Number of rows.
    pub count: u32,
    /// Bytes per row.
    pub stride: u32,
    /// Bytes given.
    pub len: usize,
}

/// Indexed pixels in LZ with their palette. Wire: `LZPLTData`.
#[derive(Clone, Debug, PartialEq)]
pub struct LzPlt {
    /// Palette caching. Bit 2 is ignored here, see [`PaletteSource`]; the row order stands in the LZ header.
    pub flags: BitmapFlags,
    /// The colours.
    pub palette: PaletteSource,
    /// The LZ image.
    pub data: Blob<u32>,
}

crate::wire! {
    /// A GLZ image inside a zlib stream. Wire: `ZlibGlzRGBData`.
    pub struct ZlibGlz {
        /// Bytes of the GLZ image after inflation.
        pub glz_data_size: u32,
        /// The zlib stream.
        pub data: Blob<u32>,
    }
}

crate::flags! {
    /// Row order of an alpha plane. Wire: `jpeg_alpha_flags`, u8.
    pub struct JpegAlphaFlags: u8 {
        /// The first row of the alpha plane is the top one. The JPEG part always is top-down.
        TOP_DOWN = 1,
    }
}

/// Colours in JPEG and alpha in LZ. Wire: `JPEGAlphaData`.
#[derive(Clone, Debug, PartialEq)]
pub struct JpegAlpha {
    /// Row order of the alpha plane.
    pub flags: JpegAlphaFlags,
    /// The JPEG file with the colours.
    pub jpeg: Bytes,
    /// The LZ image of type XXXA with the alpha plane.
    pub alpha: Bytes,
}

impl ImageData {
    /// The type that stands in the image's descriptor.
    pub const fn kind(&self) -> ImageType {
        match self {
            Self::Bitmap(_) => ImageType::BITMAP,
            Self::Quic(_) => ImageType::QUIC,
            Self::LzPlt(_) => ImageType::LZ_PLT,
            Self::LzRgb(_) => ImageType::LZ_RGB,
            Self::GlzRgb(_) => ImageType::GLZ_RGB,
            Self::FromCache => ImageType::FROM_CACHE,
            Self::Surface(_) => ImageType::SURFACE,
            Self::Jpeg(_) => ImageType::JPEG,
            Self::FromCacheLossless => ImageType::FROM_CACHE_LOSSLESS,
            Self::ZlibGlzRgb(_) => ImageType::ZLIB_GLZ_RGB,
            Self::JpegAlpha(_) => ImageType::JPEG_ALPHA,
            Self::Lz4(_) => ImageType::LZ4,
        }
    }

    fn decode(kind: ImageType, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match kind {
            ImageType::BITMAP => Self::Bitmap(Wire::decode(r)?),
            ImageType::QUIC => Self::Quic(Wire::decode(r)?),
            ImageType::LZ_PLT => Self::LzPlt(Wire::decode(r)?),
            ImageType::LZ_RGB => Self::LzRgb(Wire::decode(r)?),
            ImageType::GLZ_RGB => Self::GlzRgb(Wire::decode(r)?),
            ImageType::FROM_CACHE => Self::FromCache,
            ImageType::SURFACE => Self::Surface(Wire::decode(r)?),
            ImageType::JPEG => Self::Jpeg(Wire::decode(r)?),
            ImageType::FROM_CACHE_LOSSLESS => Self::FromCacheLossless,
            ImageType::ZLIB_GLZ_RGB => Self::ZlibGlzRgb(Wire::decode(r)?),
            ImageType::JPEG_ALPHA => Self::JpegAlpha(Wire::decode(r)?),
            ImageType::LZ4 => Self::Lz4(Wire::decode(r)?),
            ImageType(tag) => return Err(r.error(DecodeErrorKind::UnknownTag { tag: tag.into() })),
        })
    }

    fn inline_len(&self) -> usize {
        match self {
            Self::Bitmap(bitmap) => bitmap.inline_len(),
            Self::LzPlt(lz) => lz.inline_len(),
            Self::FromCache | Self::FromCacheLossless => 0,
            Self::Surface(id) => id.inline_len(),
            Self::ZlibGlzRgb(glz) => glz.inline_len(),
            Self::JpegAlpha(jpeg) => jpeg.inline_len(),
            Self::Quic(data)
            | Self::LzRgb(data)
            | Self::GlzRgb(data)
            | Self::Jpeg(data)
            | Self::Lz4(data) => data.inline_len(),
        }
    }

    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::Bitmap(bitmap) => bitmap.encode(w),
            Self::LzPlt(lz) => lz.encode(w),
            Self::FromCache | Self::FromCacheLossless => {}
            Self::Surface(id) => id.encode(w),
            Self::ZlibGlzRgb(glz) => glz.encode(w),
            Self::JpegAlpha(jpeg) => jpeg.encode(w),
            Self::Quic(data)
            | Self::LzRgb(data)
            | Self::GlzRgb(data)
            | Self::Jpeg(data)
            | Self::Lz4(data) => data.encode(w),
        }
    }
}

impl Wire for Image {
    const MIN_LEN: usize = 18;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.field("descriptor");
        let id = r.pod()?;
        let kind = r.pod()?;
        let (flags, width, height) = (r.pod()?, r.pod()?, r.pod()?);
        r.field("data");
        let data = ImageData::decode(kind, r)?;
        Ok(Self { id, flags, width, height, data })
    }

    fn inline_len(&self) -> usize {
        Self::MIN_LEN + self.data.inline_len()
    }

    fn encode(&self, w: &mut Writer<'_>) {
        self.id.encode(w);
        self.data.kind().encode(w);
        self.flags.encode(w);
        self.width.encode(w);
        self.height.encode(w);
        self.data.encode(w);
    }
}

impl PaletteSource {
    /// Reads the palette that `flags` announce; a null offset is `None`.
    fn decode(flags: BitmapFlags, r: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        r.field("palette");
        if flags.contains(PAL_FROM_CACHE) {
            return Ok(Some(Self::Cached(r.pod()?)));
        }
        Ok(Option::<Ptr<Palette>>::decode(r)?.map(Self::Inline))
    }

    fn inline_len(&self) -> usize {
        match self {
            Self::Cached(id) => id.inline_len(),
            Self::Inline(palette) => palette.inline_len(),
        }
    }

    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::Cached(id) => id.encode(w),
            Self::Inline(palette) => palette.encode(w),
        }
    }

    /// The flags as they stand on the wire in front of this palette.
    fn flags(&self, flags: BitmapFlags) -> BitmapFlags {
        match self {
            Self::Cached(_) => flags | PAL_FROM_CACHE,
            Self::Inline(_) => flags - PAL_FROM_CACHE,
        }
    }
}

impl Rows {
    /// `count` rows of `stride` bytes each.
    ///
    /// # Errors
    /// [`WrongLength`] when `bytes` has another length than that.
    pub fn new(count: u32, stride: u32, bytes: Bytes) -> Result<Self, WrongLength> {
        if Ok(bytes.len()) == usize::try_from(u64::from(count) * u64::from(stride)) {
            Ok(Self { count, stride, bytes })
        } else {
            Err(WrongLength { count, stride, len: bytes.len() })
        }
    }

    /// Number of rows.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Bytes from the start of one row to the start of the next.
    pub const fn stride(&self) -> u32 {
        self.stride
    }

    /// All rows in memory order, `count × stride` bytes.
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl Wire for Bitmap {
    const MIN_LEN: usize = 18;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let format = r.pod()?;
        let flags: BitmapFlags = r.pod()?;
        let (width, count, stride) = (r.pod()?, r.pod::<u32>()?, r.pod::<u32>()?);
        let palette = PaletteSource::decode(flags, r)?;
        r.field("rows");
        let len = usize::try_from(u64::from(count) * u64::from(stride)).unwrap_or(usize::MAX);
        let rows = Rows { count, stride, bytes: r.take_bytes(len)? };
        Ok(Self { format, flags: flags - PAL_FROM_CACHE, width, palette, rows })
    }

    fn inline_len(&self) -> usize {
        14 + self.palette.as_ref().map_or(4, PaletteSource::inline_len) + self.rows.bytes.len()
    }

    fn encode(&self, w: &mut Writer<'_>) {
        self.format.encode(w);
        self.palette.as_ref().map_or(self.flags - PAL_FROM_CACHE, |p| p.flags(self.flags)).encode(w);
        self.width.encode(w);
        self.rows.count.encode(w);
        self.rows.stride.encode(w);
        match &self.palette {
            Some(palette) => palette.encode(w),
            None => w.put(&[0; 4]),
        }
        w.put(&self.rows.bytes);
    }
}

impl Wire for LzPlt {
    const MIN_LEN: usize = 9;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let flags: BitmapFlags = r.pod()?;
        let len: u32 = r.pod()?;
        let palette = PaletteSource::decode(flags, r)?;
        let palette = palette.ok_or_else(|| r.error(DecodeErrorKind::NullPointer))?;
        r.field("data");
        let bytes = r.take_bytes(usize::try_from(len).unwrap_or(usize::MAX))?;
        let data = Blob::new(bytes).unwrap_or_default();
        Ok(Self { flags: flags - PAL_FROM_CACHE, palette, data })
    }

    fn inline_len(&self) -> usize {
        5 + self.palette.inline_len() + self.data.len()
    }

    fn encode(&self, w: &mut Writer<'_>) {
        self.palette.flags(self.flags).encode(w);
        wire_len(self.data.len()).encode(w);
        self.palette.encode(w);
        w.put(&self.data);
    }
}

impl Wire for JpegAlpha {
    const MIN_LEN: usize = 9;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let flags = r.pod()?;
        r.field("jpeg_size");
        let jpeg: u32 = r.pod()?;
        let len: u32 = r.pod()?;
        let Some(alpha) = len.checked_sub(jpeg) else {
            let rule = "the JPEG part is no longer than the whole";
            return Err(r.error(DecodeErrorKind::BadValue { value: jpeg.into(), rule }));
        };
        r.field("data");
        Ok(Self {
            flags,
            jpeg: r.take_bytes(usize::try_from(jpeg).unwrap_or(usize::MAX))?,
            alpha: r.take_bytes(usize::try_from(alpha).unwrap_or(usize::MAX))?,
        })
    }

    fn inline_len(&self) -> usize {
        Self::MIN_LEN + self.jpeg.len() + self.alpha.len()
    }

    fn encode(&self, w: &mut Writer<'_>) {
        self.flags.encode(w);
        wire_len(self.jpeg.len()).encode(w);
        wire_len(self.jpeg.len() + self.alpha.len()).encode(w);
        w.put(&self.jpeg);
        w.put(&self.alpha);
    }
}

/// A length as the wire says it. Bodies stay below 4 GiB, so nothing is lost.
fn wire_len(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

crate::__when_testing! {
    use crate::testing::{Sample, Source};

    impl Sample for Image {
        fn sample(s: &mut Source<'_>) -> Self {
            Self {
                id: Sample::sample(s),
                flags: Sample::sample(s),
                width: Sample::sample(s),
                height: Sample::sample(s),
                data: Sample::sample(s),
            }
        }
    }

    impl Sample for ImageData {
        fn sample(s: &mut Source<'_>) -> Self {
            match s.below(12) {
                0 => Self::Bitmap(Sample::sample(s)),
                1 => Self::Quic(Sample::sample(s)),
                2 => Self::LzPlt(Sample::sample(s)),
                3 => Self::LzRgb(Sample::sample(s)),
                4 => Self::GlzRgb(Sample::sample(s)),
                5 => Self::FromCache,
                6 => Self::Surface(Sample::sample(s)),
                7 => Self::Jpeg(Sample::sample(s)),
                8 => Self::FromCacheLossless,
                9 => Self::ZlibGlzRgb(Sample::sample(s)),
                10 => Self::JpegAlpha(Sample::sample(s)),
                _ => Self::Lz4(Sample::sample(s)),
            }
        }
    }

    impl Sample for PaletteSource {
        fn sample(s: &mut Source<'_>) -> Self {
            if s.byte().is_multiple_of(2) { Self::Inline(Sample::sample(s)) } else { Self::Cached(Sample::sample(s)) }
        }
    }

    impl Sample for Bitmap {
        fn sample(s: &mut Source<'_>) -> Self {
            let (count, stride) = (s.below(5), s.below(9));
            let bytes = (0..count * stride).map(|_| s.byte()).collect();
            Self {
                format: Sample::sample(s),
                flags: BitmapFlags::sample(s) - PAL_FROM_CACHE,
                width: Sample::sample(s),
                palette: Sample::sample(s),
                rows: Rows { count: wire_len(count), stride: wire_len(stride), bytes },
            }
        }
    }

    impl Sample for LzPlt {
        fn sample(s: &mut Source<'_>) -> Self {
            Self {
                flags: BitmapFlags::sample(s) - PAL_FROM_CACHE,
                palette: Sample::sample(s),
                data: Sample::sample(s),
            }
        }
    }

    impl Sample for JpegAlpha {
        fn sample(s: &mut Source<'_>) -> Self {
            Self { flags: Sample::sample(s), jpeg: s.payload(), alpha: s.payload() }
        }
    }
}
