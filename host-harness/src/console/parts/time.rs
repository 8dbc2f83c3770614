//! Times: in UTC, with the exact one to be seen on hover. The script turns them into the viewer's zone.

use jiff::Timestamp;
use maud::{Markup, html};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A point in time, in milliseconds since the Unix epoch: `29 Nov 2026, 17:31 UTC`.
pub(in crate::console) fn at(millis: u64) -> Markup {
    element(millis, "at", |time| time.strftime("%-d %b %Y, %H:%M UTC").to_string())
}

/// A day: `29 Nov 2026`.
pub(in crate::console) fn day(millis: u64) -> Markup {
    element(millis, "day", |time| time.strftime("%-d %b %Y").to_string())
}

/// A point in time as seen from now: `3 min ago`, `in 12 days`.
pub(in crate::console) fn ago(millis: u64, now: u64) -> Markup {
    element(millis, "ago", |_| relative(millis, now))
}

/// A length of time, in the two largest units: `2 h 5 min`.
pub(in crate::console) fn duration(millis: u64) -> String {
    let (days, hours, minutes) = (millis / DAY, millis % DAY / HOUR, millis % HOUR / MINUTE);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{} s", millis / 1_000),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (1, 0, _) => "1 day".into(),
        (days, 0, _) => format!("{days} days"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

fn relative(millis: u64, now: u64) -> String {
    let apart = millis.abs_diff(now);
    let length = match apart {
        apart if apart < MINUTE => return "just now".into(),
        apart if apart < HOUR => format!("{} min", apart / MINUTE),
        apart if apart < 2 * DAY => format!("{} h", apart / HOUR),
        apart => format!("{} days", apart / DAY),
    };
    if millis > now { format!("in {length}") } else { format!("{length} ago") }
}

fn element(millis: u64, shown: &str, text: impl Fn(Timestamp) -> String) -> Markup {
    let time = i64::try_from(millis).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    html! {
        @match time {
            Some(time) => {
                time datetime=(time) data-shown=(shown) title=(time.strftime("%A, %-d %B %Y, %H:%M:%S UTC")) {
                    (text(time))
                }
            }
            None => "at no known time",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_exactly_and_in_short() {
        let shown = at(1_764_437_519_000).into_string();
        assert_eq!(
            shown,
            "<time datetime=\"2025-11-29T17:31:59Z\" data-shown=\"at\" \
             title=\"Saturday, 29 November 2025, 17:31:59 UTC\">29 Nov 2025, 17:31 UTC</time>"
        );
        assert_eq!(at(u64::MAX).into_string(), "at no known time");
    }

    #[test]
    fn times_are_seen_from_now() {
        let now = 100 * DAY;
        for (millis, text) in [
            (now, "just now"),
            (now - 3 * MINUTE, "3 min ago"),
            (now - 30 * HOUR, "30 h ago"),
            (now - 3 * DAY, "3 days ago"),
            (now + 14 * DAY, "in 14 days"),
        ] {
            assert_eq!(relative(millis, now), text);
        }
        for (millis, text) in
            [(5_000, "5 s"), (65 * MINUTE, "1 h 5 min"), (DAY, "1 day"), (3 * DAY + 2 * HOUR, "3 d 2 h")]
        {
            assert_eq!(duration(millis), text);
        }
    }
}
