//! What staged directories plan: stored by user or group, found by kind and name, counted, and kept true. Each entry
//! wants an address or name for a customer or organization, or a local one of them; when the site changes one of these,
//! [`reconsider`] finds out whether the entry can still be done.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::counts;
use super::error::{Error, Result};
use super::keys::{self, Kind};
use super::pages::{ENTRIES_AT_ONCE, for_each_page};
use super::records::{
    self, ApplyRecord, Claims, Counts, CustomerRecord, DirectoryRecord, Due, Link, Mode, Obstacle, OrganizationRecord,
    PlanAccessRecord, PlannedKind, PlannedRecord, Stored, Sweep,
};
use super::transaction::{Transaction, prefix_range};

/// The kind under which blocked entries are found.
pub const BLOCKED: &str = "blocked";

/// How many users and groups are looked at anew for one change of the site. At apply, each is looked at once more.
const MAX_RECONSIDERED: u32 = 1_000;

impl PlannedKind {
    /// The kind as it stands in keys.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            PlannedKind::DeleteCustomer => "delete-customer",
            PlannedKind::DeactivateCustomer => "deactivate-customer",
            PlannedKind::UnlinkCustomer => "unlink-customer",
            PlannedKind::LinkCustomer => "link-customer",
            PlannedKind::MakeCustomer => "make-customer",
            PlannedKind::ActivateCustomer => "activate-customer",
            PlannedKind::ChangeCustomer => "change-customer",
            PlannedKind::AdoptOrganization => "adopt-organization",
            PlannedKind::MakeOrganization => "make-organization",
            PlannedKind::RenameOrganization => "rename-organization",
            PlannedKind::ChangeMembers => "change-members",
            PlannedKind::DeleteOrganization => "delete-organization",
        }
    }
}

impl PlannedRecord {
    /// Where it is found: by its kind, or among the blocked ones.
    #[must_use]
    pub fn list(&self) -> &'static str {
        if self.blocked.is_some() { BLOCKED } else { self.kind.text() }
    }

    /// Whether a customer or organization goes by it. What is blocked of a linked one is its address or name alone.
    fn goes(&self) -> bool {
        match self.kind {
            PlannedKind::DeleteCustomer | PlannedKind::DeleteOrganization => self.blocked.is_none(),
            PlannedKind::DeactivateCustomer | PlannedKind::UnlinkCustomer => true,
            PlannedKind::LinkCustomer => self.deactivates && self.blocked.is_none(),
            _ => false,
        }
    }

    /// The customer or organization that it is about, if there is one on the site.
    fn target(&self) -> Option<Target> {
        let customer = self.customer.clone().map(Target::Customer);
        customer.or(self.organization.map(Target::Organization))
    }

    /// The keys of what it wants.
    fn claims(&self) -> Vec<String> {
        let is_user = self.kind.concerns_user();
        let wants = self
            .wants
            .as_deref()
            .map(|text| if is_user { keys::wanted_address(text) } else { keys::wanted_name(text) });
        let customer = self.customer.as_deref().filter(|_| !self.linked).map(keys::wanted_customer);
        let organization = self.organization.filter(|_| !self.linked).map(keys::wanted_organization);
        wants.into_iter().chain(customer).chain(organization).collect()
    }
}

/// What is planned for a user or group, if anything is.
///
/// # Errors
/// Where the storage fails.
pub fn find(transaction: &mut Transaction, directory: &str, id: &str) -> Result<Option<PlannedRecord>> {
    let key = keys::planned(directory, id);
    transaction.get(key.clone())?.map(|text| records::read(&key, &text)).transpose()
}

