//! The agent inside the guest: clipboard, files, monitors, volume.
//!
//! The driver talks to the agent by itself; commands are methods of [`Handle`](crate::Handle):
//!
//! | what | methods |
//! |---|---|
//! | the agent itself | [`wait_for_agent`](crate::Handle::wait_for_agent) |
//! | clipboard, own content | [`set_clipboard`](crate::Handle::set_clipboard), or [`clipboard_grab`](crate::Handle::clipboard_grab) and [`clipboard_answer`](crate::Handle::clipboard_answer); [`clipboard_release`](crate::Handle::clipboard_release) |
//! | clipboard, the guest's content | [`clipboard_request`](crate::Handle::clipboard_request) |
//! | files | [`send_file`](crate::Handle::send_file), [`cancel_file`](crate::Handle::cancel_file) |
//! | monitors | [`set_resolution`](crate::Handle::set_resolution), [`set_monitors`](crate::Handle::set_monitors) |
//! | other | [`set_display_settings`](crate::Handle::set_display_settings), [`set_volume`](crate::Handle::set_volume) |
//!
//! An agent may disappear and come back at any time. Transfers and requests of the old one fail; content given to
//! `set_clipboard`, monitors, settings and volume are told to the new one again.
//!
//! ```
//! # async fn example(handle: spice_client::Handle) -> Result<(), spice_client::agent::Error> {
//! use spice_client::agent::{DataType, Selection};
//!
//! handle.wait_for_agent().await?;
//! handle.set_clipboard(Selection::Clipboard, [(DataType::UTF8_TEXT, "hello".into())]).await?;
//! let size = handle.set_resolution(1280, 720).await?;
//! println!("the guest's screen is {size:?}");
//! # Ok(()) }
//! ```

mod clipboard;
mod error;
mod files;
mod machine;
mod monitors;

use bytes::Bytes;

/// The agent crate, for its configuration and messages.
pub use spice_agent_proto;
pub use spice_agent_proto::AgentCaps;
pub use spice_agent_proto::clipboard::{DataType, Event as ClipboardEvent, Failure, Selection};
pub use spice_agent_proto::file_xfer::Outcome;
pub use spice_agent_proto::monitors::Monitor;
pub use spice_agent_proto::msg::{AudioVolumeSync, DisplayConfig, DisplayFlags, Reply};

pub use error::Error;
pub use files::{SendFile, TransferId};
pub(crate) use machine::Agent;
pub use monitors::Size;

/// What happens with the agent inside the guest.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The agent can be talked to, and this is what it can do. Comes again when it says otherwise.
    Ready(AgentCaps),
    /// The agent has gone.
    Gone,
    /// Something about a selection. [`Content`](ClipboardEvent::Content) and [`Failed`](ClipboardEvent::Failed) come
    /// besides the answer to [`Handle::clipboard_request`](crate::Handle::clipboard_request).
    /// [`Requested`](ClipboardEvent::Requested) comes for what was offered by
    /// [`Handle::clipboard_grab`](crate::Handle::clipboard_grab) and wants a
    /// [`Handle::clipboard_answer`](crate::Handle::clipboard_answer).
    Clipboard(ClipboardEvent),
    /// The guest has fetched content that [`Handle::set_clipboard`](crate::Handle::set_clipboard) offers.
    ClipboardTaken {
        /// The selection.
        selection: Selection,
        /// The type that was fetched.
        kind: DataType,
    },
    /// A file has come so far. Of several that wait to be taken only the last is kept.
    FileProgress {
        /// The transfer.
        transfer: TransferId,
        /// Bytes that are on their way or have arrived.
        sent: u64,
        /// Length of the file in bytes.
        size: u64,
    },
    /// A file that the guest had heard of is over; [`SendFile`] tells the same.
    FileEnded {
        /// The transfer.
        transfer: TransferId,
        /// How it ended.
        outcome: Outcome,
    },
    /// How a message about monitors or display settings fared. The Linux agent answers before anything has changed.
    Reply(Reply),
    /// A message of the agent was left out, or an answer to it, because it is malformed or too long.
    Skipped(spice_agent_proto::AgentError),
    /// The agent's stream makes no sense any more. Nothing of what follows is read until the next agent comes.
    Broken(spice_agent_proto::AgentError),
}

impl Event {
    /// Bytes of content that the event keeps in memory.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Clipboard(ClipboardEvent::Content { data, .. }) => Bytes::len(data),
            _ => 0,
        }
    }
}
