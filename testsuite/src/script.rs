//! What a user does on a desktop: opens programs, scrolls, drags windows about.

use std::ffi::OsString;
use std::fs;
use std::time::Duration;

use crate::process::args;
use crate::xspice::Xspice;
use crate::{Result, wait_for};

const LIMIT: Duration = Duration::from_secs(40);
/// Title of the GTK window.
pub const GTK_TITLE: &str = "Connect to SPICE";

const CALL_LIMIT: Duration = Duration::from_secs(30);

impl Xspice {
    /// Opens a terminal that scrolls through so many lines and then stands still.
    pub fn scroll(&mut self, title: &str, geometry: &str, lines: u32) -> Result<()> {
        let done = self.folder().file(&format!("{title}.done"));
        let script = format!("seq 1 {lines} | pr -6 -t -l1; touch {}; exec sleep 3600", done.display());
        let mut arguments = args(&["-T", title, "-geometry", geometry, "-fg", "yellow", "-bg", "navy"]);
        arguments.extend(args(&["-e", "sh", "-c", &script]));
        self.launch("xterm", &arguments)?;
        self.wait_for_window(title)?;
        wait_for("the end of the scrolling", LIMIT, || {
            self.check_running()?;
            Ok(done.exists().then_some(()))
        })
    }

    /// Opens a GTK program: the dialog of `spicy`, without a blinking cursor.
    pub fn open_gtk(&mut self) -> Result<()> {
        let config = self.folder().file("config");
        let folder = config.join("gtk-3.0");
        let settings = folder.join("settings.ini");
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&settings, "[Settings]\ngtk-cursor-blink=0\ngtk-enable-animations=0\n"))
            .map_err(|error| format!("{}: {error}", settings.display()))?;
        self.launch_with("spicy", &[], &[("XDG_CONFIG_HOME", config.as_os_str())])?;
        self.wait_for_window(GTK_TITLE)
    }

    /// Opens a picture viewer with a picture of many colours.
    pub fn open_viewer(&mut self, title: &str) -> Result<()> {
        let picture = self.folder().file("picture.png");
        self.program("convert")
            .args(args(&["-size", "320x240", "-seed", "11", "plasma:tomato-steelblue"]))
            .args([&picture])
            .read(CALL_LIMIT)?;
        let mut arguments: Vec<OsString> = args(&["-title", title, "-immutable"]);
        arguments.push(picture.into());
        self.launch("display", &arguments)?;
        self.wait_for_window(title)
    }

    /// Drags a window by so many pixels, with the keyboard's Alt and the left button, in many small steps.
    pub fn drag(&mut self, title: &str, dx: i32, dy: i32) -> Result<()> {
        let window = self.window(title)?;
        let place = || self.program("xwininfo").args(["-id", &window]).read(CALL_LIMIT);
        let before = place()?;
        let steps = 20;
        let mut call = args(&["windowactivate", "--sync", &window]);
        call.extend(args(&[
            "mousemove",
            "--window",
            &window,
            "30",
            "30",
            "keydown",
            "alt",
            "mousedown",
            "1",
        ]));
        for step in 1..=steps {
            let x = (dx * step / steps - dx * (step - 1) / steps).to_string();
            let y = (dy * step / steps - dy * (step - 1) / steps).to_string();
            call.extend(args(&["mousemove_relative", "--", &x, &y, "sleep", "0.02"]));
        }
        call.extend(args(&["mouseup", "1", "keyup", "alt"]));
        self.program("xdotool").args(call).read(CALL_LIMIT)?;
        wait_for("the window's new place", LIMIT, || {
            let now = self.program("xwininfo").args(["-id", &window]).read(CALL_LIMIT)?;
            Ok((now != before).then_some(()))
        })
    }

    /// Waits until a window is there and managed.
    fn wait_for_window(&mut self, title: &str) -> Result<()> {
        wait_for(&format!("the window {title:?}"), LIMIT, || {
            self.check_running()?;
            Ok(self.window(title).ok().map(|_| ()))
        })
    }

    /// The number of a visible window by its title.
    fn window(&self, title: &str) -> Result<String> {
        let found =
            self.program("xdotool").args(["search", "--onlyvisible", "--name", title]).read(CALL_LIMIT)?;
        found.lines().next_back().map(str::to_owned).ok_or_else(|| format!("no window {title:?}"))
    }
}
