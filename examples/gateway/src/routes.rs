//! What is answered under which path.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Extension, RawQuery, Request, State};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use ipnet::IpNet;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::compression::CompressionLayer;
use tower_http::services::ServeDir;

use crate::allow::AllowList;
use crate::bridge::{self, Bridge};
use crate::close::End;
use crate::limits::Limits;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::origin;
use crate::target::Target;
use crate::token::{Keys, TokenError};
use crate::upstream::Connector;

/// What all connections share.
pub(crate) struct Gateway {
    pub(crate) allow: AllowList,
    pub(crate) keys: Option<Keys>,
    pub(crate) origins: Vec<String>,
    pub(crate) trusted: Vec<IpNet>,
    pub(crate) idle: Duration,
    pub(crate) limits: Limits,
    pub(crate) log: Log,
    pub(crate) connector: Connector,
    pub(crate) metrics: Metrics,
    /// Places for connections that are taken in only to be told why they are refused.
    pub(crate) refusals: Arc<Semaphore>,
    /// Bridges under way.
    pub(crate) tasks: TaskTracker,
    /// Set when new clients should go elsewhere.
    pub(crate) draining: CancellationToken,
    /// Set when every connection has to end.
    pub(crate) stop: CancellationToken,
}

/// Where a connection comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// Whether it came through TLS of the gateway's own.
    pub(crate) is_secure: bool,
}

/// On a request that comes by one connection too many: it is refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoPlace;

/// Everything that the public sees.
pub(crate) fn public(gateway: Arc<Gateway>, web: Option<&Path>, ancestors: &[String]) -> Router {
    let router = Router::new().route("/spice", get(spice)).route(HEALTH, get(health)).with_state(gateway);
    let router = match web {
        Some(folder) => router.fallback_service(ServeDir::new(folder).precompressed_gzip()),
        None => router.fallback(|| async {
            (StatusCode::NOT_FOUND, "This gateway serves no page; its WebSocket is at /spice.\n")
        }),
    };
    let headers = headers(ancestors);
    let router = router.layer(from_fn(async |request: Request, next: Next| {
        if request.extensions().get::<NoPlace>().is_none() {
            return next.run(request).await;
        }
        let busy =
            "There are too many connections from your address. Close some, or try again in a moment.\n";
        (StatusCode::SERVICE_UNAVAILABLE, busy).into_response()
    }));
    router.layer(CompressionLayer::new()).layer(map_response(move |mut response: Response| {
        // A folder asked for as //folder would be sent on to a host of that name.
        let location = response.headers().get(header::LOCATION);
        if location.is_some_and(|location| location.as_bytes().starts_with(b"//")) {
            response = StatusCode::NOT_FOUND.into_response();
        }
        for (name, value) in &headers {
            response.headers_mut().insert(name, value.clone());
        }
        std::future::ready(response)
    }))
}

/// What only the operator should see.
pub(crate) fn private(gateway: Arc<Gateway>) -> Router {
    let metrics = async |State(gateway): State<Arc<Gateway>>| {
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        ([(header::CONTENT_TYPE, kind)], gateway.metrics.text(&gateway.limits))
    };
    Router::new().route("/metrics", get(metrics)).route(HEALTH, get(health)).with_state(gateway)
}

async fn health(State(gateway): State<Arc<Gateway>>) -> (StatusCode, &'static str) {
    if gateway.draining.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else {
        (StatusCode::OK, "ok\n")
    }
}

