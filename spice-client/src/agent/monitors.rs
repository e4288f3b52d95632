//! Monitors: what the guest is asked for, and whether it has followed.

use std::collections::BTreeMap;
use std::time::Duration;

use spice_agent_proto::client::Client;
use spice_agent_proto::monitors::{Monitor, MonitorsConfig};
use spice_agent_proto::{AgentError, Unavailable};
use spice_proto::Instant;
use spice_proto::msg::display::{ServerMessage, SurfaceFlags};

use super::Error;
use crate::answer::{Answer, Waiting};
use crate::client::Handle;

/// How large a monitor of the guest is, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// The guest's monitors as its display channels tell of them, and who waits for a change.
#[derive(Debug, Default)]
pub(super) struct Screens {
    displays: BTreeMap<u8, Display>,
    wish: Option<Wish>,
    /// The last wish that this agent's guest made something else of, and what; forgotten once the wish is fulfilled.
    rounded: Option<(Vec<Size>, Vec<Size>)>,
}

#[derive(Debug, Default)]
struct Display {
    primary: Option<Size>,
    /// The monitors on the primary surface; none while the server has not told.
    heads: Vec<Size>,
}

#[derive(Debug)]
struct Wish {
    wanted: Vec<Size>,
    waiting: Waiting<Vec<Size>>,
    /// When the agent was told; `None` before.
    told: Option<Instant>,
    /// When the guest has last changed something since then; `None` while nobody has been told.
    changed: Option<Instant>,
}

impl Screens {
    fn set(&mut self, client: &mut Client, monitors: &[Monitor], now: Instant, waiting: Waiting<Vec<Size>>) {
        if let Some(wish) = self.wish.take() {
            wish.waiting.answer(Err(Error::Superseded));
        }
        let result = MonitorsConfig::new(monitors, true).and_then(|config| client.set_monitors(config));
        if let Err(error) = result {
            return waiting.answer(Err(error.into()));
        }
        let enabled = monitors.iter().filter(|monitor| monitor.is_enabled());
        let wanted = enabled.map(|monitor| Size { width: monitor.width, height: monitor.height }).collect();
        let told = client.caps().map(|_| now);
        self.wish = Some(Wish { wanted, waiting, told, changed: None });
        self.on_time(now);
    }

    /// A new agent can be talked to, and the machine has told it of the monitors.
    pub(super) fn on_ready(&mut self, client: &mut Client, now: Instant) {
        let Some(wish) = self.wish.as_mut().filter(|wish| wish.told.is_none()) else { return };
        if client.caps().is_some_and(|caps| caps.contains(super::AgentCaps::MONITORS_CONFIG)) {
            wish.told = Some(now);
            self.on_time(now);
        } else if let Some(wish) = self.wish.take() {
            let missing = Unavailable::Missing(super::AgentCaps::MONITORS_CONFIG);
            wish.waiting.answer(Err(AgentError::from(missing).into()));
        }
    }

    /// The agent has gone. The next one is told the same, and may make something else of it.
    pub(super) fn on_gone(&mut self) {
        self.rounded = None;
        if let Some(wish) = &mut self.wish {
            (wish.told, wish.changed) = (None, None);
        }
    }

    pub(super) fn on_display(&mut self, channel: u8, message: &ServerMessage, now: Instant) {
        match message {
            ServerMessage::SurfaceCreate(surface) if surface.flags.contains(SurfaceFlags::PRIMARY) => {
                let size = Size { width: surface.width, height: surface.height };
                self.displays.entry(channel).or_default().primary = Some(size);
            }
            ServerMessage::SurfaceDestroy(surface) if surface.surface_id.0 == 0 => {
                self.displays.entry(channel).or_default().primary = None;
            }
            ServerMessage::MonitorsConfig(monitors) if monitors.heads.iter().next().is_some() => {
                let sizes = monitors.heads.iter().map(|head| Size { width: head.width, height: head.height });
                self.displays.entry(channel).or_default().heads =
                    sizes.filter(|size| size.width > 0 && size.height > 0).collect();
            }
            _ => return,
        }
        // A guest that was only slow does not round.
        let current = self.current();
        self.rounded.take_if(|(wanted, _)| *wanted == current);
        if let Some(wish) = self.wish.as_mut().filter(|wish| wish.told.is_some()) {
            wish.changed = Some(now);
        }
        self.on_time(now);
    }

