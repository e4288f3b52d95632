//! The text screen of QEMU's firmware, with the machine stopped so that its cursor does not blink.

use testsuite::programs::Screenshot;
use testsuite::qemu::{Access, Qemu};
use testsuite::spicy;

use crate::assert_same;

/// The harness itself: the established client sees what QEMU says it shows.
#[test]
fn the_reference_picture_is_what_the_machine_shows() {
    let mut qemu = Qemu::start(Access::Open).unwrap();
    qemu.stop_at_text().unwrap();
    let own = qemu.own_picture().unwrap();
    assert!(own.has_content(0..128));
    assert_same("spicy-screenshot against screendump", &spicy::screenshot(qemu.port(), None).unwrap(), &own);
    qemu.check_running().unwrap();
}

#[test]
fn screenshot_equals_the_established_clients() {
    let mut qemu = Qemu::start(Access::Open).unwrap();
    qemu.stop_at_text().unwrap();
    let reference = spicy::screenshot(qemu.port(), None).unwrap();
    assert_same("default settings", &Screenshot::of_port(qemu.port()).picture().unwrap(), &reference);
    for compression in ["off", "quic", "lz"] {
        let ours = Screenshot::of_port(qemu.port()).compression(compression).picture().unwrap();
        assert_same(compression, &ours, &reference);
    }
    qemu.check_running().unwrap();
}

#[test]
fn screenshot_through_a_unix_socket() {
    let mut qemu = Qemu::start(Access::Unix).unwrap();
    qemu.stop_at_text().unwrap();
    let address = format!("spice+unix://{}", qemu.socket().display());
    assert_same("unix socket", &Screenshot::of(&address).picture().unwrap(), &qemu.own_picture().unwrap());
    qemu.check_running().unwrap();
}

#[test]
fn screenshot_with_the_right_password() {
    let mut qemu = Qemu::start(Access::Password("sesame")).unwrap();
    qemu.stop_at_text().unwrap();
    let reference = spicy::screenshot(qemu.port(), Some("sesame")).unwrap();
    let ours = Screenshot::of_port(qemu.port()).password("sesame").picture().unwrap();
    assert_same("with a password", &ours, &reference);
    qemu.check_running().unwrap();
}
