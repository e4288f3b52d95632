//! The driver's side: the agent's machine, fed by the main channel, and everybody who waits for it.

use std::collections::VecDeque;

use spice_agent_proto::client::{Client, ClientConfig, Event as ProtoEvent, Output};
use spice_agent_proto::msg::{AudioVolumeSync, DisplayConfig};
use spice_agent_proto::{AgentCaps, AgentError};
use spice_proto::Instant;
use spice_proto::msg::{display, main};
use spice_proto::session::Session;

use super::clipboard::Clipboards;
use super::files::Files;
use super::monitors::Screens;
use super::{ClipboardEvent, Error, Event};
use crate::answer::{Answer, Waiting};
use crate::client::{Handle, ignore_closed};

/// The agent's machine with everybody who waits for it.
#[derive(Debug)]
pub(crate) struct Agent {
    /// `None` when the client does not talk to agents.
    client: Option<Client>,
    pub(super) outbox: Events,
    ready: Vec<Waiting<AgentCaps>>,
    clipboards: Clipboards,
    files: Files,
    screens: Screens,
    heard: Heard,
    over: bool,
}

/// When the agent has last given a sign of life.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    /// A piece of a message has come.
    pub(super) data: Instant,
    /// A piece has come, or one of this side's has been taken.
    pub(super) any: Instant,
}

/// Events that wait for the application.
#[derive(Debug, Default)]
pub(super) struct Events(VecDeque<Event>);

impl Agent {
    pub(crate) fn new(config: Option<ClientConfig>) -> Self {
        Self {
            client: config.map(Client::new),
            outbox: Events::default(),
            ready: Vec::new(),
            clipboards: Clipboards::default(),
            files: Files::default(),
            screens: Screens::default(),
            heard: Heard::default(),
            over: false,
        }
    }

    /// Takes a message of the main channel; true when it is nobody else's concern.
    pub(crate) fn on_main(&mut self, message: &main::ServerMessage, now: Instant) -> bool {
        let Some(client) = &mut self.client else { return false };
        match message {
            main::ServerMessage::Init(init) if init.agent_connected == 0 => {
                client.set_tokens(init.agent_tokens)
            }
            main::ServerMessage::Init(init) => client.connected(Some(init.agent_tokens)),
            main::ServerMessage::AgentConnected => client.connected(None),
            main::ServerMessage::AgentConnectedTokens(tokens) => client.connected(Some(tokens.num_tokens)),
            main::ServerMessage::AgentDisconnected(_) => client.disconnected(),
            main::ServerMessage::AgentData(data) => {
                self.heard = Heard { data: now, any: now };
                client.handle_data(data.0.clone());
                return true;
            }
            main::ServerMessage::AgentToken(tokens) => {
                self.heard.any = now;
                client.add_tokens(tokens.num_tokens);
                return true;
            }
            _ => {}
        }
        false
    }

    /// Takes a message of a display channel, to see whether the guest has followed.
    pub(crate) fn on_display(&mut self, channel: u8, message: &display::ServerMessage, now: Instant) {
        self.screens.on_display(channel, message, now);
    }

    /// Goes on as far as possible.
    pub(crate) fn advance(&mut self, session: &mut Session, now: Instant) {
        let Some(client) = &mut self.client else { return };
        loop {
            let mut progress = false;
            while !self.outbox.is_full()
                && let Some(event) = client.poll_event()
            {
                progress = true;
                match event {
                    ProtoEvent::Ready(caps) => {
                        self.ready.drain(..).for_each(|waiting| waiting.answer(Ok(caps)));
                        self.clipboards.on_ready(client);
                        self.screens.on_ready(client, now);
                        self.outbox.push(Event::Ready(caps));
                    }
                    ProtoEvent::Gone => {
                        self.screens.on_gone();
                        self.outbox.push(Event::Gone);
                    }
                    ProtoEvent::Clipboard(event) => self.clipboards.on_event(client, &mut self.outbox, event),
                    ProtoEvent::File(event) => self.files.on_event(&mut self.outbox, event),
                    ProtoEvent::Reply(reply) => self.outbox.push(Event::Reply(reply)),
                    ProtoEvent::Skipped(error) => self.outbox.push(Event::Skipped(error)),
                    ProtoEvent::Broken(error) => self.outbox.push(Event::Broken(error)),
                    _ => {}
                }
            }
            let Some(main) = session.main() else { break };
            // The channel counts tokens as messages arrive, and the machine as they are taken; the channel is right.
            client.set_tokens(main.logic().agent().tokens);
            while let Some(output) = client.poll_output() {
                progress = true;
                // A channel that has broken meanwhile is an event of its own.
                ignore_closed(match output {
                    Output::Start { tokens } => main.start_agent(now, tokens),
                    Output::Data(chunk) => main.send_agent_data(now, chunk),
                    Output::Token { tokens } => main.grant_agent_tokens(now, tokens),
                });
            }
            if !progress {
                break;
            }
        }
        self.clipboards.on_time(client, self.heard, now);
        self.files.on_time(client, self.heard, now);
        self.screens.on_time(now);
    }

