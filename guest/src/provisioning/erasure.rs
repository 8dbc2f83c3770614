//! Erasing a customer on demand.

use crate::directories::forgetting;
use crate::engine::Engine;
use crate::site::{Result, bin};

impl Engine<'_> {
    /// Erases a customer for good: one that is deleted, or one that is local, which is deleted with it. The log of the
    /// directory that it was managed by no longer names it.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::site::Error::NotFound); [`Error::Managed`](crate::site::Error::Managed) where a
    /// directory manages it.
    pub fn erase_customer(&self, actor: &str, id: &str) -> Result<()> {
        self.administer(actor, |work| {
            if let Some(followed) = bin::erase_on_demand(work, id)? {
                forgetting::forget_now(work.transaction, &followed.directory, &followed.resource)?;
            }
            Ok(())
        })
    }
}
