//! The framing of SASL exchanges. Mechanisms themselves come from elsewhere, behind the traits of this module.
//!
//! ```text
//! server -> u32 length, list of mechanisms with commas before, between and after
//! client -> u32 length, name of one mechanism; data
//! server -> data, u8 complete
//! client -> data                                     repeated until complete is 1 and both sides are satisfied
//! server -> data, u8 complete
//! server -> u32 result
//! ```
//! Data are a `u32` length and bytes with one NUL behind them that the length counts; length 0 means no data, which
//! is not the same as data of no bytes. Outside TLS everything behind the result goes through a [`Layer`].

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::{BufMut, BytesMut};
use nom::Parser;
use nom::bytes::streaming::take;
use nom::number::streaming::{le_u8, le_u32};
use thiserror::Error;

use crate::error::{DecodeError, DecodeErrorKind, LimitExceeded};
use crate::link::LinkError;
use crate::link::message::{Parsed, fail};

/// A client's side of SASL mechanisms, for one connection. The service name is `spice`.
///
/// Whoever makes it knows host, credentials and the transport's security, and keeps to the protocol's rules: outside
/// TLS no anonymous or plain-text mechanism and a security layer of at least 56 bits.
pub trait Mechanism: Send {
    /// Picks one of the `offered` mechanisms and gives its initial response.
    ///
    /// # Errors
    /// [`SaslError::NoMechanism`] when none fits, or what the mechanism has to say.
    fn start(&mut self, offered: &MechanismList<'_>) -> Result<Start, SaslError>;

    /// Takes the server's data and gives the answer. Not called again after a step that is
    /// [`done`](Step::done).
    ///
    /// When the server has finished, the answer is not sent; a mechanism that is not done then has failed.
    ///
    /// # Errors
    /// What the mechanism has to say.
    fn step(&mut self, challenge: Option<&[u8]>) -> Result<Step, SaslError>;

    /// The negotiated security layer; asked for after a successful exchange outside TLS.
    fn into_layer(self: Box<Self>) -> Option<Box<dyn Layer>> {
        None
    }
}

/// A server's side of SASL mechanisms, for one connection.
pub trait ServerMechanism: Send {
    /// Names of the mechanisms on offer, for instance `SCRAM-SHA-256`. Never empty.
    fn offered(&self) -> &[&str];

    /// Begins with the mechanism `name`, one of those offered.
    ///
    /// # Errors
    /// [`SaslError::Rejected`] for wrong credentials, or what the mechanism has to say. The client learns only that
    /// authentication failed.
    fn start(&mut self, name: &str, initial: Option<&[u8]>) -> Result<Step, SaslError>;

    /// Takes the client's next data.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    fn step(&mut self, response: Option<&[u8]>) -> Result<Step, SaslError>;

    /// The negotiated security layer; asked for after a successful exchange outside TLS.
    fn into_layer(self: Box<Self>) -> Option<Box<dyn Layer>> {
        None
    }
}

/// A SASL security layer: it encodes and decodes every byte behind the SASL result.
pub trait Layer: Send {
    /// Appends the encoded form of `plain` to `out`.
    ///
    /// # Errors
    /// [`SaslError::Layer`] when it cannot be encoded.
    fn wrap(&mut self, plain: &[u8], out: &mut BytesMut) -> Result<(), SaslError>;

    /// Takes as many whole packets off the front of `wrapped` as there are, and appends what is in them to `plain`.
    ///
    /// Must refuse a packet longer than [`Limits::sasl_packet_len`](crate::Limits::sasl_packet_len) by its header.
    ///
    /// # Errors
    /// [`SaslError::Layer`] when a packet is not what the peer would have sent.
    fn unwrap(&mut self, wrapped: &mut BytesMut, plain: &mut BytesMut) -> Result<(), SaslError>;
}

/// The first message of a client: the mechanism it picked and its initial response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The mechanism's name, exactly as offered.
    pub name: Vec<u8>,
    /// Data to send along; `None` for mechanisms in which the server speaks first.
    pub initial: Option<Vec<u8>>,
    /// Whether the mechanism needs nothing more from the server.
    pub done: bool,
}

/// The outcome of one step of an exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Data for the peer.
    pub data: Option<Vec<u8>>,
    /// Whether this side is satisfied. On a server: whether the client is who it says it is.
    pub done: bool,
}

/// The mechanisms that a server offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MechanismList<'a>(&'a [u8]);

impl<'a> MechanismList<'a> {
    /// Longest list in bytes, the bound of the C client.
    pub const MAX_LEN: u32 = 300;

    /// A list as it stands on the wire, names separated by commas.
    pub const fn new(list: &'a [u8]) -> Self {
        Self(list)
    }

