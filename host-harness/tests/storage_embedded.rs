//! The embedded storage and its folder: who may open it, and what happens to one that is damaged.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use usher_host::storage::{Access, Change, EmbeddedOptions, EmbeddedStorage, Error, OpenError, Range, Storage};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn open(folder: &Path) -> Result<EmbeddedStorage, OpenError> {
    EmbeddedStorage::open(folder)
}

/// What opening is refused for. The storage itself has nothing to print.
fn refused(folder: &Path) -> OpenError {
    open(folder).map(drop).expect_err("opening is refused")
}

fn put(storage: &dyn Storage, key: &str, value: &str) -> Result<(), Error> {
    let mut transaction = storage.begin(Access::ReadWrite)?;
    let (key, value) = (key.into(), Some(value.into()));
    transaction.write(vec![Change { key, value }])?;
    transaction.commit()?.wait()
}

fn keys(storage: &dyn Storage) -> Result<Vec<String>, Error> {
    let range = Range {
        start: String::new(),
        end: "\u{80}".into(),
        reverse: false,
        skip: 0,
        limit: u32::MAX,
        keys_only: false,
    };
    let entries = storage.begin(Access::ReadOnly)?.scan(&range)?;
    Ok(entries.into_iter().map(|entry| entry.key).collect())
}

/// The files of the engine with this extension, or without any.
fn files(folder: &Path, extension: Option<&str>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().and_then(|found| found.to_str()) == extension {
            found.push(path);
        }
    }
    found
}

#[test]
fn one_folder_is_open_once() {
    let folder = folder();
    let first = open(folder.path()).expect("a storage");
    let error = refused(folder.path());
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("in use by another process"), "{error}");
    // A transaction keeps it open.
    let reader = first.begin(Access::ReadOnly).expect("a transaction");
    drop(first);
    assert!(matches!(refused(folder.path()), OpenError::Locked { .. }));
    drop(reader);
    open(folder.path()).expect("a folder that is free again");
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let folder = folder();
    fs::write(folder.path().join("letter.txt"), "dear").expect("a file");
    let error = refused(folder.path());
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

#[test]
fn a_folder_of_another_version_is_left_alone() {
    let folder = folder();
    drop(open(folder.path()).expect("a storage"));
    let format = folder.path().join("format");
    assert_eq!(fs::read_to_string(&format).expect("a format"), "usher embedded storage 1\n");
    fs::write(&format, "usher embedded storage 2\n").expect("a format");
    let error = refused(folder.path());
    assert!(matches!(&error, OpenError::Version { version, .. } if version == "2"), "{error}");
    for other in [&b"mysql 8"[..], b"", b"\xff\xfe"] {
        fs::write(&format, other).expect("a format");
        let error = refused(folder.path());
        assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
    }
}

#[test]
fn folders_are_made_and_a_start_that_was_cut_short_is_gone_over() {
    let folder = folder();
    let deep = folder.path().join("var/lib/usher");
    fs::create_dir_all(&deep).expect("a folder");
    fs::write(deep.join("lock"), "").expect("a file");
    fs::write(deep.join("format.new"), "usher emb").expect("a file");
    put(&open(&deep).expect("a storage"), "a", "1").expect("a write");
    assert_eq!(keys(&open(&deep).expect("a storage")), Ok(vec!["a".into()]));
}

#[test]
fn a_file_where_the_folder_should_be_is_an_error() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "").expect("a file");
    assert!(matches!(refused(&file), OpenError::Io { .. }));
}

/// The engine's journal: a small store has one.
fn journal(folder: &Path) -> PathBuf {
    let mut journals = files(folder, Some("jnl"));
    assert_eq!(journals.len(), 1);
    journals.remove(0)
}

