//! Monitors: how many there are, how large, and where.

use alloc::vec::Vec;

use spice_proto::wire::{Array, Reader, Wire, Writer};
use spice_proto::{DecodeError, DecodeErrorKind, flags, pod};

use crate::caps::AgentCaps;
use crate::error::AgentError;

flags! {
    /// What a [`MonitorsConfig`] contains. Wire: `flags`, u32.
    pub struct MonitorsFlags: u32 {
        /// The positions have a meaning.
        USE_POS = 1,
        /// The physical sizes follow.
        PHYSICAL_SIZE = 2,
    }
}

pod! {
    /// One monitor; of no size when it is disabled. The height stands before the width.
    pub struct Monitor {
        /// Rows of pixels.
        pub height: u32,
        /// Columns of pixels.
        pub width: u32,
        /// Bits per pixel, 32.
        pub depth: u32,
        /// Left edge in pixels, in the guest's desktop.
        pub x: i32,
        /// Upper edge in pixels, in the guest's desktop.
        pub y: i32,
    }
}

impl Monitor {
    /// A monitor that is switched off.
    pub const DISABLED: Self = Self { height: 0, width: 0, depth: 0, x: 0, y: 0 };

    /// A monitor of 32 bits per pixel at 0, 0.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { height, width, depth: 32, x: 0, y: 0 }
    }

    /// The monitor with its upper left corner at the given pixel.
    pub const fn at(self, x: i32, y: i32) -> Self {
        Self { x, y, ..self }
    }

    /// Whether the monitor is switched on.
    pub const fn is_enabled(&self) -> bool {
        self.height != 0 && self.width != 0
    }
}

pod! {
    /// How large a monitor is to touch; 0 when unknown. The height stands before the width.
    pub struct PhysicalSize {
        /// Height in millimetres.
        pub height_mm: u16,
        /// Width in millimetres.
        pub width_mm: u16,
    }
}

/// The monitors that the guest should have; the index is the number of the display.
///
/// Wire: agent message 2, client → agent.
///
/// The Linux agent drops a message with physical sizes without an answer, so they are for guests whose server takes
/// the message itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MonitorsConfig {
    // INVARIANT: PHYSICAL_SIZE is set exactly when `sizes` is as long as `monitors` and means something.
    flags: MonitorsFlags,
    // INVARIANT: at most MAX elements.
    monitors: Array<Monitor>,
    sizes: Array<PhysicalSize>,
}

impl MonitorsConfig {
    /// Most monitors of one message; servers disconnect over more.
    pub const MAX: usize = 256;

    /// The monitors; `positions` says whether `x` and `y` have a meaning.
    ///
    /// # Errors
    /// [`AgentError::Misuse`] with more than [`MAX`](Self::MAX) monitors.
    pub fn new(monitors: &[Monitor], positions: bool) -> Result<Self, AgentError> {
        if monitors.len() > Self::MAX {
            return Err(AgentError::Misuse("there are at most 256 monitors"));
        }
        let flags = if positions { MonitorsFlags::USE_POS } else { MonitorsFlags::empty() };
        Ok(Self { flags, monitors: monitors.into(), sizes: Array::new() })
    }

    /// The same with the physical size of each monitor.
    ///
    /// # Errors
    /// [`AgentError::Misuse`] when there are more or fewer sizes than monitors.
    pub fn with_physical_sizes(mut self, sizes: &[PhysicalSize]) -> Result<Self, AgentError> {
        if sizes.len() != self.monitors.len() {
            return Err(AgentError::Misuse("there is one physical size for each monitor"));
        }
        self.sizes = sizes.into();
        self.flags |= MonitorsFlags::PHYSICAL_SIZE;
        Ok(self)
    }

    /// The form of the message that an agent with these capabilities understands: without
    /// [`SPARSE_MONITORS_CONFIG`](AgentCaps::SPARSE_MONITORS_CONFIG) disabled monitors are left out.
    pub fn for_agent(&self, caps: AgentCaps) -> Self {
        if caps.contains(AgentCaps::SPARSE_MONITORS_CONFIG) || self.monitors.iter().all(|m| m.is_enabled()) {
            return self.clone();
        }
        let enabled = |index: &usize| self.monitors.get(*index).is_some_and(|m| m.is_enabled());
        let kept: Vec<usize> = (0..self.monitors.len()).filter(enabled).collect();
        Self {
            flags: self.flags,
            monitors: kept.iter().filter_map(|index| self.monitors.get(*index)).collect(),
            sizes: kept.iter().filter_map(|index| self.sizes.get(*index)).collect(),
        }
    }

    /// What the message contains.
    pub fn flags(&self) -> MonitorsFlags {
        self.flags
    }

    /// The monitors.
    pub fn monitors(&self) -> &Array<Monitor> {
        &self.monitors
    }

    /// The physical sizes, one for each monitor; `None` when the message has none.
    pub fn physical_sizes(&self) -> Option<&Array<PhysicalSize>> {
        self.flags.contains(MonitorsFlags::PHYSICAL_SIZE).then_some(&self.sizes)
    }
}

impl Wire for MonitorsConfig {
    const MIN_LEN: usize = 8;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.field("num_of_monitors");
        let count: u32 = r.pod()?;
        let len = usize::try_from(count).unwrap_or(usize::MAX);
        if len > Self::MAX {
            let rule = "there are at most 256 monitors";
            return Err(r.error(DecodeErrorKind::BadValue { value: count.into(), rule }));
        }
        r.field("flags");
        let flags: MonitorsFlags = r.pod()?;
        r.field("monitors");
        let monitors = r.take_elements(len, Array::<Monitor>::ELEMENT).map(Array::from_bytes)?;
        r.field("physical_sizes");
        let sizes = if flags.contains(MonitorsFlags::PHYSICAL_SIZE) {
            r.take_elements(len, Array::<PhysicalSize>::ELEMENT).map(Array::from_bytes)?
        } else {
            Array::new()
        };
        Ok(Self { flags, monitors, sizes })
    }

    fn inline_len(&self) -> usize {
        Self::MIN_LEN + self.monitors.as_bytes().len() + self.sizes.as_bytes().len()
    }

    fn encode(&self, w: &mut Writer<'_>) {
        (self.monitors.len() as u32).encode(w);
        self.flags.encode(w);
        w.put(self.monitors.as_bytes());
        w.put(self.sizes.as_bytes());
    }
}

spice_proto::__when_testing! {
    impl spice_proto::testing::Sample for MonitorsConfig {
        fn sample(s: &mut spice_proto::testing::Source<'_>) -> Self {
            let monitors: Array<Monitor> = spice_proto::testing::Sample::sample(s);
            let flags: MonitorsFlags = spice_proto::testing::Sample::sample(s);
            let sizes = if flags.contains(MonitorsFlags::PHYSICAL_SIZE) {
                monitors.iter().map(|_| spice_proto::testing::Sample::sample(s)).collect()
            } else {
                Array::new()
            };
            Self { flags, monitors, sizes }
        }
    }
}
