//! The web client on a moving desktop for a long time: its memory has to stand still.

use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use testsuite::Result;
use testsuite::browser::{Browser, DESKTOP, Kind, Page};
use testsuite::gateway::Gateway;
use testsuite::usage::BrowserUsage;

use crate::desktop::Desktop;
use crate::megabytes;

/// How much more the last third may hold than the third before, in percent: collectors come when they like.
const NOISE_PERCENT: u64 = 5;

/// Options of `web-figures soak`.
#[derive(Args)]
pub(crate) struct Options {
    /// How long, with a look at the memory at every minute.
    #[arg(long, default_value_t = 30)]
    minutes: u32,
}

/// What is held at one moment, in bytes.
#[derive(Clone, Copy, Debug)]
struct Held {
    wasm: u64,
    /// The JavaScript heap of the page, and of the worker beside the library's memory.
    page: u64,
    worker: u64,
    renderers: u64,
    gpu: u64,
}

/// A kind of memory: its name, and how it is read.
type Kept = (&'static str, fn(&Held) -> u64);

const KEPT: [Kept; 5] = [
    ("WebAssembly", |held| held.wasm),
    ("page's heap", |held| held.page),
    ("worker's heap", |held| held.worker),
    ("renderers", |held| held.renderers),
    ("GPU process", |held| held.gpu),
];

/// Watches the memory; an error when it grows.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut desktop = Desktop::start("auto_glz", false)?;
    let gateway = Gateway::start()?;
    let mut browser = Browser::start(Kind::Chromium)?;
    let mut page = browser.open("page", &gateway.page_of(desktop.xspice.port()))?;
    page.connected()?;
    let _motion = desktop.play()?;
    println!("minute {}  frames", KEPT.map(|(name, _)| format!("{name:>14}")).join(""));
    let began = Instant::now();
    let mut all = Vec::new();
    for minute in 0..=options.minutes {
        thread::sleep((began + Duration::from_secs(60) * minute).saturating_duration_since(Instant::now()));
        let usage = BrowserUsage::of(&browser.processes())?;
        let mut page = browser.page("page");
        let held = held(&mut page, &usage)?;
        let frames = page.run(&format!("return (await {DESKTOP}.stats()).frames"))?;
        let columns = KEPT.map(|(_, of)| format!("{:11.1} MB", megabytes(of(&held))));
        println!("{minute:6} {}  {frames}", columns.join(""));
        all.push(held);
    }
    let mut page = browser.page("page");
    page.connected()?;
    page.check()?;
    desktop.xspice.check_running()?;
    judge(&all)
}

/// Reads what the page holds, after a collection.
fn held(page: &mut Page<'_>, usage: &BrowserUsage) -> Result<Held> {
    let heaps = page.heaps()?;
    let wasm = page.run(&format!("return (await {DESKTOP}.stats()).memoryBytes"))?;
    let number = |value: &serde_json::Value| value.as_f64().map(|value| value as u64);
    Ok(Held {
        wasm: number(&wasm).ok_or("the page does not tell its memory")?,
        page: *heaps.first().ok_or("the page does not tell its heap")?,
        worker: heaps.iter().skip(1).sum(),
        renderers: usage.renderers.resident,
        gpu: usage.gpu.resident,
    })
}

/// The last third against the one before; the first is for caches and compilers to fill up.
fn judge(all: &[Held]) -> Result<()> {
    let third = all.len() / 3;
    let mut grown = Vec::new();
    for (name, of) in KEPT {
        let median = |part: &[Held]| {
            let mut values: Vec<u64> = part.iter().map(of).collect();
            values.sort_unstable();
            values.get(values.len() / 2).copied().unwrap_or(0)
        };
        let (before, after) = (median(&all[third..2 * third]), median(&all[2 * third..]));
        println!("{name:>14}: {:.1} MB, then {:.1} MB", megabytes(before), megabytes(after));
        if after > before + before * NOISE_PERCENT / 100 {
            grown.push(name);
        }
    }
    if grown.is_empty() { Ok(()) } else { Err(format!("this grows: {}", grown.join(", "))) }
}
