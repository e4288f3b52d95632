//! What the element and the page do when people and servers do not do what is expected: pastes that hang, buttons held
//! elsewhere, two windows on one machine, a library that dies.

use std::thread;
use std::time::Duration;

use testsuite::browser::{Browser, DESKTOP, Kind, Page};
use testsuite::gateway::Gateway;
use testsuite::qemu::{Access, Qemu};

fn demo<'a>(browser: &'a mut Browser, gateway: &Gateway) -> Page<'a> {
    let mut page = browser.open("page", &gateway.page("demo")).unwrap();
    page.connected().unwrap();
    page
}

/// A keyboard whose desktop writes down what it is told: `+KeyV`, `-KeyV`, `release`, `paste`.
const KEYBOARD: &str = "const { Keyboard } = await import(new URL('lib/keyboard.js', document.baseURI));
    const sink = document.createElement('textarea');
    document.body.append(sink);
    const told = [];
    let answer;
    const answered = new Promise((resolve) => { answer = resolve; });
    const keyboard = new Keyboard(sink, {
        key: (code, down) => told.push((down ? '+' : '-') + code),
        text: (text) => told.push(text),
        setLocks: () => {}, touched: () => {}, left: () => {},
        releaseAll: () => told.push('release'),
        takesPaste: true,
        pasted: async () => { told.push('paste'); await answered; },
    });
    const key = (type, code, more = {}) => sink.dispatchEvent(
        new KeyboardEvent('key' + type, { code, key: code, bubbles: true, cancelable: true, ...more }));
    const paste = () => {
        const clipboardData = new DataTransfer();
        clipboardData.setData('text/plain', 'a text');
        sink.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    };
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));";

