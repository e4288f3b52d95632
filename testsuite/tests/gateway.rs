//! The gateway between a browser and QEMU: TLS, unix sockets, tokens.

use std::fs;
use std::time::Duration;

use testsuite::browser::{Browser, DESKTOP, Kind};
use testsuite::gateway::Gateway;
use testsuite::process::Program;
use testsuite::programs;
use testsuite::qemu::{Access, Qemu};
use testsuite::temp::TempDir;

const LIMIT: Duration = Duration::from_secs(30);

/// A token for a server, made by the program itself.
fn token(key: &std::path::Path, address: &str) -> String {
    let program = Program::new(programs::binary("gateway").unwrap());
    let program = program.args(["token", "--key"]).args([key]).args([address]);
    program.read(LIMIT).unwrap().trim().to_owned()
}

#[test]
fn machines_are_reached_by_name_and_by_token() {
    let folder = TempDir::new("token").unwrap();
    let key = folder.file("key");
    fs::write(&key, "0123456789abcdef0123456789abcdef\n").unwrap();
    let (mut unix, mut tcp) = (Qemu::start(Access::Unix).unwrap(), Qemu::start(Access::Open).unwrap());
    unix.stop_at_text().unwrap();
    tcp.stop_at_text().unwrap();
    let key_option = key.to_str().unwrap();
    let gateway = Gateway::start_with(&["--token-key", key_option]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut machines = [(format!("spice+unix://{}", unix.socket().display()), unix), (tcp.address(), tcp)];
    for (address, qemu) in &mut machines {
        let query = format!("token={}", token(&key, address));
        let mut page = browser.open("page", &gateway.page(&query)).unwrap();
        page.connected().unwrap();
        page.shows(address, || qemu.own_picture()).unwrap();
        // A token is as good as a key while it lasts: it must not stay where others look.
        let kept = page.run("return JSON.stringify({ ...localStorage })").unwrap();
        println!("kept: {kept}");
        page.run(&format!("{DESKTOP}.disconnect()")).unwrap();
        page.check().unwrap();
        qemu.check_running().unwrap();
    }
}

#[test]
fn a_machine_behind_tls() {
    let folder = TempDir::new("tls").unwrap();
    let mut qemu = Qemu::start(Access::TlsForAll).unwrap();
    qemu.stop_at_text().unwrap();
    let ca = qemu.authority();
    let key = folder.file("key");
    fs::write(&key, "0123456789abcdef0123456789abcdef\n").unwrap();
    let gateway =
        Gateway::start_with(&["--token-key", key.to_str().unwrap(), "--upstream-ca", ca.to_str().unwrap()])
            .unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let address = format!("spice+tls://127.0.0.1:{}", qemu.tls_port());
    let query = format!("token={}", token(&key, &format!("{address}?subject=O=Test,CN=localhost")));
    let mut page = browser.open("page", &gateway.page(&query)).unwrap();
    page.connected().unwrap();
    page.shows("the firmware's screen through TLS", || qemu.own_picture()).unwrap();
    let query = format!("token={}", token(&key, &format!("{address}?subject=O=Test,CN=other")));
    let mut page = browser.open("page", &gateway.page(&query)).unwrap();
    let failed = "document.querySelector('.machine.selected .cover.failed:not([hidden])')";
    page.wait("an error", failed).unwrap();
    let said = page.run(&format!("return {failed}.innerText")).unwrap();
    assert!(said.as_str().unwrap().contains("O=Test,CN=localhost"), "{said}");
    qemu.check_running().unwrap();
}

/// The usual recipes for QEMU make such certificates: whoever meets this error has to know what to do.
#[test]
fn an_old_certificate_and_the_way_to_a_new_one() {
    let folder = TempDir::new("tls").unwrap();
    let mut qemu = Qemu::start(Access::TlsVersion1).unwrap();
    let ca = qemu.authority();
    let key = folder.file("key");
    fs::write(&key, "0123456789abcdef0123456789abcdef\n").unwrap();
    let options = ["--token-key", key.to_str().unwrap(), "--upstream-ca", ca.to_str().unwrap()];
    let gateway = Gateway::start_with(&options).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let address = format!("spice+tls://127.0.0.1:{}?subject=O=Test,CN=localhost", qemu.tls_port());
    let mut page = browser.open("page", &gateway.page(&format!("token={}", token(&key, &address)))).unwrap();
    let failed = "document.querySelector('.machine.selected .cover.failed:not([hidden])')";
    page.wait("an error", failed).unwrap();
    let said = page.run(&format!("return {failed}.innerText")).unwrap();
    let said = said.as_str().unwrap();
    println!("{said}");
    assert!(
        said.contains("version 1") && said.contains("-extfile") && said.contains("subjectAltName"),
        "{said}"
    );
    qemu.check_running().unwrap();
}
