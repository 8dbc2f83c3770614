//! Housekeeping in bounded steps (`wit/upkeep.wit`): brings a storage of an older layout to this one, sweeps what was
//! deleted and is already invisible, and does what is due.
//!
//! ```
//! # mod host { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/host/provided.rs")); }
//! # use usher_engine::Engine;
//! # let (storage, environment) = (host::Memory::default(), host::System);
//! # let engine = Engine::new(&storage, &environment);
//! use usher_engine::upkeep::Readiness;
//!
//! let connected = engine.connect("ada", &host::settings("Entra ID"))?;
//! engine.disconnect("ada", &connected.directory.id, true)?;
//! assert_eq!(engine.readiness()?, Readiness::Ready);
//! // Steps of a bounded number of entries each, until there is nothing left to do.
//! while engine.upkeep_step(1_000)?.more {}
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod searchable;
mod upgrade;

use alloc::string::{String, ToString};

pub use self::upgrade::Upgrade;

use crate::directories::{forgetting, log, notices, setup_links};
use crate::engine::{Engine, Moment};
use crate::provisioning::{applying, leaving, links, plan_access};
use crate::site::{
    self, arrivals, bin, customers, holders, index, numbers, organizations, parting, probation, projects,
};
use crate::store::counts;
use crate::store::edges;
use crate::store::histories;
use crate::store::keys::{self, Kind};
use crate::store::pages;
use crate::store::records::{self, Due, Sweep};
use crate::store::{self, Transaction, prefix_range};
use crate::work::{USHER, Work};

/// How many entries a step may be asked to remove at most.
const MAX_BUDGET: u32 = 10_000;

/// For how long something due is put off that has failed, in milliseconds.
const PUT_OFF_MS: u64 = 5 * 60_000;

/// How many entries the removal of a customer or an organization counts as: several entries go with it.
const REMOVAL_COST: u32 = 16;

/// Why a step did not finish.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The storage failed, or cannot do its part now.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Anything else: the site refused what was due.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// Whether it would be the same if it was tried again at once.
    const fn is_lasting(&self) -> bool {
        matches!(self, Error::Other(_) | Error::Store(store::Error::Corrupt { .. } | store::Error::TooLarge(_)))
    }
}

impl From<site::Error> for Error {
    fn from(error: site::Error) -> Self {
        match error {
            site::Error::Store(error) => Error::Store(error),
            other => Error::Other(other.to_string()),
        }
    }
}

/// Whether the storage can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// It is being brought to the layout of this version, step by step, and can be read meanwhile.
    Upgrading(Upgrade),
}

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many entries it removed, or looked at to bring them to the layout of this version.
    pub removed: u32,
    /// Whether there is more to do now.
    pub more: bool,
}

impl Engine<'_> {
    /// Whether the storage can be written. It is read for that, so an error means that it cannot even be read.
    ///
    /// # Errors
    /// Where the storage fails, or has a layout that this version does not know.
    pub fn readiness(&self) -> Result<Readiness, Error> {
        let pending = self.read(upgrade::pending)?;
        Ok(pending.map_or(Readiness::Ready, Readiness::Upgrading))
    }

    /// Does one step in one transaction, removing at most about `budget` entries, 1 to 10,000.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn upkeep_step(&self, budget: u32) -> Result<Progress, Error> {
        let budget = budget.clamp(1, MAX_BUDGET);
        let now = self.now();
        // Most of the time there is nothing to do, and no writer should have to wait while that is found out.
        let (upgrading, nothing_to_do) = self.read(|transaction| {
            let upgrading = upgrade::pending(transaction)?.is_some();
            let waiting = next_due(transaction, now.milliseconds)?.is_some()
                || next_sweep(transaction)?.is_some()
                || !transaction.scan(&prefix_range(keys::ALL_TO_FORGET, 1))?.is_empty();
            Ok::<_, Error>((upgrading, !waiting))
        })?;
        if upgrading {
            let removed = self.upgrade_step(budget)?.unwrap_or_default();
            return Ok(Progress { removed, more: true });
        }
        if nothing_to_do {
            return Ok(Progress::default());
        }
        let done = self.write(|transaction| {
            if let Some((key, due)) = next_due(transaction, now.milliseconds)? {
                transaction.delete(key);
                let settings = transaction.get(keys::SITE_SETTINGS_KEY.to_string())?;
                perform(&mut work(transaction, &now, settings.as_deref()), &due)?;
                return Ok(Progress { removed: 1, more: true });
            }
            let forgotten = forgetting::step(transaction)?;
            if forgotten > 0 {
                return Ok(Progress { removed: forgotten, more: true });
            }
            match next_sweep(transaction)? {
                Some(job) => job.step(transaction, budget, &now),
                None => Ok(Progress::default()),
            }
        });
        match done {
            Err(error) if error.is_lasting() => self.put_off(&now, error),
            done => done,
        }
    }

    /// Puts off what is due next and has failed, for a reason that is still there when it is tried again at once: otherwise
    /// nothing behind it would have its turn. An apply that the site refuses is stopped.
    fn put_off(&self, now: &Moment, error: Error) -> Result<Progress, Error> {
        self.write(|transaction| {
            let Some((key, due)) = next_due(transaction, now.milliseconds)? else { return Ok(()) };
            transaction.delete(key);
            match (&error, &due) {
                (Error::Other(_), Due::Apply(directory)) => {
                    applying::stop(&mut work(transaction, now, None), directory)?;
                }
                _ => {
                    let later = now.milliseconds.saturating_add(PUT_OFF_MS);
                    transaction.put(due.key(later), records::write(&due));
                }
            }
            Ok::<_, Error>(())
        })?;
        Err(error)
    }
}

