//! Keys and pointers that take more than a plain browser window: other layouts, input methods, full screen, a pointer
//! that is caught, displays with more pixels.

use testsuite::browser::{Browser, DESKTOP, Kind, Page};
use testsuite::console::LIMIT;
use testsuite::gateway::Gateway;
use testsuite::guest::Guest;
use testsuite::picture::Picture;
use testsuite::process::args;
use testsuite::qemu::{Access, Qemu};
use testsuite::temp::TempDir;
use testsuite::wait_for;

use crate::input::{Log, moved};
use crate::web_input::open;

const DOWN: &str = "KeyPress";
const UP: &str = "KeyRelease";

/// Sends the page events as browsers make them of keys that no automation has: `[type, code, key]` each.
fn events(page: &mut Page<'_>, list: &str) {
    page.run(&format!(
        "const sink = {DESKTOP}.shadowRoot.querySelector('.keys');
         for (const [type, code, key] of {list}) {{
             sink.dispatchEvent(new KeyboardEvent(`key${{type}}`, {{ code, key, bubbles: true, cancelable: true }}));
         }}"
    ))
    .unwrap();
}

/// A terminal in the guest whose program writes down what is typed; pasting takes what was copied, not selected.
fn terminal(guest: &mut Guest) -> std::path::PathBuf {
    let path = guest.download("typed");
    let script = format!("stty raw -echo; exec stdbuf -o0 cat > '{}'", path.display());
    let select = "XTerm*selectToClipboard: true";
    let arguments = args(&["-u8", "-xrm", select, "-T", "typing", "-e", "sh", "-c", &script]);
    guest.xspice.launch("xterm", &arguments).unwrap();
    guest.xspice.wait_until_said("a window", "xwininfo", &["-name", "typing"], "IsViewable").unwrap();
    let focus = ["search", "--sync", "--name", "typing", "windowfocus", "--sync"];
    guest.xspice.program("xdotool").args(focus).read(LIMIT).unwrap();
    wait_for("the terminal's program", LIMIT, || Ok(path.exists().then_some(()))).unwrap();
    path
}

