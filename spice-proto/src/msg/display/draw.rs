//! The drawing commands.

use crate::types::{Point, Rect, SurfaceId};
use crate::wire::Ptr;

use super::{Brush, Clip, GlyphString, Image, LineAttr, Path, QMask};

crate::wire! {
    /// What every drawing command starts with: where it draws. Wire: `DisplayBase`, 21 bytes and the clip.
    pub struct DisplayBase {
        /// The destination.
        pub surface_id: SurfaceId,
        /// The rectangle that is drawn, in pixels of the surface, which it may exceed. It also anchors source and
        /// mask. Wire: `box`.
        pub area: Rect,
        /// The part of the area that may be touched.
        pub clip: Clip,
    }
}

crate::flags! {
    /// How source and destination become the result, bit by bit. Wire: `ropd`, u16.
    ///
    /// The first operation set counts, in the order of the list. None: the source is put without any inversion.
    pub struct RopDescriptor: u16 {
        /// Invert the source image first.
        INVERS_SRC = 0x1,
        /// Invert the brush first.
        INVERS_BRUSH = 0x2,
        /// Invert the destination first.
        INVERS_DEST = 0x4,
        /// The source.
        OP_PUT = 0x8,
        /// Source or destination.
        OP_OR = 0x10,
        /// Source and destination.
        OP_AND = 0x20,
        /// Source exclusive-or destination.
        OP_XOR = 0x40,
        /// All zeros.
        OP_BLACKNESS = 0x80,
        /// All ones.
        OP_WHITENESS = 0x100,
        /// The destination inverted.
        OP_INVERS = 0x200,
        /// Invert the result of put, or, and, exclusive-or.
        INVERS_RES = 0x400,
    }
}

crate::codes! {
    /// How an image changes its size. Wire: `image_scale_mode`, u8.
    pub struct ScaleMode: u8 {
        /// Blends neighbouring pixels.
        INTERPOLATE = 0,
        /// Takes the nearest pixel.
        NEAREST = 1,
    }
}

crate::wire! {
    /// Moves a rectangle within a surface; source and destination may overlap.
    ///
    /// Wire: server → client 104, `DisplayChannel.copy_bits`.
    pub struct CopyBits {
        /// Where to draw; the source has the same size.
        pub base: DisplayBase,
        /// Left top pixel of the source on the same surface.
        pub src_pos: Point,
    }
}

crate::wire! {
    /// Paints an area with a brush. Wire: server → client 302, `DisplayChannel.draw_fill`.
    pub struct DrawFill {
        /// Where to draw.
        pub base: DisplayBase,
        /// What to paint with.
        pub brush: Brush,
        /// How brush and destination combine.
        pub rop: RopDescriptor,
        /// Which pixels are drawn.
        pub mask: QMask,
    }
}

crate::wire! {
    /// Copies an image to the area, then combines it there with a brush.
    ///
    /// Wire: server → client 303, `DisplayChannel.draw_opaque`.
    pub struct DrawOpaque {
        /// Where to draw.
        pub base: DisplayBase,
        /// The image that is copied.
        pub src_bitmap: Option<Ptr<Image>>,
        /// The part of the image, in its pixels. Another size than the area's makes it scale.
        pub src_area: Rect,
        /// What is combined with the copied image.
        pub brush: Brush,
        /// How; the brush is the source and the copied image the destination, which `INVERS_SRC` inverts.
        pub rop: RopDescriptor,
        /// How the image changes its size.
        pub scale_mode: ScaleMode,
        /// Which pixels are drawn.
        pub mask: QMask,
    }
}

