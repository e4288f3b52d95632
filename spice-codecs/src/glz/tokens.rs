//! The token loop of GLZ.

use alloc::sync::Arc;

use super::picture::Picture;
use super::references::References;
use super::window::Access;
use crate::error::ErrorKind;
use crate::lz::plane::WindowPlane;
use crate::lz::tokens::{FRONT, Input, before_start, extend, literals, too_long, usual_tokens};

/// Decodes the rest of a plane of `total` units, of which `done` are there. Returns an image id if that image is
/// needed and has not arrived; `input` and `done` then say where to go on.
#[inline(never)]
pub(super) fn plane<P: WindowPlane>(
    input: &mut Input<'_>,
    plane: &P,
    memory: &mut [u8],
    done: &mut usize,
    total: usize,
    bias: usize,
    references: &mut References<'_, impl Access>,
) -> Result<Option<u64>, ErrorKind> {
    let mut rest = input.data.get(input.at..).unwrap_or_default();
    let result = tokens(&mut rest, plane, memory, done, total, bias, references);
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
    bias: usize,
    references: &mut References<'_, impl Access>,
) -> Result<Option<u64>, ErrorKind> {
    let mut spot = plane.start();
    let mut left = total - *done;
    loop {
        (left, spot) = usual_tokens(input, plane, memory, (left, spot), total, bias, usual_distance);
        if left == 0 {
            break;
        }
        // Every token has at least two bytes.
        let (&[control, next], tail) = input.split_first_chunk().ok_or(ErrorKind::Truncated)?;
        let control = usize::from(control);
        if control < 32 {
            (left, spot) = literals(input, plane, memory, (left, spot), control + 1)?;
            continue;
        }
        let mut rest = tail;
        let (len, next) = match control >> 5 {
            7 => extend(&mut rest, next, left)?,
            len => (len, next),
        };
        let len = len + bias;
        if len > left {
            return Err(too_long(len, left));
        }
        let (offset, distance) = reference(control, next, &mut rest)?;
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
        left -= len;
    }
    *done = total;
    Ok(None)
}

/// Reads the distance of a match in the same image.
#[inline(always)]
fn usual_distance(front: &[u8; FRONT], control: usize, at: usize) -> Option<(usize, usize)> {
    let near = control & 15 | usize::from(front[at]) << 4;
    let selector = usize::from(front[at + 1]);
    if control & 16 == 0 {
        return (selector == 0).then_some((near + 1, at + 2));
    }
    let offset = near | (selector & 31) << 12;
    match selector >> 5 {
        0 => Some((offset + 1, at + 2)),
        1 => Some(((offset | usize::from(front[at + 2]) << 17) + 1, at + 3)),
        _ => None,
    }
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
