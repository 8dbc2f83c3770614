//! What came in the last 24 hours, drawn as bars: one row each for requests, changes and failures, on a scale of its own.

use super::parts::count;
use crate::runtime::directories::Hour;
use jiff::Timestamp;
use maud::{Markup, html};

const HOUR: u64 = 3_600_000;
const HOURS: usize = 24;

/// The sums of one hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sums {
    requests: u64,
    changes: u64,
    failures: u64,
}

/// A number of an hour that is drawn, and what it is called.
type Row = (&'static str, &'static str, fn(&Sums) -> u64);

const ROWS: [Row; 3] = [
    ("Requests", "requests", |sums| sums.requests),
    ("Changes", "changes", |sums| sums.changes),
    ("Refused", "failures", |sums| sums.failures),
];

/// The hours of several directories, added up.
pub(super) fn hours<'a>(now: u64, hours: impl IntoIterator<Item = &'a Hour>) -> Markup {
    let (first, sums) = add_up(now, hours);
    html! {
        figure.chart {
            @for (name, class, number) in ROWS {
                div class={ "row " (class) } {
                    p { span.name { (name) } b { (count(sums.iter().map(number).sum::<u64>())) } }
                    (bars(first, &sums, name, number))
                }
            }
            p.axis { span { "24 hours ago" } span { "now" } }
            figcaption.hint { "Hour by hour. Reads that succeed are not counted. Each row has a scale of its own." }
            (as_table(first, &sums))
        }
    }
}

/// The sums of the last 24 hours, and when the first of them began.
fn add_up<'a>(now: u64, hours: impl IntoIterator<Item = &'a Hour>) -> (u64, [Sums; HOURS]) {
    let first = (now / HOUR).saturating_sub(HOURS as u64 - 1);
    let mut sums = [Sums::default(); HOURS];
    for hour in hours {
        let index = (hour.at / HOUR).checked_sub(first).and_then(|index| usize::try_from(index).ok());
        if let Some(sums) = index.and_then(|index| sums.get_mut(index)) {
            sums.requests += u64::from(hour.requests);
            sums.changes += u64::from(hour.changes);
            sums.failures += u64::from(hour.failures);
        }
    }
    (first * HOUR, sums)
}

/// Bars on a surface of 240 by 32, each with its number to be seen on hover.
fn bars(first: u64, sums: &[Sums; HOURS], name: &str, number: fn(&Sums) -> u64) -> Markup {
    let most = sums.iter().map(number).max().unwrap_or_default().max(1);
    html! {
        svg viewBox="0 0 240 32" preserveAspectRatio="none" aria-hidden="true" {
            @for (index, sums) in sums.iter().enumerate() {
                @let value = number(sums);
                @let height = if value == 0 { 1.0 } else { (value as f64 / most as f64 * 30.0).max(2.5) };
                rect.nothing[value == 0] x=(index * 10 + 1) y=(format!("{:.1}", 32.0 - height)) width="8"
                    height=(format!("{height:.1}")) {
                    title { (clock(first, index)) ": " (count(value)) " " (name.to_lowercase()) }
                }
            }
        }
    }
}

/// The same in numbers, for those who do not see bars: the hours in which something came.
fn as_table(first: u64, sums: &[Sums; HOURS]) -> Markup {
    let busy: Vec<_> = sums.iter().enumerate().filter(|(_, sums)| **sums != Sums::default()).collect();
    html! {
        @if !busy.is_empty() {
            details {
                summary { "In numbers" }
                table role="table" {
                    caption { "Requests, changes and refused requests by hour" }
                    thead role="rowgroup" {
                        tr role="row" {
                            th role="columnheader" scope="col" { "Hour (UTC)" }
                            @for (name, ..) in ROWS { th.right role="columnheader" scope="col" { (name) } }
                        }
                    }
                    tbody role="rowgroup" {
                        @for (index, sums) in busy {
                            tr role="row" {
                                th role="rowheader" scope="row" { (clock(first, index)) }
                                @for (name, _, number) in ROWS {
                                    td.right role="cell" data-label=(name) { (count(number(sums))) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn clock(first: u64, index: usize) -> String {
    let at = i64::try_from(first + index as u64 * HOUR).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
    at.map_or_else(String::new, |at| at.strftime("%H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hours_of_all_directories_are_added_up_and_older_ones_left_out() {
        let now = 100 * HOUR + 5;
        let hour = |at: u64| Hour { at: at * HOUR, requests: 3, failures: 1, changes: 2 };
        let (first, sums) = add_up(now, &[hour(100), hour(100), hour(77), hour(76), hour(101)]);
        assert_eq!(first, 77 * HOUR);
        assert_eq!(sums[23], Sums { requests: 6, changes: 4, failures: 2 });
        assert_eq!(sums[0], Sums { requests: 3, changes: 2, failures: 1 });
        assert!(sums[1..23].iter().all(|sums| *sums == Sums::default()));
    }
}
