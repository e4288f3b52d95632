//! The visible surface, its monitors and its damage, and what can be seen of all surfaces.

use spice_proto::msg::display::{Head, MonitorsConfig, SurfaceFormat};
use spice_proto::types::{Rect, SurfaceId};

use crate::canvas::Canvas;
use crate::canvas::outcome::{CanvasError, Event};
use crate::canvas::surface::View;

impl Canvas {
    /// Takes the rectangles of the visible surface that changed since the last call, in its pixels.
    ///
    /// There are at most [`CanvasLimits::damage_rects`] of them; together they cover everything that was drawn,
    /// and may cover more, and each other.
    ///
    /// [`CanvasLimits::damage_rects`]: crate::canvas::CanvasLimits::damage_rects
    pub fn drain_damage(&mut self) -> impl ExactSizeIterator<Item = Rect> + '_ {
        self.damage.drain()
    }

    /// The rectangles that [`drain_damage`](Self::drain_damage) would take.
    pub fn damage(&self) -> &[Rect] {
        self.damage.rects()
    }

    /// The visible surface, if there is one.
    pub fn primary(&self) -> Option<View<'_>> {
        self.view(self.surfaces.primary()?)
    }

    /// Any surface.
    pub fn view(&self, id: SurfaceId) -> Option<View<'_>> {
        self.surfaces.get(id).map(|surface| surface.view())
    }

    /// Whether the visible surface is complete, as the server said.
    pub fn is_marked(&self) -> bool {
        self.marked
    }

    /// The parts of the visible surface that are monitors, as the server sent them; they may overlap and exceed
    /// the surface. Empty: the whole surface is one.
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// Number of surfaces.
    pub fn surfaces(&self) -> usize {
        self.surfaces.len()
    }

    /// Bytes that all surfaces take.
    pub fn surface_bytes(&self) -> u64 {
        self.surfaces.bytes()
    }

    pub(super) fn create_surface(
        &mut self,
        id: SurfaceId,
        width: u32,
        height: u32,
        format: SurfaceFormat,
        primary: bool,
    ) -> Result<(), CanvasError> {
        let before = self.surfaces.primary();
        let made = self.surfaces.create(id, (width, height), format, primary, &self.config.limits)?;
        if made.destroyed {
            before.into_iter().for_each(|id| self.streams.detach(id));
            self.primary_destroyed();
        }
        if let Some(surface) = self.surfaces.get(id).filter(|_| made.primary) {
            let format = surface.format();
            self.damage.clear();
            self.damage.add(surface.rect());
            self.tell(Event::PrimaryCreated { width, height, format });
        }
        Ok(())
    }

    pub(super) fn primary_destroyed(&mut self) {
        self.marked = false;
        self.damage.clear();
        self.tell(Event::PrimaryDestroyed);
    }

    pub(super) fn reset(&mut self) {
        self.marked = false;
        self.images.palettes.clear();
        if let Some(primary) = self.surfaces.primary_mut() {
            primary.fill_zero();
            let all = primary.rect();
            self.damage.add(all);
        }
    }

    pub(super) fn monitors(&mut self, config: &MonitorsConfig) {
        if config.heads.is_empty() {
            return;
        }
        let most = usize::from(config.max_allowed).clamp(1, self.config.limits.heads.max(1));
        self.heads.clear();
        self.heads.extend(config.heads.iter().take(most));
        self.tell(Event::Monitors);
    }
}
