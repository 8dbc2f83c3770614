//! Customers: people who ask for help on the site. Local ones are edited here, managed ones follow their user.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::error::{Error, Result};
use super::standing::{
    Standing, Standings, check_local, is_all_in_sight, is_leaving, is_managed, manager, shown_page, standing,
};
use super::{index, kept, time_zones, totals};
use crate::address;
use crate::engine::Engine;
use crate::names::MAX_CHARACTERS;
use crate::store::edges::{self, SWEPT_AT_ONCE};
use crate::store::feed::{self, ChangeKind, Detail, ValueChange};
use crate::store::keys::{self, Association};
use crate::store::pages::{Page, Position};
use crate::store::plan;
use crate::store::records::{self, CustomerRecord, Link, Subject, Sweep};
use crate::store::{self, Transaction, prefix_range};
use crate::text::quoted;
use crate::twins;
use crate::work::Work;

/// The longest locale that is looked at, in characters; real ones are far shorter.
const MAX_LOCALE_CHARACTERS: usize = 100;

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Its id, 20 letters and digits.
    pub id: String,
    /// The email address.
    pub email: String,
    /// The name to show.
    pub display_name: String,
    /// Whether portals are open to the customer at all.
    pub active: bool,
    /// The time zone, by its name in the IANA database; `None` if none is set, or the identity provider sent some other
    /// text.
    pub time_zone: Option<String>,
    /// The locale, one of the site's.
    pub locale: String,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_at: u64,
    /// The id of the directory that manages it; `None` if it is local.
    pub managed_by: Option<String>,
}

/// What a customer is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCustomer {
    /// The email address, unique on the site without regard to case.
    pub email: String,
    /// The name to show, 1 to 200 characters.
    pub display_name: String,
    /// The time zone, by its name in the IANA database, in any letter case; may be left out.
    pub time_zone: Option<String>,
    /// The locale. One that the site does not have becomes the closest that it has; `None` is the site's default.
    pub locale: Option<String>,
}

/// Changes to a customer; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerUpdate {
    /// A new email address.
    pub email: Option<String>,
    /// A new name.
    pub display_name: Option<String>,
    /// Whether portals are open to the customer.
    pub active: Option<bool>,
    /// A new time zone, by its name in the IANA database, in any letter case.
    pub time_zone: Option<String>,
    /// A new locale.
    pub locale: Option<String>,
}

/// What a directory says about a person: the customer of a user is made from it, and follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The email address as it is compared, if there is one.
    pub email: Option<String>,
    /// The name to show.
    pub display_name: String,
    /// Whether portals are to be open to the person.
    pub active: bool,
    /// The name of a time zone, as it was sent.
    pub time_zone: Option<String>,
    /// A language tag, as it was sent.
    pub locale: Option<String>,
}

/// Makes or links the customer of a user, and returns its id; `None` for a user without an email address. If the user
/// `was_there` before, the customer that it was linked to may still exist.
///
/// # Errors
/// [`Error::Taken`] if the customer with this address is already managed.
pub fn provision(work: &mut Work<'_>, link: Link, profile: &Profile, was_there: bool) -> Result<Option<String>> {
    let Some(address) = &profile.email else { return Ok(None) };
    let user = link.resource.clone();
    if let Some(id) = work.transaction.get(keys::customer_email(address))? {
        let old = load(work.transaction, &id)?.ok_or_else(|| store::Error::corrupt(&keys::customer(&id)))?;
        match standing(work.transaction, old.link.as_ref())? {
            Standing::Managed => {
                let name = manager(work.transaction, old.link.as_ref())?.map(|directory| directory.name);
                return Err(Error::Taken(format!(
                    "a customer has this email address already, whom the directory {} manages",
                    quoted(&name.unwrap_or_default())
                )));
            }
            Standing::Local => {
                self::link(work, &id, &old, link, profile)?;
                return Ok(Some(id));
            }
            Standing::Leaving => remove(work, &id)?,
        }
    }
    let left_behind = |transaction: &mut Transaction| -> store::Result<bool> {
        let found = transaction.get_many(alloc::vec![keys::customer(&user), keys::deleted_customer(&user)])?;
        Ok(found.iter().any(Option::is_some))
    };
    let id = if was_there && left_behind(work.transaction)? {
        keys::another_id(&user, work.now.milliseconds)
    } else {
        // The user's id serves as well as a new one, and tells nothing more.
        user.clone()
    };
    let record = wanted(work, profile, work.now.milliseconds, Some(link))?;
    work.transaction.put(keys::customer_email(address), id.as_str());
    work.transaction.put(keys::customer_of(&user), id.as_str());
    work.transaction.put(keys::customer(&id), records::write(&record));
    index::replace_customer(work.transaction, &id, None, Some(&record));
    let detail = Detail { user: Some(user), ..Detail::of_customer(&id) };
    work.record_values(ChangeKind::CustomerCreated, detail, first_values(&record));
    Ok(Some(id))
}

