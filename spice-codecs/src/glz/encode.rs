//! GLZ streams from bitmaps, for servers.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

use crate::bitmap::{Bitmap, Format};
use crate::error::{Codec, CodecError, ErrorKind};
use crate::lz::encode::{hash, put_len, put_literals, run_len};
use crate::lz::units::{Alpha, Rgb16, Rgb24, Rgb32, Units};
use crate::lz::{self, ImageType};
use crate::pixels::RowOrder;

/// Encoder with the dictionary of one client, whose display channels all share it.
///
/// Ids count images in the order of encoding. Every stream must reach the client, and those of one channel in the
/// order of their ids.
#[derive(Debug)]
pub struct Encoder {
    /// Bound of the window in pixels.
    window: u64,
    /// Oldest first; ids without gaps, the last one is the newest image.
    images: VecDeque<Image>,
    next: u64,
    /// INVARIANT: sum over `images`, of their pixels and of [`OVERHEAD`].
    charged: u64,
    /// Where units were seen: upper half the low bits of an image id, lower half a unit.
    table: Box<[u64]>,
    /// Memory of an image that left the window.
    spare: Vec<u8>,
}

/// An image of the window.
#[derive(Debug)]
struct Image {
    image_type: ImageType,
    pixels: u64,
    /// Rows without padding, in coded order, in the format of the bitmap.
    plane: Vec<u8>,
}

impl Encoder {
    /// An encoder for a client that announced a window of `window` pixels; more than 2^25 are not used, since
    /// the format cannot refer to them.
    pub fn new(window: u64) -> Self {
        Self {
            window: window.min(MAX_WINDOW),
            images: VecDeque::new(),
            next: 0,
            charged: 0,
            table: vec![NOWHERE; 1 << HASH_BITS].into_boxed_slice(),
            spare: Vec::new(),
        }
    }

    /// Appends the GLZ stream of a bitmap to `out`, keeps the bitmap in the window, and returns its id.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ImageType`] for formats other than 16, 24 and 32 bits, with or without alpha, and
    /// [`ErrorKind::Limit`] for bitmaps as large as the window. Nothing is written then, and no id is spent: such
    /// bitmaps are sent as plain LZ.
    pub fn encode(&mut self, bitmap: &Bitmap<'_>, out: &mut Vec<u8>) -> Result<u64, CodecError> {
        let layout = bitmap.layout();
        let fail = |kind| Err(CodecError::new(Codec::Glz, 0, kind));
        let image_type = match layout.format {
            Format::Bit16 => ImageType::Rgb16,
            Format::Bit24 => ImageType::Rgb24,
            Format::Bit32 => ImageType::Rgb32,
            Format::Rgba => ImageType::Rgba,
            other => return fail(ErrorKind::ImageType(other as u32)),
        };
        let (width, height) = (layout.width, layout.height);
        let pixels = u64::from(width) * u64::from(height);
        if pixels >= self.window {
            return fail(ErrorKind::Limit { limit: "window", value: pixels, bound: self.window });
        }
        while self.charged + pixels + OVERHEAD > self.window {
            let Some(image) = self.images.pop_front() else { break };
            self.charged -= image.pixels + OVERHEAD;
            self.spare = image.plane;
        }
        let mut plane = core::mem::take(&mut self.spare);
        plane.clear();
        bitmap.rows().for_each(|row| plane.extend_from_slice(row));
        let id = self.next;
        self.next += 1;
        self.charged += pixels + OVERHEAD;
        self.images.push_back(Image { image_type, pixels, plane });

        let stride = image_type.stride(width) as u32;
        for word in [lz::MAGIC, lz::VERSION] {
            out.extend_from_slice(&word.to_be_bytes());
        }
        out.push(image_type as u8 | u8::from(layout.rows == RowOrder::TopDown) << 4);
        let oldest = self.images.len() as u32 - 1;
        for word in [width, height, stride, (id >> 32) as u32, id as u32, oldest] {
            out.extend_from_slice(&word.to_be_bytes());
        }
        match image_type {
            ImageType::Rgb16 => self.plane::<Rgb16>(id, out),
            ImageType::Rgb24 => self.plane::<Rgb24>(id, out),
            ImageType::Rgb32 => self.plane::<Rgb32>(id, out),
            _ => {
                self.plane::<Rgb32>(id, out);
                self.plane::<Alpha>(id, out);
            }
        }
        Ok(id)
    }

    /// Starts over, as after a disconnect: ids begin at 0, nothing is referred to.
    pub fn reset(&mut self) {
        *self = Self::new(self.window);
    }

