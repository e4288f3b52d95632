//! QEMU's control connection.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::{Result, wait_for};

/// A control connection, past its greeting.
#[derive(Debug)]
pub struct Qmp {
    reader: BufReader<UnixStream>,
}

impl Qmp {
    /// Connects to the socket, which may take a moment to appear.
    pub fn connect(socket: &Path) -> Result<Self> {
        let stream =
            wait_for("the control socket", Duration::from_secs(20), || Ok(UnixStream::connect(socket).ok()))?;
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .map_err(|error| format!("control socket: {error}"))?;
        let mut qmp = Self { reader: BufReader::new(stream) };
        qmp.line()?;
        qmp.command("qmp_capabilities", "")?;
        Ok(qmp)
    }

    /// Runs a command; `arguments` is a JSON object or empty. Returns the line with the answer.
    pub fn command(&mut self, name: &str, arguments: &str) -> Result<String> {
        let arguments =
            if arguments.is_empty() { String::new() } else { format!(", \"arguments\": {arguments}") };
        let request = format!("{{\"execute\": \"{name}\"{arguments}}}\n");
        self.reader.get_mut().write_all(request.as_bytes()).map_err(|error| format!("{name}: {error}"))?;
        loop {
            // Events may stand between a command and its answer.
            let line = self.line()?;
            if line.starts_with("{\"return\"") {
                return Ok(line);
            }
            if line.starts_with("{\"error\"") {
                return Err(format!("{name}: {}", line.trim()));
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(0) => Err("the control connection was closed".into()),
            Ok(_) => Ok(line),
            Err(error) => Err(format!("control connection: {error}")),
        }
    }
}
