//! Who gains or loses which project by the plan of a staged directory. That follows from everybody's memberships, so it is
//! worked out in the background, person by person, when the plan has not changed for a moment; the result says as of
//! when it is.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::planned_members::{self, MemberTurn, PlannedMember};
use super::profile::{group_name, profile};
use super::rules;
use crate::directories::record::{load, load_rules};
use crate::directories::{Error, Result};
use crate::engine::Engine;
use crate::site::access::projects_below;
use crate::site::holders::{self, Holder, is_any, memberships};
use crate::site::{customers, membership, projects};
use crate::storage::Range;
use crate::store::keys::{self, Association, Kind};
use crate::store::pages::{self, Page};
use crate::store::plan;
use crate::store::records::{
    self, CustomerRecord, Mode, OrganizationRecord, PlanAccessPlace, PlanAccessRecord, PlanAccessRun, PlannedKind,
    PlannedRecord, ProjectRule, Stored,
};
use crate::store::{self, Transaction, prefix_range};

/// After how long it is looked again whether the plan has changed, in milliseconds.
const LOOK_AGAIN_MS: u64 = 5_000;

/// For how long nothing must have changed before it is worked out, in milliseconds.
const QUIET_MS: u64 = 2_000;

/// How old the last result may get while changes go on coming, in milliseconds: 5 minutes.
const MAX_AGE_MS: u64 = 5 * 60 * 1_000;

/// How many persons one step looks at.
const PERSONS_AT_ONCE: u32 = 100;

/// How many old entries one step removes.
const REMOVED_AT_ONCE: u32 = 1_000;

/// How many persons gain or lose projects by a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanAccess {
    /// As of when, in milliseconds since the Unix epoch.
    pub as_of: u64,
    /// Whether the plan has not changed since.
    pub is_current: bool,
    /// How many persons lose a project.
    pub losing: u64,
    /// How many persons gain one.
    pub gaining: u64,
    /// The projects that somebody gains or loses.
    pub projects: Vec<ProjectTurnover>,
}

/// How many persons gain or lose a project by a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectTurnover {
    /// The project.
    pub project: u64,
    /// Its name.
    pub name: String,
    /// How many lose it.
    pub losing: u64,
    /// How many gain it.
    pub gaining: u64,
}

/// Whether somebody loses or gains projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessTurn {
    /// Projects are lost.
    Loses,
    /// Projects are gained.
    Gains,
}

impl AccessTurn {
    const fn letter(self) -> &'static str {
        match self {
            AccessTurn::Loses => "l",
            AccessTurn::Gains => "g",
        }
    }
}

/// A person who loses or gains projects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonAccess {
    /// The user of the directory, or a customer that is none of its users.
    pub person: String,
    /// Whether it is a user.
    pub is_user: bool,
    /// The name to show.
    pub name: String,
    /// The projects, each with its number and name.
    pub projects: Vec<(u64, String)>,
}

/// A person as it is stored in a run.
#[derive(serde::Serialize, serde::Deserialize)]
struct StoredPerson {
    name: String,
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    customer: bool,
    projects: Vec<u64>,
}

impl Engine<'_> {
    /// Who loses or gains projects by the plan, in the order of the names, for those whose names begin with `query`, as
    /// it was worked out last.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::directories::Error::NotFound);
    /// [`Error::Invalid`](crate::directories::Error::Invalid) for a limit or cursor that is not valid.
    pub fn plan_access(
        &self,
        directory: &str,
        turn: AccessTurn,
        query: Option<&str>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<PersonAccess>> {
        self.read(|transaction| {
            load(transaction, directory)?;
            let run = read(transaction, directory)?.complete.map_or(0, |run| run.at);
            let all = keys::plan_access_of(directory, run, turn.letter(), "");
            let some = keys::plan_access_of(directory, run, turn.letter(), query.unwrap_or_default());
            let (entries, next) = pages::named::<Error>(transaction, &all, &some, cursor, limit)?;
            let mut values = Vec::with_capacity(entries.len());
            for entry in entries {
                let stored: StoredPerson = records::read(&entry.key, &entry.value)?;
                values.push(PersonAccess {
                    person: keys::id_of(&entry.key).to_string(),
                    is_user: !stored.customer,
                    name: stored.name,
                    projects: named(transaction, &stored.projects)?,
                });
            }
            Ok(Page { values, next })
        })
    }
}

