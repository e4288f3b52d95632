//! Messages that travel inside another message's body.

use bytes::Bytes;

use crate::error::{DecodeError, DecodeErrorKind};

/// One message inside another; pointers in its body count from its own body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubMessage {
    /// The message number.
    pub kind: u16,
    /// The body, cut at the end of the carrier where the declared size goes beyond it.
    pub body: Bytes,
}

/// The list of sub-messages in a carrier's body, in order of execution.
///
/// Layout at the list's position: `u16 count`, then `count` offsets of `u32` from the start of the carrier's
/// body; at each offset `u16 type, u32 size`, then the body. Server 0.15.1 writes sizes that reach beyond the
/// carrier, so a sub-message is cut at the carrier's end and read by its content.
#[derive(Clone, Debug)]
pub struct SubMessages {
    carrier: Bytes,
    list: usize,
    count: u16,
    next: u16,
}

impl SubMessages {
    /// The list at `at` bytes from the start of `carrier`, of at most `bound` entries.
    ///
    /// # Errors
    /// [`DecodeError`] when the list itself is cut short or longer than `bound`.
    pub fn new(carrier: Bytes, at: u32, bound: u16) -> Result<Self, DecodeError> {
        let start = usize::try_from(at).unwrap_or(usize::MAX);
        let Some(count) = le_u16(&carrier, start) else {
            return Err(error(start, DecodeErrorKind::Truncated { needed: 2, available: 0 }));
        };
        if count > bound {
            return Err(error(
                start,
                DecodeErrorKind::BadValue {
                    value: count.into(),
                    rule: "a message carries at most Limits::sub_messages sub-messages",
                },
            ));
        }
        let (list, needed) = (start + 2, usize::from(count) * 4);
        let available = carrier.len() - list;
        if available < needed {
            return Err(error(list, DecodeErrorKind::Truncated { needed, available }));
        }
        Ok(Self { carrier, list, count, next: 0 })
    }

    /// The next sub-message, or `None` behind the last.
    ///
    /// # Errors
    /// [`DecodeError`] when an entry's offset or header lies outside the carrier.
    pub fn next_sub(&mut self) -> Result<Option<SubMessage>, DecodeError> {
        if self.next == self.count {
            return Ok(None);
        }
        let entry = self.list + usize::from(self.next) * 4;
        self.next += 1;
        let offset = le_u32(&self.carrier, entry).unwrap_or(u32::MAX);
        let at = usize::try_from(offset).unwrap_or(usize::MAX);
        let outside = DecodeErrorKind::PointerOutside { offset, len: self.carrier.len() };
        let kind = le_u16(&self.carrier, at).ok_or(error(entry, outside))?;
        let size = le_u32(&self.carrier, at + 2).ok_or(error(entry, outside))?;
        let start = at + 6;
        let end = start.saturating_add(usize::try_from(size).unwrap_or(usize::MAX)).min(self.carrier.len());
        Ok(Some(SubMessage { kind, body: self.carrier.slice(start..end) }))
    }
}

fn le_u16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|b| u16::from_le_bytes(*b))
}

fn le_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_le_bytes(*b))
}

fn error(at: usize, kind: DecodeErrorKind) -> DecodeError {
    DecodeError { message: "List", field: "sub_messages", at, kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The LIST of the protocol text's appendix: WAIT_FOR_CHANNELS, then INVAL_LIST.
    const LIST: [u8; 44] = [
        2, 0, 10, 0, 0, 0, 27, 0, 0, 0, 5, 0, 11, 0, 0, 0, 1, 2, 1, 0xf4, 1, 0, 0, 0, 0, 0, 0, 105, 0, 11, 0,
        0, 0, 1, 0, 1, 7, 0, 0, 0, 1, 0, 0, 0,
    ];

    #[test]
    fn entries_come_in_order_and_are_cut_at_the_carriers_end() {
        let mut carrier = LIST.to_vec();
        // The sizes that server 0.15.1 writes.
        carrier[12] = 24;
        carrier[29] = 24;
        let mut subs = SubMessages::new(carrier.into(), 0, 16).unwrap();
        let wait = subs.next_sub().unwrap().unwrap();
        assert_eq!((wait.kind, wait.body.len()), (5, 24));
        let inval = subs.next_sub().unwrap().unwrap();
        assert_eq!((inval.kind, inval.body.len()), (105, 11));
        assert_eq!(subs.next_sub(), Ok(None));
    }

    #[test]
    fn no_cut_or_offset_leaves_the_carrier() {
        for cut in 0..LIST.len() {
            for at in 0..u32::try_from(cut).unwrap() + 3 {
                let Ok(mut subs) = SubMessages::new(Bytes::copy_from_slice(&LIST[..cut]), at, 16) else {
                    continue;
                };
                while let Ok(Some(_)) = subs.next_sub() {}
            }
        }
    }

    #[test]
    fn limit_sub_messages() {
        let error = SubMessages::new(Bytes::copy_from_slice(&LIST), 0, 1).unwrap_err();
        assert!(matches!(error.kind, DecodeErrorKind::BadValue { value: 2, .. }));
    }
}
