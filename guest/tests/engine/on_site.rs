//! The site's part of the model: customers, organizations, and who may use what.

use std::collections::{BTreeMap, BTreeSet};

use super::find;
use super::upgrade::about;
use proptest::prelude::*;
use usher_engine::Environment;
use usher_engine::directories::{self, ConflictPolicy, ProjectRule};
use usher_engine::provisioning::check::Difference;
use usher_engine::provisioning::conflicts::{ConflictKind, MemberChange, Resolution};
use usher_engine::site::customers::{Customer, CustomerUpdate, NewCustomer};
use usher_engine::site::projects::Audience;
use usher_engine::site::settings::SettingsUpdate;
use usher_engine::site::{Error, Page, Position, access::Reason};

use super::integrity::comparable;
use super::model::{DOMAIN, EMAILS, GROUPS, Group, Refusal, TAKEN, User};
use super::site::Site;

/// How long an adopted organization keeps the members that it had, in milliseconds.
const GRACE: u64 = 3_600_000;

/// How long what is deleted can be restored, in days and milliseconds.
const RETENTION_DAYS: u32 = 14;
const RETENTION: u64 = 14 * 86_400_000;

/// How often the retention time passes in a sequence: so often that no key expires.
const MAX_AGES: usize = 20;

/// What stands in front of a user's id for the id of a customer that the model does not know yet.
const UNKNOWN: &str = "of user ";

/// An id that nothing has.
const NOTHING: &str = "00000000000000000000";

/// Something done on the site. Customers and organizations are chosen among those that there are.
#[derive(Debug, Clone)]
pub enum OnSite {
    MakeCustomer(usize),
    EditCustomer(usize, Option<usize>, Option<bool>),
    DeleteCustomer(usize),
    UnlinkCustomer(usize),
    RelinkCustomer(usize),
    UnlinkOrganization(usize),
    ResolveConflict(usize, Resolution),
    MakeOrganization(usize),
    RenameOrganization(usize, usize),
    DeleteOrganization(usize),
    EditMembers(usize, Vec<usize>, bool),
    AssociateOrganization(usize, bool),
    AssociateCustomer(usize, bool),
    RestoreCustomer(usize),
    /// Chosen among the deleted ones and then those that there are.
    EraseCustomer(usize),
    RestoreOrganization(usize),
    /// Whether what is deleted from now on can be restored.
    Retain(bool),
    /// The grace of all adoptions passes.
    Wait,
    /// The retention time of all that is deleted passes.
    Age,
    Sweep,
}

/// Anything that can be done on the site.
pub fn site_step() -> impl Strategy<Value = OnSite> {
    prop_oneof![
        4 => (0..EMAILS.len()).prop_map(OnSite::MakeCustomer),
        2 => (0..6_usize, prop::option::of(0..EMAILS.len()), prop::option::of(any::<bool>()))
            .prop_map(|(at, email, active)| OnSite::EditCustomer(at, email, active)),
        1 => (0..6_usize).prop_map(OnSite::DeleteCustomer),
        2 => (0..6_usize).prop_map(OnSite::UnlinkCustomer),
        2 => (0..6_usize).prop_map(OnSite::RelinkCustomer),
        2 => (0..4_usize).prop_map(OnSite::UnlinkOrganization),
        2 => (0..2_usize, resolution()).prop_map(|(at, resolution)| OnSite::ResolveConflict(at, resolution)),
        4 => (0..GROUPS.len()).prop_map(OnSite::MakeOrganization),
        1 => (0..4_usize, 0..GROUPS.len()).prop_map(|(at, name)| OnSite::RenameOrganization(at, name)),
        1 => (0..4_usize).prop_map(OnSite::DeleteOrganization),
        6 => (0..4_usize, prop::collection::vec(0..6_usize, 0..4), prop::bool::weighted(0.7))
            .prop_map(|(at, customers, add)| OnSite::EditMembers(at, customers, add)),
        2 => (0..4_usize, any::<bool>()).prop_map(|(at, associated)| OnSite::AssociateOrganization(at, associated)),
        2 => (0..6_usize, any::<bool>()).prop_map(|(at, associated)| OnSite::AssociateCustomer(at, associated)),
        3 => (0..3_usize).prop_map(OnSite::RestoreCustomer),
        1 => (0..6_usize).prop_map(OnSite::EraseCustomer),
        3 => (0..3_usize).prop_map(OnSite::RestoreOrganization),
        1 => prop::bool::weighted(0.7).prop_map(OnSite::Retain),
        1 => Just(OnSite::Wait),
        1 => Just(OnSite::Age),
        1 => Just(OnSite::Sweep),
    ]
}

fn resolution() -> impl Strategy<Value = Resolution> {
    prop_oneof![
        2 => Just(Resolution::Adopt),
        2 => (0..GROUPS.len()).prop_map(|name| Resolution::Rename(GROUPS[name].to_string())),
        1 => Just(Resolution::Leave),
    ]
}

