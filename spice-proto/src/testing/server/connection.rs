//! One accepted byte stream: linking, open as a channel, or closing.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::mem;

use bytes::{Bytes, BytesMut};

use crate::caps::Caps;
use crate::link::{LinkMess, LinkServer};
use crate::msg::display;
use crate::session::Security;
use crate::testing::server::peers::AnyPeer;
use crate::testing::server::{ConnectionId, ServerOutput};
use crate::time::Instant;
use crate::types::ChannelId;

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) security: Security,
    pub(super) input: BytesMut,
    /// What goes out before anything that the stage has to send.
    pub(super) out: BytesMut,
    pub(super) stage: Stage,
}

#[derive(Debug)]
pub(super) enum Stage {
    Linking {
        link: Box<LinkServer>,
        /// What the client wants, once it has said it.
        mess: Option<LinkMess>,
    },
    Open(Box<Open>),
    /// What is queued still goes out, until the deadline.
    Closing {
        deadline: Instant,
    },
}

#[derive(Debug)]
pub(super) struct Open {
    pub(super) channel: ChannelId,
    pub(super) client_caps: Caps,
    pub(super) peer: AnyPeer,
    /// Drawing that waits for room in the client's window.
    pub(super) script: VecDeque<display::ServerMessage>,
    /// When a display channel must have been initialised; `None` once it has.
    pub(super) init_deadline: Option<Instant>,
    /// Pointer motions since the last acknowledgement.
    pub(super) motions: u32,
}

impl Connection {
    pub(super) fn new(id: ConnectionId, security: Security, link: LinkServer) -> Self {
        let stage = Stage::Linking { link: Box::new(link), mess: None };
        Self { id, security, input: BytesMut::new(), out: BytesMut::new(), stage }
    }

    /// Takes over what the stage has queued.
    pub(super) fn collect(&mut self) {
        match &mut self.stage {
            Stage::Linking { link, .. } => {
                while let Some(bytes) = link.poll_transmit() {
                    self.out.extend_from_slice(&bytes);
                }
            }
            Stage::Open(open) => {
                if let Some(bytes) = open.peer.poll_transmit() {
                    self.out.extend_from_slice(&bytes);
                }
            }
            Stage::Closing { .. } => {}
        }
    }

    /// Sends what is queued and nothing more.
    pub(super) fn begin_close(&mut self, deadline: Instant) {
        self.collect();
        self.input = BytesMut::new();
        self.stage = Stage::Closing { deadline };
    }

    /// What is to be written now, or that all has been.
    pub(super) fn poll_io(&mut self) -> Option<ServerOutput> {
        let connection = self.id;
        match self.next_bytes() {
            Some(data) => Some(ServerOutput::Transmit { connection, data }),
            None => matches!(self.stage, Stage::Closing { .. }).then_some(ServerOutput::Close { connection }),
        }
    }

    fn next_bytes(&mut self) -> Option<Bytes> {
        if !self.out.is_empty() {
            return Some(mem::take(&mut self.out).freeze());
        }
        match &mut self.stage {
            Stage::Linking { link, .. } => link.poll_transmit(),
            Stage::Open(open) => {
                open.pump();
                open.peer.poll_transmit()
            }
            Stage::Closing { .. } => None,
        }
    }

    pub(super) fn channel(&self) -> Option<ChannelId> {
        self.open().map(|open| open.channel)
    }

    pub(super) fn open(&self) -> Option<&Open> {
        match &self.stage {
            Stage::Open(open) => Some(open),
            _ => None,
        }
    }

    pub(super) fn open_mut(&mut self) -> Option<&mut Open> {
        match &mut self.stage {
            Stage::Open(open) => Some(open),
            _ => None,
        }
    }

    pub(super) fn is_closing(&self) -> bool {
        matches!(self.stage, Stage::Closing { .. })
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Linking { link, .. } => link.poll_timeout(),
            Stage::Open(open) => open.init_deadline,
            Stage::Closing { deadline } => Some(*deadline),
        }
    }
}

impl Open {
    /// Draws on, as long as the client keeps up.
    pub(super) fn pump(&mut self) {
        let AnyPeer::Display(peer) = &mut self.peer else { return };
        while peer.may_send() && peer.queued_output() < ENOUGH {
            let Some(message) = self.script.pop_front() else { break };
            peer.send(&message);
        }
    }

    /// Whether there is room for drawing that may be left out.
    pub(super) fn is_idle(&self) -> bool {
        let may_send = match &self.peer {
            AnyPeer::Display(peer) => peer.may_send(),
            _ => true,
        };
        may_send && self.script.is_empty() && self.peer.queued_output() == 0
    }
}

/// Bytes of drawing to have ready.
const ENOUGH: usize = 64 << 10;
