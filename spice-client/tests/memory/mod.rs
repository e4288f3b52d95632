//! How much a hostile server can make a viewer hold.

use bytes::Bytes;
use spice_client::canvas::{CacheConfig, Canvas, CanvasConfig, Displays, SharedCaches, WaitLimits};
use spice_client::spice_proto::msg::display::*;
use spice_client::spice_proto::types::{ImageId, PaletteId, Point, Rect, StreamId, SurfaceId};
use spice_client::spice_proto::wire::{Blob, Ptr};
use spice_client::video::{Schedule, ScheduleLimits};

use crate::streams::create;

/// Bytes of all surfaces of a canvas here.
const SURFACES: u64 = 1 << 20;
/// Pixels of the pixmap cache here.
const PIXMAPS: u64 = 1 << 16;
/// What the canvas may hold: its surfaces, eight bytes for each pixel of the cache and 16 MiB for pictures in flight
/// between channels, and working memory for one picture at a time.
const BOUND: u64 = SURFACES + PIXMAPS * 8 + (16 << 20) + (2 << 20);

/// The most that was held at once while `run` ran.
fn held(run: impl FnOnce()) -> u64 {
    allocation_counter::measure(run).bytes_max
}

fn canvas() -> Canvas {
    let mut config = CanvasConfig::default();
    config.limits.surfaces_bytes = SURFACES;
    config.limits.surface_bytes = SURFACES;
    config.limits.image_pixels = 1 << 16;
    Canvas::new(config, SharedCaches::new(CacheConfig::new(PIXMAPS, PIXMAPS)))
}

fn surface(id: u32, side: u32) -> ServerMessage {
    let flags = if id == 0 { SurfaceFlags::PRIMARY } else { SurfaceFlags::empty() };
    let (surface_id, format) = (SurfaceId(id), SurfaceFormat::ARGB);
    ServerMessage::SurfaceCreate(SurfaceCreate { surface_id, width: side, height: side, format, flags })
}

fn image(id: u64, data: ImageData, side: u32) -> ServerMessage {
    let area = Rect::at(0, 0, side as i32, side as i32);
    let image = Image { id: ImageId(id), flags: ImageFlags::CACHE_ME, width: side, height: side, data };
    ServerMessage::DrawCopy(DrawCopy {
        base: DisplayBase { surface_id: SurfaceId(0), area, clip: Clip::None },
        src_bitmap: Some(Ptr(image)),
        src_area: area,
        rop: RopDescriptor::OP_PUT,
        scale_mode: ScaleMode::NEAREST,
        mask: QMask::default(),
    })
}

fn bitmap(side: u32, format: BitmapFormat, palette: Option<PaletteSource>, bytes: Bytes) -> ImageData {
    let rows = Rows::new(side, bytes.len() as u32 / side, bytes).expect("whole rows");
    let flags = BitmapFlags::TOP_DOWN | BitmapFlags::PAL_CACHE_ME;
    ImageData::Bitmap(Bitmap { format, flags, width: side, palette, rows })
}

/// Applies messages until the canvas has had enough, which it must before `most` of them.
fn flood(canvas: &mut Canvas, most: u64, message: impl Fn(u64) -> ServerMessage) {
    let refused = (0..most).any(|number| canvas.apply(&message(number)).is_err());
    assert!(refused, "{most} messages were taken");
}

#[test]
fn surfaces_pictures_palettes_and_streams_are_bounded() {
    let pixels = Bytes::from(vec![7; 200 * 200 * 4]);
    let bytes = Bytes::from(vec![7; 16 * 16]);
    let most = held(|| {
        let mut canvas = canvas();
        flood(&mut canvas, 100_000, |number| surface(number as u32, 64));
        let picture = bitmap(200, BitmapFormat::BIT32, None, pixels.clone());
        flood(&mut canvas, 100_000, |number| image(number, picture.clone(), 200));
        flood(&mut canvas, 100_000, |number| {
            let entries = spice_client::spice_proto::wire::Counted::new([5; 256][..].into()).expect("256");
            let palette = Palette { unique: PaletteId(number + 1), entries };
            let source = PaletteSource::Inline(Ptr(palette));
            image(1, bitmap(16, BitmapFormat::BIT8, Some(source), bytes.clone()), 16)
        });
        flood(&mut canvas, 100_000, |number| create(StreamId(number as u32), VideoCodecType::MJPEG));
    });
    assert!(most <= BOUND, "{most} bytes held, {BOUND} are enough");
    assert!(most > SURFACES / 2, "{most} bytes: the floods came through");
}

