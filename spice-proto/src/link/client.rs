//! The client's side of the link stage.

use alloc::boxed::Box;
use core::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::caps::{Caps, CommonCaps};
use crate::error::{DecodeError, DecodeErrorKind, LimitExceeded};
use crate::limits::Limits;
use crate::link::machine::{Agreed, Machine, Next, Steps};
use crate::link::message::{LinkMess, LinkReply, MAGIC, Parsed, link_reply, pull, word};
use crate::link::sasl::{self, Layer, Mechanism, MechanismList, SaslError};
use crate::link::{AuthMechanism, Entropy, HeaderKind, LinkError, LinkOutcome, LinkStage, Password};
use crate::time::Instant;
use crate::types::{ChannelId, LinkCode};

/// What a client wants from a link, and what it brings along.
pub struct LinkRequest {
    /// The channel.
    pub channel: ChannelId,
    /// 0 for a new session on the main channel, otherwise the session id from the main channel's `init`.
    ///
    /// Never quote another number on a main channel: server 0.15.1 accepts any and then stays mute for ever.
    pub connection_id: u32,
    /// What the client announces for all channels. Only [`MINI_HEADER`](CommonCaps::MINI_HEADER) is the caller's to
    /// choose; the `AUTH_*` bits follow from `auth`.
    pub common_caps: CommonCaps,
    /// What the client announces for this channel.
    pub channel_caps: Caps,
    /// How the client proves who it is.
    pub auth: Auth,
    /// Whether the connection runs inside TLS. Outside it, SASL brings a security layer.
    pub tls: bool,
}

impl fmt::Debug for LinkRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkRequest")
            .field("channel", &self.channel)
            .field("connection_id", &self.connection_id)
            .field("common_caps", &self.common_caps)
            .field("channel_caps", &self.channel_caps)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// How a client proves who it is. Every channel of a session does so again.
pub enum Auth {
    /// By a password, which may be empty.
    Ticket {
        /// The password.
        password: Password,
        /// Fresh random bytes for sealing it, once.
        entropy: Entropy,
    },
    /// By SASL.
    Sasl(Box<dyn Mechanism>),
    /// By SASL where the server offers it, by a password otherwise.
    Either {
        /// The SASL side.
        mechanism: Box<dyn Mechanism>,
        /// The password.
        password: Password,
        /// Fresh random bytes for sealing it, once.
        entropy: Entropy,
    },
}

impl Auth {
    fn caps(&self) -> CommonCaps {
        match self {
            Self::Ticket { .. } => CommonCaps::AUTH_SELECTION,
            Self::Sasl(_) | Self::Either { .. } => CommonCaps::AUTH_SELECTION | CommonCaps::AUTH_SASL,
        }
    }

    fn has_password(&self) -> bool {
        match self {
            Self::Ticket { password, .. } | Self::Either { password, .. } => !password.is_empty(),
            Self::Sasl(_) => false,
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ticket { .. } => "Ticket(..)",
            Self::Sasl(_) => "Sasl(..)",
            Self::Either { .. } => "Either(..)",
        })
    }
}

/// The client's side of one link, from the first byte to the link result.
///
/// The caller sends what [`poll_transmit`](Self::poll_transmit) gives, passes what arrives to
/// [`handle_input`](Self::handle_input), calls [`handle_timeout`](Self::handle_timeout) at
/// [`poll_timeout`](Self::poll_timeout), and [`handle_close`](Self::handle_close) once no more bytes can come. It is
/// over when [`poll_outcome`](Self::poll_outcome) gives the outcome or one of the others an error. Then the
/// error is final, and the connection of no further use.
pub struct LinkClient {
    machine: Machine<State>,
}

impl LinkClient {
    /// Begins a link on a connection that was just opened; the link message is ready to be sent.
    ///
    /// The link must be over [`Limits::handshake`] after `now`.
    pub fn new(request: LinkRequest, limits: &Limits, now: Instant) -> Self {
        let LinkRequest { channel, connection_id, common_caps, channel_caps, auth, tls } = request;
        let ours = (common_caps - AUTH_BITS) | auth.caps();
        let mut out = BytesMut::new();
        LinkMess { connection_id, channel, common_caps: ours.into(), channel_caps }.encode(&mut out);
        Self { machine: Machine::new(State::Reply { ours, auth, tls }, out, limits, now) }
    }

    /// Takes the bytes of the link off the front of `input`.
    ///
    /// Incomplete structures stay in `input` until their rest has come, and so do the bytes behind the link result:
    /// the data stage begins with them. With a security layer see [`LinkOutcome::plain`].
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

