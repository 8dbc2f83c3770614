//! The indexes of a resource: entries whose value is the id are unique names, the others may be many.

use alloc::collections::BTreeMap;
use alloc::string::String;

use super::scope::Scope;
use crate::error::{Error, Result};

/// Brings the index entries of a resource from one state to the next.
///
/// # Errors
/// What `taken` says where another resource holds a unique name, a key that begins with `unique`.
pub fn replace(
    scope: &mut Scope<'_>,
    unique: &str,
    before: BTreeMap<String, String>,
    after: BTreeMap<String, String>,
    taken: impl Fn() -> Error,
) -> Result<()> {
    for (key, value) in &after {
        if before.contains_key(key) {
            continue;
        }
        if key.starts_with(unique) && scope.transaction.get(key.clone())?.is_some() {
            return Err(taken());
        }
        scope.transaction.put(key.clone(), value.clone());
    }
    for key in before.into_keys().filter(|key| !after.contains_key(key)) {
        scope.transaction.delete(key);
    }
    Ok(())
}
