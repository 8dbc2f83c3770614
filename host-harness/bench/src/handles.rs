//! Room for connections among the file handles that the system grants.

/// How many handles are left to everything but connections.
const OTHERS: u64 = 256;

/// Has the system grant the handles that so many connections need; where it grants fewer, an error says how many.
#[cfg(unix)]
pub(super) fn raise(connections: usize) -> Result<(), String> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let needed = connections as u64 + OTHERS;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let most = limit.maximum.unwrap_or(needed);
    let refused = || format!("{connections} connections need {needed} file handles, and the system grants {most}");
    if most < needed {
        return Err(refused());
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum: limit.maximum }).map_err(|_| refused())
}

#[cfg(not(unix))]
pub(super) fn raise(_connections: usize) -> Result<(), String> {
    Ok(())
}
