//! Drawing messages from simple wishes.

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::msg::display::{
    Bitmap, BitmapFlags, BitmapFormat, Brush, Clip, CopyBits, DisplayBase, DrawBlackness, DrawCopy, DrawFill,
    DrawInvers, DrawWhiteness, Image, ImageData, ImageFlags, Palette, PaletteSource, QMask, RopDescriptor,
    Rows, ScaleMode, ServerMessage,
};
use crate::testing::scene::font;
use crate::types::{ImageId, PaletteId, Point, Rect, SurfaceId};
use crate::wire::{Array, Counted, Ptr};

/// Collects messages that draw on one surface.
#[derive(Debug)]
pub(super) struct Pen {
    pub(super) surface: SurfaceId,
    pub(super) out: Vec<ServerMessage>,
}

impl Pen {
    pub(super) fn fill(&mut self, area: Rect, clip: Clip, colour: u32) {
        self.out.push(ServerMessage::DrawFill(DrawFill {
            base: self.base(area, clip),
            brush: Brush::Solid(colour),
            rop: RopDescriptor::OP_PUT,
            mask: QMask::default(),
        }));
    }

    /// Draws all of an image with its left top corner at a place.
    pub(super) fn copy(&mut self, at: Point, clip: Clip, image: Image) {
        let (width, height) = (image.width as i32, image.height as i32);
        self.out.push(ServerMessage::DrawCopy(DrawCopy {
            base: self.base(Rect::at(at.x, at.y, width, height), clip),
            src_bitmap: Some(Ptr(image)),
            src_area: Rect::at(0, 0, width, height),
            rop: RopDescriptor::OP_PUT,
            scale_mode: ScaleMode::NEAREST,
            mask: QMask::default(),
        }));
    }

    pub(super) fn copy_bits(&mut self, area: Rect, src_pos: Point) {
        let base = self.base(area, Clip::None);
        self.out.push(ServerMessage::CopyBits(CopyBits { base, src_pos }));
    }

    pub(super) fn blackness(&mut self, area: Rect) {
        let base = self.base(area, Clip::None);
        self.out.push(ServerMessage::DrawBlackness(DrawBlackness { base, mask: QMask::default() }));
    }

    pub(super) fn whiteness(&mut self, area: Rect) {
        let base = self.base(area, Clip::None);
        self.out.push(ServerMessage::DrawWhiteness(DrawWhiteness { base, mask: QMask::default() }));
    }

    pub(super) fn invers(&mut self, area: Rect) {
        let base = self.base(area, Clip::None);
        self.out.push(ServerMessage::DrawInvers(DrawInvers { base, mask: QMask::default() }));
    }

    /// Writes over what is there, by filling a clip that has the letters' form.
    pub(super) fn write(&mut self, at: Point, text: &str, scale: u32, colour: u32) {
        let (width, height) = font::size(text, scale);
        let (columns, rows) = (width as i32, height as i32);
        let is_ink = |x, y| font::ink(text, scale, x, y);
        self.fill(Rect::at(at.x, at.y, columns, rows), runs(at, width, height, is_ink), colour);
    }

    fn base(&self, area: Rect, clip: Clip) -> DisplayBase {
        DisplayBase { surface_id: self.surface, area, clip }
    }
}

/// The clip of those pixels of a block that are wanted, one rectangle for each run in a row.
pub(super) fn runs(at: Point, width: u32, height: u32, wanted: impl Fn(u32, u32) -> bool) -> Clip {
    let mut rects = Vec::new();
    for y in 0..height {
        let mut x = 0;
        while x < width {
            let run = (x..width).take_while(|&x| wanted(x, y)).count() as u32;
            if run > 0 {
                rects.push(Rect::at(at.x + x as i32, at.y + y as i32, run as i32, 1));
            }
            x += run.max(1);
        }
    }
    clip(&rects)
}

/// The clip of some rectangles.
pub(super) fn clip(rects: &[Rect]) -> Clip {
    Clip::Rects(Counted::new(Array::from(rects)).unwrap_or_default())
}

/// A picture of 4 bytes per pixel.
pub(super) fn image32(width: u32, height: u32, colour: impl Fn(u32, u32) -> u32) -> Image {
    let mut bytes = Vec::new();
    for y in 0..height {
        for x in 0..width {
            bytes.extend_from_slice(&colour(x, y).to_le_bytes());
        }
    }
    bitmap((width, height), BitmapFormat::BIT32, BitmapFlags::TOP_DOWN, 4 * width, bytes, None)
}

