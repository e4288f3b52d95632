//! One channel behind its link, either side, against any messages.

use std::fmt::Debug;

use bytes::BytesMut;
use spice_proto::caps::{Caps, CommonCaps};
use spice_proto::channel::display::{Display, DisplayConfig};
use spice_proto::channel::inputs::Inputs;
use spice_proto::channel::main::Main;
use spice_proto::channel::peer::FromClient;
use spice_proto::channel::relay::Relay;
use spice_proto::channel::{Channel, ChannelEvent, Logic, Peer};
use spice_proto::frame::FrameWriter;
use spice_proto::link::{Auth, HeaderKind, LinkRequest};
use spice_proto::msg::{self, Message, Protocol, base};
use spice_proto::types::{ChannelId, ChannelType};
use spice_proto::{Instant, Limits, ProtocolError};

use crate::chunks::Chunks;
use crate::link::reply;
use crate::link::sasl::{TOY_SUCCEEDS, Toy};
use crate::memory::bounded;
use crate::script;

/// A client's channel gives the same events, answers and errors however the server's bytes are cut.
///
/// Input: the kind of channel, one byte whose lowest bit chooses the header, cuts as in `Chunks`, records as in
/// `script`.
pub fn channel(data: &[u8]) {
    let Some((&[kind, options], rest)) = data.split_first_chunk() else { return };
    match kind % 10 {
        0 => client(ChannelType::MAIN, || Main::new(msg::main::MouseModes::CLIENT), options, rest),
        1 => client(ChannelType::DISPLAY, || Display::new(DisplayConfig::default()), options, rest),
        2 => client(ChannelType::INPUTS, Inputs::default, options, rest),
        3 => relay::<msg::cursor::Cursor>(options, rest),
        4 => relay::<msg::audio::playback::Playback>(options, rest),
        5 => relay::<msg::audio::record::Record>(options, rest),
        6 => relay::<msg::smartcard::Smartcard>(options, rest),
        7 => relay::<msg::vmc::UsbRedir>(options, rest),
        8 => relay::<msg::port::Port>(options, rest),
        _ => relay::<msg::port::Webdav>(options, rest),
    }
}

/// A server's channel gives the same messages and errors however the client's bytes are cut, and what it takes encodes
/// to something that it takes for the same.
///
/// Input: as for [`channel`]; the second bit of the options asks for acknowledgements.
pub fn peer(data: &[u8]) {
    let Some((&[kind, options], rest)) = data.split_first_chunk() else { return };
    match kind % 10 {
        0 => server::<msg::main::Main>(options, rest),
        1 => server::<msg::display::Display>(options, rest),
        2 => server::<msg::inputs::Inputs>(options, rest),
        3 => server::<msg::cursor::Cursor>(options, rest),
        4 => server::<msg::audio::playback::Playback>(options, rest),
        5 => server::<msg::audio::record::Record>(options, rest),
        6 => server::<msg::smartcard::Smartcard>(options, rest),
        7 => server::<msg::vmc::UsbRedir>(options, rest),
        8 => server::<msg::port::Port>(options, rest),
        _ => server::<msg::port::Webdav>(options, rest),
    }
}

fn relay<P: Protocol>(options: u8, rest: &[u8]) {
    client(P::CHANNEL, Relay::<P>::default, options, rest);
}

fn header(options: u8) -> HeaderKind {
    if options & 1 == 0 { HeaderKind::Mini } else { HeaderKind::Full }
}

/// The stream that records stand for.
fn stream<M: Message, B: Message>(header: HeaderKind, records: &[u8]) -> BytesMut {
    let (mut writer, mut out) = (FrameWriter::new(header), BytesMut::new());
    for (flags, content) in script::records(records) {
        script::write::<M, B>(flags, content, &mut writer, &mut out);
    }
    out
}

fn client<L: Logic>(kind: ChannelType, logic: impl Fn() -> L, options: u8, rest: &[u8])
where
    L::Event: Debug + PartialEq,
{
    let chunks = Chunks::new(rest);
    let header = header(options);
    let mut script = BytesMut::new();
    let common = if header == HeaderKind::Mini { CommonCaps::MINI_HEADER } else { CommonCaps::empty() };
    reply(common | CommonCaps::AUTH_SASL).encode(&mut script);
    script.extend_from_slice(TOY_SUCCEEDS);
    script.extend_from_slice(&[0; 4]);
    script.extend_from_slice(&stream::<L::In, base::ServerMessage>(header, chunks.stream()));
    let id = ChannelId::new(kind, 0);
    let whole = Dialogue::of(id, logic(), [&script[..]].into_iter());
    // Events are slices of what was received, and as many as messages, the smallest of which takes 6 bytes.
    let bound = (256 << 10) + 128 * script.len();
    let cut = chunks.with_stream(&script);
    let cut = bounded("a channel", bound, || Dialogue::of(id, logic(), cut));
    assert_eq!(whole, cut);
}

