//! The surfaces of one display channel.

use std::collections::BTreeMap;

use spice_codecs::PixelFormat;
use spice_proto::msg::display::SurfaceFormat;
use spice_proto::types::SurfaceId;

use crate::canvas::config::CanvasLimits;
use crate::canvas::format::bytes_per_pixel;
use crate::canvas::outcome::CanvasError;
use crate::canvas::share::Share;
use crate::canvas::surface::Surface;

/// Surfaces by id, and which of them is visible.
#[derive(Debug, Default)]
pub(super) struct Surfaces {
    map: BTreeMap<SurfaceId, Surface>,
    /// INVARIANT: a key of the map.
    primary: Option<SurfaceId>,
    /// INVARIANT: the bytes of all surfaces.
    bytes: u64,
    share: Share,
}

/// What became of the visible surface when another one was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Made {
    /// There was a visible surface, and it is gone.
    pub(super) destroyed: bool,
    /// The new surface is the visible one.
    pub(super) primary: bool,
}

impl Surfaces {
    /// None yet.
    pub(super) fn new(share: Share) -> Self {
        Self { share, ..Self::default() }
    }

    /// Makes a surface of zeros in the place of the one that has its id.
    ///
    /// A visible surface takes over the content of the one before if size and format agree.
    pub(super) fn create(
        &mut self,
        id: SurfaceId,
        (width, height): (u32, u32),
        format: SurfaceFormat,
        primary: bool,
        limits: &CanvasLimits,
    ) -> Result<Made, CanvasError> {
        let format = pixel_format(format).ok_or(CanvasError::SurfaceFormat { id, format: format.0 })?;
        let row = (u64::from(width) * bytes_per_pixel(format) as u64).next_multiple_of(4);
        let bytes = row.saturating_mul(u64::from(height));
        let side = width.max(height);
        if width == 0 || height == 0 || side > limits.surface_side || bytes > limits.surface_bytes {
            return Err(CanvasError::SurfaceSize { id, width, height });
        }
        if primary
            && self.primary == Some(id)
            && self
                .map
                .get(&id)
                .is_some_and(|old| (old.width(), old.height(), old.format()) == (width, height, format))
        {
            return Ok(Made { destroyed: false, primary: true });
        }
        let mut destroyed = self.destroy(id);
        if let Some(old) = self.primary.filter(|_| primary) {
            destroyed |= self.destroy(old);
        }
        limit("surfaces", self.map.len() as u64 + 1, limits.surfaces as u64)?;
        limit("surfaces_bytes", self.bytes + bytes, limits.surfaces_bytes)?;
        let bound = limits.session_bytes;
        self.share.take(bytes, bound).map_err(|value| CanvasError::Limit {
            limit: "session_bytes",
            value,
            bound,
        })?;
        let surface = Surface::new(width, height, format);
        self.bytes += surface.bytes();
        self.map.insert(id, surface);
        if primary {
            self.primary = Some(id);
        }
        Ok(Made { destroyed, primary })
    }

    /// Removes a surface; says whether it was the visible one. An unknown id is ignored.
    pub(super) fn destroy(&mut self, id: SurfaceId) -> bool {
        if let Some(surface) = self.map.remove(&id) {
            self.bytes -= surface.bytes();
            self.share.give(surface.bytes());
        }
        self.primary.take_if(|primary| *primary == id).is_some()
    }

    pub(super) fn get(&self, id: SurfaceId) -> Option<&Surface> {
        self.map.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: SurfaceId) -> Option<&mut Surface> {
        self.map.get_mut(&id)
    }

    /// Lends a surface out, so that others can be read while it is drawn to. Give it back with
    /// [`put_back`](Self::put_back).
    pub(super) fn take(&mut self, id: SurfaceId) -> Option<Surface> {
        self.map.get_mut(&id).map(std::mem::take)
    }

    pub(super) fn put_back(&mut self, id: SurfaceId, surface: Surface) {
        if let Some(place) = self.map.get_mut(&id) {
            *place = surface;
        }
    }

    pub(super) fn primary(&self) -> Option<SurfaceId> {
        self.primary
    }

