//! Everyone who may use a project, and why.
//!
//! The project's own customers come first, then the members of its organizations in order of their numbers; of a project
//! that is open to all, every customer of the site. Somebody is named at the first of these places only. That follows
//! from what is stored about the person, so nothing has to be remembered between two pages.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::access::Reason;
use super::customers::{self, Customer};
use super::error::Result;
use super::holders::{self, Holder, is_any, memberships};
use super::projects::{self, Audience};
use super::standing::Standings;
use super::walk::{EXAMINED, GROWTH};
use super::{membership, numbers};
use crate::engine::Engine;
use crate::storage::{Entry, Range};
use crate::store::keys::{self, Association};
use crate::store::pages::{self, Page, check_limit, no_such_cursor};
use crate::store::records::{CustomerRecord, OrganizationRecord};
use crate::store::{Transaction, prefix_range};

/// A customer who may use a project, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The customer.
    pub customer: Customer,
    /// The reasons for which the project is open to the customer.
    pub reasons: Vec<Reason>,
}

/// Where somebody is named, in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Among all customers of the site.
    Everybody(String),
    /// Among the project's own.
    Own(String),
    /// Among the members of an organization.
    Member {
        organization: u64,
        /// Which of its holders it is. The last one, its own members, has always the same number, whatever stands before.
        holder: u32,
        /// As the holder names the member; empty before the first.
        member: String,
    },
}

/// The number of the holder of an organization's own members.
const OWN_HOLDER: u32 = u32::MAX;

impl Place {
    fn cursor(&self) -> String {
        match self {
            Place::Everybody(customer) => format!("e.{customer}"),
            Place::Own(customer) => format!("c.{customer}"),
            Place::Member { organization, holder, member } => format!("o.{organization}.{holder}.{member}"),
        }
    }

    fn read(cursor: &str) -> Option<Self> {
        let (kind, rest) = cursor.split_once('.')?;
        let id = |id: &str| Some(id).filter(|id| keys::is_id(id)).map(ToString::to_string);
        match kind {
            "e" => Some(Place::Everybody(id(rest)?)),
            "c" => Some(Place::Own(id(rest)?)),
            "o" => {
                let mut parts = rest.splitn(3, '.');
                let (organization, holder) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
                let member = Some(parts.next()?).filter(|member| member.is_empty() || keys::is_id(member))?;
                Some(Place::Member { organization, holder, member: member.to_string() })
            }
            _ => None,
        }
    }
}

impl Engine<'_> {
    /// Everyone who may use a project, each with the reasons; nobody who is deactivated. A page looks at a bounded number
    /// of entries, so it can be shorter than asked for, or empty, although others follow. Somebody whose reasons change
    /// while the pages are read may be named twice or not at all.
    ///
    /// # Errors
    /// [`Error::NotFound`](super::Error::NotFound); [`Error::Invalid`](super::Error::Invalid) for a limit or cursor that
    /// is not valid.
    pub fn customers_of(&self, id: u64, cursor: Option<&str>, limit: u32) -> Result<Page<Admitted>> {
        check_limit(limit)?;
        let after = cursor.map(|cursor| Place::read(cursor).ok_or_else(no_such_cursor)).transpose()?;
        let now = self.now().milliseconds;
        self.read(|transaction| {
            let open = projects::existing(transaction, id)?.audience == Audience::Open;
            let page = Page { values: Vec::new(), next: None };
            let mut reader = Reader {
                project: id,
                open,
                now,
                limit: limit as usize,
                at_once: limit.saturating_add(1),
                budget: EXAMINED,
                page,
                last: None,
                is_full: false,
                standings: Standings::default(),
            };
            if open {
                let after = after.and_then(|place| if let Place::Everybody(id) = place { Some(id) } else { None });
                reader.everybody(transaction, after)?;
            } else {
                let organizations = match after {
                    Some(Place::Member { .. }) => after,
                    Some(Place::Own(after)) => reader.own(transaction, Some(after)).map(|()| None)?,
                    // The project was open until now.
                    None | Some(Place::Everybody(_)) => reader.own(transaction, None).map(|()| None)?,
                };
                reader.organizations(transaction, organizations)?;
            }
            Ok(reader.page)
        })
    }
}

/// Reads a page.
struct Reader {
    project: u64,
    open: bool,
    now: u64,
    limit: usize,
    /// How many entries are read at once: as many as the page has, and more if they were in vain.
    at_once: u32,
    /// How many entries may still be looked at.
    budget: u32,
    page: Page<Admitted>,
    /// Where the last one on the page is named.
    last: Option<Place>,
    /// Whether the page is done, although something may follow.
    is_full: bool,
    standings: Standings,
}

