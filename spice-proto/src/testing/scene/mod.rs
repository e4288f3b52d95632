//! A desktop as a script of drawing messages, and the picture that it must give.
//!
//! The script uses what every client can draw: surfaces, fills, copies of uncompressed images in all common
//! formats, palettes and images from caches, clips, copies within and between surfaces. It needs an image cache of
//! 2304 pixels. All arithmetic is on integers, so that the picture is the same everywhere.

mod art;
mod draw;
mod expected;
mod font;
mod layout;

use alloc::vec::Vec;

use crate::msg::cursor::{self, CursorFlags, CursorHeader, CursorImage, CursorShape, CursorType};
use crate::msg::display::{
    BitmapFormat, Clip, Head, ImageData, MonitorsConfig, PaletteSource, ServerMessage, SurfaceCreate,
    SurfaceDestroy, SurfaceFlags, SurfaceFormat,
};
use crate::types::{CursorId, ImageId, PaletteId, Point, Point16, Rect, SurfaceId};
use crate::wire::{Counted, Rest};

use draw::Pen;
use layout::{Layout, inside, moved};

/// A desktop with a sunset, a window, a terminal and a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scene {
    width: i32,
    height: i32,
}

impl Default for Scene {
    /// 1024 by 768 pixels.
    fn default() -> Self {
        Self::new(1024, 768)
    }
}

impl Scene {
    /// Fewest columns and rows of a scene.
    pub const MIN_SIZE: u32 = 64;
    /// Most columns and rows of a scene.
    pub const MAX_SIZE: u32 = 4096;

    /// A scene of so many columns and rows, which are brought between [`MIN_SIZE`](Self::MIN_SIZE) and
    /// [`MAX_SIZE`](Self::MAX_SIZE).
    pub fn new(width: u32, height: u32) -> Self {
        let side = |pixels: u32| pixels.clamp(Self::MIN_SIZE, Self::MAX_SIZE) as i32;
        Self { width: side(width), height: side(height) }
    }

    /// Columns in pixels.
    pub fn width(&self) -> u32 {
        self.width as u32
    }

    /// Rows in pixels.
    pub fn height(&self) -> u32 {
        self.height as u32
    }

    /// The messages that draw the scene as it is after `frame` steps: from the primary surface's creation to the
    /// mark. Clients without the capability must not get the one `MonitorsConfig` among them.
    pub fn messages(&self, frame: u64) -> Vec<ServerMessage> {
        let layout = self.layout();
        let mut pen = Pen { surface: DESKTOP, out: Vec::new() };
        pen.out.push(ServerMessage::InvalAllPalettes);
        pen.out.push(create(SurfaceId::PRIMARY, layout.screen, SurfaceFlags::PRIMARY));
        pen.out.push(create(DESKTOP, layout.screen, SurfaceFlags::empty()));
        landscape(&mut pen, &layout);
        icons(&mut pen, &layout);
        panel(&mut pen, &layout, frame);
        window(&mut pen, &layout);
        terminal(&mut pen, &layout);
        // What is seen changes once: clients that take a picture of the first change get all of it.
        pen.surface = SurfaceId::PRIMARY;
        let desktop = draw::reference(ImageId(3), self.width(), self.height(), ImageData::Surface(DESKTOP));
        pen.copy(Point::default(), Clip::None, desktop);
        pen.out.push(ServerMessage::SurfaceDestroy(SurfaceDestroy { surface_id: DESKTOP }));
        let head = Head { width: self.width(), height: self.height(), ..Head::default() };
        let heads = Counted::new([head].into_iter().collect()).unwrap_or_default();
        pen.out.push(ServerMessage::MonitorsConfig(MonitorsConfig { max_allowed: 1, heads }));
        pen.out.push(ServerMessage::Mark);
        pen.out
    }

