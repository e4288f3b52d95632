//! The structures of the link stage, read from pieces of a stream.

use alloc::vec::Vec;

use bytes::{Buf, BytesMut};
use nom::bytes::streaming::take;
use nom::error::{ErrorKind, ParseError};
use nom::number::streaming::le_u32;
use nom::{Err, IResult, Parser};
use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::caps::Caps;
use crate::error::{DecodeError, DecodeErrorKind, LimitExceeded};
use crate::link::{LinkError, PUB_KEY_LEN, PubKey};
use crate::types::{ChannelId, LinkCode};
use crate::wire::{self, Pod};

/// The first four bytes of either side.
pub const MAGIC: [u8; 4] = *b"REDQ";
/// The major version of the protocol; the only one that either side compares.
pub const VERSION_MAJOR: u32 = 2;
/// The minor version of the protocol, for information.
pub const VERSION_MINOR: u32 = 2;

crate::pod! {
    /// What precedes the link message and the link reply. Wire: `RedLinkHeader`, 16 bytes.
    pub struct LinkHeader {
        /// [`MAGIC`].
        pub magic: [u8; 4],
        /// [`VERSION_MAJOR`].
        pub major_version: u32,
        /// [`VERSION_MINOR`].
        pub minor_version: u32,
        /// Number of bytes that follow.
        pub size: u32,
    }
}

impl LinkHeader {
    /// The header of this version in front of `size` bytes.
    pub const fn new(size: u32) -> Self {
        Self { magic: MAGIC, major_version: VERSION_MAJOR, minor_version: VERSION_MINOR, size }
    }
}

/// What a client wants to link to. Wire: client → server, `RedLinkMess`, 18 bytes and capability words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkMess {
    /// 0 for a new session on the main channel, otherwise the session id of the main channel's `init`.
    pub connection_id: u32,
    /// The channel.
    pub channel: ChannelId,
    /// What the client announces for all channels.
    pub common_caps: Caps,
    /// What the client announces for this channel.
    pub channel_caps: Caps,
}

impl LinkMess {
    /// Appends header and message to `out`.
    pub fn encode(&self, out: &mut BytesMut) {
        let (common, channel) = (self.common_caps.words(), self.channel_caps.words());
        let raw = RawMess {
            connection_id: self.connection_id.into(),
            channel: self.channel.to_raw(),
            num_common_caps: count(common),
            num_channel_caps: count(channel),
            caps_offset: U32::new(size_of::<RawMess>() as u32),
        };
        encode(raw.as_bytes(), common, channel, out);
    }
}

/// A server's answer to a link message. Wire: server → client, `RedLinkReply`, 178 bytes and capability words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkReply {
    /// [`LinkCode::OK`], or why the server closes the connection now.
    pub error: LinkCode,
    /// The key that the ticket is encrypted with, all zero when there is none.
    pub pub_key: PubKey,
    /// What the server announces for all channels.
    pub common_caps: Caps,
    /// What the server announces for this channel.
    pub channel_caps: Caps,
}

impl LinkReply {
    /// Appends header and reply to `out`.
    pub fn encode(&self, out: &mut BytesMut) {
        let (common, channel) = (self.common_caps.words(), self.channel_caps.words());
        let raw = RawReply {
            error: self.error.to_raw(),
            pub_key: self.pub_key,
            num_common_caps: count(common),
            num_channel_caps: count(channel),
            caps_offset: U32::new(size_of::<RawReply>() as u32),
        };
        encode(raw.as_bytes(), common, channel, out);
    }

    /// Appends header and reply that refuse with `error`: everything but the code is zero, as server 0.15.1 does.
    pub fn encode_error(error: LinkCode, out: &mut BytesMut) {
        let zero = RawReply {
            error: error.to_raw(),
            pub_key: [0; PUB_KEY_LEN],
            num_common_caps: U32::ZERO,
            num_channel_caps: U32::ZERO,
            caps_offset: U32::ZERO,
        };
        encode(zero.as_bytes(), &[], &[], out);
    }
}

