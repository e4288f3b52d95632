//! Palette indices of 1, 4 and 8 bits to pixels.

use crate::error::ErrorKind;
use crate::pixels::PixelFormat;

/// How indices lie in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// One bit, leftmost pixel in bit 0.
    Bit1Le,
    /// One bit, leftmost pixel in bit 7.
    Bit1Be,
    /// Four bits, leftmost pixel in the low nibble.
    Bit4Le,
    /// Four bits, leftmost pixel in the high nibble.
    Bit4Be,
    /// One byte.
    Bit8,
}

impl Packing {
    /// Bytes that `width` pixels take.
    pub(crate) fn row_bytes(self, width: u32) -> usize {
        let bits = match self {
            Packing::Bit1Le | Packing::Bit1Be => 1,
            Packing::Bit4Le | Packing::Bit4Be => 4,
            Packing::Bit8 => 8,
        };
        (u64::from(width) * bits).div_ceil(8) as usize
    }

    /// The index of pixel `x` in a row.
    fn index(self, row: &[u8], x: usize) -> u8 {
        let byte = |at: usize| row.get(at).copied().unwrap_or(0);
        match self {
            Packing::Bit1Le => byte(x / 8) >> (x % 8) & 1,
            Packing::Bit1Be => byte(x / 8) >> (7 - x % 8) & 1,
            Packing::Bit4Le => byte(x / 2) >> (x % 2 * 4) & 15,
            Packing::Bit4Be => byte(x / 2) >> (4 - x % 2 * 4) & 15,
            Packing::Bit8 => byte(x),
        }
    }
}

/// A palette ready for look-ups: as many entries as a byte can select.
#[derive(Debug)]
pub(crate) struct Lookup {
    colours: [u32; 256],
    entries: u32,
}

impl Lookup {
    /// Fails for an empty palette.
    pub(crate) fn new(palette: &[u32]) -> Result<Self, ErrorKind> {
        if palette.is_empty() {
            return Err(ErrorKind::NoPalette);
        }
        let mut colours = [0; 256];
        let entries = palette.len().min(colours.len());
        colours[..entries].copy_from_slice(&palette[..entries]);
        Ok(Self { colours, entries: entries as u32 })
    }

    /// Whether a destination format can hold entries.
    pub(crate) fn fits(format: PixelFormat) -> Result<(), ErrorKind> {
        match format {
            PixelFormat::Bgrx | PixelFormat::Bgra | PixelFormat::Rgb555 | PixelFormat::Rgb565 => Ok(()),
            PixelFormat::A1 | PixelFormat::A8 => Err(ErrorKind::Format),
        }
    }

    /// The pixel of an index, cut to its size.
    #[inline(always)]
    pub(crate) fn pixel<const BYTES: usize>(&self, index: u8) -> [u8; BYTES] {
        let entry = self.colours[usize::from(index)].to_le_bytes();
        core::array::from_fn(|i| entry.get(i).copied().unwrap_or(0))
    }

    /// Fails if a byte of `indices` has no entry.
    #[inline(always)]
    pub(crate) fn check(&self, indices: &[u8]) -> Result<(), ErrorKind> {
        if self.entries == 256 {
            return Ok(());
        }
        let highest = indices.iter().fold(0, |highest, index| highest.max(*index));
        if u32::from(highest) < self.entries { Ok(()) } else { Err(self.missing(highest)) }
    }

    #[cold]
    fn missing(&self, index: u8) -> ErrorKind {
        ErrorKind::PaletteIndex { index: u32::from(index), entries: self.entries }
    }

    /// Expands a row of `to.len() / BYTES` pixels.
    pub(crate) fn row<const BYTES: usize>(
        &self,
        packing: Packing,
        from: &[u8],
        to: &mut [u8],
    ) -> Result<(), ErrorKind> {
        let (to, _) = to.as_chunks_mut::<BYTES>();
        match packing {
            Packing::Bit8 => {
                let from = from.get(..to.len()).unwrap_or(from);
                self.check(from)?;
                for (to, index) in to.iter_mut().zip(from) {
                    *to = self.pixel(*index);
                }
                Ok(())
            }
            Packing::Bit4Le => self.groups::<BYTES, 2>(packing, from, to, |byte, k| byte >> (4 * k) & 15),
            Packing::Bit4Be => self.groups::<BYTES, 2>(packing, from, to, |byte, k| byte >> (4 - 4 * k) & 15),
            Packing::Bit1Le => self.groups::<BYTES, 8>(packing, from, to, |byte, k| byte >> k & 1),
            Packing::Bit1Be => self.groups::<BYTES, 8>(packing, from, to, |byte, k| byte >> (7 - k) & 1),
        }
    }

    /// Whole bytes of `GROUP` pixels first, then the pixels of a last, partly used byte.
    #[inline(always)]
    fn groups<const BYTES: usize, const GROUP: usize>(
        &self,
        packing: Packing,
        from: &[u8],
        to: &mut [[u8; BYTES]],
        index: impl Fn(u8, usize) -> u8,
    ) -> Result<(), ErrorKind> {
        let mut highest = 0;
        let whole = to.len() / GROUP * GROUP;
        let (groups, rest) = to.as_chunks_mut::<GROUP>();
        for (to, byte) in groups.iter_mut().zip(from) {
            for (k, to) in to.iter_mut().enumerate() {
                let index = index(*byte, k);
                highest = highest.max(index);
                *to = self.pixel(index);
            }
        }
        for (k, to) in rest.iter_mut().enumerate() {
            let index = packing.index(from, whole + k);
            highest = highest.max(index);
            *to = self.pixel(index);
        }
        if u32::from(highest) < self.entries { Ok(()) } else { Err(self.missing(highest)) }
    }
}

/// Expands a row of one bit per pixel into bytes 0 and 255.
pub(crate) fn mask_to_a8(packing: Packing, from: &[u8], to: &mut [u8]) {
    for (x, to) in to.iter_mut().enumerate() {
        *to = 0u8.wrapping_sub(packing.index(from, x));
    }
}

/// Copies a row of one bit per pixel, leftmost pixel to bit 0; bits behind the last pixel become 0.
pub(crate) fn mask_to_a1(packing: Packing, from: &[u8], to: &mut [u8], width: u32) {
    for (to, byte) in to.iter_mut().zip(from) {
        *to = if packing == Packing::Bit1Be { byte.reverse_bits() } else { *byte };
    }
    if let (Some(last), used @ 1..) = (to.last_mut(), width % 8) {
        *last &= (1 << used) - 1;
    }
}