/// Replaces what is planned for a user or group, and counts it.
///
/// # Errors
/// Where the storage fails.
pub fn replace(
    transaction: &mut Transaction,
    counts: &mut Counts,
    (directory, id): (&str, &str),
    old: Option<&PlannedRecord>,
    new: Option<&PlannedRecord>,
    now: u64,
) -> Result<()> {
    if old == new {
        return Ok(());
    }
    counts.planned.changed = now;
    for (record, is_one_more) in [(old, false), (new, true)] {
        let Some(record) = record else { continue };
        let planned = &mut counts.planned;
        let count = match record.blocked {
            Some(_) => &mut planned.blocked,
            None => &mut planned.kinds[record.kind.place()],
        };
        let change = |count: u64| if is_one_more { count.saturating_add(1) } else { count.saturating_sub(1) };
        *count = change(*count);
        if record.goes() {
            planned.going = change(planned.going);
        }
    }
    let place = |record: Option<&PlannedRecord>| {
        record.map(|record| keys::planned_name(directory, record.list(), &record.name, id))
    };
    let places = [place(old), place(new)];
    if places[0] != places[1] {
        let [before, after] = places;
        if let Some(key) = before {
            transaction.delete(key);
        }
        if let Some(key) = after {
            transaction.put(key, "");
        }
    }
    let [before, after] = [old, new].map(|record| record.map(PlannedRecord::claims).unwrap_or_default());
    let own = (directory.to_string(), id.to_string());
    for key in before.iter().filter(|key| !after.contains(key)) {
        let mut claims = claims(transaction, key)?;
        claims.retain(|claim| *claim != own);
        if claims.is_empty() {
            transaction.delete(key.clone());
        } else {
            transaction.put(key.clone(), records::write(&claims));
        }
    }
    for key in after.into_iter().filter(|key| !before.contains(key)) {
        let mut claims = claims(transaction, &key)?;
        claims.push(own.clone());
        transaction.put(key, records::write(&claims));
    }
    match new {
        Some(record) => transaction.put(keys::planned(directory, id), records::write(record)),
        None => transaction.delete(keys::planned(directory, id)),
    }
    // Who waits for the address or name of its customer or organization, or for that itself.
    let gives_up = |record: &PlannedRecord| (record.kind, record.wants.clone(), record.blocked);
    if old.map(gives_up) != new.map(gives_up) {
        for record in old.iter().chain(&new) {
            let target = record.target();
            let held = match &target {
                Some(target) => target.held(transaction)?,
                None => None,
            };
            transaction.reconsider(target.map(|target| target.claims()).into_iter().chain(held));
        }
    }
    Ok(())
}

/// A customer or organization that is on the site.
enum Target {
    Customer(String),
    Organization(u64),
}

impl Target {
    /// Its id as it stands in the index.
    fn id(&self) -> String {
        match self {
            Target::Customer(id) => id.clone(),
            Target::Organization(number) => keys::number(*number),
        }
    }

    /// The key of the claims to it.
    fn claims(&self) -> String {
        match self {
            Target::Customer(id) => keys::wanted_customer(id),
            Target::Organization(number) => keys::wanted_organization(*number),
        }
    }

    /// The key of the claims to the address or name that it has.
    fn held(&self, transaction: &mut Transaction) -> Result<Option<String>> {
        let key = match self {
            Target::Customer(id) => keys::customer(id),
            Target::Organization(number) => keys::organization(*number),
        };
        let Some(text) = transaction.get(key.clone())? else { return Ok(None) };
        Ok(Some(match self {
            Target::Customer(_) => {
                keys::wanted_address(&keys::comparable(&records::read::<CustomerRecord>(&key, &text)?.email))
            }
            Target::Organization(_) => {
                keys::wanted_name(&keys::comparable(&records::read::<OrganizationRecord>(&key, &text)?.name))
            }
        }))
    }
}

/// Who wants what has this key.
fn claims(transaction: &mut Transaction, key: &str) -> Result<Claims> {
    transaction.get(key.to_string())?.map_or(Ok(Claims::new()), |text| records::read(key, &text))
}

/// The user or group of a directory that wants what has this key.
///
/// # Errors
/// Where the storage fails.
pub fn claimant(transaction: &mut Transaction, directory: &str, key: &str) -> Result<Option<String>> {
    let claims = claims(transaction, key)?;
    Ok(claims.into_iter().find(|(of, _)| of == directory).map(|(_, id)| id))
}

/// Who decides about a customer or organization, as a staged directory sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// The site.
    Site,
    /// This user or group of the directory.
    Own(String),
    /// Another directory.
    Other,
    /// Nobody: it leaves with its directory, and makes way.
    Leaving,
}

