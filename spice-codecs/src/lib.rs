//! Image codecs of the SPICE remote desktop protocol, both directions.
//!
//! A SPICE server sends pictures in a handful of formats, most of them its own. This crate turns each of them into
//! pixels and makes them from pixels. It knows pixels and bytes, no messages: what a message's descriptor says beside
//! the data (a size, a palette, a flag) is passed in.
//!
//! | module | image type | codec |
//! |---|---|---|
//! | [`bitmap`] | BITMAP | none: rows of 1 to 32 bits per pixel |
//! | [`quic`] | QUIC | prediction and adaptive Golomb-Rice codes |
//! | [`lz`] | LZ_RGB, LZ_PLT | matches of pixels |
//! | [`glz`] | GLZ_RGB | matches of pixels, also of earlier images |
//! | [`zlib_glz`] | ZLIB_GLZ_RGB | a zlib stream around GLZ |
//! | [`lz4`] | LZ4 | LZ4 blocks |
//! | [`jpeg`] | JPEG, and frames of MJPEG streams | JPEG files |
//! | [`jpeg_alpha`] | JPEG_ALPHA | a JPEG file and an LZ alpha plane |
//!
//! # The common shape
//!
//! Decoding takes three steps, so that nobody reserves memory because a peer said so:
//!
//! 1. `header(data)` reads what the payload says about itself: a [`Header`], for the price of a few bytes.
//! 2. The caller compares it with the image descriptor ([`Header::expect`]) and with its bounds ([`Header::check`]),
//!    and allocates, or picks a rectangle of a surface that it has.
//! 3. `Decoder::decode(data, destination)` writes the pixels into a [`PixelsMut`]: rows with any stride, always top
//!    row first, in the format that the caller wants. Row order and pixel format are resolved on the way.
//!
//! Decoders own their scratch memory. Keep one per channel: from the second picture on, decoding allocates nothing
//! (the JPEG library excepted).
//!
//! ```
//! use spice_codecs::bitmap::{Bitmap, Format, Layout};
//! use spice_codecs::{Codec, CodecError, Limits, PixelFormat, PixelsMut, RowOrder, quic};
//!
//! /// Decodes a QUIC picture of a descriptor's size into 32-bit pixels.
//! fn decode(decoder: &mut quic::Decoder, data: &[u8], size: (u32, u32)) -> Result<Vec<u8>, CodecError> {
//!     let header = quic::header(data)?;
//!     header.expect(Codec::Quic, size.0, size.1)?;
//!     header.check(Codec::Quic, &Limits::default())?;
//!     let mut pixels = vec![0; header.pixels() as usize * 4];
//!     let destination = PixelsMut::packed(&mut pixels, header.width, header.height, PixelFormat::Bgrx)?;
//!     decoder.decode(data, destination)?;
//!     Ok(pixels)
//! }
//!
//! // Two by two pixels, bottom row first.
//! let rows = [9, 9, 9, 0, 8, 8, 8, 0, 1, 2, 3, 0, 4, 5, 6, 0];
//! let layout =
//!     Layout { format: Format::Bit32, width: 2, height: 2, stride: 8, rows: RowOrder::BottomUp };
//! let mut stream = Vec::new();
//! quic::Encoder::new().encode(&Bitmap::new(layout, &rows)?, &mut stream)?;
//!
//! let pixels = decode(&mut quic::Decoder::new(), &stream, (2, 2))?;
//! assert_eq!(pixels, [1, 2, 3, 0, 4, 5, 6, 0, 9, 9, 9, 0, 8, 8, 8, 0]);
//! # Ok::<(), CodecError>(())
//! ```
//!
//! # Pixels
//!
//! Bytes are b, g, r, and a fourth one; alpha is premultiplied. Pictures without alpha decode into
//! [`Bgrx`](PixelFormat::Bgrx) with a fourth byte of 0 (uncompressed and LZ4 pictures keep theirs) and into
//! [`Bgra`](PixelFormat::Bgra) with 255, which is what the image flag HIGH_BITS_SET asks for. Palette entries are
//! copied raw. Old content of a destination never influences the result; padding between rows is never touched.
//!
//! # Hostile peers
//!
//! Whatever the data, a decoder ends in pixels or in a [`CodecError`] with a byte position, in time and memory bounded
//! by the size of the data and of the destination. After an error the destination holds unspecified pixels. An image
//! that cannot be decoded is one picture lost, except for GLZ, where later images depend on it.
//!
//! The crate is `no_std` with `alloc` and free of unsafe code. The feature `simd` lets the JPEG decoder use vector
//! instructions that it finds at run time; it needs `std`.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;

pub mod bitmap;
mod bits;
mod convert;
mod error;
mod fingerprint;
pub mod glz;
pub mod jpeg;
pub mod jpeg_alpha;
pub mod lz;
pub mod lz4;
mod palette;
mod pixels;
pub mod quic;
pub mod zlib_glz;

pub use error::{Codec, CodecError, ErrorKind};
pub use pixels::{Header, Limits, PixelFormat, PixelsMut, RowOrder};
