//! What every storage must do, as cases that run over any of them.
//!
//! Hosts bring their own storages, in this language and in others. The cases say what the engine relies on; each has a
//! name, so that a suite in another language can mirror them one by one.
//!
//! A case that fails panics, as a test does: this module is called by tests alone.
//!
//! ```
//! use std::sync::Arc;
//! use usher_host::storage::{MemoryStorage, contract};
//!
//! contract::check(|| Arc::new(MemoryStorage::new()));
//! ```

use super::{Access, Change, Durability, Entry, Error, MAX_KEY_BYTES, MAX_VALUE_BYTES, Range, Storage, Transaction};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// How long one case of [`check`] may take, in seconds, before it counts as hanging: a lock that was not released, most of the time.
pub const CASE_SECONDS: u64 = 60;

/// One thing that a storage must do.
///
/// ```
/// use std::sync::Arc;
/// use usher_host::storage::{MemoryStorage, contract};
///
/// for case in contract::CASES.iter().filter(|case| case.name.contains("range")) {
///     case.run(Arc::new(MemoryStorage::new()));
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Case {
    /// What must hold, as an identifier.
    pub name: &'static str,
    run: fn(&Subject),
}

impl Case {
    /// Runs this case over an empty storage.
    ///
    /// # Panics
    /// Where the storage does not keep the contract, with what was expected of it.
    pub fn run(&self, storage: Arc<dyn Storage>) {
        let run = self.run;
        bounded(self.name, move || run(&Subject(storage)));
    }
}

/// Runs every case, each over a new storage that `empty` makes. The example of the [module](self) calls it.
///
/// # Panics
/// Where the storage does not keep the contract; the message names the case.
pub fn check(empty: impl Fn() -> Arc<dyn Storage>) {
    for case in CASES {
        case.run(empty());
    }
}

/// Checks a storage that outlives the process: what was acknowledged is found again.
///
/// `open` opens the same storage each time, an empty one at first. It is called only after what it returned before, and
/// all transactions on it, have been dropped.
///
/// # Panics
/// Where something is missing after opening again, or something is there that was never committed.
///
/// ```
/// use std::sync::Arc;
/// use usher_host::storage::{EmbeddedStorage, contract};
///
/// let folder = tempfile::tempdir()?;
/// contract::check_reopening(move || Arc::new(EmbeddedStorage::open(folder.path()).expect("it opens")));
/// # Ok::<_, std::io::Error>(())
/// ```
pub fn check_reopening(open: impl Fn() -> Arc<dyn Storage> + Send + 'static) {
    bounded("reopening_finds_what_was_acknowledged", move || {
        reopening_finds_what_was_acknowledged(open);
    });
}

macro_rules! cases {
    ($($name:ident,)*) => {
        /// All cases but those for reopening; see [`check_reopening`].
        pub const CASES: &[Case] = &[$(Case { name: stringify!($name), run: $name },)*];
    };
}

cases! {
    an_empty_storage_holds_nothing,
    answers_come_in_the_order_asked,
    keys_are_ordered_by_their_bytes,
    values_are_any_text,
    of_two_changes_of_a_key_the_later_counts,
    removing_what_is_not_there_is_no_error,
    what_was_removed_is_gone,
    a_range_has_its_start_and_not_its_end,
    an_empty_or_inverted_range_is_empty,
    bounds_need_not_be_keys,
    reverse_goes_from_the_end,
    skip_passes_over_entries,
    limit_bounds_the_answer,
    keys_only_leaves_values_out,
    a_short_answer_means_no_more,
    many_entries_can_be_passed_over,
    the_longest_key_and_value_are_kept,
    keys_outside_the_limits_are_refused,
    values_over_the_limit_are_refused,
    after_a_refused_write_nothing_is_written,
    a_key_that_cannot_be_stored_is_not_there,
    reading_after_writing_is_an_error,
    a_read_only_transaction_does_not_write,
    a_commit_without_writes_is_no_error,
    an_abandoned_transaction_leaves_nothing,
    a_transaction_may_change_threads,
    a_large_commit_is_whole,
    a_writer_sees_the_newest_state,
    an_acknowledged_write_is_seen_by_the_next_reader,
    a_snapshot_does_not_move,
    a_reader_waits_for_no_writer,
    two_writers_come_out_one_after_the_other,
    concurrent_increments_all_count,
    writers_do_not_skew,
    a_reader_sees_a_commit_whole,
}

