//! The page in real browsers: what its canvas shows equals what the server shows, pixel for pixel.

use testsuite::browser::{Browser, DESKTOP, Kind};
use testsuite::gateway::Gateway;
use testsuite::process::{Program, args};
use testsuite::programs::Screenshot;
use testsuite::qemu::{Access, Qemu};
use testsuite::temp::TempDir;
use testsuite::xspice::{Options, Xspice};
use testsuite::{net, wait_for};

/// The demo without parameters, and a machine's firmware: for every browser.
fn basics(kind: Kind, environment: &[(&str, &str)]) {
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start_with(kind, environment).unwrap();
    let mut page = browser.open("page", &gateway.page("")).unwrap();
    page.connected().unwrap();
    // It moves, and begins anew every few seconds.
    page.passes("the demo desktop", &Screenshot::of_demo().picture().unwrap()).unwrap();
    page.check().unwrap();
    let mut qemu = Qemu::start(Access::Open).unwrap();
    qemu.stop_at_text().unwrap();
    let mut page = browser.open("page", &gateway.page_of(qemu.port())).unwrap();
    page.connected().unwrap();
    page.shows("the firmware's screen", || qemu.own_picture()).unwrap();
    page.check().unwrap();
    qemu.check_running().unwrap();
}

#[test]
fn demo_and_firmware_in_chromium() {
    basics(Kind::Chromium, &[]);
}

#[test]
fn demo_and_firmware_in_firefox() {
    basics(Kind::Firefox, &[]);
}

/// This browser is never headless: an X server of Xspice is its display.
#[test]
fn demo_and_firmware_in_webkit() {
    let screen = Xspice::start(Options::new("off", false)).unwrap();
    basics(Kind::WebKit, &[("DISPLAY", screen.display())]);
}

/// A desktop that is sent without loss, by every way to it.
#[test]
fn a_desktop_by_every_way() {
    let mut xspice = Xspice::start(Options::new("quic", true)).unwrap();
    xspice.fill().unwrap();
    let gateway = Gateway::start().unwrap();
    // Serves the page and leads nowhere: what is seen through it came by another way.
    let site = Gateway::start_with(&[]).unwrap();
    let port = net::free_port().unwrap();
    let folder = TempDir::new("websockify").unwrap();
    let mut websockify = Program::new("websockify")
        .args(args(&[&format!("127.0.0.1:{port}"), &format!("127.0.0.1:{}", xspice.port())]))
        .start(&folder)
        .unwrap();
    wait_for("websockify's start", std::time::Duration::from_secs(30), || {
        websockify.check_running()?;
        Ok(net::answers(port).then_some(()))
    })
    .unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    // A tab of the last visit would take the server for itself, so each visit begins without any.
    for (way, server, query) in [
        ("the gateway", &gateway, format!("host=127.0.0.1&port={}", xspice.port())),
        ("the server's own WebSocket", &site, format!("host=127.0.0.1&port={}&direct", xspice.port())),
        ("websockify", &site, format!("url=ws://127.0.0.1:{port}/")),
    ] {
        let mut page = browser.open_with("page", &server.page(&query), "localStorage.clear()").unwrap();
        page.connected().unwrap();
        page.shows(way, || xspice.own_picture()).unwrap();
        page.check().unwrap();
    }
    // By both ways to the screen, and by the build for browsers without vectors.
    let query = format!("host=127.0.0.1&port={}", xspice.port());
    for (renderer, vectors) in [("webgl2", true), ("2d", false)] {
        let url = gateway.page(&format!("{query}&renderer={renderer}"));
        let script = if vectors { "" } else { "WebAssembly.validate = () => false" };
        let mut page = browser.open_with("page", &url, script).unwrap();
        page.connected().unwrap();
        page.shows(renderer, || xspice.own_picture()).unwrap();
        assert_eq!(page.run(&format!("return (await {DESKTOP}.stats()).renderer")).unwrap(), renderer);
        let built =
            "return performance.getEntriesByType('resource').some(({ name }) => name.includes('wasm/simd/'))";
        assert_eq!(page.run(built).unwrap(), vectors);
        page.check().unwrap();
    }
    xspice.check_running().unwrap();
}

#[test]
fn two_machines_in_two_tabs() {
    let mut xspice = Xspice::start(Options::new("lz", false)).unwrap();
    xspice.fill().unwrap();
    let mut qemu = Qemu::start(Access::Open).unwrap();
    qemu.stop_at_text().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = browser.open("page", &gateway.page_of(xspice.port())).unwrap();
    page.connected().unwrap();
    page.click("#tab-add").unwrap();
    page.fill(".machine.selected .host", "127.0.0.1").unwrap();
    page.run("document.querySelector('.machine.selected .port').value = ''").unwrap();
    page.fill(".machine.selected .port", &qemu.port().to_string()).unwrap();
    page.key("press", "Enter").unwrap();
    page.connected().unwrap();
    page.shows("the second machine", || qemu.own_picture()).unwrap();
    page.click("#tabs .tab:first-child .tab-select").unwrap();
    page.shows("the first machine", || xspice.own_picture()).unwrap();
    page.wait("thumbnails of both", THUMBNAILS).unwrap();
    // Both are there again after a reload, and so is what was selected; the other connects when it is looked at.
    let mut page = browser.open("page", &gateway.page("")).unwrap();
    page.connected().unwrap();
    page.shows("the first machine again", || xspice.own_picture()).unwrap();
    let states = "return [...document.querySelectorAll('#tabs .tab')].map((tab) => tab.dataset.state).join()";
    assert_eq!(page.run(states).unwrap(), "connected,idle");
    page.click("#tabs .tab:last-child .tab-select").unwrap();
    page.shows("the second machine again", || qemu.own_picture()).unwrap();
    page.wait("both tabs", "document.querySelectorAll('#tabs .tab[data-state=connected]').length === 2")
        .unwrap();
    page.check().unwrap();
}

/// Whether every tab's small picture has more than one colour.
const THUMBNAILS: &str = "[...document.querySelectorAll('#tabs .thumbnail')].every((canvas) => {
    const data = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    return new Set(data).size > 1;
})";
