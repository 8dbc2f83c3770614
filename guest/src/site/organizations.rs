//! Organizations: named sets of customers, made by administrators or for the groups of directories. `membership` has
//! their members.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::error::{Error, Result};
use super::holders;
use super::standing::{
    Standing, Standings, check_local, is_all_in_sight, is_leaving, is_managed, manager, shown_page, standing,
};
use super::{index, kept, numbers, parting, probation, totals};
use crate::engine::Engine;
use crate::names;
use crate::storage::Range;
use crate::store::edges::SWEPT_AT_ONCE;
use crate::store::feed::{ChangeKind, Detail, ValueChange};
use crate::store::histories;
use crate::store::keys::{self, Association};
use crate::store::pages::{ENTRIES_AT_ONCE, Page, Position, ends, for_each_page};
use crate::store::records::{self, ConflictPolicy, Due, Link, OrganizationRecord, Retained, Subject, Sweep};
use crate::store::{self, Transaction, prefix_range};
use crate::text::quoted;
use crate::twins;
use crate::work::Work;

/// How many projects an organization can be associated with; a site has far fewer.
const MAX_PROJECTS: u32 = 10_000;

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its number.
    pub id: u64,
    /// The name, 1 to 200 characters.
    pub name: String,
    /// A UUID, which clients of the reference product expect besides the number.
    pub uuid: String,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_at: u64,
    /// The id of the directory that manages it; `None` if it is local.
    pub managed_by: Option<String>,
    /// The id of the group that it is linked to, while it is managed.
    pub group: Option<String>,
}

/// Makes or adopts the organization of a group that is first pushed, and returns its number; `None` if the policy
/// leaves a local organization alone. Without a grace, only the group's members are members of an adopted one from now
/// on: [`settle_at_once`] is to follow, as soon as the group has its members.
///
/// # Errors
/// [`Error::Taken`] if a managed organization has the name, or a local one and the policy is to reject.
pub fn provision(
    work: &mut Work<'_>,
    link: Link,
    name: &str,
    policy: ConflictPolicy,
    grace_seconds: Option<u32>,
) -> Result<Option<u64>> {
    let Some((id, old, is_managed)) = claim(work, name)? else { return Ok(Some(create(work, link, name)?)) };
    if is_managed {
        let name = manager(work.transaction, old.link.as_ref())?.map(|directory| directory.name);
        return Err(Error::Taken(format!(
            "an organization has this name already, which the directory {} manages",
            quoted(&name.unwrap_or_default())
        )));
    }
    match policy {
        ConflictPolicy::Reject => Err(Error::Taken("an organization of the site has this name".to_string())),
        ConflictPolicy::Skip => {
            let (directory, group) = (Some(link.directory), Some(link.resource));
            work.record(ChangeKind::OrganizationConflict, Detail { directory, group, ..Detail::of_organization(id) });
            Ok(None)
        }
        ConflictPolicy::Sync => {
            // The identity provider may come again: this is over soon.
            parting::check_done(&old).map_err(|error| store::Error::Unavailable(error.to_string()))?;
            adopt(work, id, &old, link, grace_seconds)?;
            Ok(Some(id))
        }
    }
}

/// Makes the organization of a group.
fn create(work: &mut Work<'_>, link: Link, name: &str) -> store::Result<u64> {
    let group = link.resource.clone();
    let record = OrganizationRecord {
        name: name.trim().to_string(),
        uuid: uuid(&group),
        created: work.now.milliseconds,
        link: Some(link),
        former: None,
        restored: false,
        retained: None,
        parted: None,
        staying: false,
        twin: None,
    };
    let id = insert(work, &record)?;
    work.transaction.put(keys::organization_of(&group), keys::number(id));
    let detail = Detail { group: Some(group), ..Detail::of_organization(id) };
    work.record_values(ChangeKind::OrganizationCreated, detail, [ValueChange::first("name", &record.name)].to_vec());
    Ok(id)
}

