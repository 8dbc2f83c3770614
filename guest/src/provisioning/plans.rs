//! Reading the plan of a staged directory: how much it would do, and what, in pages by name.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::plan_access::{self, PlanAccess};
use super::profile::profile;
use crate::directories::record::load;
use crate::directories::{Error, Result};
use crate::engine::Engine;
use crate::site::customers::{self, Profile};
pub use crate::site::history::ValueChange;
use crate::site::numbers;
use crate::store::feed::ValueChange as StoredChange;
use crate::store::keys::{self, Kind};
use crate::store::pages::{self, Page};
use crate::store::plan;
use crate::store::records::{CustomerRecord, PlannedRecord, Stored};
pub use crate::store::records::{Mode, Obstacle, PlannedKind};
use crate::store::{self, counts};
use crate::work::{USHER, Work};

/// What going live would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Whether the directory is staged, live (then it plans nothing), or its plan is being applied.
    pub mode: Mode,
    /// How many customers and organizations are planned of each kind, of every kind.
    pub kinds: Vec<PlannedCount>,
    /// How many more are blocked by what the site has changed since.
    pub blocked: u64,
    /// How many customers and organizations go: are deleted, deactivated or unlinked.
    pub going: u64,
    /// How many may go in an hour before an administrator has to accept it; `None` for any number.
    pub limit: Option<u32>,
    /// When the plan last changed, in milliseconds since the Unix epoch; `None` if it never did.
    pub changed_at: Option<u64>,
    /// How many persons gain or lose projects, as of when it was worked out last; `None` if it was not yet.
    pub access: Option<PlanAccess>,
    /// When it was begun to work that out anew, if that is under way.
    pub access_since: Option<u64>,
}

/// How much of one kind is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedCount {
    /// The kind.
    pub kind: PlannedKind,
    /// How many customers or organizations.
    pub count: u64,
}

/// A list of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlannedList {
    /// What can be done of one kind.
    Kind(PlannedKind),
    /// What is blocked.
    Blocked,
}

impl PlannedList {
    const fn text(self) -> &'static str {
        match self {
            PlannedList::Kind(kind) => kind.text(),
            PlannedList::Blocked => plan::BLOCKED,
        }
    }
}

/// What is planned for a customer or an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedItem {
    /// What is to be done.
    pub kind: PlannedKind,
    /// The user or group for which it is. A deleted one is no longer there.
    pub resource: String,
    /// The name of the person or group.
    pub name: String,
    /// The customer, if there is one on the site.
    pub customer: Option<String>,
    /// The organization, if there is one on the site.
    pub organization: Option<u64>,
    /// What the site shows of it, before and after, where that changes.
    pub changes: Vec<ValueChange>,
    /// How many members the group has; `None` for a customer, or a deleted group.
    pub members: Option<u32>,
    /// How many members come to an organization that is linked to the group.
    pub come: u32,
    /// How many members go from it.
    pub go: u32,
    /// What the site has changed since, so that it cannot be done.
    pub blocked: Option<Obstacle>,
}

/// How an apply goes, or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplyProgress {
    /// Who asked for it, as the change feed names them.
    pub by: String,
    /// When it began, in milliseconds since the Unix epoch.
    pub since: u64,
    /// How many customers and organizations are done.
    pub done: u64,
    /// Of how many, with those that the identity provider has sent meanwhile.
    pub of: u64,
    /// How many of those that are done were blocked.
    pub blocked: u64,
    /// When it ended, likewise; `None` while it goes on.
    pub ended: Option<u64>,
    /// Whether it was stopped before all was done, by staging the directory again.
    pub stopped: bool,
}

impl Engine<'_> {
    /// What going live would do, counted. Costs the same however much is planned.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn plan(&self, directory: &str) -> Result<Plan> {
        self.read(|transaction| {
            let record = load(transaction, directory)?;
            let planned = counts::load(transaction, directory)?.planned;
            let (access, access_since) = plan_access::counts(transaction, directory, planned.changed)?;
            Ok(Plan {
                mode: record.mode,
                kinds: PlannedKind::ALL
                    .into_iter()
                    .map(|kind| PlannedCount { kind, count: planned.kinds[kind.place()] })
                    .collect(),
                blocked: planned.blocked,
                going: planned.going,
                limit: record.deletion_limit,
                changed_at: Some(planned.changed).filter(|at| *at > 0),
                access,
                access_since,
            })
        })
    }

    /// What is planned of one kind, in the order of the names, for those whose names begin with `query`.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a limit or cursor that is not valid.
    pub fn planned(
        &self,
        directory: &str,
        list: PlannedList,
        query: Option<&str>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<PlannedItem>> {
        self.read(|transaction| {
            load(transaction, directory)?;
            let list = list.text();
            let all = keys::planned_names(directory, list, "");
            let some = keys::planned_names(directory, list, query.unwrap_or_default());
            let (entries, next) = pages::named::<Error>(transaction, &all, &some, cursor, limit)?;
            let settings = transaction.get(keys::SITE_SETTINGS_KEY.to_string())?;
            let now = self.now();
            let mut values = Vec::with_capacity(entries.len());
            for entry in entries {
                let id = keys::id_of(&entry.key);
                let record =
                    plan::find(transaction, directory, id)?.ok_or_else(|| store::Error::corrupt(&entry.key))?;
                let settings = settings.as_deref();
                let mut work = Work { transaction, now: &now, actor: USHER, request: None, settings };
                values.push(describe(&mut work, directory, id, &record)?);
            }
            Ok(Page { values, next })
        })
    }
}