    /// Notes that the server has closed the connection, or that it broke. Pass on what has arrived before that:
    /// servers say why they close, and reset the connection right behind it.
    ///
    /// # Errors
    /// What the close means at this stage, unless the link is complete.
    pub fn handle_close(&mut self) -> Result<(), LinkError> {
        self.machine.handle_close(|stage| match stage {
            // Server 0.15.1 closes at wrong credentials without a word.
            LinkStage::SaslData | LinkStage::SaslResult => SaslError::Rejected.into(),
            stage => LinkError::Closed { stage },
        })
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
}

impl fmt::Debug for LinkClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkClient")
            .field("stage", &self.stage())
            .field("deadline", &self.poll_timeout())
            .finish_non_exhaustive()
    }
}

enum State {
    Reply { ours: CommonCaps, auth: Auth, tls: bool },
    SaslList(SaslLink),
    SaslData { link: SaslLink, done: bool },
    SaslResult { link: SaslLink, verified: Result<(), SaslError> },
    Result { agreed: Agreed, password: bool },
    WrappedResult { agreed: Agreed, layer: Box<dyn Layer>, plain: BytesMut },
}

/// A link that is authenticating by SASL.
struct SaslLink {
    agreed: Agreed,
    mechanism: Box<dyn Mechanism>,
    tls: bool,
}

impl Steps for State {
    fn stage(&self) -> LinkStage {
        match self {
            Self::Reply { .. } => LinkStage::Reply,
            Self::SaslList(_) => LinkStage::SaslList,
            Self::SaslData { .. } => LinkStage::SaslData,
            Self::SaslResult { .. } => LinkStage::SaslResult,
            Self::Result { .. } | Self::WrappedResult { .. } => LinkStage::Result,
        }
    }

    fn step(
        self,
        input: &mut BytesMut,
        out: &mut BytesMut,
        limits: &Limits,
    ) -> Result<Next<Self>, LinkError> {
        match self {
            Self::Reply { ours, auth, tls } => match pull(input, |i| link_reply(i, limits.link_len))? {
                Some(reply) => authenticate(reply, ours, auth, tls, out).map(Next::Go),
                None => Ok(Next::Wait(Self::Reply { ours, auth, tls })),
            },
            Self::SaslList(link) => match pull_or_error(input, limits, false, sasl::list)? {
                Some(list) => link.start(&list, out, limits).map(Next::Go),
                None => Ok(Next::Wait(Self::SaslList(link))),
            },
            Self::SaslData { link, done } => {
                let bound = limits.sasl_blob_len;
                match pull_or_error(input, limits, false, |i| sasl::data_complete(i, bound))? {
                    Some((data, complete)) => {
                        link.proceed(data.as_deref(), complete, done, out, limits).map(Next::Go)
                    }
                    None => Ok(Next::Wait(Self::SaslData { link, done })),
                }
            }
            Self::SaslResult { link, verified } => match pull_or_error(input, limits, false, word)? {
                Some(0) => verified.map_err(LinkError::from).and_then(|()| link.finish()).map(Next::Go),
                Some(_) => Err(SaslError::Rejected.into()),
                None => Ok(Next::Wait(Self::SaslResult { link, verified })),
            },
            Self::Result { agreed, password } => match pull_or_error(input, limits, password, word)? {
                Some(code) => match LinkError::from_code(LinkCode(code), password) {
                    None => Ok(Next::Linked(agreed.outcome(None, BytesMut::new()))),
                    Some(error) => Err(error),
                },
                None => Ok(Next::Wait(Self::Result { agreed, password })),
            },
            Self::WrappedResult { agreed, mut layer, mut plain } => {
                layer.unwrap(input, &mut plain)?;
                match pull(&mut plain, word)? {
                    Some(code) => match LinkError::from_code(LinkCode(code), true) {
                        None => Ok(Next::Linked(agreed.outcome(Some(layer), plain))),
                        Some(error) => Err(error),
                    },
                    None => {
                        let (value, bound) = (input.len() as u64, u64::from(limits.sasl_packet_len));
                        if value > bound {
                            return Err(LimitExceeded { limit: "sasl_packet_len", value, bound }.into());
                        }
                        Ok(Next::Wait(Self::WrappedResult { agreed, layer, plain }))
                    }
                }
            }
        }
    }
}