/// Makes a local organization a group's. Without a grace, those who are not members of the group are out at once, and
/// [`settle_at_once`] names them.
fn adopt(
    work: &mut Work<'_>,
    id: u64,
    old: &OrganizationRecord,
    link: Link,
    grace_seconds: Option<u32>,
) -> store::Result<()> {
    let group = link.resource.clone();
    let holders = holders::holders(work.transaction, id, old, work.now.milliseconds)?;
    let is_kept = |name: &String| holders.iter().any(|holder| holder.name == *name);
    for holder in holders::all_holders(id, old).iter().filter(|holder| !is_kept(holder)) {
        holders::forget_members(work.transaction, holder)?;
    }
    let due = Due::Adoption(id);
    if let Some(retained) = &old.retained {
        work.transaction.delete(due.key(retained.until));
    }
    let until = work.now.milliseconds.saturating_add(u64::from(grace_seconds.unwrap_or(0)) * 1_000);
    work.transaction.put(due.key(until), records::write(&due));
    let retained = Some(Retained { until, holders: holders.into_iter().map(|holder| holder.name).collect() });
    let record = OrganizationRecord {
        link: Some(link),
        former: None,
        restored: false,
        retained,
        parted: None,
        staying: false,
        ..old.clone()
    };
    work.transaction.put(keys::organization(id), records::write(&record));
    index::replace_organization(work.transaction, id, Some(old), Some(&record));
    totals::count_organization(work.transaction, keys::SITE, [true, false])?;
    work.transaction.put(keys::organization_of(&group), keys::number(id));
    work.record(ChangeKind::OrganizationAdopted, Detail { group: Some(group), ..Detail::of_organization(id) });
    Ok(())
}

/// The organization of this name, even one that is out of sight.
fn holder_of(transaction: &mut Transaction, name: &str) -> store::Result<Option<(u64, OrganizationRecord, Standing)>> {
    let Some(number) = transaction.get(keys::organization_name(name))? else { return Ok(None) };
    let id = numbers::parse(&keys::organization_name(name), &number)?;
    let record =
        numbers::organization(transaction, id)?.ok_or_else(|| store::Error::corrupt(&keys::organization(id)))?;
    let standing = standing(transaction, record.link.as_ref())?;
    Ok(Some((id, record, standing)))
}

/// The organization of this name, if there is one.
///
/// # Errors
/// Where the storage fails.
pub fn named(transaction: &mut Transaction, name: &str) -> store::Result<Option<(u64, OrganizationRecord)>> {
    let found = holder_of(transaction, name)?.filter(|(_, _, standing)| *standing != Standing::Leaving);
    Ok(found.map(|(id, record, _)| (id, record)))
}

/// The number of the local organization of this name, if there is one.
///
/// # Errors
/// Where the storage fails.
pub fn local_named(transaction: &mut Transaction, name: &str) -> store::Result<Option<u64>> {
    let found = holder_of(transaction, name)?.filter(|(_, _, standing)| *standing == Standing::Local);
    Ok(found.map(|(id, _, _)| id))
}

/// The organization of this name, if there is one, and whether it is managed. One that is leaving with its directory
/// makes way.
fn claim(work: &mut Work<'_>, name: &str) -> store::Result<Option<(u64, OrganizationRecord, bool)>> {
    let Some((id, record, standing)) = holder_of(work.transaction, name)? else { return Ok(None) };
    if standing == Standing::Leaving {
        remove(work, id)?;
        return Ok(None);
    }
    Ok(Some((id, record, standing == Standing::Managed)))
}

/// Whether an organization has this name. One that is leaving with its directory makes way.
///
/// # Errors
/// Where the storage fails.
pub fn is_taken(work: &mut Work<'_>, name: &str) -> store::Result<bool> {
    Ok(claim(work, name)?.is_some())
}

/// Removes an organization that is leaving with its directory, without waiting for upkeep.
///
/// # Errors
/// Where the storage fails.
pub fn remove_leaving(work: &mut Work<'_>, id: u64) -> store::Result<()> {
    let Some(record) = numbers::organization(work.transaction, id)? else { return Ok(()) };
    if is_leaving(work.transaction, record.link.as_ref())? { remove(work, id).map(drop) } else { Ok(()) }
}

