//! The one event loop around a session.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::Stream as _;
use futures::channel::mpsc;
use spice_proto::Instant;
use spice_proto::session::{Address, Output, SessionEnd, TransportId};
use spice_proto::types::ChannelId;
use spice_proto::{LinkError, ProtocolError};

use crate::client::{Client, Handle};
use crate::config::ClientConfig;
use crate::core::{Command, Core};
use crate::error::ClientError;
use crate::event::Event;
use crate::events::{self, EventSender};
use crate::record::Direction;
use crate::stream::{Open, Wrote};
use crate::transport::Platform;

/// Prepares a session with the server that `config` names.
///
/// Nothing happens until the [`Driver`] is polled: spawn it, or run it beside the application's own loop.
pub fn connect<P: Platform>(platform: P, config: ClientConfig) -> (Client, Driver<P>) {
    let (events, received) = events::channel(config.queued_events, config.queued_bytes);
    let (commands, ordered) = mpsc::unbounded();
    let driver = Driver {
        platform,
        core: Core::new(&config),
        config,
        events,
        commands: ordered,
        links: Vec::new(),
        timer: None,
        frame_timer: None,
        stuck: false,
        failure: None,
        held: VecDeque::new(),
        departed: None,
        last: None,
    };
    (Client::new(received, Handle::new(commands)), driver)
}

/// The event loop of one session, as a future that ends with the session.
///
/// It never blocks. It stops reading from the server while the application leaves events lying.
///
/// End a session with [`Handle::disconnect`] and let the driver run to its end, rather than dropping it. The driver waits
/// up to 2 s until the server has begun to serve the displays and cursors that it has connected, then up to 2 s for the
/// server to close their streams, and as long for the main channel's, which is closed last: libspice-server 0.15.1, and
/// QEMU 7.2 with it, dies of clients that vanish while it takes them in.
#[must_use = "a driver does nothing until it is polled"]
pub struct Driver<P: Platform> {
    platform: P,
    core: Core,
    config: ClientConfig,
    events: EventSender,
    commands: mpsc::UnboundedReceiver<Command>,
    links: Vec<Link<P>>,
    timer: Option<Timer<P>>,
    /// What wakes for the next frame of a video that waits for its time.
    frame_timer: Option<Timer<P>>,
    /// Whether frames that are due wait for the application, which wakes the driver.
    stuck: bool,
    /// Why the main channel's transport could not be opened or broke: more precise than what the session knows.
    failure: Option<ClientError>,
    /// Events of the main channel, taken for the agent's sake before the application had room for them, with the bytes
    /// that they keep in memory.
    held: VecDeque<(Event, usize)>,
    /// The main channel's transport, once it has ended. The session learns of it when the other channels' transports
    /// have been read as far as they go, because it ends with its main channel.
    departed: Option<(Link<P>, io::Error)>,
    /// The last item, waiting for room.
    last: Option<Option<Result<Event, ClientError>>>,
}

/// What wakes the driver at a time.
type Timer<P> = (Instant, <P as Platform>::Sleep);

/// One transport, coming up or open.
struct Link<P: Platform> {
    id: TransportId,
    channel: ChannelId,
    address: Address,
    state: State<P>,
    /// The main channel's stream is to be closed when no other is left. Servers forget a client with its main channel,
    /// and libspice-server 0.15.1 (with it QEMU 7.2) dies if it is still busy with a display channel of that client.
    last: bool,
    /// How long the peer may still take over our last bytes and close its side, once the stream is to be closed.
    patience: Option<P::Sleep>,
}

enum State<P: Platform> {
    Connecting { connect: P::Connect, timeout: P::Sleep },
    Open(Open<P::Stream>),
}

