//! A machine's console as one object: the screen, what a person does, and notifications.
//!
//! [`Console`] owns the [`Client`] and a canvas for each display, so that an application need not put them together:
//!
//! | call or event | here |
//! |---|---|
//! | connect(host, port) | [`Console::connect`] |
//! | send key event (code, down) | [`Handle::send_key_event`] |
//! | send pointer event (x, y, buttons) | [`Handle::send_pointer_event`] |
//! | send clipboard data | [`Console::send_clipboard_data`] |
//! | set resolution | [`Handle::set_resolution`] |
//! | frame received | [`Notification::FrameReceived`] |
//! | audio received | [`Notification::AudioReceived`] |
//! | clipboard data received | [`Notification::ClipboardDataReceived`] |
//! | download notification | [`Notification::Download`] |
//!
//! Frames of videos are shown when they are due, and left out where newer ones are due as well; see [`crate::video`].
//!
//! A process may have any number of consoles; they share nothing.
//!
//! ```
//! # #[cfg(feature = "tokio")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use futures::StreamExt;
//! use spice_client::console::{Console, Notification};
//! use spice_client::mouse::MouseButtons;
//! use spice_client::transport::tokio::Tokio;
//!
//! let (connecting, driver) = Console::connect(Tokio::new(), "127.0.0.1", 5930);
//! tokio::spawn(driver);
//! let mut console = connecting.await?;
//! console.handle().send_key_event("KeyA", true)?;
//! console.handle().send_key_event("KeyA", false)?;
//! console.handle().send_pointer_event(10, 20, MouseButtons::LEFT)?;
//! while let Some(notification) = console.next().await {
//!     match notification? {
//!         Notification::FrameReceived { display, damage } => {
//!             println!("display {display}: {damage:?} has new pixels");
//!             let _pixels = console.canvas(display).and_then(|canvas| canvas.primary());
//!         }
//!         Notification::ClipboardDataReceived { kind, data, .. } => println!("{kind:?}: {} bytes", data.len()),
//!         _ => {}
//!     }
//! }
//! # Ok(()) }
//! ```

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Stream;
use spice_proto::msg::audio::playback::ServerMessage as Playback;
use spice_proto::msg::audio::{AudioDataMode, Start};
use spice_proto::msg::display::ServerMessage;
use spice_proto::session::Address;
use spice_proto::types::{ChannelType, Rect};

use crate::agent::{self, ClipboardEvent, DataType, Selection};
use crate::answer::Answer;
use crate::canvas::{self, Canvas, CanvasConfig, CanvasError, DisplayError, Displays, WaitLimits};
use crate::client::{Client, Handle};
use crate::config::ClientConfig;
use crate::driver::Driver;
use crate::error::ClientError;
use crate::event::Event;
use crate::transport::Platform;

/// A machine's console: a stream of notifications, and canvases with the pixels.
#[derive(Debug)]
pub struct Console {
    client: Client,
    displays: Displays,
    /// How sound is laid out, while there is some.
    sound: Option<Start>,
    /// Whether sound comes without compression.
    raw: bool,
    waiting: VecDeque<Notification>,
    fetch: bool,
}

/// What a console tells.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant)]
#[non_exhaustive]
pub enum Notification {
    /// Pixels have changed; [`Console::canvas`] has them.
    FrameReceived {
        /// The display.
        display: u8,
        /// Where, in pixels of its screen; everything when the screen is a new one.
        damage: Vec<Rect>,
    },
    /// Sound is to be played. Comes for sound without compression, if the configuration opens playback channels.
    AudioReceived(AudioFrame),
    /// The guest has copied something, and here it is.
    ClipboardDataReceived {
        /// The selection.
        selection: Selection,
        /// What kind of content it is.
        kind: DataType,
        /// The content.
        data: Bytes,
    },
    /// A file of the guest is on its way to this side. Comes with the shared folder, which this crate does not serve
    /// yet.
    Download(Download),
    /// Something else about a display: a new screen, or a message that could not be drawn.
    Canvas {
        /// The display.
        display: u8,
        /// What there is about it.
        event: canvas::Event,
    },
    /// Everything else, as the client tells it.
    Other(Event),
}

