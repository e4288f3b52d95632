//! Frames that wait for their time.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use spice_proto::msg::display::{ServerMessage, SurfaceFlags, VideoCodecType};
use spice_proto::types::{StreamId, SurfaceId};
use spice_proto::wire::Blob;

use super::lead::Lead;
use super::margin;

/// Keeps the frames of one display channel's videos until they are due, and lets everything else pass.
///
/// While sound plays, frames are due at the times that the server stamped them with, and those that come later are
/// dropped. Servers stamp frames some 400 ms ahead of the clock, so that pictures and sound can wait for each other.
/// Without sound there is nothing to wait for but the other frames: each is due as much before its time as the slowest
/// frame of the last seconds came, which keeps the distances between frames and is as early as that can be; a late frame
/// is shown unless a newer one has come.
///
/// All times are milliseconds of the multimedia clock, which wraps. When the clock is set anew, what waits is judged by
/// the new time.
#[derive(Debug, Default)]
pub struct Schedule {
    limits: ScheduleLimits,
    streams: BTreeMap<StreamId, Stream>,
    /// The surface on which frames are shown as they come, while no sound plays.
    streaming: Option<SurfaceId>,
    audio: bool,
    bytes: usize,
    dropped: u64,
}

#[derive(Debug)]
struct Stream {
    codec: VideoCodecType,
    surface: SurfaceId,
    queue: VecDeque<Frame>,
    lead: Lead,
}

#[derive(Debug)]
struct Frame {
    /// When the server wants it shown.
    stamp: u32,
    due: u32,
    message: ServerMessage,
    len: usize,
}

/// What may wait; the oldest frames go when it is more. Besides, each stream's queue has places, of some hundred bytes, for
/// up to four times as many frames as wait in it, and for four at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScheduleLimits {
    /// Most streams that are kept apart; frames of others pass at once. 64: servers use 50.
    pub streams: usize,
    /// Most frames of one stream. 64: more than two seconds at 30 frames a second; servers send them 400 ms ahead.
    pub frames: usize,
    /// Most bytes of all frames. 32 MiB: 400 ms of ten full-screen videos.
    pub bytes: usize,
}

impl ScheduleLimits {
    /// Nothing waits: frames pass as they come.
    pub const NOTHING: Self = Self { streams: 0, frames: 0, bytes: 0 };
}

impl Default for ScheduleLimits {
    fn default() -> Self {
        Self { streams: 64, frames: 64, bytes: 32 << 20 }
    }
}

/// A frame whose time has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// The frame's message.
    pub message: ServerMessage,
    /// Whether to show it. If not, it is late and a newer one is due as well, but later ones build on it: decode it.
    pub show: bool,
}

