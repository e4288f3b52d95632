//! All channels of one client, as one machine over many byte streams.
//!
//! A driver performs what [`Session::poll_output`] asks for and reports what happened:
//!
//! ```text
//! loop {
//!     while let Some(output) = session.poll_output() { perform it, or hand the event to the application }
//!     wait until something happens, or until session.poll_timeout():
//!         opened a transport   session.connected(transport, entropy, now)
//!         read from it         bytes into session.recv_buf(transport), then session.handle_input(transport, now)
//!         it closed or failed  session.closed(transport, now)
//!         time has come        session.handle_timeout(now)
//!         a command            session.inputs(), session.main(), session.display(0), ...
//! }
//! ```
//!
//! Transports are handles that the session picks, because one channel may have several in its life. Bytes are read
//! from a transport only while [`Session::wants_input`] allows it: that is how a slow application slows the server.

mod config;
mod event;
mod routes;
mod sync;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use bytes::BytesMut;

use crate::channel::Channel;
use crate::channel::display::Display;
use crate::channel::inputs::Inputs;
use crate::channel::main::Main;
use crate::error::ProtocolError;
use crate::link::{Auth, Entropy, LinkRequest};
use crate::msg;
use crate::time::Instant;
use crate::types::{ChannelId, ChannelType};

pub use config::{Address, Credentials, Endpoint, Security, SessionConfig};
pub use event::{Event, LeftClosed, Output, SessionEnd, TransportId};
use routes::{AnyChannel, Route};

/// The channels of one client and what crosses them.
pub struct Session {
    config: SessionConfig,
    routes: Vec<Route>,
    io: VecDeque<Output>,
    events: VecDeque<Event>,
    /// Channels that are opened once the displays have been let in, or at the latest at `open_by`.
    waiting: Vec<ChannelId>,
    open_by: Instant,
    next_transport: u32,
    session_id: u32,
    /// Where the round over the channels' queues goes on, so that no channel starves another.
    turn: usize,
    /// Bytes of the message that the event taken last keeps in memory.
    event_len: usize,
    now: Instant,
    /// Whether a channel may have something to transmit.
    unsent: bool,
    /// Whether a channel may wait at a barrier.
    held: bool,
    /// Whether a channel may be there whose transport is gone.
    drained: bool,
    /// Why the session ends, from the moment that is clear until the last event has been taken.
    ending: Option<SessionEnd>,
    /// When an ending session waits no longer for channels that the server is still taking in.
    leave_by: Instant,
    over: bool,
}

impl Session {
    /// A session that will connect as `config` says; the first output asks for the main channel's transport.
    pub fn new(config: SessionConfig) -> Self {
        let mut session = Self {
            config,
            routes: Vec::new(),
            io: VecDeque::new(),
            events: VecDeque::new(),
            waiting: Vec::new(),
            open_by: Instant::ZERO,
            next_transport: 0,
            session_id: 0,
            turn: 0,
            event_len: 0,
            now: Instant::ZERO,
            unsent: false,
            held: false,
            drained: false,
            ending: None,
            leave_by: Instant::ZERO,
            over: false,
        };
        session.open(ChannelId::MAIN);
        session
    }

    /// The transport is connected. `entropy` is 32 bytes from a cryptographic random source, fresh for every call:
    /// it seals the password.
    pub fn connected(&mut self, transport: TransportId, entropy: [u8; 32], now: Instant) {
        self.now = now;
        let Some(index) = self.index(transport) else { return };
        let route = &mut self.routes[index];
        let request = LinkRequest {
            channel: route.id,
            connection_id: self.session_id,
            common_caps: config::common_caps(),
            channel_caps: self.config.channel_caps(route.id.kind),
            auth: Auth::Ticket {
                password: self.config.credentials.password.clone(),
                entropy: Entropy::new(entropy),
            },
            tls: route.security == Security::Tls,
        };
        route.channel = AnyChannel::connect(request, &self.config, now);
        self.unsent = true;
    }

