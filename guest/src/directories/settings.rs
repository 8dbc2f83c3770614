//! Connecting directories, and their settings.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::activity::forget_status;
use super::api_key;
use super::error::{Error, Result};
use super::held::ease_hold;
use super::keys::{IssuedKey, describe_key, load_keys};
use super::notices::{forget_notice, store_key};
use super::record::{base_path, load, load_rules, read_counts, read_rules};
use super::setup_links;
use crate::address::is_domain;
use crate::engine::Engine;
use crate::names;
use crate::site::{organizations, totals};
use crate::store::feed::{self, ChangeKind, Detail};
use crate::store::pages::{Page, scan_ids};
use crate::store::records::{self, Counts, DirectoryRecord, Due, Subject, Sweep, Twin};
pub use crate::store::records::{
    ConflictPolicy, EmailChange, EmailPresence, Mode, OutsideDomains, ProjectRule, UnknownMembers,
};
use crate::store::{self, Transaction, keys, plan};
use crate::text::quoted;
use crate::twins;

/// How many email domains a directory may be bound to. Every request reads them.
const MAX_DOMAINS: usize = 100;

/// How many project rules a directory may have.
const MAX_RULES: usize = 200;

/// How many projects the rules of a directory may have in all: so many associations one new group can bring.
const MAX_PROJECTS_OF_RULES: usize = 1_000;

/// How many projects a rule may have.
const MAX_PROJECTS_PER_RULE: usize = 100;

/// The settings of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The name, 1 to 200 characters, unique on the site without regard to case.
    pub name: String,
    /// What happens when the email address of a user changes.
    pub email_change: EmailChange,
    /// Whether every user needs an email address.
    pub email: EmailPresence,
    /// What happens to members that are not users of the directory.
    pub unknown_members: UnknownMembers,
    /// What happens when a group is first pushed with the name of a local organization.
    pub conflict_policy: ConflictPolicy,
    /// For how many seconds the members that an adopted organization had before stay members.
    pub adoption_grace_seconds: u32,
    /// How many deletions and deactivations an hour may have before the rest is held until an administrator releases
    /// them; `None` for no limit.
    pub deletion_limit: Option<u32>,
    /// Whether what it pushes reaches the site: at once (live), or when its plan is applied (staged).
    pub mode: Mode,
    /// The email domains that it is bound to, at most 100; none if it may have users of any.
    pub domains: Vec<String>,
    /// What happens to users with an email address outside of these domains.
    pub outside_domains: OutsideDomains,
    /// With which projects organizations are associated when they are made or adopted, by the names of their groups: at
    /// most 200 rules.
    pub project_rules: Vec<ProjectRule>,
    /// Whether memberships are resources of their own, at `/GroupMemberships`. Where they are not, discovery does not
    /// name them: strict clients refuse what they do not know.
    pub membership_resources: bool,
    /// After how many times its usual interval without a request the directory counts as silent, see
    /// [`DirectoryStatus::usual_interval`](super::DirectoryStatus::usual_interval); 0 for never.
    pub silent_after: u32,
}

/// The settings to change; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsUpdate {
    /// A new name.
    pub name: Option<String>,
    /// What happens from now on when the email address of a user changes.
    pub email_change: Option<EmailChange>,
    /// Whether every user needs an email address from now on.
    pub email: Option<EmailPresence>,
    /// What happens from now on to members that are not users of the directory.
    pub unknown_members: Option<UnknownMembers>,
    /// What happens from now on when a group is first pushed with the name of a local organization.
    pub conflict_policy: Option<ConflictPolicy>,
    /// For how many seconds the former members of organizations that are adopted from now on stay members.
    pub adoption_grace_seconds: Option<u32>,
    /// How many deletions and deactivations an hour may have from now on; `Some(None)` removes the limit. That lifts a
    /// hold, and so does a higher limit that the last hour has not reached.
    pub deletion_limit: Option<Option<u32>>,
    /// To stage a directory: from now on, what it pushes is planned. That also stops an apply that is under way. A staged
    /// directory goes live when its plan is applied, see [`apply_plan`](Engine::apply_plan).
    pub mode: Option<Mode>,
    /// The email domains that it is bound to from now on. What is linked stays linked; users who are inside now and
    /// were not before are linked by upkeep.
    pub domains: Option<Vec<String>>,
    /// What happens from now on to users with an email address outside of its domains.
    pub outside_domains: Option<OutsideDomains>,
    /// With which projects organizations are associated that are made or adopted from now on.
    pub project_rules: Option<Vec<ProjectRule>>,
    /// Whether memberships are resources of their own from now on.
    pub membership_resources: Option<bool>,
    /// After how many times its usual interval without a request the directory counts as silent; 0 for never.
    pub silent_after: Option<u32>,
}