/// Projects with their names; those that are deleted since are left out.
fn named(transaction: &mut Transaction, ids: &[u64]) -> store::Result<Vec<(u64, String)>> {
    let found = transaction.get_many(ids.iter().map(|id| keys::project(*id)).collect())?;
    let found = ids.iter().zip(found).filter_map(|(id, text)| Some((*id, text?)));
    found.map(|(id, text)| Ok((id, projects::describe(id, records::read(&keys::project(id), &text)?).name))).collect()
}

/// How many persons gain or lose projects, and since when it is worked out anew, if it is. The plan changed last at
/// `changed`.
///
/// # Errors
/// Where the storage fails.
pub fn counts(
    transaction: &mut Transaction,
    directory: &str,
    changed: u64,
) -> store::Result<(Option<PlanAccess>, Option<u64>)> {
    let record = read(transaction, directory)?;
    let since = record.running.map(|run| run.at);
    let Some(run) = record.complete else { return Ok((None, since)) };
    let names = named(transaction, &run.projects.iter().map(|(id, ..)| *id).collect::<Vec<_>>())?;
    let projects = names.into_iter().filter_map(|(project, name)| {
        let (_, losing, gaining) = *run.projects.iter().find(|(id, ..)| *id == project)?;
        Some(ProjectTurnover { project, name, losing, gaining })
    });
    let access = PlanAccess {
        as_of: run.at,
        is_current: changed < run.at,
        losing: run.losing,
        gaining: run.gaining,
        projects: projects.collect(),
    };
    Ok((Some(access), since))
}

fn read(transaction: &mut Transaction, directory: &str) -> store::Result<PlanAccessRecord> {
    plan::access(transaction, directory)
}

/// Does a step: of a run, or of removing what an old run has left.
///
/// # Errors
/// Where the storage fails.
pub fn step(transaction: &mut Transaction, directory: &str, now: u64) -> store::Result<()> {
    let mut record = read(transaction, directory)?;
    let key = keys::directory(directory);
    let settings: Option<records::DirectoryRecord> =
        transaction.get(key.clone())?.map(|text| records::read(&key, &text)).transpose()?;
    let Some(settings) = settings else { return Ok(()) };
    if settings.mode == Mode::Live {
        // Nothing is planned any more.
        if remove(transaction, &keys::all_plan_access(directory))? {
            transaction.delete(keys::plan_access_run(directory));
        } else {
            plan::look_later(transaction, directory, record, now);
        }
        return Ok(());
    }
    let mut next_at = now;
    if let Some(old) = record.old {
        let prefix = [&keys::all_plan_access(directory), keys::sequence_digits(old).as_str(), "/"].concat();
        if remove(transaction, &prefix)? {
            record.old = None;
        }
    } else if let Some(mut run) = record.running.take() {
        let place = core::mem::take(&mut record.place);
        match Step::new(transaction, directory, &mut run, now)?.go_on(place)? {
            Some(place) => (record.running, record.place) = (Some(run), place),
            None => record.old = record.complete.replace(run).map(|old| old.at),
        }
    } else {
        let changed = store::counts::load(transaction, directory)?.planned.changed;
        let last = record.complete.as_ref().map_or(0, |run| run.at);
        let is_quiet = changed.saturating_add(QUIET_MS) <= now || last.saturating_add(MAX_AGE_MS) <= now;
        if changed == 0 || changed < last || !is_quiet || settings.mode == Mode::Applying {
            next_at = now.saturating_add(LOOK_AGAIN_MS);
        } else {
            // No two runs have the same time.
            let at = now.max(last.saturating_add(1));
            record.running = Some(PlanAccessRun { at, ..PlanAccessRun::default() });
        }
    }
    plan::look_later(transaction, directory, record, next_at);
    Ok(())
}

/// Removes entries. Returns whether those were all.
fn remove(transaction: &mut Transaction, prefix: &str) -> store::Result<bool> {
    let range = Range { keys_only: true, ..prefix_range(prefix, REMOVED_AT_ONCE) };
    let entries = transaction.scan(&range)?;
    let is_all = entries.len() < REMOVED_AT_ONCE as usize;
    for entry in entries {
        transaction.delete(entry.key);
    }
    Ok(is_all)
}

