//! Keys and pointer as programs in the guest see them.

use std::fs;

use spice_client::Event;
use spice_client::keyboard::{Combination, Key, KeyboardModifiers, Layout};
use spice_client::mouse::{MouseButton, MouseButtons, MouseModes};
use spice_client::spice_proto::msg::{inputs, main};
use testsuite::console::{Console, LIMIT};
use testsuite::guest::Guest;
use testsuite::process::args;
use testsuite::qemu::{Access, Qemu};
use testsuite::wait_for;

/// A program in the guest that writes down every event of its input devices.
pub(crate) struct Log {
    path: std::path::PathBuf,
}

impl Log {
    pub(crate) fn start(guest: &mut Guest) -> Self {
        let path = guest.download("events");
        let script = format!("exec stdbuf -oL xinput test-xi2 --root > '{}'", path.display());
        guest.xspice.launch("sh", &args(&["-c", &script])).unwrap();
        let log = Self { path };
        // The listener is there once it has seen a key of the server's own.
        wait_for("the listener", LIMIT, || {
            guest.xspice.program("xdotool").args(["key", "Shift_L"]).read(LIMIT)?;
            Ok(log.text().contains("RawKeyPress").then_some(()))
        })
        .unwrap();
        log
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap_or_default()
    }

    /// Kind and detail of every raw event.
    fn raw(&self) -> Vec<(String, u32)> {
        let mut events = Vec::new();
        let mut kind = None;
        for line in self.text().lines() {
            if let Some((_, name)) = line.split_once("(Raw") {
                kind = Some(name.trim_end_matches(')').to_owned());
            } else if let Some(detail) = line.trim().strip_prefix("detail: ")
                && let (Some(kind), Ok(number)) = (kind.take(), detail.trim().parse())
            {
                events.push((kind, number));
            }
        }
        events
    }

    /// Whether such an event was seen so far.
    pub(crate) fn has(&self, kind: &str, detail: u32) -> bool {
        self.raw().iter().any(|(each, number)| each == kind && *number == detail)
    }

    /// As [`wait`](Self::wait), whatever the pointer's movements in between.
    pub(crate) fn wait_still(&self, what: &str, wanted: &[(&str, u32)]) {
        self.wait_among(what, wanted, |kind| kind != "Motion");
    }

    pub(crate) fn wait(&self, what: &str, wanted: &[(&str, u32)]) {
        self.wait_among(what, wanted, |_| true);
    }

    fn wait_among(&self, what: &str, wanted: &[(&str, u32)], is_meant: impl Fn(&str) -> bool) {
        let wanted: Vec<_> = wanted.iter().map(|(kind, detail)| ((*kind).to_owned(), *detail)).collect();
        let mut last = Vec::new();
        wait_for(what, LIMIT, || {
            last = self.raw();
            last.retain(|(kind, _)| is_meant(kind));
            Ok(last.windows(wanted.len().max(1)).any(|some| some == wanted).then_some(()))
        })
        .unwrap_or_else(|error| panic!("{error}: wanted {wanted:?} in {last:?}"));
    }
}

fn console(guest: &Guest) -> Console {
    let console = Console::with_agent(guest.port()).unwrap();
    console
        .event("the inputs channel", |event| {
            matches!(event, Event::Inputs(inputs::ServerMessage::Init(_))).then_some(())
        })
        .unwrap();
    console
}

#[test]
fn keys_arrive() {
    let mut guest = Guest::start().unwrap();
    let console = console(&guest);
    let log = Log::start(&mut guest);
    let handle = console.handle();
    // X's numbers of keys are Linux's and 8.
    let (down, up) = ("KeyPress", "KeyRelease");
    handle.key_down(Key::xt(0x1e)).unwrap();
    handle.key_up(Key::xt(0x1e)).unwrap();
    log.wait("a scan code", &[(down, 38), (up, 38)]);
    assert!(handle.send_key_event("ArrowUp", true).unwrap());
    assert!(handle.send_key_event("ArrowUp", false).unwrap());
    log.wait("a name of the web", &[(down, 111), (up, 111)]);
    handle.press_key(Key::from_evdev(48).unwrap()).unwrap();
    log.wait("an atomic press", &[(down, 56), (up, 56)]);
    handle.press_combination(&"Ctrl+Alt+Del".parse::<Combination>().unwrap()).unwrap();
    log.wait("a combination", &[(down, 37), (down, 64), (down, 119), (up, 119), (up, 64), (up, 37)]);
    // What is held when the window loses the keyboard goes up again.
    for code in ["ShiftLeft", "KeyQ", "AltRight"] {
        handle.send_key_event(code, true).unwrap();
    }
    handle.release_keys().unwrap();
    log.wait("releases", &[(down, 50), (down, 24), (down, 108), (up, 108), (up, 24), (up, 50)]);
    handle.release_keys().unwrap();
    handle.press_key(Key::xt(0x2c)).unwrap();
    log.wait("nothing more to release", &[(up, 50), (down, 52), (up, 52)]);
}

