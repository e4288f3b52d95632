//! Pictures in every form end up as the same pixels.

use spice_codecs::{RowOrder, lz, quic};
use spice_proto::types::PaletteId;
use spice_proto::wire::{Blob, Counted};

use super::*;

const WIDTH: u32 = 9;
const HEIGHT: u32 = 7;

fn colors() -> Vec<u32> {
    let mut numbers = Numbers(7);
    (0..WIDTH * HEIGHT)
        .map(|i| if i % 11 < 4 { 0x0012_3456 } else { numbers.color() & 0x00ff_ffff })
        .collect()
}

fn layout(format: spice_codecs::bitmap::Format, stride: u32, rows: RowOrder) -> spice_codecs::bitmap::Layout {
    spice_codecs::bitmap::Layout { format, width: WIDTH, height: HEIGHT, stride, rows }
}

fn encoded(data: ImageData) -> Image {
    Image { id: ImageId(0), flags: ImageFlags::empty(), width: WIDTH, height: HEIGHT, data }
}

fn bytes32(pixels: &[u32]) -> Vec<u8> {
    pixels.iter().flat_map(|p| p.to_le_bytes()).collect()
}

fn quic_image(pixels: &[u32]) -> Image {
    let data = bytes32(pixels);
    let layout = layout(spice_codecs::bitmap::Format::Bit32, WIDTH * 4, RowOrder::TopDown);
    let bitmap = spice_codecs::bitmap::Bitmap::new(layout, &data).expect("a picture");
    let mut out = Vec::new();
    quic::Encoder::new().encode(&bitmap, &mut out).expect("encodes");
    encoded(ImageData::Quic(Blob::new(out.into()).expect("fits")))
}

fn lz_bytes(format: spice_codecs::bitmap::Format, stride: u32, rows: RowOrder, data: &[u8]) -> Blob<u32> {
    let bitmap = spice_codecs::bitmap::Bitmap::new(layout(format, stride, rows), data).expect("a picture");
    let mut out = Vec::new();
    lz::Encoder::new().encode(&bitmap, &mut out).expect("encodes");
    Blob::new(out.into()).expect("fits")
}

fn bottom_up(pixels: &[u32]) -> Vec<u32> {
    pixels.chunks(WIDTH as usize).rev().flatten().copied().collect()
}

/// The picture in every lossless form that needs no cache.
fn forms() -> Vec<(&'static str, Image)> {
    use spice_codecs::bitmap::Format;
    let pixels = colors();
    let flipped = bytes32(&bottom_up(&pixels));
    let bit24: Vec<u8> = pixels
        .chunks(WIDTH as usize)
        .flat_map(|row| {
            let row = row.iter().flat_map(|p| p.to_le_bytes()[..3].to_vec());
            row.chain([9, 9, 9]).collect::<Vec<u8>>()
        })
        .collect();
    let lz_rgb = lz_bytes(Format::Bit32, WIDTH * 4, RowOrder::BottomUp, &flipped);
    vec![
        ("bitmap 32", picture(WIDTH, &pixels)),
        ("bitmap 32, bottom up", {
            bitmap(BitmapFormat::BIT32, WIDTH, WIDTH * 4, BitmapFlags::empty(), flipped.clone())
        }),
        ("bitmap 24", bitmap(BitmapFormat::BIT24, WIDTH, WIDTH * 3 + 3, BitmapFlags::TOP_DOWN, bit24)),
        ("quic", quic_image(&pixels)),
        ("lz rgb", encoded(ImageData::LzRgb(lz_rgb))),
    ]
}

#[test]
fn all_forms_give_the_same_picture() {
    for (name, image) in forms() {
        // Straight into the surface, through the working memory (clipped), and through the cache.
        for way in 0..3 {
            let mut canvas = canvas(30, 20, SurfaceFormat::XRGB);
            let area = Rect::at(5, 6, WIDTH as i32, HEIGHT as i32);
            let whole = Rect::at(0, 0, WIDTH as i32, HEIGHT as i32);
            let message = match way {
                0 => put(0, 5, 6, image.clone()),
                1 => {
                    let halves = [Rect::at(0, 0, 9, 20), Rect::at(9, 0, 20, 20)];
                    copy(clipped(0, area, &halves), image.clone(), whole, RopDescriptor::OP_PUT)
                }
                _ => put(0, 5, 6, cached(1, ImageFlags::CACHE_ME, image.clone())),
            };
            done(&mut canvas, message);
            assert_eq!(undrawn(&mut canvas), None, "{name}");
            let pixels = pixels(&canvas, 0);
            for (i, color) in (0..).zip(colors()) {
                let (x, y) = (5 + i % WIDTH, 6 + i / WIDTH);
                assert_eq!(pixels[(y * 30 + x) as usize], color, "{name}, way {way}, {x} {y}");
            }
            assert_eq!(
                pixels.iter().filter(|p| **p != 0).count(),
                colors().iter().filter(|p| **p != 0).count()
            );
            assert!(canvas.drain_damage().any(|r| r.intersect(&area) == area));
        }
    }
}

