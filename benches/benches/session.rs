//! Streams of display messages through a channel and through a session: framing, decoding, acknowledgements and events.
//! Bytes and messages per second, allocations per message. And the reference server's scene, from its messages to the
//! session's events.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use spice_benches::{draw_copy, small};
use spice_proto::caps::{Caps, CommonCaps};
use spice_proto::channel::Channel;
use spice_proto::channel::display::{Display, DisplayConfig};
use spice_proto::frame::FrameWriter;
use spice_proto::link::{Auth, Entropy, HeaderKind, LinkReply, LinkRequest, Password};
use spice_proto::msg::display::ServerMessage;
use spice_proto::msg::{Message, base, display, main};
use spice_proto::session::{Address, Output, Session, SessionConfig, TransportId};
use spice_proto::testing::pair::Pair;
use spice_proto::testing::scene::Scene;
use spice_proto::testing::server::{ServerConfig, Show};
use spice_proto::testing::{Sample, Source, ticket_key};
use spice_proto::types::{ChannelId, ChannelType, LinkCode};
use spice_proto::wire::Counted;
use spice_proto::{Instant, Limits};

criterion_group!(benches, streams, scene);
criterion_main!(benches);

/// What one read from a socket brings.
const READ: usize = 64 << 10;

fn streams(c: &mut Criterion) {
    for (name, messages) in [("draw_copy_3k", vec![draw_copy(3072)]), ("small", small())] {
        let stream = Stream::new(&messages);
        let (mut channel, mut session) = (OneChannel::open(), OneSession::open());
        print_allocations(&format!("channel/{name}"), &stream, |read| channel.take(read));
        print_allocations(&format!("session/{name}"), &stream, |read| session.take(read));
        let mut group = c.benchmark_group("session");
        group.throughput(Throughput::ElementsAndBytes {
            elements: stream.messages as u64,
            bytes: stream.bytes.len() as u64,
        });
        group.bench_with_input(BenchmarkId::new("channel", name), &stream, |b, stream| {
            b.iter(|| stream.reads().for_each(|read| channel.take(read)));
        });
        group.bench_with_input(BenchmarkId::new("session", name), &stream, |b, stream| {
            b.iter(|| stream.reads().for_each(|read| session.take(read)));
        });
        group.finish();
    }
}

/// From the server's messages over both ends' framing to the session's events.
fn scene(c: &mut Criterion) {
    let server = ServerConfig::default().show(Show::Nothing);
    let mut pair = Pair::new(SessionConfig::new(Address::tcp("server", 5900)), server);
    pair.drive();
    drop(pair.events());
    let messages = Scene::default().messages(0);
    let mut show = || {
        let peer = pair.server.peer::<display::Display>(0).expect("the display channel is open");
        messages.iter().for_each(|message| peer.send(message));
        let before = pair.moved();
        pair.drive();
        assert!(pair.events().len() >= messages.len());
        pair.server_events();
        pair.moved() - before
    };
    // The first round warms up; buffers have their size behind it.
    show();
    let mut bytes = 0;
    let info = allocation_counter::measure(|| bytes = show());
    let each = info.count_total as f64 / messages.len() as f64;
    println!("session/scene: {each:.2} allocations per message, both ends");
    let mut group = c.benchmark_group("session");
    group.throughput(Throughput::ElementsAndBytes { elements: messages.len() as u64, bytes });
    group.bench_function("scene", |b| b.iter(&mut show));
    group.finish();
}

/// Framed messages, about 1 MiB.
struct Stream {
    bytes: Bytes,
    messages: usize,
}

impl Stream {
    fn new(messages: &[ServerMessage]) -> Self {
        let (mut writer, mut bytes, mut count) = (FrameWriter::new(HeaderKind::Mini), BytesMut::new(), 0);
        while bytes.len() < 1 << 20 {
            messages.iter().for_each(|message| writer.write(message, &mut bytes));
            count += messages.len();
        }
        Self { bytes: bytes.freeze(), messages: count }
    }

    fn reads(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks(READ)
    }
}