/// Who decides about what has this link.
///
/// # Errors
/// Where the storage fails.
pub fn owner(transaction: &mut Transaction, directory: &str, link: Option<&Link>) -> Result<Owner> {
    let Some(link) = link else { return Ok(Owner::Site) };
    if link.directory == directory {
        return Ok(Owner::Own(link.resource.clone()));
    }
    let removal = keys::sweep(&link.directory, &link.directory);
    let found = transaction.get_many([keys::directory(&link.directory), removal.clone()].to_vec())?;
    let [connected, swept] = <[Option<String>; 2]>::try_from(found).unwrap_or_default();
    if connected.is_some() {
        return Ok(Owner::Other);
    }
    let sweep: Option<Sweep> = swept.map(|text| records::read(&removal, &text)).transpose()?;
    Ok(if sweep == Some(Sweep::Removal) { Owner::Leaving } else { Owner::Site })
}

/// Who has an address or name on the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The id of the customer, or the number of the organization.
    pub id: String,
    /// Who decides about it.
    pub owner: Owner,
    /// The user or group of the directory whose plan takes the address or name from it, if there is one.
    pub freed_by: Option<String>,
}

/// Who has the address or name that a user or group wants; `None` if nobody has.
///
/// # Errors
/// Where the storage fails.
pub fn holder(transaction: &mut Transaction, directory: &str, is_user: bool, wanted: &str) -> Result<Option<Holder>> {
    let index = if is_user { keys::customer_email(wanted) } else { keys::organization_name(wanted) };
    let Some(id) = transaction.get(index.clone())? else { return Ok(None) };
    let (link, claim) = if is_user {
        let key = keys::customer(&id);
        let Some(text) = transaction.get(key.clone())? else { return Err(Error::corrupt(&index)) };
        (records::read::<CustomerRecord>(&key, &text)?.link, keys::wanted_customer(&id))
    } else {
        let number = id.parse().map_err(|_| Error::corrupt(&index))?;
        let key = keys::organization(number);
        let Some(text) = transaction.get(key.clone())? else { return Err(Error::corrupt(&index)) };
        (records::read::<OrganizationRecord>(&key, &text)?.link, keys::wanted_organization(number))
    };
    let owner = owner(transaction, directory, link.as_ref())?;
    let planner = match &owner {
        Owner::Own(resource) => Some(resource.clone()),
        Owner::Site => claimant(transaction, directory, &claim)?,
        Owner::Other | Owner::Leaving => None,
    };
    let freed_by = match planner {
        Some(planner) if frees(transaction, directory, &planner, wanted)? => Some(planner),
        _ => None,
    };
    Ok(Some(Holder { id, owner, freed_by }))
}

/// Whether the plan for a user or group takes this address or name from its customer or organization.
fn frees(transaction: &mut Transaction, directory: &str, id: &str, wanted: &str) -> Result<bool> {
    let Some(record) = find(transaction, directory, id)? else { return Ok(false) };
    Ok(match record.kind {
        PlannedKind::DeleteCustomer | PlannedKind::DeleteOrganization => record.blocked.is_none(),
        _ => record.blocked.is_none() && record.wants.is_some_and(|other| other != wanted),
    })
}

/// Why what is planned for a user or group cannot be done; `None` if it can.
///
/// # Errors
/// Where the storage fails.
pub fn obstacle(
    transaction: &mut Transaction,
    directory: &str,
    id: &str,
    record: &PlannedRecord,
) -> Result<Option<Obstacle>> {
    let is_user = record.kind.concerns_user();
    let target = record.target().filter(|_| !record.linked);
    if let Some(target) = &target {
        let is_same = match &record.found {
            Some(found) => holder(transaction, directory, is_user, found)?
                .is_some_and(|holder| holder.id == target.id() && holder.owner == Owner::Site),
            None => false,
        };
        // Of two that want the same one, the first has it.
        let is_first = claimant(transaction, directory, &target.claims())?.is_none_or(|first| first == id);
        if !is_same || !is_first {
            return Ok(Some(if is_user { Obstacle::CustomerChanged } else { Obstacle::OrganizationChanged }));
        }
    }
    let Some(wanted) = &record.wants else { return Ok(None) };
    let Some(holder) = holder(transaction, directory, is_user, wanted)? else { return Ok(None) };
    let is_free = holder.freed_by.is_some()
        || holder.owner == Owner::Leaving
        || holder.owner == Owner::Own(id.to_string())
        || target.is_some_and(|target| target.id() == holder.id);
    Ok((!is_free).then_some(if is_user { Obstacle::AddressTaken } else { Obstacle::NameTaken }))
}