fn typed(path: &std::path::Path, wanted: &str) {
    let mut last = String::new();
    wait_for("the text", LIMIT, || {
        last = std::fs::read_to_string(path).unwrap_or_default();
        Ok((last == wanted).then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error}: {last:?} and not {wanted:?}"));
}

/// AltGr and dead keys are keys like others: the guest's layout makes characters of them. What an input method
/// composes is a text, and reaches a guest whose layout does not have it through its clipboard.
#[test]
fn other_layouts_dead_keys_and_input_methods() {
    let mut guest = Guest::start().unwrap();
    guest.xspice.program("setxkbmap").args(["de"]).read(LIMIT).unwrap();
    let path = terminal(&mut guest);
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = open(&mut browser, &gateway, &guest);
    page.run(&format!("{DESKTOP}.keyboardLayout = 'de'")).unwrap();
    // AltGr+Q on a German keyboard, as Linux and macOS tell of it.
    events(
        &mut page,
        "[['down', 'AltRight', 'AltGraph'], ['down', 'KeyQ', '@'], ['up', 'KeyQ', '@'], ['up', 'AltRight', 'AltGraph']]",
    );
    typed(&path, "@");
    // The key of the acute accent, then E.
    events(
        &mut page,
        "[['down', 'Equal', 'Dead'], ['up', 'Equal', 'Dead'], ['down', 'KeyE', 'é'], ['up', 'KeyE', 'é']]",
    );
    typed(&path, "@é");
    page.compose(&["g", "gr", "grü"]).unwrap();
    typed(&path, "@égrü");
    page.compose(&["ni", "nihao", "你好"]).unwrap();
    typed(&path, "@égrü你好");
    page.check().unwrap();
}

/// Windows tells of AltGr as left Control and right Alt; a guest that got both would take it for Ctrl+Alt.
#[test]
fn windows_and_its_altgr() {
    let mut guest = Guest::start().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let windows = "Object.defineProperty(Navigator.prototype, 'platform', { get: () => 'Win32' })";
    let mut page = browser.open_with("page", &gateway.page_of(guest.port()), windows).unwrap();
    page.connected().unwrap();
    page.run(&format!("{DESKTOP}.focus()")).unwrap();
    let log = Log::start(&mut guest);
    events(
        &mut page,
        "[['down', 'ControlLeft', 'Control'], ['down', 'AltRight', 'AltGraph'], ['down', 'KeyQ', '@'],
          ['up', 'KeyQ', '@'], ['up', 'ControlLeft', 'Control'], ['up', 'AltRight', 'AltGraph']]",
    );
    log.wait_still("AltGr alone", &[(DOWN, 108), (DOWN, 24), (UP, 24), (UP, 108)]);
    assert!(!log.has(DOWN, 37), "Control reached the guest");
    // Control by itself does.
    events(
        &mut page,
        "[['down', 'ControlLeft', 'Control'], ['down', 'KeyC', 'c'], ['up', 'KeyC', 'c'], ['up', 'ControlLeft', 'Control']]",
    );
    log.wait_still("Control", &[(DOWN, 37), (DOWN, 54), (UP, 54), (UP, 37)]);
    page.check().unwrap();
}

/// In full screen the page asks for the keys that browsers keep otherwise; outside it gives them back. What was held
/// when the window lost the keyboard goes up.
#[test]
fn full_screen_locks_the_keyboard() {
    let mut guest = Guest::start().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let watch = "window.locks = [];
        for (const name of ['lock', 'unlock']) {
            const inner = Keyboard.prototype[name];
            Keyboard.prototype[name] = async function (...keys) {
                await inner.apply(this, keys);
                window.locks.push(name);
            };
        }";
    let mut page = browser.open_with("page", &gateway.page_of(guest.port()), watch).unwrap();
    page.connected().unwrap();
    page.wait("the agent", &format!("{DESKTOP}.agentConnected")).unwrap();
    let log = Log::start(&mut guest);
    page.click("#fullscreen").unwrap();
    page.wait("full screen", "document.fullscreenElement && window.locks.join() === 'lock'").unwrap();
    page.run(&format!("{DESKTOP}.focus()")).unwrap();
    page.key("press", "Escape").unwrap();
    log.wait_still("Escape", &[(DOWN, 9), (UP, 9)]);
    page.key("down", "Alt").unwrap();
    page.key("press", "Tab").unwrap();
    log.wait_still("Alt+Tab", &[(DOWN, 64), (DOWN, 23), (UP, 23)]);
    page.run("window.dispatchEvent(new FocusEvent('blur'))").unwrap();
    log.wait_still("the release of Alt", &[(UP, 23), (UP, 64)]);
    page.key("up", "Alt").unwrap();
    page.run("await document.exitFullscreen()").unwrap();
    page.wait("the keyboard's return", "window.locks.join() === 'lock,unlock'").unwrap();
    page.check().unwrap();
}

/// A machine without agent and tablet follows movements: a click catches the pointer.
#[test]
fn a_pointer_that_is_caught_moves_relatively() {
    let mut qemu = Qemu::start(Access::Open).unwrap();
    qemu.trace("input_event_rel").unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = browser.open("page", &gateway.page_of(qemu.port())).unwrap();
    page.connected().unwrap();
    page.point(100, 100).unwrap();
    page.button("down", "left").unwrap();
    page.button("up", "left").unwrap();
    page.wait("the pointer", &format!("{DESKTOP}.pointerLocked")).unwrap();
    let before = (moved(&qemu, "axis x"), moved(&qemu, "axis y"));
    // What is measured is the page's part: by how much the browser says that the mouse has moved.
    page.run(&format!(
        "window.way = [0, 0];
         {DESKTOP}.shadowRoot.querySelector('.viewport').addEventListener('pointermove', (event) => {{
             window.way[0] += event.movementX;
             window.way[1] += event.movementY;
         }})"
    ))
    .unwrap();
    for (x, y) in [(140, 90), (200, 130), (90, 160)] {
        page.point(x, y).unwrap();
    }
    let way = page.run("return window.way").unwrap();
    let way = (way[0].as_f64().unwrap() as i64, way[1].as_f64().unwrap() as i64);
    assert!(way != (0, 0), "the browser tells of no movement");
    let mut now = (0, 0);
    wait_for("the movement", LIMIT, || {
        now = (moved(&qemu, "axis x") - before.0, moved(&qemu, "axis y") - before.1);
        Ok((now == way).then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error}: {now:?} and not {way:?}"));
    page.run("document.exitPointerLock()").unwrap();
    page.wait("its release", &format!("!{DESKTOP}.pointerLocked")).unwrap();
    page.check().unwrap();
    qemu.check_running().unwrap();
}

/// On a display with two pixels for one of the page's, a pixel of the machine is one of the display.
#[test]
fn displays_with_more_pixels_show_each_of_the_machine() {
    let mut qemu = Qemu::start(Access::Open).unwrap();
    qemu.stop_at_text().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start_with(Kind::Chromium, &[("BROWSER_SCALE", "2")]).unwrap();
    let mut page = browser.open("page", &gateway.page_of(qemu.port())).unwrap();
    page.connected().unwrap();
    page.run(&format!("{DESKTOP}.hidpi = true; {DESKTOP}.scaling = 'none'")).unwrap();
    let place = format!("{DESKTOP}.shadowRoot.querySelector('.screen').getBoundingClientRect()");
    page.wait("half the size on the page", &format!("{place}.width === 360 && {place}.height === 200"))
        .unwrap();
    let corner = page
        .run(&format!("const place = {place}; return [place.x, place.y].map((at) => Math.round(at * 2))"))
        .unwrap();
    let (x, y) = (corner[0].as_f64().unwrap() as u32, corner[1].as_f64().unwrap() as u32);
    let folder = TempDir::new("shot").unwrap();
    let file = folder.file("page.png");
    let wanted = qemu.own_picture().unwrap();
    let mut last = String::new();
    wait_for("the machine's pixels on the page's picture", LIMIT, || {
        page.shot(&file)?;
        let seen = Picture::read_png(&file)?.part(x, y, 720, 400);
        last = seen.as_ref().map_or("too small".into(), |seen| format!("{:?}", wanted.compare(seen)));
        Ok(seen.is_some_and(|seen| seen == wanted).then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error}: {last}"));
    page.check().unwrap();
}
