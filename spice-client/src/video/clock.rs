//! The session's clock for sound and pictures.

use spice_proto::Instant;
use spice_proto::msg::main;

/// The server's multimedia clock, told from the local one: milliseconds that wrap at 2³².
///
/// The server sets it in `MainChannel.init` and with `multi_media_time`, both some hundred milliseconds behind the times
/// that it stamps frames with: that is how long a frame may be under way. A player of sound sets it from what is being
/// heard, so that pictures follow sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MultimediaClock {
    offset: u32,
}

impl MultimediaClock {
    /// Takes the time from a message of the main channel that has one, received at `now`.
    pub fn observe(&mut self, message: &main::ServerMessage, now: Instant) {
        match message {
            main::ServerMessage::Init(init) => self.set(init.multi_media_time, now),
            main::ServerMessage::MultiMediaTime(time) => self.set(time.time, now),
            _ => {}
        }
    }

    /// Says that it is `time` at `now`.
    pub fn set(&mut self, time: u32, now: Instant) {
        self.offset = time.wrapping_sub(now.wrapping_millis());
    }

    /// The time at `now`.
    pub fn time(&self, now: Instant) -> u32 {
        now.wrapping_millis().wrapping_add(self.offset)
    }
}

#[cfg(test)]
mod tests {
    use spice_proto::msg::main::{MultiMediaTime, ServerMessage};

    use super::*;

    #[test]
    fn the_clock_wraps_and_is_set_anew() {
        let mut clock = MultimediaClock::default();
        let time = MultiMediaTime { time: u32::MAX - 5 };
        clock.observe(&ServerMessage::MultiMediaTime(time), Instant::from_millis(1000));
        assert_eq!(clock.time(Instant::from_millis(1010)), 4);
        clock.observe(&ServerMessage::MigrateEnd, Instant::from_millis(1010));
        clock.set(50, Instant::from_millis(1010));
        assert_eq!(clock.time(Instant::from_millis(1011)), 51);
    }
}
