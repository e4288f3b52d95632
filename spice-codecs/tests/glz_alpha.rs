//! GLZ: alpha planes of a single value, of nearly a single value, and of what other images have.

use spice_codecs::glz::{Decoder, Progress, Window, WindowLimits};
use spice_codecs::{CodecError, ErrorKind};

const WIDTH: u32 = 20;
const HEIGHT: u32 = 2;
const TOTAL: usize = 40;

/// An RGBA image of these planes.
fn image(id: u32, colours: &[u8], alphas: &[u8]) -> Vec<u8> {
    let mut stream = [0x2020_5a4c_u32, 0x0001_0001].map(u32::to_be_bytes).concat();
    stream.push(16 | 9);
    stream.extend([WIDTH, HEIGHT, 4 * WIDTH, 0, id, id].map(u32::to_be_bytes).as_flattened());
    stream.extend([colours, alphas].concat());
    stream
}

/// A plane of colours that are the same.
const GREY: &[u8] = &[0, 9, 9, 9, 0xe0, 32, 0, 0];

/// A plane of alphas that are the same.
fn uniform(alpha: u8) -> Vec<u8> {
    vec![0, alpha, 0xe0, 30, 0, 0]
}

/// `len` units of the image `distance` ids back, from `offset` on. They have `bytes` each.
fn copied(distance: u8, offset: u8, len: u8, bytes: u8) -> Vec<u8> {
    vec![0xe0 | offset & 15, len - 7 - (3 - bytes), offset >> 4, distance]
}

fn colours_of(distance: u8) -> Vec<u8> {
    copied(distance, 0, 40, 3)
}

fn alphas_of(distance: u8) -> Vec<u8> {
    copied(distance, 0, 40, 1)
}

/// Alphas that are the same for half of the image, and different ones behind them.
fn mixed(alpha: u8) -> (Vec<u8>, Vec<u8>) {
    let others: Vec<u8> = (100..120).collect();
    ([&[0, alpha, 0xe0, 10, 0, 0, 19], &others[..]].concat(), [&[alpha; 20], &others[..]].concat())
}

/// A window, and a decoder of the one channel that delivers all images.
struct Receiver {
    window: Window,
    decoder: Decoder,
}

impl Receiver {
    fn new() -> Self {
        Self { window: Window::new(WindowLimits::default()), decoder: Decoder::new() }
    }

    fn decode(&mut self, stream: &[u8]) -> Result<Progress, CodecError> {
        self.decoder.decode(stream, &mut self.window)
    }

    fn assert_waits(&mut self, stream: &[u8], for_image: u64) {
        let progress = self.decode(stream).unwrap();
        assert!(matches!(progress, Progress::Waiting(id) if id == for_image), "{progress:?}");
    }

    fn assert_alphas(&mut self, stream: &[u8], expected: &[u8]) {
        let picture = match self.decode(stream).unwrap() {
            Progress::Done(picture) => picture,
            Progress::Waiting(id) => panic!("waits for {id}"),
        };
        let (pixels, _) = picture.bytes().as_chunks::<4>();
        assert!(pixels.iter().all(|pixel| pixel[..3] == [9, 9, 9]));
        assert_eq!(pixels.iter().map(|pixel| pixel[3]).collect::<Vec<_>>(), expected);
    }

    /// Decodes an image on a channel of its own.
    fn elsewhere(&mut self, stream: &[u8]) {
        let progress = Decoder::new().decode(stream, &mut self.window).unwrap();
        assert!(matches!(progress, Progress::Done(_)), "{progress:?}");
    }
}

#[test]
fn single_values_replace_those_that_came_with_the_colours() {
    for first in [0, 255, 7] {
        for second in [0, 255, 7] {
            let mut receiver = Receiver::new();
            receiver.assert_alphas(&image(0, GREY, &uniform(first)), &[first; TOTAL]);
            receiver.assert_alphas(&image(1, &colours_of(1), &uniform(second)), &[second; TOTAL]);
            receiver.assert_alphas(&image(2, &colours_of(1), &alphas_of(2)), &[first; TOTAL]);
            receiver.assert_alphas(&image(3, GREY, &alphas_of(2)), &[second; TOTAL]);
            // A copy of one, and literals of the other.
            let alphas = [copied(4, 3, 20, 1), [vec![19], vec![second; 20]].concat()].concat();
            receiver.assert_alphas(&image(4, &colours_of(2), &alphas), &[[first; 20], [second; 20]].concat());
        }
    }
}

