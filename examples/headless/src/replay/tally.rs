//! What a recording consists of.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};
use spice_proto::msg::Message;
use spice_proto::msg::display::ServerMessage;

/// Counts of a replay.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) at: Duration,
    pub(super) channels: usize,
    /// Messages on display channels.
    pub(super) displayed: u64,
    pub(super) cursor: u64,
    /// Events of other kinds.
    pub(super) others: u64,
    /// Rectangles of damage.
    pub(super) damage: u64,
    /// What went wrong, in words.
    pub(super) undrawn: Vec<String>,
    kinds: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(super) fn display(&mut self, message: &ServerMessage) {
        self.displayed += 1;
        *self.kinds.entry(message.name()).or_default() += 1;
    }
}

impl Tally {
    /// The same for programs.
    pub(super) fn value(&self, took: Duration) -> Value {
        json!({
            "seconds": self.at.as_secs_f64(),
            "channels": self.channels,
            "display_messages": self.displayed,
            "cursor_messages": self.cursor,
            "other_events": self.others,
            "damage": self.damage,
            "messages": self.kinds,
            "undrawn": self.undrawn,
            "replay_seconds": took.as_secs_f64(),
        })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:.1} s of a session with {} channels", self.at.as_secs_f64(), self.channels)?;
        writeln!(
            f,
            "{} display messages, {} cursor messages, {} other events, {} rectangles of damage",
            self.displayed, self.cursor, self.others, self.damage
        )?;
        let mut kinds: Vec<_> = self.kinds.iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (name, count) in kinds {
            writeln!(f, "{count:9} {name}")?;
        }
        Ok(())
    }
}
