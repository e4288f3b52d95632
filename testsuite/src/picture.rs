//! Pictures as rows of RGB bytes: reading files, comparing exactly.

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use crate::Result;

/// A picture of 8-bit red, green and blue; transparency is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Pixels row by row from the top.
    pub pixels: Vec<[u8; 3]>,
}

impl Picture {
    /// A picture from rows of red, green, blue and a fourth byte that does not matter.
    pub fn from_rgba(width: u32, height: u32, bytes: &[u8]) -> Self {
        let pixels = bytes.chunks_exact(4).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        Self { width, height, pixels }
    }

    /// The part at a place, if there is as much.
    pub fn part(&self, x: u32, y: u32, width: u32, height: u32) -> Option<Self> {
        let rows = (y..y.checked_add(height)?).map(|row| {
            let from = row as usize * self.width as usize + x as usize;
            self.pixels.get(from..from + width as usize)
        });
        if x.checked_add(width)? > self.width {
            return None;
        }
        let pixels = rows.collect::<Option<Vec<_>>>()?.concat();
        Some(Self { width, height, pixels })
    }
}

/// Where two pictures differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The sizes, as (width, height).
    Size((u32, u32), (u32, u32)),
    /// Some pixels.
    Pixels {
        /// How many differ.
        count: usize,
        /// The first of them, as (x, y), in reading order.
        first: (u32, u32),
        /// What stands there in the two pictures.
        values: ([u8; 3], [u8; 3]),
        /// The smallest area around all of them: left, top, and right and bottom, which are outside.
        area: (u32, u32, u32, u32),
    },
}

/// What a lossy codec has cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loss {
    /// The mean difference of colour values.
    pub mean: f64,
    /// The largest difference of a colour value.
    pub most: u8,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(a, b) => write!(f, "{}x{} against {}x{} pixels", a.0, a.1, b.0, b.1),
            Self::Pixels { count, first, values: (a, b), area } => write!(
                f,
                "{count} pixels differ, the first at x {} y {}: {:02x}{:02x}{:02x} against {:02x}{:02x}{:02x}; \
                 all in x {}..{} y {}..{}",
                first.0, first.1, a[0], a[1], a[2], b[0], b[1], b[2], area.0, area.2, area.1, area.3
            ),
        }
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture {}x{}", self.width, self.height)
    }
}

impl Picture {
    /// Reads a PNG file.
    pub fn read_png(path: &Path) -> Result<Self> {
        let problem = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
        let file = File::open(path).map_err(|error| problem(&error))?;
        let mut decoder = png::Decoder::new(BufReader::new(file));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().map_err(|error| problem(&error))?;
        let size = reader.output_buffer_size().ok_or_else(|| problem(&"too large"))?;
        let mut bytes = vec![0; size];
        let info = reader.next_frame(&mut bytes).map_err(|error| problem(&error))?;
        bytes.truncate(info.buffer_size());
        let samples = info.color_type.samples();
        let pixels = bytes
            .chunks_exact(samples)
            .map(|pixel| match pixel {
                [grey] | [grey, _] => [*grey; 3],
                [red, green, blue, ..] => [*red, *green, *blue],
                [] => [0; 3],
            })
            .collect();
        Ok(Self { width: info.width, height: info.height, pixels })
    }