#[test]
fn lock_lights_go_both_ways() {
    let guest = Guest::start().unwrap();
    let console = console(&guest);
    let lights = |caps: bool| {
        console
            .event("the guest's lights", |event| match event {
                Event::Inputs(inputs::ServerMessage::KeyModifiers(locks)) => {
                    (locks.modifiers.contains(KeyboardModifiers::CAPS_LOCK) == caps).then_some(())
                }
                _ => None,
            })
            .unwrap();
        console.clear();
    };
    console.clear();
    console.handle().set_locks(KeyboardModifiers::CAPS_LOCK).unwrap();
    lights(true);
    console.handle().press_key(Key::from_code("CapsLock").unwrap()).unwrap();
    lights(false);
}

#[test]
fn the_pointer_goes_where_it_is_led() {
    let mut guest = Guest::start().unwrap();
    let console = console(&guest);
    let client_mode = |event: &Event| match event {
        Event::Main(main::ServerMessage::MouseMode(mode)) => {
            (mode.current_mode == MouseModes::CLIENT).then_some(())
        }
        Event::Main(main::ServerMessage::Init(init)) => {
            (init.current_mouse_mode.modes == MouseModes::CLIENT).then_some(())
        }
        _ => None,
    };
    console.event("client mouse mode", client_mode).unwrap();
    let handle = console.handle();
    let at = |x: u32, y: u32| {
        guest
            .xspice
            .wait_until_said("the pointer", "xdotool", &["getmouselocation"], &format!("x:{x} y:{y} "))
            .unwrap();
    };
    handle.pointer_position(123, 45, 0).unwrap();
    at(123, 45);
    // Far more than the server acknowledges at once: the last one counts.
    for n in 0..500 {
        handle.pointer_position(n, 2 * n / 3, 0).unwrap();
    }
    at(499, 332);
    let log = Log::start(&mut guest);
    let (down, up) = ("ButtonPress", "ButtonRelease");
    for (button, number) in [(MouseButton::LEFT, 1), (MouseButton::MIDDLE, 2), (MouseButton::RIGHT, 3)] {
        handle.click(button).unwrap();
        log.wait("a button", &[(down, number), (up, number)]);
    }
    handle.scroll(-2.0).unwrap();
    log.wait("the wheel", &[(down, 4), (up, 4), (down, 4), (up, 4)]);
    handle.scroll(0.5).unwrap();
    handle.scroll(0.5).unwrap();
    log.wait("the wheel, by halves", &[(down, 5), (up, 5)]);
    handle.send_pointer_event(10, 20, MouseButtons::LEFT).unwrap();
    handle.send_pointer_event(30, 40, MouseButtons::empty()).unwrap();
    log.wait("a drag", &[(down, 1), ("Motion", 0), (up, 1)]);
}

/// Xspice's pointer knows no relative movement, but both modes.
#[test]
fn the_mouse_mode_can_be_switched() {
    let guest = Guest::start().unwrap();
    let console = console(&guest);
    let handle = console.handle();
    let place = || guest.xspice.program("xdotool").args(["getmouselocation"]).read(LIMIT).unwrap();
    mode(&console, MouseModes::CLIENT);
    for (x, wanted) in [(50, "x:50 y:60 "), (70, "x:70 y:60 ")] {
        handle.set_mouse_mode(MouseModes::SERVER).unwrap();
        mode(&console, MouseModes::SERVER);
        let before = place();
        // Without effect in this mode.
        handle.pointer_position(700, 700, 0).unwrap();
        console.wait("word that it is taken", handle.inputs_taken()).unwrap();
        assert_eq!(place(), before);
        handle.set_mouse_mode(MouseModes::CLIENT).unwrap();
        mode(&console, MouseModes::CLIENT);
        handle.pointer_position(x, 60, 0).unwrap();
        wait_for("a place", LIMIT, || Ok(place().contains(wanted).then_some(()))).unwrap();
    }
}

