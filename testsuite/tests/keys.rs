//! The table of keys against QEMU's own reading of scan codes.

use spice_client::Event;
use spice_client::keyboard::Key;
use spice_client::spice_proto::msg::inputs;
use testsuite::console::{Console, LIMIT};
use testsuite::qemu::{Access, Qemu};
use testsuite::wait_for;

/// Names of the W3C and QEMU's for the same keys. QEMU 7.2 has no name for the code of BrowserSearch.
const KEYS: &[(&str, &str)] = &[
    ("Escape", "esc"),
    ("Minus", "minus"),
    ("Equal", "equal"),
    ("Backspace", "backspace"),
    ("Tab", "tab"),
    ("BracketLeft", "bracket_left"),
    ("BracketRight", "bracket_right"),
    ("Enter", "ret"),
    ("ControlLeft", "ctrl"),
    ("Semicolon", "semicolon"),
    ("Quote", "apostrophe"),
    ("Backquote", "grave_accent"),
    ("ShiftLeft", "shift"),
    ("Backslash", "backslash"),
    ("Comma", "comma"),
    ("Period", "dot"),
    ("Slash", "slash"),
    ("ShiftRight", "shift_r"),
    ("NumpadMultiply", "kp_multiply"),
    ("AltLeft", "alt"),
    ("Space", "spc"),
    ("CapsLock", "caps_lock"),
    ("NumLock", "num_lock"),
    ("ScrollLock", "scroll_lock"),
    ("NumpadSubtract", "kp_subtract"),
    ("NumpadAdd", "kp_add"),
    ("NumpadDecimal", "kp_decimal"),
    ("IntlBackslash", "less"),
    ("NumpadEqual", "kp_equals"),
    ("KanaMode", "katakanahiragana"),
    ("Lang1", "lang1"),
    ("Lang2", "lang2"),
    ("IntlRo", "ro"),
    ("Lang4", "hiragana"),
    ("Convert", "henkan"),
    ("NonConvert", "muhenkan"),
    ("IntlYen", "yen"),
    ("NumpadComma", "kp_comma"),
    ("MediaTrackPrevious", "audioprev"),
    ("MediaTrackNext", "audionext"),
    ("NumpadEnter", "kp_enter"),
    ("ControlRight", "ctrl_r"),
    ("AudioVolumeMute", "audiomute"),
    ("LaunchApp2", "calculator"),
    ("MediaPlayPause", "audioplay"),
    ("MediaStop", "audiostop"),
    ("AudioVolumeDown", "volumedown"),
    ("AudioVolumeUp", "volumeup"),
    ("BrowserHome", "ac_home"),
    ("NumpadDivide", "kp_divide"),
    ("PrintScreen", "print"),
    ("AltRight", "alt_r"),
    ("Home", "home"),
    ("ArrowUp", "up"),
    ("PageUp", "pgup"),
    ("ArrowLeft", "left"),
    ("ArrowRight", "right"),
    ("End", "end"),
    ("ArrowDown", "down"),
    ("PageDown", "pgdn"),
    ("Insert", "insert"),
    ("Delete", "delete"),
    ("MetaLeft", "meta_l"),
    ("MetaRight", "meta_r"),
    ("ContextMenu", "compose"),
    ("Power", "power"),
    ("Sleep", "sleep"),
    ("WakeUp", "wake"),
    ("BrowserFavorites", "ac_bookmarks"),
    ("BrowserRefresh", "ac_refresh"),
    ("BrowserStop", "stop"),
    ("BrowserForward", "ac_forward"),
    ("BrowserBack", "ac_back"),
    ("LaunchApp1", "computer"),
    ("LaunchMail", "mail"),
    ("MediaSelect", "mediaselect"),
];

#[test]
fn qemu_takes_every_key_for_what_it_is() {
    let mut qemu = Qemu::start(Access::Open).unwrap();
    qemu.trace(TRACED).unwrap();
    let console = Console::connect(qemu.port()).unwrap();
    let init = |event: &Event| matches!(event, Event::Inputs(inputs::ServerMessage::Init(_))).then_some(());
    console.event("the inputs channel", init).unwrap();
    let letters = ('A'..='Z').map(|c| (format!("Key{c}"), c.to_lowercase().to_string()));
    let digits = (0..10)
        .flat_map(|n| [(format!("Digit{n}"), n.to_string()), (format!("Numpad{n}"), format!("kp_{n}"))]);
    let functions = (1..=12).map(|n| (format!("F{n}"), format!("f{n}")));
    let others = KEYS.iter().map(|(code, name)| ((*code).to_owned(), (*name).to_owned()));
    let pause = [("Pause".to_owned(), "pause".to_owned())];
    let mut wanted = Vec::new();
    for (code, name) in letters.chain(digits).chain(functions).chain(others).chain(pause) {
        assert!(Key::from_code(&code).is_some(), "{code}");
        console.handle().send_key_event(&code, true).unwrap();
        console.handle().send_key_event(&code, false).unwrap();
        console.wait("word that it is taken", console.handle().inputs_taken()).unwrap();
        wanted.push((name.clone(), true));
        // Of Pause, whose code takes six bytes, QEMU makes a single event.
        if code != "Pause" {
            wanted.push((name, false));
        }
    }
    wait_for("every key", LIMIT, || Ok((qemu.traced(TRACED).len() >= wanted.len()).then_some(()))).unwrap();
    assert_eq!(keys(&qemu), wanted);
}

/// The keys that the machine has taken, by its own names, and whether each went down.
fn keys(qemu: &Qemu) -> Vec<(String, bool)> {
    let key = |line: String| {
        let (_, rest) = line.split_once("key qcode ").expect("a key");
        let (name, down) = rest.split_once(", down ").expect("whether it goes down");
        (name.to_owned(), down == "1")
    };
    qemu.traced(TRACED).into_iter().map(key).collect()
}

/// What QEMU writes down of a key.
const TRACED: &str = "input_event_key_qcode";
