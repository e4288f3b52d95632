//! The element `<spice-desktop>` by its attributes, by the names that noVNC's users know, and what it does when nobody is
//! there.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use testsuite::browser::{Browser, Kind, Page};
use testsuite::gateway::Gateway;
use testsuite::guest::Guest;
use testsuite::net;
use testsuite::programs::ReferenceServer;

use crate::input::Log;

/// A page of which only an element of the test's own is seen: `window.vm` with these attributes, and in `window.fired` what it
/// has fired, as `name` or `name:code`.
pub(crate) fn element<'a>(browser: &'a mut Browser, gateway: &Gateway, attributes: &str) -> Page<'a> {
    let mut page = browser.open("page", &gateway.page("demo")).unwrap();
    page.run(&format!(
        "document.querySelector('.machine.selected .desktop').remove();
         window.fired = [];
         const names = ['connect', 'disconnect', 'statechange', 'idle', 'active', 'wake', 'locks', 'reconnecting', 'trouble',
             'securityfailure', 'credentialsrequired'];
         const holder = document.createElement('div');
         holder.innerHTML = `<spice-desktop {attributes}></spice-desktop>`;
         const vm = window.vm = holder.firstChild;
         for (const name of names) {{
             vm.addEventListener(name, ({{ detail }}) =>
                 window.fired.push([name, detail.code ?? detail.state, detail.status].filter((part) => part !== undefined).join(':')));
         }}
         vm.style.cssText = 'position: fixed; inset: 0; z-index: 9; display: block';
         document.body.append(vm);"
    ))
    .unwrap();
    page
}

fn fired(page: &mut Page<'_>, what: &str) {
    page.wait(what, &format!("window.fired.includes('{what}')")).unwrap();
}

#[test]
fn it_connects_by_its_attributes_alone() {
    let server = ReferenceServer::start(None).unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let attributes = format!("autoconnect host=127.0.0.1 port={} view-only", server.port());
    let mut page = element(&mut browser, &gateway, &attributes);
    fired(&mut page, "connect");
    assert_eq!(page.run("return [vm.state, vm.viewOnly].join()").unwrap(), "connected,true");
    // What is off already is not turned off again.
    let scaling = "vm.scaleViewport = false; vm.resizeSession = false; return vm.scaling";
    assert_eq!(page.run(scaling).unwrap(), "none");
    assert_eq!(
        page.run("vm.resizeSession = true; vm.resizeSession = false; return vm.scaling").unwrap(),
        "fit"
    );
    page.check().unwrap();
}

/// How many WebSockets a gateway has open, by its numbers.
pub(crate) fn open_sockets(metrics: u16) -> u64 {
    number(metrics, "gateway_connections")
}