#[test]
fn high_bits_are_set_before_caching_and_drawing() {
    for (name, image) in forms() {
        for flags in [ImageFlags::HIGH_BITS_SET, ImageFlags::HIGH_BITS_SET | ImageFlags::CACHE_ME] {
            let mut canvas = canvas(WIDTH, HEIGHT, SurfaceFormat::ARGB);
            done(&mut canvas, put(0, 0, 0, cached(3, flags, image.clone())));
            let expected: Vec<u32> = colors().iter().map(|c| c | 0xff00_0000).collect();
            assert_eq!(pixels(&canvas, 0), expected, "{name} {flags:?}");
        }
    }
}

#[test]
fn pictures_without_alpha_bring_their_unused_byte_to_surfaces_with_alpha() {
    let mut canvas = canvas(2, 1, SurfaceFormat::ARGB);
    done(&mut canvas, put(0, 0, 0, picture(2, &[0x0011_2233, 0x4411_2233])));
    assert_eq!(pixels(&canvas, 0), [0x0011_2233, 0x4411_2233]);
}

fn palette(unique: u64, entries: &[u32]) -> PaletteSource {
    let entries = Counted::new(entries.into()).expect("fits");
    PaletteSource::Inline(Ptr(Palette { unique: PaletteId(unique), entries }))
}

fn indexed(
    format: BitmapFormat,
    width: u32,
    flags: BitmapFlags,
    palette: PaletteSource,
    row: &[u8],
) -> Image {
    let mut image = bitmap(format, width, row.len() as u32, flags | BitmapFlags::TOP_DOWN, row.to_vec());
    if let ImageData::Bitmap(bitmap) = &mut image.data {
        bitmap.palette = Some(palette);
    }
    image
}

#[test]
fn palettes_are_raw_pixels_of_the_surface() {
    let none = BitmapFlags::empty();
    let one = |format, row: &[u8]| indexed(format, 4, none, palette(0, &[0xaa00_0001, 0x0000_7fff, 5]), row);
    for (surface, colors) in [
        (SurfaceFormat::XRGB, [0xaa00_0001, 0x7fff, 5]),
        (SurfaceFormat::ARGB, [0xaa00_0001, 0x7fff, 5]),
        (SurfaceFormat::X555, [1, 0x7fff, 5]),
        (SurfaceFormat::R565, [1, 0x7fff, 5]),
    ] {
        let [a, b, c] = colors;
        for (image, expected) in [
            (one(BitmapFormat::BIT8, &[0, 1, 2, 0]), [a, b, c, a]),
            (one(BitmapFormat::BIT4_BE, &[0x01, 0x20]), [a, b, c, a]),
            (one(BitmapFormat::BIT4_LE, &[0x10, 0x02]), [a, b, c, a]),
            (one(BitmapFormat::BIT1_BE, &[0b0110_0000]), [a, b, b, a]),
            (one(BitmapFormat::BIT1_LE, &[0b0000_0110]), [a, b, b, a]),
            (one(BitmapFormat::BIT8, &[9, 1, 255, 3]), [0, b, 0, 0]),
        ] {
            let mut canvas = canvas(4, 1, surface);
            done(&mut canvas, put(0, 0, 0, image.clone()));
            assert_eq!(undrawn(&mut canvas), None, "{surface:?}");
            assert_eq!(pixels(&canvas, 0), expected, "{surface:?} {image:?}");
        }
    }
}

