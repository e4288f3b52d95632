//! What the scene looks like, as rules from places to colours, 0x00RRGGBB.

/// Rows of letters, each of which stands for a colour.
#[derive(Debug)]
pub(super) struct Art {
    rows: [&'static str; 16],
    colours: &'static [(u8, u32)],
}

impl Art {
    /// Columns and rows.
    pub(super) const SIZE: u32 = 16;

    /// The number of the colour at a dot.
    pub(super) fn index(&self, x: u32, y: u32) -> u8 {
        let row = self.rows.get(y as usize).copied().unwrap_or_default();
        let letter = row.as_bytes().get(x as usize).copied().unwrap_or(b'.');
        let at = self.colours.iter().position(|(name, _)| *name == letter);
        u8::try_from(at.unwrap_or(0)).unwrap_or(0)
    }

    /// The colour of a number.
    pub(super) fn colour(&self, index: u8) -> u32 {
        self.colours.get(usize::from(index)).map_or(0, |(_, colour)| *colour)
    }

    /// The colours by number.
    pub(super) fn colours(&self) -> impl Iterator<Item = u32> {
        self.colours.iter().map(|(_, colour)| *colour)
    }
}

/// A chili on the window's paper.
pub(super) const CHILI: Art = Art {
    rows: [
        "............gg..",
        "...........gG...",
        "..........gG....",
        ".......kkkgkk...",
        "......kGggGGgk..",
        ".....krkggkGkk..",
        ".....krrkkrrk...",
        ".....krprrrRk...",
        ".....krprrrRk...",
        ".....krprrrRk...",
        "......krprrRk...",
        "......krrrRk....",
        ".......krrrRk...",
        "........kkrrRk..",
        "..........kkRRk.",
        "............kkk.",
    ],
    colours: &[
        (b'.', PAPER),
        (b'k', 0x2b_1b22),
        (b'r', 0xe0_3131),
        (b'R', 0xa6_1e2a),
        (b'p', 0xff_b3a7),
        (b'g', 0x51_cf66),
        (b'G', 0x2b_8a3e),
    ],
};

/// A folder on a tile.
pub(super) const FOLDER: Art = Art {
    rows: [
        "................",
        "................",
        "................",
        "..dddddd........",
        ".dyyyyyyd.......",
        ".dyyyyyyyddddd..",
        ".dyyyyyyyyyyyyd.",
        ".dddddddddddddd.",
        ".dwwwwwwwwwwwwd.",
        ".doooooooooooyd.",
        ".doooooooooooyd.",
        ".doooooooooooyd.",
        ".doooooooooooyd.",
        ".dddddddddddddd.",
        "................",
        "................",
    ],
    colours: &[(b'.', 0x2a_3a66), (b'd', 0x8a_5a12), (b'y', 0xf2_b84b), (b'o', 0xff_d98a), (b'w', 0xff_f3d0)],
};

/// The pointer: `k` is black, `w` white, anything else see-through.
pub(super) const POINTER: [&str; 16] = [
    "k...........",
    "kk..........",
    "kwk.........",
    "kwwk........",
    "kwwwk.......",
    "kwwwwk......",
    "kwwwwwk.....",
    "kwwwwwwk....",
    "kwwwwwwwk...",
    "kwwwwwkkkk..",
    "kwwkwwk.....",
    "kwk.kwwk....",
    "kk..kwwk....",
    "k....kwwk...",
    ".....kwwk...",
    "......kk....",
];

/// The sky repeats after so many columns.
pub(super) const SKY_PERIOD: u32 = 64;

/// The sky: three colours from top to bottom, dithered.
pub(super) fn sky(x: u32, y: u32, height: u32) -> u32 {
    const STOPS: [u32; 4] = [0x14_1e52, 0x5b_3a8c, 0xd9_5d7a, 0xff_c86b];
    let bands = STOPS.len() as u32 - 1;
    let height = height.max(bands);
    let band = (y * bands / height).min(bands - 1);
    let (start, end) = (band * height / bands, (band + 1) * height / bands);
    // A position in the band and a threshold, both in 256ths.
    let part = (y.saturating_sub(start) * 256 / (end - start).max(1)).min(256);
    let threshold = BAYER[(y % 4) as usize][(x % SKY_PERIOD % 4) as usize] * 16 + 8;
    blend(STOPS[band as usize], STOPS[band as usize + 1], part, threshold)
}

/// The sun's colour in a row of `2 * radius`.
pub(super) fn sun(row: u32, radius: u32) -> u32 {
    blend(0xff_f4b0, 0xff_8a5c, row * 256 / (2 * radius).max(1), 128)
}

/// The first row of the far hills in a column.
pub(super) fn far_hills(x: u32, height: u32) -> u32 {
    swell(height * 13 / 20, x, &[(610, 40), (170, 14), (67, 5)], height)
}

/// The first row of the near hills in a column.
pub(super) fn near_hills(x: u32, height: u32) -> u32 {
    swell(height * 16 / 20, x + 300, &[(830, 46), (240, 18), (31, 2)], height)
}

/// The title bar's colour in a column of `width`, in 5 bits per part.
pub(super) fn title_555(x: u32, width: u32) -> u16 {
    let part = x * 31 / width.max(1);
    let (red, green, blue) = (3 + part * 16 / 31, 8 + part * 4 / 31, 20);
    (red << 10 | green << 5 | blue) as u16
}

/// A colour of 5 bits per part, widened.
pub(super) fn widen(colour: u16) -> u32 {
    let part = |shift: u32| {
        let five = u32::from(colour) >> shift & 31;
        five << 3 | five >> 2
    };
    part(10) << 16 | part(5) << 8 | part(0)
}

/// A colour of the cube with six shades of red, green and blue.
pub(super) fn cube(index: u8) -> u32 {
    let index = u32::from(index);
    let shade = |n: u32| n % 6 * 51;
    shade(index / 36) << 16 | shade(index / 6) << 8 | shade(index)
}

/// How many pixels of a disc lie to each side of its centre in the row at `dy`.
pub(super) fn disc(radius: i32, dy: i32) -> Option<i32> {
    let rest = radius * radius - dy * dy;
    u32::try_from(rest).ok().and_then(|rest| i32::try_from(rest.isqrt()).ok())
}

/// `a` and `b` mixed by `part` of 256; `threshold` of 256 decides on what is between two numbers.
fn blend(a: u32, b: u32, part: u32, threshold: u32) -> u32 {
    let mix = |shift: u32| {
        let (a, b) = (a >> shift & 0xff, b >> shift & 0xff);
        ((a * (256 - part) + b * part + threshold.min(255)) >> 8).min(255) << shift
    };
    mix(16) | mix(8) | mix(0)
}

/// A line that swells by waves of the given periods and heights, which go with a picture of 768 rows.
fn swell(base: u32, x: u32, waves: &[(u32, u32)], height: u32) -> u32 {
    let mut y = i64::from(base);
    for &(period, swing) in waves {
        let half = i64::from(period / 2);
        let at = i64::from(x % period);
        let swing = i64::from(swing * height / 768);
        // One arch up, one arch down.
        let arch = 4 * swing * (at % half) * (half - at % half) / (half * half);
        y += if at < half { arch } else { -arch };
    }
    u32::try_from(y).unwrap_or(0).min(height)
}

pub(super) const PAPER: u32 = 0xf4_f5fa;
pub(super) const INK: u32 = 0x22_2a3f;
pub(super) const FAR: u32 = 0x4a_2f6b;
pub(super) const NEAR: u32 = 0x24_1b45;
pub(super) const PANEL: u32 = 0x1a_1f33;
pub(super) const LABEL: u32 = 0xff_ffff;
pub(super) const SHADOW: u32 = 0x10_1428;
pub(super) const FRAME: u32 = 0x3a_4468;
pub(super) const GREEN: u32 = 0x6b_e675;
pub(super) const CELL_ON: u32 = 0x51_cf66;
pub(super) const CELL_OFF: u32 = 0x39_4160;
pub(super) const BUTTONS: [u32; 3] = [0xff_605c, 0xff_bd44, 0x00_ca4e];
pub(super) const CHECKS: [u32; 2] = [0xff_ffff, 0x38_64d9];

const BAYER: [[u32; 4]; 4] = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]];