/// A connected directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Its id, part of its SCIM base URL.
    pub id: String,
    /// The path of its SCIM base URL.
    pub scim_path: String,
    /// Its settings.
    pub settings: Settings,
    /// When it was connected, in milliseconds since the Unix epoch.
    pub created_at: u64,
    /// How many users it has.
    pub users: u64,
    /// How many groups it has.
    pub groups: u64,
    /// How many memberships its groups have in all.
    pub memberships: u64,
    /// How many of its users are linked to no customer.
    pub unlinked: u64,
    /// How many of its conflicts are open.
    pub conflicts: u64,
}

/// A directory that has just been connected, with its first key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// The directory.
    pub directory: Directory,
    /// Its first key.
    pub key: IssuedKey,
}

impl Engine<'_> {
    /// Connects a directory and issues its first key, valid for one year.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name that is too short or long, [`Error::Refused`] for one that is taken.
    pub fn connect(&self, actor: &str, settings: &Settings) -> Result<Connected> {
        let name = names::checked(&settings.name)?;
        let domains = checked_domains(&settings.domains)?;
        self.administer(actor, |work| {
            let id = self.new_id(work.now);
            let (api_key, key_id, key) = api_key::issue(self, work.now);
            let record = DirectoryRecord {
                name: name.clone(),
                created: work.now.milliseconds,
                email_change: settings.email_change,
                email: settings.email,
                unknown_members: settings.unknown_members,
                conflict_policy: settings.conflict_policy,
                adoption_grace: settings.adoption_grace_seconds,
                deletion_limit: settings.deletion_limit,
                mode: settings.mode,
                domains: domains.clone(),
                outside_domains: settings.outside_domains,
                membership_resources: settings.membership_resources,
                silent_after: settings.silent_after,
                twin: None,
            };
            if record.mode == Mode::Applying {
                return Err(Error::Invalid("a directory is connected live or staged".to_string()));
            }
            plan::count_staged(work.transaction, [Mode::Live, record.mode])?;
            claim_name(work.transaction, &id, &record.name)?;
            let rules = checked_rules(work.transaction, &settings.project_rules)?;
            store_rules(work.transaction, &id, &rules);
            work.transaction.put(keys::directory(&id), records::write(&record));
            work.transaction.put(keys::counts(&id), records::write(&Counts::default()));
            store_key(work.transaction, &id, &key_id, &key);
            if record.mode == Mode::Staged {
                plan::look(work.transaction, &id, work.now.milliseconds)?;
            }
            work.record(ChangeKind::DirectoryConnected, Detail::of_directory(&id));
            work.record(ChangeKind::KeyIssued, Detail::of_key(&id, &key_id));
            let key = IssuedKey { api_key, key: describe_key(key_id, &key) };
            Ok(Connected { directory: describe(id, record, rules, &Counts::default()), key })
        })
    }

    /// The connected directories, oldest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit or cursor that is not valid.
    pub fn directories(&self, cursor: Option<&str>, limit: u32) -> Result<Page<Directory>> {
        self.read(|transaction| {
            let Page { values: entries, next } = scan_ids::<Error>(transaction, keys::ALL_DIRECTORIES, cursor, limit)?;
            let ids = || entries.iter().map(|entry| keys::id_of(&entry.key));
            let mut counts =
                transaction.get_many(ids().map(keys::counts).chain(ids().map(keys::project_rules)).collect())?;
            let rules = counts.split_off(entries.len());
            let mut values = Vec::with_capacity(entries.len());
            for ((entry, counts), rules) in entries.iter().zip(counts).zip(rules) {
                let id = keys::id_of(&entry.key).to_string();
                let (counts, rules) = (read_counts(&id, counts)?, read_rules(&id, rules)?);
                values.push(describe(id, records::read(&entry.key, &entry.value)?, rules, &counts));
            }
            Ok(Page { values, next })
        })
    }

    /// The directory with this id.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn directory(&self, id: &str) -> Result<Directory> {
        self.read(|transaction| {
            let record = load(transaction, id)?;
            let (rules, counts) = (load_rules(transaction, id)?, transaction.get(keys::counts(id))?);
            Ok(describe(id.to_string(), record, rules, &read_counts(id, counts)?))
        })
    }

    /// Changes the settings of a directory.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] and [`Error::Refused`] as for [`connect`](Self::connect).
    pub fn update_directory(&self, actor: &str, id: &str, update: &SettingsUpdate) -> Result<Directory> {
        let name = update.name.as_deref().map(names::checked).transpose()?;
        let domains = update.domains.as_deref().map(checked_domains).transpose()?;
        self.administer(actor, |work| {
            let transaction = &mut *work.transaction;
            let old = load(transaction, id)?;
            let counts = transaction.get(keys::counts(id))?;
            let mut counts = read_counts(id, counts)?;
            let mut new = DirectoryRecord {
                name: name.clone().unwrap_or_else(|| old.name.clone()),
                created: old.created,
                email_change: update.email_change.unwrap_or(old.email_change),
                email: update.email.unwrap_or(old.email),
                unknown_members: update.unknown_members.unwrap_or(old.unknown_members),
                conflict_policy: update.conflict_policy.unwrap_or(old.conflict_policy),
                adoption_grace: update.adoption_grace_seconds.unwrap_or(old.adoption_grace),
                deletion_limit: update.deletion_limit.unwrap_or(old.deletion_limit),
                mode: checked_mode(old.mode, update.mode)?,
                domains: domains.clone().unwrap_or_else(|| old.domains.clone()),
                outside_domains: update.outside_domains.unwrap_or(old.outside_domains),
                membership_resources: update.membership_resources.unwrap_or(old.membership_resources),
                silent_after: update.silent_after.unwrap_or(old.silent_after),
                twin: old.twin,
            };
            let old_rules = load_rules(transaction, id)?;
            let rules = match &update.project_rules {
                Some(rules) => checked_rules(transaction, rules)?,
                None => old_rules.clone(),
            };
            if new != old || rules != old_rules {
                if keys::directory_name(&new.name) != keys::directory_name(&old.name) {
                    claim_name(transaction, id, &new.name)?;
                    drop_name(transaction, id, &old.name, new.twin.take())?;
                }
                plan::count_staged(transaction, [old.mode, new.mode])?;
                if (old.mode, new.mode) == (Mode::Live, Mode::Staged) {
                    plan::look(transaction, id, work.now.milliseconds)?;
                }
                if (old.mode, new.mode) == (Mode::Applying, Mode::Staged) {
                    plan::stop_apply(transaction, id, work.now.milliseconds)?;
                }
                ease_hold(transaction, id, old.deletion_limit, new.deletion_limit, work.now.milliseconds)?;
                if new.domains != old.domains {
                    let due = Due::Domains { directory: id.to_string(), after: None };
                    transaction.put(due.key(work.now.milliseconds), records::write(&due));
                }
                if rules != old_rules && new.mode != Mode::Live {
                    // Who gains a project by the plan follows from the rules.
                    counts.planned.changed = work.now.milliseconds;
                    transaction.put(keys::counts(id), records::write(&counts));
                }
                store_rules(transaction, id, &rules);
                transaction.put(keys::directory(id), records::write(&new));
                let mut changed = changed_settings(&old, &new);
                changed.extend(feed::changed([("projectRules", rules != old_rules)]));
                work.record(ChangeKind::DirectoryUpdated, Detail { changed, ..Detail::of_directory(id) });
            }
            Ok(describe(id.to_string(), new, rules, &counts))
        })
    }

    /// Disconnects a directory. Its keys stop working at once, and its SCIM resources are gone. The customers and
    /// organizations that it managed become local; with `remove`, they are out of sight and without access at once,
    /// their names and addresses are free, and upkeep deletes them step by step.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn disconnect(&self, actor: &str, id: &str, remove: bool) -> Result<()> {
        self.administer(actor, |work| {
            let record = load(work.transaction, id)?;
            // What stays is what is there now: a grace or probation that has passed must not come back.
            organizations::settle_due(work)?;
            let transaction = &mut *work.transaction;
            let counts = transaction.get(keys::counts(id))?;
            totals::forget_directory(transaction, id, &read_counts(id, counts)?, !remove)?;
            if !remove {
                transaction.put(keys::gone_directory(id), "");
            }
            plan::count_staged(transaction, [record.mode, Mode::Live])?;
            transaction.delete(keys::directory(id));
            transaction.delete(keys::project_rules(id));
            plan::forget(transaction, id)?;
            drop_name(transaction, id, &record.name, record.twin)?;
            for (key_id, key) in load_keys(transaction, id)? {
                forget_notice(transaction, id, &key_id, &key);
            }
            setup_links::remove_all(transaction, id)?;
            forget_status(transaction, id)?;
            let (sweep, kind) = if remove {
                (Sweep::Removal, ChangeKind::DirectoryRemoved)
            } else {
                (Sweep::Directory, ChangeKind::DirectoryDisconnected)
            };
            transaction.put(keys::sweep(id, id), records::write(&sweep));
            work.record(kind, Detail::of_directory(id));
            Ok(())
        })
    }
}