#[derive(Debug, Clone, PartialEq)]
struct ModelCustomer {
    email: String,
    name: String,
    active: bool,
    user: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct ModelOrganization {
    name: String,
    group: Option<String>,
    /// While it is local, also such as are deleted. While it is managed, those who are on probation.
    own: BTreeSet<String>,
    /// While it is managed: those whom a deleted user made members, until they are restored.
    remembered: BTreeSet<String>,
    /// The users of a group that is deleted.
    left_behind: BTreeSet<String>,
    /// While the grace of its adoption lasts.
    retained: BTreeSet<String>,
}

/// What there is on the site.
#[derive(Debug, Clone)]
pub struct Sites {
    policy: ConflictPolicy,
    /// Whether the directory is bound to a domain.
    bound: bool,
    /// The pattern of a rule that has the restricted project.
    rule: Option<&'static str>,
    /// The number of a restricted project.
    project: u64,
    customers: BTreeMap<String, ModelCustomer>,
    organizations: BTreeMap<u64, ModelOrganization>,
    last_organization: u64,
    associated: BTreeSet<u64>,
    direct: BTreeSet<String>,
    /// The groups whose conflicts are open.
    conflicts: BTreeSet<String>,
    /// The groups that an administrator has left apart.
    left: BTreeSet<String>,
    /// The names of the groups that were refused.
    refused: BTreeSet<String>,
    /// Users that were unlinked, each with its customer of then.
    unlinked: BTreeMap<String, String>,
    /// Whether what is deleted can be restored.
    retains: bool,
    ages: usize,
    deleted: BTreeMap<String, ModelCustomer>,
    /// Each with whether it was associated with the project.
    deleted_organizations: BTreeMap<u64, (ModelOrganization, bool)>,
    /// What goes with a disconnected directory when upkeep comes round, or somebody wants the name or the address.
    leaving: (BTreeMap<String, ModelCustomer>, BTreeMap<u64, ModelOrganization>),
}

impl Default for Sites {
    fn default() -> Self {
        Sites {
            policy: ConflictPolicy::Sync,
            bound: false,
            rule: None,
            project: 1,
            customers: BTreeMap::new(),
            organizations: BTreeMap::new(),
            last_organization: 0,
            associated: BTreeSet::new(),
            direct: BTreeSet::new(),
            conflicts: BTreeSet::new(),
            left: BTreeSet::new(),
            refused: BTreeSet::new(),
            unlinked: BTreeMap::new(),
            retains: true,
            ages: 0,
            deleted: BTreeMap::new(),
            deleted_organizations: BTreeMap::new(),
            leaving: Default::default(),
        }
    }
}

impl Sites {
    /// An empty site with an open and a restricted project.
    pub fn new(site: &Site, policy: ConflictPolicy, bound: bool, rule: Option<&'static str>) -> Self {
        site.engine().create_project("ann", "OPEN", "Open", Audience::Open).unwrap();
        let project = site.engine().create_project("ann", "CLOSED", "Closed", Audience::Restricted).unwrap().id;
        Sites { policy, bound, rule, project, ..Sites::default() }
    }

    /// The rules of the directory.
    pub fn project_rules(&self) -> Vec<ProjectRule> {
        let rule = |pattern: &str| ProjectRule { pattern: pattern.to_string(), projects: vec![self.project] };
        self.rule.map(rule).into_iter().collect()
    }

    /// Whether the directory links users with this address.
    pub fn is_inside(&self, address: &str) -> bool {
        !self.bound || address.ends_with(&format!("@{DOMAIN}"))
    }

    /// A user has come or changed; whether it has another address.
    pub fn follow_user(&mut self, id: &str, user: &User, moves: bool) -> Result<(), Refusal> {
        if self.unlinked.contains_key(id) {
            return Ok(());
        }
        let is_linked = self.customers.values().any(|customer| customer.user.as_deref() == Some(id));
        if user.address().is_some_and(|address| !self.is_inside(&address)) && (moves || !is_linked) {
            self.part(id, user);
            return Ok(());
        }
        let linked = self.customers.iter().find(|(_, customer)| customer.user.as_deref() == Some(id));
        let linked = linked.map(|(customer, _)| customer.clone());
        let Some(address) = user.address().or_else(|| Some(self.customers[linked.as_ref()?].email.clone())) else {
            return Ok(());
        };
        let holder = self.customers.iter().find(|(_, customer)| customer.email == address);
        let holder = holder.map(|(id, customer)| (id.clone(), customer.user.is_some()));
        let customer = match (linked, holder) {
            (Some(linked), Some((holder, _))) if linked != holder => return Err(TAKEN),
            (Some(linked), _) => linked,
            (None, Some((_, true))) => return Err(TAKEN),
            (None, Some((holder, false))) => holder,
            // The id of the user serves, unless a former customer of the user has it.
            (None, None)
                if [&self.customers, &self.leaving.0, &self.deleted].iter().any(|all| all.contains_key(id)) =>
            {
                format!("{UNKNOWN}{id}")
            }
            (None, None) => id.to_string(),
        };
        let name = user.name.trim().to_string();
        let user = ModelCustomer { email: address, name, active: user.active, user: Some(id.to_string()) };
        self.make_way(&user.email);
        self.customers.insert(customer, user);
        Ok(())
    }

    /// Learns the ids of customers who got one that the model cannot know.
    pub fn learn_ids(&mut self, site: &Site) {
        let unknown = self.customers.keys().chain(self.deleted.keys()).filter(|id| id.starts_with(UNKNOWN));
        for id in unknown.cloned().collect::<Vec<_>>() {
            let customer = self.customers.get(&id).or_else(|| self.deleted.get(&id));
            let email = customer.map(|customer| customer.email.clone()).unwrap_or_default();
            let engine = site.engine();
            let deleted = engine.deleted_customers(&Position::Offset(0), 1_000).unwrap().values;
            let all = site.customers().into_iter().chain(deleted.into_iter().map(|deleted| deleted.customer));
            let is_one = |one: &Customer| {
                let known = self.customers.contains_key(&one.id) || self.deleted.contains_key(&one.id);
                comparable(&one.email) == email && !known
            };
            let found = all.into_iter().find(is_one).unwrap().id;
            let rename = |one: &mut BTreeSet<String>| {
                if one.remove(&id) {
                    one.insert(found.clone());
                }
            };
            rename(&mut self.direct);
            for organization in self.all_organizations() {
                [&mut organization.own, &mut organization.remembered, &mut organization.retained]
                    .into_iter()
                    .for_each(rename);
            }
            for all in [&mut self.customers, &mut self.deleted] {
                if let Some(customer) = all.remove(&id) {
                    all.insert(found.clone(), customer);
                }
            }
        }
    }

    /// The plan of a staged directory is applied. What was made and deleted before has never been there, and organizations have
    /// their numbers in another order; after the retention time nobody can tell. Those with a higher number than `before`
    /// were planned: they are made with the names that they have come to, and those are what the rules go by.
    pub fn applied(&mut self, site: &Site, before: u64) {
        site.surroundings.pass(RETENTION);
        site.sweep(1_000);
        self.organizations.values_mut().for_each(ModelOrganization::end_grace);
        self.forget_deleted();
        let numbers: BTreeMap<String, u64> =
            everything(|position, limit| site.engine().organizations(position, limit).unwrap())
                .into_iter()
                .map(|organization| (comparable(&organization.name), organization.id))
                .collect();
        let associated = std::mem::take(&mut self.associated);
        for (number, organization) in std::mem::take(&mut self.organizations) {
            let applied = numbers[&comparable(&organization.name)];
            let is_associated = if number > before && organization.group.is_some() {
                self.is_ruled(&organization.name)
            } else {
                associated.contains(&number)
            };
            self.associated.extend(is_associated.then_some(applied));
            self.organizations.insert(applied, organization);
        }
        self.last_organization = site.content().get("n/organization").map_or(0, |last| last.parse().unwrap());
    }

