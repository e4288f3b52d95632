//! What must hold for every message of every table; shared by property tests and fuzzing.
//!
//! Each check walks over all tables with one handful of bytes and panics, naming the message, when something
//! does not hold.

use core::fmt::Debug;

use bytes::{Bytes, BytesMut};

use crate::Limits;
use crate::msg::{Direction, Message, TableVisitor, for_each_table};
use crate::testing::{MessageVisitor, Sample, Source};
use crate::wire::{self, Wire};

/// A value made from `bytes` survives encoding and decoding, takes at least its smallest and exactly its announced
/// length, and its encoding cut anywhere gives a value or an error.
///
/// # Panics
/// When that does not hold for some message.
pub fn round_trips(bytes: &[u8]) {
    for_each_table(&mut Tables(RoundTrip { bytes }));
}

/// Decoding `bytes` as the body of any message gives a value or an error, and a value encodes to one that decodes
/// to the same.
///
/// # Panics
/// When that does not hold for some message.
pub fn any_body(bytes: &[u8]) {
    for_each_table(&mut Tables(AnyBody { body: Bytes::copy_from_slice(bytes) }));
}

/// A check of one payload type with the bytes it carries.
trait Check {
    fn payload<T: Wire + Sample + Clone + PartialEq + Debug>(&self, name: &'static str);
}

struct Tables<C>(C);

impl<C: Check> TableVisitor for Tables<C> {
    fn table<M: Message>(&mut self, _: &'static str, _: Direction) {
        M::visit(&mut Rows(&self.0));
        assert!(M::decode(u16::MAX, &Bytes::new(), 0).is_ok_and(|m| m.kind() == u16::MAX));
    }
}

struct Rows<'a, C>(&'a C);

impl<C: Check> MessageVisitor for Rows<'_, C> {
    fn payload<T: Wire + Sample + Clone + PartialEq + Debug>(&mut self, _: u16, name: &'static str) {
        self.0.payload::<T>(name);
    }

    fn empty(&mut self, _: u16, _: &'static str) {}
}

struct RoundTrip<'a> {
    bytes: &'a [u8],
}

impl Check for RoundTrip<'_> {
    fn payload<T: Wire + Sample + Clone + PartialEq + Debug>(&self, name: &'static str) {
        let value = T::sample(&mut Source::new(self.bytes));
        let body = encoded(name, &value);
        assert!(value.inline_len() >= T::MIN_LEN, "{name}: shorter than its smallest length: {value:?}");
        assert_eq!(
            decoded(name, &body).as_ref(),
            Ok(&value),
            "{name}: decodes to another value from {body:?}"
        );
        for len in 0..body.len() {
            // Either answer is right: a cut may fall into bytes that merely fill up.
            let _ = decoded::<T>(name, &body.slice(..len));
        }
    }
}

struct AnyBody {
    body: Bytes,
}

impl Check for AnyBody {
    fn payload<T: Wire + Sample + Clone + PartialEq + Debug>(&self, name: &'static str) {
        if let Ok(value) = decoded::<T>(name, &self.body) {
            let again = encoded(name, &value);
            assert_eq!(decoded(name, &again).as_ref(), Ok(&value), "{name}: changes on its way");
        }
    }
}

fn decoded<T: Wire>(name: &'static str, body: &Bytes) -> Result<T, crate::DecodeError> {
    wire::decode(name, body, Limits::default().pointers)
}

/// Encodes behind other bytes, because pointers must count from the body alone.
fn encoded<T: Wire>(name: &'static str, value: &T) -> Bytes {
    let mut out = BytesMut::from(&b"header"[..]);
    wire::encode(value, &mut out);
    assert!(out.len() >= 6 + value.inline_len(), "{name}: shorter than announced");
    out.freeze().slice(6..)
}
