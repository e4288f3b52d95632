//! The link stage: both ends against each other, and each against a peer that breaks the rules.

mod bytes;
mod hostile;
mod limits;
mod pair;
mod sasl;
mod ticket;

use ::bytes::BytesMut;
use spice_proto::caps::{Caps, CommonCaps, MainCaps};
use spice_proto::link::{
    Auth, Entropy, LinkClient, LinkOffer, LinkOutcome, LinkQuestion, LinkRequest, LinkServer, Password,
    ServerAuth, TicketCheck, TicketRule,
};
use spice_proto::testing::ticket_key;
use spice_proto::types::{ChannelId, LinkCode};
use spice_proto::{Instant, Limits, LinkError};

/// A request for the main channel that authenticates by `auth`.
fn request(auth: Auth) -> LinkRequest {
    LinkRequest {
        channel: ChannelId::MAIN,
        connection_id: 0,
        common_caps: CommonCaps::MINI_HEADER,
        channel_caps: Caps::from(MainCaps::from_bits_retain(0x0f)),
        auth,
        tls: false,
    }
}

fn password(bytes: &[u8]) -> Password {
    Password::new(bytes).expect("a usable password")
}

fn ticket(bytes: &[u8]) -> Auth {
    Auth::Ticket { password: password(bytes), entropy: Entropy::new([3; 32]) }
}

fn client(auth: Auth) -> LinkClient {
    LinkClient::new(request(auth), &Limits::default(), Instant::ZERO)
}

fn server() -> LinkServer {
    LinkServer::new(&Limits::default(), Instant::ZERO)
}

fn check(rule: TicketRule) -> TicketCheck {
    TicketCheck { key: ticket_key(), rule, entropy: Entropy::new([5; 32]) }
}

fn offer(auth: ServerAuth) -> LinkOffer {
    LinkOffer {
        common_caps: CommonCaps::MINI_HEADER,
        channel_caps: Caps::from(MainCaps::from_bits_retain(0x0f)),
        auth,
        tls: false,
    }
}

fn expects(bytes: &[u8]) -> LinkOffer {
    offer(ServerAuth::Ticket(check(TicketRule::Password(password(bytes)))))
}

/// Feeds everything at once.
fn feed(client: &mut LinkClient, bytes: &[u8]) -> Result<(), LinkError> {
    client.handle_input(Instant::ZERO, &mut BytesMut::from(bytes))
}

/// Takes all that a client has to send.
fn sent(client: &mut LinkClient) -> Vec<u8> {
    client.poll_transmit().map(Vec::from).unwrap_or_default()
}

/// How a link ended on one side.
type End = Result<LinkOutcome, LinkError>;

/// Both ends on an in-memory connection.
struct Pair {
    client: LinkClient,
    server: LinkServer,
    /// The server's answer to the link message, once.
    offer: Option<Result<LinkOffer, LinkCode>>,
    /// The server's answer to the authenticated client.
    admit: LinkCode,
}

impl Pair {
    fn new(client: LinkClient, offer: LinkOffer) -> Self {
        Self { client, server: server(), offer: Some(Ok(offer)), admit: LinkCode::OK }
    }

    /// Runs to the end, moving `chunk()` bytes at a time and no more than `budget` bytes altogether; then the
    /// connection is cut.
    fn run(mut self, mut chunk: impl FnMut() -> usize, mut budget: usize) -> (End, End) {
        let (mut up, mut down) = (BytesMut::new(), BytesMut::new());
        let (mut to_server, mut to_client) = (BytesMut::new(), BytesMut::new());
        loop {
            up.extend_from_slice(&self.client.poll_transmit().unwrap_or_default());
            down.extend_from_slice(&self.server.poll_transmit().unwrap_or_default());
            let mut moved = 0;
            for (from, to) in [(&mut up, &mut to_server), (&mut down, &mut to_client)] {
                let len = chunk().max(1).min(from.len()).min(budget);
                to.extend_from_slice(&from.split_to(len));
                budget -= len;
                moved += len;
            }
            // Errors stay, and are looked at in the end.
            let _ = self.server.handle_input(Instant::ZERO, &mut to_server);
            let _ = self.client.handle_input(Instant::ZERO, &mut to_client);
            let mut asked = false;
            while let Some(question) = self.server.poll_question() {
                asked = true;
                self.answer(question);
            }
            if moved == 0 && !asked {
                break;
            }
        }
        let server = self.server.handle_close().map(|()| self.server.poll_outcome());
        let client = self.client.handle_close().map(|()| self.client.poll_outcome());
        let complete = |end: Result<Option<LinkOutcome>, LinkError>| end.map(|end| end.expect("one outcome"));
        (complete(client), complete(server))
    }

    fn answer(&mut self, question: LinkQuestion) {
        let answered = match (question, self.admit) {
            (LinkQuestion::Offer(_), _) => match self.offer.take().expect("one question") {
                Ok(offer) => self.server.offer(offer),
                Err(code) => self.server.refuse(code),
            },
            (LinkQuestion::Admit, LinkCode::OK) => self.server.admit(),
            (LinkQuestion::Admit, code) => self.server.refuse(code),
        };
        // A link error is kept by the machine.
        assert!(!matches!(answered, Err(spice_proto::ProtocolError::Misuse(_))));
    }

    /// Runs to the end with everything arriving at once.
    fn finish(self) -> (End, End) {
        self.run(|| usize::MAX, usize::MAX)
    }
}

/// The errors of both sides, for comparison; `None` for success.
fn errors(ends: (End, End)) -> (Option<LinkError>, Option<LinkError>) {
    (ends.0.err(), ends.1.err())
}
