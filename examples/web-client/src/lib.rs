//! A SPICE client for browsers.
//!
//! The library runs in a Web Worker: protocol, decoding and drawing happen here, the page's thread stays free. The
//! worker's script (`www/lib/worker.js`) makes one `Desktop` and calls its methods on the page's behalf; what the
//! desktop has to tell goes to a `Page`. The page never sees this library, it sees the element `<spice-desktop>`.
//!
//! On targets other than wasm32 there is nothing here but the parts that know no browser, so that they can be tested
//! anywhere.

pub mod begin;
#[cfg(target_arch = "wasm32")]
mod begun;
#[cfg(target_arch = "wasm32")]
mod blob;
#[cfg(target_arch = "wasm32")]
mod cursor;
#[cfg(target_arch = "wasm32")]
mod demo;
#[cfg(target_arch = "wasm32")]
mod desktop;
#[cfg(target_arch = "wasm32")]
mod fault;
#[cfg(target_arch = "wasm32")]
mod guest;
#[cfg(target_arch = "wasm32")]
mod page;
#[cfg(target_arch = "wasm32")]
mod painter;
#[cfg(target_arch = "wasm32")]
mod pause;
#[cfg(target_arch = "wasm32")]
mod present;
pub mod scale;
#[cfg(target_arch = "wasm32")]
mod screen;
#[cfg(target_arch = "wasm32")]
mod session;
pub mod stats;

#[cfg(target_arch = "wasm32")]
pub use begun::Begun;
#[cfg(target_arch = "wasm32")]
pub use desktop::Desktop;
#[cfg(target_arch = "wasm32")]
pub use page::Page;
