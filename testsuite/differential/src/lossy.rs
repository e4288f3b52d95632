//! Pictures that lose detail on their way: JPEG, JPEG_ALPHA and MJPEG streams, compared within a tolerance.
//!
//! The server draws its own picture from what the device has, not from what it sends. The random commands of `run` have no
//! place here: a command that needs pixels that the client has only roughly makes the server send them as a picture,
//! again as JPEG, and that of noise is as wrong as it likes. Here are smooth pictures, one beside or over the other.

use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use spice_proto::types::{Rect, SurfaceId};

use crate::choice::Choice;
use crate::device::Handle;
use crate::encode::encode;
use crate::pictures::{format, premultiply};
use crate::scene::{Bitmap, Command, Format, Image, Op, Scene, Source, SurfaceSpec};
use crate::server::Mode;
use crate::watcher::{Seen, Watcher};

/// By how much a colour value may differ in a picture. Servers encode at quality 85, whose tables divide the mean and the
/// three lowest frequencies, all that a smooth picture has, by 3 to 5 (luminance) and 5 to 7 (chrominance). Each is off
/// by at most half of that, of which an eighth reaches a pixel for the mean and up to a quarter for the others: 1.4 in
/// luminance and 1.9 in chrominance, which blue takes 1.8 times. Rounding to whole colours and the halved resolution of
/// chrominance add one or two.
const PICTURE_TOLERANCE: u8 = 8;
/// The same for frames, whose quality the server lowers as it sees fit: at 75 the tables have 1.6 times the steps.
const FRAME_TOLERANCE: u8 = 12;
/// By how much all values may differ on average: what is largest at some pixels is a quarter of it over all.
const MEAN: f64 = 1.5;

const SCREEN: SurfaceSpec =
    SurfaceSpec { id: 0, format: Format::Xrgb, width: 400, height: 300, bottom_up: false };

/// Runs everything, and says what it was.
pub(crate) fn serve(seed: u64, video: bool) -> ExitCode {
    let mode = if video { Mode::Mjpeg } else { Mode::Jpeg };
    crate::serve_with(mode, &[SCREEN], move |devices, port| {
        let outcome = if video { film(seed, &devices[0], port) } else { pictures(seed, &devices[0], port) };
        match outcome {
            Ok(said) => {
                println!("{said}");
                0
            }
            Err(error) => {
                eprintln!("error: seed {seed}: {error}");
                1
            }
        }
    })
}

fn connect(port: u16) -> Result<Watcher, String> {
    let viewer = Watcher::connect(port)?;
    viewer.until("the first picture", |seen| seen.displays.canvas(0).is_some_and(|c| c.is_marked()))?;
    Ok(viewer)
}

/// Smooth pictures all over the screen, with and without alpha.
fn pictures(seed: u64, device: &Handle, port: u16) -> Result<String, String> {
    let viewer = connect(port)?;
    let c = &mut Choice::new(seed);
    let mut worst = Difference::default();
    for number in 1..=ROUNDS {
        let (width, height) = (16 + c.below(200), 16 + c.below(200));
        let (x, y) = (c.below(SCREEN.width - width), c.below(SCREEN.height - height));
        let kind = c.of(&[format::RGB24, format::RGB32, format::RGBA]);
        let before = viewer.seen().images.values().sum::<u64>();
        let bitmap = smooth(c, number, kind, width, height);
        draw(device, bitmap, Rect::at(x as i32, y as i32, width as i32, height as i32))?;
        device.wake();
        viewer.until("the picture", |seen| seen.images.values().sum::<u64>() > before)?;
        worst.merge(
            &compare(device, &viewer, PICTURE_TOLERANCE)
                .map_err(|error| format!("picture {number}: {error}"))?,
        );
    }
    let seen = viewer.seen();
    let count = |kind| seen.images.get(&kind).copied().unwrap_or_default();
    let (jpeg, jpeg_alpha) = (count(105), count(108));
    if jpeg < u64::from(ROUNDS) / 2 || jpeg_alpha < u64::from(ROUNDS) / 6 {
        return Err(format!("JPEG {jpeg} times and JPEG_ALPHA {jpeg_alpha} times, of {ROUNDS} pictures"));
    }
    if worst.largest == 0 {
        return Err("no picture lost anything".into());
    }
    Ok(format!(
        "lossy: JPEG {jpeg}, JPEG_ALPHA {jpeg_alpha}; {worst} (tolerance {PICTURE_TOLERANCE} and {MEAN})"
    ))
}

/// Pictures of one run.
const ROUNDS: u32 = 60;

