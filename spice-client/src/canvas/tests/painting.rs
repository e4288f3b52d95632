//! Text, lines and compositions.

use spice_proto::types::{Fixed28_4, Point16, PointFix, Transform};
use spice_proto::wire::{Counted, PtrArray};

use super::*;

fn glyph(x: i32, y: i32, width: u16, height: u16, data: &[u8]) -> Glyph {
    let (render_pos, glyph_origin) = (Point { x: x + 2, y: y + 3 }, Point { x: -2, y: -3 });
    let header = GlyphHeader { render_pos, glyph_origin, width, height };
    Glyph { header, data: Bytes::copy_from_slice(data) }
}

fn text(base: DisplayBase, flags: StringFlags, glyphs: &[Glyph], fore: Brush) -> DrawText {
    DrawText {
        base,
        string: Ptr(GlyphString::new(flags, glyphs).expect("glyphs fit")),
        back_area: Rect::default(),
        fore_brush: fore,
        back_brush: Brush::None,
        fore_mode: RopDescriptor::OP_PUT,
        back_mode: RopDescriptor::OP_PUT,
    }
}

const ALL: Rect = Rect { top: 0, left: 0, bottom: 4, right: 8 };

fn row(canvas: &Canvas, y: usize) -> Vec<u32> {
    pixels(canvas, 0)[y * 8..y * 8 + 8].to_vec()
}

#[test]
fn glyphs_stand_bottom_up_and_overlap_by_the_larger_coverage() {
    let white = || Brush::Solid(0x00ff_ffff);
    let mut one = canvas(8, 4, SurfaceFormat::XRGB);
    let bits = [glyph(1, 1, 3, 2, &[0b1110_0000, 0b0100_0000]), glyph(3, 0, 1, 4, &[0, 0x80, 0x80, 0])];
    done(&mut one, ServerMessage::DrawText(text(on(0, ALL), StringFlags::RASTER_A1, &bits, white())));
    let w = 0x00ff_ffff;
    assert_eq!(row(&one, 0), [0; 8]);
    assert_eq!(row(&one, 1), [0, 0, w, w, 0, 0, 0, 0]);
    assert_eq!(row(&one, 2), [0, w, w, w, 0, 0, 0, 0]);
    assert_eq!(one.damage(), [ALL]);

    let mut four = canvas(8, 4, SurfaceFormat::XRGB);
    let nibbles = [glyph(-1, 3, 4, 1, &[0xf1, 0x8f]), glyph(1, 3, 2, 1, &[0x4f])];
    done(&mut four, ServerMessage::DrawText(text(on(0, ALL), StringFlags::RASTER_A4, &nibbles, white())));
    assert_eq!(row(&four, 3), [0x0010_1010, 0x0080_8080, 0x00f0_f0f0, 0, 0, 0, 0, 0]);

    let mut eight = canvas(8, 4, SurfaceFormat::ARGB);
    let bytes = [glyph(2, 3, 3, 1, &[0, 128, 255])];
    let flags = StringFlags::RASTER_A8 | StringFlags::RASTER_TOP_DOWN;
    done(&mut eight, ServerMessage::DrawText(text(on(0, ALL), flags, &bytes, Brush::Solid(0x0000_ff00))));
    assert_eq!(row(&eight, 3), [0, 0, 0, 0x8000_8000, 0xff00_ff00, 0, 0, 0]);
}

#[test]
fn text_brushes_are_555_on_both_16_bit_formats() {
    for (format, expected) in [(SurfaceFormat::X555, 0x7c1f), (SurfaceFormat::R565, 0xf81f)] {
        let mut canvas = canvas(8, 4, format);
        let bits = [glyph(0, 0, 1, 1, &[0x80])];
        let message = text(on(0, ALL), StringFlags::RASTER_A1, &bits, Brush::Solid(0x7c1f));
        done(&mut canvas, ServerMessage::DrawText(message));
        assert_eq!(pixels(&canvas, 0)[0], expected);
    }
}

