//! Connections to SPICE servers.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, OtherError, RootCertStore};

use crate::target::{Place, Target, TlsTarget};
use crate::verify::Verifier;

/// A byte stream to a server.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Opens connections.
#[derive(Debug)]
pub(crate) struct Connector {
    /// Authorities for servers whose target names none of its own.
    pub(crate) roots: Option<Arc<RootCertStore>>,
    /// How long a connection may take, TLS included.
    pub(crate) timeout: Duration,
    pub(crate) provider: Arc<CryptoProvider>,
}

/// Why there is no connection. The words are for the user at the browser, so they name no more of the network than the
/// user asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("The machine cannot be reached: {}. Is it running?", reason(.0))]
    Unreachable(io::Error),
    #[error("The machine did not answer in time. Is it running?")]
    Timeout,
    #[error("TLS with the machine failed: {0}")]
    Tls(String),
    #[error(
        "The machine's certificate is of X.509 version 1: sign it again with -extfile FILE, in it subjectAltName=DNS:HOST (README)"
    )]
    OldCertificate,
    #[error("The gateway has no certificate authority for this machine; its administrator has to set one.")]
    NoAuthority,
    #[error("{0:?} cannot stand in a certificate; the gateway's administrator has to set its name.")]
    Name(String),
}

/// Why a file holds no authorities.
#[derive(Debug, thiserror::Error)]
#[error("the certificate authorities in {0}: {1}")]
pub(crate) struct RootsError(PathBuf, String);

/// Reads authorities from a PEM file.
pub(crate) fn read_roots(path: &Path) -> Result<RootCertStore, RootsError> {
    let error = |reason: &dyn std::fmt::Display| RootsError(path.into(), reason.to_string());
    let text = std::fs::read(path).map_err(|reason| error(&reason))?;
    roots(&text).map_err(|reason| error(&reason))
}

fn roots(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error: pem::Error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() { Err("there is no certificate in it".into()) } else { Ok(roots) }
}

impl Connector {
    /// Connects to a server.
    pub(crate) async fn connect(&self, target: &Target) -> Result<Box<dyn Io>, ConnectError> {
        tokio::time::timeout(self.timeout, self.open(target)).await.unwrap_or(Err(ConnectError::Timeout))
    }

    async fn open(&self, target: &Target) -> Result<Box<dyn Io>, ConnectError> {
        let (host, port) = match &target.place {
            Place::Unix(path) => return unix(path).await,
            Place::Tcp { host, port } => (host, *port),
        };
        let stream = match host.parse::<IpAddr>() {
            Ok(address) => TcpStream::connect((address, port)).await,
            Err(_) => TcpStream::connect((host.as_str(), port)).await,
        }
        .map_err(ConnectError::Unreachable)?;
        stream.set_nodelay(true).map_err(ConnectError::Unreachable)?;
        match &target.tls {
            None => Ok(Box::new(stream)),
            Some(tls) => self.secure(stream, host, tls).await,
        }
    }

    async fn secure(
        &self,
        stream: TcpStream,
        host: &str,
        tls: &TlsTarget,
    ) -> Result<Box<dyn Io>, ConnectError> {
        let roots = match &tls.ca {
            Some(pem) => Arc::new(roots(pem.as_bytes()).map_err(ConnectError::Tls)?),
            None => self.roots.clone().ok_or(ConnectError::NoAuthority)?,
        };
        let name = tls.name.as_deref().unwrap_or(host);
        let name = ServerName::try_from(name.to_owned()).map_err(|_| ConnectError::Name(name.into()))?;
        let verifier = Verifier { roots, subject: tls.subject.clone(), provider: Arc::clone(&self.provider) };
        let config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| ConnectError::Tls(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        Ok(Box::new(stream.map_err(|error| tls_error(&error))?))
    }
}

#[cfg(unix)]
async fn unix(path: &Path) -> Result<Box<dyn Io>, ConnectError> {
    let stream = tokio::net::UnixStream::connect(path).await.map_err(ConnectError::Unreachable)?;
    Ok(Box::new(stream))
}

#[cfg(not(unix))]
async fn unix(_: &Path) -> Result<Box<dyn Io>, ConnectError> {
    Err(ConnectError::Unreachable(io::ErrorKind::Unsupported.into()))
}

fn tls_error(error: &io::Error) -> ConnectError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if let Some(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(reason)))) = inner
        && reason.to_string().contains("UnsupportedCertVersion")
    {
        return ConnectError::OldCertificate;
    }
    ConnectError::Tls(match inner {
        Some(rustls::Error::InvalidMessage(_)) => "it does not speak TLS on this port.".into(),
        Some(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(reason)))) => {
            format!("its certificate is refused, {reason}.")
        }
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "its certificate is of an authority that the gateway does not trust.".into()
        }
        Some(rustls::Error::InvalidCertificate(reason)) => format!("its certificate is refused, {reason}."),
        Some(other) => format!("{other}."),
        None if error.kind() == io::ErrorKind::UnexpectedEof => "it closed the connection.".into(),
        None => format!("{}.", reason(error)),
    })
}

fn reason(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nobody listens there",
        io::ErrorKind::ConnectionReset => "the connection was cut",
        io::ErrorKind::NotFound => "there is no such socket",
        io::ErrorKind::PermissionDenied => "the gateway may not open it",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "there is no way to it",
        io::ErrorKind::TimedOut => "it does not answer",
        io::ErrorKind::Unsupported => "this system has no unix sockets",
        // What is left is mostly a name that no resolver knows.
        _ => "its name or address leads nowhere",
    }
}
