//! What the worker's script calls.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Object, Reflect, Uint8Array};
use spice_client::transport::websocket::{Browser, Traffic};
use spice_client::{ClientConfig, Handle};
use spice_proto::msg::display::ImageCompression;
use spice_proto::msg::inputs::{KeyboardModifiers, MouseButton};
use spice_proto::session::Address;
use wasm_bindgen::prelude::*;
use web_sys::OffscreenCanvas;

use crate::demo::Demo;
use crate::keys::{self, Keys};
use crate::page::Page;
use crate::screen::Screen;
use crate::session::{self, Painter, Session, text};
use crate::stats::KINDS;

/// One machine's screen: connects, draws, takes input; keeps the last picture between connections.
#[wasm_bindgen]
pub struct Desktop {
    page: Page,
    screen: Rc<RefCell<Screen>>,
    painter: Rc<Painter>,
    session: Option<Session>,
    traffic: Traffic,
    keys: Keys,
    /// Buttons that the server was told are held, as `MouseEvent.buttons`.
    buttons: u32,
    /// Where the page last led the pointer.
    pointer: (u32, u32),
}

#[wasm_bindgen]
impl Desktop {
    /// A desktop that draws on `canvas`, through "webgl2", "2d", "none", or what suits the browser ("auto").
    ///
    /// # Errors
    /// An exception when the browser cannot draw in that way.
    #[wasm_bindgen(constructor)]
    pub fn new(page: Page, canvas: Option<OffscreenCanvas>, renderer: &str) -> Result<Desktop, JsValue> {
        let screen = Rc::new(RefCell::new(Screen::new(page.clone(), canvas, renderer)?));
        let painter = Painter::new(Rc::clone(&screen), page.clone());
        Ok(Self {
            page,
            screen,
            painter,
            session: None,
            traffic: Traffic::default(),
            keys: Keys::default(),
            buttons: 0,
            pointer: (0, 0),
        })
    }

    /// Connects to the WebSocket at `url`, or to the built-in demo without one; a connection before it ends silently.
    /// `shown` is what errors call the address. What comes of it is told to the page.
    pub fn connect(&mut self, url: Option<String>, shown: &str, password: &str) {
        self.replace();
        let config = ClientConfig::new(Address::Other(shown.into()));
        let config = match config.password(password) {
            Ok(config) => config,
            Err(error) => return self.page.ended("password-impossible", &error.to_string()),
        };
        let (page, painter) = (self.page.clone(), Rc::clone(&self.painter));
        match url {
            Some(url) => {
                let browser = Browser::new(&url);
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
        let Some(key) = keys::scancode(code) else { return false };
        self.send_key(key, down);
        true
    }

    /// Presses or releases the key of a scan code, set 1: 0x1e, or 0xe01d for those with a prefix.
    pub fn scancode(&mut self, code: u32, down: bool) -> bool {
        let Some(key) = keys::from_number(code) else { return false };
        self.send_key(key, down);
        true
    }

    /// Types a text as on a US keyboard; characters that it does not have are left out. Returns how many were typed.
    pub fn text(&mut self, text: &str) -> u32 {
        let mut typed = 0;
        for character in text.chars() {
            let Some((key, shift)) = keys::character(character) else { continue };
            typed += 1;
            if shift {
                self.command(|handle| handle.key_down(keys::SHIFT));
            }
            self.command(|handle| handle.key_down(key));
            self.command(|handle| handle.key_up(key));
            if shift {
                self.command(|handle| handle.key_up(keys::SHIFT));
            }
        }
        self.screen.borrow_mut().asked();
        typed
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
        for key in self.keys.take() {
            self.command(|handle| handle.key_up(key));
        }
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

    /// Turns the wheel by so many notches, away from the user if negative; at most 100.
    pub fn wheel(&mut self, notches: i32) {
        let button = if notches < 0 { MouseButton::UP } else { MouseButton::DOWN };
        for _ in 0..notches.unsigned_abs().min(NOTCHES) {
            self.command(|handle| handle.button_down(button));
            self.command(|handle| handle.button_up(button));
        }
        self.screen.borrow_mut().asked();
    }

    /// Asks the server for a compression of pictures: "off", "quic", "lz", "glz", "lz4", "auto-lz", "auto-glz".
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
            _ => return false,
        };
        self.command(|handle| handle.prefer_compression(0, wish));
        true
    }

    /// What [`Page::frame`] tells of each frame: 0 nothing, 1 rectangles, 2 their pixels too.
    #[wasm_bindgen(js_name = setFrames)]
    pub fn set_frames(&mut self, frames: u32) {
        self.screen.borrow_mut().set_frames(frames);
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
        set("received", self.traffic.received() as f64);
        set("sent", self.traffic.sent() as f64);
        set("surfaceBytes", screen.surface_bytes() as f64);
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
    fn send_key(&mut self, key: keys::Scancode, down: bool) {
        self.keys.set(key, down);
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
        self.keys = Keys::default();
        self.buttons = 0;
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        self.replace();
    }
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
fn put(object: &Object, name: &str, value: &JsValue) {
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
/// Notches of the wheel at once at most.
const NOTCHES: u32 = 100;