#[test]
fn palettes_live_in_a_cache_of_their_own() {
    let mut canvas = canvas(4, 1, SurfaceFormat::XRGB);
    let keep = indexed(BitmapFormat::BIT8, 1, BitmapFlags::PAL_CACHE_ME, palette(77, &[0x0a, 0x0b]), &[1]);
    // Kept although nothing is drawn.
    done(
        &mut canvas,
        copy(clipped(0, Rect::at(0, 0, 1, 1), &[]), keep, Rect::at(0, 0, 1, 1), RopDescriptor::OP_PUT),
    );
    let again = |row: &[u8]| {
        indexed(BitmapFormat::BIT8, 4, BitmapFlags::empty(), PaletteSource::Cached(PaletteId(77)), row)
    };
    done(&mut canvas, put(0, 0, 0, again(&[0, 1, 1, 0])));
    assert_eq!(pixels(&canvas, 0), [0x0a, 0x0b, 0x0b, 0x0a]);
    for forget in [
        ServerMessage::InvalPalette(InvalPalette { id: PaletteId(77) }),
        ServerMessage::InvalAllPalettes,
        ServerMessage::Reset,
    ] {
        let keep =
            indexed(BitmapFormat::BIT8, 1, BitmapFlags::PAL_CACHE_ME, palette(77, &[0x0a, 0x0b]), &[1]);
        done(&mut canvas, put(0, 0, 0, keep));
        done(&mut canvas, forget);
        done(&mut canvas, put(0, 0, 0, again(&[0, 1, 1, 0])));
        canvas.reported.clear();
        assert_eq!(undrawn(&mut canvas), Some((Operation::Copy, Reason::NoPalette(PaletteId(77)))));
    }
}

#[test]
fn lz_palettes() {
    use spice_codecs::bitmap::Format;
    let rows: Vec<u8> = (0..WIDTH * HEIGHT).map(|i| (i / 5 % 3) as u8).collect();
    let data = lz_bytes(Format::Bit8, WIDTH, RowOrder::TopDown, &rows);
    let image = |entries: &[u32]| {
        let (flags, palette) = (BitmapFlags::empty(), palette(0, entries));
        encoded(ImageData::LzPlt(LzPlt { flags, palette, data: data.clone() }))
    };
    for surface in [SurfaceFormat::XRGB, SurfaceFormat::X555] {
        let mut canvas = canvas(WIDTH, HEIGHT, surface);
        done(&mut canvas, put(0, 0, 0, image(&[0x8001, 0x8002, 3])));
        let top = if surface == SurfaceFormat::X555 { 0 } else { 0x8000 };
        let expected: Vec<u32> = rows.iter().map(|i| [1 | top, 2 | top, 3][usize::from(*i)]).collect();
        assert_eq!(pixels(&canvas, 0), expected);
    }
    // An LZ stream with indices has no business in an image without palette.
    let mut canvas = canvas(WIDTH, HEIGHT, SurfaceFormat::XRGB);
    done(&mut canvas, put(0, 0, 0, encoded(ImageData::LzRgb(data))));
    assert!(matches!(undrawn(&mut canvas), Some((Operation::Copy, Reason::Unsupported(_)))));
}

#[test]
fn surfaces_are_pictures() {
    let mut canvas = canvas(4, 4, SurfaceFormat::XRGB);
    create(&mut canvas, 5, (2, 2), SurfaceFormat::R565, SurfaceFlags::empty());
    done(&mut canvas, fill(on(5, Rect::at(0, 0, 1, 2)), 0xf800, RopDescriptor::OP_PUT));
    done(&mut canvas, put(0, 1, 1, surface_image(5, 2, 2)));
    assert_eq!(pixels(&canvas, 0)[5..7], [0xffff_0000, 0xff00_0000]);
    // Itself: as if it had been copied before.
    done(&mut canvas, fill(on(0, Rect::at(0, 0, 4, 4)), 0, RopDescriptor::OP_PUT));
    for (n, x) in (1..).zip(0..4) {
        done(&mut canvas, fill(on(0, Rect::at(x, 0, 1, 4)), n, RopDescriptor::OP_PUT));
    }
    let own = surface_image(0, 4, 4);
    let message = copy(on(0, Rect::at(1, 1, 3, 3)), own, Rect::at(0, 0, 3, 3), RopDescriptor::OP_PUT);
    done(&mut canvas, message);
    assert_eq!(pixels(&canvas, 0)[12..], [1, 1, 2, 3]);
    done(&mut canvas, put(0, 0, 0, surface_image(9, 4, 4)));
    assert_eq!(undrawn(&mut canvas), Some((Operation::Copy, Reason::NoSourceSurface(SurfaceId(9)))));
}

#[test]
fn damaged_pictures_leave_black_and_a_report() {
    let mut canvas = canvas(20, 20, SurfaceFormat::XRGB);
    done(&mut canvas, fill(on(0, Rect::at(0, 0, 20, 20)), 0x55, RopDescriptor::OP_PUT));
    let mut image = quic_image(&colors());
    if let ImageData::Quic(data) = &mut image.data {
        *data = Blob::new(data.slice(..data.len() - 12)).expect("fits");
    }
    done(&mut canvas, put(0, 1, 1, image.clone()));
    done(&mut canvas, put(0, 1, 1, image));
    assert!(matches!(undrawn(&mut canvas), Some((Operation::Copy, Reason::Codec(_)))), "reported once");
    assert_eq!(pixels(&canvas, 0).iter().filter(|p| **p == 0).count(), (WIDTH * HEIGHT) as usize);
}

