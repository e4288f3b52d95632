//! Taking connections in: sockets, TLS, HTTP.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::origin;
use crate::routes::{Gateway, Peer};
use crate::stall::Stall;
use crate::upstream::Io;

/// Serves until told to stop; the `public` is let in in moderation only.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    gateway: Arc<Gateway>,
    is_public: bool,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                gateway.log.line(format!("a connection cannot be taken in: {error}"));
                // Out of file descriptors, most likely: wait until some are free.
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        // A proxy that is trusted counts its clients itself.
        let is_counted = is_public && !origin::is_trusted(address.ip(), &gateway.trusted);
        let visit = if is_counted { gateway.limits.visit(address.ip()) } else { None };
        if is_counted && visit.is_none() {
            gateway.log.refused(address.ip(), "too many connections that speak HTTP");
            continue;
        }
        let peer = Peer { address, is_secure: tls.is_some() };
        let (tls, router, stop) = (tls.clone(), router.clone(), stop.clone());
        tokio::spawn(async move {
            // Errors are those of strangers; a log of them helps nobody.
            if let Ok(stream) = secure(stream, tls).await {
                http(stream, peer, router, stop).await;
            }
            drop((place, visit));
        });
    }
}

async fn secure(stream: TcpStream, tls: Option<TlsAcceptor>) -> io::Result<Box<dyn Io>> {
    stream.set_nodelay(true)?;
    match tls {
        None => Ok(Box::new(stream)),
        Some(tls) => {
            let stream = tokio::time::timeout(PATIENCE, tls.accept(stream)).await??;
            Ok(Box::new(stream))
        }
    }
}

/// Answers the requests of one connection; one that becomes a WebSocket goes on elsewhere.
async fn http(stream: Box<dyn Io>, peer: Peer, router: Router, stop: CancellationToken) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        TowerToHyperService::new(router.clone()).call(request)
    });
    let (stream, _guard) = Stall::new(stream, PATIENCE);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let patience = tokio::select! {
        _ = &mut connection => return,
        () = stop.cancelled() => PATIENCE,
        () = tokio::time::sleep(LIFE) => LAST_ANSWER,
    };
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(patience, connection).await;
}

/// Connections at most that speak HTTP, or are about to; WebSockets have a limit of their own.
const CONNECTIONS: usize = 1024;
/// How long a client may take for a handshake, a request, the next request, or to take some of an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may go from request to request; browsers open another one.
const LIFE: Duration = Duration::from_secs(300);
/// How long the answer may take that is on its way then.
const LAST_ANSWER: Duration = Duration::from_secs(120);
/// Bytes of a request's head at most. Tokens with a certificate authority in them are long.
const HEADERS: usize = 32 << 10;
