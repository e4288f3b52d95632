//! The clipboard: its messages, and the machine that keeps track of who owns what.
//!
//! Content moves by demand. The side whose application copied something *grabs* the selection and says in which types
//! it can supply it; the other side advertises them to its own applications, *requests* the content when one pastes,
//! and gets it in one message. A *release* ends the offer. The rules are those of [`Client`](crate::Client) and [`Guest`](crate::Guest), whose commands and events these are.

mod file_list;
mod machine;
mod messages;
mod text;

pub use file_list::{FileAction, FileList};
pub(crate) use machine::Selections;
pub use machine::{Event, Failure, REGRAB_DELAY, Side};
pub use messages::{Clipboard, ClipboardGrab, ClipboardRelease, ClipboardRequest, DataType, Selection};
pub use text::{LineEnds, convert_line_ends, strip_nul};
