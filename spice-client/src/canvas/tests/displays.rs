//! Several displays, on one thread and on several.

use std::sync::mpsc;
use std::thread;

use super::*;
use crate::canvas::{Blocked, CanvasError, DisplayError, Displays, WaitLimits};

fn screen() -> ServerMessage {
    let (surface_id, format, flags) = (SurfaceId(0), SurfaceFormat::XRGB, SurfaceFlags::PRIMARY);
    ServerMessage::SurfaceCreate(SurfaceCreate { surface_id, width: 2, height: 2, format, flags })
}

fn solid(color: u32) -> Image {
    picture(2, &[color; 4])
}

fn displays() -> Displays {
    let mut displays = Displays::new(CanvasConfig::default(), SharedCaches::default());
    for id in 0..2 {
        assert_eq!(displays.apply(id, &screen()), Ok(true));
    }
    displays
}

fn color(displays: &Displays, id: u8) -> u32 {
    pixels(displays.canvas(id).expect("it has a screen"), 0)[0]
}

#[test]
fn one_display_waits_for_another_and_keeps_its_order() {
    let mut displays = displays();
    assert_eq!(displays.apply(1, &put(0, 0, 0, from_cache(7, 2, 2, false))), Ok(false));
    assert_eq!(displays.apply(1, &put(0, 0, 0, cached(8, ImageFlags::CACHE_ME, solid(5)))), Ok(false));
    assert_eq!((displays.waiting(1), color(&displays, 1)), (2, 0));
    // The other display goes on, waits for what waits here, and brings what is missing.
    assert_eq!(displays.apply(0, &put(0, 0, 0, solid(9))), Ok(true));
    assert_eq!(color(&displays, 0), 9);
    assert_eq!(displays.apply(0, &put(0, 0, 0, cached(7, ImageFlags::CACHE_ME, solid(3)))), Ok(true));
    assert_eq!((displays.waiting(1), color(&displays, 1)), (0, 5), "both were drawn, in their order");
    assert_eq!(displays.apply(0, &put(0, 0, 0, from_cache(8, 2, 2, false))), Ok(true));
    assert_eq!(color(&displays, 0), 5);
    let monitors = displays.iter_mut().map(|(id, canvas)| (id, canvas.drain_damage().len() > 0));
    assert_eq!(monitors.collect::<Vec<_>>(), [(0, true), (1, true)]);
    assert!(displays.iter().all(|(_, canvas)| canvas.damage().is_empty()), "it was taken");
    assert_eq!(displays.iter().map(|(id, _)| id).collect::<Vec<_>>(), [0, 1]);
}

/// Brings the picture `brought` and needs the picture `needed`.
fn both(brought: u64, needed: u64) -> ServerMessage {
    ServerMessage::DrawOpaque(DrawOpaque {
        base: on(0, Rect::at(0, 0, 2, 2)),
        src_bitmap: Some(Ptr(cached(brought, ImageFlags::CACHE_ME, solid(3)))),
        src_area: Rect::at(0, 0, 2, 2),
        brush: Brush::Pattern(Pattern { image: Ptr(from_cache(needed, 2, 2, false)), pos: Point::default() }),
        rop: RopDescriptor::OP_PUT,
        scale_mode: ScaleMode::NEAREST,
        mask: QMask::default(),
    })
}

#[test]
fn a_message_that_waits_lets_others_go_on_with_what_it_brought() {
    let mut displays = displays();
    assert_eq!(displays.apply(1, &put(0, 0, 0, from_cache(7, 2, 2, false))), Ok(false));
    assert_eq!(displays.apply(1, &put(0, 0, 0, cached(9, ImageFlags::CACHE_ME, solid(5)))), Ok(false));
    assert_eq!(displays.apply(0, &both(7, 9)), Ok(true), "each had what the other needed");
    assert_eq!((displays.waiting(0), displays.waiting(1)), (0, 0));
    assert_eq!((color(&displays, 0), color(&displays, 1)), (5, 5));
}

#[test]
fn what_waits_is_tried_again_only_when_its_picture_has_come() {
    let mut displays = displays();
    assert_eq!(displays.apply(1, &put(0, 0, 0, from_cache(7, 2, 2, false))), Ok(false));
    assert_eq!(displays.waits_for(1), Some(Blocked::Picture(ImageId(7))));
    let tried = |displays: &Displays| displays.tried(1);
    let before = tried(&displays);
    for _ in 0..100 {
        assert_eq!(displays.apply(0, &ServerMessage::Mark), Ok(true));
        assert_eq!(displays.apply(0, &put(0, 0, 0, solid(1))), Ok(true));
    }
    assert_eq!(tried(&displays), before);
    for id in 8..100 {
        assert_eq!(displays.apply(0, &put(0, 0, 0, cached(id, ImageFlags::CACHE_ME, solid(3)))), Ok(true));
    }
    assert_eq!(tried(&displays), before, "they were others");
    assert_eq!(displays.apply(0, &put(0, 0, 0, cached(7, ImageFlags::CACHE_ME, solid(3)))), Ok(true));
    assert_eq!((displays.waits_for(1), displays.waiting(1), tried(&displays)), (None, 0, before + 1));
}

