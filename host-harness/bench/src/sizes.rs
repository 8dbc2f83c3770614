//! The same directory in several sizes, each on a server of its own, so that an operation can be measured in all of them
//! turn by turn: what the machine does meanwhile then hits all of them.

use super::directory::{AT_ONCE, Directory};
use super::progress::Progress;
use super::report::{Cell, Column, FLAT, TIMES, Table, times};
use super::server::Servers;
use super::stats::Times;
use std::time::Duration;

/// How many calls are made at one size before the next has its turn.
pub(super) const CALLS_PER_TURN: usize = 10;

/// How many users a directory has, all of whom are members of one group.
const SIZES: [usize; 4] = [10, 1_000, 10_000, 150_000];

/// The directories, the smallest first.
pub(super) struct Sizes(pub(super) Vec<Filled>);

/// One of them.
pub(super) struct Filled {
    pub(super) directory: Directory,
    /// How many users there are, and members in the group.
    pub(super) size: usize,
    /// The group that has all users.
    pub(super) everybody: String,
    /// How often a call was made with something new, so that no two are the same.
    pub(super) turn: usize,
}

/// How many users each server has in another directory, made first: large requests leave memory behind with the server,
/// which is to be the same for all sizes.
const ALIKE: usize = 4 * AT_ONCE;

/// The name of the group that has all users.
pub(super) const EVERYBODY: &str = "Everybody";

impl Sizes {
    /// Makes them; the two smallest ones only where it has to be quick.
    pub(super) async fn make(servers: &Servers, quick: bool, progress: &Progress) -> Result<Self, String> {
        let mut made = Vec::new();
        for &size in &SIZES[..if quick { 2 } else { SIZES.len() }] {
            progress.step(format!("filling a directory with {size} users"));
            let mut directory = Directory::start(servers).await?;
            directory.neighbour(ALIKE).await?;
            // The largest group is as large as it may be unless set, and has to take more.
            directory.server.allow_members(2 * SIZES[SIZES.len() - 1]).await?;
            directory.fill(size).await?;
            let everybody = directory.group(EVERYBODY, size).await?;
            made.push(Filled { directory, size, everybody, turn: 0 });
        }
        progress.step("letting the servers settle");
        for filled in &made {
            filled.directory.server.settle().await;
        }
        Ok(Self(made))
    }
}

impl Filled {
    /// The number of another user each time.
    pub(super) fn next_number(&mut self) -> usize {
        self.turn += 1;
        self.turn.wrapping_mul(7_919) % self.size
    }

    /// The id of another user each time.
    pub(super) fn next_user(&mut self) -> String {
        let number = self.next_number();
        self.directory.users[number].clone()
    }
}

const BY_USERS: [Column; 8] = columns("users");
const BY_MEMBERS: [Column; 8] = columns("members");
const BY_GROUPS: [Column; 8] = columns("groups");

/// The columns of a sheet, by what the size is of.
const fn columns(size: &'static str) -> [Column; 8] {
    let [count, p50, p90, p99] = TIMES;
    [
        ("operation", "operation"),
        (size, size),
        count,
        p50,
        p90,
        p99,
        ("ratio", "p50 / smallest"),
        ("aim", "at most 1.3"),
    ]
}

/// The times of operations by size.
pub(super) struct Sheet {
    columns: &'static [Column],
    lines: Vec<Line>,
}

struct Line {
    operation: &'static str,
    /// Whether it is to take as long at every size.
    flat: bool,
    sizes: Vec<(usize, Vec<Duration>)>,
}

impl Sheet {
    /// By the number of users of the directory.
    pub(super) fn by_users() -> Self {
        Self { columns: &BY_USERS, lines: Vec::new() }
    }

    /// By the number of members of a group.
    pub(super) fn by_members() -> Self {
        Self { columns: &BY_MEMBERS, lines: Vec::new() }
    }

    /// By the number of groups that a user is in.
    pub(super) fn by_groups() -> Self {
        Self { columns: &BY_GROUPS, lines: Vec::new() }
    }

    /// Adds a measurement of an operation on one user, one membership or one group's own attributes.
    pub(super) fn flat(&mut self, operation: &'static str, size: usize, took: Duration) {
        self.add(operation, true, size, took);
    }

    /// Adds a measurement of an operation that has more to do, or to tell, at a larger size.
    pub(super) fn growing(&mut self, operation: &'static str, size: usize, took: Duration) {
        self.add(operation, false, size, took);
    }

    fn add(&mut self, operation: &'static str, flat: bool, size: usize, took: Duration) {
        let line = match self.lines.iter().position(|line| line.operation == operation) {
            Some(at) => &mut self.lines[at],
            None => self.lines.push_mut(Line { operation, flat, sizes: Vec::new() }),
        };
        let times = match line.sizes.iter().position(|(known, _)| *known == size) {
            Some(at) => &mut line.sizes[at].1,
            None => &mut line.sizes.push_mut((size, Vec::new())).1,
        };
        times.push(took);
    }

    /// The median of an operation at the largest size, in microseconds.
    pub(super) fn p50_of_largest(&self, operation: &str) -> f64 {
        let line = self.lines.iter().find(|line| line.operation == operation);
        let largest = line.and_then(|line| line.sizes.last());
        largest.map_or(f64::NAN, |(_, measured)| Times::of(measured.clone()).p50)
    }

    /// A row for each operation and size, with the ratio to the smallest size.
    pub(super) fn table(self, title: &str) -> Table {
        let mut table = Table::new(title, self.columns);
        for line in self.lines {
            let largest = line.sizes.len().saturating_sub(1);
            let mut smallest = None;
            for (at, (size, measured)) in line.sizes.into_iter().enumerate() {
                let measured = Times::of(measured);
                let ratio = measured.p50 / *smallest.get_or_insert(measured.p50);
                let aim = if !line.flat {
                    Cell::text_of("grows")
                } else if at == largest && at > 0 {
                    Cell::aim(ratio <= FLAT)
                } else {
                    Cell::None
                };
                let [count, p50, p90, p99] = times(measured);
                let operation = Cell::text_of(line.operation);
                table.row([operation, Cell::count(size), count, p50, p90, p99, Cell::ratio(ratio), aim]);
            }
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_size_is_compared_with_the_smallest() {
        let mut sheet = Sheet::by_members();
        for (size, microseconds) in [(10, 100), (1_000, 150), (150_000, 120)] {
            sheet.flat("PATCH", size, Duration::from_micros(microseconds));
            sheet.flat("DELETE", size, Duration::from_micros(microseconds * size as u64));
            sheet.growing("GET", size, Duration::from_micros(microseconds * size as u64));
        }
        let table = sheet.table("Times").json();
        let rows = table["rows"].as_array().unwrap();
        let told: Vec<_> = rows.iter().map(|row| (row["ratio"].as_f64().unwrap(), row["aim"].as_str())).collect();
        assert_eq!(told[..3], [(1.0, None), (1.5, None), (1.2, Some("met"))], "what is between does not count");
        assert_eq!(told[3..6], [(1.0, None), (150.0, None), (18_000.0, Some("missed"))]);
        assert!(told[6..].iter().all(|(_, aim)| *aim == Some("grows")));
        assert_eq!((&rows[2]["operation"], &rows[2]["members"]), (&"PATCH".into(), &150_000.into()));
    }
}
