//! Why a link failed.

use core::fmt;

use thiserror::Error;

use crate::caps::CommonCaps;
use crate::error::{DecodeError, LimitExceeded};
use crate::link::{PasswordError, SaslError};
use crate::types::LinkCode;

/// Why a link failed. Most of these are meant to be shown to a user as they are.
///
/// A machine of the link stage that failed keeps its error and returns it for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The peer's first four bytes are not `REDQ`.
    #[error("{}", not_spice(*.0))]
    NotSpice([u8; 4]),
    /// The peer speaks another major version than 2.
    #[error("the peer speaks version {major}.{minor} of the protocol, this side version 2")]
    VersionMismatch {
        /// The peer's major version.
        major: u32,
        /// The peer's minor version.
        minor: u32,
    },
    /// A structure of the link stage does not have the layout it must have.
    #[error("malformed link message: {0}")]
    Malformed(#[from] DecodeError),
    /// The peer wants more memory than a limit of this side allows.
    #[error("the peer asks for too much: {0}")]
    Limit(#[from] LimitExceeded),
    /// The key in the link reply is not an RSA key of 1024 bits in the one form that the protocol has.
    #[error("the server's ticket key is not a usable RSA key of 1024 bits")]
    BadKey,
    /// Link code 1: the server names no reason.
    #[error("the server refused the connection without giving a reason")]
    Unspecified,
    /// Link code 2: the server does not take this side for a SPICE client.
    #[error("the server did not recognise the client as a SPICE client")]
    InvalidMagic,
    /// Link code 3: the server found the link message wrong.
    #[error("the server refused the link message as invalid")]
    InvalidData,
    /// Link code 4: the server speaks another version.
    #[error("the server refused the protocol version 2.2")]
    VersionRefused,
    /// Link code 5: the channel must use TLS. Connecting again to the TLS port may help.
    #[error("the server requires TLS for this channel, connect to its TLS port")]
    NeedSecured,
    /// Link code 6: the channel must not use TLS.
    #[error("the server does not allow TLS for this channel, connect to its plain port")]
    NeedUnsecured,
    /// Link code 7: the ticket is wrong or has expired; servers do not say which.
    #[error("{}", permission_denied(*.password))]
    PermissionDenied {
        /// Whether this side had a password to offer.
        password: bool,
    },
    /// Link code 8: no session has the connection id.
    #[error("the server does not know the session, it has ended")]
    BadConnectionId,
    /// Link code 9: the server has no such channel.
    #[error("the server does not have this channel")]
    ChannelNotAvailable,
    /// A link code without a meaning that this side knows.
    #[error("the server refused the connection with the unknown code {}", .0.0)]
    UnknownCode(LinkCode),
    /// The server demands SASL and the client did not announce that it can select a mechanism.
    #[error("the server requires SASL authentication")]
    SaslRequired,
    /// The server refused the authentication mechanism that this side selected.
    #[error("the server refused the authentication mechanism")]
    MechanismRefused,
    /// Both sides have no authentication mechanism in common.
    #[error("{}", no_common_mechanism(*.offered))]
    UnsupportedMechanism {
        /// What the server offers.
        offered: CommonCaps,
    },
    /// SASL authentication failed.
    #[error("SASL authentication failed: {0}")]
    Sasl(#[from] SaslError),
    /// The password cannot be used.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The link took longer than [`Limits::handshake`](crate::Limits::handshake).
    #[error("{}", Late(*.stage))]
    Timeout {
        /// What was being waited for.
        stage: LinkStage,
    },
    /// The byte stream for the link could not be opened at all.
    #[error("the connection could not be opened")]
    NotConnected,
    /// The peer closed the connection in the middle of the link.
    #[error("the {} closed the connection {stage}", .stage.peer())]
    Closed {
        /// What was being waited for.
        stage: LinkStage,
    },
    /// Server role: the client was sent away with this code, by the caller or by the ticket check.
    #[error("the client was refused: {0:?}")]
    Refused(LinkCode),
    /// Server role: the client selected a mechanism that was not offered.
    #[error("the client selected the authentication mechanism {0}, which was not offered")]
    NotOffered(u32),
}

impl LinkError {
    /// The error that a client reports when the server answers with `code`.
    ///
    /// `password` says whether the client had a password to offer. `None` for [`LinkCode::OK`].
    pub const fn from_code(code: LinkCode, password: bool) -> Option<Self> {
        Some(match code {
            LinkCode::OK => return None,
            LinkCode::ERROR => Self::Unspecified,
            LinkCode::INVALID_MAGIC => Self::InvalidMagic,
            LinkCode::INVALID_DATA => Self::InvalidData,
            LinkCode::VERSION_MISMATCH => Self::VersionRefused,
            LinkCode::NEED_SECURED => Self::NeedSecured,
            LinkCode::NEED_UNSECURED => Self::NeedUnsecured,
            LinkCode::PERMISSION_DENIED => Self::PermissionDenied { password },
            LinkCode::BAD_CONNECTION_ID => Self::BadConnectionId,
            LinkCode::CHANNEL_NOT_AVAILABLE => Self::ChannelNotAvailable,
            other => Self::UnknownCode(other),
        })
    }
}

/// A moment of the link stage: what was being waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LinkStage {
    /// Client: the link reply. A server 0.15.1 that lacks the channel closes here without a word.
    Reply,
    /// Client: the list of SASL mechanisms.
    SaslList,
    /// Either role: the peer's next SASL data.
    SaslData,
    /// Client: the result of the SASL exchange.
    SaslResult,
    /// Client: the link result.
    Result,
    /// Server: the link message.
    Message,
    /// Server: the caller's own decision.
    Decision,
    /// Server: the word that selects the mechanism.
    Mechanism,
    /// Server: the ticket.
    Ticket,
}

impl LinkStage {
    /// Who the peer is at this stage.
    const fn peer(self) -> &'static str {
        match self {
            Self::Reply | Self::SaslList | Self::SaslResult | Self::Result => "server",
            Self::Message | Self::Decision | Self::Mechanism | Self::Ticket => "client",
            Self::SaslData => "peer",
        }
    }
}

