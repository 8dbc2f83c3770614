//! What a staged directory plans: the users and groups are stored as they were sent, with their answers, and the site
//! stays as it is. What is decided is decided as live, against the site as the plan would leave it: whether an address or
//! a name is taken, which local customer is linked, which organization adopted.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::profile::{group_name, profile};
use super::scope::Scope;
use super::unlinked;
use crate::language::error::Result;
use crate::site::customers::{self, Profile};
use crate::site::holders::{self, Holder as MemberHolder};
use crate::site::{self, numbers, parting};
use crate::store::edges::{self, PLANNED};
use crate::store::feed::{ChangeKind, Detail};
use crate::store::keys::{self, Kind};
use crate::store::pages::ENTRIES_AT_ONCE;
use crate::store::plan::{self, Holder, Owner};
use crate::store::records::{
    self, ConflictPolicy, Counts, DeletedOrganizationRecord, DirectoryRecord, Header, Mode, OrganizationRecord,
    PlannedKind, PlannedRecord, Stored, UnlinkedReason,
};
use crate::store::{self, Transaction, counts};
use crate::text::quoted;

/// A user or group whose plan changes.
pub struct Planner<'p> {
    /// The transaction.
    pub transaction: &'p mut Transaction,
    /// The counts of the directory.
    pub counts: &'p mut Counts,
    /// The directory.
    pub directory: &'p str,
    /// The user or group.
    pub id: &'p str,
    /// The current time, in milliseconds since the Unix epoch.
    pub now: u64,
}