/// Sound: interleaved samples of 16 bits, signed, little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioFrame {
    /// When it is to be played, in milliseconds of the session's multimedia time; wraps.
    pub time_ms: u32,
    /// Samples of each moment.
    pub channels: u32,
    /// Moments in a second.
    pub frequency: u32,
    /// The samples.
    pub samples: Bytes,
}

/// How a file that comes from the guest fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// The file's name, without folders.
    pub name: String,
    /// Bytes that have come.
    pub received: u64,
    /// Length of the file in bytes, once it is known; equal to `received` when all is there.
    pub size: Option<u64>,
}

/// Why a console ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConsoleError {
    /// The session could not be set up, or has ended.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The server broke the rules of drawing.
    #[error("the server broke the rules of drawing: {0}")]
    Canvas(#[from] CanvasError),
    /// A display could not go on.
    #[error(transparent)]
    Display(DisplayError),
    /// The session ended before there was a picture.
    #[error("the session ended before there was a picture")]
    NoPicture,
}

impl From<DisplayError> for ConsoleError {
    fn from(error: DisplayError) -> Self {
        match error {
            DisplayError::Canvas(error) => Self::Canvas(error),
            error => Self::Display(error),
        }
    }
}

impl Console {
    /// Connects to a TCP port: the future gives the console once the first picture is complete. The driver must run for
    /// it.
    pub fn connect<P: Platform>(platform: P, host: &str, port: u16) -> (Connecting, Driver<P>) {
        Self::connect_with(platform, ClientConfig::new(Address::tcp(host, port)))
    }

    /// Connects as `config` says. Frames of videos are shown when they are due, unless
    /// [`ClientConfig::schedule`] is [`ScheduleLimits::NOTHING`](crate::video::ScheduleLimits::NOTHING).
    pub fn connect_with<P: Platform>(platform: P, mut config: ClientConfig) -> (Connecting, Driver<P>) {
        config.schedule.get_or_insert_default();
        let caches = config.shared_caches();
        let limits = WaitLimits { messages: PENDING, ..WaitLimits::default() };
        let (client, driver) = crate::driver::connect(platform, config);
        let console = Self {
            client,
            displays: Displays::new(CanvasConfig::default(), caches).wait_limits(limits).give_up_late(),
            sound: None,
            raw: true,
            waiting: VecDeque::new(),
            fetch: true,
        };
        (Connecting { console: Some(console) }, driver)
    }

    /// The means to send commands.
    pub fn handle(&self) -> &Handle {
        self.client.handle()
    }

    /// What a display shows; `None` before anything came for it.
    pub fn canvas(&self, display: u8) -> Option<&Canvas> {
        self.displays.canvas(display)
    }

    /// Offers content to the guest's clipboard, as [`Handle::set_clipboard`].
    pub fn send_clipboard_data(&self, kind: DataType, data: impl Into<Bytes>) -> Answer<()> {
        self.handle().set_clipboard(Selection::Clipboard, [(kind, data.into())])
    }

    /// Whether what the guest copies is fetched by itself, the best type of it, so that it becomes
    /// [`ClipboardDataReceived`](Notification::ClipboardDataReceived); otherwise it takes a
    /// [`Handle::clipboard_request`]. Yes by default.
    pub fn set_fetch_clipboard(&mut self, fetch: bool) {
        self.fetch = fetch;
    }

    /// Takes one event.
    fn take(&mut self, event: Event) -> Result<(), ConsoleError> {
        match event {
            Event::Display(display, message) => self.draw(display, message)?,
            Event::LateFrame(display, frame) => {
                if let Some(canvas) = self.displays.canvas_mut(display) {
                    canvas.skip_frame(&frame);
                }
            }
            Event::Playback(id, message) => self.play(id, message),
            Event::Agent(agent::Event::Clipboard(ClipboardEvent::Content { selection, kind, data })) => {
                self.waiting.push_back(Notification::ClipboardDataReceived { selection, kind, data });
            }
            event => {
                if let Event::ChannelClosed { channel, .. } = &event
                    && channel.kind == ChannelType::DISPLAY
                {
                    self.displays.close(channel.id);
                }
                if let Event::Agent(agent::Event::Clipboard(ClipboardEvent::Grabbed { selection, types })) =
                    &event
                    && self.fetch
                    && let Some(best) = types.first()
                {
                    drop(self.handle().clipboard_request(*selection, *best));
                }
                self.waiting.push_back(Notification::Other(event));
            }
        }
        Ok(())
    }

