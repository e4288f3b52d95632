//! SASL exchanges with a toy mechanism: the client says who it is, the server sends a nonce, the client answers with
//! password and nonce, the server proves that it knows the password too.

use bytes::{Buf, BufMut, BytesMut};
use spice_proto::caps::CommonCaps;
use spice_proto::link::sasl::{Layer, Mechanism, MechanismList, ServerMechanism, Start, Step};
use spice_proto::link::{
    Auth, Entropy, LinkClient, LinkOffer, LinkRequest, LinkServer, LinkStage, SaslError, ServerAuth,
    TicketRule,
};
use spice_proto::{Instant, Limits, LinkError, ProtocolError};

use super::bytes::{HELLO, error_reply, reply};
use super::{Pair, check, errors, feed, offer, password, request, sent, server};

/// The client's side.
#[derive(Clone)]
pub(super) struct Toy {
    pub(super) name: &'static [u8],
    pub(super) password: &'static [u8],
    pub(super) expected_proof: &'static [u8],
    pub(super) server_first: bool,
    /// Satisfied from the start.
    pub(super) done: bool,
    pub(super) layered: bool,
}

impl Default for Toy {
    fn default() -> Self {
        Self {
            name: b"TOY",
            password: b"sesame",
            expected_proof: b"proof",
            server_first: false,
            done: false,
            layered: true,
        }
    }
}

impl Mechanism for Toy {
    fn start(&mut self, offered: &MechanismList<'_>) -> Result<Start, SaslError> {
        assert!(!offered.contains(b"TO") && !offered.contains(b""));
        let initial = (!self.server_first).then(|| b"ada".to_vec());
        Ok(Start { name: self.name.to_vec(), initial, done: self.done })
    }

    fn step(&mut self, challenge: Option<&[u8]>) -> Result<Step, SaslError> {
        match challenge {
            Some(b"") => Ok(Step { data: Some(Vec::new()), done: false }),
            Some(nonce) if nonce.starts_with(b"nonce") => {
                Ok(Step { data: Some([self.password, nonce].concat()), done: false })
            }
            Some(proof) if proof == self.expected_proof => Ok(Step { data: None, done: true }),
            _ => Err(SaslError::ServerUnverified),
        }
    }

    fn into_layer(self: Box<Self>) -> Option<Box<dyn Layer>> {
        self.layered.then(|| Box::new(Xor) as Box<dyn Layer>)
    }
}

/// The server's side.
struct ToyServer {
    layered: bool,
}

impl ServerMechanism for ToyServer {
    fn offered(&self) -> &[&str] {
        &["OTHER", "TOY"]
    }

    fn start(&mut self, name: &str, initial: Option<&[u8]>) -> Result<Step, SaslError> {
        assert_eq!(name, "TOY");
        match initial {
            Some(b"ada") => Ok(Step { data: Some(b"nonce 7".to_vec()), done: false }),
            // The server speaks first: data of no bytes, which are not the same as no data.
            None => Ok(Step { data: Some(Vec::new()), done: false }),
            Some(_) => Err(SaslError::Rejected),
        }
    }

    fn step(&mut self, response: Option<&[u8]>) -> Result<Step, SaslError> {
        match response {
            Some(b"") => Ok(Step { data: Some(b"nonce 8".to_vec()), done: false }),
            Some(b"sesamenonce 7" | b"sesamenonce 8") => {
                Ok(Step { data: Some(b"proof".to_vec()), done: true })
            }
            _ => Err(SaslError::Rejected),
        }
    }

    fn into_layer(self: Box<Self>) -> Option<Box<dyn Layer>> {
        self.layered.then(|| Box::new(Xor) as Box<dyn Layer>)
    }
}

/// A layer that keeps nothing secret: packets of one length byte and the plain bytes, inverted.
struct Xor;

impl Layer for Xor {
    fn wrap(&mut self, plain: &[u8], out: &mut BytesMut) -> Result<(), SaslError> {
        for packet in plain.chunks(255) {
            out.put_u8(packet.len() as u8);
            out.extend(packet.iter().map(|byte| !byte));
        }
        Ok(())
    }

