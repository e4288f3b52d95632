//! Pictures decoded ahead: everything as without, whatever comes.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use spice_codecs::bitmap::{Bitmap, Format, Layout};
use spice_codecs::{RowOrder, lz, quic};
use spice_proto::wire::Blob;

use super::*;
use crate::canvas::{AheadLimits, Decoders, Displays};

const SIDE: u32 = 96;

/// A picture in one of the codecs, sometimes cached, sometimes damaged.
fn image(numbers: &mut Numbers, id: u64) -> Image {
    let (width, height) = (1 + numbers.below(64), 1 + numbers.below(64));
    let color = numbers.color();
    let pixels: Vec<u8> = (0..width * height)
        .flat_map(|i| color.rotate_left(i % 5 * u32::from(i % 3 == 0)).to_le_bytes())
        .collect();
    let format = if numbers.chance(30) { Format::Rgba } else { Format::Bit32 };
    let layout = Layout { format, width, height, stride: width * 4, rows: RowOrder::TopDown };
    let source = Bitmap::new(layout, &pixels).expect("a picture");
    let mut out = Vec::new();
    let is_quic = numbers.chance(50);
    if is_quic {
        quic::Encoder::new().encode(&source, &mut out).expect("encodes");
    } else {
        lz::Encoder::new().encode(&source, &mut out).expect("encodes");
    }
    if numbers.chance(15) {
        let at = numbers.below(out.len() as u32) as usize;
        out[at] ^= 1 << numbers.below(8);
    } else if numbers.chance(5) {
        out.truncate(out.len() / 2);
    }
    let data = Blob::new(out.into()).expect("fits");
    let data = if is_quic { ImageData::Quic(data) } else { ImageData::LzRgb(data) };
    let mut flags = ImageFlags::empty();
    flags.set(ImageFlags::CACHE_ME, numbers.chance(30));
    flags.set(ImageFlags::HIGH_BITS_SET, numbers.chance(20));
    Image { id: ImageId(id), flags, width, height, data }
}

/// Messages whose pictures can be decoded ahead.
pub(in crate::canvas) fn pictures(count: usize) -> impl Iterator<Item = ServerMessage> {
    let mut numbers = Numbers(count as u64);
    let mut all = (0..).map(move |id| put(0, 0, 0, image(&mut numbers, id)));
    let is_sound = |message: &ServerMessage| {
        let mut canvas = canvas(SIDE, SIDE, SurfaceFormat::XRGB);
        canvas.apply(message).is_ok() && canvas.poll_event().is_none()
    };
    std::iter::from_fn(move || all.find(is_sound)).take(count)
}

/// Messages that draw all over three surfaces, and read them again.
fn sequence(seed: u64) -> Vec<ServerMessage> {
    let mut numbers = Numbers(seed);
    let formats = [SurfaceFormat::XRGB, SurfaceFormat::ARGB, SurfaceFormat::R565];
    let mut all: Vec<ServerMessage> = (0..3)
        .map(|id| {
            let flags = if id == 0 { SurfaceFlags::PRIMARY } else { SurfaceFlags::empty() };
            let (surface_id, format) = (SurfaceId(id), formats[id as usize]);
            ServerMessage::SurfaceCreate(SurfaceCreate {
                surface_id,
                width: SIDE,
                height: SIDE,
                format,
                flags,
            })
        })
        .collect();
    let mut kept: Vec<(u64, u32, u32)> = Vec::new();
    for id in 1..200 {
        let surface = numbers.below(3);
        let image = match kept.get(numbers.below(12) as usize) {
            Some(&(id, width, height)) => from_cache(id, width, height, false),
            None if numbers.chance(10) => surface_image(numbers.below(3), SIDE, SIDE),
            None => image(&mut numbers, id),
        };
        if image.flags.contains(ImageFlags::CACHE_ME) {
            kept.insert(0, (id, image.width, image.height));
        }
        let (w, h) = (image.width as i32, image.height as i32);
        let whole = Rect::at(0, 0, w, h);
        let (x, y) = (numbers.between(-9, SIDE as i32), numbers.between(-9, SIDE as i32));
        all.push(match numbers.below(6) {
            0 => put(surface, x.clamp(0, 40), y.clamp(0, 40), image),
            1 => put(surface, x, y, image),
            2 => copy(on(surface, numbers.rect(SIDE as i32)), image, whole, RopDescriptor::OP_XOR),
            3 => copy(
                clipped(surface, Rect::at(x, y, w, h), &[numbers.rect(90)]),
                image,
                whole,
                RopDescriptor::OP_PUT,
            ),
            4 => ServerMessage::DrawAlphaBlend(DrawAlphaBlend {
                base: on(surface, Rect::at(x, y, w, h)),
                alpha_flags: AlphaFlags::empty(),
                alpha: numbers.next() as u8,
                src_bitmap: Some(Ptr(image)),
                src_area: whole,
            }),
            _ => {
                let (base, src_bitmap, src_area) =
                    (on(surface, Rect::at(x, y, w, h)), Some(Ptr(image)), whole);
                let true_color = numbers.color();
                ServerMessage::DrawTransparent(DrawTransparent {
                    base,
                    src_bitmap,
                    src_area,
                    src_color: 0,
                    true_color,
                })
            }
        });
        if numbers.chance(10) {
            all.push(fill(on(surface, numbers.rect(50)), numbers.color(), RopDescriptor::OP_PUT));
        }
    }
    all
}