/// Declares commands with the layout of a copy.
macro_rules! copies {
    ($( $(#[$meta:meta])* $name:ident; )*) => {$(
        crate::wire! {
            $(#[$meta])*
            pub struct $name {
                /// Where to draw.
                pub base: DisplayBase,
                /// The image that is copied.
                pub src_bitmap: Option<Ptr<Image>>,
                /// The part of the image, in its pixels. Another size than the area's makes it scale.
                pub src_area: Rect,
                /// How image and destination combine.
                pub rop: RopDescriptor,
                /// How the image changes its size.
                pub scale_mode: ScaleMode,
                /// Which pixels are drawn.
                pub mask: QMask,
            }
        }
    )*};
}

copies! {
    /// Copies part of an image onto a surface through a raster operation.
    ///
    /// Wire: server → client 304, `DisplayChannel.draw_copy`.
    DrawCopy;
    /// Does the same as [`DrawCopy`]. Wire: server → client 305, `DisplayChannel.draw_blend`.
    DrawBlend;
}

/// Declares commands that need no source.
macro_rules! masked {
    ($( $(#[$meta:meta])* $name:ident; )*) => {$(
        crate::wire! {
            $(#[$meta])*
            pub struct $name {
                /// Where to draw.
                pub base: DisplayBase,
                /// Which pixels are drawn.
                pub mask: QMask,
            }
        }
    )*};
}

masked! {
    /// Clears all bits of an area. Wire: server → client 306, `DisplayChannel.draw_blackness`.
    DrawBlackness;
    /// Sets all bits of an area. Wire: server → client 307, `DisplayChannel.draw_whiteness`.
    DrawWhiteness;
    /// Inverts all bits of an area. Wire: server → client 308, `DisplayChannel.draw_invers`.
    DrawInvers;
}

crate::wire! {
    /// Combines brush, image and destination by a ternary raster code.
    ///
    /// Wire: server → client 309, `DisplayChannel.draw_rop3`.
    pub struct DrawRop3 {
        /// Where to draw.
        pub base: DisplayBase,
        /// The image.
        pub src_bitmap: Option<Ptr<Image>>,
        /// The part of the image, in its pixels. Another size than the area's makes it scale.
        pub src_area: Rect,
        /// The brush.
        pub brush: Brush,
        /// The code: bit `brush << 2 | image << 1 | destination` of it is the result for those three bits.
        pub rop3: u8,
        /// How the image changes its size.
        pub scale_mode: ScaleMode,
        /// Which pixels are drawn.
        pub mask: QMask,
    }
}

crate::wire! {
    /// Draws lines one pixel wide along a path. Wire: server → client 310, `DisplayChannel.draw_stroke`.
    pub struct DrawStroke {
        /// Where to draw; the area bounds the path.
        pub base: DisplayBase,
        /// The lines and curves, in surface coordinates.
        pub path: Ptr<Path>,
        /// Dashes and gaps.
        pub attr: LineAttr,
        /// What to paint with.
        pub brush: Brush,
        /// How brush and destination combine along the dashes.
        pub fore_mode: RopDescriptor,
        /// The same for the gaps, which existing clients leave untouched.
        pub back_mode: RopDescriptor,
    }
}

crate::wire! {
    /// Paints a text over an optional background. Wire: server → client 311, `DisplayChannel.draw_text`.
    pub struct DrawText {
        /// Where to draw; the area bounds the text.
        pub base: DisplayBase,
        /// The glyphs and their places. Wire: `str`.
        pub string: Ptr<GlyphString>,
        /// The background, in surface coordinates; empty for none.
        pub back_area: Rect,
        /// What the glyphs are painted with.
        pub fore_brush: Brush,
        /// What the background is painted with.
        pub back_brush: Brush,
        /// `OP_PUT` for text with a background, otherwise without meaning.
        pub fore_mode: RopDescriptor,
        /// Without meaning.
        pub back_mode: RopDescriptor,
    }
}

crate::wire! {
    /// Copies an image but for the pixels of one colour. Wire: server → client 312,
    /// `DisplayChannel.draw_transparent`.
    pub struct DrawTransparent {
        /// Where to draw.
        pub base: DisplayBase,
        /// The image.
        pub src_bitmap: Option<Ptr<Image>>,
        /// The part of the image, in its pixels. Another size than the area's makes it scale, to nearest pixels.
        pub src_area: Rect,
        /// The colour in the image's original format; not needed.
        pub src_color: u32,
        /// The colour that is left out, 0x00RRGGBB.
        pub true_color: u32,
    }
}

crate::flags! {
    /// Which alpha channels count. Wire: `alpha_flags`, u8.
    pub struct AlphaFlags: u8 {
        /// Write alpha on the destination too.
        DEST_HAS_ALPHA = 1,
        /// A surface as source has alpha; without it, it is opaque.
        SRC_SURFACE_HAS_ALPHA = 2,
    }
}

crate::wire! {
    /// Lays an image over the destination by its alpha. Wire: server → client 313,
    /// `DisplayChannel.draw_alpha_blend`.
    pub struct DrawAlphaBlend {
        /// Where to draw.
        pub base: DisplayBase,
        /// Which alpha channels count.
        pub alpha_flags: AlphaFlags,
        /// Opacity of the whole image, 0 for nothing to 255.
        pub alpha: u8,
        /// The image, premultiplied by its alpha.
        pub src_bitmap: Option<Ptr<Image>>,
        /// The part of the image, in its pixels. Another size than the area's makes it scale.
        pub src_area: Rect,
    }
}
