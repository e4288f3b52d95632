//! Image codecs: pixels and bytes per second of every codec, both directions.
//!
//! The pictures are those of the folder that the variable `SPICE_PICTURES` names (PNG files), or generated ones of
//! the same kinds: a desktop, text, a photograph, a gradient, one colour, noise, and a translucent shape.
//! The name of a result says what was measured and how much smaller the payload is than 32-bit pixels.

#[path = "codecs/pictures.rs"]
mod pictures;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use spice_codecs::bitmap::Bitmap;
use spice_codecs::glz::{Progress, Window, WindowLimits};
use spice_codecs::{PixelFormat, PixelsMut, glz, jpeg, jpeg_alpha, lz, lz4, quic, zlib_glz};

use self::pictures::Picture;

criterion_group!(benches, codecs, tiles, memory);
criterion_main!(benches);

/// Whole pictures.
fn codecs(c: &mut Criterion) {
    for picture in pictures::all() {
        for codec in CODECS {
            if codec.takes(&picture) {
                bench(c, codec, &picture);
            }
        }
    }
}

/// Small pictures, as most of a session are: the models and tables start anew for each.
fn tiles(c: &mut Criterion) {
    for picture in pictures::all() {
        let tile = picture.tile(64);
        for codec in [CodecName::Quic, CodecName::Lz] {
            bench(c, codec, &tile);
        }
    }
}

/// What the machine can do at best, to compare with.
fn memory(c: &mut Criterion) {
    let from = vec![1u8; 1920 * 1080 * 4];
    let mut to = vec![0u8; from.len()];
    let mut group = c.benchmark_group("memory");
    group.throughput(Throughput::Bytes(from.len() as u64));
    group.bench_function("copy", |b| b.iter(|| black_box(&mut to).copy_from_slice(black_box(&from))));
    group.finish();
}

#[derive(Clone, Copy, Debug)]
enum CodecName {
    Quic,
    Lz,
    Glz,
    ZlibGlz,
    Lz4,
    Jpeg,
    JpegAlpha,
}

const CODECS: [CodecName; 7] = [
    CodecName::Quic,
    CodecName::Lz,
    CodecName::Glz,
    CodecName::ZlibGlz,
    CodecName::Lz4,
    CodecName::Jpeg,
    CodecName::JpegAlpha,
];

impl CodecName {
    fn takes(self, picture: &Picture) -> bool {
        match self {
            CodecName::Jpeg => !picture.alpha,
            CodecName::JpegAlpha => picture.alpha,
            _ => true,
        }
    }
}

fn bench(c: &mut Criterion, codec: CodecName, picture: &Picture) {
    let mut encoder = Encoder::new(codec);
    let mut payload = Payload::default();
    encoder.encode(&picture.bitmap(), &mut payload);
    let ratio = picture.pixels.len() as f64 / payload.data.len() as f64;
    let throughput = Throughput::ElementsAndBytes {
        elements: picture.pixels.len() as u64 / 4,
        bytes: picture.pixels.len() as u64,
    };
    let name = format!("{}_{ratio:.1}", picture.name);
    for direction in ["decode", "encode"] {
        let mut group = c.benchmark_group(format!("{codec:?}_{direction}"));
        group.throughput(throughput.clone()).sample_size(10);
        if direction == "encode" {
            group.bench_function(BenchmarkId::from_parameter(&name), |b| {
                b.iter(|| encoder.encode(&picture.bitmap(), &mut payload));
            });
        } else {
            let mut decoder = Decoder::new(codec);
            let mut memory = vec![0; picture.pixels.len()];
            group.bench_function(BenchmarkId::from_parameter(&name), |b| {
                b.iter(|| decoder.decode(picture, &payload, black_box(&mut memory)));
            });
        }
        group.finish();
    }
}

/// An encoded picture with the fields that its descriptor has.
#[derive(Default)]
struct Payload {
    data: Vec<u8>,
    glz_size: u32,
    jpeg_alpha: Option<jpeg_alpha::Layout>,
}

enum Encoder {
    Quic(quic::Encoder),
    Lz(lz::Encoder),
    Glz,
    ZlibGlz(Box<zlib_glz::Encoder>, Vec<u8>),
    Lz4(lz4::Encoder),
    Jpeg(jpeg::Encoder),
    JpegAlpha(jpeg_alpha::Encoder),
}

/// What servers use.
const QUALITY: u8 = 85;
/// Room for a 4K picture.
const WINDOW: u64 = 1 << 24;