    /// The buffer to read the transport's bytes into, behind what is already there.
    ///
    /// A transport that the session has closed has a buffer too; its content is dropped.
    pub fn recv_buf(&mut self, transport: TransportId) -> Option<&mut BytesMut> {
        let index = self.index(transport)?;
        Some(&mut self.routes[index].input)
    }

    /// Bytes have been read into [`recv_buf`](Self::recv_buf).
    pub fn handle_input(&mut self, transport: TransportId, now: Instant) {
        self.now = now;
        if let Some(index) = self.index(transport) {
            self.advance(index);
        }
    }

    /// The transport was closed by the peer, or failed, or could not be opened.
    pub fn closed(&mut self, transport: TransportId, now: Instant) {
        self.now = now;
        let Some(index) = self.index(transport) else { return };
        // Everything that arrived before the end, here and on other channels, is still worth having: the end is
        // reported when its turn comes among the events.
        self.routes[index].ended = true;
        self.drained = true;
        self.advance(index);
    }

    /// Lets time pass. Call it at [`poll_timeout`](Self::poll_timeout) or at any time.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        self.stir();
        self.excuse(now);
        for index in (0..self.routes.len()).rev() {
            if let Err(error) = self.routes[index].channel.handle_timeout(now) {
                self.fail(index, error);
            }
        }
    }

    /// What the driver has to do next; `None` when it may wait.
    ///
    /// The same as [`poll_io`](Self::poll_io), then [`poll_event`](Self::poll_event).
    pub fn poll_output(&mut self) -> Option<Output> {
        self.poll_io().or_else(|| self.poll_event().map(Output::Event))
    }

    /// What the driver has to do with transports next, without events: a driver whose application is busy goes on
    /// writing, so that servers get their answers.
    pub fn poll_io(&mut self) -> Option<Output> {
        self.sync();
        self.settle();
        self.open_waiting();
        if let Some(output) = self.io.pop_front() {
            return Some(output);
        }
        if !self.unsent {
            return None;
        }
        let output = self.routes.iter_mut().find_map(|route| {
            let data = route.channel.poll_transmit()?;
            Some(Output::Transmit { transport: route.transport, data })
        });
        self.unsent = output.is_some();
        output
    }

    /// The next event for the application. Taking events makes room for more input.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.event_len = 0;
        self.sync();
        self.end_drained(|id| id != ChannelId::MAIN);
        self.settle();
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if self.ending.is_some() {
                return None;
            }
            let Some((index, (event, len))) = self.next_event() else { break };
            self.taken(index, event.as_ref(), len);
            if event.is_some() {
                return event;
            }
        }
        // The main channel takes all others with it, so it ends behind everything that they have received.
        self.end_drained(|_| true);
        self.settle();
        self.events.pop_front()
    }

    /// The next message of the main channel, ahead of what waits on other channels: for drivers that answer the guest's
    /// agent also while their application takes no events. Its link's success counts as one; its end does not, it comes
    /// from [`poll_event`](Self::poll_event).
    pub fn poll_main_event(&mut self) -> Option<Event> {
        self.event_len = 0;
        if self.ending.is_some() {
            return None;
        }
        let index = self.routes.iter().position(|route| route.id == ChannelId::MAIN)?;
        loop {
            let (event, len) = self.routes[index].channel.poll_event(ChannelId::MAIN)?;
            self.taken(index, event.as_ref(), len);
            if event.is_some() {
                return event;
            }
        }
    }

    /// Bytes of the message that the event taken last keeps in memory, so that a queue of events can be bounded.
    pub fn event_len(&self) -> usize {
        self.event_len
    }

    /// An event for the application, or one that concerns only the session, has been taken from a channel's queue.
    #[inline]
    fn taken(&mut self, index: usize, event: Option<&Event>, len: usize) {
        if let Some(Event::Main(message)) = event {
            self.watch(message);
        }
        // Taking an event may have made room for input that is already here.
        if !self.routes[index].input.is_empty() || self.routes[index].channel.is_behind() {
            self.advance(index);
        }
        self.event_len = if event.is_some() { len } else { 0 };
    }

    #[inline]
    fn next_event(&mut self) -> Option<(usize, (Option<Event>, usize))> {
        let count = self.routes.len();
        for step in 0..count {
            let index = self.turn.wrapping_add(step) % count;
            let route = &mut self.routes[index];
            if !route.told {
                continue;
            }
            if let Some(taken) = route.channel.poll_event(route.id) {
                self.turn = index + 1;
                return Some((index, taken));
            }
            route.told = false;
        }
        None
    }

    /// Ends the session: every transport is closed, and the last event is [`Event::Ended`].
    ///
    /// Transports that the server has only begun to serve are closed a little later, two seconds after `now` at the latest:
    /// go on until the last event. Close the main channel's transport behind all others, and each one by ending the
    /// direction to the server first and reading until the server ends the other: a TCP connection that is closed with
    /// unread bytes is reset, and the server may not see what was written last.
    pub fn disconnect(&mut self, now: Instant) {
        self.now = now;
        self.end(SessionEnd::Asked);
    }

    /// Whether the driver may read more from the transport.
    pub fn wants_input(&self, transport: TransportId) -> bool {
        // Once the main channel is gone there is only its end left to wait for, behind what is already here.
        let leaving = |route: &Route| route.ended && route.id == ChannelId::MAIN;
        !self.routes.iter().any(leaving)
            && self.routes.iter().any(|route| route.transport == transport && route.channel.wants_input())
    }

    /// Says how many bytes of [`Output::Transmit`] could not be written yet. With more than
    /// [`Limits::queued_output`](crate::Limits::queued_output) the session wants no more input from the transport:
    /// a driver that keeps bytes must say so, or a server can make it keep any number of answers.
    pub fn set_backlog(&mut self, transport: TransportId, bytes: usize) {
        if let Some(index) = self.index(transport) {
            self.routes[index].channel.set_backlog(bytes);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let leave_by = self.ending.map(|_| self.leave_by);
        let open_by = (!self.waiting.is_empty()).then_some(self.open_by);
        let routes = self.routes.iter().filter_map(|route| route.channel.poll_timeout());
        routes.chain(leave_by).chain(open_by).min()
    }

    /// Whether the session has ended, or is about to. Outputs may still be waiting.
    pub fn is_over(&self) -> bool {
        self.over || self.ending.is_some()
    }

    /// The main channel, once its link has begun.
    pub fn main(&mut self) -> Option<&mut Channel<Main>> {
        self.stir();
        self.routes.iter_mut().find_map(|route| match &mut route.channel {
            AnyChannel::Main(channel) => Some(channel),
            _ => None,
        })
    }

    /// The inputs channel, once its link has begun.
    pub fn inputs(&mut self) -> Option<&mut Channel<Inputs>> {
        self.stir();
        self.routes.iter_mut().find_map(|route| match &mut route.channel {
            AnyChannel::Inputs(channel) => Some(channel),
            _ => None,
        })
    }

    /// The display channel numbered `id`, once its link has begun.
    pub fn display(&mut self, id: u8) -> Option<&mut Channel<Display>> {
        self.stir();
        self.routes.iter_mut().find_map(|route| match &mut route.channel {
            AnyChannel::Display(channel) if route.id.id == id => Some(channel),
            _ => None,
        })
    }

    /// The channel whose messages are handed on as they are: `relay::<msg::port::Port>(0)`, for example.
    pub fn relay<P: routes::Relayed>(
        &mut self,
        id: u8,
    ) -> Option<&mut Channel<crate::channel::relay::Relay<P>>> {
        self.stir();
        let wanted = ChannelId::new(P::CHANNEL, id);
        self.routes.iter_mut().find(|route| route.id == wanted).and_then(|route| P::of(&mut route.channel))
    }

    /// The channels that are open.
    pub fn open_channels(&self) -> impl Iterator<Item = ChannelId> {
        self.routes.iter().filter(|route| route.channel.is_open()).map(|route| route.id)
    }

    /// Looks at a message of the main channel on its way to the application, for what concerns the session itself.
    fn watch(&mut self, message: &msg::main::ServerMessage) {
        match message {
            msg::main::ServerMessage::Init(init) => self.session_id = init.session_id,
            msg::main::ServerMessage::ChannelsList(list) => self.open_listed(list.channels.iter()),
            _ => {}
        }
    }

    /// Opens the channels of a list, or first its displays.
    fn open_listed(&mut self, listed: impl Iterator<Item = ChannelId>) {
        let mut left = Vec::new();
        for id in listed.take(EVERY_CHANNEL) {
            // A list names one hot-plugged channel or all of them; what is open already stays as it is.
            let is_known = self.routes.iter().any(|route| route.id == id) || self.waiting.contains(&id);
            if id.kind == ChannelType::MAIN || is_known {
                continue;
            }
            if !AnyChannel::is_known(id.kind) {
                left.push((id, LeftClosed::Unknown));
            } else if !self.config.channels.contains(&id.kind) {
                left.push((id, LeftClosed::NotWanted));
            } else if self.routes.len() + self.waiting.len() >= self.config.limits.channels {
                left.push((id, LeftClosed::TooMany));
            } else if id.kind == ChannelType::DISPLAY || !self.config.displays_first {
                self.open(id);
            } else {
                if self.waiting.is_empty() {
                    self.open_by = self.now + DISPLAYS_FIRST;
                }
                self.waiting.push(id);
            }
        }
        if !left.is_empty() {
            self.events.push_back(Event::ChannelsLeftClosed(left));
        }
    }

    /// Opens the channels that have waited for the displays, if there is nothing to wait for any more.
    fn open_waiting(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        if self.is_over() {
            return self.waiting.clear();
        }
        let is_linking = |route: &Route| {
            let has_ended = route.ended || route.failed.is_some();
            route.id.kind == ChannelType::DISPLAY && !has_ended && !route.channel.is_open()
        };
        if self.now >= self.open_by || !self.routes.iter().any(is_linking) {
            for id in core::mem::take(&mut self.waiting) {
                self.open(id);
            }
        }
    }

    fn open(&mut self, id: ChannelId) {
        let security = self.config.preferred_security();
        let Some(endpoint) = self.config.endpoint(security) else {
            return self.report(id, Some(ProtocolError::Misuse("the configuration names no server")));
        };
        let transport = take_id(&mut self.next_transport);
        self.routes.push(Route::new(transport, id, security));
        self.io.push_back(Output::Connect { transport, channel: id, endpoint });
    }

    /// Any channel may have something to say from now on.
    fn stir(&mut self) {
        self.unsent = true;
        self.routes.iter_mut().for_each(|route| route.told = true);
    }

    fn advance(&mut self, index: usize) {
        let Route { channel, input, .. } = &mut self.routes[index];
        let result = channel.handle_input(self.now, input);
        self.unsent = true;
        let route = &mut self.routes[index];
        route.told = true;
        route.held = route.channel.barrier().is_some();
        self.held |= route.held;
        if let Err(error) = result {
            self.fail(index, error);
        }
    }

    /// Takes channels out whose transports are gone, once their last events have been taken.
    #[inline]
    fn end_drained(&mut self, which: impl Fn(ChannelId) -> bool) {
        if !self.drained {
            return;
        }
        for index in (0..self.routes.len()).rev() {
            // Ending one may have ended all.
            let Some(route) = self.routes.get(index) else { continue };
            if !route.ended || !which(route.id) {
                continue;
            }
            let held = route.channel.has_events() || route.channel.barrier().is_some();
            if !held {
                let route = self.routes.remove(index);
                self.ended(route);
            }
        }
        self.drained = self.routes.iter().any(|route| route.ended);
    }

    fn ended(&mut self, mut route: Route) {
        let error = match route.failed {
            Some(error) => Some(error),
            None => route.channel.handle_close().err().map(ProtocolError::from),
        };
        self.report(route.id, error);
    }

    fn report(&mut self, id: ChannelId, error: Option<ProtocolError>) {
        if id == ChannelId::MAIN {
            self.end(match error {
                Some(error) => SessionEnd::Failed(error),
                None => SessionEnd::ClosedByServer,
            });
        } else {
            self.events.push_back(Event::ChannelClosed { channel: id, error });
        }
    }

    /// A channel has broken: its transport is closed now, its events can still be taken.
    fn fail(&mut self, index: usize, error: ProtocolError) {
        let Some(route) = self.routes.get_mut(index) else { return };
        if route.failed.is_some() {
            return;
        }
        close(route, &mut self.io);
        self.drained = true;
        route.input = BytesMut::new();
        route.failed = Some(error);
    }

    fn end(&mut self, end: SessionEnd) {
        if self.ending.is_some() || self.over {
            return;
        }
        self.ending = Some(end);
        self.waiting.clear();
        self.leave_by = self.now + FIRST_MESSAGE;
        self.settle();
    }

    /// While the session ends: closes what need not be kept any more, and reports the end once nothing is left.
    ///
    /// libspice-server 0.15.1, and QEMU 7.2 with it, dies when a client leaves while the thread that draws is still busy
    /// taking it in: of a display channel closed between its link and its INIT, or before the server's first message,
    /// and of a main channel closed meanwhile. So these are kept until the first message has come.
    fn settle(&mut self) {
        let Some(end) = self.ending else { return };
        let patient = self.now < self.leave_by;
        let is_young = |route: &Route| patient && !route.ended && route.channel.is_being_taken_in();
        let busy = self.routes.iter().any(is_young);
        self.routes.retain_mut(|route| {
            let keep = is_young(route) || (busy && !route.ended && route.id == ChannelId::MAIN);
            if !keep {
                close(route, &mut self.io);
            }
            keep
        });
        if self.routes.is_empty() {
            self.ending = None;
            self.over = true;
            self.events.push_back(Event::Ended(end));
        }
    }

    fn index(&self, transport: TransportId) -> Option<usize> {
        self.routes.iter().position(|route| route.transport == transport)
    }
}

