//! Applying the plan of a staged directory: each step does a number of customers and organizations in one transaction and
//! takes them off the plan, so that it can end anywhere and go on. What the identity provider sends meanwhile is planned
//! as well, and done with the rest; when nothing is left, the directory is live.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::plans::ApplyProgress;
use super::profile::{email, group_name, profile};
use super::{domains, groups, links, rules, unlinked};
use crate::directories::record::load;
use crate::directories::{Error, Result};
use crate::engine::Engine;
use crate::site::customers::{self, Profile};
use crate::site::holders::{Holder, customers_of, holders, in_sight, record_members, without};
use crate::site::{self, arrivals, membership, numbers, organizations, parting, probation, totals};
use crate::storage::{Entry, Range};
use crate::store::edges::{self, SWEPT_AT_ONCE};
use crate::store::feed::{ChangeKind, Detail};
use crate::store::keys::{self, Kind};
use crate::store::pages::count;
use crate::store::plan::{self, Owner};
use crate::store::records::{
    self, ApplyRecord, ConflictPolicy, Counts, DirectoryRecord, Due, Header, Link, Mode, Obstacle, PlannedKind,
    PlannedRecord, Stored, Turn, UnlinkedReason,
};
use crate::store::{self, Transaction, counts, prefix_range};
use crate::work::Work;

/// How many customers and organizations one step does, about.
const AT_ONCE: usize = 250;

/// How many members of an organization one step brings in or takes out.
const MEMBERS_AT_ONCE: u32 = 1_000;

/// How many members of all organizations together one step is about.
const MEMBERS_A_STEP: u32 = 5_000;

/// How long a step waits for an organization that is still being unlinked, in milliseconds.
const WAIT_MS: u64 = 1_000;

/// How many customers or organizations that wait for each other's addresses or names one step does, and how many it looks
/// at for that. If more than these exchange them in a ring, they keep them.
const MAX_ROW: usize = 1_000;

impl Engine<'_> {
    /// Begins to apply the plan of a staged directory; upkeep does it, step by step. If more customers and organizations
    /// would go than the directory's deletion limit allows within an hour, that many must be accepted.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] where the directory is live, or more would go than the limit and than
    /// are accepted.
    pub fn apply_plan(&self, actor: &str, directory: &str, accepted: Option<u64>) -> Result<ApplyProgress> {
        self.administer(actor, |work| {
            let record = load(work.transaction, directory)?;
            let counts = counts::load(work.transaction, directory)?;
            match record.mode {
                Mode::Live => return Err(Error::Refused("the directory is live: it has no plan".to_string())),
                Mode::Applying => {}
                Mode::Staged => {
                    check_accepted(&record, &counts, accepted)?;
                    let (by, since) = (work.actor.to_string(), work.now.milliseconds);
                    let begun = ApplyRecord { by, since, done: 0, blocked: 0, ended: None, stopped: false, row: None };
                    work.transaction.put(keys::apply(directory), records::write(&begun));
                    let applying = DirectoryRecord { mode: Mode::Applying, ..record };
                    work.transaction.put(keys::directory(directory), records::write(&applying));
                    go_on_later(work, directory, 0);
                    work.record(ChangeKind::PlanApplyStarted, Detail::of_directory(directory));
                }
            }
            progress(work.transaction, directory)?.ok_or_else(|| store::Error::corrupt(&keys::apply(directory)).into())
        })
    }

    /// How the last apply of the directory's plan goes, or went; `None` if there was none.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn apply_progress(&self, directory: &str) -> Result<Option<ApplyProgress>> {
        self.read(|transaction| {
            load(transaction, directory)?;
            progress(transaction, directory)
        })
    }
}

/// Refuses to apply a plan by which more go than the limit allows, unless that is accepted.
fn check_accepted(record: &DirectoryRecord, counts: &Counts, accepted: Option<u64>) -> Result<()> {
    let going = counts.planned.going;
    let Some(limit) = record.deletion_limit.map(u64::from).filter(|limit| going > *limit) else { return Ok(()) };
    if accepted.is_some_and(|accepted| going <= accepted) {
        return Ok(());
    }
    let of = |kind: PlannedKind| counts.planned.kinds[kind.place()];
    let [deleted, unlinked, organizations] =
        [PlannedKind::DeleteCustomer, PlannedKind::UnlinkCustomer, PlannedKind::DeleteOrganization].map(of);
    // Also those who are linked at the same time, or whose new address is blocked.
    let deactivated = going.saturating_sub(deleted).saturating_sub(unlinked).saturating_sub(organizations);
    Err(Error::Refused(format!(
        "{going} would go, and the limit of the directory is {limit}: {deleted} customers deleted, {deactivated} \
         deactivated, {unlinked} unlinked, {organizations} organizations deleted; to do it all the same, accept {going}"
    )))
}

