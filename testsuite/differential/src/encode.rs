//! Commands as structures in device memory.

use spice_proto::types::{Point, Rect};

use crate::arena::Block;
use crate::scene::{Bitmap, Brush, Command, Glyph, Image, Layer, Mask, Op, Scene, Segment, Source};

/// Bytes of a drawing command, whose last 68 depend on the operation.
const DRAWABLE: usize = 191;
const OPERATION: usize = 123;

/// Writes a command and everything it points to.
pub(crate) fn encode(scene: &Scene, command: &Command) -> Block {
    let mut block = Block::default();
    block.put(&[0; DRAWABLE]);
    let mut out = Fields { block, at: 8 };
    out.u32(command.surface);
    out.u8(if command.opaque { 1 } else { 0 });
    out.u8(kind(&command.op));
    out.u8(0);
    out.rect(&Rect::default());
    out.rect(&command.area);
    match &command.clip {
        None => {
            out.u32(0);
            out.u64(0);
        }
        Some(rects) => {
            out.u32(1);
            let mut data = (rects.len() as u32).to_le_bytes().to_vec();
            let bytes: Vec<u8> = rects.iter().flat_map(rect_bytes).collect();
            data.extend(chunk_header(bytes.len()));
            data.extend(bytes);
            out.pointer(|block| block.put(&data));
        }
    }
    out.u32(0);
    surfaces(&mut out, scene, command);
    assert_eq!(out.at, OPERATION);
    operation(&mut out, &command.op);
    out.block
}

/// The surfaces that a command reads, with the areas: all of each, which is never too little.
fn surfaces(out: &mut Fields, scene: &Scene, command: &Command) {
    let mut read: Vec<u32> = Vec::new();
    for image in command.images() {
        if let Image::Surface(id) = image
            && !read.contains(id)
        {
            read.push(*id);
        }
    }
    for slot in 0..3 {
        out.u32(read.get(slot).copied().unwrap_or(u32::MAX));
    }
    for slot in 0..3 {
        let spec = read.get(slot).and_then(|id| scene.surface(*id));
        out.rect(&spec.map(|s| s.rect()).unwrap_or_default());
    }
}

fn kind(op: &Op) -> u8 {
    match op {
        Op::Fill { .. } => 1,
        Op::Opaque { .. } => 2,
        Op::Copy { blend: false, .. } => 3,
        Op::CopyBits { .. } => 4,
        Op::Copy { blend: true, .. } => 5,
        Op::Constant { kind, .. } => *kind,
        Op::Rop3 { .. } => 9,
        Op::Stroke { .. } => 10,
        Op::Text { .. } => 11,
        Op::Transparent { .. } => 12,
        Op::AlphaBlend { .. } => 13,
        Op::Composite { .. } => 14,
        Op::Recreate => unreachable!("not a drawing command"),
    }
}

