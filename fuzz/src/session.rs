//! A whole session against a server that sends anything on any channel, with a driver that does its duty.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::BytesMut;
use spice_proto::Instant;
use spice_proto::caps::CommonCaps;
use spice_proto::channel::inputs::Scancode;
use spice_proto::frame::FrameWriter;
use spice_proto::link::HeaderKind;
use spice_proto::msg::main::{ChannelsList, Init};
use spice_proto::msg::{self, base};
use spice_proto::session::{Address, Event, Output, Session, SessionConfig, TransportId};
use spice_proto::testing::{Sample, Source};
use spice_proto::types::{ChannelId, ChannelType};
use spice_proto::wire::Counted;

use crate::link::reply;
use crate::memory::bounded;
use crate::script;

/// A session keeps its promises to the driver whatever the server sends, and ends once.
///
/// Input: records as in `script`. Two bits of a record's flags choose one of the channels that are connected, three
/// what happens; see the source.
pub fn session(data: &[u8]) {
    let bound = (1 << 20) + 256 * data.len();
    bounded("a session", bound, || {
        let mut driver = Driver::new();
        for (flags, content) in script::records(data) {
            driver.perform();
            if driver.ended {
                break;
            }
            driver.step(flags, content);
        }
        driver.perform();
        driver.session.disconnect(driver.now);
        driver.perform();
        // Displays that the server has only begun to serve are kept this long at the most.
        driver.now = driver.now + Duration::from_secs(2);
        driver.session.handle_timeout(driver.now);
        driver.perform();
        assert!(driver.ended && driver.session.is_over(), "the session has no end");
        assert!(driver.transports.values().all(|transport| transport.closed), "a transport was left open");
    });
}

/// Every kind of channel.
const KINDS: [ChannelType; 10] = [
    ChannelType::MAIN,
    ChannelType::DISPLAY,
    ChannelType::INPUTS,
    ChannelType::CURSOR,
    ChannelType::PLAYBACK,
    ChannelType::RECORD,
    ChannelType::SMARTCARD,
    ChannelType::USBREDIR,
    ChannelType::PORT,
    ChannelType::WEBDAV,
];

struct Driver {
    session: Session,
    now: Instant,
    transports: BTreeMap<TransportId, Transport>,
    ended: bool,
}

struct Transport {
    channel: ChannelId,
    writer: FrameWriter,
    /// What is on its way to the session.
    pending: BytesMut,
    /// Closed by either side.
    closed: bool,
    /// The session has said so.
    released: bool,
}

impl Driver {
    fn new() -> Self {
        let config = SessionConfig::new(Address::tcp("host", 5900)).channels(&KINDS);
        let session = Session::new(config);
        Self { session, now: Instant::from_millis(1000), transports: BTreeMap::new(), ended: false }
    }

    fn step(&mut self, flags: u8, content: &[u8]) {
        let open: Vec<_> = self.transports.iter().filter(|(_, t)| !t.closed).map(|(id, _)| *id).collect();
        let Some(&id) = open.get(usize::from(flags & 3) % open.len().max(1)) else { return };
        let channel = self.transports[&id].channel;
        match flags >> 2 & 7 {
            what @ 0..=3 => self.say(id, what, content),
            4 if channel == ChannelId::MAIN => self.welcome(id, content),
            4 => self.close(id),
            5 => self.wait(content),
            6 => self.command(content),
            // The server goes on after its own end, or the session is closed by its owner.
            _ if content.is_empty() => self.session.disconnect(self.now),
            _ => self.say(id, 3, content),
        }
    }

    /// The server sends on a channel.
    fn say(&mut self, id: TransportId, what: u8, content: &[u8]) {
        let Some(Transport { channel, writer, pending, .. }) = self.transports.get_mut(&id) else { return };
        macro_rules! tables {
            ($($kind:ident => $protocol:ty),*) => {
                match channel.kind {
                    $(ChannelType::$kind => script::write::<
                        <$protocol as msg::Protocol>::Server,
                        base::ServerMessage,
                    >(what, content, writer, pending),)*
                    other => panic!("{other:?} was not asked for"),
                }
            };
        }
        tables! {
            MAIN => msg::main::Main, DISPLAY => msg::display::Display, INPUTS => msg::inputs::Inputs,
            CURSOR => msg::cursor::Cursor, PLAYBACK => msg::audio::playback::Playback,
            RECORD => msg::audio::record::Record, SMARTCARD => msg::smartcard::Smartcard,
            USBREDIR => msg::vmc::UsbRedir, PORT => msg::port::Port, WEBDAV => msg::port::Webdav
        }
        self.deliver(id);
    }

    /// The server introduces itself and lists channels.
    fn welcome(&mut self, id: TransportId, content: &[u8]) {
        let Some(Transport { writer, pending, .. }) = self.transports.get_mut(&id) else { return };
        writer.write(&msg::main::ServerMessage::Init(Init::sample(&mut Source::new(content))), pending);
        let listed = content.iter().map(|byte| {
            let kind = KINDS.get(usize::from(byte & 15)).copied().unwrap_or(ChannelType(byte & 15));
            ChannelId::new(kind, byte >> 4)
        });
        let channels = Counted::new(listed.collect()).expect("fewer than 2³²");
        writer.write(&msg::main::ServerMessage::ChannelsList(ChannelsList { channels }), pending);
        self.deliver(id);
    }

