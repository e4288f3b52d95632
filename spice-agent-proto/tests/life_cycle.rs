//! Agents that come and go, tokens, and what every agent is told.

use bytes::Bytes;
use spice_agent_proto::caps::AnnounceCapabilities;
use spice_agent_proto::client::{Event, Output};
use spice_agent_proto::clipboard::{ClipboardRequest, DataType, Selection};
use spice_agent_proto::file_xfer::{FileXferResult, FileXferStatus, SendEvent};
use spice_agent_proto::monitors::{Monitor, MonitorsConfig};
use spice_agent_proto::msg::{
    AudioVolumeSync, DisplayConfig, DisplayFlags, MaxClipboard, Message, MessageType, Reply, ReplyCode,
};
use spice_agent_proto::testing::{self, Framing};
use spice_agent_proto::{AgentCaps, AgentError, Client, ClientConfig, LimitExceeded, Unavailable};
use spice_proto::wire::Counted;

use crate::peers::{FULL, LoneClient};

const TEXT: DataType = DataType::UTF8_TEXT;

fn announcement(request: bool, caps: AgentCaps) -> Message {
    Message::AnnounceCapabilities(AnnounceCapabilities::new(request, caps))
}

fn monitors(width: u32) -> MonitorsConfig {
    MonitorsConfig::new(&[Monitor::new(width, 600)], true).unwrap()
}

fn outputs(client: &mut Client) -> Vec<Output> {
    std::iter::from_fn(|| client.poll_output()).collect()
}

fn says(client: &mut Client, message: &Message) {
    testing::chunks(message, FULL).for_each(|chunk| client.handle_data(chunk));
}

fn data(message: &Message) -> Output {
    Output::Data(testing::chunks(message, FULL).next().unwrap())
}

// The beginning

#[test]
fn nothing_is_sent_without_an_agent() {
    let mut client = Client::new(ClientConfig::default());
    client.set_tokens(10);
    client.set_monitors(monitors(800)).unwrap();
    assert_eq!(client.clipboard_grab(Selection::Clipboard, &[TEXT]), Err(Unavailable::NoAgent.into()));
    assert_eq!(outputs(&mut client), []);
    client.disconnected();
    assert_eq!(client.poll_event(), None);
}

#[test]
fn the_start_comes_first_then_the_announcement() {
    let mut client = Client::new(ClientConfig::default());
    client.connected(Some(10));
    let expected = [Output::Start { tokens: 512 }, data(&announcement(true, AgentCaps::CLIENT))];
    assert_eq!(outputs(&mut client), expected);
    assert_eq!(client.tokens(), 9);
}

#[test]
fn nothing_but_the_announcement_is_sent_before_the_agents() {
    let mut client = Client::new(ClientConfig::default());
    client.connected(Some(10));
    outputs(&mut client);
    client.set_monitors(monitors(800)).unwrap();
    assert_eq!(client.clipboard_grab(Selection::Clipboard, &[TEXT]), Err(Unavailable::NotReady.into()));
    assert_eq!(client.file_send("a", 1), Err(Unavailable::NotReady.into()));
    assert_eq!(outputs(&mut client), []);
}

#[test]
fn an_answer_is_asked_for_once() {
    let mut client = Client::new(ClientConfig::default());
    client.connected(Some(10));
    outputs(&mut client);
    let caps = AgentCaps::MOUSE_STATE;
    says(&mut client, &announcement(true, caps));
    assert_eq!(outputs(&mut client), [data(&announcement(false, AgentCaps::CLIENT))]);
    says(&mut client, &announcement(false, caps));
    assert_eq!(outputs(&mut client), []);
    assert_eq!((client.poll_event(), client.poll_event()), (Some(Event::Ready(caps)), None));
}

