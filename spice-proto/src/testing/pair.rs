//! A session and a server on a virtual clock, with byte streams between them that can be cut up and cut off.
//!
//! ```
//! use spice_proto::session::{Address, Event, SessionConfig};
//! use spice_proto::testing::pair::Pair;
//! use spice_proto::testing::server::ServerConfig;
//!
//! let mut pair = Pair::new(SessionConfig::new(Address::tcp("server", 5930)), ServerConfig::default());
//! pair.drive();
//! assert_eq!(pair.session.open_channels().count(), 4);
//! assert!(pair.events().iter().any(|event| matches!(event, Event::Display(0, _))));
//! ```

use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use bytes::BytesMut;

use crate::link::Entropy;
use crate::session::{Event, Output, Session, SessionConfig, TransportId};
use crate::testing::server::{ConnectionId, Server, ServerConfig, ServerEvent, ServerOutput};
use crate::testing::ticket_key;
use crate::time::Instant;
use crate::types::ChannelId;

/// A session, a server, and what lies between them.
#[derive(Debug)]
pub struct Pair {
    /// The client's side.
    pub session: Session,
    /// The server's side.
    pub server: Server,
    /// How bytes arrive.
    pub chunks: Chunks,
    /// Whether the application leaves its events alone: the session fills up.
    pub is_busy: bool,
    now: Instant,
    wires: Vec<Wire>,
    cut: Option<Cut>,
    seen: Vec<Event>,
    server_seen: Vec<ServerEvent>,
    moved: u64,
    drawn: u8,
}

/// How bytes arrive: in pieces of which lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunks {
    /// All that was sent, at once.
    Whole,
    /// Pieces of so many bytes.
    Of(usize),
    /// Pieces of 1 to 64 bytes, by chance from this seed.
    Random(u64),
}

/// Both directions of one byte stream.
#[derive(Debug)]
struct Wire {
    transport: TransportId,
    channel: ChannelId,
    connection: ConnectionId,
    up: BytesMut,
    down: BytesMut,
    client_closed: bool,
    server_closed: bool,
}

/// Where streams break.
#[derive(Debug)]
struct Cut {
    /// Which of them; all of them without a channel.
    channel: Option<ChannelId>,
    /// Bytes that still pass.
    left: u64,
}

impl Pair {
    /// A session that connects to a server. Nothing has happened yet; call [`drive`](Self::drive).
    pub fn new(session: SessionConfig, server: ServerConfig) -> Self {
        Self {
            session: Session::new(session),
            server: Server::new(server, [7; 32]),
            chunks: Chunks::Whole,
            is_busy: false,
            now: Instant::from_millis(1000),
            wires: Vec::new(),
            cut: None,
            seen: Vec::new(),
            server_seen: Vec::new(),
            moved: 0,
            drawn: 0,
        }
    }

    /// Lets bytes arrive so.
    #[must_use]
    pub fn chunks(mut self, chunks: Chunks) -> Self {
        self.chunks = chunks;
        self
    }

    /// Lets the streams of a channel, or all streams, break once so many bytes have passed on them, both directions
    /// counted. A pair whose streams are all cut opens no others.
    pub fn cut_after(&mut self, channel: Option<ChannelId>, bytes: u64) {
        self.cut = Some(Cut { channel, left: bytes });
        self.snap();
    }

    /// Moves bytes and outputs until nothing more happens at this time.
    pub fn drive(&mut self) {
        while self.outputs() | self.bytes() {}
    }

    /// Lets time pass, then drives.
    pub fn pass(&mut self, duration: Duration) {
        self.now = self.now + duration;
        self.session.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
        self.drive();
    }

    /// Lets time pass until one of both has a deadline, then drives; false when neither has one.
    pub fn pass_to_deadline(&mut self) -> bool {
        let deadline = self.session.poll_timeout().into_iter().chain(self.server.poll_timeout()).min();
        match deadline {
            Some(deadline) => {
                self.pass(deadline.saturating_since(self.now));
                true
            }
            None => false,
        }
    }

    /// What the application was told since the last call.
    pub fn events(&mut self) -> Vec<Event> {
        mem::take(&mut self.seen)
    }

