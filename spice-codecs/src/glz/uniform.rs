//! Alpha planes of a single value, as nearly all of a desktop's are. Where the colours came with that alpha, there is
//! nothing to write.

use super::references::References;
use super::tokens::read_match;
use super::window::Access;
use crate::lz::plane::bias;
use crate::lz::tokens::Input;

/// The alpha of pixels of which only the colour plane is there, unless they are copies of others.
pub(super) const CLEAR: u8 = 0;

/// Passes tokens at the front of an alpha plane as long as all that they stand for is a single value. Returns how many
/// units that is, and the value.
///
/// A token that is wrong, or that refers to an image which has not arrived, is left to the token loop.
pub(super) fn uniform_units(
    input: &mut Input<'_>,
    total: usize,
    references: &mut References<'_, impl Access>,
) -> (usize, u8) {
    let (mut done, mut value) = (0, None);
    let mut rest = input.data.get(input.at..).unwrap_or_default();
    while let Some((len, behind)) = uniform_token(rest, done, total - done, &mut value, references) {
        done += len;
        rest = behind;
    }
    input.at = input.data.len() - rest.len();
    (done, value.unwrap_or(CLEAR))
}

/// The units that the token at the front of `input` stands for, at most `left`, and what is behind it. All of them are
/// `value`, which the first one sets.
fn uniform_token<'a>(
    input: &'a [u8],
    done: usize,
    left: usize,
    value: &mut Option<u8>,
    references: &mut References<'_, impl Access>,
) -> Option<(usize, &'a [u8])> {
    let (&control, behind) = input.split_first()?;
    let (len, unit, behind) = if control < 32 {
        let (units, behind) = behind.split_at_checked(usize::from(control) + 1)?;
        let unit = *units.first()?;
        let fits = units.len() <= left && units.iter().all(|other| *other == unit);
        fits.then_some((units.len(), unit, behind))?
    } else {
        let (&next, mut behind) = behind.split_first()?;
        let (len, offset, distance) = read_match(control.into(), next, &mut behind, left, bias(1)).ok()?;
        let unit = if distance == 0 {
            value.filter(|_| offset < done)?
        } else {
            let picture = references.picture(distance).ok()?.ok()?;
            let last = picture.pixels.as_chunks::<4>().0.len().checked_sub(len)?;
            picture.alpha.filter(|_| offset <= last)?
        };
        (len, unit, behind)
    };
    (*value.get_or_insert(unit) == unit).then_some((len, behind))
}
