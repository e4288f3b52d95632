//! The rules of the pixmap cache and of waiting.

use spice_proto::msg::base::WaitForChannels;
use spice_proto::wire::Counted;

use super::*;
use crate::canvas::Blocked;

fn inval(id: u64) -> ServerMessage {
    let resources = Counted::new([ResourceId { kind: ResourceType::PIXMAP, id }][..].into()).expect("fits");
    ServerMessage::InvalList(InvalList { resources })
}

fn solid(color: u32) -> Image {
    picture(2, &[color; 4])
}

fn color(canvas: &Canvas) -> u32 {
    pixels(canvas, 0)[0]
}

#[test]
fn a_cached_picture_is_drawn_again_until_it_is_invalidated() {
    let mut canvas = canvas(2, 2, SurfaceFormat::XRGB);
    done(&mut canvas, put(0, 0, 0, cached(1, ImageFlags::CACHE_ME, solid(7))));
    done(&mut canvas, put(0, 0, 0, solid(1)));
    done(&mut canvas, put(0, 0, 0, from_cache(1, 2, 2, true)));
    assert_eq!(color(&canvas), 7);
    done(&mut canvas, inval(1));
    done(&mut canvas, inval(1));
    let message = put(0, 0, 0, from_cache(1, 2, 2, false));
    assert_eq!(canvas.apply(&message), Ok(Applied::Blocked(Blocked::Picture(ImageId(1)))));
}

#[test]
fn pictures_are_cached_even_if_nothing_is_drawn() {
    let mut canvas = canvas(2, 2, SurfaceFormat::XRGB);
    let area = Rect::at(0, 0, 2, 2);
    let image = |id| cached(id, ImageFlags::CACHE_ME, solid(id as u32));
    done(&mut canvas, put(9, 0, 0, image(1)));
    assert!(matches!(undrawn(&mut canvas), Some((Operation::Copy, Reason::NoSurface(SurfaceId(9))))));
    done(&mut canvas, put(0, 50, 50, image(2)));
    done(&mut canvas, copy(clipped(0, area, &[]), image(3), area, RopDescriptor::OP_PUT));
    done(&mut canvas, copy(on(0, area), image(4), Rect::default(), RopDescriptor::OP_PUT));
    assert!(matches!(undrawn(&mut canvas), Some((Operation::Copy, Reason::EmptySource))));
    let blend = DrawAlphaBlend {
        base: on(0, area),
        alpha_flags: AlphaFlags::empty(),
        alpha: 0,
        src_bitmap: Some(Ptr(image(5))),
        src_area: area,
    };
    done(&mut canvas, ServerMessage::DrawAlphaBlend(blend));
    // Brush patterns and masks too.
    let pattern = Brush::Pattern(Pattern { image: Ptr(image(6)), pos: Point::default() });
    let bits = cached(
        7,
        ImageFlags::CACHE_ME,
        bitmap(BitmapFormat::BIT1_LE, 2, 1, BitmapFlags::empty(), vec![1, 1]),
    );
    let mask = masked(bits, Point::default(), false);
    let rop = RopDescriptor::OP_PUT;
    done(
        &mut canvas,
        ServerMessage::DrawFill(DrawFill { base: clipped(0, area, &[]), brush: pattern, rop, mask }),
    );
    assert_eq!(pixels(&canvas, 0), [0; 4]);
    for id in 1..=6 {
        done(&mut canvas, put(0, 0, 0, from_cache(id, 2, 2, false)));
        assert_eq!(color(&canvas), id as u32);
    }
    let mask = masked(from_cache(7, 2, 2, false), Point::default(), true);
    let base = on(0, area);
    done(&mut canvas, ServerMessage::DrawFill(DrawFill { base, brush: Brush::Solid(99), rop, mask }));
    assert_eq!(pixels(&canvas, 0), [6, 99, 6, 99], "kept as sent, not inverted");
}

#[test]
fn what_one_channel_brings_another_draws() {
    let shared = SharedCaches::default();
    let mut channels = [shared.clone(), shared.clone()].map(|caches| {
        let mut canvas = Canvas::new(CanvasConfig::default(), caches);
        create(&mut canvas, 0, (2, 2), SurfaceFormat::XRGB, SurfaceFlags::PRIMARY);
        canvas
    });
    let [a, b] = &mut channels;
    let message = put(0, 0, 0, from_cache(1, 2, 2, false));
    assert_eq!(b.apply(&message), Ok(Applied::Blocked(Blocked::Picture(ImageId(1)))));
    assert_eq!(color(b), 0);
    done(a, put(0, 0, 0, cached(1, ImageFlags::CACHE_ME, solid(5))));
    done(b, message);
    assert_eq!(color(b), 5);
    // Both add; it takes both invalidations.
    done(b, put(0, 0, 0, cached(1, ImageFlags::CACHE_ME, solid(6))));
    done(a, inval(1));
    done(b, put(0, 0, 0, from_cache(1, 2, 2, false)));
    done(b, inval(1));
    assert_eq!(shared.pictures(), 0);
    assert_eq!(shared.picture_bytes(), 0);
}

