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
use crate::{ASK_LIMIT, Result, wait_for};

const START_LIMIT: Duration = Duration::from_secs(40);
const CALL_LIMIT: Duration = Duration::from_secs(30);
/// Making a picture is much work for a busy machine.
const PICTURE_LIMIT: Duration = Duration::from_secs(120);

/// How the server sends pictures.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// `XSPICE_IMAGE_COMPRESSION`: off, quic, lz, glz, auto_lz or auto_glz.
    pub compression: &'static str,
    /// Whether pixmaps of X programs become off-screen surfaces of the protocol.
    pub surfaces: bool,
    /// Whether pictures that look like photographs go as JPEG.
    pub jpeg: bool,
    /// Whether GLZ images are deflated too.
    pub zlib_glz: bool,
    /// Whether pictures that change often become video streams.
    pub video: bool,
    /// Whether no pictures become video streams: otherwise the server guesses.
    pub still: bool,
    /// Whether the pointer is seen.
    pub cursor: bool,
}

impl Options {
    /// A server that sends nothing lossy and shows no pointer.
    pub const fn new(compression: &'static str, surfaces: bool) -> Self {
        Self {
            compression,
            surfaces,
            jpeg: false,
            zlib_glz: false,
            video: false,
            still: false,
            cursor: false,
        }
    }
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
        Self::start_prepared(options, |_, program| program)
    }

    /// As [`start`](Self::start); `prepare` adds to the server's environment, and gets the folder of its files.
    pub(crate) fn start_prepared(
        options: Options,
        prepare: impl Fn(&TempDir, Program) -> Program,
    ) -> Result<Self> {
        // A display number or port may be taken between our look and the start: then try others.
        let mut tries = 0;
        loop {
            match Self::try_start(options, &prepare) {
                Err(error) if tries < 2 && error.contains("ended too early") => tries += 1,
                other => return other,
            }
        }
    }

    fn try_start(options: Options, prepare: impl Fn(&TempDir, Program) -> Program) -> Result<Self> {
        let folder = TempDir::new("xspice")?;
        let port = net::free_port()?;
        let display = free_display();
        let config = folder.file("xorg.conf");
        let text = CONFIG.replace("@SURFACES@", if options.surfaces { "True" } else { "False" });
        fs::write(&config, text).map_err(|error| format!("{}: {error}", config.display()))?;
        let fifo = folder.file("fifo");
        fs::create_dir(&fifo).map_err(|error| format!("{}: {error}", fifo.display()))?;
        // The cursor is hidden where it does not matter: this driver draws some shapes into the screen, where X's own picture lacks them.
        // Option `-displayfd` would be handier than a number of our own, but it ends in the driver's messages being
        // written into a client's socket.
        let mut server = Program::new("Xorg")
            .args(["-config".as_ref(), config.as_os_str()])
            .args(["-logfile".as_ref(), folder.file("xorg.log").as_os_str()])
            .args(args(&["-noreset", "-s", "0", "-dpms", "-nolisten", "tcp"]))
            .env("XSPICE_ADDR", "127.0.0.1")
            .env("XSPICE_PORT", port.to_string())
            .env("XSPICE_DISABLE_TICKETING", "1")
            .env("XSPICE_PLAYBACK_FIFO_DIR", &fifo)
            .env("XSPICE_IMAGE_COMPRESSION", options.compression)
            .env("XSPICE_JPEG_WAN_COMPRESSION", if options.jpeg { "always" } else { "never" })
            .env("XSPICE_ZLIB_GLZ_WAN_COMPRESSION", if options.zlib_glz { "always" } else { "never" });
        if options.video {
            // Without deferred frames the driver sends too much besides the video for the server to see one.
            server = server.env("XSPICE_STREAMING_VIDEO", "all").env("XSPICE_DEFERRED_FPS", "15");
        }
        if options.still {
            server = server.env("XSPICE_STREAMING_VIDEO", "off");
        }
        if !options.cursor {
            server = server.args(["-nocursor"]);
        }
        let server = prepare(&folder, server.args([&display])).start(&folder)?;
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
            .read(PICTURE_LIMIT)?;
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

    /// Shows a moving picture of 320 × 240 pixels at the upper left corner, until the display ends.
    pub fn play(&mut self) -> Result<()> {
        let film = self.folder.file("film.gif");
        // Frames that differ everywhere, as in a film: one picture, rolled on.
        let mut convert = args(&["-size", "320x240", "-seed", "5", "plasma:green-red", "-colors", "64"]);
        for roll in 1..12 {
            convert.extend(args(&[
                "(",
                "-clone",
                "0",
                "-roll",
                &format!("+{}+{}", roll * 26, roll * 10),
                ")",
            ]));
        }
        convert.extend(args(&["-set", "delay", "4", "-loop", "0"]));
        Program::new("convert").args(convert).args([&film]).read(PICTURE_LIMIT)?;
        let mut animate = args(&["-geometry", "+0+0", "-title", "film"]);
        animate.push(film.into());
        self.launch("animate", &animate)?;
        self.wait_until("the film's window", "xwininfo", &["-name", "film"], "IsViewable")
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

    /// The display's name, as programs find it in `DISPLAY`.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// The folder of the server's files.
    pub(crate) fn folder(&self) -> &TempDir {
        &self.folder
    }

    /// The process of the X server.
    pub fn server(&mut self) -> &mut Process {
        &mut self.server
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

    /// As [`wait_until_said`](Self::wait_until_said), while the display and its programs live.
    fn wait_until(&mut self, what: &str, name: &str, arguments: &[&str], word: &str) -> Result<()> {
        self.check_running()?;
        self.wait_until_said(what, name, arguments, word)?;
        self.check_running()
    }

    /// Waits until an X program's output holds a word.
    pub fn wait_until_said(&self, what: &str, name: &str, arguments: &[&str], word: &str) -> Result<()> {
        wait_for(what, START_LIMIT, || {
            let said = self.program(name).args(arguments).read(ASK_LIMIT);
            Ok(said.is_ok_and(|text| text.contains(word)).then_some(()))
        })
    }

    /// Starts an X program that runs until the display ends.
    pub fn launch(&mut self, name: &str, args: &[OsString]) -> Result<()> {
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
