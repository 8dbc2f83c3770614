//! Groups that the conflict policy `reject` has refused. Nothing of them is stored but a conflict by name, so that an
//! administrator can decide what is to happen when the identity provider pushes the group again.

use alloc::string::{String, ToString};

use super::scope::Scope;
use crate::language::error::Result;
use crate::site::organizations;
use crate::store::feed::{ChangeKind, Detail};
use crate::store::keys;
use crate::store::records::{self, ConflictPolicy, ConflictRecord, Counts, RefusedGroup};
use crate::store::{self, Transaction};

/// How many open conflicts a directory may have before those of further refused groups are not kept.
const MAX_CONFLICTS: u64 = 10_000;

/// The conflict policy for a group of this name. If it was refused before, what an administrator has decided since
/// counts, and the conflict is over unless it is refused again.
///
/// # Errors
/// Where the storage fails.
pub fn policy(scope: &mut Scope<'_>, name: &str) -> Result<ConflictPolicy> {
    let policy = scope.settings.conflict_policy;
    if scope.counts.conflicts == 0 {
        return Ok(policy);
    }
    let Some((id, _, refused)) = find(scope.transaction, scope.context.directory, name)? else { return Ok(policy) };
    close(scope.transaction, scope.context.directory, &id, &refused, &mut scope.counts);
    Ok(if refused.adopt { ConflictPolicy::Sync } else { policy })
}

/// Lists a group that was refused, after all else that its request did is undone.
///
/// # Errors
/// Where the storage fails.
pub fn note(scope: &mut Scope<'_>, id: &str, name: &str) -> Result<()> {
    let (directory, now) = (scope.directory(), scope.context.now.milliseconds);
    let Some(organization) = organizations::local_named(scope.transaction, name)? else { return Ok(()) };
    let known = find(scope.transaction, directory, name)?;
    let is_new = known.is_none();
    if is_new && scope.counts.conflicts >= MAX_CONFLICTS {
        return Ok(());
    }
    let (id, since, before) = known.unwrap_or_else(|| {
        (id.to_string(), now, RefusedGroup { name: name.to_string(), last: now, count: 0, adopt: false })
    });
    let refused = RefusedGroup { last: now, count: before.count.saturating_add(1), ..before };
    let record = ConflictRecord { since, apart: false, same_name: None, refused: Some(refused) };
    scope.transaction.put(keys::conflict(directory, &id), records::write(&record));
    if is_new {
        scope.transaction.put(keys::refused_group(directory, name), id);
        scope.counts.conflicts = scope.counts.conflicts.saturating_add(1);
        scope.record(ChangeKind::ConflictRefused, Detail::of_organization(organization));
    }
    Ok(())
}

/// Takes the conflict of a refused group off the list.
pub fn close(transaction: &mut Transaction, directory: &str, id: &str, refused: &RefusedGroup, counts: &mut Counts) {
    transaction.delete(keys::conflict(directory, id));
    transaction.delete(keys::refused_group(directory, &refused.name));
    counts.conflicts = counts.conflicts.saturating_sub(1);
}

/// The conflict of a refused group of this name: its id, since when it is open, and the group.
fn find(
    transaction: &mut Transaction,
    directory: &str,
    name: &str,
) -> store::Result<Option<(String, u64, RefusedGroup)>> {
    let Some(id) = transaction.get(keys::refused_group(directory, name))? else { return Ok(None) };
    let key = keys::conflict(directory, &id);
    let text = transaction.get(key.clone())?.ok_or_else(|| store::Error::corrupt(&key))?;
    let record: ConflictRecord = records::read(&key, &text)?;
    let refused = record.refused.ok_or_else(|| store::Error::corrupt(&key))?;
    Ok(Some((id, record.since, refused)))
}
