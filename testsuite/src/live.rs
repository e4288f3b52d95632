//! Our client library in a thread of its own: a viewer that stays connected and draws what comes.
//!
//! A picture of a server that stands still shows images and little else. A viewer that is there while programs start
//! sees their drawing commands one by one, among them those on off-screen surfaces.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures::StreamExt;
use spice_client::canvas::{self, Applied, Canvas, CanvasConfig, Cursor, CursorPicture};
use spice_client::transport::tokio::Tokio;
use spice_client::video::{MultimediaClock, Schedule};
use spice_client::{Client, ClientConfig, Event};
use spice_proto::Instant;
use spice_proto::msg::display::ServerMessage;
use spice_proto::msg::main;
use spice_proto::types::{ChannelType, Point16};

use crate::picture::Picture;
use crate::{Result, wait_for};

/// A connected viewer. Dropping it ends its session.
#[derive(Debug)]
pub struct Viewer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    over: AtomicBool,
    screen: Mutex<Screen>,
}

#[derive(Debug)]
struct Screen {
    canvas: Canvas,
    cursor: Cursor,
    clock: MultimediaClock,
    schedule: Schedule,
    seen: Seen,
    error: Option<String>,
}

/// What a viewer has come across.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Display messages that were applied.
    pub messages: u64,
    /// What was not drawn, in words.
    pub undrawn: Vec<String>,
    /// The most surfaces that there were at the same time, the visible one among them.
    pub most_surfaces: usize,
    /// Images by type that came as sources of copies, such as `GLZ_RGB`.
    pub images: BTreeMap<&'static str, u64>,
    /// Video streams that began.
    pub streams: u64,
    /// Requests for reports on them.
    pub report_requests: u64,
    /// Frames of them that arrived.
    pub frames: u64,
    /// Frames that were shown, each at its time.
    pub shown: u64,
    /// Messages of the cursor channel.
    pub cursor_messages: u64,
}

impl Viewer {
    /// Connects to a loopback port and waits for the first complete picture.
    pub fn connect(port: u16) -> Result<Self> {
        Self::connect_with(port, |config| config)
    }

    /// The same with a configuration changed by `prepare`.
    pub fn connect_with(port: u16, prepare: impl FnOnce(ClientConfig) -> ClientConfig) -> Result<Self> {
        let config: ClientConfig =
            format!("spice://127.0.0.1:{port}").parse().map_err(|error| format!("address: {error}"))?;
        let mut config = prepare(config);
        config.session = config.session.channels(&[ChannelType::DISPLAY, ChannelType::CURSOR]);
        let screen = Screen {
            canvas: Canvas::new(CanvasConfig::default(), config.shared_caches()),
            cursor: Cursor::new(),
            clock: MultimediaClock::default(),
            schedule: Schedule::default(),
            seen: Seen::default(),
            error: None,
        };
        let shared = Arc::new(Shared { over: AtomicBool::new(false), screen: Mutex::new(screen) });
        let inner = Arc::clone(&shared);
        let thread = thread::spawn(move || inner.run(config));
        let viewer = Self { shared, thread: Some(thread) };
        wait_for("the viewer's first picture", Duration::from_secs(20), || {
            viewer.check()?;
            Ok(viewer.screen().canvas.is_marked().then_some(()))
        })?;
        Ok(viewer)
    }

    /// What the viewer shows, if there is a visible surface.
    pub fn picture(&self) -> Option<Picture> {
        let screen = self.screen();
        let view = screen.canvas.primary()?;
        let mut bytes = vec![0; view.width() as usize * view.height() as usize * 4];
        view.write_rgba(view.rect(), &mut bytes);
        Some(Picture::from_rgba(view.width(), view.height(), &bytes))
    }

    /// What came so far.
    pub fn seen(&self) -> Seen {
        self.screen().seen.clone()
    }

    /// The pointer's shape and place, if it is seen.
    pub fn cursor(&self) -> Option<(Arc<CursorPicture>, Point16)> {
        let screen = self.screen();
        screen.cursor.picture().map(|picture| (Arc::clone(picture), screen.cursor.position()))
    }