fn operation(out: &mut Fields, op: &Op) {
    match op {
        Op::Fill { brush, rop, mask } => {
            out.brush(brush);
            out.u16(*rop);
            out.mask(mask);
        }
        Op::Opaque { source, brush, rop, mask } => {
            out.source(source);
            out.brush(brush);
            out.u16(*rop);
            out.u8(source.scale_mode);
            out.mask(mask);
        }
        Op::Copy { source, rop, mask, .. } => {
            out.source(source);
            out.u16(*rop);
            out.u8(source.scale_mode);
            out.mask(mask);
        }
        Op::CopyBits { from } => out.point(from),
        Op::Constant { mask, .. } => out.mask(mask),
        Op::Rop3 { source, brush, code, mask } => {
            out.source(source);
            out.brush(brush);
            out.u8(*code);
            out.u8(source.scale_mode);
            out.mask(mask);
        }
        Op::Stroke { path, style, brush, fore_mode } => {
            out.pointer(|block| put_path(block, path));
            match style {
                None => out.bytes(&[0; 20]),
                Some((lengths, gap)) => {
                    out.bytes(&[8 | if *gap { 4 } else { 0 }, 0, 0, lengths.len() as u8]);
                    out.u64(0);
                    let bytes: Vec<u8> = lengths.iter().flat_map(|v| v.to_le_bytes()).collect();
                    out.pointer(|block| block.put(&bytes));
                }
            }
            out.brush(brush);
            out.u16(*fore_mode);
            out.u16(0);
        }
        Op::Text { flags, glyphs, back_area, fore, back, fore_mode } => {
            out.pointer(|block| put_string(block, *flags, glyphs));
            out.rect(back_area);
            out.brush(fore);
            out.brush(back);
            out.u16(*fore_mode);
            out.u16(0);
        }
        Op::Transparent { source, key } => {
            out.source(source);
            out.u32(!*key & 0x00ff_ffff);
            out.u32(*key);
        }
        Op::AlphaBlend { source, alpha, dest_has_alpha, surface_has_alpha } => {
            out.u16(u16::from(*dest_has_alpha) | u16::from(*surface_has_alpha) << 1);
            out.u8(*alpha);
            out.source(source);
        }
        Op::Composite { flags, source, mask } => {
            out.u32(*flags);
            out.pointer(|block| put_image(block, &source.image));
            out.transform(&source.transform);
            match mask {
                None => out.u64(0),
                Some(mask) => out.pointer(|block| put_image(block, &mask.image)),
            }
            out.transform(&mask.as_ref().and_then(|mask| mask.transform));
            out.origin(source);
            match mask {
                None => out.u32(0),
                Some(mask) => out.origin(mask),
            }
        }
        Op::Recreate => unreachable!("not a drawing command"),
    }
}

/// Writes fields one after the other, and what they point to behind everything else.
struct Fields {
    block: Block,
    at: usize,
}

impl Fields {
    fn bytes(&mut self, bytes: &[u8]) {
        self.block.set(self.at, bytes);
        self.at += bytes.len();
    }

    fn u8(&mut self, v: u8) {
        self.bytes(&[v]);
    }

    fn u16(&mut self, v: u16) {
        self.bytes(&v.to_le_bytes());
    }

    fn u32(&mut self, v: u32) {
        self.bytes(&v.to_le_bytes());
    }

    fn u64(&mut self, v: u64) {
        self.bytes(&v.to_le_bytes());
    }

    fn rect(&mut self, rect: &Rect) {
        self.bytes(&rect_bytes(rect));
    }

    fn point(&mut self, point: &Point) {
        self.bytes(&point_bytes(point));
    }

    fn pointer(&mut self, put: impl FnOnce(&mut Block) -> usize) {
        let target = put(&mut self.block);
        self.block.point(self.at, target);
        self.at += 8;
    }

    fn brush(&mut self, brush: &Brush) {
        match brush {
            Brush::None => self.bytes(&[0; 20]),
            Brush::Solid(color) => {
                self.u32(1);
                self.u32(*color);
                self.bytes(&[0; 12]);
            }
            Brush::Pattern(image, pos) => {
                self.u32(2);
                self.pointer(|block| put_image(block, image));
                self.point(pos);
            }
        }
    }

    fn mask(&mut self, mask: &Option<Mask>) {
        match mask {
            None => self.bytes(&[0; 17]),
            Some(mask) => {
                self.u8(u8::from(mask.invers));
                self.point(&mask.pos);
                self.pointer(|block| put_bitmap(block, &mask.image));
            }
        }
    }

    fn source(&mut self, source: &Source) {
        self.pointer(|block| put_image(block, &source.image));
        self.rect(&source.area);
    }

    fn transform(&mut self, transform: &Option<[i32; 6]>) {
        match transform {
            None => self.u64(0),
            Some(t) => {
                let bytes: Vec<u8> = t.iter().flat_map(|v| v.to_le_bytes()).collect();
                self.pointer(|block| block.put(&bytes));
            }
        }
    }

    fn origin(&mut self, layer: &Layer) {
        self.bytes(&layer.origin.0.to_le_bytes());
        self.bytes(&layer.origin.1.to_le_bytes());
    }
}

fn rect_bytes(r: &Rect) -> [u8; 16] {
    let mut out = [0; 16];
    for (field, value) in out.chunks_exact_mut(4).zip([r.top, r.left, r.bottom, r.right]) {
        field.copy_from_slice(&value.to_le_bytes());
    }
    out
}

