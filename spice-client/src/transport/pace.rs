//! When messages that have arrived are read.

/// A server writes each of its small messages by itself, sometimes thousands in a second. Reading each on its own would
/// cost more than what is in it: in a burst they are gathered for a moment.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When the present window of [`BURST_MS`] began, and how many small messages it has seen.
    began_ms: f64,
    small: u32,
    gathers: bool,
}

impl Pace {
    /// Takes in that a message of so many bytes has arrived; returns for how many milliseconds more may be waited for
    /// before they are read.
    pub(crate) fn arrived(&mut self, bytes: usize, now_ms: f64) -> Option<i32> {
        let age = now_ms - self.began_ms;
        if age > BURST_MS {
            self.gathers &= age < 2.0 * BURST_MS && self.small > BURST_MESSAGES;
            (self.began_ms, self.small) = (now_ms, 0);
        }
        self.more(bytes);
        self.gathers |= self.small > BURST_MESSAGES;
        // Who sends a lot at once waits for nothing.
        (self.gathers && bytes < LARGE).then_some(GATHER_MS)
    }

    /// Takes in another message while those of a burst are gathered.
    pub(crate) fn more(&mut self, bytes: usize) {
        self.small += u32::from(bytes < LARGE);
    }
}

/// More small messages than this within [`BURST_MS`] are a burst: answers to keys and the steps of a handshake are not.
const BURST_MESSAGES: u32 = 6;
const BURST_MS: f64 = 20.0;
/// How long the messages of a burst are gathered.
const GATHER_MS: i32 = 8;
/// Bytes of a message that is not small.
const LARGE: usize = 8 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    /// `count` messages of `bytes`, one every `step` milliseconds from `now` on: how often they are read.
    fn reads(pace: &mut Pace, now: &mut f64, count: u32, bytes: usize, step: f64) -> u32 {
        let (mut due, mut reads) = (f64::NEG_INFINITY, 0);
        for _ in 0..count {
            *now += step;
            if *now < due {
                pace.more(bytes);
                continue;
            }
            reads += 1;
            due = pace.arrived(bytes, *now).map_or(due, |wait| *now + f64::from(wait));
        }
        reads
    }

    #[test]
    fn only_bursts_of_small_messages_are_gathered() {
        let (mut pace, mut now) = (Pace::default(), 1000.0);
        assert_eq!(reads(&mut pace, &mut now, 100, 200, 5.0), 100, "answers, one at a time");
        assert_eq!(reads(&mut pace, &mut now, 100, LARGE, 0.1), 100, "a large picture");
        now += 100.0;
        assert_eq!(reads(&mut pace, &mut now, 6, 200, 0.1), 6, "a handshake");
        let burst = reads(&mut pace, &mut now, 200, 200, 1.0);
        assert!(burst < 40, "a burst: {burst}");
        let calm = reads(&mut pace, &mut now, 20, 200, 15.0);
        assert!(calm >= 18, "calm again: {calm}");
        assert_eq!(pace.arrived(200, now + 15.0), None);
    }

    #[test]
    fn a_film_among_small_messages_interrupts_no_burst() {
        let (mut pace, mut now) = (Pace::default(), 1000.0);
        reads(&mut pace, &mut now, 20, 200, 1.0);
        assert_eq!(pace.arrived(LARGE, now + 8.0), None, "the picture itself is read at once");
        assert_eq!(pace.arrived(200, now + 9.0), Some(GATHER_MS));
    }
}