/// A step of a run.
struct Step<'s> {
    transaction: &'s mut Transaction,
    directory: &'s str,
    run: &'s mut PlanAccessRun,
    rules: Vec<ProjectRule>,
    open: BTreeSet<u64>,
    /// The projects of groups as the plan leaves them, and those of organizations, as far as they were looked at.
    groups: BTreeMap<String, BTreeSet<u64>>,
    organizations: BTreeMap<u64, BTreeSet<u64>>,
    now: u64,
}

impl<'s> Step<'s> {
    fn new(
        transaction: &'s mut Transaction,
        directory: &'s str,
        run: &'s mut PlanAccessRun,
        now: u64,
    ) -> store::Result<Self> {
        let rules = load_rules(transaction, directory)?;
        let open = projects_below(transaction, keys::OPEN_PROJECTS)?.into_iter().collect();
        let (groups, organizations) = (BTreeMap::new(), BTreeMap::new());
        Ok(Step { transaction, directory, run, rules, open, groups, organizations, now })
    }

    /// Looks at the next persons. Returns where to go on; `None` after the last one.
    fn go_on(&mut self, place: PlanAccessPlace) -> store::Result<Option<PlanAccessPlace>> {
        match place {
            PlanAccessPlace::Begin => self.users(None).map(Some),
            PlanAccessPlace::Users(after) => self.users(Some(&after)).map(Some),
            PlanAccessPlace::Planned(after) => self.planned(&after),
            PlanAccessPlace::Members(group, after) => self.members(group, &after).map(Some),
        }
    }

    fn users(&mut self, after: Option<&str>) -> store::Result<PlanAccessPlace> {
        let mut range = prefix_range(&Kind::User.resources(self.directory), PERSONS_AT_ONCE);
        if let Some(after) = after {
            range.start = keys::next(&Kind::User.resource(self.directory, after));
        }
        let entries = self.transaction.scan(&range)?;
        let last = entries.last().map(|last| keys::id_of(&last.key).to_string());
        let is_last = entries.len() < PERSONS_AT_ONCE as usize;
        for entry in entries {
            let stored = Stored::read(&entry.key, entry.value)?;
            self.user(keys::id_of(&entry.key), &entry.key, &stored)?;
        }
        Ok(match last.filter(|_| !is_last) {
            Some(last) => PlanAccessPlace::Users(last),
            None => PlanAccessPlace::Planned(String::new()),
        })
    }

    fn planned(&mut self, after: &str) -> store::Result<Option<PlanAccessPlace>> {
        let mut range = prefix_range(&keys::all_planned(self.directory), PERSONS_AT_ONCE);
        if !after.is_empty() {
            range.start = keys::next(&keys::planned(self.directory, after));
        }
        let entries = self.transaction.scan(&range)?;
        for entry in &entries {
            let record: PlannedRecord = records::read(&entry.key, &entry.value)?;
            let id = keys::id_of(&entry.key);
            match record.kind {
                PlannedKind::DeleteCustomer if record.blocked.is_none() => self.deleted_user(id, &record)?,
                kind if !kind.concerns_user() && record.organization.is_some() => {
                    return Ok(Some(PlanAccessPlace::Members(id.to_string(), String::new())));
                }
                _ => {}
            }
        }
        let last = entries.last().filter(|_| entries.len() >= PERSONS_AT_ONCE as usize);
        Ok(last.map(|last| PlanAccessPlace::Planned(keys::id_of(&last.key).to_string())))
    }

    /// Members of an organization who are no users of the directory: they may go when it is adopted or deleted.
    fn members(&mut self, group: String, after: &str) -> store::Result<PlanAccessPlace> {
        let done = |group: String| Ok(PlanAccessPlace::Planned(group));
        let Some(record) = plan::find(self.transaction, self.directory, &group)? else { return done(group) };
        let Some(organization) = record.organization.filter(|_| record.linked || record.blocked.is_none()) else {
            return done(group);
        };
        let cursor = Some(after).filter(|after| !after.is_empty());
        let place = (self.directory, group.as_str());
        let page = planned_members::members(
            self.transaction,
            place,
            &record,
            MemberTurn::Go,
            cursor,
            PERSONS_AT_ONCE,
            self.now,
        );
        let page = match page {
            Ok(page) => page,
            Err(Error::Store(error)) => return Err(error),
            // A place that is no longer there.
            Err(_) => return done(group),
        };
        for member in page.values {
            self.other_member(organization, member)?;
        }
        match page.next {
            Some(next) => Ok(PlanAccessPlace::Members(group, next)),
            None => done(group),
        }
    }

