//! Decoders of single pictures.

use spice_codecs::bitmap::{self as raw, Format};
use spice_codecs::{Codec, Header, PixelFormat, RowOrder, jpeg as jpeg_codec, jpeg_alpha as alpha_codec};
use spice_codecs::{lz as lz_codec, lz4 as lz4_codec, quic as quic_codec};

use super::{Destination, palette};

/// Uncompressed rows.
///
/// Input: the destination, format number, row order, palette entries, width, height and stride in 16 bits each, data.
pub fn bitmap(data: &[u8]) {
    let Some((&[to, format, order, entries, w0, w1, h0, h1, s0, s1], data)) = data.split_first_chunk() else {
        return;
    };
    let Ok(format) = Format::from_wire(format) else { return };
    let layout = raw::Layout {
        format,
        width: u16::from_le_bytes([w0, w1]).into(),
        height: u16::from_le_bytes([h0, h1]).into(),
        stride: u16::from_le_bytes([s0, s1]).into(),
        rows: RowOrder::from_top_down(order & 1 != 0),
    };
    let palette = palette(entries.into());
    if let Ok(header) = raw::header(&layout, data) {
        Destination(to).decode(Codec::Bitmap, &header, 0, |dst| raw::decode(&layout, data, &palette, dst));
    }
}

/// QUIC streams.
///
/// Input: the destination, the stream.
pub fn quic(data: &[u8]) {
    let Some((&to, stream)) = data.split_first() else { return };
    let Ok(header) = quic_codec::header(stream) else { return };
    let mut decoder = quic_codec::Decoder::new();
    Destination(to).decode(Codec::Quic, &header, per_pixel(&header), |dst| decoder.decode(stream, dst));
}

/// LZ streams.
///
/// Input: the destination, palette entries, the stream.
pub fn lz(data: &[u8]) {
    let Some((&[to, entries], stream)) = data.split_first_chunk() else { return };
    let Ok(header) = lz_codec::header(stream) else { return };
    let palette = palette(entries.into());
    let mut decoder = lz_codec::Decoder::new();
    Destination(to)
        .decode(Codec::Lz, &header, per_pixel(&header), |dst| decoder.decode(stream, &palette, dst));
}

/// LZ4 blocks.
///
/// Input: the destination, width and height in 16 bits each, the stream.
pub fn lz4(data: &[u8]) {
    let Some((&[to, w0, w1, h0, h1], stream)) = data.split_first_chunk() else { return };
    let Ok((rows, format)) = lz4_codec::header(stream) else { return };
    let (width, height) = (u16::from_le_bytes([w0, w1]).into(), u16::from_le_bytes([h0, h1]).into());
    if width == 0 || height == 0 {
        return;
    }
    let format = if format == Format::Bit16 { PixelFormat::Rgb555 } else { PixelFormat::Bgrx };
    let header = Header { width, height, format, rows, indexed: false };
    let mut decoder = lz4_codec::Decoder::new();
    // The stream does not know its width, so a wider destination is one with too little data.
    Destination(to & 7).decode(Codec::Lz4, &header, per_pixel(&header), |dst| decoder.decode(stream, dst));
}

/// JPEG files.
///
/// Input: the destination, the file.
pub fn jpeg(data: &[u8]) {
    let Some((&to, file)) = data.split_first() else { return };
    let Ok(header) = jpeg_codec::header(file) else { return };
    let mut decoder = jpeg_codec::Decoder::new();
    Destination(to).decode(Codec::Jpeg, &header, whole_blocks(&header), |dst| decoder.decode(file, dst));
}

/// JPEG files with an alpha plane.
///
/// Input: the destination, row order, size of the file in 16 bits, the file and the plane.
pub fn jpeg_alpha(data: &[u8]) {
    let Some((&[to, order, s0, s1], data)) = data.split_first_chunk() else { return };
    let layout = alpha_codec::Layout {
        jpeg_size: u16::from_le_bytes([s0, s1]).into(),
        alpha_rows: RowOrder::from_top_down(order & 1 != 0),
    };
    let Ok(header) = alpha_codec::header(&layout, data) else { return };
    let mut decoder = alpha_codec::Decoder::new();
    Destination(to)
        .decode(Codec::JpegAlpha, &header, whole_blocks(&header), |dst| decoder.decode(&layout, data, dst));
}

/// What a decoder of rows may reserve: 16 bytes for each pixel.
fn per_pixel(header: &Header) -> usize {
    header.width as usize * header.height as usize * 16
}

/// What a JPEG decoder may reserve. It works in blocks of up to 32 x 32 pixels, and so on pictures that are padded to
/// whole blocks; coefficients of progressive files take 16 bits per sample before there is a picture.
fn whole_blocks(header: &Header) -> usize {
    let [width, height] = [header.width, header.height].map(|side| side.next_multiple_of(32) as usize);
    width * height * 64
}
