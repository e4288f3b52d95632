//! The page's files.

use std::io::Read;

use crate::harness::{Folder, Gateway};

#[test]
fn files_come_with_their_types_and_strict_headers() {
    let folder = Folder::new("site");
    let page = "<!doctype html><title>SPICE</title>".repeat(50);
    folder.file("index.html", &page);
    folder.file("client.js", "export default 1;\n".repeat(50));
    folder.file("client.wasm", [0, 97, 115, 109].repeat(100));
    folder.file("ready.wasm", "plain");
    folder.file("ready.wasm.gz", "packed");
    let web = folder.0.to_str().unwrap();
    let gateway = Gateway::start(&["--web", web, "--frame-ancestor", "https://panel.example.org"]);
    for (path, kind) in [
        ("/", "text/html"),
        ("/index.html", "text/html"),
        ("/client.js", "text/javascript"),
        ("/client.wasm", "application/wasm"),
    ] {
        let (head, _) = gateway.get(path, "");
        assert!(head.starts_with("http/1.1 200"), "{path}: {head}");
        assert!(head.contains(&format!("content-type: {kind}")), "{path}: {head}");
        assert!(head.contains("x-content-type-options: nosniff"), "{head}");
        assert!(head.contains("cache-control: no-cache"), "{head}");
        let policy = head.lines().find(|line| line.starts_with("content-security-policy:")).unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe-inline"), "{policy}");
        assert!(policy.contains("frame-ancestors 'self' https://panel.example.org"), "{policy}");
    }
    let (_, body) = gateway.get("/", "");
    assert_eq!(body, page.as_bytes());
    // What is not packed is packed on the way.
    let (head, body) = gateway.get("/index.html", "Accept-Encoding: gzip\r\n");
    assert!(head.contains("content-encoding: gzip"), "{head}");
    let body = unchunk(&head, body);
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked, page);
    // What is packed is passed on.
    let (head, body) = gateway.get("/ready.wasm", "Accept-Encoding: gzip\r\n");
    assert!(head.contains("content-encoding: gzip") && head.contains("application/wasm"), "{head}");
    assert_eq!(body, b"packed");
    assert_eq!(gateway.get("/ready.wasm", "").1, b"plain");
}

#[test]
fn a_browser_that_has_a_file_is_told_so() {
    let folder = Folder::new("cache");
    folder.file("index.html", "<!doctype html>");
    let gateway = Gateway::start(&["--web", folder.0.to_str().unwrap()]);
    let (head, _) = gateway.get("/", "");
    let date = head.lines().find_map(|line| line.strip_prefix("last-modified: ")).unwrap();
    let date = httpdate(date);
    let (head, body) = gateway.get("/", &format!("If-Modified-Since: {date}\r\n"));
    assert!(head.starts_with("http/1.1 304") && body.is_empty(), "{head}");
}

#[test]
fn nothing_outside_the_folder_is_served() {
    let folder = Folder::new("outside");
    folder.file("secret", "secret");
    std::fs::create_dir_all(folder.0.join("web")).unwrap();
    folder.file("web/index.html", "page");
    std::fs::create_dir_all(folder.0.join("web/lib")).unwrap();
    let gateway = Gateway::start(&["--web", folder.0.join("web").to_str().unwrap()]);
    for path in [
        "/../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/web/../../secret",
        "//secret",
        "//lib",
        "/nothing",
        "/metrics",
    ] {
        let (head, body) = gateway.get(path, "");
        assert!(head.starts_with("http/1.1 4"), "{path}: {head}");
        assert!(!String::from_utf8_lossy(&body).contains("secret"), "{path}");
    }
}

/// Restores the capitals of a date that the test's own reader made small.
fn httpdate(small: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
    };
    let words: Vec<_> = small.split(' ').map(capital).collect();
    words.join(" ").replace("Gmt", "GMT")
}

/// Takes the chunks of a body together.
fn unchunk(head: &str, body: Vec<u8>) -> Vec<u8> {
    if !head.contains("transfer-encoding: chunked") {
        return body;
    }
    let (mut rest, mut whole) = (&body[..], Vec::new());
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if length == 0 {
            return whole;
        }
        whole.extend_from_slice(&rest[line + 2..line + 2 + length]);
        rest = &rest[line + 2 + length + 2..];
    }
}
