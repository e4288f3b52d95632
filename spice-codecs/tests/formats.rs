//! Destination formats: every conversion while decoding equals decoding natively and converting after.

use proptest::prelude::*;
use spice_codecs::bitmap::{Bitmap, Format, Layout};
use spice_codecs::{CodecError, PixelFormat, PixelsMut, RowOrder, glz, lz, lz4, quic};

use crate::encode::{Source, source};

const COLOURS: [PixelFormat; 4] =
    [PixelFormat::Bgrx, PixelFormat::Bgra, PixelFormat::Rgb555, PixelFormat::Rgb565];

/// One pixel as (r, g, b, a) of 8 bits, by the plainest code.
fn pixel(format: Format, bytes: &[u8]) -> [u8; 4] {
    let widen = |v: u16| (v << 3 | v >> 2) as u8;
    match format {
        Format::Bit16 => {
            let p = u16::from_le_bytes([bytes[0], bytes[1]]);
            [widen(p >> 10 & 31), widen(p >> 5 & 31), widen(p & 31), 255]
        }
        Format::Rgba => [bytes[2], bytes[1], bytes[0], bytes[3]],
        _ => [bytes[2], bytes[1], bytes[0], 255],
    }
}

/// The picture in a destination format, by the plainest code. Fourth bytes of `Bgrx` are left out.
fn plain(source: &Source, format: PixelFormat) -> Vec<u8> {
    let bytes = source.layout.format.row_bytes(1) as usize;
    let convert = |p: &[u8]| -> Vec<u8> {
        let [r, g, b, a] = pixel(source.layout.format, p);
        let (r16, g16, b16) = (u16::from(r), u16::from(g), u16::from(b));
        match format {
            PixelFormat::Rgb555 => (r16 >> 3 << 10 | g16 >> 3 << 5 | b16 >> 3).to_le_bytes().into(),
            PixelFormat::Rgb565 => (r16 >> 3 << 11 | g16 >> 2 << 5 | b16 >> 3).to_le_bytes().into(),
            PixelFormat::Bgra => vec![b, g, r, a],
            _ => vec![b, g, r],
        }
    };
    source.rows().chunks(bytes).flat_map(convert).collect()
}

/// Decodes into `format` and drops what [`plain`] leaves out.
fn rows(
    source: &Source,
    format: PixelFormat,
    decode: impl FnOnce(PixelsMut<'_>) -> Result<(), CodecError>,
) -> Vec<u8> {
    let Layout { width, height, .. } = source.layout;
    let row = format.row_bytes(width) as usize;
    let stride = row + 3;
    let mut memory = vec![0x77; stride * height as usize];
    decode(PixelsMut::new(&mut memory, width, height, stride, format).unwrap()).unwrap();
    assert!(memory.chunks(stride).all(|bytes| bytes[row..] == [0x77; 3]));
    let rows: Vec<u8> = memory.chunks(stride).flat_map(|bytes| bytes[..row].to_vec()).collect();
    match format {
        PixelFormat::Bgrx => rows.chunks(4).flat_map(|p| p[..3].to_vec()).collect(),
        PixelFormat::Rgb555 => rows.chunks(2).flat_map(|p| [p[0], p[1] & 0x7f]).collect(),
        _ => rows,
    }
}

proptest! {
    #[test]
    fn conversions(
        source in prop::sample::select(vec![Format::Bit16, Format::Bit24, Format::Bit32, Format::Rgba])
            .prop_flat_map(source),
        format in prop::sample::select(COLOURS.to_vec()),
    ) {
        let expected = plain(&source, format);
        let mut out = Vec::new();

        prop_assert_eq!(&rows(&source, format, |dst| source.bitmap().decode(&[], dst)), &expected);

        quic::Encoder::new().encode(&source.bitmap(), &mut out).unwrap();
        prop_assert_eq!(&rows(&source, format, |dst| quic::Decoder::new().decode(&out, dst)), &expected);

        out.clear();
        lz::Encoder::new().encode(&source.bitmap(), &mut out).unwrap();
        prop_assert_eq!(&rows(&source, format, |dst| lz::Decoder::new().decode(&out, &[], dst)), &expected);

        out.clear();
        lz4::Encoder::new().encode(&source.bitmap(), &mut out).unwrap();
        prop_assert_eq!(&rows(&source, format, |dst| lz4::Decoder::new().decode(&out, dst)), &expected);

        out.clear();
        glz::Encoder::new(1 << 20).encode(&source.bitmap(), &mut out).unwrap();
        let glz = rows(&source, format, |dst| {
            glz::Decoder::new().decode_into(&out, &mut glz::Window::default(), dst).map(|_| ())
        });
        prop_assert_eq!(&glz, &expected);
    }
}

#[test]
fn destinations_without_a_conversion_are_refused() {
    let data = [0; 16];
    let layout = Layout { format: Format::Bit32, width: 2, height: 2, stride: 8, rows: RowOrder::TopDown };
    let bitmap = Bitmap::new(layout, &data).unwrap();
    let mut streams = [Vec::new(), Vec::new(), Vec::new()];
    quic::Encoder::new().encode(&bitmap, &mut streams[0]).unwrap();
    lz::Encoder::new().encode(&bitmap, &mut streams[1]).unwrap();
    lz4::Encoder::new().encode(&bitmap, &mut streams[2]).unwrap();
    for format in [PixelFormat::A1, PixelFormat::A8] {
        let mut memory = [0; 16];
        let mut refused = |decode: &dyn Fn(PixelsMut<'_>) -> Result<(), CodecError>| {
            let dst = PixelsMut::packed(&mut memory, 2, 2, format).unwrap();
            assert_eq!(decode(dst).unwrap_err().kind, spice_codecs::ErrorKind::Format);
        };
        refused(&|dst| bitmap.decode(&[], dst));
        refused(&|dst| quic::Decoder::new().decode(&streams[0], dst));
        refused(&|dst| lz::Decoder::new().decode(&streams[1], &[], dst));
        refused(&|dst| lz4::Decoder::new().decode(&streams[2], dst));
    }
}
