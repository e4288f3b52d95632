//! Passwords, dead servers and dead networks, as the page takes them.

use std::thread;
use std::time::Duration;

use testsuite::browser::{Browser, DESKTOP, Kind};
use testsuite::gateway::Gateway;
use testsuite::net;
use testsuite::process::Program;
use testsuite::programs::ReferenceServer;
use testsuite::qemu::{Access, Qemu};

const ASKED: &str = "document.querySelector('.machine.selected .cover.ask:not([hidden])')";
const FAILED: &str = "document.querySelector('.machine.selected .cover.failed:not([hidden])')";
const PASSWORD: &str = ".machine.selected .password";

#[test]
fn a_password_is_asked_for_until_it_is_right() {
    let mut qemu = Qemu::start(Access::Password("sesame")).unwrap();
    qemu.stop_at_text().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = browser.open("page", &gateway.page_of(qemu.port())).unwrap();
    page.wait("the question", ASKED).unwrap();
    let first = page.run(&format!("return {ASKED}.innerText")).unwrap();
    page.fill(PASSWORD, "open").unwrap();
    page.key("press", "Enter").unwrap();
    page.wait("another question", &format!("{ASKED} && {ASKED}.innerText !== {first}")).unwrap();
    page.fill(PASSWORD, "sesame").unwrap();
    page.key("press", "Enter").unwrap();
    page.connected().unwrap();
    page.shows("the firmware's screen", || qemu.own_picture()).unwrap();
    // A password is for one visit: neither storage nor a form keeps it.
    let kept = "return JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie
        + [...document.querySelectorAll('input')].map((input) => input.value).join()";
    let kept = page.run(kept).unwrap();
    assert!(!kept.as_str().unwrap().contains("sesame"), "{kept}");
    page.check().unwrap();
}

#[test]
fn a_server_that_dies_and_comes_back() {
    let port = net::free_port().unwrap();
    let mut server = ReferenceServer::start_at(port, None).unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = browser.open("page", &gateway.page_of(port)).unwrap();
    page.connected().unwrap();
    let picture = page.picture().unwrap();
    assert!(picture.colours() > 2);
    server.process().kill();
    page.wait("word of the end", &format!("{DESKTOP}.state === 'waiting'")).unwrap();
    assert!(page.picture().unwrap() == picture, "the last picture is gone");
    let _server = ReferenceServer::start_at(port, None).unwrap();
    page.connected().unwrap();
    page.shows("the same desktop", || Ok(picture.clone())).unwrap();
    page.check().unwrap();
}

#[test]
fn a_server_that_is_not_there_is_said_to_be_none() {
    let port = net::free_port().unwrap();
    let gateway = Gateway::start_with(&["--allow", &format!("127.0.0.1:{port}")]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = browser.open("page", &gateway.page_of(port)).unwrap();
    page.wait("an error", FAILED).unwrap();
    let said = page.run(&format!("return {FAILED}.innerText")).unwrap();
    assert!(said.as_str().unwrap().contains("nobody listens there"), "{said}");
    // A server that is not on the list, and a token that is none.
    let mut page = browser.open("page", &gateway.page("host=127.0.0.1&port=1")).unwrap();
    page.wait("an error", FAILED).unwrap();
    let said = page.run(&format!("return {FAILED}.innerText")).unwrap();
    assert!(said.as_str().unwrap().contains("does not lead to that machine"), "{said}");
    let mut page = browser.open("page", &gateway.page("token=none")).unwrap();
    page.wait("an error", FAILED).unwrap();
    let said = page.run(&format!("return {FAILED}.innerText")).unwrap();
    assert!(said.as_str().unwrap().contains("takes no tokens"), "{said}");
    page.check().unwrap();
}

#[test]
fn a_network_that_is_cut_for_ten_seconds() {
    let mut qemu = Qemu::start(Access::Open).unwrap();
    qemu.stop_at_text().unwrap();
    let mut gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let url = gateway.page_of(qemu.port());
    let mut page = browser.open("page", &url).unwrap();
    page.connected().unwrap();
    let picture = qemu.own_picture().unwrap();
    page.shows("the firmware's screen", || Ok(picture.clone())).unwrap();
    page.run(&format!("window.states = []; {DESKTOP}.addEventListener('statechange', (event) => window.states.push(event.detail.state))")).unwrap();
    // Nothing passes for ten seconds, and nobody is told.
    signal(gateway.process().id(), "STOP");
    thread::sleep(Duration::from_secs(10));
    signal(gateway.process().id(), "CONT");
    page.connected().unwrap();
    assert_eq!(page.run("return window.states.length").unwrap(), 0, "the session did not survive");
    // Every connection breaks, and new ones are possible ten seconds later.
    let port = gateway.port();
    drop(gateway);
    page.wait("word of the cut", &format!("{DESKTOP}.state !== 'connected'")).unwrap();
    thread::sleep(Duration::from_secs(10));
    assert!(page.picture().unwrap() == picture, "the last picture is gone");
    let _gateway = Gateway::start_at(port, &["--allow", "127.0.0.1:1024-65535"]).unwrap();
    page.connected().unwrap();
    page.shows("the firmware's screen again", || Ok(picture.clone())).unwrap();
    page.check().unwrap();
    qemu.check_running().unwrap();
}

pub(crate) fn signal(id: u32, name: &str) {
    let sent = Program::new("sh").args(["-c", &format!("kill -{name} {id}")]).run(Duration::from_secs(10));
    assert!(sent.unwrap().status.success());
}
