//! How values stand in message bodies.
//!
//! Integers are little-endian and packed. A pointer is a `u32` offset from the start of the message body; what
//! it points to stands anywhere behind the fixed part. The rule of a field lives in its type:
//!
//! | type | on the wire |
//! |---|---|
//! | integers, [`pod!`](crate::pod) structures | their bytes |
//! | [`Ptr<T>`](Ptr) | `u32` offset, never 0 |
//! | `Option<Ptr<T>>` | `u32` offset, 0 is `None` |
//! | [`Counted<N, T>`](Counted) | count of type `N`, then that many `T` |
//! | [`Blob<N>`](Blob) | length of type `N`, then bytes |
//! | [`PtrBlob<N>`](PtrBlob) | length of type `N`, then a `u32` offset to the bytes |
//! | [`PtrArray<N, T>`](PtrArray) | count of type `N`, then a `u32` offset to that many `T` |
//! | [`Rest`] | all bytes up to the end of the body |
//!
//! [`decode`] and [`encode`] are the entry points for one body.

mod array;
mod fields;
#[macro_use]
mod macros;
mod reader;
mod writer;

use core::cell::Cell;

use bytes::{Bytes, BytesMut};

use crate::error::DecodeError;

pub use array::{Array, ArrayIter};
#[doc(hidden)]
pub use bitflags::bitflags;
pub use fields::{Blob, Count, Counted, Ptr, PtrArray, PtrBlob, Rest, TooMany};
pub use reader::Reader;
pub use writer::Writer;
#[doc(hidden)]
pub use zerocopy;

/// A value with a place in a message body.
pub trait Wire: Sized {
    /// Fewest bytes that any value takes in the inline part; guards counts before any loop.
    const MIN_LEN: usize;

    /// Reads the value at the reader's position and moves behind it.
    ///
    /// # Errors
    /// [`DecodeError`] says which field is wrong and where.
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Bytes that the value takes in the inline part, without what its pointers point to.
    fn inline_len(&self) -> usize;

    /// Writes exactly [`inline_len`](Self::inline_len) bytes inline, and what is pointed to at the tail.
    fn encode(&self, w: &mut Writer<'_>);
}

/// A value of fixed size that may be viewed in place, in an [`Array`].
///
/// `Raw` is the byte-aligned little-endian picture of the value.
pub trait Pod: Copy + core::fmt::Debug + PartialEq {
    /// The value as it stands on the wire.
    type Raw: zerocopy::FromBytes
        + zerocopy::IntoBytes
        + zerocopy::Immutable
        + zerocopy::KnownLayout
        + zerocopy::Unaligned
        + Copy;

    /// The value that `raw` stands for.
    fn from_raw(raw: &Self::Raw) -> Self;

    /// The bytes that stand for the value.
    fn to_raw(&self) -> Self::Raw;
}

impl<T: Pod> Wire for T {
    const MIN_LEN: usize = size_of::<T::Raw>();

    #[inline]
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.pod()
    }

    #[inline]
    fn inline_len(&self) -> usize {
        Self::MIN_LEN
    }

    #[inline]
    fn encode(&self, w: &mut Writer<'_>) {
        w.put(zerocopy::IntoBytes::as_bytes(&self.to_raw()));
    }
}

macro_rules! scalars {
    ($($ty:ty => $raw:ty),* $(,)?) => {$(
        impl Pod for $ty {
            type Raw = $raw;

            #[inline]
            fn from_raw(raw: &Self::Raw) -> Self {
                (*raw).into()
            }

            #[inline]
            fn to_raw(&self) -> Self::Raw {
                (*self).into()
            }
        }
    )*};
}

scalars! {
    u8 => u8,
    u16 => zerocopy::little_endian::U16,
    u32 => zerocopy::little_endian::U32,
    u64 => zerocopy::little_endian::U64,
    i8 => i8,
    i16 => zerocopy::little_endian::I16,
    i32 => zerocopy::little_endian::I32,
    i64 => zerocopy::little_endian::I64,
}

impl<const N: usize> Pod for [u8; N] {
    type Raw = [u8; N];

    #[inline]
    fn from_raw(raw: &Self::Raw) -> Self {
        *raw
    }

    #[inline]
    fn to_raw(&self) -> Self::Raw {
        *self
    }
}

/// Reads one value that starts at the beginning of `body`; bytes behind it are tolerated, as the protocol wants.
///
/// `message` names the value in errors; `pointers` bounds how many pointers may be followed.
///
/// # Errors
/// [`DecodeError`] when the body does not have the value's layout.
///
/// ```
/// use bytes::Bytes;
/// use spice_proto::{types::Point, wire};
/// let body = Bytes::from_static(&[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
/// assert_eq!(wire::decode::<Point>("Point", &body, 0), Ok(Point { x: 1, y: -1 }));
/// ```
pub fn decode<T: Wire>(message: &'static str, body: &Bytes, pointers: u32) -> Result<T, DecodeError> {
    let budget = Cell::new(pointers);
    T::decode(&mut Reader::new(message, body, &budget, pointers))
}

/// Appends the value to `out` as one body, everything that it points to included.
///
/// ```
/// use bytes::BytesMut;
/// use spice_proto::{types::Point, wire};
/// let mut out = BytesMut::new();
/// wire::encode(&Point { x: 1, y: -1 }, &mut out);
/// assert_eq!(out[..], [1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
/// ```
pub fn encode<T: Wire>(value: &T, out: &mut BytesMut) {
    Writer::body(out, value);
}
