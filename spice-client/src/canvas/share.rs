//! Memory that the canvases of a session have to share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What one canvas takes of it; given back when the canvas goes.
#[derive(Debug, Default)]
pub(super) struct Share {
    /// INVARIANT: the sum of what all shares have taken.
    all: Arc<AtomicU64>,
    taken: u64,
}

impl Share {
    /// Nothing yet, of what is counted in `all`.
    pub(super) fn new(all: Arc<AtomicU64>) -> Self {
        Self { all, taken: 0 }
    }

    /// Takes more; if all together would have more than `bound`, takes nothing and says how much that is.
    pub(super) fn take(&mut self, bytes: u64, bound: u64) -> Result<(), u64> {
        let value = self.all.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if value > bound {
            self.all.fetch_sub(bytes, Ordering::Relaxed);
            return Err(value);
        }
        self.taken += bytes;
        Ok(())
    }

    /// Gives some of it back.
    pub(super) fn give(&mut self, bytes: u64) {
        let bytes = bytes.min(self.taken);
        self.taken -= bytes;
        self.all.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give(self.taken);
    }
}
