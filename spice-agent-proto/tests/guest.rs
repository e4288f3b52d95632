//! The agent's side: its device, its clients, the server.

use bytes::BytesMut;
use spice_agent_proto::caps::AnnounceCapabilities;
use spice_agent_proto::clipboard::{DataType, Selection};
use spice_agent_proto::file_xfer::FileXferData;
use spice_agent_proto::frame::Port;
use spice_agent_proto::guest::Event;
use spice_agent_proto::monitors::{Monitor, MonitorsConfig};
use spice_agent_proto::msg::{
    AudioVolumeSync, DisplayConfig, DisplayFlags, Message, MessageType, Reply, ReplyCode,
};
use spice_agent_proto::server::{AgentButtons, GraphicsDeviceInfo, MouseState};
use spice_agent_proto::{AgentCaps, AgentError, Guest, GuestConfig, testing};
use spice_proto::wire::Counted;

use crate::peers::{FULL, LoneGuest, put_chunk};

fn announcement(request: bool, caps: AgentCaps) -> Message {
    Message::AnnounceCapabilities(AnnounceCapabilities::new(request, caps))
}

fn mouse(x: u32) -> MouseState {
    MouseState { x, y: 2, buttons: AgentButtons::LEFT, display_id: 0 }
}

#[test]
fn an_agent_announces_itself_and_asks_once() {
    let mut lone = LoneGuest::new(GuestConfig::default());
    assert_eq!(lone.said(), [announcement(true, AgentCaps::AGENT)]);
    lone.says(&announcement(true, AgentCaps::CLIENT));
    assert_eq!(lone.said(), [announcement(false, AgentCaps::AGENT)]);
    assert_eq!(lone.events(), [Event::Ready(AgentCaps::CLIENT)]);
    lone.says(&announcement(false, AgentCaps::CLIENT));
    assert!(lone.said().is_empty() && lone.events().is_empty());
}

#[test]
fn what_waits_for_a_client_that_has_gone_is_dropped() {
    let mut lone = LoneGuest::ready(AgentCaps::CLIENT);
    lone.guest.clipboard_grab(Selection::Clipboard, &[DataType::UTF8_TEXT]).unwrap();
    lone.says(&announcement(true, AgentCaps::empty()));
    assert_eq!(lone.said(), [announcement(false, AgentCaps::AGENT)]);
    assert!(!lone.guest.clipboard_owns(Selection::Clipboard));
}

#[test]
fn everything_that_client_and_server_say_is_an_event() {
    let mut lone = LoneGuest::ready(AgentCaps::CLIENT);
    let monitors = MonitorsConfig::new(&[Monitor::new(800, 600)], false).unwrap();
    let display = DisplayConfig { flags: DisplayFlags::DISABLE_ANIMATION, depth: 0 };
    let volume = AudioVolumeSync { is_playback: 1, mute: 0, volume: Counted::default() };
    let devices = GraphicsDeviceInfo::default();
    lone.says(&Message::MonitorsConfig(monitors.clone()));
    lone.says(&Message::DisplayConfig(display));
    lone.says(&Message::AudioVolumeSync(volume.clone()));
    lone.says_on(Port::SERVER, &Message::MouseState(mouse(1)));
    lone.says_on(Port::SERVER, &Message::GraphicsDeviceInfo(devices.clone()));
    lone.says_on(Port::SERVER, &Message::ClientDisconnected);
    let expected = [
        Event::Monitors(monitors),
        Event::Display(display),
        Event::Volume(volume),
        Event::Mouse(mouse(1)),
        Event::GraphicsDevices(devices),
        Event::Gone,
    ];
    assert_eq!(lone.events(), expected);
    assert_eq!(lone.said(), []);
}

#[test]
fn replies_go_to_clients_that_want_them() {
    let mut lone = LoneGuest::ready(AgentCaps::CLIENT);
    lone.guest.reply(MessageType::MONITORS_CONFIG, false).unwrap();
    let reply = Reply { kind: MessageType::MONITORS_CONFIG, error: ReplyCode::ERROR };
    assert_eq!(lone.said(), [Message::Reply(reply)]);
    let mut lone = LoneGuest::ready(AgentCaps::CLIENT - AgentCaps::REPLY);
    lone.guest.reply(MessageType::MONITORS_CONFIG, true).unwrap();
    assert_eq!(lone.said(), []);
}

