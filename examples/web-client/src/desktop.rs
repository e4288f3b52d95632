//! What the worker's script calls.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use spice_client::Handle;
use spice_client::keyboard::{Key, Layout};
use spice_client::transport::websocket::{Browser, Traffic};
use spice_proto::msg::display::ImageCompression;
use spice_proto::msg::inputs::{KeyboardModifiers, MouseButton};
use wasm_bindgen::prelude::*;
use web_sys::{Blob, OffscreenCanvas};

use crate::begin;
use crate::begun::Begun;
use crate::demo::Demo;
use crate::guest::{self, Transfers};
use crate::page::Page;
use crate::painter::Painter;
use crate::screen::Screen;
use crate::session::{self, Session, text};
use crate::stats::KINDS;

/// One machine's screen: connects, draws, takes input; keeps the last picture between connections.
#[wasm_bindgen]
pub struct Desktop {
    page: Page,
    screen: Rc<RefCell<Screen>>,
    painter: Rc<Painter>,
    session: Option<Session>,
    traffic: Traffic,
    /// Buttons that the server was told are held, as `MouseEvent.buttons`.
    buttons: u32,
    /// Where the page last led the pointer.
    pointer: (u32, u32),
    /// The compression that servers are asked for.
    compression: Option<ImageCompression>,
}

#[wasm_bindgen]
impl Desktop {
    /// A desktop that is shown nowhere yet.
    #[wasm_bindgen(constructor)]
    pub fn new(page: Page) -> Desktop {
        let screen = Rc::new(RefCell::new(Screen::new(page.clone())));
        let painter = Painter::new(Rc::clone(&screen), page.clone());
        Self {
            page,
            screen,
            painter,
            session: None,
            traffic: Traffic::default(),
            buttons: 0,
            pointer: (0, 0),
            compression: None,
        }
    }

    /// From now on draws on `canvas`, through "webgl2", "2d", "none", or what suits the browser ("auto"). A connection
    /// may have begun before; its first picture is complete once it is on the canvas.
    ///
    /// # Errors
    /// An exception when the browser cannot draw in that way.
    pub fn attach(&mut self, canvas: Option<OffscreenCanvas>, renderer: &str) -> Result<(), JsValue> {
        self.screen.borrow_mut().attach(canvas, renderer)?;
        self.painter.order();
        Ok(())
    }

    /// Connects to the WebSocket at `url`, or to the built-in demo without one; a connection before it ends silently.
    /// `shown` is what errors call the address. What comes of it is told to the page. It goes on with what has
    /// `begun`.
    pub fn connect(&mut self, url: Option<String>, shown: &str, password: &str, begun: Option<Begun>) {
        self.replace();
        let browser = url.map(|url| {
            let browser = Browser::new(&url);
            match begun {
                Some(begun) => begun.hand_over(browser),
                None => browser,
            }
        });
        let mut config = match begin::config(shown).password(password) {
            Ok(config) => config,
            Err(error) => return self.page.ended("password-impossible", &error.to_string()),
        };
        if let Some(wish) = self.compression {
            config.session.display.compression = Some(wish);
        }
        let (page, painter) = (self.page.clone(), Rc::clone(&self.painter));
        match browser {
            Some(browser) => {
                self.traffic = browser.traffic().clone();
                self.session = Some(session::start(browser, config, page, painter));
            }
            None => match Demo::new() {
                Ok(demo) => {
                    self.traffic = Traffic::default();
                    self.session = Some(session::start(demo, config, page, painter));
                }
                Err(error) => self.page.ended("failed", &error.to_string()),
            },
        }
    }

    /// Ends the connection; the page is told.
    pub fn disconnect(&mut self) {
        self.command(|handle| handle.disconnect());
    }

    /// Presses or releases the key that `KeyboardEvent.code` names; false for keys that no keyboard of a PC has.
    pub fn key(&mut self, code: &str, down: bool) -> bool {
        let Some(key) = Key::from_code(code) else { return false };
        self.send_key(key, down);
        true
    }

    /// Presses or releases the key of a scan code, set 1: 0x1e, or 0xe01d for those with a prefix.
    pub fn scancode(&mut self, code: u16, down: bool) {
        self.send_key(Key::xt(code), down);
    }

    /// Types a text on a keyboard of this layout, which must be the guest's: us, gb, de, fr, es, it or jp. Resolves
    /// with the characters that the layout does not have.
    pub fn text(&mut self, text: &str, layout: &str) -> Promise {
        self.screen.borrow_mut().asked();
        let layout = layout.parse().unwrap_or_default();
        self.ask(|handle, _| {
            guest::promise(handle.type_text(text, layout), |left: Vec<char>| {
                left.into_iter().collect::<String>().into()
            })
        })
    }

    /// The characters of a text that a layout does not have, each once.
    pub fn untypable(&self, text: &str, layout: &str) -> String {
        let layout: Layout = layout.parse().unwrap_or_default();
        layout.strokes(text).untypable.into_iter().collect()
    }