/// All that a canvas lets others see.
fn state(canvas: &mut Canvas) -> (Vec<Vec<u32>>, Vec<Event>, Vec<Rect>) {
    let surfaces = (0..3).map(|id| pixels(canvas, id)).collect();
    let events = std::iter::from_fn(|| canvas.poll_event()).collect();
    (surfaces, events, canvas.drain_damage().collect())
}

#[test]
fn drawing_is_the_same_with_pictures_decoded_ahead() {
    let config = CanvasConfig::default();
    let mut undrawn = 0;
    for seed in 0..40 {
        let messages = sequence(seed);
        let mut plain = Canvas::new(config.clone(), SharedCaches::default());
        let outcomes: Vec<_> = messages.iter().map(|message| plain.apply(message)).collect();
        let expected = state(&mut plain);
        undrawn += expected.1.iter().filter(|event| matches!(event, Event::Undrawable { .. })).count();
        // From everything begun by the canvas itself to everything decoded when its turn comes.
        for (threads, depth) in [(1, 0), (2, 16), (3, 500)] {
            let limits = AheadLimits::new(1 << 20, 0);
            let decoders = Decoders::new(threads, &config.limits, limits).expect("threads");
            let (queue, drawn) = mpsc::sync_channel(depth);
            let painter = thread::spawn({
                let config = config.clone();
                move || {
                    let mut canvas = Canvas::new(config, SharedCaches::default());
                    let outcomes: Vec<_> =
                        drawn.iter().map(|prepared| canvas.apply_prepared(&prepared)).collect();
                    (outcomes, state(&mut canvas))
                }
            });
            for message in &messages {
                queue.send(decoders.prepare(message.clone())).expect("the painter draws");
                assert!(decoders.bytes() <= limits.bytes);
            }
            drop(queue);
            let (ours, seen) = painter.join().expect("no panic");
            assert_eq!(ours, outcomes, "seed {seed}, {threads} threads, {depth} messages");
            assert_eq!(seen, expected, "seed {seed}, {threads} threads, {depth} messages");
            until("the threads have let go", || decoders.bytes() == 0);
        }
    }
    assert!(undrawn > 40, "{undrawn}: damaged pictures have to be among them");
}

