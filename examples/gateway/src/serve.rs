//! Taking connections in: sockets, TLS, HTTP.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use http::Request;
use http::header::{CONNECTION, HeaderValue};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::late::{Late, Reserve};
use crate::origin;
use crate::routes::{Gateway, HEALTH, NoPlace, Peer};
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
    // One client's flood is not to take the seats of others.
    let (reserve, surplus) = (Reserve::new(LATE), Reserve::new(LATE));
    loop {
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
        let (place, late) = if is_counted && visit.is_none() {
            gateway.log.refused(address.ip(), "too many connections that speak HTTP");
            (None, Some(Late::new(&surplus, address.ip(), None)))
        } else {
            match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => (Some(place), None),
                Err(_) => (None, Some(Late::new(&reserve, address.ip(), Some(Arc::clone(&places))))),
            }
        };
        let peer = Peer { address, is_secure: tls.is_some() };
        let (tls, router, stop) = (tls.clone(), router.clone(), stop.clone());
        tokio::spawn(async move {
            // Errors are those of strangers; a log of them helps nobody.
            match late {
                None => {
                    if let Ok(stream) = secure(stream, tls).await {
                        let service = service_fn(|request| answer(request, peer, &router));
                        http(stream, service, PATIENCE, stop).await;
                    }
                }
                Some(late) => tokio::select! {
                    () = late.lost() => {}
                    () = async {
                        if let Ok(stream) = secure(stream, tls).await {
                            let service = service_fn(|request| answer_late(request, peer, &router, &late));
                            http(stream, service, LATE_PATIENCE, stop).await;
                        }
                    } => {}
                },
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

/// Answers one request.
async fn answer(mut request: Request<Incoming>, peer: Peer, router: &Router) -> Result<Response, Infallible> {
    request.extensions_mut().insert(peer);
    TowerToHyperService::new(router.clone()).call(request).await
}

/// Answers one request of a connection that has no place yet.
async fn answer_late(
    mut request: Request<Incoming>,
    peer: Peer,
    router: &Router,
    late: &Late,
) -> Result<Response, Infallible> {
    if request.uri().path() != HEALTH && !late.wait().await {
        request.extensions_mut().insert(NoPlace);
    }
    let mut response = answer(request, peer, router).await?;
    if !late.has_place() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// Answers the requests of one connection; one that becomes a WebSocket goes on elsewhere. A request's head may take so long.
async fn http(
    stream: Box<dyn Io>,
    service: impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>,
    patience: Duration,
    stop: CancellationToken,
) {
    let (stream, _guard) = Stall::new(stream, PATIENCE);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let last = tokio::select! {
        _ = &mut connection => return,
        () = stop.cancelled() => PATIENCE,
        () = tokio::time::sleep(LIFE) => LAST_ANSWER,
    };
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(last, connection).await;
}

/// Connections at most that speak HTTP, or are about to; WebSockets have a limit of their own.
const CONNECTIONS: usize = 1024;
/// Connections beyond those, or beyond what a client may have, that are taken in all the same; of each kind.
const LATE: usize = 64;
/// How long one of those may take for a request, or the next one.
const LATE_PATIENCE: Duration = Duration::from_secs(2);
/// How long a client may take for a handshake, a request, the next request, or to take some of an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may go from request to request; browsers open another one.
const LIFE: Duration = Duration::from_secs(300);
/// How long the answer may take that is on its way then.
const LAST_ANSWER: Duration = Duration::from_secs(120);
/// Bytes of a request's head at most. Tokens with a certificate authority in them are long.
const HEADERS: usize = 32 << 10;
