//! Texts that are typed, stroke by stroke.

use std::collections::VecDeque;
use std::time::Duration;
use std::vec::IntoIter;

use spice_proto::channel::Channel;
use spice_proto::channel::inputs::{Inputs, Scancode};
use spice_proto::msg::inputs::KeyboardModifiers;
use spice_proto::session::Session;
use spice_proto::{Instant, ProtocolError};

use super::{Layout, Stroke, open};
use crate::answer::{Answer, Waiting};
use crate::client::{Handle, ignore_closed};

/// The texts that are being typed, one after the other.
#[derive(Debug, Default)]
pub(super) struct Typing {
    texts: VecDeque<Text>,
    /// When the next stroke is due; `None` while there is no channel to type on.
    next: Option<Instant>,
}

struct Text {
    strokes: IntoIter<Stroke>,
    untypable: Vec<char>,
    /// The locks to be restored afterwards, once typing has begun.
    begun: Option<KeyboardModifiers>,
    waiting: Waiting<Vec<char>>,
}

impl std::fmt::Debug for Text {
    /// Without what is typed: it may be a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text").field("begun", &self.begun.is_some()).finish_non_exhaustive()
    }
}

impl Typing {
    /// Whether there is something to do now.
    pub(super) fn is_due(&mut self, session: &mut Session, now: Instant) -> bool {
        if self.texts.is_empty() || open(session).is_none() {
            self.next = None;
            return false;
        }
        *self.next.get_or_insert(now) <= now
    }

    /// Whether the next thing to do is to begin a text.
    pub(super) fn begins(&self) -> bool {
        self.texts.front().is_some_and(|text| text.begun.is_none())
    }

    pub(super) fn advance(&mut self, session: &mut Session, now: Instant) {
        let (Some(text), Some(inputs)) = (self.texts.front_mut(), open(session)) else { return };
        let locks = match text.begun {
            Some(locks) => locks,
            None => {
                // The tables hold for the lock keys off, which with scroll lock makes no difference.
                let locks = inputs.logic().locks();
                if locks.contains(KeyboardModifiers::CAPS_LOCK) {
                    ignore_closed(inputs.set_locks(now, locks - KeyboardModifiers::CAPS_LOCK));
                }
                *text.begun.insert(locks)
            }
        };
        if let Some(stroke) = text.strokes.next() {
            ignore_closed(send(inputs, now, stroke));
        } else if let Some(text) = self.texts.pop_front() {
            if locks.contains(KeyboardModifiers::CAPS_LOCK) {
                ignore_closed(inputs.set_locks(now, locks));
            }
            text.waiting.answer(Ok(text.untypable));
        }
        self.next = Some(now + PACE);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.next.filter(|_| !self.texts.is_empty())
    }
}

/// Everything that one stroke takes.
fn send(inputs: &mut Channel<Inputs>, now: Instant, stroke: Stroke) -> Result<(), ProtocolError> {
    if stroke.shift {
        inputs.key_down(now, SHIFT)?;
    }
    if stroke.altgr {
        inputs.key_down(now, ALTGR)?;
    }
    inputs.key_down(now, stroke.key)?;
    inputs.key_up(now, stroke.key)?;
    if stroke.altgr {
        inputs.key_up(now, ALTGR)?;
    }
    if stroke.shift {
        inputs.key_up(now, SHIFT)?;
    }
    Ok(())
}

/// Typing.
impl Handle {
    /// Types a text on a keyboard of this layout, which must be the guest's; tells the characters that the layout
    /// cannot make, each once, when the rest has been typed. Releases the keys that are held first; caps lock is off
    /// meanwhile. Waits for the inputs channel when it is not open yet.
    ///
    /// A stroke takes 10 ms, so that slow guests lose none: QEMU's keyboard holds 16 bytes.
    pub fn type_text(&self, text: &str, layout: Layout) -> Answer<Vec<char>> {
        let strokes = layout.strokes(text);
        self.ask(move |core, _, waiting| {
            core.keyboard.typing.texts.push_back(Text {
                strokes: strokes.strokes.into_iter(),
                untypable: strokes.untypable,
                begun: None,
                waiting,
            });
        })
    }
}

const SHIFT: Scancode = Scancode::plain(0x2a);
const ALTGR: Scancode = Scancode::extended(0x38);
/// The time that one stroke takes.
const PACE: Duration = Duration::from_millis(10);
