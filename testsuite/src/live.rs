//! Our client library in a thread of its own: a viewer that stays connected and draws what comes.
//!
//! A picture of a server that stands still shows images and little else. A viewer that is there while programs start
//! sees their drawing commands one by one, among them those on off-screen surfaces.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures::StreamExt;
use spice_client::canvas::{self, Applied, Canvas, CanvasConfig, SharedCaches};
use spice_client::transport::tokio::Tokio;
use spice_client::{Client, ClientConfig, Event};
use spice_proto::types::ChannelType;

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
    /// What was not drawn, in words.
    undrawn: Vec<String>,
    /// The most surfaces that there were at the same time, the visible one among them.
    most_surfaces: usize,
    /// Messages that were applied.
    messages: u64,
    error: Option<String>,
}

impl Viewer {
    /// Connects to a loopback port and waits for the first complete picture.
    pub fn connect(port: u16) -> Result<Self> {
        let config: ClientConfig =
            format!("spice://127.0.0.1:{port}").parse().map_err(|error| format!("address: {error}"))?;
        let screen = Screen {
            canvas: Canvas::new(CanvasConfig::default(), SharedCaches::default()),
            undrawn: Vec::new(),
            most_surfaces: 0,
            messages: 0,
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

    /// The most surfaces that there were at the same time, the visible one among them.
    pub fn most_surfaces(&self) -> usize {
        self.screen().most_surfaces
    }

    /// Messages that were applied.
    pub fn messages(&self) -> u64 {
        self.screen().messages
    }

    /// What was not drawn, in words.
    pub fn undrawn(&self) -> Vec<String> {
        self.screen().undrawn.clone()
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

    fn run(&self, mut config: ClientConfig) {
        config.session = config.session.clone().channels(&[ChannelType::DISPLAY]);
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
        while !self.over.load(Ordering::SeqCst) {
            let event = match tokio::time::timeout(Duration::from_millis(20), client.next()).await {
                Err(_) => continue,
                Ok(None) => return Err("the session ended".into()),
                Ok(Some(event)) => event.map_err(|error| error.to_string())?,
            };
            let Event::Display(_, message) = event else { continue };
            let mut screen = self.lock();
            let screen = &mut *screen;
            screen.messages += 1;
            match screen.canvas.apply(&message) {
                Ok(Applied::Done) => {}
                Ok(Applied::Blocked(what)) => return Err(format!("{what:?} never came")),
                Err(error) => return Err(error.to_string()),
            }
            screen.most_surfaces = screen.most_surfaces.max(screen.canvas.surfaces());
            while let Some(event) = screen.canvas.poll_event() {
                if let canvas::Event::Undrawable { what, why } = event {
                    screen.undrawn.push(format!("{what:?}: {why}"));
                }
            }
        }
        Ok(())
    }
}