    /// The new address of a user is outside of the domain: its customer is nobody's, and closed.
    fn part(&mut self, id: &str, user: &User) {
        let linked = self.customers.iter_mut().find(|(_, customer)| customer.user.as_deref() == Some(id));
        let Some((customer, record)) = linked else { return };
        *record = ModelCustomer { name: user.name.trim().to_string(), active: false, user: None, ..record.clone() };
        let customer = customer.clone();
        self.keep_left_behind(id, &customer);
    }

    /// The memberships that a customer has through deleted groups are its own, without its user.
    fn keep_left_behind(&mut self, user: &str, customer: &str) {
        for organization in self.all_organizations() {
            if organization.left_behind.remove(user) {
                organization.own_or_retained().insert(customer.to_string());
            }
        }
    }

    /// A user is deleted. What it made its customer a member of is the customer's own.
    pub fn forget_user(&mut self, user: &str, groups: &BTreeMap<String, Group>) {
        self.unlinked.remove(user);
        let linked = self.customers.iter().find(|(_, customer)| customer.user.as_deref() == Some(user));
        let linked = linked.map(|(id, _)| id.clone());
        for organization in self.all_organizations() {
            let group = organization.group.as_ref().and_then(|group| groups.get(group));
            let was_member = group.is_some_and(|group| group.members.contains(user));
            let was_left_behind = organization.left_behind.remove(user);
            let Some(customer) = &linked else { continue };
            if was_member {
                organization.own.remove(customer);
                organization.remembered.insert(customer.clone());
            }
            if was_left_behind {
                organization.own_or_retained().insert(customer.clone());
            }
        }
        if let Some(id) = linked {
            self.remove_customer(&id);
        }
    }

    /// Also the deleted ones.
    fn all_organizations(&mut self) -> impl Iterator<Item = &mut ModelOrganization> {
        let deleted = self.deleted_organizations.values_mut().map(|(one, _)| one);
        self.organizations.values_mut().chain(self.leaving.1.values_mut()).chain(deleted)
    }

    fn remove_customer(&mut self, id: &str) {
        let Some(customer) = self.customers.remove(id).or_else(|| self.leaving.0.remove(id)) else { return };
        if self.retains {
            self.deleted.insert(id.to_string(), ModelCustomer { user: None, ..customer });
        } else {
            self.forget_customer(id);
        }
    }

    /// A customer is erased.
    fn forget_customer(&mut self, id: &str) {
        self.deleted.remove(id);
        self.direct.remove(id);
        for organization in self.all_organizations() {
            organization.own.remove(id);
            organization.retained.remove(id);
            organization.remembered.remove(id);
        }
    }

    /// Somebody gets an email address, be it that of a customer who goes.
    fn make_way(&mut self, address: &str) {
        let leaving = self.leaving.0.iter().find(|(_, customer)| customer.email == address);
        if let Some(id) = leaving.map(|(id, _)| id.clone()) {
            self.remove_customer(&id);
        }
    }

    /// Something gets a name, be it that of an organization that goes.
    fn make_way_for_name(&mut self, name: &str) {
        let leaving = self.leaving.1.iter().find(|(_, organization)| has_name(organization, name));
        if let Some(id) = leaving.map(|(id, _)| *id) {
            self.remove_organization(id);
        }
    }

    /// The retention time of all that is deleted has passed.
    fn forget_deleted(&mut self) {
        self.deleted_organizations.clear();
        for id in self.deleted.keys().cloned().collect::<Vec<_>>() {
            self.forget_customer(&id);
        }
    }

    /// Upkeep has done all that there was to do.
    pub fn swept(&mut self) {
        self.leaving.1.keys().copied().collect::<Vec<_>>().into_iter().for_each(|id| self.remove_organization(id));
        self.leaving.0.keys().cloned().collect::<Vec<_>>().iter().for_each(|id| self.remove_customer(id));
    }

    /// Whether a new group may have this name.
    pub fn check_group(&mut self, name: &str) -> Result<(), Refusal> {
        let same = self.organizations.values().find(|organization| has_name(organization, name));
        if same.is_some_and(|same| same.group.is_none() && matches!(self.policy, ConflictPolicy::Reject)) {
            self.refused.insert(comparable(name));
            return Err(TAKEN);
        }
        let is_refused = same.is_some_and(|same| same.group.is_some());
        if is_refused { Err(TAKEN) } else { Ok(()) }
    }

    /// The number of the organization that was made last.
    pub fn last_organization(&self) -> u64 {
        self.last_organization
    }

    fn is_ruled(&self, name: &str) -> bool {
        self.rule.is_some_and(|rule| rule == "*" || comparable(name).starts_with('s'))
    }

    /// A group has come that may have its name.
    pub fn make_group(&mut self, id: &str, name: &str, is_complete: bool) {
        let group = Some(id.to_string());
        self.refused.remove(&comparable(name));
        self.make_way_for_name(name);
        let by_rule = self.is_ruled(name);
        match self.organizations.iter_mut().find(|(_, organization)| has_name(organization, name)) {
            None => {
                self.insert(ModelOrganization { name: name.trim().to_string(), group, ..Default::default() });
                if by_rule {
                    self.associated.insert(self.last_organization);
                }
            }
            Some((id, organization)) if self.policy == ConflictPolicy::Sync => {
                if by_rule {
                    self.associated.insert(*id);
                }
                organization.group = group;
                let own = std::mem::take(&mut organization.own);
                organization.retained.extend(own);
                if is_complete {
                    organization.settle();
                }
            }
            Some(_) => drop(self.conflicts.insert(id.to_string())),
        }
    }

    fn insert(&mut self, organization: ModelOrganization) {
        self.last_organization += 1;
        self.organizations.insert(self.last_organization, organization);
    }