/// One command with as many pictures as there can be, each as large as it may be, scaled, on a surface that it reads
/// itself: again and again, nothing of it stays.
#[test]
fn pictures_within_pictures_are_bounded() {
    let (side, bits) = (256, Bytes::from(vec![0x5a; 256 / 8 * 256]));
    let one = |format, bytes: &Bytes, palette| Image {
        id: ImageId(0),
        flags: ImageFlags::empty(),
        width: side,
        height: side,
        data: bitmap(side, format, palette, bytes.clone()),
    };
    let bytes24 = Bytes::from(vec![7; 256 * 256 * 3]);
    let most = held(|| {
        let mut canvas = canvas();
        assert!(canvas.apply(&surface(0, 256)).is_ok());
        for _ in 0..50 {
            let pattern =
                Pattern { image: Ptr(one(BitmapFormat::BIT24, &bytes24, None)), pos: Point::default() };
            let mask = QMask {
                flags: MaskFlags::empty(),
                pos: Point::default(),
                bitmap: Some(Ptr(one(BitmapFormat::BIT1_BE, &bits, None))),
            };
            let own =
                Image { data: ImageData::Surface(SurfaceId(0)), ..one(BitmapFormat::BIT24, &bytes24, None) };
            for source in [one(BitmapFormat::BIT24, &bytes24, None), own] {
                let area = Rect::at(-300, -300, 900, 900);
                let base = DisplayBase { surface_id: SurfaceId(0), area, clip: Clip::None };
                let message = DrawOpaque {
                    base,
                    src_bitmap: Some(Ptr(source)),
                    src_area: Rect::at(0, 0, 256, 256),
                    brush: Brush::Pattern(pattern.clone()),
                    rop: RopDescriptor::OP_XOR,
                    scale_mode: ScaleMode::INTERPOLATE,
                    mask: mask.clone(),
                };
                assert!(canvas.apply(&ServerMessage::DrawOpaque(message)).is_ok());
            }
        }
    });
    // Three pictures of 2¹⁶ pixels, the surface, its copy, and rows to work in.
    let bound = (3 + 2) * (4 << 16) + (64 << 10);
    assert!(most <= bound, "{most} bytes held, {bound} are enough");
}

#[test]
fn frames_that_wait_are_bounded() {
    let mut limits = ScheduleLimits::default();
    limits.bytes = 1 << 20;
    let most = held(|| {
        let mut schedule = Schedule::new(limits);
        for number in 0..20_000u32 {
            if number % 100 == 0 {
                let _ = schedule.push(create(StreamId(number / 100), VideoCodecType::MJPEG), 0);
            }
            // Each in a received block of its own, of which the frame is a small part.
            let block = Bytes::from(vec![1; 16 << 10]);
            let data = Blob::new(block.slice(..number as usize % 4096)).expect("short");
            let id = StreamId(number / 100);
            let _ = schedule
                .push(ServerMessage::StreamData(StreamData { id, multi_media_time: 1 << 30, data }), 0);
        }
    });
    // What waits, and places in the queues, which grow by doubling.
    let places = limits.streams * limits.frames * 2 * (size_of::<ServerMessage>() + 32);
    let bound = (1 << 20) + places as u64;
    assert!(most <= bound, "{most} bytes held, {bound} are enough");
}

#[test]
fn messages_that_wait_for_another_display_are_bounded() {
    let mut limits = WaitLimits::default();
    limits.bytes = 1 << 20;
    let pixels = Bytes::from(vec![7; 64 * 64 * 4]);
    let most = held(|| {
        let mut displays =
            Displays::new(CanvasConfig::default(), SharedCaches::default()).wait_limits(limits);
        assert_eq!(displays.apply(0, &surface(0, 64)), Ok(true));
        let missing = image(99, ImageData::FromCache, 64);
        let mut refused = false;
        for number in 0..10_000 {
            let picture = bitmap(64, BitmapFormat::BIT32, None, pixels.clone());
            let message = if number == 0 { missing.clone() } else { image(number, picture, 64) };
            refused |= displays.apply(0, &message).is_err();
            if refused {
                break;
            }
        }
        assert!(refused);
    });
    assert!(most <= 3 << 20, "{most} bytes held");
}
