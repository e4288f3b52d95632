//! Video streams and the reports about them.

use crate::types::{Rect, StreamId, SurfaceId};
use crate::wire::{Blob, Counted};

use super::Clip;

crate::flags! {
    /// Row order of a video stream. Wire: `stream_flags`, u8.
    pub struct StreamFlags: u8 {
        /// The first row of a decoded frame is the top one; without it, the bottom one.
        TOP_DOWN = 1,
    }
}

crate::codes! {
    /// How frames of a video stream are coded. Wire: `video_codec_type`, u8.
    pub struct VideoCodecType: u8 {
        /// A JPEG file per frame.
        MJPEG = 1,
        /// One VP8 frame each.
        VP8 = 2,
        /// One H.264 access unit each, as an Annex-B byte stream.
        H264 = 3,
        /// One VP9 frame each.
        VP9 = 4,
        /// One H.265 access unit each, as an Annex-B byte stream.
        H265 = 5,
    }
}

crate::wire! {
    /// A video starts on a part of a surface. Wire: server → client 122, `DisplayChannel.stream_create`.
    pub struct StreamCreate {
        /// The surface it is shown on.
        pub surface_id: SurfaceId,
        /// Its name from now on; must not be in use.
        pub id: StreamId,
        /// Row order.
        pub flags: StreamFlags,
        /// How frames are coded.
        pub codec_type: VideoCodecType,
        /// Without meaning.
        pub stamp: u64,
        /// Columns of the coded frames in pixels, for information.
        pub stream_width: u32,
        /// Rows of the coded frames in pixels, for information.
        pub stream_height: u32,
        /// Columns of the source in pixels.
        pub src_width: u32,
        /// Rows of the source in pixels.
        pub src_height: u32,
        /// Where frames are shown, scaled to it, in surface coordinates.
        pub dest: Rect,
        /// The part of it that may be touched.
        pub clip: Clip,
    }
}

crate::wire! {
    /// A frame of a video. Wire: server → client 123, `DisplayChannel.stream_data`.
    pub struct StreamData {
        /// The stream; unknown ones are ignored.
        pub id: StreamId,
        /// When to show it, in milliseconds of the session's multimedia time. 0 is not a time.
        pub multi_media_time: u32,
        /// The coded frame, without a container.
        pub data: Blob<u32>,
    }
}

crate::wire! {
    /// A frame of a video with a size and place of its own, for this frame only.
    ///
    /// Needs the client's capability for it. Wire: server → client 316, `DisplayChannel.stream_data_sized`.
    pub struct StreamDataSized {
        /// The stream; unknown ones are ignored.
        pub id: StreamId,
        /// When to show it, in milliseconds of the session's multimedia time. 0 is not a time.
        pub multi_media_time: u32,
        /// Columns of the coded frame in pixels.
        pub width: u32,
        /// Rows of the coded frame in pixels.
        pub height: u32,
        /// Where the frame is shown, scaled to it, in surface coordinates.
        pub dest: Rect,
        /// The coded frame, without a container.
        pub data: Blob<u32>,
    }
}

crate::wire! {
    /// Replaces the clip of a video. Wire: server → client 124, `DisplayChannel.stream_clip`.
    pub struct StreamClip {
        /// The stream.
        pub id: StreamId,
        /// The part of its place that may be touched from now on.
        pub clip: Clip,
    }
}

crate::pod! {
    /// A video ends. Wire: server → client 125, `DisplayChannel.stream_destroy`.
    pub struct StreamDestroy {
        /// The stream; its name becomes free.
        pub id: StreamId,
    }
}

crate::pod! {
    /// Asks for reports about a video. Wire: server → client 319, `DisplayChannel.stream_activate_report`.
    pub struct StreamActivateReport {
        /// The stream.
        pub stream_id: StreamId,
        /// Names this request; reports repeat it.
        pub unique_id: u32,
        /// Frames per report.
        pub max_window_size: u32,
        /// Longest time between reports in milliseconds.
        pub timeout_ms: u32,
    }
}

crate::pod! {
    /// How well a video comes through. Wire: client → server 102, `DisplayChannel.stream_report`.
    pub struct StreamReport {
        /// The stream.
        pub stream_id: StreamId,
        /// The request that this answers; the server ignores others.
        pub unique_id: u32,
        /// Multimedia time of the first frame reported on, in milliseconds.
        pub start_frame_mm_time: u32,
        /// Multimedia time of the last frame reported on, in milliseconds.
        pub end_frame_mm_time: u32,
        /// Frames received.
        pub num_frames: u32,
        /// Frames not shown.
        pub num_drops: u32,
        /// Time left when the last frame arrived, in milliseconds; negative when it was late.
        pub last_frame_delay: i32,
        /// The client's delay of sound in milliseconds, [`NO_AUDIO`](Self::NO_AUDIO) when none plays.
        pub audio_delay: u32,
    }
}

impl StreamReport {
    /// The `audio_delay` when no sound plays.
    pub const NO_AUDIO: u32 = u32::MAX;

    /// The report that the client cannot decode a stream; needs no request.
    ///
    /// The server answers by drawing images in its place, or with a stream in another codec.
    pub fn cannot_decode(stream_id: StreamId) -> Self {
        Self { stream_id, num_drops: u32::MAX, ..Self::default() }
    }
}

crate::wire! {
    /// The video codecs that the client likes, best first.
    ///
    /// Wire: client → server 105, `DisplayChannel.preferred_video_codec_type`.
    pub struct PreferredVideoCodecType {
        /// The codecs. None at all is ignored.
        pub codecs: Counted<u8, VideoCodecType>,
    }
}
