//! What encoders see: a plane as a slice of units.

use alloc::vec::Vec;

use super::plane::bias;

/// Units of a plane in the memory of a bitmap.
pub(crate) trait Units {
    /// One unit in memory.
    type Unit: Copy;
    /// Bytes of a literal unit.
    const BYTES: usize;
    /// What matches are longer than they say.
    const BIAS: usize = bias(Self::BYTES);
    /// Shortest match worth a token. Breaking a literal run in two costs a byte.
    const MIN_NEAR: usize;
    /// The same for a match with two more distance bytes.
    const MIN_FAR: usize;

    /// Splits a plane into units.
    fn units(plane: &[u8]) -> &[Self::Unit];
    /// What of a unit is coded.
    fn value(unit: Self::Unit) -> u32;
    /// Appends literal units.
    fn literals(units: &[Self::Unit], out: &mut Vec<u8>);

    /// Number of equal units at the fronts of two slices of the same length.
    #[inline(always)]
    fn common(a: &[Self::Unit], b: &[Self::Unit]) -> usize {
        a.iter().zip(b).take_while(|(a, b)| Self::value(**a) == Self::value(**b)).count()
    }
}

/// Palette indices, alpha values.
pub(crate) struct Bytes;

impl Units for Bytes {
    type Unit = u8;
    const BYTES: usize = 1;
    const MIN_NEAR: usize = 3;
    const MIN_FAR: usize = 5;

    fn units(plane: &[u8]) -> &[u8] {
        plane
    }

    #[inline(always)]
    fn value(unit: u8) -> u32 {
        u32::from(unit)
    }

    fn literals(units: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(units);
    }

    #[inline(always)]
    fn common(a: &[u8], b: &[u8]) -> usize {
        common_bytes(a, b)
    }
}

/// 16-bit colours; bit 15 is not coded.
pub(crate) struct Rgb16;

impl Units for Rgb16 {
    type Unit = [u8; 2];
    const BYTES: usize = 2;
    const MIN_NEAR: usize = 2;
    const MIN_FAR: usize = 3;

    fn units(plane: &[u8]) -> &[[u8; 2]] {
        plane.as_chunks().0
    }

    #[inline(always)]
    fn value(unit: [u8; 2]) -> u32 {
        u32::from(u16::from_le_bytes(unit) & 0x7fff)
    }

    fn literals(units: &[[u8; 2]], out: &mut Vec<u8>) {
        out.extend(units.iter().flat_map(|unit| [unit[1] & 0x7f, unit[0]]));
    }
}

/// Colours of three bytes.
pub(crate) struct Rgb24;

impl Units for Rgb24 {
    type Unit = [u8; 3];
    const BYTES: usize = 3;
    const MIN_NEAR: usize = 2;
    const MIN_FAR: usize = 2;

    fn units(plane: &[u8]) -> &[[u8; 3]] {
        plane.as_chunks().0
    }

    #[inline(always)]
    fn value(unit: [u8; 3]) -> u32 {
        u32::from_le_bytes([unit[0], unit[1], unit[2], 0])
    }

    fn literals(units: &[[u8; 3]], out: &mut Vec<u8>) {
        out.extend_from_slice(units.as_flattened());
    }

    #[inline(always)]
    fn common(a: &[[u8; 3]], b: &[[u8; 3]]) -> usize {
        common_bytes(a.as_flattened(), b.as_flattened()) / 3
    }
}

/// The colours of pixels of four bytes.
pub(crate) struct Rgb32;

impl Units for Rgb32 {
    type Unit = [u8; 4];
    const BYTES: usize = 3;
    const MIN_NEAR: usize = 2;
    const MIN_FAR: usize = 2;

    fn units(plane: &[u8]) -> &[[u8; 4]] {
        plane.as_chunks().0
    }

    #[inline(always)]
    fn value(unit: [u8; 4]) -> u32 {
        u32::from_le_bytes(unit) & 0x00ff_ffff
    }

    /// At most 32 units.
    #[inline(always)]
    fn literals(units: &[[u8; 4]], out: &mut Vec<u8>) {
        let mut bytes = [0; 3 * 32];
        for (to, from) in bytes.as_chunks_mut::<3>().0.iter_mut().zip(units) {
            *to = [from[0], from[1], from[2]];
        }
        out.extend_from_slice(bytes.get(..units.len() * 3).unwrap_or_default());
    }

    /// Two pixels at a time.
    #[inline(always)]
    fn common(a: &[[u8; 4]], b: &[[u8; 4]]) -> usize {
        let (pairs_a, _) = a.as_flattened().as_chunks::<8>();
        let (pairs_b, _) = b.as_flattened().as_chunks::<8>();
        let mut count = 0;
        for (a, b) in pairs_a.iter().zip(pairs_b) {
            let difference = (u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b)) & 0x00ff_ffff_00ff_ffff;
            if difference != 0 {
                return count + usize::from(difference as u32 == 0);
            }
            count += 2;
        }
        count
            + usize::from(
                matches!((a.get(count), b.get(count)), (Some(a), Some(b)) if Self::value(*a) == Self::value(*b)),
            )
    }
}

/// The fourth bytes of pixels of four bytes.
pub(crate) struct Alpha;

impl Units for Alpha {
    type Unit = [u8; 4];
    const BYTES: usize = 1;
    const MIN_NEAR: usize = 3;
    const MIN_FAR: usize = 5;

    fn units(plane: &[u8]) -> &[[u8; 4]] {
        plane.as_chunks().0
    }

    #[inline(always)]
    fn value(unit: [u8; 4]) -> u32 {
        u32::from(unit[3])
    }

    fn literals(units: &[[u8; 4]], out: &mut Vec<u8>) {
        out.extend(units.iter().map(|unit| unit[3]));
    }
}

/// Number of equal bytes at the fronts of two slices of the same length, eight at a time.
#[inline(always)]
fn common_bytes(a: &[u8], b: &[u8]) -> usize {
    let ((words_a, _), (words_b, _)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut count = 0;
    for (a, b) in words_a.iter().zip(words_b) {
        let difference = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if difference != 0 {
            return count + difference.trailing_zeros() as usize / 8;
        }
        count += 8;
    }
    count + a.iter().zip(b).skip(count).take_while(|(a, b)| a == b).count()
}