impl Planner<'_> {
    /// What is planned.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn find(&mut self) -> store::Result<Option<PlannedRecord>> {
        plan::find(self.transaction, self.directory, self.id)
    }

    /// Replaces what is planned.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn replace(&mut self, old: Option<&PlannedRecord>, new: Option<&PlannedRecord>) -> store::Result<()> {
        let mut new = new.cloned();
        if let Some(record) = &mut new {
            record.blocked = plan::obstacle(self.transaction, self.directory, self.id, record)?;
        }
        plan::replace(self.transaction, self.counts, (self.directory, self.id), old, new.as_ref(), self.now)
    }

    /// Plans the customer of a user that is linked to none.
    ///
    /// # Errors
    /// [`site::Error::Taken`] where the address is, or will be, that of another managed customer.
    pub fn begin_customer(&mut self, profile: &Profile) -> site::Result<()> {
        let Some(address) = profile.email.clone() else { return Ok(()) };
        let old = self.find()?;
        self.check_unclaimed(&address)?;
        let holder = plan::holder(self.transaction, self.directory, true, &address)?;
        let local = match free(holder) {
            Ok(()) => None,
            Err(Holder { id, owner: Owner::Site, .. }) => Some(id),
            Err(Holder { id, .. }) => return Err(self.managed(&id)?),
        };
        let record = PlannedRecord {
            kind: if local.is_some() { PlannedKind::LinkCustomer } else { PlannedKind::MakeCustomer },
            deactivates: self.deactivates(local.as_deref(), profile)?,
            found: local.as_ref().map(|_| address.clone()),
            customer: local,
            wants: Some(address),
            ..empty(PlannedKind::MakeCustomer, &profile.display_name)
        };
        Ok(self.replace(old.as_ref(), Some(&record))?)
    }

    /// Whether a local customer is active that is to be linked to an inactive user.
    fn deactivates(&mut self, local: Option<&str>, profile: &Profile) -> store::Result<bool> {
        let Some(local) = local.filter(|_| !profile.active) else { return Ok(false) };
        Ok(customers::load(self.transaction, local)?.is_some_and(|record| record.active))
    }

    /// The refusal of an address that a managed customer has.
    fn managed(&mut self, customer: &str) -> store::Result<site::Error> {
        let link = customers::load(self.transaction, customer)?.and_then(|record| record.link);
        let manager = site::standing::manager(self.transaction, link.as_ref())?;
        Ok(site::Error::Taken(format!(
            "a customer has this email address already, whom the directory {} manages",
            quoted(&manager.map(|directory| directory.name).unwrap_or_default())
        )))
    }

    /// Plans the organization of a group that has none. `complete` says that it has the members of the group and nobody
    /// else from the start. Returns the local organization of that name from which the policy keeps the group apart.
    ///
    /// # Errors
    /// [`site::Error::Taken`] where a managed organization has the name, or a local one and the policy is to reject;
    /// where the local one is still being unlinked, the storage counts as not available.
    pub fn begin_organization(
        &mut self,
        name: &str,
        policy: ConflictPolicy,
        complete: bool,
    ) -> site::Result<Option<u64>> {
        let wanted = keys::comparable(name);
        let holder = plan::holder(self.transaction, self.directory, false, &wanted)?;
        let record = match free(holder) {
            Ok(()) => empty(PlannedKind::MakeOrganization, name),
            Err(Holder { id, owner: Owner::Site, .. }) => {
                let number = numbers::parse(&keys::organization_name(name), &id)?;
                match policy {
                    ConflictPolicy::Reject => {
                        return Err(site::Error::Taken("an organization of the site has this name".to_string()));
                    }
                    ConflictPolicy::Skip => return Ok(Some(number)),
                    ConflictPolicy::Sync => {}
                }
                let local = existing(self.transaction, number)?;
                // The identity provider may come again: this is over soon.
                parting::check_done(&local).map_err(|error| store::Error::Unavailable(error.to_string()))?;
                PlannedRecord {
                    organization: Some(number),
                    found: Some(wanted.clone()),
                    ..empty(PlannedKind::AdoptOrganization, name)
                }
            }
            Err(Holder { id, .. }) => {
                let number = numbers::parse(&keys::organization_name(name), &id)?;
                let link = existing(self.transaction, number)?.link;
                let manager = site::standing::manager(self.transaction, link.as_ref())?;
                return Err(site::Error::Taken(format!(
                    "an organization has this name already, which the directory {} manages",
                    quoted(&manager.map(|directory| directory.name).unwrap_or_default())
                )));
            }
        };
        let record = PlannedRecord { wants: Some(wanted), complete, ..record };
        self.replace(None, Some(&record))?;
        Ok(None)
    }

    /// Refuses an address that the plan for another user of the directory has taken.
    fn check_unclaimed(&mut self, address: &str) -> site::Result<()> {
        let claimant = plan::claimant(self.transaction, self.directory, &keys::wanted_address(address))?;
        match claimant {
            Some(other) if other != self.id => {
                Err(site::Error::Taken("another user of this directory has this email address".to_string()))
            }
            _ => Ok(()),
        }
    }

    /// Refuses an address to which a customer cannot move.
    fn check_address(&mut self, address: &str, own: Option<&str>) -> site::Result<()> {
        self.check_unclaimed(address)?;
        match free(plan::holder(self.transaction, self.directory, true, address)?) {
            Err(holder) if Some(holder.id.as_str()) != own => {
                Err(site::Error::Taken("another customer has this email address".to_string()))
            }
            _ => Ok(()),
        }
    }
}

/// A record of which nothing is known but the kind and the name.
fn empty(kind: PlannedKind, name: &str) -> PlannedRecord {
    PlannedRecord {
        kind,
        name: name.to_string(),
        linked: false,
        customer: None,
        organization: None,
        wants: None,
        found: None,
        deactivates: false,
        renamed: false,
        complete: false,
        come: 0,
        go: 0,
        blocked: None,
    }
}

/// The record of a group that is to adopt a local organization.
pub fn adoption(name: &str, organization: u64) -> PlannedRecord {
    PlannedRecord { organization: Some(organization), ..empty(PlannedKind::AdoptOrganization, name) }
}

/// Whether an address or name can be had; otherwise who has it.
fn free(holder: Option<Holder>) -> core::result::Result<(), Holder> {
    match holder {
        Some(holder) if holder.freed_by.is_none() && holder.owner != Owner::Leaving => Err(holder),
        _ => Ok(()),
    }
}

