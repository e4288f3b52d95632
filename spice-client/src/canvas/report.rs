//! Events, kept until they are taken.

use crate::canvas::Canvas;
use crate::canvas::outcome::{Event, Operation, Reason};

impl Canvas {
    /// The oldest event not yet taken. Take them after each message: of those that nobody takes the oldest are lost,
    /// see [`CanvasLimits::events`](crate::canvas::CanvasLimits::events).
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Keeps an event until it is taken, or until there are too many.
    pub(super) fn tell(&mut self, event: Event) {
        if self.events.len() >= self.config.limits.events.max(1) {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// Reports a command that is left undrawn, unless the like was reported before.
    pub(super) fn undrawable(&mut self, what: Operation, why: Reason) {
        if self.reported.insert((what, why.kind())) {
            self.tell(Event::Undrawable { what, why });
        }
    }
}
