//! Who comes into the organization of a group by the plan of a staged directory, and who goes from it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::directories::record::load;
use crate::directories::{Error, Result};
use crate::engine::Engine;
use crate::site::customers;
use crate::site::holders::{self, Holder, customers_of, in_sight, without};
use crate::site::numbers;
use crate::storage::Entry;
use crate::store::keys;
use crate::store::pages::{Page, check_limit, no_such_cursor};
use crate::store::plan;
use crate::store::records::{PlannedKind, PlannedRecord};
use crate::store::{self, Transaction, prefix_range};

/// How many members of a group are looked at for one page.
const LOOKED_AT: u32 = 1_000;

/// Who comes into an organization by a plan, or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberTurn {
    /// Those who come.
    Come,
    /// Those who go.
    Go,
}

/// A person who comes into an organization by a plan, or goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedMember {
    /// The user, if it is one of the directory.
    pub user: Option<String>,
    /// The customer, if there is one yet.
    pub customer: Option<String>,
    /// The name to show.
    pub name: String,
    /// The email address.
    pub email: Option<String>,
}

impl Engine<'_> {
    /// Who comes into the organization of a group by the plan, or goes. A page looks at a thousand members at most, and
    /// may be short or empty with others behind it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the directory, or a group for which nothing is planned; [`Error::Invalid`] for a limit or
    /// cursor that is not valid.
    pub fn planned_members(
        &self,
        directory: &str,
        group: &str,
        turn: MemberTurn,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<PlannedMember>> {
        check_limit(limit)?;
        let now = self.now().milliseconds;
        self.read(|transaction| {
            load(transaction, directory)?;
            let missing = || Error::NotFound("nothing is planned for this group".to_string());
            let planned = if keys::is_id(group) { plan::find(transaction, directory, group)? } else { None };
            let record = planned.filter(|record| !record.kind.concerns_user()).ok_or_else(missing)?;
            members(transaction, (directory, group), &record, turn, cursor, limit, now)
        })
    }
}

/// The members of a group or organization that come or go.
pub(super) fn members(
    transaction: &mut Transaction,
    (directory, group): (&str, &str),
    record: &PlannedRecord,
    turn: MemberTurn,
    cursor: Option<&str>,
    limit: u32,
    now: u64,
) -> Result<Page<PlannedMember>> {
    let organization = match record.organization {
        Some(id) => numbers::organization(transaction, id)?.map(|record| (id, record)),
        None => None,
    };
    let of_organization = match &organization {
        Some((id, organization)) => holders::holders(transaction, *id, organization, now)?,
        None => Vec::new(),
    };
    let of_group = Holder::lasting(group.to_string());
    let (sources, but): (Vec<Holder>, Vec<Holder>) = match (turn, record.kind, record.linked) {
        // All members of the group come, but those whom the organization has already.
        (MemberTurn::Come, PlannedKind::DeleteOrganization, _) => (Vec::new(), Vec::new()),
        (MemberTurn::Come, _, false) => ([of_group].to_vec(), of_organization),
        (MemberTurn::Come, _, true) => ([Holder::lasting(PLANNED_MEMBERS.to_string())].to_vec(), of_organization),
        (MemberTurn::Go, PlannedKind::DeleteOrganization, _) => (of_organization, Vec::new()),
        (MemberTurn::Go, _, false) => (of_organization, [of_group].to_vec()),
        // When the list is complete, so is the group; otherwise those go who have left it.
        (MemberTurn::Go, _, true) if record.complete => {
            (of_organization.into_iter().filter(|holder| holder.name != group).collect(), [of_group].to_vec())
        }
        (MemberTurn::Go, _, true) => {
            let staying = keys::staying_members(group);
            let others = of_organization.into_iter().filter(|holder| holder.name != staying).collect();
            ([Holder::lasting(staying)].to_vec(), others)
        }
    };
    // Whose customer is yet to be linked to a user of the group does not go.
    let stays = (turn == MemberTurn::Go && record.kind != PlannedKind::DeleteOrganization).then_some(group);
    let (mut place, mut after) = read_cursor(cursor)?;
    let (mut values, mut looked_at) = (Vec::new(), 0);
    while let Some(holder) = sources.get(place) {
        if count(&values) >= limit || looked_at >= LOOKED_AT {
            let after = after.unwrap_or_else(|| "0".repeat(keys::ID_LENGTH));
            return Ok(Page { values, next: Some(alloc::format!("{place}.{after}")) });
        }
        let before: Vec<Holder> = sources[..place].iter().chain(&but).cloned().collect();
        let prefix =
            if holder.name == PLANNED_MEMBERS { keys::planned_members(group) } else { keys::members(&holder.name) };
        let mut range = prefix_range(&prefix, (limit - count(&values)).min(LOOKED_AT - looked_at));
        if let Some(after) = after.take() {
            range.start = keys::next(&[prefix.as_str(), &after].concat());
        }
        let entries = transaction.scan(&range)?;
        looked_at += count(&entries);
        // What is planned has no effect on the site, but here that is what is looked for.
        let is_source = |entry: &&Entry| holder.name == group || holder.counts(&entry.value);
        let ids: Vec<&str> = entries.iter().filter(is_source).map(|entry| keys::id_of(&entry.key)).collect();
        add_members(transaction, (directory, stays), holder, &ids, &before, &mut values)?;
        if entries.len() < range.limit as usize {
            place += 1;
        } else {
            after = entries.last().map(|last| keys::id_of(&last.key).to_string());
        }
    }
    Ok(Page { values, next: None })
}

