//! Files on their way to the guest: from a piece that was read to bodies of the main channel and back to file data, with
//! tokens; and the allocations that a body costs.
//!
//! The client's half cuts slices and copies next to nothing; writing the bodies to a stream is the session's share, and
//! its benchmark is `session`. The guest's half copies every piece together again.

use std::hint::black_box;

use bytes::{BufMut, Bytes, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use spice_agent_proto::client::{Event as ClientEvent, Output};
use spice_agent_proto::file_xfer::{FileXferResult, ReceiveEvent, SendEvent, StatusDetail};
use spice_agent_proto::frame::{DeviceReader, Port};
use spice_agent_proto::{Client, ClientConfig, Guest, GuestConfig, guest};

/// Bytes of the file.
const FILE: u64 = 16 << 20;

fn send(c: &mut Criterion) {
    let mut group = c.benchmark_group("agent");
    group.throughput(Throughput::Bytes(FILE));
    group.bench_function("client: framing and tokens", |b| {
        let piece = piece();
        b.iter(|| black_box(client_alone(&piece)));
    });
    group.bench_function("client to guest", |b| {
        let piece = piece();
        b.iter(|| black_box(to_guest(&piece)));
    });
    group.finish();
    count();
}

/// Says how many allocations a body of 2048 bytes costs, beyond those of the beginning.
fn count() {
    let piece = piece();
    let (mut client, mut guest) = (ready().0, None);
    let mut bodies = 0;
    let counted = allocation_counter::measure(|| bodies = drive(&mut client, &mut guest, &piece, FILE));
    println!(
        "agent: {} allocations and {} bytes allocated for {bodies} bodies, {:.4} per body",
        counted.count_total,
        counted.bytes_total,
        counted.count_total as f64 / bodies as f64
    );
}

/// What a reader gives at a time: read once, for the file's content is not what is measured.
fn piece() -> Bytes {
    (0..64 << 10).map(|n| n as u8).collect()
}

/// A client and an agent that have announced themselves.
fn ready() -> (Client, Guest) {
    let (mut client, mut guest) = (Client::new(ClientConfig::default()), Guest::new(GuestConfig::default()));
    client.connected(Some(TOKENS));
    let (mut device, mut input) = (DeviceReader::new(), BytesMut::new());
    while client.caps().is_none() {
        pass(&mut client, &mut guest, &mut input);
        answer(&mut client, &mut guest, &mut device);
    }
    while client.poll_event().is_some() {}
    pass(&mut client, &mut guest, &mut input);
    while guest.poll_event().is_some() {}
    (client, guest)
}

/// A file through the client's side alone: an agent that accepts it is all there is of the other.
fn client_alone(piece: &Bytes) -> u64 {
    let (mut client, mut guest) = (ready().0, None);
    drive(&mut client, &mut guest, piece, FILE)
}

/// A file through both sides.
fn to_guest(piece: &Bytes) -> u64 {
    let (mut client, guest) = ready();
    drive(&mut client, &mut Some(guest), piece, FILE)
}

/// Sends a file; gives the number of bodies. Without an agent a server's word stands for it.
fn drive(client: &mut Client, guest: &mut Option<Guest>, piece: &Bytes, size: u64) -> u64 {
    let (mut device, mut input) = (DeviceReader::new(), BytesMut::new());
    let id = client.file_send("file.bin", size).expect("the agent takes files");
    let (mut bodies, mut sent, mut received) = (0, 0, 0);
    let mut accepted = guest.is_some();
    loop {
        while let Some(output) = client.poll_output() {
            if let Output::Data(body) = output {
                bodies += 1;
                client.add_tokens(1);
                if guest.is_some() {
                    put(&body, &mut input);
                }
                black_box(&body);
            }
            if input.len() > 64 << 10 {
                break;
            }
        }
        if !accepted {
            accepted = true;
            client.handle_data(status(id));
        }
        while let Some(event) = client.poll_event() {
            match event {
                ClientEvent::File(SendEvent::Wanted { len, .. }) => {
                    client.file_data(id, piece.slice(..len)).expect("it is wanted");
                }
                ClientEvent::File(SendEvent::Progress { sent: so_far, .. }) => sent = so_far,
                _ => {}
            }
        }
        let Some(guest) = guest else {
            if sent == size {
                return bodies;
            }
            continue;
        };
        guest.handle_input(&mut input).expect("the client frames well");
        while let Some(event) = guest.poll_event() {
            match event {
                guest::Event::File(ReceiveEvent::Offered { id, .. }) => {
                    guest.file_accept(id).expect("offered")
                }
                guest::Event::File(ReceiveEvent::Data { data, .. }) => received += data.len() as u64,
                guest::Event::File(ReceiveEvent::Complete { id }) => {
                    guest.file_finish(id, FileXferResult::SUCCESS, StatusDetail::None).expect("complete");
                }
                _ => {}
            }
        }
        answer(client, guest, &mut device);
        if received == size && input.is_empty() {
            return bodies;
        }
    }
}

/// What the agent says, to the client.
fn answer(client: &mut Client, guest: &mut Guest, device: &mut DeviceReader) {
    while let Some(bytes) = guest.poll_transmit() {
        let mut bytes = BytesMut::from(bytes);
        while let Some(chunk) = device.split(&mut bytes) {
            client.handle_data(chunk.data);
        }
    }
}

/// What the client says, to the agent.
fn pass(client: &mut Client, guest: &mut Guest, input: &mut BytesMut) {
    while let Some(output) = client.poll_output() {
        if let Output::Data(body) = output {
            put(&body, input);
            client.add_tokens(1);
        }
    }
    guest.handle_input(input).expect("the client frames well");
}

/// A body as a server writes it on the guest's port.
fn put(body: &Bytes, input: &mut BytesMut) {
    input.put_u32_le(Port::CLIENT.0);
    input.put_u32_le(body.len() as u32);
    input.put_slice(body);
}

/// Word of an agent that it takes the file: message 11 with `CanSendData`.
fn status(id: u32) -> Bytes {
    let words = [1, 11, 0, 0, 8, id, 0];
    words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
}

/// Tokens at the beginning, as server 0.15.1 has it.
const TOKENS: u32 = 10;

criterion_group!(benches, send);
criterion_main!(benches);