#[test]
fn every_agent_is_told_what_was_wished() {
    let mut lone = LoneClient::ready(AgentCaps::empty());
    let volume = |is_playback| AudioVolumeSync { is_playback, mute: 0, volume: Counted::default() };
    let display = DisplayConfig { flags: DisplayFlags::DISABLE_WALLPAPER, depth: 0 };
    let missing = |caps| Err(AgentError::from(Unavailable::Missing(caps)));
    assert_eq!(lone.client.set_monitors(monitors(800)), missing(AgentCaps::MONITORS_CONFIG));
    assert_eq!(lone.client.set_display(display), missing(AgentCaps::DISPLAY_CONFIG));
    assert_eq!(lone.client.set_volume(volume(0)), missing(AgentCaps::AUDIO_VOLUME_SYNC));
    assert_eq!(lone.client.set_volume(volume(1)), missing(AgentCaps::AUDIO_VOLUME_SYNC));
    for _ in 0..2 {
        lone.client.disconnected();
        lone.client.connected(Some(100));
        lone.said();
        lone.says(&announcement(false, AgentCaps::AGENT | AgentCaps::DISPLAY_CONFIG));
        let expected = [
            Message::MonitorsConfig(monitors(800)),
            Message::DisplayConfig(display),
            Message::AudioVolumeSync(volume(1)),
            Message::AudioVolumeSync(volume(0)),
            Message::MaxClipboard(MaxClipboard { max: 100 << 20 }),
        ];
        assert_eq!(lone.said(), expected);
    }
}

#[test]
fn monitors_are_replaced_while_they_wait() {
    let mut lone = LoneClient::ready(AgentCaps::AGENT);
    (1..100).for_each(|width| lone.client.set_monitors(monitors(width)).unwrap());
    assert_eq!(lone.said(), [Message::MonitorsConfig(monitors(99))]);
    let reply = Reply { kind: MessageType::MONITORS_CONFIG, error: ReplyCode::SUCCESS };
    lone.says(&Message::Reply(reply));
    assert_eq!(lone.events(), [Event::Reply(reply)]);
}

#[test]
fn later_wishes_are_said_at_once() {
    let mut lone = LoneClient::ready(AgentCaps::AGENT);
    let volume = AudioVolumeSync { is_playback: 1, mute: 1, volume: Counted::default() };
    lone.client.set_volume(volume.clone()).unwrap();
    assert_eq!(lone.said(), [Message::AudioVolumeSync(volume)]);
}

// Tokens

#[test]
fn nothing_is_sent_without_a_token() {
    let mut lone = LoneClient::ready(AgentCaps::AGENT);
    lone.client.set_tokens(0);
    lone.client.set_monitors(monitors(800)).unwrap();
    assert_eq!(lone.client.poll_output(), None);
    lone.client.add_tokens(1);
    assert_eq!(lone.said(), [Message::MonitorsConfig(monitors(800))]);
}

#[test]
fn tokens_are_replaced_left_and_added_as_each_message_says() {
    let mut client = Client::new(ClientConfig::default());
    client.set_tokens(7);
    client.connected(None);
    assert_eq!(client.tokens(), 7);
    client.add_tokens(3);
    assert_eq!(client.tokens(), 10);
    client.connected(Some(4));
    assert_eq!(client.tokens(), 4);
    client.add_tokens(u32::MAX);
    assert_eq!(client.tokens(), u32::MAX);
}

#[test]
fn a_large_message_waits_for_tokens_in_the_middle() {
    let mut lone = sending(65536);
    lone.client.set_tokens(10);
    lone.client.file_data(1, vec![1; 65536].into()).unwrap();
    let mut framing = Framing::default();
    let mut bodies = 0;
    for more in [5, 5, 5, 8, 100] {
        for output in outputs(&mut lone.client) {
            let Output::Data(chunk) = output else { panic!("{output:?}") };
            framing.check(&chunk);
            bodies += 1;
        }
        assert_eq!(framing.is_inside(), bodies < 33);
        assert!(lone.client.tokens() == 0 || bodies == 33);
        lone.client.add_tokens(more);
    }
    assert_eq!(bodies, 33);
}

/// A client whose agent takes a file of `size` bytes as number 1.
fn sending(size: u64) -> LoneClient {
    let mut lone = LoneClient::ready(AgentCaps::AGENT);
    lone.client.file_send("a", size).unwrap();
    lone.said();
    lone.says(&Message::FileXferStatus(FileXferStatus::new(1, FileXferResult::CAN_SEND_DATA)));
    assert_eq!(lone.events(), [Event::File(SendEvent::Wanted { id: 1, offset: 0, len: size as usize })]);
    lone
}

