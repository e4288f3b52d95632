//! The page itself: readable by everybody, whatever it shows.

use testsuite::browser::{Browser, DESKTOP, Kind, Page};
use testsuite::gateway::Gateway;
use testsuite::picture::Picture;
use testsuite::qemu::{Access, Qemu};
use testsuite::temp::TempDir;
use testsuite::xspice::{Options, Xspice};

fn accessible(what: &str, page: &mut Page<'_>) {
    let violations = page.axe().unwrap();
    assert!(violations.is_empty(), "{what}:\n{}", violations.join("\n"));
}

#[test]
fn screen_readers_and_weak_eyes_are_served() {
    let gateway = Gateway::start_with(&[]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = browser.open("page", &gateway.page("")).unwrap();
    page.connected().unwrap();
    let looks = ["en", "de", "zh"].into_iter().flat_map(|language| [(language, "light"), (language, "dark")]);
    for (language, colours) in looks {
        let theme = format!("{language}, {colours}");
        // As the user chooses them.
        page.run(&format!(
            "for (const [id, value] of [['language', '{language}'], ['theme', '{colours}']]) {{
                 const choice = document.getElementById(id);
                 choice.value = value;
                 choice.dispatchEvent(new Event('change'));
             }}"
        ))
        .unwrap();
        page.wait("the language", &format!("document.documentElement.lang === '{language}'")).unwrap();
        accessible(&format!("{theme}: the demo desktop"), &mut page);
        for panel in ["keys-open", "clipboard-open", "settings-open"] {
            page.click(&format!("#{panel}")).unwrap();
            page.wait("the panel", &format!("document.querySelector('#{panel}').ariaExpanded === 'true'"))
                .unwrap();
            accessible(&format!("{theme}: {panel}"), &mut page);
            page.key("press", "Escape").unwrap();
            page.wait("its end", &format!("document.querySelector('#{panel}').ariaExpanded === 'false'"))
                .unwrap();
        }
        page.click("#stats-toggle").unwrap();
        accessible(&format!("{theme}: statistics"), &mut page);
        page.click("#stats-toggle").unwrap();
        page.click("#tab-add").unwrap();
        page.wait("the form", "document.querySelector('.machine.selected .cover.new:not([hidden])')")
            .unwrap();
        accessible(&format!("{theme}: the form"), &mut page);
        page.fill(".machine.selected .host", "127.0.0.1").unwrap();
        page.run("document.querySelector('.machine.selected .port').value = '1'").unwrap();
        page.key("press", "Enter").unwrap();
        page.wait("an error", "document.querySelector('.machine.selected .cover.failed:not([hidden])')")
            .unwrap();
        accessible(&format!("{theme}: an error"), &mut page);
        page.click("#tabs .tab:first-child .tab-select").unwrap();
    }
    page.check().unwrap();
}

/// Everything can be done without a mouse.
#[test]
fn the_keyboard_is_enough() {
    let mut qemu = Qemu::start(Access::Open).unwrap();
    qemu.stop_at_text().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = browser.open("page", &gateway.page("")).unwrap();
    page.connected().unwrap();
    // The machine has the keyboard; this gives it back, to its tab.
    page.wait("the keyboard at the machine", "document.activeElement.matches('spice-desktop')").unwrap();
    leave(&mut page);
    tab_to(&mut page, "#tab-add");
    page.key("press", "Enter").unwrap();
    page.wait("the form", "document.activeElement.matches('.machine.selected .host')").unwrap();
    page.key("type", "127.0.0.1").unwrap();
    page.key("press", "Tab").unwrap();
    page.key("type", &qemu.port().to_string()).unwrap();
    page.key("press", "Enter").unwrap();
    page.connected().unwrap();
    page.shows("the firmware's screen", || qemu.own_picture()).unwrap();
    leave(&mut page);
    // From tab to tab, and through the tools.
    page.key("press", "ArrowLeft").unwrap();
    page.wait("the first tab", "document.querySelector('#tabs .tab:first-child.selected')").unwrap();
    page.key("press", "ArrowRight").unwrap();
    page.wait("the second tab", "document.querySelector('#tabs .tab:last-child.selected')").unwrap();
    tab_to(&mut page, "#keys-open");
    page.key("press", "Enter").unwrap();
    page.wait("the menu", "document.activeElement.matches('#keys [role=menuitemcheckbox]')").unwrap();
    page.key("press", "ArrowDown").unwrap();
    page.key("press", "Escape").unwrap();
    page.wait("the button", "document.activeElement.matches('#keys-open')").unwrap();
    tab_to(&mut page, "#settings-open");
    page.key("press", "Space").unwrap();
    page.wait("a setting", "document.activeElement.matches('#scaling')").unwrap();
    page.key("press", "Escape").unwrap();
    // Ends and comes back.
    tab_to(&mut page, "#power");
    page.key("press", "Enter").unwrap();
    let again = ".machine.selected .cover.failed:not([hidden]) .failed-retry";
    page.wait("the offer to connect again", &format!("document.activeElement.matches('{again}')")).unwrap();
    page.key("press", "Enter").unwrap();
    page.connected().unwrap();
    leave(&mut page);
    page.key("press", "Delete").unwrap();
    page.wait("one tab less", "document.querySelectorAll('#tabs .tab').length === 1").unwrap();
    // Or by a button, which screen readers find too.
    tab_to(&mut page, "#tab-remove");
    page.key("press", "Enter").unwrap();
    page.wait(
        "an empty one in its place",
        "document.activeElement.matches('.machine.selected .host, #tabs [role=tab]')",
    )
    .unwrap();
    page.wait("the form", "document.querySelector('.machine.selected .cover.new:not([hidden])')").unwrap();
    page.check().unwrap();
    qemu.check_running().unwrap();
}

