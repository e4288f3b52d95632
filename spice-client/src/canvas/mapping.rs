//! Which source pixel a destination pixel takes: offsets, and scaling in 16.16 fixed point.

use spice_proto::types::Rect;

/// How coordinates of the destination become coordinates of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mapping {
    /// Pixel for pixel: the source's coordinate is the destination's plus these.
    Offset { dx: i64, dy: i64 },
    /// Another size.
    Scaled { x: Axis, y: Axis, filter: Filter },
}

/// How a scaled value is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// The nearest pixel.
    Nearest,
    /// Four pixels with weights of seven bits.
    Bilinear,
}

/// One direction of a scaling: positions are in 65536ths of a source pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    first: i64,
    pub(super) step: i64,
    anchor: i64,
}

impl Axis {
    /// `extent` source pixels from `start` on `size` destination pixels from `anchor` on. Neither may be 0.
    pub(super) fn new(start: i32, extent: u32, anchor: i32, size: u32) -> Self {
        let step = (i64::from(extent) << 16) / i64::from(size.max(1));
        Self { first: (i64::from(start) << 16) + half(step), step, anchor: i64::from(anchor) }
    }

    /// The same by the rule of ternary operations, which round the start to whole destination pixels.
    pub(super) fn rop3(start: i32, extent: u32, anchor: i32, size: u32) -> Self {
        let ratio = f64::from(extent) / f64::from(size.max(1));
        let step = (ratio * 65536.0) as i64;
        let offset = (f64::from(start) / ratio + 0.5).floor() as i64;
        Self {
            first: step.saturating_mul(offset).saturating_add(half(step)),
            step,
            anchor: i64::from(anchor),
        }
    }

    /// The source position of destination coordinate `at`.
    #[inline]
    pub(super) fn at(&self, at: i32) -> i64 {
        self.step.saturating_mul(i64::from(at) - self.anchor).saturating_add(self.first)
    }
}

/// Half a step, rounded up.
fn half(step: i64) -> i64 {
    (step + 1) >> 1
}

impl Mapping {
    /// The mapping of a picture's part `src` to the rectangle `dst`, neither of them empty.
    pub(super) fn new(src: &Rect, dst: &Rect, filter: Filter) -> Self {
        if (src.width(), src.height()) == (dst.width(), dst.height()) {
            return Self::offset(src, dst);
        }
        let x = Axis::new(src.left, src.width(), dst.left, dst.width());
        let y = Axis::new(src.top, src.height(), dst.top, dst.height());
        Self::Scaled { x, y, filter }
    }

    /// The upper left corner of `src` comes to that of `dst`.
    pub(super) fn offset(src: &Rect, dst: &Rect) -> Self {
        Self::Offset {
            dx: i64::from(src.left) - i64::from(dst.left),
            dy: i64::from(src.top) - i64::from(dst.top),
        }
    }

    /// Where the source may lie that `dst` takes: columns and rows, not cut to the picture.
    pub(super) fn rows_read(&self, dst: &Rect) -> (i64, i64) {
        match self {
            Mapping::Offset { dy, .. } => (i64::from(dst.top) + dy, i64::from(dst.bottom) + dy),
            Mapping::Scaled { y, .. } => ((y.at(dst.top) >> 16) - 1, (y.at(dst.bottom - 1) >> 16) + 2),
        }
    }
}

/// A rectangle moved, cut at the ends of the coordinate range.
pub(super) fn shifted(rect: &Rect, dx: i64, dy: i64) -> Rect {
    let cut = |v: i32, d: i64| {
        let v = i64::from(v).saturating_add(d).clamp(i64::from(i32::MIN), i64::from(i32::MAX));
        v as i32
    };
    Rect {
        top: cut(rect.top, dy),
        left: cut(rect.left, dx),
        bottom: cut(rect.bottom, dy),
        right: cut(rect.right, dx),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_cover_what_is_read() {
        let mapping = Mapping::new(&Rect::at(5, 10, 8, 8), &Rect::at(0, 0, 4, 16), Filter::Bilinear);
        let (first, end) = mapping.rows_read(&Rect::at(0, 0, 4, 16));
        assert!(first <= 9 && end >= 19, "{first}..{end}");
        assert_eq!(shifted(&Rect::at(1, 2, 3, 4), i64::MAX, i64::MIN).left, i32::MAX);
    }

    #[test]
    fn extreme_ratios_do_not_overflow() {
        let _ = Axis::rop3(i32::MIN, u32::MAX, i32::MAX, 1).at(i32::MIN);
        let _ = Axis::rop3(i32::MAX, 1, 0, u32::MAX).at(5);
    }
}
