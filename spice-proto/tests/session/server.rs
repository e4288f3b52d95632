//! The server against clients that break the rules or want what they may not have.

use bytes::BytesMut;
use spice_proto::caps::{Caps, CommonCaps};
use spice_proto::frame::FrameWriter;
use spice_proto::link::{Auth, Entropy, LinkClient, LinkError, LinkRequest, Password};
use spice_proto::msg::main::{self, MigrateDstDoSeamless};
use spice_proto::msg::{Message, base, cursor, display, inputs};
use spice_proto::session::Security;
use spice_proto::testing::server::{ConnectionId, Received, Server, ServerEvent, ServerOutput};
use spice_proto::testing::ticket_key;
use spice_proto::types::{ChannelId, ChannelType};
use spice_proto::wire::Rest;
use spice_proto::{Instant, Limits, ProtocolError};

use super::{CURSOR, DISPLAY, INPUTS, server};

/// A server and whoever comes.
struct Crowd {
    server: Server,
    closed: Vec<ConnectionId>,
    events: Vec<ServerEvent>,
}

/// A linked client.
struct Member {
    connection: ConnectionId,
    writer: FrameWriter,
}

impl Crowd {
    fn new() -> Self {
        Self { server: Server::new(server(), [1; 32]), closed: Vec::new(), events: Vec::new() }
    }

    /// Performs outputs; what is for one connection goes to `reply`.
    fn settle(&mut self, reply: &mut dyn FnMut(ConnectionId, &[u8])) {
        while let Some(output) = self.server.poll_output() {
            match output {
                ServerOutput::Transmit { connection, data } => reply(connection, &data),
                ServerOutput::Close { connection } => self.closed.push(connection),
                ServerOutput::Event(ServerEvent::KeyWanted(connection)) => {
                    self.server.key(connection, ticket_key(), Entropy::new([2; 32]), Instant::ZERO);
                }
                ServerOutput::Event(event) => self.events.push(event),
            }
        }
    }

    fn bytes(&mut self, connection: ConnectionId, bytes: &[u8]) {
        if let Some(buf) = self.server.recv_buf(connection) {
            buf.extend_from_slice(bytes);
            self.server.handle_input(connection, Instant::ZERO);
        }
    }

    fn link(&mut self, channel: ChannelId, connection_id: u32) -> Result<Member, LinkError> {
        let request = LinkRequest {
            channel,
            connection_id,
            common_caps: CommonCaps::MINI_HEADER,
            channel_caps: Caps::new(),
            auth: Auth::Ticket { password: Password::empty(), entropy: Entropy::new([3; 32]) },
            tls: false,
        };
        let mut link = LinkClient::new(request, &Limits::default(), Instant::ZERO);
        let connection = self.server.accept(Security::Plain, Instant::ZERO).expect("room");
        let mut input = BytesMut::new();
        loop {
            while let Some(bytes) = link.poll_transmit() {
                self.bytes(connection, &bytes);
            }
            let before = input.len();
            self.settle(&mut |to, bytes| {
                if to == connection {
                    input.extend_from_slice(bytes);
                }
            });
            assert!(input.len() > before, "the server is silent");
            link.handle_input(Instant::ZERO, &mut input)?;
            if let Some(outcome) = link.poll_outcome() {
                return Ok(Member { connection, writer: FrameWriter::new(outcome.header) });
            }
        }
    }

    /// Links main and gives the session's id with it.
    fn session(&mut self) -> (Member, u32) {
        let main = self.link(ChannelId::MAIN, 0).expect("main is open to everybody");
        (main, self.server.session().expect("a session"))
    }

    fn say<M: Message>(&mut self, member: &mut Member, message: &M) {
        let mut bytes = BytesMut::new();
        member.writer.write(message, &mut bytes);
        self.bytes(member.connection, &bytes);
        self.settle(&mut |_, _| {});
    }

    fn is_closed(&self, member: &Member) -> bool {
        self.closed.contains(&member.connection)
    }

    /// Whether one channel was closed for breaking a rule.
    fn was_broken(&self, member: &Member) -> bool {
        self.events.iter().any(|event| {
            matches!(event, ServerEvent::Closed { connection, error: Some(ProtocolError::Broken { .. }), .. }
                if *connection == member.connection)
        })
    }
}

#[test]
fn a_new_main_channel_replaces_the_session() {
    let mut crowd = Crowd::new();
    let (main, first) = crowd.session();
    let display = crowd.link(DISPLAY, first).unwrap();
    let (newcomer, second) = crowd.session();
    assert_ne!(first, second);
    assert!(crowd.is_closed(&main) && crowd.is_closed(&display) && !crowd.is_closed(&newcomer));
    assert_eq!(crowd.server.connections(), 1);
    assert_eq!(crowd.link(DISPLAY, first).err(), Some(LinkError::BadConnectionId));
    assert!(crowd.link(DISPLAY, second).is_ok());
    assert!(crowd.events.contains(&ServerEvent::SessionEnded { session: first }));
}

#[test]
fn channels_need_a_session_and_must_exist_and_come_once() {
    let mut crowd = Crowd::new();
    assert_eq!(crowd.link(DISPLAY, 0).err(), Some(LinkError::BadConnectionId));
    assert_eq!(crowd.link(ChannelId::MAIN, 5).err(), Some(LinkError::BadConnectionId));
    let (_main, session) = crowd.session();
    let absent = Some(LinkError::ChannelNotAvailable);
    assert_eq!(crowd.link(ChannelId::new(ChannelType::DISPLAY, 1), session).err(), absent);
    assert_eq!(crowd.link(ChannelId::new(ChannelType::PLAYBACK, 0), session).err(), absent);
    assert_eq!(crowd.link(ChannelId::new(ChannelType(99), 0), session).err(), absent);
    assert_eq!(crowd.link(DISPLAY, session ^ 1).err(), Some(LinkError::BadConnectionId));
    let display = crowd.link(DISPLAY, session).unwrap();
    assert_eq!(crowd.link(DISPLAY, session).err(), absent);
    assert!(!crowd.is_closed(&display));
    assert_eq!(crowd.server.open_channels().count(), 2);
}

