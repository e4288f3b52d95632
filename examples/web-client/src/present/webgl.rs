//! WebGL2: the screen is a texture, damage goes into it straight from the surface's memory, one quad shows it.

use spice_client::canvas::{PixelFormat, View};
use spice_proto::types::Rect;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{
    OffscreenCanvas, WebGl2RenderingContext as Gl, WebGlContextAttributes, WebGlPowerPreference,
    WebGlProgram, WebGlShader, WebGlTexture,
};

/// Shows a texture on a WebGL2 canvas.
pub(crate) struct WebGl {
    gl: Gl,
    canvas: OffscreenCanvas,
    texture: Option<WebGlTexture>,
    size: (u32, u32),
    /// One rectangle, of surfaces that are not in the texture's format.
    pixels: Vec<u8>,
}

impl WebGl {
    /// `None` where the browser has no WebGL2, or, if `fast_only`, where it would not be fast.
    pub(super) fn new(canvas: &OffscreenCanvas, fast_only: bool) -> Result<Option<Self>, JsValue> {
        let attributes = WebGlContextAttributes::new();
        attributes.set_alpha(false);
        attributes.set_antialias(false);
        attributes.set_depth(false);
        attributes.set_stencil(false);
        attributes.set_power_preference(WebGlPowerPreference::LowPower);
        attributes.set_fail_if_major_performance_caveat(fast_only);
        let Some(gl) = canvas.get_context_with_context_options("webgl2", &attributes)? else {
            return Ok(None);
        };
        let mut this = Self {
            gl: gl.dyn_into()?,
            canvas: canvas.clone(),
            texture: None,
            size: (0, 0),
            pixels: Vec::new(),
        };
        this.restore()?;
        Ok(Some(this))
    }

    pub(super) fn restore(&mut self) -> Result<(), JsValue> {
        let program = program(&self.gl)?;
        self.gl.use_program(Some(&program));
        let vertices = self.gl.create_vertex_array();
        self.gl.bind_vertex_array(vertices.as_ref());
        self.gl.pixel_storei(Gl::UNPACK_ALIGNMENT, 4);
        let (width, height) = self.size;
        self.texture = None;
        if width > 0 {
            self.resize(width, height);
        }
        Ok(())
    }

    pub(super) fn resize(&mut self, width: u32, height: u32) {
        let gl = &self.gl;
        self.size = (width, height);
        self.canvas.set_width(width);
        self.canvas.set_height(height);
        gl.delete_texture(self.texture.as_ref());
        self.texture = gl.create_texture();
        gl.bind_texture(Gl::TEXTURE_2D, self.texture.as_ref());
        gl.tex_storage_2d(Gl::TEXTURE_2D, 1, Gl::RGBA8, to_i32(width), to_i32(height));
        for (name, value) in [
            (Gl::TEXTURE_MIN_FILTER, Gl::NEAREST),
            (Gl::TEXTURE_MAG_FILTER, Gl::NEAREST),
            (Gl::TEXTURE_WRAP_S, Gl::CLAMP_TO_EDGE),
            (Gl::TEXTURE_WRAP_T, Gl::CLAMP_TO_EDGE),
        ] {
            gl.tex_parameteri(Gl::TEXTURE_2D, name, value as i32);
        }
        gl.viewport(0, 0, to_i32(width), to_i32(height));
    }

    pub(super) fn show(&mut self, view: &View<'_>, rects: &[Rect]) -> Result<(), JsValue> {
        for rect in rects {
            let rect = rect.intersect(&view.rect());
            if rect.is_empty() {
                continue;
            }
            let straight = matches!(view.format(), PixelFormat::Bgrx).then(|| view.span(rect)).flatten();
            if let Some((bytes, stride)) = straight {
                self.upload(rect, bytes, stride)?;
            } else {
                let stride = rect.width() as usize * 4;
                let mut pixels = std::mem::take(&mut self.pixels);
                pixels.resize(stride * rect.height() as usize, 0);
                view.write_bgrx(rect, &mut pixels);
                self.upload(rect, &pixels, stride)?;
                self.pixels = pixels;
            }
        }
        self.gl.draw_arrays(Gl::TRIANGLES, 0, 3);
        Ok(())
    }

    /// Copies a rectangle into the texture. The browser reads it where it is, row by row.
    fn upload(&self, rect: Rect, bytes: &[u8], stride: usize) -> Result<(), JsValue> {
        self.gl.pixel_storei(Gl::UNPACK_ROW_LENGTH, i32::try_from(stride / 4).unwrap_or(i32::MAX));
        self.gl.tex_sub_image_2d_with_i32_and_i32_and_u32_and_type_and_opt_u8_array(
            Gl::TEXTURE_2D,
            0,
            rect.left,
            rect.top,
            to_i32(rect.width()),
            to_i32(rect.height()),
            Gl::RGBA,
            Gl::UNSIGNED_BYTE,
            Some(bytes),
        )
    }

    pub(super) fn read(&self) -> Option<Vec<u8>> {
        let (width, height) = self.size;
        let row = width as usize * 4;
        let mut pixels = vec![0; row * height as usize];
        self.gl.draw_arrays(Gl::TRIANGLES, 0, 3);
        self.gl
            .read_pixels_with_opt_u8_array(
                0,
                0,
                to_i32(width),
                to_i32(height),
                Gl::RGBA,
                Gl::UNSIGNED_BYTE,
                Some(&mut pixels),
            )
            .ok()?;
        // It counts rows from the bottom.
        Some(pixels.rchunks_exact(row.max(1)).flatten().copied().collect())
    }
}

fn program(gl: &Gl) -> Result<WebGlProgram, JsValue> {
    let failed = || js_sys::Error::new("the browser does not take the shader program");
    let program = gl.create_program().ok_or_else(failed)?;
    for (kind, source) in [(Gl::VERTEX_SHADER, VERTEX), (Gl::FRAGMENT_SHADER, FRAGMENT)] {
        gl.attach_shader(&program, &shader(gl, kind, source).ok_or_else(failed)?);
    }
    gl.link_program(&program);
    let linked = gl.get_program_parameter(&program, Gl::LINK_STATUS).as_bool().unwrap_or(false);
    // A lost context compiles nothing; it will be restored.
    if linked || gl.is_context_lost() { Ok(program) } else { Err(failed().into()) }
}

fn shader(gl: &Gl, kind: u32, source: &str) -> Option<WebGlShader> {
    let shader = gl.create_shader(kind)?;
    gl.shader_source(&shader, source);
    gl.compile_shader(&shader);
    Some(shader)
}

fn to_i32(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// One triangle that covers the canvas; the texture's first row is the screen's upper one.
const VERTEX: &str = "#version 300 es
out vec2 at;
void main() {
    vec2 corner = vec2(float((gl_VertexID & 1) << 2), float((gl_VertexID & 2) << 1));
    at = vec2(corner.x, 2.0 - corner.y) * 0.5;
    gl_Position = vec4(corner - 1.0, 0.0, 1.0);
}
";
/// Memory holds blue, green, red; the fourth byte has no meaning.
const FRAGMENT: &str = "#version 300 es
precision mediump float;
uniform sampler2D screen;
in vec2 at;
out vec4 colour;
void main() {
    colour = vec4(texture(screen, at).bgr, 1.0);
}
";