    /// Whether a group may be renamed.
    pub fn check_rename(&self, group: &str, old: &str, new: &str) -> Result<(), Refusal> {
        let linked = self.organizations.iter().find(|(_, organization)| organization.group.as_deref() == Some(group));
        match linked {
            Some((id, _)) if old != new => self.check_name(*id, new),
            // Left apart, it has no organization that could have the name.
            None if comparable(old) != comparable(new) => self.check_name(u64::MAX, new),
            _ => Ok(()),
        }
    }

    fn check_name(&self, id: u64, name: &str) -> Result<(), Refusal> {
        let taken = self.organizations.iter().any(|(other, organization)| *other != id && has_name(organization, name));
        if taken { Err(TAKEN) } else { Ok(()) }
    }

    /// A group has changed; whether the request had its whole list of members.
    pub fn follow_group(&mut self, group: &str, old: &str, new: &str, is_complete: bool) {
        let is_linked = |organization: &ModelOrganization| organization.group.as_deref() == Some(group);
        if old != new && self.organizations.values().any(is_linked) {
            self.make_way_for_name(new);
        }
        let mut all = self.organizations.values_mut();
        let Some(organization) = all.find(|organization| organization.group.as_deref() == Some(group)) else { return };
        if old != new {
            organization.name = new.trim().to_string();
        }
        if is_complete {
            organization.own.clear();
            organization.remembered.clear();
            organization.settle();
        }
    }

    /// A user was added to a group.
    pub fn confirm(&mut self, group: &str, user: &str) {
        let customer = self.customers.iter().find(|(_, customer)| customer.user.as_deref() == Some(user));
        let mut all = self.organizations.values_mut();
        let organization = all.find(|organization| organization.group.as_deref() == Some(group));
        if let (Some((customer, _)), Some(organization)) = (customer, organization) {
            organization.own.remove(customer);
        }
    }

    /// A user was removed from a group.
    pub fn release(&mut self, group: &str, user: &str) {
        let customer = self.customers.iter().find(|(_, customer)| customer.user.as_deref() == Some(user));
        let mut all = self.organizations.values_mut();
        let organization = all.find(|organization| organization.group.as_deref() == Some(group));
        if let (Some((customer, _)), Some(organization)) = (customer, organization) {
            organization.retained.remove(customer);
            organization.own.remove(customer);
            organization.left_behind.remove(user);
        }
    }

    /// A group is deleted.
    pub fn forget_group(&mut self, group: &str, record: &Group) {
        self.conflicts.remove(group);
        self.left.remove(group);
        let linked = self.organizations.iter().find(|(_, organization)| organization.group.as_deref() == Some(group));
        if let Some(id) = linked.map(|(id, _)| *id) {
            if let Some(organization) = self.organizations.get_mut(&id) {
                organization.left_behind.extend(record.members.iter().cloned());
            }
            self.remove_organization(id);
        }
    }

    fn remove_organization(&mut self, id: u64) {
        let found = self.organizations.remove(&id).or_else(|| self.leaving.1.remove(&id));
        let Some(mut organization) = found else { return };
        let associated = self.associated.remove(&id);
        organization.be_local();
        if self.retains {
            self.deleted_organizations.insert(id, (organization, associated));
        }
    }

    /// The directory is disconnected: everything is local from now on, and as it was.
    pub fn disconnect(&mut self, users: &BTreeMap<String, User>, groups: &BTreeMap<String, Group>, removes: bool) {
        self.leave_behind();
        let customers = self.customers.iter().filter(|(_, customer)| customer.user.is_some());
        let customers: Vec<String> = customers.map(|(id, _)| id.clone()).collect();
        let organizations = self.organizations.iter().filter(|(_, organization)| organization.group.is_some());
        let organizations: Vec<u64> = organizations.map(|(id, _)| *id).collect();
        let members: Vec<_> = self.organizations.values().map(|one| self.of_group(one, users, groups)).collect();
        for (organization, members) in self.organizations.values_mut().zip(members) {
            organization.own.extend(members);
            organization.be_local();
        }
        self.customers.values_mut().for_each(|customer| customer.user = None);
        if removes {
            let customers = customers.into_iter().filter_map(|id| self.customers.remove_entry(&id));
            self.leaving.0.extend(customers);
            let organizations = organizations.into_iter().filter_map(|id| self.organizations.remove_entry(&id));
            self.leaving.1.extend(organizations);
        }
        self.unlinked.clear();
        self.conflicts.clear();
        self.left.clear();
        self.refused.clear();
    }

    /// Users of deleted groups go with their directory; their customers are members on their own.
    fn leave_behind(&mut self) {
        let customers = self.customers.iter().filter_map(|(id, customer)| Some((customer.user.clone()?, id.clone())));
        let customers: BTreeMap<String, String> = customers.collect();
        for organization in self.all_organizations() {
            let users = std::mem::take(&mut organization.left_behind);
            let left_behind = users.iter().filter_map(|user| customers.get(user)).cloned();
            organization.own_or_retained().extend(left_behind);
        }
    }

    /// The customers that are members because their users are members of the group.
    fn of_group(
        &self,
        organization: &ModelOrganization,
        users: &BTreeMap<String, User>,
        groups: &BTreeMap<String, Group>,
    ) -> BTreeSet<String> {
        let group = organization.group.as_ref().and_then(|group| groups.get(group));
        let is_member = |customer: &ModelCustomer| {
            let user = customer.user.as_ref().filter(|user| users.contains_key(*user));
            user.is_some_and(|user| group.is_some_and(|group| group.members.contains(user)))
        };
        let members = self.customers.iter().filter(|(_, customer)| is_member(customer));
        members.map(|(id, _)| id.clone()).collect()
    }

