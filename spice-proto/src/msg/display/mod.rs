//! The display channel: surfaces, drawing commands, video streams, monitors.
//!
//! Commands of one channel take effect strictly in order. An image must be decoded even when nothing of it is
//! drawn if it is to be cached, or if later images build on it (GLZ).

mod composite;
mod draw;
mod image;
mod shape;
mod stream;
mod text;

use crate::error::DecodeError;
use crate::msg::{Protocol, base::WaitForChannels};
use crate::types::{ChannelType, PaletteId, SurfaceId};
use crate::wire::{Counted, Reader, Rest, Wire, Writer};

pub use composite::{
    Composite, CompositeFilter, CompositeFlags, CompositeOp, CompositeRepeat, DrawComposite,
};
pub use draw::{
    AlphaFlags, CopyBits, DisplayBase, DrawAlphaBlend, DrawBlackness, DrawBlend, DrawCopy, DrawFill,
    DrawInvers, DrawOpaque, DrawRop3, DrawStroke, DrawText, DrawTransparent, DrawWhiteness, RopDescriptor,
    ScaleMode,
};
pub use image::{
    Bitmap, BitmapFlags, BitmapFormat, Image, ImageData, ImageFlags, ImageType, JpegAlpha, JpegAlphaFlags,
    LzPlt, Palette, PaletteSource, Rows, WrongLength, ZlibGlz,
};
pub use shape::{
    Brush, Clip, LineAttr, LineFlags, MaskFlags, Path, PathFlags, PathSegment, PathSegments, Pattern, QMask,
};
pub use stream::{
    PreferredVideoCodecType, StreamActivateReport, StreamClip, StreamCreate, StreamData, StreamDataSized,
    StreamDestroy, StreamFlags, StreamReport, VideoCodecType,
};
pub use text::{Glyph, GlyphError, GlyphHeader, GlyphString, Glyphs, StringFlags};

/// The display channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Display;

impl Protocol for Display {
    const CHANNEL: ChannelType = ChannelType::DISPLAY;
    type Server = ServerMessage;
    type Client = ClientMessage;
}

crate::messages! {
    /// What a server sends on the display channel.
    pub enum ServerMessage {
        /// The primary surface of servers from before surfaces.
        101 => Mode(Mode),
        /// The primary surface is complete and may be shown.
        102 => Mark,
        /// The primary surface, the palette cache and the mark are void.
        103 => Reset,
        /// Move a rectangle within a surface.
        104 => CopyBits(CopyBits),
        /// Remove entries of the image cache.
        105 => InvalList(InvalList),
        /// Wait for other channels, then empty the image cache.
        106 => InvalAllPixmaps(WaitForChannels),
        /// Remove an entry of the palette cache.
        107 => InvalPalette(InvalPalette),
        /// Empty the palette cache.
        108 => InvalAllPalettes,
        /// A video starts.
        122 => StreamCreate(StreamCreate),
        /// A frame of a video.
        123 => StreamData(StreamData),
        /// Another clip for a video.
        124 => StreamClip(StreamClip),
        /// A video ends.
        125 => StreamDestroy(StreamDestroy),
        /// All videos end.
        126 => StreamDestroyAll,
        /// Paint an area with a brush.
        302 => DrawFill(DrawFill),
        /// Copy an image and combine it with a brush.
        303 => DrawOpaque(DrawOpaque),
        /// Copy an image.
        304 => DrawCopy(DrawCopy),
        /// Copy an image.
        305 => DrawBlend(DrawBlend),
        /// Clear all bits of an area.
        306 => DrawBlackness(DrawBlackness),
        /// Set all bits of an area.
        307 => DrawWhiteness(DrawWhiteness),
        /// Invert all bits of an area.
        308 => DrawInvers(DrawInvers),
        /// Combine brush, image and destination.
        309 => DrawRop3(DrawRop3),
        /// Draw lines.
        310 => DrawStroke(DrawStroke),
        /// Draw a text.
        311 => DrawText(DrawText),
        /// Copy an image but for one colour.
        312 => DrawTransparent(DrawTransparent),
        /// Lay an image over the destination.
        313 => DrawAlphaBlend(DrawAlphaBlend),
        /// A surface comes into being.
        314 => SurfaceCreate(SurfaceCreate),
        /// A surface ceases to be.
        315 => SurfaceDestroy(SurfaceDestroy),
        /// A frame of a video with its own size.
        316 => StreamDataSized(StreamDataSized),
        /// Which parts of the primary surface are monitors.
        317 => MonitorsConfig(MonitorsConfig),
        /// Combine source, mask and destination.
        318 => DrawComposite(DrawComposite),
        /// Report on a video from now on.
        319 => StreamActivateReport(StreamActivateReport),
        /// The screen is in a buffer of the graphics driver.
        320 => GlScanoutUnix(GlScanoutUnix),
        /// A part of that buffer has changed.
        321 => GlDraw(GlDraw),
        /// Reserved; nobody sends it.
        322 => QualityIndicator(Rest),
    }
}

