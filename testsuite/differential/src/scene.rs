//! What is drawn, as plain data: surfaces, images, and commands in their order.
//!
//! A scene follows from its seed alone. Leaving commands out changes none of the others, which is what shrinking
//! needs.

use std::sync::Arc;

use spice_proto::types::{Point, Rect};

/// Number of surface ids of the device.
pub(crate) const SURFACES: u32 = 64;
/// A surface of one pixel's worth that tells the client how far the server has come.
pub(crate) const MARKER: SurfaceSpec =
    SurfaceSpec { id: SURFACES - 1, format: Format::Xrgb, width: 4, height: 4, bottom_up: false };

/// A surface's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Format {
    A8,
    X555,
    X565,
    Xrgb,
    Argb,
}

impl Format {
    /// The number in commands and messages.
    pub(crate) fn number(self) -> u32 {
        match self {
            Format::A8 => 8,
            Format::X555 => 16,
            Format::X565 => 80,
            Format::Xrgb => 32,
            Format::Argb => 96,
        }
    }

    /// Bytes of a pixel.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Format::A8 => 1,
            Format::X555 | Format::X565 => 2,
            Format::Xrgb | Format::Argb => 4,
        }
    }

    /// The bits that have no meaning.
    pub(crate) fn padding(self) -> u32 {
        match self {
            Format::Xrgb => 0xff00_0000,
            Format::X555 => 0x8000,
            _ => 0,
        }
    }
}

/// A surface.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SurfaceSpec {
    pub(crate) id: u32,
    pub(crate) format: Format,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// The first row in memory is the lowest.
    pub(crate) bottom_up: bool,
}

impl SurfaceSpec {
    /// Bytes of a row without padding.
    pub(crate) fn row_bytes(&self) -> usize {
        self.width as usize * self.format.bytes()
    }

    /// Bytes from row to row; negative for bottom-up surfaces.
    pub(crate) fn stride(&self) -> i32 {
        let stride = self.row_bytes().next_multiple_of(4) as i32;
        if self.bottom_up { -stride } else { stride }
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        self.stride().unsigned_abs() as usize * self.height as usize
    }

    /// The whole surface.
    pub(crate) fn rect(&self) -> Rect {
        Rect::at(0, 0, self.width as i32, self.height as i32)
    }
}

/// Everything about a test.
#[derive(Debug)]
pub(crate) struct Scene {
    /// Surface 0 first.
    pub(crate) surfaces: Vec<SurfaceSpec>,
    pub(crate) commands: Vec<Command>,
}

impl Scene {
    /// The surface of an id that commands name.
    pub(crate) fn surface(&self, id: u32) -> Option<&SurfaceSpec> {
        self.surfaces.iter().find(|s| s.id == id)
    }
}

/// A bitmap that the device has in its memory.
pub(crate) struct Bitmap {
    /// Distinguishes it from all others of the session.
    pub(crate) unique: u32,
    /// The number in commands and messages.
    pub(crate) format: u8,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) stride: u32,
    pub(crate) top_down: bool,
    pub(crate) palette: Option<(u64, Vec<u32>)>,
    pub(crate) data: Vec<u8>,
    /// Rows in one piece of memory; 0 for all of them, addressed directly.
    pub(crate) rows_per_chunk: u32,
    pub(crate) cacheable: bool,
    pub(crate) high_bits: bool,
    /// The device has it compressed by QUIC.
    pub(crate) quic: Option<Vec<u8>>,
    /// There are bits set that have no meaning and that compression may lose.
    pub(crate) padding_set: bool,
}

impl std::fmt::Debug for Bitmap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { unique, format, width, height, stride, top_down, rows_per_chunk, .. } = self;
        write!(f, "Bitmap(#{unique} format {format} {width}x{height} stride {stride} top_down {top_down}")?;
        if *rows_per_chunk > 0 {
            write!(f, " chunks of {rows_per_chunk}")?;
        }
        if let Some((unique, entries)) = &self.palette {
            write!(f, " palette {unique:#x} of {}", entries.len())?;
        }
        for (set, name) in [
            (self.cacheable, "cacheable"),
            (self.quic.is_some(), "quic"),
            (self.high_bits, "high_bits"),
            (self.padding_set, "padding set"),
        ] {
            if set {
                write!(f, " {name}")?;
            }
        }
        write!(f, ")")
    }
}

