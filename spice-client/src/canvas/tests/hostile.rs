//! Messages that no honest server sends: nothing panics, nothing grows, the surface stays sane.

use spice_proto::msg::Message;
use spice_proto::testing::{MessageVisitor, Sample, Source};

use super::*;
use crate::canvas::CanvasLimits;

fn small(change: impl FnOnce(&mut CanvasLimits)) -> Canvas {
    let mut config = CanvasConfig::default();
    change(&mut config.limits);
    let mut canvas = Canvas::new(config, SharedCaches::default());
    create(&mut canvas, 0, (8, 8), SurfaceFormat::XRGB, SurfaceFlags::PRIMARY);
    canvas.poll_event();
    canvas
}

#[test]
fn limit_image_side_and_image_pixels() {
    for change in [|l: &mut CanvasLimits| l.image_side = 3, |l: &mut CanvasLimits| l.image_pixels = 15] {
        let mut canvas = small(change);
        done(&mut canvas, put(0, 0, 0, picture(4, &[1; 16])));
        assert!(matches!(undrawn(&mut canvas), Some((_, Reason::Codec(_)))));
        assert_eq!(pixels(&canvas, 0), [0; 64]);
        done(&mut canvas, put(0, 0, 0, picture(3, &[1; 9])));
        assert_eq!(pixels(&canvas, 0)[0], 1);
    }
}

#[test]
fn limit_clip_rects() {
    let mut canvas = small(|l| l.clip_rects = 2);
    let all = Rect::at(0, 0, 8, 8);
    done(&mut canvas, fill(clipped(0, all, &[all; 3]), 1, RopDescriptor::OP_PUT));
    assert_eq!(
        undrawn(&mut canvas),
        Some((Operation::Fill, Reason::Limit { limit: "clip_rects", value: 3, bound: 2 }))
    );
    done(&mut canvas, fill(clipped(0, all, &[all; 2]), 1, RopDescriptor::OP_XOR));
    assert_eq!(pixels(&canvas, 0), [1; 64]);
}

#[test]
fn limit_scratch_bytes() {
    let mut canvas = small(|l| l.scratch_bytes = 1000);
    let area = Rect::at(0, 0, 100, 100);
    let bit24 = bitmap(BitmapFormat::BIT24, 100, 300, BitmapFlags::TOP_DOWN, vec![1; 30_000]);
    done(&mut canvas, copy(clipped(0, area, &[Rect::at(1, 1, 2, 2)]), bit24, area, RopDescriptor::OP_PUT));
    assert_eq!(pixels(&canvas, 0)[9], 0x0001_0101);
    assert!(canvas.images.scratch_bytes() <= 3000);
}

#[test]
fn limit_scratch_bytes_of_every_decoder() {
    use spice_codecs::bitmap::{Bitmap, Format, Layout};
    use spice_codecs::{RowOrder, jpeg, lz, lz4, zlib_glz};
    use spice_proto::wire::Blob;
    const SIDE: u32 = 100;
    let layout = |format: Format, rows| {
        let stride = format.row_bytes(SIDE) as u32;
        Layout { format, width: SIDE, height: SIDE, stride, rows }
    };
    let rows = vec![0; (SIDE * SIDE * 4) as usize];
    let bit32 = Bitmap::new(layout(Format::Bit32, RowOrder::BottomUp), &rows).expect("a picture");
    let bit4 = Bitmap::new(layout(Format::Bit4Be, RowOrder::TopDown), &rows[..5000]).expect("a picture");
    let (mut lz4, mut lz, mut jpeg) = (Vec::new(), Vec::new(), Vec::new());
    lz4::Encoder::new().encode(&bit32, &mut lz4).expect("encodes");
    lz::Encoder::new().encode(&bit4, &mut lz).expect("encodes");
    jpeg::Encoder::new().encode(&bit32, 85, &mut jpeg).expect("encodes");
    let (mut glz, mut zlib) = (Vec::new(), Vec::new());
    // Noise, so that the stream is longer than its window's overhead.
    let noise: Vec<u8> = (0..rows.len()).map(|i| (i * i / 7) as u8).collect();
    let noise = Bitmap::new(layout(Format::Bit32, RowOrder::TopDown), &noise).expect("a picture");
    spice_codecs::glz::Encoder::new(1 << 20).encode(&noise, &mut glz).expect("encodes");
    zlib_glz::Encoder::new().encode(&glz, &mut zlib);
    let blob = |data: Vec<u8>| Blob::new(data.into()).expect("fits");
    let palette = spice_proto::msg::display::Palette {
        unique: spice_proto::types::PaletteId(0),
        entries: spice_proto::wire::Counted::new([1; 16][..].into()).expect("fits"),
    };
    let palette = PaletteSource::Inline(Ptr(palette));
    let images = [
        ImageData::Lz4(blob(lz4)),
        ImageData::LzPlt(LzPlt { flags: BitmapFlags::empty(), palette, data: blob(lz) }),
        ImageData::Jpeg(blob(jpeg)),
        ImageData::ZlibGlzRgb(ZlibGlz { glz_data_size: glz.len() as u32, data: blob(zlib) }),
    ];
    for data in images {
        let mut canvas = small(|l| l.scratch_bytes = 1000);
        create(&mut canvas, 0, (SIDE + 1, SIDE), SurfaceFormat::XRGB, SurfaceFlags::PRIMARY);
        canvas.poll_event();
        canvas.poll_event();
        let image = Image { id: ImageId(0), flags: ImageFlags::empty(), width: SIDE, height: SIDE, data };
        // Straight into the surface, and by way of a picture.
        for left in [0, 50] {
            if left > 0 && matches!(image.data, ImageData::ZlibGlzRgb(_)) {
                continue; // The window takes an image once.
            }
            done(&mut canvas, put(0, left, 0, image.clone()));
            assert_eq!(canvas.poll_event(), None);
            let kept = canvas.images.scratch_bytes();
            assert!(kept <= 2000, "{kept} bytes kept of {:?}", image.data.kind());
        }
    }
}

