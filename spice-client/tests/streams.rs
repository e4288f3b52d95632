//! Video streams.

use spice_proto::msg::display::{Clip, ServerMessage, StreamCreate, StreamFlags, VideoCodecType};
use spice_proto::types::{Rect, StreamId, SurfaceId};

/// A stream of 8 × 8 pixels in the corner.
pub(crate) fn create(id: StreamId, codec_type: VideoCodecType) -> ServerMessage {
    ServerMessage::StreamCreate(StreamCreate {
        surface_id: SurfaceId(0),
        id,
        flags: StreamFlags::TOP_DOWN,
        codec_type,
        stamp: 0,
        stream_width: 8,
        stream_height: 8,
        src_width: 8,
        src_height: 8,
        dest: Rect::at(0, 0, 8, 8),
        clip: Clip::None,
    })
}