/// Links a local customer to a user that has its email address. From now on the customer follows the user.
///
/// # Errors
/// Where the settings of the site cannot be read.
pub fn link(work: &mut Work<'_>, id: &str, old: &CustomerRecord, link: Link, profile: &Profile) -> store::Result<()> {
    let user = link.resource.clone();
    let former = old.users().cloned().collect();
    let record = CustomerRecord { former, twin: old.twin, ..wanted(work, profile, old.created, Some(link))? };
    work.transaction.put(keys::customer_of(&user), id);
    work.transaction.put(keys::customer(id), records::write(&record));
    index::replace_customer(work.transaction, id, Some(old), Some(&record));
    totals::remove_local(work.transaction, old)?;
    let detail = Detail { user: Some(user), ..Detail::of_customer(id) };
    let values = [name_and_email(old, &record), status(old, &record)].concat();
    work.record_values(ChangeKind::CustomerLinked, detail, values);
    Ok(())
}

/// Brings the customer of a user up to date.
///
/// # Errors
/// [`Error::Taken`] if another customer has the user's new email address.
pub fn follow(work: &mut Work<'_>, id: &str, profile: &Profile) -> Result<()> {
    let old = load(work.transaction, id)?.ok_or_else(|| store::Error::corrupt(&keys::customer(id)))?;
    if old.link.is_none() {
        return Ok(());
    }
    let mut new = followed(work, &old, profile)?;
    change(work, id, &old, &mut new)
}

/// The record that the customer of a user is to have when it is made, but for its link.
///
/// # Errors
/// Where the settings of the site cannot be read.
pub fn planned(work: &Work<'_>, profile: &Profile) -> store::Result<CustomerRecord> {
    wanted(work, profile, work.now.milliseconds, None)
}

/// The record of a linked customer when it has followed its user. One whose user has no address keeps the last one.
///
/// # Errors
/// Where the settings of the site cannot be read.
pub fn followed(work: &Work<'_>, old: &CustomerRecord, profile: &Profile) -> store::Result<CustomerRecord> {
    let wanted = wanted(work, profile, old.created, old.link.clone())?;
    let email = if wanted.email.is_empty() { old.email.clone() } else { wanted.email };
    Ok(CustomerRecord { email, former: old.former.clone(), twin: old.twin, ..wanted })
}

/// Removes a customer from the site; it can be restored for the site's retention time.
///
/// # Errors
/// Where the storage fails.
pub fn remove(work: &mut Work<'_>, id: &str) -> store::Result<()> {
    let retention = kept::retention(work)?;
    remove_for(work, id, retention)
}

