//! The link stage, both ends against any bytes.

pub(crate) mod sasl;

use std::sync::LazyLock;

use bytes::{Bytes, BytesMut};
use spice_proto::caps::{Caps, CommonCaps, MainCaps};
use spice_proto::link::{
    Auth, AuthMechanism, Entropy, LinkClient, LinkOffer, LinkOutcome, LinkQuestion, LinkReply, LinkRequest,
    LinkServer, Password, PubKey, ServerAuth, TicketCheck, TicketRule,
};
use spice_proto::testing::ticket_key;
use spice_proto::types::{ChannelId, LinkCode};
use spice_proto::{Instant, Limits, LinkError, ProtocolError};

use crate::chunks::Chunks;
use crate::memory::bounded;

/// A client's link gives the same answers and the same end however the server's bytes are cut.
///
/// Input: one byte of options, cuts as in `Chunks`, the stream. Two bits choose how the client authenticates, one
/// whether TLS is in use, one whether the client speaks first in SASL, two what stands before the stream: nothing, a
/// reply that offers tickets, or one that offers SASL, with or without a list of mechanisms.
pub fn client(data: &[u8]) {
    let Some((&options, rest)) = data.split_first() else { return };
    let mut script = BytesMut::new();
    match options >> 4 & 3 {
        0 => {}
        1 => reply(CommonCaps::AUTH_SPICE | CommonCaps::MINI_HEADER).encode(&mut script),
        more => {
            reply(CommonCaps::AUTH_SASL).encode(&mut script);
            if more == 3 {
                script.extend_from_slice(b"\x05\0\0\0,TOY,");
            }
        }
    }
    let chunks = Chunks::new(rest);
    script.extend_from_slice(chunks.stream());
    let whole = run_client(options, [&script[..]].into_iter());
    let prefix = script.len() - chunks.stream().len();
    let cut = [&script[..prefix]].into_iter().chain(chunks);
    let bound = (128 << 10) + 16 * script.len();
    assert_eq!(whole, bounded("a client's link", bound, || run_client(options, cut)));
}

/// A server's link gives the same answers and the same end however the client's bytes are cut.
///
/// Input: one byte of options, cuts as in `Chunks`, the stream. Three bits choose what the server offers, one whether
/// it refuses the channel, one whether it refuses the authenticated client, one whether TLS is in use.
pub fn server(data: &[u8]) {
    let Some((&options, rest)) = data.split_first() else { return };
    let chunks = Chunks::new(rest);
    let stream = chunks.stream();
    let whole = run_server(options, [stream].into_iter());
    let bound = (128 << 10) + 16 * stream.len();
    assert_eq!(whole, bounded("a server's link", bound, || run_server(options, chunks)));
}

/// A reply that lets every link go on, as the server with the fixed ticket key sends it.
pub(crate) fn reply(common_caps: CommonCaps) -> LinkReply {
    static KEY: LazyLock<PubKey> = LazyLock::new(|| ticket_key().pub_key());
    LinkReply {
        error: LinkCode::OK,
        pub_key: *KEY,
        common_caps: (common_caps | CommonCaps::AUTH_SELECTION).into(),
        channel_caps: Caps::from(MainCaps::NAME_AND_UUID),
    }
}

/// How a link went: what was sent, and how it ended.
#[derive(Debug, PartialEq)]
struct Trace {
    sent: Vec<u8>,
    end: Result<Outcome, LinkError>,
}

/// What a link left behind; `None` where it is not over.
type Outcome = Option<(String, Bytes)>;

fn run_client<'a>(options: u8, chunks: impl Iterator<Item = &'a [u8]>) -> Trace {
    let password = Password::new(b"sesame").expect("a usable password");
    let mechanism = Box::new(sasl::Toy { speaks_first: options & 8 != 0 });
    let entropy = Entropy::new([3; 32]);
    let request = LinkRequest {
        channel: ChannelId::MAIN,
        connection_id: 0,
        common_caps: CommonCaps::MINI_HEADER,
        channel_caps: Caps::from(MainCaps::NAME_AND_UUID),
        auth: match options & 3 {
            0 => Auth::Ticket { password, entropy },
            1 => Auth::Sasl(mechanism),
            _ => Auth::Either { mechanism, password, entropy },
        },
        tls: options & 4 != 0,
    };
    let mut link = LinkClient::new(request, &Limits::default(), Instant::ZERO);
    let (mut input, mut sent, mut outcome) = (BytesMut::new(), Vec::new(), None);
    for chunk in chunks {
        input.extend_from_slice(chunk);
        let result = link.handle_input(Instant::ZERO, &mut input);
        sent.extend(link.poll_transmit().unwrap_or_default());
        assert_eq!(link.handle_timeout(Instant::ZERO), result, "an error stays");
        outcome = outcome.or_else(|| link.poll_outcome());
    }
    Trace { sent, end: link.handle_close().map(|()| left(outcome, input)) }
}

