//! The keyboard: keys by scan code, by the names of the web and of Linux, by what they make in a layout.
//!
//! Commands are methods of [`Handle`]:
//!
//! | what | methods |
//! |---|---|
//! | keys as a person presses them | [`key_down`](crate::Handle::key_down), [`key_up`](crate::Handle::key_up), [`send_key_event`](crate::Handle::send_key_event) |
//! | when the window loses the keyboard | [`release_keys`](crate::Handle::release_keys) |
//! | whole presses | [`press_key`](crate::Handle::press_key), [`press_combination`](crate::Handle::press_combination) |
//! | text | [`type_text`](crate::Handle::type_text) |
//! | lock lights | [`set_locks`](crate::Handle::set_locks), and [`Event::Inputs`](crate::Event::Inputs) |
//!
//! ```
//! # fn example(handle: spice_client::Handle) -> Result<(), Box<dyn std::error::Error>> {
//! use spice_client::keyboard::{Combination, Key};
//!
//! handle.key_down(Key::xt(0x1e))?; // by scan code
//! handle.key_up(Key::from_evdev(30).ok_or("no such key")?)?; // by Linux's number
//! handle.send_key_event("KeyA", true)?; // by the web's name
//! handle.press_combination(&"Ctrl+Alt+Del".parse::<Combination>()?)?;
//! # Ok(()) }
//! ```

mod codes;
mod combination;
mod layout;
mod typing;

use spice_proto::Instant;
use spice_proto::channel::Channel;
use spice_proto::channel::inputs::Inputs;
/// A key by its scan code.
pub use spice_proto::channel::inputs::Scancode;
/// The lock lights.
pub use spice_proto::msg::inputs::KeyboardModifiers;
use spice_proto::session::Session;

pub use combination::{Combination, UnknownKey};
pub use layout::{Layout, Stroke, Strokes, UnknownLayout};
use typing::Typing;

use crate::client::{Handle, ignore_closed};
use crate::error::ClientError;

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Key {
    /// A key with a scan code of one byte, or of one behind the prefix 0xe0.
    Scancode(Scancode),
    /// The Pause key, whose scan code has more bytes.
    Pause,
}

impl Key {
    /// The key with this PC-XT scan code, set 1: such as 0x1e for A or 0xe01d for the right Ctrl key. Bit 0x80, which
    /// says that a key goes up, has no effect.
    pub const fn xt(code: u16) -> Self {
        let byte = (code & 0x7f) as u8;
        Self::Scancode(if code >> 8 == 0xe0 { Scancode::extended(byte) } else { Scancode::plain(byte) })
    }
}

impl From<Scancode> for Key {
    fn from(code: Scancode) -> Self {
        Self::Scancode(code)
    }
}

/// The keys that are held, and what is being typed.
#[derive(Debug, Default)]
pub(crate) struct Keyboard {
    // INVARIANT: each once, in the order in which they went down.
    held: Vec<Key>,
    typing: Typing,
}

impl Keyboard {
    fn down(&mut self, session: &mut Session, now: Instant, key: Key) {
        let Some(inputs) = open(session) else {
            // A server releases what was held on a channel that has gone.
            return self.held.clear();
        };
        if !self.held.contains(&key) {
            self.held.push(key);
        }
        send_down(inputs, now, key);
    }

    fn up(&mut self, session: &mut Session, now: Instant, key: Key) {
        self.held.retain(|held| *held != key);
        if let Some(inputs) = open(session) {
            send_up(inputs, now, key);
        }
    }

    fn press(session: &mut Session, now: Instant, key: Key) {
        let Some(inputs) = open(session) else { return };
        if let Key::Scancode(code) = key {
            let bytes = [code.down(), code.up()].map(u32::to_le_bytes);
            let bytes: Vec<u8> = bytes.into_iter().flatten().filter(|byte| *byte != 0).collect();
            if inputs.scancodes(now, &bytes).is_ok() {
                return;
            }
        }
        send_down(inputs, now, key);
        send_up(inputs, now, key);
    }

