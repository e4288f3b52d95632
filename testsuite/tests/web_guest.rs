//! What the guest's agent makes possible on the page: clipboard, files, resolution.

use std::fs;
use std::time::Duration;

use testsuite::browser::{Browser, DESKTOP, Kind, Page};
use testsuite::console::LIMIT;
use testsuite::gateway::Gateway;
use testsuite::guest::Guest;
use testsuite::process::args;
use testsuite::random::Random;
use testsuite::temp::TempDir;
use testsuite::{ASK_LIMIT, wait_for};

/// How long a big file may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(150);

pub(crate) fn open<'a>(browser: &'a mut Browser, gateway: &Gateway, guest: &Guest) -> Page<'a> {
    browser
        .grant(&format!("http://127.0.0.1:{}", gateway.port()), &["clipboard-read", "clipboard-write"])
        .unwrap();
    let mut page = browser.open("page", &gateway.page_of(guest.port())).unwrap();
    page.connected().unwrap();
    page.wait("the agent", &format!("{DESKTOP}.agentConnected")).unwrap();
    page
}

/// What the guest pastes.
pub(crate) fn pasted(guest: &Guest, wanted: &str) {
    let mut last = String::new();
    wait_for("the text in the guest", LIMIT, || {
        let arguments = ["-o", "-selection", "clipboard", "-t", "UTF8_STRING"];
        last = guest.xspice.program("xclip").args(arguments).read(ASK_LIMIT).unwrap_or_default();
        Ok((last == wanted).then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error}: {last:?}"));
}

/// Copies a text in the guest.
pub(crate) fn copy(guest: &mut Guest, text: &str) {
    let file = guest.download("copied.txt");
    fs::write(&file, text).unwrap();
    let mut arguments = args(&["-quiet", "-selection", "clipboard", "-t", "UTF8_STRING", "-i"]);
    arguments.push(file.into());
    guest.xspice.launch("xclip", &arguments).unwrap();
}

#[test]
fn texts_go_both_ways() {
    let mut guest = Guest::start().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = open(&mut browser, &gateway, &guest);
    // By the panel, for browsers that keep their clipboard to themselves.
    page.click("#clipboard-open").unwrap();
    page.fill("#clipboard-text", "typed into the panel").unwrap();
    page.click("#clipboard-send").unwrap();
    pasted(&guest, "typed into the panel");
    copy(&mut guest, "grüße aus dem guest, 本");
    page.wait(
        "the text in the panel",
        "document.querySelector('#clipboard-text').value === 'grüße aus dem guest, 本'",
    )
    .unwrap();
    // By the browser's own clipboard, once the user has agreed.
    page.run("document.querySelector('#clipboard-share').checked || document.querySelector('#clipboard-share').click()")
        .unwrap();
    page.key("press", "Escape").unwrap();
    copy(&mut guest, "copied in the guest");
    page.wait(
        "the text in the browser's clipboard",
        "await navigator.clipboard.readText() === 'copied in the guest'",
    )
    .unwrap();
    page.run("await navigator.clipboard.writeText('copied in the browser')").unwrap();
    page.run(&format!("{DESKTOP}.blur(); {DESKTOP}.focus()")).unwrap();
    page.key("down", "Control").unwrap();
    page.key("press", "v").unwrap();
    page.key("up", "Control").unwrap();
    pasted(&guest, "copied in the browser");
    page.check().unwrap();
}

#[test]
fn fifty_megabytes_arrive_unchanged() {
    let mut random = Random::from_environment("fifty_megabytes_arrive_unchanged");
    let guest = Guest::start().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = open(&mut browser, &gateway, &guest);
    let folder = TempDir::new("upload").unwrap();
    let mut bytes = Vec::with_capacity(50_000_008);
    while bytes.len() < 50_000_000 {
        bytes.extend_from_slice(&random.below(u64::MAX).to_le_bytes());
    }
    bytes.truncate(50_000_000);
    let file = folder.file("large file.bin");
    fs::write(&file, &bytes).unwrap();
    page.pick("#upload-files", &[file]).unwrap();
    page.wait("a progress bar", "document.querySelector('#transfers progress')").unwrap();
    let arrived = guest.download("large file.bin");
    wait_for("the whole file", PATIENCE, || {
        Ok(arrived.metadata().is_ok_and(|file| file.len() == bytes.len() as u64).then_some(()))
    })
    .unwrap();
    wait_for("its last bytes", PATIENCE, || {
        Ok((fs::read(&arrived).ok().as_ref() == Some(&bytes)).then_some(()))
    })
    .unwrap();
    page.wait("word of its end", "!document.querySelector('#transfers .stop')").unwrap();
    page.check().unwrap();
}

#[test]
fn the_resolution_follows_the_window() {
    let guest = Guest::start().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = open(&mut browser, &gateway, &guest);
    page.run(&format!("{DESKTOP}.scaling = 'follow'")).unwrap();
    for (width, height) in [(1000, 700), (1280, 1000)] {
        page.size(width, height).unwrap();
        let same = format!(
            "(() => {{ const room = {DESKTOP}.getBoundingClientRect(); const [width, height] = {DESKTOP}.screenSize;
                return Math.abs(room.width - width) < 9 && Math.abs(room.height - height) < 9; }})()"
        );
        page.wait("the screen's new size", &same).unwrap();
        let size = page.run(&format!("return {DESKTOP}.screenSize.join('x')")).unwrap();
        let size = size.as_str().unwrap().to_owned();
        guest
            .xspice
            .wait_until_said("X's own size", "xdpyinfo", &[], &format!("dimensions:    {size} pixels"))
            .unwrap();
        page.shows("the guest's screen", || guest.xspice.own_picture()).unwrap();
    }
    page.check().unwrap();
}
