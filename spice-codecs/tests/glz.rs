//! GLZ: the shared window, images out of order, two channels on two threads.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};

use spice_codecs::glz::{Access, Decoder, Picture, Progress, Window, WindowLimits};
use spice_codecs::{CodecError, ErrorKind, PixelFormat, PixelsMut, glz};

use crate::vectors::{Vector, load};

/// The sequences of the vector file.
pub(crate) fn sequences() -> BTreeMap<String, Vec<Vector>> {
    let mut sequences = BTreeMap::<_, Vec<_>>::new();
    for vector in load("glz") {
        sequences.entry(vector.text("sequence").to_owned()).or_default().push(vector);
    }
    sequences
}

fn window(vectors: &[Vector]) -> Window {
    Window::new(WindowLimits::for_window(vectors[0].number("window_size")))
}

fn done(progress: Result<Progress, CodecError>, name: &str) -> Arc<Picture> {
    match progress {
        Ok(Progress::Done(picture)) => picture,
        other => panic!("{name}: {other:?}"),
    }
}

fn check(vector: &Vector, picture: &Picture) {
    let (width, height) = vector.size();
    for fill in [0, 0xff] {
        let mut rows = vec![fill; width as usize * height as usize * 4];
        picture.copy_to(PixelsMut::packed(&mut rows, width, height, PixelFormat::Bgrx).unwrap()).unwrap();
        vector.assert_hash("decoded", &rows, "32 bits");
    }
}

#[test]
fn vectors_in_order() {
    for vectors in sequences().values() {
        let (mut window, mut decoder) = (window(vectors), Decoder::new());
        for vector in vectors {
            assert_eq!(glz::id(vector.encoded()).unwrap(), vector.number("id"));
            let picture = done(decoder.decode(vector.encoded(), &mut window), &vector.name);
            check(vector, &picture);
        }
    }
}

#[test]
fn vectors_in_reverse_wait_and_go_on() {
    for vectors in sequences().values() {
        let mut window = window(vectors);
        // One display channel per image, the last image first.
        let mut waiting: Vec<_> = vectors.iter().rev().map(|vector| (vector, Decoder::new())).collect();
        let mut rounds = 0;
        while !waiting.is_empty() {
            waiting.retain_mut(|(vector, decoder)| match decoder.decode(vector.encoded(), &mut window) {
                Ok(Progress::Waiting(id)) => {
                    assert!(window.get(id).unwrap().is_none());
                    true
                }
                other => {
                    check(vector, &done(other, &vector.name));
                    false
                }
            });
            rounds += 1;
            assert!(rounds <= vectors.len());
        }
    }
}

#[test]
fn released_images_leave_the_window() {
    let sequences = sequences();
    let vectors = &sequences["evict"];
    let (mut window, mut decoder) = (window(vectors), Decoder::new());
    for (i, vector) in vectors.iter().enumerate() {
        done(decoder.decode(vector.encoded(), &mut window), &vector.name);
        assert_eq!(window.len(), (i + 1).min(4));
        assert_eq!(window.pixels(), 1200 * window.len() as u64);
    }
    let error = window.get(0).unwrap_err();
    assert_eq!(error.kind, ErrorKind::MissingImage(0));
    window.reset();
    assert!(window.is_empty() && window.bytes() == 0 && window.get(0).unwrap().is_none());
}

#[test]
fn nothing_is_released_above_a_gap() {
    let sequences = sequences();
    let vectors = &sequences["evict"];
    let (mut window, mut decoder) = (window(vectors), Decoder::new());
    for vector in &vectors[1..] {
        // Most refer to image 0 in the end and wait for it; those that do not are kept.
        let _ = decoder.decode(vector.encoded(), &mut window).unwrap();
    }
    assert!(window.get(0).unwrap().is_none());
}

struct Shared<'a>(&'a Mutex<Window>);

impl Access for Shared<'_> {
    fn with<R>(&mut self, f: impl FnOnce(&mut Window) -> R) -> R {
        f(&mut self.0.lock().unwrap())
    }
}