#[test]
fn pictures_that_are_refused_leave_the_surface_as_it_was() {
    let mut canvas = canvas(WIDTH, HEIGHT, SurfaceFormat::XRGB);
    let area = Rect::at(0, 0, WIDTH as i32, HEIGHT as i32);
    done(&mut canvas, fill(on(0, area), 0x55, RopDescriptor::OP_PUT));
    canvas.drain_damage().for_each(drop);
    let no_palette = {
        let rows = vec![0; (WIDTH * HEIGHT) as usize];
        let data = lz_bytes(spice_codecs::bitmap::Format::Bit8, WIDTH, RowOrder::TopDown, &rows);
        let (flags, palette) = (BitmapFlags::empty(), PaletteSource::Cached(PaletteId(77)));
        encoded(ImageData::LzPlt(LzPlt { flags, palette, data }))
    };
    let bad_header = encoded(ImageData::Quic(Blob::new(vec![1; 40].into()).expect("fits")));
    for image in [no_palette, bad_header] {
        canvas.reported.clear();
        done(&mut canvas, put(0, 0, 0, image));
        assert!(undrawn(&mut canvas).is_some());
        assert_eq!(pixels(&canvas, 0), [0x55; (WIDTH * HEIGHT) as usize]);
        assert_eq!(canvas.drain_damage().len(), 0);
    }
}

#[test]
fn a_message_that_is_given_up_lends_nothing_to_the_next() {
    let needs = |image: Image| {
        let (width, height) = (image.width as i32, image.height as i32);
        ServerMessage::DrawOpaque(DrawOpaque {
            base: on(0, Rect::at(0, 0, width, height)),
            src_bitmap: Some(Ptr(image)),
            src_area: Rect::at(0, 0, width, height),
            brush: Brush::Pattern(Pattern { image: Ptr(from_cache(9, 4, 4, false)), pos: Point::default() }),
            rop: RopDescriptor::OP_PUT,
            scale_mode: ScaleMode::NEAREST,
            mask: QMask::default(),
        })
    };
    let flat = |color: u32| quic_image(&[color; (WIDTH * HEIGHT) as usize]);
    let area = Rect::at(0, 0, WIDTH as i32, HEIGHT as i32);
    let clip = Rect::at(0, 0, 3, 4);
    for give_up in [false, true] {
        let mut canvas = canvas(WIDTH, HEIGHT, SurfaceFormat::XRGB);
        assert!(matches!(canvas.apply(&needs(flat(0x11))), Ok(Applied::Blocked(_))));
        if give_up {
            canvas.give_up();
        }
        done(&mut canvas, copy(clipped(0, area, &[clip]), flat(0x77), area, RopDescriptor::OP_PUT));
        assert_eq!(pixels(&canvas, 0)[0], 0x77);
    }
}

#[test]
fn nothing_of_an_image_that_waited_outlives_the_connection() {
    let stream = |pixel: u8, back: u8| {
        let mut data = b"  ZL\0\x01\0\x01\x18".to_vec();
        for word in [4u32, 1, 16, 0, 5, 5] {
            data.extend(word.to_be_bytes());
        }
        data.extend([0, pixel, pixel, pixel, 0x60, 0, back]);
        data
    };
    let plain = |data: Vec<u8>| ImageData::GlzRgb(Blob::new(data.into()).expect("fits"));
    let zipped = |data: Vec<u8>| {
        let mut zlib = Vec::new();
        spice_codecs::zlib_glz::Encoder::new().encode(&data, &mut zlib);
        let glz_data_size = data.len() as u32;
        ImageData::ZlibGlzRgb(ZlibGlz { glz_data_size, data: Blob::new(zlib.into()).expect("fits") })
    };
    let forms: [&dyn Fn(Vec<u8>) -> ImageData; 2] = [&plain, &zipped];
    for form in forms {
        let image = |pixel, back| Image { width: 4, height: 1, ..encoded(form(stream(pixel, back))) };
        let caches = SharedCaches::default();
        let mut canvas = Canvas::new(CanvasConfig::default(), caches.clone());
        create(&mut canvas, 0, (4, 1), SurfaceFormat::XRGB, SurfaceFlags::PRIMARY);
        let waits = put(0, 0, 0, image(1, 1));
        assert_eq!(canvas.apply(&waits), Ok(Applied::Blocked(crate::canvas::Blocked::GlzImage(4))));
        canvas.disconnect();
        caches.clear();
        done(&mut canvas, put(0, 0, 0, image(9, 0)));
        assert_eq!(pixels(&canvas, 0), [0x0009_0909; 4]);
    }
}
