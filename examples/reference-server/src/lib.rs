//! A SPICE server over any byte streams, for one session at a time: spice-proto's in-memory server with a driver.
//!
//! A [`Host`] serves streams: TCP connections in the program `reference-server`, in-process pipes in programs that
//! bring their own server along. Each stream is one channel, and gets a future of its own:
//!
//! ```
//! use reference_server::{Host, Security, ServerConfig};
//!
//! # async fn example() -> std::io::Result<()> {
//! let host = Host::new(ServerConfig::default())?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! loop {
//!     let (stream, _) = listener.accept().await?;
//!     let stream = tokio_util::compat::TokioAsyncReadCompatExt::compat(stream);
//!     if let Ok(serving) = host.serve(stream, Security::Plain) {
//!         tokio::spawn(serving);
//!     }
//! }
//! # }
//! ```

mod host;
mod keys;
mod serving;

pub use host::{Host, Sleep};
pub use serving::Serving;
pub use spice_proto::session::Security;
pub use spice_proto::testing::scene::Scene;
pub use spice_proto::testing::server::{ServerConfig, ServerEvent, Show};