/// What a client's channel made of a stream.
#[derive(Debug, PartialEq)]
struct Dialogue<E> {
    events: Vec<ChannelEvent<E>>,
    /// Empty after an error: whether the last answers were sent before it depends on the chunks.
    sent: Vec<u8>,
    end: Result<BytesMut, ProtocolError>,
}

impl<E: Debug + PartialEq> Dialogue<E> {
    fn of<'a, L: Logic<Event = E>>(id: ChannelId, logic: L, chunks: impl Iterator<Item = &'a [u8]>) -> Self {
        let limits = Limits::default();
        let request = LinkRequest {
            channel: id,
            connection_id: 0,
            common_caps: CommonCaps::MINI_HEADER,
            channel_caps: Caps::new(),
            // Sealing a ticket would take a hundred times as long as everything else.
            auth: Auth::Sasl(Box::new(Toy { speaks_first: true })),
            tls: true,
        };
        let mut channel = Channel::connect(request, logic, &limits, Instant::ZERO);
        let mut sent = channel.poll_transmit().map(Vec::from).unwrap_or_default();
        let (mut input, mut events, mut end) = (BytesMut::new(), Vec::new(), Ok(()));
        for chunk in chunks {
            input.extend_from_slice(chunk);
            loop {
                let result = channel.handle_input(Instant::ZERO, &mut input);
                assert!(end.is_ok() || end == result, "an error stays");
                end = result;
                sent.extend(channel.poll_transmit().unwrap_or_default());
                let held = !channel.wants_input();
                let before = events.len();
                while let Some(event) = channel.poll_event() {
                    events.push(event);
                }
                // A few events may come of one message.
                assert!(events.len() - before <= limits.queued_events + 4, "too many events wait");
                channel.release();
                assert!(channel.wants_input(), "nothing holds the channel");
                if !held {
                    break;
                }
            }
        }
        if end.is_err() {
            sent.clear();
        }
        Self { events, sent, end: end.map(|()| input) }
    }
}

fn server<P: Protocol>(options: u8, rest: &[u8]) {
    let chunks = Chunks::new(rest);
    let header = header(options);
    let script = stream::<P::Client, base::ClientMessage>(header, chunks.stream());
    let whole = Requests::<P>::of(options, [&script[..]].into_iter());
    let bound = (64 << 10) + 64 * script.len();
    let cut = chunks.with_stream(&script);
    let cut = bounded("a server's channel", bound, || Requests::<P>::of(options, cut));
    assert_eq!(whole.messages, cut.messages);
    assert_eq!(whole.end, cut.end);
    let (mut writer, mut out) = (FrameWriter::new(header), BytesMut::new());
    for message in &whole.messages {
        match message {
            Ok(message) => writer.write(message, &mut out),
            Err(message) => writer.write(message, &mut out),
        }
    }
    let again = Requests::<P>::of(options, [&out[..]].into_iter());
    assert_eq!(again.messages, whole.messages);
}

/// What a server's channel made of a stream.
struct Requests<P: Protocol> {
    /// Messages of the channel's own, and as errors those that all channels share.
    messages: Vec<Result<P::Client, base::ClientMessage>>,
    end: Result<BytesMut, ProtocolError>,
}

impl<P: Protocol> Requests<P> {
    fn of<'a>(options: u8, chunks: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut peer = Peer::<P>::new(header(options), &Limits::default());
        if options & 2 != 0 {
            peer.set_ack(20);
        }
        let (mut input, mut messages) = (BytesMut::new(), Vec::new());
        for chunk in chunks {
            input.extend_from_slice(chunk);
            loop {
                match peer.next_message(&mut input) {
                    Ok(Some(FromClient::Own(message))) => messages.push(Ok(message)),
                    Ok(Some(FromClient::Base(message))) => messages.push(Err(message)),
                    Ok(None) => break,
                    Err(error) => {
                        let again = peer.next_message(&mut input);
                        assert!(matches!(again, Err(again) if again == error), "an error stays");
                        return Self { messages, end: Err(error) };
                    }
                }
            }
        }
        Self { messages, end: Ok(input) }
    }
}
