//! The tool for scripts, on a desktop with an agent.

use std::ffi::OsString;
use std::fs;
use std::time::Duration;

use testsuite::console::Console;
use testsuite::guest::Guest;
use testsuite::process::{Finished, Program, args};
use testsuite::programs::binary;
use testsuite::qemu::{Access, Qemu};
use testsuite::temp::TempDir;
use testsuite::{net, wait_for};

const LIMIT: Duration = Duration::from_secs(60);

/// Runs a task on the guest; `arguments` come behind the address.
fn call(guest: &Guest, task: &[&str], arguments: &[&str]) -> Finished {
    let mut all: Vec<OsString> = args(task);
    all.push(format!("spice://127.0.0.1:{}", guest.port()).into());
    all.extend(args(arguments));
    Program::new(binary("headless").unwrap()).args(all).run(LIMIT).unwrap()
}

/// As [`call`], and what it said, which must be a success.
#[track_caller]
fn said(guest: &Guest, task: &[&str], arguments: &[&str]) -> String {
    let finished = call(guest, task, arguments);
    assert!(finished.status.success(), "{task:?}: {}: {}", finished.status, finished.stderr);
    finished.stdout
}

#[test]
fn every_task() {
    let mut guest = Guest::start().unwrap();

    // This X driver lets the agent in when a client has come.
    drop(Console::with_agent(guest.port()).unwrap());
    let facts = said(&guest, &["info", "--json"], &[]);
    for word in ["\"inputs 0\"", "\"agent\":true", "clipboard_by_demand", "key_scancode"] {
        assert!(facts.contains(word), "{word} in {facts}");
    }
    assert!(said(&guest, &["info"], &[]).contains("agent_capabilities: "));

    // A terminal that writes down what is typed.
    let path = guest.download("typed");
    let script = format!("exec cat > '{}'", path.display());
    guest.xspice.launch("xterm", &args(&["-u8", "-T", "typing", "-e", "sh", "-c", &script])).unwrap();
    guest.xspice.wait_until_said("the window", "xwininfo", &["-name", "typing"], "IsViewable").unwrap();
    said(&guest, &["click"], &["60", "60"]);
    guest.xspice.wait_until_said("the pointer", "xdotool", &["getmouselocation"], "x:60 y:60 ").unwrap();
    said(&guest, &["type"], &["Hello, World!", "--enter"]);
    let partly = call(&guest, &["type", "--json"], &["a語b", "--enter"]);
    assert_eq!(partly.status.code(), Some(3), "{}", partly.stderr);
    assert!(partly.stdout.contains("\"untypable\":\"語\"") && partly.stderr.starts_with("{\"error\":"));
    said(&guest, &["key"], &["x", "Shift+y", "Enter"]);
    let typed = || fs::read_to_string(&path).unwrap_or_default();
    let wanted = "Hello, World!\nab\nxY\n";
    wait_for("the text", LIMIT, || Ok((typed() == wanted).then_some(())))
        .unwrap_or_else(|error| panic!("{error}: {:?}", typed()));
    assert_eq!(call(&guest, &["key"], &["nosuchkey"]).status.code(), Some(2));

    let text = "from the tool: ä\n";
    std::thread::scope(|scope| {
        let setting = scope.spawn(|| said(&guest, &["clipboard", "set", "--json"], &[text]));
        let targets = ["-o", "-selection", "clipboard", "-t", "TARGETS"];
        guest.xspice.wait_until_said("the offer", "xclip", &targets, "UTF8_STRING").unwrap();
        let pasted =
            guest.xspice.program("xclip").args(["-o", "-selection", "clipboard"]).read(LIMIT).unwrap();
        assert_eq!(pasted, text);
        assert!(setting.join().unwrap().contains("\"pasted\":true"));
    });
    let getting = ["clipboard", "get", "--primary", "--timeout", "50"];
    std::thread::scope(|scope| {
        let got = scope.spawn(|| said(&guest, &getting, &[]));
        // Whoever copies before the tool is there is not heard by every agent, so it is done until it is.
        let file = guest.download("copied.txt");
        fs::write(&file, "from the guest").unwrap();
        while !got.is_finished() {
            let copy = ["-selection", "primary", "-i"];
            let _ = guest.xspice.program("xclip").args(copy).args([&file]).run(Duration::from_secs(2));
            std::thread::sleep(Duration::from_millis(500));
        }
        assert_eq!(got.join().unwrap(), "from the guest");
    });

    let (one, two) = (guest.download("one.src"), guest.download("two.src"));
    fs::write(&one, vec![1; 300_000]).unwrap();
    fs::write(&two, b"").unwrap();
    let told = said(&guest, &["send", "--json"], &[one.to_str().unwrap(), two.to_str().unwrap()]);
    assert!(told.contains("{\"sent\":2}"), "{told}");
    assert_eq!(fs::read(guest.download("one (1).src")).unwrap(), vec![1; 300_000]);
    assert_eq!(call(&guest, &["send"], &["/no/such/file"]).status.code(), Some(1));

    assert_eq!(said(&guest, &["resize"], &["808x608"]), "808x608\n");
    let said_by_x = guest.xspice.program("xrandr").read(LIMIT).unwrap();
    assert!(said_by_x.contains("current 808 x 608"), "{said_by_x}");

    let seen = said(&guest, &["watch", "--json", "--for", "3"], &[]);
    for line in seen.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    for word in ["channel-opened", "\"ready\"", "\"event\":\"surface\"", "\"event\":\"locks\""] {
        assert!(seen.lines().any(|line| line.contains(word)), "{word} in {seen}");
    }
    let shot = guest.download("shot.png");
    let told = said(&guest, &["screenshot", "--json"], &["-o", shot.to_str().unwrap(), "--still", "0.3"]);
    assert!(told.contains("\"width\":808") && shot.exists(), "{told}");
    guest.check_running().unwrap();
}

