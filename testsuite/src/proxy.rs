//! A relay between client and server that strikes after a chosen number of bytes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::Result;
use crate::net;

/// What happens when the count is reached; called once.
type Strike = Box<dyn FnOnce() + Send>;

/// Relays every connection to a server and counts what the server sends, over all connections together.
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

struct State {
    target: u16,
    /// Bytes from server to client that were passed on.
    passed: AtomicU64,
    /// After how many of them to strike.
    bound: u64,
    /// Set when the count is reached, before the strike: a client may notice that before it has returned.
    reached: AtomicBool,
    /// Set when the strike has been made.
    struck: AtomicBool,
    /// Set when nobody needs the relay any more.
    over: AtomicBool,
    strike: Mutex<Option<Strike>>,
}

impl Proxy {
    /// A relay to loopback port `target` that only counts.
    pub fn counting(target: u16) -> Result<Self> {
        Self::start(target, u64::MAX, Box::new(|| {}))
    }

    /// A relay that passes `bound` bytes of the server, then calls `strike`, and closes every connection.
    ///
    /// Not a byte more reaches the client, so the moment is exact although processes take their time to die.
    pub fn striking(target: u16, bound: u64, strike: impl FnOnce() + Send + 'static) -> Result<Self> {
        Self::start(target, bound, Box::new(strike))
    }

    fn start(target: u16, bound: u64, strike: Strike) -> Result<Self> {
        let (listener, port) = net::listen()?;
        listener.set_nonblocking(true).map_err(|error| format!("relay: {error}"))?;
        let state = Arc::new(State {
            target,
            passed: AtomicU64::new(0),
            bound,
            reached: AtomicBool::new(false),
            struck: AtomicBool::new(false),
            over: AtomicBool::new(false),
            strike: Mutex::new(Some(strike)),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || shared.accept(&listener));
        Ok(Self { port, state })
    }

    /// The loopback port on which the relay listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Bytes that the client has got so far.
    pub fn passed(&self) -> u64 {
        self.state.passed.load(Ordering::SeqCst)
    }

    /// Whether the count was reached.
    pub fn struck(&self) -> bool {
        self.state.reached.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::SeqCst);
        // Whom the strike would hit may be gone after this, and its process id somebody else's.
        if let Ok(mut strike) = self.state.strike.lock() {
            strike.take();
        }
    }
}

impl State {
    fn finished(&self) -> bool {
        self.over.load(Ordering::SeqCst) || self.struck.load(Ordering::SeqCst)
    }

    fn accept(self: Arc<Self>, listener: &TcpListener) {
        while !self.finished() {
            let Ok((client, _)) = listener.accept() else {
                thread::sleep(Duration::from_millis(2));
                continue;
            };
            let Ok(server) = TcpStream::connect(net::loopback(self.target)) else { continue };
            let _ = client.set_nonblocking(false);
            for stream in [&client, &server] {
                let _ = stream.set_nodelay(true);
                // A bounded read lets the threads see that it is over.
                let _ = stream.set_read_timeout(Some(Duration::from_millis(20)));
            }
            let (Ok(from_client), Ok(to_server)) = (client.try_clone(), server.try_clone()) else { continue };
            let up = Arc::clone(&self);
            thread::spawn(move || up.relay(from_client, to_server, false));
            let down = Arc::clone(&self);
            thread::spawn(move || down.relay(server, client, true));
        }
    }

    /// Copies one direction until either side closes or it is over.
    fn relay(&self, mut from: TcpStream, mut to: TcpStream, counted: bool) {
        let mut block = [0; 16 * 1024];
        while !self.finished() {
            let count = match from.read(&mut block) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if net::timed_out(&error) => continue,
                Err(_) => break,
            };
            let allowed = if counted { self.take(count) } else { count };
            if to.write_all(&block[..allowed]).is_err() {
                break;
            }
            if allowed < count {
                self.strike();
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    /// How many of `count` bytes may still pass.
    fn take(&self, count: usize) -> usize {
        let mut current = self.passed.load(Ordering::SeqCst);
        loop {
            let allowed = self.bound.saturating_sub(current).min(count as u64);
            match self.passed.compare_exchange(current, current + allowed, Ordering::SeqCst, Ordering::SeqCst)
            {
                Ok(_) => return allowed as usize,
                Err(now) => current = now,
            }
        }
    }

    fn strike(&self) {
        self.reached.store(true, Ordering::SeqCst);
        if let Ok(mut strike) = self.strike.lock()
            && let Some(strike) = strike.take()
        {
            strike();
        }
        self.struck.store(true, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_gets_exactly_the_bytes_before_the_strike() {
        let server = net::http_server().unwrap();
        let (told, heard) = std::sync::mpsc::channel();
        let proxy = Proxy::striking(server, 12, move || told.send(()).unwrap()).unwrap();
        let mut client = TcpStream::connect(net::loopback(proxy.port())).unwrap();
        client.write_all(b"hello").unwrap();
        let mut got = Vec::new();
        let _ = client.read_to_end(&mut got);
        assert_eq!(got, b"HTTP/1.1 400");
        heard.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(proxy.passed(), 12);
    }

    #[test]
    fn a_counting_relay_passes_everything() {
        let proxy = Proxy::counting(net::http_server().unwrap()).unwrap();
        let mut client = TcpStream::connect(net::loopback(proxy.port())).unwrap();
        client.write_all(b"hello").unwrap();
        let mut got = Vec::new();
        client.read_to_end(&mut got).unwrap();
        assert_eq!(proxy.passed(), got.len() as u64);
        assert!(!proxy.struck());
    }
}
