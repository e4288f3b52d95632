//! TCP and unix sockets, timers and randomness from tokio and the operating system.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::io::{AsyncRead, AsyncWrite};
use socket2::{SockRef, TcpKeepalive};
use spice_proto::Instant;
use spice_proto::session::{Address, Endpoint, Security};
use spice_proto::types::ChannelId;
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

use crate::transport::Platform;

/// The platform of a tokio runtime with its I/O and time drivers enabled.
#[derive(Clone, Debug)]
pub struct Tokio {
    epoch: tokio::time::Instant,
}

impl Tokio {
    /// A platform whose epoch is now.
    pub fn new() -> Self {
        Self { epoch: tokio::time::Instant::now() }
    }
}

impl Default for Tokio {
    fn default() -> Self {
        Self::new()
    }
}

impl Platform for Tokio {
    type Stream = Stream;
    type Connect = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;
    type Sleep = Pin<Box<tokio::time::Sleep>>;

    fn connect(&mut self, endpoint: &Endpoint, _channel: ChannelId) -> Self::Connect {
        let endpoint = endpoint.clone();
        Box::pin(open(endpoint))
    }

    fn sleep(&mut self, duration: Duration) -> Self::Sleep {
        Box::pin(tokio::time::sleep(duration))
    }

    fn now(&self) -> Instant {
        Instant::new(self.epoch.elapsed())
    }

    fn entropy(&mut self) -> io::Result<[u8; 32]> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        Ok(bytes)
    }
}

async fn open(endpoint: Endpoint) -> io::Result<Stream> {
    if endpoint.security == Security::Tls {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this client does not speak TLS, use the server's plain port",
        ));
    }
    match endpoint.address {
        Address::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), port)).await?;
            stream.set_nodelay(true)?;
            SockRef::from(&stream).set_tcp_keepalive(&KEEPALIVE)?;
            Ok(Stream(Either::Tcp(stream.compat())))
        }
        #[cfg(unix)]
        Address::Unix { path } => Ok(Stream(Either::Unix(unix(&path).await?.compat()))),
        other => {
            Err(io::Error::new(io::ErrorKind::Unsupported, format!("{other} is not a TCP or unix address")))
        }
    }
}

#[cfg(unix)]
async fn unix(path: &str) -> io::Result<UnixStream> {
    #[cfg(target_os = "linux")]
    if let Some(name) = path.strip_prefix('@') {
        use std::os::linux::net::SocketAddrExt;
        let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
        let stream = std::os::unix::net::UnixStream::connect_addr(&address)?;
        stream.set_nonblocking(true)?;
        return UnixStream::from_std(stream);
    }
    UnixStream::connect(path).await
}

/// A TCP or unix socket.
#[derive(Debug)]
pub struct Stream(Either);

#[derive(Debug)]
enum Either {
    Tcp(Compat<TcpStream>),
    #[cfg(unix)]
    Unix(Compat<UnixStream>),
}

macro_rules! either {
    ($self:ident, $stream:ident => $call:expr) => {
        match &mut $self.get_mut().0 {
            Either::Tcp(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            #[cfg(unix)]
            Either::Unix(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_flush(cx))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_close(cx))
    }
}

/// A server that vanishes without a word is noticed after some minutes; one that lives answers these by itself.
const KEEPALIVE: TcpKeepalive =
    TcpKeepalive::new().with_time(Duration::from_secs(30)).with_interval(Duration::from_secs(15));
