//! What becomes of transfers when the agent or the server dies. A binary of its own, because it looks at its memory.

use std::fs;
use std::time::Duration;

use spice_client::Event;
use spice_client::agent::{self, Outcome};
use testsuite::console::Console;
use testsuite::guest::Guest;
use testsuite::random::Random;

/// How many times the agent or the server is killed.
fn kills() -> u64 {
    std::env::var("TESTSUITE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(10)
}

/// Bytes of memory that this process holds.
fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap();
    text.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
fn agents_and_servers_are_killed_during_transfers() {
    let mut random = Random::from_environment("agents_and_servers_are_killed_during_transfers");
    let mut guest = Guest::start_relayed().unwrap();
    let mut console = Console::with_agent(guest.port()).unwrap();
    let (mut failed, mut arrived, mut before) = (0, 0, 0);
    let (mut returned, mut spoilt) = (0, 0);
    for round in 0..kills() {
        let files: Vec<_> = (0..4)
            .map(|n| {
                let size = if n == 0 { 50_000_000 } else { random.below(200_000) };
                let file = console.handle().send_file(&format!("{round}-{n}"), size, futures::io::repeat(n));
                console.spawn(file)
            })
            .collect();
        let resize = console.spawn(console.handle().set_resolution(700 + 10 * (round % 20) as u32, 500));
        let paste =
            console.handle().clipboard_request(agent::Selection::Clipboard, agent::DataType::UTF8_TEXT);
        let paste = console.spawn(paste);
        std::thread::sleep(Duration::from_millis(random.below(400)));
        let server = random.below(4) == 0;
        match random.below(2) {
            _ if server => guest.xspice.server().kill(),
            0 => guest.kill_agent(),
            _ => guest.kill_session_agent(),
        }
        for file in files {
            match console.outcome("the end of a file", file).unwrap().unwrap() {
                Ok(()) => arrived += 1,
                Err(agent::Error::File(Outcome::Disconnected | Outcome::CancelledByGuest))
                | Err(agent::Error::SessionOver) => failed += 1,
                Err(error) => panic!("round {round}: {error:?}"),
            }
        }
        assert!(console.outcome("an answer", paste).unwrap().unwrap().is_err());
        let gone = |event: &Event| matches!(event, Event::Agent(agent::Event::Gone)).then_some(());
        if !server {
            console.event("word of the agent's end", gone).unwrap();
        }
        if server || guest.is_spoilt() {
            // Then the client leaves, which ends everything too.
            if !server {
                console.handle().disconnect().unwrap();
                spoilt += 1;
            }
            let resized = console.outcome("an answer", resize).unwrap().unwrap();
            assert!(matches!(resized, Ok(_) | Err(agent::Error::SessionOver)), "round {round}: {resized:?}");
            testsuite::wait_for("the end of every task", Duration::from_secs(20), || {
                Ok((console.is_over() && console.tasks() == 0).then_some(()))
            })
            .unwrap();
            drop(console);
            drop(guest);
            guest = Guest::start_relayed().unwrap();
            console = Console::with_agent(guest.port()).unwrap();
        } else {
            guest.kill_agent();
            console.clear();
            guest.start_agent().unwrap();
            console.agent().unwrap();
            // A wish that was said to the last agent is said to this one too.
            console.outcome("an answer", resize).unwrap().unwrap().unwrap();
            testsuite::wait_for("the end of all tasks but two", Duration::from_secs(20), || {
                Ok((console.tasks() == 2).then_some(()))
            })
            .unwrap();
            returned += 1;
        }
        if round == kills() / 10 {
            before = resident();
        }
    }
    println!("{returned} agents came back, {spoilt} could not");
    println!(
        "{failed} files failed and {arrived} arrived in {} rounds; memory {before} then {}",
        kills(),
        resident()
    );
    assert!(failed >= kills(), "only {failed} files failed: the kills came too late");
    // Each round has 50 MB under way: what stayed of even one would show.
    assert!(resident() < before + 40_000_000, "memory grew from {before} to {}", resident());
}