    fn members(
        &self,
        organization: &ModelOrganization,
        users: &BTreeMap<String, User>,
        groups: &BTreeMap<String, Group>,
    ) -> BTreeSet<String> {
        let mut members = self.of_group(organization, users, groups);
        let left_behind = |customer: &ModelCustomer| {
            customer.user.as_ref().is_some_and(|user| organization.left_behind.contains(user))
        };
        members.extend(self.customers.iter().filter(|(_, one)| left_behind(one)).map(|(id, _)| id.clone()));
        let others = organization.own.iter().chain(&organization.retained);
        members.extend(others.filter(|id| self.customers.contains_key(*id)).cloned());
        members
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each thing that can be done")]
    /// Does something on the site, and compares what comes of it. The user or group that has a new version then.
    pub fn perform(
        &mut self,
        site: &Site,
        directory: &str,
        users: &BTreeMap<String, User>,
        groups: &BTreeMap<String, Group>,
        step: &OnSite,
    ) -> Option<String> {
        let engine = site.engine();
        match step {
            OnSite::MakeCustomer(email) => {
                let email = EMAILS[*email];
                let new = NewCustomer {
                    email: email.to_string(),
                    display_name: "Local".to_string(),
                    time_zone: None,
                    locale: None,
                };
                let made = engine.create_customer("ann", &new);
                let expected = self.check_email(NOTHING, email);
                compare_outcome(&made, expected);
                if let Ok(made) = made {
                    let customer =
                        ModelCustomer { email: comparable(email), name: new.display_name, active: true, user: None };
                    self.make_way(&customer.email);
                    self.customers.insert(made.id, customer);
                }
            }
            OnSite::EditCustomer(at, email, active) => {
                let id = self.customer_id(*at);
                let email = email.map(|at| EMAILS[at]);
                let update =
                    CustomerUpdate { email: email.map(ToString::to_string), active: *active, ..Default::default() };
                let mut expected = self.check_local_customer(&id);
                if let (Ok(()), Some(email)) = (expected, email) {
                    expected = self.check_email(&id, email);
                }
                compare_outcome(&engine.update_customer("ann", &id, &update), expected);
                if let (Ok(()), Some(email)) = (expected, email) {
                    self.make_way(&comparable(email));
                }
                if let (Ok(()), Some(customer)) = (expected, self.customers.get_mut(&id)) {
                    customer.email = email.map_or(customer.email.clone(), comparable);
                    customer.active = active.unwrap_or(customer.active);
                }
            }
            OnSite::DeleteCustomer(at) => {
                let id = self.customer_id(*at);
                let expected = self.check_local_customer(&id);
                compare_outcome(&engine.delete_customer("ann", &id), expected);
                if expected.is_ok() {
                    self.remove_customer(&id);
                }
            }
            OnSite::UnlinkCustomer(at) => {
                let id = self.customer_id(*at);
                let expected = match self.check_local_customer(&id) {
                    Ok(()) => Err("refused"),
                    Err("managed") => Ok(()),
                    other => other,
                };
                compare_outcome(&engine.unlink_customer("ann", &id), expected);
                if let (Ok(()), Some(customer)) = (expected, self.customers.get_mut(&id)) {
                    let user = customer.user.take().unwrap();
                    self.keep_left_behind(&user, &id);
                    self.unlinked.insert(user.clone(), id);
                    return Some(user);
                }
            }
            OnSite::RelinkCustomer(at) => {
                let id = self.customer_id(*at);
                let user = self.check_local_customer(&id).and_then(|()| self.to_relink(&id, users));
                compare_outcome(&engine.relink_customer("ann", &id, None), user.clone().map(drop));
                if let Ok(user) = user {
                    self.unlinked.remove(&user);
                    assert_eq!(self.follow_user(&user, &users[&user], false), Ok(()));
                    return Some(user);
                }
            }
            OnSite::UnlinkOrganization(at) => {
                let id = self.organization_id(*at);
                let expected = match self.check_local_organization(id) {
                    Ok(()) => Err("refused"),
                    Err("managed") => Ok(()),
                    other => other,
                };
                compare_outcome(&engine.unlink_organization("ann", id), expected);
                if expected.is_ok() {
                    let members = self.of_group(&self.organizations[&id], users, groups);
                    let organization = self.organizations.get_mut(&id)?;
                    let group = organization.group.clone();
                    organization.own.extend(members);
                    organization.be_local();
                    self.left.extend(group.clone());
                    return group;
                }
            }
            OnSite::ResolveConflict(at, resolution) => {
                let group = self.conflicts.union(&self.left).nth(*at).map_or(NOTHING, String::as_str).to_string();
                self.compare_preview(site, directory, &group, users, groups);
                let expected = self.resolve(&group, groups, resolution);
                let seen = engine.resolve_conflict("ann", directory, &group, resolution);
                let seen = seen.map_err(|error| match error {
                    directories::Error::NotFound(_) => "not found",
                    directories::Error::Invalid(_) => "invalid",
                    directories::Error::Refused(_) => "refused",
                    directories::Error::Store(_) => "something else",
                });
                assert_eq!(seen, expected);
                if expected.is_ok() && *resolution != Resolution::Leave {
                    return Some(group);
                }
            }
            OnSite::MakeOrganization(name) => {
                let expected = self.check_name(0, GROUPS[*name]).map_err(|_| "taken");
                compare_outcome(&engine.create_organization("ann", GROUPS[*name]), expected);
                if expected.is_ok() {
                    self.make_way_for_name(GROUPS[*name]);
                    self.insert(ModelOrganization { name: GROUPS[*name].trim().to_string(), ..Default::default() });
                }
            }
            OnSite::RenameOrganization(at, name) => {
                let id = self.organization_id(*at);
                let taken = self.check_name(id, GROUPS[*name]).map_err(|_| "taken");
                let expected = self.check_local_organization(id).and(taken);
                compare_outcome(&engine.rename_organization("ann", id, GROUPS[*name]), expected);
                if expected.is_ok() {
                    self.make_way_for_name(GROUPS[*name]);
                }
                if let (Ok(()), Some(organization)) = (expected, self.organizations.get_mut(&id)) {
                    organization.name = GROUPS[*name].trim().to_string();
                }
            }
            OnSite::DeleteOrganization(at) => {
                let id = self.organization_id(*at);
                let expected = self.check_local_organization(id);
                compare_outcome(&engine.delete_organization("ann", id), expected);
                if expected.is_ok() {
                    self.remove_organization(id);
                }
            }
            OnSite::EditMembers(at, customers, add) => self.edit_members(site, users, groups, *at, customers, *add),
            OnSite::AssociateOrganization(at, associated) => {
                let id = self.organization_id(*at);
                let expected = if self.organizations.contains_key(&id) { Ok(()) } else { Err("not found") };
                compare_outcome(&engine.associate_organization("ann", self.project, id, *associated), expected);
                if expected.is_ok() {
                    set(&mut self.associated, id, *associated);
                }
            }
            OnSite::AssociateCustomer(at, associated) => {
                let id = self.customer_id(*at);
                let expected = if self.customers.contains_key(&id) { Ok(()) } else { Err("not found") };
                compare_outcome(
                    &engine.associate_customers("ann", self.project, std::slice::from_ref(&id), *associated),
                    expected,
                );
                if expected.is_ok() {
                    set(&mut self.direct, id, *associated);
                }
            }
            OnSite::RestoreCustomer(at) => {
                let id = self.deleted.keys().nth(*at).map_or(NOTHING, String::as_str).to_string();
                let expected = match self.deleted.get(&id) {
                    None => Err("not found"),
                    Some(customer) => self.check_email(&id, &customer.email),
                };
                compare_outcome(&engine.restore_customer("ann", &id), expected);
                if expected.is_ok()
                    && let Some(customer) = self.deleted.remove(&id)
                {
                    self.make_way(&customer.email);
                    for organization in self.organizations.values_mut() {
                        if organization.remembered.remove(&id) {
                            organization.own.insert(id.clone());
                        }
                    }
                    self.customers.insert(id, customer);
                }
            }
            OnSite::EraseCustomer(at) => {
                let all: Vec<&String> = self.deleted.keys().chain(self.customers.keys()).collect();
                let id = all.get(*at).map_or(NOTHING, |id| id.as_str()).to_string();
                let expected = if self.deleted.contains_key(&id) { Ok(()) } else { self.check_local_customer(&id) };
                compare_outcome(&engine.erase_customer("ann", &id), expected);
                if expected.is_ok() {
                    self.customers.remove(&id);
                    self.forget_customer(&id);
                }
            }
            OnSite::RestoreOrganization(at) => {
                let id = self.deleted_organizations.keys().nth(*at).copied().unwrap_or(u64::MAX);
                let expected = match self.deleted_organizations.get(&id) {
                    None => Err("not found"),
                    Some((organization, _)) => self.check_name(id, &organization.name).map_err(|_| "taken"),
                };
                compare_outcome(&engine.restore_organization("ann", id), expected);
                if expected.is_ok()
                    && let Some((organization, associated)) = self.deleted_organizations.remove(&id)
                {
                    self.make_way_for_name(&organization.name);
                    self.organizations.insert(id, organization);
                    set(&mut self.associated, id, associated);
                }
            }
            OnSite::Retain(retains) => {
                self.retains = *retains;
                let days = if *retains { RETENTION_DAYS } else { 0 };
                let update = SettingsUpdate { retention_days: Some(days), ..SettingsUpdate::default() };
                engine.update_site_settings("ann", &update).unwrap();
            }
            OnSite::Wait => {
                site.surroundings.pass(GRACE);
                self.organizations.values_mut().for_each(ModelOrganization::end_grace);
            }
            OnSite::Age if self.ages < MAX_AGES => {
                self.ages += 1;
                site.surroundings.pass(RETENTION);
                self.organizations.values_mut().for_each(ModelOrganization::end_grace);
                self.forget_deleted();
            }
            OnSite::Age => {}
            OnSite::Sweep => {
                site.sweep(2);
                self.swept();
                self.check_erased(site, users);
            }
        }
        None
    }

    /// The user that a local customer is linked to again.
    fn to_relink(&self, customer: &str, users: &BTreeMap<String, User>) -> Result<String, &'static str> {
        let address = &self.customers[customer].email;
        let candidates: Vec<&String> =
            self.unlinked.keys().filter(|user| users[*user].address().as_ref() == Some(address)).collect();
        if !self.is_inside(address) {
            return Err("refused");
        }
        let former: Vec<&String> = candidates.iter().copied().filter(|user| self.unlinked[*user] == customer).collect();
        match (candidates.as_slice(), former.as_slice()) {
            (_, [one]) | ([one], _) => Ok((*one).clone()),
            _ => Err("refused"),
        }
    }

