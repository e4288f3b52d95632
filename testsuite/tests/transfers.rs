//! Files into the guest through the real agent.

use std::fs::{self, File};
use std::time::Duration;

use futures::io::{AllowStdIo, BufReader};
use spice_client::Event;
use spice_client::agent::{self, Outcome};
use testsuite::console::Console;
use testsuite::guest::Guest;
use testsuite::random::Random;
use testsuite::temp::TempDir;

/// How long a transfer of some size may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// Bytes that no compression and no mix-up leaves unnoticed.
fn content(random: &mut Random, len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        bytes.extend_from_slice(&random.below(u64::MAX).to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

#[test]
fn large_and_small_files_arrive_at_once() {
    let mut random = Random::from_environment("large_and_small_files_arrive_at_once");
    let guest = Guest::start().unwrap();
    let console = Console::with_agent(guest.port()).unwrap();
    let folder = TempDir::new("files").unwrap();
    let large = content(&mut random, 200_000_000);
    let path = folder.file("large.bin");
    fs::write(&path, &large).unwrap();
    let file = BufReader::with_capacity(256 << 10, AllowStdIo::new(File::open(&path).unwrap()));
    let large_one = console.spawn(console.handle().send_file("large.bin", large.len() as u64, file));
    let small: Vec<Vec<u8>> = (0..20)
        .map(|n| {
            let len = if n == 0 { 0 } else { random.below(300_000) as usize };
            content(&mut random, len)
        })
        .collect();
    let small_ones: Vec<_> = small
        .iter()
        .enumerate()
        .map(|(n, bytes)| {
            let reader = futures::io::Cursor::new(bytes.clone());
            console.spawn(console.handle().send_file(&format!("small {n}.bin"), bytes.len() as u64, reader))
        })
        .collect();
    // Half-way, the guest is to have nothing of this one left.
    let doomed = futures::io::Cursor::new(content(&mut random, 30_000_000));
    let doomed = console.handle().send_file("doomed.bin", 30_000_000, doomed);
    let transfer = doomed.transfer();
    let doomed = console.spawn(doomed);
    console
        .event("half of a file", |event| match event {
            Event::Agent(agent::Event::FileProgress { transfer: of, sent, size })
                if *of == transfer && *sent * 2 >= *size =>
            {
                Some(())
            }
            _ => None,
        })
        .unwrap();
    console.wait("the end of it", console.handle().cancel_file(transfer)).unwrap();
    let outcome = console.outcome("its answer", doomed).unwrap().unwrap();
    assert!(matches!(outcome, Err(agent::Error::File(Outcome::CancelledHere))), "{outcome:?}");
    for (n, task) in small_ones.into_iter().enumerate() {
        console.within("a small file", PATIENCE, task).unwrap().unwrap().unwrap();
        assert!(fs::read(guest.download(&format!("small {n}.bin"))).unwrap() == small[n], "file {n} differs");
    }
    let begun = std::time::Instant::now();
    // The clipboard does not wait for the file to end.
    let text = [(agent::DataType::UTF8_TEXT, "in between".into())];
    console.wait("an offer", console.handle().set_clipboard(agent::Selection::Clipboard, text)).unwrap();
    let targets = ["-o", "-selection", "clipboard", "-t", "TARGETS"];
    guest.xspice.wait_until_said("the offer", "xclip", &targets, "UTF8_STRING").unwrap();
    let targets = ["-o", "-selection", "clipboard", "-t", "UTF8_STRING"];
    let pasted = guest.xspice.program("xclip").args(targets).read(Duration::from_secs(30)).unwrap();
    assert_eq!(pasted, "in between");
    println!(
        "a paste during the transfer took {:?}; the large file was over: {}",
        begun.elapsed(),
        large_one.is_finished()
    );
    console.within("the large file", PATIENCE, large_one).unwrap().unwrap().unwrap();
    assert!(fs::read(guest.download("large.bin")).unwrap() == large, "the large file differs");
    assert!(!guest.download("doomed.bin").exists(), "the cancelled file is still there");
}

#[test]
fn files_that_do_not_go() {
    let guest = Guest::start().unwrap();
    let console = Console::with_agent(guest.port()).unwrap();
    let handle = console.handle();
    let name = console.outcome("an answer", handle.send_file("../up.txt", 1, &b"x"[..])).unwrap();
    assert!(matches!(name, Err(agent::Error::Refused(_))), "{name:?}");
    let short = console.outcome("an answer", handle.send_file("short.bin", 10, &b"four"[..])).unwrap();
    assert!(matches!(short, Err(agent::Error::TooShort { read: 4, size: 10 })), "{short:?}");
    let huge = console.outcome("an answer", handle.send_file("huge.bin", u64::MAX / 4, &b""[..])).unwrap();
    assert!(huge.is_err(), "{huge:?}");
    drop(handle.send_file("dropped.bin", 1 << 20, futures::io::repeat(7)));
    // What is longer than it was said to be is cut.
    console.wait("a file", handle.send_file("cut.bin", 100_000, futures::io::repeat(7))).unwrap();
    assert_eq!(fs::read(guest.download("cut.bin")).unwrap(), vec![7; 100_000]);
    console.wait("a second of that name", handle.send_file("cut.bin", 1, &b"x"[..])).unwrap();
    assert_eq!(fs::read(guest.download("cut (1).bin")).unwrap(), b"x");
    for name in ["short.bin", "huge.bin", "dropped.bin"] {
        assert!(!guest.download(name).exists(), "{name} is there");
    }
}
