//! The inputs channel: keys, and a pointer whose movements are held back while the server is behind.

use crate::caps::InputsCaps;
use crate::channel::{Channel, Context, Logic};
use crate::error::ProtocolError;
use crate::msg::inputs::{
    ClientMessage, KeyCode, KeyModifiers, KeyboardModifiers, MouseButton, MouseButtons, MouseClick,
    MouseMotion, MousePosition, ServerMessage,
};
use crate::time::Instant;
use crate::wire::Rest;

/// A key of the PC-XT keyboard, scan code set 1.
///
/// ```
/// use spice_proto::channel::inputs::Scancode;
/// assert_eq!(Scancode::plain(0x1e).down(), 0x1e);
/// assert_eq!(Scancode::extended(0x1d).up(), 0x9de0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scancode {
    extended: bool,
    code: u8,
}

impl Scancode {
    /// A key whose code is one byte, 0x01 to 0x7f.
    pub const fn plain(code: u8) -> Self {
        Self { extended: false, code: code & 0x7f }
    }

    /// A key whose code is one byte behind the prefix 0xe0.
    pub const fn extended(code: u8) -> Self {
        Self { extended: true, code: code & 0x7f }
    }

    /// The number of `KEY_DOWN` for this key.
    pub const fn down(self) -> u32 {
        self.number(self.code)
    }

    /// The number of `KEY_UP` for this key.
    pub const fn up(self) -> u32 {
        self.number(self.code | 0x80)
    }

    const fn number(self, code: u8) -> u32 {
        if self.extended { (code as u32) << 8 | 0xe0 } else { code as u32 }
    }
}

/// The client's side of an inputs channel.
#[derive(Debug, Default)]
pub struct Inputs {
    locks: KeyboardModifiers,
    buttons: MouseButtons,
    /// Movements sent.
    sent: u64,
    /// Movements that acknowledgements cover.
    taken: u64,
    /// What is held back while too many movements are in flight. One of each kind, for either has an effect in one
    /// mouse mode alone, and the mode may change in between.
    by: Option<By>,
    to: Option<To>,
}

#[derive(Clone, Copy, Debug)]
struct By {
    dx: i32,
    dy: i32,
}

#[derive(Clone, Copy, Debug)]
struct To {
    x: u32,
    y: u32,
    display_id: u8,
}

impl Inputs {
    /// The keyboard locks of the guest, as it last said.
    pub fn locks(&self) -> KeyboardModifiers {
        self.locks
    }

    /// The buttons that are held.
    pub fn buttons(&self) -> MouseButtons {
        self.buttons
    }

    /// How many movements have been sent in all, and how many of them the server has acknowledged; it does so in fours.
    pub fn movements(&self) -> (u64, u64) {
        (self.sent, self.taken)
    }

    fn has_room(&self) -> bool {
        self.sent.saturating_sub(self.taken) < WINDOW
    }

    fn move_by(&mut self, movement: By, cx: &mut Context<'_, ServerMessage>) {
        let held = self.by.unwrap_or(By { dx: 0, dy: 0 });
        self.by =
            Some(By { dx: held.dx.saturating_add(movement.dx), dy: held.dy.saturating_add(movement.dy) });
        self.flush_in_window(cx);
    }

    fn move_to(&mut self, movement: To, cx: &mut Context<'_, ServerMessage>) {
        self.to = Some(movement);
        self.flush_in_window(cx);
    }

    fn flush_in_window(&mut self, cx: &mut Context<'_, ServerMessage>) {
        if self.has_room() {
            self.flush(cx);
        }
    }

    fn flush(&mut self, cx: &mut Context<'_, ServerMessage>) {
        let buttons_state = self.buttons;
        if let Some(By { dx, dy }) = self.by.take() {
            cx.send(&ClientMessage::MouseMotion(MouseMotion { dx, dy, buttons_state }));
            self.sent = self.sent.saturating_add(1);
        }
        if let Some(To { x, y, display_id }) = self.to.take() {
            cx.send(&ClientMessage::MousePosition(MousePosition { x, y, buttons_state, display_id }));
            self.sent = self.sent.saturating_add(1);
        }
    }

    fn button(&mut self, button: MouseButton, down: bool, cx: &mut Context<'_, ServerMessage>) {
        // A click lands where the pointer was led, so what is held back goes first.
        self.flush(cx);
        let mask = held_mask(button);
        self.buttons.set(mask, down);
        let event = MouseClick { button, buttons_state: self.buttons };
        cx.send(&if down { ClientMessage::MousePress(event) } else { ClientMessage::MouseRelease(event) });
    }
}

impl Logic for Inputs {
    type In = ServerMessage;
    type Event = ServerMessage;

    fn on_message(
        &mut self,
        msg: ServerMessage,
        cx: &mut Context<'_, ServerMessage>,
    ) -> Result<(), ProtocolError> {
        match &msg {
            ServerMessage::Init(modifiers) | ServerMessage::KeyModifiers(modifiers) => {
                self.locks = modifiers.modifiers
            }
            ServerMessage::MouseMotionAck => {
                self.taken = self.taken.saturating_add(PER_ACK).min(self.sent);
                self.flush_in_window(cx);
                return Ok(());
            }
            ServerMessage::Unknown { .. } => {}
        }
        cx.emit(msg);
        Ok(())
    }
}