/// The mode of a directory after an update.
fn checked_mode(old: Mode, wanted: Option<Mode>) -> Result<Mode> {
    match (old, wanted) {
        (_, None | Some(Mode::Staged)) => Ok(wanted.unwrap_or(old)),
        (Mode::Live, Some(Mode::Live)) | (Mode::Applying, Some(Mode::Applying)) => Ok(old),
        (Mode::Staged | Mode::Applying, Some(Mode::Live)) => {
            Err(Error::Refused("a staged directory goes live when its plan is applied".to_string()))
        }
        (_, Some(Mode::Applying)) => Err(Error::Invalid("the mode to set is live or staged".to_string())),
    }
}

fn claim_name(transaction: &mut Transaction, id: &str, name: &str) -> Result<()> {
    let key = keys::directory_name(name);
    if transaction.get(key.clone())?.is_some_and(|holder| holder != id) {
        return Err(Error::Refused("another directory has this name".to_string()));
    }
    transaction.put(key, id);
    Ok(())
}

/// Takes the name of a directory out of the index. If two have the name, the index leads to the other one from now on.
fn drop_name(transaction: &mut Transaction, id: &str, name: &str, twin: Option<Twin>) -> store::Result<()> {
    let key = keys::directory_name(name);
    match twin {
        None => transaction.delete(key),
        Some(twin) => drop(twins::part(transaction, None, &Subject::Directory(id.to_string()), twin, key)?),
    }
    Ok(())
}