/// Each of these ends the process of server 0.15.1, or the channel.
#[test]
fn what_clients_must_not_send_ends_their_channel_and_nothing_else() {
    let flush = || base::ClientMessage::MigrateFlushMark;
    let data = || base::ClientMessage::MigrateData(Rest(vec![1, 2, 3].into()));
    let strange = |kind| cursor::ClientMessage::Unknown { kind, body: Default::default() };
    for channel in [DISPLAY, INPUTS, CURSOR] {
        for offence in 0..4 {
            let mut crowd = Crowd::new();
            let (main, session) = crowd.session();
            let mut member = crowd.link(channel, session).unwrap();
            match offence {
                0 => crowd.say(&mut member, &flush()),
                1 => crowd.say(&mut member, &data()),
                2 => crowd.say(&mut member, &strange(99)),
                _ => crowd.say(&mut member, &strange(500)),
            }
            assert!(crowd.is_closed(&member) && crowd.was_broken(&member), "{channel}, {offence}");
            assert!(!crowd.is_closed(&main));
            assert_eq!(crowd.server.connections(), 1);
        }
    }
}

#[test]
fn a_display_is_initialised_once_and_first() {
    let init = display::ClientMessage::Init(display::Init::default());
    let mut crowd = Crowd::new();
    let (_main, session) = crowd.session();
    let mut display = crowd.link(DISPLAY, session).unwrap();
    crowd.say(&mut display, &init);
    assert!(!crowd.is_closed(&display));
    crowd.say(&mut display, &init);
    assert!(crowd.was_broken(&display));

    let mut display = crowd.link(DISPLAY, session).unwrap();
    crowd.say(&mut display, &display::ClientMessage::GlDrawDone);
    assert!(crowd.was_broken(&display));

    let display = crowd.link(DISPLAY, session).unwrap();
    let deadline = crowd.server.poll_timeout().expect("INIT is waited for");
    crowd.server.handle_timeout(deadline);
    assert!(crowd.server.open_channels().all(|channel| channel != DISPLAY));
    crowd.settle(&mut |_, _| {});
    assert!(crowd.was_broken(&display));
}

#[test]
fn the_main_channels_offences_end_the_session() {
    let offences = [
        main::ClientMessage::ClientInfo(Default::default()),
        main::ClientMessage::QualityIndicator(Rest::default()),
        main::ClientMessage::MigrateDstDoSeamless(MigrateDstDoSeamless { src_version: 1 }),
        main::ClientMessage::MigrateEnd,
        main::ClientMessage::AgentData(Rest(vec![0; 2049].into())),
    ];
    for offence in offences {
        let mut crowd = Crowd::new();
        let (mut main, session) = crowd.session();
        let inputs = crowd.link(INPUTS, session).unwrap();
        crowd.say(&mut main, &offence);
        assert!(crowd.was_broken(&main), "{offence:?}");
        assert!(crowd.is_closed(&inputs), "{offence:?}");
        assert_eq!((crowd.server.connections(), crowd.server.session()), (0, None));
    }
}

#[test]
fn the_list_of_channels_comes_once() {
    let mut crowd = Crowd::new();
    let (mut main, _) = crowd.session();
    for _ in 0..3 {
        crowd.say(&mut main, &main::ClientMessage::AttachChannels);
    }
    // Init, then the list; this client wants no name.
    assert_eq!(crowd.server.peer::<main::Main>(0).unwrap().serial(), 2);
}

#[test]
fn a_flood_of_movements_is_not_answered_into_nowhere() {
    let mut config = server();
    config.limits.queued_output = 1000;
    config.limits.queued_events = 1 << 20;
    let mut crowd = Crowd { server: Server::new(config, [1; 32]), closed: Vec::new(), events: Vec::new() };
    let (_main, session) = crowd.session();
    let mut member = crowd.link(INPUTS, session).unwrap();
    let motion = inputs::ClientMessage::MouseMotion(Default::default());
    let mut bytes = BytesMut::new();
    (0..10_000).for_each(|_| member.writer.write(&motion, &mut bytes));
    // All of it is here at once, and nobody takes the answers.
    crowd.bytes(member.connection, &bytes);
    let waiting = crowd.server.peer::<inputs::Inputs>(0).unwrap().queued_output();
    assert!(waiting <= 1000 + 6, "{waiting} bytes wait");
    assert!(!crowd.server.wants_input(member.connection));
    crowd.settle(&mut |_, _| {});
    let moved = crowd.events.iter().filter(|event| {
        matches!(event, ServerEvent::Received { message: Received::Inputs(message), .. } if *message == motion)
    });
    assert_eq!(moved.count(), 10_000);
}

#[test]
fn a_stranger_is_told_what_is_wrong() {
    let mut crowd = Crowd::new();
    let connection = crowd.server.accept(Security::Plain, Instant::ZERO).unwrap();
    crowd.bytes(connection, b"GET / HTTP/1.1\r\n\r\n");
    let mut reply = Vec::new();
    crowd.settle(&mut |_, bytes| reply.extend_from_slice(bytes));
    assert_eq!((reply.len(), reply[16]), (16 + 178, 2));
    assert_eq!(crowd.closed, [connection]);
    assert!(!crowd.server.knows(connection));
}
