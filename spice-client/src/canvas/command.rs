//! From what a drawing message names to a [`Job`]: pictures resolved, the region found, damage counted.

use spice_codecs::PixelFormat;
use spice_proto::msg::display::{Brush as WireBrush, Clip, DisplayBase, Image, ImageData, QMask};
use spice_proto::types::{Rect, SurfaceId};
use spice_proto::wire::Ptr;

use crate::canvas::Canvas;
use crate::canvas::images::{Purpose, SLOTS};
use crate::canvas::job::{Job, mask};
use crate::canvas::mapping::{Filter, Mapping};
use crate::canvas::mask::Mask;
use crate::canvas::outcome::{Applied, CanvasError, Operation, Reason};
use crate::canvas::surface::{Surface, View};
use crate::canvas::waiting::fingerprint;

/// What a command reads besides its destination.
#[derive(Default)]
pub(super) struct Reads<'m> {
    pub(super) source: Option<&'m Image>,
    /// The part of the source, where it is copied by plain rules.
    pub(super) src_area: Option<&'m Rect>,
    pub(super) brush: Option<&'m WireBrush>,
    /// A picture in the place of the brush's pattern.
    pub(super) second: Option<&'m Image>,
    pub(super) mask: Option<&'m QMask>,
}

impl<'m> Reads<'m> {
    /// A mask and nothing else.
    pub(super) fn masked(mask: &'m QMask) -> Self {
        Self { mask: Some(mask), ..Self::default() }
    }