/// One of a gateway's numbers.
pub(crate) fn number(metrics: u16, name: &str) -> u64 {
    let mut stream = TcpStream::connect(net::loopback(metrics)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let number = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    number.expect("no such number").trim().parse().unwrap()
}

/// What a worker begins while it has no library yet is used or closed, whatever the page wants in the end.
#[test]
fn no_early_connection_is_left_open() {
    let server = ReferenceServer::start(None).unwrap();
    let (_mute, mute) = net::listen().unwrap();
    let metrics = net::free_port().unwrap();
    let gateway = Gateway::start_with(&[
        "--allow",
        "127.0.0.1:1024-65535",
        "--allow",
        "localhost:1024-65535",
        "--metrics",
        &format!("127.0.0.1:{metrics}"),
    ])
    .unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = element(&mut browser, &gateway, "");
    // Shorter than the server's own patience with connections that say no more.
    let limit = Duration::from_secs(5);
    let settle = |what: &str, wanted: u64| {
        testsuite::wait_for(what, limit, || Ok((open_sockets(metrics) == wanted).then_some(()))).unwrap();
        // Nothing else is on its way.
        thread::sleep(Duration::from_millis(500));
        assert_eq!(open_sockets(metrics), wanted, "{what}");
    };
    page.run(&format!("await vm.connect('127.0.0.1', {})", server.port())).unwrap();
    page.wait("a picture", "(await vm.stats()).frames > 0").unwrap();
    let channels = open_sockets(metrics);
    assert!(channels > 1, "{channels}");
    page.run("vm.disconnect()").unwrap();
    settle("the end", 0);
    // The user thinks better of it at once: one connection is left, and no other.
    let again = "const again = () => { const next = document.createElement('spice-desktop'); vm.replaceWith(next); window.vm = next; };";
    page.run(&format!(
        "{again} again();
         window.vm.connect('127.0.0.1', {mute}).catch(() => {{}});
         await window.vm.connect('127.0.0.1', {})",
        server.port()
    ))
    .unwrap();
    page.wait("a picture", "(await vm.stats()).frames > 0").unwrap();
    settle("one session", channels);
    page.run("vm.disconnect()").unwrap();
    settle("its end", 0);
    // The library refuses what the worker has begun for it.
    let ended = page
        .run(&format!(
            "{again} again();
             const options = {{ host: '127.0.0.1', port: {}, password: 'x'.repeat(1000) }};
             return await window.vm.connect(options).then(() => '', (error) => error.code)",
            server.port()
        ))
        .unwrap();
    assert_eq!(ended, "password-impossible");
    settle("a refusal", 0);
    // What was warmed up for another target ends with the first connection, which has nothing to do with it.
    page.run(&format!(
        "{again} again();
         vm.constructor.warmUp({{ host: '127.0.0.1', port: {} }})",
        server.port()
    ))
    .unwrap();
    testsuite::wait_for("what is warmed up", limit, || Ok((open_sockets(metrics) > 0).then_some(())))
        .unwrap();
    page.run(&format!("await vm.connect('localhost', {})", server.port())).unwrap();
    page.wait("a picture", "(await vm.stats()).frames > 0").unwrap();
    settle("the session alone", channels);
    page.run("vm.disconnect()").unwrap();
    settle("the end of all", 0);
    // Who leaves at once is not connected later.
    page.run(&format!(
        "{again} again();
         window.vm.connect('127.0.0.1', {}).catch(() => {{}});
         window.vm.disconnect()",
        server.port()
    ))
    .unwrap();
    page.wait("the end", "vm.state === 'disconnected'").unwrap();
    settle("nobody", 0);
    page.check().unwrap();
}

/// What is still on its way from one connection when the next is asked for is none of that one's; a password that the first
/// server wants does not go to the second.
#[test]
fn what_a_replaced_connection_tells_is_not_heard() {
    let locked = ReferenceServer::start(Some("sesame")).unwrap();
    let server = ReferenceServer::start(None).unwrap();
    let metrics = net::free_port().unwrap();
    let private = format!("127.0.0.1:{metrics}");
    let gateway = Gateway::start_with(&["--allow", "127.0.0.1:1024-65535", "--metrics", &private]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = element(&mut browser, &gateway, "");
    page.run(&format!("await vm.connect('127.0.0.1', {})", server.port())).unwrap();
    // The page is busy while the worker has news for it.
    let heard = page
        .run(&format!(
            "window.fired.length = 0;
             vm.connect('127.0.0.1', {}).catch(() => {{}});
             const until = performance.now() + 2000;
             while (performance.now() < until);
             await vm.connect('127.0.0.1', {});
             return window.fired.filter((name) => name !== 'locks').join()",
            locked.port(),
            server.port()
        ))
        .unwrap();
    // The last one's lock lights may be told of before its first picture, or after it.
    assert_eq!(heard, "statechange:connecting,statechange:connected,connect");
    // An address that is none replaces a connection too.
    page.run("window.code = await vm.connect('127.0.0.1', 'x').catch((error) => error.code)").unwrap();
    assert_eq!(page.run("return [window.code, vm.state].join()").unwrap(), "address,disconnected");
    let closed = || Ok((open_sockets(metrics) == 0).then_some(()));
    testsuite::wait_for("the end of the connection before", Duration::from_secs(10), closed).unwrap();
    let ends =
        page.run("return window.fired.filter((name) => name.startsWith('disconnect:')).join()").unwrap();
    assert_eq!(ends, "disconnect:address");
    page.check().unwrap();
}

/// What was begun early and has ended since is no reason not to try.
#[test]
fn an_early_connection_that_has_ended_is_made_anew() {
    let port = net::free_port().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = element(&mut browser, &gateway, "");
    page.run(&format!(
        "await vm.connect();
         vm.constructor.warmUp({{ host: '127.0.0.1', port: {port} }});
         await new Promise((resolve) => setTimeout(resolve, 3000))"
    ))
    .unwrap();
    let _server = ReferenceServer::start_at(port, None).unwrap();
    page.run(&format!(
        "vm.remove();
         document.body.append(vm);
         await vm.connect('127.0.0.1', {port})"
    ))
    .unwrap();
    page.check().unwrap();
}

/// What an application asks for too early is kept where that makes sense, and else refused in words.
#[test]
fn wishes_before_a_connection() {
    let guest = Guest::start().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = element(&mut browser, &gateway, "");
    let refused = page.run(
        "window.outcome = (promise) => promise.then(() => 'done', (error) => `${error.code}: ${error.message}`);
         vm.clipboardPasteFrom('too early');
         return [await outcome(vm.sendClipboardData('too early')), await outcome(vm.sendText('too early')),
             await outcome(vm.sendFile(new File(['x'], 'x')).done)];",
    );
    assert_eq!(refused.unwrap(), serde_json::json!(vec!["gone: there is no connection"; 3]));
    // The last wish is the one that counts.
    page.run(&format!(
        "window.first = outcome(vm.setResolution(800, 600));
         const second = vm.setResolution(1000, 700);
         await vm.connect('127.0.0.1', {});
         window.size = (await second).join('x');",
        guest.port()
    ))
    .unwrap();
    assert_eq!(page.run("return window.size").unwrap(), "1000x700");
    let first = page.run("return window.first").unwrap();
    assert_eq!(first, "undefined: another resolution took its place");
    page.wait("the new size", "vm.screenSize.join('x') === '1000x700'").unwrap();
    page.run("vm.disconnect()").unwrap();
    fired(&mut page, "disconnect:closed");
    // A connection that comes to nothing takes the wish with it.
    let failed = "const wish = outcome(vm.setResolution(800, 600));
        await outcome(vm.connect('127.0.0.1', 1));
        return await wish";
    let failed = page.run(failed).unwrap();
    assert!(failed.as_str().unwrap().starts_with("not-allowed: "), "{failed}");
    // So does the element when it leaves.
    let left = "const wish = outcome(vm.setResolution(800, 600)); vm.remove(); return await wish";
    assert_eq!(page.run(left).unwrap(), "closed: removed from the page");
    page.check().unwrap();
}

#[test]
fn with_reconnect_no_the_end_is_the_end() {
    let port = net::free_port().unwrap();
    let mut server = ReferenceServer::start_at(port, None).unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = element(&mut browser, &gateway, "reconnect=no");
    page.run(&format!("await vm.connect('127.0.0.1', {port})")).unwrap();
    server.process().kill();
    page.wait("the end", "vm.state === 'disconnected'").unwrap();
    let fired = page
        .run("return window.fired.filter((name) => /disconnect:|reconnecting/.test(name)).join()")
        .unwrap();
    let fired = fired.as_str().unwrap();
    assert!(fired == "disconnect:server-closed" || fired == "disconnect:broken", "{fired}");
    page.check().unwrap();
}

#[test]
fn who_is_away_is_noticed() {
    let server = ReferenceServer::start(None).unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = element(&mut browser, &gateway, "");
    page.run(&format!("await vm.connect('127.0.0.1', {}); vm.idleSeconds = 1", server.port())).unwrap();
    fired(&mut page, "idle");
    page.point_at(300.0, 300.0).unwrap();
    fired(&mut page, "active");
    page.run("vm.setAttribute('idle-disconnect', '')").unwrap();
    fired(&mut page, "disconnect:idle-closed");
    page.check().unwrap();
}

/// The clock jumps, as it does when a computer has slept.
const SLEEP: &str = "window.late = (window.late ?? 0) + 3600000; window.clock ??= Date.now; Date.now = () => window.clock() + window.late";

#[test]
fn after_sleep_a_dead_connection_is_replaced_and_a_living_one_kept() {
    let server = ReferenceServer::start(None).unwrap();
    let mut gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = element(&mut browser, &gateway, "");
    page.run(&format!("await vm.connect('127.0.0.1', {})", server.port())).unwrap();
    page.run(SLEEP).unwrap();
    fired(&mut page, "wake");
    // Longer than the element waits for an answer.
    std::thread::sleep(Duration::from_secs(6));
    let changes = "return window.fired.filter((name) => name.startsWith('statechange')).length";
    let before = page.run(changes).unwrap();
    assert_eq!(before, 2, "connecting and connected, nothing else");
    // Now nobody answers.
    crate::web_ends::signal(gateway.process().id(), "STOP");
    page.run(SLEEP).unwrap();
    fired(&mut page, "trouble");
    page.wait("another attempt", "vm.state === 'connecting'").unwrap();
    crate::web_ends::signal(gateway.process().id(), "CONT");
    page.wait("a connection", "vm.state === 'connected'").unwrap();
    page.check().unwrap();
}

#[test]
fn refusals_are_security_failures() {
    let server = ReferenceServer::start(Some("sesame")).unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = element(&mut browser, &gateway, "");
    page.run("vm.connect('127.0.0.1', 1).catch(() => {})").unwrap();
    fired(&mut page, "securityfailure:not-allowed:403");
    page.run(&format!(
        "vm.connect('127.0.0.1', {}, {{ password: 'open' }}).catch(() => {{}})",
        server.port()
    ))
    .unwrap();
    fired(&mut page, "securityfailure:password-wrong:7");
    fired(&mut page, "credentialsrequired");
    page.run("await vm.sendCredentials({ password: 'sesame' })").unwrap();
    page.check().unwrap();
}

#[test]
fn levels_choose_the_compression() {
    let mut guest = Guest::start().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = element(&mut browser, &gateway, "");
    // Also when it was chosen before there is a connection.
    page.run("vm.compressionLevel = 0").unwrap();
    page.run(&format!("await vm.connect('127.0.0.1', {})", guest.port())).unwrap();
    guest.xspice.fill().unwrap();
    page.wait("pictures", "(await vm.stats()).images.bitmap > 10").unwrap();
    let others = "const { bitmap, cache, surface, ...others } = (await vm.stats()).images;
        return Object.values(others).reduce((sum, count) => sum + count)";
    assert_eq!(page.run(others).unwrap(), 0);
    page.run("vm.compressionLevel = 9; vm.qualityLevel = 9").unwrap();
    guest.xspice.program("xrefresh").run(Duration::from_secs(20)).unwrap();
    page.wait("pictures of another kind", "(await vm.stats()).images.glz > 0").unwrap();
    assert_eq!(page.run("return (await vm.stats()).images.quic").unwrap(), 0, "pictures that may have loss");
    let errors = "try { vm.qualityLevel = 10; return 'taken' } catch (error) { return error.name }";
    assert_eq!(page.run(errors).unwrap(), "RangeError");
    assert_eq!(page.run("return [vm.qualityLevel, vm.compressionLevel].join()").unwrap(), "9,9");
    // What is on the canvas, as a data URL.
    page.wait(
        "the same pixels",
        "await (async () => {
            const image = new Image();
            image.src = vm.toDataURL();
            await image.decode();
            const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
            canvas.drawImage(image, 0, 0);
            const seen = canvas.getImageData(0, 0, image.width, image.height).data;
            const wanted = (await vm.getImageData()).data;
            return seen.length === wanted.length && seen.every((value, index) => value === wanted[index]);
        })()",
    )
    .unwrap();
    page.check().unwrap();
}

