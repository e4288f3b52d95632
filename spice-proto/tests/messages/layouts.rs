//! The irregular shapes, laid out by hand byte by byte.

use bytes::Bytes;
use spice_proto::msg::display::*;
use spice_proto::msg::{audio, cursor, main, port, smartcard, vmc};
use spice_proto::types::{
    CursorId, Fixed28_4, ImageId, PaletteId, Point, Point16, PointFix, Rect, StreamId, SurfaceId, Transform,
};
use spice_proto::wire::{Blob, Counted, Ptr, PtrArray, PtrBlob, Rest};

use super::{assert_stands_for, decode, encode, hex};

/// Surface 5, area 1, 2, 3, 4 (top, left, bottom, right), no clip: 21 bytes.
const BASE: &str = "05000000  01000000 02000000 03000000 04000000  00";

/// No mask: 13 bytes.
const NO_MASK: &str = "00 00000000 00000000 00000000";

fn base() -> DisplayBase {
    DisplayBase {
        surface_id: SurfaceId(5),
        area: Rect { top: 1, left: 2, bottom: 3, right: 4 },
        clip: Clip::None,
    }
}

fn image(data: ImageData) -> Image {
    Image { id: ImageId(9), flags: ImageFlags::HIGH_BITS_SET, width: 6, height: 7, data }
}

fn blob(bytes: &'static [u8]) -> Blob<u32> {
    Blob::new(Bytes::from_static(bytes)).unwrap()
}

fn colors(colors: &[u32]) -> Palette {
    Palette { unique: PaletteId(0x77), entries: Counted::new(colors.into()).unwrap() }
}

fn fix(x: i32, y: i32) -> PointFix {
    PointFix { x: Fixed28_4 { raw: x }, y: Fixed28_4 { raw: y } }
}

/// An alpha blend is the shortest command with an image; the image stands at 43.
fn assert_image(hex_image: &str, data: ImageData) {
    let body = hex(&format!(
        "{BASE}
         01 80                                      // DEST_HAS_ALPHA, half
         2B000000                                   // image at 43
         00000000 00000000 07000000 06000000        // src_area
         {hex_image}"
    ));
    let message = ServerMessage::DrawAlphaBlend(DrawAlphaBlend {
        base: base(),
        alpha_flags: AlphaFlags::DEST_HAS_ALPHA,
        alpha: 128,
        src_bitmap: Some(Ptr(image(data))),
        src_area: Rect::at(0, 0, 6, 7),
    });
    assert_stands_for(&body, &message);
}

fn descriptor(kind: &str) -> String {
    format!("0900000000000000 {kind} 02 06000000 07000000\n")
}

#[test]
fn images_of_one_blob() {
    for (kind, make) in [
        ("01", ImageData::Quic as fn(Blob<u32>) -> ImageData),
        ("65", ImageData::LzRgb),
        ("66", ImageData::GlzRgb),
        ("69", ImageData::Jpeg),
        ("6D", ImageData::Lz4),
    ] {
        assert_image(&(descriptor(kind) + "03000000 616263"), make(blob(b"abc")));
    }
}

#[test]
fn images_that_name_others() {
    assert_image(&descriptor("67"), ImageData::FromCache);
    assert_image(&descriptor("6A"), ImageData::FromCacheLossless);
    assert_image(&(descriptor("68") + "0B000000"), ImageData::Surface(SurfaceId(11)));
}

#[test]
fn images_of_two_parts() {
    assert_image(
        &(descriptor("6B") + "00100000 02000000 7A7A"),
        ImageData::ZlibGlzRgb(ZlibGlz { glz_data_size: 4096, data: blob(b"zz") }),
    );
    assert_image(
        &(descriptor("6C") + "01 03000000 05000000 6A6A6A 6161"),
        ImageData::JpegAlpha(JpegAlpha {
            flags: JpegAlphaFlags::TOP_DOWN,
            jpeg: Bytes::from_static(b"jjj"),
            alpha: Bytes::from_static(b"aa"),
        }),
    );
}

