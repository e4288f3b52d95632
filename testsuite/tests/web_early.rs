//! Connections that begin before the library is there, or before the page asks for them.

use std::thread;
use std::time::Duration;

use testsuite::browser::{Browser, DESKTOP, Kind, Page};
use testsuite::gateway::Gateway;
use testsuite::net;
use testsuite::programs::ReferenceServer;

use crate::web_element::{element, number, open_sockets};

/// Keeps the library from the workers until the test lets it go.
const HELD: &str = "if (!window.letGo) {
        const compile = WebAssembly.compileStreaming;
        const held = new Promise((resolve) => window.letGo = resolve);
        WebAssembly.compileStreaming = (source) => held.then(() => compile.call(WebAssembly, source));
    }";

/// A gateway, and the port of its numbers.
fn counting_gateway() -> (Gateway, u16) {
    let metrics = net::free_port().unwrap();
    let private = format!("127.0.0.1:{metrics}");
    let gateway = Gateway::start_with(&["--allow", "127.0.0.1:1024-65535", "--metrics", &private]).unwrap();
    (gateway, metrics)
}

/// WebSockets that the gateway has taken in so far.
fn opened(metrics: u16) -> u64 {
    number(metrics, "gateway_opened_total")
}

/// So many WebSockets are open, and no other is on its way.
fn settle(what: &str, metrics: u16, wanted: u64) {
    // Shorter than the server's own patience with connections that say no more.
    let limit = Duration::from_secs(8);
    testsuite::wait_for(what, limit, || Ok((open_sockets(metrics) == wanted).then_some(()))).unwrap();
    thread::sleep(Duration::from_millis(500));
    assert_eq!(open_sockets(metrics), wanted, "{what}");
}

/// The WebSockets of the one session that there is, which are all that were ever opened but `others`.
fn session_alone(page: &mut Page<'_>, element: &str, metrics: u16, others: u64) -> u64 {
    page.wait("a picture", &format!("(await {element}.stats()).frames > 0")).unwrap();
    let channels = number(metrics, "gateway_opened_total") - others;
    settle("the session alone", metrics, channels);
    channels
}

#[test]
fn what_was_begun_without_the_library_is_gone_on_with() {
    let port = net::free_port().unwrap();
    let mut server = ReferenceServer::start_at(port, None).unwrap();
    let (gateway, metrics) = counting_gateway();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    // Main channel and display; nothing is opened anew when the library is there.
    let mut page = browser.open_with("page", &gateway.page_of(port), HELD).unwrap();
    settle("two WebSockets", metrics, 2);
    page.run("letGo()").unwrap();
    page.connected().unwrap();
    let channels = session_alone(&mut page, DESKTOP, metrics, 0);
    page.run(&format!("{DESKTOP}.disconnect()")).unwrap();
    settle("the end", metrics, 0);
    // The server has gone and come back meanwhile.
    let mut page = browser.open_with("page", &gateway.page_of(port), HELD).unwrap();
    settle("two WebSockets", metrics, 2);
    server.process().kill();
    drop(server);
    settle("dead ones", metrics, 0);
    let _server = ReferenceServer::start_at(port, None).unwrap();
    page.run("letGo()").unwrap();
    page.connected().unwrap();
    assert_eq!(session_alone(&mut page, DESKTOP, metrics, channels + 2), channels);
    page.run(&format!("{DESKTOP}.disconnect()")).unwrap();
    settle("the end", metrics, 0);
    // The user goes elsewhere, and comes back.
    let (_mute, mute) = net::listen().unwrap();
    let mut page = browser.open_with("page", &gateway.page_of(port), HELD).unwrap();
    settle("two WebSockets", metrics, 2);
    let to = |port: u16| format!("{DESKTOP}.connect('127.0.0.1', {port}).catch(() => {{}});");
    page.run(&to(mute)).unwrap();
    settle("two others", metrics, 2);
    page.run(&format!("{} {} {} letGo()", to(port), to(mute), to(port))).unwrap();
    page.connected().unwrap();
    settle("one session", metrics, channels);
    page.run(&format!("{DESKTOP}.disconnect()")).unwrap();
    settle("the end", metrics, 0);
    // The user leaves before anything is there.
    let mut page = browser.open_with("page", &gateway.page_of(port), HELD).unwrap();
    settle("two WebSockets", metrics, 2);
    page.run(&format!("{DESKTOP}.disconnect(); letGo()")).unwrap();
    page.wait("the end", &format!("{DESKTOP}.state === 'disconnected'")).unwrap();
    settle("nobody", metrics, 0);
    page.check().unwrap();
}

/// The address goes to the worker within another one.
#[test]
fn odd_addresses_are_connected_to_early_as_they_are() {
    let server = ReferenceServer::start(None).unwrap();
    let (gateway, metrics) = counting_gateway();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = element(&mut browser, &gateway, "");
    let target = format!(
        "{{ url: `ws://127.0.0.1:{}/sp%69ce/../spice?x=%25%23%zz&y=a+b <ü€\\u{{10ffff}}\\u{{d800}}>\"'&host=127.0.0.1&port={}#part%2` }}",
        gateway.port(),
        server.port()
    );
    page.run(&format!("vm.constructor.warmUp({target})")).unwrap();
    testsuite::wait_for("an early connection", Duration::from_secs(20), || {
        Ok((opened(metrics) > 0).then_some(()))
    })
    .unwrap();
    page.run(&format!("await vm.connect({target})")).unwrap();
    session_alone(&mut page, "vm", metrics, 0);
    page.check().unwrap();
}

#[test]
fn early_connections_and_passwords() {
    let server = ReferenceServer::start(Some("sesame")).unwrap();
    let (gateway, metrics) = counting_gateway();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = element(&mut browser, &gateway, "");
    let target = format!("host: '127.0.0.1', port: {}", server.port());
    // It has a password, which the early connection has not.
    page.run(&format!(
        "vm.constructor.warmUp({{ {target} }});
         await vm.connect({{ {target}, password: 'sesame' }})"
    ))
    .unwrap();
    page.wait("a picture", "(await vm.stats()).frames > 0").unwrap();
    thread::sleep(Duration::from_secs(1));
    let channels = open_sockets(metrics);
    page.run("vm.disconnect()").unwrap();
    settle("the end", metrics, 0);
    // The question is heard by whoever connects, however late.
    page.run(&format!(
        "vm.constructor.warmUp({{ {target} }});
         await new Promise((resolve) => setTimeout(resolve, 2000));
         vm.remove();
         document.body.append(vm);
         window.fired.length = 0;
         vm.addEventListener('credentialsrequired', () => vm.sendCredentials({{ password: 'sesame' }}), {{ once: true }});
         await vm.connect({{ {target} }})"
    ))
    .unwrap();
    page.wait("a picture", "(await vm.stats()).frames > 0").unwrap();
    settle("the session alone", metrics, channels);
    let asked = page.run("return window.fired.filter((name) => name.startsWith('credentials')).join()");
    assert_eq!(asked.unwrap(), "credentialsrequired");
    page.check().unwrap();
}
