//! Xspice, a real desktop: Xorg with the spiceqxl driver, a window manager, a terminal full of text.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::net;
use crate::picture::Picture;
use crate::process::{Process, Program, args};
use crate::temp::TempDir;
use crate::{Result, wait_for};

const START_LIMIT: Duration = Duration::from_secs(40);
const CALL_LIMIT: Duration = Duration::from_secs(30);

/// How the server sends pictures.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// `XSPICE_IMAGE_COMPRESSION`: off, quic, lz, and others.
    pub compression: &'static str,
    /// Whether pixmaps of X programs become off-screen surfaces of the protocol.
    pub surfaces: bool,
}

/// A running X server with its programs.
#[derive(Debug)]
pub struct Xspice {
    // Programs go before their server, and all of them before the folder.
    programs: Vec<Process>,
    server: Process,
    folder: TempDir,
    port: u16,
    display: String,
}

impl Xspice {
    /// Starts an empty display.
    pub fn start(options: Options) -> Result<Self> {
        // A display number or port may be taken between our look and the start: then try others.
        let mut tries = 0;
        loop {
            match Self::try_start(options) {
                Err(error) if tries < 2 && error.contains("ended too early") => tries += 1,
                other => return other,
            }
        }
    }

    fn try_start(options: Options) -> Result<Self> {
        let folder = TempDir::new("xspice")?;
        let port = net::free_port()?;
        let display = free_display();
        let config = folder.file("xorg.conf");
        let text = CONFIG.replace("@SURFACES@", if options.surfaces { "True" } else { "False" });
        fs::write(&config, text).map_err(|error| format!("{}: {error}", config.display()))?;
        let fifo = folder.file("fifo");
        fs::create_dir(&fifo).map_err(|error| format!("{}: {error}", fifo.display()))?;
        // The cursor is hidden: this driver draws some shapes into the screen, where X's own picture lacks them.
        // Option `-displayfd` would be handier than a number of our own, but it ends in the driver's messages being
        // written into a client's socket.
        let server = Program::new("Xorg")
            .args(["-config".as_ref(), config.as_os_str()])
            .args(["-logfile".as_ref(), folder.file("xorg.log").as_os_str()])
            .args(args(&["-noreset", "-nocursor", "-s", "0", "-dpms", "-nolisten", "tcp", &display]))
            .env("XSPICE_ADDR", "127.0.0.1")
            .env("XSPICE_PORT", port.to_string())
            .env("XSPICE_DISABLE_TICKETING", "1")
            .env("XSPICE_PLAYBACK_FIFO_DIR", &fifo)
            .env("XSPICE_IMAGE_COMPRESSION", options.compression)
            .start(&folder)?;
        let mut xspice = Self { programs: Vec::new(), server, folder, port, display };
        wait_for("the X server's start", START_LIMIT, || {
            xspice.server.check_running()?;
            let answers = xspice.program("xset").args(["q"]).run(CALL_LIMIT)?.status.success();
            Ok((answers && net::answers(port)).then_some(()))
        })?;
        Ok(xspice)
    }

    /// Fills the display with a colourful background, a window manager and a terminal, and waits until it stands still.
    pub fn fill(&mut self) -> Result<()> {
        let background = self.folder.file("background.png");
        Program::new("convert")
            .args(args(&["-size", "1024x768", "-seed", "7", "plasma:navy-orange", "-blur", "0x1"]))
            .args([background.as_os_str()])
            .read(CALL_LIMIT)?;
        // ImageMagick's `display` ends with code 1 also when all went well; tests count the colours instead.
        self.program("display").args(args(&["-window", "root"])).args([&background]).run(CALL_LIMIT)?;
        let script = "seq 1 400 | pr -8 -t -l50; printf '\\033[1;31mred \\033[42mon green\\033[0m\\n'; exec sleep 3600";
        let mut terminal = args(&["-T", "terminal", "-geometry", "100x40+90+70", "-e", "sh", "-c"]);
        terminal.push(script.into());
        self.launch("xterm", &terminal)?;
        self.wait_until("the terminal's window", "xwininfo", &["-name", "terminal"], "IsViewable")?;
        // The window manager adopts what is there when it starts. A window that comes while it starts may be
        // forgotten by it for ever, so this order is the safe one.
        self.launch("openbox", &[])?;
        self.wait_until(
            "a frame around the terminal",
            "xprop",
            &["-name", "terminal", "WM_STATE"],
            "Normal",
        )?;
        self.wait_until("the framed window", "xwininfo", &["-name", "terminal"], "IsViewable")?;
        self.settle()
    }