#[test]
fn the_view_is_dragged_and_a_click_takes_the_keyboard_or_not() {
    let mut guest = Guest::start().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = element(&mut browser, &gateway, "scaling=none");
    page.run(&format!(
        "await vm.connect('127.0.0.1', {});
         vm.style.cssText = 'position: fixed; left: 0; top: 0; width: 400px; height: 300px; z-index: 9; display: block';
         vm.dragViewport = true;
         vm.focusOnClick = false;
         vm.blur();",
        guest.port()
    ))
    .unwrap();
    let log = Log::start(&mut guest);
    let place = "(() => { const box = vm.shadowRoot.querySelector('.stage').getBoundingClientRect(); return [box.x, box.y].join(); })()";
    page.wait("the corner", &format!("{place} === '0,0'")).unwrap();
    page.point_at(300.0, 200.0).unwrap();
    page.button("down", "left").unwrap();
    page.point_at(200.0, 150.0).unwrap();
    page.button("up", "left").unwrap();
    page.wait("the view's way", &format!("{place} === '-100,-50'")).unwrap();
    // What did not move is a click, where it was.
    page.button("down", "left").unwrap();
    page.button("up", "left").unwrap();
    log.wait_still("a click", &[("ButtonPress", 1), ("ButtonRelease", 1)]);
    guest.xspice.wait_until_said("the pointer", "xdotool", &["getmouselocation"], "x:300 y:200 ").unwrap();
    assert_eq!(page.run("return document.activeElement === vm").unwrap(), false);
    page.run("vm.focusOnClick = true").unwrap();
    page.button("down", "left").unwrap();
    page.button("up", "left").unwrap();
    page.wait("the keyboard", "document.activeElement === vm").unwrap();
    page.check().unwrap();
}

