//! The link stage: how a connection becomes a channel.
//!
//! ```text
//! client                                          server
//!   LinkHeader, LinkMess                       ->
//!                                              <-   LinkHeader, LinkReply
//!   AuthMechanism (if both select)             ->
//!   ticket, or SASL exchange                   <->
//!                                              <-   link result, 0 is success
//!   data messages                              <->  data messages
//! ```
//!
//! [`LinkClient`] and [`LinkServer`] are the two ends. They take bytes from the front of a buffer that the caller
//! owns, never one byte more than belongs to the link, and queue bytes to send. What comes out at the end is a
//! [`LinkOutcome`]. Both are `Send`, never read a clock, and take all randomness from an [`Entropy`].
//!
//! ```
//! use bytes::BytesMut;
//! use spice_proto::caps::{Caps, CommonCaps, MainCaps};
//! use spice_proto::link::{Auth, Entropy, LinkClient, LinkError, LinkRequest, Password};
//! use spice_proto::types::ChannelId;
//! use spice_proto::{Instant, Limits};
//!
//! let request = LinkRequest {
//!     channel: ChannelId::MAIN,
//!     connection_id: 0,
//!     common_caps: CommonCaps::MINI_HEADER,
//!     channel_caps: Caps::from(MainCaps::NAME_AND_UUID),
//!     auth: Auth::Ticket { password: Password::new(b"sesame")?, entropy: Entropy::new([7; 32]) },
//!     tls: false,
//! };
//! let mut link = LinkClient::new(request, &Limits::default(), Instant::ZERO);
//! assert_eq!(link.poll_transmit().map(|hello| hello.len()), Some(42));
//!
//! // An HTTP server was listening there.
//! let mut input = BytesMut::from(&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..]);
//! let error = link.handle_input(Instant::ZERO, &mut input);
//! assert_eq!(error, Err(LinkError::NotSpice(*b"HTTP")));
//! # Ok::<(), LinkError>(())
//! ```

mod client;
mod error;
mod machine;
mod message;
pub mod sasl;
mod server;
mod ticket;

use alloc::boxed::Box;
use core::fmt;

use bytes::BytesMut;

use crate::caps::{Caps, CommonCaps};

pub use client::{Auth, LinkClient, LinkRequest};
pub use error::{LinkError, LinkStage};
pub use message::{LinkHeader, LinkMess, LinkReply, MAGIC, VERSION_MAJOR, VERSION_MINOR};
pub use sasl::SaslError;
pub use server::{LinkOffer, LinkQuestion, LinkServer, ServerAuth, TicketCheck, TicketRule};
pub use ticket::{Entropy, PUB_KEY_LEN, Password, PasswordError, PubKey, TICKET_LEN, Ticket, TicketKey};

crate::codes! {
    /// How the client proves who it is. Wire: the word behind the link reply; the number of the capability.
    pub struct AuthMechanism: u32 {
        /// An encrypted password.
        SPICE = 1,
        /// A SASL exchange.
        SASL = 2,
    }
}

/// The form of the headers in front of data messages, settled for a whole connection by its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeaderKind {
    /// 6 bytes: type and size. Used when both sides announce [`CommonCaps::MINI_HEADER`].
    Mini,
    /// 18 bytes: serial, type, size and sub-message list.
    Full,
}

impl HeaderKind {
    /// The kind that two sides with these capabilities use.
    pub fn agreed(ours: CommonCaps, theirs: CommonCaps) -> Self {
        if (ours & theirs).contains(CommonCaps::MINI_HEADER) { Self::Mini } else { Self::Full }
    }
}

/// What a successful link leaves behind for the data stage.
pub struct LinkOutcome {
    /// The form of data headers in both directions.
    pub header: HeaderKind,
    /// What the peer announced for all channels.
    pub common_caps: Caps,
    /// What the peer announced for this channel.
    pub channel_caps: Caps,
    /// The SASL security layer, through which every byte of the data stage goes in both directions.
    ///
    /// `None` with tickets and inside TLS.
    pub layer: Option<Box<dyn sasl::Layer>>,
    /// With a security layer: bytes of the data stage that it decoded along with the link result. Otherwise empty.
    pub plain: BytesMut,
}

impl fmt::Debug for LinkOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkOutcome")
            .field("header", &self.header)
            .field("common_caps", &self.common_caps)
            .field("channel_caps", &self.channel_caps)
            .field("layer", &self.layer.is_some())
            .field("plain", &self.plain.len())
            .finish()
    }
}
