//! A moving picture in a browser.

use std::thread;
use std::time::Duration;

use testsuite::browser::{Browser, DESKTOP, Kind, Page};
use testsuite::gateway::Gateway;
use testsuite::xspice::{Options, Xspice};

use crate::web_ends::signal;

/// Counts of the page.
fn count(page: &mut Page<'_>, what: &str) -> u64 {
    let counted = page.run(&format!("return (await {DESKTOP}.stats()).{what}")).unwrap();
    counted.as_u64().unwrap_or_else(|| panic!("{what}: {counted}"))
}

/// Frames are shown one by one; what came while the way to the page was shut is left out for the newest, which the
/// statistics say.
#[test]
fn a_film_plays() {
    let options = Options { video: true, ..Options::new("auto_glz", false) };
    let mut xspice = Xspice::start(options).unwrap();
    let mut gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = browser.open("page", &gateway.page_of(xspice.port())).unwrap();
    page.connected().unwrap();
    page.click("#stats-toggle").unwrap();
    xspice.play().unwrap();
    // The film is 320 pixels wide and high 240, in the corner.
    page.run(&format!(
        "window.film = 0;
         {DESKTOP}.onFrameReceived = ({{ rects }}) => {{
             for (let at = 0; at < rects.length; at += 4) {{
                 const [left, top, width, height] = rects.subarray(at, at + 4);
                 if (left < 9 && top < 9 && width > 300 && height > 200) window.film += 1;
             }}
         }};"
    ))
    .unwrap();
    page.wait("a video", &format!("(await {DESKTOP}.stats()).images.video >= 60")).unwrap();
    let (shown, dropped) = (count(&mut page, "images.video"), count(&mut page, "dropped"));
    let film = page.run("return window.film").unwrap().as_u64().unwrap();
    println!("{shown} frames shown, {dropped} left out, {film} pictures of the film on the canvas");
    assert!(dropped < shown / 2, "{dropped} of {shown} left out");
    assert!(film > 20, "{film} pictures of the film on the canvas");
    assert!(page.picture().unwrap().colours() > 500, "the film is on the screen");

    // All that waits behind a shut way comes at once when it opens.
    signal(gateway.process().id(), "STOP");
    thread::sleep(Duration::from_secs(1));
    signal(gateway.process().id(), "CONT");
    page.wait("frames left out", &format!("(await {DESKTOP}.stats()).dropped > {dropped}")).unwrap();
    let shown = count(&mut page, "images.video");
    page.wait("that it goes on", &format!("(await {DESKTOP}.stats()).images.video >= {}", shown + 20))
        .unwrap();
    let text = "document.querySelector('#stats [data-stat=dropped]')?.textContent";
    page.wait("the statistics", &format!("/^[1-9]\\d* \\/ [1-9]\\d*$/.test({text})")).unwrap();
    page.check().unwrap();
    xspice.check_running().unwrap();
}
