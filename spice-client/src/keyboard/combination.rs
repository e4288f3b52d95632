//! Combinations of keys by name.

use std::str::FromStr;

use thiserror::Error;

use super::Key;

/// Keys that are pressed together.
///
/// Parses from names with `+` between, in any case: `Ctrl+Alt+Del`, `super+l`, `alt+F4`. Letters and digits are the keys
/// at their American places. Names are ctrl, shift, alt, altgr, super (also win, meta), the right ones with an `r` in
/// front, del, ins, home, end, pgup, pgdn, up, down, left, right, esc, tab, enter, space, backspace, menu, print, pause,
/// capslock, numlock, scrolllock, f1 to f24, and all that [`Key::from_code`] knows.
///
/// ```
/// use spice_client::keyboard::{Combination, Key};
/// let combination: Combination = "Ctrl+Alt+Del".parse().unwrap();
/// assert_eq!(combination.keys(), [Key::xt(0x1d), Key::xt(0x38), Key::xt(0xe053)]);
/// assert_eq!("Ctrl++".parse::<Combination>().unwrap_err().to_string(), "'' is not the name of a key: write Ctrl+Alt+Del, F2, a, or a name of the web such as ArrowUp");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Combination {
    keys: Vec<Key>,
}

/// A part of a combination is not the name of a key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{0}' is not the name of a key: write Ctrl+Alt+Del, F2, a, or a name of the web such as ArrowUp")]
pub struct UnknownKey(String);

impl Combination {
    /// These keys, pressed in this order.
    pub fn new(keys: impl Into<Vec<Key>>) -> Self {
        Self { keys: keys.into() }
    }

    /// The keys, in the order in which they are pressed.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }
}

impl FromStr for Combination {
    type Err = UnknownKey;

    fn from_str(text: &str) -> Result<Self, UnknownKey> {
        let keys = text.split('+').map(|name| named(name.trim()).ok_or_else(|| UnknownKey(name.to_owned())));
        Ok(Self { keys: keys.collect::<Result<_, _>>()? })
    }
}

fn named(name: &str) -> Option<Key> {
    let lower = name.to_ascii_lowercase();
    let code = match lower.as_str() {
        "ctrl" | "control" | "lctrl" => "ControlLeft",
        "rctrl" => "ControlRight",
        "shift" | "lshift" => "ShiftLeft",
        "rshift" => "ShiftRight",
        "alt" | "lalt" => "AltLeft",
        "altgr" | "ralt" => "AltRight",
        "super" | "win" | "meta" | "cmd" | "lsuper" => "MetaLeft",
        "rsuper" => "MetaRight",
        "del" => "Delete",
        "ins" => "Insert",
        "pgup" => "PageUp",
        "pgdn" => "PageDown",
        "up" => "ArrowUp",
        "down" => "ArrowDown",
        "left" => "ArrowLeft",
        "right" => "ArrowRight",
        "esc" => "Escape",
        "return" => "Enter",
        "menu" => "ContextMenu",
        "print" | "prtsc" | "sysrq" => "PrintScreen",
        "break" => "Pause",
        _ => "",
    };
    let digit_or_letter = match lower.as_bytes() {
        [c @ b'a'..=b'z'] => format!("Key{}", char::from(c.to_ascii_uppercase())),
        [c @ b'0'..=b'9'] => format!("Digit{}", char::from(*c)),
        _ => String::new(),
    };
    Key::from_code(code)
        .or_else(|| Key::from_code(&digit_or_letter))
        .or_else(|| Key::from_code_of_any_case(&lower))
}