#[test]
fn displays_wait_for_each_other_also_with_pictures_decoded_ahead() {
    let config = CanvasConfig::default();
    let decoders = Decoders::new(1, &config.limits, AheadLimits::new(1 << 20, 0)).expect("threads");
    let mut displays = Displays::new(config, SharedCaches::default());
    let mut numbers = Numbers(3);
    let mut shown = image(&mut numbers, 7);
    while !matches!(
        canvas(64, 64, SurfaceFormat::XRGB).apply(&put(0, 0, 0, shown.clone())),
        Ok(Applied::Done)
    ) {
        shown = image(&mut numbers, 7);
    }
    shown.flags = ImageFlags::CACHE_ME;
    let (width, height) = (shown.width, shown.height);
    let screen = SurfaceCreate {
        surface_id: SurfaceId(0),
        width: SIDE,
        height: SIDE,
        format: SurfaceFormat::XRGB,
        flags: SurfaceFlags::PRIMARY,
    };
    for id in 0..2 {
        assert_eq!(displays.apply(id, &ServerMessage::SurfaceCreate(screen)), Ok(true));
    }
    let early = decoders.prepare(put(0, 0, 0, from_cache(7, width, height, false)));
    assert_eq!(displays.apply_prepared(1, &early), Ok(false));
    assert_eq!(displays.apply_prepared(0, &decoders.prepare(put(0, 0, 0, shown))), Ok(true));
    assert_eq!(displays.waiting(1), 0);
    let [first, second] = [0, 1].map(|id| pixels(displays.canvas(id).expect("it has a screen"), 0));
    assert_eq!(first, second);
}

/// Who waits decodes for the others, and they for it.
#[test]
fn canvases_share_the_threads() {
    let config = CanvasConfig::default();
    let decoders = Decoders::new(1, &config.limits, AheadLimits::new(1 << 20, 0)).expect("threads");
    thread::scope(|scope| {
        for first in [100, 200, 300, 400] {
            let (decoders, config) = (&decoders, &config);
            scope.spawn(move || {
                for seed in first..first + 20 {
                    let messages = sequence(seed);
                    let mut plain = Canvas::new(config.clone(), SharedCaches::default());
                    let mut ahead = Canvas::new(config.clone(), SharedCaches::default());
                    for some in messages.chunks(1 + seed as usize % 32) {
                        let prepared: Vec<_> =
                            some.iter().map(|message| decoders.prepare(message.clone())).collect();
                        // What is not drawn any more is left, begun or not.
                        let (drawn, left) = prepared.split_at(prepared.len().div_ceil(2));
                        for prepared in drawn {
                            let outcome = plain.apply(prepared.message());
                            assert_eq!(ahead.apply_prepared(prepared), outcome, "seed {seed}");
                        }
                        for prepared in left {
                            let outcome = plain.apply(prepared.message());
                            assert_eq!(ahead.apply(prepared.message()), outcome, "seed {seed}");
                        }
                    }
                    assert_eq!(state(&mut ahead), state(&mut plain), "seed {seed}");
                }
            });
        }
    });
    until("all is let go", || decoders.bytes() == 0);
}

#[test]
fn limit_bytes_decoded_ahead() {
    let config = CanvasConfig::default();
    let limits = AheadLimits::new(100_000, 16);
    let decoders = Decoders::new(2, &config.limits, limits).expect("threads");
    let mut numbers = Numbers(11);
    let waiting: Vec<_> =
        (0..500).map(|id| decoders.prepare(put(0, 0, 0, image(&mut numbers, id)))).collect();
    assert!(decoders.bytes() > limits.bytes / 2 && decoders.bytes() <= limits.bytes, "{}", decoders.bytes());
    // What says to be huge is left to the canvas, which has bounds of its own.
    let huge = Image { width: u32::MAX, height: u32::MAX, ..image(&mut numbers, 1) };
    drop(decoders.prepare(put(0, 0, 0, huge)));
    drop(waiting);
    until("the threads have let go", || decoders.bytes() == 0);
}

#[test]
fn what_was_not_begun_outlives_its_threads() {
    let config = CanvasConfig::default();
    let decoders = Decoders::new(1, &config.limits, AheadLimits::new(1 << 20, 0)).expect("threads");
    let messages = sequence(5);
    let prepared: Vec<_> = messages.iter().map(|message| decoders.prepare(message.clone())).collect();
    drop(decoders);
    let mut plain = Canvas::new(config.clone(), SharedCaches::default());
    let mut ahead = Canvas::new(config, SharedCaches::default());
    for (message, prepared) in messages.iter().zip(&prepared) {
        assert_eq!(ahead.apply_prepared(prepared), plain.apply(message));
    }
    assert_eq!(state(&mut ahead), state(&mut plain));
}

fn until(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        thread::yield_now();
    }
}
