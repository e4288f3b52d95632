//! The web client beside Debian's spice-html5: the same desktop, by the same script, in one run.

use std::thread;
use std::time::Duration;

use clap::Args;
use testsuite::browser::{Browser, DESKTOP, Kind};
use testsuite::gateway::Gateway;
use testsuite::process::{Process, Program, args};
use testsuite::proxy::Proxy;
use testsuite::temp::TempDir;
use testsuite::usage::{BrowserUsage, drawing_threads};
use testsuite::{Result, net, wait_for};

use crate::desktop::Desktop;
use crate::megabytes;

/// Where Debian's package puts its page.
const SPICE_HTML5: &str = "/usr/share/spice-html5";
/// What is measured; the last one is the yardstick.
const CLIENTS: usize = 3;
/// Until the desktop moves evenly.
const WARM_UP: Duration = Duration::from_secs(4);
/// After a picture that stands still for so long, it was the last one.
const STILL_MS: u32 = 2500;

/// Options of `web-figures compare`.
#[derive(Args)]
pub(crate) struct Options {
    /// How often each client is measured; the table has medians.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Seconds of the moving desktop in each round.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// How the server compresses pictures: lz, quic, auto_lz or off.
    #[arg(long, default_value = "auto_lz")]
    compression: String,
    /// Let the server make a video of the film when it takes it for one, which it does not always.
    #[arg(long)]
    video: bool,
    /// A folder for pictures of what the pages show.
    #[arg(long)]
    pictures: Option<std::path::PathBuf>,
    /// Say where the web client's worker spends its time, and measure nothing.
    #[arg(long)]
    profile: bool,
}

/// One client's figures in one round.
#[derive(Clone, Debug)]
struct Figures {
    /// Milliseconds from the navigation to the first change of the screen's canvas, and to the whole picture.
    first: f64,
    whole: f64,
    /// Processor seconds of renderers and the drawing process while the desktop moved.
    cpu: f64,
    renderers: f64,
    /// Milliseconds by which the page's timers were late.
    lag_p99: f64,
    lag_max: f64,
    /// Bytes at the end.
    resident: f64,
    /// Bytes that the server could deliver meanwhile.
    received: f64,
}

/// A client by its name and the address of its page for a port.
type Client<'a> = (&'static str, Box<dyn Fn(u16) -> String + 'a>);

/// Measures both clients in turns and prints the table.
pub(crate) fn run(options: &Options) -> Result<()> {
    let compression = ["lz", "quic", "auto_lz", "off"].into_iter().find(|name| *name == options.compression);
    let compression = compression.ok_or("the compression is none of lz, quic, auto_lz and off")?;
    let gateway = Gateway::start()?;
    let (_server, files) = serve(SPICE_HTML5)?;
    let clients: [Client<'_>; CLIENTS] = [
        ("web client, through its gateway", Box::new(|port| gateway.page_of(port))),
        (
            "web client, straight to the server",
            Box::new(|port| gateway.page(&format!("host=127.0.0.1&port={port}&direct"))),
        ),
        (
            "spice-html5",
            Box::new(move |port| {
                format!("http://127.0.0.1:{files}/spice_auto.html?host=127.0.0.1&port={port}")
            }),
        ),
    ];
    let desktop = Desktop::start(compression, !options.video)?;
    if options.profile {
        let mut browser = Browser::start(Kind::Chromium)?;
        let mut page = browser.open("page", &clients[0].1(desktop.xspice.port()))?;
        page.connected()?;
        let _motion = desktop.play()?;
        thread::sleep(WARM_UP);
        let seconds = u32::try_from(options.seconds).unwrap_or(u32::MAX);
        page.profile(seconds)?.iter().for_each(|line| println!("{line}"));
        return Ok(());
    }
    let mut all = [const { Vec::new() }; CLIENTS];
    for round in 0..options.rounds {
        for ((name, address), figures) in clients.iter().zip(&mut all) {
            let picture = options.pictures.as_ref().map(|folder| folder.join(format!("{name}-{round}.png")));
            let one = measure(&desktop, address.as_ref(), options.seconds, picture.as_deref())
                .map_err(|reason| format!("{name}: {reason}"))?;
            println!("round {round}, {name}: {one:.2?}");
            figures.push(one);
        }
    }
    println!("\n{}", table(&all, options, compression));
    Ok(())
}

