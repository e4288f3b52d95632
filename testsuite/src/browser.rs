//! Real browsers, driven through `browser/driver.mjs`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::picture::Picture;
use crate::temp::TempDir;
use crate::{Result, wait_for};

/// A browser is slow to start on a busy machine, and so is a page in it.
const LIMIT: Duration = Duration::from_secs(90);

/// Which browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Chromium, through Playwright; as Debian packages it.
    Chromium,
    /// Firefox ESR, through Puppeteer; without WebGL2 where there is no GPU.
    Firefox,
    /// WebKitGTK, the engine of Safari, through WebDriver: needs a display, and tells nothing of errors in pages.
    WebKit,
}

/// A running browser. Dropping it ends it.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    requests: Option<ChildStdin>,
    answers: Receiver<String>,
    next: u64,
    folder: TempDir,
}

/// A page in a browser.
#[derive(Debug)]
pub struct Page<'a> {
    browser: &'a mut Browser,
    name: &'static str,
}

/// The element of the tab that is seen, as JavaScript.
pub const DESKTOP: &str = "document.querySelector('.machine.selected .desktop')";

impl Browser {
    /// Starts a browser with a profile of its own.
    pub fn start(kind: Kind) -> Result<Self> {
        Self::start_with(kind, &[])
    }

    /// Starts a browser with settings for the driver in its environment.
    pub fn start_with(kind: Kind, environment: &[(&str, &str)]) -> Result<Self> {
        let folder = TempDir::new("browser")?;
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
        if !scripts.join("node_modules").is_dir() {
            return Err(
                "the browsers' drivers are not installed; run: npm ci --prefix testsuite/browser".into()
            );
        }
        let name = match kind {
            Kind::Chromium => "chromium",
            Kind::Firefox => "firefox",
            Kind::WebKit => "webkit",
        };
        let log = fs::File::create(folder.file("driver.err")).map_err(|error| format!("driver: {error}"))?;
        let mut driver = Command::new("node")
            .arg(scripts.join("driver.mjs"))
            .arg(name)
            .arg(folder.file("profile"))
            .envs(environment.iter().copied())
            .env("HOME", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("node could not be started: {error}"))?;
        let (sender, answers) = channel();
        let output = driver.stdout.take().ok_or("the driver has no output")?;
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let requests = driver.stdin.take();
        let mut browser = Self { driver, requests, answers, next: 1, folder };
        let version = browser.answer(0)?;
        println!("{name} {version}");
        Ok(browser)
    }

    /// Opens an address in a page; the same name is the same page.
    pub fn open(&mut self, name: &'static str, url: &str) -> Result<Page<'_>> {
        let mut page = self.page(name);
        page.call("goto", json!({ "url": url }))?;
        Ok(page)
    }

    /// As [`open`](Self::open), with a script that runs in the page before its own.
    pub fn open_with(&mut self, name: &'static str, url: &str, script: &str) -> Result<Page<'_>> {
        let mut page = self.page(name);
        page.call("goto", json!({ "url": url, "script": script }))?;
        Ok(page)
    }

    /// A page that is open.
    pub fn page(&mut self, name: &'static str) -> Page<'_> {
        Page { browser: self, name }
    }

    /// Lets pages of an origin use what a user would be asked for.
    pub fn grant(&mut self, origin: &str, permissions: &[&str]) -> Result<()> {
        self.call("grant", json!({ "origin": origin, "permissions": permissions })).map(drop)
    }

    /// Ids of the browser's processes.
    pub fn processes(&self) -> Vec<u32> {
        below(self.driver.id())
    }

    fn call(&mut self, op: &str, mut request: Value) -> Result<Value> {
        let id = self.next;
        self.next += 1;
        request["id"] = json!(id);
        request["op"] = json!(op);
        let requests = self.requests.as_mut().ok_or("the driver is closed")?;
        writeln!(requests, "{request}").map_err(|error| format!("driver: {error}: {}", self.said()))?;
        self.answer(id).map_err(|error| format!("{op}: {error}"))
    }

    fn answer(&mut self, id: u64) -> Result<Value> {
        let started = Instant::now();
        loop {
            let line = match self.answers.recv_timeout(LIMIT.saturating_sub(started.elapsed())) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("no answer within {LIMIT:?}: {}", self.said()));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("the driver ended: {}", self.said()));
                }
            };
            let answer: Value = serde_json::from_str(&line).map_err(|error| format!("{error}: {line}"))?;
            if answer["id"] != json!(id) {
                continue;
            }
            return match answer["error"].as_str() {
                Some(error) => Err(error.to_owned()),
                None => Ok(answer["value"].clone()),
            };
        }
    }

    /// The last lines of the driver's errors.
    fn said(&self) -> String {
        let text = fs::read_to_string(self.folder.file("driver.err")).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let ids = below(self.driver.id());
        // At the end of its input the driver closes the browser and ends.
        self.requests.take();
        let ended = wait_for("the driver's end", Duration::from_secs(15), || {
            Ok(self.driver.try_wait().ok().flatten().map(drop))
        });
        if ended.is_err() {
            let ids: Vec<_> = ids.iter().map(u32::to_string).collect();
            let script = format!("kill -KILL {} 2>/dev/null", ids.join(" "));
            let _ = Command::new("sh").args(["-c", &script]).status();
            let _ = self.driver.kill();
            let _ = self.driver.wait();
        }
    }
}