#[test]
fn limit_stroke_pixels() {
    use spice_proto::types::{Fixed28_4, PointFix};
    let mut canvas = small(|l| l.stroke_pixels = 20);
    let fixed = |raw: i32| Fixed28_4 { raw: raw * 16 };
    let points: Vec<PointFix> = (0..9).map(|i| PointFix { x: fixed(i % 2 * 7), y: fixed(i) }).collect();
    let points = spice_proto::wire::Counted::new(points.into_iter().collect()).expect("fits");
    let path: Path = [PathSegment { flags: PathFlags::BEGIN | PathFlags::END, points }].into_iter().collect();
    let stroke = DrawStroke {
        base: on(0, Rect::at(0, 0, 8, 8)),
        path: Ptr(path),
        attr: LineAttr { flags: LineFlags::empty(), style: None },
        brush: Brush::Solid(1),
        fore_mode: RopDescriptor::OP_PUT,
        back_mode: RopDescriptor::OP_PUT,
    };
    done(&mut canvas, ServerMessage::DrawStroke(stroke));
    let why = Reason::Limit { limit: "stroke_pixels", value: 21, bound: 20 };
    assert_eq!(undrawn(&mut canvas), Some((Operation::Stroke, why)));
    let drawn = pixels(&canvas, 0).iter().filter(|pixel| **pixel == 1).count();
    assert!((10..=20).contains(&drawn), "{drawn} pixels, some of them twice");
}

#[test]
fn limit_composite_samples() {
    use spice_proto::types::{Point16, Transform};
    let mut canvas = small(|l| l.composite_samples = 100);
    let turned = Some(Transform { t00: 1 << 16, t11: 1 << 16, t01: 1 << 15, ..Transform::default() });
    let mut compose = |op, filter, transform, mask: bool, side| {
        let flags = CompositeFlags::empty().with_operator(op).with_filters(filter, filter);
        let picture = || Some(Ptr(picture(8, &[0xff; 64])));
        let composite = Composite {
            flags,
            src_bitmap: picture(),
            mask_bitmap: mask.then(picture).flatten(),
            src_transform: transform,
            mask_transform: None,
            src_origin: Point16::default(),
            mask_origin: Point16::default(),
        };
        let base = on(0, Rect::at(0, 0, side, side));
        done(&mut canvas, fill(on(0, Rect::at(0, 0, 8, 8)), 1, RopDescriptor::OP_PUT));
        done(&mut canvas, ServerMessage::DrawComposite(DrawComposite { base, composite }));
        let is_drawn = pixels(&canvas, 0)[9] != 1;
        let told = undrawn(&mut canvas);
        canvas.reported.clear();
        assert_eq!(is_drawn, told.is_none());
        told.map_or(0, |told| match told {
            (Operation::Composite, Reason::Limit { limit: "composite_samples", value, bound: 100 }) => value,
            other => panic!("{other:?}"),
        })
    };
    let (nearest, bilinear) = (CompositeFilter::NEAREST, CompositeFilter::BILINEAR);
    let (src, disjoint) = (CompositeOp::SRC, CompositeOp(0x13));
    assert_eq!(compose(src, bilinear, None, false, 8), 0);
    assert_eq!(compose(src, nearest, turned, false, 8), 0);
    assert_eq!(compose(src, nearest, None, true, 8), 2 * 64);
    assert_eq!(compose(src, bilinear, turned, false, 8), 4 * 64);
    assert_eq!(compose(disjoint, nearest, None, false, 8), 3 * 64);
    assert_eq!(compose(disjoint, bilinear, turned, true, 5), 7 * 25);
    assert_eq!(compose(disjoint, bilinear, turned, true, 3), 0);
}