#[test]
fn text_has_a_background_and_patterns() {
    let mut canvas = canvas(8, 4, SurfaceFormat::XRGB);
    let bits = [glyph(2, 1, 3, 1, &[0b1010_0000])];
    let mut message = text(on(0, ALL), StringFlags::RASTER_A1, &bits, Brush::None);
    message.back_area = Rect::at(1, 1, 100, 1);
    message.back_brush = Brush::Solid(5);
    let tile = Pattern { image: Ptr(picture(3, &[0x11, 0x22, 0x33])), pos: Point { x: 0, y: 7 } };
    message.fore_brush = Brush::Pattern(tile);
    done(&mut canvas, ServerMessage::DrawText(message.clone()));
    // The pattern begins at the corner of the string.
    assert_eq!(row(&canvas, 1), [0, 5, 0x11, 5, 0x33, 5, 5, 5]);
    message.fore_mode = RopDescriptor::OP_XOR;
    message.back_brush = Brush::Solid(6);
    done(&mut canvas, ServerMessage::DrawText(message));
    assert!(matches!(undrawn(&mut canvas), Some((Operation::Text, Reason::Unsupported(_)))));
    assert_eq!(row(&canvas, 1)[7], 5);
}

#[test]
fn strings_as_wide_as_the_world_cost_what_is_seen_of_them() {
    let mut canvas = canvas(8, 4, SurfaceFormat::XRGB);
    let far = i32::MAX - 10;
    let bits = [glyph(0, 0, 1, 1, &[0x80]), glyph(far, far, 1, 1, &[0x80]), glyph(-far, -far, 1, 1, &[0x80])];
    let message = text(on(0, ALL), StringFlags::RASTER_A1, &bits, Brush::Solid(1));
    done(&mut canvas, ServerMessage::DrawText(message));
    assert_eq!(pixels(&canvas, 0)[0], 1);
}

fn stroke(base: DisplayBase, points: &[(i32, i32)], flags: PathFlags, rop: RopDescriptor) -> DrawStroke {
    let at = |v: i32| Fixed28_4 { raw: v * 16 };
    let points = points.iter().map(|&(x, y)| PointFix { x: at(x), y: at(y) }).collect();
    let segment = PathSegment { flags, points: Counted::new(points).expect("fits") };
    DrawStroke {
        base,
        path: Ptr([segment].into_iter().collect()),
        attr: LineAttr::default(),
        brush: Brush::Solid(0x0f),
        fore_mode: rop,
        back_mode: rop,
    }
}

#[test]
fn closed_paths_draw_each_corner_once() {
    let mut canvas = canvas(8, 4, SurfaceFormat::XRGB);
    let corners = [(1, 0), (5, 0), (5, 3), (1, 3)];
    let closed = PathFlags::BEGIN | PathFlags::END | PathFlags::CLOSE;
    let message = stroke(on(0, ALL), &corners, closed, RopDescriptor::OP_XOR);
    done(&mut canvas, ServerMessage::DrawStroke(message));
    let f = 0x0f;
    assert_eq!(row(&canvas, 0), [0, f, f, f, f, f, 0, 0]);
    assert_eq!(row(&canvas, 1), [0, f, 0, 0, 0, f, 0, 0]);
    assert_eq!(row(&canvas, 3), [0, f, f, f, f, f, 0, 0]);
    // Open, the last point is left out; the clip takes a column.
    let clip = [Rect::at(0, 0, 2, 4), Rect::at(3, 0, 5, 4)];
    let message = stroke(clipped(0, ALL, &clip), &[(0, 2), (7, 2)], PathFlags::BEGIN, RopDescriptor::OP_PUT);
    done(&mut canvas, ServerMessage::DrawStroke(message));
    assert_eq!(row(&canvas, 2), [f, f, 0, f, f, f, f, 0]);
    let mut dashed = stroke(on(0, ALL), &corners, closed, RopDescriptor::OP_PUT);
    let style = [Fixed28_4 { raw: 32 }, Fixed28_4 { raw: 16 }].into_iter().collect();
    dashed.attr.style = Some(PtrArray::new(style).expect("fits"));
    done(&mut canvas, fill(on(0, ALL), 0, RopDescriptor::OP_PUT));
    done(&mut canvas, ServerMessage::DrawStroke(dashed));
    assert_eq!(undrawn(&mut canvas), None);
    assert_eq!(row(&canvas, 0), [0, f, f, 0, f, f, 0, 0]);
}