/// Looks anew at all that is planned about the addresses, names, customers and organizations that a transaction is about
/// to change, and notes what is blocked now or is so no longer. This costs one read while no directory is staged.
///
/// # Errors
/// Where the storage fails.
pub fn reconsider(transaction: &mut Transaction, now: u64) -> Result<()> {
    let mut wanted = BTreeSet::new();
    for (index, of_text, of_id) in keys::WATCHED {
        for (key, value) in transaction.written(index) {
            wanted.insert([of_text, &key[index.len()..]].concat());
            wanted.extend(value.map(|id| [of_id, id].concat()));
        }
    }
    for (index, of_id) in keys::WATCHED_HOLDERS {
        wanted.extend(transaction.written(index).map(|(key, _)| [of_id, keys::id_of(key)].concat()));
    }
    wanted.extend(transaction.take_reconsidered());
    if wanted.is_empty() || transaction.get(keys::STAGED_DIRECTORIES_KEY.to_string())?.is_none() {
        return Ok(());
    }
    let mut looked_at = 0;
    while let Some(key) = wanted.pop_first() {
        for (directory, id) in claims(transaction, &key)? {
            looked_at += 1;
            if looked_at <= MAX_RECONSIDERED {
                reconsider_one(transaction, (&directory, &id), now)?;
                wanted.extend(transaction.take_reconsidered());
            }
        }
    }
    Ok(())
}

/// Looks anew at what is planned for a user or group: whether it is blocked now, or is so no longer, and whether the local
/// customer that is to be linked is active.
fn reconsider_one(transaction: &mut Transaction, (directory, id): (&str, &str), now: u64) -> Result<()> {
    let Some(old) = find(transaction, directory, id)? else { return Ok(()) };
    let blocked = obstacle(transaction, directory, id, &old)?;
    let deactivates = deactivates(transaction, directory, id, &old)?;
    if blocked == old.blocked && deactivates == old.deactivates || !is_staged(transaction, directory)? {
        return Ok(());
    }
    // Of somebody who is deleted nothing is kept that cannot be done.
    let is_over = matches!(old.kind, PlannedKind::DeleteCustomer | PlannedKind::DeleteOrganization);
    let new = (!is_over).then(|| PlannedRecord { deactivates, blocked, ..old.clone() });
    counts::with(transaction, directory, |transaction, counts| {
        replace(transaction, counts, (directory, id), Some(&old), new.as_ref(), now)
    })
}

/// Whether a local customer that is to be linked is active, and its user is not.
fn deactivates(transaction: &mut Transaction, directory: &str, id: &str, record: &PlannedRecord) -> Result<bool> {
    let Some(customer) = record.customer.as_deref().filter(|_| record.kind == PlannedKind::LinkCustomer) else {
        return Ok(record.deactivates);
    };
    let [customer, user] = [keys::customer(customer), Kind::User.resource(directory, id)];
    let (Some(local), Some(stored)) = (transaction.get(customer.clone())?, transaction.get(user.clone())?) else {
        return Ok(record.deactivates);
    };
    let is_active = records::read::<CustomerRecord>(&customer, &local)?.active;
    Ok(is_active && Stored::read(&user, stored)?.header.inactive)
}