    /// Moves what is pending to the session, as far as it takes it.
    fn deliver(&mut self, id: TransportId) {
        let Some(transport) = self.transports.get_mut(&id) else { return };
        if transport.closed || transport.pending.is_empty() || !self.session.wants_input(id) {
            return;
        }
        let buffer = self.session.recv_buf(id).expect("a transport that is open has a buffer");
        buffer.extend_from_slice(&transport.pending.split());
        self.session.handle_input(id, self.now);
    }

    /// The server closes a connection.
    fn close(&mut self, id: TransportId) {
        if let Some(transport) = self.transports.get_mut(&id) {
            transport.closed = true;
            self.session.closed(id, self.now);
        }
    }

    /// Time goes by, to the next deadline or a little.
    fn wait(&mut self, content: &[u8]) {
        match (content.first(), self.session.poll_timeout()) {
            (None, Some(deadline)) => self.now = self.now.max(deadline),
            (ms, _) => {
                let ms = u64::from(ms.copied().unwrap_or(1));
                self.now = self.now + Duration::from_millis(ms * 16);
            }
        }
        self.session.handle_timeout(self.now);
    }

    /// The application does something. Errors are its own affair.
    fn command(&mut self, content: &[u8]) {
        let mut source = Source::new(content);
        let now = self.now;
        match source.byte() & 3 {
            0 => {
                if let Some(inputs) = self.session.inputs() {
                    let _ = inputs.motion(now, i32::sample(&mut source), i32::sample(&mut source));
                    let _ = inputs.position(now, u32::sample(&mut source), u32::sample(&mut source), 0);
                }
            }
            1 => {
                if let Some(inputs) = self.session.inputs() {
                    let _ = inputs.scancodes(now, content);
                    let _ = inputs.key_down(now, Scancode::extended(source.byte()));
                    let _ = inputs.key_up(now, Scancode::plain(source.byte()));
                }
            }
            2 => {
                if let Some(main) = self.session.main() {
                    let _ = main.start_agent(now, u32::sample(&mut source));
                    let _ = main.send_agent_data(now, source.payload());
                }
            }
            _ => {
                if let Some(display) = self.session.display(0) {
                    let report = msg::display::StreamReport::sample(&mut source);
                    let _ = display.report_stream(now, report);
                }
            }
        }
    }

    /// Performs all that the session asks for, until it has nothing more to say.
    fn perform(&mut self) {
        // Every round moves bytes or takes something from the session; what it can say is bounded by what it got.
        for _ in 0..100_000 {
            let Some(output) = self.session.poll_output() else {
                let waiting: Vec<_> = self.transports.keys().copied().collect();
                let before = self.pending();
                waiting.into_iter().for_each(|id| self.deliver(id));
                if self.pending() == before {
                    return self.check_timeout();
                }
                continue;
            };
            match output {
                Output::Connect { transport, channel, .. } => self.connect(transport, channel),
                Output::Transmit { transport, data } => {
                    assert!(!data.is_empty(), "nothing to write");
                    let transport = self.transports.get(&transport).expect("a transport that was asked for");
                    assert!(!transport.released, "bytes for a closed transport");
                }
                Output::Close { transport } => {
                    let transport =
                        self.transports.get_mut(&transport).expect("a transport that was asked for");
                    assert!(!transport.released, "closed twice");
                    (transport.closed, transport.released) = (true, true);
                }
                Output::Event(event) => {
                    assert!(!self.ended, "{event:?} after the end");
                    self.ended = matches!(event, Event::Ended(_));
                }
            }
        }
        panic!("the session never comes to rest");
    }

    fn pending(&self) -> usize {
        self.transports.values().map(|transport| transport.pending.len()).sum()
    }

    fn connect(&mut self, id: TransportId, channel: ChannelId) {
        let mut pending = BytesMut::new();
        reply(CommonCaps::AUTH_SPICE | CommonCaps::MINI_HEADER).encode(&mut pending);
        pending.extend_from_slice(&[0; 4]);
        let writer = FrameWriter::new(HeaderKind::Mini);
        let transport = Transport { channel, writer, pending, closed: false, released: false };
        assert!(self.transports.insert(id, transport).is_none(), "a transport was asked for twice");
        self.session.connected(id, [7; 32], self.now);
        self.deliver(id);
    }

    /// A deadline that has been dealt with is over.
    fn check_timeout(&mut self) {
        if self.session.poll_timeout().is_some_and(|deadline| deadline <= self.now) {
            self.session.handle_timeout(self.now);
            let next = self.session.poll_timeout();
            assert!(next.is_none_or(|next| next > self.now), "the driver would spin at a deadline");
        }
    }
}
