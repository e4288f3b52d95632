//! What is left out of the comparison, and why: commands on which the server's own renderer fails or has no defined
//! result, and bits without a meaning.

use std::collections::{BTreeMap, BTreeSet};

use spice_proto::types::Rect;

use crate::scene::{Brush, Command, Format, Image, Layer, Op, Scene, Segment, Source, SurfaceSpec};

/// Knows which surfaces hold bits on which server and client need not agree: the top byte of xRGB, bit 15 of 555,
/// and what came of them on other surfaces.
#[derive(Debug)]
pub(crate) struct Ground {
    /// Whether compression drops bits without a meaning.
    loses_padding: bool,
    undefined: BTreeMap<u32, bool>,
    /// Surfaces and cached bitmaps that were the pattern of a text, or a picture of a composition with a transformation, a filter or a
    /// repetition: the server leaves these on its picture, where they disturb every later command that reads it.
    disturbed: BTreeSet<u64>,
}

/// Why a command was left out.
pub(crate) type Reason = &'static str;

impl Ground {
    /// Surfaces that are new, and zero.
    pub(crate) fn new(loses_padding: bool) -> Self {
        Self { loses_padding, undefined: BTreeMap::new(), disturbed: BTreeSet::new() }
    }

    /// The bits of a surface's pixels that have no defined value.
    pub(crate) fn undefined_bits(&self, spec: &SurfaceSpec) -> u32 {
        if self.undefined.get(&spec.id) == Some(&true) { spec.format.padding() } else { 0 }
    }

    /// Whether the command is to be drawn; takes note of what it will leave undefined.
    pub(crate) fn admit(&mut self, scene: &Scene, command: &Command) -> Result<(), Reason> {
        let target = scene.surface(command.surface).ok_or("no such surface")?;
        if matches!(command.op, Op::Recreate) {
            self.undefined.remove(&command.surface);
            self.disturbed.remove(&u64::from(command.surface));
            return Ok(());
        }
        let mut kept = command.images().into_iter().filter_map(Image::kept);
        if kept.any(|image| self.disturbed.contains(&image)) {
            return Err("picture with a transformation or repetition left from an earlier command");
        }
        survives(scene, target, command)?;
        let to = target.format;
        let raw = !matches!(command.op, Op::AlphaBlend { .. } | Op::Composite { .. });
        let undefined = command.images().into_iter().any(|image| match image {
            Image::Surface(id) => self.undefined.get(id) == Some(&true),
            Image::Bitmap(b) => b.padding_set && !b.high_bits && self.loses_padding,
        });
        match &command.op {
            // The comparison with the key takes all 16 bits.
            Op::Transparent { .. } if undefined && to == Format::X555 => {
                return Err("key comparison on undefined bits");
            }
            Op::AlphaBlend { surface_has_alpha: true, source, .. }
                if undefined && matches!(source.image, Image::Surface(_)) =>
            {
                return Err("undefined bits as alpha");
            }
            _ if raw && undefined && to == Format::Argb => return Err("undefined bits as alpha"),
            _ => {}
        }
        self.disturbed.extend(disturbs(command));
        let whole = command.area == target.rect() && command.clip.is_none();
        let computed = match &command.op {
            Op::Text { .. } | Op::Composite { .. } => true,
            // With the flag the byte is computed, from what it was.
            // Bit 15 is cleared where the picture is, and by the server beside it too.
            Op::AlphaBlend { dest_has_alpha, .. } => !dest_has_alpha || to == Format::X555,
            _ => false,
        };
        let replaced = whole
            && matches!(
                &command.op,
                Op::Fill { rop: 8, mask: None, .. } | Op::Constant { kind: 6 | 7, mask: None }
            );
        let state = self.undefined.entry(command.surface).or_default();
        if computed && to.padding() != 0 || raw && undefined {
            *state = true;
        } else if replaced {
            *state = false;
        }
        Ok(())
    }
}

