//! Kinds of errors, named so that a page can say them in its user's language.

use spice_client::ClientError;

/// A short name for the kind of an error; part of the page's interface, so names stay.
pub fn code(error: &ClientError) -> &'static str {
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
