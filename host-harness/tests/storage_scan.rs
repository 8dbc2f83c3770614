//! Any range of any contents reads as it would from a plain ordered map.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;
use usher_host::storage::{
    Access, Change, Durability, EmbeddedOptions, EmbeddedStorage, Entry, MemoryStorage, Range, Storage, Transaction,
};

type Model = BTreeMap<String, String>;

/// Few characters and short, so that keys meet, and are prefixes of one another.
fn key() -> impl Strategy<Value = String> {
    vec(select(vec!['\0', '/', 'a', 'b', '~', '\u{7f}']), 1..5).prop_map(|characters| characters.into_iter().collect())
}

fn change() -> impl Strategy<Value = Change> {
    (key(), proptest::option::weighted(0.7, "\\PC{0,20}")).prop_map(|(key, value)| Change { key, value })
}

fn range() -> impl Strategy<Value = Range> {
    let bound = || prop_oneof![4 => key(), 1 => Just(String::new()), 1 => Just("\u{80}".into())];
    let limit = prop_oneof![0..20u32, Just(u32::MAX)];
    (bound(), bound(), any::<bool>(), 0..20u32, limit, any::<bool>())
        .prop_map(|(start, end, reverse, skip, limit, keys_only)| Range { start, end, reverse, skip, limit, keys_only })
}

fn expected(model: &Model, range: &Range) -> Vec<Entry> {
    let mut entries: Vec<Entry> = model
        .iter()
        .filter(|(key, _)| **key >= range.start && **key < range.end)
        .map(|(key, value)| Entry {
            key: key.clone(),
            value: if range.keys_only { String::new() } else { value.clone() },
        })
        .collect();
    if range.reverse {
        entries.reverse();
    }
    entries.into_iter().skip(range.skip as usize).take(range.limit as usize).collect()
}

/// Begins to commit; what was committed need not be on disk yet.
fn commit(storage: &dyn Storage, model: &mut Model, changes: Vec<Change>) -> Durability {
    for Change { key, value } in &changes {
        match value {
            Some(value) => model.insert(key.clone(), value.clone()),
            None => model.remove(key),
        };
    }
    let mut transaction = storage.begin(Access::ReadWrite).expect("a transaction");
    transaction.write(changes).expect("a write");
    transaction.commit().expect("a commit")
}

fn compare(mut transaction: Box<dyn Transaction>, model: &Model, ranges: &[Range]) -> Result<(), TestCaseError> {
    for range in ranges {
        let found = transaction.scan(range).expect("a scan");
        prop_assert_eq!(found, expected(model, range), "{:?}", range);
    }
    let keys: Vec<String> = ranges.iter().map(|range| range.start.clone()).collect();
    let values: Vec<_> = keys.iter().map(|key| model.get(key).cloned()).collect();
    prop_assert_eq!(transaction.get_many(&keys).expect("a read"), values);
    Ok(())
}

/// Commits and reads in turns: what is not durable yet as a writer sees it, what is as a reader does.
fn check(storage: &dyn Storage, rounds: Vec<Round>) -> Result<(), TestCaseError> {
    let mut model = Model::new();
    for Round { commits, ranges } in rounds {
        let mut pending = Vec::new();
        for changes in commits {
            pending.push(commit(storage, &mut model, changes));
            let writer = storage.begin(Access::ReadWrite).expect("a transaction");
            compare(writer, &model, &ranges)?;
        }
        for durability in pending {
            durability.wait().expect("a flush");
        }
        let reader = storage.begin(Access::ReadOnly).expect("a transaction");
        compare(reader, &model, &ranges)?;
    }
    Ok(())
}

#[derive(Debug)]
struct Round {
    commits: Vec<Vec<Change>>,
    ranges: Vec<Range>,
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let round =
        (vec(vec(change(), 0..30), 1..4), vec(range(), 1..10)).prop_map(|(commits, ranges)| Round { commits, ranges });
    vec(round, 1..6)
}

proptest! {
    #[test]
    fn memory_scans_like_an_ordered_map(rounds in rounds()) {
        check(&MemoryStorage::new(), rounds)?;
    }
}

proptest! {
    // Each case makes a folder.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn embedded_scans_like_an_ordered_map(rounds in rounds()) {
        let folder = tempfile::tempdir().expect("a folder");
        let options = EmbeddedOptions { cache_bytes: 1 << 20, write_buffer_bytes: 1 << 10, ..EmbeddedOptions::default() };
        let storage = EmbeddedStorage::open_with(folder.path(), &options).expect("a storage");
        check(&storage, rounds)?;
    }
}
