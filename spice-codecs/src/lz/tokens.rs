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
    while left > 0 {
        // Every token has at least two bytes.
        let (&[control, next], tail) = input.split_first_chunk().ok_or(ErrorKind::Truncated)?;
        let control = usize::from(control);
        if control < 32 {
            let count = control + 1;
            if count > left {
                return Err(too_long(count, left));
            }
            let from = &input[1..];
            let (units, tail) = from.split_at_checked(count * P::UNIT).ok_or(ErrorKind::Truncated)?;
            plane.check(units)?;
            spot = plane.literals(memory, spot, from, count);
            *input = tail;
            left -= count;
            continue;
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
        spot = plane.repeat(memory, spot, done, distance, len);
        *input = rest;
        left -= len;
    }
    Ok(())
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
