//! The picture that the scene must give, painted pixel by pixel from the rules, without any drawing message.

use alloc::vec;
use alloc::vec::Vec;

use crate::testing::scene::layout::{self, Layout, inside, moved};
use crate::testing::scene::{Scene, art, font};
use crate::types::{Point, Rect};

/// Paints the scene after so many steps.
pub(super) fn paint(scene: &Scene, frame: u64) -> Vec<u8> {
    let layout = scene.layout();
    let mut canvas = Canvas { size: layout.screen, clip: layout.screen, pixels: Vec::new() };
    canvas.pixels = vec![0; (layout.screen.width() * layout.screen.height()) as usize];
    landscape(&mut canvas, &layout);
    icons(&mut canvas, &layout);
    panel(&mut canvas, &layout, frame);
    window(&mut canvas, &layout);
    terminal(&mut canvas, &layout);
    canvas.pixels.iter().flat_map(|pixel| pixel.to_le_bytes()).collect()
}

struct Canvas {
    size: Rect,
    clip: Rect,
    pixels: Vec<u32>,
}

impl Canvas {
    /// Gives each pixel of a rectangle a colour by its place within, or leaves it alone.
    fn paint(&mut self, area: Rect, colour: impl Fn(u32, u32) -> Option<u32>) {
        let visible = area.intersect(&self.clip).intersect(&self.size);
        for y in visible.top..visible.bottom {
            for x in visible.left..visible.right {
                if let Some(colour) = colour((x - area.left) as u32, (y - area.top) as u32) {
                    self.pixels[(y * self.size.right + x) as usize] = colour;
                }
            }
        }
    }

    fn fill(&mut self, area: Rect, colour: u32) {
        self.paint(area, |_, _| Some(colour));
    }

    fn write(&mut self, at: Point, text: &str, scale: u32, colour: u32) {
        let (width, height) = font::size(text, scale);
        let area = Rect::at(at.x, at.y, width as i32, height as i32);
        self.paint(area, |x, y| font::ink(text, scale, x, y).then_some(colour));
    }

    fn disc(&mut self, centre: Point, radius: i32, colour: impl Fn(u32) -> u32) {
        let area = Rect::at(centre.x - radius, centre.y - radius, 2 * radius, 2 * radius);
        self.paint(area, |x, y| {
            let (dx, dy) = (x as i32 - radius, y as i32 - radius);
            (dx * dx + dy * dy <= radius * radius).then(|| colour(y))
        });
    }
}

fn landscape(canvas: &mut Canvas, layout: &Layout) {
    let height = layout.screen.height();
    canvas.paint(layout.screen, |x, y| Some(art::sky(x, y, height)));
    canvas.disc(layout.sun, layout.sun_radius, |row| art::sun(row, layout.sun_radius as u32));
    canvas.paint(layout.screen, |x, y| (y >= art::far_hills(x, height)).then_some(art::FAR));
    canvas.paint(layout.screen, |x, y| (y >= art::near_hills(x, height)).then_some(art::NEAR));
}

fn icons(canvas: &mut Canvas, layout: &Layout) {
    for (index, label) in layout::LABELS.iter().enumerate() {
        canvas.paint(layout.icon(index), |x, y| {
            let dot = art::FOLDER.index(x / layout::ICON_SCALE, y / layout::ICON_SCALE);
            Some(art::FOLDER.colour(dot))
        });
        canvas.write(layout.icon_label(index), label, layout::TEXT, art::LABEL);
    }
}

fn panel(canvas: &mut Canvas, layout: &Layout, frame: u64) {
    canvas.fill(layout.panel, art::PANEL);
    canvas.fill(Rect { bottom: layout.panel.top + 1, ..layout.panel }, 0xff_ffff);
    let menu = Point { x: 16, y: layout.panel.top + 11 };
    canvas.write(menu, layout::MENU, layout::TEXT, art::LABEL);
    for index in 0..layout::CELLS {
        // Each round of steps turns all cells over, one by one.
        let turned = frame.saturating_add(layout::CELLS - 1 - index) / layout::CELLS;
        let colour = if turned % 2 == 1 { art::CELL_ON } else { art::CELL_OFF };
        canvas.fill(layout.cell(index), colour);
    }
}

fn window(canvas: &mut Canvas, layout: &Layout) {
    let Rect { left, top, .. } = layout.window;
    let corner = Point { x: left, y: top };
    let at = |point: Point| Point { x: point.x + left, y: point.y + top };
    canvas.fill(moved(layout.window, SHADOW), art::SHADOW);
    canvas.clip = layout.window;
    canvas.fill(layout.window, art::PAPER);
    let width = layout.window.width();
    let title = Rect { bottom: top + inside::TITLE_HEIGHT, ..layout.window };
    canvas.paint(title, |x, _| Some(art::widen(art::title_555(x, width))));
    canvas.write(at(inside::TITLE), layout::TITLE, layout::TEXT, art::LABEL);
    for (index, colour) in art::BUTTONS.into_iter().enumerate() {
        canvas.disc(at(inside::button(index)), layout::BUTTON_RADIUS, |_| colour);
    }
    canvas.write(at(inside::HEADING), layout::HEADING, layout::LARGE, art::INK);
    for (index, line) in layout::LINES.iter().enumerate() {
        canvas.write(at(inside::line(index)), line, layout::TEXT, art::INK);
    }
    canvas.paint(moved(inside::SWATCHES, corner), |x, y| {
        Some(art::cube((x / inside::CELL + 18 * (y / inside::CELL)) as u8))
    });
    let inverted = inside::inverted();
    canvas.paint(moved(inside::CHECKS, corner), |x, y| {
        let colour = art::CHECKS[((x / inside::CELL + y / inside::CELL) % 2) as usize];
        let is_inverted = x as i32 + inside::CHECKS.left >= inverted.left;
        Some(if is_inverted { !colour & 0xff_ffff } else { colour })
    });
    canvas.paint(moved(inside::CHILI, corner), |x, y| {
        let dot = art::CHILI.index(x / inside::CHILI_SCALE, y / inside::CHILI_SCALE);
        Some(art::CHILI.colour(dot))
    });
    canvas.clip = canvas.size;
}

fn terminal(canvas: &mut Canvas, layout: &Layout) {
    canvas.fill(moved(layout.terminal, SHADOW), art::SHADOW);
    canvas.fill(layout.terminal, art::FRAME);
    let title = Point { x: layout.terminal.left + 10, y: layout.terminal.top + 6 };
    canvas.write(title, layout::TERMINAL, layout::TEXT, art::LABEL);
    canvas.fill(layout.terminal_body(), 0);
    // It has scrolled by one line.
    for (row, line) in layout::OUTPUT.iter().skip(1).chain([&layout::PROMPT]).enumerate() {
        canvas.write(layout.terminal_line(row), line, layout::TEXT, art::GREEN);
    }
    canvas.fill(layout.terminal_cursor(), 0xff_ffff);
}

const SHADOW: Point = Point { x: layout::SHADOW_OFFSET, y: layout::SHADOW_OFFSET };
