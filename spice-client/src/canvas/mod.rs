//! The software canvas: display messages in, pixels and damage out.
//!
//! A [`Canvas`] holds the surfaces of one display channel. It takes that channel's messages one after the other,
//! in the order of their arrival, and draws them with the numbers that the server itself would get. It knows
//! neither sockets nor clocks, may live on a thread of its own, and could be replaced by another renderer or left
//! out.
//!
//! A [`Cursor`] does the same for a cursor channel.
//!
//! The canvases of one session, one for each display channel, share a [`SharedCaches`], because pictures that came through one display channel
//! may be referred to on another. [`Displays`] keeps them together on one thread, and lets one wait for another.
//!
//! ```
//! use spice_client::canvas::{Applied, Canvas, CanvasConfig, Event, SharedCaches};
//! use spice_proto::msg::display::{self, ServerMessage};
//! use spice_proto::types::{Rect, SurfaceId};
//!
//! let mut canvas = Canvas::new(CanvasConfig::default(), SharedCaches::default());
//! let screen = display::SurfaceCreate {
//!     surface_id: SurfaceId::PRIMARY,
//!     width: 640,
//!     height: 480,
//!     format: display::SurfaceFormat::XRGB,
//!     flags: display::SurfaceFlags::PRIMARY,
//! };
//! assert_eq!(canvas.apply(&ServerMessage::SurfaceCreate(screen))?, Applied::Done);
//! assert!(matches!(canvas.poll_event(), Some(Event::PrimaryCreated { width: 640, height: 480, .. })));
//!
//! let fill = display::DrawFill {
//!     base: display::DisplayBase {
//!         surface_id: SurfaceId::PRIMARY,
//!         area: Rect::at(10, 20, 100, 50),
//!         clip: display::Clip::None,
//!     },
//!     brush: display::Brush::Solid(0x0033_66ff),
//!     rop: display::RopDescriptor::OP_PUT,
//!     mask: display::QMask::default(),
//! };
//! assert_eq!(canvas.apply(&ServerMessage::DrawFill(fill))?, Applied::Done);
//! let damage: Vec<Rect> = canvas.drain_damage().collect();
//! assert_eq!(damage, [Rect::at(0, 0, 640, 480)], "the new surface and the fill in it");
//! let mut pixel = [0; 4];
//! canvas.primary().expect("just created").write_rgba(Rect::at(50, 40, 1, 1), &mut pixel);
//! assert_eq!(pixel, [0x33, 0x66, 0xff, 255]);
//! # Ok::<(), spice_client::canvas::CanvasError>(())
//! ```
//!
//! # What is drawn
//!
//! All drawing commands on surfaces of all formats, and all forms of pictures. A command that cannot be drawn, because
//! it is damaged or asks for something that does not exist, is reported as [`Event::Undrawable`] and leaves the surface
//! as it was. Video streams in other codecs than MJPEG take a [`VideoDecoder`].
//!
//! A frame of a video is shown when it is applied; to keep it until its time, or to drop it, is up to the caller.
//!
//! A picture whose data turns out to be damaged while it is decoded straight into the surface leaves its area
//! black.
//!
//! # Hostile servers
//!
//! What a server can make a canvas hold is bounded by [`CanvasLimits`] and [`CacheConfig`]. A message that breaks
//! a rule on which later ones depend is a [`CanvasError`], after which the channel should be closed; any other
//! fault leaves its command undrawn.

mod bilinear;
mod blend;
mod brush;
mod cache;
mod command;
mod composite;
mod config;
mod copy;
mod cursor;
mod damage;
mod dash;
mod direct;
mod displays;
mod draw;
mod fill;
mod format;
mod images;
mod job;
mod kernel;
mod lane;
mod mapping;
mod mask;
mod once;
mod operators;
mod outcome;
#[cfg(all(feature = "parallel", not(target_arch = "wasm32")))]
mod parallel;
mod path;
mod region;
mod rop;
mod rop3;
mod sample;
mod shape;
mod share;
mod stream;
mod stroke;
mod surface;
mod surfaces;
#[cfg(test)]
mod tests;
mod text;
mod waiting;
mod wide;

