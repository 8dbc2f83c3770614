//! Telling a journal that a loss of power cut short from one that is damaged.
//!
//! The engine reads its journals up to the first thing that makes no sense, and drops the rest: right for the last write,
//! which the power may have cut short, and which nobody was told of. But where a disk has changed a byte further up, what
//! follows was acknowledged, and would be gone without a word. Since each batch is on disk before the next one begins, a
//! whole batch after a broken one tells the two apart; and so does a batch whose number is not above the last one's.
//!
//! The layout, in little endian (the engine's disk format 3): a batch is `1`, the count of its items (32 bits), its
//! number (64 bits); then each item: `2`, kind, compression, keyspace (64 bits), length of the key (16 bits), of the
//! value (32 bits) and of the value as stored (32 bits), key, value; then `3`, a checksum of the items (XXH3, 64 bits),
//! [`MAGIC`]. After the last batch there are only zeros, if anything.

use super::folder::sync_folder;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::Xxh3;

/// How a batch ends.
const MAGIC: [u8; 4] = *b"FJL\x03";

/// How much of a batch comes before its first item.
const BATCH_START_BYTES: usize = 13;

/// How much of an item comes before its key.
const ITEM_HEAD_BYTES: usize = 21;

/// How a journal's file name ends.
const EXTENSION: &str = "jnl";

/// A journal of the engine, and what is to be read from it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Journal {
    pub(super) path: PathBuf,
    /// The engine counts its journals; it writes to the last.
    pub(super) id: u64,
    /// The number of the last whole batch.
    pub(super) last: Option<u64>,
    /// Where the last whole batch ends. What comes after it is nothing, or a batch that was cut short.
    pub(super) end: u64,
    /// Whether a batch that was cut short comes after it.
    pub(super) torn: bool,
    /// Where the first batch begins whose number is not below the one asked for.
    pub(super) from: Option<u64>,
    /// The number of the last batch before that.
    pub(super) last_before: Option<u64>,
}

/// Why journals cannot be used.
#[derive(Debug)]
pub(super) enum Unusable {
    /// One of them cannot be read.
    Io(io::Error),
    /// One of them is not as the engine wrote it.
    Damaged(String),
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The journals in the engine's folder by their number, without reading them. Where there is no folder, there are no
/// journals.
///
/// # Errors
/// Those of reading the folder.
pub(super) fn list(entries: &Path) -> io::Result<BTreeMap<u64, PathBuf>> {
    let mut found = BTreeMap::new();
    if !entries.try_exists()? {
        return Ok(found);
    }
    for entry in fs::read_dir(entries)? {
        let path = entry?.path();
        let id = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        // The engine refuses a journal whose name is no number.
        if let Some(id) = id
            && path.extension().is_some_and(|extension| extension == EXTENSION)
        {
            found.insert(id, path);
        }
    }
    Ok(found)
}

/// Reads all journals in the engine's folder, and looks in them for the first batch whose number is not below `from`.
///
/// # Errors
/// [`Unusable::Damaged`] where the engine would drop batches that were acknowledged, or take a wrong one.
pub(super) fn read(entries: &Path, from: u64) -> Result<Vec<Journal>, Unusable> {
    let journals = list(entries)?.into_iter().map(|(id, path)| read_one(id, path, from));
    let journals: Vec<Journal> = journals.collect::<Result<_, _>>()?;
    // The engine flushes a journal before it begins the next, so that a loss of power can tear only the newest.
    if let [sealed @ .., _] = &journals[..]
        && let Some(torn) = sealed.iter().find(|journal| journal.torn)
    {
        let what = format!("{}: the write at byte {} cannot be read", torn.path.display(), torn.end);
        return Err(Unusable::Damaged(what));
    }
    Ok(journals)
}

fn read_one(id: u64, path: PathBuf, asked: u64) -> Result<Journal, Unusable> {
    let damaged = |what: String| Unusable::Damaged(format!("{}: {what}", path.display()));
    let mut reader = BufReader::new(File::open(&path)?);
    let (mut last, mut from, mut last_before) = (None, None, None);
    let end = loop {
        let at = reader.stream_position()?;
        let Some(number) = batch(&mut reader)? else { break at };
        if last.is_some_and(|last| number <= last) {
            return Err(damaged(format!("the write at byte {at} has a number out of order")));
        }
        if number >= asked {
            from.get_or_insert(at);
        } else {
            last_before = Some(number);
        }
        last = Some(number);
    };
    let rest = rest(reader.into_inner(), end)?;
    for at in 1..rest.len() {
        if starts_batch(&rest[at..]) && batch(&mut &rest[at..])?.is_some() {
            return Err(damaged(format!("the write at byte {end} cannot be read, and others follow it")));
        }
    }
    Ok(Journal { path, id, last, end, torn: !rest.is_empty(), from, last_before })
}

impl Journal {
    /// Makes the journal end before the number that was asked for, and after its last whole batch, in a file of its own:
    /// whoever still has the old one open writes to nobody's harm. What is kept is written anew. `spare` is a name in the
    /// same file system that is free to be used.
    ///
    /// # Errors
    /// Those of the files. The journal is as it was before, then, or as it is to be.
    pub(super) fn cut(&mut self, spare: &Path) -> io::Result<()> {
        let end = self.from.unwrap_or(self.end);
        let mut copy = File::create(spare)?;
        io::copy(&mut File::open(&self.path)?.take(end), &mut copy)?;
        copy.sync_all()?;
        fs::rename(spare, &self.path)?;
        (self.last, self.end, self.torn, self.from) = (self.last_before, end, false, None);
        self.path.parent().map_or(Ok(()), sync_folder)
    }