/// A film in one place of the screen, until the server makes a stream of it; then its frames.
fn film(seed: u64, device: &Handle, port: u16) -> Result<String, String> {
    let viewer = connect(port)?;
    let c = &mut Choice::new(seed);
    let area = Rect::at(40, 30, 160 + 16 * c.below(8) as i32, 120 + 8 * c.below(8) as i32);
    let (mut worst, mut compared) = (Difference::default(), 0);
    for number in 1..=FRAMES {
        let bitmap = smooth(c, number, format::RGB32, area.width(), area.height());
        let before = viewer.seen().frames;
        draw(device, bitmap, area)?;
        device.wake();
        thread::sleep(PACE);
        // Frames that the server drops on a busy machine do not come; those that come are the last drawn.
        if viewer.seen().frames > before && number % 4 == 0 {
            worst.merge(
                &compare(device, &viewer, FRAME_TOLERANCE)
                    .map_err(|error| format!("frame {number}: {error}"))?,
            );
            compared += 1;
            if compared == COMPARED {
                break;
            }
        }
    }
    if compared < COMPARED {
        return Err(format!("{compared} frames of a stream came of {FRAMES}"));
    }
    if worst.largest == 0 {
        return Err("no frame lost anything".into());
    }
    Ok(format!("lossy: MJPEG, {compared} frames; {worst} (tolerance {FRAME_TOLERANCE} and {MEAN})"))
}

/// From frame to frame: servers look for films of at least five frames per second.
const PACE: Duration = Duration::from_millis(40);
/// Most frames drawn.
const FRAMES: u32 = 2000;
/// Frames of the stream that are compared.
const COMPARED: u32 = 12;

fn draw(device: &Handle, bitmap: Bitmap, area: Rect) -> Result<(), String> {
    let whole = Rect::at(0, 0, bitmap.width as i32, bitmap.height as i32);
    let image = Image::Bitmap(Arc::new(bitmap));
    let op =
        Op::Copy { blend: false, source: Source { image, area: whole, scale_mode: 1 }, rop: 8, mask: None };
    let command = Command { surface: 0, area, clip: None, opaque: true, op };
    device.draw(encode(&Scene { surfaces: vec![SCREEN], commands: Vec::new() }, &command))
}

/// A picture whose colours change by less than one step from pixel to pixel.
fn smooth(c: &mut Choice, unique: u32, format: u8, width: u32, height: u32) -> Bitmap {
    let bytes = if format == format::RGB24 { 3 } else { 4 };
    let stride = (width * bytes).next_multiple_of(4);
    let base = [(); 3].map(|()| c.below(120));
    let slopes = [(); 3].map(|()| (c.below(128), c.below(128)));
    let alpha = c.below(200);
    let mut data = vec![0; (stride * height) as usize];
    for (y, row) in (0..).zip(data.chunks_exact_mut(stride as usize)) {
        for (x, px) in (0..).zip(row.chunks_exact_mut(bytes as usize).take(width as usize)) {
            let channel = |n: usize| base[n] + (slopes[n].0 * x + slopes[n].1 * y) / 400;
            let v = channel(0).min(255) << 16 | channel(1).min(255) << 8 | channel(2).min(255);
            let v = if format == format::RGBA {
                premultiply((alpha + (x + y) / 16).min(255) << 24 | v)
            } else {
                v
            };
            px.copy_from_slice(&v.to_le_bytes()[..bytes as usize]);
        }
    }
    Bitmap {
        unique,
        format,
        width,
        height,
        stride,
        top_down: true,
        palette: None,
        data,
        rows_per_chunk: 0,
        cacheable: false,
        high_bits: false,
        quic: None,
        padding_set: false,
    }
}

/// How far two pictures are apart.
#[derive(Clone, Copy, Debug, Default)]
struct Difference {
    largest: u8,
    mean: f64,
}

impl Difference {
    fn merge(&mut self, other: &Self) {
        self.largest = self.largest.max(other.largest);
        self.mean = self.mean.max(other.mean);
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "colour values differ by at most {}, {:.2} on average", self.largest, self.mean)
    }
}

/// Compares colours on both sides, until they agree: the picture may be on its way.
fn compare(device: &Handle, viewer: &Watcher, tolerance: u8) -> Result<Difference, String> {
    device.update(&SCREEN);
    let expected = device.pixels(&SCREEN, device.primary());
    let agrees =
        |seen: &Seen| difference(seen, &expected).is_some_and(|d| d.largest <= tolerance && d.mean <= MEAN);
    let agreed = viewer.until("the server's picture", agrees);
    let now = difference(&viewer.seen(), &expected).ok_or("no picture")?;
    agreed.map(|()| now).map_err(|error| format!("{error}: {now}"))
}

fn difference(seen: &Seen, expected: &[u8]) -> Option<Difference> {
    let view = seen.displays.canvas(0)?.view(SurfaceId(0))?;
    let ours = (0..view.height()).flat_map(|y| view.row(y).chunks_exact(4));
    let (mut largest, mut sum, mut values) = (0, 0, 0_u32);
    for (ours, theirs) in ours.zip(expected.chunks_exact(4)) {
        for (a, b) in ours.iter().zip(theirs).take(3) {
            largest = largest.max(a.abs_diff(*b));
            sum += u64::from(a.abs_diff(*b));
            // What was never drawn is black and would make the mean small.
            values += u32::from(*b != 0);
        }
    }
    Some(Difference { largest, mean: sum as f64 / f64::from(values.max(1)) })
}
