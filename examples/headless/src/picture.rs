//! PNG files as rows of bytes b, g, r, a with premultiplied alpha, and back.

use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::Path;

use crate::error::Error;

/// Rows of 32-bit pixels without padding, top row first: bytes b, g, r, a, premultiplied.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) alpha: bool,
    pub(crate) pixels: Vec<u8>,
}

pub(crate) fn read(path: &Path) -> Result<Picture, Error> {
    let file = File::open(path).map_err(|source| Error::Read { path: path.into(), source })?;
    let fail = |source| Error::NoPng { path: path.into(), source };
    let mut decoder = png::Decoder::new(BufReader::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(fail)?;
    let size = reader.output_buffer_size().ok_or_else(|| fail(png::DecodingError::LimitsExceeded))?;
    let mut samples = vec![0; size];
    let info = reader.next_frame(&mut samples).map_err(fail)?;
    samples.truncate(info.buffer_size());
    let (alpha, pixels) = match info.color_type {
        png::ColorType::Grayscale => (false, each(&samples, |[y]| [y, y, y, 255])),
        png::ColorType::GrayscaleAlpha => (true, each(&samples, |[y, a]| premultiplied([y, y, y, a]))),
        png::ColorType::Rgb => (false, each(&samples, |[r, g, b]| [b, g, r, 255])),
        _ => (true, each(&samples, |[r, g, b, a]| premultiplied([b, g, r, a]))),
    };
    Ok(Picture { width: info.width, height: info.height, alpha, pixels })
}

pub(crate) fn write(path: &Path, picture: &Picture) -> io::Result<()> {
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), picture.width, picture.height);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_color(if picture.alpha { png::ColorType::Rgba } else { png::ColorType::Rgb });
    let samples = if picture.alpha {
        each(&picture.pixels, straight)
    } else {
        each(&picture.pixels, |[b, g, r, _]| [r, g, b])
    };
    let mut writer = encoder.write_header().map_err(io::Error::other)?;
    writer.write_image_data(&samples).map_err(io::Error::other)?;
    writer.finish().map_err(io::Error::other)
}

/// Turns every pixel of `N` bytes into one of `M` bytes.
fn each<const N: usize, const M: usize>(bytes: &[u8], turn: impl Fn([u8; N]) -> [u8; M]) -> Vec<u8> {
    bytes.as_chunks().0.iter().flat_map(|pixel| turn(*pixel)).collect()
}

fn premultiplied([b, g, r, a]: [u8; 4]) -> [u8; 4] {
    let scale = |c: u8| ((u16::from(c) * u16::from(a) + 127) / 255) as u8;
    [scale(b), scale(g), scale(r), a]
}

/// Bytes r, g, b, a without premultiplication. Dark colours lose bits on this way.
fn straight([b, g, r, a]: [u8; 4]) -> [u8; 4] {
    let scale = |c: u8| match u16::from(a) {
        0 => 0,
        a => ((u16::from(c) * 255 + a / 2) / a).min(255) as u8,
    };
    [scale(r), scale(g), scale(b), a]
}
