//! Servers that die in the middle of a picture.
//!
//! A relay between client and server passes a chosen number of bytes, kills the server, and hangs up, so that the
//! moment is exact: from the first byte of the first reply to the last byte of the last image.

use std::process::Command;

use testsuite::picture::Picture;
use testsuite::programs::{ReferenceServer, Screenshot};
use testsuite::proxy::Proxy;
use testsuite::qemu::{Access, Qemu};
use testsuite::random::Random;

use crate::assert_same;

/// How many times each server is killed.
fn kills() -> u64 {
    std::env::var("TESTSUITE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(10)
}

/// Half of the moments are spread over the whole session; the others fall into its beginning, where the handshakes are.
fn moment(random: &mut Random, total: u64) -> u64 {
    if random.below(2) == 0 { random.below(total) } else { random.below(total.min(1500)) }
}

/// Ends a process that this test started, at once.
fn kill(id: u32) {
    let _ = Command::new("sh").args(["-c", &format!("kill -KILL {id}")]).status();
}

/// Kills one server after `bound` bytes; returns whether the picture failed.
fn strike(port: u16, id: u32, bound: u64, whole: &Picture) -> bool {
    let proxy = Proxy::striking(port, bound, move || kill(id)).unwrap();
    let shot = Screenshot::of_port(proxy.port()).compression("off").take().unwrap();
    if shot.finished.status.success() {
        // Some bytes at the end of a session are no part of the picture. Then, and only then, it may be whole.
        let Some(picture) = shot.picture else { panic!("after {bound} bytes: success without a picture") };
        assert_same(&format!("a success although the server died after {bound} bytes"), &picture, whole);
        return false;
    }
    let sentence = match shot.failure() {
        Ok(sentence) => sentence,
        Err(error) => panic!("killed after {bound} bytes: {error}"),
    };
    println!("after {bound} bytes: {sentence}");
    assert!(proxy.struck(), "it failed before the server was killed after {bound} bytes: {sentence}");
    true
}

fn report(what: &str, failed: u64) {
    println!("{what}: {failed} of {} kills ended in an error", kills());
    // A client that calls everything a success would pass the checks above only with whole pictures; that most kills
    // fall into them would be a bug of this test.
    assert!(failed * 2 > kills(), "{what}: only {failed} kills came before the picture was complete");
}

#[test]
fn qemu_is_killed() {
    let mut random = Random::from_environment("qemu_is_killed");
    let mut total = None;
    let mut failed = 0;
    for _ in 0..kills() {
        let mut qemu = Qemu::start(Access::Open).unwrap();
        qemu.stop_at_text().unwrap();
        let total = *total.get_or_insert_with(|| {
            let proxy = Proxy::counting(qemu.port()).unwrap();
            Screenshot::of_port(proxy.port()).compression("off").picture().unwrap();
            proxy.passed()
        });
        let whole = qemu.own_picture().unwrap();
        failed += u64::from(strike(qemu.port(), qemu.process().id(), moment(&mut random, total), &whole));
    }
    report("QEMU", failed);
}

#[test]
fn the_reference_server_is_killed() {
    let mut random = Random::from_environment("the_reference_server_is_killed");
    let mut server = ReferenceServer::start(None).unwrap();
    let proxy = Proxy::counting(server.port()).unwrap();
    let whole = Screenshot::of_port(proxy.port()).compression("off").picture().unwrap();
    let total = proxy.passed();
    let mut failed = 0;
    for _ in 0..kills() {
        failed += u64::from(strike(server.port(), server.process().id(), moment(&mut random, total), &whole));
        server = ReferenceServer::start(None).unwrap();
    }
    report("reference server", failed);
}
