//! Time as the machines of this crate see it: a number that the driver supplies.

use core::ops::{Add, Sub};
use core::time::Duration;

/// A moment, as the time passed since an epoch that the driver picks once and keeps.
///
/// The machines never read a clock. A driver passes its monotonic clock's reading; a test passes what it likes.
///
/// ```
/// use core::time::Duration;
/// use spice_proto::Instant;
/// let start = Instant::from_millis(5);
/// assert_eq!(start + Duration::from_millis(7) - start, Duration::from_millis(7));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Duration);

impl Instant {
    /// The epoch itself.
    pub const ZERO: Self = Self(Duration::ZERO);

    /// The moment `since_epoch` after the epoch.
    pub const fn new(since_epoch: Duration) -> Self {
        Self(since_epoch)
    }

    /// The moment `ms` milliseconds after the epoch.
    pub const fn from_millis(ms: u64) -> Self {
        Self(Duration::from_millis(ms))
    }

    /// Time passed since the epoch.
    pub const fn since_epoch(self) -> Duration {
        self.0
    }

    /// Milliseconds since the epoch, wrapped to the 32 bits of the protocol's multimedia clock.
    pub const fn wrapping_millis(self) -> u32 {
        self.0.as_millis() as u32
    }

    /// Time from `earlier` to `self`, or zero if `earlier` is later.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(rhs))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, rhs: Self) -> Duration {
        self.saturating_since(rhs)
    }
}