/// Stands for the members of a group that the site does not know yet, in the place of a holder.
const PLANNED_MEMBERS: &str = "+";

fn count<T>(values: &[T]) -> u32 {
    store::pages::count(values.len())
}

/// The place of the holder, and the member after which to go on.
fn read_cursor(cursor: Option<&str>) -> Result<(usize, Option<String>)> {
    let Some(cursor) = cursor else { return Ok((0, None)) };
    let parts = cursor.split_once('.').filter(|(place, id)| place.len() <= 4 && keys::is_id(id));
    let (place, id) = parts.ok_or_else(no_such_cursor)?;
    Ok((place.parse().map_err(|_| no_such_cursor())?, Some(id.to_string())))
}

/// Adds those of a holder's members whom none of the holders `before` makes members: customers, or users who are to
/// have one. Customers who are to be linked to a user of the group `stays` are left out.
fn add_members(
    transaction: &mut Transaction,
    (directory, stays): (&str, Option<&str>),
    holder: &Holder,
    ids: &[&str],
    before: &[Holder],
    values: &mut Vec<PlannedMember>,
) -> Result<()> {
    let found = customers_of(transaction, holder, ids)?;
    let customers: Vec<String> = found.iter().map(|(_, customer)| customer.clone()).collect();
    let records = in_sight(transaction, &customers)?;
    let new = without(transaction, before, &records)?;
    let is_own = keys::owner(&holder.name).is_some();
    for id in ids {
        let user = (!is_own).then(|| (*id).to_string());
        if let Some((_, customer)) = found.iter().find(|(member, _)| member == id) {
            let record = records.iter().find(|(of, _)| of == customer).filter(|_| new.contains(customer));
            let Some((_, record)) = record else { continue };
            if let Some(group) = stays
                && let Some(user) = plan::claimant(transaction, directory, &keys::wanted_customer(customer))?
                && plan::find(transaction, directory, &user)?.is_some_and(|planned| planned.blocked.is_none())
                && transaction.get(keys::member(group, &user))?.is_some()
            {
                continue;
            }
            values.push(PlannedMember {
                user,
                customer: Some(customer.clone()),
                name: record.display_name.clone(),
                email: Some(record.email.clone()),
            });
        } else if let Some(planned) = plan::find(transaction, directory, id)?
            && planned.blocked.is_none()
        {
            let is_member = planned.customer.as_deref().map(|customer| {
                let record = customers::load(transaction, customer)?;
                let one: Vec<_> = record.map(|record| (customer.to_string(), record)).into_iter().collect();
                Ok::<_, store::Error>(without(transaction, before, &one)?.is_empty() && !one.is_empty())
            });
            if is_member.transpose()?.unwrap_or_default() {
                continue;
            }
            values.push(PlannedMember { user, customer: planned.customer, name: planned.name, email: planned.wants });
        }
    }
    Ok(())
}