    fn release(&mut self, session: &mut Session, now: Instant) {
        while let Some(key) = self.held.last().copied() {
            self.up(session, now, key);
        }
    }

    /// Goes on typing, as far as time has come.
    pub(crate) fn advance(&mut self, session: &mut Session, now: Instant) {
        if self.typing.is_due(session, now) {
            if self.typing.begins() {
                self.release(session, now);
            }
            self.typing.advance(session, now);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.typing.poll_timeout()
    }

    /// The inputs channel has gone: whoever waits for a text to be typed hears so.
    pub(crate) fn over(&mut self) {
        *self = Self::default();
    }
}

fn send_down(inputs: &mut Channel<Inputs>, now: Instant, key: Key) {
    ignore_closed(match key {
        Key::Scancode(code) => inputs.key_down(now, code),
        Key::Pause => inputs.pause_down(now),
    });
}

fn send_up(inputs: &mut Channel<Inputs>, now: Instant, key: Key) {
    ignore_closed(match key {
        Key::Scancode(code) => inputs.key_up(now, code),
        Key::Pause => inputs.pause_up(now),
    });
}

/// The inputs channel, if it is open.
fn open(session: &mut Session) -> Option<&mut Channel<Inputs>> {
    session.inputs().filter(|inputs| inputs.is_open())
}

/// The keyboard.
impl Handle {
    /// Presses a key; a repeated press is a repeated key. Wire: inputs message 101, `KeyDown`.
    ///
    /// # Errors
    /// [`ClientError::DriverGone`] when the session has ended.
    pub fn key_down(&self, key: impl Into<Key>) -> Result<(), ClientError> {
        let key = key.into();
        self.command(move |core, now| core.keyboard.down(&mut core.session, now, key))
    }

    /// Releases a key. Wire: inputs message 102, `KeyUp`.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn key_up(&self, key: impl Into<Key>) -> Result<(), ClientError> {
        let key = key.into();
        self.command(move |core, now| core.keyboard.up(&mut core.session, now, key))
    }

    /// Presses or releases the key of a W3C `KeyboardEvent.code`, such as `KeyA`; false when there is none of that
    /// name.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn send_key_event(&self, code: &str, down: bool) -> Result<bool, ClientError> {
        let Some(key) = Key::from_code(code) else { return Ok(false) };
        if down { self.key_down(key) } else { self.key_up(key) }.map(|()| true)
    }

    /// Presses and releases a key, in one message when the server takes that: nothing can come between, so that the
    /// key does not repeat on a slow line. Wire: inputs message 104, `KeyScancode`.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn press_key(&self, key: impl Into<Key>) -> Result<(), ClientError> {
        let key = key.into();
        self.command(move |core, now| Keyboard::press(&mut core.session, now, key))
    }

    /// Presses all keys of a combination in order, and releases them in the opposite order.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn press_combination(&self, combination: &Combination) -> Result<(), ClientError> {
        let keys = combination.keys().to_vec();
        self.command(move |core, now| {
            for key in &keys {
                core.keyboard.down(&mut core.session, now, *key);
            }
            for key in keys.iter().rev() {
                core.keyboard.up(&mut core.session, now, *key);
            }
        })
    }

    /// Releases all keys that are held, the last first. For when the window loses the keyboard: the releases will go
    /// elsewhere then, and the guest would think the keys held for ever.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn release_keys(&self) -> Result<(), ClientError> {
        self.command(|core, now| core.keyboard.release(&mut core.session, now))
    }

    /// Makes the guest's keyboard locks like `locks`. What they are, [`Event::Inputs`](crate::Event::Inputs) tells.
    /// Wire: inputs message 103, `KeyModifiers`.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn set_locks(&self, locks: KeyboardModifiers) -> Result<(), ClientError> {
        self.command(move |core, now| {
            if let Some(inputs) = open(&mut core.session) {
                ignore_closed(inputs.set_locks(now, locks));
            }
        })
    }
}