    /// Makes a living server answer: movements to where the pointer is, as many as it acknowledges at once.
    pub fn probe(&mut self) {
        let (x, y) = self.pointer;
        let display = self.screen.borrow().shown();
        for _ in 0..PROBES {
            self.command(|handle| handle.pointer_position(x, y, display));
            self.command(|handle| handle.pointer_motion(0, 0));
        }
    }

    /// Releases all keys and buttons that are held.
    #[wasm_bindgen(js_name = releaseAll)]
    pub fn release_all(&mut self) {
        self.command(|handle| handle.release_keys());
        self.buttons(0);
    }

    /// Makes the guest's locks so: 1 scroll lock, 2 num lock, 4 caps lock.
    #[wasm_bindgen(js_name = setLocks)]
    pub fn set_locks(&mut self, bits: u16) {
        self.command(|handle| handle.set_locks(KeyboardModifiers::from_bits_retain(bits)));
    }

    /// Moves the pointer to a place in pixels of the screen, in absolute mode.
    #[wasm_bindgen(js_name = moveTo)]
    pub fn move_to(&mut self, x: u32, y: u32) {
        let display = self.screen.borrow().shown();
        self.pointer = (x, y);
        self.command(|handle| handle.pointer_position(x, y, display));
    }

    /// Moves the pointer by so many pixels, in relative mode.
    #[wasm_bindgen(js_name = moveBy)]
    pub fn move_by(&mut self, dx: i32, dy: i32) {
        self.command(|handle| handle.pointer_motion(dx, dy));
    }

    /// Makes exactly these buttons held, as in `MouseEvent.buttons`: 1 left, 2 right, 4 middle, 8 back, 16 forward.
    pub fn buttons(&mut self, buttons: u32) {
        let changed = self.buttons ^ buttons;
        for (bit, button) in BUTTONS {
            if changed & bit == 0 {
                continue;
            }
            let down = buttons & bit != 0;
            self.command(|handle| if down { handle.button_down(button) } else { handle.button_up(button) });
            self.screen.borrow_mut().asked();
        }
        self.buttons = buttons;
    }

    /// Turns the wheel by so many notches, away from the user if negative; parts of notches are kept.
    pub fn wheel(&mut self, notches: f64) {
        self.command(|handle| handle.scroll(notches));
        self.screen.borrow_mut().asked();
    }

    /// Asks the guest for a resolution; resolves with the width and height that it has in the end.
    #[wasm_bindgen(js_name = setResolution)]
    pub fn set_resolution(&self, width: u32, height: u32) -> Promise {
        self.ask(|handle, _| guest::set_resolution(handle, width, height))
    }

    /// Offers contents to the guest's clipboard: MIME types, and a Uint8Array for each.
    #[wasm_bindgen(js_name = setClipboard)]
    pub fn set_clipboard(&self, types: Vec<String>, contents: &Array) -> Promise {
        self.ask(|handle, _| guest::set_clipboard(handle, &types, contents))
    }

    /// Fetches what the guest's clipboard offers in a MIME type; resolves with a Uint8Array.
    #[wasm_bindgen(js_name = requestClipboard)]
    pub fn request_clipboard(&self, name: &str) -> Promise {
        self.ask(|handle, _| guest::request_clipboard(handle, name))
    }

    /// Sends a file into the guest; resolves when it has all of it. `id` is a number of the page's choice.
    #[wasm_bindgen(js_name = sendFile)]
    pub fn send_file(&self, name: &str, blob: Blob, id: u32) -> Promise {
        self.ask(|handle, transfers| guest::send_file(handle, transfers, name, blob, id))
    }

    /// Calls the file of that number off.
    #[wasm_bindgen(js_name = cancelFile)]
    pub fn cancel_file(&self, id: u32) {
        if let Some(session) = &self.session {
            guest::cancel_file(&session.handle, &session.transfers, id);
        }
    }

    /// Asks this server and those to come for a compression of pictures: "off", "quic", "lz", "glz", "lz4", "auto-lz",
    /// "auto-glz"; with "server", those to come for none. False for anything else.
    #[wasm_bindgen(js_name = preferCompression)]
    pub fn prefer_compression(&mut self, name: &str) -> bool {
        let wish = match name {
            "off" => ImageCompression::OFF,
            "quic" => ImageCompression::QUIC,
            "lz" => ImageCompression::LZ,
            "glz" => ImageCompression::GLZ,
            "lz4" => ImageCompression::LZ4,
            "auto-lz" => ImageCompression::AUTO_LZ,
            "auto-glz" => ImageCompression::AUTO_GLZ,
            "server" => {
                self.compression = None;
                return true;
            }
            _ => return false,
        };
        self.compression = Some(wish);
        for id in self.displays() {
            self.command(|handle| handle.prefer_compression(id, wish));
        }
        true
    }

    /// What [`Page::frame`] tells of each frame: 0 nothing, 1 rectangles, 2 their pixels too.
    #[wasm_bindgen(js_name = setFrames)]
    pub fn set_frames(&mut self, frames: u32) {
        self.screen.borrow_mut().set_frames(frames);
    }