#[test]
fn limit_heads() {
    let mut canvas = small(|l| l.heads = 3);
    let heads = spice_proto::wire::Counted::new([Head::default(); 9][..].into()).expect("fits");
    done(&mut canvas, ServerMessage::MonitorsConfig(MonitorsConfig { max_allowed: 8, heads }));
    assert_eq!(canvas.heads().len(), 3);
    assert_eq!(canvas.poll_event(), Some(Event::Monitors));
    done(&mut canvas, ServerMessage::MonitorsConfig(MonitorsConfig::default()));
    assert_eq!(canvas.heads().len(), 3);
}

#[test]
fn limit_events() {
    let mut canvas = small(|l| l.events = 5);
    for number in 0..1000 {
        let gl = GlDraw { x: number, ..GlDraw::default() };
        done(&mut canvas, ServerMessage::GlDraw(gl));
        done(&mut canvas, ServerMessage::Mark);
    }
    let kept: Vec<_> = std::iter::from_fn(|| canvas.poll_event()).collect();
    assert_eq!(kept.len(), 5);
    assert!(matches!(kept[3], Event::GlDraw(GlDraw { x: 999, .. })), "the newest: {kept:?}");
}

#[test]
fn limit_damage_rects() {
    let mut canvas = small(|l| l.damage_rects = 3);
    create(&mut canvas, 0, (900, 900), SurfaceFormat::XRGB, SurfaceFlags::PRIMARY);
    canvas.drain_damage().for_each(drop);
    let mut numbers = Numbers(5);
    for _ in 0..2000 {
        let area = Rect::at(numbers.between(0, 890), numbers.between(0, 890), 3, 2);
        let clips: Vec<Rect> = (0..20).map(|_| numbers.rect(890)).collect();
        done(&mut canvas, fill(clipped(0, Rect::at(0, 0, 900, 900), &clips), 1, RopDescriptor::OP_PUT));
        done(&mut canvas, fill(on(0, area), 2, RopDescriptor::OP_PUT));
        assert!(canvas.damage().len() <= 3);
        assert!(canvas.damage().iter().any(|d| d.intersect(&area) == area));
    }
}

/// Each picture of a chain copies from the one before it, down to the first: nothing of the way back is kept or
/// followed again.
#[test]
fn a_long_chain_of_references_costs_no_more_than_its_pictures() {
    use spice_codecs::bitmap::{Bitmap, Format, Layout};
    let mut encoder = spice_codecs::glz::Encoder::new(4096);
    let layout = Layout {
        format: Format::Bit32,
        width: 32,
        height: 32,
        stride: 128,
        rows: spice_codecs::RowOrder::TopDown,
    };
    let mut numbers = Numbers(9);
    let noise: Vec<u8> = (0..32 * 32).flat_map(|_| (numbers.color() & 0x00ff_ffff).to_le_bytes()).collect();
    let mut canvas = small(|_| ());
    create(&mut canvas, 0, (32, 32), SurfaceFormat::XRGB, SurfaceFlags::PRIMARY);
    canvas.images.caches = SharedCaches::new(crate::canvas::CacheConfig::new(1 << 16, 4096));
    for number in 0..5000 {
        let mut out = Vec::new();
        encoder.encode(&Bitmap::new(layout, &noise).expect("a picture"), &mut out).expect("encodes");
        assert!(number == 0 || out.len() < 400, "{} bytes: a reference", out.len());
        let data = ImageData::GlzRgb(spice_proto::wire::Blob::new(out.into()).expect("fits"));
        let image = Image { id: ImageId(number), flags: ImageFlags::empty(), width: 32, height: 32, data };
        done(&mut canvas, put(0, 0, 0, image));
    }
    let shown: Vec<u8> = pixels(&canvas, 0).iter().flat_map(|px| px.to_le_bytes()).collect();
    assert_eq!(shown, noise);
    let mut window = canvas.images.caches.window();
    let held = spice_codecs::glz::Access::with(&mut window, |window| (window.len(), window.pixels()));
    assert!(held.0 <= 5 && held.1 <= 5 * 1024, "{held:?}");
}

