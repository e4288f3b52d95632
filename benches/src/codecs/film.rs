//! Sequences of GLZ pictures that refer to each other.

use spice_codecs::glz::{self, Progress, Window, WindowLimits};
use spice_codecs::zlib_glz;

use super::{CodecName, Picture};

/// Room for five frames or so, so that later ones go where earlier ones were.
const FILM_WINDOW: u64 = 1 << 22;

/// An encoded sequence, and what decodes it.
pub struct Film {
    frames: Vec<Frame>,
    decoder: glz::Decoder,
    unzip: zlib_glz::Decoder,
}

struct Frame {
    data: Vec<u8>,
    /// Length of the GLZ stream inside, if there is a zlib stream around it.
    glz_size: Option<u32>,
    size: (u32, u32),
}

impl Film {
    /// Encodes frames for one window, as GLZ or ZLIB_GLZ.
    ///
    /// # Panics
    /// When frames are larger than the window.
    pub fn new(frames: &[Picture], codec: CodecName) -> Self {
        let (mut encoder, mut zip) = (glz::Encoder::new(FILM_WINDOW), zlib_glz::Encoder::new());
        let encode = |picture: &Picture| {
            let mut data = Vec::new();
            encoder.encode(&picture.bitmap(), &mut data).unwrap();
            let mut glz_size = None;
            if codec == CodecName::ZlibGlz {
                glz_size = Some(data.len() as u32);
                let stream = std::mem::take(&mut data);
                zip.encode(&stream, &mut data);
            }
            Frame { data, glz_size, size: (picture.width, picture.height) }
        };
        let frames = frames.iter().map(encode).collect();
        Self { frames, decoder: glz::Decoder::new(), unzip: zlib_glz::Decoder::new() }
    }

    /// Decodes all frames into a window of their own.
    ///
    /// # Panics
    /// When they are damaged.
    pub fn decode(&mut self) {
        let mut window = Window::new(WindowLimits::for_window(FILM_WINDOW));
        for frame in &self.frames {
            let progress = match frame.glz_size {
                None => self.decoder.decode(&frame.data, &mut window),
                Some(len) => self.unzip.decode(&frame.data, len, frame.size, &mut window),
            };
            assert!(matches!(progress, Ok(Progress::Done(_))));
        }
    }

    /// Bytes of all frames.
    pub fn len(&self) -> usize {
        self.frames.iter().map(|frame| frame.data.len()).sum()
    }

    /// Whether there is no frame.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}