    /// The projects that an organization is associated with.
    fn projects(&mut self, organization: u64) -> store::Result<BTreeSet<u64>> {
        if let Some(known) = self.organizations.get(&organization) {
            return Ok(known.clone());
        }
        let prefix = Association::Organization.of_other(&keys::number(organization));
        let found: BTreeSet<u64> = projects_below(self.transaction, &prefix)?.into_iter().collect();
        self.organizations.insert(organization, found.clone());
        Ok(found)
    }

    /// The projects that the organization of a group is associated with when the plan is applied; none if it has none then.
    fn group(&mut self, id: &str) -> store::Result<BTreeSet<u64>> {
        if let Some(known) = self.groups.get(id) {
            return Ok(known.clone());
        }
        let key = Kind::Group.resource(self.directory, id);
        let stored = self.transaction.get(key.clone())?.map(|text| Stored::read(&key, text)).transpose()?;
        let mut projects = BTreeSet::new();
        if let Some(stored) = stored {
            let planned = plan::find(self.transaction, self.directory, id)?;
            let is_new = planned.as_ref().is_some_and(|planned| !planned.linked && planned.blocked.is_none());
            let organization = stored.header.organization.or(planned.filter(|_| is_new).and_then(|of| of.organization));
            if let Some(organization) = organization {
                projects = self.projects(organization)?;
            }
            if is_new {
                let attributes = stored.attributes(&key)?;
                projects.extend(rules::projects_for(&self.rules, group_name(&attributes)));
            }
        }
        self.groups.insert(id.to_string(), projects.clone());
        Ok(projects)
    }

    /// The projects of a customer's organizations, those of all, and those of the ones in which it stays.
    fn of_customer(
        &mut self,
        customer: &str,
        record: &CustomerRecord,
        user: Option<&str>,
    ) -> store::Result<[BTreeSet<u64>; 2]> {
        let direct = projects_below(self.transaction, &Association::Customer.of_other(customer))?;
        let mut before: BTreeSet<u64> = direct.into_iter().chain(self.open.iter().copied()).collect();
        let mut after = before.clone();
        for (id, organization) in membership::of_customer(self.transaction, customer, record, self.now)? {
            let projects = self.projects(id)?;
            before.extend(&projects);
            if self.stays(customer, record, user, id, &organization)? {
                after.extend(&projects);
            }
        }
        Ok([before, after])
    }

    /// Whether a customer stays a member of an organization otherwise than through a group of the directory in which its
    /// user is: that is looked at apart.
    fn stays(
        &mut self,
        customer: &str,
        record: &CustomerRecord,
        user: Option<&str>,
        id: u64,
        organization: &OrganizationRecord,
    ) -> store::Result<bool> {
        let own = organization.link.as_ref().filter(|link| link.directory == self.directory);
        let group = match own {
            Some(link) => Some(link.resource.clone()),
            None => plan::claimant(self.transaction, self.directory, &keys::wanted_organization(id))?,
        };
        let Some(group) = group else { return Ok(true) };
        let Some(planned) = plan::find(self.transaction, self.directory, &group)? else { return Ok(true) };
        if planned.blocked.is_some() && !planned.linked {
            return Ok(true);
        }
        if planned.kind == PlannedKind::DeleteOrganization || !planned.linked || planned.complete {
            return Ok(false);
        }
        if let Some(user) = user
            && self.transaction.get(keys::member(&group, user))?.is_some()
        {
            return Ok(true);
        }
        let staying = keys::staying_members(&group);
        let holders = holders::holders(self.transaction, id, organization, self.now)?;
        let others: Vec<Holder> =
            holders.into_iter().filter(|holder| holder.name != group && holder.name != staying).collect();
        is_any(self.transaction, memberships(&others, customer, record))
    }

