//! The engine that the embedded storage is built on, with as little around it as durable commits can do with.

use crate::storage::{Change, EmbeddedOptions, Error, Range, open_engine};
use fjall::{Database, Keyspace, PersistMode};
use std::fmt::Display;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

/// The storage engine of [`EmbeddedStorage`](crate::storage::EmbeddedStorage), set up as it is there, with a group commit
/// that promises nothing: no order between writers, no reading of one's own writes, no limits. A commit counts when it is
/// on disk.
pub struct BareEngine {
    keyspace: Keyspace,
    commits: Option<Sender<Commit>>,
    writer: Option<JoinHandle<()>>,
}

struct Commit {
    changes: Vec<Change>,
    done: Sender<Result<(), Error>>,
}

impl BareEngine {
    /// Opens it in a folder of its own.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the folder cannot be used.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let (database, keyspace) = open_engine(folder, &EmbeddedOptions::default()).map_err(unavailable)?;
        let (commits, waiting) = channel();
        let into = keyspace.clone();
        let writer = thread::spawn(move || write_waiting(&database, &into, &waiting));
        Ok(Self { keyspace, commits: Some(commits), writer: Some(writer) })
    }

    /// Writes changes, together with whatever else is waiting, and returns when they are on disk.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the disk fails.
    pub fn commit(&self, changes: Vec<Change>) -> Result<(), Error> {
        let (done, outcome) = channel();
        let commits = self.commits.as_ref().ok_or_else(|| unavailable("closed"))?;
        commits.send(Commit { changes, done }).map_err(unavailable)?;
        outcome.recv().map_err(unavailable)?
    }

    /// Reads a key, and tells whether it is there.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the disk fails.
    pub fn get(&self, key: &str) -> Result<bool, Error> {
        Ok(self.keyspace.get(key).map_err(unavailable)?.is_some())
    }

    /// Reads entries, and tells how many there were.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the disk fails.
    pub fn scan(&self, range: &Range) -> Result<usize, Error> {
        let entries = self.keyspace.range(range.start.as_str()..range.end.as_str());
        let (skip, limit) = (range.skip as usize, range.limit as usize);
        let read = |entry: fjall::Guard| entry.into_inner().map_err(unavailable);
        let found: Result<Vec<_>, Error> = if range.reverse {
            entries.rev().skip(skip).take(limit).map(read).collect()
        } else {
            entries.skip(skip).take(limit).map(read).collect()
        };
        Ok(found?.len())
    }
}

impl Drop for BareEngine {
    /// Returns when the thread has let go of the database, so that its folder can be removed.
    fn drop(&mut self) {
        drop(self.commits.take());
        if let Some(writer) = self.writer.take() {
            // A panic in it was seen by the writers that it left without an answer.
            let _ = writer.join();
        }
    }
}

fn write_waiting(database: &Database, keyspace: &Keyspace, waiting: &Receiver<Commit>) {
    while let Ok(first) = waiting.recv() {
        let mut batch = database.batch().durability(Some(PersistMode::SyncData));
        let mut done = Vec::new();
        for commit in std::iter::once(first).chain(waiting.try_iter()) {
            for Change { key, value } in commit.changes {
                match value {
                    Some(value) => batch.insert(keyspace, key, value),
                    None => batch.remove(keyspace, key),
                }
            }
            done.push(commit.done);
        }
        let outcome = batch.commit().map_err(unavailable);
        for done in done {
            // A writer that has gone does not want to know.
            let _ = done.send(outcome.clone());
        }
    }
}

fn unavailable(error: impl Display) -> Error {
    Error::Unavailable(error.to_string())
}