/// Removes a customer from the site; it can be restored for a time, in milliseconds.
///
/// # Errors
/// Where the storage fails.
pub fn remove_for(work: &mut Work<'_>, id: &str, retention: u64) -> store::Result<()> {
    let Some(mut old) = load(work.transaction, id)? else { return Ok(()) };
    let standing = standing(work.transaction, old.link.as_ref())?;
    work.transaction.delete(keys::customer(id));
    index::replace_customer(work.transaction, id, Some(&old), None);
    if standing == Standing::Local {
        totals::remove_local(work.transaction, &old)?;
    }
    drop_address(work.transaction, id, &mut old)?;
    let mut followed = old.last.take();
    if let Some(link) = old.link.take() {
        // The directory removes the memberships of its user; those left from a disconnected directory are kept.
        if standing == Standing::Managed {
            work.transaction.delete(keys::customer_of(&link.resource));
            followed = Some(link);
        } else {
            old.former.push(link);
        }
    }
    work.record(ChangeKind::CustomerDeleted, Detail::of_customer(id));
    if retention == 0 {
        return erase(work, id, &old, followed.as_ref());
    }
    kept::keep_customer(work, id, old, followed, retention);
    Ok(())
}

/// Removes all that is left of a deleted customer. `followed` is the user that it was linked to last, if any.
///
/// # Errors
/// Where the storage fails.
pub fn erase(work: &mut Work<'_>, id: &str, old: &CustomerRecord, followed: Option<&Link>) -> store::Result<()> {
    kept::have_log_forget(work, followed, &[&old.email, &old.display_name]);
    plan::look_anew(work.transaction, work.now.milliseconds)?;
    for link in old.users() {
        let (directory, user) = (&link.directory, &link.resource);
        work.transaction.delete(keys::customer_of(user));
        // They belong to directories that are gone: nobody reads their groups any more, so no version has to change.
        if edges::drop_memberships(work.transaction, user, SWEPT_AT_ONCE)?.0.more {
            work.transaction.put(keys::sweep(directory, user), records::write(&Sweep::User(None)));
        }
    }
    if drop_relations(work.transaction, id, SWEPT_AT_ONCE)?.1 {
        work.transaction.put(keys::sweep(keys::SITE, id), records::write(&Sweep::Customer));
    }
    work.record(ChangeKind::CustomerErased, Detail::of_customer(id));
    Ok(())
}

/// The state of a customer whose memberships are to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is on the site.
    Present,
    /// It is deleted and can be restored.
    Deleted,
}

/// Whether the memberships of a customer are to be kept, and in which state it is; `None` if it is gone.
///
/// # Errors
/// Where the storage fails.
pub fn kept(transaction: &mut Transaction, id: &str) -> store::Result<Option<Kept>> {
    let found = transaction.get_many(alloc::vec![keys::customer(id), keys::deleted_customer(id)])?;
    let found = found.iter().zip([Kept::Present, Kept::Deleted]).find(|(value, _)| value.is_some());
    Ok(found.map(|(_, kept)| kept))
}

/// Removes a customer that is leaving with its directory, without waiting for upkeep.
///
/// # Errors
/// Where the storage fails.
pub fn remove_leaving(work: &mut Work<'_>, id: &str) -> store::Result<()> {
    let Some(record) = load(work.transaction, id)? else { return Ok(()) };
    if is_leaving(work.transaction, record.link.as_ref())? { remove(work, id) } else { Ok(()) }
}

/// Whether a customer has this email address. One that is leaving with its directory makes way.
///
/// # Errors
/// Where the storage fails.
pub fn is_taken(work: &mut Work<'_>, address: &str) -> store::Result<bool> {
    let key = keys::customer_email(address);
    let Some(id) = work.transaction.get(key.clone())? else { return Ok(false) };
    remove_leaving(work, &id)?;
    Ok(work.transaction.get(key)?.is_some())
}

/// Removes the customer of a user whose directory is being removed with all that it managed, unless the customer has
/// another user by now.
///
/// # Errors
/// Where the storage fails.
pub fn remove_of_user(work: &mut Work<'_>, user: &str) -> store::Result<()> {
    let Some(id) = work.transaction.get(keys::customer_of(user))? else { return Ok(()) };
    let is_linked = |record: CustomerRecord| record.link.is_some_and(|link| link.resource == user);
    if load(work.transaction, &id)?.is_some_and(is_linked) { remove(work, &id) } else { Ok(()) }
}

