//! The log on standard output.
//!
//! A thread of its own writes it: whoever reads slowly, or not at all, or has gone, holds nobody up.

use std::collections::HashMap;
use std::io::Write;
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;

use crate::limits::group;

/// Takes lines; those that find no room are counted and dropped. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    lines: SyncSender<Entry>,
    /// Lines that were dropped.
    pub(crate) dropped: Counter,
    refusals: Arc<Mutex<Refusals>>,
}

#[derive(Debug)]
enum Entry {
    Line(String),
    /// Everything before this has been written.
    Written(Sender<()>),
}

/// How many lines of refusals each client has had in this minute.
#[derive(Debug)]
struct Refusals {
    since: Instant,
    counts: HashMap<IpAddr, u32>,
    silent: u64,
}

impl Log {
    /// A log on standard output.
    pub(crate) fn start() -> Self {
        Self::to(std::io::stdout())
    }

    fn to(output: impl Write + Send + 'static) -> Self {
        let (lines, entries) = sync_channel(QUEUE);
        let dropped = Counter::default();
        let lost = dropped.clone();
        thread::spawn(move || write(output, &entries, &lost));
        let refusals = Refusals { since: Instant::now(), counts: HashMap::new(), silent: 0 };
        Self { lines, dropped, refusals: Arc::new(Mutex::new(refusals)) }
    }

    /// Writes a line.
    pub(crate) fn line(&self, line: String) {
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            self.lines.try_send(Entry::Line(line))
        {
            self.dropped.inc();
        }
    }

    /// Writes that a client was refused, unless it is refused all the time.
    pub(crate) fn refused(&self, client: IpAddr, why: &str) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        if refusals.since.elapsed() >= MINUTE {
            if refusals.silent > 0 {
                self.line(format!("{} more refusals in the last minute", refusals.silent));
            }
            *refusals = Refusals { since: Instant::now(), counts: HashMap::new(), silent: 0 };
        }
        let client = group(client);
        let is_known = refusals.counts.contains_key(&client);
        if !is_known && refusals.counts.len() >= CLIENTS {
            refusals.silent += 1;
            return;
        }
        let count = refusals.counts.entry(client).or_default();
        *count += 1;
        if *count > REFUSALS {
            refusals.silent += 1;
            return;
        }
        drop(refusals);
        self.line(format!("{client} is refused: {why}"));
    }

    /// Waits until everything is written, though not for ever.
    pub(crate) fn flush(&self) {
        let (sender, written) = channel();
        if self.lines.try_send(Entry::Written(sender)).is_ok() {
            // Whoever does not read is not waited for longer.
            let _ = written.recv_timeout(LAST_WORDS);
        }
    }
}

fn write(mut output: impl Write, entries: &Receiver<Entry>, dropped: &Counter) {
    let mut told = 0;
    for entry in entries {
        match entry {
            // There is nobody to tell of a log that cannot be written.
            Entry::Line(line) => {
                let _ = writeln!(output, "{line}").and_then(|()| output.flush());
            }
            Entry::Written(sender) => {
                let _ = sender.send(());
            }
        }
        let lost = dropped.get();
        if lost > told {
            let _ = writeln!(output, "{} lines were dropped", lost - told);
            told = lost;
        }
    }
}

/// Lines that wait to be written at most.
const QUEUE: usize = 1024;
/// Lines of refusals that a client gets in a minute.
const REFUSALS: u32 = 20;
/// Clients whose refusals are counted at most.
const CLIENTS: usize = 1024;
const MINUTE: Duration = Duration::from_secs(60);
const LAST_WORDS: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    /// Collects what is written, once it may.
    struct Slow(Receiver<()>, Arc<Mutex<Vec<u8>>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.0.recv();
            self.1.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nobody_waits_for_a_reader_that_does_not_read() {
        let (go, held) = channel();
        let written = Arc::new(Mutex::new(Vec::new()));
        let log = Log::to(Slow(held, Arc::clone(&written)));
        for number in 0..QUEUE + 100 {
            log.line(format!("line {number}"));
        }
        assert!(log.dropped.get() >= 99, "{}", log.dropped.get());
        drop(go);
        while !String::from_utf8_lossy(&written.lock().unwrap()).contains("lines were dropped") {
            thread::yield_now();
        }
    }

    #[test]
    fn one_client_cannot_fill_the_log_with_refusals() {
        let (go, held) = channel();
        drop(go);
        let written = Arc::new(Mutex::new(Vec::new()));
        let log = Log::to(Slow(held, Arc::clone(&written)));
        for _ in 0..200 {
            log.refused([192, 0, 2, 1].into(), "full");
        }
        log.refused([192, 0, 2, 2].into(), "full");
        log.flush();
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), REFUSALS as usize + 1, "{text}");
    }
}