/// How the last apply goes or went.
fn progress(transaction: &mut Transaction, directory: &str) -> Result<Option<ApplyProgress>> {
    let key = keys::apply(directory);
    let Some(text) = transaction.get(key.clone())? else { return Ok(None) };
    let record: ApplyRecord = records::read(&key, &text)?;
    let left = if record.ended.is_some() { 0 } else { counts::load(transaction, directory)?.planned.all() };
    Ok(Some(ApplyProgress {
        by: record.by,
        since: record.since,
        done: record.done,
        of: record.done.saturating_add(left),
        blocked: record.blocked,
        ended: record.ended,
        stopped: record.stopped,
    }))
}

fn go_on_later(work: &mut Work<'_>, directory: &str, wait: u64) {
    let due = Due::Apply(directory.to_string());
    work.transaction.put(due.key(work.now.milliseconds.saturating_add(wait)), records::write(&due));
}

/// Does a step of an apply that is under way, and leaves the next one to upkeep. After the last one the directory is
/// live.
///
/// # Errors
/// Where the storage fails, or the site refuses what is planned for no reason that it had before.
pub fn step(work: &mut Work<'_>, directory: &str) -> site::Result<()> {
    let key = keys::directory(directory);
    let Some(text) = work.transaction.get(key.clone())? else { return Ok(()) };
    let settings: DirectoryRecord = records::read(&key, &text)?;
    if settings.mode != Mode::Applying {
        return Ok(());
    }
    let key = keys::apply(directory);
    let text = work.transaction.get(key.clone())?.ok_or_else(|| store::Error::corrupt(&key))?;
    let record: ApplyRecord = records::read(&key, &text)?;
    let actor = record.by.clone();
    let mut step = Step {
        work: Work { transaction: work.transaction, actor: &actor, ..*work },
        directory,
        settings: &settings,
        record,
        members: 0,
        names_only: false,
        waits: false,
        more: false,
    };
    step.run()?;
    let Step { more, waits, mut record, .. } = step;
    if more {
        go_on_later(work, directory, if waits { WAIT_MS } else { 0 });
    } else {
        record.ended = Some(work.now.milliseconds);
        let live = DirectoryRecord { mode: Mode::Live, ..settings.clone() };
        work.transaction.put(keys::directory(directory), records::write(&live));
        plan::count_staged(work.transaction, [settings.mode, live.mode])?;
        plan::look(work.transaction, directory, work.now.milliseconds)?;
        let work = &mut Work { transaction: work.transaction, actor: &actor, ..*work };
        work.record(ChangeKind::PlanApplied, Detail::of_directory(directory));
    }
    work.transaction.put(key, records::write(&record));
    Ok(())
}

/// Stops an apply of which a step was refused by the site: the directory is staged again, with what is left of its plan.
///
/// # Errors
/// Where the storage fails.
pub fn stop(work: &mut Work<'_>, directory: &str) -> store::Result<()> {
    let key = keys::directory(directory);
    let Some(text) = work.transaction.get(key.clone())? else { return Ok(()) };
    let settings: DirectoryRecord = records::read(&key, &text)?;
    if settings.mode == Mode::Applying {
        let staged = DirectoryRecord { mode: Mode::Staged, ..settings };
        work.transaction.put(key, records::write(&staged));
        plan::stop_apply(work.transaction, directory, work.now.milliseconds)?;
        work.record(ChangeKind::PlanBlocked, Detail::of_directory(directory));
    }
    Ok(())
}

