//! Opening what is in the folder: nothing is taken for the site that is not all of it.

use super::engine::Engine;
use super::error::OpenError;
use super::folder::Folder;
use super::journal::{self, Journal, Unusable};
use super::mark::{Facts, Mark};
use super::options::EmbeddedOptions;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// The engine's own files, below its folder: which format it is, and the folder with a folder for each tree.
const VERSION: &str = "version";
const TREES: &str = "keyspaces";

/// In a tree's folder: names the list of its tables that is in force, by a number of 64 bits.
const CURRENT: &str = "current";

/// Opens the engine's files, or makes them where the folder is new. Of batches with the number `cut` and above, which
/// a write that failed has left in the journals, nothing is left.
pub(super) fn open(
    folder: &Arc<Folder>,
    options: &EmbeddedOptions,
    cut: Option<u64>,
) -> Result<(Engine, Mark), OpenError> {
    let (path, entries) = (folder.path(), folder.entries());
    let incomplete = |missing: String| OpenError::Incomplete { path: path.to_owned(), missing };
    let damaged = |reason: String| OpenError::Damaged { path: path.to_owned(), reason };
    let failed = |error| OpenError::Io { path: path.to_owned(), error };
    let unusable = |why| match why {
        Unusable::Io(error) => failed(error),
        Unusable::Damaged(reason) => damaged(reason),
    };
    let mark = Mark::open(&folder.mark()).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => incomplete("the file `mark` is not as it was written".into()),
        _ => failed(error),
    })?;
    let before = mark.as_ref().map(Mark::facts);
    if let Some(missing) = missing_file(&entries, before).map_err(failed)? {
        return Err(incomplete(missing));
    }
    let proven = before.map_or(0, |facts| facts.written + 1);
    let journals = match cut {
        Some(cut) => cut_journals(folder, cut),
        None => journal::read(&entries, proven),
    };
    let mut journals = journals.map_err(unusable)?;
    if let Some(missing) = before.and_then(|facts| missing_journal(facts, &journals)) {
        return Err(incomplete(missing));
    }
    for journal in &mut journals {
        journal.drop_torn_end().map_err(failed)?;
    }
    // Those that were cut were written anew, as far as they go.
    for journal in &journals {
        if let Some(from) = journal.from {
            journal.settle(from).map_err(failed)?;
        }
    }
    // Some kinds of damage make the engine panic rather than fail.
    let opened = catch_unwind(AssertUnwindSafe(|| Engine::open(folder, options)));
    let engine = match opened {
        Ok(Ok(engine)) => engine,
        Ok(Err(::fjall::Error::Io(error) | ::fjall::Error::Storage(::fjall::LsmError::Io(error)))) => {
            return Err(failed(error));
        }
        Ok(Err(::fjall::Error::Storage(::fjall::LsmError::Unrecoverable))) => {
            return Err(incomplete(format!("tables are missing in {}", entries.join(TREES).display())));
        }
        Ok(Err(error)) => return Err(damaged(error.to_string())),
        Err(_) => return Err(damaged("the engine panicked; see standard error".into())),
    };
    let tables = engine.highest_in_tables();
    if let Some(missing) = before.and_then(|facts| missing_write(facts, &journals, tables)) {
        return Err(incomplete(missing));
    }
    let facts = found(&engine, &entries, before, &journals, tables).map_err(failed)?;
    let mark = match mark {
        Some(mut mark) => mark.write(&facts).map(|()| mark),
        None => Mark::create(&folder.mark(), &folder.mark_new(), &facts),
    };
    Ok((engine, mark.map_err(failed)?))
}

