//! Pictures to measure with.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use spice_codecs::RowOrder;
use spice_codecs::bitmap::{Bitmap, Format, Layout};

/// A picture of 32-bit pixels, top row first.
pub struct Picture {
    /// What results call it.
    pub name: String,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Whether the fourth byte is alpha; otherwise it is 0.
    pub alpha: bool,
    /// Bytes b, g, r and a fourth one, colour premultiplied.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// What encoders take.
    ///
    /// # Panics
    /// When `pixels` are too few.
    pub fn bitmap(&self) -> Bitmap<'_> {
        self.bitmap_in(RowOrder::TopDown)
    }

    /// The picture as it is, or upside down with its bottom row first.
    ///
    /// # Panics
    /// When `pixels` are too few.
    pub fn bitmap_in(&self, rows: RowOrder) -> Bitmap<'_> {
        let format = if self.alpha { Format::Rgba } else { Format::Bit32 };
        let (width, height) = (self.width, self.height);
        let layout = Layout { format, width, height, stride: width * 4, rows };
        Bitmap::new(layout, &self.pixels).unwrap()
    }

    /// A square from the middle.
    pub fn tile(&self, side: u32) -> Self {
        let (left, top) = ((self.width - side) / 2, (self.height - side) / 2);
        Self { name: format!("{}_tile", self.name), ..self.part((left, top), (side, side)) }
    }

    /// A rectangle; what lies beyond the right or lower edge comes from the other side.
    pub fn part(&self, (left, top): (u32, u32), (width, height): (u32, u32)) -> Self {
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (left + x, top + y)));
        let pixel = |(x, y): (u32, u32)| {
            let at = (y % self.height * self.width + x % self.width) as usize * 4;
            [0, 1, 2, 3].map(|i| self.pixels[at + i])
        };
        let pixels = places.flat_map(pixel).collect();
        Self { name: self.name.clone(), width, height, alpha: self.alpha, pixels }
    }

    fn generated(name: &str, alpha: bool, mut pixel: impl FnMut(u32, u32) -> [u8; 4]) -> Self {
        let (width, height) = (1920, 1080);
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let pixels = places.flat_map(|(x, y)| pixel(x, y)).collect();
        Self { name: name.into(), width, height, alpha, pixels }
    }
}

/// The pictures of the folder named by `SPICE_PICTURES`, or generated ones; always one colour and noise.
///
/// # Panics
/// When the folder cannot be read.
pub fn all() -> Vec<Picture> {
    matching(|_| true)
}

/// As [`all`], but only pictures whose name is wanted are read.
///
/// # Panics
/// When the folder cannot be read.
pub fn matching(wanted: impl Fn(&str) -> bool) -> Vec<Picture> {
    let mut pictures = match std::env::var_os("SPICE_PICTURES") {
        Some(folder) => folder_of(Path::new(&folder), &wanted),
        None => generated(),
    };
    let mut random = noise();
    pictures.push(Picture::generated("solid", false, |_, _| [50, 100, 200, 0]));
    pictures.push(Picture::generated("random", false, |_, _| [random(), random(), random(), 0]));
    pictures.retain(|picture| wanted(&picture.name));
    pictures
}

/// Names of the short films, and the picture that each is made of.
pub const FILMS: [(&str, &str); 4] =
    [("scrolltext", "text"), ("scrollweb", "web"), ("scrolldesk", "desk"), ("bands", "desk")];

/// The films, as far as there are pictures for them: 16 frames of 1024x768 in which text, a page or a desktop scroll,
/// or 16 strips of a desktop one by one.
pub fn films(pictures: &[Picture]) -> Vec<(&'static str, Vec<Picture>)> {
    let film = |(name, source): (&'static str, &str)| {
        let picture = pictures.iter().find(|picture| picture.name.starts_with(source))?;
        let (step, rows) = match name {
            "scrolltext" => (48, 768),
            "bands" => (64, 64),
            _ => (40, 768),
        };
        Some((name, (0..16).map(|frame| picture.part((0, frame * step), (1024, rows))).collect()))
    };
    FILMS.into_iter().filter_map(film).collect()
}

fn folder_of(folder: &Path, wanted: impl Fn(&str) -> bool) -> Vec<Picture> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        let is_png = path.extension().is_some_and(|extension| extension == "png");
        is_png && path.file_stem().is_some_and(|name| wanted(&name.to_string_lossy()))
    });
    paths.sort();
    paths.iter().map(|path| png(path)).collect()
}

fn png(path: &Path) -> Picture {
    let mut decoder = png::Decoder::new(BufReader::new(File::open(path).unwrap()));
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info().unwrap();
    let mut samples = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut samples).unwrap();
    let count = info.color_type.samples();
    let premultiplied = |value: u8, alpha: u8| ((u32::from(value) * u32::from(alpha) + 127) / 255) as u8;
    let pixel = |p: &[u8]| match *p {
        [r, g, b, a] => [premultiplied(b, a), premultiplied(g, a), premultiplied(r, a), a],
        [r, g, b] => [b, g, r, 0],
        _ => [p[0], p[0], p[0], 0],
    };
    Picture {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        width: info.width,
        height: info.height,
        alpha: count == 4,
        pixels: samples.chunks(count).flat_map(pixel).collect(),
    }
}

/// Pictures of the kinds that desktops show.
fn generated() -> Vec<Picture> {
    let mut grain = noise();
    let mut photo = move |x: u32, y: u32| {
        let wave =
            |a: u32, b: u32| (128.0 + 90.0 * (f64::from(a) / 97.0).sin() * (f64::from(b) / 61.0).cos()) as u8;
        [wave(x, y) ^ grain() & 7, wave(y, x) ^ grain() & 7, wave(x + y, x) ^ grain() & 7, 0]
    };
    let photograph = Picture::generated("photo", false, &mut photo);
    let desktop = Picture::generated("desk", false, |x, y| match (x / 640, y) {
        (_, 0..32) => [60, 60, 60, 0],
        (0, _) => letters(x, y, [255, 255, 255, 0]),
        (1, _) if y % 300 < 24 => [200, 120, 40, 0],
        (1, _) => [240, 240, 240, 0],
        _ => photo(x, y),
    });
    let shape = Picture::generated("shape", true, |x, y| {
        let distance = f64::from(x).mul_add(1.0, -960.0).hypot(f64::from(y) - 540.0);
        let alpha = (255.0 - (distance - 400.0)).clamp(0.0, 255.0) as u8;
        let value = |v: u8| (u32::from(v) * u32::from(alpha) / 255) as u8;
        [value((x / 8) as u8), value((y / 8) as u8), value(90), alpha]
    });
    vec![
        desktop,
        Picture::generated("text", false, |x, y| letters(x, y, [255, 255, 255, 0])),
        photograph,
        Picture::generated("gradient", false, |x, y| [(x / 8) as u8, (y / 5) as u8, ((x + y) / 12) as u8, 0]),
        shape,
    ]
}

/// Dark marks of five by seven on a ground, different from place to place.
fn letters(x: u32, y: u32, ground: [u8; 4]) -> [u8; 4] {
    let (u, v) = (x % 8, y % 14);
    let letter = (x / 8 * 7 + y / 14 * 13) % 23;
    let inside = u < 5 && v < 7 && letter > 3;
    if inside && (u + 5 * v + 11 * letter) % 23 < 9 { [20, 20, 20, 0] } else { ground }
}

/// A generator of bytes that do not compress.
fn noise() -> impl FnMut() -> u8 {
    let mut state = 1u32;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    }
}
