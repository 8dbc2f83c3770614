//! The rules for writes that are the same in every back end.

use super::{Access, Change, Error, MAX_KEY_BYTES, MAX_VALUE_BYTES};

/// Collects one transaction's writes and keeps the contract's rules for them, so that a back end need not.
///
/// ```
/// use usher_host::storage::{Access, Change, Error, Writes};
///
/// let mut writes = Writes::new(Access::ReadWrite);
/// assert_eq!(writes.check_read(), Ok(()));
/// writes.add(vec![Change { key: "a".into(), value: None }])?;
/// assert!(matches!(writes.check_read(), Err(Error::Other(_))), "nothing is read after a write");
/// assert_eq!(writes.finish()?.len(), 1);
/// # Ok::<_, Error>(())
/// ```
#[derive(Debug)]
pub struct Writes {
    access: Access,
    changes: Vec<Change>,
    begun: bool,
    refused: Option<Error>,
}

impl Writes {
    /// No writes yet.
    pub fn new(access: Access) -> Self {
        Self { access, changes: Vec::new(), begun: false, refused: None }
    }

    /// To be asked before each read.
    ///
    /// # Errors
    /// [`Error::Other`] once [`add`](Writes::add) was called.
    pub fn check_read(&self) -> Result<(), Error> {
        if self.begun {
            return Err(Error::Other("a read after a write in one transaction".into()));
        }
        Ok(())
    }

    /// Takes more changes.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for a key or value outside the limits, [`Error::Other`] in a read-only transaction.
    pub fn add(&mut self, changes: Vec<Change>) -> Result<(), Error> {
        self.begun = true;
        if let Err(error) = self.check(&changes) {
            self.refused.get_or_insert(error.clone());
            return Err(error);
        }
        if self.changes.is_empty() {
            self.changes = changes;
        } else {
            self.changes.extend(changes);
        }
        Ok(())
    }

    /// What is to be committed, in the order in which it was written: of two changes of one key the later counts.
    ///
    /// # Errors
    /// That of the first [`add`](Writes::add) that failed.
    pub fn finish(self) -> Result<Vec<Change>, Error> {
        match self.refused {
            Some(error) => Err(error),
            None => Ok(self.changes),
        }
    }

    fn check(&self, changes: &[Change]) -> Result<(), Error> {
        if self.access == Access::ReadOnly {
            return Err(Error::Other("a write in a read-only transaction".into()));
        }
        for Change { key, value } in changes {
            if key.is_empty() || key.len() > MAX_KEY_BYTES || !key.is_ascii() {
                let length = key.len();
                return Err(Error::TooLarge(format!(
                    "a key must be 1 to {MAX_KEY_BYTES} ASCII characters long; this one has {length} bytes"
                )));
            }
            let length = value.as_ref().map_or(0, String::len);
            if length > MAX_VALUE_BYTES {
                return Err(Error::TooLarge(format!(
                    "a value must not be longer than {MAX_VALUE_BYTES} bytes; this one has {length}"
                )));
            }
        }
        Ok(())
    }
}
