//! The server's side of the link stage.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use nom::Parser;
use nom::bytes::streaming::take;

use crate::caps::{Caps, CommonCaps};
use crate::error::ProtocolError;
use crate::limits::Limits;
use crate::link::machine::{Agreed, Machine, Next, Steps};
use crate::link::message::{LinkMess, LinkReply, link_mess, pull, word};
use crate::link::sasl::{self, Layer, SaslError, ServerMechanism, Step};
use crate::link::{
    AuthMechanism, Entropy, HeaderKind, LinkError, LinkOutcome, LinkStage, PUB_KEY_LEN, Password, TICKET_LEN,
    TicketKey,
};
use crate::time::Instant;
use crate::types::LinkCode;

/// What a server must decide before a link goes on. Answer with the methods of [`LinkServer`] named here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkQuestion {
    /// A client wants to link: [`offer`](LinkServer::offer) it the channel, or [`refuse`](LinkServer::refuse).
    ///
    /// Only what concerns everybody belongs here: whether the channel exists and whether it may go without TLS.
    Offer(LinkMess),
    /// The client is authenticated: [`admit`](LinkServer::admit) it, or [`refuse`](LinkServer::refuse).
    ///
    /// Here the connection id is checked, [`LinkCode::BAD_CONNECTION_ID`], because strangers must not try ids out.
    Admit,
}

/// What a server offers to a client that wants to link.
pub struct LinkOffer {
    /// What the server announces for all channels. Only [`MINI_HEADER`](CommonCaps::MINI_HEADER) is the caller's to
    /// choose; the `AUTH_*` bits follow from `auth`.
    pub common_caps: CommonCaps,
    /// What the server announces for this channel.
    pub channel_caps: Caps,
    /// How the client can prove who it is.
    pub auth: ServerAuth,
    /// Whether the connection runs inside TLS. Outside it, SASL brings a security layer.
    pub tls: bool,
}

impl fmt::Debug for LinkOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkOffer")
            .field("common_caps", &self.common_caps)
            .field("channel_caps", &self.channel_caps)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// How a server lets clients prove who they are.
pub enum ServerAuth {
    /// By a ticket.
    Ticket(TicketCheck),
    /// By SASL.
    Sasl(Box<dyn ServerMechanism>),
    /// By either, as the client likes.
    Either(TicketCheck, Box<dyn ServerMechanism>),
}

impl ServerAuth {
    fn caps(&self) -> CommonCaps {
        CommonCaps::AUTH_SELECTION
            | match self {
                Self::Ticket(_) => CommonCaps::AUTH_SPICE,
                Self::Sasl(_) => CommonCaps::AUTH_SASL,
                Self::Either(..) => CommonCaps::AUTH_SPICE | CommonCaps::AUTH_SASL,
            }
    }
}

impl fmt::Debug for ServerAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ticket(_) => "Ticket(..)",
            Self::Sasl(_) => "Sasl(..)",
            Self::Either(..) => "Either(..)",
        })
    }
}

/// How a server checks one ticket.
#[derive(Debug)]
pub struct TicketCheck {
    /// A key made for this link alone.
    pub key: TicketKey,
    /// What the ticket must hold.
    pub rule: TicketRule,
    /// Fresh random bytes that hide the decryption's timing.
    pub entropy: Entropy,
}

/// What a ticket must hold.
#[derive(Clone, Debug)]
pub enum TicketRule {
    /// Any password: tickets are switched off. The ticket must still be properly encrypted.
    Any,
    /// This password. An empty one matches nothing.
    Password(Password),
    /// No ticket is good: the password has expired or none was set.
    Deny,
}

/// The server's side of one link, from the first byte to the link result.
///
/// Driven like [`LinkClient`](crate::link::LinkClient), and in addition the caller answers what
/// [`poll_question`](Self::poll_question) asks. What [`poll_transmit`](Self::poll_transmit) gives after an error is
/// the reply that tells the client why; send it, then close.
pub struct LinkServer {
    machine: Machine<State>,
}

impl LinkServer {
    /// Waits for a link message on a connection that was just accepted.
    ///
    /// The link must be over [`Limits::handshake`] after `now`.
    pub fn new(limits: &Limits, now: Instant) -> Self {
        Self { machine: Machine::new(State::Message, BytesMut::new(), limits, now) }
    }

    /// Takes the bytes of the link off the front of `input`.
    ///
    /// Incomplete structures stay in `input` until their rest has come, and so do bytes behind the link's end. While
    /// [`wants_input`](Self::wants_input) is false nothing is taken. Opening a ticket costs about a millisecond.
    ///
    /// # Errors
    /// Why the link failed; from then on always the same.
    pub fn handle_input(&mut self, now: Instant, input: &mut BytesMut) -> Result<(), LinkError> {
        self.machine.handle_input(now, input)
    }