impl Encoder {
    fn new(codec: CodecName) -> Self {
        match codec {
            CodecName::Quic => Encoder::Quic(quic::Encoder::new()),
            CodecName::Lz => Encoder::Lz(lz::Encoder::new()),
            CodecName::Glz => Encoder::Glz,
            CodecName::ZlibGlz => Encoder::ZlibGlz(Box::new(zlib_glz::Encoder::new()), Vec::new()),
            CodecName::Lz4 => Encoder::Lz4(lz4::Encoder::new()),
            CodecName::Jpeg => Encoder::Jpeg(jpeg::Encoder::new()),
            CodecName::JpegAlpha => Encoder::JpegAlpha(jpeg_alpha::Encoder::new()),
        }
    }

    fn encode(&mut self, bitmap: &Bitmap<'_>, payload: &mut Payload) {
        let out = &mut payload.data;
        out.clear();
        match self {
            Encoder::Quic(encoder) => encoder.encode(bitmap, out).unwrap(),
            Encoder::Lz(encoder) => encoder.encode(bitmap, out).unwrap(),
            // A new window each time, so that the picture does not refer to itself.
            Encoder::Glz => _ = glz::Encoder::new(WINDOW).encode(bitmap, out).unwrap(),
            Encoder::ZlibGlz(encoder, stream) => {
                stream.clear();
                glz::Encoder::new(WINDOW).encode(bitmap, stream).unwrap();
                payload.glz_size = stream.len() as u32;
                encoder.encode(stream, out);
            }
            Encoder::Lz4(encoder) => encoder.encode(bitmap, out).unwrap(),
            Encoder::Jpeg(encoder) => encoder.encode(bitmap, QUALITY, out).unwrap(),
            Encoder::JpegAlpha(encoder) => {
                payload.jpeg_alpha = Some(encoder.encode(bitmap, QUALITY, out).unwrap());
            }
        }
    }
}

enum Decoder {
    Quic(quic::Decoder),
    Lz(lz::Decoder),
    /// With the next id, and the stream whose header it goes into.
    Glz(glz::Decoder, Window, u64, Vec<u8>),
    ZlibGlz(zlib_glz::Decoder, Window),
    Lz4(lz4::Decoder),
    Jpeg(jpeg::Decoder),
    JpegAlpha(jpeg_alpha::Decoder),
}

impl Decoder {
    fn new(codec: CodecName) -> Self {
        let window = || Window::new(WindowLimits::for_window(WINDOW));
        match codec {
            CodecName::Quic => Decoder::Quic(quic::Decoder::new()),
            CodecName::Lz => Decoder::Lz(lz::Decoder::new()),
            CodecName::Glz => Decoder::Glz(glz::Decoder::new(), window(), 0, Vec::new()),
            CodecName::ZlibGlz => Decoder::ZlibGlz(zlib_glz::Decoder::new(), window()),
            CodecName::Lz4 => Decoder::Lz4(lz4::Decoder::new()),
            CodecName::Jpeg => Decoder::Jpeg(jpeg::Decoder::new()),
            CodecName::JpegAlpha => Decoder::JpegAlpha(jpeg_alpha::Decoder::new()),
        }
    }

    /// GLZ pictures go into the window only, where a canvas takes them from; the others into `memory`.
    fn decode(&mut self, picture: &Picture, payload: &Payload, memory: &mut [u8]) {
        let (width, height) = (picture.width, picture.height);
        let format = if picture.alpha { PixelFormat::Bgra } else { PixelFormat::Bgrx };
        let dst = PixelsMut::packed(memory, width, height, format).unwrap();
        let data = &payload.data;
        match self {
            Decoder::Quic(decoder) => decoder.decode(data, dst).unwrap(),
            Decoder::Lz(decoder) => decoder.decode(data, &[], dst).unwrap(),
            Decoder::Glz(decoder, window, id, stream) => {
                // Each image lets go of the one before, as in a long session. The id lies behind type and sizes.
                if stream.is_empty() {
                    stream.clone_from(data);
                }
                stream[21..29].copy_from_slice(&id.to_be_bytes());
                *id += 1;
                assert!(matches!(decoder.decode(stream, window), Ok(Progress::Done(_))));
            }
            Decoder::ZlibGlz(decoder, window) => {
                window.reset();
                let progress = decoder.decode(data, payload.glz_size, (width, height), window);
                assert!(matches!(progress, Ok(Progress::Done(_))));
            }
            Decoder::Lz4(decoder) => decoder.decode(data, dst).unwrap(),
            Decoder::Jpeg(decoder) => decoder.decode(data, dst).unwrap(),
            Decoder::JpegAlpha(decoder) => {
                decoder.decode(payload.jpeg_alpha.as_ref().unwrap(), data, dst).unwrap();
            }
        }
    }
}
