//! The names of what changes are about, as far as they can still be had.

use super::detail::Detail;
use super::names::DirectoryNames;
use super::request::ConsoleRequest;
use crate::http::fault::Fault;
use crate::runtime::Site;
use crate::runtime::changes::Change;
use crate::runtime::directories::LogFilter;
use crate::runtime::site::{self, HistoryEntry};
use std::collections::{BTreeMap, BTreeSet};

/// How many customers, organizations and projects are looked up for one page. What is past that has no name on it.
const LOOKED_UP: usize = 120;

/// How many directories have their request logs looked at for the names of users and groups.
const LOGS: usize = 4;

/// How many requests of a log: all that there can be.
const LOGGED: u32 = 1_000;

/// Up to how many members of one change are named.
pub(super) const MEMBERS_NAMED: usize = 2;

/// How many entries of a history are looked at for the name of what is deleted.
const HISTORY: u32 = 10;

/// What is named on a page, read once each.
pub(super) struct Subjects {
    pub(super) directories: DirectoryNames,
    customers: BTreeMap<String, Known>,
    organizations: BTreeMap<u64, Known>,
    projects: BTreeMap<u64, Known>,
    /// Users and groups by their ids.
    resources: BTreeMap<String, String>,
}

/// Something that was looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    /// It is there, under this name.
    There(String),
    /// It is deleted, and had this name.
    Deleted(String),
    /// Nothing is known of it any more.
    Gone,
}

impl Known {
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::There(name) | Self::Deleted(name) => Some(name),
            Self::Gone => None,
        }
    }
}

impl Subjects {
    /// Looks up what was asked about, and what these changes are about.
    pub(super) async fn of(request: &ConsoleRequest<'_>, asked: &Detail, changes: &[Change]) -> Result<Self, Fault> {
        let mut subjects = Self {
            directories: DirectoryNames::read(request).await?,
            customers: BTreeMap::new(),
            organizations: BTreeMap::new(),
            projects: BTreeMap::new(),
            resources: BTreeMap::new(),
        };
        let mut homes = BTreeSet::new();
        subjects.look_up(request.site(), asked, &[]).await?;
        homes.extend(asked.directory.clone().filter(|_| asked.is_of_directory()));
        for change in changes {
            let detail = Detail::of(change);
            let are_named = change.kind.starts_with("organization.") && detail.members.len() <= MEMBERS_NAMED;
            let members = if are_named { &detail.members[..] } else { &[] };
            subjects.look_up(request.site(), &detail, members).await?;
            homes.extend(detail.home(change).filter(|_| detail.is_of_directory()).map(str::to_owned));
        }
        for home in homes.iter().take(LOGS) {
            subjects.read_log(request.site(), home).await?;
        }
        Ok(subjects)
    }

    /// Looks up the customers, the organization and the project of one change.
    async fn look_up(&mut self, site: &Site, detail: &Detail, members: &[String]) -> Result<(), Fault> {
        for id in detail.customer.iter().chain(members) {
            if !self.customers.contains_key(id) && self.has_room() {
                self.customers.insert(id.clone(), customer(site, id).await?);
            }
        }
        if let Some(id) = detail.organization.filter(|id| !self.organizations.contains_key(id) && self.has_room()) {
            self.organizations.insert(id, organization(site, id).await?);
        }
        if let Some(id) = detail.project.filter(|id| !self.projects.contains_key(id) && self.has_room()) {
            self.projects.insert(id, project(site, id).await?);
        }
        Ok(())
    }

    fn has_room(&self) -> bool {
        self.customers.len() + self.organizations.len() + self.projects.len() < LOOKED_UP
    }

    /// Takes the names of users and groups from what was asked about them.
    async fn read_log(&mut self, site: &Site, directory: &str) -> Result<(), Fault> {
        let everything = LogFilter { subject: None, name: None, failed: false };
        // Of a directory that is disconnected there is no log.
        let Ok(page) = site.requests(directory, everything, None, LOGGED).await? else { return Ok(()) };
        for subject in page.values.into_iter().filter_map(|logged| logged.subject) {
            if let (Some(id), Some(name)) = (subject.id, subject.name) {
                // The newest comes first.
                self.resources.entry(id).or_insert(name);
            }
        }
        Ok(())
    }

    pub(super) fn customer(&self, id: &str) -> Option<&Known> {
        self.customers.get(id)
    }

    pub(super) fn organization(&self, id: u64) -> Option<&Known> {
        self.organizations.get(&id)
    }

    pub(super) fn project(&self, id: u64) -> Option<&Known> {
        self.projects.get(&id)
    }

    /// The name of a user or group.
    pub(super) fn resource(&self, id: &str) -> Option<&str> {
        self.resources.get(id).map(String::as_str)
    }
}

async fn customer(site: &Site, id: &str) -> Result<Known, Fault> {
    match site.customer(id).await? {
        Ok(customer) => Ok(Known::There(customer.display_name)),
        Err(site::Error::NotFound(_)) => Ok(match site.customer_history(id, None, HISTORY).await? {
            Ok(page) => last_name(&page.values),
            Err(_) => Known::Gone,
        }),
        Err(error) => Err(error.into()),
    }
}

async fn organization(site: &Site, id: u64) -> Result<Known, Fault> {
    match site.organization(id).await? {
        Ok(organization) => Ok(Known::There(organization.name)),
        Err(site::Error::NotFound(_)) => Ok(match site.organization_history(id, None, HISTORY).await? {
            Ok(page) => last_name(&page.values),
            Err(_) => Known::Gone,
        }),
        Err(error) => Err(error.into()),
    }
}

async fn project(site: &Site, id: u64) -> Result<Known, Fault> {
    match site.project(id).await? {
        Ok(project) => Ok(Known::There(project.name)),
        Err(site::Error::NotFound(_)) => Ok(Known::Gone),
        Err(error) => Err(error.into()),
    }
}

/// The name that something had last, by its history.
pub(super) fn last_name(history: &[HistoryEntry]) -> Known {
    let mut values = history.iter().flat_map(|entry| &entry.values);
    let name = values.find(|value| matches!(value.attribute.as_str(), "displayName" | "name"));
    // Of a deletion, the name is the old value.
    let name = name.and_then(|value| value.new.clone().or_else(|| value.old.clone()));
    name.map_or(Known::Gone, Known::Deleted)
}
