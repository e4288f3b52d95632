//! From surface memory to the canvas of the page, by rectangle.

mod flat;
mod webgl;

use spice_client::canvas::View;
use spice_proto::types::Rect;
use wasm_bindgen::prelude::*;
use web_sys::OffscreenCanvas;

use flat::Flat;
use webgl::WebGl;

/// What brings pixels to the screen.
pub(crate) enum Presenter {
    /// Through WebGL2: one texture, one quad.
    WebGl(WebGl),
    /// Through the 2D canvas.
    Flat(Flat),
    /// Nothing is shown; pictures can still be taken.
    None,
}

impl Presenter {
    /// The presenter that `wish` names, "webgl2", "2d" or "none"; anything else is the best that the browser has:
    /// WebGL2 where a graphics processor does it, the 2D canvas where WebGL would be the processor's work.
    pub(crate) fn new(canvas: Option<OffscreenCanvas>, wish: &str) -> Result<Self, JsValue> {
        let Some(canvas) = canvas else { return Ok(Self::None) };
        match wish {
            "none" => Ok(Self::None),
            "2d" => Flat::new(canvas).map(Self::Flat),
            "webgl2" => WebGl::new(&canvas, false)?.map_or_else(
                || Err(js_sys::Error::new("this browser has no WebGL2 in workers").into()),
                |gl| Ok(Self::WebGl(gl)),
            ),
            _ => match WebGl::new(&canvas, true)? {
                Some(gl) => Ok(Self::WebGl(gl)),
                None => Flat::new(canvas).map(Self::Flat),
            },
        }
    }

    /// Its name, as [`Presenter::new`] takes it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::WebGl(_) => "webgl2",
            Self::Flat(_) => "2d",
            Self::None => "none",
        }
    }

    /// Milliseconds from one frame to the next at least. Where no graphics processor helps, each frame costs the browser
    /// a copy of the whole canvas, however little has changed.
    pub(crate) fn pace_ms(&self) -> f64 {
        match self {
            Self::Flat(_) => SLOW_PACE_MS,
            Self::WebGl(_) | Self::None => 0.0,
        }
    }

    /// Gives the canvas another size in pixels; it is black until shown again.
    pub(crate) fn resize(&mut self, width: u32, height: u32) {
        match self {
            Self::WebGl(gl) => gl.resize(width, height),
            Self::Flat(flat) => flat.resize(width, height),
            Self::None => {}
        }
    }

    /// Brings these rectangles of the screen to the canvas.
    pub(crate) fn show(&mut self, view: &View<'_>, rects: &[Rect]) -> Result<(), JsValue> {
        match self {
            Self::WebGl(gl) => gl.show(view, rects),
            Self::Flat(flat) => flat.show(view, rects),
            Self::None => Ok(()),
        }
    }

    /// Takes the whole screen up again, after the browser lost the canvas's content.
    pub(crate) fn restore(&mut self) -> Result<(), JsValue> {
        match self {
            Self::WebGl(gl) => gl.restore(),
            Self::Flat(_) | Self::None => Ok(()),
        }
    }

    /// What the canvas holds: rows from the top of bytes r, g, b, a. `None` if there is nothing to read.
    pub(crate) fn read(&self) -> Option<Vec<u8>> {
        match self {
            Self::WebGl(gl) => gl.read(),
            Self::Flat(flat) => flat.read(),
            Self::None => None,
        }
    }
}

/// 25 frames a second, as films have.
const SLOW_PACE_MS: f64 = 40.0;
