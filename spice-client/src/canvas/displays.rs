//! The canvases of all display channels of a session, which may have to wait for each other.

use std::collections::BTreeMap;

use spice_proto::msg::display::ServerMessage;
use thiserror::Error;

use crate::canvas::lane::Lane;
use crate::canvas::{Applied, Blocked, Canvas, CanvasConfig, CanvasError, SharedCaches};

/// One [`Canvas`] for each display channel, by the channel's id.
///
/// A picture that one channel brings may be needed on another before it has come. The canvas concerned then waits, and
/// its messages with it; the others go on. Whoever wants a thread for each canvas does the same with a queue of its own
/// and [`Applied::Blocked`].
#[derive(Debug)]
pub struct Displays {
    config: CanvasConfig,
    caches: SharedCaches,
    lanes: BTreeMap<u8, Lane>,
    limits: WaitLimits,
    /// INVARIANT: bytes of what waits in all lanes.
    bytes: usize,
    gives_up: bool,
}

/// How many display channels there may be, and what may wait on them for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitLimits {
    /// Most display channels. 32: machines have at most 16 screens.
    pub displays: usize,
    /// Most messages of one channel. 1024: servers send at most two windows of 40 messages without being answered.
    pub messages: usize,
    /// Most bytes of the messages of all channels. 64 MiB: two uncompressed screens of 4096 × 2048. A single message may
    /// be longer.
    pub bytes: usize,
}

impl Default for WaitLimits {
    fn default() -> Self {
        Self { displays: 32, messages: 1024, bytes: 64 << 20 }
    }
}

/// Why a display channel cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DisplayError {
    /// The canvas says so.
    #[error(transparent)]
    Canvas(#[from] CanvasError),
    /// There are more display channels than [`WaitLimits`] admit.
    #[error("display {display} is one more than the {bound} that are admitted")]
    Displays {
        /// The channel's id.
        display: u8,
        /// The bound.
        bound: usize,
    },
    /// More waits than [`WaitLimits`] admit.
    #[error(
        "display {display} waits for pictures of other displays, with {messages} messages of {bytes} bytes behind"
    )]
    Waiting {
        /// The channel's id.
        display: u8,
        /// Messages that wait.
        messages: usize,
        /// Bytes that wait on all displays.
        bytes: usize,
    },
}

impl Displays {
    /// No canvas yet; each comes with its channel's first message.
    pub fn new(config: CanvasConfig, caches: SharedCaches) -> Self {
        let (lanes, limits) = (BTreeMap::new(), WaitLimits::default());
        Self { config, caches, lanes, limits, bytes: 0, gives_up: false }
    }

    /// With other bounds on what may wait.
    #[must_use]
    pub fn wait_limits(mut self, limits: WaitLimits) -> Self {
        self.limits = limits;
        self
    }

    /// When a message makes more wait than the limits admit, the one that has waited longest on its channel is left
    /// undrawn, and the rest goes on, as often as it takes; instead of [`DisplayError::Waiting`].
    #[must_use]
    pub fn give_up_late(mut self) -> Self {
        self.gives_up = true;
        self
    }

    /// Carries out a message of display channel `display`, or keeps it until another channel has brought what it
    /// needs. True if nothing waits any more on that channel.
    ///
    /// # Errors
    /// [`DisplayError`] if the channel `display` cannot go on, or another one that this message let go on. A canvas's
    /// error comes again with every later message of its own channel.
    pub fn apply(&mut self, display: u8, message: &ServerMessage) -> Result<bool, DisplayError> {
        self.apply_with(display, message, |canvas| canvas.apply(message))
    }

    /// [`apply`](Self::apply) for a message whose picture may have been decoded ahead.
    ///
    /// # Errors
    /// [`DisplayError`], as from `apply`.
    #[cfg(all(feature = "parallel", not(target_arch = "wasm32")))]
    #[cfg_attr(docsrs, doc(cfg(feature = "parallel")))]
    pub fn apply_prepared(
        &mut self,
        display: u8,
        prepared: &crate::canvas::Prepared,
    ) -> Result<bool, DisplayError> {
        self.apply_with(display, prepared.message(), |canvas| canvas.apply_prepared(prepared))
    }

