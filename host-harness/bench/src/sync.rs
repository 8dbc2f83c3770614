//! Initial syncs by single requests: each user and each group is looked up and created, then members are added, as
//! identity providers do.

use super::call::{Call, id_of};
use super::client::Client;
use super::directory::Directory;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Over how many connections.
pub(super) const CONNECTIONS: usize = 8;

/// What is pushed.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) users: usize,
    /// How many members each group has. A group has users that come one after another, begun where the last one ended.
    pub(super) groups: Vec<usize>,
    /// How many members one request adds.
    pub(super) at_once: usize,
}

/// One part of a sync.
pub(super) struct Phase {
    pub(super) name: &'static str,
    pub(super) took: Duration,
    /// Each call in the order in which they ended: when that was, since the beginning of the phase, and how long it took.
    pub(super) calls: Vec<(Duration, Duration)>,
}

/// What all connections work on.
struct Work {
    users: Vec<OnceLock<String>>,
    groups: Vec<OnceLock<String>>,
    /// Which members of which group one request adds: the group, the first of its members and how many.
    additions: Vec<Addition>,
    next: AtomicUsize,
}

struct Addition {
    group: usize,
    users: Vec<usize>,
}

impl Plan {
    pub(super) fn memberships(&self) -> usize {
        self.groups.iter().sum()
    }

    /// The requests that add members: group after group. What the first group needs is spread among those of the
    /// others, so that a very large one does not make the beginning differ from the end.
    fn additions(&self) -> Vec<Addition> {
        let mut begin = 0;
        let mut lists: Vec<Vec<Addition>> = Vec::new();
        for (group, &members) in self.groups.iter().enumerate() {
            let users: Vec<usize> = (begin..begin + members).map(|user| user % self.users).collect();
            begin += members;
            lists.push(users.chunks(self.at_once).map(|users| Addition { group, users: users.to_vec() }).collect());
        }
        let others: Vec<Addition> = lists.drain(1.min(lists.len())..).flatten().collect();
        let first: Vec<Addition> = lists.into_iter().flatten().collect();
        let place = |at: usize, of: usize| at as f64 / of as f64;
        let (ones, many) = (first.len(), others.len());
        let first = first.into_iter().enumerate().map(|(at, addition)| (place(at, ones), addition));
        let others = others.into_iter().enumerate().map(|(at, addition)| (place(at, many), addition));
        let mut all: Vec<(f64, Addition)> = first.chain(others).collect();
        all.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        all.into_iter().map(|(_, addition)| addition).collect()
    }
}

/// Pushes all of it, one phase after another; tells of each when it begins.
pub(super) async fn push(directory: &Directory, plan: &Plan, begins: impl Fn(&str)) -> Result<Vec<Phase>, String> {
    let empty = |count: usize| (0..count).map(|_| OnceLock::new()).collect();
    let (users, groups, additions) = (empty(plan.users), empty(plan.groups.len()), plan.additions());
    let counts = [plan.users, plan.groups.len(), additions.len()];
    let work = Arc::new(Work { users, groups, additions, next: AtomicUsize::new(0) });
    let mut phases = Vec::new();
    for (kind, count) in [Kind::Users, Kind::Groups, Kind::Members].into_iter().zip(counts) {
        begins(kind.name());
        phases.push(phase(directory, &work, kind, count).await?);
    }
    Ok(phases)
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Users,
    Groups,
    Members,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "groups",
            Self::Members => "members",
        }
    }
}

async fn phase(directory: &Directory, work: &Arc<Work>, kind: Kind, count: usize) -> Result<Phase, String> {
    work.next.store(0, Ordering::Relaxed);
    let mut tasks = JoinSet::new();
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(directory.connect().await?);
    }
    let begin = Instant::now();
    for mut client in clients {
        let work = work.clone();
        tasks.spawn(async move {
            let mut calls = Vec::new();
            loop {
                let number = work.next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok::<_, String>(calls);
                }
                work.one(kind, number, &mut client, |took| calls.push((begin.elapsed(), took))).await?;
            }
        });
    }
    let mut calls = Vec::new();
    while let Some(task) = tasks.join_next().await {
        calls.extend(task.map_err(|error| error.to_string())??);
    }
    let took = begin.elapsed();
    calls.sort_unstable();
    Ok(Phase { name: kind.name(), took, calls })
}

impl Work {
    /// Does one thing, and notes each call.
    async fn one(
        &self,
        kind: Kind,
        number: usize,
        client: &mut Client,
        mut note: impl FnMut(Duration),
    ) -> Result<(), String> {
        match kind {
            Kind::Users => {
                let name = format!("user{number}");
                note(client.time(&Call::filter("/Users", &format!("userName eq \"{name}@example.com\""))).await?);
                self.create(&self.users[number], client, &Call::create_user(&name), note).await
            }
            Kind::Groups => {
                let name = format!("Group {number}");
                note(client.time(&Call::filter("/Groups", &format!("displayName eq \"{name}\""))).await?);
                self.create(&self.groups[number], client, &Call::create_group(&name), note).await
            }
            Kind::Members => {
                let Addition { group, users } = &self.additions[number];
                let users: Option<Vec<String>> = users.iter().map(|user| self.users[*user].get().cloned()).collect();
                let (Some(users), Some(group)) = (users, self.groups[*group].get()) else {
                    return Err("a member or a group was not created".into());
                };
                note(client.time(&Call::add_members(group, &users)).await?);
                Ok(())
            }
        }
    }

    async fn create(
        &self,
        id: &OnceLock<String>,
        client: &mut Client,
        call: &Call,
        mut note: impl FnMut(Duration),
    ) -> Result<(), String> {
        let made = client.call(call).await?;
        // Each is created once, so that there is no id yet.
        let _ = id.set(id_of(made.body)?);
        note(made.took);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_memberships_are_added_once_and_the_first_group_is_spread() {
        let plan = Plan { users: 10, groups: vec![10, 3, 3, 3, 3], at_once: 2 };
        let additions = plan.additions();
        let mut memberships: Vec<(usize, usize)> =
            additions.iter().flat_map(|addition| addition.users.iter().map(|user| (addition.group, *user))).collect();
        memberships.sort_unstable();
        memberships.dedup();
        assert_eq!(memberships.len(), plan.memberships());
        let first: Vec<usize> = (0..additions.len()).filter(|at| additions[*at].group == 0).collect();
        assert_eq!(first, [0, 3, 6, 8, 11]);
        let none = Plan { users: 10, groups: Vec::new(), at_once: 2 };
        assert!(none.additions().is_empty());
    }
}
