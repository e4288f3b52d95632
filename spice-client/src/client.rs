//! The application's side: a stream of events, and commands.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use futures::Stream;
use futures::channel::mpsc;
use spice_proto::msg::display::{ImageCompression, StreamReport, VideoCodecType};
use spice_proto::session::Session;
use spice_proto::{Instant, ProtocolError};

use crate::answer::{Answer, Waiting};
use crate::core::{Command, Core};
use crate::error::ClientError;
use crate::event::Event;
use crate::events::EventReceiver;

/// A connected, or connecting, client: a stream of events, with a [`Handle`] for commands.
///
/// Dropping the client and all its handles ends the session.
#[derive(Debug)]
pub struct Client {
    events: EventReceiver,
    handle: Handle,
}

impl Client {
    pub(crate) fn new(events: EventReceiver, handle: Handle) -> Self {
        Self { events, handle }
    }

    /// The means to send commands; cheap to clone, usable from any thread.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Stream for Client {
    /// An error is the last item.
    type Item = Result<Event, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.events).poll_next(cx)
    }
}

/// Sends commands to a client's session. They are carried out in order; commands for a channel that is not open
/// are dropped.
///
/// Methods that give an [`Answer`] or another future of this crate send their command at once; the future tells how it
/// fared and may be dropped. The driver must run for it, and the client's events must be taken or the client dropped:
/// while too many of them wait, the server is made to wait too.
#[derive(Clone, Debug)]
pub struct Handle {
    commands: mpsc::UnboundedSender<Command>,
    numbers: Arc<AtomicU64>,
}

impl Handle {
    pub(crate) fn new(commands: mpsc::UnboundedSender<Command>) -> Self {
        Self { commands, numbers: Arc::default() }
    }

    /// Asks a display channel for another compression of images from now on, if its server takes such wishes.
    ///
    /// # Errors
    /// As [`Handle::disconnect`].
    pub fn prefer_compression(&self, display: u8, wish: ImageCompression) -> Result<(), ClientError> {
        self.run(move |session, now| {
            if let Some(channel) = session.display(display) {
                ignore_closed(channel.prefer_compression(now, wish));
            }
        })
    }

    /// Tells a display channel which video codecs the client likes, best first, if its server takes such wishes.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn prefer_video_codecs(&self, display: u8, wish: &[VideoCodecType]) -> Result<(), ClientError> {
        let wish = wish.to_vec();
        self.run(move |session, now| {
            if let Some(channel) = session.display(display) {
                ignore_closed(channel.prefer_video_codecs(now, &wish));
            }
        })
    }

    /// Tells a display channel how a video stream fares; above all
    /// [`StreamReport::cannot_decode`]. How frames arrive the driver reports itself.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn report_stream(&self, display: u8, report: StreamReport) -> Result<(), ClientError> {
        self.run(move |session, now| {
            if let Some(channel) = session.display(display) {
                ignore_closed(channel.report_stream(now, report));
            }
        })
    }

    /// Ends the session. Its last event comes at once from servers that close their side, up to 6 s later from others, see
    /// [`Driver`](crate::Driver).
    ///
    /// # Errors
    /// [`ClientError::DriverGone`] when the session has ended.
    pub fn disconnect(&self) -> Result<(), ClientError> {
        self.run(Session::disconnect)
    }

    /// Runs any command on the session, for what has no method here.
    ///
    /// # Errors
    /// As [`Handle::disconnect`].
    pub fn run(
        &self,
        command: impl FnOnce(&mut Session, Instant) + Send + 'static,
    ) -> Result<(), ClientError> {
        self.command(move |core, now| command(&mut core.session, now))
    }

    pub(crate) fn command(
        &self,
        command: impl FnOnce(&mut Core, Instant) + Send + 'static,
    ) -> Result<(), ClientError> {
        self.commands.unbounded_send(Box::new(command)).map_err(|_| ClientError::DriverGone)
    }

    /// Runs a command that is answered.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        command: impl FnOnce(&mut Core, Instant, Waiting<T>) + Send + 'static,
    ) -> Answer<T> {
        let (waiting, answer) = Answer::new();
        // Without a driver the command is dropped, and the answer says so.
        let _ = self.command(move |core, now| command(core, now, waiting));
        answer
    }

    /// A number that no other handle of this client gives.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
}

/// A command that comes too late for its channel has no effect; the channel's end is an event of its own.
pub(crate) fn ignore_closed(_: Result<(), ProtocolError>) {}
