//! Options and bounds of a canvas.

/// How a [`Canvas`](crate::canvas::Canvas) behaves.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CanvasConfig {
    /// What a server may make the canvas hold and do.
    pub limits: CanvasLimits,
}

/// The bounds of one canvas; each default says why it is what it is.
///
/// Exceeding one of the bounds on surfaces or caches is a [`CanvasError`](crate::canvas::CanvasError), since an
/// honest server does not do it; a picture or a clip list that is too large is left undrawn and reported.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CanvasLimits {
    /// Longest side of a surface in pixels. 16384: guests use at most 8192.
    pub surface_side: u32,
    /// Most bytes of one surface. 256 MiB: 8192 × 8192 pixels of 4 bytes.
    pub surface_bytes: u64,
    /// Most bytes of all surfaces of the channel. 512 MiB: off-screen surfaces live in guest video memory, of
    /// which there is at most 256 MiB.
    pub surfaces_bytes: u64,
    /// Most bytes of the surfaces of all canvases that share their caches, which are those of one session. 1 GiB: four
    /// displays as large as one may be.
    pub session_bytes: u64,
    /// Most surfaces of the channel. 1024: the size of the server's own table.
    pub surfaces: usize,
    /// Longest side of a picture in pixels. 32766, the end of what servers' drawing libraries can address.
    pub image_side: u32,
    /// Most pixels of one picture. 2²⁶, which is 256 MiB of 32-bit pixels and twice a screen of 8192 × 4096. A command
    /// has up to three pictures: source, pattern, mask. While a JPEG file is decoded, its library takes memory beside the
    /// picture: up to 10 bytes for each pixel of a progressive file, 640 MiB at this bound.
    pub image_pixels: u64,
    /// Most rectangles in one clip list. 65536.
    pub clip_rects: usize,
    /// Most palettes kept. 1024: servers keep 128.
    pub palettes: usize,
    /// Most dashes and gaps of one command. 2²⁰: lines all over the largest surface; a line that leaves it by far
    /// could have hundreds of millions.
    pub dashes: u32,
    /// Most pixels of one command's lines, those drawn again counted again. 2²⁶: every pixel of the largest
    /// surface once.
    pub stroke_pixels: u64,
    /// Most pixels that one COMPOSITE takes from its pictures one by one, as it does where it transforms them and where
    /// its operator works on fractions; bilinear filters take four for each pixel drawn. 2²⁷: a screen of 8192 × 4096
    /// through such a filter.
    pub composite_samples: u64,
    /// Most video streams open at once. 64: servers use 50.
    pub streams: usize,
    /// Most heads in one monitors configuration; further ones are cut off. 256.
    pub heads: usize,
    /// Most events kept until they are taken; beyond it the oldest are lost. 1024: a message causes at most two.
    pub events: usize,
    /// Most rectangles of damage before neighbours are merged. 16.
    pub damage_rects: usize,
    /// Bytes of working memory kept from one command to the next. 32 MiB: a 4K picture; larger buffers are given
    /// back when the command is done.
    pub scratch_bytes: usize,
}

impl Default for CanvasLimits {
    fn default() -> Self {
        Self {
            surface_side: 16384,
            surface_bytes: 256 << 20,
            surfaces_bytes: 512 << 20,
            session_bytes: 1 << 30,
            surfaces: 1024,
            image_side: 32766,
            image_pixels: 1 << 26,
            clip_rects: 65536,
            palettes: 1024,
            dashes: 1 << 20,
            stroke_pixels: 1 << 26,
            composite_samples: 1 << 27,
            streams: 64,
            heads: 256,
            events: 1024,
            damage_rects: 16,
            scratch_bytes: 32 << 20,
        }
    }
}

/// What the display channels of one session share, in the sizes that their INIT messages announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheConfig {
    /// Size of the pixmap cache in pixels, as announced. The default is 20 Mi pixels, 80 MiB.
    ///
    /// Pictures may take twice as many bytes as that many 32-bit pixels, bookkeeping included, and 16 MiB more
    /// for those in flight on several channels.
    pub pixmap_pixels: u64,
    /// Size of the GLZ window in pixels, as announced: the server makes the client keep that many. The default is 4 Mi
    /// pixels, 16 MiB, two full-HD screens; pictures as large as the window come in other codecs. More lets the server
    /// find older pictures again.
    pub glz_pixels: u64,
}

impl CacheConfig {
    /// The sizes of a pixmap cache and a GLZ window, in pixels.
    pub const fn new(pixmap_pixels: u64, glz_pixels: u64) -> Self {
        Self { pixmap_pixels, glz_pixels }
    }

    /// Most bytes that cached pictures may take, bookkeeping included.
    pub(super) const fn pixmap_bytes(&self) -> u64 {
        self.pixmap_pixels.saturating_mul(8).saturating_add(16 << 20)
    }
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self::new(20 << 20, 4 << 20)
    }
}
