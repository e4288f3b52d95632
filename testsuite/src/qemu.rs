//! QEMU as a SPICE server: the firmware's text screen, without any disk.

use std::path::PathBuf;
use std::time::Duration;

use crate::net;
use crate::picture::Picture;
use crate::process::{Process, Program, args};
use crate::qmp::Qmp;
use crate::temp::TempDir;
use crate::{Result, wait_for};

/// The programs may run on a slow and busy machine.
const START_LIMIT: Duration = Duration::from_secs(40);

/// How the server lets clients in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Anybody, on a TCP port.
    #[default]
    Open,
    /// Anybody, on a unix socket.
    Unix,
    /// With this password, on a TCP port.
    Password(&'static str),
    /// On two TCP ports of which the plain one refuses every channel.
    TlsForAll,
    /// The same with a certificate of X.509 version 1, as OpenSSL makes it when it is told of no extension.
    TlsVersion1,
    /// Anybody, on a TCP port, with a device behind every kind of channel.
    EveryChannel,
}

/// A virtual machine that shows its firmware's complaint that there is nothing to boot.
#[derive(Debug)]
pub struct Qemu {
    // Declared first, so that the process is gone before its folder.
    process: Process,
    qmp: Qmp,
    folder: TempDir,
    port: u16,
    tls_port: u16,
}

impl Qemu {
    /// Starts a machine and waits until its port answers.
    pub fn start(access: Access) -> Result<Self> {
        Self::start_named(access, "")
    }

    /// The same with a name, which it tells its clients.
    pub fn start_named(access: Access, name: &str) -> Result<Self> {
        // Somebody else may take the port between our look and the start: then try another.
        let mut tries = 0;
        loop {
            match Self::try_start(access, name) {
                Err(error) if tries < 2 && error.contains("ended too early") => tries += 1,
                other => return other,
            }
        }
    }

    fn try_start(access: Access, name: &str) -> Result<Self> {
        let folder = TempDir::new("qemu")?;
        let (port, tls_port) = (net::free_port()?, net::free_port()?);
        let spice = match access {
            Access::Open | Access::EveryChannel => format!("port={port},addr=127.0.0.1,disable-ticketing=on"),
            Access::Unix => {
                format!("unix=on,addr={},disable-ticketing=on", folder.file("spice.sock").display())
            }
            Access::Password(_) => format!("port={port},addr=127.0.0.1,password-secret=ticket"),
            Access::TlsForAll | Access::TlsVersion1 => {
                make_certificates(&folder, access == Access::TlsForAll)?;
                format!(
                    "port={port},tls-port={tls_port},addr=127.0.0.1,disable-ticketing=on,tls-channel=default,x509-dir={}",
                    folder.path().display()
                )
            }
        };
        let mut program = Program::new("qemu-system-x86_64")
            .folder(folder.path())
            .args(args(&["-display", "none", "-nodefaults", "-machine", "q35", "-m", "64", "-vga", "qxl"]))
            .args(args(&["-monitor", "none", "-qmp", "unix:qmp.sock,server=on,wait=off", "-spice", &spice]));
        if !name.is_empty() {
            // In QEMU's options a comma is written twice.
            program = program.args(["-name", &format!("guest={}", name.replace(',', ",,"))]);
        }
        if let Access::Password(password) = access {
            program = program.args(args(&["-object", &format!("secret,id=ticket,data={password}")]));
        }
        if access == Access::EveryChannel {
            program = program.args(args(DEVICES));
        }
        let mut process = program.start(&folder)?;
        wait_for("QEMU's start", START_LIMIT, || {
            process.check_running()?;
            let ready = match access {
                Access::Unix => folder.file("spice.sock").exists(),
                _ => net::answers(port),
            };
            Ok(ready.then_some(()))
        })?;
        let qmp = Qmp::connect(&folder.file("qmp.sock"))?;
        Ok(Self { process, qmp, folder, port, tls_port })
    }

    /// Waits until the firmware has written its last line, then stops the machine, so that no cursor blinks.
    pub fn stop_at_text(&mut self) -> Result<()> {
        let folder = TempDir::new("dump")?;
        let file = folder.file("dump.ppm");
        wait_for("the firmware's last line", START_LIMIT, || {
            self.process.check_running()?;
            let picture = self.dump(&file)?;
            // Text rows are 16 pixels high; the last line is the eighth.
            Ok(((picture.width, picture.height) == (720, 400) && picture.has_content(112..128)).then_some(()))
        })?;
        self.qmp.command("stop", "")?;
        Ok(())
    }