use std::collections::{BTreeSet, VecDeque};

use spice_proto::msg::display::{self, Head, ResourceType, ServerMessage, SurfaceFlags, SurfaceFormat};
use spice_proto::types::{Rect, SurfaceId};

pub use cache::SharedCaches;
pub use config::{CacheConfig, CanvasConfig, CanvasLimits};
pub use cursor::{Cursor, CursorError, CursorPicture};
pub use displays::{DisplayError, Displays, WaitLimits};
pub use outcome::{Applied, Blocked, CanvasError, Event, Operation, Reason};
#[cfg(all(feature = "parallel", not(target_arch = "wasm32")))]
#[cfg_attr(docsrs, doc(cfg(feature = "parallel")))]
pub use parallel::{AheadLimits, Decoders, Prepared};
pub use spice_codecs::PixelFormat;
pub use stream::{VideoDecoder, VideoError, VideoFrame};
pub use surface::View;

use damage::Damage;
use images::Images;
use job::Rows;
use region::Region;
use stream::Streams;
use surfaces::Surfaces;

/// The surfaces of one display channel and everything needed to draw on them. See the [module](self).
#[derive(Debug)]
pub struct Canvas {
    config: CanvasConfig,
    surfaces: Surfaces,
    images: Images,
    streams: Streams,
    heads: Vec<Head>,
    marked: bool,
    damage: Damage,
    events: VecDeque<Event>,
    /// What was reported as undrawable.
    reported: BTreeSet<(Operation, u8)>,
    region: Region,
    rows: Rows,
    /// Copies of surfaces that a command reads and writes at once.
    snapshots: [Vec<u8>; images::SLOTS],
    /// What every further message is answered with.
    failed: Option<CanvasError>,
    /// Of the message whose pictures are kept because it has to wait.
    waiting: Option<u64>,
}

impl Canvas {
    /// A canvas without surfaces.
    pub fn new(config: CanvasConfig, caches: SharedCaches) -> Self {
        Self {
            surfaces: Surfaces::new(caches.surface_share()),
            images: Images::new(caches),
            streams: Streams::new(&config.limits),
            heads: Vec::new(),
            marked: false,
            damage: Damage::new(config.limits.damage_rects),
            events: VecDeque::new(),
            reported: BTreeSet::new(),
            region: Region::default(),
            rows: Rows::default(),
            snapshots: Default::default(),
            failed: None,
            waiting: None,
            config,
        }
    }