    /// Makes the journal, which nobody has open, end after its last whole batch, where a batch follows that was cut short.
    /// The engine would drop most of what such a batch can look like, but takes the lengths in it for true. Takes no space
    /// on the disk, which may be full.
    ///
    /// # Errors
    /// Those of the file.
    pub(super) fn drop_torn_end(&mut self) -> io::Result<()> {
        if !self.torn {
            return Ok(());
        }
        let file = File::options().write(true).open(&self.path)?;
        file.set_len(self.end)?;
        file.sync_all()?;
        self.torn = false;
        Ok(())
    }

    /// Writes what is there from a byte on once more. When the power fails, or a write to the disk, the system may go on
    /// showing what never reached the disk; after this, it did.
    ///
    /// # Errors
    /// Those of the file.
    pub(super) fn settle(&self, from: u64) -> io::Result<()> {
        let mut file = File::options().read(true).write(true).open(&self.path)?;
        let mut chunk = vec![0; 1 << 20];
        let mut at = from;
        while at < self.end {
            let length = usize::try_from(self.end - at).map_or(chunk.len(), |left| left.min(chunk.len()));
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut chunk[..length])?;
            file.seek(SeekFrom::Start(at))?;
            file.write_all(&chunk[..length])?;
            at += length as u64;
        }
        file.sync_all()
    }
}

/// What comes after `from`, without the zeros at the end, of which there may be many.
fn rest(mut file: File, from: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(from))?;
    let mut chunk = vec![0; 64 << 10];
    let (mut read, mut used) = (0_u64, 0_u64);
    loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            break;
        }
        if let Some(last) = chunk[..count].iter().rposition(|byte| *byte != 0) {
            used = read + last as u64 + 1;
        }
        read += count as u64;
    }
    file.seek(SeekFrom::Start(from))?;
    let mut rest = Vec::new();
    file.take(used).read_to_end(&mut rest)?;
    Ok(rest)
}

/// A cheap look, since this is asked at every byte.
fn starts_batch(bytes: &[u8]) -> bool {
    bytes.first() == Some(&1) && bytes.get(BATCH_START_BYTES) == Some(&2)
}

/// Reads one batch, and returns its number; `None` where there is no whole one.
fn batch(reader: &mut impl Read) -> io::Result<Option<u64>> {
    match try_batch(reader) {
        Err(error) if [io::ErrorKind::UnexpectedEof, io::ErrorKind::InvalidData].contains(&error.kind()) => Ok(None),
        read => read.map(Some),
    }
}

fn try_batch(reader: &mut impl Read) -> io::Result<u64> {
    expect(bytes(reader)? == [1])?;
    let items = u32::from_le_bytes(bytes(reader)?);
    let number = u64::from_le_bytes(bytes(reader)?);
    let mut hasher = Xxh3::new();
    let mut text = Vec::new();
    for _ in 0..items {
        let head: [u8; ITEM_HEAD_BYTES] = bytes(reader)?;
        expect(head[0] == 2)?;
        let key = u16::from_le_bytes([head[11], head[12]]);
        let value = u32::from_le_bytes([head[17], head[18], head[19], head[20]]);
        let length = u64::from(key) + u64::from(value);
        text.clear();
        expect(reader.take(length).read_to_end(&mut text)? as u64 == length)?;
        hasher.update(&head);
        hasher.update(&text);
    }
    expect(bytes(reader)? == [3])?;
    expect(u64::from_le_bytes(bytes(reader)?) == hasher.digest())?;
    expect(bytes(reader)? == MAGIC)?;
    Ok(number)
}