/// How often a transaction that met a conflict is begun again before a case fails.
const ATTEMPTS: usize = 10_000;

/// The storage under test, with short ways to do what the cases do.
#[derive(Clone)]
struct Subject(Arc<dyn Storage>);

impl Subject {
    fn read(&self) -> Box<dyn Transaction> {
        self.0.begin(Access::ReadOnly).expect("a read-only transaction begins")
    }

    /// A read-write transaction, where no other is open.
    fn read_write(&self) -> Box<dyn Transaction> {
        self.0.begin(Access::ReadWrite).expect("a read-write transaction begins")
    }

    /// Reads and writes, again after each conflict, until it is durable.
    fn update(&self, work: impl Fn(&mut dyn Transaction) -> Result<Vec<Change>, Error>) {
        for _ in 0..ATTEMPTS {
            let done = self.0.begin(Access::ReadWrite).and_then(|mut transaction| {
                let changes = work(&mut *transaction)?;
                transaction.write(changes)?;
                transaction.commit()?.wait()
            });
            match done {
                Ok(()) => return,
                Err(Error::Conflict) => thread::yield_now(),
                Err(error) => panic!("an update failed: {error}"),
            }
        }
        panic!("no update got through in {ATTEMPTS} attempts");
    }

    fn put(&self, entries: &[(&str, &str)]) {
        self.update(|_| Ok(entries.iter().map(|(key, value)| set(key, value)).collect()));
    }

    fn get(&self, key: &str) -> Option<String> {
        get(&mut *self.read(), key).expect("a key is read")
    }

    fn scan(&self, range: &Range) -> Vec<Entry> {
        self.read().scan(range).expect("a range is read")
    }

    fn keys(&self, range: &Range) -> Vec<String> {
        self.scan(range).into_iter().map(|entry| entry.key).collect()
    }
}

fn set(key: &str, value: &str) -> Change {
    Change { key: key.into(), value: Some(value.into()) }
}

fn remove(key: &str) -> Change {
    Change { key: key.into(), value: None }
}

fn get(transaction: &mut dyn Transaction, key: &str) -> Result<Option<String>, Error> {
    let mut values = transaction.get_many(&[key.into()])?;
    assert_eq!(values.len(), 1, "one key was asked for");
    Ok(values.remove(0))
}

fn get_number(transaction: &mut dyn Transaction, key: &str) -> Result<u64, Error> {
    let value = get(transaction, key)?;
    Ok(value.map_or(0, |text| text.parse().expect("a number was stored")))
}

fn range(start: &str, end: &str) -> Range {
    Range { start: start.into(), end: end.into(), reverse: false, skip: 0, limit: u32::MAX, keys_only: false }
}

/// Everything that a storage can hold.
fn all() -> Range {
    range("", "\u{80}")
}

/// `n0` to `n9`, each with its digit as the value.
fn ten(storage: &Subject) {
    let keys: Vec<(String, String)> = (0..10).map(|n| (format!("n{n}"), n.to_string())).collect();
    let entries: Vec<(&str, &str)> = keys.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    storage.put(&entries);
}

