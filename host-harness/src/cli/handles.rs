//! Room for connections among the file handles that the system grants.

/// How many handles are left to everything but connections: the storage's files first of all.
#[cfg(unix)]
const OTHERS: u64 = 256;

/// As many connections as the system lets the process have, up to `wanted`. Past that, accepting one would fail instead
/// of making room by closing another.
#[cfg(unix)]
pub(super) fn connections(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let needed = wanted as u64 + OTHERS;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return wanted;
    }
    let raised = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
    let granted = match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum }) {
        Ok(()) => raised,
        Err(_) => limit.current.unwrap_or(needed),
    };
    let possible = usize::try_from(granted.saturating_sub(OTHERS)).unwrap_or(wanted).clamp(16, wanted.max(16));
    if possible < wanted {
        tracing::warn!(wanted, possible, "the system grants too few file handles for so many connections");
    }
    possible
}

#[cfg(not(unix))]
pub(super) fn connections(wanted: usize) -> usize {
    wanted
}
