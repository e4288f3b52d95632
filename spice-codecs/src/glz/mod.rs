//! GLZ: LZ whose matches may also refer to earlier images of the connection.
//!
//! Every GLZ image has to be decoded, in whatever order the display channels of a client deliver them, even if
//! nothing of it will be seen: later images refer to it. The decoded images live in a [`Window`].

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use crate::convert::{BgrToBgrx, SwappedRgb555};
use crate::error::{Codec, CodecError, ErrorKind};
use crate::fingerprint::fingerprint;
use crate::lz::contiguous::{Contiguous, ContiguousAlpha};
use crate::lz::plane::{Fixed, fill_alpha};
use crate::lz::tokens::Input;
use crate::lz::{self, ImageType};
use crate::pixels::{Header, PixelsMut, RowOrder};

use self::references::{Recent, References};
use self::uniform::{CLEAR, uniform_units};
use self::window::limit;

pub use self::encode::Encoder;
pub use self::picture::Picture;
pub use self::window::{Access, Window, WindowLimits};

mod encode;
mod picture;
mod references;
mod spare;
mod tokens;
mod uniform;
mod window;

/// Reads the header of a GLZ stream (33 bytes).
///
/// The native format is `Rgb555` for RGB16, `Bgrx` for RGB24 and RGB32, `Bgra` for RGBA. Other types do not
/// occur.
///
/// # Errors
///
/// A short, foreign or unknown header, empty or absurd dimensions, a stride that does not belong to them, a
/// window distance beyond image 0.
pub fn header(data: &[u8]) -> Result<Header, CodecError> {
    parse(data).map(|start| start.header)
}

/// Reads the number of an image in its dictionary.
///
/// # Errors
///
/// As [`header`].
pub fn id(data: &[u8]) -> Result<u64, CodecError> {
    parse(data).map(|start| start.id)
}

struct Start {
    image_type: ImageType,
    header: Header,
    id: u64,
    oldest: u64,
}

fn parse(data: &[u8]) -> Result<Start, CodecError> {
    let fail = |at, kind| Err(CodecError::new(Codec::Glz, at, kind));
    let Some(bytes) = data.first_chunk::<HEADER_LEN>() else {
        return fail(data.len(), ErrorKind::Truncated);
    };
    let (front, back) = bytes.split_at(9);
    let word = |bytes: &[u8], i: usize| bytes.as_chunks::<4>().0.get(i).map_or(0, |b| u32::from_be_bytes(*b));
    if word(front, 0) != lz::MAGIC {
        return fail(0, ErrorKind::Magic(word(front, 0)));
    }
    if word(front, 1) != lz::VERSION {
        return fail(4, ErrorKind::Version(word(front, 1)));
    }
    let number = bytes[8] & 15;
    let image_type = match ImageType::from_wire(number.into()) {
        Some(t @ (ImageType::Rgb16 | ImageType::Rgb24 | ImageType::Rgb32 | ImageType::Rgba)) => t,
        _ => return fail(8, ErrorKind::ImageType(number.into())),
    };
    let (width, height) = (word(back, 0), word(back, 1));
    if let Err(kind) = lz::check_size(image_type, width, height, word(back, 2)) {
        return fail(9, kind);
    }
    let id = u64::from(word(back, 3)) << 32 | u64::from(word(back, 4));
    let distance = u64::from(word(back, 5));
    let Some(oldest) = id.checked_sub(distance) else {
        return fail(29, ErrorKind::ImageDistance { distance, id });
    };
    let rows = RowOrder::from_top_down(bytes[8] & 16 != 0);
    let header = Header { width, height, format: image_type.format(), rows, indexed: false };
    Ok(Start { image_type, header, id, oldest })
}

/// Bytes of a GLZ header.
pub(crate) const HEADER_LEN: usize = 33;

/// How far decoding came.
#[derive(Clone, Debug)]
#[must_use]
pub enum Progress {
    /// The picture is complete and in the window.
    Done(Arc<Picture>),
    /// The image of this id is needed first and has not arrived. Another display channel has to deliver it;
    /// if there is none, it never comes.
    Waiting(u64),
}

/// Decoder of the images of one display channel.
#[derive(Debug, Default)]
pub struct Decoder {
    recent: Recent,
    job: Option<Job>,
}

/// An image that is partly decoded.
#[derive(Debug)]
struct Job {
    /// INVARIANT: the only reference.
    picture: Arc<Picture>,
    /// Of the stream, to recognise it again; known once it has to wait.
    fingerprint: u64,
    /// Where to go on.
    at: usize,
    /// Units of the plane that are there.
    done: usize,
    /// Whether the colour plane is complete.
    colour_done: bool,
    /// Whether the alpha of all pixels whose colour is there is [`CLEAR`].
    is_clear: bool,
}

