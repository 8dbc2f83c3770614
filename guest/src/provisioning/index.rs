//! The indexes of a resource. Entries whose value is the id are unique names; of other entries, many may have the same
//! text.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::scope::Scope;
use crate::json::{Object, Value};
use crate::language::error::{Error, Result};
use crate::store::records::{Subject, Twin};
use crate::twins;

/// The resource whose name is in an index.
pub struct Named {
    /// The resource.
    pub subject: Subject,
    /// Whether another resource has the same name.
    pub twin: Option<Twin>,
}

/// Brings the index entries of a resource from one state to the next. Returns whether another resource then has the
/// same name.
///
/// # Errors
/// What `taken` returns, where another resource holds a unique name. The keys of unique names begin with `unique`.
pub fn replace(
    scope: &mut Scope<'_>,
    unique: &str,
    named: Named,
    before: BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    taken: impl Fn() -> Error,
) -> Result<Option<Twin>> {
    let Named { subject, mut twin } = named;
    for (key, value) in after {
        if before.contains_key(key) {
            continue;
        }
        if key.starts_with(unique) && scope.transaction.get(key.clone())?.is_some() {
            return Err(taken());
        }
        scope.transaction.put(key.clone(), value.clone());
    }
    for key in before.into_keys().filter(|key| !after.contains_key(key)) {
        // A name that two have is not removed with one of them.
        if let Some(known) = twin.take_if(|_| key.starts_with(unique)) {
            let directory = Some(scope.directory());
            let closed = twins::part(scope.transaction, directory, &subject, known, key)?;
            scope.counts.conflicts = scope.counts.conflicts.saturating_sub(closed);
        } else {
            scope.transaction.delete(key);
        }
    }
    Ok(twin)
}

/// The names of the attributes that differ.
#[must_use]
pub fn changed_names(before: &Object<'_>, after: &Object<'_>) -> Vec<String> {
    let differs = |(name, value): &(&str, &Value<'_>)| before.get(name) != Some(value);
    let changed = after.iter().filter(differs).map(|(name, _)| name);
    let gone = before.iter().map(|(name, _)| name).filter(|name| after.get(name).is_none());
    changed.chain(gone).map(ToString::to_string).collect()
}
