//! The limit of deletions: those above it are held until an administrator lets them through.

use alloc::string::ToString;

use super::refusal;
use super::scope::Scope;
use crate::directories::held;
use crate::language::error::Result;
use crate::store::keys::Kind;
use crate::store::records::{HeldRecord, Mode, Stored};

impl Scope<'_> {
    /// Lets the deletion of a user or group pass, or the deactivation of a user, and counts it, unless the directory has
    /// had too many.
    ///
    /// # Errors
    /// 503 if it is held.
    pub fn pass_deletion(&mut self, kind: Kind, id: &str, old: &Stored, deletes: bool) -> Result<()> {
        let now = self.context.now.milliseconds;
        let Some(limit) = self.settings.deletion_limit else { return Ok(()) };
        if self.settings.mode == Mode::Staged || self.status.is_open(now) {
            return Ok(());
        }
        let before = self.status.deletions_within_hour(now).saturating_add(self.deletions);
        if self.status.held || !self.held.is_empty() || before >= limit {
            if !self.held.iter().any(|(held, _)| held == id) {
                let name = old.name(kind).unwrap_or_default().into_owned();
                self.held.push((id.to_string(), HeldRecord { kind, name, deletes, since: now }));
            }
            return Err(refusal::held(limit));
        }
        self.deletions += 1;
        Ok(())
    }

    /// Takes a user or group off the list of those whose deletion is held, because it is deleted.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn take_off_held(&mut self, id: &str) -> Result<()> {
        let directory = self.directory();
        Ok(held::take_off(self.transaction, directory, &mut self.status, id)?)
    }
}
