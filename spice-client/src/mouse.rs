//! The pointer: where it is or how far it moves, buttons, wheel, touch.
//!
//! Commands are methods of [`Handle`]. In client mouse mode, which the session asks for by default and
//! which takes an agent or a tablet in the guest, the pointer is led by its position on a monitor; in server mode by
//! its movements. `Event::Main(MouseMode(..))` tells which mode is in force. Movements that the server has no room for
//! are added up, and of positions only the last is kept: 8 are in flight at most, and an acknowledgement covers 4.

use spice_proto::Instant;
use spice_proto::ProtocolError;
use spice_proto::channel::Channel;
use spice_proto::channel::inputs::Inputs;
/// A button, and which of them are held.
pub use spice_proto::msg::inputs::{MouseButton, MouseButtons};
/// Who places the pointer.
pub use spice_proto::msg::main::MouseModes;
use spice_proto::session::Session;

use crate::agent::Error;
use crate::answer::{Answer, Waiting};
use crate::client::{Handle, ignore_closed};
use crate::error::ClientError;

/// What a finger does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TouchPhase {
    /// It comes down.
    Started,
    /// It moves.
    Moved,
    /// It is lifted, or the system has taken the touch over.
    Ended,
}

/// What the driver remembers of the pointer.
#[derive(Debug, Default)]
pub(crate) struct Pointer {
    /// Where it was last led.
    position: Option<(u32, u32)>,
    /// The wheel's buttons as the last pointer event had them.
    wheel: MouseButtons,
    /// A part of a notch that the wheel has been turned.
    turned: f64,
    /// The finger that leads the pointer.
    finger: Option<u64>,
    /// Who waits for so many movements to be acknowledged.
    asked: Vec<(u64, Waiting<()>)>,
}

impl Pointer {
    /// Leads the pointer to a place, in the way of the mouse mode in force.
    fn lead(&mut self, session: &mut Session, now: Instant, x: u32, y: u32) {
        let mode = session.main().map(|main| main.logic().mouse().current_mode).unwrap_or_default();
        let last = self.position.replace((x, y));
        let Some(inputs) = session.inputs() else { return };
        ignore_closed(if mode.contains(MouseModes::SERVER) {
            let Some((old_x, old_y)) = last else { return };
            let by = |new: u32, old: u32| i32::try_from(i64::from(new) - i64::from(old)).unwrap_or_default();
            match (by(x, old_x), by(y, old_y)) {
                (0, 0) => Ok(()),
                (dx, dy) => inputs.motion(now, dx, dy),
            }
        } else {
            inputs.position(now, x, y, 0)
        });
    }

    /// Makes the buttons that are held those of `wanted`; a bit of the wheel that was not set before is a notch.
    fn buttons(&mut self, session: &mut Session, now: Instant, wanted: MouseButtons) {
        let Some(inputs) = session.inputs() else { return };
        let held = inputs.logic().buttons();
        for (mask, button) in BUTTONS {
            let change = match (held.contains(mask), wanted.contains(mask)) {
                (false, true) => inputs.button_down(now, button),
                (true, false) => inputs.button_up(now, button),
                _ => Ok(()),
            };
            ignore_closed(change);
        }
        for (mask, button) in WHEEL {
            if wanted.contains(mask) && !self.wheel.contains(mask) {
                ignore_closed(click(inputs, now, button));
            }
        }
        self.wheel = wanted & (MouseButtons::UP | MouseButtons::DOWN);
    }

    fn scroll(&mut self, session: &mut Session, now: Instant, notches: f64) {
        if !notches.is_finite() {
            return;
        }
        let Some(inputs) = session.inputs() else { return };
        self.turned += notches.clamp(-MOST_NOTCHES, MOST_NOTCHES);
        let button = if self.turned < 0.0 { MouseButton::UP } else { MouseButton::DOWN };
        let whole = self.turned.trunc();
        self.turned -= whole;
        for _ in 0..(whole.abs() as u32) {
            ignore_closed(click(inputs, now, button));
        }
    }

    fn touch(&mut self, session: &mut Session, now: Instant, finger: u64, phase: TouchPhase, at: (u32, u32)) {
        let leads = *self.finger.get_or_insert(finger) == finger;
        if !leads {
            return;
        }
        self.lead(session, now, at.0, at.1);
        match phase {
            TouchPhase::Started => self.buttons(session, now, MouseButtons::LEFT),
            TouchPhase::Moved => {}
            TouchPhase::Ended => {
                self.finger = None;
                self.buttons(session, now, MouseButtons::empty());
            }
        }
    }
}

/// Word from the server that it has taken what was sent.
impl Pointer {
    fn ask(&mut self, session: &mut Session, now: Instant, waiting: Waiting<()>) {
        match session.inputs().map(|inputs| inputs.ask_acknowledgement(now)) {
            Some(Ok(count)) => self.asked.push((count, waiting)),
            // Without a channel nothing has been sent; with one that has gone it never arrives.
            None => waiting.answer(Ok(())),
            Some(Err(_)) => waiting.answer(Err(Error::SessionOver)),
        }
    }

