//! Client against server: every chunking, every result, a cut at every byte.

use proptest::prelude::*;
use spice_proto::LinkError;
use spice_proto::caps::{CommonCaps, MainCaps};
use spice_proto::link::{HeaderKind, LinkStage, ServerAuth, TicketRule};
use spice_proto::types::LinkCode;

use super::{Pair, check, client, errors, expects, offer, ticket};

/// Bytes of a whole link with a ticket: link message, reply, mechanism and ticket, result.
const TOTAL: usize = 42 + 202 + 4 + 128 + 4;

fn good() -> Pair {
    Pair::new(client(ticket(b"sesame")), expects(b"sesame"))
}

#[test]
fn both_ends_agree() {
    let (client, server) = good().finish();
    let (client, server) = (client.expect("client"), server.expect("server"));
    assert_eq!((client.header, server.header), (HeaderKind::Mini, HeaderKind::Mini));
    assert_eq!(CommonCaps::from(&server.common_caps).bits(), 0x09);
    assert_eq!(CommonCaps::from(&client.common_caps).bits(), 0x0b);
    assert_eq!(MainCaps::from(&server.channel_caps).bits(), 0x0f);
    assert!(client.layer.is_none() && server.layer.is_none());
}

#[test]
fn one_byte_at_a_time() {
    assert_eq!(errors(good().run(|| 1, usize::MAX)), (None, None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_chunking_gives_the_same(chunks in prop::collection::vec(1usize..60, 1..40), right: bool) {
        let pair = Pair::new(client(ticket(b"sesame")), expects(if right { b"sesame" } else { b"wrong" }));
        let mut chunks = chunks.iter().copied().cycle();
        let (client, server) = errors(pair.run(|| chunks.next().unwrap_or(1), usize::MAX));
        if right {
            prop_assert_eq!((client, server), (None, None));
        } else {
            prop_assert_eq!(client, Some(LinkError::PermissionDenied { password: true }));
            prop_assert_eq!(server, Some(LinkError::Refused(LinkCode::PERMISSION_DENIED)));
        }
    }
}

#[test]
fn every_result_of_a_ticket() {
    let denied = |password| {
        let server = LinkError::Refused(LinkCode::PERMISSION_DENIED);
        (Some(LinkError::PermissionDenied { password }), Some(server))
    };
    let rule = |rule| offer(ServerAuth::Ticket(check(rule)));
    for (given, offer, expected) in [
        (&b"sesame"[..], expects(b"sesame"), (None, None)),
        (b"Sesame", expects(b"sesame"), denied(true)),
        (b"sesam", expects(b"sesame"), denied(true)),
        (b"sesamee", expects(b"sesame"), denied(true)),
        (b"", expects(b"sesame"), denied(false)),
        // An empty password on the server is a password that was never set.
        (b"", expects(b""), denied(false)),
        (b"sesame", expects(b""), denied(true)),
        (b"", rule(TicketRule::Any), (None, None)),
        (b"sesame", rule(TicketRule::Any), (None, None)),
        (b"sesame", rule(TicketRule::Deny), denied(true)),
        ("пароль".as_bytes(), expects("пароль".as_bytes()), (None, None)),
        (&[b'x'; 59], expects(&[b'x'; 59]), (None, None)),
        (&[b'x'; 60], expects(&[b'x'; 60]), (None, None)),
        (&[b'x'; 60], expects(&[b'x'; 59]), denied(true)),
    ] {
        assert_eq!(errors(Pair::new(client(ticket(given)), offer).finish()), expected, "{given:?}");
    }
}

/// Every code and the error it becomes for a client with a password.
const CODES: [(LinkCode, LinkError); 10] = [
    (LinkCode::ERROR, LinkError::Unspecified),
    (LinkCode::INVALID_MAGIC, LinkError::InvalidMagic),
    (LinkCode::INVALID_DATA, LinkError::InvalidData),
    (LinkCode::VERSION_MISMATCH, LinkError::VersionRefused),
    (LinkCode::NEED_SECURED, LinkError::NeedSecured),
    (LinkCode::NEED_UNSECURED, LinkError::NeedUnsecured),
    (LinkCode::PERMISSION_DENIED, LinkError::PermissionDenied { password: true }),
    (LinkCode::BAD_CONNECTION_ID, LinkError::BadConnectionId),
    (LinkCode::CHANNEL_NOT_AVAILABLE, LinkError::ChannelNotAvailable),
    (LinkCode(77), LinkError::UnknownCode(LinkCode(77))),
];

#[test]
fn every_code_in_the_reply() {
    for (code, error) in CODES {
        let pair = Pair { offer: Some(Err(code)), ..good() };
        assert_eq!(errors(pair.finish()), (Some(error), Some(LinkError::Refused(code))));
    }
}

#[test]
fn every_code_as_the_result() {
    for (code, error) in CODES {
        let pair = Pair { admit: code, ..good() };
        assert_eq!(errors(pair.finish()), (Some(error), Some(LinkError::Refused(code))));
    }
}

#[test]
fn every_error_is_a_sentence_of_its_own() {
    let mut texts: Vec<String> = CODES.iter().map(|(_, error)| error.to_string()).collect();
    texts.push(LinkError::PermissionDenied { password: false }.to_string());
    for text in &texts {
        assert!(text.starts_with(char::is_lowercase) && !text.ends_with('.'), "{text}");
    }
    let count = texts.len();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), count);
}

#[test]
fn a_cut_at_any_byte_is_an_error_that_names_the_stage() {
    for cut in 0..TOTAL {
        let (client, server) = errors(good().run(|| 1, cut));
        let Some(LinkError::Closed { stage: LinkStage::Reply | LinkStage::Result }) = client else {
            panic!("cut after {cut} bytes: {client:?}");
        };
        match server {
            // The server is done as soon as its result is on the way.
            None => assert!(cut >= TOTAL - 4, "cut after {cut} bytes"),
            Some(LinkError::Closed {
                stage: LinkStage::Message | LinkStage::Mechanism | LinkStage::Ticket,
            }) => {}
            other => panic!("cut after {cut} bytes: {other:?}"),
        }
    }
    assert_eq!(errors(good().run(|| 1, TOTAL)), (None, None));
}

#[test]
fn a_close_behind_an_error_reply_does_not_hide_it() {
    let mut client = client(ticket(b"sesame"));
    let reply = super::bytes::error_reply(5);
    assert_eq!(super::feed(&mut client, &reply), Err(LinkError::NeedSecured));
    assert_eq!(client.handle_close(), Err(LinkError::NeedSecured));
    assert_eq!(super::feed(&mut client, &[0; 4]), Err(LinkError::NeedSecured));
    assert!(client.poll_outcome().is_none() && client.poll_timeout().is_none());
}
