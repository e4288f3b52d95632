//! Codecs own their scratch memory: from the second picture on they allocate nothing.
//!
//! The JPEG library allocates for every picture; JPEG and JPEG_ALPHA are not here.

use spice_codecs::bitmap::{Bitmap, Format, Layout};
use spice_codecs::glz::{Progress, Window, WindowLimits};
use spice_codecs::{CodecError, PixelFormat, PixelsMut, RowOrder, glz, lz, lz4, quic, zlib_glz};

const WIDTH: u32 = 61;
const HEIGHT: u32 = 33;

/// Rows bottom first, so that no codec gets away without its scratch memory.
fn bitmap(format: Format, data: &[u8]) -> Bitmap<'_> {
    let stride = format.row_bytes(WIDTH) as u32 + 2;
    let layout = Layout { format, width: WIDTH, height: HEIGHT, stride, rows: RowOrder::BottomUp };
    Bitmap::new(layout, data).unwrap()
}

/// Bytes with runs, repetitions and surprises; enough for any format.
fn data() -> Vec<u8> {
    (0..WIDTH * (HEIGHT + 1) * 4).map(|i| ((i / 7 * (i / 100)) ^ (i % 3)) as u8).collect()
}

/// Does something twice and counts what the second time allocates.
fn assert_second_is_free(what: &str, mut action: impl FnMut() -> Result<(), CodecError>) {
    action().unwrap();
    let second = allocation_counter::measure(|| action().unwrap());
    assert_eq!(second.count_total, 0, "{what} allocates");
}

/// Decodes twice into each format.
fn assert_decoding_is_free(what: &str, mut decode: impl FnMut(PixelsMut<'_>) -> Result<(), CodecError>) {
    let mut memory = vec![0; (WIDTH * HEIGHT * 4) as usize];
    for format in [PixelFormat::Bgrx, PixelFormat::Bgra, PixelFormat::Rgb555, PixelFormat::Rgb565] {
        assert_second_is_free(&format!("{what} into {format:?}"), || {
            decode(PixelsMut::packed(&mut memory, WIDTH, HEIGHT, format)?)
        });
    }
}

const COLOURS: [Format; 4] = [Format::Bit16, Format::Bit24, Format::Bit32, Format::Rgba];
const INDICES: [Format; 5] = [Format::Bit1Le, Format::Bit1Be, Format::Bit4Le, Format::Bit4Be, Format::Bit8];

#[test]
fn decoding_a_second_picture_allocates_nothing() {
    let data = data();
    let palette: Vec<u32> = (0..256).collect();
    for format in COLOURS {
        let bitmap = bitmap(format, &data);
        assert_decoding_is_free(&format!("bitmap {format:?}"), |dst| bitmap.decode(&[], dst));
        let mut stream = Vec::new();
        quic::Encoder::new().encode(&bitmap, &mut stream).unwrap();
        let mut decoder = quic::Decoder::new();
        assert_decoding_is_free(&format!("QUIC {format:?}"), |dst| decoder.decode(&stream, dst));
        stream.clear();
        lz4::Encoder::new().encode(&bitmap, &mut stream).unwrap();
        let mut decoder = lz4::Decoder::new();
        assert_decoding_is_free(&format!("LZ4 {format:?}"), |dst| decoder.decode(&stream, dst));
    }
    for format in COLOURS.into_iter().chain(INDICES) {
        let mut stream = Vec::new();
        lz::Encoder::new().encode(&bitmap(format, &data), &mut stream).unwrap();
        let mut decoder = lz::Decoder::new();
        assert_decoding_is_free(&format!("LZ {format:?}"), |dst| decoder.decode(&stream, &palette, dst));
    }
}

#[test]
fn a_window_reuses_the_memory_of_released_pictures() {
    let data = data();
    for format in COLOURS {
        // Room for two pictures, so that each one lets go of an older one.
        let pixels = u64::from(WIDTH * HEIGHT) * 2;
        let mut encoder = glz::Encoder::new(pixels);
        let mut window = Window::new(WindowLimits::for_window(pixels));
        let (mut decoder, mut unzip) = (glz::Decoder::new(), zlib_glz::Decoder::new());
        let mut zip = zlib_glz::Encoder::new();
        let (mut stream, mut packed) = (Vec::new(), Vec::new());
        let mut memory = vec![0; (WIDTH * HEIGHT * 4) as usize];
        for number in 0..12 {
            stream.clear();
            packed.clear();
            encoder.encode(&bitmap(format, &data), &mut stream).unwrap();
            zip.encode(&stream, &mut packed);
            let mut decode = || {
                let dst = PixelsMut::packed(&mut memory, WIDTH, HEIGHT, PixelFormat::Bgrx).unwrap();
                let progress = if number % 2 == 0 {
                    decoder.decode_into(&stream, &mut window, dst)
                } else {
                    unzip.decode_into(&packed, stream.len() as u32, &mut window, dst)
                };
                assert!(matches!(progress, Ok(Progress::Done(_))), "{progress:?}");
            };
            let allocations = allocation_counter::measure(&mut decode).count_total;
            // The first pictures fill the window.
            assert!(number < 4 || allocations == 0, "{format:?}, picture {number}: {allocations}");
        }
    }
}

#[test]
fn encoding_a_second_picture_allocates_nothing() {
    let data = data();
    let mut out = Vec::new();
    let mut encode = |what: &str, encode: &mut dyn FnMut(&mut Vec<u8>) -> Result<(), CodecError>| {
        assert_second_is_free(what, || {
            out.clear();
            encode(&mut out)
        });
    };
    for format in COLOURS {
        let bitmap = bitmap(format, &data);
        let (mut quic, mut lz4) = (quic::Encoder::new(), lz4::Encoder::new());
        encode(&format!("QUIC {format:?}"), &mut |out| quic.encode(&bitmap, out));
        encode(&format!("LZ4 {format:?}"), &mut |out| lz4.encode(&bitmap, out));
    }
    for format in COLOURS.into_iter().chain(INDICES) {
        let mut lz = lz::Encoder::new();
        encode(&format!("LZ {format:?}"), &mut |out| lz.encode(&bitmap(format, &data), out));
    }
    let mut zip = zlib_glz::Encoder::new();
    encode("ZLIB_GLZ", &mut |out| {
        zip.encode(&data, out);
        Ok(())
    });
}
