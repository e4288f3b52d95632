//! Our server, seen by a foreign client.

use testsuite::picture::Picture;
use testsuite::programs::{ReferenceServer, Screenshot};
use testsuite::spicy;

use crate::assert_same;

fn check_scene(server: &mut ReferenceServer, foreign: &Picture, ours: &Picture) {
    assert!(foreign.colours() > 2, "the scene has {} colours only", foreign.colours());
    assert_same("our client against spicy-screenshot", ours, foreign);
    assert_same(
        "the embedded demo against spicy-screenshot",
        &Screenshot::of_demo().picture().unwrap(),
        foreign,
    );
    server.process().check_running().unwrap();
}

#[test]
fn the_established_client_sees_our_scene() {
    let mut server = ReferenceServer::start(None).unwrap();
    let foreign = spicy::screenshot(server.port(), None).unwrap();
    let ours = Screenshot::of_port(server.port()).picture().unwrap();
    check_scene(&mut server, &foreign, &ours);
}

#[test]
fn the_established_client_logs_in_with_a_password() {
    let mut server = ReferenceServer::start(Some("open sesame")).unwrap();
    let foreign = spicy::screenshot(server.port(), Some("open sesame")).unwrap();
    let ours = Screenshot::of_port(server.port()).password("open sesame").picture().unwrap();
    check_scene(&mut server, &foreign, &ours);
}

#[test]
fn a_wrong_password_is_refused_and_the_server_lives_on() {
    let mut server = ReferenceServer::start(Some("open sesame")).unwrap();
    let foreign = spicy::screenshot(server.port(), Some("closed"));
    assert!(foreign.is_err(), "spicy-screenshot got in with a wrong password");
    let sentence = Screenshot::of_port(server.port()).password("closed").take().unwrap().failure().unwrap();
    assert!(sentence.contains("password"), "{sentence}");
    server.process().check_running().unwrap();
    spicy::screenshot(server.port(), Some("open sesame")).unwrap();
}
