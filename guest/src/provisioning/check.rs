//! Comparing a group with its organization, and putting right what does not match.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::MAX_NAMED;
use super::profile::group_name;
use super::rules;
use crate::directories::record::load;
use crate::directories::{Error, Result};
use crate::engine::Engine;
use crate::site::{arrivals, numbers, organizations, parting, probation, totals};
use crate::storage::Range;
use crate::store::edges;
use crate::store::feed::{ChangeKind, Detail};
use crate::store::keys::{self, Kind};
use crate::store::pages::{self, ENTRIES_AT_ONCE, for_each_page};
use crate::store::plan;
use crate::store::records::{self, ConflictRecord, Counts, Header, Link, Stored};
use crate::store::{self, Transaction, prefix_range, sizes};
use crate::work::Work;

/// How many memberships one repair puts right, so that what it holds has a bound. The next one goes on.
const MAX_REPAIRS: usize = 10_000;

/// A way in which a group and its organization do not match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The group has no organization; a group that is left apart has none either.
    NoOrganization,
    /// The group and its organization do not name each other, or the organization is gone.
    BrokenLink,
    /// The organization has this name instead of the group's.
    Name(String),
    /// The group says that it has this many members, but it has not.
    MemberCount(u32),
    /// This many memberships are stored only with the group or only with the user.
    OneSided(u32),
    /// This many members are not users of the directory.
    Strangers(u32),
}

/// A group compared with its organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupCheck {
    /// The group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// The organization that it says it is linked to, if any.
    pub organization: Option<u64>,
    /// How many members the group has.
    pub members: u32,
    /// What does not match; empty if all is well.
    pub differences: Vec<Difference>,
    /// Who else is a member of the organization, on probation.
    pub probation: Probation,
}

/// Restored customers who are members of an organization for a time, without being members of its group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probation {
    /// How many there are in all.
    pub count: u32,
    /// The first hundred, each with its end in milliseconds since the Unix epoch.
    pub first: Vec<(String, u64)>,
}

impl Probation {
    fn of(customers: &[(String, u64)]) -> Self {
        Probation { count: pages::count(customers.len()), first: customers.iter().take(MAX_NAMED).cloned().collect() }
    }
}

/// What a repair found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRepair {
    /// The check before the repair.
    pub found: GroupCheck,
    /// What could not be put right, or has to wait for another repair.
    pub left: Vec<Difference>,
}

/// A membership that is not as it should be.
enum Fault {
    /// It is stored only with the group.
    NotOfUser,
    /// It is stored only with the user.
    NotOfGroup,
    /// Its member is not a user of the directory.
    Stranger,
}

/// What was found in the memberships of a group.
#[derive(Default)]
struct Memberships {
    members: u32,
    one_sided: u32,
    strangers: u32,
    /// The first faults, each with its user.
    faults: Vec<(String, Fault)>,
}

impl Memberships {
    fn note(&mut self, user: &str, fault: Fault) {
        match fault {
            Fault::Stranger => self.strangers = self.strangers.saturating_add(1),
            Fault::NotOfUser | Fault::NotOfGroup => self.one_sided = self.one_sided.saturating_add(1),
        }
        if self.faults.len() < MAX_REPAIRS {
            self.faults.push((user.to_string(), fault));
        }
    }
}

impl Engine<'_> {
    /// Compares a group with its organization.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the directory or the group.
    pub fn check_group(&self, directory: &str, group: &str) -> Result<GroupCheck> {
        let now = self.now().milliseconds;
        self.read(|transaction| {
            load(transaction, directory)?;
            let stored = existing(transaction, directory, group)?;
            let memberships = memberships(transaction, directory, group)?;
            let on_probation = on_probation(transaction, directory, group, &stored, now)?;
            let probation = Probation::of(&on_probation);
            Ok(check(transaction, directory, group, &stored, &memberships, probation)?)
        })
    }

    /// Puts right what does not match. The group decides, because the identity provider pushed it: the organization
    /// gets its name, the memberships stored with the group hold, and probation ends. A group without an organization
    /// gets one if its name is free; if a local organization has the name, the conflict is open again.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the directory or the group; [`Error::Refused`] where the directory is staged.
    pub fn repair_group(&self, actor: &str, directory: &str, group: &str) -> Result<GroupRepair> {
        self.administer_directory(actor, directory, |work, counts| {
            if plan::is_staged(work.transaction, directory)? {
                let detail = "the directory is staged: what does not match is put right once its plan is applied";
                return Err(Error::Refused(detail.to_string()));
            }
            parting::check_group_done(work.transaction, group)?;
            let stored = existing(work.transaction, directory, group)?;
            let memberships_found = memberships(work.transaction, directory, group)?;
            let now = work.now.milliseconds;
            let on_probation = on_probation(work.transaction, directory, group, &stored, now)?;
            let probation = Probation::of(&on_probation);
            let found = check(work.transaction, directory, group, &stored, &memberships_found, probation)?;
            end_probation(work, stored.header.organization, on_probation)?;
            if found.differences.is_empty() {
                return Ok(GroupRepair { found, left: Vec::new() });
            }
            for (user, fault) in &memberships_found.faults {
                put_right(work.transaction, group, user, fault);
            }
            let memberships_left = memberships(work.transaction, directory, group)?;
            let link = Link { directory: directory.to_string(), resource: group.to_string() };
            let organization = organizations::mend(work, link, &found.name, stored.header.organization)?;
            if let Some(made) = organization.filter(|_| organization != stored.header.organization) {
                arrivals::record(work, made, group, None)?;
                rules::associate(work, directory, made, &found.name)?;
                work.transaction.delete(keys::left_apart(directory, group));
            }
            set_conflict(work, counts, directory, &found, organization)?;
            let linked = [stored.header.organization, organization].map(|organization| organization.is_some());
            totals::count_organization(work.transaction, directory, linked)?;
            let members = memberships_left.members;
            let others = counts.memberships.saturating_sub(u64::from(stored.header.members));
            counts.memberships = others.saturating_add(u64::from(members));
            sizes::resize(work.transaction, directory, group, stored.header.members, members);
            let mended = Header { members, organization, ..stored.header.clone() };
            if mended != stored.header {
                let header = Header { members, organization, ..stored.header.next(&work.now.text) };
                let text = stored.with_header(header);
                work.transaction.put(Kind::Group.resource(directory, group), text.text());
            }
            let stored = existing(work.transaction, directory, group)?;
            let left = check(work.transaction, directory, group, &stored, &memberships_left, Probation::default())?;
            let left = left.differences;
            if left != found.differences {
                let (directory, group) = (Some(directory.to_string()), Some(group.to_string()));
                work.record(ChangeKind::GroupRepaired, Detail { directory, group, organization, ..Detail::default() });
            }
            Ok(GroupRepair { found, left })
        })
    }
}