    fn unwrap(&mut self, wrapped: &mut BytesMut, plain: &mut BytesMut) -> Result<(), SaslError> {
        while let Some(&len) = wrapped.first() {
            if len == 0 {
                return Err(SaslError::Layer("a packet of no bytes"));
            }
            let Some(packet) = wrapped.get(1..1 + usize::from(len)) else { break };
            plain.extend(packet.iter().map(|byte| !byte));
            wrapped.advance(1 + usize::from(len));
        }
        Ok(())
    }
}

pub(super) fn toy_request(toy: Toy) -> LinkRequest {
    request(Auth::Sasl(Box::new(toy)))
}

fn toy_client(toy: Toy, tls: bool) -> LinkClient {
    LinkClient::new(LinkRequest { tls, ..toy_request(toy) }, &Limits::default(), Instant::ZERO)
}

fn toy_offer(layered: bool, tls: bool) -> LinkOffer {
    LinkOffer { tls, ..offer(ServerAuth::Sasl(Box::new(ToyServer { layered }))) }
}

/// A good reply that offers SASL alone.
pub(super) fn sasl_reply() -> Vec<u8> {
    let mut bytes = reply();
    bytes[194] = 0x0d;
    bytes
}

/// A client that has picked its mechanism and awaits data.
pub(super) fn at_sasl_data(toy: Toy, limits: &Limits) -> LinkClient {
    let mut client = LinkClient::new(toy_request(toy), limits, Instant::ZERO);
    feed(&mut client, &[&sasl_reply()[..], &[5, 0, 0, 0], b",TOY,"].concat()).expect("a good list");
    assert_eq!(client.stage(), Some(LinkStage::SaslData));
    client
}

fn pair(toy: Toy, tls: bool) -> Pair {
    Pair::new(toy_client(toy, tls), toy_offer(true, tls))
}

#[test]
fn inside_tls_there_is_no_layer() {
    for server_first in [false, true] {
        let toy = Toy { server_first, layered: false, ..Toy::default() };
        let (client, server) = pair(toy, true).finish();
        let (client, server) = (client.expect("client"), server.expect("server"));
        assert!(client.layer.is_none() && server.layer.is_none());
        assert_eq!(CommonCaps::from(&server.common_caps).bits(), 0x0d);
        assert_eq!(CommonCaps::from(&client.common_caps).bits(), 0x0d);
    }
}

#[test]
fn outside_tls_the_layer_begins_with_the_link_result() {
    let (client, server) = pair(Toy::default(), false).run(|| 1, usize::MAX);
    let (client, server) = (client.expect("client"), server.expect("server"));
    let (mut wrapped, mut plain) = (BytesMut::new(), BytesMut::new());
    server.layer.expect("a layer").wrap(b"hello", &mut wrapped).expect("wraps");
    client.layer.expect("a layer").unwrap(&mut wrapped, &mut plain).expect("unwraps");
    assert_eq!(plain[..], *b"hello");
}

#[test]
fn data_that_were_wrapped_with_the_result_are_handed_over() {
    let mut client = at_sasl_data(Toy { done: true, ..Toy::default() }, &Limits::default());
    let mut input = BytesMut::from(&[0, 0, 0, 0, 1, 0, 0, 0, 0][..]);
    Xor.wrap(&[0, 0, 0, 0, 1, 2, 3], &mut input).expect("wraps");
    input.put_slice(&[9, 1, 2]);
    client.handle_input(Instant::ZERO, &mut input).expect("a good link");
    let outcome = client.poll_outcome().expect("complete");
    assert_eq!((&outcome.plain[..], &input[..]), (&[1, 2, 3][..], &[9, 1, 2][..]));
}

#[test]
fn every_result_of_an_exchange() {
    let rejected = Some(LinkError::Sasl(SaslError::Rejected));
    let wrong = Toy { password: b"wrong", ..Toy::default() };
    assert_eq!(errors(pair(wrong, true).finish()), (rejected, rejected));
    // The server accepts the client, but does not prove itself.
    let strict = Toy { expected_proof: b"other", ..Toy::default() };
    let (client, _) = errors(pair(strict, true).finish());
    assert_eq!(client, Some(LinkError::Sasl(SaslError::ServerUnverified)));
    // No layer on the server: it says no. None on the client: it leaves.
    let weak = Pair::new(toy_client(Toy::default(), false), toy_offer(false, false));
    assert_eq!(errors(weak.finish()), (rejected, Some(LinkError::Sasl(SaslError::NoLayer))));
    let (client, _) = errors(pair(Toy { layered: false, ..Toy::default() }, false).finish());
    assert_eq!(client, Some(LinkError::Sasl(SaslError::NoLayer)));
}