/// The fixed part of the link message as it stands on the wire.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct RawMess {
    connection_id: U32,
    channel: <ChannelId as Pod>::Raw,
    num_common_caps: U32,
    num_channel_caps: U32,
    caps_offset: U32,
}

/// The fixed part of the link reply as it stands on the wire.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct RawReply {
    error: U32,
    pub_key: PubKey,
    num_common_caps: U32,
    num_channel_caps: U32,
    caps_offset: U32,
}

/// The result of a parser of this stage: a value and the rest, "more is needed", or a fault.
pub(super) type Parsed<'a, T> = IResult<&'a [u8], T, Fault>;

/// A link error in the shape that nom wants.
#[derive(Debug, PartialEq)]
pub(super) struct Fault(LinkError);

impl ParseError<&[u8]> for Fault {
    /// The streaming parsers used here ask for more or succeed; they have no errors of their own.
    fn from_error_kind(_: &[u8], _: ErrorKind) -> Self {
        let kind = DecodeErrorKind::BadValue { value: 0, rule: "the link stage has a fixed grammar" };
        Self(DecodeError { message: "link", field: "", at: 0, kind }.into())
    }

    fn append(_: &[u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// A parser's failure because of `error`.
pub(super) fn fail(error: impl Into<LinkError>) -> Err<Fault> {
    Err::Failure(Fault(error.into()))
}

/// Takes one value off the front of `input`, or nothing at all while it is incomplete.
pub(super) fn pull<T>(
    input: &mut BytesMut,
    parser: impl FnOnce(&[u8]) -> Parsed<'_, T>,
) -> Result<Option<T>, LinkError> {
    match parser(input) {
        Ok((rest, value)) => {
            let used = input.len() - rest.len();
            input.advance(used);
            Ok(Some(value))
        }
        Err(Err::Incomplete(_)) => Ok(None),
        Err(Err::Error(Fault(error)) | Err::Failure(Fault(error))) => Err(error),
    }
}

/// Reads one number.
pub(super) fn word(input: &[u8]) -> Parsed<'_, u32> {
    le_u32(input)
}

/// Reads the link header; a wrong magic or version shows as soon as its bytes are there.
pub(super) fn header(input: &[u8]) -> Parsed<'_, LinkHeader> {
    let (rest, magic) = take(4usize).parse(input)?;
    let magic = <[u8; 4]>::read_from_bytes(magic).unwrap_or_default();
    if magic != MAGIC {
        return Err(fail(LinkError::NotSpice(magic)));
    }
    let (rest, (major_version, minor_version)) = (le_u32, le_u32).parse(rest)?;
    if major_version != VERSION_MAJOR {
        return Err(fail(LinkError::VersionMismatch { major: major_version, minor: minor_version }));
    }
    let (rest, size) = le_u32(rest)?;
    Ok((rest, LinkHeader { magic, major_version, minor_version, size }))
}

/// Reads header and link message; `limit` bounds the message's length.
pub(super) fn link_mess(input: &[u8], limit: u32) -> Parsed<'_, LinkMess> {
    let (rest, (raw, body)) = message::<RawMess>("LinkMess", input, limit)?;
    let counts = (raw.num_common_caps.get(), raw.num_channel_caps.get());
    let (common_caps, channel_caps) =
        caps::<RawMess>("LinkMess", body, counts, raw.caps_offset.get()).map_err(fail)?;
    let channel = ChannelId::from_raw(&raw.channel);
    Ok((rest, LinkMess { connection_id: raw.connection_id.get(), channel, common_caps, channel_caps }))
}

