//! What an embedded storage keeps in memory of single keys never shows: a transaction finds each key as a scan finds it, and
//! scans are always read from the disk.

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use usher_host::storage::{
    Access, Change, Durability, EmbeddedOptions, EmbeddedStorage, Error, Range, Storage, Transaction,
};

/// How many keys there are: few, so that most are known, and each is changed again and again.
const KEYS: u8 = 24;

/// Room for some of the keys, and for all.
const SIZES: [u64; 3] = [0, 2 << 10, 1 << 20];

fn key(number: u8) -> String {
    format!("key{:02}", number % KEYS)
}

fn open(folder: &tempfile::TempDir, read_cache_bytes: u64) -> EmbeddedStorage {
    let options = EmbeddedOptions { read_cache_bytes, ..EmbeddedOptions::default() };
    EmbeddedStorage::open_with(folder.path(), &options).expect("it opens")
}

fn put(storage: &EmbeddedStorage, changes: &[(u8, Option<u8>)]) -> Result<Durability, Error> {
    let mut transaction = storage.begin(Access::ReadWrite)?;
    let change = |&(number, value): &(u8, Option<u8>)| Change {
        key: key(number),
        value: value.map(|value| value.to_string().repeat(usize::from(value))),
    };
    transaction.write(changes.iter().map(change).collect())?;
    transaction.commit()
}

/// Looks at these keys, one after the other, and at all of them by a scan.
fn look(transaction: &mut dyn Transaction, numbers: &[u8]) {
    let keys: Vec<String> = numbers.iter().copied().map(key).collect();
    let range =
        Range { start: String::new(), end: "~".into(), reverse: false, skip: 0, limit: u32::MAX, keys_only: false };
    let found = transaction.get_many(&keys).expect("values");
    let there = transaction.scan(&range).expect("a scan");
    let there: BTreeMap<_, _> = there.into_iter().map(|entry| (entry.key, entry.value)).collect();
    for (key, value) in keys.iter().zip(found) {
        assert_eq!(value.as_ref(), there.get(key), "{key}");
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// Changes that are committed, and awaited or not.
    Put(Vec<(u8, Option<u8>)>, bool),
    /// Begins to read, and goes on with that until told otherwise.
    Begin,
    /// Looks at some keys in one of the transactions that read.
    Look(usize, Vec<u8>),
    /// Looks at some keys as one does who may write.
    LookToWrite(Vec<u8>),
    End(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let changes = prop::collection::vec((any::<u8>(), prop::option::weighted(0.7, any::<u8>())), 1..6);
    let keys = || prop::collection::vec(any::<u8>(), 1..12);
    prop_oneof![
        4 => (changes, any::<bool>()).prop_map(|(changes, wait)| Step::Put(changes, wait)),
        2 => Just(Step::Begin),
        6 => (any::<usize>(), keys()).prop_map(|(which, keys)| Step::Look(which, keys)),
        2 => keys().prop_map(Step::LookToWrite),
        1 => any::<usize>().prop_map(Step::End),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn each_reader_goes_on_with_the_state_in_which_it_began(
        steps in prop::collection::vec(step(), 1..120),
        size in prop::sample::select(&SIZES),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = open(&folder, size);
        let mut readers = Vec::new();
        for step in steps {
            match step {
                Step::Put(changes, true) => put(&storage, &changes).and_then(Durability::wait).expect("a commit"),
                Step::Put(changes, false) => drop(put(&storage, &changes).expect("a commit")),
                Step::Begin => readers.push(storage.begin(Access::ReadOnly).expect("a transaction")),
                Step::LookToWrite(keys) => {
                    look(&mut *storage.begin(Access::ReadWrite).expect("a transaction"), &keys);
                }
                Step::Look(which, keys) if !readers.is_empty() => {
                    let which = which % readers.len();
                    look(&mut *readers[which], &keys);
                }
                Step::End(which) if !readers.is_empty() => drop(readers.swap_remove(which % readers.len())),
                Step::Look(..) | Step::End(_) => {}
            }
        }
    }
}

#[test]
fn readers_among_writers_find_what_a_scan_finds() {
    const WRITES: u32 = 1_500;
    for size in SIZES {
        let folder = tempfile::tempdir().expect("a folder");
        let (storage, over) = (open(&folder, size), AtomicBool::new(false));
        // Any sequence will do that visits all keys in different orders.
        let number = |at: u32, salt: u32| (at.wrapping_mul(2_654_435_761).wrapping_add(salt * 97) >> 24) as u8;
        thread::scope(|scope| {
            let (storage, over) = (&storage, &over);
            let writers: [_; 2] = [1, 2].map(|writer| {
                scope.spawn(move || {
                    for at in 0..WRITES {
                        let value = |salt| Some(number(at, salt)).filter(|value| value % 4 > 0);
                        let changes = [(number(at, writer), value(3)), (number(at, writer + 7), value(4))];
                        let committed = put(storage, &changes).expect("a commit");
                        // Some wait, so that groups are of all sizes.
                        if at % 3 == 0 {
                            committed.wait().expect("it is durable");
                        }
                    }
                })
            });
            for reader in 10..13 {
                scope.spawn(move || {
                    let mut before = storage.begin(Access::ReadOnly).expect("a transaction");
                    for at in 0.. {
                        let keys: Vec<u8> = (0..6).map(|salt| number(at, reader + salt)).collect();
                        look(&mut *before, &keys);
                        let mut now = storage.begin(Access::ReadOnly).expect("a transaction");
                        look(&mut *now, &keys);
                        look(&mut *before, &keys);
                        before = now;
                        if over.load(Ordering::Relaxed) {
                            break;
                        }
                    }
                });
            }
            let ended = writers.map(thread::ScopedJoinHandle::join);
            over.store(true, Ordering::Relaxed);
            for ended in ended {
                ended.expect("no panic");
            }
        });
    }
}