#[test]
fn link_results_inside_and_outside_the_layer() {
    use spice_proto::types::LinkCode;
    for tls in [false, true] {
        let refused = Pair { admit: LinkCode::BAD_CONNECTION_ID, ..pair(Toy::default(), tls) };
        let expected = (LinkError::BadConnectionId, LinkError::Refused(LinkCode::BAD_CONNECTION_ID));
        assert_eq!(errors(refused.finish()), (Some(expected.0), Some(expected.1)));
    }
}

#[test]
fn a_cut_at_any_byte() {
    let mut cut = 0;
    loop {
        let (client, server) = errors(pair(Toy::default(), false).run(|| 1, cut));
        match (client, server) {
            (None, None) => break,
            (Some(LinkError::Closed { .. } | LinkError::Sasl(SaslError::Rejected)), _) => {}
            other => panic!("cut after {cut} bytes: {other:?}"),
        }
        cut += 1;
    }
    assert!(cut > 42 + 202);
}

#[test]
fn a_close_during_the_exchange_means_wrong_credentials() {
    let mut client = at_sasl_data(Toy::default(), &Limits::default());
    assert_eq!(client.handle_close(), Err(LinkError::Sasl(SaslError::Rejected)));
}

#[test]
fn the_client_speaks_the_framing() {
    let mut client = toy_client(Toy::default(), true);
    sent(&mut client);
    feed(&mut client, &sasl_reply()).expect("a good reply");
    assert_eq!(sent(&mut client), [2, 0, 0, 0]);
    feed(&mut client, b"\x0b\0\0\0,OTHER,TOY,").expect("a good list");
    assert_eq!(sent(&mut client), b"\x03\0\0\0TOY\x04\0\0\0ada\0");
    // The last byte of data is dropped, whatever it is.
    feed(&mut client, b"\x08\0\0\0nonce 7X\0").expect("good data");
    assert_eq!(sent(&mut client), b"\x0e\0\0\0sesamenonce 7\0");
    feed(&mut client, b"\x06\0\0\0proof\0\x01").expect("good data");
    assert_eq!((sent(&mut client).len(), client.stage()), (0, Some(LinkStage::SaslResult)));
    feed(&mut client, &[0; 4]).expect("accepted");
    assert_eq!(client.stage(), Some(LinkStage::Result));
    feed(&mut client, &[0; 4]).expect("linked");
    assert!(client.poll_outcome().is_some());
}

#[test]
fn a_rejection_with_text() {
    let mut client = at_sasl_data(Toy { done: true, ..Toy::default() }, &Limits::default());
    let result = feed(&mut client, b"\0\0\0\0\x01\x01\0\0\0\x16\0\0\0Authentication failed\0");
    assert_eq!(result, Err(LinkError::Sasl(SaslError::Rejected)));
}

#[test]
fn a_client_that_is_done_goes_on_without_data() {
    let mut client = at_sasl_data(Toy { done: true, ..Toy::default() }, &Limits::default());
    sent(&mut client);
    feed(&mut client, b"\x04\0\0\0abc\0\0").expect("the server goes on");
    assert_eq!(sent(&mut client), [0, 0, 0, 0]);
}

#[test]
fn a_link_reply_in_place_of_the_list_or_data() {
    let mut client = toy_client(Toy::default(), true);
    feed(&mut client, &sasl_reply()).expect("a good reply");
    assert_eq!(feed(&mut client, &error_reply(4)), Err(LinkError::SaslRequired));
    let mut client = at_sasl_data(Toy::default(), &Limits::default());
    assert_eq!(feed(&mut client, &error_reply(3)), Err(LinkError::MechanismRefused));
}