impl<P: Platform> Future for Driver<P> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        for _ in 0..ROUNDS {
            if this.last.is_some() {
                return this.poll_finish(cx);
            }
            let mut progress = this.poll_commands(cx);
            progress |= this.poll_main();
            progress |= this.poll_io();
            progress |= this.poll_links(cx);
            progress |= this.poll_events(cx);
            progress |= this.poll_timer(cx);
            progress |= this.poll_frame_timer(cx);
            if !progress && !this.depart(cx) {
                return Poll::Pending;
            }
        }
        // There is more to do; on a single thread others want their turn too.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<P: Platform> Driver<P> {
    /// Writes what is still to be written, delivers the last item, and ends the stream of events.
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Who still wants something hears that it is too late.
        self.poll_commands(cx);
        self.core.over();
        self.poll_io();
        // Reading is over, so nothing but writing and closing is left to do.
        self.links.retain(|link| matches!(&link.state, State::Open(open) if link.last || open.is_closing()));
        self.close_last();
        while self.poll_links(cx) {}
        if !self.links.is_empty() {
            return Poll::Pending;
        }
        if let Some(Some(_)) = &self.last
            && ready!(self.events.poll_ready(cx)).is_ok()
            && let Some(item) = self.last.take().flatten()
        {
            self.events.send(item, 0);
        }
        self.events.close();
        Poll::Ready(())
    }

    fn poll_commands(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        // Once the client and all handles are gone, nobody can want anything any more.
        while let Poll::Ready(command) = Pin::new(&mut self.commands).poll_next(cx) {
            match command {
                Some(command) => command(&mut self.core, self.platform.now()),
                None if self.core.session.is_over() => break,
                None => self.core.session.disconnect(self.platform.now()),
            }
            progress = true;
        }
        progress
    }

    /// Takes what the main channel has, whether or not the application takes events, and lets agent and keyboard go on.
    fn poll_main(&mut self) -> bool {
        let mut progress = false;
        let now = self.platform.now();
        while self.has_room_for_main()
            && let Some(event) = self.core.session.poll_main_event()
        {
            progress = true;
            let len = self.core.session.event_len();
            if let Some(event) = self.core.outward(event, now) {
                self.held.push_back((event, len));
            }
        }
        if self.core.session.is_over() {
            self.core.over();
        }
        self.core.advance(now);
        progress
    }

    fn has_room_for_main(&self) -> bool {
        let bytes: usize = self.held.iter().map(|(_, len)| *len).sum();
        self.held.len() < HELD && bytes < HELD_BYTES
    }

    /// The next event for the application.
    fn next_event(&mut self, cx: &Context<'_>) -> Option<Next> {
        // A frame is due now, and others may come without end. On the way to those there may be one that is due too.
        let due = self.due_frame(cx);
        due.or_else(|| self.arrived().map(|(event, len)| Next::Event(event, len)))
            .or_else(|| self.due_frame(cx))
    }

    /// The next event that is not kept back, and the bytes that it keeps in memory.
    fn arrived(&mut self) -> Option<(Event, usize)> {
        if let Some(held) = self.held.pop_front() {
            return Some(held);
        }
        loop {
            if let Some(event) = self.core.poll_parting().or_else(|| self.core.poll_agent_event()) {
                return Some(event);
            }
            let event = self.core.session.poll_event()?;
            let len = self.core.session.event_len();
            if let Some(event) = self.core.outward(event, self.platform.now()) {
                return Some((event, len));
            }
        }
    }

    /// The next frame of a video that is due. The application gets one at a time, so that what becomes too late while it
    /// is busy can be dropped.
    fn due_frame(&mut self, cx: &Context<'_>) -> Option<Next> {
        if let Some(event) = self.core.poll_dropped_frames() {
            return Some(Next::Event(event, 0));
        }
        if self.time_to_frame()? > Duration::ZERO {
            return None;
        }
        if !self.events.poll_frames_taken(cx) {
            self.stuck = true;
            return None;
        }
        self.core.poll_frame(self.platform.now()).map(|(event, len)| Next::Frame(event, len))
    }

    /// How long it takes until a frame is due, if any waits.
    fn time_to_frame(&mut self) -> Option<Duration> {
        match self.core.frames.is_empty() {
            true => None,
            false => self.core.time_to_frame(self.platform.now()),
        }
    }

    fn poll_io(&mut self) -> bool {
        let mut progress = false;
        while let Some(output) = self.core.session.poll_io() {
            progress = true;
            match output {
                Output::Connect { transport, channel, endpoint } => {
                    let connect = self.platform.connect(&endpoint, channel);
                    let timeout = self.platform.sleep(self.config.connect_timeout);
                    let state = State::Connecting { connect, timeout };
                    let address = endpoint.address;
                    self.links.push(Link {
                        id: transport,
                        channel,
                        address,
                        state,
                        last: false,
                        patience: None,
                    });
                }
                Output::Transmit { transport, data } => {
                    if let Some(recorder) = &self.config.recorder {
                        recorder.passed(transport, Direction::Sent, &data, self.platform.now());
                    }
                    if let Some(open) = self.open(transport) {
                        open.push(data);
                    }
                }
                Output::Close { transport } => self.close(transport),
                Output::Event(_) => {}
            }
        }
        progress
    }

    /// The session wants a transport closed.
    fn close(&mut self, transport: TransportId) {
        let Some(index) = self.links.iter().position(|link| link.id == transport) else { return };
        let link = &mut self.links[index];
        match &mut link.state {
            State::Connecting { .. } => drop(self.links.remove(index)),
            State::Open(_) if link.channel == ChannelId::MAIN => link.last = true,
            State::Open(open) => open.close(),
        }
        self.close_last();
    }

    /// Closes the main channel's stream, if that is wanted and no other is left.
    fn close_last(&mut self) {
        if let [Link { last: true, state: State::Open(open), .. }] = self.links.as_mut_slice() {
            open.close();
        }
    }

    fn poll_links(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        let mut index = 0;
        while let Some(link) = self.links.get_mut(index) {
            let result = match &mut link.state {
                State::Connecting { connect, timeout } => match Pin::new(connect).poll(cx) {
                    Poll::Ready(Ok(stream)) => self.platform.entropy().map(|entropy| {
                        link.state = State::Open(Open::new(stream));
                        let now = self.platform.now();
                        if let Some(recorder) = &self.config.recorder {
                            recorder.opened(link.id, link.channel, now);
                        }
                        self.core.session.connected(link.id, entropy, now);
                        true
                    }),
                    Poll::Ready(Err(error)) => Err(error),
                    Poll::Pending => match Pin::new(timeout).poll(cx) {
                        Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
                        Poll::Pending => Ok(false),
                    },
                },
                State::Open(open) => {
                    let wrote = open.poll_write(cx);
                    let done = match wrote {
                        Wrote::Closed => true,
                        Wrote::Part if open.is_closing() => {
                            let sleep = || self.platform.sleep(LAST_WORDS);
                            Pin::new(link.patience.get_or_insert_with(sleep)).poll(cx).is_ready()
                        }
                        Wrote::Part | Wrote::All => false,
                    };
                    if done {
                        let id = self.links.remove(index).id;
                        self.record_end(id);
                        self.close_last();
                        progress = true;
                        continue;
                    }
                    self.core.session.set_backlog(link.id, open.backlog());
                    let recorder = self.config.recorder.as_ref();
                    open.poll_read(cx, link.id, &mut self.core.session, &self.platform, recorder)
                }
            };
            match result {
                Ok(moved) => {
                    progress |= moved;
                    index += 1;
                }
                Err(error) => {
                    let link = self.links.remove(index);
                    self.record_end(link.id);
                    self.close_last();
                    match link.state {
                        State::Open(_) if link.channel == ChannelId::MAIN => {
                            self.departed = Some((link, error));
                        }
                        _ => self.broken(link, error),
                    }
                    progress = true;
                }
            }
        }
        progress
    }

    fn record_end(&self, id: TransportId) {
        if let Some(recorder) = &self.config.recorder {
            recorder.closed(id, self.platform.now());
        }
    }

    /// Nothing happens any more: tells the session of the end of its main channel, unless the application is behind
    /// and keeps others from being read.
    fn depart(&mut self, cx: &mut Context<'_>) -> bool {
        if self.departed.is_none() {
            return false;
        }
        if self.has_room_for_main() {
            // Everything that the main channel had received has been taken, so nothing of the agent comes any more.
            self.core.over();
        }
        if self.events.poll_ready(cx).is_pending() {
            return false;
        }
        let Some((link, error)) = self.departed.take() else { return false };
        self.broken(link, error);
        true
    }

    /// A transport is gone. What it had delivered has been handed to the session.
    fn broken(&mut self, link: Link<P>, error: io::Error) {
        if link.channel == ChannelId::MAIN && self.failure.is_none() {
            self.failure = match link.state {
                State::Connecting { .. } if error.kind() == io::ErrorKind::TimedOut => {
                    let seconds = self.config.connect_timeout.as_secs_f64().ceil() as u64;
                    Some(ClientError::ConnectTimeout { address: link.address, seconds })
                }
                State::Connecting { .. } => Some(ClientError::connect(link.address, error)),
                // The session says best what an orderly end means at the point it has come to.
                State::Open(_) if is_end(&error) => None,
                State::Open(_) => Some(ClientError::Transport(error)),
            };
        }
        self.core.session.closed(link.id, self.platform.now());
    }

    /// Hands events to the application while it takes them.
    fn poll_events(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        self.stuck = false;
        loop {
            match self.events.poll_ready(cx) {
                Poll::Ready(Ok(())) => {}
                // The application has dropped the client: nobody listens, but handles may still steer.
                Poll::Ready(Err(_)) => {
                    while let Some((event, _)) = self.arrived() {
                        progress = true;
                        if let Event::Ended(_) = event {
                            self.end(None);
                            return true;
                        }
                    }
                    self.stuck = true;
                    return progress;
                }
                Poll::Pending => {
                    self.stuck = true;
                    return progress;
                }
            }
            let Some(next) = self.next_event(cx) else { return progress };
            progress = true;
            match next {
                Next::Event(Event::Ended(end), _) => {
                    let verdict = self.verdict(end);
                    self.end(Some(verdict));
                    return true;
                }
                Next::Event(event, len) => self.events.send(Ok(event), len),
                Next::Frame(event, len) => self.events.send_frame(Ok(event), len),
            }
        }
    }

    fn end(&mut self, last: Option<Result<Event, ClientError>>) {
        self.last = Some(last);
        self.timer = None;
        self.frame_timer = None;
    }

    fn verdict(&mut self, end: SessionEnd) -> Result<Event, ClientError> {
        let failure = self.failure.take();
        match ClientError::ended(end) {
            None => Ok(Event::Ended(end)),
            // What the session knows about a refusal or a broken rule beats how the transport ended.
            Some(ClientError::ServerClosed) => Err(failure.unwrap_or(ClientError::ServerClosed)),
            Some(ClientError::Protocol(ProtocolError::Link(
                error @ (LinkError::NotConnected | LinkError::Closed { .. }),
            ))) => Err(failure.unwrap_or(ClientError::Protocol(error.into()))),
            Some(error) => Err(error),
        }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.core.poll_timeout() else {
            self.timer = None;
            return false;
        };
        let due = poll_at(&mut self.timer, deadline, &mut self.platform, cx);
        if due {
            self.core.session.handle_timeout(self.platform.now().max(deadline));
        }
        due
    }

    /// Whether a frame has become due.
    fn poll_frame_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(wait) = self.time_to_frame().filter(|_| !self.stuck && self.last.is_none()) else {
            self.frame_timer = None;
            return false;
        };
        if wait.is_zero() {
            return true;
        }
        // From the millisecond's beginning, so that it stays the same while that time comes closer.
        let now = self.platform.now().since_epoch();
        let part = Duration::from_nanos(u64::from(now.subsec_nanos() % 1_000_000));
        let deadline = Instant::new(now.saturating_sub(part)) + wait;
        poll_at(&mut self.frame_timer, deadline, &mut self.platform, cx)
    }

    fn open(&mut self, id: TransportId) -> Option<&mut Open<P::Stream>> {
        self.links.iter_mut().find(|link| link.id == id).and_then(|link| match &mut link.state {
            State::Open(open) => Some(open),
            State::Connecting { .. } => None,
        })
    }
}