fn bytes<const N: usize>(reader: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn expect(holds: bool) -> io::Result<()> {
    if holds { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::EmbeddedOptions;
    use crate::storage::embedded::open_engine;
    use fjall::PersistMode;
    use xxhash_rust::xxh3::xxh3_64;

    /// An item as this module describes it.
    fn item(kind: u8, keyspace: u64, key: &str, value: &str) -> Vec<u8> {
        let mut bytes = vec![2, kind, 0];
        bytes.extend(keyspace.to_le_bytes());
        bytes.extend(u16::try_from(key.len()).expect("short").to_le_bytes());
        bytes.extend(u32::try_from(value.len()).expect("short").to_le_bytes());
        bytes.extend(u32::try_from(value.len()).expect("short").to_le_bytes());
        bytes.extend(key.as_bytes());
        bytes.extend(value.as_bytes());
        bytes
    }

    /// A batch as this module describes it.
    fn described(number: u64, items: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![1];
        bytes.extend(u32::try_from(items.len()).expect("few").to_le_bytes());
        bytes.extend(number.to_le_bytes());
        bytes.extend(items.concat());
        bytes.push(3);
        bytes.extend(xxh3_64(&items.concat()).to_le_bytes());
        bytes.extend(b"FJL\x03");
        bytes
    }

    #[test]
    fn only_the_newest_journal_can_have_a_torn_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let (whole, more) = (described(1, &[item(0, 1, "a", "1")]), described(2, &[item(0, 1, "b", "2")]));
        let torn = [&whole[..], &more[..more.len() - 1]].concat();
        let write =
            |id: u64, bytes: &[u8]| fs::write(folder.path().join(format!("{id}.jnl")), bytes).expect("a journal");
        write(0, &whole);
        write(1, &[&more[..], &torn[..30]].concat());
        let mut journals = read(folder.path(), 0).expect("what the power cut short is no damage");
        assert_eq!(journals.iter().map(|journal| journal.torn).collect::<Vec<_>>(), [false, true]);
        journals[1].drop_torn_end().expect("it is shortened");
        assert_eq!(fs::read(&journals[1].path).expect("a journal"), more);
        write(0, &torn);
        let refused = read(folder.path(), 0);
        assert!(matches!(&refused, Err(Unusable::Damaged(what)) if what.contains("0.jnl")), "{refused:?}");
    }

    /// The engine's files are its own affair, and another version of it may write them otherwise. What is read here, and
    /// by what names its files are known, has to be looked through again where this fails.
    #[test]
    fn the_engine_writes_what_is_described_here() {
        let folder = tempfile::tempdir().expect("a folder");
        let long = "long ".repeat(2_000);
        let (database, keyspace) = open_engine(folder.path(), &EmbeddedOptions::default()).expect("it opens");
        let first = database.seqno();
        let mut batch = database.batch().durability(Some(PersistMode::SyncData));
        batch.insert(&keyspace, "a", "1");
        batch.remove(&keyspace, "b");
        batch.commit().expect("a commit");
        let mut batch = database.batch().durability(Some(PersistMode::SyncData));
        batch.insert(&keyspace, "c", long.as_str());
        batch.commit().expect("a commit");
        let journal = fs::read(folder.path().join("0.jnl")).expect("the journal has this name");
        let expected = described(first, &[item(0, 1, "a", "1"), item(1, 1, "b", "")]);
        assert_eq!(&journal[..expected.len()], expected);
        // The long value is compressed, by the engine's way of doing that: its length as stored is what counts here.
        let rest = &journal[expected.len()..];
        assert_eq!(&rest[..BATCH_START_BYTES], &described(first + 1, &[Vec::new()])[..BATCH_START_BYTES]);
        let stored = u32::from_le_bytes(rest[BATCH_START_BYTES + 17..][..4].try_into().expect("four bytes"));
        assert!((stored as usize) < long.len(), "it is compressed");
        let read = read(folder.path(), first + 1).expect("it can be read");
        let [journal] = &read[..] else { panic!("there is one journal: {read:?}") };
        assert_eq!((journal.id, journal.last, journal.from), (0, Some(first + 1), Some(expected.len() as u64)));
        // The key has one byte; after the value come the end's mark, checksum and magic.
        let long_batch = BATCH_START_BYTES + ITEM_HEAD_BYTES + 1 + stored as usize + 13;
        assert_eq!(journal.end, (expected.len() + long_batch) as u64);
        assert_eq!(fs::read(folder.path().join("version")).expect("the engine's format"), b"FJL\x03");
        for (tree, tables) in [("0", true), ("1", false)] {
            let tree = folder.path().join("keyspaces").join(tree);
            let current = fs::read(tree.join("current")).expect("it names the list of tables");
            let list = u64::from_le_bytes(current[..8].try_into().expect("eight bytes"));
            assert!(tree.join(format!("v{list}")).is_file());
            assert_eq!(fs::read_dir(tree.join("tables")).expect("a folder").next().is_some(), tables);
        }
    }
}
