//! The cursor channel: shapes and positions are handed on as they come.

use crate::channel::relay::Relay;
use crate::msg;

/// The client's side of a cursor channel.
pub type Cursor = Relay<msg::cursor::Cursor>;
