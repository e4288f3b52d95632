//! What processes use, from `/proc`.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use crate::Result;

/// Clock ticks in a second, as `/proc` counts them on every Linux machine.
const TICKS: u64 = 100;

/// What processes have used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time of all their threads, in user mode and in the kernel.
    pub cpu: Duration,
    /// Resident memory in bytes; pages that processes share count in each.
    pub resident: u64,
}

/// What a browser's processes have used, by what they do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BrowserUsage {
    /// Processes that run pages.
    pub renderers: Usage,
    /// The process that draws for them.
    pub gpu: Usage,
    /// The browser itself, its network service and other helpers.
    pub rest: Usage,
}

impl BrowserUsage {
    /// Adds up Chromium's processes; those that have ended meanwhile count for nothing.
    pub fn of(processes: &[u32]) -> Result<Self> {
        let mut all = Self::default();
        for &id in processes {
            let Ok(command) = fs::read(format!("/proc/{id}/cmdline")) else { continue };
            let command = String::from_utf8_lossy(&command);
            let Some(usage) = Usage::of(id) else { continue };
            let part = if command.contains("--type=renderer") {
                &mut all.renderers
            } else if command.contains("--type=gpu-process") {
                &mut all.gpu
            } else {
                &mut all.rest
            };
            part.cpu += usage.cpu;
            part.resident += usage.resident;
        }
        if all.renderers.resident == 0 {
            return Err("there is no renderer among these processes".into());
        }
        Ok(all)
    }

    /// Processor time since an earlier look: renderers and the process that draws for them.
    pub fn drawing_since(&self, earlier: &Self) -> Duration {
        (self.renderers.cpu + self.gpu.cpu).saturating_sub(earlier.renderers.cpu + earlier.gpu.cpu)
    }
}

/// Processor time of Chromium's renderers and the process that draws for them, by the names of their threads.
pub fn drawing_threads(processes: &[u32]) -> BTreeMap<String, Duration> {
    let mut all = BTreeMap::new();
    for &id in processes {
        let command = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command);
        if !command.contains("--type=renderer") && !command.contains("--type=gpu-process") {
            continue;
        }
        let threads = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
        for thread in threads {
            let Ok(stat) = fs::read_to_string(thread.path().join("stat")) else { continue };
            let name = stat.split_once('(').and_then(|(_, rest)| Some(rest.rsplit_once(')')?.0));
            if let (Some(name), Some(cpu)) = (name, cpu(&stat)) {
                *all.entry(name.to_owned()).or_default() += cpu;
            }
        }
    }
    all
}

/// Processor time in the text of a `stat` file.
fn cpu(stat: &str) -> Option<Duration> {
    // The name in parentheses may hold anything; behind it: state, parent, …, and as 12th and 13th the two times.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1000 / TICKS))
}

impl Usage {
    /// What one process has used; none when there is no such process.
    pub fn of(id: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let cpu = cpu(&stat)?;
        let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = resident.and_then(|text| text.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        Some(Self { cpu, resident: kilobytes.unwrap_or(0) * 1024 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.resident > 100_000, "{usage:?}");
    }
}
