//! How an image is decoded: what is checked before it costs memory, and in which format.

use spice_codecs::{Codec, Header, PixelFormat, RowOrder, bitmap, jpeg, jpeg_alpha, lz, lz4, quic};
use spice_proto::msg::display::{BitmapFlags, BitmapFormat, Image, ImageData, JpegAlphaFlags};

use super::Purpose;
use super::kind::{is_cached, needs_high_bits};
use crate::canvas::config::CanvasLimits;
use crate::canvas::outcome::Reason;
use crate::canvas::surface::View;

/// How an image is going to be decoded; everything checked that can be before spending memory.
pub(super) struct Plan<'a> {
    pub(super) payload: Payload<'a>,
    pub(super) header: Header,
    /// The format that the picture has, in the canvas's sense.
    pub(super) native: PixelFormat,
    /// The format to ask of the decoder.
    pub(super) target: PixelFormat,
}

pub(super) enum Payload<'a> {
    Bitmap(bitmap::Layout, &'a [u8]),
    Quic(&'a [u8]),
    Lz(&'a [u8]),
    Lz4(&'a [u8]),
    Jpeg(&'a [u8]),
    /// Both parts in one buffer, as the decoder wants them.
    JpegAlpha(jpeg_alpha::Layout, Vec<u8>),
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        image: &'a Image,
        purpose: Purpose,
        to: PixelFormat,
        limits: &CanvasLimits,
    ) -> Result<Self, Reason> {
        let (payload, codec, header) = match &image.data {
            ImageData::Bitmap(bitmap) => {
                let layout = bitmap::Layout {
                    format: bitmap::Format::from_wire(bitmap.format.0)?,
                    width: bitmap.width,
                    height: bitmap.rows.count(),
                    stride: bitmap.rows.stride(),
                    rows: RowOrder::from_top_down(bitmap.flags.contains(BitmapFlags::TOP_DOWN)),
                };
                let data = bitmap.rows.bytes();
                (Payload::Bitmap(layout, data), Codec::Bitmap, bitmap::header(&layout, data)?)
            }
            ImageData::Quic(data) => (Payload::Quic(data), Codec::Quic, quic::header(data)?),
            ImageData::LzRgb(data) => (Payload::Lz(data), Codec::Lz, lz::header(data)?),
            ImageData::LzPlt(plt) => (Payload::Lz(&plt.data), Codec::Lz, lz::header(&plt.data)?),
            ImageData::Lz4(data) => {
                let (rows, format) = lz4::header(data)?;
                let native = match format {
                    bitmap::Format::Bit16 => PixelFormat::Rgb555,
                    bitmap::Format::Rgba => PixelFormat::Bgra,
                    bitmap::Format::Bit8A => PixelFormat::A8,
                    _ => PixelFormat::Bgrx,
                };
                let (width, height) = (image.width, image.height);
                let header = Header { width, height, format: native, rows, indexed: false };
                (Payload::Lz4(data), Codec::Lz4, header)
            }
            ImageData::Jpeg(data) => (Payload::Jpeg(data), Codec::Jpeg, jpeg::header(data)?),
            ImageData::JpegAlpha(parts) => {
                let top_down = parts.flags.contains(JpegAlphaFlags::TOP_DOWN);
                let layout = jpeg_alpha::Layout {
                    jpeg_size: u32::try_from(parts.jpeg.len()).unwrap_or(u32::MAX),
                    alpha_rows: RowOrder::from_top_down(top_down),
                };
                let data = [&parts.jpeg[..], &parts.alpha[..]].concat();
                let header = jpeg_alpha::header(&layout, &data)?;
                (Payload::JpegAlpha(layout, data), Codec::JpegAlpha, header)
            }
            other => return Err(Reason::ImageType(other.kind())),
        };
        header.expect(codec, image.width, image.height)?;
        header.check(codec, &codec_limits(limits))?;
        if matches!(payload, Payload::Lz(_)) && header.indexed != matches!(image.data, ImageData::LzPlt(_)) {
            return Err(Reason::Unsupported("LZ image type in this kind of image"));
        }
        if purpose == Purpose::Mask {
            let one_bit = matches!(&image.data, ImageData::Bitmap(b) if b.palette.is_none()
                && matches!(b.format, BitmapFormat::BIT1_LE | BitmapFormat::BIT1_BE));
            let (native, target) = (PixelFormat::A1, PixelFormat::A8);
            return if one_bit {
                Ok(Self { payload, header, native, target })
            } else {
                Err(Reason::MaskFormat)
            };
        }
        if header.indexed && to == PixelFormat::A1 {
            return Err(Reason::Unsupported("palette picture on a surface of 1 bit"));
        }
        let (native, target) = match (header.indexed, to) {
            // The entries are whole pixels. Only of pictures to be cached do all commands take the top byte for
            // alpha; such is the server's way.
            (true, PixelFormat::Bgra) if !is_cached(image) => (PixelFormat::Bgrx, PixelFormat::Bgra),
            (true, _) => (to, to),
            // Decoders fill the byte that a picture without alpha lacks, if it is asked for.
            _ if needs_high_bits(image, header.format) => (header.format, PixelFormat::Bgra),
            _ => (header.format, header.format),
        };
        Ok(Self { payload, header, native, target })
    }

    /// Whether the pixels stand in the message as they are needed.
    pub(super) fn is_raw(&self) -> bool {
        self.native == self.target && matches!(self.payload, Payload::Bitmap(..))
    }
}

/// The pixels of a bitmap that needs no decoding.
pub(super) fn message_view(image: &Image) -> Option<View<'_>> {
    let ImageData::Bitmap(bitmap) = &image.data else { return None };
    let format = match bitmap.format {
        BitmapFormat::BIT16 => PixelFormat::Rgb555,
        BitmapFormat::BIT32 => PixelFormat::Bgrx,
        BitmapFormat::RGBA => PixelFormat::Bgra,
        BitmapFormat::BIT8_A => PixelFormat::A8,
        _ => return None,
    };
    let view = View::packed(bitmap.rows.bytes(), bitmap.width, bitmap.rows.count(), format);
    let stride = usize::try_from(bitmap.rows.stride()).ok()?;
    Some(View { stride, bottom_up: !bitmap.flags.contains(BitmapFlags::TOP_DOWN), ..view })
}

pub(super) fn stands_in_memory(format: BitmapFormat) -> bool {
    matches!(format, BitmapFormat::BIT16 | BitmapFormat::BIT32 | BitmapFormat::RGBA | BitmapFormat::BIT8_A)
}

fn codec_limits(limits: &CanvasLimits) -> spice_codecs::Limits {
    let mut bounds = spice_codecs::Limits::default();
    (bounds.max_side, bounds.max_pixels) = (limits.image_side, limits.image_pixels);
    bounds
}
