//! Values that several channels share.

use core::fmt;

crate::pod! {
    /// A place in pixels, x to the right, y downwards. Wire: `Point`, 8 bytes.
    pub struct Point {
        /// Columns to the right of the origin.
        pub x: i32,
        /// Rows below the origin.
        pub y: i32,
    }
}

crate::pod! {
    /// A place in pixels with short coordinates. Wire: `Point16`, 4 bytes.
    pub struct Point16 {
        /// Columns to the right of the origin.
        pub x: i16,
        /// Rows below the origin.
        pub y: i16,
    }
}

crate::pod! {
    /// A number with four fractional bits: the value is `raw / 16`. Wire: `fixed28.4`.
    pub struct Fixed28_4 {
        /// Sixteenths.
        pub raw: i32,
    }
}

impl Fixed28_4 {
    /// The whole number at or below the value.
    pub const fn floor(self) -> i32 {
        self.raw >> 4
    }
}

impl From<i16> for Fixed28_4 {
    fn from(whole: i16) -> Self {
        Self { raw: i32::from(whole) << 4 }
    }
}

crate::pod! {
    /// A place in sixteenths of a pixel. Wire: `PointFix`, 8 bytes.
    pub struct PointFix {
        /// Columns to the right of the origin.
        pub x: Fixed28_4,
        /// Rows below the origin.
        pub y: Fixed28_4,
    }
}

crate::pod! {
    /// A rectangle in pixels; right and bottom edges are exclusive. Wire: `Rect`, top, left, bottom, right.
    pub struct Rect {
        /// First row.
        pub top: i32,
        /// First column.
        pub left: i32,
        /// Row behind the last.
        pub bottom: i32,
        /// Column behind the last.
        pub right: i32,
    }
}

impl Rect {
    /// The rectangle at `(left, top)` of the given size in pixels; saturates at the ends of `i32`.
    pub const fn at(left: i32, top: i32, width: i32, height: i32) -> Self {
        Self { top, left, bottom: top.saturating_add(height), right: left.saturating_add(width) }
    }

    /// Width in pixels, 0 for an inverted rectangle.
    pub const fn width(&self) -> u32 {
        if self.right > self.left { self.right.wrapping_sub(self.left) as u32 } else { 0 }
    }

    /// Height in pixels, 0 for an inverted rectangle.
    pub const fn height(&self) -> u32 {
        if self.bottom > self.top { self.bottom.wrapping_sub(self.top) as u32 } else { 0 }
    }

    /// Whether the rectangle covers no pixel.
    pub const fn is_empty(&self) -> bool {
        self.right <= self.left || self.bottom <= self.top
    }

    /// The part that both rectangles cover; may be empty.
    pub fn intersect(&self, other: &Self) -> Self {
        Self {
            top: self.top.max(other.top),
            left: self.left.max(other.left),
            bottom: self.bottom.min(other.bottom),
            right: self.right.min(other.right),
        }
    }

    /// The smallest rectangle that covers both; an empty one adds nothing.
    pub fn union(&self, other: &Self) -> Self {
        if self.is_empty() {
            return *other;
        }
        if other.is_empty() {
            return *self;
        }
        Self {
            top: self.top.min(other.top),
            left: self.left.min(other.left),
            bottom: self.bottom.max(other.bottom),
            right: self.right.max(other.right),
        }
    }
}

crate::codes! {
    /// The kind of a channel. Wire: `channel_type` of the link message and of CHANNELS_LIST.
    pub struct ChannelType: u8 {
        /// Session control, agent, migration.
        MAIN = 1,
        /// Drawing commands and video.
        DISPLAY = 2,
        /// Keyboard and pointer.
        INPUTS = 3,
        /// Pointer shapes.
        CURSOR = 4,
        /// Sound from the guest.
        PLAYBACK = 5,
        /// Sound to the guest.
        RECORD = 6,
        /// Obsolete; the number is reserved and carries no messages.
        TUNNEL = 7,
        /// Smart card reader.
        SMARTCARD = 8,
        /// One USB redirection slot.
        USBREDIR = 9,
        /// One named character device.
        PORT = 10,
        /// The shared folder, a port with a fixed name.
        WEBDAV = 11,
    }
}

