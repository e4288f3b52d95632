//! Drivers over pipes in memory, on tokio's timers.

mod ends;
pub(crate) mod platform;
mod pressure;
mod recording;
pub(crate) mod server;
mod silence;
#[cfg(feature = "canvas")]
mod video;