    /// Waits until several pictures in a row are the same and show more than a background.
    pub fn settle(&mut self) -> Result<()> {
        let mut last: Option<Picture> = None;
        let mut same = 0;
        wait_for("a screen that stands still", START_LIMIT, || {
            self.check_running()?;
            let picture = self.own_picture()?;
            same = if last.as_ref() == Some(&picture) { same + 1 } else { 0 };
            last = Some(picture);
            Ok((same >= 3).then_some(()))
        })
    }

    /// X's own picture of the screen.
    pub fn own_picture(&self) -> Result<Picture> {
        let folder = TempDir::new("import")?;
        let file = folder.file("root.ppm");
        self.program("import").args(["-window", "root", "-depth", "8"]).args([&file]).read(CALL_LIMIT)?;
        Picture::read_ppm(&file)
    }

    /// A call of an X program on this display.
    pub fn program(&self, name: &str) -> Program {
        Program::new(name).folder(self.folder.path()).env("DISPLAY", &self.display)
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// An error if the server or one of its programs has ended.
    pub fn check_running(&mut self) -> Result<()> {
        self.server.check_running()?;
        self.programs.iter_mut().try_for_each(Process::check_running)
    }

    /// Waits until an X program's output holds a word.
    fn wait_until(&mut self, what: &str, name: &str, arguments: &[&str], word: &str) -> Result<()> {
        wait_for(what, START_LIMIT, || {
            self.check_running()?;
            let said = self.program(name).args(arguments).read(CALL_LIMIT);
            Ok(said.is_ok_and(|text| text.contains(word)).then_some(()))
        })
    }

    /// The folder of the display's files.
    pub(crate) fn folder(&self) -> &TempDir {
        &self.folder
    }

    pub(crate) fn launch(&mut self, name: &str, args: &[OsString]) -> Result<()> {
        self.launch_with(name, args, &[])
    }

    /// Starts a program with more environment.
    pub(crate) fn launch_with(
        &mut self,
        name: &str,
        args: &[OsString],
        environment: &[(&str, &OsStr)],
    ) -> Result<()> {
        let program = self.program(name).args(args);
        let program = environment.iter().fold(program, |program, (key, value)| program.env(key, value));
        self.programs.push(program.start(&self.folder)?);
        Ok(())
    }
}

/// A display number that nobody uses, with its colon.
fn free_display() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Two runs at the same time begin at different numbers.
    let base = 100 + (std::process::id() % 400) * 10;
    loop {
        let number = base + NEXT.fetch_add(1, Ordering::Relaxed);
        let lock = format!("/tmp/.X{number}-lock");
        let socket = format!("/tmp/.X11-unix/X{number}");
        if !Path::new(&lock).exists() && !Path::new(&socket).exists() {
            return format!(":{number}");
        }
    }
}

/// Without the buffer sizes the driver leaves them at 0 and the server aborts.
const CONFIG: &str = r#"
Section "ServerFlags"
    Option "AutoAddDevices" "False"
EndSection
Section "Device"
    Identifier "card"
    Driver "spiceqxl"
    Option "SurfaceBufferSize" "128"
    Option "CommandBufferSize" "256"
    Option "FrameBufferSize" "32"
    Option "EnableSurfaces" "@SURFACES@"
    Option "NumHeads" "1"
EndSection
Section "InputDevice"
    Identifier "pointer"
    Driver "xspice pointer"
EndSection
Section "InputDevice"
    Identifier "keyboard"
    Driver "xspice keyboard"
EndSection
Section "Monitor"
    Identifier "monitor"
EndSection
Section "Screen"
    Identifier "screen"
    Monitor "monitor"
    Device "card"
    DefaultDepth 24
EndSection
Section "ServerLayout"
    Identifier "layout"
    Screen "screen"
    InputDevice "keyboard"
    InputDevice "pointer"
EndSection
"#;
