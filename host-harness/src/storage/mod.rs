//! What the host provides the component with: the storage contract of `wit/storage.wit`, as the host's back ends implement
//! it.
//!
//! The data types are the engine's own. The traits differ from the engine's in two points: a back end is shared between
//! threads, and [`Transaction::commit`] does not wait for the disk. It hands out a [`Durability`], so that the guest is
//! released at once and only the response is held back until the writes cannot be lost any more.
//!
//! | | for |
//! |---|---|
//! | [`MemoryStorage`] | tests and trials |
//! | [`EmbeddedStorage`] | the default: one folder on disk, one machine, no server |
//! | `PostgresStorage` | a PostgreSQL database, with one host for each site; feature `postgres` |
//!
//! To bring a storage of your own, implement the two traits and run [`contract::check`] over it.

pub mod contract;
mod durability;
mod embedded;
mod group;
mod health;
mod memory;
mod native;
#[cfg(feature = "postgres")]
mod postgres;
mod turns;
mod writes;

pub use durability::{Durability, Flush};
#[cfg(feature = "bench")]
pub(crate) use embedded::open_engine;
pub use embedded::{ERASED_WITHIN, EmbeddedOptions, EmbeddedStorage, MARKED_WITHIN, OpenError};
pub use health::{Health, Trouble};
pub use memory::MemoryStorage;
pub use native::NativeStorage;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresAddress, PostgresError, PostgresOptions, PostgresStorage};
pub use usher_engine::storage::{Access, Change, Entry, Error, MAX_KEY_BYTES, MAX_VALUE_BYTES, Range};
pub use writes::Writes;

/// An ordered, transactional map from strings to strings that holds one site, shared by all requests to it. The
/// crate's docs have an example of a storage of one's own, and [`Transaction`] one of how it is used.
pub trait Storage: Send + Sync {
    /// Begins a transaction.
    ///
    /// A [`ReadOnly`](Access::ReadOnly) transaction sees a durable state: never one that a crash could take back, and
    /// always every write whose [`Durability`] was awaited before it began. It waits for nobody.
    ///
    /// A [`ReadWrite`](Access::ReadWrite) transaction sees the newest state, including commits that are not durable yet.
    /// A back end may block here until no other such transaction is open, or let the later one end in
    /// [`Error::Conflict`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Other`] where the storage does not answer.
    fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, Error>;

    /// Whether it can do its part, for operators. Answers at once, whatever the storage is doing.
    ///
    /// Unless a back end knows better, all is well.
    fn health(&self) -> Health {
        Health::default()
    }
}

/// One transaction. Dropping it without [`commit`](Transaction::commit), on whatever thread, leaves nothing behind.
///
/// ```
/// use usher_host::storage::{Access, Change, MemoryStorage, Range, Storage};
///
/// let storage = MemoryStorage::new();
/// let mut transaction = storage.begin(Access::ReadWrite)?;
/// assert_eq!(transaction.get_many(&["a".into()])?, [None]);
/// transaction.write(vec![Change { key: "a".into(), value: Some("1".into()) }])?;
/// transaction.commit()?.wait()?;
///
/// let mut transaction = storage.begin(Access::ReadOnly)?;
/// let all = Range { start: "a".into(), end: "b".into(), reverse: false, skip: 0, limit: 10, keys_only: false };
/// assert_eq!(transaction.scan(&all)?.len(), 1);
/// # Ok::<_, usher_host::storage::Error>(())
/// ```
pub trait Transaction: Send {
    /// The values of `keys`, in the same order; `None` where there is no such key.
    ///
    /// # Errors
    /// [`Error::Other`] after [`write`](Transaction::write), or any of [`Error`]'s cases.
    fn get_many(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, Error>;

    /// The entries of `range`; fewer than its limit only where the range holds no more. A range whose end does not come
    /// after its start is empty.
    ///
    /// # Errors
    /// [`Error::Other`] after [`write`](Transaction::write), or any of [`Error`]'s cases.
    fn scan(&mut self, range: &Range) -> Result<Vec<Entry>, Error>;

    /// Adds to what [`commit`](Transaction::commit) will write; of two changes of one key the later counts. Nothing is
    /// read after the first call.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where a key is empty, over [`MAX_KEY_BYTES`] or not ASCII, or a value is over
    /// [`MAX_VALUE_BYTES`]; [`Error::Other`] in a read-only transaction. After either, `commit` fails as well: half of
    /// what was asked for is never written. See [`Writes`].
    fn write(&mut self, changes: Vec<Change>) -> Result<(), Error>;

    /// Makes all writes visible to the next read-write transaction, or none of them.
    ///
    /// Nothing may be told to the outside on the strength of this commit before its [`Durability`] has come. That
    /// holds for a read-write transaction without writes, too: what it read may not be durable yet.
    ///
    /// # Errors
    /// [`Error::Conflict`] where another transaction got in the way, or any other of [`Error`]'s cases. Nothing was
    /// written then.
    fn commit(self: Box<Self>) -> Result<Durability, Error>;
}
