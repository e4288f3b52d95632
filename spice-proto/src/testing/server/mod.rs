//! A SPICE server in memory: a session with main, display, inputs and cursor channels, built from
//! [`LinkServer`] and [`Peer`].
//!
//! Like a [`Session`](crate::session::Session) it moves no bytes itself. A driver accepts byte streams, reports what
//! happens to them, and performs what [`Server::poll_output`] asks for:
//!
//! ```text
//! accepted a stream        connection = server.accept(security, now)
//! read from it             bytes into server.recv_buf(connection), then server.handle_input(connection, now)
//! it closed or failed      server.closed(connection, now)
//! ServerEvent::KeyWanted   a fresh key, made elsewhere: server.key(connection, key, entropy, now)
//! time has come            server.handle_timeout(now)
//! ```
//!
//! There is one session at a time; a new main channel replaces it. What the server shows is
//! [`ServerConfig::show`], and whatever the caller sends through [`Server::peer`].

mod answers;
mod config;
mod connection;
mod event;
mod peers;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::BytesMut;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};

use crate::caps::CommonCaps;
use crate::channel::Peer;
use crate::error::{LimitExceeded, ProtocolError};
use crate::link::{
    Entropy, LinkMess, LinkOffer, LinkQuestion, LinkServer, ServerAuth, TicketCheck, TicketKey,
};
use crate::msg::Protocol;
use crate::msg::inputs::KeyboardModifiers;
use crate::msg::main::{self, MouseModes};
use crate::session::Security;
use crate::time::Instant;
use crate::types::{ChannelId, ChannelType, LinkCode};
use crate::wire::Counted;

pub use config::{ServerConfig, Show};
use connection::{Connection, Open, Stage};
pub use event::{ConnectionId, ServerEvent, ServerOutput};
use peers::AnyPeer;
pub use peers::{Received, Served};

/// A server for one session at a time.
#[derive(Debug)]
pub struct Server {
    config: ServerConfig,
    rng: ChaCha20Rng,
    connections: Vec<Connection>,
    session: Option<Running>,
    events: VecDeque<ServerEvent>,
    next_connection: u64,
    /// The lock lights of the machine's keyboard.
    locks: KeyboardModifiers,
    /// Steps of the scene's animation so far.
    frame: u64,
    next_frame: Option<Instant>,
    now: Instant,
}

/// The session that is served. All open channels belong to it.
#[derive(Debug)]
struct Running {
    id: u32,
    mouse: MouseModes,
    /// Whether the list of channels has been asked for.
    attached: bool,
}

impl Server {
    /// A server without connections. `entropy` is 32 bytes from a cryptographic random source: session ids come
    /// from it.
    pub fn new(config: ServerConfig, entropy: [u8; 32]) -> Self {
        Self {
            config,
            rng: ChaCha20Rng::from_seed(entropy),
            connections: Vec::new(),
            session: None,
            events: VecDeque::new(),
            next_connection: 0,
            locks: KeyboardModifiers::empty(),
            frame: 0,
            next_frame: None,
            now: Instant::ZERO,
        }
    }

    /// A byte stream has been accepted; `security` says whether it runs inside TLS.
    ///
    /// # Errors
    /// [`LimitExceeded`] when there are [`ServerConfig::connections`], or [`ServerConfig::half_open`] that are still
    /// linking. Close the stream.
    pub fn accept(&mut self, security: Security, now: Instant) -> Result<ConnectionId, LimitExceeded> {
        self.now = now;
        let linking = self.connections.iter().filter(|c| c.open().is_none()).count();
        check("connections", self.connections.len(), self.config.connections)?;
        check("half_open", linking, self.config.half_open)?;
        let id = ConnectionId(self.next_connection);
        self.next_connection = self.next_connection.wrapping_add(1);
        self.connections.push(Connection::new(id, security, LinkServer::new(&self.config.limits, now)));
        Ok(id)
    }

