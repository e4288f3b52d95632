//! What comes of a message: outcomes, events, errors.

use spice_codecs::CodecError;
use spice_proto::msg::display::{GlDraw, GlScanoutUnix, ImageType};
use spice_proto::types::{ImageId, PaletteId, StreamId, SurfaceId};
use thiserror::Error;

use crate::canvas::{PixelFormat, VideoError};

/// What [`Canvas::apply`](crate::canvas::Canvas::apply) did with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Applied {
    /// The message is dealt with.
    Done,
    /// The message needs something that another display channel has yet to deliver. Nothing was drawn; apply the
    /// same message again when another canvas of the session has made progress. For how long is the caller's
    /// choice, 10 seconds are generous.
    Blocked(Blocked),
}

/// What a message waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// A picture of this id in the pixmap cache.
    Picture(ImageId),
    /// A picture of this id in the pixmap cache that is not lossy.
    LosslessPicture(ImageId),
    /// The image of this number in the GLZ window.
    GlzImage(u64),
}

/// Something that the owner of a canvas may want to act on; from
/// [`Canvas::poll_event`](crate::canvas::Canvas::poll_event).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// There is a new visible surface, black until something is drawn.
    PrimaryCreated {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Format of its pixels.
        format: PixelFormat,
    },
    /// The visible surface is gone. Usually the next one follows within milliseconds.
    PrimaryDestroyed,
    /// The visible surface is complete and may be shown.
    Mark,
    /// The parts of the visible surface that are monitors; from
    /// [`Canvas::heads`](crate::canvas::Canvas::heads).
    Monitors,
    /// A video stream began that nobody here can decode, or on a surface that does not exist: answer with the
    /// "cannot decode" report, and the server sends pictures instead. Its frames are dropped.
    StreamUndecodable {
        /// The stream.
        id: StreamId,
    },
    /// The screen is in a buffer of the graphics driver from now on, whose descriptor came with the message; a format of
    /// 0 ends that. Only for clients that announce GL_SCANOUT, on unix sockets; this canvas shows nothing of it.
    GlScanout(GlScanoutUnix),
    /// A part of that buffer has changed: answer with one GL_DRAW_DONE when it is shown.
    GlDraw(GlDraw),
    /// A command was left undrawn. Reported once for each pair of command and kind of reason.
    Undrawable {
        /// The command.
        what: Operation,
        /// The reason, of the first case.
        why: Reason,
    },
}

/// A kind of display message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
#[non_exhaustive]
pub enum Operation {
    CopyBits,
    Fill,
    Opaque,
    Copy,
    Blend,
    Blackness,
    Whiteness,
    Invers,
    Rop3,
    Stroke,
    Text,
    Transparent,
    AlphaBlend,
    Composite,
    Stream,
}

/// Why a command was left undrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Reason {
    /// This canvas does not draw this kind of command, or not in this form.
    #[error("{0} not supported")]
    Unsupported(&'static str),
    /// The surface to draw to does not exist.
    #[error("no surface {}", .0.0)]
    NoSurface(SurfaceId),
    /// The surface to read from does not exist.
    #[error("no source surface {}", .0.0)]
    NoSourceSurface(SurfaceId),
    /// The command has no picture where it needs one.
    #[error("no source picture")]
    NoImage,
    /// Pictures of this type number have no decoder here.
    #[error("no decoder for {0:?} images")]
    ImageType(ImageType),
    /// A picture's data is damaged or does not belong to its descriptor.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A picture was to be taken from the cache, where it stands for one that could not be decoded.
    #[error("picture {:#x} could not be decoded when it was cached", .0.0)]
    CachedFailure(ImageId),
    /// A video frame cannot be shown.
    #[error(transparent)]
    Video(VideoError),
    /// A palette that is not in the palette cache.
    #[error("no palette {:#x} in the cache", .0.0)]
    NoPalette(PaletteId),
    /// A picture that replaces a lossy one is itself lossy.
    #[error("lossy replacement for a cached picture")]
    LossyReplacement,
    /// The part of the picture to draw is empty, the place to draw it to is not.
    #[error("empty source area")]
    EmptySource,
    /// A mask is not a picture of one bit per pixel.
    #[error("mask is not of one bit per pixel")]
    MaskFormat,
    /// The picture does not cover the area that the command reads.
    #[error("source area reaches outside the picture")]
    SourceRange,
    /// Something is larger than the canvas admits.
    #[error("{limit}: {value} exceeds {bound}")]
    Limit {
        /// Name of the bound, a field of [`CanvasLimits`](crate::canvas::CanvasLimits).
        limit: &'static str,
        /// The value found.
        value: u64,
        /// The bound.
        bound: u64,
    },
    /// The clip rectangles overlap in more ways than are worked out.
    #[error("clip list too complex")]
    Clip,
}

impl Reason {
    /// A number for the kind of reason, whatever its details.
    pub(super) fn kind(&self) -> u8 {
        match self {
            Reason::Unsupported(_) => 0,
            Reason::NoSurface(_) => 1,
            Reason::NoSourceSurface(_) => 2,
            Reason::NoImage => 3,
            Reason::Codec(_) => 4,
            Reason::CachedFailure(_) => 5,
            Reason::NoPalette(_) => 6,
            Reason::LossyReplacement => 7,
            Reason::EmptySource => 8,
            Reason::MaskFormat => 9,
            Reason::SourceRange => 10,
            Reason::Limit { .. } => 11,
            Reason::Clip => 12,
            Reason::Video(_) => 13,
            // Each undecodable type is worth a report. Their numbers are 0, 1 and from 100 on.
            Reason::ImageType(kind) => 128 | kind.0,
        }
    }
}

/// A stream of messages that cannot be continued: the server broke a rule on which everything later depends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CanvasError {
    /// A surface of impossible size.
    #[error("surface {} of {width}x{height} pixels", .id.0)]
    SurfaceSize {
        /// The surface.
        id: SurfaceId,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// A surface in a format that does not exist.
    #[error("surface {} in unknown format {format}", .id.0)]
    SurfaceFormat {
        /// The surface.
        id: SurfaceId,
        /// The number on the wire.
        format: u32,
    },
    /// The server wants more than the canvas admits.
    #[error("{limit}: {value} exceeds {bound}")]
    Limit {
        /// Name of the bound, a field of [`CanvasLimits`](crate::canvas::CanvasLimits) or
        /// [`CacheConfig`](crate::canvas::CacheConfig).
        limit: &'static str,
        /// The value found.
        value: u64,
        /// The bound.
        bound: u64,
    },
    /// An image of the GLZ window is lost, and with it all that refer to it.
    #[error("glz window lost: {0}")]
    Glz(CodecError),
}
