//! Keys by `KeyboardEvent.code`, and which of them are held.

pub use spice_proto::channel::inputs::Scancode;

/// The key of a PC keyboard at the place that a browser's `KeyboardEvent.code` names; `None` if there is none.
pub fn scancode(code: &str) -> Option<Scancode> {
    if let Some(letter) = code.strip_prefix("Key") {
        return find(LETTERS, letter).map(Scancode::plain);
    }
    find(PLAIN, code).map(Scancode::plain).or_else(|| find(EXTENDED, code).map(Scancode::extended))
}

/// The key of a scan code of set 1 in one number: 0x01 to 0x7f, or 0xe001 to 0xe07f.
pub fn from_number(number: u32) -> Option<Scancode> {
    let code = u8::try_from(number & 0xff).ok().filter(|code| (1..0x80).contains(code))?;
    match number >> 8 {
        0 => Some(Scancode::plain(code)),
        0xe0 => Some(Scancode::extended(code)),
        _ => None,
    }
}

/// The key of a US keyboard that types a character, and whether Shift is held with it.
pub fn character(character: char) -> Option<(Scancode, bool)> {
    if character.is_ascii_alphabetic() {
        let name = character.to_ascii_uppercase().to_string();
        return Some((Scancode::plain(find(LETTERS, &name)?), character.is_ascii_uppercase()));
    }
    if let Some(place) = PLAIN_CHARACTERS.find(character) {
        return Some((Scancode::plain(*CHARACTER_KEYS.get(place)?), false));
    }
    let place = SHIFTED_CHARACTERS.find(character)?;
    Some((Scancode::plain(*CHARACTER_KEYS.get(place)?), true))
}

/// The left Shift.
pub const SHIFT: Scancode = Scancode::plain(0x2a);

/// The keys that are held.
#[derive(Debug, Default)]
pub struct Keys {
    held: Vec<Scancode>,
}

impl Keys {
    /// A key goes down or up.
    pub fn set(&mut self, key: Scancode, down: bool) {
        self.held.retain(|&held| held != key);
        if down {
            self.held.push(key);
        }
    }

    /// Takes all held keys, the last one first.
    pub fn take(&mut self) -> Vec<Scancode> {
        let mut held = std::mem::take(&mut self.held);
        held.reverse();
        held
    }
}

fn find(table: &[(&str, u8)], name: &str) -> Option<u8> {
    table.iter().find(|(known, _)| *known == name).map(|(_, code)| *code)
}

