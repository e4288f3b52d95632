//! The established client that every picture is compared with.

use std::time::Duration;

use crate::Result;
use crate::picture::Picture;
use crate::process::{Program, args};
use crate::temp::TempDir;

/// Takes a picture of the server on a loopback port with `spicy-screenshot`.
pub fn screenshot(port: u16, password: Option<&str>) -> Result<Picture> {
    let folder = TempDir::new("spicy")?;
    let file = folder.file("screen.ppm");
    let mut program = Program::new("spicy-screenshot")
        .folder(folder.path())
        .args(args(&["-h", "127.0.0.1", "-p", &port.to_string()]))
        .args(["-o".as_ref(), file.as_os_str()]);
    if let Some(password) = password {
        program = program.args(["-w", password]);
    }
    let finished = program.run(Duration::from_secs(30))?;
    if !file.exists() {
        return Err(format!(
            "spicy-screenshot took no picture: {} {}",
            finished.status,
            finished.stderr.trim()
        ));
    }
    Picture::read_ppm(&file)
}
