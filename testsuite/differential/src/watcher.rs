//! Our client with all displays and pointers of a server, in a thread of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use futures::StreamExt;
use spice_client::canvas::{CacheConfig, CanvasConfig, Cursor, Displays, Event as CanvasEvent, SharedCaches};
use spice_client::transport::tokio::Tokio;
use spice_client::{ClientConfig, Event};
use spice_proto::msg::cursor::{CursorFlags, CursorShape, ServerMessage};
use spice_proto::msg::display::ServerMessage as Drawing;
use spice_proto::types::ChannelType;
use testsuite::net;

/// A connected client.
#[derive(Clone)]
pub(crate) struct Watcher(Arc<Mutex<Seen>>);

/// What the client has.
pub(crate) struct Seen {
    pub(crate) displays: Displays,
    pub(crate) cursors: BTreeMap<u8, Cursor>,
    /// The name of the shape that came last, by display.
    pub(crate) shape: BTreeMap<u8, u64>,
    /// Shapes that came from the cache.
    pub(crate) from_cache: u64,
    /// How often each type of image came.
    pub(crate) images: BTreeMap<u8, u64>,
    /// Frames of video streams.
    pub(crate) frames: u64,
    pub(crate) undrawn: Vec<String>,
    error: Option<String>,
}

impl Watcher {
    /// Connects with display and cursor channels, and goes on taking what comes.
    pub(crate) fn connect(port: u16) -> Result<Self, String> {
        let mut config: ClientConfig = format!("spice://{}", net::loopback(port))
            .parse()
            .map_err(|error| format!("address: {error}"))?;
        config.session = config.session.clone().channels(&[ChannelType::DISPLAY, ChannelType::CURSOR]);
        config.session.display.pixmap_cache = CACHE_PIXELS as i64;
        config.session.display.glz_window = WINDOW_PIXELS as i32;
        let caches = SharedCaches::new(CacheConfig::new(CACHE_PIXELS, WINDOW_PIXELS));
        let seen = Seen {
            displays: Displays::new(CanvasConfig::default(), caches),
            cursors: BTreeMap::new(),
            shape: BTreeMap::new(),
            from_cache: 0,
            images: BTreeMap::new(),
            frames: 0,
            undrawn: Vec::new(),
            error: None,
        };
        let viewer = Self(Arc::new(Mutex::new(seen)));
        let inner = viewer.clone();
        thread::spawn(move || {
            let error = inner.run(config).err().unwrap_or("the session ended".into());
            inner.seen().error = Some(error);
        });
        Ok(viewer)
    }

    fn run(&self, config: ClientConfig) -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|error| format!("no runtime: {error}"))?.block_on(async {
            let (mut client, driver) = spice_client::connect(Tokio::new(), config);
            tokio::spawn(driver);
            while let Some(event) = client.next().await {
                self.seen().take(event.map_err(|error| error.to_string())?)?;
            }
            Ok(())
        })
    }

    /// What the client has by now.
    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until what the client has is `ready`.
    pub(crate) fn until(&self, what: &str, ready: impl Fn(&Seen) -> bool) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            {
                let seen = self.seen();
                if let Some(error) = &seen.error {
                    return Err(format!("the client: {error}"));
                }
                if ready(&seen) {
                    return Ok(());
                }
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("{what} did not come within {PATIENCE:?}"));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Seen {
    fn take(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Display(id, message) => {
                match &message {
                    Drawing::DrawCopy(m) => {
                        if let Some(image) = &m.src_bitmap {
                            *self.images.entry(image.data.kind().0).or_default() += 1;
                        }
                    }
                    Drawing::StreamData(_) | Drawing::StreamDataSized(_) => self.frames += 1,
                    _ => {}
                }
                self.displays.apply(id, &message).map_err(|error| error.to_string())?;
                for (id, canvas) in self.displays.iter_mut() {
                    drop(canvas.drain_damage());
                    while let Some(event) = canvas.poll_event() {
                        if let CanvasEvent::Undrawable { what, why } = event {
                            self.undrawn.push(format!("{what:?} on display {id}: {why}"));
                        }
                    }
                }
            }
            Event::Cursor(id, message) => {
                let shape = match &message {
                    ServerMessage::Init(m) => Some(&m.cursor),
                    ServerMessage::Set(m) => Some(&m.cursor),
                    _ => None,
                };
                if let Some(CursorShape { flags, image: Some(image) }) = shape {
                    self.from_cache += u64::from(flags.contains(CursorFlags::FROM_CACHE));
                    self.shape.insert(id, image.header.unique.0);
                }
                let cursor = self.cursors.entry(id).or_default();
                cursor.apply(&message).map_err(|error| format!("cursor of display {id}: {error}"))?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Small caches, so that what one display brings is let go of and used by others.
const CACHE_PIXELS: u64 = 300_000;
const WINDOW_PIXELS: u64 = 1 << 20;

const PATIENCE: Duration = Duration::from_secs(60);
