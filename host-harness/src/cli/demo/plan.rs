//! The plan of a staged directory: what going live would do, as a table.

use super::admin::Admin;
use super::bar;
use super::client::Trouble;
use super::idp::Connected;
use indicatif::HumanCount;
use serde_json::Value;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait until it is worked out who gains or loses projects: that begins when nothing was pushed for some
/// seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often to ask.
const PAUSE: Duration = Duration::from_millis(200);

/// How wide the table is.
const WIDTH: usize = 80;

/// How wide what comes before the names is.
const BEFORE_NAMES: usize = 36;

/// How many lines of names a row has at most.
const LINES: usize = 4;

/// How many names are asked for: enough to fill a row.
const NAMES: usize = 12;

/// How many members are asked for at once, to count them.
const MEMBERS: usize = 1_000;

/// What is planned, as the answer counts it, as lists are called, and as it is told.
const KINDS: [(&str, &str, &str, &str); 12] = [
    ("customers", "delete", "delete-customer", "deleted"),
    ("customers", "deactivate", "deactivate-customer", "deactivated"),
    ("customers", "unlink", "unlink-customer", "unlinked"),
    ("customers", "link", "link-customer", "linked"),
    ("customers", "make", "make-customer", "made"),
    ("customers", "activate", "activate-customer", "activated"),
    ("customers", "change", "change-customer", "changed"),
    ("organizations", "adopt", "adopt-organization", "adopted"),
    ("organizations", "make", "make-organization", "made"),
    ("organizations", "rename", "rename-organization", "renamed"),
    ("organizations", "members", "change-members", "with others"),
    ("organizations", "delete", "delete-organization", "deleted"),
];

/// What going live would do.
pub(super) struct Plan {
    directory: &'static str,
    rows: Vec<Row>,
    projects: Vec<Project>,
    /// Whether it is known who gains and who loses projects.
    is_current: bool,
}

/// So many of something, and some of them.
struct Row {
    what: &'static str,
    count: u64,
    told: &'static str,
    names: Names,
}

enum Names {
    /// Each on a line of its own, as there is something to say about each.
    Lines(Vec<String>),
    Listed(Vec<String>),
}

struct Project {
    name: String,
    gaining: u64,
    losing: u64,
}

impl Plan {
    /// Reads the plan, when it is known what it does to the projects.
    pub(super) fn read(admin: &mut Admin<'_>, provider: &Connected) -> Result<Self, Trouble> {
        let path = format!("/directories/{}/plan", provider.directory);
        let plan = settled(admin, &path)?;
        let mut rows = Vec::new();
        for (what, field, list, told) in KINDS {
            let count = number(&plan[what][field]);
            if count > 0 {
                let items = list_of(admin, &path, list)?;
                rows.push(Row { what, count, told, names: names(admin, &path, list, &items)? });
            }
        }
        let access = &plan["access"];
        for (field, list, told) in [("losing", "loses-access", "lost by"), ("gaining", "gains-access", "gained by")] {
            let count = number(&access[field]);
            if count > 0 {
                let items = list_of(admin, &path, list)?;
                rows.push(Row { what: "access", count, told, names: names(admin, &path, list, &items)? });
            }
        }
        let projects = access["projects"].as_array().into_iter().flatten().map(|project| Project {
            name: text(&project["name"]),
            gaining: number(&project["gaining"]),
            losing: number(&project["losing"]),
        });
        let (projects, is_current) = (projects.collect(), access["current"] == true);
        Ok(Self { directory: provider.kind.directory(), rows, projects, is_current })
    }
}

/// The plan once it is known who gains and who loses projects; without that if it takes too long, or nothing is planned.
fn settled(admin: &mut Admin<'_>, path: &str) -> Result<Value, Trouble> {
    let (begin, spinner) = (Instant::now(), bar::waiting("working out who gains and who loses projects"));
    loop {
        let plan = admin.get(path)?;
        let is_empty = KINDS.iter().all(|(what, field, ..)| number(&plan[what][field]) == 0);
        if is_empty || plan["access"]["current"] == true || begin.elapsed() > PATIENCE {
            spinner.finish_and_clear();
            return Ok(plan);
        }
        thread::sleep(PAUSE);
    }
}

/// The first of a list.
fn list_of(admin: &mut Admin<'_>, path: &str, list: &str) -> Result<Vec<Value>, Trouble> {
    let mut page = admin.get(&format!("{path}/{list}?limit={NAMES}"))?;
    Ok(page["values"].as_array_mut().map(std::mem::take).unwrap_or_default())
}

