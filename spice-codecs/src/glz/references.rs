//! The images that the image being decoded refers to.

use alloc::sync::Arc;

use super::picture::Picture;
use super::uniform::CLEAR;
use super::window::Access;
use crate::error::ErrorKind;
use crate::lz::ImageType;

/// Pictures looked up so far, so that the window is not asked for every match.
#[derive(Debug)]
pub(super) struct Recent {
    /// By the low bits of the image distance.
    slots: [Option<(u64, Arc<Picture>)>; SLOTS],
    /// Bit per filled slot.
    filled: u64,
}

/// Slots of [`Recent`]: as many distances as the shortest form of a match can name.
const SLOTS: usize = 64;

impl Default for Recent {
    fn default() -> Self {
        Self { slots: [const { None }; SLOTS], filled: 0 }
    }
}

impl Recent {
    /// The picture `distance` ids back, if it was looked up before.
    #[inline]
    pub(super) fn known(&self, distance: u64) -> Option<&Arc<Picture>> {
        match &self.slots[distance as usize % SLOTS] {
            Some((known, picture)) if *known == distance => Some(picture),
            _ => None,
        }
    }

    /// Lets go of all pictures.
    pub(super) fn clear(&mut self) {
        while self.filled != 0 {
            let slot = self.filled.trailing_zeros();
            self.slots[slot as usize] = None;
            self.filled &= self.filled - 1;
        }
    }
}

/// Looks up what one image refers to.
pub(super) struct References<'a, A> {
    pub(super) window: &'a mut A,
    pub(super) recent: &'a mut Recent,
    /// Id of the image being decoded.
    pub(super) id: u64,
    /// Its type, which is that of all images it may refer to.
    pub(super) image_type: ImageType,
    /// Whether the alpha of all pictures looked up is [`CLEAR`].
    pub(super) are_clear: bool,
}

impl<A: Access> References<'_, A> {
    /// The picture `distance` ids back, or its id if it has not arrived.
    #[inline]
    pub(super) fn picture(&mut self, distance: u64) -> Result<Result<&Arc<Picture>, u64>, ErrorKind> {
        let slot = distance as usize % SLOTS;
        let known = matches!(&self.recent.slots[slot], Some((known, _)) if *known == distance);
        if !known {
            match self.look_up(distance)? {
                Ok(picture) => self.recent.slots[slot] = Some((distance, picture)),
                Err(id) => return Ok(Err(id)),
            }
            self.recent.filled |= 1 << slot;
        }
        match &self.recent.slots[slot] {
            Some((_, picture)) => Ok(Ok(picture)),
            None => Err(ErrorKind::MissingImage(self.id.wrapping_sub(distance))),
        }
    }

    #[cold]
    fn look_up(&mut self, distance: u64) -> Result<Result<Arc<Picture>, u64>, ErrorKind> {
        let id = self.id;
        let target = id.checked_sub(distance).ok_or(ErrorKind::ImageDistance { distance, id })?;
        let Some(picture) = self.window.with(|window| window.get(target)).map_err(|error| error.kind)? else {
            return Ok(Err(target));
        };
        if picture.image_type != self.image_type {
            return Err(ErrorKind::ImageTypeMismatch(picture.image_type as u32));
        }
        self.are_clear &= picture.alpha == Some(CLEAR);
        Ok(Ok(picture))
    }
}
