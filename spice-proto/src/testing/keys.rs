//! A fixed ticket key, because making one takes a while.

use crate::link::TicketKey;

/// Always the same ticket key. For tests alone: anybody can read the private half in this crate.
///
/// # Panics
/// When the key in this crate is damaged.
pub fn ticket_key() -> TicketKey {
    TicketKey::from_pkcs8_der(include_bytes!("ticket_key.der")).expect("the key in this crate is well-formed")
}
