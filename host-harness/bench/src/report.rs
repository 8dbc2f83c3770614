//! What was found, as tables for people and as JSON for programs. Both come of the same rows, so that neither has
//! anything that the other has not.

use super::stats::{Rates, Times};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// At the most so many times as long in the largest directory as in the smallest.
pub(super) const FLAT: f64 = 1.3;

/// What one run found.
#[derive(Debug)]
pub(super) struct Report {
    sections: Vec<Section>,
}

/// What one workload found.
#[derive(Debug)]
pub(super) struct Section {
    /// The name of the workload.
    workload: String,
    tables: Vec<Table>,
    /// What has to be known to read the tables.
    notes: Vec<String>,
}

/// One table; each row has a cell for each column.
#[derive(Debug)]
pub(super) struct Table {
    title: String,
    columns: &'static [Column],
    rows: Vec<Vec<Cell>>,
}

/// The name of a column for programs, and its heading for people.
pub(super) type Column = (&'static str, &'static str);

/// One figure or text.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Text(String),
    Count(u64),
    /// A figure and how many decimals of it are worth reading.
    Figure(f64, usize),
    /// It cannot be told on this machine, or does not apply.
    None,
}

impl Report {
    pub(super) fn new(sections: Vec<Section>) -> Self {
        Self { sections }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "componentBytes": usher_host::EMBEDDED.len(),
            "processors": processors(),
            "workloads": self.sections.iter().map(Section::json).collect::<Vec<_>>(),
        })
    }

    /// Markdown, to be read as it is or pasted.
    pub(super) fn text(&self) -> String {
        let mut out = format!(
            "usher {}, component {} KiB, {} processors\n",
            env!("CARGO_PKG_VERSION"),
            usher_host::EMBEDDED.len() >> 10,
            processors(),
        );
        for section in &self.sections {
            section.write(&mut out);
        }
        out
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Section {
    /// Of the workload with this name.
    pub(super) fn new(workload: &str) -> Self {
        Self { workload: workload.to_owned(), tables: Vec::new(), notes: Vec::new() }
    }

    pub(super) fn table(mut self, table: Table) -> Self {
        self.tables.push(table);
        self
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    fn json(&self) -> Value {
        let tables: Vec<_> = self.tables.iter().map(Table::json).collect();
        json!({ "name": self.workload, "tables": tables, "notes": self.notes })
    }

    fn write(&self, out: &mut String) {
        let _ = write!(out, "\n## {}\n", self.workload);
        for table in &self.tables {
            table.write(out);
        }
        for note in &self.notes {
            let _ = write!(out, "\n{note}\n");
        }
    }
}

impl Table {
    pub(super) fn new(title: impl Into<String>, columns: &'static [Column]) -> Self {
        Self { title: title.into(), columns, rows: Vec::new() }
    }

    /// Adds a row: a cell for each column.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(super) fn json(&self) -> Value {
        let row = |row: &Vec<Cell>| -> Map<String, Value> {
            self.columns.iter().zip(row).map(|((key, _), cell)| ((*key).to_owned(), cell.json())).collect()
        };
        json!({ "title": self.title, "rows": self.rows.iter().map(row).collect::<Vec<_>>() })
    }

    fn write(&self, out: &mut String) {
        let heads = self.columns.iter().map(|(_, head)| (*head).to_owned()).collect();
        let lines: Vec<Vec<String>> =
            std::iter::once(heads).chain(self.rows.iter().map(|row| row.iter().map(Cell::text).collect())).collect();
        let width =
            |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|text| text.chars().count()).max();
        let widths: Vec<usize> = (0..self.columns.len()).map(|column| width(column).unwrap_or(0).max(3)).collect();
        let to_the_left =
            |column: usize| self.rows.iter().all(|row| matches!(row.get(column), Some(Cell::Text(_) | Cell::None)));
        let left: Vec<bool> = (0..self.columns.len()).map(to_the_left).collect();
        let _ = write!(out, "\n{}\n\n", self.title);
        for (number, line) in lines.iter().enumerate() {
            for ((text, width), left) in line.iter().zip(&widths).zip(&left) {
                let _ = if *left { write!(out, "| {text:<width$} ") } else { write!(out, "| {text:>width$} ") };
            }
            out.push_str("|\n");
            if number == 0 {
                for (width, left) in widths.iter().zip(&left) {
                    let _ = write!(out, "|{}{}", "-".repeat(width + 1), if *left { "-" } else { ":" });
                }
                out.push_str("|\n");
            }
        }
    }
}

