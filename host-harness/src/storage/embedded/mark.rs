//! The mark: a file outside of the engine's, which says what has to be in those.
//!
//! The engine takes what it finds for all there is: where a journal is missing or ends too soon, it opens as a site that
//! ends earlier, and where its folder is missing, as an empty one. The mark tells that from a store which has just been
//! made, and a journal that was cut from one that a crash has torn: what the mark speaks of had been acknowledged.
//!
//! All that it says goes on being true while more is written, so that it may lag behind: it is written about every
//! [`EVERY`], and when the store is closed. It has two places that are written in turn, each with a checksum, so that one
//! of them is whole whenever the power fails.
//!
//! ```text
//! mark 17 9f86d081884c7d65     which writing of it this is, and the checksum of that and the lines that follow
//! written 8123                 a batch with this number or a higher one was acknowledged
//! tables 7921                  everything up to this number has gone into tables
//! journal 4 8123               journal 4 has a batch with this number or a higher one, unless it went into tables
//! tree 0                       a tree of the engine
//! stale 1732803600             since when something may lie in the files that has been removed, in Unix seconds
//! ```

use super::folder::sync_folder;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// How often it is written while there are writes. What this costs does not depend on how many there are. Of the time in
/// which another journal is begun the next writing speaks, hence it may lag by twice as much.
pub(super) const EVERY: Duration = Duration::from_secs(1);

/// How long each of its two places is, in bytes.
const PLACE_BYTES: usize = 4096;

/// What a mark says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// The least that the highest number of a batch can be, in journals and tables.
    pub(super) written: u64,
    /// Up to which number everything has gone into tables.
    pub(super) tables: Option<u64>,
    /// By journal, the least that the highest number in it can be; `None` where nothing is known of it.
    pub(super) journals: BTreeMap<u64, Option<u64>>,
    /// The names of the engine's trees, which are folders.
    pub(super) trees: BTreeSet<String>,
    /// Since when there may be something in the files that has been removed or replaced.
    pub(super) stale_since: Option<u64>,
}

/// The mark of a store that is open.
pub(super) struct Mark {
    file: File,
    turn: u64,
    written: Facts,
}

impl Mark {
    /// Opens the mark at `path`; `None` where there is no mark.
    ///
    /// # Errors
    /// Those of the file. Where neither of its places is whole, [`io::ErrorKind::InvalidData`].
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let mut file = match File::options().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(2 * PLACE_BYTES as u64).read_to_end(&mut bytes)?;
        let places = bytes.chunks(PLACE_BYTES).filter_map(parse);
        let (turn, written) = places.max_by_key(|(turn, _)| *turn).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Some(Self { file, turn, written }))
    }

    /// Makes the mark at `path`: it is there as a whole, or not at all. `spare` is a name beside it that is free.
    ///
    /// # Errors
    /// Those of the file.
    pub(super) fn create(path: &Path, spare: &Path, facts: &Facts) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(spare)?;
        file.set_len(2 * PLACE_BYTES as u64)?;
        let mut mark = Self { file, turn: 0, written: Facts::default() };
        mark.write(facts)?;
        mark.file.sync_all()?;
        fs::rename(spare, path)?;
        path.parent().map_or(Ok(()), sync_folder)?;
        Ok(mark)
    }

    /// What it says.
    pub(super) fn facts(&self) -> &Facts {
        &self.written
    }

    /// Makes it say this, unless it does. It is on disk when this returns.
    ///
    /// # Errors
    /// Those of the file. The mark says what it said before, then, or this.
    pub(super) fn write(&mut self, facts: &Facts) -> io::Result<()> {
        if self.written == *facts {
            return Ok(());
        }
        let mut place = text(self.turn + 1, facts).into_bytes();
        if place.len() > PLACE_BYTES {
            return Err(io::Error::other("there are too many journals to be listed"));
        }
        place.resize(PLACE_BYTES, 0);
        self.turn += 1;
        self.file.seek(SeekFrom::Start(self.turn % 2 * PLACE_BYTES as u64))?;
        self.file.write_all(&place)?;
        self.file.sync_data()?;
        self.written = facts.clone();
        Ok(())
    }
}

fn text(turn: u64, facts: &Facts) -> String {
    let mut lines = format!("written {}\n", facts.written);
    // Writing to a string does not fail.
    if let Some(tables) = facts.tables {
        let _ = writeln!(lines, "tables {tables}");
    }
    for (journal, last) in &facts.journals {
        let _ = match last {
            Some(last) => writeln!(lines, "journal {journal} {last}"),
            None => writeln!(lines, "journal {journal}"),
        };
    }
    for tree in &facts.trees {
        let _ = writeln!(lines, "tree {tree}");
    }
    if let Some(stale) = facts.stale_since {
        let _ = writeln!(lines, "stale {stale}");
    }
    format!("mark {turn} {:016x}\n{lines}", sum(turn, &lines))
}

fn sum(turn: u64, lines: &str) -> u64 {
    xxh3_64_with_seed(lines.as_bytes(), turn)
}

/// What a place says, and which writing it is of; `None` where it is not whole.
fn parse(place: &[u8]) -> Option<(u64, Facts)> {
    let text = std::str::from_utf8(place).ok()?.trim_end_matches('\0');
    let (head, lines) = text.split_once('\n')?;
    let (turn, told) = head.strip_prefix("mark ")?.split_once(' ')?;
    let turn = turn.parse().ok()?;
    if u64::from_str_radix(told, 16).ok()? != sum(turn, lines) {
        return None;
    }
    let mut facts = Facts::default();
    for line in lines.lines() {
        let (name, value) = line.split_once(' ')?;
        match name {
            "written" => facts.written = value.parse().ok()?,
            "tables" => facts.tables = Some(value.parse().ok()?),
            "journal" => {
                let mut numbers = value.splitn(2, ' ').map(|number| number.parse().ok());
                let (journal, last) = (numbers.next()??, numbers.next());
                facts.journals.insert(journal, last.map_or(Some(None), |last| last.map(Some))?);
            }
            "tree" => {
                facts.trees.insert(value.to_owned());
            }
            "stale" => facts.stale_since = Some(value.parse().ok()?),
            // Of a later version of the program, which this one need not understand.
            _ => {}
        }
    }
    Some((turn, facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(written: u64) -> Facts {
        Facts {
            written,
            tables: Some(5),
            journals: BTreeMap::from([(3, None), (4, Some(written))]),
            trees: BTreeSet::from(["0".into(), "1".into()]),
            stale_since: Some(1_732_803_600),
        }
    }

    #[test]
    fn what_was_written_is_read_and_a_torn_writing_leaves_the_one_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, spare) = (folder.path().join("mark"), folder.path().join("mark.new"));
        assert!(Mark::open(&path).expect("no error").is_none());
        let mut mark = Mark::create(&path, &spare, &facts(1)).expect("a mark");
        for written in 2..6 {
            mark.write(&facts(written)).expect("written");
            let found = Mark::open(&path).expect("a mark").expect("it is there");
            assert_eq!(found.facts(), &facts(written));
        }
        let whole = fs::read(&path).expect("a file");
        let latest = usize::from(mark.turn % 2 == 1) * PLACE_BYTES;
        for at in (0..60).map(|at| latest + at) {
            let mut torn = whole.clone();
            torn[at] ^= 1;
            fs::write(&path, torn).expect("a file");
            let found = Mark::open(&path).expect("the other place is whole").expect("it is there");
            assert_eq!(found.facts(), &facts(4), "byte {at}");
        }
        fs::write(&path, "").expect("a file");
        let error = Mark::open(&path).map(drop).expect_err("neither place is whole");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