#[test]
fn dashes_of_other_functions_draw_each_pixel_once() {
    // A line back and forth over the same pixels.
    for (rop, expected) in [(RopDescriptor::OP_XOR, 0x0f), (RopDescriptor::OP_PUT, 0x0f)] {
        let mut canvas = canvas(8, 4, SurfaceFormat::XRGB);
        let mut message = stroke(on(0, ALL), &[(1, 1), (6, 1), (1, 1)], PathFlags::BEGIN, rop);
        message.attr.style =
            Some(PtrArray::new([Fixed28_4 { raw: 1600 }].into_iter().collect()).expect("fits"));
        done(&mut canvas, ServerMessage::DrawStroke(message));
        assert_eq!(row(&canvas, 1)[2..6], [expected; 4]);
    }
}

#[test]
fn limit_dashes() {
    let mut config = CanvasConfig::default();
    config.limits.dashes = 10;
    let mut canvas = Canvas::new(config, SharedCaches::default());
    create(&mut canvas, 0, (8, 4), SurfaceFormat::XRGB, SurfaceFlags::PRIMARY);
    canvas.poll_event();
    for (length, fits) in [(9, true), (100, false)] {
        let mut message = stroke(on(0, ALL), &[(0, 1), (length, 1)], PathFlags::BEGIN, RopDescriptor::OP_PUT);
        message.attr.style =
            Some(PtrArray::new([Fixed28_4 { raw: 16 }].into_iter().collect()).expect("fits"));
        done(&mut canvas, ServerMessage::DrawStroke(message));
        let limit = Reason::Limit { limit: "dashes", value: 11, bound: 10 };
        assert_eq!(undrawn(&mut canvas), (!fits).then_some((Operation::Stroke, limit)));
    }
}

fn composition(source: Image, op: CompositeOp) -> Composite {
    Composite {
        flags: CompositeFlags::empty().with_operator(op),
        src_bitmap: Some(Ptr(source)),
        mask_bitmap: None,
        src_transform: None,
        mask_transform: None,
        src_origin: Point16::default(),
        mask_origin: Point16::default(),
    }
}

fn rgba(width: u32, pixels: &[u32]) -> Image {
    let data = pixels.iter().flat_map(|p| p.to_le_bytes()).collect();
    bitmap(BitmapFormat::RGBA, width, width * 4, BitmapFlags::TOP_DOWN, data)
}

fn compose(canvas: &mut Canvas, area: Rect, composite: Composite) {
    done(canvas, ServerMessage::DrawComposite(DrawComposite { base: on(0, area), composite }));
    assert_eq!(undrawn(canvas), None);
}