async fn spice(
    State(gateway): State<Arc<Gateway>>,
    Extension(peer): Extension<Peer>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(_) => {
            let text = "This is a WebSocket for SPICE clients, with subprotocol \"binary\".\n";
            return (StatusCode::UPGRADE_REQUIRED, [(header::UPGRADE, "websocket")], text).into_response();
        }
    };
    if !origin::may_connect(&headers, peer, &gateway.origins, &gateway.trusted) {
        let text = "Pages of this origin may not connect; the administrator can allow it with --origin.\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    let mut upgrade = upgrade
        .protocols(["binary"])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER)
        .max_message_size(MESSAGE)
        .max_frame_size(MESSAGE);
    if upgrade.selected_protocol().is_none() && upgrade.requested_protocols().next().is_some() {
        return (StatusCode::BAD_REQUEST, "The subprotocol has to be \"binary\".\n").into_response();
    }
    let client = origin::client(&headers, peer.address.ip(), &gateway.trusted);
    let admitted = gateway.find(query.as_deref().unwrap_or_default()).and_then(|target| {
        let place = gateway.limits.admit(client, &target)?;
        Ok((target, place))
    });
    let (target, place) = match admitted {
        Ok(admitted) => admitted,
        Err(end) => {
            // A browser shows its page no HTTP error of a WebSocket, only a close frame.
            gateway.log.refused(client, end.label());
            gateway.metrics.end(&end);
            let Ok(permit) = Arc::clone(&gateway.refusals).try_acquire_owned() else {
                return (StatusCode::SERVICE_UNAVAILABLE, end.sentence()).into_response();
            };
            upgrade = upgrade.max_message_size(READ_BUFFER).max_frame_size(READ_BUFFER);
            return upgrade.on_upgrade(async move |socket| {
                bridge::farewell(socket, &end).await;
                drop(permit);
            });
        }
    };
    let token = gateway.tasks.token();
    upgrade.on_upgrade(async move |socket| {
        gateway.log.line(format!("{client} opens {target}"));
        gateway.metrics.opened.inc();
        let end = match gateway.connector.connect(&target).await {
            Ok(upstream) => {
                let bridge = Bridge {
                    place: &place,
                    metrics: &gateway.metrics,
                    idle: gateway.idle,
                    stop: &gateway.stop,
                };
                bridge.run(socket, upstream).await
            }
            Err(error) => {
                let end = End::Connect(error);
                bridge::farewell(socket, &end).await;
                end
            }
        };
        gateway.log.line(format!("{client} leaves {target}: {}", end.label()));
        gateway.metrics.end(&end);
        drop((place, token));
    })
}

impl Gateway {
    /// The server that a query asks for.
    fn find(&self, query: &str) -> Result<Target, End> {
        let (mut host, mut port, mut token) = (None, None, None);
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            let slot = match &*key {
                "host" => &mut host,
                "port" => &mut port,
                "token" => &mut token,
                _ => continue,
            };
            if slot.replace(value.into_owned()).is_some() {
                return Err(End::BadRequest("The address has a parameter twice."));
            }
        }
        match (token, host) {
            (Some(token), None) if port.is_none() => {
                let keys = self.keys.as_ref().ok_or(End::Token(TokenError::NotTaken))?;
                keys.check(&token).map_err(End::Token)
            }
            (None, Some(host)) => {
                let port = port.filter(|port| !port.is_empty()).map(|port| port.parse()).transpose();
                let port =
                    port.map_err(|_| End::BadRequest("The port has to be a number from 1 to 65535."))?;
                self.allow.find(&host, port).ok_or(End::NotAllowed)
            }
            _ => Err(End::BadRequest("Say which machine: ?host=HOST&port=PORT, ?host=NAME or ?token=TOKEN.")),
        }
    }
}

/// Headers of every answer.
fn headers(ancestors: &[String]) -> Vec<(HeaderName, HeaderValue)> {
    let ancestors = ancestors.join(" ");
    let policy = format!("{POLICY}; frame-ancestors 'self' {ancestors}");
    let mut headers: Vec<_> =
        HEADERS.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect();
    // Options were checked when they were read.
    if let Ok(policy) = HeaderValue::from_str(policy.trim_end()) {
        headers.push((header::CONTENT_SECURITY_POLICY, policy));
    }
    headers
}

/// Nothing but the page's own files, no inline script or style, no eval but WebAssembly. Connections may go to other hosts,
/// because SPICE servers have WebSocket ports of their own; pictures may be made by the page itself.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; \
    img-src 'self' blob: data:; media-src 'self' blob:; font-src 'self'; manifest-src 'self'; \
    connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    // A browser keeps files but asks whether they are still good; the answer is short.
    (header::CACHE_CONTROL, "no-cache"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Where the gateway says how it is.
pub(crate) const HEALTH: &str = "/health";
/// Bytes read at once from a browser. Each connection has such a buffer.
const READ_BUFFER: usize = 8 << 10;
/// Bytes that wait for a browser at most: one message and control frames.
const WRITE_BUFFER: usize = 128 << 10;
/// Bytes of one message from a browser at most.
const MESSAGE: usize = 1 << 20;
/// Connections that are taken in only to be told why they are refused, at most.
pub(crate) const REFUSALS: usize = 256;
