//! The software canvas: any display messages leave it within its bounds, and what changes is told as damage.

mod fit;

use spice_client::canvas::{
    Applied, CacheConfig, Canvas, CanvasConfig, CanvasError, Event, PixelFormat, SharedCaches, View,
};
use spice_proto::Limits;
use spice_proto::msg::Message;
use spice_proto::msg::display::{ServerMessage, SurfaceCreate, SurfaceFlags, SurfaceFormat};
use spice_proto::testing::Source;
use spice_proto::types::{Rect, SurfaceId};

use crate::memory::bounded;
use crate::messages::sampled;
use crate::script::records;
use fit::Fit;

/// A canvas draws the same whatever memory it keeps, stays within its bounds, and tells what it changed.
///
/// Input: records as in `script`. Three bits of a record's flags choose: a message moved to one of few small surfaces,
/// in most cases with pictures that can be decoded, a message as it comes, or a new surface.
pub fn canvas(data: &[u8]) {
    // Surfaces, pictures in work and in both caches, and 16 MiB that the pixmap cache grants to other channels.
    let bound = (32 << 20) + 256 * data.len();
    bounded("a canvas", bound, || {
        let mut keeping = small_canvas(|_| {});
        let mut forgetful = small_canvas(|config| {
            config.limits.scratch_bytes = 0;
            config.limits.damage_rects = 1;
        });
        for (flags, content) in records(data) {
            let Some(message) = message(flags, content) else { continue };
            let result = apply_and_watch(&mut keeping, &message);
            assert_eq!(result, forgetful.apply(&message), "{message:?}");
            for id in (0..SURFACES).map(SurfaceId) {
                assert!(are_alike(&keeping, &forgetful, id), "memory shows through: {message:?}");
            }
            // Whoever feeds a canvas stops at an error, and skips a message that waits for another channel.
            if result.is_err() {
                return;
            }
        }
    });
}

/// Surfaces that fitted messages speak of.
const SURFACES: u32 = 4;
/// Longest side of a surface that is made here.
const SIDE: u8 = 48;
/// Bytes of all surfaces of a canvas.
const SURFACE_BYTES: u64 = 1 << 20;

fn small_canvas(change: impl FnOnce(&mut CanvasConfig)) -> Canvas {
    let mut config = CanvasConfig::default();
    config.limits.surface_bytes = SURFACE_BYTES;
    config.limits.surfaces_bytes = SURFACE_BYTES;
    config.limits.image_pixels = 1 << 16;
    config.limits.palettes = 4;
    config.limits.streams = 4;
    // Otherwise most of the time goes into lines that leave the small surfaces by far.
    config.limits.dashes = 1 << 12;
    change(&mut config);
    Canvas::new(config, SharedCaches::new(CacheConfig::new(1 << 16, 1 << 16)))
}

fn message(flags: u8, content: &[u8]) -> Option<ServerMessage> {
    if flags & 3 == 3 {
        let &[id, width, height, format] = content.first_chunk()?;
        return Some(ServerMessage::SurfaceCreate(SurfaceCreate {
            surface_id: SurfaceId(u32::from(id) % SURFACES),
            width: u32::from(width % SIDE) + 1,
            height: u32::from(height % SIDE) + 1,
            format: FORMATS[usize::from(format) % FORMATS.len()],
            flags: SurfaceFlags::from_bits_retain(u32::from(id >> 7)),
        }));
    }
    let (fitting, choices) = content.split_at(content.len().min(FITTING));
    let (kind, body) = sampled::<ServerMessage>(&mut Source::new(choices))?;
    let mut message = ServerMessage::decode(kind, &body, Limits::default().pointers).ok()?;
    if flags & 7 != 6 {
        Fit::new(fitting, flags & 3 != 2).message(&mut message);
    }
    Some(message)
}

const FORMATS: [SurfaceFormat; 6] = [
    SurfaceFormat::XRGB,
    SurfaceFormat::ARGB,
    SurfaceFormat::X555,
    SurfaceFormat::R565,
    SurfaceFormat::A8,
    SurfaceFormat::A1,
];

/// Bytes of a record that fit its message to small surfaces.
const FITTING: usize = 48;

/// Applies a message, and checks that the visible surface changed where the damage is and nowhere else.
fn apply_and_watch(canvas: &mut Canvas, message: &ServerMessage) -> Result<Applied, CanvasError> {
    let before = canvas.primary().map(|view| (view.rect(), shown(canvas)));
    let result = canvas.apply(message);
    let mut replaced = false;
    while let Some(event) = canvas.poll_event() {
        replaced |= matches!(event, Event::PrimaryCreated { .. });
    }
    assert!(canvas.surface_bytes() <= SURFACE_BYTES);
    let damage: Vec<Rect> = canvas.drain_damage().collect();
    let (Some(view), Some((area, before))) = (canvas.primary(), before) else { return result };
    for rect in &damage {
        assert!(!rect.is_empty() && rect.intersect(&view.rect()) == *rect, "damage {rect:?} outside");
    }
    if replaced || area != view.rect() {
        return result;
    }
    let after = shown(canvas);
    let width = area.width() as usize;
    let changed = before.as_chunks::<4>().0.iter().zip(after.as_chunks::<4>().0).enumerate();
    for (at, _) in changed.filter(|(_, (old, new))| old != new) {
        let pixel = Rect::at((at % width) as i32, (at / width) as i32, 1, 1);
        let told = damage.iter().any(|rect| rect.intersect(&pixel) == pixel);
        assert!(told, "{pixel:?} changed without damage: {message:?}");
    }
    result
}

/// What a viewer would show.
fn shown(canvas: &Canvas) -> Vec<u8> {
    let Some(view) = canvas.primary() else { return Vec::new() };
    let mut out = vec![0; view.width() as usize * view.height() as usize * 4];
    let written = view.write_bgrx(view.rect(), &mut out);
    assert_eq!(written, out.len());
    out
}

/// Whether a surface has the same pixels on both canvases; top bytes that mean nothing may differ.
fn are_alike(one: &Canvas, other: &Canvas, id: SurfaceId) -> bool {
    let (one, other) = match (one.view(id), other.view(id)) {
        (Some(one), Some(other)) => (one, other),
        (one, other) => return one.is_none() && other.is_none(),
    };
    let size = |view: &View<'_>| (view.rect(), view.format());
    let without_top = |px: &[u8; 4]| [px[0], px[1], px[2]];
    let are_rows_alike = |y| {
        let (one_row, other_row) = (one.row(y), other.row(y));
        one_row == other_row
            || one.format() == PixelFormat::Bgrx
                && one_row.as_chunks().0.iter().map(without_top).eq(other_row
                    .as_chunks()
                    .0
                    .iter()
                    .map(without_top))
    };
    size(&one) == size(&other) && (0..one.height()).all(are_rows_alike)
}