crate::pod! {
    /// A channel of a session: several of one kind differ by id. Wire: `ChannelId`, 2 bytes.
    pub struct ChannelId {
        /// The kind.
        pub kind: ChannelType,
        /// The number among its kind, from 0.
        pub id: u8,
    }
}

impl ChannelId {
    /// The main channel of a session.
    pub const MAIN: Self = Self::new(ChannelType::MAIN, 0);

    /// The channel of the given kind and number.
    pub const fn new(kind: ChannelType, id: u8) -> Self {
        Self { kind, id }
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind.name() {
            Some(name) => {
                for c in name.chars() {
                    fmt::Write::write_char(f, c.to_ascii_lowercase())?;
                }
            }
            None => write!(f, "type {}", self.kind.0)?,
        }
        write!(f, " {}", self.id)
    }
}

crate::codes! {
    /// A surface of one display channel; 0 is the visible one. Wire: `surface_id`.
    pub struct SurfaceId: u32 {
        /// The visible surface.
        PRIMARY = 0,
    }
}

crate::codes! {
    /// A video stream of one display channel. Wire: `stream_id`.
    pub struct StreamId: u32 {}
}

crate::codes! {
    /// An image of a session, the key of its image cache. Wire: `id` of an image, u64.
    pub struct ImageId: u64 {}
}

crate::codes! {
    /// A palette of one display channel, the key of its palette cache. Wire: `unique` of a palette, u64.
    pub struct PaletteId: u64 {}
}

crate::codes! {
    /// A pointer shape of one cursor channel, the key of its shape cache. Wire: `unique` of a cursor, u64.
    pub struct CursorId: u64 {}
}

crate::pod! {
    /// A 2×3 matrix that maps destination to source pixels; the third row is 0 0 1. Wire: `Transform`, 24 bytes.
    ///
    /// The numbers have 16 fractional bits: the value is `raw / 65536`.
    pub struct Transform {
        /// Source column per destination column.
        pub t00: i32,
        /// Source column per destination row.
        pub t01: i32,
        /// Source column of the destination's origin.
        pub t02: i32,
        /// Source row per destination column.
        pub t10: i32,
        /// Source row per destination row.
        pub t11: i32,
        /// Source row of the destination's origin.
        pub t12: i32,
    }
}

impl Transform {
    /// The matrix that changes nothing.
    pub const IDENTITY: Self = Self { t00: 1 << 16, t01: 0, t02: 0, t10: 0, t11: 1 << 16, t12: 0 };
}

crate::codes! {
    /// The result of a link, and the reason of a disconnection. Wire: link reply `error`, link result,
    /// `Disconnecting.reason`, `AgentDisconnected.error_code`, `Notify.what`.
    pub struct LinkCode: u32 {
        /// All is well.
        OK = 0,
        /// An error without a name; also a SASL security layer that is too weak.
        ERROR = 1,
        /// The first four bytes were not `REDQ`.
        INVALID_MAGIC = 2,
        /// Sizes or offsets are wrong, or the authentication mechanism is not accepted.
        INVALID_DATA = 3,
        /// Another major version; also a server that demands SASL from a client without mechanism selection.
        VERSION_MISMATCH = 4,
        /// The channel must use TLS.
        NEED_SECURED = 5,
        /// The channel must not use TLS.
        NEED_UNSECURED = 6,
        /// The password is wrong or has expired.
        PERMISSION_DENIED = 7,
        /// No session has this id.
        BAD_CONNECTION_ID = 8,
        /// The server has no such channel.
        CHANNEL_NOT_AVAILABLE = 9,
    }
}
