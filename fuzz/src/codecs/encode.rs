//! Encoders, undone by their decoders.

use spice_codecs::bitmap::Format;
use spice_codecs::{Header, PixelFormat, jpeg, jpeg_alpha, lz, lz4, quic};

use super::palette;
use super::source::Picture;

/// What QUIC encodes, it decodes to the same picture. Palette formats are refused.
///
/// Input: as for `Picture`.
pub fn quic_round_trip(data: &[u8]) {
    let Some(picture) = Picture::new(data) else { return };
    let mut out = Vec::new();
    let result = quic::Encoder::new().encode(&picture.bitmap(), &mut out);
    assert_eq!(result.is_ok(), picture.layout.format as u8 > Format::Bit8 as u8);
    if result.is_err() {
        return;
    }
    let header = quic::header(&out).expect("own header");
    let rows = Picture::decoded(&header, header.format, |dst| quic::Decoder::new().decode(&out, dst));
    assert!(rows == picture.coded(), "another picture");
}

/// What LZ encodes, it decodes to the same picture.
///
/// Input: as for `Picture`.
pub fn lz_round_trip(data: &[u8]) {
    let Some(picture) = Picture::new(data) else { return };
    let mut out = Vec::new();
    lz::Encoder::new().encode(&picture.bitmap(), &mut out).expect("small pictures");
    let header = lz::header(&out).expect("own header");
    assert_eq!(header.rows, picture.layout.rows);
    let palette = palette(256);
    let format = header.format;
    let rows = Picture::decoded(&header, format, |dst| lz::Decoder::new().decode(&out, &palette, dst));
    let expected = if header.indexed { picture.converted(format, &palette) } else { picture.coded() };
    assert!(rows == expected, "another picture");
}

/// What LZ4 encodes, it decodes to the same picture. Palette formats are refused.
///
/// Input: as for `Picture`.
pub fn lz4_round_trip(data: &[u8]) {
    let Some(picture) = Picture::new(data) else { return };
    let mut out = Vec::new();
    let result = lz4::Encoder::new().encode(&picture.bitmap(), &mut out);
    let alpha_alone = picture.layout.format == Format::Bit8A;
    assert_eq!(result.is_ok(), alpha_alone || has_colours(picture.layout.format));
    if result.is_err() {
        return;
    }
    let (rows, format) = lz4::header(&out).expect("own header");
    assert_eq!((rows, format), (picture.layout.rows, picture.layout.format));
    let colours = [PixelFormat::Bgrx, PixelFormat::Bgra, PixelFormat::Rgb555, PixelFormat::Rgb565];
    for &format in if alpha_alone { &[PixelFormat::A8] } else { colours.as_slice() } {
        let (width, height) = (picture.layout.width, picture.layout.height);
        let header = Header { width, height, format, rows, indexed: false };
        let rows = Picture::decoded(&header, format, |dst| lz4::Decoder::new().decode(&out, dst));
        assert!(rows == picture.converted(format, &[]), "another picture");
    }
}

/// What JPEG encodes, it decodes. Palette formats and alpha alone are refused.
///
/// Input: quality, then as for `Picture`.
pub fn jpeg_round_trip(data: &[u8]) {
    let Some((quality, picture)) = quality_and_picture(data) else { return };
    let mut out = Vec::new();
    let result = jpeg::Encoder::new().encode(&picture.bitmap(), quality, &mut out);
    assert_eq!(result.is_ok(), has_colours(picture.layout.format));
    if result.is_ok() {
        let header = jpeg::header(&out).expect("own header");
        Picture::decoded(&header, header.format, |dst| jpeg::Decoder::new().decode(&out, dst));
    }
}

/// What JPEG_ALPHA encodes, it decodes, and alpha comes back as it was. Other formats are refused.
///
/// Input: quality, then as for `Picture`.
pub fn jpeg_alpha_round_trip(data: &[u8]) {
    let Some((quality, picture)) = quality_and_picture(data) else { return };
    let mut out = Vec::new();
    let result = jpeg_alpha::Encoder::new().encode(&picture.bitmap(), quality, &mut out);
    assert_eq!(result.is_ok(), picture.layout.format == Format::Rgba);
    let Ok(layout) = result else {
        assert!(out.is_empty(), "a refused picture was written");
        return;
    };
    let header = jpeg_alpha::header(&layout, &out).expect("own header");
    let decode = |dst: spice_codecs::PixelsMut<'_>| jpeg_alpha::Decoder::new().decode(&layout, &out, dst);
    let rows = Picture::decoded(&header, header.format, decode);
    let alpha = |rows: &[u8]| rows.iter().skip(3).step_by(4).copied().collect::<Vec<_>>();
    assert!(alpha(&rows) == alpha(&picture.coded()), "another alpha");
}

fn quality_and_picture(data: &[u8]) -> Option<(u8, Picture)> {
    let (quality, data) = data.split_first()?;
    Some((quality % 100 + 1, Picture::new(data)?))
}

fn has_colours(format: Format) -> bool {
    matches!(format, Format::Bit16 | Format::Bit24 | Format::Bit32 | Format::Rgba)
}
