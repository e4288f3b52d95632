//! What the page does not let anybody do: run a script of theirs, read passwords, be blank in an old browser.

use testsuite::browser::{Browser, DESKTOP, Kind};
use testsuite::gateway::Gateway;
use testsuite::programs::ReferenceServer;
use testsuite::qemu::{Access, Qemu};

/// A name that would run a script if anything made markup of it.
const EVIL: &str = "<img src=x onerror=\"document.title='owned'\"><b>bold</b>";
const FOREIGN: &str = "document.querySelector('.machine.selected .cover.foreign:not([hidden])')";
const FAILED: &str = "document.querySelector('.machine.selected .cover.failed:not([hidden])')";

#[test]
fn names_and_errors_never_become_markup() {
    let mut qemu = Qemu::start_named(Access::Open, EVIL).unwrap();
    qemu.stop_at_text().unwrap();
    let gateway = Gateway::start_with(&["--allow", "127.0.0.1:1024-65535"]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = browser.open("page", &gateway.page_of(qemu.port())).unwrap();
    page.connected().unwrap();
    let title = "document.querySelector('#tabs .tab.selected .title')";
    page.wait("the machine's name", &format!("{title}.textContent === {DESKTOP}.machineName")).unwrap();
    assert_eq!(page.run(&format!("return {DESKTOP}.machineName")).unwrap(), EVIL);
    // It is a label too, a file's name, and comes back from storage after a reload.
    for _ in 0..2 {
        let found = "return document.querySelectorAll('img, b, [onerror]').length
            + document.querySelector('.machine.selected .desktop').shadowRoot.querySelectorAll('img, b, [onerror]').length";
        assert_eq!(page.run(found).unwrap(), 0);
        assert_ne!(page.run("return document.title").unwrap(), "owned");
        page = browser.open("page", &gateway.page("")).unwrap();
        page.connected().unwrap();
    }
    // What the address names ends in errors.
    let query = "host=%3Cimg%20src%3Dx%20onerror%3D%22document.title%3D1%22%3E&port=5900";
    let mut page = browser.open("page", &gateway.page(query)).unwrap();
    page.wait("an error", FAILED).unwrap();
    let said =
        page.run(&format!("return {FAILED}.innerText + {FAILED}.querySelectorAll('img').length")).unwrap();
    let said = said.as_str().unwrap();
    assert!(said.contains("<img src=x onerror") && said.ends_with('0'), "{said}");
    page.check().unwrap();
}

#[test]
fn no_script_but_the_pages_own_runs() {
    let gateway = Gateway::start_with(&[]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = browser.open("page", &gateway.page("")).unwrap();
    page.connected().unwrap();
    // The policy stands in the page, for any web server, and in our gateway's header.
    let policies = "const answer = await fetch(location.href);
        const meta = document.querySelector('meta[http-equiv=Content-Security-Policy]').content;
        return [meta, answer.headers.get('content-security-policy')];";
    let policies = page.run(policies).unwrap();
    for policy in policies.as_array().unwrap() {
        let policy = policy.as_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("'wasm-unsafe-eval'"), "{policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
    }
    // The page as it is served has nothing inline.
    let inline = "const text = await (await fetch(location.href)).text();
        const page = new DOMParser().parseFromString(text, 'text/html');
        const all = [...page.querySelectorAll('*'), ...page.querySelector('#machine').content.querySelectorAll('*')];
        return all.filter((element) => element.localName === 'style' || element.localName === 'script' && !element.src
            || [...element.attributes].some(({ name }) => name === 'style' || name.startsWith('on'))).length;";
    assert_eq!(page.run(inline).unwrap(), 0);
    // And what is put in does not run.
    let tried = "window.ran = [];
        const script = document.createElement('script');
        script.textContent = 'window.ran.push(1)';
        document.body.append(script);
        const element = document.createElement('div');
        element.setAttribute('onclick', 'window.ran.push(2)');
        document.body.append(element);
        element.click();
        const other = document.createElement('script');
        other.src = 'data:text/javascript,window.ran.push(3)';
        document.body.append(other);
        await new Promise((resolve) => { other.onerror = resolve; other.onload = resolve; });
        return window.ran.length;";
    assert_eq!(page.run(tried).unwrap(), 0);
    // Automation may evaluate texts in a page's own name; a script of the page may not.
    let module =
        "const source = URL.createObjectURL(new Blob(['export default 1'], { type: 'text/javascript' }));
        try { await import(source); return 'ran' } catch { return 'refused' }";
    assert_eq!(page.run(module).unwrap(), "refused");
    let refused = page.said().unwrap().iter().filter(|line| line.contains("Content Security Policy")).count();
    assert!(refused >= 4, "{refused}");
}

/// Machines outlive a reload; passwords, tokens, and addresses that hold either do not.
#[test]
fn what_is_kept_holds_no_secret() {
    let gateway = Gateway::start_with(&[]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = browser.open("page", &gateway.page("")).unwrap();
    page.connected().unwrap();
    for (host, url) in [
        ("127.0.0.1", ""),
        ("", "ws://127.0.0.1:2/?secret=geheim"),
        ("", "ws://127.0.0.1:2/#geheim"),
        ("", "ws://user:geheim@127.0.0.1:2/"),
    ] {
        page.click("#tab-add").unwrap();
        page.run(&format!(
            "const part = (name) => document.querySelector(`.machine.selected .${{name}}`);
             part('host').value = '{host}';
             part('port').value = '{}';
             part('url').value = '{url}';
             part('new-password').value = 'geheim';
             part('connect-form').requestSubmit();",
            if host.is_empty() { "" } else { "2" }
        ))
        .unwrap();
        page.wait("an error", FAILED).unwrap();
    }
    // An address of another host in a link is visited when the user says so, and not kept.
    let mut page = browser.open("page", &gateway.page("url=ws://localhost:2/geheim")).unwrap();
    page.wait("a question", FOREIGN).unwrap();
    page.click(".machine.selected .foreign-connect").unwrap();
    page.wait("an error", FAILED).unwrap();
    // A token in the page's own address neither, and the history forgets it.
    for query in ["token=geheim", "#token=geheim"] {
        page = browser.open("page", &gateway.page(query)).unwrap();
        page.wait("an error", FAILED).unwrap();
        assert_eq!(page.run("return location.search + location.hash").unwrap(), "");
    }
    let kept = "return JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie
        + [...document.querySelectorAll('input')].map((input) => input.value).join()";
    let kept = page.run(kept).unwrap();
    let kept = kept.as_str().unwrap();
    assert!(kept.contains("127.0.0.1") && !kept.contains("geheim"), "{kept}");
}

/// A link does not make the page connect to another host, unless the page names that itself.
#[test]
fn links_to_other_hosts_are_followed_only_by_the_user() {
    let server = ReferenceServer::start(None).unwrap();
    let gateway = Gateway::start_with(&[]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    for way in ["url=ws://localhost:PORT/", "host=localhost&port=PORT&direct"] {
        let link = gateway.page(&way.replace("PORT", &server.port().to_string()));
        let mut page = browser.open("page", &link).unwrap();
        page.wait("a question", FOREIGN).unwrap();
        let told = page.run(&format!("return {FOREIGN}.innerText")).unwrap();
        assert!(told.as_str().unwrap().contains(&format!("localhost:{}", server.port())), "{told}");
        assert_eq!(page.run(&format!("return {DESKTOP}.state")).unwrap(), "idle");
        page.click(".machine.selected .foreign-cancel").unwrap();
        page.wait("the form", "document.querySelector('.machine.selected .cover.new:not([hidden])')")
            .unwrap();
        page.check().unwrap();
    }
    let link = gateway.page(&format!("host=localhost&port={}&direct", server.port()));
    let mut page = browser.open_with("other", &link, &naming("node1.example localhost")).unwrap();
    page.wait("an attempt", &format!("{DESKTOP}.state !== 'idle'")).unwrap();
    page.check().unwrap();
    // Ports count where they are named. Each link is a new one: machines that were connected are known.
    for (name, port, hosts, is_known) in [
        ("port", 7003, "localhost:7003", true),
        ("ports", 7004, "localhost:7002-7004", true),
        ("next", 7001, "localhost:7002", false),
        ("others", 7001, "localhost:7002-70000 localhost:1-7000", false),
        ("badly", 7001, "localhost:7001- localhost: localhost:7001x *:7001 *.:7001", false),
    ] {
        let link = gateway.page(&format!("host=localhost&port={port}&direct"));
        let mut page = browser.open_with(name, &link, &naming(hosts)).unwrap();
        if is_known {
            page.wait(name, &format!("{DESKTOP}.state !== 'idle'")).unwrap();
        } else {
            page.wait(name, FOREIGN).unwrap();
        }
        page.check().unwrap();
    }
    // What looks like a host of the page's and leads elsewhere.
    for (name, way) in [
        ("slash", "host=localhost/.vms.example&port=1&direct"),
        ("hash", "host=localhost%23.vms.example&port=1&direct"),
        ("name", "host=node1.example@localhost&port=PORT&direct"),
        ("url", "url=ws://node1.example@localhost:PORT/"),
        ("relative", "url=//localhost:PORT/.vms.example"),
        ("script", "url=javascript:node1.example"),
    ] {
        let link = gateway.page(&way.replace("PORT", &server.port().to_string()));
        let mut page = browser.open_with(name, &link, &naming("node1.example *.vms.example *.")).unwrap();
        page.wait(name, FOREIGN).unwrap();
        assert_eq!(page.run(&format!("return {DESKTOP}.state")).unwrap(), "idle", "{name}");
        page.check().unwrap();
    }
}

/// A link past the gateway to a machine that is kept is asked about every time, until the user agrees.
#[test]
fn links_do_not_turn_what_is_kept() {
    let gateway = Gateway::start_with(&[]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = browser.open("page", &gateway.page("host=localhost&port=1")).unwrap();
    page.wait("an error", FAILED).unwrap();
    page.wait("what is kept", "localStorage.getItem('spice.machines')?.includes('localhost')").unwrap();
    for visit in ["first", "second"] {
        let mut page = browser.open(visit, &gateway.page("host=localhost&port=1&direct")).unwrap();
        page.wait("a question", FOREIGN).unwrap();
        page.run("window.dispatchEvent(new Event('pagehide'))").unwrap();
        let kept = page.run("return localStorage.getItem('spice.machines')").unwrap();
        let kept = kept.as_str().unwrap();
        assert!(kept.contains("localhost") && !kept.contains("\"direct\":true"), "{kept}");
        page.check().unwrap();
    }
}

/// A script that puts names of the page's own hosts into it.
fn naming(hosts: &str) -> String {
    format!(
        "new MutationObserver((_, observer) => {{
            if (!document.head) return;
            observer.disconnect();
            const meta = document.createElement('meta');
            [meta.name, meta.content] = ['spice-hosts', '{hosts}'];
            document.head.append(meta);
        }}).observe(document, {{ childList: true, subtree: true }})"
    )
}

/// Internet Explorer 11 has neither modules nor WebAssembly; other browsers may have it turned off.
#[test]
fn browsers_that_are_too_old_are_told() {
    let gateway = Gateway::start_with(&[]).unwrap();
    let notice = "document.querySelector('#unsupported').offsetHeight > 20
        && document.querySelector('#unsupported').innerText.includes('no WebAssembly')
        && document.querySelector('#page').hidden";
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let mut page = browser.open_with("page", &gateway.page(""), "delete globalThis.WebAssembly").unwrap();
    page.wait("the notice", notice).unwrap();
    page.check().unwrap();
    // Without modules, what is written for old browsers is all that runs. No browser at hand goes without them, so the
    // page's parts are swapped while it is parsed, and the one for old browsers must be of their language.
    let swap = "delete HTMLScriptElement.prototype.noModule;
        new MutationObserver((changes) => {
            for (const script of changes.flatMap(({ addedNodes }) => [...addedNodes]).filter(({ localName }) => localName === 'script')) {
                if (script.type === 'module') script.type = 'text/unknown';
                script.removeAttribute('nomodule');
            }
        }).observe(document, { childList: true, subtree: true });";
    let mut page = browser.open_with("old", &gateway.page(""), swap).unwrap();
    page.wait("the notice", notice).unwrap();
    let text = page
        .run("return (await fetch(document.querySelector('script[src$=\"legacy.js\"]').src)).text()")
        .unwrap();
    let text = text.as_str().unwrap();
    for new in ["=>", "let ", "const ", "`", "async", "class ", "..."] {
        assert!(!text.contains(new), "{new:?} is not of old browsers' language");
    }
    page.check().unwrap();
}

/// A file of the page that does not arrive is no reason for a blank page.
#[test]
fn a_page_without_one_of_its_files_says_so() {
    let gateway = Gateway::start_with(&[]).unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let swap = "new MutationObserver((changes) => {
            for (const script of changes.flatMap(({ addedNodes }) => [...addedNodes]).filter(({ localName }) => localName === 'script')) {
                if (script.src.endsWith('main.js')) script.src = 'app/nothing.js';
            }
        }).observe(document, { childList: true, subtree: true });";
    let mut page = browser.open_with("page", &gateway.page(""), swap).unwrap();
    page.wait("word of it", "document.querySelector('#broken').offsetHeight > 20").unwrap();
    // Nor is a list of texts that does not arrive.
    let swap = "const fetched = window.fetch;
        window.fetch = (url, ...rest) => fetched(String(url).includes('messages/') ? '/nothing' : url, ...rest);";
    let mut page = browser.open_with("texts", &gateway.page(""), swap).unwrap();
    page.wait("word of it", "document.querySelector('#broken').offsetHeight > 20").unwrap();
}
