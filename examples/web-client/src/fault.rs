//! Kinds of errors, named so that a page can say them in its user's language.

use std::error::Error;
use std::io;

use spice_client::ClientError;
use spice_client::transport::websocket::Closed;

/// A short name for the kind of an error; part of the page's interface, so names stay.
pub(crate) fn code(error: &ClientError) -> &'static str {
    if let Some(closed) = closed(error) {
        return close_code(closed.code);
    }
    match error {
        ClientError::Refused { .. } | ClientError::NoSocket { .. } => "refused",
        ClientError::ConnectTimeout { .. } => "timeout",
        ClientError::Connect { .. } => "connect",
        ClientError::NotSpice(_) => "not-spice",
        ClientError::PasswordMissing => "password-missing",
        ClientError::PasswordWrong => "password-wrong",
        ClientError::Password(_) => "password-impossible",
        ClientError::NeedsTls => "needs-tls",
        ClientError::Protocol(_) => "protocol",
        ClientError::Transport(_) => "broken",
        ClientError::ServerClosed => "server-closed",
        _ => "failed",
    }
}

/// What a gateway said when it closed the WebSocket; in the error's own words alone.
pub(crate) fn text(error: &ClientError) -> String {
    match closed(error) {
        Some(closed) => closed.to_string(),
        None => error.to_string(),
    }
}

fn closed(error: &ClientError) -> Option<&Closed> {
    let (ClientError::Transport(source) | ClientError::Connect { source, .. }) = error else { return None };
    let inner: &(dyn Error + 'static) = io::Error::get_ref(source)?;
    inner.downcast_ref()
}

/// The gateway's codes are 4000 and an HTTP status of the same meaning.
fn close_code(code: u16) -> &'static str {
    match code {
        4400 => "address",
        4401 => "token",
        4403 => "not-allowed",
        4408 => "idle-closed",
        4429 | 4503 => "full",
        4495 => "upstream-tls",
        4502 => "refused",
        4504 => "timeout",
        _ => "broken",
    }
}
