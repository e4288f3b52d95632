//! The token loop of LZ.

use super::plane::Plane;
use super::usual::SHORT;
use crate::error::ErrorKind;

/// Input with a position.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) at: usize,
}

/// Decodes one plane of `total` units into `memory`.
#[inline(never)]
pub(crate) fn plane<P: Plane>(
    input: &mut Input<'_>,
    plane: &P,
    memory: &mut [u8],
    total: usize,
) -> Result<(), ErrorKind> {
    let mut rest = input.data.get(input.at..).unwrap_or_default();
    let result = tokens(&mut rest, plane, memory, total);
    input.at = input.data.len() - rest.len();
    result
}

/// As [`plane`]; on an error `input` begins with the token that was wrong.
#[inline(always)]
fn tokens<P: Plane>(input: &mut &[u8], plane: &P, memory: &mut [u8], total: usize) -> Result<(), ErrorKind> {
    let mut spot = plane.start();
    let mut left = total;
    loop {
        spot = plane.usual_tokens(input, memory, spot, usual_distance);
        if P::USUAL {
            // What fits a row or the memory is not more than what was left.
            left = total - plane.passed(spot);
        }
        if left == 0 {
            return Ok(());
        }
        let place = (left, spot);
        (left, spot) = if P::USUAL {
            unusual_token(input, plane, memory, place, total)?
        } else {
            token(input, plane, memory, place, total)?
        };
    }
}

/// Reads the distance of a match, less one.
#[inline(always)]
fn usual_distance(front: &[u8; SHORT], more: usize) -> Option<(usize, usize)> {
    let low =
        if more == 0 { u16_be(front, 0) } else { u16::from(front[0]) << 8 | u16::from(front[1 + more]) };
    let distance = usize::from(low) & FAR;
    if distance == FAR {
        let far = u16_be(front, 2 + more);
        return Some((distance + usize::from(far), 4 + more));
    }
    Some((distance, 2 + more))
}

#[inline(always)]
fn u16_be(front: &[u8; SHORT], at: usize) -> u16 {
    front.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u16::from_be_bytes(*bytes))
}

/// Decodes the token at the front of `input`, whatever it is. Takes and returns how many units are left and where the
/// next one goes.
#[inline(always)]
fn token<P: Plane>(
    input: &mut &[u8],
    plane: &P,
    memory: &mut [u8],
    (left, spot): (usize, P::Spot),
    total: usize,
) -> Result<(usize, P::Spot), ErrorKind> {
    // Every token has at least two bytes.
    let (&[control, next], tail) = input.split_first_chunk().ok_or(ErrorKind::Truncated)?;
    let control = usize::from(control);
    if control < 32 {
        return literals(input, plane, memory, (left, spot), control + 1);
    }
    let mut rest = tail;
    let (len, next) = match control >> 5 {
        7 => extend(&mut rest, next, left)?,
        len => (len, next),
    };
    let mut distance = (control & 31) << 8 | usize::from(next);
    if distance == FAR {
        let (bytes, tail) = rest.split_first_chunk().ok_or(ErrorKind::Truncated)?;
        distance += usize::from(u16::from_be_bytes(*bytes));
        rest = tail;
    }
    let (len, distance, done) = (len + P::BIAS, distance + 1, total - left);
    if len > left {
        return Err(too_long(len, left));
    }
    if distance > done {
        return Err(before_start(distance, done));
    }
    let spot = plane.repeat(memory, spot, done, distance, len);
    *input = rest;
    Ok((left - len, spot))
}

/// Takes `count` literal units, which stand behind the first byte of `input`. Takes and returns how many units are left
/// and where the next one goes.
#[inline(always)]
pub(crate) fn literals<P: Plane>(
    input: &mut &[u8],
    plane: &P,
    memory: &mut [u8],
    (left, spot): (usize, P::Spot),
    count: usize,
) -> Result<(usize, P::Spot), ErrorKind> {
    if count > left {
        return Err(too_long(count, left));
    }
    let from = &input[1..];
    let (units, tail) = from.split_at_checked(count * P::UNIT).ok_or(ErrorKind::Truncated)?;
    plane.check(units)?;
    let spot = plane.literals(memory, spot, from, count);
    *input = tail;
    Ok((left - count, spot))
}

/// As [`token`], out of the way of usual ones.
#[inline(never)]
fn unusual_token<P: Plane>(
    input: &mut &[u8],
    plane: &P,
    memory: &mut [u8],
    place: (usize, P::Spot),
    total: usize,
) -> Result<(usize, P::Spot), ErrorKind> {
    token(input, plane, memory, place, total)
}

/// Reads the extension of a length of 7, whose first byte is `byte`: bytes up to one below 255, as long as the
/// sum stays within `left`. Returns the length and the byte behind.
#[inline(always)]
pub(crate) fn extend(rest: &mut &[u8], mut byte: u8, left: usize) -> Result<(usize, u8), ErrorKind> {
    let mut len = 7;
    loop {
        len += usize::from(byte);
        let (next, tail) = rest.split_first().ok_or(ErrorKind::Truncated)?;
        *rest = tail;
        if byte != 255 {
            return Ok((len, *next));
        }
        if len > left {
            return Err(too_long(len, left));
        }
        byte = *next;
    }
}

/// A distance that announces two more bytes.
const FAR: usize = 8191;

#[cold]
pub(crate) fn too_long(len: usize, left: usize) -> ErrorKind {
    ErrorKind::Length { len: len as u64, left: left as u64 }
}

#[cold]
pub(crate) fn before_start(distance: usize, done: usize) -> ErrorKind {
    ErrorKind::Reference { distance: distance as u64, done: done as u64 }
}
