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
        // What fits a row is not more than what is left.
        while P::USUAL
            && let Some((used, count, next)) = usual_token(input, plane, memory, spot, bias)
            && let Some(tail) = input.get(used..)
        {
            *input = tail;
            spot = next;
            left -= count;
        }
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

/// Decodes the token at the front of `input` if the plane finds it usual. Returns its length, its units, and the place
/// behind them.
#[inline(always)]
fn usual_token<P: Plane>(
    input: &[u8],
    plane: &P,
    memory: &mut [u8],
    spot: P::Spot,
    bias: usize,
) -> Option<(usize, usize, P::Spot)> {
    let front = input.first_chunk::<16>()?;
    let control = usize::from(front[0]);
    if control < 32 {
        let count = control + 1;
        let spot = plane.usual_literals(memory, spot, &input[1..], count)?;
        return Some((1 + count * P::UNIT, count, spot));
    }
    let (mut len, mut used, mut near) = (control >> 5, 2, front[1]);
    if len == 7 {
        if near == 255 {
            return None;
        }
        len += usize::from(near);
        near = front[2];
        used = 3;
    }
    let mut distance = (control & 31) << 8 | usize::from(near);
    if distance == FAR {
        distance += usize::from(u16::from_be_bytes([front[used], front[used + 1]]));
        used += 2;
    }
    let spot = plane.usual_match(memory, spot, distance + 1, len + bias)?;
    Some((used, len + bias, spot))
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
