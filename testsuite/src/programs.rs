//! The programs of this workspace that are under test.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use crate::picture::Picture;
use crate::process::{Finished, Process, Program, args};
use crate::temp::TempDir;
use crate::{Result, net, wait_for};

/// The time-out, in seconds, that tests give a screenshot.
pub const TIMEOUT_SECONDS: u64 = 8;

/// How long a program may live beyond its time-out before it counts as hanging: a busy machine needs some of it.
const GRACE: Duration = Duration::from_secs(12);

/// A call of `headless screenshot`.
#[derive(Debug, Clone, Default)]
pub struct Screenshot {
    address: Option<String>,
    password: Option<String>,
    compression: Option<String>,
    timeout: Option<u64>,
}

/// What became of a call.
#[derive(Debug)]
pub struct Shot {
    /// The program's end.
    pub finished: Finished,
    /// The picture, if a file was written.
    pub picture: Option<Picture>,
}

impl Screenshot {
    /// A picture of the demo server inside the program.
    pub fn of_demo() -> Self {
        Self::default()
    }

    /// A picture of the server at an address.
    pub fn of(address: &str) -> Self {
        Self { address: Some(address.into()), ..Self::default() }
    }

    /// A picture of the server on a loopback port.
    pub fn of_port(port: u16) -> Self {
        Self::of(&format!("spice://127.0.0.1:{port}"))
    }

    /// With a password.
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.into());
        self
    }

    /// Asking for a compression.
    pub fn compression(mut self, compression: &str) -> Self {
        self.compression = Some(compression.into());
        self
    }

    /// With a time-out other than the tests' usual one.
    pub fn timeout(mut self, seconds: u64) -> Self {
        self.timeout = Some(seconds);
        self
    }

    /// Takes the picture, well or badly. An error here means that the program hung or wrote no readable PNG.
    pub fn take(&self) -> Result<Shot> {
        let folder = TempDir::new("headless")?;
        let file = folder.file("screen.png");
        let seconds = self.timeout.unwrap_or(TIMEOUT_SECONDS);
        let mut program = Program::new(binary("headless")?).folder(folder.path()).args(["screenshot"]);
        program = program.args(self.address.as_ref());
        program = program.args(["-o".as_ref(), file.as_os_str()]);
        program = program.args(args(&["--timeout", &seconds.to_string()]));
        if let Some(password) = &self.password {
            program = program.args(["--password", password]);
        }
        if let Some(compression) = &self.compression {
            program = program.args(["--compression", compression]);
        }
        let finished = program.run(Duration::from_secs(seconds) + GRACE)?;
        let picture = if file.exists() { Some(Picture::read_png(&file)?) } else { None };
        Ok(Shot { finished, picture })
    }

    /// Takes the picture; anything but success is an error.
    pub fn picture(&self) -> Result<Picture> {
        let shot = self.take()?;
        match shot.picture {
            Some(picture) if shot.finished.status.success() => Ok(picture),
            _ => Err(format!("{self:?}: {}: {}", shot.finished.status, shot.finished.stderr.trim())),
        }
    }
}

impl Shot {
    /// Checks that the program failed as users may expect: exit code 1, one sentence on standard error, no panic, no
    /// file. Returns the sentence.
    pub fn failure(&self) -> Result<String> {
        let said = self.finished.stderr.trim();
        if self.finished.status.code() != Some(1) {
            return Err(format!("{} instead of exit code 1; it said: {said}", self.finished.status));
        }
        if said.is_empty() || said.lines().count() != 1 || said.len() > 300 {
            return Err(format!("not one sentence on standard error: {said:?}"));
        }
        if said.contains("panicked") {
            return Err(format!("a panic: {said}"));
        }
        if self.picture.is_some() {
            return Err(format!("a picture was written although it failed with: {said}"));
        }
        Ok(said.to_owned())
    }
}

/// The running reference server.
#[derive(Debug)]
pub struct ReferenceServer {
    process: Process,
    port: u16,
    _folder: TempDir,
}

impl ReferenceServer {
    /// Starts the server and waits until its port answers.
    pub fn start(password: Option<&str>) -> Result<Self> {
        Self::start_at(net::free_port()?, password)
    }

    /// Starts the server on a port, such as one on which another server was.
    pub fn start_at(port: u16, password: Option<&str>) -> Result<Self> {
        let folder = TempDir::new("reference")?;
        let mut program =
            Program::new(binary("reference-server")?).args(args(&["--listen", &format!("127.0.0.1:{port}")]));
        if let Some(password) = password {
            program = program.args(["--password", password]);
        }
        let mut process = program.start(&folder)?;
        wait_for("the reference server's start", Duration::from_secs(20), || {
            process.check_running()?;
            Ok(net::answers(port).then_some(()))
        })?;
        Ok(Self { process, port, _folder: folder })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// The path of a program of this workspace, built once with optimisation.
///
/// `CARGO_BIN_<NAME>`, with the name in capitals and underscores, names another build of it.
pub fn binary(name: &str) -> Result<PathBuf> {
    let variable = format!("CARGO_BIN_{}", name.to_uppercase().replace('-', "_"));
    if let Some(path) = std::env::var_os(variable) {
        return Ok(path.into());
    }
    static BUILT: OnceLock<Result<PathBuf>> = OnceLock::new();
    let folder = BUILT.get_or_init(build).clone()?;
    Ok(folder.join(name))
}

/// Builds the programs and returns the folder in which they are.
fn build() -> Result<PathBuf> {
    // Programs go below the same target folder as this one, which cargo has marked.
    let test = std::env::current_exe().map_err(|error| format!("the program's own path: {error}"))?;
    let target = test.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    let target = target.ok_or("this does not run from a target folder of cargo")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    Program::new(cargo)
        .folder(std::path::Path::new(env!("CARGO_MANIFEST_DIR")))
        .args(args(&[
            "build",
            "--quiet",
            "--release",
            "-p",
            "gateway",
            "-p",
            "headless",
            "-p",
            "reference-server",
            "--target-dir",
        ]))
        .args([target])
        .read(Duration::from_secs(900))?;
    Ok(target.join("release"))
}