#[test]
fn lights_follow_the_guest() {
    let guest = Guest::start().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = element(&mut browser, &gateway, "");
    page.run(&format!(
        "vm.addEventListener('locks', ({{ detail }}) => {{ window.lights = detail; }});
         await vm.connect('127.0.0.1', {})",
        guest.port()
    ))
    .unwrap();
    page.wait("the lights", "window.lights?.caps === false").unwrap();
    let press = "vm.sendKeyEvent('CapsLock', true); vm.sendKeyEvent('CapsLock', false)";
    page.run(press).unwrap();
    page.wait("a light", "window.lights.caps === true").unwrap();
    page.run(press).unwrap();
    page.wait("no light", "window.lights.caps === false").unwrap();
    page.check().unwrap();
}

/// X servers with the QXL driver take three buttons only, so this ends where the library begins.
#[test]
fn side_buttons_are_buttons_and_lead_the_browser_nowhere() {
    let gateway = Gateway::start_with(&[]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = browser.open("page", &gateway.page("demo")).unwrap();
    let told = page.run(
        "const { Mouse } = await import(new URL('lib/mouse.js', document.baseURI));
         const surface = document.createElement('div');
         surface.setPointerCapture = () => {};
         document.body.append(surface);
         const told = [];
         new Mouse(surface, {
             buttons: (mask) => told.push(mask), locate: () => [1, 1], moveTo: () => {}, pointerAt: () => {}, reveal: () => false,
             touched: () => {}, focus: () => {}, drags: false,
         });
         const event = (type, button, buttons) => {
             const free = surface.dispatchEvent(
                 new PointerEvent(type, { pointerType: 'mouse', button, buttons, bubbles: true, cancelable: true }));
             if (free) told.push('the browser goes back');
         };
         event('pointerdown', 3, 8);
         event('pointerup', 3, 0);
         event('pointerdown', 4, 16);
         event('pointerup', 4, 0);
         return told.join()",
    );
    assert_eq!(told.unwrap(), "8,0,16,0");
    page.check().unwrap();
}

/// On touch screens the keyboard comes when it is asked for, and what it types has no key codes.
#[test]
fn the_on_screen_keyboard_types() {
    let mut guest = Guest::start().unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start_with(Kind::Chromium, &[("BROWSER_TOUCH", "1")]).unwrap();
    let mut page = element(&mut browser, &gateway, "");
    page.run(&format!("await vm.connect('127.0.0.1', {})", guest.port())).unwrap();
    let mode = "return vm.shadowRoot.querySelector('.keys').inputMode + (document.activeElement === vm)";
    page.run("vm.focus(); vm.showKeyboard(true)").unwrap();
    assert_eq!(page.run(mode).unwrap(), "texttrue");
    let log = Log::start(&mut guest);
    page.run("vm.showKeyboard(true)").unwrap();
    page.compose(&["h", "hi"]).unwrap();
    log.wait_still(
        "two letters",
        &[("KeyPress", 43), ("KeyRelease", 43), ("KeyPress", 31), ("KeyRelease", 31)],
    );
    page.run("vm.showKeyboard(false)").unwrap();
    assert_eq!(page.run(mode).unwrap(), "nonefalse");
    page.check().unwrap();
}

/// A graphics driver restarts: the browser takes the canvas's content away, and the element draws it again.
#[test]
fn a_lost_canvas_is_drawn_again() {
    let server = ReferenceServer::start(None).unwrap();
    let gateway = Gateway::start().unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = element(&mut browser, &gateway, "renderer=webgl2");
    page.run(&format!("await vm.connect('127.0.0.1', {})", server.port())).unwrap();
    assert_eq!(page.run("return (await vm.stats()).renderer").unwrap(), "webgl2");
    assert_eq!(page.lose_contexts().unwrap(), 1);
    let same = "await (async () => {
        const [seen, wanted] = [(await vm.readPixels()).data, (await vm.getImageData()).data];
        return new Set(wanted).size > 8 && seen.every((value, index) => value === wanted[index]);
    })()";
    page.wait("the picture", same).unwrap();
    page.check().unwrap();
}
