//! How a bridged connection ends, as the browser hears it.

use axum::extract::ws::{CloseFrame, Message};

use crate::token::TokenError;
use crate::upstream::ConnectError;

/// The end of one WebSocket.
#[derive(Debug)]
pub(crate) enum End {
    /// The client left.
    Client,
    /// The client is silent although it was asked whether it is there.
    ClientGone,
    /// The SPICE server closed the connection.
    Server,
    /// Nothing was sent in either direction for long.
    Idle,
    /// The gateway stops.
    Shutdown,
    /// The client sent something that is no binary message.
    NotBinary,
    /// The client broke the rules of WebSocket.
    Protocol,
    /// A message of the client is too long.
    TooLong,
    /// The query is not understood.
    BadRequest(&'static str),
    /// The server is not on the list.
    NotAllowed,
    /// The token opens nothing.
    Token(TokenError),
    /// This client has too many connections.
    ClientFull,
    /// The gateway has too many connections.
    Full,
    /// The server cannot be reached.
    Connect(ConnectError),
}

impl End {
    /// The close code; 4000 and above are our own, with the HTTP status of the same meaning in the last three digits.
    pub(crate) fn code(&self) -> u16 {
        match self {
            Self::Client | Self::ClientGone | Self::Server => 1000,
            Self::Shutdown => 1001,
            Self::Protocol => 1002,
            Self::NotBinary => 1003,
            Self::TooLong => 1009,
            Self::BadRequest(_) => 4400,
            Self::Token(_) => 4401,
            Self::NotAllowed => 4403,
            Self::Idle => 4408,
            Self::ClientFull => 4429,
            Self::Connect(
                ConnectError::Tls(_)
                | ConnectError::OldCertificate
                | ConnectError::NoAuthority
                | ConnectError::Name(_),
            ) => 4495,
            Self::Connect(ConnectError::Unreachable(_)) => 4502,
            Self::Full => 4503,
            Self::Connect(ConnectError::Timeout) => 4504,
        }
    }

    /// A word for metrics and the log.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::ClientGone => "client_gone",
            Self::Server => "server",
            Self::Idle => "idle",
            Self::Shutdown => "shutdown",
            Self::NotBinary => "not_binary",
            Self::Protocol => "protocol",
            Self::TooLong => "too_long",
            Self::BadRequest(_) => "bad_request",
            Self::NotAllowed => "not_allowed",
            Self::Token(_) => "token",
            Self::ClientFull => "client_full",
            Self::Full => "full",
            Self::Connect(ConnectError::Unreachable(_)) => "unreachable",
            Self::Connect(ConnectError::Timeout) => "connect_timeout",
            Self::Connect(_) => "tls",
        }
    }

    /// A sentence for the user, with what to do next where something can be done.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Client | Self::ClientGone => String::new(),
            Self::Server => "The machine closed the connection.".into(),
            Self::Idle => {
                "Nothing happened for long, so the gateway closed the connection; connect again.".into()
            }
            Self::Shutdown => "The gateway is being restarted; connect again in a moment.".into(),
            Self::NotBinary => "SPICE goes in binary messages; this was a text message.".into(),
            Self::Protocol => "A message broke the rules of WebSocket.".into(),
            Self::TooLong => "A message was too long; a message has a mebibyte at most.".into(),
            Self::BadRequest(what) => (*what).into(),
            Self::NotAllowed => {
                "This gateway does not lead to that machine; ask its administrator to allow it.".into()
            }
            Self::Token(error) => error.to_string(),
            Self::ClientFull => {
                "Too many connections from your address; close other sessions and try again.".into()
            }
            Self::Full => "The gateway is full; try again later.".into(),
            Self::Connect(error) => error.to_string(),
        }
    }

    /// The last message of the WebSocket.
    pub(crate) fn message(&self) -> Message {
        let mut reason = self.sentence();
        if reason.len() > REASON {
            let end = (0..=REASON - 3).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or(0);
            reason.truncate(end);
            reason.push_str("...");
        }
        Message::Close(Some(CloseFrame { code: self.code(), reason: reason.into() }))
    }
}

/// Bytes of a reason at most: a control frame holds 125, two of which are the code.
const REASON: usize = 123;

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(end: &End) -> String {
        match end.message() {
            Message::Close(Some(frame)) => frame.reason.to_string(),
            _ => String::new(),
        }
    }

    #[test]
    fn sentences_of_ours_fit_into_a_close_frame() {
        let ends = [
            End::Server,
            End::Idle,
            End::Shutdown,
            End::NotBinary,
            End::Protocol,
            End::TooLong,
            End::NotAllowed,
            End::Token(TokenError::Invalid),
            End::Token(TokenError::Expired),
            End::Token(TokenError::NotTaken),
            End::ClientFull,
            End::Full,
            End::Connect(ConnectError::Timeout),
            End::Connect(ConnectError::NoAuthority),
            End::Connect(ConnectError::OldCertificate),
            End::Connect(ConnectError::Unreachable(std::io::ErrorKind::ConnectionRefused.into())),
            End::Connect(ConnectError::Unreachable(std::io::ErrorKind::Other.into())),
        ];
        for end in ends {
            assert_eq!(reason(&end), end.sentence());
        }
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let text = reason(&End::Connect(ConnectError::Tls("ü".repeat(100))));
        assert!(text.len() <= REASON && text.ends_with("..."), "{text}");
    }
}