/// The lasting pictures on which a command leaves a transformation, a filter or a repetition.
///
/// The server draws a surface's commands when they are needed, so that commands on other surfaces that were given
/// before may come after this one: whoever uses these pictures must have been drawn by then.
pub(crate) fn disturbs(command: &Command) -> Vec<u64> {
    match &command.op {
        // Here it is the repetition.
        Op::Text { fore: Brush::Pattern(image, _), .. } => image.kept().into_iter().collect(),
        Op::Composite { flags, source, mask } => {
            let layers = [(Some(source), flags >> 8, flags >> 14), (mask.as_ref(), flags >> 11, flags >> 16)];
            let changed = |(layer, filter, repeat): (Option<&Layer>, u32, u32)| {
                let layer = layer?;
                let plain = layer.transform.is_none() && filter & 7 == 0 && repeat & 3 == 0;
                if plain { None } else { layer.image.kept() }
            };
            layers.into_iter().filter_map(changed).collect()
        }
        _ => Vec::new(),
    }
}

/// Leaves out what the server answers with an error, an abort, or a picture that depends on chance.
fn survives(scene: &Scene, target: &SurfaceSpec, command: &Command) -> Result<(), Reason> {
    let to = target.format;
    let raw = !matches!(command.op, Op::AlphaBlend { .. } | Op::Composite { .. });
    for image in command.images() {
        if let Image::Surface(id) = image {
            let from = scene.surface(*id).ok_or("no such surface")?;
            let same = from.format == to || from.format.bytes() == 4 && to.bytes() == 4;
            if raw && !same {
                // The server stops at an assertion: it never converts surfaces.
                return Err("surface of another depth as a raw source");
            }
        }
    }
    let brush = match &command.op {
        Op::Fill { brush, .. }
        | Op::Opaque { brush, .. }
        | Op::Rop3 { brush, .. }
        | Op::Stroke { brush, .. } => Some(brush),
        Op::Text { fore, .. } => Some(fore),
        _ => None,
    };
    match &command.op {
        Op::Rop3 { code, .. } if ignores_an_operand(*code) => {
            // The server has no handler: it logs an error and draws nothing.
            return Err("ternary code that ignores an operand");
        }
        Op::Rop3 { source, .. } if leaves_picture(scene, command, source) => {
            // The server ends itself, or reads what lies before the picture in memory.
            return Err("ternary operation from outside the picture");
        }
        Op::Rop3 { source, .. } if leaves_coordinates(command, source) => {
            // The drawing library takes 16-bit coordinates, and the server gives up what lies beyond.
            return Err("ternary operation scaled so far that the picture's end leaves 16 bits");
        }
        Op::Rop3 { .. } if to == Format::A8 => return Err("ternary operation on an alpha surface"),
        Op::Rop3 { brush: Brush::None, .. } => return Err("ternary operation without a brush"),
        Op::Rop3 { brush: Brush::Pattern(_, pos), .. } if pos.x > 0 || pos.y > 0 => {
            return Err("ternary operation with a pattern that begins inside the surface");
        }
        Op::Composite { flags, source, mask: Some(_) }
            if (0x3b..=0x3e).contains(&(flags & 0xff))
                && (source.transform.is_some() || matches!(flags >> 14 & 3, 2 | 3)) =>
        {
            // The drawing library forgets to apply the mask to blue. Where the mask is 0 it does not fetch the source
            // either if that is transformed, padded or mirrored, and takes what its buffer holds from the row before.
            return Err("hue, saturation, colour or luminosity through a mask from a transformed source");
        }
        Op::Composite { source, mask: Some(mask), .. }
            if source.image.kept().is_some()
                && source.image.kept() == mask.image.kept()
                && !disturbs(command).is_empty() =>
        {
            // It has one transformation, filter and repetition: those of the last of both.
            return Err("one picture as source and mask in two manners");
        }
        Op::Stroke { path, .. } if has_endless_curve(path) => {
            // The server cuts a piece of a curve that ends where it begins for ever, until its stack is full.
            return Err("curve with a loop that is cut for ever");
        }
        Op::Stroke { .. } if matches!(brush, Some(Brush::Pattern(Image::Surface(_), _))) => {
            return Err("stroke with a surface as pattern");
        }
        Op::Text { back_area, fore_mode, .. } if !back_area.is_empty() && *fore_mode != 8 => {
            return Err("text with a background in another mode: the server stops at a check");
        }
        Op::Text { flags: 4, glyphs, .. } => {
            // Rows are taken from one further than they should be, and the last from behind the glyph. Rows of a
            // glyph are alike here, and the first one, whose data lies outside, must not be seen.
            let first_rows = glyphs.iter().map(|g| {
                let (left, top) = (g.render.x + g.origin.x, g.render.y + g.origin.y);
                Rect::at(left, top, i32::from(g.width), 1)
            });
            if first_rows.into_iter().any(|row| !row.intersect(&command.area).is_empty()) {
                return Err("first row of an 8-bit glyph");
            }
        }
        _ => {}
    }
    Ok(())
}