fn windowed(window: u32) -> LoneClient {
    let mut config = ClientConfig::default();
    config.limits.receive_tokens = window;
    let mut client = Client::new(config.clone());
    client.connected(Some(u32::MAX));
    assert_eq!(client.poll_output(), Some(Output::Start { tokens: window }));
    let mut lone = LoneClient::ready_with(AgentCaps::AGENT, config);
    // What was granted for the announcement.
    lone.client.disconnected();
    lone.client.connected(None);
    outputs(&mut lone.client);
    lone.events();
    lone
}

#[test]
fn limit_receive_tokens() {
    let mut lone = windowed(4);
    let one = || Bytes::from_static(&[1]);
    lone.client.handle_data(one());
    assert_eq!(outputs(&mut lone.client), []);
    lone.client.handle_data(one());
    // Tokens go back in lots of half the window.
    assert_eq!(outputs(&mut lone.client), [Output::Token { tokens: 2 }]);

    // A server that takes no notice of tokens is not listened to.
    let mut lone = windowed(4);
    (0..100).for_each(|_| lone.client.handle_data(Bytes::from_static(&[0])));
    assert!(matches!(lone.events()[..], [Event::Broken(AgentError::Broken { .. })]));
}

#[test]
fn no_tokens_go_back_without_flow_control() {
    let mut lone = windowed(u32::MAX);
    let reply = Message::Reply(Reply { kind: MessageType(2), error: ReplyCode::SUCCESS });
    (0..100_000).for_each(|_| {
        lone.says(&reply);
        lone.client.poll_event();
    });
    assert_eq!(outputs(&mut lone.client), []);
}

#[test]
fn limit_chunk_len() {
    let mut lone = LoneClient::ready(AgentCaps::AGENT);
    lone.client.handle_data(vec![0; 65537].into());
    let exceeded = LimitExceeded { limit: "chunk_len", value: 65537, bound: 65536 };
    assert_eq!(lone.events(), [Event::Broken(exceeded.into())]);
}

// The end

#[test]
fn the_rest_of_a_message_goes_to_the_next_agent_first() {
    let mut lone = sending(65536);
    lone.client.set_tokens(3);
    lone.client.file_data(1, vec![1; 65536].into()).unwrap();
    let mut framing = Framing::default();
    let mut check = |output: &Output| match output {
        Output::Data(chunk) => framing.check(chunk),
        other => panic!("{other:?}"),
    };
    outputs(&mut lone.client).iter().for_each(&mut check);
    // Whole messages that wait are dropped with the agent; the one that has begun is not.
    lone.client.set_monitors(monitors(800)).unwrap();
    lone.client.disconnected();
    lone.client.add_tokens(50);
    assert_eq!(outputs(&mut lone.client), []);
    lone.client.connected(Some(40));
    let all = outputs(&mut lone.client);
    assert_eq!(all[0], Output::Start { tokens: 512 });
    all[1..].iter().for_each(&mut check);
    // 30 bodies of the rest, and the announcement in one.
    assert_eq!(all.len(), 1 + 30 + 1);
    assert_eq!(all.last(), Some(&data(&announcement(true, AgentCaps::CLIENT))));
    assert_eq!(lone.client.tokens(), 9);
}

#[test]
fn what_has_partly_come_is_dropped_with_the_agent() {
    let mut lone = LoneClient::ready(AgentCaps::AGENT);
    let reply = Message::Reply(Reply { kind: MessageType(2), error: ReplyCode::SUCCESS });
    let chunk = testing::chunks(&reply, FULL).next().unwrap();
    lone.client.handle_data(chunk.slice(..25));
    lone.client.disconnected();
    lone.client.connected(Some(10));
    lone.events();
    lone.says(&announcement(false, AgentCaps::AGENT));
    assert_eq!(lone.events(), [Event::Ready(AgentCaps::AGENT)]);
}

#[test]
fn a_new_agent_is_heard_before_it_is_started() {
    let mut lone = LoneClient::ready(AgentCaps::AGENT);
    lone.client.disconnected();
    lone.client.connected(Some(10));
    lone.says(&announcement(true, AgentCaps::AGENT));
    lone.events();
    assert_eq!(outputs(&mut lone.client)[0], Output::Start { tokens: 512 });
    assert_eq!(lone.client.caps(), Some(AgentCaps::AGENT));
}

