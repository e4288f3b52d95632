//! What the server says on each channel: first, in answer to clients, and with time.

use crate::caps::{DisplayCaps, MainCaps};
use crate::error::ProtocolError;
use crate::msg::base::{self, Disconnecting};
use crate::msg::inputs::{self, KeyModifiers};
use crate::msg::main::{self, ChannelsList, Init, MouseMode, MouseModes, Name, Uuid};
use crate::msg::{cursor, display};
use crate::testing::scene::Scene;
use crate::testing::server::peers::AnyPeer;
use crate::testing::server::{Open, Received, Server, Show};
use crate::time::Instant;
use crate::types::{ChannelType, LinkCode};
use crate::wire::{Blob, Counted};

impl Server {
    /// Says what a channel begins with.
    pub(super) fn greet(&mut self, index: usize) {
        let displays =
            self.config.channels.iter().filter(|channel| channel.kind == ChannelType::DISPLAY).count();
        let Some(session) = &self.session else { return };
        let Some(open) = self.connections[index].open_mut() else { return };
        match &mut open.peer {
            AnyPeer::Main(peer) => {
                peer.send(&main::ServerMessage::Init(Init {
                    session_id: session.id,
                    display_channels_hint: u32::try_from(displays).unwrap_or(u32::MAX).max(1),
                    supported_mouse_modes: MOUSE_MODES.into(),
                    current_mouse_mode: session.mouse.into(),
                    agent_connected: 0,
                    agent_tokens: 0,
                    multi_media_time: multimedia_time(self.now),
                    ram_hint: 64 << 20,
                }));
                if MainCaps::from(&open.client_caps).contains(MainCaps::NAME_AND_UUID) {
                    let name = [self.config.name.as_bytes(), &[0]].concat();
                    let name = Name { name: Blob::new(name.into()).unwrap_or_default() };
                    peer.send(&main::ServerMessage::Name(name));
                    peer.send(&main::ServerMessage::Uuid(Uuid { uuid: [0; 16] }));
                }
            }
            AnyPeer::Inputs(peer) => {
                peer.send(&inputs::ServerMessage::Init(KeyModifiers { modifiers: self.locks }));
            }
            AnyPeer::Cursor(peer) => {
                if self.config.ack_window != 0 {
                    peer.set_ack(self.config.ack_window);
                }
                if let Show::Scene(scene) = &self.config.show {
                    peer.send(&cursor::ServerMessage::Init(scene.cursor()));
                }
            }
            _ => {}
        }
    }

