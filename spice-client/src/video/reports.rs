//! Reports about how frames of videos arrive.

use std::collections::BTreeMap;
use std::time::Duration;

use spice_proto::Instant;
use spice_proto::msg::display::{ServerMessage, StreamActivateReport, StreamReport};
use spice_proto::types::StreamId;

use super::margin;

/// The reports that one display channel's server has asked for.
#[derive(Debug, Default)]
pub struct StreamReports {
    wanted: BTreeMap<StreamId, Window>,
    audio_delay: Option<u32>,
}

/// Frames since the last report.
#[derive(Debug)]
struct Window {
    request: StreamActivateReport,
    start: Option<(u32, Instant)>,
    frames: u32,
    drops: u32,
    /// Late frames in a row.
    row: u32,
}

impl StreamReports {
    /// Nothing is asked for yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says how long sound takes from its arrival to the ear, in milliseconds; `None` while none plays.
    pub fn set_audio_delay(&mut self, delay_ms: Option<u32>) {
        self.audio_delay = delay_ms;
    }

    /// Looks at a message at the moment of its arrival, which is `time` on the multimedia clock and `now` on the local
    /// one. The report to be sent, if one is due.
    ///
    /// One is due when as many frames have arrived, or as much time has passed, as the server said, or when three
    /// frames in a row came too late.
    pub fn observe(&mut self, message: &ServerMessage, time: u32, now: Instant) -> Option<StreamReport> {
        match message {
            ServerMessage::StreamActivateReport(request) => {
                let known = self.wanted.contains_key(&request.stream_id);
                if known || self.wanted.len() < MAX_STREAMS {
                    self.wanted.insert(request.stream_id, Window::new(*request));
                }
                None
            }
            ServerMessage::StreamData(frame) => self.frame(frame.id, frame.multi_media_time, time, now),
            ServerMessage::StreamDataSized(frame) => self.frame(frame.id, frame.multi_media_time, time, now),
            ServerMessage::StreamDestroy(stream) => {
                self.wanted.remove(&stream.id);
                None
            }
            ServerMessage::StreamDestroyAll => {
                self.wanted.clear();
                None
            }
            _ => None,
        }
    }

    fn frame(&mut self, id: StreamId, stamp: u32, time: u32, now: Instant) -> Option<StreamReport> {
        let window = self.wanted.get_mut(&id)?;
        let (start, since) = *window.start.get_or_insert((stamp, now));
        let margin = margin(stamp, time);
        window.frames += 1;
        if margin < 0 {
            window.drops += 1;
            window.row += 1;
        } else {
            window.row = 0;
        }
        let limit = Duration::from_millis(window.request.timeout_ms.into());
        let due = window.frames >= window.request.max_window_size
            || now.saturating_since(since) >= limit
            || window.row >= LATE_ROW;
        if !due {
            return None;
        }
        let report = StreamReport {
            stream_id: id,
            unique_id: window.request.unique_id,
            start_frame_mm_time: start,
            end_frame_mm_time: stamp,
            num_frames: window.frames,
            num_drops: window.drops,
            last_frame_delay: margin,
            audio_delay: self.audio_delay.unwrap_or(StreamReport::NO_AUDIO),
        };
        *window = Window::new(window.request);
        Some(report)
    }
}

impl Window {
    fn new(request: StreamActivateReport) -> Self {
        Self { request, start: None, frames: 0, drops: 0, row: 0 }
    }
}

/// Late frames in a row that are reported at once.
const LATE_ROW: u32 = 3;
/// Streams that are reported on; servers have 50 at most.
const MAX_STREAMS: usize = 64;

#[cfg(test)]
mod tests {
    use spice_proto::msg::display::{StreamData, StreamDestroy};
    use spice_proto::wire::Blob;

    use super::*;

    const ID: StreamId = StreamId(49);

    fn frame(stamp: u32) -> ServerMessage {
        let data = Blob::new(vec![1].into()).unwrap();
        ServerMessage::StreamData(StreamData { id: ID, multi_media_time: stamp, data })
    }

    fn activate(id: u32) -> ServerMessage {
        ServerMessage::StreamActivateReport(StreamActivateReport {
            stream_id: StreamId(id),
            unique_id: 7,
            max_window_size: 5,
            timeout_ms: 1000,
        })
    }

    #[test]
    fn a_report_comes_with_a_full_window() {
        let mut reports = StreamReports::new();
        let now = Instant::from_millis(50);
        assert_eq!(reports.observe(&frame(100), 0, now), None, "nobody asked");
        reports.observe(&activate(49), 0, now);
        for stamp in [100, 140, 180, 220] {
            assert_eq!(reports.observe(&frame(stamp), stamp - 60, now), None);
        }
        reports.set_audio_delay(Some(30));
        let report = reports.observe(&frame(260), 270, now).unwrap();
        assert_eq!(
            report,
            StreamReport {
                stream_id: ID,
                unique_id: 7,
                start_frame_mm_time: 100,
                end_frame_mm_time: 260,
                num_frames: 5,
                num_drops: 1,
                last_frame_delay: -10,
                audio_delay: 30,
            }
        );
        assert_eq!(reports.observe(&frame(300), 0, now), None, "counting begins anew");
    }

    #[test]
    fn a_report_comes_when_time_is_up_or_frames_are_late() {
        let mut reports = StreamReports::new();
        reports.observe(&activate(49), 0, Instant::ZERO);
        reports.observe(&frame(10), 0, Instant::ZERO);
        let report = reports.observe(&frame(20), 0, Instant::from_millis(1000)).unwrap();
        assert_eq!((report.num_frames, report.num_drops, report.audio_delay), (2, 0, u32::MAX));
        let now = Instant::from_millis(2000);
        assert!(reports.observe(&frame(30), 40, now).is_none());
        assert!(reports.observe(&frame(31), 40, now).is_none());
        let report = reports.observe(&frame(32), 40, now).unwrap();
        assert_eq!((report.num_frames, report.num_drops, report.last_frame_delay), (3, 3, -8));
    }

    #[test]
    fn reports_end_with_their_stream_and_are_bounded() {
        let mut reports = StreamReports::new();
        reports.observe(&activate(49), 0, Instant::ZERO);
        reports.observe(&ServerMessage::StreamDestroy(StreamDestroy { id: ID }), 0, Instant::ZERO);
        for _ in 0..9 {
            assert_eq!(reports.observe(&frame(1), 0, Instant::ZERO), None);
        }
        for id in 0..1000 {
            reports.observe(&activate(id), 0, Instant::ZERO);
        }
        assert_eq!(reports.wanted.len(), MAX_STREAMS);
        reports.observe(&ServerMessage::StreamDestroyAll, 0, Instant::ZERO);
        assert!(reports.wanted.is_empty());
    }
}