/// What a loss of power leaves of the last write: any part of it.
#[test]
fn a_torn_last_write_is_dropped_and_what_came_before_is_there() {
    let template = folder();
    {
        let storage = open(template.path()).expect("a storage");
        for n in 0..20 {
            put(&storage, &format!("whole{n:02}"), &"v".repeat(300)).expect("a write");
        }
    }
    let before = end(&fs::read(journal(template.path())).expect("a journal"));
    // Where the power fails, nobody can have written the mark since.
    let mark = fs::read(template.path().join("mark")).expect("a mark");
    {
        let storage = open(template.path()).expect("a storage");
        let mut transaction = storage.begin(Access::ReadWrite).expect("a transaction");
        let torn = (0..8).map(|n| Change { key: format!("torn{n}"), value: Some("t".repeat(900)) });
        transaction.write(torn.collect()).expect("a write");
        transaction.commit().expect("a commit").wait().expect("a flush");
    }
    let bytes = fs::read(journal(template.path())).expect("a journal");
    let written = end(&bytes);
    assert!(written > before + 7_200, "the last write is in the journal");
    // What comes first in a batch are lengths, which half of a write may leave of any size.
    let lengths = before..before + 40;
    for cut in lengths.chain((before..written).step_by(611)) {
        for length in [cut, bytes.len()] {
            let copy = folder();
            copy_all(template.path(), copy.path());
            let mut torn = bytes.clone();
            torn[cut..].fill(0);
            torn.truncate(length);
            fs::write(journal(copy.path()), torn).expect("a journal");
            fs::write(copy.path().join("mark"), &mark).expect("a mark");
            let storage = open(copy.path()).expect("a torn journal opens");
            let found = keys(&storage).expect("a scan");
            assert_eq!(found.len(), 20, "cut at {cut} of {before}..{written}: {found:?}");
            assert!(found.iter().all(|key| key.starts_with("whole")));
            put(&storage, "after", "1").expect("a write");
            drop(storage);
            let found = keys(&open(copy.path()).expect("a storage")).expect("a scan");
            assert_eq!(found.len(), 21);
        }
    }
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder") {
        let from = entry.expect("an entry").path();
        let to = to.join(from.file_name().expect("a name"));
        if from.is_dir() {
            fs::create_dir_all(&to).expect("a folder");
            copy_all(&from, &to);
        } else {
            // A journal is mostly a hole.
            let bytes = fs::read(&from).expect("a file");
            fs::write(&to, &bytes[..end(&bytes)]).expect("a copy");
            let copy = fs::File::options().write(true).open(&to).expect("a copy");
            copy.set_len(bytes.len() as u64).expect("the same length");
        }
    }
}