/// Forgets, for a directory that is disconnected, what it planned. Its customers and organizations stay as they are: who
/// was to come to one never came. Returns how many entries were removed.
///
/// # Errors
/// Where the storage fails.
pub fn forget_plan(transaction: &mut Transaction, directory: &str, budget: u32) -> store::Result<u32> {
    let mut removed = 0;
    while removed < budget {
        let Some(entry) = transaction.scan(&prefix_range(&keys::all_planned(directory), 1))?.pop() else { break };
        let (id, record) = (keys::id_of(&entry.key), records::read(&entry.key, &entry.value)?);
        removed += drop_planned_members(transaction, id, budget - removed)?;
        if removed < budget {
            // The counts of the directory go with it.
            let place = (directory, id);
            plan::replace(transaction, &mut Counts::default(), place, Some(&record), None, 0)?;
            removed += 4;
        }
    }
    Ok(removed)
}

/// Removes memberships of a group that the site does not know. Returns how many entries that were.
fn drop_planned_members(transaction: &mut Transaction, group: &str, budget: u32) -> store::Result<u32> {
    let range = Range { keys_only: true, ..prefix_range(&keys::planned_members(group), budget.div_ceil(3)) };
    let entries = transaction.scan(&range)?;
    for entry in &entries {
        let user = keys::id_of(&entry.key);
        edges::remove(transaction, group, user);
        transaction.delete(keys::planned_member(group, user));
    }
    Ok(count(entries.len()) * 3)
}

/// Removes the customer or organization of a deleted user or group, with what was planned for it, because its directory
/// is removed with all that it managed. Returns how many entries of the group's members were removed: while there are
/// any, the rest is still to be done.
///
/// # Errors
/// Where the storage fails.
pub fn remove_planned(work: &mut Work<'_>, directory: &str, entry: &Entry, budget: u32) -> store::Result<u32> {
    let id = keys::id_of(&entry.key);
    let record: PlannedRecord = records::read(&entry.key, &entry.value)?;
    // Who was to come to the group never came, as far as the site knows.
    let removed = drop_planned_members(work.transaction, id, budget)?;
    if removed > 0 {
        return Ok(removed);
    }
    match record.kind {
        PlannedKind::DeleteCustomer if record.linked => customers::remove_of_user(work, id)?,
        PlannedKind::DeleteOrganization if record.linked => organizations::remove_of_group(work, id)?,
        _ => {}
    }
    plan::replace(work.transaction, &mut Counts::default(), (directory, id), Some(&record), None, 0)?;
    Ok(0)
}

/// A step of an apply.
struct Step<'s> {
    work: Work<'s>,
    directory: &'s str,
    settings: &'s DirectoryRecord,
    record: ApplyRecord,
    /// How many members it was about until now.
    members: u32,
    /// Whether organizations only get their names now, and their members in a later step.
    names_only: bool,
    /// Whether something has to be over before the next step.
    waits: bool,
    /// Whether something is left.
    more: bool,
}

