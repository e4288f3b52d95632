//! Messages of videos for tests.

use spice_proto::msg::display::{ServerMessage, StreamData, VideoCodecType};
use spice_proto::types::StreamId;
use spice_proto::wire::Blob;

#[path = "../../tests/streams.rs"]
mod streams;

pub(super) fn create(id: u32, codec_type: VideoCodecType) -> ServerMessage {
    streams::create(StreamId(id), codec_type)
}

pub(super) fn frame(id: u32, stamp: u32) -> ServerMessage {
    let data = Blob::new(vec![7; 10].into()).unwrap();
    ServerMessage::StreamData(StreamData { id: StreamId(id), multi_media_time: stamp, data })
}
