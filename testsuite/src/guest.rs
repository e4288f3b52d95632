//! A desktop with the real guest agent: Xspice, `spice-vdagentd` and `spice-vdagent`.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::Duration;

use crate::process::{Process, Program};
use crate::xspice::{Options, Xspice};
use crate::{Result, relay, wait_for};

const LIMIT: Duration = Duration::from_secs(20);

/// A running desktop with its agent.
#[derive(Debug)]
pub struct Guest {
    // The agent goes before its daemon, and both before the X server.
    agent: Option<Process>,
    daemon: Option<Process>,
    uinput: Option<File>,
    /// The socket that the agent takes for its port.
    port: PathBuf,
    /// The desktop.
    pub xspice: Xspice,
}

impl Guest {
    /// Starts an empty desktop and its agent.
    pub fn start() -> Result<Self> {
        Self::start_with(false)
    }

    /// Starts an empty desktop whose agent may go at any time and come back, see [`relay`].
    pub fn start_relayed() -> Result<Self> {
        Self::start_with(true)
    }

    fn start_with(relayed: bool) -> Result<Self> {
        let options = Options::new("off", false);
        let xspice = Xspice::start_prepared(options, |folder, program| {
            program
                .env("XSPICE_VDAGENT_ENABLED", "1")
                .env("XSPICE_VDAGENT_VIRTIO_PATH", folder.file("port"))
                .env("XSPICE_VDAGENT_UINPUT_PATH", folder.file("uinput"))
                .env("XSPICE_VDAGENT_UID", "0")
                .env("XSPICE_VDAGENT_GID", "0")
        })?;
        fs::create_dir_all(xspice.folder().file("downloads"))
            .map_err(|error| format!("downloads: {error}"))?;
        let mut port = xspice.folder().file("port");
        if relayed {
            let relay = xspice.folder().file("relay");
            relay::start(&relay, &port)?;
            port = relay;
        }
        let mut guest = Self { port, agent: None, daemon: None, uinput: None, xspice };
        guest.start_agent()?;
        Ok(guest)
    }

    /// Starts what is not running of the agent: the daemon, and its half in the session.
    pub fn start_agent(&mut self) -> Result<()> {
        let folder = self.xspice.folder();
        let (port, uinput, socket) = (&self.port, folder.file("uinput"), folder.file("vdagentd"));
        if self.daemon.is_none() {
            let _ = fs::remove_file(&socket);
            // `-X`: there is no login manager to ask which session is active; `-x`: stay in the foreground.
            let daemon = Program::new(daemon())
                .args(["-f", "-x", "-X"])
                .args(["-S".as_ref(), socket.as_os_str(), "-s".as_ref(), port.as_os_str()])
                .args(["-u".as_ref(), uinput.as_os_str()])
                .start(folder)?;
            let daemon = self.daemon.insert(daemon);
            wait_for("the agent daemon's socket", LIMIT, || {
                daemon.check_running()?;
                Ok(socket.exists().then_some(()))
            })?;
            // The server takes the end of this pipe for the end of the agent, and no other agent after that.
            let held = File::options().read(true).write(true).open(&uinput);
            self.uinput = Some(held.map_err(|error| format!("{}: {error}", uinput.display()))?);
        }
        let agent = self
            .xspice
            .program("spice-vdagent")
            .args(["-x", "-o", "0"])
            .args(["-s".as_ref(), port.as_os_str(), "-S".as_ref(), socket.as_os_str()])
            .args(["-f".as_ref(), folder.file("downloads").as_os_str()])
            .start(folder)?;
        self.agent.insert(agent).check_running()
    }

    /// Ends the agent and its daemon at once.
    pub fn kill_agent(&mut self) {
        for process in [self.daemon.take(), self.agent.take()].iter_mut().flatten() {
            process.kill();
        }
    }

    /// Ends the session's half of the agent at once, and leaves the daemon.
    pub fn kill_session_agent(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            agent.kill();
        }
    }

    /// A file that was sent to the guest.
    pub fn download(&self, name: &str) -> PathBuf {
        self.xspice.folder().file("downloads").join(name)
    }

    /// Removes the files that were sent to the guest, whole or in part.
    pub fn remove_downloads(&self) -> Result<()> {
        let folder = self.xspice.folder().file("downloads");
        let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
        for file in fs::read_dir(&folder).map_err(fail)? {
            fs::remove_file(file.map_err(fail)?.path()).map_err(fail)?;
        }
        Ok(())
    }

    /// The SPICE port.
    pub fn port(&self) -> u16 {
        self.xspice.port()
    }

    /// An error if anything has ended.
    pub fn check_running(&mut self) -> Result<()> {
        for process in [&mut self.daemon, &mut self.agent].into_iter().flatten() {
            process.check_running()?;
        }
        self.xspice.check_running()
    }
}

/// The daemon is in a folder for administrators, which is not in everybody's search path.
fn daemon() -> &'static str {
    let path = "/usr/sbin/spice-vdagentd";
    if std::path::Path::new(path).exists() { path } else { "spice-vdagentd" }
}
