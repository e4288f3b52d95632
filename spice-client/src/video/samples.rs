//! Messages of videos for tests.

use spice_proto::msg::display::{Clip, ServerMessage, StreamCreate, StreamData, StreamFlags, VideoCodecType};
use spice_proto::types::{Rect, StreamId, SurfaceId};
use spice_proto::wire::Blob;

pub(super) fn create(id: u32, codec_type: VideoCodecType) -> ServerMessage {
    ServerMessage::StreamCreate(StreamCreate {
        surface_id: SurfaceId(0),
        id: StreamId(id),
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

pub(super) fn frame(id: u32, stamp: u32) -> ServerMessage {
    let data = Blob::new(vec![7; 10].into()).unwrap();
    ServerMessage::StreamData(StreamData { id: StreamId(id), multi_media_time: stamp, data })
}
