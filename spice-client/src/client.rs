//! The application's side: a stream of events, and commands.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use futures::channel::mpsc;
use spice_proto::channel::inputs::Scancode;
use spice_proto::msg::display::{ImageCompression, StreamReport, VideoCodecType};
use spice_proto::msg::inputs::{KeyboardModifiers, MouseButton};
use spice_proto::session::{Event, Session};
use spice_proto::{Instant, ProtocolError};

use crate::error::ClientError;
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

/// What a command does to the session when its turn comes.
pub(crate) type Command = Box<dyn FnOnce(&mut Session, Instant) + Send>;

/// Sends commands to a client's session. They are carried out in order; commands for a channel that is not open
/// are dropped.
#[derive(Clone, Debug)]
pub struct Handle {
    commands: mpsc::UnboundedSender<Command>,
}

impl Handle {
    pub(crate) fn new(commands: mpsc::UnboundedSender<Command>) -> Self {
        Self { commands }
    }

    /// Presses a key; a repeated press is a repeated key.
    ///
    /// # Errors
    /// [`ClientError::DriverGone`] when the session has ended.
    pub fn key_down(&self, key: Scancode) -> Result<(), ClientError> {
        self.inputs(move |inputs, now| inputs.key_down(now, key))
    }

    /// Releases a key.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn key_up(&self, key: Scancode) -> Result<(), ClientError> {
        self.inputs(move |inputs, now| inputs.key_up(now, key))
    }

    /// Makes the guest's keyboard locks like `locks`.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn set_locks(&self, locks: KeyboardModifiers) -> Result<(), ClientError> {
        self.inputs(move |inputs, now| inputs.set_locks(now, locks))
    }

    /// Moves the pointer to a place in pixels of a monitor; takes effect in client mouse mode.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn pointer_position(&self, x: u32, y: u32, display_id: u8) -> Result<(), ClientError> {
        self.inputs(move |inputs, now| inputs.position(now, x, y, display_id))
    }

    /// Moves the pointer by so many pixels; takes effect in server mouse mode.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn pointer_motion(&self, dx: i32, dy: i32) -> Result<(), ClientError> {
        self.inputs(move |inputs, now| inputs.motion(now, dx, dy))
    }

    /// Presses a pointer button.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn button_down(&self, button: MouseButton) -> Result<(), ClientError> {
        self.inputs(move |inputs, now| inputs.button_down(now, button))
    }

    /// Releases a pointer button.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn button_up(&self, button: MouseButton) -> Result<(), ClientError> {
        self.inputs(move |inputs, now| inputs.button_up(now, button))
    }

    /// Asks a display channel for another compression of images from now on, if its server takes such wishes.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
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

    /// Ends the session.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn disconnect(&self) -> Result<(), ClientError> {
        self.run(|session, _| session.disconnect())
    }

    /// Runs any command on the session, for what has no method here.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn run(
        &self,
        command: impl FnOnce(&mut Session, Instant) + Send + 'static,
    ) -> Result<(), ClientError> {
        self.commands.unbounded_send(Box::new(command)).map_err(|_| ClientError::DriverGone)
    }

    fn inputs(
        &self,
        command: impl FnOnce(&mut Inputs, Instant) -> Result<(), ProtocolError> + Send + 'static,
    ) -> Result<(), ClientError> {
        self.run(move |session, now| {
            if let Some(inputs) = session.inputs() {
                ignore_closed(command(inputs, now));
            }
        })
    }
}

type Inputs = spice_proto::channel::Channel<spice_proto::channel::inputs::Inputs>;

/// A command that comes too late for its channel has no effect; the channel's end is an event of its own.
fn ignore_closed(_: Result<(), ProtocolError>) {}
