//! Field types: each carries one rule of the wire.

use core::fmt;
use core::marker::PhantomData;
use core::ops::Deref;

use bytes::Bytes;
use thiserror::Error;

use crate::error::DecodeError;
use crate::wire::{Array, Pod, Reader, Wire, Writer};

/// A value that stands elsewhere in the body: `u32` offset from the start of the body, never 0.
///
/// `Option<Ptr<T>>` is the nullable form, with 0 for `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ptr<T>(pub T);

impl<T> Deref for Ptr<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Wire> Wire for Ptr<T> {
    const MIN_LEN: usize = 4;

    #[inline]
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = r.pod()?;
        T::decode(&mut r.at(offset)?).map(Self)
    }

    fn inline_len(&self) -> usize {
        4
    }

    fn encode(&self, w: &mut Writer<'_>) {
        w.pointer(&self.0);
    }
}

impl<T: Wire> Wire for Option<Ptr<T>> {
    const MIN_LEN: usize = 4;

    #[inline]
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match r.pod()? {
            0u32 => Ok(None),
            offset => T::decode(&mut r.at(offset)?).map(|value| Some(Ptr(value))),
        }
    }

    fn inline_len(&self) -> usize {
        4
    }

    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Some(ptr) => ptr.encode(w),
            None => w.put(&[0; 4]),
        }
    }
}

/// An integer type that counts elements or bytes on the wire.
pub trait Count: Pod {
    /// The largest count that fits.
    const MAX: usize;

    /// `len` as this type; saturates, which callers rule out by checking [`Count::MAX`] first.
    fn from_len(len: usize) -> Self;

    /// The count as a `usize`; saturates where the platform's is narrower.
    fn to_len(self) -> usize;
}

macro_rules! counts {
    ($($ty:ty),*) => {$(
        impl Count for $ty {
            const MAX: usize = <$ty>::MAX as usize;

            fn from_len(len: usize) -> Self {
                <$ty>::try_from(len).unwrap_or(<$ty>::MAX)
            }

            #[allow(clippy::unnecessary_fallible_conversions)]
            fn to_len(self) -> usize {
                usize::try_from(self).unwrap_or(usize::MAX)
            }
        }
    )*};
}

counts!(u8, u16, u32);

/// More elements than the count on the wire can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{len} elements do not fit the wire's count, at most {bound} do")]
pub struct TooMany {
    /// Number of elements given.
    pub len: usize,
    /// Largest number the count can say.
    pub bound: usize,
}

/// Checks a number of elements against the count type that must say it.
fn fits<N: Count>(len: usize) -> Result<(), TooMany> {
    if len > N::MAX { Err(TooMany { len, bound: N::MAX }) } else { Ok(()) }
}

