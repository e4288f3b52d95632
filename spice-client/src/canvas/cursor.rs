//! The pointer of one display: its shape, its place, and whether it is seen.

use std::collections::HashMap;
use std::sync::Arc;

use spice_proto::msg::cursor::{CursorFlags, CursorShape, ServerMessage};
use spice_proto::types::{CursorId, Point16};
use thiserror::Error;

use crate::canvas::shape;

/// A pointer shape, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorPicture {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) hot_spot: (u32, u32),
    pub(super) rgba: Vec<u8>,
    pub(super) inverts: Option<Vec<bool>>,
}

impl CursorPicture {
    /// Width in pixels, 1 to 1024.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, 1 to 1024.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The pixel that points, from the upper left corner; may lie just behind the right or lower edge.
    pub fn hot_spot(&self) -> (u32, u32) {
        self.hot_spot
    }

    /// Bytes r, g, b, a, premultiplied, top row first, without padding.
    ///
    /// Pixels that invert what lies below are in here as something that can be seen on most grounds.
    pub fn rgba(&self) -> &[u8] {
        &self.rgba
    }

    /// Which pixels really invert what lies below, one entry per pixel, or `None` if none does. A renderer that
    /// composes the whole picture can do so instead of showing their [`rgba`](Self::rgba).
    pub fn inverts(&self) -> Option<&[bool]> {
        self.inverts.as_deref()
    }
}

/// Why a shape is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CursorError {
    /// A shape larger than any pointer.
    #[error("cursor of {width}x{height} pixels, at most {bound} are allowed")]
    Size {
        /// Width in pixels.
        width: u16,
        /// Height in pixels.
        height: u16,
        /// The bound on both.
        bound: u16,
    },
    /// Fewer bytes than a shape of its kind and size takes.
    #[error("cursor of {len} bytes where {needed} are needed")]
    Length {
        /// Bytes present.
        len: usize,
        /// Bytes needed.
        needed: usize,
    },
    /// A kind of shape that does not exist.
    #[error("unknown cursor type {0}")]
    Kind(u8),
    /// A shape that is not in the cache.
    #[error("no cursor {:#x} in the cache", .0.0)]
    NotCached(CursorId),
    /// The cache is full, which honest servers prevent; the shape is shown and not kept.
    #[error("cursor cache full")]
    CacheFull,
}

/// The state of a cursor channel. It never enters the surface: whoever shows the surface lays it on top.
///
/// In server mouse mode, show [`picture`](Self::picture) with its hot spot at [`position`](Self::position). In
/// client mode, give it to the local pointer.
#[derive(Debug, Default)]
pub struct Cursor {
    initialised: bool,
    picture: Option<Arc<CursorPicture>>,
    visible: bool,
    client_mode: bool,
    position: Point16,
    cache: HashMap<CursorId, Arc<CursorPicture>>,
    /// INVARIANT: bytes of all cached shapes.
    cached_bytes: usize,
}

