//! Keyboard, mouse and fingers on the page, as programs in the guest see them.

use std::time::Duration;

use testsuite::browser::{Browser, DESKTOP, Kind, Page};
use testsuite::console::LIMIT;
use testsuite::gateway::Gateway;
use testsuite::guest::Guest;
use testsuite::process::args;
use testsuite::wait_for;

use crate::input::Log;

const PRESS: &str = "ButtonPress";
const RELEASE: &str = "ButtonRelease";

/// Opens the page for a guest and waits until its pointer is ours to lead.
pub(crate) fn open<'a>(browser: &'a mut Browser, gateway: &Gateway, guest: &Guest) -> Page<'a> {
    let mut page = browser.open("page", &gateway.page_of(guest.port())).unwrap();
    page.connected().unwrap();
    page.wait("the agent", &format!("{DESKTOP}.agentConnected")).unwrap();
    page.run(&format!("{DESKTOP}.focus()")).unwrap();
    page
}

/// Waits until the guest's pointer is at a place.
fn pointer_at(guest: &Guest, x: u32, y: u32) {
    let place = format!("x:{x} y:{y} ");
    guest.xspice.wait_until_said("the pointer", "xdotool", &["getmouselocation"], &place).unwrap();
}

fn keys_and_mouse(kind: Kind) {
    let mut guest = Guest::start().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(kind).unwrap();
    let mut page = open(&mut browser, &gateway, &guest);
    wait_for("the pointer's first move", LIMIT, || {
        page.point(10, 10)?;
        page.point(123, 45)?;
        let said = guest.xspice.program("xdotool").args(["getmouselocation"]).read(LIMIT)?;
        Ok(said.starts_with("x:123 y:45 ").then_some(()))
    })
    .unwrap();
    page.point(700, 500).unwrap();
    pointer_at(&guest, 700, 500);
    let log = Log::start(&mut guest);
    let (down, up) = ("KeyPress", "KeyRelease");
    page.key("press", "a").unwrap();
    log.wait_still("a letter", &[(down, 38), (up, 38)]);
    page.key("press", "ArrowUp").unwrap();
    log.wait_still("an arrow", &[(down, 111), (up, 111)]);
    page.key("down", "Shift").unwrap();
    page.key("press", "b").unwrap();
    page.key("up", "Shift").unwrap();
    log.wait_still("a capital", &[(down, 50), (down, 56), (up, 56), (up, 50)]);
    // What is held when the page loses the keyboard goes up again.
    page.key("down", "q").unwrap();
    page.run(&format!("{DESKTOP}.blur()")).unwrap();
    log.wait_still("the release", &[(down, 24), (up, 24)]);
    page.key("up", "q").unwrap();
    page.run(&format!("{DESKTOP}.focus()")).unwrap();
    for (button, number) in [("left", 1), ("middle", 2), ("right", 3)] {
        page.button("down", button).unwrap();
        page.button("up", button).unwrap();
        log.wait_still("a click", &[(PRESS, number), (RELEASE, number)]);
    }
    page.wheel(0, 240).unwrap();
    log.wait_still("the wheel", &[(PRESS, 5), (RELEASE, 5)]);
    page.wheel(0, -240).unwrap();
    log.wait_still("the wheel back", &[(PRESS, 4), (RELEASE, 4)]);
    page.point(200, 200).unwrap();
    pointer_at(&guest, 200, 200);
    page.button("down", "left").unwrap();
    log.wait_still("the begin of a drag", &[(PRESS, 1)]);
    page.point(300, 250).unwrap();
    pointer_at(&guest, 300, 250);
    page.button("up", "left").unwrap();
    log.wait("the end of a drag", &[("Motion", 0), (RELEASE, 1)]);
    page.check().unwrap();
    guest.check_running().unwrap();
}

#[test]
fn keys_and_mouse_arrive_from_chromium() {
    keys_and_mouse(Kind::Chromium);
}

#[test]
fn keys_and_mouse_arrive_from_firefox() {
    keys_and_mouse(Kind::Firefox);
}

