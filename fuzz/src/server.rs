//! The reference server against clients that send anything on any number of connections.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::BytesMut;
use spice_proto::Instant;
use spice_proto::caps::{Caps, CommonCaps};
use spice_proto::frame::FrameWriter;
use spice_proto::link::{AuthMechanism, Entropy, HeaderKind, LinkMess};
use spice_proto::msg::{self, base};
use spice_proto::session::Security;
use spice_proto::testing::server::{ConnectionId, Server, ServerConfig, ServerEvent, ServerOutput, Show};
use spice_proto::testing::ticket_key;
use spice_proto::types::{ChannelId, ChannelType};

use crate::link::client_bytes;
use crate::memory::bounded;
use crate::script;

/// A server keeps its promises to the driver and its bounds whatever its clients send.
///
/// Input: records as in `script`. Two bits of a record's flags choose one of the connections, three what happens; see
/// the source.
pub fn server(data: &[u8]) {
    // Opening tickets takes some room for a moment.
    let bound = (2 << 20) + 256 * data.len();
    bounded("a server", bound, || {
        let mut driver = Driver::new();
        for (flags, content) in script::records(data).take(MOST_RECORDS) {
            driver.step(flags, content);
            driver.perform();
        }
        let open: Vec<_> = driver.connections.keys().copied().collect();
        for id in open {
            driver.close(id);
        }
        driver.perform();
        assert_eq!(driver.server.connections(), 0, "connections are left");
    });
}

/// A link costs much more time than anything else.
const MOST_RECORDS: usize = 48;

/// The channels that the server has.
const CHANNELS: [ChannelType; 4] =
    [ChannelType::MAIN, ChannelType::DISPLAY, ChannelType::INPUTS, ChannelType::CURSOR];

struct Driver {
    server: Server,
    now: Instant,
    connections: BTreeMap<ConnectionId, Connection>,
}

struct Connection {
    kind: ChannelType,
    writer: FrameWriter,
    /// What is on its way to the server.
    pending: BytesMut,
}

impl Driver {
    fn new() -> Self {
        let server = Server::new(ServerConfig::default().show(Show::Nothing), [7; 32]);
        Self { server, now: Instant::from_millis(1000), connections: BTreeMap::new() }
    }

    fn step(&mut self, flags: u8, content: &[u8]) {
        let open: Vec<_> = self.connections.keys().copied().collect();
        let id = open.get(usize::from(flags & 3) % open.len().max(1)).copied();
        match (flags >> 2 & 7, id) {
            (what @ 0..=3, Some(id)) => self.say(id, what, content),
            (4, Some(id)) => self.close(id),
            (5, _) => self.wait(content),
            (6, _) => self.connect(None, content),
            _ => self.connect(content.first().copied(), &[]),
        }
    }

    /// A client connects: with a link to one of the channels, or with bytes that nobody has checked.
    fn connect(&mut self, channel: Option<u8>, content: &[u8]) {
        let Ok(id) = self.server.accept(Security::Plain, self.now) else { return };
        let mut pending = BytesMut::from(content);
        let kind = CHANNELS[usize::from(channel.unwrap_or(0) & 3)];
        if let Some(choice) = channel {
            let known = self.server.session().filter(|_| kind != ChannelType::MAIN);
            LinkMess {
                connection_id: known.unwrap_or(0),
                channel: ChannelId::new(kind, choice >> 6),
                common_caps: (CommonCaps::AUTH_SELECTION | CommonCaps::MINI_HEADER).into(),
                channel_caps: Caps::new(),
            }
            .encode(&mut pending);
            pending.extend_from_slice(&TICKET);
        }
        let writer = FrameWriter::new(HeaderKind::Mini);
        assert!(self.connections.insert(id, Connection { kind, writer, pending }).is_none());
        self.deliver(id);
    }

    /// A client sends on a channel.
    fn say(&mut self, id: ConnectionId, what: u8, content: &[u8]) {
        let Some(Connection { kind, writer, pending }) = self.connections.get_mut(&id) else { return };
        macro_rules! tables {
            ($($kind:ident => $protocol:ty),*) => {
                match *kind {
                    $(ChannelType::$kind => script::write::<
                        <$protocol as msg::Protocol>::Client,
                        base::ClientMessage,
                    >(what, content, writer, pending),)*
                    _ => {}
                }
            };
        }
        tables! {
            MAIN => msg::main::Main, DISPLAY => msg::display::Display, INPUTS => msg::inputs::Inputs,
            CURSOR => msg::cursor::Cursor
        }
        self.deliver(id);
    }

    /// Moves what is pending to the server, if it wants it; true when it did.
    fn deliver(&mut self, id: ConnectionId) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else { return false };
        if connection.pending.is_empty() || !self.server.wants_input(id) {
            return false;
        }
        let buffer = self.server.recv_buf(id).expect("a connection that wants input has a buffer");
        buffer.extend_from_slice(&connection.pending.split());
        self.server.handle_input(id, self.now);
        true
    }

    /// A client closes a connection.
    fn close(&mut self, id: ConnectionId) {
        if self.connections.remove(&id).is_some() {
            self.server.closed(id, self.now);
        }
    }

    /// Time goes by, to the next deadline or a little.
    fn wait(&mut self, content: &[u8]) {
        match (content.first(), self.server.poll_timeout()) {
            (None, Some(deadline)) => self.now = self.now.max(deadline),
            (ms, _) => self.now = self.now + Duration::from_millis(16 * u64::from(ms.copied().unwrap_or(1))),
        }
        self.server.handle_timeout(self.now);
        let next = self.server.poll_timeout();
        assert!(next.is_none_or(|next| next > self.now), "the driver would spin at a deadline");
    }

    /// Performs all that the server asks for, until it has nothing more to say.
    fn perform(&mut self) {
        for _ in 0..100_000 {
            match self.server.poll_output() {
                Some(ServerOutput::Transmit { connection, data }) => {
                    assert!(!data.is_empty(), "nothing to write");
                    assert!(self.connections.contains_key(&connection), "bytes for a closed connection");
                }
                Some(ServerOutput::Close { connection }) => {
                    assert!(self.connections.remove(&connection).is_some(), "closed twice");
                }
                Some(ServerOutput::Event(ServerEvent::KeyWanted(connection))) => {
                    self.server.key(connection, ticket_key(), Entropy::new([5; 32]), self.now);
                }
                Some(ServerOutput::Event(_)) => {}
                None => {
                    let open: Vec<_> = self.connections.keys().copied().collect();
                    let moved = open.into_iter().filter(|id| self.deliver(*id)).count();
                    if moved == 0 {
                        return;
                    }
                }
            }
        }
        panic!("the server never comes to rest");
    }
}

/// The word on tickets and one that is in order, without the link message.
static TICKET: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let bytes = client_bytes(AuthMechanism::SPICE);
    bytes[bytes.len() - spice_proto::link::TICKET_LEN - 4..].to_vec()
});
