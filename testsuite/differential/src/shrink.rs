//! From a difference to the smallest sequence of commands that shows it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::child::STEP;
use crate::generate::COMMANDS;
use crate::parent::{Stretch, call, failure};

/// How long to go on making a sequence smaller.
const PATIENCE: Duration = Duration::from_secs(60);

/// Describes a failure: the seed, the smallest sequence found, and how to see it again.
pub(crate) fn explain(stretch: &Stretch, first_failure: &str) -> String {
    let Stretch { mode, seed, first, scenes } = stretch;
    let mut text = format!(
        "{} with seed {seed}, scenes {first} to {}: {first_failure}",
        mode.name(),
        first + scenes - 1
    );
    // Scenes begin with new surfaces, so one alone will do; only what the server keeps of images outlives them.
    // Some differences need several commands to wait for the server at the same time.
    let alone = [1, STEP].into_iter().find_map(|step| {
        (*first..first + scenes).find_map(|scene| {
            let one = Stretch { first: scene, scenes: 1, ..stretch.clone() };
            Some((run(&one, step, None)?, one, step))
        })
    });
    let Some((words, one, step)) = alone else {
        let _ =
            write!(text, "\nno scene shows it alone; run the stretch again with: {}", again(stretch, &[]));
        return text;
    };
    let last = last_command(&words).unwrap_or(COMMANDS - 1);
    let keep = smallest((0..=last).collect(), |keep| run(&one, step, Some(keep)).is_some());
    let words = run(&one, step, Some(&keep)).unwrap_or(words);
    let _ = write!(text, "\nsmallest sequence, {} commands:\n{words}", keep.len());
    let verbose = call(&one, &options(step, Some(&keep), true)).map(|f| f.stdout).unwrap_or_default();
    for line in verbose.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())) {
        let _ = write!(text, "\n  {line}");
    }
    let _ = write!(text, "\nrun it again with: {}", again(&one, &options(step, Some(&keep), true)));
    text
}

/// Compares after every `step` commands; gives the failure in words if there is one.
fn run(one: &Stretch, step: usize, keep: Option<&[usize]>) -> Option<String> {
    let finished = match call(one, &options(step, keep, false)) {
        Ok(finished) => finished,
        Err(error) => return Some(error),
    };
    (!finished.status.success()).then(|| failure(&finished))
}

fn options(step: usize, keep: Option<&[usize]>, verbose: bool) -> Vec<String> {
    let mut options = vec!["--step".to_owned(), step.to_string()];
    if let Some(keep) = keep {
        let list: Vec<String> = keep.iter().map(usize::to_string).collect();
        options.extend(["--keep".to_owned(), list.join(",")]);
    }
    if verbose {
        options.push("--verbose".to_owned());
    }
    options
}

fn again(stretch: &Stretch, options: &[String]) -> String {
    let Stretch { mode, seed, first, scenes } = stretch;
    format!(
        "cargo run --release -p differential --features servers -- child --mode {} --seed {seed} --first {first} \
         --scenes {scenes} {}",
        mode.name(),
        options.join(" ")
    )
}

/// The command at which a mismatch was found.
fn last_command(words: &str) -> Option<usize> {
    words.strip_prefix("mismatch ")?.split(' ').nth(1)?.parse().ok()
}

/// Takes away ever smaller parts as long as what is left still fails.
fn smallest(mut keep: Vec<usize>, mut fails: impl FnMut(&[usize]) -> bool) -> Vec<usize> {
    let started = Instant::now();
    let mut part = keep.len().div_ceil(2);
    while part > 0 && started.elapsed() < PATIENCE {
        let mut at = 0;
        let mut shrunk = false;
        while at < keep.len() && keep.len() > 1 && started.elapsed() < PATIENCE {
            let mut without = keep.clone();
            without.drain(at..(at + part).min(keep.len()));
            if !without.is_empty() && fails(&without) {
                keep = without;
                shrunk = true;
            } else {
                at += part;
            }
        }
        part = if part == 1 && !shrunk { 0 } else { (part / 2).max(1) };
    }
    keep
}

#[cfg(test)]
mod tests {
    use super::smallest;

    #[test]
    fn what_is_needed_remains() {
        let needed = [3, 40, 41];
        let keep = smallest((0..100).collect(), |keep| needed.iter().all(|n| keep.contains(n)));
        assert_eq!(keep, needed);
    }
}