impl Cell {
    pub(super) fn text_of(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A number of things.
    pub(super) fn count(count: usize) -> Self {
        Self::Count(count as u64)
    }

    /// Mebibytes, where the number of bytes is known.
    pub(super) fn mebibytes(bytes: Option<u64>) -> Self {
        bytes.map_or(Self::None, |bytes| Self::Figure(bytes as f64 / f64::from(1 << 20), 1))
    }

    /// A share of one, or one figure over another.
    pub(super) fn ratio(ratio: f64) -> Self {
        Self::Figure(ratio, 2)
    }

    /// Whether what was aimed at was reached.
    pub(super) fn aim(met: bool) -> Self {
        Self::Text(if met { "met" } else { "missed" }.into())
    }

    fn json(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Count(count) => (*count).into(),
            // Anything that is no number has no place in JSON, which then says null.
            Self::Figure(figure, decimals) => {
                let scale = 10_f64.powi(i32::try_from(*decimals).unwrap_or(0) + 2);
                ((figure * scale).round() / scale).into()
            }
            Self::None => Value::Null,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => grouped(&count.to_string()),
            Self::Figure(figure, decimals) => grouped(&format!("{figure:.decimals$}")),
            Self::None => String::new(),
        }
    }
}

/// The digits in front of the point in groups of three.
fn grouped(number: &str) -> String {
    let (whole, rest) = number.find('.').map_or((number, ""), |point| number.split_at(point));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut out = sign.to_owned();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

/// The columns of times, to go with [`times`].
pub(super) const TIMES: [Column; 4] =
    [("count", "count"), ("p50Us", "p50 µs"), ("p90Us", "p90 µs"), ("p99Us", "p99 µs")];

/// The cells of [`TIMES`].
pub(super) fn times(times: Times) -> [Cell; 4] {
    let microseconds = |time| Cell::Figure(time, 1);
    [Cell::count(times.count), microseconds(times.p50), microseconds(times.p90), microseconds(times.p99)]
}

/// The columns of rates, to go with [`rates`].
pub(super) const RATES: [Column; 4] =
    [("perSecond", "1/s"), ("lowestPerSecond", "lowest"), ("highestPerSecond", "highest"), ("turns", "turns")];

/// The cells of [`RATES`].
pub(super) fn rates(rates: Rates) -> [Cell; 4] {
    let per_second = |rate| Cell::Figure(rate, 0);
    [per_second(rates.median), per_second(rates.lowest), per_second(rates.highest), Cell::count(rates.turns)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new("Times", &[("operation", "operation"), ("size", "size"), ("ratio", "ratio")]);
        table.row([Cell::text_of("GET"), Cell::count(150_000), Cell::ratio(1.256)]);
        table.row([Cell::text_of("PATCH"), Cell::count(10), Cell::None]);
        table
    }

    #[test]
    fn a_table_is_markdown_with_numbers_to_the_right() {
        let mut out = String::new();
        table().write(&mut out);
        let expected = "\nTimes\n\n\
            | operation |    size | ratio |\n\
            |-----------|--------:|------:|\n\
            | GET       | 150,000 |  1.26 |\n\
            | PATCH     |      10 |       |\n";
        assert_eq!(out, expected);
    }

    #[test]
    fn the_same_rows_are_json_by_the_names_of_the_columns() {
        let report = Report::new(vec![Section::new("get").table(table()).note("Read it so.")]);
        let json = report.json();
        assert_eq!(json["workloads"][0]["name"], "get");
        assert_eq!(json["workloads"][0]["notes"][0], "Read it so.");
        let rows = &json["workloads"][0]["tables"][0]["rows"];
        assert_eq!(rows[0], json!({ "operation": "GET", "size": 150_000, "ratio": 1.256 }));
        assert_eq!(rows[1]["ratio"], Value::Null);
        assert_eq!(Cell::Figure(f64::NAN, 1).json(), Value::Null);
    }

    #[test]
    fn digits_are_grouped_in_front_of_the_point() {
        let texts = ["0", "999", "1000.25", "-1234567"].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000.25", "-1,234,567"]);
    }
}
