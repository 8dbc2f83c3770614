//! Plays the first sync: all users, then all groups with their members, over several connections.

use super::bar;
use super::client::{Client, Exchange, SCIM, Trouble};
use super::idp::{Connected, Kind};
use super::people::{self, Person, Team};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Over how many connections the identity providers push, together.
pub(super) const CONNECTIONS: usize = 8;

/// What is to be pushed, by whom.
pub(super) struct Plan {
    parts: Vec<Part>,
}

struct Part {
    provider: Connected,
    people: Vec<Person>,
    teams: Vec<Team>,
    /// The ids that the server gave the people.
    ids: Vec<OnceLock<String>>,
}

/// What came of it.
pub(super) struct Synced {
    pub(super) took: Duration,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) failures: Vec<String>,
}

impl Plan {
    /// Shares users and groups out among the identity providers.
    pub(super) fn new(providers: Vec<Connected>, users: usize, groups: usize) -> Self {
        let (count, mut parts) = (providers.len(), Vec::new());
        for (index, provider) in providers.into_iter().enumerate() {
            let share = |all: usize| all / count + usize::from(index < all % count);
            let people = people::people(share(users), provider.kind.domain());
            let teams = people::teams(share(groups), people.len());
            let ids = people.iter().map(|_| OnceLock::new()).collect();
            parts.push(Part { provider, people, teams, ids });
        }
        Self { parts }
    }
}

/// Pushes everything, with progress on the terminal, until `halt` is set.
pub(super) fn run(plan: &Plan, halt: &AtomicBool) -> Synced {
    let begin = Instant::now();
    let mut synced = Synced { took: Duration::ZERO, exchanges: Vec::new(), failures: Vec::new() };
    stage("users", plan, |part| part.people.len(), push_user, halt, &mut synced);
    stage("groups", plan, |part| part.teams.len(), push_team, halt, &mut synced);
    synced.took = begin.elapsed();
    synced
}

fn push_user(part: &Part, client: &mut Client<'_>, number: usize) -> Result<(), Trouble> {
    let id = part.provider.push_user(client, &part.people[number])?;
    // Each person is pushed once, so that there is none yet.
    let _ = part.ids[number].set(id);
    Ok(())
}

fn push_team(part: &Part, client: &mut Client<'_>, number: usize) -> Result<(), Trouble> {
    let ids: Vec<String> = part.ids.iter().map(|id| id.get().cloned().unwrap_or_default()).collect();
    part.provider.push_group(client, &part.teams[number], &part.people, &ids)
}

/// Does one thing for all of one kind, over all connections.
fn stage(
    name: &'static str,
    plan: &Plan,
    count: impl Fn(&Part) -> usize,
    push: impl Fn(&Part, &mut Client<'_>, usize) -> Result<(), Trouble> + Sync,
    halt: &AtomicBool,
    synced: &mut Synced,
) {
    // Alternating, as both push at the same time.
    let most = plan.parts.iter().map(&count).max().unwrap_or_default();
    let work: Vec<(&Part, usize)> =
        (0..most).flat_map(|number| plan.parts.iter().map(move |part| (part, number))).collect();
    let work: Vec<(&Part, usize)> = work.into_iter().filter(|(part, number)| *number < count(part)).collect();
    let bar = bar::counting(name, work.len() as u64);
    let (next, seen, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut clients = Kind::ALL.map(|kind| (kind, Client::new(kind.user_agent(), SCIM, halt)));
                while let Some((part, number)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let client = clients.iter_mut().find(|(kind, _)| *kind == part.provider.kind);
                    let Some((_, client)) = client else { continue };
                    match push(part, client, *number) {
                        Ok(()) => bar.inc(1),
                        Err(Trouble::Stopped) => break,
                        Err(Trouble::Failed(text)) => {
                            failures.lock().unwrap_or_else(PoisonError::into_inner).push(text);
                        }
                    }
                }
                let exchanges = clients.into_iter().flat_map(|(_, client)| client.seen);
                seen.lock().unwrap_or_else(PoisonError::into_inner).extend(exchanges);
            });
        }
    });
    bar.finish_and_clear();
    synced.exchanges.extend(seen.into_inner().unwrap_or_else(PoisonError::into_inner));
    synced.failures.extend(failures.into_inner().unwrap_or_else(PoisonError::into_inner));
}
