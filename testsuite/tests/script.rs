//! Real programs used by a script while a viewer watches: at the end it shows what X has.

use std::time::Duration;

use testsuite::live::Viewer;
use testsuite::programs::Screenshot;
use testsuite::script::GTK_TITLE;
use testsuite::wait_for;
use testsuite::xspice::{Options, Xspice};

use crate::assert_same;

fn use_desktop(compression: &'static str, surfaces: bool) {
    let mut xspice = Xspice::start(Options::new(compression, surfaces)).unwrap();
    let viewer = Viewer::connect(xspice.port()).unwrap();
    xspice.fill().unwrap();
    xspice.scroll("scrolling", "90x24+300+200", 600).unwrap();
    xspice.open_viewer("picture").unwrap();
    xspice.open_gtk().unwrap();
    for (title, dx, dy) in
        [("scrolling", -180, 90), ("picture", 300, 140), (GTK_TITLE, 90, -70), ("terminal", 60, 40)]
    {
        xspice.drag(title, dx, dy).unwrap();
    }
    xspice.settle().unwrap();
    let own = xspice.own_picture().unwrap();
    let same = wait_for("the same picture", Duration::from_secs(20), || {
        viewer.check()?;
        Ok((viewer.picture().as_ref() == Some(&own)).then_some(()))
    });
    let seen = viewer.seen();
    println!("{compression}, surfaces {surfaces}: {seen:?}");
    if let Err(error) = same {
        viewer.check().unwrap();
        assert_same(&error, &viewer.picture().unwrap(), &own);
    }
    assert_eq!(seen.undrawn, Vec::<String>::new());
    assert_eq!(seen.most_surfaces > 1, surfaces, "{} surfaces", seen.most_surfaces);
    assert_same("a new client", &Screenshot::of_port(xspice.port()).picture().unwrap(), &own);
    assert_same("import before against after", &own, &xspice.own_picture().unwrap());
    xspice.check_running().unwrap();
}

#[test]
fn auto_glz() {
    use_desktop("auto_glz", false);
}

#[test]
fn auto_glz_with_surfaces() {
    use_desktop("auto_glz", true);
}