fn changed_settings(old: &DirectoryRecord, new: &DirectoryRecord) -> Vec<String> {
    feed::changed([
        ("name", old.name != new.name),
        ("emailChange", old.email_change != new.email_change),
        ("email", old.email != new.email),
        ("unknownMembers", old.unknown_members != new.unknown_members),
        ("conflictPolicy", old.conflict_policy != new.conflict_policy),
        ("adoptionGraceSeconds", old.adoption_grace != new.adoption_grace),
        ("deletionLimit", old.deletion_limit != new.deletion_limit),
        ("mode", old.mode != new.mode),
        ("domains", old.domains != new.domains),
        ("outsideDomains", old.outside_domains != new.outside_domains),
        ("membershipResources", old.membership_resources != new.membership_resources),
        ("silentAfter", old.silent_after != new.silent_after),
    ])
}

/// Email domains as they are kept: as they are compared, each once.
fn checked_domains(domains: &[String]) -> Result<Vec<String>> {
    if domains.len() > MAX_DOMAINS {
        return Err(Error::Invalid(format!("a directory is bound to at most {MAX_DOMAINS} domains")));
    }
    let mut checked: Vec<String> = Vec::with_capacity(domains.len());
    for domain in domains {
        if !is_domain(domain) {
            return Err(Error::Invalid(format!("{} is no email domain, such as example.com", quoted(domain))));
        }
        let domain = keys::comparable(domain);
        if !checked.contains(&domain) {
            checked.push(domain);
        }
    }
    Ok(checked)
}