impl fmt::Debug for Session {
    /// Without what is to be sent and to be handed on: clipboards and keys pass through here.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("config", &self.config)
            .field("routes", &self.routes)
            .field("io", &self.io.len())
            .field("events", &self.events.len())
            .field("ending", &self.ending)
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}

/// Closes the transport once, behind everything that is still to be written.
fn close(route: &mut Route, io: &mut VecDeque<Output>) {
    if route.ended {
        return;
    }
    route.ended = true;
    let transport = route.transport;
    while let Some(data) = route.channel.poll_transmit() {
        io.push_back(Output::Transmit { transport, data });
    }
    io.push_back(Output::Close { transport });
}

fn take_id(next: &mut u32) -> TransportId {
    let id = TransportId(*next);
    *next = next.wrapping_add(1);
    id
}

/// How long an ending session waits for the first messages of channels that the server has only begun to serve.
const FIRST_MESSAGE: Duration = Duration::from_secs(2);

/// How long other channels wait for the displays to be let in.
const DISPLAYS_FIRST: Duration = Duration::from_secs(1);

/// As many channels as their numbers can tell apart: a longer list repeats itself.
const EVERY_CHANNEL: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn connects(session: &mut Session) -> Vec<ChannelId> {
        core::iter::from_fn(|| session.poll_io())
            .filter_map(|output| match output {
                Output::Connect { channel, .. } => Some(channel),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn displays_that_are_never_let_in_hold_the_others_up_for_a_while_only() {
        let id = |kind| ChannelId::new(kind, 0);
        let (display, inputs) = (id(ChannelType::DISPLAY), id(ChannelType::INPUTS));
        let listed = || [inputs, display, inputs, id(ChannelType::CURSOR)].into_iter();
        let begun = || {
            let mut session = Session::new(SessionConfig::new(Address::tcp("server", 5930)));
            assert_eq!(connects(&mut session), [ChannelId::MAIN]);
            session.open_listed(listed());
            session.open_listed(listed());
            assert_eq!(connects(&mut session), [display]);
            session
        };
        let mut session = begun();
        assert_eq!(session.poll_timeout(), Some(Instant::ZERO + DISPLAYS_FIRST));
        session.handle_timeout(Instant::ZERO + DISPLAYS_FIRST);
        assert_eq!(connects(&mut session), [inputs, id(ChannelType::CURSOR)]);
        // A display that is gone is nothing to wait for.
        let mut session = begun();
        let transport = session.routes.iter().find(|route| route.id == display).unwrap().transport;
        session.closed(transport, Instant::ZERO);
        assert_eq!(connects(&mut session), [inputs, id(ChannelType::CURSOR)]);
        // Nor if all are to be opened at once.
        let mut config = SessionConfig::new(Address::tcp("server", 5930));
        config.displays_first = false;
        let mut session = Session::new(config);
        session.open_listed(listed());
        assert_eq!(connects(&mut session), [ChannelId::MAIN, inputs, display, id(ChannelType::CURSOR)]);
        // And nothing is opened when the session ends meanwhile.
        let mut session = begun();
        session.disconnect(Instant::ZERO);
        assert_eq!(connects(&mut session), []);
        assert_eq!(session.poll_timeout(), None);
    }

    /// Lists come again and with more displays, transports fail, links are never answered, timers are late.
    #[test]
    fn every_listed_channel_is_opened_once_whatever_becomes_of_the_displays() {
        let kinds = [ChannelType::DISPLAY, ChannelType::INPUTS, ChannelType::CURSOR, ChannelType::PLAYBACK];
        for seed in 1..2000_u64 {
            let mut state = seed;
            let mut random = |below: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 33) % below
            };
            let mut now = Instant::from_millis(random(5000));
            let mut session = Session::new(SessionConfig::new(Address::tcp("server", 5930)).channels(&kinds));
            session.handle_timeout(now);
            assert_eq!(connects(&mut session), [ChannelId::MAIN]);
            let (mut listed, mut opened) = (Vec::new(), Vec::new());
            let mut transports = Vec::new();
            for _ in 0..random(20) {
                match random(5) {
                    0 | 1 => {
                        let list: Vec<_> = (0..random(6))
                            .map(|_| ChannelId::new(kinds[random(4) as usize], random(3) as u8))
                            .collect();
                        session.open_listed(list.iter().copied());
                        // A channel that has been and is gone may come again.
                        listed.extend(
                            list.iter().filter(|id| !listed.contains(*id)).copied().collect::<Vec<_>>(),
                        );
                    }
                    2 => {
                        now = now + Duration::from_millis(random(700));
                        session.handle_timeout(now);
                    }
                    3 if !transports.is_empty() => {
                        let transport = transports[random(transports.len() as u64) as usize];
                        session.connected(transport, [7; 32], now);
                    }
                    4 if !transports.is_empty() => {
                        // Its place is kept, and the channel known, until its end has been told.
                        session.closed(transports[random(transports.len() as u64) as usize], now);
                    }
                    _ => {}
                }
                while let Some(output) = session.poll_io() {
                    if let Output::Connect { transport, channel, .. } = output {
                        assert!(!opened.contains(&channel), "{seed}: {channel:?} twice");
                        opened.push(channel);
                        transports.push(transport);
                    }
                }
            }
            session.handle_timeout(now + DISPLAYS_FIRST);
            opened.extend(connects(&mut session));
            assert!(session.waiting.is_empty());
            opened.sort_unstable_by_key(|id| (id.kind.0, id.id));
            listed.sort_unstable_by_key(|id| (id.kind.0, id.id));
            listed.dedup();
            assert_eq!(opened, listed, "{seed}");
        }
    }
}
