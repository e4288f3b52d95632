//! Encoders: bit-identical where the format leaves no choice, decodable elsewhere.

use proptest::prelude::*;
use spice_codecs::bitmap::{Bitmap, Format, Layout};
use spice_codecs::{
    CodecError, ErrorKind, Header, PixelFormat, PixelsMut, RowOrder, glz, jpeg, jpeg_alpha, lz, lz4, quic,
    zlib_glz,
};

use crate::vectors::load;

/// A picture to encode: rows with padding, in some order.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) layout: Layout,
    pub(crate) data: Vec<u8>,
}

impl Source {
    pub(crate) fn bitmap(&self) -> Bitmap<'_> {
        Bitmap::new(self.layout, &self.data).unwrap()
    }

    /// Rows top-down without padding.
    pub(crate) fn rows(&self) -> Vec<u8> {
        (0..self.layout.height).flat_map(|y| self.bitmap().row(y).to_vec()).collect()
    }
}

/// Pictures with noise, runs, repetitions and ramps, so that every kind of token and code occurs.
pub(crate) fn source(format: Format) -> impl Strategy<Value = Source> {
    let size = (1..60u32, 1..24u32, 0..5u32, any::<bool>(), any::<u32>(), 0..5u32);
    size.prop_map(move |(width, height, padding, top_down, seed, kind)| {
        let stride = format.row_bytes(width) as u32 + padding;
        let mut state = seed;
        let mut random = move || {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            (state >> 24) as u8
        };
        let mut data = vec![0; (stride * height) as usize];
        for i in 0..data.len() {
            let (noise, back) = (random(), usize::from(random()) * 3 + 1);
            data[i] = match kind {
                0 => noise,
                1 if noise < 10 => noise,
                1 => *data.get(i.wrapping_sub(4)).unwrap_or(&0),
                2 if noise < 20 || i < back => noise,
                2 => data[i - back],
                3 => (i as u32 / 4 + (noise & 3) as u32) as u8,
                _ => [7, 200][usize::from(noise < 4)],
            };
        }
        let rows = RowOrder::from_top_down(top_down);
        Source { layout: Layout { format, width, height, stride, rows }, data }
    })
}

#[test]
fn quic_is_bit_identical() {
    let (mut decoder, mut encoder) = (quic::Decoder::new(), quic::Encoder::new());
    for vector in load("quic") {
        let header = quic::header(vector.encoded()).unwrap();
        let (width, height) = vector.size();
        let row = header.format.row_bytes(width) as usize;
        let mut data = vec![0; row * height as usize];
        decoder
            .decode(vector.encoded(), PixelsMut::packed(&mut data, width, height, header.format).unwrap())
            .unwrap();
        let format = match vector.number("type") {
            1 => Format::Bit8A,
            2 => Format::Bit16,
            3 => Format::Bit24,
            4 => Format::Bit32,
            _ => Format::Rgba,
        };
        if format == Format::Bit24 {
            data = data.as_chunks::<4>().0.iter().flat_map(|p| [p[0], p[1], p[2]]).collect();
        }
        for rows in [RowOrder::TopDown, RowOrder::BottomUp] {
            let stride = format.row_bytes(width) as u32;
            let mut data: Vec<&[u8]> = data.chunks(stride as usize).collect();
            if rows == RowOrder::BottomUp {
                data.reverse();
            }
            let data = data.concat();
            let bitmap = Bitmap::new(Layout { format, width, height, stride, rows }, &data).unwrap();
            let mut out = Vec::new();
            encoder.encode(&bitmap, &mut out).unwrap();
            assert!(out == vector.encoded(), "{}", vector.name);
        }
    }
}

/// Every format that carries its own colours.
const DIRECT: [Format; 5] = [Format::Bit16, Format::Bit24, Format::Bit32, Format::Rgba, Format::Bit8A];

/// The rows of a source as its codec returns them: what is not coded is cleared.
fn expected(source: &Source) -> Vec<u8> {
    let rows = source.rows();
    match source.layout.format {
        Format::Bit16 => rows.as_chunks::<2>().0.iter().flat_map(|p| [p[0], p[1] & 0x7f]).collect(),
        Format::Bit24 => rows.as_chunks::<3>().0.iter().flat_map(|p| [p[0], p[1], p[2], 0]).collect(),
        Format::Bit32 => rows.as_chunks::<4>().0.iter().flat_map(|p| [p[0], p[1], p[2], 0]).collect(),
        _ => rows,
    }
}