#[test]
fn limit_messages_and_bytes_that_wait() {
    for limits in [
        WaitLimits { messages: 3, ..WaitLimits::default() },
        WaitLimits { bytes: 400, ..WaitLimits::default() },
    ] {
        let mut displays = displays().wait_limits(limits);
        assert_eq!(displays.apply(1, &put(0, 0, 0, from_cache(7, 2, 2, false))), Ok(false));
        let full = (0..9).find_map(|_| displays.apply(1, &put(0, 0, 0, solid(1))).err());
        let Some(DisplayError::Waiting { display: 1, messages, bytes }) = full else { panic!("{full:?}") };
        assert!(messages > limits.messages || bytes > limits.bytes);
        assert!(messages <= limits.messages + 1 && bytes <= limits.bytes + 200);
    }
}

#[test]
fn limit_of_what_waits_may_mean_that_it_is_given_up() {
    for limits in [
        WaitLimits { messages: 3, ..WaitLimits::default() },
        WaitLimits { bytes: 400, ..WaitLimits::default() },
    ] {
        let mut displays = displays().wait_limits(limits).give_up_late();
        assert_eq!(displays.apply(1, &put(0, 0, 0, from_cache(7, 2, 2, false))), Ok(false));
        let free = (1..9).find(|n| displays.apply(1, &put(0, 0, 0, solid(*n))) == Ok(true));
        assert_eq!(Some(color(&displays, 1)), free, "all but the first are drawn");
        assert_eq!((displays.waiting(1), displays.waits_for(1)), (0, None));
        // Of several that lack something only the first is given up.
        assert_eq!(displays.apply(1, &put(0, 0, 0, from_cache(7, 2, 2, false))), Ok(false));
        while displays.waits_for(1) == Some(Blocked::Picture(ImageId(7))) {
            assert_eq!(displays.apply(1, &put(0, 0, 0, from_cache(8, 2, 2, false))), Ok(false));
        }
        assert_eq!(displays.waits_for(1), Some(Blocked::Picture(ImageId(8))));
        assert!(displays.waiting(1) <= limits.messages);
    }
}

#[test]
fn a_display_that_fails_while_it_catches_up_keeps_failing_and_holds_nothing() {
    for gives_up in [false, true] {
        let limits = WaitLimits { bytes: 1000, ..WaitLimits::default() };
        let mut displays = displays().wait_limits(limits);
        if gives_up {
            displays = displays.give_up_late();
        }
        let wrong = SurfaceCreate {
            surface_id: SurfaceId(1),
            width: 0,
            height: 0,
            format: SurfaceFormat::XRGB,
            flags: SurfaceFlags::empty(),
        };
        for id in [1, 2] {
            assert_eq!(displays.apply(id, &screen()), Ok(true));
            assert_eq!(displays.apply(id, &put(0, 0, 0, from_cache(7, 2, 2, false))), Ok(false));
        }
        assert_eq!(displays.apply(1, &ServerMessage::SurfaceCreate(wrong)), Ok(false));
        let failed = CanvasError::SurfaceSize { id: SurfaceId(1), width: 0, height: 0 };
        let brings = put(0, 0, 0, cached(7, ImageFlags::CACHE_ME, solid(3)));
        assert_eq!(displays.apply(0, &brings), Err(failed.into()));
        assert_eq!((color(&displays, 2), displays.waiting(2)), (3, 0), "the others went on");
        for _ in 0..20 {
            assert_eq!(displays.apply(1, &put(0, 0, 0, solid(1))), Err(failed.into()));
            assert_eq!((displays.waiting(1), displays.waits_for(1)), (0, None));
            assert_eq!(displays.apply(0, &put(0, 0, 0, solid(1))), Ok(true), "its own error is told no more");
        }
        assert_eq!(displays.held_bytes(), (0, 0));
    }
}

#[test]
fn what_waited_on_a_display_that_is_gone_counts_no_more() {
    let limits = WaitLimits { bytes: 400, ..WaitLimits::default() };
    let mut displays = displays().wait_limits(limits);
    for _ in 0..20 {
        assert_eq!(displays.apply(1, &screen()), Ok(true));
        assert_eq!(displays.apply(1, &put(0, 0, 0, from_cache(7, 2, 2, false))), Ok(false));
        assert_eq!(displays.apply(1, &put(0, 0, 0, solid(1))), Ok(false));
        assert!(displays.remove(1).is_some());
    }
    assert_eq!(displays.apply(1, &screen()), Ok(true));
    for color in 1..20 {
        assert_eq!(displays.apply(1, &put(0, 0, 0, solid(color))), Ok(true));
        assert_eq!(displays.apply(1, &put(0, 0, 0, from_cache(7, 2, 2, false))), Ok(false));
        assert_eq!(displays.apply(1, &put(0, 0, 0, solid(0))), Ok(false));
        displays.close(1);
        assert_eq!((displays.waiting(1), displays.held_bytes()), (0, (0, 0)));
        assert_eq!(self::color(&displays, 1), color, "its picture stays");
    }
}