/// Links a group and its organization to each other again, whatever has come between them. An organization of this very
/// group stays with it and gets its name. If there is none and the name is free, a new one is made. `None` if another
/// organization has the name.
///
/// # Errors
/// Where the storage fails.
pub fn mend(work: &mut Work<'_>, link: Link, name: &str, linked: Option<u64>) -> Result<Option<u64>> {
    let record = linked.map(|id| numbers::organization(work.transaction, id)).transpose()?.flatten();
    let Some((id, record)) = linked.zip(record).filter(|(_, record)| record.link.as_ref() == Some(&link)) else {
        work.transaction.delete(keys::organization_of(&link.resource));
        return if is_taken(work, name)? { Ok(None) } else { Ok(Some(create(work, link, name)?)) };
    };
    work.transaction.put(keys::organization_of(&link.resource), keys::number(id));
    if !is_taken(work, name)? {
        rename(work, id, &record, name.trim())?;
    }
    Ok(Some(id))
}

/// Renames the local organization that has a group's name, so that the group can have an organization of its own.
///
/// # Errors
/// [`Error::Invalid`]; [`Error::Taken`] where an organization has the new name; [`Error::Managed`].
pub fn make_way(work: &mut Work<'_>, name: &str, new: &str) -> Result<()> {
    let new = names::checked(new)?;
    if keys::comparable(&new) == keys::comparable(name) {
        return Err(Error::Invalid("the new name must be another than that of the group".to_string()));
    }
    let Some((id, old, _)) = claim(work, name)? else { return Ok(()) };
    check_local(work.transaction, old.link.as_ref(), "the organization")?;
    rename(work, id, &old, &new)
}

/// Follows the new name of a group.
///
/// # Errors
/// [`Error::Taken`] if another organization has it.
pub fn follow_name(work: &mut Work<'_>, id: u64, name: &str) -> Result<()> {
    let old =
        numbers::organization(work.transaction, id)?.ok_or_else(|| store::Error::corrupt(&keys::organization(id)))?;
    rename(work, id, &old, name.trim())
}

/// Makes sure that no organization has this name. One that is leaving with its directory makes way.
///
/// # Errors
/// [`Error::Taken`] if one has.
pub fn check_free(work: &mut Work<'_>, name: &str) -> Result<()> {
    if is_taken(work, name)? { Err(Error::Taken("another organization has this name".to_string())) } else { Ok(()) }
}

/// What is left, after settling, of an organization's members that are not its group's.
#[derive(Debug, Default)]
pub struct Settled {
    /// Whether there can still be such members.
    pub has_others: bool,
    /// The customers whose probation the group's complete list has ended, whether they are on it or not.
    pub replaced: Vec<String>,
    /// What held members until now: to be left behind when the group has its members, see [`holders::leave_behind`].
    pub former: Vec<String>,
}

/// As [`settle`], where the group has its members already.
///
/// # Errors
/// Where the storage fails.
pub fn settle_at_once(work: &mut Work<'_>, id: u64, is_complete: bool) -> store::Result<()> {
    let settled = settle(work, id, is_complete)?;
    part(work, id, &settled)
}

/// Leaves behind what held members of an organization before it was settled, and notes in the change feed who is no member
/// any more.
///
/// # Errors
/// Where the storage fails.
pub fn part(work: &mut Work<'_>, id: u64, settled: &Settled) -> store::Result<()> {
    let named = holders::leave_behind(work, id, &settled.former)?;
    let replaced: Vec<String> = settled.replaced.iter().filter(|customer| !named.contains(customer)).cloned().collect();
    probation::record_gone(work, id, &replaced)
}

