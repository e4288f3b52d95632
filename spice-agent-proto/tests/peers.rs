//! Both sides of the dialogue for tests: each against a hand-written peer, or against each other.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};
use spice_agent_proto::caps::{AnnounceCapabilities, Layout};
use spice_agent_proto::client::{self, Output};
use spice_agent_proto::frame::{DeviceReader, Incoming, Port, Reassembler};
use spice_agent_proto::msg::Message;
use spice_agent_proto::{AgentCaps, Client, ClientConfig, Guest, GuestConfig, Limits, guest, testing};

pub(crate) const FULL: Layout = Layout { selection: true, grab_serial: true };

/// Messages from chunks.
pub(crate) struct Reader {
    reassembler: Reassembler,
    limits: Limits,
}

impl Reader {
    pub(crate) fn new() -> Self {
        Self { reassembler: Reassembler::new(), limits: Limits::default() }
    }

    pub(crate) fn read(&mut self, mut chunk: Bytes, layout: Layout) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(incoming) = self.reassembler.next(&mut chunk, &self.limits).unwrap() {
            match incoming {
                Incoming::Message { kind, body } => {
                    messages.push(Message::decode(kind, &body, layout).unwrap());
                }
                other => panic!("{other:?}"),
            }
        }
        messages
    }
}

/// A client whose agent is written by hand.
pub(crate) struct LoneClient {
    pub(crate) client: Client,
    pub(crate) layout: Layout,
    reader: Reader,
}

impl LoneClient {
    /// A client and an agent that know each other and have said everything about it.
    pub(crate) fn ready(agent: AgentCaps) -> Self {
        Self::ready_with(agent, ClientConfig::default())
    }

    pub(crate) fn ready_with(agent: AgentCaps, config: ClientConfig) -> Self {
        let layout = Layout::between(config.caps, agent);
        let mut this = Self { client: Client::new(config), layout, reader: Reader::new() };
        this.client.connected(Some(u32::MAX));
        this.said();
        this.says(&Message::AnnounceCapabilities(AnnounceCapabilities::new(false, agent)));
        this.said();
        this.events();
        this
    }

    /// The agent says something.
    pub(crate) fn says(&mut self, message: &Message) {
        testing::chunks(message, self.layout).for_each(|chunk| self.client.handle_data(chunk));
    }

    /// Everything that the client says.
    pub(crate) fn said(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(output) = self.client.poll_output() {
            if let Output::Data(chunk) = output {
                messages.extend(self.reader.read(chunk, self.layout));
            }
        }
        messages
    }

    pub(crate) fn events(&mut self) -> Vec<client::Event> {
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }
}

/// An agent whose client and server are written by hand.
pub(crate) struct LoneGuest {
    pub(crate) guest: Guest,
    pub(crate) layout: Layout,
    reader: Reader,
    device: DeviceReader,
    input: BytesMut,
}

impl LoneGuest {
    /// An agent that has started.
    pub(crate) fn new(config: GuestConfig) -> Self {
        Self {
            guest: Guest::new(config),
            layout: FULL,
            reader: Reader::new(),
            device: DeviceReader::new(),
            input: BytesMut::new(),
        }
    }

    /// An agent and a client that know each other and have said everything about it.
    pub(crate) fn ready(client: AgentCaps) -> Self {
        let mut this = Self::new(GuestConfig::default());
        this.layout = Layout::between(client, AgentCaps::AGENT);
        this.says(&Message::AnnounceCapabilities(AnnounceCapabilities::new(true, client)));
        this.said();
        this.events();
        this
    }

    /// The client says something.
    pub(crate) fn says(&mut self, message: &Message) {
        self.says_on(Port::CLIENT, message);
    }

    pub(crate) fn says_on(&mut self, port: Port, message: &Message) {
        for chunk in testing::chunks(message, self.layout) {
            put_chunk(&mut self.input, port, &chunk);
        }
        self.guest.handle_input(&mut self.input).unwrap();
    }