impl Reader {
    /// Goes through a range. `visit` looks at entries and says where the last of them is.
    fn through(
        &mut self,
        transaction: &mut Transaction,
        mut range: Range,
        mut visit: impl FnMut(&mut Self, &mut Transaction, &[Entry]) -> Result<()>,
        place: impl Fn(&Entry) -> Place,
    ) -> Result<()> {
        while !self.is_full {
            range.limit = self.at_once.min(self.budget);
            let entries = transaction.scan(&range)?;
            visit(self, transaction, &entries)?;
            self.budget = self.budget.saturating_sub(pages::count(entries.len()));
            let Some(last) = entries.last().filter(|_| entries.len() >= range.limit as usize) else { return Ok(()) };
            range.start = keys::next(&last.key);
            self.at_once = self.at_once.saturating_mul(GROWTH).min(EXAMINED);
            if self.budget == 0 && !self.is_full {
                self.end(&place(last));
            }
        }
        Ok(())
    }

    /// Ends the page: the next one goes on after this place.
    fn end(&mut self, place: &Place) {
        self.page.next = Some(place.cursor());
        self.is_full = true;
    }

    /// Puts somebody on the page, or notes that more follow than fit on it.
    fn add(&mut self, admitted: Admitted, place: Place) {
        if self.is_full {
            return;
        }
        if self.page.values.len() == self.limit {
            self.page.next = self.last.as_ref().map(Place::cursor);
            self.is_full = true;
            return;
        }
        self.page.values.push(admitted);
        self.last = Some(place);
    }

    fn everybody(&mut self, transaction: &mut Transaction, after: Option<String>) -> Result<()> {
        self.ids(transaction, keys::ALL_CUSTOMERS, after, Place::Everybody)
    }

    fn own(&mut self, transaction: &mut Transaction, after: Option<String>) -> Result<()> {
        self.ids(transaction, &Association::Customer.of_project(self.project), after, Place::Own)
    }

    /// Goes through keys that end with the ids of customers, all of whom have the first reason.
    fn ids(
        &mut self,
        transaction: &mut Transaction,
        prefix: &str,
        after: Option<String>,
        place: fn(String) -> Place,
    ) -> Result<()> {
        let mut range = Range { keys_only: true, ..prefix_range(prefix, 0) };
        if let Some(after) = after {
            range.start = keys::after(&[prefix, &after].concat());
        }
        let place_of = |entry: &Entry| place(keys::id_of(&entry.key).to_string());
        let visit = |this: &mut Self, transaction: &mut Transaction, entries: &[Entry]| {
            let ids: Vec<String> = entries.iter().map(|entry| keys::id_of(&entry.key).to_string()).collect();
            let records = active(transaction, &ids)?;
            let own = this.own_of(transaction, &records)?;
            for ((customer, record), is_own) in records.into_iter().zip(own) {
                if this.is_full {
                    return Ok(());
                }
                let through = this.through_organizations(transaction, &customer, &record)?;
                let reasons = this.reasons(is_own, through);
                this.show(transaction, &customer, record, reasons, place(customer.clone()))?;
            }
            Ok(())
        };
        self.through(transaction, range, visit, place_of)
    }

    /// The members of the project's organizations, those after a place.
    fn organizations(&mut self, transaction: &mut Transaction, after: Option<Place>) -> Result<()> {
        let prefix = Association::Organization.of_project(self.project);
        let mut range = Range { keys_only: true, ..prefix_range(&prefix, 1) };
        let mut begin = match after {
            Some(Place::Member { organization, holder, member }) => {
                range.start = [&prefix, keys::number(organization).as_str()].concat();
                Some((organization, (holder, member)))
            }
            _ => None,
        };
        while !self.is_full {
            let Some(entry) = transaction.scan(&range)?.pop() else { return Ok(()) };
            range.start = keys::next(&entry.key);
            let id = numbers::parse(&entry.key, keys::id_of(&entry.key))?;
            let begin = begin.take().filter(|(organization, _)| *organization == id).map(|(_, place)| place);
            if self.budget == 0 {
                self.end(&Place::Member { organization: id, holder: 0, member: String::new() });
                return Ok(());
            }
            self.budget -= 1;
            let Some(record) = numbers::organization(transaction, id)? else { continue };
            self.members(transaction, id, &record, begin.as_ref())?;
        }
        Ok(())
    }