#[test]
fn lz_with_palette() {
    assert_image(
        &(descriptor("64")
            + "05 03000000                          // PAL_CACHE_ME | TOP_DOWN, 3 bytes
               49000000 6C7A21                      // palette at 43 + 30 = 73
               7700000000000000 0200 00112200 FF000000"),
        ImageData::LzPlt(LzPlt {
            flags: BitmapFlags::PAL_CACHE_ME | BitmapFlags::TOP_DOWN,
            palette: PaletteSource::Inline(Ptr(colors(&[0x0022_1100, 0xff]))),
            data: blob(b"lz!"),
        }),
    );
    assert_image(
        &(descriptor("64") + "02 03000000 7700000000000000 6C7A21"),
        ImageData::LzPlt(LzPlt {
            flags: BitmapFlags::empty(),
            palette: PaletteSource::Cached(PaletteId(0x77)),
            data: blob(b"lz!"),
        }),
    );
}

#[test]
fn bitmap_with_palette() {
    let bitmap = |flags, palette| {
        ImageData::Bitmap(Bitmap {
            format: BitmapFormat::BIT8,
            flags,
            width: 6,
            palette: Some(palette),
            rows: Rows::new(1, 8, Bytes::from_static(b"abcdef\0\0")).unwrap(),
        })
    };
    assert_image(
        &(descriptor("00")
            + "05 01 06000000 01000000 08000000     // 8BIT, PAL_CACHE_ME, 6 × 1, stride 8
               57000000 616263646566 0000           // palette at 43 + 36 + 8 = 87
               7700000000000000 0100 01020300"),
        bitmap(BitmapFlags::PAL_CACHE_ME, PaletteSource::Inline(Ptr(colors(&[0x0003_0201])))),
    );
    assert_image(
        &(descriptor("00")
            + "05 06 06000000 01000000 08000000     // 8BIT, PAL_FROM_CACHE | TOP_DOWN, 6 × 1, stride 8
               7700000000000000 616263646566 0000"),
        bitmap(BitmapFlags::TOP_DOWN, PaletteSource::Cached(PaletteId(0x77))),
    );
}

#[test]
fn stroke_with_dashes() {
    let body = hex(&format!(
        "{BASE}
         28000000                                   // path at 40
         0C 02 4E000000                             // START_WITH_GAP | STYLED, two lengths at 78
         01 33221100                                // solid
         0800 0000                                  // fore OP_PUT, back none
         02000000                                   // two segments
         01 02000000 10000000 20000000 30000000 F0FFFFFF
         0A 01000000 18000000 00000000              // END | CLOSE
         40000000 18000000                          // 4, 1.5"
    ));
    let segment =
        |flags, points: &[PointFix]| PathSegment { flags, points: Counted::new(points.into()).unwrap() };
    let segments = [
        segment(PathFlags::BEGIN, &[fix(16, 32), fix(48, -16)]),
        segment(PathFlags::END | PathFlags::CLOSE, &[fix(24, 0)]),
    ];
    let style = [64, 24].map(|raw| Fixed28_4 { raw }).into_iter().collect();
    let message = DrawStroke {
        base: base(),
        path: Ptr(segments.iter().cloned().collect()),
        attr: LineAttr { flags: LineFlags::START_WITH_GAP, style: Some(PtrArray::new(style).unwrap()) },
        brush: Brush::Solid(0x0011_2233),
        fore_mode: RopDescriptor::OP_PUT,
        back_mode: RopDescriptor::empty(),
    };
    assert_stands_for(&body, &ServerMessage::DrawStroke(message.clone()));
    assert_eq!(message.path.len(), 2);
    assert_eq!(message.path.segments().collect::<Vec<_>>(), segments);
}

#[test]
fn text_with_glyphs_of_four_bits() {
    let body = hex(&format!(
        "{BASE}
         33000000                                   // string at 51
         00000000 00000000 00000000 00000000        // no background
         01 FFFFFF00 00                             // white, nothing
         0800 0000
         0200 02                                    // two glyphs, RASTER_A4
         0A000000 14000000 01000000 FEFFFFFF 0300 0200 1230 4560
         0B000000 15000000 00000000 00000000 0000 0500"
    ));
    let glyph = |pos: (i32, i32), origin: (i32, i32), width, height, data: &'static [u8]| Glyph {
        header: GlyphHeader {
            render_pos: Point { x: pos.0, y: pos.1 },
            glyph_origin: Point { x: origin.0, y: origin.1 },
            width,
            height,
        },
        data: Bytes::from_static(data),
    };
    let glyphs =
        [glyph((10, 20), (1, -2), 3, 2, &[0x12, 0x30, 0x45, 0x60]), glyph((11, 21), (0, 0), 0, 5, &[])];
    let string = GlyphString::new(StringFlags::RASTER_A4, &glyphs).unwrap();
    assert_eq!(string.glyphs().collect::<Vec<_>>(), glyphs);
    assert_eq!((string.len(), string.bits_per_pixel()), (2, 4));
    let message = DrawText {
        base: base(),
        string: Ptr(string),
        back_area: Rect::default(),
        fore_brush: Brush::Solid(0x00ff_ffff),
        back_brush: Brush::None,
        fore_mode: RopDescriptor::OP_PUT,
        back_mode: RopDescriptor::empty(),
    };
    assert_stands_for(&body, &ServerMessage::DrawText(message));
}

#[test]
fn glyph_strings_refuse_what_does_not_fit() {
    let header = GlyphHeader { width: 9, height: 2, ..GlyphHeader::default() };
    let glyph = Glyph { header, data: Bytes::from_static(&[0; 3]) };
    assert_eq!(
        GlyphString::new(StringFlags::RASTER_A1, [&glyph]),
        Err(GlyphError::Length { len: 3, needed: 4 })
    );
    let both = StringFlags::RASTER_A1 | StringFlags::RASTER_A8;
    assert_eq!(GlyphString::new(both, []), Err(GlyphError::Format(both)));
}

#[test]
fn composite_with_everything() {
    let matrix = "00000100 00000000 00000000  00000000 00000100 00800000";
    let body = hex(&format!(
        "{BASE}
         03A33900                                   // OVER, NEAREST, BILINEAR, PAD, NORMAL; has all
         59000000 6B000000                          // source at 89, mask at 107
         {matrix} {matrix}
         0100 0200 FFFF FEFF
         {0} {1}",
        descriptor("67"),
        descriptor("68") + "0B000000"
    ));
    let matrix = Transform { t12: 1 << 15, ..Transform::IDENTITY };
    let flags = CompositeFlags::default()
        .with_operator(CompositeOp::OVER)
        .with_filters(CompositeFilter::NEAREST, CompositeFilter::BILINEAR)
        .with_repeats(CompositeRepeat::PAD, CompositeRepeat::NORMAL);
    assert_eq!(flags.operator(), CompositeOp::OVER);
    assert_eq!(
        (flags.source_filter(), flags.mask_filter()),
        (CompositeFilter::NEAREST, CompositeFilter::BILINEAR)
    );
    assert_eq!((flags.source_repeat(), flags.mask_repeat()), (CompositeRepeat::PAD, CompositeRepeat::NORMAL));
    let composite = Composite {
        flags,
        src_bitmap: Some(Ptr(image(ImageData::FromCache))),
        mask_bitmap: Some(Ptr(image(ImageData::Surface(SurfaceId(11))))),
        src_transform: Some(matrix),
        mask_transform: Some(matrix),
        src_origin: Point16 { x: 1, y: 2 },
        mask_origin: Point16 { x: -1, y: -2 },
    };
    assert_stands_for(&body, &ServerMessage::DrawComposite(DrawComposite { base: base(), composite }));
}

#[test]
fn composite_with_nothing_but_a_source() {
    let body = hex(&format!("{BASE} 0C008001 25000000 0000 0000 0000 0000 {}", descriptor("67")));
    let flags = CompositeFlags::default().with_operator(CompositeOp::ADD)
        | CompositeFlags::MASK_OPAQUE
        | CompositeFlags::DEST_OPAQUE;
    let composite = Composite {
        flags,
        src_bitmap: Some(Ptr(image(ImageData::FromCache))),
        mask_bitmap: None,
        src_transform: None,
        mask_transform: None,
        src_origin: Point16::default(),
        mask_origin: Point16::default(),
    };
    assert_stands_for(&body, &ServerMessage::DrawComposite(DrawComposite { base: base(), composite }));
}

#[test]
fn rop3_with_pattern_and_mask() {
    let body = hex(&format!(
        "{BASE}
         00000000                                   // no source
         00000000 00000000 00000000 00000000
         02 45000000 05000000 06000000              // pattern at 69, from 5, 6
         5A 01                                      // brush xor destination, NEAREST
         01 07000000 08000000 57000000              // inverted mask at 87, from 7, 8
         {0}{0}",
        descriptor("67")
    ));
    let message = DrawRop3 {
        base: base(),
        src_bitmap: None,
        src_area: Rect::default(),
        brush: Brush::Pattern(Pattern { image: Ptr(image(ImageData::FromCache)), pos: Point { x: 5, y: 6 } }),
        rop3: 0x5a,
        scale_mode: ScaleMode::NEAREST,
        mask: QMask {
            flags: MaskFlags::INVERS,
            pos: Point { x: 7, y: 8 },
            bitmap: Some(Ptr(image(ImageData::FromCache))),
        },
    };
    assert_stands_for(&body, &ServerMessage::DrawRop3(message));
}

#[test]
fn opaque_and_masked_commands() {
    let body = hex(&format!("{BASE} 00000000 01000000 02000000 03000000 04000000 00 1000 00 {NO_MASK}"));
    let message = DrawOpaque {
        base: base(),
        src_bitmap: None,
        src_area: base().area,
        brush: Brush::None,
        rop: RopDescriptor::OP_OR,
        scale_mode: ScaleMode::INTERPOLATE,
        mask: QMask::default(),
    };
    assert_stands_for(&body, &ServerMessage::DrawOpaque(message));

    let body = hex(&format!("{BASE} {NO_MASK}"));
    let (base, mask) = (base(), QMask::default());
    assert_stands_for(&body, &ServerMessage::DrawInvers(DrawInvers { base, mask }));
}

#[test]
fn pointers_may_share_what_they_point_to() {
    let shared = hex(&format!(
        "{BASE}
         00000000                                   // no source
         00000000 00000000 00000000 00000000
         02 45000000 00000000 00000000              // pattern at 69
         F0 00
         00 00000000 00000000 45000000              // mask at 69
         {}",
        descriptor("67")
    ));
    let Ok(ServerMessage::DrawRop3(rop3)) = decode(309, &shared) else { panic!("does not decode") };
    let Brush::Pattern(pattern) = &rop3.brush else { panic!("no pattern") };
    assert_eq!(Some(&pattern.image), rop3.mask.bitmap.as_ref());
    // Written anew, each pointer gets its own copy, which means the same.
    assert_eq!(
        decode(309, &encode(&ServerMessage::DrawRop3(rop3.clone()))),
        Ok(ServerMessage::DrawRop3(rop3))
    );
}

#[test]
fn video_frames_and_reports() {
    let message = StreamDataSized {
        id: StreamId(3),
        multi_media_time: 1000,
        width: 16,
        height: 8,
        dest: Rect::at(2, 1, 16, 8),
        data: blob(b"jpeg"),
    };
    let body = hex("03000000 E8030000 10000000 08000000
         01000000 02000000 09000000 12000000 04000000 6A706567");
    assert_stands_for(&body, &ServerMessage::StreamDataSized(message));

    let body = hex("07000000 00000000 00000000 00000000 00000000 FFFFFFFF 00000000 00000000");
    assert_stands_for(&body, &ClientMessage::StreamReport(StreamReport::cannot_decode(StreamId(7))));
    assert_stands_for(
        &hex("02 0301"),
        &ClientMessage::PreferredVideoCodecType(PreferredVideoCodecType {
            codecs: Counted::new([VideoCodecType::H264, VideoCodecType::MJPEG].into_iter().collect())
                .unwrap(),
        }),
    );
}

#[test]
fn pointer_shapes() {
    let set = |cursor| {
        cursor::ServerMessage::Set(cursor::Set { position: Point16 { x: 1, y: -1 }, visible: 0, cursor })
    };
    assert_stands_for(&hex("0100 FFFF 00 0100"), &set(cursor::CursorShape::default()));
    assert_stands_for(
        &hex("0100 FFFF 00 0400 2A00000000000000 00 0000 0000 0000 0000"),
        &set(cursor::CursorShape::cached(CursorId(42))),
    );
    let init = cursor::Init {
        position: Point16::default(),
        trail: cursor::Trail { length: 1, frequency: 2 },
        visible: 1,
        cursor: cursor::CursorShape::default(),
    };
    assert_stands_for(&hex("0000 0000 0100 0200 01 0100"), &cursor::ServerMessage::Init(init));
}

#[test]
fn compressed_pieces_of_a_stream() {
    let piece = |kind, size| vmc::CompressedData::new(kind, size, Bytes::from_static(b"abc"));
    assert_stands_for(
        &hex("01 00100000 616263"),
        &vmc::ServerMessage::CompressedData(piece(vmc::CompressionType::LZ4, 4096)),
    );
    let plain = piece(vmc::CompressionType::NONE, 99);
    assert_eq!(plain.uncompressed_size(), 3);
    assert_stands_for(&hex("00 616263"), &vmc::ClientMessage::CompressedData(plain.clone()));
    assert_stands_for(&hex("00 616263"), &port::ClientMessage::CompressedData(plain));
}

#[test]
fn sound() {
    let mode = audio::Mode { time: 5, mode: audio::AudioDataMode::OPUS, data: Rest::default() };
    assert_stands_for(&hex("05000000 0300"), &audio::playback::ServerMessage::Mode(mode.clone()));
    assert_stands_for(&hex("05000000 0300"), &audio::record::ClientMessage::Mode(mode));
    let volume = audio::Volume { volume: Counted::new([0, 65535].into_iter().collect()).unwrap() };
    assert_stands_for(&hex("02 0000 FFFF"), &audio::record::ServerMessage::Volume(volume));
}

#[test]
fn seamless_migration_puts_strings_behind_the_version() {
    let text = |text: &'static str| PtrBlob::new(Bytes::from_static(text.as_bytes())).unwrap();
    let dst_info =
        main::DstInfo { port: 0, sport: 5901, host: text("dst\0"), cert_subject: PtrBlob::default() };
    assert_eq!((dst_info.host_text(), dst_info.cert_subject_text()), (Some("dst"), Some("")));
    assert_stands_for(
        &hex("0000 0D17 04000000 18000000 00000000 00000000 01000000 64737400"),
        &main::ServerMessage::MigrateBeginSeamless(main::MigrateBeginSeamless {
            dst_info,
            src_mig_version: 1,
        }),
    );
}

#[test]
fn card_errors_in_either_byte_order() {
    let error = |code: &str| match decode(101, &hex(&format!("02000000 00000000 04000000 {code}"))) {
        Ok(smartcard::ServerMessage::Data(data)) => data.error_code(),
        other => panic!("{other:?}"),
    };
    assert_eq!(error("01000000"), Some(smartcard::ErrorCode::GENERAL_ERROR));
    assert_eq!(error("00000001"), Some(smartcard::ErrorCode::GENERAL_ERROR));
    assert_eq!(error("00000000"), Some(smartcard::ErrorCode::SUCCESS));
}

#[test]
fn what_has_no_name_passes_through() {
    // An unknown message, a rop with unknown bits, an unknown codec, bytes behind the end.
    assert_stands_for(
        &hex("010203"),
        &ServerMessage::Unknown { kind: 323, body: Bytes::from_static(&[1, 2, 3]) },
    );
    let fill = hex(&format!("{BASE} 00 08F0 {NO_MASK} DDDD"));
    let Ok(message @ ServerMessage::DrawFill(_)) = decode(302, &fill) else { panic!("does not decode") };
    assert_eq!(encode(&message), fill[..fill.len() - 2]);
    let codec =
        ClientMessage::PreferredCompression(PreferredCompression { image_compression: ImageCompression(99) });
    assert_stands_for(&hex("63"), &codec);
}
