//! Random scenes: every operation with every kind of brush, raster operation, mask, clip, format and scaling.

use spice_proto::types::{Point, Rect};

use crate::choice::Choice;
use crate::pictures::Pictures;
use crate::scene::{
    Brush, Command, Format, Glyph, Image, Layer, Mask, Op, Scene, Segment, Source, SurfaceSpec,
};

/// Commands of a scene.
pub(crate) const COMMANDS: usize = 250;

/// The scene of a number in a run.
pub(crate) fn scene(seed: u64, number: u32) -> Scene {
    let mut c = Choice::new(seed.wrapping_add(u64::from(number) << 32));
    let mut surfaces = Vec::new();
    let primary =
        if c.percent(65) { Format::Xrgb } else { c.of(&[Format::X555, Format::X565, Format::Argb]) };
    let offscreen = [Format::Xrgb, Format::Argb, Format::X555, Format::X565, Format::A8, Format::Xrgb];
    for (id, format) in (0..).zip([primary].into_iter().chain(offscreen)) {
        let (width, height) = match id {
            0 => (160 + c.below(140), 120 + c.below(100)),
            _ => (24 + c.below(120), 24 + c.below(100)),
        };
        surfaces.push(SurfaceSpec { id, format, width, height, bottom_up: id == 0 && c.percent(20) });
    }
    let mut generator =
        Generator { pictures: Pictures::new(number), surfaces: surfaces.clone(), target: surfaces[0] };
    let commands = (0..COMMANDS).map(|_| generator.command(&mut c)).collect();
    Scene { surfaces, commands }
}

struct Generator {
    pictures: Pictures,
    surfaces: Vec<SurfaceSpec>,
    /// The surface of the command at hand.
    target: SurfaceSpec,
}

impl Generator {
    fn command(&mut self, c: &mut Choice) -> Command {
        let at = if c.percent(40) { 0 } else { c.below(self.surfaces.len() as u32) as usize };
        self.target = self.surfaces[at];
        let SurfaceSpec { id: surface, width, height, .. } = self.target;
        let area = if c.percent(4) { self.target.rect() } else { c.rect(width, height) };
        let mut command = Command { surface, area, clip: None, opaque: false, op: self.op(c, area) };
        if let Op::Copy { source, .. } = &command.op
            && c.percent(50)
        {
            // Most copies of real programs are of whole pictures, in their own size.
            let (w, h) = (source.area.width(), source.area.height());
            command.area = c.rect_of(w, h, width, height);
        }
        if c.percent(35) {
            let count = if matches!(command.op, Op::Stroke { .. }) { 1 } else { 1 + c.below(6) };
            command.clip = Some((0..count).map(|_| c.rect(width, height)).collect());
        }
        command.opaque = c.percent(50) && overwrites(&command);
        command
    }

    fn op(&mut self, c: &mut Choice, area: Rect) -> Op {
        match c.below(100) {
            0..12 => Op::Fill { brush: self.brush(c), rop: rop(c), mask: self.mask(c) },
            12..19 => Op::Opaque {
                source: self.source(c, area),
                brush: self.brush(c),
                rop: rop(c),
                mask: self.mask(c),
            },
            19..40 => {
                let blend = c.percent(25);
                Op::Copy { blend, source: self.source(c, area), rop: rop(c), mask: self.mask(c) }
            }
            40..46 => {
                let x = c.below(self.target.width - area.width() + 1) as i32;
                let y = c.below(self.target.height - area.height() + 1) as i32;
                // Some reach outside of the surface.
                let reach = if c.percent(15) { 20 } else { 0 };
                Op::CopyBits {
                    from: Point { x: x + c.between(-reach, reach), y: y + c.between(-reach, reach) },
                }
            }
            46 if self.target.id != 0 => Op::Recreate,
            46..52 => Op::Constant { kind: c.of(&[6, 7, 8]), mask: self.mask(c) },
            52..59 => Op::Rop3 {
                source: self.inner_source(c, area),
                brush: self.brush(c),
                code: c.bits() as u8,
                mask: self.mask(c),
            },
            59..66 => self.stroke(c),
            66..73 => self.text(c, area),
            73..79 => {
                let source = self.source(c, area);
                let key = match &source.image {
                    Image::Bitmap(bitmap) if c.percent(80) && bitmap.data.len() >= 4 => {
                        let at = c.below(bitmap.data.len() as u32 / 4) as usize * 4;
                        u32::from_le_bytes([bitmap.data[at], bitmap.data[at + 1], bitmap.data[at + 2], 0])
                    }
                    _ => c.bits() & 0x00ff_ffff,
                };
                Op::Transparent { source, key }
            }
            79..88 => Op::AlphaBlend {
                source: self.source(c, area),
                alpha: if c.percent(50) { 255 } else { c.bits() as u8 },
                dest_has_alpha: c.percent(30),
                surface_has_alpha: c.percent(30),
            },
            _ => self.composite(c, area),
        }
    }

    /// Something to take as it is, which the server does with surfaces of the same depth only.
    fn image(&mut self, c: &mut Choice) -> Image {
        let bytes = self.target.format.bytes();
        self.image_of(c, |other| other.format.bytes() == bytes)
    }

