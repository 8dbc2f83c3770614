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

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use xxhash_rust::xxh3::Xxh3;

/// How a batch ends.
const MAGIC: [u8; 4] = *b"FJL\x03";

/// How much of a batch comes before its first item.
const BATCH_START_BYTES: usize = 13;

/// How much of an item comes before its key.
const ITEM_HEAD_BYTES: usize = 21;

/// What is wrong with the journals in the engine's folder; `None` where all is well.
///
/// # Errors
/// Those of reading the files.
pub(super) fn damage(entries: &Path) -> io::Result<Option<String>> {
    if !entries.try_exists()? {
        return Ok(None);
    }
    for entry in fs::read_dir(entries)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jnl")
            && let Some(what) = damage_in(File::open(&path)?)?
        {
            return Ok(Some(format!("{}: {what}", path.display())));
        }
    }
    Ok(None)
}

fn damage_in(file: File) -> io::Result<Option<String>> {
    let mut reader = BufReader::new(file);
    let mut last = None;
    let end = loop {
        let at = reader.stream_position()?;
        let Some(number) = batch(&mut reader)? else { break at };
        if last.is_some_and(|last| number <= last) {
            return Ok(Some(format!("the write at byte {at} has a number out of order")));
        }
        last = Some(number);
    };
    let rest = rest(reader.into_inner(), end)?;
    for at in 1..rest.len() {
        if starts_batch(&rest[at..]) && batch(&mut &rest[at..])?.is_some() {
            return Ok(Some(format!("the write at byte {end} cannot be read, and others follow it")));
        }
    }
    Ok(None)
}

/// What comes after `from`, without the zeros at the end, of which there may be many.
fn rest(mut file: File, from: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(from))?;
    let mut chunk = [0; 64 << 10];
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
