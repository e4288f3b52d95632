//! Which key is meant: names of the web and of Linux against scan codes of set 1.

use super::Key;

/// A row: the W3C's `KeyboardEvent.code`, Linux's input event code, and the key.
type Row = (&'static str, u16, Key);

const fn plain(code: u8) -> Key {
    Key::xt(code as u16)
}

const fn extended(code: u8) -> Key {
    Key::xt(0xe000 | code as u16)
}

impl Key {
    /// The key of a W3C [`KeyboardEvent.code`](https://www.w3.org/TR/uievents-code/), such as `KeyA`; the key at that
    /// place of the keyboard, whatever is printed on it.
    ///
    /// ```
    /// use spice_client::keyboard::Key;
    /// assert_eq!(Key::from_code("ArrowUp"), Some(Key::xt(0xe048)));
    /// assert_eq!(Key::from_code("KeyÄ"), None);
    /// ```
    pub fn from_code(code: &str) -> Option<Self> {
        KEYS.iter().find(|(name, ..)| *name == code).map(|(.., key)| *key)
    }

    /// As [`from_code`](Self::from_code), without regard to upper and lower case.
    pub(super) fn from_code_of_any_case(code: &str) -> Option<Self> {
        KEYS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(code)).map(|(.., key)| *key)
    }

    /// The key of a Linux input event code, such as 30, `KEY_A`.
    ///
    /// ```
    /// use spice_client::keyboard::Key;
    /// assert_eq!(Key::from_evdev(30), Key::from_code("KeyA"));
    /// ```
    pub fn from_evdev(code: u16) -> Option<Self> {
        KEYS.iter().find(|(_, number, _)| *number == code).map(|(.., key)| *key)
    }

    /// The W3C's `KeyboardEvent.code` of the key, if it is one that has a name.
    pub fn code(self) -> Option<&'static str> {
        KEYS.iter().find(|(.., key)| *key == self).map(|(name, ..)| *name)
    }
}

