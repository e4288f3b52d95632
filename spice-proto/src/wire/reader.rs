//! A checked cursor over one message body.

use core::cell::Cell;

use bytes::Bytes;
use zerocopy::FromBytes;

use crate::error::{DecodeError, DecodeErrorKind};
use crate::wire::Pod;

/// A cursor over one message body that cannot leave it.
///
/// All readers of one message share a budget of pointers to follow, so that a hostile body cannot make a short
/// message expensive.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    body: &'a Bytes,
    // INVARIANT: at <= body.len()
    at: usize,
    message: &'static str,
    field: &'static str,
    pointers_left: &'a Cell<u32>,
    pointers: u32,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `body`. `pointers_left` starts as `pointers`, the bound named in errors.
    pub fn new(message: &'static str, body: &'a Bytes, pointers_left: &'a Cell<u32>, pointers: u32) -> Self {
        Self { body, at: 0, message, field: "", pointers_left, pointers }
    }

    /// Names the field that is read next, for errors.
    #[inline]
    pub fn field(&mut self, name: &'static str) {
        self.field = name;
    }

    /// Takes the next `len` bytes.
    ///
    /// # Errors
    /// [`DecodeErrorKind::Truncated`] when fewer are left.
    #[inline]
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        match self.body[self.at..].get(..len) {
            Some(bytes) => {
                self.at += len;
                Ok(bytes)
            }
            None => Err(self.truncated(len)),
        }
    }

    /// Takes the next `len` bytes as a slice of the received block; nothing is copied.
    ///
    /// # Errors
    /// [`DecodeErrorKind::Truncated`] when fewer are left.
    pub fn take_bytes(&mut self, len: usize) -> Result<Bytes, DecodeError> {
        if len > self.remaining() {
            return Err(self.truncated(len));
        }
        let start = self.at;
        self.at += len;
        Ok(self.body.slice(start..self.at))
    }

    /// Takes the bytes of `count` elements of `size` bytes each, checked against overflow and the body's end.
    ///
    /// # Errors
    /// [`DecodeErrorKind::Truncated`] when they are not all there.
    pub fn take_elements(&mut self, count: usize, size: usize) -> Result<Bytes, DecodeError> {
        match count.checked_mul(size) {
            Some(len) => self.take_bytes(len),
            None => Err(self.truncated(usize::MAX)),
        }
    }

    /// Moves behind `count` elements of `size` bytes each, checked as in [`take_elements`](Self::take_elements).
    ///
    /// # Errors
    /// [`DecodeErrorKind::Truncated`] when they are not all there.
    pub fn skip_elements(&mut self, count: usize, size: usize) -> Result<(), DecodeError> {
        match count.checked_mul(size) {
            Some(len) => self.take(len).map(|_| ()),
            None => Err(self.truncated(usize::MAX)),
        }
    }

    /// The bytes from this position up to that of `end`, a later state of this reader, as a slice of the received
    /// block.
    pub fn up_to(&self, end: &Reader<'_>) -> Bytes {
        self.body.slice(self.at..end.at.clamp(self.at, self.body.len()))
    }

    /// Reads one value of fixed size.
    ///
    /// # Errors
    /// [`DecodeErrorKind::Truncated`] when it is not all there.
    #[inline]
    pub fn pod<T: Pod>(&mut self) -> Result<T, DecodeError> {
        match T::Raw::ref_from_prefix(&self.body[self.at..]) {
            Ok((raw, _)) => {
                self.at += size_of::<T::Raw>();
                Ok(T::from_raw(raw))
            }
            Err(_) => Err(self.truncated(size_of::<T::Raw>())),
        }
    }

    /// Follows a pointer: a reader at `offset` from the start of the body.
    ///
    /// # Errors
    /// When the offset is 0 or outside the body, or the message's budget of pointers is spent.
    pub fn at(&self, offset: u32) -> Result<Reader<'a>, DecodeError> {
        let at = usize::try_from(offset).unwrap_or(usize::MAX);
        if at == 0 {
            return Err(self.error(DecodeErrorKind::NullPointer));
        }
        if at >= self.body.len() {
            return Err(self.error(DecodeErrorKind::PointerOutside { offset, len: self.body.len() }));
        }
        match self.pointers_left.get().checked_sub(1) {
            Some(left) => self.pointers_left.set(left),
            None => return Err(self.error(DecodeErrorKind::TooManyPointers { bound: self.pointers })),
        }
        Ok(Reader { at, ..self.clone() })
    }

    /// The error `kind` at the present position and field.
    #[cold]
    pub fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { message: self.message, field: self.field, at: self.at, kind }
    }

    /// Bytes between the position and the end of the body.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.body.len() - self.at
    }

    /// Offset of the position from the start of the body in bytes.
    pub fn position(&self) -> usize {
        self.at
    }

    #[cold]
    fn truncated(&self, needed: usize) -> DecodeError {
        self.error(DecodeErrorKind::Truncated { needed, available: self.remaining() })
    }
}
