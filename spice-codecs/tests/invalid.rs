//! Damaged and hostile payloads end in errors.

use spice_codecs::{Codec, CodecError, ErrorKind, Header, PixelFormat, PixelsMut, glz, lz, lz4, quic};

use crate::vectors::{Vector, load};

/// Decodes as a client would: sizes from the descriptor, formats from the payload.
fn decode(vector: &Vector) -> Result<(), CodecError> {
    let (width, height) = vector.size();
    let data = vector.encoded();
    let header = match vector.text("codec") {
        "quic" => quic::header(data),
        "lz" => lz::header(data),
        "glz" => glz::header(data),
        "lz4" => lz4::header(data).map(|(rows, _)| Header {
            width,
            height,
            format: PixelFormat::Bgrx,
            rows,
            indexed: false,
        }),
        other => panic!("no codec {other}"),
    };
    let format = header.map_or(PixelFormat::Bgrx, |header| header.format);
    let mut memory = vec![0; (format.row_bytes(width) * u64::from(height)) as usize];
    let result =
        PixelsMut::packed(&mut memory, width, height, format).and_then(|dst| match vector.text("codec") {
            "quic" => quic::Decoder::new().decode(data, dst),
            "glz" => match glz::Decoder::new().decode_into(data, &mut glz::Window::default(), dst)? {
                // Nobody else delivers images.
                glz::Progress::Waiting(id) => {
                    Err(CodecError::new(Codec::Glz, 0, ErrorKind::MissingImage(id)))
                }
                glz::Progress::Done(_) => Ok(()),
            },
            "lz4" => lz4::Decoder::new().decode(data, dst),
            _ => lz::Decoder::new().decode(data, &[], dst),
        });
    // A descriptor without pixels is refused before the payload is looked at; the payload must be refused too.
    if width == 0 || height == 0 { header.map(|_| ()) } else { result }
}

#[test]
fn invalid_vectors_are_refused() {
    for vector in load("invalid") {
        let error = decode(&vector).expect_err(&vector.name);
        assert!(error.at <= vector.encoded().len(), "{}: {error}", vector.name);
    }
}
