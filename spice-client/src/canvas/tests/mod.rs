//! Tests of the canvas through its messages.

mod caches;
mod displays;
mod hostile;
mod images;
mod model;
mod painting;
#[cfg(all(feature = "parallel", not(target_arch = "wasm32")))]
pub(super) mod parallel;
mod scenes;
mod streams;

use bytes::Bytes;
use spice_proto::msg::display::*;
use spice_proto::types::{ImageId, Point, Rect, SurfaceId};
use spice_proto::wire::Ptr;

use crate::canvas::{Applied, Canvas, CanvasConfig, Event, Operation, Reason, SharedCaches};

/// A canvas with a visible surface and no pending events or damage.
fn canvas(width: u32, height: u32, format: SurfaceFormat) -> Canvas {
    let mut canvas = Canvas::new(CanvasConfig::default(), SharedCaches::default());
    create(&mut canvas, 0, (width, height), format, SurfaceFlags::PRIMARY);
    while canvas.poll_event().is_some() {}
    canvas.drain_damage().for_each(drop);
    canvas
}

fn create(
    canvas: &mut Canvas,
    id: u32,
    (width, height): (u32, u32),
    format: SurfaceFormat,
    flags: SurfaceFlags,
) {
    let surface_id = SurfaceId(id);
    done(canvas, ServerMessage::SurfaceCreate(SurfaceCreate { surface_id, width, height, format, flags }));
}

/// Applies a message that must not wait or fail.
fn done(canvas: &mut Canvas, message: ServerMessage) {
    assert_eq!(canvas.apply(&message), Ok(Applied::Done), "{message:?}");
}

/// The one report about something undrawn.
fn undrawn(canvas: &mut Canvas) -> Option<(Operation, Reason)> {
    let event = canvas.poll_event()?;
    assert_eq!(canvas.poll_event(), None);
    match event {
        Event::Undrawable { what, why } => Some((what, why)),
        other => panic!("{other:?}"),
    }
}

/// Raw pixels of a surface.
fn pixels(canvas: &Canvas, id: u32) -> Vec<u32> {
    let view = canvas.view(SurfaceId(id)).expect("surface exists");
    let bytes = view.bytes_per_pixel();
    let mut all = Vec::new();
    for y in 0..view.height() {
        for px in view.row(y).chunks_exact(bytes) {
            all.push(px.iter().rev().fold(0, |v, b| v << 8 | u32::from(*b)));
        }
    }
    all
}

fn on(id: u32, area: Rect) -> DisplayBase {
    DisplayBase { surface_id: SurfaceId(id), area, clip: Clip::None }
}

fn clipped(id: u32, area: Rect, rects: &[Rect]) -> DisplayBase {
    let rects = spice_proto::wire::Counted::new(rects.into()).expect("fits");
    DisplayBase { surface_id: SurfaceId(id), area, clip: Clip::Rects(rects) }
}

fn fill(base: DisplayBase, color: u32, rop: RopDescriptor) -> ServerMessage {
    ServerMessage::DrawFill(DrawFill { base, brush: Brush::Solid(color), rop, mask: QMask::default() })
}

fn copy(base: DisplayBase, image: Image, src_area: Rect, rop: RopDescriptor) -> ServerMessage {
    ServerMessage::DrawCopy(DrawCopy {
        base,
        src_bitmap: Some(Ptr(image)),
        src_area,
        rop,
        scale_mode: ScaleMode::NEAREST,
        mask: QMask::default(),
    })
}

/// Puts a whole image at its own size.
fn put(id: u32, left: i32, top: i32, image: Image) -> ServerMessage {
    let (w, h) = (image.width as i32, image.height as i32);
    copy(on(id, Rect::at(left, top, w, h)), image, Rect::at(0, 0, w, h), RopDescriptor::OP_PUT)
}

fn bitmap(format: BitmapFormat, width: u32, stride: u32, flags: BitmapFlags, data: Vec<u8>) -> Image {
    let height = data.len() as u32 / stride;
    let rows = Rows::new(height, stride, Bytes::from(data)).expect("whole rows");
    let data = ImageData::Bitmap(Bitmap { format, flags, width, palette: None, rows });
    Image { id: ImageId(0), flags: ImageFlags::empty(), width, height, data }
}

/// A top-down picture of 32-bit pixels.
fn picture(width: u32, pixels: &[u32]) -> Image {
    let data = pixels.iter().flat_map(|p| p.to_le_bytes()).collect();
    bitmap(BitmapFormat::BIT32, width, width * 4, BitmapFlags::TOP_DOWN, data)
}

fn surface_image(id: u32, width: u32, height: u32) -> Image {
    let data = ImageData::Surface(SurfaceId(id));
    Image { id: ImageId(0), flags: ImageFlags::empty(), width, height, data }
}

fn cached(id: u64, flags: ImageFlags, image: Image) -> Image {
    Image { id: ImageId(id), flags: image.flags | flags, ..image }
}

fn from_cache(id: u64, width: u32, height: u32, lossless: bool) -> Image {
    let data = if lossless { ImageData::FromCacheLossless } else { ImageData::FromCache };
    Image { id: ImageId(id), flags: ImageFlags::empty(), width, height, data }
}

fn masked(image: Image, pos: Point, inverted: bool) -> QMask {
    let flags = if inverted { MaskFlags::INVERS } else { MaskFlags::empty() };
    QMask { flags, pos, bitmap: Some(Ptr(image)) }
}

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.next() % bound
    }

    fn between(&mut self, from: i32, to: i32) -> i32 {
        from + self.below(to.abs_diff(from)) as i32
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    fn color(&mut self) -> u32 {
        self.next() << 16 ^ self.next()
    }

    fn rect(&mut self, within: i32) -> Rect {
        let (x, y) = (self.between(-5, within), self.between(-5, within));
        Rect::at(x, y, self.between(0, within), self.between(0, within))
    }
}

/// FNV-1a over the visible pixels.
fn hash(canvas: &Canvas) -> u64 {
    let view = canvas.primary().expect("a visible surface");
    let mut out = vec![0; (view.width() * view.height() * 4) as usize];
    assert_eq!(view.write_rgba(view.rect(), &mut out), out.len());
    out.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}