impl SaslLink {
    /// Picks a mechanism from the server's list and sends the first data.
    fn start(mut self, list: &[u8], out: &mut BytesMut, limits: &Limits) -> Result<State, LinkError> {
        let offered = MechanismList::new(list);
        let start = self.mechanism.start(&offered)?;
        // The server would answer a name that is not on its list with an error.
        if !offered.contains(&start.name) {
            return Err(SaslError::NoMechanism.into());
        }
        sasl::put_name(&start.name, out);
        sasl::put_data(start.initial.as_deref(), limits.sasl_blob_len, out)?;
        Ok(State::SaslData { link: self, done: start.done })
    }

    /// Takes the server's data; `done` says whether the mechanism is satisfied already.
    fn proceed(
        mut self,
        data: Option<&[u8]>,
        complete: bool,
        done: bool,
        out: &mut BytesMut,
        limits: &Limits,
    ) -> Result<State, LinkError> {
        let step = if done { Ok(sasl::Step { data: None, done }) } else { self.mechanism.step(data) };
        if complete {
            // Even if the server failed to prove itself, its verdict on the client comes first.
            let verified =
                step.and_then(|step| if step.done { Ok(()) } else { Err(SaslError::ServerUnverified) });
            return Ok(State::SaslResult { link: self, verified });
        }
        let step = step?;
        sasl::put_data(step.data.as_deref(), limits.sasl_blob_len, out)?;
        Ok(State::SaslData { link: self, done: step.done })
    }

    /// Both sides are satisfied; outside TLS the security layer begins here.
    fn finish(self) -> Result<State, LinkError> {
        if self.tls {
            return Ok(State::Result { agreed: self.agreed, password: true });
        }
        let layer = self.mechanism.into_layer().ok_or(SaslError::NoLayer)?;
        Ok(State::WrappedResult { agreed: self.agreed, layer, plain: BytesMut::new() })
    }
}

/// Goes from the link reply to the mechanism that both sides have.
fn authenticate(
    reply: LinkReply,
    ours: CommonCaps,
    auth: Auth,
    tls: bool,
    out: &mut BytesMut,
) -> Result<State, LinkError> {
    if let Some(error) = LinkError::from_code(reply.error, auth.has_password()) {
        return Err(error);
    }
    let LinkReply { pub_key, common_caps, channel_caps, .. } = reply;
    let offered = CommonCaps::from(&common_caps);
    let agreed = Agreed { header: HeaderKind::agreed(ours, offered), common_caps, channel_caps };
    // Without selection there is the ticket and nothing else.
    let selects = offered.contains(CommonCaps::AUTH_SELECTION);
    let sasl = selects && offered.contains(CommonCaps::AUTH_SASL);
    let ticket = !selects || offered.contains(CommonCaps::AUTH_SPICE);
    let mut select = |mechanism: AuthMechanism| {
        if selects {
            out.put_u32_le(mechanism.0);
        }
    };
    match auth {
        Auth::Sasl(mechanism) | Auth::Either { mechanism, .. } if sasl => {
            select(AuthMechanism::SASL);
            Ok(State::SaslList(SaslLink { agreed, mechanism, tls }))
        }
        Auth::Ticket { password, entropy } | Auth::Either { password, entropy, .. } if ticket => {
            select(AuthMechanism::SPICE);
            out.put_slice(&password.seal(&pub_key, entropy)?);
            Ok(State::Result { agreed, password: !password.is_empty() })
        }
        _ => Err(LinkError::UnsupportedMechanism { offered }),
    }
}

/// Takes a value off the front of `input`, unless the server sends a second link reply in its place, which it does
/// to refuse the mechanism.
fn pull_or_error<T>(
    input: &mut BytesMut,
    limits: &Limits,
    password: bool,
    parser: impl FnOnce(&[u8]) -> Parsed<'_, T>,
) -> Result<Option<T>, LinkError> {
    // No value read here begins like this: lengths are bounded far below, and no result has this number.
    if !input.starts_with(&MAGIC) {
        return pull(input, parser);
    }
    match pull(input, |i| link_reply(i, limits.link_len))? {
        None => Ok(None),
        Some(LinkReply { error: LinkCode::INVALID_DATA, .. }) => Err(LinkError::MechanismRefused),
        Some(LinkReply { error: LinkCode::VERSION_MISMATCH, .. }) => Err(LinkError::SaslRequired),
        Some(reply) => Err(LinkError::from_code(reply.error, password).unwrap_or_else(|| {
            let kind = DecodeErrorKind::BadValue { value: 0, rule: "a second link reply carries an error" };
            DecodeError { message: "LinkReply", field: "error", at: 0, kind }.into()
        })),
    }
}

/// The bits of the common word that follow from the authentication.
const AUTH_BITS: CommonCaps =
    CommonCaps::AUTH_SELECTION.union(CommonCaps::AUTH_SPICE).union(CommonCaps::AUTH_SASL);
