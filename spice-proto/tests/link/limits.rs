//! A test for each limit of the link stage.

use core::time::Duration;

use bytes::{BufMut, BytesMut};
use spice_proto::error::LimitExceeded;
use spice_proto::link::{LinkClient, LinkServer, LinkStage};
use spice_proto::{Instant, Limits, LinkError};

use super::bytes::{HELLO, reply};
use super::sasl::{Toy, at_sasl_data, toy_request};
use super::{client, feed, request, server, ticket};

fn small(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

fn exceeded(limit: &'static str, value: u64, bound: u64) -> Result<(), LinkError> {
    Err(LinkError::Limit(LimitExceeded { limit, value, bound }))
}

#[test]
fn link_len() {
    let huge = |size: u32| {
        let mut bytes = HELLO[..12].to_vec();
        bytes.put_u32_le(size);
        bytes
    };
    // The header alone decides; nothing is waited for.
    assert_eq!(feed(&mut client(ticket(b"")), &huge(4097)), exceeded("link_len", 4097, 4096));
    assert_eq!(feed(&mut client(ticket(b"")), &huge(u32::MAX)), exceeded("link_len", u32::MAX.into(), 4096));
    assert_eq!(feed(&mut client(ticket(b"")), &huge(4096)), Ok(()));

    let mut server = server();
    let error = server.handle_input(Instant::ZERO, &mut BytesMut::from(&huge(4097)[..]));
    assert_eq!(error, exceeded("link_len", 4097, 4096));
    assert_eq!(server.poll_transmit().map(|reply| reply[16]), Some(3));

    let limits = small(|limits| limits.link_len = 185);
    let mut client = LinkClient::new(request(ticket(b"")), &limits, Instant::ZERO);
    assert_eq!(feed(&mut client, &reply()), exceeded("link_len", 186, 185));
}

#[test]
fn handshake() {
    let limits = small(|limits| limits.handshake = Duration::from_secs(5));
    let start = Instant::from_millis(1000);
    let (late, early) = (Instant::from_millis(6000), Instant::from_millis(5999));
    let timeout = |stage| Err(LinkError::Timeout { stage });

    let mut client = LinkClient::new(request(ticket(b"")), &limits, start);
    assert_eq!(client.poll_timeout(), Some(late));
    assert_eq!(client.handle_timeout(early), Ok(()));
    // Progress does not move the deadline.
    client.handle_input(early, &mut BytesMut::from(&reply()[..])).expect("a good reply");
    assert_eq!(client.poll_timeout(), Some(late));
    assert_eq!(client.handle_timeout(late), timeout(LinkStage::Result));
    assert_eq!(client.poll_timeout(), None);
    assert_eq!(client.handle_input(late, &mut BytesMut::new()), timeout(LinkStage::Result));

    let mut server = LinkServer::new(&limits, start);
    assert_eq!(server.poll_timeout(), Some(late));
    // A driver that does not look at its timers is served the same.
    let mut input = BytesMut::from(&HELLO[..]);
    assert_eq!(server.handle_input(late, &mut input), timeout(LinkStage::Message));
    assert_eq!(input.len(), HELLO.len());

    let mut server = LinkServer::new(&limits, start);
    server.handle_input(start, &mut input).expect("a good link message");
    assert_eq!(server.handle_timeout(late), timeout(LinkStage::Decision));
    assert_eq!(server.poll_question(), None);
}

#[test]
fn sasl_blob_len() {
    let mut client = at_sasl_data(Toy::default(), &Limits::default());
    let mut wire = BytesMut::new();
    wire.put_u32_le((1 << 20) + 1);
    assert_eq!(feed(&mut client, &wire), exceeded("sasl_blob_len", (1 << 20) + 1, 1 << 20));

    let mut client = at_sasl_data(Toy::default(), &Limits::default());
    wire.clear();
    wire.put_u32_le(1 << 20);
    assert_eq!(feed(&mut client, &wire), Ok(()));

    // What a mechanism produces is bounded as well.
    let mut client = at_sasl_data(Toy::default(), &small(|limits| limits.sasl_blob_len = 9));
    assert_eq!(feed(&mut client, &wire), exceeded("sasl_blob_len", 1 << 20, 9));
}

#[test]
fn sasl_packet_len() {
    let limits = small(|limits| limits.sasl_packet_len = 100);
    let mut client = at_sasl_data(Toy { done: true, ..Toy::default() }, &limits);
    // Complete without data, SASL result 0; then a packet that never ends, which the toy layer does not bound.
    let mut input = BytesMut::from(&[0, 0, 0, 0, 1, 0, 0, 0, 0, 0xff, 0, 0, 0][..]);
    assert_eq!(client.handle_input(Instant::ZERO, &mut input), Ok(()));
    input.put_bytes(0, 96);
    assert_eq!(client.handle_input(Instant::ZERO, &mut input), Ok(()));
    input.put_u8(0);
    assert_eq!(client.handle_input(Instant::ZERO, &mut input), exceeded("sasl_packet_len", 101, 100));
}

#[test]
fn sasl_list_of_300_bytes() {
    for (len, good) in [(300u32, true), (301, false)] {
        let mut client = LinkClient::new(toy_request(Toy::default()), &Limits::default(), Instant::ZERO);
        let mut wire = BytesMut::from(&super::sasl::sasl_reply()[..]);
        wire.put_u32_le(len);
        let result = feed(&mut client, &wire);
        assert_eq!(result.is_ok(), good, "{result:?}");
    }
}
