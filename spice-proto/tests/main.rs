//! Integration tests, a module per topic.

mod channel;
mod link;
mod messages;
mod servers;
mod session;
