//! What can be wrong with a picture.

use core::fmt;

/// A payload that could not be decoded, or a request that does not fit it.
///
/// Small, `Copy` and without allocation, so that a stream of bad pictures costs nothing to refuse.
/// After an error the destination holds unspecified pixels; the decoder itself stays usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{codec}: {kind} at byte {at}")]
pub struct CodecError {
    /// The codec that refused.
    pub codec: Codec,
    /// Byte position in the payload at which the fault was noticed. 0 for faults of the request as a whole,
    /// such as a destination of the wrong size.
    pub at: usize,
    /// What is wrong.
    pub kind: ErrorKind,
}

impl CodecError {
    /// An error of `codec` at byte `at`.
    pub const fn new(codec: Codec, at: usize, kind: ErrorKind) -> Self {
        Self { codec, at, kind }
    }
}

/// The part of this crate an error comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// The destination view itself, [`PixelsMut`](crate::PixelsMut).
    Pixels,
    /// Uncompressed rows, [`bitmap`](crate::bitmap).
    Bitmap,
    /// [`quic`](crate::quic).
    Quic,
    /// [`lz`](crate::lz).
    Lz,
    /// LZ with a dictionary of earlier images.
    Glz,
    /// LZ4 blocks.
    Lz4,
    /// A zlib stream around a GLZ stream.
    ZlibGlz,
    /// A JPEG file.
    Jpeg,
    /// A JPEG file with an LZ alpha plane.
    JpegAlpha,
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Codec::Pixels => "pixels",
            Codec::Bitmap => "bitmap",
            Codec::Quic => "quic",
            Codec::Lz => "lz",
            Codec::Glz => "glz",
            Codec::Lz4 => "lz4",
            Codec::ZlibGlz => "zlib-glz",
            Codec::Jpeg => "jpeg",
            Codec::JpegAlpha => "jpeg-alpha",
        })
    }
}

/// What is wrong, with the numbers that show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The payload ends before the picture is complete.
    #[error("input ends early")]
    Truncated,
    /// The first word is not the format's mark.
    #[error("bad magic {0:#010x}")]
    Magic(u32),
    /// A version of the format that does not exist.
    #[error("unknown version {0:#010x}")]
    Version(u32),
    /// An image type or pixel format that the codec does not have, or that its place does not allow.
    #[error("image type {0} not allowed")]
    ImageType(u32),
    /// Width or height is zero, or beyond what the format or the limits allow.
    #[error("picture of {width}x{height} not allowed")]
    Dimensions {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// The payload describes another size than the destination or the image descriptor.
    #[error("picture is {width}x{height} instead of {expected_width}x{expected_height}")]
    SizeMismatch {
        /// Width in the payload, in pixels.
        width: u32,
        /// Height in the payload, in pixels.
        height: u32,
        /// Width of the destination or descriptor, in pixels.
        expected_width: u32,
        /// Height of the destination or descriptor, in pixels.
        expected_height: u32,
    },
    /// A row length that does not fit width and format.
    #[error("row stride {stride} where {needed} bytes are needed")]
    Stride {
        /// Bytes per row found.
        stride: u64,
        /// Bytes per row needed: exactly in LZ and GLZ headers, at least everywhere else.
        needed: u64,
    },
    /// The destination buffer is shorter than its rows.
    #[error("destination of {len} bytes where {needed} are needed")]
    Destination {
        /// Bytes present.
        len: usize,
        /// Bytes needed.
        needed: u64,
    },
    /// This picture cannot be decoded into pixels of the requested format.
    #[error("no conversion into the destination format")]
    Format,
    /// A coded difference is larger than the channel.
    #[error("residual {0} exceeds the channel")]
    Residual(u32),
    /// A run or match is longer than the pixels that are left.
    #[error("run of at least {len} with {left} left")]
    Length {
        /// Units asked for (counting may have stopped early).
        len: u64,
        /// Units left.
        left: u64,
    },
    /// A match begins before the first unit of its plane.
    #[error("reference {distance} back after {done} units")]
    Reference {
        /// Units back.
        distance: u64,
        /// Units decoded so far.
        done: u64,
    },
    /// A pixel selects a palette entry that does not exist.
    #[error("palette index {index} with {entries} entries")]
    PaletteIndex {
        /// The index.
        index: u32,
        /// Entries in the palette.
        entries: u32,
    },
    /// A palette picture without palette, or with an empty one.
    #[error("palette missing")]
    NoPalette,
    /// A size field names more bytes than there are.
    #[error("{size} bytes announced, {left} present")]
    BlockSize {
        /// Bytes announced.
        size: u64,
        /// Bytes present.
        left: u64,
    },
    /// Data is left over after the last pixel, or decompresses to more than the picture.
    #[error("more data than the picture takes")]
    Excess,
    /// The block codec inside (LZ4, zlib, JPEG) found its data damaged.
    #[error("damaged data")]
    Damaged,
    /// Two fields name different row orders.
    #[error("contradicting row orders")]
    RowOrder,
    /// A GLZ image refers to an image that is not in the window.
    #[error("image {0} is not in the window")]
    MissingImage(u64),
    /// A GLZ image refers to units outside the image it names.
    #[error("{len} units at {offset} of an image of {units}")]
    ImageRange {
        /// First unit.
        offset: u64,
        /// Units wanted.
        len: u64,
        /// Units in the image.
        units: u64,
    },
    /// A GLZ image refers to an image of another type.
    #[error("reference to an image of type {0}")]
    ImageTypeMismatch(u32),
    /// A GLZ image distance or window distance reaches below image 0.
    #[error("image distance {distance} in image {id}")]
    ImageDistance {
        /// Images back.
        distance: u64,
        /// Id of the image being decoded.
        id: u64,
    },
    /// A GLZ image with an id that was already used.
    #[error("image {0} was sent twice")]
    DuplicateImage(u64),
    /// A bound of the caller is exceeded.
    #[error("{limit}: {value} exceeds {bound}")]
    Limit {
        /// The name of the bound.
        limit: &'static str,
        /// The value found.
        value: u64,
        /// The bound.
        bound: u64,
    },
}
