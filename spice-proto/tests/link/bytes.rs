//! The bytes of a link as they stand on the wire.

use bytes::BytesMut;
use spice_proto::caps::{Caps, CommonCaps, MainCaps};
use spice_proto::link::{
    AuthMechanism, HeaderKind, LinkHeader, LinkMess, LinkQuestion, LinkReply, LinkStage, PUB_KEY_LEN,
    TICKET_LEN,
};
use spice_proto::types::{ChannelId, LinkCode};
use spice_proto::{Instant, LinkError, wire};

use super::{check, client, expects, feed, offer, sent, server, ticket};
use spice_proto::link::{ServerAuth, TicketRule};

/// Header and link message for a main channel with common capabilities 0 and 3 and main capabilities 0 to 3.
pub(super) const HELLO: [u8; 42] = [
    0x52, 0x45, 0x44, 0x51, 2, 0, 0, 0, 2, 0, 0, 0, 0x1a, 0, 0, 0, //
    0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0x12, 0, 0, 0, 9, 0, 0, 0, 0x0f, 0, 0, 0,
];

/// Not a product of two primes, but good enough to encrypt with.
const MODULUS: [u8; 128] = [
    0xc1, 0x30, 0x55, 0x7a, 0x9f, 0xc4, 0xe9, 0x0e, 0x33, 0x58, 0x7d, 0xa2, 0xc7, 0xec, 0x11, 0x36, 0x5b,
    0x80, 0xa5, 0xca, 0xef, 0x14, 0x39, 0x5e, 0x83, 0xa8, 0xcd, 0xf2, 0x17, 0x3c, 0x61, 0x86, 0xab, 0xd0,
    0xf5, 0x1a, 0x3f, 0x64, 0x89, 0xae, 0xd3, 0xf8, 0x1d, 0x42, 0x67, 0x8c, 0xb1, 0xd6, 0xfb, 0x20, 0x45,
    0x6a, 0x8f, 0xb4, 0xd9, 0xfe, 0x23, 0x48, 0x6d, 0x92, 0xb7, 0xdc, 0x01, 0x26, 0x4b, 0x70, 0x95, 0xba,
    0xdf, 0x04, 0x29, 0x4e, 0x73, 0x98, 0xbd, 0xe2, 0x07, 0x2c, 0x51, 0x76, 0x9b, 0xc0, 0xe5, 0x0a, 0x2f,
    0x54, 0x79, 0x9e, 0xc3, 0xe8, 0x0d, 0x32, 0x57, 0x7c, 0xa1, 0xc6, 0xeb, 0x10, 0x35, 0x5a, 0x7f, 0xa4,
    0xc9, 0xee, 0x13, 0x38, 0x5d, 0x82, 0xa7, 0xcc, 0xf1, 0x16, 0x3b, 0x60, 0x85, 0xaa, 0xcf, 0xf4, 0x19,
    0x3e, 0x63, 0x88, 0xad, 0xd2, 0xf7, 0x1c, 0x41, 0x0f,
];