/// A transaction of upkeep itself.
fn work<'w>(transaction: &'w mut Transaction, now: &'w Moment, settings: Option<&'w str>) -> Work<'w> {
    Work { transaction, now, actor: USHER, request: None, settings }
}

/// The first thing to do whose time has come, and its key.
fn next_due(transaction: &mut Transaction, now: u64) -> Result<Option<(String, Due)>, Error> {
    let mut range = prefix_range(keys::ALL_DUE, 1);
    range.end = keys::due(now.saturating_add(1), "");
    let Some(entry) = transaction.scan(&range)?.pop() else { return Ok(None) };
    let due = records::read(&entry.key, &entry.value)?;
    Ok(Some((entry.key, due)))
}

/// Does what is due.
fn perform(work: &mut Work<'_>, due: &Due) -> Result<(), Error> {
    match due {
        Due::Adoption(organization) => {
            organizations::settle_at_once(work, *organization, false)?;
        }
        Due::Log(directory) => log::age_log(work, directory)?,
        Due::Key { directory, key } => notices::notify(work, directory, key)?,
        Due::SetupLink { directory, link } => setup_links::expire(work, directory, link)?,
        Due::Domains { directory, after } => links::link_those_inside(work, directory, after.as_deref())?,
        Due::Apply(directory) => applying::step(work, directory)?,
        Due::PlanAccess(directory) => plan_access::step(work.transaction, directory, work.now.milliseconds)?,
        Due::Parting(organization) => parting::go_on(work, *organization)?,
        Due::Turn { customer, user, turn, after } => {
            arrivals::record_turn(work, customer, user, *turn, Some(after))?;
        }
        Due::Arrivals { organization, group, after } => arrivals::record(work, *organization, group, Some(after))?,
        Due::Customer(customer) => bin::erase_customer(work, customer)?,
        Due::Organization(organization) => bin::erase_organization(work, *organization)?,
        Due::Probation { holder, customer } => probation::end(work, holder, customer)?,
        Due::Restored { customer, after } => probation::begin(work, customer, after.as_deref())?,
    }
    Ok(())
}

/// Something deleted that has entries left to sweep.
struct Job {
    directory: String,
    id: String,
    sweep: Sweep,
}

fn next_sweep(transaction: &mut Transaction) -> Result<Option<Job>, Error> {
    let Some(entry) = transaction.scan(&prefix_range(keys::ALL_SWEEPS, 1))?.pop() else { return Ok(None) };
    let sweep = records::read(&entry.key, &entry.value)?;
    let (directory, id) = keys::two_ids(&entry.key).ok_or_else(|| store::Error::corrupt(&entry.key))?;
    Ok(Some(Job { directory: directory.to_string(), id: id.to_string(), sweep }))
}

impl Job {
    fn step(&self, transaction: &mut Transaction, budget: u32, now: &Moment) -> Result<Progress, Error> {
        // A membership is two entries, and so is an association.
        let memberships = budget.div_ceil(2);
        let (removed, more) = match &self.sweep {
            Sweep::User(customer) => {
                let (directory, customer) = (&self.directory, customer.as_deref());
                let (removal, counted) =
                    leaving::sweep_user(transaction, directory, &self.id, memberships, now, customer)?;
                counts::change(transaction, &self.directory, |counts| {
                    counts.memberships = counts.memberships.saturating_sub(u64::from(counted));
                    counts.unswept_users = counts.unswept_users.saturating_sub(u64::from(!removal.more));
                })?;
                (removal.removed * 2, removal.more)
            }
            Sweep::Group => {
                let removal = edges::drop_members(transaction, &self.id, memberships)?;
                (removal.removed * 2, removal.more)
            }
            Sweep::Former(organization) => {
                let work = &mut work(transaction, now, None);
                let (removal, _) = holders::drop_former(work, *organization, &self.id, &[], memberships)?;
                (removal.removed * 2, removal.more)
            }
            Sweep::Customer => {
                let (removed, more) = customers::drop_relations(transaction, &self.id, memberships)?;
                (removed * 2, more)
            }
            Sweep::History => {
                let key = keys::sweep(&self.directory, &self.id);
                let organization = keys::swept_history(&self.id).ok_or_else(|| store::Error::corrupt(&key))?;
                histories::drop_entries(transaction, &keys::organization_history(organization), budget)?
            }
            Sweep::Project => {
                let id = numbers::parse(&keys::sweep(&self.directory, &self.id), &self.id)?;
                let (removed, more) = projects::drop_associations(transaction, id, memberships)?;
                (removed * 2, more)
            }
            Sweep::Removal => {
                let (removed, more) = self.remove_managed(transaction, budget, now)?;
                if !more {
                    // From here on it is like any other disconnected directory.
                    transaction.put(keys::sweep(&self.directory, &self.id), records::write(&Sweep::Directory));
                }
                (removed, true)
            }
            Sweep::Directory => self.sweep_directory(transaction, budget)?,
        };
        if !more {
            transaction.delete(keys::sweep(&self.directory, &self.id));
        }
        // The next step finds out whether other sweeps are waiting; a needless step costs one read.
        Ok(Progress { removed, more: true })
    }