/// Where the zeros that end a file begin.
fn end(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

/// A byte of any table turned round: an error or the right answer, never a panic and never a wrong value.
#[test]
fn damage_is_an_error_and_never_a_wrong_answer() {
    let template = folder();
    let options = EmbeddedOptions { cache_bytes: 1 << 20, write_buffer_bytes: 8 << 10, ..EmbeddedOptions::default() };
    let value = |key: &str| format!("{key} ").repeat(20);
    {
        let storage = EmbeddedStorage::open_with(template.path(), &options).expect("a storage");
        for n in 0..200 {
            let key = format!("k{n:04}");
            put(&storage, &key, &value(&key)).expect("a write");
        }
    }
    let entries = template.path().join("entries");
    let (mut refusals, mut failures, mut right) = (0, 0, 0);
    for table in files(&entries.join("keyspaces"), None) {
        let bytes = fs::read(&table).expect("a file");
        for part in 0..5 {
            let copy = folder();
            copy_all(template.path(), copy.path());
            let at = (bytes.len() - 1) * part / 4;
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xff;
            let path = table.strip_prefix(template.path()).expect("a file in it");
            fs::write(copy.path().join(path), damaged).expect("a file");
            let Ok(storage) = EmbeddedStorage::open_with(copy.path(), &options) else {
                refusals += 1;
                continue;
            };
            let mut transaction = storage.begin(Access::ReadOnly).expect("a transaction");
            for n in 0..200 {
                let key = format!("k{n:04}");
                match transaction.get_many(std::slice::from_ref(&key)) {
                    Ok(found) if found == [Some(value(&key))] => right += 1,
                    Ok(found) => panic!("{path:?} at {at}: {key} is {found:?}"),
                    Err(_) => failures += 1,
                }
            }
        }
    }
    println!("{refusals} refusals to open, {failures} failed reads, {right} right answers");
    assert!(refusals > 0 && failures > 0 && right > 0);
}

/// A byte of an acknowledged write turned round in the journal: the store does not open, rather than open without it.
#[test]
fn damage_to_what_is_only_in_the_journal_is_an_error() {
    let template = folder();
    let value = |n: u64| format!("value {n} ").repeat(3);
    {
        let storage = open(template.path()).expect("a storage");
        for n in 0..6 {
            put(&storage, &format!("k{n}"), &value(n)).expect("a write");
        }
    }
    let bytes = fs::read(journal(template.path())).expect("a journal");
    // The last write may have been cut short: what is wrong with it is no damage.
    let acknowledged = end(&bytes) * 5 / 6 - 8;
    let mut refusals = 0;
    for at in (0..acknowledged).step_by(5) {
        let copy = folder();
        copy_all(template.path(), copy.path());
        let mut damaged = bytes[..end(&bytes)].to_vec();
        damaged[at] ^= 0xff;
        fs::write(journal(copy.path()), damaged).expect("a journal");
        match open(copy.path()) {
            Ok(storage) => {
                let mut transaction = storage.begin(Access::ReadOnly).expect("a transaction");
                for n in 0..6 {
                    let found = transaction.get_many(&[format!("k{n}")]);
                    assert_eq!(found, Ok(vec![Some(value(n))]), "byte {at}");
                }
            }
            Err(error) => {
                assert!(matches!(error, OpenError::Damaged { .. }), "byte {at}: {error}");
                refusals += 1;
            }
        }
    }
    assert!(refusals > 0);
}

/// A store with tables and a journal, closed, and its keys.
fn filled(options: &EmbeddedOptions) -> (TempDir, Vec<String>) {
    let template = folder();
    let storage = EmbeddedStorage::open_with(template.path(), options).expect("a storage");
    for n in 0..300 {
        put(&storage, &format!("k{n:04}"), &"v".repeat(300)).expect("a write");
    }
    let found = keys(&storage).expect("a scan");
    assert_eq!(found.len(), 300);
    drop(storage);
    (template, found)
}

/// Everything below a folder, itself included, relative to where it began.
fn everything(below: &Path) -> Vec<PathBuf> {
    let mut found = vec![below.to_owned()];
    if below.is_dir() {
        for entry in fs::read_dir(below).expect("a folder") {
            found.extend(everything(&entry.expect("an entry").path()));
        }
    }
    found
}

fn remove(path: &Path) {
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("it is removed");
}

#[test]
fn a_folder_in_which_something_is_missing_is_refused_or_whole() {
    let options = EmbeddedOptions { write_buffer_bytes: 8 << 10, ..EmbeddedOptions::default() };
    let (template, expected) = filled(&options);
    let mut refusals = 0;
    for path in everything(&template.path().join("entries")) {
        let path = path.strip_prefix(template.path()).expect("a path in it");
        let copy = folder();
        copy_all(template.path(), copy.path());
        remove(&copy.path().join(path));
        let left = everything(copy.path());
        match EmbeddedStorage::open_with(copy.path(), &options) {
            Ok(storage) => assert_eq!(keys(&storage).as_ref(), Ok(&expected), "without {path:?}"),
            Err(error) => {
                refusals += 1;
                // But for lists of tables that others have replaced, which the engine removes when it opens a tree.
                let lists = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('v'));
                let lost: Vec<_> = left.iter().filter(|path| !path.exists() && !lists(path)).collect();
                assert!(lost.is_empty(), "without {path:?} more is lost, {lost:?}: {error}");
                // What was put back is all that was missing.
                copy_back(template.path(), copy.path(), path);
                let storage = EmbeddedStorage::open_with(copy.path(), &options).expect("it is whole again");
                assert_eq!(keys(&storage).as_ref(), Ok(&expected), "with {path:?} again");
            }
        }
    }
    assert!(refusals > 5);
    for (path, named) in [
        ("entries", "entries"),
        ("entries/0.jnl", "0.jnl"),
        ("entries/version", "version"),
        ("entries/keyspaces/0/current", "keyspaces/0/current"),
        ("entries/keyspaces/1/current", "keyspaces/1/current"),
        ("entries/keyspaces/1/tables", "tables"),
    ] {
        let copy = folder();
        copy_all(template.path(), copy.path());
        remove(&copy.path().join(path));
        let error = EmbeddedStorage::open_with(copy.path(), &options).map(drop).expect_err(path);
        assert!(error.to_string().contains(named), "without {path}: {error}");
    }
}

