//! Errors as an application meets them: sentences that say what happened and what to do next.

use std::io;

use spice_proto::link::{LinkStage, PasswordError};
use spice_proto::session::{Address, SessionEnd};
use spice_proto::{LinkError, ProtocolError};
use thiserror::Error;

/// Why a client could not connect, or why its session ended.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address has no meaning.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Nobody listens at the address.
    #[error(
        "connection refused, nobody listens at {address}: check that the machine runs and that the port is right"
    )]
    Refused {
        /// Where the client wanted to connect.
        address: Address,
    },
    /// There is no unix socket of that name.
    #[error("the socket {address} does not exist: check that the machine runs and that the path is right")]
    NoSocket {
        /// Where the client wanted to connect.
        address: Address,
    },
    /// The address did not answer in time.
    #[error("{address} did not answer within {seconds} s: check the address and the network")]
    ConnectTimeout {
        /// Where the client wanted to connect.
        address: Address,
        /// The time that was allowed, in seconds.
        seconds: u64,
    },
    /// The transport could not be opened for another reason.
    #[error("cannot connect to {address}: {source}{}", advice(source))]
    Connect {
        /// Where the client wanted to connect.
        address: Address,
        /// What the operating system says.
        source: io::Error,
    },
    /// What listens there is not a SPICE server, or does not say so in time.
    #[error("{0}: check that the port is the machine's SPICE port")]
    NotSpice(LinkError),
    /// The server wants a password and none was given.
    #[error("the server asks for a password: give one and try again")]
    PasswordMissing,
    /// The server did not take the password.
    #[error("permission denied: the password is wrong or has expired")]
    PasswordWrong,
    /// The password cannot be one of any server.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The server takes this channel over TLS only.
    #[error("the server takes only encrypted connections: use its TLS port")]
    NeedsTls,
    /// The session's protocol failed.
    #[error("the session failed: {0}")]
    Protocol(ProtocolError),
    /// The transport broke in mid-session.
    #[error("the connection broke: {0}")]
    Transport(io::Error),
    /// The server closed the session.
    #[error("the server closed the session: the machine was shut down, or another client took over")]
    ServerClosed,
    /// The driver is gone, so that nothing can be done any more.
    #[error("the session's driver is not running any more")]
    DriverGone,
}

impl ClientError {
    /// The error for an ended session; `None` when the application asked for the end.
    pub(crate) fn ended(end: SessionEnd) -> Option<Self> {
        match end {
            SessionEnd::Asked => None,
            SessionEnd::Failed(error) => Some(Self::failed(error)),
            _ => Some(Self::ServerClosed),
        }
    }

    fn failed(error: ProtocolError) -> Self {
        match error {
            ProtocolError::Link(LinkError::PermissionDenied { password: true }) => Self::PasswordWrong,
            ProtocolError::Link(LinkError::PermissionDenied { password: false }) => Self::PasswordMissing,
            ProtocolError::Link(LinkError::NeedSecured) => Self::NeedsTls,
            ProtocolError::Link(
                error @ (LinkError::NotSpice(_) | LinkError::Timeout { stage: LinkStage::Reply }),
            ) => Self::NotSpice(error),
            error => Self::Protocol(error),
        }
    }

    /// The error for a transport that could not be opened.
    pub(crate) fn connect(address: Address, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused { address },
            io::ErrorKind::NotFound if matches!(address, Address::Unix { .. }) => Self::NoSocket { address },
            _ => Self::Connect { address, source },
        }
    }
}

/// What to do about an error of the operating system; the errors of this crate say so themselves.
fn advice(source: &io::Error) -> &'static str {
    if source.kind() == io::ErrorKind::Unsupported { "" } else { ", check the address and the network" }
}

/// Why an address cannot be used. Passwords in the address are never part of the message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// The text does not begin with a scheme that is known.
    #[error("'{0}' is not a SPICE address: write spice://HOST:PORT or spice+unix:///PATH")]
    Scheme(String),
    /// There is no port.
    #[error("'{0}' names no port: write spice://HOST:PORT")]
    NoPort(String),
    /// The port is not a number from 1 to 65535.
    #[error("'{0}' is not a port number from 1 to 65535")]
    Port(String),
    /// There is no host, or no path.
    #[error("'{0}' names no host: write spice://HOST:PORT or spice+unix:///PATH")]
    NoHost(String),
    /// A part of the query is not known.
    #[error("'{0}' is not a known part of a SPICE address: known are port, tls-port and password")]
    Query(String),
    /// Something is said twice, in different ways.
    #[error("'{0}' is given twice")]
    Twice(String),
    /// The password in the address cannot be one of any server.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// A percent sign without two hexadecimal digits behind it, or bytes that are not UTF-8.
    #[error("the {0} in the address is not properly percent-encoded")]
    Encoding(&'static str),
}
