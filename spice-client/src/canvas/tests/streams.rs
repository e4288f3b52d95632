//! Video streams.

use spice_proto::types::StreamId;
use spice_proto::wire::{Blob, Counted};

use super::*;
use crate::canvas::{CanvasError, VideoDecoder, VideoError, VideoFrame};

const ID: StreamId = StreamId(49);

fn create_stream(id: u32, codec_type: VideoCodecType, flags: StreamFlags, dest: Rect) -> ServerMessage {
    ServerMessage::StreamCreate(StreamCreate {
        surface_id: SurfaceId(0),
        id: StreamId(id),
        flags,
        codec_type,
        stamp: 0,
        stream_width: 1,
        stream_height: 1,
        src_width: 1,
        src_height: 1,
        dest,
        clip: Clip::None,
    })
}

fn data(bytes: &[u8]) -> ServerMessage {
    let data = Blob::new(Bytes::copy_from_slice(bytes)).expect("fits");
    ServerMessage::StreamData(StreamData { id: ID, multi_media_time: 1, data })
}

/// A frame of 16 × 16 pixels whose upper half is white and whose lower half is black.
fn frame() -> Vec<u8> {
    include_bytes!("half.jpg").to_vec()
}

fn light(canvas: &Canvas, x: usize, y: usize) -> bool {
    let width = canvas.primary().expect("visible").width() as usize;
    pixels(canvas, 0)[y * width + x] & 0xff > 200
}

#[test]
fn frames_are_scaled_flipped_and_clipped() {
    for format in [SurfaceFormat::XRGB, SurfaceFormat::ARGB, SurfaceFormat::X555] {
        let mut canvas = canvas(40, 40, format);
        let (mjpeg, top_down) = (VideoCodecType::MJPEG, StreamFlags::TOP_DOWN);
        done(&mut canvas, create_stream(49, mjpeg, top_down, Rect::at(4, 4, 32, 32)));
        done(&mut canvas, data(&frame()));
        assert!(light(&canvas, 5, 5) && light(&canvas, 30, 19) && !light(&canvas, 5, 21));
        assert_eq!(canvas.damage(), [Rect::at(4, 4, 32, 32)]);
        // As large as it is, upside down.
        done(&mut canvas, create_stream(49, mjpeg, StreamFlags::empty(), Rect::at(0, 0, 16, 16)));
        assert_eq!(canvas.streams(), 1, "the id was in use");
        done(&mut canvas, data(&frame()));
        assert!(!light(&canvas, 1, 1) && light(&canvas, 1, 14));
        if format == SurfaceFormat::ARGB {
            assert_eq!(pixels(&canvas, 0)[0] >> 24, 255);
        }
        // Nothing is visible under a clip of no rectangles.
        let clip = |rects: &[Rect]| {
            let clip = Clip::Rects(Counted::new(rects.into()).expect("fits"));
            ServerMessage::StreamClip(StreamClip { id: ID, clip })
        };
        let before = pixels(&canvas, 0);
        done(&mut canvas, clip(&[]));
        done(&mut canvas, data(&frame()));
        assert_eq!(pixels(&canvas, 0), before);
        done(&mut canvas, clip(&[Rect::at(0, 0, 40, 40)]));
        let sized = StreamDataSized {
            id: ID,
            multi_media_time: 1,
            width: 16,
            height: 16,
            dest: Rect::at(20, 20, 16, 16),
            data: Blob::new(frame().into()).expect("fits"),
        };
        done(&mut canvas, ServerMessage::StreamDataSized(sized));
        assert!(!light(&canvas, 21, 21) && light(&canvas, 21, 34));
        assert_eq!(undrawn(&mut canvas), None);
    }
}

#[test]
fn streams_end() {
    let ends: [fn() -> ServerMessage; 4] = [
        || ServerMessage::StreamDestroy(StreamDestroy { id: ID }),
        || ServerMessage::StreamDestroyAll,
        || ServerMessage::SurfaceDestroy(SurfaceDestroy { surface_id: SurfaceId(0) }),
        || ServerMessage::Mode(Mode { x_res: 5, y_res: 5, bits: 32 }),
    ];
    for end in ends {
        let mut canvas = canvas(16, 16, SurfaceFormat::XRGB);
        let area = Rect::at(0, 0, 16, 16);
        done(&mut canvas, create_stream(49, VideoCodecType::MJPEG, StreamFlags::TOP_DOWN, area));
        done(&mut canvas, end());
        assert_eq!(canvas.streams(), 0);
        done(&mut canvas, data(&frame()));
        if canvas.primary().is_some() {
            assert!(!light(&canvas, 0, 0));
        }
    }
}