    /// Answers when the guest has followed, has settled on something else, or does not follow.
    pub(super) fn on_time(&mut self, now: Instant) {
        let Some(wish) = &self.wish else { return };
        let Some(told) = wish.told else { return };
        let current = self.current();
        let settled = wish.changed.is_some_and(|changed| changed + SETTLED <= now) && !current.is_empty();
        let late = told + PATIENCE <= now;
        let known = |(wanted, got): &(Vec<Size>, Vec<Size>)| *wanted == wish.wanted && *got == current;
        let result = if current == wish.wanted || self.rounded.as_ref().is_some_and(known) {
            Ok(current)
        } else if settled {
            self.rounded = Some((wish.wanted.clone(), current.clone()));
            Ok(current)
        } else if late {
            Err(Error::NotFollowed { seconds: PATIENCE.as_secs() })
        } else {
            return;
        };
        if let Some(wish) = self.wish.take() {
            wish.waiting.answer(result);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let wish = self.wish.as_ref()?;
        // While no agent has been told there is nothing to wait for.
        let late = wish.told? + PATIENCE;
        // Nor does a guest settle while there is no telling what it shows.
        let changed = wish.changed.filter(|_| !self.current().is_empty());
        Some(changed.map_or(late, |changed| late.min(changed + SETTLED)))
    }

    /// The monitors of all display channels, in the order of the channels. While a surface is gone, or does not reach
    /// as far as its monitors, there is no telling.
    fn current(&self) -> Vec<Size> {
        let mut sizes = Vec::new();
        for display in self.displays.values() {
            let Some(primary) = display.primary else { return Vec::new() };
            let fits = |size: &Size| size.width <= primary.width && size.height <= primary.height;
            match display.heads.as_slice() {
                [] => sizes.push(primary),
                heads if heads.iter().all(fits) => sizes.extend(heads),
                _ => return Vec::new(),
            }
        }
        sizes
    }
}

/// Monitors.
impl Handle {
    /// Asks the guest for one monitor of this size, and tells the size that it has in the end: guests may round.
    ///
    /// As [`set_monitors`](Self::set_monitors) with one monitor.
    pub fn set_resolution(&self, width: u32, height: u32) -> Answer<Size> {
        self.ask_monitors(vec![Monitor::new(width, height)], move |sizes: Vec<Size>| {
            sizes.first().copied().unwrap_or(Size { width, height })
        })
    }

    /// Asks the guest for these monitors, at these places; [`Monitor::DISABLED`] switches one off. Waits for the agent
    /// when it is not there yet, and is answered once the guest's display channels show the wish fulfilled, or have
    /// settled on something else: the sizes of all monitors then. Agents that come later are told the same.
    /// Wire: agent message 2, `MonitorsConfig`.
    ///
    /// Fails with [`Error::NotFollowed`] when nothing changes, also when the session opens no display channel, or when
    /// what the guest would round the wish to is what it has already;
    /// [`Error::Superseded`] by the next call; [`Error::Refused`] when the agent cannot do it, or for more than 256
    /// monitors.
    pub fn set_monitors(&self, monitors: &[Monitor]) -> Answer<Vec<Size>> {
        self.ask_monitors(monitors.to_vec(), |sizes| sizes)
    }

    fn ask_monitors<T: Send + 'static>(
        &self,
        monitors: Vec<Monitor>,
        outcome: impl FnOnce(Vec<Size>) -> T + Send + 'static,
    ) -> Answer<T> {
        self.ask(move |core, now, waiting: Waiting<T>| {
            core.agent.command(waiting, |parts, waiting| {
                parts.screens.set(parts.client, &monitors, now, waiting.of(outcome));
            });
        })
    }
}

/// How long the guest may take to begin to follow.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the monitors must stay as they are before that counts as the guest's last word.
const SETTLED: Duration = Duration::from_millis(1500);
