//! What becomes of transfers when the agent or the server dies. A binary of its own, because it looks at its memory.

use std::alloc::System;
use std::time::Duration;

use cap::Cap;
use spice_client::Event;
use spice_client::agent::{self, Outcome};
use testsuite::console::Console;
use testsuite::guest::Guest;
use testsuite::random::Random;

/// How many times the agent or the server is killed.
fn kills() -> u64 {
    std::env::var("TESTSUITE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(10)
}

/// How long an agent has to come back. This X driver sometimes takes none any more.
const RETURN: Duration = Duration::from_secs(10);

/// Counts the memory that this process holds.
#[global_allocator]
static HELD: Cap<System> = Cap::new(System, usize::MAX);

/// What this process holds once the pictures and events that are still under way have been taken.
fn held_at_rest(console: &Console) -> usize {
    let mut last = usize::MAX;
    testsuite::wait_for("rest", Duration::from_secs(20), || {
        std::thread::sleep(Duration::from_millis(200));
        console.clear();
        let before = std::mem::replace(&mut last, HELD.allocated());
        Ok((last.abs_diff(before) < 1 << 10).then_some(last))
    })
    .unwrap()
}

#[test]
fn agents_and_servers_are_killed_during_transfers() {
    let mut random = Random::from_environment("agents_and_servers_are_killed_during_transfers");
    let mut guest = Guest::start_relayed().unwrap();
    let mut console = Console::with_agent(guest.port()).unwrap();
    let (mut failed, mut arrived, mut held) = (0, 0, Vec::new());
    let (mut returned, mut lost) = (0, 0);
    for round in 0..kills() {
        let files: Vec<_> = (0..4)
            .map(|n| {
                let size = if n == 0 { 50_000_000 } else { random.below(200_000) };
                let file = console.handle().send_file(&format!("{round}-{n}"), size, futures::io::repeat(n));
                console.spawn(file)
            })
            .collect();
        let resize = console.spawn(console.handle().set_resolution(704 + 8 * (round % 20) as u32, 500));
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
        if !server {
            let gone = |event: &Event| matches!(event, Event::Agent(agent::Event::Gone)).then_some(());
            console.event("word of the agent's end", gone).unwrap();
            console.clear();
            guest.kill_agent();
            guest.start_agent().unwrap();
        }
        let back = !server && console.within("an agent", RETURN, console.handle().wait_for_agent()).is_ok();
        if back {
            returned += 1;
            // A wish that was said to the last agent is said to this one too.
            console.outcome("an answer", resize).unwrap().unwrap().unwrap();
            testsuite::wait_for("the end of all tasks but two", Duration::from_secs(20), || {
                Ok((console.tasks() == 2).then_some(()))
            })
            .unwrap();
            // The agent is back and nothing is under way: the same as at the end of every other such round. A session
            // that has just begun holds less, because none of its buffers has been needed yet.
            held.push(held_at_rest(&console));
        } else {
            // Then the client leaves, which ends everything too.
            if !server {
                console.handle().disconnect().unwrap();
                lost += 1;
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
        }
        guest.remove_downloads().unwrap();
    }
    println!("{returned} agents came back, {lost} found the server deaf");
    println!("{failed} files failed and {arrived} arrived in {} rounds", kills());
    // The least of some rounds, because what waits at the moment comes and goes.
    assert!(!held.is_empty(), "no agent came back");
    let third = held.len().div_ceil(3);
    let least = |rounds: &[usize]| rounds.iter().min().copied().unwrap_or(0);
    let (early, late) = (least(&held[..third]), least(&held[held.len() - third..]));
    println!("memory at rest: {early} bytes in the first third, {late} in the last");
    assert!(failed >= kills(), "only {failed} files failed: the kills came too late");
    // Each round leaves 50 MB unsent, in pieces of 64 KiB: one of them kept in every round would show in ten rounds, and
    // two kilobytes in two hundred.
    assert!(late < early + (256 << 10), "memory at rest grew: {held:?}");
}
