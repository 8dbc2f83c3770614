//! The names of what changes are about, as far as they can still be had.

use super::detail::Detail;
use super::names::DirectoryNames;
use super::request::ConsoleRequest;
use crate::http::fault::Fault;
use crate::runtime::changes::{Change, Subject};
use crate::runtime::site::HistoryEntry;
use std::collections::{BTreeMap, BTreeSet};

/// How many things are named on one page: as many as one call returns. What is past that has no name on it.
const NAMED: usize = 1_000;

/// Up to how many members of one change are named.
pub(super) const MEMBERS_NAMED: usize = 2;

/// What is named on a page, read in one call.
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
    /// It is there, or can be restored, under this name.
    Named(String),
    /// Nothing is known of it any more.
    Gone,
}

impl Known {
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Gone => None,
        }
    }
}

/// What is to be looked up: each once.
#[derive(Default)]
struct Wanted {
    customers: BTreeSet<String>,
    organizations: BTreeSet<u64>,
    projects: BTreeSet<u64>,
    /// Each with its directory.
    users: BTreeSet<(String, String)>,
    groups: BTreeSet<(String, String)>,
}

impl Wanted {
    /// Adds what one change is about, in a directory, or what somebody has asked about.
    fn add(&mut self, detail: &Detail, home: Option<&str>, kind: &str) {
        let members = if detail.members.len() <= MEMBERS_NAMED { &detail.members[..] } else { &[] };
        self.customers.extend(detail.customer.clone());
        self.organizations.extend(detail.organization);
        self.projects.extend(detail.project);
        if kind.starts_with("organization.") {
            self.customers.extend(members.iter().cloned());
        }
        let Some(home) = home else { return };
        let in_directory = |id: &String| (home.to_owned(), id.clone());
        self.users.extend(detail.user.as_ref().map(in_directory));
        // A customer that was made for a user has its id: of one who is deleted, that has a name for longer.
        self.customers.extend(detail.user.clone());
        self.groups.extend(detail.group.as_ref().map(in_directory));
        if kind.starts_with("group.") {
            self.users.extend(members.iter().map(in_directory));
        }
    }

    fn subjects(self) -> Vec<Subject> {
        let customers = self.customers.into_iter().map(Subject::Customer);
        let organizations = self.organizations.into_iter().map(Subject::Organization);
        let projects = self.projects.into_iter().map(Subject::Project);
        let users = self.users.into_iter().map(Subject::User);
        let groups = self.groups.into_iter().map(Subject::Group);
        customers.chain(organizations).chain(projects).chain(groups).chain(users).take(NAMED).collect()
    }
}

impl Subjects {
    /// Looks up what was asked about, and what these changes are about.
    pub(super) async fn of(request: &ConsoleRequest<'_>, asked: &Detail, changes: &[Change]) -> Result<Self, Fault> {
        let mut wanted = Wanted::default();
        wanted.add(asked, asked.directory.as_deref(), "");
        for change in changes {
            let detail = Detail::of(change);
            wanted.add(&detail, detail.home(change), &change.kind);
        }
        let mut subjects = Self {
            directories: DirectoryNames::read(request).await?,
            customers: BTreeMap::new(),
            organizations: BTreeMap::new(),
            projects: BTreeMap::new(),
            resources: BTreeMap::new(),
        };
        let wanted = wanted.subjects();
        let names = request.site().names(wanted.clone()).await??;
        for (subject, name) in wanted.into_iter().zip(names) {
            let name = name.map(|name| name.text);
            match subject {
                Subject::Customer(id) => drop(subjects.customers.insert(id, known(name))),
                Subject::Organization(number) => drop(subjects.organizations.insert(number, known(name))),
                Subject::Project(number) => drop(subjects.projects.insert(number, known(name))),
                Subject::User((_, id)) | Subject::Group((_, id)) => {
                    subjects.resources.extend(name.map(|name| (id, name)));
                }
                Subject::Directory(_) => {}
            }
        }
        Ok(subjects)
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
        self.resources.get(id).map(String::as_str).or_else(|| self.customer(id)?.name())
    }
}

fn known(name: Option<String>) -> Known {
    name.map_or(Known::Gone, Known::Named)
}

/// The name that something had last, by its history.
pub(super) fn last_name(history: &[HistoryEntry]) -> Known {
    let mut values = history.iter().flat_map(|entry| &entry.values);
    let name = values.find(|value| matches!(value.attribute.as_str(), "displayName" | "name"));
    // Of a deletion, the name is the old value.
    known(name.and_then(|value| value.new.clone().or_else(|| value.old.clone())))
}