    /// Carries out one message of the display channel.
    ///
    /// INVAL_ALL_PIXMAPS empties the cache at once: whoever feeds the canvas has waited for the channels listed in
    /// it, as for the base message WAIT_FOR_CHANNELS.
    ///
    /// # Errors
    ///
    /// [`CanvasError`] if the channel cannot go on; the same for every later message, until
    /// [`disconnect`](Self::disconnect).
    pub fn apply(&mut self, message: &ServerMessage) -> Result<Applied, CanvasError> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        self.carry_out(message).inspect_err(|error| self.failed = Some(*error))
    }

    fn carry_out(&mut self, message: &ServerMessage) -> Result<Applied, CanvasError> {
        match message {
            ServerMessage::DrawCopy(m) => return self.draw_copy(m),
            ServerMessage::DrawFill(m) => return self.draw_fill(m),
            ServerMessage::CopyBits(m) => return self.copy_bits(m),
            ServerMessage::DrawOpaque(m) => return self.draw_opaque(m),
            ServerMessage::DrawBlend(m) => return self.draw_blend(m),
            ServerMessage::DrawBlackness(m) => return self.draw_blackness(m),
            ServerMessage::DrawWhiteness(m) => return self.draw_whiteness(m),
            ServerMessage::DrawInvers(m) => return self.draw_invers(m),
            ServerMessage::DrawRop3(m) => return self.draw_rop3(m),
            ServerMessage::DrawStroke(m) => return self.draw_stroke(m),
            ServerMessage::DrawText(m) => return self.draw_text(m),
            ServerMessage::DrawTransparent(m) => return self.draw_transparent(m),
            ServerMessage::DrawAlphaBlend(m) => return self.draw_alpha_blend(m),
            ServerMessage::DrawComposite(m) => return self.draw_composite(m),
            ServerMessage::SurfaceCreate(m) => {
                let primary = m.flags.contains(SurfaceFlags::PRIMARY);
                self.create_surface(m.surface_id, m.width, m.height, m.format, primary)?;
            }
            ServerMessage::Mode(m) => {
                let format = if m.bits == 32 { SurfaceFormat::XRGB } else { SurfaceFormat::X555 };
                self.create_surface(SurfaceId::PRIMARY, m.x_res, m.y_res, format, true)?;
            }
            ServerMessage::SurfaceDestroy(m) => {
                self.streams.detach(m.surface_id);
                if self.surfaces.destroy(m.surface_id) {
                    self.primary_destroyed();
                }
            }
            ServerMessage::Mark => {
                if self.surfaces.primary().is_some() {
                    self.marked = true;
                    self.tell(Event::Mark);
                }
            }
            ServerMessage::Reset => self.reset(),
            ServerMessage::InvalList(m) => {
                let mut pixmaps = self.images.caches.pixmaps();
                for resource in m.resources.iter().filter(|r| r.kind == ResourceType::PIXMAP) {
                    pixmaps.release(spice_proto::types::ImageId(resource.id));
                }
            }
            ServerMessage::InvalAllPixmaps(_) => self.images.caches.pixmaps().clear(),
            ServerMessage::InvalPalette(m) => self.images.palettes.remove(m.id),
            ServerMessage::InvalAllPalettes => self.images.palettes.clear(),
            ServerMessage::MonitorsConfig(m) => self.monitors(m),
            ServerMessage::StreamCreate(m) => self.stream_create(m)?,
            ServerMessage::StreamDestroy(m) => self.streams.remove(m.id),
            ServerMessage::StreamDestroyAll => self.streams.clear(),
            ServerMessage::StreamData(m) => self.stream_frame(m.id, None, &m.data),
            ServerMessage::StreamDataSized(m) => self.stream_frame(m.id, Some(m.dest), &m.data),
            ServerMessage::StreamClip(m) => self.stream_clip(m),
            // Reports take a clock.
            ServerMessage::StreamActivateReport(_) => {}
            ServerMessage::GlScanoutUnix(m) => self.tell(Event::GlScanout(*m)),
            ServerMessage::GlDraw(m) => self.tell(Event::GlDraw(*m)),
            ServerMessage::QualityIndicator(_) | ServerMessage::Unknown { .. } => {}
        }
        Ok(Applied::Done)
    }

    /// [`apply`](Self::apply) for a message whose picture may have been decoded ahead. Waits for a picture that is just
    /// being decoded. A message that is [`Applied::Blocked`] is to be kept for the next attempt.
    ///
    /// # Errors
    ///
    /// [`CanvasError`] if the channel cannot go on.
    #[cfg(all(feature = "parallel", not(target_arch = "wasm32")))]
    #[cfg_attr(docsrs, doc(cfg(feature = "parallel")))]
    pub fn apply_prepared(&mut self, prepared: &Prepared) -> Result<Applied, CanvasError> {
        self.images.ahead = prepared.picture();
        let applied = self.apply(prepared.message());
        self.images.ahead = None;
        applied
    }

    /// The oldest event not yet taken. Take them after each message: of those that nobody takes the oldest are lost,
    /// see [`CanvasLimits::events`].
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Takes the rectangles of the visible surface that changed since the last call, in its pixels.
    ///
    /// There are at most [`CanvasLimits::damage_rects`] of them; together they cover everything that was drawn,
    /// and may cover more, and each other.
    pub fn drain_damage(&mut self) -> impl ExactSizeIterator<Item = Rect> + '_ {
        self.damage.drain()
    }

    /// The rectangles that [`drain_damage`](Self::drain_damage) would take.
    pub fn damage(&self) -> &[Rect] {
        self.damage.rects()
    }

    /// Forgets what is there of a message that was [`Applied::Blocked`] and does not come again: whoever waits no longer
    /// for what it needs calls this before the next message. An image of the GLZ window in it is lost.
    pub fn give_up(&mut self) {
        self.finish();
        self.images.forget_waiting();
    }

    /// Forgets what a lost connection leaves behind: palettes, streams and all surfaces but the visible one,
    /// which stays on screen until the next connection replaces it. The shared caches are the session's to clear.
    pub fn disconnect(&mut self) {
        self.surfaces.keep_primary();
        self.images.palettes.clear();
        self.give_up();
        self.failed = None;
        self.streams.clear();
        self.reported.clear();
    }

    /// The visible surface, if there is one.
    pub fn primary(&self) -> Option<View<'_>> {
        self.view(self.surfaces.primary()?)
    }

    /// Any surface.
    pub fn view(&self, id: SurfaceId) -> Option<View<'_>> {
        self.surfaces.get(id).map(|surface| surface.view())
    }

    /// Whether the visible surface is complete, as the server said.
    pub fn is_marked(&self) -> bool {
        self.marked
    }

    /// The parts of the visible surface that are monitors, as the server sent them; they may overlap and exceed
    /// the surface. Empty: the whole surface is one.
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// Number of surfaces.
    pub fn surfaces(&self) -> usize {
        self.surfaces.len()
    }

    /// Bytes that all surfaces take.
    pub fn surface_bytes(&self) -> u64 {
        self.surfaces.bytes()
    }

    fn create_surface(
        &mut self,
        id: SurfaceId,
        width: u32,
        height: u32,
        format: SurfaceFormat,
        primary: bool,
    ) -> Result<(), CanvasError> {
        let before = self.surfaces.primary();
        let made = self.surfaces.create(id, (width, height), format, primary, &self.config.limits)?;
        if made.destroyed {
            before.into_iter().for_each(|id| self.streams.detach(id));
            self.primary_destroyed();
        }
        if let Some(surface) = self.surfaces.get(id).filter(|_| made.primary) {
            let format = surface.format();
            self.damage.clear();
            self.damage.add(surface.rect());
            self.tell(Event::PrimaryCreated { width, height, format });
        }
        Ok(())
    }

    fn primary_destroyed(&mut self) {
        self.marked = false;
        self.damage.clear();
        self.tell(Event::PrimaryDestroyed);
    }

    fn reset(&mut self) {
        self.marked = false;
        self.images.palettes.clear();
        if let Some(primary) = self.surfaces.primary_mut() {
            primary.fill_zero();
            let all = primary.rect();
            self.damage.add(all);
        }
    }

    fn monitors(&mut self, config: &display::MonitorsConfig) {
        if config.heads.is_empty() {
            return;
        }
        let most = usize::from(config.max_allowed).clamp(1, self.config.limits.heads.max(1));
        self.heads.clear();
        self.heads.extend(config.heads.iter().take(most));
        self.tell(Event::Monitors);
    }

    /// Keeps an event until it is taken, or until there are too many.
    fn tell(&mut self, event: Event) {
        if self.events.len() >= self.config.limits.events.max(1) {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// Ends a drawing command: gives back working memory of unusual size.
    fn finish(&mut self) {
        self.waiting = None;
        let limits = &self.config.limits;
        self.images.finish(limits);
        for buffer in self.snapshots.iter_mut().chain([&mut self.rows.coverage]) {
            if buffer.capacity() > limits.scratch_bytes {
                *buffer = Vec::new();
            }
        }
    }

    /// Reports a command that is left undrawn, unless the like was reported before.
    fn undrawable(&mut self, what: Operation, why: Reason) {
        if self.reported.insert((what, why.kind())) {
            self.tell(Event::Undrawable { what, why });
        }
    }
}
