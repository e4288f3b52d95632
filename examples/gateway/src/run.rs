//! From options to a running gateway, and its end.

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::allow::AllowList;
use crate::limits::Limits;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::options::{Command, Options, Serve, Token};
use crate::routes::{self, Gateway, REFUSALS};
use crate::serve::serve;
use crate::token::{Claims, Keys};
use crate::upstream::{self, Connector};

/// Does what the options say; `gateway serve` returns when the process is told to stop.
///
/// # Errors
/// When a file cannot be read, or an address cannot be listened on; the error is a sentence.
pub async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    match options.command {
        Command::Serve(options) => start(options).await,
        Command::Token(options) => token(&options),
    }
}

fn token(options: &Token) -> Result<(), Box<dyn Error>> {
    let mut claims = Claims::new(&options.address, Duration::from_secs(options.expires));
    if let Some(path) = &options.ca {
        if !claims.tls {
            return Err("--ca is for servers that speak TLS: write spice+tls://HOST:PORT".into());
        }
        upstream::read_roots(path)?;
        claims.ca = Some(std::fs::read_to_string(path)?);
    }
    println!("{}", Keys::read(&options.key)?.sign(&claims));
    Ok(())
}

async fn start(options: Serve) -> Result<(), Box<dyn Error>> {
    // Each bridge has two sockets; the system's usual 1024 descriptors are soon used up.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let provider = Arc::new(ring::default_provider());
    let acceptor = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Some(acceptor(certificate, key, &provider)?),
        _ => None,
    };
    if let Some(folder) = options.web.as_ref().filter(|folder| !folder.is_dir()) {
        return Err(format!("{}: there is no such folder; build the page first", folder.display()).into());
    }
    let log = Log::start();
    let gateway = Arc::new(gateway(&options, log.clone(), provider)?);
    let router = routes::public(Arc::clone(&gateway), options.web.as_deref(), &options.frame_ancestor);
    let scheme = if acceptor.is_some() { "https" } else { "http" };
    let mut signals = Signals::new()?;
    let closing = CancellationToken::new();
    let mut listeners = JoinSet::new();
    let mut listening = options.listen.clone();
    if listening.is_empty() {
        listening.push(([127, 0, 0, 1], 8080).into());
    }
    for address in listening {
        let listener = listen(address).await?;
        log.line(format!("listening on {scheme}://{}", listener.local_addr()?));
        let (gateway, closing) = (Arc::clone(&gateway), closing.clone());
        listeners.spawn(serve(listener, acceptor.clone(), router.clone(), gateway, true, closing));
    }
    if let Some(address) = options.metrics {
        let listener = listen(address).await?;
        log.line(format!("metrics on http://{}/metrics", listener.local_addr()?));
        let private = routes::private(Arc::clone(&gateway));
        listeners.spawn(serve(listener, None, private, Arc::clone(&gateway), false, closing.clone()));
    }
    tokio::select! {
        stopped = signals.next() => stopped?,
        // Whoever started it can start it again; a gateway that takes nothing in would only look alive.
        Some(ended) = listeners.join_next() => {
            ended?;
            return Err("no connections are taken in any more".into());
        }
    }
    gateway.draining.cancel();
    if options.drain > 0 {
        log.line(format!("draining for {} s", options.drain));
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(options.drain)) => {}
            stopped = signals.next() => stopped?,
        }
    }
    closing.cancel();
    gateway.stop.cancel();
    gateway.tasks.close();
    if tokio::time::timeout(FAREWELL, gateway.tasks.wait()).await.is_err() {
        log.line(format!("{} connections are cut", gateway.tasks.len()));
    }
    log.line("stopped".into());
    log.flush();
    Ok(())
}

fn gateway(options: &Serve, log: Log, provider: Arc<CryptoProvider>) -> Result<Gateway, Box<dyn Error>> {
    let mut allow = AllowList { rules: options.allow.clone(), ..AllowList::default() };
    for target in &options.target {
        allow.name(target)?;
    }
    let keys = options.token_key.as_deref().map(Keys::read).transpose()?;
    if allow.is_empty() && keys.is_none() {
        log.line("no server is allowed: give --allow, --target or --token-key".into());
    }
    let roots = options.upstream_ca.as_deref().map(upstream::read_roots).transpose()?.map(Arc::new);
    Ok(Gateway {
        allow,
        keys,
        origins: options.origin.clone(),
        trusted: options.trusted_proxy.clone(),
        idle: Duration::from_secs(options.idle_timeout),
        limits: Limits::new(options.max_connections, options.max_per_client),
        connector: Connector { roots, timeout: Duration::from_secs(options.connect_timeout), provider },
        metrics: Metrics::new(log.dropped.clone()),
        log,
        refusals: Arc::new(Semaphore::new(REFUSALS)),
        tasks: TaskTracker::new(),
        draining: CancellationToken::new(),
        stop: CancellationToken::new(),
    })
}

fn acceptor(
    certificate: &Path,
    key: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<TlsAcceptor, Box<dyn Error>> {
    let in_file = |path: &Path, reason: &dyn std::fmt::Display| format!("{}: {reason}", path.display());
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| in_file(certificate, &error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| in_file(key, &error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| in_file(certificate, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn listen(address: std::net::SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))
}

/// Interrupts and requests to terminate. Made once, so that none is missed between two waits.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            Ok(Self { terminate, interrupt })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    async fn next(&mut self) -> io::Result<()> {
        #[cfg(unix)]
        {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
            Ok(())
        }
        #[cfg(not(unix))]
        tokio::signal::ctrl_c().await
    }
}

/// How long connections may take to say why they end.
const FAREWELL: Duration = Duration::from_secs(6);