const PLAIN_CHARACTERS: &str = "1234567890-=[];'`\\,./ \n\t";
const SHIFTED_CHARACTERS: &str = "!@#$%^&*()_+{}:\"~|<>?";
/// The keys of the characters above.
#[rustfmt::skip]
const CHARACTER_KEYS: &[u8] = &[
    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0x1a, 0x1b, 0x27, 0x28, 0x29, 0x2b, 0x33, 0x34, 0x35, 0x39, 0x1c, 0x0f,
];
#[rustfmt::skip]
const LETTERS: &[(&str, u8)] = &[
    ("Q", 0x10), ("W", 0x11), ("E", 0x12), ("R", 0x13), ("T", 0x14), ("Y", 0x15), ("U", 0x16), ("I", 0x17),
    ("O", 0x18), ("P", 0x19), ("A", 0x1e), ("S", 0x1f), ("D", 0x20), ("F", 0x21), ("G", 0x22), ("H", 0x23),
    ("J", 0x24), ("K", 0x25), ("L", 0x26), ("Z", 0x2c), ("X", 0x2d), ("C", 0x2e), ("V", 0x2f), ("B", 0x30),
    ("N", 0x31), ("M", 0x32),
];
#[rustfmt::skip]
const PLAIN: &[(&str, u8)] = &[
    ("Escape", 0x01), ("Digit1", 0x02), ("Digit2", 0x03), ("Digit3", 0x04), ("Digit4", 0x05), ("Digit5", 0x06),
    ("Digit6", 0x07), ("Digit7", 0x08), ("Digit8", 0x09), ("Digit9", 0x0a), ("Digit0", 0x0b), ("Minus", 0x0c),
    ("Equal", 0x0d), ("Backspace", 0x0e), ("Tab", 0x0f), ("BracketLeft", 0x1a), ("BracketRight", 0x1b),
    ("Enter", 0x1c), ("ControlLeft", 0x1d), ("Semicolon", 0x27), ("Quote", 0x28), ("Backquote", 0x29),
    ("ShiftLeft", 0x2a), ("Backslash", 0x2b), ("Comma", 0x33), ("Period", 0x34), ("Slash", 0x35),
    ("ShiftRight", 0x36), ("NumpadMultiply", 0x37), ("AltLeft", 0x38), ("Space", 0x39), ("CapsLock", 0x3a),
    ("F1", 0x3b), ("F2", 0x3c), ("F3", 0x3d), ("F4", 0x3e), ("F5", 0x3f), ("F6", 0x40), ("F7", 0x41),
    ("F8", 0x42), ("F9", 0x43), ("F10", 0x44), ("NumLock", 0x45), ("ScrollLock", 0x46), ("Numpad7", 0x47),
    ("Numpad8", 0x48), ("Numpad9", 0x49), ("NumpadSubtract", 0x4a), ("Numpad4", 0x4b), ("Numpad5", 0x4c),
    ("Numpad6", 0x4d), ("NumpadAdd", 0x4e), ("Numpad1", 0x4f), ("Numpad2", 0x50), ("Numpad3", 0x51),
    ("Numpad0", 0x52), ("NumpadDecimal", 0x53), ("IntlBackslash", 0x56), ("F11", 0x57), ("F12", 0x58),
    ("NumpadEqual", 0x59), ("F13", 0x64), ("F14", 0x65), ("F15", 0x66), ("F16", 0x67), ("F17", 0x68),
    ("F18", 0x69), ("F19", 0x6a), ("F20", 0x6b), ("F21", 0x6c), ("F22", 0x6d), ("F23", 0x6e), ("KanaMode", 0x70),
    ("IntlRo", 0x73), ("F24", 0x76), ("Convert", 0x79), ("NonConvert", 0x7b), ("IntlYen", 0x7d),
    ("NumpadComma", 0x7e),
];
#[rustfmt::skip]
const EXTENDED: &[(&str, u8)] = &[
    ("MediaTrackPrevious", 0x10), ("MediaTrackNext", 0x19), ("NumpadEnter", 0x1c), ("ControlRight", 0x1d),
    ("AudioVolumeMute", 0x20), ("LaunchApp2", 0x21), ("MediaPlayPause", 0x22), ("MediaStop", 0x24),
    ("AudioVolumeDown", 0x2e), ("AudioVolumeUp", 0x30), ("BrowserHome", 0x32), ("NumpadDivide", 0x35),
    ("PrintScreen", 0x37), ("AltRight", 0x38), ("Pause", 0x46), ("Home", 0x47), ("ArrowUp", 0x48),
    ("PageUp", 0x49), ("ArrowLeft", 0x4b), ("ArrowRight", 0x4d), ("End", 0x4f), ("ArrowDown", 0x50),
    ("PageDown", 0x51), ("Insert", 0x52), ("Delete", 0x53), ("MetaLeft", 0x5b), ("MetaRight", 0x5c),
    ("ContextMenu", 0x5d), ("Power", 0x5e), ("Sleep", 0x5f), ("WakeUp", 0x63), ("BrowserSearch", 0x65),
    ("BrowserFavorites", 0x66), ("BrowserRefresh", 0x67), ("BrowserStop", 0x68), ("BrowserForward", 0x69),
    ("BrowserBack", 0x6a), ("LaunchApp1", 0x6b), ("LaunchMail", 0x6c), ("MediaSelect", 0x6d),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_keys() {
        assert_eq!(scancode("KeyA"), Some(Scancode::plain(0x1e)));
        assert_eq!(scancode("ControlRight"), Some(Scancode::extended(0x1d)));
        assert_eq!(scancode("Keya"), None);
        assert_eq!(scancode(""), None);
        assert_eq!(from_number(0xe01d), Some(Scancode::extended(0x1d)));
        assert_eq!([from_number(0), from_number(0x80), from_number(0x11d)], [None; 3]);
    }

    #[test]
    fn characters_of_a_us_keyboard() {
        assert_eq!(character('a'), Some((Scancode::plain(0x1e), false)));
        assert_eq!(character('Q'), Some((Scancode::plain(0x10), true)));
        assert_eq!(character('?'), Some((Scancode::plain(0x35), true)));
        assert_eq!(character('\n'), Some((Scancode::plain(0x1c), false)));
        assert_eq!(character('\t'), Some((Scancode::plain(0x0f), false)));
        assert_eq!(character('ä'), None);
    }

    #[test]
    fn held_keys_are_released_in_reverse() {
        let mut keys = Keys::default();
        let (a, b) = (Scancode::plain(1), Scancode::plain(2));
        for (key, down) in [(a, true), (b, true), (a, true), (b, false), (b, true)] {
            keys.set(key, down);
        }
        assert_eq!(keys.take(), [b, a]);
        assert!(keys.take().is_empty());
    }
}