/// What is said of the first of a list.
fn names(admin: &mut Admin<'_>, path: &str, list: &str, items: &[Value]) -> Result<Names, Trouble> {
    let name = |item: &Value| text(&item["name"]);
    Ok(match list {
        "link-customer" => Names::Lines(items.iter().map(linked).collect()),
        "adopt-organization" | "change-members" => {
            let mut lines = Vec::new();
            for item in items.iter().take(LINES) {
                lines.push(name(item));
                lines.extend(turnover(admin, path, item)?);
            }
            Names::Lines(lines)
        }
        "loses-access" => {
            Names::Lines(items.iter().map(|item| format!("{}: {}", name(item), projects(item))).collect())
        }
        _ => Names::Listed(items.iter().map(name).collect()),
    })
}

/// A customer whom the site has already, and what it calls them.
fn linked(item: &Value) -> String {
    let name = text(&item["name"]);
    let changes = item["changes"].as_array();
    let change = changes.into_iter().flatten().find(|change| change["attribute"] == "displayName");
    change.map_or_else(|| name.clone(), |change| format!("{name}, here as {}", change["old"]))
}

/// Who comes into an organization, and who goes.
fn turnover(admin: &mut Admin<'_>, path: &str, item: &Value) -> Result<Vec<String>, Trouble> {
    let (group, mut lines) = (text(&item["groupId"]), Vec::new());
    for turn in ["come", "go"] {
        let (mut names, mut count, mut cursor) = (Vec::new(), 0, String::new());
        loop {
            let page = admin.get(&format!("{path}/members/{group}?turn={turn}&limit={MEMBERS}{cursor}"))?;
            let members = page["values"].as_array().map(Vec::as_slice).unwrap_or_default();
            count += members.len() as u64;
            names.extend(members.iter().take(NAMES - names.len()).map(|member| text(&member["name"])));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        if count > 0 {
            let room = WIDTH - BEFORE_NAMES - 2;
            let begin = format!("{} {turn}: ", HumanCount(count));
            lines.push(format!("  {begin}{}", listed(&names, count, room - begin.chars().count())));
        }
    }
    Ok(lines)
}

fn projects(item: &Value) -> String {
    let names: Vec<String> =
        item["projects"].as_array().into_iter().flatten().map(|project| text(&project["name"])).collect();
    names.join(", ")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

impl fmt::Display for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "\n{} is staged: the site knows nothing of it yet.\nGoing live would do this:\n",
            self.directory
        )?;
        let mut last = "";
        for Row { what, count, told, names } in &self.rows {
            let what = if *what == last { "" } else { what };
            let before = format!("  {what:<14}{:>7} {told:<12}", HumanCount(*count).to_string());
            let mut before = format!("{before:<BEFORE_NAMES$}");
            for line in names.lines(*count) {
                writeln!(out, "{before}{line}")?;
                before = " ".repeat(BEFORE_NAMES);
            }
            last = if what.is_empty() { last } else { what };
        }
        if self.rows.is_empty() {
            writeln!(out, "  nothing")?;
        }
        if !self.projects.is_empty() {
            writeln!(out, "\n  {:<31} {:>10} {:>10}", "project", "gained by", "lost by")?;
        }
        for Project { name, gaining, losing } in &self.projects {
            let (gaining, losing) = (HumanCount(*gaining).to_string(), HumanCount(*losing).to_string());
            writeln!(out, "  {:<31} {gaining:>10} {losing:>10}", shortened(name, 31))?;
        }
        if !self.is_current && !self.rows.is_empty() {
            writeln!(out, "\n  Who gains and who loses projects is still being worked out.")?;
        }
        Ok(())
    }
}

impl Names {
    /// The names of some, as lines that are not too long, and whether there are more.
    fn lines(&self, count: u64) -> Vec<String> {
        let width = WIDTH - BEFORE_NAMES;
        match self {
            Self::Lines(all) => {
                let mut lines: Vec<String> = all.iter().take(LINES).map(|line| shortened(line, width)).collect();
                if all.len() > LINES {
                    lines.push("…".into());
                }
                lines
            }
            Self::Listed(all) => [listed(all, count, width)].to_vec(),
        }
    }
}

/// The names of some of so many in a line, with what says that there are more.
fn listed(names: &[String], count: u64, width: usize) -> String {
    let (mut line, mut shown) = (String::new(), 0);
    for name in names {
        let longer = if line.is_empty() { name.clone() } else { format!("{line}, {name}") };
        if longer.chars().count() + 3 > width && shown > 0 {
            break;
        }
        (line, shown) = (longer, shown + 1);
    }
    if shown < count {
        line.push_str(", …");
    }
    shortened(&line, width)
}

fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}
