//! Barriers across channels: one waits until others have processed their messages up to a serial.

use crate::msg::base::WaitForChannel;
use crate::session::Session;
use crate::time::Instant;

impl Session {
    /// Lets channels go on whose barriers have been reached.
    #[inline]
    pub(super) fn sync(&mut self) {
        // The session asks again and again, and hardly ever is one held.
        if !self.held {
            return;
        }
        for index in 0..self.routes.len() {
            if !self.routes[index].held {
                continue;
            }
            let reached = self.routes[index]
                .channel
                .barrier()
                .is_some_and(|list| list.iter().all(|wait| self.has_reached(&wait)));
            if reached {
                self.routes[index].channel.release();
                self.advance(index);
            }
        }
        self.held = self.routes.iter().any(|route| route.held);
    }

    /// Starts the deadlines of barriers anew that wait for the application to take events, not for the server.
    pub(super) fn excuse(&mut self, now: Instant) {
        for index in 0..self.routes.len() {
            let excused = self.routes[index].channel.barrier().is_some_and(|list| {
                list.iter().any(|wait| {
                    let waited_for = self.routes.iter().find(|route| route.id == wait.channel);
                    waited_for.is_some_and(|route| route.channel.has_events())
                })
            });
            if excused {
                self.routes[index].channel.postpone(now);
            }
        }
    }

    fn has_reached(&self, wait: &WaitForChannel) -> bool {
        match self.routes.iter().find(|route| route.id == wait.channel) {
            None => true,
            Some(route) => {
                let channel = &route.channel;
                let alive = !route.ended && (channel.is_open() || channel.is_linking());
                // A channel without connection, or that has ended, will come no further than what is here.
                channel.processed() >= wait.message_serial
                    || !alive && !channel.has_events() && channel.barrier().is_none()
            }
        }
    }
}