    /// What the server's application was told since the last call.
    pub fn server_events(&mut self) -> Vec<ServerEvent> {
        mem::take(&mut self.server_seen)
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Bytes that have arrived, both directions counted.
    pub fn moved(&self) -> u64 {
        self.moved
    }

    /// Byte streams that are open.
    pub fn streams(&self) -> usize {
        self.wires.len()
    }

    /// Performs what both sides ask for; true when there was anything.
    fn outputs(&mut self) -> bool {
        let mut any = false;
        while let Some(output) =
            if self.is_busy { self.session.poll_io() } else { self.session.poll_output() }
        {
            any = true;
            match output {
                Output::Event(event) => self.seen.push(event),
                Output::Connect { transport, channel, endpoint } => {
                    let is_dead = self.cut.as_ref().is_some_and(|cut| cut.channel.is_none() && cut.left == 0);
                    let accepted = self.server.accept(endpoint.security, self.now);
                    match accepted {
                        Ok(connection) if !is_dead => {
                            self.wires.push(Wire::new(transport, channel, connection));
                            let entropy = self.entropy();
                            self.session.connected(transport, entropy, self.now);
                        }
                        refused => {
                            if let Ok(connection) = refused {
                                self.server.closed(connection, self.now);
                            }
                            self.session.closed(transport, self.now);
                        }
                    }
                }
                Output::Transmit { transport, data } => {
                    if let Some(wire) = self.wires.iter_mut().find(|wire| wire.transport == transport) {
                        wire.up.extend_from_slice(&data);
                    }
                }
                Output::Close { transport } => {
                    if let Some(wire) = self.wires.iter_mut().find(|wire| wire.transport == transport) {
                        wire.client_closed = true;
                    }
                }
            }
        }
        while let Some(output) = self.server.poll_output() {
            any = true;
            match output {
                ServerOutput::Event(ServerEvent::KeyWanted(connection)) => {
                    let entropy = Entropy::new(self.entropy());
                    self.server.key(connection, ticket_key(), entropy, self.now);
                }
                ServerOutput::Event(event) => self.server_seen.push(event),
                ServerOutput::Transmit { connection, data } => {
                    if let Some(wire) = self.wires.iter_mut().find(|w| w.connection == connection) {
                        wire.down.extend_from_slice(&data);
                    }
                }
                ServerOutput::Close { connection } => {
                    if let Some(wire) = self.wires.iter_mut().find(|w| w.connection == connection) {
                        wire.server_closed = true;
                    }
                }
            }
        }
        any
    }

    /// Moves a piece in each direction of each stream; true when anything moved or ended.
    fn bytes(&mut self) -> bool {
        let mut any = false;
        for index in 0..self.wires.len() {
            any |= self.up(index) | self.down(index);
        }
        any |= self.snap();
        let (now, session, server) = (self.now, &mut self.session, &mut self.server);
        self.wires.retain(|wire| {
            // An end is seen behind the last byte, and bytes towards an end that is closed are lost.
            let ended_up = wire.client_closed && (wire.up.is_empty() || wire.server_closed);
            let ended_down = wire.server_closed && (wire.down.is_empty() || wire.client_closed);
            if ended_up {
                server.closed(wire.connection, now);
            }
            if ended_down && !wire.client_closed {
                session.closed(wire.transport, now);
            }
            any |= ended_up || ended_down;
            !(ended_up || ended_down)
        });
        any
    }

    fn up(&mut self, index: usize) -> bool {
        let want = self.piece();
        let wire = &mut self.wires[index];
        let connection = wire.connection;
        if wire.server_closed || !self.server.wants_input(connection) {
            return false;
        }
        let count = allowed(&mut self.cut, wire.channel, want.min(wire.up.len()));
        let piece = wire.up.split_to(count);
        if let (false, Some(buf)) = (piece.is_empty(), self.server.recv_buf(connection)) {
            buf.extend_from_slice(&piece);
            self.server.handle_input(connection, self.now);
        }
        self.moved += count as u64;
        count > 0
    }

    fn down(&mut self, index: usize) -> bool {
        let want = self.piece();
        let wire = &mut self.wires[index];
        if wire.client_closed || !self.session.wants_input(wire.transport) {
            return false;
        }
        let count = allowed(&mut self.cut, wire.channel, want.min(wire.down.len()));
        let piece = wire.down.split_to(count);
        if let (false, Some(buf)) = (piece.is_empty(), self.session.recv_buf(wire.transport)) {
            buf.extend_from_slice(&piece);
            self.session.handle_input(wire.transport, self.now);
        }
        self.moved += count as u64;
        count > 0
    }

    /// Breaks the streams whose last byte has passed.
    fn snap(&mut self) -> bool {
        let Some(Cut { channel, left: 0 }) = &self.cut else { return false };
        let (now, session, server) = (self.now, &mut self.session, &mut self.server);
        let before = self.wires.len();
        self.wires.retain(|wire| {
            let is_cut = channel.is_none_or(|channel| channel == wire.channel);
            if is_cut {
                session.closed(wire.transport, now);
                server.closed(wire.connection, now);
            }
            !is_cut
        });
        let any = before != self.wires.len();
        if channel.is_some() && any {
            self.cut = None;
        }
        any
    }

    fn piece(&mut self) -> usize {
        match &mut self.chunks {
            Chunks::Whole => usize::MAX,
            Chunks::Of(bytes) => (*bytes).max(1),
            Chunks::Random(state) => {
                // Xorshift; the seed 0 would stay 0.
                *state = (*state).max(1);
                *state ^= *state << 13;
                *state ^= *state >> 7;
                *state ^= *state << 17;
                (*state % 64) as usize + 1
            }
        }
    }

    /// Different bytes each time, the same in each run.
    fn entropy(&mut self) -> [u8; 32] {
        self.drawn = self.drawn.wrapping_add(1);
        [self.drawn; 32]
    }
}

/// How many of `count` bytes a cut lets pass.
fn allowed(cut: &mut Option<Cut>, channel: ChannelId, count: usize) -> usize {
    let Some(cut) = cut.as_mut().filter(|cut| cut.channel.is_none_or(|only| only == channel)) else {
        return count;
    };
    let count = count.min(usize::try_from(cut.left).unwrap_or(usize::MAX));
    cut.left -= count as u64;
    count
}

impl Wire {
    fn new(transport: TransportId, channel: ChannelId, connection: ConnectionId) -> Self {
        Self {
            transport,
            channel,
            connection,
            up: BytesMut::new(),
            down: BytesMut::new(),
            client_closed: false,
            server_closed: false,
        }
    }
}
