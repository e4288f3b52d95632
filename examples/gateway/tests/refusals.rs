//! What the gateway does not do, and how it says so.

use std::process::Command;

use tokio_tungstenite::tungstenite::Error;

use crate::harness::{Folder, Gateway, closed, listen, request};

/// A token that the program itself makes.
fn token(key: &str, seconds: &str, address: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_gateway"))
        .args(["token", "--key", key, "--expires", seconds, address])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn only_listed_servers_are_reached() {
    let (_listener, port) = listen().await;
    let (_other, other) = listen().await;
    let gateway = Gateway::start(&["--allow", &format!("127.0.0.1:{port}"), "--max-per-client", "1"]);
    for query in [
        format!("host=127.0.0.1&port={other}"),
        format!("host=localhost&port={port}"),
        format!("host=127.1&port={port}"),
        "host=desk".into(),
        "host=169.254.169.254&port=80".into(),
    ] {
        let (code, reason) = closed(gateway.connect(&query).await).await;
        assert_eq!(code, 4403, "{query}: {reason}");
    }
    for query in [
        "",
        "host=",
        "port=1",
        "host=a&host=b",
        "host=a&token=b",
        "host=127.0.0.1&port=99999",
        "token=a&port=1",
    ] {
        let (code, reason) = closed(gateway.connect(query).await).await;
        let wanted = if query == "host=" { 4403 } else { 4400 };
        assert_eq!(code, wanted, "{query}: {reason}");
    }
    let (code, reason) = closed(gateway.connect("token=a.b").await).await;
    assert_eq!(code, 4401, "{reason}");
    let _first = gateway.connect_to(port).await;
    let (code, reason) = closed(gateway.connect_to(port).await).await;
    assert_eq!(code, 4429, "{reason}");
    assert_eq!(gateway.metric("gateway_ended_total{reason=\"not_allowed\"}"), 6);
}

#[tokio::test]
async fn the_gateway_is_full_at_its_bound() {
    let (_listener, port) = listen().await;
    let gateway = Gateway::start(&["--allow", &format!("127.0.0.1:{port}"), "--max-connections", "2"]);
    let _held = (gateway.connect_to(port).await, gateway.connect_to(port).await);
    let (code, reason) = closed(gateway.connect_to(port).await).await;
    assert_eq!(code, 4503, "{reason}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_as_the_reason() {
    let gateway = Gateway::start(&["--allow", "127.0.0.1:1-65535", "--target", "desk=spice+unix:///nowhere"]);
    let (listener, port) = listen().await;
    drop(listener);
    let (code, reason) = closed(gateway.connect_to(port).await).await;
    assert_eq!(
        (code, reason.as_str()),
        (4502, "The machine cannot be reached: nobody listens there. Is it running?")
    );
    let (code, reason) = closed(gateway.connect("host=desk").await).await;
    assert_eq!(code, 4502, "{reason}");
}

#[tokio::test]
async fn tokens_open_what_they_name() {
    let folder = Folder::new("tokens");
    let key = folder.file("key", "an old key of more than 32 characters\n0123456789abcdef0123456789abcdef\n");
    let stranger = folder.file("stranger", "a key that this gateway does not know\n");
    let gateway = Gateway::start(&["--token-key", &key]);
    let (listener, port) = listen().await;
    let address = format!("spice://127.0.0.1:{port}");
    let good = token(&key, "60", &address);
    let _socket = gateway.connect(&format!("token={good}")).await;
    listener.accept().await.unwrap();
    for (token, word) in [
        (token(&stranger, "60", &address), "not valid"),
        (token(&key, "0", &address), "expired"),
        (good.replace('.', "A."), "not valid"),
    ] {
        let (code, reason) = closed(gateway.connect(&format!("token={token}")).await).await;
        assert!(code == 4401 && reason.contains(word), "{code}: {reason}");
    }
    // A key gives nobody the list.
    let (code, reason) = closed(gateway.connect_to(port).await).await;
    assert_eq!(code, 4403, "{reason}");
    assert!(!gateway.log().contains(&good), "tokens do not belong into a log");
}

#[tokio::test]
async fn pages_of_others_are_turned_away() {
    let (_listener, port) = listen().await;
    let gateway =
        Gateway::start(&["--allow", &format!("127.0.0.1:{port}"), "--origin", "https://panel.example.org"]);
    let query = format!("host=127.0.0.1&port={port}");
    let own = format!("http://{}", gateway.address);
    for (origin, welcome) in [
        (own.as_str(), true),
        ("https://panel.example.org", true),
        ("https://evil.example", false),
        ("null", false),
    ] {
        let outcome = gateway.try_connect(&query, &[("origin", origin)]).await;
        match outcome {
            Ok(_) => assert!(welcome, "{origin}"),
            Err(Error::Http(answer)) => assert!(!welcome && answer.status() == 403, "{origin}: {answer:?}"),
            Err(error) => panic!("{origin}: {error}"),
        }
    }
}

#[tokio::test]
async fn what_is_no_websocket_is_told_so() {
    let gateway = Gateway::open();
    let (head, body) = gateway.get("/spice?host=127.0.0.1&port=1", "");
    assert!(head.starts_with("http/1.1 426"), "{head}");
    assert!(String::from_utf8_lossy(&body).contains("WebSocket"));
    let mut request = request(&format!("ws://{}/spice?host=127.0.0.1&port=1", gateway.address), &[]);
    request.headers_mut().insert("sec-websocket-protocol", "base64".parse().unwrap());
    let stream = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
    match tokio_tungstenite::client_async(request, stream).await {
        Err(Error::Http(answer)) => assert_eq!(answer.status(), 400),
        other => panic!("{other:?}"),
    }
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let folder = Folder::new("options");
    let short = folder.file("short", "secret\n");
    let empty = folder.file("empty", "\n");
    let config = folder.file("gateway.toml", "allow = [\"*:1-65535\"]\n");
    let cases: [(&[&str], &str); 7] = [
        (&["--allow", "*:5900"], "open proxy"),
        (&["--config", &config], "open proxy"),
        (&["--token-key", &short], "openssl rand"),
        (&["--token-key", &empty], "is empty"),
        (&["--upstream-ca", &empty], "no certificate"),
        (&["--web", "/nowhere"], "no such folder"),
        (&["--origin", "panel"], "SCHEME://HOST"),
    ];
    for (options, word) in cases {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
        let output = command.args(["serve", "--listen", "127.0.0.1:0"]).args(options).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(word), "{options:?}: {said}");
    }
}
