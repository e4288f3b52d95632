//! Every valid vector decodes to its picture, whatever the destination held before and however its rows lie.

use spice_codecs::{
    CodecError, Header, PixelFormat, PixelsMut, RowOrder, bitmap, glz, jpeg, jpeg_alpha, lz, lz4, quic,
    zlib_glz,
};

use crate::vectors::{Vector, load};

/// Decodes into differently shaped and filled buffers and returns the rows, which must be equal in all of them.
pub(crate) fn rows_of(
    vector: &Vector,
    format: PixelFormat,
    mut decode: impl FnMut(PixelsMut<'_>) -> Result<(), CodecError>,
) -> Vec<u8> {
    let (width, height) = vector.size();
    let row = format.row_bytes(width) as usize;
    let mut first: Option<Vec<u8>> = None;
    for (padding, fill) in [(0, 0x00), (0, 0xff), (1, 0xa5), (64, 0x5a), (64, 0x00)] {
        let stride = row + padding;
        let mut memory = vec![fill; stride * height as usize + 7];
        let dst = PixelsMut::new(&mut memory, width, height, stride, format).unwrap();
        decode(dst).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
        let mut rows = Vec::new();
        for (y, bytes) in memory.chunks(stride).enumerate() {
            let pixels = if y < height as usize { row } else { 0 };
            assert!(bytes[pixels..].iter().all(|byte| *byte == fill), "{}: padding written", vector.name);
            rows.extend_from_slice(&bytes[..pixels]);
        }
        match &first {
            None => first = Some(rows),
            Some(first) => assert!(*first == rows, "{}: depends on the buffer", vector.name),
        }
    }
    first.unwrap()
}

/// Removes the fourth byte of each pixel, which must be 0.
fn three_bytes(rows: &[u8]) -> Vec<u8> {
    let pixels = rows.as_chunks::<4>().0;
    assert!(pixels.iter().all(|pixel| pixel[3] == 0));
    pixels.iter().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
}

fn check_header(vector: &Vector, header: Header) {
    assert_eq!((header.width, header.height), vector.size(), "{}", vector.name);
}

#[test]
fn quic_vectors() {
    let mut decoder = quic::Decoder::new();
    for vector in load("quic") {
        let header = quic::header(vector.encoded()).unwrap();
        check_header(&vector, header);
        let mut rows = rows_of(&vector, header.format, |dst| decoder.decode(vector.encoded(), dst));
        if vector.number::<u32>("type") == 3 {
            rows = three_bytes(&rows);
        }
        vector.assert_hash("decoded", &rows, "native");
    }
}

#[test]
fn lz_vectors() {
    let mut decoder = lz::Decoder::new();
    for vector in load("lz") {
        let header = lz::header(vector.encoded()).unwrap();
        check_header(&vector, header);
        let palette = vector.palette();
        let mut decode =
            |format| rows_of(&vector, format, |dst| decoder.decode(vector.encoded(), &palette, dst));
        if !header.indexed {
            let mut rows = decode(header.format);
            if vector.number::<u32>("type") == 7 {
                rows = three_bytes(&rows);
            }
            vector.assert_hash("decoded", &rows, "native");
        }
        if vector.has("decoded32") {
            vector.assert_hash("decoded32", &decode(PixelFormat::Bgrx), "32 bits");
        }
    }
}

#[test]
fn bitmap_vectors() {
    for vector in load("bitmap") {
        let (width, height) = vector.size();
        let layout = bitmap::Layout {
            format: bitmap::Format::from_wire(vector.number("type")).unwrap(),
            width,
            height,
            stride: vector.number("stride"),
            rows: RowOrder::from_top_down(vector.number::<u8>("top_down") != 0),
        };
        let header = bitmap::header(&layout, vector.encoded()).unwrap();
        check_header(&vector, header);
        let palette = vector.palette();
        let decode = |dst: PixelsMut<'_>| bitmap::decode(&layout, vector.encoded(), &palette, dst);
        let rows = rows_of(&vector, header.format, decode);
        vector.assert_hash("decoded", &rows, "native");
    }
}

#[test]
fn lz4_vectors() {
    let mut decoder = lz4::Decoder::new();
    for vector in load("lz4") {
        let (rows, bitmap_format) = lz4::header(vector.encoded()).unwrap();
        assert_eq!(rows == RowOrder::TopDown, vector.number::<u8>("top_down") != 0);
        let format = match bitmap_format {
            bitmap::Format::Bit16 => PixelFormat::Rgb555,
            bitmap::Format::Rgba => PixelFormat::Bgra,
            _ => PixelFormat::Bgrx,
        };
        let mut rows = rows_of(&vector, format, |dst| decoder.decode(vector.encoded(), dst));
        if bitmap_format == bitmap::Format::Bit24 {
            rows = three_bytes(&rows);
        }
        vector.assert_hash("decoded", &rows, "native");
    }
}

/// Compares pixels with a tolerance per channel; alpha has to be exact.
fn assert_close(vector: &Vector, rows: &[u8]) {
    let tolerance: u8 = vector.number("tolerance");
    let expected = vector.bytes("decoded");
    assert_eq!(rows.len(), expected.len());
    for (i, (ours, theirs)) in rows.iter().zip(expected).enumerate() {
        let tolerance = if i % 4 == 3 { 0 } else { tolerance };
        assert!(ours.abs_diff(*theirs) <= tolerance, "{} byte {i}: {ours} for {theirs}", vector.name);
    }
}

#[test]
fn jpeg_and_mjpeg_vectors() {
    let mut decoder = jpeg::Decoder::new();
    for vector in load("other").iter().filter(|vector| vector.text("codec").ends_with("jpeg")) {
        let header = jpeg::header(vector.encoded()).unwrap();
        check_header(vector, header);
        let rows = rows_of(vector, header.format, |dst| decoder.decode(vector.encoded(), dst));
        assert_close(vector, &rows);
        let upside_down = rows_of(vector, header.format, |dst| {
            decoder.decode_frame(vector.encoded(), RowOrder::BottomUp, dst)
        });
        let row = vector.size().0 as usize * 4;
        assert!(rows.chunks(row).eq(upside_down.chunks(row).rev()));
    }
}

#[test]
fn jpeg_alpha_vectors() {
    let mut decoder = jpeg_alpha::Decoder::new();
    for vector in load("other").iter().filter(|vector| vector.text("codec") == "jpeg_alpha") {
        let layout = jpeg_alpha::Layout {
            jpeg_size: vector.number("jpeg_size"),
            alpha_rows: RowOrder::from_top_down(vector.number::<u8>("flags") & 1 != 0),
        };
        let header = jpeg_alpha::header(&layout, vector.encoded()).unwrap();
        check_header(vector, header);
        let rows = rows_of(vector, header.format, |dst| decoder.decode(&layout, vector.encoded(), dst));
        assert_close(vector, &rows);
    }
}

#[test]
fn zlib_glz_vectors() {
    let (mut decoder, mut window) = (zlib_glz::Decoder::new(), glz::Window::default());
    for vector in load("other").iter().filter(|vector| vector.text("codec") == "zlib_glz") {
        let (width, height) = vector.size();
        let mut rows = vec![0xff; width as usize * height as usize * 4];
        let dst = PixelsMut::packed(&mut rows, width, height, PixelFormat::Bgrx).unwrap();
        let size = vector.number("glz_data_size");
        let progress = decoder.decode_into(vector.encoded(), size, &mut window, dst).unwrap();
        assert!(matches!(progress, glz::Progress::Done(_)));
        vector.assert_hash("decoded", &rows, "32 bits");
    }
}