/// Removes up to `limit` entries of the history, memberships and associations of a deleted customer. Returns how many, and whether others
/// remain.
///
/// # Errors
/// Where the storage fails.
pub fn drop_relations(transaction: &mut Transaction, id: &str, limit: u32) -> store::Result<(u32, bool)> {
    let (mut removed, history) = (0, keys::customer_history(id));
    for prefix in [history.clone(), keys::own_memberships(id), Association::Customer.of_other(id)] {
        for entry in transaction.scan(&prefix_range(&prefix, limit - removed + 1))? {
            if removed == limit {
                return Ok((removed, true));
            }
            let end = keys::id_of(&entry.key);
            if entry.key.starts_with(&history) {
                transaction.delete(entry.key);
            } else if keys::owner(end).is_some() {
                edges::remove_stored(transaction, end, id, &entry.value);
            } else {
                let project = end.parse().map_err(|_| store::Error::corrupt(&entry.key))?;
                Association::Customer.both(project, id).into_iter().for_each(|key| transaction.delete(key));
            }
            removed += 1;
        }
    }
    Ok((removed, false))
}

/// The record that the customer of a user is to have. The address is empty if the user has none.
fn wanted(work: &Work<'_>, profile: &Profile, created: u64, link: Option<Link>) -> store::Result<CustomerRecord> {
    Ok(CustomerRecord {
        email: profile.email.clone().unwrap_or_default(),
        display_name: profile.display_name.clone(),
        active: profile.active,
        time_zone: profile.time_zone.as_deref().and_then(time_zones::named).map(ToString::to_string),
        locale: work.locale(profile.locale.as_deref())?,
        created,
        link,
        former: Vec::new(),
        last: None,
        twin: None,
    })
}

/// Stores the new record of a customer, and notes in the change feed what is different.
fn change(work: &mut Work<'_>, id: &str, old: &CustomerRecord, new: &mut CustomerRecord) -> Result<()> {
    if new == old {
        return Ok(());
    }
    let (old_key, new_key) = (keys::customer_email(&old.email), keys::customer_email(&new.email));
    if old_key != new_key {
        if is_taken(work, &new.email)? {
            return Err(Error::Taken("another customer has this email address".to_string()));
        }
        new.twin = None;
        // A plan in which customers exchange their addresses has taken it out already.
        if old.twin.is_some() || work.transaction.get(old_key)?.as_deref() == Some(id) {
            drop_address(work.transaction, id, &mut old.clone())?;
        }
        work.transaction.put(new_key, id);
    }
    work.transaction.put(keys::customer(id), records::write(new));
    index::replace_customer(work.transaction, id, Some(old), Some(new));
    let changed: Vec<String> = feed::changed([
        ("email", old.email != new.email),
        ("displayName", old.display_name != new.display_name),
        ("timeZone", old.time_zone != new.time_zone),
        ("locale", old.locale != new.locale),
    ]);
    if !changed.is_empty() {
        let detail = Detail { changed, ..Detail::of_customer(id) };
        work.record_values(ChangeKind::CustomerUpdated, detail, name_and_email(old, new));
    }
    if old.active != new.active {
        let kind = if new.active { ChangeKind::CustomerActivated } else { ChangeKind::CustomerDeactivated };
        work.record_values(kind, Detail::of_customer(id), status(old, new));
    }
    Ok(())
}

/// What the site shows of a customer who has just been made.
fn first_values(record: &CustomerRecord) -> Vec<ValueChange> {
    let values = [("email", record.email.as_str()), ("displayName", &record.display_name), ("active", text_of(record))];
    values.map(|(attribute, value)| ValueChange::first(attribute, value)).to_vec()
}

/// The email address and name of a customer, where they change.
fn name_and_email(old: &CustomerRecord, new: &CustomerRecord) -> Vec<ValueChange> {
    let email = ValueChange::between("email", &old.email, &new.email);
    let name = ValueChange::between("displayName", &old.display_name, &new.display_name);
    email.into_iter().chain(name).collect()
}

