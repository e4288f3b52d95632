//! Our client and canvas, fed over a socket in a thread of their own.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use futures::StreamExt;
use spice_client::canvas::{self, Applied, CacheConfig, Canvas, CanvasConfig, SharedCaches};
use spice_client::transport::tokio::Tokio;
use spice_client::{ClientConfig, Event};
use spice_proto::msg::display::{Brush, Image, ImageType, ServerMessage};
use spice_proto::types::{ChannelType, SurfaceId};
use testsuite::net;

use crate::scene::MARKER;

/// A connected client.
#[derive(Clone)]
pub(crate) struct Viewer(Arc<Shared>);

struct Shared {
    screen: Mutex<Screen>,
    progress: Condvar,
}

/// What the client has.
pub(crate) struct Screen {
    canvas: Canvas,
    /// Colour of the last fill of the marker surface.
    marker: u32,
    marked: bool,
    error: Option<String>,
    /// What was not drawn, in words, since it was last asked for.
    pub(crate) undrawn: Vec<String>,
    /// How often each type of image came.
    pub(crate) images: BTreeMap<u8, u64>,
    pub(crate) messages: u64,
}

impl Viewer {
    /// Connects, and waits for a visible surface.
    pub(crate) fn connect(port: u16) -> Result<Self, String> {
        let config: ClientConfig = format!("spice://{}", net::loopback(port))
            .parse()
            .map_err(|error| format!("address: {error}"))?;
        let screen = Screen {
            canvas: Canvas::new(
                CanvasConfig::default(),
                SharedCaches::new(CacheConfig::new(CACHE_PIXELS, WINDOW_PIXELS)),
            ),
            marker: 0,
            marked: false,
            error: None,
            undrawn: Vec::new(),
            images: BTreeMap::new(),
            messages: 0,
        };
        let viewer = Self(Arc::new(Shared { screen: Mutex::new(screen), progress: Condvar::new() }));
        let inner = viewer.clone();
        thread::spawn(move || inner.run(config));
        viewer.wait("the first picture", |screen| screen.marked)?;
        Ok(viewer)
    }

    /// Waits until the fill of the marker surface with this colour has arrived.
    pub(crate) fn wait_for_marker(&self, color: u32) -> Result<(), String> {
        self.wait("the next mark", |screen| screen.marker == color)
    }

    /// The client's state.
    pub(crate) fn screen(&self) -> MutexGuard<'_, Screen> {
        self.0.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, what: &str, ready: impl Fn(&Screen) -> bool) -> Result<(), String> {
        let mut screen = self.screen();
        loop {
            if let Some(error) = &screen.error {
                return Err(format!("the client: {error}"));
            }
            if ready(&screen) {
                return Ok(());
            }
            let (next, timeout) =
                self.0.progress.wait_timeout(screen, PATIENCE).unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() {
                return Err(format!("{what} did not reach the client within {PATIENCE:?}"));
            }
            screen = next;
        }
    }

    fn run(&self, mut config: ClientConfig) {
        config.session = config.session.clone().channels(&[ChannelType::DISPLAY]);
        config.session.display.pixmap_cache = CACHE_PIXELS as i64;
        config.session.display.glz_window = WINDOW_PIXELS as i32;
        let outcome: Result<(), String> =
            match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime.block_on(async {
                    let (mut client, driver) = spice_client::connect(Tokio::new(), config);
                    tokio::spawn(driver);
                    while let Some(event) = client.next().await {
                        let Event::Display(_, message) = event.map_err(|error| error.to_string())? else {
                            continue;
                        };
                        self.apply(&message)?;
                    }
                    Err("the session ended".to_owned())
                }),
                Err(error) => Err(format!("no runtime: {error}")),
            };
        if let Err(error) = outcome {
            self.screen().error = Some(error);
            self.0.progress.notify_all();
        }
    }

    fn apply(&self, message: &ServerMessage) -> Result<(), String> {
        let mut screen = self.screen();
        let screen = &mut *screen;
        screen.messages += 1;
        if let Some(image) = source(message) {
            let ImageType(kind) = image.data.kind();
            *screen.images.entry(kind).or_default() += 1;
        }
        match screen.canvas.apply(message) {
            Ok(Applied::Done) => {}
            Ok(Applied::Blocked(what)) => return Err(format!("{what:?} never came")),
            Err(error) => return Err(error.to_string()),
        }
        while let Some(event) = screen.canvas.poll_event() {
            match event {
                canvas::Event::Undrawable { what, why } => screen.undrawn.push(format!("{what:?}: {why}")),
                canvas::Event::Mark => screen.marked = true,
                _ => {}
            }
        }
        drop(screen.canvas.drain_damage());
        if let ServerMessage::DrawFill(fill) = message
            && fill.base.surface_id == SurfaceId(MARKER.id)
            && let Brush::Solid(color) = fill.brush
        {
            screen.marker = color;
        }
        self.0.progress.notify_all();
        Ok(())
    }
}

impl Screen {
    /// The bytes of a surface, top row first.
    pub(crate) fn pixels(&self, id: u32) -> Option<Vec<u8>> {
        let view = self.canvas.view(SurfaceId(id))?;
        Some((0..view.height()).flat_map(|y| view.row(y)).copied().collect())
    }
}

/// The picture that a message is about.
fn source(message: &ServerMessage) -> Option<&Image> {
    match message {
        ServerMessage::DrawCopy(m) => m.src_bitmap.as_deref(),
        ServerMessage::DrawBlend(m) => m.src_bitmap.as_deref(),
        ServerMessage::DrawOpaque(m) => m.src_bitmap.as_deref(),
        ServerMessage::DrawRop3(m) => m.src_bitmap.as_deref(),
        ServerMessage::DrawTransparent(m) => m.src_bitmap.as_deref(),
        ServerMessage::DrawAlphaBlend(m) => m.src_bitmap.as_deref(),
        ServerMessage::DrawComposite(m) => m.composite.src_bitmap.as_deref(),
        _ => None,
    }
}

/// Small caches, so that what was put in has to leave again: a few scenes' worth.
const CACHE_PIXELS: u64 = 300_000;
const WINDOW_PIXELS: u64 = 1 << 20;

const PATIENCE: Duration = Duration::from_secs(20);
