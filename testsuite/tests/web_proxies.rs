//! The gateway behind nginx and behind HAProxy, each set up as the gateway's README says.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use testsuite::browser::{Browser, DESKTOP, Kind};
use testsuite::gateway::Gateway;
use testsuite::process::{Process, Program, args};
use testsuite::qemu::{Access, Qemu};
use testsuite::temp::TempDir;
use testsuite::{net, wait_for};

const README: &str = include_str!("../../examples/gateway/README.md");
const LIMIT: Duration = Duration::from_secs(30);

/// The README's block of that language.
fn block(language: &str) -> &'static str {
    let (_, rest) = README.split_once(&format!("```{language}\n")).expect("the README has no such block");
    rest.split_once("```").expect("the block has no end").0
}

/// Puts what a test has in the place of what the README has for an example.
fn replaced(text: &str, all: &[(&str, &str)]) -> String {
    all.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the README no longer says {from}");
        text.replace(from, to)
    })
}

/// A key and a certificate that nobody has signed, in one file.
fn certificate(folder: &TempDir) -> PathBuf {
    let (key, cert, both) = (folder.file("key.pem"), folder.file("cert.pem"), folder.file("desk.pem"));
    Program::new("openssl")
        .args(args(&[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-keyout",
        ]))
        .args([key.as_os_str(), "-out".as_ref(), cert.as_os_str()])
        .read(LIMIT)
        .unwrap();
    fs::write(&both, fs::read_to_string(&cert).unwrap() + &fs::read_to_string(&key).unwrap()).unwrap();
    both
}

/// The page through a proxy: a machine's screen arrives, and something goes the other way.
fn used(start: impl Fn(&TempDir, u16, u16) -> Process) {
    let mut qemu = Qemu::start(Access::Open).unwrap();
    qemu.stop_at_text().unwrap();
    let folder = TempDir::new("proxy").unwrap();
    let port = net::free_port().unwrap();
    let origin = format!("https://127.0.0.1:{port}");
    let allow = format!("127.0.0.1:{}", qemu.port());
    let gateway =
        Gateway::start_with(&["--allow", &allow, "--trusted-proxy", "127.0.0.1/32", "--origin", &origin])
            .unwrap();
    let mut proxy = start(&folder, port, gateway.port());
    wait_for("the proxy's start", LIMIT, || {
        proxy.check_running()?;
        Ok(net::answers(port).then_some(()))
    })
    .unwrap();
    let mut browser = Browser::start(Kind::Chromium).unwrap();
    let url = format!("{origin}/?host=127.0.0.1&port={}", qemu.port());
    let mut page = browser.open("page", &url).unwrap();
    page.connected().unwrap();
    page.shows("the firmware's screen", || qemu.own_picture()).unwrap();
    let sent =
        page.run(&format!("{DESKTOP}.sendCtrlAltDel(); return (await {DESKTOP}.stats()).sent > 0")).unwrap();
    assert_eq!(sent, true);
    page.check().unwrap();
    proxy.check_running().unwrap();
}

#[test]
fn behind_nginx() {
    used(|folder, port, gateway| {
        let site = replaced(
            block("nginx"),
            &[
                ("server 10.0.0.11:8080; server 10.0.0.12:8080;", &format!("server 127.0.0.1:{gateway};")),
                (
                    "listen 443 ssl;",
                    &format!(
                        "listen 127.0.0.1:{port} ssl;\n    ssl_certificate {0};\n    ssl_certificate_key {0};",
                        certificate(folder).display()
                    ),
                ),
            ],
        );
        let map = "map $http_upgrade $connection_upgrade { default upgrade; '' ''; }";
        assert!(site.contains(map), "the README no longer has the map");
        let at = folder.path().display();
        let file = folder.file("nginx.conf");
        let text = format!(
            "daemon off; master_process off; pid {at}/nginx.pid; error_log {at}/error.log; events {{}}\n\
             http {{ client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/fastcgi;\n\
             uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;\n{map}\n{site}}}\n"
        );
        fs::write(&file, text).unwrap();
        start("/usr/sbin/nginx", "-c", &file, folder)
    });
}

#[test]
fn behind_haproxy() {
    used(|folder, port, gateway| {
        let site = replaced(
            block("haproxy"),
            &[
                (
                    "bind :443 ssl crt /etc/haproxy/desk.pem",
                    &format!("bind 127.0.0.1:{port} ssl crt {}", certificate(folder).display()),
                ),
                ("server one 10.0.0.11:8080 check", &format!("server one 127.0.0.1:{gateway} check")),
                ("    server two 10.0.0.12:8080 check\n", ""),
            ],
        );
        let file = folder.file("haproxy.cfg");
        let text = format!(
            "global\n    maxconn 200\ndefaults\n    mode http\n    timeout connect 5s\n    timeout client 50s\n    timeout server 50s\n{site}"
        );
        fs::write(&file, text).unwrap();
        start("/usr/sbin/haproxy", "-f", &file, folder)
    });
}

fn start(program: &str, option: &str, file: &Path, folder: &TempDir) -> Process {
    Program::new(program).args([option.as_ref(), file.as_os_str()]).start(folder).unwrap()
}