    /// Notes that the time is `now`.
    ///
    /// # Errors
    /// [`LinkError::Timeout`] when the link is not over in time; an earlier failure if there was one.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), LinkError> {
        self.machine.handle_timeout(now)
    }

    /// Notes that the client has closed the connection, or that it broke.
    ///
    /// # Errors
    /// [`LinkError::Closed`], unless the link is complete; an earlier failure if there was one.
    pub fn handle_close(&mut self) -> Result<(), LinkError> {
        self.machine.handle_close(|stage| LinkError::Closed { stage })
    }

    /// What the caller must decide now; each question comes once.
    pub fn poll_question(&mut self) -> Option<LinkQuestion> {
        match self.machine.state()? {
            State::Offer { mess, asked } if !*asked => {
                *asked = true;
                Some(LinkQuestion::Offer(mess.clone()))
            }
            State::Admit { asked, .. } if !*asked => {
                *asked = true;
                Some(LinkQuestion::Admit)
            }
            _ => None,
        }
    }

    /// Answers [`LinkQuestion::Offer`]: replies to the client, which authenticates next.
    ///
    /// # Errors
    /// [`ProtocolError::Misuse`] when that is not the question. [`ProtocolError::Link`] when the client
    /// cannot select SASL and nothing else is offered; it is told so.
    pub fn offer(&mut self, offer: LinkOffer) -> Result<(), ProtocolError> {
        let state = match self.machine.take() {
            Some(State::Offer { mess, .. }) => accept(&mess, offer, &mut self.machine.out),
            other => return self.misused(other),
        };
        match state {
            Ok(state) => self.machine.set(state),
            Err(error) => return Err(self.machine.fail(error).into()),
        }
        Ok(())
    }

    /// Answers [`LinkQuestion::Admit`]: the link is complete.
    ///
    /// # Errors
    /// [`ProtocolError::Misuse`] when that is not the question.
    pub fn admit(&mut self) -> Result<(), ProtocolError> {
        let (agreed, mut layer) = match self.machine.take() {
            Some(State::Admit { agreed, layer, .. }) => (agreed, layer),
            other => return self.misused(other),
        };
        match put_result(LinkCode::OK, layer.as_deref_mut(), &mut self.machine.out) {
            Ok(()) => self.machine.finish(agreed.outcome(layer, BytesMut::new())),
            Err(error) => return Err(self.machine.fail(error).into()),
        }
        Ok(())
    }

    /// Answers either question: sends the client away with `code`. Close the connection once that is sent.
    ///
    /// # Errors
    /// [`ProtocolError::Misuse`] when there is no question, or when `code` is [`LinkCode::OK`].
    pub fn refuse(&mut self, code: LinkCode) -> Result<(), ProtocolError> {
        let error = match self.machine.take() {
            Some(State::Offer { .. }) if code != LinkCode::OK => {
                LinkReply::encode_error(code, &mut self.machine.out);
                LinkError::Refused(code)
            }
            Some(State::Admit { mut layer, .. }) if code != LinkCode::OK => {
                let sent = put_result(code, layer.as_deref_mut(), &mut self.machine.out);
                sent.err().unwrap_or(LinkError::Refused(code))
            }
            other => return self.misused(other),
        };
        self.machine.fail(error);
        Ok(())
    }

    /// Bytes to be sent, in order; `None` when there are none at present.
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        self.machine.poll_transmit()
    }

    /// The outcome, once, when the link is complete.
    pub fn poll_outcome(&mut self) -> Option<LinkOutcome> {
        self.machine.poll_outcome()
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called, while the link is under way.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.machine.poll_timeout()
    }

    /// What is being waited for; `None` when the link is complete or has failed.
    pub fn stage(&self) -> Option<LinkStage> {
        self.machine.stage()
    }

    /// Whether bytes can be used now. While a question is open they cannot: stop reading from the client.
    pub fn wants_input(&self) -> bool {
        !matches!(self.stage(), None | Some(LinkStage::Decision))
    }

    fn misused(&mut self, state: Option<State>) -> Result<(), ProtocolError> {
        if let Some(state) = state {
            self.machine.set(state);
        }
        Err(ProtocolError::Misuse("this answers no link question that is open"))
    }
}

impl fmt::Debug for LinkServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkServer")
            .field("stage", &self.stage())
            .field("deadline", &self.poll_timeout())
            .finish_non_exhaustive()
    }
}

