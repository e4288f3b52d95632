//! The gateway between browsers and SPICE servers: serves the web client, and bridges its WebSockets to TCP, TLS and unix
//! sockets.
//!
//! `GET /spice?host=HOST&port=PORT`, `?host=NAME` or `?token=TOKEN` opens a WebSocket with subprotocol `binary`, one for
//! each channel of a session. Message borders mean nothing: the binary messages of each direction are one byte stream.
//! Where a client may go is listed by the operator or signed by a panel, see [`allow`] and [`token`]; the gateway is never
//! an open proxy. It knows nothing of SPICE and keeps nothing beyond its connections, so any number of gateways may stand
//! behind a load balancer. README.md beside this crate is the operator's manual.

pub mod allow;
mod bridge;
mod close;
mod late;
mod limits;
mod log;
mod metrics;
pub mod options;
mod origin;
mod routes;
mod run;
mod serve;
mod stall;
pub mod target;
pub mod token;
mod upstream;
mod verify;

pub use run::run;
