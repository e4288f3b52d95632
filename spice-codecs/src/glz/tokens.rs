//! The token loop of GLZ.

use alloc::sync::Arc;

use super::picture::Picture;
use super::references::{Recent, References};
use super::window::Access;
use crate::error::ErrorKind;
use crate::lz::plane::WindowPlane;
use crate::lz::tokens::{Input, before_start, extend, literals, too_long};
use crate::lz::usual::{Distance, SHORT};

/// Decodes the rest of a plane of `total` units, of which `done` are there. Returns an image id if that image is
/// needed and has not arrived; `input` and `done` then say where to go on.
#[inline(never)]
pub(super) fn plane<P: WindowPlane>(
    input: &mut Input<'_>,
    plane: &P,
    memory: &mut [u8],
    done: &mut usize,
    total: usize,
    references: &mut References<'_, impl Access>,
) -> Result<Option<u64>, ErrorKind> {
    let mut rest = input.data.get(input.at..).unwrap_or_default();
    let result = tokens(&mut rest, plane, memory, done, total, references);
    input.at = input.data.len() - rest.len();
    result
}

/// As [`plane`]; `input` then begins with the token that was wrong or has to wait.
#[inline(always)]
fn tokens<P: WindowPlane>(
    input: &mut &[u8],
    plane: &P,
    memory: &mut [u8],
    done: &mut usize,
    total: usize,
    references: &mut References<'_, impl Access>,
) -> Result<Option<u64>, ErrorKind> {
    let mut spot = plane.start();
    loop {
        spot =
            plane.usual_tokens(input, memory, spot, Usual { recent: references.recent, stored: P::STORED });
        // What fits the memory is not more than what was left.
        let left = total - plane.passed(spot);
        if left == 0 {
            break;
        }
        // Every token has at least two bytes.
        let (&[control, next], tail) = input.split_first_chunk().ok_or(ErrorKind::Truncated)?;
        let control = usize::from(control);
        if control < 32 {
            (_, spot) = literals(input, plane, memory, (left, spot), control + 1)?;
            continue;
        }
        let mut rest = tail;
        let (len, offset, distance) = read_match(control, next, &mut rest, left, P::BIAS)?;
        let done_now = total - left;
        if distance == 0 {
            if offset >= done_now {
                return Err(before_start(offset + 1, done_now));
            }
            spot = plane.repeat(memory, spot, done_now, offset + 1, len);
        } else {
            let picture: &Arc<Picture> = match references.picture(distance)? {
                Ok(picture) => picture,
                Err(id) => {
                    // The next attempt begins with this token.
                    *done = done_now;
                    return Ok(Some(id));
                }
            };
            let units = picture.pixels.len() / P::STORED;
            if offset > units || len > units - offset {
                return Err(outside(offset, len, units));
            }
            let from = picture.pixels.get(offset * P::STORED..).unwrap_or_default();
            spot = plane.copy(memory, spot, from, len);
        }
        *input = rest;
    }
    *done = total;
    Ok(None)
}

/// What matches refer to: the same image, or one that was looked up before.
#[derive(Clone, Copy)]
struct Usual<'a> {
    recent: &'a Recent,
    /// Bytes of a unit in the memory of a picture.
    stored: usize,
}

impl Distance for Usual<'_> {
    #[inline(always)]
    fn read(self, front: &[u8; SHORT], more: usize) -> Option<(usize, usize)> {
        let control = usize::from(front[0]);
        let near = control & 15 | usize::from(front[1 + more]) << 4;
        let selector = usize::from(front[2 + more]);
        if control & 16 == 0 {
            return (selector == 0).then_some((near, 3 + more));
        }
        let offset = near | (selector & 31) << 12;
        match selector >> 5 {
            0 => Some((offset, 3 + more)),
            1 => Some((offset | usize::from(front[3 + more]) << 17, 4 + more)),
            _ => None,
        }
    }

    #[inline(always)]
    fn elsewhere(&self, front: &[u8; SHORT], more: usize) -> Option<(&[u8], usize)> {
        let behind = front.get(2 + more..)?;
        let mut rest = behind;
        let (offset, distance) = reference(front[0].into(), *front.get(1 + more)?, &mut rest).ok()?;
        // Distance 0 is in no slot.
        let pixels = &self.recent.known(distance)?.pixels;
        Some((pixels.get(offset * self.stored..)?, 2 + more + behind.len() - rest.len()))
    }
}

/// Reads the length of a match, at most `left`, its offset and its image distance. The match begins with `control` and
/// `next`; it is `bias` longer than it says.
#[inline(always)]
pub(super) fn read_match(
    control: usize,
    next: u8,
    rest: &mut &[u8],
    left: usize,
    bias: usize,
) -> Result<(usize, usize, u64), ErrorKind> {
    let (len, next) = match control >> 5 {
        7 => extend(rest, next, left)?,
        len => (len, next),
    };
    let len = len + bias;
    if len > left {
        return Err(too_long(len, left));
    }
    let (offset, distance) = reference(control, next, rest)?;
    Ok((len, offset, distance))
}

/// Reads the offset and the image distance of a match, whose byte after the length is `next`.
#[inline(always)]
fn reference(control: usize, next: u8, rest: &mut &[u8]) -> Result<(usize, u64), ErrorKind> {
    let mut byte = || {
        let (byte, tail) = rest.split_first().ok_or(ErrorKind::Truncated)?;
        *rest = tail;
        Ok(*byte)
    };
    let near = control & 15 | usize::from(next) << 4;
    let selector = byte()?;
    let extra = u32::from(selector >> 6);
    if control & 16 == 0 {
        let mut distance = u64::from(selector & 63);
        for k in 0..extra {
            distance |= u64::from(byte()?) << (6 + 8 * k);
        }
        return Ok((near, distance));
    }
    let mut offset = near | usize::from(selector & 31) << 12;
    let mut distance = 0;
    for k in 0..extra {
        distance |= u64::from(byte()?) << (8 * k);
    }
    if selector & 32 != 0 {
        offset |= usize::from(byte()?) << 17;
    }
    Ok((offset, distance))
}

#[cold]
fn outside(offset: usize, len: usize, units: usize) -> ErrorKind {
    ErrorKind::ImageRange { offset: offset as u64, len: len as u64, units: units as u64 }
}