/// Runs a case in a thread of its own, so that one that hangs ends in a message.
fn bounded(name: &str, run: impl FnOnce() + Send + 'static) {
    let (done, finished) = mpsc::channel::<()>();
    let case = thread::Builder::new().name(name.into()).spawn(move || {
        let _done = done;
        run();
    });
    let case = case.expect("a thread starts");
    if let Err(RecvTimeoutError::Timeout) = finished.recv_timeout(Duration::from_secs(CASE_SECONDS)) {
        panic!("{name}: no end after {CASE_SECONDS} seconds");
    }
    if let Err(payload) = case.join() {
        let text = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied())
            .unwrap_or("it panicked");
        panic!("{name}: {text}");
    }
}

fn an_empty_storage_holds_nothing(storage: &Subject) {
    assert_eq!(storage.get("a"), None);
    assert_eq!(storage.scan(&all()), []);
    let mut transaction = storage.read_write();
    assert_eq!(get(&mut *transaction, "a"), Ok(None));
    assert_eq!(transaction.scan(&all()), Ok(vec![]));
    assert_eq!(transaction.get_many(&[]), Ok(vec![]));
}

fn answers_come_in_the_order_asked(storage: &Subject) {
    storage.put(&[("a", "1"), ("b", "2"), ("c", "3")]);
    let keys = ["c", "x", "a", "b", "a"].map(String::from);
    let expected = [Some("3"), None, Some("1"), Some("2"), Some("1")];
    let expected: Vec<_> = expected.iter().map(|value| value.map(String::from)).collect();
    assert_eq!(storage.read().get_many(&keys), Ok(expected.clone()));
    assert_eq!(storage.read_write().get_many(&keys), Ok(expected));
}

fn keys_are_ordered_by_their_bytes(storage: &Subject) {
    let ordered = [
        "\0", "\u{1}", "\n", " ", "-", "/", "0", "00", "0a", "10", "2", ":", "A", "Z", "_", "a", "a\0", "a\u{1}", "a-",
        "a/", "a0", "aa", "ab", "b", "~", "\u{7f}",
    ];
    let mut shuffled: Vec<(&str, &str)> = ordered.iter().map(|key| (*key, "")).collect();
    shuffled.sort_by_key(|(key, _)| key.bytes().rev().map(u8::reverse_bits).collect::<Vec<_>>());
    storage.put(&shuffled);
    assert_eq!(storage.keys(&all()), ordered);
    let mut backwards = storage.keys(&Range { reverse: true, ..all() });
    backwards.reverse();
    assert_eq!(backwards, ordered);
}

fn values_are_any_text(storage: &Subject) {
    let values = ["", " ", "\0", "line\r\nline", "ÄÖÜ ß", "日本語", "🦀\u{10ffff}", "{\"a\":\"\\u0000\"}"];
    for value in values {
        storage.put(&[("a", value)]);
        assert_eq!(storage.get("a").as_deref(), Some(value));
        assert_eq!(storage.scan(&all()), [Entry { key: "a".into(), value: value.into() }]);
    }
}

fn of_two_changes_of_a_key_the_later_counts(storage: &Subject) {
    let mut transaction = storage.read_write();
    transaction.write(vec![set("a", "1"), set("b", "1"), set("a", "2"), remove("b")]).expect("a write");
    transaction.write(vec![remove("c"), set("a", "3"), set("c", "1")]).expect("a second write");
    transaction.commit().and_then(Durability::wait).expect("a commit");
    assert_eq!(storage.get("a").as_deref(), Some("3"));
    assert_eq!(storage.get("b"), None);
    assert_eq!(storage.get("c").as_deref(), Some("1"));
    assert_eq!(storage.keys(&all()), ["a", "c"]);
}

fn removing_what_is_not_there_is_no_error(storage: &Subject) {
    storage.update(|_| Ok(vec![remove("a"), remove("a")]));
    assert_eq!(storage.scan(&all()), []);
}

