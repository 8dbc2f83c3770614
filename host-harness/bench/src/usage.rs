//! What a process takes of the machine.

use std::fs;
use std::path::Path;

/// Memory that is in the machine's own, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) resident: u64,
    /// The most there ever was.
    pub(super) peak: u64,
}

/// The memory of a process, where the system has `/proc`.
pub(super) fn memory(process: u32) -> Option<Memory> {
    of_status(&fs::read_to_string(format!("/proc/{process}/status")).ok()?)
}

fn of_status(status: &str) -> Option<Memory> {
    let bytes = |name: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes: u64 = value.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        Some(kibibytes << 10)
    };
    Some(Memory { resident: bytes("VmRSS:")?, peak: bytes("VmHWM:")? })
}

/// The processor time that a process has taken, in ticks of the system (a hundredth of a second), where it has `/proc`.
pub(super) fn processor_time(process: u32) -> Option<u64> {
    of_stat(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

fn of_stat(stat: &str) -> Option<u64> {
    // The name of the program, in brackets, may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// The bytes that the files in a folder take, holes left out where the system tells. A file that goes meanwhile takes none.
pub(super) fn disk(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(metadata) = entry.metadata() else { continue };
        bytes += if metadata.is_dir() { disk(&entry.path()).unwrap_or(0) } else { allocated(&metadata) };
    }
    Ok(bytes)
}

#[cfg(unix)]
fn allocated(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(metadata) * 512
}

#[cfg(not(unix))]
fn allocated(metadata: &fs::Metadata) -> u64 {
    metadata.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_status() {
        let status = "Name:\tusher\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n";
        assert_eq!(of_status(status), Some(Memory { resident: 1 << 20, peak: 2 << 20 }));
        assert_eq!(of_status("Name:\tusher\n"), None);
    }

    #[test]
    fn processor_time_is_read_behind_the_name() {
        let stat = "7 (a) 1 (b) S 1 7 7 0 -1 4194304 100 0 0 0 30 12 0 0 20 0 9 0 5";
        assert_eq!(of_stat(stat), Some(42));
    }
}
