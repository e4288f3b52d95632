//! Decoding of LZ4 blocks: sequences of literals and of a match with what is there.
//!
//! A sequence is a token with two lengths of four bits, the first one's extension, the literals, the distance of the
//! match in 16 bits and the second length's extension; extensions are bytes up to one below 255. The last sequence of
//! a block ends after its literals. Matches may reach into what earlier blocks yielded.

use crate::error::ErrorKind;
use crate::lz::copies::copy_array;

/// A fault, and its byte position in the block.
pub(super) type Fault = (usize, ErrorKind);

/// Decodes a block behind the first `done` bytes of `out`. Returns how many bytes are there then.
#[inline(never)]
pub(super) fn decode(block: &[u8], out: &mut [u8], done: usize) -> Result<usize, Fault> {
    let (mut rest, mut at) = (block, done);
    loop {
        while let Some((used, made)) = usual_sequence(rest, out, at)
            && let Some(tail) = rest.get(used..)
        {
            rest = tail;
            at += made;
        }
        let fault = |kind| (block.len() - rest.len(), kind);
        let (used, made) = sequence(rest, out, at).map_err(fault)?;
        at += made;
        if used == rest.len() {
            return Ok(at);
        }
        rest = rest.get(used..).unwrap_or_default();
    }
}

/// Decodes the sequence at the front of `input` if its lengths have no long extensions and there is room to copy more
/// than they say; the surplus will be overwritten. Returns its length and that of what it yielded.
#[inline(always)]
fn usual_sequence(input: &[u8], out: &mut [u8], at: usize) -> Option<(usize, usize)> {
    let front = input.first_chunk::<{ 1 + LITERALS + 3 }>()?;
    let (literals, len) = (usize::from(front[0] >> 4), usize::from(front[0] & 15) + MIN_MATCH);
    let to = out.get_mut(at..)?;
    if literals < LONG {
        *to.first_chunk_mut::<LITERALS>()? = *front[1..].first_chunk()?;
        let (used, len) = usual_match(&front[1 + literals..], len, out, at + literals)?;
        return Some((1 + literals + used, literals + len));
    }
    let (more, bytes) = input[1..].split_first()?;
    let literals = LONG + usize::from(*more);
    if *more == 255 || !copy_chunks(bytes, to, literals) {
        return None;
    }
    let (used, len) = usual_match(bytes.get(literals..)?, len, out, at + literals)?;
    Some((2 + literals + used, literals + len))
}

/// Decodes the part of a sequence behind the literals, as [`usual_sequence`] does.
#[inline(always)]
fn usual_match(input: &[u8], len: usize, out: &mut [u8], at: usize) -> Option<(usize, usize)> {
    let (&distance, more) = input.split_first_chunk()?;
    let from = at.checked_sub(usize::from(u16::from_le_bytes(distance)))?;
    if len < LONG + MIN_MATCH {
        return short_match(out, from, at).then_some((2, len));
    }
    let more = *more.first()?;
    let len = len + usize::from(more);
    let (before, to) = out.split_at_mut_checked(at)?;
    let unit = before.get(from..)?;
    if let Ok(unit) = <[u8; 4]>::try_from(unit) {
        // One pixel, again and again.
        fill(splat(unit), to.get_mut(..len + CHUNK)?, len);
    } else if !copy_chunks(unit, to, len) {
        if len > to.len() || from == at {
            return None;
        }
        repeat(out, from, at, len);
    }
    (more != 255).then_some((3, len))
}

/// Repeats what begins at `from` for at least 18 bytes, of which the surplus will be overwritten. False where that
/// is not easy.
#[inline(always)]
fn short_match(out: &mut [u8], from: usize, at: usize) -> bool {
    let Some((before, to)) = out.split_at_mut_checked(at) else { return false };
    let Some(unit) = before.get(from..) else { return false };
    if let Some(bytes) = unit.first_chunk::<SHORT_MATCH>() {
        let Some(to) = to.first_chunk_mut() else { return false };
        *to = *bytes;
    } else if let Ok(unit) = <[u8; 4]>::try_from(unit) {
        let Some(to) = to.first_chunk_mut::<20>() else { return false };
        *to = splat(unit);
    } else {
        let distance = at - from;
        if distance < 8 {
            return false;
        }
        let Some(window) = out.get_mut(from..at + 24) else { return false };
        for step in [0, 8, 16] {
            let Some(&bytes) = window.get(step..).and_then(|from| from.first_chunk::<8>()) else {
                return false;
            };
            let Some(to) = window.get_mut(distance + step..) else { return false };
            let Some(to) = to.first_chunk_mut() else { return false };
            *to = bytes;
        }
    }
    true
}

