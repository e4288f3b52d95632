//! A desktop that moves by a script: a film, a terminal that scrolls, a window that goes round.

use std::time::Duration;

use testsuite::Result;
use testsuite::process::{Process, args};
use testsuite::temp::TempDir;
use testsuite::xspice::{Options, Xspice};

/// Coloured lines, some thirty a second.
const SCROLL: &str = "n=0; while :; do n=$((n+1)); \
    printf '\\033[3%dm%06d  the quick brown fox jumps over the lazy dog\\033[0m\\n' $((n%8)) $n; sleep 0.03; done";

/// A window on a square way of 240 steps, some thirty a second.
const MOVE: &str = "w=$(xdotool search --sync --onlyvisible --name '^moving$' | tail -1); while :; do \
    for i in $(seq 0 5 300); do xdotool windowmove $w $((400+i)) 80; sleep 0.03; done; \
    for i in $(seq 0 5 300); do xdotool windowmove $w 700 $((80+i)); sleep 0.03; done; \
    for i in $(seq 0 5 300); do xdotool windowmove $w $((700-i)) 380; sleep 0.03; done; \
    for i in $(seq 0 5 300); do xdotool windowmove $w 400 $((380-i)); sleep 0.03; done; done";

const CALL_LIMIT: Duration = Duration::from_secs(120);

/// An X server with a filled screen.
pub(crate) struct Desktop {
    pub(crate) xspice: Xspice,
    film: TempDir,
}

/// Programs that move things until this goes away.
pub(crate) struct Motion {
    _programs: Vec<Process>,
    _folder: TempDir,
}

impl Desktop {
    /// Starts a desktop that stands still, sent with the given compression.
    ///
    /// With `still` the film goes as pictures like the rest; otherwise the server makes a video of it when it takes it
    /// for one.
    pub(crate) fn start(compression: &'static str, still: bool) -> Result<Self> {
        let mut xspice = Xspice::start(Options { still, ..Options::new(compression, false) })?;
        xspice.fill()?;
        let film = TempDir::new("film")?;
        // Frames that differ everywhere, as in a film: one picture, rolled on.
        let mut convert = args(&["-size", "320x240", "-seed", "5", "plasma:green-red", "-colors", "64"]);
        for roll in 1..12 {
            let by = format!("+{}+{}", roll * 26, roll * 10);
            convert.extend(args(&["(", "-clone", "0", "-roll", &by, ")"]));
        }
        convert.extend(args(&["-set", "delay", "4", "-loop", "0"]));
        xspice.program("convert").args(convert).args([film.file("film.gif")]).read(CALL_LIMIT)?;
        Ok(Self { xspice, film })
    }

    /// Sets everything in motion.
    pub(crate) fn play(&self) -> Result<Motion> {
        let folder = TempDir::new("motion")?;
        let x = |name: &str, arguments: &[&str]| self.xspice.program(name).args(arguments).start(&folder);
        let film = self.film.file("film.gif");
        let film = film.to_str().ok_or("the temporary folder is not valid UTF-8")?;
        let programs = vec![
            x("animate", &["-geometry", "+640+440", "-title", "film", film])?,
            x("xterm", &["-T", "scrolling", "-geometry", "80x24+20+380", "-e", "sh", "-c", SCROLL])?,
            x("xterm", &["-T", "moving", "-geometry", "40x12+400+80", "-e", "sleep", "36000"])?,
            x("sh", &["-c", MOVE])?,
        ];
        Ok(Motion { _programs: programs, _folder: folder })
    }
}
