//! What a server is told before it starts.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use crate::caps::{Caps, DisplayCaps, InputsCaps, MainCaps};
use crate::limits::Limits;
use crate::link::{Password, PasswordError, TicketRule};
use crate::msg::display;
use crate::testing::scene::Scene;
use crate::types::{ChannelId, ChannelType};

/// Whom a server lets in, and what it shows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerConfig {
    /// What tickets must hold.
    pub ticket: TicketRule,
    /// Whether clients that can may use headers of 6 bytes.
    pub mini_headers: bool,
    /// The channels besides main. The default is one display, inputs and one cursor.
    pub channels: Vec<ChannelId>,
    /// Kinds of channels that are refused without TLS.
    pub secured: Vec<ChannelType>,
    /// What the display channels announce.
    pub display_caps: DisplayCaps,
    /// What display 0 shows.
    pub show: Show,
    /// The machine's name.
    pub name: String,
    /// Messages per acknowledgement on display and cursor channels; 0 for none.
    pub ack_window: u32,
    /// Time from one step of the scene's animation to the next; `None` keeps the picture still.
    pub animation: Option<Duration>,
    /// Bounds on what clients may make the server hold or do.
    pub limits: Limits,
    /// Connections at most, in any stage. 128: one session with all its channels, and one that replaces it.
    pub connections: usize,
    /// Connections that are still linking at most. 32: a client opens all its channels at once.
    pub half_open: usize,
}

/// What display 0 shows.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)]
#[non_exhaustive]
pub enum Show {
    /// Nothing: the caller draws, if anybody does.
    Nothing,
    /// A scene.
    Scene(Scene),
    /// These messages.
    Script(Vec<display::ServerMessage>),
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            ticket: TicketRule::Any,
            mini_headers: true,
            channels: vec![
                ChannelId::new(ChannelType::DISPLAY, 0),
                ChannelId::new(ChannelType::INPUTS, 0),
                ChannelId::new(ChannelType::CURSOR, 0),
            ],
            secured: Vec::new(),
            display_caps: DisplayCaps::MONITORS_CONFIG,
            show: Show::Scene(Scene::default()),
            name: String::from("reference server"),
            ack_window: 20,
            animation: None,
            limits: Limits::default(),
            connections: 128,
            half_open: 32,
        }
    }
}

impl ServerConfig {
    /// Asks for a password.
    ///
    /// # Errors
    /// [`PasswordError`] when no client could send it.
    pub fn password(mut self, password: &str) -> Result<Self, PasswordError> {
        self.ticket = TicketRule::Password(Password::new(password.as_bytes())?);
        Ok(self)
    }

    /// Offers these channels besides main.
    #[must_use]
    pub fn channels(mut self, channels: &[ChannelId]) -> Self {
        self.channels = channels.to_vec();
        self
    }

    /// Shows this on display 0.
    #[must_use]
    pub fn show(mut self, show: Show) -> Self {
        self.show = show;
        self
    }

    /// What a channel announces.
    pub(super) fn channel_caps(&self, kind: ChannelType) -> Caps {
        match kind {
            ChannelType::MAIN => (MainCaps::NAME_AND_UUID | MainCaps::AGENT_CONNECTED_TOKENS).into(),
            ChannelType::DISPLAY => self.display_caps.into(),
            ChannelType::INPUTS => InputsCaps::KEY_SCANCODE.into(),
            _ => Caps::new(),
        }
    }

    /// The bounds of one channel. Where a client has nothing long to say, a long message is not waited for; the
    /// numbers are those of server 0.15.1.
    pub(super) fn channel_limits(&self, kind: ChannelType) -> Limits {
        let mut limits = self.limits.clone();
        let bound = match kind {
            ChannelType::MAIN => 26_624,
            ChannelType::DISPLAY | ChannelType::CURSOR => 1024,
            ChannelType::INPUTS => 2048,
            _ => u32::MAX,
        };
        limits.client_message_len = limits.client_message_len.min(bound);
        limits
    }
}