    fn draw(&mut self, display: u8, message: ServerMessage) -> Result<(), ConsoleError> {
        let drawn = self.displays.apply(display, &message);
        // What one display draws may be what another waits for.
        for (display, canvas) in self.displays.iter_mut() {
            while let Some(event) = canvas.poll_event() {
                self.waiting.push_back(Notification::Canvas { display, event });
            }
            let damage: Vec<Rect> = canvas.drain_damage().collect();
            if !damage.is_empty() {
                self.waiting.push_back(Notification::FrameReceived { display, damage });
            }
        }
        drawn?;
        Ok(())
    }

    fn play(&mut self, id: u8, message: Playback) {
        match (&message, self.sound) {
            (Playback::Start(start), _) => self.sound = Some(*start),
            (Playback::Mode(mode), _) => self.raw = mode.mode == AudioDataMode::RAW,
            (Playback::Data(data), Some(start)) if self.raw => {
                let (time_ms, samples) = (data.time, data.data.0.clone());
                let (channels, frequency) = (start.channels, start.frequency);
                let frame = AudioFrame { time_ms, channels, frequency, samples };
                return self.waiting.push_back(Notification::AudioReceived(frame));
            }
            _ => {}
        }
        self.waiting.push_back(Notification::Other(Event::Playback(id, message)));
    }

    /// Keeps what waits for the first picture within bounds, however long that takes.
    fn forget_early(&mut self) {
        self.waiting.retain(|told| !matches!(told, Notification::FrameReceived { .. }));
        let excess = self.waiting.len().saturating_sub(EARLY);
        self.waiting.drain(..excess);
    }

    /// Tells the first pictures as a whole, in place of their parts.
    fn tell_whole_frames(&mut self) {
        self.waiting.retain(|told| !matches!(told, Notification::FrameReceived { .. }));
        for (display, canvas) in self.displays.iter_mut() {
            if let Some(view) = canvas.primary() {
                let damage = vec![view.rect()];
                self.waiting.push_back(Notification::FrameReceived { display, damage });
            }
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(), ConsoleError>>> {
        Poll::Ready(match ready!(Pin::new(&mut self.client).poll_next(cx)) {
            Some(Ok(event)) => Some(self.take(event)),
            Some(Err(error)) => Some(Err(error.into())),
            None => None,
        })
    }
}

impl Stream for Console {
    type Item = Result<Notification, ConsoleError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(notification) = self.waiting.pop_front() {
                return Poll::Ready(Some(Ok(notification)));
            }
            match ready!(self.poll_event(cx)) {
                Some(Ok(())) => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

/// A console that is coming up, as a future: done with the first complete picture. Of what is told before that, the
/// last 256 notifications are kept, and the frames become one.
#[derive(Debug)]
#[must_use = "a console comes up while this is polled"]
pub struct Connecting {
    console: Option<Console>,
}

impl Future for Connecting {
    type Output = Result<Console, ConsoleError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(mut console) = self.console.take() else {
            return Poll::Ready(Err(ClientError::DriverGone.into()));
        };
        loop {
            if console.displays.iter_mut().any(|(_, canvas)| canvas.is_marked()) {
                console.tell_whole_frames();
                return Poll::Ready(Ok(console));
            }
            console.forget_early();
            match console.poll_event(cx) {
                Poll::Ready(Some(Ok(()))) => {}
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => return Poll::Ready(Err(ConsoleError::NoPicture)),
                Poll::Pending => {
                    self.console = Some(console);
                    return Poll::Pending;
                }
            }
        }
    }
}

/// Notifications that are kept until there is a picture.
const EARLY: usize = 256;
/// Drawing messages of one display that wait for an image of another at most; beyond that they are drawn without.
const PENDING: usize = 256;
