//! Pictures to encode, from any bytes.

use spice_codecs::bitmap::{self, Bitmap, Format, Layout};
use spice_codecs::{CodecError, Header, PixelFormat, PixelsMut, RowOrder};

/// A picture to encode: rows with padding, in some order.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub(super) layout: Layout,
    data: Vec<u8>,
}

impl Picture {
    /// A picture whose rows repeat the rest of `bytes`, and what is behind it.
    ///
    /// Input: format, width, height, row order and padding, how often to repeat, rows.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        let (&[format, width, height, flags, stretch], pixels) = bytes.split_first_chunk()?;
        let format = Format::from_wire(format % 10 + 1).ok()?;
        let (width, height) = (u32::from(width) + 1, u32::from(height % 64) + 1);
        let stride = format.row_bytes(width) as u32 + u32::from(flags >> 1 & 3);
        let rows = RowOrder::from_top_down(flags & 1 != 0);
        // Stretched bytes make long runs, repeated ones make matches.
        let stretch = usize::from(stretch & 31) + 1;
        let bytes = pixels.iter().flat_map(|byte| std::iter::repeat_n(*byte, stretch));
        let len = stride as usize * height as usize;
        let data = bytes.cycle().chain(std::iter::repeat(0)).take(len).collect();
        Some(Self { layout: Layout { format, width, height, stride, rows }, data })
    }

    pub(super) fn bitmap(&self) -> Bitmap<'_> {
        Bitmap::new(self.layout, &self.data).expect("rows are long enough")
    }

    /// The rows as lossless codecs return them, top-down: what is not coded is cleared.
    pub(super) fn coded(&self) -> Vec<u8> {
        let rows: Vec<u8> =
            (0..self.layout.height).flat_map(|y| self.bitmap().row(y).iter().copied()).collect();
        match self.layout.format {
            Format::Bit16 => rows.as_chunks::<2>().0.iter().flat_map(|p| [p[0], p[1] & 0x7f]).collect(),
            Format::Bit24 => rows.as_chunks::<3>().0.iter().flat_map(|p| [p[0], p[1], p[2], 0]).collect(),
            Format::Bit32 => rows.as_chunks::<4>().0.iter().flat_map(|p| [p[0], p[1], p[2], 0]).collect(),
            _ => rows,
        }
    }

    /// The rows in another format, with their colours from a palette where they have none.
    pub(super) fn converted(&self, format: PixelFormat, palette: &[u32]) -> Vec<u8> {
        let header = bitmap::header(&self.layout, &self.data).expect("rows are long enough");
        Self::decoded(&header, format, |dst| bitmap::decode(&self.layout, &self.data, palette, dst))
    }

    /// What `decode` makes of a stream with the header given, which must succeed.
    pub(super) fn decoded(
        header: &Header,
        format: PixelFormat,
        decode: impl FnOnce(PixelsMut<'_>) -> Result<(), CodecError>,
    ) -> Vec<u8> {
        let mut memory = vec![0xee; format.row_bytes(header.width) as usize * header.height as usize];
        let dst = PixelsMut::packed(&mut memory, header.width, header.height, format).expect("large enough");
        decode(dst).expect("what was encoded decodes");
        memory
    }
}