    fn apply_with(
        &mut self,
        display: u8,
        message: &ServerMessage,
        apply: impl FnOnce(&mut Canvas) -> Result<Applied, CanvasError>,
    ) -> Result<bool, DisplayError> {
        let (others, bound) = (self.lanes.len(), self.limits.displays);
        if others >= bound && !self.lanes.contains_key(&display) {
            return Err(DisplayError::Displays { display, bound });
        }
        let new = || Lane::new(Canvas::new(self.config.clone(), self.caches.clone()));
        let lane = self.lanes.entry(display).or_insert_with(new);
        let arrivals = self.caches.arrivals();
        let applied = if lane.is_free() { Some(apply(&mut lane.canvas)?) } else { None };
        if applied != Some(Applied::Done) {
            match self.gives_up {
                true => lane.push(message, &mut self.bytes),
                false => lane.hold(display, message, &self.limits, &mut self.bytes)?,
            }
            if let Some(Applied::Blocked(what)) = applied {
                lane.block(what, arrivals);
            }
            if self.gives_up {
                lane.give_up_late(&self.caches, &self.limits, &mut self.bytes)?;
            }
        }
        // Also a message that has to wait for one picture may have brought another.
        self.advance()?;
        Ok(self.waiting(display) == 0)
    }

    /// The canvas of a display channel.
    pub fn canvas(&self, display: u8) -> Option<&Canvas> {
        self.lanes.get(&display).map(|lane| &lane.canvas)
    }

    /// The canvas of a display channel, to take its events and damage.
    pub fn canvas_mut(&mut self, display: u8) -> Option<&mut Canvas> {
        self.lanes.get_mut(&display).map(|lane| &mut lane.canvas)
    }

    /// All canvases with their channels' ids, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &Canvas)> {
        self.lanes.iter().map(|(id, lane)| (*id, &lane.canvas))
    }

    /// All canvases with their channels' ids, in order, to take their events and damage.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (u8, &mut Canvas)> {
        self.lanes.iter_mut().map(|(id, lane)| (*id, &mut lane.canvas))
    }

    /// Forgets a display channel that has ended. What waited for its pictures waits in vain from now on.
    pub fn remove(&mut self, display: u8) -> Option<Canvas> {
        let mut lane = self.lanes.remove(&display)?;
        lane.forget(&mut self.bytes);
        Some(lane.canvas)
    }

    /// Messages that wait on display channel `display`. An application that is told of the time stops the session when
    /// this has not changed for 10 seconds.
    pub fn waiting(&self, display: u8) -> usize {
        self.lanes.get(&display).map_or(0, Lane::len)
    }

    /// What the first message that waits on display channel `display` waits for.
    pub fn waits_for(&self, display: u8) -> Option<Blocked> {
        self.lanes.get(&display).and_then(Lane::blocked)
    }

    /// How often anything that waited on `display` was tried again.
    #[cfg(test)]
    pub(super) fn tried(&self, display: u8) -> u64 {
        self.lanes.get(&display).map_or(0, Lane::attempts)
    }

    /// Bytes that wait on all displays, by their running sum and counted anew.
    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> (usize, usize) {
        (self.bytes, self.lanes.values().map(Lane::held_bytes).sum())
    }

    /// A lost connection, or one that moves without keeping its state: empties the shared caches, and makes all
    /// canvases forget what they must, see [`Canvas::disconnect`].
    pub fn disconnect(&mut self) {
        self.caches.clear();
        for lane in self.lanes.values_mut() {
            lane.disconnect(&mut self.bytes);
        }
    }

    /// The channel of one display is gone, and the others go on: its canvas forgets
    /// what it must, see [`Canvas::disconnect`], and its picture stays; [`remove`](Self::remove) is for canvases that
    /// nobody looks at any more.
    pub fn close(&mut self, display: u8) {
        if let Some(lane) = self.lanes.get_mut(&display) {
            lane.disconnect(&mut self.bytes);
        }
    }

    /// Goes on wherever something waited for what has come since, as long as anything comes; gives the first error.
    fn advance(&mut self) -> Result<(), DisplayError> {
        let mut result = Ok(());
        loop {
            let Some(lane) = self.lanes.values_mut().find(|lane| lane.may_go_on(&self.caches)) else {
                return result.map_err(DisplayError::Canvas);
            };
            result = result.and(lane.advance(&self.caches, &mut self.bytes));
        }
    }
}