    /// The next event for the application.
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.outbox.0.pop_front()
    }

    /// When [`advance`](Self::advance) must be called at the latest.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let own = [
            self.clipboards.poll_timeout(self.heard),
            self.files.poll_timeout(self.heard),
            self.screens.poll_timeout(),
        ];
        own.into_iter().flatten().min()
    }

    /// The session is over: everybody who waits hears so.
    pub(crate) fn over(&mut self) {
        self.client = None;
        self.over = true;
        self.ready.clear();
        self.clipboards = Clipboards::default();
        self.files = Files::default();
        self.screens = Screens::default();
    }

    /// What commands work on; `None` when the client does not talk to agents, or the session is over.
    pub(super) fn parts(&mut self) -> Option<Parts<'_>> {
        let Self { client, clipboards, files, screens, .. } = self;
        client.as_mut().map(|client| Parts { client, clipboards, files, screens })
    }

    /// Why there are no [`parts`](Self::parts).
    pub(super) fn absence(&self) -> Error {
        if self.over { Error::SessionOver } else { Error::NoAgent }
    }

    /// Lets a command work on the machine, unless there is none.
    pub(super) fn command<T: Send + 'static>(
        &mut self,
        waiting: Waiting<T>,
        command: impl FnOnce(Parts<'_>, Waiting<T>),
    ) {
        match self.parts() {
            Some(parts) => command(parts, waiting),
            None => waiting.answer(Err(self.absence())),
        }
    }

    fn wait(&mut self, waiting: Waiting<AgentCaps>) {
        match &self.client {
            Some(client) => match client.caps() {
                Some(caps) => waiting.answer(Ok(caps)),
                None => {
                    // Whoever looks again and again for a while each time leaves nothing behind.
                    self.ready.retain(|waiting| !waiting.is_abandoned());
                    self.ready.push(waiting);
                }
            },
            None => waiting.answer(Err(self.absence())),
        }
    }
}

/// What commands of all kinds work on.
pub(super) struct Parts<'a> {
    pub(super) client: &'a mut Client,
    pub(super) clipboards: &'a mut Clipboards,
    pub(super) files: &'a mut Files,
    pub(super) screens: &'a mut Screens,
}

impl Events {
    /// Adds an event; it takes the place of one that it makes worthless.
    pub(super) fn push(&mut self, event: Event) {
        let same = |old: &Event| match (old, &event) {
            (Event::FileProgress { transfer: old, .. }, Event::FileProgress { transfer, .. }) => {
                old == transfer
            }
            (Event::Clipboard(old), Event::Clipboard(new)) => {
                ownership(old).is_some() && ownership(old) == ownership(new)
            }
            _ => false,
        };
        if let Some(index) = self.0.iter().position(same) {
            self.0.remove(index);
        }
        self.0.push_back(event);
    }

    fn is_full(&self) -> bool {
        self.0.len() >= QUEUED
    }
}

/// The selection whose owner has changed.
fn ownership(event: &ClipboardEvent) -> Option<super::Selection> {
    match event {
        ClipboardEvent::Grabbed { selection, .. } | ClipboardEvent::Released { selection, .. } => {
            Some(*selection)
        }
        _ => None,
    }
}

/// What the agent concerns that is neither clipboard nor file nor monitor.
impl Handle {
    /// Waits until the guest's agent can be talked to, and tells what it can do. Waits for ever when there is no agent:
    /// give it a limit.
    pub fn wait_for_agent(&self) -> Answer<AgentCaps> {
        self.ask(|core, _, waiting| core.agent.wait(waiting))
    }

    /// Says what the guest should do without, to this agent and to those that come later.
    ///
    /// Fails with [`Error::Refused`] when the agent does not heed it, as the Linux agent; a later one is told all the
    /// same.
    pub fn set_display_settings(&self, settings: DisplayConfig) -> Answer<()> {
        self.tell(move |client| client.set_display(settings))
    }

    /// Says how loud the client is, for playback or recording, to this agent and to those that come later: the guest's
    /// mixer starts like that.
    ///
    /// Fails with [`Error::Refused`] when the agent does not heed it; a later one is told all the same.
    pub fn set_volume(&self, volume: AudioVolumeSync) -> Answer<()> {
        self.tell(move |client| client.set_volume(volume))
    }

    fn tell(&self, tell: impl FnOnce(&mut Client) -> Result<(), AgentError> + Send + 'static) -> Answer<()> {
        self.ask(move |core, _, waiting| {
            core.agent.command(waiting, |parts, waiting| {
                waiting.answer(tell(parts.client).map_err(Error::from));
            });
        })
    }
}

/// Events that wait for the application before the agent is made to wait.
const QUEUED: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer;

    #[test]
    fn waiting_in_vain_again_and_again_leaves_nothing_behind() {
        let mut agent = Agent::new(Some(ClientConfig::default()));
        let (waiting, kept) = Answer::new();
        agent.wait(waiting);
        for _ in 0..100 {
            let (waiting, answer) = Answer::new();
            agent.wait(waiting);
            drop(answer);
        }
        assert_eq!(agent.ready.len(), 2, "the one that is awaited, and the last");
        drop(kept);
    }
}
