//! The frames of all displays that wait for their time.

use std::time::Duration;

use spice_proto::msg::audio::playback;
use spice_proto::msg::display::ServerMessage;

use super::{Due, Schedule, ScheduleLimits};

/// A [`Schedule`] for each display channel, within the bounds of one.
#[derive(Debug)]
pub(crate) struct Frames {
    limits: ScheduleLimits,
    /// Few; so they are found one by one.
    displays: Vec<Display>,
    /// The playback channels on which sound plays.
    playing: Vec<u8>,
}

#[derive(Debug)]
struct Display {
    id: u8,
    schedule: Schedule,
    /// Frames that were dropped, as far as somebody was told of them.
    told: u64,
}

impl Frames {
    pub(crate) fn new(limits: ScheduleLimits) -> Self {
        Self { limits, displays: Vec::new(), playing: Vec::new() }
    }

    /// As [`Schedule::push`], for a message of display channel `display`.
    pub(crate) fn push(&mut self, display: u8, message: ServerMessage, time: u32) -> Option<ServerMessage> {
        if self.limits == ScheduleLimits::NOTHING {
            return Some(message);
        }
        let known = self.displays.iter().position(|known| known.id == display);
        let index = known.unwrap_or(self.displays.len());
        if known.is_none() {
            self.displays.push(Display { id: display, schedule: Schedule::new(self.limits), told: 0 });
        }
        let others = self.waiting_bytes();
        let schedule = &mut self.displays.get_mut(index)?.schedule;
        let others = others - schedule.waiting_bytes();
        schedule.set_audio_active(!self.playing.is_empty());
        let passed = schedule.push(message, time);
        while others + schedule.waiting_bytes() > self.limits.bytes && schedule.drop_oldest(time) {}
        passed
    }

    /// The next frame that is due at `time`, with its display.
    pub(crate) fn pop(&mut self, time: u32) -> Option<(u8, Due)> {
        let due = self.displays.iter_mut().filter_map(|display| {
            let margin = display.schedule.next_margin(time)?;
            (margin <= 0).then_some((margin, display))
        });
        let (_, display) = due.min_by_key(|(margin, _)| *margin)?;
        display.schedule.pop(time).map(|due| (display.id, due))
    }

    /// Whether no frame waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.displays.iter().all(|display| display.schedule.waiting() == 0)
    }

    /// As [`Schedule::next_due`], for all displays.
    pub(crate) fn next_due(&self, time: u32) -> Option<Duration> {
        self.displays.iter().filter_map(|display| display.schedule.next_due(time)).min()
    }

    /// How many frames of a display have been dropped since this was asked last, if any.
    pub(crate) fn poll_dropped(&mut self) -> Option<(u8, u64)> {
        self.displays.iter_mut().find_map(|display| {
            let dropped = display.schedule.dropped().saturating_sub(display.told);
            display.told += dropped;
            (dropped > 0).then_some((display.id, dropped))
        })
    }

    /// Hears whether sound plays.
    pub(crate) fn listen(&mut self, channel: u8, message: &playback::ServerMessage) {
        match message {
            playback::ServerMessage::Start(_) if !self.playing.contains(&channel) => {
                self.playing.push(channel);
            }
            playback::ServerMessage::Stop => self.silence(channel),
            _ => {}
        }
    }

    /// A playback channel has ended.
    pub(crate) fn silence(&mut self, channel: u8) {
        self.playing.retain(|playing| *playing != channel);
    }

    /// A display channel has ended, or, with none named, all have: the last frames, and how many were dropped, by display.
    pub(crate) fn end(&mut self, display: Option<u8>, time: u32) -> Vec<(u8, Vec<Due>, u64)> {
        let ended = self.displays.extract_if(.., |known| display.is_none_or(|id| known.id == id));
        let last = |mut known: Display| {
            let frames = std::iter::from_fn(|| known.schedule.pop_last(time)).collect();
            (known.id, frames, known.schedule.dropped().saturating_sub(known.told))
        };
        ended.map(last).collect()
    }

    fn waiting_bytes(&self) -> usize {
        self.displays.iter().map(|display| display.schedule.waiting_bytes()).sum()
    }
}

#[cfg(test)]
mod tests {
    use spice_proto::msg::audio::{AudioFormat, Start};
    use spice_proto::msg::display::VideoCodecType;

    use super::super::samples::{create, frame};
    use super::*;

    fn frames(bytes: usize) -> Frames {
        let mut frames = Frames::new(ScheduleLimits { bytes, ..ScheduleLimits::default() });
        for display in 0..4 {
            assert!(frames.push(display, create(1, VideoCodecType::MJPEG), 0).is_some());
        }
        frames
    }

    #[test]
    fn all_displays_wait_within_the_bounds_of_one() {
        let mut frames = frames(1000);
        frames.playing.push(0);
        for stamp in 100..120 {
            for display in 0..4 {
                assert_eq!(frames.push(display, frame(1, stamp), 0), None);
                assert!(frames.waiting_bytes() <= 1000, "three frames of 266 bytes");
            }
        }
        let dropped: Vec<_> = std::iter::from_fn(|| frames.poll_dropped()).collect();
        assert_eq!(dropped.iter().map(|(_, count)| count).sum::<u64>(), 77);
        assert_eq!(frames.poll_dropped(), None, "it was told");
        let (_, last, _) = frames.end(Some(0), 0).pop().unwrap();
        assert_eq!(last.len(), 1, "the newest of three");
        assert_eq!((frames.pop(90), frames.end(Some(0), 0).len(), frames.end(None, 0).len()), (None, 0, 3));
        assert!(frames.is_empty());
    }

    #[test]
    fn frames_come_in_the_order_of_their_times() {
        let mut frames = frames(10_000);
        frames.playing.push(0);
        frames.push(0, frame(1, 120), 0);
        frames.push(1, frame(1, 110), 0);
        assert_eq!(frames.next_due(100), Some(Duration::from_millis(10)));
        let shown: Vec<_> = std::iter::from_fn(|| frames.pop(130)).map(|(id, due)| (id, due.show)).collect();
        assert_eq!(shown, [(1, true), (0, true)]);
    }

    #[test]
    fn sound_makes_frames_wait_for_their_times() {
        let mut frames = frames(10_000);
        frames.push(0, frame(1, 500), 100);
        assert!(frames.pop(100).is_some());
        let (format, time) = (AudioFormat::S16, 0);
        frames.listen(
            3,
            &playback::ServerMessage::Start(Start { channels: 2, format, frequency: 48_000, time }),
        );
        frames.push(0, frame(1, 540), 140);
        assert!(frames.pop(140).is_none());
        assert!(frames.pop(540).is_some());
        frames.listen(3, &playback::ServerMessage::Stop);
        frames.push(0, frame(1, 980), 580);
        assert!(frames.pop(580).is_some());
    }
}
