//! The headers of a recording as they stand in the file.

use spice_proto::types::{ChannelId, ChannelType};

/// Most bytes of one record. 1 MiB: readers reserve no more than that at once.
pub const MAX_PAYLOAD: usize = 1 << 20;

/// Bytes of the file's header.
pub(super) const FILE_HEADER: usize = 16;
/// Bytes in front of a record's payload.
pub(super) const RECORD_HEADER: usize = 20;

const MAGIC: [u8; 8] = *b"SPICEREC";
const VERSION: u16 = 1;
/// Flag: recorded with secrets.
const SECRETS: u16 = 1;

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Opened = 1,
    Received = 2,
    Sent = 3,
    Closed = 4,
}

/// Why a file's header is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderFault {
    Magic,
    Version(u16),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordHeader {
    pub(super) kind: Kind,
    pub(super) channel: ChannelId,
    pub(super) transport: u32,
    pub(super) micros: u64,
    pub(super) len: usize,
}

pub(super) fn file_header(secrets: bool) -> [u8; FILE_HEADER] {
    let mut out = [0; FILE_HEADER];
    let flags = if secrets { SECRETS } else { 0 };
    out[..8].copy_from_slice(&MAGIC);
    out[8..10].copy_from_slice(&VERSION.to_le_bytes());
    out[10..12].copy_from_slice(&flags.to_le_bytes());
    out
}

/// Whether the file was recorded with secrets.
pub(super) fn parse_file_header(bytes: &[u8; FILE_HEADER]) -> Result<bool, HeaderFault> {
    let [m0, m1, m2, m3, m4, m5, m6, m7, v0, v1, f0, f1, ..] = *bytes;
    if [m0, m1, m2, m3, m4, m5, m6, m7] != MAGIC {
        return Err(HeaderFault::Magic);
    }
    match u16::from_le_bytes([v0, v1]) {
        VERSION => Ok(u16::from_le_bytes([f0, f1]) & SECRETS != 0),
        other => Err(HeaderFault::Version(other)),
    }
}

impl RecordHeader {
    pub(super) fn encode(&self) -> [u8; RECORD_HEADER] {
        let mut out = [0; RECORD_HEADER];
        out[0] = self.kind as u8;
        out[1] = self.channel.kind.0;
        out[2] = self.channel.id;
        out[4..8].copy_from_slice(&self.transport.to_le_bytes());
        out[8..16].copy_from_slice(&self.micros.to_le_bytes());
        // INVARIANT: at most MAX_PAYLOAD.
        out[16..20].copy_from_slice(&(self.len as u32).to_le_bytes());
        out
    }

    /// The inner error is the number of a kind that does not exist.
    pub(super) fn parse(bytes: &[u8; RECORD_HEADER]) -> Result<Self, u8> {
        let [kind, channel, id, _, t0, t1, t2, t3, a, b, c, d, e, f, g, h, l0, l1, l2, l3] = *bytes;
        let kind = match kind {
            1 => Kind::Opened,
            2 => Kind::Received,
            3 => Kind::Sent,
            4 => Kind::Closed,
            other => return Err(other),
        };
        Ok(Self {
            kind,
            channel: ChannelId::new(ChannelType(channel), id),
            transport: u32::from_le_bytes([t0, t1, t2, t3]),
            micros: u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            len: usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX),
        })
    }
}
