//! Recorded commits, made again without Usher.

use super::load::Load;
use super::record::Commit;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use usher_host::bench::BareEngine;
use usher_host::storage::{Access, Change, EmbeddedStorage, Error, Storage};

/// What recorded commits are made on.
pub(super) trait Engine: Sync {
    /// Reads what the commit read, if `reads`, writes `changes` and returns when they are on disk.
    fn commit(&self, commit: &Commit, changes: Vec<Change>, reads: bool) -> Result<(), Error>;
}

impl Engine for BareEngine {
    fn commit(&self, commit: &Commit, changes: Vec<Change>, reads: bool) -> Result<(), Error> {
        if reads {
            for key in &commit.reads {
                self.get(key)?;
            }
            for range in &commit.scans {
                self.scan(range)?;
            }
        }
        BareEngine::commit(self, changes)
    }
}

impl Engine for EmbeddedStorage {
    fn commit(&self, commit: &Commit, changes: Vec<Change>, reads: bool) -> Result<(), Error> {
        let mut transaction = self.begin(Access::ReadWrite)?;
        if reads {
            transaction.get_many(&commit.reads)?;
            for range in &commit.scans {
                transaction.scan(range)?;
            }
        }
        transaction.write(changes)?;
        transaction.commit()?.wait()
    }
}

/// Makes recorded commits over and over on one engine.
pub(super) struct Replay<E> {
    engine: E,
    /// How many commits were made.
    made: AtomicUsize,
}

impl<E: Engine> Replay<E> {
    /// On an engine that first gets what was there before the recording.
    pub(super) fn new(engine: E, before: &[Commit]) -> Result<Self, String> {
        for commit in before {
            engine.commit(commit, commit.changes.clone(), false).map_err(|error| error.to_string())?;
        }
        Ok(Self { engine, made: AtomicUsize::new(0) })
    }

    /// As many commits as so many threads can make in this time.
    pub(super) fn run(&self, commits: &[Commit], writers: usize, time: Duration, reads: bool) -> Result<Load, String> {
        let begin = Instant::now();
        let one = || {
            let mut calls = Vec::new();
            while begin.elapsed() < time {
                let made = self.made.fetch_add(1, Ordering::Relaxed);
                let commit = &commits[made % commits.len()];
                let changes = again(&commit.changes, made / commits.len());
                let begin = Instant::now();
                self.engine.commit(commit, changes, reads).map_err(|error| error.to_string())?;
                calls.push(("commit", begin.elapsed()));
            }
            Ok(calls)
        };
        let calls: Result<Vec<_>, String> = thread::scope(|scope| {
            let threads: Vec<_> = (0..writers).map(|_| scope.spawn(one)).collect();
            threads.into_iter().map(|thread| thread.join().map_err(|_| "a writer panicked".to_owned())?).collect()
        });
        let calls = calls?.into_iter().flatten().collect();
        Ok(Load { elapsed: begin.elapsed(), calls })
    }
}

/// The changes of another repetition: at keys of its own, two bytes longer, as new resources have new keys.
fn again(changes: &[Change], repetition: usize) -> Vec<Change> {
    let change =
        |Change { key, value }: &Change| Change { key: format!("{repetition:02x}{key}"), value: value.clone() };
    changes.iter().map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_repetition_writes_at_keys_of_its_own() {
        let changes = [Change { key: "k".into(), value: Some("v".into()) }, Change { key: "l".into(), value: None }];
        let keys = |repetition| again(&changes, repetition).into_iter().map(|change| change.key).collect::<Vec<_>>();
        assert_eq!(keys(0), ["00k", "00l"]);
        assert_eq!(keys(31), ["1fk", "1fl"]);
    }

    fn made<E: Engine>(engine: E, commits: &[Commit]) -> Replay<E> {
        let replay = Replay::new(engine, commits).unwrap();
        let load = replay.run(commits, 2, Duration::from_millis(20), true).unwrap();
        assert!(load.calls.len() >= 2, "each writer makes one");
        replay
    }

    #[test]
    fn both_engines_make_the_recorded_commits() {
        let folder = tempfile::tempdir().unwrap();
        let commits = [Commit {
            reads: vec!["before".into()],
            scans: Vec::new(),
            changes: vec![Change { key: "k".into(), value: Some("v".into()) }],
        }];
        let bare = BareEngine::open(&folder.path().join("bare")).unwrap();
        let embedded = EmbeddedStorage::open(folder.path().join("embedded")).unwrap();
        assert!(made(bare, &commits).engine.get("00k").unwrap());
        let embedded = made(embedded, &commits).engine;
        let found = embedded.begin(Access::ReadOnly).unwrap().get_many(&["00k".into()]).unwrap();
        assert_eq!(found, [Some("v".into())]);
    }
}
