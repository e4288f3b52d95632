//! A relay that turns a decent server into one that floods its clients.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::{Result, net};

/// A stream on which nothing came for so long is between two messages.
const QUIET: Duration = Duration::from_millis(400);

/// Between the messages and their next repetition.
const PAUSE: Duration = Duration::from_millis(1);

/// Relays connections to a server; once a channel is quiet, it sends endless messages there and reads nothing any more.
pub struct Flood {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Bytes of the flood that were taken from it.
    sent: AtomicU64,
    /// Connections that the flood has broken.
    broken: AtomicU64,
    over: AtomicBool,
}

impl Flood {
    /// A relay to loopback port `target`. `messages` are what the flood repeats.
    pub fn start(target: u16, messages: Vec<u8>) -> Result<Self> {
        let (listener, port) = net::listen()?;
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || shared.accept(&listener, target, &messages));
        Ok(Self { port, state })
    }

    /// The loopback port on which the relay listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Bytes of the flood that somebody has taken.
    pub fn sent(&self) -> u64 {
        self.state.sent.load(Ordering::SeqCst)
    }

    /// Connections that did not bear it.
    pub fn broken(&self) -> u64 {
        self.state.broken.load(Ordering::SeqCst)
    }
}

/// What the server has sent of the link stage: a head of 16 bytes whose last four say how much follows it, and the result of the
/// authentication.
#[derive(Default)]
struct Link {
    head: Vec<u8>,
    sent: usize,
}

impl Link {
    fn take(&mut self, bytes: &[u8]) {
        let missing = 16 - self.head.len();
        self.head.extend(bytes.iter().take(missing));
        self.sent += bytes.len();
    }

    fn is_done(&self) -> bool {
        let size = self.head.get(12..16).and_then(|size| <[u8; 4]>::try_from(size).ok());
        size.is_some_and(|size| self.sent >= 16 + u32::from_le_bytes(size) as usize + 4)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::SeqCst);
        // Wakes who waits for a connection.
        drop(TcpStream::connect(net::loopback(self.port)));
    }
}

impl State {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn accept(self: Arc<Self>, listener: &TcpListener, target: u16, messages: &[u8]) {
        while let Ok((client, _)) = listener.accept() {
            if self.is_over() {
                return;
            }
            let Ok(server) = TcpStream::connect(net::loopback(target)) else { continue };
            let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) else { continue };
            let floods = Arc::new(AtomicBool::new(false));
            let (shared, flag) = (Arc::clone(&self), Arc::clone(&floods));
            thread::spawn(move || shared.up(from, to, &flag));
            let (shared, messages) = (Arc::clone(&self), messages.to_vec());
            thread::spawn(move || shared.down(server, client, &floods, &messages));
        }
    }

    /// From the client, until the flood begins.
    fn up(&self, mut from: TcpStream, mut to: TcpStream, floods: &AtomicBool) {
        let mut block = [0; 4096];
        let _ = from.set_read_timeout(Some(Duration::from_millis(50)));
        while !floods.load(Ordering::SeqCst) && !self.is_over() {
            match from.read(&mut block) {
                Ok(0) => return,
                Ok(count) if to.write_all(&block[..count]).is_err() => return,
                Err(error) if !net::timed_out(&error) => return,
                _ => {}
            }
        }
    }

    /// To the client: what the server has to say, then the flood.
    fn down(&self, mut from: TcpStream, mut to: TcpStream, floods: &AtomicBool, messages: &[u8]) {
        let mut block = [0; 16 << 10];
        let _ = from.set_read_timeout(Some(QUIET));
        let mut link = Link::default();
        loop {
            match from.read(&mut block) {
                Ok(0) => return,
                Ok(count) if to.write_all(&block[..count]).is_err() => return,
                Ok(count) => link.take(&block[..count]),
                Err(error) if net::timed_out(&error) => {
                    // Before that, it is the client who takes its time.
                    if link.is_done() || self.is_over() {
                        break;
                    }
                }
                Err(_) => return,
            }
        }
        floods.store(true, Ordering::SeqCst);
        let _ = to.set_write_timeout(Some(Duration::from_secs(1)));
        while !self.is_over() {
            // Networks are slower than the way inside of one machine, which would keep everything else from it too.
            thread::sleep(PAUSE);
            match to.write(messages) {
                Ok(count) if count == messages.len() => {
                    self.sent.fetch_add(count as u64, Ordering::SeqCst);
                }
                // A message in part: the rest has to follow, whenever that may be.
                Ok(count) => {
                    if self.rest(&mut to, &messages[count..]).is_err() {
                        break;
                    }
                }
                Err(error) if net::timed_out(&error) => {}
                Err(_) => break,
            }
        }
        self.broken.fetch_add(1, Ordering::SeqCst);
    }

    fn rest(&self, to: &mut TcpStream, mut rest: &[u8]) -> std::io::Result<()> {
        while !rest.is_empty() && !self.is_over() {
            match to.write(rest) {
                Ok(count) => {
                    self.sent.fetch_add(count as u64, Ordering::SeqCst);
                    rest = &rest[count..];
                }
                Err(error) if net::timed_out(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
