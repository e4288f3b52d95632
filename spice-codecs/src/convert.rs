//! From one pixel layout to another, a row at a time.

/// Turns units of one layout into units of another.
///
/// Narrowing drops low bits, widening repeats the upper ones; both as the drawing rules say.
pub(crate) trait Converter {
    /// Bytes of a source unit.
    const FROM: usize;
    /// Bytes of a destination unit.
    const TO: usize;
    /// Units that are converted at once; multiples of it are fastest.
    const GROUP: usize = 1;

    /// Converts as many units as both rows hold.
    fn row(from: &[u8], to: &mut [u8]);
}

/// Implements [`Converter`] from a function on arrays.
macro_rules! converter {
    ($(#[$doc:meta])* $name:ident $(<$top:ident>)?, $from:literal => $to:literal, |$pixel:ident| $body:expr) => {
        $(#[$doc])*
        pub(crate) struct $name $(<const $top: u8>)?;

        impl $(<const $top: u8>)? Converter for $name $(<$top>)? {
            const FROM: usize = $from;
            const TO: usize = $to;

            #[inline(always)]
            fn row(from: &[u8], to: &mut [u8]) {
                let (from, _) = from.as_chunks::<$from>();
                let (to, _) = to.as_chunks_mut::<$to>();
                for (to, &$pixel) in to.iter_mut().zip(from) {
                    *to = $body;
                }
            }
        }
    };
}

converter!(
    /// Bytes as they are.
    Bytes, 1 => 1, |p| p
);
converter!(
    /// 16-bit pixels as they are.
    Rgb555, 2 => 2, |p| p
);
converter!(
    /// 16-bit pixels with the high byte first, bit 15 cleared.
    SwappedRgb555, 2 => 2, |p| [p[1], p[0] & 0x7f]
);
converter!(
    /// 555 to 565.
    Rgb555ToRgb565, 2 => 2, |p| rgb565_from_555(u16::from_le_bytes(p)).to_le_bytes()
);
converter!(
    /// 555 with the high byte first to 565.
    SwappedRgb555ToRgb565, 2 => 2, |p| rgb565_from_555(u16::from_be_bytes(p)).to_le_bytes()
);
converter!(
    /// 555 to 32 bits.
    Rgb555ToBgrx<TOP>, 2 => 4, |p| bgrx_from_555(u16::from_le_bytes(p), TOP).to_le_bytes()
);
converter!(
    /// 555 with the high byte first to 32 bits.
    SwappedRgb555ToBgrx<TOP>, 2 => 4, |p| bgrx_from_555(u16::from_be_bytes(p), TOP).to_le_bytes()
);
converter!(
    /// 32-bit pixels as they are.
    Bgrx, 4 => 4, |p| p
);
converter!(
    /// 32-bit pixels with another fourth byte.
    BgrxTop<TOP>, 4 => 4, |p| [p[0], p[1], p[2], TOP]
);
converter!(
    /// 32-bit pixels to 555.
    BgrxToRgb555, 4 => 2, |p| narrow_555(p[0], p[1], p[2]).to_le_bytes()
);
converter!(
    /// 32-bit pixels to 565.
    BgrxToRgb565, 4 => 2, |p| narrow_565(p[0], p[1], p[2]).to_le_bytes()
);
converter!(
    /// Bytes b, g, r to 555.
    BgrToRgb555, 3 => 2, |p| narrow_555(p[0], p[1], p[2]).to_le_bytes()
);
converter!(
    /// Bytes b, g, r to 565.
    BgrToRgb565, 3 => 2, |p| narrow_565(p[0], p[1], p[2]).to_le_bytes()
);

/// Bytes b, g, r to 32 bits.
pub(crate) struct BgrToBgrx<const TOP: u8>;

impl<const TOP: u8> Converter for BgrToBgrx<TOP> {
    const FROM: usize = 3;
    const TO: usize = 4;
    const GROUP: usize = 4;

    /// Four pixels at a time.
    #[inline(always)]
    fn row(from: &[u8], to: &mut [u8]) {
        let (groups, rest) = from.as_chunks();
        let (to_groups, to_rest) = to.as_chunks_mut();
        for (to, from) in to_groups.iter_mut().zip(groups) {
            Self::four(from, to);
        }
        // A destination with fewer groups than the source does not occur: both hold the same pixels.
        let (rest, _) = rest.as_chunks::<3>();
        let (to_rest, _) = to_rest.as_chunks_mut::<4>();
        for (to, p) in to_rest.iter_mut().zip(rest) {
            *to = [p[0], p[1], p[2], TOP];
        }
    }
}

impl<const TOP: u8> BgrToBgrx<TOP> {
    /// Four pixels, each by a word that overlaps the next one.
    #[inline(always)]
    fn four(from: &[u8; 12], to: &mut [u8; 16]) {
        let top = u32::from(TOP) << 24;
        let word = |at: usize| u32::from_le_bytes(from[at..].first_chunk().copied().unwrap_or_default());
        let pixels = [word(0) & 0x00ff_ffff, word(3) & 0x00ff_ffff, word(6) & 0x00ff_ffff, word(8) >> 8];
        for (to, pixel) in to.as_chunks_mut().0.iter_mut().zip(pixels) {
            *to = (pixel | top).to_le_bytes();
        }
    }
}

#[inline(always)]
fn narrow_555(b: u8, g: u8, r: u8) -> u16 {
    u16::from(r >> 3) << 10 | u16::from(g >> 3) << 5 | u16::from(b >> 3)
}

#[inline(always)]
fn narrow_565(b: u8, g: u8, r: u8) -> u16 {
    u16::from(r >> 3) << 11 | u16::from(g >> 2) << 5 | u16::from(b >> 3)
}

/// Through channels of 8 bits, so that the lowest bit of green is a copy of the highest.
#[inline(always)]
fn rgb565_from_555(p: u16) -> u16 {
    (p & 0x7fe0) << 1 | (p & 0x0200) >> 4 | p & 0x001f
}

#[inline(always)]
fn bgrx_from_555(p: u16, top: u8) -> u32 {
    let p = u32::from(p);
    let high = (p & 0x7c00) << 9 | (p & 0x03e0) << 6 | (p & 0x001f) << 3;
    high | high >> 5 & 0x0007_0707 | u32::from(top) << 24
}
