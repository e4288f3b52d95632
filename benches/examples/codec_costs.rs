//! What the codecs cost per pixel: instructions, counted by callgrind, and time, the best of many short runs.
//!
//! ```sh
//! cargo run --release -p spice-benches --example codec_costs -- instructions [CODEC or PICTURE…]
//! cargo run --release -p spice-benches --example codec_costs -- times [CODEC or PICTURE…]
//! ```
//!
//! LZ and LZ4 are also decoded into padded rows and from bottom-up ones: the names of these results say so.
//!
//! Instructions do not depend on what else the machine does; they need `valgrind` in the path. Pictures are those of
//! the benchmarks: of the folder that `SPICE_PICTURES` names, or generated. With `--features simd` the JPEG crates
//! use vector instructions.

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use spice_benches::callgrind::total;
use spice_benches::codecs::{CODECS, CodecName, Decoder, Encoder, Film, Payload, Picture, pictures};
use spice_codecs::RowOrder;

fn main() {
    let mut args = std::env::args().skip(1);
    let mode = args.next();
    let wanted: Vec<String> = args.collect();
    match mode.as_deref() {
        Some("instructions") => instructions(&wanted),
        Some("times") => each(&wanted, &mut |name, pixels, action| times(name, pixels, action)),
        // Called by `instructions`, under callgrind.
        Some("once") => each(&wanted, &mut |name, pixels, action| {
            // What a session needs once is there from the third picture on.
            action();
            action();
            measured(action);
            println!("{name} {pixels}");
        }),
        _ => {
            eprintln!("say what to measure: codec_costs instructions|times [CODEC or PICTURE…]");
            std::process::exit(2);
        }
    }
}

/// What is called with every thing to measure: its name, how many pixels it has, and how to do it once.
type Report<'a> = dyn FnMut(&str, u64, &mut dyn FnMut()) + 'a;

/// Calls `report` with every thing to measure.
fn each(wanted: &[String], report: &mut Report<'_>) {
    let names: Vec<String> = CODECS.iter().map(|codec| format!("{codec:?}").to_lowercase()).collect();
    let (codecs, only): (Vec<_>, Vec<_>) =
        wanted.iter().partition(|word| names.contains(&word.to_lowercase()));
    let selected = |name: &str| only.is_empty() || only.iter().any(|only| name.starts_with(only.as_str()));
    // Films are made from pictures.
    let films = pictures::FILMS.iter().filter(|(name, _)| selected(name));
    let sources: Vec<&str> = films.map(|(_, source)| *source).collect();
    let all =
        pictures::matching(|name| selected(name) || sources.iter().any(|source| name.starts_with(source)));
    let len = |picture: &Picture| picture.pixels.len() + picture.height as usize * PADDING;
    let mut memory = vec![0; all.iter().map(len).max().unwrap_or(0)];
    let takes = |codec: CodecName| {
        codecs.is_empty() || codecs.iter().any(|name| name.eq_ignore_ascii_case(&format!("{codec:?}")))
    };
    for picture in all.iter().filter(|picture| selected(&picture.name)) {
        for codec in CODECS.into_iter().filter(|codec| takes(*codec) && codec.takes(picture)) {
            let (mut encoder, mut payload) = (Encoder::new(codec), Payload::default());
            encoder.encode(&picture.bitmap(), &mut payload);
            let ratio = picture.pixels.len() as f64 / payload.data.len() as f64;
            let (pixels, name) = (picture.pixels.len() as u64 / 4, &picture.name);
            let mut decoder = Decoder::new(codec);
            report(&format!("{codec:?} decode {name} {ratio:.1}"), pixels, &mut || {
                decoder.decode(picture, &payload, black_box(&mut memory));
            });
            if matches!(codec, CodecName::Lz | CodecName::Lz4) {
                report(&format!("{codec:?} decode {name} {ratio:.1} padded"), pixels, &mut || {
                    decoder.decode_padded(picture, &payload, black_box(&mut memory), PADDING);
                });
                encoder.encode(&picture.bitmap_in(RowOrder::BottomUp), &mut payload);
                report(&format!("{codec:?} decode {name} {ratio:.1} bottom-up"), pixels, &mut || {
                    decoder.decode(picture, &payload, black_box(&mut memory));
                });
            }
            report(&format!("{codec:?} encode {name} {ratio:.1}"), pixels, &mut || {
                encoder.encode(black_box(&picture.bitmap()), &mut payload);
            });
        }
    }
    for (name, frames) in pictures::films(&all).into_iter().filter(|(name, _)| selected(name)) {
        for codec in [CodecName::Glz, CodecName::ZlibGlz].into_iter().filter(|codec| takes(*codec)) {
            let raw: usize = frames.iter().map(|frame: &Picture| frame.pixels.len()).sum();
            let mut film = Film::new(&frames, codec);
            let ratio = raw as f64 / film.len() as f64;
            report(&format!("{codec:?} decode {name} {ratio:.1}"), raw as u64 / 4, &mut || film.decode());
            let mut encode = || {
                film = Film::new(black_box(&frames), codec);
            };
            report(&format!("{codec:?} encode {name} {ratio:.1}"), raw as u64 / 4, &mut encode);
        }
    }
}

/// Bytes between the rows of padded destinations.
const PADDING: usize = 64;

/// What callgrind counts: it collects from here to the return, and writes a file then.
#[inline(never)]
fn measured(action: &mut dyn FnMut()) {
    action();
    // So that this is no tail call.
    black_box(());
}

/// Runs this program under callgrind and prints instructions per pixel.
fn instructions(wanted: &[String]) {
    let folder = std::env::temp_dir().join(format!("codec-costs-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let program = std::env::current_exe().expect("this program");
    let output = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind", "--toggle-collect=codec_costs::measured"])
        .arg("--dump-after=codec_costs::measured")
        .arg(format!("--callgrind-out-file={}", folder.join("out").display()))
        .arg(program)
        .arg("once")
        .args(wanted)
        .output()
        .expect("valgrind in the path");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("names");
    for (number, line) in (1..).zip(lines.lines()) {
        let (name, pixels) = line.rsplit_once(' ').expect("name and pixels");
        let pixels: f64 = pixels.parse().expect("a number");
        println!("{name} {:.1}", total(&folder.join(format!("out.{number}"))) / pixels);
    }
    std::fs::remove_dir_all(&folder).expect("our own folder");
}

/// Prints the best of many runs in MB/s of 32-bit pixels, and what a copy of 8 MB reached meanwhile.
fn times(name: &str, pixels: u64, action: &mut dyn FnMut()) {
    let from = vec![1u8; 1920 * 1080 * 4];
    let mut to = vec![0u8; from.len()];
    let (mut best, mut copy) = (Duration::MAX, Duration::MAX);
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(700) {
        let start = Instant::now();
        action();
        best = best.min(start.elapsed());
        let start = Instant::now();
        black_box(&mut to).copy_from_slice(black_box(&from));
        copy = copy.min(start.elapsed());
    }
    let rate = |bytes: u64, time: Duration| bytes as f64 / time.as_secs_f64() / 1e6;
    println!(
        "{name} {:.0} MB/s, copy {:.1} GB/s",
        rate(pixels * 4, best),
        rate(from.len() as u64, copy) / 1e3
    );
}
