//! All codecs behind one face, and pictures to try them on.

mod film;
pub mod pictures;

use spice_codecs::bitmap::Bitmap;
use spice_codecs::glz::{Progress, Window, WindowLimits};
use spice_codecs::{PixelFormat, PixelsMut, glz, jpeg, jpeg_alpha, lz, lz4, quic, zlib_glz};

pub use self::film::Film;
pub use self::pictures::Picture;

/// A codec, as the names of results have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodecName {
    /// QUIC.
    Quic,
    /// LZ.
    Lz,
    /// GLZ, one picture in a window of its own.
    Glz,
    /// ZLIB_GLZ, likewise.
    ZlibGlz,
    /// LZ4.
    Lz4,
    /// JPEG of quality 85.
    Jpeg,
    /// JPEG_ALPHA of quality 85.
    JpegAlpha,
}

/// All codecs.
pub const CODECS: [CodecName; 7] = [
    CodecName::Quic,
    CodecName::Lz,
    CodecName::Glz,
    CodecName::ZlibGlz,
    CodecName::Lz4,
    CodecName::Jpeg,
    CodecName::JpegAlpha,
];

impl CodecName {
    /// Whether a picture of this kind is ever sent so.
    pub fn takes(self, picture: &Picture) -> bool {
        match self {
            CodecName::Jpeg => !picture.alpha,
            CodecName::JpegAlpha => picture.alpha,
            _ => true,
        }
    }
}

/// An encoded picture with the fields that its descriptor has.
#[derive(Default)]
pub struct Payload {
    /// The bytes behind the descriptor.
    pub data: Vec<u8>,
    glz_size: u32,
    jpeg_alpha: Option<jpeg_alpha::Layout>,
}

/// An encoder of any codec.
pub struct Encoder(AnyEncoder);

enum AnyEncoder {
    Quic(quic::Encoder),
    Lz(lz::Encoder),
    Glz,
    ZlibGlz(Box<zlib_glz::Encoder>, Vec<u8>),
    Lz4(lz4::Encoder),
    Jpeg(jpeg::Encoder),
    JpegAlpha(jpeg_alpha::Encoder),
}

/// What servers use.
const QUALITY: u8 = 85;
/// Room for a 4K picture.
const WINDOW: u64 = 1 << 24;

impl Encoder {
    /// A fresh one.
    pub fn new(codec: CodecName) -> Self {
        Self(match codec {
            CodecName::Quic => AnyEncoder::Quic(quic::Encoder::new()),
            CodecName::Lz => AnyEncoder::Lz(lz::Encoder::new()),
            CodecName::Glz => AnyEncoder::Glz,
            CodecName::ZlibGlz => AnyEncoder::ZlibGlz(Box::new(zlib_glz::Encoder::new()), Vec::new()),
            CodecName::Lz4 => AnyEncoder::Lz4(lz4::Encoder::new()),
            CodecName::Jpeg => AnyEncoder::Jpeg(jpeg::Encoder::new()),
            CodecName::JpegAlpha => AnyEncoder::JpegAlpha(jpeg_alpha::Encoder::new()),
        })
    }

    /// Encodes into the memory of an earlier payload.
    ///
    /// # Panics
    /// When the codec does not take the picture.
    pub fn encode(&mut self, bitmap: &Bitmap<'_>, payload: &mut Payload) {
        let out = &mut payload.data;
        out.clear();
        match &mut self.0 {
            AnyEncoder::Quic(encoder) => encoder.encode(bitmap, out).unwrap(),
            AnyEncoder::Lz(encoder) => encoder.encode(bitmap, out).unwrap(),
            // A new window each time, so that the picture does not refer to itself.
            AnyEncoder::Glz => _ = glz::Encoder::new(WINDOW).encode(bitmap, out).unwrap(),
            AnyEncoder::ZlibGlz(encoder, stream) => {
                stream.clear();
                glz::Encoder::new(WINDOW).encode(bitmap, stream).unwrap();
                payload.glz_size = stream.len() as u32;
                encoder.encode(stream, out);
            }
            AnyEncoder::Lz4(encoder) => encoder.encode(bitmap, out).unwrap(),
            AnyEncoder::Jpeg(encoder) => encoder.encode(bitmap, QUALITY, out).unwrap(),
            AnyEncoder::JpegAlpha(encoder) => {
                payload.jpeg_alpha = Some(encoder.encode(bitmap, QUALITY, out).unwrap());
            }
        }
    }
}

