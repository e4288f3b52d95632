//! Runs children, one per stretch of scenes, and adds up what they report.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use testsuite::process::{Finished, Program};

use crate::child::{Mismatch, Summary};
use crate::generate::COMMANDS;
use crate::server::Mode;
use crate::shrink;

/// Exit code of a child that found a difference.
pub(crate) const MISMATCH: i32 = 9;

/// Scenes that one child draws at most.
const SCENES: u32 = 20;

/// How long a child may take for its scenes; they take a few seconds.
const LIMIT: Duration = Duration::from_secs(240);

/// A stretch of scenes in one compression.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    pub(crate) mode: Mode,
    pub(crate) seed: u64,
    pub(crate) first: u32,
    pub(crate) scenes: u32,
}

/// What a child said.
pub(crate) fn print_summary(summary: &Summary) {
    println!("commands {}", summary.commands);
    for (reason, count) in &summary.skipped {
        println!("skipped {count} {reason}");
    }
    for (kind, count) in &summary.images {
        println!("image {kind} {count}");
    }
}

/// What a child said of a difference.
pub(crate) fn print_mismatch(mismatch: &Mismatch) {
    println!("mismatch {} {} {}", mismatch.scene, mismatch.command, mismatch.text);
}

/// Draws about so many commands, and fails with the smallest sequence that shows the first difference.
pub(crate) fn run(commands: u64, seed: u64, modes: &[Mode], jobs: usize) -> Result<(), String> {
    let started = Instant::now();
    let plan = Mutex::new(Plan::new(commands, modes));
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let next = lock(&plan).next(seed);
                    let Some(stretch) = next else { break };
                    let outcome = call(&stretch, &[]).and_then(|finished| outcome(&stretch, &finished));
                    lock(&plan).done(stretch, outcome);
                }
            });
        }
    });
    let Plan { sums, failure, .. } = plan.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some((stretch, failure)) = failure {
        return Err(shrink::explain(&stretch, &failure));
    }
    let mut total = 0;
    let mut skipped: BTreeMap<String, u64> = BTreeMap::new();
    for (mode, sum) in sums {
        let images: Vec<String> = sum.images.iter().map(|(k, n)| format!("{} {n}", image_name(*k))).collect();
        println!("{mode:9} {:7} commands; images: {}", sum.commands, images.join(", "));
        total += sum.commands;
        sum.skipped.into_iter().for_each(|(reason, count)| *skipped.entry(reason).or_default() += count);
    }
    println!("left out, with the reasons:");
    for (reason, count) in skipped {
        println!("{count:9} {reason}");
    }
    for arguments in [&["channels"][..], &["lossy"], &["lossy", "--video"]] {
        println!("{}", part(arguments, seed)?);
    }
    println!(
        "differential: {total} commands with seed {seed} in {:.1} s, no pixel differs",
        started.elapsed().as_secs_f32()
    );
    Ok(())
}

/// One of the smaller comparisons, in a process of its own.
fn part(arguments: &[&str], seed: u64) -> Result<String, String> {
    let program = std::env::current_exe().map_err(|error| format!("no path to this program: {error}"))?;
    let finished = Program::new(program).args(arguments).args(["--seed", &seed.to_string()]).run(LIMIT)?;
    if finished.status.success() { Ok(finished.stdout.trim().to_owned()) } else { Err(failure(&finished)) }
}

fn lock(plan: &Mutex<Plan>) -> MutexGuard<'_, Plan> {
    plan.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is still to be drawn, and what came of the rest.
struct Plan {
    /// Commands to draw in each mode.
    wanted: u64,
    /// The modes with the number of the next scene, and about how many commands have been given out.
    modes: Vec<(Mode, u32, u64)>,
    sums: BTreeMap<&'static str, Summary>,
    failure: Option<(Stretch, String)>,
}

impl Plan {
    fn new(commands: u64, modes: &[Mode]) -> Self {
        // Every compression has scenes of its own.
        let numbered = Mode::ALL.iter().zip(0..).filter(|(mode, _)| modes.contains(mode));
        let modes = numbered.map(|(mode, n)| (*mode, n << 16, 0)).collect::<Vec<_>>();
        let wanted = commands.div_ceil(modes.len().max(1) as u64);
        Self { wanted, modes, sums: BTreeMap::new(), failure: None }
    }