impl Scope<'_> {
    /// Whether what the request does is planned, and not done to the site.
    #[must_use]
    pub fn is_staged(&self) -> bool {
        self.settings.mode != Mode::Live
    }

    /// What is planned for a user or group.
    fn planner<'p>(&'p mut self, id: &'p str) -> Planner<'p> {
        Planner {
            transaction: self.transaction,
            counts: &mut self.counts,
            directory: self.context.directory,
            id,
            now: self.context.now.milliseconds,
        }
    }

    /// Plans the customer of a user that is linked to none.
    ///
    /// # Errors
    /// See [`Planner::begin_customer`].
    pub fn plan_customer(&mut self, user: &str, profile: &Profile) -> Result<()> {
        Ok(self.planner(user).begin_customer(profile)?)
    }

    /// Plans what a change of a user means for its customer. `moves` says that the address is another, and `reason` why
    /// the user would be linked to no customer.
    ///
    /// # Errors
    /// 409 `uniqueness` where a new address is taken.
    pub fn plan_change(
        &mut self,
        user: &str,
        header: &Header,
        profile: &Profile,
        moves: bool,
        reason: Option<UnlinkedReason>,
    ) -> Result<()> {
        if let Some(customer) = &header.customer {
            return self.plan_follow(user, customer, profile, moves, reason);
        }
        if header.unlinked.is_some() {
            // What an administrator has unlinked stays so until an administrator links it again.
            return Ok(());
        }
        let Some(old) = self.planner(user).find()? else {
            return self.plan_link(user, profile, moves, reason);
        };
        if moves && reason == Some(UnlinkedReason::OutsideDomains) {
            self.planner(user).replace(Some(&old), None)?;
            return self.note_unlinked(user, reason);
        }
        // What the site has blocked is decided anew, as for a user that is linked to nobody.
        if old.blocked.is_some() && profile.email.is_some() {
            return match self.planner(user).begin_customer(profile) {
                Err(site::Error::Taken(_)) if !moves => Ok(()),
                done => Ok(done?),
            };
        }
        let mut new = PlannedRecord {
            name: profile.display_name.clone(),
            deactivates: self.planner(user).deactivates(old.customer.as_deref(), profile)?,
            ..old.clone()
        };
        if let Some(address) = profile.email.as_ref().filter(|_| moves) {
            self.planner(user).check_address(address, old.customer.as_deref())?;
            new.wants = Some(address.clone());
        }
        Ok(self.planner(user).replace(Some(&old), Some(&new))?)
    }

    /// Plans the customer of a user that was to be linked to none until now.
    fn plan_link(&mut self, user: &str, profile: &Profile, moves: bool, reason: Option<UnlinkedReason>) -> Result<()> {
        let before = unlinked::reason(self.transaction, self.context.directory, user)?;
        let reason = match reason {
            None => match self.planner(user).begin_customer(profile) {
                // Somebody else has had the address for long: that is no reason to refuse what has come now.
                Err(site::Error::Taken(_)) if !moves => before,
                done => {
                    done?;
                    Some(UnlinkedReason::Staged)
                }
            },
            reason => reason,
        };
        if before == reason { Ok(()) } else { self.note_unlinked(user, reason) }
    }

    /// Plans that the customer of a user follows it.
    fn plan_follow(
        &mut self,
        user: &str,
        customer: &str,
        profile: &Profile,
        moves: bool,
        reason: Option<UnlinkedReason>,
    ) -> Result<()> {
        let old = self.planner(user).find()?;
        let record = customers::load(self.transaction, customer)?;
        let record = record.ok_or_else(|| store::Error::corrupt(&keys::customer(customer)))?;
        let linked = PlannedRecord {
            linked: true,
            customer: Some(customer.to_string()),
            ..empty(PlannedKind::ChangeCustomer, &profile.display_name)
        };
        let was_outside = old.as_ref().is_some_and(|old| old.kind == PlannedKind::UnlinkCustomer);
        if reason == Some(UnlinkedReason::OutsideDomains) && (moves || was_outside) {
            // The address that was planned before is still the customer's.
            let wants = old.as_ref().and_then(|old| old.wants.clone());
            let new = PlannedRecord { kind: PlannedKind::UnlinkCustomer, wants, ..linked };
            return Ok(self.planner(user).replace(old.as_ref(), Some(&new))?);
        }
        let known = keys::comparable(&record.email);
        let mut wants = old.as_ref().and_then(|old| old.wants.clone());
        if let Some(address) = &profile.email
            && (moves || was_outside)
        {
            self.planner(user).check_address(address, Some(customer))?;
            wants = Some(address.clone()).filter(|address| *address != known);
        }
        let wanted = Profile { email: wants.clone(), ..profile.clone() };
        let after = customers::followed(&self.work(), &record, &wanted)?;
        let kind = match (record.active, after.active) {
            (true, false) => PlannedKind::DeactivateCustomer,
            (false, true) => PlannedKind::ActivateCustomer,
            _ => PlannedKind::ChangeCustomer,
        };
        let new = (after != record).then_some(PlannedRecord { kind, wants, ..linked });
        Ok(self.planner(user).replace(old.as_ref(), new.as_ref())?)
    }

    /// Plans what the deletion of a user means for its customer. What is planned for a customer that the plan would have
    /// linked is done as well: it goes.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn plan_deletion(&mut self, user: &str, old: &Stored, display_name: &str) -> Result<()> {
        let planned = self.planner(user).find()?;
        let deletion = empty(PlannedKind::DeleteCustomer, display_name);
        let new = match (&old.header.customer, &planned) {
            (Some(customer), _) => {
                self.counts.leaving = self.counts.leaving.saturating_add(1);
                Some(PlannedRecord { linked: true, customer: Some(customer.clone()), ..deletion })
            }
            (None, Some(planned)) if planned.customer.is_some() && planned.blocked.is_none() => {
                Some(PlannedRecord { customer: planned.customer.clone(), found: planned.found.clone(), ..deletion })
            }
            (None, _) => None,
        };
        Ok(self.planner(user).replace(planned.as_ref(), new.as_ref())?)
    }

    /// Notes why a user is linked to no customer, in the feed as well.
    fn note_unlinked(&mut self, user: &str, reason: Option<UnlinkedReason>) -> Result<()> {
        let directory = self.directory();
        unlinked::note(self.transaction, &mut self.counts, directory, user, reason)?;
        if reason.is_some_and(|reason| reason != UnlinkedReason::Staged) {
            self.record(ChangeKind::UserUnlinked, Detail { reason, ..Detail::of_user(user) });
        }
        Ok(())
    }

    /// Plans the organization of a group that is first pushed. Returns whether it is to have one: the policy may leave it
    /// apart.
    ///
    /// # Errors
    /// See [`Planner::begin_organization`].
    pub fn plan_organization(
        &mut self,
        group: &str,
        name: &str,
        policy: ConflictPolicy,
        complete: bool,
    ) -> Result<bool> {
        let apart = self.planner(group).begin_organization(name, policy, complete)?;
        if let Some(number) = apart {
            let (directory, group) = (Some(self.directory().to_string()), Some(group.to_string()));
            self.record(
                ChangeKind::OrganizationConflict,
                Detail { directory, group, ..Detail::of_organization(number) },
            );
        }
        Ok(apart.is_none())
    }

    /// Refuses a new name of a group that an organization has, but for its own.
    ///
    /// # Errors
    /// 409 `uniqueness`.
    pub fn check_planned_name(&mut self, group: &str, old: &Header, name: &str) -> Result<()> {
        let planned = self.planner(group).find()?;
        let own = old.organization.or(planned.and_then(|planned| planned.organization)).map(keys::number);
        let directory = self.directory();
        match free(plan::holder(self.transaction, directory, false, &keys::comparable(name))?) {
            Err(holder) if Some(&holder.id) != own.as_ref() => {
                Err(site::Error::Taken("another organization has this name".to_string()).into())
            }
            _ => Ok(()),
        }
    }

    /// Plans what a change of a group means for its organization: its name before and after, and how many more members
    /// come and go than before.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn plan_group(
        &mut self,
        group: &str,
        header: &Header,
        [before, name]: [&str; 2],
        edited: Turnover,
        complete: bool,
    ) -> Result<()> {
        let renamed = before != name;
        let old = self.planner(group).find()?;
        if header.organization.is_none() {
            let Some(old) = old else { return Ok(()) };
            let new = PlannedRecord {
                name: name.to_string(),
                wants: Some(keys::comparable(name)),
                renamed: old.renamed || renamed,
                complete: old.complete || complete,
                ..old.clone()
            };
            return Ok(self.planner(group).replace(Some(&old), Some(&new))?);
        }
        let planner = &mut self.planner(group);
        Ok(change_linked(planner, header.organization, (name, renamed), edited, complete)?)
    }

    /// Plans what the deletion of a group means for its organization. Returns whether the organization keeps the members
    /// until then.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn plan_group_deletion(&mut self, group: &str, old: &Stored, name: &str) -> Result<bool> {
        let planned = self.planner(group).find()?;
        let deletion = empty(PlannedKind::DeleteOrganization, name);
        let (new, keeps) = match (old.header.organization, &planned) {
            (Some(organization), _) => {
                (Some(PlannedRecord { linked: true, organization: Some(organization), ..deletion }), true)
            }
            (None, Some(planned)) if planned.organization.is_some() && planned.blocked.is_none() => {
                let (organization, found) = (planned.organization, planned.found.clone());
                (Some(PlannedRecord { organization, found, ..deletion }), false)
            }
            (None, _) => (None, false),
        };
        self.planner(group).replace(planned.as_ref(), new.as_ref())?;
        Ok(keeps)
    }

    /// Changes who is a member of a group that is linked to an organization. The site does not see that yet.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn plan_members(&mut self, group: &str, added: &[String], removed: &[String]) -> Result<Turnover> {
        let already = self.members_otherwise(group, added)?;
        let transaction = &mut *self.transaction;
        let mut turnover = Turnover::default();
        let staying = keys::staying_members(group);
        for users in added.chunks(ENTRIES_AT_ONCE as usize) {
            let left = transaction.get_many(users.iter().map(|user| keys::member(&staying, user)).collect())?;
            for (user, left) in users.iter().zip(left) {
                if left.is_some() {
                    // It has left while the directory was staged, and is a member on the site.
                    edges::remove(transaction, &staying, user);
                    edges::add(transaction, group, user, "");
                    turnover.go -= 1;
                } else if already.contains(user) {
                    // The identity provider confirms a member whom the site knows: nothing moves, and it stays.
                    edges::add(transaction, group, user, "");
                } else {
                    edges::add(transaction, group, user, PLANNED);
                    transaction.put(keys::planned_member(group, user), "");
                    turnover.come += 1;
                }
            }
        }
        for users in removed.chunks(ENTRIES_AT_ONCE as usize) {
            let values = transaction.get_many(users.iter().map(|user| keys::member(group, user)).collect())?;
            for (user, value) in users.iter().zip(values) {
                turnover.leave(transaction, group, user, value.as_deref() == Some(PLANNED));
            }
        }
        Ok(turnover)
    }

    /// Those users of whom the site knows that they are members of the organization of a linked group, in the time of a
    /// grace or on probation.
    fn members_otherwise(&mut self, group: &str, users: &[String]) -> Result<BTreeSet<String>> {
        let number = self.transaction.get(keys::organization_of(group))?.filter(|_| !users.is_empty());
        let Some(number) = number else { return Ok(BTreeSet::new()) };
        let number = numbers::parse(&keys::organization_of(group), &number)?;
        let record = existing(self.transaction, number)?;
        if record.retained.is_none() && !record.restored {
            return Ok(BTreeSet::new());
        }
        let now = self.context.now.milliseconds;
        let staying = keys::staying_members(group);
        let mut holders = holders::holders(self.transaction, number, &record, now)?;
        holders.retain(|holder| holder.name != group && holder.name != staying);
        let of_group = MemberHolder::lasting(group.to_string());
        let mut already = BTreeSet::new();
        for users in users.chunks(ENTRIES_AT_ONCE as usize) {
            let users: Vec<&str> = users.iter().map(String::as_str).collect();
            let customers = holders::customers_of(self.transaction, &of_group, &users)?;
            let ids: Vec<String> = customers.iter().map(|(_, customer)| customer.clone()).collect();
            let records = holders::in_sight(self.transaction, &ids)?;
            let others = holders::without(self.transaction, &holders, &records)?;
            let is_member =
                |customer: &String| records.iter().any(|(id, _)| id == customer) && !others.contains(customer);
            already.extend(
                customers.into_iter().filter(|(_, customer)| is_member(customer)).map(|(user, _)| user.to_string()),
            );
        }
        Ok(already)
    }
}

