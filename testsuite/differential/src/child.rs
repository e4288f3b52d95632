//! Draws scenes on both sides and compares, in a process of its own: the library ends a process that it doubts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::admit::{Ground, disturbs};
use crate::device::Handle;
use crate::encode::encode;
use crate::generate;
use crate::scene::{Brush, Command, MARKER, Op, Scene, SurfaceSpec};
use crate::server::Mode;
use crate::viewer::Viewer;

/// Commands from one comparison to the next, unless a child is told otherwise.
pub(crate) const STEP: usize = 10;

/// What a child is told to do.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) mode: Mode,
    pub(crate) seed: u64,
    /// Number of the first scene.
    pub(crate) first: u32,
    pub(crate) scenes: u32,
    /// Commands from one comparison to the next.
    pub(crate) step: usize,
    /// The commands to draw, of each scene; all if there is no list.
    pub(crate) keep: Option<BTreeSet<usize>>,
    /// Print every command before it is drawn.
    pub(crate) verbose: bool,
}

/// A difference.
#[derive(Debug)]
pub(crate) struct Mismatch {
    pub(crate) scene: u32,
    /// Commands of the scene up to this one have been drawn.
    pub(crate) command: usize,
    pub(crate) text: String,
}

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) commands: u64,
    pub(crate) skipped: BTreeMap<String, u64>,
    pub(crate) images: BTreeMap<u8, u64>,
}

/// How a task ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    Mismatch(Mismatch),
    Error(String),
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::Error(text)
    }
}

/// The primary surface before the first scene.
pub(crate) const FIRST_PRIMARY: SurfaceSpec = SurfaceSpec { id: 0, width: 64, height: 48, ..MARKER };

/// Draws and compares all scenes of a task.
pub(crate) fn run(task: &Task, device: Handle, port: u16) -> Result<Summary, Failure> {
    let viewer = Viewer::connect(port)?;
    let mut run = Run { device, viewer, marker: 0, summary: Summary::default() };
    device.create_surface(&MARKER)?;
    for number in task.first..task.first + task.scenes {
        run.scene(task, number)?;
    }
    run.summary.images = run.viewer.screen().images.clone();
    Ok(run.summary)
}

struct Run {
    device: Handle,
    viewer: Viewer,
    marker: u32,
    summary: Summary,
}

impl Run {
    fn scene(&mut self, task: &Task, number: u32) -> Result<(), Failure> {
        let scene = generate::scene(task.seed, number);
        let mut places = BTreeMap::new();
        for spec in &scene.surfaces {
            let place = match spec.id {
                0 => self.device.replace_primary(spec)?,
                _ => self.device.create_surface(spec)?,
            };
            places.insert(spec.id, place);
        }
        let mut ground = Ground::new(task.mode.loses_padding());
        let mut waiting = 0;
        let mut last = 0;
        for (index, command) in scene.commands.iter().enumerate() {
            if task.keep.as_ref().is_some_and(|keep| !keep.contains(&index)) {
                continue;
            }
            if let Err(reason) = ground.admit(&scene, command) {
                *self.summary.skipped.entry(reason.to_owned()).or_default() += 1;
                continue;
            }
            if task.verbose {
                println!("{index}: {command:?}");
            }
            if waiting > 0 && !disturbs(command).is_empty() {
                scene.surfaces.iter().for_each(|spec| self.device.update(spec));
            }
            if matches!(command.op, Op::Recreate) {
                self.recreate(&scene, command.surface, &mut places)?;
            } else {
                self.device.draw(encode(&scene, command))?;
            }
            self.summary.commands += 1;
            waiting += 1;
            last = index;
            if waiting >= task.step {
                self.compare(&scene, &places, &ground, number, index)?;
                waiting = 0;
            }
        }
        self.compare(&scene, &places, &ground, number, last)?;
        for spec in scene.surfaces.iter().filter(|spec| spec.id != 0) {
            self.device.destroy_surface(spec.id)?;
        }
        self.synchronise()?;
        // The next scene must not depend on what this one left on cached bitmaps.
        self.device.reset_image_cache();
        for spec in scene.surfaces.iter().filter(|spec| spec.id != 0) {
            self.device.give_back(places[&spec.id]);
        }
        Ok(())
    }

    fn recreate(&mut self, scene: &Scene, id: u32, places: &mut BTreeMap<u32, usize>) -> Result<(), Failure> {
        let spec = scene.surface(id).ok_or("no such surface".to_owned())?;
        scene.surfaces.iter().for_each(|spec| self.device.update(spec));
        self.device.destroy_surface(id)?;
        self.synchronise()?;
        if let Some(old) = places.insert(id, self.device.create_surface(spec)?) {
            self.device.give_back(old);
        }
        Ok(())
    }

    /// Waits until the client has everything that was queued.
    fn synchronise(&mut self) -> Result<(), String> {
        self.marker += 1;
        let fill = Op::Fill { brush: Brush::Solid(self.marker), rop: 8, mask: None };
        let fill = Command { surface: MARKER.id, area: MARKER.rect(), clip: None, opaque: false, op: fill };
        self.device.draw(encode(&Scene { surfaces: Vec::new(), commands: Vec::new() }, &fill))?;
        self.device.wake();
        self.device.update(&MARKER);
        self.viewer.wait_for_marker(self.marker)
    }

    fn compare(
        &mut self,
        scene: &Scene,
        places: &BTreeMap<u32, usize>,
        ground: &Ground,
        number: u32,
        index: usize,
    ) -> Result<(), Failure> {
        self.device.wake();
        for spec in &scene.surfaces {
            self.device.update(spec);
        }
        self.synchronise()?;
        let mut screen = self.viewer.screen();
        let undrawn = std::mem::take(&mut screen.undrawn);
        for spec in &scene.surfaces {
            let server = self.device.pixels(spec, places[&spec.id]);
            let client =
                screen.pixels(spec.id).ok_or_else(|| format!("no surface {} in the canvas", spec.id))?;
            if let Some(mut text) = difference(spec, ground.undefined_bits(spec), &server, &client) {
                if !undrawn.is_empty() {
                    let _ = write!(text, "; the canvas left undrawn: {}", undrawn.join(", "));
                }
                return Err(Failure::Mismatch(Mismatch { scene: number, command: index, text }));
            }
        }
        Ok(())
    }
}

/// Describes how two surfaces differ in bits that have a meaning.
pub(crate) fn difference(spec: &SurfaceSpec, undefined: u32, server: &[u8], client: &[u8]) -> Option<String> {
    if server == client {
        return None;
    }
    if server.len() != client.len() {
        return Some(format!("surface {}: {} bytes against {}", spec.id, client.len(), server.len()));
    }
    let bytes = spec.format.bytes();
    let value = |px: &[u8]| px.iter().rev().fold(0_u32, |v, byte| v << 8 | u32::from(*byte));
    let mut differing = 0;
    let mut examples = String::new();
    let pixels = server.chunks_exact(bytes).zip(client.chunks_exact(bytes)).enumerate();
    for (at, (s, c)) in pixels {
        let (s, c) = (value(s), value(c));
        if (s ^ c) & !undefined == 0 {
            continue;
        }
        if differing < 6 {
            let (x, y) = (at % spec.width as usize, at / spec.width as usize);
            let width = bytes * 2;
            let _ = write!(examples, " ({x}, {y}) {c:0width$x} instead of {s:0width$x};");
        }
        differing += 1;
    }
    (differing > 0).then(|| {
        format!(
            "surface {} ({:?}, {}x{}): {differing} pixels differ:{examples}",
            spec.id, spec.format, spec.width, spec.height
        )
    })
}
