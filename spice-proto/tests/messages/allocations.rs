//! Decoding allocates nothing per message: payloads are slices of the received block.

use std::hint::black_box;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use spice_proto::Limits;
use spice_proto::msg::{Direction, display};
use spice_proto::msg::{Message, TableVisitor, for_each_table};
use spice_proto::testing::{MessageVisitor, Sample, Source};
use spice_proto::wire::{self, Wire};

/// A received block holds some hundred messages, each behind its number and length.
#[test]
fn a_block_of_draws_costs_one_allocation() {
    let mut block = BytesMut::with_capacity(1 << 20);
    let mut count = 0;
    for seed in 0u8..64 {
        let bytes: Vec<u8> = (0..=255u8).map(|i| i.wrapping_mul(seed).wrapping_add(seed)).collect();
        let s = &mut Source::new(&bytes);
        for message in [
            display::ServerMessage::DrawCopy(Sample::sample(s)),
            display::ServerMessage::DrawFill(Sample::sample(s)),
            display::ServerMessage::CopyBits(Sample::sample(s)),
            display::ServerMessage::DrawStroke(Sample::sample(s)),
            display::ServerMessage::DrawText(Sample::sample(s)),
            display::ServerMessage::DrawComposite(Sample::sample(s)),
            display::ServerMessage::StreamDataSized(Sample::sample(s)),
            display::ServerMessage::InvalList(Sample::sample(s)),
        ] {
            let mut body = BytesMut::new();
            message.encode_body(&mut body);
            block.put_u16_le(message.kind());
            block.put_u32_le(body.len() as u32);
            block.put(body);
            count += 1;
        }
    }

    let info = allocation_counter::measure(|| {
        while block.has_remaining() {
            let (kind, len) = (block.get_u16_le(), block.get_u32_le() as usize);
            let body = block.split_to(len).freeze();
            let message = display::ServerMessage::decode(kind, &body, Limits::default().pointers);
            assert_eq!(message.as_ref().map(Message::kind), Ok(kind));
            let copy = message.clone();
            drop(black_box((message, copy)));
            count -= 1;
        }
    });
    assert_eq!(count, 0);
    // Sharing the block among its messages takes one allocation, once per block.
    assert!(info.count_total <= 1, "{info:?}");
}

#[test]
fn no_message_allocates_on_decoding() {
    struct Tables;
    impl TableVisitor for Tables {
        fn table<M: Message>(&mut self, _: &'static str, _: Direction) {
            M::visit(self);
        }
    }
    impl MessageVisitor for Tables {
        fn payload<T: Wire + Sample + Clone + PartialEq + core::fmt::Debug>(
            &mut self,
            _: u16,
            name: &'static str,
        ) {
            for seed in 0..32u8 {
                let bytes: Vec<u8> = (0..=255u8).map(|i| i.wrapping_mul(seed) ^ seed).collect();
                let mut body = BytesMut::from(&[seed][..]);
                wire::encode(&T::sample(&mut Source::new(&bytes)), &mut body);
                let mut block = body.freeze();
                // The first slice of a block shares it, which is not the decoder's doing.
                let body: Bytes = block.split_off(1);
                let info = allocation_counter::measure(|| {
                    black_box(wire::decode::<T>(name, &body, Limits::default().pointers).is_ok());
                });
                assert_eq!(info.count_total, 0, "{name}: {body:?}");
            }
        }

        fn empty(&mut self, _: u16, _: &'static str) {}
    }
    for_each_table(&mut Tables);
}