#[test]
fn names_are_exact_elements_of_the_list() {
    let mut client = toy_client(Toy { name: b"TO", ..Toy::default() }, true);
    let result = feed(&mut client, &[&sasl_reply()[..], b"\x05\0\0\0,TOY,"].concat());
    assert_eq!(result, Err(LinkError::Sasl(SaslError::NoMechanism)));

    let serve = |bytes: &[u8]| {
        let (mut server, offered) = sasl_server(0x0d, toy_offer(true, true));
        assert_eq!(offered, Ok(()));
        server.poll_transmit();
        let mut input = BytesMut::from(&[2, 0, 0, 0][..]);
        input.extend_from_slice(bytes);
        let result = server.handle_input(Instant::ZERO, &mut input);
        (result, server.poll_transmit().unwrap_or_default())
    };
    let list = b"\x0b\0\0\0,OTHER,TOY,";
    // A name that is not on the list is answered at once, one of a forbidden length by a close.
    for name in [&b"TO"[..], b"TOYS", b",TOY", b"OTHER,TOY"] {
        let (result, out) = serve(&[&(name.len() as u32).to_le_bytes(), name].concat());
        assert_eq!(result, Err(LinkError::Sasl(SaslError::NoMechanism)));
        assert_eq!(out[..], [&list[..], &error_reply(3)].concat());
    }
    for len in [0u32, 101, u32::MAX] {
        let (result, out) = serve(&len.to_le_bytes());
        assert!(matches!(result, Err(LinkError::Malformed(_))));
        assert_eq!(out[..], list[..]);
    }
    // Initial data beyond the limit are answered, later data not.
    let (result, out) = serve(b"\x03\0\0\0TOY\x01\0\x10\0");
    assert!(matches!(result, Err(LinkError::Limit(_))));
    assert_eq!(out[..], [&list[..], &error_reply(3)].concat());
    let (result, out) = serve(b"\x03\0\0\0TOY\x04\0\0\0ada\0\x01\0\x10\0");
    assert!(matches!(result, Err(LinkError::Limit(_))));
    assert_eq!(out[..], [&list[..], b"\x08\0\0\0nonce 7\0\0"].concat());
}

/// A server that has made its offer to a client with the given common capabilities, and how that went.
fn sasl_server(client_caps: u8, offer: LinkOffer) -> (LinkServer, Result<(), ProtocolError>) {
    let mut hello = HELLO;
    hello[34] = client_caps;
    let mut server = server();
    server.handle_input(Instant::ZERO, &mut BytesMut::from(&hello[..])).expect("a good link message");
    assert!(server.poll_question().is_some());
    let offered = server.offer(offer);
    (server, offered)
}

#[test]
fn a_client_that_cannot_select_is_told_that_sasl_is_required() {
    let (mut server, offered) = sasl_server(0x08, toy_offer(true, true));
    assert_eq!(offered, Err(ProtocolError::Link(LinkError::SaslRequired)));
    assert_eq!(server.poll_transmit().as_deref(), Some(&error_reply(4)[..]));
    assert_eq!(server.handle_close(), Err(LinkError::SaslRequired));
}

#[test]
fn a_client_with_both_prefers_sasl() {
    let either = || Auth::Either {
        mechanism: Box::new(Toy::default()),
        password: password(b"sesame"),
        entropy: Entropy::new([1; 32]),
    };
    for (word, mechanism) in [(0x0d, 2), (0x0f, 2), (0x0b, 1)] {
        let mut client = super::client(either());
        sent(&mut client);
        let mut reply = reply();
        reply[194] = word;
        feed(&mut client, &reply).expect("a good reply");
        assert_eq!(sent(&mut client)[0], mechanism);
    }
    let tickets = || check(TicketRule::Password(password(b"sesame")));
    let both = offer(ServerAuth::Either(tickets(), Box::new(ToyServer { layered: true })));
    assert_eq!(errors(Pair::new(super::client(either()), both).finish()), (None, None));
    let tickets = offer(ServerAuth::Ticket(tickets()));
    assert_eq!(errors(Pair::new(super::client(either()), tickets).finish()), (None, None));
    let sasl_only = super::client(Auth::Sasl(Box::new(Toy::default())));
    let tickets = super::expects(b"sesame");
    let (client, _) = errors(Pair::new(sasl_only, tickets).finish());
    assert!(matches!(client, Some(LinkError::UnsupportedMechanism { .. })));
}