#[test]
fn the_server_may_speak_inside_a_message_of_the_client() {
    let mut guest = Guest::new(GuestConfig::default());
    let monitors = MonitorsConfig::new(&[Monitor::new(800, 600); 150], false).unwrap();
    let mut chunks = testing::chunks(&Message::MonitorsConfig(monitors.clone()), FULL);
    let server = testing::chunks(&Message::MouseState(mouse(1)), FULL).next().unwrap();
    let mut input = BytesMut::new();
    put_chunk(&mut input, Port::CLIENT, &chunks.next().unwrap());
    put_chunk(&mut input, Port::SERVER, &server);
    put_chunk(&mut input, Port::CLIENT, &chunks.next().unwrap());
    // In single bytes, as a device may give them.
    let mut read = BytesMut::new();
    for byte in input {
        read.extend_from_slice(&[byte]);
        guest.handle_input(&mut read).unwrap();
    }
    assert_eq!(guest.poll_event(), Some(Event::Mouse(mouse(1))));
    assert_eq!(guest.poll_event(), Some(Event::Monitors(monitors)));
}

#[test]
fn an_unknown_port_ends_the_stream() {
    for port in [0, 3, u32::MAX] {
        let mut guest = Guest::new(GuestConfig::default());
        let mut input = BytesMut::new();
        put_chunk(&mut input, Port(port), &[0]);
        let error = guest.handle_input(&mut input).unwrap_err();
        assert!(matches!(error, AgentError::Broken { .. }));
        assert_eq!(guest.handle_input(&mut BytesMut::new()), Err(error));
    }
}

#[test]
fn limit_queued_events() {
    let mut config = GuestConfig::default();
    config.limits.queued_events = 3;
    let mut guest = Guest::new(config);
    let mut input = BytesMut::new();
    // All in one chunk, which must be left in the middle.
    let mut chunk = BytesMut::new();
    for x in 0..10 {
        chunk.extend(testing::chunks(&Message::MouseState(mouse(x)), FULL).flatten());
    }
    put_chunk(&mut input, Port::SERVER, &chunk);
    let mut seen = Vec::new();
    while seen.len() < 10 {
        guest.handle_input(&mut input).unwrap();
        assert!(!guest.wants_input() || seen.len() + 3 > 10);
        let events: Vec<Event> = std::iter::from_fn(|| guest.poll_event()).collect();
        assert!((1..=3).contains(&events.len()));
        seen.extend(events);
    }
    let expected: Vec<Event> = (0..10).map(|x| Event::Mouse(mouse(x))).collect();
    assert_eq!(seen, expected);
}

#[test]
fn limit_queued_answers() {
    let mut config = GuestConfig::default();
    config.limits.queued_answers = 3;
    let mut guest = Guest::new(config);
    let mut input = BytesMut::new();
    for _ in 0..100 {
        let chunk = testing::chunks(&announcement(true, AgentCaps::REPLY), FULL).next().unwrap();
        put_chunk(&mut input, Port::CLIENT, &chunk);
        let chunk = testing::chunks(&Message::ClipboardRequest(request()), FULL).next().unwrap();
        put_chunk(&mut input, Port::CLIENT, &chunk);
    }
    let mut config_events = 0;
    while !input.is_empty() {
        let before = input.len();
        guest.handle_input(&mut input).unwrap();
        while guest.poll_event().is_some() {
            config_events += 1;
        }
        if input.len() == before {
            guest.poll_transmit().unwrap();
        }
    }
    assert!(config_events > 0);
}

fn request() -> spice_agent_proto::clipboard::ClipboardRequest {
    spice_agent_proto::clipboard::ClipboardRequest {
        selection: Selection::Clipboard,
        kind: DataType::UTF8_TEXT,
    }
}

#[test]
fn a_stream_of_files_costs_no_allocation_per_chunk() {
    let mut lone = LoneGuest::ready(AgentCaps::CLIENT);
    let metadata = spice_agent_proto::file_xfer::Metadata { name: "a".into(), size: u64::MAX };
    lone.says(&Message::FileXferStart(spice_agent_proto::file_xfer::FileXferStart::new(1, &metadata)));
    lone.guest.file_accept(1).unwrap();
    lone.said();
    lone.events();
    let piece = Message::FileXferData(FileXferData::new(1, vec![7; 65536].into()));
    let mut stream = BytesMut::new();
    testing::chunks(&piece, FULL).for_each(|chunk| put_chunk(&mut stream, Port::CLIENT, &chunk));
    let mut input = BytesMut::with_capacity(1 << 20);
    let mut pass = |count: usize| {
        for _ in 0..count {
            // What a program does that reads a device into one buffer.
            for part in stream.chunks(4096) {
                input.reserve(part.len());
                input.extend_from_slice(part);
                lone.guest.handle_input(&mut input).unwrap();
                while let Some(event) = lone.guest.poll_event() {
                    assert!(matches!(event, Event::File(_)));
                }
            }
        }
    };
    pass(4);
    let info = allocation_counter::measure(|| pass(100));
    assert!(info.count_total <= 1, "{info:?}");
}