fn point_bytes(p: &Point) -> [u8; 8] {
    let mut out = [0; 8];
    out[..4].copy_from_slice(&p.x.to_le_bytes());
    out[4..].copy_from_slice(&p.y.to_le_bytes());
    out
}

/// Head of a piece of data that has no neighbours.
pub(crate) fn chunk_header(len: usize) -> [u8; 20] {
    let mut out = [0; 20];
    out[..4].copy_from_slice(&(len as u32).to_le_bytes());
    out
}

fn put_path(block: &mut Block, path: &[Segment]) -> usize {
    let mut data = Vec::new();
    for segment in path {
        data.extend(segment.flags.to_le_bytes());
        data.extend((segment.points.len() as u32).to_le_bytes());
        for (x, y) in &segment.points {
            data.extend(x.to_le_bytes());
            data.extend(y.to_le_bytes());
        }
    }
    let at = block.put(&(data.len() as u32).to_le_bytes());
    block.put(&chunk_header(data.len()));
    block.put(&data);
    at
}

fn put_string(block: &mut Block, flags: u16, glyphs: &[Glyph]) -> usize {
    let mut data = Vec::new();
    for glyph in glyphs {
        data.extend(point_bytes(&glyph.render));
        data.extend(point_bytes(&glyph.origin));
        data.extend(glyph.width.to_le_bytes());
        data.extend(glyph.height.to_le_bytes());
        data.extend(&glyph.data);
    }
    let at = block.put(&(data.len() as u32).to_le_bytes());
    block.put(&(glyphs.len() as u16).to_le_bytes());
    block.put(&flags.to_le_bytes());
    block.put(&chunk_header(data.len()));
    block.put(&data);
    at
}

fn put_image(block: &mut Block, image: &Image) -> usize {
    match image {
        Image::Bitmap(bitmap) => put_bitmap(block, bitmap),
        Image::Surface(id) => {
            let mut head = [0; 48];
            head[..8].copy_from_slice(&(u64::from(*id) << 32 | 7).to_le_bytes());
            head[8] = 104;
            head[18..22].copy_from_slice(&id.to_le_bytes());
            block.put(&head)
        }
    }
}

fn put_bitmap(block: &mut Block, bitmap: &Bitmap) -> usize {
    let mut head = [0; 48];
    // Images of one group: the low half of the id.
    head[..8].copy_from_slice(&(u64::from(bitmap.unique) << 32 | 1).to_le_bytes());
    head[9] = u8::from(bitmap.cacheable) | u8::from(bitmap.high_bits) << 1;
    head[10..14].copy_from_slice(&bitmap.width.to_le_bytes());
    head[14..18].copy_from_slice(&bitmap.height.to_le_bytes());
    if let Some(stream) = &bitmap.quic {
        head[8] = 1;
        head[18..22].copy_from_slice(&(stream.len() as u32).to_le_bytes());
        let at = block.put(&head[..22]);
        block.put(&chunk_header(stream.len()));
        block.put(stream);
        return at;
    }
    head[18] = bitmap.format;
    let direct = bitmap.rows_per_chunk == 0;
    head[19] = u8::from(direct) | u8::from(bitmap.top_down) << 2;
    for (field, value) in [bitmap.width, bitmap.height, bitmap.stride].into_iter().enumerate() {
        head[20 + 4 * field..24 + 4 * field].copy_from_slice(&value.to_le_bytes());
    }
    let at = block.put(&head);
    if let Some((unique, entries)) = &bitmap.palette {
        let palette = block.put(&unique.to_le_bytes());
        block.put(&(entries.len() as u16).to_le_bytes());
        block.put(&entries.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>());
        block.point(at + 32, palette);
    }
    let data = if direct {
        block.put(&bitmap.data)
    } else {
        let mut first = None;
        let mut previous: Option<usize> = None;
        for rows in bitmap.data.chunks((bitmap.rows_per_chunk * bitmap.stride) as usize) {
            let chunk = block.put(&chunk_header(rows.len()));
            block.put(rows);
            if let Some(previous) = previous {
                block.point(previous + 12, chunk);
                block.point(chunk + 4, previous);
            }
            first.get_or_insert(chunk);
            previous = Some(chunk);
        }
        first.unwrap_or(at)
    };
    block.point(at + 40, data);
    at
}