    fn image_of(&mut self, c: &mut Choice, fits: impl Fn(&SurfaceSpec) -> bool) -> Image {
        let target = self.target.id;
        let others = self.surfaces.iter().filter(|s| s.id != target && fits(s));
        let others: Vec<u32> = others.map(|s| s.id).collect();
        if !others.is_empty() && c.percent(25) {
            return Image::Surface(c.of(&others));
        }
        Image::Bitmap(self.pictures.picture(c, self.target.format))
    }

    fn size(&self, image: &Image) -> (u32, u32) {
        match image {
            Image::Bitmap(bitmap) => (bitmap.width, bitmap.height),
            Image::Surface(id) => {
                let of_id = self.surfaces.iter().find(|s| s.id == *id);
                of_id.map_or((1, 1), |s| (s.width, s.height))
            }
        }
    }

    fn source(&mut self, c: &mut Choice, area: Rect) -> Source {
        let image = self.image(c);
        let (width, height) = self.size(&image);
        let whole = Rect::at(0, 0, width as i32, height as i32);
        let part = match c.below(10) {
            // Of the box's size, and inside the picture if that is large enough.
            0..4 => c.rect_of(area.width(), area.height(), width, height),
            4..6 => whole,
            6..9 => c.rect(width, height),
            // Partly outside the picture.
            _ => {
                let part = c.rect_of(area.width(), area.height(), width, height);
                let (dx, dy) = (c.between(-5, 5), c.between(-5, 5));
                Rect {
                    top: part.top + dy,
                    left: part.left + dx,
                    bottom: part.bottom + dy,
                    right: part.right + dx,
                }
            }
        };
        Source { image, area: part, scale_mode: c.below(2) as u8 }
    }

    fn color(&self, c: &mut Choice) -> u32 {
        match self.target.format {
            Format::Xrgb | Format::Argb => match c.below(4) {
                0 => 0,
                1 => 0x00ff_ffff,
                2 => c.bits() & 0x00ff_ffff,
                _ => c.bits(),
            },
            Format::A8 => c.bits() & 0xff,
            _ => c.bits() & 0xffff,
        }
    }

    fn brush(&mut self, c: &mut Choice) -> Brush {
        match c.below(20) {
            0 => Brush::None,
            1..13 => Brush::Solid(self.color(c)),
            _ => {
                let image = self.image(c);
                Brush::Pattern(image, c.point(-40, 200))
            }
        }
    }

    fn mask(&mut self, c: &mut Choice) -> Option<Mask> {
        c.percent(20).then(|| Mask {
            image: self.pictures.mask(c),
            pos: c.point(-20, 20),
            invers: c.percent(40),
        })
    }

    fn stroke(&mut self, c: &mut Choice) -> Op {
        let (w, h) = (self.target.width as i32, self.target.height as i32);
        let mut path = Vec::new();
        for n in 0..1 + c.below(3) {
            let bezier = c.percent(25);
            let ended = path.last().is_none_or(|last: &Segment| last.flags & 2 != 0);
            let begin = n == 0 || ended || c.percent(60);
            let mut count = if bezier { 3 * (1 + c.below(2)) } else { 1 + c.below(5) };
            if begin {
                count += 1;
            }
            let mut flags = if begin { 1 } else { 0 } | if bezier { 16 } else { 0 };
            if c.percent(50) {
                flags |= 2 | if c.percent(50) { 8 } else { 0 };
            }
            let mut points: Vec<(i32, i32)> = (0..count)
                .map(|_| (c.between(-20 * 16, (w + 20) * 16), c.between(-20 * 16, (h + 20) * 16)))
                .collect();
            if c.percent(30) {
                // Lines along the axes.
                for i in 1..points.len() {
                    if c.percent(50) { points[i].0 = points[i - 1].0 } else { points[i].1 = points[i - 1].1 }
                }
            }
            path.push(Segment { flags, points });
        }
        let style = c.percent(30).then(|| {
            let entries = (0..1 + c.below(6)).map(|_| c.between(0, 12) * 16).collect::<Vec<_>>();
            (entries, c.percent(30))
        });
        let style = style.filter(|(entries, _)| entries.iter().any(|v| *v > 0));
        Op::Stroke { path, style, brush: self.brush(c), fore_mode: rop(c) }
    }