impl Schedule {
    /// Nothing waits.
    pub fn new(limits: ScheduleLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Says whether sound plays, which it does not at first. Without sound, frames are shown as early as they keep
    /// their distances, and on surfaces made for video alone as they come.
    pub fn set_audio_active(&mut self, active: bool) {
        self.audio = active;
    }

    /// Takes a message that arrived at `time`: gives it back if it is to be carried out at once, and keeps it if it is
    /// a frame for later. While sound plays, a frame that is too late, and on which no other builds, is dropped.
    ///
    /// Frames keep nothing else in memory: their data is copied.
    pub fn push(&mut self, message: ServerMessage, time: u32) -> Option<ServerMessage> {
        match &message {
            ServerMessage::StreamCreate(m) => {
                self.forget(m.id);
                if self.streams.len() < self.limits.streams {
                    let (codec, surface) = (m.codec_type, m.surface_id);
                    let stream = Stream { codec, surface, queue: VecDeque::new(), lead: Lead::default() };
                    self.streams.insert(m.id, stream);
                }
            }
            ServerMessage::StreamDestroy(m) => self.forget(m.id),
            ServerMessage::StreamDestroyAll => self.clear(),
            ServerMessage::SurfaceDestroy(m) => self.forget_surface(m.surface_id),
            ServerMessage::SurfaceCreate(m) => {
                if m.flags.contains(SurfaceFlags::STREAMING_MODE) {
                    self.streaming = Some(m.surface_id);
                } else if self.streaming == Some(m.surface_id) {
                    self.streaming = None;
                }
            }
            ServerMessage::StreamData(m) => {
                let (id, stamp) = (m.id, m.multi_media_time);
                return self.frame(id, stamp, time, message);
            }
            ServerMessage::StreamDataSized(m) => {
                let (id, stamp) = (m.id, m.multi_media_time);
                return self.frame(id, stamp, time, message);
            }
            _ => {}
        }
        Some(message)
    }

    /// The next frame that is due at `time`, of the stream that has waited longest. Call until there is none.
    pub fn pop(&mut self, time: u32) -> Option<Due> {
        self.pop_if(time, |margin| margin <= 0)
    }

    /// The same once nothing comes any more: everything is due.
    pub(super) fn pop_last(&mut self, time: u32) -> Option<Due> {
        self.pop_if(time, |_| true)
    }

    /// The next frame that is due so many milliseconds after `time`.
    fn pop_if(&mut self, time: u32, is_due: impl Fn(i32) -> bool) -> Option<Due> {
        let due = self.streams.values_mut().filter_map(|stream| {
            let margin = margin(stream.queue.front()?.due, time);
            is_due(margin).then_some((margin, stream))
        });
        let (_, stream) = due.min_by_key(|(margin, _)| *margin)?;
        while let Some(frame) = stream.queue.pop_front() {
            self.bytes -= frame.len;
            // What comes late is shown all the same if there is nothing newer to show.
            let show = stream.queue.front().is_none_or(|next| !is_due(margin(next.due, time)));
            if show || stream.codec != VideoCodecType::MJPEG {
                stream.release();
                return Some(Due { message: frame.message, show });
            }
            self.dropped += 1;
        }
        None
    }

    /// How long after `time` the next frame is due; `None` when no frame waits.
    pub fn next_due(&self, time: u32) -> Option<Duration> {
        Some(Duration::from_millis(u64::try_from(self.next_margin(time)?).unwrap_or(0)))
    }

    /// The same in milliseconds, negative for a frame that has been due for so long.
    pub(super) fn next_margin(&self, time: u32) -> Option<i32> {
        let fronts = self.streams.values().filter_map(|stream| stream.queue.front());
        fronts.map(|frame| margin(frame.due, time)).min()
    }

    /// Frames that wait.
    pub fn waiting(&self) -> usize {
        self.streams.values().map(|stream| stream.queue.len()).sum()
    }

    /// Bytes of the frames that wait.
    pub fn waiting_bytes(&self) -> usize {
        self.bytes
    }

    /// Frames that were neither shown nor decoded, because they came too late or were too many.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Drops the frame that would be the next to be due after `time`; false if none waits.
    pub(super) fn drop_oldest(&mut self, time: u32) -> bool {
        let waits = self.streams.values_mut().filter_map(|stream| {
            let due = stream.queue.front()?.due;
            Some((margin(due, time), stream))
        });
        let Some((_, stream)) = waits.min_by_key(|(margin, _)| *margin) else { return false };
        if let Some(frame) = stream.queue.pop_front() {
            self.bytes -= frame.len;
            self.dropped += 1;
            stream.release();
        }
        true
    }

    /// The connection is lost: nothing that waits will be shown.
    pub fn clear(&mut self) {
        self.streams.clear();
        self.bytes = 0;
    }

    fn frame(
        &mut self,
        id: StreamId,
        stamp: u32,
        time: u32,
        message: ServerMessage,
    ) -> Option<ServerMessage> {
        let streaming = self.streaming.filter(|_| !self.audio);
        // Frames of streams that nobody knows draw nothing.
        let Some(stream) = self.streams.get_mut(&id) else { return Some(message) };
        let replaceable = stream.codec == VideoCodecType::MJPEG;
        // Some graphics drivers stamp frames with 0.
        let stamp = if stamp == 0 { time.wrapping_add(UNSTAMPED_MS) } else { stamp };
        let ahead = margin(stamp, time);
        let lead = stream.lead.observe(ahead, time);
        if self.audio && ahead < 0 && replaceable {
            self.dropped += 1;
            return None;
        }
        // A stamp from before what waits: the server's clock was set back, and what waits would come out of order.
        if stream.queue.back().is_some_and(|last| margin(stamp, last.stamp) < 0) && replaceable {
            self.dropped += stream.queue.len() as u64;
            self.bytes -= stream.queue.drain(..).map(|frame| frame.len).sum::<usize>();
            stream.release();
        }
        let due = match self.audio {
            true => stamp,
            // Not later than the server wants, which is as good as at once when that is past.
            false if streaming == Some(stream.surface) => time,
            false => stamp.wrapping_sub(lead),
        };
        // What came before it does not hold it up: clocks are set back, and sound ends.
        for before in stream.queue.iter_mut().rev().take_while(|before| margin(due, before.due) < 0) {
            before.due = due;
        }
        let (message, len) = own(message);
        stream.queue.push_back(Frame { stamp, due, message, len });
        self.bytes += len;
        while stream.queue.len() > self.limits.frames {
            let Some(frame) = stream.queue.pop_front() else { break };
            self.bytes -= frame.len;
            self.dropped += 1;
        }
        while self.bytes > self.limits.bytes && self.drop_oldest(time) {}
        None
    }

    fn forget(&mut self, id: StreamId) {
        if let Some(stream) = self.streams.remove(&id) {
            self.bytes -= stream.queue.iter().map(|frame| frame.len).sum::<usize>();
        }
    }

    fn forget_surface(&mut self, surface: SurfaceId) {
        let bytes = &mut self.bytes;
        self.streams.retain(|_, stream| {
            let gone = stream.surface == surface;
            if gone {
                *bytes -= stream.queue.iter().map(|frame| frame.len).sum::<usize>();
            }
            !gone
        });
    }
}

impl Stream {
    /// Gives back the memory of a queue that was much longer.
    fn release(&mut self) {
        let len = self.queue.len();
        if self.queue.capacity() > USUAL_FRAMES.max(4 * len) {
            self.queue.shrink_to(USUAL_FRAMES.max(2 * len));
        }
    }
}

/// The frame without the received block that it is a part of, and what it takes.
fn own(mut message: ServerMessage) -> (ServerMessage, usize) {
    let data = match &mut message {
        ServerMessage::StreamData(m) => &mut m.data,
        ServerMessage::StreamDataSized(m) => &mut m.data,
        _ => return (message, 0),
    };
    let copy = Bytes::copy_from_slice(data);
    let len = copy.len() + FRAME_BYTES;
    *data = Blob::new(copy).unwrap_or_default();
    (message, len)
}

/// How long a frame without a time waits, in milliseconds.
const UNSTAMPED_MS: u32 = 100;
/// Frames that an empty queue keeps places for.
const USUAL_FRAMES: usize = 4;
/// Bytes of bookkeeping counted for each frame.
const FRAME_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use spice_proto::msg::display::{
        StreamData, StreamDestroy, SurfaceCreate, SurfaceDestroy, SurfaceFormat,
    };

