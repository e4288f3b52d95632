//! Image codecs: pixels and bytes per second of every codec, both directions.
//!
//! The pictures are those of the folder that the variable `SPICE_PICTURES` names (PNG files), or generated ones of
//! the same kinds: a desktop, text, a photograph, a gradient, one colour, noise, and a translucent shape.
//! The name of a result says what was measured and how much smaller the payload is than 32-bit pixels.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use spice_benches::codecs::{CODECS, CodecName, Decoder, Encoder, Payload, Picture, pictures};

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
