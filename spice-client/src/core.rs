//! What commands work on: the session, and what this crate adds to it.

use spice_proto::Instant;
use spice_proto::session::{Event as SessionEvent, Session};
use spice_proto::types::ChannelType;

use crate::agent::Agent;
use crate::config::ClientConfig;
use crate::event::Event;
use crate::keyboard::Keyboard;
use crate::mouse::Pointer;

/// A session with the agent's machine, the keys that are held, and the pointer.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) session: Session,
    pub(crate) agent: Agent,
    pub(crate) keyboard: Keyboard,
    pub(crate) pointer: Pointer,
}

/// What a command does when its turn comes.
pub(crate) type Command = Box<dyn FnOnce(&mut Core, Instant) + Send>;

impl Core {
    pub(crate) fn new(config: &ClientConfig) -> Self {
        Self {
            session: Session::new(config.session.clone()),
            agent: Agent::new(config.agent.clone()),
            keyboard: Keyboard::default(),
            pointer: Pointer::default(),
        }
    }

    /// Looks at an event on its way to the application; gives what the application is to hear.
    pub(crate) fn outward(&mut self, event: SessionEvent, now: Instant) -> Option<Event> {
        match &event {
            SessionEvent::Main(message) if self.agent.on_main(message, now) => return None,
            SessionEvent::Display(id, message) => self.agent.on_display(*id, message, now),
            SessionEvent::ChannelClosed { channel, .. } if channel.kind == ChannelType::INPUTS => {
                self.keyboard.over();
                self.pointer.over();
            }
            SessionEvent::Ended(_) => self.over(),
            _ => {}
        }
        Event::try_from(event).ok()
    }

    /// Lets agent and keyboard go on, as far as they can.
    pub(crate) fn advance(&mut self, now: Instant) {
        self.agent.advance(&mut self.session, now);
        self.keyboard.advance(&mut self.session, now);
        self.pointer.advance(&mut self.session);
    }

    /// The next event of the agent's machine, and the bytes that it keeps in memory.
    pub(crate) fn poll_agent_event(&mut self) -> Option<(Event, usize)> {
        let event = self.agent.poll_event()?;
        let len = event.len();
        Some((Event::Agent(event), len))
    }

    /// When [`advance`](Self::advance) and [`Session::handle_timeout`] must be called at the latest.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let own = [self.session.poll_timeout(), self.agent.poll_timeout(), self.keyboard.poll_timeout()];
        own.into_iter().flatten().min()
    }

    /// Nothing comes any more: everybody who waits hears so.
    pub(crate) fn over(&mut self) {
        self.agent.over();
        self.keyboard.over();
        self.pointer.over();
    }
}