fn what_was_removed_is_gone(storage: &Subject) {
    ten(storage);
    storage.update(|_| Ok(vec![remove("n0"), remove("n4"), remove("n9")]));
    assert_eq!(storage.get("n4"), None);
    assert_eq!(storage.keys(&all()), ["n1", "n2", "n3", "n5", "n6", "n7", "n8"]);
    assert_eq!(storage.keys(&Range { skip: 3, limit: 1, ..all() }), ["n5"]);
    storage.put(&[("n4", "again")]);
    assert_eq!(storage.get("n4").as_deref(), Some("again"));
}

fn a_range_has_its_start_and_not_its_end(storage: &Subject) {
    ten(storage);
    assert_eq!(storage.keys(&range("n2", "n5")), ["n2", "n3", "n4"]);
    assert_eq!(storage.keys(&Range { reverse: true, ..range("n2", "n5") }), ["n4", "n3", "n2"]);
    assert_eq!(storage.keys(&range("n2", "n2\0")), ["n2"]);
}

fn an_empty_or_inverted_range_is_empty(storage: &Subject) {
    ten(storage);
    for (start, end) in [("n2", "n2"), ("n5", "n2"), ("", ""), ("n", ""), ("~", "n"), ("x", "y")] {
        for reverse in [false, true] {
            assert_eq!(storage.scan(&Range { reverse, ..range(start, end) }), [], "{start:?}..{end:?}");
        }
    }
}

fn bounds_need_not_be_keys(storage: &Subject) {
    ten(storage);
    let long = "n".repeat(2 * MAX_KEY_BYTES);
    assert_eq!(storage.keys(&range("", "n1")), ["n0"]);
    assert_eq!(storage.keys(&range("n8x", "ö")), ["n9"]);
    assert_eq!(storage.keys(&range("n5", &long)).len(), 5);
    assert_eq!(storage.scan(&range(&long, "~")), []);
    assert_eq!(storage.keys(&range("", &format!("o{long}"))).len(), 10);
    assert_eq!(storage.keys(&range(&format!("n8{long}"), "~")), ["n9"]);
}

fn reverse_goes_from_the_end(storage: &Subject) {
    ten(storage);
    let reverse = |skip, limit| storage.keys(&Range { reverse: true, skip, limit, ..all() });
    assert_eq!(reverse(0, 3), ["n9", "n8", "n7"]);
    assert_eq!(reverse(2, 3), ["n7", "n6", "n5"]);
    assert_eq!(reverse(8, 3), ["n1", "n0"]);
}

fn skip_passes_over_entries(storage: &Subject) {
    ten(storage);
    let from = |skip| storage.keys(&Range { skip, ..range("n1", "n9") });
    assert_eq!(from(0)[0], "n1");
    assert_eq!(from(5), ["n6", "n7", "n8"]);
    assert!(from(8).is_empty());
    assert!(from(u32::MAX).is_empty());
}

fn limit_bounds_the_answer(storage: &Subject) {
    ten(storage);
    for limit in [0, 1, 9, 10, 11] {
        for reverse in [false, true] {
            let found = storage.scan(&Range { limit, reverse, ..all() });
            assert_eq!(found.len(), limit.min(10) as usize);
        }
    }
}

fn keys_only_leaves_values_out(storage: &Subject) {
    ten(storage);
    let found = storage.scan(&Range { keys_only: true, limit: 2, ..all() });
    let expected = ["n0", "n1"].map(|key| Entry { key: key.into(), value: String::new() });
    assert_eq!(found, expected);
    let found = storage.scan(&Range { limit: 1, reverse: true, ..all() });
    assert_eq!(found, [Entry { key: "n9".into(), value: "9".into() }]);
}

fn a_short_answer_means_no_more(storage: &Subject) {
    storage.update(|_| Ok((0..1_000).map(|n| set(&format!("{n:04}"), &"v".repeat(n))).collect()));
    let (mut start, mut seen) = (String::new(), Vec::new());
    loop {
        let page = storage.scan(&Range { limit: 64, ..range(&start, "~") });
        assert!(page.iter().all(|entry| entry.value.len() == entry.key.parse().unwrap_or(usize::MAX)));
        let short = page.len() < 64;
        seen.extend(page.into_iter().map(|entry| entry.key));
        if short {
            break;
        }
        start = seen.last().map_or_else(String::new, |key| format!("{key}\0"));
    }
    assert_eq!(seen.len(), 1_000);
    assert!(seen.is_sorted());
}

