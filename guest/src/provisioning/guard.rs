//! The limit of deletions: those above it are held until an administrator lets them through.

use super::refusal::held;
use super::scope::Scope;
use crate::language::error::Result;

impl Scope<'_> {
    /// Lets a deletion or deactivation pass and counts it, unless the directory has had too many.
    ///
    /// # Errors
    /// 503 if it is held.
    pub fn pass_deletion(&mut self) -> Result<()> {
        let now = self.context.now.milliseconds;
        let Some(limit) = self.settings.deletion_limit else { return Ok(()) };
        if self.settings.dry_run || self.status.is_open(now) {
            return Ok(());
        }
        let before = self.status.deletions_within_hour(now).saturating_add(self.deletions);
        if self.status.held || self.holds || before >= limit {
            self.holds = true;
            return Err(held(limit));
        }
        self.deletions += 1;
        Ok(())
    }
}
