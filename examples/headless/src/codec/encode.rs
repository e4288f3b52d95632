//! Pixels to images.

use bytes::Bytes;
use spice_codecs::bitmap::{Bitmap, Format, Layout};
use spice_codecs::{CodecError, RowOrder, glz, jpeg, jpeg_alpha, lz, lz4, quic, zlib_glz};
use spice_proto::msg::display::{Image, ImageData, ImageFlags, JpegAlpha, JpegAlphaFlags, ZlibGlz};
use spice_proto::types::ImageId;
use spice_proto::wire::Blob;

use super::CodecName;
use crate::error::Error;
use crate::picture::Picture;

/// The picture in the given form. Forms without alpha drop it.
pub(super) fn image(codec: CodecName, quality: u8, picture: &Picture) -> Result<Image, Error> {
    let alpha = picture.alpha || codec == CodecName::JpegAlpha;
    let layout = Layout {
        format: if alpha { Format::Rgba } else { Format::Bit32 },
        width: picture.width,
        height: picture.height,
        stride: picture.width.saturating_mul(4),
        rows: RowOrder::TopDown,
    };
    let bitmap = Bitmap::new(layout, &picture.pixels)?;
    let data = match codec {
        CodecName::Quic => ImageData::Quic(payload(|out| quic::Encoder::new().encode(&bitmap, out))?),
        CodecName::Lz => ImageData::LzRgb(payload(|out| lz::Encoder::new().encode(&bitmap, out))?),
        CodecName::Glz => ImageData::GlzRgb(payload(|out| glz(&bitmap, out))?),
        CodecName::ZlibGlz => {
            let mut inner = Vec::new();
            glz(&bitmap, &mut inner)?;
            let data = payload(|out| {
                zlib_glz::Encoder::new().encode(&inner, out);
                Ok(())
            })?;
            ImageData::ZlibGlzRgb(ZlibGlz {
                glz_data_size: u32::try_from(inner.len()).unwrap_or(u32::MAX),
                data,
            })
        }
        CodecName::Lz4 => ImageData::Lz4(payload(|out| lz4::Encoder::new().encode(&bitmap, out))?),
        CodecName::Jpeg => {
            ImageData::Jpeg(payload(|out| jpeg::Encoder::new().encode(&bitmap, quality, out))?)
        }
        CodecName::JpegAlpha => {
            let mut both = Vec::new();
            let layout = jpeg_alpha::Encoder::new().encode(&bitmap, quality, &mut both)?;
            let mut jpeg = Bytes::from(both);
            let alpha = jpeg.split_off(layout.jpeg_size as usize);
            ImageData::JpegAlpha(JpegAlpha { flags: JpegAlphaFlags::TOP_DOWN, jpeg, alpha })
        }
    };
    let (width, height) = (picture.width, picture.height);
    Ok(Image { id: ImageId(1), flags: ImageFlags::empty(), width, height, data })
}

/// One image that refers to no other, since the file stands alone.
fn glz(bitmap: &Bitmap<'_>, out: &mut Vec<u8>) -> Result<(), CodecError> {
    let pixels = u64::from(bitmap.layout().width) * u64::from(bitmap.layout().height);
    // A window takes only pictures smaller than itself.
    glz::Encoder::new(pixels + 1).encode(bitmap, out).map(|_| ())
}

fn payload(encode: impl FnOnce(&mut Vec<u8>) -> Result<(), CodecError>) -> Result<Blob<u32>, Error> {
    let mut out = Vec::new();
    encode(&mut out)?;
    Ok(Blob::new(out.into())?)
}
