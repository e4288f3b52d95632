//! One connection: from its events to the screen and the page.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::{FutureExt, StreamExt};
use spice_client::transport::Platform;
use spice_client::{Client, ClientConfig, Event, Handle};
use spice_proto::msg::main::{self, MouseModes};
use spice_proto::msg::{display, inputs};
use spice_proto::types::ChannelType;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

use crate::cursor::Pointer;
use crate::fault;
use crate::guest::{self, Transfers};
use crate::page::Page;
use crate::painter::Painter;
use crate::pause::{Turn, now_ms};
use crate::screen::{Screen, broken};

/// A running connection, as the desktop holds it.
pub(crate) struct Session {
    pub(crate) handle: Handle,
    /// Set when another connection has taken its place: it has nothing to tell any more.
    pub(crate) replaced: Rc<Cell<bool>>,
    pub(crate) transfers: Transfers,
}

/// Starts a connection.
pub(crate) fn start<P: Platform + 'static>(
    platform: P,
    config: ClientConfig,
    page: Page,
    painter: Rc<Painter>,
) -> Session
where
    P::Stream: 'static,
{
    let (client, driver) = spice_client::connect(platform, config);
    let handle = client.handle().clone();
    let replaced = Rc::new(Cell::new(false));
    let transfers = Transfers::default();
    painter.screen().borrow_mut().begin();
    let run = Run {
        page,
        screen: Rc::clone(painter.screen()),
        painter,
        pointer: Pointer::new(),
        handle: handle.clone(),
        replaced: Rc::clone(&replaced),
        transfers: Transfers::clone(&transfers),
    };
    wasm_bindgen_futures::spawn_local(driver);
    wasm_bindgen_futures::spawn_local(run.run(client));
    Session { handle, replaced, transfers }
}

struct Run {
    page: Page,
    screen: Rc<RefCell<Screen>>,
    painter: Rc<Painter>,
    pointer: Pointer,
    handle: Handle,
    replaced: Rc<Cell<bool>>,
    transfers: Transfers,
}

impl Run {
    async fn run(mut self, mut client: Client) {
        let Ok(turn) = Turn::new() else { return self.page.ended("failed", "the browser has no messages") };
        let mut began = now_ms();
        let mut last = began;
        let mut failure = None;
        loop {
            let event = match client.next().now_or_never() {
                Some(event) => event,
                None => {
                    let event = client.next().await;
                    // While there was nothing to do, the browser's other events have had their turn.
                    began = now_ms();
                    last = began;
                    event
                }
            };
            let Some(event) = event else { break };
            if self.replaced.get() {
                continue;
            }
            let draws = matches!(event, Ok(Event::Display(..)));
            match event {
                Ok(Event::Ended(_)) => {}
                Ok(event) => {
                    if let Err(why) = self.handle(event) {
                        failure.get_or_insert(("protocol", why));
                        // It is over all the same if nobody takes the command any more.
                        drop(self.handle.disconnect());
                    }
                }
                Err(error) => {
                    failure.get_or_insert((fault::code(&error), fault::text(&error)));
                }
            }
            let now = now_ms();
            if draws {
                self.screen.borrow_mut().stats.draw_ms += now - last;
            }
            last = now;
            if now - began > TURN_MS {
                turn.pass().await;
                began = now_ms();
                last = began;
            }
        }
        if !self.replaced.get() {
            let (code, text) = failure.unwrap_or(("closed", String::new()));
            self.page.ended(code, &text);
        }
    }

    fn handle(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Display(id, message) => return self.display(id, message),
            Event::FramesDropped { frames, .. } => self.screen.borrow_mut().stats.dropped += frames,
            Event::Cursor(0, message) => self.pointer.apply(&message, &self.page),
            Event::Main(message) => self.main(&message),
            Event::Agent(event) => guest::tell(&event, &self.transfers, &self.page),
            Event::Inputs(
                inputs::ServerMessage::Init(locks) | inputs::ServerMessage::KeyModifiers(locks),
            ) => self.page.locks(locks.modifiers.bits().into()),
            Event::Notice(_, notify) => {
                let bytes = notify.message.iter().copied().take(NOTICE).filter(|&byte| byte != 0);
                let text = String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned();
                self.page.notice(notify.severity.0, &text);
            }
            Event::ChannelClosed { channel, error } => {
                if channel.kind == ChannelType::DISPLAY {
                    self.screen.borrow_mut().remove(channel.id);
                }
                if let Some(error) = error {
                    self.page.trouble(&format!("a channel of the session failed: {error}"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn display(&mut self, id: u8, message: display::ServerMessage) -> Result<(), String> {
        let dirty = self.screen.borrow_mut().apply(id, &message).map_err(|error| broken(&error))?;
        if dirty {
            self.painter.order();
        }
        Ok(())
    }

    fn main(&mut self, message: &main::ServerMessage) {
        match message {
            main::ServerMessage::Init(init) => {
                self.page.opened();
                self.mouse(init.current_mouse_mode.modes);
            }
            main::ServerMessage::MouseMode(mouse) => self.mouse(mouse.current_mode),
            main::ServerMessage::Name(name) => {
                if let Some(name) = name.text() {
                    self.page.name(&name.chars().take(NAME).collect::<String>());
                }
            }
            _ => {}
        }
    }

    fn mouse(&mut self, mode: MouseModes) {
        let absolute = mode.contains(MouseModes::CLIENT);
        self.pointer.set_absolute(absolute);
        self.page.absolute(absolute);
    }
}

/// An exception's text.
pub(crate) fn text(error: &JsValue) -> String {
    let message = error.dyn_ref::<js_sys::Error>().and_then(|error| error.message().as_string());
    message.unwrap_or_else(|| "an error of the browser".into())
}

/// Milliseconds of work before the browser's other events have their turn.
const TURN_MS: f64 = 8.0;
/// Most bytes of a server's text that are shown.
const NOTICE: usize = 1000;
/// Most characters of a machine's name.
const NAME: usize = 200;