#[test]
fn origins_and_repeats_choose_the_source_pixel() {
    let source = || rgba(3, &[0xff00_0001, 0xff00_0002, 0xff00_0003]);
    let (none, normal) = (CompositeRepeat::NONE, CompositeRepeat::NORMAL);
    let (pad, reflect) = (CompositeRepeat::PAD, CompositeRepeat::REFLECT);
    for (repeat, expected) in [
        (none, [0, 1, 2, 3, 0, 0, 0, 0]),
        (normal, [3, 1, 2, 3, 1, 2, 3, 1]),
        (pad, [1, 1, 2, 3, 3, 3, 3, 3]),
        (reflect, [1, 1, 2, 3, 3, 2, 1, 1]),
    ] {
        // Without a transform, with the identity, and with one that moves by whole pixels.
        let moved = Transform { t02: -(5 << 16), ..Transform::IDENTITY };
        for (transform, x) in [(None, -1), (Some(Transform::IDENTITY), -1), (Some(moved), 4)] {
            for filter in [CompositeFilter::NEAREST, CompositeFilter::BILINEAR] {
                let mut canvas = canvas(8, 4, SurfaceFormat::XRGB);
                let mut composite = composition(source(), CompositeOp::SRC);
                composite.flags = composite.flags.with_repeats(repeat, none).with_filters(filter, filter);
                (composite.src_transform, composite.src_origin.x) = (transform, x);
                compose(&mut canvas, Rect::at(0, 0, 8, 1), composite);
                assert_eq!(row(&canvas, 0), expected, "{repeat:?} {transform:?} {filter:?}");
            }
        }
    }
}

#[test]
fn clipping_a_composition_moves_nothing() {
    let mut numbers = Numbers(5);
    let source = rgba(9, &(0..81).map(|_| numbers.color()).collect::<Vec<_>>());
    for filter in [CompositeFilter::NEAREST, CompositeFilter::BILINEAR] {
        let mut composite = composition(source.clone(), CompositeOp::SRC);
        composite.flags = composite.flags.with_filters(filter, filter);
        composite.src_transform =
            Some(Transform { t00: 50_001, t01: 7001, t02: -3, t10: -9000, t11: 70_003, t12: 99_999 });
        let mut whole = canvas(8, 4, SurfaceFormat::ARGB);
        compose(&mut whole, Rect::at(-2, -1, 10, 5), composite.clone());
        let mut parts = canvas(8, 4, SurfaceFormat::ARGB);
        for x in 0..8 {
            let base = clipped(0, Rect::at(-2, -1, 10, 5), &[Rect::at(x, 0, 1, 4)]);
            done(
                &mut parts,
                ServerMessage::DrawComposite(DrawComposite { base, composite: composite.clone() }),
            );
        }
        assert_eq!(pixels(&whole, 0), pixels(&parts, 0));
        assert!(pixels(&whole, 0).iter().filter(|p| **p != 0).count() > 16);
    }
}

#[test]
fn surfaces_of_alpha_are_masks_and_solid_pictures_colours() {
    let mut canvas = canvas(8, 4, SurfaceFormat::XRGB);
    create(&mut canvas, 3, (8, 1), SurfaceFormat::A8, SurfaceFlags::empty());
    for x in 0..8 {
        done(&mut canvas, fill(on(3, Rect::at(x, 0, 1, 1)), x as u32 * 36, RopDescriptor::OP_PUT));
    }
    let mut composite = composition(rgba(1, &[0xff80_40ff]), CompositeOp::OVER);
    composite.flags = composite.flags.with_repeats(CompositeRepeat::NORMAL, CompositeRepeat::NONE);
    composite.mask_bitmap = Some(Ptr(surface_image(3, 8, 1)));
    composite.mask_origin.x = 1;
    compose(&mut canvas, Rect::at(0, 2, 8, 1), composite);
    let expected: Vec<u32> = (1..9)
        .map(|m| {
            let m = if m < 8 { m * 36 } else { 0 };
            [0x80, 0x40, 0xff].iter().fold(0, |v, c| v << 8 | crate::canvas::format::mul(*c, m))
        })
        .collect();
    assert_eq!(row(&canvas, 2), expected);
}

