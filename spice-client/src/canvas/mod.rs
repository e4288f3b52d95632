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

mod apply;
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
mod report;
mod rop;
mod rop3;
mod sample;
mod sampler;
mod screen;
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

use spice_proto::msg::display::Head;

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
    /// Copy of a surface that a command reads and writes at once.
    snapshot: Vec<u8>,
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
            snapshot: Vec::new(),
            failed: None,
            waiting: None,
            config,
        }
    }
}