    fn next(&mut self, seed: u64) -> Option<Stretch> {
        if self.failure.is_some() {
            return None;
        }
        let (mode, scene, given) = self.modes.iter_mut().min_by_key(|(_, _, given)| *given)?;
        let missing = self.wanted.saturating_sub(*given);
        let scenes = missing.div_ceil(COMMANDS as u64).min(SCENES.into()) as u32;
        let stretch = Stretch { mode: *mode, seed, first: *scene, scenes };
        *given += u64::from(scenes) * COMMANDS as u64;
        *scene += scenes;
        (scenes > 0).then_some(stretch)
    }

    fn done(&mut self, stretch: Stretch, outcome: std::result::Result<Summary, String>) {
        match outcome {
            Ok(summary) => {
                // Some of the commands were left out.
                let planned = u64::from(stretch.scenes) * COMMANDS as u64;
                let of_mode = self.modes.iter_mut().filter(|(mode, ..)| *mode == stretch.mode);
                of_mode.for_each(|(_, _, given)| *given -= planned.saturating_sub(summary.commands));
                self.sums.entry(stretch.mode.name()).or_default().add(summary);
            }
            Err(failure) => _ = self.failure.get_or_insert((stretch, failure)),
        }
    }
}

/// Runs a child to its end.
pub(crate) fn call(stretch: &Stretch, more: &[String]) -> Result<Finished, String> {
    let program = std::env::current_exe().map_err(|error| format!("no path to this program: {error}"))?;
    let Stretch { mode, seed, first, scenes } = stretch;
    Program::new(program)
        .args(["child", "--mode", mode.name()])
        .args(["--seed", &seed.to_string(), "--first", &first.to_string(), "--scenes", &scenes.to_string()])
        .args(more)
        .run(LIMIT)
}

/// A child's report, or how it failed in words.
fn outcome(stretch: &Stretch, finished: &Finished) -> Result<Summary, String> {
    if finished.status.success() {
        return Summary::parse(&finished.stdout).ok_or_else(|| format!("{stretch:?}: {}", finished.stdout));
    }
    Err(failure(finished))
}

/// What a child that failed had to say.
pub(crate) fn failure(finished: &Finished) -> String {
    if finished.status.code() == Some(MISMATCH) {
        let line = finished.stdout.lines().find(|line| line.starts_with("mismatch"));
        return line.unwrap_or("a mismatch without words").to_owned();
    }
    let lines: Vec<&str> = finished.stderr.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(6)..].join("\n  ");
    format!("the process ended with {}:\n  {last}", finished.status)
}

impl Summary {
    fn add(&mut self, other: Self) {
        self.commands += other.commands;
        other.skipped.into_iter().for_each(|(k, n)| *self.skipped.entry(k).or_default() += n);
        other.images.into_iter().for_each(|(k, n)| *self.images.entry(k).or_default() += n);
    }

    fn parse(text: &str) -> Option<Self> {
        let mut summary = Self::default();
        for line in text.lines() {
            let mut words = line.splitn(3, ' ');
            match (words.next()?, words.next(), words.next()) {
                ("commands", Some(count), _) => summary.commands = count.parse().ok()?,
                ("skipped", Some(count), Some(reason)) => {
                    summary.skipped.insert(reason.to_owned(), count.parse().ok()?);
                }
                ("image", Some(kind), Some(count)) => {
                    summary.images.insert(kind.parse().ok()?, count.parse().ok()?);
                }
                _ => {}
            }
        }
        (summary.commands > 0).then_some(summary)
    }
}

fn image_name(kind: u8) -> String {
    let known = match kind {
        0 => "BITMAP",
        1 => "QUIC",
        100 => "LZ_PLT",
        101 => "LZ_RGB",
        102 => "GLZ_RGB",
        103 => "FROM_CACHE",
        104 => "SURFACE",
        105 => "JPEG",
        106 => "FROM_CACHE_LOSSLESS",
        107 => "ZLIB_GLZ_RGB",
        108 => "JPEG_ALPHA",
        109 => "LZ4",
        other => return other.to_string(),
    };
    known.to_owned()
}