fn many_entries_can_be_passed_over(storage: &Subject) {
    for chunk in 0..10 {
        let numbers = chunk * 2_000..(chunk + 1) * 2_000;
        storage.update(|_| Ok(numbers.clone().map(|n| set(&format!("{n:06}"), "")).collect()));
    }
    let at = |skip, reverse| storage.keys(&Range { skip, reverse, limit: 1, keys_only: true, ..all() });
    assert_eq!(at(19_999, false), ["019999"]);
    assert_eq!(at(19_998, true), ["000001"]);
    assert!(at(20_000, false).is_empty());
}

fn the_longest_key_and_value_are_kept(storage: &Subject) {
    let key = "k".repeat(MAX_KEY_BYTES);
    // Not all alike, so that no compression makes it short.
    let value: String = (0..MAX_VALUE_BYTES as u64)
        .map(|n| char::from(b'!' + n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes()[4] % 94))
        .collect();
    storage.put(&[(&key, &value)]);
    assert!(storage.get(&key).as_ref() == Some(&value), "the longest value comes back as it was");
    let found = storage.scan(&all());
    assert!(found == [Entry { key, value }], "and in a scan");
}

fn keys_outside_the_limits_are_refused(storage: &Subject) {
    let long = "k".repeat(MAX_KEY_BYTES + 1);
    for key in ["", &long, "ä", "a\u{80}"] {
        for change in [set(key, "v"), remove(key)] {
            let mut transaction = storage.read_write();
            let refused = transaction.write(vec![set("a", "1"), change]);
            assert!(matches!(refused, Err(Error::TooLarge(_))), "{key:?}: {refused:?}");
        }
    }
    assert_eq!(storage.scan(&all()), []);
}

fn values_over_the_limit_are_refused(storage: &Subject) {
    let mut transaction = storage.read_write();
    let refused = transaction.write(vec![set("a", &"v".repeat(MAX_VALUE_BYTES + 1))]);
    assert!(matches!(refused, Err(Error::TooLarge(_))), "{:?}", refused.map_err(|error| error.to_string()));
    // Limits count bytes, not characters.
    let mut transaction = {
        drop(transaction);
        storage.read_write()
    };
    let refused = transaction.write(vec![set("a", &"ä".repeat(MAX_VALUE_BYTES / 2 + 1))]);
    assert!(matches!(refused, Err(Error::TooLarge(_))));
    drop(transaction);
    assert_eq!(storage.scan(&all()), []);
}

fn after_a_refused_write_nothing_is_written(storage: &Subject) {
    let mut transaction = storage.read_write();
    transaction.write(vec![set("a", "1")]).expect("a write within the limits");
    transaction.write(vec![set("b", "1"), set("", "1")]).expect_err("a key that is empty");
    let committed = transaction.commit().and_then(Durability::wait);
    assert!(matches!(committed, Err(Error::TooLarge(_))), "{committed:?}");
    assert_eq!(storage.scan(&all()), []);
    storage.put(&[("c", "1")]);
    assert_eq!(storage.keys(&all()), ["c"]);
}

fn a_key_that_cannot_be_stored_is_not_there(storage: &Subject) {
    let keys = ["", "ä", &"k".repeat(100 * MAX_KEY_BYTES)].map(String::from);
    assert_eq!(storage.read().get_many(&keys), Ok(vec![None, None, None]));
}