#[test]
fn an_agent_that_comes_twice_has_gone_between() {
    let mut lone = LoneClient::ready(AgentCaps::AGENT);
    lone.client.connected(Some(10));
    assert_eq!(lone.events(), [Event::Gone]);
    assert_eq!(lone.client.caps(), None);
}

#[test]
fn a_broken_stream_is_mended_by_the_next_agent() {
    let mut lone = LoneClient::ready(AgentCaps::AGENT);
    lone.client.handle_data(Bytes::from_static(&[9; 20]));
    assert!(matches!(lone.events()[..], [Event::Broken(AgentError::Broken { .. })]));
    lone.says(&announcement(true, AgentCaps::CLIENT));
    assert_eq!(lone.events(), []);
    lone.client.disconnected();
    lone.client.connected(Some(10));
    lone.says(&announcement(true, AgentCaps::CLIENT));
    assert_eq!(lone.events(), [Event::Gone, Event::Ready(AgentCaps::CLIENT)]);
}

#[test]
fn malformed_messages_are_left_out() {
    let mut lone = LoneClient::ready(AgentCaps::AGENT);
    lone.says(&Message::Unknown { kind: MessageType::REPLY, body: Bytes::from_static(&[1, 2, 3]) });
    assert!(matches!(lone.events()[..], [Event::Skipped(AgentError::Malformed(_))]));
    let reply = Reply { kind: MessageType(2), error: ReplyCode::SUCCESS };
    lone.says(&Message::Unknown { kind: MessageType(99), body: Bytes::from_static(&[1, 2, 3]) });
    lone.says(&Message::Reply(reply));
    assert_eq!(lone.events(), [Event::Reply(reply)]);
}

// Floods

#[test]
fn limit_queued_events() {
    let mut config = ClientConfig::default();
    config.limits.queued_events = 3;
    config.limits.receive_tokens = 8;
    let mut lone = LoneClient::ready_with(AgentCaps::AGENT, config);
    let reply = Reply { kind: MessageType(2), error: ReplyCode::SUCCESS };
    let chunk = testing::chunks(&Message::Reply(reply), FULL).next().unwrap();
    // Two messages in each chunk, as a server may well pass on.
    let chunk = Bytes::from([&chunk[..], &chunk[..]].concat());
    (0..6).for_each(|_| lone.client.handle_data(chunk.clone()));
    // Nothing is granted for what nobody has read.
    assert_eq!(outputs(&mut lone.client), []);
    let events = lone.events();
    assert_eq!(events, vec![Event::Reply(reply); 12]);
    assert!(matches!(outputs(&mut lone.client)[..], [Output::Token { tokens: 5.. }]));
}

#[test]
fn limit_queued_answers() {
    let mut config = ClientConfig::default();
    config.limits.queued_answers = 3;
    config.limits.receive_tokens = 8;
    let mut lone = LoneClient::ready_with(AgentCaps::AGENT, config);
    lone.client.set_tokens(0);
    let request = ClipboardRequest { selection: Selection::Clipboard, kind: TEXT };
    (0..7).for_each(|_| lone.says(&Message::ClipboardRequest(request)));
    // An agent that asks and takes no answers gets no tokens.
    assert!(!outputs(&mut lone.client).iter().any(|output| matches!(output, Output::Token { tokens: 5.. })));
    lone.client.set_tokens(u32::MAX);
    assert_eq!(lone.said().len(), 7);
}

#[test]
fn limit_queued_output() {
    let mut config = ClientConfig::default();
    config.limits.queued_output = 1000;
    let mut lone = LoneClient::ready_with(AgentCaps::AGENT, config);
    lone.client.set_tokens(0);
    let refused = (0..1000).find_map(|_| lone.client.clipboard_grab(Selection::Clipboard, &[TEXT]).err());
    let Some(AgentError::Limit(exceeded)) = refused else { panic!("{refused:?}") };
    assert_eq!((exceeded.limit, exceeded.bound), ("queued_output", 1000));
    assert!(exceeded.value < 1100);
    // Files do not count, and need not wait.
    assert!(lone.client.file_send("a", 5).is_ok());
}