/// The record of a group.
///
/// # Errors
/// [`Error::NotFound`].
pub(super) fn existing(transaction: &mut Transaction, directory: &str, group: &str) -> Result<Stored> {
    let missing = || Error::NotFound("the directory has no such group".to_string());
    if !keys::is_id(group) {
        return Err(missing());
    }
    let key = Kind::Group.resource(directory, group);
    Ok(Stored::read(&key, transaction.get(key.clone())?.ok_or_else(missing)?)?)
}

fn check(
    transaction: &mut Transaction,
    directory: &str,
    group: &str,
    stored: &Stored,
    memberships: &Memberships,
    probation: Probation,
) -> store::Result<GroupCheck> {
    let name = group_name(&stored.attributes(&Kind::Group.resource(directory, group))?).to_string();
    let mut differences = link_differences(transaction, directory, group, &name, stored.header.organization)?;
    if stored.header.members != memberships.members {
        differences.push(Difference::MemberCount(stored.header.members));
    }
    if memberships.one_sided > 0 {
        differences.push(Difference::OneSided(memberships.one_sided));
    }
    if memberships.strangers > 0 {
        differences.push(Difference::Strangers(memberships.strangers));
    }
    let organization = stored.header.organization;
    let (group, members) = (group.to_string(), memberships.members);
    Ok(GroupCheck { group, name, organization, members, differences, probation })
}

/// Who is on probation in the organization of a group, if the two are linked.
fn on_probation(
    transaction: &mut Transaction,
    directory: &str,
    group: &str,
    stored: &Stored,
    now: u64,
) -> store::Result<Vec<(String, u64)>> {
    let Some(id) = stored.header.organization else { return Ok(Vec::new()) };
    let is_linked = |link: &Link| link.directory == directory && link.resource == group;
    let record = numbers::organization(transaction, id)?.filter(|record| record.link.as_ref().is_some_and(is_linked));
    record.map_or(Ok(Vec::new()), |record| probation::list(transaction, id, &record, now))
}

fn end_probation(
    work: &mut Work<'_>,
    organization: Option<u64>,
    mut customers: Vec<(String, u64)>,
) -> store::Result<()> {
    customers.truncate(MAX_REPAIRS);
    let Some(id) = organization.filter(|_| !customers.is_empty()) else { return Ok(()) };
    let Some(record) = numbers::organization(work.transaction, id)? else { return Ok(()) };
    let customers: Vec<String> = customers.into_iter().map(|(customer, _)| customer).collect();
    probation::end_early(work, id, &record, &customers)
}

fn link_differences(
    transaction: &mut Transaction,
    directory: &str,
    group: &str,
    name: &str,
    linked: Option<u64>,
) -> store::Result<Vec<Difference>> {
    let Some(id) = linked else { return Ok(alloc::vec![Difference::NoOrganization]) };
    let link = Link { directory: directory.to_string(), resource: group.to_string() };
    let number = transaction.get(keys::organization_of(group))?;
    let record = numbers::organization(transaction, id)?.filter(|record| record.link.as_ref() == Some(&link));
    let Some(record) = record else { return Ok(alloc::vec![Difference::BrokenLink]) };
    let mut differences = Vec::new();
    if number != Some(keys::number(id)) {
        differences.push(Difference::BrokenLink);
    }
    // An adopted organization keeps its own way of writing the name.
    if keys::comparable(&record.name) != keys::comparable(name) {
        differences.push(Difference::Name(record.name));
    }
    Ok(differences)
}