impl Channel<Inputs> {
    /// Presses a key; a repeated press is a repeated key.
    ///
    /// # Errors
    /// As [`Channel::command`].
    pub fn key_down(&mut self, now: Instant, key: Scancode) -> Result<(), ProtocolError> {
        self.command(now, |_, cx| cx.send(&ClientMessage::KeyDown(KeyCode { code: key.down() })))
    }

    /// Releases a key.
    ///
    /// # Errors
    /// As [`Channel::command`].
    pub fn key_up(&mut self, now: Instant, key: Scancode) -> Result<(), ProtocolError> {
        self.command(now, |_, cx| cx.send(&ClientMessage::KeyUp(KeyCode { code: key.up() })))
    }

    /// Presses the Pause key, whose code is longer than those of all other keys: two messages.
    ///
    /// # Errors
    /// As [`Channel::command`].
    pub fn pause_down(&mut self, now: Instant) -> Result<(), ProtocolError> {
        self.command(now, |_, cx| {
            for code in [0x1de1, 0x45] {
                cx.send(&ClientMessage::KeyDown(KeyCode { code }));
            }
        })
    }

    /// Releases the Pause key.
    ///
    /// # Errors
    /// As [`Channel::command`].
    pub fn pause_up(&mut self, now: Instant) -> Result<(), ProtocolError> {
        self.command(now, |_, cx| {
            for code in [0x9de1, 0xc5] {
                cx.send(&ClientMessage::KeyUp(KeyCode { code }));
            }
        })
    }

    /// Sends raw scan-code bytes, such as a press and a release at once.
    ///
    /// # Errors
    /// As [`Channel::command`]; [`ProtocolError::Misuse`] when the server does not take them.
    pub fn scancodes(&mut self, now: Instant, codes: &[u8]) -> Result<(), ProtocolError> {
        let body = Rest(bytes::Bytes::copy_from_slice(codes));
        self.command(now, |_, cx| {
            if !InputsCaps::from(cx.server_caps()).contains(InputsCaps::KEY_SCANCODE) {
                return Err(ProtocolError::Misuse("the server takes no raw scan codes"));
            }
            cx.send(&ClientMessage::KeyScancode(body));
            Ok(())
        })?
    }

    /// Makes the guest's keyboard locks like `locks`.
    ///
    /// # Errors
    /// As [`Channel::command`].
    pub fn set_locks(&mut self, now: Instant, locks: KeyboardModifiers) -> Result<(), ProtocolError> {
        self.command(now, |_, cx| cx.send(&ClientMessage::KeyModifiers(KeyModifiers { modifiers: locks })))
    }

    /// Moves the pointer by so many pixels; takes effect in server mouse mode. Movements that the server has no
    /// room for are added up.
    ///
    /// # Errors
    /// As [`Channel::command`].
    pub fn motion(&mut self, now: Instant, dx: i32, dy: i32) -> Result<(), ProtocolError> {
        self.command(now, |inputs, cx| inputs.move_by(By { dx, dy }, cx))
    }

    /// Moves the pointer to a place in pixels of a monitor; takes effect in client mouse mode. Of positions that
    /// the server has no room for only the last is kept.
    ///
    /// # Errors
    /// As [`Channel::command`].
    pub fn position(&mut self, now: Instant, x: u32, y: u32, display_id: u8) -> Result<(), ProtocolError> {
        self.command(now, |inputs, cx| inputs.move_to(To { x, y, display_id }, cx))
    }

    /// Makes the server acknowledge everything that has been sent so far: with up to three movements by nothing, because
    /// it acknowledges every fourth. Gives the number of movements that will have been
    /// [acknowledged](Inputs::movements) then.
    ///
    /// # Errors
    /// As [`Channel::command`].
    pub fn ask_acknowledgement(&mut self, now: Instant) -> Result<u64, ProtocolError> {
        self.command(now, |inputs, cx| {
            inputs.flush(cx);
            // The message comes behind keys and buttons too, which have no acknowledgement of their own.
            loop {
                inputs.by = Some(By { dx: 0, dy: 0 });
                inputs.flush(cx);
                if inputs.sent % PER_ACK == 0 {
                    return inputs.sent;
                }
            }
        })
    }

    /// Presses a pointer button; for the wheel, a press and a release are one notch.
    ///
    /// # Errors
    /// As [`Channel::command`].
    pub fn button_down(&mut self, now: Instant, button: MouseButton) -> Result<(), ProtocolError> {
        self.command(now, |inputs, cx| inputs.button(button, true, cx))
    }

    /// Releases a pointer button.
    ///
    /// # Errors
    /// As [`Channel::command`].
    pub fn button_up(&mut self, now: Instant, button: MouseButton) -> Result<(), ProtocolError> {
        self.command(now, |inputs, cx| inputs.button(button, false, cx))
    }
}

/// The mask bit of a button that can be held; the wheel leaves the mask alone.
fn held_mask(button: MouseButton) -> MouseButtons {
    match button {
        MouseButton::LEFT => MouseButtons::LEFT,
        MouseButton::MIDDLE => MouseButtons::MIDDLE,
        MouseButton::RIGHT => MouseButtons::RIGHT,
        MouseButton::SIDE => MouseButtons::SIDE,
        MouseButton::EXTRA => MouseButtons::EXTRA,
        _ => MouseButtons::empty(),
    }
}

/// Movements that one `MouseMotionAck` covers.
const PER_ACK: u64 = 4;
/// Movements in flight at most: two acknowledgements' worth.
const WINDOW: u64 = 2 * PER_ACK;
