//! The pointer of a real desktop.

use std::fs;
use std::time::Duration;

use spice_proto::msg::main::MouseModes;
use testsuite::live::Viewer;
use testsuite::temp::TempDir;
use testsuite::wait_for;
use testsuite::xspice::{Options, Xspice};

const CALL: Duration = Duration::from_secs(20);

/// A shape of known pixels, set by an X program, arrives as it is, at the place where X has the pointer.
#[test]
fn shapes_and_places_are_those_of_x() {
    let mut xspice = Xspice::start(Options { cursor: true, ..Options::new("auto_glz", false) }).unwrap();
    // In client mode the server keeps the guest's moves to itself.
    let viewer = Viewer::connect_with(xspice.port(), |mut config| {
        config.session.mouse_mode = MouseModes::SERVER;
        config
    })
    .unwrap();
    let folder = TempDir::new("cursor").unwrap();
    let file = folder.file("shape.xcf");
    let shapes = [(32, 32, (5, 9)), (48, 24, (47, 0)), (32, 32, (5, 9))];
    for (round, (width, height, hot)) in shapes.into_iter().enumerate() {
        let pixels = picture(width, height);
        fs::write(&file, xcursor(width, height, hot, &pixels)).unwrap();
        let size = width.max(height).to_string();
        xspice
            .program("xsetroot")
            .args(["-xcf".as_ref(), file.as_os_str(), size.as_ref()])
            .read(CALL)
            .unwrap();
        let place = (200 + 10 * round as i16, 150 + 7 * round as i16);
        let arguments = ["mousemove".to_owned(), place.0.to_string(), place.1.to_string()];
        xspice.program("xdotool").args(&arguments).read(CALL).unwrap();
        let expected: Vec<u8> = pixels.iter().flat_map(|&[b, g, r, a]| [r, g, b, a]).collect();
        let arrived = wait_for("the shape at its place", CALL, || {
            viewer.check()?;
            xspice.check_running()?;
            Ok(viewer.cursor().filter(|(shape, at)| {
                (at.x, at.y) == place && shape.rgba() == expected && shape.hot_spot() == hot
            }))
        });
        let now = viewer.cursor().map(|(shape, at)| (shape.width(), shape.height(), shape.hot_spot(), at));
        println!("round {round}: {now:?}");
        let (shape, _) = arrived.unwrap();
        assert_eq!((shape.width(), shape.height(), shape.inverts()), (width, height, None));
    }
    assert_eq!(viewer.seen().undrawn, Vec::<String>::new());
}

/// Pixels b, g, r, a, premultiplied: many alphas, many colours below them.
fn picture(width: u32, height: u32) -> Vec<[u8; 4]> {
    (0..width * height)
        .map(|i| {
            let (x, y) = (i % width, i / width);
            let a = (x * 255 / (width - 1)) as u8;
            [(y * u32::from(a) / height) as u8, a / 2, a, a]
        })
        .collect()
}

/// An Xcursor file with one picture, as its manual page describes it: a header, a table of one entry, one chunk.
fn xcursor(width: u32, height: u32, hot: (u32, u32), pixels: &[[u8; 4]]) -> Vec<u8> {
    const IMAGE: u32 = 0xfffd_0002;
    let nominal = width.max(height);
    // Magic, length of the header, version, number of entries.
    let header = [u32::from_le_bytes(*b"Xcur"), 16, 0x1_0000, 1];
    // Type, size, and where the chunk is.
    let entry = [IMAGE, nominal, 28];
    // Length of its header, type, size, version, width, height, hot spot, delay.
    let chunk = [36, IMAGE, nominal, 1, width, height, hot.0, hot.1, 0];
    let words = header.iter().chain(&entry).chain(&chunk);
    let mut file: Vec<u8> = words.flat_map(|word| word.to_le_bytes()).collect();
    file.extend(pixels.as_flattened());
    file
}
