//! What was removed leaves the files, too, within a time that is known.
//!
//! The engine only adds to its files. A value that was removed or replaced stays in the journal until that has grown to
//! its full size, and in tables until these happen to be merged: on a quiet site for ever. So now and then, where anything
//! was written since, the journal is filled up, which has the engine begin another one and remove it, and all tables are
//! merged into new ones.

use super::engine::Engine;
use super::folder::Folder;
use super::journal;
use crate::storage::Trouble;
use crate::storage::group::DiskFailure;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{fs, io};

/// How many bytes fill a journal for certain.
const JOURNAL_BYTES: u64 = 80 << 20;

/// How long what fills it is in one piece, in bytes, and how many pieces are written at a time.
const PIECE_BYTES: usize = 60_000;
const PIECES: usize = 16;

/// After how many of these times they are written out of memory.
const SEAL_EVERY: u64 = 8;

/// Between these times, so that whoever writes something else hardly notices.
const PAUSE: Duration = Duration::from_millis(20);

/// How long the engine gets for each step before it is all put off. A transaction that is open keeps what it sees.
const PATIENCE: Duration = Duration::from_mins(5);

/// When it is tried again then.
const RETRY: Duration = Duration::from_mins(10);

/// The seconds since the Unix epoch.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Erases, when it is time, on a thread of its own.
#[derive(Default)]
pub(super) struct Eraser {
    run: Option<Run>,
    not_before: Option<Instant>,
}

struct Run {
    thread: JoinHandle<Result<(), DiskFailure>>,
    stop: Arc<AtomicBool>,
    /// Since when there was something to erase when it began.
    since: u64,
}

impl Eraser {
    /// Begins, if what has been there to be erased since `stale_since` has been there for half of `within`, and takes note
    /// of the end.
    pub(super) fn tend(
        &mut self,
        stale_since: &mut Option<u64>,
        engine: &Arc<Engine>,
        folder: &Arc<Folder>,
        within: Duration,
    ) {
        if let Some(run) = self.run.take_if(|run| run.thread.is_finished()) {
            let since = run.since;
            match run.thread.join() {
                Ok(Ok(())) => tracing::debug!("what was removed is out of the files"),
                failed => {
                    let reason = failed.map_or_else(
                        |_| "a panic".into(),
                        |failed| failed.map_or_else(|f| f.reason, |()| String::new()),
                    );
                    tracing::warn!(reason, "what was removed could not be taken out of the files; tried again later");
                    *stale_since = Some(since);
                    self.not_before = Some(Instant::now() + RETRY);
                }
            }
        }
        let Some(since) = *stale_since else { return };
        let due = now().saturating_sub(since) >= within.as_secs() / 2;
        if !due || self.run.is_some() || self.not_before.is_some_and(|time| Instant::now() < time) {
            return;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (engine, folder, stopped) = (engine.clone(), folder.clone(), stop.clone());
        let thread = thread::Builder::new().name("usher-erasing".into());
        match thread.spawn(move || erase(&engine, &folder, &stopped)) {
            Ok(thread) => {
                *stale_since = None;
                self.run = Some(Run { thread, stop, since });
            }
            Err(error) => tracing::warn!(%error, "the thread that erases did not start"),
        }
    }

    /// Since when there is something to erase, all in all, where it is `stale_since` for what was written lately.
    pub(super) fn stale_since(&self, stale_since: Option<u64>) -> Option<u64> {
        self.run.as_ref().map(|run| run.since).into_iter().chain(stale_since).min()
    }

    /// Whether it is at it.
    #[cfg(test)]
    pub(super) fn is_running(&self) -> bool {
        self.run.as_ref().is_some_and(|run| !run.thread.is_finished())
    }
}

/// Ends it, and waits for that: it has the folder open, and whoever closed the storage may open the folder next. The store
/// can be closed at any point of it but while the engine merges tables, which is waited for.
impl Drop for Eraser {
    fn drop(&mut self) {
        if let Some(run) = self.run.take() {
            run.stop.store(true, Ordering::Relaxed);
            // It is done anew when the store is open again, so that it is all one how it ended.
            let _ = run.thread.join();
        }
    }
}

/// Takes everything out of the files that was removed before this began.
fn erase(engine: &Engine, folder: &Folder, stop: &AtomicBool) -> Result<(), DiskFailure> {
    let entries = folder.entries();
    folder.try_writing(2 * JOURNAL_BYTES + 2 * engine.table_bytes())?;
    let number = engine.next_number();
    let last = journal::list(&entries)?.into_keys().next_back().unwrap_or(0);
    let newest = || journal::list(&entries).map(|journals| journals.into_keys().next_back().unwrap_or(0));
    for piece in 1..=JOURNAL_BYTES / (PIECES * PIECE_BYTES) as u64 {
        if newest()? > last {
            break;
        }
        check(engine, stop)?;
        engine.pad(PIECES, PIECE_BYTES)?;
        if piece % SEAL_EVERY == 0 {
            engine.seal()?;
        }
        thread::sleep(PAUSE);
    }
    until(engine, stop, || Ok(journal::list(&entries)?.into_keys().all(|journal| journal > last)))?;
    // Not before nobody can see any more what was there before it was removed.
    until(engine, stop, || Ok(engine.lowest_in_use() >= number))?;
    let tables = tables(engine)?;
    engine.merge_all()?;
    until(engine, stop, || Ok(self::tables(engine)?.is_disjoint(&tables)))
}

fn check(engine: &Engine, stop: &AtomicBool) -> Result<(), DiskFailure> {
    if stop.load(Ordering::Relaxed) {
        return Err(DiskFailure::new(Trouble::Failed, "the storage was closed"));
    }
    engine.check()
}

/// Waits for something that the engine does when it writes tables.
fn until(engine: &Engine, stop: &AtomicBool, done: impl Fn() -> io::Result<bool>) -> Result<(), DiskFailure> {
    let began = Instant::now();
    while !done()? {
        check(engine, stop)?;
        if began.elapsed() > PATIENCE {
            return Err(DiskFailure::new(Trouble::Failed, "the engine did not come to its end with it"));
        }
        engine.pad(1, 1)?;
        engine.seal()?;
        thread::sleep(10 * PAUSE);
    }
    Ok(())
}

/// The tables' files.
fn tables(engine: &Engine) -> io::Result<BTreeSet<PathBuf>> {
    fs::read_dir(engine.tables())?.map(|entry| entry.map(|entry| entry.path())).collect()
}
