//! Keyboard and pointer against an inputs channel in memory.

use bytes::BytesMut;
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use spice_client::keyboard::{Combination, Key, KeyboardModifiers, Layout};
use spice_client::mouse::{MouseButtons, TouchPhase};
use spice_client::spice_proto::Limits;
use spice_client::spice_proto::channel::peer::{FromClient, Peer};
use spice_client::spice_proto::link::HeaderKind;
use spice_client::spice_proto::msg::inputs::{ClientMessage, Inputs, KeyModifiers, ServerMessage};
use spice_client::spice_proto::msg::main;
use spice_client::spice_proto::types::{ChannelId, ChannelType};
use spice_client::spice_proto::wire::Counted;
use spice_client::{Handle, connect};

use crate::driver::platform::{Memory, config};
use crate::driver::server::Peer as Linked;

/// The server's end of an inputs channel.
struct Desk {
    handle: Handle,
    linked: Linked,
    peer: Peer<Inputs>,
    input: BytesMut,
    _main: Linked,
}

impl Desk {
    async fn new(locks: KeyboardModifiers) -> Self {
        let (platform, mut accepted) = Memory::new(1 << 20);
        let (mut client, driver) = connect(platform, config());
        tokio::spawn(driver);
        let handle = client.handle().clone();
        tokio::spawn(async move { while client.next().await.is_some() {} });
        let inputs = ChannelId::new(ChannelType::INPUTS, 0);
        let mut main = Linked::accept(&mut accepted, ChannelId::MAIN).await;
        main.send(&main::ServerMessage::Init(main::Init { session_id: 7, ..Default::default() })).await;
        let channels = Counted::new([inputs].into_iter().collect()).expect("a short list");
        main.send(&main::ServerMessage::ChannelsList(main::ChannelsList { channels })).await;
        let mut linked = Linked::accept(&mut accepted, inputs).await;
        linked.send(&ServerMessage::Init(KeyModifiers { modifiers: locks })).await;
        let peer = Peer::new(HeaderKind::Mini, &Limits::default());
        let desk = Self { handle, linked, peer, input: BytesMut::new(), _main: main };
        // The client has taken what it was sent once time has gone by.
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        desk
    }

    /// What the client sends until it has nothing more to say; acknowledges nothing.
    async fn said(&mut self) -> Vec<ClientMessage> {
        let mut messages = Vec::new();
        let wait = std::time::Duration::from_secs(1);
        let mut buffer = [0; 4096];
        while let Ok(Ok(count)) = tokio::time::timeout(wait, self.linked.pipe.read(&mut buffer)).await {
            self.input.extend_from_slice(&buffer[..count]);
            while let Some(message) =
                self.peer.next_message(&mut self.input).expect("a client keeps the layouts")
            {
                if let FromClient::Own(message) = message {
                    messages.push(message);
                }
            }
        }
        messages
    }

    /// The codes of keys, as they go down and up.
    async fn codes(&mut self) -> Vec<u32> {
        let code = |message| match message {
            ClientMessage::KeyDown(key) | ClientMessage::KeyUp(key) => key.code,
            other => panic!("{other:?}"),
        };
        self.said().await.into_iter().map(code).collect()
    }

