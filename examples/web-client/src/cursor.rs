//! The pointer's shape on its way to the page.

use std::sync::Arc;

use spice_client::canvas::{Cursor, CursorPicture};
use spice_proto::msg::cursor::ServerMessage;

use crate::page::Page;

/// The state of the cursor channel, and what the page has been told of it.
pub(crate) struct Pointer {
    cursor: Cursor,
    told: Option<Arc<CursorPicture>>,
    position: (i16, i16),
}

impl Pointer {
    pub(crate) fn new() -> Self {
        Self { cursor: Cursor::new(), told: None, position: (0, 0) }
    }

    /// Carries out a message.
    pub(crate) fn apply(&mut self, message: &ServerMessage, page: &Page) {
        match self.cursor.apply(message) {
            Ok(true) => self.tell(page),
            Ok(false) => {}
            Err(error) => {
                page.trouble(&format!("a pointer shape cannot be shown: {error}"));
                self.tell(page);
            }
        }
    }

    pub(crate) fn set_absolute(&mut self, absolute: bool) {
        self.cursor.set_client_mode(absolute);
    }

    fn tell(&mut self, page: &Page) {
        match (self.cursor.picture(), &self.told) {
            (Some(new), Some(old)) if Arc::ptr_eq(new, old) => {}
            (Some(new), _) if new.width().max(new.height()) > LARGEST => {
                page.shapeless();
                self.told = Some(Arc::clone(new));
            }
            (Some(new), _) => {
                let inverts = new.inverts().map(|inverts| inverts.iter().map(|&is| u8::from(is)).collect());
                let (x, y) = new.hot_spot();
                page.shape(new.width(), new.height(), x, y, straight(new.rgba()), inverts);
                self.told = Some(Arc::clone(new));
            }
            (None, Some(_)) => {
                page.shapeless();
                self.told = None;
            }
            (None, None) => {}
        }
        let position = self.cursor.position();
        if self.position != (position.x, position.y) {
            self.position = (position.x, position.y);
            page.pointer(position.x.into(), position.y.into());
        }
    }
}

/// Pixels of a shape's side at most: no real one is larger, and a server may change them as often as it likes.
const LARGEST: u32 = 256;

/// Premultiplied pixels as browsers want them in their pictures.
fn straight(rgba: &[u8]) -> Vec<u8> {
    let turn = |&[r, g, b, a]: &[u8; 4]| {
        let scale = |c: u8| match u16::from(a) {
            0 => 0,
            a => ((u16::from(c) * 255 + a / 2) / a).min(255) as u8,
        };
        [scale(r), scale(g), scale(b), a]
    };
    rgba.as_chunks().0.iter().flat_map(turn).collect()
}