/// Decodes the sequence at the front of `input`, whatever it is. Returns its length and that of what it yielded. It is
/// the last one of its block if that is all of the input.
#[inline(never)]
fn sequence(input: &[u8], out: &mut [u8], start: usize) -> Result<(usize, usize), ErrorKind> {
    let (&token, mut rest) = input.split_first().ok_or(ErrorKind::Truncated)?;
    let left = out.len() - start;
    let mut literals = usize::from(token >> 4);
    if literals == LONG {
        literals += extension(&mut rest, left)?;
    }
    if literals > left {
        return Err(too_long(literals, left));
    }
    let (bytes, rest) = rest.split_at_checked(literals).ok_or(ErrorKind::Truncated)?;
    let at = start + literals;
    if let Some(to) = out.get_mut(start..at) {
        to.copy_from_slice(bytes);
    }
    if rest.is_empty() {
        return Ok((input.len(), literals));
    }
    let (&distance, mut rest) = rest.split_first_chunk().ok_or(ErrorKind::Truncated)?;
    let distance = usize::from(u16::from_le_bytes(distance));
    let mut len = usize::from(token & 15);
    let left = out.len() - at;
    if len == LONG {
        len += extension(&mut rest, left)?;
    }
    len += MIN_MATCH;
    if len > left {
        return Err(too_long(len, left));
    }
    let Some(from) = at.checked_sub(distance).filter(|_| distance > 0) else {
        return Err(ErrorKind::Reference { distance: distance as u64, done: at as u64 });
    };
    if rest.is_empty() {
        return Err(ErrorKind::Truncated);
    }
    let (before, to) = out.split_at_mut_checked(at).unwrap_or_default();
    if !copy_chunks(before.get(from..).unwrap_or_default(), to, len) {
        repeat(out, from, at, len);
    }
    Ok((input.len() - rest.len(), literals + len))
}

/// Reads the extension of a length, as long as the sum stays within `left`.
#[inline(always)]
fn extension(rest: &mut &[u8], left: usize) -> Result<usize, ErrorKind> {
    let mut sum = 0;
    loop {
        let (&byte, tail) = rest.split_first().ok_or(ErrorKind::Truncated)?;
        *rest = tail;
        sum += usize::from(byte);
        if byte != 255 {
            return Ok(sum);
        }
        if sum > left {
            return Err(too_long(sum, left));
        }
    }
}

/// Copies up to 128 bytes, of which the surplus will be overwritten. False if they are more or there is no room.
#[inline(always)]
fn copy_chunks(from: &[u8], to: &mut [u8], len: usize) -> bool {
    match len {
        0..=32 => copy_array::<32>(from, to),
        33..=64 => copy_array::<64>(from, to),
        65..=128 => copy_array::<128>(from, to),
        _ => false,
    }
}

/// Writes `len` bytes to `at`, which repeat those between `from` and `at`.
#[inline(never)]
fn repeat(out: &mut [u8], from: usize, at: usize, len: usize) {
    let Some((before, to)) = out.split_at_mut_checked(at) else { return };
    match *before.get(from..).unwrap_or_default() {
        [a] => fill([a; CHUNK], to, len),
        [a, b] => fill(splat([a, b]), to, len),
        [a, b, c, d] => fill(splat([a, b, c, d]), to, len),
        [a, b, c, d, e, f, g, h] => fill(splat([a, b, c, d, e, f, g, h]), to, len),
        _ => double(out, from, at, len),
    }
}

/// Repeats the bytes between `from` and `at`: every copy doubles what may be copied next.
#[inline(always)]
fn double(out: &mut [u8], from: usize, at: usize, len: usize) {
    let mut done = 0;
    while done < len {
        let part = (at + done - from).min(len - done);
        out.copy_within(from..from + part, at + done);
        done += part;
    }
}

/// `M` bytes of equal parts.
#[inline(always)]
fn splat<const N: usize, const M: usize>(part: [u8; N]) -> [u8; M] {
    let mut chunk = [0; M];
    chunk.as_chunks_mut::<N>().0.fill(part);
    chunk
}

/// Fills `len` bytes of `to` with repetitions of a chunk; where there is room, some more, which will be overwritten.
#[inline(always)]
fn fill(chunk: [u8; CHUNK], to: &mut [u8], len: usize) {
    if let Some(to) = to.get_mut(..whole_chunks(len)) {
        for to in to.as_chunks_mut().0 {
            *to = chunk;
        }
    } else if let Some(to) = to.get_mut(..len) {
        let (chunks, rest) = to.as_chunks_mut();
        chunks.fill(chunk);
        rest.copy_from_slice(&chunk[..rest.len()]);
    }
}

/// `len` rounded up.
#[inline(always)]
fn whole_chunks(len: usize) -> usize {
    (len + (CHUNK - 1)) & !(CHUNK - 1)
}

#[cold]
fn too_long(len: usize, left: usize) -> ErrorKind {
    ErrorKind::Length { len: len as u64, left: left as u64 }
}

/// A length that is extended.
const LONG: usize = 15;
/// What matches are longer than they say.
const MIN_MATCH: usize = 4;
/// Bytes that are copied for fewer than 15 literals.
const LITERALS: usize = 16;
/// Longest match whose length is not extended.
const SHORT_MATCH: usize = 18;
/// Bytes that are copied at once elsewhere.
const CHUNK: usize = 16;
