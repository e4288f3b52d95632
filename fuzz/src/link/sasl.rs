//! A SASL mechanism that does what the peer's bytes say, so that every turn of an exchange is in reach.

use bytes::{Buf, BufMut, BytesMut};
use spice_proto::link::SaslError;
use spice_proto::link::sasl::{Layer, Mechanism, MechanismList, ServerMechanism, Start, Step};

/// The client's side.
pub(crate) struct Toy {
    pub(crate) speaks_first: bool,
}

impl Mechanism for Toy {
    fn start(&mut self, offered: &MechanismList<'_>) -> Result<Start, SaslError> {
        let name = offered.iter().next().ok_or(SaslError::NoMechanism)?.to_vec();
        Ok(Start { name, initial: self.speaks_first.then(|| b"do".to_vec()), done: false })
    }

    fn step(&mut self, challenge: Option<&[u8]>) -> Result<Step, SaslError> {
        turn(challenge)
    }

    fn into_layer(self: Box<Self>) -> Option<Box<dyn Layer>> {
        Some(Box::new(Xor))
    }
}

/// What a server sends behind its reply when all goes well: list, data, the word that it is complete,
/// the mechanism's result.
pub(crate) const TOY_SUCCEEDS: &[u8] = b"\x05\0\0\0,TOY,\x03\0\0\0do\0\x01\0\0\0\0";

/// The server's side.
pub(super) struct ToyServer;

impl ServerMechanism for ToyServer {
    fn offered(&self) -> &[&str] {
        &["OTHER", "TOY"]
    }

    fn start(&mut self, _: &str, initial: Option<&[u8]>) -> Result<Step, SaslError> {
        turn(initial)
    }

    fn step(&mut self, response: Option<&[u8]>) -> Result<Step, SaslError> {
        turn(response)
    }

    fn into_layer(self: Box<Self>) -> Option<Box<dyn Layer>> {
        Some(Box::new(Xor))
    }
}

/// Ends at `d`, fails at `e`, goes on with the peer's own data otherwise.
fn turn(data: Option<&[u8]>) -> Result<Step, SaslError> {
    match data.and_then(|data| data.first()) {
        Some(b'd') => Ok(Step { data: data.map(<[u8]>::to_vec), done: true }),
        Some(b'e') => Err(SaslError::Rejected),
        _ => Ok(Step { data: data.map(<[u8]>::to_vec), done: false }),
    }
}

/// Packets of one length byte and the plain bytes, inverted. Takes anything.
struct Xor;

impl Layer for Xor {
    fn wrap(&mut self, plain: &[u8], out: &mut BytesMut) -> Result<(), SaslError> {
        for packet in plain.chunks(255) {
            out.put_u8(packet.len() as u8);
            out.extend(packet.iter().map(|byte| !byte));
        }
        Ok(())
    }

    fn unwrap(&mut self, wrapped: &mut BytesMut, plain: &mut BytesMut) -> Result<(), SaslError> {
        while let Some(&len) = wrapped.first() {
            let end = 1 + usize::from(len);
            let Some(packet) = wrapped.get(1..end) else { break };
            plain.extend(packet.iter().map(|byte| !byte));
            wrapped.advance(end);
        }
        Ok(())
    }
}