#[test]
fn extreme_rectangles_draw_what_lies_on_the_surface() {
    let all = Rect { top: i32::MIN, left: i32::MIN, bottom: i32::MAX, right: i32::MAX };
    let inverted = Rect { top: 5, left: 5, bottom: 2, right: 2 };
    let mut canvas = small(|_| ());
    done(&mut canvas, fill(on(0, all), 3, RopDescriptor::OP_PUT));
    assert_eq!(pixels(&canvas, 0), [3; 64]);
    done(&mut canvas, fill(on(0, inverted), 4, RopDescriptor::OP_PUT));
    done(&mut canvas, fill(clipped(0, all, &[inverted, Rect::default()]), 4, RopDescriptor::OP_PUT));
    assert_eq!(pixels(&canvas, 0), [3; 64]);
    for src_area in [all, inverted, Rect::default(), Rect::at(i32::MAX - 2, i32::MIN, 1, 1)] {
        for area in [all, Rect::at(-3, -3, 9, 9), Rect::at(i32::MIN, 0, i32::MAX, 8)] {
            for scale_mode in [ScaleMode::INTERPOLATE, ScaleMode::NEAREST, ScaleMode(77)] {
                let (src_bitmap, mask) = (Some(Ptr(picture(2, &[9; 4]))), QMask::default());
                let rop = RopDescriptor::OP_PUT;
                let m = DrawCopy { base: on(0, area), src_bitmap, src_area, rop, scale_mode, mask };
                done(&mut canvas, ServerMessage::DrawCopy(m));
            }
        }
    }
    for x in [i32::MIN, -1, 0, i32::MAX] {
        for y in [i32::MIN, -1, 0, i32::MAX] {
            let (base, src_pos) = (on(0, all), Point { x, y });
            done(&mut canvas, ServerMessage::CopyBits(CopyBits { base, src_pos }));
        }
    }
}

#[test]
fn pictures_that_lie_about_themselves_are_refused() {
    let mut canvas = small(|_| ());
    let short_rows = bitmap(BitmapFormat::BIT32, 4, 15, BitmapFlags::TOP_DOWN, vec![1; 60]);
    let unknown = bitmap(BitmapFormat(99), 4, 16, BitmapFlags::TOP_DOWN, vec![1; 64]);
    let other_size = Image { width: 5, ..picture(4, &[1; 16]) };
    let empty = bitmap(BitmapFormat::BIT32, 0, 16, BitmapFlags::TOP_DOWN, vec![1; 64]);
    let no_palette = bitmap(BitmapFormat::BIT8, 4, 4, BitmapFlags::TOP_DOWN, vec![1; 16]);
    for image in [short_rows, unknown, other_size, empty, no_palette] {
        canvas.reported.clear();
        let area = Rect::at(0, 0, 4, 4);
        done(&mut canvas, copy(on(0, area), image.clone(), area, RopDescriptor::OP_PUT));
        assert!(matches!(undrawn(&mut canvas), Some((Operation::Copy, Reason::Codec(_)))), "{image:?}");
        canvas.reported.clear();
        let mask = masked(image, Point::default(), false);
        let (base, brush, rop) = (on(0, area), Brush::Solid(1), RopDescriptor::OP_PUT);
        done(&mut canvas, ServerMessage::DrawFill(DrawFill { base, brush, rop, mask }));
        assert!(undrawn(&mut canvas).is_some());
    }
    assert_eq!(pixels(&canvas, 0), [0; 64]);
}

// Of the vulnerabilities that the specification lists, those of surfaces have a test here. Three cannot occur in a client:
// CVE-2019-3813 (memory slots of the guest) and CVE-2015-3247 (structures of the guest that change while they are read),
// since no memory is shared with a guest and a message is owned bytes; CVE-2021-20201 (renegotiation of TLS), since TLS is
// the transport's.

