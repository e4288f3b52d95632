//! The three file-transfer messages.

use alloc::string::String;

use bytes::Bytes;
use spice_proto::wire::Rest;
use spice_proto::{codes, wire};

use super::metadata::{Metadata, MetadataError};

wire! {
    /// A file is to come. Wire: agent message 10, client → agent.
    pub struct FileXferStart {
        /// The transfer, a number that the client has not used before.
        pub id: u32,
        /// Name and size as a key file with a NUL at the end, see [`Metadata`].
        pub metadata: Rest,
    }
}

impl FileXferStart {
    /// The announcement of a file.
    pub fn new(id: u32, metadata: &Metadata) -> Self {
        Self { id, metadata: Rest(String::into_bytes(metadata.to_key_file()).into()) }
    }

    /// Name and size of the file.
    ///
    /// # Errors
    /// [`MetadataError`] says what is wrong with the text.
    pub fn parse(&self) -> Result<Metadata, MetadataError> {
        Metadata::from_key_file(&self.metadata)
    }
}

codes! {
    /// How a transfer fares. Wire: `result`, u32.
    pub struct FileXferResult: u32 {
        /// The agent waits for the content.
        CAN_SEND_DATA = 0,
        /// Somebody has called it off.
        CANCELLED = 1,
        /// Something went wrong; [`StatusDetail::Io`] may say what.
        ERROR = 2,
        /// The agent has everything.
        SUCCESS = 3,
        /// The guest's disk has no room; [`StatusDetail::FreeSpace`] may say how much it has.
        NOT_ENOUGH_SPACE = 4,
        /// The guest's session is locked.
        SESSION_LOCKED = 5,
        /// No agent runs in the guest's session.
        VDAGENT_NOT_CONNECTED = 6,
        /// The guest does not take files.
        DISABLED = 7,
    }
}

wire! {
    /// How a transfer fares; every result but `CAN_SEND_DATA` ends it. Wire: agent message 11, both directions.
    ///
    /// What clients send must have no detail: the Linux agent drops it otherwise.
    pub struct FileXferStatus {
        /// The transfer.
        pub id: u32,
        /// How it fares.
        pub result: FileXferResult,
        /// More about it, see [`detail`](Self::detail).
        pub detail: Rest,
    }
}

/// What an agent says about a failure besides its code, if it says anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusDetail {
    /// Nothing, or nothing that is understood.
    #[default]
    None,
    /// Why reading or writing failed.
    Io {
        /// The number of the error in GLib's `GIOErrorEnum`.
        code: u32,
    },
    /// Free space of the guest's disk in bytes.
    FreeSpace(u64),
}

impl StatusDetail {
    fn to_bytes(self) -> Bytes {
        match self {
            Self::None => Bytes::new(),
            Self::Io { code } => [0].into_iter().chain(code.to_le_bytes()).collect(),
            Self::FreeSpace(bytes) => bytes.to_le_bytes().into_iter().collect(),
        }
    }
}

impl FileXferStatus {
    /// A status without detail.
    pub const fn new(id: u32, result: FileXferResult) -> Self {
        Self { id, result, detail: Rest(Bytes::new()) }
    }

    /// A status with detail.
    pub fn with_detail(id: u32, result: FileXferResult, detail: StatusDetail) -> Self {
        Self { id, result, detail: Rest(detail.to_bytes()) }
    }

    /// What is said besides the code; bytes behind it are ignored.
    pub fn detail(&self) -> StatusDetail {
        match (self.result, &self.detail[..]) {
            // Kind 0 means that the number is one of GLib's.
            (FileXferResult::ERROR, [0, a, b, c, d, ..]) => {
                StatusDetail::Io { code: u32::from_le_bytes([*a, *b, *c, *d]) }
            }
            (FileXferResult::NOT_ENOUGH_SPACE, detail) => detail
                .first_chunk()
                .map_or(StatusDetail::None, |n| StatusDetail::FreeSpace(u64::from_le_bytes(*n))),
            _ => StatusDetail::None,
        }
    }
}

wire! {
    /// A piece of a file. An empty one stands for the whole of an empty file. Wire: agent message 12, client → agent.
    pub struct FileXferData {
        /// The transfer.
        pub id: u32,
        /// Length of the piece in bytes; anything else than the length of `data` is an error.
        pub size: u64,
        /// The piece.
        pub data: Rest,
    }
}

impl FileXferData {
    /// A piece of a file.
    pub fn new(id: u32, data: Bytes) -> Self {
        Self { id, size: data.len() as u64, data: Rest(data) }
    }
}
