//! Small pictures of a screen.

use spice_client::canvas::View;
use spice_proto::types::Rect;

/// A picture of `view` in at most `width` by `height` pixels, of the same proportions: its size, and rows of bytes
/// r, g, b, 255. Each pixel is the mean of a few that it stands for. `None` for an empty view.
pub fn thumbnail(view: &View<'_>, width: u32, height: u32) -> Option<(u32, u32, Vec<u8>)> {
    let (from_w, from_h) = (u64::from(view.width()), u64::from(view.height()));
    if from_w == 0 || from_h == 0 || width == 0 || height == 0 {
        return None;
    }
    let (max_w, max_h) = (u64::from(width).min(from_w), u64::from(height).min(from_h));
    let (to_w, to_h) = if max_w * from_h <= max_h * from_w {
        (max_w, (max_w * from_h / from_w).max(1))
    } else {
        ((max_h * from_w / from_h).max(1), max_h)
    };
    let mut row = vec![0; from_w as usize * 4];
    let mut out = vec![255; (to_w * to_h * 4) as usize];
    let mut sums = vec![[0_u32; 3]; to_w as usize];
    for (y, line) in out.chunks_exact_mut(to_w as usize * 4).enumerate() {
        let y = y as u64;
        let (top, bottom) = (y * from_h / to_h, ((y + 1) * from_h / to_h).max(y * from_h / to_h + 1));
        sums.fill([0; 3]);
        let rows = spread(top, bottom);
        let count = rows.clone().count() as u32;
        for from in rows {
            let from = i32::try_from(from).unwrap_or(i32::MAX);
            view.write_rgba(Rect::at(0, from, view.rect().width() as i32, 1), &mut row);
            for (x, sum) in sums.iter_mut().enumerate() {
                let x = x as u64;
                for column in spread(x * from_w / to_w, (x + 1) * from_w / to_w) {
                    let at = column as usize * 4;
                    for (sum, &value) in sum.iter_mut().zip(&row[at..at + 3]) {
                        *sum += u32::from(value);
                    }
                }
            }
        }
        for (x, (pixel, sum)) in line.chunks_exact_mut(4).zip(&sums).enumerate() {
            let x = x as u64;
            let columns = spread(x * from_w / to_w, (x + 1) * from_w / to_w).count() as u32;
            for (value, sum) in pixel.iter_mut().zip(sum) {
                *value = (sum / (count * columns).max(1)) as u8;
            }
        }
    }
    Some((to_w as u32, to_h as u32, out))
}

/// At most [`SAMPLES`] places, evenly spread over `from..to`; at least one.
fn spread(from: u64, to: u64) -> impl Iterator<Item = u64> + Clone {
    let step = (to.saturating_sub(from)).div_ceil(SAMPLES).max(1);
    (from..to.max(from + 1)).step_by(step as usize)
}

/// Pixels looked at in each direction for one pixel of the small picture.
const SAMPLES: u64 = 4;

#[cfg(test)]
mod tests {
    use spice_client::canvas::{Applied, Canvas, CanvasConfig, SharedCaches};
    use spice_proto::testing::scene::Scene;

    use super::*;

    #[test]
    fn proportions_and_colours_are_kept() {
        let mut canvas = Canvas::new(CanvasConfig::default(), SharedCaches::default());
        for message in Scene::new(640, 480).messages(0) {
            assert_eq!(canvas.apply(&message).unwrap(), Applied::Done);
        }
        let view = canvas.primary().unwrap();
        let (width, height, pixels) = thumbnail(&view, 160, 100).unwrap();
        assert_eq!((width, height, pixels.len()), (133, 100, 133 * 100 * 4));
        assert!(pixels.chunks_exact(4).all(|p| p[3] == 255));
        let mut first = [0; 4];
        view.write_rgba(Rect::at(0, 0, 1, 1), &mut first);
        let near = pixels.iter().zip(first).all(|(a, b)| a.abs_diff(b) < 40);
        assert!(near, "the corner's colour: {:?} and {first:?}", &pixels[..4]);
        let (width, height, same) = thumbnail(&view, 640, 480).unwrap();
        let mut all = vec![0; same.len()];
        view.write_rgba(view.rect(), &mut all);
        assert!((width, height) == (640, 480) && same == all, "not larger: the picture itself");
        assert!(thumbnail(&view, 0, 9).is_none());
    }
}