#[test]
fn a_single_value_may_be_only_the_beginning() {
    for alpha in [0, 255, 7] {
        for first in [0, 255] {
            let mut receiver = Receiver::new();
            receiver.assert_alphas(&image(0, GREY, &uniform(first)), &[first; TOTAL]);
            let (tokens, alphas) = mixed(alpha);
            receiver.assert_alphas(&image(1, &colours_of(1), &tokens), &alphas);
            receiver.assert_alphas(&image(2, GREY, &tokens), &alphas);
        }
    }
}

#[test]
fn images_of_a_single_value_and_of_several_refer_to_each_other() {
    for alpha in [0, 255, 7] {
        let mut receiver = Receiver::new();
        let (tokens, alphas) = mixed(alpha);
        receiver.assert_alphas(&image(0, GREY, &uniform(alpha)), &[alpha; TOTAL]);
        receiver.assert_alphas(&image(1, &colours_of(1), &tokens), &alphas);
        receiver.assert_alphas(&image(2, &colours_of(2), &alphas_of(1)), &alphas);
        receiver.assert_alphas(&image(3, &colours_of(1), &alphas_of(3)), &[alpha; TOTAL]);
        // From one of each: first what the other has too, then the rest.
        let both = [copied(4, 0, 20, 1), copied(3, 20, 20, 1)].concat();
        receiver.assert_alphas(&image(4, &colours_of(1), &both), &alphas);
        let back = [copied(4, 20, 20, 1), copied(2, 0, 20, 1)].concat();
        receiver.assert_alphas(&image(5, &colours_of(4), &back), &[&alphas[20..], &[alpha; 20]].concat());
        receiver.assert_alphas(&image(6, &colours_of(1), &uniform(0)), &[0; TOTAL]);
    }
}

#[test]
fn alphas_wait_for_an_image_at_their_first_token() {
    for alpha in [0, 255, 7] {
        let (tokens, alphas) = mixed(alpha);
        for (tokens, alphas) in [(uniform(alpha), vec![alpha; TOTAL]), (tokens, alphas)] {
            let mut receiver = Receiver::new();
            let early = image(1, GREY, &alphas_of(1));
            receiver.assert_waits(&early, 0);
            receiver.assert_waits(&early, 0);
            receiver.elsewhere(&image(0, GREY, &tokens));
            receiver.assert_alphas(&early, &alphas);
            receiver.assert_alphas(&image(2, GREY, &alphas_of(1)), &alphas);
        }
    }
}

#[test]
fn alphas_wait_for_an_image_behind_a_single_value() {
    for (alpha, other) in [(0, 0), (0, 255), (255, 0), (255, 255)] {
        let mut receiver = Receiver::new();
        let early = image(1, GREY, &[&[0, alpha, 0xe0, 10, 0, 0], &copied(1, 0, 20, 1)[..]].concat());
        receiver.assert_waits(&early, 0);
        receiver.elsewhere(&image(0, GREY, &uniform(other)));
        let alphas = [[alpha; 20], [other; 20]].concat();
        receiver.assert_alphas(&early, &alphas);
        receiver.assert_alphas(&image(2, &colours_of(1), &alphas_of(1)), &alphas);
    }
}

#[test]
fn what_came_with_colours_is_replaced_though_they_had_to_wait() {
    for value in [0, 255] {
        let mut receiver = Receiver::new();
        // One half of the colours from an image that is not transparent, the other from one that comes later.
        let early = image(2, &[copied(2, 0, 20, 3), copied(1, 0, 20, 3)].concat(), &uniform(value));
        receiver.elsewhere(&image(0, GREY, &uniform(255)));
        receiver.assert_waits(&early, 1);
        receiver.elsewhere(&image(1, GREY, &uniform(0)));
        receiver.assert_alphas(&early, &[value; TOTAL]);
    }
}

#[test]
fn tokens_behind_a_single_value_are_checked() {
    let start = 33 + GREY.len();
    let cases: [(&[u8], usize, ErrorKind); 6] = [
        (&[0, 5], 2, ErrorKind::Truncated),
        (&[0, 5, 3, 5, 5], 2, ErrorKind::Truncated),
        (&[0, 5, 0xe0, 31, 0, 0], 2, ErrorKind::Length { len: 40, left: 39 }),
        (&[0, 5, 0xe1, 30, 0, 0], 2, ErrorKind::Reference { distance: 2, done: 1 }),
        (&[0, 5, 0xe0, 30, 0, 0, 0], 6, ErrorKind::Excess),
        (&[0xe2, 30, 0, 1], 0, ErrorKind::ImageRange { offset: 2, len: 39, units: 40 }),
    ];
    for (alphas, at, kind) in cases {
        let mut receiver = Receiver::new();
        receiver.elsewhere(&image(0, GREY, &uniform(5)));
        let error = receiver.decode(&image(1, GREY, alphas)).unwrap_err();
        assert_eq!((error.at, error.kind), (start + at, kind), "{alphas:?}");
    }
}
