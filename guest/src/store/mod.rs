//! What is kept in the storage: keys, records, and transactions over them.

pub mod keys;
pub mod records;
mod transaction;

pub use transaction::{Mark, Transaction, prefix_range};
