//! A desktop with a window manager and a terminal, compared with X's own picture of it.

use testsuite::picture::Picture;
use testsuite::programs::Screenshot;
use testsuite::proxy::Proxy;
use testsuite::spicy;
use testsuite::xspice::{Options, Xspice};

use crate::assert_same;

/// Every image compression of the server, with the client's own wish left alone and the same.
fn desktop(compression: &'static str, surfaces: bool) {
    let mut xspice = Xspice::start(Options::new(compression, surfaces)).unwrap();
    xspice.fill().unwrap();
    let own = xspice.own_picture().unwrap();
    assert!(own.colours() > 1000, "the desktop has {} colours only", own.colours());
    assert_same("spicy-screenshot against import", &spicy::screenshot(xspice.port(), None).unwrap(), &own);
    assert_same("default settings", &Screenshot::of_port(xspice.port()).picture().unwrap(), &own);
    let relay = Proxy::counting(xspice.port()).unwrap();
    let ours = Screenshot::of_port(relay.port()).compression(compression).picture().unwrap();
    assert_same("the same compression asked for", &ours, &own);
    check_traffic(compression, relay.passed(), &own);
    assert_same("import before against after", &own, &xspice.own_picture().unwrap());
    xspice.check_running().unwrap();
}

/// The picture must have come in the compression that this is about.
fn check_traffic(compression: &str, bytes: u64, picture: &Picture) {
    let raw = u64::from(picture.width) * u64::from(picture.height) * 4;
    println!("{compression}: {bytes} bytes for {raw} bytes of pixels");
    let fits = if compression == "off" { bytes > raw } else { bytes < raw * 9 / 10 };
    assert!(fits, "{compression}: {bytes} bytes for {raw} bytes of pixels");
}

#[test]
fn uncompressed() {
    desktop("off", false);
}

#[test]
fn uncompressed_with_surfaces() {
    desktop("off", true);
}

#[test]
fn quic() {
    desktop("quic", false);
}

#[test]
fn quic_with_surfaces() {
    desktop("quic", true);
}

#[test]
fn lz() {
    desktop("lz", false);
}

#[test]
fn lz_with_surfaces() {
    desktop("lz", true);
}

/// Any compression can be asked for, whatever the server is set to. Start-up pictures never come as GLZ.
#[test]
fn every_wish() {
    let mut xspice = Xspice::start(Options::new("auto_glz", false)).unwrap();
    xspice.fill().unwrap();
    let own = xspice.own_picture().unwrap();
    for wish in ["server", "off", "quic", "lz", "glz", "lz4", "auto-lz", "auto-glz"] {
        let relay = Proxy::counting(xspice.port()).unwrap();
        let ours = Screenshot::of_port(relay.port()).compression(wish).picture().unwrap();
        assert_same(wish, &ours, &own);
        check_traffic(wish, relay.passed(), &own);
    }
    assert_same("import before against after", &own, &xspice.own_picture().unwrap());
    xspice.check_running().unwrap();
}
