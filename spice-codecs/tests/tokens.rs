//! Random sequences of LZ and GLZ tokens, long enough for what decoders do with usual ones, against a plain decoder.

use proptest::prelude::*;

use spice_codecs::{ErrorKind, PixelFormat, PixelsMut, glz, lz};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn lz_decodes_as_a_plain_decoder(seed: u64, width in 1..140usize, height in 1..90usize, alpha: bool) {
        let mut source = Source { state: seed | 1, glz: false };
        for top_down in [true, false] {
            let mut stream = words(&[0x2020_5a4c, 0x0001_0001, if alpha { 9 } else { 8 }]);
            let size = [width as u32, height as u32, 4 * width as u32, u32::from(top_down)];
            stream.extend(words(&size));
            let pixels = source.picture(&mut stream, width, height, alpha);
            for (padding, old) in [(0, 0), (0, 255), (12, 0), (100, 255)] {
                let stride = 4 * width + padding;
                // The last rows are not the picture's.
                let mut memory = vec![old; stride * (height + 2)];
                let dst = PixelsMut::new(&mut memory, size[0], size[1], stride, PixelFormat::Bgrx).unwrap();
                lz::Decoder::new().decode(&stream, &[], dst).unwrap();
                let (rows, below) = memory.split_at(stride * height);
                prop_assert!(below.iter().all(|byte| *byte == old));
                for (y, row) in rows.chunks(stride).enumerate() {
                    let y = if top_down { y } else { height - 1 - y };
                    let (row, behind) = row.split_at(4 * width);
                    prop_assert_eq!(row, pixels[y * width..][..width].as_flattened());
                    prop_assert!(behind.iter().all(|byte| *byte == old));
                }
            }
        }
    }

    #[test]
    fn glz_decodes_as_a_plain_decoder(seed: u64, width in 1..140usize, height in 1..90usize, alpha: bool) {
        let mut source = Source { state: seed | 1, glz: true };
        let mut stream = words(&[0x2020_5a4c, 0x0001_0001]);
        stream.push(16 | if alpha { 9 } else { 8 });
        stream.extend(words(&[width as u32, height as u32, 4 * width as u32, 0, 0, 0]));
        let pixels = source.picture(&mut stream, width, height, alpha);
        let mut window = glz::Window::new(glz::WindowLimits::for_window(1 << 20));
        let Ok(glz::Progress::Done(picture)) = glz::Decoder::new().decode(&stream, &mut window) else {
            panic!("no picture");
        };
        prop_assert_eq!(picture.bytes(), pixels.as_flattened());
    }
}

#[test]
fn a_reference_does_not_reach_what_lies_behind_a_picture_with_its_bottom_row_first() {
    // Bottom row: a literal and 15 times the same. The row above refers to the row below the bottom one.
    let tokens = [&[0, 9, 0xe0, 6, 0, 0xe0, 7, 31][..], &[15; 17], &[15; 17]].concat();
    for padding in [0, 1] {
        let mut stream = words(&[0x2020_5a4c, 0x0001_0001, 11, 16, 4, 16, 0]);
        let at = stream.len() + 5;
        stream.extend(&tokens);
        let stride = 16 + padding;
        let mut memory = vec![0x77; stride * 8];
        let dst = PixelsMut::new(&mut memory, 16, 4, stride, PixelFormat::A8).unwrap();
        let error = lz::Decoder::new().decode(&stream, &[], dst).unwrap_err();
        assert_eq!((error.at, error.kind), (at, ErrorKind::Reference { distance: 32, done: 16 }));
    }
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// Random numbers, and streams made of them.
struct Source {
    state: u64,
    glz: bool,
}

impl Source {
    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as usize % bound
    }

    /// Appends the planes of a picture. Returns its pixels in coded order.
    fn picture(&mut self, stream: &mut Vec<u8>, width: usize, height: usize, alpha: bool) -> Vec<[u8; 4]> {
        let colours = self.plane::<3>(stream, width, height, 0);
        let alphas = if alpha { self.plane::<1>(stream, width, height, 2) } else { vec![[0]; colours.len()] };
        colours.iter().zip(&alphas).map(|(&[b, g, r], &[a])| [b, g, r, a]).collect()
    }

    /// Appends a plane, whose matches are `bias` units longer than they say. Returns its units.
    fn plane<const N: usize>(
        &mut self,
        stream: &mut Vec<u8>,
        width: usize,
        height: usize,
        bias: usize,
    ) -> Vec<[u8; N]> {
        let total = width * height;
        let mut units = Vec::with_capacity(total);
        while units.len() < total {
            let (done, left) = (units.len(), total - units.len());
            if done == 0 || left <= bias || self.below(3) == 0 {
                let longest = [2, 5, 32][self.below(3)];
                let count = (1 + self.below(longest)).min(left);
                stream.push(count as u8 - 1);
                for _ in 0..count {
                    let unit = [0; N].map(|_| self.below(256) as u8);
                    stream.extend(unit);
                    units.push(unit);
                }
                continue;
            }
            let longest = [4, 16, 64, 700][self.below(4)];
            let len = (bias + 1 + self.below(longest)).min(left);
            let distance = match self.below(5) {
                0 => 1,
                1 => 1 + self.below(20),
                2 => width,
                3 => width * (1 + self.below(4)) + self.below(3) - 1,
                _ => 1 + self.below(done),
            };
            let distance = distance.clamp(1, done);
            self.reference(stream, len - bias, distance - 1);
            for _ in 0..len {
                units.push(units[units.len() - distance]);
            }
        }
        units
    }

    /// Appends a match.
    fn reference(&mut self, stream: &mut Vec<u8>, len: usize, back: usize) {
        let mut more = Vec::new();
        let length = (len.min(7) as u8) << 5;
        if let Some(mut rest) = len.checked_sub(7) {
            while rest >= 255 {
                more.push(255);
                rest -= 255;
            }
            more.push(rest as u8);
        }
        let control = if !self.glz {
            let near = back.min(8191);
            more.push(near as u8);
            if near == 8191 {
                more.extend(((back - near) as u16).to_be_bytes());
            }
            (near >> 8) as u8
        } else {
            more.push((back >> 4) as u8);
            let form = if back < 4096 { self.below(3) } else { 1 + self.below(2) };
            let high = (back >> 12) as u8;
            match form {
                0 | 1 => more.push(high),
                // The longest form, of which no picture of this size has need.
                _ => more.extend([high | 32, 0]),
            }
            (back & 15) as u8 | if form == 0 { 0 } else { 16 }
        };
        stream.push(length | control);
        stream.extend(more);
    }
}