/// Takes the keyboard from the machine.
fn leave(page: &mut Page<'_>) {
    page.wait("the keyboard at the machine", "document.activeElement.matches('spice-desktop')").unwrap();
    for (act, key) in [
        ("down", "Control"),
        ("down", "Alt"),
        ("down", "Shift"),
        ("up", "Shift"),
        ("up", "Alt"),
        ("up", "Control"),
    ] {
        page.key(act, key).unwrap();
    }
    page.wait("the tab", "document.activeElement.matches('#tabs .tab.selected [role=tab]')").unwrap();
}

/// Presses Tab until something has the keyboard.
fn tab_to(page: &mut Page<'_>, selector: &str) {
    for _ in 0..20 {
        page.key("press", "Tab").unwrap();
        if page.run(&format!("return document.activeElement.matches('{selector}')")).unwrap() == true {
            return;
        }
    }
    panic!("{selector} is out of the keyboard's reach");
}

/// A shape that inverts what is below it: no server at hand sends one, so the page's part is looked at.
#[test]
fn inverted_pointers_invert() {
    let gateway = Gateway::start_with(&[]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = browser.open("page", &gateway.page("")).unwrap();
    page.connected().unwrap();
    page.run(
        "const { PointerShape } = await import(new URL('lib/shape.js', document.baseURI));
         const { styleSheet } = await import(new URL('lib/style.js', document.baseURI));
         const host = document.createElement('div');
         const root = host.attachShadow({ mode: 'open' });
         root.adoptedStyleSheets = [styleSheet()];
         const viewport = document.createElement('div');
         viewport.className = 'viewport';
         const stage = document.createElement('div');
         stage.className = 'stage';
         viewport.append(stage);
         root.append(viewport);
         document.body.append(host);
         host.style.cssText = 'position: fixed; z-index: 99; left: 0; top: 0; width: 64px; height: 64px';
         stage.style.cssText = 'width: 64px; height: 64px; background: rgb(250, 100, 20)';
         const shape = new PointerShape(stage, viewport);
         // Left half red, right half inverting; the hot spot in the middle.
         const rgba = new Uint8Array(16 * 16 * 4);
         const inverts = new Uint8Array(16 * 16);
         for (let at = 0; at < 256; at += 1) {
             if (at % 16 < 8) rgba.set([255, 0, 0, 255], at * 4);
             else { rgba.set([0, 0, 0, 255], at * 4); inverts[at] = 1; }
         }
         shape.show(16, 16, 8, 8, rgba, inverts);
         shape.moveTo([32, 32]);",
    )
    .unwrap();
    let folder = TempDir::new("shot").unwrap();
    let file = folder.file("page.png");
    page.shot(&file).unwrap();
    let seen = Picture::read_png(&file).unwrap();
    let at = |x: usize, y: usize| seen.pixels[y * seen.width as usize + x];
    assert_eq!(at(10, 10), [250, 100, 20]);
    assert_eq!(at(28, 32), [255, 0, 0]);
    assert_eq!(at(36, 32), [5, 155, 235]);
    assert_eq!(
        (at(23, 32), at(24, 32), at(39, 32), at(40, 32)),
        ([250, 100, 20], [255, 0, 0], [5, 155, 235], [250, 100, 20])
    );
    page.check().unwrap();
}

#[test]
fn the_numbers_in_the_corner() {
    let mut xspice = Xspice::start(Options::new("quic", false)).unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = browser.open("page", &gateway.page_of(xspice.port())).unwrap();
    page.connected().unwrap();
    page.click("#stats-toggle").unwrap();
    xspice.play().unwrap();
    page.run(&format!("{DESKTOP}.focus()")).unwrap();
    page.key("press", "Shift").unwrap();
    for (what, shape) in [
        ("fps", r"^[1-9]\d*$"),
        ("received", r"^[1-9][\d.]* [kM]?B/s, [1-9][\d.]* [kMG]?B$"),
        ("sent", r"^[1-9][\d.]* [kM]?B$"),
        ("latency", r"^[1-9]\d* ms$"),
        ("decode", r"^\d[\d.]* ms$"),
        ("codecs", r"^[a-z0-9-]+ [1-9]\d* %"),
        ("screen", r"^1024 × 768$"),
        ("memory", r"^3\.1 MB$"),
    ] {
        let shown = format!("document.querySelector('#stats [data-stat={what}]')?.textContent");
        page.wait(what, &format!("/{}/.test({shown})", shape.replace("/s", "\\/s"))).unwrap();
    }
    page.check().unwrap();
    xspice.check_running().unwrap();
}