/// Which of the files that the engine makes again, and with that loses others, is not there.
fn missing_file(entries: &Path, facts: Option<&Facts>) -> io::Result<Option<String>> {
    let version = entries.join(VERSION);
    let Some(facts) = facts else {
        // A store that has just been made has no mark yet, and one of an earlier version of the program never had.
        let journals = journal::list(entries)?;
        if !version.try_exists()? && !journals.is_empty() {
            if holds_nothing(entries, &journals)? {
                // The first start was cut short. The engine would not go on with what that has left.
                fs::remove_dir_all(entries)?;
            } else {
                return Ok(Some(format!("{} is missing", version.display())));
            }
        }
        return Ok(None);
    };
    let mut wanted = vec![version];
    for tree in &facts.trees {
        let folder = entries.join(TREES).join(tree);
        let current = folder.join(CURRENT);
        if let Some(bytes) = read_if_there(&current)? {
            let Some(list) = bytes.first_chunk().copied().map(u64::from_le_bytes) else {
                return Ok(Some(format!("{} is cut short", current.display())));
            };
            wanted.push(folder.join(format!("v{list}")));
        }
        wanted.push(current);
    }
    for path in wanted {
        if !path.try_exists()? {
            return Ok(Some(format!("{} is missing", path.display())));
        }
    }
    Ok(None)
}

fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether there is neither a tree nor anything in a journal.
fn holds_nothing(entries: &Path, journals: &BTreeMap<u64, std::path::PathBuf>) -> io::Result<bool> {
    let trees = entries.join(TREES);
    if trees.try_exists()? && fs::read_dir(trees)?.next().is_some() {
        return Ok(false);
    }
    for path in journals.values() {
        if fs::read(path)?.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Which journal is not there, or ends before its time, as far as can be said without the engine.
fn missing_journal(facts: &Facts, journals: &[Journal]) -> Option<String> {
    // A journal is left only for the next one, so that there is always one that is not older than the last.
    let newest = facts.journals.keys().next_back()?;
    if journals.last().is_none_or(|journal| journal.id < *newest) {
        return Some(format!("the journal {newest}.jnl is missing"));
    }
    for pair in journals.windows(2) {
        if let [one, next] = pair
            && one.id + 1 != next.id
        {
            return Some(format!("the journal {}.jnl is missing", one.id + 1));
        }
    }
    journals.iter().find_map(|journal| {
        let least = facts.journals.get(&journal.id).copied().flatten()?;
        // What is in tables is not needed in the journal, but nothing takes it out of one.
        journal.last.is_none_or(|last| last < least).then(|| {
            let last = journal.last.map_or_else(|| "nothing".into(), |last| format!("the writes up to {last}"));
            format!("the journal {}.jnl holds {last}, and had those up to {least}", journal.id)
        })
    })
}

/// What was acknowledged and is neither in a journal nor in a table.
fn missing_write(facts: &Facts, journals: &[Journal], tables: Option<u64>) -> Option<String> {
    // Merging takes removals out of the tables, and with the last of them the highest number. What was in tables once is so
    // for good.
    let tables = tables.max(facts.tables);
    for (id, least) in &facts.journals {
        if *least > tables && journals.iter().all(|journal| journal.id != *id) {
            return Some(format!("the journal {id}.jnl is missing"));
        }
    }
    let highest = journals.iter().filter_map(|journal| journal.last).chain(tables).max();
    if highest.unwrap_or(0) < facts.written {
        return Some(format!("there are the writes up to {highest:?}, and were those up to {}", facts.written));
    }
    None
}

/// What the mark is to say of a store that was opened.
fn found(
    engine: &Engine,
    entries: &Path,
    before: Option<&Facts>,
    journals: &[Journal],
    tables: Option<u64>,
) -> io::Result<Facts> {
    let highest = journals.iter().filter_map(|journal| journal.last).chain(tables).max();
    let last = |id: &u64| journals.iter().find(|journal| journal.id == *id).and_then(|journal| journal.last);
    let stale_since = match before {
        Some(facts) => facts.stale_since,
        // Whoever wrote it kept no account of that.
        None => highest.map(|_| 0),
    };
    Ok(Facts {
        written: highest.unwrap_or(0),
        tables,
        journals: journal::list(entries)?.into_keys().map(|id| (id, last(&id))).collect(),
        trees: engine.trees()?,
        stale_since,
    })
}

/// Takes what was not acknowledged out of the journals.
fn cut_journals(folder: &Folder, cut: u64) -> Result<Vec<Journal>, Unusable> {
    let mut journals = journal::read(&folder.entries(), cut)?;
    let newest = journals.last().map(|journal| journal.id);
    for journal in &mut journals {
        // Whatever still has the last one open may have something left to write to it.
        if journal.from.is_some() || Some(journal.id) == newest {
            journal.cut(&folder.journal_new())?;
        }
    }
    Ok(journals)
}