/// Whether an unscaled command reads from outside its picture.
fn leaves_picture(scene: &Scene, command: &Command, source: &Source) -> bool {
    let (area, part) = (&command.area, &source.area);
    let whole = match &source.image {
        Image::Bitmap(b) => Rect::at(0, 0, b.width as i32, b.height as i32),
        Image::Surface(id) => scene.surface(*id).map(|s| s.rect()).unwrap_or_default(),
    };
    (area.width(), area.height()) == (part.width(), part.height()) && part.intersect(&whole) != *part
}

/// Whether a part of a picture, scaled with the whole of it to the size of the box, lies beyond 16-bit coordinates.
fn leaves_coordinates(command: &Command, source: &Source) -> bool {
    let (area, part) = (&command.area, &source.area);
    let beyond =
        |end: i32, extent: u32, size: u32| i64::from(end) * i64::from(size) > 32_000 * i64::from(extent);
    beyond(part.right, part.width(), area.width()) || beyond(part.bottom, part.height(), area.height())
}

/// Whether cutting one of the curves of a path comes to a piece that is never straight enough.
fn has_endless_curve(path: &[Segment]) -> bool {
    let whole = |v: i32| ((v >> 4) + i32::from(v & 15 > 8)) << 4;
    let rounded = |(x, y): (i32, i32)| (i64::from(whole(x)), i64::from(whole(y)));
    let mut last = (0, 0);
    for segment in path {
        let mut points = &segment.points[..];
        if let (true, Some((first, rest))) = (segment.flags & 1 != 0, points.split_first()) {
            (last, points) = (rounded(*first), rest);
        }
        if segment.flags & 16 != 0 {
            for curve in points.chunks_exact(3) {
                let wide = |p: (i32, i32)| (i64::from(p.0), i64::from(p.1));
                if is_endless([last, wide(curve[0]), wide(curve[1]), wide(curve[2])], 0) {
                    return true;
                }
                last = rounded(curve[2]);
            }
        } else if let Some(end) = points.last() {
            last = rounded(*end);
        }
    }
    false
}

/// Cuts a curve in the middle as long as it is not straight enough; 20 times make less than a 16th of a pixel.
fn is_endless([p0, p1, p2, p3]: [(i64, i64); 4], depth: u32) -> bool {
    type Fine = (i64, i64);
    let minus = |a: Fine, b: Fine| (a.0 - b.0, a.1 - b.1);
    let dot = |u: Fine, v: Fine| (u.0 * v.0 + u.1 * v.1) >> 4;
    let (chord, back, first, second) = (minus(p3, p0), minus(p0, p3), minus(p1, p0), minus(p2, p3));
    let size = dot(chord, chord);
    let height = |arm: Fine, along: Fine| (dot(arm, arm) * size - dot(arm, along).pow(2)) >> 3;
    if height(first, chord) < size && height(second, back) < size {
        return false;
    }
    if depth == 20 {
        return true;
    }
    let middle = |a: Fine, b: Fine| ((a.0 + b.0) / 2, (a.1 + b.1) / 2);
    let (a, b, c) = (middle(p0, p1), middle(p1, p2), middle(p2, p3));
    let (ab, bc) = (middle(a, b), middle(b, c));
    let m = middle(ab, bc);
    is_endless([p0, a, ab, m], depth + 1) || is_endless([m, bc, c, p3], depth + 1)
}

/// Whether the result of a ternary code is the same for both values of pattern, source or destination.
fn ignores_an_operand(code: u8) -> bool {
    let same = |shift: u32, low: u8| code >> shift & low == code & low;
    same(4, 0x0f) || same(2, 0x33) || same(1, 0x55)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_38_such_codes() {
        assert_eq!((0..=255).filter(|code| ignores_an_operand(*code)).count(), 38);
    }
}
