//! The dialogue between a SPICE client and the agent inside the guest, for both sides and without IO.
//!
//! # The parts
//!
//! [`Client`] is the viewer's side. It takes what the main channel of `spice-proto` brings and says what is to be sent
//! there. [`Guest`] is the agent's side, over the byte stream of the guest's device. Both have the same manners:
//! *inputs* tell them what has come, *outputs* and *events* are polled from them until there are none, and *commands*
//! say in a typed [error](AgentError) why something is not to be had. They have no clock, no threads and no sockets.
//!
//! | what | client | agent |
//! |---|---|---|
//! | what each side can do, and what that changes | [`caps`] | |
//! | [clipboard]: offers, requests, content | `Client::clipboard_*` | `Guest::clipboard_*` |
//! | [files](file_xfer) into the guest | `Client::file_*` | `Guest::file_*` |
//! | [monitors] | [`Client::set_monitors`] | [`guest::Event::Monitors`] |
//! | display settings | [`Client::set_display`] | [`guest::Event::Display`] |
//! | audio volume | [`Client::set_volume`] | [`guest::Event::Volume`] |
//! | pointer and graphics devices, which [servers](server) tell | | [`guest::Event`] |
//!
//! Below them, and of use by themselves: [`msg`] has every message, [`frame`] cuts them into chunks and puts them
//! together, [`tokens`] counts who may send how many.
//!
//! # A dialogue
//!
//! Text is copied in the client and pasted in the guest. A real server stands between the two; here a loop carries
//! everything to where it belongs.
//!
//! ```
//! use bytes::{BufMut, Bytes, BytesMut};
//! use spice_agent_proto::clipboard::{self, DataType, Selection};
//! use spice_agent_proto::client::{self, Output};
//! use spice_agent_proto::frame::{DeviceReader, Port};
//! use spice_agent_proto::{AgentError, Client, ClientConfig, Guest, GuestConfig, guest};
//!
//! let mut client = Client::new(ClientConfig::default());
//! let mut guest = Guest::new(GuestConfig::default());
//! let (mut device, mut to_guest) = (DeviceReader::new(), BytesMut::new());
//! let mut pasted = None;
//!
//! client.connected(Some(10)); // AgentConnectedTokens
//! loop {
//!     let mut idle = true;
//!     while let Some(output) = client.poll_output() {
//!         idle = false;
//!         if let Output::Data(chunk) = output {
//!             to_guest.put_u32_le(Port::CLIENT.0);
//!             to_guest.put_u32_le(chunk.len() as u32);
//!             to_guest.put_slice(&chunk);
//!             client.add_tokens(1);
//!         }
//!     }
//!     guest.handle_input(&mut to_guest)?;
//!     while let Some(bytes) = guest.poll_transmit() {
//!         idle = false;
//!         let mut bytes = BytesMut::from(bytes);
//!         while let Some(chunk) = device.split(&mut bytes) {
//!             client.handle_data(chunk.data);
//!         }
//!     }
//!     while let Some(event) = client.poll_event() {
//!         idle = false;
//!         match event {
//!             client::Event::Ready(_) => {
//!                 client.clipboard_grab(Selection::Clipboard, &[DataType::UTF8_TEXT])?;
//!             }
//!             client::Event::Clipboard(clipboard::Event::Requested { selection, kind }) => {
//!                 client.clipboard_answer(selection, kind, Bytes::from_static(b"hello"))?;
//!             }
//!             _ => {}
//!         }
//!     }
//!     while let Some(event) = guest.poll_event() {
//!         idle = false;
//!         match event {
//!             guest::Event::Clipboard(clipboard::Event::Grabbed { selection, types }) => {
//!                 guest.clipboard_request(selection, types[0])?;
//!             }
//!             guest::Event::Clipboard(clipboard::Event::Content { data, .. }) => pasted = Some(data),
//!             _ => {}
//!         }
//!     }
//!     if idle {
//!         break;
//!     }
//! }
//! assert_eq!(pasted.as_deref(), Some(&b"hello"[..]));
//! # Ok::<(), AgentError>(())
//! ```
//!
//! # Hostile peers
//!
//! Nothing that a peer sends makes this crate panic. What it can make a side hold is bounded by [`Limits`], each of
//! which says why it is what it is: messages above their limit go by without being kept, offers and requests beyond
//! their limit are dropped or refused, and who asks without taking the answers gets no more tokens. File names are
//! checked to stay below the folder that they are meant for.
//!
//! # Features
//!
//! `testing`: generators and oracles for tests and fuzzing; no part of the stable interface.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]

extern crate alloc;

pub mod caps;
pub mod client;
pub mod clipboard;
pub mod error;
pub mod file_xfer;
pub mod frame;
pub mod guest;
pub mod limits;
mod link;
pub mod monitors;
pub mod msg;
pub mod server;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tokens;

pub use caps::AgentCaps;
pub use client::{Client, ClientConfig};
pub use error::{AgentError, LimitExceeded, Unavailable};
pub use guest::{Guest, GuestConfig};
pub use limits::Limits;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