impl fmt::Display for LinkStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reply => "before its link reply",
            Self::SaslList => "before its list of SASL mechanisms",
            Self::SaslData => "during the SASL exchange",
            Self::SaslResult => "before the result of the SASL exchange",
            Self::Result => "before the link result",
            Self::Message => "before its link message",
            Self::Decision => "before its link was decided on",
            Self::Mechanism => "before it selected an authentication mechanism",
            Self::Ticket => "before its ticket",
        })
    }
}

struct Sentence(&'static str, Option<[u8; 4]>);

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)?;
        match self.1 {
            Some(bytes) => write!(f, "{bytes:02x?}"),
            None => Ok(()),
        }
    }
}

fn not_spice(first: [u8; 4]) -> Sentence {
    match &first {
        b"HTTP" => Sentence("the peer is a web server, not a SPICE server", None),
        b"GET " | b"POST" | b"HEAD" => Sentence("the peer is a web browser, not a SPICE client", None),
        b"RFB " => Sentence("the peer is a VNC server, not a SPICE server", None),
        b"SSH-" => Sentence("the peer is an SSH server, not a SPICE server", None),
        [0x15 | 0x16, 3, ..] => Sentence("the peer speaks TLS where plain SPICE was expected", None),
        _ => Sentence("the peer does not speak SPICE, its first bytes are ", Some(first)),
    }
}

struct Late(LinkStage);

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            // A web server, for one, waits for the end of a line that never comes.
            LinkStage::Reply => {
                f.write_str("the server did not answer in time, it may not be a SPICE server")
            }
            stage => write!(f, "the {} took too long {stage}", stage.peer()),
        }
    }
}

fn permission_denied(password: bool) -> &'static str {
    if password { "the password is wrong or has expired" } else { "the server requires a password" }
}

fn no_common_mechanism(offered: CommonCaps) -> &'static str {
    if offered.contains(CommonCaps::AUTH_SASL) {
        "the server requires SASL authentication, a user name and a mechanism for it are needed"
    } else if offered.contains(CommonCaps::AUTH_SPICE) {
        "the server does not offer SASL authentication, it takes a password alone"
    } else {
        "the server offers no authentication mechanism that this client has"
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn known_strangers_are_called_by_name() {
        assert!(LinkError::NotSpice(*b"HTTP").to_string().contains("web server"));
        assert!(LinkError::NotSpice([0x15, 3, 3, 0]).to_string().contains("TLS"));
        assert_eq!(
            LinkError::NotSpice([1, 2, 3, 0xff]).to_string(),
            "the peer does not speak SPICE, its first bytes are [01, 02, 03, ff]"
        );
    }

    #[test]
    fn a_stage_reads_as_a_sentence() {
        let closed = LinkError::Closed { stage: LinkStage::Reply };
        assert_eq!(closed.to_string(), "the server closed the connection before its link reply");
        let late = |stage| LinkError::Timeout { stage }.to_string();
        assert_eq!(late(LinkStage::Reply), "the server did not answer in time, it may not be a SPICE server");
        assert_eq!(late(LinkStage::Ticket), "the client took too long before its ticket");
    }
}
