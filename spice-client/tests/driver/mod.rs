//! Drivers over pipes in memory, on tokio's timers.

mod ends;
mod platform;
mod pressure;
mod recording;
mod server;
mod silence;