/// The status of a customer, where it changes.
fn status(old: &CustomerRecord, new: &CustomerRecord) -> Vec<ValueChange> {
    ValueChange::between("active", text_of(old), text_of(new)).into_iter().collect()
}

/// The status of a customer as text.
const fn text_of(record: &CustomerRecord) -> &'static str {
    if record.active { "true" } else { "false" }
}

/// Takes the address of a customer out of the index. If two have the address, the index leads to the other one from now
/// on.
fn drop_address(transaction: &mut Transaction, id: &str, record: &mut CustomerRecord) -> store::Result<()> {
    let key = keys::customer_email(&record.email);
    match record.twin.take() {
        None => transaction.delete(key),
        Some(twin) => drop(twins::part(transaction, None, &Subject::Customer(id.to_string()), twin, key)?),
    }
    Ok(())
}

/// The record of a customer, if there is one, even if it is out of sight.
///
/// # Errors
/// Where the storage fails.
pub fn load(transaction: &mut Transaction, id: &str) -> store::Result<Option<CustomerRecord>> {
    if !keys::is_id(id) {
        return Ok(None);
    }
    let key = keys::customer(id);
    transaction.get(key.clone())?.map(|text| records::read(&key, &text)).transpose()
}

/// The record of a customer, unless it is out of sight.
///
/// # Errors
/// Where the storage fails.
pub fn visible(transaction: &mut Transaction, id: &str) -> store::Result<Option<CustomerRecord>> {
    let Some(record) = load(transaction, id)? else { return Ok(None) };
    Ok(if is_leaving(transaction, record.link.as_ref())? { None } else { Some(record) })
}

/// The record of a customer.
///
/// # Errors
/// [`Error::NotFound`].
pub fn existing(transaction: &mut Transaction, id: &str) -> Result<CustomerRecord> {
    visible(transaction, id)?.ok_or_else(|| Error::NotFound("there is no such customer".to_string()))
}

/// A customer as callers see it.
///
/// # Errors
/// Where the storage fails.
pub fn describe(transaction: &mut Transaction, id: &str, record: CustomerRecord) -> Result<Customer> {
    let managed = is_managed(transaction, record.link.as_ref())?;
    Ok(described(id, record, managed))
}

/// A customer as callers see it; `None` if it is out of sight.
///
/// # Errors
/// Where the storage fails.
pub(super) fn show(
    transaction: &mut Transaction,
    standings: &mut Standings,
    id: &str,
    record: CustomerRecord,
) -> Result<Option<Customer>> {
    let standing = standings.of(transaction, record.link.as_ref())?;
    Ok((standing != Standing::Leaving).then(|| described(id, record, standing == Standing::Managed)))
}

fn described(id: &str, record: CustomerRecord, managed: bool) -> Customer {
    Customer {
        id: id.to_string(),
        email: record.email,
        display_name: record.display_name,
        active: record.active,
        time_zone: record.time_zone,
        locale: record.locale,
        created_at: record.created,
        managed_by: record.link.map(|link| link.directory).filter(|_| managed),
    }
}