#[test]
fn two_threads_share_a_window() {
    for vectors in sequences().values() {
        let window = Mutex::new(window(vectors));
        let arrived = Condvar::new();
        std::thread::scope(|scope| {
            for thread in 0..2 {
                let (window, arrived) = (&window, &arrived);
                scope.spawn(move || {
                    let mut decoder = Decoder::new();
                    for vector in vectors.iter().skip(thread).step_by(2) {
                        let picture = loop {
                            match decoder.decode(vector.encoded(), &mut Shared(window)).unwrap() {
                                Progress::Done(picture) => break picture,
                                Progress::Waiting(id) => {
                                    let guard = window.lock().unwrap();
                                    let absent = |window: &mut Window| window.get(id).unwrap().is_none();
                                    drop(arrived.wait_while(guard, absent).unwrap());
                                }
                            }
                        };
                        arrived.notify_all();
                        check(vector, &picture);
                    }
                });
            }
        });
    }
}

/// A header of a picture of four pixels, and tokens.
fn stream(id: u64, distance: u32, tokens: &[u8]) -> Vec<u8> {
    let mut data = b"  ZL\0\x01\0\x01\x18".to_vec();
    for word in [4, 1, 16, (id >> 32) as u32, id as u32, distance] {
        data.extend(word.to_be_bytes());
    }
    data.extend(tokens);
    data
}

/// Four literal pixels.
const LITERALS: [u8; 13] = [3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

#[test]
fn cross_image_range_is_checked_at_its_end() {
    let mut window = Window::new(WindowLimits::for_window(16));
    let mut decoder = Decoder::new();
    done(decoder.decode(&stream(0, 0, &LITERALS), &mut window), "literals");
    // Four units from offset 1 of an image of four.
    let error = decoder.decode(&stream(1, 1, &[0x81, 0, 1]), &mut window).unwrap_err();
    assert_eq!(error.kind, ErrorKind::ImageRange { offset: 1, len: 4, units: 4 });
    done(decoder.decode(&stream(1, 1, &[0x80, 0, 1]), &mut window), "the whole image");
}

#[test]
fn what_an_image_lets_go_of_is_gone_before_it_is_decoded() {
    let mut window = Window::new(WindowLimits::for_window(16));
    let mut decoder = Decoder::new();
    done(decoder.decode(&stream(0, 0, &LITERALS), &mut window), "literals");
    let cut = &LITERALS[..5];
    decoder.decode(&stream(2, 0, cut), &mut window).unwrap_err();
    assert_eq!(window.len(), 1, "image 1 may need what image 2 does not");
    decoder.decode(&stream(1, 1, cut), &mut window).unwrap_err();
    assert_eq!(window.len(), 1);
    decoder.decode(&stream(1, 0, cut), &mut window).unwrap_err();
    assert!(window.is_empty());
}

#[test]
fn duplicate_ids_are_refused() {
    let mut window = Window::new(WindowLimits::for_window(16));
    let mut decoder = Decoder::new();
    for id in [0, 1, 7] {
        done(decoder.decode(&stream(id, 0, &LITERALS), &mut window), "first");
        let error = decoder.decode(&stream(id, 0, &LITERALS), &mut window).unwrap_err();
        assert_eq!(error.kind, ErrorKind::DuplicateImage(id));
    }
}

#[test]
fn references_below_image_0_are_refused() {
    let mut window = Window::new(WindowLimits::for_window(16));
    let error = Decoder::new().decode(&stream(2, 3, &LITERALS), &mut window).unwrap_err();
    assert_eq!(error.kind, ErrorKind::ImageDistance { distance: 3, id: 2 });
    let error = Decoder::new().decode(&stream(2, 2, &[0x80, 0, 3]), &mut window).unwrap_err();
    assert_eq!(error.kind, ErrorKind::ImageDistance { distance: 3, id: 2 });
}

#[test]
fn image_pixels_bounds_one_image() {
    let mut window = Window::new(WindowLimits::for_window(3));
    let error = Decoder::new().decode(&stream(0, 0, &LITERALS), &mut window).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Limit { limit: "image_pixels", value: 4, bound: 3 });
}