/// All keys. Sources: the W3C's UI Events `code` values, and Linux's `input-event-codes.h`.
const KEYS: &[Row] = &[
    ("Escape", 1, plain(0x01)),
    ("Digit1", 2, plain(0x02)),
    ("Digit2", 3, plain(0x03)),
    ("Digit3", 4, plain(0x04)),
    ("Digit4", 5, plain(0x05)),
    ("Digit5", 6, plain(0x06)),
    ("Digit6", 7, plain(0x07)),
    ("Digit7", 8, plain(0x08)),
    ("Digit8", 9, plain(0x09)),
    ("Digit9", 10, plain(0x0a)),
    ("Digit0", 11, plain(0x0b)),
    ("Minus", 12, plain(0x0c)),
    ("Equal", 13, plain(0x0d)),
    ("Backspace", 14, plain(0x0e)),
    ("Tab", 15, plain(0x0f)),
    ("KeyQ", 16, plain(0x10)),
    ("KeyW", 17, plain(0x11)),
    ("KeyE", 18, plain(0x12)),
    ("KeyR", 19, plain(0x13)),
    ("KeyT", 20, plain(0x14)),
    ("KeyY", 21, plain(0x15)),
    ("KeyU", 22, plain(0x16)),
    ("KeyI", 23, plain(0x17)),
    ("KeyO", 24, plain(0x18)),
    ("KeyP", 25, plain(0x19)),
    ("BracketLeft", 26, plain(0x1a)),
    ("BracketRight", 27, plain(0x1b)),
    ("Enter", 28, plain(0x1c)),
    ("ControlLeft", 29, plain(0x1d)),
    ("KeyA", 30, plain(0x1e)),
    ("KeyS", 31, plain(0x1f)),
    ("KeyD", 32, plain(0x20)),
    ("KeyF", 33, plain(0x21)),
    ("KeyG", 34, plain(0x22)),
    ("KeyH", 35, plain(0x23)),
    ("KeyJ", 36, plain(0x24)),
    ("KeyK", 37, plain(0x25)),
    ("KeyL", 38, plain(0x26)),
    ("Semicolon", 39, plain(0x27)),
    ("Quote", 40, plain(0x28)),
    ("Backquote", 41, plain(0x29)),
    ("ShiftLeft", 42, plain(0x2a)),
    ("Backslash", 43, plain(0x2b)),
    ("KeyZ", 44, plain(0x2c)),
    ("KeyX", 45, plain(0x2d)),
    ("KeyC", 46, plain(0x2e)),
    ("KeyV", 47, plain(0x2f)),
    ("KeyB", 48, plain(0x30)),
    ("KeyN", 49, plain(0x31)),
    ("KeyM", 50, plain(0x32)),
    ("Comma", 51, plain(0x33)),
    ("Period", 52, plain(0x34)),
    ("Slash", 53, plain(0x35)),
    ("ShiftRight", 54, plain(0x36)),
    ("NumpadMultiply", 55, plain(0x37)),
    ("AltLeft", 56, plain(0x38)),
    ("Space", 57, plain(0x39)),
    ("CapsLock", 58, plain(0x3a)),
    ("F1", 59, plain(0x3b)),
    ("F2", 60, plain(0x3c)),
    ("F3", 61, plain(0x3d)),
    ("F4", 62, plain(0x3e)),
    ("F5", 63, plain(0x3f)),
    ("F6", 64, plain(0x40)),
    ("F7", 65, plain(0x41)),
    ("F8", 66, plain(0x42)),
    ("F9", 67, plain(0x43)),
    ("F10", 68, plain(0x44)),
    ("NumLock", 69, plain(0x45)),
    ("ScrollLock", 70, plain(0x46)),
    ("Numpad7", 71, plain(0x47)),
    ("Numpad8", 72, plain(0x48)),
    ("Numpad9", 73, plain(0x49)),
    ("NumpadSubtract", 74, plain(0x4a)),
    ("Numpad4", 75, plain(0x4b)),
    ("Numpad5", 76, plain(0x4c)),
    ("Numpad6", 77, plain(0x4d)),
    ("NumpadAdd", 78, plain(0x4e)),
    ("Numpad1", 79, plain(0x4f)),
    ("Numpad2", 80, plain(0x50)),
    ("Numpad3", 81, plain(0x51)),
    ("Numpad0", 82, plain(0x52)),
    ("NumpadDecimal", 83, plain(0x53)),
    ("IntlBackslash", 86, plain(0x56)),
    ("F11", 87, plain(0x57)),
    ("F12", 88, plain(0x58)),
    ("NumpadEqual", 117, plain(0x59)),
    ("F13", 183, plain(0x64)),
    ("F14", 184, plain(0x65)),
    ("F15", 185, plain(0x66)),
    ("F16", 186, plain(0x67)),
    ("F17", 187, plain(0x68)),
    ("F18", 188, plain(0x69)),
    ("F19", 189, plain(0x6a)),
    ("F20", 190, plain(0x6b)),
    ("F21", 191, plain(0x6c)),
    ("F22", 192, plain(0x6d)),
    ("F23", 193, plain(0x6e)),
    ("F24", 194, plain(0x76)),
    ("KanaMode", 93, plain(0x70)),
    ("Lang2", 123, plain(0x71)),
    ("Lang1", 122, plain(0x72)),
    ("IntlRo", 89, plain(0x73)),
    ("Lang4", 91, plain(0x77)),
    ("Lang3", 90, plain(0x78)),
    ("Convert", 92, plain(0x79)),
    ("NonConvert", 94, plain(0x7b)),
    ("IntlYen", 124, plain(0x7d)),
    ("NumpadComma", 121, plain(0x7e)),
    ("MediaTrackPrevious", 165, extended(0x10)),
    ("MediaTrackNext", 163, extended(0x19)),
    ("NumpadEnter", 96, extended(0x1c)),
    ("ControlRight", 97, extended(0x1d)),
    ("AudioVolumeMute", 113, extended(0x20)),
    ("LaunchApp2", 140, extended(0x21)),
    ("MediaPlayPause", 164, extended(0x22)),
    ("MediaStop", 166, extended(0x24)),
    ("AudioVolumeDown", 114, extended(0x2e)),
    ("AudioVolumeUp", 115, extended(0x30)),
    ("BrowserHome", 172, extended(0x32)),
    ("NumpadDivide", 98, extended(0x35)),
    ("PrintScreen", 99, extended(0x37)),
    ("AltRight", 100, extended(0x38)),
    ("Home", 102, extended(0x47)),
    ("ArrowUp", 103, extended(0x48)),
    ("PageUp", 104, extended(0x49)),
    ("ArrowLeft", 105, extended(0x4b)),
    ("ArrowRight", 106, extended(0x4d)),
    ("End", 107, extended(0x4f)),
    ("ArrowDown", 108, extended(0x50)),
    ("PageDown", 109, extended(0x51)),
    ("Insert", 110, extended(0x52)),
    ("Delete", 111, extended(0x53)),
    ("MetaLeft", 125, extended(0x5b)),
    ("MetaRight", 126, extended(0x5c)),
    ("ContextMenu", 127, extended(0x5d)),
    ("Power", 116, extended(0x5e)),
    ("Sleep", 142, extended(0x5f)),
    ("WakeUp", 143, extended(0x63)),
    ("BrowserSearch", 217, extended(0x65)),
    ("BrowserFavorites", 156, extended(0x66)),
    ("BrowserRefresh", 173, extended(0x67)),
    ("BrowserStop", 128, extended(0x68)),
    ("BrowserForward", 159, extended(0x69)),
    ("BrowserBack", 158, extended(0x6a)),
    ("LaunchApp1", 157, extended(0x6b)),
    ("LaunchMail", 155, extended(0x6c)),
    ("MediaSelect", 226, extended(0x6d)),
    ("Pause", 119, Key::Pause),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_numbers_and_keys_are_each_used_once() {
        for (index, (name, number, key)) in KEYS.iter().enumerate() {
            for (other, code, other_key) in &KEYS[..index] {
                assert!(name != other && number != code && key != other_key, "{name} and {other}");
            }
        }
    }

    #[test]
    fn there_and_back() {
        for (name, number, key) in KEYS {
            assert_eq!((Key::from_code(name), Key::from_evdev(*number)), (Some(*key), Some(*key)));
            assert_eq!(key.code(), Some(*name));
        }
    }
}