/// What is planned for a user or group, as callers see it.
fn describe(work: &mut Work<'_>, directory: &str, id: &str, record: &PlannedRecord) -> Result<PlannedItem> {
    let mut item = PlannedItem {
        kind: record.kind,
        resource: id.to_string(),
        name: record.name.clone(),
        customer: record.customer.clone(),
        organization: record.organization,
        changes: Vec::new(),
        members: None,
        come: record.come,
        go: record.go,
        blocked: record.blocked,
    };
    if record.kind.concerns_user() {
        let changes = customer_changes(work, directory, id, record)?;
        item.changes = changes.into_iter().map(ValueChange::from).collect();
        return Ok(item);
    }
    if let Some(text) = work.transaction.get(Kind::Group.resource(directory, id))? {
        item.members = Some(Stored::read(&Kind::Group.resource(directory, id), text)?.header.members);
    }
    let known = record.organization.map(|id| numbers::organization(work.transaction, id)).transpose()?.flatten();
    let changes: Vec<StoredChange> = match known {
        None => [StoredChange::first("name", &record.name)].to_vec(),
        Some(known) if record.kind == PlannedKind::DeleteOrganization => [gone("name", known.name)].to_vec(),
        Some(_) if !record.renamed => Vec::new(),
        Some(known) => StoredChange::between("name", &known.name, record.name.trim()).into_iter().collect(),
    };
    item.changes = changes.into_iter().map(ValueChange::from).collect();
    Ok(item)
}

/// A value that is not there any more.
fn gone(attribute: &'static str, old: String) -> StoredChange {
    StoredChange { attribute: attribute.into(), old: Some(old), new: None }
}

/// What the site shows of a customer, before and after what is planned.
fn customer_changes(
    work: &mut Work<'_>,
    directory: &str,
    id: &str,
    planned: &PlannedRecord,
) -> Result<Vec<StoredChange>> {
    let before = planned.customer.as_deref().map(|id| customers::load(work.transaction, id)).transpose()?.flatten();
    let shown = |record: &CustomerRecord| {
        let active = if record.active { "true" } else { "false" };
        [
            ("email", record.email.clone()),
            ("displayName", record.display_name.clone()),
            ("active", active.to_string()),
            ("timeZone", record.time_zone.clone().unwrap_or_default()),
            ("locale", record.locale.clone()),
        ]
    };
    let key = Kind::User.resource(directory, id);
    let user = work.transaction.get(key.clone())?.map(|text| Stored::read(&key, text)).transpose()?;
    let Some(user) = user.filter(|_| planned.kind != PlannedKind::DeleteCustomer) else {
        let shown = before.as_ref().map(shown).into_iter().flatten().take(2);
        return Ok(shown.map(|(attribute, old)| gone(attribute, old)).collect());
    };
    let profile = profile(&user.attributes(&key)?, user.header.inactive);
    let is_unlinked = planned.kind == PlannedKind::UnlinkCustomer;
    let profile = Profile { email: planned.wants.clone(), active: profile.active && !is_unlinked, ..profile };
    let Some(before) = before else {
        let record = customers::planned(work, &profile)?;
        let shown = shown(&record).into_iter().filter(|(_, value)| !value.is_empty());
        return Ok(shown.map(|(attribute, value)| StoredChange::first(attribute, &value)).collect());
    };
    let mut after = customers::followed(work, &before, &profile)?;
    if keys::comparable(&after.email) == keys::comparable(&before.email) {
        after.email.clone_from(&before.email);
    }
    let pairs = shown(&before).into_iter().zip(shown(&after));
    Ok(pairs.filter_map(|((attribute, old), (_, new))| StoredChange::between(attribute, &old, &new)).collect())
}