enum State {
    Message,
    Offer { mess: LinkMess, asked: bool },
    Mechanism { agreed: Agreed, auth: ServerAuth, tls: bool },
    Ticket { agreed: Agreed, check: TicketCheck },
    SaslName(SaslLink),
    SaslStart { link: SaslLink, name: Vec<u8> },
    SaslData(SaslLink),
    Admit { agreed: Agreed, layer: Option<Box<dyn Layer>>, asked: bool },
}

/// A link that is authenticating by SASL.
struct SaslLink {
    agreed: Agreed,
    mechanism: Box<dyn ServerMechanism>,
    tls: bool,
}

impl Steps for State {
    fn stage(&self) -> LinkStage {
        match self {
            Self::Message => LinkStage::Message,
            Self::Offer { .. } | Self::Admit { .. } => LinkStage::Decision,
            Self::Mechanism { .. } => LinkStage::Mechanism,
            Self::Ticket { .. } => LinkStage::Ticket,
            Self::SaslName(_) | Self::SaslStart { .. } | Self::SaslData(_) => LinkStage::SaslData,
        }
    }

    fn step(
        self,
        input: &mut BytesMut,
        out: &mut BytesMut,
        limits: &Limits,
    ) -> Result<Next<Self>, LinkError> {
        match self {
            Self::Message => match pull(input, |i| link_mess(i, limits.link_len)) {
                Ok(Some(mess)) => Ok(Next::Wait(Self::Offer { mess, asked: false })),
                Ok(None) => Ok(Next::Wait(self)),
                Err(error) => {
                    answer_bad_message(error, out);
                    Err(error)
                }
            },
            Self::Mechanism { agreed, auth, tls } => match pull(input, word)? {
                Some(word) => select(AuthMechanism(word), agreed, auth, tls, out).map(Next::Go),
                None => Ok(Next::Wait(Self::Mechanism { agreed, auth, tls })),
            },
            Self::Ticket { agreed, check } => {
                let Some(ticket) = pull(input, |i| take(TICKET_LEN).map(<[u8]>::to_vec).parse(i))? else {
                    return Ok(Next::Wait(Self::Ticket { agreed, check }));
                };
                if check.passes(&ticket) {
                    return Ok(Next::Wait(Self::Admit { agreed, layer: None, asked: false }));
                }
                put_result(LinkCode::PERMISSION_DENIED, None, out)?;
                Err(LinkError::Refused(LinkCode::PERMISSION_DENIED))
            }
            Self::SaslName(link) => match pull(input, sasl::name)? {
                Some(name) if link.mechanism.offered().iter().any(|offered| offered.as_bytes() == name) => {
                    Ok(Next::Go(Self::SaslStart { link, name }))
                }
                Some(_) => {
                    LinkReply::encode_error(LinkCode::INVALID_DATA, out);
                    Err(SaslError::NoMechanism.into())
                }
                None => Ok(Next::Wait(Self::SaslName(link))),
            },
            Self::SaslStart { mut link, name } => {
                match pull(input, |i| sasl::data(i, limits.sasl_blob_len)) {
                    Ok(Some(data)) => {
                        // The name is one of those offered, which are text.
                        let name = core::str::from_utf8(&name).unwrap_or_default();
                        let step = link.mechanism.start(name, data.as_deref());
                        link.proceed(step, out, limits)
                    }
                    Ok(None) => Ok(Next::Wait(Self::SaslStart { link, name })),
                    Err(error) => {
                        LinkReply::encode_error(LinkCode::INVALID_DATA, out);
                        Err(error)
                    }
                }
            }
            Self::SaslData(mut link) => match pull(input, |i| sasl::data(i, limits.sasl_blob_len))? {
                Some(data) => {
                    let step = link.mechanism.step(data.as_deref());
                    link.proceed(step, out, limits)
                }
                None => Ok(Next::Wait(Self::SaslData(link))),
            },
            Self::Offer { .. } | Self::Admit { .. } => Ok(Next::Wait(self)),
        }
    }
}

