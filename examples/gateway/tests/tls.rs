//! TLS on both sides, with authorities made for the test.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::harness::{Folder, Gateway, closed, drain, get, listen, request};

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority");
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// PEM texts of a certificate and its key.
    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Lab");
        params.distinguished_name.push(DnType::CommonName, "node");
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// A server that says hello inside TLS to everybody.
async fn server((certificate, key): (String, String)) -> u16 {
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (listener, port) = listen().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let _ = stream.write_all(b"hello").await;
                let _ = stream.shutdown().await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            });
        }
    });
    port
}

#[tokio::test]
async fn a_server_has_to_show_the_right_certificate() {
    let folder = Folder::new("upstream");
    let (authority, other) = (Authority::new(), Authority::new());
    let ca = folder.file("ca.pem", &authority.pem);
    let port = server(authority.issue("vm.example.org")).await;
    let foreign = server(other.issue("vm.example.org")).await;
    let (plain, plain_port) = listen().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let _ = stream.write_all(b"220 mail.example.org ESMTP ready\r\n").await;
        }
    });
    let address = |name: &str, port: u16, rest: &str| format!("{name}=spice+tls://127.0.0.1:{port}{rest}");
    let targets = [
        address("name", port, "?name=vm.example.org"),
        address("subject", port, "?subject=O=Lab,CN=node"),
        address("wrong-name", port, "?name=other.example.org"),
        address("wrong-subject", port, "?subject=O=Lab,CN=other"),
        address("no-name", port, ""),
        address("foreign", foreign, "?name=vm.example.org"),
        address("plain", plain_port, "?name=vm.example.org"),
    ];
    let mut options = vec!["--upstream-ca", &ca];
    targets.iter().for_each(|target| options.extend(["--target", target]));
    let gateway = Gateway::start(&options);
    for host in ["name", "subject"] {
        let (bytes, code, _) = drain(&mut gateway.connect(&format!("host={host}")).await).await;
        assert_eq!((&bytes[..], code), (&b"hello"[..], 1000), "{host}");
    }
    for (host, word) in [
        ("wrong-name", "certificate"),
        ("wrong-subject", "O=Lab,CN=node"),
        ("no-name", "certificate"),
        ("foreign", "certificate"),
        ("plain", "does not speak TLS"),
    ] {
        let (code, reason) = closed(gateway.connect(&format!("host={host}")).await).await;
        println!("{host}: {reason}");
        assert!(code == 4495 && reason.contains(word), "{host}: {code}: {reason}");
    }
    // Without any authority nobody is trusted.
    let gateway = Gateway::start(&["--target", &targets[0]]);
    let (code, reason) = closed(gateway.connect("host=name").await).await;
    assert!(code == 4495 && reason.contains("certificate authority"), "{code}: {reason}");
}

#[tokio::test]
async fn a_token_brings_its_own_authority() {
    let folder = Folder::new("token-ca");
    let authority = Authority::new();
    let ca = folder.file("ca.pem", &authority.pem);
    let key = folder.file("key", "0123456789abcdef0123456789abcdef");
    let port = server(authority.issue("vm.example.org")).await;
    let gateway = Gateway::start(&["--token-key", &key]);
    let address = format!("spice+tls://127.0.0.1:{port}?subject=O=Lab,CN=node");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_gateway"))
        .args(["token", "--key", &key, "--ca", &ca, &address])
        .output()
        .unwrap();
    let token = String::from_utf8(output.stdout).unwrap();
    let (bytes, code, _) = drain(&mut gateway.connect(&format!("token={}", token.trim())).await).await;
    assert_eq!((&bytes[..], code), (&b"hello"[..], 1000));
}

#[tokio::test]
async fn the_gateway_itself_speaks_tls() {
    let folder = Folder::new("own-tls");
    let authority = Authority::new();
    let (certificate, key) = authority.issue("localhost");
    let (certificate, key) = (folder.file("cert.pem", certificate), folder.file("key.pem", key));
    let (listener, port) = listen().await;
    let rule = format!("127.0.0.1:{port}");
    let gateway = Gateway::start(&["--allow", &rule, "--tls-cert", &certificate, "--tls-key", &key]);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let request = request(&format!("wss://localhost/spice?host=127.0.0.1&port={port}"), &[]);
    let (_socket, answer) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "binary");
    listener.accept().await.unwrap();
    // Somebody who speaks no TLS does no harm.
    let mut stranger = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
    stranger.write_all(b"GET /health HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = stranger.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"));
    assert!(get(gateway.metrics, "/health", "").0.starts_with("http/1.1 200"));
}