#[test]
fn a_message_that_waited_counts_its_pictures_once() {
    let shared = SharedCaches::default();
    let mut canvas = Canvas::new(CanvasConfig::default(), shared.clone());
    create(&mut canvas, 0, (2, 2), SurfaceFormat::XRGB, SurfaceFlags::PRIMARY);
    let opaque = ServerMessage::DrawOpaque(DrawOpaque {
        base: on(0, Rect::at(0, 0, 2, 2)),
        src_bitmap: Some(Ptr(cached(1, ImageFlags::CACHE_ME, solid(3)))),
        src_area: Rect::at(0, 0, 2, 2),
        brush: Brush::Pattern(Pattern { image: Ptr(from_cache(2, 2, 2, false)), pos: Point::default() }),
        rop: RopDescriptor::OP_OR,
        scale_mode: ScaleMode::NEAREST,
        mask: QMask::default(),
    });
    for _ in 0..3 {
        assert_eq!(canvas.apply(&opaque), Ok(Applied::Blocked(Blocked::Picture(ImageId(2)))));
    }
    let mut other = Canvas::new(CanvasConfig::default(), shared.clone());
    done(&mut other, put(0, 0, 0, cached(2, ImageFlags::CACHE_ME, solid(8))));
    done(&mut canvas, opaque);
    assert_eq!(color(&canvas), 11);
    done(&mut canvas, inval(1));
    assert_eq!(shared.pictures(), 1, "one reference, in spite of four attempts");
    // An image of the same message may be the one referred to.
    let own = ServerMessage::DrawOpaque(DrawOpaque {
        base: on(0, Rect::at(0, 0, 2, 2)),
        src_bitmap: Some(Ptr(cached(4, ImageFlags::CACHE_ME, solid(4)))),
        src_area: Rect::at(0, 0, 2, 2),
        brush: Brush::Pattern(Pattern { image: Ptr(from_cache(4, 2, 2, false)), pos: Point::default() }),
        rop: RopDescriptor::OP_PUT,
        scale_mode: ScaleMode::NEAREST,
        mask: QMask::default(),
    });
    done(&mut canvas, own);
    assert_eq!(color(&canvas), 4);
}

#[test]
fn a_picture_that_failed_is_not_waited_for() {
    let mut canvas = canvas(2, 2, SurfaceFormat::XRGB);
    let mut broken = solid(1);
    broken.width = 3;
    done(&mut canvas, put(0, 0, 0, cached(1, ImageFlags::CACHE_ME, broken)));
    assert!(matches!(undrawn(&mut canvas), Some((Operation::Copy, Reason::Codec(_)))));
    done(&mut canvas, put(0, 0, 0, from_cache(1, 2, 2, false)));
    assert_eq!(undrawn(&mut canvas), Some((Operation::Copy, Reason::CachedFailure(ImageId(1)))));
    done(&mut canvas, put(0, 0, 0, cached(1, ImageFlags::CACHE_REPLACE_ME, solid(9))));
    done(&mut canvas, put(0, 0, 0, from_cache(1, 2, 2, true)));
    assert_eq!(color(&canvas), 9);
}

#[test]
fn everything_can_be_forgotten() {
    let shared = SharedCaches::default();
    let mut canvas = Canvas::new(CanvasConfig::default(), shared.clone());
    create(&mut canvas, 0, (2, 2), SurfaceFormat::XRGB, SurfaceFlags::PRIMARY);
    for id in 0..5 {
        done(&mut canvas, put(0, 0, 0, cached(id, ImageFlags::CACHE_ME, solid(5))));
    }
    done(&mut canvas, ServerMessage::InvalAllPixmaps(WaitForChannels { wait_list: Counted::default() }));
    assert_eq!(shared.pictures(), 0);
    done(&mut canvas, put(0, 0, 0, cached(1, ImageFlags::CACHE_ME, solid(5))));
    shared.clear();
    assert_eq!((shared.pictures(), shared.picture_bytes()), (0, 0));
}

#[test]
fn one_picture_on_surfaces_of_different_formats() {
    let mut canvas = canvas(2, 2, SurfaceFormat::XRGB);
    create(&mut canvas, 1, (2, 2), SurfaceFormat::R565, SurfaceFlags::empty());
    create(&mut canvas, 2, (2, 2), SurfaceFormat::A8, SurfaceFlags::empty());
    done(&mut canvas, put(0, 0, 0, cached(1, ImageFlags::CACHE_ME, solid(0x00ff_8040))));
    done(&mut canvas, put(1, 0, 0, from_cache(1, 2, 2, false)));
    done(&mut canvas, put(2, 0, 0, from_cache(1, 2, 2, false)));
    assert_eq!(pixels(&canvas, 1), [0xfc08; 4]);
    assert_eq!(pixels(&canvas, 2), [0xff; 4]);
}

#[test]
fn caches_are_by_default_as_large_as_they_say() {
    let caches = SharedCaches::default();
    let window = spice_codecs::glz::Access::with(&mut caches.window(), |window| *window.limits());
    assert_eq!(window.image_pixels, caches.config().glz_pixels);
    assert_eq!(caches.config(), crate::canvas::CacheConfig::default());
}

#[test]
fn a_canvas_gives_its_error_for_ever() {
    let caches = SharedCaches::new(crate::canvas::CacheConfig::new(0, 0));
    let mut canvas = Canvas::new(CanvasConfig::default(), caches.clone());
    create(&mut canvas, 0, (2, 2), SurfaceFormat::XRGB, SurfaceFlags::PRIMARY);
    let large = |id| cached(id, ImageFlags::CACHE_ME, picture(512, &[5; 512 * 512]));
    let error = (0..99).find_map(|id| canvas.apply(&put(0, 0, 0, large(id))).err()).expect("it is full");
    assert_eq!(canvas.apply(&put(0, 0, 0, solid(1))), Err(error));
    assert_eq!(canvas.apply(&ServerMessage::Mark), Err(error));
    assert_eq!(color(&canvas), 5, "what was drawn stays");
    canvas.disconnect();
    done(&mut canvas, put(0, 0, 0, solid(1)));
}
