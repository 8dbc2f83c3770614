//! The storage contract in Rust: what `wit/storage.wit` says, as two traits.
//!
//! The component implements them over its imports; a native host implements them over its back ends. See the WIT for
//! what each promises; this module adds nothing to it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// The longest key in bytes. The name of a group, 200 characters of four bytes each, takes up to 2,400 as part of a
/// key; and `PostgreSQL`'s B-tree takes no entry over a third of a page, 2,704 bytes.
pub const MAX_KEY_BYTES: usize = 2_560;

/// The longest value in bytes, as long as the largest request body.
pub const MAX_VALUE_BYTES: usize = 16 << 20;

/// What a transaction is going to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads only: a committed, durable state; never waits, never conflicts.
    ReadOnly,
    /// Reads, then writes, serializable with all others of its kind.
    ReadWrite,
}

/// Why the storage did not do what it was asked. The texts are for logs, not for the outside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another transaction got in the way and nothing was written.
    #[error("another transaction got in the way")]
    Conflict,
    /// A key or a value is over its limit, or a key is not ASCII.
    #[error("a key or value cannot be stored: {0}")]
    TooLarge(String),
    /// The storage cannot be reached or is full.
    #[error("the storage is unavailable: {0}")]
    Unavailable(String),
    /// Anything else.
    #[error("the storage failed: {0}")]
    Other(String),
}

/// Which entries to read: those with `start <= key < end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// The first key that belongs to the range.
    pub start: String,
    /// The first key that no longer belongs to it.
    pub end: String,
    /// Go from the end towards the start.
    pub reverse: bool,
    /// How many entries to pass over first.
    pub skip: u32,
    /// How many entries to return at most.
    pub limit: u32,
    /// Leave the values empty.
    pub keys_only: bool,
}

/// One key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value; empty when only keys were asked for.
    pub value: String,
}

/// One write: the value that a key is to have, or `None` to remove it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: String,
    /// Its new value; `None` to remove the key.
    pub value: Option<String>,
}

/// An ordered, transactional map from strings to strings that holds one site.
pub trait Storage {
    /// Begins a transaction.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Other`] where the storage does not answer.
    fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, Error>;
}

/// One transaction. Dropping it without [`commit`](Transaction::commit) leaves nothing behind.
pub trait Transaction: Send {
    /// The values of `keys`, in the same order; `None` for a key that is not there.
    ///
    /// # Errors
    /// Any of [`Error`]'s cases.
    fn get_many(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, Error>;

    /// The entries of `range`; fewer than its limit only where the range holds no more.
    ///
    /// # Errors
    /// Any of [`Error`]'s cases.
    fn scan(&mut self, range: &Range) -> Result<Vec<Entry>, Error>;

    /// Adds to what [`commit`](Transaction::commit) will write. Nothing is read after the first call.
    ///
    /// # Errors
    /// Any of [`Error`]'s cases.
    fn write(&mut self, changes: Vec<Change>) -> Result<(), Error>;

    /// Makes all writes visible at once, or none.
    ///
    /// # Errors
    /// [`Error::Conflict`] where another transaction got in the way, or any other of [`Error`]'s cases.
    fn commit(self: Box<Self>) -> Result<(), Error>;
}