/// A picture of 3 bytes per pixel with the lowest row first.
pub(super) fn image24(width: u32, height: u32, colour: impl Fn(u32, u32) -> u32) -> Image {
    let stride = (3 * width).next_multiple_of(4);
    let mut bytes = Vec::new();
    for y in (0..height).rev() {
        for x in 0..width {
            let [blue, green, red, _] = colour(x, y).to_le_bytes();
            bytes.extend_from_slice(&[blue, green, red]);
        }
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bitmap((width, height), BitmapFormat::BIT24, BitmapFlags::empty(), stride, bytes, None)
}

/// A picture of 2 bytes per pixel.
pub(super) fn image16(width: u32, height: u32, colour: impl Fn(u32) -> u16) -> Image {
    let stride = (2 * width).next_multiple_of(4);
    let mut bytes = Vec::new();
    for _ in 0..height {
        for x in 0..width {
            bytes.extend_from_slice(&colour(x).to_le_bytes());
        }
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bitmap((width, height), BitmapFormat::BIT16, BitmapFlags::TOP_DOWN, stride, bytes, None)
}

/// An indexed picture of 1, 4 or 8 bits per pixel, the leftmost in the highest bits.
///
/// The formats with the leftmost pixel in the lowest bits are left out: the C client ends itself over them.
pub(super) fn indexed(
    (width, height): (u32, u32),
    format: BitmapFormat,
    palette: PaletteSource,
    index: impl Fn(u32, u32) -> u8,
) -> Image {
    let bits = match format {
        BitmapFormat::BIT1_BE => 1,
        BitmapFormat::BIT4_BE => 4,
        _ => 8,
    };
    let stride = (width * bits).div_ceil(8).next_multiple_of(4);
    let mut bytes = vec![0u8; stride as usize * height as usize];
    for y in 0..height {
        for x in 0..width {
            let (byte, within) = ((x * bits / 8) as usize, x * bits % 8);
            bytes[stride as usize * y as usize + byte] |= index(x, y) << (8 - bits - within);
        }
    }
    bitmap((width, height), format, BitmapFlags::TOP_DOWN, stride, bytes, Some(palette))
}

/// A line of text of 1 bit per pixel.
pub(super) fn text(text: &str, scale: u32, palette: PaletteSource) -> Image {
    let size = font::size(text, scale);
    indexed(size, BitmapFormat::BIT1_BE, palette, |x, y| font::ink(text, scale, x, y).into())
}

/// A palette that travels with its image.
pub(super) fn palette(colours: impl IntoIterator<Item = u32>) -> PaletteSource {
    named_palette(PaletteId(0), colours)
}

/// A palette that may be kept under a name.
pub(super) fn named_palette(unique: PaletteId, colours: impl IntoIterator<Item = u32>) -> PaletteSource {
    let entries = Counted::new(colours.into_iter().collect()).unwrap_or_default();
    PaletteSource::Inline(Ptr(Palette { unique, entries }))
}

/// The image with its palette to be kept.
pub(super) fn keep_palette(mut image: Image) -> Image {
    if let ImageData::Bitmap(bitmap) = &mut image.data {
        bitmap.flags |= BitmapFlags::PAL_CACHE_ME;
    }
    image
}

/// The image, to be kept under a name.
pub(super) fn keep(id: ImageId, image: Image) -> Image {
    Image { id, flags: ImageFlags::CACHE_ME, ..image }
}

/// An image that takes its pixels from elsewhere.
pub(super) fn reference(id: ImageId, width: u32, height: u32, data: ImageData) -> Image {
    Image { id, flags: ImageFlags::empty(), width, height, data }
}

fn bitmap(
    (width, height): (u32, u32),
    format: BitmapFormat,
    flags: BitmapFlags,
    stride: u32,
    bytes: Vec<u8>,
    palette: Option<PaletteSource>,
) -> Image {
    // INVARIANT: every caller makes rows of the stride that it names.
    let rows = Rows::new(height, stride, Bytes::from(bytes)).unwrap_or_default();
    let data = ImageData::Bitmap(Bitmap { format, flags, width, palette, rows });
    reference(ImageId(0), width, height, data)
}
