//! A viewer that is connected while a desktop is being drawn.

use std::time::Duration;

use spice_proto::msg::display::ImageCompression;
use testsuite::live::{Seen, Viewer};
use testsuite::wait_for;
use testsuite::xspice::{Options, Xspice};

use crate::assert_same;

/// Draws a desktop and compares; `wish` is the compression that the client asks for, `came` a type of image that must
/// have come.
fn watch(options: Options, wish: Option<ImageCompression>, came: &str) -> Seen {
    let (mut xspice, viewer) = fill(options, wish);
    let own = xspice.own_picture().unwrap();
    // What X has drawn is on its way; only a difference that stays is one.
    let same = wait_for("the same picture", Duration::from_secs(10), || {
        viewer.check()?;
        Ok((viewer.picture().as_ref() == Some(&own)).then_some(()))
    });
    let seen = viewer.seen();
    println!("{options:?}: {seen:?}");
    if let Err(error) = same {
        viewer.check().unwrap();
        assert_same(&error, &viewer.picture().unwrap(), &own);
    }
    check(options, &seen, came);
    xspice.check_running().unwrap();
    seen
}

fn fill(options: Options, wish: Option<ImageCompression>) -> (Xspice, Viewer) {
    let mut xspice = Xspice::start(options).unwrap();
    let viewer = Viewer::connect_with(xspice.port(), |mut config| {
        config.session.display.compression = wish;
        config
    })
    .unwrap();
    xspice.fill().unwrap();
    (xspice, viewer)
}

fn check(options: Options, seen: &Seen, came: &str) {
    assert_eq!(seen.undrawn, Vec::<String>::new());
    assert_eq!(seen.most_surfaces > 1, options.surfaces, "{} surfaces", seen.most_surfaces);
    assert!(seen.images.contains_key(came), "no {came} image came: {:?}", seen.images);
}

#[test]
fn uncompressed() {
    watch(Options::new("off", false), None, "BITMAP");
}

#[test]
fn uncompressed_with_surfaces() {
    watch(Options::new("off", true), None, "BITMAP");
}

#[test]
fn quic_with_surfaces() {
    watch(Options::new("quic", true), None, "QUIC");
}

#[test]
fn lz_with_surfaces() {
    watch(Options::new("lz", true), None, "LZ_RGB");
}

#[test]
fn auto_lz() {
    watch(Options::new("auto_lz", false), None, "LZ_RGB");
}

#[test]
fn glz() {
    watch(Options::new("glz", false), None, "GLZ_RGB");
}

#[test]
fn glz_with_surfaces() {
    watch(Options::new("glz", true), None, "GLZ_RGB");
}

#[test]
fn auto_glz_with_surfaces() {
    watch(Options::new("auto_glz", true), None, "GLZ_RGB");
}

#[test]
fn lz4_with_surfaces() {
    watch(Options::new("auto_glz", true), Some(ImageCompression::LZ4), "LZ4");
}

#[test]
fn zlib_glz_with_surfaces() {
    let options = Options { zlib_glz: true, ..Options::new("glz", true) };
    watch(options, None, "ZLIB_GLZ_RGB");
}

/// JPEG loses something; how much is measured against X's own picture. This driver's pictures have alpha, so they come
/// as JPEG_ALPHA.
fn lossy(surfaces: bool) {
    let options = Options { jpeg: true, ..Options::new("auto_glz", surfaces) };
    let (mut xspice, viewer) = fill(options, None);
    let own = xspice.own_picture().unwrap();
    let within = wait_for("a picture within the tolerance", Duration::from_secs(10), || {
        viewer.check()?;
        let picture = viewer.picture().ok_or("no picture")?;
        let loss = picture.loss(&own).ok_or("pictures of different sizes")?;
        Ok((loss.mean <= JPEG_MEAN && loss.most <= JPEG_MOST).then_some(()))
    });
    let loss = viewer.picture().unwrap().loss(&own);
    println!("{options:?}: {loss:?}, {:?}", viewer.seen());
    within.unwrap();
    check(options, &viewer.seen(), "JPEG_ALPHA");
    xspice.check_running().unwrap();
}

/// The mean difference of a colour value from X's own: what quality 85, the server's, costs a smooth picture. 1.1 is
/// usual here.
const JPEG_MEAN: f64 = 1.5;
/// The largest difference of a colour value. 14 is usual here.
const JPEG_MOST: u8 = 20;

#[test]
fn jpeg_alpha() {
    lossy(false);
}

#[test]
fn jpeg_alpha_with_surfaces() {
    lossy(true);
}
