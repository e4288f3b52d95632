//! A running gateway, its clients and its servers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

pub(crate) type Socket = WebSocketStream<tokio::net::TcpStream>;

/// A gateway process. Dropping it ends it.
pub(crate) struct Gateway {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Where it serves metrics.
    pub(crate) metrics: SocketAddr,
    log: Arc<Mutex<String>>,
    /// Its log, kept open where nobody reads it.
    _unread: Option<BufReader<ChildStdout>>,
}

impl Gateway {
    /// Starts `gateway serve` on ports of its own with these options, and waits until it listens.
    pub(crate) fn start(options: &[&str]) -> Self {
        let mut child = Self::spawn(options);
        let (address, metrics, output) = Self::addresses(&mut child);
        let log = Arc::new(Mutex::new(String::new()));
        let lines = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                lines.lock().expect("the log").push_str(&format!("{line}\n"));
            }
        });
        Self { child, address, metrics, log, _unread: None }
    }

    /// A gateway whose log nobody reads: its pipe stays open, or is closed.
    pub(crate) fn start_unread(options: &[&str], is_open: bool) -> Self {
        let mut child = Self::spawn(options);
        let (address, metrics, output) = Self::addresses(&mut child);
        Self { child, address, metrics, log: Arc::default(), _unread: is_open.then_some(output) }
    }

    fn spawn(options: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_gateway"))
            .args(["serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the gateway starts")
    }

    /// What a gateway says first: where it listens, and where it serves metrics.
    fn addresses(child: &mut Child) -> (SocketAddr, SocketAddr, BufReader<ChildStdout>) {
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (mut address, mut metrics) = (None, None);
        while address.is_none() || metrics.is_none() {
            let mut line = String::new();
            assert_ne!(output.read_line(&mut line).expect("a line"), 0, "the gateway ended");
            let found =
                |line: &str| line.split_once("://")?.1.trim().trim_end_matches("/metrics").parse().ok();
            match line.starts_with("metrics") {
                true => metrics = found(&line),
                false => address = found(&line).or(address),
            }
        }
        (address.expect("found"), metrics.expect("found"), output)
    }

    /// A gateway that leads to every loopback port.
    pub(crate) fn open() -> Self {
        Self::start(&["--allow", "127.0.0.1:1-65535"])
    }

    /// Opens a WebSocket with this query.
    pub(crate) async fn connect(&self, query: &str) -> Socket {
        self.try_connect(query, &[]).await.unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    /// Opens a WebSocket to a loopback port.
    pub(crate) async fn connect_to(&self, port: u16) -> Socket {
        self.connect(&format!("host=127.0.0.1&port={port}")).await
    }

    pub(crate) async fn try_connect(
        &self,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Socket, Error> {
        let request = request(&format!("ws://{}/spice?{query}", self.address), headers);
        let stream = tokio::net::TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(tokio_tungstenite::client_async(request, stream).await?.0)
    }

    /// A plain request: the head and the body of the answer.
    pub(crate) fn get(&self, path: &str, headers: &str) -> (String, Vec<u8>) {
        get(self.address, path, headers)
    }

    /// The value of a metric, with its labels.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let (_, body) = get(self.metrics, "/metrics", "");
        let text = String::from_utf8(body).expect("text");
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |value| value.parse().expect("a number"))
    }

    /// Time on the processors in ticks, where the system tells it as Linux does.
    pub(crate) fn cpu_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
    }

    /// What it wrote to its log so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("the log").clone()
    }

    /// Asks the process to terminate.
    pub(crate) fn terminate(&self) {
        let id = self.child.id();
        let sent = Command::new("sh").args(["-c", &format!("kill -TERM {id}")]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    /// Waits for the end of the process.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a status") {
                return status;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "the gateway did not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the gateway said:\n{}", self.log());
        }
    }
}

/// A WebSocket request with subprotocol `binary`.
pub(crate) fn request(url: &str, headers: &[(&'static str, &str)]) -> http::Request<()> {
    let mut request = url.into_client_request().expect("an address");
    request.headers_mut().insert("sec-websocket-protocol", "binary".parse().expect("a header"));
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().expect("a header"));
    }
    request
}

pub(crate) fn get(address: SocketAddr, path: &str, headers: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(answer[..end].to_vec()).expect("text").to_lowercase();
    (head, answer.split_off(end + 4))
}

/// A loopback listener.
pub(crate) async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

/// Reads to the close frame: what came before it, its code and its reason.
pub(crate) async fn drain(socket: &mut Socket) -> (Vec<u8>, u16, String) {
    let mut bytes = Vec::new();
    loop {
        let message = tokio::time::timeout(Duration::from_secs(30), socket.next()).await.expect("in time");
        match message {
            Some(Ok(Message::Binary(part))) => bytes.extend_from_slice(&part),
            Some(Ok(Message::Close(Some(frame)))) => {
                return (bytes, frame.code.into(), frame.reason.to_string());
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => panic!("no close frame but {other:?}"),
        }
    }
}

/// The close frame of a WebSocket that says nothing else.
pub(crate) async fn closed(mut socket: Socket) -> (u16, String) {
    let (bytes, code, reason) = drain(&mut socket).await;
    assert_eq!(bytes, []);
    (code, reason)
}

pub(crate) async fn send(socket: &mut Socket, bytes: &[u8]) {
    socket.send(Message::Binary(bytes.to_vec().into())).await.expect("sent");
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, is_so: impl FnMut() -> bool) {
    until_in(what, Duration::from_secs(30), is_so).await;
}

/// Waits so long until something is so.
pub(crate) async fn until_in(what: &str, patience: Duration, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < patience, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Bytes that repeat late.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut step = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| step()).collect()
}

/// A folder that goes away with its handle.
pub(crate) struct Folder(pub(crate) std::path::PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("gateway-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// Writes a file; returns its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, content).expect("a file");
        path.to_str().expect("a path").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
