//! The canvas: pixels and bytes per second of each drawing operation on a full-HD surface, beside what memory itself
//! does in the same run.
//!
//! Before the criterion groups a table is printed: each operation timed in turn with memset and memcpy of as many
//! bytes, and how much of their bandwidth it reaches. Turns make it fair on a machine whose speed changes.

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use spice_client::canvas::{AheadLimits, Applied, Canvas, CanvasConfig, Decoders, Prepared, SharedCaches};
use spice_codecs::bitmap::{Format, Layout};
use spice_codecs::{CodecError, RowOrder};
use spice_proto::msg::display::*;
use spice_proto::types::{ImageId, Point, Point16, Rect, SurfaceId};
use spice_proto::wire::{Blob, Ptr};

criterion_group!(benches, table, operations, small, ahead);
criterion_main!(benches);

const WIDTH: u32 = 1920;
const HEIGHT: u32 = 1080;
const BYTES: usize = WIDTH as usize * HEIGHT as usize * 4;
/// A surface with alpha of the same size, to read from.
const SOURCE: SurfaceId = SurfaceId(1);

/// What the figures are compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Yardstick {
    Set,
    Copy,
}

fn all() -> Vec<(&'static str, Yardstick, ServerMessage)> {
    let whole = Rect::at(0, 0, WIDTH as i32, HEIGHT as i32);
    let put = RopDescriptor::OP_PUT;
    vec![
        ("fill", Yardstick::Set, fill(whole, put)),
        ("fill_xor", Yardstick::Copy, fill(whole, RopDescriptor::OP_XOR)),
        ("blackness", Yardstick::Set, blackness(whole)),
        ("invers", Yardstick::Copy, invers(whole)),
        ("copy", Yardstick::Copy, copy(whole, picture(WIDTH, HEIGHT), put)),
        ("copy_surface", Yardstick::Copy, copy(whole, surface(), put)),
        ("copy_xor", Yardstick::Copy, copy(whole, picture(WIDTH, HEIGHT), RopDescriptor::OP_XOR)),
        (
            "copy_bits_scroll",
            Yardstick::Copy,
            copy_bits(Rect::at(0, 0, WIDTH as i32, HEIGHT as i32 - 16), 0, 16),
        ),
        (
            "copy_bits_sideways",
            Yardstick::Copy,
            copy_bits(Rect::at(8, 0, WIDTH as i32 - 8, HEIGHT as i32), 0, 0),
        ),
        ("alpha_blend", Yardstick::Copy, alpha_blend(whole, 255)),
        ("alpha_blend_half", Yardstick::Copy, alpha_blend(whole, 128)),
        ("composite_over", Yardstick::Copy, composite(CompositeOp::OVER, whole)),
        ("composite_src", Yardstick::Copy, composite(CompositeOp::SRC, whole)),
        ("composite_add", Yardstick::Copy, composite(CompositeOp::ADD, whole)),
        ("scale_nearest", Yardstick::Copy, scaled(whole, ScaleMode::NEAREST)),
        ("scale_bilinear", Yardstick::Copy, scaled(whole, ScaleMode::INTERPOLATE)),
    ]
}

/// Each operation in turn with the memory's own work: how much of its bandwidth is reached by medians, and by the
/// fastest turns, which other programs on the machine do not disturb.
fn table(_: &mut Criterion) {
    let mut canvas = canvas();
    let from = vec![1u8; BYTES];
    let mut to = vec![0u8; BYTES];
    println!("{:20} {:>10} {:>12} {:>10} {:>10}", "operation", "Mpixel/s", "of", "median", "fastest");
    for (name, yardstick, message) in all() {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for turn in 0..40 {
            let begun = Instant::now();
            apply(&mut canvas, &message);
            ours.push(begun.elapsed());
            let begun = Instant::now();
            match yardstick {
                Yardstick::Set => black_box(&mut to).fill(black_box(turn)),
                Yardstick::Copy => black_box(&mut to).copy_from_slice(black_box(&from)),
            }
            theirs.push(begun.elapsed());
        }
        let [ours, theirs] = [ours, theirs].map(Turns::new);
        let speed = f64::from(WIDTH * HEIGHT) / ours.fastest.as_secs_f64() / 1e6;
        let what = if yardstick == Yardstick::Set { "memset" } else { "memcpy" };
        let [median, fastest] = theirs.over(&ours);
        println!("{name:20} {speed:10.0} {what:>12} {median:10.2} {fastest:10.2}");
    }
}