crate::messages! {
    /// What a client sends on the display channel.
    pub enum ClientMessage {
        /// The caches to use; first message.
        101 => Init(Init),
        /// How well a video comes through.
        102 => StreamReport(StreamReport),
        /// How images should be compressed.
        103 => PreferredCompression(PreferredCompression),
        /// The change that `GlDraw` announced is on the screen.
        104 => GlDrawDone,
        /// Which video codecs the client likes.
        105 => PreferredVideoCodecType(PreferredVideoCodecType),
    }
}

crate::pod! {
    /// The primary surface of servers from before surfaces: it gets id 0.
    ///
    /// Wire: server → client 101, `DisplayChannel.mode`.
    pub struct Mode {
        /// Columns in pixels.
        pub x_res: u32,
        /// Rows in pixels.
        pub y_res: u32,
        /// Bits per pixel: 32 for xRGB, otherwise 555.
        pub bits: u32,
    }
}

crate::codes! {
    /// What kind of thing a cache entry is. Wire: `resource_type`, u8.
    pub struct ResourceType: u8 {
        /// An image.
        PIXMAP = 1,
    }
}

crate::pod! {
    /// An entry of a cache. Wire: `ResourceID`, 9 bytes.
    pub struct ResourceId {
        /// Its kind.
        pub kind: ResourceType,
        /// Its key: an [`ImageId`](crate::types::ImageId) for images.
        pub id: u64,
    }
}

crate::wire! {
    /// Removes entries of the session's image cache. Wire: server → client 105, `DisplayChannel.inval_list`.
    pub struct InvalList {
        /// The entries.
        pub resources: Counted<u16, ResourceId>,
    }
}

crate::pod! {
    /// Removes an entry of the channel's palette cache. Wire: server → client 107,
    /// `DisplayChannel.inval_palette`.
    pub struct InvalPalette {
        /// The entry.
        pub id: PaletteId,
    }
}

crate::codes! {
    /// How pixels of a surface stand in memory; little-endian words. Wire: `surface_fmt`, u32.
    pub struct SurfaceFormat: u32 {
        /// 1 bit of alpha.
        A1 = 1,
        /// 8 bits of alpha.
        A8 = 8,
        /// 16 bits, xRRRRRGGGGGBBBBB.
        X555 = 16,
        /// 32 bits, 0xxxRRGGBB.
        XRGB = 32,
        /// 16 bits, RRRRRGGGGGGBBBBB.
        R565 = 80,
        /// 32 bits, 0xAARRGGBB, premultiplied.
        ARGB = 96,
    }
}

impl SurfaceFormat {
    /// Bits per pixel; 0 for some unknown formats.
    pub const fn depth(self) -> u32 {
        self.0 & 63
    }
}

crate::flags! {
    /// What a surface is for. Wire: `surface_flags`, u32.
    pub struct SurfaceFlags: u32 {
        /// It is the visible one.
        PRIMARY = 1,
        /// Only videos that cover all of it will come; a hint.
        STREAMING_MODE = 2,
    }
}

crate::pod! {
    /// A surface comes into being, without defined content. Wire: server → client 314,
    /// `DisplayChannel.surface_create`.
    pub struct SurfaceCreate {
        /// Its name; 0 for the primary one.
        pub surface_id: SurfaceId,
        /// Columns in pixels. Unchecked: bound it before allocating.
        pub width: u32,
        /// Rows in pixels. Unchecked: bound it before allocating.
        pub height: u32,
        /// How pixels stand in memory.
        pub format: SurfaceFormat,
        /// What it is for.
        pub flags: SurfaceFlags,
    }
}

crate::pod! {
    /// A surface ceases to be. Wire: server → client 315, `DisplayChannel.surface_destroy`.
    pub struct SurfaceDestroy {
        /// The surface; unknown ones are ignored.
        pub surface_id: SurfaceId,
    }
}

