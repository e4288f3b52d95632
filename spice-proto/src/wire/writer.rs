//! Writing one message body: an inline area, and a tail for what pointers point to.

use bytes::BytesMut;

use crate::wire::Wire;

/// Writes the inline bytes of one value; what its pointers point to goes to the tail of the body.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut BytesMut,
    /// Where the body starts in `out`; pointers count from here.
    start: usize,
    /// Where the next inline byte goes, in `out`.
    at: usize,
}

impl<'a> Writer<'a> {
    /// Appends `value` to `out` as one body.
    pub fn body<T: Wire>(out: &'a mut BytesMut, value: &T) {
        let start = out.len();
        let mut root = Writer { out, start, at: start };
        root.append(value);
    }

    /// Writes bytes at the inline position.
    ///
    /// # Panics
    /// When a [`Wire`] implementation writes more than it announced by [`Wire::inline_len`].
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        let end = self.at + bytes.len();
        self.out[self.at..end].copy_from_slice(bytes);
        self.at = end;
    }

    /// Writes a pointer to `value`, and the value itself at the tail.
    pub fn pointer<T: Wire>(&mut self, value: &T) {
        self.pointer_to_tail();
        let mut tail = Writer { start: self.start, at: self.out.len(), out: self.out };
        tail.append(value);
    }

    /// Writes a pointer to `bytes`, and the bytes themselves at the tail.
    pub fn pointer_bytes(&mut self, bytes: &[u8]) {
        self.pointer_to_tail();
        self.out.extend_from_slice(bytes);
    }

    fn pointer_to_tail(&mut self) {
        // INVARIANT: bodies stay below 4 GiB, because the frame's own length field is 32 bits wide.
        let offset = (self.out.len() - self.start) as u32;
        self.put(&offset.to_le_bytes());
    }

    fn append<T: Wire>(&mut self, value: &T) {
        let end = self.at + value.inline_len();
        self.out.resize(end, 0);
        value.encode(self);
        debug_assert_eq!(self.at, end, "inline_len and encode disagree");
    }
}
