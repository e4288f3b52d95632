//! Drawing by the operators of the X Render extension.

use crate::error::DecodeError;
use crate::types::{Point16, Transform};
use crate::wire::{Ptr, Reader, Wire, Writer};

use super::{DisplayBase, Image};

crate::wire! {
    /// Combines a source, a mask and the destination by a Porter-Duff operator.
    ///
    /// Needs the client's capability for it. Wire: server → client 318, `DisplayChannel.draw_composite`.
    pub struct DrawComposite {
        /// Where to draw.
        pub base: DisplayBase,
        /// With what and how.
        pub composite: Composite,
    }
}

crate::flags! {
    /// The packed settings of a composition. Wire: `composite_flags`, u32.
    ///
    /// Bits 0 to 7 are the operator, 8 to 10 the source's filter, 11 to 13 the mask's filter, 14 and 15 the
    /// source's repetition, 16 and 17 the mask's; methods give them. Bits 19 to 21 are not among them: the
    /// options in [`Composite`] say them.
    pub struct CompositeFlags: u32 {
        /// The mask has an alpha per colour.
        COMPONENT_ALPHA = 1 << 18,
        /// Treat the source's alpha as 1.
        SOURCE_OPAQUE = 1 << 22,
        /// Treat the mask's alpha as 1.
        MASK_OPAQUE = 1 << 23,
        /// Treat the destination's alpha as 1.
        DEST_OPAQUE = 1 << 24,
    }
}

crate::codes! {
    /// How source and destination combine, in the numbers of X Render. Wire: bits 0 to 7 of `composite_flags`.
    pub struct CompositeOp: u8 {
        /// Nothing.
        CLEAR = 0,
        /// The source.
        SRC = 1,
        /// The destination.
        DST = 2,
        /// Source over destination.
        OVER = 3,
        /// Destination over source.
        OVER_REVERSE = 4,
        /// Source where the destination is.
        IN = 5,
        /// Destination where the source is.
        IN_REVERSE = 6,
        /// Source where the destination is not.
        OUT = 7,
        /// Destination where the source is not.
        OUT_REVERSE = 8,
        /// Source over destination, where the destination is.
        ATOP = 9,
        /// Destination over source, where the source is.
        ATOP_REVERSE = 10,
        /// Each where the other is not.
        XOR = 11,
        /// The sum.
        ADD = 12,
        /// The sum as far as it fits.
        SATURATE = 13,
    }
}

crate::codes! {
    /// How pixels between pixels are found. Wire: three bits of `composite_flags`.
    pub struct CompositeFilter: u8 {
        /// The fastest way.
        FAST = 0,
        /// A good way.
        GOOD = 1,
        /// The best way.
        BEST = 2,
        /// The nearest pixel.
        NEAREST = 3,
        /// A blend of the four nearest.
        BILINEAR = 4,
    }
}

crate::codes! {
    /// What lies outside of an image. Wire: two bits of `composite_flags`.
    pub struct CompositeRepeat: u8 {
        /// Transparency.
        NONE = 0,
        /// The image again.
        NORMAL = 1,
        /// The pixels of its border.
        PAD = 2,
        /// The image mirrored.
        REFLECT = 3,
    }
}

const OPERATOR: (u32, u32) = (0, 8);
const SOURCE_FILTER: (u32, u32) = (8, 3);
const MASK_FILTER: (u32, u32) = (11, 3);
const SOURCE_REPEAT: (u32, u32) = (14, 2);
const MASK_REPEAT: (u32, u32) = (16, 2);

impl CompositeFlags {
    /// How source and destination combine.
    pub const fn operator(self) -> CompositeOp {
        CompositeOp(self.part(OPERATOR))
    }

    /// How pixels of the source are found.
    pub const fn source_filter(self) -> CompositeFilter {
        CompositeFilter(self.part(SOURCE_FILTER))
    }

    /// How pixels of the mask are found.
    pub const fn mask_filter(self) -> CompositeFilter {
        CompositeFilter(self.part(MASK_FILTER))
    }

    /// What lies outside of the source.
    pub const fn source_repeat(self) -> CompositeRepeat {
        CompositeRepeat(self.part(SOURCE_REPEAT))
    }

    /// What lies outside of the mask.
    pub const fn mask_repeat(self) -> CompositeRepeat {
        CompositeRepeat(self.part(MASK_REPEAT))
    }

    /// The same with another operator.
    pub const fn with_operator(self, operator: CompositeOp) -> Self {
        self.with(OPERATOR, operator.0)
    }

    /// The same with other filters for source and mask, of which three bits count.
    pub const fn with_filters(self, source: CompositeFilter, mask: CompositeFilter) -> Self {
        self.with(SOURCE_FILTER, source.0).with(MASK_FILTER, mask.0)
    }

