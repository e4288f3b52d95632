//! Messages of the display channel, each to where it is carried out.

use spice_proto::msg::display::{ResourceType, ServerMessage, SurfaceFlags, SurfaceFormat};
use spice_proto::types::{ImageId, SurfaceId};

use crate::canvas::Canvas;
use crate::canvas::outcome::{Applied, CanvasError, Event};
#[cfg(all(feature = "parallel", not(target_arch = "wasm32")))]
use crate::canvas::parallel::Prepared;

impl Canvas {
    /// Carries out one message of the display channel.
    ///
    /// INVAL_ALL_PIXMAPS empties the cache at once: whoever feeds the canvas has waited for the channels listed in
    /// it, as for the base message WAIT_FOR_CHANNELS.
    ///
    /// # Errors
    ///
    /// [`CanvasError`] if the channel cannot go on; the same for every later message, until
    /// [`disconnect`](Self::disconnect).
    pub fn apply(&mut self, message: &ServerMessage) -> Result<Applied, CanvasError> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        self.carry_out(message).inspect_err(|error| self.failed = Some(*error))
    }

    fn carry_out(&mut self, message: &ServerMessage) -> Result<Applied, CanvasError> {
        match message {
            ServerMessage::DrawCopy(m) => return self.draw_copy(m),
            ServerMessage::DrawFill(m) => return self.draw_fill(m),
            ServerMessage::CopyBits(m) => return self.copy_bits(m),
            ServerMessage::DrawOpaque(m) => return self.draw_opaque(m),
            ServerMessage::DrawBlend(m) => return self.draw_blend(m),
            ServerMessage::DrawBlackness(m) => return self.draw_blackness(m),
            ServerMessage::DrawWhiteness(m) => return self.draw_whiteness(m),
            ServerMessage::DrawInvers(m) => return self.draw_invers(m),
            ServerMessage::DrawRop3(m) => return self.draw_rop3(m),
            ServerMessage::DrawStroke(m) => return self.draw_stroke(m),
            ServerMessage::DrawText(m) => return self.draw_text(m),
            ServerMessage::DrawTransparent(m) => return self.draw_transparent(m),
            ServerMessage::DrawAlphaBlend(m) => return self.draw_alpha_blend(m),
            ServerMessage::DrawComposite(m) => return self.draw_composite(m),
            ServerMessage::SurfaceCreate(m) => {
                let primary = m.flags.contains(SurfaceFlags::PRIMARY);
                self.create_surface(m.surface_id, m.width, m.height, m.format, primary)?;
            }
            ServerMessage::Mode(m) => {
                let format = if m.bits == 32 { SurfaceFormat::XRGB } else { SurfaceFormat::X555 };
                self.create_surface(SurfaceId::PRIMARY, m.x_res, m.y_res, format, true)?;
            }
            ServerMessage::SurfaceDestroy(m) => {
                self.streams.detach(m.surface_id);
                if self.surfaces.destroy(m.surface_id) {
                    self.primary_destroyed();
                }
            }
            ServerMessage::Mark => {
                if self.surfaces.primary().is_some() {
                    self.marked = true;
                    self.tell(Event::Mark);
                }
            }
            ServerMessage::Reset => self.reset(),
            ServerMessage::InvalList(m) => {
                let mut pixmaps = self.images.caches.pixmaps();
                for resource in m.resources.iter().filter(|r| r.kind == ResourceType::PIXMAP) {
                    pixmaps.release(ImageId(resource.id));
                }
            }
            ServerMessage::InvalAllPixmaps(_) => self.images.caches.pixmaps().clear(),
            ServerMessage::InvalPalette(m) => self.images.palettes.remove(m.id),
            ServerMessage::InvalAllPalettes => self.images.palettes.clear(),
            ServerMessage::MonitorsConfig(m) => self.monitors(m),
            ServerMessage::StreamCreate(m) => self.stream_create(m)?,
            ServerMessage::StreamDestroy(m) => self.streams.remove(m.id),
            ServerMessage::StreamDestroyAll => self.streams.clear(),
            ServerMessage::StreamData(m) => self.stream_frame(m.id, None, &m.data),
            ServerMessage::StreamDataSized(m) => self.stream_frame(m.id, Some(m.dest), &m.data),
            ServerMessage::StreamClip(m) => self.stream_clip(m),
            // Reports take a clock.
            ServerMessage::StreamActivateReport(_) => {}
            ServerMessage::GlScanoutUnix(m) => self.tell(Event::GlScanout(*m)),
            ServerMessage::GlDraw(m) => self.tell(Event::GlDraw(*m)),
            ServerMessage::QualityIndicator(_) | ServerMessage::Unknown { .. } => {}
        }
        Ok(Applied::Done)
    }

    /// [`apply`](Self::apply) for a message whose picture may have been decoded ahead. Waits for a picture that is just
    /// being decoded, and decodes those of later messages meanwhile. A message that is [`Applied::Blocked`] is to be
    /// kept for the next attempt.
    ///
    /// # Errors
    ///
    /// [`CanvasError`] if the channel cannot go on.
    #[cfg(all(feature = "parallel", not(target_arch = "wasm32")))]
    #[cfg_attr(docsrs, doc(cfg(feature = "parallel")))]
    pub fn apply_prepared(&mut self, prepared: &Prepared) -> Result<Applied, CanvasError> {
        self.images.ahead = prepared.picture(&mut self.images);
        let applied = self.apply(prepared.message());
        self.images.ahead = None;
        applied
    }

    /// Forgets what is there of a message that was [`Applied::Blocked`] and does not come again: whoever waits no longer
    /// for what it needs calls this before the next message. An image of the GLZ window in it is lost.
    pub fn give_up(&mut self) {
        self.finish();
        self.images.forget_waiting();
    }

    /// Forgets what a lost connection leaves behind: palettes, streams and all surfaces but the visible one,
    /// which stays on screen until the next connection replaces it. The shared caches are the session's to clear.
    pub fn disconnect(&mut self) {
        self.surfaces.keep_primary();
        self.images.palettes.clear();
        self.give_up();
        self.failed = None;
        self.streams.clear();
        self.reported.clear();
    }

    /// Ends a drawing command: gives back working memory of unusual size.
    pub(super) fn finish(&mut self) {
        self.waiting = None;
        let limits = &self.config.limits;
        self.images.finish(limits);
        for buffer in [&mut self.snapshot, &mut self.rows.coverage] {
            if buffer.capacity() > limits.scratch_bytes {
                *buffer = Vec::new();
            }
        }
    }
}
