//! The displays of a session, and bringing one of them to the page.

use std::collections::BTreeMap;

use spice_client::canvas::{
    self, Canvas, CanvasConfig, DisplayError, Displays, SharedCaches, View, WaitLimits,
};
use spice_proto::msg::display::ServerMessage;
use spice_proto::types::Rect;
use wasm_bindgen::prelude::*;
use web_sys::OffscreenCanvas;

use crate::page::Page;
use crate::pause::now_ms;
use crate::present::Presenter;
use crate::scale;
use crate::stats::Stats;

/// What a session shows.
pub(crate) struct Screen {
    page: Page,
    /// Nothing is shown before there is a canvas.
    presenter: Option<Presenter>,
    displays: Displays,
    /// When the visible surface of each display was made.
    created_ms: BTreeMap<u8, f64>,
    /// The display channel that is shown.
    shown: u8,
    /// Size of the page's canvas.
    size: (u32, u32),
    /// Whether this connection has shown a complete picture; until then the one before stays.
    complete: bool,
    /// What the page wants to hear of each frame: 0 nothing, 1 rectangles, 2 their pixels too.
    frames: u32,
    /// When the user last did something that the screen has not answered yet.
    asked_ms: Option<f64>,
    /// When the last frame was shown.
    shown_ms: f64,
    /// Whether nobody sees the canvas.
    paused: bool,
    pub(crate) stats: Stats,
}

impl Screen {
    pub(crate) fn new(page: Page) -> Self {
        Self {
            page,
            presenter: None,
            displays: displays(),
            created_ms: BTreeMap::new(),
            shown: 0,
            size: (0, 0),
            complete: false,
            frames: 0,
            asked_ms: None,
            shown_ms: 0.0,
            paused: false,
            stats: Stats::default(),
        }
    }

    /// Shows everything on this canvas from now on.
    pub(crate) fn attach(&mut self, canvas: Option<OffscreenCanvas>, wish: &str) -> Result<(), JsValue> {
        self.presenter = Some(Presenter::new(canvas, wish)?);
        Ok(())
    }

    /// Begins a connection. What is on the page stays there until its first picture is complete.
    pub(crate) fn begin(&mut self) {
        self.displays = displays();
        self.created_ms.clear();
        self.complete = false;
        self.stats = Stats::default();
        self.asked_ms = None;
    }

    /// Carries out a message of a display channel; true when there is something new to show.
    pub(crate) fn apply(&mut self, id: u8, message: &ServerMessage) -> Result<bool, DisplayError> {
        self.stats.count(message);
        let applied = self.displays.apply(id, message);
        // What one display has drawn may be what another waited for.
        for (id, canvas) in self.displays.iter_mut() {
            while let Some(event) = canvas.poll_event() {
                match event {
                    canvas::Event::PrimaryCreated { .. } => {
                        self.created_ms.insert(id, now_ms());
                    }
                    canvas::Event::Undrawable { what, why } => {
                        self.page.trouble(&format!("{what:?} could not be drawn: {why}"));
                    }
                    _ => {}
                }
            }
        }
        applied?;
        Ok(self.is_dirty())
    }

    /// A display channel is gone.
    pub(crate) fn remove(&mut self, id: u8) {
        self.displays.remove(id);
        self.created_ms.remove(&id);
    }

    fn is_dirty(&self) -> bool {
        self.canvas().is_some_and(|canvas| !canvas.damage().is_empty())
    }

    fn canvas(&self) -> Option<&Canvas> {
        self.displays.canvas(self.shown)
    }

    /// Shows what is new; true when something is left to be shown with a later frame.
    pub(crate) fn show(&mut self) -> Result<bool, JsValue> {
        let began = now_ms();
        if self.presenter.is_none() || self.paused && self.complete {
            return Ok(false);
        }
        if self.wait_ms() > EARLY_MS {
            return Ok(self.is_dirty());
        }
        let Some(canvas) = self.displays.canvas_mut(self.shown) else { return Ok(false) };
        let created_ms = self.created_ms.get(&self.shown).copied().unwrap_or_default();
        let is_late = began - created_ms > UNMARKED_MS;
        if canvas.damage().is_empty() || !(canvas.is_marked() || is_late) {
            return Ok(false);
        }
        let mut rects: Vec<Rect> = canvas.drain_damage().collect();
        let (Some(view), Some(presenter)) = (canvas.primary(), &mut self.presenter) else {
            return Ok(false);
        };
        let size = (view.width(), view.height());
        if self.size != size {
            presenter.resize(size.0, size.1);
            self.size = size;
            self.page.resized(size.0, size.1);
            rects = vec![view.rect()];
        } else if !self.complete {
            rects = vec![view.rect()];
        }
        presenter.show(&view, &rects)?;
        if self.frames > 0 {
            tell(&self.page, &view, &rects, self.frames > 1);
        }
        if !self.complete {
            self.complete = true;
            self.page.complete();
        }
        let now = now_ms();
        if let Some(asked) = self.asked_ms.take() {
            self.stats.answered(now - asked);
        }
        self.stats.frames += 1;
        self.stats.pixels +=
            rects.iter().map(|rect| u64::from(rect.width()) * u64::from(rect.height())).sum::<u64>();
        self.stats.show_ms += now - began;
        self.shown_ms = began;
        Ok(false)
    }

