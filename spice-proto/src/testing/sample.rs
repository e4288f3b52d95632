//! Any value from any bytes: the generator behind property tests, fuzzing and benches.

use bytes::Bytes;

use crate::wire::{Array, Blob, Count, Counted, Pod, Ptr, PtrArray, PtrBlob, Rest, Wire};

/// Bytes that choices are made from; zeros when they run out, so that every choice has an end.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    bytes: &'a [u8],
}

impl<'a> Source<'a> {
    /// Choices from `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        match self.bytes.split_first() {
            Some((first, rest)) => {
                self.bytes = rest;
                *first
            }
            None => 0,
        }
    }

    /// A number below `bound`, or 0 when `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let wide = usize::from(self.byte()) | if bound > 256 { usize::from(self.byte()) << 8 } else { 0 };
        if bound == 0 { 0 } else { wide % bound }
    }

    /// Whether the bytes have run out.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Up to 24 bytes as a payload.
    pub fn payload(&mut self) -> Bytes {
        let len = self.below(25);
        (0..len).map(|_| self.byte()).collect()
    }
}

/// A type that can be made from any bytes.
pub trait Sample: Sized {
    /// A value chosen by `s`.
    fn sample(s: &mut Source<'_>) -> Self;
}

/// Walks over the messages of a table, each with its number, name and payload type.
pub trait MessageVisitor {
    /// A message that carries a `T`.
    fn payload<T: Wire + Sample + Clone + PartialEq + core::fmt::Debug>(
        &mut self,
        kind: u16,
        name: &'static str,
    );

    /// A message without a body.
    fn empty(&mut self, kind: u16, name: &'static str);
}

macro_rules! ints {
    ($($ty:ty),*) => {$(
        impl Sample for $ty {
            fn sample(s: &mut Source<'_>) -> Self {
                let mut bytes = [0; size_of::<$ty>()];
                // Small numbers are the interesting ones; one choice in four is any number.
                let wide = if s.byte().is_multiple_of(4) { bytes.len() } else { 1 };
                bytes.iter_mut().take(wide).for_each(|b| *b = s.byte());
                <$ty>::from_le_bytes(bytes)
            }
        }
    )*};
}

ints!(u8, u16, u32, u64, i8, i16, i32, i64);

impl<const N: usize> Sample for [u8; N] {
    fn sample(s: &mut Source<'_>) -> Self {
        core::array::from_fn(|_| s.byte())
    }
}

impl<T: Sample> Sample for Ptr<T> {
    fn sample(s: &mut Source<'_>) -> Self {
        Self(T::sample(s))
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample(s: &mut Source<'_>) -> Self {
        (!s.byte().is_multiple_of(4)).then(|| T::sample(s))
    }
}

impl<T: Sample + Pod> Sample for Array<T> {
    fn sample(s: &mut Source<'_>) -> Self {
        (0..s.below(5)).map(|_| T::sample(s)).collect()
    }
}

impl<N: Count, T: Sample + Pod> Sample for Counted<N, T> {
    fn sample(s: &mut Source<'_>) -> Self {
        Self::new(Array::sample(s)).unwrap_or_default()
    }
}

impl<N: Count, T: Sample + Pod> Sample for PtrArray<N, T> {
    fn sample(s: &mut Source<'_>) -> Self {
        Self::new(Array::sample(s)).unwrap_or_default()
    }
}

impl<N: Count> Sample for Blob<N> {
    fn sample(s: &mut Source<'_>) -> Self {
        Self::new(s.payload()).unwrap_or_default()
    }
}

impl<N: Count> Sample for PtrBlob<N> {
    fn sample(s: &mut Source<'_>) -> Self {
        Self::new(s.payload()).unwrap_or_default()
    }
}

impl Sample for Rest {
    fn sample(s: &mut Source<'_>) -> Self {
        Self(s.payload())
    }
}
