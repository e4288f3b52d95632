//! Cutting frames off the front of what has been received.

use bytes::{Bytes, BytesMut};
use nom::number::streaming::{le_u16, le_u32, le_u64};
use nom::{IResult, Parser};

use crate::error::LimitExceeded;
use crate::link::HeaderKind;

/// One data message as it arrived: header fields and the body as a slice of the received block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The message number.
    pub kind: u16,
    /// The serial that stood in a full header; `None` with mini headers.
    pub serial: Option<u64>,
    /// Offset of a sub-message list in the body; 0 for none. Always 0 with mini headers.
    pub sub_list: u32,
    /// The body.
    pub body: Bytes,
}

/// Cuts frames off a receive buffer; keeps no state but the kind of header.
#[derive(Clone, Debug)]
pub struct Splitter {
    header: HeaderKind,
    limit: &'static str,
    max_len: u32,
}

impl Splitter {
    /// Cuts frames with the given header and bodies of at most `max_len` bytes; `limit` names the bound in errors.
    pub const fn new(header: HeaderKind, limit: &'static str, max_len: u32) -> Self {
        Self { header, limit, max_len }
    }

    /// Cuts the first frame off the front of `input`, or gives `None` while it is not all there.
    ///
    /// # Errors
    /// [`LimitExceeded`] as soon as the header announces a body above the limit.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use spice_proto::{frame::Splitter, link::HeaderKind};
    /// let splitter = Splitter::new(HeaderKind::Mini, "message_len", 16);
    /// let mut input = BytesMut::from(&[102, 0, 0, 0, 0, 0, 9][..]);
    /// assert_eq!(splitter.split(&mut input).unwrap().unwrap().kind, 102);
    /// assert_eq!(splitter.split(&mut input), Ok(None));
    /// assert_eq!(input[..], [9]);
    /// ```
    pub fn split(&self, input: &mut BytesMut) -> Result<Option<Frame>, LimitExceeded> {
        let parsed = match self.header {
            HeaderKind::Mini => mini(input),
            HeaderKind::Full => full(input),
        };
        let Ok((rest, (serial, kind, size, sub_list))) = parsed else {
            // Only "more input is needed" is possible: every header of full length is well-formed.
            return Ok(None);
        };
        if size > self.max_len {
            let (value, bound) = (u64::from(size), u64::from(self.max_len));
            return Err(LimitExceeded { limit: self.limit, value, bound });
        }
        let header_len = input.len() - rest.len();
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if rest.len() < size {
            return Ok(None);
        }
        let mut body = input.split_to(header_len + size).freeze();
        bytes::Buf::advance(&mut body, header_len);
        Ok(Some(Frame { kind, serial, sub_list, body }))
    }
}

type Header = (Option<u64>, u16, u32, u32);

fn mini(input: &[u8]) -> IResult<&[u8], Header> {
    (le_u16, le_u32).map(|(kind, size)| (None, kind, size, 0)).parse(input)
}

fn full(input: &[u8]) -> IResult<&[u8], Header> {
    (le_u64, le_u16, le_u32, le_u32)
        .map(|(serial, kind, size, sub_list)| (Some(serial), kind, size, sub_list))
        .parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_whole_whatever_the_split() {
        let bytes = [4, 0, 0, 0, 0, 0, 0, 0, 105, 0, 4, 0, 0, 0, 0, 0, 0, 0, 3, 0, 2, 0];
        let splitter = Splitter::new(HeaderKind::Full, "message_len", 4);
        for cut in 0..bytes.len() {
            let mut input = BytesMut::from(&bytes[..cut]);
            assert_eq!(splitter.split(&mut input), Ok(None), "cut at {cut}");
            input.extend_from_slice(&bytes[cut..]);
            let frame = splitter.split(&mut input).unwrap().unwrap();
            assert_eq!((frame.kind, frame.serial, frame.sub_list), (105, Some(4), 0));
            assert_eq!(frame.body[..], [3, 0, 2, 0]);
        }
    }

    #[test]
    fn limit_message_len_is_checked_before_the_body_arrives() {
        let splitter = Splitter::new(HeaderKind::Mini, "message_len", 4);
        let mut input = BytesMut::from(&[1, 0, 5, 0, 0, 0][..]);
        let error = splitter.split(&mut input).unwrap_err();
        assert_eq!(error, LimitExceeded { limit: "message_len", value: 5, bound: 4 });
    }
}