impl SaslLink {
    /// Sends the outcome of a step, and the result if it was the last.
    fn proceed(
        self,
        step: Result<Step, SaslError>,
        out: &mut BytesMut,
        limits: &Limits,
    ) -> Result<Next<State>, LinkError> {
        let step = match step {
            Ok(step) => step,
            Err(error) => {
                // The client waits for data and the word on completeness, and would take a result for these.
                sasl::put_data(None, limits.sasl_blob_len, out)?;
                out.put_u8(1);
                put_rejection(out);
                return Err(error.into());
            }
        };
        sasl::put_data(step.data.as_deref(), limits.sasl_blob_len, out)?;
        out.put_u8(step.done.into());
        if !step.done {
            return Ok(Next::Go(State::SaslData(self)));
        }
        let layer = if self.tls { None } else { self.mechanism.into_layer() };
        if !self.tls && layer.is_none() {
            put_rejection(out);
            return Err(SaslError::NoLayer.into());
        }
        put_result(LinkCode::OK, None, out)?;
        Ok(Next::Wait(State::Admit { agreed: self.agreed, layer, asked: false }))
    }
}

impl TicketCheck {
    /// Opens the ticket whatever the rule is, so that refusals do not differ in time.
    fn passes(self, ticket: &[u8]) -> bool {
        let opened = self.key.open(ticket, self.entropy);
        match self.rule {
            TicketRule::Any => opened.is_intact(),
            TicketRule::Password(password) => password.matches(&opened),
            TicketRule::Deny => false,
        }
    }
}

/// Replies to a link message as `offer` says.
fn accept(mess: &LinkMess, offer: LinkOffer, out: &mut BytesMut) -> Result<State, LinkError> {
    let LinkOffer { common_caps, channel_caps, auth, tls } = offer;
    let ours = (common_caps & CommonCaps::MINI_HEADER) | auth.caps();
    let theirs = CommonCaps::from(&mess.common_caps);
    let selects = theirs.contains(CommonCaps::AUTH_SELECTION);
    if !selects && matches!(auth, ServerAuth::Sasl(_)) {
        LinkReply::encode_error(LinkCode::VERSION_MISMATCH, out);
        return Err(LinkError::SaslRequired);
    }
    let pub_key = match &auth {
        ServerAuth::Ticket(check) | ServerAuth::Either(check, _) => check.key.pub_key(),
        ServerAuth::Sasl(_) => [0; PUB_KEY_LEN],
    };
    LinkReply { error: LinkCode::OK, pub_key, common_caps: ours.into(), channel_caps }.encode(out);
    let agreed = Agreed {
        header: HeaderKind::agreed(ours, theirs),
        common_caps: mess.common_caps.clone(),
        channel_caps: mess.channel_caps.clone(),
    };
    Ok(match auth {
        ServerAuth::Ticket(check) | ServerAuth::Either(check, _) if !selects => {
            State::Ticket { agreed, check }
        }
        auth => State::Mechanism { agreed, auth, tls },
    })
}

/// Goes on with the mechanism that the client selected.
fn select(
    word: AuthMechanism,
    agreed: Agreed,
    auth: ServerAuth,
    tls: bool,
    out: &mut BytesMut,
) -> Result<State, LinkError> {
    match (word, auth) {
        (AuthMechanism::SPICE, ServerAuth::Ticket(check) | ServerAuth::Either(check, _)) => {
            Ok(State::Ticket { agreed, check })
        }
        (AuthMechanism::SASL, ServerAuth::Sasl(mechanism) | ServerAuth::Either(_, mechanism)) => {
            sasl::put_list(mechanism.offered(), out);
            Ok(State::SaslName(SaslLink { agreed, mechanism, tls }))
        }
        (AuthMechanism(word), _) => {
            LinkReply::encode_error(LinkCode::INVALID_DATA, out);
            Err(LinkError::NotOffered(word))
        }
    }
}

/// Tells a client what is wrong with its link message.
fn answer_bad_message(error: LinkError, out: &mut BytesMut) {
    let code = match error {
        LinkError::NotSpice(_) => LinkCode::INVALID_MAGIC,
        // Servers have always been silent to version 0.
        LinkError::VersionMismatch { major: 0, .. } => return,
        LinkError::VersionMismatch { .. } => LinkCode::VERSION_MISMATCH,
        _ => LinkCode::INVALID_DATA,
    };
    LinkReply::encode_error(code, out);
}

fn put_result(
    code: LinkCode,
    layer: Option<&mut (dyn Layer + 'static)>,
    out: &mut BytesMut,
) -> Result<(), LinkError> {
    let word = code.0.to_le_bytes();
    match layer {
        Some(layer) => layer.wrap(&word, out).map_err(LinkError::from),
        None => {
            out.put_slice(&word);
            Ok(())
        }
    }
}

/// The SASL result that says no: a code, and a text with its length.
fn put_rejection(out: &mut BytesMut) {
    const TEXT: &[u8; 22] = b"Authentication failed\0";
    out.put_u32_le(LinkCode::ERROR.0);
    out.put_u32_le(TEXT.len() as u32);
    out.put_slice(TEXT);
}