    /// Reads a binary PPM file, as `spicy-screenshot` and QEMU write them.
    pub fn read_ppm(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse_ppm(&bytes).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn parse_ppm(bytes: &[u8]) -> Result<Self> {
        // Four words, each followed by one white-space byte, then the pixels.
        let mut words = Vec::new();
        let mut rest = bytes;
        while words.len() < 4 {
            let end = rest.iter().position(u8::is_ascii_whitespace).ok_or("the header is cut off")?;
            let word = std::str::from_utf8(&rest[..end]).map_err(|_| "the header is not text")?;
            if !word.is_empty() {
                words.push(word.to_owned());
            }
            rest = &rest[end + 1..];
        }
        if words[0] != "P6" || words[3] != "255" {
            return Err(format!("kind {} with maximum {} instead of P6 with 255", words[0], words[3]));
        }
        let number = |text: &str| text.parse::<u32>().map_err(|error| format!("size {text:?}: {error}"));
        let (width, height) = (number(&words[1])?, number(&words[2])?);
        let pixels: Vec<_> = rest.chunks_exact(3).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        if pixels.len() as u64 != u64::from(width) * u64::from(height) {
            return Err(format!("{} pixels instead of {width}x{height}", pixels.len()));
        }
        Ok(Self { width, height, pixels })
    }

    /// Compares pixel for pixel.
    pub fn compare(&self, other: &Self) -> std::result::Result<(), Difference> {
        if (self.width, self.height) != (other.width, other.height) {
            return Err(Difference::Size((self.width, self.height), (other.width, other.height)));
        }
        let mut found: Option<Difference> = None;
        for (index, (&a, &b)) in self.pixels.iter().zip(&other.pixels).enumerate() {
            if a == b {
                continue;
            }
            let (x, y) = (index as u32 % self.width, index as u32 / self.width);
            match &mut found {
                Some(Difference::Pixels { count, area, .. }) => {
                    *count += 1;
                    *area = (area.0.min(x), area.1.min(y), area.2.max(x + 1), area.3.max(y + 1));
                }
                _ => {
                    found = Some(Difference::Pixels {
                        count: 1,
                        first: (x, y),
                        values: (a, b),
                        area: (x, y, x + 1, y + 1),
                    });
                }
            }
        }
        found.map_or(Ok(()), Err)
    }

    /// How far colour values are from those of another picture; `None` if the sizes differ.
    pub fn loss(&self, other: &Self) -> Option<Loss> {
        if (self.width, self.height) != (other.width, other.height) {
            return None;
        }
        let values = |picture: &'_ Self| picture.pixels.as_flattened().to_vec();
        let (ours, theirs) = (values(self), values(other));
        let differences = || ours.iter().zip(&theirs).map(|(a, b)| a.abs_diff(*b));
        let sum: u64 = differences().map(u64::from).sum();
        Some(Loss { mean: sum as f64 / ours.len().max(1) as f64, most: differences().max().unwrap_or(0) })
    }

    /// How many different colours there are: a test picture with one or two of them proves little.
    pub fn colours(&self) -> usize {
        self.pixels.iter().collect::<HashSet<_>>().len()
    }

    /// Whether a row range holds anything beside its first pixel's colour.
    pub fn has_content(&self, rows: std::ops::Range<u32>) -> bool {
        let at = |row: u32| (row.min(self.height) as usize) * self.width as usize;
        let part = &self.pixels[at(rows.start)..at(rows.end).max(at(rows.start))];
        part.iter().any(|pixel| Some(pixel) != part.first())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ppm(header: &str, pixels: &[u8]) -> Result<Picture> {
        Picture::parse_ppm(&[header.as_bytes(), pixels].concat())
    }

    #[test]
    fn ppm_files_are_read() {
        let picture = ppm("P6\n2 1\n255\n", &[10, 32, 9, 1, 2, 3]).unwrap();
        assert_eq!(picture.pixels, [[10, 32, 9], [1, 2, 3]]);
        assert!(ppm("P6\n2 2\n255\n", &[0; 6]).unwrap_err().contains("2 pixels instead of 2x2"));
        assert!(ppm("P5\n2 1\n255\n", &[0; 6]).is_err());
        assert!(ppm("P6\n2 1", &[]).is_err());
    }

    #[test]
    fn differences_are_located() {
        let a = ppm("P6 3 3 255 ", &[7; 27]).unwrap();
        let mut b = a.clone();
        assert_eq!(a.compare(&b), Ok(()));
        b.pixels[1] = [8, 7, 7];
        b.pixels[8] = [0, 0, 0];
        let difference = a.compare(&b).unwrap_err();
        let text = "2 pixels differ, the first at x 1 y 0: 070707 against 080707; all in x 1..3 y 0..3";
        assert_eq!(difference.to_string(), text);
        let c = ppm("P6 1 1 255 ", &[7; 3]).unwrap();
        assert_eq!(a.compare(&c).unwrap_err().to_string(), "3x3 against 1x1 pixels");
    }

    #[test]
    fn losses_are_measured() {
        let (a, b) = (ppm("P6 1 2 255 ", &[9; 6]).unwrap(), ppm("P6 1 2 255 ", &[9, 9, 3, 9, 9, 9]).unwrap());
        assert_eq!(a.loss(&b), Some(Loss { mean: 1.0, most: 6 }));
        assert_eq!(a.loss(&ppm("P6 2 1 255 ", &[9; 6]).unwrap()), None);
    }

    #[test]
    fn content_and_colours_are_seen() {
        let mut a = ppm("P6 2 3 255 ", &[7; 18]).unwrap();
        assert!(!a.has_content(0..3));
        a.pixels[3] = [0; 3];
        assert!(a.has_content(1..2) && !a.has_content(2..9));
        assert_eq!(a.colours(), 2);
    }
}