/// Reads header and link reply; `limit` bounds the reply's length. With an error code, only the code is looked at.
pub(super) fn link_reply(input: &[u8], limit: u32) -> Parsed<'_, LinkReply> {
    let (rest, (raw, body)) = message::<RawReply>("LinkReply", input, limit)?;
    let error = LinkCode(raw.error.get());
    let (common_caps, channel_caps) = if error == LinkCode::OK {
        let counts = (raw.num_common_caps.get(), raw.num_channel_caps.get());
        caps::<RawReply>("LinkReply", body, counts, raw.caps_offset.get()).map_err(fail)?
    } else {
        Default::default()
    };
    Ok((rest, LinkReply { error, pub_key: raw.pub_key, common_caps, channel_caps }))
}

/// Reads a header and the bytes it announces, whose fixed part is a `T`.
fn message<'a, T>(name: &'static str, input: &'a [u8], limit: u32) -> Parsed<'a, (&'a T, &'a [u8])>
where
    T: FromBytes + Immutable + KnownLayout + Unaligned,
{
    let (rest, header) = header(input)?;
    if header.size > limit {
        let (value, bound) = (header.size.into(), limit.into());
        return Err(fail(LimitExceeded { limit: "link_len", value, bound }));
    }
    let size = usize::try_from(header.size).unwrap_or(usize::MAX);
    if size < size_of::<T>() {
        let kind = DecodeErrorKind::Truncated { needed: size_of::<T>(), available: size };
        return Err(fail(DecodeError { message: name, field: "size", at: 0, kind }));
    }
    let (rest, body) = take(size).parse(rest)?;
    match T::ref_from_prefix(body) {
        Ok((fixed, _)) => Ok((rest, (fixed, body))),
        Err(_) => {
            let kind = DecodeErrorKind::Truncated { needed: size_of::<T>(), available: size };
            Err(fail(DecodeError { message: name, field: "size", at: 0, kind }))
        }
    }
}

/// The two runs of capability words at `offset` of `body`, behind the fixed part `T`.
fn caps<T>(
    message: &'static str,
    body: &[u8],
    (common, channel): (u32, u32),
    offset: u32,
) -> Result<(Caps, Caps), DecodeError> {
    let error = |field, kind| DecodeError { message, field, at: size_of::<T>() - 12, kind };
    let bounded = |field, count: u32| match usize::try_from(count) {
        Ok(count) if count <= Caps::MAX_WORDS => Ok(count),
        _ => {
            let rule = "a link announces at most 1024 capability words of one sort";
            Err(error(field, DecodeErrorKind::BadValue { value: count.into(), rule }))
        }
    };
    let (common, channel) = (bounded("num_common_caps", common)?, bounded("num_channel_caps", channel)?);
    if common + channel == 0 {
        // Any offset goes with no words: error replies have 0 there.
        return Ok(Default::default());
    }
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    if start < size_of::<T>() {
        let rule = "capability words stand behind the fixed part";
        return Err(error("caps_offset", DecodeErrorKind::BadValue { value: offset.into(), rule }));
    }
    let (needed, present) = (4 * (common + channel), body.get(start..).unwrap_or_default());
    let Some(words) = present.get(..needed) else {
        let kind = DecodeErrorKind::Truncated { needed, available: present.len() };
        return Err(error("caps_offset", kind));
    };
    let words: Vec<u32> = words.as_chunks().0.iter().map(|&word| u32::from_le_bytes(word)).collect();
    let (common, channel) = words.split_at(common);
    Ok((Caps::from_words(common.iter().copied()), Caps::from_words(channel.iter().copied())))
}

fn encode(fixed: &[u8], common: &[u32], channel: &[u32], out: &mut BytesMut) {
    // Caps are bounded, so this fits by far.
    let size = fixed.len() + 4 * (common.len() + channel.len());
    wire::encode(&LinkHeader::new(size as u32), out);
    out.extend_from_slice(fixed);
    for word in common.iter().chain(channel) {
        out.extend_from_slice(&word.to_le_bytes());
    }
}

fn count(words: &[u32]) -> U32 {
    U32::new(words.len() as u32)
}
