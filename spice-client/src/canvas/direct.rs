//! COPY of a picture that is decoded straight into the surface.

use spice_proto::msg::display::{Clip, DrawCopy};

use crate::canvas::Canvas;
use crate::canvas::command::image;
use crate::canvas::images::{Direct, Images};
use crate::canvas::outcome::{Applied, CanvasError, Operation};
use crate::canvas::rop::{Rop, ropd};

impl Canvas {
    /// Decodes a picture that replaces a rectangle of the surface straight into it. `None` if that cannot be.
    pub(super) fn copy_direct(&mut self, m: &DrawCopy) -> Result<Option<Applied>, CanvasError> {
        let (Some(source), None) = (image(&m.src_bitmap), &m.mask.bitmap) else { return Ok(None) };
        let rop = Rop::from_descriptor(m.rop.bits(), ropd::INVERS_SRC, ropd::INVERS_DEST);
        let area = m.base.area;
        let Some(surface) = self.surfaces.get_mut(m.base.surface_id) else { return Ok(None) };
        let to = surface.format();
        let whole_picture = (m.src_area.left, m.src_area.top) == (0, 0)
            && (m.src_area.width(), m.src_area.height()) == (source.width, source.height);
        let fits = (area.width(), area.height()) == (source.width, source.height)
            && area.intersect(&surface.rect()) == area;
        let clipped = match &m.base.clip {
            Clip::None => false,
            Clip::Rects(rects) => !rects.iter().any(|r| r.intersect(&area) == area),
        };
        if rop != Rop::COPY || !whole_picture || !fits || clipped || !Images::is_direct(source, to) {
            return Ok(None);
        }
        let limits = &self.config.limits;
        self.images.keep_palette(source, limits)?;
        let decoded = self.images.decode_direct(source, limits, surface, area);
        self.images.shrink_to(limits.scratch_bytes);
        match decoded {
            Direct::Elsewhere => return Ok(None),
            Direct::Drawn => {}
            Direct::Refused(reason) => {
                self.undrawable(Operation::Copy, reason);
                return Ok(Some(Applied::Done));
            }
            Direct::Damaged(reason) => {
                // Whatever half of a damaged picture is there must not be seen.
                for y in area.top..area.bottom {
                    surface.span_mut(y, area.left, area.right).fill(0);
                }
                self.undrawable(Operation::Copy, reason);
            }
        }
        if self.surfaces.primary() == Some(m.base.surface_id) {
            self.damage.add(area);
        }
        Ok(Some(Applied::Done))
    }
}