fn copy_back(from: &Path, to: &Path, path: &Path) {
    let (from, to) = (from.join(path), to.join(path));
    if from.is_dir() {
        fs::create_dir_all(&to).expect("a folder");
        copy_all(&from, &to);
    } else {
        fs::copy(from, to).expect("a copy");
    }
}

/// As after a crash, the journal ends too soon; but what is missing had been acknowledged long before.
#[test]
fn a_journal_that_was_cut_is_refused() {
    let (template, expected) = filled(&EmbeddedOptions::default());
    let bytes = fs::read(journal(template.path())).expect("a journal");
    let written = end(&bytes);
    for (kept, length) in [(written / 2, bytes.len()), (written / 2, written / 2), (written - 1, written - 1), (0, 0)] {
        let copy = folder();
        copy_all(template.path(), copy.path());
        let mut cut = bytes.clone();
        cut[kept..].fill(0);
        cut.truncate(length);
        fs::write(journal(copy.path()), cut).expect("a journal");
        let error = refused(copy.path());
        assert!(matches!(&error, OpenError::Incomplete { .. }), "{error}");
        assert!(error.to_string().contains("0.jnl holds"), "{error}");
        // As the error says: what is left can be had.
        fs::remove_file(copy.path().join("mark")).expect("a mark");
        let left = keys(&open(copy.path()).expect("it opens")).expect("a scan");
        assert!(left.len() < expected.len() && expected.starts_with(&left));
    }
}

/// Within the time that is promised, also where the process is killed: the copy is what it leaves.
#[test]
fn a_cut_is_told_from_a_torn_end_once_the_mark_has_caught_up() {
    let folder = folder();
    let storage = open(folder.path()).expect("a storage");
    put(&storage, "a", "1").expect("a write");
    put(&storage, "b", "1").expect("a write");
    thread::sleep(usher_host::storage::MARKED_WITHIN + Duration::from_secs(1));
    let copy = self::folder();
    copy_all(folder.path(), copy.path());
    let bytes = fs::read(journal(copy.path())).expect("a journal");
    fs::write(journal(copy.path()), &bytes[..end(&bytes) - 1]).expect("a journal");
    let error = refused(copy.path());
    assert!(matches!(&error, OpenError::Incomplete { .. }), "{error}");
}

#[test]
fn a_mark_that_is_no_mark_is_refused_and_a_folder_without_one_gets_one() {
    let (template, expected) = filled(&EmbeddedOptions::default());
    let mark = template.path().join("mark");
    fs::write(&mark, "usher").expect("a file");
    let error = refused(template.path());
    assert!(error.to_string().contains("remove the file `mark`"), "{error}");
    fs::remove_file(&mark).expect("it is removed");
    assert_eq!(keys(&open(template.path()).expect("it opens")).as_ref(), Ok(&expected));
    assert!(mark.exists());
}

#[test]
fn a_first_start_that_was_cut_short_in_the_engine_is_gone_over() {
    let folder = folder();
    drop(open(folder.path()).expect("a storage"));
    fs::remove_file(folder.path().join("mark")).expect("a mark");
    let entries = folder.path().join("entries");
    fs::remove_file(entries.join("version")).expect("a file");
    fs::remove_dir_all(entries.join("keyspaces")).expect("a folder");
    fs::create_dir(entries.join("keyspaces")).expect("a folder");
    put(&open(folder.path()).expect("it opens"), "a", "1").expect("a write");
    // But nothing that holds something is taken for that.
    fs::remove_file(folder.path().join("mark")).expect("a mark");
    fs::remove_file(entries.join("version")).expect("a file");
    let error = refused(folder.path());
    assert!(error.to_string().contains("version"), "{error}");
}

