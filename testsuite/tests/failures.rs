//! What goes wrong for users every day: one sentence, exit code 1, within the time-out.

use std::time::Duration;

use testsuite::net;
use testsuite::programs::Screenshot;
use testsuite::qemu::{Access, Qemu};

/// Takes a picture that cannot be taken, and checks that the sentence names the reason.
#[track_caller]
fn fails_with(call: &Screenshot, words: &[&str]) {
    let sentence = match call.take().and_then(|shot| shot.failure()) {
        Ok(sentence) => sentence,
        Err(error) => panic!("{call:?}: {error}"),
    };
    println!("{sentence}");
    let lower = sentence.to_lowercase();
    assert!(words.iter().any(|word| lower.contains(word)), "none of {words:?} in: {sentence}");
}

#[test]
fn wrong_and_missing_passwords() {
    let mut qemu = Qemu::start(Access::Password("sesame")).unwrap();
    fails_with(&Screenshot::of_port(qemu.port()).password("wrong"), &["password"]);
    fails_with(&Screenshot::of_port(qemu.port()), &["password"]);
    // The longest one that a ticket takes, and one that is too long for it.
    fails_with(&Screenshot::of_port(qemu.port()).password(&"x".repeat(59)), &["password"]);
    fails_with(&Screenshot::of_port(qemu.port()).password(&"x".repeat(200)), &["password"]);
    qemu.check_running().unwrap();
}

#[test]
fn a_closed_port() {
    fails_with(&Screenshot::of_port(net::free_port().unwrap()), &["refused"]);
}

#[test]
fn a_socket_that_does_not_exist() {
    fails_with(
        &Screenshot::of("spice+unix:///nowhere/spice.sock"),
        &["no such file", "not found", "does not exist"],
    );
}

#[test]
fn servers_of_other_protocols() {
    fails_with(&Screenshot::of_port(net::http_server().unwrap()), &["a web server, not a spice server"]);
    fails_with(&Screenshot::of_port(net::greeting_server().unwrap()), &["does not speak spice"]);
}

#[test]
fn a_server_that_never_answers() {
    let call = Screenshot::of_port(net::silent_server().unwrap()).timeout(2);
    let shot = call.take().unwrap();
    let sentence = shot.failure().unwrap();
    assert!(sentence.contains("time") || sentence.contains("seconds"), "{sentence}");
    // The point of this one is the waiting itself, so it must not end before its time either.
    assert!(shot.finished.took >= Duration::from_secs(2), "ended after {:?}", shot.finished.took);
}

#[test]
fn a_server_that_needs_tls_for_all_channels() {
    let mut qemu = Qemu::start(Access::TlsForAll).unwrap();
    fails_with(&Screenshot::of_port(qemu.port()), &["tls"]);
    // Spoken to in plain words, the TLS port itself just hangs up or answers with an alert.
    let sentence = Screenshot::of_port(qemu.tls_port()).take().unwrap().failure().unwrap();
    println!("{sentence}");
    qemu.check_running().unwrap();
}

#[test]
fn an_address_that_is_none() {
    let shot = Screenshot::of("spice://").take().unwrap();
    let code = shot.finished.status.code();
    // Both the command line's own code and ours will do here.
    assert!(matches!(code, Some(1 | 2)), "{code:?}");
    assert!(!shot.finished.stderr.contains("panicked") && !shot.finished.stderr.trim().is_empty());
}
