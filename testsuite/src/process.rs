//! Processes that end with their handle.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::temp::TempDir;

/// A program call in the making.
#[derive(Debug)]
pub struct Program {
    inner: Command,
    name: String,
}

/// What a program that ran to its end said.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// How long it ran.
    pub took: Duration,
}

impl Program {
    /// A call of `program`, without input.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref();
        let name = Path::new(program).file_name().unwrap_or(program).to_string_lossy().into_owned();
        let mut inner = Command::new(program);
        inner.stdin(Stdio::null());
        Self { inner, name }
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.inner.args(args);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.inner.env(key, value);
        self
    }

    /// Sets the folder in which the program runs.
    pub fn folder(mut self, folder: &Path) -> Self {
        self.inner.current_dir(folder);
        self
    }

    /// Starts the program; its output goes to files in `folder`.
    pub fn start(mut self, folder: &TempDir) -> Result<Process> {
        let stdout = folder.file(&format!("{}.out", self.name));
        let stderr = folder.file(&format!("{}.err", self.name));
        self.inner.stdout(create(&stdout)?).stderr(create(&stderr)?);
        let child =
            self.inner.spawn().map_err(|error| format!("{} could not be started: {error}", self.name))?;
        Ok(Process { child, name: self.name, stdout, stderr, started: Instant::now() })
    }

    /// Runs the program to its end, which has to come within `limit`.
    pub fn run(self, limit: Duration) -> Result<Finished> {
        let folder = TempDir::new(&self.name)?;
        let mut process = self.start(&folder)?;
        process.finish(limit)
    }

    /// Runs the program to its end and returns its output, or an error unless it succeeded.
    pub fn read(self, limit: Duration) -> Result<String> {
        let name = self.name.clone();
        let finished = self.run(limit)?;
        if finished.status.success() {
            Ok(finished.stdout)
        } else {
            Err(format!("{name}: {}: {}", finished.status, finished.stderr.trim()))
        }
    }
}

/// A running program. Dropping it ends it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
    stdout: PathBuf,
    stderr: PathBuf,
    started: Instant,
}

impl Process {
    /// Waits for the program's own end, and ends it with an error when it takes longer than `limit`.
    pub fn finish(&mut self, limit: Duration) -> Result<Finished> {
        loop {
            let now = self.child.try_wait().map_err(|error| format!("{}: {error}", self.name))?;
            let took = self.started.elapsed();
            if let Some(status) = now {
                return Ok(Finished { status, stdout: text(&self.stdout), stderr: text(&self.stderr), took });
            }
            if took > limit {
                self.kill();
                return Err(format!("{} did not end within {limit:?}; it said: {}", self.name, self.said()));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends the program at once, without a chance to say anything.
    pub fn kill(&mut self) {
        // The child has not been waited for yet, so its id cannot belong to somebody else.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// An error if the program is no longer running.
    pub fn check_running(&mut self) -> Result<()> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(format!("{} ended too early: {status}: {}", self.name, self.said())),
            Err(error) => Err(format!("{}: {error}", self.name)),
        }
    }

    /// The last lines of what the program has said so far.
    pub fn said(&self) -> String {
        let mut all = text(&self.stdout);
        all.push_str(&text(&self.stderr));
        let lines: Vec<_> = all.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.kill();
        }
        if thread::panicking() {
            eprintln!("{} (process {}) said:\n{}", self.name, self.id(), self.said());
        }
    }
}

/// Arguments from texts, for lists that mix fixed and made-up ones.
pub fn args(list: &[&str]) -> Vec<OsString> {
    list.iter().map(OsString::from).collect()
}

fn create(path: &Path) -> Result<File> {
    File::create(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn text(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_and_status_are_told_apart() {
        let finished = Program::new("sh")
            .args(["-c", "echo out; echo err >&2; exit 3"])
            .run(Duration::from_secs(20))
            .unwrap();
        assert_eq!((finished.stdout.as_str(), finished.stderr.as_str()), ("out\n", "err\n"));
        assert_eq!(finished.status.code(), Some(3));
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let error =
            Program::new("sh").args(["-c", "echo here; exec sleep 60"]).run(Duration::from_millis(300));
        assert!(error.unwrap_err().contains("did not end"));
    }

    #[test]
    fn a_dropped_handle_ends_its_program() {
        let folder = TempDir::new("drop").unwrap();
        let process = Program::new("sleep").args(["60"]).start(&folder).unwrap();
        let id = process.id().to_string();
        let alive = |id: &str| {
            Program::new("sh")
                .args(["-c", &format!("kill -0 {id}")])
                .run(Duration::from_secs(20))
                .unwrap()
                .status
                .success()
        };
        assert!(alive(&id));
        drop(process);
        assert!(!alive(&id));
    }
}