/// Ends the grace of an adopted organization when its time has passed, or when the group's list is complete: those who
/// are not on it are then out, even those on probation. Who they are is known when the group has its members: [`part`] is
/// to follow then.
///
/// # Errors
/// Where the storage fails.
pub fn settle(work: &mut Work<'_>, id: u64, is_complete: bool) -> store::Result<Settled> {
    let Some(mut old) = numbers::organization(work.transaction, id)? else { return Ok(Settled::default()) };
    let mut replaced = Vec::new();
    if is_complete && old.restored {
        let on_probation = probation::list(work.transaction, id, &old, work.now.milliseconds)?;
        replaced.extend(on_probation.into_iter().map(|(customer, _)| customer));
        holders::forget_members(work.transaction, &holders::own_holder(id, &old))?;
        old.restored = false;
        work.transaction.put(keys::organization(id), records::write(&old));
    }
    let has_others = old.restored;
    let Some(retained) = old.retained.take() else {
        return Ok(Settled { has_others, replaced, former: Vec::new() });
    };
    if !is_complete && work.now.milliseconds < retained.until {
        return Ok(Settled { has_others: true, replaced, former: Vec::new() });
    }
    let due = Due::Adoption(id);
    work.transaction.delete(due.key(retained.until));
    if !is_managed(work.transaction, old.link.as_ref())? {
        // The directory was disconnected within the grace, so everything stays as it was.
        let retained = Retained { until: u64::MAX, ..retained };
        work.transaction.put(due.key(retained.until), records::write(&due));
        old.retained = Some(retained);
        work.transaction.put(keys::organization(id), records::write(&old));
        return Ok(Settled { has_others: true, replaced, former: Vec::new() });
    }
    work.transaction.put(keys::organization(id), records::write(&old));
    work.record(ChangeKind::OrganizationSettled, Detail::of_organization(id));
    Ok(Settled { has_others, replaced, former: retained.holders })
}