    /// Images in the window.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether the window holds no image.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Encodes a plane of the newest image.
    fn plane<U: Units>(&mut self, id: u64, out: &mut Vec<u8>) {
        let (images, table) = (&self.images, &mut self.table);
        let Some(newest) = images.back() else { return };
        let older = |distance: usize| {
            let image = images.len().checked_sub(distance + 1).and_then(|at| images.get(at));
            image.filter(|image| distance < MAX_DISTANCE && image.image_type == newest.image_type)
        };
        let units = U::units(&newest.plane);
        let mut literals = 0;
        let mut at = 1;
        while let Some(&[before, a, b, c]) = units.get(at - 1..).and_then(|rest| rest.first_chunk()) {
            let (value, second, third) = (U::value(a), U::value(b), U::value(c));
            let found = if value == U::value(before) && value == second && value == third {
                Some(Match { image: 0, offset: 0, len: run_len::<U>(&units[at - 1..]) })
            } else {
                let slot = &mut table[(hash(value, second, third) >> (32 - HASH_BITS)) as usize];
                let place = core::mem::replace(slot, id << 32 | at as u64);
                let image = (id as u32).wrapping_sub((place >> 32) as u32);
                let index = (place & u64::from(u32::MAX)) as usize;
                let from = if image == 0 {
                    units.get(index..).filter(|_| index < at)
                } else {
                    older(image as usize).and_then(|older| U::units(&older.plane).get(index..))
                };
                from.and_then(|from| {
                    let most = from.len().min(units.len() - at);
                    let len = U::common(&from[..most], &units[at..][..most]);
                    let offset = if image == 0 { at - index - 1 } else { index };
                    Match { image, offset, len }.if_worth::<U>()
                })
            };
            let Some(found) = found else {
                at += 1;
                continue;
            };
            put_literals::<U>(&units[literals..at], out);
            found.put(U::BIAS, out);
            at += found.len;
            literals = at;
        }
        put_literals::<U>(&units[literals..], out);
    }
}

/// A place that equals what comes next.
struct Match {
    /// Images back; 0 is the image itself.
    image: u32,
    /// Units from the start of that image; in the image itself, units back minus 1.
    offset: usize,
    /// Units.
    len: usize,
}

impl Match {
    /// Bytes of the token without an extension of the length.
    fn cost(&self) -> usize {
        let (near, image) = (self.offset < NEAR, self.image);
        let extra = match image {
            0 => 0,
            _ if near => (u32::BITS - (image >> 6).leading_zeros()).div_ceil(8) as usize,
            _ => (u32::BITS - image.leading_zeros()).div_ceil(8) as usize,
        };
        3 + extra + usize::from(self.offset >= LONG)
    }

    /// The match, if its token is shorter than literals.
    #[inline]
    fn if_worth<U: Units>(self) -> Option<Self> {
        (self.len >= U::MIN_NEAR.max(self.cost() / U::BYTES + 1)).then_some(self)
    }

    /// Appends the token.
    fn put(&self, bias: usize, out: &mut Vec<u8>) {
        let Self { image, offset, len } = *self;
        let near = offset < NEAR;
        put_len(len - bias, u8::from(!near) << 4 | offset as u8 & 15, out);
        out.push((offset >> 4) as u8);
        let extra = (self.cost() - 3 - usize::from(offset >= LONG)) as u32;
        let rest = if near {
            out.push((extra << 6) as u8 | image as u8 & 63);
            image >> 6
        } else {
            let long = u8::from(offset >= LONG) << 5;
            out.push((extra << 6) as u8 | long | (offset >> 12) as u8 & 31);
            image
        };
        out.extend_from_slice(rest.to_le_bytes().get(..extra as usize).unwrap_or_default());
        if offset >= LONG {
            out.push((offset >> 17) as u8);
        }
    }
}

/// Binary logarithm of the entries of the hash table: 2 MiB, which a second-level cache holds.
const HASH_BITS: u32 = 18;
/// Pixels that each image counts for besides its own: what an encoder and a client keep beside the pixels of an image is
/// 256 bytes at most, so that small images fill neither's memory.
const OVERHEAD: u64 = 64;
/// An entry without a place.
const NOWHERE: u64 = u64::MAX;
/// The largest window of the format, in pixels: offsets have 25 bits.
const MAX_WINDOW: u64 = 1 << 25;
/// Image distances have 24 bits in the long forms.
const MAX_DISTANCE: usize = 1 << 24;
/// Offsets below fit the short form.
const NEAR: usize = 1 << 12;
/// Offsets from here on need the long byte.
const LONG: usize = 1 << 17;
