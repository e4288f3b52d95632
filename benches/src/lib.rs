//! What several benchmarks share: messages to send, codecs with pictures to try them on, callgrind's sums.

pub mod callgrind;
pub mod codecs;

use bytes::Bytes;
use spice_proto::msg::display::{
    Brush, Clip, CopyBits, DisplayBase, DrawCopy, DrawFill, DrawText, Glyph, GlyphHeader, GlyphString, Image,
    ImageData, ImageFlags, InvalList, QMask, ResourceId, ResourceType, RopDescriptor, ScaleMode,
    ServerMessage, StreamData, StringFlags,
};
use spice_proto::types::{ImageId, Point, Rect, StreamId, SurfaceId};
use spice_proto::wire::{Blob, Counted, Ptr};

/// A copy of a picture whose data take `len` bytes, as a desktop under compression sends most of all.
///
/// # Panics
/// When `len` does not fit 32 bits.
pub fn draw_copy(len: usize) -> ServerMessage {
    let data = Blob::new((0..len).map(|i| i as u8).collect()).expect("fits 32 bits");
    ServerMessage::DrawCopy(DrawCopy {
        base: base(Clip::None),
        src_bitmap: Some(Ptr(Image {
            id: ImageId(1),
            flags: ImageFlags::CACHE_ME,
            width: 64,
            height: 32,
            data: ImageData::Quic(data),
        })),
        src_area: Rect::at(0, 0, 64, 32),
        rop: RopDescriptor::OP_PUT,
        scale_mode: ScaleMode::INTERPOLATE,
        mask: QMask::default(),
    })
}

/// What a desktop sends besides pictures: fills, scrolls, texts, cache entries to forget, short video frames.
///
/// # Panics
/// Never: all counts are small.
pub fn small() -> Vec<ServerMessage> {
    let rects = [Rect::at(100, 50, 32, 32), Rect::at(132, 50, 32, 16)];
    let clip = Clip::Rects(Counted::new(rects.into_iter().collect()).expect("two"));
    let header = GlyphHeader { width: 9, height: 12, ..GlyphHeader::default() };
    let glyph = Glyph { header, data: Bytes::from_static(&[0x5a; 60]) };
    let entries = [7, 8, 9].map(|id| ResourceId { kind: ResourceType::PIXMAP, id });
    vec![
        ServerMessage::DrawFill(DrawFill {
            base: base(clip),
            brush: Brush::Solid(0x00ff_8000),
            rop: RopDescriptor::OP_PUT,
            mask: QMask::default(),
        }),
        ServerMessage::CopyBits(CopyBits { base: base(Clip::None), src_pos: Point { x: 100, y: 66 } }),
        ServerMessage::DrawText(DrawText {
            base: base(Clip::None),
            string: Ptr(GlyphString::new(StringFlags::RASTER_A4, &vec![glyph; 10]).expect("sizes fit")),
            back_area: Rect::default(),
            fore_brush: Brush::Solid(0),
            back_brush: Brush::None,
            fore_mode: RopDescriptor::OP_PUT,
            back_mode: RopDescriptor::OP_PUT,
        }),
        ServerMessage::InvalList(InvalList {
            resources: Counted::new(entries.into_iter().collect()).expect("three"),
        }),
        ServerMessage::StreamData(StreamData {
            id: StreamId(3),
            multi_media_time: 1000,
            data: Blob::new(Bytes::from_static(&[0; 200])).expect("fits 32 bits"),
        }),
        draw_copy(100),
    ]
}

fn base(clip: Clip) -> DisplayBase {
    DisplayBase { surface_id: SurfaceId::PRIMARY, area: Rect::at(100, 50, 64, 32), clip }
}