impl Cursor {
    /// A pointer of which nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Carries out one message of the cursor channel. Says whether shape, visibility or place may have changed.
    ///
    /// # Errors
    ///
    /// [`CursorError`] if a shape cannot be shown; the pointer is hidden then, and the channel goes on.
    pub fn apply(&mut self, message: &ServerMessage) -> Result<bool, CursorError> {
        if let ServerMessage::Init(m) = message {
            self.forget();
            self.initialised = true;
            self.position = m.position;
            let shape = self.shape(&m.cursor);
            self.visible = m.visible != 0 && self.picture.is_some();
            return shape.map(|()| true);
        }
        if !self.initialised {
            return Ok(false);
        }
        match message {
            ServerMessage::Set(m) => {
                let shape = self.shape(&m.cursor);
                // While it is hidden in server mode, the next move shows it.
                self.visible = self.picture.is_some() && (self.visible || self.client_mode);
                return shape.map(|()| true);
            }
            ServerMessage::Move(m) => {
                self.position = m.position;
                self.visible = self.picture.is_some();
            }
            ServerMessage::Hide => self.visible = false,
            ServerMessage::Reset => {
                self.forget();
                self.initialised = false;
            }
            ServerMessage::InvalOne(m) => {
                if let Some(old) = self.cache.remove(&m.id) {
                    self.cached_bytes -= old.rgba.len();
                }
                return Ok(false);
            }
            ServerMessage::InvalAll => {
                self.clear_cache();
                return Ok(false);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Says which mouse mode is in force; it decides what a new shape does to a hidden pointer.
    pub fn set_client_mode(&mut self, client_mode: bool) {
        self.client_mode = client_mode;
    }

    /// The shape to show; `None` while the pointer is hidden or has no shape.
    pub fn picture(&self) -> Option<&Arc<CursorPicture>> {
        self.picture.as_ref().filter(|_| self.visible)
    }

    /// Whether the pointer is seen.
    pub fn is_visible(&self) -> bool {
        self.visible
    }

    /// Where the hot spot is, in pixels of the surface. Counts in server mouse mode.
    pub fn position(&self) -> Point16 {
        self.position
    }

    /// Number of shapes in the cache.
    pub fn cached(&self) -> usize {
        self.cache.len()
    }

    /// Takes over the shape of a message, none if there is none or it cannot be shown.
    fn shape(&mut self, shape: &CursorShape) -> Result<(), CursorError> {
        self.picture = None;
        let Some(image) = &shape.image else { return Ok(()) };
        let id = image.header.unique;
        if shape.flags.contains(CursorFlags::FROM_CACHE) {
            let cached = self.cache.get(&id).ok_or(CursorError::NotCached(id))?;
            self.picture = Some(cached.clone());
            return Ok(());
        }
        let Some(picture) = shape::decode(&image.header, &image.data)?.map(Arc::new) else { return Ok(()) };
        self.picture = Some(picture.clone());
        if !shape.flags.contains(CursorFlags::CACHE_ME) {
            return Ok(());
        }
        let replaced = self.cache.get(&id).map_or(0, |old| old.rgba.len());
        let bytes = self.cached_bytes - replaced + picture.rgba.len();
        if bytes > MAX_CACHE_BYTES || self.cache.len() >= MAX_CACHED && replaced == 0 {
            return Err(CursorError::CacheFull);
        }
        self.cached_bytes = bytes;
        self.cache.insert(id, picture);
        Ok(())
    }

    fn forget(&mut self) {
        self.clear_cache();
        (self.picture, self.visible) = (None, false);
    }

    fn clear_cache(&mut self) {
        self.cache.clear();
        self.cached_bytes = 0;
    }
}

/// Most shapes in the cache. Servers keep 256.
const MAX_CACHED: usize = 1024;

/// Most bytes of all shapes in the cache.
const MAX_CACHE_BYTES: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use spice_proto::msg::cursor::{CursorHeader, CursorImage, CursorType, Init, InvalOne, Move, Set, Trail};
    use spice_proto::wire::Rest;

    use super::*;

    fn alpha(id: u64, flags: CursorFlags, side: u16) -> CursorShape {
        let data = vec![9; usize::from(side) * usize::from(side) * 4];
        let (unique, kind) = (CursorId(id), CursorType::ALPHA);
        let header = CursorHeader { unique, kind, width: side, height: side, hot_x: 90, hot_y: 1 };
        CursorShape { flags, image: Some(CursorImage { header, data: Rest(data.into()) }) }
    }

    fn init(visible: u8, cursor: CursorShape) -> ServerMessage {
        let position = Point16 { x: 5, y: -6 };
        ServerMessage::Init(Init { position, trail: Trail::default(), visible, cursor })
    }

    fn set(cursor: CursorShape) -> ServerMessage {
        ServerMessage::Set(Set { position: Point16::default(), visible: 1, cursor })
    }

    fn cached(id: u64) -> CursorShape {
        CursorShape::cached(CursorId(id))
    }

    #[test]
    fn visibility_follows_the_messages() {
        let none = CursorFlags::empty();
        let mut cursor = Cursor::new();
        assert_eq!(cursor.apply(&set(alpha(1, none, 2))), Ok(false), "nothing counts before INIT");
        assert_eq!(cursor.apply(&init(1, alpha(1, none, 2))), Ok(true));
        assert_eq!(cursor.position(), Point16 { x: 5, y: -6 });
        assert_eq!(cursor.picture().map(|p| p.hot_spot()), Some((2, 1)), "cut to the size");
        cursor.apply(&ServerMessage::Hide).unwrap();
        assert!(cursor.picture().is_none());
        cursor.apply(&set(alpha(1, none, 3))).unwrap();
        assert!(!cursor.is_visible(), "hidden until it moves");
        cursor.apply(&ServerMessage::Move(Move { position: Point16 { x: 1, y: 2 } })).unwrap();
        assert_eq!(cursor.picture().map(|p| p.width()), Some(3));
        cursor.apply(&ServerMessage::Hide).unwrap();
        cursor.set_client_mode(true);
        cursor.apply(&set(alpha(1, none, 3))).unwrap();
        assert!(cursor.is_visible());
        cursor.apply(&set(CursorShape::default())).unwrap();
        assert!(!cursor.is_visible());
        cursor.apply(&ServerMessage::Reset).unwrap();
        assert_eq!(cursor.apply(&set(alpha(1, none, 3))), Ok(false));
        cursor.apply(&init(0, alpha(1, none, 2))).unwrap();
        assert!(!cursor.is_visible());
        cursor.apply(&ServerMessage::Move(Move { position: Point16::default() })).unwrap();
        assert!(cursor.is_visible(), "the shape was remembered");
    }

    #[test]
    fn shapes_are_cached_until_they_are_invalidated() {
        let mut cursor = Cursor::new();
        cursor.apply(&init(1, alpha(1, CursorFlags::CACHE_ME, 2))).unwrap();
        cursor.apply(&set(alpha(2, CursorFlags::CACHE_ME, 3))).unwrap();
        cursor.apply(&set(cached(1))).unwrap();
        assert_eq!(cursor.picture().map(|p| p.width()), Some(2));
        cursor.apply(&ServerMessage::InvalOne(InvalOne { id: CursorId(1) })).unwrap();
        assert_eq!(cursor.apply(&set(cached(1))), Err(CursorError::NotCached(CursorId(1))));
        assert!(cursor.picture().is_none());
        cursor.apply(&ServerMessage::InvalAll).unwrap();
        assert!(cursor.apply(&set(cached(2))).is_err());
        assert_eq!((cursor.cached(), cursor.cached_bytes), (0, 0));
    }

    #[test]
    fn limit_cursor_cache() {
        let mut cursor = Cursor::new();
        cursor.apply(&init(1, CursorShape::default())).unwrap();
        for id in 0..MAX_CACHED as u64 {
            cursor.apply(&set(alpha(id, CursorFlags::CACHE_ME, 2))).unwrap();
        }
        cursor.apply(&set(alpha(0, CursorFlags::CACHE_ME, 3))).unwrap();
        let full = cursor.apply(&set(alpha(9999, CursorFlags::CACHE_ME, 2)));
        assert_eq!(full, Err(CursorError::CacheFull));
        cursor.apply(&ServerMessage::InvalAll).unwrap();
        let large = |id| set(alpha(id, CursorFlags::CACHE_ME, 1024));
        assert_eq!((0..5).map(|id| cursor.apply(&large(id)).is_ok() as u8).sum::<u8>(), 4);
    }
}