impl Engine<'_> {
    /// Makes a local customer.
    ///
    /// # Errors
    /// [`Error::Invalid`]; [`Error::Taken`] where a customer has this email address.
    pub fn create_customer(&self, actor: &str, new: &NewCustomer) -> Result<Customer> {
        check_locale(new.locale.as_deref())?;
        let id = self.new_id(&self.now());
        let record = CustomerRecord {
            email: checked_email(&new.email)?,
            display_name: checked_name(&new.display_name)?,
            active: true,
            time_zone: new.time_zone.as_deref().map(checked_time_zone).transpose()?,
            locale: String::new(),
            created: self.now().milliseconds,
            link: None,
            former: Vec::new(),
            last: None,
            twin: None,
        };
        self.administer(actor, |work| {
            if is_taken(work, &record.email)? {
                return Err(Error::Taken("a customer has this email address".to_string()));
            }
            let record = CustomerRecord { locale: work.locale(new.locale.as_deref())?, ..record.clone() };
            work.transaction.put(keys::customer_email(&record.email), id.as_str());
            work.transaction.put(keys::customer(&id), records::write(&record));
            index::replace_customer(work.transaction, &id, None, Some(&record));
            totals::add_local(work.transaction, &record)?;
            work.record_values(ChangeKind::CustomerCreated, Detail::of_customer(&id), first_values(&record));
            describe(work.transaction, &id, record)
        })
    }

    /// The customers of the site, in the order in which they were made.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit or cursor that is not valid.
    pub fn customers(&self, position: &Position, limit: u32) -> Result<Page<Customer>> {
        self.read(|transaction| {
            let (every, mut standings) = (is_all_in_sight(transaction)?, Standings::default());
            shown_page(transaction, keys::ALL_CUSTOMERS, position, limit, every, |transaction, entry| {
                let record = records::read(&entry.key, &entry.value)?;
                show(transaction, &mut standings, keys::id_of(&entry.key), record)
            })
        })
    }

    /// The customer with this id.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn customer(&self, id: &str) -> Result<Customer> {
        self.read(|transaction| {
            let record = existing(transaction, id)?;
            describe(transaction, id, record)
        })
    }

    /// Changes a local customer.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::Taken`]; [`Error::Managed`] where a directory manages it.
    pub fn update_customer(&self, actor: &str, id: &str, update: &CustomerUpdate) -> Result<Customer> {
        check_locale(update.locale.as_deref())?;
        let email = update.email.as_deref().map(checked_email).transpose()?;
        let name = update.display_name.as_deref().map(checked_name).transpose()?;
        let time_zone = update.time_zone.as_deref().map(checked_time_zone).transpose()?;
        self.administer(actor, |work| {
            let old = existing(work.transaction, id)?;
            check_local(work.transaction, old.link.as_ref(), "the customer")?;
            let mut new = CustomerRecord {
                email: email.clone().unwrap_or_else(|| old.email.clone()),
                display_name: name.clone().unwrap_or_else(|| old.display_name.clone()),
                active: update.active.unwrap_or(old.active),
                time_zone: time_zone.clone().or_else(|| old.time_zone.clone()),
                locale: match &update.locale {
                    Some(locale) => work.locale(Some(locale))?,
                    None => old.locale.clone(),
                },
                ..old.clone()
            };
            change(work, id, &old, &mut new)?;
            if new.active != old.active {
                totals::remove_local(work.transaction, &old)?;
                totals::add_local(work.transaction, &new)?;
            }
            describe(work.transaction, id, new)
        })
    }

    /// Deletes a local customer; it leaves its organizations and projects.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Managed`] where a directory manages it.
    pub fn delete_customer(&self, actor: &str, id: &str) -> Result<()> {
        self.administer(actor, |work| {
            let old = existing(work.transaction, id)?;
            check_local(work.transaction, old.link.as_ref(), "the customer")?;
            Ok(remove(work, id)?)
        })
    }
}

fn checked_email(email: &str) -> Result<String> {
    if !address::is_address(email) {
        return Err(Error::Invalid(format!(
            "the email address must be of the form name@domain, without blanks, and at most {} bytes long",
            address::MAX_BYTES
        )));
    }
    Ok(email.trim().to_string())
}

fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_CHARACTERS {
        return Err(Error::Invalid(format!("the display name must be 1 to {MAX_CHARACTERS} characters long")));
    }
    Ok(name.to_string())
}

fn check_locale(locale: Option<&str>) -> Result<()> {
    if locale.is_some_and(|locale| locale.chars().count() > MAX_LOCALE_CHARACTERS) {
        return Err(Error::Invalid(format!("the locale must be at most {MAX_LOCALE_CHARACTERS} characters long")));
    }
    Ok(())
}

fn checked_time_zone(name: &str) -> Result<String> {
    match time_zones::named(name.trim()) {
        Some(name) => Ok(name.to_string()),
        None => {
            Err(Error::Invalid(format!("{} is no time zone of the IANA database, such as Europe/Berlin", quoted(name))))
        }
    }
}