impl Page<'_> {
    /// Runs the body of an asynchronous function in the page.
    pub fn run(&mut self, code: &str) -> Result<Value> {
        self.call("run", json!({ "code": code }))
    }

    /// Waits until an expression in the page is true.
    pub fn wait(&mut self, what: &str, expression: &str) -> Result<()> {
        let code = format!("return Boolean({expression})");
        wait_for(what, LIMIT, || Ok((self.run(&code)? == json!(true)).then_some(()))).map_err(|error| {
            let state = self.run(STATE).unwrap_or_default();
            format!("{error}; the page: {state}; it said: {:?}", self.said().unwrap_or_default())
        })
    }

    /// Waits for a machine's first complete picture.
    pub fn connected(&mut self) -> Result<()> {
        self.wait("a connection", &format!("{DESKTOP}?.state === 'connected'"))
    }

    /// What the canvas on the page holds, read back from where the browser shows it.
    pub fn picture(&mut self) -> Result<Picture> {
        let file = self.browser.folder.file("pixels.rgba");
        let code = format!(
            "const data = await {DESKTOP}.readPixels();
             if (!data) throw new Error('no picture');
             window.testSize = [data.width, data.height];
             const bytes = new Uint8Array(data.data.buffer);
             let text = '';
             for (let at = 0; at < bytes.length; at += 30000) {{
                 text += String.fromCharCode(...bytes.subarray(at, at + 30000));
             }}
             return btoa(text);"
        );
        self.call("save", json!({ "code": code, "file": file }))?;
        let size = self.run("return window.testSize")?;
        let side = |index: usize| size[index].as_u64().and_then(|side| u32::try_from(side).ok());
        let (width, height) = side(0).zip(side(1)).ok_or("the picture has no size")?;
        let bytes = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(Picture::from_rgba(width, height, &bytes))
    }

    /// Waits until the canvas shows exactly this picture.
    pub fn shows(&mut self, what: &str, mut wanted: impl FnMut() -> Result<Picture>) -> Result<()> {
        let mut last = String::new();
        wait_for(what, LIMIT, || {
            let outcome = self
                .picture()
                .and_then(|ours| wanted()?.compare(&ours).map_err(|difference| difference.to_string()));
            last = outcome.clone().err().unwrap_or_default();
            Ok(outcome.ok())
        })
        .map_err(|error| format!("{error}: {last}"))
    }

    /// Waits until the canvas has shown exactly this picture for a moment: the page itself looks, again and again.
    pub fn passes(&mut self, what: &str, wanted: &Picture) -> Result<()> {
        let hex: String = wanted.pixels.as_flattened().iter().map(|byte| format!("{byte:02x}")).collect();
        self.run(&format!(
            "const wanted = Uint8Array.fromHex('{hex}');
             const desktop = {DESKTOP};
             window.passed = false;
             const look = async () => {{
                 const picture = await desktop.readPixels();
                 const same = picture?.width === {} && picture.height === {}
                     && wanted.every((value, index) => value === picture.data[Math.trunc(index / 3) * 4 + index % 3]);
                 window.passed ||= same;
                 if (!window.passed) setTimeout(look, 20);
             }};
             look();",
            wanted.width, wanted.height
        ))?;
        self.wait(what, "window.passed")
    }

    /// Keys: `press`, `down` or `up` one, or `type` a text.
    pub fn key(&mut self, act: &str, key: &str) -> Result<()> {
        self.call("key", json!({ "act": act, "key": key })).map(drop)
    }

    /// Composes a text as an input method does: what it shows meanwhile, and last what is taken.
    pub fn compose(&mut self, steps: &[&str]) -> Result<()> {
        self.call("compose", json!({ "steps": steps })).map(drop)
    }

    /// Where the browser shows the middle of a pixel of the machine's screen.
    pub fn place(&mut self, x: u32, y: u32) -> Result<(f64, f64)> {
        let place = self.run(&format!("{LOCATE} return locate({x}, {y})"))?;
        let at = |index: usize| place[index].as_f64().ok_or("the screen has no place");
        Ok((at(0)?, at(1)?))
    }

    /// Moves the mouse to a pixel of the machine's screen.
    pub fn point(&mut self, x: u32, y: u32) -> Result<()> {
        let (x, y) = self.place(x, y)?;
        self.point_at(x, y)
    }

    /// Moves the mouse to a place of the page.
    pub fn point_at(&mut self, x: f64, y: f64) -> Result<()> {
        self.call("mouse", json!({ "act": "move", "x": x, "y": y })).map(drop)
    }

    /// Presses or releases a button of the mouse: `left`, `middle` or `right`.
    pub fn button(&mut self, act: &str, button: &str) -> Result<()> {
        self.call("mouse", json!({ "act": act, "button": button })).map(drop)
    }

    /// Turns the wheel by pixels.
    pub fn wheel(&mut self, x: i32, y: i32) -> Result<()> {
        self.call("mouse", json!({ "act": "wheel", "x": x, "y": y })).map(drop)
    }

    /// Puts fingers down, moves or lifts them: `touchStart`, `touchMove` or `touchEnd`, with all that are down, at places of
    /// the page.
    pub fn touch(&mut self, kind: &str, points: &[(f64, f64)]) -> Result<()> {
        self.call("touch", json!({ "type": kind, "points": points })).map(drop)
    }

    /// Clicks an element of the page.
    pub fn click(&mut self, selector: &str) -> Result<()> {
        self.call("click", json!({ "selector": selector })).map(drop)
    }

    /// Types into a field of the page.
    pub fn fill(&mut self, selector: &str, text: &str) -> Result<()> {
        self.call("fill", json!({ "selector": selector, "text": text })).map(drop)
    }

    /// Picks files in a field of the page.
    pub fn pick(&mut self, selector: &str, files: &[PathBuf]) -> Result<()> {
        self.call("files", json!({ "selector": selector, "paths": files })).map(drop)
    }

    /// Gives the page's window a size.
    pub fn size(&mut self, width: u32, height: u32) -> Result<()> {
        self.call("size", json!({ "width": width, "height": height })).map(drop)
    }

    /// Brings the page to the front.
    pub fn front(&mut self) -> Result<()> {
        self.call("front", json!({})).map(drop)
    }

    /// What axe-core has to say against the page as it is now.
    pub fn axe(&mut self) -> Result<Vec<String>> {
        self.texts("axe")
    }

    /// Where the time of the page's workers goes for some seconds: functions, the busiest first.
    pub fn profile(&mut self, seconds: u32) -> Result<Vec<String>> {
        let value = self.call("profile", json!({ "seconds": seconds }))?;
        Ok(texts(&value))
    }

    /// Takes the WebGL contexts of the page's workers away and gives them back; how many there were.
    pub fn lose_contexts(&mut self) -> Result<u64> {
        self.call("loseContexts", json!({}))?.as_u64().ok_or_else(|| "no number".into())
    }

    /// Bytes of the JavaScript heaps of the page and of its workers, after a collection.
    pub fn heaps(&mut self) -> Result<Vec<u64>> {
        let value = self.call("heaps", json!({}))?;
        let heaps = value.as_array().ok_or("no list")?;
        // A fraction of a byte is none.
        Ok(heaps.iter().filter_map(|heap| heap.as_f64().map(|bytes| bytes as u64)).collect())
    }

    /// What the page wrote to its console, and its uncaught errors as `pageerror: …`.
    pub fn said(&mut self) -> Result<Vec<String>> {
        self.texts("said")
    }

    /// An error if anything in the page was not caught, or broke its policy.
    pub fn check(&mut self) -> Result<()> {
        let said = self.said()?;
        let bad = |line: &&String| line.starts_with("pageerror") || line.contains("Content Security Policy");
        let bad: Vec<_> = said.iter().filter(bad).collect();
        if bad.is_empty() { Ok(()) } else { Err(format!("the page said: {bad:?}")) }
    }

    /// A picture file of the page as its user sees it.
    pub fn shot(&mut self, file: &Path) -> Result<()> {
        self.call("shot", json!({ "file": file })).map(drop)
    }

    fn texts(&mut self, op: &str) -> Result<Vec<String>> {
        let value = self.call(op, json!({}))?;
        Ok(texts(&value))
    }

    fn call(&mut self, op: &str, mut request: Value) -> Result<Value> {
        request["name"] = json!(self.name);
        self.browser.call(op, request)
    }
}

