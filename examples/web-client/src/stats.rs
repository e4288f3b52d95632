//! Counts of what a session does, for the page to show.

use spice_proto::msg::display::{Image, ImageData, ServerMessage};

/// Names of the kinds of pictures, in the order of [`Stats::images`].
pub const KINDS: [&str; 10] =
    ["bitmap", "quic", "lz", "glz", "zlib-glz", "jpeg", "lz4", "cache", "surface", "video"];

/// What has been counted since the session began.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Frames that were shown.
    pub frames: u64,
    /// Pixels of all rectangles that were shown.
    pub pixels: u64,
    /// Display messages.
    pub messages: u64,
    /// Milliseconds in decoding and drawing.
    pub draw_ms: f64,
    /// Milliseconds in bringing pixels to the screen.
    pub show_ms: f64,
    /// Milliseconds from a key or button to the next change on the screen, smoothed; 0 before the first.
    pub answer_ms: f64,
    /// Frames of videos that came too late, or were too many, and were not shown; those that were are among the pictures.
    pub dropped: u64,
    /// Pictures by kind; see [`KINDS`].
    pub images: [u64; KINDS.len()],
}

impl Stats {
    /// Counts a message.
    pub fn count(&mut self, message: &ServerMessage) {
        self.messages += 1;
        let image = match message {
            ServerMessage::DrawCopy(m) => m.src_bitmap.as_deref(),
            ServerMessage::DrawOpaque(m) => m.src_bitmap.as_deref(),
            ServerMessage::DrawBlend(m) => m.src_bitmap.as_deref(),
            ServerMessage::DrawTransparent(m) => m.src_bitmap.as_deref(),
            ServerMessage::DrawAlphaBlend(m) => m.src_bitmap.as_deref(),
            ServerMessage::StreamData(_) | ServerMessage::StreamDataSized(_) => {
                self.images[KINDS.len() - 1] += 1;
                None
            }
            _ => None,
        };
        if let Some(slot) = image.map(kind).and_then(|kind| self.images.get_mut(kind)) {
            *slot += 1;
        }
    }

    /// Takes in the time from an input to the screen's answer.
    pub fn answered(&mut self, ms: f64) {
        self.answer_ms = if self.answer_ms > 0.0 { self.answer_ms * 0.8 + ms * 0.2 } else { ms };
    }
}

/// Index into [`KINDS`].
fn kind(image: &Image) -> usize {
    match image.data {
        ImageData::Bitmap(_) => 0,
        ImageData::Quic(_) => 1,
        ImageData::LzPlt(_) | ImageData::LzRgb(_) => 2,
        ImageData::GlzRgb(_) => 3,
        ImageData::ZlibGlzRgb(_) => 4,
        ImageData::Jpeg(_) | ImageData::JpegAlpha(_) => 5,
        ImageData::Lz4(_) => 6,
        ImageData::FromCache | ImageData::FromCacheLossless => 7,
        ImageData::Surface(_) => 8,
    }
}