    /// Everything that the agent says.
    pub(crate) fn said(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(bytes) = self.guest.poll_transmit() {
            let mut bytes = BytesMut::from(bytes);
            while let Some(chunk) = self.device.split(&mut bytes) {
                assert_eq!(chunk.port, Port::CLIENT);
                messages.extend(self.reader.read(chunk.data, self.layout));
            }
        }
        messages
    }

    pub(crate) fn events(&mut self) -> Vec<guest::Event> {
        std::iter::from_fn(|| self.guest.poll_event()).collect()
    }
}

pub(crate) fn put_chunk(stream: &mut BytesMut, port: Port, data: &[u8]) {
    stream.put_u32_le(port.0);
    stream.put_u32_le(data.len() as u32);
    stream.put_slice(data);
}

/// A client and an agent with a server between them that counts tokens.
pub(crate) struct Pair {
    pub(crate) client: Client,
    pub(crate) guest: Guest,
    pub(crate) client_events: VecDeque<client::Event>,
    pub(crate) guest_events: VecDeque<guest::Event>,
    pub(crate) largest_backlog: u32,
    device: DeviceReader,
    to_guest: BytesMut,
    /// What the agent has said and the client has no token for.
    held: VecDeque<Bytes>,
    client_tokens: u32,
}

/// What real servers grant at first.
const TOKENS: u32 = 10;

impl Pair {
    pub(crate) fn new(client: ClientConfig, guest: GuestConfig) -> Self {
        let mut this = Self {
            client: Client::new(client),
            guest: Guest::new(guest),
            client_events: VecDeque::new(),
            guest_events: VecDeque::new(),
            largest_backlog: 0,
            device: DeviceReader::new(),
            to_guest: BytesMut::new(),
            held: VecDeque::new(),
            client_tokens: 0,
        };
        this.client.connected(Some(TOKENS));
        this
    }

    /// Both have started and know each other.
    pub(crate) fn ready() -> Self {
        let mut this = Self::new(ClientConfig::default(), GuestConfig::default());
        this.run();
        assert_eq!(this.client.caps(), Some(AgentCaps::AGENT));
        assert_eq!(this.guest.caps(), Some(AgentCaps::CLIENT));
        this.client_events.clear();
        this.guest_events.clear();
        this
    }

    /// Carries everything to where it belongs until nobody has anything to say.
    pub(crate) fn run(&mut self) {
        while self.step() {}
    }

    /// Carries one thing in each direction; whether there was any.
    pub(crate) fn step(&mut self) -> bool {
        let mut busy = false;
        if let Some(output) = self.client.poll_output() {
            busy = true;
            match output {
                Output::Start { tokens } => self.client_tokens = tokens,
                Output::Token { tokens } => self.client_tokens += tokens,
                Output::Data(chunk) => {
                    put_chunk(&mut self.to_guest, Port::CLIENT, &chunk);
                    self.largest_backlog = self.largest_backlog.max(TOKENS - self.client.tokens());
                    self.client.add_tokens(1);
                }
            }
        }
        self.guest.handle_input(&mut self.to_guest).unwrap();
        if let Some(bytes) = self.guest.poll_transmit() {
            busy = true;
            let mut bytes = BytesMut::from(bytes);
            while let Some(chunk) = self.device.split(&mut bytes) {
                self.held.push_back(chunk.data);
            }
        }
        if self.client_tokens > 0
            && let Some(chunk) = self.held.pop_front()
        {
            busy = true;
            self.client_tokens -= 1;
            self.client.handle_data(chunk);
        }
        while let Some(event) = self.client.poll_event() {
            busy = true;
            self.client_events.push_back(event);
        }
        while let Some(event) = self.guest.poll_event() {
            busy = true;
            self.guest_events.push_back(event);
        }
        busy
    }
}