#[test]
fn held_pixels_bounds_the_window() {
    let mut limits = WindowLimits::for_window(4);
    limits.held_pixels = 9;
    let (mut window, mut decoder) = (Window::new(limits), Decoder::new());
    // Image 0 never arrives, so nothing can be released.
    for id in 1..3 {
        done(decoder.decode(&stream(id, 0, &LITERALS), &mut window), "fits");
    }
    let error = decoder.decode(&stream(3, 0, &LITERALS), &mut window).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Limit { limit: "held_pixels", value: 12, bound: 9 });
}

#[test]
fn held_bytes_bounds_the_window() {
    let mut limits = WindowLimits::for_window(1 << 20);
    limits.held_bytes = 1000;
    let (mut window, mut decoder) = (Window::new(limits), Decoder::new());
    for id in 1..4 {
        done(decoder.decode(&stream(id, 0, &LITERALS), &mut window), "fits");
    }
    let error = decoder.decode(&stream(4, 0, &LITERALS), &mut window).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Limit { limit: "held_bytes", bound: 1000, .. }));
}

#[test]
fn a_stream_cut_anywhere_is_refused() {
    let sequences = sequences();
    let vectors = &sequences["rgba_five"];
    let (mut window, mut decoder) = (window(vectors), Decoder::new());
    for vector in vectors {
        for len in 0..vector.encoded().len() {
            let cut = &vector.encoded()[..len];
            assert!(decoder.decode(cut, &mut window).is_err(), "{} cut at {len}", vector.name);
        }
        done(decoder.decode(vector.encoded(), &mut window), &vector.name);
    }
}

#[test]
fn a_window_that_exceeded_its_bounds_holds_nothing_and_stays_lost() {
    let mut limits = WindowLimits::for_window(4);
    limits.held_pixels = 9;
    let (mut window, mut decoder) = (Window::new(limits), Decoder::new());
    for id in 1..3 {
        done(decoder.decode(&stream(id, 0, &LITERALS), &mut window), "fits");
    }
    let lost = decoder.decode(&stream(3, 0, &LITERALS), &mut window).unwrap_err();
    for id in 3..2000 {
        assert_eq!(decoder.decode(&stream(id, 0, &LITERALS), &mut window).unwrap_err(), lost);
        assert_eq!((window.len(), window.pixels(), window.bytes()), (0, 0, 0));
    }
    window.reset();
    done(decoder.decode(&stream(0, 0, &LITERALS), &mut window), "a new connection");
}

/// Four pixels, the last three from image 0 of the window.
fn waiting(literal: u8) -> Vec<u8> {
    stream(5, 5, &[0, literal, literal, literal, 0x60, 0, 1])
}

#[test]
fn another_stream_of_the_same_id_and_length_does_not_go_on_where_the_first_waited() {
    let (mut window, mut decoder) = (Window::new(WindowLimits::for_window(16)), Decoder::new());
    let progress = decoder.decode(&waiting(1), &mut window);
    assert!(matches!(progress, Ok(Progress::Waiting(4))), "{progress:?}");
    let own = stream(5, 5, &[0, 9, 9, 9, 0x60, 0, 0]);
    assert_eq!(done(decoder.decode(&own, &mut window), "nothing is missing").bytes()[..4], [9, 9, 9, 0]);
}

#[test]
fn a_decoder_that_was_reset_begins_anew() {
    let (mut window, mut decoder) = (Window::new(WindowLimits::for_window(16)), Decoder::new());
    assert!(matches!(decoder.decode(&waiting(1), &mut window), Ok(Progress::Waiting(4))));
    decoder.reset();
    // What it kept is gone, so the picture is charged to the window again.
    window = Window::new(WindowLimits::for_window(3));
    let error = decoder.decode(&waiting(1), &mut window).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Limit { limit: "image_pixels", value: 4, bound: 3 });
}
