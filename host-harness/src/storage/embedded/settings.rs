//! The engine's settings in a folder that was made before they were chosen.
//!
//! The engine writes down how the tables of a keyspace are to be written when that is made, and goes by it from then on,
//! whatever it is opened with. So whatever has been chosen since is written there before it is opened. Tables that exist
//! stay as they are; each is replaced when it is merged, at the latest when [what was removed is erased](super::erasing).

use lsm_tree::{AbstractTree, Config, Error, Guard, SeqNo, SequenceNumberCounter, Slice};
use std::path::Path;

/// Below the engine's folder: the tree in which it keeps this.
const TREE: &str = "keyspaces/0";

/// In its keys, the entries with the name of a keyspace, and those with its settings; both go on with its number.
const NAME: u8 = b'n';
const SETTING: u8 = b'c';

/// What has been chosen since the first folders were made, in the order of the names. The value: for one level, and with
/// it for all that follow, yes.
const CHOSEN: [(&str, &[u8]); 2] =
    [("filter_block_partitioning_policy", &[1, 1]), ("index_block_partitioning_policy", &[1, 1])];

/// Has the engine in `entries` write the tables of `keyspace` as it is asked to now. Does nothing where it does so, or where
/// there is none.
pub(super) fn renew(entries: &Path, keyspace: &str) -> Result<(), Error> {
    let folder = entries.join(TREE);
    if !folder.try_exists()? {
        return Ok(());
    }
    let numbers = SequenceNumberCounter::default();
    let tree = Config::new(&folder, numbers.clone(), SequenceNumberCounter::default()).open()?;
    let mut number = None;
    for entry in tree.prefix([NAME], SeqNo::MAX, None) {
        let (key, name) = entry.into_inner()?;
        if *name == *keyspace.as_bytes() {
            number = key.get(1..).map(<[u8]>::to_vec);
        }
    }
    let Some(number) = number else { return Ok(()) };
    let mut changed = Vec::new();
    for (setting, value) in CHOSEN {
        let key = [&[SETTING], &*number, setting.as_bytes()].concat();
        if tree.get(&key, SeqNo::MAX)?.is_some_and(|stored| *stored != *value) {
            changed.push((key, value));
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    // Above all that is there, so that it holds in their place.
    numbers.fetch_max(tree.get_highest_persisted_seqno().map_or(0, |highest| highest + 1));
    // All of it is there, or nothing: as a table of its own, which counts from when the list of tables is replaced.
    let mut table = tree.ingestion()?;
    for (key, value) in changed {
        table.write(Slice::from(key), Slice::from(value))?;
    }
    table.finish().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::embedded::engine;
    use crate::storage::embedded::options::EmbeddedOptions;
    use fjall::config::PartitioningPolicy;
    use fjall::{Database, KeyspaceCreateOptions, PersistMode};
    use tempfile::TempDir;

    /// The settings that are stored, the name without the keyspace's number.
    fn stored(entries: &Path) -> Vec<(String, Vec<u8>)> {
        let none = SequenceNumberCounter::default;
        let tree = Config::new(entries.join(TREE), none(), none()).open().expect("the tree");
        let all = tree.prefix([SETTING], SeqNo::MAX, None).map(|entry| {
            let (key, value) = entry.into_inner().expect("an entry");
            (String::from_utf8_lossy(&key[9..]).into_owned(), value.to_vec())
        });
        all.collect()
    }

    #[test]
    fn a_folder_made_before_gets_what_a_new_one_is_made_with_and_keeps_what_is_in_it() {
        let (new, old) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
        let options = EmbeddedOptions::default();
        drop(engine::open(new.path(), &options).expect("it opens"));
        {
            let database = Database::builder(old.path()).open().expect("it opens");
            let whole = || {
                KeyspaceCreateOptions::default()
                    .data_block_compression_policy(fjall::config::CompressionPolicy::all(fjall::CompressionType::Lz4))
                    .filter_block_partitioning_policy(PartitioningPolicy::new([false, false, true]))
                    .index_block_partitioning_policy(PartitioningPolicy::new([false, false, true]))
            };
            // One that stands before it, so that the right one has to be found.
            database.keyspace("other", whole).expect("a keyspace");
            let site = database.keyspace("site", whole).expect("a keyspace");
            site.insert("key", "value").expect("written");
            database.persist(PersistMode::SyncAll).expect("persisted");
        }
        for _ in 0..3 {
            let (_database, site) = engine::open(old.path(), &options).expect("it opens");
            assert_eq!(site.get("key").expect("read").as_deref(), Some(&b"value"[..]));
        }
        let (new, old) = (stored(new.path()), stored(old.path()));
        for (setting, value) in CHOSEN {
            let of = |all: &[(String, Vec<u8>)]| -> Vec<_> {
                all.iter().filter(|(name, _)| name == setting).map(|(_, value)| value.clone()).collect()
            };
            assert_eq!(of(&new), [value.to_vec()], "{setting} of a new folder");
            assert_eq!(of(&old), [vec![3, 0, 0, 1], value.to_vec()], "{setting} of one made before");
        }
    }

    #[test]
    fn where_there_is_nothing_yet_nothing_is_made() {
        let folder = TempDir::new().expect("a folder");
        renew(folder.path(), "site").expect("nothing to do");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