/// A machine without agent and tablet has only this mode.
#[test]
fn relative_movements_add_up() {
    let mut qemu = Qemu::start(Access::Open).unwrap();
    qemu.trace("input_event_rel").unwrap();
    let console = Console::connect(qemu.port()).unwrap();
    let handle = console.handle();
    let init = |event: &Event| matches!(event, Event::Inputs(inputs::ServerMessage::Init(_))).then_some(());
    console.event("the inputs channel", init).unwrap();
    // Far more than the server acknowledges at once.
    for _ in 0..500 {
        handle.pointer_motion(2, -1).unwrap();
    }
    // A pointer event moves it by as much as it has moved itself since the last one.
    handle.send_pointer_event(100, 100, MouseButtons::empty()).unwrap();
    handle.send_pointer_event(97, 140, MouseButtons::empty()).unwrap();
    // Without effect in this mode.
    handle.pointer_position(7, 7, 0).unwrap();
    console.wait("word that it is taken", handle.inputs_taken()).unwrap();
    let mut sums = (0, 0);
    wait_for("all movements", LIMIT, || {
        sums = (moved(&qemu, "axis x"), moved(&qemu, "axis y"));
        Ok((sums == (997, -460)).then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error}: {sums:?}"));
}

/// Waits until a mouse mode is in force.
fn mode(console: &Console, wanted: MouseModes) {
    let seen = |event: &Event| match event {
        Event::Main(main::ServerMessage::MouseMode(mode)) => (mode.current_mode == wanted).then_some(()),
        _ => None,
    };
    console.event("the other mouse mode", seen).unwrap();
    console.clear();
}

/// By how much QEMU has seen the pointer move.
pub(crate) fn moved(qemu: &Qemu, axis: &str) -> i64 {
    let value = |line: &String| line.rsplit_once("value ")?.1.trim().parse::<i64>().ok();
    qemu.traced("input_event_rel").iter().filter(|line| line.contains(axis)).filter_map(value).sum()
}

/// Everything that a layout can make, typed into a terminal whose program writes it down.
fn type_everything(layout: Layout) {
    let mut guest = Guest::start().unwrap();
    guest.xspice.program("setxkbmap").args([layout.name()]).read(LIMIT).unwrap();
    let console = console(&guest);
    let path = guest.download("typed");
    // Raw: the terminal's own editing would take some keys for itself.
    let script = format!("stty raw -echo; exec stdbuf -o0 cat > '{}'", path.display());
    let terminal = ["-u8", "-T", "typing", "-e", "sh", "-c", &script];
    guest.xspice.launch("xterm", &args(&terminal)).unwrap();
    guest
        .xspice
        .wait_until_said("the terminal's window", "xwininfo", &["-name", "typing"], "IsViewable")
        .unwrap();
    guest
        .xspice
        .program("xdotool")
        .args(["search", "--sync", "--name", "typing", "windowfocus", "--sync"])
        .read(LIMIT)
        .unwrap();
    wait_for("the terminal's program", LIMIT, || Ok(path.exists().then_some(()))).unwrap();
    // Caps lock is on, which must make no difference.
    console.handle().set_locks(KeyboardModifiers::CAPS_LOCK).unwrap();
    let caps = |event: &Event| match event {
        Event::Inputs(inputs::ServerMessage::KeyModifiers(locks)) => {
            locks.modifiers.contains(KeyboardModifiers::CAPS_LOCK).then_some(())
        }
        _ => None,
    };
    console.event("caps lock", caps).unwrap();
    // Two keys of Japanese keyboards are others for this X driver. It adds 8 to a plain scan code and calls that the
    // key, which is right up to 0x58, as far as Linux's numbers are the scan codes: of 0x73 and 0x7d it makes keys 123
    // and 133 (`xinput test-xi2`), which X knows as the volume and the Super key, where the layout has these two at 97 and
    // 132. QEMU takes them for what they are: `qemu_takes_every_key_for_what_it_is`.
    let beyond = |c: &char| layout.strokes(&c.to_string()).strokes.iter().all(|s| s.key.down() <= 0x58);
    let characters: String = layout.characters().into_iter().filter(beyond).collect();
    let known = if layout == Layout::Jp { 92 } else { layout.characters().len() };
    assert_eq!(characters.chars().count(), known);
    let text = format!("{characters}語");
    let missing = console.wait("typing", console.handle().type_text(&text, layout)).unwrap();
    assert_eq!(missing, ['語']);
    let mut typed = String::new();
    wait_for("the whole text", LIMIT, || {
        typed = String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned();
        Ok((typed.chars().count() >= characters.chars().count()).then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error}: {layout}: {typed:?} of {characters:?}"));
    assert_eq!(typed, characters, "{layout}");
    println!("{layout}: {} characters", characters.chars().count());
}

#[test]
fn american() {
    type_everything(Layout::Us);
}

#[test]
fn british() {
    type_everything(Layout::Gb);
}

#[test]
fn german() {
    type_everything(Layout::De);
}

#[test]
fn french() {
    type_everything(Layout::Fr);
}

#[test]
fn spanish() {
    type_everything(Layout::Es);
}

#[test]
fn italian() {
    type_everything(Layout::It);
}

#[test]
fn japanese() {
    type_everything(Layout::Jp);
}