    /// Tells those whose acknowledgement has come.
    pub(crate) fn advance(&mut self, session: &mut Session) {
        if !self.asked.is_empty()
            && let Some(inputs) = session.inputs()
        {
            let (_, taken) = inputs.logic().movements();
            let (done, waiting) =
                std::mem::take(&mut self.asked).into_iter().partition(|(count, _)| *count <= taken);
            self.asked = waiting;
            let done: Vec<(u64, Waiting<()>)> = done;
            done.into_iter().for_each(|(_, waiting)| waiting.answer(Ok(())));
        }
    }

    /// The inputs channel has gone.
    pub(crate) fn over(&mut self) {
        *self = Self::default();
    }
}

fn click(inputs: &mut Channel<Inputs>, now: Instant, button: MouseButton) -> Result<(), ProtocolError> {
    inputs.button_down(now, button)?;
    inputs.button_up(now, button)
}

/// The pointer.
impl Handle {
    /// Asks for a mouse mode, one bit, now and whenever the server offers it. Wire: main message 105,
    /// `MouseModeRequest`.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn set_mouse_mode(&self, mode: MouseModes) -> Result<(), ClientError> {
        self.command(move |core, now| {
            if let Some(main) = core.session.main() {
                ignore_closed(main.want_mouse_mode(now, mode));
            }
        })
    }

    /// Moves the pointer to a place in pixels of a monitor; takes effect in client mouse mode. Wire: inputs message
    /// 112, `MousePosition`.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn pointer_position(&self, x: u32, y: u32, display_id: u8) -> Result<(), ClientError> {
        self.inputs(move |inputs, now| inputs.position(now, x, y, display_id))
    }

    /// Moves the pointer by so many pixels; takes effect in server mouse mode. Wire: inputs message 111,
    /// `MouseMotion`.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn pointer_motion(&self, dx: i32, dy: i32) -> Result<(), ClientError> {
        self.inputs(move |inputs, now| inputs.motion(now, dx, dy))
    }

    /// Presses a pointer button. Wire: inputs message 113, `MousePress`.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn button_down(&self, button: MouseButton) -> Result<(), ClientError> {
        self.inputs(move |inputs, now| inputs.button_down(now, button))
    }

    /// Releases a pointer button. Wire: inputs message 114, `MouseRelease`.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn button_up(&self, button: MouseButton) -> Result<(), ClientError> {
        self.inputs(move |inputs, now| inputs.button_up(now, button))
    }

    /// Presses and releases a pointer button.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn click(&self, button: MouseButton) -> Result<(), ClientError> {
        self.inputs(move |inputs, now| click(inputs, now, button))
    }

    /// Turns the wheel by so many notches towards the user, or away when negative. Parts of notches are kept until they
    /// make a whole one; at most 100 notches at once.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn scroll(&self, notches: f64) -> Result<(), ClientError> {
        self.command(move |core, now| core.pointer.scroll(&mut core.session, now, notches))
    }

    /// Says where the pointer is, in pixels of the first monitor, and which buttons are held. Buttons that differ from
    /// what they were go down or up; a wheel button that was not set before is one notch. In server mouse mode the
    /// pointer moves by as much as it has moved since the last such event.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn send_pointer_event(&self, x: u32, y: u32, buttons: MouseButtons) -> Result<(), ClientError> {
        self.command(move |core, now| {
            core.pointer.lead(&mut core.session, now, x, y);
            core.pointer.buttons(&mut core.session, now, buttons);
        })
    }

    /// Gives a touch as a pointer: the first finger down leads it and holds the left button, others are ignored until
    /// it is lifted. `finger` tells fingers apart; the place is in pixels of the first monitor.
    ///
    /// # Errors
    /// As [`Handle::key_down`].
    pub fn touch(&self, finger: u64, phase: TouchPhase, x: u32, y: u32) -> Result<(), ClientError> {
        self.command(move |core, now| core.pointer.touch(&mut core.session, now, finger, phase, (x, y)))
    }

    /// Waits until the server has taken everything that was sent to keyboard and pointer: before leaving, for a server
    /// that hears of the end drops what it has not read.
    pub fn inputs_taken(&self) -> Answer<()> {
        self.ask(|core, now, waiting| core.pointer.ask(&mut core.session, now, waiting))
    }

    fn inputs(
        &self,
        command: impl FnOnce(&mut Channel<Inputs>, Instant) -> Result<(), ProtocolError> + Send + 'static,
    ) -> Result<(), ClientError> {
        self.command(move |core, now| {
            if let Some(inputs) = core.session.inputs() {
                ignore_closed(command(inputs, now));
            }
        })
    }
}

/// The buttons that can be held.
const BUTTONS: [(MouseButtons, MouseButton); 5] = [
    (MouseButtons::LEFT, MouseButton::LEFT),
    (MouseButtons::MIDDLE, MouseButton::MIDDLE),
    (MouseButtons::RIGHT, MouseButton::RIGHT),
    (MouseButtons::SIDE, MouseButton::SIDE),
    (MouseButtons::EXTRA, MouseButton::EXTRA),
];
/// The wheel's.
const WHEEL: [(MouseButtons, MouseButton); 2] =
    [(MouseButtons::UP, MouseButton::UP), (MouseButtons::DOWN, MouseButton::DOWN)];
/// Notches of one command at most.
const MOST_NOTCHES: f64 = 100.0;
