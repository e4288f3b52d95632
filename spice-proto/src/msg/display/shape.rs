//! What drawing commands are made of besides images: clips, brushes, masks, paths and line styles.

use bytes::{Bytes, BytesMut};

use crate::error::DecodeError;
use crate::types::{Fixed28_4, Point, PointFix, Rect};
use crate::wire::{self, Array, Counted, Ptr, PtrArray, Reader, Wire, Writer};

use super::Image;

crate::tagged! {
    /// The part of a surface that a command may touch, besides its own area. Wire: `Clip`, tag u8.
    #[derive(Default)]
    pub enum Clip: u8 {
        /// No restriction.
        #[default]
        None = 0,
        /// Only pixels in one of the rectangles, which are in surface coordinates and may overlap. No rectangle:
        /// nothing is drawn.
        Rects(Counted<u32, Rect>) = 1,
    }
}

crate::tagged! {
    /// What areas are painted with. Wire: `Brush`, tag u8.
    #[derive(Default)]
    pub enum Brush: u8 {
        /// Nothing; behaves like colour 0 where a source is needed.
        #[default]
        None = 0,
        /// One colour: 0x00RRGGBB, or a raw pixel in the low bits on 8- and 16-bit surfaces.
        Solid(u32) = 1,
        /// Tiles of an image.
        Pattern(Pattern) = 2,
    }
}

crate::wire! {
    /// An image that is repeated in both directions. Wire: `Pattern`, 12 bytes.
    pub struct Pattern {
        /// One tile.
        pub image: Ptr<Image>,
        /// Where a tile has its origin, in surface coordinates.
        pub pos: Point,
    }
}

crate::flags! {
    /// How a mask is read. Wire: `mask_flags`, u8.
    pub struct MaskFlags: u8 {
        /// Draw where the mask is 0.
        INVERS = 1,
    }
}

crate::wire! {
    /// Which pixels of an area are drawn. Wire: `QMask`, 13 bytes.
    #[derive(Default)]
    pub struct QMask {
        /// How the mask is read.
        pub flags: MaskFlags,
        /// The mask's pixel that belongs to the area's left top one.
        pub pos: Point,
        /// The mask, 1 bit per pixel; none lets everything be drawn.
        pub bitmap: Option<Ptr<Image>>,
    }
}

crate::flags! {
    /// How a segment continues its path. Wire: `path_flags`, u8.
    pub struct PathFlags: u8 {
        /// The first point starts a new sub-path.
        BEGIN = 1,
        /// The sub-path is finished behind this segment.
        END = 2,
        /// With `END`: the sub-path returns to its start.
        CLOSE = 8,
        /// The points come in threes: two control points and an end point.
        BEZIER = 16,
    }
}

crate::wire! {
    /// A run of lines or curves. Wire: `PathSegment`, 5 bytes and 8 per point.
    pub struct PathSegment {
        /// How the segment continues the path.
        pub flags: PathFlags,
        /// The points in surface coordinates.
        pub points: Counted<u32, PointFix>,
    }
}

/// Lines and curves to be stroked. Wire: `Path`, a u32 count and that many [`PathSegment`]s.
///
/// Segments differ in size, so they stay the bytes that they arrived in, checked once, and are read while
/// iterating.
///
/// ```
/// use spice_proto::msg::display::{Path, PathFlags, PathSegment};
/// use spice_proto::{types::PointFix, wire::Counted};
/// let segment = PathSegment { flags: PathFlags::BEGIN, points: Counted::default() };
/// let path: Path = [segment.clone()].into_iter().collect();
/// assert_eq!(path.segments().collect::<Vec<_>>(), [segment]);
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Path {
    // INVARIANT: bytes are exactly `count` encoded segments.
    count: u32,
    bytes: Bytes,
}

impl Path {
    /// Number of segments.
    pub const fn len(&self) -> u32 {
        self.count
    }

    /// Whether there is no segment.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The segments in order.
    pub fn segments(&self) -> PathSegments {
        PathSegments { rest: self.bytes.clone() }
    }
}

impl FromIterator<PathSegment> for Path {
    fn from_iter<I: IntoIterator<Item = PathSegment>>(segments: I) -> Self {
        let mut bytes = BytesMut::new();
        let mut count = 0;
        for segment in segments {
            wire::encode(&segment, &mut bytes);
            count += 1;
        }
        Self { count, bytes: bytes.freeze() }
    }
}

impl core::fmt::Debug for Path {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.segments()).finish()
    }
}

impl Wire for Path {
    const MIN_LEN: usize = 4;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.field("segments");
        let count: u32 = r.pod()?;
        let start = r.clone();
        for _ in 0..count {
            r.pod::<PathFlags>()?;
            let points: u32 = r.pod()?;
            r.skip_elements(wire::Count::to_len(points), Array::<PointFix>::ELEMENT)?;
        }
        Ok(Self { count, bytes: start.up_to(r) })
    }

    fn inline_len(&self) -> usize {
        Self::MIN_LEN + self.bytes.len()
    }

    fn encode(&self, w: &mut Writer<'_>) {
        self.count.encode(w);
        w.put(&self.bytes);
    }
}

/// Iterator over the segments of a [`Path`].
#[derive(Clone, Debug)]
pub struct PathSegments {
    rest: Bytes,
}

impl Iterator for PathSegments {
    type Item = PathSegment;

    fn next(&mut self) -> Option<PathSegment> {
        let segment: PathSegment = wire::decode("PathSegment", &self.rest, 0).ok()?;
        bytes::Buf::advance(&mut self.rest, segment.inline_len());
        Some(segment)
    }
}

crate::flags! {
    /// How a dash pattern starts. Wire: `line_flags`, u8.
    ///
    /// Bit 8, "styled", is not among them: [`LineAttr::style`] says it.
    pub struct LineFlags: u8 {
        /// The style's first length is a gap.
        START_WITH_GAP = 4,
    }
}

/// Says that the line has a style. Lives in the wire's flags, and in `LineAttr::style` outside of them.
const STYLED: LineFlags = LineFlags::from_bits_retain(8);

/// The look of a line, which always is one pixel wide. Wire: `LineAttr`, 1 byte, or 6 when styled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LineAttr {
    /// How the dash pattern starts. Bit 8 is ignored here.
    pub flags: LineFlags,
    /// Lengths of dashes and gaps in turn, in pixels; none for an unbroken line.
    pub style: Option<PtrArray<u8, Fixed28_4>>,
}

impl Wire for LineAttr {
    const MIN_LEN: usize = 1;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let flags: LineFlags = r.pod()?;
        r.field("style");
        let style = if flags.contains(STYLED) { Some(Wire::decode(r)?) } else { None };
        Ok(Self { flags: flags - STYLED, style })
    }

    fn inline_len(&self) -> usize {
        Self::MIN_LEN + self.style.as_ref().map_or(0, Wire::inline_len)
    }

    fn encode(&self, w: &mut Writer<'_>) {
        match &self.style {
            Some(style) => {
                (self.flags | STYLED).encode(w);
                style.encode(w);
            }
            None => (self.flags - STYLED).encode(w),
        }
    }
}

crate::__when_testing! {
    use crate::testing::{Sample, Source};

    impl Sample for Path {
        fn sample(s: &mut Source<'_>) -> Self {
            (0..s.below(4)).map(|_| PathSegment::sample(s)).collect()
        }
    }

    impl Sample for LineAttr {
        fn sample(s: &mut Source<'_>) -> Self {
            Self { flags: LineFlags::sample(s) - STYLED, style: Sample::sample(s) }
        }
    }
}