    /// Removes customers and organizations that the directory managed, each with the user or group by which it is
    /// found.
    fn remove_managed(&self, transaction: &mut Transaction, budget: u32, now: &Moment) -> Result<(u32, bool), Error> {
        let settings = transaction.get(keys::SITE_SETTINGS_KEY.to_string())?;
        let mut removed = 0;
        // Deleted users and groups whose customers and organizations are still there.
        for entry in
            transaction.scan(&prefix_range(&keys::all_planned(&self.directory), budget.div_ceil(REMOVAL_COST)))?
        {
            if removed >= budget {
                return Ok((removed, true));
            }
            let work = &mut work(transaction, now, settings.as_deref());
            let members = applying::remove_planned(work, &self.directory, &entry, budget - removed)?;
            if members > 0 {
                return Ok((removed + members, true));
            }
            removed += REMOVAL_COST;
        }
        for kind in [Kind::Group, Kind::User] {
            let mut range = prefix_range(&kind.resources(&self.directory), budget.div_ceil(REMOVAL_COST));
            range.keys_only = true;
            for entry in transaction.scan(&range)? {
                if removed >= budget {
                    return Ok((removed, true));
                }
                let work = &mut work(transaction, now, settings.as_deref());
                let id = keys::id_of(&entry.key);
                match kind {
                    Kind::User => customers::remove_of_user(work, id)?,
                    Kind::Group => organizations::remove_of_group(work, id)?,
                }
                transaction.delete(entry.key);
                removed += REMOVAL_COST;
            }
        }
        Ok((removed, removed > 0))
    }

    /// Sweeps a directory: first what it managed becomes the site's in the indexes, then its groups go with their
    /// memberships, then everything else that has the directory in its key.
    fn sweep_directory(&self, transaction: &mut Transaction, budget: u32) -> Result<(u32, bool), Error> {
        // To move an entry is to write two.
        let mut removed = index::hand_over(transaction, &self.directory, budget.div_ceil(2))? * 2;
        removed += applying::forget_plan(transaction, &self.directory, budget.saturating_sub(removed))?;
        let mut range = prefix_range(&Kind::Group.resources(&self.directory), 1);
        range.keys_only = true;
        while removed < budget {
            let Some(group) = transaction.scan(&range)?.pop() else { break };
            // The members of an organization stay when its directory is disconnected.
            if transaction.get(keys::organization_of(keys::id_of(&group.key)))?.is_none() {
                let removal =
                    edges::drop_members(transaction, keys::id_of(&group.key), (budget - removed).div_ceil(2))?;
                removed += removal.removed * 2;
                if removal.more {
                    return Ok((removed, true));
                }
            }
            // The next read begins after this group, so that no step goes through its own removals again.
            range.start = keys::next(&group.key);
            transaction.delete(group.key);
            removed += 1;
        }
        let prefixes = [Kind::User.resources(&self.directory), Kind::Group.resources(&self.directory)]
            .into_iter()
            .chain(Kind::User.indexes(&self.directory))
            .chain(Kind::Group.indexes(&self.directory))
            .chain([keys::api_keys(&self.directory), keys::log(&self.directory), keys::bodies(&self.directory)])
            .chain([keys::all_held(&self.directory), keys::sizes(&self.directory)])
            .chain([keys::all_to_forget(&self.directory)])
            .chain([keys::conflicts(&self.directory), keys::refused_groups(&self.directory)])
            .chain([keys::adoptions(&self.directory), keys::all_left_apart(&self.directory)])
            .chain([keys::all_plan_access(&self.directory)])
            .chain([keys::all_unlinked(&self.directory), keys::unlinked_customers(&self.directory)]);
        for prefix in prefixes {
            if removed >= budget {
                return Ok((removed, true));
            }
            let mut range = prefix_range(&prefix, budget - removed);
            range.keys_only = true;
            let entries = transaction.scan(&range)?;
            removed += pages::count(entries.len());
            for entry in entries {
                transaction.delete(entry.key);
            }
        }
        if removed >= budget {
            return Ok((removed, true));
        }
        transaction.delete(keys::counts(&self.directory));
        transaction.delete(keys::gone_directory(&self.directory));
        Ok((removed + 2, false))
    }
}
