//! Messages and sans-IO state machines of the SPICE remote desktop protocol.
//!
//! Everything a client or server needs to speak SPICE, without sockets, clocks, threads or pixels. `no_std` with
//! `alloc`. Bytes, time and randomness are inputs; the same inputs give the same outputs on every target.
//!
//! | to do this | use |
//! |---|---|
//! | read or write one message | [`msg`]: the tables, [`mod@wire`]: the rules |
//! | run one connection's handshake | [`link::LinkClient`], [`link::LinkServer`] |
//! | run one channel of a client | [`channel::Channel`] |
//! | run one channel of a server | [`channel::Peer`] |
//! | run a whole client | [`session::Session`] |
//!
//! # The run loop
//!
//! Every machine works alike. `handle_*` methods take what happened: bytes, time. `poll_*` methods give what is to
//! be done: bytes to write, events, the next deadline. Nothing blocks, and calls only append to queues, so a driver
//! may drain them late or often.
//!
//! ```
//! use spice_proto::session::{Address, Output, Session, SessionConfig};
//! use spice_proto::{Instant, Limits};
//!
//! let mut config = SessionConfig::new(Address::tcp("127.0.0.1", 5930)).password("sesame")?;
//! config.limits.message_len = 64 << 20;
//! let mut session = Session::new(config);
//!
//! // The session asks for its first transport.
//! let Some(Output::Connect { transport, endpoint, .. }) = session.poll_output() else { unreachable!() };
//! assert_eq!(endpoint.address, Address::tcp("127.0.0.1", 5930));
//!
//! // The driver has opened it: the session has something to say.
//! let random = [7; 32]; // from a cryptographic source
//! session.connected(transport, random, Instant::ZERO);
//! let Some(Output::Transmit { data, .. }) = session.poll_output() else { unreachable!() };
//! assert_eq!(&data[..4], b"REDQ");
//!
//! // The answer arrives, in pieces of any size, into the session's own buffer.
//! session.recv_buf(transport).unwrap().extend_from_slice(b"HTTP/1.1 400 Bad Request\r\n");
//! session.handle_input(transport, Instant::from_millis(3));
//! assert!(matches!(session.poll_output(), Some(Output::Close { .. })));
//! # Ok::<(), spice_proto::link::PasswordError>(())
//! ```
//!
//! # Buffers
//!
//! Received bytes are cut into messages without copying: a payload is a slice of the block that was read, so
//! events are cheap to clone and to send to another thread. Whatever is kept for long should be copied, or it pins
//! its block. In the steady state a message costs no allocation.
//!
//! # Hostile peers
//!
//! Everything read is checked. [`Limits`] bounds what a peer can make this side hold or do. Errors are `Copy` and
//! say what was wrong, where, and which bound was exceeded; after one, a machine returns the same error for ever.
//!
//! # Features
//!
//! `testing` adds generators for any message, an in-memory server, and a client and server on a virtual clock.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]

#[allow(unused_extern_crates)]
extern crate alloc;

#[macro_use]
pub mod wire;
pub mod caps;
pub mod channel;
pub mod error;
pub mod frame;
pub mod limits;
pub mod link;
pub mod msg;
pub mod session;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod types;

pub use error::{DecodeError, DecodeErrorKind, LimitExceeded, ProtocolError};
pub use limits::Limits;
pub use link::LinkError;
pub use time::Instant;
