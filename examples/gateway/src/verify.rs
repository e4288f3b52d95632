//! Whether a server's certificate is the one that was asked for.

use std::sync::Arc;

use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use tokio_rustls::rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use x509_parser::objects::{oid_registry, oid2abbrev};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Checks the chain against authorities of one's own, then the name or the subject.
#[derive(Debug)]
pub(crate) struct Verifier {
    pub(crate) roots: Arc<RootCertStore>,
    /// The subject to demand instead of the name.
    pub(crate) subject: Option<String>,
    pub(crate) provider: Arc<CryptoProvider>,
}

/// The certificate is good but somebody else's.
#[derive(Debug, thiserror::Error)]
#[error("its subject is {found:?} and not {wanted:?}")]
struct WrongSubject {
    found: String,
    wanted: String,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&certificate, &self.roots, intermediates, now, algorithms)?;
        match &self.subject {
            None => verify_server_name(&certificate, server_name)?,
            Some(wanted) => check_subject(end_entity, wanted)?,
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn check_subject(certificate: &CertificateDer<'_>, wanted: &str) -> Result<(), Error> {
    let bad = |_| Error::InvalidCertificate(CertificateError::BadEncoding);
    let (_, certificate) = X509Certificate::from_der(certificate).map_err(bad)?;
    let registry = oid_registry();
    let found: Vec<(String, String)> = certificate
        .subject()
        .iter_attributes()
        .map(|attribute| {
            let kind = oid2abbrev(attribute.attr_type(), registry)
                .map_or_else(|_| attribute.attr_type().to_string(), str::to_owned);
            // A value that is no text equals nothing that can be asked for.
            (kind, attribute.as_str().unwrap_or("\0").to_owned())
        })
        .collect();
    if parts(wanted).as_ref() == Some(&found) {
        return Ok(());
    }
    let found: Vec<_> = found.iter().map(|(kind, value)| format!("{kind}={value}")).collect();
    let wrong = WrongSubject { found: found.join(","), wanted: wanted.into() };
    Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(wrong)))))
}

/// The parts of a subject in the certificate's order: `OU=PVE,O=Lab,CN=node`. A backslash takes a comma's meaning away.
fn parts(text: &str) -> Option<Vec<(String, String)>> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        match (c, escaped) {
            ('\\', false) => {
                escaped = true;
                continue;
            }
            (',', false) => parts.push(String::new()),
            _ => parts.last_mut()?.push(c),
        }
        escaped = false;
    }
    let pair = |part: &String| {
        let (kind, value) = part.trim_start().split_once('=')?;
        Some((kind.trim().to_owned(), value.to_owned()))
    };
    parts.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn subjects_are_taken_apart() {
        let pair = |kind: &str, value: &str| (kind.to_owned(), value.to_owned());
        assert_eq!(
            parts("OU=PVE, O=Lab\\, West,CN=a=b"),
            Some(vec![pair("OU", "PVE"), pair("O", "Lab, West"), pair("CN", "a=b"),])
        );
        assert_eq!(parts("O=Lab,CN"), None);
        assert_eq!(parts(""), None);
    }
}