    /// The key that [`ServerEvent::KeyWanted`] asked for, made for this connection alone, and fresh random bytes.
    pub fn key(&mut self, connection: ConnectionId, key: TicketKey, entropy: Entropy, now: Instant) {
        self.now = now;
        let Some(index) = self.index(connection) else { return };
        let Connection { stage: Stage::Linking { link, mess: Some(mess) }, security, .. } =
            &mut self.connections[index]
        else {
            return;
        };
        let mini = if self.config.mini_headers { CommonCaps::MINI_HEADER } else { CommonCaps::empty() };
        let rule = self.config.ticket.clone();
        let offer = LinkOffer {
            common_caps: mini,
            channel_caps: self.config.channel_caps(mess.channel.kind),
            auth: ServerAuth::Ticket(TicketCheck { key, rule, entropy }),
            tls: *security == Security::Tls,
        };
        match link.offer(offer) {
            Ok(()) => self.advance(index),
            Err(error) => self.close(index, Some(error)),
        }
    }

    /// The buffer to read the connection's bytes into, behind what is already there; `None` once it is closing.
    pub fn recv_buf(&mut self, connection: ConnectionId) -> Option<&mut BytesMut> {
        let index = self.index(connection)?;
        let connection = &mut self.connections[index];
        (!connection.is_closing()).then_some(&mut connection.input)
    }

    /// Bytes have been read into [`recv_buf`](Self::recv_buf).
    pub fn handle_input(&mut self, connection: ConnectionId, now: Instant) {
        self.now = now;
        if let Some(index) = self.index(connection) {
            self.advance(index);
        }
    }

    /// The stream was closed by the client, or failed. It is forgotten.
    pub fn closed(&mut self, connection: ConnectionId, now: Instant) {
        self.now = now;
        let Some(index) = self.index(connection) else { return };
        let mut gone = self.connections.remove(index);
        let (channel, error) = match &mut gone.stage {
            Stage::Linking { link, .. } => (None, link.handle_close().err().map(ProtocolError::from)),
            Stage::Open(open) => (Some(open.channel), None),
            // Its end has been told already.
            Stage::Closing { .. } => return,
        };
        self.gone(connection, channel, error);
    }

