//! Bodies in `tests/data/*.bin`, each beside the debug form of the message that it stands for in a `.txt`.
//!
//! The file's name says table and message number. With `GOLDEN=write` in the environment the debug forms are
//! written instead of compared.

use std::fs;
use std::path::Path;

use spice_proto::msg::{
    Direction, Message, Protocol, audio, base, cursor, display, inputs, main, port, smartcard,
};

use super::{decode, encode};

#[test]
fn every_golden_body_decodes_and_encodes_as_recorded() {
    let mut seen = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "bin") {
            file(&path);
            seen += 1;
        }
    }
    assert!(seen >= 27, "only {seen} files");
}

fn file(path: &Path) {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let (table, kind) = name.rsplit_once('-').unwrap();
    let (channel, direction) = table.rsplit_once('-').unwrap();
    let kind = kind.parse().unwrap();
    let direction = match direction {
        "server" => Direction::ServerToClient,
        "client" => Direction::ClientToServer,
        other => panic!("{other} is no direction"),
    };
    match (channel, direction) {
        ("base", Direction::ServerToClient) => message::<base::ServerMessage>(path, kind),
        ("base", Direction::ClientToServer) => message::<base::ClientMessage>(path, kind),
        ("main", direction) => protocol::<main::Main>(path, direction, kind),
        ("display", direction) => protocol::<display::Display>(path, direction, kind),
        ("inputs", direction) => protocol::<inputs::Inputs>(path, direction, kind),
        ("cursor", direction) => protocol::<cursor::Cursor>(path, direction, kind),
        ("playback", direction) => protocol::<audio::playback::Playback>(path, direction, kind),
        ("port", direction) => protocol::<port::Port>(path, direction, kind),
        ("smartcard", direction) => protocol::<smartcard::Smartcard>(path, direction, kind),
        (other, _) => panic!("{other} is no channel"),
    }
}

fn protocol<P: Protocol>(path: &Path, direction: Direction, kind: u16) {
    match direction {
        Direction::ServerToClient => message::<P::Server>(path, kind),
        Direction::ClientToServer => message::<P::Client>(path, kind),
    }
}

fn message<M: Message>(path: &Path, kind: u16) {
    let body = fs::read(path).unwrap().into();
    let message: M = decode(kind, &body).unwrap_or_else(|e| panic!("{path:?}: {e}"));
    assert_ne!(message.name(), "Unknown", "{path:?}");
    assert_eq!(encode(&message), body, "{path:?}");

    let text = format!("{message:#?}\n");
    let beside = path.with_extension("txt");
    if std::env::var_os("GOLDEN").is_some_and(|v| v == "write") {
        fs::write(&beside, &text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&beside).unwrap(), "{path:?}");
}
