//! Integration tests, a module per topic.

#[cfg(feature = "tokio")]
mod agent;
#[cfg(feature = "tokio")]
mod driver;
#[cfg(feature = "tokio")]
mod input;
#[cfg(feature = "canvas")]
mod memory;
#[cfg(feature = "canvas")]
mod streams;
