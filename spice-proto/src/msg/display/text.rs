//! Strings of glyphs.

use core::fmt;

use bytes::{Bytes, BytesMut};

use crate::error::{DecodeError, DecodeErrorKind};
use crate::types::Point;
use crate::wire::{Count, Reader, TooMany, Wire, Writer};

crate::flags! {
    /// How the coverage of glyphs stands in memory. Wire: `string_flags`, u8.
    pub struct StringFlags: u8 {
        /// 1 bit per pixel, highest bit first.
        RASTER_A1 = 1,
        /// 4 bits per pixel, high half first.
        RASTER_A4 = 2,
        /// 1 byte per pixel.
        RASTER_A8 = 4,
        /// Set by some servers; rows are bottom-up regardless.
        RASTER_TOP_DOWN = 8,
    }
}

impl StringFlags {
    /// Bits per pixel of a glyph, or `None` unless exactly one of the three raster formats is set.
    pub fn bits_per_pixel(self) -> Option<u8> {
        match self & (Self::RASTER_A1 | Self::RASTER_A4 | Self::RASTER_A8) {
            Self::RASTER_A1 => Some(1),
            Self::RASTER_A4 => Some(4),
            Self::RASTER_A8 => Some(8),
            _ => None,
        }
    }
}

crate::pod! {
    /// Place and size of a glyph. Wire: the fixed part of `RasterGlyph`, 20 bytes.
    pub struct GlyphHeader {
        /// Where the glyph's origin is, in surface coordinates.
        pub render_pos: Point,
        /// The left top pixel of the glyph as seen from its origin.
        pub glyph_origin: Point,
        /// Columns in pixels.
        pub width: u16,
        /// Rows in pixels.
        pub height: u16,
    }
}

/// One glyph of a [`GlyphString`].
#[derive(Clone, Debug, PartialEq)]
pub struct Glyph {
    /// Place and size.
    pub header: GlyphHeader,
    /// The rows' coverage, **lowest row first**, each row filled up to whole bytes.
    pub data: Bytes,
}

/// A text as glyphs at places. Wire: `String`, a u16 count, u8 flags and that many glyphs.
///
/// Glyphs differ in size, so they stay the bytes that they arrived in, checked once, and are read while
/// iterating. The flags must set exactly one raster format, because it decides the glyphs' size.
#[derive(Clone, PartialEq)]
pub struct GlyphString {
    // INVARIANT: bits is what flags say, bytes are exactly `count` encoded glyphs of that many bits per pixel.
    count: u16,
    flags: StringFlags,
    bits: u8,
    bytes: Bytes,
}

/// Why glyphs do not make a [`GlyphString`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GlyphError {
    /// The flags do not set exactly one raster format.
    #[error("flags {0:?} do not set exactly one raster format")]
    Format(StringFlags),
    /// The coverage has another length than the glyph's size needs.
    #[error("a glyph has {len} bytes of coverage and needs {needed}")]
    Length {
        /// Bytes given.
        len: usize,
        /// Bytes needed.
        needed: usize,
    },
    /// There are more glyphs than the wire can count.
    #[error(transparent)]
    TooMany(#[from] TooMany),
}

impl GlyphString {
    /// A string of the given glyphs.
    ///
    /// # Errors
    /// [`GlyphError`] when flags and glyphs do not fit each other, or there are more than 65535 glyphs.
    pub fn new<'a>(
        flags: StringFlags,
        glyphs: impl IntoIterator<Item = &'a Glyph>,
    ) -> Result<Self, GlyphError> {
        let bits = flags.bits_per_pixel().ok_or(GlyphError::Format(flags))?;
        let mut bytes = BytesMut::new();
        let mut count = 0usize;
        for glyph in glyphs {
            let (len, needed) = (glyph.data.len(), glyph.header.coverage_len(bits));
            if len != needed {
                return Err(GlyphError::Length { len, needed });
            }
            crate::wire::encode(&glyph.header, &mut bytes);
            bytes.extend_from_slice(&glyph.data);
            count += 1;
        }
        let too_many = TooMany { len: count, bound: <u16 as Count>::MAX };
        let count = u16::try_from(count).map_err(|_| too_many)?;
        Ok(Self { count, flags, bits, bytes: bytes.freeze() })
    }

    /// How the coverage stands in memory.
    pub const fn flags(&self) -> StringFlags {
        self.flags
    }

    /// Bits per pixel of each glyph: 1, 4 or 8.
    pub const fn bits_per_pixel(&self) -> u8 {
        self.bits
    }

    /// Number of glyphs.
    pub const fn len(&self) -> u16 {
        self.count
    }

    /// Whether there is no glyph.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The glyphs in order.
    pub fn glyphs(&self) -> Glyphs {
        Glyphs { rest: self.bytes.clone(), bits: self.bits }
    }
}

