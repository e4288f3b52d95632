//! Putting messages together from chunks.

use bytes::{Bytes, BytesMut};
use nom::number::streaming::{le_u32, le_u64};
use nom::{IResult, Parser};

use super::{MessageHeader, PROTOCOL};
use crate::error::{AgentError, LimitExceeded};
use crate::limits::Limits;
use crate::msg::MessageType;

/// What has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A whole message.
    Message {
        /// What it is.
        kind: MessageType,
        /// Its data; a slice of the chunk when they all stand in one.
        body: Bytes,
    },
    /// A message that is longer than its limit has gone by.
    TooLong {
        /// What it was.
        kind: MessageType,
        /// The limit.
        limit: LimitExceeded,
        /// Its first bytes, at most [`Reassembler::KEPT`].
        head: Bytes,
    },
}

/// Puts messages together from chunks that are split anywhere.
///
/// Holds one message at most, of a length that [`Limits`] bounds; memory grows with the bytes that arrive, never by
/// the length that a header announces. A message above its limit is dropped while it arrives.
#[derive(Debug)]
pub struct Reassembler {
    // INVARIANT: `have` <= LEN; `header` is valid up to there.
    header: [u8; MessageHeader::LEN],
    have: usize,
    body: Option<Body>,
    buffer: BytesMut,
    broken: Option<AgentError>,
}

/// A message whose header has arrived.
#[derive(Debug)]
struct Body {
    kind: MessageType,
    /// Bytes that have not arrived yet.
    left: usize,
    too_long: Option<LimitExceeded>,
}

impl Reassembler {
    /// Bytes that are kept of a message that is too long: enough to tell which request it answers.
    pub const KEPT: usize = 8;

    /// At the start of a stream.
    pub fn new() -> Self {
        Self { header: [0; _], have: 0, body: None, buffer: BytesMut::new(), broken: None }
    }

    /// Takes bytes off the front of `chunk` until a message is there; `None` when the chunk is used up first.
    ///
    /// # Errors
    /// [`AgentError::Broken`] when a header is not one; then for ever, because the next one cannot be found.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use spice_agent_proto::frame::{Incoming, Reassembler};
    /// use spice_agent_proto::{Limits, msg::MessageType};
    /// let bytes = [1, 0, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    /// let (mut front, mut rest) = (Bytes::copy_from_slice(&bytes[..7]), Bytes::copy_from_slice(&bytes[7..]));
    /// let mut reassembler = Reassembler::new();
    /// assert_eq!(reassembler.next(&mut front, &Limits::default()), Ok(None));
    /// let message = Incoming::Message { kind: MessageType::CLIENT_DISCONNECTED, body: Bytes::new() };
    /// assert_eq!(reassembler.next(&mut rest, &Limits::default()), Ok(Some(message)));
    /// ```
    pub fn next(&mut self, chunk: &mut Bytes, limits: &Limits) -> Result<Option<Incoming>, AgentError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let mut body = match self.body.take() {
            Some(body) => body,
            None => match self.next_header(chunk) {
                Some(header) => self.start(header, limits)?,
                None => return Ok(None),
            },
        };
        if self.buffer.is_empty() && body.too_long.is_none() && body.left <= chunk.len() {
            return Ok(Some(Incoming::Message { kind: body.kind, body: chunk.split_to(body.left) }));
        }
        let part = chunk.split_to(body.left.min(chunk.len()));
        body.left -= part.len();
        let room = match body.too_long {
            Some(_) => Self::KEPT.saturating_sub(self.buffer.len()),
            None => part.len(),
        };
        self.keep(part.get(..room).unwrap_or(&part), body.left);
        if body.left > 0 {
            self.body = Some(body);
            return Ok(None);
        }
        let kept = self.take_buffer();
        Ok(Some(match body.too_long {
            Some(limit) => Incoming::TooLong { kind: body.kind, limit, head: kept },
            None => Incoming::Message { kind: body.kind, body: kept },
        }))
    }

    /// Bytes held of the message that is arriving.
    pub fn held(&self) -> usize {
        self.have + self.buffer.len()
    }

    /// Takes a header off the front of `chunk`, of which earlier chunks may have brought a part.
    fn next_header(&mut self, chunk: &mut Bytes) -> Option<MessageHeader> {
        if self.have == 0
            && let Ok((rest, header)) = message_header(chunk)
        {
            *chunk = chunk.slice(chunk.len() - rest.len()..);
            return Some(header);
        }
        let free = self.header.get_mut(self.have..)?;
        let part = chunk.split_to(free.len().min(chunk.len()));
        free.iter_mut().zip(&part).for_each(|(to, from)| *to = *from);
        self.have += part.len();
        if self.have < MessageHeader::LEN {
            return None;
        }
        self.have = 0;
        message_header(&self.header).ok().map(|(_, header)| header)
    }

    fn start(&mut self, header: MessageHeader, limits: &Limits) -> Result<Body, AgentError> {
        if header.protocol != PROTOCOL {
            let error = AgentError::Broken { rule: "every message starts with protocol 1" };
            self.broken = Some(error);
            return Err(error);
        }
        let too_long = limits.check_message(header.kind, header.size).err();
        Ok(Body { kind: header.kind, left: usize::try_from(header.size).unwrap_or(usize::MAX), too_long })
    }

    fn keep(&mut self, part: &[u8], left: usize) {
        if self.buffer.is_empty() && !part.is_empty() {
            // Room for the common lengths at once; beyond that the buffer grows with what arrives.
            self.buffer.reserve((part.len().saturating_add(left)).min(REUSED));
        }
        self.buffer.extend_from_slice(part);
    }

    /// What was kept. The buffer is used again when the message has been dropped, unless it is a large one.
    fn take_buffer(&mut self) -> Bytes {
        if self.buffer.len() > REUSED {
            return core::mem::take(&mut self.buffer).freeze();
        }
        self.buffer.split().freeze()
    }
}

impl Default for Reassembler {
    fn default() -> Self {
        Self::new()
    }
}

/// Longest message in bytes for which the buffer is kept: a piece of a file of 64 KiB with what stands before it.
const REUSED: usize = (64 << 10) + 64;

fn message_header(input: &[u8]) -> IResult<&[u8], MessageHeader> {
    (le_u32, le_u32, le_u64, le_u32)
        .map(|(protocol, kind, opaque, size)| MessageHeader {
            protocol,
            kind: MessageType(kind),
            opaque,
            size,
        })
        .parse(input)
}
