//! Fits generated messages to a small world, where they meet each other.

use bytes::Bytes;
use spice_codecs::bitmap::{self, Format};
use spice_codecs::{RowOrder, lz, quic};
use spice_proto::msg::display::{
    Bitmap, BitmapFlags, BitmapFormat, Brush, Clip, DisplayBase, Image, ImageData, ImageFlags, Palette,
    PaletteSource, Pattern, QMask, Rows, ServerMessage,
};
use spice_proto::testing::Source;
use spice_proto::types::{ImageId, PaletteId, Rect, SurfaceId};
use spice_proto::wire::{Blob, Counted, Ptr};

/// Choices for one message.
pub(super) struct Fit<'a> {
    source: Source<'a>,
    bytes: &'a [u8],
    /// Whether pictures are replaced by some that can be decoded.
    pictures: bool,
}

impl<'a> Fit<'a> {
    pub(super) fn new(bytes: &'a [u8], pictures: bool) -> Self {
        Self { source: Source::new(bytes), bytes, pictures }
    }

    /// Moves the message to one of few small surfaces.
    pub(super) fn message(&mut self, message: &mut ServerMessage) {
        match message {
            ServerMessage::CopyBits(m) => {
                self.base(&mut m.base);
                let from = self.rect();
                (m.src_pos.x, m.src_pos.y) = (from.left, from.top);
            }
            ServerMessage::DrawFill(m) => {
                self.base(&mut m.base);
                self.brush(&mut m.brush);
                self.mask(&mut m.mask);
            }
            ServerMessage::DrawOpaque(m) => {
                self.base(&mut m.base);
                self.source(&mut m.src_bitmap, &mut m.src_area);
                self.brush(&mut m.brush);
                self.mask(&mut m.mask);
            }
            ServerMessage::DrawCopy(m) => {
                self.base(&mut m.base);
                self.source(&mut m.src_bitmap, &mut m.src_area);
                self.mask(&mut m.mask);
            }
            ServerMessage::DrawBlend(m) => {
                self.base(&mut m.base);
                self.source(&mut m.src_bitmap, &mut m.src_area);
                self.mask(&mut m.mask);
            }
            ServerMessage::DrawBlackness(m) => {
                self.base(&mut m.base);
                self.mask(&mut m.mask);
            }
            ServerMessage::DrawWhiteness(m) => {
                self.base(&mut m.base);
                self.mask(&mut m.mask);
            }
            ServerMessage::DrawInvers(m) => {
                self.base(&mut m.base);
                self.mask(&mut m.mask);
            }
            ServerMessage::DrawRop3(m) => {
                self.base(&mut m.base);
                self.source(&mut m.src_bitmap, &mut m.src_area);
                self.brush(&mut m.brush);
                self.mask(&mut m.mask);
            }
            ServerMessage::DrawStroke(m) => {
                self.base(&mut m.base);
                self.brush(&mut m.brush);
            }
            ServerMessage::DrawText(m) => {
                self.base(&mut m.base);
                m.back_area = self.rect();
                self.brush(&mut m.fore_brush);
                self.brush(&mut m.back_brush);
            }
            ServerMessage::DrawTransparent(m) => {
                self.base(&mut m.base);
                self.source(&mut m.src_bitmap, &mut m.src_area);
            }
            ServerMessage::DrawAlphaBlend(m) => {
                self.base(&mut m.base);
                self.source(&mut m.src_bitmap, &mut m.src_area);
            }
            ServerMessage::DrawComposite(m) => {
                self.base(&mut m.base);
                self.image(&mut m.composite.src_bitmap);
                self.image(&mut m.composite.mask_bitmap);
            }
            ServerMessage::SurfaceCreate(m) => {
                (m.surface_id, m.width, m.height) = (self.surface(), self.side(), self.side());
            }
            // Few, or there is nothing to draw on.
            ServerMessage::SurfaceDestroy(m) if m.surface_id.0 & 7 != 0 => m.surface_id = SurfaceId(3),
            ServerMessage::Mode(m) => (m.x_res, m.y_res) = (self.side(), self.side()),
            ServerMessage::StreamCreate(m) => {
                m.surface_id = self.surface();
                m.dest = self.rect();
                self.clip(&mut m.clip);
            }
            _ => {}
        }
    }

    /// Mostly the one that is visible as a rule.
    fn surface(&mut self) -> SurfaceId {
        let choice = u32::from(self.source.byte());
        SurfaceId(if choice & 12 == 0 { choice % super::SURFACES } else { 0 })
    }

    fn side(&mut self) -> u32 {
        u32::from(self.source.byte() % super::SIDE).max(20)
    }

    /// A rectangle that mostly overlaps a surface and sometimes lies outside or is inverted.
    fn rect(&mut self) -> Rect {
        let mut next = |bound, offset: i32| self.source.below(bound) as i32 - offset;
        let (left, top) = (next(32, 8), next(32, 8));
        Rect::at(left, top, next(48, 1), next(48, 1))
    }

