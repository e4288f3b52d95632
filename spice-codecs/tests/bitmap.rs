//! Bitmaps: masks, palettes, lies about rows.

use spice_codecs::bitmap::{Format, Layout, decode, header};
use spice_codecs::{ErrorKind, PixelFormat, PixelsMut, RowOrder};

fn layout(format: Format, width: u32, height: u32, stride: u32) -> Layout {
    Layout { format, width, height, stride, rows: RowOrder::TopDown }
}

#[test]
fn masks_go_into_bits_and_bytes() {
    for (format, data) in
        [(Format::Bit1Le, [0b0000_0101, 0b11]), (Format::Bit1Be, [0b1010_0000, 0b1100_0000])]
    {
        let layout = layout(format, 10, 1, 2);
        let mut bytes = [7; 10];
        decode(&layout, &data, &[], PixelsMut::packed(&mut bytes, 10, 1, PixelFormat::A8).unwrap()).unwrap();
        assert_eq!(bytes, [255, 0, 255, 0, 0, 0, 0, 0, 255, 255]);
        let mut bits = [0xff; 2];
        decode(&layout, &data, &[], PixelsMut::packed(&mut bits, 10, 1, PixelFormat::A1).unwrap()).unwrap();
        assert_eq!(bits, [0b0000_0101, 0b11]);
    }
}

#[test]
fn palette_entries_are_copied_raw() {
    let layout = layout(Format::Bit8, 2, 1, 2);
    let palette = [0x1234_5678, 0xaabb_ccdd];
    let mut wide = [0; 8];
    let dst = PixelsMut::packed(&mut wide, 2, 1, PixelFormat::Bgra).unwrap();
    decode(&layout, &[1, 0], &palette, dst).unwrap();
    assert_eq!(wide, [0xdd, 0xcc, 0xbb, 0xaa, 0x78, 0x56, 0x34, 0x12]);
    let mut narrow = [0; 4];
    let dst = PixelsMut::packed(&mut narrow, 2, 1, PixelFormat::Rgb565).unwrap();
    decode(&layout, &[1, 0], &palette, dst).unwrap();
    assert_eq!(narrow, [0xdd, 0xcc, 0x78, 0x56]);
}

#[test]
fn palette_index_beyond_the_palette() {
    for (format, data, index) in
        [(Format::Bit8, [0, 3], 3), (Format::Bit4Be, [0x03, 0], 3), (Format::Bit1Le, [0b10, 0], 1)]
    {
        let layout = layout(format, 2, 1, 2);
        let palette = [0; 3];
        let palette = if format == Format::Bit1Le { &palette[..1] } else { &palette };
        let mut memory = [0; 8];
        let dst = PixelsMut::packed(&mut memory, 2, 1, PixelFormat::Bgrx).unwrap();
        let error = decode(&layout, &data, palette, dst).unwrap_err();
        assert_eq!(error.kind, ErrorKind::PaletteIndex { index, entries: palette.len() as u32 });
    }
}

#[test]
fn an_empty_palette_is_no_palette() {
    let mut memory = [0; 8];
    let dst = PixelsMut::packed(&mut memory, 2, 1, PixelFormat::Bgrx).unwrap();
    let error = decode(&layout(Format::Bit8, 2, 1, 2), &[0, 0], &[], dst).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoPalette);
}

#[test]
fn stride_shorter_than_a_row() {
    let error = header(&layout(Format::Bit32, 4, 2, 15), &[0; 64]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stride { stride: 15, needed: 16 });
}

#[test]
fn rows_missing() {
    let error = header(&layout(Format::Bit32, 4, 2, 16), &[0; 31]).unwrap_err();
    assert_eq!((error.kind, error.at), (ErrorKind::Truncated, 31));
    let huge = layout(Format::Rgba, u32::MAX, u32::MAX, u32::MAX);
    assert!(header(&huge, &[0; 64]).is_err());
}

#[test]
fn destination_lies() {
    let fail = |len, width, height, stride| {
        PixelsMut::new(&mut vec![0; len], width, height, stride, PixelFormat::Bgrx).unwrap_err().kind
    };
    assert_eq!(fail(16, 0, 1, 16), ErrorKind::Dimensions { width: 0, height: 1 });
    assert_eq!(fail(16, 2, 2, 7), ErrorKind::Stride { stride: 7, needed: 8 });
    assert_eq!(fail(15, 2, 2, 8), ErrorKind::Destination { len: 15, needed: 16 });
    assert!(matches!(fail(16, u32::MAX, u32::MAX, usize::MAX), ErrorKind::Destination { .. }));
}