/// Notes that all plans are to be worked out anew as to who gains or loses what, because a person is erased whom they may
/// name.
///
/// # Errors
/// Where the storage fails.
pub fn look_anew(transaction: &mut Transaction, now: u64) -> Result<()> {
    if transaction.get(keys::STAGED_DIRECTORIES_KEY.to_string())?.is_none() {
        return Ok(());
    }
    let range = prefix_range(keys::ALL_DIRECTORIES, ENTRIES_AT_ONCE);
    for_each_page(transaction, range, |transaction, entries| {
        for entry in entries {
            if records::read::<DirectoryRecord>(&entry.key, &entry.value)?.mode == Mode::Live {
                continue;
            }
            counts::change(transaction, keys::id_of(&entry.key), |counts| counts.planned.changed = now)?;
        }
        Ok::<_, Error>(ControlFlow::Continue(()))
    })
}

/// Counts a directory that is staged from now on, or is so no longer.
///
/// # Errors
/// Where the storage fails.
pub fn count_staged(transaction: &mut Transaction, [before, after]: [Mode; 2]) -> Result<()> {
    let is_staged = |mode| mode != Mode::Live;
    if is_staged(before) == is_staged(after) {
        return Ok(());
    }
    let key = keys::STAGED_DIRECTORIES_KEY.to_string();
    let known: u64 =
        transaction.get(key.clone())?.map_or(Ok(0), |text| text.parse().map_err(|_| Error::corrupt(&key)))?;
    match if is_staged(after) { known.saturating_add(1) } else { known.saturating_sub(1) } {
        0 => transaction.delete(key),
        directories => transaction.put(key, directories.to_string()),
    }
    Ok(())
}

/// Forgets, for a directory that is disconnected, what is due for its plan. The rest is swept.
///
/// # Errors
/// Where the storage fails.
pub fn forget(transaction: &mut Transaction, directory: &str) -> Result<()> {
    if let Some(due) = access(transaction, directory)?.due {
        transaction.delete(Due::PlanAccess(directory.to_string()).key(due));
    }
    transaction.delete(keys::plan_access_run(directory));
    transaction.delete(keys::apply(directory));
    Ok(())
}

/// Whether a directory is connected and staged, or its plan is being applied.
///
/// # Errors
/// Where the storage fails.
pub fn is_staged(transaction: &mut Transaction, directory: &str) -> Result<bool> {
    let key = keys::directory(directory);
    let record: Option<DirectoryRecord> =
        transaction.get(key.clone())?.map(|text| records::read(&key, &text)).transpose()?;
    Ok(record.is_some_and(|record| record.mode != Mode::Live))
}

/// Notes that an apply was stopped before all was done.
///
/// # Errors
/// Where the storage fails.
pub fn stop_apply(transaction: &mut Transaction, directory: &str, now: u64) -> Result<()> {
    let key = keys::apply(directory);
    if let Some(text) = transaction.get(key.clone())? {
        let record: ApplyRecord = records::read(&key, &text)?;
        transaction.put(key, records::write(&ApplyRecord { ended: Some(now), stopped: true, ..record }));
    }
    Ok(())
}

/// How far it has been worked out who gains or loses what by the plan of a directory.
///
/// # Errors
/// Where the storage fails.
pub fn access(transaction: &mut Transaction, directory: &str) -> Result<PlanAccessRecord> {
    let key = keys::plan_access_run(directory);
    transaction.get(key.clone())?.map_or(Ok(PlanAccessRecord::default()), |text| records::read(&key, &text))
}

/// Stores that, and when upkeep goes on with it.
pub fn look_later(transaction: &mut Transaction, directory: &str, record: PlanAccessRecord, at: u64) {
    let due = Due::PlanAccess(directory.to_string());
    if let Some(before) = record.due {
        transaction.delete(due.key(before));
    }
    transaction.put(due.key(at), records::write(&due));
    let record = PlanAccessRecord { due: Some(at), ..record };
    transaction.put(keys::plan_access_run(directory), records::write(&record));
}

/// Has upkeep look at the plan of a directory from now on: it is staged, or was.
///
/// # Errors
/// Where the storage fails.
pub fn look(transaction: &mut Transaction, directory: &str, now: u64) -> Result<()> {
    let record = access(transaction, directory)?;
    look_later(transaction, directory, record, now);
    Ok(())
}