/// By how much the numbers of members change that come to a linked group and go from it when the plan is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Turnover {
    /// Those who come.
    pub come: i64,
    /// Those who go.
    pub go: i64,
}

impl Turnover {
    /// Takes a user out of a linked group. If the site knows of the membership, it stays there.
    pub fn leave(&mut self, transaction: &mut Transaction, group: &str, user: &str, is_planned: bool) {
        edges::remove(transaction, group, user);
        if is_planned {
            transaction.delete(keys::planned_member(group, user));
            self.come -= 1;
        } else {
            edges::add(transaction, &keys::staying_members(group), user, "");
            self.go += 1;
        }
    }

    /// A number of members after the change.
    fn applied(number: u32, change: i64) -> u32 {
        u32::try_from(i64::from(number).saturating_add(change).max(0)).unwrap_or(u32::MAX)
    }
}

/// Plans what a change of a linked group means for its organization.
///
/// # Errors
/// Where the storage fails.
fn change_linked(
    planner: &mut Planner<'_>,
    organization: Option<u64>,
    (name, renamed): (&str, bool),
    edited: Turnover,
    complete: bool,
) -> store::Result<()> {
    let Some(number) = organization else { return Ok(()) };
    let old = planner.find()?;
    let mut record = existing(planner.transaction, number)?;
    if edited.go > 0 && !record.staying {
        record.staying = true;
        planner.transaction.put(keys::organization(number), records::write(&record));
    }
    let before = old.clone().unwrap_or_else(|| empty(PlannedKind::ChangeMembers, name));
    let wanted = keys::comparable(name);
    // One that keeps its name keeps its own way of writing it.
    let renamed = before.renamed || renamed;
    let is_other = renamed && record.name != name.trim();
    let new = PlannedRecord {
        kind: if is_other { PlannedKind::RenameOrganization } else { PlannedKind::ChangeMembers },
        renamed,
        name: name.to_string(),
        linked: true,
        organization,
        wants: Some(wanted).filter(|wanted| renamed && *wanted != keys::comparable(&record.name)),
        complete: (before.complete || complete) && (record.retained.is_some() || record.restored),
        come: Turnover::applied(before.come, edited.come),
        go: Turnover::applied(before.go, edited.go),
        ..empty(PlannedKind::ChangeMembers, name)
    };
    let nothing = new.kind == PlannedKind::ChangeMembers && new.come == 0 && new.go == 0 && !new.complete;
    planner.replace(old.as_ref(), Some(&new).filter(|_| !nothing))
}