    /// A user of the directory.
    fn user(&mut self, id: &str, key: &str, stored: &Stored) -> store::Result<()> {
        let planned = plan::find(self.transaction, self.directory, id)?;
        let planned = planned.filter(|planned| planned.linked || planned.blocked.is_none());
        let customer = stored.header.customer.clone().or(planned.as_ref().and_then(|planned| planned.customer.clone()));
        let record = match &customer {
            Some(customer) => customers::load(self.transaction, customer)?,
            None => None,
        };
        let was_active = record.as_ref().is_some_and(|record| record.active);
        let is_active = match planned.as_ref().map(|planned| planned.kind) {
            None => stored.header.customer.is_some() && was_active,
            Some(PlannedKind::UnlinkCustomer) => false,
            Some(_) => !stored.header.inactive,
        };
        if !was_active && !is_active {
            return Ok(());
        }
        let [before, mut after] = match (&customer, &record) {
            (Some(customer), Some(record)) => self.of_customer(customer, record, Some(id))?,
            _ => [BTreeSet::new(), self.open.clone()],
        };
        let range =
            Range { keys_only: true, end: keys::own_memberships(id), ..prefix_range(&keys::memberships(id), u32::MAX) };
        for entry in self.transaction.scan(&range)? {
            after.extend(self.group(keys::id_of(&entry.key))?);
        }
        let name = match &planned {
            Some(planned) => planned.name.clone(),
            None => profile(&stored.attributes(key)?, stored.header.inactive).display_name,
        };
        let before = if was_active { before } else { BTreeSet::new() };
        let after = if is_active { after } else { BTreeSet::new() };
        self.note(id, &name, true, &before, &after)
    }

    /// A user that is deleted, and whose customer is to be.
    fn deleted_user(&mut self, id: &str, planned: &PlannedRecord) -> store::Result<()> {
        let Some(customer) = &planned.customer else { return Ok(()) };
        let Some(record) = customers::load(self.transaction, customer)?.filter(|record| record.active) else {
            return Ok(());
        };
        let [before, _] = self.of_customer(customer, &record, None)?;
        self.note(id, &planned.name, true, &before, &BTreeSet::new())
    }

    /// A member of an organization who is no user of the directory, nor to be linked to one. It is noted with the first of
    /// its organizations that it leaves.
    fn other_member(&mut self, organization: u64, member: PlannedMember) -> store::Result<()> {
        let Some(customer) = member.customer else { return Ok(()) };
        let Some(record) = customers::load(self.transaction, &customer)?.filter(|record| record.active) else {
            return Ok(());
        };
        let is_own = record.link.as_ref().is_some_and(|link| link.directory == self.directory);
        let claimant = plan::claimant(self.transaction, self.directory, &keys::wanted_customer(&customer))?;
        let planned = claimant.map(|user| plan::find(self.transaction, self.directory, &user)).transpose()?.flatten();
        let is_wanted = planned.is_some_and(|planned| planned.blocked.is_none());
        if is_own || is_wanted {
            return Ok(());
        }
        for (id, one) in membership::of_customer(self.transaction, &customer, &record, self.now)? {
            if !self.stays(&customer, &record, None, id, &one)? {
                if id != organization {
                    return Ok(());
                }
                break;
            }
        }
        let [before, after] = self.of_customer(&customer, &record, None)?;
        self.note(&customer, &member.name, false, &before, &after)
    }

    /// Notes what a person loses and gains.
    fn note(
        &mut self,
        person: &str,
        name: &str,
        is_user: bool,
        before: &BTreeSet<u64>,
        after: &BTreeSet<u64>,
    ) -> store::Result<()> {
        let turns = [(AccessTurn::Loses, before, after), (AccessTurn::Gains, after, before)];
        for (turn, have, have_not) in turns {
            let changed: Vec<u64> = have.difference(have_not).copied().collect();
            // An association may outlast its project until it is swept.
            let changed: Vec<u64> = named(self.transaction, &changed)?.into_iter().map(|(id, _)| id).collect();
            if changed.is_empty() {
                continue;
            }
            let count = match turn {
                AccessTurn::Loses => &mut self.run.losing,
                AccessTurn::Gains => &mut self.run.gaining,
            };
            *count = count.saturating_add(1);
            for project in &changed {
                let place = self.run.projects.binary_search_by_key(project, |(id, ..)| *id).unwrap_or_else(|place| {
                    self.run.projects.insert(place, (*project, 0, 0));
                    place
                });
                let (_, losing, gaining) = &mut self.run.projects[place];
                let of_project = if turn == AccessTurn::Loses { losing } else { gaining };
                *of_project = of_project.saturating_add(1);
            }
            let key = keys::plan_access(self.directory, self.run.at, turn.letter(), name, person);
            let stored = StoredPerson { name: name.to_string(), customer: !is_user, projects: changed };
            self.transaction.put(key, records::write(&stored));
        }
        Ok(())
    }
}