crate::pod! {
    /// A monitor: a part of a surface. Wire: `Head`, 28 bytes.
    pub struct Head {
        /// Its number.
        pub monitor_id: u32,
        /// The surface, always the primary one in practice.
        pub surface_id: SurfaceId,
        /// Columns in pixels; 0 for a disabled monitor.
        pub width: u32,
        /// Rows in pixels; 0 for a disabled monitor.
        pub height: u32,
        /// Its first column on the surface.
        pub x: u32,
        /// Its first row on the surface.
        pub y: u32,
        /// 0.
        pub flags: u32,
    }
}

/// Which parts of the primary surface are monitors.
///
/// Needs the client's capability for it. Wire: server → client 317, `DisplayChannel.monitors_config`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonitorsConfig {
    /// The most monitors that the device can have.
    pub max_allowed: u16,
    /// The monitors. None at all: ignore the message.
    pub heads: Counted<u16, Head>,
}

// By hand: `max_allowed` stands between the count and what it counts.
impl Wire for MonitorsConfig {
    const MIN_LEN: usize = 4;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.field("count");
        let count: u16 = r.pod()?;
        let max_allowed = r.pod()?;
        r.field("heads");
        Ok(Self { max_allowed, heads: Counted::decode_elements(count, r)? })
    }

    fn inline_len(&self) -> usize {
        2 + self.heads.inline_len()
    }

    fn encode(&self, w: &mut Writer<'_>) {
        self.heads.count().encode(w);
        self.max_allowed.encode(w);
        w.put(self.heads.as_bytes());
    }
}

crate::__when_testing! {
    impl crate::testing::Sample for MonitorsConfig {
        fn sample(s: &mut crate::testing::Source<'_>) -> Self {
            Self { max_allowed: crate::testing::Sample::sample(s), heads: crate::testing::Sample::sample(s) }
        }
    }
}

crate::flags! {
    /// Row order of a graphics buffer. Wire: `gl_scanout_flags`, u32.
    pub struct GlScanoutFlags: u32 {
        /// The first row is the top one.
        Y0TOP = 1,
    }
}

crate::pod! {
    /// The screen is in a buffer of the graphics driver.
    ///
    /// Only on Unix sockets: behind the message one more byte comes, with the buffer's descriptor as ancillary
    /// data, unless the format is 0. Wire: server → client 320, `DisplayChannel.gl_scanout_unix`.
    pub struct GlScanoutUnix {
        /// Columns in pixels.
        pub width: u32,
        /// Rows in pixels.
        pub height: u32,
        /// Bytes from one row to the next.
        pub stride: u32,
        /// The DRM four-character code of the pixel format; 0 for no scan-out.
        pub drm_fourcc_format: u32,
        /// Row order.
        pub flags: GlScanoutFlags,
    }
}

crate::pod! {
    /// A part of the graphics buffer has changed; to be answered by one `GlDrawDone` when it is shown.
    ///
    /// Wire: server → client 321, `DisplayChannel.gl_draw`.
    pub struct GlDraw {
        /// First column.
        pub x: u32,
        /// First row.
        pub y: u32,
        /// Columns in pixels.
        pub w: u32,
        /// Rows in pixels.
        pub h: u32,
    }
}

crate::pod! {
    /// The caches to use. Channels that name the same ids share them, in the size that the first one names.
    ///
    /// Wire: client → server 101, `DisplayChannel.init`; exactly once and first.
    pub struct Init {
        /// Names the image cache.
        pub pixmap_cache_id: u8,
        /// Its size in pixels.
        pub pixmap_cache_size: i64,
        /// Names the GLZ dictionary.
        pub glz_dictionary_id: u8,
        /// Its size in pixels.
        pub glz_dictionary_window_size: i32,
    }
}

crate::codes! {
    /// How a server should compress images. Wire: `image_compression`, u8.
    pub struct ImageCompression: u8 {
        /// Not at all.
        OFF = 1,
        /// QUIC or GLZ, by content.
        AUTO_GLZ = 2,
        /// QUIC or LZ, by content.
        AUTO_LZ = 3,
        /// QUIC.
        QUIC = 4,
        /// GLZ.
        GLZ = 5,
        /// LZ.
        LZ = 6,
        /// LZ4.
        LZ4 = 7,
    }
}

crate::pod! {
    /// How images should be compressed on this channel; replaces the server's setting.
    ///
    /// Needs the server's capability for it. Wire: client → server 103, `DisplayChannel.preferred_compression`.
    pub struct PreferredCompression {
        /// The compression.
        pub image_compression: ImageCompression,
    }
}