    /// An error if the session has ended.
    pub fn check(&self) -> Result<()> {
        self.screen().error.clone().map_or(Ok(()), Err)
    }

    fn screen(&self) -> MutexGuard<'_, Screen> {
        self.shared.lock()
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Screen> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, config: ClientConfig) {
        let outcome = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(async {
                let (client, driver) = spice_client::connect(Tokio::new(), config);
                tokio::spawn(driver);
                self.draw(client).await
            }),
            Err(error) => Err(format!("no runtime: {error}")),
        };
        if let Err(error) = outcome {
            self.lock().error = Some(error);
        }
    }

    async fn draw(&self, mut client: Client) -> Result<()> {
        let started = std::time::Instant::now();
        let now = || Instant::new(started.elapsed());
        while !self.over.load(Ordering::SeqCst) {
            // Short enough for frames of a video; nothing here depends on it.
            let event = tokio::time::timeout(Duration::from_millis(5), client.next()).await;
            let mut screen = self.lock();
            match event {
                Err(_) => {}
                Ok(None) => return Err("the session ended".into()),
                Ok(Some(event)) => screen.handle(event.map_err(|error| error.to_string())?, now())?,
            }
            screen.show(now())?;
        }
        Ok(())
    }
}

impl Screen {
    fn handle(&mut self, event: Event, now: Instant) -> Result<()> {
        match event {
            Event::Main(message) => {
                self.clock.observe(&message, now);
                let mode = match message {
                    main::ServerMessage::Init(init) => Some(init.current_mouse_mode.modes),
                    main::ServerMessage::MouseMode(mouse) => Some(mouse.current_mode),
                    _ => None,
                };
                if let Some(mode) = mode {
                    self.cursor.set_client_mode(mode == main::MouseModes::CLIENT);
                }
            }
            Event::Cursor(_, message) => {
                self.seen.cursor_messages += 1;
                if let Err(error) = self.cursor.apply(&message) {
                    self.seen.undrawn.push(format!("cursor: {error}"));
                }
            }
            Event::Display(_, message) => {
                self.seen.look(&message);
                if let Some(message) = self.schedule.push(message, self.clock.time(now)) {
                    self.apply(&message)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Shows the frames whose time has come.
    fn show(&mut self, now: Instant) -> Result<()> {
        while let Some(due) = self.schedule.pop(self.clock.time(now)) {
            if due.show {
                self.seen.shown += 1;
                self.apply(&due.message)?;
            } else {
                self.canvas.skip_frame(&due.message);
            }
        }
        Ok(())
    }

    fn apply(&mut self, message: &ServerMessage) -> Result<()> {
        match self.canvas.apply(message) {
            Ok(Applied::Done) => {}
            Ok(Applied::Blocked(what)) => return Err(format!("{what:?} never came")),
            Err(error) => return Err(error.to_string()),
        }
        self.seen.most_surfaces = self.seen.most_surfaces.max(self.canvas.surfaces());
        while let Some(event) = self.canvas.poll_event() {
            match event {
                canvas::Event::Undrawable { what, why } => self.seen.undrawn.push(format!("{what:?}: {why}")),
                canvas::Event::StreamUndecodable { id } => {
                    self.seen.undrawn.push(format!("stream {} has no decoder", id.0));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Seen {
    fn look(&mut self, message: &ServerMessage) {
        self.messages += 1;
        match message {
            ServerMessage::DrawCopy(copy) => {
                if let Some(image) = &copy.src_bitmap {
                    let name = image.0.data.kind().name().unwrap_or("unknown");
                    *self.images.entry(name).or_default() += 1;
                }
            }
            ServerMessage::StreamCreate(_) => self.streams += 1,
            ServerMessage::StreamActivateReport(_) => self.report_requests += 1,
            ServerMessage::StreamData(_) | ServerMessage::StreamDataSized(_) => self.frames += 1,
            _ => {}
        }
    }
}