/// Decodes into a fresh native buffer.
fn decoded(
    header: Header,
    source: &Source,
    decode: impl FnOnce(PixelsMut<'_>) -> Result<(), CodecError>,
) -> Vec<u8> {
    assert_eq!((header.width, header.height), (source.layout.width, source.layout.height));
    let row = header.format.row_bytes(header.width);
    let mut memory = vec![0xee; (row * u64::from(header.height)) as usize];
    decode(PixelsMut::packed(&mut memory, header.width, header.height, header.format).unwrap()).unwrap();
    memory
}

/// A palette in which an entry shows its index.
fn palette() -> Vec<u32> {
    (0..256).map(|i| i * 0x0101_0101).collect()
}

/// Decodes the picture of a window.
fn copied(picture: &glz::Picture, source: &Source) -> Vec<u8> {
    decoded(*picture.header(), source, |dst| picture.copy_to(dst))
}

/// A larger picture whose lower half repeats the upper one, so that far references occur.
fn tall(format: Format) -> Source {
    let (width, height) = (300, 500);
    let stride = format.row_bytes(width) as u32;
    let mut data = Vec::new();
    let mut state = 7u32;
    for _ in 0..stride * 250 {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        data.push((state >> 24) as u8);
    }
    data.extend_from_within(..);
    Source { layout: Layout { format, width, height, stride, rows: RowOrder::BottomUp }, data }
}

#[test]
fn far_references_round_trip() {
    for format in DIRECT {
        let source = tall(format);
        let mut out = Vec::new();
        lz::Encoder::new().encode(&source.bitmap(), &mut out).unwrap();
        let rows =
            decoded(lz::header(&out).unwrap(), &source, |dst| lz::Decoder::new().decode(&out, &[], dst));
        assert!(rows == expected(&source), "{format:?}");
        // Where the distance allows it, the repetition was found.
        if format == Format::Bit24 {
            assert!(out.len() > source.data.len() / 2);
        }
        if format == Format::Bit8A {
            continue;
        }
        let (mut encoder, mut window) = (glz::Encoder::new(1 << 20), glz::Window::default());
        let mut decoder = glz::Decoder::new();
        for _ in 0..3 {
            out.clear();
            encoder.encode(&source.bitmap(), &mut out).unwrap();
            assert!(out.len() < source.data.len() * 6 / 10, "{format:?}");
            let Ok(glz::Progress::Done(picture)) = decoder.decode(&out, &mut window) else { panic!() };
            assert!(copied(&picture, &source) == expected(&source), "{format:?}");
        }
        assert!(out.len() < 2000, "the third time everything is in the window");
    }
}

#[test]
fn glz_encoder_refuses_what_does_not_fit_its_window() {
    let source = tall(Format::Bit32);
    let mut out = Vec::new();
    let error = glz::Encoder::new(150_000).encode(&source.bitmap(), &mut out).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Limit { limit: "window", value: 150_000, bound: 150_000 });
    assert!(out.is_empty());
}

#[test]
fn jpeg_round_trips_within_its_loss() {
    let (width, height) = (50, 30);
    for (format, rows) in [
        (Format::Bit32, RowOrder::TopDown),
        (Format::Rgba, RowOrder::BottomUp),
        (Format::Bit24, RowOrder::BottomUp),
    ] {
        let stride = format.row_bytes(width) as u32 + 4;
        let bytes = format.row_bytes(1) as u32;
        let mut data = vec![0; (stride * height) as usize];
        for (i, byte) in (0..).zip(data.iter_mut()) {
            let (x, y) = (i % stride / bytes, i / stride);
            *byte = (2 * x + 3 * y) as u8;
        }
        let source = Source { layout: Layout { format, width, height, stride, rows }, data };
        let mut plain = vec![0; (width * height * 4) as usize];
        source
            .bitmap()
            .decode(&[], PixelsMut::packed(&mut plain, width, height, PixelFormat::Bgrx).unwrap())
            .unwrap();
        let mut out = Vec::new();
        jpeg::Encoder::new().encode(&source.bitmap(), 85, &mut out).unwrap();
        let mut ours = vec![0; plain.len()];
        jpeg::Decoder::new()
            .decode(&out, PixelsMut::packed(&mut ours, width, height, PixelFormat::Bgrx).unwrap())
            .unwrap();
        let close = |i: usize, a: u8, b: u8| i % 4 == 3 || a.abs_diff(b) <= 6;
        assert!(ours.iter().zip(&plain).enumerate().all(|(i, (a, b))| close(i, *a, *b)), "{format:?}");
        if format != Format::Rgba {
            continue;
        }
        out.clear();
        let layout = jpeg_alpha::Encoder::new().encode(&source.bitmap(), 85, &mut out).unwrap();
        let dst = PixelsMut::packed(&mut ours, width, height, PixelFormat::Bgra).unwrap();
        jpeg_alpha::Decoder::new().decode(&layout, &out, dst).unwrap();
        let close = |i: usize, a: u8, b: u8| if i % 4 == 3 { a == b } else { a.abs_diff(b) <= 6 };
        assert!(ours.iter().zip(&plain).enumerate().all(|(i, (a, b))| close(i, *a, *b)), "{format:?}");
    }
}