    /// The messages that lead from step `frame - 1` to step `frame`.
    pub fn step(&self, frame: u64) -> Vec<ServerMessage> {
        let Some(before) = frame.checked_sub(1) else { return Vec::new() };
        let mut pen = Pen { surface: SurfaceId::PRIMARY, out: Vec::new() };
        cell(&mut pen, &self.layout(), before, (before / layout::CELLS).is_multiple_of(2));
        pen.out
    }

    /// The picture after `frame` steps: rows from the top, 4 bytes per pixel, blue, green, red and 0.
    pub fn expected(&self, frame: u64) -> Vec<u8> {
        expected::paint(self, frame)
    }

    /// The pointer's shape, shown in the middle.
    pub fn cursor(&self) -> cursor::Init {
        let place = |pixels: i32| i16::try_from(pixels).unwrap_or(i16::MAX);
        let header = CursorHeader {
            unique: CursorId(1),
            kind: CursorType::ALPHA,
            width: art::POINTER[0].len() as u16,
            height: art::POINTER.len() as u16,
            hot_x: 0,
            hot_y: 0,
        };
        let pixel = |letter| match letter {
            b'k' => [0, 0, 0, 0xff],
            b'w' => [0xff; 4],
            _ => [0; 4],
        };
        let data = art::POINTER.iter().flat_map(|row| row.bytes().flat_map(pixel)).collect();
        cursor::Init {
            position: Point16 { x: place(self.width / 2), y: place(self.height / 2) },
            trail: cursor::Trail::default(),
            visible: 1,
            cursor: CursorShape {
                flags: CursorFlags::CACHE_ME,
                image: Some(CursorImage { header, data: Rest(data) }),
            },
        }
    }

    fn layout(&self) -> Layout {
        Layout::new(self.width, self.height)
    }
}

fn landscape(pen: &mut Pen, layout: &Layout) {
    let (width, height) = (layout.screen.right, layout.screen.height());
    let strip = art::SKY_PERIOD;
    pen.copy(Point::default(), Clip::None, draw::image32(strip, height, |x, y| art::sky(x, y, height)));
    // The strip repeats, so the sky doubles with each copy of itself.
    let mut done = strip as i32;
    while done < width {
        pen.copy_bits(Rect::at(done, 0, done.min(width - done), height as i32), Point::default());
        done *= 2;
    }

    let (radius, sun) = (layout.sun_radius, layout.sun);
    let light = draw::image24(2 * radius as u32, 2 * radius as u32, |_, row| art::sun(row, radius as u32));
    pen.copy(Point { x: sun.x - radius, y: sun.y - radius }, disc(sun, radius), light);

    hills(pen, layout, art::FAR, |x| art::far_hills(x, height));
    hills(pen, layout, art::NEAR, |x| art::near_hills(x, height));
}

/// Fills everything below a line.
fn hills(pen: &mut Pen, layout: &Layout, colour: u32, line: impl Fn(u32) -> u32) {
    let bottom = layout.screen.bottom;
    let column = |x: u32| {
        let top = line(x) as i32;
        Rect { top, left: x as i32, bottom, right: x as i32 + 1 }
    };
    let columns: Vec<Rect> = (0..layout.screen.width()).map(column).collect();
    let top = columns.iter().map(|column| column.top).min().unwrap_or(0);
    pen.fill(Rect { top, ..layout.screen }, draw::clip(&columns), colour);
}

fn icons(pen: &mut Pen, layout: &Layout) {
    const KEPT: ImageId = ImageId(1);
    let side = layout::ICON as u32;
    for (index, label) in layout::LABELS.iter().enumerate() {
        let icon = layout.icon(index);
        let image = if index == 0 {
            let palette = draw::palette(art::FOLDER.colours());
            draw::keep(
                KEPT,
                draw::indexed((side, side), BitmapFormat::BIT4_BE, palette, |x, y| {
                    art::FOLDER.index(x / layout::ICON_SCALE, y / layout::ICON_SCALE)
                }),
            )
        } else {
            draw::reference(KEPT, side, side, ImageData::FromCache)
        };
        pen.copy(Point { x: icon.left, y: icon.top }, Clip::None, image);
        pen.write(layout.icon_label(index), label, layout::TEXT, art::LABEL);
    }
}

