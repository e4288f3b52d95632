//! What the library's encoders cost: pictures sent in each compression, and its thread's instructions or time.
//!
//! What that thread does besides encoding is seen where nothing is compressed: keeping the command, and handing bytes to the
//! system. The former is taken off as it is, the latter in proportion to the bytes.

use std::hint::black_box;
use std::process::{Command as Process, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use spice_benches::callgrind::total;
use spice_benches::codecs::{CodecName, Encoder, Payload, Picture, pictures};

use crate::child::FIRST_PRIMARY;
use crate::clock;
use crate::device::Handle;
use crate::encode::encode;
use crate::pictures::format;
use crate::receiver::Images;
use crate::scene::{Bitmap, Command, Format, Image, Op, Scene, Source, SurfaceSpec};
use crate::server::Mode;

/// What is sent, and how our codecs call it.
const MODES: [(Mode, Option<CodecName>); 3] =
    [(Mode::Off, None), (Mode::Quic, Some(CodecName::Quic)), (Mode::Lz, Some(CodecName::Lz))];

/// Takes the times of both sides' encoders, in turns, and says the best.
pub(crate) fn serve(wanted: Vec<String>, rounds: u32) -> ExitCode {
    crate::serve_with(Mode::Off, &[FIRST_PRIMARY], move |devices, port| {
        let sender = Sender { device: devices[0], port };
        let counted = std::env::var_os(COUNTED).is_some();
        let each = |picture| if counted { sender.count(picture) } else { sender.time(picture, rounds) };
        match selected(&wanted).iter().try_for_each(each) {
            Ok(()) => 0,
            Err(error) => {
                eprintln!("error: {error}");
                1
            }
        }
    })
}

fn selected(wanted: &[String]) -> Vec<Picture> {
    pictures::matching(|name| wanted.is_empty() || wanted.iter().any(|w| name.starts_with(w.as_str())))
}

struct Sender {
    device: Handle,
    port: u16,
}

impl Sender {
    /// Sends a picture some times in each compression, and encodes it ourselves meanwhile.
    fn time(&self, picture: &Picture, rounds: u32) -> Result<(), String> {
        let mut best = [(Duration::MAX, 0); MODES.len()];
        let mut own = [(Duration::MAX, 0); MODES.len()];
        let mut encoders = MODES.map(|(_, codec)| codec.map(Encoder::new));
        let mut payload = Payload::default();
        for _ in 0..rounds {
            for (at, (mode, _)) in MODES.into_iter().enumerate() {
                let session = Session::begin(self, picture, mode)?;
                for _ in 0..REPEATS {
                    let before = self.device.worker_time()?;
                    let len = session.send()?;
                    best[at] = (best[at].0.min(self.device.worker_time()? - before), len);
                }
                session.end()?;
                let Some(encoder) = &mut encoders[at] else { continue };
                for _ in 0..REPEATS {
                    let before = clock::own()?;
                    encoder.encode(black_box(&picture.bitmap()), &mut payload);
                    own[at] = (own[at].0.min(clock::own()? - before), payload.data.len());
                }
            }
        }
        let rate = |seconds: f64| picture.pixels.len() as f64 / seconds / 1e6;
        let (plain, raw) = best[0];
        println!("{}: sent as it is in {:.2} ms", picture.name, plain.as_secs_f64() * 1e3);
        for (((mode, _), (time, len)), (ours, own_len)) in MODES.into_iter().zip(best).zip(own).skip(1) {
            let sending = plain.as_secs_f64() * len as f64 / raw as f64;
            let (ours, theirs) = (rate(ours.as_secs_f64()), rate(time.as_secs_f64() - sending));
            println!(
                "{} encode {}: {ours:.0} / {theirs:.0} MB/s = {:.2}; {own_len} / {len} bytes; {:.2} ms, {:.2} of them for sending",
                mode.name(),
                picture.name,
                ours / theirs,
                time.as_secs_f64() * 1e3,
                sending * 1e3,
            );
        }
        Ok(())
    }

    /// Sends a picture in each compression with callgrind's counters reset before and read after.
    fn count(&self, picture: &Picture) -> Result<(), String> {
        for (mode, _) in MODES {
            let session = Session::begin(self, picture, mode)?;
            dump_counters()?;
            session.send()?;
            dump_counters()?;
            println!("{} {} {}", mode.name(), picture.name, picture.pixels.len() / 4);
            session.end()?;
        }
        Ok(())
    }
}

/// How often in a row each side encodes.
const REPEATS: usize = 2;

/// A client for which pictures are compressed in one way: the library looks at its setting when one connects.
struct Session<'a> {
    device: Handle,
    picture: &'a Picture,
    mode: Mode,
    surface: SurfaceSpec,
    place: usize,
    images: Images,
}