/// A decoder of any codec.
pub struct Decoder(AnyDecoder);

enum AnyDecoder {
    Quic(quic::Decoder),
    Lz(lz::Decoder),
    /// With the next id, and the stream whose header it goes into.
    Glz(glz::Decoder, Window, u64, Vec<u8>),
    ZlibGlz(zlib_glz::Decoder, Window),
    Lz4(lz4::Decoder),
    Jpeg(jpeg::Decoder),
    JpegAlpha(jpeg_alpha::Decoder),
}

impl Decoder {
    /// A fresh one.
    pub fn new(codec: CodecName) -> Self {
        let window = || Window::new(WindowLimits::for_window(WINDOW));
        Self(match codec {
            CodecName::Quic => AnyDecoder::Quic(quic::Decoder::new()),
            CodecName::Lz => AnyDecoder::Lz(lz::Decoder::new()),
            CodecName::Glz => AnyDecoder::Glz(glz::Decoder::new(), window(), 0, Vec::new()),
            CodecName::ZlibGlz => AnyDecoder::ZlibGlz(zlib_glz::Decoder::new(), window()),
            CodecName::Lz4 => AnyDecoder::Lz4(lz4::Decoder::new()),
            CodecName::Jpeg => AnyDecoder::Jpeg(jpeg::Decoder::new()),
            CodecName::JpegAlpha => AnyDecoder::JpegAlpha(jpeg_alpha::Decoder::new()),
        })
    }

    /// GLZ pictures go into the window only, where a canvas takes them from; the others into `memory`.
    ///
    /// # Panics
    /// When the payload is damaged.
    pub fn decode(&mut self, picture: &Picture, payload: &Payload, memory: &mut [u8]) {
        self.decode_padded(picture, payload, memory, 0);
    }

    /// As [`decode`](Self::decode), with so many bytes between the rows.
    ///
    /// # Panics
    /// When the payload is damaged or `memory` too short.
    pub fn decode_padded(&mut self, picture: &Picture, payload: &Payload, memory: &mut [u8], padding: usize) {
        let (width, height) = (picture.width, picture.height);
        let format = if picture.alpha { PixelFormat::Bgra } else { PixelFormat::Bgrx };
        let stride = width as usize * 4 + padding;
        let dst = PixelsMut::new(memory, width, height, stride, format).unwrap();
        let data = &payload.data;
        match &mut self.0 {
            AnyDecoder::Quic(decoder) => decoder.decode(data, dst).unwrap(),
            AnyDecoder::Lz(decoder) => decoder.decode(data, &[], dst).unwrap(),
            AnyDecoder::Glz(decoder, window, id, stream) => {
                // Each image lets go of the one before, as in a long session. The id lies behind type and sizes.
                if stream.is_empty() {
                    stream.clone_from(data);
                }
                stream[21..29].copy_from_slice(&id.to_be_bytes());
                *id += 1;
                assert!(matches!(decoder.decode(stream, window), Ok(Progress::Done(_))));
            }
            AnyDecoder::ZlibGlz(decoder, window) => {
                window.reset();
                let progress = decoder.decode(data, payload.glz_size, (width, height), window);
                assert!(matches!(progress, Ok(Progress::Done(_))));
            }
            AnyDecoder::Lz4(decoder) => decoder.decode(data, dst).unwrap(),
            AnyDecoder::Jpeg(decoder) => decoder.decode(data, dst).unwrap(),
            AnyDecoder::JpegAlpha(decoder) => {
                decoder.decode(payload.jpeg_alpha.as_ref().unwrap(), data, dst).unwrap();
            }
        }
    }
}
