//! The indexes of users and groups: by name, which is unique in a directory, by external id, and of users by email
//! address.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::profile::text;
use super::scope::Scope;
use crate::json::{Object, Value};
use crate::language::error::{Error, Result};
use crate::store::keys::{self, Kind};
use crate::store::records::{Subject, Twin};
use crate::twins;

/// Brings the index entries of a resource from one state to the next. It has none before it is made and after it is
/// deleted. Returns whether another resource then has the same name.
///
/// # Errors
/// 409 `uniqueness` where another resource of the kind has the new name.
pub fn replace(
    scope: &mut Scope<'_>,
    kind: Kind,
    id: &str,
    mut twin: Option<Twin>,
    before: Option<&Object<'_>>,
    after: Option<&Object<'_>>,
) -> Result<Option<Twin>> {
    let directory = scope.directory();
    let of =
        |attributes: Option<&Object<'_>>| attributes.map(|all| entries(kind, directory, id, all)).unwrap_or_default();
    let (before, after, names) = (of(before), of(after), kind.name(directory, ""));
    for (key, value) in &after {
        if before.contains_key(key) {
            continue;
        }
        if key.starts_with(&names) && scope.transaction.get(key.clone())?.is_some() {
            return Err(Error::uniqueness(match kind {
                Kind::User => "another user of this directory has this userName",
                Kind::Group => "another group of this directory has this displayName",
            }));
        }
        scope.transaction.put(key.clone(), value.clone());
    }
    for key in before.into_keys().filter(|key| !after.contains_key(key)) {
        // A name that two have is not removed with one of them.
        if let Some(known) = twin.take_if(|_| key.starts_with(&names)) {
            let subject = match kind {
                Kind::User => Subject::User(id.to_string()),
                Kind::Group => Subject::Group(id.to_string()),
            };
            let closed = twins::part(scope.transaction, Some(directory), &subject, known, key)?;
            scope.counts.conflicts = scope.counts.conflicts.saturating_sub(closed);
        } else {
            scope.transaction.delete(key);
        }
    }
    Ok(twin)
}

/// The index entries of a resource. The value of a name is the id; the other keys end with it.
fn entries(kind: Kind, directory: &str, id: &str, attributes: &Object<'_>) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    let name = match kind {
        Kind::User => "userName",
        Kind::Group => "displayName",
    };
    if let Some(name) = text(attributes, name) {
        entries.insert(kind.name(directory, name), id.to_string());
    }
    if let Some(external_id) = text(attributes, "externalId") {
        entries.insert(kind.external_id(directory, external_id) + id, String::new());
    }
    if kind == Kind::User {
        for email in attributes.get("emails").and_then(Value::as_array).unwrap_or_default() {
            if let Some(address) = email.as_object().and_then(|email| text(email, "value")) {
                entries.insert(keys::email(directory, address) + id, String::new());
            }
        }
    }
    entries
}

/// The names of the attributes that differ.
#[must_use]
pub fn changed_names(before: &Object<'_>, after: &Object<'_>) -> Vec<String> {
    let differs = |(name, value): &(&str, &Value<'_>)| before.get(name) != Some(value);
    let changed = after.iter().filter(differs).map(|(name, _)| name);
    let gone = before.iter().map(|(name, _)| name).filter(|name| after.get(name).is_none());
    changed.chain(gone).map(ToString::to_string).collect()
}
