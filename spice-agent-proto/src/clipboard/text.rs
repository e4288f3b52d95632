//! Text: its end, and the ends of its lines.

use alloc::vec::Vec;

use bytes::Bytes;

/// How lines of text end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LineEnds {
    /// By a line feed.
    #[default]
    Lf,
    /// By a carriage return and a line feed, as on Windows.
    CrLf,
}

/// The text without the NUL that some senders put at its end.
pub fn strip_nul(mut text: Bytes) -> Bytes {
    if text.last() == Some(&0) {
        text.truncate(text.len() - 1);
    }
    text
}

/// The text with all its lines ending as `to` says. Copies only when something changes.
///
/// Ends that are right already are left alone; a carriage return by itself is no end.
///
/// ```
/// use bytes::Bytes;
/// use spice_agent_proto::clipboard::{LineEnds, convert_line_ends};
/// let text = Bytes::from_static(b"one\ntwo\r\nthree");
/// assert_eq!(convert_line_ends(text.clone(), LineEnds::CrLf), "one\r\ntwo\r\nthree");
/// assert_eq!(convert_line_ends(text, LineEnds::Lf), "one\ntwo\nthree");
/// ```
pub fn convert_line_ends(text: Bytes, to: LineEnds) -> Bytes {
    let feeds = || text.iter().zip([None].into_iter().chain(text.iter().map(Some)));
    let crlf = feeds().filter(|pair| matches!(pair, (b'\n', Some(b'\r')))).count();
    let lf = text.iter().filter(|b| **b == b'\n').count() - crlf;
    let mut out = match to {
        LineEnds::Lf if crlf > 0 => Vec::with_capacity(text.len() - crlf),
        LineEnds::CrLf if lf > 0 => Vec::with_capacity(text.len().saturating_add(lf)),
        _ => return text,
    };
    for line in text.split_inclusive(|b| *b == b'\n') {
        let (content, end): (&[u8], &[u8]) = match (line, to) {
            ([content @ .., b'\r', b'\n'] | [content @ .., b'\n'], LineEnds::Lf) => (content, b"\n"),
            ([content @ .., b'\r', b'\n'] | [content @ .., b'\n'], LineEnds::CrLf) => (content, b"\r\n"),
            (content, _) => (content, b""),
        };
        out.extend_from_slice(content);
        out.extend_from_slice(end);
    }
    out.into()
}