/// The server's reply to it: a key with a dummy modulus, capabilities 0, 1 and 3, main capabilities 0 to 3.
pub(super) fn reply() -> Vec<u8> {
    let mut bytes = vec![0x52, 0x45, 0x44, 0x51, 2, 0, 0, 0, 2, 0, 0, 0, 0xba, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend([
        0x30, 0x81, 0x9f, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05,
        0x00, 0x03, 0x81, 0x8d, 0x00, 0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00,
    ]);
    bytes.extend(MODULUS);
    bytes.extend([2, 3, 1, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0xb2, 0, 0, 0, 0x0b, 0, 0, 0, 0x0f, 0, 0, 0]);
    bytes
}

/// An error reply: a code and 174 zeros.
pub(super) fn error_reply(code: u32) -> Vec<u8> {
    let mut bytes = vec![0x52, 0x45, 0x44, 0x51, 2, 0, 0, 0, 2, 0, 0, 0, 0xb2, 0, 0, 0];
    bytes.extend(code.to_le_bytes());
    bytes.extend([0; 174]);
    bytes
}

#[test]
fn the_client_speaks_the_example() {
    let mut client = client(ticket(b""));
    assert_eq!(sent(&mut client), HELLO);
    assert_eq!(reply().len(), 202);
    assert_eq!(feed(&mut client, &reply()), Ok(()));
    let answer = sent(&mut client);
    assert_eq!(answer[..4], AuthMechanism::SPICE.0.to_le_bytes());
    assert_eq!(answer.len(), 4 + TICKET_LEN);
    assert_eq!(client.stage(), Some(LinkStage::Result));
    assert_eq!(feed(&mut client, &[0; 4]), Ok(()));
    let outcome = client.poll_outcome().expect("the link is complete");
    assert_eq!(outcome.header, HeaderKind::Mini);
    assert_eq!(CommonCaps::from(&outcome.common_caps).bits(), 0x0b);
    assert_eq!(MainCaps::from(&outcome.channel_caps), MainCaps::all() & MainCaps::from_bits_retain(0x0f));
    assert!(outcome.layer.is_none() && outcome.plain.is_empty());
    assert!(client.poll_outcome().is_none() && client.poll_timeout().is_none());
}

#[test]
fn the_server_speaks_the_example() {
    let mut server = server();
    server.handle_input(Instant::ZERO, &mut BytesMut::from(&HELLO[..])).expect("a good link message");
    let mess = LinkMess {
        connection_id: 0,
        channel: ChannelId::MAIN,
        common_caps: Caps::from_words([9]),
        channel_caps: Caps::from_words([15]),
    };
    assert_eq!(server.poll_question(), Some(LinkQuestion::Offer(mess)));
    assert_eq!(server.poll_question(), None);
    assert!(!server.wants_input());
    server.offer(offer(ServerAuth::Ticket(check(TicketRule::Any)))).expect("the open question");
    assert!(server.wants_input());
    let sent = server.poll_transmit().expect("a reply");
    let example = reply();
    // All but the modulus is as in the example.
    assert_eq!((&sent[..49], &sent[177..]), (&example[..49], &example[177..]));
    assert_ne!(sent[49] & 0x80, 0);
}

#[test]
fn an_error_reply_is_zeros_behind_the_code() {
    let mut out = BytesMut::new();
    LinkReply::encode_error(LinkCode::NEED_SECURED, &mut out);
    assert_eq!(out.len(), 194);
    assert_eq!(out[..], error_reply(5));
}

#[test]
fn structures_encode_as_they_decode() {
    let header: LinkHeader = wire::decode("LinkHeader", &HELLO[..16].to_vec().into(), 0).expect("16 bytes");
    assert_eq!(header, LinkHeader::new(26));
    let mut out = BytesMut::new();
    let reply = LinkReply {
        error: LinkCode::OK,
        pub_key: [0; PUB_KEY_LEN],
        common_caps: Caps::from_words([1, 2]),
        channel_caps: Caps::new(),
    };
    reply.encode(&mut out);
    assert_eq!(out.len(), 16 + 178 + 8);
}

#[test]
fn bytes_behind_the_result_stay() {
    let mut client = client(ticket(b""));
    let mut input = BytesMut::from(&reply()[..]);
    input.extend_from_slice(&[0, 0, 0, 0, 103, 0, 32, 0]);
    assert_eq!(client.handle_input(Instant::ZERO, &mut input), Ok(()));
    assert_eq!(input[..], [103, 0, 32, 0]);
    // Once complete, the link takes nothing more.
    assert_eq!(client.handle_input(Instant::ZERO, &mut input), Ok(()));
    assert_eq!(input.len(), 4);
}

#[test]
fn full_headers_when_either_side_lacks_the_bit() {
    for (ours, theirs, kind) in [
        (CommonCaps::MINI_HEADER, 0x0b, HeaderKind::Mini),
        (CommonCaps::empty(), 0x0b, HeaderKind::Full),
        (CommonCaps::MINI_HEADER, 0x03, HeaderKind::Full),
    ] {
        let request = spice_proto::link::LinkRequest { common_caps: ours, ..super::request(ticket(b"")) };
        let mut client = spice_proto::link::LinkClient::new(request, &Default::default(), Instant::ZERO);
        let mut reply = reply();
        reply[194] = theirs;
        reply.extend([0; 4]);
        feed(&mut client, &reply).expect("a good link");
        assert_eq!(client.poll_outcome().map(|outcome| outcome.header), Some(kind));
    }
}

#[test]
fn without_selection_the_ticket_comes_directly() {
    let mut client = client(ticket(b""));
    sent(&mut client);
    let mut reply = reply();
    reply[194] = 0x08;
    feed(&mut client, &reply).expect("a good reply");
    assert_eq!(sent(&mut client).len(), TICKET_LEN);

    // A client that does not announce selection is not asked for a mechanism.
    let mut hello = HELLO;
    hello[34] = 0x08;
    let mut server = server();
    server.handle_input(Instant::ZERO, &mut BytesMut::from(&hello[..])).expect("a good link message");
    assert!(server.poll_question().is_some());
    server.offer(expects(b"sesame")).expect("the open question");
    assert_eq!(server.stage(), Some(LinkStage::Ticket));
}

#[test]
fn the_answers_to_questions_that_are_not_open_change_nothing() {
    let mut server = server();
    assert!(server.admit().is_err() && server.offer(expects(b"")).is_err());
    assert!(server.refuse(LinkCode::ERROR).is_err());
    assert_eq!(server.stage(), Some(LinkStage::Message));
    server.handle_input(Instant::ZERO, &mut BytesMut::from(&HELLO[..])).expect("a good link message");
    assert!(server.admit().is_err() && server.refuse(LinkCode::OK).is_err());
    assert!(server.poll_question().is_some());
    assert_eq!(server.refuse(LinkCode::CHANNEL_NOT_AVAILABLE), Ok(()));
    assert_eq!(server.handle_close(), Err(LinkError::Refused(LinkCode::CHANNEL_NOT_AVAILABLE)));
    assert_eq!(server.poll_transmit().as_deref(), Some(&error_reply(9)[..]));
}

#[test]
fn secrets_are_not_printed() {
    let auth = ticket(b"sesame");
    assert_eq!(format!("{auth:?}"), "Ticket(..)");
    assert_eq!(format!("{:?}", super::password(b"sesame")), "Password(..)");
    assert!(!format!("{:?} {:?}", super::request(auth), client(ticket(b"sesame"))).contains("sesame"));
    let check = check(TicketRule::Password(super::password(b"sesame")));
    assert_eq!(
        format!("{check:?}"),
        "TicketCheck { key: TicketKey(..), rule: Password(Password(..)), entropy: Entropy(..) }"
    );
}
