//! Pixels between four others.

use spice_codecs::PixelFormat;

use crate::canvas::format::{bytes_per_pixel, from_argb, localised};
use crate::canvas::mapping::Axis;
use crate::canvas::sample::{Source, index};

impl Source<'_> {
    /// A scaled row, `y` in 65536ths of a source pixel.
    pub(super) fn bilinear(&self, x: &Axis, y: i64, left: i32, out: &mut [u8]) {
        let (want, local) = (bytes_per_pixel(self.to), localised(self.view.format, self.to));
        let top = self.opaque_bits();
        if (self.view.bytes_per_pixel(), want) == (4, 4) {
            let value = |row: &[u8], column: i64| {
                let px = usize::try_from(column).ok().and_then(|at| row.as_chunks::<4>().0.get(at));
                px.map_or(0, |px| u32::from_le_bytes(*px) | top)
            };
            let (out, _) = out.as_chunks_mut::<4>();
            self.between(x, y, left, value, out.iter_mut(), |px, v| *px = v.to_le_bytes());
            return;
        }
        let value = |row: &[u8], column: i64| self.value(row, column);
        self.between(x, y, left, value, out.chunks_exact_mut(want), |px, v| {
            let raw = if local == PixelFormat::Bgrx { v } else { from_argb(local, v) };
            px.copy_from_slice(&raw.to_le_bytes()[..want]);
        });
    }

    /// Blends four neighbours for each pixel of a row; `value` gives a source pixel, 0 outside.
    #[inline]
    fn between<P>(
        &self,
        x: &Axis,
        y: i64,
        left: i32,
        value: impl Fn(&[u8], i64) -> u32,
        out: impl Iterator<Item = P>,
        store: impl Fn(P, u32),
    ) {
        let (row, wy) = tap(y);
        let rows = [self.view.row(index(row)), self.view.row(index(row + 1))];
        let mut position = x.at(left);
        // Neighbouring pixels often lie between the same two columns, or one further.
        let mut column = i64::MIN;
        let (mut lefts, mut rights) = ([0; 2], [0; 2]);
        for px in out {
            let (at, wx) = tap(position);
            if at != column {
                lefts = if at == column.wrapping_add(1) { rights } else { rows.map(|row| value(row, at)) };
                rights = rows.map(|row| value(row, at.saturating_add(1)));
                column = at;
            }
            store(px, blend([lefts[0], rights[0], lefts[1], rights[1]], wx, wy));
            position = position.saturating_add(x.step);
        }
    }
}

/// Left or upper pixel and the weight of its neighbour out of 256.
pub(super) fn tap(at: i64) -> (i64, u32) {
    let at = at - 0x8000;
    (at >> 16, ((at >> 9) as u32 & 127) << 1)
}

/// Weighs four pixels, channel by channel.
#[inline]
pub(super) fn blend([tl, tr, bl, br]: [u32; 4], wx: u32, wy: u32) -> u32 {
    // Two channels at once: 16 bits each after the first sum, 32 bits each after the second.
    let pair = |a: u32, b: u32, shift: u32| {
        let mixed = (a >> shift & 0x00ff_00ff) * (256 - wx) + (b >> shift & 0x00ff_00ff) * wx;
        u64::from(mixed & 0xffff) | u64::from(mixed >> 16) << 32
    };
    let column = |shift: u32| {
        let sum = pair(tl, tr, shift) * u64::from(256 - wy) + pair(bl, br, shift) * u64::from(wy);
        ((sum >> 16 & 0xff) | (sum >> 32 & 0xff_0000)) as u32
    };
    column(0) | column(8) << 8
}
