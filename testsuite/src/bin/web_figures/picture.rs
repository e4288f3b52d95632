//! The README's picture of a real desktop in the web client.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use testsuite::Result;
use testsuite::browser::{Browser, DESKTOP, Kind};
use testsuite::console::LIMIT;
use testsuite::gateway::Gateway;
use testsuite::guest::Guest;
use testsuite::temp::TempDir;

/// Options of `web-figures picture`.
#[derive(Args)]
pub(crate) struct Options {
    /// The PNG file to write.
    file: PathBuf,
}

/// A desktop with some programs, its clipboard beside it and a file on its way.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut guest = Guest::start()?;
    let gateway = Gateway::start()?;
    let mut browser = Browser::start(Kind::Chromium)?;
    let mut page = browser.open("page", &gateway.page_of(guest.port()))?;
    page.connected()?;
    page.wait("the agent", &format!("{DESKTOP}.agentConnected"))?;
    page.run(
        "const themes = document.querySelector('#theme');
         themes.value = 'dark';
         themes.dispatchEvent(new Event('change'));
         const scaling = document.querySelector('#scaling');
         scaling.value = 'follow';
         scaling.dispatchEvent(new Event('change'));",
    )?;
    page.size(1200, 760)?;
    page.wait("the screen's new size", &format!("Math.abs({DESKTOP}.screenSize[0] - 1200) < 9"))?;
    guest.xspice.fill()?;
    guest.xspice.open_gtk()?;
    guest.xspice.open_viewer("picture")?;
    guest.xspice.scroll("scrolling", "60x16+40+420", 200)?;
    guest
        .xspice
        .program("xdotool")
        .args(["search", "--name", "^picture$", "windowmove", "560", "440"])
        .read(LIMIT)?;
    page.click("#clipboard-open")?;
    page.fill("#clipboard-text", "Grüße aus dem Browser, très bien")?;
    page.click("#clipboard-send")?;
    page.wait("the clipboard", "document.querySelector('#clipboard-state').textContent !== ''")?;
    let folder = TempDir::new("upload")?;
    let file = folder.file("holiday.zip");
    std::fs::write(&file, vec![7; 300_000_000]).map_err(|error| format!("{}: {error}", file.display()))?;
    page.pick("#upload-files", &[file])?;
    page.wait("progress", "document.querySelector('#transfers progress')?.value > 0.2")?;
    std::thread::sleep(Duration::from_millis(500));
    page.shot(&options.file)
}
