//! One drawing command with everything it reads resolved: the common ground of all drawing functions.

use spice_codecs::PixelFormat;
use spice_proto::msg::display;
use spice_proto::types::{Point, Rect};

use crate::canvas::brush::Brush;
use crate::canvas::mapping::{Filter, Mapping};
use crate::canvas::mask::{Mask, for_each_run};
use crate::canvas::outcome::Reason;
use crate::canvas::region::Region;
use crate::canvas::sample::Source;
use crate::canvas::surface::{Surface, View};

/// Working rows, kept from one command to the next.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) source: Vec<u8>,
    pub(super) brush: Vec<u8>,
    /// Premultiplied ARGB values as bytes.
    pub(super) argb: Vec<u8>,
    pub(super) mask: Vec<u8>,
    /// Coverage of a text, one byte per pixel of its visible box.
    pub(super) coverage: Vec<u8>,
}

/// A command about to be drawn.
pub(super) struct Job<'a> {
    /// What is drawn to.
    pub(super) surface: &'a mut Surface,
    /// The pixels that are drawn: box, clip and mask's extent on the surface. What is left of it afterwards is
    /// the damage.
    pub(super) region: &'a mut Region,
    /// The command's box, which anchors source and mask wherever it lies.
    pub(super) area: Rect,
    pub(super) mask: Option<Mask<'a>>,
    pub(super) rows: &'a mut Rows,
    /// Pictures by place: source (or fore brush), brush pattern (or back brush), mask.
    pub(super) views: [Option<View<'a>>; 3],
}

impl<'a> Job<'a> {
    /// The source picture.
    pub(super) fn source_view(&self) -> Result<View<'a>, Reason> {
        self.views[0].ok_or(Reason::NoImage)
    }

    /// The source picture with `src_area` on the command's box.
    pub(super) fn source(&self, src_area: &Rect, filter: Filter) -> Result<Source<'a>, Reason> {
        if src_area.is_empty() {
            return Err(Reason::EmptySource);
        }
        let mapping = Mapping::new(src_area, &self.area, filter);
        Ok(Source { view: self.source_view()?, mapping, to: self.surface.format(), opaque: false })
    }

    /// The brush, whose pattern is the picture in `slot`.
    pub(super) fn brush(&self, brush: &display::Brush, slot: usize) -> Result<Brush<'a>, Reason> {
        Ok(match brush {
            display::Brush::None => Brush::Solid(0),
            // One-bit pixels are whole bytes in memory.
            display::Brush::Solid(color) if self.surface.format() == PixelFormat::A1 => {
                Brush::Solid((color & 1) * 0xff)
            }
            display::Brush::Solid(color) => Brush::Solid(*color),
            display::Brush::Pattern(pattern) => {
                let tile = self.views.get(slot).copied().flatten().ok_or(Reason::NoImage)?;
                Brush::Pattern { tile, pos: pattern.pos }
            }
        })
    }

    /// Calls `f` with every run of pixels that is drawn and lies inside `cover`.
    pub(super) fn for_each_run(
        &mut self,
        cover: Option<Rect>,
        mut f: impl FnMut(&mut Surface, &mut Rows, i32, i32, i32),
    ) {
        let (surface, rows) = (&mut *self.surface, &mut *self.rows);
        for rect in self.region.rects() {
            let rect = cover.map_or(*rect, |cover| rect.intersect(&cover));
            for_each_run(&[rect], self.mask.as_ref(), |y, left, right| f(surface, rows, y, left, right));
        }
    }
}

/// The mask of a command, from the picture and the fields beside it.
pub(super) fn mask<'a>(view: View<'a>, pos: &Point, area: &Rect, flags: display::MaskFlags) -> Mask<'a> {
    Mask::new(view, pos, area, flags.contains(display::MaskFlags::INVERS))
}

/// The filter a scale mode stands for; unknown modes scale like interpolation.
pub(super) fn filter(mode: display::ScaleMode) -> Filter {
    if mode == display::ScaleMode::NEAREST { Filter::Nearest } else { Filter::Bilinear }
}