fn reading_after_writing_is_an_error(storage: &Subject) {
    storage.put(&[("a", "1")]);
    let mut transaction = storage.read_write();
    assert_eq!(get(&mut *transaction, "a"), Ok(Some("1".into())));
    transaction.write(vec![]).expect("a write of nothing is a write");
    let read = transaction.get_many(&["a".into()]);
    assert!(matches!(read, Err(Error::Other(_))), "{read:?}");
    let read = transaction.scan(&all());
    assert!(matches!(read, Err(Error::Other(_))), "{read:?}");
}

fn a_read_only_transaction_does_not_write(storage: &Subject) {
    let mut transaction = storage.read();
    let written = transaction.write(vec![set("a", "1")]);
    assert!(matches!(written, Err(Error::Other(_))), "{written:?}");
    transaction.commit().map(drop).expect_err("a commit after a refused write");
    assert_eq!(storage.scan(&all()), []);
}

fn a_commit_without_writes_is_no_error(storage: &Subject) {
    storage.put(&[("a", "1")]);
    for access in [Access::ReadOnly, Access::ReadWrite] {
        let mut transaction = storage.0.begin(access).expect("a transaction");
        assert_eq!(get(&mut *transaction, "a"), Ok(Some("1".into())));
        assert_eq!(transaction.commit().and_then(Durability::wait), Ok(()));
    }
    assert_eq!(storage.keys(&all()), ["a"]);
}

fn an_abandoned_transaction_leaves_nothing(storage: &Subject) {
    storage.put(&[("a", "1")]);
    for _ in 0..10 {
        let mut transaction = storage.read_write();
        transaction.write(vec![set("a", "2"), set("b", "2")]).expect("a write");
        drop(transaction);
        let mut other = storage.read_write();
        assert_eq!(get(&mut *other, "a"), Ok(Some("1".into())));
        assert_eq!(other.commit().and_then(Durability::wait), Ok(()));
    }
    // One that a panic abandons, on a thread that ends with it.
    let abandoning = storage.clone();
    let ended = thread::spawn(move || {
        let mut transaction = abandoning.read_write();
        transaction.write(vec![remove("a")]).expect("a write");
        std::panic::resume_unwind(Box::new(()));
    });
    ended.join().expect_err("the thread was to end in a panic");
    assert_eq!(storage.scan(&all()), [Entry { key: "a".into(), value: "1".into() }]);
    storage.put(&[("a", "3")]);
}

fn a_transaction_may_change_threads(storage: &Subject) {
    let mut transaction = storage.read_write();
    let transaction = thread::spawn(move || {
        transaction.write(vec![set("a", "1")]).expect("a write on another thread");
        transaction
    });
    let transaction = transaction.join().expect("no panic");
    let durability = thread::spawn(move || transaction.commit()).join().expect("no panic");
    assert_eq!(durability.and_then(Durability::wait), Ok(()));
    assert_eq!(storage.get("a").as_deref(), Some("1"));
    let abandoned = storage.read_write();
    thread::spawn(move || drop(abandoned)).join().expect("no panic");
    storage.put(&[("a", "2")]);
}

fn a_large_commit_is_whole(storage: &Subject) {
    let changes: Vec<Change> = (0..20_000).map(|n| set(&format!("{n:06}"), &"v".repeat(200))).collect();
    storage.update(|_| Ok(changes.clone()));
    assert_eq!(storage.scan(&Range { keys_only: true, ..all() }).len(), 20_000);
    storage.update(|_| Ok(changes.iter().map(|change| remove(&change.key)).collect()));
    assert_eq!(storage.scan(&all()), []);
}

fn a_writer_sees_the_newest_state(storage: &Subject) {
    let mut pending = Vec::new();
    for n in 0..200 {
        let mut transaction = storage.read_write();
        assert_eq!(get_number(&mut *transaction, "n"), Ok(n));
        transaction.write(vec![set("n", &(n + 1).to_string())]).expect("a write");
        // Not waited for: the next transaction must see it all the same.
        pending.push(transaction.commit().expect("a commit"));
    }
    for durability in pending {
        assert_eq!(durability.wait(), Ok(()));
    }
    assert_eq!(storage.get("n").as_deref(), Some("200"));
}

