//! Harness that starts real SPICE servers and clients.
//!
//! Everything listens on loopback, on ports of its own, in temporary folders of its own. Every wait is bounded, and
//! whatever was started is ended by its process id when its handle goes away, also when a test fails.
//!
//! The tests themselves are in `tests/main.rs` behind feature `servers`; they need QEMU, Xspice and `spicy-screenshot`.
//! This library compiles, and its own tests run, on any Unix machine with a Rust toolchain.
#![cfg(unix)]

#[cfg(feature = "servers")]
pub mod browser;
#[cfg(feature = "servers")]
pub mod console;
pub mod flood;
pub mod gateway;
pub mod guest;
#[cfg(feature = "servers")]
pub mod live;
pub mod net;
pub mod picture;
pub mod process;
pub mod programs;
pub mod proxy;
pub mod qemu;
pub mod qmp;
pub mod random;
pub mod relay;
pub mod script;
pub mod spicy;
pub mod temp;
#[cfg(feature = "servers")]
pub mod usage;
pub mod xspice;

/// Errors of the harness are sentences for whoever reads the log of a failed test.
pub type Result<T> = std::result::Result<T, String>;

/// How long one question may take that is asked until the answer fits. Who asks for a selection in the moment in which
/// its owner gives it up may never be answered: such a question is given up and asked again.
pub const ASK_LIMIT: std::time::Duration = std::time::Duration::from_secs(5);

/// Waits until `ready` gives a value, asking again every 50 ms, and names `what` was waited for when time is up.
pub fn wait_for<T>(
    what: &str,
    limit: std::time::Duration,
    mut ready: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let started = std::time::Instant::now();
    loop {
        if let Some(value) = ready()? {
            return Ok(value);
        }
        if started.elapsed() > limit {
            return Err(format!("{what} did not happen within {limit:?}"));
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