/// Shows the still desktop, then the moving one.
fn measure(
    desktop: &Desktop,
    address: &dyn Fn(u16) -> String,
    seconds: u64,
    picture: Option<&std::path::Path>,
) -> Result<Figures> {
    let proxy = Proxy::counting(desktop.xspice.port())?;
    let mut browser = Browser::start(Kind::Chromium)?;
    let mut page = browser.open_with("page", &address(proxy.port()), PROBE)?;
    page.wait("a picture", "window.probe.length > 0 && window.probe.at(-1).colours > 16")?;
    page.wait(
        "a picture that stands still",
        &format!("performance.now() - window.probe.at(-1).time > {STILL_MS}"),
    )?;
    let times = page.run(TIMES)?;
    let number = |index: usize| times[index].as_f64().ok_or("the page has no times");
    let (first, whole) = (number(0)?, number(1)?);
    // The other one shows every pixel as it is.
    page.run(&format!("const desktop = {DESKTOP}; if (desktop) desktop.scaling = 'none'"))?;
    let motion = desktop.play()?;
    thread::sleep(WARM_UP);
    let threads = drawing_threads(&browser.processes());
    let (before, bytes) = (BrowserUsage::of(&browser.processes())?, proxy.passed());
    thread::sleep(Duration::from_secs(seconds));
    let (after, received) = (BrowserUsage::of(&browser.processes())?, proxy.passed() - bytes);
    let mut busy: Vec<_> = drawing_threads(&browser.processes())
        .into_iter()
        .map(|(name, cpu)| (cpu.saturating_sub(threads.get(&name).copied().unwrap_or_default()), name))
        .collect();
    busy.sort_unstable();
    let busy: Vec<_> = busy.iter().rev().take(8).map(|(cpu, name)| format!("{name} {cpu:?}")).collect();
    println!("threads: {}", busy.join(", "));
    // Timers of the page's cost time too, so they come afterwards.
    let mut page = browser.page("page");
    page.run(LAG_START)?;
    thread::sleep(Duration::from_secs(seconds));
    let lag = page.run(LAG_END)?;
    let stats = page.run(&format!("return {DESKTOP}?.stats?.()"))?;
    if !stats.is_null() {
        println!("statistics: {stats}");
    }
    if let Some(file) = picture {
        page.shot(file)?;
    }
    drop(motion);
    let late = |index: usize| lag[index].as_f64().ok_or("the page has no times");
    Ok(Figures {
        first,
        whole,
        cpu: after.drawing_since(&before).as_secs_f64(),
        renderers: (after.renderers.cpu.saturating_sub(before.renderers.cpu)).as_secs_f64(),
        lag_p99: late(0)?,
        lag_max: late(1)?,
        resident: (after.renderers.resident + after.gpu.resident) as f64,
        received: received as f64,
    })
}

/// Serves a folder's files as any web server would.
fn serve(folder: &str) -> Result<(Process, u16)> {
    let port = net::free_port()?;
    let temporary = TempDir::new("files")?;
    let mut process = Program::new("python3")
        .args(args(&["-m", "http.server", "--bind", "127.0.0.1", "--directory", folder]))
        .args([port.to_string()])
        .start(&temporary)?;
    wait_for("the web server's start", Duration::from_secs(30), || {
        process.check_running()?;
        Ok(net::answers(port).then_some(()))
    })?;
    Ok((process, port))
}

fn table(all: &[Vec<Figures>; CLIENTS], options: &Options, compression: &str) -> String {
    let median = |which: usize, of: &dyn Fn(&Figures) -> f64| {
        let mut values: Vec<f64> = all[which].iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let mut text = format!(
        "Medians of {} rounds of {} s, {compression}, 1024 x 768; in brackets against spice-html5\n\n\
         | | through the gateway | straight to the server | spice-html5, straight |\n|---|---|---|---|\n",
        options.rounds, options.seconds
    );
    let mut row = |name: &str, of: &dyn Fn(&Figures) -> f64| {
        let [gateway, direct, theirs] = [0, 1, 2].map(|which| median(which, of));
        let ours = [gateway, direct].map(|ours| format!("{ours:.1} ({:.2})", ours / theirs));
        text += &format!("| {name} | {} | {theirs:.1} |\n", ours.join(" | "));
    };
    row("CPU s, renderers and GPU process", &|figures| figures.cpu);
    row("CPU s, renderers alone", &|figures| figures.renderers);
    row("first change of the screen after navigation, ms", &|figures| figures.first);
    row("whole picture after navigation, ms", &|figures| figures.whole);
    row("event-loop lag of the page's thread, p99, ms", &|figures| figures.lag_p99);
    row("event-loop lag of the page's thread, worst, ms", &|figures| figures.lag_max);
    row("resident memory, renderers and GPU process, MB", &|figures| megabytes(figures.resident as u64));
    row("MB that the server could deliver", &|figures| megabytes(figures.received as u64));
    text
}

/// Notes when the largest canvas of the page, in whatever shadow it is, looks different from before.
const PROBE: &str = "
    (() => {
        window.probe = [];
        const small = new OffscreenCanvas(64, 48).getContext('2d', { willReadFrequently: true });
        // Looking is to cost the page's thread little.
        small.imageSmoothingEnabled = false;
        let screen = null;
        const canvases = (root) => [...root.querySelectorAll('*')].flatMap((element) => [
            ...(element.localName === 'canvas' ? [element] : []),
            ...(element.shadowRoot ? canvases(element.shadowRoot) : []),
        ]);
        const look = () => {
            if (window.probed) return;
            requestAnimationFrame(look);
            if (!screen?.isConnected) {
                screen = canvases(document).find((canvas) => canvas.getBoundingClientRect().width > 300);
            }
            if (!screen) return;
            small.drawImage(screen, 0, 0, 64, 48);
            const pixels = new Uint32Array(small.getImageData(0, 0, 64, 48).data.buffer);
            const text = pixels.join();
            if (text !== window.probe.at(-1)?.text) {
                window.probe.push({ time: performance.now(), text, colours: new Set(pixels).size });
            }
        };
        requestAnimationFrame(look);
    })()";

/// The time of the first picture, and of the one that stayed; then the looking ends.
const TIMES: &str = "
    window.probed = true;
    return [window.probe.find(({ colours }) => colours > 1).time, window.probe.at(-1).time];";

/// Begins to note how late timers of 10 ms are.
const LAG_START: &str = "
    window.lags = [];
    const tick = () => {
        const due = performance.now() + 10;
        setTimeout(() => {
            window.lags.push(Math.max(performance.now() - due, 0));
            if (!window.lagged) tick();
        }, 10);
    };
    tick();";

/// The 99th percentile and the worst.
const LAG_END: &str = "
    window.lagged = true;
    const sorted = window.lags.sort((a, b) => a - b);
    return [sorted[Math.floor(sorted.length * 0.99)], sorted.at(-1)];";