    /// Answers a message.
    pub(super) fn answer(&mut self, index: usize, message: &Received) -> Result<(), ProtocolError> {
        let Some(open) = self.connections[index].open_mut() else { return Ok(()) };
        let channel = open.channel;
        let broken = |rule| Err(ProtocolError::Broken { channel, rule });
        match (&mut open.peer, message) {
            // 0.15.1 closes the channel too; a client must send what the server has announced and nothing else.
            (_, message) if message.name() == "Unknown" => broken("clients send known messages only"),
            (
                _,
                Received::Base(base::ClientMessage::MigrateFlushMark | base::ClientMessage::MigrateData(_)),
            ) => broken("nothing migrates here"),
            (AnyPeer::Main(_), Received::Main(message)) => self.main(index, message),
            (AnyPeer::Display(_), Received::Display(message)) => self.display(index, message),
            (AnyPeer::Inputs(peer), Received::Inputs(message)) => {
                match message {
                    inputs::ClientMessage::KeyModifiers(wanted) => {
                        self.locks = wanted.modifiers;
                        peer.send(&inputs::ServerMessage::KeyModifiers(*wanted));
                    }
                    inputs::ClientMessage::MouseMotion(_) | inputs::ClientMessage::MousePosition(_) => {
                        open.motions += 1;
                        if open.motions == MOTIONS_PER_ACK {
                            open.motions = 0;
                            peer.send(&inputs::ServerMessage::MouseMotionAck);
                        }
                    }
                    _ => {}
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn main(&mut self, index: usize, message: &main::ClientMessage) -> Result<(), ProtocolError> {
        let Some(open) = self.connections[index].open_mut() else { return Ok(()) };
        let channel = open.channel;
        let broken = |rule| Err(ProtocolError::Broken { channel, rule });
        let (AnyPeer::Main(peer), Some(session)) = (&mut open.peer, &mut self.session) else { return Ok(()) };
        match message {
            main::ClientMessage::AttachChannels if !session.attached => {
                session.attached = true;
                let channels = self.config.channels.iter().copied().collect();
                let channels = Counted::new(channels).unwrap_or_default();
                peer.send(&main::ServerMessage::ChannelsList(ChannelsList { channels }));
                Ok(())
            }
            main::ClientMessage::MouseModeRequest(wanted) => {
                let is_one = wanted.mode == MouseModes::SERVER || wanted.mode == MouseModes::CLIENT;
                if is_one && wanted.mode != session.mouse {
                    session.mouse = wanted.mode;
                    let mode = MouseMode { supported_modes: MOUSE_MODES, current_mode: wanted.mode };
                    peer.send(&main::ServerMessage::MouseMode(mode));
                }
                Ok(())
            }
            main::ClientMessage::AgentData(data) if data.len() > crate::channel::main::AGENT_CHUNK => {
                broken("an agent chunk has at most 2048 bytes")
            }
            main::ClientMessage::MigrateConnected
            | main::ClientMessage::MigrateConnectError
            | main::ClientMessage::MigrateConnectedSeamless
            | main::ClientMessage::MigrateDstDoSeamless(_)
            | main::ClientMessage::MigrateEnd => broken("nothing migrates here"),
            main::ClientMessage::ClientInfo(_) | main::ClientMessage::QualityIndicator(_) => {
                broken("the message is reserved")
            }
            // There is no agent to talk to.
            _ => Ok(()),
        }
    }

    fn display(&mut self, index: usize, message: &display::ClientMessage) -> Result<(), ProtocolError> {
        let Some(open) = self.connections[index].open_mut() else { return Ok(()) };
        let channel = open.channel;
        let broken = |rule| Err(ProtocolError::Broken { channel, rule });
        match (open.init_deadline, message) {
            (Some(_), display::ClientMessage::Init(_)) => {
                open.init_deadline = None;
                self.show(index);
                Ok(())
            }
            (Some(_), _) => broken("INIT comes first"),
            (None, display::ClientMessage::Init(_)) => broken("INIT comes once"),
            (None, display::ClientMessage::GlDrawDone) => broken("there is no graphics buffer"),
            (None, _) => Ok(()),
        }
    }

    /// Draws what there is to see on a display channel that has just been initialised.
    fn show(&mut self, index: usize) {
        let Some(open) = self.connections[index].open_mut() else { return };
        let monitors = DisplayCaps::from(&open.client_caps).contains(DisplayCaps::MONITORS_CONFIG);
        let AnyPeer::Display(peer) = &mut open.peer else { return };
        if self.config.ack_window != 0 {
            peer.set_ack(self.config.ack_window);
        }
        if open.channel.id != 0 {
            return;
        }
        match &self.config.show {
            Show::Nothing => {}
            Show::Script(messages) => open.script.extend(messages.iter().cloned()),
            Show::Scene(scene) => {
                let messages = scene.messages(self.frame).into_iter();
                open.script.extend(messages.filter(|message| {
                    monitors || !matches!(message, display::ServerMessage::MonitorsConfig(_))
                }));
                self.next_frame = self.config.animation.map(|period| self.now + period);
            }
        }
    }

    /// Moves the scene on if its time has come. A client that is behind misses the step.
    pub(super) fn animate(&mut self) {
        let (Some(due), Some(period)) = (self.next_frame, self.config.animation) else { return };
        if due > self.now {
            return;
        }
        self.next_frame = None;
        let open = self.connections.iter_mut().filter_map(|connection| connection.open_mut());
        let mut display = open.filter(|open| open.shows());
        let Some(open) = display.next() else { return };
        self.next_frame = Some(self.now + period);
        if let (true, Show::Scene(scene)) = (open.is_idle(), &self.config.show) {
            self.frame = self.frame.wrapping_add(1);
            open.script.extend(Scene::step(scene, self.frame));
            open.pump();
        }
    }
}

impl Open {
    /// Tells the client that the channel ends by intention.
    pub(super) fn say_goodbye(&mut self) {
        let goodbye = Disconnecting { time_stamp: 0, reason: LinkCode::OK };
        self.peer.send_base(&base::ServerMessage::Disconnecting(goodbye));
    }

    /// Whether this is the display with the scene, and initialised.
    fn shows(&self) -> bool {
        self.channel.kind == ChannelType::DISPLAY && self.channel.id == 0 && self.init_deadline.is_none()
    }
}

/// The multimedia clock as servers announce it: behind their own, which leaves clients time for buffering.
fn multimedia_time(now: Instant) -> u32 {
    now.wrapping_millis().wrapping_sub(400)
}

/// The mouse modes that may be asked for.
const MOUSE_MODES: MouseModes = MouseModes::SERVER.union(MouseModes::CLIENT);
/// Pointer motions that one acknowledgement covers.
const MOTIONS_PER_ACK: u32 = 4;