/// Project rules as they are kept.
fn checked_rules(transaction: &mut Transaction, rules: &[ProjectRule]) -> Result<Vec<ProjectRule>> {
    if rules.len() > MAX_RULES {
        return Err(Error::Invalid(format!("a directory has at most {MAX_RULES} project rules")));
    }
    if rules.iter().fold(0_usize, |sum, rule| sum.saturating_add(rule.projects.len())) > MAX_PROJECTS_OF_RULES {
        return Err(Error::Invalid(format!("the project rules have at most {MAX_PROJECTS_OF_RULES} projects in all")));
    }
    let mut checked = Vec::with_capacity(rules.len());
    for rule in rules {
        if let Some(fault) = names::fault(&rule.pattern) {
            return Err(Error::Invalid(format!("the pattern of a project rule {fault}")));
        }
        if !(1..=MAX_PROJECTS_PER_RULE).contains(&rule.projects.len()) {
            return Err(Error::Invalid(format!("a project rule has 1 to {MAX_PROJECTS_PER_RULE} projects")));
        }
        let found = transaction.get_many(rule.projects.iter().map(|project| keys::project(*project)).collect())?;
        if let Some((project, _)) = rule.projects.iter().zip(found).find(|(_, found)| found.is_none()) {
            return Err(Error::Invalid(format!("there is no project {project}, which a rule names")));
        }
        checked.push(ProjectRule { pattern: rule.pattern.trim().to_string(), projects: rule.projects.clone() });
    }
    Ok(checked)
}

fn store_rules(transaction: &mut Transaction, id: &str, rules: &[ProjectRule]) {
    let key = keys::project_rules(id);
    if rules.is_empty() {
        transaction.delete(key);
    } else {
        transaction.put(key, records::write(&rules));
    }
}

fn describe(id: String, record: DirectoryRecord, project_rules: Vec<ProjectRule>, counts: &Counts) -> Directory {
    Directory {
        scim_path: base_path(&id),
        id,
        settings: Settings {
            name: record.name,
            email_change: record.email_change,
            email: record.email,
            unknown_members: record.unknown_members,
            conflict_policy: record.conflict_policy,
            adoption_grace_seconds: record.adoption_grace,
            deletion_limit: record.deletion_limit,
            mode: record.mode,
            domains: record.domains,
            outside_domains: record.outside_domains,
            project_rules,
            membership_resources: record.membership_resources,
            silent_after: record.silent_after,
        },
        created_at: record.created,
        users: counts.users,
        groups: counts.groups,
        memberships: counts.memberships,
        unlinked: counts.unlinked,
        conflicts: counts.conflicts,
    }
}