/// How long several turns of the same work took.
struct Turns {
    median: Duration,
    fastest: Duration,
}

impl Turns {
    fn new(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self { median: times[times.len() / 2], fastest: times[0] }
    }

    /// How many times as long these took as the others: by the median, and by the fastest.
    fn over(&self, others: &Self) -> [f64; 2] {
        let ratio = |one: Duration, other: Duration| one.as_secs_f64() / other.as_secs_f64();
        [ratio(self.median, others.median), ratio(self.fastest, others.fastest)]
    }
}

fn operations(c: &mut Criterion) {
    let mut canvas = canvas();
    let mut group = c.benchmark_group("canvas");
    let pixels = u64::from(WIDTH * HEIGHT);
    group.throughput(Throughput::ElementsAndBytes { elements: pixels, bytes: BYTES as u64 });
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).sample_size(20);
    let from = vec![1u8; BYTES];
    let mut to = vec![0u8; BYTES];
    group.bench_function("memset", |b| b.iter(|| black_box(&mut to).fill(black_box(3))));
    group.bench_function("memcpy", |b| b.iter(|| black_box(&mut to).copy_from_slice(black_box(&from))));
    for (name, _, message) in all() {
        group.bench_function(name, |b| b.iter(|| apply(&mut canvas, &message)));
    }
    group.finish();
}

