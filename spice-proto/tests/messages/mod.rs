//! Message bodies.

mod allocations;
mod golden;
mod hostile;
mod laws;
mod layouts;

use bytes::{Bytes, BytesMut};
use spice_proto::msg::Message;
use spice_proto::{DecodeError, Limits};

/// The bytes that hexadecimal digits stand for; everything behind `//` in a line is a remark.
fn hex(text: &str) -> Bytes {
    let digits: Vec<u8> = text
        .lines()
        .flat_map(|line| line.split("//").next().unwrap_or_default().chars())
        .filter(|c| !c.is_whitespace())
        .map(|c| u8::try_from(c.to_digit(16).unwrap_or_else(|| panic!("{c} is no digit"))).unwrap())
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn decode<M: Message>(kind: u16, body: &Bytes) -> Result<M, DecodeError> {
    M::decode(kind, body, Limits::default().pointers)
}

fn encode<M: Message>(message: &M) -> Bytes {
    let mut body = BytesMut::new();
    message.encode_body(&mut body);
    body.freeze()
}

/// The body decodes to the message, and the message encodes to the body.
#[track_caller]
fn assert_stands_for<M: Message>(body: &Bytes, message: &M) {
    assert_eq!(decode::<M>(message.kind(), body).as_ref(), Ok(message));
    assert_eq!(encode(message), body);
}