fn panel(pen: &mut Pen, layout: &Layout, frame: u64) {
    let Rect { left, top, right, bottom } = layout.panel;
    // An area may be larger than its surface.
    pen.fill(Rect { left: left - 16, top, right: right + 16, bottom: bottom + 16 }, Clip::None, art::PANEL);
    pen.whiteness(Rect { bottom: top + 1, ..layout.panel });
    pen.write(Point { x: 16, y: top + 11 }, layout::MENU, layout::TEXT, art::LABEL);
    for index in 0..layout::CELLS {
        let (rounds, part) = (frame / layout::CELLS, frame % layout::CELLS);
        cell(pen, layout, index, (rounds % 2 == 1) != (index < part));
    }
}

/// Draws a cell of the progress bar.
fn cell(pen: &mut Pen, layout: &Layout, index: u64, is_on: bool) {
    pen.fill(layout.cell(index), Clip::None, if is_on { art::CELL_ON } else { art::CELL_OFF });
}

/// Draws the window on a surface of its own, then copies it.
fn window(pen: &mut Pen, layout: &Layout) {
    const WINDOW: SurfaceId = SurfaceId(2);
    const INKS: PaletteId = PaletteId(1);
    let shadow = Point { x: layout::SHADOW_OFFSET, y: layout::SHADOW_OFFSET };
    pen.fill(moved(layout.window, shadow), Clip::None, art::SHADOW);

    let (width, height) = (layout.window.width(), layout.window.height());
    let whole = Rect::at(0, 0, width as i32, height as i32);
    pen.out.push(create(WINDOW, whole, SurfaceFlags::empty()));
    pen.surface = WINDOW;
    pen.fill(whole, Clip::None, art::PAPER);
    let title = draw::image16(width, inside::TITLE_HEIGHT as u32, |x| art::title_555(x, width));
    pen.copy(Point::default(), Clip::None, title);
    pen.write(inside::TITLE, layout::TITLE, layout::TEXT, art::LABEL);
    for (index, colour) in art::BUTTONS.into_iter().enumerate() {
        let (centre, radius) = (inside::button(index), layout::BUTTON_RADIUS);
        let area = Rect::at(centre.x - radius, centre.y - radius, 2 * radius, 2 * radius);
        pen.fill(area, disc(centre, radius), colour);
    }

    let inks = draw::named_palette(INKS, [art::PAPER, art::INK]);
    let heading = draw::text(layout::HEADING, layout::LARGE, inks);
    pen.copy(inside::HEADING, Clip::None, draw::keep_palette(heading));
    for (index, line) in layout::LINES.iter().enumerate() {
        let kept = PaletteSource::Cached(INKS);
        let image = draw::text(line, layout::TEXT, kept);
        pen.copy(inside::line(index), Clip::None, image);
    }

    let (swatches, checks, chili) = (inside::SWATCHES, inside::CHECKS, inside::CHILI);
    let image = draw::indexed(
        (swatches.width(), swatches.height()),
        BitmapFormat::BIT8,
        draw::palette((0..216).map(art::cube)),
        |x, y| (x / inside::CELL + 18 * (y / inside::CELL)) as u8,
    );
    pen.copy(Point { x: swatches.left, y: swatches.top }, Clip::None, image);
    let image = draw::indexed(
        (checks.width(), checks.height()),
        BitmapFormat::BIT1_BE,
        draw::palette(art::CHECKS),
        |x, y| ((x / inside::CELL + y / inside::CELL) % 2) as u8,
    );
    pen.copy(Point { x: checks.left, y: checks.top }, Clip::None, image);
    pen.invers(inside::inverted());
    let image = draw::indexed(
        (chili.width(), chili.height()),
        BitmapFormat::BIT4_BE,
        draw::palette(art::CHILI.colours()),
        |x, y| art::CHILI.index(x / inside::CHILI_SCALE, y / inside::CHILI_SCALE),
    );
    pen.copy(Point { x: chili.left, y: chili.top }, Clip::None, image);

    pen.surface = DESKTOP;
    let picture = draw::reference(ImageId(2), width, height, ImageData::Surface(WINDOW));
    pen.copy(Point { x: layout.window.left, y: layout.window.top }, Clip::None, picture);
    pen.out.push(ServerMessage::SurfaceDestroy(SurfaceDestroy { surface_id: WINDOW }));
}

