//! The token loop of LZ.

use super::plane::Plane;
use crate::error::ErrorKind;

/// Input with a position.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) at: usize,
}

/// Decodes one plane of `total` units into `memory`. Matches are `bias` units longer than they say.
#[inline(never)]
pub(crate) fn plane<P: Plane>(
    input: &mut Input<'_>,
    plane: &P,
    memory: &mut [u8],
    total: usize,
    bias: usize,
) -> Result<(), ErrorKind> {
    let mut rest = input.data.get(input.at..).unwrap_or_default();
    let result = tokens(&mut rest, plane, memory, total, bias);
    input.at = input.data.len() - rest.len();
    result
}

/// As [`plane`]; on an error `input` begins with the token that was wrong.
#[inline(always)]
fn tokens<P: Plane>(
    input: &mut &[u8],
    plane: &P,
    memory: &mut [u8],
    total: usize,
    bias: usize,
) -> Result<(), ErrorKind> {
    let mut spot = plane.start();
    let mut left = total;
    loop {
        (left, spot) = usual_tokens(input, plane, memory, (left, spot), total, bias, usual_distance);
        if left == 0 {
            return Ok(());
        }
        let place = (left, spot);
        (left, spot) = if P::USUAL {
            unusual_token(input, plane, memory, place, total, bias)?
        } else {
            token(input, plane, memory, place, total, bias)?
        };
    }
}

/// Decodes the tokens at the front of `input` as long as the plane finds them usual. `distance` reads how far back a
/// match refers, if that is usual too: it gets the input, the token's first byte and where in the input to read, and
/// returns the distance and where it ends. Takes and returns how many units are left and where the next one goes.
#[inline(always)]
pub(crate) fn usual_tokens<P: Plane>(
    input: &mut &[u8],
    plane: &P,
    memory: &mut [u8],
    (left, mut spot): (usize, P::Spot),
    total: usize,
    bias: usize,
    distance: impl Fn(&[u8; FRONT], usize, usize) -> Option<(usize, usize)>,
) -> (usize, P::Spot) {
    if !P::USUAL {
        return (left, spot);
    }
    while let Some((used, next)) = usual_token(input, plane, memory, spot, bias, &distance)
        && let Some(tail) = input.get(used..)
    {
        *input = tail;
        spot = next;
    }
    // What fits a row or the memory is not more than what was left.
    (total - plane.passed(spot), spot)
}

/// Decodes the token at the front of `input` if the plane finds it usual. Returns its length and the place behind its
/// units.
#[inline(always)]
fn usual_token<P: Plane>(
    input: &[u8],
    plane: &P,
    memory: &mut [u8],
    spot: P::Spot,
    bias: usize,
    distance: impl Fn(&[u8; FRONT], usize, usize) -> Option<(usize, usize)>,
) -> Option<(usize, P::Spot)> {
    let front = input.first_chunk::<FRONT>()?;
    let control = usize::from(front[0]);
    if control < 32 {
        let count = control + 1;
        let spot = plane.usual_literals(memory, spot, &front[1..], count)?;
        return Some((1 + count * P::UNIT, spot));
    }
    let (mut len, mut used) = (control >> 5, 1);
    if len == 7 {
        if front[1] == 255 {
            return None;
        }
        len += usize::from(front[1]);
        used = 2;
    }
    let (distance, used) = distance(front, control, used)?;
    let spot = plane.usual_match(memory, spot, distance, len + bias)?;
    Some((used, spot))
}

/// Reads the distance of a match.
#[inline(always)]
fn usual_distance(front: &[u8; FRONT], control: usize, at: usize) -> Option<(usize, usize)> {
    let distance = (control & 31) << 8 | usize::from(front[at]);
    if distance == FAR {
        let more = u16::from_be_bytes([front[at + 1], front[at + 2]]);
        return Some((distance + usize::from(more) + 1, at + 3));
    }
    Some((distance + 1, at + 1))
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
    bias: usize,
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
    let (len, distance, done) = (len + bias, distance + 1, total - left);
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
    bias: usize,
) -> Result<(usize, P::Spot), ErrorKind> {
    token(input, plane, memory, place, total, bias)
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

/// Bytes of input that are there for usual tokens: more than the longest of them.
pub(crate) const FRONT: usize = 128;
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
