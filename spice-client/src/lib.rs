//! An async client for SPICE remote desktops, over any byte stream.
//!
//! [`connect`] gives a [`Client`] and a [`Driver`]. The driver is a future that does all the work; spawn it. The
//! client is a stream of [`Event`]s and the means to send commands. With feature `canvas`, on by default, a
//! `canvas::Canvas` turns display events into pixels. [`ClientConfig::schedule`] keeps frames of videos until they are due.
//!
//! ```
//! # #[cfg(feature = "tokio")]
//! # async fn example() -> Result<(), spice_client::ClientError> {
//! use futures::StreamExt;
//! use spice_client::{ClientConfig, Event, transport::tokio::Tokio};
//!
//! let config: ClientConfig = "spice://127.0.0.1:5930".parse()?;
//! let (mut client, driver) = spice_client::connect(Tokio::new(), config.password("sesame")?);
//! tokio::spawn(driver);
//! while let Some(event) = client.next().await {
//!     match event? {
//!         Event::Display(0, message) => println!("{message:?}"),
//!         Event::Ended(_) => break,
//!         _ => {}
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `canvas` | yes | the software canvas |
//! | `parallel` | no | threads that decode pictures ahead of the canvas: `canvas::Decoders`; nothing on wasm32 |
//! | `tokio` | no | TCP and unix sockets, timers and randomness: [`transport::tokio`] |
//! | `websocket` | no | a browser's WebSockets, timers and randomness, on wasm32 alone: `transport::websocket` |
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod agent;
mod answer;
#[cfg(feature = "canvas")]
pub mod canvas;
mod client;
mod config;
#[cfg(feature = "canvas")]
pub mod console;
mod core;
mod driver;
mod error;
mod event;
mod events;
pub mod keyboard;
pub mod mouse;
pub mod record;
mod stream;
pub mod transport;
mod uri;
pub mod video;

pub use answer::Answer;
pub use client::{Client, Handle};
pub use config::ClientConfig;
pub use driver::{Driver, connect};
pub use error::{AddressError, ClientError};
pub use event::Event;
/// The protocol crate, whose messages are what events carry and commands take.
pub use spice_proto;

/// The project's README, so that its example is compiled.
#[cfg(all(doctest, feature = "canvas", feature = "tokio"))]
#[doc = include_str!("../../README.md")]
pub struct Readme;