#[test]
fn a_surface_with_an_unused_byte_is_opaque() {
    let mut canvas = canvas(8, 4, SurfaceFormat::ARGB);
    create(&mut canvas, 1, (8, 4), SurfaceFormat::XRGB, SurfaceFlags::empty());
    create(&mut canvas, 2, (8, 4), SurfaceFormat::ARGB, SurfaceFlags::empty());
    for id in [1, 2] {
        done(&mut canvas, fill(on(id, ALL), 0x0011_2233, RopDescriptor::OP_PUT));
    }
    let over = |id| composition(surface_image(id, 8, 4), CompositeOp::OVER);
    compose(&mut canvas, Rect::at(0, 0, 1, 1), over(1));
    compose(&mut canvas, Rect::at(1, 0, 1, 1), over(2));
    let mut opaque = over(2);
    opaque.flags |= CompositeFlags::SOURCE_OPAQUE;
    compose(&mut canvas, Rect::at(2, 0, 1, 1), opaque);
    assert_eq!(row(&canvas, 0)[..3], [0xff11_2233, 0x0011_2233, 0xff11_2233]);
}

#[test]
fn unknown_operators_and_extreme_transforms_do_no_harm() {
    let mut canvas = canvas(8, 4, SurfaceFormat::XRGB);
    let unknown = composition(rgba(1, &[1]), CompositeOp(0x3f));
    let message = DrawComposite { base: on(0, ALL), composite: unknown };
    done(&mut canvas, ServerMessage::DrawComposite(message));
    assert!(matches!(undrawn(&mut canvas), Some((Operation::Composite, Reason::Unsupported(_)))));
    let (low, high) = (i32::MIN, i32::MAX);
    for t in [low, high, 1] {
        for (t02, t12) in [(low, high), (high, low)] {
            for repeat in 0..4 {
                let repeat = CompositeRepeat(repeat);
                let mut composite = composition(rgba(1, &[0xff00_0001; 3]), CompositeOp::ADD);
                composite.flags = composite
                    .flags
                    .with_repeats(repeat, repeat)
                    .with_filters(CompositeFilter::GOOD, CompositeFilter::GOOD);
                composite.src_transform = Some(Transform { t00: t, t01: t, t02, t10: t, t11: t, t12 });
                compose(&mut canvas, Rect { top: low, left: low, bottom: high, right: high }, composite);
            }
        }
    }
}

/// Pictures of a command that are its own surface show what was there before it.
#[test]
fn a_surface_that_is_read_in_several_places_reads_as_another_one_would() {
    let mut numbers = Numbers(11);
    for round in 0..60 {
        let mut canvas = canvas(16, 16, SurfaceFormat::XRGB);
        create(&mut canvas, 1, (16, 16), SurfaceFormat::XRGB, SurfaceFlags::empty());
        let noise: Vec<u32> = (0..256).map(|_| numbers.color() & 0x00ff_ffff).collect();
        let (area, src_area) = (numbers.rect(20), numbers.rect(20));
        let [own_source, own_brush] = [round % 3 != 0, round % 3 != 1];
        let command = |own: bool| {
            let from = |is_own: bool| surface_image(if own && is_own { 0 } else { 1 }, 16, 16);
            ServerMessage::DrawOpaque(DrawOpaque {
                base: on(0, area),
                src_bitmap: Some(Ptr(from(own_source))),
                src_area,
                brush: Brush::Pattern(Pattern { image: Ptr(from(own_brush)), pos: Point { x: 3, y: -5 } }),
                rop: RopDescriptor::OP_XOR,
                scale_mode: if round % 2 == 0 { ScaleMode::NEAREST } else { ScaleMode::INTERPOLATE },
                mask: QMask::default(),
            })
        };
        let mut drawn = [true, false].map(|own| {
            for id in 0..2 {
                done(&mut canvas, put(id, 0, 0, picture(16, &noise)));
            }
            done(&mut canvas, command(own));
            pixels(&canvas, 0)
        });
        drawn.iter_mut().flatten().for_each(|px| *px &= 0x00ff_ffff);
        assert_eq!(drawn[0], drawn[1], "{area:?} from {src_area:?}");
    }
}