/// The record of an organization that must be there.
fn existing(transaction: &mut Transaction, number: u64) -> store::Result<OrganizationRecord> {
    numbers::organization(transaction, number)?.ok_or_else(|| store::Error::corrupt(&keys::organization(number)))
}

impl Planner<'_> {
    /// Takes a deleted user out of a group, by the plan where the group is linked. The site knows the user if it
    /// `is_linked`.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn leave(
        &mut self,
        stored: Option<&Stored>,
        user: &str,
        is_planned: bool,
        is_linked: bool,
    ) -> store::Result<()> {
        let organization = self.transaction.get(keys::organization_of(self.id))?;
        if organization.is_none() || !(is_planned || is_linked) {
            edges::remove(self.transaction, self.id, user);
            return Ok(());
        }
        let mut turnover = Turnover::default();
        turnover.leave(self.transaction, self.id, user, is_planned);
        match stored {
            Some(stored) => self.turn_over(stored, turnover),
            None => {
                let Some(number) = organization.filter(|_| turnover.go > 0) else { return Ok(()) };
                let number = numbers::parse(&keys::organization_of(self.id), &number)?;
                keep_staying(self.transaction, number)
            }
        }
    }

    /// Forgets that a user stays in a group that it has left: it is deleted, and has no customer.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn stay_no_longer(&mut self, user: &str) -> store::Result<()> {
        edges::remove(self.transaction, &keys::staying_members(self.id), user);
        let key = Kind::Group.resource(self.directory, self.id);
        let Some(text) = self.transaction.get(key.clone())? else { return Ok(()) };
        self.turn_over(&Stored::read(&key, text)?, Turnover { come: 0, go: -1 })
    }

    /// Plans that others come into the organization of a group, and go from it.
    fn turn_over(&mut self, stored: &Stored, turnover: Turnover) -> store::Result<()> {
        let name = group_name(&stored.attributes(&Kind::Group.resource(self.directory, self.id))?).to_string();
        change_linked(self, stored.header.organization, (&name, false), turnover, false)
    }
}