#[test]
fn what_cannot_be_decoded_is_reported_each_time() {
    let mut canvas = canvas(16, 16, SurfaceFormat::XRGB);
    for id in [3, 3, 4] {
        done(&mut canvas, create_stream(id, VideoCodecType::VP9, StreamFlags::empty(), Rect::default()));
        assert_eq!(canvas.poll_event(), Some(Event::StreamUndecodable { id: StreamId(id) }));
    }
    let ServerMessage::StreamCreate(mut orphan) =
        create_stream(5, VideoCodecType::MJPEG, StreamFlags::empty(), Rect::default())
    else {
        panic!("a stream")
    };
    orphan.surface_id = SurfaceId(8);
    done(&mut canvas, ServerMessage::StreamCreate(orphan));
    assert_eq!(canvas.poll_event(), Some(Event::StreamUndecodable { id: StreamId(5) }));
    assert_eq!(canvas.streams(), 0);
}

#[test]
fn damaged_frames_change_nothing() {
    let mut canvas = canvas(16, 16, SurfaceFormat::XRGB);
    let area = Rect::at(0, 0, 16, 16);
    done(&mut canvas, create_stream(49, VideoCodecType::MJPEG, StreamFlags::TOP_DOWN, area));
    done(&mut canvas, data(b""));
    assert_eq!(undrawn(&mut canvas), None);
    done(&mut canvas, data(b"no picture"));
    done(&mut canvas, data(&frame()[..100]));
    assert!(matches!(undrawn(&mut canvas), Some((Operation::Stream, Reason::Codec(_)))));
    assert_eq!(pixels(&canvas, 0), [0; 256]);
    done(&mut canvas, data(&frame()));
    assert!(light(&canvas, 0, 0), "the stream goes on");
}

#[test]
fn limit_streams() {
    let mut config = CanvasConfig::default();
    config.limits.streams = 2;
    let mut canvas = Canvas::new(config, SharedCaches::default());
    create(&mut canvas, 0, (8, 8), SurfaceFormat::XRGB, SurfaceFlags::PRIMARY);
    let message = |id| create_stream(id, VideoCodecType::MJPEG, StreamFlags::empty(), Rect::default());
    for id in [49, 48, 49] {
        done(&mut canvas, message(id));
    }
    let error = canvas.apply(&message(u32::MAX));
    assert_eq!(error, Err(CanvasError::Limit { limit: "streams", value: 3, bound: 2 }));
}

/// Makes frames of one colour, the first byte of the data.
struct Plain;

impl VideoDecoder for Plain {
    fn decode(&mut self, data: &[u8], frame: &mut VideoFrame) -> Result<bool, VideoError> {
        let &[color, width, ..] = data else { return Ok(false) };
        if color == 0 {
            return Err(VideoError::Damaged);
        }
        frame.resize(width.into(), 2)?.fill(color);
        Ok(true)
    }
}

#[test]
fn other_codecs_come_from_outside() {
    let mut canvas = canvas(4, 2, SurfaceFormat::XRGB);
    canvas.set_video_decoders(|codec| match codec {
        VideoCodecType::VP8 => Some(Box::new(Plain)),
        _ => None,
    });
    done(&mut canvas, create_stream(49, VideoCodecType::VP8, StreamFlags::empty(), Rect::at(0, 0, 4, 2)));
    done(&mut canvas, data(&[7, 1]));
    assert_eq!(pixels(&canvas, 0), [0x0707_0707; 8]);
    done(&mut canvas, data(&[9]));
    assert_eq!(undrawn(&mut canvas), None);
    for (bytes, error) in [([0, 1], VideoError::Damaged), ([1, 0], VideoError::Size { width: 0, height: 2 })]
    {
        canvas.reported.clear();
        done(&mut canvas, data(&bytes));
        assert_eq!(undrawn(&mut canvas), Some((Operation::Stream, Reason::Video(error))));
    }
    assert_eq!(pixels(&canvas, 0), [0x0707_0707; 8]);
}
