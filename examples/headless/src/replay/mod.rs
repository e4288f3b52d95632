//! A recorded session drawn again: is everything understood, and how long does it take?

mod serve;
mod tally;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Instant;

use spice_client::canvas::{
    AheadLimits, CacheConfig, CanvasConfig, Cursor, Decoders, Displays, Event as CanvasEvent, Prepared,
    SharedCaches,
};
use spice_client::record::{Recording, Replay};
use spice_proto::msg::main;
use spice_proto::session::Event;

use crate::error::Error;
use crate::picture;
use crate::report::Report;
use crate::screenshot;
use tally::Tally;

/// Draws a recorded session again, checks that nothing of it is left undrawn, and prints figures.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The recording.
    file: PathBuf,

    /// Write the last picture to this PNG file.
    #[arg(short, long)]
    output: Option<PathBuf>,

    /// The display of the picture.
    #[arg(long, default_value_t = 0)]
    display: u8,

    /// Size of the GLZ window that the recording client announced, in pixels.
    #[arg(long, default_value_t = CacheConfig::default().glz_pixels)]
    glz_window: u64,

    /// Draw on a thread of its own, with this many more threads that decode pictures ahead; 0: all on one thread.
    #[arg(long, default_value_t = 0)]
    threads: usize,

    /// Do not draw: send the recorded bytes to one client that connects to this address, as fast as it takes them.
    #[arg(long, value_name = "ADDR:PORT", conflicts_with_all = ["output", "display", "glz_window", "threads"])]
    serve: Option<String>,
}

pub(crate) fn run(args: &Args, report: Report) -> Result<(), Error> {
    if let Some(address) = &args.serve {
        return serve::run(&args.file, address, report);
    }
    let started = Instant::now();
    let mut replay = Replay::new(open(&args.file)?);
    let caches = CacheConfig::new(CacheConfig::default().pixmap_pixels, args.glz_window);
    let mut stage = Stage::new(caches);
    if args.threads == 0 {
        while let Some((at, event)) = replay.next_event()? {
            stage.take(at, Step::Plain(event))?;
        }
    } else {
        stage = ahead(replay, stage, args.threads)?;
    }
    let took = started.elapsed();
    report
        .tell(&format!("{}replayed in {:.3} s", stage.tally, took.as_secs_f64()), &stage.tally.value(took))?;
    stage.check(&args.file)?;
    let Some(path) = &args.output else { return Ok(()) };
    let view = stage.displays.canvas(args.display).and_then(|canvas| canvas.primary());
    let view = view.ok_or(Error::NoPicture)?;
    picture::write(path, &screenshot::picture(&view))
        .map_err(|source| Error::Write { path: path.clone(), source })
}

/// Opens a recording.
fn open(path: &Path) -> Result<Recording<BufReader<File>>, Error> {
    let file = File::open(path).map_err(|source| Error::Read { path: path.into(), source })?;
    Ok(Recording::new(BufReader::with_capacity(256 << 10, file))?)
}

/// Draws on another thread, behind pictures that are decoded ahead.
fn ahead<R: Read>(mut replay: Replay<R>, mut stage: Stage, threads: usize) -> Result<Stage, Error> {
    let limits = &CanvasConfig::default().limits;
    let decoders = Decoders::new(threads, limits, AheadLimits::default()).map_err(Error::Threads)?;
    let (queue, steps) = sync_channel(AHEAD);
    thread::scope(|scope| {
        let painter = scope.spawn(move || {
            for (at, step) in steps {
                stage.take(at, step)?;
            }
            Ok(stage)
        });
        while let Some((at, event)) = replay.next_event()? {
            let step = match event {
                Event::Display(id, message) => Step::Prepared(id, decoders.prepare(message)),
                event => Step::Plain(event),
            };
            // Who draws no more says why when it is asked at the end.
            if queue.send((at, step)).is_err() {
                break;
            }
        }
        drop(queue);
        painter.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Messages between the session and the drawing thread: as many as servers send without being answered.
const AHEAD: usize = 80;

/// Something to be drawn or counted.
enum Step {
    Plain(Event),
    Prepared(u8, Prepared),
}

/// Everything that a viewer has, except a window.
struct Stage {
    displays: Displays,
    cursors: BTreeMap<u8, Cursor>,
    tally: Tally,
}

impl Stage {
    fn new(caches: CacheConfig) -> Self {
        let displays = Displays::new(CanvasConfig::default(), SharedCaches::new(caches));
        Self { displays, cursors: BTreeMap::new(), tally: Tally::default() }
    }

    fn take(&mut self, at: spice_proto::Instant, step: Step) -> Result<(), Error> {
        self.tally.at = at.since_epoch();
        match step {
            Step::Prepared(id, prepared) => {
                self.tally.display(prepared.message());
                self.displays.apply_prepared(id, &prepared)?;
                self.look();
            }
            Step::Plain(event) => self.event(event)?,
        }
        Ok(())
    }

    /// Takes what the canvases have to say.
    fn look(&mut self) {
        for (_, canvas) in self.displays.iter_mut() {
            self.tally.damage += canvas.drain_damage().len() as u64;
            while let Some(event) = canvas.poll_event() {
                match event {
                    CanvasEvent::Undrawable { what, why } => {
                        self.tally.undrawn.push(format!("{what:?} could not be drawn: {why}"));
                    }
                    CanvasEvent::StreamUndecodable { id } => {
                        self.tally.undrawn.push(format!("stream {} has no decoder", id.0));
                    }
                    _ => {}
                }
            }
        }
    }

    fn event(&mut self, event: Event) -> Result<(), Error> {
        match event {
            Event::Display(id, message) => {
                self.tally.display(&message);
                self.displays.apply(id, &message)?;
                self.look();
            }
            Event::Cursor(id, message) => {
                self.tally.cursor += 1;
                if let Err(error) = self.cursors.entry(id).or_default().apply(&message) {
                    self.tally.undrawn.push(format!("cursor {id}: {error}"));
                }
            }
            Event::Main(main::ServerMessage::ChannelsList(list)) => {
                self.tally.channels = list.channels.iter().count();
            }
            Event::ChannelClosed { channel, error: Some(error) } => {
                self.tally.undrawn.push(format!("channel {channel:?} failed: {error}"));
            }
            _ => self.tally.others += 1,
        }
        Ok(())
    }

    /// Says whether everything was understood.
    fn check(&self, path: &Path) -> Result<(), Error> {
        match self.tally.undrawn.first() {
            None if self.tally.displayed == 0 => Err(Error::NothingRecorded(path.into())),
            None => Ok(()),
            Some(first) => {
                Err(Error::Incomplete(format!("{first} (and {} more)", self.tally.undrawn.len() - 1)))
            }
        }
    }
}
