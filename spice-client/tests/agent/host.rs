//! A server with an agent, as far as the main channel is concerned.

use std::collections::BTreeMap;
use std::future::Future;

use bytes::{Buf, BufMut, BytesMut};
use futures::channel::mpsc;
use futures::{AsyncReadExt, AsyncWriteExt};
use spice_agent_proto::file_xfer::{FileXferResult, ReceiveEvent, StatusDetail};
use spice_agent_proto::frame::{DeviceReader, Port};
use spice_agent_proto::{Guest, GuestConfig, guest};
use spice_client::spice_proto::Limits;
use spice_client::spice_proto::channel::peer::{FromClient, Peer};
use spice_client::spice_proto::link::HeaderKind;
use spice_client::spice_proto::msg::main::{self, AgentTokens, ClientMessage, Main, ServerMessage};
use spice_client::spice_proto::types::{ChannelId, LinkCode};
use spice_client::spice_proto::wire::{Counted, Rest};
use spice_client::transport::memory::Pipe;

use crate::driver::server::Peer as Linked;

/// The server's end of a main channel, with an agent behind it.
pub(crate) struct Host {
    pipe: Pipe,
    peer: Peer<Main>,
    input: BytesMut,
    pub(crate) guest: Option<Guest>,
    device: DeviceReader,
    to_guest: BytesMut,
    /// Tokens that the client has left.
    pub(crate) tokens: u32,
    /// Whether tokens are kept back.
    pub(crate) withhold: bool,
    started: bool,
    /// Bytes that are missing of the message that the client has begun.
    missing: usize,
    /// Whether what is missing was begun for an agent that has gone, and is lost.
    stale: bool,
    /// What has happened to the agent, but for pieces of files.
    pub(crate) events: Vec<guest::Event>,
    /// Files that have come, by their names.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    names: BTreeMap<u32, String>,
    /// Types of the client's messages, in order.
    pub(crate) kinds: Vec<u32>,
}

impl Host {
    /// Links a main channel; `agent` says whether there is one from the beginning.
    pub(crate) async fn accept(
        accepted: &mut mpsc::UnboundedReceiver<(ChannelId, Pipe)>,
        channels: &[ChannelId],
        agent: bool,
    ) -> Self {
        let linked = Linked::accept(accepted, ChannelId::MAIN).await;
        let mut host = Self {
            pipe: linked.pipe,
            peer: Peer::new(HeaderKind::Mini, &Limits::default()),
            input: BytesMut::new(),
            guest: agent.then(|| Guest::new(GuestConfig::default())),
            device: DeviceReader::new(),
            to_guest: BytesMut::new(),
            tokens: TOKENS,
            withhold: false,
            started: false,
            missing: 0,
            stale: false,
            events: Vec::new(),
            files: BTreeMap::new(),
            names: BTreeMap::new(),
            kinds: Vec::new(),
        };
        host.peer.send(&ServerMessage::Init(main::Init {
            session_id: 7,
            agent_connected: agent.into(),
            agent_tokens: TOKENS,
            ..Default::default()
        }));
        let channels = Counted::new(channels.iter().copied().collect()).expect("a short list");
        host.peer.send(&ServerMessage::ChannelsList(main::ChannelsList { channels }));
        host.flush().await;
        host
    }

    /// The agent goes.
    pub(crate) fn kill(&mut self) {
        self.guest = None;
        self.started = false;
        self.stale = true;
        self.to_guest.clear();
        let error_code = LinkCode::OK;
        self.peer.send(&ServerMessage::AgentDisconnected(main::AgentDisconnected { error_code }));
    }

    /// Another agent comes.
    pub(crate) fn revive(&mut self) {
        self.guest = Some(Guest::new(GuestConfig::default()));
        self.device = DeviceReader::new();
        self.tokens = TOKENS;
        self.peer.send(&ServerMessage::AgentConnectedTokens(AgentTokens { num_tokens: TOKENS }));
    }

