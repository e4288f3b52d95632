//! The cursor channel: shape and place of the pointer.

use bytes::Bytes;

use crate::error::DecodeError;
use crate::msg::{NoMessage, Protocol};
use crate::types::{ChannelType, CursorId, Point16};
use crate::wire::{Reader, Rest, Wire, Writer};

/// The cursor channel. Its clients send none but the shared messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor;

impl Protocol for Cursor {
    const CHANNEL: ChannelType = ChannelType::CURSOR;
    type Server = ServerMessage;
    type Client = ClientMessage;
}

/// What a client sends besides the shared messages: nothing.
pub type ClientMessage = NoMessage;

crate::messages! {
    /// What a server sends on the cursor channel.
    pub enum ServerMessage {
        /// Everything about the pointer; first, and after each `Reset`.
        101 => Init(Init),
        /// No shape, and an empty shape cache.
        102 => Reset,
        /// Another shape.
        103 => Set(Set),
        /// Another place; makes it visible.
        104 => Move(Move),
        /// Invisible until the next `Set` or `Move`.
        105 => Hide,
        /// The pointer's trail.
        106 => Trail(Trail),
        /// Remove an entry of the shape cache.
        107 => InvalOne(InvalOne),
        /// Empty the shape cache.
        108 => InvalAll,
    }
}

crate::wire! {
    /// Everything about the pointer. Wire: server → client 101, `CursorChannel.init`.
    pub struct Init {
        /// The place of the hot spot on the surface.
        pub position: Point16,
        /// The pointer's trail, cosmetic.
        pub trail: Trail,
        /// Whether it is shown: 0 for no.
        pub visible: u8,
        /// Its shape.
        pub cursor: CursorShape,
    }
}

crate::wire! {
    /// Another shape. Wire: server → client 103, `CursorChannel.set`.
    pub struct Set {
        /// The place of the hot spot on the surface.
        pub position: Point16,
        /// Whether it is shown: 0 for no.
        pub visible: u8,
        /// Its shape.
        pub cursor: CursorShape,
    }
}

crate::pod! {
    /// Another place; makes it visible. Wire: server → client 104, `CursorChannel.move`.
    pub struct Move {
        /// The place of the hot spot on the surface.
        pub position: Point16,
    }
}

crate::pod! {
    /// The pointer's trail, cosmetic. Wire: server → client 106, `CursorChannel.trail`.
    pub struct Trail {
        /// Number of images in the trail.
        pub length: u16,
        /// How often it is drawn.
        pub frequency: u16,
    }
}

crate::pod! {
    /// Removes an entry of the channel's shape cache. Wire: server → client 107, `CursorChannel.inval_one`.
    pub struct InvalOne {
        /// The entry.
        pub id: CursorId,
    }
}

crate::flags! {
    /// What to do with a shape besides showing it. Wire: `cursor_flags`, u16.
    ///
    /// Bit 1, "none", is not among them: [`CursorShape::image`] says it.
    pub struct CursorFlags: u16 {
        /// Keep the shape under its id.
        CACHE_ME = 2,
        /// Use the cached shape of this id; the data are empty.
        FROM_CACHE = 4,
    }
}

/// Says that there is no shape. Lives in the wire's flags, and in `CursorShape::image` outside of them.
const NONE: CursorFlags = CursorFlags::from_bits_retain(1);

crate::codes! {
    /// How the pixels of a shape stand in memory, top row first. Wire: `cursor_type`, u8.
    ///
    /// The mask of the coloured types has one bit per pixel, highest first, in rows of whole bytes.
    pub struct CursorType: u8 {
        /// 4 bytes per pixel: blue, green, red, alpha; premultiplied.
        ALPHA = 0,
        /// An and-mask, then an exclusive-or-mask.
        MONO = 1,
        /// 4 bits per pixel, high half first; 16 × u32 palette; mask.
        COLOR4 = 2,
        /// 1 byte per pixel; 256 × u32 palette; mask.
        COLOR8 = 3,
        /// 2 bytes per pixel, 555; mask.
        COLOR16 = 4,
        /// 3 bytes per pixel; mask.
        COLOR24 = 5,
        /// 4 bytes per pixel: blue, green, red, unused; mask.
        COLOR32 = 6,
    }
}

crate::pod! {
    /// Name, size and hot spot of a shape. Wire: `CursorHeader`, 17 bytes.
    pub struct CursorHeader {
        /// Key in the channel's shape cache.
        pub unique: CursorId,
        /// How the pixels stand in memory.
        pub kind: CursorType,
        /// Columns in pixels.
        pub width: u16,
        /// Rows in pixels.
        pub height: u16,
        /// Column of the hot spot; unchecked.
        pub hot_x: u16,
        /// Row of the hot spot; unchecked.
        pub hot_y: u16,
    }
}

crate::wire! {
    /// The picture of a pointer.
    pub struct CursorImage {
        /// Name, size and hot spot. With [`CursorFlags::FROM_CACHE`] only the name counts.
        pub header: CursorHeader,
        /// The pixels. Their length is not checked against the size.
        pub data: Rest,
    }
}

/// The shape of a pointer. Wire: `Cursor`, 2 bytes, or 19 and the pixels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CursorShape {
    /// What to do with the cache. Bit 1 is ignored here.
    pub flags: CursorFlags,
    /// The picture, or none for a pointer without shape.
    pub image: Option<CursorImage>,
}

impl CursorShape {
    /// The shape in the cache under this name.
    pub fn cached(unique: CursorId) -> Self {
        let header = CursorHeader { unique, ..CursorHeader::default() };
        Self { flags: CursorFlags::FROM_CACHE, image: Some(CursorImage { header, data: Rest(Bytes::new()) }) }
    }
}

impl Wire for CursorShape {
    const MIN_LEN: usize = 2;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let flags: CursorFlags = r.pod()?;
        let image = if flags.contains(NONE) { None } else { Some(Wire::decode(r)?) };
        Ok(Self { flags: flags - NONE, image })
    }

    fn inline_len(&self) -> usize {
        Self::MIN_LEN + self.image.as_ref().map_or(0, Wire::inline_len)
    }

    fn encode(&self, w: &mut Writer<'_>) {
        match &self.image {
            Some(image) => {
                (self.flags - NONE).encode(w);
                image.encode(w);
            }
            None => (self.flags | NONE).encode(w),
        }
    }
}

crate::__when_testing! {
    use crate::testing::{Sample, Source};

    impl Sample for CursorShape {
        fn sample(s: &mut Source<'_>) -> Self {
            Self { flags: CursorFlags::sample(s) - NONE, image: Sample::sample(s) }
        }
    }
}