fn an_acknowledged_write_is_seen_by_the_next_reader(storage: &Subject) {
    let noise = Arc::new(AtomicBool::new(true));
    let noisy = {
        let (storage, noise) = (storage.clone(), noise.clone());
        thread::spawn(move || {
            while noise.load(Ordering::Relaxed) {
                storage.put(&[("noise", "1")]);
            }
        })
    };
    for n in 0..300 {
        let value = n.to_string();
        storage.put(&[("a", &value)]);
        assert_eq!(storage.get("a"), Some(value));
    }
    noise.store(false, Ordering::Relaxed);
    noisy.join().expect("no panic");
}

fn a_snapshot_does_not_move(storage: &Subject) {
    ten(storage);
    let mut before = storage.read();
    let expected = before.scan(&all()).expect("a scan");
    storage.update(|_| Ok(vec![remove("n0"), set("n1", "changed"), set("n1x", "new")]));
    for n in 0..2_000 {
        let key = format!("o{}", n % 100);
        storage
            .0
            .begin(Access::ReadWrite)
            .and_then(|mut transaction| {
                transaction.write(vec![set(&key, &"v".repeat(500))])?;
                transaction.commit().map(drop)
            })
            .expect("a commit");
    }
    assert_eq!(get(&mut *before, "n0"), Ok(Some("0".into())));
    assert_eq!(get(&mut *before, "n1x"), Ok(None));
    assert_eq!(before.scan(&all()), Ok(expected));
    assert_eq!(storage.get("n1").as_deref(), Some("changed"));
}

fn a_reader_waits_for_no_writer(storage: &Subject) {
    storage.put(&[("a", "1")]);
    let mut writer = storage.read_write();
    writer.write(vec![set("a", "2")]).expect("a write");
    assert_eq!(storage.get("a").as_deref(), Some("1"), "what is not committed is not seen");
    writer.commit().and_then(Durability::wait).expect("a commit");
    assert_eq!(storage.get("a").as_deref(), Some("2"));
}

fn two_writers_come_out_one_after_the_other(storage: &Subject) {
    storage.put(&[("a", "0")]);
    let mut first = storage.read_write();
    assert_eq!(get_number(&mut *first, "a"), Ok(0));
    let (other, began) = (storage.clone(), mpsc::channel());
    let second = thread::spawn(move || {
        began.0.send(()).expect("the case listens");
        let mut transaction = other.0.begin(Access::ReadWrite)?;
        let number = get_number(&mut *transaction, "a")?;
        transaction.write(vec![set("a", &(number + 10).to_string())])?;
        transaction.commit()?.wait()
    });
    began.1.recv().expect("the other thread runs");
    // Time to begin, where the storage does not make it wait.
    thread::sleep(Duration::from_millis(50));
    first.write(vec![set("a", "1")]).expect("a write");
    let first = first.commit().and_then(Durability::wait);
    let second = second.join().expect("no panic");
    let expected = match (&first, &second) {
        (Ok(()), Ok(())) => "11",
        (Ok(()), Err(Error::Conflict)) => "1",
        (Err(Error::Conflict), Ok(())) => "10",
        other => {
            panic!("one of two writers must get through, the other too or in conflict: {other:?}")
        }
    };
    assert_eq!(storage.get("a").as_deref(), Some(expected));
}