/// The texts of a list.
fn texts(value: &Value) -> Vec<String> {
    let all = value.as_array().into_iter().flatten();
    all.map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
}

/// A process and all below it.
fn below(id: u32) -> Vec<u32> {
    let folder: Vec<_> = fs::read_dir("/proc").map(|folder| folder.flatten().collect()).unwrap_or_default();
    let parents: Vec<(u32, u32)> = folder
        .iter()
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name in parentheses may hold anything, so read behind its last one: state, then parent.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((id, parent))
        })
        .collect();
    let mut ids = vec![id];
    let mut done = 0;
    while let Some(&parent) = ids.get(done) {
        ids.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id));
        done += 1;
    }
    ids
}

/// Where the middle of a pixel of the machine's screen is on the page.
const LOCATE: &str = "
    const locate = (x, y) => {
        const desktop = document.querySelector('.machine.selected .desktop');
        const screen = desktop.shadowRoot.querySelector('.screen').getBoundingClientRect();
        const [width, height] = desktop.screenSize;
        return [screen.x + (x + 0.5) * screen.width / width, screen.y + (y + 0.5) * screen.height / height];
    };";

/// What a person would see of the page's state.
const STATE: &str = "
    const desktop = document.querySelector('.machine.selected .desktop');
    const covers = [...document.querySelectorAll('.machine.selected .cover:not([hidden])')];
    return `${desktop?.state}: ${covers.map((cover) => cover.innerText).join(' | ')}`";