#[test]
fn keys_keep_their_order_around_a_paste() {
    let gateway = Gateway::start_with(&[]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = demo(&mut browser, &gateway);
    let mut told = |what: &str| {
        let told = page.run(&format!("{KEYBOARD} {what}; keyboard.close(); return told.join(' ')")).unwrap();
        told.as_str().unwrap().to_owned()
    };
    let control_v =
        "key('down', 'ControlLeft', { ctrlKey: true }); key('down', 'KeyV', { ctrlKey: true }); paste();";
    let release = "key('up', 'KeyV', { ctrlKey: true }); key('up', 'ControlLeft');";
    let ordered = told(&format!(
        "{control_v} {release} key('down', 'KeyW'); key('up', 'KeyW'); answer(); await pause(50);"
    ));
    assert_eq!(ordered, "+ControlLeft paste +KeyV -KeyV -ControlLeft +KeyW -KeyW release");
    // An agent that never answers holds nothing up for long.
    let late = told(&format!("{control_v} {release} await pause(2500);"));
    assert_eq!(late, "+ControlLeft paste +KeyV -KeyV -ControlLeft release");
    // Who leaves in between presses nothing any more.
    let left = told(&format!("{control_v} keyboard.release(); answer(); await pause(300);"));
    assert_eq!(left, "+ControlLeft paste release release");
    // A mouse button is let go too, though no key is held.
    assert_eq!(told("window.dispatchEvent(new Event('blur'));"), "release release");
    // Command+V on a Mac is Control+V in the guest.
    let mac = "Object.defineProperty(navigator, 'platform', { value: 'MacIntel', configurable: true });";
    let told = page.run(&format!(
        "{mac} {KEYBOARD}
         key('down', 'MetaLeft', {{ metaKey: true }}); key('down', 'KeyV', {{ metaKey: true }}); paste(); answer();
         await pause(50);
         key('up', 'MetaLeft'); keyboard.close();
         return told.join(' ');"
    ));
    assert_eq!(told.unwrap(), "+MetaLeft paste +ControlLeft -MetaLeft +KeyV -KeyV -ControlLeft release");
    page.check().unwrap();
}

#[test]
fn a_second_finger_ends_a_long_press() {
    let gateway = Gateway::start_with(&[]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = demo(&mut browser, &gateway);
    let buttons = "const { Touch } = await import(new URL('lib/touch.js', document.baseURI));
        const surface = document.createElement('div');
        document.body.append(surface);
        const told = [];
        const nothing = () => {};
        const touch = new Touch(surface, {
            buttons: (mask) => told.push(mask), moveTo: nothing, moveBy: nothing, glide: nothing, wheel: nothing,
            pointerAt: nothing, locate: () => [0, 0], zoomAt: nothing, pan: nothing, touched: nothing, focus: nothing,
            absolute: true, scale: 1,
        });
        surface.setPointerCapture = nothing;
        const finger = (type, pointerId) => surface.dispatchEvent(new PointerEvent(
            'pointer' + type, { pointerId, pointerType: 'touch', clientX: 10 * pointerId, clientY: 10, bubbles: true }));
        finger('down', 1);
        await new Promise((resolve) => setTimeout(resolve, 1500));
        finger('down', 2); finger('up', 2); finger('up', 1);
        touch.close();
        return told.join()";
    let buttons = page.run(buttons).unwrap();
    assert!(buttons.as_str().unwrap().starts_with("2,0"), "{buttons}");
    page.check().unwrap();
}

#[test]
fn the_original_size_is_seen_whole_with_a_mouse() {
    let gateway = Gateway::start_with(&[]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = demo(&mut browser, &gateway);
    page.size(420, 360).unwrap();
    page.run(&format!("{DESKTOP}.scaling = 'none'")).unwrap();
    let corner = format!(
        "const root = {DESKTOP}.shadowRoot;
         const [viewport, stage] = [root.querySelector('.viewport'), root.querySelector('.stage')];
         const room = viewport.getBoundingClientRect();
         if (stage.getBoundingClientRect().right <= room.right + 50) throw new Error('it fits anyway');
         const point = (x, y) => viewport.dispatchEvent(
             new PointerEvent('pointermove', {{ clientX: x, clientY: y, pointerType: 'mouse', bubbles: true }}));
         const ends = (x, y) => {{
             for (let step = 0; step < 300; step += 1) point(x + step % 2, y);
             const place = stage.getBoundingClientRect();
             return [Math.round(place.left - room.left), Math.round(place.top - room.top),
                 Math.round(place.right - room.right), Math.round(place.bottom - room.bottom)];
         }};
         const [, , right, bottom] = ends(room.right - 3, room.bottom - 2);
         const [left, top] = ends(room.left + 1, room.top + 1);
         // The room may end within a pixel.
         return [left, top, right, bottom].every((rest) => Math.abs(rest) <= 1);"
    );
    assert_eq!(page.run(&corner).unwrap(), true);
    page.check().unwrap();
}

/// QEMU lets one client in at a time: the next one throws out the one before.
#[test]
fn two_windows_do_not_throw_each_other_out_for_ever() {
    let mut qemu = Qemu::start(Access::Open).unwrap();
    qemu.stop_at_text().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let url = gateway.page_of(qemu.port());
    let mut page = browser.open("page", &url).unwrap();
    page.connected().unwrap();
    browser.open("other", &url).unwrap();
    let state = format!("return {DESKTOP}.state");
    let mut settled = 0;
    for _ in 0..240 {
        let states = [browser.page("page").run(&state).unwrap(), browser.page("other").run(&state).unwrap()];
        let is = |wanted: &str| states.iter().any(|state| state == wanted);
        settled = if is("connected") && is("disconnected") { settled + 1 } else { 0 };
        if settled == 16 {
            break;
        }
        thread::sleep(Duration::from_millis(250));
    }
    assert_eq!(settled, 16, "they go on");
    qemu.check_running().unwrap();
}

#[test]
fn a_library_that_dies_is_started_again_twice() {
    let gateway = Gateway::start_with(&[]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let watched = "const Plain = window.Worker;
        window.workers = [];
        window.Worker = class extends Plain { constructor(...all) { super(...all); window.workers.push(this); } };";
    let mut page = browser.open_with("page", &gateway.page("demo"), watched).unwrap();
    page.connected().unwrap();
    for times in 1..=3 {
        page.run("window.workers.at(-1).onerror({ preventDefault() {}, message: 'out of memory' })").unwrap();
        if times < 3 {
            page.wait("another attempt", &format!("window.workers.length === {}", times + 1)).unwrap();
            page.connected().unwrap();
        }
    }
    assert_eq!(page.run(&format!("return {DESKTOP}.state")).unwrap(), "disconnected");
}

#[test]
fn a_promise_waits_for_the_password_and_ends_with_the_element() {
    let mut qemu = Qemu::start(Access::Password("sesame")).unwrap();
    qemu.stop_at_text().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = demo(&mut browser, &gateway);
    let port = qemu.port();
    let outcome = page
        .run(&format!(
            "const vm = document.createElement('spice-desktop');
             document.body.append(vm);
             const told = [];
             const answers = ['wrong', 'sesame'];
             vm.addEventListener('credentialsrequired', ({{ detail }}) => {{
                 told.push(`asked ${{detail.wrong}}`);
                 const password = answers.shift();
                 password === undefined ? vm.disconnect() : vm.sendCredentials({{ password }});
             }});
             for (const name of ['connect', 'disconnect']) vm.addEventListener(name, () => told.push(name));
             if (await vm.connect('127.0.0.1', {port}) !== vm) throw new Error('not itself');
             vm.disconnect();
             while (vm.state !== 'disconnected') await new Promise((resolve) => setTimeout(resolve, 20));
             vm.connect({{ host: '127.0.0.1', port: {port}, password: '' }}).catch(({{ code }}) => told.push(code));
             while (!told.includes('password-missing')) await new Promise((resolve) => setTimeout(resolve, 20));
             vm.connect('127.0.0.1', {port}).catch(({{ code }}) => told.push(`removed: ${{code}}`));
             vm.remove();
             await new Promise((resolve) => setTimeout(resolve, 100));
             return told.join();"
        ))
        .unwrap();
    assert_eq!(
        outcome,
        "asked false,asked true,connect,disconnect,asked false,disconnect,password-missing,disconnect,removed: closed"
    );
    page.check().unwrap();
    qemu.check_running().unwrap();
}

#[test]
fn kept_machines_connect_when_they_are_looked_at() {
    let gateway = Gateway::start_with(&[]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = demo(&mut browser, &gateway);
    page.run(
        "localStorage.setItem('spice.machines', JSON.stringify([{ demo: true }, { demo: true, name: 'b' }]))",
    )
    .unwrap();
    // The page writes its own list when it is left.
    let keep = "Storage.prototype.setItem = () => {}";
    page.run(keep).unwrap();
    let mut page = browser.open("page", &gateway.page("")).unwrap();
    page.connected().unwrap();
    assert_eq!(page.run("return document.querySelectorAll('.desktop')[1].state").unwrap(), "idle");
    page.click("#tabs .tab:last-child .tab-select").unwrap();
    page.connected().unwrap();
    page.check().unwrap();
}

/// A server's news reach the page no faster than it takes them, and only the last of each; its texts come in moderation.
#[test]
fn floods_of_news_are_held_back() {
    let gateway = Gateway::start_with(&[]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = demo(&mut browser, &gateway);
    let told = page.run(
        "const { Outbox } = await import(new URL('lib/outbox.js', document.baseURI));
         const told = [];
         const outbox = new Outbox((name, values) => told.push([name, ...values].join(':')), (callback) => callback());
         for (let time = 0; time < 1000; time += 1) {
             outbox.tell('shape', [time]);
             outbox.tell('name', [time]);
         }
         const held = told.length;
         outbox.turned();
         outbox.tell('shapeless', []);
         outbox.tell('ended', ['closed']);
         for (let time = 0; time < 1000; time += 1) outbox.tell('notice', [0, 'x'.repeat(5000)]);
         const texts = told.filter((text) => text.startsWith('notice'));
         const short = texts.every((text) => text.length < 1100) && texts.length <= 20;
         return [held, short, ...told.filter((text) => !text.startsWith('notice'))].join(' ');",
    );
    assert_eq!(told.unwrap(), "2 true shape:0 turn shape:999 name:999 turn shapeless ended:closed");
    page.check().unwrap();
}

/// Whoever starts a transfer, the page shows it.
#[test]
fn every_transfer_is_followed() {
    let gateway = Gateway::start_with(&[]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = demo(&mut browser, &gateway);
    page.run(&format!("{DESKTOP}.sendFile(new File(['text'], 'pasted.txt'))")).unwrap();
    page.wait(
        "the transfer",
        "document.querySelector('#transfers .name')?.textContent === 'pasted.txt: the machine runs no SPICE agent'",
    )
    .unwrap();
    // What has no text of its own says what the library says.
    page.run(&format!(
        "const done = Promise.reject(Object.assign(new Error('odd'), {{ code: 'failed' }}));
         const transfer = {{ name: 'other.txt', done, cancel() {{}} }};
         {DESKTOP}.dispatchEvent(new CustomEvent('transfer', {{ detail: {{ transfer }} }}))"
    ))
    .unwrap();
    page.wait(
        "its end",
        "[...document.querySelectorAll('#transfers .name')].some((name) => name.textContent === 'other.txt: odd')",
    )
    .unwrap();
    let alone = "const alone = document.createElement('spice-desktop');
        return await alone.sendFile(new File(['text'], 'a')).done.then(() => 'sent', ({ code }) => code)";
    assert_eq!(page.run(alone).unwrap(), "gone");
    page.check().unwrap();
}