    /// QEMU's own picture of the screen, made without any client.
    pub fn own_picture(&mut self) -> Result<Picture> {
        let folder = TempDir::new("dump")?;
        self.dump(&folder.file("dump.ppm"))
    }

    /// Lets the machine write down every event of this name, such as `input_event_rel`.
    pub fn trace(&mut self, event: &str) -> Result<()> {
        let arguments = format!(r#"{{"name":"{event}","enable":true}}"#);
        self.qmp.command("trace-event-set-state", &arguments).map(|_| ())
    }

    /// What the machine has written down of the events of this name, a line each.
    pub fn traced(&self, event: &str) -> Vec<String> {
        let said = std::fs::read(self.folder.file("qemu-system-x86_64.err")).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        said.lines().filter_map(|line| Some(line.split_once(event)?.1.trim().to_owned())).collect()
    }

    /// The plain TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The TLS port, with [`Access::TlsForAll`].
    pub fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// The file of the certificate authority, with [`Access::TlsForAll`].
    pub fn authority(&self) -> PathBuf {
        self.folder.file("ca-cert.pem")
    }

    /// The unix socket, with [`Access::Unix`].
    pub fn socket(&self) -> PathBuf {
        self.folder.file("spice.sock")
    }

    /// The address of the plain port.
    pub fn address(&self) -> String {
        format!("spice://127.0.0.1:{}", self.port)
    }

    /// The process, for tests that end it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Whether the machine still runs: a client must not be able to end it.
    pub fn check_running(&mut self) -> Result<()> {
        self.process.check_running()
    }

    fn dump(&mut self, file: &std::path::Path) -> Result<Picture> {
        self.qmp.command("screendump", &format!("{{\"filename\": \"{}\"}}", file.display()))?;
        Picture::read_ppm(file)
    }
}

/// Makes a certificate authority and a server certificate under the names that QEMU looks for.
fn make_certificates(folder: &TempDir, extended: bool) -> Result<()> {
    // Without an extension the certificate is of version 1, which nobody's TLS library but OpenSSL takes.
    let extensions = folder.file("server.ext");
    std::fs::write(&extensions, "subjectAltName=DNS:localhost\n")
        .map_err(|error| format!("{}: {error}", extensions.display()))?;
    let calls = [
        "req -x509 -newkey rsa:2048 -nodes -days 30 -keyout ca-key.pem -out ca-cert.pem -subj /O=Test/CN=test-ca",
        "req -newkey rsa:2048 -nodes -keyout server-key.pem -out server.csr -subj /O=Test/CN=localhost",
        "x509 -req -in server.csr -CA ca-cert.pem -CAkey ca-key.pem -CAcreateserial -days 30 -extfile server.ext -out server-cert.pem",
    ];
    for call in calls {
        let call = if extended { call.to_owned() } else { call.replace(" -extfile server.ext", "") };
        Program::new("openssl").folder(folder.path()).args(call.split(' ')).read(Duration::from_secs(60))?;
    }
    Ok(())
}

/// One device for each kind of channel: record, playback, smartcard, usbredir, port and webdav.
const DEVICES: &[&str] = &[
    "-device",
    "virtio-serial",
    "-chardev",
    "spicevmc,id=vda,name=vdagent",
    "-device",
    "virtserialport,chardev=vda,name=com.redhat.spice.0",
    "-chardev",
    "spiceport,id=dav,name=org.spice-space.webdav.0",
    "-device",
    "virtserialport,chardev=dav,name=org.spice-space.webdav.0",
    "-chardev",
    "spiceport,id=prt,name=org.example.port.0",
    "-device",
    "virtserialport,chardev=prt,name=org.example.port.0",
    "-device",
    "qemu-xhci,id=xhci",
    "-chardev",
    "spicevmc,id=ur1,name=usbredir",
    "-device",
    "usb-redir,chardev=ur1,bus=xhci.0",
    "-device",
    "usb-ccid,bus=xhci.0",
    "-chardev",
    "spicevmc,id=sc,name=smartcard",
    "-device",
    "ccid-card-passthru,chardev=sc",
    "-audiodev",
    "spice,id=snd",
    "-device",
    "ich9-intel-hda",
    "-device",
    "hda-duplex,audiodev=snd",
];
