//! Elements of fixed size, kept as the bytes they arrived in.

use core::fmt;
use core::marker::PhantomData;

use bytes::{Bytes, BytesMut};
use zerocopy::{FromBytes, IntoBytes};

use crate::wire::Pod;

/// A sequence of fixed-size values, viewed in place in the received block.
///
/// Cloning is cheap and copies no element. Building one from values copies them once.
///
/// ```
/// use spice_proto::{types::Point, wire::Array};
/// let points: Array<Point> = [Point { x: 1, y: 2 }, Point { x: 3, y: 4 }].into_iter().collect();
/// assert_eq!(points.len(), 2);
/// assert_eq!(points.get(1), Some(Point { x: 3, y: 4 }));
/// ```
#[derive(Clone)]
pub struct Array<T> {
    // INVARIANT: a whole number of elements.
    bytes: Bytes,
    element: PhantomData<fn() -> T>,
}

impl<T: Pod> Array<T> {
    /// Size of one element in bytes.
    pub const ELEMENT: usize = size_of::<T::Raw>();

    /// An array without elements; allocates nothing.
    pub const fn new() -> Self {
        Self { bytes: Bytes::new(), element: PhantomData }
    }

    /// The elements that stand in `bytes`; a rest shorter than one element is dropped.
    pub fn from_bytes(mut bytes: Bytes) -> Self {
        bytes.truncate(bytes.len() - bytes.len() % Self::ELEMENT.max(1));
        Self { bytes, element: PhantomData }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.bytes.len() / Self::ELEMENT.max(1)
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The element at `index`, if there is one.
    pub fn get(&self, index: usize) -> Option<T> {
        self.raw().get(index).map(T::from_raw)
    }

    /// The elements in order.
    pub fn iter(&self) -> ArrayIter<'_, T> {
        ArrayIter { raw: self.raw().iter() }
    }

    /// The elements as they stand on the wire.
    pub fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    fn raw(&self) -> &[T::Raw] {
        <[T::Raw]>::ref_from_bytes(&self.bytes).unwrap_or(&[])
    }
}

impl<T: Pod> Default for Array<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Pod> FromIterator<T> for Array<T> {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        let mut bytes = BytesMut::new();
        for value in iter {
            bytes.extend_from_slice(value.to_raw().as_bytes());
        }
        Self { bytes: bytes.freeze(), element: PhantomData }
    }
}

impl<T: Pod> From<&[T]> for Array<T> {
    fn from(values: &[T]) -> Self {
        values.iter().copied().collect()
    }
}

impl<T: Pod> PartialEq for Array<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<T: Pod + Eq> Eq for Array<T> {}

impl<T: Pod> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a, T: Pod> IntoIterator for &'a Array<T> {
    type Item = T;
    type IntoIter = ArrayIter<'a, T>;

    fn into_iter(self) -> ArrayIter<'a, T> {
        self.iter()
    }
}

/// Iterator over the elements of an [`Array`].
pub struct ArrayIter<'a, T: Pod> {
    raw: core::slice::Iter<'a, T::Raw>,
}

impl<T: Pod> Iterator for ArrayIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.raw.next().map(T::from_raw)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.raw.size_hint()
    }
}

impl<T: Pod> ExactSizeIterator for ArrayIter<'_, T> {}

impl<T: Pod> fmt::Debug for ArrayIter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArrayIter").field("left", &self.raw.len()).finish()
    }
}
