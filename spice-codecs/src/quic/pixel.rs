//! The pixels that the passes work on: how channels lie in memory.

use super::golomb::{BPC5, BPC8, Family};

/// A pass over a kind of pixel: which of its bits are coded, and where they lie.
///
/// A value is the coded channels of one pixel in a `u32`; everything else in the memory of a pixel is masked out
/// when loading. Channels are predicted and added all at once, since no carry crosses from one to the next.
pub(super) trait Pass {
    /// One pixel in memory.
    type Pixel: Pixel;
    /// Number of channels.
    const CHANNELS: usize;
    /// Bits per channel.
    const BPC: usize;
    /// Where each channel lies in a value, in coding order.
    const SHIFTS: [u32; 3];

    /// Code tables of the channels.
    #[inline(always)]
    fn family() -> &'static Family {
        if Self::BPC == 5 { &BPC5 } else { &BPC8 }
    }

    /// The value of a pixel.
    fn load(pixel: Self::Pixel) -> u32;
    /// Writes a value.
    fn store(pixel: &mut Self::Pixel, value: u32);
    /// Writes the same value to many pixels.
    #[inline(always)]
    fn fill(pixels: &mut [Self::Pixel], value: u32) {
        for pixel in pixels {
            Self::store(pixel, value);
        }
    }

    /// All bits of all channels but the upper one of each.
    #[inline(always)]
    fn rest() -> u32 {
        (0..Self::CHANNELS).fold(0, |bits, c| bits | ((1 << (Self::BPC - 1)) - 1) << Self::SHIFTS[c])
    }

    /// The upper bit of each channel.
    #[inline(always)]
    fn high() -> u32 {
        (0..Self::CHANNELS).fold(0, |bits, c| bits | 1 << (Self::SHIFTS[c] + Self::BPC as u32 - 1))
    }

    /// The lowest bit of each channel.
    #[inline(always)]
    fn low() -> u32 {
        (0..Self::CHANNELS).fold(0, |bits, c| bits | 1 << Self::SHIFTS[c])
    }

    /// Half the sum of each pair of channels, rounded down.
    #[inline(always)]
    fn average(a: u32, b: u32) -> u32 {
        (a & b) + (((a ^ b) & !Self::low()) >> 1)
    }

    /// Channel `c` of a value.
    #[inline(always)]
    fn channel(value: u32, c: usize) -> u32 {
        value >> Self::SHIFTS[c] & ((1 << Self::BPC) - 1)
    }

    /// The sum of each pair of channels, modulo their size.
    #[inline(always)]
    fn add(a: u32, b: u32) -> u32 {
        let high = Self::high();
        ((a & Self::rest()) + (b & Self::rest())) ^ ((a ^ b) & high)
    }

    /// The difference of each pair of channels, modulo their size.
    #[inline(always)]
    fn sub(a: u32, b: u32) -> u32 {
        let high = Self::high();
        ((a | high) - (b & !high)) ^ ((a ^ !b) & high)
    }
}

/// One pixel in memory, and rows of them.
pub(super) trait Pixel: Copy {
    /// Splits a row into pixels.
    fn split(row: &[u8]) -> &[Self];
    /// Splits a row into pixels.
    fn split_mut(row: &mut [u8]) -> &mut [Self];
}

impl<const N: usize> Pixel for [u8; N] {
    #[inline(always)]
    fn split(row: &[u8]) -> &[Self] {
        row.as_chunks().0
    }

    #[inline(always)]
    fn split_mut(row: &mut [u8]) -> &mut [Self] {
        row.as_chunks_mut().0
    }
}

/// Colour in pixels of four bytes, of which the fourth one holds something else. It is written as 0.
pub(super) struct Colour;

impl Pass for Colour {
    type Pixel = [u8; 4];
    const CHANNELS: usize = 3;
    const BPC: usize = 8;
    const SHIFTS: [u32; 3] = [16, 8, 0];

    #[inline(always)]
    fn load(pixel: [u8; 4]) -> u32 {
        u32::from_le_bytes(pixel) & 0x00ff_ffff
    }

    #[inline(always)]
    fn store(pixel: &mut [u8; 4], value: u32) {
        *pixel = value.to_le_bytes();
    }
}

/// Colour in pixels of four bytes, of which the fourth one is the same in all pixels.
///
/// It is a channel that never differs from its prediction: all pixels have what the first one has.
pub(super) struct Opaque;

impl Pass for Opaque {
    type Pixel = [u8; 4];
    const CHANNELS: usize = 3;
    const BPC: usize = 8;
    const SHIFTS: [u32; 3] = [16, 8, 0];

    #[inline(always)]
    fn load(pixel: [u8; 4]) -> u32 {
        u32::from_le_bytes(pixel)
    }

    #[inline(always)]
    fn store(pixel: &mut [u8; 4], value: u32) {
        *pixel = value.to_le_bytes();
    }

    #[inline(always)]
    fn add(a: u32, b: u32) -> u32 {
        ((a & 0x7f7f_7f7f) + (b & 0x7f7f_7f7f)) ^ ((a ^ b) & 0x8080_8080)
    }
}

/// Colour in pixels of three bytes.
pub(super) struct Colour24;

impl Pass for Colour24 {
    type Pixel = [u8; 3];
    const CHANNELS: usize = 3;
    const BPC: usize = 8;
    const SHIFTS: [u32; 3] = [16, 8, 0];

    #[inline(always)]
    fn load(pixel: [u8; 3]) -> u32 {
        u32::from_le_bytes([pixel[0], pixel[1], pixel[2], 0])
    }

    #[inline(always)]
    fn store(pixel: &mut [u8; 3], value: u32) {
        let [b, g, r, _] = value.to_le_bytes();
        *pixel = [b, g, r];
    }
}

/// Colour in pixels of two bytes, five bits each.
pub(super) struct Colour555;

impl Pass for Colour555 {
    type Pixel = [u8; 2];
    const CHANNELS: usize = 3;
    const BPC: usize = 5;
    const SHIFTS: [u32; 3] = [10, 5, 0];

    #[inline(always)]
    fn load(pixel: [u8; 2]) -> u32 {
        u32::from(u16::from_le_bytes(pixel)) & 0x7fff
    }

    #[inline(always)]
    fn store(pixel: &mut [u8; 2], value: u32) {
        *pixel = (value as u16).to_le_bytes();
    }
}

/// The alpha byte of pixels of four bytes; colour is left alone.
pub(super) struct Alpha;

impl Pass for Alpha {
    type Pixel = [u8; 4];
    const CHANNELS: usize = 1;
    const BPC: usize = 8;
    const SHIFTS: [u32; 3] = [0; 3];

    #[inline(always)]
    fn load(pixel: [u8; 4]) -> u32 {
        u32::from(pixel[3])
    }

    #[inline(always)]
    fn store(pixel: &mut [u8; 4], value: u32) {
        pixel[3] = value as u8;
    }
}

/// Pixels of one byte.
pub(super) struct Gray;

impl Pass for Gray {
    type Pixel = [u8; 1];
    const CHANNELS: usize = 1;
    const BPC: usize = 8;
    const SHIFTS: [u32; 3] = [0; 3];

    #[inline(always)]
    fn load(pixel: [u8; 1]) -> u32 {
        u32::from(pixel[0])
    }

    #[inline(always)]
    fn store(pixel: &mut [u8; 1], value: u32) {
        pixel[0] = value as u8;
    }
}
