//! The 2D canvas.

use js_sys::{Object, Reflect};
use spice_client::canvas::View;
use spice_proto::types::Rect;
use wasm_bindgen::prelude::*;
use wasm_bindgen::{Clamped, JsCast};
use web_sys::{ImageData, OffscreenCanvas, OffscreenCanvasRenderingContext2d};

/// Puts rectangles onto a 2D canvas.
pub(crate) struct Flat {
    canvas: OffscreenCanvas,
    context: OffscreenCanvasRenderingContext2d,
    /// One rectangle in the browser's order of colours.
    pixels: Vec<u8>,
}

impl Flat {
    pub(super) fn new(canvas: OffscreenCanvas) -> Result<Self, JsValue> {
        let options = Object::new();
        for (name, value) in [("alpha", false), ("desynchronized", false), ("willReadFrequently", true)] {
            Reflect::set(&options, &name.into(), &value.into())?;
        }
        let context = canvas.get_context_with_context_options("2d", &options)?;
        let context =
            context.ok_or_else(|| js_sys::Error::new("this browser has no 2D canvas in workers"))?;
        Ok(Self { canvas, context: context.dyn_into()?, pixels: Vec::new() })
    }

    pub(super) fn resize(&mut self, width: u32, height: u32) {
        self.canvas.set_width(width);
        self.canvas.set_height(height);
    }

    pub(super) fn show(&mut self, view: &View<'_>, rects: &[Rect]) -> Result<(), JsValue> {
        for rect in rects {
            let rect = rect.intersect(&view.rect());
            if rect.is_empty() {
                continue;
            }
            let len = rect.width() as usize * rect.height() as usize * 4;
            if self.pixels.len() < len {
                self.pixels.resize(len, 0);
            }
            let written = view.write_rgba(rect, &mut self.pixels[..len]);
            let pixels =
                ImageData::new_with_u8_clamped_array(Clamped(&self.pixels[..written]), rect.width())?;
            self.context.put_image_data(&pixels, rect.left.into(), rect.top.into())?;
        }
        if self.pixels.len() > KEPT {
            self.pixels = Vec::new();
        }
        Ok(())
    }

    pub(super) fn read(&self) -> Option<Vec<u8>> {
        let (width, height) = (self.canvas.width(), self.canvas.height());
        let data = self.context.get_image_data(0.0, 0.0, width.into(), height.into()).ok()?;
        Some(data.data().0)
    }
}

/// Bytes kept from one frame to the next: a screen of 1920 by 1080 pixels.
const KEPT: usize = 1920 * 1080 * 4;