    fn text(&mut self, c: &mut Choice, area: Rect) -> Op {
        let flags = c.of(&[1, 1, 2, 4]);
        let count = if flags == 4 { 1 } else { 1 + c.below(6) };
        let mut x = area.left + c.between(-4, 4);
        let base = area.top + c.between(0, 20);
        let glyphs = (0..count).map(|_| {
            let (width, height) = (1 + c.below(14) as u16, 1 + c.below(14) as u16);
            let bits = match flags {
                1 => 1,
                2 => 4,
                _ => 8,
            };
            let stride = (usize::from(width) * bits).div_ceil(8);
            let row: Vec<u8> = (0..stride).map(|_| c.bits() as u8).collect();
            let data = (0..usize::from(height))
                // See `admit` for why the rows of this kind are alike.
                .flat_map(|_| {
                    if flags == 4 { row.clone() } else { (0..stride).map(|_| c.bits() as u8).collect() }
                })
                .collect();
            let origin = Point { x: c.between(-2, 2), y: c.between(-12, 0) };
            // See `admit` for why this kind begins above the box.
            let y = if flags == 4 { area.top - 1 - origin.y } else { base };
            let render = Point { x: x - origin.x, y };
            // Glyphs of one bit may overlap.
            x += i32::from(width) - if flags == 1 { c.between(0, 3) } else { 0 };
            Glyph { render, origin, width, height, data }
        });
        let glyphs: Vec<Glyph> = glyphs.collect();
        let back_area =
            if c.percent(30) { c.rect(self.target.width, self.target.height) } else { Rect::default() };
        let fore = if c.percent(5) { Brush::None } else { self.brush(c) };
        Op::Text {
            flags,
            glyphs,
            back_area,
            fore,
            back: self.brush(c),
            fore_mode: if c.percent(95) { 8 } else { rop(c) },
        }
    }

    fn composite(&mut self, c: &mut Choice, area: Rect) -> Op {
        const COMMON: [u32; 6] = [1, 3, 3, 3, 5, 12];
        let op = match c.below(10) {
            0..4 => c.of(&COMMON),
            4..7 => c.below(14),
            7 => 0x10 + c.below(12),
            8 => 0x20 + c.below(12),
            _ => 0x30 + c.below(15),
        };
        let mask = c.percent(40).then(|| self.layer(c, area, true));
        let component = u32::from(mask.is_some() && c.percent(30));
        let source = self.layer(c, area, false);
        let mut manner = |layer: Option<&Layer>| {
            let plain = layer.is_some_and(|layer| layer.image.kept().is_some() && c.percent(80));
            if plain { (0, 0) } else { (c.below(5), c.below(4)) }
        };
        let ((filter, repeat), (mask_filter, mask_repeat)) = (manner(Some(&source)), manner(mask.as_ref()));
        let flags = op | filter << 8 | mask_filter << 11 | repeat << 14 | mask_repeat << 16 | component << 18;
        Op::Composite { flags, source, mask }
    }

    /// A part that lies inside its picture, in the box's size or another.
    fn inner_source(&mut self, c: &mut Choice, area: Rect) -> Source {
        let mut source = self.source(c, area);
        let (width, height) = self.size(&source.image);
        let whole = Rect::at(0, 0, width as i32, height as i32);
        if source.area.intersect(&whole) != source.area {
            source.area = whole;
        }
        source
    }

    fn layer(&mut self, c: &mut Choice, area: Rect, mask: bool) -> Layer {
        let image = if mask && c.percent(70) {
            match c.below(2) {
                0 => Image::Bitmap(self.pictures.with_alpha(c)),
                _ => {
                    Image::Surface(self.surfaces.iter().find(|s| s.format == Format::A8).map_or(5, |s| s.id))
                }
            }
        } else {
            self.image_of(c, |_| true)
        };
        let (width, height) = self.size(&image);
        // See `admit` for what this does to a surface.
        let often = if image.kept().is_some() { 8 } else { 50 };
        let transform = c.percent(often).then(|| match c.below(3) {
            0 => {
                let sx = (f64::from(width) / f64::from(area.width()) * 65536.0) as i32;
                let sy = (f64::from(height) / f64::from(area.height()) * 65536.0) as i32;
                [sx, 0, 0, 0, sy, 0]
            }
            1 => {
                let turn = |c: &mut Choice| c.between(-2 << 16, 2 << 16);
                [
                    turn(c),
                    turn(c),
                    c.between(-20 << 16, 60 << 16),
                    turn(c),
                    turn(c),
                    c.between(-20 << 16, 60 << 16),
                ]
            }
            _ => [65536, 0, c.between(-20 << 16, 20 << 16), 0, 65536, c.between(-20 << 16, 20 << 16)],
        });
        let origin =
            if c.percent(50) { (0, 0) } else { (c.between(-30, 60) as i16, c.between(-30, 60) as i16) };
        Layer { image, transform, origin }
    }
}

/// A raster operation descriptor: usually plain, otherwise anything.
fn rop(c: &mut Choice) -> u16 {
    match c.below(10) {
        0..5 => 8,
        5..8 => (8 << c.below(7)) | (c.bits() as u16 & 0x407),
        _ => c.bits() as u16 & 0x7ff,
    }
}

/// Whether nothing of what is under the command's box remains.
fn overwrites(command: &Command) -> bool {
    command.clip.is_none()
        && match &command.op {
            Op::Fill { rop: 8, mask: None, .. } | Op::Constant { kind: 6 | 7, mask: None } => true,
            Op::Copy { source, rop: 8, mask: None, .. } => match &source.image {
                Image::Bitmap(b) => {
                    let whole = Rect::at(0, 0, b.width as i32, b.height as i32);
                    source.area.intersect(&whole) == source.area
                        || (source.area.width(), source.area.height())
                            != (command.area.width(), command.area.height())
                }
                Image::Surface(_) => false,
            },
            _ => false,
        }
}