#[test]
fn completions_for_shells() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said =
            Program::new(binary("headless").unwrap()).args(["completions", shell]).read(LIMIT).unwrap();
        assert!(said.contains("screenshot") && said.contains("clipboard"), "{shell}");
    }
    let checked = Program::new("sh").args(["-c", "\"$0\" completions bash | bash -n"]);
    checked.args([binary("headless").unwrap()]).read(LIMIT).unwrap();
    // What the shell does when somebody presses Tab behind `headless cl`.
    let script = "source <(\"$0\" completions bash) && COMP_WORDS=(headless cl) COMP_CWORD=1 \
                  && _headless headless cl headless && echo \"${COMPREPLY[@]}\"";
    let pressed = Program::new("bash").args(["-c", script]).args([binary("headless").unwrap()]);
    assert_eq!(pressed.read(LIMIT).unwrap(), "click clipboard\n");
}

/// Everything that can be wrong before or while a connection is made.
#[test]
fn errors_say_what_to_do() {
    let folder = TempDir::new("headless-errors").unwrap();
    let (folder_path, missing) = (folder.path().to_str().unwrap(), folder.file("missing"));
    let missing = missing.to_str().unwrap();
    let closed = format!("spice://127.0.0.1:{}", net::free_port().unwrap());
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("spice://127.0.0.1:{}", silent.local_addr().unwrap().port());
    let qemu = Qemu::start(Access::Password("sesame")).unwrap();
    let locked = format!("spice://127.0.0.1:{}", qemu.port());
    let open = Qemu::start(Access::Open).unwrap();
    let machine = format!("spice://127.0.0.1:{}", open.port());
    for (arguments, code, advice) in [
        (&["info", &closed][..], 1, "check that the machine runs"),
        (&["info", "spice://nosuchhost.invalid:5900"], 1, "check the address"),
        (&["info", "127.0.0.1:5900"], 1, "write spice://HOST:PORT"),
        (&["info", &silent, "--timeout", "1"], 1, "check that the machine runs"),
        (&["info", &locked], 1, "--password-file"),
        (&["info", &locked, "--password", "wrong"], 1, "check it"),
        (&["info", &locked, "--password-file", missing], 1, "check the path"),
        (&["send", &machine, missing], 1, "check the path"),
        (&["send", &machine, folder_path], 1, "no file that can be sent"),
        (&["send", &machine, "/dev/zero"], 1, "no file that can be sent"),
        (&["send", &machine, "/bin/sh", "--timeout", "1"], 1, "spice-vdagent"),
        (&["resize", &machine, "800x600", "--timeout", "1"], 1, "spice-vdagent"),
        (&["clipboard", "get", &machine, "--timeout", "1"], 1, "spice-vdagent"),
        (&["clipboard", "set", &machine, "text", "--timeout", "1"], 1, "spice-vdagent"),
        (&["click", &machine, "1", "1", "--timeout", "1"], 1, "spice-vdagent"),
        (&["type", &machine, "é"], 3, "--layout"),
        (&["type", &machine, "a", "--layout", "xx"], 2, "us, gb, de, fr, es, it and jp"),
        (&["key", &machine, "Ctrl+Nokey"], 2, "Ctrl+Alt+Del"),
        (&["resize", &machine, "800"], 2, "WIDTHxHEIGHT"),
        (&["info", &machine, "--timeout=0"], 2, "seconds above 0"),
        (&["screenshot", &machine, "-o", &format!("{missing}/a.png")], 1, "check the path"),
        (&["info"], 2, "<ADDRESS>"),
    ] {
        let headless = || Program::new(binary("headless").unwrap()).args(arguments);
        let plain = headless().run(LIMIT).unwrap();
        assert_eq!(plain.status.code(), Some(code), "{arguments:?}: {}", plain.stderr);
        assert!(plain.stderr.starts_with("error: ") && plain.stderr.contains(advice), "{}", plain.stderr);
        let told = headless().args(["--json"]).run(LIMIT).unwrap();
        assert_eq!(told.status.code(), Some(code), "{arguments:?}: {}", told.stderr);
        let value: serde_json::Value = serde_json::from_str(&told.stderr).unwrap();
        assert!(value["error"].as_str().is_some_and(|error| error.contains(advice)), "{value}");
    }
}