    /// Resolves a conflict in the model.
    fn resolve(
        &mut self,
        group: &str,
        groups: &BTreeMap<String, Group>,
        resolution: &Resolution,
    ) -> Result<(), &'static str> {
        if !self.conflicts.contains(group) && !self.left.contains(group) {
            return Err("not found");
        }
        let name = &groups[group].name;
        let holder = self.organizations.iter().find(|(_, organization)| has_name(organization, name));
        let holder = holder.map(|(id, organization)| (*id, organization.group.is_some()));
        match (resolution, holder) {
            (Resolution::Rename(new), _) if comparable(new) == comparable(name) => return Err("invalid"),
            (Resolution::Adopt | Resolution::Rename(_), Some((_, true))) => return Err("refused"),
            (Resolution::Rename(new), Some((id, false))) => {
                self.check_name(id, new).map_err(|_| "refused")?;
                self.make_way_for_name(new);
                if let Some(organization) = self.organizations.get_mut(&id) {
                    organization.name = new.trim().to_string();
                }
            }
            _ => {}
        }
        if *resolution != Resolution::Leave {
            let policy = std::mem::replace(&mut self.policy, ConflictPolicy::Sync);
            self.make_group(group, name, true);
            self.policy = policy;
        }
        self.conflicts.remove(group);
        set(&mut self.left, group.to_string(), *resolution == Resolution::Leave);
        Ok(())
    }

    fn edit_members(
        &mut self,
        site: &Site,
        users: &BTreeMap<String, User>,
        groups: &BTreeMap<String, Group>,
        at: usize,
        customers: &[usize],
        add: bool,
    ) {
        let id = self.organization_id(at);
        let customers: Vec<String> = customers.iter().map(|at| self.customer_id(*at)).collect();
        let known = customers.iter().all(|customer| self.customers.contains_key(customer));
        let expected = self.check_local_organization(id).and(if known { Ok(()) } else { Err("not found") });
        let engine = site.engine();
        let done =
            if add { engine.add_members("ann", id, &customers) } else { engine.remove_members("ann", id, &customers) };
        compare_outcome(&done, expected);
        let members = self.organizations.get(&id).map(|one| self.members(one, users, groups)).unwrap_or_default();
        if let (Ok(()), Some(organization)) = (expected, self.organizations.get_mut(&id)) {
            for customer in customers {
                if !add {
                    organization.own.remove(&customer);
                    organization.retained.remove(&customer);
                } else if !members.contains(&customer) {
                    organization.own.insert(customer);
                }
            }
        }
    }