impl Decoder {
    /// A decoder that has not reserved anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes a whole stream and puts the picture into the window.
    ///
    /// After [`Progress::Waiting`], call again with the same stream when the image named has arrived: decoding
    /// goes on where it stopped. The window is taken only for short moments.
    ///
    /// # Errors
    ///
    /// Damaged data, references to what cannot come, an image larger than the window, a full window. The
    /// image's id is then lost, and later images cannot be relied on: the connection is over.
    pub fn decode(&mut self, data: &[u8], window: &mut impl Access) -> Result<Progress, CodecError> {
        let start = parse(data)?;
        let resumed =
            self.job.take().filter(|job| job.picture.id == start.id && job.fingerprint == fingerprint(data));
        let mut job = match resumed {
            Some(job) => job,
            None => Job::new(&start, window)?,
        };
        let mut input = Input { data, at: job.at };
        let (id, image_type) = (start.id, start.image_type);
        let mut references = References { window, recent: &mut self.recent, id, image_type, are_clear: true };
        let waiting = job.run(&mut input, &mut references);
        self.recent.clear();
        job.at = input.at;
        match waiting {
            Ok(Some(id)) => {
                job.fingerprint = fingerprint(data);
                self.job = Some(job);
                Ok(Progress::Waiting(id))
            }
            Ok(None) if input.at != data.len() => {
                Err(CodecError::new(Codec::Glz, input.at, ErrorKind::Excess))
            }
            Ok(None) => {
                let picture = job.picture;
                window.with(|window| window.insert(picture.clone()))?;
                Ok(Progress::Done(picture))
            }
            Err(kind) => Err(CodecError::new(Codec::Glz, input.at, kind)),
        }
    }

    /// Forgets an image that waits, as after a disconnect.
    pub fn reset(&mut self) {
        self.job = None;
    }

    /// As [`decode`](Self::decode), and copies the finished picture into `dst`. The destination is left alone
    /// while the picture waits.
    ///
    /// # Errors
    ///
    /// Those of [`decode`](Self::decode) and [`Picture::copy_to`]. A wrong size is found before the picture is
    /// decoded.
    pub fn decode_into(
        &mut self,
        data: &[u8],
        window: &mut impl Access,
        dst: PixelsMut<'_>,
    ) -> Result<Progress, CodecError> {
        header(data)?.expect(Codec::Glz, dst.width(), dst.height())?;
        let progress = self.decode(data, window)?;
        if let Progress::Done(picture) = &progress {
            picture.copy_to(dst)?;
        }
        Ok(progress)
    }
}

impl Job {
    fn new(start: &Start, window: &mut impl Access) -> Result<Self, CodecError> {
        let &Start { image_type, header, id, oldest } = start;
        let bytes = header.format.row_bytes(header.width) * u64::from(header.height);
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let spare = window.with(|window| {
            limit("image_pixels", start.header.pixels(), window.limits().image_pixels)?;
            match window.get(start.id) {
                Ok(None) => {
                    window.make_way(id, oldest);
                    Ok(window.take_spare(bytes))
                }
                Err(lost) if !matches!(lost.kind, ErrorKind::MissingImage(_)) => Err(lost),
                _ => Err(CodecError::new(Codec::Glz, 21, ErrorKind::DuplicateImage(start.id))),
            }
        })?;
        let mut picture = spare.unwrap_or_else(|| {
            Arc::new(Picture { id, oldest, image_type, header, pixels: Vec::new(), alpha: None })
        });
        if let Some(picture) = Arc::get_mut(&mut picture) {
            // What a recycled picture holds is overwritten, unit by unit, before anybody can look at it.
            let mut pixels = core::mem::take(&mut picture.pixels);
            if pixels.capacity() < bytes {
                // Zeroed by whoever hands out memory, which is often for nothing.
                pixels = vec![0; spare::room(bytes)];
            }
            pixels.resize(bytes, 0);
            *picture = Picture { id, oldest, image_type, header, pixels, alpha: None };
        }
        Ok(Self { picture, fingerprint: 0, at: HEADER_LEN, done: 0, colour_done: false, is_clear: true })
    }

    /// Decodes until the end or until an image is missing.
    fn run(
        &mut self,
        input: &mut Input<'_>,
        references: &mut References<'_, impl Access>,
    ) -> Result<Option<u64>, ErrorKind> {
        let Some(picture) = Arc::get_mut(&mut self.picture) else { return Ok(None) };
        let Picture { image_type, header, pixels, alpha, .. } = picture;
        let total = header.width as usize * header.height as usize;
        let done = &mut self.done;
        if !self.colour_done {
            let waiting = if *image_type == ImageType::Rgb16 {
                let plane = Contiguous::<_, 2>::new(Fixed::<SwappedRgb555>::new(), *done);
                tokens::plane(input, &plane, pixels, done, total, references)?
            } else {
                let plane = Contiguous::<_, 4>::new(Fixed::<BgrToBgrx<CLEAR>>::new(), *done);
                tokens::plane(input, &plane, pixels, done, total, references)?
            };
            self.is_clear &= references.are_clear;
            if waiting.is_some() {
                return Ok(waiting);
            }
            self.colour_done = true;
            *done = 0;
        }
        if *image_type != ImageType::Rgba {
            return Ok(None);
        }
        if *done == 0 {
            let (units, value) = uniform_units(input, total, references);
            if value != CLEAR || !self.is_clear {
                fill_alpha(pixels, units, value);
            }
            *alpha = Some(value).filter(|_| units == total);
            *done = units;
        }
        let plane = ContiguousAlpha::new(*done);
        tokens::plane(input, &plane, pixels, done, total, references)
    }
}