/// Notes that somebody stays a member of the organization of a deleted group: one that is to be deleted, is deleted and can
/// be restored, or was restored.
fn keep_staying(transaction: &mut Transaction, number: u64) -> store::Result<()> {
    if let Some(record) = numbers::organization(transaction, number)? {
        let record = OrganizationRecord { staying: true, ..record };
        transaction.put(keys::organization(number), records::write(&record));
        return Ok(());
    }
    let key = keys::deleted_organization(number);
    if let Some(text) = transaction.get(key.clone())? {
        let mut kept: DeletedOrganizationRecord = records::read(&key, &text)?;
        kept.record.staying = true;
        transaction.put(key, records::write(&kept));
    }
    Ok(())
}

/// Plans the customers of users who are inside the domains of their directory now: the same as [`Scope::plan_change`]
/// does when the user is sent again.
///
/// # Errors
/// Where the storage fails.
pub fn plan_user_inside(
    transaction: &mut Transaction,
    directory: &str,
    settings: &DirectoryRecord,
    user: &str,
    stored: &Stored,
    now: u64,
) -> site::Result<()> {
    debug_assert_ne!(settings.mode, Mode::Live);
    let attributes = stored.attributes(&Kind::User.resource(directory, user))?;
    counts::with(transaction, directory, |transaction, counts| {
        let mut planner = Planner { transaction, counts, directory, id: user, now };
        match planner.begin_customer(&profile(&attributes, stored.header.inactive)) {
            Err(site::Error::Taken(_)) => return Ok(()),
            done => done?,
        }
        Ok(unlinked::note(transaction, counts, directory, user, Some(UnlinkedReason::Staged))?)
    })
}

/// Plans nothing any more for a user who is outside of the domains of its directory now.
///
/// # Errors
/// Where the storage fails.
pub fn forget_user_outside(transaction: &mut Transaction, directory: &str, user: &str, now: u64) -> store::Result<()> {
    counts::with(transaction, directory, |transaction, counts| {
        let mut planner = Planner { transaction, counts, directory, id: user, now };
        let old = planner.find()?;
        planner.replace(old.as_ref(), None)?;
        unlinked::note(transaction, counts, directory, user, Some(UnlinkedReason::OutsideDomains))
    })
}

/// Refuses what an administrator cannot do to a customer or organization while the directory plans something for its user
/// or group.
///
/// # Errors
/// [`site::Error::Refused`].
pub fn check_unplanned(transaction: &mut Transaction, directory: &str, id: &str, what: &str) -> site::Result<()> {
    if plan::find(transaction, directory, id)?.is_some() {
        let detail = format!("the staged directory plans changes of the {what}; have its plan applied first");
        return Err(site::Error::Refused(detail));
    }
    Ok(())
}
