//! Images to pixels.

use spice_codecs::bitmap::Format;
use spice_codecs::{
    Codec, CodecError, ErrorKind, Header, Limits, PixelFormat, PixelsMut, RowOrder, glz, jpeg, jpeg_alpha,
    lz, lz4, quic, zlib_glz,
};
use spice_proto::DecodeError;
use spice_proto::msg::display::{Image, ImageData, JpegAlphaFlags};

use crate::picture::Picture;

/// Reads descriptor and payload.
pub(super) fn parse(file: Vec<u8>) -> Result<Image, DecodeError> {
    spice_proto::wire::decode("Image", &file.into(), POINTERS)
}

/// The image's pixels; none if its type needs more than the file.
pub(super) fn picture(image: &Image) -> Result<Option<Picture>, CodecError> {
    let picture = match &image.data {
        ImageData::Quic(data) => {
            let (header, codec) = (quic::header(data)?, Codec::Quic);
            rows(image, header, codec, |dst| quic::Decoder::new().decode(data, dst))
        }
        ImageData::LzRgb(data) => {
            let (header, codec) = (lz::header(data)?, Codec::Lz);
            rows(image, header, codec, |dst| lz::Decoder::new().decode(data, &[], dst))
        }
        ImageData::GlzRgb(data) => {
            let header = glz::header(data)?;
            rows(image, header, Codec::Glz, |dst| {
                alone(glz::Decoder::new().decode_into(data, &mut window(), dst)?)
            })
        }
        ImageData::ZlibGlzRgb(zlib) => rows(image, described(image), Codec::ZlibGlz, |dst| {
            alone(zlib_glz::Decoder::new().decode_into(&zlib.data, zlib.glz_data_size, &mut window(), dst)?)
        }),
        ImageData::Lz4(data) => {
            let mut header = described(image);
            let (_, format) = lz4::header(data)?;
            header.format = if format == Format::Rgba { PixelFormat::Bgra } else { PixelFormat::Bgrx };
            rows(image, header, Codec::Lz4, |dst| lz4::Decoder::new().decode(data, dst))
        }
        ImageData::Jpeg(data) => {
            let header = jpeg::header(data)?;
            rows(image, header, Codec::Jpeg, |dst| jpeg::Decoder::new().decode(data, dst))
        }
        ImageData::JpegAlpha(both) => {
            let data = [&both.jpeg[..], &both.alpha[..]].concat();
            let top_down = both.flags.contains(JpegAlphaFlags::TOP_DOWN);
            let layout = jpeg_alpha::Layout {
                jpeg_size: u32::try_from(both.jpeg.len()).unwrap_or(u32::MAX),
                alpha_rows: if top_down { RowOrder::TopDown } else { RowOrder::BottomUp },
            };
            let header = jpeg_alpha::header(&layout, &data)?;
            rows(image, header, Codec::JpegAlpha, |dst| {
                jpeg_alpha::Decoder::new().decode(&layout, &data, dst)
            })
        }
        _ => return Ok(None),
    };
    picture.map(Some)
}

/// Checks what the payload says of itself, then decodes into fresh rows.
fn rows(
    image: &Image,
    header: Header,
    codec: Codec,
    decode: impl FnOnce(PixelsMut<'_>) -> Result<(), CodecError>,
) -> Result<Picture, CodecError> {
    header.expect(codec, image.width, image.height)?;
    header.check(codec, &Limits::default())?;
    let alpha = header.format == PixelFormat::Bgra;
    let format = if alpha { PixelFormat::Bgra } else { PixelFormat::Bgrx };
    let (width, height) = (image.width, image.height);
    let mut pixels = vec![0; width as usize * height as usize * 4];
    decode(PixelsMut::packed(&mut pixels, width, height, format)?)?;
    Ok(Picture { width, height, alpha, pixels })
}

/// What the descriptor alone says, for payloads that say nothing of their size.
fn described(image: &Image) -> Header {
    let (width, height) = (image.width, image.height);
    Header { width, height, format: PixelFormat::Bgra, rows: RowOrder::TopDown, indexed: false }
}

fn window() -> glz::Window {
    glz::Window::new(glz::WindowLimits::default())
}

/// A file stands alone, so an image that refers to others cannot be finished.
fn alone(progress: glz::Progress) -> Result<(), CodecError> {
    match progress {
        glz::Progress::Done(_) => Ok(()),
        glz::Progress::Waiting(id) => {
            Err(CodecError { codec: Codec::Glz, at: 0, kind: ErrorKind::MissingImage(id) })
        }
    }
}

/// Pointers that an image follows at most: its palette.
const POINTERS: u32 = 4;
