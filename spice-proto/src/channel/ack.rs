//! The receive window: when to acknowledge.

use crate::msg::base::SetAck;

/// Counts received messages and says when an `Ack` is due.
#[derive(Clone, Debug, Default)]
pub(super) struct AckWindow {
    window: u32,
    received: u32,
}

impl AckWindow {
    /// Starts counting anew, with the next message.
    pub(super) fn set(&mut self, set: SetAck) {
        *self = Self { window: set.window, received: 0 };
    }

    /// Counts one top-level message; true when an `Ack` is due.
    pub(super) fn count(&mut self) -> bool {
        if self.window == 0 {
            return false;
        }
        self.received += 1;
        let due = self.received >= self.window;
        if due {
            self.received = 0;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ack_per_window_and_none_without() {
        let mut ack = AckWindow::default();
        assert!((0..100).all(|_| !ack.count()));
        ack.set(SetAck { generation: 1, window: 20 });
        assert_eq!((0..100).filter(|_| ack.count()).count(), 5);
    }
}