impl<P: Platform> fmt::Debug for Driver<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("core", &self.core)
            .field("transports", &self.links.len())
            .finish_non_exhaustive()
    }
}

/// What comes next for the application, with the bytes that it keeps in memory.
enum Next {
    Event(Event, usize),
    /// A frame that is due.
    Frame(Event, usize),
}

/// Whether it is `deadline`; if not, the timer wakes then.
fn poll_at<P: Platform>(
    timer: &mut Option<Timer<P>>,
    deadline: Instant,
    platform: &mut P,
    cx: &mut Context<'_>,
) -> bool {
    let mut running = timer.take().filter(|(at, _)| *at == deadline).unwrap_or_else(|| {
        let wait = deadline.saturating_since(platform.now());
        (deadline, platform.sleep(wait))
    });
    let due = Pin::new(&mut running.1).poll(cx).is_ready();
    *timer = (!due).then_some(running);
    due
}

/// Whether the peer ended the stream, rather than something breaking in between.
fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}

/// Events of the main channel that wait for the application at most, besides those in its queue, and their bytes; one
/// message may go beyond.
const HELD: usize = 64;
const HELD_BYTES: usize = 1 << 20;
/// Rounds over all streams before the driver lets others run.
const ROUNDS: usize = 64;
/// How long a peer that takes no bytes, or does not close its side, may hold up the end of a stream.
const LAST_WORDS: Duration = Duration::from_secs(2);