proptest! {
    #[test]
    fn glz_sequences_round_trip(
        sources in prop::collection::vec(
            prop::sample::select(vec![Format::Bit16, Format::Bit24, Format::Bit32, Format::Rgba])
                .prop_flat_map(source),
            1..12,
        ),
        window in 1500..6000u64,
        zipped in any::<bool>(),
    ) {
        let mut encoder = glz::Encoder::new(window);
        let mut held = glz::Window::new(glz::WindowLimits::for_window(window));
        let (mut decoder, mut unzip) = (glz::Decoder::new(), zlib_glz::Decoder::new());
        let mut zip = zlib_glz::Encoder::new();
        for source in &sources {
            let mut out = Vec::new();
            encoder.encode(&source.bitmap(), &mut out).unwrap();
            let progress = if zipped {
                let mut stream = Vec::new();
                zip.encode(&out, &mut stream);
                let size = (source.layout.width, source.layout.height);
                unzip.decode(&stream, out.len() as u32, size, &mut held)
            } else {
                decoder.decode(&out, &mut held)
            };
            let Ok(glz::Progress::Done(picture)) = progress else { panic!("{progress:?}") };
            prop_assert_eq!(picture.header().rows, source.layout.rows);
            prop_assert_eq!(copied(&picture, source), expected(source));
            prop_assert_eq!(held.len(), encoder.len());
            prop_assert!(held.pixels() <= window);
        }
    }

    #[test]
    fn lz4_round_trip(
        source in prop::sample::select(vec![Format::Bit16, Format::Bit24, Format::Bit32, Format::Rgba])
            .prop_flat_map(source),
    ) {
        let mut out = Vec::new();
        lz4::Encoder::new().encode(&source.bitmap(), &mut out).unwrap();
        prop_assert_eq!(lz4::header(&out).unwrap(), (source.layout.rows, source.layout.format));
        let header = spice_codecs::bitmap::header(&source.layout, &source.data).unwrap();
        let rows = decoded(header, &source, |dst| lz4::Decoder::new().decode(&out, dst));
        let plain = decoded(header, &source, |dst| source.bitmap().decode(&[], dst));
        prop_assert_eq!(rows, plain);
    }

    #[test]
    fn quic_round_trip(source in prop::sample::select(DIRECT.to_vec()).prop_flat_map(source)) {
        let mut out = Vec::new();
        quic::Encoder::new().encode(&source.bitmap(), &mut out).unwrap();
        let header = quic::header(&out).unwrap();
        let rows = decoded(header, &source, |dst| quic::Decoder::new().decode(&out, dst));
        prop_assert_eq!(rows, expected(&source));
    }

    #[test]
    fn lz_round_trip(source in prop::sample::select(DIRECT.to_vec()).prop_flat_map(source)) {
        let mut out = Vec::new();
        lz::Encoder::new().encode(&source.bitmap(), &mut out).unwrap();
        let header = lz::header(&out).unwrap();
        prop_assert_eq!(header.rows, source.layout.rows);
        let rows = decoded(header, &source, |dst| lz::Decoder::new().decode(&out, &[], dst));
        prop_assert_eq!(rows, expected(&source));
    }

    #[test]
    fn lz_palette_round_trip(
        source in prop::sample::select(vec![
            Format::Bit1Le, Format::Bit1Be, Format::Bit4Le, Format::Bit4Be, Format::Bit8,
        ])
        .prop_flat_map(source),
    ) {
        let mut out = Vec::new();
        lz::Encoder::new().encode(&source.bitmap(), &mut out).unwrap();
        let header = lz::header(&out).unwrap();
        prop_assert!(header.indexed);
        let rows = decoded(header, &source, |dst| lz::Decoder::new().decode(&out, &palette(), dst));
        let plain = decoded(header, &source, |dst| {
            spice_codecs::bitmap::decode(&source.layout, &source.data, &palette(), dst)
        });
        prop_assert_eq!(header.format, PixelFormat::Bgrx);
        prop_assert_eq!(rows, plain);
    }
}

/// What an encoder keeps of images of one pixel, a client of the same window has to keep too.
#[test]
fn many_small_glz_images_stay_within_the_bounds_of_a_client() {
    const WINDOW: u64 = 1 << 16;
    let (mut encoder, mut decoder) = (glz::Encoder::new(WINDOW), glz::Decoder::new());
    // Without the allowance that a client makes for small windows.
    let mut limits = glz::WindowLimits::for_window(WINDOW);
    limits.held_bytes = WINDOW * 4;
    let mut window = glz::Window::new(limits);
    let layout = Layout { format: Format::Bit32, width: 1, height: 1, stride: 4, rows: RowOrder::TopDown };
    for number in 0..20_000_u32 {
        let (pixel, mut out) = (number.to_le_bytes(), Vec::new());
        encoder.encode(&Bitmap::new(layout, &pixel).unwrap(), &mut out).unwrap();
        assert!(matches!(decoder.decode(&out, &mut window), Ok(glz::Progress::Done(_))), "image {number}");
        assert!(encoder.len() as u64 <= WINDOW / 65);
    }
}
