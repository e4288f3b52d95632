//! Running other programs: printed, bounded in time, ended with their whole process tree.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// Errors here are sentences for the person at the terminal.
pub(crate) type Result<T> = std::result::Result<T, String>;

/// The moment at which every command has to be over, unless [`no_overall_deadline`] was called first.
static DEADLINE: OnceLock<Option<Instant>> = OnceLock::new();

/// All commands of one call together may take this long; below the 90 minutes that a CI machine allows.
const OVERALL: Duration = Duration::from_secs(80 * 60);

/// How long a command may take unless it says otherwise.
const DEFAULT_LIMIT: Duration = Duration::from_secs(15 * 60);

/// How often a running command is looked at.
const POLL: Duration = Duration::from_millis(20);

/// Lifts the bound on the sum of all commands; each keeps its own.
pub(crate) fn no_overall_deadline() {
    let _ = DEADLINE.set(None);
}

/// The root directory of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Finds a program in `PATH`.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    // Administrators' folders are not in every user's PATH, and some programs live only there.
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// One program call.
pub(crate) struct Cmd {
    inner: Command,
    text: String,
    limit: Duration,
}

impl Cmd {
    /// A call of `program`, in the root of the workspace.
    pub(crate) fn new(program: &str, args: &[&str]) -> Self {
        let mut inner = Command::new(program);
        inner.args(args).current_dir(root()).stdin(Stdio::null());
        let mut text = program.to_owned();
        for arg in args {
            text.push(' ');
            text.push_str(arg);
        }
        Self { inner, text, limit: DEFAULT_LIMIT }
    }

    /// A call of the active cargo.
    pub(crate) fn cargo(args: &[&str]) -> Self {
        Self::new("cargo", args)
    }

    /// Sets an environment variable for the call.
    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.text = format!("{key}={:?} {}", value.as_ref(), self.text);
        self.inner.env(key, value);
        self
    }

    /// Sets how long the call may take.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Prints the call and runs it with its output on the terminal.
    pub(crate) fn run(mut self) -> Result<()> {
        println!("  $ {}", self.text);
        let mut child = self.spawn()?;
        let status = self.wait(&mut child)?;
        self.check(status)
    }

    /// Runs the call and returns what it wrote to its standard output.
    pub(crate) fn output(mut self) -> Result<String> {
        self.inner.stdout(Stdio::piped());
        let mut child = self.spawn()?;
        // A thread empties the pipe, else a talkative program would wait for us while we wait for it.
        let reader = child.stdout.take().map(|mut pipe| {
            thread::spawn(move || {
                let mut bytes = Vec::new();
                pipe.read_to_end(&mut bytes).map(|_| bytes)
            })
        });
        let status = self.wait(&mut child)?;
        self.check(status)?;
        let bytes = match reader.map(thread::JoinHandle::join) {
            Some(Ok(Ok(bytes))) => bytes,
            _ => return Err(format!("the output of `{}` could not be read", self.text)),
        };
        String::from_utf8(bytes).map_err(|_| format!("the output of `{}` is not UTF-8", self.text))
    }

    fn spawn(&mut self) -> Result<Child> {
        self.inner.spawn().map_err(|error| format!("`{}` could not be started: {error}", self.text))
    }

    fn wait(&self, child: &mut Child) -> Result<ExitStatus> {
        let started = Instant::now();
        let overall = DEADLINE.get_or_init(|| Some(started + OVERALL));
        let mut limit = self.limit;
        if let Some(deadline) = overall {
            limit = limit.min(deadline.saturating_duration_since(started));
        }
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if started.elapsed() < limit => thread::sleep(POLL),
                Ok(None) => {
                    end_tree(child);
                    return Err(format!(
                        "`{}` was ended after {} s without a result",
                        self.text,
                        limit.as_secs()
                    ));
                }
                Err(error) => return Err(format!("`{}` could not be waited for: {error}", self.text)),
            }
        }
    }

    fn check(&self, status: ExitStatus) -> Result<()> {
        if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", self.text)) }
    }
}

/// Ends a process and everything below it, so that no compiler or server outlives a step.
fn end_tree(child: &mut Child) {
    let mut ids = vec![child.id()];
    let parents = parents();
    let mut done = 0;
    while let Some(&parent) = ids.get(done) {
        ids.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id));
        done += 1;
    }
    let ids: Vec<_> = ids.iter().map(u32::to_string).collect();
    // The shell's own `kill` exists everywhere; the program of that name does not.
    let _ = Command::new("sh").args(["-c", &format!("kill -KILL {} 2>/dev/null", ids.join(" "))]).status();
    let _ = child.kill();
    let _ = child.wait();
}

/// Pairs of process and parent, where the system tells them as Linux does; empty elsewhere.
fn parents() -> Vec<(u32, u32)> {
    let Ok(folder) = fs::read_dir("/proc") else { return Vec::new() };
    folder
        .flatten()
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name in parentheses may hold anything, so read behind its last one: state, then parent.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((id, parent))
        })
        .collect()
}
