//! Files from client to guest: the messages, and a machine for each side.
//!
//! The client announces a file by name and size; the agent says that it can send; the client sends the file in pieces;
//! the agent says that it has everything. Either side may end it before, at any time. Several transfers go on at once,
//! told apart by numbers that the client gives.

mod messages;
mod metadata;
mod receive;
mod send;

pub use messages::{FileXferData, FileXferResult, FileXferStart, FileXferStatus, StatusDetail};
pub use metadata::{Metadata, MetadataError, NameError, check_name, check_path};
pub(crate) use receive::Receiver;
pub use receive::{Abort, ReceiveEvent};
pub(crate) use send::Sender;
pub use send::{Outcome, SendEvent};