    fn base(&mut self, base: &mut DisplayBase) {
        base.surface_id = self.surface();
        base.area = self.rect();
        self.clip(&mut base.clip);
    }

    fn clip(&mut self, clip: &mut Clip) {
        // Most generated lists clip everything away.
        if self.source.byte() & 3 != 0 {
            *clip = Clip::None;
        }
        if let Clip::Rects(rects) = clip {
            let fitted = rects.iter().map(|_| self.rect()).collect();
            *rects = Counted::new(fitted).unwrap_or_default();
        }
    }

    fn source(&mut self, image: &mut Option<Ptr<Image>>, area: &mut Rect) {
        self.image(image);
        *area = match (image, self.source.byte() & 3) {
            (Some(Ptr(image)), 1..) => {
                Rect::at(0, 0, image.width.min(64) as i32, image.height.min(64) as i32)
            }
            _ => self.rect(),
        };
    }

    fn brush(&mut self, brush: &mut Brush) {
        if let Brush::Pattern(Pattern { image, pos }) = brush {
            image.0 = self.fitted(&image.0);
            let from = self.rect();
            (pos.x, pos.y) = (from.left, from.top);
        }
    }

    fn mask(&mut self, mask: &mut QMask) {
        if self.source.byte() & 3 != 0 {
            mask.bitmap = None;
        }
        self.image(&mut mask.bitmap);
        let from = self.rect();
        (mask.pos.x, mask.pos.y) = (from.left, from.top);
    }

    fn image(&mut self, image: &mut Option<Ptr<Image>>) {
        if let Some(Ptr(image)) = image {
            *image = self.fitted(image);
        }
    }

    /// A picture that can be decoded, or that may be in the cache, in the place of another.
    fn fitted(&mut self, image: &Image) -> Image {
        if !self.pictures {
            return image.clone();
        }
        let kind = self.source.byte();
        let (width, height) = (self.source.below(40) as u32 + 1, self.source.below(40) as u32 + 1);
        let id = ImageId(u64::from(kind >> 5));
        let data = match kind & 7 {
            0 => ImageData::Quic(
                self.encoded(width, height, |bitmap, out| quic::Encoder::new().encode(bitmap, out)),
            ),
            1 => ImageData::LzRgb(
                self.encoded(width, height, |bitmap, out| lz::Encoder::new().encode(bitmap, out)),
            ),
            2 => ImageData::Surface(self.surface()),
            3 => ImageData::FromCache,
            4 => ImageData::FromCacheLossless,
            _ => ImageData::Bitmap(self.bitmap(width, height)),
        };
        let flags = ImageFlags::from_bits_retain(self.source.byte() & 7);
        Image { id, flags, width, height, data }
    }

    fn encoded(
        &mut self,
        width: u32,
        height: u32,
        encode: impl FnOnce(&bitmap::Bitmap<'_>, &mut Vec<u8>) -> Result<(), spice_codecs::CodecError>,
    ) -> Blob<u32> {
        let alpha = self.source.byte() & 1 != 0;
        let format = if alpha { Format::Rgba } else { Format::Bit32 };
        let rows = RowOrder::TopDown;
        let layout = bitmap::Layout { format, width, height, stride: 4 * width, rows };
        let bytes = self.rows(4 * width as usize * height as usize);
        let mut out = Vec::new();
        let picture = bitmap::Bitmap::new(layout, &bytes).expect("rows are long enough");
        encode(&picture, &mut out).expect("small pictures");
        Blob::new(Bytes::from(out)).expect("small pictures")
    }

    fn bitmap(&mut self, width: u32, height: u32) -> Bitmap {
        let number = self.source.byte() % 10 + 1;
        let format = Format::from_wire(number).expect("1 to 10");
        let stride = format.row_bytes(width) as u32 + u32::from(self.source.byte() & 3);
        let flags = BitmapFlags::from_bits_retain(self.source.byte() & 5);
        let palette = (number <= 5 && self.source.byte() & 1 == 0).then(|| self.palette());
        let bytes = self.rows(stride as usize * height as usize);
        let rows = Rows::new(height, stride, bytes.into()).expect("as many bytes");
        Bitmap { format: BitmapFormat(number), flags, width, palette, rows }
    }

    fn palette(&mut self) -> PaletteSource {
        let choice = self.source.byte();
        let unique = PaletteId(u64::from(choice >> 5));
        if choice & 1 == 0 {
            return PaletteSource::Cached(unique);
        }
        let entries = (0..u32::from(choice)).map(|index| index * 0x0101_0101).collect();
        PaletteSource::Inline(Ptr(Palette { unique, entries: Counted::new(entries).expect("at most 255") }))
    }

    /// Bytes of rows, which repeat what the choices are made from.
    fn rows(&self, len: usize) -> Vec<u8> {
        self.bytes.iter().copied().cycle().chain(std::iter::repeat(0)).take(len).collect()
    }
}
