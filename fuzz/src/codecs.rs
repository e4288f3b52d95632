//! Image codecs: any stream decodes or not, the same way into every buffer, and encoders are undone by decoders.

mod decode;
mod encode;
mod glz;
mod source;

use spice_codecs::{Codec, CodecError, Header, Limits, PixelFormat, PixelsMut};

use crate::memory::bounded;

pub use decode::{bitmap, jpeg, jpeg_alpha, lz, lz4, quic};
pub use encode::{jpeg_alpha_round_trip, jpeg_round_trip, lz_round_trip, lz4_round_trip, quic_round_trip};
pub use glz::{glz, glz_round_trip, zlib_glz, zlib_glz_round_trip};

/// Into what a stream is decoded, from one byte: three bits for the format, the first meaning the stream's own, and
/// one for a destination that is a column too wide.
#[derive(Clone, Copy)]
struct Destination(u8);

impl Destination {
    fn format(self, own: PixelFormat) -> PixelFormat {
        match self.0 & 7 {
            1 => PixelFormat::A1,
            2 => PixelFormat::A8,
            3 => PixelFormat::Rgb555,
            4 => PixelFormat::Rgb565,
            5 => PixelFormat::Bgrx,
            6 => PixelFormat::Bgra,
            _ => own,
        }
    }

    /// Decodes into two buffers, without and with padding, that held different bytes before, and compares.
    ///
    /// `reserved` is how many bytes the decoder may reserve for itself, beyond a fixed amount.
    fn decode(
        self,
        codec: Codec,
        header: &Header,
        reserved: usize,
        mut decode: impl FnMut(PixelsMut<'_>) -> Result<(), CodecError>,
    ) {
        if header.check(codec, &limits()).is_err() {
            return;
        }
        let (width, height) = (header.width + u32::from(self.0 >> 3 & 1), header.height);
        let format = self.format(header.format);
        let row = format.row_bytes(width) as usize;
        let mut into = |fill: u8, padding: usize| {
            let stride = row + padding;
            let mut memory = vec![fill; stride * height as usize];
            let dst = PixelsMut::new(&mut memory, width, height, stride, format).expect("large enough");
            let result = bounded("decoding a picture", (256 << 10) + reserved, || decode(dst));
            let mut rows = Vec::with_capacity(row * height as usize);
            for line in memory.chunks(stride) {
                let (line, padding) = line.split_at(row);
                assert!(padding.iter().all(|byte| *byte == fill), "padding was written");
                rows.extend_from_slice(line);
            }
            result.map(|()| rows)
        };
        let (packed, padded) = (into(0xa5, 0), into(0x5a, 3));
        assert!(self.0 >> 3 & 1 == 0 || packed.is_err(), "a destination of another size was taken");
        assert!(packed == padded, "the picture depends on the buffer or on the past");
    }
}

/// Small pictures only: what matters happens in them too, and more often.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_pixels = MAX_PIXELS;
    limits
}

const MAX_PIXELS: u64 = 1 << 16;

/// A palette of `entries` colours in which an entry shows its index.
fn palette(entries: u32) -> Vec<u32> {
    (0..entries).map(|index| index * 0x0101_0101).collect()
}
