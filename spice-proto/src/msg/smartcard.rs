//! The smartcard channel: readers that the client lends to the guest.

use crate::msg::Protocol;
use crate::types::ChannelType;
use crate::wire::Blob;

/// The smartcard channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Smartcard;

impl Protocol for Smartcard {
    const CHANNEL: ChannelType = ChannelType::SMARTCARD;
    type Server = ServerMessage;
    type Client = ClientMessage;
}

crate::messages! {
    /// What a server sends on the smartcard channel.
    pub enum ServerMessage {
        /// A message of the card protocol.
        101 => Data(Data),
    }
}

crate::messages! {
    /// What a client sends on the smartcard channel.
    pub enum ClientMessage {
        /// A message of the card protocol.
        101 => Data(Data),
    }
}

crate::codes! {
    /// The kind of a message of the card protocol. Wire: `VSCMsgHeader.type`, u32.
    pub struct VscType: u32 {
        /// Version and capabilities; not used here.
        INIT = 1,
        /// The outcome of the last command.
        ERROR = 2,
        /// The client lends a reader; the payload is its name.
        READER_ADD = 3,
        /// The client takes a reader back.
        READER_REMOVE = 4,
        /// A card is put in; the payload is its answer to reset, at most 40 bytes.
        ATR = 5,
        /// A card is taken out.
        CARD_REMOVE = 6,
        /// A command to the card, or its response.
        APDU = 7,
        /// Reserved.
        FLUSH = 8,
        /// Reserved.
        FLUSH_COMPLETE = 9,
    }
}

crate::codes! {
    /// A reader, named by the server's answer to its addition. Wire: `VSCMsgHeader.reader_id`, u32.
    pub struct ReaderId: u32 {
        /// None yet.
        UNDEFINED = 0xffff_ffff,
    }
}

crate::codes! {
    /// The outcome of a command. Wire: `VSCMsgError.code`, u32.
    pub struct ErrorCode: u32 {
        /// All is well.
        SUCCESS = 0,
        /// Something failed.
        GENERAL_ERROR = 1,
        /// No more readers can be added.
        CANNOT_ADD_MORE_READERS = 2,
        /// There is a card already.
        CARD_ALREADY_INSERTED = 3,
    }
}

crate::wire! {
    /// A message of the card protocol. Its payload may hold a PIN: never log it.
    ///
    /// Wire: both directions 101, `SmartcardChannel.data`.
    pub struct Data {
        /// Its kind.
        pub kind: VscType,
        /// The reader it is about.
        pub reader_id: ReaderId,
        /// Its content. The server trusts its length, so nothing may follow it.
        pub payload: Blob<u32>,
    }
}

impl Data {
    /// The outcome that an [`VscType::ERROR`] message carries, in whichever byte order; `None` for others.
    ///
    /// Servers write it in little-endian, devices behind them in big-endian order.
    pub fn error_code(&self) -> Option<ErrorCode> {
        if self.kind != VscType::ERROR {
            return None;
        }
        let code = u32::from_le_bytes(*self.payload.first_chunk()?);
        Some(ErrorCode(if code >= 0x0100_0000 { code.swap_bytes() } else { code }))
    }
}