/// Ends every grace and every probation whose time has passed, if upkeep has not done so yet.
///
/// # Errors
/// Where the storage fails.
pub fn settle_due(work: &mut Work<'_>) -> store::Result<()> {
    let (now, transaction) = (work.now, &mut *work.transaction);
    let end = keys::due(now.milliseconds.saturating_add(1), "");
    let range = Range { end, ..prefix_range(keys::ALL_DUE, ENTRIES_AT_ONCE) };
    let (actor, request, settings) = (work.actor, work.request, work.settings);
    for_each_page(transaction, range, |transaction, entries| {
        let work = &mut Work { transaction, now, actor, request, settings };
        for entry in entries {
            match records::read(&entry.key, &entry.value)? {
                Due::Adoption(organization) => settle_at_once(work, organization, false)?,
                Due::Probation { holder, customer } => {
                    work.transaction.delete(entry.key.clone());
                    probation::end(work, &holder, &customer)?;
                }
                _ => {}
            }
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// Removes an organization from the site; its customers stay. Returns whether it is kept, so that it can be restored
/// with its members.
///
/// # Errors
/// Where the storage fails.
pub fn remove(work: &mut Work<'_>, id: u64) -> store::Result<bool> {
    let Some(mut old) = numbers::organization(work.transaction, id)? else { return Ok(false) };
    if old.restored {
        // Those who are members now are restored with it.
        settle_due(work)?;
        old = numbers::organization(work.transaction, id)?.unwrap_or(old);
    }
    work.transaction.delete(keys::organization(id));
    index::replace_organization(work.transaction, id, Some(&old), None);
    if standing(work.transaction, old.link.as_ref())? == Standing::Local {
        totals::count_organization(work.transaction, keys::SITE, [true, false])?;
    }
    drop_name(work.transaction, id, &mut old)?;
    if let Some(retained) = &old.retained {
        work.transaction.delete(Due::Adoption(id).key(retained.until));
    }
    let number = keys::number(id);
    let mut projects = Vec::new();
    for project in ends(work.transaction, &Association::Organization.of_other(&number), MAX_PROJECTS)? {
        let project = numbers::parse("op", &project)?;
        Association::Organization.both(project, &number).into_iter().for_each(|key| work.transaction.delete(key));
        projects.push(project);
    }
    work.record(ChangeKind::OrganizationDeleted, Detail::of_organization(id));
    let retention = kept::retention(work)?;
    let followed = old.link.clone();
    if retention == 0 {
        erase(work, id, &old, followed.as_ref())?;
        return Ok(false);
    }
    old.retained = kept_with(work, old.retained)?;
    old.former = old.link.take().map(|link| link.resource).or(old.former);
    old.restored = false;
    kept::keep_organization(work, id, old, followed, projects, retention);
    Ok(true)
}

/// What a deleted organization keeps of the members that it had before it was adopted: if their grace still lasts, they
/// are members without an end when it is restored.
fn kept_with(work: &mut Work<'_>, retained: Option<Retained>) -> store::Result<Option<Retained>> {
    let Some(retained) = retained else { return Ok(None) };
    if work.now.milliseconds < retained.until {
        return Ok(Some(Retained { until: u64::MAX, ..retained }));
    }
    for holder in &retained.holders {
        holders::forget_members(work.transaction, holder)?;
    }
    Ok(None)
}

/// Removes all that is left of a deleted organization. Until it was deleted it `followed` a group, if any.
///
/// # Errors
/// Where the storage fails.
pub fn erase(work: &mut Work<'_>, id: u64, old: &OrganizationRecord, followed: Option<&Link>) -> store::Result<()> {
    kept::have_log_forget(work, followed, &[&old.name]);
    for holder in holders::all_holders(id, old) {
        holders::forget_members(work.transaction, &holder)?;
    }
    if histories::drop_entries(work.transaction, &keys::organization_history(id), SWEPT_AT_ONCE)?.1 {
        work.transaction.put(keys::history_sweep(id), records::write(&Sweep::History));
    }
    work.record(ChangeKind::OrganizationErased, Detail::of_organization(id));
    Ok(())
}

/// Removes the organization of a group whose directory is being removed with all that it managed, unless the
/// organization has another group by now.
///
/// # Errors
/// Where the storage fails.
pub fn remove_of_group(work: &mut Work<'_>, group: &str) -> store::Result<()> {
    let Some(number) = work.transaction.get(keys::organization_of(group))? else {
        return holders::forget_members(work.transaction, group);
    };
    let id = numbers::parse(&keys::organization_of(group), &number)?;
    let is_linked = |record: OrganizationRecord| record.link.is_some_and(|link| link.resource == group);
    if numbers::organization(work.transaction, id)?.is_some_and(is_linked) {
        remove(work, id).map(drop)
    } else {
        Ok(())
    }
}

fn insert(work: &mut Work<'_>, record: &OrganizationRecord) -> store::Result<u64> {
    let id = numbers::next(work.transaction, keys::LAST_ORGANIZATION_KEY)?;
    work.transaction.put(keys::organization(id), records::write(record));
    work.transaction.put(keys::organization_name(&record.name), keys::number(id));
    index::replace_organization(work.transaction, id, None, Some(record));
    Ok(id)
}

fn rename(work: &mut Work<'_>, id: u64, old: &OrganizationRecord, name: &str) -> Result<()> {
    if old.name == name {
        return Ok(());
    }
    let mut record = old.clone();
    let (old_key, new_key) = (keys::organization_name(&old.name), keys::organization_name(name));
    if old_key != new_key {
        check_free(work, name)?;
        // A plan in which organizations exchange their names has taken it out already.
        if old.twin.is_some() || work.transaction.get(old_key)? == Some(keys::number(id)) {
            drop_name(work.transaction, id, &mut record)?;
        }
        work.transaction.put(new_key, keys::number(id));
    }
    record.name = name.to_string();
    work.transaction.put(keys::organization(id), records::write(&record));
    index::replace_organization(work.transaction, id, Some(old), Some(&record));
    let values = ValueChange::between("name", &old.name, name).into_iter().collect();
    work.record_values(ChangeKind::OrganizationRenamed, Detail::of_organization(id), values);
    Ok(())
}

/// Takes the name of an organization out of the index. If two have the name, the index leads to the other one from now
/// on.
fn drop_name(transaction: &mut Transaction, id: u64, record: &mut OrganizationRecord) -> store::Result<()> {
    let key = keys::organization_name(&record.name);
    match record.twin.take() {
        None => transaction.delete(key),
        Some(twin) => drop(twins::part(transaction, None, &Subject::Organization(id), twin, key)?),
    }
    Ok(())
}

/// The record of an organization.
///
/// # Errors
/// [`Error::NotFound`].
pub fn existing(transaction: &mut Transaction, id: u64) -> Result<OrganizationRecord> {
    let missing = || Error::NotFound("there is no such organization".to_string());
    let record = numbers::organization(transaction, id)?.ok_or_else(missing)?;
    if is_leaving(transaction, record.link.as_ref())? { Err(missing()) } else { Ok(record) }
}

/// An organization as callers see it.
///
/// # Errors
/// Where the storage fails.
pub fn describe(transaction: &mut Transaction, id: u64, record: OrganizationRecord) -> Result<Organization> {
    let managed = is_managed(transaction, record.link.as_ref())?;
    Ok(described(id, record, managed))
}

/// An organization as callers see it; `None` if it is out of sight.
///
/// # Errors
/// Where the storage fails.
pub(super) fn show(
    transaction: &mut Transaction,
    standings: &mut Standings,
    id: u64,
    record: OrganizationRecord,
) -> Result<Option<Organization>> {
    let standing = standings.of(transaction, record.link.as_ref())?;
    Ok((standing != Standing::Leaving).then(|| described(id, record, standing == Standing::Managed)))
}

fn described(id: u64, record: OrganizationRecord, managed: bool) -> Organization {
    let (managed_by, group) = record.link.filter(|_| managed).map(|link| (link.directory, link.resource)).unzip();
    Organization { id, name: record.name, uuid: record.uuid, created_at: record.created, managed_by, group }
}

/// A UUID (RFC 9562, version 8: made from what is unique already) from an id.
fn uuid(id: &str) -> String {
    let mut bytes = [0; 16];
    for (byte, from) in bytes.iter_mut().zip(id.bytes().rev()) {
        *byte = from;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

impl Engine<'_> {
    /// Makes a local organization.
    ///
    /// # Errors
    /// [`Error::Invalid`]; [`Error::Taken`] where an organization has this name.
    pub fn create_organization(&self, actor: &str, name: &str) -> Result<Organization> {
        let now = self.now();
        let record = OrganizationRecord {
            name: names::checked(name)?,
            uuid: uuid(&self.new_id(&now)),
            created: now.milliseconds,
            link: None,
            former: None,
            restored: false,
            retained: None,
            parted: None,
            staying: false,
            twin: None,
        };
        self.administer(actor, |work| {
            if is_taken(work, &record.name)? {
                return Err(Error::Taken("an organization has this name".to_string()));
            }
            let id = insert(work, &record)?;
            totals::count_organization(work.transaction, keys::SITE, [false, true])?;
            let values = [ValueChange::first("name", &record.name)].to_vec();
            work.record_values(ChangeKind::OrganizationCreated, Detail::of_organization(id), values);
            describe(work.transaction, id, record.clone())
        })
    }

    /// The organizations of the site, in the order in which they were made.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit or cursor that is not valid.
    pub fn organizations(&self, position: &Position, limit: u32) -> Result<Page<Organization>> {
        self.read(|transaction| {
            let (every, mut standings) = (is_all_in_sight(transaction)?, Standings::default());
            shown_page(transaction, keys::ALL_ORGANIZATIONS, position, limit, every, |transaction, entry| {
                let id = numbers::parse(&entry.key, keys::id_of(&entry.key))?;
                show(transaction, &mut standings, id, records::read(&entry.key, &entry.value)?)
            })
        })
    }

    /// The organization with this number.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn organization(&self, id: u64) -> Result<Organization> {
        self.read(|transaction| {
            let record = existing(transaction, id)?;
            describe(transaction, id, record)
        })
    }

    /// Renames a local organization.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::Taken`]; [`Error::Managed`] where a directory manages it.
    pub fn rename_organization(&self, actor: &str, id: u64, name: &str) -> Result<Organization> {
        let name = names::checked(name)?;
        self.administer(actor, |work| {
            let old = existing(work.transaction, id)?;
            check_local(work.transaction, old.link.as_ref(), "the organization")?;
            rename(work, id, &old, &name)?;
            let record = existing(work.transaction, id)?;
            describe(work.transaction, id, record)
        })
    }

    /// Deletes a local organization; its customers stay.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Managed`] where a directory manages it.
    pub fn delete_organization(&self, actor: &str, id: u64) -> Result<()> {
        self.administer(actor, |work| {
            let old = existing(work.transaction, id)?;
            check_local(work.transaction, old.link.as_ref(), "the organization")?;
            parting::check_done(&old)?;
            Ok(remove(work, id).map(drop)?)
        })
    }
}
