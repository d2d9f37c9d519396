//! What processes used, by the kernel's account of them.

use std::fs;
use std::time::Duration;

/// `USER_HZ`: the unit of /proc/PID/stat, the same on every Linux that Rust and these peers run on.
const TICKS_PER_SECOND: f64 = 100.0;

/// A process and all that it started.
#[derive(Debug, Clone)]
pub struct Family(Vec<u32>);

impl Family {
    /// As it is now: who is started later does not belong.
    #[must_use]
    pub fn of(root: u32) -> Self {
        let parents: Vec<(u32, u32)> = processes().collect();
        let mut members = vec![root];
        let mut next = 0;
        while let Some(parent) = members.get(next).copied() {
            let children = parents.iter().filter(|(_, of)| *of == parent);
            members.extend(children.map(|(child, _)| *child));
            next += 1;
        }
        Self(members)
    }

    /// User and system time of all threads, since they began. Steps of 10 ms.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        let ticks: u64 = self.0.iter().filter_map(|process| ticks(*process)).sum();
        Duration::from_secs_f64(ticks as f64 / TICKS_PER_SECOND)
    }

    /// Bytes of memory; what several share is counted once.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.0.iter().filter_map(|process| proportional(*process)).sum()
    }

    /// How many sockets they have open.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.0.iter().map(|process| sockets(*process)).sum()
    }
}

fn sockets(process: u32) -> usize {
    let descriptors = fs::read_dir(format!("/proc/{process}/fd"))
        .into_iter()
        .flatten()
        .flatten();
    let targets = descriptors.filter_map(|entry| fs::read_link(entry.path()).ok());
    targets
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count()
}

fn processes() -> impl Iterator<Item = (u32, u32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let process: u32 = entry.file_name().to_str()?.parse().ok()?;
        let parent = stat(process)?.get(1)?.parse().ok()?;
        Some((process, parent))
    })
}

fn ticks(process: u32) -> Option<u64> {
    let fields = stat(process)?;
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(number(11)? + number(12)?)
}

/// The fields of /proc/PID/stat after the name, which may hold anything: state, parent, ...
fn stat(process: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

fn proportional(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
    let line = text.lines().find(|line| line.starts_with("Pss:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_uses_time_and_memory() {
        let family = Family::of(std::process::id());
        let start = std::time::Instant::now();
        let before = family.cpu();
        while family.cpu() < before + Duration::from_millis(50) {
            assert!(start.elapsed() < Duration::from_secs(60), "no time is accounted");
        }
        assert!(family.memory() > 100_000);
    }
}
