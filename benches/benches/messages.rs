//! Decoding and encoding of message bodies: bytes and messages per second, allocations per message.

use std::hint::black_box;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use spice_benches::{draw_copy, small};
use spice_proto::Limits;
use spice_proto::msg::Message;
use spice_proto::msg::display::ServerMessage;

criterion_group!(benches, messages);
criterion_main!(benches);

fn messages(c: &mut Criterion) {
    for (name, messages) in [("draw_copy_3k", vec![draw_copy(3072)]), ("small", small())] {
        let block = Block::new(&messages);
        block.print_allocations(name);
        let mut group = c.benchmark_group("messages");
        group.throughput(Throughput::ElementsAndBytes {
            elements: block.bodies.len() as u64,
            bytes: block.bytes.len() as u64,
        });
        group
            .bench_with_input(BenchmarkId::new("decode", name), &block, |b, block| b.iter(|| block.decode()));
        group.bench_with_input(BenchmarkId::new("encode", name), &block, |b, block| {
            let messages = block.messages();
            let mut out = BytesMut::with_capacity(block.bytes.len());
            b.iter(|| {
                out.clear();
                messages.iter().for_each(|message| message.encode_body(&mut out));
                black_box(out.len())
            });
        });
        group.finish();
    }
}

/// A received block: bodies one behind the other, about 256 KiB.
struct Block {
    bytes: Bytes,
    bodies: Vec<(u16, Range<usize>)>,
}

impl Block {
    fn new(messages: &[ServerMessage]) -> Self {
        let mut bytes = BytesMut::new();
        let mut bodies = Vec::new();
        for message in messages.iter().cycle() {
            let start = bytes.len();
            message.encode_body(&mut bytes);
            bodies.push((message.kind(), start..bytes.len()));
            if bytes.len() > 256 << 10 {
                break;
            }
        }
        // Sharing a block costs an allocation once; done here, so that messages alone are measured.
        let bytes = bytes.freeze();
        drop(bytes.clone());
        Self { bytes, bodies }
    }

    fn decode(&self) {
        for (kind, range) in &self.bodies {
            let body = self.bytes.slice(range.clone());
            drop(black_box(ServerMessage::decode(*kind, &body, Limits::default().pointers)));
        }
    }

    fn messages(&self) -> Vec<ServerMessage> {
        let decode = |(kind, range): &(u16, Range<usize>)| {
            ServerMessage::decode(*kind, &self.bytes.slice(range.clone()), Limits::default().pointers)
        };
        self.bodies.iter().map(decode).collect::<Result<_, _>>().expect("own messages decode")
    }

    fn print_allocations(&self, name: &str) {
        let info = allocation_counter::measure(|| self.decode());
        let each = info.count_total as f64 / self.bodies.len() as f64;
        println!("messages/decode/{name}: {each} allocations per message");
    }
}
