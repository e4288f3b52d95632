//! GLZ and ZLIB_GLZ: sequences of images that share one window.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher};

use miniz_oxide::deflate::compress_to_vec_zlib;
use spice_codecs::glz::{self as codec, Progress, Window, WindowLimits};
use spice_codecs::{CodecError, zlib_glz as zlib_codec};

use super::MAX_PIXELS;
use super::source::Picture;
use crate::memory::bounded;

/// GLZ images on two display channels.
///
/// Input: images, each with one byte whose lowest bit is the channel, a length in 16 bits, and the stream.
pub fn glz(data: &[u8]) {
    check(records(data).map(|(flags, stream)| (flags & 1, Image::Glz(stream))));
}

/// ZLIB_GLZ images on two display channels.
///
/// Input: as for [`glz`]; but with the second bit of an image's first byte set, the stream is a zlib stream behind
/// its width and height in a byte each and the length inside in 16 bits. Otherwise it is packed here, since
/// changing single bytes of a zlib stream only damages it.
pub fn zlib_glz(data: &[u8]) {
    check(records(data).filter_map(|(flags, bytes)| {
        let image = if flags & 2 == 0 {
            let (stream, header) = (compress_to_vec_zlib(bytes, 1), codec::header(bytes).ok()?);
            Image::Zlib { stream, size: bytes.len() as u32, sides: (header.width, header.height) }
        } else {
            let (&[width, height, s0, s1], stream) = bytes.split_first_chunk()?;
            let size = u16::from_le_bytes([s0, s1]).into();
            Image::Zlib { stream: stream.to_vec(), size, sides: (width.into(), height.into()) }
        };
        Some((flags & 1, image))
    }));
}

/// What GLZ encodes for a window, it decodes to the same pictures, whichever channel delivers them when.
///
/// Input: records as in `script`, each a picture as for `Picture`. Three bits of a record's flags choose the channel,
/// whether the picture changes places with the one before, which must be another channel's, and whether it is packed.
pub fn glz_round_trip(data: &[u8]) {
    round_trip(data, |flags| flags & 4 != 0);
}

/// What ZLIB_GLZ encodes, it decodes to the same pictures, whichever channel delivers them when.
///
/// Input: as for [`glz_round_trip`]; every picture is packed.
pub fn zlib_glz_round_trip(data: &[u8]) {
    round_trip(data, |_| true);
}

fn round_trip(data: &[u8], is_packed: impl Fn(u8) -> bool) {
    let mut zip = zlib_codec::Encoder::new();
    let mut encoder = codec::Encoder::new(MAX_PIXELS / 4);
    let (mut images, mut expected) = (Vec::new(), Vec::new());
    for (flags, content) in crate::script::records(data) {
        let Some(picture) = Picture::new(content) else { continue };
        let mut stream = Vec::new();
        let Ok(id) = encoder.encode(&picture.bitmap(), &mut stream) else { continue };
        let rows = picture.coded();
        expected.push((id, hash(rows.chunks(rows.len() / picture.layout.height as usize))));
        let image = if !is_packed(flags) {
            Image::Own(stream)
        } else {
            let (size, sides) = (stream.len() as u32, (picture.layout.width, picture.layout.height));
            let mut packed = Vec::new();
            zip.encode(&stream, &mut packed);
            Image::Zlib { stream: packed, size, sides }
        };
        let channel = flags & 1;
        let swap = flags & 2 != 0 && images.last().is_some_and(|(before, _)| *before != channel);
        let at = images.len() - usize::from(swap);
        images.insert(at, (channel, image));
    }
    let mut outcome = Client::run(&images, false, WindowLimits::for_window(MAX_PIXELS / 4));
    outcome.pictures.sort_unstable();
    assert_eq!(outcome, Outcome { pictures: expected, error: None });
}

fn hash<'a>(rows: impl Iterator<Item = &'a [u8]>) -> u64 {
    let mut hasher = DefaultHasher::new();
    rows.for_each(|row| hasher.write(row));
    hasher.finish()
}

