//! Where things are in the scene, and what they say.

use crate::testing::scene::font;
use crate::types::{Point, Rect};

/// Places in pixels; on a small screen things reach beyond its edges.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// The whole screen.
    pub(super) screen: Rect,
    /// The sun's centre.
    pub(super) sun: Point,
    pub(super) sun_radius: i32,
    pub(super) window: Rect,
    pub(super) terminal: Rect,
    pub(super) panel: Rect,
}

impl Layout {
    pub(super) fn new(width: i32, height: i32) -> Self {
        let (window_width, window_height) = (560.min(width * 7 / 8), 364.min(height * 3 / 4));
        let (left, top) = (width - 436 - width / 24, height - PANEL_HEIGHT - 170 - height / 24);
        Self {
            screen: Rect::at(0, 0, width, height),
            sun: Point { x: width * 7 / 10, y: height * 2 / 5 },
            sun_radius: height / 7,
            window: Rect::at(width / 16, height / 10, window_width, window_height),
            terminal: Rect::at(left, top, 436, 170),
            panel: Rect::at(0, height - PANEL_HEIGHT, width, PANEL_HEIGHT),
        }
    }

    pub(super) fn icon(&self, index: usize) -> Rect {
        let (row, screen) = (index as i32, self.screen);
        Rect::at(screen.right - 104, screen.bottom / 12 + 100 * row, ICON, ICON)
    }

    pub(super) fn icon_label(&self, index: usize) -> Point {
        let icon = self.icon(index);
        let (width, _) = font::size(LABELS[index], TEXT);
        Point { x: icon.left + (ICON - width as i32) / 2, y: icon.bottom + 6 }
    }

    /// A cell of the progress bar.
    pub(super) fn cell(&self, index: u64) -> Rect {
        let from_right = (CELLS - index % CELLS) as i32;
        Rect::at(self.panel.right - 12 - 10 * from_right, self.panel.top + 12, 8, 12)
    }

    /// The terminal without its title.
    pub(super) fn terminal_body(&self) -> Rect {
        Rect { top: self.terminal.top + TERMINAL_TITLE_HEIGHT, ..inset(self.terminal, 1) }
    }

    /// The place of a line in the terminal.
    pub(super) fn terminal_line(&self, row: usize) -> Point {
        let body = self.terminal_body();
        Point { x: body.left + 8, y: body.top + 6 + row as i32 * TERMINAL_PITCH }
    }

    /// All lines of the terminal but the first: what moves up when it scrolls.
    pub(super) fn terminal_scrolls(&self) -> Rect {
        let (body, second) = (self.terminal_body(), self.terminal_line(1));
        Rect { left: body.left, right: body.right, top: second.y, bottom: self.terminal_line(ROWS).y }
    }

    pub(super) fn terminal_cursor(&self) -> Rect {
        let prompt = self.terminal_line(ROWS - 1);
        let (width, _) = font::size(PROMPT, TEXT);
        Rect::at(prompt.x + width as i32, prompt.y - 1, 10, 16)
    }
}

/// Places in the window, from its left top corner.
pub(super) mod inside {
    use crate::testing::scene::art::Art;
    use crate::types::{Point, Rect};

    pub(in crate::testing::scene) const TITLE_HEIGHT: i32 = 30;
    pub(in crate::testing::scene) const TITLE: Point = Point { x: 84, y: 8 };
    pub(in crate::testing::scene) const HEADING: Point = Point { x: 24, y: 46 };
    pub(in crate::testing::scene) const CELL: u32 = 12;
    pub(in crate::testing::scene) const SWATCHES: Rect = Rect { top: 208, left: 24, bottom: 352, right: 240 };
    pub(in crate::testing::scene) const CHECKS: Rect = Rect { top: 208, left: 260, bottom: 352, right: 380 };
    pub(in crate::testing::scene) const CHILI_SCALE: u32 = 9;
    pub(in crate::testing::scene) const CHILI: Rect =
        Rect { top: 208, left: 400, bottom: 208 + CHILI_SIZE, right: 400 + CHILI_SIZE };
    const CHILI_SIZE: i32 = (Art::SIZE * CHILI_SCALE) as i32;

    pub(in crate::testing::scene) fn line(index: usize) -> Point {
        Point { x: 24, y: 100 + 24 * index as i32 }
    }

    /// The half of the checks that is inverted.
    pub(in crate::testing::scene) fn inverted() -> Rect {
        Rect { left: (CHECKS.left + CHECKS.right) / 2, ..CHECKS }
    }

    /// The centre of a button in the title bar.
    pub(in crate::testing::scene) fn button(index: usize) -> Point {
        Point { x: 20 + 22 * index as i32, y: TITLE_HEIGHT / 2 }
    }
}

/// The rectangle without a border of so many pixels.
pub(super) fn inset(rect: Rect, border: i32) -> Rect {
    Rect {
        top: rect.top + border,
        left: rect.left + border,
        bottom: rect.bottom - border,
        right: rect.right - border,
    }
}

/// The rectangle, moved.
pub(super) fn moved(rect: Rect, by: Point) -> Rect {
    Rect {
        top: rect.top + by.y,
        left: rect.left + by.x,
        bottom: rect.bottom + by.y,
        right: rect.right + by.x,
    }
}

pub(super) const TITLE: &str = "SPICE for Rust";
pub(super) const HEADING: &str = "It works!";
pub(super) const LINES: [&str; 4] = [
    "This desktop is a script of SPICE",
    "drawing messages: fills and copies,",
    "palettes, clips, an image cache, and",
    "a window that was drawn off screen.",
];
pub(super) const LABELS: [&str; 3] = ["Files", "Docs", "Misc"];
pub(super) const MENU: &str = "Menu";
pub(super) const TERMINAL: &str = "Terminal";
/// The terminal's lines before it scrolls.
pub(super) const OUTPUT: [&str; ROWS] = [
    "$ cargo run -p reference-server",
    "serving the demo desktop",
    "$ cargo run -p headless",
    "connected, drawing ...",
    "a picture of this desktop",
    "done",
];
pub(super) const PROMPT: &str = "$ ";

/// Pixels per dot of ordinary text.
pub(super) const TEXT: u32 = 2;
/// Pixels per dot of the heading.
pub(super) const LARGE: u32 = 5;
/// Pixels per dot of an icon.
pub(super) const ICON_SCALE: u32 = 3;
pub(super) const ICON: i32 = 48;
pub(super) const BUTTON_RADIUS: i32 = 6;
pub(super) const SHADOW_OFFSET: i32 = 8;
pub(super) const CELLS: u64 = 20;
pub(super) const ROWS: usize = 6;
pub(super) const TERMINAL_TITLE_HEIGHT: i32 = 26;
pub(super) const TERMINAL_PITCH: i32 = 22;
const PANEL_HEIGHT: i32 = 36;