/// Declares a field type that wraps a value behind a count: what wraps, what it dereferences to, how it is built.
macro_rules! counted_field {
    (
        $(#[$meta:meta])*
        $name:ident<N $(, $t:ident)?> wraps $inner:ty
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name<N $(, $t: Pod)?> {
            // INVARIANT: inner.len() <= N::MAX
            inner: $inner,
            count: PhantomData<fn() -> N>,
        }

        impl<N: Count $(, $t: Pod)?> $name<N $(, $t)?> {
            const fn wrap(inner: $inner) -> Self {
                Self { inner, count: PhantomData }
            }

            /// Wraps the content.
            ///
            /// # Errors
            /// [`TooMany`] when its length does not fit `N`.
            pub fn new(inner: $inner) -> Result<Self, TooMany> {
                fits::<N>(inner.len()).map(|()| Self::wrap(inner))
            }
        }

        impl<N $(, $t: Pod)?> $name<N $(, $t)?> {
            /// The content without its count.
            pub fn into_inner(self) -> $inner {
                self.inner
            }
        }

        impl<N: Count $(, $t: Pod)?> Default for $name<N $(, $t)?> {
            fn default() -> Self {
                Self::wrap(<$inner>::new())
            }
        }

        impl<N $(, $t: Pod)?> Deref for $name<N $(, $t)?> {
            type Target = $inner;

            fn deref(&self) -> &$inner {
                &self.inner
            }
        }

        impl<N $(, $t: Pod)?> fmt::Debug for $name<N $(, $t)?> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}

counted_field! {
    /// A count of type `N`, then that many elements of fixed size.
    Counted<N, T> wraps Array<T>
}

counted_field! {
    /// A count of type `N`, then a `u32` offset to that many elements of fixed size. Count 0 may go with any offset.
    PtrArray<N, T> wraps Array<T>
}

counted_field! {
    /// A length of type `N`, then that many bytes, as a slice of the received block.
    Blob<N> wraps Bytes
}

counted_field! {
    /// A length of type `N`, then a `u32` offset to that many bytes. Length 0 may go with any offset.
    PtrBlob<N> wraps Bytes
}

impl<N: Count, T: Pod> Counted<N, T> {
    /// Reads `count` elements, for structures whose count stands apart from them.
    ///
    /// # Errors
    /// [`DecodeErrorKind::Truncated`](crate::DecodeErrorKind::Truncated) when they are not all there.
    pub fn decode_elements(count: N, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.take_elements(count.to_len(), Array::<T>::ELEMENT).map(Array::from_bytes).map(Self::wrap)
    }

    /// The count as the wire says it.
    pub fn count(&self) -> N {
        N::from_len(self.len())
    }
}

impl<N: Count, T: Pod> Wire for Counted<N, T> {
    const MIN_LEN: usize = size_of::<N::Raw>();

    #[inline]
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = r.pod()?;
        Self::decode_elements(count, r)
    }

    fn inline_len(&self) -> usize {
        Self::MIN_LEN + self.as_bytes().len()
    }

    fn encode(&self, w: &mut Writer<'_>) {
        N::from_len(self.len()).encode(w);
        w.put(self.as_bytes());
    }
}

impl<N: Count> Wire for Blob<N> {
    const MIN_LEN: usize = size_of::<N::Raw>();

    #[inline]
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let len = r.pod::<N>()?.to_len();
        r.take_bytes(len).map(Self::wrap)
    }

    fn inline_len(&self) -> usize {
        Self::MIN_LEN + self.len()
    }

    fn encode(&self, w: &mut Writer<'_>) {
        N::from_len(self.len()).encode(w);
        w.put(self);
    }
}

impl<N: Count, T: Pod> Wire for PtrArray<N, T> {
    const MIN_LEN: usize = size_of::<N::Raw>() + 4;

    #[inline]
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        pointed::<N>(r, Array::<T>::ELEMENT).map(Array::from_bytes).map(Self::wrap)
    }

    fn inline_len(&self) -> usize {
        Self::MIN_LEN
    }

    fn encode(&self, w: &mut Writer<'_>) {
        point::<N>(w, self.len(), self.as_bytes());
    }
}

impl<N: Count> Wire for PtrBlob<N> {
    const MIN_LEN: usize = size_of::<N::Raw>() + 4;

    #[inline]
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        pointed::<N>(r, 1).map(Self::wrap)
    }

    fn inline_len(&self) -> usize {
        Self::MIN_LEN
    }

    fn encode(&self, w: &mut Writer<'_>) {
        point::<N>(w, self.len(), self);
    }
}

/// Reads a count and an offset, and gives the bytes of that many elements there.
fn pointed<N: Count>(r: &mut Reader<'_>, size: usize) -> Result<Bytes, DecodeError> {
    let count = r.pod::<N>()?.to_len();
    let offset: u32 = r.pod()?;
    if count == 0 { Ok(Bytes::new()) } else { r.at(offset)?.take_elements(count, size) }
}

/// Writes a count and an offset, and the bytes at the tail.
fn point<N: Count>(w: &mut Writer<'_>, count: usize, bytes: &[u8]) {
    N::from_len(count).encode(w);
    if bytes.is_empty() {
        w.put(&[0; 4]);
    } else {
        w.pointer_bytes(bytes);
    }
}

/// Everything from here to the end of the body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest(pub Bytes);

impl Deref for Rest {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.0
    }
}

impl Wire for Rest {
    const MIN_LEN: usize = 0;

    #[inline]
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.take_bytes(r.remaining()).map(Self)
    }

    fn inline_len(&self) -> usize {
        self.0.len()
    }

    fn encode(&self, w: &mut Writer<'_>) {
        w.put(&self.0);
    }
}