    /// Lets time pass. Call it at [`poll_timeout`](Self::poll_timeout) or at any time.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        self.connections.retain(|c| !matches!(c.stage, Stage::Closing { deadline } if deadline <= now));
        let mut late = Vec::new();
        for connection in &mut self.connections {
            let error = match &mut connection.stage {
                Stage::Linking { link, .. } => link.handle_timeout(now).err().map(ProtocolError::from),
                Stage::Open(open) if open.init_deadline.is_some_and(|deadline| deadline <= now) => {
                    let rule = "a display channel is initialised in time";
                    Some(ProtocolError::Broken { channel: open.channel, rule })
                }
                _ => None,
            };
            late.extend(error.map(|error| (connection.id, error)));
        }
        for (id, error) in late {
            if let Some(index) = self.index(id) {
                self.close(index, Some(error));
            }
        }
        self.animate();
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let deadlines = self.connections.iter().filter_map(Connection::deadline);
        deadlines.chain(self.next_frame).min()
    }

    /// What the driver has to do next; `None` when it may wait.
    pub fn poll_output(&mut self) -> Option<ServerOutput> {
        let next = (0..self.connections.len()).find_map(|index| self.io(index));
        next.or_else(|| self.poll_event().map(ServerOutput::Event))
    }

    /// What has to be done next with one connection, for drivers that have a task for each.
    pub fn poll_io(&mut self, connection: ConnectionId) -> Option<ServerOutput> {
        let index = self.index(connection)?;
        self.io(index)
    }

    /// The next event for the application. Taking events makes room for more input.
    pub fn poll_event(&mut self) -> Option<ServerEvent> {
        if self.events.is_empty() {
            for id in self.connections.iter().map(|connection| connection.id).collect::<Vec<_>>() {
                if let Some(index) = self.index(id)
                    && !self.connections[index].input.is_empty()
                {
                    self.advance(index);
                }
            }
        }
        self.events.pop_front()
    }

    /// Whether the driver may read more from the connection.
    pub fn wants_input(&self, connection: ConnectionId) -> bool {
        self.connections.iter().find(|c| c.id == connection).is_some_and(|connection| {
            match &connection.stage {
                Stage::Linking { link, .. } => link.wants_input(),
                Stage::Open(open) => self.has_room(open),
                Stage::Closing { .. } => false,
            }
        })
    }

    /// Whether the connection is known: neither closed nor refused for good.
    pub fn knows(&self, connection: ConnectionId) -> bool {
        self.connections.iter().any(|c| c.id == connection)
    }

    /// The server's side of an open channel, to send on it.
    pub fn peer<P: Served>(&mut self, id: u8) -> Option<&mut Peer<P>> {
        let wanted = ChannelId::new(<P as Protocol>::CHANNEL, id);
        let open = self.connections.iter_mut().filter_map(Connection::open_mut);
        open.into_iter().find(|open| open.channel == wanted).and_then(|open| P::of(&mut open.peer))
    }

    /// Adds a channel, and tells a client that has asked for the list.
    pub fn plug(&mut self, channel: ChannelId) {
        if !self.config.channels.contains(&channel) {
            self.config.channels.push(channel);
        }
        if self.session.as_ref().is_some_and(|session| session.attached)
            && let Some(peer) = self.peer::<main::Main>(0)
        {
            let channels = Counted::new([channel].into_iter().collect()).unwrap_or_default();
            peer.send(&main::ServerMessage::ChannelsList(main::ChannelsList { channels }));
        }
    }

    /// The id of the session that is served.
    pub fn session(&self) -> Option<u32> {
        self.session.as_ref().map(|session| session.id)
    }

    /// The channels that are open.
    pub fn open_channels(&self) -> impl Iterator<Item = ChannelId> {
        self.connections.iter().filter_map(Connection::channel)
    }

    /// Number of connections in any stage.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Steps of the scene's animation so far.
    pub fn frame(&self) -> u64 {
        self.frame
    }

    fn io(&mut self, index: usize) -> Option<ServerOutput> {
        let output = self.connections.get_mut(index)?.poll_io();
        if let Some(ServerOutput::Close { .. }) = output {
            self.connections.remove(index);
        }
        output
    }

    fn advance(&mut self, index: usize) {
        match self.connections[index].stage {
            Stage::Linking { .. } => self.link(index),
            Stage::Open(_) => self.serve(index),
            Stage::Closing { .. } => {}
        }
    }

    fn link(&mut self, index: usize) {
        let now = self.now;
        let Connection { id, security, input, stage: Stage::Linking { link, mess }, .. } =
            &mut self.connections[index]
        else {
            return;
        };
        if let Err(error) = link.handle_input(now, input) {
            return self.close(index, Some(error.into()));
        }
        match link.poll_question() {
            None => {}
            Some(LinkQuestion::Offer(wanted)) => {
                if self.config.secured.contains(&wanted.channel.kind) && *security == Security::Plain {
                    return self.refuse(index, LinkCode::NEED_SECURED);
                }
                *mess = Some(wanted);
                self.events.push_back(ServerEvent::KeyWanted(*id));
            }
            Some(LinkQuestion::Admit) => self.admit(index),
        }
    }

    /// Decides on an authenticated client.
    fn admit(&mut self, index: usize) {
        let Stage::Linking { mess: Some(mess), .. } = &self.connections[index].stage else { return };
        let mess = mess.clone();
        let code = self.judge(&mess);
        if code != LinkCode::OK {
            return self.refuse(index, code);
        }
        let Connection { id, stage: Stage::Linking { link, .. }, .. } = &mut self.connections[index] else {
            return;
        };
        let id = *id;
        let outcome = match link.admit() {
            Ok(()) => link.poll_outcome(),
            Err(error) => return self.close(index, Some(error)),
        };
        let Some(outcome) = outcome else { return };
        self.connections[index].collect();
        let kind = mess.channel.kind;
        let limits = self.config.channel_limits(kind);
        // INVARIANT: judge() refused kinds without a peer.
        let Some(peer) = AnyPeer::new(kind, outcome.header, &limits) else { return };
        if kind == ChannelType::MAIN {
            self.end_session(Some(id));
        }
        let Some(index) = self.index(id) else { return };
        let channel = if kind == ChannelType::MAIN { ChannelId::MAIN } else { mess.channel };
        let init_deadline = (kind == ChannelType::DISPLAY).then(|| self.now + self.config.limits.handshake);
        self.connections[index].stage = Stage::Open(Box::new(Open {
            channel,
            client_caps: outcome.channel_caps,
            peer,
            script: VecDeque::new(),
            init_deadline,
            motions: 0,
        }));
        self.events.push_back(ServerEvent::Opened { connection: id, channel });
        self.greet(index);
        self.advance(index);
    }

    /// Whether an authenticated client gets the channel that it wants.
    fn judge(&self, mess: &LinkMess) -> LinkCode {
        if mess.channel.kind == ChannelType::MAIN {
            // No client can arrive here by migration.
            return if mess.connection_id == 0 { LinkCode::OK } else { LinkCode::BAD_CONNECTION_ID };
        }
        if self.session() != Some(mess.connection_id) {
            return LinkCode::BAD_CONNECTION_ID;
        }
        let is_served = self.config.channels.contains(&mess.channel)
            && AnyPeer::new(mess.channel.kind, crate::link::HeaderKind::Mini, &self.config.limits).is_some();
        let is_taken = self.open_channels().any(|open| open == mess.channel);
        if is_served && !is_taken { LinkCode::OK } else { LinkCode::CHANNEL_NOT_AVAILABLE }
    }

    fn refuse(&mut self, index: usize, code: LinkCode) {
        let Stage::Linking { link, .. } = &mut self.connections[index].stage else { return };
        let error = match link.refuse(code) {
            Ok(()) => crate::LinkError::Refused(code).into(),
            Err(error) => error,
        };
        self.close(index, Some(error));
    }

    /// Takes in the messages of an open channel.
    fn serve(&mut self, index: usize) {
        loop {
            let Connection { input, stage: Stage::Open(open), .. } = &mut self.connections[index] else {
                return;
            };
            if self.events.len() >= self.config.limits.queued_events
                || open.peer.queued_output() > self.config.limits.queued_output
            {
                return;
            }
            let (channel, next) = (open.channel, open.peer.next_message(input));
            let result = match next {
                Ok(None) => return,
                Ok(Some(message)) => {
                    self.answer(index, &message).map(|()| ServerEvent::Received { channel, message })
                }
                Err(error) => Err(error),
            };
            match result {
                Ok(event) => self.events.push_back(event),
                Err(error) => return self.close(index, Some(error)),
            }
        }
    }

    fn has_room(&self, open: &Open) -> bool {
        self.events.len() < self.config.limits.queued_events
            && open.peer.queued_output() <= self.config.limits.queued_output
    }

    /// Ends a connection from this side.
    fn close(&mut self, index: usize, error: Option<ProtocolError>) {
        let connection = &mut self.connections[index];
        let (id, channel) = (connection.id, connection.channel());
        connection.begin_close(self.now + self.config.limits.handshake);
        self.gone(id, channel, error);
    }

    /// Tells of a connection's end, and ends the session with its main channel.
    fn gone(&mut self, connection: ConnectionId, channel: Option<ChannelId>, error: Option<ProtocolError>) {
        self.events.push_back(ServerEvent::Closed { connection, channel, error });
        if channel == Some(ChannelId::MAIN) {
            self.end_session(None);
        }
    }

    /// Ends the session and all its channels; another one begins with the connection `next`.
    fn end_session(&mut self, next: Option<ConnectionId>) {
        if let Some(session) = self.session.take() {
            let deadline = self.now + self.config.limits.handshake;
            for connection in &mut self.connections {
                let Some(open) = connection.open_mut() else { continue };
                let channel = Some(open.channel);
                open.say_goodbye();
                connection.begin_close(deadline);
                let connection = connection.id;
                self.events.push_back(ServerEvent::Closed { connection, channel, error: None });
            }
            self.events.push_back(ServerEvent::SessionEnded { session: session.id });
            self.next_frame = None;
        }
        if next.is_some() {
            let id = self.rng.next_u32().max(1);
            self.session = Some(Running { id, mouse: MouseModes::SERVER, attached: false });
            self.events.push_back(ServerEvent::SessionStarted { session: id });
        }
    }

    fn index(&self, connection: ConnectionId) -> Option<usize> {
        self.connections.iter().position(|c| c.id == connection)
    }
}

fn check(limit: &'static str, present: usize, bound: usize) -> Result<(), LimitExceeded> {
    if present < bound {
        return Ok(());
    }
    let wide = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Err(LimitExceeded { limit, value: wide(present).saturating_add(1), bound: wide(bound) })
}
