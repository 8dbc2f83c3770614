//! Any range of any contents reads as it would from a plain ordered map.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;
use std::sync::Arc;
use usher_host::storage::{Access, Change, Durability, Entry, MemoryStorage, Range, Storage};

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

fn commit(storage: &dyn Storage, model: &mut Model, changes: Vec<Change>) {
    for Change { key, value } in &changes {
        match value {
            Some(value) => model.insert(key.clone(), value.clone()),
            None => model.remove(key),
        };
    }
    let mut transaction = storage.begin(Access::ReadWrite).expect("a transaction");
    transaction.write(changes).expect("a write");
    let committed = transaction.commit().and_then(Durability::wait);
    committed.expect("a commit");
}

fn compare(storage: &dyn Storage, model: &Model, ranges: &[Range]) -> Result<(), TestCaseError> {
    for access in [Access::ReadOnly, Access::ReadWrite] {
        let mut transaction = storage.begin(access).expect("a transaction");
        for range in ranges {
            let found = transaction.scan(range).expect("a scan");
            prop_assert_eq!(found, expected(model, range), "{:?}", range);
        }
        let keys: Vec<String> = ranges.iter().map(|range| range.start.clone()).collect();
        let values: Vec<_> = keys.iter().map(|key| model.get(key).cloned()).collect();
        prop_assert_eq!(transaction.get_many(&keys).expect("a read"), values);
    }
    Ok(())
}

proptest! {
    #[test]
    fn memory_scans_like_an_ordered_map(
        rounds in vec((vec(change(), 0..60), vec(range(), 1..10)), 1..6),
    ) {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let mut model = Model::new();
        for (changes, ranges) in rounds {
            commit(&*storage, &mut model, changes);
            compare(&*storage, &model, &ranges)?;
        }
    }
}