impl GlyphHeader {
    /// Bytes of coverage at so many bits per pixel.
    pub const fn coverage_len(&self, bits_per_pixel: u8) -> usize {
        (self.width as usize * bits_per_pixel as usize).div_ceil(8).saturating_mul(self.height as usize)
    }
}

impl fmt::Debug for GlyphString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GlyphString").field("flags", &self.flags).field("glyphs", &DebugGlyphs(self)).finish()
    }
}

struct DebugGlyphs<'a>(&'a GlyphString);

impl fmt::Debug for DebugGlyphs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.glyphs()).finish()
    }
}

impl Wire for GlyphString {
    const MIN_LEN: usize = 3;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.field("flags");
        let count: u16 = r.pod()?;
        let flags: StringFlags = r.pod()?;
        let Some(bits) = flags.bits_per_pixel() else {
            let rule = "exactly one raster format is set";
            return Err(r.error(DecodeErrorKind::BadValue { value: flags.bits().into(), rule }));
        };
        r.field("glyphs");
        let start = r.clone();
        for _ in 0..count {
            let header: GlyphHeader = r.pod()?;
            r.take(header.coverage_len(bits))?;
        }
        Ok(Self { count, flags, bits, bytes: start.up_to(r) })
    }

    fn inline_len(&self) -> usize {
        Self::MIN_LEN + self.bytes.len()
    }

    fn encode(&self, w: &mut Writer<'_>) {
        self.count.encode(w);
        self.flags.encode(w);
        w.put(&self.bytes);
    }
}

/// Iterator over the glyphs of a [`GlyphString`].
#[derive(Clone, Debug)]
pub struct Glyphs {
    rest: Bytes,
    bits: u8,
}

impl Iterator for Glyphs {
    type Item = Glyph;

    fn next(&mut self) -> Option<Glyph> {
        let header: GlyphHeader = crate::wire::decode("Glyph", &self.rest, 0).ok()?;
        let end = GlyphHeader::MIN_LEN.checked_add(header.coverage_len(self.bits))?;
        if end > self.rest.len() {
            return None;
        }
        let data = self.rest.split_to(end).split_off(GlyphHeader::MIN_LEN);
        Some(Glyph { header, data })
    }
}

crate::__when_testing! {
    use crate::testing::{Sample, Source};

    impl Sample for GlyphString {
        fn sample(s: &mut Source<'_>) -> Self {
            let raster = [StringFlags::RASTER_A1, StringFlags::RASTER_A4, StringFlags::RASTER_A8][s.below(3)];
            let others = StringFlags::sample(s);
            let flags = raster | (others - StringFlags::from_bits_retain(7));
            let bits = flags.bits_per_pixel().unwrap_or(8);
            let mut bytes = BytesMut::new();
            let count = s.below(4);
            for _ in 0..count {
                let mut header = GlyphHeader::sample(s);
                (header.width, header.height) = (header.width % 20, header.height % 4);
                crate::wire::encode(&header, &mut bytes);
                bytes.extend((0..header.coverage_len(bits)).map(|_| s.byte()));
            }
            Self { count: Count::from_len(count), flags, bits, bytes: bytes.freeze() }
        }
    }
}
