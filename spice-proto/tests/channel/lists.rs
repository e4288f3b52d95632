//! Messages inside other messages.

use bytes::{Bytes, BytesMut};
use spice_proto::caps::DisplayCaps;
use spice_proto::channel::display::{Display, DisplayConfig};
use spice_proto::link::HeaderKind;
use spice_proto::msg::base::{Ping, ServerMessage as Base, WaitForChannel, WaitForChannels};
use spice_proto::msg::display::{InvalList, ResourceId, ResourceType, ServerMessage};
use spice_proto::types::{ChannelId, ChannelType};
use spice_proto::wire::{Counted, Rest};
use spice_proto::{DecodeErrorKind, ProtocolError};

use super::{Fed, body, sub_list};

fn display(header: HeaderKind) -> Fed<Display> {
    let logic = Display::new(DisplayConfig::default());
    Fed::linked(ChannelType::DISPLAY, logic, header, DisplayCaps::empty())
}

fn inval(id: u64) -> InvalList {
    let resources = [ResourceId { kind: ResourceType::PIXMAP, id }].into_iter().collect();
    InvalList { resources: Counted::new(resources).unwrap() }
}

fn wait() -> (u16, Bytes) {
    let wait = WaitForChannel { channel: ChannelId::new(ChannelType::DISPLAY, 1), message_serial: 500 };
    let wait_list = Counted::new([wait].into_iter().collect()).unwrap();
    (5, body(&Base::WaitForChannels(WaitForChannels { wait_list })))
}

fn inval_sub(id: u64) -> (u16, Bytes) {
    (105, body(&ServerMessage::InvalList(inval(id))))
}

fn true_size(body: &Bytes) -> u32 {
    body.len() as u32
}

/// Server 0.15.1 counts the bytes of its own structures, one element of 16 bytes behind 8.
fn size_of_0_15_1(_: &Bytes) -> u32 {
    24
}

#[test]
fn sub_messages_come_before_their_carrier() {
    for size in [true_size, size_of_0_15_1, |_: &Bytes| u32::MAX] {
        let mut fed = display(HeaderKind::Full);
        let mut carrier = BytesMut::from(&body(&ServerMessage::InvalPalette(Default::default()))[..]);
        let at = sub_list(&mut carrier, &[inval_sub(1), inval_sub(2)], size);
        fed.frame(107, &carrier, at);
        assert_eq!(fed.handle(), Ok(()));
        let expected = [
            ServerMessage::InvalList(inval(1)),
            ServerMessage::InvalList(inval(2)),
            ServerMessage::InvalPalette(Default::default()),
        ];
        assert_eq!(fed.events(), expected);
    }
}

#[test]
fn a_list_carries_nothing_else() {
    for header in [HeaderKind::Mini, HeaderKind::Full] {
        let mut fed = display(header);
        let mut carrier = BytesMut::new();
        sub_list(&mut carrier, &[inval_sub(1), inval_sub(2)], size_of_0_15_1);
        fed.frame(8, &carrier, 0);
        fed.frame(102, &[], 0);
        assert_eq!(fed.handle(), Ok(()));
        let expected =
            [ServerMessage::InvalList(inval(1)), ServerMessage::InvalList(inval(2)), ServerMessage::Mark];
        assert_eq!(fed.events(), expected);
        // Sub-messages have no serials of their own.
        assert_eq!(fed.channel.processed(), 2);
    }
}

#[test]
fn a_barrier_in_a_list_holds_what_follows_it() {
    for header in [HeaderKind::Mini, HeaderKind::Full] {
        let mut fed = display(header);
        fed.frame(102, &[], 0);
        let mut carrier = BytesMut::new();
        sub_list(&mut carrier, &[inval_sub(1), wait(), inval_sub(2)], size_of_0_15_1);
        fed.frame(8, &carrier, 0);
        fed.frame(103, &[], 0);
        assert_eq!(fed.handle(), Ok(()));
        assert_eq!(fed.events(), [ServerMessage::Mark, ServerMessage::InvalList(inval(1))]);
        assert!(!fed.channel.wants_input());
        let waited_for = fed.channel.barrier().and_then(|list| list.get(0)).map(|wait| wait.message_serial);
        assert_eq!(waited_for, Some(500));
        // The carrier is not done before its last part is.
        assert_eq!(fed.channel.processed(), 1);
        fed.channel.release();
        assert_eq!(fed.handle(), Ok(()));
        assert_eq!(fed.events(), [ServerMessage::InvalList(inval(2)), ServerMessage::Reset]);
        assert_eq!(fed.channel.processed(), 3);
    }
}

#[test]
fn base_messages_may_travel_in_a_list() {
    let mut fed = display(HeaderKind::Mini);
    let ping = body(&Base::Ping(Ping { id: 9, timestamp: 4, filler: Rest::default() }));
    let mut carrier = BytesMut::new();
    sub_list(&mut carrier, &[(4, ping), inval_sub(1)], true_size);
    fed.frame(8, &carrier, 0);
    assert_eq!(fed.handle(), Ok(()));
    assert_eq!(
        fed.channel.poll_transmit().map(|pong| pong[..10].to_vec()),
        Some(vec![3, 0, 12, 0, 0, 0, 9, 0, 0, 0])
    );
}

#[test]
fn acknowledgements_count_carriers_alone() {
    let mut fed = display(HeaderKind::Mini);
    fed.frame(3, &[1, 0, 0, 0, 3, 0, 0, 0], 0);
    for _ in 0..3 {
        let mut carrier = BytesMut::new();
        sub_list(&mut carrier, &[inval_sub(1), inval_sub(2)], true_size);
        fed.frame(8, &carrier, 0);
    }
    assert_eq!(fed.handle(), Ok(()));
    let sync_and_one_ack = [&[1, 0, 4, 0, 0, 0, 1, 0, 0, 0][..], &[2, 0, 0, 0, 0, 0]].concat();
    assert_eq!(fed.channel.poll_transmit().map(|sent| sent.to_vec()), Some(sync_and_one_ack));
}

#[test]
fn sub_messages() {
    let mut fed = display(HeaderKind::Mini);
    let mut carrier = BytesMut::new();
    let many: Vec<_> = (0..17).map(inval_sub).collect();
    sub_list(&mut carrier, &many, true_size);
    fed.frame(8, &carrier, 0);
    let Err(ProtocolError::Malformed(error)) = fed.handle() else { panic!("17 sub-messages pass") };
    assert!(matches!(error.kind, DecodeErrorKind::BadValue { value: 17, .. }), "{error}");
    // The error stays.
    assert_eq!(fed.handle(), Err(ProtocolError::Malformed(error)));
}

#[test]
fn lists_that_lead_nowhere_are_errors() {
    for at in [5, 1000, u32::MAX] {
        let mut fed = display(HeaderKind::Full);
        fed.frame(102, &[1, 0, 200, 0], at);
        assert!(matches!(fed.handle(), Err(ProtocolError::Malformed(_))), "{at}");
    }
    for list in [&[][..], &[1], &[1, 0], &[1, 0, 200, 0, 0, 0], &[1, 0, 6, 0, 0, 0, 105]] {
        let mut fed = display(HeaderKind::Mini);
        fed.frame(8, list, 0);
        assert!(matches!(fed.handle(), Err(ProtocolError::Malformed(_))), "{list:?}");
    }
}