/// The records of an input: flags and content. A length beyond the end means all that is left.
fn records(mut data: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (&[flags, l0, l1], rest) = data.split_first_chunk()?;
        let (content, rest) = rest.split_at(rest.len().min(u16::from_le_bytes([l0, l1]).into()));
        data = rest;
        Some((flags, content))
    })
}

/// An image as it arrives.
enum Image<'a> {
    Glz(&'a [u8]),
    Own(Vec<u8>),
    Zlib { stream: Vec<u8>, size: u32, sides: (u32, u32) },
}

/// Pictures depend neither on what recycled memory held nor on whether somebody still looks at older ones.
fn check<'a>(images: impl Iterator<Item = (u8, Image<'a>)>) {
    let images: Vec<_> = images.collect();
    let limits = WindowLimits::for_window(MAX_PIXELS);
    // Held pixels twice over, because recycled memory may be twice as large as needed, and released pictures.
    let bound = 16 * 4 * MAX_PIXELS as usize + 4096 * (1 + images.len());
    let recycling = bounded("a GLZ window", bound + ZLIB_STATE, || Client::run(&images, false, limits));
    assert_eq!(recycling, Client::run(&images, true, limits));
}

/// What an inflater reserves once per channel, and the longest stream that a picture may take.
const ZLIB_STATE: usize = 2 * ((64 << 10) + 10 * MAX_PIXELS as usize);

/// What came of a sequence: ids and hashes of the pictures in order, and the error that ended it.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    pictures: Vec<(u64, u64)>,
    error: Option<CodecError>,
}

struct Client<'a, 'b> {
    window: Window,
    channels: [Channel<'a, 'b>; 2],
    /// Pictures that are still looked at, so that their memory is not used again.
    held: Option<Vec<std::sync::Arc<codec::Picture>>>,
    outcome: Outcome,
}

#[derive(Default)]
struct Channel<'a, 'b> {
    glz: codec::Decoder,
    zlib: zlib_codec::Decoder,
    queue: VecDeque<&'b Image<'a>>,
}

impl<'a, 'b> Client<'a, 'b> {
    fn run(images: &'b [(u8, Image<'a>)], hold: bool, limits: WindowLimits) -> Outcome {
        let mut client = Self {
            window: Window::new(limits),
            channels: Default::default(),
            held: hold.then(Vec::new),
            outcome: Outcome::default(),
        };
        for (channel, image) in images {
            client.channels[usize::from(*channel)].queue.push_back(image);
            if let Err(error) = client.settle() {
                // The connection is over.
                client.outcome.error = Some(error);
                break;
            }
        }
        client.outcome
    }

    /// Decodes until both channels are empty or wait.
    fn settle(&mut self) -> Result<(), CodecError> {
        loop {
            let done = self.outcome.pictures.len();
            for index in 0..self.channels.len() {
                while self.next(index)? {}
            }
            if self.outcome.pictures.len() == done {
                return Ok(());
            }
        }
    }

    /// Tries the next image of a channel; false when there is none or it waits.
    fn next(&mut self, index: usize) -> Result<bool, CodecError> {
        let channel = &mut self.channels[index];
        let Some(image) = channel.queue.front() else { return Ok(false) };
        let progress = match image {
            Image::Glz(stream) => channel.glz.decode(stream, &mut self.window)?,
            Image::Own(stream) => channel.glz.decode(stream, &mut self.window)?,
            Image::Zlib { stream, size, sides } => {
                channel.zlib.decode(stream, *size, *sides, &mut self.window)?
            }
        };
        let limits = self.window.limits();
        assert!(self.window.pixels() <= limits.held_pixels && self.window.bytes() <= limits.held_bytes);
        match progress {
            Progress::Waiting(id) => {
                assert!(matches!(self.window.get(id), Ok(None)), "image {id} is here and waited for");
                Ok(false)
            }
            Progress::Done(picture) => {
                channel.queue.pop_front();
                let rows = (0..picture.header().height).map(|y| picture.row(y));
                self.outcome.pictures.push((picture.id(), hash(rows)));
                if let Some(held) = &mut self.held {
                    held.push(picture);
                }
                Ok(true)
            }
        }
    }
}