fn print_allocations(name: &str, stream: &Stream, mut take: impl FnMut(&[u8])) {
    stream.reads().for_each(&mut take);
    let info = allocation_counter::measure(|| stream.reads().for_each(&mut take));
    let (each, reads) = (info.count_total as f64 / stream.messages as f64, stream.reads().count());
    let per_read = info.count_total as f64 / reads as f64;
    println!("session/{name}: {each:.4} allocations per message, {per_read:.2} per read of {READ} bytes");
}

/// A display channel whose link is over.
struct OneChannel {
    channel: Channel<Display>,
    input: BytesMut,
}

impl OneChannel {
    fn open() -> Self {
        let request = LinkRequest {
            channel: ChannelId::new(ChannelType::DISPLAY, 0),
            connection_id: 1,
            common_caps: CommonCaps::MINI_HEADER,
            channel_caps: Caps::new(),
            auth: Auth::Ticket { password: Password::empty(), entropy: Entropy::new([7; 32]) },
            tls: false,
        };
        let logic = Display::new(DisplayConfig::default());
        let channel = Channel::connect(request, logic, &Limits::default(), Instant::ZERO);
        let mut this = Self { channel, input: BytesMut::new() };
        this.take(&welcome(&[set_ack()]));
        assert!(this.channel.is_open());
        this
    }

    fn take(&mut self, read: &[u8]) {
        self.input.extend_from_slice(read);
        loop {
            self.channel.handle_input(Instant::ZERO, &mut self.input).expect("well-formed messages");
            black_box(self.channel.poll_transmit());
            if !self.channel.has_events() {
                break;
            }
            while let Some(event) = self.channel.poll_event() {
                black_box(event);
            }
        }
    }
}

/// A session whose main and display channels are open.
struct OneSession {
    session: Session,
    display: TransportId,
}

impl OneSession {
    fn open() -> Self {
        let config = SessionConfig::new(Address::tcp("server", 5900)).channels(&[ChannelType::DISPLAY]);
        let mut session = Session::new(config);
        let main = connect(&mut session);
        let mut init = main::Init::sample(&mut Source::new(&[]));
        init.session_id = 1;
        let channels = [ChannelId::new(ChannelType::DISPLAY, 0)].into_iter().collect();
        let list = main::ChannelsList { channels: Counted::new(channels).expect("one") };
        let hello = [main::ServerMessage::Init(init), main::ServerMessage::ChannelsList(list)];
        give(&mut session, main, &welcome(&hello));
        let display = connect(&mut session);
        give(&mut session, display, &welcome(&[set_ack()]));
        let mut this = Self { session, display };
        this.take(&[]);
        assert_eq!(this.session.open_channels().count(), 2);
        this
    }

    fn take(&mut self, read: &[u8]) {
        give(&mut self.session, self.display, read);
        while let Some(output) = self.session.poll_output() {
            black_box(output);
        }
    }
}

/// Performs outputs until the session wants a transport, and connects that.
fn connect(session: &mut Session) -> TransportId {
    loop {
        let output = session.poll_output().expect("the session wants a transport");
        if let Output::Connect { transport, .. } = output {
            session.connected(transport, [7; 32], Instant::ZERO);
            return transport;
        }
    }
}

fn give(session: &mut Session, transport: TransportId, bytes: &[u8]) {
    session.recv_buf(transport).expect("an open transport").extend_from_slice(bytes);
    session.handle_input(transport, Instant::ZERO);
}

/// What servers ask for at the start.
fn set_ack() -> base::ServerMessage {
    base::ServerMessage::SetAck(base::SetAck { generation: 1, window: 20 })
}

/// The server's side of a link, and its first messages.
fn welcome<M: Message>(messages: &[M]) -> Bytes {
    let reply = LinkReply {
        error: LinkCode::OK,
        pub_key: ticket_key().pub_key(),
        common_caps: (CommonCaps::AUTH_SELECTION | CommonCaps::AUTH_SPICE | CommonCaps::MINI_HEADER).into(),
        channel_caps: Caps::new(),
    };
    let mut out = BytesMut::new();
    reply.encode(&mut out);
    out.extend_from_slice(&[0; 4]);
    let mut writer = FrameWriter::new(HeaderKind::Mini);
    messages.iter().for_each(|message| writer.write(message, &mut out));
    out.freeze()
}