    /// Serves the client until `task` is done.
    pub(crate) async fn serve<T>(&mut self, task: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            result = task => result,
            () = self.forever() => unreachable!("a server serves for ever"),
        }
    }

    /// Serves the client until there is something to see.
    pub(crate) async fn until(&mut self, mut there: impl FnMut(&mut Self) -> bool) {
        while !there(self) {
            self.turn().await;
        }
    }

    async fn forever(&mut self) {
        loop {
            self.turn().await;
        }
    }

    async fn flush(&mut self) {
        while let Some(bytes) = self.peer.poll_transmit() {
            if self.pipe.write_all(&bytes).await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    async fn turn(&mut self) {
        self.advance();
        self.flush().await;
        let mut buffer = [0; 4096];
        match tokio::time::timeout(std::time::Duration::from_millis(5), self.pipe.read(&mut buffer)).await {
            Ok(Ok(count)) if count > 0 => self.input.put_slice(&buffer[..count]),
            Err(_) => {}
            _ => return std::future::pending().await,
        }
        while let Some(message) = self.peer.next_message(&mut self.input).expect("a client keeps the layouts")
        {
            if let FromClient::Own(message) = message {
                self.take(message);
            }
        }
        self.advance();
    }

    fn take(&mut self, message: ClientMessage) {
        match message {
            ClientMessage::AgentStart(_) => self.started = true,
            ClientMessage::AgentData(Rest(body)) => {
                self.tokens = self.tokens.checked_sub(1).expect("no body without a token");
                assert!((1..=2048).contains(&body.len()), "a body of {} bytes", body.len());
                let fresh = self.missing == 0;
                if fresh {
                    self.stale = false;
                    let mut header = body.clone();
                    assert!(header.len() >= 20, "a header of {} bytes", header.len());
                    assert_eq!(header.get_u32_le(), 1);
                    self.kinds.push(header.get_u32_le());
                    header.advance(8);
                    self.missing = 20 + header.get_u32_le() as usize;
                }
                self.missing = self.missing.checked_sub(body.len()).expect("bodies end with their message");
                assert!(body.len() == 2048 || self.missing == 0, "a short body in the middle");
                if self.guest.is_some() && self.started && !self.stale {
                    self.to_guest.put_u32_le(Port::CLIENT.0);
                    self.to_guest.put_u32_le(body.len() as u32);
                    self.to_guest.put_slice(&body);
                }
                if !self.withhold {
                    self.grant(1);
                }
            }
            _ => {}
        }
    }

    /// Gives the client more tokens.
    pub(crate) fn grant(&mut self, num_tokens: u32) {
        self.tokens += num_tokens;
        self.peer.send(&ServerMessage::AgentToken(AgentTokens { num_tokens }));
    }

    /// What the agent says and does.
    fn advance(&mut self) {
        let Some(guest) = &mut self.guest else { return };
        loop {
            guest.handle_input(&mut self.to_guest).expect("the server frames well");
            let mut idle = true;
            while let Some(event) = guest.poll_event() {
                idle = false;
                match event {
                    guest::Event::File(ReceiveEvent::Offered { id, path, .. }) => {
                        self.names.insert(id, path.clone());
                        self.files.insert(path, Vec::new());
                        guest.file_accept(id).expect("the file has just been offered");
                    }
                    guest::Event::File(ReceiveEvent::Data { id, data }) => {
                        self.files.get_mut(&self.names[&id]).expect("a file").extend_from_slice(&data);
                    }
                    guest::Event::File(ReceiveEvent::Complete { id }) => {
                        let (result, detail) = (FileXferResult::SUCCESS, StatusDetail::None);
                        guest.file_finish(id, result, detail).expect("all pieces have come");
                    }
                    event => self.events.push(event),
                }
            }
            if idle {
                break;
            }
        }
        // Before a client has said that it listens, what the agent says is lost.
        while let Some(bytes) = guest.poll_transmit() {
            let mut bytes = BytesMut::from(bytes);
            while let Some(chunk) = self.device.split(&mut bytes) {
                if self.started {
                    self.peer.send(&ServerMessage::AgentData(Rest(chunk.data)));
                }
            }
        }
    }
}

/// Tokens at the beginning, as server 0.15.1 has it.
pub(crate) const TOKENS: u32 = 10;
