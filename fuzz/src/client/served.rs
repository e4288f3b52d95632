//! The server's end of a channel, which checks what the client sends there.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use futures::io::{AsyncRead, AsyncWrite};
use spice_agent_proto::caps::Layout;
use spice_agent_proto::msg::Message as AgentMessage;
use spice_agent_proto::testing::{Framing, chunks};
use spice_client::transport::memory::Pipe;
use spice_proto::Limits;
use spice_proto::caps::CommonCaps;
use spice_proto::channel::peer::{FromClient, Peer};
use spice_proto::frame::FrameWriter;
use spice_proto::link::{HeaderKind, TICKET_LEN};
use spice_proto::msg::Message;
use spice_proto::msg::main::{ClientMessage, Main, ServerMessage};
use spice_proto::types::ChannelId;
use spice_proto::wire::Rest;

use crate::link::reply;

/// One channel.
pub(super) struct Served {
    channel: ChannelId,
    pipe: Pipe,
    writer: FrameWriter,
    /// What is to be written.
    out: BytesMut,
    input: BytesMut,
    linked: bool,
    peer: Peer<Main>,
    framing: Framing,
    started: bool,
    /// Tokens that the client has got since the beginning, and used.
    tokens: (u64, u64),
}

impl Served {
    /// Takes the client's link, whatever it says.
    pub(super) fn link(channel: ChannelId, pipe: Pipe) -> Self {
        let mut out = BytesMut::new();
        reply(CommonCaps::AUTH_SPICE | CommonCaps::MINI_HEADER).encode(&mut out);
        out.extend_from_slice(&[0; 4]);
        Self {
            channel,
            pipe,
            writer: FrameWriter::new(HeaderKind::Mini),
            out,
            input: BytesMut::new(),
            linked: false,
            peer: Peer::new(HeaderKind::Mini, &Limits::default()),
            framing: Framing::default(),
            started: false,
            tokens: (0, 0),
        }
    }

    pub(super) fn say<M: Message>(&mut self, message: &M) {
        if self.out.len() < MOST {
            self.writer.write(message, &mut self.out);
        }
    }

    /// Bytes without a meaning.
    pub(super) fn say_bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(super) fn agent_says(&mut self, message: &AgentMessage, layout: Layout) {
        chunks(message, layout).for_each(|chunk| self.say(&ServerMessage::AgentData(Rest(chunk))));
    }

    /// The client gets tokens with what is said next.
    pub(super) fn granted(&mut self, tokens: u32) {
        self.tokens.0 += u64::from(tokens);
    }

    /// Writes what the client takes; true when it took anything.
    pub(super) fn write(&mut self, cx: &mut Context<'_>) -> bool {
        let mut moved = false;
        while !self.out.is_empty() {
            match Pin::new(&mut self.pipe).poll_write(cx, &self.out) {
                Poll::Ready(Ok(count)) => self.out.advance(count),
                // The client has hung up.
                Poll::Ready(Err(_)) => self.out.clear(),
                Poll::Pending => return moved,
            }
            moved = true;
        }
        moved
    }

    /// Reads and checks what the client has written; true when there was anything.
    pub(super) fn read(&mut self, cx: &mut Context<'_>) -> bool {
        let mut moved = false;
        let mut buffer = [0; 4096];
        while let Poll::Ready(Ok(count @ 1..)) = Pin::new(&mut self.pipe).poll_read(cx, &mut buffer) {
            moved = true;
            self.input.extend_from_slice(&buffer[..count]);
            if !self.linked && !self.pass_link() {
                continue;
            }
            if self.channel != ChannelId::MAIN {
                self.input.clear();
                continue;
            }
            while let Some(message) =
                self.peer.next_message(&mut self.input).expect("a client keeps the layouts")
            {
                if let FromClient::Own(message) = message {
                    self.check(&message);
                }
            }
        }
        moved
    }

    /// Skips the link and the ticket; true when they have come.
    fn pass_link(&mut self) -> bool {
        let Some(size) = self.input.get(12..16) else { return false };
        let size = u32::from_le_bytes(size.try_into().expect("four bytes")) as usize;
        let all = 16 + size + 4 + TICKET_LEN;
        if self.input.len() < all {
            return false;
        }
        self.input.advance(all);
        self.linked = true;
        true
    }

    fn check(&mut self, message: &ClientMessage) {
        match message {
            ClientMessage::AgentStart(_) => self.started = true,
            ClientMessage::AgentToken(_) => assert!(self.started, "a token before the start"),
            ClientMessage::AgentData(Rest(chunk)) => {
                assert!(self.started, "data before the start");
                self.tokens.1 += 1;
                assert!(self.tokens.1 <= self.tokens.0, "a chunk without a token");
                self.framing.check(chunk);
            }
            _ => {}
        }
    }
}

/// Bytes that wait for a client that takes none.
const MOST: usize = 64 << 10;
