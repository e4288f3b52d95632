//! Servers that send without end, and what a browser takes of it.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use testsuite::browser::{Browser, DESKTOP, Kind};
use testsuite::flood::Flood;
use testsuite::gateway::Gateway;
use testsuite::programs::ReferenceServer;
use testsuite::usage::BrowserUsage;

/// The README's bounds for messages that wait, in the browser and in the library, with what the browser needs for the rest.
const MOST_GROWTH: u64 = 300 << 20;

/// A message with a mini header.
fn message(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_le_bytes().to_vec();
    bytes.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
    bytes.extend(body);
    bytes
}

/// One flood at a time: each wants a whole processor.
static ONE: Mutex<()> = Mutex::new(());

fn flooded(messages: Vec<u8>) {
    let _alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let server = ReferenceServer::start(None).unwrap();
    let flood = Flood::start(server.port(), messages).unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = browser.open("page", &gateway.page_of(flood.port())).unwrap();
    page.connected().unwrap();
    page.run(
        "window.worst = 0;
         const tick = () => {
             const due = performance.now() + 20;
             setTimeout(() => {
                 window.worst = Math.max(window.worst, performance.now() - due);
                 tick();
             }, 20);
         };
         tick();",
    )
    .unwrap();
    let before = BrowserUsage::of(&browser.processes()).unwrap().renderers.resident;
    let mut most = 0;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(10) {
        thread::sleep(Duration::from_secs(1));
        let now = BrowserUsage::of(&browser.processes()).unwrap().renderers.resident;
        most = most.max(now.saturating_sub(before));
    }
    let mut page = browser.page("page");
    let worst = page.run("return window.worst").unwrap().as_f64().unwrap();
    println!(
        "{} bytes sent, {} connections broken, {most} bytes more, {worst} ms late at most",
        flood.sent(),
        flood.broken()
    );
    assert!(flood.sent() > 1 << 20, "hardly a flood: {}", flood.sent());
    assert!(most < MOST_GROWTH, "{most} bytes more");
    // The page still does what the user wants: to leave.
    page.run(&format!("{DESKTOP}.disconnect()")).unwrap();
    page.wait("the end", &format!("{DESKTOP}.state === 'disconnected'")).unwrap();
    page.check().unwrap();
}

/// Each wants an answer that nobody takes.
#[test]
fn pings_without_end() {
    flooded(message(4, &[7; 12]).repeat(200));
}

/// Texts for the user, and messages that nobody knows.
#[test]
fn texts_and_strangers_without_end() {
    let mut notify = vec![0; 24];
    notify[20..24].copy_from_slice(&5000_u32.to_le_bytes());
    notify.extend([b'x'; 5001]);
    let mut messages = message(7, &notify);
    messages.extend(message(60_000, &[0; 60_000]));
    flooded(messages);
}