impl<'a> Session<'a> {
    /// Takes the place of the client before, and sends a picture once: what is needed once is there afterwards.
    fn begin(sender: &Sender, picture: &'a Picture, mode: Mode) -> Result<Self, String> {
        let device = sender.device;
        device.compress(mode);
        let images = Images::connect(sender.port)?;
        let surface = surface(picture);
        let place = device.create_surface(&surface)?;
        let session = Self { device, picture, mode, surface, place, images };
        session.send()?;
        Ok(session)
    }

    /// Sends the picture and waits for it to arrive; returns its length.
    fn send(&self) -> Result<usize, String> {
        let Self { device, picture, mode, surface, .. } = self;
        let area = surface.rect();
        let image = Image::Bitmap(Arc::new(bitmap(picture)));
        let op = Op::Copy { blend: false, source: Source { image, area, scale_mode: 1 }, rop: 8, mask: None };
        let command = Command { surface: surface.id, area, clip: None, opaque: true, op };
        device.draw(encode(&Scene { surfaces: vec![*surface], commands: Vec::new() }, &command))?;
        device.wake();
        let (sent, len) = self.images.next()?;
        if sent != *mode {
            return Err(format!("{} was sent as {} instead of {}", picture.name, sent.name(), mode.name()));
        }
        Ok(len)
    }

    fn end(self) -> Result<(), String> {
        self.device.destroy_surface(self.surface.id)?;
        self.device.update(&FIRST_PRIMARY);
        self.device.give_back(self.place);
        Ok(())
    }
}

fn surface(picture: &Picture) -> SurfaceSpec {
    let format = if picture.alpha { Format::Argb } else { Format::Xrgb };
    SurfaceSpec { id: 1, format, width: picture.width, height: picture.height, bottom_up: false }
}

fn bitmap(picture: &Picture) -> Bitmap {
    Bitmap {
        unique: 1,
        format: if picture.alpha { format::RGBA } else { format::RGB32 },
        width: picture.width,
        height: picture.height,
        stride: picture.width * 4,
        top_down: true,
        palette: None,
        data: picture.pixels.clone(),
        rows_per_chunk: 0,
        cacheable: false,
        high_bits: false,
        quic: None,
        padding_set: false,
    }
}

/// Set where callgrind looks on.
const COUNTED: &str = "SPICE_ENCODERS_COUNTED";

/// Has callgrind write what it has counted so far, of all threads, and begin anew.
fn dump_counters() -> Result<(), String> {
    let said = Process::new("callgrind_control").arg("--dump").arg(std::process::id().to_string()).output();
    match said {
        Ok(said) if said.status.success() => Ok(()),
        said => Err(format!("callgrind_control: {said:?}")),
    }
}

/// Runs this program under callgrind and prints what the library's encoders take per pixel.
pub(crate) fn count(wanted: &[String]) -> ExitCode {
    match counts(wanted) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn counts(wanted: &[String]) -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("encoder-costs-{}", std::process::id()));
    let failed = |error: std::io::Error| error.to_string();
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let output = Process::new("valgrind")
        .args(["--quiet", "--tool=callgrind", "--separate-threads=yes"])
        .arg(format!("--callgrind-out-file={}", folder.join("out").display()))
        .arg(std::env::current_exe().map_err(failed)?)
        .arg("encoders")
        .args(wanted)
        .env(COUNTED, "1")
        .output()
        .map_err(failed)?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let dump = |number: usize, thread: usize| folder.join(format!("out.{number}-{thread:02}"));
    let sum =
        |number, thread| Some(dump(number, thread)).filter(|path| path.exists()).map_or(0.0, |p| total(&p));
    let said = String::from_utf8_lossy(&output.stdout);
    let sent: Vec<(usize, &str)> = (1..).map(|number| 2 * number).zip(said.lines()).collect();
    let of_thread = |thread: usize| sent.iter().map(|(number, _)| sum(*number, thread)).sum::<f64>();
    let worker = (1..16).max_by(|a, b| of_thread(*a).total_cmp(&of_thread(*b))).unwrap_or(1);
    let mut plain = 0.0;
    for (number, line) in &sent {
        let mut words = line.split(' ');
        let (Some(mode), Some(name), Some(Ok(pixels))) =
            (words.next(), words.next(), words.next().map(str::parse::<f64>))
        else {
            return Err(format!("not a result: {line}"));
        };
        let cost = sum(*number, worker);
        if mode == Mode::Off.name() {
            plain = cost;
            println!("{name}: {plain:.0} instructions to send it as it is");
        } else {
            println!("{mode} encode {name}: {:.1}", (cost - plain) / pixels);
        }
    }
    std::fs::remove_dir_all(&folder).map_err(failed)
}