    /// The names in the server's order.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.0.split(|&byte| byte == b',').filter(|name| !name.is_empty())
    }

    /// Whether the mechanism with exactly this name is offered.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.iter().any(|offered| offered == name)
    }
}

/// Why a SASL exchange failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SaslError {
    /// The peers have no mechanism in common, or none that is strong enough.
    #[error("the server offers no mechanism that this client can use")]
    NoMechanism,
    /// The server said so, or closed the connection in the middle of the exchange as server 0.15.1 does.
    #[error("user name or password is wrong")]
    Rejected,
    /// The server found the exchange finished before the mechanism could verify the server.
    #[error("the server did not prove its identity")]
    ServerUnverified,
    /// The connection has no TLS and the mechanism no security layer, which the protocol then demands.
    #[error("the mechanism cannot protect a connection without TLS")]
    NoLayer,
    /// A packet of the security layer cannot be encoded or decoded.
    #[error("security layer: {0}")]
    Layer(&'static str),
    /// The mechanism gave up, for the reason given.
    #[error("{0}")]
    Mechanism(&'static str),
}

/// Reads the server's list.
pub(super) fn list(input: &[u8]) -> Parsed<'_, Vec<u8>> {
    let (rest, len) = le_u32(input)?;
    if len > MechanismList::MAX_LEN {
        let rule = "a list of SASL mechanisms has at most 300 bytes";
        return Err(fail(bad_value("mechlist_len", len, rule)));
    }
    let (rest, list) = take(len).parse(rest)?;
    Ok((rest, list.to_vec()))
}

/// Writes the list of a server.
pub(super) fn put_list(names: &[&str], out: &mut BytesMut) {
    let len = names.iter().fold(1, |sum, name| sum + name.len() + 1);
    out.put_u32_le(len as u32);
    out.put_u8(b',');
    for name in names {
        out.put_slice(name.as_bytes());
        out.put_u8(b',');
    }
}

/// Reads the name of the mechanism that a client picked.
pub(super) fn name(input: &[u8]) -> Parsed<'_, Vec<u8>> {
    let (rest, len) = le_u32(input)?;
    if !(1..=MAX_NAME_LEN).contains(&len) {
        return Err(fail(bad_value("mechname_len", len, "the name of a SASL mechanism has 1 to 100 bytes")));
    }
    let (rest, name) = take(len).parse(rest)?;
    Ok((rest, name.to_vec()))
}

/// Writes the name of a mechanism.
pub(super) fn put_name(name: &[u8], out: &mut BytesMut) {
    out.put_u32_le(name.len() as u32);
    out.put_slice(name);
}

/// Reads data; `limit` bounds their length on the wire.
pub(super) fn data(input: &[u8], limit: u32) -> Parsed<'_, Option<Vec<u8>>> {
    let (rest, len) = le_u32(input)?;
    if len > limit {
        let (value, bound) = (len.into(), limit.into());
        return Err(fail(LimitExceeded { limit: "sasl_blob_len", value, bound }));
    }
    let (rest, bytes) = take(len).parse(rest)?;
    // The last byte is a NUL that the length counts; its value does not matter.
    Ok((rest, bytes.split_last().map(|(_, bytes)| bytes.to_vec())))
}

/// Reads a server's data and its word on whether the exchange is complete.
pub(super) fn data_complete(input: &[u8], limit: u32) -> Parsed<'_, (Option<Vec<u8>>, bool)> {
    let (rest, data) = data(input, limit)?;
    let (rest, complete) = le_u8(rest)?;
    Ok((rest, (data, complete != 0)))
}

/// Writes data.
///
/// # Errors
/// When they are longer than `limit` allows on the wire.
pub(super) fn put_data(data: Option<&[u8]>, limit: u32, out: &mut BytesMut) -> Result<(), LinkError> {
    let Some(data) = data else {
        out.put_u32_le(0);
        return Ok(());
    };
    match u32::try_from(data.len().saturating_add(1)) {
        Ok(len) if len <= limit => out.put_u32_le(len),
        _ => {
            return Err(
                SaslError::Mechanism("the mechanism's data are longer than the protocol allows").into()
            );
        }
    }
    out.put_slice(data);
    out.put_u8(0);
    Ok(())
}

fn bad_value(field: &'static str, value: u32, rule: &'static str) -> DecodeError {
    let kind = DecodeErrorKind::BadValue { value: value.into(), rule };
    DecodeError { message: "Sasl", field, at: 0, kind }
}

/// Longest name of a mechanism in bytes.
const MAX_NAME_LEN: u32 = 100;