#[test]
fn a_text_is_typed_into_a_terminal() {
    let mut guest = Guest::start().unwrap();
    let path = guest.download("typed");
    let script = format!("stty raw -echo; exec stdbuf -o0 cat > '{}'", path.display());
    guest.xspice.launch("xterm", &args(&["-u8", "-T", "typing", "-e", "sh", "-c", &script])).unwrap();
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
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = open(&mut browser, &gateway, &guest);
    let text = "The quick brown fox, 42 jumps: [over] {the} lazy dog! $HOME ~ | \\ ? \"quoted\"";
    page.key("type", text).unwrap();
    let mut typed = String::new();
    wait_for("the whole text", LIMIT, || {
        typed = std::fs::read_to_string(&path).unwrap_or_default();
        Ok((typed == text).then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error}: {typed:?}"));
    page.check().unwrap();
}

#[test]
fn fingers_tap_press_scroll_pinch_and_glide() {
    let mut guest = Guest::start().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start_with(Kind::Chromium, &[("BROWSER_TOUCH", "1")]).unwrap();
    let mut page = open(&mut browser, &gateway, &guest);
    let log = Log::start(&mut guest);
    let tap = page.place(320, 240).unwrap();
    page.touch("touchStart", &[tap]).unwrap();
    page.touch("touchEnd", &[]).unwrap();
    log.wait_still("a tap", &[(PRESS, 1), (RELEASE, 1)]);
    pointer_at(&guest, 320, 240);
    let press = page.place(400, 300).unwrap();
    page.touch("touchStart", &[press]).unwrap();
    log.wait_still("a long press", &[(PRESS, 3)]);
    page.touch("touchEnd", &[]).unwrap();
    log.wait_still("its end", &[(RELEASE, 3)]);
    let two = |dy: f64, spread: f64| {
        [(press.0 - 60.0 - spread, press.1 + dy), (press.0 + 60.0 + spread, press.1 + dy)]
    };
    page.touch("touchStart", &two(0.0, 0.0)).unwrap();
    for step in 1..=8 {
        page.touch("touchMove", &two(f64::from(step) * -15.0, 0.0)).unwrap();
    }
    page.touch("touchEnd", &[]).unwrap();
    log.wait_still("two fingers that scroll", &[(PRESS, 5), (RELEASE, 5)]);
    page.touch("touchStart", &two(0.0, 0.0)).unwrap();
    page.touch("touchEnd", &[]).unwrap();
    log.wait_still("two fingers that tap", &[(PRESS, 3), (RELEASE, 3)]);
    // Pinching is the page's own affair: the screen is shown larger.
    let width = format!("{DESKTOP}.shadowRoot.querySelector('.screen').getBoundingClientRect().width");
    let before = page.run(&format!("return {width}")).unwrap().as_f64().unwrap();
    page.touch("touchStart", &two(0.0, 0.0)).unwrap();
    for step in 1..=8 {
        page.touch("touchMove", &two(0.0, f64::from(step) * 10.0)).unwrap();
    }
    page.touch("touchEnd", &[]).unwrap();
    page.wait("a larger picture", &format!("{width} > {before} * 1.3")).unwrap();
    page.run(&format!("{DESKTOP}.resetZoom()")).unwrap();
    // As a trackpad, the screen moves the pointer from where it is.
    page.run(&format!("{DESKTOP}.trackpad = true")).unwrap();
    page.touch("touchStart", &[press]).unwrap();
    for step in 1..=10 {
        page.touch("touchMove", &[(press.0 + f64::from(step) * 6.0, press.1)]).unwrap();
    }
    page.touch("touchEnd", &[]).unwrap();
    wait_for("the pointer's way", Duration::from_secs(30), || {
        let said = guest.xspice.program("xdotool").args(["getmouselocation"]).read(LIMIT)?;
        let x = said.strip_prefix("x:").and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
        Ok(x.is_some_and(|x| x > 420).then_some(()))
    })
    .unwrap();
    page.check().unwrap();
}
