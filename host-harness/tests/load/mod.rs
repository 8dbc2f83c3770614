//! What a process that is to be killed writes, and what must be there of it afterwards.

use std::collections::HashMap;
use usher_host::storage::{Access, Change, Error, Range, Storage, Transaction};

/// How many threads write.
pub const WRITERS: u64 = 8;
/// How many keys each commit sets.
const KEYS: u64 = 8;
/// After how many more commits of its writer a commit's keys are removed again.
const KEPT: u64 = 25;

fn key(writer: u64, number: u64, part: u64) -> String {
    // Parts of one commit lie far from one another.
    format!("{part}/{writer}/{number:010}")
}

fn value(writer: u64, number: u64, part: u64) -> String {
    // Now and then one that is large.
    let length = if number.is_multiple_of(97) { 40_000 } else { 20 + number % 400 };
    format!("{writer} {number} {part} ").repeat(usize::try_from(length / 8).expect("short"))
}

fn number(transaction: &mut dyn Transaction, key: &str) -> Result<u64, Error> {
    let value = transaction.get_many(&[key.into()])?.remove(0);
    Ok(value.map_or(0, |text| text.parse().expect("a number was stored")))
}

fn set(key: String, value: String) -> Change {
    Change { key, value: Some(value) }
}

/// One request: its own keys, the removal of old ones, its writer's number, and the sum over all writers.
pub fn commit(storage: &dyn Storage, writer: u64) -> Result<u64, Error> {
    let mut transaction = storage.begin(Access::ReadWrite)?;
    let own = format!("last/{writer}");
    let next = number(&mut *transaction, &own)? + 1;
    let sum = number(&mut *transaction, "sum")? + 1;
    let mut changes: Vec<Change> =
        (0..KEYS).map(|part| set(key(writer, next, part), value(writer, next, part))).collect();
    if let Some(old) = next.checked_sub(KEPT) {
        changes.extend((0..KEYS).map(|part| Change { key: key(writer, old, part), value: None }));
    }
    changes.push(set(own, next.to_string()));
    transaction.write(changes)?;
    transaction.write(vec![set("sum".into(), sum.to_string())])?;
    transaction.commit()?.wait()?;
    Ok(next)
}

/// Everything that must be there: all of each commit, and of none a part.
pub fn check(storage: &dyn Storage, acknowledged: &HashMap<u64, u64>, round: u64) {
    let mut transaction = storage.begin(Access::ReadOnly).expect("a transaction");
    let mut sum = 0;
    let mut expected = Vec::new();
    for writer in 0..WRITERS {
        let last = number(&mut *transaction, &format!("last/{writer}")).expect("a read");
        let told = acknowledged.get(&writer).copied().unwrap_or(0);
        assert!(last >= told, "round {round}: {told} of {writer} was acknowledged, {last} is there");
        sum += last;
        for number in (last + 1).saturating_sub(KEPT).max(1)..=last {
            let parts = (0..KEYS).map(|part| (key(writer, number, part), value(writer, number, part)));
            expected.extend(parts);
        }
    }
    assert_eq!(number(&mut *transaction, "sum").expect("a read"), sum, "round {round}");
    expected.sort();
    let range =
        Range { start: "0".into(), end: "9".into(), reverse: false, skip: 0, limit: u32::MAX, keys_only: false };
    let found = transaction.scan(&range).expect("a scan");
    let found: Vec<_> = found.into_iter().map(|entry| (entry.key, entry.value)).collect();
    assert_eq!(found.len(), expected.len(), "round {round}: half a commit, or one too many");
    assert!(found == expected, "round {round}: a value is not what was written");
}