fn run_server<'a>(options: u8, chunks: impl Iterator<Item = &'a [u8]>) -> Trace {
    let mut link = LinkServer::new(&Limits::default(), Instant::ZERO);
    let (mut input, mut sent, mut outcome) = (BytesMut::new(), Vec::new(), None);
    for chunk in chunks {
        input.extend_from_slice(chunk);
        loop {
            // Errors stay, and are looked at in the end.
            let _ = link.handle_input(Instant::ZERO, &mut input);
            let Some(question) = link.poll_question() else { break };
            if let Err(ProtocolError::Misuse(what)) = answer(&mut link, question, options) {
                panic!("{what}");
            }
        }
        sent.extend(link.poll_transmit().unwrap_or_default());
        outcome = outcome.or_else(|| link.poll_outcome());
    }
    Trace { sent, end: link.handle_close().map(|()| left(outcome, input)) }
}

fn answer(link: &mut LinkServer, question: LinkQuestion, options: u8) -> Result<(), ProtocolError> {
    match question {
        LinkQuestion::Offer(_) if options & 8 != 0 => link.refuse(LinkCode::CHANNEL_NOT_AVAILABLE),
        LinkQuestion::Offer(_) => link.offer(offer(options)),
        LinkQuestion::Admit if options & 16 != 0 => link.refuse(LinkCode::BAD_CONNECTION_ID),
        LinkQuestion::Admit => link.admit(),
    }
}

fn offer(options: u8) -> LinkOffer {
    let check = |rule| TicketCheck { key: ticket_key(), rule, entropy: Entropy::new([5; 32]) };
    let password = || TicketRule::Password(Password::new(b"sesame").expect("a usable password"));
    LinkOffer {
        common_caps: CommonCaps::MINI_HEADER,
        channel_caps: Caps::from(MainCaps::NAME_AND_UUID),
        auth: match options & 7 {
            0 => ServerAuth::Ticket(check(TicketRule::Any)),
            1 => ServerAuth::Ticket(check(password())),
            2 => ServerAuth::Ticket(check(TicketRule::Deny)),
            3 => ServerAuth::Either(check(password()), Box::new(sasl::ToyServer)),
            _ => ServerAuth::Sasl(Box::new(sasl::ToyServer)),
        },
        tls: options & 32 != 0,
    }
}

/// What a complete link hands over: its outcome, and every byte of the data stage that has arrived.
fn left(outcome: Option<LinkOutcome>, mut input: BytesMut) -> Outcome {
    outcome.map(|mut outcome| {
        let mut data = outcome.plain.split();
        let text = format!("{outcome:?}");
        match &mut outcome.layer {
            // What has been unwrapped together with the result depends on the chunks; the sum does not.
            Some(layer) => layer.unwrap(&mut input, &mut data).expect("the toy layer takes anything"),
            None => assert!(data.is_empty(), "plain bytes without a layer"),
        }
        data.extend_from_slice(&input);
        (text, data.freeze())
    })
}

/// A client's bytes up to a link's result, for a server with the fixed ticket key that expects `sesame`.
pub fn client_bytes(mechanism: AuthMechanism) -> Vec<u8> {
    let request = LinkRequest {
        channel: ChannelId::MAIN,
        connection_id: 0,
        common_caps: CommonCaps::MINI_HEADER,
        channel_caps: Caps::from(MainCaps::NAME_AND_UUID),
        auth: match mechanism {
            AuthMechanism::SASL => Auth::Sasl(Box::new(sasl::Toy { speaks_first: true })),
            _ => Auth::Ticket {
                password: Password::new(b"sesame").expect("a usable password"),
                entropy: Entropy::new([3; 32]),
            },
        },
        tls: false,
    };
    let mut link = LinkClient::new(request, &Limits::default(), Instant::ZERO);
    let mut script = BytesMut::new();
    reply(CommonCaps::AUTH_SPICE | CommonCaps::AUTH_SASL).encode(&mut script);
    if mechanism == AuthMechanism::SASL {
        script.extend_from_slice(sasl::TOY_SUCCEEDS);
    }
    link.handle_input(Instant::ZERO, &mut script).expect("a good server");
    link.poll_transmit().map(Vec::from).unwrap_or_default()
}