    /// The members of an organization, holder by holder.
    fn members(
        &mut self,
        transaction: &mut Transaction,
        id: u64,
        record: &OrganizationRecord,
        begin: Option<&(u32, String)>,
    ) -> Result<()> {
        let holders = holders::holders(transaction, id, record, self.now)?;
        let own = holders::own_holder(id, record);
        for (at, holder) in holders.iter().enumerate() {
            let number = if holder.name == own { OWN_HOLDER } else { pages::count(at) };
            let mut range = prefix_range(&keys::members(&holder.name), 0);
            match begin {
                Some((first, _)) if *first > number => continue,
                Some((first, member)) if *first == number => {
                    range.start = keys::next(&keys::member(&holder.name, member));
                }
                _ => {}
            }
            if self.budget == 0 && !self.is_full {
                self.end(&Place::Member { organization: id, holder: number, member: String::new() });
            }
            let place = |entry: &Entry| Place::Member {
                organization: id,
                holder: number,
                member: keys::id_of(&entry.key).to_string(),
            };
            let visit = |this: &mut Self, transaction: &mut Transaction, entries: &[Entry]| {
                this.of_holder(transaction, id, &holders[..=at], number, entries)
            };
            self.through(transaction, range, visit, place)?;
        }
        Ok(())
    }

    /// Those of a holder's members who are named there: the last of these holders.
    fn of_holder(
        &mut self,
        transaction: &mut Transaction,
        id: u64,
        holders: &[Holder],
        number: u32,
        entries: &[Entry],
    ) -> Result<()> {
        let Some((holder, before)) = holders.split_last() else { return Ok(()) };
        let counting = entries.iter().filter(|entry| holder.counts(&entry.value));
        let members: Vec<&str> = counting.map(|entry| keys::id_of(&entry.key)).collect();
        let found = holders::customers_of(transaction, holder, &members)?;
        let ids: Vec<String> = found.iter().map(|(_, customer)| customer.clone()).collect();
        let records = active(transaction, &ids)?;
        let own = self.own_of(transaction, &records)?;
        let mut members = found.into_iter();
        for ((customer, record), is_own) in records.into_iter().zip(own) {
            // Some of the members have no record any more, or are deactivated.
            let Some((member, _)) = members.by_ref().find(|(_, of)| *of == customer) else { continue };
            if self.is_full {
                return Ok(());
            }
            if is_own || is_any(transaction, memberships(before, &customer, &record))? {
                continue;
            }
            let earlier = memberships(core::slice::from_ref(holder), &customer, &record);
            if is_any(transaction, earlier.filter(|(_, other)| *other < member))? {
                continue;
            }
            let through = self.through_organizations(transaction, &customer, &record)?;
            if through.first().is_none_or(|(first, _)| *first != id) {
                continue;
            }
            let place = Place::Member { organization: id, holder: number, member: member.to_string() };
            let reasons = self.reasons(false, through);
            self.show(transaction, &customer, record, reasons, place)?;
        }
        Ok(())
    }

    /// Who of these is one of the project's own customers.
    fn own_of(&self, transaction: &mut Transaction, customers: &[(String, CustomerRecord)]) -> Result<Vec<bool>> {
        let keys = customers.iter().map(|(customer, _)| {
            let [own, _] = Association::Customer.both(self.project, customer);
            own
        });
        Ok(transaction.get_many(keys.collect())?.iter().map(Option::is_some).collect())
    }

    /// The project's organizations of which a customer is a member, in order of their numbers, each with its name.
    fn through_organizations(
        &self,
        transaction: &mut Transaction,
        customer: &str,
        record: &CustomerRecord,
    ) -> Result<Vec<(u64, String)>> {
        let all = membership::of_customer(transaction, customer, record, self.now)?;
        let associations = all.keys().map(|id| Association::Organization.both(self.project, &keys::number(*id)));
        let found = transaction.get_many(associations.map(|[of_project, _]| of_project).collect())?;
        let through = all.into_iter().zip(found).filter(|(_, found)| found.is_some());
        Ok(through.map(|((id, organization), _)| (id, organization.name)).collect())
    }

    fn reasons(&self, is_own: bool, through: Vec<(u64, String)>) -> Vec<Reason> {
        let open = self.open.then_some(Reason::Open);
        let own = is_own.then_some(Reason::Direct);
        open.into_iter().chain(own).chain(through.into_iter().map(Reason::Organization)).collect()
    }

    fn show(
        &mut self,
        transaction: &mut Transaction,
        customer: &str,
        record: CustomerRecord,
        reasons: Vec<Reason>,
        place: Place,
    ) -> Result<()> {
        if let Some(customer) = customers::show(transaction, &mut self.standings, customer, record)? {
            self.add(Admitted { customer, reasons }, place);
        }
        Ok(())
    }
}

/// The records of those who are not deleted or deactivated, in the same order.
fn active(transaction: &mut Transaction, ids: &[String]) -> Result<Vec<(String, CustomerRecord)>> {
    let mut records = holders::in_sight(transaction, ids)?;
    records.retain(|(_, record)| record.active);
    Ok(records)
}