fn concurrent_increments_all_count(storage: &Subject) {
    const THREADS: u64 = 8;
    const EACH: u64 = 100;
    let threads: Vec<_> = (0..THREADS)
        .map(|id| {
            let storage = storage.clone();
            thread::spawn(move || {
                for _ in 0..EACH {
                    storage.update(|transaction| {
                        let own = format!("own{id}");
                        let (sum, count) = (get_number(transaction, "sum")?, get_number(transaction, &own)?);
                        Ok(vec![set("sum", &(sum + 1).to_string()), set(&own, &(count + 1).to_string())])
                    });
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
    assert_eq!(storage.get("sum"), Some((THREADS * EACH).to_string()));
    for id in 0..THREADS {
        assert_eq!(storage.get(&format!("own{id}")), Some(EACH.to_string()));
    }
}

fn writers_do_not_skew(storage: &Subject) {
    // Each takes from its own key only while both together hold enough: as if one after the other, the sum stays >= 0.
    storage.put(&[("x", "50"), ("y", "50")]);
    let threads: Vec<_> = ["x", "y", "x", "y"]
        .into_iter()
        .map(|own| {
            let storage = storage.clone();
            thread::spawn(move || {
                for _ in 0..50 {
                    storage.update(|transaction| {
                        let held = transaction.scan(&range("x", "z"))?;
                        let held: i64 = held.iter().map(|entry| entry.value.parse().unwrap_or(i64::MIN)).sum();
                        let mine = get(transaction, own)?.and_then(|value| value.parse::<i64>().ok());
                        let mine = mine.unwrap_or(i64::MIN);
                        Ok(if held > 0 { vec![set(own, &(mine - 1).to_string())] } else { vec![] })
                    });
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
    let held = storage.scan(&range("x", "z"));
    let held: i64 = held.iter().filter_map(|entry| entry.value.parse::<i64>().ok()).sum();
    assert_eq!(held, 0);
}

fn a_reader_sees_a_commit_whole(storage: &Subject) {
    storage.put(&[("a", "0"), ("z", "0")]);
    let writing = Arc::new(AtomicBool::new(true));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (storage, writing) = (storage.clone(), writing.clone());
            thread::spawn(move || {
                let mut last = 0;
                while writing.load(Ordering::Relaxed) {
                    let mut transaction = storage.read();
                    let a = get_number(&mut *transaction, "a").expect("a read");
                    let z = get_number(&mut *transaction, "z").expect("a read");
                    let both = transaction.scan(&all()).expect("a scan");
                    assert_eq!(a, z, "half a commit was seen");
                    assert!(both.iter().all(|entry| entry.value == a.to_string()));
                    assert!(a >= last, "a later reader saw an earlier state");
                    last = a;
                }
            })
        })
        .collect();
    for n in 1..=500 {
        let n = n.to_string();
        storage.put(&[("a", &n), ("z", &n)]);
    }
    writing.store(false, Ordering::Relaxed);
    for reader in readers {
        reader.join().expect("no panic");
    }
}

fn reopening_finds_what_was_acknowledged(open: impl Fn() -> Arc<dyn Storage>) {
    for round in 0..5 {
        let storage = Subject(open());
        let mut expected: Vec<String> = (0..round * 100).filter(|n| n % 10 != 0).map(|n| format!("{n:04}")).collect();
        if round > 0 {
            expected.push("round".into());
            assert_eq!(storage.get("round"), Some((round - 1).to_string()));
        }
        assert_eq!(storage.keys(&all()), expected);
        let mut pending = Vec::new();
        for n in round * 100..(round + 1) * 100 {
            let mut transaction = storage.read_write();
            transaction.write(vec![set(&format!("{n:04}"), &"v".repeat(n))]).expect("a write");
            pending.push(transaction.commit().expect("a commit"));
        }
        let removed = (round * 100..(round + 1) * 100).filter(|n| n % 10 == 0);
        let mut changes: Vec<Change> = removed.map(|n| remove(&format!("{n:04}"))).collect();
        changes.push(set("round", &round.to_string()));
        storage.update(|_| Ok(changes.clone()));
        for durability in pending {
            assert_eq!(durability.wait(), Ok(()));
        }
        let mut abandoned = storage.read_write();
        abandoned.write(vec![set("abandoned", "")]).expect("a write");
    }
}
