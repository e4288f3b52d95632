//! How early frames may be shown without losing their distances.

use super::margin;

/// How far ahead of their times the frames of a stream come: all of them that came in the last seconds.
#[derive(Debug, Default)]
pub(super) struct Lead {
    /// The lead of the last frame.
    lead: Option<u32>,
    /// The least that frames were ahead, in the span of time that runs and in the one before.
    least: [Option<i32>; 2],
    /// When the span began.
    since: u32,
}

impl Lead {
    /// A frame has arrived at `time`, so many milliseconds ahead of its own time. By how many milliseconds it can be
    /// shown before that, so that frames as slow as the slowest of late would still come in time; 0 if those came late.
    ///
    /// Falls at once when a frame is slow, and rises slowly again, so that no frame is left out for it; begins anew when the
    /// clock was set back, or nothing has come for long.
    pub(super) fn observe(&mut self, ahead: i32, time: u32) -> u32 {
        let passed = margin(time, self.since);
        if self.lead.is_none() || !(0..SPAN_MS).contains(&passed) {
            let goes_on = (0..2 * SPAN_MS).contains(&passed);
            if !goes_on {
                // The clock was set back, or nothing has come for long.
                *self = Self::default();
            }
            (self.least, self.since) = ([None, self.least[0]], time);
        }
        self.least[0] = Some(self.least[0].map_or(ahead, |least| least.min(ahead)));
        let least = self.least.into_iter().flatten().min().unwrap_or(ahead);
        let most = u32::try_from(least).unwrap_or(0);
        let lead = self.lead.map_or(most, |lead| most.min(lead.saturating_add(RISE_MS)));
        self.lead = Some(lead);
        lead
    }
}

/// How long slow frames are remembered, at least; twice as long at most.
const SPAN_MS: i32 = 2000;
/// Milliseconds by which a frame may come closer to the one before it, at 25 frames a second an eighth of the distance.
const RISE_MS: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_frames_count_at_once_and_are_forgotten_slowly() {
        let mut lead = Lead::default();
        assert_eq!(lead.observe(390, 1000), 390);
        assert_eq!(lead.observe(395, 1040), 390);
        assert_eq!(lead.observe(300, 1080), 300);
        assert_eq!(lead.observe(390, 2900), 300);
        assert_eq!(lead.observe(390, 3000), 300, "remembered from the span before");
        assert_eq!(lead.observe(390, 4999), 300);
        assert_eq!(lead.observe(390, 5000), 305);
        assert_eq!(lead.observe(390, 5040), 310);
        for time in 0..30 {
            lead.observe(390, 5080 + time * 40);
        }
        assert_eq!(lead.observe(390, 6400), 390);
    }

    #[test]
    fn late_frames_leave_nothing_and_a_clock_set_back_begins_anew() {
        let mut lead = Lead::default();
        assert_eq!(lead.observe(-50, 1000), 0);
        assert_eq!(lead.observe(400, 1040), 0);
        assert_eq!(lead.observe(400, 10), 400, "the clock was set back");
        assert_eq!(lead.observe(i32::MIN, 20), 0);
        assert_eq!(lead.observe(i32::MAX, 90_000), i32::MAX.unsigned_abs(), "nothing has come for long");
        // Across the end of the clock's range.
        let mut lead = Lead::default();
        assert_eq!(lead.observe(100, u32::MAX - 10), 100);
        assert_eq!(lead.observe(50, 10), 50);
        assert_eq!(lead.observe(100, 30), 50);
    }
}