    /// The same with other repetitions of source and mask, of which two bits count.
    pub const fn with_repeats(self, source: CompositeRepeat, mask: CompositeRepeat) -> Self {
        self.with(SOURCE_REPEAT, source.0).with(MASK_REPEAT, mask.0)
    }

    const fn part(self, (shift, bits): (u32, u32)) -> u8 {
        ((self.bits() >> shift) & ((1 << bits) - 1)) as u8
    }

    const fn with(self, (shift, bits): (u32, u32), value: u8) -> Self {
        let mask = ((1 << bits) - 1) << shift;
        Self::from_bits_retain(self.bits() & !mask | ((value as u32) << shift) & mask)
    }
}

// Bits that say which fields are present. They live in the wire's flags, and in options outside of them.
const HAS_MASK: CompositeFlags = CompositeFlags::from_bits_retain(1 << 19);
const HAS_SRC_TRANSFORM: CompositeFlags = CompositeFlags::from_bits_retain(1 << 20);
const HAS_MASK_TRANSFORM: CompositeFlags = CompositeFlags::from_bits_retain(1 << 21);
const PRESENCE: CompositeFlags = HAS_MASK.union(HAS_SRC_TRANSFORM).union(HAS_MASK_TRANSFORM);

/// Source, mask and how they combine. Wire: `Composite`.
#[derive(Clone, Debug, PartialEq)]
pub struct Composite {
    /// Operator, filters, repetitions, opacity. Bits 19 to 21 are ignored here.
    pub flags: CompositeFlags,
    /// The source.
    pub src_bitmap: Option<Ptr<Image>>,
    /// The mask, if there is one.
    pub mask_bitmap: Option<Ptr<Image>>,
    /// Maps destination to source pixels; none for the identity.
    pub src_transform: Option<Transform>,
    /// Maps destination to mask pixels; none for the identity.
    pub mask_transform: Option<Transform>,
    /// The source's pixel that belongs to the area's left top one, before the transformation.
    pub src_origin: Point16,
    /// The mask's pixel that belongs to the area's left top one, before the transformation.
    pub mask_origin: Point16,
}

impl Composite {
    /// The flags as they stand on the wire.
    fn wire_flags(&self) -> CompositeFlags {
        let mut flags = self.flags - PRESENCE;
        flags.set(HAS_MASK, self.mask_bitmap.is_some());
        flags.set(HAS_SRC_TRANSFORM, self.src_transform.is_some());
        flags.set(HAS_MASK_TRANSFORM, self.mask_transform.is_some());
        flags
    }
}

impl Wire for Composite {
    const MIN_LEN: usize = 16;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.field("composite flags");
        let flags: CompositeFlags = r.pod()?;
        r.field("src_bitmap");
        let src_bitmap = Wire::decode(r)?;
        r.field("mask_bitmap");
        let mask_bitmap = if flags.contains(HAS_MASK) { Wire::decode(r)? } else { None };
        r.field("src_transform");
        let src_transform = if flags.contains(HAS_SRC_TRANSFORM) { Some(r.pod()?) } else { None };
        r.field("mask_transform");
        let mask_transform = if flags.contains(HAS_MASK_TRANSFORM) { Some(r.pod()?) } else { None };
        r.field("src_origin");
        let (src_origin, mask_origin) = (r.pod()?, r.pod()?);
        let flags = flags - PRESENCE;
        Ok(Self { flags, src_bitmap, mask_bitmap, src_transform, mask_transform, src_origin, mask_origin })
    }

    fn inline_len(&self) -> usize {
        Self::MIN_LEN
            + self.mask_bitmap.as_ref().map_or(0, Wire::inline_len)
            + self.src_transform.as_ref().map_or(0, Wire::inline_len)
            + self.mask_transform.as_ref().map_or(0, Wire::inline_len)
    }

    fn encode(&self, w: &mut Writer<'_>) {
        self.wire_flags().encode(w);
        self.src_bitmap.encode(w);
        if self.mask_bitmap.is_some() {
            self.mask_bitmap.encode(w);
        }
        for transform in [&self.src_transform, &self.mask_transform].into_iter().flatten() {
            transform.encode(w);
        }
        self.src_origin.encode(w);
        self.mask_origin.encode(w);
    }
}

crate::__when_testing! {
    use crate::testing::{Sample, Source};

    impl Sample for Composite {
        fn sample(s: &mut Source<'_>) -> Self {
            Self {
                flags: CompositeFlags::sample(s) - PRESENCE,
                src_bitmap: Sample::sample(s),
                mask_bitmap: Sample::sample(s),
                src_transform: Sample::sample(s),
                mask_transform: Sample::sample(s),
                src_origin: Sample::sample(s),
                mask_origin: Sample::sample(s),
            }
        }
    }
}
