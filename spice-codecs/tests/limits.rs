//! Known vulnerabilities of other decoders, one test each, and the bounds.

use spice_codecs::{
    Codec, ErrorKind, Limits, PixelFormat, PixelsMut, RowOrder, jpeg_alpha, lz, lz4, quic, zlib_glz,
};
use spice_codecs::{bitmap, glz};

fn quic_header(image_type: u32, width: u32, height: u32) -> Vec<u8> {
    [0x4349_5551, 0, image_type, width, height].iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
}

fn lz_header(image_type: u32, width: u32, height: u32, stride: u32) -> Vec<u8> {
    let words = [0x2020_5a4c, 0x0001_0001, image_type, width, height, stride, 1u32];
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn quic_error(data: &[u8], width: u32, height: u32, format: PixelFormat) -> ErrorKind {
    let mut memory = vec![0; (format.row_bytes(width) * u64::from(height)) as usize];
    let dst = PixelsMut::packed(&mut memory, width, height, format).unwrap();
    quic::Decoder::new().decode(data, dst).unwrap_err().kind
}

fn lz_error(data: &[u8], width: u32, height: u32) -> ErrorKind {
    let mut memory = vec![0; width as usize * height as usize * 4];
    let dst = PixelsMut::packed(&mut memory, width, height, PixelFormat::Bgrx).unwrap();
    lz::Decoder::new().decode(data, &[0, 1], dst).unwrap_err().kind
}

#[test]
fn cve_2020_14355_decoding_begins_on_an_empty_buffer() {
    assert_eq!(quic_error(&[], 4, 4, PixelFormat::Bgrx), ErrorKind::Truncated);
    assert_eq!(quic_error(&quic_header(4, 4, 4), 4, 4, PixelFormat::Bgrx), ErrorKind::Truncated);
}

#[test]
fn cve_2020_14355_image_size_is_checked() {
    for (width, height) in [(0, 4), (4, 0), (0x8000_0000, 2), (0x1_0000, 0x1_0000), (u32::MAX, u32::MAX)] {
        let kind = quic::header(&quic_header(4, width, height)).unwrap_err().kind;
        assert_eq!(kind, ErrorKind::Dimensions { width, height });
    }
    let kind = quic_error(&quic_header(4, 5, 4), 4, 4, PixelFormat::Bgrx);
    assert!(matches!(kind, ErrorKind::SizeMismatch { width: 5, expected_width: 4, .. }));
}

/// The error of an invalid QUIC vector.
fn quic_vector_error(name: &str, format: PixelFormat) -> ErrorKind {
    let vectors = crate::vectors::load("invalid");
    let vector = vectors.iter().find(|vector| vector.name == name).unwrap();
    let (width, height) = vector.size();
    quic_error(vector.encoded(), width, height, format)
}

#[test]
fn cve_2020_14355_run_is_longer_than_the_row() {
    let kind = quic_vector_error("quic_run_too_long", PixelFormat::A8);
    assert!(matches!(kind, ErrorKind::Length { len: 4.., left: ..=3 }), "{kind:?}");
}

#[test]
fn cve_2020_14355_residual_beyond_the_channel() {
    let kind = quic_vector_error("quic_residual_too_large", PixelFormat::Rgb555);
    assert_eq!(kind, ErrorKind::Residual(36));
}

#[test]
fn cve_2018_10893_lz_sizes_overflow() {
    for (width, height) in [(0, 1), (1, 0), (0x4000_0001, 1), (0x8000, 0x8000), (u32::MAX, u32::MAX)] {
        let data = lz_header(8, width, height, width.wrapping_mul(4));
        let kind = lz::header(&data).unwrap_err().kind;
        assert_eq!(kind, ErrorKind::Dimensions { width, height });
    }
}

#[test]
fn cve_2018_10893_lz_stride_is_the_tabulated_one() {
    for (image_type, stride) in [(1, 0), (1, 1), (3, 4), (5, 8), (8, 36), (8, 40)] {
        let kind = lz::header(&lz_header(image_type, 9, 2, stride)).err().map(|error| error.kind);
        let right = matches!((image_type, stride), (8, 36));
        assert_eq!(kind.is_none(), right, "{image_type} {stride}");
    }
}

#[test]
fn cve_2018_10893_lz_references_and_lengths() {
    let pixels = |tokens: &[u8]| [&lz_header(8, 4, 1, 16)[..], tokens].concat();
    let before = lz_error(&pixels(&[0, 1, 2, 3, 0x60, 1]), 4, 1);
    assert_eq!(before, ErrorKind::Reference { distance: 2, done: 1 });
    let long = lz_error(&pixels(&[0, 1, 2, 3, 0x80, 0]), 4, 1);
    assert_eq!(long, ErrorKind::Length { len: 4, left: 3 });
    let literals = lz_error(&pixels(&[4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 4, 1);
    assert_eq!(literals, ErrorKind::Length { len: 5, left: 4 });
    let mut endless = pixels(&[0, 1, 2, 3, 0xe0]);
    endless.extend([0xff; 100_000]);
    assert!(matches!(lz_error(&endless, 4, 1), ErrorKind::Length { left: 3, .. }));
}

#[test]
fn lz_alpha_plane_does_not_see_colours() {
    let data = [&lz_header(9, 2, 1, 8)[..], &[1, 1, 2, 3, 4, 5, 6, 0x20, 0]].concat();
    assert!(matches!(lz_error(&data, 2, 1), ErrorKind::Length { .. } | ErrorKind::Reference { .. }));
}

#[test]
fn lz_data_left_over() {
    let data = [&lz_header(8, 1, 1, 4)[..], &[0, 1, 2, 3, 0]].concat();
    assert_eq!(lz_error(&data, 1, 1), ErrorKind::Excess);
}

#[test]
fn lz_palette_index_beyond_the_palette() {
    let data = [&lz_header(5, 3, 1, 3)[..], &[2, 0, 1, 2]].concat();
    assert_eq!(lz_error(&data, 3, 1), ErrorKind::PaletteIndex { index: 2, entries: 2 });
    let data = [&lz_header(3, 2, 1, 1)[..], &[0, 0x20]].concat();
    assert_eq!(lz_error(&data, 2, 1), ErrorKind::PaletteIndex { index: 2, entries: 2 });
    // The spare nibble of the last byte is no pixel.
    let data = [&lz_header(3, 1, 1, 1)[..], &[0, 0x20]].concat();
    let mut memory = [0; 4];
    let dst = PixelsMut::packed(&mut memory, 1, 1, PixelFormat::Bgrx).unwrap();
    lz::Decoder::new().decode(&data, &[7], dst).unwrap();
    assert_eq!(memory, [7, 0, 0, 0]);
}

#[test]
fn jpeg_alpha_jpeg_size_beyond_the_data() {
    let layout = jpeg_alpha::Layout { jpeg_size: 11, alpha_rows: RowOrder::TopDown };
    let error = jpeg_alpha::header(&layout, &[0; 10]).unwrap_err();
    assert_eq!((error.codec, error.kind), (Codec::JpegAlpha, ErrorKind::BlockSize { size: 11, left: 10 }));
}

#[test]
fn zlib_glz_size_is_bounded_and_exact() {
    let mut stream = Vec::new();
    let data = [0; 4];
    let layout = bitmap::Layout {
        format: bitmap::Format::Bit32,
        width: 1,
        height: 1,
        stride: 4,
        rows: RowOrder::TopDown,
    };
    glz::Encoder::new(16).encode(&bitmap::Bitmap::new(layout, &data).unwrap(), &mut stream).unwrap();
    let mut zipped = Vec::new();
    zlib_glz::Encoder::new().encode(&stream, &mut zipped);
    let size = stream.len() as u32;
    let decode = |data: &[u8], size| {
        zlib_glz::Decoder::new().decode(data, size, (1, 1), &mut glz::Window::default()).map(|_| ())
    };
    decode(&zipped, size).unwrap();
    let kind = |data: &[u8], size| decode(data, size).unwrap_err().kind;
    assert_eq!(kind(&zipped, size + 1), ErrorKind::Truncated);
    assert_eq!(kind(&zipped, size - 1), ErrorKind::Excess);
    assert!(matches!(kind(&zipped, u32::MAX), ErrorKind::Limit { limit: "glz_data_size", .. }));
    assert_eq!(kind(&zipped[..zipped.len() - 1], size), ErrorKind::Truncated);
    assert_eq!(kind(&[&zipped[..], &[0]].concat(), size), ErrorKind::Excess);
    let mut damaged = zipped.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(kind(&damaged, size), ErrorKind::Damaged);
}

/// A descriptor that is larger than the window, or another picture than the stream's, costs nothing.
#[test]
fn zlib_glz_is_not_inflated_for_a_descriptor_that_lies() {
    let mut zipped = Vec::new();
    zlib_glz::Encoder::new().encode(&vec![0; 48 << 20], &mut zipped);
    let mut decoder = zlib_glz::Decoder::new();
    let mut window = glz::Window::new(glz::WindowLimits::for_window(1 << 24));
    let kind = decoder.decode(&zipped, 48 << 20, (30_000, 30_000), &mut window).unwrap_err().kind;
    assert_eq!(kind, ErrorKind::Limit { limit: "image_pixels", value: 900_000_000, bound: 1 << 24 });
    let kind = decoder.decode(&zipped, 48 << 20, (4096, 4096), &mut window).unwrap_err().kind;
    assert_eq!(kind, ErrorKind::Magic(0), "of the header, which comes first");
    assert!(decoder.scratch_bytes() < 100);
}

#[test]
fn lz4_must_fill_the_picture() {
    let decode = |data: &[u8], width| {
        let mut memory = vec![0; width as usize * 4];
        let dst = PixelsMut::packed(&mut memory, width, 1, PixelFormat::Bgrx).unwrap();
        lz4::Decoder::new().decode(data, dst).map_err(|error| error.kind)
    };
    let payload = [1, 8, 0, 0, 0, 5, 0x40, 1, 2, 3, 4];
    assert_eq!(decode(&payload, 1), Ok(()));
    assert_eq!(decode(&payload, 2), Err(ErrorKind::Truncated));
    assert_eq!(
        decode(&[&payload[..], &payload[2..]].concat(), 1),
        Err(ErrorKind::Length { len: 4, left: 0 })
    );
    assert_eq!(decode(&[1, 8, 0, 0, 0, 0], 1), Err(ErrorKind::Truncated));
    // A block that yields nothing could be repeated for ever.
    assert_eq!(decode(&[1, 8, 0, 0, 0, 1, 0], 1), Err(ErrorKind::Damaged));
}

#[test]
fn limits_max_side_and_max_pixels() {
    let header = |width, height| quic::header(&quic_header(4, width, height)).unwrap();
    let limits = Limits::default();
    assert_eq!(header(32767, 2048).check(Codec::Quic, &limits), Ok(()));
    let kind = |width, height| header(width, height).check(Codec::Quic, &limits).unwrap_err().kind;
    assert_eq!(kind(32768, 1), ErrorKind::Limit { limit: "max_side", value: 32768, bound: 32767 });
    let (value, bound) = (20_000 * 4000, 1 << 26);
    assert_eq!(kind(20_000, 4000), ErrorKind::Limit { limit: "max_pixels", value, bound });
}

#[test]
fn every_vector_cut_anywhere_is_refused() {
    for vector in crate::vectors::load("quic").iter().chain(&crate::vectors::load("lz")) {
        let data = vector.encoded();
        let (width, height) = vector.size();
        let quic = vector.text("codec") == "quic";
        let header = if quic { quic::header(data) } else { lz::header(data) }.unwrap();
        let mut memory = vec![0; (header.format.row_bytes(width) * u64::from(height)) as usize];
        let step = (data.len() / 50).max(1);
        // The last word of a QUIC stream, and the padding before it, may be missing.
        let needed = if quic { data.len() - 8 } else { data.len() };
        for len in (0..needed).step_by(step) {
            let dst = PixelsMut::packed(&mut memory, width, height, header.format).unwrap();
            let result = if quic {
                quic::Decoder::new().decode(&data[..len], dst)
            } else {
                lz::Decoder::new().decode(&data[..len], &vector.palette(), dst)
            };
            let error = result.expect_err(&vector.name);
            assert!(error.at <= len);
        }
    }
}