    /// The images by slot, in the order in which they are to be resolved.
    fn images(&self) -> [Option<(&'m Image, Purpose)>; SLOTS] {
        let second = self.second.or(self.brush.and_then(pattern));
        let mask = self.mask.and_then(|mask| image(&mask.bitmap));
        [
            self.source.map(|image| (image, Purpose::Color)),
            second.map(|image| (image, Purpose::Color)),
            mask.map(|image| (image, Purpose::Mask)),
        ]
    }
}

/// The place of the brush's pattern.
pub(super) const BRUSH: usize = 1;
const MASK: usize = 2;

impl Canvas {
    /// Resolves everything that a command reads, and calls `paint` if there is anything to draw.
    pub(super) fn draw(
        &mut self,
        what: Operation,
        base: &DisplayBase,
        reads: &Reads<'_>,
        paint: impl FnOnce(&mut Job<'_>) -> Result<(), Reason>,
    ) -> Result<Applied, CanvasError> {
        let mut problem = self.find_region(base).err();
        let to = self.surfaces.get(base.surface_id).map_or(PixelFormat::Bgrx, Surface::format);
        let needed = problem.is_none() && !self.region.is_empty();
        let images = reads.images();
        if self.waiting.is_some_and(|waiting| waiting != fingerprint(what, to, needed, &images)) {
            // Another message than the one that waited: it was given up.
            self.give_up();
        }
        for (slot, (image, purpose)) in images.iter().enumerate().filter_map(|(n, i)| Some((n, (*i)?))) {
            let limits = &self.config.limits;
            if let Some(blocked) = self.images.resolve(slot, image, purpose, to, needed, limits)? {
                self.waiting.get_or_insert_with(|| fingerprint(what, to, needed, &images));
                return Ok(Applied::Blocked(blocked));
            }
        }
        if needed {
            problem = self.paint(base, reads, &images, paint).err();
        }
        self.finish();
        if let Some(reason) = problem {
            self.undrawable(what, reason);
        }
        Ok(Applied::Done)
    }

    /// Sets the region to box, surface and clip.
    pub(super) fn find_region(&mut self, base: &DisplayBase) -> Result<(), Reason> {
        self.region.set_rect(Rect::default());
        let surface = self.surfaces.get(base.surface_id).ok_or(Reason::NoSurface(base.surface_id))?;
        let bounds = base.area.intersect(&surface.rect());
        match &base.clip {
            Clip::None => self.region.set_rect(bounds),
            Clip::Rects(rects) => {
                let (value, bound) = (rects.len() as u64, self.config.limits.clip_rects as u64);
                if value > bound {
                    return Err(Reason::Limit { limit: "clip_rects", value, bound });
                }
                self.region.set_union(bounds, rects.iter()).map_err(|_| Reason::Clip)?;
            }
        }
        Ok(())
    }

    fn paint(
        &mut self,
        base: &DisplayBase,
        reads: &Reads<'_>,
        images: &[Option<(&Image, Purpose)>; SLOTS],
        paint: impl FnOnce(&mut Job<'_>) -> Result<(), Reason>,
    ) -> Result<(), Reason> {
        let id = base.surface_id;
        let own = images.map(|image| image.is_some_and(|(image, _)| image.data == ImageData::Surface(id)));
        let copied = match own {
            [false, false, false] => None,
            [true, false, false] => self.copy_rows(base, reads.src_area),
            _ => self.copy_rows(base, None),
        };
        let Some(mut surface) = self.surfaces.take(id) else { return Err(Reason::NoSurface(id)) };
        let mut began = false;
        let result = (|| {
            let mut views: [Option<View<'_>>; SLOTS] = [None; SLOTS];
            for (slot, (image, _)) in images.iter().enumerate().filter_map(|(n, i)| Some((n, (*i)?))) {
                views[slot] = Some(match copied.filter(|_| own[slot]) {
                    Some(first_row) => View { data: &self.snapshot, first_row, ..surface_shape(&surface) },
                    None => self.images.view(slot, image, &self.surfaces)?,
                });
            }
            let mask: Option<Mask<'_>> = match (reads.mask, views[MASK]) {
                (Some(fields), Some(view)) if view.format == PixelFormat::A1 => {
                    Some(mask(view, &fields.pos, &base.area, fields.flags))
                }
                (Some(_), Some(_)) => return Err(Reason::MaskFormat),
                _ => None,
            };
            if let Some(mask) = &mask {
                self.region.clip_to(mask.cover());
            }
            let (region, rows) = (&mut self.region, &mut self.rows);
            began = true;
            paint(&mut Job { surface: &mut surface, region, area: base.area, mask, rows, views })
        })();
        self.surfaces.put_back(id, surface);
        // A bound may end a command half-way, and what was drawn up to there is seen.
        if began {
            self.add_damage(id);
        }
        result
    }

    /// Counts the region as damage if it lies on the visible surface.
    pub(super) fn add_damage(&mut self, id: SurfaceId) {
        if self.surfaces.primary() != Some(id) {
            return;
        }
        match self.region.rects() {
            few if few.len() <= 4 => few.iter().for_each(|r| self.damage.add(*r)),
            _ => self.damage.add(self.region.extents()),
        }
    }

    /// Copies the rows of the destination that a command also reads, all of them unless it reads only `src_area`. Gives
    /// the first row.
    fn copy_rows(&mut self, base: &DisplayBase, src_area: Option<&Rect>) -> Option<u32> {
        let surface = self.surfaces.get(base.surface_id)?;
        let height = i64::from(surface.height());
        let (first, end) = match src_area.filter(|src| !src.is_empty()) {
            // Filters are alike in how far they reach.
            Some(src) => Mapping::new(src, &base.area, Filter::Bilinear).rows_read(&self.region.extents()),
            None => (0, height),
        };
        let (first, end) = (first.clamp(0, height) as usize, end.clamp(0, height) as usize);
        let stride = surface.stride();
        let rows = surface.view().data.get(first * stride..end.max(first) * stride)?;
        self.snapshot.clear();
        self.snapshot.extend_from_slice(rows);
        u32::try_from(first).ok()
    }
}

/// A view of the surface's size and format without its pixels.
fn surface_shape(surface: &Surface) -> View<'static> {
    let view = View::packed(&[], surface.width(), surface.height(), surface.format());
    View { stride: surface.stride(), ..view }
}

pub(super) fn image(pointer: &Option<Ptr<Image>>) -> Option<&Image> {
    pointer.as_deref()
}

pub(super) fn pattern(brush: &WireBrush) -> Option<&Image> {
    match brush {
        WireBrush::Pattern(pattern) => Some(&pattern.image),
        _ => None,
    }
}