impl Step<'_> {
    /// Does what comes next, up to a number.
    fn run(&mut self) -> site::Result<()> {
        let begun = self.record.done;
        if let Some((id, before)) = self.record.row.take() {
            self.row(id, before)?;
        }
        let lists = PlannedKind::ALL.into_iter().map(PlannedKind::text).chain([plan::BLOCKED]);
        for list in lists {
            let range = prefix_range(&keys::planned_names(self.directory, list, ""), count(AT_ONCE));
            for entry in self.work.transaction.scan(&Range { keys_only: true, ..range })? {
                if self.more {
                    return Ok(());
                }
                if self.record.done - begun >= AT_ONCE as u64 || self.members >= MEMBERS_A_STEP {
                    self.more = true;
                    return Ok(());
                }
                self.row(keys::id_of(&entry.key).to_string(), 0)?;
            }
        }
        let left = prefix_range(&keys::all_planned(self.directory), 1);
        self.more = self.more || !self.work.transaction.scan(&left)?.is_empty();
        Ok(())
    }

    /// Does what is planned for a user or group, after those who have the address or name that it wants and give it up.
    /// This is the place in the row at which `before` have been looked at already; if its end is not found, the next step
    /// goes on with it.
    fn row(&mut self, first: String, before: u64) -> site::Result<()> {
        let mut row = [first].to_vec();
        let mut is_ring = false;
        while let Some(last) = row.last() {
            let Some(record) = plan::find(self.work.transaction, self.directory, last)? else { break };
            let Some((next, index)) = self.next_in_row(last, &record)? else {
                let last = last.clone();
                row.pop();
                self.one(&last, &record)?;
                if self.more {
                    return Ok(());
                }
                break;
            };
            if row.contains(&next) {
                // They exchange their addresses or names: this one gets its own later in this transaction. Local ones
                // among them are found by what they have now, so that they come first.
                for id in &row {
                    self.take_up(id)?;
                    if self.more {
                        return Ok(());
                    }
                }
                self.work.transaction.delete(index);
                is_ring = true;
                break;
            }
            if row.len() == MAX_ROW {
                let before = before.saturating_add(MAX_ROW as u64);
                let counts = counts::load(self.work.transaction, self.directory)?;
                if before > counts.planned.all().saturating_add(MAX_ROW as u64) {
                    // They are looked at for the second time: it is a ring, too large for one transaction.
                    self.keep_own(&next)?;
                    break;
                }
                self.record.row = Some((next, before));
                self.more = true;
                return Ok(());
            }
            row.push(next);
        }
        self.names_only = is_ring;
        while let Some(id) = row.pop() {
            if let Some(record) = plan::find(self.work.transaction, self.directory, &id)? {
                self.one(&id, &record)?;
            }
            if self.more && !is_ring {
                return Ok(());
            }
        }
        self.names_only = false;
        Ok(())
    }

    /// Links a local customer to its user, or adopts a local organization, with the address or name that it has. What it is
    /// to get after that stays planned.
    fn take_up(&mut self, id: &str) -> site::Result<()> {
        let Some(record) = plan::find(self.work.transaction, self.directory, id)? else { return Ok(()) };
        if record.linked {
            return Ok(());
        }
        let kind = if let Some(customer) = &record.customer {
            let user = self.stored(Kind::User, id)?;
            let attributes = user.attributes(&Kind::User.resource(self.directory, id))?;
            self.link_local(id, &user, customer, &profile(&attributes, user.header.inactive))?;
            PlannedKind::ChangeCustomer
        } else if record.organization.is_some() {
            let group = self.stored(Kind::Group, id)?;
            let attributes = group.attributes(&Kind::Group.resource(self.directory, id))?;
            self.adopt_or_make(id, &group, group_name(&attributes), &record)?;
            PlannedKind::RenameOrganization
        } else {
            return Ok(());
        };
        if self.more {
            return Ok(());
        }
        let (found, deactivates, complete) = (None, false, false);
        let new = PlannedRecord { kind, linked: true, found, deactivates, complete, ..record.clone() };
        self.replace(id, &record, Some(&new))
    }

    /// Who has the address or name that a user or group wants and gives it up by the plan, and its key in the index.
    fn next_in_row(&mut self, id: &str, record: &PlannedRecord) -> site::Result<Option<(String, String)>> {
        let Some(wanted) = record.wants.as_deref().filter(|_| record.blocked.is_none()) else { return Ok(None) };
        let is_user = record.kind.concerns_user();
        let holder = plan::holder(self.work.transaction, self.directory, is_user, wanted)?;
        let index = if is_user { keys::customer_email(wanted) } else { keys::organization_name(wanted) };
        Ok(holder.and_then(|holder| holder.freed_by).filter(|next| next != id).map(|next| (next, index)))
    }

    /// Has a customer or organization keep the address or name that it has. The rest stays planned.
    fn keep_own(&mut self, id: &str) -> site::Result<()> {
        let Some(record) = plan::find(self.work.transaction, self.directory, id)? else { return Ok(()) };
        let directory = Some(self.directory.to_string());
        let detail = match (&record.customer, record.organization) {
            (Some(customer), _) => Detail { directory, user: Some(id.to_string()), ..Detail::of_customer(customer) },
            (_, Some(number)) => Detail { directory, group: Some(id.to_string()), ..Detail::of_organization(number) },
            _ => return Ok(()),
        };
        self.work.record(ChangeKind::PlanBlocked, detail);
        self.record.blocked = self.record.blocked.saturating_add(1);
        let kind = match record.kind {
            PlannedKind::RenameOrganization => PlannedKind::ChangeMembers,
            kind => kind,
        };
        let wants = record.found.clone();
        let new = PlannedRecord { kind, wants, renamed: false, ..record.clone() };
        self.replace(id, &record, Some(&new))
    }

    /// Does what is planned for a user or group.
    fn one(&mut self, id: &str, record: &PlannedRecord) -> site::Result<()> {
        let is_user = record.kind.concerns_user();
        let blocked = plan::obstacle(self.work.transaction, self.directory, id, record)?;
        let done = if is_user { self.user(id, record, blocked)? } else { self.group(id, record, blocked)? };
        if !done {
            self.more = true;
            return Ok(());
        }
        self.record.done = self.record.done.saturating_add(1);
        if blocked.is_some() {
            self.record.blocked = self.record.blocked.saturating_add(1);
        }
        self.replace(id, record, None)
    }

    /// Changes the counts of the directory.
    fn count(&mut self, change: impl FnOnce(&mut Transaction, &mut Counts) -> store::Result<()>) -> site::Result<()> {
        Ok(counts::with(self.work.transaction, self.directory, change)?)
    }

    /// Replaces what is planned for a user or group.
    fn replace(&mut self, id: &str, old: &PlannedRecord, new: Option<&PlannedRecord>) -> site::Result<()> {
        let (place, now) = ((self.directory, id), self.work.now.milliseconds);
        self.count(|transaction, counts| plan::replace(transaction, counts, place, Some(old), new, now))
    }

    /// The user or group, as it is stored.
    fn stored(&mut self, kind: Kind, id: &str) -> store::Result<Stored> {
        let key = kind.resource(self.directory, id);
        let text = self.work.transaction.get(key.clone())?.ok_or_else(|| store::Error::corrupt(&key))?;
        Stored::read(&key, text)
    }

    fn link(&self, id: &str) -> Link {
        Link { directory: self.directory.to_string(), resource: id.to_string() }
    }

    /// Does what is planned for the customer of a user. Returns whether that is all.
    fn user(&mut self, id: &str, record: &PlannedRecord, blocked: Option<Obstacle>) -> site::Result<bool> {
        if record.kind == PlannedKind::DeleteCustomer {
            return self.delete_customer(id, record, blocked);
        }
        let user = self.stored(Kind::User, id)?;
        let attributes = user.attributes(&Kind::User.resource(self.directory, id))?;
        let profile = Profile { email: record.wants.clone(), ..profile(&attributes, user.header.inactive) };
        match (&record.customer, record.linked) {
            (Some(customer), true) => self.follow(id, &user, customer, record, profile, blocked)?,
            _ if blocked.is_some() => self.leave_unlinked(id)?,
            (Some(customer), false) => {
                self.link_local(id, &user, customer, &profile)?;
                // Its address may have changed since the user was first sent.
                customers::follow(&mut self.work, customer, &profile)?;
            }
            (None, _) => {
                let link = self.link(id);
                match customers::provision(&mut self.work, link, &profile, true)? {
                    Some(customer) => self.linked(id, &user, &customer)?,
                    None => self.leave_unlinked(id)?,
                }
            }
        }
        Ok(true)
    }

    /// Links a user to a local customer with the address that this one has.
    fn link_local(&mut self, id: &str, user: &Stored, customer: &str, profile: &Profile) -> site::Result<()> {
        let old = customers::load(self.work.transaction, customer)?;
        let old = old.ok_or_else(|| store::Error::corrupt(&keys::customer(customer)))?;
        let found = Profile { email: Some(old.email.clone()), ..profile.clone() };
        let link = self.link(id);
        customers::link(&mut self.work, customer, &old, link, &found)?;
        self.linked(id, user, customer)
    }

    /// Notes that a user is linked to a customer from now on.
    fn linked(&mut self, id: &str, user: &Stored, customer: &str) -> site::Result<()> {
        let link = self.link(id);
        links::set_link(&mut self.work, &link, user, Ok(customer), true)?;
        if totals::has_organizations(self.work.transaction, self.directory)? {
            // Otherwise it comes into none.
            arrivals::record_turn(&mut self.work, customer, id, Turn::Linked, None)?;
        }
        Ok(())
    }

    /// Leaves a user linked to nobody, because somebody else has come to have its address.
    fn leave_unlinked(&mut self, id: &str) -> site::Result<()> {
        let reason = Some(UnlinkedReason::AddressTaken);
        let directory = self.directory;
        self.count(|transaction, counts| unlinked::note(transaction, counts, directory, id, reason))?;
        let directory = Some(self.directory.to_string());
        self.work.record(ChangeKind::UserUnlinked, Detail { directory, reason, ..Detail::of_user(id) });
        Ok(())
    }

    /// Has the customer of a user follow it.
    fn follow(
        &mut self,
        id: &str,
        user: &Stored,
        customer: &str,
        record: &PlannedRecord,
        mut profile: Profile,
        blocked: Option<Obstacle>,
    ) -> site::Result<()> {
        let old = customers::load(self.work.transaction, customer)?;
        let old = old.ok_or_else(|| store::Error::corrupt(&keys::customer(customer)))?;
        let address = self.address_inside(id, user, record)?;
        if record.kind == PlannedKind::UnlinkCustomer && address.is_some() {
            // The domains have become wider since.
            profile.email = address;
        } else if record.kind == PlannedKind::UnlinkCustomer {
            let email = profile.email.filter(|_| blocked.is_none());
            let last = Profile { email, active: false, ..profile };
            customers::follow(&mut self.work, customer, &last)?;
            totals::count_inactive(self.work.transaction, self.directory, [!old.active, false])?;
            let record = customers::existing(self.work.transaction, customer)?;
            let (link, reason) = (self.link(id), UnlinkedReason::OutsideDomains);
            links::part(&mut self.work, customer, &record, &link, Some(reason))?;
            let header = Header { customer: None, ..user.header.clone() };
            let key = Kind::User.resource(self.directory, id);
            self.work.transaction.put(key, user.with_header(header).text());
            let directory = self.directory;
            return self.count(|transaction, counts| unlinked::note(transaction, counts, directory, id, Some(reason)));
        }
        if blocked.is_some() {
            // It keeps the address that it has, and follows in everything else.
            profile.email = None;
            let (user, directory) = (Some(id.to_string()), Some(self.directory.to_string()));
            self.work.record(ChangeKind::PlanBlocked, Detail { directory, user, ..Detail::of_customer(customer) });
        }
        customers::follow(&mut self.work, customer, &profile)?;
        Ok(totals::count_inactive(self.work.transaction, self.directory, [!old.active, !profile.active])?)
    }

    /// The address of a user whose customer was to be unlinked, if it is inside of the domains now and can be had.
    fn address_inside(&mut self, id: &str, user: &Stored, record: &PlannedRecord) -> site::Result<Option<String>> {
        if record.kind != PlannedKind::UnlinkCustomer {
            return Ok(None);
        }
        let attributes = user.attributes(&Kind::User.resource(self.directory, id))?;
        let inside = email(&attributes).filter(|address| domains::is_inside(self.settings, address));
        let Some(address) = inside else { return Ok(None) };
        let holder = plan::holder(self.work.transaction, self.directory, true, &address)?;
        let is_own = holder.is_none_or(|holder| holder.owner == Owner::Own(id.to_string()));
        Ok(Some(address).filter(|_| is_own))
    }

    /// Deletes the customer of a deleted user.
    fn delete_customer(&mut self, id: &str, record: &PlannedRecord, blocked: Option<Obstacle>) -> site::Result<bool> {
        let Some(customer) = record.customer.as_deref().filter(|_| blocked.is_none()) else { return Ok(true) };
        let old = customers::load(self.work.transaction, customer)?;
        if !record.linked {
            if let Some(old) = old {
                // The log forgets the user with the customer.
                let followed = records::CustomerRecord { last: Some(self.link(id)), ..old };
                self.work.transaction.put(keys::customer(customer), records::write(&followed));
                customers::remove(&mut self.work, customer)?;
            }
            return Ok(true);
        }
        if let Some(old) = old {
            customers::remove(&mut self.work, customer)?;
            totals::count_inactive(self.work.transaction, self.directory, [!old.active, false])?;
            self.count(|_, counts| {
                counts.leaving = counts.leaving.saturating_sub(1);
                Ok(())
            })?;
        }
        // What it was a member of is kept for the case that it is restored.
        let range = Range { keys_only: true, ..prefix_range(&keys::staying_memberships(id), SWEPT_AT_ONCE) };
        let entries = self.work.transaction.scan(&range)?;
        let left: Vec<&str> = entries.iter().map(|entry| keys::group_of_holder(keys::id_of(&entry.key))).collect();
        for group in &left {
            edges::remove(self.work.transaction, &keys::staying_members(group), id);
        }
        if customers::kept(self.work.transaction, customer)?.is_some() {
            membership::remember(self.work.transaction, &left, customer, false, self.work.now)?;
        }
        Ok(entries.len() < SWEPT_AT_ONCE as usize)
    }

    /// Does what is planned for the organization of a group. Returns whether that is all.
    fn group(&mut self, id: &str, record: &PlannedRecord, blocked: Option<Obstacle>) -> site::Result<bool> {
        if record.kind == PlannedKind::DeleteOrganization {
            return self.delete_organization(id, record, blocked);
        }
        let group = self.stored(Kind::Group, id)?;
        let attributes = group.attributes(&Kind::Group.resource(self.directory, id))?;
        let name = group_name(&attributes);
        if let (Some(organization), true) = (record.organization, record.linked) {
            return self.change_organization(id, organization, name, record, blocked);
        }
        if blocked.is_some() {
            let (directory, now) = (self.directory, self.work.now.milliseconds);
            self.count(|transaction, counts| {
                groups::keep_apart(transaction, counts, directory, id, now);
                Ok(())
            })?;
            let holder = plan::holder(self.work.transaction, self.directory, false, &keys::comparable(name))?;
            let organization = holder.and_then(|holder| holder.id.parse().ok());
            let (directory, group) = (Some(self.directory.to_string()), Some(id.to_string()));
            let detail = Detail { directory, group, organization, ..Detail::default() };
            self.work.record(ChangeKind::OrganizationConflict, detail);
            return Ok(true);
        }
        self.adopt_or_make(id, &group, name, record)?;
        if self.more {
            return Ok(false);
        }
        let renamed = record.renamed;
        if let Some(number) = self.stored(Kind::Group, id)?.header.organization.filter(|_| renamed) {
            organizations::follow_name(&mut self.work, number, name)?;
        }
        Ok(true)
    }

    /// Adopts the local organization that is planned for a group, by the name that it has, or makes one.
    fn adopt_or_make(&mut self, id: &str, group: &Stored, name: &str, record: &PlannedRecord) -> site::Result<()> {
        if let Some(local) = record.organization
            && let Some(local) = numbers::organization(self.work.transaction, local)?
            && parting::check_done(&local).is_err()
        {
            (self.more, self.waits) = (true, true);
            return Ok(());
        }
        let grace = Some(self.settings.adoption_grace).filter(|_| !record.complete);
        // An organization to be adopted is found by the name that it has.
        let found = record.found.as_deref().unwrap_or(name);
        let link = self.link(id);
        let provided = organizations::provision(&mut self.work, link, found, ConflictPolicy::Sync, grace)?;
        let Some(number) = provided else { return Ok(()) };
        totals::count_organization(self.work.transaction, self.directory, [false, true])?;
        arrivals::begin_adoption(&mut self.work, number)?;
        rules::associate(&mut self.work, self.directory, number, name)?;
        arrivals::record(&mut self.work, number, id, None)?;
        if record.complete {
            organizations::settle_at_once(&mut self.work, number, true)?;
        }
        self.members = self.members.saturating_add(group.header.members.min(MEMBERS_AT_ONCE));
        // The group has the version that was pushed.
        let header = Header { organization: Some(number), ..group.header.clone() };
        self.work.transaction.put(Kind::Group.resource(self.directory, id), group.with_header(header).text());
        Ok(())
    }

    /// Changes the name and the members of the organization of a group.
    fn change_organization(
        &mut self,
        group: &str,
        organization: u64,
        name: &str,
        record: &PlannedRecord,
        blocked: Option<Obstacle>,
    ) -> site::Result<bool> {
        if blocked.is_none() && record.renamed {
            organizations::follow_name(&mut self.work, organization, name)?;
        }
        if self.names_only {
            return Ok(false);
        }
        let come = self.members_come(group, organization)?;
        let go = self.members_go(group, organization)?;
        self.members = self.members.saturating_add(come).saturating_add(go);
        let is_done = come < MEMBERS_AT_ONCE && go < MEMBERS_AT_ONCE;
        if !is_done {
            let (come, go) = (record.come.saturating_sub(come), record.go.saturating_sub(go));
            self.replace(group, record, Some(&PlannedRecord { come, go, ..record.clone() }))?;
            return Ok(false);
        }
        if let Some(mut stored) = numbers::organization(self.work.transaction, organization)?
            && stored.staying
        {
            stored.staying = false;
            self.work.transaction.put(keys::organization(organization), records::write(&stored));
        }
        if record.complete {
            organizations::settle_at_once(&mut self.work, organization, true)?;
        }
        if blocked.is_some() {
            let (group, directory) = (Some(group.to_string()), Some(self.directory.to_string()));
            let detail = Detail { directory, group, ..Detail::of_organization(organization) };
            self.work.record(ChangeKind::PlanBlocked, detail);
        }
        Ok(true)
    }

    /// Brings in members who have come to a group. Returns how many.
    fn members_come(&mut self, group: &str, organization: u64) -> site::Result<u32> {
        let range = Range { keys_only: true, ..prefix_range(&keys::planned_members(group), MEMBERS_AT_ONCE) };
        let entries = self.work.transaction.scan(&range)?;
        if entries.is_empty() {
            return Ok(0);
        }
        let users: Vec<&str> = entries.iter().map(|entry| keys::id_of(&entry.key)).collect();
        let Some(record) = numbers::organization(self.work.transaction, organization)? else { return Ok(0) };
        let holders = holders(self.work.transaction, organization, &record, self.work.now.milliseconds)?;
        let customers = self.customers(group, &users)?;
        let came = without(self.work.transaction, &holders, &customers)?;
        for user in &users {
            edges::add(self.work.transaction, group, user, "");
            self.work.transaction.delete(keys::planned_member(group, user));
        }
        let users: Vec<String> = users.into_iter().map(ToString::to_string).collect();
        probation::confirm(&mut self.work, organization, &users)?;
        record_members(&mut self.work, organization, ChangeKind::OrganizationMembersAdded, &came);
        Ok(count(users.len()))
    }

    /// Takes out members who have left a group. Returns how many.
    fn members_go(&mut self, group: &str, organization: u64) -> site::Result<u32> {
        let staying = keys::staying_members(group);
        let range = Range { keys_only: true, ..prefix_range(&keys::members(&staying), MEMBERS_AT_ONCE) };
        let entries = self.work.transaction.scan(&range)?;
        if entries.is_empty() {
            return Ok(0);
        }
        let users: Vec<&str> = entries.iter().map(|entry| keys::id_of(&entry.key)).collect();
        let customers = self.customers(group, &users)?;
        for user in &users {
            edges::remove(self.work.transaction, &staying, user);
        }
        let users: Vec<String> = users.into_iter().map(ToString::to_string).collect();
        membership::take_out(&mut self.work, organization, &users)?;
        let Some(record) = numbers::organization(self.work.transaction, organization)? else { return Ok(0) };
        let holders = holders(self.work.transaction, organization, &record, self.work.now.milliseconds)?;
        let gone = without(self.work.transaction, &holders, &customers)?;
        record_members(&mut self.work, organization, ChangeKind::OrganizationMembersRemoved, &gone);
        Ok(count(users.len()))
    }

    /// The customers of users of a group, with their records.
    fn customers(&mut self, group: &str, users: &[&str]) -> store::Result<Vec<(String, records::CustomerRecord)>> {
        let customers = customers_of(self.work.transaction, &Holder::lasting(group.to_string()), users)?;
        let customers: Vec<String> = customers.into_iter().map(|(_, customer)| customer).collect();
        in_sight(self.work.transaction, &customers)
    }

    /// Deletes the organization of a deleted group.
    fn delete_organization(
        &mut self,
        group: &str,
        record: &PlannedRecord,
        blocked: Option<Obstacle>,
    ) -> site::Result<bool> {
        let Some(organization) = record.organization.filter(|_| blocked.is_none()) else { return Ok(true) };
        if record.linked {
            // Those who came to the group before it was deleted never were members.
            if drop_planned_members(self.work.transaction, group, MEMBERS_AT_ONCE)? > 0 {
                return Ok(false);
            }
            self.work.transaction.delete(keys::adoption(self.directory, group));
            totals::count_organization(self.work.transaction, self.directory, [true, false])?;
        }
        organizations::remove(&mut self.work, organization)?;
        Ok(true)
    }
}