/// Goes through all memberships of a group, from its own end and from that of every user of the directory.
fn memberships(transaction: &mut Transaction, directory: &str, group: &str) -> store::Result<Memberships> {
    let mut all = Memberships::default();
    for_each_id(transaction, &keys::members(group), |transaction, users| {
        all.members = all.members.saturating_add(pages::count(users.len()));
        let of_users = transaction.get_many(users.iter().map(|user| keys::member_of(user, group)).collect())?;
        let known = known(transaction, directory, users)?;
        for (user, of_user) in users.iter().zip(of_users) {
            if !known.contains(user) {
                all.note(user, Fault::Stranger);
            } else if of_user.is_none() {
                all.note(user, Fault::NotOfUser);
            }
        }
        Ok(())
    })?;
    for_each_id(transaction, &Kind::User.resources(directory), |transaction, users| {
        let of_users = transaction.get_many(users.iter().map(|user| keys::member_of(user, group)).collect())?;
        let members: Vec<&String> =
            users.iter().zip(of_users).filter(|(_, of)| of.is_some()).map(|(id, _)| id).collect();
        let of_group = transaction.get_many(members.iter().map(|user| keys::member(group, user)).collect())?;
        for (user, _) in members.iter().zip(of_group).filter(|(_, of)| of.is_none()) {
            all.note(user, Fault::NotOfGroup);
        }
        Ok(())
    })?;
    Ok(all)
}

/// Those who are users of the directory, or deleted users still to be swept.
fn known(transaction: &mut Transaction, directory: &str, users: &[String]) -> store::Result<BTreeSet<String>> {
    let mut known = BTreeSet::new();
    let places: [fn(&str, &str) -> String; 2] = [|directory, user| Kind::User.resource(directory, user), keys::sweep];
    for place in places {
        let missing: Vec<&String> = users.iter().filter(|user| !known.contains(*user)).collect();
        let found = transaction.get_many(missing.iter().map(|user| place(directory, user)).collect())?;
        let found: Vec<String> =
            missing.into_iter().zip(found).filter(|(_, value)| value.is_some()).map(|(id, _)| id.clone()).collect();
        known.extend(found);
    }
    Ok(known)
}

/// Goes through the ids at the end of the keys that begin with a prefix, some at a time.
fn for_each_id(
    transaction: &mut Transaction,
    prefix: &str,
    mut visit: impl FnMut(&mut Transaction, &[String]) -> store::Result<()>,
) -> store::Result<()> {
    let range = Range { keys_only: true, ..prefix_range(prefix, ENTRIES_AT_ONCE) };
    for_each_page(transaction, range, |transaction, entries| {
        let ids: Vec<String> = entries.iter().map(|entry| keys::id_of(&entry.key).to_string()).collect();
        visit(transaction, &ids)?;
        Ok(ControlFlow::Continue(()))
    })
}

fn put_right(transaction: &mut Transaction, group: &str, user: &str, fault: &Fault) {
    match fault {
        Fault::NotOfUser => transaction.put(keys::member_of(user, group), ""),
        Fault::NotOfGroup => transaction.delete(keys::member_of(user, group)),
        Fault::Stranger => edges::remove(transaction, group, user),
    }
}

/// Opens or closes the conflict of a group. It is open if the group has no organization and a local organization has
/// its name.
fn set_conflict(
    work: &mut Work<'_>,
    counts: &mut Counts,
    directory: &str,
    found: &GroupCheck,
    organization: Option<u64>,
) -> store::Result<()> {
    let key = keys::conflict(directory, &found.group);
    let known: Option<ConflictRecord> =
        work.transaction.get(key.clone())?.map(|text| records::read(&key, &text)).transpose()?;
    let is_apart = known.as_ref().is_some_and(|known| known.apart);
    let local = match organization {
        Some(_) => None,
        None => organizations::local_named(work.transaction, &found.name)?,
    };
    match (known, local) {
        (Some(known), _) if is_apart && organization.is_some() => {
            if known.same_name.is_some() {
                work.transaction.put(key, records::write(&ConflictRecord { apart: false, ..known }));
            } else {
                work.transaction.delete(key);
                counts.conflicts = counts.conflicts.saturating_sub(1);
            }
        }
        (known, Some(local)) if !is_apart => {
            counts.conflicts = counts.conflicts.saturating_add(u64::from(known.is_none()));
            let since = work.now.milliseconds;
            let known = known.unwrap_or(ConflictRecord { since, apart: true, same_name: None, refused: None });
            work.transaction.delete(keys::left_apart(directory, &found.group));
            work.transaction.put(key, records::write(&ConflictRecord { apart: true, ..known }));
            let (directory, group) = (Some(directory.to_string()), Some(found.group.clone()));
            let detail = Detail { directory, group, organization: Some(local), ..Detail::default() };
            work.record(ChangeKind::OrganizationConflict, detail);
        }
        _ => {}
    }
    Ok(())
}