fn terminal(pen: &mut Pen, layout: &Layout) {
    let shadow = Point { x: layout::SHADOW_OFFSET, y: layout::SHADOW_OFFSET };
    pen.fill(moved(layout.terminal, shadow), Clip::None, art::SHADOW);
    pen.fill(layout.terminal, Clip::None, art::FRAME);
    let title = Point { x: layout.terminal.left + 10, y: layout.terminal.top + 6 };
    pen.write(title, layout::TERMINAL, layout::TEXT, art::LABEL);
    pen.blackness(layout.terminal_body());
    for (row, line) in layout::OUTPUT.iter().enumerate() {
        terminal_line(pen, layout, row, line);
    }
    // It scrolls: what moves overlaps the place that it moves to.
    let scrolls = layout.terminal_scrolls();
    let by = Point { x: 0, y: -layout::TERMINAL_PITCH };
    pen.copy_bits(moved(scrolls, by), Point { x: scrolls.left, y: scrolls.top });
    pen.blackness(Rect { top: scrolls.bottom - layout::TERMINAL_PITCH, ..scrolls });
    terminal_line(pen, layout, layout::ROWS - 1, layout::PROMPT);
    pen.invers(layout.terminal_cursor());
}

fn terminal_line(pen: &mut Pen, layout: &Layout, row: usize, line: &str) {
    let palette = draw::palette([0, art::GREEN]);
    let image = draw::text(line, layout::TEXT, palette);
    pen.copy(layout.terminal_line(row), Clip::None, image);
}

/// The clip of a disc.
fn disc(centre: Point, radius: i32) -> Clip {
    let row = |dy: i32| {
        let reach = art::disc(radius, dy)?;
        let (left, right) = (centre.x - reach, (centre.x + reach + 1).min(centre.x + radius));
        Some(Rect { top: centre.y + dy, left, bottom: centre.y + dy + 1, right })
    };
    let rows: Vec<Rect> = (-radius..radius).filter_map(row).collect();
    draw::clip(&rows)
}

/// Where everything is drawn before it is seen.
const DESKTOP: SurfaceId = SurfaceId(1);

fn create(surface_id: SurfaceId, size: Rect, flags: SurfaceFlags) -> ServerMessage {
    ServerMessage::SurfaceCreate(SurfaceCreate {
        surface_id,
        width: size.width(),
        height: size.height(),
        format: SurfaceFormat::XRGB,
        flags,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_size_can_be_asked_for() {
        for (width, height) in [(0, 0), (64, 4096), (200, 100), (u32::MAX, 64)] {
            let scene = Scene::new(width, height);
            assert!(scene.messages(0).len() > 50);
            assert_eq!(scene.expected(3).len(), (scene.width() * scene.height() * 4) as usize);
        }
    }

    #[test]
    fn a_round_of_steps_turns_the_bar_over_and_the_next_one_back() {
        let scene = Scene::new(640, 480);
        let (start, turned) = (scene.expected(0), scene.expected(layout::CELLS));
        assert_ne!(start, turned);
        assert_ne!(scene.expected(7), scene.expected(8));
        assert_eq!(start, scene.expected(2 * layout::CELLS));
    }
}