/// Where a command takes pixels from.
#[derive(Clone, Debug)]
pub(crate) enum Image {
    Bitmap(Arc<Bitmap>),
    Surface(u32),
}

impl Image {
    /// What the server has a lasting picture of: surfaces, and bitmaps that may be cached.
    pub(crate) fn kept(&self) -> Option<u64> {
        match self {
            Image::Surface(id) => Some(u64::from(*id)),
            Image::Bitmap(bitmap) if bitmap.cacheable => Some(1 << 32 | u64::from(bitmap.unique)),
            Image::Bitmap(_) => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Brush {
    None,
    Solid(u32),
    Pattern(Image, Point),
}

#[derive(Clone, Debug)]
pub(crate) struct Mask {
    pub(crate) image: Arc<Bitmap>,
    pub(crate) pos: Point,
    pub(crate) invers: bool,
}

/// A part of an image, and how it is scaled to the command's box.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) image: Image,
    pub(crate) area: Rect,
    /// 0 interpolates, 1 takes the nearest pixel.
    pub(crate) scale_mode: u8,
}

#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) flags: u32,
    pub(crate) points: Vec<(i32, i32)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Glyph {
    pub(crate) render: Point,
    pub(crate) origin: Point,
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) data: Vec<u8>,
}

/// One picture of a composition.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) image: Image,
    pub(crate) transform: Option<[i32; 6]>,
    pub(crate) origin: (i16, i16),
}

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Fill {
        brush: Brush,
        rop: u16,
        mask: Option<Mask>,
    },
    Opaque {
        source: Source,
        brush: Brush,
        rop: u16,
        mask: Option<Mask>,
    },
    /// COPY, or BLEND.
    Copy {
        blend: bool,
        source: Source,
        rop: u16,
        mask: Option<Mask>,
    },
    CopyBits {
        from: Point,
    },
    /// BLACKNESS, WHITENESS or INVERS by number 6, 7, 8.
    Constant {
        kind: u8,
        mask: Option<Mask>,
    },
    Rop3 {
        source: Source,
        brush: Brush,
        code: u8,
        mask: Option<Mask>,
    },
    Stroke {
        path: Vec<Segment>,
        style: Option<(Vec<i32>, bool)>,
        brush: Brush,
        fore_mode: u16,
    },
    Text {
        flags: u16,
        glyphs: Vec<Glyph>,
        back_area: Rect,
        fore: Brush,
        back: Brush,
        fore_mode: u16,
    },
    Transparent {
        source: Source,
        key: u32,
    },
    AlphaBlend {
        source: Source,
        alpha: u8,
        dest_has_alpha: bool,
        surface_has_alpha: bool,
    },
    Composite {
        flags: u32,
        source: Layer,
        mask: Option<Layer>,
    },
    /// No drawing: the surface is destroyed and made anew.
    Recreate,
}

/// A drawing command.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) surface: u32,
    pub(crate) area: Rect,
    pub(crate) clip: Option<Vec<Rect>>,
    /// Tells the server that the box is overwritten, so that it may leave out what was there.
    pub(crate) opaque: bool,
    pub(crate) op: Op,
}

impl Command {
    /// Every image that the command reads.
    pub(crate) fn images(&self) -> Vec<&Image> {
        let of_brush = |brush: &'_ Brush| -> bool { matches!(brush, Brush::Pattern(..)) };
        let mut images = Vec::new();
        let brush = match &self.op {
            Op::Fill { brush, .. } | Op::Stroke { brush, .. } => vec![brush],
            Op::Opaque { source, brush, .. } | Op::Rop3 { source, brush, .. } => {
                images.push(&source.image);
                vec![brush]
            }
            Op::Copy { source, .. } | Op::Transparent { source, .. } | Op::AlphaBlend { source, .. } => {
                images.push(&source.image);
                vec![]
            }
            Op::Text { fore, back, .. } => vec![fore, back],
            Op::Composite { source, mask, .. } => {
                images.push(&source.image);
                images.extend(mask.iter().map(|mask| &mask.image));
                vec![]
            }
            Op::CopyBits { .. } | Op::Constant { .. } | Op::Recreate => vec![],
        };
        for brush in brush.into_iter().filter(|brush| of_brush(brush)) {
            if let Brush::Pattern(image, _) = brush {
                images.push(image);
            }
        }
        images
    }
}