    use super::super::samples::{create, frame};
    use super::*;

    /// With sound.
    fn schedule(codec: VideoCodecType) -> Schedule {
        let mut schedule = silent(codec);
        schedule.set_audio_active(true);
        schedule
    }

    fn silent(codec: VideoCodecType) -> Schedule {
        let mut schedule = Schedule::default();
        assert!(schedule.push(create(1, codec), 0).is_some());
        schedule
    }

    /// The stamps of all that is due, negative for frames that are not to be shown.
    fn due(schedule: &mut Schedule, time: u32) -> Vec<i64> {
        std::iter::from_fn(|| schedule.pop(time))
            .map(|due| match due.message {
                ServerMessage::StreamData(m) if due.show => i64::from(m.multi_media_time),
                ServerMessage::StreamData(m) => -i64::from(m.multi_media_time),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn frames_wait_for_their_time_and_other_messages_do_not() {
        let mut schedule = schedule(VideoCodecType::MJPEG);
        for stamp in [400, 440, 480] {
            assert_eq!(schedule.push(frame(1, stamp), 10), None);
        }
        assert_eq!(schedule.push(ServerMessage::Mark, 10), Some(ServerMessage::Mark));
        assert_eq!(schedule.push(frame(9, 500), 10), Some(frame(9, 500)), "of no known stream");
        assert_eq!(schedule.next_due(150), Some(Duration::from_millis(250)));
        assert_eq!(due(&mut schedule, 399), []);
        assert_eq!(due(&mut schedule, 400), [400]);
        assert_eq!(due(&mut schedule, 445), [440]);
        assert_eq!(schedule.next_due(500), Some(Duration::ZERO));
        assert_eq!(due(&mut schedule, 500), [480], "late, but there is nothing newer");
        assert_eq!((schedule.next_due(500), schedule.waiting(), schedule.waiting_bytes()), (None, 0, 0));
        assert_eq!(schedule.dropped(), 0);
    }

    #[test]
    fn late_frames_are_dropped_unless_others_build_on_them() {
        let mut mjpeg = schedule(VideoCodecType::MJPEG);
        assert_eq!(mjpeg.push(frame(1, 99), 100), None);
        assert_eq!((mjpeg.waiting(), mjpeg.dropped()), (0, 1));
        for stamp in [110, 120, 130, 140] {
            mjpeg.push(frame(1, stamp), 100);
        }
        assert_eq!(due(&mut mjpeg, 135), [130]);
        assert_eq!((mjpeg.dropped(), mjpeg.waiting()), (3, 1));
        let mut vp8 = schedule(VideoCodecType::VP8);
        for stamp in [99, 110, 120, 140] {
            vp8.push(frame(1, stamp), 100);
        }
        assert_eq!(due(&mut vp8, 125), [-99, -110, 120]);
        assert_eq!(vp8.dropped(), 0);
    }

    #[test]
    fn a_frame_from_before_what_waits_replaces_it() {
        let mut schedule = schedule(VideoCodecType::MJPEG);
        for stamp in [500, 540, 200] {
            schedule.push(frame(1, stamp), 100);
        }
        assert_eq!((schedule.waiting(), schedule.dropped()), (1, 2));
        assert_eq!(due(&mut schedule, 600), [200]);
    }

    #[test]
    fn a_clock_that_is_set_anew_moves_what_waits() {
        let mut schedule = schedule(VideoCodecType::MJPEG);
        schedule.push(frame(1, 5000), 4900);
        assert_eq!(schedule.next_due(1000), Some(Duration::from_millis(4000)));
        assert_eq!(due(&mut schedule, 60_000), [5000]);
        // Across the end of the clock's range.
        schedule.push(frame(1, 10), u32::MAX - 10);
        assert_eq!(schedule.next_due(u32::MAX - 10), Some(Duration::from_millis(21)));
    }

    #[test]
    fn a_clock_that_is_set_back_holds_up_no_frame_that_comes_after() {
        // By an hour, while frames wait on which others build: they are stamped by the new time, or by the old one.
        let mut sound = schedule(VideoCodecType::VP8);
        sound.push(frame(1, 4_000_400), 4_000_000);
        sound.push(frame(1, 400_440), 400_040);
        assert_eq!(sound.next_due(400_040), Some(Duration::from_millis(400)));
        assert_eq!(due(&mut sound, 400_440), [-4_000_400, 400_440]);
        for codec in [VideoCodecType::MJPEG, VideoCodecType::VP8] {
            let mut silent = silent(codec);
            for (stamp, time) in [(4_000_010, 4_000_000), (4_000_440, 4_000_040), (4_000_480, 400_080)] {
                silent.push(frame(1, stamp), time);
            }
            assert_eq!(due(&mut silent, 400_080).last(), Some(&4_000_480), "{codec:?}");
        }
    }

    #[test]
    fn the_end_of_sound_makes_frames_early() {
        let mut schedule = schedule(VideoCodecType::MJPEG);
        for stamp in [500, 540, 580] {
            schedule.push(frame(1, stamp), stamp - 400);
        }
        schedule.set_audio_active(false);
        schedule.push(frame(1, 620), 220);
        assert_eq!((due(&mut schedule, 220), schedule.dropped()), (vec![620], 3));
    }

    #[test]
    fn frames_without_a_time_wait_a_little() {
        let mut schedule = schedule(VideoCodecType::MJPEG);
        schedule.push(frame(1, 0), 1000);
        assert_eq!(schedule.next_due(1000), Some(Duration::from_millis(100)));
    }

    #[test]
    fn without_sound_frames_wait_for_the_slowest_of_them() {
        let mut schedule = silent(VideoCodecType::MJPEG);
        // Stamps 400 ms ahead, and 10 to 70 ms on the way.
        let arrivals = [(1400, 1010), (1440, 1110), (1480, 1120), (1520, 1130)];
        let mut shown = Vec::new();
        for time in 1000..1300 {
            for (stamp, _) in arrivals.iter().filter(|(_, arrival)| *arrival == time) {
                assert_eq!(schedule.push(frame(1, *stamp), time), None);
            }
            shown.extend(due(&mut schedule, time).into_iter().map(|stamp| (stamp, time)));
        }
        // The first two as they come; from the slowest on with the server's distances.
        assert_eq!(shown, [(1400, 1010), (1440, 1110), (1480, 1150), (1520, 1190)]);
        assert_eq!(schedule.dropped(), 0);
    }

    #[test]
    fn without_sound_late_frames_are_shown_unless_newer_ones_are_there() {
        let mut mjpeg = silent(VideoCodecType::MJPEG);
        mjpeg.push(frame(1, 100), 5000);
        assert_eq!((mjpeg.next_due(5000), due(&mut mjpeg, 5000)), (Some(Duration::ZERO), vec![100]));
        for stamp in [140, 180, 220] {
            mjpeg.push(frame(1, stamp), 5010);
        }
        assert_eq!((due(&mut mjpeg, 5010), mjpeg.dropped()), (vec![220], 2));
        let mut vp8 = silent(VideoCodecType::VP8);
        for stamp in [100, 140] {
            vp8.push(frame(1, stamp), 5000);
        }
        assert_eq!(due(&mut vp8, 5000), [-100, 140]);
        // Times that are far off keep nothing back.
        let mut fresh = silent(VideoCodecType::MJPEG);
        fresh.push(frame(1, 3_600_000), 5000);
        assert_eq!(due(&mut fresh, 5000), [3_600_000]);
    }

    #[test]
    fn the_stream_that_has_waited_longest_comes_first() {
        let mut schedule = schedule(VideoCodecType::MJPEG);
        schedule.push(create(2, VideoCodecType::MJPEG), 0);
        schedule.push(frame(1, 120), 0);
        schedule.push(frame(2, 110), 0);
        assert_eq!(due(&mut schedule, 130), [110, 120]);
    }

    #[test]
    fn long_queues_give_their_memory_back() {
        let mut schedule = schedule(VideoCodecType::MJPEG);
        for stamp in 100..160 {
            schedule.push(frame(1, stamp), 0);
        }
        due(&mut schedule, 500);
        assert!(schedule.streams[&StreamId(1)].queue.capacity() <= USUAL_FRAMES);
    }

    #[test]
    fn nothing_waits_where_nothing_may() {
        let mut schedule = Schedule::new(ScheduleLimits::NOTHING);
        schedule.push(create(1, VideoCodecType::MJPEG), 0);
        assert_eq!(schedule.push(frame(1, 500), 100), Some(frame(1, 500)));
    }

    #[test]
    fn surfaces_for_video_alone_show_frames_as_they_come() {
        let mut schedule = silent(VideoCodecType::MJPEG);
        let surface = |flags| {
            let (surface_id, format) = (SurfaceId(0), SurfaceFormat::XRGB);
            ServerMessage::SurfaceCreate(SurfaceCreate { surface_id, width: 8, height: 8, format, flags })
        };
        schedule.push(surface(SurfaceFlags::PRIMARY | SurfaceFlags::STREAMING_MODE), 0);
        schedule.push(frame(1, 500), 100);
        assert_eq!(due(&mut schedule, 100), [500]);
        schedule.set_audio_active(true);
        schedule.push(frame(1, 600), 200);
        assert_eq!(due(&mut schedule, 200), []);
        assert_eq!(due(&mut schedule, 600), [600]);
        schedule.push(surface(SurfaceFlags::PRIMARY), 0);
        schedule.set_audio_active(false);
        // The slowest frame came 400 ms ahead.
        schedule.push(frame(1, 1050), 600);
        assert_eq!(due(&mut schedule, 649), []);
        assert_eq!(due(&mut schedule, 650), [1050]);
    }

    #[test]
    fn what_waits_ends_with_its_stream() {
        let ends = [
            ServerMessage::StreamDestroy(StreamDestroy { id: StreamId(1) }),
            ServerMessage::StreamDestroyAll,
            ServerMessage::SurfaceDestroy(SurfaceDestroy { surface_id: SurfaceId(0) }),
            create(1, VideoCodecType::MJPEG),
        ];
        for end in ends {
            let mut schedule = schedule(VideoCodecType::MJPEG);
            schedule.push(frame(1, 500), 100);
            assert!(schedule.push(end, 100).is_some());
            assert_eq!((schedule.waiting(), schedule.waiting_bytes()), (0, 0));
            assert_eq!(schedule.pop(900), None);
        }
    }

    #[test]
    fn limit_streams_frames_and_bytes() {
        let mut schedule = Schedule::new(ScheduleLimits { streams: 2, frames: 3, bytes: 1000 });
        for id in 1..=3 {
            schedule.push(create(id, VideoCodecType::VP8), 0);
            for stamp in 100..110 {
                let passed = schedule.push(frame(id, stamp), 0);
                assert_eq!(passed.is_some(), id == 3, "a stream too many passes as it comes");
                assert!(schedule.waiting_bytes() <= 1000);
            }
        }
        assert_eq!(schedule.waiting(), 3, "of 266 bytes each");
    }

    #[test]
    fn limit_bytes_drops_the_oldest_of_all_streams() {
        let mut schedule = Schedule::new(ScheduleLimits { bytes: 600, ..ScheduleLimits::default() });
        schedule.set_audio_active(true);
        schedule.push(create(1, VideoCodecType::MJPEG), 0);
        schedule.push(create(2, VideoCodecType::MJPEG), 0);
        for (id, stamp) in [(1, 100), (1, 101), (2, 102)] {
            schedule.push(frame(id, stamp), 0);
        }
        // Two fit.
        assert_eq!((due(&mut schedule, 102), schedule.dropped()), (vec![101, 102], 1));
    }

    #[test]
    fn frames_keep_no_received_block() {
        let block = Bytes::from(vec![1; 1 << 16]);
        let data = Blob::new(block.slice(..10)).unwrap();
        let message = ServerMessage::StreamData(StreamData { id: StreamId(1), multi_media_time: 900, data });
        let mut schedule = schedule(VideoCodecType::MJPEG);
        schedule.push(message, 0);
        assert!(block.is_unique());
    }
}
