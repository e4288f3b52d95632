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

use crate::routes::Peer;
use crate::upstream::Io;

/// Serves until told to stop.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                println!("a connection cannot be taken in: {error}");
                // Out of file descriptors, most likely: wait until some are free.
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let (tls, router, stop) = (tls.clone(), router.clone(), stop.clone());
        tokio::spawn(async move {
            // Errors are those of strangers; a log of them helps nobody.
            if let Ok(stream) = secure(stream, tls).await {
                http(stream, Peer(peer), router, stop).await;
            }
            drop(place);
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
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        _ = &mut connection => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(PATIENCE, connection).await;
        }
    }
}

/// Connections at most that speak HTTP, or are about to; WebSockets have a limit of their own.
const CONNECTIONS: usize = 1024;
/// How long a client may take for a handshake, a request, or the next request.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of a request's head at most. Tokens with a certificate authority in them are long.
const HEADERS: usize = 32 << 10;