#[cfg(unix)]
#[test]
fn nobody_but_the_owner_can_reach_what_is_stored() {
    use std::os::unix::fs::PermissionsExt;
    let (template, _) = filled(&EmbeddedOptions { write_buffer_bytes: 8 << 10, ..EmbeddedOptions::default() });
    let paths = everything(template.path());
    for path in &paths {
        let mode = if path.is_dir() { 0o755 } else { 0o644 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("they are changed");
    }
    let storage = open(template.path()).expect("it opens");
    for path in paths.iter().filter(|path| path.exists()) {
        let mode = fs::metadata(path).expect("it is there").permissions().mode();
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode & 0o777, wanted, "{path:?}");
    }
    drop(storage);
    let linked = folder();
    let (there, link) = (linked.path().join("there"), linked.path().join("link"));
    fs::create_dir(&there).expect("a folder");
    fs::set_permissions(&there, fs::Permissions::from_mode(0o755)).expect("they are changed");
    std::os::unix::fs::symlink(&there, &link).expect("a link");
    drop(open(&link).expect("it opens"));
    assert_eq!(fs::metadata(&there).expect("it is there").permissions().mode() & 0o777, 0o700);
    let made = folder();
    let deep = made.path().join("a/b");
    drop(open(&deep).expect("it opens"));
    assert_eq!(fs::metadata(&deep).expect("it is there").permissions().mode() & 0o777, 0o700);
}

/// Whether any file below a folder has these bytes in it.
fn found_in_files(folder: &Path, bytes: &[u8]) -> bool {
    everything(folder).iter().any(|path| {
        // What is not there any more has nothing in it.
        fs::read(path).is_ok_and(|content| content.windows(bytes.len()).any(|window| window == bytes))
    })
}

#[test]
fn what_was_removed_is_out_of_the_files_within_the_time_that_is_set() {
    let folder = folder();
    let options = EmbeddedOptions { write_buffer_bytes: 64 << 10, ..EmbeddedOptions::default() };
    let (in_journal, in_table) = ("zelda.quist@example.com", "ximena.young@example.org");
    let addresses = [in_journal, in_table];
    let write = |storage: &dyn Storage, changes: Vec<(String, Option<&str>)>| {
        let mut transaction = storage.begin(Access::ReadWrite).expect("a transaction");
        let changes = changes.into_iter().map(|(key, value)| Change { key, value: value.map(String::from) });
        transaction.write(changes.collect()).expect("a write");
        transaction.commit().expect("a commit").wait().expect("it is durable");
    };
    {
        let storage = EmbeddedStorage::open_with(folder.path(), &options).expect("a storage");
        let text = "v".repeat(300);
        let mut changes = vec![("t".to_owned(), Some(in_table))];
        changes.extend((0..1_000).map(|n| (format!("k{n:04}"), Some(text.as_str()))));
        write(&storage, changes);
        write(&storage, vec![("j".into(), Some(in_journal))]);
        write(&storage, vec![("j".into(), None), ("t".into(), Some("erased"))]);
    }
    for address in addresses {
        assert!(
            found_in_files(folder.path(), address.as_bytes()),
            "{address} is stored in clear, and a day has not gone by"
        );
    }
    let options = EmbeddedOptions { erased_within: Duration::from_secs(1), ..options };
    let storage = EmbeddedStorage::open_with(folder.path(), &options).expect("a storage");
    let began = Instant::now();
    for address in addresses {
        while found_in_files(folder.path(), address.as_bytes()) {
            assert!(began.elapsed() < Duration::from_mins(4), "{address} is still in a file");
            put(&storage, "k0000", "written meanwhile").expect("a write");
            thread::sleep(Duration::from_millis(500));
        }
    }
    assert_eq!(keys(&storage).expect("a scan").len(), 1_001);
    drop(storage);
    let storage = EmbeddedStorage::open_with(folder.path(), &options).expect("it opens");
    assert_eq!(keys(&storage).expect("a scan").len(), 1_001);
}