#[test]
fn limit_displays() {
    let mut displays = displays().wait_limits(WaitLimits { displays: 2, ..WaitLimits::default() });
    let refused = DisplayError::Displays { display: 7, bound: 2 };
    assert_eq!(displays.apply(7, &screen()), Err(refused));
    assert_eq!(displays.apply(1, &screen()), Ok(true));
    displays.remove(0);
    assert_eq!(displays.apply(7, &screen()), Ok(true));
}

#[test]
fn limit_bytes_that_wait_on_all_displays_together() {
    let limits = WaitLimits { bytes: 1000, ..WaitLimits::default() };
    let mut displays = Displays::new(CanvasConfig::default(), SharedCaches::default()).wait_limits(limits);
    let full = (0..30).find_map(|id| {
        assert_eq!(displays.apply(id, &screen()), Ok(true));
        displays.apply(id, &put(0, 0, 0, from_cache(7, 2, 2, false))).err()
    });
    let Some(DisplayError::Waiting { messages: 1, bytes, .. }) = full else { panic!("{full:?}") };
    assert!(bytes > 1000 && bytes < 1200);
}

#[test]
fn limit_session_bytes() {
    let mut config = CanvasConfig::default();
    config.limits.session_bytes = 40;
    let mut displays = Displays::new(config, SharedCaches::default());
    assert_eq!(displays.apply(0, &screen()), Ok(true));
    assert_eq!(displays.apply(1, &screen()), Ok(true));
    let full = CanvasError::Limit { limit: "session_bytes", value: 48, bound: 40 };
    assert_eq!(displays.apply(2, &screen()), Err(full.into()));
    displays.remove(2);
    displays.remove(0);
    assert_eq!(displays.apply(2, &screen()), Ok(true), "what is gone counts no more");
    assert_eq!(displays.apply(2, &screen()), Ok(true), "nor does what is replaced");
}

#[test]
fn a_lost_connection_leaves_the_pictures_on_the_screens_alone() {
    let mut displays = displays();
    assert_eq!(displays.apply(0, &put(0, 0, 0, cached(1, ImageFlags::CACHE_ME, solid(4)))), Ok(true));
    assert_eq!(displays.apply(1, &put(0, 0, 0, from_cache(2, 2, 2, false))), Ok(false));
    displays.disconnect();
    assert_eq!((displays.waiting(1), color(&displays, 0)), (0, 4));
    assert_eq!(displays.apply(0, &put(0, 0, 0, from_cache(1, 2, 2, false))), Ok(false), "the cache is empty");
    assert!(displays.remove(0).is_some() && displays.canvas(0).is_none());
}

#[test]
fn canvases_work_on_threads_of_their_own() {
    const COUNT: u64 = 200;
    let shared = SharedCaches::default();
    let ready = || {
        let mut canvas = Canvas::new(CanvasConfig::default(), shared.clone());
        assert_eq!(canvas.apply(&screen()), Ok(Applied::Done));
        canvas
    };
    let (mut first, mut second) = (ready(), ready());
    let (progress, moved) = mpsc::channel();
    // One brings pictures, the other draws them, and waits where it is ahead.
    let bringing = thread::spawn(move || {
        for id in 0..COUNT {
            done(&mut first, put(0, 0, 0, cached(id, ImageFlags::CACHE_ME, solid(id as u32))));
            // The other may have drawn the last picture already, and have ended.
            let _ = progress.send(());
        }
        first
    });
    let drawing = thread::spawn(move || {
        let mut waits = 0;
        for id in 0..COUNT {
            let message = put(0, 0, 0, from_cache(id, 2, 2, true));
            while second.apply(&message) == Ok(Applied::Blocked(Blocked::Picture(ImageId(id)))) {
                waits += 1;
                moved.recv().expect("the other still brings something");
            }
            assert_eq!(pixels(&second, 0), [id as u32; 4]);
        }
        (second, waits)
    });
    let (second, waits) = drawing.join().expect("no panic");
    assert!(waits <= COUNT);
    let first = bringing.join().expect("no panic");
    assert_eq!(pixels(&first, 0), pixels(&second, 0));
    assert_eq!(shared.pictures(), COUNT as usize);
}

#[test]
fn graphics_memory_is_reported() {
    let mut canvas = canvas(2, 2, SurfaceFormat::XRGB);
    let scanout = GlScanoutUnix { width: 5, height: 6, ..GlScanoutUnix::default() };
    let draw = GlDraw { x: 1, y: 2, w: 3, h: 4 };
    done(&mut canvas, ServerMessage::GlScanoutUnix(scanout));
    done(&mut canvas, ServerMessage::GlDraw(draw));
    assert_eq!(canvas.poll_event(), Some(Event::GlScanout(scanout)));
    assert_eq!(canvas.poll_event(), Some(Event::GlDraw(draw)));
}
