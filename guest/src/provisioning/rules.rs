//! Projects by rule: the organizations of groups with certain names are associated with projects, at once when they are
//! made or adopted, and on demand where they exist.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::profile::group_name;
use crate::directories::record::{load, load_rules};
use crate::directories::{Error, Result};
use crate::engine::Engine;
use crate::site::projects;
use crate::store::keys::{self, Association, Kind};
use crate::store::pages::{Page, scan_ids};
use crate::store::records::{self, ProjectRule, Stored};
use crate::store::{self, Transaction};
use crate::text::fold;
use crate::work::Work;

/// How many associations one call previews or makes, about: it ends with the organization with which they are reached.
const ASSOCIATIONS_AT_ONCE: usize = 1_000;

/// An organization that rules would associate with projects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleEffect {
    /// The number of the organization.
    pub organization: u64,
    /// The group that it is linked to.
    pub group: String,
    /// The name of the group.
    pub name: String,
    /// The projects that it is not associated with yet, each with its number and name.
    pub projects: Vec<(u64, String)>,
}

/// What applying rules to some of the organizations of a directory has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesApplied {
    /// How many associations were made.
    pub associations: u32,
    /// What to go on with; `None` after the last organization.
    pub next: Option<String>,
}

/// Associates an organization that has just been made or adopted for a group of this name.
///
/// # Errors
/// Where the storage fails.
pub fn associate(work: &mut Work<'_>, directory: &str, organization: u64, name: &str) -> store::Result<()> {
    let rules = load_rules(work.transaction, directory)?;
    for (project, _) in missing(work.transaction, &rules, organization, name)? {
        projects::open_to(work, project, organization)?;
    }
    Ok(())
}

/// The projects that rules have for a group of this name.
pub fn projects_for(rules: &[ProjectRule], name: &str) -> BTreeSet<u64> {
    let name = keys::comparable(name);
    rules.iter().filter(|rule| matches(&rule.pattern, &name)).flat_map(|rule| &rule.projects).copied().collect()
}

/// The projects that rules have for a group of this name and its organization does not have, each with its name.
fn missing(
    transaction: &mut Transaction,
    rules: &[ProjectRule],
    organization: u64,
    name: &str,
) -> store::Result<Vec<(u64, String)>> {
    let wanted: Vec<u64> = projects_for(rules, name).into_iter().collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let number = keys::number(organization);
    let associated = wanted.iter().map(|project| {
        let [of_project, _] = Association::Organization.both(*project, &number);
        of_project
    });
    let mut found =
        transaction.get_many(associated.chain(wanted.iter().map(|project| keys::project(*project))).collect())?;
    // A project of a rule may have been deleted since.
    let records = found.split_off(wanted.len());
    let mut missing = Vec::new();
    for ((project, associated), record) in wanted.into_iter().zip(found).zip(records) {
        if let (None, Some(text)) = (associated, record) {
            missing.push((project, projects::describe(project, records::read(&keys::project(project), &text)?).name));
        }
    }
    Ok(missing)
}

/// Whether a name, as it is compared, is one that a pattern stands for.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern = fold(pattern.trim());
    let mut parts = pattern.split('*');
    // There is always one part, and every other follows a `*`.
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        // The first place leaves the most for what follows.
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

impl Engine<'_> {
    /// What the project rules of a directory would associate organizations with that exist. Looks at the organizations
    /// of up to `limit` groups, in the order in which these were made, and returns those with which it would do
    /// something, about a thousand associations at most: a page may be short or empty and have others behind it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a limit or cursor that is not valid.
    pub fn preview_rules(&self, id: &str, cursor: Option<&str>, limit: u32) -> Result<Page<RuleEffect>> {
        self.read(|transaction| effects(transaction, id, cursor, limit))
    }

    /// Does what [`preview_rules`](Self::preview_rules) with the same cursor and limit says.
    ///
    /// # Errors
    /// As [`preview_rules`](Self::preview_rules).
    pub fn apply_rules(&self, actor: &str, id: &str, cursor: Option<&str>, limit: u32) -> Result<RulesApplied> {
        self.administer(actor, |work| {
            let page = effects(work.transaction, id, cursor, limit)?;
            let mut associations = 0;
            for effect in page.values {
                for (project, _) in effect.projects {
                    projects::open_to(work, project, effect.organization)?;
                    associations += 1;
                }
            }
            Ok::<_, Error>(RulesApplied { associations, next: page.next })
        })
    }
}

fn effects(transaction: &mut Transaction, id: &str, cursor: Option<&str>, limit: u32) -> Result<Page<RuleEffect>> {
    load(transaction, id)?;
    let rules = load_rules(transaction, id)?;
    let Page { values: entries, next } = scan_ids::<Error>(transaction, &Kind::Group.resources(id), cursor, limit)?;
    let (mut values, mut associations) = (Vec::new(), 0);
    for entry in entries {
        let group = keys::id_of(&entry.key).to_string();
        let stored = Stored::read(&entry.key, entry.value)?;
        let Some(organization) = stored.header.organization else { continue };
        let name = group_name(&stored.attributes(&entry.key)?).to_string();
        let projects = missing(transaction, &rules, organization, &name)?;
        if projects.is_empty() {
            continue;
        }
        associations += projects.len();
        let place = Some(group.clone()).filter(|_| associations >= ASSOCIATIONS_AT_ONCE);
        values.push(RuleEffect { organization, group, name, projects });
        if place.is_some() {
            return Ok(Page { values, next: place });
        }
    }
    Ok(Page { values, next })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, expected) in [
            ("Sales", "sales", true),
            ("Sales", "sales emea", false),
            ("sales*", "sales", true),
            ("Sales *", "sales emea", true),
            ("*desk", "help desk", true),
            ("*desk", "desktop", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*a", "aba", true),
            ("a*ab*b", "aab", false),
            ("BÜRO*", "büro köln", true),
            ("Bu\u{308}ro*", "büro köln", true),
            ("**", "x", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    /// The same by the plainest way.
    fn plainly(pattern: &[char], name: &[char]) -> bool {
        match pattern {
            [] => name.is_empty(),
            ['*', rest @ ..] => (0..=name.len()).any(|at| plainly(rest, &name[at..])),
            [first, rest @ ..] => name.first() == Some(first) && plainly(rest, &name[1..]),
        }
    }

    proptest! {
        #[test]
        fn it_matches_as_the_plainest_way_does(pattern in "[ab*]{1,6}", name in "[ab]{0,6}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &name), plainly(&chars(&pattern), &chars(&name)));
        }
    }
}
