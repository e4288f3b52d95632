//! The main channel: session identity, channel list, mouse mode, clock, and the agent's transport.

use bytes::Bytes;

use crate::channel::{Channel, Context, Logic};
use crate::error::ProtocolError;
use crate::msg::main::{
    AgentTokens, ClientMessage, Init, MouseMode, MouseModeRequest, MouseModes, ServerMessage,
};
use crate::time::Instant;
use crate::wire::Rest;

/// The client's side of the main channel.
#[derive(Debug)]
pub struct Main {
    wanted: MouseModes,
    init: Option<Init>,
    mouse: MouseMode,
    agent: AgentLink,
    /// Multimedia time minus the driver's own milliseconds, wrapping.
    clock_offset: u32,
}

/// What the channel knows about the guest agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentLink {
    /// Whether an agent runs in the guest.
    pub connected: bool,
    /// Chunks that may still be sent to it.
    pub tokens: u32,
}

impl Main {
    /// A main channel that asks for the mouse mode `wanted` whenever the server offers it.
    pub fn new(wanted: MouseModes) -> Self {
        Self { wanted, init: None, mouse: MouseMode::default(), agent: AgentLink::default(), clock_offset: 0 }
    }

    /// What the server said first; `None` before.
    pub fn init(&self) -> Option<&Init> {
        self.init.as_ref()
    }

    /// The mouse modes that the server offers, and the one in force.
    pub fn mouse(&self) -> MouseMode {
        self.mouse
    }

    /// What is known about the guest agent.
    pub fn agent(&self) -> AgentLink {
        self.agent
    }

    /// The server's multimedia clock at `now`, in milliseconds, wrapping.
    pub fn multimedia_time(&self, now: Instant) -> u32 {
        now.wrapping_millis().wrapping_add(self.clock_offset)
    }

    fn mouse_mode(&mut self, mouse: MouseMode, cx: &mut Context<'_, ServerMessage>) {
        self.mouse = mouse;
        if mouse.current_mode != self.wanted && mouse.supported_modes.contains(self.wanted) {
            cx.send(&ClientMessage::MouseModeRequest(MouseModeRequest { mode: self.wanted }));
        }
    }
}

impl Logic for Main {
    type In = ServerMessage;
    type Event = ServerMessage;

    fn on_message(
        &mut self,
        msg: ServerMessage,
        cx: &mut Context<'_, ServerMessage>,
    ) -> Result<(), ProtocolError> {
        match &msg {
            ServerMessage::Init(init) => {
                if self.init.is_some() {
                    return Err(cx.broken("INIT comes once"));
                }
                if init.session_id == 0 {
                    return Err(cx.broken("a session's id is not 0"));
                }
                self.init = Some(*init);
                self.clock_offset = init.multi_media_time.wrapping_sub(cx.now().wrapping_millis());
                self.agent = AgentLink { connected: init.agent_connected != 0, tokens: init.agent_tokens };
                cx.send(&ClientMessage::AttachChannels);
                let mouse = MouseMode {
                    supported_modes: init.supported_mouse_modes.modes,
                    current_mode: init.current_mouse_mode.modes,
                };
                self.mouse_mode(mouse, cx);
            }
            ServerMessage::MouseMode(mouse) => self.mouse_mode(*mouse, cx),
            ServerMessage::MultiMediaTime(time) => {
                self.clock_offset = time.time.wrapping_sub(cx.now().wrapping_millis());
            }
            ServerMessage::AgentConnected => self.agent.connected = true,
            ServerMessage::AgentConnectedTokens(tokens) => {
                self.agent = AgentLink { connected: true, tokens: tokens.num_tokens };
            }
            ServerMessage::AgentDisconnected(_) => self.agent.connected = false,
            ServerMessage::AgentToken(tokens) => {
                self.agent.tokens = self.agent.tokens.saturating_add(tokens.num_tokens);
            }
            _ => {}
        }
        cx.emit(msg);
        Ok(())
    }
}

impl Channel<Main> {
    /// Asks for a mouse mode, one bit, now and whenever the server offers it.
    ///
    /// # Errors
    /// As [`Channel::command`].
    pub fn want_mouse_mode(&mut self, now: Instant, wanted: MouseModes) -> Result<(), ProtocolError> {
        self.command(now, |main, cx| {
            main.wanted = wanted;
            main.mouse_mode(main.mouse, cx);
        })
    }

    /// Opens the way to the guest agent: it may send `tokens` chunks.
    ///
    /// # Errors
    /// As [`Channel::command`].
    pub fn start_agent(&mut self, now: Instant, tokens: u32) -> Result<(), ProtocolError> {
        self.command(now, |_, cx| cx.send(&ClientMessage::AgentStart(AgentTokens { num_tokens: tokens })))
    }

    /// Lets the guest agent send so many chunks more.
    ///
    /// # Errors
    /// As [`Channel::command`].
    pub fn grant_agent_tokens(&mut self, now: Instant, tokens: u32) -> Result<(), ProtocolError> {
        self.command(now, |_, cx| cx.send(&ClientMessage::AgentToken(AgentTokens { num_tokens: tokens })))
    }

    /// Sends one chunk of at most [`AGENT_CHUNK`] bytes to the guest agent; costs a token.
    ///
    /// # Errors
    /// As [`Channel::command`]; [`ProtocolError::Misuse`] without a token or with too long a chunk.
    pub fn send_agent_data(&mut self, now: Instant, chunk: Bytes) -> Result<(), ProtocolError> {
        if chunk.len() > AGENT_CHUNK {
            return Err(ProtocolError::Misuse("an agent chunk has at most 2048 bytes"));
        }
        self.command(now, |main, cx| {
            main.agent.tokens =
                main.agent.tokens.checked_sub(1).ok_or(ProtocolError::Misuse("no agent token is left"))?;
            cx.send(&ClientMessage::AgentData(Rest(chunk)));
            Ok(())
        })?
    }
}

/// Longest chunk of agent data in bytes: servers close the channel on longer ones.
pub const AGENT_CHUNK: usize = 2048;