    fn customer_id(&self, at: usize) -> String {
        self.customers.keys().nth(at).map_or(NOTHING, String::as_str).to_string()
    }

    fn organization_id(&self, at: usize) -> u64 {
        self.organizations.keys().nth(at).copied().unwrap_or(u64::MAX)
    }

    fn check_email(&self, id: &str, email: &str) -> Result<(), &'static str> {
        let same = |customer: &ModelCustomer| customer.email == comparable(email);
        let taken = self.customers.iter().any(|(other, customer)| other != id && same(customer));
        if taken { Err("taken") } else { Ok(()) }
    }

    fn check_local_customer(&self, id: &str) -> Result<(), &'static str> {
        match self.customers.get(id) {
            None => Err("not found"),
            Some(customer) if customer.user.is_some() => Err("managed"),
            Some(_) => Ok(()),
        }
    }

    fn check_local_organization(&self, id: u64) -> Result<(), &'static str> {
        match self.organizations.get(&id) {
            None => Err("not found"),
            Some(organization) if organization.group.is_some() => Err("managed"),
            Some(_) => Ok(()),
        }
    }

    /// Everything on the site is as the model has it.
    pub fn compare(
        &self,
        site: &Site,
        directory: &str,
        users: &BTreeMap<String, User>,
        groups: &BTreeMap<String, Group>,
    ) {
        let engine = site.engine();
        let (mut apart, mut refused) = (BTreeSet::new(), BTreeSet::new());
        for conflict in engine.conflicts(directory, None, 1_000).unwrap().values {
            match conflict.kind {
                ConflictKind::Refused => refused.insert(comparable(&conflict.name)),
                _ => apart.insert(about(&conflict)),
            };
        }
        assert_eq!((apart, refused), (self.conflicts.clone(), self.refused.clone()));
        let left = engine.left_apart(directory, None, 1_000).unwrap().values.into_iter();
        assert_eq!(left.map(|conflict| about(&conflict)).collect::<BTreeSet<_>>(), self.left);
        for group in groups.keys() {
            self.compare_check(site, directory, group, users, groups);
        }
        self.compare_deleted(site);
        let customers = everything(|position, limit| engine.customers(position, limit).unwrap());
        let seen: BTreeMap<String, (String, String, bool, bool)> = customers.into_iter().map(read).collect();
        let expected = self.customers.iter().map(|(id, customer)| {
            (id.clone(), (customer.email.clone(), customer.name.clone(), customer.active, customer.user.is_some()))
        });
        assert_eq!(seen, expected.collect());
        let organizations = everything(|position, limit| engine.organizations(position, limit).unwrap());
        let seen: Vec<_> = organizations
            .into_iter()
            .map(|organization| (organization.id, organization.name, organization.group))
            .collect();
        let expected = self.organizations.iter();
        let expected: Vec<_> = expected.map(|(id, one)| (*id, one.name.clone(), one.group.clone())).collect();
        assert_eq!(seen, expected);
        let mut of: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        for (id, organization) in &self.organizations {
            let members = everything(|position, limit| engine.organization_members(*id, position, limit).unwrap());
            let seen: Vec<String> = members.into_iter().map(|customer| customer.id).collect();
            let expected = self.members(organization, users, groups);
            assert_eq!(seen.len(), expected.len(), "a member of organization {id} is listed twice");
            assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), expected);
            for customer in self.members(organization, users, groups) {
                let (customer, _) = self.customers.get_key_value(&customer).unwrap();
                of.entry(customer).or_default().insert(*id);
            }
        }
        for (id, customer) in &self.customers {
            self.compare_access(site, id, customer, &of.remove(id.as_str()).unwrap_or_default());
        }
        find::compare_some(site, false);
    }

    /// Nothing is left of the address of anybody who is erased, in the directory neither. Logs name also those who were
    /// never there: `integrity` looks at them.
    fn check_erased(&self, site: &Site, users: &BTreeMap<String, User>) {
        // The name of a user who has no other is what its customer is called.
        let customers = self.customers.values().chain(self.leaving.0.values()).chain(self.deleted.values());
        let customers = customers.flat_map(|customer| [customer.email.clone(), comparable(&customer.name)]);
        let of_users =
            users.values().flat_map(|user| user.email.iter().chain([&user.name])).map(|text| comparable(text));
        let held: BTreeSet<String> = customers.chain(of_users).collect();
        // What a customer was called before is in its history.
        let has_history = |key: &str| {
            let id = key.strip_prefix("hc/").and_then(|key| key.split('/').next());
            id.is_some_and(|id| {
                [&self.customers, &self.leaving.0, &self.deleted].iter().any(|all| all.contains_key(id))
            })
        };
        for email in EMAILS.map(comparable).iter().filter(|email| !held.contains(*email)) {
            let is_log = |key: &str| ["rl/", "ds/", "fg/"].iter().any(|log| key.starts_with(log));
            let is_left_out = |key: &str| has_history(key) || is_log(key);
            for (key, value) in site.storage.snapshot().iter().filter(|(key, _)| !is_left_out(key)) {
                assert!(!format!("{key} {value}").to_lowercase().contains(email), "{email} is left in {key}");
            }
        }
    }

    /// What is deleted is listed, and nothing else.
    fn compare_deleted(&self, site: &Site) {
        let (engine, now) = (site.engine(), site.surroundings.now());
        let seen = everything(|position, limit| engine.deleted_customers(position, limit).unwrap());
        let seen = seen.into_iter().filter(|deleted| now < deleted.erased_at).map(|deleted| read(deleted.customer));
        let expected = self.deleted.iter().map(|(id, customer)| {
            (id.clone(), (customer.email.clone(), customer.name.clone(), customer.active, false))
        });
        assert_eq!(seen.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        let seen = everything(|position, limit| engine.deleted_organizations(position, limit).unwrap());
        let seen = seen.into_iter().filter(|deleted| now < deleted.erased_at).map(|deleted| deleted.organization.id);
        assert_eq!(seen.collect::<Vec<_>>(), self.deleted_organizations.keys().copied().collect::<Vec<_>>());
    }

    /// A preview says who comes and who goes.
    fn compare_preview(
        &self,
        site: &Site,
        directory: &str,
        group: &str,
        users: &BTreeMap<String, User>,
        groups: &BTreeMap<String, Group>,
    ) {
        let preview = site.engine().preview_conflict(directory, group);
        assert_eq!(preview.is_ok(), self.conflicts.contains(group) || self.left.contains(group));
        let Ok(preview) = preview else { return };
        let of_group = ModelOrganization { group: Some(group.to_string()), ..ModelOrganization::default() };
        let after = self.members(&of_group, users, groups);
        let holder = self.organizations.values().find(|organization| has_name(organization, &groups[group].name));
        let before = holder.map(|holder| self.members(holder, users, groups)).unwrap_or_default();
        let named = |change: MemberChange| {
            assert_eq!(change.first.len(), change.count as usize);
            change.first.into_iter().collect::<BTreeSet<_>>()
        };
        assert_eq!(named(preview.added), after.difference(&before).cloned().collect());
        assert_eq!(named(preview.removed), before.difference(&after).cloned().collect());
    }

    /// A group and its organization fit, and those are named who are members besides for a time.
    fn compare_check(
        &self,
        site: &Site,
        directory: &str,
        group: &str,
        users: &BTreeMap<String, User>,
        groups: &BTreeMap<String, Group>,
    ) {
        let linked = self.organizations.iter().find(|(_, organization)| organization.group.as_deref() == Some(group));
        let check = site.engine().check_group(directory, group).unwrap();
        assert_eq!(check.organization, linked.map(|(id, _)| *id));
        let expected = if linked.is_some() { vec![] } else { vec![Difference::NoOrganization] };
        assert_eq!(check.differences, expected);
        let on_probation = linked.map(|(_, organization)| {
            let others = ModelOrganization { own: BTreeSet::new(), ..organization.clone() };
            let others = self.members(&others, users, groups);
            let own = organization.own.iter().filter(|id| self.customers.contains_key(*id) && !others.contains(*id));
            own.cloned().collect::<Vec<_>>()
        });
        let now = site.surroundings.now();
        assert!(check.probation.first.iter().all(|(_, end)| (now..=now + GRACE).contains(end)));
        let named: Vec<String> = check.probation.first.into_iter().map(|(customer, _)| customer).collect();
        assert_eq!((check.probation.count as usize, &named), (named.len(), &on_probation.unwrap_or_default()));
    }

    fn compare_access(&self, site: &Site, id: &str, customer: &ModelCustomer, organizations: &BTreeSet<u64>) {
        let seen = site.engine().organizations_of(id).unwrap();
        assert_eq!(seen.into_iter().map(|organization| organization.id).collect::<BTreeSet<_>>(), *organizations);
        for organization in self.organizations.keys() {
            let member = site.engine().organization_member(*organization, id);
            assert_eq!(member.is_ok_and(|member| member.id == id), organizations.contains(organization));
        }
        let mut reasons: Vec<Reason> = Vec::new();
        if self.direct.contains(id) {
            reasons.push(Reason::Direct);
        }
        for organization in organizations.intersection(&self.associated) {
            reasons.push(Reason::Organization((*organization, self.organizations[organization].name.clone())));
        }
        let projects: Vec<_> = site.engine().projects_of(id).unwrap();
        let seen = projects.iter().find(|open| open.project.id == self.project).map(|open| open.reasons.clone());
        assert_eq!(seen.unwrap_or_default(), if customer.active { reasons.clone() } else { Vec::new() });
        let allowed = customer.active && !reasons.is_empty();
        if !customer.active {
            reasons.insert(0, Reason::Deactivated);
        }
        let access = site.engine().access(id, self.project).unwrap();
        assert_eq!((access.allowed, access.reasons), (allowed, reasons));
    }
}