    pub(super) fn primary_mut(&mut self) -> Option<&mut Surface> {
        self.map.get_mut(&self.primary?)
    }

    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Removes all surfaces except the visible one.
    pub(super) fn keep_primary(&mut self) {
        let primary = self.primary;
        self.map.retain(|id, _| Some(*id) == primary);
        let kept = self.map.values().map(Surface::bytes).sum();
        self.share.give(self.bytes.saturating_sub(kept));
        self.bytes = kept;
    }
}

fn limit(limit: &'static str, value: u64, bound: u64) -> Result<(), CanvasError> {
    if value <= bound { Ok(()) } else { Err(CanvasError::Limit { limit, value, bound }) }
}

fn pixel_format(format: SurfaceFormat) -> Option<PixelFormat> {
    Some(match format {
        SurfaceFormat::A1 => PixelFormat::A1,
        SurfaceFormat::A8 => PixelFormat::A8,
        SurfaceFormat::X555 => PixelFormat::Rgb555,
        SurfaceFormat::R565 => PixelFormat::Rgb565,
        SurfaceFormat::XRGB => PixelFormat::Bgrx,
        SurfaceFormat::ARGB => PixelFormat::Bgra,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(
        surfaces: &mut Surfaces,
        id: u32,
        size: (u32, u32),
        primary: bool,
    ) -> Result<Made, CanvasError> {
        let mut limits = CanvasLimits::default();
        (limits.surfaces, limits.surface_side) = (3, 1000);
        (limits.surface_bytes, limits.surfaces_bytes) = (1_000_000, 1_500_000);
        surfaces.create(SurfaceId(id), size, SurfaceFormat::XRGB, primary, &limits)
    }

    #[test]
    fn a_primary_of_the_same_kind_keeps_its_content() {
        let mut surfaces = Surfaces::default();
        let made = |destroyed| Made { destroyed, primary: true };
        assert_eq!(create(&mut surfaces, 0, (4, 4), true), Ok(made(false)));
        surfaces.primary_mut().unwrap().span_mut(0, 0, 1).fill(9);
        assert_eq!(create(&mut surfaces, 0, (4, 4), true), Ok(made(false)));
        assert_eq!(surfaces.primary_mut().unwrap().span_mut(0, 0, 1), [9; 4]);
        assert_eq!(create(&mut surfaces, 0, (4, 5), true), Ok(made(true)));
        assert_eq!(surfaces.primary_mut().unwrap().span_mut(0, 0, 1), [0; 4]);
        assert_eq!(create(&mut surfaces, 7, (4, 5), true), Ok(made(true)), "another id");
        assert_eq!(surfaces.len(), 1);
        assert!(surfaces.destroy(SurfaceId(7)));
        assert!(!surfaces.destroy(SurfaceId(7)));
        assert_eq!(surfaces.bytes(), 0);
    }

    #[test]
    fn limit_surfaces() {
        let mut surfaces = Surfaces::default();
        for id in 0..3 {
            create(&mut surfaces, id, (2, 2), false).unwrap();
        }
        create(&mut surfaces, 2, (2, 2), false).unwrap();
        let error = create(&mut surfaces, 3, (2, 2), false);
        assert_eq!(error, Err(CanvasError::Limit { limit: "surfaces", value: 4, bound: 3 }));
    }

    #[test]
    fn limit_surface_side_and_bytes() {
        let mut surfaces = Surfaces::default();
        for size in [(0, 1), (1, 0), (1001, 1), (1, 1001), (600, 600), (u32::MAX, u32::MAX)] {
            assert!(matches!(create(&mut surfaces, 0, size, true), Err(CanvasError::SurfaceSize { .. })));
        }
        assert_eq!(surfaces.bytes(), 0);
    }

    #[test]
    fn limit_surfaces_bytes() {
        let mut surfaces = Surfaces::default();
        create(&mut surfaces, 0, (500, 500), false).unwrap();
        let error = create(&mut surfaces, 1, (500, 500), false);
        assert!(matches!(error, Err(CanvasError::Limit { limit: "surfaces_bytes", .. })));
        create(&mut surfaces, 0, (300, 300), false).unwrap();
        create(&mut surfaces, 1, (500, 500), false).unwrap();
    }

    #[test]
    fn unknown_formats_are_refused() {
        let limits = CanvasLimits::default();
        let error = Surfaces::default().create(SurfaceId(1), (1, 1), SurfaceFormat(24), false, &limits);
        assert_eq!(error, Err(CanvasError::SurfaceFormat { id: SurfaceId(1), format: 24 }));
    }
}