    /// Whether the user has done something that the screen has not answered yet.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked_ms.is_some()
    }

    /// Milliseconds until the presenter's pace lets something be shown again. Who waits for an answer sees it at once.
    pub(crate) fn wait_ms(&self) -> f64 {
        match self.asked_ms {
            Some(_) => 0.0,
            None => {
                (self.shown_ms + self.presenter.as_ref().map_or(0.0, Presenter::pace_ms) - now_ms()).max(0.0)
            }
        }
    }

    /// The user has done something.
    pub(crate) fn asked(&mut self) {
        self.asked_ms.get_or_insert_with(now_ms);
    }

    /// What the page wants to hear of each frame: 0 nothing, 1 rectangles, 2 their pixels too.
    pub(crate) fn set_frames(&mut self, frames: u32) {
        self.frames = frames;
    }

    /// Whether nobody sees the canvas; what is drawn meanwhile is shown afterwards.
    pub(crate) fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Shows another display channel.
    pub(crate) fn set_shown(&mut self, id: u8) -> Result<(), JsValue> {
        self.shown = id;
        self.redraw()
    }

    /// The display channels, in order.
    pub(crate) fn ids(&self) -> Vec<u8> {
        self.displays.iter().map(|(id, _)| id).collect()
    }

    /// The number of the display that is shown.
    pub(crate) fn shown(&self) -> u8 {
        self.shown
    }

    /// Takes up the canvas again after the browser lost its content.
    pub(crate) fn restore(&mut self) -> Result<(), JsValue> {
        if let Some(presenter) = &mut self.presenter {
            presenter.restore()?;
        }
        self.redraw()
    }

    fn redraw(&mut self) -> Result<(), JsValue> {
        let view = self.displays.canvas(self.shown).and_then(Canvas::primary);
        let (Some(view), Some(presenter)) = (view, &mut self.presenter) else { return Ok(()) };
        let size = (view.width(), view.height());
        if self.size != size {
            presenter.resize(size.0, size.1);
            self.size = size;
            self.page.resized(size.0, size.1);
        }
        presenter.show(&view, &[view.rect()])
    }

    /// The whole screen, rows of bytes r, g, b, 255, with its size in pixels.
    pub(crate) fn picture(&self) -> Option<(u32, u32, Vec<u8>)> {
        let view = self.canvas()?.primary()?;
        let (width, height) = (view.width(), view.height());
        let mut pixels = vec![0; width as usize * height as usize * 4];
        view.write_rgba(view.rect(), &mut pixels);
        Some((width, height, pixels))
    }

    /// What the page's canvas holds, as [`picture`](Self::picture).
    pub(crate) fn canvas_pixels(&self) -> Option<(u32, u32, Vec<u8>)> {
        self.presenter.as_ref()?.read().map(|pixels| (self.size.0, self.size.1, pixels))
    }

    /// A small picture, at most so large.
    pub(crate) fn thumbnail(&self, width: u32, height: u32) -> Option<(u32, u32, Vec<u8>)> {
        scale::thumbnail(&self.canvas()?.primary()?, width, height)
    }

    /// How pixels come to the screen.
    pub(crate) fn presenter(&self) -> &'static str {
        self.presenter.as_ref().map_or("none", Presenter::name)
    }

    /// Bytes of all surfaces.
    pub(crate) fn surface_bytes(&self) -> u64 {
        self.displays.iter().map(|(_, canvas)| canvas.surface_bytes()).sum()
    }
}

/// Why the screen cannot go on, in words.
pub(crate) fn broken(error: &DisplayError) -> String {
    match error {
        DisplayError::Waiting { .. } => "the server refers to a picture that it never sent".into(),
        DisplayError::Canvas(error) => format!("the server broke the rules of drawing: {error}"),
        error => error.to_string(),
    }
}

/// The canvases of a connection.
fn displays() -> Displays {
    let mut limits = WaitLimits::default();
    limits.messages = WAITING;
    limits.bytes = WAITING_BYTES;
    Displays::new(config(), SharedCaches::default()).wait_limits(limits)
}

/// As by default, with less memory for off-screen surfaces: a worker has 1 GiB for everything.
fn config() -> CanvasConfig {
    let mut config = CanvasConfig::default();
    config.limits.surface_bytes = 256 << 20;
    config.limits.session_bytes = SURFACES;
    config
}

/// Tells the page of a frame.
fn tell(page: &Page, view: &View<'_>, rects: &[Rect], with_pixels: bool) {
    let mut numbers = Vec::with_capacity(rects.len() * 4);
    let mut pixels = Vec::new();
    for rect in rects {
        let rect = rect.intersect(&view.rect());
        let (width, height) = (rect.width() as i32, rect.height() as i32);
        numbers.extend([rect.left, rect.top, width, height]);
        if with_pixels {
            let from = pixels.len();
            pixels.resize(from + width as usize * height as usize * 4, 0);
            view.write_rgba(rect, &mut pixels[from..]);
        }
    }
    page.frame(numbers, with_pixels.then_some(pixels));
}

/// Bytes that the surfaces of all displays may take together.
const SURFACES: u64 = 384 << 20;
/// Messages that may wait for what another display channel delivers.
const WAITING: usize = 4096;
/// Bytes of them. As many may wait in front of the canvases; see [`begin::config`](crate::begin::config).
const WAITING_BYTES: usize = 32 << 20;
/// Timers may be so early.
const EARLY_MS: f64 = 2.0;
/// After so many milliseconds a surface is shown although the server has not called it complete.
const UNMARKED_MS: f64 = 1000.0;