impl ModelOrganization {
    /// Only those are members from now on whom the group has.
    fn settle(&mut self) {
        self.retained.clear();
        self.left_behind.clear();
    }

    /// Those who are members besides the group: for the time of the grace, where it is adopted.
    fn own_or_retained(&mut self) -> &mut BTreeSet<String> {
        if self.group.is_some() { &mut self.retained } else { &mut self.own }
    }

    /// The directory is gone, or the group: all who are members stay so, and who is restored is one again.
    fn be_local(&mut self) {
        self.group = None;
        self.own.append(&mut self.retained);
        self.own.append(&mut self.remembered);
    }

    /// The time of the grace has passed, and that of any probation.
    fn end_grace(&mut self) {
        if self.group.is_some() {
            self.own.clear();
            self.retained.clear();
            self.left_behind.clear();
        }
    }
}

fn has_name(organization: &ModelOrganization, name: &str) -> bool {
    comparable(&organization.name) == comparable(name)
}

fn set<T: Ord>(all: &mut BTreeSet<T>, one: T, is_in: bool) {
    if is_in {
        all.insert(one);
    } else {
        all.remove(&one);
    }
}

fn read(customer: Customer) -> (String, (String, String, bool, bool)) {
    let managed = customer.managed_by.is_some();
    (customer.id, (comparable(&customer.email), customer.display_name, customer.active, managed))
}

/// What was done or why not is as expected.
fn compare_outcome<T: std::fmt::Debug>(outcome: &Result<T, Error>, expected: Result<(), &'static str>) {
    let seen = outcome.as_ref().map(|_| ()).map_err(|error| match error {
        Error::NotFound(_) => "not found",
        Error::Taken(_) => "taken",
        Error::Managed(_) => "managed",
        Error::Refused(_) => "refused",
        Error::Invalid(_) | Error::Store(_) => "something else",
    });
    assert_eq!(seen, expected, "{outcome:?}");
}

/// All entries of a list, which are the same in pages of any size, by cursor and by offset.
pub fn everything<T: PartialEq + std::fmt::Debug>(list: impl Fn(&Position, u32) -> Page<T>) -> Vec<T> {
    let all = list(&Position::Offset(0), 1_000);
    assert_eq!(all.next, None);
    let (mut pages, mut position) = (Vec::new(), Position::Offset(0));
    loop {
        let page = list(&position, 2);
        assert_eq!(page.values, list(&Position::Offset(u32::try_from(pages.len()).unwrap()), 2).values);
        pages.extend(page.values);
        match page.next {
            Some(next) => position = Position::After(next),
            None => break,
        }
    }
    assert_eq!(pages, all.values);
    all.values
}