    /// Whether nothing is to be brought to the canvas, because nobody sees it.
    #[wasm_bindgen(js_name = setPaused)]
    pub fn set_paused(&mut self, paused: bool) {
        self.screen.borrow_mut().set_paused(paused);
        self.painter.order();
    }

    /// The numbers of the display channels.
    pub fn displays(&self) -> Vec<u8> {
        self.screen.borrow().ids()
    }

    /// Shows another display channel.
    ///
    /// # Errors
    /// An exception when the browser cannot.
    #[wasm_bindgen(js_name = showDisplay)]
    pub fn show_display(&mut self, id: u8) -> Result<(), JsValue> {
        self.screen.borrow_mut().set_shown(id)
    }

    /// The browser has lost the canvas's content and given it back.
    ///
    /// # Errors
    /// An exception when the canvas cannot be taken up again.
    pub fn restore(&mut self) -> Result<(), JsValue> {
        self.screen.borrow_mut().restore()
    }

    /// The screen as `{ width, height, pixels }`, bytes r, g, b, 255; undefined while there is none.
    pub fn picture(&self) -> JsValue {
        picture(self.screen.borrow().picture())
    }

    /// What the canvas on the page holds, as [`Desktop::picture`]: read back from where the browser shows it.
    #[wasm_bindgen(js_name = canvasPixels)]
    pub fn canvas_pixels(&self) -> JsValue {
        picture(self.screen.borrow().canvas_pixels())
    }

    /// A small picture of the screen, as [`Desktop::picture`], at most so large.
    pub fn thumbnail(&self, width: u32, height: u32) -> JsValue {
        picture(self.screen.borrow().thumbnail(width, height))
    }

    /// What has been counted since the connection began, as an object of numbers.
    pub fn stats(&self) -> JsValue {
        let screen = self.screen.borrow();
        let stats = &screen.stats;
        let object = Object::new();
        let set = |name: &str, value: f64| put(&object, name, &value.into());
        set("frames", stats.frames as f64);
        set("pixels", stats.pixels as f64);
        set("messages", stats.messages as f64);
        set("drawMs", stats.draw_ms);
        set("showMs", stats.show_ms);
        set("answerMs", stats.answer_ms);
        set("dropped", stats.dropped as f64);
        set("received", self.traffic.received() as f64);
        set("sent", self.traffic.sent() as f64);
        set("surfaceBytes", screen.surface_bytes() as f64);
        set("memoryBytes", memory_bytes() as f64);
        put(&object, "renderer", &screen.presenter().into());
        let images = Object::new();
        for (name, count) in KINDS.iter().zip(stats.images) {
            put(&images, name, &(count as f64).into());
        }
        put(&object, "images", &images);
        object.into()
    }
}

impl Desktop {
    /// Sends a command that is answered; without a session the answer is an error.
    fn ask(&self, act: impl FnOnce(&Handle, &Transfers) -> Promise) -> Promise {
        match &self.session {
            Some(session) => act(&session.handle, &session.transfers),
            None => {
                let error = js_sys::Error::new("there is no connection");
                put(&error, "code", &"gone".into());
                Promise::reject(&error)
            }
        }
    }

    fn send_key(&self, key: Key, down: bool) {
        self.command(|handle| if down { handle.key_down(key) } else { handle.key_up(key) });
        self.screen.borrow_mut().asked();
    }

    /// Sends a command, if there is anybody to send it to; the end of a session is told in its own way.
    fn command<E>(&self, act: impl FnOnce(&Handle) -> Result<(), E>) {
        if let Some(session) = &self.session {
            drop(act(&session.handle));
        }
    }

    /// Ends the connection without a word.
    fn replace(&mut self) {
        if let Some(session) = self.session.take() {
            session.replaced.set(true);
            // The session may have ended by itself.
            drop(session.handle.disconnect());
        }
        self.buttons = 0;
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        self.replace();
    }
}

/// Bytes of the library's memory, which never shrinks.
fn memory_bytes() -> usize {
    core::arch::wasm32::memory_size::<0>() * 65536
}

fn picture(taken: Option<(u32, u32, Vec<u8>)>) -> JsValue {
    let Some((width, height, pixels)) = taken else { return JsValue::UNDEFINED };
    let object = Object::new();
    put(&object, "width", &width.into());
    put(&object, "height", &height.into());
    put(&object, "pixels", &Uint8Array::from(&pixels[..]));
    object.into()
}

/// Sets a property of a plain object, which cannot fail.
pub(crate) fn put(object: &JsValue, name: &str, value: &JsValue) {
    if let Err(error) = Reflect::set(object, &name.into(), value) {
        debug_assert!(false, "{}", text(&error));
    }
}

/// Bits of `MouseEvent.buttons`.
const BUTTONS: [(u32, MouseButton); 5] = [
    (1, MouseButton::LEFT),
    (2, MouseButton::RIGHT),
    (4, MouseButton::MIDDLE),
    (8, MouseButton::SIDE),
    (16, MouseButton::EXTRA),
];
/// Movements in one acknowledgement.
const PROBES: u32 = 4;
