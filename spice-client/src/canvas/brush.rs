//! What fills a region: a number, or a picture repeated.

use spice_codecs::PixelFormat;
use spice_proto::types::Point;

use crate::canvas::format::{bytes_per_pixel, get, localise, localise_row, localised, to_argb};
use crate::canvas::rop::Rop;
use crate::canvas::sample::resize;
use crate::canvas::surface::View;

/// A brush for a surface of a given format.
#[derive(Clone, Copy, Debug)]
pub(super) enum Brush<'a> {
    /// A raw pixel of the surface.
    Solid(u32),
    /// A picture repeated in both directions, its corner at `pos`.
    Pattern { tile: View<'a>, pos: Point },
}

impl Brush<'_> {
    /// Raw pixels of format `to` for columns `left..right` of row `y`.
    pub(super) fn row<'b>(
        &self,
        to: PixelFormat,
        y: i32,
        left: i32,
        right: i32,
        buffer: &'b mut Vec<u8>,
    ) -> &'b [u8] {
        let bytes = bytes_per_pixel(to);
        let width = usize::try_from(i64::from(right) - i64::from(left)).unwrap_or(0);
        resize(buffer, width * bytes);
        match self {
            Brush::Solid(color) => Rop::COPY.fill(buffer, bytes, *color),
            Brush::Pattern { tile, pos } => {
                let row = tile.row(phase(y.into(), pos.y, tile.height) as u32);
                let have = tile.bytes_per_pixel();
                let mut rest = &mut buffer[..];
                let mut x = phase(left.into(), pos.x, tile.width);
                while !rest.is_empty() && x * have < row.len() {
                    let run = ((row.len() / have - x) * bytes).min(rest.len());
                    let (now, later) = rest.split_at_mut(run);
                    localise_row(tile.format, to, &row[x * have..], now);
                    (rest, x) = (later, 0);
                }
            }
        }
        buffer
    }

    /// The ARGB value of the pattern, as a surface of format `to` takes it, at a place seen from the pattern's
    /// anchor; 0 for solid brushes, whose value depends on the command.
    pub(super) fn pattern_argb(&self, to: PixelFormat, x: i64, y: i64) -> u32 {
        let Brush::Pattern { tile, pos } = self else { return 0 };
        let row = tile.row(phase(y, pos.y, tile.height) as u32);
        let px = get(row, tile.bytes_per_pixel(), phase(x, pos.x, tile.width));
        to_argb(localised(tile.format, to), localise(tile.format, to, px))
    }
}

/// The tile's coordinate at a place of the surface.
fn phase(at: i64, origin: i32, size: u32) -> usize {
    (at - i64::from(origin)).rem_euclid(i64::from(size.max(1))) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_repeat_in_all_directions() {
        let data = [1, 2, 3, 4, 5, 6];
        let tile = View::packed(&data, 3, 2, PixelFormat::A8);
        let mut buffer = Vec::new();
        let mut row = |pos: Point, y, left, right| {
            Brush::Pattern { tile, pos }.row(PixelFormat::A8, y, left, right, &mut buffer).to_vec()
        };
        assert_eq!(row(Point { x: 0, y: 0 }, 0, 0, 7), [1, 2, 3, 1, 2, 3, 1]);
        assert_eq!(row(Point { x: 1, y: 1 }, 0, 0, 4), [6, 4, 5, 6]);
        assert_eq!(row(Point { x: i32::MIN, y: i32::MAX }, 1, 0, 3), [3, 1, 2]);
    }

    #[test]
    fn tiles_are_converted_to_the_surface() {
        let data = 0x7c1f_u16.to_le_bytes();
        let tile = View::packed(&data, 1, 1, PixelFormat::Rgb555);
        let brush = Brush::Pattern { tile, pos: Point::default() };
        let mut buffer = Vec::new();
        assert_eq!(brush.row(PixelFormat::Bgrx, 0, 0, 2, &mut buffer), [255, 0, 255, 255].repeat(2));
        assert_eq!(brush.pattern_argb(PixelFormat::Bgrx, 5, 5), 0xffff_00ff);
        assert_eq!(
            Brush::Solid(0x1234).row(PixelFormat::Rgb565, 0, 0, 2, &mut buffer),
            [0x34, 0x12].repeat(2)
        );
    }
}