/// What most of a session is: pictures of 64 × 32 pixels and smaller fills, all over the screen.
fn small(c: &mut Criterion) {
    let mut canvas = canvas();
    let mut group = c.benchmark_group("canvas_small");
    let places: Vec<Rect> = (0..500).map(|i| Rect::at(i * 37 % 1850, i * 53 % 1040, 64, 32)).collect();
    let (put, tile) = (RopDescriptor::OP_PUT, picture(64, 32));
    let fills = places.iter().map(|area| fill(*area, put)).collect();
    let copies = places.iter().map(|area| copy(*area, tile.clone(), put)).collect();
    let scrolls = places.iter().map(|area| copy_bits(*area, area.left, area.top + 7)).collect();
    for (name, messages) in [("fill", fills), ("copy", copies), ("copy_bits", scrolls)] as [(_, Vec<_>); 3] {
        group.throughput(Throughput::Elements(messages.len() as u64));
        group.bench_function(name, |b| {
            b.iter_batched(
                || (),
                |()| {
                    messages.iter().for_each(|message| apply(&mut canvas, message));
                    canvas.drain_damage().for_each(drop);
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// Streams of pictures, decoded by the canvas itself, and by other threads while it draws: in turn, so that it is fair on
/// a machine whose speed changes.
fn ahead(_: &mut Criterion) {
    println!(
        "{:28} {:>12} {:>16} {:>10} {:>10}",
        "pictures", "alone, ms", "more threads", "median", "fastest"
    );
    for (name, codecs) in [("QUIC", [true, true]), ("QUIC and GLZ by turns", [true, false])] {
        let mut alone = Vec::new();
        let mut helped = [Vec::new(), Vec::new()];
        for _ in 0..AHEAD_TURNS {
            // A window takes each GLZ image once.
            let messages = stream(codecs);
            let mut one = canvas();
            let begun = Instant::now();
            messages.iter().for_each(|message| apply(&mut one, message));
            alone.push(begun.elapsed());
            for (threads, times) in (1..).zip(&mut helped) {
                let mut canvas = canvas();
                let limits = CanvasConfig::default().limits;
                let decoders = Decoders::new(threads, &limits, AheadLimits::default()).expect("threads");
                let mut queue = VecDeque::new();
                let messages = messages.clone();
                let begun = Instant::now();
                for message in messages {
                    queue.push_back(decoders.prepare(message));
                    if queue.len() > AHEAD {
                        draw_first(&mut canvas, &mut queue);
                    }
                }
                while !queue.is_empty() {
                    draw_first(&mut canvas, &mut queue);
                }
                times.push(begun.elapsed());
                assert!(one.primary().zip(canvas.primary()).is_some_and(|(a, b)| a.row(500) == b.row(500)));
            }
        }
        let alone = Turns::new(alone);
        for (threads, times) in (1..).zip(helped) {
            let [median, fastest] = alone.over(&Turns::new(times));
            let ms = alone.fastest.as_secs_f64() * 1e3;
            println!("{name:28} {ms:12.1} {threads:16} {median:10.2} {fastest:10.2}");
        }
    }
}

/// Messages that are kept back while their pictures are decoded.
const AHEAD: usize = 16;
const AHEAD_TURNS: usize = 15;

fn draw_first(canvas: &mut Canvas, queue: &mut VecDeque<Prepared>) {
    let prepared = queue.pop_front().expect("there are some");
    assert_eq!(canvas.apply_prepared(&prepared), Ok(Applied::Done));
}

/// Messages with many pictures of 256 × 256 pixels: QUIC where `codecs` say so by turns, GLZ otherwise.
fn stream(codecs: [bool; 2]) -> Vec<ServerMessage> {
    let mut glz = spice_codecs::glz::Encoder::new(4 << 20);
    let places = (0..96).map(|i| Rect::at(i * 37 % 1600, i * 53 % 800, 256, 256));
    let encoded = places.zip(codecs.into_iter().cycle()).enumerate().map(|(number, (area, is_quic))| {
        let noise = |i: u32| (i + number as u32).wrapping_mul(2_654_435_761) >> 30;
        let source = bitmap_picture(256, 256, |i| {
            let shade = (i % 256 / 4 + i / 4096 + noise(i)) as u8;
            [shade, shade / 2, shade.wrapping_add(number as u8), 255]
        });
        let data = if is_quic {
            encoded(&source, |bitmap, out| spice_codecs::quic::Encoder::new().encode(bitmap, out))
        } else {
            encoded(&source, |bitmap, out| glz.encode(bitmap, out).map(drop))
        };
        let data = if is_quic { ImageData::Quic(data) } else { ImageData::GlzRgb(data) };
        copy(area, Image { data, ..source }, RopDescriptor::OP_PUT)
    });
    encoded.collect()
}

/// A bitmap in another form.
fn encoded(
    image: &Image,
    encode: impl FnOnce(&spice_codecs::bitmap::Bitmap<'_>, &mut Vec<u8>) -> Result<(), CodecError>,
) -> Blob<u32> {
    let ImageData::Bitmap(bitmap) = &image.data else { panic!("a bitmap") };
    let (width, height, rows) = (image.width, image.height, RowOrder::TopDown);
    let layout = Layout { format: Format::Rgba, width, height, stride: width * 4, rows };
    let source = spice_codecs::bitmap::Bitmap::new(layout, bitmap.rows.bytes()).expect("whole rows");
    let mut out = Vec::new();
    encode(&source, &mut out).expect("encodes");
    Blob::new(out.into()).expect("fits")
}

fn canvas() -> Canvas {
    let mut canvas = Canvas::new(CanvasConfig::default(), SharedCaches::default());
    for (surface_id, format, flags) in [
        (SurfaceId::PRIMARY, SurfaceFormat::XRGB, SurfaceFlags::PRIMARY),
        (SOURCE, SurfaceFormat::ARGB, SurfaceFlags::empty()),
    ] {
        let create = SurfaceCreate { surface_id, width: WIDTH, height: HEIGHT, format, flags };
        apply(&mut canvas, &ServerMessage::SurfaceCreate(create));
    }
    // Translucent everywhere, in many shades.
    let mut message =
        copy(Rect::at(0, 0, WIDTH as i32, HEIGHT as i32), picture(WIDTH, HEIGHT), RopDescriptor::OP_PUT);
    if let ServerMessage::DrawCopy(m) = &mut message {
        m.base.surface_id = SOURCE;
    }
    apply(&mut canvas, &message);
    canvas
}

fn apply(canvas: &mut Canvas, message: &ServerMessage) {
    assert_eq!(canvas.apply(message), Ok(Applied::Done));
}

fn on(area: Rect) -> DisplayBase {
    DisplayBase { surface_id: SurfaceId::PRIMARY, area, clip: Clip::None }
}

fn fill(area: Rect, rop: RopDescriptor) -> ServerMessage {
    let (base, brush, mask) = (on(area), Brush::Solid(0x0012_3456), QMask::default());
    ServerMessage::DrawFill(DrawFill { base, brush, rop, mask })
}

fn blackness(area: Rect) -> ServerMessage {
    ServerMessage::DrawBlackness(DrawBlackness { base: on(area), mask: QMask::default() })
}

fn invers(area: Rect) -> ServerMessage {
    ServerMessage::DrawInvers(DrawInvers { base: on(area), mask: QMask::default() })
}

/// A picture of 32-bit pixels with alpha, premultiplied.
fn picture(width: u32, height: u32) -> Image {
    bitmap_picture(width, height, |i| {
        let a = (i * 7 % 254 + 1) as u8;
        [a / 2, a / 3, a, a]
    })
}

/// A picture of the pixels that `pixel` makes of their numbers.
fn bitmap_picture(width: u32, height: u32, pixel: impl FnMut(u32) -> [u8; 4]) -> Image {
    let data: Bytes = (0..width * height).flat_map(pixel).collect();
    let rows = Rows::new(height, width * 4, data).expect("whole rows");
    let flags = BitmapFlags::TOP_DOWN;
    let data = ImageData::Bitmap(Bitmap { format: BitmapFormat::RGBA, flags, width, palette: None, rows });
    Image { id: ImageId(0), flags: ImageFlags::empty(), width, height, data }
}

fn surface() -> Image {
    let (data, flags) = (ImageData::Surface(SOURCE), ImageFlags::empty());
    Image { id: ImageId(0), flags, width: WIDTH, height: HEIGHT, data }
}

fn copy(area: Rect, image: Image, rop: RopDescriptor) -> ServerMessage {
    let src_area = Rect::at(0, 0, image.width as i32, image.height as i32);
    ServerMessage::DrawCopy(DrawCopy {
        base: on(area),
        src_bitmap: Some(Ptr(image)),
        src_area,
        rop,
        scale_mode: ScaleMode::NEAREST,
        mask: QMask::default(),
    })
}

fn copy_bits(area: Rect, x: i32, y: i32) -> ServerMessage {
    ServerMessage::CopyBits(CopyBits { base: on(area), src_pos: Point { x, y } })
}

/// A picture of half the size, stretched.
fn scaled(area: Rect, scale_mode: ScaleMode) -> ServerMessage {
    let mut message = copy(area, picture(WIDTH / 2, HEIGHT / 2), RopDescriptor::OP_PUT);
    if let ServerMessage::DrawCopy(m) = &mut message {
        m.scale_mode = scale_mode;
    }
    message
}

fn alpha_blend(area: Rect, alpha: u8) -> ServerMessage {
    ServerMessage::DrawAlphaBlend(DrawAlphaBlend {
        base: on(area),
        alpha_flags: AlphaFlags::empty(),
        alpha,
        src_bitmap: Some(Ptr(picture(WIDTH, HEIGHT))),
        src_area: area,
    })
}

fn composite(op: CompositeOp, area: Rect) -> ServerMessage {
    let composite = Composite {
        flags: CompositeFlags::default().with_operator(op),
        src_bitmap: Some(Ptr(surface())),
        mask_bitmap: None,
        src_transform: None,
        mask_transform: None,
        src_origin: Point16::default(),
        mask_origin: Point16::default(),
    };
    ServerMessage::DrawComposite(DrawComposite { base: on(area), composite })
}
