//! Integration tests, a module per topic.

#[cfg(feature = "tokio")]
mod driver;
#[cfg(feature = "canvas")]
mod memory;
