//! A viewer that is connected while a desktop is being drawn.

use std::time::Duration;

use testsuite::live::Viewer;
use testsuite::wait_for;
use testsuite::xspice::{Options, Xspice};

use crate::assert_same;

fn watch(compression: &'static str, surfaces: bool) {
    let mut xspice = Xspice::start(Options { compression, surfaces }).unwrap();
    let viewer = Viewer::connect(xspice.port()).unwrap();
    xspice.fill().unwrap();
    let own = xspice.own_picture().unwrap();
    // What X has drawn is on its way; only a difference that stays is one.
    let same = wait_for("the same picture", Duration::from_secs(10), || {
        viewer.check()?;
        Ok((viewer.picture().as_ref() == Some(&own)).then_some(()))
    });
    println!(
        "{compression}, surfaces {surfaces}: {} messages, {} surfaces, undrawn: {:?}",
        viewer.messages(),
        viewer.most_surfaces(),
        viewer.undrawn()
    );
    if let Err(error) = same {
        viewer.check().unwrap();
        assert_same(&error, &viewer.picture().unwrap(), &own);
    }
    assert_eq!(viewer.undrawn(), Vec::<String>::new());
    assert_eq!(viewer.most_surfaces() > 1, surfaces, "{} surfaces", viewer.most_surfaces());
    xspice.check_running().unwrap();
}

#[test]
fn uncompressed() {
    watch("off", false);
}

#[test]
fn uncompressed_with_surfaces() {
    watch("off", true);
}

#[test]
fn quic_with_surfaces() {
    watch("quic", true);
}

#[test]
fn lz_with_surfaces() {
    watch("lz", true);
}
