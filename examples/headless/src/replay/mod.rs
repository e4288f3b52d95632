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
    AheadLimits, Blocked, CacheConfig, CanvasConfig, Cursor, Decoders, Displays, Event as CanvasEvent,
    Prepared, SharedCaches,
};
use spice_client::record::{Recording, Replay, ReplayError};
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
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=MAX_THREADS))]
    threads: u16,

    /// Do not draw: send the recorded bytes to one client that connects to this address, as fast as it takes them.
    #[arg(long, value_name = "ADDR:PORT", conflicts_with_all = ["output", "display", "glz_window", "threads"])]
    serve: Option<String>,
}

pub(crate) fn run(args: &Args, report: Report) -> Result<(), Error> {
    replay(args, report).map_err(|error| error.of(&args.file))
}

fn replay(args: &Args, report: Report) -> Result<(), Error> {
    if let Some(address) = &args.serve {
        return serve::run(&args.file, address, report);
    }
    let started = Instant::now();
    let mut replay = Replay::new(open(&args.file)?);
    let caches = CacheConfig::new(CacheConfig::default().pixmap_pixels, args.glz_window);
    let mut stage = Stage::new(caches);
    // What comes before the end of a file that was cut off is drawn all the same.
    let read;
    if args.threads == 0 {
        read = loop {
            match replay.next_event() {
                Ok(Some((at, event))) => stage.event(at, event)?,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
    } else {
        (stage, read) = ahead(replay, stage, args.threads.into())?;
    }
    let took = started.elapsed();
    report
        .tell(&format!("{}replayed in {:.3} s", stage.tally, took.as_secs_f64()), &stage.tally.value(took))?;
    if read.is_ok() {
        stage.check(&args.file)?;
    }
    let read = read.map_err(Error::from);
    let Some(path) = &args.output else { return read };
    let view = stage.displays.canvas(args.display).and_then(|canvas| canvas.primary());
    let Some(view) = view else { return read.and(Err(stage.no_picture(args.display))) };
    picture::write(path, &screenshot::picture(&view))
        .map_err(|source| Error::Write { path: path.clone(), source })?;
    read
}

/// Opens a recording.
fn open(path: &Path) -> Result<Recording<BufReader<File>>, Error> {
    let file = File::open(path).map_err(|source| Error::Read { path: path.into(), source })?;
    Ok(Recording::new(BufReader::with_capacity(256 << 10, file))?)
}

/// What was drawn, and how far the recording could be read.
type Ahead = (Stage, Result<(), ReplayError>);

/// Draws on another thread, behind pictures that are decoded ahead.
fn ahead<R: Read>(mut replay: Replay<R>, mut stage: Stage, threads: usize) -> Result<Ahead, Error> {
    let limits = &CanvasConfig::default().limits;
    let decoders = Decoders::new(threads, limits, AheadLimits::default()).map_err(Error::Threads)?;
    let (queue, steps) = sync_channel(AHEAD);
    thread::scope(|scope| {
        let painter = scope.spawn(move || {
            for (at, step) in steps {
                stage.take(at, step)?;
            }
            Ok::<_, Error>(stage)
        });
        let read = loop {
            let (at, event) = match replay.next_event() {
                Ok(Some(next)) => next,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            };
            let step = match event {
                Event::Display(id, message) => Step::Prepared(id, decoders.prepare(message)),
                event => Step::Plain(event),
            };
            // Who draws no more says why when it is asked at the end.
            if queue.send((at, step)).is_err() {
                break Ok(());
            }
        };
        drop(queue);
        let stage = painter.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok((stage, read))
    })
}

/// Most threads that decode ahead; more than that no machine has to spare.
const MAX_THREADS: i64 = 256;

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
        match step {
            Step::Prepared(id, prepared) => {
                self.tally.at = at.since_epoch();
                self.tally.display(prepared.message());
                self.displays.apply_prepared(id, &prepared)?;
                self.look();
            }
            Step::Plain(event) => self.event(at, event)?,
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

    fn event(&mut self, at: spice_proto::Instant, event: Event) -> Result<(), Error> {
        self.tally.at = at.since_epoch();
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

    /// Says which displays there are instead.
    fn no_picture(&mut self, display: u8) -> Error {
        let shown = self.displays.iter_mut().filter(|(_, canvas)| canvas.primary().is_some());
        let shown: Vec<String> = shown.map(|(id, _)| id.to_string()).collect();
        let there = match shown.len() {
            0 => "no other has one either".into(),
            _ => format!("choose with --display one that has: {}", shown.join(", ")),
        };
        Error::NoPicture { display, there }
    }

    /// Says whether everything was understood.
    fn check(&mut self, path: &Path) -> Result<(), Error> {
        let ids: Vec<u8> = self.displays.iter_mut().map(|(id, _)| id).collect();
        let stuck = ids.into_iter().find_map(|id| Some((id, self.displays.waits_for(id)?)));
        if let Some((id, missing)) = stuck {
            let missing = match missing {
                Blocked::Picture(id) | Blocked::LosslessPicture(id) => format!("picture {:#x}", id.0),
                Blocked::GlzImage(id) => format!("image {id} of the GLZ window"),
            };
            let waiting = self.displays.waiting(id);
            return Err(Error::Incomplete(format!(
                "display {id} waits for {missing}, which never comes, with {waiting} messages undrawn"
            )));
        }
        match self.tally.undrawn.first() {
            None if self.tally.displayed == 0 => Err(Error::NothingRecorded(path.into())),
            None => Ok(()),
            Some(first) => {
                Err(Error::Incomplete(format!("{first} (and {} more)", self.tally.undrawn.len() - 1)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use spice_client::record::RecordingError;
    use spice_proto::msg::display::{
        Clip, DisplayBase, DrawCopy, Image, ImageData, ImageFlags, QMask, RopDescriptor, ScaleMode,
        ServerMessage, SurfaceCreate, SurfaceFlags, SurfaceFormat,
    };
    use spice_proto::types::{ImageId, Rect, SurfaceId};
    use spice_proto::wire::Ptr;

    use super::*;

    #[test]
    fn a_display_that_is_stuck_is_named_with_what_it_waits_for() {
        let mut stage = Stage::new(CacheConfig::default());
        let (surface_id, format, flags) = (SurfaceId(0), SurfaceFormat::XRGB, SurfaceFlags::PRIMARY);
        let screen = SurfaceCreate { surface_id, width: 4, height: 4, format, flags };
        stage
            .event(spice_proto::Instant::ZERO, Event::Display(3, ServerMessage::SurfaceCreate(screen)))
            .unwrap();
        stage.tally.displayed = 1;
        stage.check(Path::new("file")).unwrap();
        let area = Rect::at(0, 0, 4, 4);
        let (id, flags, data) = (ImageId(0x77), ImageFlags::empty(), ImageData::FromCache);
        let copy = DrawCopy {
            base: DisplayBase { surface_id, area, clip: Clip::None },
            src_bitmap: Some(Ptr(Image { id, flags, width: 4, height: 4, data })),
            src_area: area,
            rop: RopDescriptor::OP_PUT,
            scale_mode: ScaleMode::NEAREST,
            mask: QMask::default(),
        };
        stage.event(spice_proto::Instant::ZERO, Event::Display(3, ServerMessage::DrawCopy(copy))).unwrap();
        let error = stage.check(Path::new("file")).unwrap_err().to_string();
        assert!(error.contains("display 3 waits for picture 0x77"), "{error}");
        assert!(error.contains("1 messages undrawn"), "{error}");
    }

    #[test]
    fn faults_of_a_recording_name_the_file_and_a_way_out() {
        let faults = [
            (RecordingError::NotARecording, "headless record"),
            (RecordingError::Truncated { at: 2879 }, "--output"),
            (RecordingError::Version(9), "version"),
            (RecordingError::Io(std::io::ErrorKind::IsADirectory.into()), "check the path"),
        ];
        for (fault, way_out) in faults {
            let told = Error::from(fault).of(Path::new("demo.rec")).to_string();
            assert!(told.starts_with("demo.rec: ") && told.contains(way_out), "{told}");
        }
        let mut stage = Stage::new(CacheConfig::default());
        let (surface_id, format, flags) = (SurfaceId(0), SurfaceFormat::XRGB, SurfaceFlags::PRIMARY);
        let screen = SurfaceCreate { surface_id, width: 4, height: 4, format, flags };
        stage
            .event(spice_proto::Instant::ZERO, Event::Display(3, ServerMessage::SurfaceCreate(screen)))
            .unwrap();
        assert!(stage.no_picture(0).to_string().ends_with("--display one that has: 3"));
    }
}
