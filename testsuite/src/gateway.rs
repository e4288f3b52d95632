//! Our gateway with the built page, in front of whatever a test wants to be reached.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::{Process, Program, args};
use crate::temp::TempDir;
use crate::{Result, net, programs, wait_for};

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    process: Process,
    port: u16,
    _folder: TempDir,
}

impl Gateway {
    /// Starts a gateway that serves the page and leads to every loopback port.
    pub fn start() -> Result<Self> {
        Self::start_with(&["--allow", "127.0.0.1:1024-65535"])
    }

    /// Starts a gateway that serves the page, with options.
    pub fn start_with(options: &[&str]) -> Result<Self> {
        Self::start_at(net::free_port()?, options)
    }

    /// Starts a gateway on a port, such as one on which another gateway was.
    pub fn start_at(port: u16, options: &[&str]) -> Result<Self> {
        let folder = TempDir::new("gateway")?;
        let mut process = Program::new(programs::binary("gateway")?)
            .args(args(&["serve", "--listen", &format!("127.0.0.1:{port}"), "--web"]))
            .args([page()?])
            .args(options)
            .start(&folder)?;
        wait_for("the gateway's start", Duration::from_secs(20), || {
            process.check_running()?;
            Ok(net::answers(port).then_some(()))
        })?;
        Ok(Self { process, port, _folder: folder })
    }

    /// The address of the page, with a query.
    pub fn page(&self, query: &str) -> String {
        format!("http://127.0.0.1:{}/?{query}", self.port)
    }

    /// The address of the page for a server on a loopback port.
    pub fn page_of(&self, port: u16) -> String {
        self.page(&format!("host=127.0.0.1&port={port}"))
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

/// The folder of the page as `cargo xtask web --build-only` makes it.
fn page() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/web");
    if folder.join("index.html").is_file() {
        Ok(folder)
    } else {
        Err("the page is not built; run: cargo xtask web --build-only".into())
    }
}