/// CVE-2015-5260: a surface id that is not checked.
#[test]
fn cve_2015_5260_unknown_surfaces_are_neither_drawn_to_nor_read() {
    let mut canvas = small(|_| ());
    for id in [1, 1024, 0x7fff_ffff, u32::MAX] {
        canvas.reported.clear();
        done(&mut canvas, fill(on(id, Rect::at(0, 0, 8, 8)), 1, RopDescriptor::OP_PUT));
        assert_eq!(undrawn(&mut canvas), Some((Operation::Fill, Reason::NoSurface(SurfaceId(id)))));
        done(&mut canvas, put(0, 0, 0, surface_image(id, 8, 8)));
        assert_eq!(undrawn(&mut canvas), Some((Operation::Copy, Reason::NoSourceSurface(SurfaceId(id)))));
        done(&mut canvas, ServerMessage::SurfaceDestroy(SurfaceDestroy { surface_id: SurfaceId(id) }));
    }
    assert_eq!(pixels(&canvas, 0), [0; 64]);
}

/// CVE-2015-5261, CVE-2016-2150: sizes of surfaces and pictures whose products wrap around.
#[test]
fn cve_2015_5261_and_2016_2150_sizes_do_not_wrap() {
    for (width, height) in [(0x1_0000, 0x1_0000), (0x4000_0001, 4), (4, 0x8000_0000), (u32::MAX, u32::MAX)] {
        for flags in [SurfaceFlags::PRIMARY, SurfaceFlags::empty()] {
            let mut canvas = small(|_| ());
            let (surface_id, format) = (SurfaceId(0), SurfaceFormat::XRGB);
            let create = SurfaceCreate { surface_id, width, height, format, flags };
            assert!(canvas.apply(&ServerMessage::SurfaceCreate(create)).is_err());
        }
        // A picture of a few bytes that says to be of this size, and reads from the visible surface of this size.
        let mut canvas = small(|_| ());
        let image = Image { width, height, ..picture(4, &[1; 16]) };
        let area = Rect { top: 0, left: 0, bottom: height as i32, right: width as i32 };
        done(&mut canvas, copy(on(0, Rect::at(0, 0, 8, 8)), image, area, RopDescriptor::OP_PUT));
        assert_eq!(pixels(&canvas, 0), [0; 64]);
    }
}

/// Feeds generated messages of every kind to one canvas.
struct Feed<'a> {
    canvas: &'a mut Canvas,
    numbers: Numbers,
}

impl MessageVisitor for Feed<'_> {
    fn empty(&mut self, kind: u16, _: &'static str) {
        self.body(kind, &Bytes::new());
    }

    fn payload<T: spice_proto::wire::Wire + Sample + std::fmt::Debug + PartialEq>(
        &mut self,
        kind: u16,
        _: &'static str,
    ) {
        let seed: Vec<u8> = (0..400).map(|_| self.numbers.next() as u8).collect();
        let mut body = bytes::BytesMut::new();
        spice_proto::wire::encode(&T::sample(&mut Source::new(&seed)), &mut body);
        self.body(kind, &body.freeze());
    }
}

impl Feed<'_> {
    fn body(&mut self, kind: u16, body: &Bytes) {
        let message = ServerMessage::decode(kind, body, 64).expect("just encoded");
        if self.canvas.apply(&message).is_err() {
            self.canvas.disconnect();
        }
        while self.canvas.poll_event().is_some() {}
    }
}

#[test]
fn arbitrary_messages_do_no_harm() {
    let mut canvas = small(|l| (l.surface_bytes, l.surfaces_bytes) = (1 << 20, 4 << 20));
    for round in 0..300 {
        for (id, format) in [(0, 32), (1, 96), (2, 16), (3, 80), (4, 8), (5, 1)] {
            let flags = if id == 0 { SurfaceFlags::PRIMARY } else { SurfaceFlags::empty() };
            let (surface_id, format) = (SurfaceId(id), SurfaceFormat(format));
            let create = SurfaceCreate { surface_id, width: 8, height: 8, format, flags };
            canvas.apply(&ServerMessage::SurfaceCreate(create)).ok();
        }
        let mut feed = Feed { canvas: &mut canvas, numbers: Numbers(round) };
        ServerMessage::visit(&mut feed);
        assert!(canvas.surface_bytes() <= 4 << 20);
    }
}
