//! The life of surfaces, and small scenes as a whole.

use super::*;

#[test]
fn a_start_as_servers_do_it() {
    let mut canvas = Canvas::new(CanvasConfig::default(), SharedCaches::default());
    done(&mut canvas, ServerMessage::InvalAllPalettes);
    done(&mut canvas, ServerMessage::Mark);
    assert!(!canvas.is_marked(), "there is nothing to mark");
    create(&mut canvas, 0, (6, 4), SurfaceFormat::XRGB, SurfaceFlags::PRIMARY);
    let format = crate::canvas::PixelFormat::Bgrx;
    assert_eq!(canvas.poll_event(), Some(Event::PrimaryCreated { width: 6, height: 4, format }));
    assert_eq!(canvas.drain_damage().collect::<Vec<_>>(), [Rect::at(0, 0, 6, 4)]);
    done(&mut canvas, put(0, 0, 0, picture(6, &[7; 24])));
    done(&mut canvas, ServerMessage::Mark);
    assert_eq!(canvas.poll_event(), Some(Event::Mark));
    assert!(canvas.is_marked());
    done(&mut canvas, ServerMessage::Reset);
    assert!(!canvas.is_marked());
    assert_eq!(pixels(&canvas, 0), [0; 24]);
    done(&mut canvas, ServerMessage::SurfaceDestroy(SurfaceDestroy { surface_id: SurfaceId(0) }));
    assert_eq!(canvas.poll_event(), Some(Event::PrimaryDestroyed));
    assert!(canvas.primary().is_none());
    assert!(canvas.damage().is_empty());
    done(&mut canvas, ServerMessage::SurfaceDestroy(SurfaceDestroy { surface_id: SurfaceId(0) }));
    assert_eq!(canvas.poll_event(), None);
}

#[test]
fn the_old_mode_message_makes_a_primary() {
    let mut canvas = Canvas::new(CanvasConfig::default(), SharedCaches::default());
    done(&mut canvas, ServerMessage::Mode(Mode { x_res: 3, y_res: 2, bits: 32 }));
    assert_eq!(canvas.primary().unwrap().format(), crate::canvas::PixelFormat::Bgrx);
    done(&mut canvas, ServerMessage::Mode(Mode { x_res: 3, y_res: 2, bits: 16 }));
    assert_eq!(canvas.primary().unwrap().format(), crate::canvas::PixelFormat::Rgb555);
}

#[test]
fn drawing_off_screen_is_no_damage() {
    let mut canvas = canvas(8, 8, SurfaceFormat::XRGB);
    create(&mut canvas, 1, (8, 8), SurfaceFormat::XRGB, SurfaceFlags::empty());
    done(&mut canvas, fill(on(1, Rect::at(1, 1, 3, 3)), 1, RopDescriptor::OP_PUT));
    assert!(canvas.damage().is_empty());
    done(&mut canvas, fill(on(0, Rect::at(-1, 1, 3, 30)), 1, RopDescriptor::OP_PUT));
    assert_eq!(canvas.damage(), [Rect::at(0, 1, 2, 7)]);
}

#[test]
fn a_lost_connection_leaves_the_picture() {
    let mut canvas = canvas(8, 8, SurfaceFormat::XRGB);
    create(&mut canvas, 1, (8, 8), SurfaceFormat::XRGB, SurfaceFlags::empty());
    canvas.disconnect();
    assert_eq!((canvas.surfaces(), canvas.surface_bytes()), (1, 256));
    assert!(canvas.primary().is_some());
}

#[test]
fn clips_change_which_pixels_are_drawn_and_nothing_else() {
    let mut numbers = Numbers(3);
    for round in 0..60 {
        let mut whole = canvas(40, 40, SurfaceFormat::XRGB);
        let mut parts = canvas(40, 40, SurfaceFormat::XRGB);
        let background = picture(40, &(0..1600).map(|_| numbers.color()).collect::<Vec<_>>());
        done(&mut whole, put(0, 0, 0, background.clone()));
        done(&mut parts, put(0, 0, 0, background));
        let clips: Vec<Rect> = (0..4).map(|_| numbers.rect(40)).collect();
        let area = numbers.rect(45);
        let source = picture(20, &(0..400).map(|_| numbers.color()).collect::<Vec<_>>());
        let src_area = Rect::at(2, 3, numbers.between(1, 15), numbers.between(1, 15));
        let scale_mode = ScaleMode(round % 2);
        let copy = |base| {
            ServerMessage::DrawBlend(DrawBlend {
                base,
                src_bitmap: Some(Ptr(source.clone())),
                src_area,
                rop: if round % 3 == 0 { RopDescriptor::OP_XOR } else { RopDescriptor::OP_PUT },
                scale_mode,
                mask: QMask::default(),
            })
        };
        let before = pixels(&parts, 0);
        done(&mut whole, copy(on(0, area)));
        done(&mut parts, copy(clipped(0, area, &clips)));
        let (all, some) = (pixels(&whole, 0), pixels(&parts, 0));
        for at in 0..1600 {
            let (x, y) = (at % 40, at / 40);
            let drawn =
                clips.iter().any(|r| (r.left..r.right).contains(&x) && (r.top..r.bottom).contains(&y));
            let expected = if drawn { &all } else { &before };
            assert_eq!(some[at as usize], expected[at as usize], "{x} {y}");
        }
    }
}

#[test]
fn a_desktop_in_a_few_commands() {
    let mut canvas = canvas(64, 48, SurfaceFormat::XRGB);
    let put_op = RopDescriptor::OP_PUT;
    done(&mut canvas, fill(on(0, Rect::at(0, 0, 64, 48)), 0x0030_5070, put_op));
    let tile = picture(2, &[0x00ff_ffff, 0, 0, 0x00ff_ffff]);
    let brush = Brush::Pattern(Pattern { image: Ptr(tile), pos: Point { x: 1, y: 0 } });
    let (base, mask) = (on(0, Rect::at(0, 40, 64, 8)), QMask::default());
    done(&mut canvas, ServerMessage::DrawFill(DrawFill { base, brush, rop: put_op, mask }));
    create(&mut canvas, 1, (16, 12), SurfaceFormat::ARGB, SurfaceFlags::empty());
    done(&mut canvas, fill(on(1, Rect::at(0, 0, 16, 12)), 0x8040_2000, put_op));
    done(
        &mut canvas,
        ServerMessage::DrawAlphaBlend(DrawAlphaBlend {
            base: on(0, Rect::at(10, 10, 32, 24)),
            alpha_flags: AlphaFlags::SRC_SURFACE_HAS_ALPHA,
            alpha: 200,
            src_bitmap: Some(Ptr(surface_image(1, 16, 12))),
            src_area: Rect::at(0, 0, 16, 12),
        }),
    );
    let src_pos = Point { x: 8, y: 8 };
    let base = on(0, Rect::at(20, 16, 40, 28));
    done(&mut canvas, ServerMessage::CopyBits(CopyBits { base, src_pos }));
    assert_eq!(undrawn(&mut canvas), None);
    let view = canvas.primary().unwrap();
    let mut px = [0; 4];
    view.write_rgba(Rect::at(12, 12, 1, 1), &mut px);
    assert_eq!(px, [0x4f, 0x4a, 0x44, 0xff]);
    assert_eq!(hash(&canvas), 13_421_441_686_780_920_709);
}
