//! Sessions with servers that close, flood, starve or never read.

mod bounds;
mod ends;
mod turns;

use std::collections::HashMap;

use bytes::BytesMut;
use spice_proto::Instant;
use spice_proto::caps::{Caps, CommonCaps};
use spice_proto::frame::FrameWriter;
use spice_proto::link::{HeaderKind, LinkReply};
use spice_proto::msg::{Message, base, display, main};
use spice_proto::session::{Address, Event, Output, Session, SessionConfig, TransportId};
use spice_proto::testing::ticket_key;
use spice_proto::types::{ChannelId, ChannelType, LinkCode};
use spice_proto::wire::{Counted, Rest};

const DISPLAY: ChannelId = ChannelId::new(ChannelType::DISPLAY, 0);
const DISPLAY_1: ChannelId = ChannelId::new(ChannelType::DISPLAY, 1);

/// A session, and what a server does to it.
struct World {
    session: Session,
    now: Instant,
    opened: HashMap<ChannelId, TransportId>,
    written: HashMap<TransportId, BytesMut>,
    closed: Vec<TransportId>,
    writers: HashMap<ChannelId, FrameWriter>,
}

impl World {
    fn new(config: SessionConfig) -> Self {
        let mut world = Self {
            session: Session::new(config),
            now: Instant::ZERO,
            opened: HashMap::new(),
            written: HashMap::new(),
            closed: Vec::new(),
            writers: HashMap::new(),
        };
        world.io();
        world
    }

    /// A session whose main channel and displays are open, with no events left.
    fn with_displays(config: SessionConfig, displays: &[ChannelId]) -> Self {
        let mut world = Self::new(config);
        world.link(ChannelId::MAIN);
        world.main(&main::ServerMessage::Init(main::Init { session_id: 7, ..Default::default() }));
        world.list(displays);
        world.events();
        world.io();
        for display in displays {
            world.link(*display);
        }
        world.events();
        world.io();
        world
    }

    fn io(&mut self) {
        while let Some(output) = self.session.poll_io() {
            match output {
                Output::Connect { transport, channel, .. } => {
                    self.opened.insert(channel, transport);
                }
                Output::Transmit { transport, data } => {
                    self.written.entry(transport).or_default().extend_from_slice(&data);
                }
                Output::Close { transport } => self.closed.push(transport),
                Output::Event(_) => unreachable!("poll_io gives no events"),
            }
        }
    }

    fn events(&mut self) -> Vec<Event> {
        core::iter::from_fn(|| self.session.poll_event()).collect()
    }

    fn bytes(&mut self, channel: ChannelId, bytes: &[u8]) {
        let transport = self.opened[&channel];
        self.session.recv_buf(transport).expect("a transport").extend_from_slice(bytes);
        self.session.handle_input(transport, self.now);
    }

    fn link(&mut self, channel: ChannelId) {
        self.session.connected(self.opened[&channel], [3; 32], self.now);
        let mut bytes = BytesMut::new();
        let common_caps = CommonCaps::AUTH_SELECTION | CommonCaps::AUTH_SPICE | CommonCaps::MINI_HEADER;
        let pub_key = ticket_key().pub_key();
        let (error, common_caps) = (LinkCode::OK, common_caps.into());
        LinkReply { error, pub_key, common_caps, channel_caps: Caps::new() }.encode(&mut bytes);
        bytes.extend_from_slice(&[0; 4]);
        self.bytes(channel, &bytes);
        self.writers.insert(channel, FrameWriter::new(HeaderKind::Mini));
    }

    fn give<M: Message>(&mut self, channel: ChannelId, message: &M) {
        let mut bytes = BytesMut::new();
        self.writers.get_mut(&channel).expect("linked").write(message, &mut bytes);
        self.bytes(channel, &bytes);
    }

    fn main(&mut self, message: &main::ServerMessage) {
        self.give(ChannelId::MAIN, message);
    }

    fn list(&mut self, channels: &[ChannelId]) {
        let channels = Counted::new(channels.into()).expect("a short list");
        self.main(&main::ServerMessage::ChannelsList(main::ChannelsList { channels }));
    }

    /// One message that gives one event.
    fn mark(&mut self, channel: ChannelId) {
        self.give(channel, &display::ServerMessage::Mark);
    }

    fn wait_for(&mut self, channel: ChannelId, waited_for: ChannelId, message_serial: u64) {
        let wait = base::WaitForChannel { channel: waited_for, message_serial };
        let wait_list = Counted::new([wait].into_iter().collect()).expect("a short list");
        self.give(channel, &base::ServerMessage::WaitForChannels(base::WaitForChannels { wait_list }));
    }

    fn ping(&mut self, channel: ChannelId) {
        let ping = base::Ping { id: 1, timestamp: 2, filler: Rest::default() };
        self.give(channel, &base::ServerMessage::Ping(ping));
    }

    fn close(&mut self, channel: ChannelId) {
        self.session.closed(self.opened[&channel], self.now);
    }
}

fn config() -> SessionConfig {
    SessionConfig::new(Address::tcp("localhost", 5930))
}

fn is_mark(event: &Event) -> bool {
    matches!(event, Event::Display(_, display::ServerMessage::Mark))
}