    async fn acknowledge(&mut self) {
        self.peer.send(&ServerMessage::MouseMotionAck);
        while let Some(bytes) = self.peer.poll_transmit() {
            self.linked.pipe.write_all(&bytes).await.expect("the client is there");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn keys_and_combinations() {
    let mut desk = Desk::new(KeyboardModifiers::empty()).await;
    desk.handle.press_key(Key::Pause).expect("a driver");
    assert_eq!(desk.codes().await, [0x1de1, 0x45, 0x9de1, 0xc5]);
    // This server takes no raw scan codes.
    desk.handle.press_key(Key::xt(0xe01d)).expect("a driver");
    assert_eq!(desk.codes().await, [0x1de0, 0x9de0]);
    desk.handle.press_combination(&"Ctrl+Alt+Del".parse::<Combination>().expect("names")).expect("a driver");
    assert_eq!(desk.codes().await, [0x1d, 0x38, 0x53e0, 0xd3e0, 0xb8, 0x9d]);
    for _ in 0..3 {
        desk.handle.key_down(Key::xt(0x1e)).expect("a driver");
    }
    desk.handle.key_down(Key::xt(0x2a)).expect("a driver");
    desk.handle.release_keys().expect("a driver");
    desk.handle.release_keys().expect("a driver");
    assert_eq!(desk.codes().await, [0x1e, 0x1e, 0x1e, 0x2a, 0xaa, 0x9e]);
    assert!(!desk.handle.send_key_event("NoSuchKey", true).expect("a driver"));
}

#[tokio::test(start_paused = true)]
async fn a_text_is_typed_with_the_locks_off_and_nothing_held() {
    let mut desk = Desk::new(KeyboardModifiers::CAPS_LOCK | KeyboardModifiers::NUM_LOCK).await;
    desk.handle.key_down(Key::xt(0x1d)).expect("a driver");
    let answer = tokio::spawn(desk.handle.type_text("a@語", Layout::De));
    let said = desk.said().await;
    let locks = |message: &ClientMessage| match message {
        ClientMessage::KeyModifiers(locks) => Some(locks.modifiers),
        _ => None,
    };
    let codes: Vec<u32> = said
        .iter()
        .filter_map(|message| match message {
            ClientMessage::KeyDown(key) | ClientMessage::KeyUp(key) => Some(key.code),
            _ => None,
        })
        .collect();
    assert_eq!(codes, [0x1d, 0x9d, 0x1e, 0x9e, 0x38e0, 0x10, 0x90, 0xb8e0]);
    let (off, all) =
        (KeyboardModifiers::NUM_LOCK, KeyboardModifiers::CAPS_LOCK | KeyboardModifiers::NUM_LOCK);
    assert_eq!(said.iter().filter_map(locks).collect::<Vec<_>>(), [off, all]);
    assert!(said.last().is_some_and(|last| locks(last).is_some()));
    assert_eq!(answer.await.expect("no panic").expect("it is typed"), ['語']);
}

#[tokio::test(start_paused = true)]
async fn movements_wait_for_acknowledgements_and_buttons_do_not() {
    let mut desk = Desk::new(KeyboardModifiers::empty()).await;
    for _ in 0..100 {
        desk.handle.pointer_motion(1, -1).expect("a driver");
    }
    let sum = |said: &[ClientMessage]| {
        said.iter()
            .map(|message| match message {
                ClientMessage::MouseMotion(motion) => motion.dx,
                _ => 0,
            })
            .sum::<i32>()
    };
    let said = desk.said().await;
    assert_eq!((said.len(), sum(&said)), (8, 8));
    desk.acknowledge().await;
    let said = desk.said().await;
    assert_eq!((said.len(), sum(&said)), (1, 92));
    let taken = tokio::spawn(desk.handle.inputs_taken());
    // Nine have gone; the twelfth is acknowledged.
    assert_eq!(desk.said().await.len(), 3);
    desk.acknowledge().await;
    assert!(!taken.is_finished());
    desk.acknowledge().await;
    tokio::time::timeout(std::time::Duration::from_secs(1), taken)
        .await
        .expect("in time")
        .expect("no panic")
        .expect("taken");
}

#[tokio::test(start_paused = true)]
async fn pointer_events_and_touches_become_buttons() {
    let mut desk = Desk::new(KeyboardModifiers::empty()).await;
    let buttons = |said: Vec<ClientMessage>| {
        said.into_iter()
            .filter_map(|message| match message {
                ClientMessage::MousePress(click) => Some((true, click.button.0, click.buttons_state.bits())),
                ClientMessage::MouseRelease(click) => {
                    Some((false, click.button.0, click.buttons_state.bits()))
                }
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    for held in [
        MouseButtons::LEFT | MouseButtons::SIDE,
        MouseButtons::LEFT | MouseButtons::UP,
        MouseButtons::UP,
        MouseButtons::empty(),
    ] {
        desk.handle.send_pointer_event(1, 2, held).expect("a driver");
    }
    let wanted = [(true, 1, 1), (true, 6, 0x21), (false, 6, 1), (true, 4, 1), (false, 4, 1), (false, 1, 0)];
    assert_eq!(buttons(desk.said().await), wanted);
    for (finger, phase) in [
        (5, TouchPhase::Started),
        (6, TouchPhase::Started),
        (6, TouchPhase::Ended),
        (5, TouchPhase::Moved),
        (5, TouchPhase::Ended),
        (6, TouchPhase::Started),
    ] {
        desk.handle.touch(finger, phase, 10, 10).expect("a driver");
    }
    assert_eq!(buttons(desk.said().await), [(true, 1, 1), (false, 1, 0), (true, 1, 1)]);
    desk.handle.scroll(f64::NAN).expect("a driver");
    desk.handle.scroll(-0.75).expect("a driver");
    desk.handle.scroll(-0.75).expect("a driver");
    assert_eq!(buttons(desk.said().await), [(true, 4, 1), (false, 4, 1)]);
}
